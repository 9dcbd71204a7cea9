//! Programs that run on hosts.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::network::{Network, bear};
use crate::id::HostId;
use crate::mailslot::NameKind;
use crate::scenario::app::{App, AppKind};
use crate::scenario::file;
use crate::scenario::problem::{Problem, at};

/// The most `[[app]]` entries.
const MAX_APPS: usize = 1_000;

impl Context<'_> {
    /// All apps, whose hosts bear the names that they need from then on.
    pub(super) fn apps(&mut self, network: &mut Network) -> Vec<App> {
        let file = self.file;
        let flows: BTreeSet<&str> = file.traffic.iter().filter_map(|flow| flow.name.as_deref()).collect();
        let mut apps: Vec<App> = Vec::new();
        let mut runs: BTreeMap<(AppKind, HostId), String> = BTreeMap::new();
        for (index, spec) in file.app.iter().enumerate() {
            let at = |key: &str| at!["app", index, key];
            if index == MAX_APPS {
                self.error(at!["app", index], format!("there are more than {MAX_APPS} apps (MAX_APPS)"));
                break;
            }
            let mut hosts = spec.on.as_ref().map_or(Vec::new(), |on| self.hosts_called(&at("on"), on, network));
            hosts.sort();
            let (Some(kind), Some(name)) = (kind(spec), name(spec)) else { continue };
            let name = name.to_owned();
            if self.check_label(&at("name"), &name) {
                let other = if flows.contains(&*name) { Some("a flow") } else { None };
                let other = other.or(apps.iter().any(|app| app.name == name).then_some("an app"));
                if let Some(other) = other {
                    let problem = Problem::error(at("name"), format!("{other} called `{name}` exists already"));
                    self.problems.push(match spec.name {
                        Some(_) => problem,
                        None => problem.help("give this app a `name` of its own"),
                    });
                }
            }
            for host in &hosts {
                if let Some(other) = runs.insert((kind, *host), name.clone()) {
                    let host = &network.host_names()[host.index()];
                    let message = format!("`{host}` runs a program of the kind `{}` already", kind.name());
                    self.problems.push(Problem::error(at("on"), message).help(format!("that of the app `{other}`")));
                    break;
                }
            }
            self.refuse_multi_homed_hosts(index, &hosts, network);
            self.warn_of_deaf_hosts(index, &hosts, network);
            hosts.iter().for_each(|host| register(kind, *host, network));
            apps.push(App { name, kind, hosts });
        }
        if let (Some(service), false) = (file.name_service, apps.is_empty())
            && service != file::NameService::Static
        {
            let message = "the programs of `[[app]]` find names with \"static\" only";
            self.error(at!["name_service"], message);
        }
        apps
    }

    /// Hosts on several segments would be in an election on each.
    fn refuse_multi_homed_hosts(&mut self, index: usize, hosts: &[HostId], network: &Network) {
        let topology = network.topology.as_ref();
        let is_multi_homed = |host: &&HostId| topology.is_some_and(|it| it.host(**host).interfaces() > 1);
        if let Some(host) = hosts.iter().find(is_multi_homed) {
            let host = &network.host_names()[host.index()];
            let message = format!("`{host}` is on several segments, and a program runs on one");
            let help = "have a host on each segment run one";
            self.problems.push(Problem::error(at!["app", index, "on"], message).help(help));
        }
    }

    /// Hosts on which a policy turns remote mailslots off.
    fn warn_of_deaf_hosts(&mut self, index: usize, hosts: &[HostId], network: &Network) {
        let deaf = hosts.iter().find(|host| network.hosts[host.index()].remote_mailslots_disabled);
        if let Some(host) = deaf
            && self.is_sound()
        {
            let host = &network.host_names()[host.index()];
            let message = format!("remote mailslots are disabled on `{host}`: its program neither hears nor is heard");
            self.warning(at!["app", index, "on"], message);
        }
    }
}

fn kind(spec: &file::App) -> Option<AppKind> {
    spec.kind.map(|file::AppKind::Browser| AppKind::Browser)
}

/// The name of an app in reports, if the file says enough.
pub(super) fn name(spec: &file::App) -> Option<&str> {
    spec.name.as_deref().or(kind(spec).map(AppKind::name))
}

/// Has a host bear the names of its group that a program needs; those that it bears at times resolve to a group.
fn register(kind: AppKind, host: HostId, network: &mut Network) {
    let Network { hosts, names, .. } = network;
    let spec = &mut hosts[host.index()];
    let (always, at_times) = kind.suffixes();
    for name in always.iter().map(|suffix| spec.domain.with_suffix(*suffix)) {
        bear(names, name, true, host);
        if !spec.names.iter().any(|(known, _)| *known == name) {
            spec.names.push((name, NameKind::Group));
        }
    }
    for name in at_times.iter().map(|suffix| spec.domain.with_suffix(*suffix)) {
        names.entry(name).or_default().group = true;
    }
}
