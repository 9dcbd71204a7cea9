//! IP fragmentation: a datagram that is longer than a link takes goes on in fragments, and its last host puts them
//! together again (RFC 791 section 3.2, RFC 815).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::num::NonZeroU16;
use std::ops::Range;
use std::rc::Rc;

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

    /// Of a fragment, which bytes behind the IP header of the whole datagram it brings.
    #[must_use]
    pub fn part(&self) -> Option<Range<u32>> {
        let start = u32::from(self.id.fragment) * UNIT;
        self.part.map(|part| start..start + u32::from(part.get()))
    }

    /// Which bytes of the payload it brings.
    #[inline]
    pub(super) fn bytes(&self) -> Range<usize> {
        let Some(part) = self.part() else { return 0..self.payload.len() };
        part.start.saturating_sub(UDP_HEADER) as usize..(part.end - UDP_HEADER) as usize
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

/// What tells the fragments of one datagram at one interface of a host from all others. Network duplicates are not told
/// apart: they have the IP identification of their original, and their fragments complete each other. No identification
/// is ever used twice (a choice: a real one has 16 bits).
type Key = (HostId, u8, DatagramId);

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
    /// In the order of coming.
    fragments: Vec<Flight<C>>,
    /// Which bytes of the payload have not come (RFC 815).
    holes: Vec<Range<usize>>,
}

impl<C> Incomplete<C> {
    /// Takes in a fragment if it brings anything that is missing; else gives it back.
    fn add(&mut self, fragment: Flight<C>) -> Option<Flight<C>> {
        let bytes = fragment.bytes();
        let is_filled = |hole: &Range<usize>| hole.start < bytes.end && bytes.start < hole.end;
        if !self.holes.iter().any(is_filled) {
            return Some(fragment);
        }
        let rest = |hole: Range<usize>| match is_filled(&hole) {
            true => [hole.start..bytes.start.max(hole.start), bytes.end.min(hole.end)..hole.end],
            false => [hole, 0..0],
        };
        let holes = std::mem::take(&mut self.holes);
        self.holes = holes.into_iter().flat_map(rest).filter(|hole| !hole.is_empty()).collect();
        self.fragments.push(fragment);
        None
    }

    /// The fragment that came first.
    fn into_first(self) -> Flight<C> {
        self.fragments.into_iter().next().expect("it began with one")
    }

    /// The datagram, if all fragments are there: in the name of its first fragment, with the damage of all.
    fn assemble(mut self) -> Flight<C> {
        let first = self.fragments.iter().position(|fragment| fragment.id.fragment == 0);
        let bytes_of = |payload: &[u8], fragments: &[Flight<C>]| -> Rc<[u8]> {
            let mut bytes = payload.to_vec();
            for fragment in fragments {
                bytes[fragment.bytes()].copy_from_slice(&fragment.payload[fragment.bytes()]);
            }
            bytes.into()
        };
        let damages = || self.fragments.iter().filter_map(|fragment| fragment.damage.as_deref());
        let is_checked = damages().all(|damage| damage.is_checked);
        let damage = damages().next().map(|damage| Damage { original: damage.original.clone(), is_checked });
        let damaged = damage.map(|damage| (bytes_of(&damage.original, &self.fragments), Box::new(damage)));
        let mut whole = self.fragments.swap_remove(first.expect("a datagram has a first fragment"));
        whole.part = None;
        if let Some((payload, damage)) = damaged {
            (whole.payload, whole.damage) = (payload, Some(damage));
        }
        whole
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

    /// Gives up the next datagram: the moment at which it is, and a fragment of it.
    pub(super) fn pop(&mut self) -> Option<(Instant, Flight<C>)> {
        let (_, (deadline, key)) = self.deadlines.pop_first()?;
        let incomplete = self.incomplete.remove(&key).expect("what has a deadline is incomplete");
        self.fragments -= incomplete.fragments.len();
        Some((deadline, incomplete.into_first()))
    }

    /// Gives up what waits at a host: a fragment of each datagram, in the order of beginning.
    pub(super) fn take(&mut self, host: HostId) -> Vec<Flight<C>> {
        let of_host = (host, 0, DatagramId::new(0, 0))..(HostId(host.0 + 1), 0, DatagramId::new(0, 0));
        let mut taken: Vec<Incomplete<C>> =
            self.incomplete.extract_if(of_host, |_, _| true).map(|(_, incomplete)| incomplete).collect();
        taken.sort_by_key(|incomplete| incomplete.number);
        for incomplete in &taken {
            self.deadlines.remove(&incomplete.number);
            self.fragments -= incomplete.fragments.len();
        }
        taken.into_iter().map(Incomplete::into_first).collect()
    }
}

impl<C: Clone> Reassemblies<C> {
    /// Takes in a fragment that reaches `host`. Where fragments overlap, which is so only if a link's MTU changes between a
    /// datagram and its duplicate, the later one counts, as in RFC 791.
    pub(super) fn add(&mut self, now: Instant, host: HostId, fragment: Flight<C>) -> Added<C> {
        let key = (host, fragment.arrives_at(), DatagramId { duplicate: 0, fragment: 0, ..fragment.id });
        let mut entry = match self.incomplete.entry(key) {
            Entry::Vacant(entry) => {
                let all = 0..fragment.payload.len();
                let holes = [0..fragment.bytes().start, fragment.bytes().end..all.end];
                let holes = holes.into_iter().filter(|hole| !hole.is_empty()).collect();
                entry.insert(Incomplete { number: self.begun, fragments: vec![fragment], holes });
                self.deadlines.insert(self.begun, (now + REASSEMBLY_TIMEOUT, key));
                self.begun += 1;
                self.fragments += 1;
                return Added::First;
            }
            Entry::Occupied(entry) => entry,
        };
        let incomplete = entry.get_mut();
        if let Some(known) = incomplete.add(fragment.clone()) {
            return Added::Another(known);
        }
        self.fragments += 1;
        if !incomplete.holes.is_empty() {
            return Added::Another(fragment);
        }
        let complete = entry.remove();
        self.deadlines.remove(&complete.number);
        self.fragments -= complete.fragments.len();
        Added::Last(fragment, complete.assemble())
    }
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
