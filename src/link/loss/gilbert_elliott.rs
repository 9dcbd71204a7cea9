//! Loss in bursts: a chain of two states.

use serde::Serialize;
use thiserror::Error;

use super::LossState;
use crate::draw::ModelState;
use crate::link::Probability;

/// The Gilbert-Elliott model: a chain of two states, stepped once for each datagram that is offered; in each state
/// datagrams are lost independently.
///
/// Source: E. O. Elliott, "Estimates of error rates for codes on burst-noise channels" (1963), after E. N. Gilbert
/// (1960). In the long run a share p / (p + r) of the datagrams meets the bad state, and a stay there lasts 1 / r
/// datagrams.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct GilbertElliott {
    /// Probability of going from good to bad.
    pub p: Probability,
    /// Probability of going from bad to good.
    pub r: Probability,
    /// Probability of loss in the good state.
    pub loss_good: Probability,
    /// Probability of loss in the bad state.
    pub loss_bad: Probability,
}

/// Few losses.
const GOOD: LossState = LossState(0);
/// Many losses.
const BAD: LossState = LossState(1);

impl GilbertElliott {
    /// The model with `mean` loss and loss periods of `burst` datagrams on average: r = 1 / burst,
    /// p = r x mean / (1 - mean); everything in the bad state is lost, nothing in the good one.
    ///
    /// A burst of 1 / (1 - mean) is independent loss; a burst of 1 forbids two losses in a row.
    ///
    /// # Errors
    ///
    /// If loss periods so short cannot make up so much loss (p would be over 1), or are shorter than one datagram.
    pub fn from_mean_and_burst(mean: Probability, burst: f64) -> Result<Self, BurstTooShort> {
        let odds = mean.value() / (1.0 - mean.value());
        let smallest = if mean == Probability::ALWAYS { 1.0 } else { odds.max(1.0) };
        if !burst.is_finite() || burst < smallest * (1.0 - ROUNDING) {
            return Err(BurstTooShort { mean: mean.value(), smallest });
        }
        let certain = mean == Probability::ALWAYS;
        let (p, r) = if certain { (1.0, 0.0) } else { ((odds / burst).min(1.0), (1.0 / burst).min(1.0)) };
        let probability = |value| Probability::new(value).expect("checked against the smallest burst");
        let (loss_good, loss_bad) = (Probability::NEVER, Probability::ALWAYS);
        Ok(GilbertElliott { p: probability(p), r: probability(r), loss_good, loss_bad })
    }

    /// The share of datagrams that meet the bad state in the long run; with p = 0 it is never met.
    #[must_use]
    pub fn stationary_bad(&self) -> Probability {
        let (p, r) = (self.p.value(), self.r.value());
        let share = if p == 0.0 { 0.0 } else { p / (p + r) };
        Probability::new(share).expect("p / (p + r) is from 0 to 1")
    }

    /// The shares of datagrams that meet each state in the long run.
    pub(super) fn long_run(&self) -> [f64; 2] {
        let bad = self.stationary_bad().value();
        [1.0 - bad, bad]
    }

    /// How likely a datagram is lost in each state.
    pub(super) fn loss(&self) -> [f64; 2] {
        [self.loss_good.value(), self.loss_bad.value()]
    }

    /// Where it goes from each state.
    pub(super) fn steps(&self) -> [[f64; 2]; 2] {
        let (p, r) = (self.p.value(), self.r.value());
        [[1.0 - p, p], [r, 1.0 - r]]
    }

    pub(super) fn initial(&self, draw: u64) -> LossState {
        if self.stationary_bad().decides(draw) { BAD } else { GOOD }
    }

    pub(super) fn risk(&self, state: LossState) -> Probability {
        if state == BAD { self.loss_bad } else { self.loss_good }
    }

    /// How probable it is that the next datagram meets the other state.
    pub(super) fn leaves(&self, state: LossState) -> Probability {
        if state == BAD { self.r } else { self.p }
    }

    pub(super) fn next(&self, state: LossState, draw: u64) -> LossState {
        match self.leaves(state).decides(draw) {
            true if state == BAD => GOOD,
            true => BAD,
            false => state,
        }
    }

    pub(super) fn state(&self, state: LossState) -> ModelState {
        if state == BAD { ModelState::Bad } else { ModelState::Good }
    }
}

/// Relative slack for the smallest burst: 0.9 / (1 - 0.9) is not quite 9 in floating point, and messages name it
/// rounded.
const ROUNDING: f64 = 1e-6;

/// The two numbers of a burst loss contradict each other.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
#[error(
    "a mean loss of {} % needs loss periods of at least {} datagrams on average",
    rounded(mean * 100.0),
    rounded(*smallest)
)]
pub struct BurstTooShort {
    /// The mean loss.
    pub mean: f64,
    /// The smallest burst that goes with it.
    pub smallest: f64,
}

/// To a millionth: what floating point adds below that would only confuse.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_numbers(mean: f64, burst: f64) -> Result<GilbertElliott, BurstTooShort> {
        GilbertElliott::from_mean_and_burst(Probability::new(mean).unwrap(), burst)
    }

    #[test]
    fn mean_and_burst_are_those_of_the_chain() {
        for (mean, burst) in [(0.05, 4.0), (0.5, 2.0), (0.9, 9.0), (0.2, 1.0)] {
            let model = two_numbers(mean, burst).unwrap();
            assert!((model.stationary_bad().value() - mean).abs() < 1e-12);
            assert!((1.0 / model.r.value() - burst).abs() < 1e-12);
        }
    }

    #[test]
    fn the_smallest_burst_is_named() {
        let error = two_numbers(0.8, 2.0).unwrap_err();
        assert!((error.smallest - 4.0).abs() < 1e-12, "0.8 / 0.2");
        assert!(two_numbers(0.8, error.smallest).is_ok());
        assert_eq!(two_numbers(0.1, 0.5).unwrap_err().smallest, 1.0);
        assert!(two_numbers(0.1, f64::NAN).is_err());
    }

    #[test]
    fn no_loss_and_total_loss_are_exact() {
        assert_eq!(two_numbers(0.0, 3.0).unwrap().stationary_bad(), Probability::NEVER);
        let total = two_numbers(1.0, 3.0).unwrap();
        assert_eq!(total.stationary_bad(), Probability::ALWAYS);
        assert_eq!(total.next(BAD, 0), BAD);
    }
}
