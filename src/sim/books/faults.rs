//! What the timeline does to the network and to hosts, as far as the books keep it: links, partitions, which hosts are
//! there, and who is in which domain.

use std::collections::BTreeSet;

use super::Books;
use super::carriage::{Datagram, instance};
use crate::id::{HostId, StreamId};
use crate::mailslot::Receipt;
use crate::net::Partition;
use crate::scenario::{Fault, Setting};
use crate::sim::timeline::{Change, Condition, Strike};
use crate::stats::{Event, Fate, Observer};
use crate::wire::NetbiosName;

impl<O: Observer> Books<O> {
    /// Something of the timeline happens. What it does to machines and programs is the driver's business, which says so
    /// by the other functions here.
    pub(crate) fn strike(&mut self, Strike { event, change }: Strike) {
        let scenario = self.scenario.clone();
        let fault = &scenario.events[event].fault;
        let host = match (change, fault) {
            (Change::Cut, Fault::Partition { groups, one_way }) => {
                self.fabric.cut(event, Partition::new(scenario.hosts.len(), groups, *one_way));
                None
            }
            (Change::Mend, _) => {
                self.fabric.mend(event);
                None
            }
            (Change::Heal, _) => {
                self.fabric.heal();
                None
            }
            (Change::Set, Fault::Set { links, .. }) => self.impair(links),
            (Change::Unset, Fault::Set { undone, .. }) => self.impair(undone),
            (Change::Join(host, domain), _) => {
                self.domains[host.index()] = domain;
                self.memberships += 1;
                Some(host)
            }
            (Change::Crash(host) | Change::Start(host) | Change::Pause(host) | Change::Resume(host), _) => Some(host),
            (Change::Open(slot) | Change::Close(slot), _) => Some(scenario.mailslots[slot as usize].host),
            (Change::Cut | Change::Set | Change::Unset, _) => unreachable!("the timeline is made of the events"),
        };
        self.tell(Event::Fault { name: change.name(), host });
    }

    fn impair(&mut self, settings: &[Setting]) -> Option<HostId> {
        let now = self.now();
        for Setting { links, config } in settings {
            links.iter().for_each(|link| self.fabric.impair(now, *link, config));
        }
        None
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

    /// A repetition of a message is not made.
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
