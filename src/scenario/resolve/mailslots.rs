//! Mailslots and the programs that read them.

use std::collections::BTreeMap;

use super::Context;
use super::network::Network;
use crate::id::HostId;
use crate::mailslot::SlotName;
use crate::scenario::app::App;
use crate::scenario::file;
use crate::scenario::model::{Mailslot, Reader};
use crate::scenario::problem::{Path, Problem, at};
use crate::time::Duration;

/// The most mailslots on all hosts together.
pub(super) const MAX_MAILSLOTS: usize = 100_000;

impl Context<'_> {
    /// All mailslots, by host and name; those that apps have open too.
    pub(super) fn mailslots(&mut self, network: &Network, apps: &[App]) -> Vec<Mailslot> {
        let of_apps = of_apps(apps);
        let mut mailslots: BTreeMap<(HostId, SlotName), Mailslot> =
            of_apps.keys().map(|(host, name)| ((*host, name.clone()), plain(*host, name.clone()))).collect();
        for (index, spec) in self.file.mailslot.iter().enumerate() {
            let at = |key: &str| at!["mailslot", index, key];
            let reader = self.reader(&at("reader"), spec.reader.as_ref());
            if spec.queue_limit == Some(0) {
                self.error(at("queue_limit"), "a queue limit of 0 would refuse every message");
            }
            let hosts = spec.on.as_ref().map_or(Vec::new(), |on| self.hosts_called(&at("on"), on, network));
            let Some(name) = spec.name.as_ref().and_then(|name| self.slot_name(&at("name"), name)) else { continue };
            if mailslots.len() + hosts.len() > MAX_MAILSLOTS {
                self.error(at("on"), format!("there are more than {MAX_MAILSLOTS} mailslots (MAX_MAILSLOTS)"));
                break;
            }
            for host in hosts {
                let mailslot = Mailslot {
                    host,
                    name: name.clone(),
                    max_message_size: spec.max_message_size.map_or(0, |size| size.0),
                    queue_limit: spec.queue_limit,
                    reader,
                    starts_closed: spec.open == Some(false),
                };
                let key = (host, name.clone());
                let host = &network.host_names()[host.index()];
                if let Some(app) = of_apps.get(&key) {
                    let message = format!("the app `{app}` has the mailslot `{name}` on `{host}` open already");
                    self.problems.push(Problem::error(at("name"), message).help("it is open by itself: take this out"));
                    break;
                }
                if mailslots.insert(key, mailslot).is_some() {
                    self.error(
                        at("name"),
                        format!("`{host}` has a mailslot called `{name}` already (case does not matter)"),
                    );
                    break;
                }
            }
        }
        mailslots.into_values().collect()
    }

    pub(super) fn slot_name(&mut self, at: &Path, name: &str) -> Option<SlotName> {
        if name.starts_with('\\') {
            let problem =
                Problem::error(at.clone(), format!("`{name}` is a path; a mailslot is created by its name alone"));
            let leaf = name.to_ascii_lowercase().find(r"\mailslot\").map(|at| &name[at + r"\mailslot\".len()..]);
            self.problems.push(match leaf {
                Some(leaf) => problem.help(format!("write '{leaf}'")),
                None => problem,
            });
            return None;
        }
        super::wire_slot(name).map_err(|invalid| self.error(at.clone(), format!("`{name}`: {invalid}"))).ok()
    }

    fn reader(&mut self, at: &Path, reader: Option<&file::Reader>) -> Reader {
        let timed = match reader {
            None | Some(file::Reader::Habit(file::ReaderHabit::Wait)) => return Reader::Wait,
            Some(file::Reader::Habit(file::ReaderHabit::Never)) => return Reader::Never,
            Some(file::Reader::Timed(timed)) => timed,
        };
        match (timed.poll, timed.service_time) {
            (Some(interval), None) if interval.0 == Duration::ZERO => {
                self.error(at.clone(), "a program cannot poll every 0 s; `reader = \"wait\"` reads at once");
                Reader::Wait
            }
            (Some(interval), None) => Reader::Poll(interval.0),
            (None, Some(time)) => Reader::ServiceTime(time.0),
            _ => {
                let message = "a reader is \"wait\", \"never\", { poll = TIME } or { service_time = TIME }";
                self.error(at.clone(), message);
                Reader::Wait
            }
        }
    }
}

/// The mailslots that apps have open, and the name of the app.
fn of_apps(apps: &[App]) -> BTreeMap<(HostId, SlotName), &str> {
    let of_app = |app: &App| {
        let name = |name: &&str| SlotName::new(name).expect("an app's mailslots have well-formed names");
        let slots: Vec<SlotName> = app.kind.mailslots().iter().map(name).collect();
        app.hosts.iter().flat_map(|host| slots.iter().map(|slot| (*host, slot.clone()))).collect::<Vec<_>>()
    };
    apps.iter().flat_map(|app| of_app(app).into_iter().map(|slot| (slot, app.name.as_str()))).collect()
}

/// A mailslot that takes everything, and is read at once.
fn plain(host: HostId, name: SlotName) -> Mailslot {
    Mailslot { host, name, max_message_size: 0, queue_limit: None, reader: Reader::Wait, starts_closed: false }
}
