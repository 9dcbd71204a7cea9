//! The steps of a message, gathered while the run goes on.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{Place, comparison, describe, dropped, lost, of_packet, said, wait, which};
use super::{Question, text};
use crate::draw::{Answer, Decision, Judgement, ModelState};
use crate::id::{HostId, LinkId, StreamId};
use crate::report::names::Names;
use crate::scenario::Scenario;
use crate::stats::{Bound, Event, Fate, Instance, Observer, Settled, StreamLayout, Write};
use crate::time::Instant;

/// Watches a run for one message at one recipient.
pub struct Explain {
    pub(super) names: Names,
    pub(super) question: Question,
    /// What its sender writes to.
    targets: Vec<String>,
    /// The links on the ways from the sender to the recipient, and back.
    ways: BTreeSet<LinkId>,
    /// Whether it is written to a group.
    is_group: bool,
    /// Whether remote mailslots are disabled at the recipient.
    is_disabled: bool,
    /// Whether its readers reply.
    pub(super) is_acknowledged: bool,
    /// The recipient's position among those of the stream, if it can ever be one.
    recipient: Option<u32>,
    /// Which recipients each part of a broadcast is for.
    parts: Vec<Vec<u32>>,
    pub(super) steps: Vec<Step>,
    /// Faults that belong between the last step and the next, if there is one.
    faults: Vec<Step>,
    /// Which datagram's draw brought each link with a random memory into the state that it is in.
    moved: BTreeMap<LinkId, (String, ModelState)>,
    /// Whether its slot has taken it.
    accepted: bool,
    pub(super) fate: Option<Fate>,
    /// What became of it at all recipients.
    pub(super) fates: BTreeMap<Fate, u64>,
    /// Messages of the stream so far, those that were not written included.
    pub(super) messages: u64,
    pub(super) writes: u64,
    pub(super) succeeded: u64,
    pub(super) acknowledgements: u64,
    /// Whether the sender believes that it was delivered there.
    pub(super) is_believed: bool,
    /// Steps that are left out.
    pub(super) left_out: u64,
}

/// Something that happened.
pub(super) struct Step {
    pub(super) at: Instant,
    /// A host or a link.
    pub(super) place: String,
    pub(super) what: String,
    /// The draws behind it, and what came of them.
    pub(super) draws: Vec<String>,
}

