//! The distribution of the lengths of loss periods: a curve for each row. Where one loss does not make the next more or less
//! probable, or bursts end with the same probability after each loss, it is a straight line.

use maud::html;

use super::chart::{self, HEIGHT, LEFT, RIGHT, WIDTH};
use super::data::LENGTHS;
use super::grid::{Grid, Row};
use crate::report::page::picture::{Picture, number, path};
use crate::report::scale::Scale;
use crate::report::wording::grouped;

/// The curves of some rows; nothing if no row has periods of two lengths.
pub(super) fn draw(grid: &Grid, rows: &[Row<'_>]) -> Option<Picture> {
    let most = rows.iter().map(|row| row.entry.lengths.0.len()).max().filter(|most| *most > 1)?;
    let shares: Vec<f64> = rows.iter().flat_map(|row| &row.entry.lengths.0).copied().collect();
    let (across, up) = (Scale::of_figure(&[0.0, LENGTHS[most - 1] as f64]), Scale::of_times(&shares));
    let place = |(length, share): (usize, &f64)| (chart::x(across.place(length as f64)), chart::y(up.place(*share)));
    let tick = |tick: f64| (chart::y(up.place(tick)), grouped(tick.round() as u64));
    let ticks = across.ticks().into_iter().map(|tick| (chart::x(across.place(tick)), tick.to_string()));
    let (legend, below) = chart::legend(grid, None);
    let body = html! {
        (chart::frame(&up.ticks().into_iter().map(tick).collect::<Vec<_>>()))
        (chart::ticks(&ticks.collect::<Vec<_>>()))
        text.axis x=(number((LEFT + RIGHT) / 2.0)) y=(HEIGHT - 12.0) { "messages" }
        @for row in rows {
            @let places: Vec<_> = LENGTHS.into_iter().zip(&row.entry.lengths.0).map(place).collect();
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
    Some(Picture {
        title: "of 1,000 loss periods, how many are so long or longer".to_owned(),
        description: "A curve for each point, up to the longest length that enough loss periods have. The table below has their mean \
                      and the longest."
            .to_owned(),
        width: WIDTH,
        height: HEIGHT + below,
        body,
    })
}
