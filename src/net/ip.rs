//! IP fragmentation: a datagram that is longer than a link takes goes on in fragments, and its last host puts them
//! together again (RFC 791 section 3.2, RFC 815).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::num::NonZeroU16;
use std::ops::Range;

use super::fabric::{Damage, Flight};
use crate::id::{DatagramId, HostId};
use crate::time::{Duration, Instant};

/// Bytes of an IPv4 header without options.
pub const IP_HEADER: u32 = 20;
/// Bytes of a UDP header: in front of the payload, and so in the first fragment.
pub const UDP_HEADER: u32 = 8;
/// Fragments begin at multiples of so many bytes (RFC 791 section 3.2).
const UNIT: u32 = 8;

/// How long the first fragment to arrive waits for the others: what Windows does, and the least that RFC 1122 section
/// 3.3.2 advises; Linux waits 30 s (a choice).
pub const REASSEMBLY_TIMEOUT: Duration = Duration::from_secs(60);

/// How many bytes of data each IP fragment has, if `data` bytes behind an IP header go over a link that takes at most
/// `mtu` bytes: as many as fit and are a multiple of 8, but for the last one. One, if everything fits.
///
/// # Panics
///
/// If `mtu` holds no 8 bytes behind a header.
pub fn fragment_lengths(data: u32, mtu: u16) -> impl Iterator<Item = u16> {
    let room = u32::from(mtu) - IP_HEADER;
    let most = if data <= room { data } else { room / UNIT * UNIT };
    assert!(most > 0 || data == 0, "an MTU of {mtu} has room for 8 bytes behind an IP header");
    (0..data.div_ceil(most.max(1))).map(move |number| most.min(data - number * most) as u16)
}

impl<C> Flight<C> {
    /// Whether it is an IP fragment of its datagram.
    #[must_use]
    pub fn is_fragment(&self) -> bool {
        self.part.is_some()
    }

    /// Length of the IP datagram in bytes; of a fragment, its own.
    #[inline]
    #[must_use]
    pub fn ip_bytes(&self) -> u32 {
        IP_HEADER + self.part.map_or(self.data(), |part| part.get().into())
    }

    /// Which bytes of the payload it brings.
    #[inline]
    pub(super) fn bytes(&self) -> Range<usize> {
        let Some(part) = self.part else { return 0..self.payload.len() };
        let start = u32::from(self.id.fragment) * UNIT;
        let end = start + u32::from(part.get()) - UDP_HEADER;
        start.saturating_sub(UDP_HEADER) as usize..end as usize
    }

    /// Bytes of the whole datagram behind the IP header.
    fn data(&self) -> u32 {
        UDP_HEADER + self.payload.len() as u32
    }
}

impl<C: Clone> Flight<C> {
    /// The fragments in which it goes over a link that takes at most `mtu` bytes.
    pub(super) fn split(&self, mtu: u16) -> Vec<Self> {
        let mut start = u32::from(self.id.fragment) * UNIT;
        let fragment = |length: u16| {
            let mut fragment = self.clone();
            fragment.id.fragment = u16::try_from(start / UNIT).expect("an IP datagram is at most 65,535 bytes long");
            fragment.part = NonZeroU16::new(length);
            start += u32::from(length);
            fragment
        };
        fragment_lengths(self.ip_bytes() - IP_HEADER, mtu).map(fragment).collect()
    }
}

/// What tells the fragments of one datagram at one host from all others. Network duplicates are not told apart: they have
/// the IP identification of their original, and their fragments complete each other. No identification is ever used
/// twice (a choice: a real one has 16 bits).
type Key = (HostId, DatagramId);

/// The fragments that wait at their hosts for the rest of their datagrams.
#[derive(Clone, Debug)]
pub(super) struct Reassemblies<C> {
    incomplete: BTreeMap<Key, Incomplete<C>>,
    /// When each is given up, in the order of beginning: all wait as long.
    deadlines: BTreeMap<u64, (Instant, Key)>,
    begun: u64,
    /// How many fragments there are.
    fragments: usize,
}

/// A datagram of which some fragments have come.
#[derive(Clone, Debug)]
struct Incomplete<C> {
    number: u64,
    /// By where they begin.
    fragments: BTreeMap<u16, Flight<C>>,
}

impl<C> Incomplete<C> {
    /// Whether the fragments bring all bytes.
    fn is_whole(&self) -> bool {
        let mut reach = 0;
        for fragment in self.fragments.values() {
            let bytes = fragment.bytes();
            if bytes.start > reach {
                return false;
            }
            reach = reach.max(bytes.end);
        }
        self.fragments.values().next().is_some_and(|first| reach == first.payload.len())
    }
}

/// What became of a fragment that reached its host.
pub(super) enum Added<C> {
    /// It is the first of its datagram to come.
    First,
    /// It waits with others that came before, or is one of them again.
    Another(Flight<C>),
    /// It was the last that was missing: itself, and the datagram.
    Last(Flight<C>, Flight<C>),
}

impl<C> Reassemblies<C> {
    pub(super) fn new() -> Self {
        Reassemblies { incomplete: BTreeMap::new(), deadlines: BTreeMap::new(), begun: 0, fragments: 0 }
    }

    /// How many fragments wait.
    pub(super) fn len(&self) -> usize {
        self.fragments
    }

