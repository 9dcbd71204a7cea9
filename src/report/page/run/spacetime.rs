//! The space-time diagram: hosts as lines, time downwards, each datagram an arrow. One that is lost ends in a cross with its fate.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::arrow::{self, Place, ending};
use super::flights::{Arrow, Course, Flights, MAX_LANES};
use super::incidents::{Incident, Incidents, in_force};
use super::scale::{Stretch, TimeScale, exact, length, moment};
use crate::id::{HostId, LinkId};
use crate::report::names::Names;
use crate::report::page::picture::{Key, Picture, clipped, legend, number, text_width};
use crate::stats::Fate;
use crate::time::Instant;

/// Some arrows of a run, laid out.
pub(super) struct Diagram<'a> {
    names: &'a Names,
    /// Where the line of each host is.
    lanes: BTreeMap<HostId, f64>,
    apart: f64,
    flights: &'a Flights,
    arrows: &'a [Arrow],
    /// The links that arrows are lost on.
    links: Vec<LinkId>,
    /// What happens until its end, before its beginning too.
    incidents: Vec<&'a Incident>,
    first: Instant,
    /// Until when faults are known, if not all are.
    known_until: Option<Instant>,
    time: TimeScale,
    width: f64,
}

impl<'a> Diagram<'a> {
    /// Of these arrows of a run, and what happens meanwhile, with lines of these hosts; nothing if there is no arrow.
    pub(super) fn new(
        names: &'a Names,
        (flights, arrows): (&'a Flights, &'a [Arrow]),
        hosts: &BTreeSet<HostId>,
        incidents: &'a Incidents,
    ) -> Option<Self> {
        let widest = hosts.iter().map(|host| text_width(&clipped(names.host(*host), MAX_LABEL))).fold(0.0, f64::max);
        let apart = (widest + 8.0).max((WIDE / hosts.len().max(1) as f64).min(WIDEST));
        let place = |(number, host): (usize, &HostId)| (*host, LEFT + apart * (number as f64 + 0.5));
        let lanes: BTreeMap<HostId, f64> = hosts.iter().enumerate().map(place).collect();
        let read = |arrow: &Arrow| arrow.waited.filter(|_| arrow.is_read);
        let last = arrows.iter().map(|arrow| read(arrow).unwrap_or(arrow.end).max(arrow.end)).max()?;
        let first = arrows.iter().map(|arrow| arrow.start).min()?;
        let is_shown =
            |incident: &&Incident| incident.at <= last && incident.host.is_none_or(|host| lanes.contains_key(&host));
        let known_until = incidents.all.last().map(|last| last.at).filter(|_| incidents.left_out > 0);
        let incidents: Vec<&Incident> = incidents.all.iter().filter(is_shown).collect();
        let lost_on = arrows.iter().filter_map(|arrow| match arrow.course {
            Course::Lost(link, _) => Some(link),
            _ => None,
        });
        let links: Vec<LinkId> = lost_on.collect::<BTreeSet<_>>().into_iter().collect();
        let spans = arrows.iter().map(|arrow| (arrow.start, arrow.end));
        let waited = arrows.iter().filter_map(|arrow| arrow.waited).filter(|waited| *waited <= last);
        let faults = incidents.iter().map(|incident| incident.at).filter(|at| *at >= first);
        let moments = waited.chain(faults).map(|at| (at, at));
        let time = TimeScale::new(spans.chain(moments));
        let width = LEFT + apart * lanes.len() as f64 + 16.0;
        Some(Diagram { names, lanes, apart, flights, arrows, links, incidents, first, known_until, time, width })
    }

