//! What a machine remembers of the names of others.

use std::collections::BTreeMap;

use super::directory::Owner;
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;
use crate::wire::nbns::INFINITE_TTL;

/// The most names that are remembered; the one learned longest ago makes place for the next. A choice.
pub const MAX_CACHED: usize = 1024;
/// The longest that a name is remembered, in seconds, whatever the TTL of the answer: the default of Windows's
/// `CacheTimeout`, ten minutes (Microsoft KB Q188655). That it caps the TTL, and does not replace it, is a choice.
pub const MAX_CACHE_SECONDS: u32 = 600;

/// The name cache. What has expired goes when it is next asked for.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: BTreeMap<NetbiosName, Entry>,
    /// Names by the order in which they were learned.
    order: BTreeMap<u64, NetbiosName>,
    learned: u64,
}

#[derive(Debug)]
struct Entry {
    owner: Owner,
    expires: Instant,
    order: u64,
}

impl Cache {
    /// Remembers who bears a name, for `ttl` seconds at most.
    pub(super) fn insert(&mut self, now: Instant, name: NetbiosName, owner: Owner, ttl: u32) {
        self.remove(&name);
        if self.entries.len() >= MAX_CACHED
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let seconds = if ttl == INFINITE_TTL { MAX_CACHE_SECONDS } else { ttl.min(MAX_CACHE_SECONDS) };
        let (order, expires) = (self.learned, now + Duration::from_secs(seconds.into()));
        self.learned += 1;
        self.order.insert(order, name);
        self.entries.insert(name, Entry { owner, expires, order });
    }

    /// Who bears a name, as far as that is remembered at `now`.
    pub(super) fn get(&mut self, now: Instant, name: &NetbiosName) -> Option<Owner> {
        let entry = self.entries.get(name)?;
        if now < entry.expires {
            return Some(entry.owner.clone());
        }
        self.remove(name);
        None
    }

    pub(super) fn remove(&mut self, name: &NetbiosName) {
        if let Some(entry) = self.entries.remove(name) {
            self.order.remove(&entry.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_learned_longest_ago_makes_place() {
        let name = |number: usize| NetbiosName::new(&format!("N{number}"), 0).unwrap();
        let mut cache = Cache::default();
        for number in 0..MAX_CACHED {
            cache.insert(Instant::ZERO, name(number), Owner::Group, 10);
        }
        cache.insert(Instant::ZERO, name(0), Owner::Group, 10);
        cache.insert(Instant::ZERO, name(MAX_CACHED), Owner::Group, 10);
        assert_eq!(cache.get(Instant::ZERO, &name(1)), None, "0 was learned again after it");
        assert_eq!(cache.get(Instant::ZERO, &name(0)), Some(Owner::Group));
        assert_eq!((cache.entries.len(), cache.order.len()), (MAX_CACHED, MAX_CACHED));
    }
}
