//! A scenario's network and books: what the switch moves datagrams through when a scenario runs under turmoil.
//!
//! The real bytes go through turmoil from socket to socket. What they are for is not in them: the account finds it by
//! the order in which a host gave packets out and took them in, and checks that the bytes are the same.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::TICK;
use super::journal::{Record, Records};
use super::packet::Packet;
use super::switch::{Delivery, Medium, READY};
use crate::id::{HostId, StreamId};
use crate::mailslot::{Event, Receipt, Service};
use crate::scenario::Scenario;
use crate::sim::books::{Books, Cause, Datagram, FlightKey};
use crate::sim::install::Installer;
use crate::sim::timeline::{Change, Strike};
use crate::sim::traffic::Outgoing;
use crate::sim::{Driver, Outcome, Overload, Queue};
use crate::stats::{Instance, Observer};
use crate::time::Instant;

/// The books of a run, fed by the journal of its hosts.
pub(super) struct Account<O> {
    books: Books<O>,
    records: Records,
    hosts: Vec<Side>,
    installer: Rc<Installer>,
    queue: Queue<Due>,
    deliveries: VecDeque<Delivery>,
    /// The end of the run, and the first tick at or after it: what programs do before the end is done by then.
    end: Instant,
    last_tick: Instant,
    overload: Option<Overload>,
    /// How much of the timeline is still to come.
    strikes_left: usize,
}

/// What happens on the network at a moment.
enum Due {
    /// A flight comes to the end of its link.
    LinkEnd(FlightKey),
    /// Something of the timeline.
    Strike(Strike),
}

/// What is known of one host.
#[derive(Default)]
struct Side {
    /// How often it has crashed: what is in the journal of an earlier life is no part of the run.
    life: u32,
    /// The tick at which it started last: its sockets are not there before.
    started: Instant,
    /// What it does now.
    doing: Doing,
    /// What its programs have read and will say more of.
    read: BTreeMap<Receipt, Instance>,
    /// What it gave out and the switch has not got yet.
    leaving: VecDeque<Datagram>,
    /// What was handed to its sockets and has not been taken yet, in order: of the datagram and of the name service.
    coming: [VecDeque<Datagram>; 2],
}

#[derive(Default)]
enum Doing {
    #[default]
    Naming,
    Writing(StreamId, Outgoing),
    Replying(Instance),
    Taking(Box<Datagram>),
    TimedOut,
}

impl<O: Observer> Account<O> {
    pub(super) fn new(
        books: Books<O>,
        records: Records,
        scenario: &Scenario,
        installer: Rc<Installer>,
        timeline: Vec<(Instant, Strike)>,
    ) -> Self {
        let mut queue = Queue::new();
        let strikes_left = timeline.len();
        for (at, strike) in timeline {
            queue.push(at, Due::Strike(strike));
        }
        Account {
            books,
            records,
            installer,
            hosts: scenario.hosts.iter().map(|_| Side::default()).collect(),
            queue,
            deliveries: VecDeque::new(),
            end: scenario.end(),
            last_tick: tick_from(scenario.end()),
            overload: None,
            strikes_left,
        }
    }

    /// Whether nothing more can happen, given whether programs have written all that they will; or was given up.
    pub(super) fn is_over(&self, all_is_written: bool) -> bool {
        let idle = |side: &Side| side.leaving.is_empty() && side.coming.iter().all(VecDeque::is_empty);
        let quiet = || self.books.is_quiet() && self.hosts.iter().all(idle);
        self.overload.is_some() || (all_is_written && self.strikes_left == 0 && quiet())
    }

    /// A step of the simulation is over.
    pub(super) fn catch_up(&mut self) {
        self.read_journal();
        if let Err(overload) = self.books.check_memory() {
            self.overload = Some(overload);
        }
    }

    /// The run is over.
    pub(super) fn finish(mut self) -> Result<Outcome, Overload> {
        if let Some(overload) = self.overload {
            return Err(overload);
        }
        for side in &self.hosts {
            assert!(side.leaving.is_empty(), "what a host gave out reached the switch at the same tick");
            assert!(side.coming.iter().all(VecDeque::is_empty), "what was handed to a host was taken");
        }
        self.books.set_now(self.end);
        Ok(self.books.finish(Driver::Turmoil))
    }

    /// Enters into the books what the hosts did since the last time.
    fn read_journal(&mut self) {
        let records = std::mem::take(&mut *self.records.lock().expect("nothing panics while it is held"));
        for (at, host, life, record) in records {
            let at = scenario_time(at);
            if at > self.last_tick {
                break;
            }
            if life != self.hosts[host.index()].life {
                continue;
            }
            self.books.set_now(at.min(self.end));
            self.enter(host, record);
            let side = &mut self.hosts[host.index()];
            side.leaving.extend(self.books.departures.drain(..));
        }
    }

    /// Something of the timeline happens: what is known of it here. Programs do the rest at the next tick.
    fn strike(&mut self, at: Instant, strike: Strike) {
        self.strikes_left -= 1;
        self.books.strike(strike);
        match strike.change {
            Change::Crash(host) => {
                let side = &mut self.hosts[host.index()];
                side.life += 1;
                side.read.clear();
                assert!(side.coming.iter().all(VecDeque::is_empty), "what was handed to a host was taken");
                self.books.crashed(host);
            }
            Change::Start(host) => {
                self.hosts[host.index()].started = tick_from(at);
                let claims = self.installer.claims(host, self.books.domain(host));
                self.books.started(host, claims);
            }
            Change::Pause(host) => self.books.paused(host),
            Change::Resume(host) => self.books.resumed(host),
            _ => {}
        }
    }

