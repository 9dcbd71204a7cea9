//! The closed form beside the measurement: what the models of the links say about delivery.
//!
//! The number of undamaged instances of a datagram is followed from link to link: on a link that meets its loss model
//! in some state, each instance is lost, damaged, carried or doubled by itself; a model with memory is met in one state
//! by all instances of a datagram (a network duplicate meets the state that its original met). The message is delivered
//! if at least one instance is left at the end.
//!
//! For one link with mean loss m this is 1 - m, for two in a row (1 - m)(1 - m'), whatever the length of the bursts.

/// A link as the closed forms see it.
#[derive(Clone, PartialEq, Debug)]
pub struct Hop {
    /// The states of the loss model: how often a datagram meets each, and how often it is lost then.
    pub states: Vec<(f64, f64)>,
    /// Probability of a flipped bit that the checksum finds.
    pub corrupt: f64,
    /// Probability of an extra copy.
    pub duplicate: f64,
    /// Whether instances may change places on it.
    pub reorders: bool,
    /// Whether every instance takes as long.
    pub steady: bool,
}

impl Hop {
    /// A link that loses each datagram with the same probability, and does nothing else.
    #[must_use]
    pub fn losing(loss: f64) -> Self {
        Hop { states: vec![(1.0, loss)], corrupt: 0.0, duplicate: 0.0, reorders: false, steady: true }
    }

    /// The probability that nothing becomes of one instance, if each that is handed on comes to nothing with
    /// probability `lost_later`; by the state of the loss model.
    fn lost(&self, loss: f64, lost_later: f64) -> f64 {
        let kept = (1.0 - loss) * (1.0 - self.corrupt);
        1.0 - kept + kept * lost_later * (1.0 - self.duplicate + self.duplicate * lost_later)
    }

    /// Whether what it does to a datagram depends on what it did to others.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        self.states.len() > 1
    }
}

/// The probability that nothing is left of n instances at the end of a path, as a sum of w x^n: one term for each
/// sequence of states that makes a difference.
#[derive(Clone, PartialEq, Debug)]
struct Extinction(Vec<(f64, f64)>);

impl Extinction {
    /// Follows the path from its end; `None` if there are too many sequences of states.
    fn of(path: &[Hop]) -> Option<Self> {
        let arrived = Extinction(vec![(1.0, 0.0)]);
        path.iter().rev().try_fold(arrived, |after, hop| after.before(hop))
    }

    /// For instances that go into each of these trees, on each of which they are lost by themselves.
    fn of_all(trees: &[Tree]) -> Option<Self> {
        trees.iter().try_fold(Extinction(vec![(1.0, 1.0)]), |all, tree| {
            let tree = tree.extinction()?;
            let both =
                |(weight, lost): &(f64, f64)| tree.0.iter().map(|(w, l)| (weight * w, lost * l)).collect::<Vec<_>>();
            Extinction::of_terms(all.0.iter().flat_map(both))
        })
    }

    /// The same before a link.
    fn before(&self, hop: &Hop) -> Option<Self> {
        let met = |(weight, lost_later): &(f64, f64)| {
            let states = hop.states.iter().filter(|(share, _)| *share > 0.0);
            states.map(|(share, loss)| (weight * share, hop.lost(*loss, *lost_later))).collect::<Vec<_>>()
        };
        Extinction::of_terms(self.0.iter().flat_map(met))
    }

    /// Adds up what is alike; `None` if there are too many.
    fn of_terms(all: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let mut terms: Vec<(f64, f64)> = Vec::new();
        for (weight, lost) in all {
            match terms.iter_mut().find(|(_, known)| *known == lost) {
                Some((sum, _)) => *sum += weight,
                None => terms.push((weight, lost)),
            }
            if terms.len() > MAX_TERMS {
                return None;
            }
        }
        Some(Extinction(terms))
    }

    /// For so many instances at the start of the path.
    fn probability(&self, instances: usize) -> f64 {
        self.0.iter().map(|(weight, lost)| weight * std::iter::repeat_n(lost, instances).product::<f64>()).sum()
    }
}

/// The probability that a message passes `path`; `None` where no closed form of this kind holds.
#[must_use]
pub fn delivery_ratio(path: &[Hop]) -> Option<f64> {
    if !applies(path) {
        return None;
    }
    Some(1.0 - Extinction::of(path)?.probability(1))
}

