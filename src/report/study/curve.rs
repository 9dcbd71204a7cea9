//! The curve of a study as text: a flow or app along an axis, a letter for each combination of the others.

use std::collections::BTreeMap;

use super::summary::PointSummary;
use crate::report::page::study::grid::{Grid, is_shown};
use crate::report::scale::Scale;
use crate::report::wording::six_digits;
use crate::study::Manifest;

/// The curve of the flow or app that varies most, along the axis that makes most of that; empty if nothing is varied, or
/// nothing has a value.
pub(super) fn draw(manifest: &Manifest, points: &[PointSummary]) -> String {
    let positions: BTreeMap<&str, usize> =
        manifest.points.iter().enumerate().map(|(position, point)| (point.id.as_str(), position)).collect();
    let shown: Vec<usize> = points.iter().filter_map(|point| positions.get(point.point.as_str()).copied()).collect();
    let grid = Grid::new(manifest, &shown);
    let Some(figure) = greatest(figures(&grid, points), Figure::range) else { return String::new() };
    let Some(along) = greatest(grid.varied().to_vec(), |axis| figure.effect(*axis)) else { return String::new() };
    let fixed = figure.fixed(&grid, along);
    // Of each line, which has one value of all axes but one, the places along that, and the values there.
    let mut lines: BTreeMap<Vec<Option<usize>>, Vec<(usize, f64)>> = BTreeMap::new();
    for (places, value) in &figure.values {
        if is_shown(&fixed, places) {
            lines.entry(grid.line(along, places)).or_default().push((places[along], *value));
        }
    }
    let values: Vec<f64> = lines.values().flatten().map(|(_, value)| *value).collect();
    let mut plot = Plot::new(&grid.axes[along].numbers, Scale::of_figure(&values));
    for (letter, line) in (b'A'..).map(char::from).zip(lines.values_mut()) {
        line.sort_by_key(|(place, _)| *place);
        plot.line(letter, line);
    }
    let what =
        |axis: usize, place: usize| format!("{}={}", grid.axes[axis].title, clipped(&grid.axes[axis].shown[place]));
    let of_fixed = (0..grid.axes.len()).filter_map(|axis| Some(format!(", {}", what(axis, fixed[axis]?))));
    let title = format!("{} {} against {}", figure.of, figure.metric, grid.axes[along].title);
    let mut text = format!("\n{title}{}\n\n{}", of_fixed.collect::<String>(), plot.text(&grid.axes[along].shown));
    let told_apart: Vec<usize> =
        grid.varied().iter().copied().filter(|axis| *axis != along && fixed[*axis].is_none()).collect();
    for (letter, places) in (b'A'..).map(char::from).zip(lines.keys()).filter(|_| !told_apart.is_empty()) {
        let values: Vec<String> = told_apart.iter().filter_map(|axis| Some(what(*axis, places[*axis]?))).collect();
        text.push_str(&format!("{:MARGIN$}{letter} {}\n", "", values.join(", ")));
    }
    if plot.cells.iter().flatten().any(|cell| *cell == SEVERAL) {
        text.push_str(&format!("{:MARGIN$}{SEVERAL} several\n", ""));
    }
    text
}

/// The main figure of a flow or app.
struct Figure<'a> {
    of: &'a str,
    metric: &'static str,
    /// Where points are, and its values there.
    values: Vec<(Vec<usize>, f64)>,
}

/// Those that have values, in the order of the report.
fn figures<'a>(grid: &Grid, points: &'a [PointSummary]) -> Vec<Figure<'a>> {
    let mut figures: Vec<Figure<'_>> = Vec::new();
    let mut positions = BTreeMap::new();
    for point in points {
        let places = grid.places(&point.point);
        for figure in &point.figures {
            let Some(value) = figure.value else { continue };
            let position = *positions.entry((&figure.of, figure.metric)).or_insert(figures.len());
            if position == figures.len() {
                figures.push(Figure { of: &figure.of, metric: figure.metric, values: Vec::new() });
            }
            figures[position].values.push((places.clone(), value));
        }
    }
    figures
}

impl Figure<'_> {
    fn range(&self) -> f64 {
        range(self.values.iter().map(|(_, value)| *value))
    }

    /// How far its means at the values of an axis differ.
    fn effect(&self, axis: usize) -> f64 {
        let at = at_places(self.values.iter(), axis);
        range(at.into_values().map(|values| values.iter().sum::<f64>() / values.len() as f64))
    }

    /// The axes of which one value is shown, so that there are no more than [`MAX_LINES`] lines: the last ones, each where the
    /// figure varies most among what is left.
    fn fixed(&self, grid: &Grid, along: usize) -> Vec<Option<usize>> {
        let mut fixed = vec![None; grid.axes.len()];
        let mut others: Vec<usize> = grid.varied().iter().copied().filter(|axis| *axis != along).collect();
        let mut left: Vec<&(Vec<usize>, f64)> = self.values.iter().collect();
        let lines = |left: &[&(Vec<usize>, f64)]| {
            grid.number_of_lines(&left.iter().map(|(places, _)| places.as_slice()).collect::<Vec<_>>(), along)
        };
        while lines(&left) > MAX_LINES
            && let Some(axis) = others.pop()
        {
            let places = at_places(left.iter().copied(), axis).into_iter().collect();
            fixed[axis] =
                greatest(places, |(_, values): &(usize, Vec<f64>)| range(values.iter().copied())).map(|it| it.0);
            left.retain(|(places, _)| Some(places[axis]) == fixed[axis]);
        }
        fixed
    }
}

