//! The ledger: follows every instance of every message to its end and gives each (message, recipient) one fate.

use std::collections::BTreeMap;
use std::ops::Range;

use super::event::{Bound, Event, Instance, Reason, Sent, Settled, Write};
use super::fate::Fate;
use super::observer::Observer;
use super::pair::{Entry, Furthest, Pair};
use super::phase::Phases;
use super::tally::{AckTally, FlowTally, HostTally, Tally};
use crate::id::{FlowId, HostId, StreamId};
use crate::time::{Duration, Instant};

/// One sender of one flow, as the ledger needs to know it.
#[derive(Clone, Debug)]
pub struct StreamLayout {
    /// The flow.
    pub flow: FlowId,
    /// The sender.
    pub sender: HostId,
    /// All recipients that its messages can have: events name them by their positions here.
    pub recipients: Vec<HostId>,
    /// What it writes to.
    pub targets: Vec<TargetLayout>,
    /// Parts of its audiences, for broadcasts that reach no more: see [`Bound::Part`].
    pub parts: Vec<Vec<u32>>,
    /// Whether readers reply to its messages.
    pub is_acknowledged: bool,
}

/// Whom a message to one target addresses, as positions among the stream's recipients.
#[derive(Clone, Debug)]
pub struct TargetLayout {
    /// The audience.
    pub audience: Vec<u32>,
    /// Those of it that cannot be reached by topology.
    pub unreachable: Vec<u32>,
    /// The sender itself, if it is in the audience: it gets no datagram of its own broadcast.
    pub sender: Option<u32>,
}

/// Follows messages to their fates. See the [module](super).
#[derive(Debug)]
pub struct Ledger {
    streams: Vec<Stream>,
    /// In the order of time.
    phases: Vec<Range<Instant>>,
    tally: Tally,
    /// What came to its fate by the last event.
    settled: Vec<Settled>,
}

/// Where it is counted what becomes of a stream's messages.
struct Account<'a> {
    stream: StreamId,
    tally: &'a mut FlowTally,
    settled: &'a mut Vec<Settled>,
}

impl Account<'_> {
    /// A message of this phase came to its fate at a recipient.
    fn settle(&mut self, phase: Option<usize>, recipient: u32, message: u64, fate: Fate) {
        self.tally.count(phase, |tally| tally.settle(fate));
        self.settled.push(Settled { stream: self.stream, message, recipient, fate });
    }
}

#[derive(Debug)]
struct Stream {
    layout: StreamLayout,
    phases: Phases,
    /// Empty until the first message is written.
    pairs: Vec<Pair>,
    messages: BTreeMap<u64, OpenMessage>,
}

/// A message that has not come to its fate at every recipient, or whose broadcast is still on its way.
#[derive(Debug)]
struct OpenMessage {
    target: u32,
    /// Whether a write of it succeeded: before that it has no audience.
    addressed: bool,
    /// Writes of it that are not done, and broadcasts of it that have not reached their segment.
    shared: u32,
    /// Recipients without a fate.
    unsettled: u32,
    delivered: u32,
    /// The broadcast that got furthest and was lost.
    furthest: Option<Furthest>,
}

impl Ledger {
    /// A ledger for these streams; a [`StreamId`] is a position among them, and beyond them that of a program, for which only
    /// hosts are counted. The phases do not overlap, and are in the order of time.
    #[must_use]
    pub fn new(streams: Vec<StreamLayout>, flows: usize, hosts: usize, phases: Vec<Range<Instant>>) -> Self {
        let stream =
            |layout| Stream { layout, phases: Phases::default(), pairs: Vec::new(), messages: BTreeMap::new() };
        let mut flow = FlowTally::default();
        flow.phases.resize_with(phases.len(), FlowTally::default);
        let mut flows = vec![flow; flows];
        for stream in streams.iter().filter(|stream| stream.is_acknowledged) {
            let tally = &mut flows[stream.flow.index()];
            tally.ack = Some(AckTally::default());
            tally.phases.iter_mut().for_each(|phase| phase.ack = Some(AckTally::default()));
        }
        Ledger {
            streams: streams.into_iter().map(stream).collect(),
            phases,
            tally: Tally { flows, hosts: vec![HostTally::default(); hosts] },
            settled: Vec::new(),
        }
    }

