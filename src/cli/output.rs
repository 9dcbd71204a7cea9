//! Writing results and messages.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Exit;

/// Prints a result to stdout. A reader that has seen enough (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Exit> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed("stdout", &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a message to stderr. When even that fails, nobody is there to be told.
pub(super) fn message(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Says that something could not be written.
pub(super) fn failed(what: &str, error: &io::Error) -> Exit {
    message(&format!("error: failed to write {what}: {error}"));
    Exit::OutputFailed
}

/// A file that comes into being when it is finished: until then it has another name, so that nobody ever sees half of it.
pub(super) struct PendingFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl PendingFile {
    /// Begins a file next to where it will be.
    pub(super) fn create(path: &Path) -> Result<Self, Exit> {
        let not_a_file = || {
            let error = io::Error::other("this is not the name of a file");
            failed(&path.display().to_string(), &error)
        };
        if path.is_dir() {
            return Err(failed(&path.display().to_string(), &io::Error::other("this is a folder")));
        }
        let mut name = path.file_name().ok_or_else(not_a_file)?.to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary).map_err(|error| failed(&path.display().to_string(), &error))?;
        Ok(PendingFile { path: path.to_owned(), temporary, writer: Some(BufWriter::new(file)) })
    }

    /// Where to write.
    pub(super) fn writer(&mut self) -> &mut BufWriter<File> {
        self.writer.as_mut().expect("the file is open until it is finished")
    }

    /// Gives the file its name, unless writing it failed.
    pub(super) fn finish(mut self, written: io::Result<()>) -> Result<(), Exit> {
        let mut writer = self.writer.take().expect("a file is finished once");
        let result = written.and_then(|()| writer.flush());
        drop(writer);
        result
            .and_then(|()| fs::rename(&self.temporary, &self.path))
            .map_err(|error| failed(&self.path.display().to_string(), &error))
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes a whole file.
pub(super) fn write_file(path: &Path, content: &str) -> Result<(), Exit> {
    let mut file = PendingFile::create(path)?;
    let written = file.writer().write_all(content.as_bytes());
    file.finish(written)
}
