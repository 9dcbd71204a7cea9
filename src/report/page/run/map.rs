//! The audience map of a flow: a column for each message, a row for each recipient, and in each cell the fate. What is lost on a
//! shared link shows as a column, a burst on one link as a run in a row.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::Room;
use super::fates::{Cell, FlowFates, MAX_MAP_ROWS, MAX_MESSAGES, MAX_PAIRS, PairFates};
use crate::report::names::Names;
use crate::report::page::bars;
use crate::report::page::picture::{Key, Picture, clipped, legend, number, text_width};
use crate::report::wording::grouped;
use crate::stats::Fate;

/// A map, and how much of the flow it shows.
pub(super) struct Map {
    pub(super) picture: Picture,
    /// Columns that are shown, of all.
    messages: (usize, u64),
    /// Rows that are shown, of all.
    pairs: (usize, usize),
}

/// What a map may have at most.
#[derive(Clone, Copy)]
pub(super) struct MapRoom {
    /// Columns, and rows.
    pub(super) messages: usize,
    pub(super) pairs: usize,
    /// Runs of equal cells.
    pub(super) runs: usize,
}

/// The map of a flow; nothing if it addressed nobody.
pub(super) fn draw(name: &str, flow: &FlowFates, names: &Names, room: MapRoom) -> Option<Map> {
    let pairs = &flow.pairs[..flow.pairs.len().min(room.pairs)];
    let length = pairs.iter().map(|pair| pair.cells.len()).max().filter(|length| *length > 0)?;
    let shown = columns(pairs, length.min(room.messages), room.runs);
    let label = |pair: &PairFates| {
        let [sender, recipient] = [pair.sender, pair.recipient].map(|host| names.host(host));
        let label =
            if names.is_one_of_several(pair.stream) { format!("{sender} > {recipient}") } else { recipient.to_owned() };
        clipped(&label, MAX_LABEL)
    };
    let labels: Vec<String> = pairs.iter().map(label).collect();
    let left = labels.iter().map(|label| text_width(label)).fold(40.0, f64::max) + 16.0;
    let column = (WIDE * 10.0 / shown as f64).floor().clamp(10.0, WIDEST * 10.0) / 10.0;
    let width = (left + column * shown as f64 + 24.0).max(MIN_WIDTH);
    let bottom = TOP + ROW * pairs.len() as f64;
    let rows: Vec<&[Option<Cell>]> = pairs.iter().map(|pair| &pair.cells[..pair.cells.len().min(shown)]).collect();
    let kinds: Vec<Cell> = KINDS.into_iter().filter(|kind| rows.iter().any(|row| row.contains(&Some(*kind)))).collect();
    let keys: Vec<Key> = kinds.iter().map(|kind| Key { sign: sign(*kind), label: word(*kind).to_owned() }).collect();
    let (legend, below) = legend("fate", &keys, width, bottom + 40.0);
    let step = tick(shown, column);
    let body = html! {
        @for (row, label) in labels.iter().enumerate() {
            text.y x=(number(left - 8.0)) y=(number(TOP + ROW * row as f64 + 11.0)) { (label) }
        }
        g.map transform=(format!("translate({} {TOP}) scale({} 1)", number(left), number(column))) data-w=(shown) data-h=(ROW) data-f=(name) {
            @for (pair, row) in pairs.iter().zip(&rows) {
                g data-k=(runs(row)) data-q=(names.question(pair.stream, "#", pair.recipient)) {}
            }
            rect.empty width=(shown) height=(number(bottom - TOP - 2.0)) {}
            @for kind in &kinds { path class=(class(*kind)) d=(path(&rows, *kind)) {} }
        }
        @for message in (0..shown).step_by(step) {
            @let place = left + column * (message as f64 + 0.5);
            path.g d=(format!("M{} {}v4", number(place), number(bottom + 2.0))) {}
            text.x x=(number(place)) y=(number(bottom + 18.0)) { (message) }
        }
        text.axis x=(number(left + column * shown as f64 / 2.0)) y=(number(bottom + 34.0)) { "message" }
        (legend)
    };
    let messages = match shown as u64 == flow.messages {
        true => "each message".to_owned(),
        false => format!("the first {} of {} messages", grouped(shown as u64), grouped(flow.messages)),
    };
    let recipients = match pairs.len() == flow.of_pairs {
        true => "at each recipient".to_owned(),
        false => format!("in the first {} of {} rows", pairs.len(), grouped(flow.of_pairs as u64)),
    };
    let picture = Picture {
        title: format!("{name}: what became of {messages} {recipients}"),
        description: format!(
            "A map of {} messages, from left to right, and {} recipients. report.json has the sums of all.",
            grouped(shown as u64),
            pairs.len()
        ),
        width,
        height: bottom + 40.0 + below,
        body,
    };
    Some(Map { picture, messages: (shown, flow.messages), pairs: (pairs.len(), flow.of_pairs) })
}