    /// The messages that came to their fate at a recipient by the event that was told last.
    #[must_use]
    pub fn settled(&self) -> &[Settled] {
        &self.settled
    }

    /// A further target of a stream, for what is written from now on; returns its position.
    pub fn add_target(&mut self, stream: StreamId, target: TargetLayout) -> u32 {
        let targets = &mut self.streams[stream.index()].layout.targets;
        targets.push(target);
        targets.len() as u32 - 1
    }

    /// A further part of the audiences of a stream; returns its position.
    pub fn add_part(&mut self, stream: StreamId, recipients: Vec<u32>) -> u32 {
        let parts = &mut self.streams[stream.index()].layout.parts;
        parts.push(recipients);
        parts.len() as u32 - 1
    }

    /// The counters, once the run is over and every instance has ended.
    ///
    /// # Panics
    ///
    /// If the conservation law is broken: a message without a fate at a recipient, or with two.
    #[must_use]
    pub fn finish(mut self) -> Tally {
        for stream in &mut self.streams {
            let tally = &mut self.tally.flows[stream.layout.flow.index()];
            assert!(stream.messages.is_empty(), "every message has a fate at every recipient when the run ends");
            stream.pairs.iter_mut().for_each(|pair| pair.finish(tally));
        }
        self.tally.flows.iter().for_each(FlowTally::assert_conservation);
        self.tally
    }

    /// A message is written at this moment; what the moment of its first write is in, it belongs to.
    fn begin(&mut self, stream: StreamId, message: u64, at: Instant) {
        let begun = self.phases.partition_point(|phase| phase.start <= at);
        let phase = begun.checked_sub(1).filter(|phase| self.phases[*phase].contains(&at));
        self.streams[stream.index()].phases.begin(message, phase);
    }

    fn write(&mut self, write: &Write<'_>) {
        self.begin(write.stream, write.message, write.called);
        let stream = &mut self.streams[write.stream.index()];
        let tally = &mut self.tally.flows[stream.layout.flow.index()];
        let phase = stream.phases.of(write.message);
        tally.count(phase, |tally| {
            tally.messages += u64::from(write.copy == 0);
            tally.writes += 1;
            match write.result {
                Ok(_) => tally.succeeded += 1,
                Err(code) => *tally.failed.entry(code).or_default() += 1,
            }
        });
        let tries = u64::from(write.copy) + 1;
        tally.count_ack(phase, |ack| ack.most_tries = ack.most_tries.max(tries));
        match write.result {
            Ok(sent) => {
                self.tally.hosts[stream.layout.sender.index()].sent += sent.packets.len() as u64;
                let settled = &mut self.settled;
                stream.address(write, sent, &mut Account { stream: write.stream, tally, settled });
            }
            Err(_) => {
                if write.copies_left > 0 {
                    stream.open(write.message, write.target, write.copies_left); // one of them may succeed
                }
                self.release(write.stream, write.message);
            }
        }
    }

    /// A write is not made: if it is a repetition, nobody is held open for it any more.
    fn unwritten(&mut self, stream: StreamId, message: u64) {
        let flow = self.streams[stream.index()].layout.flow;
        self.tally.flows[flow.index()].not_made += 1;
        self.release(stream, message);
    }

    /// A write of a message will not be made: nobody is held open for it any more.
    fn release(&mut self, stream: StreamId, message: u64) {
        let (id, stream) = (stream, &mut self.streams[stream.index()]);
        if stream.messages.contains_key(&message) {
            let tally = &mut self.tally.flows[stream.layout.flow.index()];
            stream.release_shared(message, None, &mut Account { stream: id, tally, settled: &mut self.settled });
        }
    }

