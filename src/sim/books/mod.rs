//! The books of a run: what was written, what is on its way, what waits where, and what became of it.
//!
//! Whoever drives a run, on whatever network and clock, runs machines and programs; the books are told what each of
//! them did, and keep the rest: links and ways, whom a packet is for, the ledger and the observer. They call no machine
//! and know no queue of events. With [`Books::now`] set, they are told in this order:
//!
//! 1. of whatever happens to a machine first what it did with its cause ([`Books::arrived`] and [`Books::took`]);
//! 2. then each packet that it gave out ([`Books::send`]), and the result of a write ([`Books::wrote`], or
//!    [`Books::replied`] of a reply);
//! 3. then each of its events ([`Books::happened`]), and what programs read ([`Books::read`]) and believe because of that
//!    ([`Books::believes`]).
//!
//! Packets that leave machines gather in [`Books::departures`] until the driver gives them to [`Books::depart`], those
//! that have come to a host in [`Books::arrivals`] until it delivers them. Nothing is delivered within a call of the
//! books.

mod carriage;
mod delivery;
mod faults;
mod sending;
mod stream;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::rc::Rc;

pub(crate) use carriage::{Datagram, FlightKey};
pub(crate) use sending::Cause;

use carriage::{Cargo, instance};
use delivery::{Fragment, Waiting};
use sending::{Begun, Packed, Questions};
use slab::Slab;
use stream::Stream;

use super::timeline::Condition;
use super::traffic::{Belief, Sender, Spared};
use super::{ALIVE_BYTES, Driver, MAX_ALIVE_BYTES, Outcome, Overload};
use crate::id::{HostId, LinkId};
use crate::mailslot::{ReassemblyKey, Receipt, WriteId};
use crate::net::Fabric;
use crate::rng::Root;
use crate::scenario::Scenario;
use crate::stats::{Bound, Event, Fate, Frame, Instance, Ledger, Observer};
use crate::time::Instant;
use crate::wire::NetbiosName;

/// The books of one run: see the [module](self).
pub(crate) struct Books<O> {
    scenario: Rc<Scenario>,
    root: Root,
    journal: Journal<O>,
    streams: Vec<Stream>,
    /// Hosts and the numbers of their interfaces.
    hosts_by_address: BTreeMap<Ipv4Addr, (HostId, u8)>,
    fabric: Fabric<Cargo>,
    /// What is on a link.
    flights: Slab<Datagram>,
    /// What is due to leave its machine.
    pub(crate) departures: VecDeque<Datagram>,
    /// What has come to a host and is due to be delivered.
    pub(crate) arrivals: Vec<(HostId, Datagram)>,
    /// For each host what its slots took and nobody has read, in the order of taking.
    waiting: Vec<VecDeque<(Receipt, Waiting)>>,
    /// How many there are on all hosts, and how many bytes they have.
    waiting_messages: usize,
    waiting_bytes: usize,
    /// Whether each host is there, and the domain that it is in.
    conditions: Vec<Condition>,
    domains: Vec<NetbiosName>,
    /// How often a host has changed its domain.
    memberships: u32,
    /// What has come for hosts that stand still.
    suspended: BTreeMap<HostId, Vec<Datagram>>,
    /// The names that machines claim which have started.
    claims: BTreeMap<HostId, BTreeSet<NetbiosName>>,
    /// The fragments that wait on a host for the rest of their datagram.
    held: BTreeMap<(HostId, ReassemblyKey), Vec<Fragment>>,
    /// Writes that have not returned.
    begun: BTreeMap<(HostId, WriteId), Begun>,
    /// What each machine has asked about each name.
    questions: BTreeMap<(HostId, NetbiosName), Questions>,
    /// Packets of writes that have not been told yet, and room for the work on them.
    outbox: Vec<Packed>,
    bounds: Vec<Bound>,
    recipients: Vec<u32>,
}

/// Those who are told every event.
struct Journal<O> {
    now: Instant,
    ledger: Ledger,
    observer: O,
}

impl<O: Observer> Journal<O> {
    fn tell(&mut self, event: Event<'_>) {
        self.ledger.observe(self.now, &event);
        self.observer.observe(self.now, &event);
        for settled in self.ledger.settled() {
            self.observer.settled(self.now, settled);
        }
    }

    /// A flight comes to a link.
    #[inline]
    fn show(&mut self, flight: &Datagram, link: LinkId) {
        let frame = Frame {
            from: (flight.from(), flight.left_by_number()),
            to: flight.to().filter(|_| !flight.is_broadcast()).map(|to| (to, flight.arrives_at())),
            port: flight.cargo().service().port(),
            payload: flight.payload(),
            sent: flight.damage().map_or(flight.payload(), |damage| &damage.original),
            part: flight.part(),
        };
        self.observer.see(self.now, link, &frame);
    }
}

impl<O: Observer> Books<O> {
    /// The books of a run that begins. `senders` are those of the scenario, in the order of streams.
    pub(crate) fn new(scenario: Rc<Scenario>, root: Root, senders: &[Sender], mut observer: O) -> Self {
        let topology = scenario.topology();
        let hosts = topology.hosts().len();
        let (streams, layouts) = stream::streams(&scenario, root, senders);
        let phases = scenario.phases.iter().map(|phase| Instant::ZERO + phase.from..Instant::ZERO + phase.to);
        observer.begin(&layouts);
        let ledger = Ledger::new(layouts, scenario.flows.len(), hosts, phases.collect());
        Books {
            root,
            journal: Journal { now: Instant::ZERO, ledger, observer },
            streams,
            hosts_by_address: (0..)
                .zip(topology.hosts())
                .flat_map(|(id, host)| {
                    host.numbered().map(move |(at, interface)| (interface.address, (HostId(id), at)))
                })
                .collect(),
            fabric: Fabric::new(topology, root),
            flights: Slab::new(),
            departures: VecDeque::new(),
            arrivals: Vec::new(),
            waiting: vec![VecDeque::new(); hosts],
            waiting_messages: 0,
            waiting_bytes: 0,
            conditions: vec![Condition::Up; hosts],
            domains: scenario.hosts.iter().map(|host| host.domain).collect(),
            memberships: 0,
            suspended: BTreeMap::new(),
            claims: BTreeMap::new(),
            held: BTreeMap::new(),
            begun: BTreeMap::new(),
            questions: BTreeMap::new(),
            outbox: Vec::new(),
            bounds: Vec::new(),
            recipients: Vec::new(),
            scenario,
        }
    }

