//! `[study]`: axes, their values, the points that `where` keeps, and the number of replications.

use std::collections::BTreeSet;

use toml::Table;

use super::Context;
use crate::scenario::document;
use crate::scenario::file::{self, AnyValue};
use crate::scenario::problem::{At, Origin, Override, Path, Problem, Step, at};
use crate::scenario::quantity::{clipped, shown};
use crate::scenario::study::{Axis, Decimal, Missed, Parts, Replications, Unit, Until, Value, is_name};
use crate::scenario::study::{parse_filter, problem_of};

/// Replications of a point for which a study says nothing (a choice).
const DEFAULT_REPLICATIONS: u32 = 20;
/// Replications before `until` looks for the first time (a choice).
const DEFAULT_MIN: u32 = 10;
/// Replications after which `until` gives up (a choice).
const DEFAULT_MAX: u32 = 1_000;
/// The most replications of a point.
const MAX_REPLICATIONS: u32 = 100_000;
/// The most axes.
const MAX_AXES: usize = 16;
/// The most combinations of values, before `where`.
const MAX_POINTS: usize = 10_000;
/// The most runs of all points together.
const MAX_RUNS: u64 = 10_000_000;
/// Columns of points.csv beside the axes.
const COLUMNS: [&str; 11] =
    ["point", "flow", "metric", "value", "k", "n", "low", "high", "interval", "replications", "seed"];

