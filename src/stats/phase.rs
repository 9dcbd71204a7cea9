//! Which messages of a stream belong to which phase.

/// The phases of the messages of one stream. Messages are numbered in the order of their first writes, so the phase
/// changes at a few of them only, and at none where there are no phases.
#[derive(Debug, Default)]
pub(super) struct Phases {
    /// Messages from which on the phase is another: a position among the phases, or none.
    changes: Vec<(u64, Option<usize>)>,
    /// How many messages have begun.
    begun: u64,
}

impl Phases {
    /// Takes note of a write in a phase. It decides for its message if it is the first.
    pub(super) fn begin(&mut self, message: u64, phase: Option<usize>) {
        if message < self.begun {
            return;
        }
        self.begun = message + 1;
        if phase != self.of(message) {
            self.changes.push((message, phase));
        }
    }

    /// The phase of a message that has begun.
    pub(super) fn of(&self, message: u64) -> Option<usize> {
        let changes = self.changes.partition_point(|(first, _)| *first <= message);
        self.changes[..changes].last()?.1
    }
}
