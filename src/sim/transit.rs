//! Datagrams on their way: from link to link, over the segment, to the machines.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::world::{Audience, Happening, World};
use crate::id::{DatagramId, HostId, LinkId, SegmentId};
use crate::link::{LossState, Offer};
use crate::mailslot::Service;
use crate::net::IP_UDP_HEADERS;
use crate::stats::{Bound, Event, Fate, Instance, Observer};
use crate::time::Instant;
use crate::wire::datagram::Packet;

/// One instance of a datagram on its way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) payload: Rc<[u8]>,
    pub(super) damage: Option<Box<Damage>>,
    pub(super) id: DatagramId,
    pub(super) cargo: Cargo,
    pub(super) from: HostId,
    /// The machine that it goes to; `None` for a broadcast that has not reached its segment.
    pub(super) to: Option<HostId>,
    pub(super) broadcast: bool,
    /// Where the link that it is on leads.
    leads: End,
    /// Links that it has passed.
    pub(super) hop: u8,
    /// Whether it is one of several packets of a datagram.
    pub(super) is_fragment: bool,
    /// The family that it belongs to, once it was duplicated.
    family: Option<usize>,
}

/// What a flight is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cargo {
    pub(super) instance: Instance,
    /// The position of the message's target among those of the stream.
    pub(super) target: u32,
    /// When the message was written.
    pub(super) written: Instant,
}

impl Cargo {
    /// The service whose port it goes to.
    pub(super) fn service(&self) -> Service {
        match self.instance.bound {
            Bound::NameService(_) => Service::Name,
            _ => Service::Datagram,
        }
    }
}

/// What flipped bits did to a datagram.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    /// The bytes that were sent.
    pub(super) original: Rc<[u8]>,
    /// Whether the UDP checksum can find it.
    pub(super) checked: bool,
}

/// The other end of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Segment(SegmentId),
    Host,
}

/// A datagram and its network duplicates: the states that the original met on links with memory, for the duplicates to
/// meet.
#[derive(Debug, Default)]
pub(super) struct Family {
    members: u32,
    met: BTreeMap<LinkId, LossState>,
}

impl Flight {
    /// A datagram that `from` hands to the network, for one host or for all.
    pub(super) fn new(payload: Rc<[u8]>, id: DatagramId, (from, to): (HostId, Option<HostId>), cargo: Cargo) -> Self {
        let is_datagram = cargo.service() == Service::Datagram;
        Flight {
            is_fragment: is_datagram && Packet::new(&payload).is_ok_and(|packet| packet.is_fragment()),
            payload,
            damage: None,
            id,
            cargo,
            from,
            to,
            broadcast: to.is_none(),
            leads: End::Host,
            hop: 0,
            family: None,
        }
    }

    fn flip(&mut self, bit: u32, udp_checksum: bool) {
        let mut bytes = self.payload.to_vec();
        bytes[bit as usize / 8] ^= 1 << (bit % 8);
        let original = std::mem::replace(&mut self.payload, bytes.into());
        let damage = self.damage.get_or_insert_with(|| Box::new(Damage { original, checked: true }));
        damage.checked &= udp_checksum;
    }
}

