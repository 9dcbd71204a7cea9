//! Bounds that figures must keep.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, apps};
use crate::scenario::file;
use crate::scenario::model::{Bound, Expectation};
use crate::scenario::problem::{Path, Problem, at};
use crate::scenario::quantity::clipped;
use crate::stats::{Metric, Subject};

/// The most expectations of a scenario.
const MAX_EXPECTATIONS: usize = 10_000;

impl<'a> Context<'a> {
    pub(super) fn expectations(&mut self) -> Vec<Expectation> {
        let file = self.file;
        if file.expect.len() > MAX_EXPECTATIONS {
            let message = format!("there are more than {MAX_EXPECTATIONS} expectations (MAX_EXPECTATIONS)");
            self.problems.push(Problem::error(at!["expect"], message).at_key());
            return Vec::new();
        }
        let named = self.subjects();
        // A phase without a name could be the one that is meant.
        let phases: Option<BTreeSet<&str>> = file.phase.iter().map(|phase| phase.name.as_deref()).collect();
        for (index, spec) in file.expect.iter().enumerate() {
            if let (Some(phase), Some(known)) = (&spec.phase, &phases)
                && !known.contains(phase.as_str())
            {
                let known = || known.iter().map(ToString::to_string).collect();
                let message = format!("no phase is called `{}`", clipped(phase));
                self.unknown_name(at!["expect", index, "phase"], message, phase, known);
            }
        }
        file.expect.iter().enumerate().filter_map(|(index, spec)| self.expectation(index, spec, &named)).collect()
    }

    fn expectation(
        &mut self,
        index: usize,
        spec: &file::Expect,
        named: &BTreeMap<&str, Subject>,
    ) -> Option<Expectation> {
        let at = |key: &str| at!["expect", index, key];
        let subject = self.subject(at("of"), spec.of.as_deref(), named);
        if subject == Subject::App && spec.phase.is_some() {
            let message = "the figures of an app are those of the whole run: take `phase` out";
            self.problems.push(Problem::error(at("phase"), message).at_key());
        }
        let bound = self.bound(index, spec);
        let metric = self.metric(at("metric"), spec.metric.as_ref()?, subject)?;
        let bound = bound?;
        self.check_bound(index, &metric, bound);
        Some(Expectation {
            of: spec.of.clone(),
            phase: spec.phase.clone(),
            metric,
            bound,
            sometimes: spec.sometimes == Some(true),
        })
    }

    /// What has figures, by name.
    pub(super) fn subjects(&self) -> BTreeMap<&'a str, Subject> {
        let file = self.file;
        let subject = |flow: &file::Traffic| flow.ack.as_ref().map_or(Subject::Flow, |_| Subject::AcknowledgedFlow);
        let flows = file.traffic.iter().filter_map(|flow| Some((flow.name.as_deref()?, subject(flow))));
        let of_apps = file.app.iter().filter_map(|app| Some((apps::name(app)?, Subject::App)));
        flows.chain(of_apps).collect()
    }

    /// What a name stands for that has figures; that of nothing is reported at `at`.
    pub(super) fn subject(&mut self, at: Path, of: Option<&str>, named: &BTreeMap<&str, Subject>) -> Subject {
        let file = self.file;
        let all_named =
            file.traffic.iter().all(|flow| flow.name.is_some()) && file.app.iter().all(|app| apps::name(app).is_some());
        if let Some(of) = of.filter(|of| !named.contains_key(of) && all_named) {
            let known = || named.keys().map(ToString::to_string).collect();
            let what = if file.app.is_empty() { "no flow is" } else { "no flow and no app is" };
            self.unknown_name(at, format!("{what} called `{}`", clipped(of)), of, known);
        }
        of.map_or(Subject::Totals, |of| *named.get(of).unwrap_or(&Subject::Flow))
    }

    /// The figure of a path; what is none is reported at `at`.
    pub(super) fn metric(&mut self, at: Path, metric: &str, subject: Subject) -> Option<Metric> {
        Metric::parse(metric, subject)
            .map_err(|known| {
                let of = match subject {
                    Subject::Totals => "the totals have",
                    Subject::Flow if metric.starts_with("ack.") => "a flow without `ack` has",
                    Subject::Flow | Subject::AcknowledgedFlow => "a flow has",
                    Subject::App => "an app has",
                };
                self.unknown_name(at, format!("{of} no figure `{}`", clipped(metric)), metric, || known);
            })
            .ok()
    }

    /// A bound that no figure can keep, or every figure does, was meant otherwise.
    fn check_bound(&mut self, index: usize, metric: &Metric, bound: Bound) {
        let (key, values) = match bound {
            Bound::AtLeast(low) => ("at_least", vec![low]),
            Bound::AtMost(high) => ("at_most", vec![high]),
            Bound::Between(low, high) => ("between", vec![low, high]),
            Bound::Equals(equal) => ("equals", vec![equal]),
        };
        let at = at!["expect", index, key];
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            self.error(at, format!("{value} is no bound"));
        } else if let Some(value) = values.iter().find(|value| metric.is_share() && !(0.0..=1.0).contains(*value)) {
            self.error(at, format!("{value}: `{metric}` is from 0 to 1; 95 % is 0.95"));
        } else if matches!(bound, Bound::Between(low, high) if low > high) {
            self.error(at, format!("{} is greater than {}", values[0], values[1]));
        }
    }

    fn bound(&mut self, index: usize, spec: &file::Expect) -> Option<Bound> {
        let given = [
            spec.at_least.map(Bound::AtLeast),
            spec.at_most.map(Bound::AtMost),
            spec.between.map(|[low, high]| Bound::Between(low, high)),
            spec.equals.map(Bound::Equals),
        ];
        let mut given = given.into_iter().flatten();
        let (first, second) = (given.next(), given.next());
        if first.is_none() && self.is_damaged(at!["expect", index]) {
            return None;
        }
        if first.is_none() || second.is_some() {
            let message = "an expectation has exactly one of `at_least`, `at_most`, `between` and `equals`";
            self.error(at!["expect", index], message);
            return None;
        }
        first
    }
}
