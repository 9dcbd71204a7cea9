//! What is wrong with a scenario, and where.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use toml::de::{DeTable, DeValue};

/// One step from a table to something in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// Where something stands in a scenario: steps from the top.
pub(super) type Path = Vec<Step>;

/// The path made of keys and indices: `at!["host", 2, "name"]`.
macro_rules! at {
    ($($step:expr),* $(,)?) => { vec![$($crate::scenario::problem::Step::from($step)),*] };
}
pub(super) use at;

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

impl From<&String> for Step {
    fn from(key: &String) -> Self {
        Step::Key(key.clone())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The scenario cannot run.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// What the caret of a problem points at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum At {
    /// The key itself, or the header of a table.
    Key,
    /// Its value.
    Value,
    /// A place in the text, in bytes.
    Text { start: usize, end: usize },
    /// A place in its value, which is text, in bytes.
    Part { start: usize, end: usize },
    /// The value of a `--set` that names nothing: its position among them.
    Override(usize),
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    pub(super) severity: Severity,
    pub(super) path: Path,
    pub(super) at: At,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn error(path: Path, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Error, path, at: At::Value, message: message.into(), help: None }
    }

    pub(super) fn warning(path: Path, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Problem::error(path, message) }
    }

    /// A value that is set from outside and names nothing.
    pub(super) fn of_override(position: usize, message: String) -> Self {
        Problem { at: At::Override(position), ..Problem::error(Vec::new(), message) }
    }

    pub(super) fn at_key(self) -> Self {
        Problem { at: At::Key, ..self }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Problem { help: Some(help.into()), ..self }
    }

    /// Adds "did you mean" if one of the known names is near or begins like this, else the known names, nearest first.
    pub(super) fn suggest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<&str> = known.into_iter().collect();
        if let Some(near) = nearest(name, &known) {
            return self.help(format!("did you mean `{near}`?"));
        }
        let begins_alike: Vec<&str> =
            known.iter().filter(|known| name.len() >= 3 && known.starts_with(name)).copied().collect();
        if !begins_alike.is_empty() {
            known = begins_alike;
        } else if known.len() > MAX_NAMES_SHOWN {
            known.sort_by_key(|known| strsim::damerau_levenshtein(name, known));
        }
        let more = match known.len().saturating_sub(MAX_NAMES_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        known.truncate(MAX_NAMES_SHOWN);
        if known.is_empty() { self } else { self.help(format!("known: `{}`{more}", known.join("`, `"))) }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The known name that a wrong one was probably meant to be.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    let near = known.iter().map(|known| (distance(known), *known)).min()?;
    (near.0 <= 1 + name.chars().count() / 4).then_some(near.1)
}

/// A value that does not stand in the file where it counts.
#[derive(Clone, Debug)]
pub(super) struct Override {
    /// Where it counts, unless its path names nothing.
    pub(super) path: Option<Path>,
    pub(super) origin: Origin,
}

/// Where a value that is set comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// `--set`: `PATH=VALUE` as it was given.
    Given(String),
    /// An axis of the study: where the file says what it sets, and to what.
    Axis { set: Path, value: Path },
}

/// A scenario file and all that is wrong with it, in the order of the file.
#[derive(Clone, Debug)]
pub struct Problems {
    /// The name to show for the file.
    pub(super) file: String,
    pub(super) text: String,
    /// The values set from outside.
    pub(super) overrides: Vec<Override>,
    pub(super) problems: Vec<Problem>,
}

impl Problems {
    /// The messages of warnings.
    pub(crate) fn warned(&self) -> impl Iterator<Item = String> {
        let warnings = self.problems.iter().filter(|problem| problem.severity == Severity::Warning);
        warnings.map(|problem| problem.message.clone())
    }

    /// Forgets the warnings with other messages.
    pub(crate) fn retain_warnings(&mut self, messages: &BTreeSet<String>) {
        self.problems.retain(|problem| problem.severity != Severity::Warning || messages.contains(&problem.message));
    }

