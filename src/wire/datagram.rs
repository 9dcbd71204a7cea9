//! NetBIOS datagrams (RFC 1002 4.4), UDP port 138: header, the seven message types, names and user data. Big-endian.

use std::net::Ipv4Addr;

use super::Profile;
use super::error::Malformed;
use super::name::{Name, NameView};

/// The UDP port of the NetBIOS datagram service, at both ends.
pub const PORT: u16 = 138;
/// The most user data of a datagram (RFC 1001 17.1.2).
pub const MAX_USER_DATA: usize = 512;
/// ERROR_CODE: the destination name is not present.
pub const ERROR_DESTINATION_NOT_PRESENT: u8 = 0x82;
/// ERROR_CODE: the source name has an invalid format.
pub const ERROR_BAD_SOURCE_NAME: u8 = 0x83;
/// ERROR_CODE: the destination name has an invalid format.
pub const ERROR_BAD_DESTINATION_NAME: u8 = 0x84;

/// Whom a datagram with user data addresses: the first three message types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// DIRECT_UNIQUE, to the one owner of a name.
    Unique,
    /// DIRECT_GROUP, to every member of a group.
    Group,
    /// BROADCAST, to the name `*`.
    Broadcast,
}

/// The last three message types: a question to a datagram distribution server, and its answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueryKind {
    /// DATAGRAM QUERY REQUEST.
    Request,
    /// DATAGRAM POSITIVE QUERY RESPONSE.
    Positive,
    /// DATAGRAM NEGATIVE QUERY RESPONSE.
    Negative,
}

/// MSG_TYPE, the first byte of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageType {
    /// 0x10 to 0x12: carries user data.
    Direct(Kind),
    /// 0x13: DATAGRAM ERROR.
    Error,
    /// 0x14 to 0x16.
    Query(QueryKind),
}

impl MessageType {
    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            MessageType::Direct(Kind::Unique) => 0x10,
            MessageType::Direct(Kind::Group) => 0x11,
            MessageType::Direct(Kind::Broadcast) => 0x12,
            MessageType::Error => 0x13,
            MessageType::Query(QueryKind::Request) => 0x14,
            MessageType::Query(QueryKind::Positive) => 0x15,
            MessageType::Query(QueryKind::Negative) => 0x16,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, Malformed> {
        Ok(match byte {
            0x10 => MessageType::Direct(Kind::Unique),
            0x11 => MessageType::Direct(Kind::Group),
            0x12 => MessageType::Direct(Kind::Broadcast),
            0x13 => MessageType::Error,
            0x14 => MessageType::Query(QueryKind::Request),
            0x15 => MessageType::Query(QueryKind::Positive),
            0x16 => MessageType::Query(QueryKind::Negative),
            _ => return Err(Malformed::UnknownMessageType(byte)),
        })
    }

    /// Bytes that must be there before names or error code.
    const fn header_len(self) -> usize {
        match self {
            MessageType::Direct(_) => DIRECT_HEADER,
            MessageType::Error => ERROR_LENGTH,
            MessageType::Query(_) => SHORT_HEADER,
        }
    }
}

/// SNT, the node type of the sender, two bits of FLAGS; the name service has it as ONT, that of a name's owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeType {
    /// Broadcast node.
    B,
    /// Point-to-point node.
    P,
    /// Mixed node; what Samba writes.
    M,
    /// Datagram distribution server; Windows writes the same value for a hybrid node.
    NbddOrHybrid,
}

impl NodeType {
    const fn flags(self) -> u8 {
        (self as u8) << 2
    }

    const fn from_flags(flags: u8) -> Self {
        Self::from_bits(flags >> 2)
    }

    /// The type of two bits; higher ones are ignored.
    pub(super) const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0 => NodeType::B,
            1 => NodeType::P,
            2 => NodeType::M,
            _ => NodeType::NbddOrHybrid,
        }
    }
}

/// FLAGS: more fragments follow.
pub const FLAG_MORE: u8 = 0x01;
/// FLAGS: this is the first fragment.
pub const FLAG_FIRST: u8 = 0x02;
const FLAG_RESERVED: u8 = 0xF0;

/// A lenient view of a received packet, long enough for the fields of its message type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    message_type: MessageType,
}

