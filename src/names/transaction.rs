//! What a machine has asked and waits for, with the retry timers (RFC 1002 6).

use std::collections::{BTreeMap, BTreeSet};

use super::calls::NameKind;
use super::directory::Owner;
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;

/// How often a request is broadcast (RFC 1002 6).
pub const BCAST_REQ_RETRY_COUNT: u32 = 3;
/// How long each broadcast request waits for answers (RFC 1002 6). Windows waits 750 ms for those to queries
/// (`BcastQueryTimeout`, Microsoft KB 314053); the RFC's value is the choice here.
pub const BCAST_REQ_RETRY_TIMEOUT: Duration = Duration::from_millis(250);
/// How often a request is sent to a name server (RFC 1002 6).
pub const UCAST_REQ_RETRY_COUNT: u32 = 3;
/// How long each request to a name server waits for its answer (RFC 1002 6).
pub const UCAST_REQ_RETRY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long after the first answer to a broadcast query further ones are compared with it (RFC 1002 6).
pub const CONFLICT_TIMER: Duration = Duration::from_secs(1);

/// A request that is open, or the time after its answer.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) name: NetbiosName,
    pub(super) task: Task,
    /// How often the request went out.
    pub(super) sent: u32,
    deadline: Instant,
}

/// What a transaction is for.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// Finds out who bears the name.
    Query,
    /// The query was answered with this owner: other answers show a conflict.
    Watch(Owner),
    /// Claims the name.
    Register(NameKind),
    /// Tells that the name was given up.
    Release(NameKind),
}

impl Task {
    /// A lookup, answered or not: their number is limited.
    pub(super) fn is_lookup(&self) -> bool {
        matches!(self, Task::Query | Task::Watch(_))
    }

    pub(super) fn is_query(&self) -> bool {
        matches!(self, Task::Query)
    }

    pub(super) fn is_claim(&self) -> bool {
        matches!(self, Task::Register(_))
    }

    pub(super) fn is_release(&self) -> bool {
        matches!(self, Task::Release(_))
    }
}

/// All transactions of a machine, by NAME_TRN_ID.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: BTreeMap<u16, Transaction>,
    deadlines: BTreeSet<(Instant, u16)>,
    last_id: u16,
}

impl Transactions {
    /// Opens a transaction that is due at once, and returns its number: one that no open one has. There are far fewer
    /// than numbers, see [`MAX_LOOKUPS`](super::MAX_LOOKUPS) and [`MAX_OWN_NAMES`](super::MAX_OWN_NAMES).
    pub(super) fn open(&mut self, now: Instant, name: NetbiosName, task: Task) -> u16 {
        self.last_id = self.last_id.wrapping_add(1);
        while self.open.contains_key(&self.last_id) {
            self.last_id = self.last_id.wrapping_add(1);
        }
        let id = self.last_id;
        self.open.insert(id, Transaction { name, task, sent: 0, deadline: now });
        self.deadlines.insert((now, id));
        id
    }

    /// The transaction that a response about `name` belongs to, if any.
    pub(super) fn find(&mut self, id: u16, name: &NetbiosName) -> Option<&mut Transaction> {
        self.open.get_mut(&id).filter(|transaction| transaction.name == *name)
    }

    /// Whether a response about `name` belongs to a transaction of this kind.
    pub(super) fn awaits(&self, id: u16, name: &NetbiosName, is: fn(&Task) -> bool) -> bool {
        self.open.get(&id).is_some_and(|open| open.name == *name && is(&open.task))
    }

    /// An open transaction by its number, which the caller has from here.
    pub(super) fn get(&mut self, id: u16) -> &mut Transaction {
        self.open.get_mut(&id).expect("the transaction is open")
    }

    /// Sets when a transaction is due.
    pub(super) fn postpone(&mut self, id: u16, deadline: Instant) {
        let transaction = self.get(id);
        let before = std::mem::replace(&mut transaction.deadline, deadline);
        self.deadlines.remove(&(before, id));
        self.deadlines.insert((deadline, id));
    }

    pub(super) fn close(&mut self, id: u16) -> Option<Transaction> {
        let transaction = self.open.remove(&id)?;
        self.deadlines.remove(&(transaction.deadline, id));
        Some(transaction)
    }

    /// The number of the first transaction about `name` of which `is` holds.
    pub(super) fn about(&self, name: &NetbiosName, is: fn(&Task) -> bool) -> Option<u16> {
        self.open.iter().find(|(_, open)| open.name == *name && is(&open.task)).map(|(id, _)| *id)
    }

    pub(super) fn count(&self, is: fn(&Task) -> bool) -> usize {
        self.open.values().filter(|open| is(&open.task)).count()
    }

    /// The answered query whose time is over first.
    pub(super) fn oldest_watch(&self) -> Option<u16> {
        let is_watch = |id: &u16| matches!(self.open[id].task, Task::Watch(_));
        self.deadlines.iter().map(|(_, id)| *id).find(is_watch)
    }

    /// The first transaction that is due at `now`.
    pub(super) fn due(&self, now: Instant) -> Option<u16> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|(_, id)| *id)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}
