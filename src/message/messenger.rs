//! The messenger service's text in a mailslot (MS-MSRP 3.2.4.4): what `net send` and WinPopup write.
//!
//! MS-MSRP describes the strings, not their bytes; the layout is that of public senders: three strings of bytes, each
//! with its NUL.

use std::fmt;

use super::error::{InvalidMessage, InvalidText};
use super::reader::Reader;
use super::text::{self, OemText};

/// The mailslot that the messenger service reads.
pub const SLOT: &[u8] = br"\MAILSLOT\MESSNGR";
/// The most bytes of a sender's or recipient's name: those of a NetBIOS name without its suffix.
pub const MAX_NAME: usize = 15;
/// The most bytes of the text, its NUL excluded (MS-MSRP 3.2.4.4). More than one datagram carries: at most 424 bytes
/// with both names and the three NULs.
pub const MAX_TEXT: usize = 652;
/// What stands for a line break in the text on the wire.
pub const LINE_BREAK: u8 = 0x14;

/// A message to a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    from: OemText<MAX_NAME>,
    to: OemText<MAX_NAME>,
    text: OemText<MAX_TEXT>,
}

impl Text {
    /// A message as a sender makes it: each CR LF, CR or LF of `text` becomes one [`LINE_BREAK`] (that a pair becomes
    /// one is a choice).
    ///
    /// # Errors
    ///
    /// If a part is too long or has a NUL in it, or `to` starts with `*`.
    pub fn new(from: impl AsRef<[u8]>, to: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Result<Self, InvalidMessage> {
        let field = |field: &'static str| move |reason| InvalidMessage::Text { field, reason };
        Text {
            from: OemText::new(from).map_err(field("From"))?,
            to: OemText::new(to).map_err(field("To"))?,
            text: OemText::new(with_line_breaks(text.as_ref())).map_err(field("Text"))?,
        }
        .checked()
    }

    /// Reads the data of a write to [`SLOT`]. Line breaks stay as they came, [`LINE_BREAK`] or not.
    ///
    /// # Errors
    ///
    /// If one of the three strings does not end, is too long, or something follows them; or the recipient starts with
    /// `*`.
    pub fn parse(data: &[u8]) -> Result<Self, InvalidMessage> {
        let mut reader = Reader::new(data);
        let text = Text { from: reader.oem("From")?, to: reader.oem("To")?, text: reader.oem("Text")? };
        reader.end()?;
        text.checked()
    }

    /// Appends the message.
    pub fn emit(&self, out: &mut Vec<u8>) {
        self.from.emit(out);
        self.to.emit(out);
        self.text.emit(out);
    }

    /// Who wrote it: a claim.
    #[must_use]
    pub fn from(&self) -> &OemText<MAX_NAME> {
        &self.from
    }

    /// Whom it is for: a user or a computer.
    #[must_use]
    pub fn to(&self) -> &OemText<MAX_NAME> {
        &self.to
    }

    /// The text, as it is on the wire.
    #[must_use]
    pub fn text(&self) -> &OemText<MAX_TEXT> {
        &self.text
    }

    /// The lines of the text, without their breaks.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.as_bytes().split(|&byte| byte == LINE_BREAK)
    }

    fn checked(self) -> Result<Self, InvalidMessage> {
        if self.to.as_bytes().starts_with(b"*") {
            return Err(InvalidMessage::Text { field: "To", reason: InvalidText::Star });
        }
        Ok(self)
    }
}

/// One line for people; a [`LINE_BREAK`] is shown as `\n`.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.lines().map(text::escaped).collect();
        let shown = lines.join(r"\n");
        write!(f, "text from {} to {}: {}", text::name(&self.from), text::name(&self.to), text::quoted(shown))
    }
}

fn with_line_breaks(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'\r' => {
                rest = after.strip_prefix(b"\n").unwrap_or(after);
                out.push(LINE_BREAK);
            }
            b'\n' => out.push(LINE_BREAK),
            byte => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_become_one_byte() {
        let text = Text::new("ANNA", "BERT", "one\r\ntwo\nthree\rfour\r\n").unwrap();
        assert_eq!(text.text().as_bytes(), b"one\x14two\x14three\x14four\x14");
        assert_eq!(text.lines().map(<[u8]>::len).collect::<Vec<_>>(), [3, 3, 5, 4, 0]);
        // The limit counts what is on the wire.
        assert!(Text::new("A", "B", "\r\n".repeat(MAX_TEXT)).is_ok());
        assert!(Text::new("A", "B", "x".repeat(MAX_TEXT + 1)).is_err());
    }
}
