//! The rows of a page and the axes that they differ by.

use std::collections::BTreeMap;

use super::data::Entry;
use crate::study::Manifest;

/// What is drawn of a study.
pub(in crate::report) struct Grid {
    /// In the order of the file.
    pub(in crate::report) axes: Vec<Axis>,
}

/// An axis with the values that it has on the page.
pub(in crate::report) struct Axis {
    pub(in crate::report) name: String,
    /// Each as the names of points spell it.
    pub(in crate::report) labels: Vec<String>,
    pub(in crate::report) numbers: Vec<Option<f64>>,
}

/// A flow or app at a point: a row of the table, a bar, and a place in each chart.
pub(super) struct Row<'a> {
    /// Its number on the page.
    pub(super) number: usize,
    pub(super) id: &'a str,
    pub(super) replications: u32,
    pub(super) entry: &'a Entry,
    /// Of each axis the position of its value.
    pub(super) places: Vec<usize>,
}

/// Rows that differ by one axis only, in its order.
pub(super) struct Line<'r, 'a> {
    pub(super) rows: Vec<&'r Row<'a>>,
    pub(super) look: Look,
}

/// How a line is told apart: by colour and marker, and by dashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    pub(super) hue: usize,
    pub(super) dash: usize,
}

impl Grid {
    /// Of these points of a study.
    pub(in crate::report) fn new(manifest: &Manifest, points: &[usize]) -> Self {
        let axis = |(position, name): (usize, &str)| {
            let mut values: Vec<(String, Option<f64>)> = Vec::new();
            for point in points {
                let entry = &manifest.points[*point];
                let label = label(&entry.id, position);
                if !values.iter().any(|(known, _)| known == label) {
                    values.push((label.to_owned(), entry.values.get(position).and_then(serde_json::Value::as_f64)));
                }
            }
            if values.iter().all(|(_, number)| number.is_some()) {
                values.sort_by(|(_, a), (_, b)| a.partial_cmp(b).expect("JSON has finite numbers"));
            }
            let (labels, numbers) = values.into_iter().unzip();
            Axis { name: name.to_owned(), labels, numbers }
        };
        Grid { axes: manifest.axes.iter().map(|axis| axis.name.as_str()).enumerate().map(axis).collect() }
    }

    /// Where a point is.
    pub(in crate::report) fn places(&self, id: &str) -> Vec<usize> {
        let place = |(position, axis): (usize, &Axis)| {
            let label = label(id, position);
            axis.labels.iter().position(|known| known == label).unwrap_or(0)
        };
        self.axes.iter().enumerate().map(place).collect()
    }

    /// The axes that have more than one value.
    pub(in crate::report) fn varied(&self) -> Vec<usize> {
        (0..self.axes.len()).filter(|axis| self.axes[*axis].labels.len() > 1).collect()
    }

    /// The axes that colours and dashes stand for where `along` is the horizontal one: the one with the most values that
    /// there are colours for, and then another.
    pub(super) fn looks(&self, along: Option<usize>) -> [Option<usize>; 2] {
        let mut others: Vec<usize> = self.varied().into_iter().filter(|axis| Some(*axis) != along).collect();
        let values = |axis: &usize| Some(self.axes[*axis].labels.len()).filter(|values| *values <= Look::HUES);
        others.sort_by_key(|axis| std::cmp::Reverse(values(axis)));
        [others.first().copied(), others.get(1).copied()]
    }

    /// How what is at these places looks.
    pub(super) fn look(&self, along: Option<usize>, places: &[usize]) -> Look {
        match self.looks(along).map(|axis| axis.map(|axis| places[axis])) {
            [Some(hue), Some(dash)] => Look { hue: hue % Look::HUES, dash: dash % Look::DASHES },
            [hue, _] => Look::of(hue.unwrap_or(0)),
        }
    }

    /// The lines of a chart along an axis.
    pub(super) fn lines<'r, 'a>(&self, along: usize, rows: &'r [Row<'a>]) -> Vec<Line<'r, 'a>> {
        let mut lines: BTreeMap<Vec<usize>, Vec<&Row<'a>>> = BTreeMap::new();
        for row in rows {
            let mut others = row.places.clone();
            others[along] = 0;
            lines.entry(others).or_default().push(row);
        }
        let line = |mut rows: Vec<&'r Row<'a>>| {
            rows.sort_by_key(|row| row.places[along]);
            let look = self.look(Some(along), &rows[0].places);
            Line { rows, look }
        };
        lines.into_values().map(line).collect()
    }

    /// What filters show at first: of each axis all values, or the first one where the first chart would have more than
    /// [`MAX_LINES`]. The axes that colours and dashes stand for are the last to be narrowed.
    pub(super) fn shown(&self) -> Vec<Option<usize>> {
        let mut shown = vec![None; self.axes.len()];
        let varied = self.varied();
        let [hue, dash] = self.looks(varied.first().copied());
        let mut others: Vec<usize> =
            varied.into_iter().skip(1).filter(|axis| ![hue, dash].contains(&Some(*axis))).collect();
        others.splice(0..0, dash);
        let mut lines: f64 = others.iter().chain(&hue).map(|axis| self.axes[*axis].labels.len() as f64).product();
        while let Some(axis) = others.pop().filter(|_| lines > MAX_LINES) {
            lines /= self.axes[axis].labels.len() as f64;
            shown[axis] = Some(0);
        }
        shown
    }
}

impl Look {
    /// How many colours and markers there are.
    pub(super) const HUES: usize = 8;
    /// How many patterns of dashes there are.
    pub(super) const DASHES: usize = 4;

    /// That of the value at a place of an axis, where no other axis is told apart: beyond the colours by dashes.
    pub(super) fn of(place: usize) -> Self {
        Look { hue: place % Look::HUES, dash: place / Look::HUES % Look::DASHES }
    }
}

/// How the name of a point spells the value of an axis.
fn label(id: &str, axis: usize) -> &str {
    id.split(',').nth(axis).and_then(|part| Some(part.split_once('=')?.1)).unwrap_or_default()
}

/// The most lines that the first chart shows before anybody filters (a choice).
const MAX_LINES: f64 = 12.0;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn values_of_one_axis_look_different() {
        let looks: BTreeSet<(usize, usize)> =
            (0..Look::HUES * Look::DASHES).map(Look::of).map(|look| (look.hue, look.dash)).collect();
        assert_eq!(looks.len(), Look::HUES * Look::DASHES);
    }
}
