//! One mailslot: its queue of whole messages and the reads that wait for one.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use super::calls::{CreateOptions, ProcessId, ReadId};
use super::{MailslotInfo, NO_MESSAGE, SlotName, Win32Error};
use crate::time::Instant;
use crate::wire::NetbiosName;

/// Number that a machine gives to each message that a slot of it takes, from 0, so that a driver can tell messages with
/// equal bytes apart. No program could see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Receipt(pub u64);

/// A message that a slot took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The bytes of one write, whole.
    pub data: Vec<u8>,
    /// Who claims to have written it. `ReadFile` does not tell programs.
    pub source: NetbiosName,
    /// Where its datagram came from; `None` from this machine. `ReadFile` does not tell that either.
    pub from: Option<SocketAddrV4>,
    /// When the slot took it.
    pub arrived: Instant,
    /// Its number on this machine.
    pub receipt: Receipt,
}

/// A read that waits for a message.
#[derive(Clone, Debug)]
pub(super) struct PendingRead {
    pub(super) id: ReadId,
    pub(super) process: ProcessId,
    pub(super) buffer: usize,
    /// `None`: waits forever.
    pub(super) deadline: Option<Instant>,
}

/// A mailslot that at least one server handle holds open.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: SlotName,
    pub(super) options: CreateOptions,
    queue: VecDeque<Message>,
    reads: VecDeque<PendingRead>,
}

impl Slot {
    pub(super) fn new(name: SlotName, options: CreateOptions) -> Self {
        Slot { name, options, queue: VecDeque::new(), reads: VecDeque::new() }
    }

    /// Whether a message of `len` bytes is longer than the slot's maximum.
    pub(super) fn is_too_long(&self, len: usize) -> bool {
        self.options.max_message_size != 0 && len > self.options.max_message_size as usize
    }

    /// Whether the queue limit refuses a message of `len` bytes, which no waiting read can take.
    pub(super) fn is_full(&self, len: usize) -> bool {
        let is_full = self.options.queue_limit.is_some_and(|limit| self.queue.len() >= limit as usize);
        is_full && !self.reads.iter().any(|read| len <= read.buffer)
    }

    /// Adds a message to the queue.
    pub(super) fn push(&mut self, message: Message) {
        self.queue.push_back(message);
    }

    /// Puts a message back where it was in the queue.
    pub(super) fn put_back(&mut self, message: Message) {
        let position = self.queue.partition_point(|waiting| waiting.receipt < message.receipt);
        self.queue.insert(position, message);
    }

    /// Takes out the read that has waited longest.
    pub(super) fn next_waiting(&mut self) -> Option<PendingRead> {
        self.reads.pop_front()
    }

    /// Reads the message at the head of the queue, if there is one; it stays there if the buffer is too small.
    pub(super) fn read(&mut self, buffer: usize) -> Option<Result<Message, Win32Error>> {
        let head = self.queue.front()?;
        if head.data.len() > buffer {
            return Some(Err(Win32Error::InsufficientBuffer));
        }
        self.queue.pop_front().map(Ok)
    }

    /// The messages in the queue.
    pub(super) fn unread(&self) -> impl Iterator<Item = Receipt> {
        self.queue.iter().map(|message| message.receipt)
    }

    /// Whether a read waits here.
    pub(super) fn awaits(&self, id: ReadId) -> bool {
        self.reads.iter().any(|read| read.id == id)
    }

    pub(super) fn wait(&mut self, read: PendingRead) {
        self.reads.push_back(read);
    }

    /// Takes out the pending reads that `which` names.
    pub(super) fn withdraw(&mut self, mut which: impl FnMut(&PendingRead) -> bool) -> Vec<PendingRead> {
        let (gone, kept) = self.reads.drain(..).partition(|read| which(read));
        self.reads = kept;
        Vec::from_iter::<VecDeque<_>>(gone)
    }

    pub(super) fn info(&self) -> MailslotInfo {
        MailslotInfo {
            max_message_size: self.options.max_message_size,
            next_size: self.queue.front().map_or(NO_MESSAGE, |head| head.data.len() as u32),
            message_count: self.queue.len() as u32,
            read_timeout_ms: self.options.read_timeout_ms,
        }
    }
}
