//! The closed forms of a scenario's flows: its links and slots, as `stats::theory` sees them.

use super::ack::REPLY;
use super::ways::{Parcel, Ways};
use crate::id::{HostId, LinkId};
use crate::mailslot::SlotName;
use crate::names::{BCAST_REQ_RETRY_COUNT, BCAST_REQ_RETRY_TIMEOUT, UCAST_REQ_RETRY_COUNT, UCAST_REQ_RETRY_TIMEOUT};
use crate::net::UDP_HEADER;
use crate::scenario::{Arrivals, Copies, Flow, Generated, NameService, Reader, Scenario, Target, Traffic};
use crate::stats::theory::{self, Hop};
use crate::time::Duration;
use crate::wire::fragment::{self, DEFAULT_MAX_PACKET};
use crate::wire::name::PLAIN_NAME;

/// What the closed forms say about a flow; `None` where there is none.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Theory {
    /// The expected share of addressed messages that are delivered.
    pub delivery_ratio: Option<f64>,
    /// The expected share of messages that their whole audience gets.
    pub all_ratio: Option<f64>,
    /// Where readers acknowledge: the expected share of addressed messages that the sender believes delivered.
    pub belief_ratio: Option<f64>,
    /// Where readers acknowledge: how many times a message is expected to be written.
    pub tries: Option<f64>,
}

/// The closed forms of each flow of a scenario; they do not depend on seed or replication.
#[must_use]
pub fn theory(scenario: &Scenario) -> Vec<Theory> {
    if !scenario.events.is_empty() {
        return vec![Theory::default(); scenario.flows.len()]; // the closed forms are those of a network that stays as it is
    }
    let mut forms = Forms { scenario, ways: Ways::new(scenario.topology()) };
    scenario.flows.iter().map(|flow| forms.of_flow(flow)).collect()
}

/// The closed forms of a scenario, and those of the ways that were met so far.
struct Forms<'a> {
    scenario: &'a Scenario,
    ways: Ways<'a>,
}

/// The closed forms for the messages of one sender to one target.
struct Form {
    messages: f64,
    audience: f64,
    /// How many of the audience are expected to get a message.
    delivered: Option<f64>,
    /// The probability that all of it do.
    all: Option<f64>,
    /// How many of the audience the sender is expected to hold a reply of, and how many times it writes.
    believed: Option<f64>,
    tries: Option<f64>,
    writes: Writes,
}

impl Form {
    /// Whether two forms say the same of each message.
    fn is_like(&self, other: &Form) -> bool {
        let figures = |form: &Form| (form.audience, form.delivered, form.all, form.believed, form.tries);
        figures(self) == figures(other)
    }
}

/// How many of some writes succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writes {
    All,
    None,
    /// That depends on the run.
    Some,
}

