//! What leaves a machine: the packets of writes, answers, and what the name service has to say.

use std::rc::Rc;

use super::delivery::Waiting;
use super::traffic::Outgoing;
use super::transit::{Cargo, Flight};
use super::world::World;
use crate::id::{DatagramId, HostId, StreamId};
use crate::mailslot::{Destination, Service, Transmit, Win32Error, Write, WriteId, Written};
use crate::stats::{self, Bound, Event, Instance, Observer, Sent};
use crate::time::Instant;
use crate::wire::nbns::{Packet, Repr};
use crate::wire::{NetbiosName, Profile};

/// A write that has not returned.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    stream: StreamId,
    outgoing: Outgoing,
    at: Instant,
}

/// A packet of a write that has not returned.
pub(super) struct Packed {
    transmit: Transmit,
    payload: Rc<[u8]>,
    /// Whom it gets to, once that is known.
    route: Option<(Bound, Option<HostId>)>,
}

/// Why a machine sends.
#[derive(Clone, Copy)]
pub(super) enum Cause<'a> {
    /// A stream writes this message.
    Write(StreamId, u64),
    /// This packet reached it.
    Packet(&'a Flight),
    /// The time that it asked for has come.
    Timer,
}

/// What a machine has asked the network about one name.
pub(super) struct Questions {
    /// Flow, sender and number of the message whose write began the latest lookup.
    stream: StreamId,
    message: u64,
    /// How many packets went out for it.
    sent: u64,
}

