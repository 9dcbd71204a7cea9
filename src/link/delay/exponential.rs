//! Exponential delays.

use serde::Serialize;

use super::{InvalidDelay, check_min, whole};
use crate::time::Duration;

/// A least time plus a wait that does not depend on how long one has waited. `mean` is that of the whole delay, not of
/// what it has over `min` (a choice).
///
/// The quantile at p is min - (mean - min) ln(1 - p); the standard deviation is mean - min. Source: L. Devroye,
/// "Non-Uniform Random Variate Generation" (1986), II.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Exponential {
    min: Duration,
    mean: Duration,
}

impl Exponential {
    /// The distribution with these numbers.
    ///
    /// # Errors
    ///
    /// If `min` is longer than `mean`.
    pub fn new(min: Duration, mean: Duration) -> Result<Self, InvalidDelay> {
        check_min(min, "mean", mean)?;
        Ok(Exponential { min, mean })
    }

    pub(super) fn quantile(&self, share: f64) -> Duration {
        let over = (self.mean.nanos() - self.min.nanos()) as f64;
        self.min + whole(-over * libm::log(1.0 - share))
    }
}
