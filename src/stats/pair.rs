//! One sender and one recipient of one flow: the messages between them that are still open, in the order of writing.

use std::collections::VecDeque;

use super::fate::Fate;
use super::phase::Phases;
use super::tally::FlowTally;

/// What is kept of a sender-recipient pair: the open messages, the loss period that is going on, and the arrivals that
/// a later one could prove reordered.
///
/// A message enters when it is written and leaves when no instance of it is alive. Loss periods run in the order of
/// writing, so an outcome waits until those of all earlier messages are known; outcomes that wait are folded into runs,
/// so that one message that waits for ever does not make the rest pile up.
#[derive(Debug, Default)]
pub(super) struct Pair {
    entries: VecDeque<Entry>,
    /// How many entries at the front have been counted into loss periods.
    counted: usize,
    loss_period: LossPeriod,
    arrivals: u64,
    /// The number that the next message has if it is not reordered: one more than the greatest that arrived.
    next_expected: u64,
    /// Arrivals with a greater number than all before, while an earlier message may still come: (message, arrival).
    records: VecDeque<(u64, u64)>,
}

/// The loss period that is going on, and the part of it that is in one phase. A phase's loss periods are made of its own
/// messages: one that crosses a border is one in each (a choice).
#[derive(Debug, Default)]
struct LossPeriod {
    lost: u64,
    phase: Option<usize>,
    lost_in_phase: u64,
}

/// A message, or several in a row that came to the same end; if they are lost, in the same phase.
#[derive(Debug)]
pub(super) struct Entry {
    message: u64,
    /// Messages in a row that this stands for.
    run: u64,
    /// Instances that may still reach the recipient, and one for the broadcast as long as it has not spread.
    pub(super) live: u32,
    /// Whether the slot took an instance.
    pub(super) accepted: bool,
    /// The fate of the instance that got furthest so far.
    pub(super) furthest: Option<Furthest>,
    outcome: Option<Outcome>,
}

/// How the loss periods see a fate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Delivered,
    Lost,
    /// Neither: skipped.
    Other,
}

/// How far an instance got before it ended, and how it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Furthest {
    pub(super) progress: u16,
    pub(super) copy: u16,
    pub(super) packet: u16,
    pub(super) duplicate: u32,
    pub(super) fragment: u16,
    pub(super) interfaces: [u8; 2],
    pub(super) fate: Fate,
}

impl Furthest {
    /// What is decided when a message is written.
    pub(super) fn at_the_write(progress: u16, fate: Fate) -> Self {
        Furthest { progress, copy: 0, packet: 0, duplicate: 0, fragment: 0, interfaces: [0; 2], fate }
    }

    /// The one that got further; at equal progress the one of the earlier write, and of one write's packets the one that
    /// was damaged, not those that missed it.
    pub(super) fn or_further(self, other: Option<Furthest>) -> Furthest {
        let rank = |end: &Furthest| {
            let missed = end.fate == Fate::LostFragment;
            (std::cmp::Reverse(end.progress), end.copy, missed, end.packet, end.interfaces, end.fragment, end.duplicate)
        };
        match other {
            Some(other) if rank(&other) < rank(&self) => other,
            _ => self,
        }
    }
}

impl Entry {
    pub(super) fn has_no_fate(&self) -> bool {
        self.outcome.is_none()
    }
}

impl Pair {
    /// A message was written; it is held open once.
    pub(super) fn open(&mut self, message: u64) {
        debug_assert!(self.entries.back().is_none_or(|last| last.message < message), "messages open in order");
        let (accepted, furthest, outcome) = (false, None, None);
        self.entries.push_back(Entry { message, run: 1, live: 1, accepted, furthest, outcome });
    }

    /// The position of an open message. Messages are numbered in a row, so it is mostly as far from the front as its
    /// number is from the front's.
    pub(super) fn position(&self, message: u64) -> usize {
        let guess = message.wrapping_sub(self.entries[0].message) as usize;
        match self.entries.get(guess) {
            Some(entry) if entry.message == message => guess,
            _ => self.entries.binary_search_by_key(&message, |entry| entry.message).expect("the message is open"),
        }
    }

    /// The open message at a position.
    pub(super) fn entry(&mut self, position: usize) -> &mut Entry {
        &mut self.entries[position]
    }

    /// Settles a message that is lost or skipped.
    pub(super) fn settle(&mut self, position: usize, fate: Fate) {
        let outcome = if fate.is_network_loss() { Outcome::Lost } else { Outcome::Other };
        self.entries[position].outcome = Some(outcome);
    }

    /// Ends a message that was never sent: it has no fate.
    pub(super) fn skip(&mut self, position: usize) {
        self.entries[position].outcome = Some(Outcome::Other);
    }

    /// Settles a message that was read, and counts its arrival.
    pub(super) fn settle_delivered(&mut self, position: usize, phases: &Phases, tally: &mut FlowTally) {
        self.entries[position].outcome = Some(Outcome::Delivered);
        let message = self.entries[position].message;
        let arrival = self.arrivals;
        self.arrivals += 1;
        if message < self.next_expected {
            let earliest = self.records.iter().find(|(record, _)| *record > message).expect("a later message arrived");
            let extent = arrival - earliest.1;
            return tally.count(phases.of(message), |tally| {
                tally.reordered += 1;
                tally.reorder_extent = tally.reorder_extent.max(extent);
            });
        }
        self.next_expected = message + 1;
        self.remember(message, arrival, position);
    }

