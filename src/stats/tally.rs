//! The counters of a run, computed once and only read afterwards.

use std::collections::BTreeMap;

use super::delay::DelayHistogram;
use super::fate::Fate;
use super::proportion::Proportion;

/// Everything that was counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By flow.
    pub flows: Vec<FlowTally>,
    /// By host.
    pub hosts: Vec<HostTally>,
}

/// What was counted of one flow, or of several together.
#[derive(Clone, Debug, Default)]
pub struct FlowTally {
    /// Messages that the senders meant to say.
    pub messages: u64,
    /// Writes that they made.
    pub writes: u64,
    /// Writes that succeeded.
    pub succeeded: u64,
    /// Writes that failed, by Win32 error code.
    pub failed: BTreeMap<u32, u64>,
    /// Datagrams that reached a sender because of its own writes.
    pub acknowledgements: u64,
    /// The largest audience of a message.
    pub audience_size: u32,
    /// Messages with an audience that all of it got.
    pub all: u64,
    /// Messages that some of the audience got and some did not.
    pub some: u64,
    /// Messages with an audience that nobody got.
    pub none: u64,
    /// Messages with an audience by the number of recipients that got them.
    pub by_count: Vec<u64>,
    /// Messages that were sent and addressed nobody.
    pub without_audience: u64,
    /// Writes that were not made because their program did not run, as far as is known what they would have been.
    pub not_made: u64,
    /// How many (message, recipient) there are.
    pub addressed: u64,
    fates: [u64; Fate::ALL.len()],
    /// Acceptances by a slot after the first.
    pub duplicates: u64,
    /// Messages delivered with other bytes than were written.
    pub damaged: u64,
    /// Damaged datagrams that a slot took which they had not been addressed to.
    pub misdelivered: u64,
    /// Messages delivered after a later one of the same sender (RFC 4737).
    pub reordered: u64,
    /// The greatest reordering extent (RFC 4737 4.2.3).
    pub reorder_extent: u64,
    /// Loss periods.
    pub loss_periods: LossPeriods,
    /// One-way delays.
    pub delays: DelayHistogram,
    /// What programs did to acknowledge the messages, if they do; in totals nothing.
    pub ack: Option<AckTally>,
    /// The same for the messages of each phase, which were first written in it.
    pub phases: Vec<FlowTally>,
}

/// Runs of messages lost one after the other by the network (RFC 3357), per sender and recipient.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LossPeriods {
    /// How many.
    pub count: u64,
    /// Messages lost in all of them.
    pub messages: u64,
    /// Messages lost in the longest.
    pub max: u64,
    /// How many there are of each length in messages, up to the longest; the last of [`LossPeriods::LENGTHS`] stands for all that
    /// are longer, too.
    pub by_length: Vec<u64>,
}

/// What was counted of acknowledgements that programs build themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AckTally {
    /// Messages to which the whole audience replied before the sender gave up.
    pub confirmed: u64,
    /// How many (message, recipient) the sender holds a reply for.
    pub believed: u64,
    /// The most writes of a message.
    pub most_tries: u64,
    /// Replies that readers wrote.
    pub replies_sent: u64,
    /// Replies that senders read, again and too late included.
    pub replies_received: u64,
}

/// What was counted of one host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostTally {
    /// Datagrams that it sent.
    pub sent: u64,
    /// Datagrams that reached it.
    pub received: u64,
    /// Messages that its programs read.
    pub delivered: u64,
    /// Dropped: nobody had the slot open.
    pub no_such_mailslot: u64,
    /// Dropped: refused by checksum or parser.
    pub malformed: u64,
    /// Dropped: it does not bear the name.
    pub not_for_us: u64,
    /// Dropped: over the slot's maximum message size.
    pub too_large_for_slot: u64,
    /// Dropped: the slot's queue limit.
    pub slot_full: u64,
    /// Dropped: another fragment of the datagram was missing.
    pub missing_fragment: u64,
    /// What came for it while it was down, or stood still until the end.
    pub host_down: u64,
}

impl Tally {
    /// The counters of all flows together; without `by_count`, whose positions mean other audiences.
    #[must_use]
    pub fn totals(&self) -> FlowTally {
        let mut totals = FlowTally::default();
        self.flows.iter().for_each(|flow| totals.add(flow));
        totals
    }
}

impl FlowTally {
    /// How many messages came to this fate at a recipient.
    #[must_use]
    pub fn fate(&self, fate: Fate) -> u64 {
        self.fates[fate as usize]
    }

    /// The share of addressed messages that were delivered.
    #[must_use]
    pub fn delivery_ratio(&self) -> Proportion {
        Proportion { k: self.fate(Fate::Delivered), n: self.addressed }
    }

    /// The share of messages with an audience that all of it got.
    #[must_use]
    pub fn all_ratio(&self) -> Proportion {
        Proportion { k: self.all, n: self.all + self.some + self.none }
    }

    /// The share of delivered messages that came after a later one.
    #[must_use]
    pub fn reordered_ratio(&self) -> Proportion {
        Proportion { k: self.reordered, n: self.fate(Fate::Delivered) }
    }

