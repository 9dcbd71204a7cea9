//! Bars of shares: which part of the messages reached all, some and none of their recipients, and what became of all.

use maud::{Markup, PreEscaped, html};

use super::grid::Row;
use super::percent;
use crate::stats::Fate;

/// A part of a bar: its class, its name and its size.
type Part = (String, &'static str, u64);

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

/// A bar, and its parts in words.
fn bar(parts: Vec<Part>) -> Markup {
    let sum: u64 = parts.iter().map(|part| part.2).sum();
    let share = |count: u64| if sum > 0 { count as f64 / sum as f64 } else { 0.0 };
    let parts: Vec<Part> = parts.into_iter().filter(|part| part.2 > 0).collect();
    let words: Vec<String> =
        parts.iter().map(|(_, name, count)| format!("{name} {}", percent(share(*count)))).collect();
    let pieces = parts.iter().map(|(class, _, count)| {
        let width = (share(*count) * 1e4).round() / 100.0;
        format!("<i class={class} style=\"width:{width}%\"></i>")
    });
    html! {
        span { span.bar { (PreEscaped(pieces.collect::<String>())) } small { (words.join(", ")) } }
    }
}

fn legend(title: &str, parts: impl Iterator<Item = (String, &'static str)>) -> Markup {
    html! {
        ul.legend {
            li { (title) }
            @for (class, name) in parts { li { i class=(class) {} (name) } }
        }
    }
}

/// What was delivered, what the network lost, and what was lost at the recipient have patterns of their own.
fn class(fate: Fate) -> String {
    format!("f{}", Fate::ALL.iter().position(|it| *it == fate).unwrap_or(0))
}

const REACHED: [&str; 3] = ["all", "some", "none"];
