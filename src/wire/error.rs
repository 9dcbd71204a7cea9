//! Why received bytes are refused.

use thiserror::Error;

/// The reason why bytes are not a well-formed mailslot datagram: what was found, and what would be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Malformed {
    /// RFC 1002 4.4.1: the packet ends inside its header.
    #[error("the packet has {found} bytes; its header takes {need}")]
    HeaderTruncated {
        /// Bytes that are there.
        found: usize,
        /// Bytes that the header takes.
        need: usize,
    },
    /// RFC 1002 4.4.1: no such message type.
    #[error("message type {0:#04x} is unknown; datagrams have 0x10 to 0x16")]
    UnknownMessageType(u8),
    /// A whole datagram does not start at an offset (a choice: no source states the receiver's rule).
    #[error("the only fragment of a datagram has PACKET_OFFSET {0}; it must be 0")]
    OffsetOfWhole(u16),
    /// A choice: no source states the receiver's rule.
    #[error("DGM_LENGTH is {length}, but {found} bytes follow the header")]
    LengthBeyondPacket {
        /// The field.
        length: u16,
        /// Bytes that are there.
        found: usize,
    },
    /// RFC 1002 4.4.2: SOURCE_NAME is no second-level encoded name.
    #[error("the source name is malformed: {0}")]
    SourceName(NameFault),
    /// RFC 1002 4.4.2: DESTINATION_NAME is no second-level encoded name.
    #[error("the destination name is malformed: {0}")]
    DestinationName(NameFault),
    /// RFC 1002 4.4.2: a fragment carries what only a whole datagram or a first fragment does.
    #[error("the packet is a fragment of a datagram (flags {flags:#04x}, offset {offset}), not a whole one")]
    Fragment {
        /// The FLAGS byte.
        flags: u8,
        /// The PACKET_OFFSET field.
        offset: u16,
    },
    /// RFC 1001 17.1.2: fragments neither overlap nor leave a gap.
    #[error("a fragment starts at offset {found}; the fragments before it end at {expected}")]
    FragmentOffset {
        /// The PACKET_OFFSET field.
        found: u16,
        /// Where the held bytes end.
        expected: u16,
    },
    /// RFC 1001 17.1.2: the last fragment completes DGM_LENGTH bytes.
    #[error("the fragments carry {found} bytes; DGM_LENGTH is {length}")]
    FragmentLength {
        /// Bytes that all fragments carry.
        found: usize,
        /// The field of the first fragment.
        length: u16,
    },
    /// RFC 1001 17.1.2: a fragment belongs to another datagram than the first one.
    #[error("a fragment belongs to datagram {found:#06x}, the first one to {expected:#06x}")]
    FragmentOfAnother {
        /// DGM_ID of the fragment.
        found: u16,
        /// DGM_ID of the first fragment.
        expected: u16,
    },
    /// The reserved bits of FLAGS are set (strict profile; RFC 1002 4.4.1).
    #[error("the reserved bits of FLAGS {0:#04x} are set; they must be 0")]
    ReservedFlags(u8),
    /// MS-MAIL 2.2.1: too short for a transaction request.
    #[error("the user data has {found} bytes; a mailslot write takes at least {need}")]
    TransactionTruncated {
        /// Bytes that are there.
        found: usize,
        /// Bytes before the mailslot name.
        need: usize,
    },
    /// MS-MAIL 2.2.1: a field has another value than a mailslot write must have.
    #[error("{field} is {found:#x}; a mailslot write has {expected:#x}")]
    NotAMailslotWrite {
        /// Name of the field in MS-MAIL 2.2.1.
        field: &'static str,
        /// What it holds.
        found: u32,
        /// What it must hold.
        expected: u32,
    },
    /// MS-MAIL 2.2.1: the mailslot name has no NUL inside the packet.
    #[error("the mailslot name has no terminating NUL")]
    MailslotNameUnterminated,
    /// MS-MAIL 2.2.1: the mailslot name does not start with `\MAILSLOT\`.
    #[error("the mailslot name does not start with \\MAILSLOT\\")]
    MailslotNamePrefix,
    /// MS-MAIL 2.2.1: nothing follows `\MAILSLOT\`.
    #[error("the mailslot name is empty after \\MAILSLOT\\")]
    MailslotNameEmpty,
    /// MS-MAIL 2.2.1: a name that is to be written has a NUL in it, which would end it early.
    #[error("the mailslot name has a NUL inside")]
    MailslotNameNul,
    /// MS-MAIL 3.2.5.1: DataOffset points before the end of the mailslot name.
    #[error("DataOffset is {offset}, inside the header or the mailslot name, which ends at {name_end}")]
    DataOffsetInsideHeader {
        /// The field.
        offset: u16,
        /// First byte after the name's NUL.
        name_end: usize,
    },
    /// MS-MAIL 3.2.5.1: the message does not lie inside the packet.
    #[error("DataOffset {offset} + DataCount {count} is beyond the {found} bytes of user data")]
    DataBeyondPacket {
        /// The DataOffset field.
        offset: u16,
        /// The DataCount field.
        count: u16,
        /// Bytes that are there.
        found: usize,
    },
    /// A sender's rule of MS-MAIL 2.2.1, checked by the strict profile only.
    #[error("{field} is {found}; a sender writes {expected}")]
    SenderRule {
        /// Name of the field in MS-MAIL 2.2.1.
        field: &'static str,
        /// What it holds.
        found: u32,
        /// What a sender may write there.
        expected: &'static str,
    },
}

impl Malformed {
    /// Whether a fragment was refused because it does not go together with those that came before.
    #[must_use]
    pub fn is_of_fragments(&self) -> bool {
        matches!(
            self,
            Malformed::Fragment { .. }
                | Malformed::FragmentOfAnother { .. }
                | Malformed::FragmentOffset { .. }
                | Malformed::FragmentLength { .. }
        )
    }
}

/// Why bytes are not a second-level encoded NetBIOS name (RFC 1002 4.1, RFC 1001 14).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NameFault {
    /// The name runs past the end of the packet or of DGM_LENGTH.
    #[error("it does not end inside the packet")]
    Truncated,
    /// The first label is not 32 letters long.
    #[error("its first byte is {0:#04x} instead of 0x20")]
    FirstLabel(u8),
    /// A letter of the first-level encoding is not one of A to P.
    #[error("byte {0:#04x} is not a letter from A to P")]
    Letter(u8),
    /// A label is a pointer, which datagrams must not have (RFC 1002 4.1).
    #[error("it has a label pointer, which is allowed in name-service packets only")]
    Pointer,
    /// A label pointer of a name-service packet leads forwards, to itself or into the header (RFC 1002 4.1; that it
    /// must lead back is a choice, so that every name comes to an end).
    #[error("its label pointer leads to offset {0}, which is not between the header and the labels before it")]
    PointerTarget(usize),
    /// A name follows more label pointers than [`MAX_POINTERS`](super::nbns::MAX_POINTERS).
    #[error("it follows more than {} label pointers", super::nbns::MAX_POINTERS)]
    PointerChain,
    /// A label length has the reserved top bits 01 or 10.
    #[error("label length {0:#04x} has reserved bits")]
    ReservedLabel(u8),
    /// The encoded name is longer than 255 bytes.
    #[error("it is longer than 255 bytes")]
    TooLong,
}
