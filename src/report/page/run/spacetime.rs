//! The space-time diagram: hosts as lines, time downwards, each datagram an arrow. One that is lost ends in a cross with its fate.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::flights::{Arrow, Course, Kind, MAX_LANES};
use super::incidents::{Incident, Incidents};
use super::scale::{TimeScale, length};
use crate::id::HostId;
use crate::report::names::Names;
use crate::report::page::bars::class;
use crate::report::page::picture::{Key, Picture, clipped, legend, number, text_width};
use crate::stats::Fate;
use crate::time::Instant;

/// Some arrows of a run, laid out.
pub(super) struct Diagram<'a> {
    names: &'a Names,
    /// The hosts that have lines, with where they are.
    lanes: BTreeMap<HostId, f64>,
    arrows: &'a [Arrow],
    incidents: Vec<&'a Incident>,
    time: TimeScale,
    width: f64,
}

impl<'a> Diagram<'a> {
    /// Of these arrows, and what happens meanwhile; nothing if there is no arrow.
    pub(super) fn new(names: &'a Names, arrows: &'a [Arrow], incidents: &'a Incidents) -> Option<Self> {
        let hosts = |arrow: &Arrow| [Some(arrow.from), arrow.to].into_iter().flatten();
        let mut used: Vec<HostId> = arrows.iter().flat_map(hosts).collect();
        used.sort_unstable();
        used.dedup();
        let widest = used.iter().map(|host| text_width(&clipped(names.host(*host), MAX_LABEL))).fold(0.0, f64::max);
        let apart = (widest + 8.0).max((WIDE / used.len().max(1) as f64).min(WIDEST));
        let place = |(number, host): (usize, HostId)| (host, LEFT + apart * (number as f64 + 0.5));
        let lanes: BTreeMap<HostId, f64> = used.into_iter().enumerate().map(place).collect();
        let last = arrows.iter().map(|arrow| arrow.end.max(arrow.read.unwrap_or(arrow.end))).max()?;
        let is_shown =
            |incident: &&Incident| incident.at <= last && incident.host.is_none_or(|host| lanes.contains_key(&host));
        let incidents: Vec<&Incident> = incidents.all.iter().filter(is_shown).collect();
        let spans = arrows.iter().map(|arrow| (arrow.start, arrow.end));
        let reads = arrows.iter().filter_map(|arrow| arrow.read);
        let moments = reads.chain(incidents.iter().map(|incident| incident.at)).map(|at| (at, at));
        let time = TimeScale::new(spans.chain(moments));
        let width = LEFT + apart * lanes.len() as f64 + 16.0;
        Some(Diagram { names, lanes, arrows, incidents, time, width })
    }

    pub(super) fn width(&self) -> f64 {
        self.width
    }

    pub(super) fn height(&self) -> f64 {
        TOP + self.time.height() + BOTTOM
    }

    /// The names of the hosts, above their lines.
    pub(super) fn header(&self) -> Markup {
        html! {
            @for (host, x) in &self.lanes {
                text.host x=(number(*x)) y="16" { (clipped(self.names.host(*host), MAX_LABEL)) }
            }
        }
    }

    /// All below that. Where gaps of time are is told to the script, which makes the rest larger and smaller.
    pub(super) fn body(&self) -> Markup {
        let bottom = self.height();
        html! {
            @for gap in self.time.gaps() {
                text.gap x="6" y=(exact(self.y_of((gap.top + gap.bottom) / 2.0))) dy="4" { "+ " (length(gap)) }
            }
            @for (place, at) in self.time.ticks() {
                line.g x1=(LEFT - 6.0) x2=(number(self.width)) y1=(exact(self.y_of(place))) y2=(exact(self.y_of(place))) {}
                text.time x=(LEFT - 10.0) y=(exact(self.y_of(place))) dy="4" { (moment(at)) }
            }
            @for x in self.lanes.values() { line.lane x1=(number(*x)) x2=(number(*x)) y1="0" y2=(exact(bottom)) {} }
            @for gap in self.time.gaps() {
                rect.idle x=(LEFT) width=(number(self.width - LEFT)) y=(exact(self.y_of(gap.top + 3.0))) height=(exact(gap.bottom - gap.top - 6.0)) {}
            }
            @for (host, from, to, class) in self.absences() {
                line class=(class) x1=(number(self.lanes[&host])) x2=(number(self.lanes[&host])) y1=(exact(self.y(from))) y2=(exact(to.map_or(bottom, |to| self.y(to)))) {}
            }
            @for (incident, is_named) in self.incidents.iter().zip(self.named_incidents()) {
                @let y = exact(self.y(incident.at));
                line.fault x1=(LEFT) x2=(number(self.width)) y1=(y) y2=(y) {}
                @if is_named {
                    text.fault x=(LEFT + 4.0) y=(y) dy="-3" { (clipped(&incident.words(self.names), MAX_FAULT)) }
                }
            }
            @for (arrow, is_named) in self.arrows.iter().zip(self.named()) { (self.arrow(arrow, is_named)) }
        }
    }

