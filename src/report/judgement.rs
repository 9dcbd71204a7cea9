//! An expectation over several replications.

use serde::Serialize;

use super::verdict::{ExpectationReport, Verdict};
use super::wording::six_digits;
use crate::stats::{Estimate, Proportion};

/// One expectation over the replications.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Judgement {
    /// Flow, figure and bound.
    pub(super) what: String,
    /// The figure over all replications; null if some replication has none.
    value: Option<f64>,
    /// Its interval at 95 %; null for one replication.
    low: Option<f64>,
    high: Option<f64>,
    pub(super) result: Verdict,
    /// The replication that is farthest beyond the bound, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) worst: Option<u32>,
}

/// What one replication found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    value: Option<f64>,
    share: Option<Proportion>,
    result: Verdict,
}

impl Found {
    pub(super) fn of(report: &ExpectationReport) -> Self {
        Found { value: report.value, share: report.share, result: report.result }
    }
}

impl Judgement {
    /// Judges an expectation by what each replication found; `first` is its report in one of them.
    pub(super) fn new(first: &ExpectationReport, replications: &[Found]) -> Self {
        let limits = first.limits;
        let values: Option<Vec<f64>> = replications.iter().map(|it| it.value).collect();
        let shares: Option<Vec<_>> = replications.iter().map(|it| it.share).collect();
        let estimate = values.as_ref().and_then(|values| match &shares {
            Some(shares) => Estimate::of_shares(shares),
            None => Estimate::of_values(values),
        });
        let value = estimate.map(|it| it.value).or(replications[0].value.filter(|_| replications.len() == 1));
        let kept = replications.iter().filter(|it| it.result == Verdict::Holds).count();
        let result = match (first.sometimes, estimate) {
            (true, _) if kept > 0 => Verdict::Holds,
            (true, None) => replications[0].result,
            (true, Some(_)) => Verdict::Violated,
            (false, Some(Estimate { low, high, .. })) if limits.low < limits.high => {
                if limits.hold(low) && limits.hold(high) {
                    Verdict::Holds
                } else if high < limits.low || low > limits.high {
                    Verdict::Violated
                } else {
                    Verdict::Inconclusive
                }
            }
            // One replication, or a count that each has to meet; or one without a value, which keeps no bound.
            (false, _) if kept == replications.len() => Verdict::Holds,
            (false, _) => Verdict::Violated,
        };
        let beyond = |it: &Found| match it.value {
            Some(value) => (limits.low - value).max(value - limits.high),
            None => f64::INFINITY,
        };
        let farthest = (0..).zip(replications).max_by(|(_, a), (_, b)| beyond(a).total_cmp(&beyond(b)));
        let worst = farthest.filter(|(_, it)| result != Verdict::Holds && it.result != Verdict::Holds);
        Judgement {
            what: first.words().join(" "),
            value,
            low: estimate.map(|it| it.low),
            high: estimate.map(|it| it.high),
            result,
            worst: worst.map(|(number, _)| number),
        }
    }

    /// The figure, with its interval if it has one.
    pub(super) fn found(&self) -> String {
        match (self.value, self.low, self.high) {
            (Some(value), Some(low), Some(high)) if low < high => {
                let [value, low, high] = [value, low, high].map(six_digits);
                format!("it is {value} [{low}, {high}]")
            }
            (Some(value), ..) => format!("it is {}", six_digits(value)),
            (None, ..) => "it has no value in some replication".to_owned(),
        }
    }
}