impl Explain {
    /// For a question about a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario, question: Question) -> Self {
        let flow = scenario.flows.iter().find(|flow| flow.name == question.flow).expect("it was found by its name");
        let (sender, host) = (question.sender, question.host);
        let targets: Vec<_> =
            flow.messages().into_keys().filter(|(of, _)| *of == sender).map(|(_, target)| target).collect();
        let there = targets.iter().flat_map(|target| scenario.paths(sender, target, host)).flatten();
        let back = scenario.topology().path(host, sender).into_iter().flatten().filter(|_| host != sender);
        Explain {
            names: Names::new(scenario),
            ways: there.chain(back).collect(),
            is_group: targets.iter().any(|target| scenario.is_group(sender, target)),
            targets: match targets[..] {
                [_] => vec![flow.to.clone()],
                _ => targets.iter().map(|target| target.to_text()).collect(),
            },
            is_disabled: scenario.hosts[host.index()].remote_mailslots_disabled && host != sender,
            is_acknowledged: flow.ack().is_some(),
            question,
            recipient: None,
            parts: Vec::new(),
            steps: Vec::new(),
            faults: Vec::new(),
            moved: BTreeMap::new(),
            accepted: false,
            fate: None,
            fates: BTreeMap::new(),
            messages: 0,
            writes: 0,
            succeeded: 0,
            acknowledgements: 0,
            is_believed: false,
            left_out: 0,
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

    fn is_it(&self, stream: StreamId, message: u64) -> bool {
        (stream, message) == (self.question.stream, self.question.message)
    }

    fn is_of_message(&self, instance: &Instance) -> bool {
        self.is_it(instance.stream, instance.message)
    }

    /// Whether what happens to an instance at a place is part of the message's life at the recipient.
    fn concerns(&self, instance: &Instance, place: Place) -> bool {
        self.is_of_message(instance)
            && match (instance.bound, place) {
                (Bound::Audience | Bound::Part(_), Place::Link(link)) => self.ways.contains(&link),
                (Bound::Audience | Bound::Part(_), Place::Host(_)) => false,
                (Bound::Recipient(recipient), _) => Some(recipient) == self.recipient,
                (Bound::Bystander | Bound::Uncounted, Place::Link(link)) => {
                    self.names.end_of(link) == Some(self.question.host)
                }
                (Bound::Bystander | Bound::Uncounted, Place::Host(host)) => host == self.question.host,
                (Bound::Answer(host) | Bound::Reply(host) | Bound::StrayReply(host), _) => host == self.question.host,
                (Bound::NameService(_), _) => false,
            }
    }

    /// Whether a broadcast is on its way to a segment, and from there to the recipient among others.
    fn is_for_several(&self, bound: Bound) -> bool {
        match bound {
            _ if self.recipient.is_none() => false,
            Bound::Audience => true,
            Bound::Part(part) => {
                self.parts.get(part as usize).is_none_or(|part| part.iter().any(|it| Some(*it) == self.recipient))
            }
            _ => false,
        }
    }

    /// A step, behind the faults since the last one; of those before the first step the last few.
    fn step(&mut self, at: Instant, place: String, what: String) {
        let faults = std::mem::take(&mut self.faults);
        let skipped = if self.steps.is_empty() { faults.len().saturating_sub(MAX_EARLIER) } else { 0 };
        let next = Step { at, place, what, draws: Vec::new() };
        for step in faults.into_iter().skip(skipped).chain([next]) {
            if self.steps.len() == MAX_STEPS {
                self.left_out += 1;
            } else {
                self.steps.push(step);
            }
        }
    }

    /// A step of an instance at a place, if it concerns the recipient.
    fn add(&mut self, at: Instant, instance: &Instance, place: Place, what: &str) {
        if self.concerns(instance, place) {
            let what = format!("{what}{}", which(&self.names, instance, place));
            self.step(at, place.name(&self.names).to_owned(), what);
        }
    }

    fn at_sender(&mut self, at: Instant, what: String) {
        self.step(at, self.names.host(self.question.sender).to_owned(), what);
    }

    fn write(&mut self, at: Instant, write: &Write<'_>) {
        self.messages = self.messages.max(write.message + 1);
        if write.message != self.question.message {
            return;
        }
        self.writes += 1;
        self.succeeded += u64::from(write.result.is_ok());
        let result = match &write.result {
            Ok(sent) if sent.own.is_some() && sent.own == self.recipient => {
                "succeeds, and a copy goes straight into its own mailslot, by no network".to_owned()
            }
            Ok(sent) if sent.packets.is_empty() => "succeeds; nothing leaves the machine".to_owned(),
            Ok(_) => "succeeds".to_owned(),
            Err(code) if write.called != at => format!("fails with error {code}: nobody said who bears the name"),
            Err(code) => format!("fails with error {code}"),
        };
        let what = match write.called == at {
            true => format!("{}: the write {result}", self.writing(write.copy, write.bytes, write.to)),
            false => format!("the write returns: it {result}"),
        };
        self.at_sender(at, what);
    }

    fn writing(&self, copy: u16, bytes: u32, to: u32) -> String {
        let again = if copy > 0 { format!(", {}", of_packet(copy)) } else { String::new() };
        format!("writes {bytes} B to {}{again}", self.targets[to as usize])
    }

    fn fault(&mut self, at: Instant, name: &str, host: Option<HostId>, what: &str) {
        if name == "set" {
            self.moved.clear(); // models may have begun anew
        }
        if host.is_none_or(|host| [self.question.host, self.question.sender].contains(&host)) {
            let place = host.map_or("network", |host| self.names.host(host)).to_owned();
            let what = format!("({name}{}{what})", if what.is_empty() { "" } else { ": " });
            self.faults.push(Step { at, place, what, draws: Vec::new() });
            let most = if self.steps.is_empty() { MAX_EARLIER } else { MAX_STEPS };
            if self.faults.len() > most {
                self.faults.remove(0);
            }
        }
    }
}

impl Observer for Explain {
    fn begin(&mut self, streams: &[StreamLayout]) {
        let stream = &streams[self.question.stream.index()];
        let position = stream.recipients.iter().position(|host| *host == self.question.host);
        self.recipient = position.map(|position| position as u32);
        self.parts = stream.parts.clone();
    }

