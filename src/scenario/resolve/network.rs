//! Segments, hosts, routers and NetBIOS names.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::links::{Links, Profiles};
use crate::id::{HostId, SegmentId};
use crate::mailslot::{Limits, NameKind};
use crate::net::{Builder, MAX_INTERFACES, Topology};
use crate::scenario::fault::DEFAULT_DOMAIN;
use crate::scenario::file;
use crate::scenario::model::Host;
use crate::scenario::names::{NameServers, Names};
use crate::scenario::pattern;
use crate::scenario::problem::{Path, Problem, Step, at};
use crate::scenario::quantity::clipped;
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;
use crate::wire::transaction::Layout;

/// The most hosts of a scenario.
pub(super) const MAX_HOSTS: usize = 10_000;
/// The most further names of a host: what a NetBIOS name table holds.
const MAX_NAMES: usize = 64;
/// The most transports of a host: more NetBIOS interfaces than real machines had.
const MAX_TRANSPORTS: u8 = 8;
/// The most crossings of all routers.
const MAX_CROSSINGS: usize = 100_000;

/// The hosts of a scenario and the network between them, as far as they are sound.
pub(super) struct Network {
    pub(super) topology: Option<Topology>,
    pub(super) hosts: Vec<Host>,
    pub(super) names: Names,
    pub(super) name_servers: NameServers,
    /// Whether every host could be read: otherwise an unknown name may be that of one that could not.
    pub(super) complete: bool,
    by_name: BTreeMap<NetbiosName, HostId>,
    spelled: Vec<String>,
}

impl Network {
    /// The host with this name, in any case.
    pub(super) fn host(&self, name: &str) -> Option<HostId> {
        self.by_name.get(&NetbiosName::new(name, SUFFIX_WORKSTATION).ok()?).copied()
    }

    /// The members of a domain.
    pub(super) fn members(&self, domain: &str) -> Option<Vec<HostId>> {
        let domain = NetbiosName::new(domain, SUFFIX_WORKSTATION).ok()?;
        let members = (0..).zip(&self.hosts).filter(|(_, host)| host.domain == domain);
        let members: Vec<HostId> = members.map(|(id, _)| HostId(id)).collect();
        (!members.is_empty()).then_some(members)
    }

    /// The names of all hosts, as they are written; a [`HostId`] is a position here.
    pub(super) fn host_names(&self) -> &[String] {
        &self.spelled
    }

    /// The names of all domains.
    pub(super) fn domain_names(&self) -> Vec<String> {
        let domains: BTreeSet<String> =
            self.hosts.iter().map(|host| String::from_utf8_lossy(host.domain.characters()).into_owned()).collect();
        domains.into_iter().collect()
    }
}

/// What stands in a `[[host]]` entry, for each host that it makes.
struct Entry<'a> {
    index: usize,
    name: String,
    spec: &'a file::Host,
}

type Segments = BTreeMap<String, (SegmentId, Links)>;

impl<'a> Context<'a> {
    pub(super) fn network(&mut self) -> Network {
        let mut profiles = self.profiles();
        let mut builder = Builder::default();
        let segments = self.segments(&mut profiles, &mut builder);
        let (entries, complete) = self.host_entries();
        let mut network = Network {
            topology: None,
            hosts: Vec::new(),
            names: Names::new(),
            name_servers: NameServers::default(),
            complete: complete && !entries.is_empty(),
            by_name: BTreeMap::new(),
            spelled: Vec::new(),
        };
        let domains = self.domains();
        for entry in entries {
            let added = self.add_host(&entry, &segments, &domains, &mut profiles, &mut builder, &mut network);
            network.complete &= added.is_some();
        }
        for domain in self.joined_domains() {
            let bearers = network.names.entry(domain).or_default();
            bearers.group |= bearers.hosts.is_empty(); // what a host is called is no domain, which is said elsewhere
        }
        self.routers(&segments, &mut profiles, &mut builder);
        if self.file.host.is_empty() && !self.is_damaged(at!["host"]) {
            self.problems.push(
                Problem::error(Vec::new(), "the scenario has no host")
                    .help("add `[[host]]` with `name` and `segment`; `mailslot-sim new` prints an example"),
            );
        }
        self.warn_of_unused(&profiles);
        network.topology = match builder.build() {
            Ok(topology) => {
                network.name_servers = NameServers::new(&topology, &network.hosts);
                Some(topology)
            }
            Err(invalid) => {
                self.problems.push(Problem::error(at!["router"], invalid.to_string()).at_key());
                None
            }
        };
        network
    }

