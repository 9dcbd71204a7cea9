//! Netlogon messages: how a client finds a domain controller (MS-ADTS 6.3.1, 6.3.5, the mailslot ping). Little-endian.
//!
//! A client writes a request to [`SLOT`] of the domain and names the mailslot that it reads; each controller that fits
//! writes a response there, and the others keep silent.
//!
//! Emitting and parsing give the value again. Parsing and emitting give the bytes again for both requests, the
//! [`PrimaryResponse`] and a [`SamLogonResponse`] without DNS names. Messages with DNS names may be compressed in many
//! ways (MS-ADTS 6.3.7 leaves it to the sender); the bytes come back if the sender pointed to the earliest place of the
//! longest end that was written already, as Windows and Samba do ([`Message::emit`]), or if it wrote every name in full
//! ([`Message::emit_uncompressed`]).

mod display;
mod flags;
mod request;
mod response;
mod sid;

pub use flags::{Guid, NtVersion, SocketAddress};
pub use request::{PrimaryQuery, SamLogonRequest};
pub use response::{Directory, Outcome, PrimaryResponse, SamLogonResponse, SamLogonResponseEx};
pub use sid::{InvalidSid, MAX_SUB_AUTHORITIES, Sid};

use super::dns::Compression;
use super::error::InvalidMessage;
use super::reader::Reader;
use super::text::{OemText, WideText};
use crate::wire::datagram::MAX_USER_DATA;
use crate::wire::transaction::NAME_OFFSET;

/// The mailslot that domain controllers read (MS-ADTS 6.3.5).
pub const SLOT: &[u8] = br"\MAILSLOT\NET\NETLOGON";
/// What the mailslots start with that clients read responses from; digits follow, mostly.
pub const REPLY_SLOT_PREFIX: &[u8] = br"\MAILSLOT\NET\GETDC";
/// The most characters of a computer's or a domain's NetBIOS name.
pub const MAX_COMPUTER_NAME: usize = 15;
/// The most characters of a server's name in a response: controllers write `\\` before it in some.
pub const MAX_SERVER_NAME: usize = 2 + MAX_COMPUTER_NAME;
/// The most characters of a user's name: the limit of the account database (`UNLEN`).
pub const MAX_USER_NAME: usize = 256;
/// The most bytes of a mailslot's name, `\MAILSLOT\` included: to one with more no datagram could reply.
pub const MAX_MAILSLOT_NAME: usize = MAX_USER_DATA - NAME_OFFSET - 1;

/// A computer's name in bytes.
pub type ComputerName = OemText<MAX_COMPUTER_NAME>;
/// A computer's or a domain's name in UTF-16.
pub type WideComputerName = WideText<MAX_COMPUTER_NAME>;
/// A mailslot's whole name, `\MAILSLOT\` included.
pub type MailslotName = OemText<MAX_MAILSLOT_NAME>;
/// A server's name in bytes, `\\` before it or not.
pub type ServerName = OemText<MAX_SERVER_NAME>;
/// A server's name in UTF-16, `\\` before it or not.
pub type WideServerName = WideText<MAX_SERVER_NAME>;
/// A user's name in UTF-16.
pub type WideUserName = WideText<MAX_USER_NAME>;

/// A netlogon message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// 7, LOGON_PRIMARY_QUERY: who is the primary domain controller? (6.3.1.4).
    PrimaryQuery(PrimaryQuery),
    /// 12, LOGON_PRIMARY_RESPONSE: I am (6.3.1.5).
    PrimaryResponse(PrimaryResponse),
    /// 18, LOGON_SAM_LOGON_REQUEST: who is a domain controller, and knows this user? (6.3.1.6).
    SamLogonRequest(SamLogonRequest),
    /// 19 to 21: I am (6.3.1.7, 6.3.1.8).
    SamLogonResponse(SamLogonResponse),
    /// 23 to 25: I am, and where (6.3.1.9).
    SamLogonResponseEx(SamLogonResponseEx),
}