    fn end(&mut self, instance: &Instance, fate: Fate, progress: u16) {
        let Some((stream, mut account)) = self.addressed(instance) else { return };
        let Instance { copy, packet, duplicate, fragment, interfaces, message, .. } = *instance;
        let end = Furthest { progress, copy, packet, duplicate, fragment, interfaces, fate };
        match instance.bound {
            Bound::Audience => stream.release_shared(message, Some(end), &mut account),
            bound => stream.for_each(bound, |stream, recipient| {
                let entry = entry(&mut stream.pairs, recipient, message);
                entry.furthest = Some(end.or_further(entry.furthest));
                stream.release(recipient, message, &mut account);
            }),
        }
    }

    /// There are so many instances more.
    fn multiply(&mut self, instance: &Instance, more: u32) {
        let Some((stream, _)) = self.addressed(instance) else { return };
        match instance.bound {
            Bound::Audience => stream.messages.get_mut(&instance.message).expect(OPEN).shared += more,
            bound => stream.for_each(bound, |stream, recipient| {
                entry(&mut stream.pairs, recipient, instance.message).live += more;
            }),
        }
    }

    fn spread(&mut self, instance: &Instance, recipients: &[u32]) {
        let Some((stream, mut account)) = self.addressed(instance) else { return };
        for &recipient in recipients {
            entry(&mut stream.pairs, recipient, instance.message).live += 1;
        }
        match instance.bound {
            Bound::Audience => stream.release_shared(instance.message, None, &mut account),
            bound => stream.for_each(bound, |stream, recipient| {
                stream.release(recipient, instance.message, &mut account);
            }),
        }
    }

    fn joined(&mut self, instance: &Instance) {
        let Some((stream, mut account)) = self.addressed(instance) else { return };
        if let Bound::Recipient(recipient) = instance.bound {
            stream.release(recipient, instance.message, &mut account);
        }
    }

    fn enqueued(&mut self, instance: &Instance) {
        let Some((stream, account)) = self.addressed(instance) else { return };
        if let Bound::Recipient(recipient) = instance.bound {
            let entry = entry(&mut stream.pairs, recipient, instance.message);
            let again = u64::from(std::mem::replace(&mut entry.accepted, true));
            account.tally.count(stream.phases.of(instance.message), |tally| tally.duplicates += again);
        }
    }

    fn read(&mut self, instance: &Instance, delay: Duration, damaged: bool) {
        let Some((stream, mut account)) = self.addressed(instance) else { return };
        let Bound::Recipient(recipient) = instance.bound else { return };
        let pair = &mut stream.pairs[recipient as usize];
        let position = pair.position(instance.message);
        if pair.entry(position).has_no_fate() {
            pair.settle_delivered(position, &stream.phases, account.tally);
            let phase = stream.phases.of(instance.message);
            account.settle(phase, recipient, instance.message, Fate::Delivered);
            account.tally.count(phase, |tally| {
                tally.delays.record(delay);
                tally.damaged += u64::from(damaged);
            });
            let message = stream.messages.get_mut(&instance.message).expect(OPEN);
            message.unsettled -= 1;
            message.delivered += 1;
        }
        stream.release(recipient, instance.message, &mut account);
    }

    /// The stream of an instance that is for somebody in the audience.
    fn addressed(&mut self, instance: &Instance) -> Option<(&mut Stream, Account<'_>)> {
        let is_addressed = matches!(instance.bound, Bound::Audience | Bound::Part(_) | Bound::Recipient(_));
        is_addressed.then(|| self.stream(instance)).flatten()
    }

    /// Counts something of the replies to a message.
    fn count_ack(&mut self, stream: StreamId, message: u64, count: impl Fn(&mut AckTally)) {
        let stream = &mut self.streams[stream.index()];
        self.tally.flows[stream.layout.flow.index()].count_ack(stream.phases.of(message), count);
    }

