//! `tc`: the links of a scenario as commands of Linux's `tc`.

use std::path::PathBuf;

use mailslot_sim::report::netem;

use super::check::{read_scenario, warn};
use super::output::print;
use super::{Exit, Global};

/// Prints for every link the tc netem line that comes nearest, and what netem cannot express or does in another way.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The scenario file; - reads it from stdin.
    file: PathBuf,
}

/// Prints the lines, and the warnings of the scenario.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    let checked = match read_scenario(&arguments.file, &[]) {
        Ok(checked) => checked,
        Err(bad) => return bad,
    };
    warn(&checked, global);
    print(&netem(&checked.scenario)).map_or_else(|failed| failed, |()| Exit::Success)
}
