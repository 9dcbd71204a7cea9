//! The delay of a link profile.

use super::Context;
use super::values::below;
use crate::link::{
    Correlation, Delay, Distribution, Empirical, Exponential, InvalidDelay, Lognormal, MAX_MEASURED, Pareto,
};
use crate::scenario::file::{self, DelayDistribution, DistributionName};
use crate::scenario::parse_time;
use crate::scenario::problem::{Path, Problem};
use crate::scenario::quantity::Time;
use crate::time::Duration;

impl Context<'_> {
    pub(super) fn delay(&mut self, at: &Path, given: Option<&file::Delay>) -> Delay {
        let given = match given {
            None => return Delay::NONE,
            Some(file::Delay::Constant(time)) => return Delay::from_distribution(Distribution::Constant(time.0)),
            Some(file::Delay::Distribution(given)) => given,
        };
        let distribution = self.distribution(at, given);
        Delay {
            distribution: distribution.unwrap_or(Distribution::Constant(Duration::ZERO)),
            correlation: given.correlation.map_or(Correlation::NONE, |chance| Correlation::new(chance.0)),
            keep_order: given.keep_order.unwrap_or(false),
        }
    }

    fn distribution(&mut self, at: &Path, given: &DelayDistribution) -> Option<Distribution> {
        let name = given.distribution?;
        let is_whole = self.takes(at, given, name);
        let DelayDistribution { min, max, mean, deviation, median, sigma, alpha, file, .. } = given;
        let [min, max, mean, deviation, median] =
            [min, max, mean, deviation, median].map(|time| time.map(|Time(it)| it));
        let least = min.unwrap_or(Duration::ZERO);
        let distribution = match name {
            DistributionName::Uniform if min? > max? => {
                Err(InvalidDelay::MinTooLong { min: min?, key: "max", value: max? })
            }
            DistributionName::Uniform => Ok(Distribution::Uniform { min: min?, max: max? }),
            DistributionName::Normal => Ok(Distribution::Normal { mean: mean?, deviation: deviation? }),
            DistributionName::Lognormal => Lognormal::new(median?, (*sigma)?, least).map(Distribution::Lognormal),
            DistributionName::Exponential => Exponential::new(least, mean?).map(Distribution::Exponential),
            DistributionName::Pareto => Pareto::new(min?, (*alpha)?, max?).map(Distribution::Pareto),
            DistributionName::Empirical => return self.empirical(at, file.as_ref()?),
        };
        match distribution {
            Ok(distribution) => Some(distribution).filter(|_| is_whole),
            Err(error) => {
                self.error(at.clone(), error.to_string());
                None
            }
        }
    }

    /// Whether a distribution has all the values that it needs, and no others.
    fn takes(&mut self, at: &Path, given: &DelayDistribution, name: DistributionName) -> bool {
        let (called, needs, may_have): (_, &[&str], &[&str]) = match name {
            DistributionName::Uniform => ("a uniform", &["min", "max"], &[]),
            DistributionName::Normal => ("a normal", &["mean", "deviation"], &[]),
            DistributionName::Lognormal => ("a lognormal", &["median", "sigma"], &["min"]),
            DistributionName::Exponential => ("an exponential", &["mean"], &["min"]),
            DistributionName::Pareto => ("a pareto", &["min", "alpha", "max"], &[]),
            DistributionName::Empirical => ("an empirical", &["file"], &[]),
        };
        let all = [
            ("min", given.min.is_some()),
            ("max", given.max.is_some()),
            ("mean", given.mean.is_some()),
            ("deviation", given.deviation.is_some()),
            ("median", given.median.is_some()),
            ("sigma", given.sigma.is_some()),
            ("alpha", given.alpha.is_some()),
            ("file", given.file.is_some()),
        ];
        let before = self.problems.len();
        for (key, is_given) in all {
            if is_given && !needs.contains(&key) && !may_have.contains(&key) {
                let problem = Problem::error(below(at, key), format!("{called} delay has no `{key}`")).at_key();
                let takes = [needs, may_have].concat().join("` and `");
                self.problems.push(problem.help(format!("it takes `{takes}`")));
            } else if !is_given && needs.contains(&key) && !self.is_damaged(below(at, key)) {
                self.error(at.clone(), format!("{called} delay needs `{key}`"));
            }
        }
        self.problems.len() == before
    }

    fn empirical(&mut self, at: &Path, file: &str) -> Option<Distribution> {
        let times = self.read_values(&below(at, "file"), file, one_time)?;
        let empirical = Empirical::new(times);
        if empirical.is_none() {
            let message = format!("`{file}` must have 1 to {MAX_MEASURED} times (MAX_MEASURED)");
            self.error(below(at, "file"), message);
        }
        empirical.map(Distribution::Empirical)
    }
}

/// The time on a line, if there is one.
fn one_time(line: &str) -> Result<Vec<Duration>, (usize, String)> {
    let column = line.chars().take_while(|c| c.is_whitespace()).count();
    match line.trim() {
        "" => Ok(Vec::new()),
        text => parse_time(text).map(|time| vec![time]).map_err(|message| (column, message)),
    }
}
