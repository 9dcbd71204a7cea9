//! Figures by their path in the report: `delivery_ratio`, `delay_ns.p99`, `fates.lost_on_link`, `masters_at_end.max`.

use std::fmt;

use super::browser::BrowserTally;
use super::delay::DelayHistogram;
use super::fate::Fate;
use super::proportion::Proportion;
use super::tally::{AckTally, FlowTally};

/// A figure of a flow, of the totals or of an app, by its path in the report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metric(String);

/// What a figure is one of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// All flows together.
    Totals,
    /// A flow.
    Flow,
    /// A flow whose readers acknowledge its messages.
    AcknowledgedFlow,
    /// An app.
    App,
}

impl Subject {
    /// Whether it has the figure at a path.
    fn has(self, path: &str) -> bool {
        match self {
            Subject::Totals => !path.starts_with("all_ratio") && !path.starts_with("ack."),
            Subject::Flow => !path.starts_with("ack."),
            Subject::AcknowledgedFlow => true,
            Subject::App => false,
        }
    }
}

impl Metric {
    /// The figure at `path`; of a ratio the path alone means its value.
    ///
    /// # Errors
    ///
    /// The known paths, if this is none of them.
    pub fn parse(path: &str, subject: Subject) -> Result<Self, Vec<String>> {
        let mut any = FlowTally::default();
        any.ack = Some(AckTally::default());
        let is_known = match subject {
            Subject::App => look_up_of_app(path, &BrowserTally::default()).is_some(),
            _ => subject.has(path) && look_up(path, &any).is_some(),
        };
        if is_known && !path.ends_with('.') {
            return Ok(Metric(path.to_owned()));
        }
        Err(Self::paths(subject))
    }

    /// Every path; of those of single error codes one.
    #[must_use]
    pub fn paths(subject: Subject) -> Vec<String> {
        if subject == Subject::App {
            return paths_of_apps();
        }
        let ratios = ["delivery_ratio", "all_ratio", "reordered_ratio", "ack.belief_ratio"];
        let ratios = ratios.iter().flat_map(|ratio| below(ratio, &RATIO_PARTS));
        let fates = Fate::ALL.iter().map(|fate| format!("fates.{}", fate.name()));
        let all = ratios.chain(PLAIN.iter().map(ToString::to_string)).chain(fates);
        all.filter(|path| subject.has(path)).collect()
    }

    /// Whether it is a share, from 0 to 1.
    #[must_use]
    pub fn is_share(&self) -> bool {
        let group = self.0.split_once('.').map_or(&*self.0, |(group, _)| group);
        let is_ratio = self.0.contains("_ratio") || RATIOS_OF_APPS.contains(&group);
        is_ratio && !self.0.ends_with(".k") && !self.0.ends_with(".n")
    }

    /// The share that it is the value of, if it is one.
    #[must_use]
    pub fn share(&self, tally: &FlowTally) -> Option<Proportion> {
        match self.0.strip_suffix(".value").unwrap_or(&self.0) {
            "delivery_ratio" => Some(tally.delivery_ratio()),
            "all_ratio" => Some(tally.all_ratio()),
            "reordered_ratio" => Some(tally.reordered_ratio()),
            "ack.belief_ratio" => tally.belief_ratio(),
            _ => None,
        }
    }

    /// Its value; `None` where there is none, as the ratio of nothing to nothing.
    #[must_use]
    pub fn value(&self, tally: &FlowTally) -> Option<f64> {
        look_up(&self.0, tally).expect("the path was checked")
    }

    /// The share that an app's is the value of, if it is one.
    #[must_use]
    pub fn share_of_app(&self, tally: &BrowserTally) -> Option<Proportion> {
        match self.0.strip_suffix(".value").unwrap_or(&self.0) {
            "false_removals" => Some(tally.false_removals),
            "early_removals" => Some(tally.early_removals),
            _ => None,
        }
    }