    /// The moment of what is told.
    pub(crate) fn now(&self) -> Instant {
        self.journal.now
    }

    /// Time goes on: what is told from now on happens at `now`. Before that, IP fragments are given up that have waited too
    /// long by then.
    pub(crate) fn set_now(&mut self, now: Instant) {
        self.give_up_overdue(now);
        self.journal.now = now;
    }

    /// Whether what is alive fits into memory.
    pub(crate) fn check_memory(&self) -> Result<(), Overload> {
        let suspended: usize = self.suspended.values().map(Vec::len).sum();
        let under_way = self.flights.len() + self.fabric.fragments_waiting() + suspended;
        let alive = under_way + self.waiting_messages + self.begun.len();
        if alive * ALIVE_BYTES + self.waiting_bytes > MAX_ALIVE_BYTES {
            return Err(Overload { at: self.now() });
        }
        Ok(())
    }

    /// A program on a host got the message with this receipt: which instance that is.
    pub(crate) fn read(&mut self, host: HostId, receipt: Receipt) -> Instance {
        let Waiting { instance, written, damaged, .. } = self.take_waiting(host, receipt);
        self.tell(Event::Read { instance, host, delay: self.now().since(written), damaged });
        instance
    }

    /// What the program of a sender believes since it read this reply. Its list is that of the audience at the beginning:
    /// who has left the audience since then, and replies all the same, is not counted.
    pub(crate) fn believes(&mut self, Belief { stream, message, from, spared }: Belief, reply: Instance) {
        if let Bound::Reply(_) = reply.bound {
            let recipient = self.recipient(stream, from);
            self.tell(Event::Believed { stream, message, recipient });
        }
        let Some(Spared { writes, one_more }) = spared else { return };
        self.tell(Event::Confirmed { stream, message, spared: writes });
        if !one_more {
            self.is_written(stream, message);
        }
    }

    /// A message is no longer in its slot.
    fn take_waiting(&mut self, host: HostId, receipt: Receipt) -> Waiting {
        let waiting = &mut self.waiting[host.index()];
        let position = waiting.binary_search_by_key(&receipt, |(receipt, _)| *receipt).expect("it was waiting");
        let (_, taken) = waiting.remove(position).expect("it was found");
        self.waiting_messages -= 1;
        self.waiting_bytes -= taken.bytes as usize;
        taken
    }

    /// Whether nothing is on its way and nothing waits.
    #[cfg(feature = "turmoil")]
    pub(crate) fn is_quiet(&self) -> bool {
        self.flights.is_empty()
            && self.departures.is_empty()
            && self.arrivals.is_empty()
            && self.suspended.is_empty()
            && self.claims.is_empty()
            && self.held.is_empty()
            && self.begun.is_empty()
            && self.waiting_messages == 0
    }

    /// The run is over: writes that have not returned are aborted, and what is on its way or in a slot stays there. What
    /// apps did is not in these books.
    ///
    /// # Panics
    ///
    /// If the conservation law is broken.
    pub(crate) fn finish(mut self, driver: Driver) -> Outcome {
        self.abort_writes();
        self.give_up_overdue(self.scenario.end());
        self.journal.now = self.now().max(self.scenario.end());
        let flights = std::mem::take(&mut self.flights);
        let arrivals = std::mem::take(&mut self.arrivals).into_iter().map(|(_, flight)| flight);
        let on_their_way = flights.into_iter().map(|(_, flight)| flight).chain(arrivals);
        let on_their_way: Vec<Datagram> = on_their_way.chain(std::mem::take(&mut self.departures)).collect();
        self.end_incomplete(&on_their_way);
        on_their_way.iter().for_each(|flight| self.leave(flight));
        for (host, flights) in std::mem::take(&mut self.suspended) {
            flights.iter().for_each(|flight| self.miss(host, flight));
        }
        for ((host, _), fragments) in std::mem::take(&mut self.held) {
            fragments.iter().for_each(|fragment| self.give_up(host, fragment));
        }
        for (_, waiting) in std::mem::take(&mut self.waiting).into_iter().flatten() {
            self.tell(Event::Left { instance: waiting.instance, fate: Fate::Unread, links_passed: 0 });
        }
        let links = self.fabric.links().iter().map(|link| *link.counters()).collect();
        Outcome { driver, tally: self.journal.ledger.finish(), links, apps: Vec::new() }
    }

    /// The run is over, and a flight is on its way.
    fn leave(&mut self, flight: &Datagram) {
        let links_passed = flight.hop();
        self.tell(Event::Left { instance: instance(flight), fate: Fate::InFlight, links_passed });
    }

    fn tell(&mut self, event: Event<'_>) {
        self.journal.tell(event);
    }
}

/// Whether a host is on a transport.
fn is_on(scenario: &Scenario, host: HostId, transport: u8) -> bool {
    transport < scenario.hosts[host.index()].transports
}
