//! What leaves a machine: the packets of writes, answers, and what the name service has to say.

use std::rc::Rc;

use super::carriage::{Cargo, Datagram, instance};
use super::delivery::Waiting;
use super::{Books, is_on};
use crate::id::{DatagramId, HostId, StreamId};
use crate::mailslot::{Destination, Disposition, Service, Transmit, Win32Error, Write, WriteId, Written};
use crate::net::{Flight, Way};
use crate::sim::traffic::Outgoing;
use crate::stats::{self, Bound, Event, Instance, Observer, Sent};
use crate::time::Instant;
use crate::wire::datagram;
use crate::wire::nbns::{Packet, Repr};
use crate::wire::{NetbiosName, Profile};

/// A write that has not returned.
#[derive(Clone, Copy)]
pub(super) enum Begun {
    /// Of a message of a stream, to a target of that.
    Message { stream: StreamId, outgoing: Outgoing, target: u32, called: Instant },
    /// Of a reply to what was read.
    Reply(Instance),
}

/// A packet of a write that has not returned.
pub(super) struct Packed {
    transmit: Transmit,
    payload: Rc<[u8]>,
    /// Whom it gets to, once that is known.
    route: Option<(Bound, Way)>,
}

/// Why a machine sends.
#[derive(Clone, Copy)]
pub(crate) enum Cause<'a> {
    /// A stream writes this message.
    Write(StreamId, u64),
    /// A program that is no flow writes this message.
    Program(StreamId, u64),
    /// This packet reached it.
    Packet(&'a Datagram),
    /// The time that it asked for has come.
    Timer,
    /// It has started, or changed its domain, and takes and gives up names.
    Name,
}

/// What a machine has asked the network about one name.
pub(super) struct Questions {
    /// Flow, sender and number of the message whose write began the latest lookup.
    stream: StreamId,
    message: u64,
    /// How many packets went out for it.
    sent: u64,
}

impl<O: Observer> Books<O> {
    /// A packet that a machine gave out: one of a write stays here until the write returns, all else leaves at once.
    pub(crate) fn send(&mut self, host: HostId, transmit: Transmit, packet: &[u8], cause: Cause<'_>) {
        let payload: Rc<[u8]> = packet.into();
        match (transmit.service, cause) {
            (Service::Name, Cause::Packet(question)) => {
                self.send_answer(host, &transmit, payload, question, Bound::NameService(host));
            }
            (Service::Datagram, Cause::Program(stream, message)) => {
                self.send_frame(host, &transmit, payload, stream, message);
            }
            (Service::Name, _) => self.send_question(host, &transmit, payload, cause),
            (Service::Datagram, Cause::Packet(question)) if transmit.write.is_none() => {
                self.send_answer(host, &transmit, payload, question, Bound::Answer(host));
            }
            (Service::Datagram, _) => self.outbox.push(Packed { transmit, payload, route: None }),
        }
    }

    /// A program called for a write, and the call came back: the write returned, or is pending.
    pub(crate) fn wrote(&mut self, stream: StreamId, outgoing: Outgoing, result: Result<Write, Win32Error>) {
        let target = self.target_now(stream, &outgoing);
        if let Ok(Write::Pending(_)) = result {
            let Outgoing { message, copies_left, target: to, .. } = outgoing;
            self.tell(Event::WriteBegun { stream, message, to, target, copies_left });
        }
        let host = self.streams[stream.index()].host;
        self.begin_write(host, Begun::Message { stream, outgoing, target, called: self.now() }, result);
    }

    /// The same of a program that replies to what it has read.
    pub(crate) fn replied(&mut self, host: HostId, read: Instance, result: Result<Write, Win32Error>) {
        self.begin_write(host, Begun::Reply(read), result);
    }

    fn begin_write(&mut self, host: HostId, begun: Begun, result: Result<Write, Win32Error>) {
        match result {
            Ok(Write::Done(written)) => self.end_write(host, begun, None, Ok(written)),
            Err(error) => self.end_write(host, begun, None, Err(error)),
            Ok(Write::Pending(write)) => {
                self.begun.insert((host, write), begun);
            }
        }
    }

