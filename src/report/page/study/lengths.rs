//! The distribution of the lengths of loss periods: a curve for each row. Where one loss does not make the next more or less
//! probable, or bursts end with the same probability after each loss, it is a straight line.

use super::chart;
use super::curves::Curves;
use super::data::{Entry, LENGTHS};
use super::grid::{Grid, Row};
use crate::report::page::picture::Picture;
use crate::report::scale::Scale;
use crate::report::wording::grouped;

/// The curves of some rows; nothing if no row has periods of two lengths.
pub(super) fn draw(grid: &Grid, rows: &[Row<'_>]) -> Option<Picture> {
    let most = rows.iter().map(|row| row.entry.lengths.0.len()).max().filter(|most| *most > 1)?;
    let shares: Vec<f64> = rows.iter().flat_map(|row| &row.entry.lengths.0).copied().collect();
    let (across, up) = (Scale::of_figure(&[0.0, LENGTHS[most - 1] as f64]), Scale::of_times(&shares));
    let place = |(length, share): (usize, &f64)| (chart::x(across.place(length as f64)), chart::y(up.place(*share)));
    let curves = Curves {
        title: "of 1,000 loss periods, how many are so long or longer",
        description: "A curve for each point, up to the longest length that enough loss periods have. points.csv has their mean and the \
             longest.",
        axis: "messages",
        across: across.ticks().into_iter().map(|tick| (chart::x(across.place(tick)), tick.to_string())).collect(),
        up: up.ticks().into_iter().map(|tick| (chart::y(up.place(tick)), grouped(tick.round() as u64))).collect(),
        curve: |entry: &Entry| LENGTHS.into_iter().zip(&entry.lengths.0).map(place).collect(),
    };
    Some(curves.draw(grid, rows))
}
