//! Name service packets (RFC 1002 4.2), UDP port 137: who bears a name, who wants it, who gives it up. Big-endian.
//!
//! [`Packet`] is the lenient view: a header, and questions and records as they stand, of whatever type. [`Repr`] is one
//! of the messages that this crate knows, in a form that cannot hold nonsense.

mod error;
mod pointer;
mod repr;

use std::net::Ipv4Addr;

pub use error::Malformed;
pub use pointer::MAX_POINTERS;
pub use repr::{ErrorCode, Message, Repr};

use super::Name;
use super::datagram::NodeType;

/// The UDP port of the NetBIOS name service, at both ends (NAME_SERVICE_UDP_PORT).
pub const PORT: u16 = 137;
/// QUESTION_TYPE and RR_TYPE of names and their owners.
pub const TYPE_NB: u16 = 0x0020;
/// RR_TYPE of a record without data, in a negative query response.
pub const TYPE_NULL: u16 = 0x000A;
/// QUESTION_CLASS and RR_CLASS: the only class.
pub const CLASS_IN: u16 = 0x0001;
/// A TTL, in seconds, that never ends (RFC 1002 6).
pub const INFINITE_TTL: u32 = 0;

/// Flags word: R, this is a response.
pub const FLAG_RESPONSE: u16 = 0x8000;
/// Flags word: AA, the sender is an authority for the name.
pub const FLAG_AUTHORITATIVE: u16 = 0x0400;
/// Flags word: RD. It is set in queries and registrations; a registration without it is an overwrite demand.
pub const FLAG_RECURSION_DESIRED: u16 = 0x0100;
/// Flags word: RA, the sender is a name server that finds out by itself.
pub const FLAG_RECURSION_AVAILABLE: u16 = 0x0080;
/// Flags word: B, the packet was broadcast.
pub const FLAG_BROADCAST: u16 = 0x0010;

/// OPCODE: query.
pub const OPCODE_QUERY: u8 = 0;
/// OPCODE: registration, and overwrite demands.
pub const OPCODE_REGISTRATION: u8 = 5;
/// OPCODE: release.
pub const OPCODE_RELEASE: u8 = 6;
/// OPCODE: WACK, wait for acknowledgement.
pub const OPCODE_WAIT: u8 = 7;

/// One owner of a name: the six bytes NB_FLAGS and NB_ADDRESS (RFC 1002 4.2.1.3, 4.2.13).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// G: the name is a group's.
    pub group: bool,
    /// ONT: the node type of the owner.
    pub node: NodeType,
    /// NB_ADDRESS.
    pub address: Ipv4Addr,
}

impl Entry {
    /// Bytes of an entry.
    pub const LENGTH: usize = 6;

    fn parse([flags, _, a, b, c, d]: [u8; Self::LENGTH]) -> Self {
        Entry {
            group: flags & NB_GROUP != 0,
            node: NodeType::from_bits(flags >> NB_NODE_SHIFT),
            address: [a, b, c, d].into(),
        }
    }

    fn emit(self, out: &mut Vec<u8>) {
        let group = if self.group { NB_GROUP } else { 0 };
        out.extend_from_slice(&[group | (self.node as u8) << NB_NODE_SHIFT, 0]);
        out.extend_from_slice(&self.address.octets());
    }
}

/// One entry of the question section (RFC 1002 4.2.1.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// QUESTION_NAME.
    pub name: Name,
    /// QUESTION_TYPE.
    pub kind: u16,
    /// QUESTION_CLASS.
    pub class: u16,
}

/// A resource record (RFC 1002 4.2.1.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// RR_NAME.
    pub name: Name,
    /// RR_TYPE.
    pub kind: u16,
    /// RR_CLASS.
    pub class: u16,
    /// TTL, in seconds; [`INFINITE_TTL`] never ends.
    pub ttl: u32,
    /// RDATA, of any type.
    pub data: &'a [u8],
}

impl Record<'_> {
    /// The owners that an NB record lists.
    ///
    /// # Errors
    ///
    /// If the record is not of type NB and class IN, or its data is not a whole number of entries.
    pub fn owners(&self) -> Result<Vec<Entry>, Malformed> {
        require_nb(self.kind, self.class)?;
        let (entries, []) = self.data.as_chunks() else { return Err(Malformed::OwnersLength(self.data.len())) };
        Ok(entries.iter().copied().map(Entry::parse).collect())
    }
}

/// Questions and records of a packet, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sections<'a> {
    /// The question section; responses have none.
    pub questions: Vec<Question>,
    /// The answer section.
    pub answers: Vec<Record<'a>>,
    /// The authority section.
    pub authority: Vec<Record<'a>>,
    /// The additional section: what a registration or release is about.
    pub additional: Vec<Record<'a>>,
}