    fn observe(&mut self, at: Instant, event: &Event<'_>) {
        match event {
            Event::Write(write) if write.stream == self.question.stream => self.write(at, write),
            Event::WriteBegun { stream, message, to, .. } if self.is_it(*stream, *message) => {
                let target = &self.targets[*to as usize];
                let what = format!("calls for a write to {target}, whose name has to be found first");
                self.at_sender(at, what);
            }
            Event::Unwritten { stream, message } if *stream == self.question.stream => {
                self.messages = self.messages.max(message + 1);
                if *message == self.question.message {
                    self.at_sender(at, "does not write: its program does not run, or has forgotten it".to_owned());
                }
            }
            Event::Fault { name, host, what } => self.fault(at, name, *host, what),
            Event::Offered { instance, link, bytes } => {
                self.add(at, instance, Place::Link(*link), &format!("is offered {bytes} B"));
            }
            Event::Lost { instance, link, fate, .. } => self.add(at, instance, Place::Link(*link), &lost(*fate)),
            Event::Collected { instance, host } => {
                self.add(at, instance, Place::Host(*host), "an IP fragment comes, and waits for the rest");
            }
            Event::Stalled { instance, host } => {
                self.add(at, instance, Place::Host(*host), "it comes, and waits until the host goes on");
            }
            Event::Arrived { instance, host } => self.add(at, instance, Place::Host(*host), "it arrives"),
            Event::Discarded { instance, host, reason, fate } => {
                let what = dropped(*reason, *fate, self.is_disabled && *host == self.question.host);
                self.add(at, instance, Place::Host(*host), &what);
            }
            Event::Enqueued { instance, host } if self.concerns(instance, Place::Host(*host)) => {
                let is_first =
                    !matches!(instance.bound, Bound::Recipient(_)) || !std::mem::replace(&mut self.accepted, true);
                let what =
                    if is_first { "the mailslot takes it" } else { "the mailslot takes it once more: a duplicate" };
                self.add(at, instance, Place::Host(*host), what);
            }
            Event::Read { instance, host, delay, damaged } => {
                let damaged = if *damaged { ", with other bytes than were written" } else { "" };
                let what = format!("a program reads it, {delay} after the write{damaged}");
                self.add(at, instance, Place::Host(*host), &what);
            }
            Event::Gone { instance, host, fate } => {
                let closed = *fate == Fate::ClosedUnread;
                let why = if closed { "it was in the mailslot, unread, when that closed" } else { "the host is down" };
                self.add(at, instance, Place::Host(*host), &format!("{why}: {}", fate.name()));
            }
            Event::Misdelivered { instance, host } => {
                self.add(at, instance, Place::Host(*host), "a mailslot takes it that it was not addressed to");
            }
            Event::Left { instance, fate, .. } => {
                let is_unread = *fate == Fate::Unread;
                let what = if is_unread { "nobody has read it" } else { "it is still on its way" };
                let what = format!("the run ends, and {what}: {}", fate.name());
                let place = Place::Host(self.question.host);
                if self.is_of_message(instance) && self.fate.is_none() && self.is_for_several(instance.bound) {
                    let what = format!("{what}{}", which(&self.names, instance, place));
                    self.step(at, place.name(&self.names).to_owned(), what);
                } else {
                    self.add(at, instance, place, &what);
                }
            }
            Event::Replied { instance } => {
                self.add(at, instance, Place::Host(self.question.host), "its program writes a reply");
            }
            Event::Acknowledged { instance } => self.acknowledgements += u64::from(self.is_of_message(instance)),
            Event::Believed { stream, message, recipient }
                if self.is_it(*stream, *message) && Some(*recipient) == self.recipient =>
            {
                self.is_believed = true;
                let what = format!("believes that {} has it", self.names.host(self.question.host));
                self.at_sender(at, what);
            }
            _ => {}
        }
    }

    fn settled(&mut self, at: Instant, settled: &Settled) {
        if !self.is_it(settled.stream, settled.message) {
            return;
        }
        *self.fates.entry(settled.fate).or_default() += 1;
        if Some(settled.recipient) == self.recipient {
            self.fate = Some(settled.fate);
            if settled.fate == Fate::Unreachable {
                let why = match self.is_group {
                    true => "no router forwards the broadcast to its segment",
                    false => "no router leads to its segment",
                };
                self.step(at, self.names.host(self.question.host).to_owned(), format!("{why}: unreachable"));
            }
        }
    }

    fn judged(&mut self, _: Instant, link: LinkId, instance: &Instance, judgement: &dyn Fn() -> Judgement) {
        if !self.ways.contains(&link) && !self.concerns(instance, Place::Link(link)) {
            return;
        }
        let judgement = judgement();
        if self.concerns(instance, Place::Link(link)) && self.left_out == 0 {
            // A copy that the network made meets what its original met: that may be over.
            let moved = self.moved.get(&link).filter(|_| instance.duplicate == 0);
            // A step of the loss model that changes nothing says nothing.
            let changes =
                |it: &Decision| !matches!((it.answer, it.state), (Answer::Next(next), Some(state)) if next == state);
            let of_draws = judgement.decisions.iter().filter(|decision| changes(decision));
            let draws = of_draws.map(|decision| describe(decision, &judgement, moved)).chain(wait(&judgement));
            let draws: Vec<String> = draws.collect();
            if let Some(step) = self.steps.last_mut() {
                step.draws = draws;
            }
        }
        for decision in judgement.decisions {
            if let Decision { answer: Answer::Next(next), state, .. } = decision
                && state != Some(next)
            {
                let by = format!("{} ({})", said(&self.names, instance), comparison(&decision));
                self.moved.insert(link, (by, next));
            }
        }
    }
}

/// The most steps that are shown (a choice).
const MAX_STEPS: usize = 500;
/// How many of the faults before the first step are shown (a choice).
const MAX_EARLIER: usize = 2;
