//! One-way delay (RFC 7679), from the write to the completion of the read.

use hdrhistogram::Histogram;

use crate::time::Duration;

/// Delays, with exact minimum, mean and maximum, and percentiles within 0.1 %.
#[derive(Clone, Debug)]
pub struct DelayHistogram {
    histogram: Histogram<u64>,
    sum: u128,
    min: u64,
    max: u64,
}

/// The figures of a [`DelayHistogram`], in nanoseconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DelayFigures {
    /// Shortest.
    pub min: u64,
    /// Mean.
    pub mean: f64,
    /// Longest.
    pub max: u64,
    /// The percentiles of [`DelayHistogram::PERCENTILES`].
    pub percentiles: [u64; 4],
}

impl DelayHistogram {
    /// The percentiles that are reported, as quantiles.
    pub const PERCENTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

    /// Takes note of one delay.
    pub fn record(&mut self, delay: Duration) {
        let nanos = delay.nanos();
        self.histogram.record(nanos).expect("a histogram that resizes takes any value");
        self.sum += u128::from(nanos);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// Adds the delays of another.
    pub fn merge(&mut self, other: &DelayHistogram) {
        self.histogram.add(&other.histogram).expect("a histogram that resizes takes any other");
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many delays there are.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.histogram.len()
    }

    /// The figures; `None` if there is no delay.
    #[must_use]
    pub fn figures(&self) -> Option<DelayFigures> {
        (self.n() > 0).then(|| DelayFigures {
            min: self.min,
            mean: self.sum as f64 / self.n() as f64,
            max: self.max,
            percentiles: Self::PERCENTILES.map(|quantile| self.histogram.value_at_quantile(quantile).min(self.max)),
        })
    }

    /// Whether a percentile of so few delays is nothing but their maximum.
    #[must_use]
    pub fn is_maximum(&self, quantile: f64) -> bool {
        (quantile * self.n() as f64).ceil() as u64 >= self.n()
    }
}

impl Default for DelayHistogram {
    fn default() -> Self {
        let histogram = Histogram::new(SIGNIFICANT_DIGITS).expect("3 digits are within the histogram's limits");
        DelayHistogram { histogram, sum: 0, min: u64::MAX, max: 0 }
    }
}

const SIGNIFICANT_DIGITS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_mean_are_exact_and_percentiles_within_a_thousandth() {
        let mut delays = DelayHistogram::default();
        (1..=100_000u64).for_each(|nanos| delays.record(Duration::from_nanos(nanos * 1_001)));
        let figures = delays.figures().unwrap();
        assert_eq!((figures.min, figures.max), (1_001, 100_100_000));
        assert!((figures.mean - 50_050_500.5).abs() < 1e-6);
        for (quantile, found) in DelayHistogram::PERCENTILES.iter().zip(figures.percentiles) {
            let exact = quantile * 100_100_000.0;
            assert!((found as f64 - exact).abs() <= exact / 1_000.0, "{quantile}: {found} instead of {exact}");
        }
        assert!(!delays.is_maximum(0.999));
    }

    #[test]
    fn a_percentile_of_few_delays_is_known_to_be_the_maximum() {
        let mut delays = DelayHistogram::default();
        assert_eq!(delays.figures(), None);
        (0..71).for_each(|_| delays.record(Duration::ZERO));
        assert!(delays.is_maximum(0.99) && !delays.is_maximum(0.9));
        assert_eq!(delays.figures().unwrap().percentiles, [0; 4]);
    }
}
