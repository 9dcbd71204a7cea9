//! Small values of netlogon messages.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::BitOr;

/// NtVersion: which responses a client understands, and which one this is (MS-ADTS 6.3.1.1). Unknown bits are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NtVersion(pub u32);

impl NtVersion {
    /// The response of Windows NT 4.0, 6.3.1.7, or of a primary controller, 6.3.1.5.
    pub const V1: NtVersion = NtVersion(0x0000_0001);
    /// The response with DNS names, 6.3.1.8.
    pub const V5: NtVersion = NtVersion(0x0000_0002);
    /// The response with sites, 6.3.1.9.
    pub const V5_EX: NtVersion = NtVersion(0x0000_0004);
    /// The same with the controller's address.
    pub const V5_EX_WITH_IP: NtVersion = NtVersion(0x0000_0008);
    /// The client asks for the site next to its own.
    pub const WITH_CLOSEST_SITE: NtVersion = NtVersion(0x0000_0010);
    /// The controller must not take itself for one of Windows NT 4.0.
    pub const AVOID_NT4_EMULATION: NtVersion = NtVersion(0x0100_0000);
    /// The client asks for the primary controller.
    pub const PDC: NtVersion = NtVersion(0x1000_0000);
    /// Obsolete.
    pub const IP: NtVersion = NtVersion(0x2000_0000);
    /// The client is the controller's own machine.
    pub const LOCAL: NtVersion = NtVersion(0x4000_0000);
    /// The client asks for a global catalog.
    pub const GC: NtVersion = NtVersion(0x8000_0000);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: NtVersion) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of `other` set or cleared.
    #[must_use]
    pub const fn with(self, other: NtVersion, set: bool) -> NtVersion {
        NtVersion(if set { self.0 | other.0 } else { self.0 & !other.0 })
    }
}

impl BitOr for NtVersion {
    type Output = NtVersion;

    fn bitor(self, other: NtVersion) -> NtVersion {
        NtVersion(self.0 | other.0)
    }
}

impl fmt::Display for NtVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl fmt::Debug for NtVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NtVersion({self})")
    }
}

/// A GUID in the order of the wire: its first three fields are little-endian (MS-DTYP 2.3.4).
pub type Guid = [u8; 16];

/// DcSockAddr: the 16 bytes of a socket address (MS-ADTS 6.3.1.9), kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SocketAddress(pub [u8; SocketAddress::LENGTH]);

impl SocketAddress {
    /// DcSockAddrSize: its length.
    pub const LENGTH: usize = 16;
    /// The family of IPv4 addresses, the first two bytes, little-endian.
    pub const FAMILY_IPV4: u16 = 2;

    /// The IPv4 address, if it is one.
    #[must_use]
    pub const fn ipv4(&self) -> Option<Ipv4Addr> {
        match self.0 {
            [low, high, _, _, a, b, c, d, ..] if u16::from_le_bytes([low, high]) == Self::FAMILY_IPV4 => {
                Some(Ipv4Addr::new(a, b, c, d))
            }
            _ => None,
        }
    }
}

/// An address without a port, as controllers send it.
impl From<Ipv4Addr> for SocketAddress {
    fn from(address: Ipv4Addr) -> Self {
        let mut bytes = [0; Self::LENGTH];
        bytes[..2].copy_from_slice(&Self::FAMILY_IPV4.to_le_bytes());
        bytes[4..8].copy_from_slice(&address.octets());
        SocketAddress(bytes)
    }
}
