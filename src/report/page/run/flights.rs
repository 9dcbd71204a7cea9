//! What becomes of each datagram of a run, from host to host: the arrows of its space-time diagram.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::{HostId, LinkId, StreamId};
use crate::report::names::Names;
use crate::stats::{Bound, Event, Fate, Instance, Settled, StreamLayout, Write};
use crate::time::Instant;

/// The first datagrams of a run.
#[derive(Default)]
pub(super) struct Flights {
    /// By stream, whom its messages can address.
    recipients: Vec<Vec<HostId>>,
    /// When datagrams left their hosts, of the latest [`MAX_UNDER_WAY`]; the oldest first.
    starts: BTreeMap<Key, Instant>,
    started: VecDeque<Key>,
    /// Which arrow leads to an interface of a host.
    towards: BTreeMap<(Key, HostId, u8), usize>,
    /// What became of messages at recipients that there are arrows to.
    fates: BTreeMap<(StreamId, u64, HostId), Option<Fate>>,
    pub(super) arrows: Vec<Arrow>,
    /// How many of them are beside the point.
    asides: usize,
    /// The hosts that have lines, those of flows before others; and those that there are none for: they have no arrows.
    pub(super) lanes: BTreeSet<HostId>,
    pub(super) without_lane: BTreeSet<HostId>,
    /// What there was no room for: arrows of messages and replies, and asides.
    left_out: LeftOut,
    asides_left_out: LeftOut,
}

/// Arrows that there was no room for.
#[derive(Clone, Copy, Default)]
pub(super) struct LeftOut {
    pub(super) number: u64,
    /// When the first of them began.
    pub(super) from: Option<Instant>,
}

/// One instance of a datagram between two hosts.
#[derive(Clone, Debug)]
pub(super) struct Arrow {
    pub(super) stream: StreamId,
    pub(super) message: u64,
    pub(super) kind: Kind,
    /// Which write of the message it is of, from 0.
    pub(super) copy: u16,
    /// Whether it is a broadcast for all recipients, where it is for several.
    pub(super) is_for_all: bool,
    /// Whether the network made it as a copy.
    pub(super) is_copy: bool,
    pub(super) from: HostId,
    /// `None` for a broadcast that never reached its segment. A sender's own copy goes nowhere.
    pub(super) to: Option<HostId>,
    pub(super) start: Instant,
    /// When it arrived, or was lost.
    pub(super) end: Instant,
    pub(super) course: Course,
    /// What that meant for a message of a flow at a recipient.
    pub(super) fate: Option<Fate>,
    /// When a program read it, or it left its slot unread.
    pub(super) waited: Option<Instant>,
    pub(super) is_read: bool,
    /// Whether it is a fragment that another one speaks for.
    pub(super) is_part: bool,
}

/// How far an arrow has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Course {
    /// It is on its way.
    Open,
    /// It was lost on this link, in this way.
    Lost(LinkId, Fate),
    Arrived,
}

/// What a datagram is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// A message of a flow, at a recipient or on its way to all.
    Message,
    /// The same at a host that is not addressed.
    Overheard,
    /// What a machine or a program says to a message.
    Reply,
    /// A message of a program.
    Program,
    /// The name service.
    Name,
    /// None: a write failed, and nothing left.
    Failed,
}

impl Arrow {
    /// One that has only begun.
    fn new(stream: StreamId, message: u64, kind: Kind, (from, to): (HostId, Option<HostId>), start: Instant) -> Self {
        Arrow {
            stream,
            message,
            kind,
            copy: 0,
            is_for_all: false,
            is_copy: false,
            from,
            to,
            start,
            end: start,
            course: Course::Open,
            fate: None,
            waited: None,
            is_read: false,
            is_part: false,
        }
    }

    /// Whether it stands for a datagram, and not for a write that failed or a recipient that nothing can reach.
    pub(super) fn is_datagram(&self) -> bool {
        self.kind != Kind::Failed && self.fate != Some(Fate::Unreachable)
    }
}

