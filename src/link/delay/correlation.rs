//! Correlation: what is drawn for a datagram is like what was drawn for the one before.

use serde::Serialize;

use crate::link::{Probability, normal};

/// First-order correlation with coefficient c from 0 to 1.
///
/// netem mixes each draw with the last result, x' = c x + (1 - c) u (`get_crandom`), which makes the spread smaller than
/// what was asked for. Here the same first-order form is applied to normal scores, z' = c z + sqrt(1 - c^2) e, where e is
/// the normal quantile of the draw: z is standard normal whatever c is, so the distribution that is read at its rank is
/// exactly the one that was asked for (a choice: a Gaussian copula instead of netem's mixture).
///
/// Scores that are k datagrams apart are correlated by c^k, and so are normal delays; ranks, and with them uniform delays,
/// by 6/pi asin(c^k / 2); lognormal ones by (exp(s^2 c^k) - 1) / (exp(s^2) - 1) with s = sigma. Source: R. B. Nelsen, "An
/// Introduction to Copulas" (2006), 5.1; for the form, Box, Jenkins, "Time Series Analysis" (1976), 3.2.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(transparent)]
pub struct Correlation(Probability);

/// A standard normal value, by whose rank something is decided.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(in crate::link) struct Score(f64);

impl Correlation {
    /// Each by itself.
    pub const NONE: Correlation = Correlation(Probability::NEVER);

    /// Correlation with this coefficient; 1 repeats the first for ever.
    #[must_use]
    pub const fn new(coefficient: Probability) -> Self {
        Correlation(coefficient)
    }

    /// The coefficient.
    #[must_use]
    pub const fn coefficient(&self) -> Probability {
        self.0
    }

    /// Whether each is by itself.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The score of a datagram with this draw, which comes after one with the score `before`.
    pub(in crate::link) fn after(self, Score(before): Score, draw: u64) -> Score {
        let c = self.0.value();
        Score(c * before + (1.0 - c * c).sqrt() * normal::quantile(super::share(draw)))
    }
}

impl Score {
    /// The score that a draw stands for.
    pub(in crate::link) fn of(draw: u64) -> Self {
        Score(normal::quantile(super::share(draw)))
    }

    /// The draw with the same rank.
    pub(in crate::link) fn rank(self) -> u64 {
        const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
        (normal::share_below(self.0) * TWO_POW_64) as u64 // saturates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_draws_of_their_scores() {
        for byte in 0..=u8::MAX {
            let draw = u64::from_ne_bytes([byte; 8]);
            assert!(Score::of(draw).rank().abs_diff(draw) <= 1 << 13, "{draw:x}");
        }
    }

    #[test]
    fn the_ends_are_no_correlation_and_repetition() {
        let always = Correlation::new(Probability::ALWAYS);
        for draw in [0, 1 << 40, u64::MAX] {
            assert_eq!(always.after(Score(0.7), draw), Score(0.7));
            assert_eq!(Correlation::NONE.after(Score(0.7), draw), Score::of(draw));
        }
    }
}
