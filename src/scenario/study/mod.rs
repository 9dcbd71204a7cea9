//! The study of a scenario: which points it has, and the scenario of each.
//!
//! A point is the scenario's document with the values of the axes put where their paths lead, checked like any other. So a
//! value that does not fit is an error with its place in the file, and nothing but the axes makes two points differ.

mod decimal;
mod filter;
mod value;

use toml::{Table, Value as Toml};

use super::document;
use super::model::Scenario;
use super::problem::{At, Origin, Override, Problem, Problems, Severity, at, nearest};
use super::resolve::ReadFile;
use super::schema::SCHEMA;
use crate::stats::Metric;
pub(super) use decimal::{Decimal, Missed};
pub(super) use filter::{Filter, Wrong, is_name};
pub(crate) use value::escaped;
pub use value::{Unit, Value};

/// What a scenario's `[study]` says; without one, a study of a single point.
#[derive(Clone, Debug)]
pub struct Study {
    pub(super) parts: Parts,
    /// The document with the values of `--set`, without the study itself.
    pub(super) document: Table,
    /// The file, for problems.
    pub(super) file: String,
    pub(super) text: String,
    pub(super) overrides: Vec<Override>,
}

/// What was checked of `[study]`.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) axes: Vec<Axis>,
    pub(super) replications: Replications,
    /// Of each point the positions of its values among those of each axis.
    pub(super) points: Vec<Vec<usize>>,
}

/// A value of the scenario that is varied.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// The path of the value that it sets.
    pub set: String,
    /// Whether `--set` gave it its only value.
    pub fixed: bool,
    /// The values with what is put into the document for each.
    pub(super) values: Vec<(Value, Toml)>,
    /// Whether the file lists the values; else it has a range.
    pub(super) is_list: bool,
}

/// How many replications a point has.
#[derive(Clone, PartialEq, Debug)]
pub enum Replications {
    /// So many.
    Fixed(u32),
    /// Until a figure is known well enough.
    Until(Until),
}

/// When a point has enough replications: looked at after `min` and then after every [`Until::BLOCK`] of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Until {
    /// The flow or app; `None` for the totals.
    pub of: Option<String>,
    /// The figure.
    pub metric: Metric,
    /// Its interval at 95 % reaches no farther than this to either side.
    pub half_width: f64,
    /// Replications before it is looked at for the first time.
    pub min: u32,
    /// Replications after which it is over in any case.
    pub max: u32,
}

impl Until {
    /// Replications from one look to the next (a choice).
    pub const BLOCK: u32 = 10;
}

impl Replications {
    /// The most that a point can have.
    #[must_use]
    pub fn most(&self) -> u32 {
        match self {
            Replications::Fixed(number) => *number,
            Replications::Until(until) => until.max,
        }
    }
}

impl Axis {
    /// Its values, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.values.iter().map(|(value, _)| value)
    }
}

impl Study {
    /// What is varied.
    #[must_use]
    pub fn axes(&self) -> &[Axis] {
        &self.parts.axes
    }

    /// How many replications each point has.
    #[must_use]
    pub fn replications(&self) -> &Replications {
        &self.parts.replications
    }

    /// How many points there are.
    #[must_use]
    pub fn points(&self) -> usize {
        self.parts.points.len()
    }

    /// The values of a point, in the order of the axes.
    #[must_use]
    pub fn values(&self, point: usize) -> Vec<&Value> {
        let positions = self.parts.points[point].iter();
        self.parts.axes.iter().zip(positions).map(|(axis, position)| &axis.values[*position].0).collect()
    }

    /// The name of a point: `loss=0.05,burst=4`.
    #[must_use]
    pub fn id(&self, point: usize) -> String {
        if self.parts.axes.is_empty() {
            return ONLY_POINT.to_owned();
        }
        let values = self.values(point);
        let named = self.parts.axes.iter().zip(values).map(|(axis, value)| format!("{}={value}", axis.name));
        named.collect::<Vec<_>>().join(",")
    }

    /// The point of a name; its values may be spelled as in files too: `loss=5 %`.
    ///
    /// # Errors
    ///
    /// What is wrong with the name, and the nearest one.
    pub fn find(&self, name: &str) -> Result<usize, String> {
        let canonical = self.canonical(name).unwrap_or_else(|| name.to_owned());
        let ids: Vec<String> = (0..self.points()).map(|point| self.id(point)).collect();
        let called = |name: &str| ids.iter().position(|id| *id == name);
        called(name).or_else(|| called(&canonical)).ok_or_else(|| {
            if self.parts.axes.is_empty() {
                return format!("there is no point `{name}`: the scenario has no [study]");
            }
            let axes = self.parts.axes.iter().map(|axis| axis.name.as_str());
            let missing: Vec<&str> =
                axes.filter(|axis| !name.split(',').any(|part| part.starts_with(&format!("{axis}=")))).collect();
            if !missing.is_empty() && missing.len() < self.parts.axes.len() {
                return format!("`{name}` says no value of {}: the first point is `{}`", missing.join(", "), ids[0]);
            }
            let known: Vec<&str> = ids.iter().map(String::as_str).collect();
            match nearest(&canonical, &known) {
                Some(near) => format!("the study has no point `{name}`; did you mean `{near}`?"),
                None => format!("the study has no point `{name}`; its first one is `{}`", ids[0]),
            }
        })
    }

