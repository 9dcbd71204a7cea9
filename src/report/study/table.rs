//! The figures of a point over its replications: rows of `points.csv`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::summary::{MainFigure, PointSummary};
use crate::report::judgement::{Found, Judgement};
use crate::report::page::study as page;
use crate::report::verdict::ExpectationReport;
use crate::stats::{Estimate, Fate, HistogramSum, LossPeriods, Proportion};
use crate::study::{Figure, Line, Manifest};

/// What is known of a point so far: of every figure the value in each replication.
#[derive(Default)]
pub(super) struct PointTable {
    replications: u32,
    /// In the order of the report: the totals, which have no name, flows, apps.
    subjects: Vec<Subject>,
    /// Of each the loss periods by their lengths, over all replications.
    loss_periods: Vec<Vec<u64>>,
    /// Each expectation, and what it came to in each replication.
    expectations: Vec<(ExpectationReport, Vec<Found>)>,
}

/// The name of what has figures, and those.
type Subject = (Option<String>, Table);

/// Figures by their paths, each in every replication.
type Table = BTreeMap<String, Vec<Figure>>;

/// A figure over replications.
struct Over {
    value: Option<f64>,
    whole: Option<Proportion>,
    /// Bounds, and how they were made.
    interval: Option<(f64, f64, &'static str)>,
}

impl PointTable {
    pub(super) fn replications(&self) -> u32 {
        self.replications
    }

    /// Adds the next replication.
    pub(super) fn add(&mut self, line: &Line) {
        let before = self.replications as usize;
        for (position, (name, figures)) in line.subjects().enumerate() {
            if position == self.subjects.len() {
                self.subjects.push((name.map(str::to_owned), BTreeMap::new()));
                self.loss_periods.push(Vec::new());
            }
            add_each(&mut self.loss_periods[position], &figures["loss_period"]["by_length"]);
            let table = &mut self.subjects[position].1;
            walk(figures, &mut String::new(), &mut |path, figure| {
                let found = match table.get_mut(path) {
                    Some(found) => found,
                    None => table.entry(path.to_owned()).or_insert(vec![NOTHING; before]),
                };
                found.push(figure);
            });
            table.values_mut().filter(|found| found.len() == before).for_each(|found| found.push(NOTHING));
        }
        let reports = line.expectations().iter().filter_map(|value| ExpectationReport::read(line, value));
        for (position, report) in reports.enumerate() {
            let found = Found::of(&report);
            match self.expectations.get_mut(position) {
                Some((_, all)) => all.push(found),
                None => self.expectations.push((report, vec![found])),
            }
        }
        self.replications += 1;
    }

    /// Its rows of `points.csv`.
    pub(super) fn rows(&self, manifest: &Manifest, point: usize) -> Vec<u8> {
        let entry = &manifest.points[point];
        let mut writer = csv_writer();
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
        let count = |count: Option<u64>| count.map_or(String::new(), |count| count.to_string());
        let values: Vec<String> = entry.values.iter().map(cell).collect();
        let replications = self.replications.to_string();
        for (name, table) in &self.subjects {
            for (path, found) in table {
                let Over { value, whole, interval } = Over::of(path, found);
                let of_row = [
                    name.clone().unwrap_or_default(),
                    path.clone(),
                    number(value),
                    count(whole.map(|whole| whole.k)),
                    count(whole.map(|whole| whole.n)),
                    number(interval.map(|(low, ..)| low)),
                    number(interval.map(|(_, high, _)| high)),
                    interval.map_or("", |(.., name)| name).to_owned(),
                ];
                let row = [entry.id.clone()].into_iter().chain(values.iter().cloned()).chain(of_row);
                let row = row.chain([replications.clone(), entry.seed.clone()]);
                writer.write_record(row).expect("memory takes all");
            }
        }
        writer.into_inner().expect("memory takes all")
    }

    /// Its main figures, and what its expectations come to.
    pub(super) fn summary(&self, manifest: &Manifest, point: usize) -> PointSummary {
        let entry = &manifest.points[point];
        let figures = |(name, table): &Subject| {
            let of = name.clone()?;
            let figure = |metric: &'static str| {
                let page::Figure { value, interval, theory, .. } = figure(table, metric);
                let (low, high) = interval.unzip();
                MainFigure { of: of.clone(), metric, value, low, high, theory }
            };
            Some([Some(main_metric(table)?), all_metric(table)].into_iter().flatten().map(figure).collect::<Vec<_>>())
        };
        PointSummary {
            point: entry.id.clone(),
            seed: entry.seed.clone(),
            replications: self.replications,
            figures: self.subjects.iter().filter_map(figures).flatten().collect(),
            expectations: self.expectations.iter().map(|(first, found)| Judgement::new(first, found)).collect(),
        }
    }