/// The probability that a message passes `path` which is sent `copies` times, each time in `fragments` packets of which
/// every one is needed; `None` where no closed form of this kind holds: the links must be without memory then, and with
/// several packets they must not double, and take the same time for all, since fragments do not wait for each other long.
#[must_use]
pub fn repeated_delivery_ratio(path: &[Hop], fragments: usize, copies: usize) -> Option<f64> {
    if fragments == 1 && copies == 1 {
        return delivery_ratio(path);
    }
    let keeps_together = |hop: &Hop| fragments == 1 || (hop.steady && hop.duplicate == 0.0);
    let is_plain = |hop: &Hop| !hop.has_memory() && keeps_together(hop);
    if !path.iter().all(is_plain) {
        return None;
    }
    let one = delivery_ratio(path)?;
    let whole: f64 = std::iter::repeat_n(one, fragments).product();
    Some(1.0 - std::iter::repeat_n(1.0 - whole, copies).product::<f64>())
}

/// A link and those behind it that the same datagram goes on to, on each by itself: a broadcast on its way. At a link
/// without any behind it the datagram arrives.
#[derive(Clone, PartialEq, Debug)]
pub struct Tree {
    /// The link.
    pub hop: Hop,
    /// Those behind it.
    pub onward: Vec<Tree>,
}

impl Tree {
    /// A way without branches; `None` without links.
    #[must_use]
    pub fn of_way(way: &[Hop]) -> Option<Self> {
        let before =
            |onward: Option<Tree>, hop: &Hop| Some(Tree { hop: hop.clone(), onward: onward.into_iter().collect() });
        way.iter().rev().fold(None, before)
    }

    /// How many ends it has.
    fn ends(&self) -> usize {
        self.onward.iter().map(Tree::ends).sum::<usize>().max(1)
    }

    /// Whether the closed form holds on each way through it.
    fn applies(&self, before: &mut Vec<Hop>) -> bool {
        before.push(self.hop.clone());
        let applies =
            if self.onward.is_empty() { applies(before) } else { self.onward.iter().all(|tree| tree.applies(before)) };
        before.pop();
        applies
    }

    fn has_memory(&self) -> bool {
        self.hop.has_memory() || self.onward.iter().any(Tree::has_memory)
    }

    /// The probability that no instance is left at any end.
    fn extinction(&self) -> Option<Extinction> {
        let nothing = match self.onward.is_empty() {
            true => Extinction(vec![(1.0, 0.0)]),
            false => Extinction::of_all(&self.onward)?,
        };
        nothing.before(&self.hop)
    }

    /// For each number of instances before the link up to `most`, the probability that one is left at every end.
    fn everybody(&self, most: usize) -> Option<Vec<f64>> {
        if self.ends() == 1 {
            let mut terms = self.extinction()?.0;
            let lost: Vec<f64> = terms.iter().map(|(_, lost)| *lost).collect();
            terms.iter_mut().for_each(|(_, power)| *power = 1.0);
            let next = |_| {
                let arrives = 1.0 - terms.iter().map(|(weight, power)| weight * power).sum::<f64>();
                terms.iter_mut().zip(&lost).for_each(|((_, power), lost)| *power *= lost);
                arrives
            };
            return Some((0..=most).map(next).collect());
        }
        let most_behind = if self.hop.duplicate > 0.0 { 2 * most } else { most };
        if most_behind > MAX_INSTANCES {
            return None;
        }
        let behind: Option<Vec<Vec<f64>>> = self.onward.iter().map(|tree| tree.everybody(most_behind)).collect();
        let behind = behind?;
        let all_behind: Vec<f64> =
            (0..=most_behind).map(|instances| behind.iter().map(|tree| tree[instances]).product()).collect();
        let Hop { corrupt, duplicate, .. } = self.hop;
        let mean: f64 = self.hop.states.iter().map(|(share, loss)| share * (1.0 - loss) * (1.0 - corrupt)).sum();
        // One instance may meet any state; several of one datagram meet the same.
        let kept = |(share, loss): &(f64, f64)| (*share, (1.0 - loss) * (1.0 - corrupt));
        let states = if most > 1 { self.hop.states.iter().map(kept).collect() } else { vec![(1.0, mean)] };
        let mut everybody = vec![0.0; most + 1];
        for (share, kept) in states {
            let each = [1.0 - kept, kept * (1.0 - duplicate), kept * duplicate];
            // How probable it is that so many instances leave the link.
            let mut left = vec![1.0];
            for of_number in &mut everybody {
                *of_number += share * left.iter().zip(&all_behind).map(|(left, all)| left * all).sum::<f64>();
                let mut more = vec![0.0; left.len() + 2];
                for (before, probability) in left.iter().enumerate() {
                    each.iter().enumerate().for_each(|(further, share)| more[before + further] += probability * share);
                }
                left = more;
            }
        }
        Some(everybody)
    }
}

