//! Link profiles, and how things are attached by them.

use std::collections::BTreeMap;

use super::Context;
use crate::link::{self, Delay, Distribution, GilbertElliott, Loss, Probability};
use crate::scenario::file::{self, Attachment, DelayDistribution, DistributionName};
use crate::scenario::problem::{Path, Problem, Step, at};
use crate::scenario::quantity::{Chance, clipped};
use crate::time::Duration;

/// The longest mean loss period, in datagrams.
const MAX_BURST: f64 = 1_000_000.0;

/// A link profile, and whether anything uses it.
pub(super) struct Profile {
    config: link::Config,
    used: bool,
}

pub(super) type Profiles = BTreeMap<String, Profile>;
/// The links of an attachment: up and down.
pub(super) type Links = (link::Config, link::Config);

impl Context<'_> {
    pub(super) fn profiles(&mut self) -> Profiles {
        let file = self.file;
        let profile = |(name, link): (&String, &file::Link)| {
            self.check_label(&at!["link", name], name);
            let (loss, delay) = (self.loss(name, link), self.delay(name, link));
            let chance = |chance: Option<Chance>| chance.map_or(Probability::NEVER, |it| it.0);
            let config = link::Config {
                loss,
                delay,
                duplicate: chance(link.duplicate),
                corrupt: chance(link.corrupt),
                udp_checksum: link.udp_checksum.unwrap_or(true),
            };
            (name.clone(), Profile { config, used: false })
        };
        file.link.iter().map(profile).collect()
    }

    fn loss(&mut self, name: &String, link: &file::Link) -> Loss {
        let two_numbers = match &link.loss {
            None => return Loss::NONE,
            Some(file::Loss::Independent(chance)) => return Loss::Independent(chance.0),
            Some(file::Loss::Burst(two_numbers)) => two_numbers,
        };
        let (Some(mean), Some(burst)) = (two_numbers.mean, two_numbers.burst) else { return Loss::NONE };
        if burst.is_nan() || burst > MAX_BURST {
            self.error(
                at!["link", name, "loss", "burst"],
                format!("a burst is at most {MAX_BURST} datagrams (MAX_BURST)"),
            );
            return Loss::NONE;
        }
        match GilbertElliott::from_mean_and_burst(mean.0, burst) {
            Ok(model) => Loss::GilbertElliott(model),
            Err(error) => {
                self.error(at!["link", name, "loss", "burst"], error.to_string());
                Loss::NONE
            }
        }
    }

    fn delay(&mut self, name: &String, link: &file::Link) -> Delay {
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

    pub(super) fn attachment(&mut self, at: &Path, attachment: Option<&Attachment>, profiles: &mut Profiles) -> Links {
        let below = |key: &str| [&at[..], &[Step::from(key)]].concat();
        match attachment {
            None => (link::Config::PERFECT, link::Config::PERFECT),
            Some(Attachment::Both(name)) => {
                let profile = self.profile(at, Some(name), profiles);
                (profile, profile)
            }
            Some(Attachment::Each(each)) => (
                self.profile(&below("up"), each.up.as_ref(), profiles),
                self.profile(&below("down"), each.down.as_ref(), profiles),
            ),
        }
    }

    pub(super) fn profile(&mut self, at: &Path, name: Option<&String>, profiles: &mut Profiles) -> link::Config {
        let Some(name) = name else { return link::Config::PERFECT };
        if let Some(profile) = profiles.get_mut(name) {
            profile.used = true;
            return profile.config;
        }
        if !self.is_damaged(at!["link", name]) {
            let message = format!("there is no link profile `{}`", clipped(name));
            self.unknown_name(at.clone(), message, name, || profiles.keys().cloned().collect());
        }
        link::Config::PERFECT
    }

    pub(super) fn warn_of_unused(&mut self, profiles: &Profiles) {
        if !self.is_sound() {
            return;
        }
        for (name, _) in profiles.iter().filter(|(_, profile)| !profile.used) {
            let unused = Problem::warning(at!["link", name], format!("nothing uses the link profile `{name}`"));
            self.problems.push(unused.at_key());
        }
    }
}
