//! The mailslot write: an `SMB_COM_TRANSACTION` request (MS-MAIL 2.2.1, MS-CIFS 2.2.4.33). Little-endian.

use super::Profile;
use super::datagram::{MAX_USER_DATA, NodeType};
use super::error::Malformed;

/// What every mailslot name on the wire starts with, in any case.
pub const NAME_PREFIX: &[u8] = br"\MAILSLOT\";
/// Bytes before the mailslot name: SMB header, WordCount, 17 words, ByteCount.
pub const NAME_OFFSET: usize = 69;
/// The reliability that datagrams have: none (MS-MAIL 2.2.1, Class).
pub const SECOND_CLASS: u16 = 2;

/// A view of user data that was found to be a mailslot write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    /// Bytes of the mailslot name, without its NUL.
    name_len: usize,
}

impl<'a> Packet<'a> {
    /// Looks at the user data of a datagram with the checks of MS-MAIL 3.2.5.1, and under [`Profile::Strict`] those of
    /// a sender too.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn new(bytes: &'a [u8], profile: Profile) -> Result<Self, Malformed> {
        if bytes.len() < NAME_OFFSET {
            return Err(Malformed::TransactionTruncated { found: bytes.len(), need: NAME_OFFSET });
        }
        let must_be = |field: &'static str, found: u32, expected: u32| {
            if found == expected { Ok(()) } else { Err(Malformed::NotAMailslotWrite { field, found, expected }) }
        };
        must_be("Protocol", u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]), PROTOCOL)?;
        must_be("Command", bytes[field::COMMAND].into(), COMMAND_TRANSACTION.into())?;
        must_be("WordCount", bytes[field::WORD_COUNT].into(), WORD_COUNT.into())?;
        must_be("SetupCount", bytes[field::SETUP_COUNT].into(), SETUP_COUNT.into())?;
        must_be("MailSlotOpcode", le16(bytes, field::OPCODE).into(), OPCODE_WRITE.into())?;

        let rest = &bytes[NAME_OFFSET..];
        let name_len = rest.iter().position(|&byte| byte == 0).ok_or(Malformed::MailslotNameUnterminated)?;
        check_name(&rest[..name_len])?;

        let packet = Packet { bytes, name_len };
        let (offset, count) = (packet.data_offset(), packet.data_count());
        if usize::from(offset) < packet.name_end() {
            return Err(Malformed::DataOffsetInsideHeader { offset, name_end: packet.name_end() });
        }
        if usize::from(offset) + usize::from(count) > bytes.len() {
            return Err(Malformed::DataBeyondPacket { offset, count, found: bytes.len() });
        }
        if profile == Profile::Strict {
            packet.check_sender_rules()?;
        }
        Ok(packet)
    }

    /// The whole mailslot name, `\MAILSLOT\` included, without its NUL.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        &self.bytes[NAME_OFFSET..NAME_OFFSET + self.name_len]
    }

    /// The name after `\MAILSLOT\`: never empty.
    #[must_use]
    pub fn leaf(&self) -> &'a [u8] {
        &self.name()[NAME_PREFIX.len()..]
    }

    /// The message.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        &self.bytes[usize::from(self.data_offset())..][..usize::from(self.data_count())]
    }

    /// Priority: 0 to 9 from a sender; Windows ignores it.
    #[must_use]
    pub fn priority(&self) -> u16 {
        le16(self.bytes, field::PRIORITY)
    }

    /// Class: 1 or 2; Windows ignores it.
    #[must_use]
    pub fn class(&self) -> u16 {
        le16(self.bytes, field::CLASS)
    }

    /// DataOffset, from the first byte of the SMB header.
    #[must_use]
    pub fn data_offset(&self) -> u16 {
        le16(self.bytes, field::DATA_OFFSET)
    }

    /// ByteCount: bytes of name, padding and message, if the sender got it right.
    #[must_use]
    pub fn byte_count(&self) -> u16 {
        le16(self.bytes, field::BYTE_COUNT)
    }

    /// The bytes between the name's NUL and the message.
    #[must_use]
    pub fn padding(&self) -> &'a [u8] {
        &self.bytes[self.name_end()..usize::from(self.data_offset())]
    }

    fn data_count(&self) -> u16 {
        le16(self.bytes, field::DATA_COUNT)
    }

    /// First byte after the name's NUL.
    fn name_end(&self) -> usize {
        NAME_OFFSET + self.name_len + 1
    }

    fn check_sender_rules(&self) -> Result<(), Malformed> {
        let end = usize::from(self.data_offset()) + usize::from(self.data_count());
        let total_data = le16(self.bytes, field::TOTAL_DATA_COUNT);
        rule(self.priority() <= MAX_PRIORITY, "Priority", self.priority().into(), "0 to 9")?;
        rule((1..=SECOND_CLASS).contains(&self.class()), "Class", self.class().into(), "1 or 2")?;
        rule(total_data == self.data_count(), "TotalDataCount", total_data.into(), "the same as DataCount")?;
        let byte_count = usize::from(self.byte_count());
        rule(byte_count == end - NAME_OFFSET, "ByteCount", byte_count, "the bytes of name, padding and data")?;
        rule(self.bytes.len() == end, "length of the user data", self.bytes.len(), "nothing after the data")?;
        check_length(end)
    }
}

