//! What programs write.

use std::collections::BTreeSet;

use super::Context;
use super::network::Network;
use crate::id::HostId;
use crate::mailslot::{API_MAX_REMOTE, MailslotPath, Server, SlotName};
use crate::scenario::file;
use crate::scenario::model::{Arrivals, Flow, Generated, Mailslot, Size, Target, Traffic};
use crate::scenario::problem::{Path, Problem, at};
use crate::time::Duration;
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;
use crate::wire::transaction::max_data;

/// The most `[[traffic]]` entries.
const MAX_FLOWS: usize = 1_000;
/// The most messages that one sender of one flow writes.
const MAX_MESSAGES: u64 = 100_000_000;
/// The most sender-recipient pairs of all flows together.
const MAX_PAIRS: u64 = 10_000_000;
/// The greatest message: a local mailslot takes any size, but somebody has to hold it.
const MAX_MESSAGE_BYTES: u32 = 1 << 20;
/// The size of messages where none is given.
const DEFAULT_SIZE: u32 = 64;

impl Context<'_> {
    pub(super) fn flows(&mut self, network: &Network, mailslots: &[Mailslot], duration: Duration) -> Vec<Flow> {
        let mut names = BTreeSet::new();
        let mut flows = Vec::new();
        let mut pairs = 0;
        for (index, spec) in self.file.traffic.iter().enumerate() {
            if flows.len() == MAX_FLOWS {
                self.error(at!["traffic", index], format!("there are more than {MAX_FLOWS} flows (MAX_FLOWS)"));
                break;
            }
            if let Some(name) = &spec.name
                && self.check_label(&at!["traffic", index, "name"], name)
                && !names.insert(name)
            {
                self.error(at!["traffic", index, "name"], format!("a flow called `{name}` exists already"));
            }
            let flow = if spec.capture.is_some() {
                self.captured_flow(index, spec, network, duration)
            } else {
                self.generated_flow(index, spec, network, mailslots, duration)
            };
            let Some(flow) = flow else { continue };
            pairs += pairs_of(&flow, network);
            if pairs > MAX_PAIRS {
                let message = format!("the flows have more than {MAX_PAIRS} sender-recipient pairs (MAX_PAIRS)");
                self.error(at!["traffic", index], message);
                break;
            }
            flows.push(flow);
        }
        if self.file.traffic.is_empty() && !self.is_damaged(at!["traffic"]) {
            self.warning(Vec::new(), "the scenario has no `[[traffic]]`: nothing is written");
        }
        flows
    }

    fn generated_flow(
        &mut self,
        index: usize,
        spec: &file::Traffic,
        network: &Network,
        mailslots: &[Mailslot],
        duration: Duration,
    ) -> Option<Flow> {
        let at = |key: &str| at!["traffic", index, key];
        for (key, missing) in [("from", spec.from.is_none()), ("to", spec.to.is_none())] {
            if missing && !self.is_damaged(at!["traffic", index]) {
                self.problems.push(Problem::error(at!["traffic", index], format!("`[[traffic]]` has no `{key}`")));
            }
        }
        let senders = spec.from.as_ref().map_or(Vec::new(), |from| self.hosts_called(&at("from"), from, network));
        let start = spec.start.map_or(Duration::ZERO, |time| time.0);
        let stop = spec.stop.map_or(duration, |time| time.0);
        if stop > duration {
            self.error(at("stop"), format!("it is after the scenario's duration, {duration}"));
        } else if start >= stop && !self.is_damaged(at!["duration"]) {
            let key = if spec.start.is_some() { "start" } else { "stop" };
            self.error(at(key), format!("writing would start at {start} and stop before {stop}"));
        }
        let arrivals = self.arrivals(index, spec, duration);
        let size = self.size(&at("size"), spec.size.as_ref());
        let to_text = spec.to.as_ref()?;
        let to = self.target(&at("to"), to_text, network)?;
        self.check_slot(&at("to"), &to, &senders, network, mailslots);
        self.check_size(if spec.size.is_some() { at("size") } else { at("to") }, &to, size);
        let arrivals = arrivals?;
        self.check_number(index, &arrivals, stop.nanos().saturating_sub(start.nanos()), spec.count);
        let generated = Generated { to, arrivals, start, stop, count: spec.count, size };
        let traffic = Traffic::Generated(generated);
        (!senders.is_empty()).then_some(())?;
        Some(Flow { name: spec.name.clone()?, to: to_text.clone(), senders, traffic })
    }

    fn arrivals(&mut self, index: usize, spec: &file::Traffic, duration: Duration) -> Option<Arrivals> {
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
                let problem =
                    Problem::error(at(given[1]), format!("`{}` and `{}` contradict each other", given[0], given[1]));
                self.problems.push(problem.at_key());
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
        let mut times: Vec<Duration> = Vec::new();
        for (position, time) in spec.at.iter().flatten().enumerate() {
            if time.0 >= duration && duration > Duration::ZERO {
                self.error(
                    at!["traffic", index, "at", position],
                    format!("it is not before the scenario's end, {duration}"),
                );
            }
            times.push(time.0);
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

    fn target(&mut self, at: &Path, text: &str, network: &Network) -> Option<Target> {
        let parsed = MailslotPath::parse(text).map_err(|invalid| {
            let quoted = text.contains('\\');
            let problem = Problem::error(at.clone(), format!("`{text}`: {invalid}"));
            self.problems.push(if quoted {
                problem
            } else {
                problem.help(r"in TOML, write paths in single quotes: '\\PLANT\mailslot\alarm'")
            });
        });
        let MailslotPath { server, slot } = parsed.ok()?;
        let text = match server {
            Server::Local => return Some(Target::Local(slot)),
            Server::PrimaryDomain => return Some(Target::PrimaryDomain(slot)),
            Server::Named(text) => text,
        };
        let name = NetbiosName::new(&text, SUFFIX_WORKSTATION);
        match name {
            Ok(name) if network.names.contains_key(&name) => Some(Target::Named { name, slot }),
            Ok(_) | Err(_) => {
                if network.complete {
                    let known = [network.domain_names(), network.host_names()].concat();
                    let problem = Problem::error(at.clone(), format!("no host and no domain is called `{text}`"));
                    self.problems.push(problem.suggest(&text, known.iter().map(String::as_str)));
                }
                None
            }
        }
    }

    /// Warns where nobody can receive: nothing will tell the sender.
    fn check_slot(&mut self, at: &Path, to: &Target, senders: &[HostId], network: &Network, mailslots: &[Mailslot]) {
        let targets: Vec<HostId> = match to {
            Target::Local(_) => senders.to_vec(),
            Target::PrimaryDomain(_) => {
                let domains = senders.iter().map(|sender| network.hosts[sender.index()].domain);
                domains.flat_map(|domain| network.names[&domain].hosts.clone()).collect()
            }
            Target::Named { name, .. } => network.names[name].hosts.clone(),
        };
        let on_targets = || mailslots.iter().filter(|mailslot| targets.contains(&mailslot.host));
        if targets.is_empty() || on_targets().any(|mailslot| mailslot.name == *to.slot()) {
            return;
        }
        if self.is_damaged(at!["mailslot"]) {
            return; // it may be one of those that could not be read
        }
        let names: BTreeSet<String> = on_targets().map(|mailslot| mailslot.name.to_string()).collect();
        let slot: &SlotName = to.slot();
        let what = match to {
            Target::Local(_) => "the writes will fail with ERROR_FILE_NOT_FOUND (2)",
            _ => "the writes will succeed, and nobody will receive them",
        };
        let problem = Problem::warning(at.clone(), format!("no host there has a mailslot called `{slot}`: {what}"));
        self.problems.push(problem.suggest(&slot.to_string(), names.iter().map(String::as_str)));
    }

    /// Warns where writes will fail because a datagram cannot hold the message.
    fn check_size(&mut self, at: Path, to: &Target, size: Size) {
        let limit = API_MAX_REMOTE.min(max_data(to.slot().characters())) as u32;
        let (smallest, largest) = size.range();
        if !matches!(to, Target::Local(_)) && largest > limit {
            let all = if smallest > limit { "every write" } else { "longer writes" };
            let message = format!(
                "a datagram to this mailslot holds at most {limit} B: {all} will fail with ERROR_BAD_NETPATH (53)"
            );
            self.warning(at, message);
        }
    }

    fn check_number(&mut self, index: usize, arrivals: &Arrivals, span: u64, count: Option<u64>) {
        let (key, number) = match arrivals {
            Arrivals::Every(every) => ("every", span.div_ceil(every.nanos())),
            Arrivals::Poisson { mean_gap } => ("poisson", span / mean_gap.nanos()),
            Arrivals::Burst { size, every } => ("burst", span.div_ceil(every.nanos()).saturating_mul((*size).into())),
            Arrivals::At(times) => ("at", times.len() as u64),
        };
        let number = number.min(count.unwrap_or(u64::MAX));
        if number > MAX_MESSAGES {
            let message =
                format!("each sender would write {number} messages; the limit is {MAX_MESSAGES} (MAX_MESSAGES)");
            self.error(at!["traffic", index, key], message);
        }
    }
}

/// The most sender-recipient pairs that a flow can have.
fn pairs_of(flow: &Flow, network: &Network) -> u64 {
    let recipients = match &flow.traffic {
        Traffic::Generated(Generated { to: Target::Local(_), .. }) => 1,
        Traffic::Generated(Generated { to: Target::Named { name, .. }, .. }) => network.names[name].hosts.len(),
        Traffic::Generated(_) | Traffic::Captured(_) => network.hosts.len(),
    };
    flow.senders.len() as u64 * recipients as u64
}