    /// Until when faults are drawn, if that is before its end.
    pub(super) fn faults_until(&self) -> Option<Instant> {
        self.known_until.filter(|until| until.since(Instant::ZERO).nanos() < self.time.last())
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
                text.gap x="6" y=(exact(TOP + (gap.top + gap.bottom) / 2.0)) dy="4" { "+ " (length(gap)) }
            }
            @for (place, at) in self.time.ticks() {
                line.g x1=(LEFT - 6.0) x2=(number(self.width)) y1=(exact(TOP + place)) y2=(exact(TOP + place)) {}
                text.time x=(LEFT - 10.0) y=(exact(TOP + place)) dy="4" { (moment(at)) }
            }
            @for x in self.lanes.values() { line.lane x1=(number(*x)) x2=(number(*x)) y1="0" y2=(exact(bottom)) {} }
            @for gap in self.time.gaps() {
                rect.idle x=(LEFT) width=(number(self.width - LEFT)) y=(exact(TOP + gap.top + 3.0)) height=(exact(gap.bottom - gap.top - 6.0)) {}
            }
            @for (y, words) in self.faults() {
                line.fault x1=(LEFT) x2=(number(self.width)) y1=(exact(y)) y2=(exact(y)) {}
                @if let Some(words) = words { text.fault x=(LEFT + 4.0) y=(exact(y)) dy="-3" { (clipped(&words, MAX_FAULT)) } }
            }
            @for (arrow, place) in self.places() { (arrow::draw(arrow, place)) }
            @for (host, from, to, class) in self.absences() {
                @let x = number(self.lanes[&host]);
                line class=(class) x1=(x) x2=(x) y1=(exact(self.y(from))) y2=(exact(to.map_or(bottom, |to| self.y(to)))) {}
            }
        }
    }

    /// The stretches of time without and with gaps between them, for the script: of each gap where it begins and ends, and which
    /// moments those are, in nanoseconds; the beginning and the end of all are gaps too, of no height.
    pub(super) fn gaps(&self) -> String {
        let ends = [(0.0, self.time.first()), (self.time.height(), self.time.last())];
        let end = |(place, at): (f64, u64)| Stretch { from: at, to: at, top: place, bottom: place, is_gap: true };
        let [first, last] = ends.map(end);
        let gap =
            |gap: &Stretch| format!("{} {} {} {}", exact(TOP + gap.top), exact(TOP + gap.bottom), gap.from, gap.to);
        [&first].into_iter().chain(self.time.gaps()).chain([&last]).map(gap).collect::<Vec<_>>().join(" ")
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
        Picture { title, description: self.description(), width: self.width.max(MIN_WIDTH), height, body }
    }

    /// What arrows and signs mean.
    pub(super) fn legend(&self, top: f64) -> (Markup, f64) {
        let mut keys = arrow::keys(self.arrows);
        let absences = self.absences();
        for (class, label) in [("down", "the host is down"), ("still", "the host stands still")] {
            if absences.iter().any(|(.., of)| *of == class) {
                let sign = html! { line class=(class) x1="2" x2="24" y1="7" y2="7" {} };
                keys.push(Key { sign, label: label.to_owned() });
            }
        }
        legend("arrows", &keys, self.width.clamp(MIN_WIDTH, WIDE + LEFT), top)
    }

    /// In words, for those who cannot see it.
    pub(super) fn description(&self) -> String {
        let lost = self.arrows.iter().filter(|arrow| matches!(arrow.course, Course::Lost(..))).count();
        format!(
            "{} hosts, from left to right in the order of the scenario; {} datagrams, of which {lost} were lost on the way; time goes down.",
            self.lanes.len(),
            self.arrows.iter().filter(|arrow| arrow.is_datagram()).count()
        )
    }

    /// The names of the links that arrows are lost on, for the script.
    pub(super) fn links(&self) -> String {
        self.links.iter().map(|link| self.names.link(*link)).collect::<Vec<_>>().join("\t")
    }

    /// All arrows with their places.
    fn places(&self) -> impl Iterator<Item = (&Arrow, Place)> {
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        // Beside the end, on the side that the arrow comes from: the line of the host stays free.
        let width = self.width;
        let mut label = move |from: f64, x: f64, y: f64, fate: Fate| {
            let half = text_width(fate.name()) * SMALL / 2.0;
            let right = x + half + BESIDE;
            let middle = if from > x && right + half < width { right } else { x - half - BESIDE };
            let (left, right) = (middle - half, middle + half);
            let mut near = taken.iter().rev().take(MAX_LANES * 2);
            let is_free = !near.any(|(from, to, at)| left < *to && *from < right && (y - at).abs() < 12.0);
            is_free.then(|| {
                taken.push((left, right, y));
                middle
            })
        };
        self.arrows.iter().map(move |arrow| {
            let (from, to) = self.ends(arrow);
            let end = self.y(arrow.end);
            let waits = arrow.waited.filter(|waited| *waited > arrow.end).map(|waited| self.y(waited));
            let label = ending(arrow).and_then(|fate| label(from, to, end, fate));
            let lane = |host: HostId| self.lanes.range(..host).count();
            let lost = match arrow.course {
                Course::Lost(link, how) => self.links.binary_search(&link).ok().map(|number| (how, number)),
                _ => None,
            };
            let place = Place {
                source: self.names.source(arrow.stream),
                lanes: (lane(arrow.from), arrow.to.map(lane)),
                lost,
                other: self.flights.other_fate(arrow),
                from,
                to,
                start: self.y(arrow.start),
                end,
                waits,
                label,
            };
            (arrow, place)
        })
    }

    /// Where an arrow begins and ends, from left to right; one to a host that nothing can reach ends at once. Of the others, one that is lost on its recipient's link ends just before that, one that
    /// is lost before that ends between the lines of its sender and the next host.
    fn ends(&self, Arrow { from, to, course, fate, .. }: &Arrow) -> (f64, f64) {
        let x = self.lanes[from];
        let side = if x + self.apart > self.width { -1.0 } else { 1.0 };
        let tip = to.map(|to| self.lanes[&to]);
        let towards = tip.map_or(side, |tip| (tip - x).signum());
        let Course::Lost(link, _) = course else {
            let far = tip.filter(|_| *fate != Some(Fate::Unreachable));
            return (x, far.unwrap_or(x + towards * STUB));
        };
        match (self.names.host_at(*link), tip) {
            (Some(host), Some(tip)) if host != *from => (x, tip - towards * SHORT),
            (None, _) => (x, x + towards * self.apart / 2.0),
            _ => (x, x + towards * STUB),
        }
    }

    /// Where faults are, and their words as far as there is room; those of one moment have one line. What is in force when it begins
    /// is above all.
    fn faults(&self) -> Vec<(f64, Option<String>)> {
        let mut faults: Vec<(f64, Option<String>)> = Vec::new();
        let mut free = f64::NEG_INFINITY;
        let (before, within) = self.incidents.split_at(self.incidents.partition_point(|it| it.at < self.first));
        let in_force = in_force(before);
        if !in_force.is_empty() {
            faults.push((self.y(self.first), Some(format!("since before: {}", in_force.join("; ")))));
            free = self.y(self.first) + 12.0;
        }
        for together in within.chunk_by(|one, other| one.at == other.at) {
            let words: Vec<String> = together.iter().map(|incident| incident.words(self.names)).collect();
            let y = self.y(together[0].at);
            faults.push((y, (y >= free).then(|| words.join("; "))));
            free = free.max(y + 12.0);
        }
        faults
    }

    /// When hosts on lines are down, or stand still, and how that looks.
    fn absences(&self) -> Vec<(HostId, Instant, Option<Instant>, &'static str)> {
        let mut absences = Vec::new();
        for (begins, ends, class) in [("crash", "restart", "down"), ("pause", "resume", "still")] {
            for (position, incident) in self.incidents.iter().enumerate() {
                let Some(host) = incident.host.filter(|_| incident.name == begins) else { continue };
                let is_end = |later: &&&Incident| later.host == Some(host) && [ends, "crash"].contains(&later.name);
                let end = self.incidents[position + 1..].iter().find(is_end).map(|later| later.at).or(self.known_until);
                if end.is_none_or(|end| end > self.first) {
                    absences.push((host, incident.at, end, class));
                }
            }
        }
        absences
    }

    fn y(&self, at: Instant) -> f64 {
        TOP + self.time.place(at)
    }
}

/// The longest name of a host.
const MAX_LABEL: usize = 15;
/// The longest description of the faults of a moment.
const MAX_FAULT: usize = 100;
/// How wide a diagram is if names leave room, how far apart lines are then at most, and how narrow a picture may be.
const WIDE: f64 = 900.0;
const WIDEST: f64 = 170.0;
const MIN_WIDTH: f64 = 480.0;
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
/// How far the name of a fate is from the end of its arrow.
const BESIDE: f64 = 6.0;
/// How large the names of fates are, beside other texts.
const SMALL: f64 = 0.85;
