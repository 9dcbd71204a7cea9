//! How the machines of a scenario are set up: what each is, and how it finds names.

use std::rc::Rc;
use std::sync::Arc;

use crate::id::HostId;
use crate::mailslot::{ApiProfile, Config, Machine, Owner};
use crate::names::{Directory, Mode};
use crate::net;
use crate::scenario::{NameService, Scenario};
use crate::time::Instant;
use crate::wire::{NetbiosName, Profile};

/// Sets up the machines of a scenario.
pub(crate) struct Installer {
    scenario: Rc<Scenario>,
    /// Who bears which name, if every machine knows.
    directory: Option<Arc<Directory>>,
}

impl Installer {
    pub(crate) fn new(scenario: Rc<Scenario>) -> Self {
        let is_static = scenario.name_service == NameService::Static;
        let directory = is_static.then(|| Arc::new(owners(&scenario).collect()));
        Installer { scenario, directory }
    }

    /// How the machine of a host finds the names of others.
    fn mode(&self, id: HostId) -> Mode {
        match &self.directory {
            Some(directory) => Mode::Static(directory.clone()),
            None if self.scenario.name_service == NameService::Broadcast => Mode::Broadcast,
            None => {
                let (topology, server) = (self.scenario.topology(), self.scenario.name_server(id));
                Mode::Server(topology.address_for(server, id))
            }
        }
    }

    /// The machine of a host when the run begins, without mailslots. A name server holds all names: their bearers have
    /// registered them before.
    pub(crate) fn machine(&self, id: HostId) -> Machine {
        self.machine_in(id, self.scenario.hosts[id.index()].domain)
    }

    /// The machine of a host that starts anew in a domain, without mailslots, and the names that it claims: none if nobody
    /// would be asked. A name server still holds the names that it held at first: its database is on a disk (a choice).
    pub(crate) fn restarted(&self, now: Instant, id: HostId, domain: NetbiosName) -> (Machine, Vec<NetbiosName>) {
        let mut machine = self.machine_in(id, domain);
        let claims = match self.scenario.name_service {
            NameService::Static => Vec::new(),
            NameService::Broadcast | NameService::Wins => machine.claim_names(now),
        };
        (machine, claims)
    }

    /// The names that the machine of a host claims when it starts anew: none if nobody would be asked.
    #[cfg(feature = "turmoil")]
    pub(crate) fn claims(&self, id: HostId, domain: NetbiosName) -> Vec<NetbiosName> {
        let spec = &self.scenario.hosts[id.index()];
        match self.scenario.name_service {
            NameService::Static => Vec::new(),
            NameService::Broadcast | NameService::Wins => {
                [spec.computer, domain].into_iter().chain(spec.names.iter().map(|(name, _)| *name)).collect()
            }
        }
    }

    /// The machine of a host in a domain, without mailslots: it bears its names.
    pub(crate) fn machine_in(&self, id: HostId, domain: NetbiosName) -> Machine {
        let host = self.scenario.topology().host(id);
        let spec = &self.scenario.hosts[id.index()];
        let config = Config {
            computer: spec.computer,
            domain,
            names: spec.names.clone(),
            is_name_server: spec.wins,
            scope: Default::default(),
            address: host.first.address,
            further_addresses: host.further.iter().map(|interface| interface.address).collect(),
            api: ApiProfile::default(),
            transports: spec.transports,
            fragments: spec.fragments,
            layout: spec.layout,
            limits: spec.limits,
            profile: Profile::Windows,
            datagram_errors: spec.datagram_errors,
            remote_mailslots_disabled: spec.remote_mailslots_disabled,
        };
        let mut machine = Machine::new(config, self.mode(id));
        if spec.wins {
            owners(&self.scenario).for_each(|(name, owner)| machine.learn_name(name, owner));
        }
        machine
    }
}

/// What every name of the scenario resolves to, of hosts with several addresses to the first: to which of them it is sent,
/// the network says ([`Topology::route`](crate::net::Topology::route)). The members of a list are in the order of their
/// names.
fn owners(scenario: &Scenario) -> impl Iterator<Item = (NetbiosName, Owner)> {
    scenario.names.iter().map(|(name, bearers)| {
        let mut hosts: Vec<&net::Host> = bearers.hosts.iter().map(|host| scenario.topology().host(*host)).collect();
        hosts.sort_by_key(|host| &host.name);
        let owner = match hosts[..] {
            [host] if !bearers.group => Owner::Unique(host.first.address),
            _ if scenario.is_listed_name(name) => Owner::Members(hosts.iter().map(|host| host.first.address).collect()),
            _ => Owner::Group,
        };
        (*name, owner)
    })
}
