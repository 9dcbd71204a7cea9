//! The steps of a message, gathered while the run goes on.

use std::collections::{BTreeMap, BTreeSet};

use super::Question;
use super::text;
use super::words::{comparison, describe, dropped, ordinal, share, which};
use crate::id::{HostId, LinkId};
use crate::report::names::Names;
use crate::report::wording::six_digits;
use crate::rng::{Decision, Purpose};
use crate::scenario::Scenario;
use crate::stats::{Bound, Event, Fate, Instance, Observer, Settled, StreamLayout, Write};
use crate::time::Instant;

/// Watches a run for one message at one recipient.
pub struct Explain {
    pub(super) names: Names,
    pub(super) question: Question,
    /// What its flow writes to, as the report shows it.
    to: String,
    /// The links on the ways from the sender to the recipient.
    ways: BTreeSet<LinkId>,
    /// The recipient's position among those of the stream, if it can ever be one.
    recipient: Option<u32>,
    pub(super) steps: Vec<Step>,
    /// Which datagram's draw brought each link with a random memory into the state that it is in.
    moved: BTreeMap<LinkId, String>,
    /// What happened to network and hosts so far.
    faults: Vec<Step>,
    pub(super) fate: Option<Fate>,
    /// What became of it at all recipients.
    pub(super) fates: BTreeMap<Fate, u64>,
    /// Messages of the stream so far.
    pub(super) messages: u64,
    pub(super) writes: u64,
    pub(super) succeeded: u64,
    pub(super) acknowledgements: u64,
    /// Steps that are left out.
    pub(super) left_out: u64,
    accepted: bool,
}

/// Something that happened.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) at: Instant,
    /// A host or a link.
    pub(super) place: String,
    pub(super) what: String,
    /// The draws behind it.
    pub(super) draws: Vec<String>,
}

/// Where something happened to an instance.
#[derive(Clone, Copy)]
enum Place {
    Link(LinkId),
    Host(HostId),
}

