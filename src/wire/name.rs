//! NetBIOS names: 16 bytes, their first- and second-level encodings, suffixes and scopes (RFC 1001 14, RFC 1002 4.1).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::error::NameFault;

/// A NetBIOS name: 15 characters, upper-cased and padded with spaces, and a suffix that says what the name is for.
///
/// Written as `CTRL<00>`; bytes that are not printable are written the same way: `<01><02>__MSBROWSE__<02><01>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetbiosName([u8; NetbiosName::LENGTH]);

/// Suffix of a computer's or domain's own name: the default target of mailslot writes.
pub const SUFFIX_WORKSTATION: u8 = 0x00;
/// Bytes of an encoded name without scope (RFC 1001 14.1): length, 32 letters, the end.
pub const PLAIN_NAME: usize = 34;

impl NetbiosName {
    /// Bytes of a name, suffix included.
    pub const LENGTH: usize = 16;
    /// Characters before the suffix.
    pub const MAX_CHARACTERS: usize = Self::LENGTH - 1;
    /// The name `*`, to which broadcast datagrams go: padded with NUL, not with spaces.
    pub const ANY: NetbiosName = NetbiosName([b'*', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    /// The name `text` with a suffix.
    ///
    /// # Errors
    ///
    /// If `text` is blank, longer than 15 characters or not printable ASCII.
    pub fn new(text: &str, suffix: u8) -> Result<Self, InvalidName> {
        if let Some(odd) = text.chars().find(|c| !(' '..='~').contains(c)) {
            return Err(InvalidName::Character(odd));
        }
        Self::padded(text.as_bytes(), suffix)
    }

    /// The name of these 16 bytes, as they are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        NetbiosName(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The last byte: what the name is for.
    #[must_use]
    pub const fn suffix(&self) -> u8 {
        self.0[Self::LENGTH - 1]
    }

    /// The same characters with another suffix.
    #[must_use]
    pub const fn with_suffix(mut self, suffix: u8) -> Self {
        self.0[Self::LENGTH - 1] = suffix;
        self
    }

    /// The characters before padding and suffix.
    #[must_use]
    pub fn characters(&self) -> &[u8] {
        let text = &self.0[..Self::MAX_CHARACTERS];
        let pad = if self.0[0] == b'*' && text[1..] == [0; Self::MAX_CHARACTERS - 1] { 0 } else { b' ' };
        let end = text.iter().rposition(|&byte| byte != pad).map_or(0, |last| last + 1);
        &text[..end]
    }

    fn padded(characters: &[u8], suffix: u8) -> Result<Self, InvalidName> {
        if characters.len() > Self::MAX_CHARACTERS {
            return Err(InvalidName::TooLong(characters.len()));
        }
        // Spaces at the end are padding: `* ` is `*`.
        let padding = characters.iter().rev().take_while(|character| **character == b' ').count();
        let characters = &characters[..characters.len() - padding];
        if characters.is_empty() {
            return Err(InvalidName::Empty);
        }
        if characters == b"*" && suffix == 0 {
            return Ok(Self::ANY);
        }
        let mut bytes = [b' '; Self::LENGTH];
        for (byte, character) in bytes.iter_mut().zip(characters) {
            *byte = character.to_ascii_uppercase();
        }
        bytes[Self::LENGTH - 1] = suffix;
        Ok(NetbiosName(bytes))
    }

    /// Appends the first-level encoding: two letters from A to P for each byte.
    fn emit_letters(&self, out: &mut Vec<u8>) {
        let mut letters = [0; FIRST_LABEL as usize];
        for (pair, byte) in letters.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b'A' + (byte >> 4);
            pair[1] = b'A' + (byte & 0x0F);
        }
        out.extend_from_slice(&letters);
    }

    #[inline]
    pub(super) fn parse_letters(letters: &[u8; FIRST_LABEL as usize]) -> Result<Self, NameFault> {
        let mut bytes = [0; Self::LENGTH];
        let mut bad = 0;
        for (byte, pair) in bytes.iter_mut().zip(letters.chunks_exact(2)) {
            let (high, low) = (pair[0].wrapping_sub(b'A'), pair[1].wrapping_sub(b'A'));
            bad |= (high | low) & 0xF0;
            *byte = high << 4 | low & 0x0F;
        }
        if bad == 0 {
            return Ok(NetbiosName(bytes));
        }
        let letter = letters.iter().find(|letter| !(b'A'..=b'P').contains(letter));
        Err(NameFault::Letter(*letter.expect("a letter outside A to P was seen")))
    }
}

impl fmt::Display for NetbiosName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for &byte in self.characters() {
            match byte {
                b'<' | b'>' | 0..0x20 | 0x7F.. => text.push_str(&format!("<{byte:02X}>")),
                _ => text.push(char::from(byte)),
            }
        }
        text.push_str(&format!("<{:02X}>", self.suffix()));
        f.pad(&text)
    }
}

