//! Flows and senders, as the account sees them: whom their messages address.

use std::collections::BTreeMap;

use super::Books;
use crate::id::{FlowId, HostId, LinkId, StreamId};
use crate::net::Topology;
use crate::rng::Root;
use crate::scenario::{Flow, Scenario, Target};
use crate::sim::traffic::{Outgoing, Sender};
use crate::stats::{Bound, Observer, StreamLayout, TargetLayout};

/// One sender of one flow in a run.
pub(super) struct Stream {
    pub(super) host: HostId,
    pub(super) key: u64,
    /// Those of the sender, each with its audience at the beginning; then what became of those by changes of domains.
    pub(super) targets: Vec<Audience>,
    /// All that can ever be addressed, ascending: who a recipient is.
    recipients: Vec<HostId>,
    /// What the sender's targets are.
    specs: Vec<Target>,
    /// Which of `targets` each of them is now, and how often a domain had been changed when that was found.
    current: Vec<u32>,
    memberships: u32,
    /// Which of `targets` those messages were first written to that are written again, unless it is the sender's own.
    first: BTreeMap<u64, u32>,
}

impl Stream {
    /// The stream of a program, whose frames address nobody.
    fn of_program(host: HostId, key: u64) -> Self {
        Stream {
            host,
            key,
            targets: Vec::new(),
            recipients: Vec::new(),
            specs: Vec::new(),
            current: Vec::new(),
            memberships: 0,
            first: BTreeMap::new(),
        }
    }
}

/// Whom the messages to one target address.
pub(super) struct Audience {
    /// Whether each of them is sent a datagram of its own, by a list.
    pub(super) is_listed: bool,
    /// Whether programs are addressed that nobody knows beforehand.
    pub(super) is_open: bool,
    /// The recipients, ascending, each with its position among the stream's recipients.
    recipients: Vec<(HostId, u32)>,
    /// The part of it that a broadcast reaches which goes out on an interface, and that behind each crossing on the way
    /// from there; empty where every broadcast is for all whom any can reach.
    parts: BTreeMap<(u8, Option<LinkId>), u32>,
    /// Whether the sender has several interfaces, so that what goes out on one is not for all.
    is_divided: bool,
}

impl Audience {
    /// Whom a broadcast is for that goes out on an interface, or is forwarded by a crossing.
    pub(super) fn bound(&self, interface: u8, crossing: Option<LinkId>) -> Bound {
        match self.parts.get(&(interface, crossing)) {
            Some(part) => Bound::Part(*part),
            None if crossing.is_none() && !self.is_divided => Bound::Audience,
            None if self.is_open => Bound::Uncounted,
            None => Bound::Bystander,
        }
    }

    /// The position of a host among the stream's recipients, if it is in the audience.
    pub(super) fn position(&self, host: HostId) -> Option<u32> {
        let first = self.recipients.first()?.0;
        let guess = self.recipients.get(host.index().wrapping_sub(first.index())); // most audiences are without gaps
        if let Some((_, position)) = guess.filter(|(recipient, _)| *recipient == host) {
            return Some(*position);
        }
        let found = self.recipients.binary_search_by_key(&host, |(recipient, _)| *recipient).ok()?;
        Some(self.recipients[found].1)
    }
}

impl<O: Observer> Books<O> {
    /// A message is not written again.
    pub(super) fn is_written(&mut self, id: StreamId, message: u64) {
        self.streams[id.index()].first.remove(&message);
    }

    /// The position of a host among the recipients that a stream can have.
    pub(super) fn recipient(&self, id: StreamId, host: HostId) -> u32 {
        self.streams[id.index()].recipients.binary_search(&host).expect("every recipient was collected") as u32
    }

    /// Which of a stream's targets a message addresses that is written now. A domain has the members that it has then; a
    /// message that is written again keeps its audience.
    pub(super) fn target_now(&mut self, id: StreamId, outgoing: &Outgoing) -> u32 {
        let Books { scenario, streams, domains, memberships, journal, .. } = self;
        let stream = &mut streams[id.index()];
        if *memberships == 0 {
            return outgoing.target;
        }
        if outgoing.copy > 0 {
            let first = stream.first.get(&outgoing.message).copied().unwrap_or(outgoing.target);
            if outgoing.copies_left == 0 {
                stream.first.remove(&outgoing.message);
            }
            return first;
        }
        if stream.memberships != *memberships {
            stream.memberships = *memberships;
            for (position, spec) in stream.specs.iter().enumerate() {
                let audience = scenario.audience_in(domains, stream.host, spec);
                let now = &stream.targets[stream.current[position] as usize];
                if !now.recipients.iter().map(|(host, _)| host).eq(&audience) {
                    let add = |part| journal.ledger.add_part(id, part);
                    let (target, layout) = target(scenario, stream.host, spec, &audience, &stream.recipients, add);
                    stream.targets.push(target);
                    stream.current[position] = journal.ledger.add_target(id, layout);
                }
            }
        }
        let now = stream.current[outgoing.target as usize];
        if outgoing.copies_left > 0 {
            stream.first.insert(outgoing.message, now);
        }
        now
    }
}

