//! Expectations: a figure of the report against its bound.

use schemars::JsonSchema;
use serde::Serialize;

use crate::scenario::{Bound, Expectation, Scenario};
use crate::stats::FlowTally;

/// One expectation and whether it held.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct ExpectationReport {
    /// The flow; null for the totals.
    pub of: Option<String>,
    /// The path of the figure.
    pub metric: String,
    /// The phase whose messages are meant; left out for all messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The bound in words.
    pub bound: String,
    /// The figure; null if there is none.
    pub value: Option<f64>,
    /// Whether it keeps the bound.
    pub result: Verdict,
}

/// Whether an expectation held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The figure keeps its bound.
    Holds,
    /// It does not, or there is none.
    Violated,
}

impl ExpectationReport {
    /// Looks up the figure, of a flow or of the totals, or of one phase of it, and compares it.
    pub(super) fn new(scenario: &Scenario, expectation: &Expectation, totals: &FlowTally, flows: &[FlowTally]) -> Self {
        let flow = expectation.of.as_ref().and_then(|of| scenario.flows.iter().position(|flow| flow.name == *of));
        let tally = flow.map_or(totals, |flow| &flows[flow]);
        let phase = expectation.phase.as_ref().and_then(|name| scenario.phases.iter().position(|it| it.name == *name));
        let value = expectation.metric.value(phase.map_or(tally, |phase| &tally.phases[phase]));
        let (bound, holds) = match expectation.bound {
            Bound::AtLeast(low) => (format!("at_least {low}"), value.is_some_and(|value| value >= low)),
            Bound::AtMost(high) => (format!("at_most {high}"), value.is_some_and(|value| value <= high)),
            Bound::Between(low, high) => {
                (format!("between {low} and {high}"), value.is_some_and(|value| (low..=high).contains(&value)))
            }
            Bound::Equals(equal) => (format!("equals {equal}"), value == Some(equal)),
        };
        ExpectationReport {
            of: expectation.of.clone(),
            metric: expectation.metric.to_string(),
            phase: expectation.phase.clone(),
            bound,
            value,
            result: if holds { Verdict::Holds } else { Verdict::Violated },
        }
    }
}
