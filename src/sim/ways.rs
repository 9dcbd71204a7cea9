//! The ways of messages as `stats::theory` sees them: the links that they pass, and in how many pieces.

use std::collections::BTreeMap;

use crate::id::LinkId;
use crate::link::{Config, Distribution};
use crate::net::{self, REASSEMBLY_TIMEOUT, Topology};
use crate::stats::theory::{self, Hop, Tree};
use crate::time::Duration;

/// The links of a scenario, and the closed forms of the ways that were met so far.
pub(super) struct Ways<'a> {
    topology: &'a Topology,
    /// For each link the first one that impairs like it.
    classes: Vec<LinkId>,
    /// The probability of passing a way, by the classes of its links.
    passed: BTreeMap<Way, Option<f64>>,
    /// The probability that a link, known by its class, carries so many datagrams in a row.
    rows: BTreeMap<(LinkId, usize), f64>,
}

/// The classes of the links, the bytes of the shortest and the longest message in the IP datagrams that carry it, and how
/// many times it is sent.
type Way = (Vec<LinkId>, [Vec<u32>; 2], usize);

/// What a flow sends for one message, as IP sees it.
pub(super) struct Parcel {
    /// In how many packets: more than one if NetBIOS makes fragments of it.
    pub(super) packets: usize,
    /// The bytes behind the IP header of each, of the shortest and of the longest message.
    pub(super) data: [Vec<u32>; 2],
}

impl<'a> Ways<'a> {
    pub(super) fn new(topology: &'a Topology) -> Self {
        Ways { topology, classes: classes(topology), passed: BTreeMap::new(), rows: BTreeMap::new() }
    }

    /// The probability that a message comes by any of these ways, on each of which it is sent so many times. Ways with the
    /// same first link are those of one broadcast.
    pub(super) fn any_pass(&mut self, paths: &[Vec<LinkId>], parcel: &Parcel, copies: usize) -> Option<f64> {
        match paths {
            [path] => self.passes(path, parcel, copies),
            paths if parcel.packets == 1 => theory::any_ratio(&self.trees(true, paths, parcel, copies)?, copies),
            _ => None, // fragments of a datagram may come by different ways
        }
    }

    /// The probability that a message passes a way, sent so many times.
    fn passes(&mut self, path: &[LinkId], parcel: &Parcel, copies: usize) -> Option<f64> {
        let classes: Vec<LinkId> = path.iter().map(|link| self.classes[link.index()]).collect();
        let way = (classes, parcel.data.clone(), copies);
        if let Some(known) = self.passed.get(&way) {
            return *known;
        }
        let hops = self.hops(path, parcel, copies);
        let passes = |(hops, needed): (Vec<Hop>, usize)| theory::repeated_delivery_ratio(&hops, needed, copies);
        let probability = hops.and_then(passes);
        self.passed.insert(way, probability);
        probability
    }

    /// The probability that a message passes a way on which one link has memory, and meets its copies one after another with
    /// nothing between them; `None` where no closed form of this kind holds.
    pub(super) fn passes_in_a_row(&self, path: &[LinkId], parcel: &Parcel, copies: usize) -> Option<f64> {
        let is_whole = self.datagrams(path, parcel)?.iter().all(|number| *number == 1);
        let hops: Vec<Hop> = path.iter().map(|link| self.hop(*link)).collect();
        let is_plain = |hop: &Hop| hop.duplicate == 0.0 && hop.corrupt == 0.0;
        let place = hops.iter().position(Hop::has_memory)?;
        let (before, after) = (&hops[..place], &hops[place + 1..]);
        let stays_in_a_row = before.iter().all(|hop| hop.steady) && !after.iter().any(Hop::has_memory);
        if !is_whole || !stays_in_a_row || !hops.iter().all(is_plain) {
            return None;
        }
        let [offered, arrives] = [theory::delivery_ratio(before)?, theory::delivery_ratio(after)?];
        let loss = &self.config(path[place]).loss;
        Some(1.0 - loss.takes_all_in_a_row(copies, offered, 1.0 - arrives)?)
    }

