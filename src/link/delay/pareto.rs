//! Pareto delays.

use serde::Serialize;

use super::{InvalidDelay, check_min, check_shape, whole};
use crate::time::Duration;

/// The bounded Pareto distribution: a tail that falls by the power alpha, between `min` and `max`. What would be over
/// `max` is not cut to it, which would pile up there: the distribution is that of the times below (a choice).
///
/// The quantile at p is min (1 - p (1 - (min / max)^alpha))^(-1 / alpha). Source: M. Harchol-Balter, M. Crovella, C.
/// Murta, "On Choosing a Task Assignment Policy for a Distributed Server System" (1999), 2.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Pareto {
    min: Duration,
    alpha: f64,
    max: Duration,
}

/// The smallest alpha.
pub const MIN_ALPHA: f64 = 0.01;
/// The greatest alpha: nearly every delay is `min` then.
pub const MAX_ALPHA: f64 = 100.0;

impl Pareto {
    /// The distribution with these numbers.
    ///
    /// # Errors
    ///
    /// If `min` is 0 or longer than `max`, or `alpha` not from [`MIN_ALPHA`] to [`MAX_ALPHA`].
    pub fn new(min: Duration, alpha: f64, max: Duration) -> Result<Self, InvalidDelay> {
        if min == Duration::ZERO {
            return Err(InvalidDelay::NoLeast);
        }
        check_min(min, "max", max)?;
        check_shape("alpha", alpha, MIN_ALPHA, MAX_ALPHA)?;
        Ok(Pareto { min, alpha, max })
    }

    pub(super) fn quantile(&self, share: f64) -> Duration {
        let (min, max) = (self.min.nanos() as f64, self.max.nanos() as f64);
        let kept = 1.0 - libm::pow(min / max, self.alpha);
        whole(min * libm::pow(1.0 - share * kept, -1.0 / self.alpha)).clamp(self.min, self.max)
    }
}
