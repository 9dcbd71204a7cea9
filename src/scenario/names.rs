//! Who bears which NetBIOS name, and whom a host asks for it.

use std::collections::BTreeMap;

use super::model::Host;
use crate::id::HostId;
use crate::net::Topology;
use crate::wire::NetbiosName;

/// Who bears which NetBIOS name.
pub(crate) type Names = BTreeMap<NetbiosName, Bearers>;

/// The bearers of one NetBIOS name: any number if it is a group's, else one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bearers {
    pub(crate) group: bool,
    /// In ascending order.
    pub(crate) hosts: Vec<HostId>,
}

/// The hosts that are name servers, in the order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameServers(Vec<HostId>);

impl NameServers {
    pub(crate) fn new(topology: &Topology, hosts: &[Host]) -> Self {
        let servers = (0..).map(HostId).zip(hosts).filter(|(_, host)| host.wins).map(|(id, _)| id);
        let mut servers: Vec<HostId> = servers.collect();
        servers.sort_by_key(|server| &topology.host(*server).name);
        NameServers(servers)
    }

    /// The one that a host asks: the first on the first of its segments that has one, else the first of all.
    pub(crate) fn of(&self, topology: &Topology, host: HostId) -> Option<HostId> {
        let on = |segment| self.0.iter().find(|server| topology.host(**server).interface_on(segment).is_some());
        let mut near = topology.host(host).numbered().filter_map(|(_, interface)| on(interface.segment));
        near.next().or(self.0.first()).copied()
    }
}
