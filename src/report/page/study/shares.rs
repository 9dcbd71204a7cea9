//! Bars of shares: which part of the messages reached all, some and none of their recipients, and what became of all.

use maud::{Markup, html};

use super::grid::Row;
use crate::report::page::bars::{bar, class, legend};
use crate::stats::Fate;

/// A bar or two for each row; nothing if there are no messages.
pub(super) fn draw(name: &str, rows: &[Row<'_>]) -> Markup {
    let fates: Vec<Fate> = Fate::ALL
        .into_iter()
        .filter(|fate| rows.iter().any(|row| row.entry.fates.iter().any(|it| it.0 == *fate)))
        .collect();
    if fates.is_empty() {
        return html! {};
    }
    let is_for_several = rows.iter().any(|row| row.entry.all.is_some());
    html! {
        h3 id=(name) { "What became of the messages" }
        div.keys {
            @if is_for_several { (legend("broadcasts that reached", (0..3).map(|it| (format!("a{it}"), REACHED[it])))) }
            (legend("fates at the recipients", fates.iter().map(|fate| (class(*fate), fate.name()))))
        }
        div.scroll.shares tabindex="0" role="region" aria-labelledby=(name) {
            @for row in rows {
                div data-r=(row.number) {
                    bdi { (row.id) }
                    @if is_for_several { (bar((0..3).map(|it| (format!("a{it}"), REACHED[it], row.entry.reached[it])).collect())) }
                    (bar(row.entry.fates.iter().map(|(fate, count)| (class(*fate), fate.name(), *count)).collect()))
                }
            }
        }
    }
}

const REACHED: [&str; 3] = ["all", "some", "none"];
