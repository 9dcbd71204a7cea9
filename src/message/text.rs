//! Strings of messages, bounded by what their fields hold.

use std::fmt;

use super::error::InvalidText;

/// A string of at most `MAX` bytes in the sender's OEM code page, which no message names; a NUL ends it on the wire.
///
/// The bytes are kept as they are. They are ASCII in practice, and names are compared without case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OemText<const MAX: usize>(Box<[u8]>);

impl<const MAX: usize> OemText<MAX> {
    /// The most bytes, the NUL excluded.
    pub const MAX: usize = MAX;

    /// The string of these bytes, without its NUL.
    ///
    /// # Errors
    ///
    /// If there are more than `MAX` bytes, or a NUL among them.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, InvalidText> {
        let bytes = bytes.as_ref();
        if bytes.len() > MAX {
            return Err(InvalidText::TooLong { found: bytes.len(), max: MAX });
        }
        if bytes.contains(&0) {
            return Err(InvalidText::Nul);
        }
        Ok(OemText(bytes.into()))
    }

    /// The bytes, without the NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Appends the bytes and a NUL.
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
        out.push(0);
    }
}

/// Printable ASCII as it is, other bytes as `\x1f`.
impl<const MAX: usize> fmt::Display for OemText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(&self.0))
    }
}

impl<const MAX: usize> fmt::Debug for OemText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A string of at most `MAX` UTF-16 units; a NUL unit ends it on the wire.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WideText<const MAX: usize>(Box<str>);

impl<const MAX: usize> WideText<MAX> {
    /// The most UTF-16 units, the NUL excluded.
    pub const MAX: usize = MAX;

    /// The string of this text.
    ///
    /// # Errors
    ///
    /// If it takes more than `MAX` units of UTF-16, or holds a NUL.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        let found = text.encode_utf16().count();
        if found > MAX {
            return Err(InvalidText::TooLong { found, max: MAX });
        }
        if text.contains('\0') {
            return Err(InvalidText::Nul);
        }
        Ok(WideText(text.into()))
    }

    /// The text, without the NUL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn from_units(units: impl Iterator<Item = u16>) -> Result<Self, InvalidText> {
        let text: Result<String, _> = char::decode_utf16(units).collect();
        Self::new(&text.map_err(|_| InvalidText::NotUtf16)?)
    }

    /// Bytes with the NUL unit.
    pub(super) fn encoded_len(&self) -> usize {
        2 * (self.0.encode_utf16().count() + 1)
    }

    /// Appends the units and a NUL unit, little-endian.
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.extend(self.0.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
}

impl<const MAX: usize> fmt::Display for WideText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for WideText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A name in a field of 16 bytes: at most 15 bytes, a NUL, and bytes without meaning (MS-BRWS 2.2.1: the remainder must
/// be ignored).
///
/// Senders mostly fill the remainder with zeros, but need not, so it is kept and takes part in comparisons: two names
/// are equal here if their fields are. Compare [`PaddedName::characters`] to compare the names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaddedName([u8; PaddedName::LENGTH]);

impl PaddedName {
    /// Bytes of the field.
    pub const LENGTH: usize = 16;
    /// The most characters before the NUL.
    pub const MAX_CHARACTERS: usize = Self::LENGTH - 1;

    /// The field of a name, filled up with zeros.
    ///
    /// # Errors
    ///
    /// If the name has more than 15 bytes, or a NUL among them.
    pub fn new(characters: impl AsRef<[u8]>) -> Result<Self, InvalidText> {
        let name = OemText::<{ PaddedName::MAX_CHARACTERS }>::new(characters)?;
        let mut bytes = [0; Self::LENGTH];
        bytes[..name.as_bytes().len()].copy_from_slice(name.as_bytes());
        Ok(PaddedName(bytes))
    }

    /// The field of these bytes, as they are.
    ///
    /// # Errors
    ///
    /// If none of them is NUL.
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Result<Self, InvalidText> {
        if bytes.contains(&0) { Ok(PaddedName(bytes)) } else { Err(InvalidText::Unterminated) }
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The name: the bytes before the NUL.
    #[must_use]
    pub fn characters(&self) -> &[u8] {
        self.0.split(|&byte| byte == 0).next().unwrap_or_default()
    }
}

/// Printable ASCII as it is, other bytes as `\x1f`; what follows the NUL is not shown.
impl fmt::Display for PaddedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(self.characters()))
    }
}

impl fmt::Debug for PaddedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", escaped(&self.0))
    }
}

/// Printable ASCII as it is, other bytes as `\x1f`.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

/// A name of a message for people: what is not printable is escaped as `\u{1f}`, and an empty one is said to be so.
pub(super) fn name(text: impl fmt::Display) -> String {
    let text = text.to_string();
    if text.is_empty() { "(no name)".into() } else { printable(&text) }
}

/// A text of a message for people, in quotes: what is not printable is escaped as `\u{1f}`.
pub(super) fn quoted(text: impl fmt::Display) -> String {
    format!("\"{}\"", printable(&text.to_string()))
}

fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => printable.push(character), // as they are: `\\DC1` is a name
            _ => printable.extend(character.escape_debug()),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_hold_what_their_fields_hold() {
        assert_eq!(OemText::<3>::new("abc").unwrap().to_string(), "abc");
        assert_eq!(OemText::<3>::new("abcd"), Err(InvalidText::TooLong { found: 4, max: 3 }));
        assert_eq!(OemText::<3>::new(b"a\0"), Err(InvalidText::Nul));
        assert_eq!(OemText::<3>::new(b"\x94l").unwrap().to_string(), r"\x94l");
        // One character outside the basic plane takes two units.
        assert_eq!(WideText::<1>::new("\u{1F4EE}"), Err(InvalidText::TooLong { found: 2, max: 1 }));
        assert_eq!(WideText::<2>::new("a\0"), Err(InvalidText::Nul));
        assert_eq!(WideText::<2>::from_units([0xD83D, 0x41].into_iter()), Err(InvalidText::NotUtf16));
    }

    #[test]
    fn what_follows_a_padded_name_is_kept() {
        let zeros = PaddedName::new("HOST2").unwrap();
        let rubbish = PaddedName::from_bytes(*b"HOST2\0rubbish..!").unwrap();
        assert_eq!((zeros.characters(), rubbish.characters()), (&b"HOST2"[..], &b"HOST2"[..]));
        assert_ne!(zeros, rubbish);
        assert_eq!(rubbish.as_bytes(), b"HOST2\0rubbish..!");
        assert_eq!(PaddedName::new("SIXTEEN_LETTERS_"), Err(InvalidText::TooLong { found: 16, max: 15 }));
        assert_eq!(PaddedName::from_bytes([b'x'; 16]), Err(InvalidText::Unterminated));
        assert_eq!(PaddedName::new("").unwrap().characters(), b"");
    }
}