/// The probability that a message comes to any end of any of these trees, each of which it is sent through `copies` times;
/// `None` where no closed form of this kind holds: with several copies links must be without memory.
#[must_use]
pub fn any_ratio(trees: &[Tree], copies: usize) -> Option<f64> {
    if !all_apply(trees, copies) {
        return None;
    }
    let lost = Extinction::of_all(trees)?.probability(1);
    Some(1.0 - std::iter::repeat_n(lost, copies).product::<f64>())
}

/// The probability that a message comes to every end of all of these trees, each of which it is sent through `copies`
/// times; `None` where no closed form of this kind holds: with several copies links must be without memory.
#[must_use]
pub fn all_ratio(trees: &[Tree], copies: usize) -> Option<f64> {
    if !all_apply(trees, copies) {
        return None;
    }
    let each: Option<Vec<f64>> = trees.iter().map(|tree| tree.everybody(copies)?.pop()).collect();
    Some(each?.into_iter().product())
}

fn all_apply(trees: &[Tree], copies: usize) -> bool {
    trees.iter().all(|tree| tree.applies(&mut Vec::new()) && (copies == 1 || !tree.has_memory()))
}

/// Whether the closed form holds: two flipped bits can cancel, so at most one link may flip any; and a duplicate that
/// overtakes its original meets a state of its own.
fn applies(path: &[Hop]) -> bool {
    let flipping = path.iter().filter(|hop| hop.corrupt > 0.0).count();
    let doubled = path.iter().position(|hop| hop.duplicate > 0.0);
    let overtaken = doubled.is_some_and(|first| {
        let memory = path.iter().skip(first + 1).rposition(Hop::has_memory);
        memory.is_some_and(|last| path[first..first + 1 + last].iter().any(|hop| hop.reorders))
    });
    flipping <= 1 && !overtaken
}

