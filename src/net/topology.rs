//! The topology of a run: built once ([`Builder`](super::Builder)), then only read.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Serialize;

use crate::id::{HostId, LinkId, SegmentId};
use crate::link;

/// Hosts, segments, routers and the links between them.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Topology {
    pub(super) hosts: Vec<Host>,
    pub(super) segments: Vec<Segment>,
    pub(super) links: Vec<LinkSpec>,
    /// The first crossing on the way from one segment to another, and how many the way has.
    #[serde(skip)]
    pub(super) next_crossing: BTreeMap<(SegmentId, SegmentId), (Crossing, u32)>,
    /// Where a broadcast of one segment goes on to from another that it has reached.
    #[serde(skip)]
    pub(super) onward: BTreeMap<(SegmentId, SegmentId), Vec<Crossing>>,
    /// The crossings of a broadcast of one segment on its way to another.
    #[serde(skip)]
    pub(super) floods: BTreeMap<(SegmentId, SegmentId), Vec<Crossing>>,
}

/// A machine and its attachments to segments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Host {
    /// Its name in the scenario.
    pub name: String,
    /// The only interface of most hosts; of several the one whose segment comes first by name.
    #[serde(flatten)]
    pub first: Interface,
    /// Its further interfaces, in the order of their segments' names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Interface>,
}

/// An attachment of a host to a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Interface {
    /// The segment.
    pub segment: SegmentId,
    /// The link to the segment.
    pub up: LinkId,
    /// The link from the segment.
    pub down: LinkId,
    /// The host's address there.
    pub address: Ipv4Addr,
}

/// A broadcast domain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Segment {
    /// Its name in the scenario.
    pub name: String,
    /// Its broadcast address.
    pub broadcast: Ipv4Addr,
    /// What it is called in the identity of datagrams that come from it.
    #[serde(skip)]
    pub(super) origin: u32,
    /// The hosts on it, in the order of their names.
    pub hosts: Vec<HostId>,
}

/// A link by name and behaviour.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LinkSpec {
    /// `SEGMENT/HOST/up`, `SEGMENT/HOST/down` or `ROUTER/FROM>TO`.
    pub name: String,
    /// How it impairs.
    pub config: link::Config,
    /// Whether it is a crossing of a router that forwards broadcasts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub takes_broadcasts: bool,
}

impl Host {
    /// How many interfaces it has.
    #[must_use]
    pub fn interfaces(&self) -> u8 {
        1 + self.further.len() as u8
    }

    /// One of its interfaces, from 0.
    #[must_use]
    pub fn interface(&self, number: u8) -> &Interface {
        if number == 0 { &self.first } else { &self.further[usize::from(number) - 1] }
    }

    /// All its interfaces, with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u8, &Interface)> {
        (0..self.interfaces()).map(|number| (number, self.interface(number)))
    }

    /// Its interface on a segment, with its number, if it has one there.
    #[must_use]
    pub fn interface_on(&self, segment: SegmentId) -> Option<(u8, &Interface)> {
        self.numbered().find(|(_, interface)| interface.segment == segment)
    }
}

/// How a datagram leaves its host, and where it is to arrive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Way {
    /// A host, and which of its interfaces; `None` for all.
    pub(super) to: Option<(HostId, u8)>,
    /// The interface of the sender.
    pub(super) left_by: u8,
}

impl Way {
    /// To all on the segment of an interface of the sender, and beyond where routers forward broadcasts.
    #[must_use]
    pub fn broadcast(left_by: u8) -> Self {
        Way { to: None, left_by }
    }

    /// The host that it leads to, unless it leads to all.
    #[must_use]
    pub fn to(self) -> Option<HostId> {
        self.to.map(|(host, _)| host)
    }
}

/// One pass through a router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crossing {
    /// The link that it takes.
    pub link: LinkId,
    /// The segment that it leads to.
    pub to: SegmentId,
}

impl Topology {
    /// All hosts; a [`HostId`] is a position here.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// All segments; a [`SegmentId`] is a position here.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// All links; a [`LinkId`] is a position here.
    #[must_use]
    pub fn links(&self) -> &[LinkSpec] {
        &self.links
    }

