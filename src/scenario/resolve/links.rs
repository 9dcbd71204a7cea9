//! Link profiles, and how things are attached by them.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::Context;
use super::values::below;
use crate::link::{self, Bottleneck, Correlation, Delay, MIN_MTU, Probability, QueueLimit, Reorder};
use crate::scenario::file::{self, Attachment};
use crate::scenario::problem::{Path, Problem, Step, at};
use crate::scenario::quantity::{Bytes, Chance, Queue, Rate, clipped};

/// The longest gap between reordered datagrams.
const MAX_GAP: u32 = 1_000_000;

/// What may wait on a link with a rate and no `queue`: netem's default limit (tc-netem(8)). That it is this one is a
/// choice.
const DEFAULT_QUEUE: QueueLimit = QueueLimit::Datagrams(1_000);

/// A link profile, and whether anything uses it.
pub(super) struct Profile {
    pub(super) config: link::Config,
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
            let reorder = self.reorder(&at!["link", name, "reorder"], link, &delay);
            let config = link::Config {
                loss,
                delay,
                reorder,
                duplicate: chance(link.duplicate),
                corrupt: chance(link.corrupt),
                udp_checksum: link.udp_checksum.unwrap_or(true),
                bottleneck: self.bottleneck(name, link),
                mtu: self.mtu(&at!["link", name, "mtu"], link.mtu),
            };
            (name.clone(), Profile { config, used: false })
        };
        file.link.iter().map(profile).collect()
    }

    fn bottleneck(&mut self, name: &String, link: &file::Link) -> Option<Bottleneck> {
        let queue = link.queue.map_or(DEFAULT_QUEUE, |Queue(limit)| limit);
        if link.queue.is_some() && link.rate.is_none() && !self.is_damaged(at!["link", name, "rate"]) {
            let problem =
                Problem::error(at!["link", name, "queue"], "without a rate nothing waits in a queue").at_key();
            self.problems.push(problem.help("add `rate`: how fast the link sends"));
        }
        link.rate.map(|Rate(rate)| Bottleneck { rate, queue })
    }

    fn mtu(&mut self, at: &Path, mtu: Option<Bytes>) -> Option<u16> {
        let Bytes(bytes) = mtu?;
        let in_range = u16::try_from(bytes).ok().filter(|mtu| *mtu >= MIN_MTU);
        if in_range.is_none() {
            let problem = Problem::error(at.clone(), format!("an MTU is {MIN_MTU} to {} B, not {bytes} B", u16::MAX));
            self.problems
                .push(problem.help("every IP module can forward 68 B whole (RFC 791); no IP datagram is longer"));
        }
        in_range
    }

    fn reorder(&mut self, at: &Path, link: &file::Link, delay: &Delay) -> Reorder {
        let Some(given) = &link.reorder else { return Reorder::NONE };
        if link.delay.is_none() && !self.is_damaged([&at[..at.len() - 1], &[Step::from("delay")]].concat()) {
            let problem = Problem::error(at.clone(), "without a delay there is nothing to overtake").at_key();
            self.problems.push(problem.help("add `delay`: datagrams that are chosen are sent on without it"));
        }
        if delay.keep_order {
            let message = "`reorder` contradicts `keep_order`: nobody overtakes on a link that keeps order";
            self.problems.push(Problem::error(at.clone(), message).at_key());
        }
        let gap = given.gap.unwrap_or(1);
        let in_range = NonZeroU32::new(gap).filter(|_| gap <= MAX_GAP);
        if in_range.is_none() {
            self.error(below(at, "gap"), format!("a gap is 1 to {MAX_GAP} datagrams (MAX_GAP), not {gap}"));
        }
        let correlation = given.correlation.map_or(Correlation::NONE, |chance| Correlation::new(chance.0));
        match (given.probability, in_range) {
            (Some(Chance(probability)), Some(gap)) => Reorder { probability, gap, correlation },
            _ => Reorder::NONE,
        }
    }

    pub(super) fn attachment(&mut self, at: &Path, attachment: Option<&Attachment>, profiles: &mut Profiles) -> Links {
        match attachment {
            None => (link::Config::PERFECT, link::Config::PERFECT),
            Some(Attachment::Both(name)) => {
                let profile = self.profile(at, Some(name), profiles);
                (profile.clone(), profile)
            }
            Some(Attachment::Each(each)) => (
                self.profile(&below(at, "up"), each.up.as_ref(), profiles),
                self.profile(&below(at, "down"), each.down.as_ref(), profiles),
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
