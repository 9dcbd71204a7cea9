//! A network for any programs that send datagrams.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

use ::turmoil::{Builder, Sim};

use super::packet::Packet;
use super::switch::{self, Delivery, Medium};
use super::{TICK, UDP_CAPACITY};
use crate::id::{DatagramId, HostId};
use crate::link::Counters;
use crate::net::{self, Carrier, Fabric, Flight, Partition, Topology};
use crate::rng::Root;
use crate::sim::Queue;
use crate::time::Instant;
use crate::wire::udp::{Endpoints, checksum};

/// turmoil's settings under which nothing but the [`Network`] delays or loses a datagram. Others (duration, ephemeral
/// ports, TCP) are the caller's to change.
#[must_use]
pub fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .tick_duration(Duration::from_nanos(TICK.nanos()))
        .min_message_latency(Duration::ZERO)
        .max_message_latency(Duration::ZERO)
        .fail_rate(0.0)
        .udp_capacity(UDP_CAPACITY)
        .epoch(std::time::UNIX_EPOCH)
        .rng_seed(0);
    builder
}

/// A network of lossy links between the hosts of a simulation: see the [module](super). Clones are the same network.
#[derive(Clone)]
pub struct Network {
    lan: Rc<RefCell<Lan>>,
}

impl Network {
    /// A network of hosts that have the names of their hosts in the simulation. All that happens on its links is a
    /// function of the seed and of who sent what; the draws of a link do not depend on what other links there are.
    #[must_use]
    pub fn new(topology: Topology, seed: u64) -> Self {
        let root = Root { seed, replication: 0 };
        let lan = Lan {
            fabric: Fabric::new(&topology, root),
            topology: Rc::new(topology),
            root,
            addresses: Vec::new(),
            streams: BTreeMap::new(),
            now: Instant::ZERO,
            waiting: Queue::new(),
            arrived: VecDeque::new(),
        };
        Network { lan: Rc::new(RefCell::new(lan)) }
    }

    /// Puts the network into a simulation, after all its hosts.
    ///
    /// # Panics
    ///
    /// If the simulation is one of IPv6.
    pub fn install(&self, sim: &mut Sim<'_>) {
        let hosts: Vec<_> = {
            let mut lan = self.lan.borrow_mut();
            let topology = lan.topology.clone();
            let address = |name: &str| match sim.lookup(name) {
                IpAddr::V4(address) => address,
                IpAddr::V6(_) => panic!("datagrams of IPv6 are not simulated"),
            };
            let hosts: Vec<_> = topology.hosts().iter().map(|host| (host.name.clone(), address(&host.name))).collect();
            lan.addresses = hosts.iter().map(|(_, address)| *address).collect();
            hosts
        };
        switch::install(sim, hosts, self.lan.clone());
    }

    /// Cuts groups of hosts, by their names, off from each other, until [`Network::heal`]; hosts in no group reach all. It
    /// can be called while the simulation runs, between its steps or by a program on a host.
    ///
    /// # Panics
    ///
    /// If a name is none of the network's, or is in two groups.
    pub fn partition(&self, groups: &[&[&str]]) {
        self.cut(groups, false);
    }

    /// Cuts what goes from the hosts `from` to the hosts `to`, until [`Network::heal`].
    ///
    /// # Panics
    ///
    /// As [`Network::partition`].
    pub fn partition_oneway(&self, from: &[&str], to: &[&str]) {
        self.cut(&[from, to], true);
    }

    /// Ends all partitions.
    pub fn heal(&self) {
        self.lan.borrow_mut().fabric.heal();
    }

    fn cut(&self, groups: &[&[&str]], one_way: bool) {
        let lan = &mut *self.lan.borrow_mut();
        let hosts = lan.topology.hosts();
        let host = |name: &&str| {
            let position = hosts.iter().position(|host| host.name == *name);
            HostId(position.unwrap_or_else(|| panic!("there is no host `{name}`")) as u32)
        };
        let groups: Vec<Vec<HostId>> = groups.iter().map(|group| group.iter().map(host).collect()).collect();
        lan.fabric.cut(0, Partition::new(hosts.len(), &groups, one_way));
    }

    /// What a link has done so far: `SEGMENT/HOST/up`, `SEGMENT/HOST/down`, `ROUTER/FROM>TO`.
    ///
    /// # Panics
    ///
    /// If there is no such link; the message names those that there are.
    #[must_use]
    pub fn counters(&self, link: &str) -> Counters {
        let lan = self.lan.borrow();
        let links = lan.topology.links();
        let position = links.iter().position(|spec| spec.name == link).unwrap_or_else(|| {
            let names: Vec<&str> = links.iter().map(|spec| spec.name.as_str()).collect();
            panic!("there is no link `{link}`; there are {}", names.join(", "))
        });
        *lan.fabric.links()[position].counters()
    }
}

