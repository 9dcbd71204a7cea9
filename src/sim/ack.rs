//! Acknowledgements that programs build themselves, over a second mailslot: what their messages and replies say, what the
//! programs have agreed on, and what a sender knows of its own messages.
//!
//! A mailslot tells a reader neither who wrote a message nor which one it is, so the message has to say it. It also has a
//! checksum of its own: where no UDP checksum finds damage, a reply to what was never written would be a lie. What is
//! damaged is not replied to, and no reply that is damaged is believed. So a sender never believes what is not so.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::id::{HostId, StreamId};
use crate::mailslot::SlotName;
use crate::scenario::{Generated, MIN_ACKNOWLEDGED, Scenario, Target, Traffic};
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;

/// What a message or a reply begins with: number of the message, number of flow and sender, checksum.
const HEADER: usize = MIN_ACKNOWLEDGED as usize;
const CHECKSUM: usize = 8 + 4;
/// Bytes of a reply: behind the header, the number of the host that replies.
pub(super) const REPLY: usize = HEADER + 4;

/// Who says something.
#[derive(Clone, Copy)]
enum Kind {
    Message,
    Reply,
}

/// Makes a message one that its reader can reply to. What it says otherwise, behind the header, stays.
///
/// # Panics
///
/// If it is shorter than [`MIN_ACKNOWLEDGED`].
pub(crate) fn seal(stream: StreamId, message: u64, data: &mut [u8]) {
    write_header(Kind::Message, stream, message, data);
}

fn write_header(kind: Kind, stream: StreamId, message: u64, data: &mut [u8]) {
    data[..8].copy_from_slice(&message.to_be_bytes());
    data[8..CHECKSUM].copy_from_slice(&stream.0.to_be_bytes());
    let checksum = checksum(kind, data);
    data[CHECKSUM..HEADER].copy_from_slice(&checksum);
}

/// Enough of a SHA-256 that nothing damaged is ever taken for whole.
fn checksum(kind: Kind, data: &[u8]) -> [u8; HEADER - CHECKSUM] {
    let hash = Sha256::new().chain_update([kind as u8]).chain_update(&data[..CHECKSUM]).chain_update(&data[HEADER..]);
    *hash.finalize().first_chunk().expect("a hash is longer")
}

/// What programs have agreed on: who replies to what, and where.
#[derive(Clone)]
pub(crate) struct Agreement {
    /// For each stream what it asks of its readers, if it asks for replies; nothing if none does.
    streams: Vec<Option<Terms>>,
}

#[derive(Clone)]
struct Terms {
    sender: HostId,
    computer: NetbiosName,
    slot: SlotName,
    replies: SlotName,
}

/// What a program makes of a message that it has read.
pub(crate) enum Heard {
    /// It replies.
    Message { to: Target, reply: [u8; REPLY] },
    /// It is a reply to a message of its own.
    Reply { stream: StreamId, message: u64, from: HostId },
}

impl Agreement {
    /// That of the programs of a scenario.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut streams = Vec::new();
        for flow in &scenario.flows {
            let asks = match &flow.traffic {
                Traffic::Generated(Generated { to, ack: Some(replies), .. }) => Some((to.slot(), replies)),
                _ => None,
            };
            let terms = |sender: &HostId| {
                let computer = scenario.hosts[sender.index()].computer;
                let (slot, replies) = asks?;
                Some(Terms { sender: *sender, computer, slot: slot.clone(), replies: replies.clone() })
            };
            streams.extend(flow.senders.iter().map(terms));
        }
        if streams.iter().all(Option::is_none) {
            streams.clear();
        }
        Agreement { streams }
    }

    /// What a program makes of what it has read from a mailslot of its host; nothing if it has agreed on nothing of the
    /// kind, or the message is damaged.
    pub(crate) fn hear(&self, host: HostId, slot: &SlotName, data: &[u8]) -> Option<Heard> {
        let number = data.get(8..CHECKSUM)?.first_chunk().copied().map(u32::from_be_bytes)?;
        let terms = self.streams.get(number as usize)?.as_ref()?;
        let (stream, message) = (StreamId(number), u64::from_be_bytes(*data.first_chunk()?));
        let is_whole = |kind| data.get(CHECKSUM..HEADER).is_some_and(|sum| *sum == checksum(kind, data));
        if *slot == terms.slot && is_whole(Kind::Message) {
            let to = match host == terms.sender {
                true => Target::Local(terms.replies.clone()),
                false => Target::Named { name: terms.computer, slot: terms.replies.clone() },
            };
            let mut reply = [0; REPLY];
            reply[HEADER..].copy_from_slice(&host.0.to_be_bytes());
            write_header(Kind::Reply, stream, message, &mut reply);
            return Some(Heard::Message { to, reply });
        }
        if host == terms.sender && *slot == terms.replies && is_whole(Kind::Reply) {
            let from = HostId(u32::from_be_bytes(*data[HEADER..].first_chunk()?));
            return Some(Heard::Reply { stream, message, from });
        }
        None
    }
}

/// What the program of a sender knows of the messages whose replies it waits for.
pub(crate) struct Awaited {
    /// Whose replies it waits for, ascending: it has a list of them.
    audience: Vec<HostId>,
    /// How long after the first write it gives up.
    patience: Duration,
    /// The messages that it has neither given up nor had all replies to.
    open: BTreeMap<u64, Open>,
}

struct Open {
    /// When it gives up.
    until: Instant,
    /// When it writes the message again.
    next: Option<Instant>,
    replied: BTreeSet<HostId>,
}

/// What a reply tells the program that waits for it.
pub(crate) enum News {
    /// One recipient more has the message.
    Some,
    /// So the whole audience has it, and it need not be written again at `next`, if it was to be.
    All { next: Option<Instant> },
}

impl Awaited {
    pub(crate) fn new(audience: Vec<HostId>, patience: Duration) -> Self {
        Awaited { audience, patience, open: BTreeMap::new() }
    }

    /// A message is written for the first time.
    pub(crate) fn begin(&mut self, at: Instant, message: u64) {
        while self.open.first_key_value().is_some_and(|(_, open)| open.until <= at) {
            self.open.pop_first();
        }
        self.open.insert(message, Open { until: at + self.patience, next: None, replied: BTreeSet::new() });
    }

    /// The program starts anew, and knows of no message that it has written.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
    }

    /// A message is due again at `next`, if ever. False if it is not, since the whole audience has replied.
    pub(crate) fn write_again(&mut self, message: u64, next: Option<Instant>) -> bool {
        let open = self.open.get_mut(&message);
        open.map(|open| open.next = next).is_some()
    }

    /// A reply: nothing new if it comes when the program has given up, or is not the first.
    pub(crate) fn reply(&mut self, now: Instant, message: u64, from: HostId) -> Option<News> {
        let open = self.open.get_mut(&message).filter(|open| now < open.until)?;
        if self.audience.binary_search(&from).is_err() || !open.replied.insert(from) {
            return None;
        }
        if open.replied.len() < self.audience.len() {
            return Some(News::Some);
        }
        let next = open.next;
        self.open.remove(&message);
        Some(News::All { next })
    }
}
