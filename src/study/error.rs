//! Why a folder of results cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("failed to {verb} {}: {error}", path.display())]
    Io {
        /// Read, write, or the like.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process has it.
    #[error("{} is in use by another process", .0.display())]
    Busy(PathBuf),
    /// Its results are those of something else.
    #[error("{} {what}", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What it holds, as the end of a sentence.
        what: String,
    },
    /// A file was changed by somebody else.
    #[error("{}, line {line}, is not what mailslot-sim wrote there; results of it are lost if the file is deleted", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
    },
}

pub(super) fn io_error(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |error| FolderError::Io { verb, path, error }
}
