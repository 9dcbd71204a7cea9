//! The audience map of a flow: a column for each message, a row for each recipient, and in each cell the fate. What is lost on a
//! shared link shows as a column, a burst on one link as a run in a row.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::fates::{FlowFates, MAX_MESSAGES, MAX_PAIRS, PairFates};
use crate::report::names::Names;
use crate::report::page::bars::class;
use crate::report::page::picture::{Key, Picture, clipped, legend, number, text_width};
use crate::report::wording::grouped;
use crate::stats::Fate;

/// A map, and how much of the flow it shows.
pub(super) struct Map {
    pub(super) picture: Picture,
    /// Columns that are shown, of all.
    pub(super) messages: (usize, u64),
    /// Rows that are shown, of all.
    pub(super) pairs: (usize, usize),
}

/// The map of a flow; nothing if it addressed nobody. `budget` is how many runs of equal cells it may have.
pub(super) fn draw(name: &str, flow: &FlowFates, names: &Names, most: usize, budget: usize) -> Option<Map> {
    let length = flow.pairs.iter().map(|pair| pair.fates.len()).max().filter(|length| *length > 0)?;
    let shown = columns(flow, length.min(most), budget);
    let several = flow.pairs.iter().any(|pair| pair.sender != flow.pairs[0].sender);
    let label = |pair: &PairFates| {
        let [sender, recipient] = [pair.sender, pair.recipient].map(|host| names.host(host));
        let label = if several { format!("{sender} > {recipient}") } else { recipient.to_owned() };
        clipped(&label, MAX_LABEL)
    };
    let labels: Vec<String> = flow.pairs.iter().map(label).collect();
    let left = labels.iter().map(|label| text_width(label)).fold(40.0, f64::max) + 16.0;
    let column = (WIDE / shown as f64).clamp(1.0, WIDEST).floor();
    let width = (left + column * shown as f64 + 24.0).max(MIN_WIDTH);
    let bottom = TOP + ROW * flow.pairs.len() as f64;
    let fates: Vec<Fate> = Fate::ALL
        .into_iter()
        .filter(|fate| flow.pairs.iter().any(|pair| pair.fates.iter().take(shown).any(|it| *it == Some(*fate))))
        .collect();
    let keys: Vec<Key> = fates.iter().map(|fate| Key { sign: sign(*fate), label: fate.name().to_owned() }).collect();
    let (legend, below) = legend("fate", &keys, width, bottom + 40.0);
    let step = tick(shown, column);
    let cells = |fate: &Fate| {
        let path: String = flow
            .pairs
            .iter()
            .enumerate()
            .map(|(row, pair)| path(row, &pair.fates[..pair.fates.len().min(shown)], *fate))
            .collect();
        (class(*fate), path)
    };
    let body = html! {
        @for (row, label) in labels.iter().enumerate() {
            text.y x=(left - 8.0) y=(number(TOP + ROW * row as f64 + 11.0)) { (label) }
        }
        g.map transform=(format!("translate({} {TOP}) scale({} 1)", number(left), number(column))) data-w=(shown) data-h=(ROW) {
            @for pair in &flow.pairs {
                g data-k=(runs(&pair.fates[..pair.fates.len().min(shown)])) data-q=(question(name, pair, several, names)) {}
            }
            rect.empty width=(shown) height=(number(bottom - TOP - 2.0)) {}
            @for (class, path) in fates.iter().map(cells) { path class=(class) d=(path) {} }
        }
        @for message in (0..shown).step_by(step) {
            @let place = left + column * (message as f64 + 0.5);
            path.g d=(format!("M{} {}v4", number(place), number(bottom + 2.0))) {}
            text.x x=(number(place)) y=(number(bottom + 18.0)) { (message) }
        }
        text.axis x=(number(left + column * shown as f64 / 2.0)) y=(number(bottom + 34.0)) { "message" }
        (legend)
    };
    let picture = Picture {
        title: match shown as u64 == flow.messages {
            true => format!("{name}: what became of each message at each recipient"),
            false => format!("{name}: what became of the first {shown} messages at each recipient"),
        },
        description: format!(
            "A map of {} messages and {} recipients. The table beside it has the sums.",
            grouped(shown as u64),
            flow.pairs.len()
        ),
        width,
        height: bottom + 40.0 + below,
        body,
    };
    Some(Map { picture, messages: (shown, flow.messages), pairs: (flow.pairs.len(), flow.of_pairs) })
}

