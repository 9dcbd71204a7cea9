//! Why the data of a mailslot write is not the message that its slot is for.

use thiserror::Error;

/// The reason why bytes are not a well-formed message: what was found, and what would be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum InvalidMessage {
    /// The message ends inside a field.
    #[error("the message ends inside {field}: {found} of its {need} bytes are there")]
    Truncated {
        /// Name of the field in its document.
        field: &'static str,
        /// Bytes that are there.
        found: usize,
        /// Bytes that the field takes.
        need: usize,
    },
    /// No message of the protocol has this opcode.
    #[error("opcode {opcode:#04x} is none of the {protocol} protocol's")]
    UnknownOpcode {
        /// Which protocol the mailslot is for.
        protocol: &'static str,
        /// What stands in the place of the opcode.
        opcode: u16,
    },
    /// A string is not as its field has it.
    #[error("{field}: {reason}")]
    Text {
        /// Name of the field in its document.
        field: &'static str,
        /// What is wrong with it.
        reason: InvalidText,
    },
    /// A compressed name is not one that can be read.
    #[error("{field}: {reason}")]
    Name {
        /// Name of the field in its document.
        field: &'static str,
        /// What is wrong with it.
        reason: InvalidDnsName,
    },
    /// A field has another value than it must have.
    #[error("{field} is {found:#x}; it must be {expected}")]
    Value {
        /// Name of the field in its document.
        field: &'static str,
        /// What it holds.
        found: u32,
        /// What it may hold.
        expected: &'static str,
    },
    /// The message goes on where its fields have ended.
    #[error("the message is longer than its fields, by {found}")]
    Trailing {
        /// Bytes too many.
        found: usize,
    },
}

/// Why bytes or characters do not fit a field that holds a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum InvalidText {
    /// No NUL ends the string.
    #[error("it has no terminating NUL")]
    Unterminated,
    /// The string is longer than the field allows.
    #[error("it has {found} characters without its NUL; at most {max} are allowed")]
    TooLong {
        /// Characters (bytes, or 16-bit units) without the NUL.
        found: usize,
        /// The most that the field allows.
        max: usize,
    },
    /// The string of a constructor has a NUL in it, which would end it early.
    #[error("it has a NUL inside")]
    Nul,
    /// The 16-bit units are not UTF-16: half of a surrogate pair is missing.
    #[error("it is not UTF-16")]
    NotUtf16,
    /// A recipient of the messenger service starts with `*` (MS-MSRP 3.2.4.4).
    #[error("it starts with `*`, which no recipient's name does")]
    Star,
}

/// Why bytes or a text are not a name as RFC 1035 encodes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum InvalidDnsName {
    /// The name runs past the end of the message.
    #[error("it does not end inside the message")]
    Truncated,
    /// A pointer leads to where no earlier name can be: forwards, to itself, or before the first name.
    #[error("the pointer at {at} leads to {to}, which is no earlier name")]
    Pointer {
        /// Offset of the pointer in the message.
        at: usize,
        /// Offset that it names.
        to: usize,
    },
    /// A label length has the reserved top bits 01 or 10.
    #[error("label length {0:#04x} has reserved bits")]
    ReservedLabel(u8),
    /// The name takes more than 255 bytes uncompressed.
    #[error("it is longer than 255 bytes")]
    TooLong,
    /// A label is not UTF-8 (MS-ADTS 6.3.1.8).
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A label of a dotted text is empty or has more than 63 bytes.
    #[error("a label has {0} bytes; 1 to 63 are allowed")]
    Label(usize),
}