    /// Of each arrow whether there is room to write its fate below its end.
    fn named(&self) -> Vec<bool> {
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        let mut has_room = |x: f64, y: f64, fate: Fate| {
            let half = text_width(fate.name()) * SMALL / 2.0;
            let mut near = taken.iter().rev().take(MAX_LANES * 2);
            let is_free = !near.any(|(left, right, at)| x - half < *right && *left < x + half && (y - at).abs() < 12.0);
            if is_free {
                taken.push((x - half, x + half, y));
            }
            is_free
        };
        let named = |arrow: &Arrow| {
            let fate = arrow.fate.filter(|fate| *fate != Fate::Delivered)?;
            Some(has_room(self.tip(arrow).1, self.y(arrow.end), fate))
        };
        self.arrows.iter().map(named).map(|named| named.unwrap_or(false)).collect()
    }

    /// Of each fault whether there is room for its words.
    fn named_incidents(&self) -> Vec<bool> {
        let mut free = f64::NEG_INFINITY;
        let has_room = |incident: &&Incident| {
            let y = self.y(incident.at);
            let has_room = y >= free;
            if has_room {
                free = y + 12.0;
            }
            has_room
        };
        self.incidents.iter().map(has_room).collect()
    }

    /// Where an arrow begins and ends, from left to right.
    fn tip(&self, Arrow { from, to, course, .. }: &Arrow) -> (f64, f64) {
        let x = self.lanes[from];
        let side = if x + STUB * 2.0 > self.width { -1.0 } else { 1.0 };
        let (towards, tip) = match to.map(|to| self.lanes[&to]) {
            None => (side, x + side * STUB),
            Some(to) => ((to - x).signum(), to),
        };
        let Course::Lost(link) = course else { return (x, tip) };
        match self.names.host_at(*link) {
            Some(host) if host == *from => (x, x + towards * STUB),
            Some(_) => (x, tip - towards * SHORT),
            None => (x, (x + tip) / 2.0),
        }
    }

    /// The gaps of time, each from one place to another.
    pub(super) fn gaps(&self) -> String {
        let gap =
            |gap: &super::scale::Stretch| format!("{} {}", exact(self.y_of(gap.top)), exact(self.y_of(gap.bottom)));
        self.time.gaps().map(gap).collect::<Vec<_>>().join(" ")
    }

    /// As a picture by itself.
    pub(super) fn picture(&self, title: String) -> Picture {
        let (legend, below) = self.legend(HEADER + self.height());
        let body = html! {
            (self.header())
            g transform=(format!("translate(0 {HEADER})")) { (self.body()) }
            (legend)
        };
        let height = HEADER + self.height() + below;
        Picture { title, description: self.description(), width: self.width, height, body }
    }

    /// What arrows and crosses mean.
    pub(super) fn legend(&self, top: f64) -> (Markup, f64) {
        let fates: Vec<Fate> =
            Fate::ALL.into_iter().filter(|fate| self.arrows.iter().any(|arrow| arrow.fate == Some(*fate))).collect();
        let sign = |fate: &Fate| {
            html! {
                g class=(format!("a {}", class(*fate))) {
                    line x1="0" x2="24" y1="7" y2="7" marker-end=[(*fate == Fate::Delivered).then_some("url(#head)")] {}
                    @if *fate != Fate::Delivered { use href=(end_sign(*fate)) x="24" y="7" {} }
                }
            }
        };
        let keys: Vec<Key> = fates.iter().map(|fate| Key { sign: sign(fate), label: fate.name().to_owned() }).collect();
        legend("fate", &keys, self.width.max(480.0), top)
    }

    /// In words, for those who cannot see it.
    pub(super) fn description(&self) -> String {
        let lost = self.arrows.iter().filter(|arrow| matches!(arrow.course, Course::Lost(_))).count();
        format!(
            "{} hosts, from left to right in the order of the scenario; {} datagrams, of which {lost} were lost on the way; time goes down.",
            self.lanes.len(),
            self.arrows.len()
        )
    }