/// The most sequences of states that are followed.
const MAX_TERMS: usize = 10_000;
/// The most instances of a broadcast that are followed.
const MAX_INSTANCES: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn losing(loss: f64) -> Hop {
        Hop::losing(loss)
    }

    fn bursts(mean: f64) -> Hop {
        Hop { states: vec![(1.0 - mean, 0.0), (mean, 1.0)], ..losing(0.0) }
    }

    fn assert_near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} is not {expected}");
    }

    #[test]
    fn links_in_a_row_multiply_whatever_their_bursts() {
        assert_near(delivery_ratio(&[]), 1.0);
        assert_near(delivery_ratio(&[losing(0.05)]), 0.95);
        assert_near(delivery_ratio(&[losing(0.05), bursts(0.05)]), 0.9025);
        assert_near(delivery_ratio(&[Hop { corrupt: 0.1, ..losing(0.2) }]), 0.8 * 0.9);
    }

    #[test]
    fn a_duplicate_is_a_second_chance_unless_it_meets_the_same_burst() {
        let doubling = Hop { duplicate: 1.0, ..losing(0.0) };
        assert_near(delivery_ratio(&[doubling.clone(), losing(0.2)]), 1.0 - 0.2 * 0.2);
        assert_near(delivery_ratio(&[doubling.clone(), bursts(0.2)]), 0.8);
        let half = Hop { duplicate: 0.5, ..losing(0.1) };
        assert_near(delivery_ratio(&[half, losing(0.2)]), 0.9 * (0.5 * 0.8 + 0.5 * 0.96));
        let shuffling = Hop { reorders: true, ..doubling };
        assert_eq!(delivery_ratio(&[shuffling.clone(), bursts(0.2)]), None, "the duplicate may come first");
        assert!(delivery_ratio(&[shuffling, losing(0.2)]).is_some());
    }

    #[test]
    fn long_ways_stay_cheap() {
        let path = vec![Hop { duplicate: 0.1, ..bursts(0.1) }; 32];
        assert!(delivery_ratio(&path).unwrap() < 0.9_f64.powi(31));
        let two_level = Hop { states: vec![(0.5, 0.1), (0.5, 0.2)], ..losing(0.0) };
        assert!(delivery_ratio(&vec![Hop { duplicate: 0.1, ..two_level.clone() }; 8]).is_some());
        assert_eq!(
            delivery_ratio(&vec![Hop { duplicate: 0.1, ..two_level }; 32]),
            None,
            "too many sequences of states"
        );
    }

    #[test]
    fn flips_on_two_links_may_cancel() {
        let flipping = Hop { corrupt: 0.1, ..losing(0.0) };
        assert!(delivery_ratio(std::slice::from_ref(&flipping)).is_some());
        assert_eq!(delivery_ratio(&[flipping.clone(), flipping]), None);
    }

    /// A link with ways behind it.
    fn branching(hop: Hop, ways: &[Vec<Hop>]) -> Tree {
        Tree { hop, onward: ways.iter().filter_map(|way| Tree::of_way(way)).collect() }
    }

    #[test]
    fn a_shared_link_is_lost_once_for_all() {
        let ways = |n| vec![vec![losing(0.05)]; n];
        let apart: Vec<Tree> = ways(12).iter().filter_map(|way| Tree::of_way(way)).collect();
        assert_near(all_ratio(&apart, 1), 0.95_f64.powi(12));
        assert_near(all_ratio(&[branching(losing(0.05), &vec![vec![losing(0.0)]; 12])], 1), 0.95);
        assert_near(all_ratio(&[branching(losing(0.1), &ways(2))], 1), 0.9 * 0.95 * 0.95);
        let doubling = Hop { duplicate: 1.0, ..losing(0.0) };
        assert_near(all_ratio(&[branching(doubling, &ways(3))], 1), (1.0_f64 - 0.05 * 0.05).powi(3));
    }

    /// Of two that a link loses together, two more behind a second one: all that can happen, by hand.
    #[test]
    fn what_is_lost_on_a_crossing_is_lost_for_all_behind_it() {
        let behind = Tree { hop: losing(0.3), onward: branching(losing(0.0), &vec![vec![losing(0.2)]; 2]).onward };
        let near = Tree::of_way(&[losing(0.1)]).unwrap();
        let tree = Tree { hop: losing(0.5), onward: vec![near.clone(), near, behind] };
        assert_near(all_ratio(std::slice::from_ref(&tree), 1), 0.5 * 0.9 * 0.9 * 0.7 * 0.8 * 0.8);
        // Sent twice: with one copy past the first link as above, with two each has two chances, and so has the crossing.
        let once = 0.9 * 0.9 * 0.7 * 0.8 * 0.8;
        let twice = 0.99 * 0.99 * (2.0 * 0.7 * 0.3 * 0.8 * 0.8 + 0.7 * 0.7 * 0.96 * 0.96);
        assert_near(all_ratio(std::slice::from_ref(&tree), 2), 0.5 * once + 0.25 * twice);
        // One who hears it at three places.
        assert_near(any_ratio(&[tree], 1), 0.5 * (1.0 - 0.1 * 0.1 * (0.3 + 0.7 * 0.2 * 0.2)));
    }

    /// On two interfaces: 1 - (1 - q1) (1 - q2).
    #[test]
    fn two_ways_are_two_chances() {
        let ways = [vec![losing(0.2), losing(0.5)], vec![bursts(0.3)]].map(|way| Tree::of_way(&way).unwrap());
        assert_near(any_ratio(&ways, 1), 1.0 - (1.0 - 0.8 * 0.5) * 0.3);
        assert_eq!(any_ratio(&ways, 2), None, "the second copy may meet the same burst");
        assert_near(any_ratio(&ways[..1], 3), 1.0 - 0.6_f64.powi(3));
    }
}
