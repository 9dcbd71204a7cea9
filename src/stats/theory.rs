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
        path.iter().rev().try_fold(arrived, |after, hop| {
            let mut terms: Vec<(f64, f64)> = Vec::new();
            for (weight, lost_later) in &after.0 {
                for (share, loss) in hop.states.iter().filter(|(share, _)| *share > 0.0) {
                    let lost = hop.lost(*loss, *lost_later);
                    match terms.iter_mut().find(|(_, known)| *known == lost) {
                        Some((sum, _)) => *sum += weight * share,
                        None => terms.push((weight * share, lost)),
                    }
                }
            }
            (terms.len() <= MAX_TERMS).then_some(Extinction(terms))
        })
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

/// The probability that a broadcast, sent `copies` times, reaches everybody: it passes the link `shared` once, then each
/// way of `ways` by itself; `None` where no closed form of this kind holds: with several copies links must be without
/// memory.
#[must_use]
pub fn all_ratio(shared: Option<&Hop>, ways: &[Vec<Hop>], copies: usize) -> Option<f64> {
    let whole = |way: &Vec<Hop>| applies(&shared.into_iter().chain(way).cloned().collect::<Vec<_>>());
    let mut hops = shared.into_iter().chain(ways.iter().flatten());
    if !ways.iter().all(whole) || (copies > 1 && hops.any(Hop::has_memory)) {
        return None;
    }
    let extinctions: Option<Vec<_>> = ways.iter().map(|way| Extinction::of(way)).collect();
    let extinctions = extinctions?;
    let everybody = |instances: usize| -> f64 {
        extinctions.iter().map(|extinction| 1.0 - extinction.probability(instances)).product()
    };
    let Some(shared) = shared else { return Some(everybody(copies)) };
    let kept: f64 = shared.states.iter().map(|(share, loss)| share * (1.0 - loss) * (1.0 - shared.corrupt)).sum();
    let each = [1.0 - kept, kept * (1.0 - shared.duplicate), kept * shared.duplicate];
    // How probable it is that so many instances leave the shared link.
    let mut instances = vec![1.0];
    for _ in 0..copies {
        let mut more = vec![0.0; instances.len() + 2];
        for (before, probability) in instances.iter().enumerate() {
            each.iter().enumerate().for_each(|(further, share)| more[before + further] += probability * share);
        }
        instances = more;
    }
    Some((0..).zip(&instances).map(|(number, probability)| probability * everybody(number)).sum())
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

    #[test]
    fn a_shared_link_is_lost_once_for_all() {
        let ways = |n| vec![vec![losing(0.05)]; n];
        assert_near(all_ratio(None, &ways(12), 1), 0.95_f64.powi(12));
        assert_near(all_ratio(Some(&losing(0.05)), &vec![Vec::new(); 12], 1), 0.95);
        assert_near(all_ratio(Some(&losing(0.1)), &ways(2), 1), 0.9 * 0.95 * 0.95);
        let doubling = Hop { duplicate: 1.0, ..losing(0.0) };
        assert_near(all_ratio(Some(&doubling), &ways(3), 1), (1.0_f64 - 0.05 * 0.05).powi(3));
    }
}
