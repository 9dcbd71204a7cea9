//! Lognormal delays.

use serde::Serialize;

use super::{InvalidDelay, check_min, check_shape, whole};
use crate::link::normal;
use crate::time::Duration;

/// A least time plus a time whose logarithm is normal, with standard deviation sigma. `median` is that of the whole
/// delay, not of what it has over `min` (a choice).
///
/// The quantile at p is min + (median - min) exp(sigma z), with z that of the standard normal distribution; the mean is
/// min + (median - min) exp(sigma^2 / 2). Source: E. L. Crow, K. Shimizu, "Lognormal Distributions" (1988), 1.2.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Lognormal {
    median: Duration,
    sigma: f64,
    min: Duration,
}

/// The greatest sigma: beyond, nearly every delay is 0 or for ever.
pub const MAX_SIGMA: f64 = 10.0;

impl Lognormal {
    /// The distribution with these numbers.
    ///
    /// # Errors
    ///
    /// If `min` is longer than `median`, or `sigma` not from 0 to [`MAX_SIGMA`].
    pub fn new(median: Duration, sigma: f64, min: Duration) -> Result<Self, InvalidDelay> {
        check_min(min, "median", median)?;
        check_shape("sigma", sigma, 0.0, MAX_SIGMA)?;
        Ok(Lognormal { median, sigma, min })
    }

    pub(super) fn quantile(&self, share: f64) -> Duration {
        let over = (self.median.nanos() - self.min.nanos()) as f64;
        self.min + whole(over * libm::exp(self.sigma * normal::quantile(share)))
    }
}
