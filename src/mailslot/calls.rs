//! What the calls of the Win32 API take and give.

use super::error::Win32Error;
use super::slot::Message;

/// How a mailslot is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CreateOptions {
    /// The greatest message that it takes, in bytes; 0 for any.
    pub max_message_size: u32,
    /// How long a read waits for a message, in milliseconds; [`WAIT_FOREVER`](super::WAIT_FOREVER) for ever.
    pub read_timeout_ms: u32,
    /// How many messages may wait; what comes then is dropped silently. Windows has no limit: this is a fault to study.
    pub queue_limit: Option<u32>,
}

/// How a mailslot is opened by a client. The default is what clients do: to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenOptions {
    /// GENERIC_READ. Reading a client handle fails all the same.
    pub read: bool,
    /// GENERIC_WRITE.
    pub write: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions { read: false, write: true }
    }
}

/// A handle of one machine. Numbers are never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(pub(super) u64);

/// A read that was pending when its call returned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReadId(pub(super) u64);

/// The outcome of a read call that did not fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    /// A message was waiting.
    Done(Message),
    /// None was: an [`Event::ReadDone`] follows.
    Pending(ReadId),
}

/// What happened since the driver last asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A pending read completed.
    ReadDone {
        /// Which one.
        id: ReadId,
        /// The message, or why there is none.
        result: Result<Message, Win32Error>,
    },
}

/// What `GetMailslotInfo` tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MailslotInfo {
    /// As given at creation.
    pub max_message_size: u32,
    /// Bytes of the next message, [`NO_MESSAGE`](super::NO_MESSAGE) when there is none.
    pub next_size: u32,
    /// Messages that wait, empty ones included.
    pub message_count: u32,
    /// How long reads wait, in milliseconds.
    pub read_timeout_ms: u32,
}
