//! The summary of a study: a table of points with their main figures, and the expectations that do not hold.

use std::fmt::Write;

use serde::Serialize;

use super::curve;
use crate::report::judgement::Judgement;
use crate::report::verdict::Verdict;
use crate::report::wording::six_digits;
use crate::study::{Manifest, Rule};

/// The most expectations that do not hold which the text shows.
const MAX_SHOWN: usize = 20;

/// A point and what its runs came to.
#[derive(Clone, Debug, Serialize)]
pub struct PointSummary {
    /// Its name.
    pub point: String,
    /// The seed of its runs.
    pub seed: String,
    /// How many runs it has.
    pub replications: u32,
    pub(super) figures: Vec<MainFigure>,
    pub(in crate::report) expectations: Vec<Judgement>,
}

/// The main figure of a flow or app over the replications.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MainFigure {
    pub(super) of: String,
    pub(super) metric: &'static str,
    pub(super) value: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// What the closed form says, if there is one.
    pub(super) theory: Option<f64>,
}

/// The worst verdict of all points; `None` if nothing is expected.
#[must_use]
pub fn verdict(points: &[PointSummary]) -> Option<Verdict> {
    points.iter().flat_map(|point| &point.expectations).map(|judgement| judgement.result).max()
}

/// For people: a table, the expectations that do not hold, each with the command that shows the replication which is farthest
/// beyond the bound, and the main figure as a curve. `replay` is the beginning of that command.
#[must_use]
pub fn to_text(manifest: &Manifest, points: &[PointSummary], replay: &str) -> String {
    let mut rows = vec![["point", "runs", "", "figure", "value", "95 % interval", "theory"].map(str::to_owned)];
    for point in points {
        let mut names = (point.point.clone(), point.replications.to_string());
        for figure in &point.figures {
            let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| six_digits(value).to_string());
            let interval = match (figure.low, figure.high) {
                (Some(low), Some(high)) => format!("[{}, {}]", six_digits(low), six_digits(high)),
                _ => "-".to_owned(),
            };
            let (id, runs) = std::mem::take(&mut names);
            let cells = [figure.of.clone(), figure.metric.to_owned(), number(figure.value), interval];
            let [of, metric, value, interval] = cells;
            rows.push([id, runs, of, metric, value, interval, number(figure.theory)]);
        }
    }
    let widths =
        [0, 1, 2, 3, 4, 5, 6].map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = format!("{}, {} of {} points\n\n", manifest.name, points.len(), manifest.points.len());
    for row in &rows {
        let mut line = String::new();
        for ((column, cell), width) in row.iter().enumerate().zip(widths) {
            let gap = " ".repeat(width - cell.chars().count());
            let is_number = matches!(column, 1 | 4 | 6);
            let _ = if is_number { write!(line, "{gap}{cell}  ") } else { write!(line, "{cell}{gap}  ") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if let Rule::Until { max, half_width, .. } = &manifest.replications {
        let at_max = points.iter().filter(|point| point.replications == *max).count();
        if at_max > 0 {
            let of = points.len();
            let _ = writeln!(
                text,
                "\n{at_max} of {of} points came to `max`, {max} runs: their half widths may be over {half_width}"
            );
        }
    }
    let judgements = || points.iter().flat_map(|point| &point.expectations);
    if judgements().next().is_some() {
        let count = |verdict| judgements().filter(|judgement| judgement.result == verdict).count();
        let [hold, violated, open] = [Verdict::Holds, Verdict::Violated, Verdict::Inconclusive].map(count);
        let _ = writeln!(text, "\nexpectations: {hold} hold, {violated} violated, {open} inconclusive");
    }
    let open = |judgement: &&Judgement| judgement.result != Verdict::Holds;
    let all = || points.iter().flat_map(|point| point.expectations.iter().filter(open).map(move |it| (point, it)));
    for (point, judgement) in all().take(MAX_SHOWN) {
        let (result, what) = (judgement.result.name(), &judgement.what);
        let _ = writeln!(text, "  {result:<13}{}: {what}: {}", point.point, judgement.found());
        if let Some(worst) = judgement.worst {
            let id = crate::report::suite::shell_word(&point.point);
            let _ = writeln!(text, "  {:<13}{replay} --point {id} --replication {worst}", "");
        }
    }
    let more = all().count().saturating_sub(MAX_SHOWN);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more: --filter narrows the points down, --format json has them all");
    }
    printable(&(text + &curve::draw(manifest, points)))
}

/// A text without characters that mean something to a terminal.
fn printable(text: &str) -> String {
    let is_control = |c: char| c.is_control() && c != '\n';
    text.chars().map(|c| if is_control(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// As JSON, with a line feed at the end.
#[must_use]
pub fn to_json(points: &[PointSummary]) -> String {
    serde_json::to_string_pretty(points).expect("a summary has a JSON form") + "\n"
}

/// As JSON, a line for each point.
#[must_use]
pub fn to_ndjson(points: &[PointSummary]) -> String {
    let line = |point: &PointSummary| serde_json::to_string(point).expect("a summary has a JSON form") + "\n";
    points.iter().map(line).collect()
}
