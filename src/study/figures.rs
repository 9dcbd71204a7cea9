//! The pictures of a folder of results.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::FolderError;
use super::error::io_error;
use super::folder::file_name;
use super::pending::Pending;

/// Writes pictures, each with its name, into `figures/` of a folder of results, and takes away those that were made for it
/// before and are not among them. Other files stay.
///
/// # Errors
///
/// If something cannot be written; then each picture is as it was, or whole.
pub fn write_figures(results: &Path, figures: &[(String, String)]) -> Result<(), FolderError> {
    let folder = results.join(FIGURES);
    if !figures.is_empty() {
        fs::create_dir_all(&folder).map_err(io_error("make", &folder))?;
    }
    let mut kept = BTreeSet::new();
    for (name, picture) in figures {
        let path = folder.join(file_name(name) + ".svg");
        let mut file = Pending::create(&path)?;
        file.write(picture.as_bytes())?;
        file.rename()?;
        kept.insert(path);
    }
    if folder.is_dir() {
        for entry in fs::read_dir(&folder).map_err(io_error("read", &folder))? {
            let path = entry.map_err(io_error("read", &folder))?.path();
            if !kept.contains(&path) && is_own(&path) {
                fs::remove_file(&path).map_err(io_error("remove", &path))?;
            }
        }
    }
    Ok(())
}

/// Whether we made a picture.
fn is_own(path: &Path) -> bool {
    let mut text = String::new();
    let is_read = File::open(path).and_then(|file| file.take(OWN.len() as u64).read_to_string(&mut text)).is_ok();
    is_read && text == OWN && path.extension().is_some_and(|extension| extension == "svg")
}

/// The folder of pictures.
pub(super) const FIGURES: &str = "figures";
/// How our pictures begin.
pub(crate) const OWN: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mailslot-sim\"";
