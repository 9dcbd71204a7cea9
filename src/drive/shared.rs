//! What the handles and tasks of one host share: the engine, and who waits for what.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant as Clock;

use super::error::Error;
use super::socket::{DatagramSocket, MAX_UDP_PAYLOAD, Sockets};
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
    /// A message may have come to a slot.
    arrived: Notify,
    /// There is room for packets again.
    room: Notify,
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
    pub(super) claims: BTreeMap<NetbiosName, Vec<oneshot::Sender<Result<(), Error>>>>,
    /// Packets that the sockets did not take at once.
    outbox: VecDeque<(Service, SocketAddrV4, Vec<u8>)>,
    /// When the engine wants to be called, as far as the host's task has been told.
    alarm: Option<Instant>,
    /// Whether the engine is not called when it wants to be.
    is_held: bool,
    /// Why nothing is heard any more.
    failure: Option<Error>,
    /// Why the last packet of the name service could not be sent, if it could not.
    name_failure: Option<Error>,
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
            is_held: false,
            failure: None,
            name_failure: None,
            watch,
            packet: Vec::new(),
        };
        let [changed, arrived, room] = [Notify::new(), Notify::new(), Notify::new()];
        Shared { sockets, epoch: Clock::now(), state: Mutex::new(state), changed, arrived, room }
    }

    pub(super) fn sockets(&self) -> &Sockets<S> {
        &self.sockets
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Only a watch can panic meanwhile; the engine is whole then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine's time.
    pub(super) fn now(&self) -> Instant {
        let nanos = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Instant::from_nanos(nanos)
    }

    /// Does something with the engine, and lets everything out that it has to send and to say because of that.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        let state = &mut *self.lock();
        let result = act(state, self.now());
        self.send_packets(state);
        self.tell_events(state);
        result
    }

    /// Waits until `is_there` says that what is waited for is there; it is asked again whenever something has happened.
    pub(super) async fn arrival(&self, is_there: impl Fn(&State) -> Result<bool, Error>) -> Result<(), Error> {
        loop {
            let arrived = self.arrived.notified(); // from now on, whether it is awaited or not
            {
                let state = self.lock();
                if is_there(&state)? {
                    return Ok(());
                }
                state.check()?;
            }
            arrived.await;
        }
    }

    /// Waits until the socket has taken so many packets that there is room for those of a write.
    pub(super) async fn room(&self) {
        loop {
            let room = self.room.notified();
            if self.lock().outbox.len() <= MAX_OUTBOX / 2 {
                return;
            }
            room.await;
        }
    }

    /// Writes, and lets out what that leads to.
    pub(super) fn write(&self, handle: Handle, data: &[u8]) -> Result<Begun, Error> {
        let state = &mut *self.lock();
        let now = self.now();
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
            (Some(error), Some(Begun::Done(_))) => Err(error),
            (_, begun) => begun.ok_or_else(|| result.expect_err("it did not begin").into()),
        }
    }

    /// Reads what comes to a socket, until the socket fails.
    pub(super) async fn listen(&self, service: Service, socket: &S) {
        let mut buffer = vec![0; MAX_UDP_PAYLOAD];
        let mut failures = 0;
        loop {
            match socket.recv_from(&mut buffer).await {
                Ok((len, from)) => {
                    failures = 0;
                    self.take(service, from, &buffer[..len]);
                }
                // Some systems report here that an earlier datagram reached nobody, and an interface may come back.
                Err(_) if failures < MAX_FAILURES => {
                    failures += 1;
                    tokio::time::sleep(RECOVERY).await;
                }
                Err(error) => return self.fail(error),
            }
        }
    }

    /// Calls the engine when it wants to be called, and sends what a socket did not take at once.
    pub(super) async fn tend(&self) {
        loop {
            let (alarm, is_held, blocked) = {
                let mut state = self.lock();
                state.alarm = state.machine.poll_timeout();
                (state.alarm, state.is_held, state.outbox.front().map(|(service, ..)| *service))
            };
            let alarm = alarm.filter(|_| !is_held).map(|at| self.epoch + std::time::Duration::from_nanos(at.nanos()));
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = sleep_until(alarm) => self.handle_timeout(),
                () = self.writable(blocked) => self.empty_outbox(),
            }
        }
    }

    /// The engine is no longer called when it wants to be, or is again.
    #[cfg(feature = "turmoil")]
    pub(super) fn hold(&self, held: bool) {
        self.lock().is_held = held;
        self.changed.notify_one();
    }

    /// A packet came.
    fn take(&self, service: Service, from: SocketAddrV4, payload: &[u8]) {
        if service == Service::Datagram && self.sockets.is_own(from) {
            return; // the engine knows those of the name service itself
        }
        self.act(|state, now| {
            let disposition = match service {
                Service::Datagram => Some(state.machine.handle_datagram(now, from, payload)),
                Service::Name => {
                    state.machine.handle_name_packet(now, from, payload);
                    None
                }
            };
            state.watch.received(now, service, from, payload, disposition);
        });
    }

    fn handle_timeout(&self) {
        self.act(|state, now| {
            state.machine.handle_timeout(now);
            state.watch.timed_out(now);
        });
    }

    /// Gives the engine's packets to the sockets; says if one refused a packet of a write that is not pending.
    fn send_packets(&self, state: &mut State) -> Option<Error> {
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
            let failure = match sent {
                Ok(()) => None,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if state.outbox.len() < MAX_OUTBOX {
                        state.outbox.push_back((service, to, packet.clone()));
                    }
                    None
                }
                Err(error) => Some(Error::Network(Arc::new(error))),
            };
            match (service, write, failure) {
                (Service::Name, _, failure) => state.name_failure = failure,
                (Service::Datagram, None, Some(failure)) => refused = Some(failure),
                (Service::Datagram, Some(id), Some(failure)) => answer(state.writes.remove(&id), Err(failure)),
                (Service::Datagram, _, None) => {}
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
                Event::WriteDone { id, result } => {
                    let result = result.map_err(|error| state.unless_unsent(error.into()));
                    answer(state.writes.remove(&id), result);
                }
                Event::NameRegistered { name } => {
                    let result = state.name_failure.clone().map_or(Ok(()), Err); // nobody could object
                    state.end_claim(name, &result);
                }
                Event::NameRefused { name, by } => {
                    let error = state.unless_unsent(Error::NameRefused { name, by });
                    state.end_claim(name, &Err(error));
                }
                Event::NameConflict { .. } | Event::SlotClosed { .. } | Event::ReassemblyDone { .. } => {}
            }
        }
        self.arrived.notify_waiters();
        if state.machine.poll_timeout() != state.alarm || !state.outbox.is_empty() {
            self.changed.notify_one();
        }
    }

    /// A socket failed: nobody can wait for what it would have heard.
    fn fail(&self, error: io::Error) {
        let error = Error::Network(Arc::new(error));
        self.act(|state, _| {
            for (id, waiting) in std::mem::take(&mut state.reads) {
                state.machine.cancel_read(id);
                let _ = waiting.send(Err(error.clone()));
            }
            state.failure = Some(error);
        });
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
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Its write has returned: what becomes of a datagram after that is told to nobody.
                Ok(()) | Err(_) => drop(state.outbox.pop_front()),
            }
        }
        self.room.notify_waiters();
    }
}

impl State {
    /// Why nothing can be heard any more, if it cannot.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Waits for what becomes of the claim of a name.
    pub(super) fn claim(&mut self, name: NetbiosName) -> oneshot::Receiver<Result<(), Error>> {
        let (sender, receiver) = oneshot::channel();
        self.claims.entry(name).or_default().push(sender);
        receiver
    }

    fn end_claim(&mut self, name: NetbiosName, result: &Result<(), Error>) {
        for waiting in self.claims.remove(&name).into_iter().flatten() {
            let _ = waiting.send(result.clone());
        }
    }

    /// What ended a lookup or a claim: if not even the question could be sent, that and not the silence after it.
    fn unless_unsent(&self, error: Error) -> Error {
        self.name_failure.clone().unwrap_or(error)
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

/// So many times in a row a socket may fail to receive before it is given up, this far apart: a choice.
const MAX_FAILURES: u32 = 10;
const RECOVERY: std::time::Duration = std::time::Duration::from_millis(100);
/// The most packets that wait for a socket; further ones are lost, as in any full buffer: a choice.
pub const MAX_OUTBOX: usize = 1024;
