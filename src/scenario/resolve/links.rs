//! Link profiles, and how things are attached by them.

use std::collections::BTreeMap;

use super::Context;
use crate::link::{self, Probability};
use crate::scenario::file::{self, Attachment};
use crate::scenario::problem::{Path, Problem, Step, at};
use crate::scenario::quantity::{Chance, clipped};

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
            let loss = self.loss(&at!["link", name, "loss"], link.loss.as_ref());
            let delay = self.delay(&at!["link", name, "delay"], link.delay.as_ref());
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

    pub(super) fn attachment(&mut self, at: &Path, attachment: Option<&Attachment>, profiles: &mut Profiles) -> Links {
        let below = |key: &str| [&at[..], &[Step::from(key)]].concat();
        match attachment {
            None => (link::Config::PERFECT, link::Config::PERFECT),
            Some(Attachment::Both(name)) => {
                let profile = self.profile(at, Some(name), profiles);
                (profile.clone(), profile)
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
            return profile.config.clone();
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
