//! The fabric: datagrams on their way through a topology, from link to link and over the segments.
//!
//! It decides where a datagram goes next, and asks the links what becomes of it there. It has no clock and no queue:
//! whoever drives it, its [`Carrier`], is told when a flight comes to the end of a link, keeps it until that moment and
//! hands it back. So the same fabric serves an event loop and a network of asynchronous hosts. It looks at no byte of a
//! datagram, except to flip a bit of it, and what a datagram is for it does not know: that is the cargo, the carrier's.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::rc::Rc;

use slab::Slab;

use super::ip::{Added, Reassemblies};
use super::partition::Partition;
use super::topology::{Crossing, Interface, Topology, Way};
use crate::id::{DatagramId, HostId, LinkId, SegmentId};
use crate::link::{self, Link, Memory, Offer, Verdict};
use crate::rng::Root;
use crate::time::Instant;

/// The links of a topology in one run, and what it knows of the datagrams on them.
#[derive(Clone, Debug)]
pub struct Fabric<C> {
    links: Vec<Link>,
    /// Each with the key that it was cut by.
    partitions: Vec<(usize, Partition)>,
    families: Slab<Family>,
    reassemblies: Reassemblies<C>,
    /// Room for the hosts that a broadcast goes on to.
    singles: Vec<(HostId, C)>,
}

/// One instance of a datagram on its way: a UDP payload, and the cargo that it has for the carrier.
#[derive(Clone, Debug)]
pub struct Flight<C> {
    pub(super) payload: Rc<[u8]>,
    pub(super) damage: Option<Box<Damage>>,
    pub(super) id: DatagramId,
    cargo: C,
    from: HostId,
    /// Of a part of a broadcast, the way to its host.
    way: Way,
    is_broadcast: bool,
    leads: End,
    hop: u8,
    /// The family that it belongs to, once it was duplicated.
    family: Option<FamilyKey>,
    /// Of an IP fragment, the bytes behind its IP header.
    pub(super) part: Option<NonZeroU16>,
}

/// What flipped bits did to a datagram.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The bytes that were sent.
    pub original: Rc<[u8]>,
    /// Whether a UDP checksum can find it: every link that flipped a bit carries checksums.
    pub is_checked: bool,
}

/// Who drives a fabric: keeps flights while they are on a link, and takes note of what happens to them.
pub trait Carrier<C: Clone> {
    /// A link is offered a flight.
    fn offered(&mut self, flight: &Flight<C>, link: LinkId) {
        let _ = (flight, link);
    }

    /// A partition cuts it off before the link is offered it.
    fn cut(&mut self, flight: &Flight<C>, link: LinkId) {
        let _ = (flight, link);
    }

    /// The link has come to this verdict on it: [`Link::judgement`] says why.
    fn judged(&mut self, flight: &Flight<C>, link: LinkId, model: &Link, verdict: &Verdict) {
        let _ = (flight, link, model, verdict);
    }

    /// The link loses it.
    fn lost(&mut self, flight: &Flight<C>, link: LinkId) {
        let _ = (flight, link);
    }

    /// The link has no room for it in its queue.
    fn refused(&mut self, flight: &Flight<C>, link: LinkId) {
        let _ = (flight, link);
    }

    /// The link flips a bit of its payload.
    fn corrupted(&mut self, flight: &Flight<C>, link: LinkId) {
        let _ = (flight, link);
    }

    /// The next link does not take it whole: so many fragments are offered to it in place of the flight.
    fn split(&mut self, flight: &Flight<C>, fragments: u32) {
        let _ = (flight, fragments);
    }

    /// A fragment has reached its host: whether the host is there, to wait for the others. If not, the flight has ended.
    fn collects(&mut self, host: HostId, flight: &Flight<C>) -> bool {
        let _ = (host, flight);
        true
    }

    /// A fragment has reached its host, where others of its datagram wait already: the datagram is one flight there, which
    /// arrives when it is whole.
    fn joined(&mut self, flight: &Flight<C>) {
        let _ = flight;
    }

