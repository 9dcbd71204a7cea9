//! When a host and a master announce themselves: at times that grow apart.

use crate::time::{Duration, Instant};

/// Times from one HostAnnouncement to the next, from the start on (MS-BRWS 3.2.6): the last one again and again. Older
/// Windows begins with 4 and 8 minutes (note 32).
pub const HOST_ANNOUNCEMENT_PERIODS: [Duration; 6] = minutes([1, 1, 2, 4, 8, 12]);
/// Times from one LocalMasterAnnouncement to the next, from the victory on (MS-BRWS 3.3.6): the last one again and again.
/// Windows 7 and later leave out the second (note 57).
pub const LOCAL_MASTER_ANNOUNCEMENT_PERIODS: [Duration; 5] = minutes([2, 2, 4, 8, 12]);

/// The announcements of one kind.
#[derive(Debug)]
pub(super) struct Schedule {
    periods: &'static [Duration],
    /// How many announcements followed the first.
    expirations: usize,
    next: Instant,
}

impl Schedule {
    /// The first announcement is made now.
    pub(super) fn new(now: Instant, periods: &'static [Duration]) -> Self {
        Schedule { periods, expirations: 0, next: now + periods[0] }
    }

    /// The time from the announcement made last to the next one: its Periodicity.
    pub(super) fn period(&self) -> Duration {
        self.periods[self.expirations.min(self.periods.len() - 1)]
    }

    /// When the next announcement is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Whether an announcement is due now; it is made then.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let due = self.next <= now;
        if due {
            self.expirations += 1;
            self.next = now + self.period();
        }
        due
    }
}

const fn minutes<const N: usize>(minutes: [u64; N]) -> [Duration; N] {
    let mut periods = [Duration::ZERO; N];
    let mut at = 0;
    while at < N {
        periods[at] = Duration::from_secs(60 * minutes[at]);
        at += 1;
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(periods: &'static [Duration], number: usize) -> Vec<u64> {
        let mut schedule = Schedule::new(Instant::ZERO, periods);
        let mut times = vec![0];
        while times.len() < number {
            let (now, period) = (schedule.next(), schedule.period());
            assert!(!schedule.expire(now - Duration::from_nanos(1)));
            assert!(schedule.expire(now));
            times.push(now.since(Instant::ZERO).nanos() / 60_000_000_000);
            assert_eq!(times[times.len() - 2] * 60 + period.nanos() / 1_000_000_000, times[times.len() - 1] * 60);
        }
        times
    }

    #[test]
    fn announcements_grow_apart() {
        assert_eq!(times(&HOST_ANNOUNCEMENT_PERIODS, 9), [0, 1, 2, 4, 8, 16, 28, 40, 52]);
        assert_eq!(times(&LOCAL_MASTER_ANNOUNCEMENT_PERIODS, 8), [0, 2, 4, 8, 16, 28, 40, 52]);
    }

    /// A host that slept does not make up for what it missed.
    #[test]
    fn the_next_one_counts_from_when_the_last_was_made() {
        let mut schedule = Schedule::new(Instant::ZERO, &HOST_ANNOUNCEMENT_PERIODS);
        let late = Instant::ZERO + Duration::from_secs(3600);
        assert!(schedule.expire(late));
        assert_eq!(schedule.next(), late + HOST_ANNOUNCEMENT_PERIODS[1]);
    }
}