    /// Counts something of the message of an instance.
    fn count(&mut self, instance: &Instance, count: impl Fn(&mut FlowTally)) {
        if let Some((stream, account)) = self.stream(instance) {
            account.tally.count(stream.phases.of(instance.message), count);
        }
    }

    /// The sender and the flow of an instance; `None` if it is no flow's.
    fn stream(&mut self, instance: &Instance) -> Option<(&mut Stream, Account<'_>)> {
        let stream = self.streams.get_mut(instance.stream.index())?;
        let tally = &mut self.tally.flows[stream.layout.flow.index()];
        Some((stream, Account { stream: instance.stream, tally, settled: &mut self.settled }))
    }
}

impl Observer for Ledger {
    fn observe(&mut self, at: Instant, event: &Event<'_>) {
        self.settled.clear();
        match event {
            Event::WriteBegun { stream, message, target, copies_left, .. } => {
                self.begin(*stream, *message, at);
                self.streams[stream.index()].open(*message, *target, *copies_left);
            }
            Event::Write(write) => self.write(write),
            Event::Unwritten { stream, message } => self.unwritten(*stream, *message),
            Event::ProgramWrite { .. }
            | Event::Offered { .. }
            | Event::Corrupted { .. }
            | Event::Collected { .. }
            | Event::Stalled { .. }
            | Event::Fault { .. } => {}
            Event::Lost { instance, fate, links_passed, .. } => self.end(instance, *fate, (*links_passed).into()),
            Event::Split { instance, fragments } => self.multiply(instance, fragments - 1),
            Event::Duplicated { instance, .. } => self.multiply(instance, 1),
            Event::Forwarded { instance } => self.multiply(instance, 1),
            Event::Spread { instance, recipients } => self.spread(instance, recipients),
            Event::Arrived { host, .. } => self.tally.hosts[host.index()].received += 1,
            Event::Acknowledged { instance } => self.count(instance, |tally| tally.acknowledgements += 1),
            Event::Replied { instance } => {
                self.count_ack(instance.stream, instance.message, |ack| ack.replies_sent += 1);
            }
            Event::Believed { stream, message, .. } => self.count_ack(*stream, *message, |ack| ack.believed += 1),
            Event::Confirmed { stream, message, spared } => {
                self.count_ack(*stream, *message, |ack| ack.confirmed += 1);
                (0..*spared).for_each(|_| self.release(*stream, *message));
            }
            Event::SentAside { host, .. } => self.tally.hosts[host.index()].sent += 1,
            Event::Discarded { instance, host, reason, fate } => {
                let host = &mut self.tally.hosts[host.index()];
                let (counter, progress) = match reason {
                    Reason::NoSuchMailslot => (&mut host.no_such_mailslot, REACHED_HOST),
                    Reason::Malformed => (&mut host.malformed, REACHED_HOST),
                    Reason::NotForUs => (&mut host.not_for_us, REACHED_HOST),
                    Reason::MissingFragment => (&mut host.missing_fragment, REACHED_HOST),
                    Reason::TooLargeForSlot => (&mut host.too_large_for_slot, REACHED_SLOT),
                    Reason::SlotFull => (&mut host.slot_full, REACHED_SLOT),
                };
                *counter += 1;
                self.end(instance, *fate, progress);
            }
            Event::Joined { instance } => self.joined(instance),
            Event::Enqueued { instance, .. } => self.enqueued(instance),
            Event::Misdelivered { instance, .. } => {
                self.count(instance, |tally| tally.misdelivered += 1);
                self.end(instance, Fate::Corrupted, REACHED_HOST);
            }
            Event::Read { instance, host, delay, damaged } => {
                self.tally.hosts[host.index()].delivered += 1;
                let is_reply = !damaged && instance.bound.replier().is_some();
                if is_reply && *host == self.streams[instance.stream.index()].layout.sender {
                    self.count_ack(instance.stream, instance.message, |ack| ack.replies_received += 1);
                }
                self.read(instance, *delay, *damaged);
            }
            Event::Gone { instance, fate: Fate::ClosedUnread, .. } => {
                self.end(instance, Fate::ClosedUnread, REACHED_SLOT);
            }
            Event::Gone { instance, host, fate } => {
                self.tally.hosts[host.index()].host_down += 1;
                self.end(instance, *fate, REACHED_HOST);
            }
            Event::Left { instance, fate: Fate::Unread, .. } => self.end(instance, Fate::Unread, WAITING),
            Event::Left { instance, fate, links_passed } => self.end(instance, *fate, (*links_passed).into()),
        }
    }
}

