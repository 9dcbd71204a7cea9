//! Delays that vary: which of netem's distributions is nearest.

use super::netem::Netem;
use crate::link::{Distribution, normal_quantile};
use crate::report::wording::four_digits;
use crate::time::Duration;

/// What `delay` takes.
#[derive(Clone, Copy)]
pub(super) struct Jitter {
    pub(super) mean: Duration,
    /// The factor of the table's values; zero for a delay that does not vary.
    pub(super) spread: Duration,
    /// The table; without one, a delay is uniform from mean - spread to mean + spread.
    pub(super) table: Option<&'static str>,
}

impl Jitter {
    /// The one that comes nearest to a distribution.
    pub(super) fn nearest(distribution: &Distribution, netem: &mut Netem) -> Self {
        match distribution {
            Distribution::Constant(delay) => Jitter { mean: *delay, spread: Duration::ZERO, table: None },
            Distribution::Uniform { min, max } => {
                let spread = (max.nanos() - min.nanos()) / 2;
                let mean = Duration::from_nanos(min.nanos() + spread);
                Jitter { mean, spread: Duration::from_nanos(spread), table: None }
            }
            Distribution::Normal { mean, deviation } if *deviation == Duration::ZERO => {
                Jitter { mean: *mean, spread: Duration::ZERO, table: None }
            }
            Distribution::Normal { mean, deviation } => {
                netem.remark(
                    "delay: netem's normal table ends 4 deviations below the mean and 3.5 above it; here there is no \
                     end. What is negative takes no time in either.",
                );
                Jitter { mean: *mean, spread: *deviation, table: Some("normal") }
            }
            Distribution::Lognormal(_) => by_quantiles(distribution, "is lognormal", netem),
            Distribution::Exponential(_) => by_quantiles(distribution, "is exponential", netem),
            Distribution::Pareto(_) => {
                by_quantiles(distribution, "has this alpha (that of netem's pareto is 3)", netem)
            }
            Distribution::Empirical(_) => by_quantiles(distribution, "was measured so", netem),
        }
    }
}

/// The value of a distribution at a rank, of which the mean is 0 or near it.
type Shape = fn(f64) -> f64;

/// The distribution of netem whose quantiles are nearest, compared at as many as a table has values.
fn by_quantiles(distribution: &Distribution, is_so: &str, netem: &mut Netem) -> Jitter {
    let times: Vec<f64> =
        shares().map(|share| distribution.quantile((share * TWO_POW_64) as u64).nanos() as f64).collect();
    let mean = times.iter().sum::<f64>() / VALUES as f64;
    let deviation = (times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / VALUES as f64).sqrt();
    let least = times[0];
    if deviation < 0.5 {
        return Jitter { mean: nanos(mean), spread: Duration::ZERO, table: None };
    }
    // Each with the deviation of the times, but pareto, which is least at 2/3 of its factor below its mean, with their
    // least one: with alpha 3 it is the same distribution then, up to where its table ends.
    let candidates: [(Option<&str>, f64, Shape); 4] = [
        (None, deviation * 3.0_f64.sqrt(), uniform),
        (Some("normal"), deviation, normal),
        (Some("pareto"), (mean - least) * 1.5, pareto),
        (Some("paretonormal"), deviation / PARETONORMAL_DEVIATION, paretonormal),
    ];
    let away = |spread: f64, shape: Shape| {
        let delays = shares().map(|share| (mean + spread * shape(share)).max(0.0));
        times.iter().zip(delays).map(|(time, delay)| (time - delay).abs()).sum::<f64>() / VALUES as f64
    };
    let (off, table, spread) = candidates
        .map(|(table, spread, shape)| (away(spread, shape), table, spread))
        .into_iter()
        .min_by(|(a, ..), (b, ..)| a.total_cmp(b))
        .expect("there are candidates");
    let (shown_mean, shown_deviation) = (tc_time(nanos(mean)), tc_time(nanos(deviation)));
    netem.remark(format!(
        "delay: no table that comes with tc {is_so}. This one comes nearest: the delays of the same rank differ by {} \
         on average. For a table of your own, which ends 4 deviations from the mean, have iproute2's maketable make \
         NAME.dist of samples, put it beside normal.dist and write: delay {shown_mean} {shown_deviation} distribution \
         NAME",
        tc_time(nanos(off))
    ));
    Jitter { mean: nanos(mean), spread: nanos(spread), table }
}

/// The ranks at which distributions are compared.
fn shares() -> impl Iterator<Item = f64> {
    (0..VALUES).map(|rank| (f64::from(rank) + 0.5) / f64::from(VALUES))
}

fn uniform(share: f64) -> f64 {
    2.0 * share - 1.0
}

fn normal(share: f64) -> f64 {
    normal_quantile(share).clamp(-TABLE_END, NORMAL_END)
}

/// `netem/pareto.c` of iproute2: alpha is 3.
fn pareto(share: f64) -> f64 {
    ((libm::pow(1.0 - share, -1.0 / 3.0) - 1.5) * 4.0 / 3.0).min(TABLE_END)
}

/// `netem/paretonormal.c` of iproute2.
fn paretonormal(share: f64) -> f64 {
    0.25 * normal(share) + 0.75 * pareto(share)
}

/// Nanoseconds, with four significant digits: the rest would only hide them. What nobody waits for is cut.
fn nanos(value: f64) -> Duration {
    four_digits((value.round() as u64).min(u64::MAX / 2))
}

/// A time in the units that every version of tc knows.
pub(super) fn tc_time(time: Duration) -> String {
    let nanos = time.nanos();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let (unit, name) = units.into_iter().find(|(unit, _)| nanos >= *unit).unwrap_or((1_000, "us"));
    let digits = unit.ilog10() as usize;
    let text = format!("{}.{:0digits$}", nanos / unit, nanos % unit);
    format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Values of a table of netem's (`lib/normal.dist` and the others).
const VALUES: u32 = 4_096;
/// Where tables end, in units of the factor.
const TABLE_END: f64 = 4.0;
/// Where the normal table ends, above.
const NORMAL_END: f64 = 3.52;
/// The standard deviation of the values of the table paretonormal.
const PARETONORMAL_DEVIATION: f64 = 0.834;
/// What a share is multiplied with to be a draw.
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
