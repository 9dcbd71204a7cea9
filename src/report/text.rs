//! The summary of a run for people: what the sender believed beside what happened, in 100 columns.

use std::fmt::Write as _;

use anstyle::Style;

use super::json::RunReport;
use super::terminal::{BAD, GOOD, bar, painted};
use super::verdict::{ExpectationReport, Verdict};
use super::wording::{
    Counts, app_figures, audience, facts, figures, grouped, hosts_and_links, notes, percentage, phase_rows, plural,
    senders, share, six_digits,
};
use crate::scenario::{App, Flow, Phase, Scenario};
use crate::sim::{AppTheory, Driver, Outcome, Theory, theory, theory_of_apps};
use crate::stats::{BrowserTally, Fate, FlowTally, Proportion};

/// How much the summary shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Detail {
    /// The flows and the expectations.
    Flows,
    /// Every host and every link too.
    HostsAndLinks,
}

/// The summary of a run. Colours are ANSI escapes, which `anstream` takes out where nobody can see them.
#[must_use]
pub fn summary(scenario: &Scenario, outcome: &Outcome, report: &RunReport, detail: Detail) -> String {
    let mut text = String::new();
    heading(&mut text, scenario, outcome.driver);
    for ((flow, tally), theory) in scenario.flows.iter().zip(&outcome.tally.flows).zip(theory(scenario)) {
        flow_section(&mut text, scenario, flow, tally, theory);
    }
    for ((app, tally), theory) in scenario.apps.iter().zip(&outcome.apps).zip(theory_of_apps(scenario)) {
        app_section(&mut text, scenario, app, tally, theory);
    }
    if detail >= Detail::HostsAndLinks {
        hosts_and_links(scenario, outcome).iter().for_each(|counts| table(&mut text, counts));
    }
    expectations(&mut text, report.expectations());
    text
}

fn heading(text: &mut String, scenario: &Scenario, driver: Driver) {
    match scenario.description() {
        "" => line(text, scenario.name()),
        description => wrapped(text, &format!("{}: ", scenario.name()), description.split_whitespace()),
    }
    line(text, &facts(scenario).join(", "));
    if driver == Driver::Turmoil {
        line(text, "under turmoil: programs act at whole milliseconds, and a datagram takes at least one");
    }
}

fn flow_section(text: &mut String, scenario: &Scenario, flow: &Flow, tally: &FlowTally, theory: Theory) {
    text.push('\n');
    let to = format!("{} -> {}", senders(scenario, flow), flow.to);
    wrapped(text, &format!("flow {}: ", flow.name), to.split_inclusive(", ").map(str::trim_end));
    text.push('\n');
    let left = sender_view(tally);
    let right = truth(tally, theory);
    let _ = writeln!(text, "  {:<LEFT$}What happened", "What the sender saw");
    let _ = writeln!(text, "  {:<LEFT$}{}", "-".repeat(LEFT - 2), "-".repeat(WIDTH - LEFT - 2));
    for row in 0..left.len().max(right.len()) {
        let left = left.get(row).map_or("", String::as_str);
        match right.get(row) {
            Some(Truth { words, bar, style }) => {
                line_with(text, format!("  {left:<LEFT$}{words}").trim_end(), bar, *style);
            }
            None => line(text, format!("  {left}").trim_end()),
        }
    }
    belief(text, tally, theory);
    let mut below = String::new();
    for (label, figures) in figures(tally, theory) {
        wrapped(&mut below, &format!("  {label:<14}"), figures.split_inclusive(", ").map(str::trim_end));
    }
    for note in notes(scenario, flow, tally) {
        wrapped(&mut below, "  note: ", note.split(' '));
    }
    if !below.is_empty() {
        text.push('\n');
        text.push_str(&below);
    }
    phases(text, &scenario.phases, tally);
}

/// What a sender believes that waits for replies, beside the fact.
fn belief(text: &mut String, tally: &FlowTally, theory: Theory) {
    let Some(belief) = tally.belief_ratio() else { return };
    text.push('\n');
    let views = [
        ("the sender believes", belief, theory.belief_ratio),
        ("what happened", tally.delivery_ratio(), theory.delivery_ratio),
    ];
    let count = |ratio: Proportion| format!("{} of {} delivered", grouped(ratio.k), grouped(ratio.n));
    let width = views.iter().map(|(_, ratio, _)| count(*ratio).len()).max().unwrap_or(0);
    for (label, ratio, theory) in views {
        let theory = theory.filter(|_| ratio.n > 0).map(|theory| format!("   in theory{}", percentage(Some(theory))));
        let (count, theory) = (count(ratio), theory.unwrap_or_default());
        line(text, format!("  {label:<21}{count:>width$}{:<28}{theory}", share(ratio)).trim_end());
    }
}

