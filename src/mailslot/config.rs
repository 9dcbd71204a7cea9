//! What a machine is called and how it behaves.

use std::net::Ipv4Addr;

use super::calls::ApiProfile;
use super::choices::{HOLE_ERROR, NO_ROOM_ERROR};
use super::error::Win32Error;
use crate::names::NameKind;
use crate::wire::name::{InvalidName, SUFFIX_WORKSTATION};
use crate::wire::transaction::Layout;
use crate::wire::{NetbiosName, Profile, Scope};

/// What a machine is called and how it behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The computer name, suffix 00: the source of everything that the machine writes.
    pub computer: NetbiosName,
    /// The name of its primary domain or workgroup, suffix 00: what `\\*` stands for.
    pub domain: NetbiosName,
    /// Further names that it bears from the beginning, beside its own and its domain's.
    pub names: Vec<(NetbiosName, NameKind)>,
    /// Whether it answers as a NetBIOS name server (WINS).
    pub is_name_server: bool,
    /// The NetBIOS scope that it is in.
    pub scope: Scope,
    /// Its address: SOURCE_IP of what it writes.
    pub address: Ipv4Addr,
    /// Its addresses on further interfaces, if it is on several networks: each write to a group and each broadcast of the
    /// name service goes out on all interfaces, under the address of each. What goes to one machine bears the first
    /// address, whichever interface it leaves by (a choice).
    pub further_addresses: Vec<Ipv4Addr>,
    /// Which Windows its calls behave like.
    pub api: ApiProfile,
    /// On how many transports (NetBIOS interfaces, LANAs) it is: every write goes out on each of them, and a receiver
    /// gets a copy for each that it shares with the sender. Copies are not told apart: programs have to.
    pub transports: u8,
    /// Whether it splits datagrams that do not fit 576 bytes of IP, as RFC 1002 5.3.1 says; Windows and Samba never do.
    /// Fragments that come are put together in any case.
    pub fragments: bool,
    /// How its mailslot writes are laid out, in the manner of which sender. Every layout is read.
    pub layout: Layout,
    /// How long a message to other machines may be.
    pub limits: Limits,
    /// How much of a received mailslot write is checked.
    pub profile: Profile,
    /// Whether it answers a datagram to a unique name that it does not bear with DATAGRAM ERROR. Samba does not.
    pub datagram_errors: bool,
    /// Whether a policy turns mailslots of other machines off, as is the default of Windows 11 24H2 and Server 2025:
    /// opening one fails with ERROR_REMOTE_MAILSLOTS_DEPRECATED, and what comes from the network is dropped. Local
    /// mailslots work.
    pub remote_mailslots_disabled: bool,
}

impl Config {
    /// A machine called `computer` in `domain`, as Windows behaves.
    ///
    /// # Errors
    ///
    /// If one of the names is not a NetBIOS name.
    pub fn new(computer: &str, domain: &str, address: Ipv4Addr) -> Result<Self, InvalidName> {
        Ok(Config {
            computer: NetbiosName::new(computer, SUFFIX_WORKSTATION)?,
            domain: NetbiosName::new(domain, SUFFIX_WORKSTATION)?,
            names: Vec::new(),
            is_name_server: false,
            scope: Scope::default(),
            address,
            further_addresses: Vec::new(),
            api: ApiProfile::default(),
            transports: 1,
            fragments: false,
            layout: Layout::Windows,
            limits: Limits::default(),
            profile: Profile::Windows,
            datagram_errors: false,
            remote_mailslots_disabled: false,
        })
    }

    /// The names that the machine bears from the beginning.
    pub(super) fn own_names(&self) -> impl Iterator<Item = (NetbiosName, NameKind)> {
        let own = [(self.computer, NameKind::Unique), (self.domain, NameKind::Group)];
        own.into_iter().chain(self.names.iter().copied())
    }
}

/// What the API allows of messages to another machine, to a domain or to `*`, beside what a datagram can hold: 432 bytes
/// less the length of the mailslot's name rounded up to 4 (MS-MAIL 2.1 and note 2; in Samba's layout without rounding).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Whether the API refuses more than [`API_MAX_REMOTE`] bytes, whatever the wire allows.
    pub api_424: bool,
    /// Whether messages of 425 and 426 bytes are refused, as an old edition of About Mailslots says; today's page does
    /// not.
    pub hole_425_426: bool,
}

impl Limits {
    /// Checks the length of a message to a mailslot with a name of `leaf_len` characters in this layout.
    ///
    /// # Errors
    ///
    /// `BadNetpath` over [`API_MAX_REMOTE`], [`NO_ROOM_ERROR`] over what the name leaves, [`HOLE_ERROR`].
    pub fn check(&self, layout: Layout, leaf_len: usize, len: usize) -> Result<(), Win32Error> {
        if self.api_424 && len > API_MAX_REMOTE {
            return Err(Win32Error::BadNetpath);
        }
        if layout.max_data(leaf_len).is_none_or(|longest| len > longest) {
            return Err(NO_ROOM_ERROR);
        }
        if self.hole_425_426 && HOLE.contains(&len) {
            return Err(HOLE_ERROR);
        }
        Ok(())
    }

    /// The longest message to a mailslot with a name of `leaf_len` characters; `None` where the name alone is too long.
    #[must_use]
    pub fn longest(&self, layout: Layout, leaf_len: usize) -> Option<usize> {
        let wire = layout.max_data(leaf_len)?;
        Some(if self.api_424 { wire.min(API_MAX_REMOTE) } else { wire })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { api_424: true, hole_425_426: false }
    }
}

/// The greatest message that the API sends to another machine (Microsoft Learn, CreateMailslot, Remarks), whatever the
/// name's length allows on the wire. The documents say 424 flatly.
pub const API_MAX_REMOTE: usize = 424;
/// Lengths that old Windows did not send: too long for a datagram by its own rule, too short for a connection.
const HOLE: std::ops::RangeInclusive<usize> = 425..=426;
