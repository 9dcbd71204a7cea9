//! Delay: how long a link takes.

mod correlation;
mod empirical;
mod exponential;
mod lognormal;
mod pareto;

pub use correlation::Correlation;
pub(super) use correlation::Score;
pub use empirical::{Empirical, MAX_MEASURED};
pub use exponential::Exponential;
pub use lognormal::{Lognormal, MAX_SIGMA};
pub use pareto::{MAX_ALPHA, MIN_ALPHA, Pareto};

use serde::Serialize;
use thiserror::Error;

use super::normal;
use crate::time::Duration;

/// How long a link takes, and whether datagrams may overtake one another on it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Delay {
    /// The distribution of the time that a datagram takes.
    pub distribution: Distribution,
    /// How much the time of a datagram is like that of the one before.
    #[serde(skip_serializing_if = "Correlation::is_none")]
    pub correlation: Correlation,
    /// Whether a datagram that would overtake an earlier one waits for it.
    pub keep_order: bool,
}

/// A distribution of delays. Each is given by its quantile function, so that one draw decides one delay and a longer
/// mean or a wider spread keeps every datagram's rank.
#[derive(Clone, PartialEq, Debug, Serialize)]
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
    /// Many short times and some long ones.
    Lognormal(Lognormal),
    /// A least time and a wait without memory.
    Exponential(Exponential),
    /// A heavy tail, cut at a longest time.
    Pareto(Pareto),
    /// What was measured.
    Empirical(Empirical),
}

impl Delay {
    /// No delay at all.
    pub const NONE: Delay = Delay::from_distribution(Distribution::Constant(Duration::ZERO));

    /// Times of a distribution, each by itself, by which datagrams may overtake one another.
    #[must_use]
    pub const fn from_distribution(distribution: Distribution) -> Self {
        Delay { distribution, correlation: Correlation::NONE, keep_order: false }
    }

    /// How long a datagram takes, by its draw, which comes after one with this score.
    pub(super) fn after(&self, before: Score, draw: u64) -> Duration {
        self.distribution.quantile(self.rank(before, draw))
    }

    /// The draw that decides: its own, or with a correlation that of its score.
    pub(super) fn rank(&self, before: Score, draw: u64) -> u64 {
        if self.correlation.is_none() { draw } else { self.correlation.after(before, draw).rank() }
    }
}

impl Distribution {
    /// The delay that a uniform draw of 64 bits stands for.
    #[must_use]
    pub fn quantile(&self, draw: u64) -> Duration {
        match self {
            Distribution::Constant(delay) => *delay,
            Distribution::Uniform { min, max } => {
                let values = u128::from(max.nanos() - min.nanos()) + 1;
                Duration::from_nanos(min.nanos() + ((values * u128::from(draw)) >> 64) as u64)
            }
            Distribution::Normal { mean, deviation } => {
                let nanos = mean.nanos() as f64 + deviation.nanos() as f64 * normal::quantile(share(draw));
                whole(nanos)
            }
            Distribution::Lognormal(lognormal) => lognormal.quantile(share(draw)),
            Distribution::Exponential(exponential) => exponential.quantile(share(draw)),
            Distribution::Pareto(pareto) => pareto.quantile(share(draw)),
            Distribution::Empirical(empirical) => empirical.quantile(draw),
        }
    }
}

/// The numbers of a distribution contradict each other.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum InvalidDelay {
    /// It would end before it starts.
    #[error("`min` ({min}) is greater than `{key}` ({value})")]
    MinTooLong {
        /// The shortest time.
        min: Duration,
        /// What is shorter.
        key: &'static str,
        /// How long that is.
        value: Duration,
    },
    /// A shape that no link has.
    #[error("`{key}` is from {least} to {greatest}, not {value}")]
    Shape {
        /// Which number.
        key: &'static str,
        /// Its smallest value.
        least: f64,
        /// Its greatest value.
        greatest: f64,
        /// What it is.
        value: f64,
    },
    /// A power of 0.
    #[error("`min` is 0: a Pareto distribution starts above")]
    NoLeast,
}

