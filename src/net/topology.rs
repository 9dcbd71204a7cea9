//! The topology of a run: built once, then only read.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::Serialize;
use thiserror::Error;

use crate::id::{HostId, LinkId, MAX_HOPS, SegmentId};
use crate::link;

/// The most segments of a topology: one octet of the address.
pub const MAX_SEGMENTS: usize = 256;
/// The most hosts on one segment: two octets of the address, less those that end in 0 or 255.
pub const MAX_HOSTS_PER_SEGMENT: usize = 250 * 250;

/// Hosts, segments, routers and the links between them.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Topology {
    hosts: Vec<Host>,
    segments: Vec<Segment>,
    links: Vec<LinkSpec>,
    /// The first crossing on the way from one segment to another.
    #[serde(skip)]
    next_crossing: BTreeMap<(SegmentId, SegmentId), Crossing>,
}

/// A machine and its attachment to a segment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Host {
    /// Its name in the scenario.
    pub name: String,
    /// The segment that it is attached to.
    pub segment: SegmentId,
    /// The link to the segment.
    pub up: LinkId,
    /// The link from the segment.
    pub down: LinkId,
    /// Its address.
    pub address: Ipv4Addr,
}

/// A broadcast domain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Segment {
    /// Its name in the scenario.
    pub name: String,
    /// Its broadcast address.
    pub broadcast: Ipv4Addr,
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
        self.next_crossing.get(&(from, to)).copied()
    }

    /// Whether there is a way from one host to another.
    #[must_use]
    pub fn reaches(&self, from: HostId, to: HostId) -> bool {
        let (from, to) = (self.host(from).segment, self.host(to).segment);
        from == to || self.next_crossing(from, to).is_some()
    }

    /// The links from one host to another, in order; `None` if there is no way.
    #[must_use]
    pub fn path(&self, from: HostId, to: HostId) -> Option<Vec<LinkId>> {
        let (from, to) = (self.host(from), self.host(to));
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
}

/// Collects the parts of a topology.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    hosts: Vec<Host>,
    segments: Vec<Segment>,
    links: Vec<LinkSpec>,
    /// By the segment that they lead away from.
    crossings: BTreeMap<SegmentId, Vec<Crossing>>,
}

impl Builder {
    /// Adds a segment.
    ///
    /// # Errors
    ///
    /// If there are [`MAX_SEGMENTS`].
    pub fn segment(&mut self, name: &str) -> Result<SegmentId, Invalid> {
        if self.segments.len() == MAX_SEGMENTS {
            return Err(Invalid::TooManySegments);
        }
        let broadcast = Ipv4Addr::new(10, self.segments.len() as u8, 255, 255);
        self.segments.push(Segment { name: name.to_owned(), broadcast, hosts: Vec::new() });
        Ok(SegmentId(self.segments.len() as u32 - 1))
    }

    /// Attaches a host to a segment by a link in each direction.
    ///
    /// # Errors
    ///
    /// If [`MAX_HOSTS_PER_SEGMENT`] are on the segment.
    pub fn host(
        &mut self,
        name: &str,
        segment: SegmentId,
        up: link::Config,
        down: link::Config,
    ) -> Result<HostId, Invalid> {
        let id = HostId(self.hosts.len() as u32);
        let on = self.segments[segment.index()].name.clone();
        self.segments[segment.index()].hosts.push(id);
        if self.segments[segment.index()].hosts.len() > MAX_HOSTS_PER_SEGMENT {
            return Err(Invalid::TooManyHosts { segment: on });
        }
        let address = Ipv4Addr::UNSPECIFIED; // given in the end, when all names are known
        let up = self.link(format!("{on}/{name}/up"), up);
        let down = self.link(format!("{on}/{name}/down"), down);
        self.hosts.push(Host { name: name.to_owned(), segment, up, down, address });
        Ok(id)
    }

    /// Joins segments by a router: each ordered pair of them becomes a crossing with a link of its own.
    pub fn router(&mut self, name: &str, joins: &[SegmentId], link: link::Config) {
        for &from in joins {
            for &to in joins.iter().filter(|&&to| to != from) {
                let (a, b) = (&self.segments[from.index()].name, &self.segments[to.index()].name);
                let link = self.link(format!("{name}/{a}>{b}"), link.clone());
                self.crossings.entry(from).or_default().push(Crossing { link, to });
            }
        }
    }

