//! What can be said beforehand about the fate of a flow: messages that nobody can receive, writes that will fail. These
//! are warnings, since to study them is what the program is for.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::network::Network;
use crate::id::{HostId, SegmentId};
use crate::net::Topology;
use crate::scenario::app::is_borne_at_times;
use crate::scenario::file;
use crate::scenario::model::{Flow, Host, Mailslot, Target, find_mailslot};
use crate::scenario::problem::{Path, Problem, at};
use crate::wire::NetbiosName;

impl Context<'_> {
    /// Warns of what will not arrive, or not even be sent; not while errors make the picture incomplete.
    pub(super) fn outlook(&mut self, index: usize, flow: &Flow, network: &Network, mailslots: &[Mailslot]) {
        if !self.is_sound() {
            return;
        }
        let spec = &self.file.traffic[index];
        let key = if spec.capture.is_some() { "capture" } else { "to" };
        let at_size = if spec.size.is_some() { at!["traffic", index, "size"] } else { at!["traffic", index, key] };
        let mut targets: BTreeMap<&Target, BTreeSet<HostId>> = BTreeMap::new();
        for (sender, to) in flow.messages().into_keys() {
            targets.entry(to).or_default().insert(sender);
        }
        for (to, senders) in targets {
            let recipients = self.possible_recipients(to, &senders, network);
            let declared: Vec<&Mailslot> = recipients
                .iter()
                .filter_map(|host| find_mailslot(mailslots, *host, to.slot()).map(|position| &mailslots[position]))
                .collect();
            let at_times = matches!(to, Target::Named { name, .. } if is_borne_at_times(&network.names, name));
            if declared.is_empty() && !at_times {
                self.warn_of_missing_slot(at!["traffic", index, key], to, &recipients, mailslots);
            }
            self.warn_of_policy(&at!["traffic", index, key], to, &senders, &recipients, network);
            self.warn_of_size(&at_size, to, flow.sizes(), &senders, network);
            self.warn_of_slot_limit(&at_size, to, flow.sizes(), &declared);
            if !self.warn_of_silent_server(at!["traffic", index, key], to, &senders, network) {
                self.warn_of_no_way(at!["traffic", index, key], to, &senders, network);
            }
        }
    }

    /// The hosts that a target can stand for, whether or not they declare the slot: those that join a domain later too.
    fn possible_recipients(&self, to: &Target, senders: &BTreeSet<HostId>, network: &Network) -> BTreeSet<HostId> {
        let in_domain = |domain: &NetbiosName| {
            let moves = |event: &&file::Event| event.join.is_some() || event.leave.is_some();
            // Who moves at all may be anywhere: what is warned of here is what nobody can get.
            let movers = self.file.event.iter().any(|event| moves(&event));
            let everybody = (0..network.hosts.len() as u32).map(HostId).filter(move |_| movers);
            network.names[domain].hosts.iter().copied().chain(everybody).collect::<Vec<_>>()
        };
        match to {
            Target::Local(_) => senders.clone(),
            Target::Named { name, .. } if network.names[name].group => in_domain(name).into_iter().collect(),
            Target::Named { name, .. } => network.names[name].hosts.iter().copied().collect(),
            Target::PrimaryDomain(_) => {
                let domains: BTreeSet<_> = senders.iter().map(|sender| network.hosts[sender.index()].domain).collect();
                domains.iter().flat_map(in_domain).collect()
            }
        }
    }

    fn warn_of_missing_slot(&mut self, at: Path, to: &Target, recipients: &BTreeSet<HostId>, mailslots: &[Mailslot]) {
        let names: BTreeSet<String> = mailslots
            .iter()
            .filter(|mailslot| recipients.contains(&mailslot.host))
            .map(|mailslot| mailslot.name.to_string())
            .collect();
        let slot = to.slot();
        let what = match to {
            Target::Local(_) => "the writes will fail with ERROR_FILE_NOT_FOUND (2)",
            _ => "the writes will succeed, and nobody will receive them",
        };
        let problem = Problem::warning(at, format!("no host there has a mailslot called `{slot}`: {what}"));
        self.problems.push(problem.suggest(&slot.to_string(), names.iter().map(String::as_str)));
    }

    /// A policy that turns remote mailslots off, at a sender or at a recipient.
    fn warn_of_policy(
        &mut self,
        at: &Path,
        to: &Target,
        senders: &BTreeSet<HostId>,
        recipients: &BTreeSet<HostId>,
        network: &Network,
    ) {
        let disabled = |host: &&HostId| network.hosts[host.index()].remote_mailslots_disabled;
        let named = |hosts: &[&HostId]| match hosts {
            [] => None,
            [only] => Some(format!("`{}`", network.host_names()[only.index()])),
            [first, more @ ..] => Some(format!("`{}` and {} more", network.host_names()[first.index()], more.len())),
        };
        if matches!(to, Target::Local(_)) {
            return;
        }
        let silenced: Vec<&HostId> = senders.iter().filter(disabled).collect();
        if let Some(names) = named(&silenced) {
            let message = format!("remote mailslots are disabled on {names}");
            self.warning(at.clone(), format!("{message}: writes to other machines and domains fail there with 3025"));
        }
        let is_heard = |host: &&HostId| senders.iter().any(|sender| sender != *host && !silenced.contains(&sender));
        let deaf: Vec<&HostId> = recipients.iter().filter(disabled).filter(is_heard).collect();
        if let Some(names) = named(&deaf) {
            let message = format!("remote mailslots are disabled on {names}");
            self.warning(at.clone(), format!("{message}: what others send is dropped there without a word"));
        }
    }

    fn warn_of_size(
        &mut self,
        at: &Path,
        to: &Target,
        (smallest, largest): (u32, u32),
        senders: &BTreeSet<HostId>,
        network: &Network,
    ) {
        if matches!(to, Target::Local(_)) {
            return;
        }
        let characters = to.slot().characters();
        let hosts = || senders.iter().map(|sender| &network.hosts[sender.index()]);
        let longest = |host: &Host| host.limits.longest(host.layout, characters).map(|most| most as u32);
        let strictest = senders.iter().min_by_key(|sender| longest(&network.hosts[sender.index()]));
        let Some(strictest) = strictest.map(|sender| sender.index()) else { return };
        let every_sender = hosts().all(|host| longest(host) == longest(&network.hosts[strictest]));
        let of = if every_sender { String::new() } else { format!(" of `{}`", network.host_names()[strictest]) };
        let layout = network.hosts[strictest].layout;
        match longest(&network.hosts[strictest]) {
            None => {
                let message = "no datagram can hold the name of this mailslot";
                self.warning(at.clone(), format!("{message}: every write will fail with ERROR_BAD_NETPATH (53)"));
            }
            Some(most) if largest > most => {
                let message = match layout.max_data(characters) {
                    Some(wire) if wire as u32 > most => format!("the API sends at most {most} B (api_424)"),
                    _ => format!("a datagram to this mailslot holds at most {most} B"),
                };
                let which = which(smallest, most);
                self.warning(at.clone(), format!("{message}: {which}{of} will fail with ERROR_BAD_NETPATH (53)"));
            }
            Some(_) => {}
        }
        let has_hole = |host: &Host| !host.limits.api_424 && host.limits.hole_425_426;
        if hosts().any(has_hole) && smallest <= 426 && largest >= 425 {
            self.warning(at.clone(), "writes of 425 and 426 B will fail with ERROR_BAD_NETPATH (53): hole_425_426");
        }
    }

    fn warn_of_slot_limit(&mut self, at: &Path, to: &Target, (smallest, largest): (u32, u32), declared: &[&Mailslot]) {
        let limits = declared.iter().map(|mailslot| mailslot.max_message_size).filter(|max| (1..largest).contains(max));
        if let Some(limit) = limits.min() {
            let what = match to {
                Target::Local(_) => format!("{} will fail with ERROR_INVALID_PARAMETER (87)", which(smallest, limit)),
                _ => "longer messages will be dropped without a word".to_owned(),
            };
            self.warning(at.clone(), format!("the mailslot takes at most {limit} B: {what}"));
        }
    }

    /// Warns of a name server that a sender cannot reach, if there is one.
    fn warn_of_silent_server(&mut self, at: Path, to: &Target, senders: &BTreeSet<HostId>, network: &Network) -> bool {
        let Some(topology) = &network.topology else { return false };
        if self.file.name_service != Some(file::NameService::Wins) || matches!(to, Target::Local(_)) {
            return false;
        }
        let server = |host: HostId| network.name_servers.of(topology, host);
        let cut_off =
            senders.iter().find(|from| server(**from).is_some_and(|server| !topology.reaches(**from, server)));
        let Some(from) = cut_off else { return false };
        let message = format!("no router leads from segment {} to a name server", segments_of(topology, *from));
        self.warning(at, format!("{message}: after 15 s the writes fail with 53, or with 995 if the run ends before"));
        true
    }

    fn warn_of_no_way(&mut self, at: Path, to: &Target, senders: &BTreeSet<HostId>, network: &Network) {
        let (Target::Named { name, .. }, Some(topology)) = (to, &network.topology) else { return };
        let bearers = &network.names[name];
        if bearers.group {
            return;
        }
        let to = bearers.hosts[0];
        if self.file.name_service == Some(file::NameService::Broadcast)
            && let Some(from) = senders.iter().find(|from| !topology.hears(to, **from))
        {
            let [from, to] = [*from, to].map(|host| segments_of(topology, host));
            let message = format!("`{name}` is on segment {to}, and no broadcast of {from} can find it");
            return self.warning(at, format!("{message}: the writes will fail with ERROR_BAD_NETPATH (53)"));
        }
        let cut_off = senders.iter().find(|from| !topology.reaches(**from, to));
        if let Some(from) = cut_off {
            let [from, to] = [*from, to].map(|host| segments_of(topology, host));
            let message =
                format!("no router leads from segment {from} to {to}: the writes will succeed, and reach nobody");
            self.warning(at, message);
        }
    }
}

/// The segments of a host, for messages.
fn segments_of(topology: &Topology, host: HostId) -> String {
    let name = |segment: SegmentId| format!("`{}`", topology.segments()[segment.index()].name);
    let names: Vec<String> = topology.host(host).numbered().map(|(_, interface)| name(interface.segment)).collect();
    names.join(" or ")
}

fn which(smallest: u32, limit: u32) -> &'static str {
    if smallest > limit { "every write" } else { "longer writes" }
}