    /// Whether nothing is lost on links that ways have in common.
    pub(super) fn share_no_loss(&self, paths: &[Vec<LinkId>]) -> bool {
        let shared = paths.iter().filter_map(|path| path.split_last()).flat_map(|(_, shared)| shared);
        shared.into_iter().all(|link| self.hop(*link) == Hop::losing(0.0))
    }

    /// The probability that a message comes by all of these ways, one for each recipient. A broadcast passes links that ways
    /// have in common once; the sender's own copy passes none.
    pub(super) fn all_pass(
        &mut self,
        is_group: bool,
        paths: &[Vec<LinkId>],
        parcel: &Parcel,
        copies: usize,
    ) -> Option<f64> {
        theory::all_ratio(&self.trees(is_group, paths, parcel, copies)?, copies)
    }

    /// The links that messages pass, those of one broadcast as the branches of a tree; `None` where there is no closed form:
    /// what passes a link with memory in several trees meets it at different times, but not independently.
    fn trees(&mut self, is_group: bool, paths: &[Vec<LinkId>], parcel: &Parcel, copies: usize) -> Option<Vec<Tree>> {
        let mut ways = Vec::new();
        for path in paths.iter().filter(|path| !path.is_empty()) {
            let (hops, _) = self.hops(path, parcel, copies)?;
            ways.push(path.iter().copied().zip(hops).collect::<Vec<_>>());
        }
        if !is_group {
            let hops = |way: Vec<(LinkId, Hop)>| way.into_iter().map(|(_, hop)| hop).collect::<Vec<_>>();
            return Some(ways.into_iter().filter_map(|way| Tree::of_way(&hops(way))).collect());
        }
        let mut roots: BTreeMap<LinkId, LinkId> = BTreeMap::new();
        let is_met_again = |path: &Vec<LinkId>| {
            let mut in_another = |link: &LinkId| *roots.entry(*link).or_insert(path[0]) != path[0];
            path.iter().any(|link| self.config(*link).loss.has_memory() && in_another(link))
        };
        if paths.iter().filter(|path| !path.is_empty()).any(is_met_again) {
            return None;
        }
        Some(branches(&ways.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    /// How many datagrams and IP fragments go over each link of a way for one message; `None` if that depends on its size.
    fn datagrams(&self, path: &[LinkId], parcel: &Parcel) -> Option<Vec<usize>> {
        let on_each = |data: &Vec<u32>| -> Vec<usize> {
            let mut pieces = data.clone();
            let on_link = |link: &LinkId| {
                if let Some(mtu) = self.config(*link).mtu {
                    let split = pieces.iter().flat_map(|piece| net::fragment_lengths(*piece, mtu)).map(u32::from);
                    pieces = split.collect();
                }
                pieces.len()
            };
            path.iter().map(on_link).collect()
        };
        let [of_shortest, of_longest] = parcel.data.each_ref().map(on_each);
        Some(of_longest).filter(|most| *most == of_shortest)
    }

    /// The longest that a datagram can be on its way.
    pub(super) fn slowest(&self, path: &[LinkId]) -> Duration {
        let longest = |link: &LinkId| self.config(*link).delay.distribution.quantile(u64::MAX);
        path.iter().map(longest).fold(Duration::ZERO, |sum, delay| sum + delay)
    }

    /// The links of a way as the closed forms see them, and how many datagrams for each time that the message is sent must
    /// pass them; `None` where there is no closed form. IP fragments, each of which is needed, count as one datagram that
    /// each link carries or loses.
    pub(super) fn hops(&mut self, path: &[LinkId], parcel: &Parcel, copies: usize) -> Option<(Vec<Hop>, usize)> {
        let datagrams = self.datagrams(path, parcel)?;
        let Some(split) = datagrams.iter().position(|number| *number > parcel.packets) else {
            return Some((path.iter().map(|link| self.hop(*link)).collect(), parcel.packets));
        };
        let hops: Vec<Hop> = path.iter().map(|link| self.hop(*link)).collect();
        let flipping = hops.iter().zip(&datagrams).filter(|(hop, _)| hop.corrupt > 0.0);
        let flips_fragments = flipping.clone().any(|(_, number)| *number > parcel.packets);
        let varies = |hops: &[Hop]| hops.iter().any(|hop| !hop.steady);
        // What is behind a link with memory must come to it in a row, and two flips may cancel.
        let is_scattered = |(at, hop): (usize, &Hop)| {
            hop.has_memory() && (copies > 1 || parcel.packets > 1 || at > split && varies(&hops[split..at]))
        };
        if hops.iter().any(|hop| hop.duplicate > 0.0)
            || flipping.count() > 1
            || flips_fragments
            || hops.iter().enumerate().any(is_scattered)
            || parcel.packets > 1 && varies(&hops)
            || self.slowest(path) >= REASSEMBLY_TIMEOUT
        {
            return None;
        }
        let mut together = Vec::new();
        for ((link, hop), number) in path.iter().zip(&hops).zip(datagrams) {
            let undamaged: f64 = std::iter::repeat_n(1.0 - hop.corrupt, parcel.packets).product();
            together.push(Hop::losing(1.0 - self.carries_in_a_row(*link, number) * undamaged));
        }
        Some((together, 1))
    }

    fn carries_in_a_row(&mut self, link: LinkId, datagrams: usize) -> f64 {
        let class = self.classes[link.index()];
        let loss = &self.topology.links()[class.index()].config.loss;
        *self.rows.entry((class, datagrams)).or_insert_with(|| loss.carries_in_a_row(datagrams))
    }

    fn hop(&self, link: LinkId) -> Hop {
        hop(self.config(link))
    }

    pub(super) fn config(&self, link: LinkId) -> &Config {
        &self.topology.links()[link.index()].config
    }
}

/// What a datagram passes, link by link.
type Passage<'a> = &'a [(LinkId, Hop)];

/// The trees of ways, by their first links in the order of meeting them.
fn branches(ways: &[Passage<'_>]) -> Vec<Tree> {
    let mut roots: Vec<(&Hop, Vec<Passage<'_>>)> = Vec::new();
    let mut places: BTreeMap<LinkId, usize> = BTreeMap::new();
    for ((link, hop), rest) in ways.iter().filter_map(|way| way.split_first()) {
        let place = *places.entry(*link).or_insert(roots.len());
        match roots.get_mut(place) {
            Some((_, ways)) => ways.push(rest),
            None => roots.push((hop, vec![rest])),
        }
    }
    roots.into_iter().map(|(hop, ways)| Tree { hop: hop.clone(), onward: branches(&ways) }).collect()
}

/// A link as the closed forms see it.
pub(super) fn hop(link: &Config) -> Hop {
    let steady = matches!(link.delay.distribution, Distribution::Constant(_)) && link.reorder.is_none();
    Hop {
        states: link.loss.stationary(),
        corrupt: link.corrupt.value(),
        duplicate: link.duplicate.value(),
        reorders: !link.delay.keep_order && !steady,
        steady,
    }
}

/// For each link the first one that impairs like it: there are as many kinds as profiles.
pub(super) fn classes(topology: &Topology) -> Vec<LinkId> {
    let mut kinds: Vec<(&Config, LinkId)> = Vec::new();
    let links = (0..).map(LinkId).zip(topology.links());
    links
        .map(|(id, link)| match kinds.iter().find(|(config, _)| **config == link.config) {
            Some((_, first)) => *first,
            None => {
                kinds.push((&link.config, id));
                id
            }
        })
        .collect()
}
