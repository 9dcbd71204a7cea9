//! What a folder of results is about: the manifest of a study.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::{Replications, Scenario};

/// The manifest of a study: all that its results depend on. The same study has the same bytes on every machine.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Name and version of this form.
    pub schema: String,
    /// Version of the program.
    pub version: String,
    /// Where random numbers come from.
    pub generator: String,
    /// The scenario's name.
    pub name: String,
    /// SHA-256 over the resolved scenario of every point, and the rule for replications.
    pub hash: String,
    /// What is varied, in the order of the file.
    pub axes: Vec<AxisEntry>,
    /// When a point has enough replications.
    pub replications: Rule,
    /// Every point, in order.
    pub points: Vec<PointEntry>,
}

/// An axis.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AxisEntry {
    /// Its name.
    pub name: String,
    /// The path of the value that it sets.
    pub set: String,
}

/// A point.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PointEntry {
    /// Its name.
    pub id: String,
    /// Its values, in the order of the axes.
    pub values: Vec<Value>,
    /// The seed of its runs, as text because JSON readers round such numbers.
    pub seed: String,
    /// SHA-256 of its resolved scenario.
    pub hash: String,
}

/// When a point has enough replications.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// After so many.
    Fixed(u32),
    /// When a figure is known well enough.
    Until {
        /// The flow or app; null for the totals.
        of: Option<String>,
        /// The path of the figure.
        metric: String,
        /// How far its interval reaches to either side at most.
        half_width: f64,
        /// Replications before it is looked at.
        min: u32,
        /// Replications after which it is over in any case.
        max: u32,
    },
}

impl Manifest {
    /// Name and version of the form.
    pub const SCHEMA: &str = "mailslot-sim/study/1";
    /// The generators of all draws (docs/design.md, "Draws belong to datagrams").
    pub(super) const GENERATOR: &str = "Philox4x64-10 keyed by ChaCha8";

    /// As JSON with the resolved scenario, with a line feed at the end.
    #[must_use]
    pub fn to_json(&self, scenario: &Scenario) -> String {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            manifest: &'a Manifest,
            /// As it is outside of the study.
            scenario: &'a Scenario,
        }
        serde_json::to_string_pretty(&Whole { manifest: self, scenario }).expect("a manifest has a JSON form") + "\n"
    }
}

impl From<&Replications> for Rule {
    fn from(replications: &Replications) -> Self {
        match replications {
            Replications::Fixed(number) => Rule::Fixed(*number),
            Replications::Until(until) => Rule::Until {
                of: until.of.clone(),
                metric: until.metric.to_string(),
                half_width: until.half_width,
                min: until.min,
                max: until.max,
            },
        }
    }
}
