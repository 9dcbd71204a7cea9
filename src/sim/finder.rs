//! How the machines of a scenario find names.

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::mailslot::{Directory, Machine, Owner};
use crate::names::Mode;
use crate::net;
use crate::scenario::{Host, NameService, Scenario};
use crate::wire::NetbiosName;

/// The scenario's name service, as each machine takes part in it.
pub(super) struct Finder<'a> {
    scenario: &'a Scenario,
    directory: Arc<Directory>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        Finder { scenario, directory: Arc::new(scenario.directory()) }
    }

    /// How a machine finds the names of others.
    pub(super) fn mode(&self, host: &net::Host) -> Mode {
        match self.scenario.name_service {
            NameService::Static => Mode::Static(self.directory.clone()),
            NameService::Broadcast => Mode::Broadcast,
            NameService::Wins => Mode::Server(self.server_of(host)),
        }
    }

    /// Fills a name server with all names: their bearers have registered them before the run begins.
    pub(super) fn teach(&self, machine: &mut Machine, spec: &Host) {
        if spec.wins {
            let names = self.scenario.names.keys();
            names.for_each(|name| machine.learn_name(*name, self.owner(name)));
        }
    }

    fn owner(&self, name: &NetbiosName) -> Owner {
        let bearers = &self.scenario.names[name];
        let mut hosts: Vec<&net::Host> =
            bearers.hosts.iter().map(|host| self.scenario.topology().host(*host)).collect();
        hosts.sort_by_key(|host| &host.name);
        match hosts[..] {
            [host] if !bearers.group => Owner::Unique(host.address),
            _ if self.scenario.is_listed_name(name) => Owner::Members(hosts.iter().map(|host| host.address).collect()),
            _ => Owner::Group,
        }
    }

    fn server_of(&self, host: &net::Host) -> Ipv4Addr {
        let server = self.scenario.name_server(host.segment).expect("a scenario with WINS has a name server");
        self.scenario.topology().host(server).address
    }
}