    /// Every problem.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.problems
    }

    /// How many there are of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// All problems with line, column, caret and suggestion; with terminal colours if wanted.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let table = DeTable::parse_recoverable(&self.text).0;
        let mut located: Vec<(Place<'_>, &Problem)> =
            self.problems.iter().map(|problem| (self.locate(problem, table.get_ref()), problem)).collect();
        located.sort_by_key(|(place, problem)| (place.order, place.span.start, problem.severity));
        located.dedup_by(|(a, first), (b, second)| {
            a.order == b.order && a.span == b.span && first.message == second.message
        });
        let mut shown = String::new();
        for (place, problem) in located.iter().take(MAX_PROBLEMS_SHOWN) {
            let level = match problem.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            };
            let snippet = Snippet::source(place.source)
                .path(place.origin)
                .annotation(AnnotationKind::Primary.span(place.span.clone()));
            let mut report = vec![level.primary_title(problem.message.as_str()).element(snippet)];
            if let Some(help) = &problem.help {
                report.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
            }
            shown.push_str(&renderer.render(&report));
            shown.push_str("\n\n");
        }
        if located.len() > MAX_PROBLEMS_SHOWN {
            shown.push_str(&format!("… and {} more problems\n", located.len() - MAX_PROBLEMS_SHOWN));
        }
        shown
    }

    fn locate<'a>(&'a self, problem: &Problem, table: &DeTable<'_>) -> Place<'a> {
        match problem.at {
            At::Text { start, end } => self.in_file(start..end),
            At::Override(position) => match &self.overrides[position].origin {
                Origin::Given(given) => in_given(given, At::Key),
                Origin::Axis { set, .. } => self.place(set, At::Value, table),
            },
            At::Part { start, end } => {
                let whole = self.place(&problem.path, At::Value, table);
                let raw = &whole.source[whole.span.clone()];
                let quote =
                    [r#"""""#, "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote)).unwrap_or_default();
                if raw.contains(['\\', '\n']) {
                    return whole; // what is escaped has other places
                }
                let from = whole.span.start + quote.len();
                Place { span: (from + start).min(whole.source.len())..(from + end).min(whole.source.len()), ..whole }
            }
            At::Key | At::Value => self.place(&problem.path, problem.at, table),
        }
    }

    fn place<'a>(&'a self, path: &Path, at: At, table: &DeTable<'_>) -> Place<'a> {
        match self.setting(path, table) {
            None => self.in_file(span(table, path, at)),
            Some(Origin::Given(given)) => in_given(given, at),
            Some(Origin::Axis { set, .. }) if at == At::Key => self.place(set, At::Value, table),
            Some(Origin::Axis { value, .. }) => self.place(value, At::Value, table),
        }
    }

    /// What put something at `path`, or below it if the file has nothing there, other than the file.
    fn setting(&self, path: &Path, table: &DeTable<'_>) -> Option<&Origin> {
        let is_new = !path.is_empty() && span(table, path, At::Key) == span(table, &path[..path.len() - 1], At::Key);
        let set = |set: &Path| path.starts_with(set) || is_new && set.starts_with(path);
        self.overrides.iter().rev().find(|it| it.path.as_ref().is_some_and(set)).map(|it| &it.origin)
    }

    fn in_file(&self, span: Range<usize>) -> Place<'_> {
        let end = span.end.min(self.text.len());
        Place { order: 0, origin: &self.file, source: &self.text, span: span.start.min(end)..end }
    }
}

fn in_given(given: &str, at: At) -> Place<'_> {
    let equals = given.find('=').unwrap_or(given.len());
    let span = if at == At::Value { (equals + 1).min(given.len())..given.len() } else { 0..equals };
    Place { order: 1, origin: "--set", source: given, span }
}

/// Where a problem is shown.
struct Place<'a> {
    order: u8,
    origin: &'a str,
    source: &'a str,
    span: Range<usize>,
}

/// Without colours.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Problems {}

/// The place of a path in the text, or of the nearest table around it that the file has.
fn span(table: &DeTable<'_>, path: &[Step], at: At) -> Range<usize> {
    let mut here: Range<usize> = 0..0;
    let mut entries = Some(table);
    let mut items = None;
    for (position, step) in path.iter().enumerate() {
        let found = match step {
            Step::Key(key) => entries.and_then(|table| table.get_key_value(key.as_str())),
            Step::Index(index) => {
                let Some(item) = items.and_then(|items: &toml::de::DeArray<'_>| items.get(*index)) else { break };
                here = item.span();
                (entries, items) = (item.get_ref().as_table(), item.get_ref().as_array());
                continue;
            }
        };
        let Some((key, value)) = found else { break };
        let last = position == path.len() - 1;
        let is_table = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
        here = if last && (at == At::Key || is_table && value.span().len() < 2) { key.span() } else { value.span() };
        (entries, items) = (value.get_ref().as_table(), value.get_ref().as_array());
    }
    here
}

/// The most names that a suggestion lists.
const MAX_NAMES_SHOWN: usize = 16;
/// The most problems that are shown at once.
pub(super) const MAX_PROBLEMS_SHOWN: usize = 100;