    /// The value of an app's; `None` where there is none.
    #[must_use]
    pub fn value_of_app(&self, tally: &BrowserTally) -> Option<f64> {
        look_up_of_app(&self.0, tally).expect("the path was checked")
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Every path of apps.
fn paths_of_apps() -> Vec<String> {
    let times = ["time_to_be_listed_ns", "time_to_master_ns"].into_iter().flat_map(|time| below(time, &TIME_PARTS));
    let plain = PLAIN_OF_APPS.iter().map(ToString::to_string);
    let ratios = RATIOS_OF_APPS.iter().flat_map(|ratio| below(ratio, &RATIO_PARTS));
    ratios.chain(plain).chain(times).collect()
}

fn below(group: &'static str, parts: &'static [&'static str]) -> impl Iterator<Item = String> {
    parts.iter().map(move |part| format!("{group}{part}"))
}

/// What may follow the path of a ratio.
const RATIO_PARTS: [&str; 6] = ["", ".value", ".k", ".n", ".low", ".high"];
/// What follows the path of a distribution of times.
const TIME_PARTS: [&str; 8] = [".n", ".min", ".mean", ".p50", ".p90", ".p99", ".p999", ".max"];
/// Paths of apps that are ratios.
const RATIOS_OF_APPS: [&str; 2] = ["false_removals", "early_removals"];
/// Paths of apps that are neither ratios nor times.
const PLAIN_OF_APPS: [&str; 9] = [
    "announcements.sent",
    "announcements.heard",
    "never_listed",
    "removals.of_running",
    "removals.of_gone",
    "elections",
    "masters_after_quiet",
    "masters_at_end.min",
    "masters_at_end.max",
];
/// Paths that are neither ratios nor fates.
const PLAIN: [&str; 32] = [
    "sender.messages",
    "sender.writes",
    "sender.succeeded",
    "sender.failed.53",
    "sender.acknowledgements",
    "audience.size",
    "audience.addressed",
    "audience.all",
    "audience.some",
    "audience.none",
    "ack.confirmed",
    "ack.given_up",
    "ack.tries.mean",
    "ack.tries.max",
    "ack.replies_sent",
    "ack.replies_received",
    "ack.false_despair",
    "duplicates",
    "damaged",
    "misdelivered",
    "reorder_extent.max",
    "loss_period.count",
    "loss_period.mean",
    "loss_period.max",
    "delay_ns.n",
    "delay_ns.min",
    "delay_ns.mean",
    "delay_ns.p50",
    "delay_ns.p90",
    "delay_ns.p99",
    "delay_ns.p999",
    "delay_ns.max",
];

/// The value at a path; `None` if there is no such figure.
fn look_up(path: &str, tally: &FlowTally) -> Option<Option<f64>> {
    let (group, name) = path.split_once('.').unwrap_or((path, ""));
    let count = |count: u64| Some(Some(count as f64));
    match (group, name) {
        ("delivery_ratio", part) => ratio(tally.delivery_ratio(), part),
        ("all_ratio", part) => ratio(tally.all_ratio(), part),
        ("reordered_ratio", part) => ratio(tally.reordered_ratio(), part),
        ("fates", name) => count(tally.fate(*Fate::ALL.iter().find(|fate| fate.name() == name)?)),
        ("sender", "messages") => count(tally.messages),
        ("sender", "writes") => count(tally.writes),
        ("sender", "succeeded") => count(tally.succeeded),
        ("sender", "acknowledgements") => count(tally.acknowledgements),
        ("sender", code) => {
            let code: u32 = code.strip_prefix("failed.")?.parse().ok()?;
            count(tally.failed.get(&code).copied().unwrap_or(0))
        }
        ("audience", "size") => count(tally.audience_size.into()),
        ("audience", "addressed") => count(tally.addressed),
        ("audience", "all") => count(tally.all),
        ("audience", "some") => count(tally.some),
        ("audience", "none") => count(tally.none),
        ("ack", name) => acknowledgement(tally, name),
        ("duplicates", "") => count(tally.duplicates),
        ("damaged", "") => count(tally.damaged),
        ("misdelivered", "") => count(tally.misdelivered),
        ("reorder_extent", "max") => count(tally.reorder_extent),
        ("loss_period", "count") => count(tally.loss_periods.count),
        ("loss_period", "mean") => Some(tally.loss_periods.mean()),
        ("loss_period", "max") => count(tally.loss_periods.max),
        ("delay_ns", name) => delay(&tally.delays, name),
        _ => None,
    }
}

fn acknowledgement(tally: &FlowTally, name: &str) -> Option<Option<f64>> {
    let ack = tally.ack?;
    let count = |count: u64| Some(count as f64);
    Some(match name {
        "confirmed" => count(ack.confirmed),
        "given_up" => tally.given_up().and_then(count),
        "tries.mean" => tally.mean_tries(),
        "tries.max" => count(ack.most_tries),
        "replies_sent" => count(ack.replies_sent),
        "replies_received" => count(ack.replies_received),
        "false_despair" => tally.false_despair().and_then(count),
        _ => {
            let (name, part) = name.split_once('.').unwrap_or((name, ""));
            return ratio(tally.belief_ratio().filter(|_| name == "belief_ratio")?, part);
        }
    })
}

/// The value at a path of an app; `None` if there is no such figure.
fn look_up_of_app(path: &str, tally: &BrowserTally) -> Option<Option<f64>> {
    let (group, name) = path.split_once('.').unwrap_or((path, ""));
    let count = |count: u64| Some(Some(count as f64));
    let of_groups = |number: Option<u64>| Some(number.map(|number| number as f64));
    match (group, name) {
        ("false_removals", part) => ratio(tally.false_removals, part),
        ("early_removals", part) => ratio(tally.early_removals, part),
        ("announcements", "sent") => count(tally.announcements_sent),
        ("announcements", "heard") => count(tally.announcements_heard),
        ("never_listed", "") => count(tally.never_listed),
        ("removals", "of_running") => count(tally.removals_of_running),
        ("removals", "of_gone") => count(tally.removals_of_gone),
        ("elections", "") => count(tally.elections()),
        ("masters_after_quiet", "") => count(tally.masters_after_quiet()),
        ("masters_at_end", "min") => of_groups(tally.masters_at_end().map(|(min, _)| min)),
        ("masters_at_end", "max") => of_groups(tally.masters_at_end().map(|(_, max)| max)),
        ("time_to_be_listed_ns", name) => delay(&tally.time_to_be_listed, name),
        ("time_to_master_ns", name) => delay(&tally.time_to_master, name),
        _ => None,
    }
}

fn ratio(ratio: Proportion, part: &str) -> Option<Option<f64>> {
    Some(match part {
        "" | "value" => ratio.value(),
        "k" => Some(ratio.k as f64),
        "n" => Some(ratio.n as f64),
        "low" => ratio.wilson95().map(|(low, _)| low),
        "high" => ratio.wilson95().map(|(_, high)| high),
        _ => return None,
    })
}

fn delay(delays: &DelayHistogram, name: &str) -> Option<Option<f64>> {
    let figures = delays.figures();
    let percentile = |position: usize| figures.map(|figures| figures.percentiles[position] as f64);
    Some(match name {
        "n" => Some(delays.n() as f64),
        "min" => figures.map(|figures| figures.min as f64),
        "mean" => figures.map(|figures| figures.mean),
        "max" => figures.map(|figures| figures.max as f64),
        "p50" => percentile(0),
        "p90" => percentile(1),
        "p99" => percentile(2),
        "p999" => percentile(3),
        _ => return None,
    })
}
