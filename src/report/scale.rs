//! Scales of charts: from values to places between 0 and 1, and the ticks that people like.

/// A scale.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Scale {
    /// In proportion, between two values.
    Linear(f64, f64),
    /// By their logarithms, between two positive values.
    Log(f64, f64),
    /// So many steps, for values without an order.
    Steps(usize),
}

impl Scale {
    /// For the values of an axis: by logarithms where they are positive and spread far.
    pub(super) fn of_axis(values: &[Option<f64>]) -> Self {
        let Some(numbers) = values.iter().copied().collect::<Option<Vec<f64>>>().filter(|numbers| !numbers.is_empty())
        else {
            return Scale::Steps(values.len());
        };
        let (low, high) = ends(&numbers);
        if low > 0.0 && high / low >= FAR { Scale::Log(low, high) } else { Scale::Linear(low, high) }
    }

    /// For the values of a figure, none of which is below 0: from 0, or from near the least if that makes little difference
    /// to what can be told apart. The ends are ticks.
    pub(super) fn of_figure(values: &[f64]) -> Self {
        let (low, high) = ends(values);
        let low = if low >= NEAR * high && high - low > high * FLAT { low } else { 0.0 };
        let high = if high > low.max(TINY) { high } else { low + 1.0 };
        let mut step = round_step(high - low);
        loop {
            let (first, last) = ((low / step + SLACK).floor(), (high / step - SLACK).ceil());
            let wider = round_step((last - first) * step); // the ends may be so far apart that steps are wider
            if wider <= step * (1.0 + FLAT) {
                return Scale::Linear(first * step, last * step);
            }
            step = wider;
        }
    }

    /// For times, by their logarithms; the ends are ticks.
    pub(super) fn of_times(nanos: &[f64]) -> Self {
        let (low, high) = ends(nanos);
        let decade = |value: f64, by: f64| libm::pow(10.0, libm::floor(libm::log10(value)) + by);
        let under =
            |value: f64| LOG_STEPS.map(|step| step * decade(value, 0.0)).into_iter().rfind(|tick| *tick <= value);
        let over = |value: f64| LOG_STEPS.map(|step| step * decade(value, 0.0)).into_iter().find(|tick| *tick >= value);
        let (low, high) = (low.max(1.0), high.max(1.0));
        let low = under(low).unwrap_or(decade(low, 0.0));
        let high = over(high).unwrap_or(decade(high, 1.0));
        let scale = Scale::Log(low, if high > low { high } else { low * 10.0 });
        if scale.fine_ticks().len() <= MOST_TICKS {
            return scale;
        }
        Scale::Log(decade(low, 0.0), if decade(high, 0.0) < high { decade(high, 1.0) } else { high })
    }

    /// Where a value is; of [`Scale::Steps`] the value is its number.
    pub(super) fn place(&self, value: f64) -> f64 {
        match *self {
            Scale::Linear(low, high) => (value - low) / if high > low { high - low } else { 1.0 },
            Scale::Log(low, high) => {
                (libm::log10(value.max(low)) - libm::log10(low)) / (libm::log10(high) - libm::log10(low))
            }
            Scale::Steps(steps) => (value + 0.5) / steps as f64,
        }
    }

    /// Whether values have an order, so that a line between them means something.
    pub(super) fn is_ordered(&self) -> bool {
        !matches!(self, Scale::Steps(_))
    }

