//! The checked scenario: what a run is made of. Only [`super::parse`] makes one, so that nothing in it contradicts the
//! rest.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::app::App;
use super::fault::Event;
use super::names::{NameServers, Names};
use crate::id::{HostId, LinkId};
use crate::link::Loss;
use crate::mailslot::{CreateOptions, Limits, NameKind, SlotName};
use crate::names::SUFFIX_INTERNET_GROUP;
use crate::net::Topology;
use crate::stats::Metric;
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;
use crate::wire::transaction::Layout;

/// A scenario that passed every check.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) seed: u64,
    pub(crate) duration: Duration,
    pub(crate) drain: Duration,
    pub(crate) name_service: NameService,
    pub(crate) topology: Topology,
    /// In the order of the topology's hosts.
    pub(crate) hosts: Vec<Host>,
    pub(crate) mailslots: Vec<Mailslot>,
    pub(crate) flows: Vec<Flow>,
    /// Parts of the time of writing, in its order; they do not overlap.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) phases: Vec<Phase>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) apps: Vec<App>,
    pub(crate) expectations: Vec<Expectation>,
    /// What happens to the network and to hosts, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<Event>,
    #[serde(skip)]
    pub(crate) names: Names,
    #[serde(skip)]
    pub(crate) name_servers: NameServers,
}

/// What a host is called and how it behaves.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Host {
    #[serde(serialize_with = "display")]
    pub(crate) computer: NetbiosName,
    #[serde(serialize_with = "display")]
    pub(crate) domain: NetbiosName,
    #[serde(serialize_with = "further_names")]
    pub(crate) names: Vec<(NetbiosName, NameKind)>,
    /// Whether it is a NetBIOS name server.
    pub(crate) wins: bool,
    pub(crate) datagram_errors: bool,
    /// How many transports it is on: the first ones of all.
    pub(crate) transports: u8,
    pub(crate) fragments: bool,
    #[serde(serialize_with = "layout")]
    pub(crate) layout: Layout,
    #[serde(serialize_with = "limits")]
    pub(crate) limits: Limits,
    pub(crate) remote_mailslots_disabled: bool,
}

/// How names are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NameService {
    /// Every machine knows all names.
    Static,
    /// By asking everybody on the segment.
    Broadcast,
    /// By asking a name server.
    Wins,
}

/// A mailslot that a program on a host opens when the run starts, or when an event says so.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mailslot {
    pub(crate) host: HostId,
    #[serde(serialize_with = "display")]
    pub(crate) name: SlotName,
    pub(crate) max_message_size: u32,
    pub(crate) queue_limit: Option<u32>,
    pub(crate) reader: Reader,
    /// Whether it is not open until an event opens it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) starts_closed: bool,
}

impl Mailslot {
    /// The path by which its program creates it: the name as it stands.
    pub(crate) fn path(&self) -> String {
        format!(r"\\?\mailslot\{}", self.name)
    }

    /// How its program creates it.
    pub(crate) fn options(&self, read_timeout_ms: u32) -> CreateOptions {
        let Mailslot { max_message_size, queue_limit, .. } = *self;
        CreateOptions { max_message_size, queue_limit, read_timeout_ms, ..CreateOptions::default() }
    }
}

/// How the program that opened a mailslot reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reader {
    /// It always waits for the next message.
    Wait,
    /// It never reads.
    Never,
    /// It looks at these intervals, and reads all that is there.
    Poll(Duration),
    /// It is busy for so long after each message.
    ServiceTime(Duration),
}

/// One `[[traffic]]` entry.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Flow {
    pub(crate) name: String,
    /// The target as the report shows it.
    pub(crate) to: String,
    pub(crate) senders: Vec<HostId>,
    pub(crate) traffic: Traffic,
}

/// What a flow writes.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Traffic {
    Generated(Generated),
    /// Recorded writes, in the order of time.
    Captured(Vec<Recorded>),
}

/// Messages of one kind to one target.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Generated {
    pub(crate) to: Target,
    pub(crate) arrivals: Arrivals,
    pub(crate) start: Duration,
    pub(crate) stop: Duration,
    /// Messages per sender, at most.
    pub(crate) count: Option<u64>,
    pub(crate) size: Size,
    /// How often a message is written; where replies are waited for, at most.
    pub(crate) copies: Copies,
    /// The mailslot of the sender's machine that readers reply to, if they do.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "display_some")]
    pub(crate) ack: Option<SlotName>,
}

/// The fewest bytes of a message with `ack`: its number, that of its flow and sender, and a checksum.
pub(crate) const MIN_ACKNOWLEDGED: u32 = 8 + 4 + 8;