impl fmt::Debug for NetbiosName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads what [`NetbiosName`] displays: characters, `<hex>` bytes among them, and a suffix in the same form.
impl FromStr for NetbiosName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut bytes = Vec::new();
        let mut ends_in_byte = false;
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix('<') {
                let (hex, after) = after.split_once('>').ok_or(InvalidName::Notation)?;
                if hex.len() != 2 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(InvalidName::Notation);
                }
                bytes.push(u8::from_str_radix(hex, 16).map_err(|_| InvalidName::Notation)?);
                (rest, ends_in_byte) = (after, true);
            } else {
                if !(' '..='~').contains(&first) {
                    return Err(InvalidName::Character(first));
                }
                bytes.push(first as u8);
                (rest, ends_in_byte) = (&rest[1..], false);
            }
        }
        match (bytes.pop(), ends_in_byte) {
            (Some(suffix), true) => Self::padded(&bytes, suffix),
            _ => Err(InvalidName::Notation),
        }
    }
}

/// Why a text is not a NetBIOS name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum InvalidName {
    /// There is no character before the suffix, or nothing but spaces, which are the padding.
    #[error("a NetBIOS name has at least one character that is no space")]
    Empty,
    /// More than 15 characters.
    #[error("a NetBIOS name has at most 15 characters; this one has {0}")]
    TooLong(usize),
    /// A character that names do not have.
    #[error("{0:?} is not a character of NetBIOS names")]
    Character(char),
    /// Not of the form `NAME<1E>`.
    #[error(
        "a NetBIOS name with its suffix is written like FARMDOM<1E>: \
         two hexadecimal digits in angle brackets at the end"
    )]
    Notation,
}

/// The scope of a name: labels that keep apart networks with the same names (RFC 1001 9). Usually empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scope(Box<[u8]>);

impl Scope {
    /// The scope as second-level encoded labels, each a length and its text, without the final zero.
    #[must_use]
    pub fn as_labels(&self) -> &[u8] {
        &self.0
    }

    /// Whether encoded labels are those of this scope; case does not matter.
    #[must_use]
    pub fn matches(&self, labels: &[u8]) -> bool {
        self.0.eq_ignore_ascii_case(labels)
    }

    pub(super) fn from_labels(labels: &[u8]) -> Self {
        Scope(labels.into())
    }
}

/// Dotted labels, as in `NETBIOS.COM`.
impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let mut labels = Vec::new();
        for label in text.split('.').filter(|_| !text.is_empty()) {
            if label.is_empty() || label.len() > MAX_LABEL || !label.is_ascii() {
                return Err(InvalidScope);
            }
            labels.push(label.len() as u8);
            labels.extend_from_slice(label.as_bytes());
        }
        if SCOPELESS_LENGTH + labels.len() > MAX_ENCODED_NAME {
            return Err(InvalidScope);
        }
        Ok(Scope(labels.into()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let mut rest = &self.0[..];
        while let Some((&length, after)) = rest.split_first() {
            let (label, after) = after.split_at(usize::from(length));
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&String::from_utf8_lossy(label));
            rest = after;
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Why a text is not a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a scope is dotted labels of 1 to 63 ASCII characters, and a name with its scope at most 255 bytes")]
pub struct InvalidScope;

/// A NetBIOS name with its scope, as datagrams carry it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name {
    /// The 16 bytes.
    pub netbios: NetbiosName,
    /// The scope; usually empty.
    pub scope: Scope,
}

impl Name {
    /// Bytes of the second-level encoding.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        SCOPELESS_LENGTH + self.scope.0.len()
    }

    /// Appends the second-level encoding: a label of 32 letters, the scope's labels, a zero.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.push(FIRST_LABEL);
        self.netbios.emit_letters(out);
        out.extend_from_slice(&self.scope.0);
        out.push(0);
    }
}

impl From<NetbiosName> for Name {
    fn from(netbios: NetbiosName) -> Self {
        Name { netbios, scope: Scope::default() }
    }
}

/// A second-level encoded name inside received bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameView<'a> {
    /// The 16 bytes.
    pub netbios: NetbiosName,
    /// The scope's labels, encoded ([`Scope::as_labels`]).
    pub scope: &'a [u8],
}

