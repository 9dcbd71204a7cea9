//! The distribution of delays: a curve for each row through its quantiles, of which each decade beyond the median is as wide
//! as the one before.

use maud::{Markup, html};

use super::chart::{self, VIEW};
use super::data::QUANTILES;
use super::grid::{Grid, Row};
use super::scale::Scale;
use crate::time::Duration;

/// The curves of some rows; nothing if none has delays.
pub(super) fn draw(name: &str, columns: (usize, usize), grid: &Grid, rows: &[Row<'_>]) -> Markup {
    let delays = rows.iter().flat_map(|row| &row.entry.delays.0).map(|nanos| *nanos as f64);
    let positive: Vec<f64> = delays.filter(|nanos| *nanos > 0.0).collect();
    if positive.is_empty() {
        return html! {};
    }
    let up = Scale::of_times(&positive);
    let place = |quantile: f64, nanos: u64| (chart::x(decades(quantile) / DECADES), chart::y(up.place(nanos as f64)));
    let tick = |tick: f64| (chart::y(up.place(tick)), Duration::from_nanos(tick.round() as u64).to_string());
    html! {
        figure data-m=(format!("{} {}", columns.0, columns.1)) {
            figcaption id=(name) { "Delay from write to read, by percentile" }
            svg viewBox=(VIEW) role="group" aria-labelledby=(name) aria-describedby=(format!("{name}-d")) {
                desc id=(format!("{name}-d")) {
                    "A curve for each point, from its shortest delay to the highest percentile that enough delays lie beyond. \
                     The table below has the main percentiles."
                }
                (chart::frame(&up.ticks().into_iter().map(tick).collect::<Vec<_>>()))
                (chart::ticks(&TICKS.map(|(quantile, label)| (chart::x(decades(quantile) / DECADES), label.to_owned()))))
                text.axis x=(chart::number((chart::LEFT + chart::RIGHT) / 2.0)) y=(chart::HEIGHT - 6.0) { "share of messages with at most this delay" }
                @for row in rows {
                    @let places: Vec<_> = QUANTILES.into_iter().zip(&row.entry.delays.0).map(|(it, nanos)| place(it, *nanos)).collect();
                    @if let Some((x, y)) = places.last().copied() {
                        @let look = grid.look(None, &row.places);
                        g class=(format!("l c{}", look.hue)) data-r=(row.number) {
                            path class=(format!("d{}", look.dash)) d=(chart::path(places.into_iter().map(Some))) {}
                            (chart::marker(look.hue, x, y, row.number))
                        }
                    }
                }
            }
            (chart::legend(grid, None))
        }
    }
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
