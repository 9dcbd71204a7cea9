//! `test`: every scenario with expectations, as a test suite.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mailslot_sim::report::{RunReport, suite};
use mailslot_sim::study;

use super::check::{read_scenario, warn};
use super::output::{message, print, write_file};
use super::{Exit, Global};

/// Runs every scenario that has expectations as a test suite.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Scenario files, and folders whose .toml files are scenarios.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Replications of each scenario. From two on the interval of a figure decides, and may be inconclusive.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MAX_RUNS))]
    runs: u32,
    /// Also write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run everything twice, and compare every event.
    #[arg(long)]
    verify_determinism: bool,
    /// How to print the results.
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each expectation.
    Text,
    /// One JSON array.
    Json,
    /// A table, for the summary of a CI run.
    Markdown,
}

/// The most replications of one scenario.
const MAX_RUNS: i64 = 1_000_000;

const EXAMPLES: &str = "\
Examples:
  mailslot-sim test scenarios
  mailslot-sim test scenarios --runs 20 --junit results.xml
  mailslot-sim test plant.toml --format markdown >> \"$GITHUB_STEP_SUMMARY\"

Exit codes: 0 all expectations hold, 100 one is violated, 101 one is inconclusive, 102 two runs of one seed differ,
4 no scenario has expectations, 96 bad scenario, 110 output not written, 2 bad command line";

/// Runs the suite; the worst verdict decides the exit code.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    run(arguments, global).unwrap_or_else(|exit| exit)
}

fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Exit> {
    let mut cases = Vec::new();
    let mut refused = None;
    for file in files(&arguments.paths)? {
        let Ok(checked) = read_scenario(&file, &[]) else {
            refused = Some(Exit::BadScenario); // the others are tested all the same
            continue;
        };
        let scenario = checked.scenario.clone();
        if !scenario.expects() {
            continue;
        }
        if global.verbose {
            warn(&checked, global);
        }
        let expectations =
            |replication, outcome: &_| RunReport::new(&scenario, replication, outcome).expectations().to_vec();
        match study::replicate(&scenario, arguments.runs, arguments.verify_determinism, expectations) {
            Ok(runs) => {
                let case = suite::Case::new(file.display().to_string(), &scenario, &runs);
                if arguments.format == Format::Text && !global.quiet {
                    print(&case.to_text())?;
                }
                cases.push(case);
            }
            Err(failure) => {
                message(&format!("error: {}: {failure}", file.display()));
                refused = refused.max(Some(Exit::of_failure(&failure)));
            }
        }
    }
    if let Some(junit) = &arguments.junit {
        write_file(junit, &suite::to_junit(&cases))?;
    }
    match arguments.format {
        Format::Text if global.quiet => {}
        Format::Text => print(&format!("{}\n", suite::totals(&cases)))?,
        Format::Json => print(&suite::to_json(&cases))?,
        Format::Markdown => print(&suite::to_markdown(&cases))?,
    }
    if let Some(refused) = refused {
        return Ok(refused);
    }
    let Some(worst) = cases.iter().filter_map(suite::Case::verdict).max() else {
        message("error: no scenario there has expectations: add `[[expect]]` tables");
        return Ok(Exit::NothingSelected);
    };
    Ok(Exit::of_verdict(worst))
}

/// The scenario files under some paths, each once, those of a folder in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let mut found = Vec::new();
        if path.is_dir() {
            find(path, &mut found).map_err(|error| {
                message(&format!("error: failed to read {}: {error}", path.display()));
                Exit::BadScenario
            })?;
            found.sort();
        } else {
            found.push(path.clone());
        }
        files.extend(found.into_iter().filter(|file| seen.insert(file.clone())));
    }
    Ok(files)
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(())
}
