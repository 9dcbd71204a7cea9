//! What is given to the name service, and what it gives back.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use super::directory::{Directory, Owner};
use crate::wire::{NetbiosName, Scope};

/// How a machine takes part in the name service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its address. What comes from there and its port, which is 137 unless [`set_port`](super::NameService::set_port) was
    /// called, is its own, heard again, and ignored.
    pub address: Ipv4Addr,
    /// The NetBIOS scope that it is in; names of another one are not its business.
    pub scope: Scope,
    /// How it finds the names of others, and claims its own.
    pub mode: Mode,
    /// Whether it answers as a NetBIOS name server (WINS).
    pub is_server: bool,
}

/// How a machine finds the names of others, and claims its own.
///
/// In every mode it answers queries for its own names and defends them, broadcast ones too: a P node would ignore
/// those (RFC 1002 5.1.2.5), M nodes and Windows's hybrid nodes do not.
#[derive(Clone, Debug)]
pub enum Mode {
    /// It knows them all beforehand and asks nobody; what it claims it has, and nobody is told.
    Static(Arc<Directory>),
    /// It asks everybody on its network (B node).
    Broadcast,
    /// It asks the name server at this address, and nobody else (P node). At its own address it asks itself.
    Server(Ipv4Addr),
}

impl From<Arc<Directory>> for Mode {
    fn from(directory: Arc<Directory>) -> Self {
        Mode::Static(directory)
    }
}

/// Whether a name is one machine's or may be any number's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// At most one machine bears it.
    Unique,
    /// Any number of machines bear it.
    Group,
}

/// What is known of a name now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// Who bears it.
    Found(Owner),
    /// Nobody is known to bear it and nobody can be asked, or too many questions are open.
    Missing,
    /// Somebody is asked; [`Event::Resolved`] follows, at the first answer or when the last one is overdue.
    Pending,
}

/// Something that happened, for [`NameService::poll_event`](super::NameService::poll_event).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A lookup ended, and with it all that waited for the same name.
    Resolved {
        /// The name.
        name: NetbiosName,
        /// Who bears it; `None` if nobody answered, or the name server knows nobody.
        owner: Option<Owner>,
    },
    /// The machine bears the name from now on.
    Registered {
        /// The name.
        name: NetbiosName,
    },
    /// The machine does not get the name.
    Refused {
        /// The name.
        name: NetbiosName,
        /// The owner that the objection names; `None` if no name server answered, or this machine itself refused.
        by: Option<Ipv4Addr>,
    },
    /// The machine's name was found to be another's too (NAME CONFLICT DEMAND, RFC 1001 15.1.3.5): it is as if the
    /// machine did not bear it, and can only be released.
    Conflict {
        /// The name.
        name: NetbiosName,
    },
}

/// Where a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// To one address.
    Unicast(SocketAddrV4),
    /// To the broadcast address of the machine's network, at the port of the service that sends: 137 for the name
    /// service, 138 for datagrams.
    Broadcast,
}