impl<'a> NameView<'a> {
    /// Reads a name from the start of `bytes`; returns it and what follows it.
    ///
    /// # Errors
    ///
    /// A [`NameFault`]; label pointers are refused, not followed (RFC 1002 4.1: name-service packets only).
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), NameFault> {
        let (&first, rest) = bytes.split_first().ok_or(NameFault::Truncated)?;
        match first {
            FIRST_LABEL => {}
            0xC0.. => return Err(NameFault::Pointer),
            _ => return Err(NameFault::FirstLabel(first)),
        }
        let (letters, labels) = rest.split_first_chunk().ok_or(NameFault::Truncated)?;
        let netbios = NetbiosName::parse_letters(letters)?;
        let mut end = 0;
        loop {
            let length = *labels.get(end).ok_or(NameFault::Truncated)?;
            match length {
                0 => break,
                1..=0x3F => end += 1 + usize::from(length),
                0xC0.. => return Err(NameFault::Pointer),
                _ => return Err(NameFault::ReservedLabel(length)),
            }
            if SCOPELESS_LENGTH + end > MAX_ENCODED_NAME {
                return Err(NameFault::TooLong);
            }
        }
        Ok((NameView { netbios, scope: &labels[..end] }, &labels[end + 1..]))
    }

    /// The name, owned.
    #[must_use]
    pub fn to_name(&self) -> Name {
        Name { netbios: self.netbios, scope: Scope::from_labels(self.scope) }
    }
}

/// Length byte of the first label: 32 letters.
pub(super) const FIRST_LABEL: u8 = 0x20;
/// Bytes of an encoded name without scope: length, 32 letters, final zero.
pub(super) const SCOPELESS_LENGTH: usize = 1 + FIRST_LABEL as usize + 1;
/// Greatest encoded name, RFC 1002 4.1.
pub(super) const MAX_ENCODED_NAME: usize = 255;
/// Greatest label of a scope, RFC 1002 4.1.
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1001 14.1 encodes "FRED" like this.
    #[test]
    fn first_level_encoding_is_that_of_the_rfc() {
        let mut out = Vec::new();
        Name::from(NetbiosName::new("fred", 0x20).unwrap()).emit(&mut out);
        assert_eq!(&out[1..33], b"EGFCEFEECACACACACACACACACACACACA");
        assert_eq!((out[0], out[33], out.len()), (0x20, 0, 34));
    }

    #[test]
    fn notation_parses_back() {
        for text in ["CTRL<00>", "FARMDOM<1E>", "<01><02>__MSBROWSE__<02><01>", "*<00>", "A B<03>", "X<3C>Y<20>"] {
            assert_eq!(text.parse::<NetbiosName>().unwrap().to_string(), text);
        }
        for any in ["*<00>", "* <00>"] {
            assert_eq!(any.parse(), Ok(NetbiosName::ANY));
        }
        assert_eq!("farmdom<1e>".parse::<NetbiosName>(), "FARMDOM<1E>".parse());
        for bad in
            ["", "CTRL", "CTRL<0>", "CTRL<00", "CTRL<zz>", "CTRL<+1>", "<00>", " <00>", "SIXTEENLETTERSXX<00>", "Ü<00>"]
        {
            assert!(bad.parse::<NetbiosName>().is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn malformed_names_are_refused_for_their_own_reason() {
        let mut good = Vec::new();
        Name { netbios: NetbiosName::ANY, scope: "A.B".parse().unwrap() }.emit(&mut good);
        let (view, rest) = NameView::parse(&good).unwrap();
        assert_eq!((view.netbios, view.scope, rest), (NetbiosName::ANY, &b"\x01A\x01B"[..], &b""[..]));
        let fault = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            NameView::parse(&bad).unwrap_err()
        };
        assert_eq!(fault(0, 0x1F), NameFault::FirstLabel(0x1F));
        assert_eq!(fault(0, 0xC0), NameFault::Pointer);
        assert_eq!(fault(5, b'Q'), NameFault::Letter(b'Q'));
        assert_eq!(fault(33, 0xC0), NameFault::Pointer);
        assert_eq!(fault(33, 0x40), NameFault::ReservedLabel(0x40));
        assert_eq!(fault(33, 0x3F), NameFault::Truncated);
        assert_eq!(NameView::parse(&[]), Err(NameFault::Truncated));
    }

    #[test]
    fn scopes_are_limited_so_that_the_name_fits_255_bytes() {
        let scope: Scope = "NETBIOS.COM".parse().unwrap();
        assert_eq!(scope.as_labels(), b"\x07NETBIOS\x03COM");
        assert!(scope.matches(b"\x07netbios\x03com"));
        assert_eq!(scope.to_string(), "NETBIOS.COM");
        assert_eq!("".parse(), Ok(Scope::default()));
        assert!("a..b".parse::<Scope>().is_err());
        assert!("x".repeat(64).parse::<Scope>().is_err());
        assert!(vec!["x".repeat(63); 4].join(".").parse::<Scope>().is_err());
    }
}
