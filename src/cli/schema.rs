//! `schema`: the JSON Schemas.

use mailslot_sim::{report, scenario};

use super::Exit;
use super::output::print;

/// Prints a JSON Schema, for editors and for programs that read results.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Of what.
    of: Of,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Of {
    /// Scenario files.
    Scenario,
    /// The report of a run.
    Report,
}

/// Prints the schema.
pub(super) fn main(arguments: &Arguments) -> Exit {
    let schema = match arguments.of {
        Of::Scenario => scenario::schema(),
        Of::Report => report::schema(),
    };
    let text = serde_json::to_string_pretty(&schema).expect("a schema has a JSON form") + "\n";
    print(&text).map_or_else(|exit| exit, |()| Exit::Success)
}
