//! Loss in bursts that have gaps: a chain of four states.

use serde::Serialize;
use thiserror::Error;

use super::LossState;
use crate::link::Probability;

/// The four-state Markov model, as netem has it: state 1 carries; state 3 loses, in a burst; state 2 carries, in a
/// burst; state 4 loses a single datagram outside of bursts, and state 1 always follows it.
///
/// Source: S. Salsano, F. Ludovici, A. Ordine, "Definition of a general and intuitive loss model for packet networks
/// and its implementation in the Netem module in the Linux kernel" (2012). In the long run the states are met in the
/// proportion p23 p31 : p13 p32 : p13 p23 : p14 p23 p31.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct FourState {
    p13: Probability,
    p31: Probability,
    p32: Probability,
    p23: Probability,
    p14: Probability,
}

// The states, numbered as in the source less one.
const GOOD: LossState = LossState(0);
const GOOD_IN_BURST: LossState = LossState(1);
const LOST_IN_BURST: LossState = LossState(2);
const LOST_ALONE: LossState = LossState(3);
const STATES: [LossState; 4] = [GOOD, GOOD_IN_BURST, LOST_IN_BURST, LOST_ALONE];

impl FourState {
    /// The model with these probabilities of going from one state to another; in each state it stays with what is left
    /// to 1.
    ///
    /// # Errors
    ///
    /// If p13 + p14 or p31 + p32 is over 1.
    pub fn new(
        p13: Probability,
        p31: Probability,
        p32: Probability,
        p23: Probability,
        p14: Probability,
    ) -> Result<Self, OverCertain> {
        for (names, sum) in [(["p13", "p14"], p13.value() + p14.value()), (["p31", "p32"], p31.value() + p32.value())] {
            if sum > 1.0 + ROUNDING {
                return Err(OverCertain { names, sum });
            }
        }
        Ok(FourState { p13, p31, p32, p23, p14 })
    }

    /// p13, p31, p32, p23 and p14, in netem's order.
    #[must_use]
    pub fn probabilities(&self) -> [Probability; 5] {
        [self.p13, self.p31, self.p32, self.p23, self.p14]
    }

    /// The share of datagrams that meet each state in the long run, if the chain once was in state 1. A state that it
    /// cannot come to has none, and one that it comes to and never leaves has all.
    #[must_use]
    pub fn stationary(&self) -> [f64; 4] {
        let [p13, p31, p32, p23, p14] = self.probabilities().map(Probability::value);
        let weights = if p13 == 0.0 {
            [1.0, 0.0, 0.0, p14] // there are no bursts
        } else if p32 == 0.0 {
            [p31, 0.0, p13, p14 * p31] // bursts have no gaps, whatever p23 says
        } else {
            [p23 * p31, p13 * p32, p13 * p23, p14 * p23 * p31]
        };
        let sum: f64 = weights.iter().sum();
        weights.map(|weight| weight / sum)
    }

    /// How likely a datagram is lost in each state.
    pub(super) const LOSS: [f64; 4] = [0.0, 0.0, 1.0, 1.0];

    /// Where it goes from each state.
    pub(super) fn steps(&self) -> [[f64; 4]; 4] {
        let FourState { p13, p31, p32, p23, p14 } = self;
        let [p13, p31, p32, p23, p14] = [p13, p31, p32, p23, p14].map(|probability| probability.value());
        let stays = |away: f64| (1.0 - away).max(0.0);
        [
            [stays(p13 + p14), 0.0, p13, p14],
            [0.0, 1.0 - p23, p23, 0.0],
            [p31, p32, stays(p31 + p32), 0.0],
            [1.0, 0.0, 0.0, 0.0],
        ]
    }

