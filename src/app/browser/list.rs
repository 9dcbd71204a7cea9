//! The list of servers that a master keeps, and when it forgets them.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::browser::HostName;
use crate::time::{Duration, Instant};

/// After so many times its Periodicity without an announcement a server is removed (MS-BRWS 3.3.6, Server Expiration
/// Timer): when nothing was heard for *more* than that.
pub const PERIODS_TO_EXPIRY: u64 = 3;
/// At whole multiples of this time since its start a master looks which servers are to be removed: a choice. The document
/// gives no grain. With this one, the announcement that is due exactly at three periods still counts, though the network
/// delays it a little more than the one before.
pub const LIST_GRAIN: Duration = Duration::from_secs(1);
/// The most servers on a list; what announces itself beyond is not listed: a choice, so that what is received cannot make
/// memory grow.
pub const MAX_SERVERS: usize = 65_536;

/// The servers that announced themselves, by name.
#[derive(Debug)]
pub(super) struct ServerList {
    boot: Instant,
    /// When each is removed.
    servers: BTreeMap<HostName, Instant>,
    expiries: BTreeSet<(Instant, HostName)>,
}

impl ServerList {
    /// The empty list of a browser that was started at `boot`.
    pub(super) fn new(boot: Instant) -> Self {
        ServerList { boot, servers: BTreeMap::new(), expiries: BTreeSet::new() }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &HostName> {
        self.servers.keys()
    }

    /// A server announced itself: whether it is new on the list; `None` if there is no room for it.
    pub(super) fn hear(&mut self, now: Instant, name: &HostName, periodicity: Duration) -> Option<bool> {
        let is_new = !self.remove(name);
        if self.servers.len() >= MAX_SERVERS {
            return None;
        }
        let expiry = self.expiry(now, periodicity);
        self.servers.insert(name.clone(), expiry);
        self.expiries.insert((expiry, name.clone()));
        Some(is_new)
    }

    /// Takes a server off the list; whether it was there.
    pub(super) fn remove(&mut self, name: &HostName) -> bool {
        let Some(expiry) = self.servers.remove(name) else { return false };
        self.expiries.remove(&(expiry, name.clone()))
    }

    /// Takes the first server off the list whose time is over.
    pub(super) fn expire(&mut self, now: Instant) -> Option<HostName> {
        if self.next_expiry()? > now {
            return None;
        }
        let (_, name) = self.expiries.pop_first()?;
        self.servers.remove(&name);
        Some(name)
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(expiry, _)| *expiry)
    }

    /// The first look at which more than three periods have passed.
    fn expiry(&self, heard: Instant, periodicity: Duration) -> Instant {
        let age = (heard + periodicity * PERIODS_TO_EXPIRY).since(self.boot);
        self.boot + LIST_GRAIN * (age.nanos() / LIST_GRAIN.nanos() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn name(text: &str) -> HostName {
        HostName::new(text).unwrap()
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_server_is_removed_at_the_first_look_after_more_than_three_periods() {
        for (boot, heard, expiry) in [
            (0, 0, 181_000_000_000),
            (0, 999_999_999, 181_000_000_000),
            (0, 1_000_000_000, 182_000_000_000),
            (500_000_000, 1_000_000_000, 181_500_000_000),
        ] {
            let mut list = ServerList::new(at(boot));
            assert_eq!(list.hear(at(heard), &name("A"), MINUTE), Some(true));
            assert_eq!(list.next_expiry(), Some(at(expiry)));
            assert_eq!(list.expire(at(expiry - 1)), None);
            assert_eq!(list.expire(at(expiry)), Some(name("A")));
            assert_eq!((list.names().count(), list.next_expiry()), (0, None));
        }
    }

    #[test]
    fn each_announcement_renews_the_entry_for_its_own_periodicity() {
        let mut list = ServerList::new(Instant::ZERO);
        list.hear(at(0), &name("A"), MINUTE);
        list.hear(at(0), &name("B"), MINUTE * 2);
        assert_eq!(list.hear(at(0) + MINUTE * 2, &name("A"), MINUTE * 4), Some(false));
        let second = Duration::from_secs(1);
        assert_eq!(list.next_expiry(), Some(at(0) + MINUTE * 6 + second));
        assert!(list.remove(&name("B")) && !list.remove(&name("B")));
        assert_eq!(list.next_expiry(), Some(at(0) + MINUTE * 14 + second));
    }

    #[test]
    fn a_list_is_bounded() {
        let mut list = ServerList::new(Instant::ZERO);
        for number in 0..MAX_SERVERS {
            assert_eq!(list.hear(at(0), &name(&number.to_string()), MINUTE), Some(true));
        }
        assert_eq!(list.hear(at(0), &name("one more"), MINUTE), None);
        assert_eq!(list.hear(at(0), &name("7"), MINUTE), Some(false));
        assert_eq!(list.names().count(), MAX_SERVERS);
    }
}
