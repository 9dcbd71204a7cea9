//! The tables of the timeline.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::scenario::quantity::Time;

/// Something that happens, at a moment or again and again at random: exactly one of `partition`, `heal`, `crash`,
/// `restart`, `pause`, `resume`, `leave`, `join`, `open`, `close` and `set`.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Event {
    /// When; before all else that happens at that moment.
    pub(in crate::scenario) at: Option<Time>,
    /// Instead of `at`: again and again, at random.
    pub(in crate::scenario) every: Option<Every>,
    /// How long it lasts; then it is undone. Default: until another event.
    #[serde(rename = "for")]
    pub(in crate::scenario) lasts: Option<Time>,
    /// Groups of hosts, patterns, domains ('\\PLANT') or segments that are cut off from each other; hosts in none reach all.
    pub(in crate::scenario) partition: Option<Vec<Vec<String>>>,
    /// Whether only what goes from the first group to the others is cut. Default false.
    pub(in crate::scenario) oneway: Option<bool>,
    /// Ends all partitions: true.
    pub(in crate::scenario) heal: Option<bool>,
    /// Hosts that go down at once: a host, a pattern, or every member of a domain. Slots and unread messages are gone.
    pub(in crate::scenario) crash: Option<String>,
    /// Hosts that start, or start anew: they register their names, and programs open their mailslots again.
    pub(in crate::scenario) restart: Option<String>,
    /// Hosts that stand still: programs do nothing, and datagrams wait.
    pub(in crate::scenario) pause: Option<String>,
    /// Hosts that go on.
    pub(in crate::scenario) resume: Option<String>,
    /// Hosts that leave their domain for "WORKGROUP".
    pub(in crate::scenario) leave: Option<String>,
    /// Hosts that leave their domain for another.
    pub(in crate::scenario) join: Option<Join>,
    /// A mailslot that programs open.
    pub(in crate::scenario) open: Option<SlotAt>,
    /// A mailslot that programs close.
    pub(in crate::scenario) close: Option<SlotAt>,
    /// Values of link profiles, by path: { "link.switch.loss.mean" = "20 %" }.
    pub(in crate::scenario) set: Option<BTreeMap<String, AnyValue>>,
}

/// Random times.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Every {
    /// Mean of the exponentially distributed time from the end of one to the next; every host has its own times.
    #[schemars(required)]
    pub(in crate::scenario) exponential: Option<Time>,
}

/// Hosts, and the domain that they join.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Join {
    /// A host, a pattern, or every member of a domain.
    #[schemars(required)]
    pub(in crate::scenario) host: Option<String>,
    /// The domain.
    #[schemars(required)]
    pub(in crate::scenario) domain: Option<String>,
}

/// A mailslot on hosts.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct SlotAt {
    /// A host, a pattern, or every member of a domain.
    #[schemars(required)]
    pub(in crate::scenario) on: Option<String>,
    /// Its name, as `[[mailslot]]` gives it.
    #[schemars(required)]
    pub(in crate::scenario) mailslot: Option<String>,
}

/// A value of any kind: what it stands for decides.
#[derive(Deserialize, Clone)]
#[serde(transparent)]
pub(in crate::scenario) struct AnyValue(pub(in crate::scenario) toml::Value);

impl JsonSchema for AnyValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}
