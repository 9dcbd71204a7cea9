//! The delay of a link profile.

use super::Context;
use crate::link::{Delay, Distribution};
use crate::scenario::file::{self, DelayDistribution, DistributionName};
use crate::scenario::problem::{Path, Problem, Step, at};
use crate::time::Duration;

impl Context<'_> {
    pub(super) fn delay(&mut self, name: &String, link: &file::Link) -> Delay {
        let given = match &link.delay {
            None => return Delay::NONE,
            Some(file::Delay::Constant(time)) => {
                return Delay { distribution: Distribution::Constant(time.0), keep_order: false };
            }
            Some(file::Delay::Distribution(given)) => given,
        };
        let keep_order = given.keep_order.unwrap_or(false);
        let distribution = self.distribution(&at!["link", name, "delay"], given);
        Delay { distribution: distribution.unwrap_or(Distribution::Constant(Duration::ZERO)), keep_order }
    }

    fn distribution(&mut self, at: &Path, given: &DelayDistribution) -> Option<Distribution> {
        let (name, takes) = match given.distribution? {
            DistributionName::Uniform => ("uniform", ["min", "max"]),
            DistributionName::Normal => ("normal", ["mean", "deviation"]),
        };
        let all = [("min", given.min), ("max", given.max), ("mean", given.mean), ("deviation", given.deviation)];
        for (key, value) in all {
            let path = [&at[..], &[Step::from(key)]].concat();
            if value.is_some() && !takes.contains(&key) {
                let problem = Problem::error(path, format!("a {name} delay has no `{key}`")).at_key();
                self.problems.push(problem.help(format!("it takes `{}` and `{}`", takes[0], takes[1])));
            } else if value.is_none() && takes.contains(&key) {
                self.error(at.clone(), format!("a {name} delay needs `{key}`"));
            }
        }
        let [first, second] = takes.map(|key| all.iter().find(|(name, _)| *name == key).and_then(|(_, value)| *value));
        let (first, second) = (first?.0, second?.0);
        match given.distribution? {
            DistributionName::Uniform if first > second => {
                self.error(at.clone(), format!("`min` ({first}) is greater than `max` ({second})"));
                None
            }
            DistributionName::Uniform => Some(Distribution::Uniform { min: first, max: second }),
            DistributionName::Normal => Some(Distribution::Normal { mean: first, deviation: second }),
        }
    }
}
