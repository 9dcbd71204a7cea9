//! What happened to network and hosts: the timeline of faults.

use maud::{Markup, html};

use super::scale::moment;
use crate::id::HostId;
use crate::report::names::Names;
use crate::report::page::picture::{Picture, clipped, number, text_width};
use crate::scenario::{NO_LONGER, Phase};
use crate::stats::Event;
use crate::time::{Duration, Instant};

/// The faults of a run, the first ones.
#[derive(Default)]
pub(super) struct Incidents {
    pub(super) all: Vec<Incident>,
    /// How many there was no room for.
    pub(super) left_out: u64,
}

/// Something that happened.
pub(super) struct Incident {
    pub(super) at: Instant,
    pub(super) name: &'static str,
    pub(super) host: Option<HostId>,
    pub(super) what: String,
}

impl Incident {
    /// In words.
    pub(super) fn words(&self, names: &Names) -> String {
        let Incident { name, host, what, .. } = self;
        let parts =
            [Some(*name), host.map(|host| names.host(host)), Some(what.as_str()).filter(|what| !what.is_empty())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl Incidents {
    pub(super) fn observe(&mut self, at: Instant, event: &Event<'_>) {
        let Event::Fault { name, host, what } = event else { return };
        if self.all.len() == MAX_INCIDENTS {
            self.left_out += 1;
            return;
        }
        self.all.push(Incident { at, name, host: *host, what: (*what).to_owned() });
    }

    /// A row for each thing that things happened to, along the time of the run: bars for what lasts, dots for the rest.
    pub(super) fn picture(&self, names: &Names, phases: &[Phase], end: Duration) -> Picture {
        let rows = self.rows(names);
        let rows = &rows[..rows.len().min(MAX_TIMELINE_ROWS)];
        let label = |row: &Row| clipped(&row.about, MAX_LABEL);
        let left = rows.iter().map(|row| text_width(&label(row))).fold(40.0, f64::max) + 16.0;
        let x = |at: Instant| {
            left + (WIDTH - left - RIGHT)
                * (at.since(Instant::ZERO).nanos() as f64 / end.nanos().max(1) as f64).min(1.0)
        };
        let bottom = TOP + ROW * rows.len() as f64;
        let step = STEPS.into_iter().map(Duration::from_secs).find(|step| step.nanos() >= end.nanos() / TICKS);
        let step = step.unwrap_or(end).nanos().max(1);
        let ticks = (0..=end.nanos() / step).map(|tick| Instant::from_nanos(tick * step));
        let of_phase = |at: Duration| number(x(Instant::ZERO + at));
        let body = html! {
            @for phase in phases.iter().filter(|phase| phase.from < end) {
                rect.phase x=(of_phase(phase.from)) width=(number(x(Instant::ZERO + phase.to) - x(Instant::ZERO + phase.from))) y="0" height=(number(bottom)) {}
                text.phase x=(of_phase(phase.from)) dx="3" y="12" { (clipped(&phase.name, 16)) }
            }
            @for (number, row) in rows.iter().enumerate() {
                @let y = TOP + ROW * number as f64;
                text.y x=(left - 8.0) y=(y + 12.0) { (label(row)) }
                path.g d=(format!("M{left} {}H{}", y + 8.0, WIDTH - RIGHT)) {}
                @for Bar { from, to, name } in &row.bars {
                    @let wide = to.map_or(WIDTH - RIGHT, &x).max(x(*from) + 3.0) - x(*from);
                    rect class=(format!("bar {name}")) x=(self::number(x(*from))) width=(self::number(wide)) y=(y + 3.0) height="10" {}
                }
                @for (at, _) in &row.dots { use.dot href="#m0" x=(self::number(x(*at))) y=(y + 8.0) {} }
                @for (place, name) in row.labels(&x) { text x=(self::number(place)) y=(y + 12.0) { (name) } }
            }
            @for tick in ticks {
                path.g d=(format!("M{} {}v4", number(x(tick)), number(bottom))) {}
                text.x x=(number(x(tick))) y=(number(bottom + 16.0)) { (tick.since(Instant::ZERO)) }
            }
        };
        Picture {
            title: "what happened to network and hosts".to_owned(),
            description: format!("{} faults along the time of the run, which a table lists.", self.all.len()),
            width: WIDTH,
            height: bottom + 24.0,
            body,
        }
    }

    /// How many things things happened to.
    pub(super) fn things(&self, names: &Names) -> usize {
        self.rows(names).len()
    }

    /// Whether values are set more than once, perhaps the same ones.
    pub(super) fn sets_again(&self) -> bool {
        self.all.iter().filter(|incident| incident.name == "set" && !incident.what.starts_with(NO_LONGER)).count() > 1
    }

    /// The first faults as a table.
    pub(super) fn table(&self, names: &Names, most: usize) -> Markup {
        html! {
            table {
                thead { tr { th scope="col" { "time" } th scope="col" { "what" } th scope="col" { "host" } th scope="col" { "with" } } }
                tbody {
                    @for incident in self.all.iter().take(most) {
                        tr {
                            td { (moment(incident.at)) }
                            td.words { (incident.name) }
                            td.words { bdi { (incident.host.map_or("", |host| names.host(host))) } }
                            td.words { bdi { (clipped(&incident.what, MAX_WHAT)) } }
                        }
                    }
                }
            }
        }
    }

    fn rows(&self, names: &Names) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for Incident { at, name, host, what } in &self.all {
            let (about, begins, ends) = match *name {
                "partition" | "heal" => (format!("partition {what}"), *name == "partition", *name == "heal"),
                "set" => (
                    what.trim_start_matches(NO_LONGER).to_owned(),
                    !what.starts_with(NO_LONGER),
                    what.starts_with(NO_LONGER),
                ),
                name => {
                    let host = host.map_or("", |host| names.host(host));
                    (host.to_owned(), ["crash", "pause"].contains(&name), ["restart", "resume"].contains(&name))
                }
            };
            if *name == "heal" && what.is_empty() {
                let open =
                    rows.iter_mut().filter(|row| row.about.starts_with("partition ")).flat_map(|row| &mut row.bars);
                open.filter(|bar| bar.to.is_none()).for_each(|bar| bar.to = Some(*at)); // all of them
                continue;
            }
            let position = rows.iter().position(|row| row.about == about).unwrap_or_else(|| {
                rows.push(Row { about, bars: Vec::new(), dots: Vec::new() });
                rows.len() - 1
            });
            let row = &mut rows[position];
            let bar = Bar { from: *at, to: None, name };
            match row.bars.iter_mut().find(|bar| bar.to.is_none()) {
                Some(open) if ends || begins => {
                    open.to = Some(*at);
                    row.bars.extend(begins.then_some(bar));
                }
                None if begins => row.bars.push(bar),
                _ => row.dots.push((*at, name)),
            }
        }
        rows
    }
}

/// Which partitions and values are in force after all that.
pub(super) fn in_force(incidents: &[&Incident]) -> Vec<String> {
    let mut in_force: Vec<(&str, &str)> = Vec::new();
    for Incident { name, what, .. } in incidents {
        match *name {
            "partition" => in_force.push(("partition", what)),
            "heal" => in_force.retain(|(of, it)| *of != "partition" || !(what.is_empty() || it == what)),
            "set" => {
                let values = what.trim_start_matches(NO_LONGER);
                in_force.retain(|(of, it)| *of != "set" || *it != values);
                in_force.extend((!what.starts_with(NO_LONGER)).then_some(("set", values)));
            }
            _ => {}
        }
    }
    in_force.into_iter().map(|(name, what)| format!("{name} {what}")).collect()
}

/// What happened to one thing.
struct Row {
    about: String,
    bars: Vec<Bar>,
    dots: Vec<(Instant, &'static str)>,
}

impl Row {
    /// What bars and dots are, behind each before the next one has room for that; `x` says where moments are. Of partitions and
    /// values the name of the row says it.
    fn labels(&self, x: &impl Fn(Instant) -> f64) -> Vec<(f64, &'static str)> {
        let bars = self.bars.iter().map(|bar| (x(bar.from), bar.to.map_or(WIDTH, x).max(x(bar.from) + 3.0), bar.name));
        let dots = self.dots.iter().map(|(at, name)| (x(*at), x(*at) + 4.0, *name));
        let mut marks: Vec<(f64, f64, &str)> = bars.chain(dots).collect();
        marks.sort_by(|one, other| one.0.total_cmp(&other.0));
        let next = marks.iter().skip(1).map(|(from, ..)| *from).chain([WIDTH]);
        let labels = marks.iter().zip(next).map(|((_, end, name), next)| (end + 4.0, *name, next));
        let has_room = |(place, name, next): &(f64, &str, f64)| place + text_width(name) < *next;
        let told = labels.filter(|it| !["set", "partition"].contains(&it.1) && has_room(it));
        told.map(|(place, name, _)| (place, name)).collect()
    }
}

/// What lasted; to the end where that is not known.
struct Bar {
    from: Instant,
    to: Option<Instant>,
    name: &'static str,
}

/// The most faults that a page lists (a choice).
pub(super) const MAX_INCIDENTS: usize = 500;
/// The longest text of a fault, as of the groups of a partition.
const MAX_WHAT: usize = 200;
/// The most rows of the timeline (a choice).
pub(super) const MAX_TIMELINE_ROWS: usize = 40;
const MAX_LABEL: usize = 30;
const WIDTH: f64 = 1_000.0;
/// On the right of the last moment, for half of its label.
const RIGHT: f64 = 40.0;
const TOP: f64 = 18.0;
const ROW: f64 = 18.0;
/// How many round moments are named, about; and how many seconds may be between them.
const TICKS: u64 = 6;
const STEPS: [u64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
