//! One run in virtual time: machines and programs, and the loop that lets things happen in order.

use std::rc::Rc;

use super::ack::{Agreement, Heard};
use super::books::{Books, Cause, Datagram, FlightKey};
use super::install::Installer;
use super::programs::{self, Programs};
use super::queue::Queue;
use super::reader::ReaderProgram;
use super::timeline::{Condition, Strike, timeline};
use super::traffic::{self, Sender};
use super::writer::{WriterProgram, write_once};
use super::{Driver, Outcome, Overload};
use crate::id::{HostId, StreamId};
use crate::mailslot::{Event, Machine, Message, Service, Write};
use crate::rng::Root;
use crate::scenario::{Reader, Scenario};
use crate::stats::{Instance, Observer};
use crate::time::Instant;

/// Everything that takes part in a run.
pub(super) struct World<O> {
    pub(super) scenario: Rc<Scenario>,
    pub(super) installer: Installer,
    timeline: Vec<(Instant, Strike)>,
    pub(super) books: Books<O>,
    queue: Queue<Happening>,
    pub(super) machines: Vec<Machine>,
    /// For each stream what is written, and the program that writes it.
    pub(super) writers: Vec<(Sender, WriterProgram)>,
    /// For each mailslot of the scenario its program, while it is open.
    pub(super) readers: Vec<Reading>,
    /// What programs have agreed on.
    agreement: Agreement,
    /// For each host its readers that wait for messages.
    readers_of: Vec<Vec<u32>>,
    /// For each host its readers that look from time to time.
    pollers_of: Vec<Vec<u32>>,
    pub(super) programs: Programs,
    /// For each reader the program that it reads for.
    reads_for: Vec<Option<u32>>,
    /// For each host when it is called, if it asked for that.
    pub(super) timers: Vec<Option<Instant>>,
    /// The readers whose moment has come while their host stands still.
    pub(super) stalled: Vec<(HostId, Wake)>,
    /// Room for a packet, and for flights that have arrived.
    pub(super) packet: Vec<u8>,
    arrived: Vec<(HostId, Datagram)>,
}

/// What reads a mailslot, if it is open.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) program: Option<ReaderProgram>,
    /// How many programs it has had: what was set for one is nothing to the next.
    pub(super) generation: u32,
}

/// A moment that a reader has set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wake {
    reader: u32,
    generation: u32,
}

/// What the queue holds.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// A sender writes.
    Write(StreamId),
    /// A flight comes to the end of the link that it is on.
    LinkEnd(FlightKey),
    /// A reader looks, or is free again.
    Reader(Wake),
    /// A machine has asked to be called.
    Timer(HostId),
    /// This of the timeline happens.
    Strike(u32),
    /// A program of an app starts.
    Start(u32),
    /// A program of an app has asked to be called.
    Program(u32),
}

impl<O: Observer> World<O> {
    pub(super) fn new(scenario: Rc<Scenario>, root: Root, observer: O) -> Self {
        let installer = Installer::new(scenario.clone());
        let hosts = scenario.topology().hosts().len();
        let machines: Vec<Machine> = (0..hosts as u32).map(|host| installer.machine(HostId(host))).collect();
        let [mut readers_of, mut pollers_of] = [(); 2].map(|()| vec![Vec::new(); hosts]);
        for (number, mailslot) in (0..).zip(&scenario.mailslots) {
            match mailslot.reader {
                Reader::Wait | Reader::ServiceTime(_) => readers_of[mailslot.host.index()].push(number),
                Reader::Poll(_) => pollers_of[mailslot.host.index()].push(number),
                Reader::Never => {}
            }
        }
        let senders = traffic::senders(&scenario, root);
        let books = Books::new(scenario.clone(), root, &senders, observer);
        let writer = |sender: Sender| {
            let program = WriterProgram::new(&sender);
            (sender, program)
        };
        let mut world = World {
            timeline: timeline(&scenario, root),
            installer,
            books,
            queue: Queue::new(),
            machines,
            writers: senders.into_iter().map(writer).collect(),
            agreement: Agreement::new(&scenario),
            readers: scenario.mailslots.iter().map(|_| Reading::default()).collect(),
            readers_of,
            pollers_of,
            programs: Programs::new(&scenario, root),
            reads_for: programs::reads_for(&scenario),
            timers: vec![None; hosts],
            stalled: Vec::new(),
            packet: Vec::new(),
            arrived: Vec::new(),
            scenario,
        };
        (0..hosts as u32).for_each(|host| world.start_readers(HostId(host)));
        world
    }