    /// The link makes an extra copy of it.
    fn duplicated(&mut self, flight: &Flight<C>, link: LinkId) {
        let _ = (flight, link);
    }

    /// The cargo of the flight that a broadcast, which has reached a segment, becomes for one host there.
    fn cargo_towards(&mut self, broadcast: &Flight<C>, host: HostId) -> C;

    /// The cargo of the flight that a broadcast, which has reached a segment, becomes for the segment behind a crossing.
    fn cargo_across(&mut self, broadcast: &Flight<C>, crossing: LinkId) -> C {
        let _ = crossing;
        broadcast.cargo().clone()
    }

    /// A broadcast has reached a segment from which routers forward it: this flight goes on in its place, beside others.
    fn forwarded(&mut self, onward: &Flight<C>) {
        let _ = onward;
    }

    /// A broadcast has reached a segment and ends there: these flights to single hosts, in the order of the hosts'
    /// names, go on in its place, beside those that are forwarded.
    fn spread(&mut self, broadcast: &Flight<C>, singles: &[(HostId, C)]) {
        let _ = (broadcast, singles);
    }

    /// A flight is on a link and comes to its end at `at`, which is later than now: it is due to be given to
    /// [`Fabric::proceed`] then.
    fn carry(&mut self, at: Instant, flight: Flight<C>);

    /// A flight is at its host now, whole, and the fabric is done with it. The fabric may have more to say before its call
    /// returns, so what the host does with the datagram should wait until then.
    fn arrive(&mut self, host: HostId, flight: Flight<C>);
}

impl<C: Clone> Fabric<C> {
    /// The fabric of a topology without any datagram: its links draw from `root`, each by its name.
    #[must_use]
    pub fn new(topology: &Topology, root: Root) -> Self {
        let links = topology.links().iter().map(|spec| Link::new(spec.config.clone(), root.link(&spec.name))).collect();
        let (partitions, families, singles) = (Vec::new(), Slab::new(), Vec::new());
        Fabric { links, partitions, families, reassemblies: Reassemblies::new(), singles }
    }

    /// The links, in the order of the topology: each knows what it did.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Cuts hosts off from each other, beside those that are already. What is on a link comes to its end, and is cut off
    /// there; of a broadcast, what goes to single hosts. `key` is for [`Fabric::mend`].
    pub fn cut(&mut self, key: usize, partition: Partition) {
        self.partitions.push((key, partition));
    }

    /// Ends the partitions that were cut by a key.
    pub fn mend(&mut self, key: usize) {
        self.partitions.retain(|(cut_by, _)| *cut_by != key);
    }

    /// A link impairs otherwise from now on: see [`Link::set`].
    pub fn impair(&mut self, now: Instant, link: LinkId, config: &link::Config) {
        self.links[link.index()].set(now, config);
    }

    /// Ends all partitions.
    pub fn heal(&mut self) {
        self.partitions.clear();
    }

    /// A new flight leaves its host by an up link; it goes on until it must wait, is lost or has arrived. `topology` is
    /// that of [`Fabric::new`], and of the flight's way.
    pub fn depart(&mut self, topology: &Topology, now: Instant, mut flight: Flight<C>, carrier: &mut impl Carrier<C>) {
        let own = flight.left_by(topology);
        flight.leads = End::of(own.segment);
        Walk { fabric: self, topology, now, carrier }.offer(flight, own.up);
    }

    /// A flight comes to the end of the link that it is on; it goes on until it must wait, is lost or has arrived.
    ///
    /// # Panics
    ///
    /// For a broadcast that never departed.
    pub fn proceed(&mut self, topology: &Topology, now: Instant, flight: Flight<C>, carrier: &mut impl Carrier<C>) {
        Walk { fabric: self, topology, now, carrier }.reach(flight);
    }

