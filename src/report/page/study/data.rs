//! What the page of a study shows of each point: figures that its results are made to, and nothing of a scenario.

use crate::stats::{Fate, HistogramSum, Proportion};

/// A point.
pub(in crate::report) struct Point {
    /// Its position in the manifest.
    pub(in crate::report) position: usize,
    pub(in crate::report) replications: u32,
    pub(in crate::report) totals: Totals,
    pub(in crate::report) entries: Vec<Entry>,
}

/// All flows of all replications together.
#[derive(Clone, Copy, Default)]
pub(in crate::report) struct Totals {
    pub(in crate::report) writes: u64,
    pub(in crate::report) succeeded: u64,
    pub(in crate::report) acknowledgements: u64,
    pub(in crate::report) delivered: Proportion,
}

/// A flow or app at a point, over its replications.
pub(in crate::report) struct Entry {
    pub(in crate::report) of: String,
    pub(in crate::report) main: Figure,
    /// Where a message has several recipients: the share that reached all of them.
    pub(in crate::report) all: Option<Figure>,
    /// Messages that reached all, some and none.
    pub(in crate::report) reached: [u64; 3],
    /// Those that occurred.
    pub(in crate::report) fates: Vec<(Fate, u64)>,
    /// The mean length of loss periods, and the longest.
    pub(in crate::report) loss_period: Option<(Figure, u64)>,
    pub(in crate::report) lengths: Lengths,
    pub(in crate::report) delays: Delays,
}

/// A figure over replications.
#[derive(Clone, Copy)]
pub(in crate::report) struct Figure {
    /// Its path in the report.
    pub(in crate::report) metric: &'static str,
    pub(in crate::report) value: Option<f64>,
    pub(in crate::report) interval: Option<(f64, f64)>,
    pub(in crate::report) whole: Option<Proportion>,
    /// What the closed form says, if there is one.
    pub(in crate::report) theory: Option<f64>,
}

/// How long loss periods are: of a thousand how many have as many messages as [`LENGTHS`] or more, as far as there are enough of
/// them.
#[derive(Default)]
pub(in crate::report) struct Lengths(pub(super) Vec<f64>);

impl Lengths {
    /// Of periods by their lengths from 0 on.
    pub(in crate::report) fn of(by_length: &[u64]) -> Self {
        let all: u64 = by_length.iter().sum();
        let at_least = |length: usize| by_length.iter().skip(length).sum::<u64>() as f64;
        let periods = LENGTHS.into_iter().map(at_least).take_while(|periods| *periods >= BEYOND);
        Lengths(periods.map(|periods| periods * 1e3 / all as f64).take_while(|share| *share >= 1.0).collect())
    }
}

/// The delays of a point at [`QUANTILES`], in nanoseconds; as many as there are delays enough for.
#[derive(Default)]
pub(in crate::report) struct Delays(pub(super) Vec<u64>);

impl Delays {
    /// Of all replications together.
    pub(in crate::report) fn of(sum: &HistogramSum) -> Self {
        let n = sum.n() as f64;
        let is_known = |quantile: f64| n > 0.0 && (quantile == 0.0 || (1.0 - quantile) * n >= BEYOND);
        Delays(QUANTILES.into_iter().take_while(|quantile| is_known(*quantile)).map(|it| sum.quantile(it)).collect())
    }

    /// The delay at one of [`QUANTILES`].
    pub(super) fn at(&self, quantile: f64) -> Option<u64> {
        QUANTILES.iter().position(|it| *it == quantile).and_then(|position| self.0.get(position)).copied()
    }
}

/// The quantiles that curves of delays go through.
pub(super) const QUANTILES: [f64; 10] = [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999];
/// The lengths that curves of loss periods go through.
pub(super) const LENGTHS: [usize; 18] = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100];
/// How many delays have to lie beyond a quantile for it to be shown, and how many loss periods must be so long (a choice).
const BEYOND: f64 = 5.0;
