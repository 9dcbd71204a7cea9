//! Files that nobody ever sees half of.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::{FolderError, io_error};

/// A file that has its name when it is whole.
pub struct Pending {
    path: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl Pending {
    /// What is behind its name until it is whole.
    pub(super) const EXTENSION: &str = "partial";

    pub(super) fn create(path: &Path) -> Result<Self, FolderError> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", Self::EXTENSION));
        let temporary = PathBuf::from(temporary);
        let file = File::create(&temporary).map_err(io_error("write", path))?;
        Ok(Pending { path: path.to_owned(), temporary, writer: Some(BufWriter::new(file)) })
    }

    /// Adds to it.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FolderError> {
        let writer = self.writer.as_mut().expect("it is not finished");
        writer.write_all(bytes).map_err(io_error("write", &self.path))
    }

    /// Makes sure that it is on the disk, and gives it its name.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<(), FolderError> {
        let flushed =
            self.writer.as_mut().map_or(Ok(()), |writer| writer.flush().and_then(|()| writer.get_ref().sync_data()));
        flushed.map_err(io_error("write", &self.path))?;
        self.rename()
    }

    /// Gives it its name.
    pub(super) fn rename(mut self) -> Result<(), FolderError> {
        let flushed = self.writer.take().map_or(Ok(()), |mut writer| writer.flush());
        let renamed = flushed.and_then(|()| fs::rename(&self.temporary, &self.path));
        renamed.map_err(io_error("write", &self.path))
    }
}

/// What never got its name is of no use.
impl Drop for Pending {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}
