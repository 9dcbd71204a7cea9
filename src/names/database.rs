//! What a NetBIOS name server holds (RFC 1001 15, RFC 1002 5.1.4), in the manner of WINS.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::calls::NameKind;
use super::directory::{MAX_MEMBERS, Owner};
use crate::wire::NetbiosName;
use crate::wire::nbns::ErrorCode;

/// The most names that a server holds; further claims are refused with SRV_ERR. A choice.
pub const MAX_DATABASE: usize = 16_384;
/// The suffix of groups of which a server lists the members: WINS's internet groups, the domain controllers of a domain
/// (Microsoft KB Q140064). Of other groups it says only that they are groups.
pub const SUFFIX_INTERNET_GROUP: u8 = 0x1C;

/// The names of a server's clients and its own. None expires: a server may grant a claim for ever (RFC 1001 15.1.3.2),
/// so nothing is refreshed.
#[derive(Debug, Default)]
pub(super) struct Database(BTreeMap<NetbiosName, Holding>);

#[derive(Debug)]
enum Holding {
    Unique(Ipv4Addr),
    Group,
    /// In the order of registration.
    Members(Vec<Ipv4Addr>),
}

/// Why a claim or release is refused, and who has the name instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Objection {
    pub(super) code: ErrorCode,
    /// `None` if nobody has: the database is full.
    pub(super) owner: Option<Owner>,
}

impl Database {
    /// Holds a name as if it had been registered, whatever was held before.
    pub(super) fn learn(&mut self, name: NetbiosName, owner: Owner) {
        if self.0.len() >= MAX_DATABASE && !self.0.contains_key(&name) {
            return;
        }
        let holding = match owner {
            Owner::Unique(address) => Holding::Unique(address),
            Owner::Group => Holding::Group,
            Owner::Members(members) => Holding::Members(members.iter().copied().take(MAX_MEMBERS).collect()),
        };
        self.0.insert(name, holding);
    }

    pub(super) fn owner(&self, name: &NetbiosName) -> Option<Owner> {
        self.0.get(name).map(Holding::owner)
    }

    /// Enters a claim, which the holder of the name may repeat.
    ///
    /// A name that another holds is refused at once: its holder is not challenged and no WACK is sent, as a secure
    /// server would (RFC 1002 5.1.4.1). A choice: a holder that went without a word keeps its name.
    pub(super) fn claim(&mut self, name: NetbiosName, kind: NameKind, address: Ipv4Addr) -> Result<(), Objection> {
        let full = self.0.len() >= MAX_DATABASE;
        let holding = match (self.0.get_mut(&name), kind) {
            (Some(Holding::Unique(holder)), _) if *holder != address => return self.object(&name),
            (Some(Holding::Group | Holding::Members(_)), NameKind::Unique) => return self.object(&name),
            (Some(Holding::Group), NameKind::Group) => return Ok(()),
            (Some(Holding::Members(members)), NameKind::Group) => {
                // The oldest makes place when all are taken (Q140064).
                members.retain(|member| *member != address);
                members.drain(..(members.len() + 1).saturating_sub(MAX_MEMBERS));
                members.push(address);
                return Ok(());
            }
            (None, _) if full => return Err(Objection { code: ErrorCode::Server, owner: None }),
            (_, NameKind::Unique) => Holding::Unique(address),
            (_, NameKind::Group) if name.suffix() == SUFFIX_INTERNET_GROUP => Holding::Members(vec![address]),
            (_, NameKind::Group) => Holding::Group,
        };
        self.0.insert(name, holding);
        Ok(())
    }

    /// Takes a name, or a place in its group, from a holder that gives it up; to give up what is not held changes
    /// nothing. A group without a list of members stays: it is not known who else belongs to it (WINS lets it expire).
    pub(super) fn release(&mut self, name: &NetbiosName, address: Ipv4Addr) -> Result<(), Objection> {
        match self.0.get_mut(name) {
            Some(Holding::Unique(holder)) if *holder != address => return self.object(name),
            Some(Holding::Members(members)) => {
                members.retain(|member| *member != address);
                if members.is_empty() {
                    self.0.remove(name);
                }
            }
            Some(Holding::Unique(_)) => {
                self.0.remove(name);
            }
            Some(Holding::Group) | None => {}
        }
        Ok(())
    }

    fn object(&self, name: &NetbiosName) -> Result<(), Objection> {
        Err(Objection { code: ErrorCode::Active, owner: self.owner(name) })
    }
}

impl Holding {
    fn owner(&self) -> Owner {
        match self {
            Holding::Unique(address) => Owner::Unique(*address),
            Holding::Group => Owner::Group,
            Holding::Members(members) => Owner::Members(members.as_slice().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_26th_member_takes_the_place_of_the_first() {
        let (name, address) = (NetbiosName::new("D", SUFFIX_INTERNET_GROUP).unwrap(), |last| [10, 0, 0, last].into());
        let mut database = Database::default();
        for last in 1..=26 {
            database.claim(name, NameKind::Group, address(last)).unwrap();
        }
        database.claim(name, NameKind::Group, address(2)).unwrap();
        let members: Vec<Ipv4Addr> = (3..=26).chain([2]).map(address).collect();
        assert_eq!(database.owner(&name), Some(Owner::Members(members.into())));
    }

    #[test]
    fn a_full_database_takes_repetitions_only() {
        let name = |number: usize| NetbiosName::new(&format!("N{number}"), 0).unwrap();
        let address = Ipv4Addr::LOCALHOST;
        let mut database = Database::default();
        for number in 0..MAX_DATABASE {
            database.claim(name(number), NameKind::Unique, address).unwrap();
        }
        let refused = Err(Objection { code: ErrorCode::Server, owner: None });
        assert_eq!(database.claim(name(MAX_DATABASE), NameKind::Unique, address), refused);
        database.learn(name(MAX_DATABASE), Owner::Group);
        assert_eq!(database.owner(&name(MAX_DATABASE)), None);
        assert_eq!(database.claim(name(0), NameKind::Unique, address), Ok(()));
        database.release(&name(0), address).unwrap();
        assert_eq!(database.claim(name(MAX_DATABASE), NameKind::Unique, address), Ok(()));
    }
}