    fn segments(&mut self, profiles: &mut Profiles, builder: &mut Builder) -> Segments {
        let mut segments = BTreeMap::new();
        for (name, segment) in &self.file.segment {
            self.check_label(&at!["segment", name], name);
            let links = self.attachment(&at!["segment", name, "link"], segment.link.as_ref(), profiles);
            match builder.segment(name) {
                Ok(id) => drop(segments.insert(name.clone(), (id, links))),
                Err(invalid) => {
                    self.problems.push(Problem::error(at!["segment", name], invalid.to_string()).at_key());
                    break;
                }
            }
        }
        segments
    }

    /// One entry for each host that the file's patterns stand for, and whether all could be read.
    fn host_entries(&mut self) -> (Vec<Entry<'a>>, bool) {
        let file = self.file;
        let mut entries = Vec::new();
        let mut complete = !self.damaged.contains(&at!["host"]);
        for (index, spec) in file.host.iter().enumerate() {
            let Some(pattern) = &spec.name else {
                complete = false;
                continue;
            };
            let names = pattern::expand(pattern, MAX_HOSTS);
            if names.as_ref().is_ok_and(|names| entries.len() + names.len() > MAX_HOSTS) {
                self.error(at!["host", index, "name"], format!("there are more than {MAX_HOSTS} hosts (MAX_HOSTS)"));
                return (Vec::new(), false);
            }
            match names {
                Ok(names) => entries.extend(names.into_iter().map(|name| Entry { index, name, spec })),
                Err(message) => {
                    self.error(at!["host", index, "name"], message);
                    complete = false;
                }
            }
        }
        (entries, complete)
    }

    /// Adds a host; `None` if something about it is wrong.
    fn add_host(
        &mut self,
        entry: &Entry<'_>,
        segments: &Segments,
        domains: &BTreeSet<NetbiosName>,
        profiles: &mut Profiles,
        builder: &mut Builder,
        network: &mut Network,
    ) -> Option<()> {
        let at = |key: &str| at!["host", entry.index, key];
        let computer = self.netbios_name(&at("name"), &entry.name)?;
        let domain_text = entry.spec.domain.as_deref().unwrap_or(DEFAULT_DOMAIN);
        let domain = self.netbios_name(&at("domain"), domain_text)?;
        if network.by_name.contains_key(&computer) {
            self.error(at("name"), format!("a host called `{}` exists already (case does not matter)", entry.name));
            return None;
        }
        if domains.contains(&computer) {
            self.error(at("name"), format!("`{}` is the name of a domain: a host needs another name", entry.name));
            return None;
        }
        if let Some(bearers) = network.names.get(&computer) {
            let other = &network.spelled[bearers.hosts[0].index()];
            self.error(at("name"), format!("`{other}` bears the name {computer} already"));
            return None;
        }
        let mut on = self.segments_of(entry, segments)?.into_iter();
        let own = entry.spec.link.as_ref().map(|own| self.attachment(&at("link"), Some(own), profiles));
        let links = |(segment, links): &(SegmentId, Links)| (*segment, own.clone().unwrap_or_else(|| links.clone()));
        let (segment, (up, down)) = links(on.next().expect("it is on one at least"));
        let id = match builder.host(&entry.name, segment, up, down) {
            Ok(id) => id,
            Err(invalid) => {
                self.error(at("segment"), invalid.to_string());
                return None;
            }
        };
        for (segment, (up, down)) in on.map(links) {
            if let Err(invalid) = builder.attach(id, segment, up, down) {
                self.error(at("segment"), invalid.to_string());
            }
        }
        let names = self.further_names(entry, domains, network);
        let datagram_errors = entry.spec.datagram_errors.unwrap_or(false);
        network.by_name.insert(computer, id);
        network.spelled.push(entry.name.clone());
        bear(&mut network.names, computer, false, id);
        bear(&mut network.names, domain, true, id);
        names.iter().for_each(|name| bear(&mut network.names, *name, is_group(*name, domains), id));
        let transports = entry.spec.transports.unwrap_or(1);
        if !(1..=MAX_TRANSPORTS).contains(&transports) {
            self.error(at("transports"), format!("a host has 1 to {MAX_TRANSPORTS} transports (MAX_TRANSPORTS)"));
        }
        let layout = match entry.spec.layout {
            None | Some(file::LayoutName::Windows) => Layout::Windows,
            Some(file::LayoutName::Samba) => Layout::Samba,
        };
        let fragments = entry.spec.fragments.unwrap_or(false);
        let limits = Limits {
            api_424: entry.spec.api_424.unwrap_or(Limits::default().api_424),
            hole_425_426: entry.spec.hole_425_426.unwrap_or(Limits::default().hole_425_426),
        };
        if limits.api_424 && limits.hole_425_426 {
            self.warning(
                at("hole_425_426"),
                "the API sends at most 424 B in any case: it matters with api_424 = false",
            );
        }
        let remote_mailslots_disabled = entry.spec.remote_mailslots_disabled.unwrap_or(false);
        let kind = |name: NetbiosName| if is_group(name, domains) { NameKind::Group } else { NameKind::Unique };
        network.hosts.push(Host {
            computer,
            domain,
            names: names.into_iter().map(|name| (name, kind(name))).collect(),
            wins: entry.spec.wins.unwrap_or(false),
            datagram_errors,
            transports,
            fragments,
            layout,
            limits,
            remote_mailslots_disabled,
        });
        Some(())
    }

