//! Names in netlogon responses: labels with compression (RFC 1035 4.1.4, MS-ADTS 6.3.7).

use std::fmt;
use std::str::FromStr;

use super::error::{InvalidDnsName, InvalidMessage};
use super::reader::Reader;

/// A name as labels: a DNS name, or any other text of a response, which has its dots taken as borders of labels too.
///
/// Kept uncompressed and as it was spelled; comparisons are exact.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DnsName(Box<[u8]>);

impl DnsName {
    /// The labels, each a length and its text, without the final zero.
    #[must_use]
    pub fn as_labels(&self) -> &[u8] {
        &self.0
    }

    /// The labels from the most specific on, without their lengths.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (label, after) = after.split_at(usize::from(length));
            rest = after;
            Some(label)
        })
    }

    /// Reads the name at the reader's place in its message. A pointer must lead to before the labels that it was met
    /// behind, and not before `floor`, where the first name starts; so each step goes back, and there is an end.
    pub(super) fn parse(reader: &mut Reader<'_>, floor: usize, field: &'static str) -> Result<Self, InvalidMessage> {
        let (name, end) =
            decode(reader.message(), reader.at(), floor).map_err(|reason| InvalidMessage::Name { field, reason })?;
        reader.seek(end);
        Ok(name)
    }
}

fn decode(message: &[u8], start: usize, floor: usize) -> Result<(DnsName, usize), InvalidDnsName> {
    let mut labels = Vec::new();
    let (mut at, mut run_start, mut end) = (start, start, None);
    loop {
        let length = *message.get(at).ok_or(InvalidDnsName::Truncated)?;
        match length {
            0 => break,
            1..=MAX_LABEL => {
                let after = at + 1 + usize::from(length);
                let label = message.get(at..after).ok_or(InvalidDnsName::Truncated)?;
                std::str::from_utf8(&label[1..]).map_err(|_| InvalidDnsName::NotUtf8)?;
                labels.extend_from_slice(label);
                at = after;
                if labels.len() + 1 > MAX_NAME {
                    return Err(InvalidDnsName::TooLong);
                }
            }
            POINTER.. => {
                let low = *message.get(at + 1).ok_or(InvalidDnsName::Truncated)?;
                let to = usize::from(u16::from_be_bytes([length & !POINTER, low]));
                if to < floor || to >= run_start {
                    return Err(InvalidDnsName::Pointer { at, to });
                }
                end = end.or(Some(at + 2));
                (at, run_start) = (to, to);
            }
            _ => return Err(InvalidDnsName::ReservedLabel(length)),
        }
    }
    Ok((DnsName(labels.into()), end.unwrap_or(at + 1)))
}

/// Dotted labels, as in `dc1.corp.example`; empty for the empty name.
impl FromStr for DnsName {
    type Err = InvalidDnsName;

    fn from_str(text: &str) -> Result<Self, InvalidDnsName> {
        let mut labels = Vec::new();
        for label in text.split('.').filter(|_| !text.is_empty()) {
            let length = u8::try_from(label.len()).ok().filter(|length| (1..=MAX_LABEL).contains(length));
            labels.push(length.ok_or(InvalidDnsName::Label(label.len()))?);
            labels.extend_from_slice(label.as_bytes());
        }
        if labels.len() + 1 > MAX_NAME {
            return Err(InvalidDnsName::TooLong);
        }
        Ok(DnsName(labels.into()))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = self.labels().map(String::from_utf8_lossy).collect();
        f.pad(&labels.join("."))
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// How names are written that stand in their message already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compression {
    /// The longest end of a name that stands in the message already becomes a pointer to its first place.
    Pointers,
    /// Every name in full.
    Off,
}

/// Writes the names of one message.
pub(super) struct Names<'a> {
    compression: Compression,
    /// Where the message starts in the buffer.
    start: usize,
    /// Ends of names that were written, and their offsets: at most a few dozen, so a list is searched fast enough.
    written: Vec<(&'a [u8], u16)>,
}

impl<'a> Names<'a> {
    /// For the message that starts at `start` in its buffer.
    pub(super) fn new(compression: Compression, start: usize) -> Self {
        Names { compression, start, written: Vec::new() }
    }