    /// A program that is no flow wrote a message; its packets have been given out.
    pub(crate) fn program_wrote(
        &mut self,
        stream: StreamId,
        message: u64,
        bytes: u32,
        result: Result<Written, Win32Error>,
    ) {
        let code = result.map(|_| ()).map_err(Win32Error::code);
        self.tell(Event::ProgramWrite { stream, message, bytes, result: code });
        if let Ok(Written { own_copy: Some(disposition), .. }) = result {
            let host = self.streams[stream.index()].host;
            let bound = Bound::Uncounted;
            let instance = Instance {
                stream,
                message,
                identity: [self.streams[stream.index()].key, message],
                copy: 0,
                packet: 0,
                duplicate: 0,
                fragment: 0,
                interfaces: [0; 2],
                bound,
            };
            self.dispose(host, disposition, Waiting { instance, written: self.now(), damaged: false, bytes });
        }
    }

    /// A pending write returned.
    pub(super) fn end_pending(&mut self, host: HostId, write: WriteId, result: Result<Written, Win32Error>) {
        let begun = self.begun.remove(&(host, write)).expect("a write was begun before it ends");
        self.end_write(host, begun, Some(write), result);
    }

    /// A write returned: its packets leave the machine.
    fn end_write(&mut self, host: HostId, begun: Begun, write: Option<WriteId>, result: Result<Written, Win32Error>) {
        let mut packets = std::mem::take(&mut self.outbox);
        if !self.begun.is_empty() || write.is_some() {
            self.outbox.extend(packets.extract_if(.., |packed| packed.transmit.write != write));
        }
        match (begun, result) {
            (Begun::Message { stream, outgoing, target, called }, result) => {
                self.send_message(stream, outgoing, (target, called), result, &mut packets);
            }
            (Begun::Reply(read), Ok(written)) => self.send_reply(host, read, written, &mut packets),
            (Begun::Reply(_), Err(_)) => {}
        }
        if self.outbox.is_empty() {
            self.outbox = packets; // for its room
        }
    }

    /// The packets of a message leave the machine.
    fn send_message(
        &mut self,
        stream: StreamId,
        Outgoing { message, copy, copies_left, target: to, bytes }: Outgoing,
        (target, at): (u32, Instant),
        result: Result<Written, Win32Error>,
        packets: &mut Vec<Packed>,
    ) {
        let host = self.streams[stream.index()].host;
        let mut bounds = std::mem::take(&mut self.bounds);
        bounds.clear();
        for packed in &mut *packets {
            packed.route = self.route(host, stream, target, &packed.transmit);
            bounds.extend(packed.route.map(|(bound, _)| bound));
        }
        let own = self.streams[stream.index()].targets[target as usize].position(host);
        let own_copy = result.as_ref().ok().and_then(|written| written.own_copy);
        let without_own = self.fate_without_name(host);
        let sent = |_: Written| Sent { packets: &bounds, own: own.filter(|_| own_copy.is_some()), without_own };
        let result = result.map(sent).map_err(Win32Error::code);
        let write = stats::Write { stream, message, copy, copies_left, to, target, bytes, called: at, result };
        self.tell(Event::Write(write));
        self.bounds = bounds;

        // It may have joined the domain since the message was written for the first time; what it drops then is nobody's.
        if let Some(disposition) = own_copy.filter(|it| own.is_some() || matches!(it, Disposition::Enqueued(_))) {
            let bound = own.map_or(Bound::Bystander, Bound::Recipient);
            let instance = Instance {
                stream,
                message,
                identity: [self.streams[stream.index()].key, message],
                copy,
                packet: 0,
                duplicate: 0,
                fragment: 0,
                interfaces: [0; 2],
                bound,
            };
            self.dispose(host, disposition, Waiting { instance, written: at, damaged: false, bytes });
        }
        for Packed { transmit, payload, route } in packets.drain(..) {
            let Some((bound, way)) = route else { continue };
            let packet = DatagramId::packet_number(transmit.transport, transmit.fragment);
            let stream_key = self.key_towards(stream, target, way.to());
            let id = DatagramId { copy, packet, ..DatagramId::new(stream_key, message) };
            let is_fragment = datagram::Packet::new(&payload).is_ok_and(|packet| packet.is_fragment());
            let cargo = Cargo { stream, target, message, written: at, bound, is_fragment };
            self.departures.push_back(Flight::new(payload, id, host, way, cargo));
        }
    }

