//! A line of `runs.ndjson` as it is read: the figures of one run by their paths.

use serde_json::Value;

use crate::stats::Proportion;

/// The results of one run.
#[derive(Clone, Debug)]
pub struct Line(Value);

/// A figure of one run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// Its value; `None` where there is none, as the ratio of nothing to nothing.
    pub value: Option<f64>,
    /// The share that it is the value of, if it is one.
    pub share: Option<Proportion>,
}

impl Line {
    /// Reads a line; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(text).ok()?;
        (line["point"].is_string() && line["replication"].is_u64() && line["totals"].is_object()).then_some(Line(line))
    }

    /// The figures of all flows together, of each flow and of each app: a name, which the totals have not, and a table.
    pub fn subjects(&self) -> impl Iterator<Item = (Option<&str>, &Value)> {
        let named = ["flows", "apps"].into_iter().flat_map(|list| self.0[list].as_array().into_iter().flatten());
        [(None, &self.0["totals"])].into_iter().chain(named.map(|subject| (subject["name"].as_str(), subject)))
    }

    /// The names of the flows: each has delays of its own.
    pub(super) fn flows(&self) -> impl Iterator<Item = &str> {
        self.0["flows"].as_array().into_iter().flatten().filter_map(|flow| flow["name"].as_str())
    }

    /// A figure of a flow or app, or of the totals; of a phase of it if one is named.
    #[must_use]
    pub fn figure(&self, of: Option<&str>, phase: Option<&str>, path: &str) -> Figure {
        let subject = self.subjects().find(|(name, _)| *name == of).map(|(_, figures)| figures);
        let figures = subject.and_then(|figures| phase.map_or(Some(figures), |phase| figures["phases"].get(phase)));
        match figures.and_then(|figures| path.split('.').try_fold(figures, |here, key| here.get(key))) {
            Some(found) => Figure::read(found).unwrap_or(Figure { value: None, share: None }),
            // Counts that are 0 are left out of reports.
            None => Figure { value: Some(0.0), share: None },
        }
    }

    /// What was expected, as the report of the run has it.
    #[must_use]
    pub fn expectations(&self) -> &[Value] {
        self.0["expectations"].as_array().map_or(&[], Vec::as_slice)
    }
}

impl Figure {
    /// The figure that a value of the report is, if it is one.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Figure { value: number.as_f64(), share: None }),
            Value::Null => Some(Figure { value: None, share: None }),
            Value::Object(ratio) => {
                let share = Proportion { k: ratio.get("k")?.as_u64()?, n: ratio.get("n")?.as_u64()? };
                Some(Figure { value: share.value(), share: Some(share) })
            }
            _ => None,
        }
    }
}
