//! From the file to the checked scenario: everything that needs more than one value to be judged.
//!
//! Problems are collected, not thrown: a wrong value is left out and the rest is checked on. What depends on something
//! that was left out is not complained about a second time.

mod ack;
mod apps;
mod capture;
mod delay;
mod events;
mod expectations;
mod links;
mod loss;
mod mailslots;
mod network;
mod outlook;
mod phases;
mod settings;
mod study;
mod traffic;
mod values;

use std::collections::BTreeSet;
use std::io;

use self::network::Network;
use super::app::App;
use super::fault::Event;
use super::file;
use super::model::{Expectation, Flow, Mailslot, NameService, Phase, Scenario};
use super::names::Bearers;
use super::problem::{MAX_PROBLEMS_SHOWN, Override, Path, Problem, Severity, Step, at};
use super::quantity::clipped;
use super::study::Parts;
use crate::id::HostId;
use crate::mailslot::{InvalidPath, SlotName};
use crate::names::{MAX_DATABASE, MAX_MEMBERS, SUFFIX_INTERNET_GROUP};
use crate::time::Duration;
use crate::wire::NetbiosName;

/// Reads a file that a scenario names; paths are relative to the scenario.
pub type ReadFile<'a> = &'a (dyn Fn(&str) -> io::Result<Vec<u8>> + Sync);

/// The scenario with its study, unless something is wrong with it, and all that is. `given` is the whole document, with
/// what was set from outside.
pub(super) fn resolve(
    file: &file::Scenario,
    profiles: &toml::Table,
    formal: &[Problem],
    read_file: ReadFile<'_>,
    given: (&toml::Table, &[Override]),
) -> (Option<(Scenario, Parts)>, Vec<Problem>) {
    let mut context = Context::new(file, profiles, formal, read_file);
    let scenario = context.scenario();
    let study = context.study(given.0, given.1);
    let both = scenario.zip(study).filter(|_| context.is_sound());
    (both, context.problems)
}

/// What is being checked, and what was found.
struct Context<'a> {
    file: &'a file::Scenario,
    /// The link profiles as values, which events may set.
    profiles: &'a toml::Table,
    /// Where the form of the file is wrong, which is known already.
    damaged: BTreeSet<Path>,
    read_file: ReadFile<'a>,
    /// Bytes of all captures so far.
    capture_bytes: usize,
    /// Bytes of all files with values so far.
    value_bytes: usize,
    problems: Vec<Problem>,
}

impl<'a> Context<'a> {
    fn new(file: &'a file::Scenario, profiles: &'a toml::Table, formal: &[Problem], read_file: ReadFile<'a>) -> Self {
        let damaged = formal.iter().map(|problem| problem.path.clone()).collect();
        Context { file, profiles, damaged, read_file, capture_bytes: 0, value_bytes: 0, problems: Vec::new() }
    }
}

