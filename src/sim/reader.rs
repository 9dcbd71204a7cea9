//! The programs that read.

use crate::mailslot::{Handle, Machine, Message, Read, ReadId, WAIT_FOREVER};
use crate::scenario::{Mailslot, Reader};
use crate::time::{Duration, Instant};

/// A program that opened a mailslot.
pub(super) struct ReaderProgram {
    habit: Reader,
    handle: Handle,
    /// The read that waits, if one does.
    pending: Option<ReadId>,
    /// Whether a moment to look or to be free again is already set.
    awaited: bool,
}

impl ReaderProgram {
    /// Opens the mailslot.
    pub(super) fn new(now: Instant, mailslot: &Mailslot, machine: &mut Machine) -> Self {
        let options = mailslot.options(match mailslot.reader {
            Reader::Wait | Reader::ServiceTime(_) => WAIT_FOREVER,
            Reader::Poll(_) | Reader::Never => 0,
        });
        let handle = machine.create_mailslot(&mailslot.path(), options).expect("a host declares a mailslot once");
        let mut reader = ReaderProgram { habit: mailslot.reader, handle, pending: None, awaited: false };
        if let Reader::Wait | Reader::ServiceTime(_) = mailslot.reader {
            let read = reader.read(now, machine);
            debug_assert!(read.is_none(), "a new mailslot is empty");
        }
        reader
    }

    /// Closes the mailslot.
    pub(super) fn close(self, machine: &mut Machine) {
        machine.close(self.handle).expect("it was opened");
    }

    /// Whether a completed read was its own.
    pub(super) fn awaits(&self, id: ReadId) -> bool {
        self.pending == Some(id)
    }

    /// Reads the next message, or begins to wait for it.
    pub(super) fn read(&mut self, now: Instant, machine: &mut Machine) -> Option<Message> {
        self.pending = None;
        match machine.read(now, self.handle, usize::MAX) {
            Ok(Read::Done(message)) => Some(message),
            Ok(Read::Pending(id)) => {
                self.pending = Some(id);
                None
            }
            Err(_) => None, // a poll that found nothing: ERROR_SEM_TIMEOUT
        }
    }

    /// A message was read: when the program is free again; `None` if it is at once.
    pub(super) fn busy_until(&mut self, now: Instant) -> Option<Instant> {
        match self.habit {
            Reader::ServiceTime(time) if time > Duration::ZERO => Some(now + time),
            _ => None,
        }
    }

    /// A message may have come: when the program will look, if it looks from time to time and has not set that moment.
    pub(super) fn next_look(&mut self, now: Instant, machine: &Machine) -> Option<Instant> {
        let Reader::Poll(interval) = self.habit else { return None };
        let has_message = || machine.info(self.handle).is_ok_and(|info| info.message_count > 0);
        if self.awaited || !has_message() {
            return None;
        }
        self.awaited = true;
        let looks = now.nanos().div_ceil(interval.nanos());
        Some(Instant::ZERO + interval * looks)
    }

    /// The moment that was set has come.
    pub(super) fn wake(&mut self) {
        self.awaited = false;
    }
}
