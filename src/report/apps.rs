//! The part of the report that is about apps.

use schemars::JsonSchema;
use serde::Serialize;

use super::json::{DelayReport, Ratio};
use crate::scenario::{App, Scenario};
use crate::sim::AppTheory;
use crate::stats::{BrowserTally, GroupTally};

/// One app of the kind `browser`: what its programs know, and whether they are right.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct AppReport {
    name: String,
    kind: &'static str,
    /// How many hosts run its program.
    hosts: u64,
    announcements: AnnouncementsReport,
    /// From a program's start to its first entry in the list of a master.
    time_to_be_listed_ns: DelayReport,
    /// Starts of programs after which they came to no list.
    never_listed: u64,
    removals: RemovalsReport,
    /// Of announcements at the final period, after which host and master stayed for three periods: after how many the
    /// server was removed.
    false_removals: Ratio,
    /// The same of announcements while the period still grows.
    early_removals: Ratio,
    /// Elections in all groups.
    elections: u64,
    /// From the start of a group, or the loss of its last master, to the next victory.
    time_to_master_ns: DelayReport,
    /// The largest number of masters of a group at once, 5 s after the last RequestElection or later.
    masters_after_quiet: u64,
    masters_at_end: RangeReport,
    theory: AppTheoryReport,
    groups: Vec<GroupReport>,
}

/// HostAnnouncements.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AnnouncementsReport {
    sent: u64,
    /// By a master on another host.
    heard: u64,
}

/// Entries that masters removed because of silence.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct RemovalsReport {
    /// While the host's program ran.
    of_running: u64,
    /// After the host's program was gone.
    of_gone: u64,
}

/// The smallest and the largest number over groups.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct RangeReport {
    min: Option<u64>,
    max: Option<u64>,
}

/// What the closed forms say; without those that do not hold.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AppTheoryReport {
    /// p^3, for loss p of an announcement.
    #[serde(skip_serializing_if = "Option::is_none")]
    false_removals: Option<f64>,
    /// p^2
    #[serde(skip_serializing_if = "Option::is_none")]
    early_removals: Option<f64>,
}

/// The programs of one domain on one segment, which is the first of those that share their broadcasts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct GroupReport {
    segment: String,
    domain: String,
    elections: u64,
    masters_after_quiet: u64,
    masters_at_end: Vec<String>,
}

impl AppReport {
    pub(super) fn new(scenario: &Scenario, app: &App, tally: &BrowserTally, theory: AppTheory) -> Self {
        let at_end = tally.masters_at_end();
        AppReport {
            name: app.name.clone(),
            kind: app.kind.name(),
            hosts: app.hosts.len() as u64,
            announcements: AnnouncementsReport { sent: tally.announcements_sent, heard: tally.announcements_heard },
            time_to_be_listed_ns: DelayReport::new(&tally.time_to_be_listed),
            never_listed: tally.never_listed,
            removals: RemovalsReport { of_running: tally.removals_of_running, of_gone: tally.removals_of_gone },
            false_removals: Ratio::new(tally.false_removals),
            early_removals: Ratio::new(tally.early_removals),
            elections: tally.elections(),
            time_to_master_ns: DelayReport::new(&tally.time_to_master),
            masters_after_quiet: tally.masters_after_quiet(),
            masters_at_end: RangeReport { min: at_end.map(|(min, _)| min), max: at_end.map(|(_, max)| max) },
            theory: AppTheoryReport { false_removals: theory.false_removals, early_removals: theory.early_removals },
            groups: tally.groups.iter().map(|group| GroupReport::new(scenario, group)).collect(),
        }
    }
}

impl GroupReport {
    fn new(scenario: &Scenario, group: &GroupTally) -> Self {
        let topology = scenario.topology();
        let masters = group.masters_at_end.iter().map(|host| topology.host(*host).name.clone());
        GroupReport {
            segment: topology.segments()[group.segment.index()].name.clone(),
            domain: group.domain.clone(),
            elections: group.elections,
            masters_after_quiet: group.masters_after_quiet,
            masters_at_end: masters.collect(),
        }
    }
}
