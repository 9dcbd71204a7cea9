//! Bounds that figures must keep.

use super::Context;
use crate::scenario::file;
use crate::scenario::model::{Bound, Expectation};
use crate::scenario::problem::{Problem, at};
use crate::stats::Metric;

impl Context<'_> {
    pub(super) fn expectations(&mut self) -> Vec<Expectation> {
        let file = self.file;
        file.expect.iter().enumerate().filter_map(|(index, spec)| self.expectation(index, spec)).collect()
    }

    fn expectation(&mut self, index: usize, spec: &file::Expect) -> Option<Expectation> {
        let at = |key: &str| at!["expect", index, key];
        let flows: Vec<&str> = self.file.traffic.iter().filter_map(|flow| flow.name.as_deref()).collect();
        if let Some(of) = spec.of.as_deref().filter(|of| !flows.contains(of))
            && flows.len() == self.file.traffic.len()
        {
            self.problems.push(Problem::error(at("of"), format!("no flow is called `{of}`")).suggest(of, flows));
        }
        let bound = self.bound(index, spec);
        let metric = spec.metric.as_ref()?;
        match Metric::parse(metric, spec.of.is_none()) {
            Ok(metric) => {
                let bound = bound?;
                self.check_bound(index, &metric, bound);
                Some(Expectation { of: spec.of.clone(), metric, bound })
            }
            Err(known) => {
                let of = if spec.of.is_none() { "the totals have" } else { "a flow has" };
                let problem = Problem::error(at("metric"), format!("{of} no figure `{metric}`"));
                self.problems.push(problem.suggest(metric, known.iter().map(String::as_str)));
                None
            }
        }
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