    /// The segments of a host, and how hosts are attached to them; `None` if one is not right, or there is none.
    fn segments_of<'s>(&mut self, entry: &Entry<'_>, segments: &'s Segments) -> Option<Vec<&'s (SegmentId, Links)>> {
        let at = at!["host", entry.index, "segment"];
        let names: Vec<(Path, &String)> = match entry.spec.segment.as_ref()? {
            file::Segments::One(name) => vec![(at.clone(), name)],
            file::Segments::Several(names) => {
                let place = |number| [&at[..], &[Step::Index(number)]].concat();
                names.iter().enumerate().map(|(number, name)| (place(number), name)).collect()
            }
        };
        if self.problems.iter().any(|problem| problem.path.starts_with(&at)) {
            return None; // others of the entry had the same
        }
        if !(1..=MAX_INTERFACES).contains(&names.len()) {
            self.error(at, format!("a host is on 1 to {MAX_INTERFACES} segments (MAX_INTERFACES)"));
            return None;
        }
        let mut found = Vec::new();
        for (position, (at, name)) in names.iter().enumerate() {
            if names[..position].iter().any(|(_, earlier)| earlier == name) {
                self.error(at.clone(), format!("`{name}` is listed twice"));
            } else if let Some(segment) = segments.get(*name) {
                found.push(segment);
            } else if !self.is_damaged(at!["segment", *name]) && !self.file.segment.contains_key(*name) {
                let message = format!("there is no segment `{}`", clipped(name));
                self.unknown_name(at.clone(), message, name, || segments.keys().cloned().collect());
            }
        }
        (found.len() == names.len()).then_some(found)
    }

    /// The names of all domains that hosts are in at first.
    fn domains(&self) -> BTreeSet<NetbiosName> {
        let spelled = self.file.host.iter().map(|host| host.domain.as_deref().unwrap_or(DEFAULT_DOMAIN));
        spelled.filter_map(|domain| NetbiosName::new(domain, SUFFIX_WORKSTATION).ok()).collect()
    }

    /// The names of the domains that hosts join later.
    fn joined_domains(&self) -> BTreeSet<NetbiosName> {
        let joined = self.file.event.iter().filter_map(|event| event.join.as_ref()?.domain.as_deref());
        let left = self.file.event.iter().filter(|event| event.leave.is_some()).map(|_| DEFAULT_DOMAIN);
        joined.chain(left).filter_map(|domain| NetbiosName::new(domain, SUFFIX_WORKSTATION).ok()).collect()
    }

