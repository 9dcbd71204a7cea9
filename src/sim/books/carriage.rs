//! Datagrams on their way, as the account sees them: what they are for, and what happens to them on links.

use slab::Slab;

use super::stream::Stream;
use super::{Books, Journal, is_on};
use crate::id::{DatagramId, HostId, LinkId, StreamId};
use crate::link::{Link, Verdict};
use crate::mailslot::Service;
use crate::net::{Carrier, Fabric, Flight};
use crate::scenario::Scenario;
use crate::sim::timeline::Condition;
use crate::stats::{Bound, Event, Fate, Instance, Observer};
use crate::time::Instant;

/// A flight of a run.
pub(crate) type Datagram = Flight<Cargo>;

/// What a flight is for. Which of the packets and duplicates of its write it is says the flight's identity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cargo {
    /// Flow and sender of the message.
    pub(super) stream: StreamId,
    /// The position of the message's target among those of the stream.
    pub(super) target: u32,
    /// Number of the message in the stream.
    pub(super) message: u64,
    /// When the message was written.
    pub(super) written: Instant,
    /// Whom the flight can still reach.
    pub(super) bound: Bound,
    /// Whether it is one of several packets of a NetBIOS datagram.
    pub(super) is_fragment: bool,
}

impl Cargo {
    /// The service whose port it goes to.
    pub(crate) fn service(&self) -> Service {
        match self.bound {
            Bound::NameService(_) => Service::Name,
            _ => Service::Datagram,
        }
    }
}

/// The instance that a flight is.
#[inline]
pub(super) fn instance(flight: &Datagram) -> Instance {
    let DatagramId { stream_key, message: number, copy, packet, duplicate, fragment, .. } = *flight.id();
    let Cargo { stream, message, bound, .. } = *flight.cargo();
    let interfaces = [flight.left_by_number(), flight.arrives_at()];
    Instance { stream, message, identity: [stream_key, number], copy, packet, duplicate, fragment, interfaces, bound }
}

/// A flight that is on a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlightKey(u32);

impl<O: Observer> Books<O> {
    /// A datagram leaves its machine: it is offered to the up link. `schedule` is told each flight that is on a link
    /// then, and when it comes to its end.
    pub(crate) fn depart(&mut self, flight: Datagram, schedule: impl FnMut(Instant, FlightKey)) {
        let (fabric, mut way) = self.network(schedule);
        fabric.depart(way.scenario.topology(), way.journal.now, flight, &mut way);
    }

    /// A flight comes to the end of the link that it is on; `schedule` as for [`Books::depart`].
    pub(crate) fn proceed(&mut self, FlightKey(key): FlightKey, schedule: impl FnMut(Instant, FlightKey)) {
        let flight = self.flights.remove(key as usize);
        let (fabric, mut way) = self.network(schedule);
        fabric.proceed(way.scenario.topology(), way.journal.now, flight, &mut way);
    }

    fn network<S>(&mut self, schedule: S) -> (&mut Fabric<Cargo>, Way<'_, O, S>) {
        let Books { scenario, journal, streams, fabric, flights, arrivals, recipients, conditions, .. } = self;
        (fabric, Way { scenario, journal, streams, flights, arrivals, recipients, conditions, schedule })
    }
}

/// The part of the books that is kept while the fabric is at work. What is called for every flight is marked for
/// inlining: the price of a broadcast is mostly that of moving flights.
struct Way<'a, O, S> {
    scenario: &'a Scenario,
    journal: &'a mut Journal<O>,
    streams: &'a [Stream],
    flights: &'a mut Slab<Datagram>,
    arrivals: &'a mut Vec<(HostId, Datagram)>,
    recipients: &'a mut Vec<u32>,
    conditions: &'a [Condition],
    schedule: S,
}

impl<O: Observer, S> Way<'_, O, S> {
    /// A link ends a flight. Of a datagram in several packets or fragments, one is missing then.
    fn end(&mut self, flight: &Datagram, link: LinkId, fate: Fate) {
        let is_fragment = flight.cargo().is_fragment || flight.is_fragment();
        let fate = if is_fragment { Fate::LostFragment } else { fate };
        self.journal.tell(Event::Lost { instance: instance(flight), link, fate, links_passed: flight.hop() });
    }
}

