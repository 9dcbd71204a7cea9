//! What arrives on port 137 (RFC 1002 5.1.1.5, 5.1.2.5, 5.1.4.1).

use std::net::{Ipv4Addr, SocketAddrV4};

use super::calls::{Destination, NameKind};
use super::directory::Owner;
use super::service::NameService;
use super::transaction::Task;
use crate::time::Instant;
use crate::wire::datagram::NodeType;
use crate::wire::nbns::{Entry, ErrorCode, INFINITE_TTL, Message, Packet, Repr};
use crate::wire::{NetbiosName, Profile};

/// TTL of answers and claims, in seconds: 3 days 11 hours 20 minutes, as Windows writes it. No document demands it (RFC
/// 1002 5.1.1.1 claims for ever): a choice.
pub const ANSWER_TTL: u32 = 300_000;

impl NameService {
    /// Takes a UDP payload that arrived on port 137.
    ///
    /// Any bytes are safe: what is malformed, comes from this machine's own address and port, is about a name of another
    /// scope, or answers nothing that was asked, is ignored. So are WACK and challenges, which no name server here sends.
    /// What comes from another port of this machine's address is another program's.
    pub fn handle_packet(&mut self, now: Instant, from: SocketAddrV4, payload: &[u8]) {
        if from == SocketAddrV4::new(self.config.address, self.port) {
            return;
        }
        let Ok(repr) = Packet::new(payload).and_then(|packet| Repr::parse(&packet, Profile::Windows)) else { return };
        if !self.config.scope.matches(repr.name.scope.as_labels()) {
            return;
        }
        let (id, name) = (repr.id, repr.name.netbios);
        if name == NetbiosName::ANY {
            return; // everybody's: nobody can own it
        }
        match repr.message {
            Message::Query { broadcast } => self.answer_query(from, id, name, broadcast),
            Message::Register { broadcast, owner, .. } => self.judge_claim(from, id, name, broadcast, owner),
            Message::Overwrite { broadcast: false, owner, .. } if self.database.is_some() => {
                self.judge_claim(from, id, name, false, owner);
            }
            Message::Overwrite { ttl, owner, .. } => self.hear_overwrite(now, name, ttl, owner),
            Message::Release { broadcast, owner } => self.hear_release(from, id, name, broadcast, owner),
            Message::Found { ttl, owners, .. } => self.answered(now, from, id, name, (ttl, &owners)),
            Message::NotFound { .. } => self.not_found(*from.ip(), id, name),
            Message::Registered { .. } if self.server() == Some(*from.ip()) => self.granted(id, name),
            Message::Refused { code, owner, .. } => self.refused(*from.ip(), id, name, code, owner),
            Message::Released { .. } | Message::NotReleased { .. } => self.hear_released(*from.ip(), id, name),
            Message::Registered { .. } | Message::Challenge { .. } | Message::Wait { .. } => {}
        }
    }

    /// An owner answers for itself, a name server for all that it holds; but what is broadcast asks owners only (RFC
    /// 1002 5.1.4). Only a name server says that there is nobody.
    fn answer_query(&mut self, from: SocketAddrV4, id: u16, name: NetbiosName, broadcast: bool) {
        let message = if let Some(database) = self.database.as_ref().filter(|_| !broadcast) {
            match database.owner(&name) {
                Some(owner) => Message::Found { by_server: true, ttl: ANSWER_TTL, owners: entries(&owner) },
                None => Message::NotFound { by_server: true, code: ErrorCode::Name },
            }
        } else {
            let Some(kind) = self.kind(&name) else { return };
            Message::Found { by_server: false, ttl: ANSWER_TTL, owners: vec![self.entry(kind)] }
        };
        self.send(Destination::Unicast(from), id, name, message);
    }

    /// An owner objects to claims that its own excludes: those of its unique names, and unique ones of its groups, but
    /// not to those of its own address. A name server answers each claim that is sent to it.
    fn judge_claim(&mut self, from: SocketAddrV4, id: u16, name: NetbiosName, broadcast: bool, claimant: Entry) {
        let kind = if claimant.group { NameKind::Group } else { NameKind::Unique };
        let message = if let Some(database) = self.database.as_mut().filter(|_| !broadcast) {
            match database.claim(name, kind, claimant.address) {
                Ok(()) => Message::Registered { ttl: INFINITE_TTL, owner: claimant },
                Err(objection) => {
                    let holder = objection.owner.and_then(|owner| entries(&owner).first().copied());
                    Message::Refused { code: objection.code, ttl: 0, owner: holder.unwrap_or(NOBODY) }
                }
            }
        } else {
            let Some(held) = self.kind(&name) else { return };
            if (held, kind) == (NameKind::Group, NameKind::Group) || *from.ip() == self.config.address {
                return;
            }
            Message::Refused { code: ErrorCode::Active, ttl: 0, owner: self.entry(held) }
        };
        self.send(Destination::Unicast(from), id, name, message);
    }

    /// Another machine has a name now: what is remembered of the name is brought up to date (RFC 1002 5.1.1.5), but
    /// nothing new is learned. A further member of a group changes nothing.
    fn hear_overwrite(&mut self, now: Instant, name: NetbiosName, ttl: u32, owner: Entry) {
        match self.cache.get(now, &name) {
            Some(Owner::Group | Owner::Members(_)) if owner.group => {}
            Some(_) if owner.group => self.cache.insert(now, name, Owner::Group, ttl),
            Some(_) => self.cache.insert(now, name, Owner::Unique(owner.address), ttl),
            None => {}
        }
    }

    /// Another machine gave a name up. A name server takes it from the one who held it; whoever remembers it forgets
    /// it.
    fn hear_release(&mut self, from: SocketAddrV4, id: u16, name: NetbiosName, broadcast: bool, owner: Entry) {
        self.cache.remove(&name);
        let Some(database) = self.database.as_mut().filter(|_| !broadcast) else { return };
        let message = match database.release(&name, owner.address) {
            Ok(()) => Message::Released { ttl: 0, owner },
            Err(objection) => {
                let holder = objection.owner.and_then(|owner| entries(&owner).first().copied());
                Message::NotReleased { code: objection.code, ttl: 0, owner: holder.unwrap_or(NOBODY) }
            }
        };
        self.send(Destination::Unicast(from), id, name, message);
    }

    /// The name server answered a release, one way or the other: there is nothing left to say.
    fn hear_released(&mut self, from: Ipv4Addr, id: u16, name: NetbiosName) {
        if self.server() == Some(from) && self.transactions.awaits(id, &name, Task::is_release) {
            self.transactions.close(id);
        }
    }
}

/// What a name server writes of an owner: of a group that it has no list of, the limited broadcast address (Microsoft
/// TechNet cc959220). Who registers with a name server counts as a P node (a choice: the node type is not held).
fn entries(owner: &Owner) -> Vec<Entry> {
    let entry = |group, address| Entry { group, node: NodeType::P, address };
    match owner {
        Owner::Unique(address) => vec![entry(false, *address)],
        Owner::Group => vec![entry(true, Ipv4Addr::BROADCAST)],
        Owner::Members(members) => members.iter().map(|member| entry(true, *member)).collect(),
    }
}

/// The owner in a refusal when nobody has the name.
const NOBODY: Entry = Entry { group: false, node: NodeType::B, address: Ipv4Addr::UNSPECIFIED };
