//! Which charts a flow or app has.

use super::chart::Along;
use super::data::{Entry, Figure};
use super::grid::{Grid, Row};
use super::{latency, lengths};
use crate::report::page::picture::Picture;

/// A chart of some rows.
pub(super) struct Chart {
    /// What it is of, and along which axis: unlike that of all others of a flow or app.
    pub(super) name: String,
    pub(super) along: Option<usize>,
    /// The group of columns of the table with its figure.
    pub(super) metric: &'static str,
    pub(super) picture: Picture,
}

/// What charts along axes may still draw.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    marks: usize,
    /// Charts that had no room.
    pub(super) left_out: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Budget { marks: MAX_MARKS, left_out: 0 }
    }

    /// Takes the marks of a chart, if there are enough.
    fn spend(&mut self, marks: usize) -> Option<()> {
        let left = self.marks.checked_sub(marks);
        self.left_out += usize::from(left.is_none());
        self.marks = left?;
        Some(())
    }
}

/// All that there are of these rows, and that there is room for, where of some axes one value is shown.
pub(super) fn draw(grid: &Grid, rows: &[Row<'_>], shown: &[Option<usize>], budget: &mut Budget) -> Vec<Chart> {
    let mut chart = |along: usize, title: &str, figure: fn(&Entry) -> Option<Figure>| {
        let rows = &Grid::narrowed(rows, shown, Some(along));
        let metric = rows.iter().find_map(|row| figure(row.entry))?.metric;
        budget.spend(rows.len())?;
        let name = format!("{metric}-{}", grid.axes[along].name);
        let picture = Along { title: title.to_owned(), axis: along, figure, grid, rows }.draw();
        Some(Chart { name, along: Some(along), metric, picture })
    };
    let main = match rows.first().map(|row| row.entry.main.metric) {
        Some("delivery_ratio") => "share of deliveries",
        _ => "share of false removals",
    };
    let mut charts = Vec::new();
    for along in grid.varied().iter().copied() {
        charts.push(chart(along, main, |entry| Some(entry.main)));
        charts.push(chart(along, "share of broadcasts that reached everybody", |entry| entry.all));
    }
    for along in grid.varied().iter().copied() {
        let title = "mean length of loss periods, in messages,";
        charts.push(chart(along, title, |entry| entry.loss_period.map(|it| it.0)));
    }
    let rows = &Grid::narrowed(rows, shown, None);
    let distributions = [
        ("loss_period.by_length", "loss_period.mean", lengths::draw(grid, rows)),
        ("delay", "delay", latency::draw(grid, rows)),
    ];
    charts.extend(
        distributions.map(|(name, metric, picture)| {
            Some(Chart { name: name.to_owned(), along: None, metric, picture: picture? })
        }),
    );
    charts.into_iter().flatten().collect()
}

/// The most marks of all charts along axes together (a choice): those along later axes are left out.
pub(super) const MAX_MARKS: usize = 4_000;
