//! The two requests.

use super::super::error::InvalidMessage;
use super::super::reader::Reader;
use super::{
    ComputerName, MailslotName, NtVersion, Sid, TRAILER, WideComputerName, WideUserName, align, emit_trailer,
    parse_trailer,
};

/// What a LOGON_PRIMARY_QUERY holds after its opcode (MS-ADTS 6.3.1.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrimaryQuery {
    /// ComputerName: the client.
    pub computer: ComputerName,
    /// MailslotName: where the client reads responses.
    pub mailslot: MailslotName,
    /// UnicodeComputerName: the client again, at an even offset.
    pub unicode_computer: WideComputerName,
    /// Whether two zero bytes stand before NtVersion: see [`PrimaryQuery::aligned`].
    pub version_padding: bool,
    /// NtVersion.
    pub nt_version: NtVersion,
}

impl PrimaryQuery {
    /// The query with NtVersion at a multiple of 4, for peers that want it there. The document knows no such padding,
    /// and Windows writes none.
    #[must_use]
    pub fn aligned(mut self) -> Self {
        let strings = (2 + self.computer.as_bytes().len() + 1 + self.mailslot.as_bytes().len() + 1).next_multiple_of(2);
        self.version_padding = !(strings + self.unicode_computer.encoded_len()).is_multiple_of(4);
        self
    }

    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        let (computer, mailslot) = (reader.oem("ComputerName")?, reader.oem("MailslotName")?);
        reader.align(2, "padding of UnicodeComputerName")?;
        let unicode_computer = reader.wide("UnicodeComputerName")?;
        let version_padding = parse_version_padding(reader)?;
        let nt_version = parse_trailer(reader)?;
        Ok(PrimaryQuery { computer, mailslot, unicode_computer, version_padding, nt_version })
    }

    pub(super) fn emit(&self, start: usize, out: &mut Vec<u8>) {
        self.computer.emit(out);
        self.mailslot.emit(out);
        align(2, start, out);
        self.unicode_computer.emit(out);
        emit_version_padding(self.version_padding, out);
        emit_trailer(self.nt_version, out);
    }
}

/// What a LOGON_SAM_LOGON_REQUEST holds after its opcode (MS-ADTS 6.3.1.6). Nothing is aligned but the SID.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SamLogonRequest {
    /// RequestCount: how often the client has repeated the request.
    pub request_count: u16,
    /// UnicodeComputerName: the client.
    pub computer: WideComputerName,
    /// UnicodeUserName: the account that is asked for; may be empty.
    pub user: WideUserName,
    /// MailslotName: where the client reads responses.
    pub mailslot: MailslotName,
    /// AllowableAccountControlBits: kinds of accounts that the user may have.
    pub account_control: u32,
    /// DomainSid: the domain that must be the controller's, if one is given; padded to a multiple of 4. Without it
    /// DomainSidSize is 0 and there is no padding.
    pub domain_sid: Option<Sid>,
    /// NtVersion.
    pub nt_version: NtVersion,
}

impl SamLogonRequest {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        Ok(SamLogonRequest {
            request_count: reader.u16("RequestCount")?,
            computer: reader.wide("UnicodeComputerName")?,
            user: reader.wide("UnicodeUserName")?,
            mailslot: reader.oem("MailslotName")?,
            account_control: reader.u32("AllowableAccountControlBits")?,
            domain_sid: match reader.u32("DomainSidSize")? {
                0 => None,
                size => {
                    reader.align(4, "padding of DomainSid")?;
                    Some(Sid::parse(reader, size)?)
                }
            },
            nt_version: parse_trailer(reader)?,
        })
    }

    pub(super) fn emit(&self, start: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request_count.to_le_bytes());
        self.computer.emit(out);
        self.user.emit(out);
        self.mailslot.emit(out);
        out.extend_from_slice(&self.account_control.to_le_bytes());
        let size = self.domain_sid.as_ref().map_or(0, Sid::encoded_len) as u32;
        out.extend_from_slice(&size.to_le_bytes());
        if let Some(sid) = &self.domain_sid {
            align(4, start, out);
            sid.emit(out);
        }
        emit_trailer(self.nt_version, out);
    }
}

/// Two zero bytes before NtVersion, which only the message's length tells.
pub(super) fn parse_version_padding(reader: &mut Reader<'_>) -> Result<bool, InvalidMessage> {
    let padded = reader.rest().len() == VERSION_PADDING + TRAILER;
    if padded {
        reader.zeros(VERSION_PADDING, "padding of NtVersion")?;
    }
    Ok(padded)
}

pub(super) fn emit_version_padding(padded: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if padded { &[0; VERSION_PADDING] } else { &[] });
}

/// What lies between two even offsets, of which the second is a multiple of 4.
const VERSION_PADDING: usize = 2;