impl<'a> Packet<'a> {
    /// Looks at a UDP payload.
    ///
    /// # Errors
    ///
    /// If the message type is unknown or the packet shorter than its header.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let &first = bytes.first().ok_or(Malformed::HeaderTruncated { found: 0, need: SHORT_HEADER })?;
        let message_type = MessageType::from_byte(first)?;
        let need = message_type.header_len();
        if bytes.len() < need {
            return Err(Malformed::HeaderTruncated { found: bytes.len(), need });
        }
        Ok(Packet { bytes, message_type })
    }

    /// MSG_TYPE.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// The FLAGS byte.
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.bytes[field::FLAGS]
    }

    /// The M bit: more fragments follow.
    #[must_use]
    pub fn more(&self) -> bool {
        self.flags() & FLAG_MORE != 0
    }

    /// The F bit: this is the first fragment.
    #[must_use]
    pub fn first(&self) -> bool {
        self.flags() & FLAG_FIRST != 0
    }

    /// DGM_ID.
    #[must_use]
    pub fn id(&self) -> u16 {
        be16(self.bytes, field::ID)
    }

    /// SOURCE_IP: the address that the sender claims.
    #[must_use]
    pub fn source_ip(&self) -> Ipv4Addr {
        let at = field::SOURCE_IP;
        Ipv4Addr::new(self.bytes[at], self.bytes[at + 1], self.bytes[at + 2], self.bytes[at + 3])
    }

    /// SOURCE_PORT.
    #[must_use]
    pub fn source_port(&self) -> u16 {
        be16(self.bytes, field::SOURCE_PORT)
    }

    /// DGM_LENGTH of a packet with user data, else 0: bytes of the whole datagram after this header.
    #[must_use]
    pub fn length(&self) -> u16 {
        if self.is_direct() { be16(self.bytes, field::LENGTH) } else { 0 }
    }

    /// PACKET_OFFSET of a packet with user data, else 0.
    #[must_use]
    pub fn offset(&self) -> u16 {
        if self.is_direct() { be16(self.bytes, field::OFFSET) } else { 0 }
    }

    /// The fields that every packet starts with, apart from its type.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            node_type: NodeType::from_flags(self.flags()),
            id: self.id(),
            source_ip: self.source_ip(),
            source_port: self.source_port(),
        }
    }

    /// What follows the header: for user data the data section of this packet, a tail beyond DGM_LENGTH included.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        match self.message_type {
            MessageType::Direct(_) => &self.bytes[DIRECT_HEADER..],
            MessageType::Error | MessageType::Query(_) => &self.bytes[SHORT_HEADER..],
        }
    }

    /// Whether this is one fragment of several.
    #[must_use]
    pub fn is_fragment(&self) -> bool {
        self.is_direct() && (self.flags() & (FLAG_FIRST | FLAG_MORE)) != FLAG_FIRST
    }

    /// Names and user data of a packet that holds a whole datagram.
    ///
    /// # Errors
    ///
    /// If the packet is a fragment, its length is wrong, or a name is malformed; under [`Profile::Strict`] also if
    /// reserved bits are set. `Ok(None)` for the types without user data.
    pub fn direct(&self, profile: Profile) -> Result<Option<DirectView<'a>>, Malformed> {
        let MessageType::Direct(kind) = self.message_type else { return Ok(None) };
        if profile == Profile::Strict && self.flags() & FLAG_RESERVED != 0 {
            return Err(Malformed::ReservedFlags(self.flags()));
        }
        if self.is_fragment() {
            return Err(Malformed::Fragment { flags: self.flags(), offset: self.offset() });
        }
        if self.offset() != 0 {
            return Err(Malformed::OffsetOfWhole(self.offset()));
        }
        let section = self
            .body()
            .get(..usize::from(self.length()))
            .ok_or(Malformed::LengthBeyondPacket { length: self.length(), found: self.body().len() })?;
        DirectView::parse(kind, section).map(Some)
    }

    fn is_direct(&self) -> bool {
        matches!(self.message_type, MessageType::Direct(_))
    }
}

/// The data section of a whole datagram: names and user data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DirectView<'a> {
    /// Whom the message type addresses.
    pub kind: Kind,
    /// SOURCE_NAME.
    pub source: NameView<'a>,
    /// DESTINATION_NAME.
    pub destination: NameView<'a>,
    /// USER_DATA.
    pub user_data: &'a [u8],
}

impl<'a> DirectView<'a> {
    /// Reads a data section: the bytes after the header of an unfragmented packet, or reassembled ones.
    ///
    /// # Errors
    ///
    /// If a name is malformed or does not end inside the section.
    #[inline]
    pub fn parse(kind: Kind, section: &'a [u8]) -> Result<Self, Malformed> {
        let (source, rest) = NameView::parse(section).map_err(Malformed::SourceName)?;
        let (destination, user_data) = NameView::parse(rest).map_err(Malformed::DestinationName)?;
        Ok(DirectView { kind, source, destination, user_data })
    }
}

/// What every packet starts with, apart from its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// SNT.
    pub node_type: NodeType,
    /// DGM_ID.
    pub id: u16,
    /// SOURCE_IP.
    pub source_ip: Ipv4Addr,
    /// SOURCE_PORT.
    pub source_port: u16,
}

impl Head {
    pub(super) fn emit(&self, message_type: MessageType, fragment_flags: u8, out: &mut Vec<u8>) {
        out.push(message_type.byte());
        out.push(self.node_type.flags() | fragment_flags);
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.source_ip.octets());
        out.extend_from_slice(&self.source_port.to_be_bytes());
    }
}

