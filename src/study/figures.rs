//! The pictures of a folder of results.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::FolderError;
use super::error::io_error;
use super::folder::file_name;
use super::pending::Pending;

/// Pictures that are written, and will be in `figures/` of a folder of results.
pub struct Pictures {
    folder: PathBuf,
    pending: Vec<(PathBuf, Pending)>,
}

impl Pictures {
    /// Writes pictures, each with its name.
    ///
    /// # Errors
    ///
    /// If something cannot be written, or would replace a picture of somebody else. All there is stays as it was.
    pub fn write(results: &Path, pictures: &[(String, String)]) -> Result<Self, FolderError> {
        check_pictures(results, pictures.iter().map(|(name, _)| name.as_str()))?;
        let folder = results.join(FIGURES);
        if !pictures.is_empty() {
            fs::create_dir_all(&folder).map_err(io_error("make", &folder))?;
        }
        let mut pending = Vec::new();
        for (name, picture) in pictures {
            let path = path_of(results, name);
            let mut file = Pending::create(&path)?;
            file.write(picture.as_bytes())?;
            pending.push((path, file));
        }
        Ok(Pictures { folder, pending })
    }

    /// Puts them where they belong, and takes away those that were made for the folder before and are not among them.
    ///
    /// # Errors
    ///
    /// If that cannot be; then each picture is as it was, or whole.
    pub fn publish(self) -> Result<(), FolderError> {
        let mut kept = BTreeSet::new();
        for (path, file) in self.pending {
            file.rename()?;
            kept.insert(path);
        }
        if self.folder.is_dir() {
            for entry in fs::read_dir(&self.folder).map_err(io_error("read", &self.folder))? {
                let path = entry.map_err(io_error("read", &self.folder))?.path();
                if !kept.contains(&path) && is_own(&path) {
                    fs::remove_file(&path).map_err(io_error("remove", &path))?;
                }
            }
        }
        Ok(())
    }
}

/// Refuses a folder of results where pictures with these names would replace those of somebody else.
///
/// # Errors
///
/// If one would.
pub fn check_pictures<'n>(results: &Path, mut names: impl Iterator<Item = &'n str>) -> Result<(), FolderError> {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    match names.find(|name| is_there(&path_of(results, name)) && !is_own(&path_of(results, name))) {
        None => Ok(()),
        Some(name) => {
            let what = "is not of mailslot-sim: move it elsewhere, or take another folder".to_owned();
            Err(FolderError::Foreign { path: path_of(results, name), what })
        }
    }
}

/// Where a picture belongs.
fn path_of(results: &Path, name: &str) -> PathBuf {
    results.join(FIGURES).join(file_name(name) + SVG)
}

/// Whether we made a picture. A link to one is somebody else's.
fn is_own(path: &Path) -> bool {
    let mut text = String::new();
    let is_read = File::open(path).and_then(|file| file.take(OWN.len() as u64).read_to_string(&mut text)).is_ok();
    is_read && text == OWN && path.to_string_lossy().ends_with(SVG) && !path.is_symlink()
}

/// The folder of pictures.
pub const FIGURES: &str = "figures";
/// How our pictures begin.
pub(crate) const OWN: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mailslot-sim\"";
const SVG: &str = ".svg";
