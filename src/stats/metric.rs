//! Figures by their path in the report: `delivery_ratio`, `delay_ns.p99`, `fates.lost_on_link`.

use std::fmt;

use super::delay::DelayHistogram;
use super::fate::Fate;
use super::proportion::Proportion;
use super::tally::{AckTally, FlowTally};

/// A figure of a flow or of the totals, by its path in the report.
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
}

impl Subject {
    /// Whether it has the figure at a path.
    fn has(self, path: &str) -> bool {
        match self {
            Subject::Totals => !path.starts_with("all_ratio") && !path.starts_with("ack."),
            Subject::Flow => !path.starts_with("ack."),
            Subject::AcknowledgedFlow => true,
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
        if subject.has(path) && !path.ends_with('.') && look_up(path, &any).is_some() {
            return Ok(Metric(path.to_owned()));
        }
        Err(Self::paths(subject))
    }

    /// Every path; of those of single error codes one.
    #[must_use]
    pub fn paths(subject: Subject) -> Vec<String> {
        let ratios = ["delivery_ratio", "all_ratio", "reordered_ratio", "ack.belief_ratio"];
        let parts = ["", ".value", ".k", ".n", ".low", ".high"];
        let ratios = ratios.iter().flat_map(|ratio| parts.iter().map(move |part| format!("{ratio}{part}")));
        let fates = Fate::ALL.iter().map(|fate| format!("fates.{}", fate.name()));
        let all = ratios.chain(PLAIN.iter().map(ToString::to_string)).chain(fates);
        all.filter(|path| subject.has(path)).collect()
    }

    /// Whether it is a share, from 0 to 1.
    #[must_use]
    pub fn is_share(&self) -> bool {
        self.0.contains("_ratio") && !self.0.ends_with(".k") && !self.0.ends_with(".n")
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
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

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
