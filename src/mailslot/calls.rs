//! What the calls of the Win32 API take and give.

use std::net::Ipv4Addr;

use super::error::Win32Error;
use super::reassembly::ReassemblyKey;
use super::slot::Message;
use super::transmit::Written;
use crate::wire::NetbiosName;

/// Which Windows the calls behave like, where versions differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ApiProfile {
    /// Up to Windows XP: share modes are enforced, and only server handles can be asked about their slot.
    Xp,
    /// Windows Vista and later, and Windows 8 where that differs again.
    #[default]
    Vista,
}

/// A process of one machine: what owns handles. The default is the first one, which is always there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ProcessId(pub(super) u32);

/// The account that a process runs as, by a number that the driver chooses. The first process has the default one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Account(pub u32);

/// Access to a mailslot, or what an open lets others have at the same time (its share mode).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// GENERIC_READ, FILE_SHARE_READ.
    pub read: bool,
    /// GENERIC_WRITE, FILE_SHARE_WRITE.
    pub write: bool,
}

impl Access {
    /// Neither.
    pub const NONE: Access = Access { read: false, write: false };
    /// Reading only.
    pub const READ: Access = Access { read: true, write: false };
    /// Writing only.
    pub const WRITE: Access = Access { read: false, write: true };
    /// Both.
    pub const BOTH: Access = Access { read: true, write: true };

    /// Whether everything in `self` is in `other` too.
    pub(super) fn is_within(self, other: Access) -> bool {
        (!self.read || other.read) && (!self.write || other.write)
    }
}

/// How a mailslot is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CreateOptions {
    /// The greatest message that it takes, in bytes; 0 for any.
    pub max_message_size: u32,
    /// How long a read waits for a message, in milliseconds; [`WAIT_FOREVER`](super::WAIT_FOREVER) for ever.
    pub read_timeout_ms: u32,
    /// How many messages may wait; what comes then is dropped silently. Windows has no limit: this is a fault to study.
    pub queue_limit: Option<u32>,
    /// The account whose processes may open it for writing on this machine; `None`, the default descriptor, lets every
    /// account. What comes by the network is not asked: its source is only a claim (MS-MAIL 5.1).
    pub writers: Option<Account>,
    /// The process that creates it.
    pub process: ProcessId,
    /// Whether the handle is inherited by child processes.
    pub inheritable: bool,
}

/// How a mailslot is opened by a client. The default is what the documents ask of clients: to write, sharing reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenOptions {
    /// What for. Reading a client handle fails all the same.
    pub access: Access,
    /// What others may do meanwhile; it matters under [`ApiProfile::Xp`].
    pub share: Access,
    /// The process that opens it.
    pub process: ProcessId,
    /// Whether the handle is inherited by child processes.
    pub inheritable: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions { access: Access::WRITE, share: Access::READ, process: ProcessId::default(), inheritable: false }
    }
}

/// A handle of one machine. Numbers are never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(pub(super) u64);

/// A read that was pending when its call returned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReadId(pub(super) u64);

/// A write that was pending when its call returned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WriteId(pub(super) u64);

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
    /// A pending write completed: its target's name was found, or not.
    WriteDone {
        /// Which one.
        id: WriteId,
        /// As if the call had returned it.
        result: Result<Written, Win32Error>,
    },
    /// The machine bears a name that it had asked for.
    NameRegistered {
        /// The name.
        name: NetbiosName,
    },
    /// The machine does not get a name that it had asked for.
    NameRefused {
        /// The name.
        name: NetbiosName,
        /// The owner that the objection names, if it names one.
        by: Option<Ipv4Addr>,
    },
    /// A name of the machine was found to be another's too: it is as if the machine did not bear it.
    NameConflict {
        /// The name.
        name: NetbiosName,
    },
    /// The last server handle of a slot was closed with messages in it, which are deleted. No program could see it.
    SlotClosed {
        /// The messages, in the order of the queue.
        unread: Vec<super::Receipt>,
    },
    /// Fragments wait no longer. No program could see it.
    ReassemblyDone {
        /// Whose fragments they were.
        key: ReassemblyKey,
        /// Whether they became a whole datagram; otherwise one was missing for too long.
        complete: bool,
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
