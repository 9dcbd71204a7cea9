//! `report`: draws page and tables of a study again.

use std::path::PathBuf;

use mailslot_sim::report::study as results;
use mailslot_sim::study::Folder;

use super::output::message;
use super::study::{Format, completed, publish, show, unusable};
use super::{Exit, Global};

/// Draws page and tables of a study again from its stored results, byte for byte.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A folder that `study` or `merge` wrote.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// How to print the results.
    #[arg(long, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mailslot-sim report results
  mailslot-sim report results --format json

Of a study that was interrupted it draws the points that are complete.

Exit codes: 0 all expectations hold, 100 one is violated, 101 one is inconclusive, 105 the folder holds no study,
110 output not written, 2 bad command line";

/// Draws them; the worst verdict decides the exit code.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    run(arguments, global).unwrap_or_else(|exit| exit)
}

fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Exit> {
    let (manifest, text) = {
        let stored = Folder::read(&arguments.folder).map_err(|why| {
            if arguments.folder.join("report.json").exists() {
                message("note: this is the folder of one run: `run FILE --out DIR` draws its page again");
            }
            unusable(&why)
        })?;
        if !stored.has_runs() {
            let folder = arguments.folder.display();
            message(&format!(
                "error: {folder} has no runs.ndjson, so there is nothing to draw: run the study, or copy its folder anew"
            ));
            return Err(Exit::Unrelated);
        }
        (stored.manifest().clone(), stored.manifest_text().to_owned())
    };
    let mut folder = Folder::open(&arguments.folder, &manifest, &text).map_err(|why| unusable(&why))?;
    let complete = completed(&folder)?;
    let summaries = publish(&mut folder, &[], &complete)?;
    show(&folder, &summaries, arguments.format, &results::replay(&manifest), global)?;
    if !global.quiet {
        message(&format!("drawn again: {}", folder.path().join("report.html").display()));
    }
    Ok(results::verdict(&summaries).map_or(Exit::Success, Exit::of_verdict))
}