impl Explain {
    /// For a question about a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario, question: Question) -> Self {
        let flow = scenario.flows.iter().find(|flow| flow.name == question.flow).expect("it was found by its name");
        let targets = flow.messages().into_keys().filter(|(sender, _)| *sender == question.sender);
        let ways = targets.flat_map(|(sender, to)| scenario.paths(sender, to, question.host));
        Explain {
            names: Names::new(scenario),
            to: flow.to.clone(),
            ways: ways.flatten().collect(),
            question,
            recipient: None,
            steps: Vec::new(),
            moved: BTreeMap::new(),
            faults: Vec::new(),
            fate: None,
            fates: BTreeMap::new(),
            messages: 0,
            writes: 0,
            succeeded: 0,
            acknowledgements: 0,
            left_out: 0,
            accepted: false,
        }
    }

    /// What happened, for people: once the run is over. Colours are ANSI escapes, as in [`summary`](crate::report::summary).
    ///
    /// # Errors
    ///
    /// If the run has no such message: what there is instead.
    pub fn finish(self) -> Result<String, String> {
        text::render(&self)
    }

    /// Whether what happens to an instance at a place is part of the message's life at the recipient.
    fn concerns(&self, instance: &Instance, place: Place) -> bool {
        if (instance.stream, instance.message) != (self.question.stream, self.question.message) {
            return false;
        }
        match (instance.bound, place) {
            (Bound::Audience | Bound::Part(_), Place::Link(link)) => self.ways.contains(&link),
            (Bound::Audience | Bound::Part(_), Place::Host(_)) => false,
            (Bound::Recipient(recipient), _) => Some(recipient) == self.recipient,
            (Bound::Bystander | Bound::Uncounted, Place::Link(link)) => {
                self.ways.contains(&link) && self.names.host_at(link) == Some(self.question.host)
            }
            (Bound::Bystander | Bound::Uncounted, Place::Host(host)) => host == self.question.host,
            (Bound::Answer(host) | Bound::Reply(host) | Bound::StrayReply(host), _) => host == self.question.host,
            (Bound::NameService(_), _) => false,
        }
    }

    fn step(&mut self, at: Instant, place: impl Into<String>, what: impl Into<String>) {
        if self.steps.len() == MAX_STEPS {
            self.left_out += 1;
            return;
        }
        if self.steps.is_empty() {
            let before = self.faults.len().saturating_sub(MAX_EARLIER);
            self.steps.extend(self.faults[before..].iter().cloned());
        }
        self.steps.push(Step { at, place: place.into(), what: what.into(), draws: Vec::new() });
    }

    fn on_link(&mut self, at: Instant, instance: &Instance, link: LinkId, what: String) {
        if self.concerns(instance, Place::Link(link)) {
            let place = self.names.link(link).to_owned();
            self.step(at, place, what);
        }
    }

    fn at_host(&mut self, at: Instant, instance: &Instance, host: HostId, what: String) {
        if self.concerns(instance, Place::Host(host)) {
            let place = self.names.host(host).to_owned();
            self.step(at, place, what);
        }
    }

    fn write(&mut self, at: Instant, write: &Write<'_>) {
        if write.stream != self.question.stream {
            return;
        }
        self.messages = self.messages.max(write.message + 1);
        if write.message != self.question.message {
            return;
        }
        self.writes += 1;
        self.succeeded += u64::from(write.result.is_ok());
        let again =
            if write.copy > 0 { format!(" again, for the {} time,", ordinal(write.copy + 1)) } else { String::new() };
        let called = if write.called == at { "" } else { " (the name of the target had to be found first)" };
        let result = match &write.result {
            Ok(sent) if sent.own.is_some() && sent.own == self.recipient => {
                "the write succeeds, and a copy goes straight into its own mailslot, by no network".to_owned()
            }
            Ok(sent) if sent.packets.is_empty() => "the write succeeds; nothing leaves the machine".to_owned(),
            Ok(_) => "the write succeeds".to_owned(),
            Err(code) => format!("the write fails with error {code}"),
        };
        let what = format!("writes {} B to {}{again}: {result}{called}", write.bytes, self.to);
        let place = self.names.host(self.question.sender).to_owned();
        self.step(at, place, what);
    }

    fn fault(&mut self, at: Instant, name: &str, host: Option<HostId>, what: &str) {
        let place = host.map_or("network", |host| self.names.host(host)).to_owned();
        let what = format!("({name}{}{what})", if what.is_empty() { "" } else { ": " });
        let concerns = host.is_none_or(|host| [self.question.host, self.question.sender].contains(&host));
        if !concerns {
            return;
        }
        match self.steps.is_empty() {
            true => self.faults.push(Step { at, place, what, draws: Vec::new() }),
            false if self.fate.is_none() => self.step(at, place, what),
            false => {}
        }
    }
}

impl Observer for Explain {
    fn begin(&mut self, streams: &[StreamLayout]) {
        let stream = &streams[self.question.stream.index()];
        let position = stream.recipients.iter().position(|host| *host == self.question.host);
        self.recipient = position.map(|position| position as u32);
    }