    /// When the next datagram is given up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first_key_value().map(|(_, (deadline, _))| *deadline)
    }

    /// Gives up what waits at a host: a fragment of each datagram.
    pub(super) fn drop_of(&mut self, host: HostId) -> Vec<Flight<C>> {
        let dropped: Vec<Incomplete<C>> =
            self.incomplete.extract_if(.., |(of, _), _| *of == host).map(|(_, incomplete)| incomplete).collect();
        let first = |incomplete: Incomplete<C>| {
            self.deadlines.remove(&incomplete.number);
            self.fragments -= incomplete.fragments.len();
            incomplete.fragments.into_values().next().expect("it began with one")
        };
        dropped.into_iter().map(first).collect()
    }

    /// Gives up the next datagram: the moment at which it is, and a fragment of it.
    pub(super) fn pop(&mut self) -> Option<(Instant, Flight<C>)> {
        let (_, (deadline, key)) = self.deadlines.pop_first()?;
        let incomplete = self.incomplete.remove(&key).expect("what has a deadline is incomplete");
        self.fragments -= incomplete.fragments.len();
        Some((deadline, incomplete.fragments.into_values().next().expect("it began with one")))
    }
}

impl<C: Clone> Reassemblies<C> {
    /// Takes in a fragment that reaches `host`. All instances of a datagram pass the same links and are split alike, so that
    /// a fragment is either there already or overlaps with none; unless an MTU was set meanwhile.
    pub(super) fn add(&mut self, now: Instant, host: HostId, fragment: Flight<C>) -> Added<C> {
        let key = (host, DatagramId { duplicate: 0, fragment: 0, ..fragment.id });
        let (start, bytes) = (fragment.id.fragment, fragment.bytes());
        let mut entry = match self.incomplete.entry(key) {
            Entry::Vacant(entry) => {
                self.deadlines.insert(self.begun, (now + REASSEMBLY_TIMEOUT, key));
                entry.insert(Incomplete { number: self.begun, fragments: [(start, fragment)].into() });
                self.begun += 1;
                self.fragments += 1;
                return Added::First;
            }
            Entry::Occupied(entry) => entry,
        };
        let incomplete = entry.get_mut();
        let known = incomplete.fragments.get(&start).map(|known| known.bytes().end);
        if known.is_none_or(|end| end < bytes.end) {
            incomplete.fragments.insert(start, fragment.clone());
            self.fragments += usize::from(known.is_none());
        }
        if !incomplete.is_whole() {
            return Added::Another(fragment);
        }
        let complete = entry.remove();
        self.deadlines.remove(&complete.number);
        self.fragments -= complete.fragments.len();
        Added::Last(fragment, assemble(complete.fragments))
    }
}

/// The datagram of which these are all fragments: in the name of the first, with the damage of all.
fn assemble<C>(fragments: BTreeMap<u16, Flight<C>>) -> Flight<C> {
    let mut fragments = fragments.into_values();
    let mut whole = fragments.next().expect("a datagram has a first fragment");
    whole.part = None;
    for fragment in fragments {
        let bytes = fragment.bytes();
        let Some(damage) = fragment.damage else { continue };
        let mut payload = whole.payload.to_vec();
        payload[bytes.clone()].copy_from_slice(&fragment.payload[bytes]);
        whole.payload = payload.into();
        let Damage { original, is_checked } = *damage;
        let damage = whole.damage.get_or_insert_with(|| Box::new(Damage { original, is_checked }));
        damage.is_checked &= is_checked;
    }
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lengths(data: u32, mtu: u16) -> Vec<u16> {
        fragment_lengths(data, mtu).collect()
    }

    /// RFC 791, appendix A, example 2: 452 bytes of data where 280 bytes fit go as 256 (total length 276) and 196 (216).
    #[test]
    fn the_example_of_rfc_791() {
        assert_eq!(lengths(452, 280), [256, 196]);
    }

    #[test]
    fn what_fits_goes_whole() {
        assert_eq!(lengths(556, 576), [556]);
        assert_eq!(lengths(557, 576), [552, 5], "556 bytes fit, but are no multiple of 8");
        assert_eq!(lengths(8, 68), [8]);
        assert_eq!(lengths(65_515, 65_535), [65_515]);
        assert_eq!(lengths(65_515, 1_500).len(), 45);
    }

    proptest! {
        /// All of it, each within the MTU, and all but the last full to a multiple of 8; of a fragment that is split again
        /// too, so offsets stay multiples of 8.
        #[test]
        fn fragments_make_up_the_whole(data in 1..=65_515_u32, mtu in 68..=u16::MAX, smaller in 68..=u16::MAX) {
            let once = lengths(data, mtu);
            let twice: Vec<u16> = once.iter().flat_map(|length| lengths(u32::from(*length), smaller)).collect();
            for (lengths, mtu) in [(&once, mtu), (&twice, mtu.min(smaller))] {
                prop_assert_eq!(lengths.iter().map(|length| u32::from(*length)).sum::<u32>(), data);
                prop_assert!(lengths.iter().all(|length| *length > 0 && u32::from(*length) + 20 <= u32::from(mtu)));
                prop_assert!(lengths[..lengths.len() - 1].iter().all(|length| length % 8 == 0));
            }
            let room = u32::from(mtu) - 20;
            prop_assert_eq!(once.len() == 1, data <= room);
            prop_assert!(once.len() == 1 || once.len() as u32 == data.div_ceil(room / 8 * 8));
        }
    }
}