impl Context<'_> {
    fn scenario(&mut self) -> Option<Scenario> {
        let name = self.name();
        let seed = self.seed();
        let duration = self.file.duration.map(|time| time.0);
        let drain = self.file.drain.map_or(DEFAULT_DRAIN, |time| time.0);
        self.version();
        if duration == Some(Duration::ZERO) {
            self.error(at!["duration"], "the duration is 0: nothing would be written");
        }
        let mut network = self.network();
        let apps: Vec<App> = self.apps(&mut network);
        let name_service = self.name_service(&network);
        let mailslots: Vec<Mailslot> = self.mailslots(&network, &apps);
        let flows: Vec<Flow> = self.flows(&network, &mailslots, duration);
        let mailslots = self.reply_slots(&flows, &network, mailslots);
        let phases: Vec<Phase> = self.phases(&flows, duration);
        let expectations: Vec<Expectation> = self.expectations();
        let events: Vec<Event> = self.events(&network, &mailslots, &apps, duration.map(|duration| duration + drain));
        let scenario = Scenario {
            name: name?,
            description: self.file.description.clone().unwrap_or_default(),
            seed: seed?,
            duration: duration?,
            drain,
            name_service,
            topology: network.topology?,
            hosts: network.hosts,
            mailslots,
            flows,
            phases,
            apps,
            expectations,
            events,
            names: network.names,
            name_servers: network.name_servers,
        };
        self.check_repliers(&scenario);
        Some(scenario)
    }

    fn version(&mut self) {
        if let Some(version) = self.file.schema.filter(|version| *version != 1) {
            self.error(
                at!["schema"],
                format!("version {version} of the format is unknown; this program reads version 1"),
            );
        }
    }

    /// The name service, which may need a name server.
    fn name_service(&mut self, network: &Network) -> NameService {
        let name_service = match self.file.name_service {
            None | Some(file::NameService::Static) => NameService::Static,
            Some(file::NameService::Broadcast) => NameService::Broadcast,
            Some(file::NameService::Wins) => NameService::Wins,
        };
        let refused = |path: &Path| {
            path.first() == Some(&Step::Key("name_service".into())) || path.last() == Some(&Step::Key("wins".into()))
        };
        if self.damaged.iter().any(refused) {
            return name_service;
        }
        let server = self.file.host.iter().position(|host| host.wins == Some(true));
        match (name_service, server) {
            (NameService::Wins, None) if network.complete => {
                let problem = Problem::error(at!["name_service"], "there is no name server to ask");
                self.problems.push(problem.help("let a host be one: wins = true"));
            }
            (NameService::Static | NameService::Broadcast, Some(server)) => {
                let message =
                    "nobody asks a name server here: that needs name_service = \"wins\" at the top of the file";
                self.warning(at!["host", server, "wins"], message);
            }
            _ => {}
        }
        let crowded = |(name, bearers): &(&NetbiosName, &Bearers)| {
            name.suffix() == SUFFIX_INTERNET_GROUP && bearers.hosts.len() > MAX_MEMBERS
        };
        if name_service == NameService::Wins
            && let Some((name, bearers)) = network.names.iter().find(crowded)
        {
            let count = bearers.hosts.len();
            let message = format!("{count} hosts bear {name}; a name server lists at most {MAX_MEMBERS} (MAX_MEMBERS)");
            self.error(at!["name_service"], message);
        }
        if name_service == NameService::Wins && network.names.len() > MAX_DATABASE {
            let count = network.names.len();
            let message =
                format!("the hosts bear {count} names; a name server knows at most {MAX_DATABASE} (MAX_DATABASE)");
            self.error(at!["name_service"], message);
        }
        name_service
    }

    fn name(&mut self) -> Option<String> {
        let name = self.file.name.as_ref()?;
        self.check_label(&at!["name"], name).then(|| name.clone())
    }

    fn seed(&mut self) -> Option<u64> {
        let Some(seed) = &self.file.seed else { return Some(0) };
        let number = seed.parse().ok().filter(|_| seed.bytes().all(|byte| byte.is_ascii_digit()));
        if number.is_none() {
            self.error(at!["seed"], format!("`{seed}` is not a whole number from 0 to {}", u64::MAX));
        }
        number
    }

    /// Checks a name that becomes part of link names, paths and file names.
    fn check_label(&mut self, path: &Path, name: &str) -> bool {
        let well_formed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > MAX_LABEL || !name.chars().all(well_formed) {
            let what = format!("a name: 1 to {MAX_LABEL} letters, digits, `.`, `_` or `-`");
            let message = format!("`{}` is not {what}", clipped(name));
            self.error(path.clone(), message);
            return false;
        }
        true
    }

    /// The hosts that a text stands for: a host, a pattern, or `\\DOMAIN`. Problems are reported at `path`.
    fn hosts_called(&mut self, path: &Path, text: &str, network: &Network) -> Vec<HostId> {
        let hosts = match text.strip_prefix(r"\\") {
            Some(domain) => network.members(domain).ok_or(domain.to_owned()),
            None => match super::pattern::expand(text, network::MAX_HOSTS) {
                Ok(names) => names.into_iter().map(|name| network.host(&name).ok_or(name)).collect(),
                Err(message) => {
                    self.error(path.clone(), message);
                    return Vec::new();
                }
            },
        };
        hosts.unwrap_or_else(|unknown| {
            if network.complete {
                let is_domain = text.starts_with(r"\\");
                let what = if is_domain { "is in the domain" } else { "is called" };
                let message = format!("no host {what} `{}`", clipped(&unknown));
                let bare = unknown.trim_start_matches('\\');
                let help = if is_domain && network.host(bare).is_some() {
                    format!("`{bare}` is a host: write \"{bare}\"")
                } else if !is_domain && network.members(bare).is_some() {
                    format!(r"a domain is written with two backslashes, in single quotes: '\\{bare}'")
                } else {
                    let known = || if is_domain { network.domain_names() } else { network.host_names().to_vec() };
                    self.unknown_name(path.clone(), message, &unknown, known);
                    return Vec::new();
                };
                self.problems.push(Problem::error(path.clone(), message).help(help));
            }
            Vec::new()
        })
    }

    /// Whether a problem of the form was found in this entry, or in what it is part of: then what it lacks is known
    /// already.
    fn is_damaged(&self, entry: impl AsRef<[Step]>) -> bool {
        let entry = entry.as_ref();
        let below = self.damaged.range(entry.to_vec()..).next().is_some_and(|path| path.starts_with(entry));
        below || (1..entry.len()).any(|length| self.damaged.contains(&entry[..length]))
    }

    /// Whether nothing was refused so far: warnings about what is missing make sense only then.
    fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.problems.iter().all(|problem| problem.severity == Severity::Warning)
    }

    /// A name that nobody bears. Beyond the problems that are shown there is no search for similar ones, which takes
    /// time.
    fn unknown_name(&mut self, path: Path, message: String, name: &str, known: impl FnOnce() -> Vec<String>) {
        let problem = Problem::error(path, message);
        let is_shown = self.problems.len() < MAX_PROBLEMS_SHOWN && name.len() <= MAX_LABEL;
        let known = if is_shown { known() } else { Vec::new() };
        self.problems.push(problem.suggest(name, known.iter().map(String::as_str)));
    }

    fn error(&mut self, path: Path, message: impl Into<String>) {
        self.problems.push(Problem::error(path, message));
    }

    fn warning(&mut self, path: Path, message: impl Into<String>) {
        self.problems.push(Problem::warning(path, message));
    }
}

/// The name of a mailslot that a datagram can carry.
fn wire_slot(name: &str) -> Result<SlotName, InvalidPath> {
    let slot = SlotName::new(name)?;
    slot.to_wire().map(|_| slot)
}

const DEFAULT_DRAIN: Duration = Duration::from_secs(10);
/// The most characters of a name of ours.
const MAX_LABEL: usize = 64;