/// The messages of each phase.
fn phases(text: &mut String, phases: &[Phase], tally: &FlowTally) {
    if phases.is_empty() {
        return;
    }
    let header = ["phase", "from, to", "messages", "delivered", "", ""].map(str::to_owned);
    let rows: Vec<_> = [header].into_iter().chain(phase_rows(phases, tally)).collect();
    let named = |row: &[String; 6]| cut_inside(&row[0], MAX_PHASE_NAME);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let name = width(0).min(MAX_PHASE_NAME);
    let [time, messages, count, share] = [1, 2, 3, 4].map(width);
    text.push('\n');
    for row in &rows {
        let [_, span, written, delivered, ratio, others] = row;
        let cells = format!("  {:<name$}  {span:<time$}  {written:>messages$}  {delivered:>count$}", named(row));
        let first = format!("{cells}{ratio:<share$}  ");
        wrapped(text, &first, others.split_inclusive(", ").map(str::trim_end));
    }
}

fn app_section(text: &mut String, scenario: &Scenario, app: &App, tally: &BrowserTally, theory: AppTheory) {
    text.push('\n');
    line(text, &format!("app {}: {} on {}", app.name, app.kind.name(), plural(app.hosts.len() as u64, "host")));
    text.push('\n');
    for (label, figures) in app_figures(scenario, tally, theory) {
        wrapped(text, &format!("  {label:<14}"), figures.split_inclusive(", ").map(str::trim_end));
    }
}

/// What the sending program could know.
fn sender_view(tally: &FlowTally) -> Vec<String> {
    let mut rows = vec![
        counted("messages", tally.messages),
        counted("writes", tally.writes),
        counted("succeeded", tally.succeeded),
    ];
    rows.push(counted("failed", tally.failed.values().sum()));
    rows.extend(tally.failed.iter().map(|(code, count)| counted(&format!("  with error {code}"), *count)));
    rows.push(counted("acknowledgements", tally.acknowledgements));
    if tally.not_made > 0 {
        rows.push(counted("not made", tally.not_made));
    }
    if let Some((ack, given_up)) = tally.ack.zip(tally.given_up()) {
        rows.extend([counted("confirmed", ack.confirmed), counted("given up", given_up)]);
    }
    rows
}

/// A row about what happened, and the bar in it.
struct Truth {
    words: String,
    bar: String,
    style: Style,
}

impl Truth {
    const NOTHING: Truth = Truth { words: String::new(), bar: String::new(), style: Style::new() };

    fn of(words: String) -> Self {
        Truth { words, ..Truth::NOTHING }
    }

    /// A count, which share that is, as a bar too, and perhaps the interval.
    fn share(label: &str, ratio: Proportion, with_interval: bool, style: Style) -> Self {
        let Some(share) = ratio.value() else { return Truth::of(counted_wide(label, ratio.k)) };
        let bar = bar(share, BAR);
        let interval = ratio.wilson95().filter(|_| with_interval);
        let interval = interval.map(|(low, high)| format!(" [{:.2}, {:.2}]", low * 100.0, high * 100.0));
        let words =
            format!("{}{} {bar:<BAR$}{}", counted_wide(label, ratio.k), percents(share), interval.unwrap_or_default());
        Truth { words: words.trim_end().to_owned(), bar, style }
    }

    /// What the closed form says, below what was measured.
    fn theory(theory: Option<f64>, measured: Proportion) -> Option<Self> {
        let theory = theory.filter(|_| measured.n > 0)?;
        Some(Truth::of(format!("{:<30}{}", "  in theory", percents(theory))))
    }
}