impl Stream {
    /// Opens a message, unless an earlier write of it did. Messages open in the order of their first writes, so that loss
    /// periods can follow it.
    fn open(&mut self, message: u64, target: u32, copies_left: u16) -> &mut OpenMessage {
        let Stream { layout, pairs, messages, .. } = self;
        messages.entry(message).or_insert_with(|| {
            let audience = &layout.targets[target as usize].audience;
            if pairs.is_empty() {
                pairs.resize_with(layout.recipients.len(), Pair::default);
            }
            audience.iter().for_each(|&recipient| pairs[recipient as usize].open(message));
            OpenMessage {
                target,
                addressed: false,
                shared: u32::from(copies_left) + 1,
                unsettled: audience.len() as u32,
                delivered: 0,
                furthest: None,
            }
        })
    }

    /// Takes note of a successful write.
    fn address(&mut self, write: &Write<'_>, sent: Sent<'_>, account: &mut Account<'_>) {
        let Write { message, copies_left, target, .. } = *write;
        let broadcasts = sent.packets.iter().filter(|bound| **bound == Bound::Audience).count() as u32;
        let open = self.open(message, target, copies_left);
        let is_first = !std::mem::replace(&mut open.addressed, true);
        open.shared += broadcasts;
        let target = &self.layout.targets[target as usize];
        if is_first {
            let addressed = target.audience.len() as u64;
            account.tally.count(self.phases.of(message), |tally| tally.addressed += addressed);
        }
        for &recipient in &target.unreachable {
            let end = Furthest::at_the_write(DECIDED, Fate::Unreachable);
            entry(&mut self.pairs, recipient, message).furthest.get_or_insert(end);
        }
        // A name that was looked up can lead to another machine, if the answer was damaged on the way.
        let leads_to = |recipient: &u32| {
            let is_bound = |bound: &Bound| match bound {
                Bound::Audience => true,
                Bound::Part(part) => self.layout.parts[*part as usize].binary_search(recipient).is_ok(),
                bound => *bound == Bound::Recipient(*recipient),
            };
            [sent.own, target.sender].contains(&Some(*recipient)) || sent.packets.iter().any(is_bound)
        };
        for &recipient in target.audience.iter().filter(|recipient| !leads_to(recipient)) {
            let end = Furthest::at_the_write(0, Fate::Corrupted);
            entry(&mut self.pairs, recipient, message).furthest.get_or_insert(end);
        }
        // A sender that claims the name still, or has just given it up, gets no copy of its own.
        if let Some(sender) =
            target.sender.filter(|sender| sent.own.is_none() && !sent.packets.contains(&Bound::Recipient(*sender)))
        {
            let end = Furthest::at_the_write(REACHED_HOST, Fate::NoSuchMailslot);
            entry(&mut self.pairs, sender, message).furthest.get_or_insert(end);
        }
        for bound in sent.packets.iter().copied().chain(sent.own.map(Bound::Recipient)) {
            self.for_each(bound, |stream, recipient| entry(&mut stream.pairs, recipient, message).live += 1);
        }
        self.release_shared(message, None, account);
    }

