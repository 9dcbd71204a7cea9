//! The timeline at work in the event core: what happens to machines and to the programs on them.

use super::books::{Cause, Condition};
use super::reader::ReaderProgram;
use super::timeline::{Change, Strike};
use super::world::World;
use crate::id::{HostId, StreamId};
use crate::stats::Observer;

impl<O: Observer> World<O> {
    /// Something of the timeline happens.
    pub(super) fn strike(&mut self, strike: Strike) {
        self.books.strike(strike);
        match strike.change {
            Change::Cut | Change::Mend | Change::Heal | Change::Set | Change::Unset => {}
            Change::Crash(host) => self.crash(host),
            Change::Restart(host) => {
                self.crash(host);
                self.start(host);
            }
            Change::Revive(host) if self.books.condition(host) == Condition::Down => self.start(host),
            Change::Pause(host) if self.books.condition(host) == Condition::Up => self.books.paused(host),
            Change::Resume(host) if self.books.condition(host) == Condition::Paused => self.resume(host),
            Change::Revive(_) | Change::Pause(_) | Change::Resume(_) => {}
            Change::Join(host, domain) => {
                if self.books.condition(host) != Condition::Down {
                    let now = self.books.now();
                    self.machines[host.index()].join_domain(now, domain);
                    self.settle_down(host, Cause::Name);
                    for (sender, program) in self.writers.iter_mut().filter(|(sender, _)| sender.host() == host) {
                        program.close_all(&mut self.machines[sender.host().index()]);
                    }
                }
            }
            Change::Open(slot) => self.open_slot(slot),
            Change::Close(slot) => self.close_slot(slot),
        }
        self.deliver_all();
    }

    /// A host goes down, with its machine and its programs.
    fn crash(&mut self, host: HostId) {
        if self.books.condition(host) == Condition::Down {
            return;
        }
        for (stream, (sender, program)) in (0..).map(StreamId).zip(&mut self.writers) {
            if sender.host() == host {
                *program = super::writer::WriterProgram::new(sender);
                sender.forget().into_iter().for_each(|message| self.books.unwritten(stream, message));
            }
        }
        for (reading, mailslot) in self.readers.iter_mut().zip(&self.scenario.mailslots) {
            if mailslot.host == host {
                reading.program = None;
                reading.generation += 1;
            }
        }
        self.books.crashed(host);
        self.stalled.retain(|(stalled, _)| *stalled != host);
    }

    /// A host starts, with a new machine: it claims its names, and programs open their mailslots.
    fn start(&mut self, host: HostId) {
        let (machine, claims) = self.installer.restarted(self.books.now(), host, self.books.domain(host));
        self.machines[host.index()] = machine;
        self.timers[host.index()] = None;
        self.books.started(host, claims);
        self.start_readers(host);
        self.settle_down(host, Cause::Name);
    }

    /// The programs of a host open the mailslots that are open from the beginning.
    pub(super) fn start_readers(&mut self, host: HostId) {
        let scenario = self.scenario.clone();
        for (slot, mailslot) in (0..).zip(&scenario.mailslots) {
            if mailslot.host == host && !mailslot.starts_closed {
                self.open_slot(slot);
            }
        }
    }

    /// What has waited for a host that stood still has come now, and its programs go on.
    fn resume(&mut self, host: HostId) {
        self.books.resumed(host);
        self.deliver_all();
        let (own, others) = std::mem::take(&mut self.stalled).into_iter().partition(|(stalled, _)| *stalled == host);
        self.stalled = others;
        let own: Vec<_> = own;
        own.into_iter().for_each(|(_, wake)| self.wake_reader(wake));
        self.handle_timeout(host);
    }

    /// A program opens a mailslot, unless it is open, or its host is not there.
    fn open_slot(&mut self, slot: u32) {
        let mailslot = &self.scenario.mailslots[slot as usize];
        let reading = &mut self.readers[slot as usize];
        if reading.program.is_none() && self.books.condition(mailslot.host) == Condition::Up {
            let now = self.books.now();
            reading.program = Some(ReaderProgram::new(now, mailslot, &mut self.machines[mailslot.host.index()]));
        }
    }

    /// The program closes it; on a host that is not there nobody does.
    fn close_slot(&mut self, slot: u32) {
        let host = self.scenario.mailslots[slot as usize].host;
        let reading = &mut self.readers[slot as usize];
        if self.books.condition(host) == Condition::Up
            && let Some(program) = reading.program.take()
        {
            reading.generation += 1;
            program.close(&mut self.machines[host.index()]);
            self.take_events(host);
        }
    }
}