/// How often a message is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Copies {
    /// At least 1.
    pub(crate) number: u16,
    /// From one copy to the next.
    pub(crate) spacing: Duration,
}

/// When messages are written.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arrivals {
    /// At equal intervals, the first at the start.
    Every(Duration),
    /// With exponentially distributed gaps of this mean.
    Poisson { mean_gap: Duration },
    /// Several at once, at equal intervals.
    Burst { size: u32, every: Duration },
    /// At these times, in order.
    At(Vec<Duration>),
}

/// How long messages are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Size {
    Fixed(u32),
    Uniform { min: u32, max: u32 },
}

impl Size {
    /// The smallest and the largest.
    pub(crate) fn range(self) -> (u32, u32) {
        match self {
            Size::Fixed(size) => (size, size),
            Size::Uniform { min, max } => (min, max),
        }
    }
}

/// A write that was captured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Recorded {
    pub(crate) at: Duration,
    pub(crate) from: HostId,
    pub(crate) to: Target,
    #[serde(serialize_with = "hexadecimal")]
    pub(crate) data: Arc<[u8]>,
}

/// What a message is written to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// A slot of the sender's own machine.
    Local(#[serde(serialize_with = "display")] SlotName),
    /// `\\*`: the slots of the sender's domain.
    PrimaryDomain(#[serde(serialize_with = "display")] SlotName),
    /// The slots of whoever bears the name.
    Named {
        #[serde(serialize_with = "display")]
        name: NetbiosName,
        #[serde(serialize_with = "display")]
        slot: SlotName,
    },
}

impl Flow {
    /// How many messages each sender has for each target; for generated traffic, where all senders have as many, 1.
    pub(crate) fn messages(&self) -> BTreeMap<(HostId, &Target), u64> {
        let mut messages = BTreeMap::new();
        match &self.traffic {
            Traffic::Generated(generated) => {
                messages.extend(self.senders.iter().map(|&sender| ((sender, &generated.to), 1)));
            }
            Traffic::Captured(records) => {
                for record in records {
                    *messages.entry((record.from, &record.to)).or_default() += 1;
                }
            }
        }
        messages
    }

    /// The mailslot of each sender's machine that readers reply to, if they do.
    pub(crate) fn ack(&self) -> Option<&SlotName> {
        match &self.traffic {
            Traffic::Generated(generated) => generated.ack.as_ref(),
            Traffic::Captured(_) => None,
        }
    }

    /// Whether its messages may be written more than once.
    pub(crate) fn is_written_again(&self) -> bool {
        matches!(&self.traffic, Traffic::Generated(generated) if generated.copies.number > 1)
    }

    /// Whether a message of it may begin from one moment on and before another.
    pub(crate) fn writes_in(&self, from: Duration, to: Duration) -> bool {
        let generated = match &self.traffic {
            Traffic::Generated(generated) => generated,
            Traffic::Captured(records) => return records.iter().any(|record| (from..to).contains(&record.at)),
        };
        let Generated { arrivals, start, count, .. } = generated;
        let (first, end) = (from.max(*start), to.min(generated.last_beginning()));
        let count = count.unwrap_or(u64::MAX);
        let is_regular = |every: Duration, at_once: u64| {
            let gaps = first.nanos().saturating_sub(start.nanos()).div_ceil(every.nanos());
            let at = gaps.saturating_mul(every.nanos()).saturating_add(start.nanos());
            gaps.saturating_mul(at_once) < count && at < end.nanos()
        };
        match arrivals {
            Arrivals::Every(every) => is_regular(*every, 1),
            Arrivals::Burst { size, every } => is_regular(*every, (*size).into()),
            Arrivals::Poisson { .. } => first < end && count > 0,
            Arrivals::At(times) => times.iter().zip(0..count).any(|(at, _)| (first..end).contains(at)),
        }
    }

    /// The sizes of the smallest and the largest message that it may write.
    pub(crate) fn sizes(&self) -> (u32, u32) {
        match &self.traffic {
            Traffic::Generated(generated) => generated.size.range(),
            Traffic::Captured(records) => {
                let lengths = || records.iter().map(|record| record.data.len() as u32);
                (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0))
            }
        }
    }
}

impl Generated {
    /// No message begins from then on: all copies of a message, all tries of it, are written before the flow's end.
    pub(crate) fn last_beginning(&self) -> Duration {
        let Copies { number, spacing } = self.copies;
        let lasts = spacing * (u64::from(number) - 1);
        Duration::from_nanos(self.stop.nanos().saturating_sub(lasts.nanos()))
    }
}

