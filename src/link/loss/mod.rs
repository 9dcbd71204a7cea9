//! Loss models: which datagrams a link takes away.
//!
//! A model with memory is in some state, which is a number. A datagram meets that state and is lost or not by it; then
//! the model steps, once for each datagram that is offered. Each starts as it is in the long run.

mod four_state;
mod gilbert_elliott;
mod pattern;
mod periodic;

pub use four_state::{FourState, OverCertain};
pub use gilbert_elliott::{BurstTooShort, GilbertElliott};
pub use pattern::{MAX_PATTERN, Pattern};
pub use periodic::Periodic;

use serde::Serialize;

use super::probability::Probability;
use crate::draw::ModelState;

/// A loss model.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Each datagram is lost with the same probability, whatever happened to the others.
    Independent(Probability),
    /// Losses come in bursts.
    GilbertElliott(GilbertElliott),
    /// Losses come in bursts with gaps in them, and one by one between them.
    FourState(FourState),
    /// One datagram of a fixed number is lost.
    Every(Periodic),
    /// What is lost is written down.
    Pattern(Pattern),
}

impl Loss {
    /// Loses nothing.
    pub const NONE: Loss = Loss::Independent(Probability::NEVER);

    /// Whether losses depend on the losses before.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        !matches!(self, Loss::Independent(_))
    }

    /// The states of the model in the long run: share of datagrams that meet it, probability that they are lost. What
    /// the closed forms start from; states that lose alike count as one.
    #[must_use]
    pub fn stationary(&self) -> Vec<(f64, f64)> {
        match self {
            Loss::Independent(probability) => vec![(1.0, probability.value())],
            Loss::GilbertElliott(model) => model.long_run().into_iter().zip(model.loss()).collect(),
            Loss::FourState(model) => all_or_nothing(model.mean()),
            Loss::Every(model) => all_or_nothing(model.mean()),
            Loss::Pattern(pattern) => all_or_nothing(pattern.mean()),
        }
    }

    /// The probability that so many datagrams in a row are carried, in the long run.
    #[must_use]
    pub fn carries_in_a_row(&self, datagrams: usize) -> f64 {
        match self {
            Loss::Every(model) => model.carries_in_a_row(datagrams),
            Loss::Pattern(pattern) => pattern.carries_in_a_row(datagrams),
            chain => chain.mean_in_a_row(datagrams, 1.0, |loss| 1.0 - loss).expect("the others are chains"),
        }
    }

    /// The probability that none of so many datagrams in a row comes to its end, in the long run, if each is offered with
    /// the probability `offered` and comes to nothing with `lost_later` when it was carried; `None` for periods and patterns.
    #[must_use]
    pub fn takes_all_in_a_row(&self, datagrams: usize, offered: f64, lost_later: f64) -> Option<f64> {
        self.mean_in_a_row(datagrams, offered, |loss| loss + (1.0 - loss) * lost_later)
    }

    /// The mean, over what so many datagrams in a row meet, of the product of what each of those makes of its probability of
    /// loss that are offered, which each is with the probability `offered`; `None` for what is no Markov chain.
    fn mean_in_a_row(&self, datagrams: usize, offered: f64, factor: impl Fn(f64) -> f64) -> Option<f64> {
        match self {
            Loss::Independent(loss) => Some(mean([1.0], [factor(loss.value())], [[1.0]], datagrams, offered)),
            Loss::GilbertElliott(model) => {
                Some(mean(model.long_run(), model.loss().map(factor), model.steps(), datagrams, offered))
            }
            Loss::FourState(model) => {
                Some(mean(model.stationary(), FourState::LOSS.map(factor), model.steps(), datagrams, offered))
            }
            Loss::Every(_) | Loss::Pattern(_) => None,
        }
    }

    /// The state in which the model starts, by the draw for it.
    pub(super) fn initial(&self, draw: u64) -> LossState {
        match self {
            Loss::Independent(_) => LossState(0),
            Loss::GilbertElliott(model) => model.initial(draw),
            Loss::FourState(model) => model.initial(draw),
            Loss::Every(model) => model.initial(draw),
            Loss::Pattern(pattern) => pattern.initial(draw),
        }
    }

    /// How probable it is that the model takes a datagram that meets this state.
    pub(super) fn risk(&self, state: LossState) -> Probability {
        match self {
            Loss::Independent(probability) => *probability,
            Loss::GilbertElliott(model) => model.risk(state),
            Loss::FourState(model) => all_or_none(model.takes(state)),
            Loss::Every(model) => all_or_none(model.takes(state)),
            Loss::Pattern(pattern) => all_or_none(pattern.takes(state)),
        }
    }

    /// What a state is; `None` where there is only one.
    pub(super) fn state(&self, state: LossState) -> Option<ModelState> {
        match self {
            Loss::Independent(_) => None,
            Loss::GilbertElliott(model) => Some(model.state(state)),
            Loss::FourState(_) => Some(ModelState::Numbered(state.0 as u8 + 1)),
            Loss::Every(model) => Some(ModelState::Place(state.0 + 1, model.every().get())),
            Loss::Pattern(pattern) => Some(ModelState::Place(state.0 + 1, pattern.len())),
        }
    }

    /// Whether a draw decides what the next datagram meets; and if it is the answer to one question, whether the state
    /// changes, how probable that is.
    pub(super) fn is_drawn(&self, state: LossState) -> Option<Option<Probability>> {
        match self {
            Loss::GilbertElliott(model) => Some(Some(model.leaves(state))),
            Loss::FourState(_) => Some(None),
            Loss::Independent(_) | Loss::Every(_) | Loss::Pattern(_) => None,
        }
    }

    /// What the next datagram meets; `draw` is this one's for it.
    pub(super) fn next(&self, state: LossState, draw: u64) -> LossState {
        match self {
            Loss::Independent(_) => state,
            Loss::GilbertElliott(model) => model.next(state, draw),
            Loss::FourState(model) => model.next(state, draw),
            Loss::Every(model) => model.next(state),
            Loss::Pattern(pattern) => pattern.next(state),
        }
    }
}

/// The mean of a product of factors of the states that a chain is met in, each datagram meeting it with the probability
/// `offered`.
fn mean<const N: usize>(
    mut shares: [f64; N],
    factors: [f64; N],
    steps: [[f64; N]; N],
    datagrams: usize,
    offered: f64,
) -> f64 {
    for _ in 0..datagrams {
        let met: [f64; N] = std::array::from_fn(|state| shares[state] * factors[state]);
        let stepped = |to: usize| met.iter().zip(&steps).map(|(share, from)| share * from[to]).sum::<f64>();
        shares = std::array::from_fn(|state| (1.0 - offered) * shares[state] + offered * stepped(state));
    }
    shares.iter().sum()
}

/// The state of a loss model with memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LossState(u32);

/// The risk in a state in which all datagrams are lost or none.
fn all_or_none(lost: bool) -> Probability {
    if lost { Probability::ALWAYS } else { Probability::NEVER }
}

/// The long run of a model in whose states all datagrams are lost or none.
fn all_or_nothing(mean: f64) -> Vec<(f64, f64)> {
    vec![(1.0 - mean, 0.0), (mean, 1.0)]
}

/// One of `states` states, each alike.
fn any_of(states: u32, draw: u64) -> LossState {
    LossState(((u128::from(states) * u128::from(draw)) >> 64) as u32)
}
