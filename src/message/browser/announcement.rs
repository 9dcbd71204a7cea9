//! The frames that announce something: a host, a local master browser, a machine group.

use super::super::error::InvalidMessage;
use super::super::reader::Reader;
use super::super::text::{OemText, PaddedName};
use super::{HostName, ServerType};

/// The most bytes of a comment, its NUL excluded: 43 with it (MS-BRWS 2.2.1).
pub const MAX_COMMENT: usize = 42;
/// What announcements have in the place of their Signature (MS-BRWS 2.2.1).
pub const SIGNATURE: u16 = 0xAA55;

/// What a server says of itself; empty from Windows (MS-BRWS note 13).
pub type Comment = OemText<MAX_COMMENT>;

/// Two bytes of a version. For information only: no receiver checks them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version {
    /// The first byte.
    pub major: u8,
    /// The second byte.
    pub minor: u8,
}

impl Version {
    /// The version of the browser protocol in a HostAnnouncement (MS-BRWS 2.2.1).
    pub const BROWSER: Version = Version { major: 0x0F, minor: 0x01 };
    /// The same in a LocalMasterAnnouncement of Windows, where the bytes are the other way round (notes 25 and 26).
    /// Samba writes [`Version::BROWSER`] there too.
    pub const LOCAL_MASTER: Version = Version { major: 0x01, minor: 0x0F };
    /// What Windows writes before the ServerType of a DomainAnnouncement (notes 17 and 18). Samba writes the version of
    /// its operating system there.
    pub const DOMAIN: Version = Version { major: 0x03, minor: 0x0A };

    fn parse(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, InvalidMessage> {
        let [major, minor] = reader.array(field)?;
        Ok(Version { major, minor })
    }

    const fn bytes(self) -> [u8; 2] {
        [self.major, self.minor]
    }
}

/// What a HostAnnouncement and a LocalMasterAnnouncement hold after their opcode (MS-BRWS 2.2.1, 2.2.10).
///
/// The Signature is not kept: it is always [`SIGNATURE`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// UpdateCount: 0 by the document, a counter from Samba; receivers ignore it.
    pub update_count: u8,
    /// Periodicity: milliseconds until the next announcement. A receiver forgets the server after three of them.
    pub periodicity_ms: u32,
    /// ServerName.
    pub server_name: PaddedName,
    /// OSVersionMajor and OSVersionMinor.
    pub os_version: Version,
    /// ServerType; empty at shutdown.
    pub server_type: ServerType,
    /// BrowserVersionMajor and BrowserVersionMinor, or BrowserConfigVersion: [`Version::BROWSER`] or
    /// [`Version::LOCAL_MASTER`].
    pub browser_version: Version,
    /// Comment.
    pub comment: Comment,
}

impl Announcement {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        Ok(Announcement {
            update_count: reader.u8("UpdateCount")?,
            periodicity_ms: reader.u32("Periodicity")?,
            server_name: reader.padded("ServerName")?,
            os_version: Version::parse(reader, "OSVersion")?,
            server_type: ServerType(reader.u32("ServerType")?),
            browser_version: Version::parse(reader, "BrowserVersion")?,
            comment: {
                check_signature(reader.u16("Signature")?)?;
                reader.oem("Comment")?
            },
        })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.update_count);
        out.extend_from_slice(&self.periodicity_ms.to_le_bytes());
        out.extend_from_slice(self.server_name.as_bytes());
        out.extend_from_slice(&self.os_version.bytes());
        out.extend_from_slice(&self.server_type.0.to_le_bytes());
        out.extend_from_slice(&self.browser_version.bytes());
        out.extend_from_slice(&SIGNATURE.to_le_bytes());
        self.comment.emit(out);
    }
}

/// What a DomainAnnouncement holds after its opcode (MS-BRWS 2.2.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainAnnouncement {
    /// UpdateCount: 0 by the document, a counter from Samba; receivers ignore it.
    pub update_count: u8,
    /// Periodicity: milliseconds until the next announcement. A receiver forgets the group after three of them.
    pub periodicity_ms: u32,
    /// MachineGroup: the workgroup or domain.
    pub machine_group: PaddedName,
    /// BrowserConfigVersionMajor and BrowserConfigVersionMinor: [`Version::DOMAIN`] from Windows.
    pub config_version: Version,
    /// ServerType.
    pub server_type: ServerType,
    /// BrowserVersionMajor and BrowserVersionMinor; Windows leaves them undefined (notes 19 and 20).
    pub browser_version: Version,
    /// Signature: should be [`SIGNATURE`], but Windows leaves it undefined (note 21), so it is not checked.
    pub signature: u16,
    /// LocalMasterBrowserName.
    pub local_master: HostName,
}

impl DomainAnnouncement {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        Ok(DomainAnnouncement {
            update_count: reader.u8("UpdateCount")?,
            periodicity_ms: reader.u32("Periodicity")?,
            machine_group: reader.padded("MachineGroup")?,
            config_version: Version::parse(reader, "BrowserConfigVersion")?,
            server_type: ServerType(reader.u32("ServerType")?),
            browser_version: Version::parse(reader, "BrowserVersion")?,
            signature: reader.u16("Signature")?,
            local_master: reader.oem("LocalMasterBrowserName")?,
        })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.update_count);
        out.extend_from_slice(&self.periodicity_ms.to_le_bytes());
        out.extend_from_slice(self.machine_group.as_bytes());
        out.extend_from_slice(&self.config_version.bytes());
        out.extend_from_slice(&self.server_type.0.to_le_bytes());
        out.extend_from_slice(&self.browser_version.bytes());
        out.extend_from_slice(&self.signature.to_le_bytes());
        self.local_master.emit(out);
    }
}

fn check_signature(found: u16) -> Result<(), InvalidMessage> {
    if found == SIGNATURE {
        return Ok(());
    }
    Err(InvalidMessage::Value { field: "Signature", found: found.into(), expected: "0xaa55" })
}
