//! The closed form beside the measurement: what the models of the links say about delivery.
//!
//! The number of undamaged instances of a datagram is followed from link to link as a distribution: on a link that meets its
//! loss model in some state, each instance is lost, damaged, carried or doubled by itself; a model with memory is met in
//! one state by all instances of a datagram (a network duplicate meets the state that its original met). The message is
//! delivered if at least one instance is left at the end.
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
}

impl Hop {
    /// The distribution of the number of instances after the link, from that before it.
    fn pass(&self, before: &[f64]) -> Vec<f64> {
        let mut after = vec![0.0; before.len() * 2 - 1];
        for &(share, loss) in &self.states {
            let kept = (1.0 - loss) * (1.0 - self.corrupt);
            let one = [1.0 - kept, kept * (1.0 - self.duplicate), kept * self.duplicate];
            let mut of_n = vec![1.0];
            for weight in before {
                for (count, probability) in of_n.iter().enumerate() {
                    after[count] += share * weight * probability;
                }
                of_n = convolve(&of_n, &one);
            }
        }
        after
    }

    fn has_memory(&self) -> bool {
        self.states.len() > 1
    }
}

/// The probability that a message passes `path`; `None` where no closed form of this kind holds.
#[must_use]
pub fn delivery_ratio(path: &[Hop]) -> Option<f64> {
    applies(path).then(|| 1.0 - pass_all(path, vec![0.0, 1.0])[0])
}

/// The probability that a broadcast reaches everybody: it passes `shared` once, then each way of `ways` by itself; `None`
/// where no closed form of this kind holds.
#[must_use]
pub fn all_ratio(shared: &[Hop], ways: &[Vec<Hop>]) -> Option<f64> {
    let whole = |way: &Vec<Hop>| applies(&[shared, way].concat());
    if !ways.iter().all(whole) {
        return None;
    }
    let instances = pass_all(shared, vec![0.0, 1.0]);
    let everybody = |count: usize| -> f64 {
        let mut offered = vec![0.0; count + 1];
        offered[count] = 1.0;
        ways.iter().map(|way| 1.0 - pass_all(way, offered.clone())[0]).product()
    };
    Some(instances.iter().enumerate().map(|(count, probability)| probability * everybody(count)).sum())
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

fn pass_all(path: &[Hop], instances: Vec<f64>) -> Vec<f64> {
    path.iter().fold(instances, |instances, hop| hop.pass(&instances))
}

/// The distribution of the sum of two independent counts.
fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            sum[i + j] += x * y;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losing(loss: f64) -> Hop {
        Hop { states: vec![(1.0, loss)], corrupt: 0.0, duplicate: 0.0, reorders: false }
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
    fn flips_on_two_links_may_cancel() {
        let flipping = Hop { corrupt: 0.1, ..losing(0.0) };
        assert!(delivery_ratio(std::slice::from_ref(&flipping)).is_some());
        assert_eq!(delivery_ratio(&[flipping.clone(), flipping]), None);
    }

    #[test]
    fn a_shared_link_is_lost_once_for_all() {
        let ways = |n| vec![vec![losing(0.05)]; n];
        assert_near(all_ratio(&[], &ways(12)), 0.95_f64.powi(12));
        assert_near(all_ratio(&[losing(0.05)], &vec![Vec::new(); 12]), 0.95);
        assert_near(all_ratio(&[losing(0.1)], &ways(2)), 0.9 * 0.95 * 0.95);
        let doubling = Hop { duplicate: 1.0, ..losing(0.0) };
        assert_near(all_ratio(&[doubling], &ways(3)), (1.0_f64 - 0.05 * 0.05).powi(3));
    }
}
