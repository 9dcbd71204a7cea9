//! Unites folders that hold parts of one study.

use std::path::PathBuf;

use super::error::FolderError;
use super::folder::{Folder, check_same};

/// Finds the folder that has each point, of those that some folder has completely: its position, and the number of
/// replications. The order of the folders does not matter.
///
/// # Errors
///
/// If they do not belong to one study and version, or two of them have the same point.
pub fn merge(folders: &[Folder]) -> Result<Vec<Option<(usize, u32)>>, FolderError> {
    let first = folders[0].manifest();
    for folder in folders {
        check_same(folder.path(), folder.manifest(), first)?;
    }
    let find = |point: usize| {
        let mut found = None;
        for (position, folder) in folders.iter().enumerate() {
            let Some(replications) = folder.complete(point)? else { continue };
            if let Some((other, _)) = found {
                let other: &Folder = &folders[other];
                let id = &first.points[point].id;
                let what = format!("has the point {id}, and so has {}", other.path().display());
                return Err(FolderError::Foreign { path: PathBuf::from(folder.path()), what });
            }
            found = Some((position, replications));
        }
        Ok(found)
    };
    (0..first.points.len()).map(find).collect()
}
