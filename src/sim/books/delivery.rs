//! What happens when a datagram has come to a machine: the engine takes it, or not.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::rc::Rc;

use super::carriage::{Datagram, instance};
use super::{Books, is_on};
use crate::id::{DatagramId, HostId};
use crate::mailslot::{Discard, Disposition, Event as MachineEvent, ReassemblyKey, Receipt};
use crate::net::Damage;
use crate::sim::timeline::Condition;
use crate::stats::{Bound, Event, Fate, Instance, Observer, Reason};
use crate::time::Instant;
use crate::wire::datagram::{DirectView, Packet};
use crate::wire::fragment::Reassembly;
use crate::wire::udp::{self, Endpoints};
use crate::wire::{Profile, transaction};

/// A message in a slot that nobody has read.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) instance: Instance,
    pub(super) written: Instant,
    /// Whether its bytes are not those that were written.
    pub(super) damaged: bool,
    /// How many bytes it has.
    pub(super) bytes: u32,
}

/// A packet that a machine took: a fragment that waits for the rest, or what completes a datagram.
#[derive(Clone, Debug)]
pub(super) struct Fragment {
    instance: Instance,
    /// The bytes that were sent, and those that came.
    sent: Rc<[u8]>,
    came: Rc<[u8]>,
}

impl Fragment {
    pub(super) fn instance(&self) -> Instance {
        self.instance
    }

    fn of(flight: &Datagram) -> Self {
        let came = flight.payload().clone();
        let sent = flight.damage().map_or_else(|| came.clone(), |damage| damage.original.clone());
        Fragment { instance: instance(flight), sent, came }
    }

    fn is_damaged(&self) -> bool {
        !Rc::ptr_eq(&self.sent, &self.came)
    }

    /// What it means for the message if the rest never comes: damage can make a fragment of what was a whole datagram.
    fn fate_alone(&self) -> Fate {
        if self.is_damaged() { Fate::Corrupted } else { Fate::LostFragment }
    }
}

impl<O: Observer> Books<O> {
    /// A datagram comes out of the last link: whether the machine gets it. It does not if the machine is down, if the
    /// checksum finds damage, or if the machine is not on the transport; if it stands still, it gets it later.
    pub(crate) fn arrived(&mut self, host: HostId, flight: &Datagram) -> bool {
        match self.condition(host) {
            Condition::Up => {}
            Condition::Paused => {
                self.tell(Event::Stalled { instance: instance(flight), host });
                self.suspended.entry(host).or_default().push(flight.clone());
                return false;
            }
            Condition::Down => {
                self.miss(host, flight);
                return false;
            }
        }
        let instance = instance(flight);
        self.tell(Event::Arrived { instance, host });
        if flight.damage().is_some_and(|damage| self.checksum_finds(flight, damage)) {
            self.discard(instance, host, Reason::Malformed, Fate::Corrupted);
            return false;
        }
        if !is_on(&self.scenario, host, flight.id().transport()) {
            self.discard(instance, host, Reason::NotForUs, Fate::Corrupted);
            return false;
        }
        true
    }

    /// Where a datagram comes from, as its receiver sees it.
    pub(crate) fn source(&self, flight: &Datagram) -> SocketAddrV4 {
        SocketAddrV4::new(flight.left_by(self.scenario.topology()).address, flight.cargo().service().port())
    }

    /// What a machine said of a packet of the datagram service.
    pub(crate) fn took(&mut self, host: HostId, flight: &Datagram, disposition: Disposition) {
        let instance = instance(flight);
        match instance.bound {
            Bound::Answer(_) => return self.tell(Event::Acknowledged { instance }),
            // A damaged answer about the sender's name can lead a reply elsewhere.
            Bound::Reply(_) | Bound::StrayReply(_) if host == self.streams[instance.stream.index()].host => {
                self.tell(Event::Acknowledged { instance });
            }
            _ => {}
        }
        match disposition {
            Disposition::Held(key) => self.held.entry((host, key)).or_default().push(Fragment::of(flight)),
            _ => self.dispose_flight(flight, host, disposition),
        }
    }

    /// What happened in a machine meanwhile.
    ///
    /// # Panics
    ///
    /// If a read completed: that is the business of the program that reads.
    pub(crate) fn happened(&mut self, host: HostId, event: MachineEvent) {
        match event {
            MachineEvent::WriteDone { id, result } => self.end_pending(host, id, result),
            MachineEvent::ReassemblyDone { key, complete } => {
                for fragment in self.held.remove(&(host, key)).into_iter().flatten() {
                    match complete {
                        true => self.tell(Event::Joined { instance: fragment.instance }),
                        false => self.give_up(host, &fragment),
                    }
                }
            }
            MachineEvent::SlotClosed { unread } => self.closed(host, &unread),
            MachineEvent::NameConflict { .. } => {}
            MachineEvent::NameRegistered { name } | MachineEvent::NameRefused { name, .. } => {
                self.claim_ended(host, &name);
            }
            MachineEvent::ReadDone { .. } => unreachable!("the program that reads takes it"),
        }
    }