/// What a page says where a map does not show all.
pub(super) fn limits(map: &Map, room: Room) -> Option<String> {
    let ((columns, messages), (rows, pairs)) = (map.messages, map.pairs);
    let of_columns = (columns as u64) < messages;
    let of_columns = of_columns.then(|| {
        let (columns, messages) = (grouped(columns as u64), grouped(messages));
        let most = grouped(room.of(MAX_RUNS) as u64);
        format!(
            "the first {columns} of {messages} messages, as a map has at most {} columns (MAX_MESSAGES) and all maps of a \
             page have {most} runs of equal cells (MAX_RUNS)",
            grouped(room.of(MAX_MESSAGES) as u64)
        )
    });
    let of_rows = (rows < pairs).then(|| {
        format!(
            "the first {rows} of {} rows, as it has at most {} (MAX_PAIRS) and all maps of a page have {} (MAX_MAP_ROWS)",
            grouped(pairs as u64),
            room.of(MAX_PAIRS),
            grouped(room.of(MAX_MAP_ROWS) as u64)
        )
    });
    let limits: Vec<String> = [of_columns, of_rows].into_iter().flatten().collect();
    (!limits.is_empty()).then(|| format!("The map shows {}.", limits.join("; and ")))
}

/// How many columns there is room for.
fn columns(pairs: &[PairFates], most: usize, mut budget: usize) -> usize {
    let cell = |pair: &PairFates, message: usize| pair.cells.get(message).copied().flatten();
    let begins = |message: usize| {
        let begins = |pair: &&PairFates| message == 0 || cell(pair, message) != cell(pair, message - 1);
        pairs.iter().filter(begins).count()
    };
    let mut columns = 0;
    while columns < most {
        let Some(left) = budget.checked_sub(begins(columns)) else { break };
        budget = left;
        columns += 1;
    }
    columns.max(1)
}

/// The cells of rows that are of this kind; a column is one unit wide.
fn path(rows: &[&[Option<Cell>]], kind: Cell) -> String {
    let mut path = String::new();
    for (row, cells) in rows.iter().enumerate() {
        let mut at = 0;
        for run in cells.chunk_by(|one, other| one == other) {
            if run[0] == Some(kind) {
                for (above, high) in shape(kind) {
                    let (y, wide) = (number(ROW * row as f64 + above), run.len());
                    let _ = write!(path, "M{at} {y}h{wide}v{}h-{wide}z", number(*high));
                }
            }
            at += run.len();
        }
    }
    path
}

/// The cells of a row: letters from `a` on in the order of the fates, `x` for a write that failed, each behind how often it comes
/// in a row.
fn runs(cells: &[Option<Cell>]) -> String {
    let mut text = String::new();
    for run in cells.chunk_by(|one, other| one == other) {
        let letter = match run[0] {
            None => '.',
            Some(Cell::Fate(fate)) => char::from(b'a' + fate as u8),
            Some(Cell::Failed) => 'x',
        };
        let _ = if run.len() > 1 { write!(text, "{}{letter}", run.len()) } else { write!(text, "{letter}") };
    }
    text
}