/// What became of the messages.
fn truth(tally: &FlowTally, theory: Theory) -> Vec<Truth> {
    let addressed = format!("{}   {}", counted_wide("addressed", tally.addressed), audience(tally));
    let mut rows = vec![Truth::of(addressed)];
    for fate in Fate::ALL {
        let ratio = Proportion { k: tally.fate(fate), n: tally.addressed };
        if fate == Fate::Delivered {
            rows.push(Truth::share(fate.name(), ratio, true, GOOD));
            rows.extend(Truth::theory(theory.delivery_ratio, ratio));
        } else if ratio.k > 0 {
            rows.push(Truth::share(fate.name(), ratio, false, BAD));
        }
    }
    if tally.audience_size > 1 {
        let all = tally.all_ratio();
        let part = |k: u64| Proportion { k, n: all.n };
        rows.push(Truth::NOTHING);
        rows.push(Truth::share("all got it", all, true, GOOD));
        rows.extend(Truth::theory(theory.all_ratio, all));
        rows.push(Truth::share("some got it", part(tally.some), false, BAD));
        rows.push(Truth::share("nobody got it", part(tally.none), false, BAD));
    }
    if tally.without_audience > 0 {
        rows.push(Truth::of(counted_wide("addressed nobody", tally.without_audience)));
    }
    rows
}

fn percents(share: f64) -> String {
    format!("{:>8.2} %", share * 100.0)
}

fn table(text: &mut String, Counts { of, columns, rows }: &Counts<'_>) {
    text.push('\n');
    let cells = |cells: Vec<String>| cells.iter().fold(String::new(), |row, cell| row + &format!(" {cell:>10}"));
    let titles = cells(columns.iter().map(ToString::to_string).collect());
    let width = WIDTH - 2 - 11 * columns.len();
    let _ = writeln!(text, "  {of:<width$}{titles}");
    for (name, counts) in rows {
        let counts = cells(counts.iter().map(|count| grouped(*count)).collect());
        let _ = writeln!(text, "  {:<width$}{counts}", cut_inside(name, width - 1));
    }
}

fn expectations(text: &mut String, expectations: &[ExpectationReport]) {
    if expectations.is_empty() {
        return;
    }
    text.push('\n');
    line(text, "expectations");
    for expectation in expectations {
        let value =
            expectation.value.map_or("it has no value".to_owned(), |value| format!("it is {}", six_digits(value)));
        let [of, metric, bound] = expectation.words();
        let pieces = [of, metric, format!("{bound}:"), value];
        let mut lines = String::new();
        wrapped(&mut lines, &format!("  {:<9} ", expectation.result.name()), pieces.iter().map(String::as_str));
        let style = if expectation.result == Verdict::Holds { GOOD } else { BAD };
        text.push_str(&painted(&lines, expectation.result.name(), style));
    }
}

fn counted(label: &str, count: u64) -> String {
    format!("{label:<18}{:>13}", grouped(count))
}

fn counted_wide(label: &str, count: u64) -> String {
    format!("{label:<19}{:>11}", grouped(count))
}

/// A line of at most [`WIDTH`] columns.
fn line(text: &mut String, content: &str) {
    text.push_str(&cut(content, WIDTH));
    text.push('\n');
}

/// The same, with a part of it in another style.
fn line_with(text: &mut String, content: &str, part: &str, style: Style) {
    text.push_str(&painted(&cut(content, WIDTH), part, style));
    text.push('\n');
}

/// The text, or as much of it as fits, with a mark where it was cut. Control characters do not reach the terminal.
fn cut(content: &str, width: usize) -> String {
    let clean = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    if content.chars().count() <= width {
        return content.chars().map(clean).collect();
    }
    content.chars().take(width - 1).map(clean).chain(['~']).collect()
}

/// The text, or its beginning and its end: names of links differ at the end.
pub(super) fn cut_inside(content: &str, width: usize) -> String {
    let length = content.chars().count();
    if length <= width {
        return content.to_owned();
    }
    let head = (width - 1) / 2;
    let tail = length - (width - 1 - head);
    content.chars().take(head).chain(['~']).chain(content.chars().skip(tail)).collect()
}

/// Pieces in lines of at most [`WIDTH`] columns, indented below the first.
pub(super) fn wrapped<'a>(text: &mut String, first: &str, pieces: impl Iterator<Item = &'a str>) {
    let mut row = first.to_owned();
    let mut fresh = true;
    for piece in pieces {
        if !fresh && row.chars().count() + piece.chars().count() > WIDTH {
            line(text, row.trim_end());
            row = " ".repeat(first.chars().count().min(WIDTH / 2));
        }
        row.push_str(piece);
        row.push(' ');
        fresh = false;
    }
    line(text, row.trim_end());
}

/// Columns of the summary.
const WIDTH: usize = 100;
/// Columns of its left half, and of a bar.
const LEFT: usize = 33;
const BAR: usize = 7;
/// The most characters of a phase's name: the figures beside it count more.
const MAX_PHASE_NAME: usize = 16;