    /// The next datagram of which a fragment has waited for the rest for
    /// [`REASSEMBLY_TIMEOUT`](super::REASSEMBLY_TIMEOUT) at `now`: when it was given up, and the flight that it was until
    /// then. To be asked until there is none before anything is told of `now`.
    #[inline]
    pub fn pop_overdue(&mut self, now: Instant) -> Option<(Instant, Flight<C>)> {
        self.reassemblies.next_deadline().filter(|deadline| *deadline <= now)?;
        self.reassemblies.pop()
    }

    /// How many fragments wait at their hosts for the rest of their datagrams.
    #[must_use]
    pub fn fragments_waiting(&self) -> usize {
        self.reassemblies.len()
    }

    /// A host goes down: gives up all datagrams of which a fragment waits there. Each is one flight.
    pub fn take_incomplete_of(&mut self, host: HostId) -> Vec<Flight<C>> {
        self.reassemblies.take(host)
    }

    /// The run is over: gives up all datagrams of which a fragment waits. Each is one flight.
    pub fn take_incomplete(&mut self) -> Vec<Flight<C>> {
        std::iter::from_fn(|| self.reassemblies.pop()).map(|(_, flight)| flight).collect()
    }

    fn leave_family(&mut self, flight: &Flight<C>) {
        if let Some(family) = flight.family {
            self.families[family.index()].members -= 1;
            if self.families[family.index()].members == 0 {
                self.families.remove(family.index());
            }
        }
    }

    /// Makes the extra copy of a flight. Original and copies share a family from now on.
    fn duplicate(&mut self, flight: &mut Flight<C>) -> Flight<C> {
        let new = || FamilyKey::of(self.families.insert(Family { members: 1, ..Family::default() }));
        let family = *flight.family.get_or_insert_with(new);
        self.families[family.index()].members += 1;
        Flight { id: flight.id.duplicated_at(flight.hop), ..flight.clone() }
    }
}

impl<C> Flight<C> {
    /// A datagram that `from` is about to hand to the network.
    #[must_use]
    pub fn new(payload: Rc<[u8]>, id: DatagramId, from: HostId, way: Way, cargo: C) -> Self {
        Flight {
            payload,
            damage: None,
            id,
            cargo,
            from,
            way,
            is_broadcast: way.to.is_none(),
            leads: End::Host,
            hop: 0,
            family: None,
            part: None,
        }
    }

    /// The bytes as they are now; of a fragment, those of the whole datagram, of which it brings a part.
    #[must_use]
    pub fn payload(&self) -> &Rc<[u8]> {
        &self.payload
    }

    /// What was done to the bytes, if any bit was flipped. Two flips of one bit leave the bytes as they were.
    #[must_use]
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.as_deref()
    }

    /// Which datagram it is, and which of its duplicates.
    #[must_use]
    pub fn id(&self) -> &DatagramId {
        &self.id
    }

    /// What the carrier gave it. Duplicates have that of their original.
    #[must_use]
    pub fn cargo(&self) -> &C {
        &self.cargo
    }

    /// The host that sent it.
    #[must_use]
    pub fn from(&self) -> HostId {
        self.from
    }

    /// The host that it goes to; `None` for a broadcast that has not reached its segment.
    #[must_use]
    pub fn to(&self) -> Option<HostId> {
        self.way.to()
    }

    /// Whether it was sent to all.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        self.is_broadcast
    }

    /// The number of the interface that it left by.
    #[must_use]
    pub fn left_by_number(&self) -> u8 {
        self.way.left_by
    }

    /// The interface of its host that it left by.
    #[must_use]
    pub fn left_by<'a>(&self, topology: &'a Topology) -> &'a Interface {
        topology.host(self.from).interface(self.way.left_by)
    }

    /// The number of the interface that it arrives at; 0 for a broadcast that has not reached its segment.
    #[must_use]
    pub fn arrives_at(&self) -> u8 {
        self.way.to.map_or(0, |(_, interface)| interface)
    }

    /// How many links it has passed.
    #[must_use]
    pub fn hop(&self) -> u8 {
        self.hop
    }

    /// Flips a bit of the bytes that it brings.
    fn flip(&mut self, bit: u32, udp_checksum: bool) {
        let start = self.bytes().start;
        let mut bytes = self.payload.to_vec();
        bytes[start + bit as usize / 8] ^= 1 << (bit % 8);
        let original = std::mem::replace(&mut self.payload, bytes.into());
        let damage = self.damage.get_or_insert_with(|| Box::new(Damage { original, is_checked: true }));
        damage.is_checked &= udp_checksum;
    }
}