    /// The share of addressed messages that the sender believes delivered; `None` where nobody acknowledges.
    #[must_use]
    pub fn belief_ratio(&self) -> Option<Proportion> {
        self.ack.map(|ack| Proportion { k: ack.believed, n: self.addressed })
    }

    /// Messages that the sender gave up, or was still waiting for when the run ended; `None` where nobody acknowledges.
    #[must_use]
    pub fn given_up(&self) -> Option<u64> {
        self.ack.map(|ack| self.messages - ack.confirmed)
    }

    /// Messages that were delivered to a recipient, which the sender does not know; `None` where nobody acknowledges.
    #[must_use]
    pub fn false_despair(&self) -> Option<u64> {
        self.ack.map(|ack| self.fate(Fate::Delivered) - ack.believed)
    }

    /// How many times a message was written on average; `None` where nobody acknowledges, or nothing was written.
    #[must_use]
    pub fn mean_tries(&self) -> Option<f64> {
        self.ack.filter(|_| self.messages > 0).map(|_| self.writes as f64 / self.messages as f64)
    }

    /// Counts something of programs that acknowledge.
    pub(super) fn count_ack(&mut self, phase: Option<usize>, count: impl Fn(&mut AckTally)) {
        self.count(phase, |tally| tally.ack.iter_mut().for_each(&count));
    }

    /// Checks that the counters close: every message has exactly one fate at every recipient.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub(super) fn assert_conservation(&self) {
        let fates: u64 = self.fates.iter().sum();
        assert_eq!(self.addressed, fates, "addressed = sum of all fates");
        let by_message: u64 = (0..).zip(&self.by_count).map(|(delivered, messages)| delivered * messages).sum();
        assert_eq!(self.fate(Fate::Delivered), by_message, "delivered, by fate = delivered, by message");
        assert_eq!(self.fate(Fate::Delivered), self.delays.n(), "delivered, by fate = delivered, by delay");
        let believed = self.ack.map_or(0, |ack| ack.believed);
        assert!(believed <= self.fate(Fate::Delivered), "what a sender believes delivered was delivered");
        self.phases.iter().for_each(FlowTally::assert_conservation);
    }

    /// Counts something of a message of this phase: in the whole, and in the phase.
    pub(super) fn count(&mut self, phase: Option<usize>, count: impl Fn(&mut FlowTally)) {
        count(self);
        if let Some(phase) = phase {
            count(&mut self.phases[phase]);
        }
    }

    pub(super) fn settle(&mut self, fate: Fate) {
        self.fates[fate as usize] += 1;
    }

    /// A message whose every recipient has a fate; `delivered` of its `audience` got it.
    pub(super) fn close_message(&mut self, audience: u32, delivered: u32) {
        if audience == 0 {
            self.without_audience += 1;
            return;
        }
        self.audience_size = self.audience_size.max(audience);
        let size = self.audience_size as usize + 1;
        if self.by_count.len() < size {
            self.by_count.resize(size, 0);
        }
        self.by_count[delivered as usize] += 1;
        match delivered {
            0 => self.none += 1,
            _ if delivered == audience => self.all += 1,
            _ => self.some += 1,
        }
    }

    fn add(&mut self, other: &FlowTally) {
        self.messages += other.messages;
        self.writes += other.writes;
        self.succeeded += other.succeeded;
        for (code, count) in &other.failed {
            *self.failed.entry(*code).or_default() += count;
        }
        self.acknowledgements += other.acknowledgements;
        self.audience_size = self.audience_size.max(other.audience_size);
        self.all += other.all;
        self.some += other.some;
        self.none += other.none;
        self.without_audience += other.without_audience;
        self.not_made += other.not_made;
        self.addressed += other.addressed;
        for (sum, count) in self.fates.iter_mut().zip(other.fates) {
            *sum += count;
        }
        self.duplicates += other.duplicates;
        self.damaged += other.damaged;
        self.misdelivered += other.misdelivered;
        self.reordered += other.reordered;
        self.reorder_extent = self.reorder_extent.max(other.reorder_extent);
        self.loss_periods.add(&other.loss_periods);
        self.delays.merge(&other.delays);
        self.phases.resize_with(other.phases.len(), FlowTally::default);
        self.phases.iter_mut().zip(&other.phases).for_each(|(sum, phase)| sum.add(phase));
    }
}

impl LossPeriods {
    /// How many lengths are told apart, from 0 on, which no period has.
    pub const LENGTHS: usize = 101;

    pub(super) fn record(&mut self, length: u64) {
        self.count += 1;
        self.messages += length;
        self.max = self.max.max(length);
        let position = length.min(Self::LENGTHS as u64 - 1) as usize;
        if self.by_length.len() <= position {
            self.by_length.resize(position + 1, 0);
        }
        self.by_length[position] += 1;
    }

    fn add(&mut self, other: &LossPeriods) {
        self.count += other.count;
        self.messages += other.messages;
        self.max = self.max.max(other.max);
        if self.by_length.len() < other.by_length.len() {
            self.by_length.resize(other.by_length.len(), 0);
        }
        self.by_length.iter_mut().zip(&other.by_length).for_each(|(sum, count)| *sum += count);
    }

    /// The mean length in messages; `None` if there is no loss period.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.messages as f64 / self.count as f64)
    }
}