    /// What its page shows.
    pub(super) fn drawn(&self, position: usize, delays: &BTreeMap<String, HistogramSum>) -> page::Point {
        let entry = |((name, table), lengths): (&Subject, &Vec<u64>)| {
            let (of, main) = (name.clone()?, main_metric(table)?);
            let fates = Fate::ALL.map(|fate| (fate, sum(table, &format!("fates.{}", fate.name()))));
            let has_periods = sum(table, "loss_period.count") > 0;
            Some(page::Entry {
                main: figure(table, main),
                all: all_metric(table).map(|metric| figure(table, metric)),
                reached: ["all", "some", "none"].map(|part| sum(table, &format!("audience.{part}"))),
                fates: fates.into_iter().filter(|(_, count)| *count > 0).collect(),
                loss_period: has_periods.then(|| (figure(table, "loss_period.mean"), most(table, "loss_period.max"))),
                lengths: page::Lengths::of(lengths),
                delays: delays.get(&of).map(page::Delays::of).unwrap_or_default(),
                of,
            })
        };
        let totals = &self.subjects[0].1;
        page::Point {
            position,
            replications: self.replications,
            totals: page::Totals {
                writes: sum(totals, "sender.writes"),
                succeeded: sum(totals, "sender.succeeded"),
                acknowledgements: sum(totals, "sender.acknowledgements"),
                delivered: figure(totals, MAIN_FIGURES[0]).whole.unwrap_or_default(),
            },
            entries: self.subjects.iter().zip(&self.loss_periods).filter_map(entry).collect(),
        }
    }
}

/// The main figure of a flow or app.
fn main_metric(table: &Table) -> Option<&'static str> {
    MAIN_FIGURES.into_iter().find(|metric| table.contains_key(*metric))
}

/// What is a main figure too, if messages have several recipients.
fn all_metric(table: &Table) -> Option<&'static str> {
    table.get(AUDIENCE).is_some_and(|found| found[0].value > Some(1.0)).then_some(ALL)
}

/// Adds counts to counts by their positions.
fn add_each(sums: &mut Vec<u64>, counts: &Value) {
    for (position, count) in counts.as_array().into_iter().flatten().take(LossPeriods::LENGTHS).enumerate() {
        if sums.len() <= position {
            sums.push(0);
        }
        sums[position] += count.as_u64().unwrap_or(0);
    }
}

/// A figure over the replications, beside its closed form.
fn figure(table: &Table, metric: &'static str) -> page::Figure {
    let Over { value, whole, interval } = Over::of(metric, &table[metric]);
    let theory = table.get(&format!("{THEORY}{metric}")).and_then(|found| found[0].value);
    page::Figure { metric, value, interval: interval.map(|(low, high, _)| (low, high)), whole, theory }
}

/// A count over all replications.
fn sum(table: &Table, path: &str) -> u64 {
    values(table, path).sum::<f64>() as u64
}

/// The greatest of the values of a count.
fn most(table: &Table, path: &str) -> u64 {
    values(table, path).fold(0.0, f64::max) as u64
}

fn values(table: &Table, path: &str) -> impl Iterator<Item = f64> {
    table.get(path).into_iter().flatten().filter_map(|figure| figure.value)
}

impl Over {
    fn of(path: &str, found: &[Figure]) -> Self {
        let values: Option<Vec<f64>> = found.iter().map(|figure| figure.value).collect();
        if path.starts_with(THEORY) {
            return Over { value: found[0].value, whole: None, interval: None };
        }
        let shares: Option<Vec<Proportion>> = found.iter().map(|figure| figure.share).collect();
        let Some(shares) = shares else {
            let estimate = values.as_ref().and_then(|values| Estimate::of_values(values));
            let value = estimate.map(|it| it.value).or(values.and_then(|values| values.first().copied()));
            return Over { value, whole: None, interval: estimate.map(|it| (it.low, it.high, it.interval)) };
        };
        let sum = |part: fn(&Proportion) -> u64| shares.iter().map(part).sum();
        let whole = Proportion { k: sum(|share| share.k), n: sum(|share| share.n) };
        let of_one = || whole.wilson95().filter(|_| shares.len() == 1).map(|(low, high)| (low, high, "wilson-95"));
        let interval = Estimate::of_shares(&shares).map(|it| (it.low, it.high, it.interval)).or_else(of_one);
        Over { value: whole.value(), whole: Some(whole), interval }
    }
}

/// The first line of `points.csv`.
pub(super) fn header(manifest: &Manifest) -> Vec<u8> {
    let mut writer = csv_writer();
    let axes = manifest.axes.iter().map(|axis| axis.name.as_str());
    let rest = ["flow", "metric", "value", "k", "n", "low", "high", "interval", "replications", "seed"];
    writer.write_record(["point"].into_iter().chain(axes).chain(rest)).expect("memory takes all");
    writer.into_inner().expect("memory takes all")
}

fn csv_writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new())
}

/// A value of an axis in a table.
fn cell(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Every figure below a table of the report, with its path. Fates that did not occur are left out there, and are 0 here.
fn walk(value: &Value, path: &mut String, each: &mut impl FnMut(&str, Figure)) {
    if let Some(figure) = Figure::read(value) {
        return each(path, figure);
    }
    let Value::Object(table) = value else { return };
    let length = path.len();
    path.push_str(if length == 0 { "" } else { "." });
    let start = path.len();
    if let (Some(fates), Some(_)) = (table.get("fates"), table.get("delivery_ratio")) {
        for fate in Fate::ALL.iter().filter(|fate| fates.get(fate.name()).is_none()) {
            each(&format!("{path}fates.{}", fate.name()), NOTHING);
        }
    }
    for (key, value) in table {
        path.push_str(key);
        walk(value, path, each);
        path.truncate(start);
    }
    path.truncate(length);
}

/// A count that is left out.
const NOTHING: Figure = Figure { value: Some(0.0), share: None };
/// The main figure of a flow, and that of an app.
const MAIN_FIGURES: [&str; 2] = ["delivery_ratio", "false_removals"];
/// What is a main figure too where a message has several recipients.
const ALL: &str = "all_ratio";
const AUDIENCE: &str = "audience.size";
/// The beginning of the path of a closed form.
const THEORY: &str = "theory.";
