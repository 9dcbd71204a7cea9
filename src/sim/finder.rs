//! How the machines of a scenario find names.

use std::sync::Arc;

use crate::id::SegmentId;
use crate::mailslot::{Machine, Owner};
use crate::names::Mode;
use crate::net;
use crate::scenario::{Host, NameService, Scenario};
use crate::wire::NetbiosName;

/// The scenario's name service, as each machine takes part in it.
pub(super) struct Finder<'a> {
    scenario: &'a Scenario,
    /// How the machines of each segment find the names of others.
    modes: Vec<Mode>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let topology = scenario.topology();
        let segments = topology.segments().len();
        let modes = match scenario.name_service {
            NameService::Static => vec![Mode::Static(Arc::new(owners(scenario).collect())); segments],
            NameService::Broadcast => vec![Mode::Broadcast; segments],
            NameService::Wins => {
                let server = |segment| topology.host(scenario.name_server(SegmentId(segment))).address;
                (0..segments as u32).map(|segment| Mode::Server(server(segment))).collect()
            }
        };
        Finder { scenario, modes }
    }

    /// How a machine finds the names of others.
    pub(super) fn mode(&self, host: &net::Host) -> Mode {
        self.modes[host.segment.index()].clone()
    }

    /// Fills a name server with all names: their bearers have registered them before the run begins.
    pub(super) fn teach(&self, machine: &mut Machine, spec: &Host) {
        if spec.wins {
            owners(self.scenario).for_each(|(name, owner)| machine.learn_name(name, owner));
        }
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
