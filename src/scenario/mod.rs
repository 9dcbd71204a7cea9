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
mod study;
mod validate;

pub(crate) use self::app::{App, AppKind};
pub use self::capture::MAX_CAPTURE_BYTES;
pub use self::document::MAX_FILE_BYTES;
pub(crate) use fault::{Event, Fault, NO_LONGER, Setting, When};
pub use model::Scenario;
pub(crate) use model::{
    Arrivals, Bound, Copies, Expectation, Flow, Generated, MIN_ACKNOWLEDGED, Mailslot, NameService, Phase, Reader,
    Size, Target, Traffic,
};
pub(crate) use problem::nearest;
pub use problem::{Problem, Problems, Severity};
pub use quantity::parse_time;
pub use resolve::ReadFile;
pub use schema::schema;
pub(crate) use study::escaped;
pub use study::{Axis, Replications, Study, Unit, Until, Value};

use toml::Table;

use problem::{Origin, Override};
use schema::SCHEMA;
use study::Parts;

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
    /// The scenario, as it is outside of its study.
    pub scenario: Scenario,
    /// Its study. Whether each point of it is sound only [`Study::scenario`] tells.
    pub study: Study,
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
    let mut table = match document::parse(source.text) {
        Ok(table) => table,
        Err(syntax) => return Err(Problems { problems: syntax, ..problems }),
    };
    for (position, assignment) in source.set.iter().enumerate() {
        let path = document::set(&mut table, assignment, &SCHEMA);
        let path = path.map_err(|message| problems.problems.push(Problem::of_override(position, message))).ok();
        problems.overrides.push(Override { path, origin: Origin::Given(assignment.clone()) });
    }
    let mut document = table.clone();
    let (scenario, parts, warnings) = check(table, problems, source.read_file)?;
    document.remove("study");
    let study = Study {
        parts,
        document,
        file: warnings.file.clone(),
        text: warnings.text.clone(),
        overrides: warnings.overrides.clone(),
    };
    Ok(Checked { scenario, study, warnings })
}

/// The scenario of a document, its study, and warnings; `problems` has what is known already.
fn check(
    mut table: Table,
    mut problems: Problems,
    read_file: ReadFile<'_>,
) -> Result<(Scenario, Parts, Problems), Problems> {
    let document = table.clone();
    let formal = validate::validate(&mut table, &SCHEMA);
    let profiles = table.get("link").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let file: file::Scenario = table.try_into().expect("what the schema accepts can be read");
    let (scenario, found) = resolve::resolve(&file, &profiles, &formal, read_file, (&document, &problems.overrides));
    problems.problems.extend(formal);
    problems.problems.extend(found);
    match scenario {
        Some((scenario, parts)) if problems.count(Severity::Error) == 0 => Ok((scenario, parts, problems)),
        _ => Err(problems),
    }
}