    fn arrow(&self, arrow: &Arrow, is_named: bool) -> Markup {
        let Arrow { stream, message, kind, is_copy, from, to, start, end, course, fate, read } = arrow;
        let (x, tip) = self.tip(arrow);
        let (top, bottom) = (exact(self.y(*start)), exact(self.y(*end)));
        let class = match (kind, fate) {
            (_, Some(fate)) => format!("a {}", class(*fate)),
            (Kind::Name, None) => "a name".to_owned(),
            (_, None) => "a heard".to_owned(),
        };
        let class = if *is_copy { format!("{class} copy") } else { class };
        let is_whole = *course == Course::Arrived;
        let marker = is_whole.then_some(if *fate == Some(Fate::Delivered) { "url(#head)" } else { "url(#grey)" });
        let name = self.names.stream(*stream).map_or("", |(name, _)| name);
        let link = if let Course::Lost(link) = course { self.names.link(*link) } else { "" };
        let facts = [
            message.to_string(),
            self.names.host(*from).to_owned(),
            to.map_or(String::new(), |to| self.names.host(to).to_owned()),
            moment(*start),
            moment(*end),
            read.map_or(String::new(), moment),
            (*kind as u8).to_string(),
        ];
        let sign = fate.filter(|fate| *fate != Fate::Delivered).map(end_sign);
        html! {
            g class=(class) data-r=(stream.0) data-f=(name) data-k=[fate.map(Fate::name)] data-i=(facts.join("\t")) data-l=[(!link.is_empty()).then_some(link)] {
                @if to == &Some(*from) {
                    use.own href="#own" x=(number(x)) y=(top) {}
                } @else {
                    line x1=(number(x)) y1=(top) x2=(number(tip)) y2=(bottom) marker-end=[marker.filter(|_| sign.is_none())] {}
                }
                @if let Some(read) = read.filter(|read| read > end) {
                    line.wait x1=(number(tip)) y1=(bottom) x2=(number(tip)) y2=(exact(self.y(read))) {}
                }
                @if let (Some(sign), Some(fate)) = (sign, fate) {
                    use href=(sign) x=(number(tip)) y=(bottom) {}
                    @if is_named { text x=(number(tip)) y=(bottom) dy="15" { (fate.name()) } }
                }
            }
        }
    }

    /// When hosts on lines are down, or stand still, and how that looks.
    fn absences(&self) -> Vec<(HostId, Instant, Option<Instant>, &'static str)> {
        let mut absences = Vec::new();
        for (begins, ends, class) in [("crash", "restart", "down"), ("pause", "resume", "still")] {
            for (position, incident) in self.incidents.iter().enumerate() {
                let Some(host) = incident.host.filter(|host| incident.name == begins && self.lanes.contains_key(host))
                else {
                    continue;
                };
                let is_end = |later: &&&Incident| later.host == Some(host) && [ends, "crash"].contains(&later.name);
                let end = self.incidents[position + 1..].iter().find(is_end).map(|later| later.at);
                absences.push((host, incident.at, end, class));
            }
        }
        absences
    }

    fn y(&self, at: Instant) -> f64 {
        self.y_of(self.time.place(at))
    }

    fn y_of(&self, place: f64) -> f64 {
        TOP + place
    }
}

/// How a fate that is no delivery ends an arrow: what was lost is crossed out, what was dropped stopped, what waits is open.
fn end_sign(fate: Fate) -> &'static str {
    match fate {
        Fate::Delivered | Fate::Unread | Fate::InFlight => "#open",
        Fate::LostOnLink | Fate::LostInQueue | Fate::LostFragment | Fate::Corrupted => "#cross",
        Fate::Unreachable | Fate::LostInPartition => "#cut",
        Fate::HostDown | Fate::NoSuchMailslot | Fate::TooLargeForSlot | Fate::SlotFull | Fate::ClosedUnread => "#stop",
    }
}

/// A moment in seconds, without the zeros at its end.
pub(super) fn moment(at: Instant) -> String {
    let nanos = at.since(Instant::ZERO).nanos();
    let decimals = format!("{:09}", nanos % 1_000_000_000);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals} s", nanos / 1_000_000_000)
}

/// A place to a hundredth: the script makes it up to a hundred times as large.
fn exact(place: f64) -> String {
    let text = format!("{place:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The longest name of a host.
const MAX_LABEL: usize = 15;
/// The longest description of a fault.
const MAX_FAULT: usize = 60;
/// How wide a diagram is if names leave room, and how far apart lines are then at most.
const WIDE: f64 = 900.0;
const WIDEST: f64 = 170.0;
/// Where lines begin, on the right of the times.
const LEFT: f64 = 108.0;
/// Above the first moment and below the last.
const TOP: f64 = 18.0;
const BOTTOM: f64 = 24.0;
/// The height of the hosts' names.
pub(super) const HEADER: f64 = 24.0;
/// How far an arrow comes that is lost on its sender's link, and how far before its recipient one that is lost there ends.
const STUB: f64 = 26.0;
const SHORT: f64 = 20.0;
/// How large the names of fates are, beside other texts.
const SMALL: f64 = 0.85;
