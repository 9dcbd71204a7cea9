//! The scenario file as it is written: one type for each table. The published schema is made of these types, and
//! [`super::validate`] checks a file against that schema before it is read into them; so a field is `None` where the
//! file does not have it, or where its value was refused and reported.

mod event;
mod link;
mod study;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use self::event::{AnyValue, Event, Join, SlotAt};
pub(super) use self::link::{
    Delay, DelayDistribution, DistributionName, FourState, GilbertElliott, Link, Loss, LossModel,
};
pub(super) use self::study::{Axis, Study};
use super::quantity::{Bytes, Frequency, Time};

/// A scenario for mailslot-sim: a network of hosts, their mailslots, and the traffic between them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// Version of this format: 1.
    #[schemars(required)]
    pub(super) schema: Option<i64>,
    /// Name of the scenario: letters, digits, `.`, `_` and `-`.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// What it is about.
    pub(super) description: Option<String>,
    /// Seed of all randomness: a whole number from 0 to 18446744073709551615, as text. Default "0".
    pub(super) seed: Option<String>,
    /// Programs write in [0 s, duration).
    #[schemars(required)]
    pub(super) duration: Option<Time>,
    /// The run ends when nothing can change a fate any more, at the latest this long after `duration`. Default "10 s".
    pub(super) drain: Option<Time>,
    /// How the NetBIOS names of others are found. Default "static".
    pub(super) name_service: Option<NameService>,
    /// Impairment profiles by name.
    #[serde(default)]
    pub(super) link: BTreeMap<String, Link>,
    /// Broadcast domains (LANs) by name.
    #[serde(default)]
    pub(super) segment: BTreeMap<String, Segment>,
    /// Machines.
    #[serde(default)]
    pub(super) host: Vec<Host>,
    /// Routers between segments.
    #[serde(default)]
    pub(super) router: Vec<Router>,
    /// What happens to the network and the hosts while programs write.
    #[serde(default)]
    pub(super) event: Vec<Event>,
    /// Mailslots that programs open when the run starts.
    #[serde(default)]
    pub(super) mailslot: Vec<Mailslot>,
    /// What programs write.
    #[serde(default)]
    pub(super) traffic: Vec<Traffic>,
    /// Parts of the run whose messages are counted by themselves too.
    #[serde(default)]
    pub(super) phase: Vec<Phase>,
    /// Programs that run on hosts and react to what they hear.
    #[serde(default)]
    pub(super) app: Vec<App>,
    /// Bounds that figures must keep.
    #[serde(default)]
    pub(super) expect: Vec<Expect>,
    /// What `study` runs.
    pub(super) study: Option<Study>,
}

/// A broadcast domain.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Segment {
    /// How each host is attached. Default: perfect links.
    pub(super) link: Option<Attachment>,
}

/// The links of an attachment.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(untagged)]
pub(super) enum Attachment {
    /// The same profile in both directions.
    Both(String),
    /// A profile for each direction.
    Each(Directions),
}

/// A link profile for each direction; a missing direction is perfect.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Directions {
    /// From the host to the segment.
    pub(super) up: Option<String>,
    /// From the segment to the host.
    pub(super) down: Option<String>,
}

/// One machine, or several that differ only in their number.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    /// Its NetBIOS name, or a pattern like `STATION{01..12}`.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// Its domain or workgroup. Default "WORKGROUP".
    pub(super) domain: Option<String>,
    /// The segment that it is attached to, or several: then it is on each of them, with an interface for each.
    #[schemars(required)]
    pub(super) segment: Option<Segments>,
    /// How it is attached, instead of how the segment says; to each, if there are several.
    pub(super) link: Option<Attachment>,
    /// Further NetBIOS names that it registers, with suffix: "FARMDOM<1E>".
    pub(super) names: Option<Vec<String>>,
    /// Whether it is a NetBIOS name server: `name_service = "wins"` needs one. Default false.
    pub(super) wins: Option<bool>,
    /// Whether it answers a datagram to a unique name that it does not bear with DATAGRAM ERROR. Default false.
    pub(super) datagram_errors: Option<bool>,
    /// On how many transports it is: a receiver gets a copy for each that it shares with the sender. Default 1.
    pub(super) transports: Option<u8>,
    /// Whether it splits datagrams that do not fit 576 bytes of IP into NetBIOS fragments (RFC 1002), which Windows and
    /// Samba never do. Default false.
    pub(super) fragments: Option<bool>,
    /// In whose manner its mailslot writes are laid out. Default "windows".
    pub(super) layout: Option<LayoutName>,
    /// Whether its API refuses to send more than 424 bytes, as the documents say flatly. Default true; if false, only
    /// the datagram's own limit counts, which depends on the length of the mailslot's name: up to 428 bytes.
    pub(super) api_424: Option<bool>,
    /// Whether it refuses to send 425 and 426 bytes, as old Windows did; it matters with `api_424 = false`. Default
    /// false.
    pub(super) hole_425_426: Option<bool>,
    /// Whether a policy turns remote mailslots off, as is the default of Windows 11 24H2: its writes to others fail with
    /// ERROR_REMOTE_MAILSLOTS_DEPRECATED (3025), and it drops what others send. Default false.
    pub(super) remote_mailslots_disabled: Option<bool>,
}

