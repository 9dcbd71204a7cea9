//! Claiming names and giving them up (RFC 1001 15.2, 15.4; RFC 1002 5.1.1.1, 5.1.1.4, 5.1.2.1, 5.1.2.4).

use std::net::Ipv4Addr;

use super::calls::{Destination, Event, NameKind};
use super::database::Objection;
use super::directory::Owner;
use super::service::{NameService, OwnName};
use super::transaction::Task;
use crate::time::Instant;
use crate::wire::NetbiosName;
use crate::wire::nbns::{Entry, ErrorCode, Message};

/// The most names that a machine claims, claims and releases under way included. What it bears from the beginning is
/// not refused, but counts. A choice, near to the 254 names of a NetBIOS adapter.
pub const MAX_OWN_NAMES: usize = 254;

impl NameService {
    /// Claims a name. [`Event::Registered`] or [`Event::Refused`] follows: after three broadcasts to which nobody
    /// objected, or at the answer of the name server; at once in static mode, or when there is nobody to ask. A name
    /// that the machine bears already in this manner is registered at once; a claim of a name that is being claimed
    /// joins the earlier claim, whatever its kind.
    ///
    /// Nobody defends a name that it is still claiming: of two broadcast claims less than 750 ms apart both succeed,
    /// and the next lookup finds the conflict.
    ///
    /// Refused at once are the name `*`, a name that this machine bears in the other manner or in conflict, and names
    /// beyond [`MAX_OWN_NAMES`].
    pub fn register(&mut self, now: Instant, name: NetbiosName, kind: NameKind) {
        if let Some(own) = self.own.get(&name) {
            let event = if !own.in_conflict && own.kind == kind {
                Event::Registered { name }
            } else {
                Event::Refused { name, by: None }
            };
            self.events.push_back(event);
            return;
        }
        if self.transactions.about(&name, Task::is_claim).is_some() {
            return;
        }
        if let Some(id) = self.transactions.about(&name, Task::is_release) {
            self.transactions.close(id);
        }
        let claimed = self.own.len() + self.transactions.count(|task| !task.is_lookup());
        if name == NetbiosName::ANY || claimed >= MAX_OWN_NAMES {
            self.events.push_back(Event::Refused { name, by: None });
        } else if self.asks_others() {
            self.start(now, name, Task::Register(kind));
        } else {
            self.take(name, kind);
        }
    }

    /// Stops bearing a name, without a word to anybody.
    pub fn disown(&mut self, name: &NetbiosName) {
        if self.own.remove(name).is_some() {
            self.withdraw(name);
        }
    }

    /// Gives a name up, at once; three demands tell the others, or the name server is told. In static mode nobody is.
    /// Nothing is sent for a name in conflict, which another bears (a choice). A claim under way ends with
    /// [`Event::Refused`]; the name server is told then too, since it may have granted it already.
    pub fn release(&mut self, now: Instant, name: NetbiosName) {
        let claim = self.transactions.about(&name, Task::is_claim).and_then(|id| self.transactions.close(id));
        if claim.is_some() {
            self.events.push_back(Event::Refused { name, by: None }); // whoever waits for it waits in vain
        }
        let own = self.own.remove(&name);
        if own.is_some_and(|own| !own.in_conflict) {
            self.withdraw(&name);
        }
        let kind = match (own, claim.map(|claim| claim.task)) {
            (Some(OwnName { kind, in_conflict: false }), _) => kind,
            (None, Some(Task::Register(kind))) if self.server().is_some() => kind,
            _ => return,
        };
        if self.asks_others() {
            self.start(now, name, Task::Release(kind));
        }
    }

    /// Ends a claim to which nobody answered: a B node has the name then, and says so (RFC 1002 5.1.1.1); without the
    /// name server there is none (RFC 1002 5.1.2.1).
    pub(super) fn end_claim(&mut self, id: u16, name: NetbiosName, kind: NameKind) {
        if self.server().is_some() {
            self.events.push_back(Event::Refused { name, by: None });
        } else if self.take(name, kind) {
            let message = Message::Overwrite { broadcast: true, ttl: super::ANSWER_TTL, owner: self.entry(kind) };
            self.send(Destination::Broadcast, id, name, message);
        }
    }

    /// The name server granted a claim.
    pub(super) fn granted(&mut self, id: u16, name: NetbiosName) {
        if let Some(Task::Register(kind)) = self.transactions.find(id, &name).map(|open| open.task.clone()) {
            self.transactions.close(id);
            self.take(name, kind);
        }
    }

    /// Somebody objects to a claim, or says that a name is another's too.
    pub(super) fn refused(&mut self, from: Ipv4Addr, id: u16, name: NetbiosName, code: ErrorCode, owner: Entry) {
        if self.may_answer(from) && self.transactions.awaits(id, &name, Task::is_claim) {
            self.transactions.close(id);
            let by = Some(owner.address).filter(|address| !address.is_unspecified());
            self.events.push_back(Event::Refused { name, by });
        } else if code == ErrorCode::Conflict
            && let Some(own) = self.own.get_mut(&name)
            && !own.in_conflict
        {
            own.in_conflict = true;
            self.withdraw(&name);
            self.events.push_back(Event::Conflict { name });
        }
    }

    /// The machine bears the name from now on, unless its own database gave it to another meanwhile.
    fn take(&mut self, name: NetbiosName, kind: NameKind) -> bool {
        if let Err(objection) = self.publish_claim(name, kind) {
            let by = match objection.owner {
                Some(Owner::Unique(address)) => Some(address),
                Some(Owner::Group | Owner::Members(_)) | None => None,
            };
            self.events.push_back(Event::Refused { name, by });
            return false;
        }
        self.cache.remove(&name);
        self.own.insert(name, OwnName { kind, in_conflict: false });
        self.events.push_back(Event::Registered { name });
        true
    }

    fn publish_claim(&mut self, name: NetbiosName, kind: NameKind) -> Result<(), Objection> {
        let address = self.config.address;
        self.database.as_mut().map_or(Ok(()), |database| database.claim(name, kind, address))
    }

    /// Enters a name that the machine bears from the beginning into its own database.
    pub(super) fn publish(&mut self, name: NetbiosName, kind: NameKind) {
        // Nothing is there that could object, but the limit, which the machine's own names do not need to reach.
        let _ = self.publish_claim(name, kind);
    }

    /// Takes a name of this machine out of its own database.
    fn withdraw(&mut self, name: &NetbiosName) {
        let address = self.config.address;
        if let Some(database) = &mut self.database {
            // An objection means that the database never had it as this machine's.
            let _ = database.release(name, address);
        }
    }
}
