//! Writes: to a local slot, or as one datagram to a computer or a group.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use super::calls::{Event, Handle, ProcessId, WriteId};
use super::choices::{CLOSED_SLOT_ERROR, NO_ROOM_ERROR, OVER_MAXIMUM_ERROR, UNRESOLVED_NAME_ERROR};
use super::error::Win32Error;
use super::machine::Machine;
use super::objects::Target;
use super::receive::Disposition;
use crate::names::{self, Destination, Lookup, Owner};
use crate::time::Instant;
use crate::wire::datagram::{self, Head, Kind};
use crate::wire::{Name, NetbiosName, fragment, nbns, transaction};

/// The outcome of a write call that did not fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// The message was queued (local) or handed to the network.
    Done(Written),
    /// The target's name is being looked up: an [`Event::WriteDone`] follows.
    Pending(WriteId),
}

/// What a successful write says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Bytes written: all of them.
    pub bytes: u32,
    /// What became of the copy for this same machine, if one was due: a local slot, this machine's own name, or a group
    /// that it belongs to. It does not pass the network (a choice). No program could see it, for a local slot excepted.
    pub own_copy: Option<Disposition>,
}

/// A write whose target is being looked up.
#[derive(Debug)]
pub(super) struct PendingWrite {
    pub(super) id: WriteId,
    /// The object of the client handle that it was made through.
    pub(super) object: u64,
    pub(super) process: ProcessId,
    name: NetbiosName,
    wire_slot: Arc<[u8]>,
    data: Vec<u8>,
}

/// The most writes that wait for a name at once; one more fails as if nobody bore it: a choice.
pub const MAX_PENDING_WRITES: usize = 65_536;

/// A packet to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmit {
    /// Where to.
    pub destination: Destination,
    /// On which service's port: it goes out from there, and a broadcast goes to the same one.
    pub service: Service,
    /// Which of the machine's transports it goes out on, from 0: only machines that are on it hear it. The name service
    /// is on the first one (a choice: the engine has one name table for all).
    pub transport: u8,
    /// Of a broadcast, which of the machine's interfaces it goes out on, from 0; else 0.
    pub interface: u8,
    /// Which fragment of its datagram it is, from 0.
    pub fragment: u8,
    /// The pending write that it belongs to, if it belongs to one.
    pub write: Option<WriteId>,
}

/// One of the two services of NetBIOS that go over UDP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    /// The datagram service.
    Datagram,
    /// The name service.
    Name,
}

impl Service {
    /// Its UDP port.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Service::Datagram => datagram::PORT,
            Service::Name => nbns::PORT,
        }
    }
}

impl Machine {
    /// Writes one message (`WriteFile` on a client handle).
    ///
    /// It is pending while the target's name is looked up; writes to the same name wait together. Closing the handle
    /// does not end them.
    ///
    /// # Errors
    ///
    /// * `InvalidHandle`, `AccessDenied`: not a client handle with write access.
    /// * Local slot: [`CLOSED_SLOT_ERROR`] when the slot is gone; [`OVER_MAXIMUM_ERROR`].
    /// * Remote: `BadNetpath` over [`API_MAX_REMOTE`](super::API_MAX_REMOTE); [`NO_ROOM_ERROR`] and
    ///   [`HOLE_ERROR`](super::choices::HOLE_ERROR) as the [`Limits`](super::Limits) say; [`UNRESOLVED_NAME_ERROR`] when
    ///   nobody is found to bear the target's name. The receiver's maximum is unknown here; nothing that happens later
    ///   is ever reported.
    pub fn write(&mut self, now: Instant, handle: Handle, data: &[u8]) -> Result<Write, Win32Error> {
        let (name, wire_slot) = match self.write_target(handle)? {
            Target::Slot(key) => return self.write_local(now, key, data),
            Target::Remote { name, wire_slot } => (name, wire_slot.ok_or(NO_ROOM_ERROR)?),
        };
        self.config.limits.check(self.config.layout, leaf(&wire_slot).len(), data.len())?;
        match self.names.lookup(now, &name) {
            Lookup::Missing => Err(UNRESOLVED_NAME_ERROR),
            Lookup::Found(owner) => Ok(Write::Done(self.send_to(now, &owner, name, &wire_slot, data, None))),
            Lookup::Pending if self.unresolved.len() >= MAX_PENDING_WRITES => Err(UNRESOLVED_NAME_ERROR),
            Lookup::Pending => {
                let id = WriteId(self.number());
                let (object, process) = self.objects.place(handle)?;
                self.unresolved.push(PendingWrite { id, object, process, name, wire_slot, data: data.to_vec() });
                Ok(Write::Pending(id))
            }
        }
    }

