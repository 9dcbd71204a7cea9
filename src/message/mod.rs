//! What well-known mailslots carry: browser frames, netlogon messages, the messenger's texts; bytes and types, and
//! nothing else.
//!
//! A message is the data of one mailslot write ([`crate::wire::transaction`]); which protocol it belongs to is said by
//! the mailslot's name alone. Each protocol has typed values that cannot hold what its messages cannot, a `parse` that
//! refuses with the reason ([`InvalidMessage`]), and an `emit` that writes into a buffer.
//!
//! Fields that receivers ignore are kept, so a browser frame or a messenger's text that was parsed is emitted byte for
//! byte; [`netlogon`] says what holds for its compressed names. Bytes after the end of a message are refused.
//!
//! ```
//! use mailslot_sim::message::browser::{self, Announcement, Comment, Frame, ServerType, Version};
//! use mailslot_sim::message::{Message, PaddedName};
//! use mailslot_sim::wire::Profile;
//! use mailslot_sim::wire::transaction::{Layout, Packet, Repr};
//!
//! let frame = Frame::HostAnnouncement(Announcement {
//!     update_count: 0,
//!     periodicity_ms: 12 * 60 * 1000,
//!     server_name: PaddedName::new("HOST2")?,
//!     os_version: Version { major: 6, minor: 3 },
//!     server_type: ServerType::WORKSTATION | ServerType::SERVER | ServerType::NT,
//!     browser_version: Version::BROWSER,
//!     comment: Comment::new("file server")?,
//! });
//! let mut data = Vec::new();
//! frame.emit(&mut data);
//! assert_eq!(data.len(), 44);
//!
//! // As Samba would write it, and as any receiver reads it.
//! let mut user_data = Vec::new();
//! Repr::new(Layout::Samba, browser::SLOT, &data)?.emit(&mut user_data);
//! let write = Packet::new(&user_data, Profile::Windows)?;
//! assert_eq!(Message::parse(write.name(), write.data())?, Some(Message::Browser(frame)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod browser;
mod dns;
mod error;
pub mod messenger;
mod names;
pub mod netlogon;
mod reader;
mod text;

use std::fmt;

pub use dns::DnsName;
pub use error::{InvalidDnsName, InvalidMessage, InvalidText};
pub use names::names_heard;
pub use text::{OemText, PaddedName, WideText};

/// A message to one of the well-known mailslots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// To [`browser::SLOT`] or [`browser::LANMAN_SLOT`].
    Browser(browser::Frame),
    /// To [`netlogon::SLOT`] or a mailslot that starts with [`netlogon::REPLY_SLOT_PREFIX`].
    Netlogon(netlogon::Message),
    /// To [`messenger::SLOT`].
    Messenger(messenger::Text),
}

impl Message {
    /// Reads the data of a write to the mailslot `name`, `\MAILSLOT\` included, in any case
    /// ([`crate::wire::transaction::Packet::name`]); `None` if the mailslot is none of the well-known ones.
    ///
    /// # Errors
    ///
    /// If the data is not a message of the mailslot's protocol. Receivers ignore such a write without a word (MS-BRWS
    /// 3.3.5, MS-ADTS 6.3.5).
    pub fn parse(name: &[u8], data: &[u8]) -> Result<Option<Self>, InvalidMessage> {
        let is = |slot: &[u8]| name.eq_ignore_ascii_case(slot);
        let is_reply = || {
            let start = name.get(..netlogon::REPLY_SLOT_PREFIX.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(netlogon::REPLY_SLOT_PREFIX))
        };
        Ok(if is(browser::SLOT) || is(browser::LANMAN_SLOT) {
            Some(Message::Browser(browser::Frame::parse(data)?))
        } else if is(netlogon::SLOT) || is_reply() {
            Some(Message::Netlogon(netlogon::Message::parse(data)?))
        } else if is(messenger::SLOT) {
            Some(Message::Messenger(messenger::Text::parse(data)?))
        } else {
            None
        })
    }

    /// Appends the message.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Message::Browser(frame) => frame.emit(out),
            Message::Netlogon(message) => message.emit(out),
            Message::Messenger(text) => text.emit(out),
        }
    }
}

/// One line for people, in the words of the protocol's document. It is not made to be read by programs.
///
/// What is not printable is escaped: bytes as `\x1f`, characters as `\u{1f}`.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Browser(frame) => frame.fmt(f),
            Message::Netlogon(message) => message.fmt(f),
            Message::Messenger(text) => text.fmt(f),
        }
    }
}
