//! The distribution of delays: a curve for each row through its quantiles, of which each decade beyond the median is as wide
//! as the one before.

use super::chart;
use super::curves::Curves;
use super::data::{Entry, QUANTILES};
use super::grid::{Grid, Row};
use crate::report::page::picture::Picture;
use crate::report::scale::Scale;
use crate::time::Duration;

/// The curves of some rows; nothing if none has delays.
pub(super) fn draw(grid: &Grid, rows: &[Row<'_>]) -> Option<Picture> {
    let delays = rows.iter().flat_map(|row| &row.entry.delays.0).map(|nanos| *nanos as f64);
    let positive: Vec<f64> = delays.filter(|nanos| *nanos > 0.0).collect();
    if positive.is_empty() {
        return None;
    }
    let up = Scale::of_times(&positive);
    let across = |quantile: f64| chart::x(decades(quantile) / DECADES);
    let up_tick = |tick: f64| (chart::y(up.place(tick)), Duration::from_nanos(tick.round() as u64).to_string());
    let place = |(quantile, nanos): (f64, &u64)| (across(quantile), chart::y(up.place(*nanos as f64)));
    let curves = Curves {
        title: "delay from write to read, by percentile",
        description: "A curve for each point, from its shortest delay to the highest percentile that enough delays lie beyond. points.csv has the \
             main ones.",
        axis: "share of messages with at most this delay",
        across: TICKS.map(|(quantile, label)| (across(quantile), label.to_owned())).to_vec(),
        up: up.ticks().into_iter().map(up_tick).collect(),
        curve: |entry: &Entry| QUANTILES.into_iter().zip(&entry.delays.0).map(place).collect(),
    };
    Some(curves.draw(grid, rows))
}

/// How many times the share beyond a quantile was divided by ten.
fn decades(quantile: f64) -> f64 {
    -libm::log10(1.0 - quantile)
}

/// The width of the chart, in decades.
const DECADES: f64 = 4.0;
/// What the lower edge shows.
const TICKS: [(f64, &str); 6] =
    [(0.0, "0 %"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")];
