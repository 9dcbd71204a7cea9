//! The distribution of delays: a curve for each row through its quantiles, of which each decade beyond the median is as wide
//! as the one before.

use maud::html;

use super::chart::{self, HEIGHT, LEFT, RIGHT, WIDTH};
use super::data::QUANTILES;
use super::grid::{Grid, Row};
use crate::report::page::picture::{Picture, number, path};
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
    let place = |quantile: f64, nanos: u64| (chart::x(decades(quantile) / DECADES), chart::y(up.place(nanos as f64)));
    let tick = |tick: f64| (chart::y(up.place(tick)), Duration::from_nanos(tick.round() as u64).to_string());
    let ticks = TICKS.map(|(quantile, label)| (chart::x(decades(quantile) / DECADES), label.to_owned()));
    let (legend, below) = chart::legend(grid, None);
    let body = html! {
        (chart::frame(&up.ticks().into_iter().map(tick).collect::<Vec<_>>()))
        (chart::ticks(&ticks))
        text.axis x=(number((LEFT + RIGHT) / 2.0)) y=(HEIGHT - 12.0) { "share of messages with at most this delay" }
        @for row in rows {
            @let places: Vec<_> = QUANTILES.into_iter().zip(&row.entry.delays.0).map(|(it, nanos)| place(it, *nanos)).collect();
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
        title: "delay from write to read, by percentile".to_owned(),
        description:
            "A curve for each point, from its shortest delay to the highest percentile that enough delays lie beyond. \
                      The table below has the main percentiles."
                .to_owned(),
        width: WIDTH,
        height: HEIGHT + below,
        body,
    })
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
