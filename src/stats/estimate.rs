//! Figures over replications. Messages of one run depend on each other, on a shared link or in a burst; runs do not. So the
//! interval of a figure over several runs is made of how much the runs differ, and not of how many messages they have.

use super::proportion::Proportion;

/// A figure over several replications, with its interval at 95 % confidence.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Where its interval begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// How it was made, in a word.
    pub interval: &'static str,
}

impl Estimate {
    /// A share that was found as `k` of `n` in each replication: the sum of all k over that of all n, with the interval of
    /// the ratio estimator (Cochran, "Sampling Techniques", 3rd edition, section 6.3) and Student's t. Replications that do
    /// not differ at all say nothing about how much they could: then it is Wilson's interval over all outcomes (a choice).
    /// `None` if all n are 0, or there is only one replication.
    #[must_use]
    pub fn of_shares(shares: &[Proportion]) -> Option<Self> {
        let sum = |part: fn(&Proportion) -> u64| shares.iter().map(part).sum::<u64>();
        let whole = Proportion { k: sum(|share| share.k), n: sum(|share| share.n) };
        let (value, m) = (whole.value().filter(|_| shares.len() > 1)?, shares.len() as f64);
        let deviations = shares.iter().map(|share| share.k as f64 - value * share.n as f64);
        let squares: f64 = deviations.map(|deviation| deviation * deviation).sum();
        if squares == 0.0 {
            let (low, high) = whole.wilson95()?;
            return Some(Estimate { value, low, high, interval: "wilson-95" });
        }
        let error = (squares / (m - 1.0) / m).sqrt() / (whole.n as f64 / m);
        let spread = t95(shares.len() - 1) * error;
        let (low, high) = ((value - spread).max(0.0), (value + spread).min(1.0));
        Some(Estimate { value, low, high, interval: "ratio-t-95" })
    }

    /// A figure that every replication has a value of: their mean, with Student's interval. `None` for fewer than two.
    #[must_use]
    pub fn of_values(values: &[f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let m = values.len() as f64;
        let value = values.iter().sum::<f64>() / m;
        let squares: f64 = values.iter().map(|one| (one - value) * (one - value)).sum();
        let spread = t95(values.len() - 1) * (squares / (m - 1.0) / m).sqrt();
        Some(Estimate { value, low: value - spread, high: value + spread, interval: "student-t-95" })
    }
}

/// The 0.975 quantile of Student's t distribution. From 31 degrees of freedom on it is Fisher's expansion around the normal
/// quantile (Abramowitz and Stegun, 26.7.5), which is right to six digits there; it needs no function that differs between
/// systems.
fn t95(degrees: usize) -> f64 {
    if let Some(quantile) = degrees.checked_sub(1).and_then(|at| T95.get(at)) {
        return *quantile;
    }
    let (z, n) = (super::proportion::Z95, degrees as f64);
    let [z3, z5, z7] = [3, 5, 7].map(|power| z.powi(power));
    z + (z3 + z) / (4.0 * n)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n * n)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * n * n * n)
}

/// The quantiles for 1 to 30 degrees of freedom.
const T95: [f64; 30] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004, 2.262_157, 2.228_139,
    2.200_985, 2.178_813, 2.160_369, 2.144_787, 2.131_450, 2.119_905, 2.109_816, 2.100_922, 2.093_024, 2.085_963,
    2.079_614, 2.073_873, 2.068_658, 2.063_899, 2.059_539, 2.055_529, 2.051_831, 2.048_407, 2.045_230, 2.042_272,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz and Stegun, table 26.10.
    #[test]
    fn quantiles_of_the_literature() {
        for (degrees, quantile) in [(1, 12.706), (10, 2.228), (30, 2.042), (40, 2.021), (60, 2.000), (120, 1.980)] {
            assert!((t95(degrees) - quantile).abs() < 5e-4, "{degrees}: {}", t95(degrees));
        }
        let step = (t95(30) - t95(31)) / (t95(29) - t95(30));
        assert!((0.9..1.0).contains(&step), "the table goes on smoothly: {step}");
    }

    #[test]
    fn shares_of_unequal_runs_are_weighed() {
        let shares = [(10, 10), (0, 30)].map(|(k, n)| Proportion { k, n });
        let estimate = Estimate::of_shares(&shares).unwrap();
        assert_eq!(estimate.value, 0.25);
        assert_eq!((estimate.low, estimate.high), (0.0, 1.0), "two runs that differ so much say little");
    }

    #[test]
    fn runs_that_do_not_differ_have_the_interval_of_their_outcomes() {
        let shares = [Proportion { k: 50, n: 50 }; 4];
        let estimate = Estimate::of_shares(&shares).unwrap();
        assert_eq!((estimate.low, estimate.high), Proportion { k: 200, n: 200 }.wilson95().unwrap());
    }

    #[test]
    fn means_have_students_interval() {
        let estimate = Estimate::of_values(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(estimate.value, 2.0);
        assert!((estimate.high - 2.0 - 4.302_653 / 3.0_f64.sqrt()).abs() < 1e-6);
        assert_eq!(Estimate::of_values(&[1.0]), None);
    }
}