/// A lenient view of a received packet that has a whole header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a>(&'a [u8]);

impl<'a> Packet<'a> {
    /// Looks at a UDP payload.
    ///
    /// # Errors
    ///
    /// If it is shorter than a header.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() < HEADER { Err(Malformed::HeaderTruncated(bytes.len())) } else { Ok(Packet(bytes)) }
    }

    /// NAME_TRN_ID: a response has that of its request.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.word(field::ID)
    }

    /// The second word of the header: R, OPCODE, NM_FLAGS and RCODE.
    #[must_use]
    pub fn flags(&self) -> u16 {
        self.word(field::FLAGS)
    }

    /// R: this is a response.
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.flags() & FLAG_RESPONSE != 0
    }

    /// OPCODE, four bits.
    #[must_use]
    pub fn opcode(&self) -> u8 {
        (self.flags() >> OPCODE_SHIFT) as u8 & 0x0F
    }

    /// RCODE, four bits: 0 in requests and in positive responses.
    #[must_use]
    pub fn code(&self) -> u8 {
        (self.flags() & RCODE) as u8
    }

    /// Reads all questions and records. The cost grows with the length of the packet, whatever its counts promise;
    /// bytes after the last record are ignored.
    ///
    /// # Errors
    ///
    /// If a name is malformed, or the packet ends before the counts of its header are met.
    pub fn sections(&self) -> Result<Sections<'a>, Malformed> {
        let mut reader = Reader { packet: self.0, at: HEADER };
        let count = |field| self.word(field);
        let questions = reader.several(count(field::QUESTIONS), Reader::question)?;
        let mut answers = count(field::ANSWERS);
        if self.is_response() && self.opcode() == OPCODE_QUERY && self.code() != 0 && reader.at < self.0.len() {
            answers = answers.max(1); // RFC 1002 4.2.14 draws a record and yet writes ANCOUNT 0
        }
        Ok(Sections {
            questions,
            answers: reader.several(answers, Reader::record)?,
            authority: reader.several(count(field::AUTHORITY), Reader::record)?,
            additional: reader.several(count(field::ADDITIONAL), Reader::record)?,
        })
    }

    fn word(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.0[at], self.0[at + 1]])
    }
}

/// A place in a packet, from which entries are read one after the other.
struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn several<T>(&mut self, count: u16, entry: fn(&mut Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        // Not as many at once as the count promises: it may promise anything.
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push(entry(self)?);
        }
        Ok(entries)
    }

    fn question(&mut self) -> Result<Question, Malformed> {
        let name = self.name()?;
        Ok(Question { name, kind: self.word()?, class: self.word()? })
    }

    fn record(&mut self) -> Result<Record<'a>, Malformed> {
        let name = self.name()?;
        let (kind, class) = (self.word()?, self.word()?);
        let ttl = u32::from_be_bytes(self.array()?);
        let length = self.word()?;
        let rest = &self.packet[self.at..];
        let data = rest.get(..usize::from(length)).ok_or(Malformed::DataBeyondPacket { length, found: rest.len() })?;
        self.at += data.len();
        Ok(Record { name, kind, class, ttl, data })
    }

    fn name(&mut self) -> Result<Name, Malformed> {
        if self.at == self.packet.len() {
            return Err(Malformed::EntryTruncated(self.at));
        }
        let (name, after) =
            pointer::parse_name(self.packet, self.at).map_err(|fault| Malformed::Name { at: self.at, fault })?;
        self.at = after;
        Ok(name)
    }

    fn word(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.packet[self.at..].first_chunk().ok_or(Malformed::EntryTruncated(self.packet.len()))?;
        self.at += N;
        Ok(*bytes)
    }
}

fn require_nb(kind: u16, class: u16) -> Result<(), Malformed> {
    if (kind, class) == (TYPE_NB, CLASS_IN) { Ok(()) } else { Err(Malformed::NotNb { kind, class }) }
}

/// Offsets in the header, RFC 1002 4.2.1.1.
mod field {
    pub(super) const ID: usize = 0;
    pub(super) const FLAGS: usize = 2;
    pub(super) const QUESTIONS: usize = 4;
    pub(super) const ANSWERS: usize = 6;
    pub(super) const AUTHORITY: usize = 8;
    pub(super) const ADDITIONAL: usize = 10;
}

/// Bytes of the header.
const HEADER: usize = 12;
/// Where OPCODE is in the flags word.
const OPCODE_SHIFT: u32 = 11;
/// RCODE in the flags word.
const RCODE: u16 = 0x000F;
/// G, in the first byte of NB_FLAGS.
const NB_GROUP: u8 = 0x80;
/// Where ONT is in the first byte of NB_FLAGS.
const NB_NODE_SHIFT: u32 = 5;
