//! The timeline: what happens to the network while programs write.

use std::collections::BTreeMap;

use super::Context;
use super::network::Network;
use crate::id::HostId;
use crate::scenario::file;
use crate::scenario::model::{Event, Fault};
use crate::scenario::problem::{Path, Problem, at};
use crate::time::Duration;

/// The most `[[event]]` entries.
const MAX_EVENTS: usize = 10_000;

impl Context<'_> {
    /// All events, in the order of time; those of one moment in the order of the file. `end` is that of the run, if it
    /// could be read.
    pub(super) fn events(&mut self, network: &Network, end: Option<Duration>) -> Vec<Event> {
        let mut events = Vec::new();
        for (index, spec) in self.file.event.iter().enumerate() {
            if index == MAX_EVENTS {
                self.error(at!["event", index], format!("there are more than {MAX_EVENTS} events (MAX_EVENTS)"));
                break;
            }
            let fault = self.fault(index, spec, network);
            let Some(at) = spec.at.map(|time| time.0) else { continue };
            if let Some(end) = end.filter(|end| at > *end) {
                let message = format!("{at} is after the end of the run, {end} (duration and drain)");
                self.error(at!["event", index, "at"], message);
            }
            events.extend(fault.map(|fault| Event { at, fault }));
        }
        events.sort_by_key(|event| event.at);
        events
    }

    fn fault(&mut self, index: usize, spec: &file::Event, network: &Network) -> Option<Fault> {
        let at = |key: &str| at!["event", index, key];
        if spec.oneway.is_some() && spec.partition.is_none() && !self.is_damaged(at!["event", index]) {
            self.problems.push(Problem::error(at("oneway"), "`oneway` belongs to a `partition`").at_key());
        }
        match (&spec.partition, spec.heal) {
            (Some(_), Some(_)) => {
                let message = "`partition` and `heal` contradict each other: one event does one thing";
                self.problems.push(Problem::error(at("heal"), message).at_key());
                None
            }
            (Some(groups), None) => {
                let groups = self.groups(index, groups, network)?;
                Some(Fault::Partition { groups, one_way: spec.oneway.unwrap_or(false) })
            }
            (None, Some(true)) => {
                let is_cut = |earlier: &file::Event| earlier.partition.is_some() && earlier.at <= spec.at;
                if !self.file.event.iter().any(is_cut) && self.is_sound() {
                    self.warning(at("heal"), "there is no partition before it that it could end");
                }
                Some(Fault::Heal)
            }
            (None, Some(false)) => {
                self.error(at("heal"), "an event that does not heal does nothing; write heal = true");
                None
            }
            (None, None) => {
                if !self.is_damaged(at!["event", index]) {
                    let problem = Problem::error(at!["event", index], "nothing says what happens");
                    self.problems.push(problem.help("give `partition` or `heal`"));
                }
                None
            }
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
                            self.error(path.clone(), format!("`{name}` is in two groups"));
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
