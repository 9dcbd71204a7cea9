//! The timeline at work in the event core: what happens to machines and to the programs on them.

use super::books::Cause;
use super::reader::ReaderProgram;
use super::timeline::{Change, Condition, Strike};
use super::world::World;
use super::writer::WriterProgram;
use crate::id::{HostId, StreamId};
use crate::stats::Observer;
use crate::wire::NetbiosName;

impl<O: Observer> World<O> {
    /// Something of the timeline happens.
    pub(super) fn strike(&mut self, strike: Strike) {
        self.books.strike(strike);
        match strike.change {
            Change::Cut | Change::Mend | Change::Heal | Change::Set | Change::Unset => {}
            Change::Crash(host) => self.crash(host),
            Change::Start(host) => self.start(host),
            Change::Pause(host) => {
                self.books.paused(host);
                self.pause_programs(host);
            }
            Change::Resume(host) => self.resume(host),
            Change::Join(host, domain) => self.join(host, domain),
            Change::Open(slot) => self.open_slot(slot),
            Change::Close(slot) => self.close_slot(slot),
        }
        self.deliver_all();
    }

    /// A host goes down, with its machine and its programs.
    fn crash(&mut self, host: HostId) {
        for (stream, (sender, program)) in (0..).map(StreamId).zip(&mut self.writers) {
            if sender.host() == host {
                *program = WriterProgram::new(sender);
                sender.forget().into_iter().for_each(|message| self.books.unwritten(stream, message));
            }
        }
        for (reading, mailslot) in self.readers.iter_mut().zip(&self.scenario.mailslots) {
            if mailslot.host == host {
                reading.program = None;
                reading.generation += 1;
            }
        }
        self.end_programs(host);
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
        self.start_programs(host);
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
        self.resume_programs(host);
    }

    /// A host leaves its domain for another. Its programs open anew what stands for the domain.
    fn join(&mut self, host: HostId, domain: NetbiosName) {
        if self.books.condition(host) == Condition::Down {
            return; // it is in the other when it starts
        }
        self.machines[host.index()].join_domain(self.books.now(), domain);
        self.settle_down(host, Cause::Name);
        for (_, program) in self.writers.iter_mut().filter(|(sender, _)| sender.host() == host) {
            program.close_all(&mut self.machines[host.index()]);
        }
    }

    /// A program opens a mailslot.
    fn open_slot(&mut self, slot: u32) {
        let mailslot = &self.scenario.mailslots[slot as usize];
        let machine = &mut self.machines[mailslot.host.index()];
        self.readers[slot as usize].program = Some(ReaderProgram::new(self.books.now(), mailslot, machine));
    }

    /// The program closes it.
    fn close_slot(&mut self, slot: u32) {
        let host = self.scenario.mailslots[slot as usize].host;
        let reading = &mut self.readers[slot as usize];
        let program = reading.program.take().expect("a slot that is closed was open");
        reading.generation += 1;
        program.close(&mut self.machines[host.index()]);
        self.take_events(host);
    }
}
