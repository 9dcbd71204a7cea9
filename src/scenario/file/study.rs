//! `[study]` as it is written.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::AnyValue;

/// Many runs of the scenario: with every combination of the values of some axes, each several times.
#[derive(Deserialize, JsonSchema, Clone, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Study {
    /// How many replications each point has. Default 20; or `until` says when there are enough.
    pub(in crate::scenario) replications: Option<u32>,
    /// Replications until a figure is known well enough, instead of a fixed number.
    pub(in crate::scenario) until: Option<Until>,
    /// What is varied, by names of your own: each combination of their values is a point.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Axis>")]
    pub(in crate::scenario) axes: Axes,
    /// Which combinations are meant: comparisons of axes with `&&`, `||`, `!` and parentheses.
    #[serde(rename = "where")]
    pub(in crate::scenario) only: Option<String>,
}

/// A value of the scenario that is varied: with `values`, or `range` and `step`.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Axis {
    /// The path of the value: "link.switch.loss.mean".
    #[schemars(required)]
    pub(in crate::scenario) set: Option<String>,
    /// The values that it takes.
    pub(in crate::scenario) values: Option<Vec<AnyValue>>,
    /// The first and the last value that it takes.
    pub(in crate::scenario) range: Option<[AnyValue; 2]>,
    /// From one value of the range to the next.
    pub(in crate::scenario) step: Option<AnyValue>,
    /// What is set, if it is not the value itself but a text with it: "STATION{1..$}", where $ stands for the value.
    #[serde(rename = "as")]
    pub(in crate::scenario) form: Option<String>,
}

/// When a point has enough replications.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Until {
    /// The flow or app; absent: the totals of all flows.
    pub(in crate::scenario) of: Option<String>,
    /// The figure, by its path in the report.
    #[schemars(required)]
    pub(in crate::scenario) metric: Option<String>,
    /// Its interval at 95 % is to reach no farther than this to either side.
    #[schemars(required)]
    pub(in crate::scenario) half_width: Option<f64>,
    /// Replications before it is looked at. Default 10.
    pub(in crate::scenario) min: Option<u32>,
    /// Replications after which it is over in any case. Default 1000.
    pub(in crate::scenario) max: Option<u32>,
}

/// Axes by name, in the order of the file.
#[derive(Clone, Default)]
pub(in crate::scenario) struct Axes(pub(in crate::scenario) Vec<(String, Axis)>);

impl<'de> Deserialize<'de> for Axes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Axes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of axes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Axes, A::Error> {
                let mut axes = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    axes.push(entry);
                }
                Ok(Axes(axes))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