/// The fields of a mailslot write that receivers ignore and senders fill in differently.
///
/// The default is what a Windows server writes: zero, but for class and priority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// SMB header, Status to MID (the 27 bytes after Command), as they are on the wire.
    pub smb: [u8; 27],
    /// TotalParameterCount.
    pub total_parameter_count: u16,
    /// MaxParameterCount, MaxDataCount, MaxSetupCount and Reserved, as they are on the wire.
    pub maxima: [u8; 6],
    /// Flags of the transaction.
    pub flags: u16,
    /// Timeout in milliseconds.
    pub timeout_ms: u32,
    /// Reserved2.
    pub reserved2: u16,
    /// ParameterCount.
    pub parameter_count: u16,
    /// ParameterOffset.
    pub parameter_offset: u16,
    /// Reserved3, the byte after SetupCount.
    pub reserved3: u8,
    /// Priority, 0 to 9.
    pub priority: u16,
    /// Class, 1 or 2.
    pub class: u16,
}

impl Default for Head {
    fn default() -> Self {
        Head {
            smb: [0; 27],
            total_parameter_count: 0,
            maxima: [0; 6],
            flags: 0,
            timeout_ms: 0,
            reserved2: 0,
            parameter_count: 0,
            parameter_offset: 0,
            reserved3: 0,
            priority: DEFAULT_PRIORITY,
            class: SECOND_CLASS,
        }
    }
}

/// How a sender lays out a mailslot write. What receivers read is the same; [`Head`] is too: both fill in nothing but
/// priority 1 and class 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Layout {
    /// As Windows: zeros after the name, so that the message starts at a multiple of 4 (MS-MAIL 2.2.1).
    #[default]
    Windows,
    /// As Samba 4.17, read off its datagrams: the message right after the name's NUL.
    Samba,
}

impl Layout {
    /// What such a sender claims to be in the header of its datagrams.
    #[must_use]
    pub const fn node_type(self) -> NodeType {
        match self {
            Layout::Windows => NodeType::NbddOrHybrid,
            Layout::Samba => NodeType::M,
        }
    }

    /// The most bytes that one message to a slot with a name of `leaf_len` characters after `\MAILSLOT\` can have, so
    /// that the request fits [`MAX_USER_DATA`] (MS-MAIL 2.1 and note 2): 424 for 5 to 8 characters from Windows; `None`
    /// where the name alone is too long.
    #[must_use]
    pub const fn max_data(self, leaf_len: usize) -> Option<usize> {
        if leaf_len > MAX_USER_DATA {
            return None;
        }
        MAX_USER_DATA.checked_sub(self.data_offset(NAME_PREFIX.len() + leaf_len))
    }

    /// Bytes of the write of a message of `data_len` bytes to a slot with a name of `leaf_len` characters.
    #[must_use]
    pub const fn write_len(self, leaf_len: usize, data_len: usize) -> usize {
        self.data_offset(NAME_PREFIX.len() + leaf_len) + data_len
    }

    /// Where the message starts behind a name of `name_len` bytes, prefix included.
    const fn data_offset(self, name_len: usize) -> usize {
        let name_end = NAME_OFFSET + name_len + 1;
        match self {
            Layout::Windows => name_end.next_multiple_of(4),
            Layout::Samba => name_end,
        }
    }

    const fn padding(self, name_len: usize) -> &'static [u8] {
        let count = self.data_offset(name_len) - (NAME_OFFSET + name_len + 1);
        [0; 3].as_slice().split_at(count).0
    }
}

/// A mailslot write in a form that cannot break a sender's rule: counts and offsets follow from the parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repr {
    head: Head,
    name: Vec<u8>,
    padding: Vec<u8>,
    data: Vec<u8>,
}

impl Repr {
    /// The write of `data` to the slot `name` (with its prefix), with the [`Head`] that both layouts have.
    ///
    /// # Errors
    ///
    /// If the name does not start with `\MAILSLOT\`, is empty after it, or has a NUL in it, or if name and data do not
    /// fit a datagram together ([`Layout::max_data`]).
    pub fn new(layout: Layout, name: &[u8], data: &[u8]) -> Result<Self, Malformed> {
        check_name(name)?;
        if name.contains(&0) {
            return Err(Malformed::MailslotNameNul);
        }
        let end = layout.data_offset(name.len()).saturating_add(data.len());
        check_length(end)?;
        let padding = layout.padding(name.len()).to_vec();
        Ok(Repr { head: Head::default(), name: name.to_vec(), padding, data: data.to_vec() })
    }