fn word(kind: Cell) -> &'static str {
    match kind {
        Cell::Fate(fate) => fate.name(),
        Cell::Failed => "write failed",
    }
}

fn class(kind: Cell) -> String {
    match kind {
        Cell::Fate(fate) => bars::class(fate),
        Cell::Failed => "failed".to_owned(),
    }
}

/// Where in its cell it is drawn, from which height and how high: what the network took fills it, what topology and partitions did
/// is below, what the recipient did above, and what was delivered or waits is a band. No two are alike.
fn shape(kind: Cell) -> &'static [(f64, f64)] {
    let Cell::Fate(fate) = kind else { return &[(5.0, 1.5), (8.0, 1.5)] };
    match fate {
        Fate::Delivered => &[(4.0, 4.0)],
        Fate::Unread => &[(2.0, 2.5)],
        Fate::LostOnLink => &[(0.0, 12.0)],
        Fate::LostInQueue => &[(0.0, 5.0), (7.0, 5.0)],
        Fate::LostFragment => &[(0.0, 3.0), (4.5, 3.0), (9.0, 3.0)],
        Fate::Corrupted => &[(0.0, 2.5), (9.5, 2.5)],
        Fate::Unreachable => &[(9.0, 3.0)],
        Fate::LostInPartition => &[(5.0, 7.0)],
        Fate::InFlight => &[(6.5, 2.0), (10.0, 2.0)],
        Fate::HostDown => &[(0.0, 7.0)],
        Fate::NoSuchMailslot => &[(0.0, 3.5)],
        Fate::TooLargeForSlot => &[(0.0, 2.0), (3.0, 2.0)],
        Fate::SlotFull => &[(0.0, 4.0), (5.5, 2.0)],
        Fate::ClosedUnread => &[(0.0, 2.0), (4.0, 4.0)],
    }
}

fn sign(kind: Cell) -> Markup {
    let part = |(above, high): &(f64, f64)| format!("M6 {above}h18v{high}h-18z");
    let path: String = shape(kind).iter().map(part).collect();
    PreEscaped(format!("<g class=\"map\"><path class=\"{}\" d=\"{path}\"/></g>", class(kind)))
}

/// From one number below the map to the next.
fn tick(columns: usize, wide: f64) -> usize {
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    steps.into_iter().find(|step| *step as f64 * wide >= 44.0).unwrap_or(columns.max(1))
}

/// All kinds of cells, in the order of legends.
const KINDS: [Cell; 15] = {
    let mut kinds = [Cell::Failed; 15];
    let mut at = 0;
    while at < Fate::ALL.len() {
        kinds[at] = Cell::Fate(Fate::ALL[at]);
        at += 1;
    }
    kinds
};
/// The most runs of equal cells that all maps of a page have together (a choice).
pub(super) const MAX_RUNS: usize = 10_000;
/// The longest label of a row.
const MAX_LABEL: usize = 34;
/// The width that columns share, and the most of one.
const WIDE: f64 = 900.0;
const WIDEST: f64 = 14.0;
const MIN_WIDTH: f64 = 560.0;
const TOP: f64 = 6.0;
/// The height of a row; a cell leaves 2 of it.
const ROW: f64 = 14.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_of_cells_have_one_shape() {
        for (position, kind) in KINDS.into_iter().enumerate() {
            assert!(KINDS[..position].iter().all(|other| shape(*other) != shape(kind)), "{kind:?}");
            assert!(shape(kind).iter().all(|(above, high)| *above >= 0.0 && above + high <= ROW - 2.0), "{kind:?}");
        }
    }

    #[test]
    fn rows_are_runs_of_letters() {
        let [delivered, lost] = [Fate::Delivered, Fate::LostOnLink].map(|fate| Some(Cell::Fate(fate)));
        assert_eq!(runs(&[delivered, delivered, None, lost, Some(Cell::Failed)]), "2a.fx");
    }
}
