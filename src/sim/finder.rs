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

    /// How a machine finds the names of others. Of several name servers it asks one on its own segment, else the first
    /// by name.
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
        let address = |host: &crate::id::HostId| self.scenario.topology().host(*host).address;
        match &bearers.hosts[..] {
            [host] if !bearers.group => Owner::Unique(address(host)),
            hosts if self.scenario.is_listed_name(name) => Owner::Members(hosts.iter().map(address).collect()),
            _ => Owner::Group,
        }
    }

    fn server_of(&self, host: &net::Host) -> Ipv4Addr {
        let hosts = self.scenario.topology().hosts().iter().zip(&self.scenario.hosts);
        let servers = hosts.filter(|(_, spec)| spec.wins).map(|(server, _)| server);
        let first = servers.min_by_key(|server| (server.segment != host.segment, &server.name));
        first.expect("a scenario with WINS has a name server").address
    }
}
