//! When a point has enough replications. What decides is nothing but their results in order, so neither threads nor
//! interruptions can move the end.

use super::line::{Figure, Line};
use super::manifest::Rule;
use crate::scenario::Until;
use crate::stats::Estimate;

/// What the rule looks at, of one replication.
pub(super) type Sample = Figure;

impl Rule {
    /// The most replications that a point can have.
    #[must_use]
    pub fn most(&self) -> u32 {
        match self {
            Rule::Fixed(number) => *number,
            Rule::Until { max, .. } => *max,
        }
    }

    /// After how many replications it is looked at for the first time.
    pub(super) fn first_look(&self) -> u32 {
        match self {
            Rule::Fixed(number) => *number,
            Rule::Until { min, .. } => *min,
        }
    }

    /// After how many it is looked at next; `None` if these are enough.
    pub(super) fn next_look(&self, samples: &[Sample]) -> Option<u32> {
        let Rule::Until { half_width, max, .. } = self else { return None };
        let so_far = samples.len() as u32;
        let is_narrow = estimate(samples).is_some_and(|Estimate { value, low, high, .. }| {
            low < high && (value - low).max(high - value) <= *half_width // runs that are all alike tell nothing
        });
        (!is_narrow && so_far < *max).then(|| (so_far + Until::BLOCK).min(*max))
    }

    /// Whether a point with these replications has neither too few nor too many. A fixed number needs no samples.
    pub(super) fn ends_at(&self, replications: u32, samples: &[Sample]) -> bool {
        let mut look = self.first_look();
        while look < replications {
            match self.next_look(&samples[..look as usize]) {
                Some(next) => look = next,
                None => return false,
            }
        }
        look == replications && self.next_look(samples).is_none()
    }

    /// What it looks at.
    pub(super) fn sample(&self, line: &str) -> Sample {
        if matches!(self, Rule::Fixed(_)) {
            return Figure { value: None, share: None };
        }
        let of_line = |line: Line| match self {
            Rule::Fixed(_) => None,
            Rule::Until { of, metric, .. } => Some(line.figure(of.as_deref(), None, metric)),
        };
        Line::parse(line).and_then(of_line).unwrap_or(Figure { value: None, share: None })
    }
}

/// A figure over replications; `None` if one of them has no value.
pub(super) fn estimate(samples: &[Sample]) -> Option<Estimate> {
    match samples.iter().map(|sample| sample.share).collect::<Option<Vec<_>>>() {
        Some(shares) if samples.iter().all(|sample| sample.value.is_some()) => Estimate::of_shares(&shares),
        Some(_) => None,
        None => Estimate::of_values(&samples.iter().map(|sample| sample.value).collect::<Option<Vec<_>>>()?),
    }
}