impl<O: Observer, S: FnMut(Instant, FlightKey)> Carrier<Cargo> for Way<'_, O, S> {
    fn offered(&mut self, flight: &Datagram, link: LinkId) {
        self.journal.show(flight, link);
        self.journal.tell(Event::Offered { instance: instance(flight), link, bytes: flight.ip_bytes() });
    }

    #[inline]
    fn judged(&mut self, flight: &Datagram, link: LinkId, model: &Link, verdict: &Verdict) {
        let Journal { now, observer, .. } = &mut *self.journal;
        observer.judged(*now, link, &instance(flight), &|| model.judgement(*now, flight.id(), verdict));
    }

    fn cut(&mut self, flight: &Datagram, link: LinkId) {
        self.journal.show(flight, link);
        let (instance, fate) = (instance(flight), Fate::LostInPartition);
        self.journal.tell(Event::Lost { instance, link, fate, links_passed: flight.hop() });
    }

    fn lost(&mut self, flight: &Datagram, link: LinkId) {
        self.end(flight, link, Fate::LostOnLink);
    }

    fn refused(&mut self, flight: &Datagram, link: LinkId) {
        self.end(flight, link, Fate::LostInQueue);
    }

    fn corrupted(&mut self, flight: &Datagram, link: LinkId) {
        self.journal.tell(Event::Corrupted { instance: instance(flight), link });
    }

    fn split(&mut self, flight: &Datagram, fragments: u32) {
        self.journal.tell(Event::Split { instance: instance(flight), fragments });
    }

    /// A machine that stands still collects fragments all the same (a choice).
    fn collects(&mut self, host: HostId, flight: &Datagram) -> bool {
        let is_there = self.conditions[host.index()] != Condition::Down;
        let instance = instance(flight);
        self.journal.tell(match is_there {
            true => Event::Collected { instance, host },
            false => Event::Gone { instance, host, fate: Fate::HostDown },
        });
        is_there
    }

    fn joined(&mut self, flight: &Datagram) {
        self.journal.tell(Event::Joined { instance: instance(flight) });
    }

    fn duplicated(&mut self, flight: &Datagram, link: LinkId) {
        let duplicate = flight.id().duplicated_at(flight.hop()).duplicate;
        self.journal.tell(Event::Duplicated { instance: instance(flight), duplicate, link });
    }

    /// The host is a recipient if it is in the audience and on the transport; a question of the name service is for
    /// everybody and addresses nobody.
    #[inline]
    fn cargo_towards(&mut self, broadcast: &Datagram, host: HostId) -> Cargo {
        let mut cargo = *broadcast.cargo();
        if matches!(cargo.bound, Bound::Audience | Bound::Part(_)) {
            let audience = &self.streams[cargo.stream.index()].targets[cargo.target as usize];
            let recipient = audience.position(host).filter(|_| is_on(self.scenario, host, broadcast.id().transport()));
            let other = if audience.is_open { Bound::Uncounted } else { Bound::Bystander };
            cargo.bound = recipient.map_or(other, Bound::Recipient);
        }
        cargo
    }

    fn cargo_across(&mut self, broadcast: &Datagram, crossing: LinkId) -> Cargo {
        let mut cargo = *broadcast.cargo();
        if matches!(cargo.bound, Bound::Audience | Bound::Part(_)) {
            let audience = &self.streams[cargo.stream.index()].targets[cargo.target as usize];
            cargo.bound = audience.bound(broadcast.left_by_number(), Some(crossing));
        }
        cargo
    }

    fn forwarded(&mut self, onward: &Datagram) {
        self.journal.tell(Event::Forwarded { instance: instance(onward) });
    }

    fn spread(&mut self, broadcast: &Datagram, singles: &[(HostId, Cargo)]) {
        if !matches!(broadcast.cargo().bound, Bound::Audience | Bound::Part(_)) {
            return; // it carries no message of a stream
        }
        let recipient = |(_, cargo): &(HostId, Cargo)| match cargo.bound {
            Bound::Recipient(recipient) => Some(recipient),
            _ => None,
        };
        self.recipients.clear();
        self.recipients.extend(singles.iter().filter_map(recipient));
        self.journal.tell(Event::Spread { instance: instance(broadcast), recipients: self.recipients });
    }

    #[inline]
    fn carry(&mut self, at: Instant, flight: Datagram) {
        let key = self.flights.insert(flight) as u32;
        (self.schedule)(at, FlightKey(key));
    }

    #[inline]
    fn arrive(&mut self, host: HostId, flight: Datagram) {
        self.arrivals.push((host, flight));
    }
}
