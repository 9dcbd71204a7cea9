//! Exact decimal numbers: what the values of axes are compared and spelled by.

use std::cmp::Ordering;
use std::fmt;

/// A number with at most 18 digits and 18 decimals, in its shortest form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decimal {
    digits: i128,
    decimals: u32,
}

impl Decimal {
    /// A number as people write it, times a whole factor, the point moved to the left by so many places; `None` for what
    /// is no number or has too many digits.
    pub(crate) fn parse(text: &str, factor: u64, places: u32) -> Option<Self> {
        let (negative, plain) = text.strip_prefix('-').map_or((false, text), |plain| (true, plain));
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let is_number = |part: &str| part.len() <= MAX_DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let digits: i128 = [whole, fraction].concat().parse().ok()?;
        let digits = digits.checked_mul(factor.into())?;
        Self::new(if negative { -digits } else { digits }, fraction.len() as u32 + places)
    }

    /// `digits` with the point before the last `decimals` of them.
    fn new(mut digits: i128, mut decimals: u32) -> Option<Self> {
        while decimals > 0 && digits % 10 == 0 {
            (digits, decimals) = (digits / 10, decimals - 1);
        }
        let fits = digits.unsigned_abs() < 10_u128.pow(MAX_DIGITS as u32) && decimals <= MAX_DIGITS as u32;
        fits.then_some(Decimal { digits, decimals })
    }

    /// It as a whole number, if it is one.
    pub(crate) fn to_i64(self) -> Option<i64> {
        i64::try_from(self.digits).ok().filter(|_| self.decimals == 0)
    }

    /// Whether it is greater than 0.
    pub(crate) fn is_positive(&self) -> bool {
        self.digits > 0
    }

    /// It as so many of a unit, if that is a whole number.
    pub(crate) fn whole_times(&self, unit: u64) -> Option<i128> {
        let unit = i128::from(unit);
        (self.decimals == 0 && self.digits % unit == 0).then_some(self.digits / unit)
    }

    /// The nearest number of a computer.
    pub(crate) fn to_f64(self) -> f64 {
        self.to_string().parse().expect("decimal digits are a number")
    }

    /// `from`, and every `step` from there on to `to`, ends included; else the ends before and after `to` at which the
    /// steps arrive. `step` is positive, and `from` is not greater than `to`.
    pub(crate) fn range(from: Self, to: Self, step: Self, most: usize) -> Result<Vec<Self>, Missed> {
        let decimals = from.decimals.max(to.decimals).max(step.decimals);
        let [from, to, step] = [from, to, step].map(|number| number.scaled(decimals));
        let (steps, rest) = ((to - from) / step, (to - from) % step);
        let number = |digits: i128| Self::new(digits, decimals);
        if rest != 0 {
            let before = from + steps * step;
            return Err(Missed::End { before: number(before), after: number(before + step) });
        }
        match usize::try_from(steps).ok().filter(|steps| *steps < most) {
            Some(steps) => Ok((0..=steps as i128).filter_map(|at| number(from + at * step)).collect()),
            None => Err(Missed::Limit { values: steps + 1 }),
        }
    }

    fn scaled(&self, decimals: u32) -> i128 {
        self.digits * 10_i128.pow(decimals - self.decimals)
    }
}

/// Why a range has no values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Missed {
    /// The steps pass its end.
    End { before: Option<Decimal>, after: Option<Decimal> },
    /// There are too many.
    Limit { values: i128 },
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let decimals = self.decimals.max(other.decimals);
        self.scaled(decimals).cmp(&other.scaled(decimals))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0width$}", self.digits.unsigned_abs(), width = self.decimals as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.decimals as usize);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{}{whole}{point}{fraction}", if self.digits < 0 { "-" } else { "" })
    }
}

/// The most digits of a number, and the most behind its point.
const MAX_DIGITS: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text, 1, 0).unwrap()
    }

    #[test]
    fn numbers_have_one_spelling() {
        for (written, spelled) in
            [("0", "0"), ("0.0", "0"), ("007", "7"), ("4.0", "4"), ("0.050", "0.05"), ("-1.50", "-1.5"), ("120", "120")]
        {
            assert_eq!(decimal(written).to_string(), spelled, "{written}");
        }
        assert_eq!(Decimal::parse("12.5", 1, 2).unwrap().to_string(), "0.125", "a percentage");
        assert_eq!(Decimal::parse("1.5", 1_000_000, 0).unwrap().to_string(), "1500000", "milliseconds");
        for bad in ["", ".5", "1e3", "1.2.3", "x", "1234567890123456789", "0.0000000000000000001", "--1"] {
            assert_eq!(Decimal::parse(bad, 1, 0), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let sorted = ["-2", "-0.5", "0", "0.05", "0.1", "2", "10"].map(decimal);
        assert!(sorted.is_sorted() && decimal("0.10") == decimal("0.1"));
    }

    #[test]
    fn ranges_are_exact_and_hold_their_ends() {
        let range = |from, to, step| Decimal::range(decimal(from), decimal(to), decimal(step), 100);
        let spelled = |values: Vec<Decimal>| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(spelled(range("0", "0.3", "0.1").unwrap()), "0 0.1 0.2 0.3", "0.1 + 0.2 is 0.3 here");
        assert_eq!(spelled(range("1", "1", "5").unwrap()), "1");
        assert_eq!(spelled(range("0.5", "2", "0.75").unwrap()), "0.5 1.25 2");
        let missed = Missed::End { before: Some(decimal("18")), after: Some(decimal("21")) };
        assert_eq!(range("0", "20", "3"), Err(missed));
        assert_eq!(range("0", "100", "1"), Err(Missed::Limit { values: 101 }));
    }
}
