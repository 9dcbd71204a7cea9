//! What the timeline does to the network and to hosts, as far as the books keep it: links, partitions, which hosts are
//! there, and who is in which domain.

use std::collections::BTreeSet;

use super::Books;
use super::carriage::{Datagram, instance};
use crate::id::{HostId, StreamId};
use crate::mailslot::Receipt;
use crate::net::Partition;
use crate::scenario::{Fault, NO_LONGER, Setting};
use crate::sim::timeline::{Change, Condition, Strike};
use crate::stats::{Event, Fate, Observer};
use crate::wire::NetbiosName;

impl<O: Observer> Books<O> {
    /// Something of the timeline happens. What it does to machines and programs is the driver's business, which says so
    /// by the other functions here.
    pub(crate) fn strike(&mut self, strike: Strike) {
        let Strike { event, change, .. } = strike;
        let scenario = self.scenario.clone();
        let fault = &scenario.events[event].fault;
        match (change, fault) {
            (Change::Cut, Fault::Partition { groups, one_way }) => {
                self.fabric.cut(event, Partition::new(scenario.hosts.len(), groups, *one_way));
            }
            (Change::Mend, _) => self.fabric.mend(event),
            (Change::Heal, _) => self.fabric.heal(),
            (Change::Set, Fault::Set { links, .. }) => self.impair(links),
            (Change::Unset, Fault::Set { undone, .. }) => self.impair(undone),
            (Change::Join(host, domain), _) => {
                self.domains[host.index()] = domain;
                self.memberships += 1;
            }
            (Change::Cut | Change::Set | Change::Unset, _) => unreachable!("the timeline is made of the events"),
            _ => {} // of machines, or programs
        }
        let (host, what) = self.describe(strike);
        self.tell(Event::Fault { name: change.name(), host, what: &what });
    }

    /// To whom something happens, and what else there is to say of it.
    fn describe(&self, Strike { event, change, .. }: Strike) -> (Option<HostId>, String) {
        let scenario = &self.scenario;
        match (change, &scenario.events[event].fault) {
            (Change::Crash(host) | Change::Start(host) | Change::Pause(host) | Change::Resume(host), _) => {
                (Some(host), String::new())
            }
            (Change::Join(host, domain), _) => (Some(host), domain.to_string()),
            (Change::Open(slot) | Change::Close(slot), _) => {
                let mailslot = &scenario.mailslots[slot as usize];
                (Some(mailslot.host), mailslot.name.to_string())
            }
            (Change::Unset, Fault::Set { values, .. }) => (None, format!("{NO_LONGER}{values}")),
            (_, Fault::Set { values, .. }) => (None, values.clone()),
            (Change::Cut | Change::Mend, Fault::Partition { groups, one_way }) => {
                let name = |host: &HostId| scenario.topology().host(*host).name.as_str();
                let group = |group: &Vec<HostId>| group.iter().map(name).collect::<Vec<_>>().join(" ");
                let groups: Vec<String> = groups.iter().map(group).collect();
                (None, groups.join(if *one_way { " > " } else { " | " }))
            }
            _ => (None, String::new()),
        }
    }

    fn impair(&mut self, settings: &[Setting]) {
        let now = self.now();
        for Setting { links, config } in settings {
            links.iter().for_each(|link| self.fabric.impair(now, *link, config));
        }
    }

    /// Whether a host is there.
    pub(crate) fn condition(&self, host: HostId) -> Condition {
        self.conditions[host.index()]
    }

    /// The domain that a host is in.
    pub(crate) fn domain(&self, host: HostId) -> NetbiosName {
        self.domains[host.index()]
    }

    /// A machine goes down: what is on it is lost, and writes that have not returned never do.
    pub(crate) fn crashed(&mut self, host: HostId) {
        self.conditions[host.index()] = Condition::Down;
        self.claims.remove(&host);
        self.abort_writes_of(host);
        let unread: Vec<Receipt> = self.waiting[host.index()].iter().map(|(receipt, _)| *receipt).collect();
        self.closed(host, &unread);
        let held: Vec<_> = self.held.extract_if(.., |(of, _), _| *of == host).collect();
        for fragment in held.into_iter().flat_map(|(_, fragments)| fragments) {
            self.tell(Event::Gone { instance: fragment.instance(), host, fate: Fate::HostDown });
        }
        self.fabric.take_incomplete_of(host).iter().for_each(|flight| self.miss(host, flight));
        self.suspended.remove(&host).into_iter().flatten().for_each(|flight| self.miss(host, &flight));
    }

    /// A machine has started. Until it has registered the names that it claims, it is as if it were not there.
    pub(crate) fn started(&mut self, host: HostId, claims: impl IntoIterator<Item = NetbiosName>) {
        self.conditions[host.index()] = Condition::Up;
        let claims: BTreeSet<NetbiosName> = claims.into_iter().collect();
        if !claims.is_empty() {
            self.claims.insert(host, claims);
        }
    }

    /// A host stands still.
    pub(crate) fn paused(&mut self, host: HostId) {
        self.conditions[host.index()] = Condition::Paused;
    }

    /// A host goes on: what has waited for it has arrived now.
    pub(crate) fn resumed(&mut self, host: HostId) {
        self.conditions[host.index()] = Condition::Up;
        let suspended = self.suspended.remove(&host).unwrap_or_default();
        self.arrivals.extend(suspended.into_iter().map(|flight| (host, flight)));
    }

    /// The last handle of a slot was closed with these messages in it.
    pub(super) fn closed(&mut self, host: HostId, unread: &[Receipt]) {
        for receipt in unread {
            let waiting = self.take_waiting(host, *receipt);
            self.tell(Event::Gone { instance: waiting.instance, host, fate: Fate::ClosedUnread });
        }
    }

    /// A write is not made.
    pub(crate) fn unwritten(&mut self, stream: StreamId, message: u64) {
        self.tell(Event::Unwritten { stream, message });
    }

    /// A machine that claims names has one, or does not get it.
    pub(super) fn claim_ended(&mut self, host: HostId, name: &NetbiosName) {
        if let Some(claims) = self.claims.get_mut(&host) {
            claims.remove(name);
            if claims.is_empty() {
                self.claims.remove(&host);
            }
        }
    }

    /// A datagram has come to a host that is down.
    pub(super) fn miss(&mut self, host: HostId, flight: &Datagram) {
        self.tell(Event::Gone { instance: instance(flight), host, fate: Fate::HostDown });
    }
}
