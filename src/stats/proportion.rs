//! Shares, with k, n and interval.

/// `k` of `n`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Proportion {
    /// How many of them.
    pub k: u64,
    /// Of how many.
    pub n: u64,
}

impl Proportion {
    /// `k / n`; `None` for n = 0.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        (self.n > 0).then(|| self.k as f64 / self.n as f64)
    }

    /// The Wilson score interval at 95 % confidence; `None` for n = 0.
    ///
    /// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927). It treats
    /// the outcomes as independent.
    #[must_use]
    pub fn wilson95(&self) -> Option<(f64, f64)> {
        let (p, n) = (self.value()?, self.n as f64);
        let z2 = Z95 * Z95;
        let centre = p + z2 / (2.0 * n);
        let spread = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z2 / n;
        let low = if self.k == 0 { 0.0 } else { (centre - spread) / scale };
        let high = if self.k == self.n { 1.0 } else { (centre + spread) / scale };
        Some((low, high))
    }
}

/// The 0.975 quantile of the standard normal distribution.
pub(super) const Z95: f64 = 1.959_963_984_540_054;

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
    #[test]
    fn intervals_of_the_literature() {
        for (k, n, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let (found_low, found_high) = Proportion { k, n }.wilson95().unwrap();
            assert!(
                (found_low - low).abs() < 5e-5 && (found_high - high).abs() < 5e-5,
                "{k}/{n}: {found_low} {found_high}"
            );
        }
    }

    #[test]
    fn nothing_of_nothing_has_no_value() {
        assert_eq!((Proportion::default().value(), Proportion::default().wilson95()), (None, None));
        assert_eq!(Proportion { k: 7, n: 7 }.wilson95().unwrap().1, 1.0);
    }
}
