//! Expectations: a figure of the report against its bound.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::{Bound, Expectation, Scenario};
use crate::sim::Outcome;
use crate::stats::{FlowTally, Proportion};
use crate::study::Line;

/// One expectation and whether it held.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct ExpectationReport {
    /// The flow or app; null for the totals.
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
    /// Whether it is enough that one replication keeps the bound; left out if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sometimes: bool,
    /// Whether it keeps the bound.
    pub result: Verdict,
    /// The figure as a share, if it is one.
    #[serde(skip)]
    pub(super) share: Option<Proportion>,
    #[serde(skip)]
    pub(super) limits: Limits,
}

/// Whether an expectation held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The figure keeps its bound.
    Holds,
    /// Its interval lies on both sides of the bound; or one run did not keep a bound that some run is to keep.
    Inconclusive,
    /// It does not, or there is none.
    Violated,
}

impl Verdict {
    /// In summaries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Violated => "VIOLATED",
        }
    }
}

/// A bound as numbers: from the first to the second, ends included.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Limits {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Limits {
    /// Those of a bound in words.
    fn parse(bound: &str) -> Option<Self> {
        let mut words = bound.split(' ');
        let kind = words.next()?;
        let number = words.next()?.parse().ok()?;
        Some(match kind {
            "at_least" => Limits { low: number, high: f64::INFINITY },
            "at_most" => Limits { low: f64::NEG_INFINITY, high: number },
            "between" => Limits { low: number, high: words.nth(1)?.parse().ok()? },
            "equals" => Limits { low: number, high: number },
            _ => return None,
        })
    }

    /// Whether a value keeps the bound.
    pub(super) fn hold(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

impl ExpectationReport {
    /// Looks up the figure, of a flow or of the totals, or of one phase of it, or of an app, and compares it.
    pub(super) fn new(scenario: &Scenario, expectation: &Expectation, totals: &FlowTally, outcome: &Outcome) -> Self {
        let of = expectation.of.as_ref();
        let flow = of.and_then(|of| scenario.flows.iter().position(|flow| flow.name == *of));
        let app = of.and_then(|of| scenario.apps.iter().position(|app| app.name == *of));
        let tally = flow.map_or(totals, |flow| &outcome.tally.flows[flow]);
        let phase = expectation.phase.as_ref().and_then(|name| scenario.phases.iter().position(|it| it.name == *name));
        let tally = phase.map_or(tally, |phase| &tally.phases[phase]);
        let metric = &expectation.metric;
        let (value, share) = match app.map(|app| &outcome.apps[app]) {
            Some(app) => (metric.value_of_app(app), metric.share_of_app(app)),
            None => (metric.value(tally), metric.share(tally)),
        };
        let bound = match expectation.bound {
            Bound::AtLeast(low) => format!("at_least {low}"),
            Bound::AtMost(high) => format!("at_most {high}"),
            Bound::Between(low, high) => format!("between {low} and {high}"),
            Bound::Equals(equal) => format!("equals {equal}"),
        };
        let limits = Limits::parse(&bound).expect("these are the words that it reads");
        let result = match value.is_some_and(|value| limits.hold(value)) {
            true => Verdict::Holds,
            false if expectation.sometimes => Verdict::Inconclusive,
            false => Verdict::Violated,
        };
        ExpectationReport {
            of: expectation.of.clone(),
            metric: expectation.metric.to_string(),
            phase: expectation.phase.clone(),
            bound,
            value,
            sometimes: expectation.sometimes,
            result,
            share,
            limits,
        }
    }

    /// One of those of a stored run.
    pub(super) fn read(line: &Line, value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        let (of, phase, metric, bound) = (text("of"), text("phase"), text("metric")?, text("bound")?);
        let ratio = metric.strip_suffix(".value").unwrap_or(&metric);
        Some(ExpectationReport {
            share: line.figure(of.as_deref(), phase.as_deref(), ratio).share,
            limits: Limits::parse(&bound)?,
            value: value.get("value")?.as_f64(),
            sometimes: value.get("sometimes").is_some_and(|it| *it == Value::Bool(true)),
            result: serde_json::from_value(value.get("result")?.clone()).ok()?,
            of,
            metric,
            phase,
            bound,
        })
    }

    /// What is expected of what: the flow (and phase), the figure and the bound.
    pub(super) fn words(&self) -> [String; 3] {
        let of = self.of.as_deref().unwrap_or("totals");
        let of = self.phase.as_ref().map_or(of.to_owned(), |phase| format!("{of} in {phase}"));
        let sometimes = if self.sometimes { "sometimes " } else { "" };
        [of, self.metric.clone(), format!("{sometimes}{}", self.bound)]
    }
}
