//! The tables of a link profile.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::quantity::{Bytes, Chance, Queue, Rate, Time};

/// An impairment profile. Each direction of each attachment that uses it is an instance of its own.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Link {
    /// Which datagrams are lost. Default: none.
    pub(in crate::scenario) loss: Option<Loss>,
    /// How long a datagram takes. Default: no time.
    pub(in crate::scenario) delay: Option<Delay>,
    /// Which datagrams take no time, and so overtake others.
    pub(in crate::scenario) reorder: Option<Reorder>,
    /// Probability of one extra copy.
    pub(in crate::scenario) duplicate: Option<Chance>,
    /// Probability of one flipped bit in the UDP payload.
    pub(in crate::scenario) corrupt: Option<Chance>,
    /// Whether datagrams carry the UDP checksum that finds a flipped bit. Default true.
    pub(in crate::scenario) udp_checksum: Option<bool>,
    /// How fast datagrams are sent, one after another. Default: all at once.
    pub(in crate::scenario) rate: Option<Rate>,
    /// How many may wait to be sent; what does not fit is dropped. Default "1000 datagrams".
    pub(in crate::scenario) queue: Option<Queue>,
    /// The longest IP datagram that it takes: what is longer goes in IP fragments, and one that is lost loses all. Default:
    /// any length.
    pub(in crate::scenario) mtu: Option<Bytes>,
}

/// A loss model.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(untagged)]
pub(in crate::scenario) enum Loss {
    /// Independent loss with this probability.
    Independent(Chance),
    /// A model of several numbers.
    Model(LossModel),
}

/// A loss model of several numbers: `mean` and `burst`, or one of the other keys.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct LossModel {
    /// Mean loss.
    pub(in crate::scenario) mean: Option<Chance>,
    /// Mean length of a loss period in datagrams.
    pub(in crate::scenario) burst: Option<f64>,
    /// The Gilbert-Elliott model: a chain of a good and a bad state.
    pub(in crate::scenario) gilbert_elliott: Option<GilbertElliott>,
    /// The four-state Markov model, as netem has it.
    pub(in crate::scenario) four_state: Option<FourState>,
    /// One datagram of so many is lost.
    pub(in crate::scenario) every: Option<u32>,
    /// A file of 0 (carried) and 1 (lost), which repeats; relative to the scenario.
    pub(in crate::scenario) pattern: Option<String>,
}

/// The Gilbert-Elliott model.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct GilbertElliott {
    /// Probability of going from good to bad.
    #[schemars(required)]
    pub(in crate::scenario) p: Option<Chance>,
    /// Probability of going from bad to good.
    #[schemars(required)]
    pub(in crate::scenario) r: Option<Chance>,
    /// Probability of loss in the good state.
    #[schemars(required)]
    pub(in crate::scenario) loss_good: Option<Chance>,
    /// Probability of loss in the bad state.
    #[schemars(required)]
    pub(in crate::scenario) loss_bad: Option<Chance>,
}

/// The four-state Markov model: 1 good, 2 carried within a burst, 3 lost within a burst, 4 lost alone.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct FourState {
    /// Probability of going from state 1 to state 3: a burst begins.
    #[schemars(required)]
    pub(in crate::scenario) p13: Option<Chance>,
    /// Probability of going from state 3 to state 1: a burst ends.
    #[schemars(required)]
    pub(in crate::scenario) p31: Option<Chance>,
    /// Probability of going from state 3 to state 2: a gap in a burst begins.
    #[schemars(required)]
    pub(in crate::scenario) p32: Option<Chance>,
    /// Probability of going from state 2 to state 3: a gap in a burst ends.
    #[schemars(required)]
    pub(in crate::scenario) p23: Option<Chance>,
    /// Probability of going from state 1 to state 4: a single loss.
    #[schemars(required)]
    pub(in crate::scenario) p14: Option<Chance>,
}

/// A delay.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(untagged)]
pub(in crate::scenario) enum Delay {
    /// Always the same.
    Constant(Time),
    /// From a distribution.
    Distribution(DelayDistribution),
}

/// A distribution of delays. Each takes the values that name it.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct DelayDistribution {
    /// The name of the distribution.
    #[schemars(required)]
    pub(in crate::scenario) distribution: Option<DistributionName>,
    /// Shortest delay (uniform, pareto; lognormal and exponential, default "0 s").
    pub(in crate::scenario) min: Option<Time>,
    /// Longest delay (uniform, pareto).
    pub(in crate::scenario) max: Option<Time>,
    /// Mean delay (normal, exponential).
    pub(in crate::scenario) mean: Option<Time>,
    /// Standard deviation (normal); negative delays become 0.
    pub(in crate::scenario) deviation: Option<Time>,
    /// Half of all delays are shorter (lognormal).
    pub(in crate::scenario) median: Option<Time>,
    /// Standard deviation of the logarithm of what a delay has over `min` (lognormal).
    pub(in crate::scenario) sigma: Option<f64>,
    /// The power by which the tail falls (pareto).
    pub(in crate::scenario) alpha: Option<f64>,
    /// A file with a time on each line, relative to the scenario (empirical).
    pub(in crate::scenario) file: Option<String>,
    /// How much each delay is like the one before. Default 0.
    pub(in crate::scenario) correlation: Option<Chance>,
    /// Whether datagrams keep their order on this link. Default false: jitter reorders.
    pub(in crate::scenario) keep_order: Option<bool>,
}

/// The name of a distribution.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum DistributionName {
    /// Any delay from `min` to `max`, all alike.
    Uniform,
    /// Normal, with `mean` and `deviation`.
    Normal,
    /// Lognormal, with `median`, `sigma` and `min`.
    Lognormal,
    /// Exponential, with `mean` and `min`.
    Exponential,
    /// Bounded Pareto, with `min`, `alpha` and `max`.
    Pareto,
    /// The times of a `file`, all alike.
    Empirical,
}

/// Datagrams that are sent on without delay.
#[derive(Deserialize, JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Reorder {
    /// Probability of a datagram that may be chosen.
    #[schemars(required)]
    pub(in crate::scenario) probability: Option<Chance>,
    /// The distance from one that is chosen to the next that may be. Default 1.
    pub(in crate::scenario) gap: Option<u32>,
    /// How much each decision is like the one before. Default 0.
    pub(in crate::scenario) correlation: Option<Chance>,
}
