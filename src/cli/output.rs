//! Writing results and messages.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Exit;

/// Prints a result to stdout. A reader that has seen enough (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Exit> {
    print_while_read(text).map(drop)
}

/// Prints part of a result to stdout; says whether anybody still reads there.
pub(super) fn print_while_read(text: &str) -> Result<bool, Exit> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(failed("stdout", &error)),
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

/// A file that comes into being when it is finished: until then it has another name, so that nobody ever sees half of
/// it. What is no plain file (a pipe, a device) is written as it is.
pub(super) struct PendingFile {
    path: PathBuf,
    /// The name until it is finished, if it is another.
    temporary: Option<PathBuf>,
    writer: Option<BufWriter<File>>,
}

impl PendingFile {
    /// Begins a file next to where it will be.
    pub(super) fn create(path: &Path) -> Result<Self, Exit> {
        Self::begin(path).map_err(|error| failed(&path.display().to_string(), &error))
    }

    fn begin(path: &Path) -> io::Result<Self> {
        let (path, temporary) = match fs::metadata(path) {
            Ok(existing) if existing.is_dir() => return Err(io::Error::other("it is a folder")),
            Ok(existing) if !existing.is_file() => (path.to_owned(), None),
            Ok(_) => {
                let path = fs::canonicalize(path)?; // a link to a file stays one
                let temporary = partial_name(&path)?;
                (path, Some(temporary))
            }
            Err(_) => (path.to_owned(), Some(partial_name(path)?)),
        };
        let file = match &temporary {
            Some(temporary) => File::create(temporary)?,
            None => OpenOptions::new().write(true).open(&path)?,
        };
        Ok(PendingFile { path, temporary, writer: Some(BufWriter::new(file)) })
    }

    /// A file with all that it is to hold, but for its name; and its writer, to be given back at the end.
    pub(super) fn written(path: &Path, content: &str) -> Result<(Self, BufWriter<File>), Exit> {
        let mut file = Self::create(path)?;
        let mut writer = file.writer();
        let written = writer.write_all(content.as_bytes()).and_then(|()| writer.flush());
        written.map_err(|error| failed(&path.display().to_string(), &error))?;
        Ok((file, writer))
    }

    /// Where to write: to be given back at the end.
    pub(super) fn writer(&mut self) -> BufWriter<File> {
        self.writer.take().expect("a file is written once")
    }

    /// Gives the file its name, unless writing it failed.
    pub(super) fn finish(mut self, written: io::Result<impl Write>) -> Result<(), Exit> {
        let result = written.and_then(|mut writer| writer.flush());
        let named = result.and_then(|()| match self.temporary.take() {
            Some(temporary) => fs::rename(&temporary, &self.path).inspect_err(|_| drop(fs::remove_file(&temporary))),
            None => Ok(()),
        });
        named.map_err(|error| failed(&self.path.display().to_string(), &error))
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

fn partial_name(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or_else(|| io::Error::other("it is not the name of a file"))?.to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    Ok(path.with_file_name(name))
}

/// Makes a folder and those around it.
pub(super) fn create_folder(path: &Path) -> Result<(), Exit> {
    let made =
        if path.is_file() { Err(io::Error::other("it is a file, not a folder")) } else { fs::create_dir_all(path) };
    made.map_err(|error| failed(&path.display().to_string(), &error))
}

/// Writes a whole file.
pub(super) fn write_file(path: &Path, content: &str) -> Result<(), Exit> {
    let (file, writer) = PendingFile::written(path, content)?;
    file.finish(Ok(writer))
}