    /// One host.
    #[must_use]
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.index()]
    }

    /// The next router crossing for a datagram that is on segment `from` and wants to `to`; `None` if there is no way
    /// (or nothing to cross).
    #[must_use]
    pub fn next_crossing(&self, from: SegmentId, to: SegmentId) -> Option<Crossing> {
        self.next_crossing.get(&(from, to)).map(|(crossing, _)| *crossing)
    }

    /// Whether there is a way from one host to another.
    #[must_use]
    pub fn reaches(&self, from: HostId, to: HostId) -> bool {
        self.route(from, to).is_some()
    }

    /// How what one host sends to another leaves and arrives; `None` if there is no way.
    ///
    /// Of the addressee's addresses it is sent to the one with the fewest crossings, then to the one whose segment comes
    /// first by name (a choice: which address of several a sender takes is not settled).
    #[must_use]
    pub fn route(&self, from: HostId, to: HostId) -> Option<Way> {
        let ways = self.host(to).numbered().filter_map(|(interface, _)| self.way(from, to, interface));
        ways.min().map(|(_, way)| way)
    }

    /// The same to one of its addresses: by the interface with the fewest crossings to there, then by the one whose segment
    /// comes first by name.
    #[must_use]
    pub fn route_to(&self, from: HostId, to: HostId, interface: u8) -> Option<Way> {
        self.way(from, to, interface).map(|(_, way)| way)
    }

    /// With the number of crossings.
    fn way(&self, from: HostId, to: HostId, interface: u8) -> Option<(u32, Way)> {
        let target = self.host(to).interface(interface).segment;
        let crossings = |segment: SegmentId| {
            if segment == target { Some(0) } else { Some(self.next_crossing.get(&(segment, target))?.1) }
        };
        let ways = self.host(from).numbered().filter_map(|(left_by, own)| Some((crossings(own.segment)?, left_by)));
        ways.min().map(|(crossings, left_by)| (crossings, Way { to: Some((to, interface)), left_by }))
    }

    /// The address of a host to which another sends; its first one where there is no way.
    #[must_use]
    pub fn address_for(&self, host: HostId, from: HostId) -> Ipv4Addr {
        let interface = self.route(from, host).and_then(|way| way.to).map_or(0, |(_, interface)| interface);
        self.host(host).interface(interface).address
    }

    /// The links from one host to another, in order; `None` if there is no way.
    #[must_use]
    pub fn path(&self, from: HostId, to: HostId) -> Option<Vec<LinkId>> {
        let Way { left_by, to: Some((_, interface)) } = self.route(from, to)? else { return None };
        let (from, to) = (self.host(from).interface(left_by), self.host(to).interface(interface));
        let mut path = vec![from.up];
        let mut here = from.segment;
        while here != to.segment {
            let crossing = self.next_crossing(here, to.segment)?;
            path.push(crossing.link);
            here = crossing.to;
        }
        path.push(to.down);
        Some(path)
    }

    /// Where a broadcast goes on to from segment `at`, if it was sent on segment `from`: routers that forward broadcasts
    /// carry it along the ways with the fewest crossings, and of those the one whose crossings come first by name, so that
    /// it enters each segment once.
    #[must_use]
    pub fn onward(&self, from: SegmentId, at: SegmentId) -> &[Crossing] {
        self.onward.get(&(from, at)).map_or(&[], Vec::as_slice)
    }

    /// The first of the segments that a segment shares its broadcasts with: itself, where no router forwards them.
    #[must_use]
    pub fn broadcast_domain(&self, segment: SegmentId) -> SegmentId {
        let mut others = (0..segment.0).map(SegmentId);
        others.find(|other| self.floods.contains_key(&(segment, *other))).unwrap_or(segment)
    }

    /// Whether a host hears the broadcasts of another.
    #[must_use]
    pub fn hears(&self, host: HostId, from: HostId) -> bool {
        let mut own = self.host(from).numbered().map(|(_, interface)| interface.segment);
        let its = || self.host(host).numbered().map(|(_, interface)| interface.segment);
        own.any(|own| its().any(|its| own == its || self.floods.contains_key(&(own, its))))
    }

    /// Whether routers forward any broadcast of a host.
    #[must_use]
    pub fn forwards(&self, from: HostId) -> bool {
        let mut segments = self.host(from).numbered().map(|(_, interface)| interface.segment);
        segments.any(|segment| self.onward.contains_key(&(segment, segment)))
    }

    /// The ways by which broadcasts of one host reach another, each by the interface that it is sent out on and its links in
    /// order.
    #[must_use]
    pub fn broadcast_paths(&self, from: HostId, to: HostId) -> Vec<(u8, Vec<LinkId>)> {
        let mut paths = Vec::new();
        for (number, own) in self.host(from).numbered() {
            for (_, its) in self.host(to).numbered() {
                let crossings = match self.floods.get(&(own.segment, its.segment)) {
                    Some(crossings) => crossings,
                    None if own.segment == its.segment => &Vec::new(),
                    None => continue,
                };
                let crossings = crossings.iter().map(|crossing| crossing.link);
                paths.push((number, [own.up].into_iter().chain(crossings).chain([its.down]).collect()));
            }
        }
        paths
    }
}
