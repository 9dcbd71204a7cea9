//! What was counted of an app of the kind `browser`: what its programs know, and whether they are right.

use crate::id::{HostId, SegmentId};
use crate::stats::{DelayHistogram, Proportion};

/// What was counted of one app.
#[derive(Clone, Debug, Default)]
pub struct BrowserTally {
    /// HostAnnouncements that its programs wrote.
    pub announcements_sent: u64,
    /// How often a master on another host heard one of them.
    pub announcements_heard: u64,
    /// From a program's start to its first entry in the list of a master.
    pub time_to_be_listed: DelayHistogram,
    /// Starts of programs after which they came to no list.
    pub never_listed: u64,
    /// Entries removed because of silence while the host's program ran.
    pub removals_of_running: u64,
    /// Entries removed because the program was gone.
    pub removals_of_gone: u64,
    /// Of announcements at the final period, after which program and master stayed for more than three periods: after how
    /// many the entry was removed.
    pub false_removals: Proportion,
    /// The same of announcements while the period still grows.
    pub early_removals: Proportion,
    /// From the first start of a program in a group, or the loss of its last master, to the next victory.
    pub time_to_master: DelayHistogram,
    /// The groups that its programs are in, by segment and domain.
    pub groups: Vec<GroupTally>,
}

/// What was counted of the programs of one domain on one segment, which elect one master.
#[derive(Clone, Debug)]
pub struct GroupTally {
    /// The segment.
    pub segment: SegmentId,
    /// The domain.
    pub domain: String,
    /// RequestElections after a silence.
    pub elections: u64,
    /// The largest number of masters at once while no election went on.
    pub masters_after_quiet: u64,
    /// The masters when the run ended, by name.
    pub masters_at_end: Vec<HostId>,
}

impl BrowserTally {
    /// Elections in all groups.
    #[must_use]
    pub fn elections(&self) -> u64 {
        self.groups.iter().map(|group| group.elections).sum()
    }

    /// The largest number of masters in a group while no election went on.
    #[must_use]
    pub fn masters_after_quiet(&self) -> u64 {
        self.groups.iter().map(|group| group.masters_after_quiet).max().unwrap_or(0)
    }

    /// The smallest and the largest number of masters of a group when the run ended; `None` without a group.
    #[must_use]
    pub fn masters_at_end(&self) -> Option<(u64, u64)> {
        let numbers = || self.groups.iter().map(|group| group.masters_at_end.len() as u64);
        numbers().min().zip(numbers().max())
    }
}