impl<O: Observer> World<'_, O> {
    /// A sender writes its next message.
    pub(super) fn write(&mut self, stream: StreamId) {
        let sender = &mut self.streams[stream.index()].sender;
        let outgoing = sender.next_message();
        let host = sender.host();
        let result = sender.write(self.now, &mut self.machines[host.index()], outgoing);
        let begun = Begun { stream, outgoing, at: self.now };
        match result {
            Ok(Write::Done(written)) => self.end_write(host, begun, None, Ok(written)),
            Err(error) => self.end_write(host, begun, None, Err(error)),
            Ok(Write::Pending(write)) => {
                let Outgoing { message, target, .. } = outgoing;
                self.tell(Event::WriteBegun { stream, message, target, copies_left: 0 });
                self.begun.insert((host, write), begun);
                self.send_all(host, Cause::Write(stream, message));
                self.set_timer(host);
            }
        }
        self.schedule_write(stream);
    }

    /// A pending write returned.
    pub(super) fn end_pending(&mut self, host: HostId, write: WriteId, result: Result<Written, Win32Error>) {
        let begun = self.begun.remove(&(host, write)).expect("a write was begun before it ends");
        self.end_write(host, begun, Some(write), result);
    }

    /// A write returned: its packets leave the machine.
    fn end_write(&mut self, host: HostId, begun: Begun, write: Option<WriteId>, result: Result<Written, Win32Error>) {
        let Begun { stream, outgoing: Outgoing { message, target, bytes }, at } = begun;
        self.send_all(host, Cause::Write(stream, message));
        let mut packets = std::mem::take(&mut self.outbox);
        if !self.begun.is_empty() || write.is_some() {
            self.outbox.extend(packets.extract_if(.., |packed| packed.transmit.write != write));
        }
        let mut bounds = std::mem::take(&mut self.bounds);
        bounds.clear();
        for packed in &mut packets {
            packed.route = self.route(host, stream, target, &packed.transmit);
            bounds.extend(packed.route.map(|(bound, _)| bound));
        }
        let own = self.streams[stream.index()].targets[target as usize].position(host);
        let own_copy = result.as_ref().ok().and_then(|written| written.own_copy).zip(own);
        let sent = |_: Written| Sent { target, packets: &bounds, own: own_copy.map(|(_, own)| own) };
        let result = result.map(sent).map_err(Win32Error::code);
        self.tell(Event::Write(stats::Write { stream, message, copy: 0, copies_left: 0, bytes, called: at, result }));
        self.bounds = bounds;

        if let Some((disposition, own)) = own_copy {
            let instance = Instance { stream, message, copy: 0, packet: 0, duplicate: 0, bound: Bound::Recipient(own) };
            self.dispose(host, disposition, Waiting { instance, written: at, damaged: false, bytes });
        }
        for Packed { transmit, payload, route } in packets.drain(..) {
            let Some((bound, to)) = route else { continue };
            let packet = DatagramId::packet_number(transmit.transport, transmit.fragment);
            let instance = Instance { stream, message, copy: 0, packet, duplicate: 0, bound };
            let stream_key = self.key_towards(stream, target, to);
            let id = DatagramId { stream_key, message, copy: 0, packet, duplicate: 0 };
            self.depart(Flight::new(payload, id, (host, to), Cargo { instance, target, written: at }));
        }
        if self.outbox.is_empty() {
            self.outbox = packets; // for its room
        }
    }

    /// The run is over: what has not returned is aborted.
    pub(super) fn abort_writes(&mut self) {
        while let Some(((host, write), begun)) = self.begun.pop_first() {
            self.end_write(host, begun, Some(write), Err(Win32Error::OperationAborted));
        }
    }

    /// Whom a packet of a write is bound for, and the host that it goes to if it is one; `None` if it gets to nobody: to
    /// one that there is no way to, or that is not on the transport.
    fn route(
        &self,
        from: HostId,
        stream: StreamId,
        target: u32,
        transmit: &Transmit,
    ) -> Option<(Bound, Option<HostId>)> {
        let Destination::Unicast(to) = transmit.destination else { return Some((Bound::Audience, None)) };
        let to = *self.hosts_by_address.get(to.ip())?; // a damaged answer can name an address that nobody has
        let reachable = self.scenario.topology().reaches(from, to) && self.is_on(to, transmit.transport);
        let recipient = self.streams[stream.index()].targets[target as usize].position(to);
        reachable.then_some((recipient.map_or(Bound::Bystander, Bound::Recipient), Some(to)))
    }

    /// The identity of a stream's datagrams; of those to the members of a list, one for each of them.
    fn key_towards(&self, stream: StreamId, target: u32, to: Option<HostId>) -> u64 {
        let stream = &self.streams[stream.index()];
        match to.filter(|_| self.scenario.is_listed(&stream.sender.targets()[target as usize])) {
            Some(member) => self.root.member_key(stream.key, &self.scenario.topology().host(member).name),
            None => stream.key,
        }
    }

    /// Lets everything out that a machine has to send: packets of writes into the outbox, until the write returns; all
    /// else on its way.
    pub(super) fn send_all(&mut self, host: HostId, cause: Cause<'_>) {
        let mut packet = std::mem::take(&mut self.packet);
        while let Some(transmit) = self.machines[host.index()].poll_transmit(&mut packet) {
            let payload: Rc<[u8]> = packet.as_slice().into();
            match (transmit.service, cause) {
                (Service::Name, Cause::Packet(question)) => {
                    self.send_answer(host, &transmit, payload, question, Bound::NameService(host));
                }
                (Service::Name, _) => self.send_question(host, &transmit, payload, cause),
                (Service::Datagram, Cause::Packet(question)) if transmit.write.is_none() => {
                    self.send_answer(host, &transmit, payload, question, Bound::Answer(host));
                }
                (Service::Datagram, _) => self.outbox.push(Packed { transmit, payload, route: None }),
            }
        }
        self.packet = packet;
    }

    /// What a machine says to a datagram that reached it.
    fn send_answer(&mut self, host: HostId, transmit: &Transmit, payload: Rc<[u8]>, question: &Flight, bound: Bound) {
        let key = self.root.answer_key(&question.id, &self.scenario.topology().host(host).name);
        let id = DatagramId { stream_key: key, duplicate: 0, ..question.id };
        let instance = Instance { bound, duplicate: 0, ..question.cargo.instance };
        self.send_aside(host, transmit, payload, id, instance);
    }

    /// What a machine asks about a name that a message needs. The identity is made of asker, name and how often it has
    /// asked, so that no other question moves it.
    fn send_question(&mut self, host: HostId, transmit: &Transmit, payload: Rc<[u8]>, cause: Cause<'_>) {
        let name = name_in(&payload).expect("the name service sends well-formed packets");
        let sent = self.questions.get(&(host, name)).map_or(0, |questions| questions.sent);
        let (stream, message) = match cause {
            Cause::Write(stream, message) => (stream, message),
            Cause::Packet(_) | Cause::Timer => {
                let questions = self.questions.get(&(host, name)).expect("a write has asked before");
                (questions.stream, questions.message)
            }
        };
        self.questions.insert((host, name), Questions { stream, message, sent: sent + 1 });
        let stream_key = self.root.question_key(&self.scenario.topology().host(host).name, &name.to_string());
        let id = DatagramId { stream_key, message: sent, copy: 0, packet: 0, duplicate: 0 };
        let bound = Bound::NameService(host);
        let instance = Instance { stream, message, copy: 0, packet: 0, duplicate: 0, bound };
        self.send_aside(host, transmit, payload, id, instance);
    }

    /// Sends a packet that carries no message.
    fn send_aside(&mut self, host: HostId, transmit: &Transmit, payload: Rc<[u8]>, id: DatagramId, instance: Instance) {
        let to = match transmit.destination {
            Destination::Broadcast => None,
            Destination::Unicast(to) => {
                let to = self.hosts_by_address.get(to.ip()).copied();
                let Some(to) = to.filter(|to| self.scenario.topology().reaches(host, *to)) else { return };
                Some(to)
            }
        };
        self.tell(Event::SentAside { instance, host });
        let cargo = Cargo { instance, target: 0, written: self.now };
        self.depart(Flight::new(payload, id, (host, to), cargo));
    }
}

/// The name that a packet of the name service is about.
fn name_in(payload: &[u8]) -> Option<NetbiosName> {
    let repr = Packet::new(payload).and_then(|packet| Repr::parse(&packet, Profile::Windows)).ok()?;
    Some(repr.name.netbios)
}