/// The share of all draws below a draw, exactly, and never 0 or 1.
pub(super) fn share(draw: u64) -> f64 {
    const TWO_POW_52: f64 = 4_503_599_627_370_496.0;
    ((draw >> 12) as f64 + 0.5) / TWO_POW_52
}

/// Whole nanoseconds; 0 for what is negative, and the longest time for what is longer.
fn whole(nanos: f64) -> Duration {
    Duration::from_nanos(nanos.round() as u64)
}

fn check_min(min: Duration, key: &'static str, value: Duration) -> Result<(), InvalidDelay> {
    if min > value { Err(InvalidDelay::MinTooLong { min, key, value }) } else { Ok(()) }
}

fn check_shape(key: &'static str, value: f64, least: f64, greatest: f64) -> Result<(), InvalidDelay> {
    let is_possible = (least..=greatest).contains(&value);
    if is_possible { Ok(()) } else { Err(InvalidDelay::Shape { key, least, greatest, value }) }
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
        let lognormal = Distribution::Lognormal(Lognormal::new(ms(9), 0.5, ms(5)).unwrap());
        assert!(lognormal.quantile(0) < ms(6));
        assert_eq!(lognormal.quantile(1 << 63), ms(9));
        let exponential = Distribution::Exponential(Exponential::new(ms(5), ms(9)).unwrap());
        assert_eq!(exponential.quantile(0), ms(5));
        assert!(exponential.quantile(u64::MAX) > ms(100));
        let pareto = Distribution::Pareto(Pareto::new(ms(5), 1.5, ms(500)).unwrap());
        assert_eq!((pareto.quantile(0), pareto.quantile(u64::MAX)), (ms(5), ms(500)));
        let empirical = Distribution::Empirical(Empirical::new(vec![ms(7), ms(1), ms(7)]).unwrap());
        assert_eq!([0, 1 << 63, u64::MAX].map(|draw| empirical.quantile(draw)), [ms(1), ms(7), ms(7)]);
    }

    #[test]
    fn the_longest_of_all_is_still_a_time() {
        let wide = Distribution::Lognormal(Lognormal::new(ms(1_000_000_000), MAX_SIGMA, ms(0)).unwrap());
        assert_eq!(wide.quantile(u64::MAX), Duration::from_nanos(u64::MAX));
        let heavy = Pareto::new(Duration::from_nanos(1), MIN_ALPHA, ms(1_000_000_000)).unwrap();
        assert_eq!(heavy.quantile(share(u64::MAX)), ms(1_000_000_000));
        let light = Pareto::new(Duration::from_nanos(1), MAX_ALPHA, ms(1_000_000_000)).unwrap();
        assert!(light.quantile(share(u64::MAX)) < ms(1));
    }

    #[test]
    fn what_no_link_has_is_refused() {
        let message = |result: Result<Distribution, InvalidDelay>| result.unwrap_err().to_string();
        let lognormal = |median, sigma, min| Lognormal::new(median, sigma, min).map(Distribution::Lognormal);
        assert_eq!(message(lognormal(ms(1), 0.5, ms(2))), "`min` (2 ms) is greater than `median` (1 ms)");
        assert_eq!(message(lognormal(ms(1), -0.5, ms(0))), "`sigma` is from 0 to 10, not -0.5");
        assert!(lognormal(ms(1), f64::NAN, ms(0)).is_err());
        assert!(Exponential::new(ms(2), ms(1)).is_err());
        assert!(Pareto::new(ms(2), 1.0, ms(1)).is_err());
        assert!(Pareto::new(ms(0), 1.0, ms(1)).is_err());
        assert!(Pareto::new(ms(1), f64::INFINITY, ms(2)).is_err());
        assert_eq!(Empirical::new(Vec::new()), None);
    }
}
