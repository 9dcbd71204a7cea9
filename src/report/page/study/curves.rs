//! Charts of distributions: a curve for each row.

use maud::html;

use super::chart::{self, HEIGHT, LEFT, RIGHT, WIDTH};
use super::data::Entry;
use super::grid::{Grid, Row};
use crate::report::page::picture::{Picture, number, path};

/// What is drawn.
pub(super) struct Curves<F> {
    /// What it shows, in a few words, and in a few sentences.
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    /// What the horizontal axis is.
    pub(super) axis: &'static str,
    /// Places on the axes, and what they stand for.
    pub(super) across: Vec<(f64, String)>,
    pub(super) up: Vec<(f64, String)>,
    /// The places that the curve of an entry goes through.
    pub(super) curve: F,
}

impl<F: Fn(&Entry) -> Vec<(f64, f64)>> Curves<F> {
    pub(super) fn draw(&self, grid: &Grid, rows: &[Row<'_>]) -> Picture {
        let (legend, below) = chart::legend(grid, None);
        let body = html! {
            (chart::frame(&self.up))
            (chart::ticks(&self.across))
            text.axis x=(number((LEFT + RIGHT) / 2.0)) y=(HEIGHT - 12.0) { (self.axis) }
            @for row in rows {
                @let places = (self.curve)(row.entry);
                @if let Some((x, y)) = places.last().copied() {
                    @let look = grid.look(None, &row.places);
                    g class=(format!("l c{}", look.hue)) data-r=(row.number) {
                        path class=(format!("d{}", look.dash)) d=(path(places.into_iter().map(Some))) {}
                        (chart::marker(look.hue, x, y, row.number))
                    }
                }
            }
            (legend)
        };
        let (title, description) = (self.title.to_owned(), self.description.to_owned());
        Picture { title, description, width: WIDTH, height: HEIGHT + below, body }
    }
}
