//! A second reader of mailslot writes, after RFC 1002 4.4 and MS-MAIL 2.2.1 and 3.2.5.1, which shares nothing with the
//! one of `mailslot-sim`. It only says what is in a packet, not what is wrong with it.

use std::collections::VecDeque;

/// A NetBIOS name as it is in a datagram.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    /// The 16 bytes.
    pub(crate) bytes: [u8; 16],
    /// The labels of the scope with their lengths.
    pub(crate) scope: Vec<u8>,
}

/// The data section of a datagram: two names and the rest.
pub(crate) struct Section<'a> {
    /// Who claims to have sent it.
    pub(crate) source: Name,
    /// Whom it is for.
    pub(crate) destination: Name,
    /// What follows the names.
    pub(crate) user_data: &'a [u8],
}

/// A name and what follows it.
pub(crate) fn name(bytes: &[u8]) -> Option<(Name, &[u8])> {
    let (letters, mut rest) = bytes.strip_prefix(b" ")?.split_at_checked(32)?;
    let mut decoded = [0; 16];
    for (at, letter) in letters.iter().enumerate() {
        let nibble = b"ABCDEFGHIJKLMNOP".iter().position(|known| known == letter)?;
        decoded[at / 2] = decoded[at / 2] << 4 | nibble as u8;
    }
    let mut scope = Vec::new();
    loop {
        let (label, after) = rest.split_at_checked(1 + usize::from(*rest.first()?))?;
        rest = after;
        if label == [0] {
            break;
        }
        if label.len() > 64 {
            return None;
        }
        scope.extend_from_slice(label);
    }
    (34 + scope.len() <= 255).then_some((Name { bytes: decoded, scope }, rest))
}

/// The data section of a packet with user data: the type, flags and offset, DGM_LENGTH, what follows the header.
pub(crate) fn packet(bytes: &[u8]) -> Option<(u8, u8, usize, usize, &[u8])> {
    let (header, body) = bytes.split_at_checked(14)?;
    let word = |at: usize| usize::from(header[at]) << 8 | usize::from(header[at + 1]);
    matches!(header[0], 0x10..=0x12).then_some((header[0], header[1] & 3, word(12), word(10), body))
}

/// The data section of a packet that is not a fragment.
pub(crate) fn whole(bytes: &[u8]) -> Option<(u8, &[u8])> {
    match packet(bytes)? {
        (kind, FIRST, 0, length, body) => Some((kind, body.get(..length)?)),
        _ => None,
    }
}

/// What a data section holds.
pub(crate) fn section(bytes: &[u8]) -> Option<Section<'_>> {
    let (source, rest) = name(bytes)?;
    let (destination, user_data) = name(rest)?;
    Some(Section { source, destination, user_data })
}

/// The mailslot, without `\MAILSLOT\`, and the message of a mailslot write.
pub(crate) fn write(user_data: &[u8]) -> Option<(&[u8], &[u8])> {
    let word = |at: usize| Some(usize::from(*user_data.get(at)?) | usize::from(*user_data.get(at + 1)?) << 8);
    let constant =
        user_data.get(..5)? == b"\xFFSMB\x25" && (user_data.get(32)?, user_data.get(59)?, word(61)?) == (&17, &3, 1);
    let full_name = user_data.get(69..)?.split(|byte| *byte == 0).next()?;
    let data_offset = word(57)?;
    let data = user_data.get(data_offset..data_offset + word(55)?)?;
    let slot = full_name.get(10..).filter(|slot| !slot.is_empty())?;
    let is_terminated = 69 + full_name.len() < user_data.len();
    let is_mailslot = full_name[..10].eq_ignore_ascii_case(b"\\MAILSLOT\\");
    (constant && is_terminated && is_mailslot && data_offset > 69 + full_name.len()).then_some((slot, data))
}

/// Fragments that wait for the rest, the oldest first.
#[derive(Default)]
pub(crate) struct Assembler(VecDeque<Held>);

struct Held {
    key: [u8; 6],
    until_ms: u64,
    kind: u8,
    length: usize,
    section: Vec<u8>,
}

impl Assembler {
    /// Takes a fragment; returns the type and data section of the datagram that it completes.
    pub(crate) fn add(&mut self, now_ms: u64, bytes: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (kind, flags, offset, length, body) = packet(bytes)?;
        let key = [bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]; // DGM_ID, SOURCE_IP
        let Some(position) = self.0.iter().position(|held| held.key == key) else {
            if flags == FIRST | MORE && offset == 0 && body.len() <= length {
                if self.0.len() == mailslot_sim::mailslot::MAX_REASSEMBLIES {
                    self.0.pop_front();
                }
                self.0.push_back(Held { key, until_ms: now_ms + 2_000, kind, length, section: body.to_vec() });
            }
            return None;
        };
        let held = &mut self.0[position];
        let end = offset + body.len();
        let is_next = flags & FIRST == 0 && offset == held.section.len() && end <= held.length;
        let is_last = flags & MORE == 0;
        if !is_next || (is_last && end != held.length) {
            return None;
        }
        held.section.extend_from_slice(body);
        if is_last { self.0.remove(position).map(|held| (held.kind, held.section)) } else { None }
    }

    /// Gives up what has waited for two seconds.
    pub(crate) fn expire(&mut self, now_ms: u64) {
        self.0.retain(|held| held.until_ms > now_ms);
    }

    /// How many datagrams wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.len()
    }
}

const MORE: u8 = 1;
const FIRST: u8 = 2;
