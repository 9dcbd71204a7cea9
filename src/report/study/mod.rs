//! The results of a study: a line for each run, a table of points, and a summary. All of them are made of the stored lines
//! alone, in the order of points and replications, so it does not matter how the runs came about.

mod curve;
mod recorder;
mod summary;
mod table;

use std::collections::BTreeSet;
use std::io;

pub use recorder::Recorder;
pub use summary::{PointSummary, to_json, to_ndjson, to_text, verdict};

use self::table::PointTable;
use crate::report::page::study::Page;
use crate::report::suite::shell_word;
use crate::study::{Folder, FolderError, Line, Manifest, Pictures};

/// The folder's position among several, and the number of replications of a point that is complete.
pub type Complete = Option<(usize, u32)>;

/// Writes the files of a study into `out`: of every point that is complete, from the folder that has it. What `out` may have
/// had is replaced.
///
/// # Errors
///
/// If something cannot be read or written; then the files are as they were, or whole.
pub fn publish(out: &Folder, folders: &[&Folder], complete: &[Complete]) -> Result<Vec<PointSummary>, FolderError> {
    let manifest = out.manifest();
    let mut points_csv = out.create("points.csv")?;
    let mut runs = out.create("runs.ndjson")?;
    points_csv.write(&table::header(manifest))?;
    let description = description(out);
    let mut page = Page::new(manifest, &description, complete.iter().flatten().count());
    let mut summaries = Vec::new();
    for (point, found) in complete.iter().enumerate() {
        let Some((folder, replications)) = *found else { continue };
        let folder = folders[folder];
        let table = tabulate(folder, point, replications, |line| {
            runs.write(line.as_bytes())?;
            runs.write(b"\n")
        })?;
        points_csv.write(&table.rows(manifest, point))?;
        summaries.push(table.summary(manifest, point));
        let delays = folder.histograms(point, replications)?;
        page.add(table.drawn(point, &delays));
        out.write_histograms(point, &delays)?;
    }
    let pictures = Pictures::write(out.path(), &page.figures())?;
    let mut drawn = out.create("report.html")?;
    drawn.write(page.draw(&summaries).as_bytes())?;
    pictures.publish()?;
    drawn.finish()?;
    points_csv.finish()?;
    runs.finish()?;
    Ok(summaries)
}

/// The beginning of the command that shows one run of a study: with its file and its seed, and without the values that `--set`
/// gave it, which results do not hold.
#[must_use]
pub fn replay(manifest: &Manifest) -> String {
    let seeds: BTreeSet<&str> = manifest.points.iter().map(|point| point.seed.as_str()).collect();
    let one = seeds.first().filter(|_| seeds.len() == 1);
    let seed = one.map_or(String::new(), |seed| format!(" --seed {seed}"));
    format!("mailslot-sim run {}{seed}", shell_word(&format!("{}.toml", manifest.name)))
}

/// The summaries of complete points.
///
/// # Errors
///
/// If something cannot be read.
pub fn summarize(folder: &Folder, complete: &[Complete]) -> Result<Vec<PointSummary>, FolderError> {
    let found = complete.iter().enumerate().filter_map(|(point, found)| Some((point, (*found)?.1)));
    let summary = |(point, replications)| {
        Ok(tabulate(folder, point, replications, |_| Ok(()))?.summary(folder.manifest(), point))
    };
    found.map(summary).collect()
}

/// Reads the runs of a point; `each` is given every line.
fn tabulate(
    folder: &Folder,
    point: usize,
    replications: u32,
    mut each: impl FnMut(&str) -> Result<(), FolderError>,
) -> Result<PointTable, FolderError> {
    let mut table = PointTable::default();
    let mut result = Ok(());
    folder.lines(point, 0..replications, |text| {
        if result.is_ok() {
            result = each(text);
        }
        if let Some(line) = Line::parse(text) {
            table.add(&line);
        }
    })?;
    result?;
    if table.replications() != replications {
        let error = io::Error::other(format!("its runs of {} cannot be read", id(folder.manifest(), point)));
        return Err(FolderError::Io { verb: "read", path: folder.path().to_owned(), error });
    }
    Ok(table)
}

/// What the scenario says that it is about; its hash covers that too.
fn description(folder: &Folder) -> String {
    let manifest: serde_json::Value = serde_json::from_str(folder.manifest_text()).unwrap_or_default();
    manifest["scenario"]["description"].as_str().unwrap_or_default().to_owned()
}

fn id(manifest: &Manifest, point: usize) -> &str {
    &manifest.points[point].id
}
