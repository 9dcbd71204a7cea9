//! How the machines of a scenario are set up: what each is, and how it finds names.

use std::rc::Rc;
use std::sync::Arc;

use crate::id::{HostId, SegmentId};
use crate::mailslot::{ApiProfile, Config, Machine, Owner};
use crate::names::Mode;
use crate::net;
use crate::scenario::{NameService, Scenario};
use crate::time::Instant;
use crate::wire::{NetbiosName, Profile};

/// Sets up the machines of a scenario.
pub(crate) struct Installer {
    scenario: Rc<Scenario>,
    /// How the machines of each segment find the names of others.
    modes: Vec<Mode>,
}

impl Installer {
    pub(crate) fn new(scenario: Rc<Scenario>) -> Self {
        let topology = scenario.topology();
        let segments = topology.segments().len();
        let modes = match scenario.name_service {
            NameService::Static => vec![Mode::Static(Arc::new(owners(&scenario).collect())); segments],
            NameService::Broadcast => vec![Mode::Broadcast; segments],
            NameService::Wins => {
                let server = |segment| topology.host(scenario.name_server(SegmentId(segment))).address;
                (0..segments as u32).map(|segment| Mode::Server(server(segment))).collect()
            }
        };
        Installer { scenario, modes }
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
            address: host.address,
            api: ApiProfile::default(),
            transports: spec.transports,
            fragments: spec.fragments,
            layout: spec.layout,
            limits: spec.limits,
            profile: Profile::Windows,
            datagram_errors: spec.datagram_errors,
            remote_mailslots_disabled: spec.remote_mailslots_disabled,
        };
        let mut machine = Machine::new(config, self.modes[host.segment.index()].clone());
        if spec.wins {
            owners(&self.scenario).for_each(|(name, owner)| machine.learn_name(name, owner));
        }
        machine
    }
}

/// What every name of the scenario resolves to; the members of a list are in the order of their names.
fn owners(scenario: &Scenario) -> impl Iterator<Item = (NetbiosName, Owner)> {
    scenario.names.iter().map(|(name, bearers)| {
        let mut hosts: Vec<&net::Host> = bearers.hosts.iter().map(|host| scenario.topology().host(*host)).collect();
        hosts.sort_by_key(|host| &host.name);
        let owner = match hosts[..] {
            [host] if !bearers.group => Owner::Unique(host.address),
            _ if scenario.is_listed_name(name) => Owner::Members(hosts.iter().map(|host| host.address).collect()),
            _ => Owner::Group,
        };
        (*name, owner)
    })
}