    /// Round values from end to end.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match *self {
            Scale::Linear(low, high) => {
                let step = round_step(high - low);
                let (first, last) = ((low / step).round() as i64, (high / step).round() as i64);
                (first..=last).map(|number| number as f64 * step).collect()
            }
            Scale::Log(..) => {
                let fine = self.fine_ticks();
                let is_decade = |tick: &f64| (libm::log10(*tick) - libm::round(libm::log10(*tick))).abs() < SLACK;
                if fine.len() <= MOST_TICKS { fine } else { fine.into_iter().filter(is_decade).collect() }
            }
            Scale::Steps(steps) => (0..steps).map(|step| step as f64).collect(),
        }
    }

    /// Of a logarithmic scale, [`LOG_STEPS`] of each decade.
    fn fine_ticks(&self) -> Vec<f64> {
        let Scale::Log(low, high) = *self else { return Vec::new() };
        let decades = (0..=MOST_DECADES).map(|power| libm::pow(10.0, f64::from(power)));
        let ticks = decades.flat_map(|decade| LOG_STEPS.map(|step| step * decade));
        ticks.filter(|tick| *tick >= low * (1.0 - SLACK) && *tick <= high * (1.0 + SLACK)).collect()
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// A round step, of which three to six make the span.
fn round_step(span: f64) -> f64 {
    let decade = libm::pow(10.0, libm::floor(libm::log10(span)));
    let steps = [0.2, 0.25, 0.5, 1.0, 2.0].map(|part| part * decade);
    steps.into_iter().find(|step| span / step <= MOST_STEPS).unwrap_or(2.0 * decade)
}

/// From this ratio of its ends on, an axis has a logarithmic scale (a choice).
const FAR: f64 = 50.0;
/// A figure's scale begins at 0 unless its least value is at least this share of the greatest (a choice).
const NEAR: f64 = 0.6;
/// Values that differ by less than this share are one (a choice): beyond that, rounding shows.
const FLAT: f64 = 1e-7;
/// The most steps of a span, and some room for what rounding did to it.
const MOST_STEPS: f64 = 6.0 + 1e-6;
/// What is below that is 0.
const TINY: f64 = 1e-290;
/// What rounding may have done to a multiple of a step.
const SLACK: f64 = 1e-9;
/// Round numbers within a decade.
const LOG_STEPS: [f64; 3] = [1.0, 2.0, 5.0];
/// The most ticks of a logarithmic scale before only whole decades have one.
const MOST_TICKS: usize = 8;
/// The highest power of ten that a logarithmic scale comes to: nanoseconds of 31 years.
const MOST_DECADES: i32 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_begins_at_0_unless_its_values_are_near_one_another() {
        assert_eq!(Scale::of_figure(&[0.1, 1.0]), Scale::Linear(0.0, 1.0));
        assert_eq!(Scale::of_figure(&[0.83, 1.0]).ticks().first(), Some(&0.8));
        assert_eq!(Scale::of_figure(&[0.0, 0.0]), Scale::Linear(0.0, 1.0));
        assert_eq!(Scale::of_figure(&[1.0, 1.0]), Scale::Linear(0.0, 1.0));
        assert_eq!(Scale::of_figure(&[]), Scale::Linear(0.0, 1.0));
    }

    #[test]
    fn every_figure_has_from_three_to_eight_ticks_and_lies_within_them() {
        for high in [1e-6, 0.003, 0.2, 0.3, 0.77, 1.0, 3.8, 17.0, 123_456.0] {
            for share in [0.0, 0.3, 0.7, 0.97, 0.988, 0.993] {
                let values = [high * share, high];
                let scale = Scale::of_figure(&values);
                let ticks = scale.ticks();
                assert!((3..=8).contains(&ticks.len()), "{values:?}: {ticks:?}");
                assert!(values.iter().all(|value| (-1e-6..=1.000_001).contains(&scale.place(*value))), "{values:?}");
                let ends = [ticks[0], ticks[ticks.len() - 1]].map(|tick| scale.place(tick));
                assert!(ends[0].abs() < 1e-9 && (ends[1] - 1.0).abs() < 1e-9, "{values:?}: {ticks:?}");
            }
        }
    }

    #[test]
    fn every_two_values_have_a_scale_whose_ends_are_ticks() {
        let share = |number: u64| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64;
        let spreads = [1e-18, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.1, 10.0];
        let random =
            (0..40_000).map(|number| (share(number) * 9.0 + 1e-6, share(!number) * spreads[number as usize % 8]));
        let known =
            [(3.5, 0.1), (0.268, 1e-5), (1.75, 11.0 / 6.0 - 1.75), (1.0, f64::EPSILON), (1e9, 1.0), (0.0, 5e-324)];
        for (low, spread) in random.chain(known) {
            let (scale, values) = (Scale::of_figure(&[low, low + spread]), [low, low + spread]);
            let ticks = scale.ticks();
            assert!((2..=8).contains(&ticks.len()), "{values:?}: {ticks:?}");
            let ends = [ticks[0], ticks[ticks.len() - 1]].map(|tick| scale.place(tick));
            assert!(ends[0].abs() < 1e-6 && (ends[1] - 1.0).abs() < 1e-6, "{values:?}: {ticks:?}");
            assert!(values.iter().all(|value| (-1e-6..=1.000_001).contains(&scale.place(*value))), "{values:?}");
        }
    }

    #[test]
    fn an_axis_is_logarithmic_where_it_is_positive_and_spreads_far() {
        let scale = |values: &[f64]| Scale::of_axis(&values.iter().map(|value| Some(*value)).collect::<Vec<_>>());
        assert_eq!(scale(&[1.0, 10.0, 1_000.0]), Scale::Log(1.0, 1_000.0));
        assert_eq!(scale(&[0.0, 1_000.0]), Scale::Linear(0.0, 1_000.0));
        assert!((scale(&[1.0, 10.0, 1_000.0]).place(10.0) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(Scale::of_axis(&[Some(1.0), None]), Scale::Steps(2));
        assert_eq!(scale(&[4.0]).place(4.0), 0.0);
    }

    #[test]
    fn times_have_round_ends() {
        assert_eq!(Scale::of_times(&[1_500_000.0, 42_000_000.0]), Scale::Log(1e6, 5e7));
        assert_eq!(Scale::of_times(&[2e6, 2e6]), Scale::Log(2e6, 2e7));
        assert_eq!(Scale::of_times(&[0.0]), Scale::Log(1.0, 10.0));
        assert_eq!(Scale::of_times(&[2e6, 6e12]), Scale::Log(1e6, 1e13));
        assert_eq!(Scale::of_times(&[2e6, 6e12]).ticks().len(), 8);
    }
}