    /// Finds the ways and finishes.
    ///
    /// # Errors
    ///
    /// If a way passes more than [`MAX_HOPS`] links.
    pub fn build(mut self) -> Result<Topology, Invalid> {
        self.give_addresses();
        let mut next_crossing = BTreeMap::new();
        for target in (0..self.segments.len() as u32).map(SegmentId) {
            for (segment, crossing) in self.ways_to(target)? {
                next_crossing.insert((segment, target), crossing);
            }
        }
        Ok(Topology { hosts: self.hosts, segments: self.segments, links: self.links, next_crossing })
    }

    /// Gives each host an address, 10.SEGMENT.x.y, made of its name, so that adding a host changes no other's: the
    /// bytes of datagrams are part of what happens to them. Hosts are taken in the order of their names, which is also
    /// that in which they hear a broadcast; where two names lead to one address the later takes the next that is free.
    fn give_addresses(&mut self) {
        for (number, segment) in (0..).zip(&mut self.segments) {
            segment.hosts.sort_by(|a, b| self.hosts[a.index()].name.cmp(&self.hosts[b.index()].name));
            let mut taken = BTreeSet::new();
            for host in &segment.hosts {
                let host = &mut self.hosts[host.index()];
                let wanted = (stable_hash(&host.name) % MAX_HOSTS_PER_SEGMENT as u64) as usize;
                let free = (wanted..MAX_HOSTS_PER_SEGMENT).chain(0..wanted).find(|position| !taken.contains(position));
                let position = free.expect("there are as many addresses as hosts");
                taken.insert(position);
                host.address = Ipv4Addr::new(10, number, (position / 250) as u8, (position % 250) as u8 + 1);
            }
        }
    }

    /// For every segment from which `target` can be reached: the first crossing of the best way.
    ///
    /// Breadth first, backwards from the target: a segment is first met at its smallest number of crossings, and its
    /// best crossing is then the first by name among those that lead one step closer. The rest of a best way is itself
    /// best, so comparing the first crossing's name decides; equal first names cannot be, since link names are unique.
    fn ways_to(&self, target: SegmentId) -> Result<BTreeMap<SegmentId, Crossing>, Invalid> {
        let mut best = BTreeMap::new();
        let mut layer = vec![target];
        let mut distance = 0;
        while !layer.is_empty() {
            let mut further: BTreeMap<SegmentId, Crossing> = BTreeMap::new();
            for (&from, crossings) in &self.crossings {
                if from == target || best.contains_key(&from) {
                    continue;
                }
                let closer = crossings.iter().filter(|crossing| layer.contains(&crossing.to));
                if let Some(first) = closer.min_by_key(|crossing| &self.links[crossing.link.index()].name) {
                    further.insert(from, *first);
                }
            }
            distance += 1;
            if !further.is_empty() && distance + 2 > MAX_HOPS {
                let name = |id: SegmentId| self.segments[id.index()].name.clone();
                let from = *further.keys().next().expect("not empty");
                return Err(Invalid::TooFar { from: name(from), to: name(target) });
            }
            layer = further.keys().copied().collect();
            best.extend(further);
        }
        Ok(best)
    }

    fn link(&mut self, name: String, config: link::Config) -> LinkId {
        self.links.push(LinkSpec { name, config });
        LinkId(self.links.len() as u32 - 1)
    }
}

