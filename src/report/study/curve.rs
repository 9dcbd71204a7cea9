//! The curve of a study as text: a flow or app along an axis, a letter for each combination of the others.

use std::collections::BTreeMap;

use super::summary::PointSummary;
use crate::report::page::study::grid::Grid;
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
    let Some(along) = greatest(grid.varied(), |axis| figure.effect(*axis)) else { return String::new() };
    let fixed = figure.fixed(&grid, along);
    // Of each line, which has one value of all axes but one, the places along that, and the values there.
    let mut lines: BTreeMap<Vec<usize>, Vec<(usize, f64)>> = BTreeMap::new();
    for (places, value) in &figure.values {
        if fixed.iter().zip(places).all(|(fixed, place)| fixed.is_none_or(|fixed| fixed == *place)) {
            let mut others = places.clone();
            let place = std::mem::take(&mut others[along]);
            lines.entry(others).or_default().push((place, *value));
        }
    }
    let values: Vec<f64> = lines.values().flatten().map(|(_, value)| *value).collect();
    let mut plot = Plot::new(Scale::of_axis(&grid.axes[along].numbers), Scale::of_figure(&values));
    for (letter, line) in (b'A'..).map(char::from).zip(lines.values_mut()) {
        line.sort_by_key(|(place, _)| *place);
        let number = |place: usize| grid.axes[along].numbers[place].unwrap_or(0.0);
        plot.line(letter, line.iter().map(|(place, value)| (*place, number(*place), *value)));
    }
    let what =
        |axis: usize, place: usize| format!("{}={}", grid.axes[axis].name, clipped(&grid.axes[axis].labels[place]));
    let of_fixed = (0..grid.axes.len()).filter_map(|axis| Some(format!(", {}", what(axis, fixed[axis]?))));
    let title = format!("{} {} against {}", figure.of, figure.metric, grid.axes[along].name);
    let mut text = format!("\n{title}{}\n\n{}", of_fixed.collect::<String>(), plot.text(&grid.axes[along].labels));
    let told_apart: Vec<usize> =
        grid.varied().into_iter().filter(|axis| *axis != along && fixed[*axis].is_none()).collect();
    for (letter, places) in (b'A'..).map(char::from).zip(lines.keys()).filter(|_| !told_apart.is_empty()) {
        let values: Vec<String> = told_apart.iter().map(|axis| what(*axis, places[*axis])).collect();
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
        range(self.at_places(axis).into_values().map(|values| values.iter().sum::<f64>() / values.len() as f64))
    }

    /// Its values, by the place along an axis.
    fn at_places(&self, axis: usize) -> BTreeMap<usize, Vec<f64>> {
        let mut at: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        self.values.iter().for_each(|(places, value)| at.entry(places[axis]).or_default().push(*value));
        at
    }

    /// The axes of which one value is shown, so that there are no more than [`MAX_LINES`] lines: the last ones, each where the
    /// figure varies most.
    fn fixed(&self, grid: &Grid, along: usize) -> Vec<Option<usize>> {
        let mut fixed = vec![None; grid.axes.len()];
        let others: Vec<usize> = grid.varied().into_iter().filter(|axis| *axis != along).collect();
        let values = |axis: usize| grid.axes[axis].labels.len() as f64;
        let mut lines: f64 = others.iter().map(|axis| values(*axis)).product();
        for axis in others.into_iter().rev() {
            if lines <= MAX_LINES {
                break;
            }
            lines /= values(axis);
            let places = self.at_places(axis).into_iter().collect();
            fixed[axis] =
                greatest(places, |(_, values): &(usize, Vec<f64>)| range(values.iter().copied())).map(|it| it.0);
        }
        fixed
    }
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
    across: Scale,
    up: Scale,
    cells: Vec<Vec<char>>,
    /// Where the values of the axis are.
    columns: BTreeMap<usize, usize>,
}

impl Plot {
    fn new(across: Scale, up: Scale) -> Self {
        Plot { across, up, cells: vec![vec![' '; COLUMNS]; ROWS], columns: BTreeMap::new() }
    }

    /// Points with their letter, and dots between them where the axis has an order.
    fn line(&mut self, letter: char, points: impl Iterator<Item = (usize, f64, f64)>) {
        let mut last: Option<(usize, f64)> = None;
        let mut marks = Vec::new();
        for (place, number, value) in points {
            let share =
                if self.across.is_ordered() { self.across.place(number) } else { self.across.place(place as f64) };
            let column = (share * (COLUMNS - 1) as f64).round() as usize;
            self.columns.insert(place, column);
            if let Some((from, before)) = last.filter(|_| self.across.is_ordered()) {
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
        let mut below = String::new();
        for (place, column) in &self.columns {
            axis[*column] = '+';
            let label = clipped(&labels[*place]);
            let start = column.saturating_sub(label.chars().count() / 2);
            let free = below.chars().count();
            if free == 0 || start > free {
                below.push_str(&" ".repeat(start - free));
                below.push_str(&label);
            }
        }
        text + &format!("{:>width$}{}\n{:MARGIN$}{below}\n", "+", axis.iter().collect::<String>(), "", width = MARGIN)
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
const MAX_LINES: f64 = 6.0;
/// The size of the field, and the room on its left.
const ROWS: usize = 15;
const COLUMNS: usize = 72;
const MARGIN: usize = 12;
/// Where several lines have a point.
const SEVERAL: char = '*';
/// The longest label of a value.
const MAX_LABEL: usize = 14;
