//! Flows and senders, as the account sees them: whom their messages address.

use crate::id::{FlowId, HostId};
use crate::rng::Root;
use crate::scenario::{Flow, Scenario, Target};
use crate::sim::traffic::Sender;
use crate::stats::{StreamLayout, TargetLayout};

/// One sender of one flow in a run.
pub(super) struct Stream {
    pub(super) host: HostId,
    pub(super) key: u64,
    pub(super) targets: Vec<Audience>,
}

/// Whom the messages to one target address.
pub(super) struct Audience {
    /// Whether each of them is sent a datagram of its own, by a list.
    pub(super) is_listed: bool,
    /// The recipients, ascending, each with its position among the stream's recipients.
    recipients: Vec<(HostId, u32)>,
}

impl Audience {
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

/// All streams, whose senders these are, and their layout for the ledger.
pub(super) fn streams(scenario: &Scenario, root: Root, senders: &[Sender]) -> (Vec<Stream>, Vec<StreamLayout>) {
    let flows = (0..).map(FlowId).zip(&scenario.flows);
    let flow_of = flows.flat_map(|(id, flow)| flow.senders.iter().map(move |_| (id, flow)));
    flow_of.zip(senders).map(|((id, flow), sender)| stream(scenario, root, id, flow, sender)).unzip()
}

fn stream(scenario: &Scenario, root: Root, flow: FlowId, spec: &Flow, sender: &Sender) -> (Stream, StreamLayout) {
    let (topology, host) = (scenario.topology(), sender.host());
    let audiences: Vec<Vec<HostId>> = sender.targets().iter().map(|target| scenario.audience(host, target)).collect();
    let mut recipients: Vec<HostId> = audiences.iter().flatten().copied().collect();
    recipients.sort();
    recipients.dedup();
    let position = |host: &HostId| recipients.binary_search(host).expect("every recipient was collected") as u32;
    let unreachable = |target: &Target, recipient: &HostId| scenario.path(host, target, *recipient).is_none();
    let layout = |(target, audience): (&Target, &Vec<HostId>)| TargetLayout {
        audience: audience.iter().map(position).collect(),
        unreachable: audience.iter().filter(|recipient| unreachable(target, recipient)).map(position).collect(),
    };
    let audience = |(target, audience): (&Target, &Vec<HostId>)| Audience {
        is_listed: scenario.is_listed(target),
        recipients: audience.iter().map(|recipient| (*recipient, position(recipient))).collect(),
    };
    let targets = || sender.targets().iter().zip(&audiences);
    let key = root.stream_key(&spec.name, &topology.host(host).name);
    let layout = StreamLayout {
        flow,
        sender: host,
        recipients: recipients.len() as u32,
        targets: targets().map(layout).collect(),
    };
    (Stream { host, key, targets: targets().map(audience).collect() }, layout)
}