impl Forms<'_> {
    /// The mean over the flow's senders and targets, each by how many messages it stands for.
    fn of_flow(&mut self, flow: &Flow) -> Theory {
        let forms = flow.messages().into_iter();
        let forms: Vec<Form> =
            forms.filter_map(|((sender, to), messages)| self.of_messages(flow, sender, to, messages as f64)).collect();
        if forms.iter().any(|form| form.writes == Writes::Some) && !forms.windows(2).all(|two| two[0].is_like(&two[1]))
        {
            return Theory::default(); // how many messages each form stands for depends on the run
        }
        let addressed: f64 = forms.iter().map(|form| form.messages * form.audience).sum();
        let messages: f64 = forms.iter().map(|form| form.messages).sum();
        let mean = |of: fn(&Form) -> Option<f64>, total: f64| -> Option<f64> {
            let sum: Option<f64> = forms.iter().map(|form| of(form).map(|value| value * form.messages)).sum();
            sum.filter(|_| total > 0.0).map(|sum| sum / total)
        };
        Theory {
            delivery_ratio: mean(|form| form.delivered, addressed),
            all_ratio: mean(|form| form.all, messages),
            belief_ratio: mean(|form| form.believed, addressed),
            tries: mean(|form| form.tries, messages),
        }
    }

    /// `None` if the messages have no audience, or all writes fail.
    fn of_messages(&mut self, flow: &Flow, sender: HostId, to: &Target, messages: f64) -> Option<Form> {
        let audience = self.scenario.audience(sender, to);
        let writes = self.writes(flow, sender, to);
        if audience.is_empty() || writes == Writes::None {
            return None;
        }
        let paths: Vec<Vec<Vec<LinkId>>> =
            audience.iter().map(|recipient| self.scenario.paths(sender, to, *recipient)).collect();
        let mut fates = Vec::new();
        for (recipient, paths) in audience.iter().zip(&paths) {
            fates.push(match paths[..] {
                [] => Some(false),
                _ if self.slowest(paths) + self.lookup() <= self.scenario.drain => {
                    self.accepts(flow, *recipient, to, paths).filter(|_| self.is_independent_of_lookups(paths))
                }
                _ => None,
            });
        }
        let parcel = self.parcel(flow, sender, to);
        let written = self.written(flow);
        let mut each: Vec<Option<f64>> = Vec::new();
        let mut is_multiplied = parcel.as_ref().is_none_or(|parcel| parcel.packets > 1);
        for ((accepted, paths), recipient) in fates.iter().zip(&paths).zip(&audience) {
            let transports = self.transports(sender, *recipient);
            is_multiplied |= transports > 1 || paths.len() > 1;
            let copies = written.map(|written| written * transports);
            each.push(match (accepted, &parcel, copies) {
                (Some(true), Some(parcel), Some(copies)) => {
                    match (self.ways.any_pass(paths, parcel, copies), &paths[..]) {
                        (None, [path]) if transports == 1 && self.copies_are_in_a_row(flow) => {
                            self.ways.passes_in_a_row(path, parcel, copies)
                        }
                        (passes, _) => passes,
                    }
                }
                (Some(true), ..) | (None, ..) => None,
                (Some(false), ..) => Some(0.0),
            });
        }
        let all = if fates.contains(&Some(false)) {
            Some(0.0)
        } else if each.contains(&None) || is_multiplied && each.len() > 1 {
            None
        } else if each.len() == 1 {
            each[0]
        } else {
            let is_group = self.scenario.is_group(sender, to);
            let paths = paths.concat();
            let together =
                parcel.zip(written).and_then(|(parcel, copies)| self.ways.all_pass(is_group, &paths, &parcel, copies));
            let apart = || each.iter().copied().product::<Option<f64>>().filter(|_| self.ways.share_no_loss(&paths));
            together.or_else(apart)
        };
        let delivered = each.iter().copied().sum();
        let replied = match (&audience[..], &fates[..], &paths[..]) {
            ([recipient], [Some(true)], [paths]) if !is_multiplied => {
                self.replied(flow, sender, to, *recipient, &paths[0])
            }
            _ => None,
        };
        let (believed, tries) = replied.unzip();
        Some(Form { messages, audience: audience.len() as f64, delivered, all, believed, tries, writes })
    }

    /// Whether nothing comes between the copies of a message on any link.
    fn copies_are_in_a_row(&self, flow: &Flow) -> bool {
        let Traffic::Generated(Generated { arrivals: Arrivals::Every(every), copies, ack: None, .. }) = &flow.traffic
        else {
            return false;
        };
        let lasts = copies.spacing * (u64::from(copies.number) - 1);
        let is_alone = self.scenario.flows.len() == 1 && flow.senders.len() == 1 && self.scenario.apps.is_empty();
        lasts < *every && is_alone && self.scenario.name_service == NameService::Static
    }

    /// The probability that the sender gets a reply of its only recipient, and how many times it is expected to write a
    /// message until then: a try leads to a reply if the message passes the way there and the reply the way back, and no
    /// try depends on another. `None` if nobody replies, or where no closed form of this kind holds: a reply must come
    /// before the sender writes again, if it comes at all.
    fn replied(
        &mut self,
        flow: &Flow,
        sender: HostId,
        to: &Target,
        recipient: HostId,
        path: &[LinkId],
    ) -> Option<(f64, f64)> {
        let Traffic::Generated(Generated { copies, ack: Some(slot), .. }) = &flow.traffic else { return None };
        let Copies { number, spacing } = *copies;
        let back = if recipient == sender { Vec::new() } else { self.scenario.topology().path(recipient, sender)? };
        let mailslot = &self.scenario.mailslots[self.scenario.mailslot(recipient, to.slot())?];
        let look = if let Reader::Poll(interval) = mailslot.reader { interval } else { Duration::ZERO };
        let spoils = |link: &LinkId| {
            let config = self.ways.config(*link);
            config.bottleneck.is_some() || !config.udp_checksum && config.corrupt.value() > 0.0
        };
        let longest = self.ways.slowest(path) + look + self.ways.slowest(&back);
        let in_time = longest < spacing && longest <= self.scenario.drain;
        if self.scenario.name_service != NameService::Static || back.iter().any(spoils) || !in_time {
            return None;
        }
        let (there, reply) = (self.parcel(flow, sender, to)?, self.reply(recipient, sender, slot));
        let (mut around, of_message) = self.ways.hops(path, &there, number.into())?;
        let (back, of_reply) = self.ways.hops(&back, &reply, number.into())?;
        // Each duplicate of a message is replied to, and the replies meet links one after another.
        let is_told_twice = around.iter().any(|hop| hop.duplicate > 0.0) && back.iter().any(Hop::has_memory);
        if (of_message, of_reply) != (1, 1) || is_told_twice {
            return None;
        }
        around.extend(back);
        let believed = theory::repeated_delivery_ratio(&around, 1, number.into())?;
        let one = theory::repeated_delivery_ratio(&around, 1, 1)?;
        let further = |(tries, none_yet): (f64, f64), _| (tries + none_yet, none_yet * (1.0 - one));
        let (tries, _) = (0..number).fold((0.0, 1.0), further);
        Some((believed, tries))
    }

    /// What is sent for a reply to a mailslot of the machine `to`.
    fn reply(&self, from: HostId, to: HostId, slot: &SlotName) -> Parcel {
        if from == to {
            return Parcel { packets: 1, data: Default::default() }; // no datagram at all
        }
        let host = &self.scenario.hosts[from.index()];
        let max_packet = if host.fragments { DEFAULT_MAX_PACKET } else { usize::MAX };
        let section = 2 * PLAIN_NAME + host.layout.write_len(slot.characters(), REPLY);
        let data: Vec<u32> = fragment::lengths(section, max_packet).map(|length| UDP_HEADER + length as u32).collect();
        Parcel { packets: data.len(), data: [data.clone(), data] }
    }

    /// Which writes of a sender succeed.
    fn writes(&self, flow: &Flow, sender: HostId, to: &Target) -> Writes {
        let (smallest, largest) = flow.sizes();
        let host = &self.scenario.hosts[sender.index()];
        let sizes = |fits: &dyn Fn(u32) -> bool| match (fits(smallest), fits(largest)) {
            (true, true) => Writes::All,
            (false, false) => Writes::None,
            _ => Writes::Some,
        };
        let characters = to.slot().characters();
        let by_size = match to {
            Target::Local(slot) => {
                let slot = self.scenario.mailslot(sender, slot).map(|position| &self.scenario.mailslots[position]);
                let max = slot.map_or(0, |slot| slot.max_message_size);
                sizes(&|size| max == 0 || size <= max)
            }
            _ if host.remote_mailslots_disabled => Writes::None,
            _ if host.limits.hole_425_426 && smallest <= 426 && largest >= 425 => Writes::Some,
            _ => sizes(&|size| host.limits.check(host.layout, characters, size as usize).is_ok()),
        };
        match self.finds(sender, to) {
            Writes::All => by_size,
            _ if by_size == Writes::None => Writes::None,
            found => found,
        }
    }

    /// Whether a sender finds the name of a target: always, never, or as the network lets it.
    fn finds(&self, sender: HostId, to: &Target) -> Writes {
        let Some(name) = self.scenario.target_name(sender, to) else { return Writes::All };
        let topology = self.scenario.topology();
        let bearers = self.scenario.names.get(&name).map_or(&[][..], |bearers| &bearers.hosts);
        let knows = bearers.contains(&sender) && !self.scenario.is_listed(to);
        let is_askable = match self.scenario.name_service {
            NameService::Static => return Writes::All,
            _ if knows => return Writes::All,
            NameService::Broadcast => {
                let answers = |host: &HostId| topology.hears(*host, sender) && topology.reaches(*host, sender);
                bearers.iter().any(answers)
            }
            NameService::Wins => {
                let server = self.scenario.name_server(sender);
                topology.reaches(sender, server) && topology.reaches(server, sender)
            }
        };
        if is_askable { Writes::Some } else { Writes::None }
    }

    /// What is sent for a message of the flow; `None` if the number of packets depends on its size.
    fn parcel(&self, flow: &Flow, sender: HostId, to: &Target) -> Option<Parcel> {
        if matches!(to, Target::Local(_)) {
            return Some(Parcel { packets: 1, data: Default::default() }); // no datagram at all
        }
        let host = &self.scenario.hosts[sender.index()];
        let max_packet = if host.fragments { DEFAULT_MAX_PACKET } else { usize::MAX };
        let data = |size: u32| -> Vec<u32> {
            let write = host.layout.write_len(to.slot().characters(), size as usize);
            fragment::lengths(2 * PLAIN_NAME + write, max_packet).map(|length| UDP_HEADER + length as u32).collect()
        };
        let (smallest, largest) = flow.sizes();
        let data = [data(smallest), data(largest)];
        let packets = data[0].len();
        (data[1].len() == packets).then_some(Parcel { packets, data })
    }

    /// How many times each message of a flow is written; `None` if the writes of a message may have different ends,
    /// because its target's name is looked up.
    fn written(&self, flow: &Flow) -> Option<usize> {
        let copies = match &flow.traffic {
            Traffic::Generated(generated) => usize::from(generated.copies.number),
            Traffic::Captured(_) => 1,
        };
        (copies == 1 || self.scenario.name_service == NameService::Static).then_some(copies)
    }

    /// How many times a write is sent to a recipient: once for each transport that both are on.
    fn transports(&self, sender: HostId, recipient: HostId) -> usize {
        let transports = |host: HostId| usize::from(self.scenario.hosts[host.index()].transports);
        if sender == recipient { 1 } else { transports(sender).min(transports(recipient)) }
    }

    /// Whether a slot takes all messages that come these ways and a program reads them, or none; `None` if that depends
    /// on the run.
    fn accepts(&self, flow: &Flow, recipient: HostId, to: &Target, paths: &[Vec<LinkId>]) -> Option<bool> {
        let Some(position) = self.scenario.mailslot(recipient, to.slot()) else { return Some(false) };
        if self.scenario.hosts[recipient.index()].remote_mailslots_disabled && !paths.iter().all(Vec::is_empty) {
            return Some(false);
        }
        let mailslot = &self.scenario.mailslots[position];
        let max = if mailslot.max_message_size == 0 { u32::MAX } else { mailslot.max_message_size };
        let (smallest, largest) = flow.sizes();
        let links = || paths.iter().flatten().map(|link| self.ways.config(*link));
        let unchecked = links().any(|it| !it.udp_checksum && it.corrupt.value() > 0.0);
        let queued = links().any(|it| it.bottleneck.is_some());
        match mailslot.reader {
            Reader::Never => Some(false),
            _ if smallest > max => Some(false),
            _ if largest > max || unchecked || queued || mailslot.queue_limit.is_some() => None,
            Reader::Wait => Some(true),
            Reader::Poll(interval) => {
                (self.slowest(paths) + self.lookup() + interval <= self.scenario.drain).then_some(true)
            }
            Reader::ServiceTime(_) => None,
        }
    }

    /// The longest that a write can wait for a name.
    fn lookup(&self) -> Duration {
        match self.scenario.name_service {
            NameService::Static => Duration::ZERO,
            NameService::Broadcast => BCAST_REQ_RETRY_TIMEOUT * u64::from(BCAST_REQ_RETRY_COUNT),
            NameService::Wins => UCAST_REQ_RETRY_TIMEOUT * u64::from(UCAST_REQ_RETRY_COUNT),
        }
    }

    /// Whether what happens to a message does not depend on whether and how its name was found: on links with memory it
    /// does, and a damaged answer, on any link, can lead elsewhere.
    fn is_independent_of_lookups(&self, paths: &[Vec<LinkId>]) -> bool {
        let has_memory = |link: &LinkId| self.ways.config(*link).loss.has_memory();
        let damages = || self.scenario.topology().links().iter().any(|link| link.config.corrupt.value() > 0.0);
        self.scenario.name_service == NameService::Static || !paths.iter().flatten().any(has_memory) && !damages()
    }

    /// The longest that a datagram can be on its way.
    fn slowest(&self, paths: &[Vec<LinkId>]) -> Duration {
        paths.iter().map(|path| self.ways.slowest(path)).max().unwrap_or(Duration::ZERO)
    }
}