/// The other end of a link. This and [`FamilyKey`] are small because flights are moved a lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The segment at this position.
    Segment(u16),
    Host,
}

impl End {
    fn of(segment: SegmentId) -> Self {
        End::Segment(u16::try_from(segment.0).expect("there are at most MAX_SEGMENTS"))
    }
}

/// One more than the position of a family in the table.
#[derive(Clone, Copy, Debug)]
struct FamilyKey(NonZeroU32);

impl FamilyKey {
    fn of(index: usize) -> Self {
        FamilyKey(NonZeroU32::new(index as u32 + 1).expect("it is 1 or more"))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A datagram and its network duplicates: what the original, or each fragment of it, met on links with memory, for the
/// duplicates to meet.
#[derive(Clone, Debug, Default)]
struct Family {
    members: u32,
    met: BTreeMap<(LinkId, u16), Memory>,
}

/// What happens at one moment. Links that take no time are passed by going deeper, at most
/// [`MAX_HOPS`](crate::id::MAX_HOPS) times.
struct Walk<'a, C, R> {
    fabric: &'a mut Fabric<C>,
    topology: &'a Topology,
    now: Instant,
    carrier: &'a mut R,
}

impl<C: Clone, R: Carrier<C>> Walk<'_, C, R> {
    /// Offers a flight to a link; what is carried comes to the other end later, or now if the link takes no time.
    fn offer(&mut self, mut flight: Flight<C>, link: LinkId) {
        let is_cut = |to| self.fabric.partitions.iter().any(|(_, partition)| partition.cuts(flight.from, to));
        if flight.to().is_some_and(is_cut) {
            self.fabric.leave_family(&flight);
            return self.carrier.cut(&flight, link);
        }
        let ip_bytes = flight.ip_bytes();
        let Fabric { links, families, .. } = &mut *self.fabric;
        let model = &mut links[link.index()];
        if let Some(mtu) = model.config().mtu
            && ip_bytes > mtu.into()
        {
            return self.split(&flight, mtu, link);
        }
        self.carrier.offered(&flight, link);
        let here = (link, flight.id.fragment);
        let met = match flight.family {
            Some(family) if flight.id.duplicate != 0 => families[family.index()].met.get(&here).copied(),
            _ => None,
        };
        let verdict = model.offer(&Offer {
            now: self.now,
            id: &flight.id,
            hop: flight.hop,
            payload_bytes: flight.bytes().len() as u32,
            ip_bytes,
            met,
        });
        self.carrier.judged(&flight, link, model, &verdict);
        let udp_checksum = model.config().udp_checksum;
        if let (Some(family), Some(met), 0) = (flight.family, verdict.met, flight.id.duplicate) {
            families[family.index()].met.insert(here, met);
        }
        let Some(carriage) = verdict.carriage else {
            self.fabric.leave_family(&flight);
            return match verdict.is_refused {
                true => self.carrier.refused(&flight, link),
                false => self.carrier.lost(&flight, link),
            };
        };
        if let Some(bit) = carriage.flip {
            flight.flip(bit, udp_checksum);
            self.carrier.corrupted(&flight, link);
        }
        let copy = carriage.duplicate.map(|at| {
            self.carrier.duplicated(&flight, link);
            (at, self.fabric.duplicate(&mut flight))
        });
        self.carry(flight, carriage.arrival);
        if let Some((at, copy)) = copy {
            self.carry(copy, at);
        }
    }