/// The network, and what is on its way.
struct Lan {
    topology: Rc<Topology>,
    fabric: Fabric<Cargo>,
    root: Root,
    addresses: Vec<Ipv4Addr>,
    /// For each way that a program sends datagrams its key, and how many went there.
    streams: BTreeMap<(HostId, u16, SocketAddrV4), (u64, u64)>,
    now: Instant,
    waiting: Queue<Flight<Cargo>>,
    arrived: VecDeque<Delivery>,
}

/// The ports of a datagram, and where it says that it is from.
#[derive(Clone, Copy, Debug)]
struct Cargo {
    source: SocketAddrV4,
    port: u16,
}

impl Lan {
    fn host_at(&self, address: Ipv4Addr) -> Option<HostId> {
        (0..).zip(&self.addresses).find(|(_, known)| **known == address).map(|(id, _)| HostId(id))
    }

    /// The identity of a datagram: which one it is of those that go from one socket to one address. Hosts are known by
    /// name, so that no other host moves it.
    fn identify(&mut self, from: HostId, source_port: u16, to: Option<HostId>, peer: SocketAddrV4) -> DatagramId {
        let (topology, root) = (&self.topology, self.root);
        let (stream_key, message) = self.streams.entry((from, source_port, peer)).or_insert_with(|| {
            let to = to.map_or("*", |to| topology.host(to).name.as_str());
            let flow = format!("UDP {source_port} > {to}:{}", peer.port());
            (root.stream_key(&flow, &topology.host(from).name), 0)
        });
        let id = DatagramId::new(*stream_key, *message);
        *message += 1;
        id
    }

    /// Time goes on; fragments that have waited too long are forgotten.
    fn set_now(&mut self, now: Instant) {
        self.now = now;
        while self.fabric.pop_overdue(now).is_some() {}
    }

    fn with_fabric(&mut self, go: impl FnOnce(&mut Fabric<Cargo>, &Topology, Instant, &mut Way<'_>)) {
        let Lan { topology, fabric, addresses, now, waiting, arrived, .. } = self;
        go(fabric, topology, *now, &mut Way { addresses, waiting, arrived });
    }
}

impl Medium for Lan {
    fn depart(&mut self, now: Instant, from: HostId, source_port: u16, packet: &Packet<'_>) {
        self.set_now(now);
        let peer = packet.peer;
        let cargo = Cargo { source: SocketAddrV4::new(self.addresses[from.index()], source_port), port: peer.port() };
        let payload: Rc<[u8]> = packet.payload.into();
        let way = if peer.ip().is_broadcast() {
            Some(net::Way::broadcast(0))
        } else {
            self.host_at(*peer.ip()).and_then(|to| self.topology.route(from, to))
        };
        match way.map(net::Way::to) {
            None => {} // nobody is there, or no way leads there; as on any network, nobody says so
            Some(Some(to)) if to == from => {
                self.arrived.push_back(Delivery { to, port: cargo.port, source: cargo.source, payload });
            }
            Some(to) => {
                let id = self.identify(from, source_port, to, peer);
                let flight = Flight::new(payload, id, from, way.expect("there is one"), cargo);
                self.with_fabric(|fabric, topology, now, way| fabric.depart(topology, now, flight, way));
            }
        }
    }

    fn advance(&mut self, until: Instant) {
        while let Some((at, flight)) = self.waiting.pop_until(until) {
            self.set_now(at);
            self.with_fabric(|fabric, topology, now, way| fabric.proceed(topology, now, flight, way));
        }
    }

    fn next_delivery(&mut self) -> Option<Delivery> {
        self.arrived.pop_front()
    }

    fn next_time(&self) -> Option<Instant> {
        self.waiting.next_time()
    }
}

/// What the fabric needs of the network around it.
struct Way<'a> {
    addresses: &'a [Ipv4Addr],
    waiting: &'a mut Queue<Flight<Cargo>>,
    arrived: &'a mut VecDeque<Delivery>,
}

impl Carrier<Cargo> for Way<'_> {
    fn cargo_towards(&mut self, broadcast: &Flight<Cargo>, _: HostId) -> Cargo {
        *broadcast.cargo()
    }

    fn carry(&mut self, at: Instant, flight: Flight<Cargo>) {
        self.waiting.push(at, flight);
    }

    fn arrive(&mut self, host: HostId, flight: Flight<Cargo>) {
        let Cargo { source, port } = *flight.cargo();
        let own = self.addresses[host.index()];
        let destination = if flight.is_broadcast() { Ipv4Addr::BROADCAST } else { own };
        let endpoints =
            Endpoints { source: *source.ip(), destination, source_port: source.port(), destination_port: port };
        let seen = flight.damage().is_some_and(|damage| {
            damage.is_checked && checksum(&endpoints, flight.payload()) != checksum(&endpoints, &damage.original)
        });
        if !seen {
            self.arrived.push_back(Delivery { to: host, port, source, payload: flight.payload().clone() });
        }
    }
}