    /// The share of datagrams that are lost in the long run.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let [_, _, in_burst, alone] = self.stationary();
        in_burst + alone
    }

    pub(super) fn initial(&self, draw: u64) -> LossState {
        let mut below = 0.0;
        let shares = self.stationary();
        let met = STATES.into_iter().zip(shares).find(|(_, share)| {
            below += share;
            at_most(below).decides(draw)
        });
        // Rounding can leave a sliver above the last share: it goes to the likeliest state.
        let likeliest = || STATES.into_iter().zip(shares).max_by(|(_, a), (_, b)| a.total_cmp(b));
        met.or_else(likeliest).map_or(GOOD, |(state, _)| state)
    }

    pub(super) fn takes(&self, state: LossState) -> bool {
        state == LOST_IN_BURST || state == LOST_ALONE
    }

    pub(super) fn next(&self, state: LossState, draw: u64) -> LossState {
        let either = |first: Probability, then: Probability| at_most(first.value() + then.value()).decides(draw);
        match state {
            GOOD if self.p14.decides(draw) => LOST_ALONE,
            GOOD if either(self.p14, self.p13) => LOST_IN_BURST,
            GOOD_IN_BURST if self.p23.decides(draw) => LOST_IN_BURST,
            LOST_IN_BURST if self.p32.decides(draw) => GOOD_IN_BURST,
            LOST_IN_BURST if either(self.p32, self.p31) => GOOD,
            LOST_ALONE => GOOD,
            _ => state,
        }
    }
}

/// A sum of probabilities, which rounding may have taken over 1.
fn at_most(sum: f64) -> Probability {
    Probability::new(sum.min(1.0)).expect("a sum of probabilities")
}

/// Slack for sums: 0.7 + 0.3 may be over 1 in floating point.
const ROUNDING: f64 = 1e-9;

/// Two ways out of one state have more than certainty together.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
#[error("`{}` and `{}` are ways out of one state and can be 100 % together, not {} %", names[0], names[1], sum * 100.0)]
pub struct OverCertain {
    names: [&'static str; 2],
    sum: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(p: [f64; 5]) -> Result<FourState, OverCertain> {
        let [p13, p31, p32, p23, p14] = p.map(|value| Probability::new(value).unwrap());
        FourState::new(p13, p31, p32, p23, p14)
    }

    /// One step changes nothing in the long run: the shares solve the balance of the chain, whatever its shape.
    #[test]
    fn the_long_run_stays_as_it_is() {
        for p in [
            [0.1, 0.3, 0.2, 0.6, 0.05],
            [0.4, 0.7, 0.3, 1.0, 0.6],
            [0.0, 0.3, 0.2, 0.6, 0.05],
            [0.1, 0.3, 0.0, 0.0, 0.05],
            [0.1, 0.0, 0.2, 0.6, 0.05],
            [0.1, 0.3, 0.2, 0.0, 0.05],
            [0.1, 0.0, 0.0, 0.5, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0],
        ] {
            let [p13, p31, p32, p23, p14] = p;
            let steps = [
                [1.0 - p13 - p14, 0.0, p13, p14],
                [0.0, 1.0 - p23, p23, 0.0],
                [p31, p32, 1.0 - p31 - p32, 0.0],
                [1.0, 0.0, 0.0, 0.0],
            ];
            let shares = model(p).unwrap().stationary();
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{p:?}: {shares:?}");
            for to in 0..4 {
                let next: f64 = (0..4).map(|from| shares[from] * steps[from][to]).sum();
                assert!((next - shares[to]).abs() < 1e-12, "{p:?}: {shares:?}");
            }
        }
    }

    #[test]
    fn ways_out_of_one_state_are_certain_at_most() {
        assert!(model([0.7, 0.3, 0.7, 0.5, 0.3]).is_ok());
        let error = model([0.5, 0.7, 0.5, 0.5, 0.2]).unwrap_err();
        assert_eq!(error.to_string(), "`p31` and `p32` are ways out of one state and can be 100 % together, not 120 %");
        assert!(model([0.9, 0.1, 0.1, 0.5, 0.2]).is_err());
    }

    #[test]
    fn draws_start_in_the_states_by_their_shares() {
        for p in [[0.1, 0.3, 0.2, 0.6, 0.05], [0.1, 0.0, 0.2, 0.6, 0.05], [0.0, 0.3, 0.2, 0.6, 0.05]] {
            let model = model(p).unwrap();
            let mut met = [0_u32; 4];
            (0..=u8::MAX).for_each(|byte| met[model.initial(u64::from_ne_bytes([byte; 8])).0 as usize] += 1);
            for (met, share) in met.into_iter().zip(model.stationary()) {
                assert!((f64::from(met) / 256.0 - share).abs() <= 1.0 / 256.0, "{met} draws for a share of {share}");
            }
        }
    }
}