    fn observe(&mut self, at: Instant, event: &Event<'_>) {
        match event {
            Event::Write(write) => self.write(at, write),
            Event::Fault { name, host, what } => self.fault(at, name, *host, what),
            Event::Offered { instance, link, bytes } => {
                let what = format!("is offered {bytes} B{}", which(instance));
                self.on_link(at, instance, *link, what);
            }
            Event::Lost { instance, link, fate, .. } => {
                let why = match fate {
                    Fate::LostInPartition => "a partition cuts it off",
                    Fate::LostInQueue => "its queue is full, so it drops it",
                    _ => "loses it",
                };
                let what = format!("{why}{}: {}", which(instance), fate.name());
                self.on_link(at, instance, *link, what);
            }
            Event::Stalled { instance, host } => {
                let what = format!("it comes, and waits until the host goes on{}", which(instance));
                self.at_host(at, instance, *host, what);
            }
            Event::Arrived { instance, host } => {
                self.at_host(at, instance, *host, format!("it arrives{}", which(instance)))
            }
            Event::Discarded { instance, host, reason, fate } => {
                let what = format!("drops it{}, without a word: {}", which(instance), dropped(*reason, *fate));
                self.at_host(at, instance, *host, what);
            }
            Event::Enqueued { instance, host } if self.concerns(instance, Place::Host(*host)) => {
                let again =
                    std::mem::replace(&mut self.accepted, true) && matches!(instance.bound, Bound::Recipient(_));
                let what = if again { "the mailslot takes it once more: a duplicate" } else { "the mailslot takes it" };
                self.at_host(at, instance, *host, format!("{what}{}", which(instance)));
            }
            Event::Read { instance, host, delay, damaged } => {
                let damaged = if *damaged { ", with other bytes than were written" } else { "" };
                let what = format!("a program reads it{}, {delay} after the write{damaged}", which(instance));
                self.at_host(at, instance, *host, what);
            }
            Event::Gone { instance, host, fate } => {
                let why = if *fate == Fate::ClosedUnread {
                    "it was in the mailslot, unread, when that closed"
                } else {
                    "the host is down"
                };
                self.at_host(at, instance, *host, format!("{why}{}: {}", which(instance), fate.name()));
            }
            Event::Misdelivered { instance, host } => {
                self.at_host(at, instance, *host, "a mailslot takes it that it was not addressed to".to_owned());
            }
            Event::Joined { instance } => {
                self.at_host(
                    at,
                    instance,
                    self.question.host,
                    format!("a fragment comes to the others{}", which(instance)),
                );
            }
            Event::Left { instance, fate, .. } => {
                let what = if *fate == Fate::Unread {
                    "the run ends, and nobody has read it"
                } else {
                    "the run ends, and it is still on its way"
                };
                self.at_host(at, instance, self.question.host, format!("{what}{}: {}", which(instance), fate.name()));
            }
            Event::Replied { instance } => {
                self.at_host(at, instance, self.question.host, "its program writes a reply".to_owned());
            }
            Event::Acknowledged { instance } => {
                let is_own = (instance.stream, instance.message) == (self.question.stream, self.question.message);
                self.acknowledgements += u64::from(is_own);
            }
            Event::Believed { stream, message, recipient } => {
                let is_it = (*stream, *message, Some(*recipient))
                    == (self.question.stream, self.question.message, self.recipient);
                if is_it {
                    let [sender, host] =
                        [self.question.sender, self.question.host].map(|host| self.names.host(host).to_owned());
                    self.step(at, sender, format!("believes that {host} has it"));
                }
            }
            Event::WriteBegun { .. }
            | Event::ProgramWrite { .. }
            | Event::Unwritten { .. }
            | Event::Corrupted { .. }
            | Event::Split { .. }
            | Event::Duplicated { .. }
            | Event::Forwarded { .. }
            | Event::Spread { .. }
            | Event::SentAside { .. }
            | Event::Enqueued { .. }
            | Event::Confirmed { .. } => {}
        }
    }

    fn settled(&mut self, _: Instant, settled: &Settled) {
        if (settled.stream, settled.message) == (self.question.stream, self.question.message) {
            *self.fates.entry(settled.fate).or_default() += 1;
            if Some(settled.recipient) == self.recipient {
                self.fate = Some(settled.fate);
            }
        }
    }

    fn decided(&mut self, _: Instant, link: LinkId, instance: &Instance, decisions: &dyn Fn() -> Vec<Decision>) {
        if !self.ways.contains(&link) && !self.concerns(instance, Place::Link(link)) {
            return;
        }
        let decisions = decisions();
        if self.concerns(instance, Place::Link(link)) && self.left_out == 0 {
            let draws: Vec<String> = decisions
                .iter()
                .filter(|decision| decision.purpose != Purpose::LossState)
                .map(|decision| describe(decision, self.moved.get(&link).map(String::as_str)))
                .collect();
            if let Some(step) = self.steps.last_mut() {
                step.draws = draws;
            }
        }
        let steps = decisions.iter().filter(|decision| decision.purpose == Purpose::LossState);
        for Decision { draw, probability, .. } in steps.filter(|decision| decision.state != decision.outcome) {
            let draw = probability.map_or(format!("draw {}", six_digits(share(*draw))), |it| comparison(*draw, it));
            let name = self.names.stream(instance.stream).map_or("", |(name, _)| name);
            let from = self.names.sender(instance).map_or("", |host| self.names.host(host));
            self.moved.insert(link, format!("{name}:{} of {from} ({draw})", instance.message));
        }
    }
}

/// The most steps that are shown (a choice).
const MAX_STEPS: usize = 500;
/// How many of the faults before the first step are shown (a choice).
const MAX_EARLIER: usize = 2;