impl<O: Observer> World<'_, O> {
    /// A datagram leaves its machine by the up link.
    pub(super) fn depart(&mut self, mut flight: Flight) {
        let host = self.scenario.topology().host(flight.from);
        flight.leads = End::Segment(host.segment);
        self.offer(flight, host.up);
    }

    /// Offers a flight to a link; what is carried comes to the other end later, or now if the link takes no time.
    fn offer(&mut self, mut flight: Flight, link: LinkId) {
        let instance = flight.cargo.instance;
        let bytes = (flight.payload.len() + IP_UDP_HEADERS) as u32;
        self.tell(Event::Offered { instance, link, bytes });
        let model = &mut self.links[link.index()];
        let met = match flight.family {
            Some(family) if flight.id.duplicate != 0 => self.families[family].met.get(&link).copied(),
            _ => None,
        };
        let verdict = model.offer(&Offer {
            now: self.now,
            id: &flight.id,
            hop: flight.hop,
            payload_bytes: flight.payload.len() as u32,
            ip_bytes: bytes,
            met,
        });
        let udp_checksum = model.config().udp_checksum;
        if let (Some(family), Some(met), 0) = (flight.family, verdict.met, flight.id.duplicate) {
            self.families[family].met.insert(link, met);
        }
        let Some(carriage) = verdict.carriage else {
            self.leave_family(&flight);
            let links_passed = flight.hop;
            let fate = if flight.is_fragment { Fate::LostFragment } else { Fate::LostOnLink };
            return self.tell(Event::Lost { instance, link, fate, links_passed });
        };
        if let Some(bit) = carriage.flip {
            flight.flip(bit, udp_checksum);
            self.tell(Event::Corrupted { instance, link });
        }
        let copy = carriage.duplicate.map(|at| {
            self.tell(Event::Duplicated { instance, link });
            (at, self.duplicate(&mut flight))
        });
        self.carry(flight, carriage.arrival);
        if let Some((at, copy)) = copy {
            self.carry(copy, at);
        }
    }

    fn carry(&mut self, flight: Flight, arrival: Instant) {
        if arrival == self.now {
            return self.reach(flight);
        }
        let key = self.flights.insert(flight) as u32;
        self.queue.push(arrival, Happening::Arrive(key));
    }

    /// A flight comes to the end of the link that it is on.
    pub(super) fn arrive(&mut self, key: u32) {
        let flight = self.flights.remove(key as usize);
        self.reach(flight);
    }

    fn reach(&mut self, mut flight: Flight) {
        flight.hop += 1;
        let topology = self.scenario.topology();
        match (flight.leads, flight.to) {
            (End::Segment(segment), None) => self.spread(&flight, segment),
            (End::Segment(segment), Some(to)) => {
                let to = topology.host(to);
                let link = if to.segment == segment {
                    flight.leads = End::Host;
                    to.down
                } else {
                    let crossing = topology.next_crossing(segment, to.segment).expect("unreachable hosts get nothing");
                    flight.leads = End::Segment(crossing.to);
                    crossing.link
                };
                self.offer(flight, link);
            }
            (End::Host, Some(host)) => {
                self.leave_family(&flight);
                self.deliver(&flight, host);
            }
            (End::Host, None) => unreachable!("only a segment leads to hosts"),
        }
    }

    /// A broadcast reached its segment: it goes down to every host but the sender, member of the group or not.
    fn spread(&mut self, flight: &Flight, segment: SegmentId) {
        let scenario = self.scenario;
        let hosts = &scenario.topology().segments()[segment.index()].hosts;
        let others = || hosts.iter().copied().filter(|host| *host != flight.from);
        let bound = |host| match flight.cargo.instance.bound {
            bound @ Bound::NameService(_) => bound, // it is for everybody and addresses nobody
            _ => {
                let position = self.audience_of(flight).position(host);
                let recipient = position.filter(|_| self.is_on(host, flight.id.transport()));
                recipient.map_or(Bound::Bystander, Bound::Recipient)
            }
        };
        let singles: Vec<(HostId, Bound)> = others().map(|host| (host, bound(host))).collect();
        if flight.cargo.service() == Service::Datagram {
            let recipient = |(_, bound): &(HostId, Bound)| match bound {
                Bound::Recipient(recipient) => Some(*recipient),
                _ => None,
            };
            let recipients: Vec<u32> = singles.iter().filter_map(recipient).collect();
            self.tell(Event::Spread { instance: flight.cargo.instance, recipients: &recipients });
        }
        if let Some(family) = flight.family {
            self.families[family].members += singles.len() as u32;
        }
        for (host, bound) in singles {
            let cargo = Cargo { instance: Instance { bound, ..flight.cargo.instance }, ..flight.cargo };
            let single = Flight { cargo, to: Some(host), leads: End::Host, ..flight.clone() };
            self.offer(single, scenario.topology().host(host).down);
        }
        self.leave_family(flight);
    }

    /// Makes the extra copy of a flight. Original and copies share a family from now on.
    fn duplicate(&mut self, flight: &mut Flight) -> Flight {
        let family =
            *flight.family.get_or_insert_with(|| self.families.insert(Family { members: 1, ..Family::default() }));
        self.families[family].members += 1;
        let id = flight.id.duplicated_at(flight.hop);
        let instance = Instance { duplicate: id.duplicate, ..flight.cargo.instance };
        Flight { id, cargo: Cargo { instance, ..flight.cargo }, ..flight.clone() }
    }

    fn leave_family(&mut self, flight: &Flight) {
        if let Some(key) = flight.family {
            self.families[key].members -= 1;
            if self.families[key].members == 0 {
                self.families.remove(key);
            }
        }
    }

    fn audience_of(&self, flight: &Flight) -> &Audience {
        &self.streams[flight.cargo.instance.stream.index()].targets[flight.cargo.target as usize]
    }
}
