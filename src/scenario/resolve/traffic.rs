//! What programs write, and when.

use std::collections::BTreeSet;

use super::Context;
use super::network::Network;
use crate::mailslot::{MailslotPath, Server};
use crate::scenario::document::BACKSLASHES;
use crate::scenario::file;
use crate::scenario::model::{Arrivals, Copies, Flow, Generated, Mailslot, Size, Target, Traffic};
use crate::scenario::problem::{Path, Problem, at};
use crate::scenario::quantity::clipped;
use crate::time::Duration;
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;

/// The most `[[traffic]]` entries.
const MAX_FLOWS: usize = 1_000;
/// The most messages that one sender of one flow writes.
const MAX_MESSAGES: u64 = 100_000_000;
/// The most sender-recipient pairs of all flows together.
const MAX_PAIRS: u64 = 4_000_000;
/// The greatest message: a local mailslot takes any size, but somebody has to hold it.
const MAX_MESSAGE_BYTES: u32 = 1 << 20;
/// The most copies of a message.
const MAX_COPIES: u16 = 1_000;
/// The most messages of one sender whose copies are not all written: each is remembered until then.
const MAX_REPEATING: u64 = 1_000_000;
/// The most replies that one sender waits for at once: each that has come is remembered.
const MAX_AWAITED: u64 = 10_000_000;
/// The size of messages where none is given.
const DEFAULT_SIZE: u32 = 64;

