//! The receive procedure (MS-MAIL 3.2.5.1, RFC 1002 5.3.3): from a UDP payload to a queue, or to silence.

use std::net::SocketAddrV4;

use thiserror::Error;

use super::calls::Event;
use super::error::Win32Error;
use super::machine::Machine;
use super::reassembly::{Added, ReassemblyKey};
use super::slot::{Message, Receipt, Slot};
use super::transmit::{Service, Transmit};
use crate::names::Destination;
use crate::time::Instant;
use crate::wire::datagram::{self, DirectView, ERROR_DESTINATION_NOT_PRESENT, Kind, Packet};
use crate::wire::name::NameView;
use crate::wire::{Malformed, NetbiosName, transaction};

/// What became of a message that reached a machine. Nobody tells the sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// A slot took it.
    Enqueued(Receipt),
    /// It is a fragment, and waits for the rest of its datagram: an [`Event::ReassemblyDone`](super::Event) follows.
    Held(ReassemblyKey),
    /// It was dropped without a word.
    Discarded(Discard),
}

/// Why a message was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Discard {
    /// The packet is not a well-formed mailslot write.
    #[error("it is no mailslot write: {0}")]
    Malformed(Malformed),
    /// This machine does not bear the destination name.
    #[error("it is for a name that this machine does not bear")]
    NotForUs,
    /// The packet is of a type without user data: an error or a query.
    #[error("it carries no message")]
    NoUserData,
    /// A fragment whose first fragment did not come, or came too long ago.
    #[error("it is a fragment whose first one is missing")]
    NoFirstFragment,
    /// No slot of that name is open.
    #[error("nobody has a mailslot of that name open")]
    NoSuchMailslot,
    /// The message is longer than the slot's maximum.
    #[error("it is longer than the mailslot's maximum")]
    TooLargeForSlot,
    /// The slot's queue limit refused it.
    #[error("the mailslot is full")]
    SlotFull,
    /// A policy of this machine turns mailslots of other machines off.
    #[error("remote mailslots are disabled by policy")]
    RemoteMailslotsDisabled,
}

/// Who claims to have written a message, and where its datagram came from.
pub(super) type Source = (NetbiosName, Option<SocketAddrV4>);

/// DATAGRAM ERROR is not sent while so many packets wait for the driver: a choice, so that what is received cannot make
/// memory grow.
pub const MAX_ANSWERS: usize = 1024;

