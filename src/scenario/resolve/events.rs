//! The timeline: what happens to the network and to hosts while programs write.

use std::collections::BTreeMap;

use super::Context;
use super::network::Network;
use crate::id::HostId;
use crate::mailslot::SlotName;
use crate::scenario::app::App;
use crate::scenario::fault::{Event, Fault, When};
use crate::scenario::file;
use crate::scenario::model::{Mailslot, find_mailslot};
use crate::scenario::problem::{Path, Problem, at};
use crate::scenario::quantity::clipped;
use crate::time::Duration;

/// The most `[[event]]` entries.
const MAX_EVENTS: usize = 10_000;
/// The most times that random events may be expected to happen, all hosts together.
const MAX_RANDOM_FAULTS: f64 = 100_000.0;

/// What an event can do, by the keys of the file.
const ACTIONS: &str =
    "`partition`, `heal`, `crash`, `restart`, `pause`, `resume`, `leave`, `join`, `open`, `close` or `set`";

impl Context<'_> {
    /// All events, in the order of the file. `end` is that of the run, if it could be read.
    pub(super) fn events(
        &mut self,
        network: &Network,
        mailslots: &[Mailslot],
        apps: &[App],
        end: Option<Duration>,
    ) -> Vec<Event> {
        let mut events: Vec<(usize, Event)> = Vec::new();
        let mut expected = 0.0;
        for (index, spec) in self.file.event.iter().enumerate() {
            if index == MAX_EVENTS {
                self.error(at!["event", index], format!("there are more than {MAX_EVENTS} events (MAX_EVENTS)"));
                break;
            }
            let when = self.when(index, spec, end);
            let fault = self.fault(index, spec, network, mailslots);
            self.check_movers(index, fault.as_ref(), apps, network);
            if let (Some(When::Every(mean)), Some(end)) = (when, end) {
                let each = (mean + spec.lasts.map_or(Duration::ZERO, |time| time.0)).nanos() as f64;
                expected += fault.as_ref().map_or(1, Fault::parts) as f64 * end.nanos() as f64 / each;
                if expected > MAX_RANDOM_FAULTS {
                    let message =
                        format!("more than {MAX_RANDOM_FAULTS} random faults are expected (MAX_RANDOM_FAULTS)");
                    self.error(at!["event", index, "every"], message);
                    break;
                }
            }
            let lasts = spec.lasts.map(|time| time.0);
            events.extend(when.zip(fault).map(|(when, fault)| (index, Event { when, lasts, fault })));
        }
        events.extend(self.settings(network, end));
        events.sort_by_key(|(index, _)| *index);
        self.warn_of_closed(mailslots, &events, network);
        events.into_iter().map(|(_, event)| event).collect()
    }

    fn when(&mut self, index: usize, spec: &file::Event, end: Option<Duration>) -> Option<When> {
        let at = |key: &str| at!["event", index, key];
        if spec.lasts.is_some_and(|time| time.0 == Duration::ZERO) {
            self.error(at("for"), "an event that lasts 0 s changes nothing");
        }
        match (spec.at, &spec.every) {
            (Some(time), None) => {
                if let Some(end) = end.filter(|end| time.0 > *end) {
                    let message = format!("{} is after the end of the run, {end} (duration and drain)", time.0);
                    self.error(at("at"), message);
                }
                Some(When::At(time.0))
            }
            (None, Some(every)) => {
                let mean = every.exponential?.0;
                if mean == Duration::ZERO {
                    self.error(at!["event", index, "every", "exponential"], "random times have a mean above 0 s");
                    return None;
                }
                Some(When::Every(mean))
            }
            (Some(_), Some(_)) => {
                let message = "`at` and `every` contradict each other: once, or again and again";
                self.problems.push(Problem::error(at("every"), message).at_key());
                None
            }
            (None, None) => {
                if !self.is_damaged(at!["event", index]) {
                    let problem = Problem::error(at!["event", index], "nothing says when it happens");
                    self.problems.push(problem.help("give `at = \"20 s\"` or `every = { exponential = \"30 s\" }`"));
                }
                None
            }
        }
    }

    /// What an event does, but for `set`: those are read together.
    fn fault(&mut self, index: usize, spec: &file::Event, network: &Network, mailslots: &[Mailslot]) -> Option<Fault> {
        let at = |key: &str| at!["event", index, key];
        if spec.oneway.is_some() && spec.partition.is_none() && !self.is_damaged(at!["event", index]) {
            self.problems.push(Problem::error(at("oneway"), "`oneway` belongs to a `partition`").at_key());
        }
        let actions = actions(spec);
        match actions[..] {
            [] => {
                if !self.is_damaged(at!["event", index]) {
                    let problem = Problem::error(at!["event", index], "nothing says what happens");
                    self.problems.push(problem.help(format!("give {ACTIONS}")));
                }
                return None;
            }
            [only] => self.check_form(index, spec, only),
            [first, second, ..] => {
                let message = format!("`{first}` and `{second}` contradict each other: one event does one thing");
                self.problems.push(Problem::error(at(second), message).at_key());
                return None;
            }
        }
        let mut hosts = |text: &str, key: &str| {
            let hosts = self.hosts_called(&at(key), text, network);
            (!hosts.is_empty()).then_some(hosts)
        };
        match spec {
            file::Event { crash: Some(text), .. } => hosts(text, "crash").map(Fault::Crash),
            file::Event { restart: Some(text), .. } => hosts(text, "restart").map(Fault::Restart),
            file::Event { pause: Some(text), .. } => hosts(text, "pause").map(Fault::Pause),
            file::Event { resume: Some(text), .. } => {
                let is_paused = |earlier: &file::Event| earlier.pause.is_some() && !is_after(earlier, spec);
                let fault = hosts(text, "resume").map(Fault::Resume);
                if !self.file.event.iter().any(is_paused) && self.is_sound() {
                    self.warning(at("resume"), "there is no pause before it that it could end");
                }
                fault
            }
            file::Event { leave: Some(text), .. } => hosts(text, "leave").map(Fault::Leave),
            file::Event { join: Some(join), .. } => self.joining(index, join, network),
            file::Event { open: Some(slot), .. } => {
                self.slots_at(&at("open"), slot, network, mailslots).map(Fault::Open)
            }
            file::Event { close: Some(slot), .. } => {
                self.slots_at(&at("close"), slot, network, mailslots).map(Fault::Close)
            }
            file::Event { partition: Some(groups), .. } => {
                let groups = self.groups(index, groups, network)?;
                Some(Fault::Partition { groups, one_way: spec.oneway.unwrap_or(false) })
            }
            file::Event { heal: Some(true), .. } => {
                let is_cut = |earlier: &file::Event| earlier.partition.is_some() && !is_after(earlier, spec);
                if !self.file.event.iter().any(is_cut) && self.is_sound() {
                    self.warning(at("heal"), "there is no partition before it that it could end");
                }
                Some(Fault::Heal)
            }
            file::Event { heal: Some(false), .. } => {
                self.error(at("heal"), "an event that does not heal does nothing; write heal = true");
                None
            }
            _ => None,
        }
    }

    /// Whether what an event does can be undone, and be random.
    fn check_form(&mut self, index: usize, spec: &file::Event, action: &str) {
        let at = |key: &str| at!["event", index, key];
        let ends = matches!(action, "heal" | "restart" | "resume");
        if spec.lasts.is_some() && ends {
            let message = format!("`{action}` is over at once: nothing could be undone after a while");
            self.problems.push(Problem::error(at("for"), message).at_key());
        }
        if spec.every.is_some() && ends && action != "restart" {
            let message = format!("`{action}` needs something to end: give it a moment, or that event a `for`");
            self.problems.push(Problem::error(at("every"), message).at_key());
        }
        if spec.every.is_some() && spec.lasts.is_none() && !ends && !self.is_damaged(at!["event", index]) {
            let problem = Problem::error(at("every"), format!("a random `{action}` has to end before it comes again"));
            self.problems.push(problem.at_key().help("add how long it lasts: for = \"2 s\""));
        }
    }

    /// Programs of apps stay in the group in which they started.
    fn check_movers(&mut self, index: usize, fault: Option<&Fault>, apps: &[App], network: &Network) {
        let movers = fault.map_or(&[][..], Fault::movers);
        let runs = |host: &HostId| apps.iter().find(|app| app.hosts.contains(host)).map(|app| (*host, app));
        if let Some((host, app)) = movers.iter().find_map(runs) {
            let key = if self.file.event[index].leave.is_some() { "leave" } else { "join" };
            let host = &network.host_names()[host.index()];
            let message = format!("`{host}` runs a program of the app `{}`, which stays in its domain", app.name);
            self.error(at!["event", index, key], message);
        }
    }

    fn joining(&mut self, index: usize, join: &file::Join, network: &Network) -> Option<Fault> {
        let at = |key: &str| at!["event", index, "join", key];
        let hosts = self.hosts_called(&at("host"), join.host.as_ref()?, network);
        let text = join.domain.as_ref()?;
        if let Some(bare) = text.strip_prefix(r"\\") {
            let message = format!("`{}`: the domain to join is written without backslashes", clipped(text));
            self.problems.push(Problem::error(at("domain"), message).help(format!("write \"{}\"", clipped(bare))));
            return None;
        }
        let domain = self.netbios_name(&at("domain"), text)?;
        if let Some(host) = network.host(text) {
            let host = &network.host_names()[host.index()];
            self.error(at("domain"), format!("`{host}` is the name of a host: a domain needs another name"));
            return None;
        }
        (!hosts.is_empty()).then_some(Fault::Join { hosts, domain })
    }

    /// The mailslots that an event opens or closes.
    fn slots_at(
        &mut self,
        path: &Path,
        spec: &file::SlotAt,
        network: &Network,
        mailslots: &[Mailslot],
    ) -> Option<Vec<u32>> {
        let at = |key: &str| super::values::below(path, key);
        let hosts = self.hosts_called(&at("on"), spec.on.as_ref()?, network);
        let text = spec.mailslot.as_ref()?;
        let name = match SlotName::new(text) {
            Ok(name) => name,
            Err(invalid) => {
                self.error(at("mailslot"), format!("`{}`: {invalid}", clipped(text)));
                return None;
            }
        };
        let mut found = Vec::new();
        for host in hosts {
            match find_mailslot(mailslots, host, &name) {
                Some(position) => found.push(position as u32),
                None => {
                    let of_host = mailslots.iter().filter(|mailslot| mailslot.host == host);
                    let known = || of_host.map(|mailslot| mailslot.name.to_string()).collect();
                    let on = &network.host_names()[host.index()];
                    self.unknown_name(at("mailslot"), format!("`{on}` declares no mailslot `{name}`"), text, known);
                    return None;
                }
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// A mailslot that is closed from the beginning and that no event opens.
    fn warn_of_closed(&mut self, mailslots: &[Mailslot], events: &[(usize, Event)], network: &Network) {
        if !self.is_sound() {
            return;
        }
        let is_opened = |position: u32| {
            events.iter().any(|(_, event)| matches!(&event.fault, Fault::Open(slots) if slots.contains(&position)))
        };
        let closed = (0..).zip(mailslots).filter(|(_, mailslot)| mailslot.starts_closed);
        let Some((_, forgotten)) = closed.into_iter().find(|(position, _)| !is_opened(*position)) else { return };
        let on = &network.host_names()[forgotten.host.index()];
        let entry = self.file.mailslot.iter().position(|spec| {
            spec.open == Some(false)
                && spec.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&forgotten.name.to_string()))
        });
        if let Some(entry) = entry {
            self.warning(at!["mailslot", entry, "open"], format!("no event opens it on `{on}`: it stays closed"));
        }
    }

    /// The hosts of each group; a group names hosts, patterns, domains and segments.
    fn groups(&mut self, index: usize, groups: &[Vec<String>], network: &Network) -> Option<Vec<Vec<HostId>>> {
        if groups.len() < 2 {
            self.error(at!["event", index, "partition"], "a partition has two groups or more");
        }
        let mut group_of: BTreeMap<HostId, usize> = BTreeMap::new();
        let mut resolved = Vec::new();
        let mut is_sound = groups.len() >= 2;
        for (number, texts) in groups.iter().enumerate() {
            if texts.is_empty() {
                self.error(at!["event", index, "partition", number], "a group names at least one host or segment");
                is_sound = false;
            }
            let mut group = Vec::new();
            for (position, text) in texts.iter().enumerate() {
                let path = at!["event", index, "partition", number, position];
                let hosts = self.members_called(&path, text, network);
                is_sound &= !hosts.is_empty();
                for host in hosts {
                    match group_of.insert(host, number) {
                        None => group.push(host),
                        Some(earlier) if earlier == number => {}
                        Some(_) => {
                            let name = &network.host_names()[host.index()];
                            let problem = Problem::error(path.clone(), format!("`{name}` is in two groups"));
                            let is_segment = self.file.segment.contains_key(text);
                            let help =
                                "a segment stands for every host on it, also those on others: list hosts instead";
                            self.problems.push(if is_segment { problem.help(help) } else { problem });
                            is_sound = false;
                            break;
                        }
                    }
                }
            }
            resolved.push(group);
        }
        is_sound.then_some(resolved)
    }

    /// The hosts that a text stands for: those of a segment, or as [`Context::hosts_called`] says.
    fn members_called(&mut self, path: &Path, text: &str, network: &Network) -> Vec<HostId> {
        let segments = network.topology.iter().flat_map(|topology| topology.segments());
        match (segments.into_iter().find(|segment| segment.name == text), network.host(text)) {
            (Some(_), Some(_)) => {
                self.error(path.clone(), format!("`{text}` is the name of a segment and of a host: rename one"));
                Vec::new()
            }
            (Some(segment), None) if segment.hosts.is_empty() => {
                self.error(path.clone(), format!("no host is on the segment `{text}`"));
                Vec::new()
            }
            (Some(segment), None) => segment.hosts.clone(),
            (None, _) => self.hosts_called(path, text, network),
        }
    }
}

/// The keys of an event that say what it does.
fn actions(spec: &file::Event) -> Vec<&'static str> {
    let given = [
        ("partition", spec.partition.is_some()),
        ("heal", spec.heal.is_some()),
        ("crash", spec.crash.is_some()),
        ("restart", spec.restart.is_some()),
        ("pause", spec.pause.is_some()),
        ("resume", spec.resume.is_some()),
        ("leave", spec.leave.is_some()),
        ("join", spec.join.is_some()),
        ("open", spec.open.is_some()),
        ("close", spec.close.is_some()),
        ("set", spec.set.is_some()),
    ];
    given.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key).collect()
}

/// Whether an event surely happens after another.
fn is_after(event: &file::Event, other: &file::Event) -> bool {
    matches!((event.at, other.at), (Some(event), Some(other)) if event > other)
}
