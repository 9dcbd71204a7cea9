//! What the numbers in events are called.

use crate::id::{HostId, LinkId, StreamId};
use crate::net::{Host, Interface};
use crate::scenario::{Flow, Scenario};
use crate::stats::{Bound, Instance};

/// The names of a scenario's hosts, links and streams.
pub(super) struct Names {
    hosts: Vec<String>,
    links: Vec<String>,
    /// Of hosts on several segments the names of those, by interfaces; of others none.
    segments: Vec<Vec<String>>,
    /// Flow and sender of each stream, or app and host.
    streams: Vec<(String, HostId)>,
    /// How many of them are flows'.
    of_flows: usize,
    /// The position of each stream's flow or app among all flows and apps.
    sources: Vec<usize>,
    /// The machine at which each link's events happen, if it is not the sender's, and whether the link leads there.
    hosts_of_links: Vec<Option<(HostId, bool)>>,
}

impl Names {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let topology = scenario.topology();
        let senders = |flow: &Flow| flow.senders.iter().map(|host| (flow.name.clone(), *host)).collect::<Vec<_>>();
        let mut hosts_of_links = vec![None; topology.links().len()];
        for (id, host) in (0..).zip(topology.hosts()) {
            for (_, interface) in host.numbered() {
                hosts_of_links[interface.down.index()] = Some((HostId(id), true));
                hosts_of_links[interface.up.index()] = Some((HostId(id), false));
            }
        }
        let name = |interface: &Interface| topology.segments()[interface.segment.index()].name.clone();
        let names = |host: &Host| host.numbered().map(|(_, interface)| name(interface)).collect();
        let of_multi_homed = |host: &Host| if host.interfaces() > 1 { names(host) } else { Vec::new() };
        Names {
            segments: topology.hosts().iter().map(of_multi_homed).collect(),
            hosts: topology.hosts().iter().map(|host| host.name.clone()).collect(),
            links: topology.links().iter().map(|link| link.name.clone()).collect(),
            streams: scenario
                .flows
                .iter()
                .flat_map(senders)
                .chain(scenario.programs().map(|(app, host)| (app.name.clone(), host)))
                .collect(),
            of_flows: scenario.flows.iter().map(|flow| flow.senders.len()).sum(),
            sources: {
                let flows = scenario.flows.iter().map(|flow| flow.senders.len());
                let apps = scenario.apps.iter().map(|app| app.hosts.len());
                flows.chain(apps).enumerate().flat_map(|(number, streams)| vec![number; streams]).collect()
            },
            hosts_of_links,
        }
    }

    pub(super) fn host(&self, host: HostId) -> &str {
        &self.hosts[host.index()]
    }

    pub(super) fn link(&self, link: LinkId) -> &str {
        &self.links[link.index()]
    }

    /// Flow and sender, or app and host; `None` of what belongs to none.
    pub(super) fn stream(&self, stream: StreamId) -> Option<(&str, HostId)> {
        self.streams.get(stream.index()).map(|(name, host)| (name.as_str(), *host))
    }

    /// The position of a stream's flow or app among all flows and apps.
    pub(super) fn source(&self, stream: StreamId) -> Option<usize> {
        self.sources.get(stream.index()).copied()
    }

    /// Whether a stream is that of one of several senders of a flow.
    pub(super) fn is_one_of_several(&self, stream: StreamId) -> bool {
        let source = self.source(stream);
        self.sources[..self.of_flows].iter().filter(|other| Some(**other) == source).count() > 1
    }

    /// What `--explain` is asked about a message of a flow at a recipient, behind the flow: one with several senders is named with
    /// its own.
    pub(super) fn question(&self, stream: StreamId, message: &str, recipient: HostId) -> String {
        let sender = self.stream(stream).filter(|_| self.is_one_of_several(stream));
        let sender = sender.map(|(_, sender)| format!("/{}", self.host(sender)));
        format!("{}:{message}@{}", sender.unwrap_or_default(), self.host(recipient))
    }

    /// Whether a stream is that of a program, and not a flow's.
    pub(super) fn is_program(&self, stream: StreamId) -> bool {
        stream.index() >= self.of_flows
    }

    /// The machine that sent an instance.
    pub(super) fn sender(&self, instance: &Instance) -> Option<HostId> {
        match instance.bound {
            Bound::Answer(host) | Bound::Reply(host) | Bound::StrayReply(host) | Bound::NameService(host) => Some(host),
            _ => self.stream(instance.stream).map(|(_, sender)| sender),
        }
    }

    /// The machine that a link leads to or from; `None` of the crossings of routers.
    pub(super) fn host_at(&self, link: LinkId) -> Option<HostId> {
        self.hosts_of_links[link.index()].map(|(host, _)| host)
    }

    /// The machine that a link leads to, if it leads to one.
    pub(super) fn end_of(&self, link: LinkId) -> Option<HostId> {
        self.hosts_of_links[link.index()].filter(|(_, is_down)| *is_down).map(|(host, _)| host)
    }

    /// The segment of an interface of a host, if it has several.
    pub(super) fn segment(&self, host: HostId, interface: u8) -> Option<&str> {
        self.segments[host.index()].get(usize::from(interface)).map(String::as_str)
    }
}
