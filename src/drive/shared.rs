//! What the handles and tasks of one host share: the engine, and who waits for what.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant as Clock;

use super::error::Error;
use super::host::NameRefused;
use super::socket::{DatagramSocket, Sockets};
use super::watch::Watch;
use crate::mailslot::{Event, Handle, Machine, Message, ReadId, Service, Transmit, Write, WriteId, Written};
use crate::time::Instant;
use crate::wire::NetbiosName;

/// One host: its sockets, and its engine behind a lock that is never held while anything is awaited.
pub(super) struct Shared<S> {
    sockets: Sockets<S>,
    /// When the engine's time began.
    epoch: Clock,
    state: Mutex<State>,
    /// The engine wants to be called at another time, or packets wait for a socket.
    changed: Notify,
}

/// A write that was called and did not fail.
pub(super) enum Begun {
    Done(Written),
    Pending(WriteId, oneshot::Receiver<Result<Written, Error>>),
}

pub(super) struct State {
    pub(super) machine: Machine,
    pub(super) reads: BTreeMap<ReadId, oneshot::Sender<Result<Message, Error>>>,
    pub(super) writes: BTreeMap<WriteId, oneshot::Sender<Result<Written, Error>>>,
    pub(super) claims: BTreeMap<NetbiosName, Vec<oneshot::Sender<Result<(), NameRefused>>>>,
    /// Packets that the sockets did not take at once.
    outbox: VecDeque<(Service, SocketAddrV4, Vec<u8>)>,
    /// When the engine wants to be called, as far as the host's task has been told.
    alarm: Option<Instant>,
    /// Why nothing is heard any more.
    failure: Option<Error>,
    watch: Box<dyn Watch>,
    packet: Vec<u8>,
}

impl<S: DatagramSocket> Shared<S> {
    pub(super) fn new(machine: Machine, sockets: Sockets<S>, watch: Box<dyn Watch>) -> Self {
        let state = State {
            machine,
            reads: BTreeMap::new(),
            writes: BTreeMap::new(),
            claims: BTreeMap::new(),
            outbox: VecDeque::new(),
            alarm: None,
            failure: None,
            watch,
            packet: Vec::new(),
        };
        Shared { sockets, epoch: Clock::now(), state: Mutex::new(state), changed: Notify::new() }
    }

    pub(super) fn sockets(&self) -> &Sockets<S> {
        &self.sockets
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while the engine is called")
    }

    /// The engine's time.
    pub(super) fn now(&self) -> Instant {
        let nanos = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Instant::from_nanos(nanos)
    }

    /// Lets everything out that the engine has to send and to say.
    pub(super) fn settle(&self, state: &mut State) {
        self.send_packets(state);
        self.tell_events(state);
    }

    /// Writes, and lets out what that leads to.
    pub(super) fn write(&self, handle: Handle, data: &[u8]) -> Result<Begun, Error> {
        let (now, state) = (self.now(), &mut *self.lock());
        let result = state.machine.write(now, handle, data);
        let begun = result.as_ref().ok().map(|write| match write {
            Write::Done(written) => Begun::Done(*written),
            Write::Pending(id) => {
                let (sender, result) = oneshot::channel();
                state.writes.insert(*id, sender);
                Begun::Pending(*id, result)
            }
        });
        let refused = self.send_packets(state);
        state.watch.wrote(now, &result);
        self.tell_events(state);
        match (refused, begun) {
            (Some(error), Some(Begun::Done(_))) => Err(Error::Network(error)),
            (_, begun) => begun.ok_or_else(|| result.expect_err("it did not begin").into()),
        }
    }

    /// Reads what comes to a socket, until the socket fails.
    pub(super) async fn listen(&self, service: Service, socket: &S) {
        let mut buffer = vec![0; MAX_UDP_PAYLOAD];
        loop {
            match socket.recv_from(&mut buffer).await {
                Ok((len, from)) => self.take(service, from, &buffer[..len]),
                // Some systems report here that an earlier datagram reached nobody: nothing that a receiver cares for.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return self.fail(error),
            }
        }
    }