impl Context<'_> {
    /// All flows; `duration` is that of the scenario, if it could be read.
    pub(super) fn flows(&mut self, network: &Network, mailslots: &[Mailslot], duration: Option<Duration>) -> Vec<Flow> {
        let mut names = BTreeSet::new();
        let mut flows = Vec::new();
        let mut pairs = 0;
        for (index, spec) in self.file.traffic.iter().enumerate() {
            if index == MAX_FLOWS {
                self.error(at!["traffic", index], format!("there are more than {MAX_FLOWS} flows (MAX_FLOWS)"));
                break;
            }
            if let Some(name) = &spec.name
                && self.check_label(&at!["traffic", index, "name"], name)
                && !names.insert(name)
            {
                self.error(at!["traffic", index, "name"], format!("a flow called `{name}` exists already"));
            }
            let flow = match spec.capture {
                Some(_) => self.captured_flow(index, spec, network, duration),
                None => self.generated_flow(index, spec, network, duration),
            };
            let Some(flow) = flow else { continue };
            self.outlook(index, &flow, network, mailslots);
            pairs += pairs_of(&flow, network);
            if pairs > MAX_PAIRS {
                let message = format!("the flows have more than {MAX_PAIRS} sender-recipient pairs (MAX_PAIRS)");
                self.error(at!["traffic", index], message);
                break;
            }
            flows.push(flow);
        }
        if self.file.traffic.is_empty() && self.file.app.is_empty() && self.is_sound() {
            self.warning(Vec::new(), "the scenario has no `[[traffic]]`: nothing is written");
        }
        flows
    }

    fn generated_flow(
        &mut self,
        index: usize,
        spec: &file::Traffic,
        network: &Network,
        duration: Option<Duration>,
    ) -> Option<Flow> {
        let at = |key: &str| at!["traffic", index, key];
        for (key, missing) in [("from", spec.from.is_none()), ("to", spec.to.is_none())] {
            if missing && !self.is_damaged(at!["traffic", index]) {
                self.problems.push(Problem::error(at!["traffic", index], format!("`[[traffic]]` has no `{key}`")));
            }
        }
        let senders = spec.from.as_ref().map_or(Vec::new(), |from| self.hosts_called(&at("from"), from, network));
        let span = self.span(index, spec, duration);
        let arrivals = self.arrivals(index, spec, span, duration);
        let size = self.size(&at("size"), spec.size.as_ref());
        let copies = self.copies(index, spec);
        let ack = self.ack(index, spec);
        let to_text = spec.to.as_ref()?;
        let to = self.target(&at("to"), to_text, network)?;
        let (arrivals, (start, stop)) = (arrivals?, span?);
        let copies = ack.as_ref().map_or(copies, |(_, tries)| *tries);
        let (count, ack) = (spec.count, ack.map(|(slot, _)| slot));
        let generated = Generated { to, arrivals, start, stop, count, size, copies, ack };
        self.check_number(index, &generated, network);
        self.check_ack(index, spec, &generated);
        if senders.is_empty() {
            return None;
        }
        let traffic = Traffic::Generated(generated);
        Some(Flow { name: spec.name.clone()?, to: to_text.clone(), senders, traffic })
    }

    /// When the flow starts and stops.
    fn span(&mut self, index: usize, spec: &file::Traffic, duration: Option<Duration>) -> Option<(Duration, Duration)> {
        let at = |key: &str| at!["traffic", index, key];
        let (start, stop) = (spec.start.map_or(Duration::ZERO, |time| time.0), spec.stop.map(|time| time.0));
        match stop {
            Some(stop) if stop > duration? => {
                self.error(at("stop"), format!("{stop} is after the scenario's duration, {}", duration?));
                None
            }
            Some(stop) if start >= stop => {
                let key = if spec.start.is_some() { "start" } else { "stop" };
                self.error(at(key), format!("the flow would start at {start} and stop before {stop}"));
                None
            }
            None if start >= duration? => {
                self.error(
                    at("start"),
                    format!("{start} is not before the end of the scenario's duration, {}", duration?),
                );
                None
            }
            _ => Some((start, stop.or(duration)?)),
        }
    }

    fn arrivals(
        &mut self,
        index: usize,
        spec: &file::Traffic,
        span: Option<(Duration, Duration)>,
        duration: Option<Duration>,
    ) -> Option<Arrivals> {
        let entry = at!["traffic", index];
        let at = |key: &str| at!["traffic", index, key];
        let given = [
            ("every", spec.every.is_some()),
            ("poisson", spec.poisson.is_some()),
            ("burst", spec.burst.is_some()),
            ("at", spec.at.is_some()),
        ];
        let given: Vec<&str> = given.into_iter().filter_map(|(key, given)| given.then_some(key)).collect();
        if given.len() != 1 {
            if given.len() > 1 {
                let message = format!("`{}` and `{}` contradict each other", given[0], given[1]);
                self.problems.push(Problem::error(at(given[1]), message).at_key());
            } else if !self.is_damaged(&entry) {
                let problem = Problem::error(entry, "nothing says when the messages are written");
                self.problems.push(problem.help("give one of `every`, `poisson`, `burst`, `at` or `capture`"));
            }
            return None;
        }
        if let Some(every) = spec.every {
            return self.not_zero(&at("every"), every.0).map(Arrivals::Every);
        }
        if let Some(frequency) = spec.poisson {
            return Some(Arrivals::Poisson { mean_gap: frequency.mean_gap });
        }
        if let Some(burst) = &spec.burst {
            if burst.size == Some(0) {
                self.error(at("burst"), "a burst of 0 messages writes nothing");
            }
            let every = self.not_zero(&at("burst"), burst.every?.0)?;
            return Some(Arrivals::Burst { size: burst.size.filter(|size| *size > 0)?, every });
        }
        let mut times: Vec<Duration> = spec.at.iter().flatten().map(|time| time.0).collect();
        for (position, time) in times.iter().enumerate() {
            if let Some(duration) = duration.filter(|duration| time >= duration) {
                let message = format!("{time} is not before the end of the scenario's duration, {duration}");
                self.error(at!["traffic", index, "at", position], message);
            }
        }
        let (start, stop) = span?;
        let all = times.len();
        times.retain(|time| (start..stop).contains(time));
        if times.len() < all && self.is_sound() {
            let message = format!("{} of {all} times are not in [{start}, {stop}) and are left out", all - times.len());
            self.warning(at("at"), message);
        }
        times.sort();
        Some(Arrivals::At(times))
    }

    fn not_zero(&mut self, at: &Path, every: Duration) -> Option<Duration> {
        if every == Duration::ZERO {
            self.error(at.clone(), "an interval of 0 s would never let time pass");
            return None;
        }
        Some(every)
    }

    fn size(&mut self, at: &Path, size: Option<&file::Size>) -> Size {
        let size = match size {
            None => Size::Fixed(DEFAULT_SIZE),
            Some(file::Size::Fixed(size)) => Size::Fixed(size.0),
            Some(file::Size::Range(range)) => match &range.uniform {
                Some([min, max]) if min > max => {
                    self.error(
                        at.clone(),
                        format!("the shortest size ({} B) is greater than the longest ({} B)", min.0, max.0),
                    );
                    Size::Fixed(DEFAULT_SIZE)
                }
                Some([min, max]) => Size::Uniform { min: min.0, max: max.0 },
                None => Size::Fixed(DEFAULT_SIZE),
            },
        };
        if size.range().1 > MAX_MESSAGE_BYTES {
            self.error(at.clone(), format!("a message has at most {MAX_MESSAGE_BYTES} B (MAX_MESSAGE_BYTES)"));
        }
        size
    }

    fn copies(&mut self, index: usize, spec: &file::Traffic) -> Copies {
        let at = |key: &str| at!["traffic", index, key];
        let number = spec.copies.unwrap_or(1);
        if !(1..=MAX_COPIES).contains(&number) {
            self.error(at("copies"), format!("a message is written 1 to {MAX_COPIES} times (MAX_COPIES)"));
        }
        if spec.spacing.is_some() && number == 1 && self.is_sound() {
            self.warning(at("spacing"), "there is only one copy of each message; `copies` says how many there are");
        }
        Copies { number: number.clamp(1, MAX_COPIES), spacing: spec.spacing.map_or(Duration::ZERO, |time| time.0) }
    }

    fn target(&mut self, at: &Path, text: &str, network: &Network) -> Option<Target> {
        let parsed = MailslotPath::parse(text).and_then(|path| path.slot.to_wire().map(|_| path));
        let MailslotPath { server, slot } = match parsed {
            Ok(path) => path,
            Err(invalid) => {
                let problem = Problem::error(at.clone(), format!("`{}`: {invalid}", clipped(text)));
                self.problems.push(problem.help(BACKSLASHES));
                return None;
            }
        };
        let text = match server {
            Server::Local => return Some(Target::Local(slot)),
            Server::PrimaryDomain => return Some(Target::PrimaryDomain(slot)),
            Server::Named(text) => text,
        };
        let name = if text.ends_with('>') { text.parse() } else { NetbiosName::new(&text, SUFFIX_WORKSTATION) };
        if let Ok(name) = name
            && network.names.contains_key(&name)
        {
            return Some(Target::Named { name, slot });
        }
        if network.complete {
            let message = format!("no host and no domain is called `{}`", clipped(&text));
            self.unknown_name(at.clone(), message, &text, || {
                let further: BTreeSet<NetbiosName> =
                    network.hosts.iter().flat_map(|host| &host.names).map(|(name, _)| *name).collect();
                let further = further.iter().map(ToString::to_string).collect();
                [network.domain_names(), network.host_names().to_vec(), further].concat()
            });
        }
        None
    }

    fn check_number(&mut self, index: usize, generated: &Generated, network: &Network) {
        let Generated { arrivals, start, count, copies, ack, .. } = generated;
        let span = generated.last_beginning().nanos().saturating_sub(start.nanos());
        let (key, number) = match arrivals {
            Arrivals::Every(every) => ("every", span.div_ceil(every.nanos())),
            Arrivals::Poisson { mean_gap } => ("poisson", span / mean_gap.nanos()),
            Arrivals::Burst { size, every } => ("burst", span.div_ceil(every.nanos()).saturating_mul((*size).into())),
            Arrivals::At(times) => ("at", times.len() as u64),
        };
        let number = number.min(count.unwrap_or(u64::MAX));
        if number == 0 && !matches!(arrivals, Arrivals::Poisson { .. }) && self.is_sound() {
            self.warning(at!["traffic", index], "the flow writes nothing");
        }
        if number > MAX_MESSAGES {
            let message =
                format!("each sender would write {number} messages; the limit is {MAX_MESSAGES} (MAX_MESSAGES)");
            self.error(at!["traffic", index, key], message);
        }
        let times = u64::from(copies.number) - u64::from(ack.is_none());
        let lasts = copies.spacing.nanos().saturating_mul(times);
        let repeating = (u128::from(number) * u128::from(lasts.min(span)) / u128::from(span.max(1))) as u64;
        if repeating > MAX_REPEATING {
            let (key, what) = if ack.is_some() { ("ack", "replies") } else { ("spacing", "their next copy") };
            let message = format!(
                "{repeating} messages of each sender would wait for {what} at once; the limit is {MAX_REPEATING} \
                 (MAX_REPEATING)"
            );
            self.error(at!["traffic", index, key], message);
        }
        let awaited = repeating.saturating_mul(recipients_of(&generated.to, network));
        if ack.is_some() && awaited > MAX_AWAITED {
            let message = format!("each sender would wait for {awaited} replies at once; the limit is {MAX_AWAITED}");
            self.error(at!["traffic", index, "ack"], format!("{message} (MAX_AWAITED)"));
        }
    }
}

/// The most sender-recipient pairs that a flow can have.
fn pairs_of(flow: &Flow, network: &Network) -> u64 {
    let recipients = match &flow.traffic {
        Traffic::Generated(generated) => recipients_of(&generated.to, network),
        Traffic::Captured(_) => network.hosts.len() as u64,
    };
    flow.senders.len() as u64 * recipients
}

/// The most recipients that a target can have.
fn recipients_of(to: &Target, network: &Network) -> u64 {
    match to {
        Target::Local(_) => 1,
        Target::Named { name, .. } => network.names[name].hosts.len() as u64,
        Target::PrimaryDomain(_) => network.hosts.len() as u64,
    }
}