    /// A reply goes into the sender's own slot, or its packets leave the machine.
    fn send_reply(&mut self, host: HostId, read: Instance, written: Written, packets: &mut Vec<Packed>) {
        let Instance { stream, message, copy, packet, duplicate, interfaces, bound, .. } = read;
        self.tell(Event::Replied { instance: read });
        let bound = match bound {
            Bound::Recipient(_) => Bound::Reply(host),
            _ => Bound::StrayReply(host),
        };
        if let Some(disposition) = written.own_copy {
            let instance = Instance { packet: 0, duplicate: 0, fragment: 0, interfaces: [0; 2], bound, ..read };
            let waiting = Waiting { instance, written: self.now(), damaged: false, bytes: written.bytes };
            self.dispose(host, disposition, waiting);
        }
        let (writer, key) = (self.streams[stream.index()].host, self.streams[stream.index()].key);
        let read = DatagramId { copy, packet, duplicate, ..DatagramId::new(key, message) };
        let segments = self.segments([(writer, interfaces[0]), (host, interfaces[1])]);
        let stream_key = self.root.reply_key(&read, segments, &self.scenario.topology().host(host).name);
        for Packed { transmit, payload, .. } in packets.drain(..) {
            let packet = DatagramId::packet_number(transmit.transport, transmit.fragment);
            let id = DatagramId { copy, packet, ..DatagramId::new(stream_key, message) };
            let way = self.way(&transmit, |(to, _)| self.scenario.topology().route(host, to));
            self.send_aside(host, way, payload, id, (stream, message, bound));
        }
    }

    /// The run is over: what has not returned is aborted.
    pub(super) fn abort_writes(&mut self) {
        while let Some(((host, write), begun)) = self.begun.pop_first() {
            self.end_write(host, begun, Some(write), Err(Win32Error::OperationAborted));
        }
    }

    /// A machine goes down: what has not returned on it never does, and counts as aborted.
    pub(super) fn abort_writes_of(&mut self, host: HostId) {
        let of_host: Vec<_> = self.begun.extract_if(.., |(of, _), _| *of == host).collect();
        for ((_, write), begun) in of_host {
            self.end_write(host, begun, Some(write), Err(Win32Error::OperationAborted));
        }
    }

    /// The names of the segments of interfaces, by their numbers.
    fn segments(&self, interfaces: [(HostId, u8); 2]) -> [&str; 2] {
        let topology = self.scenario.topology();
        interfaces.map(|(host, number)| {
            let segment = topology.host(host).interface(number).segment;
            topology.segments()[segment.index()].name.as_str()
        })
    }

    /// Whom a packet of a write is bound for, and how it goes there: to a name, by the best way to whoever bears it. `None` if
    /// it gets to nobody: to one that there is no way to, or that is not on the transport.
    fn route(&self, from: HostId, stream: StreamId, target: u32, transmit: &Transmit) -> Option<(Bound, Way)> {
        let audience = &self.streams[stream.index()].targets[target as usize];
        let way = self.way(transmit, |(to, _)| self.scenario.topology().route(from, to))?;
        let bound = match way.to() {
            None => audience.bound(transmit.interface, None),
            Some(to) => audience.position(to).map_or(Bound::Bystander, Bound::Recipient),
        };
        Some((bound, way))
    }

    /// How a packet goes to where it is sent, if that is one host by the way that `to` finds to its address; `None` if there is
    /// none, or that is not on the transport.
    fn way(&self, transmit: &Transmit, to: impl FnOnce((HostId, u8)) -> Option<Way>) -> Option<Way> {
        let Destination::Unicast(address) = transmit.destination else {
            return Some(Way::broadcast(transmit.interface));
        };
        let addressee = *self.hosts_by_address.get(address.ip())?; // a damaged answer can name an address that nobody has
        to(addressee).filter(|_| is_on(&self.scenario, addressee.0, transmit.transport))
    }

