//! The name service of one machine: its names, its timers, its queue of packets.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use super::cache::Cache;
use super::calls::{Config, Destination, Event, Mode, NameKind};
use super::database::Database;
use super::directory::Owner;
use super::transaction::{
    BCAST_REQ_RETRY_COUNT, BCAST_REQ_RETRY_TIMEOUT, Task, Transactions, UCAST_REQ_RETRY_COUNT, UCAST_REQ_RETRY_TIMEOUT,
};
use crate::time::{Duration, Instant};
use crate::wire::datagram::NodeType;
use crate::wire::nbns::{self, Entry, Message, Repr};
use crate::wire::{Name, NetbiosName};

/// The most packets that wait for [`NameService::poll_transmit`]; further ones are lost, as in the full buffer of a
/// socket. A choice: more than all lookups and names of a machine need at once.
pub const MAX_TRANSMITS: usize = 1024;

/// The name service of one machine: see the [module](super).
#[derive(Debug)]
pub struct NameService {
    pub(super) config: Config,
    /// Where its packets come from.
    pub(super) port: u16,
    pub(super) own: BTreeMap<NetbiosName, OwnName>,
    /// What is held for others, by a name server only.
    pub(super) database: Option<Database>,
    pub(super) cache: Cache,
    pub(super) transactions: Transactions,
    pub(super) events: VecDeque<Event>,
    transmits: VecDeque<(Destination, Vec<u8>)>,
    spare_packet: Option<Vec<u8>>,
}

/// A name in the local name table.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnName {
    pub(super) kind: NameKind,
    /// Marked by a NAME CONFLICT DEMAND: logically it is not there (RFC 1001 15.1.3.5).
    pub(super) in_conflict: bool,
}

impl NameService {
    /// The name service of a machine that bears `names` from the beginning, as if it had registered them before; of
    /// twice the same name the last counts. `*` is everybody's and left out.
    #[must_use]
    pub fn new(config: Config, names: impl IntoIterator<Item = (NetbiosName, NameKind)>) -> Self {
        let mut service = NameService {
            database: config.is_server.then(Database::default),
            config,
            port: nbns::PORT,
            own: BTreeMap::new(),
            cache: Cache::default(),
            transactions: Transactions::default(),
            events: VecDeque::new(),
            transmits: VecDeque::new(),
            spare_packet: None,
        };
        for (name, kind) in names.into_iter().filter(|(name, _)| *name != NetbiosName::ANY) {
            service.own.insert(name, OwnName { kind, in_conflict: false });
            service.publish(name, kind);
        }
        service
    }

    /// Says from which port its packets come, where it is not 137: what comes from 137 of the machine's address is then
    /// another program's.
    pub fn set_port(&mut self, port: u16) {
        self.port = port;
    }

    /// Whether a datagram to `name` is for this machine: it bears the name, or the name is `*`.
    #[must_use]
    pub fn holds(&self, name: &NetbiosName) -> bool {
        self.kind(name).is_some()
    }

    /// How the machine bears `name`; `None` if it does not, or the name is in conflict. `*` is a group of all.
    #[must_use]
    pub fn kind(&self, name: &NetbiosName) -> Option<NameKind> {
        if *name == NetbiosName::ANY {
            return Some(NameKind::Group);
        }
        self.own.get(name).filter(|own| !own.in_conflict).map(|own| own.kind)
    }

    /// Fills a name server's database beforehand, as if the owner had registered the name. Other machines have none:
    /// nothing happens there. Nor does anything beyond [`MAX_DATABASE`](super::MAX_DATABASE) names.
    pub fn learn(&mut self, name: NetbiosName, owner: Owner) {
        if let Some(database) = &mut self.database {
            database.learn(name, owner);
        }
    }

    /// Remembers who bears a name, as if it had been answered so: for [`MAX_CACHE_SECONDS`](super::MAX_CACHE_SECONDS).
    pub fn remember(&mut self, now: Instant, name: NetbiosName, owner: Owner) {
        self.cache.insert(now, name, owner, nbns::INFINITE_TTL);
    }

