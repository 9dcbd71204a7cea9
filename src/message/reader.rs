//! Reads the fields of a message one after the other. Little-endian.

use super::error::{InvalidMessage, InvalidText};
use super::text::{OemText, PaddedName, WideText};

/// The bytes of a message, and how far they were read.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    /// Offset of the next byte from the start of the message.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The whole message.
    pub(super) fn message(&self) -> &'a [u8] {
        self.bytes
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Goes on at `at`, which lies inside the message or at its end.
    pub(super) fn seek(&mut self, at: usize) {
        debug_assert!(at <= self.bytes.len(), "a field ends inside the message");
        self.at = at;
    }

    pub(super) fn take(&mut self, field: &'static str, need: usize) -> Result<&'a [u8], InvalidMessage> {
        let rest = self.rest();
        let taken = rest.get(..need).ok_or(InvalidMessage::Truncated { field, found: rest.len(), need })?;
        self.at += need;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], InvalidMessage> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(field, N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, InvalidMessage> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, InvalidMessage> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, InvalidMessage> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// A string of bytes up to its NUL, which is read too.
    pub(super) fn oem<const MAX: usize>(&mut self, field: &'static str) -> Result<OemText<MAX>, InvalidMessage> {
        let rest = self.rest();
        let text = |reason| InvalidMessage::Text { field, reason };
        let length = rest.iter().position(|&byte| byte == 0).ok_or(text(InvalidText::Unterminated))?;
        self.at += length + 1;
        OemText::new(&rest[..length]).map_err(text)
    }

    /// A string of UTF-16 units up to its NUL unit, which is read too.
    pub(super) fn wide<const MAX: usize>(&mut self, field: &'static str) -> Result<WideText<MAX>, InvalidMessage> {
        let text = |reason| InvalidMessage::Text { field, reason };
        let units = self.rest().chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let length = units.clone().position(|unit| unit == 0).ok_or(text(InvalidText::Unterminated))?;
        self.at += 2 * (length + 1);
        WideText::from_units(units.take(length)).map_err(text)
    }

    /// A name in a field of 16 bytes.
    pub(super) fn padded(&mut self, field: &'static str) -> Result<PaddedName, InvalidMessage> {
        PaddedName::from_bytes(self.array(field)?).map_err(|reason| InvalidMessage::Text { field, reason })
    }

    /// Zero bytes up to the next multiple of `step` from the start of the message.
    pub(super) fn align(&mut self, step: usize, field: &'static str) -> Result<(), InvalidMessage> {
        self.zeros(self.at.next_multiple_of(step) - self.at, field)
    }

    pub(super) fn zeros(&mut self, count: usize, field: &'static str) -> Result<(), InvalidMessage> {
        match self.take(field, count)?.iter().find(|&&byte| byte != 0) {
            Some(&byte) => Err(InvalidMessage::Value { field, found: byte.into(), expected: "0" }),
            None => Ok(()),
        }
    }

    /// Checks that everything was read.
    pub(super) fn end(&self) -> Result<(), InvalidMessage> {
        match self.rest().len() {
            0 => Ok(()),
            found => Err(InvalidMessage::Trailing { found }),
        }
    }
}