    pub(super) fn emit(&mut self, name: &'a DnsName, out: &mut Vec<u8>) {
        let mut rest = name.as_labels();
        while let Some(&length) = rest.first() {
            if let Some((_, offset)) = self.written.iter().find(|(end, _)| *end == rest) {
                out.extend_from_slice(&(u16::from(POINTER) << 8 | offset).to_be_bytes());
                return;
            }
            let offset = u16::try_from(out.len() - self.start).ok().filter(|offset| *offset <= MAX_OFFSET);
            if let (Compression::Pointers, Some(offset)) = (self.compression, offset) {
                self.written.push((rest, offset));
            }
            let (label, after) = rest.split_at(1 + usize::from(length));
            out.extend_from_slice(label);
            rest = after;
        }
        out.push(0);
    }
}

/// Top bits of a pointer's first byte, and the least such byte.
const POINTER: u8 = 0xC0;
/// The greatest offset that a pointer can name.
const MAX_OFFSET: u16 = 0x3FFF;
/// Greatest label, RFC 1035 2.3.4.
const MAX_LABEL: u8 = 63;
/// Greatest name with its lengths and final zero, RFC 1035 2.3.4.
const MAX_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        text.parse().unwrap()
    }

    /// The example of RFC 1035 4.1.4: F.ISI.ARPA at 20, FOO.F.ISI.ARPA at 40, ARPA at 64, the root at 92.
    #[test]
    fn the_example_of_the_rfc_decodes() {
        let mut message = vec![0; 93];
        message[20..32].copy_from_slice(b"\x01F\x03ISI\x04ARPA\0");
        message[40..46].copy_from_slice(b"\x03FOO\xC0\x14");
        message[64..66].copy_from_slice(b"\xC0\x1A");
        for (at, text, end) in [(20, "F.ISI.ARPA", 32), (40, "FOO.F.ISI.ARPA", 46), (64, "ARPA", 66), (92, "", 93)] {
            assert_eq!(decode(&message, at, 20), Ok((name(text), end)), "{text}");
        }
    }

    #[test]
    fn written_names_share_their_ends() {
        let names = ["corp.example", "corp.example", "dc1.corp.example", "CORP", "", "example"].map(name);
        let mut out = b"head".to_vec();
        let mut written = Names::new(Compression::Pointers, 2);
        names.iter().for_each(|name| written.emit(name, &mut out));
        assert_eq!(out, b"head\x04corp\x07example\0\xC0\x02\x03dc1\xC0\x02\x04CORP\0\0\xC0\x07");
    }

    /// Loops, forward pointers and pointers before the first name all end at once.
    #[test]
    fn pointers_only_lead_back() {
        for (message, at, reason) in [
            (&b"\xC0\x00"[..], 0, InvalidDnsName::Pointer { at: 0, to: 0 }),
            (b"\x01a\xC0\x00", 0, InvalidDnsName::Pointer { at: 2, to: 0 }),
            (b"\xC0\x02\0", 0, InvalidDnsName::Pointer { at: 0, to: 2 }),
            (b"\x01a\xC0\x00", 2, InvalidDnsName::Pointer { at: 2, to: 0 }),
            (b"\xC0", 0, InvalidDnsName::Truncated),
            (b"\x02a", 0, InvalidDnsName::Truncated),
            (b"", 0, InvalidDnsName::Truncated),
            (b"\x40a\0", 0, InvalidDnsName::ReservedLabel(0x40)),
            (b"\x80a\0", 0, InvalidDnsName::ReservedLabel(0x80)),
            (b"\x01\xFF\0", 0, InvalidDnsName::NotUtf8),
        ] {
            assert_eq!(decode(message, at, 0).map(|_| ()), Err(reason), "{}", message.escape_ascii());
        }
        assert_eq!(decode(b"\x01a\0\xC0\x00", 3, 1), Err(InvalidDnsName::Pointer { at: 3, to: 0 }));
    }

    /// 255 bytes with lengths and final zero are the most, in a text and on the wire.
    #[test]
    fn names_are_bounded() {
        let longest = [63, 63, 63, 61].map(|length| "x".repeat(length)).join(".");
        let mut message = Vec::new();
        Names::new(Compression::Off, 0).emit(&name(&longest), &mut message);
        assert_eq!(message.len(), 255);
        assert_eq!(decode(&message, 0, 0).unwrap().0.to_string(), longest);
        assert_eq!(format!("{longest}x").parse::<DnsName>(), Err(InvalidDnsName::TooLong));
        message.splice(0..0, *b"\x01a");
        assert_eq!(decode(&message, 0, 0), Err(InvalidDnsName::TooLong));
        assert_eq!("a..b".parse::<DnsName>(), Err(InvalidDnsName::Label(0)));
        assert_eq!("x".repeat(64).parse::<DnsName>(), Err(InvalidDnsName::Label(64)));
        assert_eq!("x".repeat(300).parse::<DnsName>(), Err(InvalidDnsName::Label(300)));
    }
}