    /// Reads what [`Packet::new`] accepted under either profile, if it keeps the sender's rules.
    ///
    /// # Errors
    ///
    /// The sender's rule that is broken.
    pub fn parse(packet: &Packet<'_>) -> Result<Self, Malformed> {
        packet.check_sender_rules()?;
        let bytes = packet.bytes;
        let head = Head {
            smb: array(bytes, field::SMB_REST),
            total_parameter_count: le16(bytes, field::TOTAL_PARAMETER_COUNT),
            maxima: array(bytes, field::MAXIMA),
            flags: le16(bytes, field::FLAGS),
            timeout_ms: u32::from_le_bytes(array(bytes, field::TIMEOUT)),
            reserved2: le16(bytes, field::RESERVED2),
            parameter_count: le16(bytes, field::PARAMETER_COUNT),
            parameter_offset: le16(bytes, field::PARAMETER_OFFSET),
            reserved3: bytes[field::RESERVED3],
            priority: packet.priority(),
            class: packet.class(),
        };
        let (name, padding, data) = (packet.name().to_vec(), packet.padding().to_vec(), packet.data().to_vec());
        Ok(Repr { head, name, padding, data })
    }

    /// The fields that receivers ignore.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The whole mailslot name, without its NUL.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The message.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Appends the user data of the datagram.
    pub fn emit(&self, out: &mut Vec<u8>) {
        emit(&self.head, &self.name, &self.padding, &self.data, out);
    }
}

/// Appends the mailslot write of `data` to the slot `name` (with its prefix): what [`Repr::new`] and [`Repr::emit`] would
/// append, without the copies and the checks between them.
///
/// # Panics
///
/// As [`Repr::emit`] would if name and data together did not fit 16-bit counts.
pub fn emit_write(layout: Layout, name: &[u8], data: &[u8], out: &mut Vec<u8>) {
    emit(&Head::default(), name, layout.padding(name.len()), data, out);
}

/// Checks that a name has the prefix, and something after it.
fn check_name(name: &[u8]) -> Result<(), Malformed> {
    match name.split_at_checked(NAME_PREFIX.len()) {
        Some((prefix, leaf)) if prefix.eq_ignore_ascii_case(NAME_PREFIX) => {
            if leaf.is_empty() {
                Err(Malformed::MailslotNameEmpty)
            } else {
                Ok(())
            }
        }
        Some(_) | None => Err(Malformed::MailslotNamePrefix),
    }
}

fn check_length(end: usize) -> Result<(), Malformed> {
    rule(end <= MAX_USER_DATA, "length of the user data", end, "at most 512 bytes")
}

fn rule(holds: bool, field: &'static str, found: usize, expected: &'static str) -> Result<(), Malformed> {
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    if holds { Ok(()) } else { Err(Malformed::SenderRule { field, found, expected }) }
}

fn emit(head: &Head, name: &[u8], padding: &[u8], data: &[u8], out: &mut Vec<u8>) {
    let bytes = name.len() + 1 + padding.len() + data.len();
    let word = |value: usize| u16::try_from(value).expect("counts of a mailslot write fit 16 bits").to_le_bytes();
    out.extend_from_slice(&PROTOCOL.to_be_bytes());
    out.push(COMMAND_TRANSACTION);
    out.extend_from_slice(&head.smb);
    out.push(WORD_COUNT);
    out.extend_from_slice(&head.total_parameter_count.to_le_bytes());
    out.extend_from_slice(&word(data.len()));
    out.extend_from_slice(&head.maxima);
    out.extend_from_slice(&head.flags.to_le_bytes());
    out.extend_from_slice(&head.timeout_ms.to_le_bytes());
    out.extend_from_slice(&head.reserved2.to_le_bytes());
    out.extend_from_slice(&head.parameter_count.to_le_bytes());
    out.extend_from_slice(&head.parameter_offset.to_le_bytes());
    out.extend_from_slice(&word(data.len()));
    out.extend_from_slice(&word(NAME_OFFSET + bytes - data.len()));
    out.extend_from_slice(&[SETUP_COUNT, head.reserved3]);
    out.extend_from_slice(&OPCODE_WRITE.to_le_bytes());
    out.extend_from_slice(&head.priority.to_le_bytes());
    out.extend_from_slice(&head.class.to_le_bytes());
    out.extend_from_slice(&word(bytes));
    out.extend_from_slice(name);
    out.push(0);
    out.extend_from_slice(padding);
    out.extend_from_slice(data);
}

