//! What becomes of each datagram of a run, from host to host: the arrows of its space-time diagram.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{HostId, LinkId, StreamId};
use crate::report::names::Names;
use crate::stats::{Bound, Event, Fate, Instance, StreamLayout};
use crate::time::Instant;

/// The first datagrams of a run.
pub(super) struct Flights {
    /// By stream, whom its messages can address.
    recipients: Vec<Vec<HostId>>,
    /// When datagrams left their hosts.
    starts: BTreeMap<Key, Instant>,
    /// Which arrow leads to a host.
    towards: BTreeMap<(Key, HostId), usize>,
    pub(super) arrows: Vec<Arrow>,
    /// The hosts that come first, and those that there are no lines for: they have no arrows.
    pub(super) lanes: BTreeSet<HostId>,
    pub(super) without_lane: BTreeSet<HostId>,
    /// Arrows that there was no room for, and when the first of them began.
    pub(super) left_out: u64,
    pub(super) until: Option<Instant>,
}

/// One instance of a datagram between two hosts.
#[derive(Clone, Debug)]
pub(super) struct Arrow {
    pub(super) stream: StreamId,
    pub(super) message: u64,
    pub(super) kind: Kind,
    /// Whether the network made it as a copy.
    pub(super) is_copy: bool,
    pub(super) from: HostId,
    /// `None` for a broadcast that never reached its segment. A sender's own copy goes nowhere.
    pub(super) to: Option<HostId>,
    pub(super) start: Instant,
    /// When it arrived, or was lost.
    pub(super) end: Instant,
    pub(super) course: Course,
    /// What that meant for the message; `None` if the host is not in the audience, or it is no message.
    pub(super) fate: Option<Fate>,
    /// When a program read it.
    pub(super) read: Option<Instant>,
}

/// How far an arrow has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Course {
    /// It is on its way.
    Open,
    /// It was lost on this link.
    Lost(LinkId),
    Arrived,
}

/// What a datagram is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// A message of a flow or a program.
    Message,
    /// What a machine or a program says to one.
    Reply,
    /// The name service.
    Name,
}

/// A datagram, or a part of one, as it left a host.
type Key = (StreamId, u64, Kind, HostId, [u16; 3], u32, u8);

impl Flights {
    pub(super) fn new() -> Self {
        Flights {
            recipients: Vec::new(),
            starts: BTreeMap::new(),
            towards: BTreeMap::new(),
            arrows: Vec::new(),
            lanes: BTreeSet::new(),
            without_lane: BTreeSet::new(),
            left_out: 0,
            until: None,
        }
    }

    pub(super) fn begin(&mut self, streams: &[StreamLayout]) {
        self.recipients = streams.iter().map(|stream| stream.recipients.clone()).collect();
    }

    pub(super) fn observe(&mut self, names: &Names, at: Instant, event: &Event<'_>) {
        match event {
            Event::Offered { instance, link, .. } => match names.end_of(*link) {
                Some(host) => drop(self.towards(names, at, instance, host)),
                None if names.host_at(*link).is_some() && self.until.is_none() => {
                    if let Some(key) = key(names, instance) {
                        self.starts.entry(key).or_insert(at);
                    }
                }
                None => {}
            },
            Event::Lost { instance, link, fate, .. } => {
                let arrow = match names.end_of(*link) {
                    Some(host) => self.towards(names, at, instance, host),
                    None => self.open(names, at, instance, self.addressee(names, instance)),
                };
                if let Some(arrow) = arrow {
                    (arrow.end, arrow.course, arrow.fate) = (at, Course::Lost(*link), Some(*fate));
                }
            }
            Event::Arrived { instance, host } | Event::Stalled { instance, host } => {
                self.arrive(names, at, instance, *host)
            }
            Event::Joined { instance } => {
                if let Some(host) = self.addressee(names, instance) {
                    self.arrive(names, at, instance, host);
                }
            }
            Event::Discarded { instance, host, fate, .. } => self.end(names, at, instance, *host, *fate),
            Event::Gone { instance, host, fate } => {
                self.arrive(names, at, instance, *host);
                self.end(names, at, instance, *host, *fate);
            }
            Event::Enqueued { instance, host } if names.sender(instance) == Some(*host) => {
                if let Some(arrow) = self.open(names, at, instance, Some(*host)) {
                    (arrow.start, arrow.end, arrow.course) = (at, at, Course::Arrived);
                }
            }
            Event::Read { instance, host, .. } => {
                let is_message = matches!(instance.bound, Bound::Recipient(_)) || instance.bound.replier().is_some();
                if let Some(arrow) = self.found(names, instance, *host) {
                    arrow.read = Some(at);
                    arrow.fate = arrow.fate.or(is_message.then_some(Fate::Delivered));
                }
            }
            Event::Left { instance, fate, .. } => {
                if let Some(host) = self.addressee(names, instance) {
                    self.end(names, at, instance, host, *fate);
                }
            }
            _ => {}
        }
    }

