//! Bars of shares, each part in a colour and a pattern of its own, with its words.

use maud::{Markup, PreEscaped, html};

use super::percent;
use crate::stats::Fate;

/// A part of a bar: its class, its name and its size.
pub(super) type Part = (String, &'static str, u64);

/// A bar, and its parts in words.
pub(super) fn bar(parts: Vec<Part>) -> Markup {
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

pub(super) fn legend(title: &str, parts: impl Iterator<Item = (String, &'static str)>) -> Markup {
    html! {
        ul.legend {
            li { (title) }
            @for (class, name) in parts { li { i class=(class) {} (name) } }
        }
    }
}

/// What was delivered, what the network lost, and what was lost at the recipient have patterns of their own.
pub(super) fn class(fate: Fate) -> String {
    format!("f{}", Fate::ALL.iter().position(|it| *it == fate).unwrap_or(0))
}