impl Context<'_> {
    /// What `[study]` says. `document` is the whole file with what `overrides` set.
    pub(in crate::scenario) fn study(&mut self, document: &Table, overrides: &[Override]) -> Option<Parts> {
        let nothing = file::Study::default();
        let study = self.file.study.as_ref().unwrap_or(&nothing);
        if self.is_damaged(at!["study"]) {
            return None;
        }
        let replications = self.replications(study);
        if study.axes.0.len() > MAX_AXES {
            let message = format!("there are more than {MAX_AXES} axes (MAX_AXES)");
            self.problems.push(Problem::error(at!["study", "axes"], message).at_key());
            return None;
        }
        let found = study.axes.0.iter().map(|(name, axis)| self.axis(name, axis, document, overrides));
        let axes: Vec<Option<(Axis, Path)>> = found.collect();
        let axes: Vec<(Axis, Path)> = axes.into_iter().collect::<Option<_>>()?;
        for (position, (axis, path)) in axes.iter().enumerate() {
            // Databases take no notice of case.
            if let Some((other, _)) =
                axes[..position].iter().find(|(other, _)| other.name.eq_ignore_ascii_case(&axis.name))
            {
                let message = format!("the axes `{}` and `{}` are one column of points.csv", other.name, axis.name);
                self.problems.push(Problem::error(at!["study", "axes", &axis.name], message).at_key());
                return None;
            }
            let same = axes[..position].iter().find(|(_, other)| path.starts_with(other) || other.starts_with(path));
            if let Some((other, _)) = same {
                let message = format!("the axes `{}` and `{}` set the same value", other.name, axis.name);
                self.error(at!["study", "axes", &axis.name, "set"], message);
                return None;
            }
        }
        let axes: Vec<Axis> = axes.into_iter().map(|(axis, _)| axis).collect();
        let points = self.points(study, &axes)?;
        let replications = replications?;
        if points.len() as u64 * u64::from(replications.most()) > MAX_RUNS {
            let (points, most) = (points.len(), replications.most());
            let message = format!("{points} points with {most} replications are more than {MAX_RUNS} runs (MAX_RUNS)");
            self.problems.push(Problem::error(at!["study"], message).at_key());
            return None;
        }
        Some(Parts { axes, replications, points })
    }

    fn axis(
        &mut self,
        name: &str,
        axis: &file::Axis,
        document: &Table,
        overrides: &[Override],
    ) -> Option<(Axis, Path)> {
        let at = |key: &str| at!["study", "axes", name, key];
        let label = at!["study", "axes", name];
        if !is_name(name) {
            let message = format!("`{}` is not a name that a filter can spell", clipped(name));
            let help = "letters, digits and `_`, beginning with a letter or `_`";
            self.problems.push(Problem::error(label, message).at_key().help(help));
            return None;
        }
        if COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            let message = format!("`{name}` is a column of points.csv already: call the axis something else");
            self.problems.push(Problem::error(label, message).at_key());
            return None;
        }
        let set = axis.set.as_ref()?;
        if set.split('.').next() == Some("study") {
            self.error(at("set"), "an axis varies values of the scenario, not of the study");
            return None;
        }
        // Above or below what --set sets, an axis would take a part of it away.
        let is_apart = |given: &&str| {
            let path = given.split('=').next().unwrap_or_default();
            [(path, &**set), (&**set, path)].iter().any(|(whole, part)| part.starts_with(&format!("{whole}.")))
        };
        let mut given = overrides.iter().filter_map(|over| match &over.origin {
            Origin::Given(given) => Some(given.as_str()),
            Origin::Axis { .. } => None,
        });
        if let Some(given) = given.find(is_apart) {
            let message = format!("axis `{name}` sets a part of what --set {} sets, or the whole", clipped(given));
            self.error(at("set"), message);
            return None;
        }
        let path = match document::put(&mut document.clone(), set, |_| toml::Value::Boolean(true)) {
            Ok(path) => path,
            Err(message) => {
                self.error(at("set"), message);
                return None;
            }
        };
        let mut values = self.values_of_axis(name, axis)?;
        if let Some(form) = &axis.form {
            let Some((before, after)) = form.split_once('$').filter(|(_, after)| !after.contains('$')) else {
                let message = format!("`{}` does not say by one `$` where the value stands", clipped(form));
                let problem = Problem::error(at("as"), message);
                self.problems.push(problem.help("as in \"STATION{1..$}\""));
                return None;
            };
            values.iter_mut().for_each(|(_, toml)| {
                let value = toml.as_str().map_or_else(|| toml.to_string(), str::to_owned);
                *toml = toml::Value::String(format!("{before}{value}{after}"));
            });
        }
        let mut axis =
            Axis { name: name.to_owned(), set: set.clone(), fixed: false, values, is_list: axis.values.is_some() };
        if overrides.iter().any(|over| over.path.as_ref() == Some(&path)) {
            let value = document::get(document, &path).expect("--set put it there");
            match Value::read(value) {
                Ok(read) => axis = Axis { fixed: true, values: vec![(read, value.clone())], ..axis },
                Err(message) => self.error(path.clone(), message),
            }
        }
        Some((axis, path))
    }

    /// The values of an axis, each once and all of one kind.
    fn values_of_axis(&mut self, name: &str, axis: &file::Axis) -> Option<Vec<(Value, toml::Value)>> {
        let label = at!["study", "axes", name];
        let at = |key: &str| at!["study", "axes", name, key];
        let values = match (&axis.values, &axis.range, &axis.step) {
            (Some(values), None, None) => values,
            (None, Some(range), Some(step)) => return self.range(name, range, step),
            _ => {
                let message = "an axis has `values`, or `range` and `step`";
                self.problems.push(Problem::error(label, message).at_key());
                return None;
            }
        };
        if values.is_empty() {
            self.error(at("values"), "the axis has no values");
        }
        let mut found: Vec<(Value, toml::Value)> = Vec::new();
        let mut spelled: BTreeSet<String> = BTreeSet::new();
        for (position, AnyValue(toml)) in values.iter().take(MAX_POINTS + 1).enumerate() {
            let here = [&at("values")[..], &[Step::Index(position)]].concat();
            let value = match Value::read(toml) {
                Ok(value) => value,
                Err(message) => {
                    self.error(here, message);
                    continue;
                }
            };
            if let Some((first, _)) = found.first().filter(|(first, _)| first.kind() != value.kind()) {
                let message =
                    format!("`{}`: the values of an axis are of one kind, these are {}", shown(toml), first.kind());
                self.error(here, message);
            } else if !spelled.insert(value.to_string()) {
                self.error(here, format!("the axis has the value `{}` already", shown(toml)));
            } else {
                found.push((value, toml.clone()));
            }
        }
        (found.len() == values.len() && !found.is_empty()).then_some(found)
    }

    /// The values of a range, ends included.
    fn range(&mut self, name: &str, range: &[AnyValue; 2], step: &AnyValue) -> Option<Vec<(Value, toml::Value)>> {
        let places = ["range", "range", "step"].map(|key| at!["study", "axes", name, key]);
        let given = [&range[0].0, &range[1].0, &step.0];
        let mut numbers: Vec<(Decimal, Unit)> = Vec::new();
        for (at, toml) in places.iter().zip(given) {
            match Value::read(toml) {
                Ok(Value::Quantity(number, unit)) => numbers.push((number, unit)),
                Ok(_) => self.error(at.clone(), format!("`{}` is no number, with a unit or without", shown(toml))),
                Err(message) => self.error(at.clone(), message),
            }
        }
        let [(from, unit), (to, unit_of_end), (step, unit_of_step)] = numbers[..] else { return None };
        let spelled = |number| Value::Quantity(number, unit);
        if unit != unit_of_end || unit != unit_of_step {
            self.error(places[2].clone(), "the ends of the range and the step are not of one kind");
            return None;
        }
        if !step.is_positive() {
            self.error(places[2].clone(), format!("`{}`: a step is greater than 0", shown(given[2])));
            return None;
        }
        if from > to {
            self.error(places[0].clone(), "the range ends before it begins");
            return None;
        }
        match Decimal::range(from, to, step, MAX_POINTS + 1) {
            Ok(values) => {
                let whole = given.iter().all(|toml| toml.is_integer());
                let both = values.into_iter().map(|number| (spelled(number), spelled(number).to_toml(whole)));
                Some(both.collect())
            }
            Err(Missed::End { before, after }) => {
                let ends: Vec<String> =
                    [before, after].into_iter().flatten().map(|end| format!("`{}`", spelled(end))).collect();
                let message = format!("the steps miss the end of the range, `{}`", shown(given[1]));
                let help = format!("they come to {}", ends.join(" and "));
                self.problems.push(Problem::error(places[2].clone(), message).help(help));
                None
            }
            Err(Missed::Limit { values }) => {
                let message = format!("the range has {values} values; a study has at most {MAX_POINTS} points");
                self.error(places[0].clone(), message + " (MAX_POINTS)");
                None
            }
        }
    }

    /// All combinations of values, the last axis changing fastest, but for those that `where` leaves out.
    fn points(&mut self, study: &file::Study, axes: &[Axis]) -> Option<Vec<Vec<usize>>> {
        let number = axes.iter().try_fold(1_usize, |number, axis| number.checked_mul(axis.values.len()));
        let Some(number) = number.filter(|number| *number <= MAX_POINTS) else {
            let lengths: Vec<String> = axes.iter().map(|axis| axis.values.len().to_string()).collect();
            let message = format!(
                "the axes have {} combinations; a study has at most {MAX_POINTS} points (MAX_POINTS)",
                lengths.join(" x ")
            );
            self.problems.push(Problem::error(at!["study", "axes"], message).at_key());
            return None;
        };
        let mut points: Vec<Vec<usize>> = (0..number)
            .map(|mut rest| {
                let mut point: Vec<usize> = Vec::new();
                for axis in axes.iter().rev() {
                    point.push(rest % axis.values.len());
                    rest /= axis.values.len();
                }
                point.reverse();
                point
            })
            .collect();
        let Some(only) = &study.only else { return Some(points) };
        match parse_filter(only, axes) {
            Ok(filter) => {
                let values = |point: &[usize]| {
                    axes.iter().zip(point).map(|(axis, position)| &axis.values[*position].0).collect::<Vec<_>>()
                };
                points.retain(|point| filter.keeps(&values(point)));
                if points.is_empty() {
                    self.error(at!["study", "where"], "no combination of values is left");
                    return None;
                }
                Some(points)
            }
            Err(wrong) => {
                let at = At::Part { start: wrong.start, end: wrong.end };
                let problem = problem_of(&wrong, axes.iter().map(|axis| axis.name.as_str()));
                self.problems.push(Problem { at, path: at!["study", "where"], ..problem });
                None
            }
        }
    }

    fn replications(&mut self, study: &file::Study) -> Option<Replications> {
        let Some(until) = &study.until else {
            let number = study.replications.unwrap_or(DEFAULT_REPLICATIONS);
            if !(1..=MAX_REPLICATIONS).contains(&number) {
                let message = format!("{number} is not from 1 to {MAX_REPLICATIONS} (MAX_REPLICATIONS)");
                self.error(at!["study", "replications"], message);
                return None;
            }
            return Some(Replications::Fixed(number));
        };
        let at = |key: &str| at!["study", "until", key];
        if study.replications.is_some() {
            let message = "a study has `replications` or `until`, not both";
            self.problems.push(Problem::error(at!["study", "replications"], message).at_key());
            return None;
        }
        let named = self.subjects();
        let subject = self.subject(at("of"), until.of.as_deref(), &named);
        let metric = self.metric(at("metric"), until.metric.as_ref()?, subject);
        let half_width = until.half_width?;
        if !half_width.is_finite() || half_width <= 0.0 {
            self.error(at("half_width"), format!("{half_width}: half of an interval is greater than 0"));
            return None;
        }
        let (min, max) = (until.min.unwrap_or(DEFAULT_MIN), until.max.unwrap_or(DEFAULT_MAX));
        if min < 2 {
            self.error(at("min"), format!("{min}: an interval needs two replications"));
            return None;
        }
        if max < min || max > MAX_REPLICATIONS {
            let key = if until.max.is_some() { "max" } else { "min" };
            let message = format!("`max` is {max}; it is from `min`, {min}, to {MAX_REPLICATIONS} (MAX_REPLICATIONS)");
            self.error(at(key), message);
            return None;
        }
        Some(Replications::Until(Until { of: until.of.clone(), metric: metric?, half_width, min, max }))
    }
}
