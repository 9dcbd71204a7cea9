//! `merge`: unites folders that hold parts of one study.

use std::path::PathBuf;

use mailslot_sim::report::study::{self as results};
use mailslot_sim::study::{Folder, merge};

use super::output::message;
use super::study::{Format, is_same, show, unusable};
use super::{Exit, Global};

/// Unites folders that hold parts of one study: the result is that of the whole study, byte for byte.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folders that `study` or `merge` wrote.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The folder of the whole.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How to print the results.
    #[arg(long, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mailslot-sim merge part1 part2 part3 --out results

Exit codes: 0 all points are there and all expectations hold, 105 the folders do not belong together or have the same point,
106 points are missing, 100 an expectation is violated, 101 one is inconclusive, 110 output not written, 2 bad command line";

/// Unites the folders; what is missing, and then the worst verdict, decides the exit code.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    run(arguments, global).unwrap_or_else(|exit| exit)
}

fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Exit> {
    for (position, folder) in arguments.folders.iter().enumerate() {
        if is_same(folder, &arguments.out) {
            message(&format!("error: --out {} is one of the folders to merge", folder.display()));
            return Err(Exit::BadCommandLine);
        }
        if arguments.folders[..position].iter().any(|other| is_same(folder, other)) {
            message(&format!("error: {} is named twice", folder.display()));
            return Err(Exit::BadCommandLine);
        }
    }
    let folders: Vec<Folder> = arguments
        .folders
        .iter()
        .map(|path| Folder::read(path))
        .collect::<Result<_, _>>()
        .map_err(|why| unusable(&why))?;
    let complete = merge(&folders).map_err(|why| unusable(&why))?;
    let manifest = folders[0].manifest();
    let mut out = Folder::open(&arguments.out, manifest, folders[0].manifest_text()).map_err(|why| unusable(&why))?;
    if let Some(more) = (0..manifest.points.len()).find(|point| out.has_some(*point) && complete[*point].is_none()) {
        let (path, id) = (out.path().display(), &manifest.points[more].id);
        message(&format!("error: {path} has the point {id}, which none of the folders has: merge that folder too"));
        return Err(Exit::Unrelated);
    }
    let sources: Vec<&Folder> = folders.iter().collect();
    let summaries = results::publish(&out, &sources, &complete).map_err(|why| unusable(&why))?;
    out.settle().map_err(|why| unusable(&why))?;
    show(&out, &summaries, arguments.format, "mailslot-sim run FILE", global)?;
    let missing: Vec<&str> =
        (0..complete.len()).filter(|at| complete[*at].is_none()).map(|at| manifest.points[at].id.as_str()).collect();
    if !missing.is_empty() {
        message(&format!("incomplete: {} of {} points are missing:", missing.len(), complete.len()));
        missing.iter().for_each(|id| message(&format!("  {id}")));
        return Ok(Exit::Incomplete);
    }
    Ok(results::verdict(&summaries).map_or(Exit::Success, Exit::of_verdict))
}