impl Machine {
    /// Takes a UDP payload that arrived on port 138 and says what became of it.
    ///
    /// Any bytes are safe: what is not a mailslot write to a name of this machine is discarded.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddrV4, payload: &[u8]) -> Disposition {
        match self.accept(now, from, payload) {
            Ok(disposition) => disposition,
            Err(malformed) => Disposition::Discarded(Discard::Malformed(malformed)),
        }
    }

    /// Takes a UDP payload that arrived on port 137. Any bytes are safe.
    pub fn handle_name_packet(&mut self, now: Instant, from: SocketAddrV4, payload: &[u8]) {
        self.names.handle_packet(now, from, payload);
        self.handle_name_events(now);
    }

    fn accept(&mut self, now: Instant, from: SocketAddrV4, payload: &[u8]) -> Result<Disposition, Malformed> {
        let packet = Packet::new(payload)?;
        if packet.is_fragment() {
            return self.accept_fragment(now, from, &packet);
        }
        let Some(direct) = packet.direct(self.config.profile)? else {
            return Ok(Disposition::Discarded(Discard::NoUserData));
        };
        self.accept_whole(now, from, &packet, &direct)
    }

    /// A fragment is held until the last one makes the datagram whole.
    fn accept_fragment(
        &mut self,
        now: Instant,
        from: SocketAddrV4,
        packet: &Packet<'_>,
    ) -> Result<Disposition, Malformed> {
        match self.reassemblies.add(now, packet)? {
            Added::NoFirst => Ok(Disposition::Discarded(Discard::NoFirstFragment)),
            Added::Held { evicted } => {
                self.events.extend(evicted.map(|key| Event::ReassemblyDone { key, complete: false }));
                Ok(Disposition::Held(ReassemblyKey::of(packet)))
            }
            Added::Complete(whole) => {
                self.events.push_back(Event::ReassemblyDone { key: ReassemblyKey::of(packet), complete: true });
                self.accept_whole(now, from, packet, &whole.direct()?)
            }
        }
    }

    fn accept_whole(
        &mut self,
        now: Instant,
        from: SocketAddrV4,
        packet: &Packet<'_>,
        direct: &DirectView<'_>,
    ) -> Result<Disposition, Malformed> {
        if !self.is_ours(&direct.destination) {
            self.report_missing_name(from, packet, direct);
            return Ok(Disposition::Discarded(Discard::NotForUs));
        }
        let write = transaction::Packet::new(direct.user_data, self.config.profile)?;
        if self.config.remote_mailslots_disabled {
            return Ok(Disposition::Discarded(Discard::RemoteMailslotsDisabled));
        }
        Ok(self.enqueue(now, write.leaf(), write.data(), (direct.source.netbios, Some(from))))
    }

    fn is_ours(&self, destination: &NameView<'_>) -> bool {
        self.hears(&destination.netbios) && self.config.scope.matches(destination.scope)
    }

    /// Answers a datagram to a unique name that is not here with DATAGRAM ERROR, if the machine is set to do so.
    ///
    /// RFC 1002 5.3.3 would do so for group names too, which would draw a storm; RFC 1001 17.1 says unique names only.
    fn report_missing_name(&mut self, from: SocketAddrV4, packet: &Packet<'_>, direct: &DirectView<'_>) {
        if !self.config.datagram_errors || direct.kind != Kind::Unique || self.transmits.len() >= MAX_ANSWERS {
            return;
        }
        let head = self.head(packet.id());
        let error = datagram::Repr::Error { head, fragment_flags: 0, code: ERROR_DESTINATION_NOT_PRESENT };
        let (destination, service) = (Destination::Unicast(from), Service::Datagram);
        let transmit = Transmit { destination, service, transport: 0, interface: 0, fragment: 0, write: None };
        self.transmit(transmit, |out| error.emit(out));
    }

    /// Puts a message into the slot called `leaf`, unless there is none or it refuses.
    pub(super) fn enqueue(&mut self, now: Instant, leaf: &[u8], data: &[u8], source: Source) -> Disposition {
        match self.slot_named(leaf) {
            Some(key) => self.enqueue_in(now, key, data, source),
            None => Disposition::Discarded(Discard::NoSuchMailslot),
        }
    }

    /// Puts a message into an open slot, unless it refuses: it completes the first waiting read whose buffer holds it,
    /// or joins the queue. Waiting reads with smaller buffers fail on the way.
    pub(super) fn enqueue_in(&mut self, now: Instant, key: u64, data: &[u8], source: Source) -> Disposition {
        let slot = self.open_slot(key);
        if slot.is_too_long(data.len()) {
            return Disposition::Discarded(Discard::TooLargeForSlot);
        }
        if slot.is_full(data.len()) {
            return Disposition::Discarded(Discard::SlotFull);
        }
        let receipt = Receipt(self.next_receipt);
        self.next_receipt += 1;
        let (source, from) = source;
        self.put(key, Message { data: data.to_vec(), source, from, arrived: now, receipt }, Slot::push);
        Disposition::Enqueued(receipt)
    }

    /// Gives a message to the first waiting read whose buffer holds it, or to the queue in the manner of `push`.
    pub(super) fn put(&mut self, key: u64, message: Message, push: impl FnOnce(&mut Slot, Message)) {
        while let Some(read) = self.open_slot(key).next_waiting() {
            if message.data.len() <= read.buffer {
                return self.complete(key, &read, Ok(message));
            }
            self.complete(key, &read, Err(Win32Error::InsufficientBuffer));
        }
        push(self.open_slot(key), message);
    }
}
