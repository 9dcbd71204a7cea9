//! Where a run is written to, beside its result on stdout.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use mailslot_sim::report::RunPage;
use mailslot_sim::scenario::Scenario;
use mailslot_sim::study::{FIGURES, check_pictures};

use super::{Arguments, Format};
use crate::cli::Exit;
use crate::cli::output::{PendingFile, failed, message};
use crate::cli::study::unusable;

/// Where something is written: a file that comes into being when it is whole, or stdout.
pub(super) enum Target {
    File(PendingFile),
    Stdout,
}

impl Target {
    pub(super) fn open(path: Option<&Path>) -> Result<Option<Self>, Exit> {
        match path {
            None => Ok(None),
            Some(path) if path == Path::new(STDOUT) => Ok(Some(Target::Stdout)),
            Some(path) => PendingFile::create(path).map(|file| Some(Target::File(file))),
        }
    }

    /// With the writer apart.
    pub(super) fn divide(mut self) -> (Self, Box<dyn Write>) {
        let out: Box<dyn Write> = match &mut self {
            Target::File(file) => Box::new(file.writer()),
            Target::Stdout => Box::new(io::BufWriter::new(io::stdout())),
        };
        (self, out)
    }

    /// All was written, or not. A reader of stdout that has seen enough is no failure.
    pub(super) fn finish(self, written: io::Result<Box<dyn Write>>) -> Result<(), Exit> {
        match (self, written) {
            (Target::File(file), written) => file.finish(written),
            (Target::Stdout, Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed("stdout", &error)),
            (Target::Stdout, _) => Ok(()),
        }
    }
}

/// Refuses outputs that would overwrite the scenario or one another.
pub(super) fn check_outputs(arguments: &Arguments) -> Result<(), Exit> {
    let in_folder = |name: &str| arguments.out.as_ref().map(|folder| folder.join(name));
    let (report, page) = (in_folder(REPORT), in_folder(PAGE));
    if arguments.explain.is_some() && arguments.format != Format::Text {
        message("error: --explain is for people: it goes with --format text");
        return Err(Exit::BadCommandLine);
    }
    let [trace, pcap] = [&arguments.trace, &arguments.pcap].map(Option::as_deref);
    if arguments.explain.is_some() && [trace, pcap].contains(&Some(Path::new(STDOUT))) {
        message("error: --explain writes to stdout, so trace and capture cannot go there");
        return Err(Exit::BadCommandLine);
    }
    if trace == pcap && trace == Some(Path::new(STDOUT)) {
        message("error: trace and capture cannot both go to stdout");
        return Err(Exit::BadCommandLine);
    }
    let file = |path: &&Path| *path != Path::new(STDOUT);
    let files = [
        ("the scenario", Some(arguments.file.as_path())),
        ("the report", report.as_deref()),
        ("the page", page.as_deref()),
        ("the trace", trace.filter(file)),
        ("the capture", pcap.filter(file)),
    ];
    let files: Vec<_> = files.into_iter().filter_map(|(what, path)| Some((what, path?))).collect();
    let pictures = in_folder(FIGURES).map(|folder| real(&folder));
    for (position, (what, path)) in files.iter().enumerate() {
        if pictures.as_ref().is_some_and(|folder| real(path).starts_with(folder)) {
            message(&format!("error: {what} {} would be among the pictures of --out", path.display()));
            return Err(Exit::BadCommandLine);
        }
        let overwritten = files[..position].iter().find(|(_, earlier)| real(earlier) == real(path));
        if let Some((other, _)) = overwritten {
            message(&format!("error: {what} {} would overwrite {other}", path.display()));
            return Err(Exit::BadCommandLine);
        }
    }
    Ok(())
}

/// Refuses a folder with results of something else: they would be replaced.
pub(super) fn check_folder(folder: &Path, scenario: &Scenario) -> Result<(), Exit> {
    let pictures = RunPage::picture_names(scenario);
    check_pictures(folder, pictures.iter().map(String::as_str)).map_err(|why| unusable(&why))?;
    let what = if folder.join("manifest.json").exists() {
        "holds the results of a study".to_owned()
    } else {
        let of_run = is_report(&folder.join(REPORT));
        match [REPORT, PAGE].into_iter().find(|name| folder.join(name).exists() && !of_run) {
            Some(name) => format!("has {name} of something else"),
            None => return Ok(()),
        }
    };
    message(&format!("error: {} {what}: take another folder", folder.display()));
    Err(Exit::Unrelated)
}

/// Whether a file is the report of a run.
fn is_report(path: &Path) -> bool {
    let mut text = String::new();
    let length = BEGINNING.len() as u64;
    File::open(path).and_then(|file| file.take(length).read_to_string(&mut text)).is_ok() && text == BEGINNING
}

/// One spelling for each file, whether it exists or not.
fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Instead of a file.
pub(super) const STDOUT: &str = "-";
/// The report and the page in the folder of `--out`.
pub(super) const REPORT: &str = "report.json";
pub(super) const PAGE: &str = "report.html";
/// How reports begin, of whatever version.
const BEGINNING: &str = "{\n  \"schema\": \"mailslot-sim/report/";
