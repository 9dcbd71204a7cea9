//! Loss as it was written down: a pattern that repeats.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::{LossState, any_of};

/// A pattern of losses that repeats. A share of lost / length is lost. Where in the pattern a link starts is drawn,
/// each position alike (a choice), so that every datagram is lost with that probability, and links do not lose in step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(Arc<Losses>);

#[derive(PartialEq, Eq, Debug)]
struct Losses {
    lost: Box<[bool]>,
    /// SHA-256 of the pattern, which stands for it in the resolved scenario.
    hash: String,
}

/// The most datagrams of a pattern.
pub const MAX_PATTERN: usize = 1_000_000;

impl Pattern {
    /// The pattern that loses the datagrams for which `lost` is true; `None` if there are none or more than
    /// [`MAX_PATTERN`].
    #[must_use]
    pub fn new(lost: Vec<bool>) -> Option<Self> {
        if lost.is_empty() || lost.len() > MAX_PATTERN {
            return None;
        }
        let digits: Vec<u8> = lost.iter().map(|lost| b'0' + u8::from(*lost)).collect();
        let hash = Sha256::digest(digits).iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Pattern(Arc::new(Losses { lost: lost.into(), hash })))
    }

    /// How many datagrams it is about.
    pub(super) fn len(&self) -> u32 {
        self.0.lost.len() as u32
    }

    /// The share of datagrams that are lost.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let lost = self.0.lost.iter().filter(|lost| **lost).count();
        lost as f64 / self.0.lost.len() as f64
    }

    /// The mean length of its loss periods, the last of which may go on in the next round; `None` if it loses all or
    /// nothing.
    #[must_use]
    pub fn mean_burst(&self) -> Option<f64> {
        let lost = &self.0.lost;
        let is_lost = |position: usize| usize::from(lost[position % lost.len()]);
        let periods: usize = (0..lost.len()).map(|before| is_lost(before + 1).saturating_sub(is_lost(before))).sum();
        let lost: usize = (0..lost.len()).map(is_lost).sum();
        (periods > 0).then(|| lost as f64 / periods as f64)
    }

    /// The probability that so many datagrams in a row are carried.
    pub(super) fn carries_in_a_row(&self, datagrams: usize) -> f64 {
        let lost = &self.0.lost;
        let Some(first) = lost.iter().position(|lost| *lost) else { return 1.0 };
        let from_a_loss = || lost[first + 1..].iter().chain(&lost[..=first]);
        let mut carried = 0;
        let mut beginnings = 0;
        for lost in from_a_loss() {
            carried = if *lost { 0 } else { carried + 1 };
            beginnings += usize::from(carried >= datagrams);
        }
        beginnings as f64 / lost.len() as f64
    }

    pub(super) fn initial(&self, draw: u64) -> LossState {
        any_of(self.0.lost.len() as u32, draw)
    }

    pub(super) fn takes(&self, LossState(position): LossState) -> bool {
        self.0.lost[position as usize]
    }

    pub(super) fn next(&self, LossState(position): LossState) -> LossState {
        LossState((position + 1) % self.0.lost.len() as u32)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_repeats() {
        let pattern = Pattern::new(vec![false, true, true]).unwrap();
        let mut state = pattern.initial(0);
        let mut taken = Vec::new();
        for _ in 0..7 {
            taken.push(pattern.takes(state));
            state = pattern.next(state);
        }
        assert_eq!(taken, [false, true, true, false, true, true, false]);
        assert_eq!(pattern.initial(u64::MAX), LossState(2));
        assert_eq!(Pattern::new(Vec::new()), None);
        assert_eq!(Pattern::new(vec![true; MAX_PATTERN + 1]), None);
    }

    #[test]
    fn different_patterns_have_different_hashes() {
        let json = |lost: &[bool]| serde_json::to_string(&Pattern::new(lost.to_vec()).unwrap()).unwrap();
        assert_eq!(json(&[true, false]), json(&[true, false]));
        assert_ne!(json(&[true, false]), json(&[false, true]));
    }
}