    /// Offers a flight in fragments to a link that takes at most `mtu` bytes.
    fn split(&mut self, flight: &Flight<C>, mtu: u16, link: LinkId) {
        let fragments = flight.split(mtu);
        self.carrier.split(flight, fragments.len() as u32);
        if let Some(family) = flight.family {
            self.fabric.families[family.index()].members += fragments.len() as u32 - 1;
        }
        fragments.into_iter().for_each(|fragment| self.offer(fragment, link));
    }

    fn carry(&mut self, flight: Flight<C>, arrival: Instant) {
        if arrival == self.now {
            return self.reach(flight);
        }
        self.carrier.carry(arrival, flight);
    }

    fn reach(&mut self, mut flight: Flight<C>) {
        flight.hop += 1;
        match (flight.leads, flight.way.to) {
            (End::Segment(segment), None) => self.spread(flight, SegmentId(segment.into())),
            (End::Segment(segment), Some((to, interface))) => {
                let (segment, to) = (SegmentId(segment.into()), self.topology.host(to).interface(interface));
                let link = if to.segment == segment {
                    flight.leads = End::Host;
                    to.down
                } else {
                    let crossing =
                        self.topology.next_crossing(segment, to.segment).expect("there is a way to its host");
                    flight.leads = End::of(crossing.to);
                    crossing.link
                };
                self.offer(flight, link);
            }
            (End::Host, Some((host, _))) => {
                self.fabric.leave_family(&flight);
                match flight.is_fragment() {
                    true => self.reassemble(host, flight),
                    false => self.carrier.arrive(host, flight),
                }
            }
            (End::Host, None) => panic!("a broadcast departs before it proceeds"),
        }
    }

    fn reassemble(&mut self, host: HostId, fragment: Flight<C>) {
        if !self.carrier.collects(host, &fragment) {
            return;
        }
        match self.fabric.reassemblies.add(self.now, host, fragment) {
            Added::First => {}
            Added::Another(fragment) => self.carrier.joined(&fragment),
            Added::Last(fragment, whole) => {
                self.carrier.joined(&fragment);
                self.carrier.arrive(host, whole);
            }
        }
    }

    /// A broadcast reached a segment: it goes down to every host but the sender, and on to where routers forward it. No
    /// host hears what it has sent itself, by whatever way (a choice).
    fn spread(&mut self, mut flight: Flight<C>, segment: SegmentId) {
        let topology = self.topology;
        let origin = flight.left_by(topology).segment;
        let id = DatagramId { origin: topology.segments()[origin.index()].origin, ..flight.id };
        let onward = |crossing: &Crossing| {
            let cargo = self.carrier.cargo_across(&flight, crossing.link);
            let onward = Flight { cargo, id, leads: End::of(crossing.to), ..flight.clone() };
            self.carrier.forwarded(&onward);
            (onward, crossing.link)
        };
        let onward: Vec<(Flight<C>, LinkId)> = topology.onward(origin, segment).iter().map(onward).collect();
        let mut singles = std::mem::take(&mut self.fabric.singles);
        let others = topology.segments()[segment.index()].hosts.iter().filter(|host| **host != flight.from);
        singles.extend(others.map(|host| (*host, self.carrier.cargo_towards(&flight, *host))));
        self.carrier.spread(&flight, &singles);
        if let Some(family) = flight.family {
            self.fabric.families[family.index()].members += (singles.len() + onward.len()) as u32;
        }
        flight.leads = End::Host;
        for (host, cargo) in singles.drain(..) {
            let (number, interface) = topology.host(host).interface_on(segment).expect("it is on the segment");
            let way = Way { to: Some((host, number)), ..flight.way };
            let single = Flight { cargo, way, ..flight.clone() };
            self.offer(single, interface.down);
        }
        self.fabric.singles = singles;
        self.fabric.leave_family(&flight);
        for (flight, crossing) in onward {
            self.offer(flight, crossing);
        }
    }
}
