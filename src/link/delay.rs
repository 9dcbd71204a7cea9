//! Delay: how long a link takes.

use serde::Serialize;

use super::normal;
use crate::time::Duration;

/// How long a link takes, and whether datagrams may overtake one another on it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Delay {
    /// The distribution of the time that a datagram takes.
    pub distribution: Distribution,
    /// Whether a datagram that would overtake an earlier one waits for it.
    pub keep_order: bool,
}

/// A distribution of delays. Each is given by its quantile function, so that one draw decides one delay and a longer
/// mean or a wider spread keeps every datagram's rank.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Always the same.
    Constant(Duration),
    /// Any time from `min` to `max`, all alike.
    Uniform {
        /// Shortest time.
        min: Duration,
        /// Longest time; not below `min`.
        max: Duration,
    },
    /// Normal; negative times become 0.
    Normal {
        /// Mean before negative times become 0.
        mean: Duration,
        /// Standard deviation.
        deviation: Duration,
    },
}

impl Delay {
    /// No delay at all.
    pub const NONE: Delay = Delay { distribution: Distribution::Constant(Duration::ZERO), keep_order: false };
}

impl Distribution {
    /// The delay that a uniform draw of 64 bits stands for.
    #[must_use]
    pub fn quantile(&self, draw: u64) -> Duration {
        match *self {
            Distribution::Constant(delay) => delay,
            Distribution::Uniform { min, max } => {
                let values = u128::from(max.nanos() - min.nanos()) + 1;
                Duration::from_nanos(min.nanos() + ((values * u128::from(draw)) >> 64) as u64)
            }
            Distribution::Normal { mean, deviation } => {
                const TWO_POW_52: f64 = 4_503_599_627_370_496.0;
                let p = ((draw >> 12) as f64 + 0.5) / TWO_POW_52; // exact, and never 0 or 1
                let nanos = mean.nanos() as f64 + deviation.nanos() as f64 * normal::quantile(p);
                Duration::from_nanos(nanos.round().max(0.0) as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn quantiles_run_from_end_to_end() {
        let uniform = Distribution::Uniform { min: ms(1), max: ms(3) };
        assert_eq!(uniform.quantile(0), ms(1));
        assert_eq!(uniform.quantile(1 << 63), ms(2));
        assert_eq!(uniform.quantile(u64::MAX), ms(3));
        let normal = Distribution::Normal { mean: ms(2), deviation: ms(1) };
        assert_eq!(normal.quantile(1 << 63), ms(2));
        assert_eq!(normal.quantile(0), Duration::ZERO, "negative times become 0");
        assert!(normal.quantile(u64::MAX) > ms(10));
    }
}
