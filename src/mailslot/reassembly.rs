//! Fragments that wait for the rest of their datagram (RFC 1002 5.3.3).

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use crate::time::{Duration, Instant};
use crate::wire::Malformed;
use crate::wire::datagram::Packet;
use crate::wire::fragment::Reassembly;

/// FRAGMENT_TO (RFC 1002 6): how long the first fragment waits for the last.
pub const FRAGMENT_TIMEOUT: Duration = Duration::from_secs(2);
/// The most datagrams that wait for fragments at once: a choice. One more pushes out the oldest, so that a sender of
/// first fragments without end costs no more memory than these.
pub const MAX_REASSEMBLIES: usize = 64;

/// What tells the fragments of one datagram from all others: SOURCE_IP and DGM_ID, as they are in the header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReassemblyKey {
    /// SOURCE_IP: the address that the sender claims.
    pub source_ip: Ipv4Addr,
    /// DGM_ID.
    pub id: u16,
}

impl ReassemblyKey {
    /// The key of a packet.
    #[must_use]
    pub fn of(packet: &Packet<'_>) -> Self {
        ReassemblyKey { source_ip: packet.source_ip(), id: packet.id() }
    }
}

/// The datagrams that wait, the oldest first: all wait as long, so the first is also the next to expire.
#[derive(Debug, Default)]
pub(super) struct Reassemblies(VecDeque<Held>);

#[derive(Debug)]
struct Held {
    key: ReassemblyKey,
    deadline: Instant,
    reassembly: Reassembly,
}

/// What became of a fragment.
pub(super) enum Added {
    /// It waits for the rest; if it is a first one too many, the oldest datagram was given up for it.
    Held { evicted: Option<ReassemblyKey> },
    /// It was the last one.
    Complete(Reassembly),
    /// There is no first fragment to which it could belong.
    NoFirst,
}

impl Reassemblies {
    /// Takes a fragment in.
    ///
    /// Fragments are put together in order only (RFC 1002 allows more and asks for no more). A second first fragment of
    /// a datagram that waits is a repetition, and refused like one that overlaps.
    pub(super) fn add(&mut self, now: Instant, fragment: &Packet<'_>) -> Result<Added, Malformed> {
        let key = ReassemblyKey::of(fragment);
        let Some(position) = self.0.iter().position(|held| held.key == key) else {
            return if fragment.first() { self.start(now, key, fragment) } else { Ok(Added::NoFirst) };
        };
        if self.0[position].reassembly.add(fragment)? {
            let held = self.0.remove(position).expect("it was found there");
            return Ok(Added::Complete(held.reassembly));
        }
        Ok(Added::Held { evicted: None })
    }

    fn start(&mut self, now: Instant, key: ReassemblyKey, first: &Packet<'_>) -> Result<Added, Malformed> {
        let reassembly = Reassembly::start(first)?;
        let evicted = if self.0.len() == MAX_REASSEMBLIES { self.0.pop_front().map(|held| held.key) } else { None };
        self.0.push_back(Held { key, deadline: now + FRAGMENT_TIMEOUT, reassembly });
        Ok(Added::Held { evicted })
    }

    /// When the next one expires.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.front().map(|held| held.deadline)
    }

    /// Gives up one that has waited too long.
    pub(super) fn expire(&mut self, now: Instant) -> Option<ReassemblyKey> {
        self.0.pop_front_if(|held| held.deadline <= now).map(|held| held.key)
    }
}
