//! What a run came to, in the words that its summary and its page have in common.

use std::fmt::Write;

use crate::link;
use crate::scenario::{Flow, Phase, Scenario};
use crate::sim::{AppTheory, Outcome, Theory};
use crate::stats::{BrowserTally, DelayHistogram, Fate, FlowTally, GroupTally, HostTally, Proportion};
use crate::time::Duration;

/// What was run, in a few words each.
pub(super) fn facts(scenario: &Scenario) -> Vec<String> {
    let topology = scenario.topology();
    let mut facts = vec![
        format!("seed {}", scenario.seed()),
        format!("{} of writing", scenario.duration()),
        plural(topology.hosts().len() as u64, "host"),
        plural(topology.segments().len() as u64, "segment"),
    ];
    let events = scenario.events.iter().filter(|event| !event.fault.is_end()).count();
    if events > 0 {
        let of_flows = if scenario.flows.is_empty() { "" } else { " (so no closed forms)" };
        facts.push(format!("{}{of_flows}", plural(events as u64, "event")));
    }
    facts
}

/// Who writes the messages of a flow.
pub(super) fn senders(scenario: &Scenario, flow: &Flow) -> String {
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

/// Whom the messages of a flow address.
pub(super) fn audience(tally: &FlowTally) -> String {
    match tally.audience_size {
        0 if tally.writes == 0 => "nothing was written".to_owned(),
        0 if tally.succeeded == 0 => "no write succeeded".to_owned(),
        0 => "nobody is in the audience".to_owned(),
        1 => "1 recipient".to_owned(),
        size if tally.addressed == u64::from(size) * tally.all_ratio().n => format!("{size} recipients"),
        size => format!("up to {size} recipients"),
    }
}

/// What is known of a flow beside its fates, as far as there is something to say.
pub(super) fn figures(tally: &FlowTally, theory: Theory) -> Vec<(&'static str, String)> {
    let figures = [
        ("tries", tries(tally, theory)),
        ("replies", replies(tally)),
        ("delay", delay(&tally.delays)),
        ("loss periods", loss_periods(tally)),
        ("order", order(tally)),
        ("copies", copies(tally)),
    ];
    figures.into_iter().filter_map(|(label, figures)| Some((label, figures?))).collect()
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

/// The messages of each phase: its name and time, how many there are, how many were delivered, which share that is, and the
/// fates that most others came to.
pub(super) fn phase_rows(phases: &[Phase], tally: &FlowTally) -> Vec<[String; 6]> {
    let row = |(phase, tally): (&Phase, &FlowTally)| {
        let ratio = tally.delivery_ratio();
        let mut others: Vec<(u64, &str)> = Fate::ALL.map(|fate| (tally.fate(fate), fate.name())).to_vec();
        others.retain(|(count, name)| *count > 0 && *name != Fate::Delivered.name());
        others.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let others: Vec<String> = others.iter().map(|(count, name)| format!("{} {name}", grouped(*count))).collect();
        [
            phase.name.clone(),
            format!("[{}, {})", phase.from, phase.to),
            grouped(tally.messages),
            format!("{} of {}", grouped(ratio.k), grouped(ratio.n)),
            share(ratio),
            others.join(", "),
        ]
    };
    phases.iter().zip(&tally.phases).map(row).collect()
}

/// What is known of an app.
pub(super) fn app_figures(scenario: &Scenario, tally: &BrowserTally, theory: AppTheory) -> Vec<(&'static str, String)> {
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
    vec![
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
    ]
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
pub(super) fn notes(scenario: &Scenario, flow: &Flow, tally: &FlowTally) -> Vec<&'static str> {
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
    if flow.is_written_again() && tally.fate(Fate::Delivered) > 0 {
        notes.push("a message's delay counts from the write that was read first, not from the first write of it");
    }
    if scenario.depends_within_run(flow) && tally.fate(Fate::Delivered) < tally.addressed {
        notes.push(
            "losses come in bursts, on a shared link or from a queue here, so messages of one run depend on each other and the \
             intervals, which take them as independent, are too narrow",
        );
    }
    notes
}

/// Counts by name.
pub(super) struct Counts<'a> {
    /// What the names are of.
    pub(super) of: &'static str,
    pub(super) columns: [&'static str; 7],
    pub(super) rows: Vec<(&'a str, [u64; 7])>,
}

/// What every host did, and what every link.
pub(super) fn hosts_and_links<'a>(scenario: &'a Scenario, outcome: &Outcome) -> [Counts<'a>; 2] {
    let topology = scenario.topology();
    let hosts = topology.hosts().iter().zip(&outcome.tally.hosts).map(|(host, tally)| {
        let refused = tally.too_large_for_slot + tally.slot_full + tally.missing_fragment + tally.host_down;
        let HostTally { sent, received, delivered, no_such_mailslot, malformed, not_for_us, .. } = *tally;
        (host.name.as_str(), [sent, received, delivered, no_such_mailslot, refused, malformed, not_for_us])
    });
    let links = topology.links().iter().zip(&outcome.links).map(|(link, counters)| {
        let link::Counters { offered, lost, corrupted, duplicated, queue_dropped, carried, bytes } = *counters;
        (link.name.as_str(), [offered, lost, corrupted, duplicated, queue_dropped, carried, bytes])
    });
    let of_hosts = ["sent", "received", "delivered", "no slot", "refused", "malformed", "not ours"];
    let of_links = ["offered", "lost", "corrupted", "duplicated", "dropped", "carried", "bytes"];
    [
        Counts { of: "host", columns: of_hosts, rows: hosts.collect() },
        Counts { of: "link", columns: of_links, rows: links.collect() },
    ]
}

/// The share and its interval, in percent.
pub(super) fn share(ratio: Proportion) -> String {
    let interval = ratio.wilson95();
    let interval = interval.map(|(low, high)| format!("  [{:.2}, {:.2}]", low * 100.0, high * 100.0));
    percentage(ratio.value()) + &interval.unwrap_or_default()
}

pub(super) fn percentage(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{:>9.2} %", value * 100.0))
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

/// A figure without the digits that nobody reads.
pub(super) fn six_digits(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