/// Values, by the place along an axis.
fn at_places<'v>(values: impl Iterator<Item = &'v (Vec<usize>, f64)>, axis: usize) -> BTreeMap<usize, Vec<f64>> {
    let mut at: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    values.for_each(|(places, value)| at.entry(places[axis]).or_default().push(*value));
    at
}

/// The first of those of which something is greatest.
fn greatest<T>(all: Vec<T>, key: impl Fn(&T) -> f64) -> Option<T> {
    all.into_iter().rev().max_by(|one, other| key(one).total_cmp(&key(other)))
}

/// From the least to the greatest.
fn range(values: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)));
    high - low
}

/// A field of characters.
struct Plot {
    up: Scale,
    cells: Vec<Vec<char>>,
    /// Where the values of the axis are, and whether what is between them means something.
    columns: Vec<usize>,
    is_ordered: bool,
}

impl Plot {
    /// Along an axis with these values.
    fn new(values: &[Option<f64>], up: Scale) -> Self {
        let across = Scale::of_axis(values);
        let is_ordered = across.is_ordered();
        let share = |(place, value): (usize, &Option<f64>)| match value {
            Some(value) if is_ordered => across.place(*value),
            _ => across.place(place as f64),
        };
        let column = |share: f64| (share * (COLUMNS - 1) as f64).round() as usize;
        let columns = values.iter().enumerate().map(share).map(column).collect();
        Plot { up, cells: vec![vec![' '; COLUMNS]; ROWS], columns, is_ordered }
    }

    /// Points with their letter, and dots between them where the axis has an order.
    fn line(&mut self, letter: char, points: &[(usize, f64)]) {
        let mut last: Option<(usize, f64)> = None;
        let mut marks = Vec::new();
        for (place, value) in points.iter().copied() {
            let column = self.columns[place];
            if let Some((from, before)) = last.filter(|_| self.is_ordered) {
                for between in from + 1..column {
                    let part = (between - from) as f64 / (column - from) as f64;
                    let row = self.row(before + (value - before) * part);
                    if self.cells[row][between] == ' ' {
                        self.cells[row][between] = '·';
                    }
                }
            }
            marks.push((self.row(value), column));
            last = Some((column, value));
        }
        for (row, column) in marks {
            let cell = &mut self.cells[row][column];
            *cell = if cell.is_ascii_uppercase() || *cell == SEVERAL { SEVERAL } else { letter };
        }
    }

    /// The row of a value, from the top.
    fn row(&self, value: f64) -> usize {
        let share = self.up.place(value.max(0.0)).clamp(0.0, 1.0);
        ROWS - 1 - (share * (ROWS - 1) as f64).round() as usize
    }

    /// With its axes.
    fn text(&self, labels: &[String]) -> String {
        let ticks: BTreeMap<usize, f64> = self.up.ticks().into_iter().map(|tick| (self.row(tick), tick)).collect();
        let mut text = String::new();
        for (number, row) in self.cells.iter().enumerate() {
            let tick = ticks.get(&number).map_or(String::new(), |tick| six_digits(*tick).to_string());
            let row: String = row.iter().collect();
            text.push_str(format!("{tick:>width$} |{row}", width = MARGIN - 2).trim_end());
            text.push('\n');
        }
        let mut axis = vec!['-'; COLUMNS];
        self.columns.iter().for_each(|column| axis[*column] = '+');
        let below = self.below(labels);
        text + &format!("{:>width$}{}\n{:MARGIN$}{below}\n", "+", axis.iter().collect::<String>(), "", width = MARGIN)
    }

    /// The labels of values below the axis, as many as have room: first those of the ends.
    fn below(&self, labels: &[String]) -> String {
        let mut below = vec![' '; COLUMNS + MAX_LABEL];
        let end = labels.len().saturating_sub(1);
        for place in [0, end].into_iter().chain(1..end) {
            let label: Vec<char> = clipped(&labels[place]).chars().collect();
            let start = self.columns[place].saturating_sub(label.len() / 2);
            let around = start.saturating_sub(1)..start + label.len() + 1;
            if below[around].iter().all(|cell| *cell == ' ') {
                below[start..start + label.len()].copy_from_slice(&label);
            }
        }
        below.into_iter().collect::<String>().trim_end().to_owned()
    }
}

/// A label that leaves room for others.
fn clipped(label: &str) -> String {
    if label.chars().count() <= MAX_LABEL {
        return label.to_owned();
    }
    label.chars().take(MAX_LABEL - 1).chain(['~']).collect()
}

/// The most lines (a choice).
const MAX_LINES: usize = 6;
/// The size of the field, and the room on its left.
const ROWS: usize = 15;
const COLUMNS: usize = 72;
const MARGIN: usize = 12;
/// Where several lines have a point.
const SEVERAL: char = '*';
/// The longest label of a value.
const MAX_LABEL: usize = 14;