    /// The name of a computer or domain: what Windows allows, less what paths and patterns need.
    pub(super) fn netbios_name(&mut self, at: &Path, text: &str) -> Option<NetbiosName> {
        let refused = text.chars().find(|c| c.is_ascii() && (r#"\/:*?"<>|{} ,"#.contains(*c) || c.is_control()));
        let name = match refused {
            Some(odd) if odd.is_control() => Err(format!("`{}` has a control character", clipped(text))),
            Some(odd) => Err(format!("`{}` is not a NetBIOS name: it has a `{odd}`", clipped(text))),
            None => {
                NetbiosName::new(text, SUFFIX_WORKSTATION).map_err(|invalid| format!("`{}`: {invalid}", clipped(text)))
            }
        };
        name.map_err(|message| self.error(at.clone(), message)).ok()
    }

    /// The further names of a host. A unique name has one bearer.
    fn further_names(
        &mut self,
        entry: &Entry<'_>,
        domains: &BTreeSet<NetbiosName>,
        network: &Network,
    ) -> Vec<NetbiosName> {
        let mut names: Vec<NetbiosName> = Vec::new();
        if entry.spec.names.as_ref().is_some_and(|names| names.len() > MAX_NAMES) {
            let at = at!["host", entry.index, "names"];
            if !self.problems.iter().any(|problem| problem.path == at) {
                self.error(at, format!("a host bears at most {MAX_NAMES} further names (MAX_NAMES)"));
            }
            return names;
        }
        for (position, text) in entry.spec.names.iter().flatten().enumerate() {
            let at = at!["host", entry.index, "names", position];
            match text.parse() {
                Ok(name) if names.contains(&name) => self.error(at, format!("`{text}` is listed twice")),
                Ok(name) if !is_group(name, domains) && network.names.contains_key(&name) => {
                    let other = &network.spelled[network.names[&name].hosts[0].index()];
                    let message = format!("{name} is a unique name, and `{other}` bears it already");
                    if !self.problems.iter().any(|problem| problem.path == at) {
                        self.error(at, message);
                    }
                }
                Ok(name) => names.push(name),
                Err(invalid) => self.error(at, format!("`{text}`: {invalid}")),
            }
        }
        names
    }

    fn routers(&mut self, segments: &Segments, profiles: &mut Profiles, builder: &mut Builder) {
        let mut names = BTreeSet::new();
        let mut crossings = 0;
        for (index, router) in self.file.router.iter().enumerate() {
            let at = |key: &str| at!["router", index, key];
            let link = self.profile(&at("link"), router.link.as_ref(), profiles);
            let (Some(name), Some(joins)) = (&router.name, &router.joins) else { continue };
            if self.check_label(&at("name"), name) && !names.insert(name) {
                self.error(at("name"), format!("a router called `{name}` exists already"));
            }
            let mut joined = Vec::new();
            for (position, segment) in joins.iter().enumerate() {
                match segments.get(segment) {
                    Some((id, _)) if joined.contains(id) => {
                        self.error(at!["router", index, "joins", position], format!("`{segment}` is listed twice"));
                    }
                    Some((id, _)) => joined.push(*id),
                    None if self.file.segment.contains_key(segment) => {} // one too many, which is known already
                    None => {
                        let at = at!["router", index, "joins", position];
                        let message = format!("there is no segment `{}`", clipped(segment));
                        self.unknown_name(at, message, segment, || segments.keys().cloned().collect());
                    }
                }
            }
            if joins.len() < 2 {
                self.error(at("joins"), "a router joins two segments or more");
            }
            crossings += joined.len() * joined.len().saturating_sub(1);
            if crossings > MAX_CROSSINGS {
                self.error(
                    at("joins"),
                    format!("the routers have more than {MAX_CROSSINGS} crossings (MAX_CROSSINGS)"),
                );
                return;
            }
            match router.forward_broadcast {
                Some(true) => builder.forwarding_router(name, &joined, link),
                _ => builder.router(name, &joined, link),
            }
        }
    }
}

/// Takes note that a host bears a name.
pub(super) fn bear(names: &mut Names, name: NetbiosName, group: bool, host: HostId) {
    let bearers = names.entry(name).or_default();
    bearers.group = group;
    if let Err(position) = bearers.hosts.binary_search(&host) {
        bearers.hosts.insert(position, host);
    }
}

/// Whether a name is that of a group: a domain's, or by its suffix (MS-BRWS 2.1.1) 1E elections, 1C domain controllers,
/// 01 master browsers, and 1D, which MS-BRWS makes unique on each subnet and Samba addresses as a group (a choice).
fn is_group(name: NetbiosName, domains: &BTreeSet<NetbiosName>) -> bool {
    matches!(name.suffix(), 0x01 | 0x1C | 0x1D | 0x1E) || domains.contains(&name)
}
