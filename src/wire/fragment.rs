//! Fragments of a NetBIOS datagram (RFC 1001 17.1.2, RFC 1002 5.3.1 and 5.3.3).
//!
//! Only FLAGS and PACKET_OFFSET differ between the fragments of a datagram; DGM_LENGTH is that of the whole. An offset
//! is the number of data-section bytes in the fragments before (RFC 1001 17.1.2; the pseudo-code of RFC 1002 5.3.1 says
//! otherwise and contradicts it).

use std::net::Ipv4Addr;

use super::Profile;
use super::datagram::{DIRECT_HEADER, DirectView, FLAG_FIRST, FLAG_MORE, Kind, MessageType, Packet};
use super::error::Malformed;

/// MAX_DATAGRAM_LENGTH of RFC 1002 6 without the IP and UDP headers that it includes: 576 - 20 - 8.
pub const DEFAULT_MAX_PACKET: usize = 548;

/// The collected fragments of one datagram. Fragments are taken in the order of their offsets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reassembly {
    id: u16,
    source_ip: Ipv4Addr,
    kind: Kind,
    length: u16,
    section: Vec<u8>,
}

impl Reassembly {
    /// Starts with a first fragment.
    ///
    /// # Errors
    ///
    /// If the packet is not a first fragment, or longer than its datagram.
    pub fn start(first: &Packet<'_>) -> Result<Self, Malformed> {
        let MessageType::Direct(kind) = first.message_type() else {
            return Err(Malformed::UnknownMessageType(first.message_type().byte()));
        };
        if !first.first() || first.offset() != 0 {
            return Err(Malformed::Fragment { flags: first.flags(), offset: first.offset() });
        }
        let mut reassembly = Reassembly {
            id: first.id(),
            source_ip: first.source_ip(),
            kind,
            length: first.length(),
            section: Vec::new(),
        };
        reassembly.append(first)?;
        Ok(reassembly)
    }

    /// Adds the next fragment; true if it was the last and the datagram is complete.
    ///
    /// # Errors
    ///
    /// If the fragment is of another datagram, overlaps, leaves a gap, or ends elsewhere than DGM_LENGTH says. What was
    /// collected stays as it was, and the right fragment may still come.
    pub fn add(&mut self, fragment: &Packet<'_>) -> Result<bool, Malformed> {
        if (fragment.id(), fragment.source_ip()) != (self.id, self.source_ip) {
            return Err(Malformed::FragmentOfAnother { found: fragment.id(), expected: self.id });
        }
        if fragment.first() || usize::from(fragment.offset()) != self.section.len() {
            let expected = self.section.len() as u16;
            return Err(Malformed::FragmentOffset { found: fragment.offset(), expected });
        }
        self.append(fragment)?;
        Ok(!fragment.more())
    }

    /// The data section so far: both names and user data.
    #[must_use]
    pub fn section(&self) -> &[u8] {
        &self.section
    }

    /// Names and user data of the completed datagram.
    ///
    /// # Errors
    ///
    /// If a name is malformed.
    pub fn direct(&self) -> Result<DirectView<'_>, Malformed> {
        DirectView::parse(self.kind, &self.section)
    }

    fn append(&mut self, fragment: &Packet<'_>) -> Result<(), Malformed> {
        let found = self.section.len() + fragment.body().len();
        let length = usize::from(self.length);
        if found > length || (!fragment.more() && found != length) {
            return Err(Malformed::FragmentLength { found, length: self.length });
        }
        self.section.extend_from_slice(fragment.body());
        Ok(())
    }
}

/// The lengths of the packets that [`split`] makes of a datagram whose names and user data take `section` bytes.
pub fn lengths(section: usize, max_packet: usize) -> impl Iterator<Item = usize> {
    let chunk = max_packet - DIRECT_HEADER;
    (0..section.div_ceil(chunk)).map(move |number| DIRECT_HEADER + chunk.min(section - number * chunk))
}

/// The packets of a datagram of which `whole` is the unfragmented form, none longer than `max_packet` bytes: one if it
/// fits, else fragments.
///
/// # Panics
///
/// If `whole` is not an unfragmented datagram with user data, or `max_packet` does not hold a header, both names and one
/// byte: the names must be in the first fragment.
#[must_use]
pub fn split(whole: &[u8], max_packet: usize) -> Vec<Vec<u8>> {
    if whole.len() <= max_packet {
        return vec![whole.to_vec()];
    }
    let packet = Packet::new(whole).expect("a datagram that was emitted is well formed");
    let direct = packet.direct(Profile::Windows).ok().flatten().expect("it carries user data");
    let names = packet.body().len() - direct.user_data.len();
    assert!(max_packet > DIRECT_HEADER + names, "a first fragment holds both names");
    let chunk = max_packet - DIRECT_HEADER;
    let last = packet.body().chunks(chunk).count() - 1;
    let fragment = |(position, bytes): (usize, &[u8])| {
        let first = if position == 0 { FLAG_FIRST } else { 0 };
        let more = if position == last { 0 } else { FLAG_MORE };
        let mut fragment = Vec::with_capacity(DIRECT_HEADER + bytes.len());
        packet.head().emit(packet.message_type(), first | more, &mut fragment);
        fragment.extend_from_slice(&packet.length().to_be_bytes());
        fragment.extend_from_slice(&((position * chunk) as u16).to_be_bytes());
        fragment.extend_from_slice(bytes);
        fragment
    };
    packet.body().chunks(chunk).enumerate().map(fragment).collect()
}
