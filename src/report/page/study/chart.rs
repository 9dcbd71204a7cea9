//! Charts of a figure along an axis: a line with markers and a band for each combination of the other axes, and dots for the
//! closed form.

use maud::{Markup, PreEscaped, html};

use super::data::{Entry, Figure};
use super::grid::{Axis, Grid, Line, Look, Row};
use crate::report::page::picture::{self, Key, MAX_LABEL, Picture, clipped, number, path, text_width};
use crate::report::scale::Scale;
use crate::report::wording::six_digits;

/// What is drawn.
pub(super) struct Along<'a> {
    /// What it shows, in a few words.
    pub(super) title: String,
    /// The axis that it is drawn along.
    pub(super) axis: usize,
    pub(super) figure: fn(&Entry) -> Option<Figure>,
    pub(super) grid: &'a Grid,
    pub(super) rows: &'a [Row<'a>],
}

/// A point of a line: where it is in the picture.
struct Mark {
    row: usize,
    x: f64,
    y: f64,
    band: Option<(f64, f64)>,
    theory: Option<f64>,
}

impl Along<'_> {
    pub(super) fn draw(&self) -> Picture {
        let axis = &self.grid.axes[self.axis];
        let across = Scale::of_axis(&axis.numbers);
        let figures: Vec<Figure> = self.rows.iter().filter_map(|row| (self.figure)(row.entry)).collect();
        let values = figures.iter().flat_map(|it| {
            let (low, high) = it.interval.unzip();
            [it.value, low.map(|low| low.max(0.0)), high, it.theory].into_iter().flatten()
        });
        let up = Scale::of_figure(&values.collect::<Vec<_>>());
        let places: Vec<f64> = (0..axis.labels.len())
            .map(|place| {
                across.place(if across.is_ordered() { axis.numbers[place].unwrap_or(0.0) } else { place as f64 })
            })
            .map(x)
            .collect();
        let mark = |row: &&Row<'_>| {
            let figure = (self.figure)(row.entry)?;
            let within = |value: f64| y(up.place(value.max(0.0)));
            let band = figure.interval.map(|(low, high)| (within(low), within(high)));
            let (x, theory) = (places[row.places[self.axis]], figure.theory.map(within));
            Some(Mark { row: row.number, x, y: within(figure.value?), band, theory })
        };
        let lines = self.grid.lines(self.axis, self.rows);
        let marks = |line: &Line<'_, '_>| line.rows.iter().filter_map(mark).collect::<Vec<_>>();
        let (legend, below) = legend(self.grid, Some(self.axis));
        let body = html! {
            (frame(&up.ticks().into_iter().map(|tick| (y(up.place(tick)), six_digits(tick).to_string())).collect::<Vec<_>>()))
            (ticks(&places.iter().copied().zip(axis.shown.iter().cloned()).collect::<Vec<_>>()))
            text.axis x=(number((LEFT + RIGHT) / 2.0)) y=(HEIGHT - 12.0) { (axis.title) }
            @for line in &lines { (draw_line(line, &self.grid.line(self.axis, &line.rows[0].places), &marks(line), across.is_ordered())) }
            (legend)
        };
        Picture {
            title: format!("{} against {}", self.title, axis.title),
            description: self.description(&lines, &figures),
            width: WIDTH,
            height: HEIGHT + below,
            body,
        }
    }

    /// In words, for those who cannot see it.
    fn description(&self, lines: &[Line<'_, '_>], figures: &[Figure]) -> String {
        let axis = &self.grid.axes[self.axis];
        let ends = (axis.labels.first().map_or("", String::as_str), axis.labels.last().map_or("", String::as_str));
        let values = || figures.iter().filter_map(|figure| figure.value);
        let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let found = if low <= high {
            format!("values from {} to {}", six_digits(low), six_digits(high))
        } else {
            "no values".to_owned()
        };
        let (name, count) = (&axis.title, lines.len());
        format!("{name} goes from {} to {}; lines: {count}; {found}. points.csv has every number.", ends.0, ends.1)
    }
}

/// A line with all that belongs to it.
fn draw_line(line: &Line<'_, '_>, places: &[Option<usize>], marks: &[Mark], is_ordered: bool) -> Markup {
    let places = places.iter().map(|place| place.map_or(String::new(), |place| place.to_string()));
    let measured = path(marks.iter().map(|mark| Some((mark.x, mark.y))));
    let theory = path(marks.iter().map(|mark| Some((mark.x, mark.theory?))));
    let Look { hue, dash } = line.look;
    html! {
        g class=(format!("l c{hue}")) data-v=(places.collect::<Vec<_>>().join(",")) {
            @if is_ordered {
                @for run in marks.chunk_by(|one, other| one.band.is_some() && other.band.is_some()) {
                    @if run.len() > 1 { path.b d=(band(run)) {} } @else { (whisker(&run[0])) }
                }
                @if theory.contains('L') { path.t d=(theory) {} }
                path class=(format!("d{dash}")) d=(measured) {}
            } @else {
                @for mark in marks {
                    (whisker(mark))
                    @if let Some(theory) = mark.theory { path.t d=(format!("M{} {}h18", number(mark.x - 9.0), number(theory))) {} }
                }
            }
            @for mark in marks { (marker(hue, mark.x, mark.y, mark.row)) }
        }
    }
}

