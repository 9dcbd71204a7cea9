//! Reordering: datagrams that take no time.

use std::num::NonZeroU32;

use serde::Serialize;

use super::delay::{Correlation, Score, share};
use super::probability::Probability;

/// Which datagrams are sent on without delay, and so overtake those before them.
///
/// As in netem (tc-netem(8), `reorder` and `gap`): after one that was, the next gap - 1 datagrams are not; each one after
/// those is with this probability. So a share p / (1 + p (gap - 1)) is, and their distance is gap - 1 and a geometric
/// number with mean 1 / p. With a correlation, it decides like each delay's: scores that are compared with the
/// probability, which stays what it is; two neighbours with gap 1 are both chosen with the probability that two
/// correlated normal variables are both below the quantile of p, for p = 1/2 with 1/4 + asin(c) / (2 pi).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Reorder {
    /// The probability of a datagram that may be chosen.
    pub probability: Probability,
    /// From one that is chosen to the next that may be.
    pub gap: NonZeroU32,
    /// How much each decision is like the one before.
    pub correlation: Correlation,
}

/// What is remembered of the datagrams before.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct ReorderState {
    score: Score,
    /// How many were delayed since one was not, at most gap - 1.
    delayed: u32,
}

impl Reorder {
    /// Every datagram takes its time.
    pub const NONE: Reorder =
        Reorder { probability: Probability::NEVER, gap: NonZeroU32::MIN, correlation: Correlation::NONE };

    /// Whether every datagram takes its time.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.probability == Probability::NEVER
    }

    /// The state in the long run, by the draws for it. With a correlation and a gap its two parts depend on each other,
    /// in a way that has no closed form: they start as if they did not (a choice).
    pub(super) fn initial(&self, score: u64, delayed: u64) -> ReorderState {
        let (p, last) = (self.probability.value(), self.gap.get() - 1);
        // In the long run one that may be chosen is met 1 / p times as often as each of the others.
        let place = share(delayed) * (1.0 + p * f64::from(last));
        let delayed = if place < 1.0 { last } else { (((place - 1.0) / p) as u32).min(last - 1) };
        ReorderState { score: Score::of(score), delayed }
    }

    /// Whether a datagram that meets this state is sent on without delay; `draw` is its own.
    pub(super) fn chooses(&self, state: ReorderState, draw: u64) -> bool {
        self.may_choose(state) && self.probability.decides(self.rank(state, draw))
    }

    /// The draw that decides: its own, or with a correlation that of its score.
    pub(super) fn rank(&self, state: ReorderState, draw: u64) -> u64 {
        if self.correlation.is_none() { draw } else { self.correlation.after(state.score, draw).rank() }
    }

    /// Whether one that meets this state may be sent on without delay: enough were delayed before it.
    pub(super) fn may_choose(&self, state: ReorderState) -> bool {
        state.delayed == self.gap.get() - 1
    }

    /// What the next datagram meets.
    pub(super) fn next(&self, state: ReorderState, draw: u64) -> ReorderState {
        let delayed = if self.chooses(state, draw) { 0 } else { (state.delayed + 1).min(self.gap.get() - 1) };
        ReorderState { score: self.correlation.after(state.score, draw), delayed }
    }
}
