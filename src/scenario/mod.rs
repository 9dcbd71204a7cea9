//! Scenarios: files that say what is simulated, and how they are read and checked.
//!
//! A file goes through three stages, and all problems of the first that finds any beyond repair are reported together:
//!
//! 1. text to TOML values; values set from outside (`PATH=VALUE`) replace those of the file;
//! 2. values to the file's types, checked against the published [`schema`]: unknown keys, missing keys, malformed
//!    values;
//! 3. the file's types to a [`Scenario`]: names that must exist, values that must fit together.
//!
//! Stages 2 and 3 report together. A problem knows where it stands, so that it can be shown with line, column and
//! caret.

mod app;
mod capture;
mod document;
mod fault;
mod file;
mod model;
mod names;
mod pattern;
mod problem;
mod quantity;
mod resolve;
mod schema;
mod validate;

pub(crate) use self::app::{App, AppKind};
pub use self::capture::MAX_CAPTURE_BYTES;
pub use self::document::MAX_FILE_BYTES;
pub(crate) use fault::{Event, Fault, Setting, When};
pub use model::Scenario;
pub(crate) use model::{
    Arrivals, Bound, Copies, Expectation, Flow, Generated, MIN_ACKNOWLEDGED, Mailslot, NameService, Phase, Reader,
    Size, Target, Traffic,
};
pub use problem::{Problem, Problems, Severity};
pub use quantity::parse_time;
pub use resolve::ReadFile;
pub use schema::schema;

/// A commented scenario to start from.
pub const TEMPLATE: &str = include_str!("template.toml");

/// The text of a scenario and what comes with it.
pub struct Source<'a> {
    /// The name to show for the file.
    pub name: &'a str,
    /// Its content.
    pub text: &'a str,
    /// Values to set, as `PATH=VALUE`: `link.switch.loss.mean=20 %`.
    pub set: &'a [String],
    /// How to read the files that it names.
    pub read_file: ReadFile<'a>,
}

/// A scenario that can run, and what may be wrong with it all the same.
#[derive(Debug)]
pub struct Checked {
    /// The scenario.
    pub scenario: Scenario,
    /// Warnings only.
    pub warnings: Problems,
}

/// Reads and checks a scenario.
///
/// # Errors
///
/// All problems, if any of them is an error.
pub fn parse(source: &Source<'_>) -> Result<Checked, Problems> {
    let mut problems = Problems {
        file: source.name.to_owned(),
        text: source.text.to_owned(),
        overrides: Vec::new(),
        problems: Vec::new(),
    };
    let schema = schema();
    let mut table = match document::parse(source.text) {
        Ok(table) => table,
        Err(syntax) => return Err(Problems { problems: syntax, ..problems }),
    };
    for (position, assignment) in source.set.iter().enumerate() {
        let path = document::set(&mut table, assignment, &schema);
        let path = path.map_err(|message| problems.problems.push(Problem::of_override(position, message))).ok();
        problems.overrides.push((path, assignment.clone()));
    }
    let formal = validate::validate(&mut table, &schema);
    let profiles = table.get("link").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let file: file::Scenario = table.try_into().expect("what the schema accepts can be read");
    let (scenario, found) = resolve::resolve(&file, &profiles, &formal, source.read_file);
    problems.problems.extend(formal);
    problems.problems.extend(found);
    match scenario {
        Some(scenario) if problems.count(Severity::Error) == 0 => Ok(Checked { scenario, warnings: problems }),
        _ => Err(problems),
    }
}
