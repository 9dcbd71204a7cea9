//! Bits of browser frames. Unknown ones are kept.

use std::fmt;
use std::ops::BitOr;

/// ServerType: what software a machine runs (MS-BRWS 2.2.1, values of MS-SRVS 2.2.2.7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ServerType(pub u32);

impl ServerType {
    /// The workstation service.
    pub const WORKSTATION: ServerType = ServerType(0x0000_0001);
    /// The server service.
    pub const SERVER: ServerType = ServerType(0x0000_0002);
    /// A primary domain controller.
    pub const DOMAIN_CONTROLLER: ServerType = ServerType(0x0000_0008);
    /// A backup domain controller.
    pub const BACKUP_DOMAIN_CONTROLLER: ServerType = ServerType(0x0000_0010);
    /// A server with shared printers.
    pub const PRINT_QUEUE: ServerType = ServerType(0x0000_0200);
    /// A Xenix server; from Samba, any Unix.
    pub const XENIX: ServerType = ServerType(0x0000_0800);
    /// Windows NT or a successor.
    pub const NT: ServerType = ServerType(0x0000_1000);
    /// Windows NT Server or a successor, not a domain controller.
    pub const NT_SERVER: ServerType = ServerType(0x0000_8000);
    /// Can run the browser service.
    pub const POTENTIAL_BROWSER: ServerType = ServerType(0x0001_0000);
    /// A backup browser.
    pub const BACKUP_BROWSER: ServerType = ServerType(0x0002_0000);
    /// The local master browser.
    pub const MASTER_BROWSER: ServerType = ServerType(0x0004_0000);
    /// The domain master browser.
    pub const DOMAIN_MASTER: ServerType = ServerType(0x0008_0000);
    /// The root of a distributed file system.
    pub const DFS: ServerType = ServerType(0x0080_0000);
    /// Announces a machine group, not a machine.
    pub const DOMAIN_ENUM: ServerType = ServerType(0x8000_0000);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: ServerType) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for ServerType {
    type Output = ServerType;

    fn bitor(self, other: ServerType) -> ServerType {
        ServerType(self.0 | other.0)
    }
}

impl fmt::Debug for ServerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerType({:#010x})", self.0)
    }
}

/// Criteria of an election: compared as one unsigned number, the greater wins (MS-BRWS 2.2.3, 3.3.5.8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Criteria(pub u32);

impl Criteria {
    /// [`Criteria::os`] of Windows clients (note 14).
    pub const OS_CLIENT: u8 = 0x10;
    /// [`Criteria::os`] of Windows servers that act as PDC (note 14).
    pub const OS_PDC: u8 = 0x20;
    /// [`Criteria::version`] that everybody must write.
    pub const VERSION: u16 = 0x010F;
    /// Role: the primary domain controller.
    pub const ROLE_PDC: u8 = 0x80;
    /// Role: uses a NetBIOS name server (WINS).
    pub const ROLE_WINS: u8 = 0x20;
    /// Role: preferred master browser.
    pub const ROLE_PREFERRED_MASTER: u8 = 0x08;
    /// Role: the running master browser.
    pub const ROLE_MASTER: u8 = 0x04;
    /// Role: a domain controller.
    pub const ROLE_DOMAIN_CONTROLLER: u8 = 0x02;
    /// Role: a running backup browser.
    pub const ROLE_BACKUP: u8 = 0x01;

    /// Criteria of these parts.
    #[must_use]
    pub const fn new(os: u8, version: u16, role: u8) -> Self {
        Criteria((os as u32) << 24 | (version as u32) << 8 | role as u32)
    }

    /// The value of the operating system, which weighs most; Samba writes its configured level (`os level`) here.
    #[must_use]
    pub const fn os(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// The version of the browser protocol: minor version in the high byte.
    #[must_use]
    pub const fn version(self) -> u16 {
        (self.0 >> 8) as u16
    }

    /// The role bits, which weigh least.
    #[must_use]
    pub const fn role(self) -> u8 {
        self.0 as u8
    }
}

impl fmt::Debug for Criteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Criteria({:#010x})", self.0)
    }
}

/// Type of a ResetStateRequest (MS-BRWS 2.2.9). The document allows one of the values; others are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ResetState(pub u8);

impl ResetState {
    /// A master browser becomes a plain browser server.
    pub const STOP_MASTER: ResetState = ResetState(0x01);
    /// A browser server gives up all browser activities.
    pub const CLEAR_ALL: ResetState = ResetState(0x02);
    /// A browser server stops the service; Windows ignores it (note 22).
    pub const STOP: ResetState = ResetState(0x04);
}