    /// Lets everything happen; returns what was counted.
    pub(super) fn run(mut self) -> Result<Outcome, Overload> {
        let end = self.scenario.end();
        for (number, (at, _)) in (0..).zip(&self.timeline) {
            self.queue.push(*at, Happening::Strike(number)); // first, so before all else of its moment
        }
        for program in programs::by_name(&self.scenario) {
            self.queue.push(Instant::ZERO, Happening::Start(program));
        }
        for stream in traffic::by_name(&self.scenario) {
            self.schedule_write(stream);
        }
        while let Some((at, happening)) = self.queue.pop_until(end) {
            self.books.set_now(at);
            match happening {
                Happening::Write(stream) => self.write(stream),
                Happening::LinkEnd(flight) => {
                    self.books.proceed(flight, link_ends(&mut self.queue));
                    self.deliver_all();
                }
                Happening::Timer(host) => self.handle_timeout(host),
                Happening::Strike(number) => self.strike(self.timeline[number as usize].1),
                Happening::Start(program) => self.start_program(program),
                Happening::Program(program) => self.wake_program(program),
                Happening::Reader(wake) => {
                    self.wake_reader(wake);
                    self.deliver_all();
                }
            }
            self.books.check_memory()?;
        }
        let apps = self.programs.finish(end);
        Ok(Outcome { apps, ..self.books.finish(Driver::Events) })
    }

    fn schedule_write(&mut self, stream: StreamId) {
        if let Some(at) = self.writers[stream.index()].0.next_time() {
            self.queue.push(at, Happening::Write(stream));
        }
    }

    /// A sender writes its next message.
    fn write(&mut self, stream: StreamId) {
        let (sender, program) = &mut self.writers[stream.index()];
        let host = sender.host();
        if sender.next_time() != Some(self.books.now()) {
            return self.schedule_write(stream); // what was to be written then was forgotten, or need not be written
        }
        if self.books.condition(host) != Condition::Up {
            self.books.unwritten(stream, sender.skip());
            return self.schedule_write(stream);
        }
        let outgoing = sender.next_message();
        let result = program.write(self.books.now(), &mut self.machines[host.index()], sender, outgoing);
        let is_pending = matches!(result, Ok(Write::Pending(_)));
        self.collect_packets(host, Cause::Write(stream, outgoing.message));
        self.books.wrote(stream, outgoing, result);
        self.take_events(host);
        self.depart_all();
        if is_pending {
            self.set_timer(host);
        }
        self.deliver_all();
        self.schedule_write(stream);
    }

    /// The time that a machine asked for has come.
    pub(super) fn handle_timeout(&mut self, host: HostId) {
        self.timers[host.index()] = None;
        if self.books.condition(host) != Condition::Up {
            return;
        }
        self.machines[host.index()].handle_timeout(self.books.now());
        self.settle_down(host, Cause::Timer);
        self.deliver_all();
    }

    /// Delivers what has come to hosts, and what comes at once because of that.
    pub(super) fn deliver_all(&mut self) {
        while !self.books.arrivals.is_empty() {
            let room = std::mem::take(&mut self.arrived);
            let mut arrived = std::mem::replace(&mut self.books.arrivals, room);
            arrived.iter().for_each(|(host, flight)| self.deliver(*host, flight));
            arrived.clear();
            self.arrived = arrived;
        }
    }

    fn deliver(&mut self, host: HostId, flight: &Datagram) {
        if !self.books.arrived(host, flight) {
            return;
        }
        let (now, from) = (self.books.now(), self.books.source(flight));
        let machine = &mut self.machines[host.index()];
        match flight.cargo().service() {
            Service::Name => machine.handle_name_packet(now, from, flight.payload()),
            Service::Datagram => {
                let disposition = machine.handle_datagram(now, from, flight.payload());
                self.books.took(host, flight, disposition);
            }
        }
        self.settle_down(host, Cause::Packet(flight));
    }

    /// After something happened to a machine: what it sends, what happened in it, and when it wants to be called.
    pub(super) fn settle_down(&mut self, host: HostId, cause: Cause<'_>) {
        self.collect_packets(host, cause);
        self.depart_all();
        self.take_events(host);
        self.set_timer(host);
    }

    fn collect_packets(&mut self, host: HostId, cause: Cause<'_>) {
        while let Some(transmit) = self.machines[host.index()].poll_transmit(&mut self.packet) {
            self.books.send(host, transmit, &self.packet, cause);
        }
    }

    /// Lets everything out that is due to leave its machine.
    pub(super) fn depart_all(&mut self) {
        while let Some(flight) = self.books.departures.pop_front() {
            self.books.depart(flight, link_ends(&mut self.queue));
        }
    }

