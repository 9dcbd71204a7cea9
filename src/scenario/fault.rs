//! What happens to the network and to hosts in the course of a checked scenario.

use serde::Serialize;

use super::model::display;
use crate::id::{HostId, LinkId};
use crate::link;
use crate::time::Duration;
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;

/// Something that happens to the network or to hosts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    pub(crate) when: When,
    /// After what time it is undone, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lasts: Option<Duration>,
    pub(crate) fault: Fault,
}

/// When something happens.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    At(Duration),
    /// Again and again, with exponentially distributed times of this mean before each.
    Every(Duration),
}

/// What happens.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Groups of hosts are cut off from each other.
    Partition { groups: Vec<Vec<HostId>>, one_way: bool },
    /// All partitions end.
    Heal,
    /// Hosts go down.
    Crash(Vec<HostId>),
    /// Hosts start, or start anew.
    Restart(Vec<HostId>),
    /// Hosts stand still.
    Pause(Vec<HostId>),
    /// Hosts that stand still go on.
    Resume(Vec<HostId>),
    /// Hosts leave their domain for [`DEFAULT_DOMAIN`].
    Leave(Vec<HostId>),
    /// Hosts leave their domain for another.
    Join {
        hosts: Vec<HostId>,
        #[serde(serialize_with = "display")]
        domain: NetbiosName,
    },
    /// Programs open these of the scenario's mailslots.
    Open(Vec<u32>),
    /// Programs close them.
    Close(Vec<u32>),
    /// Links impair otherwise from then on; `undone` is how they did before, if that is undone, and `values` says what was set.
    /// Where moments are known, what an event sets for a time is two of these: the second says that it is set [`NO_LONGER`].
    Set { values: String, links: Vec<Setting>, undone: Vec<Setting> },
}

/// How a fault says that values are set no longer, before their paths: those have no spaces.
pub(crate) const NO_LONGER: &str = "no longer ";

/// How some links impair.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setting {
    pub(crate) links: Vec<LinkId>,
    pub(crate) config: link::Config,
}

impl Fault {
    /// Whether it is the end of another one, and no event of its own.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Fault::Set { values, .. } if values.starts_with(NO_LONGER))
    }

    /// How many parts of it are random on their own: each host, or each mailslot.
    pub(crate) fn parts(&self) -> usize {
        match self {
            Fault::Partition { .. } | Fault::Heal | Fault::Set { .. } => 1,
            Fault::Crash(hosts)
            | Fault::Restart(hosts)
            | Fault::Pause(hosts)
            | Fault::Resume(hosts)
            | Fault::Leave(hosts)
            | Fault::Join { hosts, .. } => hosts.len(),
            Fault::Open(slots) | Fault::Close(slots) => slots.len(),
        }
    }

    /// The domain that hosts join by it.
    pub(crate) fn domain(&self) -> Option<NetbiosName> {
        match self {
            Fault::Leave(_) => Some(default_domain()),
            Fault::Join { domain, .. } => Some(*domain),
            _ => None,
        }
    }

    /// The hosts whose domain it changes.
    pub(crate) fn movers(&self) -> &[HostId] {
        match self {
            Fault::Leave(hosts) | Fault::Join { hosts, .. } => hosts,
            _ => &[],
        }
    }
}

/// The domain of a host that names none: what Windows calls a workgroup that nobody named.
pub(crate) const DEFAULT_DOMAIN: &str = "WORKGROUP";

/// [`DEFAULT_DOMAIN`] as the name that its members bear.
pub(crate) fn default_domain() -> NetbiosName {
    NetbiosName::new(DEFAULT_DOMAIN, SUFFIX_WORKSTATION).expect("it is a NetBIOS name")
}