    fn discard(&mut self, instance: Instance, host: HostId, reason: Reason, fate: Fate) {
        self.tell(Event::Discarded { instance, host, reason, fate });
    }

    /// What a machine said of a packet that was the whole of a datagram, or the last of it, or refused.
    fn dispose_flight(&mut self, flight: &Datagram, host: HostId, disposition: Disposition) {
        let bytes = flight.payload().len() as u32;
        let waiting = Waiting { instance: instance(flight), written: flight.cargo().written, damaged: false, bytes };
        let key =
            Packet::new(flight.payload()).ok().filter(Packet::is_fragment).map(|packet| ReassemblyKey::of(&packet));
        let refused = matches!(disposition, Disposition::Discarded(Discard::Malformed(_) | Discard::NoFirstFragment));
        let earlier = key.filter(|_| !refused).and_then(|key| self.held.get(&(host, key)));
        if flight.damage().is_none() && !earlier.is_some_and(|earlier| earlier.iter().any(Fragment::is_damaged)) {
            return self.dispose(host, disposition, waiting);
        }
        let packets: Vec<Fragment> = earlier.into_iter().flatten().cloned().chain([Fragment::of(flight)]).collect();
        let sent = write_in(packets.iter().map(|packet| &*packet.sent));
        let came = write_in(packets.iter().map(|packet| &*packet.came));
        self.dispose_damaged(host, disposition, waiting, sent, came);
    }

    /// What a machine said of a message that reached it undamaged, or in its own slot.
    pub(super) fn dispose(&mut self, host: HostId, disposition: Disposition, waiting: Waiting) {
        let instance = waiting.instance;
        let (reason, fate) = match disposition {
            Disposition::Enqueued(receipt) => return self.enqueue(host, receipt, waiting),
            Disposition::Held(_) => unreachable!("a fragment that waits has not come to its end"),
            Disposition::Discarded(discard) => match discard {
                Discard::NoFirstFragment => (Reason::MissingFragment, Fate::LostFragment),
                Discard::Malformed(reason) if reason.is_of_fragments() => (Reason::MissingFragment, Fate::LostFragment),
                Discard::Malformed(_) | Discard::NoUserData => (Reason::Malformed, Fate::Corrupted),
                Discard::NotForUs => (Reason::NotForUs, self.fate_without_name(host)),
                Discard::NoSuchMailslot | Discard::RemoteMailslotsDisabled => {
                    (Reason::NoSuchMailslot, Fate::NoSuchMailslot)
                }
                Discard::TooLargeForSlot => (Reason::TooLargeForSlot, Fate::TooLargeForSlot),
                Discard::SlotFull => (Reason::SlotFull, Fate::SlotFull),
            },
        };
        self.discard(instance, host, reason, fate);
    }

    /// What it means that a machine does not bear the name that an undamaged message is for: it has just started and
    /// claims its names still, or it has left the domain meanwhile, so that nobody had a slot open there under that name.
    pub(super) fn fate_without_name(&self, host: HostId) -> Fate {
        if self.claims.contains_key(&host) { Fate::HostDown } else { Fate::NoSuchMailslot }
    }

    /// What a machine said of a damaged message: it may have been taken by a slot that it had not been addressed to, or
    /// been dropped because the damage changed its address.
    fn dispose_damaged(
        &mut self,
        host: HostId,
        disposition: Disposition,
        waiting: Waiting,
        sent: Option<MailslotWrite>,
        came: Option<MailslotWrite>,
    ) {
        let instance = waiting.instance;
        let same_slot = match (&sent, &came) {
            (Some(sent), Some(came)) => sent.leaf.eq_ignore_ascii_case(&came.leaf),
            _ => false,
        };
        match disposition {
            Disposition::Enqueued(_) if same_slot && instance.bound != Bound::Bystander => {
                let damaged = sent.map(|write| write.data) != came.map(|write| write.data);
                self.dispose(host, disposition, Waiting { damaged, ..waiting });
            }
            Disposition::Enqueued(_) => {
                self.tell(Event::Misdelivered { instance, host });
                let instance = Instance { bound: Bound::Bystander, ..instance };
                self.dispose(host, disposition, Waiting { instance, damaged: true, ..waiting });
            }
            Disposition::Discarded(Discard::NoSuchMailslot) if !same_slot => {
                self.discard(instance, host, Reason::NoSuchMailslot, Fate::Corrupted);
            }
            Disposition::Discarded(Discard::NoFirstFragment | Discard::Malformed(_)) => {
                self.discard(instance, host, Reason::Malformed, Fate::Corrupted);
            }
            Disposition::Discarded(Discard::NotForUs) => {
                self.discard(instance, host, Reason::NotForUs, Fate::Corrupted);
            }
            _ => self.dispose(host, disposition, waiting),
        }
    }

