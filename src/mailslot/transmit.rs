//! Writes: to a local slot, or as one datagram to a computer or a group.

use std::net::SocketAddrV4;

use super::machine::Machine;
use super::names::Owner;
use super::objects::Target;
use super::receive::Disposition;
use super::{Handle, Win32Error};
use crate::time::Instant;
use crate::wire::datagram::{self, Head, Kind};
use crate::wire::{Name, NetbiosName, fragment, transaction};

/// What a successful write says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Bytes written: all of them.
    pub bytes: u32,
    /// What became of the copy for this same machine, if one was due: a local slot, this machine's own name, or a group
    /// that it belongs to. It does not pass the network (a choice). No program could see it, for a local slot excepted.
    pub own_copy: Option<Disposition>,
}

/// A packet to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmit {
    /// Where to.
    pub destination: Destination,
    /// Which of the machine's transports it goes out on, from 0: only machines that are on it hear it.
    pub transport: u8,
    /// Which fragment of its datagram it is, from 0.
    pub fragment: u8,
}

/// Where a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// To one address.
    Unicast(SocketAddrV4),
    /// To the broadcast address of the machine's network, port 138.
    Broadcast,
}

impl Machine {
    /// Writes one message (`WriteFile` on a client handle).
    ///
    /// # Errors
    ///
    /// * `InvalidHandle`, `AccessDenied`: not a client handle with write access.
    /// * Local slot: `HandleEof` when the slot is gone (a choice: the documents say that client handles are closed with
    ///   it, not which error follows); `InvalidParameter` over the slot's maximum (a choice: no error is documented).
    /// * Remote: `BadNetpath` when the [`Limits`](super::Limits) do not allow the length, when the wire cannot carry the
    ///   mailslot's name, and when nobody bears the target's name (both choices: not documented). The receiver's maximum
    ///   is unknown here; nothing that happens later is ever reported.
    pub fn write(&mut self, now: Instant, handle: Handle, data: &[u8]) -> Result<Written, Win32Error> {
        let own_copy = match self.write_target(handle)? {
            Target::Slot(key) => Some(self.write_local(now, key, data)?),
            Target::Remote { name, wire_slot: Some(wire_slot) } => self.write_remote(now, name, &wire_slot, data)?,
            Target::Remote { wire_slot: None, .. } => return Err(Win32Error::BadNetpath),
        };
        Ok(Written { bytes: data.len() as u32, own_copy })
    }

    fn write_local(&mut self, now: Instant, key: u64, data: &[u8]) -> Result<Disposition, Win32Error> {
        let slot = self.slots.get(&key).ok_or(Win32Error::HandleEof)?;
        if slot.is_too_long(data.len()) {
            return Err(Win32Error::InvalidParameter);
        }
        Ok(self.enqueue_in(now, key, data, self.config.computer))
    }

    fn write_remote(
        &mut self,
        now: Instant,
        name: NetbiosName,
        wire_slot: &[u8],
        data: &[u8],
    ) -> Result<Option<Disposition>, Win32Error> {
        let leaf = &wire_slot[transaction::NAME_PREFIX.len()..];
        if !self.config.limits.allow(self.config.layout, leaf.len(), data.len()) {
            return Err(Win32Error::BadNetpath);
        }
        let owner = self.directory.resolve(&name).ok_or(Win32Error::BadNetpath)?;
        let ours = self.names.holds(&name);
        match owner {
            Owner::Unique(_) if ours => {}
            Owner::Unique(address) => {
                let port = SocketAddrV4::new(address, datagram::PORT);
                self.send_write(Destination::Unicast(port), Kind::Unique, name, wire_slot, data);
            }
            Owner::Group => self.send_write(Destination::Broadcast, Kind::Group, name, wire_slot, data),
        }
        Ok(ours.then(|| self.enqueue(now, leaf, data, self.config.computer)))
    }

    fn send_write(&mut self, to: Destination, kind: Kind, name: NetbiosName, wire_slot: &[u8], data: &[u8]) {
        let layout = self.config.layout;
        let scope = self.config.scope.clone();
        let source = Name { netbios: self.config.computer, scope: scope.clone() };
        let destination = Name { netbios: name, scope };
        for transport in 0..self.config.transports {
            let head = self.head(self.next_datagram_id);
            self.next_datagram_id = self.next_datagram_id.wrapping_add(1);
            let emit = |out: &mut Vec<u8>| {
                datagram::emit_direct(&head, kind, &source, &destination, out, |out| {
                    transaction::emit_write(layout, wire_slot, data, out);
                });
            };
            let transmit = |fragment| Transmit { destination: to, transport, fragment };
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
        let (transmit, mut bytes) = self.transmits.pop_front()?;
        std::mem::swap(packet, &mut bytes);
        self.spare_packet = Some(bytes);
        Some(transmit)
    }
}