    /// When [`NameService::handle_timeout`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.transactions.next_deadline()
    }

    /// Repeats or ends what has waited long enough at `now`, in the order of the deadlines.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(id) = self.transactions.due(now) {
            let (count, _) = self.retries();
            let transaction = self.transactions.get(id);
            if !matches!(transaction.task, Task::Watch(_)) && transaction.sent < count {
                self.send_request(now, id);
            } else if let Some(ended) = self.transactions.close(id) {
                match ended.task {
                    Task::Query => self.events.push_back(Event::Resolved { name: ended.name, owner: None }),
                    Task::Register(kind) => self.end_claim(id, ended.name, kind),
                    Task::Watch(_) | Task::Release(_) => {}
                }
            }
        }
    }

    /// The next event, in the order in which they happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next packet to send, which replaces what `packet` held; `None` when there is none.
    pub fn poll_transmit(&mut self, packet: &mut Vec<u8>) -> Option<Destination> {
        let (destination, mut bytes) = self.transmits.pop_front()?;
        std::mem::swap(packet, &mut bytes);
        self.spare_packet = Some(bytes);
        Some(destination)
    }

    /// Opens a transaction and sends its first request.
    pub(super) fn start(&mut self, now: Instant, name: NetbiosName, task: Task) {
        let id = self.transactions.open(now, name, task);
        self.send_request(now, id);
    }

    fn send_request(&mut self, now: Instant, id: u16) {
        let (_, timeout) = self.retries();
        self.transactions.postpone(id, now + timeout);
        let transaction = self.transactions.get(id);
        transaction.sent += 1;
        let (name, task) = (transaction.name, transaction.task.clone());
        let broadcast = self.server().is_none();
        let message = match task {
            Task::Query | Task::Watch(_) => Message::Query { broadcast },
            Task::Register(kind) => Message::Register { broadcast, ttl: super::ANSWER_TTL, owner: self.entry(kind) },
            Task::Release(kind) => Message::Release { broadcast, owner: self.entry(kind) },
        };
        let to = match self.server() {
            Some(address) => Destination::Unicast(SocketAddrV4::new(address, nbns::PORT)),
            None => Destination::Broadcast,
        };
        self.send(to, id, name, message);
    }

    /// Queues a packet for [`NameService::poll_transmit`].
    pub(super) fn send(&mut self, to: Destination, id: u16, name: NetbiosName, message: Message) {
        if self.transmits.len() >= MAX_TRANSMITS {
            return;
        }
        let name = Name { netbios: name, scope: self.config.scope.clone() };
        let mut packet = self.spare_packet.take().unwrap_or_default();
        packet.clear();
        Repr { id, name, message }.emit(&mut packet);
        self.transmits.push_back((to, packet));
    }

    /// How often a request is sent, and how long each waits.
    fn retries(&self) -> (u32, Duration) {
        match self.config.mode {
            Mode::Server(_) => (UCAST_REQ_RETRY_COUNT, UCAST_REQ_RETRY_TIMEOUT),
            Mode::Static(_) | Mode::Broadcast => (BCAST_REQ_RETRY_COUNT, BCAST_REQ_RETRY_TIMEOUT),
        }
    }

    /// The name server that is asked.
    pub(super) fn server(&self) -> Option<Ipv4Addr> {
        match self.config.mode {
            Mode::Server(address) => Some(address),
            Mode::Static(_) | Mode::Broadcast => None,
        }
    }

    /// Whether requests have somebody to go to: not in static mode, and not if the name server is this machine itself.
    pub(super) fn asks_others(&self) -> bool {
        match self.config.mode {
            Mode::Static(_) => false,
            Mode::Broadcast => true,
            Mode::Server(address) => address != self.config.address,
        }
    }

    /// This machine as the owner of a name.
    pub(super) fn entry(&self, kind: NameKind) -> Entry {
        let node = if self.server().is_some() { NodeType::P } else { NodeType::B };
        Entry { group: kind == NameKind::Group, node, address: self.config.address }
    }
}
