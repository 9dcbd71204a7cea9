//! Probabilities and the integer comparison that decides by them.

use serde::Serialize;

/// A probability from 0 to 1.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Probability(f64);

impl Probability {
    /// Never.
    pub const NEVER: Probability = Probability(0.0);
    /// Always.
    pub const ALWAYS: Probability = Probability(1.0);

    /// The probability `value`, if it is one.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Probability(value))
    }

    /// Its value from 0 to 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// Whether a uniform draw of 64 bits decides for the event: the draw is below `value` x 2^64. Scaling by a power of
    /// two is exact, so the decision is the same on every machine, and 0 and 1 are never and always.
    #[must_use]
    pub fn decides(self, draw: u64) -> bool {
        const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
        u128::from(draw) < (self.0 * TWO_POW_64) as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_exact() {
        for draw in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!Probability::NEVER.decides(draw));
            assert!(Probability::ALWAYS.decides(draw));
        }
        let half = Probability::new(0.5).unwrap();
        assert!(half.decides((1 << 63) - 1));
        assert!(!half.decides(1 << 63));
    }

    #[test]
    fn only_values_from_0_to_1_are_probabilities() {
        for value in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert_eq!(Probability::new(value), None);
        }
    }
}
