//! Virtual time: whole nanoseconds since the start of a run.
//!
//! Every function of this crate below `drive` and `cli` takes the time as a parameter; none asks for it. The types are
//! our own so that a wall clock cannot slip in by accident, and integers so that no rounding can make two runs differ.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

use serde::Serialize;

/// A moment of virtual time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Instant(u64);

/// A span of virtual time, in nanoseconds.
///
/// Arithmetic saturates: 2^64 ns are 584 years, and every duration that a user can give is limited far below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Duration(u64);

impl Instant {
    /// The start of a run.
    pub const ZERO: Instant = Instant(0);

    /// The moment `nanos` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Instant(nanos)
    }

    /// Nanoseconds since the start of the run.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The time that passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// A span of `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Duration(nanos)
    }

    /// A span of `millis` milliseconds, the unit of the Win32 time-outs.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Duration(millis.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Duration(secs.saturating_mul(1_000_000_000))
    }

    /// The span in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, span: Duration) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Duration) {
        *self = *self + other;
    }
}

impl Mul<u64> for Duration {
    type Output = Duration;
    fn mul(self, times: u64) -> Duration {
        Duration(self.0.saturating_mul(times))
    }
}

/// The largest unit that leaves a number of at least 1, with at most three decimals: `2.5 ms`, `1.001 s`, `90 s`. Whole
/// minutes, hours and days from two on are shown as such.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0 => return f.pad("0 s"),
            1..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "us"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            nanos => LONG_UNITS
                .into_iter()
                .find(|(unit, _)| nanos >= 2 * unit && nanos % unit == 0)
                .unwrap_or((1_000_000_000, "s")),
        };
        let mut text = (self.0 / unit).to_string();
        let decimals = format!("{:03}", (self.0 % unit) * 1_000 / unit);
        let decimals = decimals.trim_end_matches('0');
        if !decimals.is_empty() {
            text.push('.');
            text.push_str(decimals);
        }
        text.push(' ');
        text.push_str(name);
        f.pad(&text)
    }
}

const LONG_UNITS: [(u64, &str); 3] = [(86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_the_largest_fitting_unit() {
        for (nanos, shown) in [
            (0, "0 s"),
            (999, "999 ns"),
            (1_500, "1.5 us"),
            (2_013_400, "2.013 ms"),
            (1_000_000_000, "1 s"),
            (90_000_000_000, "90 s"),
            (120_000_000_000, "2 min"),
            (259_200_000_000_000, "3 d"),
            (259_200_000_000_001, "259200 s"),
        ] {
            assert_eq!(Duration::from_nanos(nanos).to_string(), shown);
        }
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let last = Instant::from_nanos(u64::MAX);
        assert_eq!(last + Duration::from_nanos(1), last);
        assert_eq!(Instant::ZERO.since(last), Duration::ZERO);
        assert_eq!(Duration::from_secs(u64::MAX), Duration::from_nanos(u64::MAX));
    }
}