    /// A name in canonical spelling, if it can be read; its axes may come in any order.
    fn canonical(&self, name: &str) -> Option<String> {
        let parts: Vec<(&str, &str)> = name.split(',').map(|part| part.split_once('=')).collect::<Option<_>>()?;
        if parts.len() != self.parts.axes.len() {
            return None;
        }
        let spelled = |axis: &Axis| {
            let (_, text) = parts.iter().find(|(name, _)| *name == axis.name)?;
            let value = Value::read(&Toml::String((*text).to_owned()));
            let number = text.parse().ok().and_then(|number| Value::read(&Toml::Float(number)).ok());
            let kind = axis.values().next()?.kind();
            let read = [value.ok(), number].into_iter().flatten().find(|value| value.kind() == kind);
            Some(format!("{}={}", axis.name, read?))
        };
        Some(self.parts.axes.iter().map(spelled).collect::<Option<Vec<_>>>()?.join(","))
    }

    /// The points that a filter keeps: `loss > 0.1 && burst == 4`.
    ///
    /// # Errors
    ///
    /// What is wrong with the filter, and where.
    pub fn filter(&self, filter: &str) -> Result<Vec<usize>, Problems> {
        let filter = parse_filter(filter, &self.parts.axes).map_err(|wrong| {
            let known = self.parts.axes.iter().map(|axis| axis.name.as_str());
            let at = At::Text { start: wrong.start, end: wrong.end };
            let problems = vec![Problem { at, ..problem_of(&wrong, known) }];
            Problems { file: "--filter".to_owned(), text: filter.to_owned(), overrides: Vec::new(), problems }
        })?;
        Ok((0..self.points()).filter(|point| filter.keeps(&self.values(*point))).collect())
    }

    /// The scenario of a point.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with the point's name and the place of the value in the file.
    pub fn scenario(&self, point: usize, read_file: ReadFile<'_>) -> Result<Scenario, Problems> {
        self.check(point, read_file).map(|(scenario, _)| scenario)
    }

    /// The same with its warnings.
    pub(crate) fn check(&self, point: usize, read_file: ReadFile<'_>) -> Result<(Scenario, Problems), Problems> {
        let mut table = self.document.clone();
        let mut problems = Problems {
            file: self.file.clone(),
            text: self.text.clone(),
            overrides: self.overrides.clone(),
            problems: Vec::new(),
        };
        for (axis, position) in self.parts.axes.iter().zip(&self.parts.points[point]) {
            let of_axis = |key: &str| at!["study", "axes", &axis.name, key];
            let (value, toml) = &axis.values[*position];
            let path = document::put(&mut table, &axis.set, |steps| {
                if document::is_text(&SCHEMA, steps) { Toml::String(given(value, toml)) } else { toml.clone() }
            });
            let value = match axis.is_list {
                true => [of_axis("values"), at![*position]].concat(),
                false => of_axis("range"),
            };
            match path {
                Ok(path) if axis.fixed => drop(path),
                Ok(path) => {
                    let origin = Origin::Axis { set: of_axis("set"), value };
                    problems.overrides.push(Override { path: Some(path), origin });
                }
                Err(message) => problems.problems.push(Problem::error(of_axis("set"), message)),
            }
        }
        let checked = super::check(table, problems, read_file).map_err(|mut problems| {
            problems.problems.retain(|problem| problem.severity == Severity::Error);
            for problem in &mut problems.problems {
                problem.message = format!("point {}: {}", self.id(point), problem.message);
            }
            problems
        });
        checked.map(|(scenario, _, warnings)| (scenario, warnings))
    }
}

/// A value as text, where the file has nothing but text.
fn given(value: &Value, toml: &Toml) -> String {
    match toml {
        Toml::String(text) => text.clone(),
        _ => value.cell(),
    }
}

/// Reads a filter over some axes.
pub(super) fn parse_filter(text: &str, axes: &[Axis]) -> Result<Filter, Wrong> {
    let axes: Vec<(&str, &Value)> = axes.iter().map(|axis| (axis.name.as_str(), &axis.values[0].0)).collect();
    Filter::parse(text, &axes)
}

/// The problem of a filter, without its place.
pub(super) fn problem_of<'a>(wrong: &Wrong, axes: impl Iterator<Item = &'a str>) -> Problem {
    let problem = Problem::error(Vec::new(), wrong.message.clone());
    match &wrong.unknown {
        Some(name) => problem.suggest(name, axes),
        None => problem,
    }
}

/// The name of the only point of a study without axes.
const ONLY_POINT: &str = "base";
