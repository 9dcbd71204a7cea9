//! Who bears which name, where that is known.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::wire::NetbiosName;

/// The most members of a group that a name server lists (Microsoft KB Q140064).
pub const MAX_MEMBERS: usize = 25;

/// Who bears a NetBIOS name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner {
    /// One machine, at this address: datagrams to it are DIRECT_UNIQUE.
    Unique(Ipv4Addr),
    /// Any number of machines: datagrams to it are DIRECT_GROUP and go to the broadcast address.
    Group,
    /// The machines that a name server lists, at most [`MAX_MEMBERS`]: datagrams to it are DIRECT_GROUP and go to each.
    Members(Arc<[Ipv4Addr]>),
}

/// What every name of the network resolves to, known beforehand as from an LMHOSTS file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Directory(BTreeMap<NetbiosName, Owner>);

impl Directory {
    /// Who bears `name`, if anybody does.
    #[must_use]
    pub fn resolve(&self, name: &NetbiosName) -> Option<Owner> {
        self.0.get(name).cloned()
    }
}

impl FromIterator<(NetbiosName, Owner)> for Directory {
    fn from_iter<I: IntoIterator<Item = (NetbiosName, Owner)>>(names: I) -> Self {
        Directory(names.into_iter().collect())
    }
}
