//! The rows of a page and the axes that they differ by.

use std::collections::{BTreeMap, BTreeSet};

use super::data::Entry;
use crate::study::Manifest;

/// What is drawn of a study.
pub(in crate::report) struct Grid {
    /// In the order of the file.
    pub(in crate::report) axes: Vec<Axis>,
    /// Where its points are.
    points: Vec<Vec<usize>>,
    /// The axes that have more than one value, without those that are told by an earlier one, as where the study has
    /// `where = "one == other"`.
    varied: Vec<usize>,
}

/// An axis with the values that it has on the page.
pub(in crate::report) struct Axis {
    pub(in crate::report) name: String,
    /// Its name, and those of later ones that it tells.
    pub(in crate::report) title: String,
    /// Each as the names of points spell it.
    pub(in crate::report) labels: Vec<String>,
    /// Each as people see it, with those of later axes that it tells if they are others.
    pub(in crate::report) shown: Vec<String>,
    pub(in crate::report) numbers: Vec<Option<f64>>,
}

/// A flow or app at a point: a row of the table, a bar, and a place in each chart.
#[derive(Clone)]
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
            let labels: Vec<String> = labels;
            Axis { name: name.to_owned(), title: name.to_owned(), shown: labels.clone(), labels, numbers }
        };
        let axes = manifest.axes.iter().map(|axis| axis.name.as_str()).enumerate().map(axis).collect();
        let mut grid = Grid { axes, points: Vec::new(), varied: Vec::new() };
        grid.points = points.iter().map(|point| grid.places(&manifest.points[*point].id)).collect();
        for axis in 0..grid.axes.len() {
            if grid.axes[axis].labels.len() < 2 {
                continue;
            }
            match grid.varied.iter().copied().find(|earlier| are_tied(manifest, *earlier, axis)) {
                Some(earlier) => grid.tie(earlier, axis),
                None => grid.varied.push(axis),
            }
        }
        grid
    }

    /// An axis tells the values of a later one.
    fn tie(&mut self, earlier: usize, later: usize) {
        let (before, behind) = self.axes.split_at_mut(later);
        let (told, axis) = (&behind[0], &mut before[earlier]);
        axis.title = format!("{}, {}", axis.title, told.name);
        for (place, shown) in axis.shown.iter_mut().enumerate() {
            let point = self.points.iter().find(|places| places[earlier] == place);
            let value = point.map_or("", |places| &told.labels[places[later]]);
            if *shown != value {
                *shown = format!("{shown}, {value}");
            }
        }
    }

    /// Where a point is.
    pub(in crate::report) fn places(&self, id: &str) -> Vec<usize> {
        let place = |(position, axis): (usize, &Axis)| {
            let label = label(id, position);
            axis.labels.iter().position(|known| known == label).unwrap_or(0)
        };
        self.axes.iter().enumerate().map(place).collect()
    }

    /// The axes that make points differ: [`Grid::varied`].
    pub(in crate::report) fn varied(&self) -> &[usize] {
        &self.varied
    }

    /// Places by which the lines of a chart along an axis are told apart: of each axis that makes points differ, but for that one.
    pub(in crate::report) fn line(&self, along: usize, places: &[usize]) -> Vec<Option<usize>> {
        let differs = |axis: usize| axis != along && self.varied.contains(&axis);
        places.iter().enumerate().map(|(axis, place)| differs(axis).then_some(*place)).collect()
    }

    /// How many lines a chart along an axis has of points at these places.
    pub(in crate::report) fn number_of_lines(&self, points: &[&[usize]], along: usize) -> usize {
        points.iter().map(|places| self.line(along, places)).collect::<BTreeSet<_>>().len()
    }

    /// The axes that colours and dashes stand for where `along` is the horizontal one: the one with the most values that
    /// there are colours for, and then another.
    pub(super) fn looks(&self, along: Option<usize>) -> [Option<usize>; 2] {
        let mut others: Vec<usize> = self.varied.iter().copied().filter(|axis| Some(*axis) != along).collect();
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
        let mut lines: BTreeMap<Vec<Option<usize>>, Vec<&Row<'a>>> = BTreeMap::new();
        for row in rows {
            lines.entry(self.line(along, &row.places)).or_default().push(row);
        }
        let line = |mut rows: Vec<&'r Row<'a>>| {
            rows.sort_by_key(|row| row.places[along]);
            let look = self.look(Some(along), &rows[0].places);
            Line { rows, look }
        };
        lines.into_values().map(line).collect()
    }

    /// What filters show at first: of each axis all values, or one where the first chart would have more than [`MAX_LINES`]: of
    /// those with the most points the first. The axes that colours and dashes stand for are the last to be narrowed.
    pub(super) fn shown(&self) -> Vec<Option<usize>> {
        let mut shown = vec![None; self.axes.len()];
        let Some(along) = self.varied.first().copied() else { return shown };
        let [hue, dash] = self.looks(Some(along));
        let mut others: Vec<usize> =
            self.varied.iter().copied().filter(|axis| ![Some(along), hue, dash].contains(&Some(*axis))).collect();
        others.splice(0..0, dash);
        let mut points: Vec<&[usize]> = self.points.iter().map(Vec::as_slice).collect();
        while self.number_of_lines(&points, along) > MAX_LINES
            && let Some(axis) = others.pop()
        {
            let at = |place: usize| points.iter().filter(|places| places[axis] == place).count();
            let most = (0..self.axes[axis].labels.len()).rev().max_by_key(|place| at(*place));
            shown[axis] = most;
            points.retain(|places| Some(places[axis]) == most);
        }
        shown
    }

    /// The rows that a chart along an axis shows, or one of no axis, where other axes have one value. What goes along an axis is
    /// not narrowed on it.
    pub(super) fn narrowed<'a>(rows: &[Row<'a>], shown: &[Option<usize>], along: Option<usize>) -> Vec<Row<'a>> {
        let mut shown = shown.to_vec();
        along.into_iter().for_each(|along| shown[along] = None);
        rows.iter().filter(|row| is_shown(&shown, &row.places)).cloned().collect()
    }
}