    fn enter(&mut self, host: HostId, record: Record) {
        let side = &mut self.hosts[host.index()];
        match record {
            Record::Calls(stream, outgoing) => side.doing = Doing::Writing(stream, outgoing),
            Record::Replies(receipt) => side.doing = Doing::Replying(side.read.remove(&receipt).expect(READ)),
            Record::Wrote(result) => match side.doing {
                Doing::Writing(stream, outgoing) => self.books.wrote(stream, outgoing, result),
                Doing::Replying(read) => self.books.replied(host, read, result),
                _ => unreachable!("a write was called for"),
            },
            Record::Received { service, payload, disposition } => {
                let flight = side.coming[service as usize].pop_front().expect("what comes was handed over");
                assert!(**flight.payload() == *payload, "turmoil keeps order and bytes");
                if let Some(disposition) = disposition {
                    self.books.took(host, &flight, disposition);
                }
                side.doing = Doing::Taking(Box::new(flight));
            }
            Record::Unwritten(stream, message) => self.books.unwritten(stream, message),
            Record::Naming => side.doing = Doing::Naming,
            Record::TimedOut => side.doing = Doing::TimedOut,
            Record::Sent(transmit, payload) => {
                let cause = match &side.doing {
                    Doing::Writing(stream, outgoing) => Cause::Write(*stream, outgoing.message),
                    Doing::Replying(read) => Cause::Write(read.stream, read.message),
                    Doing::Taking(flight) => Cause::Packet(flight),
                    Doing::TimedOut => Cause::Timer,
                    Doing::Naming => Cause::Name,
                };
                self.books.send(host, transmit, &payload, cause);
            }
            Record::Happened(Event::ReadDone { .. }) => {} // the program that reads says so
            Record::Happened(event) => self.books.happened(host, event),
            Record::Read { receipt, more } => {
                let read = self.books.read(host, receipt);
                if more {
                    side.read.insert(receipt, read);
                }
            }
            Record::Believes(receipt, belief) => {
                self.books.believes(belief, side.read.remove(&receipt).expect(READ));
            }
        }
    }
}

impl<O: Observer + 'static> Medium for Account<O> {
    /// The datagram of a write that nobody can get has no flight: its bytes go nowhere.
    fn depart(&mut self, now: Instant, from: HostId, _: u16, packet: &Packet<'_>) {
        self.read_journal();
        let now = scenario_time(now);
        let leaving = &mut self.hosts[from.index()].leaving;
        let position = leaving.iter().position(|flight| **flight.payload() == *packet.payload);
        if let Some(flight) = position.and_then(|position| leaving.remove(position))
            && now <= self.last_tick
        {
            self.books.set_now(now.min(self.end));
            let queue = &mut self.queue;
            self.books.depart(flight, |at, flight| queue.push(at, Due::LinkEnd(flight)));
        }
    }

    fn advance(&mut self, until: Instant) {
        self.read_journal();
        let until = scenario_time(until);
        while let Some((at, due)) = self.queue.pop_until(until.min(self.end)) {
            self.books.set_now(at);
            let queue = &mut self.queue;
            match due {
                Due::LinkEnd(flight) => {
                    self.books.proceed(flight, |at, flight| queue.push(at, Due::LinkEnd(flight)));
                }
                Due::Strike(strike) => self.strike(at, strike),
            }
        }
        if until > self.last_tick {
            return;
        }
        self.books.set_now(until.min(self.end));
        for (to, flight) in std::mem::take(&mut self.books.arrivals) {
            if self.hosts[to.index()].started == until {
                self.books.arrivals.push((to, flight)); // a tick later, when its sockets are there
                continue;
            }
            if self.books.arrived(to, &flight) {
                let (source, service) = (self.books.source(&flight), flight.cargo().service());
                let payload = flight.payload().clone();
                self.deliveries.push_back(Delivery { to, port: service.port(), source, payload });
                self.hosts[to.index()].coming[service as usize].push_back(flight);
            }
        }
    }

    fn next_delivery(&mut self) -> Option<Delivery> {
        self.deliveries.pop_front()
    }

    fn next_time(&self) -> Option<Instant> {
        let waiting = (!self.books.arrivals.is_empty()).then(|| tick_from(self.books.now()) + TICK);
        let next = self.queue.next_time().into_iter().chain(waiting).min();
        next.filter(|at| *at <= self.end).map(simulation_time)
    }
}

/// A scenario begins when the switch is ready.
pub(super) fn scenario_time(simulation: Instant) -> Instant {
    Instant::ZERO + simulation.since(READY)
}

/// The other way round.
pub(super) fn simulation_time(scenario: Instant) -> Instant {
    READY + scenario.since(Instant::ZERO)
}

/// The first tick at or after a moment.
fn tick_from(at: Instant) -> Instant {
    Instant::from_nanos(at.nanos().next_multiple_of(TICK.nanos()))
}

const READ: &str = "a program says of what it has read that it has";

const _: () = assert!(Service::Datagram as usize == 0 && Service::Name as usize == 1);