    /// The recipients that an instance is bound for by itself: none if it holds the whole audience, or nobody.
    fn for_each(&mut self, bound: Bound, mut each: impl FnMut(&mut Self, u32)) {
        match bound {
            Bound::Recipient(recipient) => each(self, recipient),
            Bound::Part(part) => {
                let recipients = std::mem::take(&mut self.layout.parts[part as usize]);
                recipients.iter().for_each(|recipient| each(self, *recipient));
                self.layout.parts[part as usize] = recipients;
            }
            _ => {}
        }
    }

    /// One broadcast of the message has spread or ended, or one write of it is done. After the last, its recipients are
    /// no longer held open for it.
    fn release_shared(&mut self, message: u64, end: Option<Furthest>, account: &mut Account<'_>) {
        let open = self.messages.get_mut(&message).expect(OPEN);
        if let Some(end) = end {
            open.furthest = Some(end.or_further(open.furthest));
        }
        open.shared -= 1;
        if open.shared > 0 {
            return;
        }
        for &recipient in &self.layout.targets[open.target as usize].audience {
            let pair = &mut self.pairs[recipient as usize];
            let position = pair.position(message);
            if pair.release(position) {
                match open.addressed {
                    true => {
                        let fate = open.settle(pair, position);
                        account.settle(self.phases.of(message), recipient, message, fate);
                    }
                    false => pair.skip(position),
                }
            }
            pair.tidy(position, &self.phases, account.tally);
        }
        if !open.addressed {
            self.messages.remove(&message);
            return;
        }
        self.close_if_settled(message, account.tally);
    }

    /// Lets go of one instance of a message at a recipient; if it was the last, the message comes to its fate there. A
    /// message that has its fates everywhere is closed, while duplicates of it may still be alive.
    fn release(&mut self, recipient: u32, message: u64, account: &mut Account<'_>) {
        let pair = &mut self.pairs[recipient as usize];
        let position = pair.position(message);
        if pair.release(position) {
            let fate = self.messages.get_mut(&message).expect(OPEN).settle(pair, position);
            account.settle(self.phases.of(message), recipient, message, fate);
        }
        pair.tidy(position, &self.phases, account.tally);
        self.close_if_settled(message, account.tally);
    }

    fn close_if_settled(&mut self, message: u64, tally: &mut FlowTally) {
        if let Some(open) = self.messages.get(&message)
            && open.unsettled == 0
            && open.shared == 0
        {
            let audience = self.layout.targets[open.target as usize].audience.len() as u32;
            let delivered = open.delivered;
            tally.count(self.phases.of(message), |tally| tally.close_message(audience, delivered));
            self.messages.remove(&message);
        }
    }
}

/// An open message at a recipient.
fn entry(pairs: &mut [Pair], recipient: u32, message: u64) -> &mut Entry {
    let pair = &mut pairs[recipient as usize];
    pair.entry(pair.position(message))
}

impl OpenMessage {
    /// The last instance for a recipient ended: the message comes to the fate of the one that got furthest.
    fn settle(&mut self, pair: &mut Pair, position: usize) -> Fate {
        let furthest = match (pair.entry(position).furthest, self.furthest) {
            (Some(own), shared) => own.or_further(shared),
            (None, shared) => shared.expect("an instance that ended had an end"),
        };
        self.unsettled -= 1;
        pair.settle(position, furthest.fate);
        furthest.fate
    }
}

/// The ledger's own assumption about events: a message that has no fate at some recipient is open.
const OPEN: &str = "the message is open";
/// Progress of what topology decides at the write: no instance can change it.
const DECIDED: u16 = u16::MAX;
/// Progress of what reached the machine: more than any number of links.
const REACHED_HOST: u16 = 1_000;
/// Progress of what reached the slot and was refused there.
const REACHED_SLOT: u16 = 2_000;
/// Progress of what waits in the slot: nothing but delivery wins over it.
const WAITING: u16 = 3_000;