    /// How a packet goes to the very address that it is sent to.
    fn way_to_address(&self, from: HostId, transmit: &Transmit) -> Option<Way> {
        self.way(transmit, |(to, interface)| self.scenario.topology().route_to(from, to, interface))
    }

    /// The identity of a stream's datagrams; of those to the members of a list, one for each of them.
    fn key_towards(&self, stream: StreamId, target: u32, to: Option<HostId>) -> u64 {
        let stream = &self.streams[stream.index()];
        match to.filter(|_| stream.targets[target as usize].is_listed) {
            Some(member) => self.root.member_key(stream.key, &self.scenario.topology().host(member).name),
            None => stream.key,
        }
    }

    /// What a machine says to a datagram that reached it.
    fn send_answer(&mut self, host: HostId, transmit: &Transmit, payload: Rc<[u8]>, question: &Datagram, bound: Bound) {
        let segments = self.segments([(question.from(), question.left_by_number()), (host, question.arrives_at())]);
        let key = self.root.answer_key(question.id(), segments, &self.scenario.topology().host(host).name);
        let id = DatagramId { stream_key: key, duplicate: 0, origin: 0, ..*question.id() };
        let Cargo { stream, message, .. } = *question.cargo();
        self.send_aside(host, self.way_to_address(host, transmit), payload, id, (stream, message, bound));
    }

    /// What a machine asks about a name that a message needs. The identity is made of asker, name and how often it has
    /// asked, so that no other question moves it.
    fn send_question(&mut self, host: HostId, transmit: &Transmit, payload: Rc<[u8]>, cause: Cause<'_>) {
        let name = name_in(&payload).expect("the name service sends well-formed packets");
        let sent = self.questions.get(&(host, name)).map_or(0, |questions| questions.sent);
        let number = if transmit.interface == 0 { sent } else { sent - 1 }; // the same packet again
        let asked_for = match cause {
            Cause::Write(stream, message) | Cause::Program(stream, message) => Some((stream, message)),
            Cause::Packet(_) | Cause::Timer | Cause::Name => {
                self.questions.get(&(host, name)).map(|questions| (questions.stream, questions.message))
            }
        };
        // A machine that claims or releases a name does so for no message.
        let (stream, message) = asked_for.unwrap_or((StreamId(self.streams.len() as u32), 0));
        self.questions.insert((host, name), Questions { stream, message, sent: number + 1 });
        let stream_key = self.root.question_key(&self.scenario.topology().host(host).name, &name.to_string());
        let (id, way) = (DatagramId::new(stream_key, number), self.way_to_address(host, transmit));
        self.send_aside(host, way, payload, id, (stream, message, Bound::NameService(host)));
    }

    /// What a program writes.
    fn send_frame(&mut self, host: HostId, transmit: &Transmit, payload: Rc<[u8]>, stream: StreamId, message: u64) {
        let packet = DatagramId::packet_number(transmit.transport, transmit.fragment);
        let stream_key = self.streams[stream.index()].key;
        let id = DatagramId { packet, ..DatagramId::new(stream_key, message) };
        self.send_aside(host, self.way_to_address(host, transmit), payload, id, (stream, message, Bound::Uncounted));
    }

    /// Sends a packet that carries no message of a stream, because of one, if there is a way.
    fn send_aside(
        &mut self,
        host: HostId,
        way: Option<Way>,
        payload: Rc<[u8]>,
        id: DatagramId,
        (stream, message, bound): (StreamId, u64, Bound),
    ) {
        let Some(way) = way else { return };
        let cargo = Cargo { stream, target: 0, message, written: self.now(), bound, is_fragment: false };
        let flight = Flight::new(payload, id, host, way, cargo);
        self.tell(Event::SentAside { instance: instance(&flight), host });
        self.departures.push_back(flight);
    }
}

/// The name that a packet of the name service is about.
fn name_in(payload: &[u8]) -> Option<NetbiosName> {
    let repr = Packet::new(payload).and_then(|packet| Repr::parse(&packet, Profile::Windows)).ok()?;
    Some(repr.name.netbios)
}