/// FNV-1a, 64 bits: spreads names over addresses.
fn stable_hash(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

/// Why a topology cannot be built.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Invalid {
    /// Over [`MAX_SEGMENTS`].
    #[error("there are more than {MAX_SEGMENTS} segments")]
    TooManySegments,
    /// Over [`MAX_HOSTS_PER_SEGMENT`].
    #[error("segment `{segment}` has more than {MAX_HOSTS_PER_SEGMENT} hosts")]
    TooManyHosts {
        /// The segment.
        segment: String,
    },
    /// Over [`MAX_HOPS`].
    #[error("the way from segment `{from}` to `{to}` passes more than {MAX_HOPS} links")]
    TooFar {
        /// Where it starts.
        from: String,
        /// Where it ends.
        to: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Config;

    /// Segments a to e; routers named by the caller over pairs of them; a host on each segment, with the segment's
    /// name.
    fn network(routers: &[(&str, &str)]) -> Topology {
        let mut builder = Builder::default();
        let names = ["a", "b", "c", "d", "e"];
        let ids = names.map(|name| builder.segment(name).unwrap());
        for (name, id) in names.iter().zip(ids) {
            builder.host(name, id, Config::PERFECT, Config::PERFECT).unwrap();
        }
        for (router, joins) in routers {
            let joins: Vec<_> =
                joins.chars().map(|c| ids[names.iter().position(|n| n.starts_with(c)).unwrap()]).collect();
            builder.router(router, &joins, Config::PERFECT);
        }
        builder.build().unwrap()
    }

    fn path(topology: &Topology, from: u32, to: u32) -> Option<Vec<&str>> {
        let path = topology.path(HostId(from), HostId(to))?;
        Some(path.iter().map(|link| topology.links()[link.index()].name.as_str()).collect())
    }

    #[test]
    fn a_path_is_up_crossings_down() {
        let topology = network(&[("R", "ab"), ("S", "bc")]);
        assert_eq!(path(&topology, 0, 0), Some(vec!["a/a/up", "a/a/down"]));
        assert_eq!(path(&topology, 0, 2), Some(vec!["a/a/up", "R/a>b", "S/b>c", "c/c/down"]));
        assert_eq!(path(&topology, 0, 3), None);
    }

    #[test]
    fn the_shortest_way_wins_then_the_first_by_name() {
        let direct = network(&[("Z", "ac"), ("A", "ab"), ("B", "bc")]);
        assert_eq!(path(&direct, 0, 2).unwrap()[1], "Z/a>c");
        let twins = network(&[("R2", "ab"), ("R1", "ad"), ("S", "bc"), ("T", "dc")]);
        assert_eq!(path(&twins, 0, 2).unwrap()[1..3], ["R1/a>d", "T/d>c"]);
        assert_eq!(path(&twins, 2, 0).unwrap()[1..3], ["S/c>b", "R2/b>a"], "each direction by its own names");
    }

    #[test]
    fn addresses_are_unique_and_neither_network_nor_broadcast() {
        let mut builder = Builder::default();
        let segment = builder.segment("s").unwrap();
        for host in 0..600 {
            builder.host(&format!("H{host}"), segment, Config::PERFECT, Config::PERFECT).unwrap();
        }
        let topology = builder.build().unwrap();
        let addresses: BTreeSet<_> = topology.hosts().iter().map(|host| host.address).collect();
        assert!(addresses.iter().all(|address| (1..=250).contains(&address.octets()[3])));
        assert_eq!(addresses.len(), 600);
    }

    /// A host's address is made of its name, and hosts hear a broadcast in the order of names: another host, or another
    /// order of adding them, changes neither.
    #[test]
    fn addresses_and_order_are_those_of_names() {
        let network = |names: &[&str]| {
            let mut builder = Builder::default();
            let segment = builder.segment("s").unwrap();
            for name in names {
                builder.host(name, segment, Config::PERFECT, Config::PERFECT).unwrap();
            }
            let topology = builder.build().unwrap();
            let heard = topology.segments()[0].hosts.iter().map(|host| topology.host(*host));
            heard.map(|host| (host.name.clone(), host.address)).collect::<Vec<_>>()
        };
        let few = network(&["CTRL", "PANEL1"]);
        assert_eq!(few, network(&["PANEL1", "CTRL"]));
        let more = network(&["NEW", "PANEL1", "CTRL", "ADDED"]);
        assert!(few.iter().all(|host| more.contains(host)), "{few:?} {more:?}");
        assert!(more.is_sorted());
    }

    #[test]
    fn a_way_over_too_many_links_is_refused() {
        let mut builder = Builder::default();
        let ids: Vec<_> = (0..32).map(|n| builder.segment(&format!("s{n}")).unwrap()).collect();
        for pair in ids.windows(2) {
            builder.router(&format!("r{}", pair[0].0), pair, Config::PERFECT);
        }
        assert!(matches!(builder.build(), Err(Invalid::TooFar { .. })));
    }
}