    /// Takes note of what happened on a machine.
    pub(super) fn take_events(&mut self, host: HostId) {
        while let Some(event) = self.machines[host.index()].poll_event() {
            match event {
                Event::ReadDone { result: Err(_), .. } => {} // its slot was closed
                Event::ReadDone { id, result: Ok(message) } => {
                    let program = |reader: u32| self.readers[reader as usize].program.as_ref();
                    let awaits = |&&reader: &&u32| program(reader).is_some_and(|program| program.awaits(id));
                    let reader = *self.readers_of[host.index()].iter().find(awaits).expect("a reader waits for it");
                    self.let_read(host, reader, Some(message));
                }
                event => {
                    self.books.happened(host, event);
                    self.wake_pollers(host);
                    self.depart_all();
                }
            }
        }
        self.wake_pollers(host);
    }

    /// Sets the moment at which a program looks that does so from time to time, if there is something for it.
    fn wake_pollers(&mut self, host: HostId) {
        for &reader in &self.pollers_of[host.index()] {
            let Reading { program, generation } = &mut self.readers[reader as usize];
            let Some(program) = program else { continue };
            if let Some(at) = program.next_look(self.books.now(), &self.machines[host.index()]) {
                self.queue.push(at, Happening::Reader(Wake { reader, generation: *generation }));
            }
        }
    }

    /// Has a program of an app called at a moment.
    pub(super) fn call_program(&mut self, at: Instant, program: u32) {
        self.queue.push(at, Happening::Program(program));
    }

    /// Takes note of when a machine wants to be called. One that does not need the call any more gets it all the same,
    /// and asks anew.
    fn set_timer(&mut self, host: HostId) {
        let Some(at) = self.machines[host.index()].poll_timeout() else { return };
        let timer = &mut self.timers[host.index()];
        if timer.is_none_or(|timer| at < timer) {
            *timer = Some(at);
            self.queue.push(at, Happening::Timer(host));
        }
    }

    /// The moment that a reader has set has come.
    pub(super) fn wake_reader(&mut self, wake: Wake) {
        let host = self.scenario.mailslots[wake.reader as usize].host;
        if self.books.condition(host) == Condition::Paused {
            return self.stalled.push((host, wake));
        }
        let Reading { program: Some(program), generation } = &mut self.readers[wake.reader as usize] else { return };
        if *generation == wake.generation {
            program.wake();
            self.let_read(host, wake.reader, None);
        }
    }

    /// A reader goes on: it takes in the message that its waiting read got, if it did, and reads as long as there is
    /// something and it is not busy.
    fn let_read(&mut self, host: HostId, reader: u32, mut got: Option<Message>) {
        let now = self.books.now();
        loop {
            let Reading { program: Some(program), generation } = &mut self.readers[reader as usize] else { return };
            let message = match got.take() {
                Some(message) => message,
                None => match program.read(now, &mut self.machines[host.index()]) {
                    Some(message) => message,
                    None => return,
                },
            };
            let wake = Wake { reader, generation: *generation };
            let busy_until = program.busy_until(now);
            let slot = &self.scenario.mailslots[reader as usize].name;
            let heard = self.agreement.hear(host, slot, &message.data);
            let read = self.books.read(host, message.receipt);
            if let Some(heard) = heard {
                self.respond(host, read, heard);
            }
            if let Some(program) = self.reads_for[reader as usize] {
                self.let_hear(program, &message);
            }
            if let Some(at) = busy_until {
                return self.queue.push(at, Happening::Reader(wake));
            }
        }
    }

    /// A program has read what programs have agreed on: it replies, or it is a reply.
    fn respond(&mut self, host: HostId, read: Instance, heard: Heard) {
        let now = self.books.now();
        match heard {
            Heard::Message { to, reply } => {
                let result = write_once(now, &mut self.machines[host.index()], &to, &reply);
                self.collect_packets(host, Cause::Write(read.stream, read.message));
                self.books.replied(host, read, result);
                self.depart_all();
                self.take_events(host);
                self.set_timer(host);
            }
            Heard::Reply { stream, message, from } => {
                let belief = self.writers[stream.index()].0.reply(now, message, from);
                belief.into_iter().for_each(|belief| self.books.believes(belief, read));
            }
        }
    }
}

/// Puts the ends of links into the queue.
fn link_ends(queue: &mut Queue<Happening>) -> impl FnMut(Instant, FlightKey) {
    |at, flight| queue.push(at, Happening::LinkEnd(flight))
}
