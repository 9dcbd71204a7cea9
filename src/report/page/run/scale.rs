//! The scale of time of a space-time diagram: in proportion where something happens, and short where nothing does.

use crate::time::{Duration, Instant};

/// From moments to places. What is going on at once is drawn in one scale; idle time that would be longer than a gap is one.
pub(super) struct TimeScale {
    /// In the order of time, without room between them.
    stretches: Vec<Stretch>,
}

/// Time in which something is going on, or not.
pub(super) struct Stretch {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) is_gap: bool,
}

impl TimeScale {
    /// For what is going on from each of these moments to another.
    pub(super) fn new(spans: impl Iterator<Item = (Instant, Instant)>) -> Self {
        let mut spans: Vec<(u64, u64)> = spans.map(|(from, to)| (nanos(from), nanos(to))).collect();
        spans.sort_unstable();
        let mut lengths: Vec<u64> = spans.iter().map(|(from, to)| to - from).filter(|length| *length > 0).collect();
        lengths.sort_unstable();
        let typical = lengths.get(lengths.len() / 2).copied().unwrap_or(1_000_000);
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (from, to) in spans {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => merged.push((from, to)),
            }
        }
        let busy: u64 = merged.iter().map(|(from, to)| to - from).sum();
        let scale = (TYPICAL / typical as f64).min(MAX_TALL / busy.max(1) as f64);
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut place = 0.0;
        for (from, to) in merged {
            let idle_since = stretches.last().map(|last| last.to);
            if let Some(since) = idle_since {
                let idle = (from - since) as f64 * scale;
                let is_gap = idle > GAP;
                let bottom = place + idle.min(GAP);
                stretches.push(Stretch { from: since, to: from, top: place, bottom, is_gap });
                place = bottom;
            }
            let bottom = place + (to - from) as f64 * scale;
            stretches.push(Stretch { from, to, top: place, bottom, is_gap: false });
            place = bottom;
        }
        TimeScale { stretches }
    }

    /// Where a moment is.
    pub(super) fn place(&self, at: Instant) -> f64 {
        let at = nanos(at);
        let position = self.stretches.partition_point(|stretch| stretch.to < at);
        let Some(Stretch { from, to, top, bottom, .. }) = self.stretches.get(position) else { return self.height() };
        let share = if to > from { at.saturating_sub(*from) as f64 / (to - from) as f64 } else { 0.0 };
        top + share * (bottom - top)
    }

    pub(super) fn height(&self) -> f64 {
        self.stretches.last().map_or(0.0, |last| last.bottom)
    }

    /// The first moment, and the last one, in nanoseconds.
    pub(super) fn first(&self) -> u64 {
        self.stretches.first().map_or(0, |first| first.from)
    }

    pub(super) fn last(&self) -> u64 {
        self.stretches.last().map_or(0, |last| last.to)
    }

    pub(super) fn gaps(&self) -> impl Iterator<Item = &Stretch> {
        self.stretches.iter().filter(|stretch| stretch.is_gap)
    }

    /// Moments to name: where something begins after a gap, and round ones in long stretches.
    pub(super) fn ticks(&self) -> Vec<(f64, Instant)> {
        let mut ticks: Vec<(f64, Instant)> = Vec::new();
        let mut add = |place: f64, at: u64| {
            if ticks.last().is_none_or(|(last, _)| place - last >= CLEAR) {
                ticks.push((place, Instant::from_nanos(at)));
            }
        };
        let mut is_first = true;
        for stretch in &self.stretches {
            if stretch.is_gap || is_first {
                add(
                    if is_first { stretch.top } else { stretch.bottom },
                    if is_first { stretch.from } else { stretch.to },
                );
            }
            is_first = false;
            if stretch.is_gap || stretch.to == stretch.from {
                continue;
            }
            let per_nano = (stretch.bottom - stretch.top) / (stretch.to - stretch.from) as f64;
            let step = round_up(TICK / per_nano);
            let first = (stretch.from / step + 1) * step;
            (first..=stretch.to)
                .step_by(step as usize)
                .for_each(|at| add(stretch.top + (at - stretch.from) as f64 * per_nano, at));
        }
        ticks
    }
}

/// The next round number of nanoseconds.
fn round_up(nanos: f64) -> u64 {
    let mut decade = 1_u64;
    loop {
        for step in [1, 2, 5] {
            if (step * decade) as f64 >= nanos || decade >= MAX_DECADE {
                return step * decade;
            }
        }
        decade *= 10;
    }
}

fn nanos(at: Instant) -> u64 {
    at.since(Instant::ZERO).nanos()
}

/// A moment in seconds, without the zeros at its end.
pub(super) fn moment(at: Instant) -> String {
    let nanos = nanos(at);
    let decimals = format!("{:09}", nanos % 1_000_000_000);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals} s", nanos / 1_000_000_000)
}

/// A place to a hundredth: the script makes it up to a hundred times as large.
pub(super) fn exact(place: f64) -> String {
    let text = format!("{place:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How long nothing happens in a gap.
pub(super) fn length(gap: &Stretch) -> Duration {
    Duration::from_nanos(gap.to - gap.from)
}

/// How tall the median of what takes time is (a choice).
const TYPICAL: f64 = 44.0;
/// How tall all that is going on is at most.
const MAX_TALL: f64 = 24_000.0;
/// How tall idle time is at most.
const GAP: f64 = 30.0;
/// From one round moment to the next, and from one label to the next, at least.
const TICK: f64 = 70.0;
const CLEAR: f64 = 14.0;
/// Where [`round_up`] ends: a hundred years.
const MAX_DECADE: u64 = 1_000_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn time_is_in_proportion_but_for_gaps() {
        let scale =
            TimeScale::new([(ms(0), ms(2)), (ms(1), ms(4)), (ms(100), ms(103)), (ms(104), ms(104))].into_iter());
        let [zero, two, four, hundred, later] = [0, 2, 4, 100, 103].map(|at| scale.place(ms(at)));
        assert_eq!(zero, 0.0);
        assert!((two * 2.0 - four).abs() < 1e-9 && (later - hundred - four * 0.75).abs() < 1e-9);
        assert!((hundred - four - GAP).abs() < 1e-9, "96 ms in which nothing happens");
        assert_eq!(scale.gaps().map(|gap| length(gap).to_string()).collect::<Vec<_>>(), ["96 ms"]);
        assert!(scale.place(ms(104)) > later && scale.place(ms(104)) <= scale.height());
    }

    #[test]
    fn places_never_go_back_and_height_is_bounded() {
        let spans = (0..2_000).map(|number| (ms(number * 7), ms(number * 7 + 1 + (number * number) % 9_000)));
        let scale = TimeScale::new(spans);
        let places: Vec<f64> = (0..20_000).map(|at| scale.place(ms(at))).collect();
        assert!(places.is_sorted());
        assert!(scale.height() <= MAX_TALL + 2_000.0 * GAP);
        assert!(scale.ticks().len() < 1_000);
    }

    #[test]
    fn where_nothing_takes_time_there_are_still_places() {
        let scale = TimeScale::new([(ms(0), ms(0)), (ms(100), ms(100))].into_iter());
        assert_eq!((scale.place(ms(0)), scale.place(ms(100)), scale.height()), (0.0, GAP, GAP));
        assert_eq!(TimeScale::new(std::iter::empty()).height(), 0.0);
    }
}