    /// A slot took a message: it waits until a program reads it, which may be at once.
    fn enqueue(&mut self, host: HostId, receipt: Receipt, waiting: Waiting) {
        self.tell(Event::Enqueued { instance: waiting.instance, host });
        self.waiting_messages += 1;
        self.waiting_bytes += waiting.bytes as usize;
        self.waiting[host.index()].push_back((receipt, waiting));
    }

    /// The rest of a fragment's datagram never came.
    pub(super) fn give_up(&mut self, host: HostId, fragment: &Fragment) {
        self.discard(fragment.instance, host, Reason::MissingFragment, fragment.fate_alone());
    }

    /// Gives up the IP fragments that have waited too long at `now`, each when its time is over.
    pub(super) fn give_up_overdue(&mut self, now: Instant) {
        while let Some((at, fragment)) = self.fabric.pop_overdue(now) {
            self.journal.now = at;
            self.miss_fragments(&fragment);
        }
    }

    /// The run is over: a datagram of which IP fragments wait for the rest is on its way as long as any of it is, else the
    /// rest is missing.
    pub(super) fn end_incomplete(&mut self, on_their_way: &[Datagram]) {
        let incomplete = self.fabric.take_incomplete();
        if incomplete.is_empty() {
            return;
        }
        let datagram = |flight: &Datagram| DatagramId { duplicate: 0, fragment: 0, ..*flight.id() };
        let coming: BTreeSet<_> = on_their_way.iter().map(|flight| (datagram(flight), flight.to())).collect();
        for fragment in &incomplete {
            let is_coming = |to| coming.contains(&(datagram(fragment), to));
            match is_coming(fragment.to()) || is_coming(None) {
                true => self.leave(fragment),
                false => self.miss_fragments(fragment),
            }
        }
    }

    /// The rest of the datagram of an IP fragment never came.
    fn miss_fragments(&mut self, fragment: &Datagram) {
        let host = fragment.to().expect("what waits at a host goes there");
        if self.condition(host) == Condition::Down {
            return self.miss(host, fragment);
        }
        self.discard(instance(fragment), host, Reason::MissingFragment, Fate::LostFragment);
    }

    /// Whether the receiver's UDP checksum differs from the one that was sent. Two flipped bits can cancel.
    fn checksum_finds(&self, flight: &Datagram, damage: &Damage) -> bool {
        let topology = self.scenario.topology();
        let source = flight.left_by(topology);
        let broadcast = topology.segments()[source.segment.index()].broadcast;
        let address = |to| topology.host(to).interface(flight.arrives_at()).address;
        let unicast = flight.to().filter(|_| !flight.is_broadcast()).map(address);
        let endpoints = Endpoints {
            source: source.address,
            destination: unicast.unwrap_or(broadcast),
            source_port: flight.cargo().service().port(),
            destination_port: flight.cargo().service().port(),
        };
        damage.is_checked && udp::checksum(&endpoints, flight.payload()) != udp::checksum(&endpoints, &damage.original)
    }
}

/// What damage can change: the slot that a message is for, and the message.
struct MailslotWrite {
    leaf: Vec<u8>,
    data: Vec<u8>,
}

/// The mailslot write in the UDP payloads of one datagram, if there is one.
fn write_in<'a>(mut packets: impl Iterator<Item = &'a [u8]>) -> Option<MailslotWrite> {
    let first = Packet::new(packets.next()?).ok()?;
    let write = |direct: DirectView<'_>| {
        let write = transaction::Packet::new(direct.user_data, Profile::Windows).ok()?;
        Some(MailslotWrite { leaf: write.leaf().to_vec(), data: write.data().to_vec() })
    };
    if !first.is_fragment() {
        return write(first.direct(Profile::Windows).ok().flatten()?);
    }
    let mut whole = Reassembly::start(&first).ok()?;
    for packet in packets {
        whole.add(&Packet::new(packet).ok()?).ok()?;
    }
    write(whole.direct().ok()?)
}
