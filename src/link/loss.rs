//! Loss models: which datagrams a link takes away.

use serde::Serialize;
use thiserror::Error;

use super::probability::Probability;
use crate::id::DatagramId;
use crate::rng::{LinkDraws, Purpose};

/// A loss model.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Each datagram is lost with the same probability, whatever happened to the others.
    Independent(Probability),
    /// Losses come in bursts.
    GilbertElliott(GilbertElliott),
}

impl Loss {
    /// Loses nothing.
    pub const NONE: Loss = Loss::Independent(Probability::NEVER);

    /// Whether losses depend on the losses before.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        matches!(self, Loss::GilbertElliott(_))
    }

    /// The states of the model in the long run: share of datagrams that meet it, probability that they are lost. What
    /// the closed forms start from.
    #[must_use]
    pub fn stationary(&self) -> Vec<(f64, f64)> {
        match self {
            Loss::Independent(probability) => vec![(1.0, probability.value())],
            Loss::GilbertElliott(model) => {
                let bad = model.stationary_bad().value();
                vec![(1.0 - bad, model.loss_good.value()), (bad, model.loss_bad.value())]
            }
        }
    }
}

/// The state of a loss model with memory that a datagram meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LossState {
    /// Few losses.
    Good,
    /// Many losses.
    Bad,
}

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

    /// The share of datagrams that meet the bad state in the long run; it never changes state if p = r = 0.
    #[must_use]
    pub fn stationary_bad(&self) -> Probability {
        let (p, r) = (self.p.value(), self.r.value());
        let share = if p == 0.0 { 0.0 } else { p / (p + r) };
        Probability::new(share).expect("p / (p + r) is from 0 to 1")
    }

    fn takes(&self, state: LossState, draw: u64) -> bool {
        match state {
            LossState::Good => self.loss_good.decides(draw),
            LossState::Bad => self.loss_bad.decides(draw),
        }
    }

    fn next(&self, state: LossState, draw: u64) -> LossState {
        match state {
            LossState::Good if self.p.decides(draw) => LossState::Bad,
            LossState::Bad if self.r.decides(draw) => LossState::Good,
            _ => state,
        }
    }
}

/// Relative slack for the smallest burst: 0.9 / (1 - 0.9) is not quite 9 in floating point, and messages name it
/// rounded.
const ROUNDING: f64 = 1e-6;

/// A loss model at work on one link: the model and what it remembers.
#[derive(Clone, Copy, Debug)]
pub(super) enum LossProcess {
    Independent(Probability),
    GilbertElliott { model: GilbertElliott, state: LossState },
}

impl LossProcess {
    /// The model in its stationary state.
    pub(super) fn start(loss: Loss, draws: &LinkDraws) -> Self {
        match loss {
            Loss::Independent(probability) => LossProcess::Independent(probability),
            Loss::GilbertElliott(model) => {
                let bad = model.stationary_bad().decides(draws.initial_state());
                let state = if bad { LossState::Bad } else { LossState::Good };
                LossProcess::GilbertElliott { model, state }
            }
        }
    }

    /// Whether the model takes a datagram, and the state that the datagram met. `draw` is the one for
    /// [`Purpose::Loss`].
    ///
    /// A chain steps once for each datagram offered. A network duplicate does not step it: it meets the state that its
    /// original `met`, or, if it overtook its original, the state that is there (a choice), so that switching
    /// duplication on moves no other outcome.
    pub(super) fn offer(
        &mut self,
        id: &DatagramId,
        met: Option<LossState>,
        draw: u64,
        draws: &LinkDraws,
    ) -> (bool, Option<LossState>) {
        match self {
            LossProcess::Independent(probability) => (probability.decides(draw), None),
            LossProcess::GilbertElliott { model, state } => {
                let met = met.unwrap_or(*state);
                if id.duplicate == 0 {
                    *state = model.next(*state, draws.draw(id, Purpose::LossState));
                }
                (model.takes(met, draw), Some(met))
            }
        }
    }
}

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
        assert_eq!(total.next(LossState::Bad, 0), LossState::Bad);
    }
}
