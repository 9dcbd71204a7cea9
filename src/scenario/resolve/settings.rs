//! Events that set values of link profiles: what every link is like from each of them on.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::Context;
use super::network::Network;
use crate::id::LinkId;
use crate::link;
use crate::scenario::document;
use crate::scenario::fault::{Event, Fault, NO_LONGER, Setting, When};
use crate::scenario::file::{self, AnyValue, Attachment};
use crate::scenario::pattern;
use crate::scenario::problem::{Path, Problem, Severity, Step, at};
use crate::scenario::quantity::clipped;
use crate::scenario::schema::schema;
use crate::scenario::validate::validate;
use crate::time::Duration;

/// The most events that set values: each is checked with all that are in force then.
const MAX_SETTINGS: usize = 1_000;

/// The values that an event sets.
#[derive(Clone, Copy)]
struct Assignments<'a> {
    /// The position of the event in the file.
    event: usize,
    values: &'a BTreeMap<String, AnyValue>,
}

impl Assignments<'_> {
    /// As in the file: `link.switch.loss.mean = "20 %"`.
    fn spelled(&self) -> String {
        let each = |(path, AnyValue(value)): (&String, &AnyValue)| format!("{path} = {value}");
        self.values.iter().map(each).collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Context<'a> {
    /// The events that set values, each with its position in the file. One that lasts for a while is two: its values in
    /// force, and out of force.
    pub(super) fn settings(&mut self, network: &Network, end: Option<Duration>) -> Vec<(usize, Event)> {
        let file = self.file;
        let given =
            |(event, spec): (usize, &'a file::Event)| Some((spec, Assignments { event, values: spec.set.as_ref()? }));
        let given: Vec<_> = file.event.iter().enumerate().filter_map(given).collect();
        if let Some((_, excess)) = given.get(MAX_SETTINGS) {
            let message = format!("there are more than {MAX_SETTINGS} events that set values (MAX_SETTINGS)");
            self.error(at!["event", excess.event, "set"], message);
        }
        let refused = |path: &Path| path.first() == Some(&Step::from("link"));
        if given.is_empty()
            || self.damaged.iter().any(refused)
            || self.problems.iter().any(|problem| problem.severity == Severity::Error && refused(&problem.path))
        {
            return Vec::new();
        }
        let links = self.links_by_profile(network);
        let mut events = Vec::new();
        let mut moments: Vec<(Duration, usize, bool)> = Vec::new();
        for (number, (spec, assignments)) in given.iter().enumerate().take(MAX_SETTINGS) {
            let lasts = spec.lasts.map(|time| time.0);
            match (spec.at, &spec.every) {
                (Some(at), None) => {
                    moments.push((at.0, number, true));
                    let undone = lasts.map(|lasts| at.0 + lasts).filter(|undone| end.is_none_or(|end| *undone <= end));
                    moments.extend(undone.map(|undone| (undone, number, false)));
                }
                (None, Some(every)) => {
                    let fault = self.random_setting(&given, *assignments, &links);
                    let Some(mean) = every.exponential else { continue };
                    let when = When::Every(mean.0);
                    events.extend(fault.map(|fault| (assignments.event, Event { when, lasts, fault })));
                }
                _ => {}
            }
        }
        moments.sort();
        let mut in_force: Vec<usize> = Vec::new();
        for (at, number, begins) in moments {
            in_force.retain(|other| *other != number);
            in_force.extend(begins.then_some(number));
            let assignments = given[number].1;
            let all: Vec<Assignments<'_>> = in_force.iter().map(|number| given[*number].1).collect();
            let Some(settings) = self.in_force(&all, assignments, &links) else { break };
            let spelled = assignments.spelled();
            let values = if begins { spelled } else { format!("{NO_LONGER}{spelled}") };
            let fault = Fault::Set { values, links: settings, undone: Vec::new() };
            events.push((assignments.event, Event { when: When::At(at), lasts: None, fault }));
        }
        events
    }

    /// What an event does whose moments nobody knows beforehand, so that nothing else may set values of its profiles.
    fn random_setting(
        &mut self,
        given: &[(&file::Event, Assignments<'_>)],
        assignments: Assignments<'_>,
        links: &BTreeMap<String, Vec<LinkId>>,
    ) -> Option<Fault> {
        let own = self.profiles_set(assignments)?;
        for (_, other) in given.iter().filter(|(_, other)| other.event != assignments.event) {
            if let Some(both) = self.profiles_set(*other)?.intersection(&own).next() {
                let message =
                    format!("another event sets values of `link.{both}` too, and a random one has to be the only one");
                self.error(at!["event", assignments.event, "set"], message);
                return None;
            }
        }
        let changed = self.in_force(&[assignments], assignments, links)?;
        let undone = self.in_force(&[], assignments, links)?;
        Some(Fault::Set { values: assignments.spelled(), links: changed, undone })
    }

    /// What the links are like of the profiles that `changed` sets values of, when the values of `all` are in force, the
    /// later ones over the earlier.
    fn in_force(
        &mut self,
        all: &[Assignments<'_>],
        changed: Assignments<'_>,
        links: &BTreeMap<String, Vec<LinkId>>,
    ) -> Option<Vec<Setting>> {
        let profiles = self.profiles_set(changed)?;
        let only = profiles.iter().map(|name| (name.clone(), self.profiles[name].clone()));
        let mut table = Table::from_iter([("link".to_owned(), Value::Table(only.collect()))]);
        for Assignments { event, values } in all {
            for (path, AnyValue(value)) in *values {
                if profile_in(path, &profiles).is_none() {
                    continue; // of another profile
                }
                if let Err(message) = document::put(&mut table, path, |_| value.clone()) {
                    self.problems.push(Problem::error(at!["event", *event, "set", path], message).at_key());
                    return None;
                }
            }
        }
        let mut problems = validate(&mut table, &schema());
        problems.retain(|problem| problem.path.first() == Some(&Step::from("link")));
        let file: file::Scenario = table.try_into().expect("what the schema accepts can be read");
        let mut context = Context::new(&file, self.profiles, &problems, self.read_file);
        context.value_bytes = self.value_bytes;
        let mut resolved = context.profiles();
        problems.append(&mut context.problems);
        self.value_bytes = context.value_bytes;
        problems.retain(|problem| problem.severity == Severity::Error);
        if !problems.is_empty() {
            for problem in problems {
                let path = self.setting_at(changed, &problem.path);
                self.problems.push(Problem { path, ..problem });
            }
            return None;
        }
        let setting = |name: &String| {
            let config: link::Config = resolved.remove(name)?.config;
            Some(Setting { links: links.get(name)?.clone(), config })
        };
        Some(profiles.iter().filter_map(setting).collect())
    }

    /// Where the value stands that is to blame for a problem at a path: the one that was set there, or the whole event.
    fn setting_at(&self, assignments: Assignments<'_>, path: &Path) -> Path {
        let keys: Vec<&str> = path
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            })
            .collect();
        let spelled = keys.join(".");
        let is_there = |set: &&String| spelled.starts_with(set.as_str()) || set.starts_with(&spelled);
        match assignments.values.keys().find(is_there) {
            Some(set) => at!["event", assignments.event, "set", set],
            None => at!["event", assignments.event, "set"],
        }
    }

    /// The profiles that an event sets values of; `None` if a path leads to none.
    fn profiles_set(&mut self, assignments: Assignments<'_>) -> Option<BTreeSet<String>> {
        let known: BTreeSet<String> = self.profiles.keys().cloned().collect();
        let mut profiles = BTreeSet::new();
        for path in assignments.values.keys() {
            match profile_in(path, &known) {
                Some(name) => drop(profiles.insert(name.clone())),
                None => {
                    let at = at!["event", assignments.event, "set", path];
                    if self.problems.iter().any(|problem| problem.path == at) {
                        return None;
                    }
                    let Some(wanted) = path.strip_prefix("link.") else {
                        let message = match path.as_str() {
                            "link" => "the path is one key, in quotes: \"link.PROFILE.KEY\" = VALUE".to_owned(),
                            _ => format!("`{}` is no value of a link profile", clipped(path)),
                        };
                        self.problems.push(Problem::error(at, message).at_key().help(match known.first() {
                            Some(known) => format!("a path is `link.PROFILE.KEY`: link.{known}.loss, say"),
                            None => "a path is `link.PROFILE.KEY`, and the scenario has no `[link.NAME]`".to_owned(),
                        }));
                        return None;
                    };
                    let wanted = wanted.split('.').next().unwrap_or_default().to_owned();
                    if known.contains(&wanted) {
                        let message = format!("`link.{wanted}` is a whole profile; name one of its values");
                        self.problems
                            .push(Problem::error(at, message).at_key().help(format!("link.{wanted}.loss, say")));
                        return None;
                    }
                    let message = format!("there is no link profile `{}` to set a value of", clipped(&wanted));
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    self.problems.push(Problem::error(at, message).at_key().suggest(&wanted, known));
                    return None;
                }
            }
        }
        if profiles.is_empty() {
            self.error(at!["event", assignments.event, "set"], "it sets no value");
            return None;
        }
        Some(profiles)
    }

    /// The links of each profile: link names are made of what uses them.
    fn links_by_profile(&self, network: &Network) -> BTreeMap<String, Vec<LinkId>> {
        let mut host_links: BTreeMap<String, Option<&Attachment>> = BTreeMap::new();
        for host in &self.file.host {
            let names = host.name.as_ref().and_then(|name| pattern::expand(name, super::network::MAX_HOSTS).ok());
            host_links.extend(names.into_iter().flatten().map(|name| (name, host.link.as_ref())));
        }
        let profile = |link: &str| -> Option<String> {
            let mut parts = link.split('/');
            let (first, second, direction) = (parts.next()?, parts.next()?, parts.next());
            let Some(direction) = direction else {
                let router = self.file.router.iter().find(|router| router.name.as_deref() == Some(first))?;
                return router.link.clone();
            };
            let own = *host_links.get(second)?;
            match own.or(self.file.segment.get(first)?.link.as_ref())? {
                Attachment::Both(name) => Some(name.clone()),
                Attachment::Each(each) => {
                    if direction == "up" {
                        each.up.clone()
                    } else {
                        each.down.clone()
                    }
                }
            }
        };
        let mut links: BTreeMap<String, Vec<LinkId>> = BTreeMap::new();
        for (id, link) in (0..).map(LinkId).zip(network.topology.iter().flat_map(|topology| topology.links())) {
            if let Some(name) = profile(&link.name) {
                links.entry(name).or_default().push(id);
            }
        }
        links
    }
}

/// The profile that a path leads into, to a value of it; names may contain dots.
fn profile_in<'a>(path: &str, known: &'a BTreeSet<String>) -> Option<&'a String> {
    let path = path.strip_prefix("link.")?;
    let leads_into =
        |name: &&String| path.strip_prefix(name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'));
    known.iter().filter(leads_into).max_by_key(|name| name.len())
}