/// A whole datagram of any type, in a form that cannot hold nonsense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Repr {
    /// A datagram with user data.
    Direct(Direct),
    /// DATAGRAM ERROR.
    Error {
        /// The common header; `id` is that of the datagram that went wrong.
        head: Head,
        /// The F and M bits, which have no meaning here.
        fragment_flags: u8,
        /// ERROR_CODE.
        code: u8,
    },
    /// One of the query types.
    Query {
        /// Which one.
        kind: QueryKind,
        /// The common header.
        head: Head,
        /// The F and M bits, which have no meaning here.
        fragment_flags: u8,
        /// The name that is asked for.
        destination: Name,
    },
}

/// A datagram with user data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Direct {
    /// The common header.
    pub head: Head,
    /// Whom it addresses.
    pub kind: Kind,
    /// SOURCE_NAME.
    pub source: Name,
    /// DESTINATION_NAME.
    pub destination: Name,
    /// USER_DATA.
    pub user_data: Vec<u8>,
}

impl Repr {
    /// Reads a packet that holds a whole datagram.
    ///
    /// # Errors
    ///
    /// What [`Packet::direct`] refuses under [`Profile::Strict`].
    pub fn parse(packet: &Packet<'_>) -> Result<Self, Malformed> {
        let head = packet.head();
        let fragment_flags = packet.flags() & (FLAG_FIRST | FLAG_MORE);
        match packet.message_type() {
            MessageType::Direct(_) => {
                let view = packet.direct(Profile::Strict)?.expect("the message type carries user data");
                Ok(Repr::Direct(Direct::new(head, &view)))
            }
            MessageType::Error => Ok(Repr::Error { head, fragment_flags, code: packet.body()[0] }),
            MessageType::Query(kind) => {
                let (name, _) = NameView::parse(packet.body()).map_err(Malformed::DestinationName)?;
                Ok(Repr::Query { kind, head, fragment_flags, destination: name.to_name() })
            }
        }
    }

    /// Appends the packet to `out`.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Repr::Direct(direct) => {
                emit_direct(&direct.head, direct.kind, &direct.source, &direct.destination, out, |out| {
                    out.extend_from_slice(&direct.user_data);
                });
            }
            Repr::Error { head, fragment_flags, code } => {
                head.emit(MessageType::Error, *fragment_flags, out);
                out.push(*code);
            }
            Repr::Query { kind, head, fragment_flags, destination } => {
                head.emit(MessageType::Query(*kind), *fragment_flags, out);
                destination.emit(out);
            }
        }
    }
}

impl Direct {
    /// The owned form of a view and the header that came with it.
    #[must_use]
    pub fn new(head: Head, view: &DirectView<'_>) -> Self {
        Direct {
            head,
            kind: view.kind,
            source: view.source.to_name(),
            destination: view.destination.to_name(),
            user_data: view.user_data.to_vec(),
        }
    }
}

/// Appends an unfragmented datagram whose user data is what `emit_user_data` appends.
///
/// # Panics
///
/// If names and user data take more than 65,535 bytes, which DGM_LENGTH cannot say.
pub fn emit_direct(
    head: &Head,
    kind: Kind,
    source: &Name,
    destination: &Name,
    out: &mut Vec<u8>,
    emit_user_data: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    head.emit(MessageType::Direct(kind), FLAG_FIRST, out);
    out.extend_from_slice(&[0; DIRECT_HEADER - SHORT_HEADER]);
    source.emit(out);
    destination.emit(out);
    emit_user_data(out);
    let length = u16::try_from(out.len() - start - DIRECT_HEADER).expect("a datagram fits DGM_LENGTH");
    out[start + field::LENGTH..][..2].copy_from_slice(&length.to_be_bytes());
}

/// Offsets in a packet, RFC 1002 4.4.1.
mod field {
    pub(super) const FLAGS: usize = 1;
    pub(super) const ID: usize = 2;
    pub(super) const SOURCE_IP: usize = 4;
    pub(super) const SOURCE_PORT: usize = 8;
    pub(super) const LENGTH: usize = 10;
    pub(super) const OFFSET: usize = 12;
}

impl Malformed {
    /// The ERROR_CODE that a DATAGRAM ERROR packet has for this refusal (RFC 1002 4.4.3), if it has one.
    #[must_use]
    pub fn datagram_error(&self) -> Option<u8> {
        match self {
            Malformed::SourceName(_) => Some(ERROR_BAD_SOURCE_NAME),
            Malformed::DestinationName(_) => Some(ERROR_BAD_DESTINATION_NAME),
            _ => None,
        }
    }
}

/// Header of the types with user data.
pub(super) const DIRECT_HEADER: usize = 14;
/// Header of the other types.
const SHORT_HEADER: usize = 10;
/// A whole DATAGRAM ERROR packet.
const ERROR_LENGTH: usize = SHORT_HEADER + 1;

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}