/// A marker that stands for a row.
pub(super) fn marker(hue: usize, x: f64, y: f64, row: usize) -> Markup {
    PreEscaped(format!("<use href=\"#m{hue}\" x=\"{}\" y=\"{}\" data-r=\"{row}\"/>", number(x), number(y)))
}

/// The interval of a mark that stands alone.
fn whisker(mark: &Mark) -> Markup {
    html! {
        @if let Some((low, high)) = mark.band {
            path d=(format!("M{} {}V{}", number(mark.x), number(low), number(high))) {}
        }
    }
}

/// There along the upper bounds, and back along the lower ones.
fn band(marks: &[Mark]) -> String {
    let there = marks.iter().filter_map(|mark| Some((mark.x, mark.band?.1)));
    let back = marks.iter().rev().filter_map(|mark| Some((mark.x, mark.band?.0)));
    path(there.chain(back).map(Some)) + "Z"
}

/// The horizontal lines of a picture, and what they stand for.
pub(super) fn frame(ticks: &[(f64, String)]) -> Markup {
    html! {
        @for (place, label) in ticks {
            path.g d=(format!("M{} {}H{}", number(LEFT), number(*place), number(RIGHT))) {}
            text.y x=(LEFT - 6.0) y=(number(place + 4.0)) { (label) }
        }
    }
}

/// Marks on the lower edge, with as many labels as have room: first those of the ends.
pub(super) fn ticks(ticks: &[(f64, String)]) -> Markup {
    let end = ticks.len().saturating_sub(1);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    let mut labels: Vec<(f64, Option<String>)> = ticks.iter().map(|(place, _)| (*place, None)).collect();
    for number in [0, end].into_iter().chain(1..end).filter(|number| *number < ticks.len()) {
        let (place, label) = &ticks[number];
        let label = clipped(label, MAX_LABEL);
        let half = text_width(&label) / 2.0;
        let (left, right) = (place - half - GAP, place + half + GAP);
        if taken.iter().all(|(from, to)| right < *from || *to < left) {
            taken.push((place - half, place + half));
            labels[number].1 = Some(label);
        }
    }
    html! {
        @for (place, label) in labels {
            path.g d=(format!("M{} {}v4", number(place), number(BOTTOM))) {}
            @if let Some(label) = label { text.x x=(number(place)) y=(BOTTOM + 22.0) { (label) } }
        }
    }
}

/// What colours, markers and dashes mean, and how high that is.
pub(super) fn legend(grid: &Grid, along: Option<usize>) -> (Markup, f64) {
    let [hue, dash] = grid.looks(along).map(|axis| axis.map(|axis| &grid.axes[axis]));
    let of_hue = |place: usize| {
        let look = Look::of(place);
        let (hue, line) = (look.hue, if dash.is_some() { 0 } else { look.dash });
        html! {
            g class=(format!("c{hue}")) {
                path class=(format!("d{line}")) d="M0 6H30" {}
                use href=(format!("#m{hue}")) x="15" y="6" {}
            }
        }
    };
    let of_dash = |place: usize| html! { path class=(format!("n d{}", place % Look::DASHES)) d="M0 6H30" {} };
    let (hues, high) = hue.map_or_else(Default::default, |axis| keys(axis, HEIGHT, of_hue));
    let (dashes, higher) = dash.map_or_else(Default::default, |axis| keys(axis, HEIGHT + high, of_dash));
    (html! { (hues) (dashes) }, high + higher)
}

/// The values of an axis, each with its sign.
fn keys(axis: &Axis, top: f64, sign: impl Fn(usize) -> Markup) -> (Markup, f64) {
    let key = |(place, label): (usize, &String)| Key { sign: sign(place), label: label.clone() };
    let mut keys: Vec<Key> = axis.shown.iter().enumerate().take(MAX_KEYS).map(key).collect();
    if axis.labels.len() > MAX_KEYS {
        keys.push(Key { sign: html! {}, label: "and so on".to_owned() });
    }
    picture::legend(&axis.title, &keys, WIDTH, top)
}

/// Where a share of the width is.
pub(super) fn x(share: f64) -> f64 {
    LEFT + share * (RIGHT - LEFT)
}

/// Where a share of the height is.
pub(super) fn y(share: f64) -> f64 {
    BOTTOM - share * (BOTTOM - TOP)
}

/// The size of a chart, without its legend.
pub(super) const WIDTH: f64 = 480.0;
pub(super) const HEIGHT: f64 = 306.0;
pub(super) const LEFT: f64 = 62.0;
pub(super) const RIGHT: f64 = 452.0;
const TOP: f64 = 14.0;
pub(super) const BOTTOM: f64 = 252.0;
/// From one label of a value to the next, at least.
const GAP: f64 = 8.0;
/// The most values that a legend explains.
const MAX_KEYS: usize = 16;
