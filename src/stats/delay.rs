//! One-way delay (RFC 7679), from the write to the completion of the read.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer, V2Serializer};

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

impl DelayHistogram {
    /// The histogram alone, in the form V2 of HdrHistogram.
    #[must_use]
    pub fn to_v2(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        V2Serializer::new()
            .serialize(&self.histogram, &mut bytes)
            .expect("counts of messages fit, and memory takes all");
        bytes
    }
}

/// The sum of histograms of several runs.
#[derive(Clone, Debug)]
pub struct HistogramSum(Histogram<u64>);

impl HistogramSum {
    /// Adds a histogram in the form V2, compressed or not; says whether it is one.
    #[must_use]
    pub fn add(&mut self, v2: &[u8]) -> bool {
        let read: Option<Histogram<u64>> = Deserializer::new().deserialize(&mut &v2[..]).ok();
        read.is_some_and(|histogram| histogram.sigfig() == SIGNIFICANT_DIGITS && self.0.add(histogram).is_ok())
    }

    /// How many delays there are.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.0.len()
    }

    /// The delay at a quantile, in nanoseconds, within 0.1 %; that at 0 is the shortest.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile).min(self.0.max())
    }

    /// In the compressed form V2: the same bytes in whatever order the histograms were added.
    #[must_use]
    pub fn to_v2(&self) -> Vec<u8> {
        // The highest trackable value is part of the form, and depends on how a histogram grew.
        let highest = self.0.max().max(2);
        let mut fresh = Histogram::new_with_max(highest, SIGNIFICANT_DIGITS).expect("the bounds are in order");
        fresh.add(&self.0).expect("it is as large as its largest value");
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&fresh, &mut bytes).expect("counts of messages fit, and memory takes all");
        bytes
    }
}

impl Default for HistogramSum {
    fn default() -> Self {
        HistogramSum(Histogram::new(SIGNIFICANT_DIGITS).expect("3 digits are within the histogram's limits"))
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

    /// However runs are divided and added up, the sum has the same bytes.
    #[test]
    fn sums_do_not_depend_on_the_order() {
        let runs: Vec<Vec<u8>> = [&[5, 70_000][..], &[], &[9_000_000_000, 5], &[1]]
            .iter()
            .map(|delays| {
                let mut histogram = DelayHistogram::default();
                delays.iter().for_each(|nanos| histogram.record(Duration::from_nanos(*nanos)));
                histogram.to_v2()
            })
            .collect();
        let sum = |order: &[usize]| {
            let mut sum = HistogramSum::default();
            assert!(order.iter().all(|run| sum.add(&runs[*run])));
            sum.to_v2()
        };
        let whole = sum(&[0, 1, 2, 3]);
        assert_eq!(sum(&[3, 2, 1, 0]), whole);
        let mut of_parts = HistogramSum::default();
        assert!(of_parts.add(&sum(&[2, 1])) && of_parts.add(&sum(&[0, 3])));
        assert_eq!(of_parts.to_v2(), whole);
        let read: Histogram<u64> = Deserializer::new().deserialize(&mut &whole[..]).unwrap();
        assert_eq!((read.len(), read.min(), read.count_at(5)), (5, 1, 2));
        assert_eq!((of_parts.n(), of_parts.quantile(0.0), of_parts.quantile(0.5)), (5, 1, 5));
        assert!(!HistogramSum::default().add(b"no histogram"));
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