/// The segments of a host.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(untagged)]
pub(super) enum Segments {
    /// One.
    One(String),
    /// One for each interface, in order.
    Several(Vec<String>),
}

/// How the names of others are found.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum NameService {
    /// Everybody knows all names of the scenario: no queries.
    Static,
    /// By broadcast on the own segment (B node): up to 3 queries, 250 ms apart. A write whose name is not found fails
    /// with ERROR_BAD_NETPATH (53).
    Broadcast,
    /// By asking a name server (a host with `wins = true`), also across routers: up to 3 queries, 5 s apart.
    Wins,
}

/// A layout of mailslot writes.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum LayoutName {
    /// The message aligned to 4 bytes; the sender says that it is a hybrid node.
    Windows,
    /// The message right behind the mailslot's name, as Samba and the browser service write it; a mixed node.
    Samba,
}

/// A router. Each ordered pair of its segments is a crossing with a link of its own.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Router {
    /// Its name.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// The segments that it joins: two or more.
    #[schemars(required)]
    pub(super) joins: Option<Vec<String>>,
    /// The link profile of a crossing. Default: perfect.
    pub(super) link: Option<String>,
    /// Whether it forwards broadcasts, which then enter each segment that they reach once. Default false: a write to a
    /// domain stays on the segment.
    pub(super) forward_broadcast: Option<bool>,
}

/// A mailslot that a program opens when the run starts.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Mailslot {
    /// A host, a pattern of hosts, or every member of a domain: '\\PLANT'.
    #[schemars(required)]
    pub(super) on: Option<String>,
    /// Its name, without `\mailslot\`.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// The greatest message that it takes; "0 B" (the default) for any.
    pub(super) max_message_size: Option<Bytes>,
    /// How its program reads. Default "wait".
    pub(super) reader: Option<Reader>,
    /// How many messages may wait in it; what comes then is dropped silently. Default: any number, as in Windows.
    pub(super) queue_limit: Option<u32>,
    /// Whether it is open from the beginning, and after a restart. Default true; if false, an event opens it.
    pub(super) open: Option<bool>,
}

/// How a program reads a mailslot.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(untagged)]
pub(super) enum Reader {
    /// It waits for every message, or never reads.
    Habit(ReaderHabit),
    /// It reads in a rhythm of its own.
    Timed(TimedReader),
}

/// How a program reads a mailslot.
#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReaderHabit {
    /// It always waits for the next message.
    Wait,
    /// It never reads.
    Never,
}

/// A program that reads in a rhythm of its own: exactly one of these.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct TimedReader {
    /// It looks at these intervals and reads all that is there.
    pub(super) poll: Option<Time>,
    /// It is busy for so long after each message.
    pub(super) service_time: Option<Time>,
}

