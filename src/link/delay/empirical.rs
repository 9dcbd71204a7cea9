//! Measured delays.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::time::Duration;

/// Measured times, each as likely as the others. The quantile function is a step for each, so that no time occurs that
/// was not measured (a choice; to interpolate would fill gaps that may be real).
///
/// The quantile at p of n times is the one at position floor(p n) of the sorted ones: the inverse of the empirical
/// distribution function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Empirical(Arc<Measured>);

#[derive(PartialEq, Eq, Debug)]
struct Measured {
    /// From short to long.
    times: Box<[Duration]>,
    /// SHA-256 of the times, which stands for them in the resolved scenario.
    hash: String,
}

/// The most measured times.
pub const MAX_MEASURED: usize = 1_000_000;

impl Empirical {
    /// The distribution of these times, whose order means nothing; `None` if there are none or more than
    /// [`MAX_MEASURED`].
    #[must_use]
    pub fn new(mut times: Vec<Duration>) -> Option<Self> {
        if times.is_empty() || times.len() > MAX_MEASURED {
            return None;
        }
        times.sort_unstable();
        let mut hash = Sha256::new();
        times.iter().for_each(|time| hash.update(time.nanos().to_le_bytes()));
        let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Empirical(Arc::new(Measured { times: times.into(), hash })))
    }

    pub(super) fn quantile(&self, draw: u64) -> Duration {
        let times = &self.0.times;
        times[((times.len() as u128 * u128::from(draw)) >> 64) as usize]
    }
}

impl Serialize for Empirical {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.hash)
    }
}