/// Whether places are those where axes have one value.
pub(in crate::report) fn is_shown(shown: &[Option<usize>], places: &[usize]) -> bool {
    shown.iter().zip(places).all(|(shown, place)| shown.is_none_or(|it| it == *place))
}

impl Look {
    /// How many colours and markers there are.
    pub(super) const HUES: usize = 8;
    /// How many patterns of dashes there are.
    pub(super) const DASHES: usize = 9;

    /// That of the value at a place of an axis, where no other axis is told apart: beyond the colours by dashes.
    pub(super) fn of(place: usize) -> Self {
        Look { hue: place % Look::HUES, dash: place / Look::HUES % Look::DASHES }
    }
}

/// Whether the value of either axis says which the other has, at all points of a study.
fn are_tied(manifest: &Manifest, one: usize, other: usize) -> bool {
    let pairs = manifest.points.iter().map(|point| (label(&point.id, one), label(&point.id, other)));
    let pairs: BTreeSet<(&str, &str)> = pairs.collect();
    let ones: BTreeSet<&str> = pairs.iter().map(|(one, _)| *one).collect();
    let others: BTreeSet<&str> = pairs.iter().map(|(_, other)| *other).collect();
    pairs.len() == ones.len() && pairs.len() == others.len()
}

/// How the name of a point spells the value of an axis.
fn label(id: &str, axis: usize) -> &str {
    id.split(',').nth(axis).and_then(|part| Some(part.split_once('=')?.1)).unwrap_or_default()
}

/// The most lines that the first chart shows before anybody filters (a choice).
const MAX_LINES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{AxisEntry, PointEntry, Rule};

    /// Of a study with axes a, b, ... and points at these values.
    fn grid_of(points: &[Vec<i64>]) -> Grid {
        let names = || ('a'..).map(String::from);
        let entry = |values: &Vec<i64>| PointEntry {
            id: names().zip(values).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
            values: values.iter().map(|value| (*value).into()).collect(),
            seed: String::new(),
            hash: String::new(),
        };
        let axes = names().take(points[0].len()).map(|name| AxisEntry { name, set: String::new() });
        let manifest = Manifest {
            schema: String::new(),
            version: String::new(),
            generator: String::new(),
            name: String::new(),
            hash: String::new(),
            axes: axes.collect(),
            replications: Rule::Fixed(1),
            points: points.iter().map(entry).collect(),
        };
        Grid::new(&manifest, &(0..points.len()).collect::<Vec<_>>())
    }

    /// All combinations of so many values of each axis.
    fn combinations(values: &[i64]) -> Vec<Vec<i64>> {
        values.iter().fold(vec![Vec::new()], |all, values| {
            let with = |one: &Vec<i64>| (1..=*values).map(|value| [&one[..], &[value]].concat()).collect::<Vec<_>>();
            all.iter().flat_map(with).collect()
        })
    }

    #[test]
    fn what_is_shown_first_has_points() {
        let all = combinations(&[3, 8, 8, 8]);
        assert_eq!(grid_of(&all).shown(), [None, None, Some(0), Some(0)]);
        let some: Vec<Vec<i64>> = all.into_iter().filter(|values| values[2] != values[3]).collect();
        let grid = grid_of(&some);
        let shown = grid.shown();
        let left: Vec<&[usize]> =
            grid.points.iter().map(Vec::as_slice).filter(|places| is_shown(&shown, places)).collect();
        assert!((1..=MAX_LINES).contains(&grid.number_of_lines(&left, 0)), "{shown:?}");
    }

    #[test]
    fn an_axis_that_an_earlier_one_tells_is_none_of_its_own() {
        let linked: Vec<Vec<i64>> =
            combinations(&[3, 3, 2]).into_iter().filter(|values| values[0] == values[1]).collect();
        let grid = grid_of(&linked);
        assert_eq!(grid.varied(), [0, 2]);
        assert_eq!(grid.axes[0].title, "a, b");
        assert_eq!(grid.axes[0].shown, ["1", "2", "3"]);
        let points: Vec<&[usize]> = grid.points.iter().map(Vec::as_slice).collect();
        assert_eq!(grid.number_of_lines(&points, 0), 2);
        let other = grid_of(&[vec![1, 5], vec![2, 7]]);
        assert_eq!((other.varied(), &other.axes[0].shown[..]), (&[0][..], &["1, 5".to_owned(), "2, 7".to_owned()][..]));
    }

    #[test]
    fn values_of_one_axis_look_different() {
        let looks: BTreeSet<(usize, usize)> =
            (0..Look::HUES * Look::DASHES).map(Look::of).map(|look| (look.hue, look.dash)).collect();
        assert_eq!(looks.len(), Look::HUES * Look::DASHES);
    }
}
