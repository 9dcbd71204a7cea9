//! Bytes and types of a mailslot write on the network, and nothing else: no state, no time, no sockets.
//!
//! A remote mailslot write is one NetBIOS datagram ([`datagram`], RFC 1002 4.4) between two NetBIOS names ([`name`]),
//! whose user data is one `SMB_COM_TRANSACTION` request ([`transaction`], MS-MAIL 2.2.1). Each layer has two forms:
//!
//! * a lenient view over received bytes (`Packet`), which checks only what a receiver must check and copies nothing;
//! * a strict owned form (`Repr`), which cannot hold nonsense and writes itself into a buffer.
//!
//! The name service, which finds out who bears a name, has packets of its own ([`nbns`], RFC 1002 4.2).
//!
//! Every refusal is a [`Malformed`], which says what was found and what would be right; those of the name service are
//! [`nbns::Malformed`].

pub mod datagram;
mod error;
pub mod fragment;
pub mod name;
pub mod nbns;
pub mod transaction;
pub mod udp;

pub use error::{Malformed, NameFault};
pub use name::{Name, NetbiosName, Scope};

/// How much of a received mailslot write is checked (MS-MAIL 3.2.5.1 leaves several fields to the receiver).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// As Windows receives: ByteCount, class, priority and the totals are ignored.
    #[default]
    Windows,
    /// Sender rules are checked too: what a careful sender would not have written is refused.
    Strict,
}