const PROTOCOL: u32 = 0xFF53_4D42;
const COMMAND_TRANSACTION: u8 = 0x25;
const WORD_COUNT: u8 = 17;
const SETUP_COUNT: u8 = 3;
const OPCODE_WRITE: u16 = 1;
const MAX_PRIORITY: u16 = 9;
/// A choice: any value from 0 to 9 is legal, and Windows ignores it.
const DEFAULT_PRIORITY: u16 = 1;

/// Offsets from the first byte of the SMB header, MS-MAIL 2.2.1.
mod field {
    pub(super) const COMMAND: usize = 4;
    /// Status to MID.
    pub(super) const SMB_REST: usize = 5;
    pub(super) const WORD_COUNT: usize = 32;
    pub(super) const TOTAL_PARAMETER_COUNT: usize = 33;
    pub(super) const TOTAL_DATA_COUNT: usize = 35;
    /// MaxParameterCount, MaxDataCount, MaxSetupCount, Reserved.
    pub(super) const MAXIMA: usize = 37;
    pub(super) const FLAGS: usize = 43;
    pub(super) const TIMEOUT: usize = 45;
    pub(super) const RESERVED2: usize = 49;
    pub(super) const PARAMETER_COUNT: usize = 51;
    pub(super) const PARAMETER_OFFSET: usize = 53;
    pub(super) const DATA_COUNT: usize = 55;
    pub(super) const DATA_OFFSET: usize = 57;
    pub(super) const SETUP_COUNT: usize = 59;
    pub(super) const RESERVED3: usize = 60;
    pub(super) const OPCODE: usize = 61;
    pub(super) const PRIORITY: usize = 63;
    pub(super) const CLASS: usize = 65;
    pub(super) const BYTE_COUNT: usize = 67;
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// The `N` bytes at `at`, which the caller knows to be there.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MS-MAIL 2.1 and note 2: 512 - 80 - roundup4(N).
    #[test]
    fn the_greatest_message_follows_from_the_name() {
        for (leaf_len, max) in [(1, 428), (4, 428), (5, 424), (8, 424), (9, 420), (13, 416), (21, 408), (432, 0)] {
            assert_eq!(Layout::Windows.max_data(leaf_len), Some(max), "name of {leaf_len} characters");
        }
        for leaf_len in [433, 512, 513, 70_000, usize::MAX] {
            assert_eq!(Layout::Windows.max_data(leaf_len), None, "name of {leaf_len} characters");
        }
    }

    /// Without padding, every character of the name costs one byte.
    #[test]
    fn a_write_as_samba_has_room_for_the_padding() {
        for (leaf_len, max) in [(1, 431), (4, 428), (6, 426), (8, 424), (432, 0)] {
            assert_eq!(Layout::Samba.max_data(leaf_len), Some(max), "name of {leaf_len} characters");
        }
        assert_eq!(Layout::Samba.max_data(433), None);
    }

    #[test]
    fn an_emitted_write_passes_the_strict_profile() {
        for layout in [Layout::Windows, Layout::Samba] {
            for leaf in ["a", "ab", "abc", "abcd", "alarm\\line1"] {
                let name = format!("\\MAILSLOT\\{leaf}");
                let mut bytes = Vec::new();
                emit_write(layout, name.as_bytes(), b"hello", &mut bytes);
                let packet = Packet::new(&bytes, Profile::Strict).unwrap();
                assert_eq!((packet.leaf(), packet.data()), (leaf.as_bytes(), &b"hello"[..]));
                match layout {
                    Layout::Windows => assert_eq!(packet.data_offset() % 4, 0),
                    Layout::Samba => assert_eq!(packet.padding(), b""),
                }
                let repr = Repr::new(layout, name.as_bytes(), b"hello").unwrap();
                assert_eq!(Repr::parse(&packet).as_ref(), Ok(&repr));
                let mut again = Vec::new();
                repr.emit(&mut again);
                assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn what_no_datagram_carries_is_refused() {
        let new = |name: &str, len: usize| Repr::new(Layout::Samba, name.as_bytes(), &vec![0; len]).map(|_| ());
        assert_eq!(new("\\mailslot\\abcdef", 426), Ok(()));
        let (field, expected) = ("length of the user data", "at most 512 bytes");
        assert_eq!(new("\\mailslot\\abcdef", 427), Err(Malformed::SenderRule { field, found: 513, expected }));
        assert_eq!(new("\\mailslot\\", 0), Err(Malformed::MailslotNameEmpty));
        assert_eq!(new("\\mailslot", 0), Err(Malformed::MailslotNamePrefix));
        assert_eq!(new("\\mailbox\\\\a", 0), Err(Malformed::MailslotNamePrefix));
        assert_eq!(new("\\mailslot\\a\0b", 0), Err(Malformed::MailslotNameNul));
    }
}
