//! Finding out who bears a name (RFC 1001 15.3; RFC 1002 5.1.1.3, 5.1.2.3).

use std::net::{Ipv4Addr, SocketAddrV4};

use super::calls::{Destination, Event, Lookup, Mode, NameKind};
use super::database::SUFFIX_INTERNET_GROUP;
use super::directory::{MAX_MEMBERS, Owner};
use super::service::NameService;
use super::transaction::{CONFLICT_TIMER, Task};
use crate::time::Instant;
use crate::wire::NetbiosName;
use crate::wire::nbns::{Entry, Message};

/// The most lookups that are open at once; beyond it, names are missing. Answered ones count for as long as the
/// conflict timer runs, but make place for new ones. A choice.
pub const MAX_LOOKUPS: usize = 256;

impl NameService {
    /// Who bears `name`. Known at once are the names of this machine, what its directory says in static mode, what it
    /// holds as a name server and what it remembers; else it asks. Who is asked already is not asked again.
    ///
    /// Of an internet group (suffix 1C) that it belongs to, the machine knows only itself: its name server knows the
    /// rest, and is asked.
    pub fn lookup(&mut self, now: Instant, name: &NetbiosName) -> Lookup {
        if let Some(owner) = self.known(now, name) {
            return Lookup::Found(owner);
        }
        if !self.asks_others() {
            return Lookup::Missing;
        }
        if self.transactions.about(name, Task::is_query).is_some() {
            return Lookup::Pending;
        }
        if self.transactions.count(Task::is_lookup) >= MAX_LOOKUPS {
            let Some(watch) = self.transactions.oldest_watch() else { return Lookup::Missing };
            self.transactions.close(watch);
        }
        self.start(now, *name, Task::Query);
        Lookup::Pending
    }

    fn known(&mut self, now: Instant, name: &NetbiosName) -> Option<Owner> {
        if let Mode::Static(directory) = &self.config.mode
            && let Some(owner) = directory.resolve(name)
        {
            return Some(owner);
        }
        let others_listed =
            name.suffix() == SUFFIX_INTERNET_GROUP && (self.server().is_some() || self.database.is_some());
        match self.kind(name) {
            Some(NameKind::Unique) => return Some(Owner::Unique(self.config.address)),
            Some(NameKind::Group) if !others_listed => return Some(Owner::Group),
            Some(NameKind::Group) | None => {}
        }
        self.database.as_ref().and_then(|database| database.owner(name)).or_else(|| self.cache.get(now, name))
    }

    /// A positive answer: the first one counts, and ends the lookup. To a broadcast query, others may follow for a
    /// while; one that does not fit with the first is told so (RFC 1001 15.1.3.5), and the name is forgotten (RFC 1002
    /// 5.1.1.5).
    pub(super) fn answered(
        &mut self,
        now: Instant,
        from: SocketAddrV4,
        id: u16,
        name: NetbiosName,
        (ttl, owners): (u32, &[Entry]),
    ) {
        let by_server = self.server().is_some();
        let Some(owner) = owner_of(owners, by_server).filter(|_| self.may_answer(*from.ip())) else { return };
        let Some(open) = self.transactions.find(id, &name) else { return };
        match &open.task {
            Task::Query => {
                open.task = Task::Watch(owner.clone());
                if by_server {
                    self.transactions.close(id);
                } else {
                    self.transactions.postpone(id, now + CONFLICT_TIMER);
                }
                self.cache.insert(now, name, owner.clone(), ttl);
                self.events.push_back(Event::Resolved { name, owner: Some(owner) });
            }
            // Two groups are equal here, whoever answers: only a unique name is in conflict.
            Task::Watch(first) if *first != owner => {
                self.cache.remove(&name);
                self.send(Destination::Unicast(from), id, name, Message::conflict_demand());
            }
            Task::Watch(_) | Task::Register(_) | Task::Release(_) => {}
        }
    }

    /// The name server knows nobody. Of other machines, nobody says so (RFC 1002 5.1.1.3).
    pub(super) fn not_found(&mut self, from: Ipv4Addr, id: u16, name: NetbiosName) {
        if self.server() == Some(from) && self.transactions.awaits(id, &name, Task::is_query) {
            self.transactions.close(id);
            self.events.push_back(Event::Resolved { name, owner: None });
        }
    }

    /// Whether answers from `address` count: anybody's to a broadcast, else the name server's only.
    pub(super) fn may_answer(&self, address: Ipv4Addr) -> bool {
        self.server().is_none_or(|server| server == address)
    }
}

/// Whom the owners of an answer stand for; `None` if there are none.
///
/// A group that a machine says it belongs to may have any number of others. A name server lists the members, or says
/// with the limited broadcast address that it has no list (Microsoft TechNet cc959220, "Registration of Group Names").
fn owner_of(owners: &[Entry], by_server: bool) -> Option<Owner> {
    let first = owners.first()?;
    if !first.group {
        return Some(Owner::Unique(first.address));
    }
    if !by_server || owners.iter().any(|owner| owner.address.is_broadcast()) {
        return Some(Owner::Group);
    }
    Some(Owner::Members(owners.iter().take(MAX_MEMBERS).map(|owner| owner.address).collect()))
}