impl Message {
    /// Reads the data of a write to [`SLOT`] or a reply slot.
    ///
    /// # Errors
    ///
    /// If the opcode is unknown, the message ends inside a field or goes on after the last one, a string has no NUL or
    /// is too long or not UTF-16, a compressed name is malformed, padding is not zero, a SID has not the length that is
    /// said, or a token or another fixed field has another value.
    pub fn parse(data: &[u8]) -> Result<Self, InvalidMessage> {
        let mut reader = Reader::new(data);
        let opcode = reader.u16("Opcode")?;
        Ok(match opcode {
            PRIMARY_QUERY => Message::PrimaryQuery(PrimaryQuery::parse(&mut reader)?),
            PRIMARY_RESPONSE => Message::PrimaryResponse(PrimaryResponse::parse(&mut reader)?),
            SAM_LOGON_REQUEST => Message::SamLogonRequest(SamLogonRequest::parse(&mut reader)?),
            _ => match (Outcome::of(opcode, SAM_LOGON_RESPONSE), Outcome::of(opcode, SAM_LOGON_RESPONSE_EX)) {
                (Some(outcome), _) => Message::SamLogonResponse(SamLogonResponse::parse(outcome, &mut reader)?),
                (_, Some(outcome)) => Message::SamLogonResponseEx(SamLogonResponseEx::parse(outcome, &mut reader)?),
                (None, None) => return Err(InvalidMessage::UnknownOpcode { protocol: "netlogon", opcode }),
            },
        })
    }

    /// Appends the message; the longest end of a DNS name that stands in the message already becomes a pointer to its
    /// first place.
    pub fn emit(&self, out: &mut Vec<u8>) {
        self.emit_with(Compression::Pointers, out);
    }

    /// Appends the message with every DNS name in full. Only those responses that have some differ from
    /// [`Message::emit`].
    pub fn emit_uncompressed(&self, out: &mut Vec<u8>) {
        self.emit_with(Compression::Off, out);
    }

    /// The first two bytes of the message.
    #[must_use]
    pub fn opcode(&self) -> u16 {
        match self {
            Message::PrimaryQuery(_) => PRIMARY_QUERY,
            Message::PrimaryResponse(_) => PRIMARY_RESPONSE,
            Message::SamLogonRequest(_) => SAM_LOGON_REQUEST,
            Message::SamLogonResponse(response) => SAM_LOGON_RESPONSE + response.outcome as u16,
            Message::SamLogonResponseEx(response) => SAM_LOGON_RESPONSE_EX + response.outcome as u16,
        }
    }

    fn emit_with(&self, compression: Compression, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.opcode().to_le_bytes());
        match self {
            Message::PrimaryQuery(query) => query.emit(start, out),
            Message::PrimaryResponse(response) => response.emit(start, out),
            Message::SamLogonRequest(request) => request.emit(start, out),
            Message::SamLogonResponse(response) => response.emit(compression, start, out),
            Message::SamLogonResponseEx(response) => response.emit(compression, start, out),
        }
    }
}

/// Reads what every message ends with: NtVersion and two tokens.
fn parse_trailer(reader: &mut Reader<'_>) -> Result<NtVersion, InvalidMessage> {
    // Asked first: else bytes too many would be taken for NtVersion, and the message refused for a token.
    if reader.rest().len() > TRAILER {
        return Err(InvalidMessage::Trailing { found: reader.rest().len() - TRAILER });
    }
    let version = NtVersion(reader.u32("NtVersion")?);
    for field in ["LmNtToken", "Lm20Token"] {
        let found = reader.u16(field)?;
        if found != TOKEN {
            return Err(InvalidMessage::Value { field, found: found.into(), expected: "0xffff" });
        }
    }
    Ok(version)
}

/// NtVersion, read from its place before the message's end: it says which fields stand before it.
fn peek_version(reader: &Reader<'_>) -> Result<NtVersion, InvalidMessage> {
    let mut end = reader.clone();
    let skipped = end.rest().len().saturating_sub(TRAILER);
    end.take("NtVersion", skipped)?;
    end.u32("NtVersion").map(NtVersion)
}

fn emit_trailer(version: NtVersion, out: &mut Vec<u8>) {
    out.extend_from_slice(&version.0.to_le_bytes());
    out.extend_from_slice(&[TOKEN.to_le_bytes(), TOKEN.to_le_bytes()].concat());
}

/// Appends zeros up to the next multiple of `step` from `start`.
fn align(step: usize, start: usize, out: &mut Vec<u8>) {
    out.resize(start + (out.len() - start).next_multiple_of(step), 0);
}

/// NtVersion and two tokens.
const TRAILER: usize = 8;
/// LmNtToken and Lm20Token (MS-ADTS 6.3.1.4 and on).
const TOKEN: u16 = 0xFFFF;

// Opcodes, MS-ADTS 6.3.1.3. The responses have three in a row each: see `Outcome`.
const PRIMARY_QUERY: u16 = 7;
const PRIMARY_RESPONSE: u16 = 12;
const SAM_LOGON_REQUEST: u16 = 18;
const SAM_LOGON_RESPONSE: u16 = 19;
const SAM_LOGON_RESPONSE_EX: u16 = 23;
