//! Putting a topology together: its parts, their addresses, and the ways between them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use thiserror::Error;

use super::topology::{Crossing, Host, Interface, LinkSpec, Segment, Topology};
use crate::id::{HostId, LinkId, MAX_HOPS, SegmentId};
use crate::link;

/// The most segments of a topology: one octet of the address.
pub const MAX_SEGMENTS: usize = 256;
/// The most hosts on one segment: two octets of the address, less those that end in 0 or 255.
pub const MAX_HOSTS_PER_SEGMENT: usize = 250 * 250;

/// The most interfaces of a host.
pub const MAX_INTERFACES: usize = 8;

/// Collects the parts of a topology.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    hosts: Vec<Host>,
    segments: Vec<Segment>,
    links: Vec<LinkSpec>,
    /// By the segment that they lead away from.
    crossings: BTreeMap<SegmentId, Vec<Crossing>>,
    /// Whether any router forwards broadcasts.
    forwards: bool,
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
        let origin = (stable_hash(name.as_bytes()) >> 32) as u32 | 1;
        self.segments.push(Segment { name: name.to_owned(), broadcast, origin, hosts: Vec::new() });
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
        let first = self.interface(id, name, segment, up, down)?;
        self.hosts.push(Host { name: name.to_owned(), first, further: Vec::new() });
        Ok(id)
    }

    /// Attaches a host to a further segment.
    ///
    /// # Errors
    ///
    /// As [`Builder::host`]; and if it has [`MAX_INTERFACES`], or one on the segment.
    pub fn attach(
        &mut self,
        host: HostId,
        segment: SegmentId,
        up: link::Config,
        down: link::Config,
    ) -> Result<(), Invalid> {
        let known = &self.hosts[host.index()];
        let name = known.name.clone();
        if known.interface_on(segment).is_some() {
            return Err(Invalid::AttachedTwice { host: name, segment: self.segments[segment.index()].name.clone() });
        }
        if usize::from(known.interfaces()) == MAX_INTERFACES {
            return Err(Invalid::TooManyInterfaces { host: name });
        }
        let interface = self.interface(host, &name, segment, up, down)?;
        self.hosts[host.index()].further.push(interface);
        Ok(())
    }

    fn interface(
        &mut self,
        host: HostId,
        name: &str,
        segment: SegmentId,
        up: link::Config,
        down: link::Config,
    ) -> Result<Interface, Invalid> {
        let on = self.segments[segment.index()].name.clone();
        self.segments[segment.index()].hosts.push(host);
        if self.segments[segment.index()].hosts.len() > MAX_HOSTS_PER_SEGMENT {
            return Err(Invalid::TooManyHosts { segment: on });
        }
        let address = Ipv4Addr::UNSPECIFIED; // given in the end, when all names are known
        let up = self.link(format!("{on}/{name}/up"), up, false);
        let down = self.link(format!("{on}/{name}/down"), down, false);
        Ok(Interface { segment, up, down, address })
    }

    /// Joins segments by a router: each ordered pair of them becomes a crossing with a link of its own.
    pub fn router(&mut self, name: &str, joins: &[SegmentId], link: link::Config) {
        self.join(name, joins, link, false);
    }

    /// The same by a router that forwards broadcasts too.
    pub fn forwarding_router(&mut self, name: &str, joins: &[SegmentId], link: link::Config) {
        self.forwards = true;
        self.join(name, joins, link, true);
    }

    fn join(&mut self, name: &str, joins: &[SegmentId], link: link::Config, takes_broadcasts: bool) {
        for &from in joins {
            for &to in joins.iter().filter(|&&to| to != from) {
                let (a, b) = (&self.segments[from.index()].name, &self.segments[to.index()].name);
                let link = self.link(format!("{name}/{a}>{b}"), link.clone(), takes_broadcasts);
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
        self.sort_interfaces();
        self.give_addresses();
        for crossings in self.crossings.values_mut() {
            crossings.sort_by_key(|crossing| &self.links[crossing.link.index()].name);
        }
        let (mut next_crossing, mut floods) = (BTreeMap::new(), BTreeMap::new());
        let mut onward: BTreeMap<_, Vec<Crossing>> = BTreeMap::new();
        for end in (0..self.segments.len() as u32).map(SegmentId) {
            for (segment, crossing) in self.ways_to(end)? {
                next_crossing.insert((segment, end), crossing);
            }
            for (segment, crossings) in self.flood_from(end)? {
                let last = *crossings.last().expect("it crosses to another segment");
                let before = crossings.iter().rev().nth(1).map_or(end, |crossing| crossing.to);
                onward.entry((end, before)).or_default().push(last);
                floods.insert((end, segment), crossings);
            }
        }
        let Builder { hosts, segments, links, .. } = self;
        Ok(Topology { hosts, segments, links, next_crossing, onward, floods })
    }

    /// Numbers interfaces by the names of their segments, whatever the order in which hosts were attached.
    fn sort_interfaces(&mut self) {
        for host in self.hosts.iter_mut().filter(|host| !host.further.is_empty()) {
            let mut interfaces: Vec<Interface> = [host.first].into_iter().chain(host.further.drain(..)).collect();
            interfaces.sort_by_key(|interface| &self.segments[interface.segment.index()].name);
            host.first = interfaces.remove(0);
            host.further = interfaces;
        }
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
                let on_segment = |interface: &&mut Interface| interface.segment.0 == u32::from(number);
                let wanted = (stable_hash(host.name.as_bytes()) % MAX_HOSTS_PER_SEGMENT as u64) as usize;
                let free = (wanted..MAX_HOSTS_PER_SEGMENT).chain(0..wanted).find(|position| !taken.contains(position));
                let position = free.expect("there are as many addresses as hosts");
                taken.insert(position);
                let Host { first, further, .. } = host;
                let interface = [first].into_iter().chain(further).find(on_segment).expect("it is on the segment");
                interface.address = Ipv4Addr::new(10, number, (position / 250) as u8, (position % 250) as u8 + 1);
            }
        }
    }

    /// For every segment from which `target` can be reached: the first crossing of the best way, and how many it has.
    ///
    /// Breadth first, backwards from the target: a segment is first met at its smallest number of crossings, and its
    /// best crossing is then the first by name among those that lead one step closer. The rest of a best way is itself
    /// best, so comparing the first crossing's name decides; equal first names cannot be, since link names are unique.
    fn ways_to(&self, target: SegmentId) -> Result<BTreeMap<SegmentId, (Crossing, u32)>, Invalid> {
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
                return Err(self.too_far(*further.keys().next().expect("not empty"), target));
            }
            layer = further.keys().copied().collect();
            best.extend(further.into_iter().map(|(segment, crossing)| (segment, (crossing, distance))));
        }
        Ok(best)
    }

    /// The crossings of broadcasts of `origin` on the best way to each other segment that they reach, in the order of those
    /// ways.
    ///
    /// Breadth first: the segments of a layer are in the order of their ways, and of the crossings that lead on from them
    /// the first by name counts, so a segment is first met on its best way; and the best ways make up a tree.
    fn flood_from(&self, origin: SegmentId) -> Result<Vec<(SegmentId, Vec<Crossing>)>, Invalid> {
        let mut ways: Vec<(SegmentId, Vec<Crossing>)> = vec![(origin, Vec::new())];
        let mut met = BTreeSet::from([origin]);
        let mut next = 0;
        while self.forwards && next < ways.len() {
            let (from, way) = ways[next].clone();
            let takes = |crossing: &&Crossing| self.links[crossing.link.index()].takes_broadcasts;
            for crossing in self.crossings.get(&from).into_iter().flatten().filter(takes) {
                if !met.insert(crossing.to) {
                    continue;
                }
                if way.len() as u32 + 3 > MAX_HOPS {
                    return Err(self.too_far(origin, crossing.to));
                }
                ways.push((crossing.to, way.iter().copied().chain([*crossing]).collect()));
            }
            next += 1;
        }
        Ok(ways.split_off(1))
    }

    fn too_far(&self, from: SegmentId, to: SegmentId) -> Invalid {
        let [from, to] = [from, to].map(|id| self.segments[id.index()].name.clone());
        Invalid::TooFar { from, to }
    }

    fn link(&mut self, name: String, config: link::Config, takes_broadcasts: bool) -> LinkId {
        self.links.push(LinkSpec { name, config, takes_broadcasts });
        LinkId(self.links.len() as u32 - 1)
    }
}

/// FNV-1a, 64 bits: spreads names over addresses, say. It stays as it is, on every machine and in every version.
pub(crate) fn stable_hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, step)
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
    /// Over [`MAX_INTERFACES`].
    #[error("host `{host}` has more than {MAX_INTERFACES} interfaces")]
    TooManyInterfaces {
        /// The host.
        host: String,
    },
    /// An interface for each segment.
    #[error("host `{host}` is on segment `{segment}` already")]
    AttachedTwice {
        /// The host.
        host: String,
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
        let addresses: BTreeSet<_> = topology.hosts().iter().map(|host| host.first.address).collect();
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
            heard.map(|host| (host.name.clone(), host.first.address)).collect::<Vec<_>>()
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
