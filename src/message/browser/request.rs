//! The frames that ask for something, and the list that answers one of them.

use super::super::error::{InvalidMessage, InvalidText};
use super::super::reader::Reader;
use super::{Criteria, HostName};

/// The most names in a GetBackupListResponse: its count has one byte.
pub const MAX_BACKUPS: usize = u8::MAX as usize;

/// What an AnnouncementRequest holds after its opcode (MS-BRWS 2.2.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnnouncementRequest {
    /// Reserved: 0 by the document; Samba puts a token there.
    pub reserved: u8,
    /// ResponseName: the sender, which receivers ignore.
    pub response_name: ResponseName,
}

impl AnnouncementRequest {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        let reserved = reader.u8("Reserved")?;
        let response_name = match reader.rest() {
            [0, name @ ..] if !name.is_empty() => {
                let field = "ResponseName";
                let response_name =
                    ResponseName::shifted(name).map_err(|reason| InvalidMessage::Text { field, reason })?;
                reader.take(field, 1 + name.len())?;
                response_name
            }
            _ => ResponseName::from(reader.oem::<{ HostName::MAX }>("ResponseName")?),
        };
        Ok(AnnouncementRequest { reserved, response_name })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.reserved);
        let name = self.response_name.name.as_bytes();
        if self.response_name.shifted {
            out.push(0);
            out.extend_from_slice(name);
        } else {
            self.response_name.name.emit(out);
        }
    }
}

/// The name in an AnnouncementRequest, in one of the two forms that are sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseName {
    name: HostName,
    shifted: bool,
}

impl ResponseName {
    /// The name in the form of Samba 4.17: one byte too late, so that a NUL stands before it and none behind it. An
    /// empty name looks the same in both forms.
    ///
    /// # Errors
    ///
    /// If the name has more than 15 bytes, or a NUL among them.
    pub fn shifted(name: impl AsRef<[u8]>) -> Result<Self, InvalidText> {
        let name = HostName::new(name)?;
        Ok(ResponseName { shifted: !name.as_bytes().is_empty(), name })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &HostName {
        &self.name
    }

    /// Whether the name is in Samba's form.
    #[must_use]
    pub fn is_shifted(&self) -> bool {
        self.shifted
    }
}

/// The name in the form of the document, with its NUL behind it.
impl From<HostName> for ResponseName {
    fn from(name: HostName) -> Self {
        ResponseName { name, shifted: false }
    }
}

/// What a RequestElection holds after its opcode (MS-BRWS 2.2.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Election {
    /// Version: 1; 0 from a client that only wants an election (note 30).
    pub version: u8,
    /// Criteria: the greater ones win.
    pub criteria: Criteria,
    /// Uptime of the browser service, which decides between equal criteria: seconds by the document, milliseconds from
    /// Samba.
    pub uptime: u32,
    /// Unused: 0 from senders, ignored by receivers.
    pub unused: u32,
    /// ServerName: the alphabetically smaller one decides between equal uptimes.
    pub server_name: HostName,
}

impl Election {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        Ok(Election {
            version: reader.u8("Version")?,
            criteria: Criteria(reader.u32("Criteria")?),
            uptime: reader.u32("Uptime")?,
            unused: reader.u32("Unused")?,
            server_name: reader.oem("ServerName")?,
        })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.version);
        for word in [self.criteria.0, self.uptime, self.unused] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        self.server_name.emit(out);
    }
}

/// What a GetBackupListResponse holds after its opcode (MS-BRWS 2.2.5); its count follows from the names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupList {
    token: u32,
    names: Vec<HostName>,
}

impl BackupList {
    /// The answer to the request with this token.
    ///
    /// # Errors
    ///
    /// If there are more than [`MAX_BACKUPS`] names. (A datagram carries fewer: what does not fit one is refused when
    /// the write is made.)
    pub fn new(token: u32, names: Vec<HostName>) -> Result<Self, InvalidMessage> {
        if names.len() > MAX_BACKUPS {
            let found = u32::try_from(names.len()).unwrap_or(u32::MAX);
            return Err(InvalidMessage::Value { field: "BackupServerCount", found, expected: "at most 255" });
        }
        Ok(BackupList { token, names })
    }

    /// Token: that of the request.
    #[must_use]
    pub fn token(&self) -> u32 {
        self.token
    }

    /// BackupServerList: the machines that have the list, at most [`MAX_BACKUPS`].
    #[must_use]
    pub fn names(&self) -> &[HostName] {
        &self.names
    }

    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        let (count, token) = (reader.u8("BackupServerCount")?, reader.u32("Token")?);
        let names: Result<_, _> = (0..count).map(|_| reader.oem("BackupServerList")).collect();
        Ok(BackupList { token, names: names? })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.names.len() as u8);
        out.extend_from_slice(&self.token.to_le_bytes());
        for name in &self.names {
            name.emit(out);
        }
    }
}
