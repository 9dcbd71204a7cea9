//! NetBIOS names: those that a machine bears, and what the names of others resolve to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::wire::NetbiosName;

/// Who bears a NetBIOS name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// One machine, at this address: datagrams to it are DIRECT_UNIQUE.
    Unique(Ipv4Addr),
    /// Any number of machines: datagrams to it are DIRECT_GROUP and go to the broadcast address.
    Group,
}

/// What every name of the network resolves to, known beforehand as from an LMHOSTS file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Directory(BTreeMap<NetbiosName, Owner>);

impl Directory {
    /// Who bears `name`, if anybody does.
    #[must_use]
    pub fn resolve(&self, name: &NetbiosName) -> Option<Owner> {
        self.0.get(name).copied()
    }
}

impl FromIterator<(NetbiosName, Owner)> for Directory {
    fn from_iter<I: IntoIterator<Item = (NetbiosName, Owner)>>(names: I) -> Self {
        Directory(names.into_iter().collect())
    }
}

/// The names that a machine bears: it takes datagrams to them (RFC 1002 5.3.3).
#[derive(Clone, Debug)]
pub(super) struct NameTable(BTreeSet<NetbiosName>);

impl NameTable {
    /// Whether a datagram to `name` is for this machine. `*` is for everybody.
    pub(super) fn holds(&self, name: &NetbiosName) -> bool {
        *name == NetbiosName::ANY || self.0.contains(name)
    }
}

impl FromIterator<NetbiosName> for NameTable {
    fn from_iter<I: IntoIterator<Item = NetbiosName>>(names: I) -> Self {
        NameTable(names.into_iter().collect())
    }
}
