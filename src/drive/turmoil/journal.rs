//! What the hosts of a scenario did, in order, for the books that the switch keeps.

use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex};

use super::switch;
use crate::drive::Watch;
use crate::id::{HostId, StreamId};
use crate::mailslot::{Disposition, Event, Receipt, Service, Transmit, Win32Error, Write};
use crate::sim::traffic::{Belief, Outgoing};
use crate::time::Instant;

/// Something that a host or a program on it did.
#[derive(Debug)]
pub(super) enum Record {
    /// A program calls for a write; what is given out next is because of that.
    Calls(StreamId, Outgoing),
    /// A program calls for a write that replies to the message with this receipt, which it has read.
    Replies(Receipt),
    /// The write returned or is pending.
    Wrote(Result<Write, Win32Error>),
    /// A packet came; what is given out next is because of that.
    Received { service: Service, payload: Vec<u8>, disposition: Option<Disposition> },
    /// The engine's time has come; what is given out next is because of that.
    TimedOut,
    /// A program does not make a write.
    Unwritten(StreamId, u64),
    /// The host starts or changes its domain; what is given out next is because of that.
    Naming,
    /// The engine gave out a packet.
    Sent(Transmit, Vec<u8>),
    /// Something happened in the engine.
    Happened(Event),
    /// A program read a message; whether one more record is going to be about it.
    Read { receipt: Receipt, more: bool },
    /// The program of a sender believes something since it read the reply with this receipt.
    Believes(Receipt, Belief),
}

/// One host's way to the journal. It is shared with the host's tasks, which tokio may want to move between threads;
/// turmoil has only one.
#[derive(Clone)]
pub(super) struct Journal {
    records: Records,
    host: HostId,
    /// How often the host had crashed before.
    life: u32,
}

/// All that was written and not yet taken, in order: when (in the time of the simulation), by whom and in which of its lives,
/// what.
pub(super) type Records = Arc<Mutex<Vec<(Instant, HostId, u32, Record)>>>;

impl Journal {
    pub(super) fn new(records: &Records, host: HostId) -> Self {
        Journal { records: records.clone(), host, life: 0 }
    }

    /// That of the host in one of its lives.
    pub(super) fn of_life(&self, life: u32) -> Self {
        Journal { life, ..self.clone() }
    }

    /// Adds a record; what happens while the simulation is taken down is no part of the run.
    pub(super) fn write(&self, record: Record) {
        let Some(now) = switch::try_now() else { return };
        self.records.lock().expect("nothing panics while it is held").push((now, self.host, self.life, record));
    }
}

impl Watch for Journal {
    fn received(
        &mut self,
        _: Instant,
        service: Service,
        _: SocketAddrV4,
        payload: &[u8],
        disposition: Option<Disposition>,
    ) {
        self.write(Record::Received { service, payload: payload.to_vec(), disposition });
    }

    fn timed_out(&mut self, _: Instant) {
        self.write(Record::TimedOut);
    }

    fn sent(&mut self, _: Instant, transmit: &Transmit, payload: &[u8]) {
        self.write(Record::Sent(*transmit, payload.to_vec()));
    }

    fn wrote(&mut self, _: Instant, result: &Result<Write, Win32Error>) {
        self.write(Record::Wrote(result.clone()));
    }

    fn event(&mut self, _: Instant, event: &Event) {
        self.write(Record::Happened(event.clone()));
    }
}
