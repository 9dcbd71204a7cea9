//! The account of what programs know, and whether they are right: who is on which list, and who is master.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::app::browser::{Event, HOST_ANNOUNCEMENT_PERIODS, LIST_GRAIN, PERIODS_TO_EXPIRY, Removal};
use crate::id::{HostId, SegmentId};
use crate::message::browser::{Frame, HostName};
use crate::scenario::Scenario;
use crate::stats::{BrowserTally, DelayHistogram, GroupTally};
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;

/// An election is over when nobody of the group has written a RequestElection for longer than this: a choice, more than
/// the longest wait between two of one candidate.
pub const ELECTION_QUIET: Duration = Duration::from_secs(5);

/// The account of all programs; their numbers are positions in [`Scenario::programs`].
pub(super) struct Account {
    apps: Vec<BrowserTally>,
    programs: Vec<Standing>,
    groups: Vec<Group>,
    /// The program of each name in each group.
    by_name: BTreeMap<(usize, HostName), u32>,
    host_names: Vec<String>,
}

/// What is known of one program.
struct Standing {
    app: usize,
    group: usize,
    host: HostId,
    /// When it was started last.
    started: Instant,
    /// Whether it was on a list since then.
    listed: bool,
    /// Whether it runs: it was started, and does not stand still.
    runs: bool,
    /// As a master, for each server: the latest announcements whose consequences are still open.
    open: BTreeMap<u32, VecDeque<Opportunity>>,
}

/// An announcement after which the server is removed, or not.
struct Opportunity {
    /// When that is settled.
    end: Instant,
    /// Whether the server's period still grows.
    is_early: bool,
    removed: Option<bool>,
}

/// The programs of one domain that hear each other's broadcasts.
struct Group {
    /// The first segment that they are on.
    segment: SegmentId,
    domain: NetbiosName,
    masters: BTreeSet<u32>,
    last_request: Option<Instant>,
    elections: u64,
    masters_after_quiet: u64,
    /// Since when there is no master.
    masterless: Option<Instant>,
    time_to_master: DelayHistogram,
}