    /// Calls the engine when it wants to be called, and sends what a socket did not take at once.
    pub(super) async fn tend(&self) {
        loop {
            let (alarm, blocked) = {
                let mut state = self.lock();
                state.alarm = state.machine.poll_timeout();
                (state.alarm, state.outbox.front().map(|(service, ..)| *service))
            };
            let alarm = alarm.map(|at| self.epoch + std::time::Duration::from_nanos(at.nanos()));
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = sleep_until(alarm) => self.handle_timeout(),
                () = self.writable(blocked) => self.empty_outbox(),
            }
        }
    }

    /// A packet came.
    fn take(&self, service: Service, from: SocketAddrV4, payload: &[u8]) {
        if self.sockets.is_own(service, from) {
            return;
        }
        let (now, state) = (self.now(), &mut *self.lock());
        let disposition = match service {
            Service::Datagram => Some(state.machine.handle_datagram(now, from, payload)),
            Service::Name => {
                state.machine.handle_name_packet(now, from, payload);
                None
            }
        };
        state.watch.received(now, service, from, payload, disposition);
        self.settle(state);
    }

    fn handle_timeout(&self) {
        let (now, state) = (self.now(), &mut *self.lock());
        state.machine.handle_timeout(now);
        state.watch.timed_out(now);
        self.settle(state);
    }

    /// Gives the engine's packets to the sockets; says if one refused a packet of a write that is not pending.
    fn send_packets(&self, state: &mut State) -> Option<Arc<io::Error>> {
        let (now, mut packet) = (self.now(), std::mem::take(&mut state.packet));
        let mut refused = None;
        while let Some(transmit) = state.machine.poll_transmit(&mut packet) {
            state.watch.sent(now, &transmit, &packet);
            let Transmit { destination, service, write, .. } = transmit;
            let Some(socket) = self.sockets.of(service) else { continue };
            let to = self.sockets.resolve(service, destination);
            let sent = match state.outbox.is_empty() {
                true => socket.try_send_to(&packet, to),
                false => Err(io::ErrorKind::WouldBlock.into()),
            };
            match sent {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if state.outbox.len() < MAX_OUTBOX {
                        state.outbox.push_back((service, to, packet.clone()));
                    }
                }
                Err(error) => match write {
                    None => refused = Some(Arc::new(error)),
                    Some(id) => {
                        if let Some(waiting) = state.writes.remove(&id) {
                            let _ = waiting.send(Err(Error::Network(Arc::new(error))));
                        }
                    }
                },
            }
        }
        state.packet = packet;
        refused
    }

    /// Wakes those who wait for what has happened.
    fn tell_events(&self, state: &mut State) {
        let now = self.now();
        while let Some(event) = state.machine.poll_event() {
            state.watch.event(now, &event);
            match event {
                Event::ReadDone { id, result } => answer(state.reads.remove(&id), result.map_err(Error::from)),
                Event::WriteDone { id, result } => answer(state.writes.remove(&id), result.map_err(Error::from)),
                Event::NameRegistered { name } => state.end_claim(name, Ok(())),
                Event::NameRefused { name, by } => state.end_claim(name, Err(NameRefused { name, by })),
                Event::NameConflict { .. } | Event::ReassemblyDone { .. } => {}
            }
        }
        if state.machine.poll_timeout() != state.alarm || !state.outbox.is_empty() {
            self.changed.notify_one();
        }
    }

    /// A socket failed: nobody can wait for what it would have heard.
    fn fail(&self, error: io::Error) {
        let state = &mut *self.lock();
        let error = Error::Network(Arc::new(error));
        for (id, waiting) in std::mem::take(&mut state.reads) {
            state.machine.cancel_read(id);
            let _ = waiting.send(Err(error.clone()));
        }
        state.failure = Some(error);
        self.settle(state);
    }

    async fn writable(&self, blocked: Option<Service>) {
        match blocked.and_then(|service| self.sockets.of(service)) {
            // A socket that cannot even say so refuses the packet itself.
            Some(socket) => drop(socket.writable().await),
            None => std::future::pending().await,
        }
    }

    fn empty_outbox(&self) {
        let state = &mut *self.lock();
        while let Some((service, to, packet)) = state.outbox.front() {
            let socket = self.sockets.of(*service).expect("what waits has a socket");
            match socket.try_send_to(packet, *to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Its write has returned: what becomes of a datagram after that is told to nobody.
                Ok(()) | Err(_) => drop(state.outbox.pop_front()),
            }
        }
    }
}

impl State {
    /// Why nothing can be heard any more, if it cannot.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Waits for what becomes of the claim of a name.
    pub(super) fn claim(&mut self, name: NetbiosName) -> oneshot::Receiver<Result<(), NameRefused>> {
        let (sender, receiver) = oneshot::channel();
        self.claims.entry(name).or_default().push(sender);
        receiver
    }

    fn end_claim(&mut self, name: NetbiosName, result: Result<(), NameRefused>) {
        for waiting in self.claims.remove(&name).into_iter().flatten() {
            let _ = waiting.send(result);
        }
    }
}

/// Gives a result to who waits for it; it is nobody's if the wait was given up.
fn answer<T>(waiting: Option<oneshot::Sender<T>>, result: T) {
    if let Some(waiting) = waiting {
        let _ = waiting.send(result);
    }
}

async fn sleep_until(alarm: Option<Clock>) {
    match alarm {
        Some(alarm) => tokio::time::sleep_until(alarm).await,
        None => std::future::pending().await,
    }
}

/// The longest payload of a UDP datagram.
const MAX_UDP_PAYLOAD: usize = 65_507;
/// The most packets that wait for a socket; further ones are lost, as in any full buffer: a choice.
pub const MAX_OUTBOX: usize = 1024;