/// All streams: those of flows, whose senders these are, with their layout for the ledger, and those of programs.
pub(super) fn streams(scenario: &Scenario, root: Root, senders: &[Sender]) -> (Vec<Stream>, Vec<StreamLayout>) {
    let flows = (0..).map(FlowId).zip(&scenario.flows);
    let flow_of = flows.flat_map(|(id, flow)| flow.senders.iter().map(move |_| (id, flow)));
    let (mut streams, layouts): (Vec<_>, _) =
        flow_of.zip(senders).map(|((id, flow), sender)| stream(scenario, root, id, flow, sender)).unzip();
    streams.extend(scenario.programs().map(|(app, host)| {
        let key = root.program_key(app.kind.name(), &scenario.topology().host(host).name);
        Stream::of_program(host, key)
    }));
    (streams, layouts)
}

fn stream(scenario: &Scenario, root: Root, flow: FlowId, spec: &Flow, sender: &Sender) -> (Stream, StreamLayout) {
    let (topology, host) = (scenario.topology(), sender.host());
    let specs = sender.targets().to_vec();
    let mut recipients: Vec<HostId> = specs.iter().flat_map(|spec| scenario.possible_audience(host, spec)).collect();
    recipients.sort();
    recipients.dedup();
    let mut parts = Vec::new();
    let mut add = |part| {
        parts.push(part);
        parts.len() as u32 - 1
    };
    let of = |spec: &Target| target(scenario, host, spec, &scenario.audience(host, spec), &recipients, &mut add);
    let (targets, layouts): (Vec<Audience>, Vec<TargetLayout>) = specs.iter().map(of).unzip();
    let key = root.stream_key(&spec.name, &topology.host(host).name);
    let layout = StreamLayout {
        flow,
        sender: host,
        recipients: recipients.clone(),
        targets: layouts,
        parts,
        is_acknowledged: spec.ack().is_some(),
    };
    let current = (0..targets.len() as u32).collect();
    (Stream { host, key, targets, recipients, specs, current, memberships: 0, first: BTreeMap::new() }, layout)
}

/// A target of a sender with this audience, as the account and as the ledger see it; `add` gives a part of the audience its
/// position among those of the stream.
fn target(
    scenario: &Scenario,
    sender: HostId,
    spec: &Target,
    audience: &[HostId],
    recipients: &[HostId],
    add: impl FnMut(Vec<u32>) -> u32,
) -> (Audience, TargetLayout) {
    let position = |host: &HostId| recipients.binary_search(host).expect("every recipient was collected") as u32;
    let unreachable = |recipient: &&HostId| !scenario.has_way(sender, spec, **recipient);
    let is_broadcast = scenario.is_group(sender, spec);
    let parts =
        if is_broadcast { parts(scenario.topology(), sender, audience, position, add) } else { BTreeMap::new() };
    let layout = TargetLayout {
        audience: audience.iter().map(position).collect(),
        unreachable: audience.iter().filter(unreachable).map(position).collect(),
        sender: audience.contains(&sender).then(|| position(&sender)),
    };
    let recipients = audience.iter().map(|recipient| (*recipient, position(recipient))).collect();
    let is_divided = scenario.topology().host(sender).interfaces() > 1;
    let (is_listed, is_open) = (scenario.is_listed(spec), scenario.is_open_group(sender, spec));
    (Audience { is_listed, is_open, recipients, parts, is_divided }, layout)
}

/// [`Audience::parts`].
fn parts(
    topology: &Topology,
    sender: HostId,
    audience: &[HostId],
    position: impl Fn(&HostId) -> u32,
    mut add: impl FnMut(Vec<u32>) -> u32,
) -> BTreeMap<(u8, Option<LinkId>), u32> {
    let mut parts: BTreeMap<(u8, Option<LinkId>), Vec<u32>> = BTreeMap::new();
    let is_divided = topology.host(sender).interfaces() > 1;
    if !is_divided && !topology.forwards(sender) {
        return BTreeMap::new();
    }
    for recipient in audience.iter().filter(|recipient| **recipient != sender) {
        for (interface, path) in topology.broadcast_paths(sender, *recipient) {
            let crossings = path[1..path.len() - 1].iter().map(|crossing| Some(*crossing));
            for place in crossings.chain(is_divided.then_some(None)) {
                let part = parts.entry((interface, place)).or_default();
                if part.last() != Some(&position(recipient)) {
                    part.push(position(recipient));
                }
            }
        }
    }
    parts.into_iter().map(|(place, part)| (place, add(part))).collect()
}