impl Target {
    /// As reports show it.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Target::Named { name, slot } => format!(r"\\{name}\mailslot\{slot}"),
            Target::Local(slot) | Target::PrimaryDomain(slot) => slot.to_string(),
        }
    }

    pub(crate) fn slot(&self) -> &SlotName {
        match self {
            Target::Local(slot) | Target::PrimaryDomain(slot) | Target::Named { slot, .. } => slot,
        }
    }
}

/// A part of the time of writing, `to` excluded.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// A bound that a figure must keep.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Expectation {
    /// The flow or app; `None` for the totals.
    pub(crate) of: Option<String>,
    /// The phase whose messages are meant; `None` for all messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<String>,
    #[serde(serialize_with = "display")]
    pub(crate) metric: Metric,
    pub(crate) bound: Bound,
    /// Whether it is enough that one replication keeps the bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sometimes: bool,
}

/// How a figure is compared.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Between(f64, f64),
    Equals(f64),
}

impl Scenario {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The seed that it asks for.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The same scenario with another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Scenario { seed, ..self }
    }

    /// How long programs write.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// When the run ends at the latest.
    #[must_use]
    pub fn end(&self) -> Instant {
        Instant::ZERO + self.duration + self.drain
    }

    /// Whether it expects anything.
    #[must_use]
    pub fn expects(&self) -> bool {
        !self.expectations.is_empty()
    }

    /// The network.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// SHA-256 over the resolved scenario, seed and contents of captures included, as hexadecimal digits. Comments,
    /// layout and the order of keys do not matter, and a default counts as if it were written.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut digest = Hashing(Sha256::new());
        serde_json::to_writer(&mut digest, self).expect("a scenario has a JSON form");
        digest.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The NetBIOS name that a target stands for at a sender; `None` for a local slot.
    pub(crate) fn target_name(&self, sender: HostId, target: &Target) -> Option<NetbiosName> {
        match target {
            Target::Local(_) => None,
            Target::PrimaryDomain(_) => Some(self.hosts[sender.index()].domain),
            Target::Named { name, .. } => Some(*name),
        }
    }

    /// Whether a write to a target is a broadcast: it stands for a group, of which no name server has a list.
    pub(crate) fn is_group(&self, sender: HostId, target: &Target) -> bool {
        let name = self.target_name(sender, target);
        let bearers = name.filter(|name| !self.is_listed_name(name)).and_then(|name| self.names.get(&name));
        bearers.is_some_and(|bearers| bearers.group)
    }

    /// Whether a target stands for a group of which the name server has a list: a write to it is sent to each member.
    pub(crate) fn is_listed(&self, target: &Target) -> bool {
        matches!(target, Target::Named { name, .. } if self.is_listed_name(name))
    }

    /// Whether the name server has a list of those who bear a name.
    pub(crate) fn is_listed_name(&self, name: &NetbiosName) -> bool {
        self.name_service == NameService::Wins && name.suffix() == SUFFIX_INTERNET_GROUP
    }

    /// The ways by which a message to a target comes to one of its recipients, each with the links that it passes in order:
    /// one without links for the sender itself; none if there is no way.
    pub(crate) fn paths(&self, sender: HostId, target: &Target, recipient: HostId) -> Vec<Vec<LinkId>> {
        if recipient == sender {
            return vec![Vec::new()];
        }
        if self.is_group(sender, target) {
            let paths = self.topology.broadcast_paths(sender, recipient);
            return paths.into_iter().map(|(_, path)| path).collect();
        }
        self.topology.path(sender, recipient).into_iter().collect()
    }

    /// Whether there is one.
    pub(crate) fn has_way(&self, sender: HostId, target: &Target, recipient: HostId) -> bool {
        match self.is_group(sender, target) {
            _ if recipient == sender => true,
            true => self.topology.hears(recipient, sender),
            false => self.topology.reaches(sender, recipient),
        }
    }

    /// The name server that a host asks.
    pub(crate) fn name_server(&self, host: HostId) -> HostId {
        self.name_servers.of(&self.topology, host).expect("a scenario with WINS has a name server")
    }

    /// The recipients that a message of `sender` addresses, in ascending order: the bearer of a unique name, or those
    /// bearers of a group name that declare the slot; a local slot's machine if it declares it.
    pub(crate) fn audience(&self, sender: HostId, target: &Target) -> Vec<HostId> {
        let declares = |host: &HostId| self.mailslot(*host, target.slot()).is_some();
        let Some(name) = self.target_name(sender, target) else {
            return [sender].into_iter().filter(declares).collect();
        };
        match self.names.get(&name) {
            None => Vec::new(),
            Some(bearers) if bearers.group => bearers.hosts.iter().copied().filter(declares).collect(),
            Some(bearers) => bearers.hosts.clone(),
        }
    }

    /// The audience when hosts are in these domains.
    pub(crate) fn audience_in(&self, domains: &[NetbiosName], sender: HostId, target: &Target) -> Vec<HostId> {
        let name = match target {
            Target::Local(_) => return self.audience(sender, target),
            Target::PrimaryDomain(_) => domains[sender.index()],
            Target::Named { name, .. } => *name,
        };
        self.audience_of(&name, target, |host| domains[host.index()] == name)
    }

    /// All that can ever be in the audience, whatever domains hosts join.
    pub(crate) fn possible_audience(&self, sender: HostId, target: &Target) -> Vec<HostId> {
        let moves = || self.events.iter().filter_map(|event| Some((event.fault.domain()?, event.fault.movers())));
        if moves().next().is_none() {
            return self.audience(sender, target);
        }
        let can_be_in = |host: HostId, name: NetbiosName| {
            let joins = |(domain, movers): (NetbiosName, &[HostId])| domain == name && movers.contains(&host);
            self.hosts[host.index()].domain == name || moves().any(joins)
        };
        match target {
            Target::Local(_) => self.audience(sender, target),
            Target::Named { name, .. } => self.audience_of(name, target, |host| can_be_in(host, *name)),
            Target::PrimaryDomain(_) => {
                let joined = moves().filter(|(_, movers)| movers.contains(&sender)).map(|(domain, _)| domain);
                let names = joined.chain([self.hosts[sender.index()].domain]);
                names.flat_map(|name| self.audience_of(&name, target, |host| can_be_in(host, name))).collect()
            }
        }
    }

    /// Those who bear a name and declare the slot of a target, in ascending order; `is_in` says who is in the domain of
    /// that name.
    fn audience_of(&self, name: &NetbiosName, target: &Target, is_in: impl Fn(HostId) -> bool) -> Vec<HostId> {
        match self.names.get(name) {
            None => Vec::new(),
            Some(bearers) if !bearers.group => bearers.hosts.clone(),
            Some(_) => {
                let bears = |host: &HostId| {
                    is_in(*host) || self.hosts[host.index()].names.iter().any(|(further, _)| further == name)
                };
                let declares = |host: &HostId| self.mailslot(*host, target.slot()).is_some();
                (0..self.hosts.len() as u32).map(HostId).filter(|host| bears(host) && declares(host)).collect()
            }
        }
    }

    /// The position of the mailslot that a host declares under a name.
    pub(crate) fn mailslot(&self, host: HostId, name: &SlotName) -> Option<usize> {
        find_mailslot(&self.mailslots, host, name)
    }

    /// Whether the losses of a flow depend on each other within a run: a link with memory or a queue, or one that a
    /// broadcast passes for all recipients.
    pub(crate) fn depends_within_run(&self, flow: &Flow) -> bool {
        let config = |link: LinkId| &self.topology.links()[link.index()].config;
        let depends = |sender: HostId, to: &Target| {
            let remembers = |link: &LinkId| config(*link).loss.has_memory() || config(*link).bottleneck.is_some();
            let harms = |link: &LinkId| {
                config(*link).loss.stationary() != Loss::NONE.stationary() || config(*link).corrupt.value() > 0.0
            };
            let is_group = self.is_group(sender, to);
            let mut led_to: BTreeMap<LinkId, HostId> = BTreeMap::new();
            self.audience(sender, to).into_iter().any(|recipient| {
                let mut is_shared = |link: &LinkId| *led_to.entry(*link).or_insert(recipient) != recipient;
                let links = self.paths(sender, to, recipient).concat();
                links.iter().any(|link| remembers(link) || harms(link) && is_group && is_shared(link))
            })
        };
        flow.messages().into_keys().any(|(sender, to)| depends(sender, to))
    }
}

/// The position of a host's mailslot among all, which are in the order of host and name.
pub(crate) fn find_mailslot(mailslots: &[Mailslot], host: HostId, name: &SlotName) -> Option<usize> {
    mailslots.binary_search_by(|mailslot| (mailslot.host, &mailslot.name).cmp(&(host, name))).ok()
}

/// Hashes what is written to it.
struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hexadecimal<S: Serializer>(bytes: &Arc<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    serializer.serialize_str(&digits)
}

fn limits<S: Serializer>(limits: &Limits, serializer: S) -> Result<S::Ok, S::Error> {
    (limits.api_424, limits.hole_425_426).serialize(serializer)
}

fn layout<S: Serializer>(layout: &Layout, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(*layout == Layout::Samba)
}

pub(super) fn display<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn display_some<T: std::fmt::Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value.as_ref().expect("what is not there is left out"))
}

fn further_names<S: Serializer>(names: &[(NetbiosName, NameKind)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(|(name, kind)| (name.to_string(), *kind == NameKind::Group)))
}