    fn arrive(&mut self, names: &Names, at: Instant, instance: &Instance, host: HostId) {
        if let Some(arrow) = self.found(names, instance, host).filter(|arrow| arrow.course == Course::Open) {
            (arrow.end, arrow.course) = (at, Course::Arrived);
        }
    }

    /// An instance comes to its end at a host, or when the run does.
    fn end(&mut self, names: &Names, at: Instant, instance: &Instance, host: HostId, fate: Fate) {
        let is_addressed = matches!(instance.bound, Bound::Recipient(_));
        if let Some(arrow) = self.found(names, instance, host) {
            arrow.fate = arrow.fate.or(is_addressed.then_some(fate));
            if arrow.course == Course::Open {
                arrow.end = at;
            }
        }
    }

    /// The arrow of an instance to a host, if it is known.
    fn found(&mut self, names: &Names, instance: &Instance, host: HostId) -> Option<&mut Arrow> {
        let position = *self.towards.get(&(key(names, instance)?, host))?;
        Some(&mut self.arrows[position])
    }

    /// The arrow of an instance to a host, which begins now if it is not known and there is room.
    fn towards(&mut self, names: &Names, at: Instant, instance: &Instance, host: HostId) -> Option<&mut Arrow> {
        let known = self.towards.contains_key(&(key(names, instance)?, host));
        if known { self.found(names, instance, host) } else { self.open(names, at, instance, Some(host)) }
    }

    /// Whether a host has a line; it gets one if it has none and there is room.
    fn has_lane(&mut self, host: HostId) -> bool {
        if self.lanes.len() < MAX_LANES && self.until.is_none() {
            self.lanes.insert(host);
        }
        let has_lane = self.lanes.contains(&host);
        if !has_lane {
            self.without_lane.insert(host);
        }
        has_lane
    }

    fn open(&mut self, names: &Names, at: Instant, instance: &Instance, to: Option<HostId>) -> Option<&mut Arrow> {
        let key = key(names, instance)?;
        let ends = [names.sender(instance), to].into_iter().flatten();
        if ends.filter(|host| !self.has_lane(*host)).count() > 0 {
            return None;
        }
        if self.arrows.len() == MAX_ARROWS {
            self.left_out += 1;
            self.until.get_or_insert(at);
            return None;
        }
        let Instance { stream, message, duplicate, .. } = *instance;
        let (_, _, kind, from, ..) = key;
        if let Some(host) = to {
            self.towards.insert((key, host), self.arrows.len());
        }
        let start = self.start(key).unwrap_or(at);
        let is_copy = duplicate != 0;
        let (course, fate, read) = (Course::Open, None, None);
        self.arrows.push(Arrow { stream, message, kind, is_copy, from, to, start, end: at, course, fate, read });
        self.arrows.last_mut()
    }

    /// When a datagram left its host; one that was made on the way when that did which it was made of.
    fn start(
        &self,
        (stream, message, kind, from, [copy, packet, fragment], duplicate, left_by): Key,
    ) -> Option<Instant> {
        let mut path = duplicate;
        loop {
            for fragment in [fragment, 0] {
                let key = (stream, message, kind, from, [copy, packet, fragment], path, left_by);
                if let Some(start) = self.starts.get(&key) {
                    return Some(*start);
                }
            }
            let latest = path.checked_ilog2()?;
            path &= !(1 << latest);
        }
    }

    /// Whom an instance is for, if that is one host.
    fn addressee(&self, names: &Names, instance: &Instance) -> Option<HostId> {
        match instance.bound {
            Bound::Recipient(recipient) => {
                self.recipients.get(instance.stream.index())?.get(recipient as usize).copied()
            }
            Bound::Answer(_) | Bound::Reply(_) | Bound::StrayReply(_) => {
                names.stream(instance.stream).map(|(_, host)| host)
            }
            _ => None,
        }
    }
}

fn key(names: &Names, instance: &Instance) -> Option<Key> {
    let Instance { stream, message, copy, packet, duplicate, fragment, interfaces, bound } = *instance;
    let kind = match bound {
        Bound::NameService(_) => Kind::Name,
        Bound::Answer(_) | Bound::Reply(_) | Bound::StrayReply(_) => Kind::Reply,
        _ => Kind::Message,
    };
    Some((stream, message, kind, names.sender(instance)?, [copy, packet, fragment], duplicate, interfaces[0]))
}

/// The most hosts with lines (a choice).
pub(super) const MAX_LANES: usize = 40;
/// The most arrows of a diagram (a choice): it shows the first ones.
pub(super) const MAX_ARROWS: usize = 1_500;