    fn write_local(&mut self, now: Instant, key: u64, data: &[u8]) -> Result<Write, Win32Error> {
        let slot = self.slots.get(&key).ok_or(CLOSED_SLOT_ERROR)?;
        if slot.is_too_long(data.len()) {
            return Err(OVER_MAXIMUM_ERROR);
        }
        let own_copy = Some(self.enqueue_in(now, key, data, (self.config.computer, None)));
        Ok(Write::Done(Written { bytes: data.len() as u32, own_copy }))
    }

    /// Sends a message to whoever bears the name, this machine itself included.
    fn send_to(
        &mut self,
        now: Instant,
        owner: &Owner,
        name: NetbiosName,
        wire_slot: &[u8],
        data: &[u8],
        write: Option<WriteId>,
    ) -> Written {
        let ours = self.names.holds(&name);
        match owner {
            Owner::Unique(_) if ours => {}
            Owner::Unique(address) => self.send_write(unicast(*address), Kind::Unique, name, wire_slot, data, write),
            Owner::Group => self.send_write(Destination::Broadcast, Kind::Group, name, wire_slot, data, write),
            Owner::Members(members) => {
                let own = self.config.address;
                for member in members.iter().filter(|member| **member != own) {
                    self.send_write(unicast(*member), Kind::Group, name, wire_slot, data, write);
                }
            }
        }
        let own_copy = ours.then(|| self.enqueue(now, leaf(wire_slot), data, (self.config.computer, None)));
        Written { bytes: data.len() as u32, own_copy }
    }

    /// Takes note of what the name service found out.
    pub(super) fn handle_name_events(&mut self, now: Instant) {
        while let Some(event) = self.names.poll_event() {
            let event = match event {
                names::Event::Resolved { name, owner } => {
                    self.end_lookup(now, name, owner.as_ref());
                    continue;
                }
                names::Event::Registered { name } => Event::NameRegistered { name },
                names::Event::Refused { name, by } => Event::NameRefused { name, by },
                names::Event::Conflict { name } => Event::NameConflict { name },
            };
            self.events.push_back(event);
        }
    }

    /// The writes that waited for a name are sent, or fail: all return before the reads that their own copies complete.
    fn end_lookup(&mut self, now: Instant, name: NetbiosName, owner: Option<&Owner>) {
        let (ended, waiting) =
            std::mem::take(&mut self.unresolved).into_iter().partition(|write: &PendingWrite| write.name == name);
        self.unresolved = waiting;
        let before = self.events.len();
        let send = |PendingWrite { id, wire_slot, data, .. }| {
            let result = match owner {
                Some(owner) => Ok(self.send_to(now, owner, name, &wire_slot, &data, Some(id))),
                None => Err(UNRESOLVED_NAME_ERROR),
            };
            Event::WriteDone { id, result }
        };
        let returned: Vec<Event> = ended.into_iter().map(send).collect();
        let reads = self.events.split_off(before);
        self.events.extend(returned.into_iter().chain(reads));
    }

    /// Aborts those pending writes that `which` names.
    pub(super) fn abort_writes(&mut self, which: impl FnMut(&PendingWrite) -> bool) {
        let (aborted, waiting) = std::mem::take(&mut self.unresolved).into_iter().partition(which);
        self.unresolved = waiting;
        let aborted: Vec<PendingWrite> = aborted;
        let result = Err(Win32Error::OperationAborted);
        self.events.extend(aborted.iter().map(|write| Event::WriteDone { id: write.id, result }));
    }