/// How many columns there is room for.
fn columns(flow: &FlowFates, most: usize, mut budget: usize) -> usize {
    let fate = |pair: &PairFates, message: usize| pair.fates.get(message).copied().flatten();
    let begins = |message: usize| {
        let begins = |pair: &&PairFates| message == 0 || fate(pair, message) != fate(pair, message - 1);
        flow.pairs.iter().filter(begins).count()
    };
    let mut columns = 0;
    while columns < most {
        let Some(left) = budget.checked_sub(begins(columns)) else { break };
        budget = left;
        columns += 1;
    }
    columns.max(1)
}

/// The cells of a row that have this fate; a column is one unit wide.
fn path(row: usize, fates: &[Option<Fate>], fate: Fate) -> String {
    let (above, high) = shape(fate);
    let mut path = String::new();
    let mut at = 0;
    for run in fates.chunk_by(|one, other| one == other) {
        if run[0] == Some(fate) {
            let (y, wide) = (number(ROW * row as f64 + above), run.len());
            let _ = write!(path, "M{at} {y}h{wide}v{high}h-{wide}z");
        }
        at += run.len();
    }
    path
}

/// The fates of a row: letters from `a` on in the order of the fates, each behind how often it comes in a row.
fn runs(fates: &[Option<Fate>]) -> String {
    let mut text = String::new();
    for run in fates.chunk_by(|one, other| one == other) {
        let letter = run[0].map_or('.', |fate| char::from(b'a' + fate as u8));
        let _ = if run.len() > 1 { write!(text, "{}{letter}", run.len()) } else { write!(text, "{letter}") };
    }
    text
}

/// What is asked about in a row, with a `#` for the number of the message.
fn question(name: &str, pair: &PairFates, several: bool, names: &Names) -> String {
    let sender = if several { format!("/{}", names.host(pair.sender)) } else { String::new() };
    format!("{name}{sender}:#@{}", names.host(pair.recipient))
}

/// Where in its cell a fate is drawn, and how high: what the network took fills it, what topology and partitions did is below,
/// what the recipient did above, and what was delivered or waits is a band.
fn shape(fate: Fate) -> (f64, f64) {
    match fate {
        Fate::Delivered => (4.0, 4.0),
        Fate::LostOnLink | Fate::LostInQueue | Fate::LostFragment | Fate::Corrupted => (0.0, 12.0),
        Fate::Unreachable | Fate::LostInPartition | Fate::InFlight => (6.0, 6.0),
        Fate::Unread => (2.0, 3.0),
        Fate::HostDown | Fate::NoSuchMailslot | Fate::TooLargeForSlot | Fate::SlotFull | Fate::ClosedUnread => {
            (0.0, 6.0)
        }
    }
}

fn sign(fate: Fate) -> Markup {
    let (above, high) = shape(fate);
    PreEscaped(format!("<g class=\"map\"><path class=\"{}\" d=\"M6 {above}h18v{high}h-18z\"/></g>", class(fate)))
}

/// From one number below the map to the next.
fn tick(columns: usize, wide: f64) -> usize {
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    steps.into_iter().find(|step| *step as f64 * wide >= 44.0).unwrap_or(columns.max(1))
}

/// What a page says where a map does not show all.
pub(super) fn limits(map: &Map) -> Option<String> {
    let ((columns, messages), (rows, pairs)) = (map.messages, map.pairs);
    if columns as u64 == messages && rows == pairs {
        return None;
    }
    Some(format!(
        "The map shows the first {} of {} messages and {} of {} rows: a map has at most {MAX_MESSAGES} columns (MAX_MESSAGES) \
         and {MAX_PAIRS} rows (MAX_PAIRS), and all maps of a page {} runs of equal cells (MAX_RUNS).",
        grouped(columns as u64),
        grouped(messages),
        rows,
        grouped(pairs as u64),
        grouped(MAX_RUNS as u64)
    ))
}

/// The most runs of equal cells that all maps of a page have together (a choice).
pub(super) const MAX_RUNS: usize = 15_000;
/// The longest label of a row.
const MAX_LABEL: usize = 34;
/// The width that columns share, and the most of one.
const WIDE: f64 = 1_000.0;
const WIDEST: f64 = 14.0;
const MIN_WIDTH: f64 = 560.0;
const TOP: f64 = 6.0;
/// The height of a row; a cell leaves 2 of it.
const ROW: f64 = 14.0;