impl Account {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let topology = scenario.topology();
        let segment = |host: HostId| topology.broadcast_domain(topology.host(host).first.segment);
        let place = |host: HostId| (segment(host), scenario.hosts[host.index()].domain);
        let places: BTreeSet<_> = scenario.programs().map(|(_, host)| place(host)).collect();
        let places: Vec<_> = places.into_iter().collect();
        let mut by_name = BTreeMap::new();
        let mut programs = Vec::new();
        for (app, entry) in scenario.apps.iter().enumerate() {
            for host in &entry.hosts {
                let group = places.binary_search(&place(*host)).expect("every place was collected");
                let name = HostName::new(scenario.hosts[host.index()].computer.characters());
                by_name.insert((group, name.expect("names of hosts have no NUL")), programs.len() as u32);
                let open = BTreeMap::new();
                programs.push(Standing {
                    app,
                    group,
                    host: *host,
                    started: Instant::ZERO,
                    listed: true,
                    runs: false,
                    open,
                });
            }
        }
        let group = |(segment, domain)| Group {
            segment,
            domain,
            masters: BTreeSet::new(),
            last_request: None,
            elections: 0,
            masters_after_quiet: 0,
            masterless: None,
            time_to_master: DelayHistogram::default(),
        };
        Account {
            apps: vec![BrowserTally::default(); scenario.apps.len()],
            programs,
            groups: places.into_iter().map(group).collect(),
            by_name,
            host_names: scenario.topology().hosts().iter().map(|host| host.name.clone()).collect(),
        }
    }

    /// A program starts.
    pub(super) fn started(&mut self, now: Instant, program: u32) {
        let standing = &mut self.programs[program as usize];
        (standing.started, standing.listed, standing.runs) = (now, false, true);
        let group = &mut self.groups[standing.group];
        if group.masters.is_empty() {
            group.masterless.get_or_insert(now);
        }
    }

    /// A program is gone.
    pub(super) fn ended(&mut self, now: Instant, program: u32) {
        self.paused(now, program);
        let Standing { app, listed, .. } = self.programs[program as usize];
        self.apps[app].never_listed += u64::from(!listed);
        self.programs[program as usize].listed = true;
    }

    /// A program stands still, or is gone: it is no master then, and what is open about it is not its fault.
    pub(super) fn paused(&mut self, now: Instant, program: u32) {
        let Standing { group, ref mut runs, .. } = self.programs[program as usize];
        *runs = false;
        self.step_down(now, program);
        for master in self.groups[group].masters.clone() {
            self.settle(now, master, program);
            self.programs[master as usize].open.remove(&program);
        }
    }

    /// A program that stood still goes on, perhaps as a master.
    pub(super) fn resumed(&mut self, now: Instant, program: u32, is_master: bool) {
        let Standing { group, ref mut runs, .. } = self.programs[program as usize];
        *runs = true;
        if is_master {
            self.groups[group].gain(now, program);
        }
    }

    /// A program writes a frame.
    pub(super) fn sent(&mut self, now: Instant, program: u32, frame: &Frame) {
        let standing = &self.programs[program as usize];
        match frame {
            Frame::HostAnnouncement(_) => self.apps[standing.app].announcements_sent += 1,
            Frame::RequestElection(_) => self.groups[standing.group].request_election(now),
            _ => {}
        }
    }

    /// Something happened in a program.
    pub(super) fn happened(&mut self, now: Instant, program: u32, event: &Event) {
        let group = self.programs[program as usize].group;
        match event {
            Event::Heard { server, periodicity, .. } => {
                if let Some(server) = self.by_name.get(&(group, server.clone())) {
                    self.heard(now, program, *server, *periodicity);
                }
            }
            Event::Removed { server, why: Removal::Expired } => {
                if let Some(server) = self.by_name.get(&(group, server.clone())) {
                    self.removed(program, *server);
                }
            }
            Event::Removed { why: Removal::Left, .. } => {}
            Event::Won => self.groups[group].gain(now, program),
            Event::SteppedDown => self.step_down(now, program),
        }
    }

    /// The run is over: what was counted, by app.
    pub(super) fn finish(mut self, end: Instant) -> Vec<BrowserTally> {
        for program in 0..self.programs.len() as u32 {
            self.settle_all(end, program);
            let Standing { app, listed, .. } = self.programs[program as usize];
            self.apps[app].never_listed += u64::from(!listed);
        }
        let Account { mut apps, programs, mut groups, host_names, .. } = self;
        groups.iter_mut().for_each(|group| group.watch(end));
        for (number, app) in apps.iter_mut().enumerate() {
            let of_app: BTreeSet<usize> =
                programs.iter().filter(|program| program.app == number).map(|program| program.group).collect();
            for group in of_app.into_iter().map(|group| &groups[group]) {
                app.time_to_master.merge(&group.time_to_master);
                let mut masters: Vec<HostId> =
                    group.masters.iter().map(|master| programs[*master as usize].host).collect();
                masters.sort_by_key(|host| &host_names[host.index()]);
                app.groups.push(GroupTally {
                    segment: group.segment,
                    domain: String::from_utf8_lossy(group.domain.characters()).into_owned(),
                    elections: group.elections,
                    masters_after_quiet: group.masters_after_quiet,
                    masters_at_end: masters,
                });
            }
        }
        apps
    }

    /// A master heard a server, or itself, which needs no network.
    fn heard(&mut self, now: Instant, master: u32, server: u32, periodicity: Duration) {
        let standing = &mut self.programs[server as usize];
        let app = &mut self.apps[standing.app];
        if !standing.listed {
            standing.listed = true;
            app.time_to_be_listed.record(now.since(standing.started));
        }
        if server == master {
            return;
        }
        app.announcements_heard += 1;
        self.settle(now, master, server);
        let open = self.programs[master as usize].open.entry(server).or_default();
        open.iter_mut().for_each(|opportunity| opportunity.decide(false));
        let end = now + periodicity * PERIODS_TO_EXPIRY + LIST_GRAIN;
        let is_early = HOST_ANNOUNCEMENT_PERIODS.last() != Some(&periodicity);
        open.push_back(Opportunity { end, is_early, removed: None });
    }

    /// A master took a server off its list that it did not hear.
    fn removed(&mut self, master: u32, server: u32) {
        let Standing { app, runs, .. } = self.programs[server as usize];
        let app = &mut self.apps[app];
        let counter = if runs { &mut app.removals_of_running } else { &mut app.removals_of_gone };
        *counter += 1;
        let open = self.programs[master as usize].open.get_mut(&server);
        open.into_iter().flatten().for_each(|opportunity| opportunity.decide(true));
    }

    /// A program is no master any more, if it was one.
    fn step_down(&mut self, now: Instant, program: u32) {
        self.groups[self.programs[program as usize].group].lose(now, program);
        self.settle_all(now, program);
        self.programs[program as usize].open.clear();
    }

    /// Counts what is settled of a server at a master.
    fn settle(&mut self, now: Instant, master: u32, server: u32) {
        let app = self.programs[server as usize].app;
        let Some(open) = self.programs[master as usize].open.get_mut(&server) else { return };
        while let Some(opportunity) = open.pop_front_if(|opportunity| opportunity.end <= now) {
            if let Some(removed) = opportunity.removed {
                let app = &mut self.apps[app];
                let ratio = if opportunity.is_early { &mut app.early_removals } else { &mut app.false_removals };
                ratio.n += 1;
                ratio.k += u64::from(removed);
            }
        }
    }

    /// Counts what is settled at a master.
    fn settle_all(&mut self, now: Instant, master: u32) {
        let servers: Vec<u32> = self.programs[master as usize].open.keys().copied().collect();
        servers.into_iter().for_each(|server| self.settle(now, master, server));
    }
}

impl Opportunity {
    /// What happens first to the entry decides.
    fn decide(&mut self, removed: bool) {
        self.removed.get_or_insert(removed);
    }
}

impl Group {
    fn request_election(&mut self, now: Instant) {
        self.watch(now);
        self.elections += u64::from(self.is_quiet(now));
        self.last_request = Some(now);
    }

    fn gain(&mut self, now: Instant, master: u32) {
        self.watch(now);
        self.masters.insert(master);
        if let Some(since) = self.masterless.take() {
            self.time_to_master.record(now.since(since));
        }
    }

    fn lose(&mut self, now: Instant, master: u32) {
        self.watch(now);
        if self.masters.remove(&master) && self.masters.is_empty() {
            self.masterless = Some(now);
        }
    }

    /// Takes note of how many masters there were up to now, if no election went on.
    fn watch(&mut self, now: Instant) {
        if self.is_quiet(now) {
            self.masters_after_quiet = self.masters_after_quiet.max(self.masters.len() as u64);
        }
    }

    fn is_quiet(&self, now: Instant) -> bool {
        self.last_request.is_none_or(|last| now.since(last) > ELECTION_QUIET)
    }
}
