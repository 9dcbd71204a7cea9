//! The summary of a run for people: what the sender believed beside what happened, in 100 columns.

use std::fmt::Write as _;

use super::json::RunReport;
use super::verdict::ExpectationReport;
use crate::scenario::{App, Flow, Phase, Scenario};
use crate::sim::{AppTheory, Driver, Outcome, Theory, theory, theory_of_apps};
use crate::stats::{BrowserTally, DelayHistogram, Fate, FlowTally, GroupTally, Proportion};
use crate::time::Duration;

/// How much the summary shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Detail {
    /// The flows and the expectations.
    Flows,
    /// Every host and every link too.
    HostsAndLinks,
}

/// The summary of a run.
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
        hosts_and_links(&mut text, scenario, outcome);
    }
    expectations(&mut text, report.expectations());
    text
}

fn heading(text: &mut String, scenario: &Scenario, driver: Driver) {
    let topology = scenario.topology();
    match scenario.description() {
        "" => line(text, scenario.name()),
        description => wrapped(text, &format!("{}: ", scenario.name()), description.split_whitespace()),
    }
    let mut parts = vec![
        format!("seed {}", scenario.seed()),
        format!("{} of writing", scenario.duration()),
        plural(topology.hosts().len() as u64, "host"),
        plural(topology.segments().len() as u64, "segment"),
    ];
    if !scenario.events.is_empty() {
        let of_flows = if scenario.flows.is_empty() { "" } else { " (so no closed forms)" };
        parts.push(format!("{}{of_flows}", plural(scenario.events.len() as u64, "event")));
    }
    line(text, &parts.join(", "));
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
    let _ = writeln!(text, "  {:<LEFT$}{}", "-".repeat(LEFT - 4), "-".repeat(WIDTH - LEFT - 2));
    for row in 0..left.len().max(right.len()) {
        let cell = |cells: &[String]| cells.get(row).cloned().unwrap_or_default();
        line(text, format!("  {:<LEFT$}{}", cell(&left), cell(&right)).trim_end());
    }
    belief(text, tally, theory);
    let mut below = String::new();
    for (label, figures) in [
        ("tries", tries(tally, theory)),
        ("replies", replies(tally)),
        ("delay", delay(&tally.delays)),
        ("loss periods", loss_periods(tally)),
        ("order", order(tally)),
        ("copies", copies(tally)),
    ] {
        if let Some(figures) = figures {
            wrapped(&mut below, &format!("  {label:<14}"), figures.split_inclusive(", ").map(str::trim_end));
        }
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

fn tries(tally: &FlowTally, theory: Theory) -> Option<String> {
    let (ack, mean) = (tally.ack?, tally.mean_tries()?);
    let theory = theory.tries.map(|theory| format!(" (in theory {theory:.3})")).unwrap_or_default();
    Some(format!("mean {mean:.3}{theory}, most {} for one message", ack.most_tries))
}

fn replies(tally: &FlowTally) -> Option<String> {
    let (ack, despair) = (tally.ack?, tally.false_despair()?);
    let mut text = format!("{} written, {} received", grouped(ack.replies_sent), grouped(ack.replies_received));
    if despair > 0 {
        let _ = write!(text, ", {} delivered that the sender takes for lost", grouped(despair));
    }
    Some(text)
}

/// The messages of each phase: how many there are, the share that was delivered, and the fates that most others came to.
fn phases(text: &mut String, phases: &[Phase], tally: &FlowTally) {
    if phases.is_empty() {
        return;
    }
    let row = |(phase, tally): (&Phase, &FlowTally)| {
        let ratio = tally.delivery_ratio();
        let mut others: Vec<(u64, &str)> = Fate::ALL.map(|fate| (tally.fate(fate), fate.name())).to_vec();
        others.retain(|(count, name)| *count > 0 && *name != Fate::Delivered.name());
        others.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let others: Vec<String> = others.iter().map(|(count, name)| format!("{} {name}", grouped(*count))).collect();
        [
            cut_inside(&phase.name, MAX_PHASE_NAME),
            format!("[{}, {})", phase.from, phase.to),
            grouped(tally.messages),
            format!("{} of {}", grouped(ratio.k), grouped(ratio.n)),
            share(ratio),
            others.join(", "),
        ]
    };
    let header = ["phase", "from, to", "messages", "delivered", "", ""].map(str::to_owned);
    let rows: Vec<_> = [header].into_iter().chain(phases.iter().zip(&tally.phases).map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [name, time, messages, count, share] = [0, 1, 2, 3, 4].map(width);
    text.push('\n');
    for [phase, span, written, delivered, ratio, others] in &rows {
        let cells = format!("  {phase:<name$}  {span:<time$}  {written:>messages$}  {delivered:>count$}");
        let first = format!("{cells}{ratio:<share$}  ");
        wrapped(text, &first, others.split_inclusive(", ").map(str::trim_end));
    }
}

fn app_section(text: &mut String, scenario: &Scenario, app: &App, tally: &BrowserTally, theory: AppTheory) {
    text.push('\n');
    line(text, &format!("app {}: {} on {}", app.name, app.kind.name(), plural(app.hosts.len() as u64, "host")));
    text.push('\n');
    let listed = tally.time_to_be_listed.n();
    let times = |delays, none: &str| times(delays).unwrap_or_else(|| none.to_owned());
    let removals = |ratio: Proportion, which: &str, theory: Option<f64>| {
        let theory = theory.filter(|_| ratio.n > 0).map(|theory| percentage(Some(theory)));
        let theory = theory.map_or(String::new(), |theory| format!(", in theory {}", theory.trim()));
        format!(
            "after {} of {} announcements {which}, {}{theory}",
            grouped(ratio.k),
            grouped(ratio.n),
            share(ratio).trim()
        )
    };
    let most = plural(tally.masters_after_quiet(), "master");
    for (label, figures) in [
        (
            "announcements",
            format!(
                "{} sent, {} heard by a master elsewhere",
                grouped(tally.announcements_sent),
                grouped(tally.announcements_heard)
            ),
        ),
        ("listed", format!("{} of {} starts", grouped(listed), grouped(listed + tally.never_listed))),
        ("  after", times(&tally.time_to_be_listed, "-")),
        (
            "removed",
            format!(
                "{} while running, {} that were gone",
                grouped(tally.removals_of_running),
                grouped(tally.removals_of_gone)
            ),
        ),
        ("  early", removals(tally.early_removals, "at growing periods", theory.early_removals)),
        ("  later", removals(tally.false_removals, "at the final period", theory.false_removals)),
        ("elections", grouped(tally.elections())),
        ("  won after", times(&tally.time_to_master, "never")),
        ("  then", format!("at most {most} at once in a group")),
        ("at the end", masters(scenario, tally)),
    ] {
        wrapped(text, &format!("  {label:<14}"), figures.split_inclusive(", ").map(str::trim_end));
    }
}

/// Who is master of which group when the run ends.
fn masters(scenario: &Scenario, tally: &BrowserTally) -> String {
    let topology = scenario.topology();
    let group = |group: &GroupTally| {
        let masters: Vec<&str> = group.masters_at_end.iter().map(|host| topology.host(*host).name.as_str()).collect();
        let masters = if masters.is_empty() { "no master".to_owned() } else { masters.join(" and ") };
        format!("{masters} of {} on {}", group.domain, topology.segments()[group.segment.index()].name)
    };
    let groups: Vec<String> = tally.groups.iter().map(group).collect();
    groups.join(", ")
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

/// What became of the messages.
fn truth(tally: &FlowTally, theory: Theory) -> Vec<String> {
    let mut rows = vec![counted_wide("addressed", tally.addressed)];
    rows[0].push_str(&match tally.audience_size {
        0 if tally.writes == 0 => "   nothing was written".to_owned(),
        0 if tally.succeeded == 0 => "   no write succeeded".to_owned(),
        0 => "   nobody is in the audience".to_owned(),
        1 => "   1 recipient".to_owned(),
        size if tally.addressed == u64::from(size) * tally.all_ratio().n => format!("   {size} recipients"),
        size => format!("   up to {size} recipients"),
    });
    for fate in Fate::ALL {
        let ratio = Proportion { k: tally.fate(fate), n: tally.addressed };
        if fate == Fate::Delivered {
            rows.push(format!("{}{}", counted_wide(fate.name(), ratio.k), share(ratio)));
            rows.extend(theory_row(theory.delivery_ratio, ratio));
        } else if ratio.k > 0 {
            rows.push(format!("{}{}", counted_wide(fate.name(), ratio.k), percentage(ratio.value())));
        }
    }
    if tally.audience_size > 1 {
        let all = tally.all_ratio();
        rows.push(String::new());
        rows.push(format!("{}{}", counted_wide("all got it", all.k), share(all)));
        rows.extend(theory_row(theory.all_ratio, all));
        rows.push(counted_wide("some got it", tally.some));
        rows.push(counted_wide("nobody got it", tally.none));
    }
    if tally.without_audience > 0 {
        rows.push(counted_wide("addressed nobody", tally.without_audience));
    }
    rows
}

/// The share and its interval, in percent.
fn share(ratio: Proportion) -> String {
    let interval = ratio.wilson95();
    let interval = interval.map(|(low, high)| format!("  [{:.2}, {:.2}]", low * 100.0, high * 100.0));
    percentage(ratio.value()) + &interval.unwrap_or_default()
}

/// What the closed form says, below what was measured.
fn theory_row(theory: Option<f64>, measured: Proportion) -> Option<String> {
    theory.filter(|_| measured.n > 0).map(|theory| format!("{:<30}{}", "  in theory", percentage(Some(theory))))
}

fn percentage(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{:>9.2} %", value * 100.0))
}

fn delay(delays: &DelayHistogram) -> Option<String> {
    let figures = delays.figures()?;
    let all_alike = format!("{} for every message", four_digits(figures.min));
    if figures.min == figures.max { Some(all_alike) } else { times(delays) }
}

fn times(delays: &DelayHistogram) -> Option<String> {
    let figures = delays.figures()?;
    let shown = |nanos: u64| four_digits(nanos).to_string();
    if figures.min == figures.max {
        return Some(shown(figures.min));
    }
    let mut text = format!("min {}, mean {}", shown(figures.min), shown(figures.mean.round() as u64));
    for (quantile, nanos) in DelayHistogram::PERCENTILES.iter().zip(figures.percentiles) {
        let digits = (quantile * 1000.0).round().to_string();
        let name = digits.trim_end_matches('0');
        let name = if name.len() < 2 { format!("{name}0") } else { name.to_owned() };
        let mark = if delays.is_maximum(*quantile) { "*" } else { "" };
        let _ = write!(text, ", p{name} {}{mark}", shown(nanos));
    }
    let _ = write!(text, ", max {}", shown(figures.max));
    if DelayHistogram::PERCENTILES.iter().any(|quantile| delays.is_maximum(*quantile)) {
        text.push_str(" (* is the maximum)");
    }
    Some(text)
}

/// A time rounded to four significant digits: more would only hide them.
pub(super) fn four_digits(nanos: u64) -> Duration {
    let step = 10_u64.pow(nanos.max(1).ilog10().saturating_sub(3));
    Duration::from_nanos((nanos + step / 2) / step * step)
}

fn loss_periods(tally: &FlowTally) -> Option<String> {
    let periods = &tally.loss_periods;
    let mean = periods.mean().filter(|_| tally.fate(Fate::Delivered) > 0)?;
    Some(format!("{}, mean {mean:.2} messages, longest {}", grouped(periods.count), periods.max))
}

fn order(tally: &FlowTally) -> Option<String> {
    let ratio = tally.reordered_ratio();
    (ratio.k > 0).then(|| {
        let counts = format!("{} of {} reordered,", grouped(ratio.k), grouped(ratio.n));
        format!("{counts} {}, extent up to {}", share(ratio).trim(), tally.reorder_extent)
    })
}

fn copies(tally: &FlowTally) -> Option<String> {
    let counts = [("duplicates", tally.duplicates), ("damaged", tally.damaged), ("misdelivered", tally.misdelivered)];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{} {name}", grouped(*count)))
        .collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// What a reader must know to read the figures rightly.
fn notes(scenario: &Scenario, flow: &Flow, tally: &FlowTally) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if tally.not_made > 0 {
        notes.push("writes were not made while the program did not run: nobody counts them as lost");
    }
    if tally.fate(Fate::Unreachable) > 0 {
        let is_group = flow.messages().into_keys().any(|(sender, to)| scenario.is_group(sender, to));
        notes.push(if is_group {
            "no router forwards this domain write to all segments: members on the others never hear it, and the sender is \
             not told"
        } else {
            "no router leads from the sender's segment to the recipient's, and the sender is not told"
        });
    }
    if scenario.depends_within_run(flow) && tally.fate(Fate::Delivered) < tally.addressed {
        notes.push(
            "losses come in bursts or on a shared link here, so messages of one run depend on each other and the \
             intervals, which take them as independent, are too narrow",
        );
    }
    notes
}

fn hosts_and_links(text: &mut String, scenario: &Scenario, outcome: &Outcome) {
    let topology = scenario.topology();
    let header = ["sent", "received", "delivered", "no slot", "refused", "malformed", "not ours"];
    let rows = topology.hosts().iter().zip(&outcome.tally.hosts).map(|(host, tally)| {
        let refused = tally.too_large_for_slot + tally.slot_full + tally.missing_fragment + tally.host_down;
        let counts = [tally.sent, tally.received, tally.delivered, tally.no_such_mailslot, refused];
        (host.name.as_str(), [&counts[..], &[tally.malformed, tally.not_for_us]].concat())
    });
    table(text, "host", &header, rows);
    let header = ["offered", "lost", "corrupted", "duplicated", "dropped", "carried", "bytes"];
    let rows = topology.links().iter().zip(&outcome.links).map(|(link, counters)| {
        let counts = [
            counters.offered,
            counters.lost,
            counters.corrupted,
            counters.duplicated,
            counters.queue_dropped,
            counters.carried,
            counters.bytes,
        ];
        (link.name.as_str(), counts.to_vec())
    });
    table(text, "link", &header, rows);
}

fn table<'a>(text: &mut String, name: &str, header: &[&str], rows: impl Iterator<Item = (&'a str, Vec<u64>)>) {
    text.push('\n');
    let columns = |cells: Vec<String>| cells.iter().fold(String::new(), |row, cell| row + &format!(" {cell:>10}"));
    let titles = columns(header.iter().map(ToString::to_string).collect());
    let width = WIDTH - 2 - 11 * header.len();
    let _ = writeln!(text, "  {name:<width$}{titles}");
    for (name, counts) in rows {
        let counts = columns(counts.into_iter().map(grouped).collect());
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
        wrapped(text, &format!("  {:<9} ", expectation.result.name()), pieces.iter().map(String::as_str));
    }
}

fn senders(scenario: &Scenario, flow: &Flow) -> String {
    let topology = scenario.topology();
    match flow.senders[..] {
        [one] => topology.host(one).name.clone(),
        [first, .., last] => {
            let name = |host| &topology.host(host).name;
            format!("{} senders ({} to {})", flow.senders.len(), name(first), name(last))
        }
        [] => "nobody".to_owned(),
    }
}

fn counted(label: &str, count: u64) -> String {
    format!("{label:<18}{:>13}", grouped(count))
}

fn counted_wide(label: &str, count: u64) -> String {
    format!("{label:<19}{:>11}", grouped(count))
}

pub(super) fn plural(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with its digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A line of at most [`WIDTH`] columns.
fn line(text: &mut String, content: &str) {
    text.push_str(&cut(content, WIDTH));
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
fn cut_inside(content: &str, width: usize) -> String {
    let length = content.chars().count();
    if length <= width {
        return content.to_owned();
    }
    let head = (width - 1) / 2;
    let tail = length - (width - 1 - head);
    content.chars().take(head).chain(['~']).chain(content.chars().skip(tail)).collect()
}

/// A figure without the digits that nobody reads.
pub(super) fn six_digits(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
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
/// Columns of its left half.
const LEFT: usize = 36;
/// The most characters of a phase's name: the figures beside it count more.
const MAX_PHASE_NAME: usize = 16;