    fn send_write(
        &mut self,
        to: Destination,
        kind: Kind,
        name: NetbiosName,
        wire_slot: &[u8],
        data: &[u8],
        write: Option<WriteId>,
    ) {
        let layout = self.config.layout;
        let scope = self.config.scope.clone();
        let source = Name { netbios: self.config.computer, scope: scope.clone() };
        let destination = Name { netbios: name, scope };
        let interfaces = if to == Destination::Broadcast { self.interfaces() } else { 1 };
        let first_id = self.next_datagram_id;
        self.next_datagram_id = first_id.wrapping_add(self.config.transports.into());
        let ways = (0..self.config.transports).flat_map(|transport| (0..interfaces).map(move |at| (transport, at)));
        for (transport, interface) in ways {
            let source_ip = self.address(interface); // tells apart what has one number on several interfaces
            let head = Head { source_ip, ..self.head(first_id.wrapping_add(transport.into())) };
            let emit = |out: &mut Vec<u8>| {
                datagram::emit_direct(&head, kind, &source, &destination, out, |out| {
                    transaction::emit_write(layout, wire_slot, data, out);
                });
            };
            let service = Service::Datagram;
            let transmit = |fragment| Transmit { destination: to, service, transport, interface, fragment, write };
            if !self.config.fragments {
                self.transmit(transmit(0), emit);
                continue;
            }
            let mut whole = Vec::new();
            emit(&mut whole);
            for (fragment, packet) in (0..).zip(fragment::split(&whole, fragment::DEFAULT_MAX_PACKET)) {
                self.transmit(transmit(fragment), |out| out.extend_from_slice(&packet));
            }
        }
    }

    /// How many interfaces it has.
    fn interfaces(&self) -> u8 {
        1 + self.config.further_addresses.len() as u8
    }

    /// The address of an interface, from 0.
    fn address(&self, interface: u8) -> Ipv4Addr {
        let further = usize::from(interface).checked_sub(1).map(|position| self.config.further_addresses[position]);
        further.unwrap_or(self.config.address)
    }

    /// The header of a packet of this machine.
    pub(super) fn head(&self, id: u16) -> Head {
        let (source_ip, source_port) = (self.config.address, datagram::PORT);
        Head { node_type: self.config.layout.node_type(), id, source_ip, source_port }
    }

    /// Queues a packet for [`Machine::poll_transmit`].
    pub(super) fn transmit(&mut self, transmit: Transmit, emit: impl FnOnce(&mut Vec<u8>)) {
        let mut packet = self.spare_packet.take().unwrap_or_default();
        packet.clear();
        emit(&mut packet);
        self.transmits.push_back((transmit, packet));
    }

    /// The next packet to send, which replaces what `packet` held; `None` when there is none.
    pub fn poll_transmit(&mut self, packet: &mut Vec<u8>) -> Option<Transmit> {
        let is_repeated = self.transmits.front().is_some_and(|(transmit, _)| transmit.service == Service::Name);
        if !is_repeated && let Some(destination) = self.names.poll_transmit(packet) {
            let service = Service::Name;
            let first = Transmit { destination, service, transport: 0, interface: 0, fragment: 0, write: None };
            if destination == Destination::Broadcast {
                let further = (1..self.interfaces()).map(|interface| Transmit { interface, ..first });
                further.rev().for_each(|transmit| self.transmits.push_front((transmit, packet.clone())));
            }
            return Some(first);
        }
        let (transmit, mut bytes) = self.transmits.pop_front()?;
        std::mem::swap(packet, &mut bytes);
        self.spare_packet = Some(bytes);
        Some(transmit)
    }
}

/// The name after `\MAILSLOT\`.
fn leaf(wire_slot: &[u8]) -> &[u8] {
    &wire_slot[transaction::NAME_PREFIX.len()..]
}

fn unicast(address: Ipv4Addr) -> Destination {
    Destination::Unicast(SocketAddrV4::new(address, datagram::PORT))
}
