//! Why received bytes are not a name service packet.

use thiserror::Error;

use crate::wire::NameFault;

/// The reason why bytes are not a name service packet that this crate knows: what was found, and what would be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Malformed {
    /// RFC 1002 4.2.1.1: the packet ends inside its header.
    #[error("the packet has {0} bytes; its header takes 12")]
    HeaderTruncated(usize),
    /// RFC 1002 4.1: the name of a question or record is malformed.
    #[error("the name at offset {at} is malformed: {fault}")]
    Name {
        /// Where the name starts, in bytes from the start of the packet.
        at: usize,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// RFC 1002 4.2.1.2, 4.2.1.3: the counts of the header promise more than the packet has.
    #[error("the packet ends at {0} bytes, inside a question or record that its header promises")]
    EntryTruncated(usize),
    /// RFC 1002 4.2.1.3: RDATA does not lie inside the packet.
    #[error("RDLENGTH is {length}, but {found} bytes follow it")]
    DataBeyondPacket {
        /// The field.
        length: u16,
        /// Bytes that are there.
        found: usize,
    },
    /// RFC 1002 4.2.13: the data of an NB record is a list of owners.
    #[error("an NB record has {0} bytes of data; each owner takes 6")]
    OwnersLength(usize),
    /// RFC 1002 4.2.2 to 4.2.16: the message needs a part that the packet does not have.
    #[error("the packet has no {0}")]
    Missing(&'static str),
    /// RFC 1002 4.2.1: type and class of a question or record are not NB and IN.
    #[error("type {kind:#06x} and class {class:#06x} instead of NB (0x0020) and IN (0x0001)")]
    NotNb {
        /// QUESTION_TYPE or RR_TYPE.
        kind: u16,
        /// QUESTION_CLASS or RR_CLASS.
        class: u16,
    },
    /// RFC 1002 4.2.2, 4.2.9: the record of a request is about another name than its question.
    #[error("the additional record is about another name than the question")]
    NamesDiffer,
    /// RFC 1002 4.2.1.1: no message with this OPCODE is known here. Refresh (8) is not: no name here ever expires at
    /// a name server.
    #[error("no {} with OPCODE {opcode} is known", if *.response { "response" } else { "request" })]
    UnknownOperation {
        /// OPCODE, four bits.
        opcode: u8,
        /// Whether the R bit is set.
        response: bool,
    },
    /// RFC 1002 4.2.6, 4.2.11, 4.2.14: no such RCODE.
    #[error("RCODE {0} is unknown; errors have 1 to 7")]
    UnknownCode(u8),
    /// A sender's rule of RFC 1002 4.2, checked by the strict profile only: there is one way to write each message.
    #[error("byte {at} of the packet is not the one that a careful sender writes there")]
    SenderRule {
        /// The first byte that is different, missing or too much, from the start of the packet.
        at: usize,
    },
}