impl Kind {
    /// Whether it carries no message to whom it is for.
    pub(super) fn is_aside(self) -> bool {
        matches!(self, Kind::Overheard | Kind::Name)
    }
}

/// A datagram, or a part of one, as it left a host: who sent it, its identity, its copy, packet and fragment, the network's copy,
/// and by which interface it left.
type Key = (HostId, [u64; 2], [u16; 3], u32, u8);

impl Flights {
    pub(super) fn begin(&mut self, streams: &[StreamLayout]) {
        self.recipients = streams.iter().map(|stream| stream.recipients.clone()).collect();
        let senders = streams.iter().map(|stream| stream.sender).take(MAX_LANES / 2);
        let recipients = streams.iter().flat_map(|stream| &stream.recipients).copied();
        for host in senders.chain(recipients) {
            if self.lanes.len() < MAX_LANES {
                self.lanes.insert(host);
            }
        }
    }

    pub(super) fn observe(&mut self, names: &Names, at: Instant, event: &Event<'_>) {
        match event {
            Event::Write(Write { stream, message, copy, result: Err(_), .. }) => {
                if let Some((_, from)) = names.stream(*stream) {
                    let mark = Arrow::new(*stream, *message, Kind::Failed, (from, None), at);
                    self.add(at, Arrow { copy: *copy, ..mark });
                }
            }
            Event::Offered { instance, link, .. } => match names.end_of(*link) {
                Some(host) => drop(self.towards(names, at, instance, host)),
                None if names.host_at(*link).is_some() => self.depart(names, at, instance),
                None => {}
            },
            Event::Duplicated { instance, duplicate, link } => {
                if let Some(host) = names.end_of(*link) {
                    self.towards(names, at, &Instance { duplicate: *duplicate, ..*instance }, host);
                }
            }
            Event::Lost { instance, link, fate, .. } => {
                let arrow = match names.end_of(*link) {
                    Some(host) if *fate == Fate::LostInPartition => self.towards(names, at, instance, host),
                    Some(host) => self.found(names, instance, host), // it was offered before
                    None => self.open(names, at, instance, self.addressee(names, instance)),
                };
                if let Some(arrow) = arrow {
                    (arrow.end, arrow.course) = (at, Course::Lost(*link, *fate));
                    arrow.fate = (arrow.kind == Kind::Message).then_some(*fate);
                }
            }
            Event::Arrived { instance, host }
            | Event::Stalled { instance, host }
            | Event::Collected { instance, host } => self.arrive(names, at, instance, *host),
            Event::Joined { instance } => {
                if let Some(arrow) = self.addressee(names, instance).and_then(|host| self.found(names, instance, host))
                {
                    arrow.is_part = true;
                }
            }
            Event::Discarded { instance, host, fate, .. } => self.end(names, at, instance, *host, *fate),
            Event::Misdelivered { instance, host } => self.end(names, at, instance, *host, Fate::Corrupted),
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
                if let Some(arrow) = self.found(names, instance, *host) {
                    (arrow.waited, arrow.is_read) = (Some(at), true);
                    arrow.fate = arrow.fate.or((arrow.kind == Kind::Message).then_some(Fate::Delivered));
                }
            }
            Event::Left { instance, fate, links_passed } => match self.addressee(names, instance) {
                Some(host) => {
                    // Where there is no room any more, what was offered to a last link has been counted.
                    if *fate == Fate::InFlight
                        && (*links_passed == 0 || !self.is_full(kind(names, instance).is_aside()))
                    {
                        self.towards(names, at, instance, host);
                    }
                    self.end(names, at, instance, host, *fate);
                }
                None if kind(names, instance) == Kind::Message => {
                    if let Some(arrow) = self.open(names, at, instance, None) {
                        arrow.fate = Some(*fate);
                    }
                }
                None => {}
            },
            _ => {}
        }
    }

    /// What there was no room for, of asides or of the others; these arrows are `cut` too.
    pub(super) fn left_out(&self, is_aside: bool, cut: &[Arrow]) -> LeftOut {
        let left_out = if is_aside { self.asides_left_out } else { self.left_out };
        let mut cut = cut.iter().filter(|arrow| arrow.kind.is_aside() == is_aside).peekable();
        let from = cut.peek().map(|arrow| arrow.start).or(left_out.from);
        LeftOut { number: left_out.number + cut.count() as u64, from }
    }

    /// Whether every datagram between hosts has its arrow.
    pub(super) fn has_all(&self) -> bool {
        [self.left_out, self.asides_left_out].iter().all(|it| it.from.is_none()) && self.without_lane.is_empty()
    }

    pub(super) fn settled(&mut self, names: &Names, at: Instant, settled: &Settled) {
        let Settled { stream, message, recipient, fate } = *settled;
        let host = self.recipients.get(stream.index()).and_then(|all| all.get(recipient as usize)).copied();
        let Some((host, (_, from))) = host.zip(names.stream(stream)) else { return };
        if fate == Fate::Unreachable {
            let mark = Arrow::new(stream, message, Kind::Message, (from, Some(host)), at);
            self.add(at, Arrow { fate: Some(fate), ..mark });
        } else if let Some(known) = self.fates.get_mut(&(stream, message, host)) {
            *known = Some(fate);
        }
    }

    /// What became of the message of an arrow at the host that it leads to, if that is not what became of the arrow.
    pub(super) fn other_fate(&self, arrow: &Arrow) -> Option<Fate> {
        let fate = *self.fates.get(&(arrow.stream, arrow.message, arrow.to?))?;
        fate.filter(|_| arrow.kind == Kind::Message && !arrow.is_part && arrow.fate != fate)
    }

    /// A datagram leaves its host. What has the same identity, as a question that is asked again, is another from now on.
    fn depart(&mut self, names: &Names, at: Instant, instance: &Instance) {
        let Some(key) = key(names, instance).filter(|(from, ..)| self.lanes.contains(from)) else { return };
        let interfaces = (key, HostId(0), 0)..=(key, HostId(u32::MAX), u8::MAX);
        self.towards.extract_if(interfaces, |_, _| true).for_each(drop);
        if self.starts.insert(key, at).is_none() {
            self.started.push_back(key);
        }
        if self.started.len() > MAX_UNDER_WAY
            && let Some(oldest) = self.started.pop_front()
        {
            self.starts.remove(&oldest);
        }
    }

    /// An instance has come to a host.
    fn arrive(&mut self, names: &Names, at: Instant, instance: &Instance, host: HostId) {
        if let Some(arrow) = self.found(names, instance, host).filter(|arrow| arrow.course == Course::Open) {
            (arrow.end, arrow.course) = (at, Course::Arrived);
        }
    }

    /// An instance comes to its end at a host, or when the run does.
    fn end(&mut self, names: &Names, at: Instant, instance: &Instance, host: HostId, fate: Fate) {
        let Some(arrow) = self.found(names, instance, host) else { return };
        arrow.fate = arrow.fate.or((arrow.kind == Kind::Message).then_some(fate));
        if arrow.course == Course::Open {
            arrow.end = at;
        } else if matches!(fate, Fate::ClosedUnread | Fate::Unread) {
            arrow.waited = Some(at);
        }
    }

    /// The arrow of an instance to a host, if it is known.
    fn found(&mut self, names: &Names, instance: &Instance, host: HostId) -> Option<&mut Arrow> {
        let position = *self.towards.get(&(key(names, instance)?, host, instance.interfaces[1]))?;
        Some(&mut self.arrows[position])
    }

    /// The arrow of an instance to a host, which begins now if it is not known and there is room.
    fn towards(&mut self, names: &Names, at: Instant, instance: &Instance, host: HostId) -> Option<&mut Arrow> {
        let known = self.towards.contains_key(&(key(names, instance)?, host, instance.interfaces[1]));
        if known { self.found(names, instance, host) } else { self.open(names, at, instance, Some(host)) }
    }

    fn open(&mut self, names: &Names, at: Instant, instance: &Instance, to: Option<HostId>) -> Option<&mut Arrow> {
        let key = key(names, instance)?;
        let Instance { stream, message, copy, duplicate, bound, .. } = *instance;
        let (kind, start) = (kind(names, instance), self.start(key).unwrap_or(at));
        let arrow = Arrow::new(stream, message, kind, (key.0, to), start);
        let is_for_all = bound == Bound::Audience;
        let number = self.add(at, Arrow { end: at, copy, is_copy: duplicate != 0, is_for_all, ..arrow })?;
        if let Some(host) = to {
            self.towards.insert((key, host, instance.interfaces[1]), number);
            if kind == Kind::Message {
                self.fates.entry((stream, message, host)).or_default();
            }
        }
        self.arrows.last_mut()
    }

    /// Adds an arrow, if there is room for it; its number.
    fn add(&mut self, at: Instant, arrow: Arrow) -> Option<usize> {
        let is_aside = arrow.kind.is_aside();
        let hosts = [Some(arrow.from), arrow.to].into_iter().flatten();
        if self.is_full(is_aside) {
            if hosts.into_iter().all(|host| self.lanes.contains(&host) || self.lanes.len() < MAX_LANES) {
                let left_out = if is_aside { &mut self.asides_left_out } else { &mut self.left_out };
                left_out.number += 1;
                left_out.from.get_or_insert(at);
            }
            return None;
        }
        if hosts.filter(|host| !self.has_lane(*host)).count() > 0 {
            return None;
        }
        self.asides += usize::from(is_aside);
        self.arrows.push(arrow);
        Some(self.arrows.len() - 1)
    }

    /// Whether there is no room for more asides, or more of the others.
    fn is_full(&self, is_aside: bool) -> bool {
        if is_aside { self.asides == MAX_ASIDES } else { self.arrows.len() - self.asides == MAX_ARROWS }
    }

    /// Whether a host has a line; it gets one if it has none and there is room.
    fn has_lane(&mut self, host: HostId) -> bool {
        if self.lanes.len() < MAX_LANES {
            self.lanes.insert(host);
        }
        let has_lane = self.lanes.contains(&host);
        if !has_lane {
            self.without_lane.insert(host);
        }
        has_lane
    }

    /// When a datagram left its host; one that was made on the way when that did which it was made of.
    fn start(&self, (from, identity, [copy, packet, fragment], duplicate, left_by): Key) -> Option<Instant> {
        let mut path = duplicate;
        loop {
            for fragment in [fragment, 0] {
                if let Some(start) = self.starts.get(&(from, identity, [copy, packet, fragment], path, left_by)) {
                    return Some(*start);
                }
            }
            path &= !(1 << path.checked_ilog2()?);
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

fn kind(names: &Names, instance: &Instance) -> Kind {
    match instance.bound {
        Bound::Audience | Bound::Part(_) | Bound::Recipient(_) => Kind::Message,
        Bound::Answer(_) | Bound::Reply(_) | Bound::StrayReply(_) => Kind::Reply,
        Bound::NameService(_) => Kind::Name,
        Bound::Uncounted if names.is_program(instance.stream) => Kind::Program,
        Bound::Bystander | Bound::Uncounted => Kind::Overheard,
    }
}

fn key(names: &Names, instance: &Instance) -> Option<Key> {
    let Instance { identity, copy, packet, duplicate, fragment, interfaces, .. } = *instance;
    Some((names.sender(instance)?, identity, [copy, packet, fragment], duplicate, interfaces[0]))
}

/// The most hosts with lines (a choice).
pub(super) const MAX_LANES: usize = 60;
/// The most arrows of a diagram (a choice): it shows the first ones of messages, replies and programs.
pub(super) const MAX_ARROWS: usize = 1_200;
/// The most of what carries no message to whom it is for (a choice): the name service, and broadcasts at others.
pub(super) const MAX_ASIDES: usize = 300;
/// How many datagrams are known that have left their hosts (a choice).
const MAX_UNDER_WAY: usize = 20_000;