/// A flow of messages. Exactly one of `every`, `poisson`, `burst`, `at` and `capture` says when they are written.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Traffic {
    /// Its name.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// A host, a pattern of hosts, or every member of a domain: every such host sends messages of its own.
    pub(super) from: Option<String>,
    /// A mailslot path: '\\COMPUTER\mailslot\NAME', '\\DOMAIN\mailslot\NAME', '\\*\mailslot\NAME' or
    /// '\\.\mailslot\NAME'.
    pub(super) to: Option<String>,
    /// A message at these intervals.
    pub(super) every: Option<Time>,
    /// Messages at random times, so many on average.
    pub(super) poisson: Option<Frequency>,
    /// Several messages at once, at intervals.
    pub(super) burst: Option<Burst>,
    /// Messages at these times.
    pub(super) at: Option<Vec<Time>>,
    /// The first write. Default "0 s".
    pub(super) start: Option<Time>,
    /// No writes from then on. Default: the scenario's duration.
    pub(super) stop: Option<Time>,
    /// At most so many messages per sender.
    pub(super) count: Option<u64>,
    /// Length of a message. Default "64 B".
    pub(super) size: Option<Size>,
    /// How many times each message is written, the same bytes again; it is delivered where any copy is. Default 1.
    pub(super) copies: Option<u16>,
    /// Time from one copy to the next. Default "0 s". No message begins so late that its copies would not all be written.
    pub(super) spacing: Option<Time>,
    /// How readers acknowledge the messages: the sender writes each again until all of its audience has replied.
    pub(super) ack: Option<Ack>,
    /// A pcap or pcapng file: replays its mailslot datagrams as writes of the captured hosts, at the captured times, to
    /// the captured names.
    pub(super) capture: Option<String>,
}

/// Acknowledgements that programs build themselves: each reader writes a reply to a mailslot of the sender's machine.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Ack {
    /// The mailslot of the sender's machine that replies go to; its program opens it, and reads it at once.
    #[schemars(required)]
    pub(super) slot: Option<String>,
    /// How long the sender waits for the replies of all its audience before it writes the message again.
    #[schemars(required)]
    pub(super) timeout: Option<Time>,
    /// How many times it writes a message before it gives up. No message begins so late that not all tries would be written
    /// in time.
    #[schemars(required)]
    pub(super) tries: Option<u16>,
}

/// A program that runs on hosts from the beginning, over the engine.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    /// What it does.
    #[schemars(required)]
    pub(super) kind: Option<AppKind>,
    /// A host, a pattern of hosts, or every member of a domain: '\\PLANT'.
    #[schemars(required)]
    pub(super) on: Option<String>,
    /// Its name in reports. Default: the kind.
    pub(super) name: Option<String>,
}

/// What a program does.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum AppKind {
    /// The browser service (MS-BRWS): it announces its host, and takes part in electing the master that keeps the list.
    Browser,
}

/// Several messages at once.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Burst {
    /// How many.
    #[schemars(required)]
    pub(super) size: Option<u32>,
    /// At these intervals.
    #[schemars(required)]
    pub(super) every: Option<Time>,
}

/// The length of messages.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(untagged)]
pub(super) enum Size {
    /// All the same.
    Fixed(Bytes),
    /// From a range.
    Range(SizeRange),
}

/// A range of message lengths.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct SizeRange {
    /// The shortest and the longest; all lengths between alike.
    #[schemars(required)]
    pub(super) uniform: Option<[Bytes; 2]>,
}

/// A part of the run: the report has the figures of its messages too, which are those first written in it. Phases do not
/// overlap.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    /// Its name.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// When it begins.
    #[schemars(required)]
    pub(super) from: Option<Time>,
    /// When it is over: what is written at that moment belongs to it no more.
    #[schemars(required)]
    pub(super) to: Option<Time>,
}

/// A bound that a figure must keep: exactly one of `at_least`, `at_most`, `between` and `equals`.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// The flow or app; absent: the totals of all flows.
    pub(super) of: Option<String>,
    /// The figure, by its path in the report of a flow: "delivery_ratio", "delay_ns.p99" (in nanoseconds),
    /// "fates.lost_on_link"; or in that of an app: "false_removals", "masters_at_end.max".
    #[schemars(required)]
    pub(super) metric: Option<String>,
    /// The phase whose messages are meant; absent: all messages.
    pub(super) phase: Option<String>,
    /// It must not be smaller.
    pub(super) at_least: Option<f64>,
    /// It must not be greater.
    pub(super) at_most: Option<f64>,
    /// It must lie between these two, ends included.
    pub(super) between: Option<[f64; 2]>,
    /// It must be exactly this.
    pub(super) equals: Option<f64>,
    /// Whether it is enough that one replication keeps the bound. Default false.
    pub(super) sometimes: Option<bool>,
}
