//! The programs that write.

use super::traffic::{Outgoing, Sender};
use crate::mailslot::choices::CLOSED_SLOT_ERROR;
use crate::mailslot::{Handle, Machine, OpenOptions, Win32Error, Write};
use crate::scenario::Target;
use crate::time::Instant;

/// A program that opens its targets and writes the messages of a sender.
pub(super) struct WriterProgram {
    /// One for each target, once it was opened.
    handles: Vec<Option<Handle>>,
}

impl WriterProgram {
    pub(super) fn new(sender: &Sender) -> Self {
        WriterProgram { handles: vec![None; sender.targets().len()] }
    }

    /// Closes what it has opened: it opens it anew when it writes next.
    pub(super) fn close_all(&mut self, machine: &mut Machine) {
        for handle in self.handles.iter_mut().filter_map(Option::take) {
            machine.close(handle).expect("it was opened");
        }
    }

    /// Writes the message that the sender made last, opening its target first if need be.
    pub(super) fn write(
        &mut self,
        now: Instant,
        machine: &mut Machine,
        sender: &Sender,
        outgoing: Outgoing,
    ) -> Result<Write, Win32Error> {
        let target = outgoing.target as usize;
        let handle = match self.handles[target] {
            Some(handle) => handle,
            None => *self.handles[target].insert(open(machine, &sender.targets()[target])?),
        };
        let result = machine.write(now, handle, sender.data());
        if result == Err(CLOSED_SLOT_ERROR) {
            self.handles[target] = None; // the program opens it anew when it writes next
            machine.close(handle).expect("it was opened");
        }
        result
    }
}

/// A program that writes one message to a target and closes it again.
pub(super) fn write_once(
    now: Instant,
    machine: &mut Machine,
    target: &Target,
    data: &[u8],
) -> Result<Write, Win32Error> {
    let handle = open(machine, target)?;
    let result = machine.write(now, handle, data);
    machine.close(handle).expect("it is open");
    result
}

fn open(machine: &mut Machine, target: &Target) -> Result<Handle, Win32Error> {
    match target {
        Target::Local(slot) => machine.open(&format!(r"\\?\mailslot\{slot}"), OpenOptions::default()),
        Target::PrimaryDomain(slot) => machine.open(&format!(r"\\*\mailslot\{slot}"), OpenOptions::default()),
        Target::Named { name, slot } => machine.open_name(*name, slot, OpenOptions::default()),
    }
}