    /// Keeps an arrival with a greater number than all before if it is the first after a message that may still come:
    /// only that one will be asked for.
    fn remember(&mut self, message: u64, arrival: u64, position: usize) {
        let mut open = self.entries.iter().take(position).skip(self.counted).filter(|entry| entry.has_no_fate());
        let Some(oldest) = open.next().map(|entry| entry.message) else { return self.records.clear() };
        let newest = open.next_back().map_or(oldest, |entry| entry.message);
        while self.records.front().is_some_and(|(record, _)| *record < oldest) {
            self.records.pop_front();
        }
        if self.records.back().is_none_or(|(record, _)| *record < newest) {
            self.records.push_back((message, arrival));
        }
    }

    /// Lets go of one instance of a message (or of the broadcast). True if it was the last and the message has no fate
    /// yet.
    pub(super) fn release(&mut self, position: usize) -> bool {
        let entry = &mut self.entries[position];
        entry.live -= 1;
        entry.live == 0 && entry.has_no_fate()
    }

    /// Counts the outcomes that no earlier message holds up, and forgets what nobody will ask for again. `position` is
    /// where something changed; positions are other ones afterwards.
    pub(super) fn tidy(&mut self, position: usize, phases: &Phases, tally: &mut FlowTally) {
        while let Some(Entry { outcome: Some(outcome), run, message, .. }) = self.entries.get(self.counted) {
            match outcome {
                Outcome::Lost => self.loss_period.go_on(*run, phases.of(*message), tally),
                Outcome::Delivered => self.loss_period.end(tally),
                Outcome::Other => {}
            }
            self.counted += 1;
        }
        if position >= self.counted {
            self.fold(position, phases, tally);
        }
        while self.counted > 0 && self.entries[0].live == 0 {
            self.entries.pop_front();
            self.counted -= 1;
        }
    }

    /// The run is over: ends the loss period that is going on.
    pub(super) fn finish(&mut self, tally: &mut FlowTally) {
        assert!(self.entries.is_empty(), "every message has a fate when the run ends");
        self.loss_period.end(tally);
    }

    /// Folds a dead message that waits for earlier ones into its neighbours. Between two messages that are open there
    /// is at most a loss period that goes on from before, a delivery, and a loss period that goes on after: a period
    /// between two deliveries is over, whatever becomes of earlier messages. One that is in several phases stays in as many
    /// pieces.
    fn fold(&mut self, position: usize, phases: &Phases, tally: &mut FlowTally) {
        let Entry { outcome, live, .. } = self.entries[position];
        if live > 0 {
            return;
        }
        if outcome == Some(Outcome::Other) {
            self.entries.remove(position);
        }
        let mut at = position.saturating_sub(2).max(self.counted);
        while at + 1 < self.entries.len() && at <= position {
            if self.are_alike(at, at + 1, phases) {
                self.entries[at].run += self.entries[at + 1].run;
                self.entries.remove(at + 1);
            } else if self.is_closed_period(at + 1) {
                let Entry { message, run, .. } = self.entries[at + 1];
                tally.count(phases.of(message), |tally| tally.loss_periods.record(run));
                self.entries.drain(at + 1..at + 3);
            } else {
                at += 1;
            }
        }
    }

    /// Whether two entries that nobody will ask for again can be one.
    fn are_alike(&self, one: usize, other: usize, phases: &Phases) -> bool {
        let outcome = self.dead_outcome(one);
        let phase = |position: usize| phases.of(self.entries[position].message);
        let is_of_one_phase = || outcome != Some(Outcome::Lost) || phase(one) == phase(other);
        outcome.is_some() && outcome == self.dead_outcome(other) && is_of_one_phase()
    }

    /// The outcome of an entry that nobody will ask for again.
    fn dead_outcome(&self, position: usize) -> Option<Outcome> {
        self.entries.get(position).filter(|entry| entry.live == 0)?.outcome
    }

    /// Whether an entry is a loss period between two deliveries.
    fn is_closed_period(&self, position: usize) -> bool {
        let around = [position - 1, position, position + 1].map(|position| self.dead_outcome(position));
        around == [Some(Outcome::Delivered), Some(Outcome::Lost), Some(Outcome::Delivered)]
    }
}

impl LossPeriod {
    /// Messages of a phase are lost.
    fn go_on(&mut self, messages: u64, phase: Option<usize>, tally: &mut FlowTally) {
        if phase != self.phase {
            self.end_in_phase(tally);
            self.phase = phase;
        }
        self.lost += messages;
        self.lost_in_phase += messages;
    }

    /// A message is delivered, or the run is over.
    fn end(&mut self, tally: &mut FlowTally) {
        if self.lost > 0 {
            tally.loss_periods.record(self.lost);
        }
        self.end_in_phase(tally);
        self.lost = 0;
    }

    fn end_in_phase(&mut self, tally: &mut FlowTally) {
        if let Some(phase) = self.phase.filter(|_| self.lost_in_phase > 0) {
            tally.phases[phase].loss_periods.record(self.lost_in_phase);
        }
        self.lost_in_phase = 0;
    }
}
