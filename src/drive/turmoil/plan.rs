//! What the timeline does to one host. It is known beforehand, so that programs can ask what will be at a moment.

use crate::id::HostId;
use crate::scenario::Scenario;
use crate::sim::timeline::{Change, Condition, Strike};
use crate::time::Instant;
use crate::wire::NetbiosName;

/// The changes of one host, and what it is like after each.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    first: Stage,
    changes: Vec<(Instant, Change, Stage)>,
}

/// What a host is like from one change to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stage {
    pub(super) condition: Condition,
    /// How often it has crashed.
    pub(super) life: u32,
    pub(super) domain: NetbiosName,
    /// How often it has changed its domain.
    pub(super) moves: u32,
}

impl Plan {
    pub(super) fn new(scenario: &Scenario, timeline: &[(Instant, Strike)], host: HostId) -> Self {
        let domain = scenario.hosts[host.index()].domain;
        let first = Stage { condition: Condition::Up, life: 0, domain, moves: 0 };
        let mut stage = first;
        let mut changes = Vec::new();
        for (at, Strike { change, .. }) in timeline {
            let of = match *change {
                Change::Crash(of)
                | Change::Start(of)
                | Change::Pause(of)
                | Change::Resume(of)
                | Change::Join(of, _) => of,
                Change::Open(slot) | Change::Close(slot) => scenario.mailslots[slot as usize].host,
                Change::Cut | Change::Mend | Change::Heal | Change::Set | Change::Unset => continue,
            };
            if of != host {
                continue;
            }
            stage = match *change {
                Change::Crash(_) => Stage { condition: Condition::Down, life: stage.life + 1, ..stage },
                Change::Start(_) | Change::Resume(_) => Stage { condition: Condition::Up, ..stage },
                Change::Pause(_) => Stage { condition: Condition::Paused, ..stage },
                Change::Join(_, domain) => Stage { domain, moves: stage.moves + 1, ..stage },
                _ => stage,
            };
            changes.push((*at, *change, stage));
        }
        Plan { first, changes }
    }

    /// What the host is like at first.
    pub(super) fn first(&self) -> Stage {
        self.first
    }

    /// All changes, in order, each with what the host is like after it.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Instant, Change, Stage)> {
        self.changes.iter().copied()
    }

    /// How many changes there are up to a moment.
    pub(super) fn changes_by(&self, at: Instant) -> usize {
        self.changes.partition_point(|(change, ..)| *change <= at)
    }

    /// What the host is like at a moment: changes come before all else that happens then.
    pub(super) fn at(&self, at: Instant) -> Stage {
        let by = self.changes_by(at);
        by.checked_sub(1).map_or(self.first, |last| self.changes[last].2)
    }

    /// When the host goes on that stands still at a moment; `None` if it does not.
    pub(super) fn resumes_after(&self, at: Instant) -> Option<Instant> {
        let later = &self.changes[self.changes_by(at)..];
        later.iter().find(|(.., stage)| stage.condition != Condition::Paused).map(|(at, ..)| *at)
    }
}
