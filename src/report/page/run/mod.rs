//! The page of a run: what the senders saw beside what happened, who got which message, and the course of things from host to
//! host.

mod arrow;
mod fates;
mod flights;
mod incidents;
mod map;
mod scale;
mod sections;
mod spacetime;

use std::ops::Range;

use maud::{Markup, html};

use self::arrow::{ending, outcome};
use self::fates::{Fates, MAX_MAP_ROWS, MAX_PAIRS};
use self::flights::{Arrow, Flights, LeftOut, MAX_ARROWS, MAX_ASIDES, MAX_LANES};
use self::incidents::{Incidents, MAX_INCIDENTS, MAX_TIMELINE_ROWS};
use self::map::MapRoom;
use self::scale::moment;
use self::spacetime::{Diagram, HEADER};
use super::picture::number;
use super::{document, heading, script, violated};
use crate::report::RunReport;
use crate::report::names::Names;
use crate::report::verdict::Verdict;
use crate::report::wording::{Counts, facts, grouped, hosts_and_links, plural};
use crate::scenario::Scenario;
use crate::sim::{Outcome, theory, theory_of_apps};
use crate::stats::{Event, Fate, Observer, Settled, StreamLayout};
use crate::time::Instant;

/// Watches a run, and draws its page.
pub struct RunPage {
    names: Names,
    flights: Flights,
    fates: Fates,
    incidents: Incidents,
}

impl Observer for RunPage {
    fn begin(&mut self, streams: &[StreamLayout]) {
        self.flights.begin(streams);
        self.fates.begin(streams);
    }

    fn observe(&mut self, at: Instant, event: &Event<'_>) {
        self.flights.observe(&self.names, at, event);
        self.fates.observe(event);
        self.incidents.observe(at, event);
    }

    fn settled(&mut self, at: Instant, settled: &Settled) {
        self.flights.settled(&self.names, at, settled);
        self.fates.settled(settled);
    }
}

impl RunPage {
    /// For a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        RunPage {
            names: Names::new(scenario),
            flights: Flights::default(),
            fates: Fates::new(scenario.flows.len()),
            incidents: Incidents::default(),
        }
    }

    /// The page, once the run is over. `replay` is the command that repeats the run.
    #[must_use]
    pub fn draw(&self, scenario: &Scenario, outcome: &Outcome, report: &RunReport, replay: &str) -> String {
        let page = |halved| self.page(scenario, (outcome, report), replay, Room { halved });
        let fits = |page: &String| page.len() <= MAX_PAGE_BYTES;
        (0..MAX_HALVED).map(page).find(fits).unwrap_or_else(|| page(MAX_HALVED))
    }

    /// The page with so much of everything.
    fn page(&self, scenario: &Scenario, (outcome, report): (&Outcome, &RunReport), replay: &str, room: Room) -> String {
        let theories = theory(scenario);
        let mut phases = room.of(MAX_PHASE_ROWS);
        let flows = scenario.flows.iter().zip(&outcome.tally.flows).zip(&theories).zip(&self.fates.flows);
        let flows: Vec<Markup> = flows
            .enumerate()
            .map(|(number, (((flow, tally), theory), fates))| {
                let map = map::draw(&flow.name, fates, &self.names, self.map_room(room.of(fates::MAX_MESSAGES), room));
                sections::flow(number, scenario, (flow, tally, *theory), (map.as_ref(), room), &mut phases)
            })
            .collect();
        let apps = scenario.apps.iter().zip(&outcome.apps).zip(theory_of_apps(scenario));
        let arrows = &self.flights.arrows[..room.of(MAX_ARROWS + MAX_ASIDES).min(self.flights.arrows.len())];
        let diagram = Diagram::new(&self.names, (&self.flights, arrows), &self.flights.lanes, &self.incidents);
        let of_run = format!(
            "{}, {}, version {}. This run again: ",
            facts(scenario).join(", "),
            if outcome.driver == crate::sim::Driver::Turmoil { "under turmoil" } else { "in the event core" },
            env!("CARGO_PKG_VERSION")
        );
        let violations = report.expectations().iter().filter(|it| it.result != Verdict::Holds).count();
        let body = html! {
            (heading("run", scenario.name(), scenario.description()))
            main {
                p.runs { (of_run) code { (replay) } }
                (violated(violations, report.expectations().len()))
                @if !scenario.flows.is_empty() { (sections::headline(&outcome.tally.totals(), &outcome.tally.flows)) }
                @for flow in flows { (flow) }
                @for (what, number) in [("flows", scenario.flows.len()), ("apps", scenario.apps.len())] {
                    @if number > fates::MAX_FLOWS {
                        p.limit {
                            "The first " (fates::MAX_FLOWS) " of " (number) " " (what) " are shown (MAX_FLOWS); report.json has all."
                        }
                    }
                }
                @for ((app, tally), theory) in apps.take(fates::MAX_FLOWS) { (sections::app(scenario, app, tally, theory)) }
                @if let Some(diagram) = &diagram { (self.course(scenario, diagram, arrows)) }
                @if !self.incidents.all.is_empty() { (self.faults(scenario, room)) }
                @for counts in hosts_and_links(scenario, outcome) { (table(&counts, room)) }
                (sections::expectations(report.expectations()))
            }
            footer {
                @if room.halved > 0 {
                    p.limit {
                        "A page has at most " (grouped(MAX_PAGE_BYTES as u64)) " bytes (MAX_PAGE_BYTES): this one shows a part of what its other \
                         limits allow, 1 of " (1_u64 << room.halved) "."
                    }
                }
                p { "One message: " code { (replay) " --explain " var { "FLOW:MESSAGE@HOST" } } }
                p { "Scenario " code { (scenario.hash()) } ". The figures, and many more, are in report.json beside this page." }
            }
        };
        document(scenario.name(), replay, SCRIPT, &body)
    }

    /// The names of all pictures that a run of a scenario can have.
    #[must_use]
    pub fn picture_names(scenario: &Scenario) -> Vec<String> {
        let maps = scenario.flows.iter().take(fates::MAX_FLOWS).map(|flow| map_name(&flow.name));
        maps.chain([SPACE_TIME.to_owned()]).collect()
    }

    /// The pictures as files, each with its name.
    #[must_use]
    pub fn figures(&self, scenario: &Scenario) -> Vec<(String, String)> {
        let map_room = self.map_room(MAX_FIGURE_MESSAGES, Room { halved: 0 });
        let mut figures = Vec::new();
        for (flow, fates) in scenario.flows.iter().zip(&self.fates.flows) {
            if let Some(map) = map::draw(&flow.name, fates, &self.names, map_room) {
                figures.push((map_name(&flow.name), map.picture.file()));
            }
        }
        let flights = &self.flights;
        let part = window(&flights.arrows);
        let arrows = &flights.arrows[part.clone()];
        let used = arrows.iter().flat_map(|arrow| [Some(arrow.from), arrow.to]).flatten().collect();
        let lanes = if flights.lanes.len() <= MAX_FIGURE_LANES { &flights.lanes } else { &used };
        if let Some(diagram) = Diagram::new(&self.names, (flights, arrows), lanes, &self.incidents) {
            let is_all = arrows.len() == flights.arrows.len() && flights.has_all();
            let datagrams = |arrows: &[Arrow]| arrows.iter().filter(|arrow| arrow.is_datagram()).count() as u64;
            let shown = datagrams(arrows);
            let which = match datagrams(&flights.arrows[..part.start]) {
                _ if is_all => format!("all {shown} datagrams"),
                0 => format!("the first {shown} datagrams"),
                before => format!("{shown} datagrams, after the first {}", grouped(before)),
            };
            figures.push((SPACE_TIME.to_owned(), diagram.picture(format!("{}: {which}", scenario.name())).file()));
        }
        figures
    }

    /// What a map may have.
    fn map_room(&self, messages: usize, room: Room) -> MapRoom {
        let flows = self.fates.flows.len().max(1);
        let pairs = room.of(MAX_PAIRS).min(room.of(MAX_MAP_ROWS) / flows).max(1);
        MapRoom { messages, pairs, runs: room.of(map::MAX_RUNS) / flows }
    }

    /// The space-time diagram, with what it is filtered by.
    fn course(&self, scenario: &Scenario, diagram: &Diagram<'_>, arrows: &[Arrow]) -> Markup {
        let (width, height) = (number(diagram.width()), number(diagram.height()));
        let cut = &self.flights.arrows[arrows.len()..];
        let has = |fate: &Fate| arrows.iter().any(|arrow| outcome(arrow) == Some(*fate));
        let fates: Vec<Fate> = Fate::ALL.into_iter().filter(has).collect();
        let flows = scenario.flows.iter().map(|flow| (&flow.name, flow.senders.len() > 1));
        let sources = flows.chain(scenario.apps.iter().map(|app| (&app.name, true)));
        let (legend, legend_height) = diagram.legend(0.0);
        html! {
            section aria-labelledby="course" {
                h2 id="course" { "From host to host" }
                p.reading {
                    "Hosts are lines, time goes down; time in which nothing happens is cut short. An arrow is a datagram, and one that is lost \
                     ends in a sign with its fate: just before its recipient's line if it was lost on the last link, else near its sender's."
                }
                div.controls hidden {
                    label {
                        "flow or app "
                        select #by-flow {
                            option value="" { "all" }
                            @for (number, (name, several)) in sources.enumerate() { option value=(number) data-several[several] { (name) } }
                        }
                    }
                    label {
                        "fate of datagrams "
                        select #by-fate { option value="" { "all" } @for fate in &fates { option { (fate.name()) } } }
                    }
                    span.zoom role="group" aria-label="zoom" {
                        button #closer type="button" aria-label="zoom in" { "+" }
                        button #farther type="button" aria-label="zoom out" { "−" }
                        button #whole type="button" aria-label="zoom back to the beginning" { "1:1" }
                    }
                    span.hint { "Scroll or drag to move, + and - or Ctrl and the wheel to zoom; Tab and arrow keys go from one arrow to the next." }
                }
                div.scroll #space tabindex="0" role="region" aria-labelledby="course" {
                    svg.header width=(width) height=(HEADER) viewBox=(format!("0 0 {width} {HEADER}")) aria-hidden="true" { text.now x="6" y="16" {} (diagram.header()) }
                    svg.spacetime width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) role="group" aria-labelledby="course" aria-describedby="course-d" data-gaps=(diagram.gaps()) data-links=(diagram.links()) {
                        desc id="course-d" { (diagram.description()) }
                        (diagram.body())
                    }
                }
                p.paper { "On paper the diagram shows its beginning. The page in a browser has all of it." }
                div.scroll.maps style=(format!("--wide:{width}px")) tabindex="0" role="region" aria-label="what arrows and signs mean" {
                    svg.legend viewBox=(format!("0 0 {width} {}", number(legend_height))) { (legend) }
                }
                @for (is_aside, what, name) in [(false, "arrows of messages, replies and programs", "MAX_ARROWS"), (true, ASIDES, "MAX_ASIDES")] {
                    (not_shown(what, name, arrows.iter().filter(|arrow| arrow.kind.is_aside() == is_aside).count(), self.flights.left_out(is_aside, cut)))
                }
                @if let Some(until) = diagram.faults_until() {
                    p.limit { "Shown are the first " (MAX_INCIDENTS) " faults (MAX_INCIDENTS), until " (moment(until)) "." }
                }
                @if !self.flights.without_lane.is_empty() {
                    p.limit {
                        (plural(self.flights.without_lane.len() as u64, "host")) " without a line, and what they send and get without an \
                         arrow: a diagram has at most " (MAX_LANES) " lines (MAX_LANES)."
                    }
                }
            }
        }
    }

    fn faults(&self, scenario: &Scenario, room: Room) -> Markup {
        let listed = room.of(MAX_INCIDENTS);
        let last = self.incidents.all.iter().map(|incident| incident.at.since(Instant::ZERO)).max().unwrap_or_default();
        let end = if self.incidents.left_out > 0 { last } else { scenario.duration().max(last) };
        let picture = self.incidents.picture(&self.names, &scenario.phases, end);
        html! {
            section aria-labelledby="faults" {
                h2 id="faults" { "Faults" }
                figure.wide { (picture.inline("faults")) }
                div.scroll tabindex="0" role="region" aria-labelledby="faults" { (self.incidents.table(&self.names, listed)) }
                @if self.incidents.sets_again() {
                    p.reading { "Where several values are set for the same thing, the one that was set last counts." }
                }
                @if self.incidents.things(&self.names) > MAX_TIMELINE_ROWS {
                    p.limit { "The picture has the first " (MAX_TIMELINE_ROWS) " rows (MAX_TIMELINE_ROWS)." }
                }
                @if self.incidents.left_out > 0 {
                    p.limit {
                        "The first " (MAX_INCIDENTS) " are drawn (MAX_INCIDENTS), until " (moment(Instant::ZERO + last)) ", and "
                        (grouped(self.incidents.left_out)) " are not."
                    }
                }
                @if self.incidents.all.len() > listed { p.limit { "The first " (listed) " are listed (MAX_INCIDENTS)." } }
            }
        }
    }
}

/// What the picture of the map of a flow is called.
fn map_name(flow: &str) -> String {
    format!("audience-{flow}")
}

/// Which arrows a picture shows: the first ones, or, if those have nothing but deliveries, some before the first other one and those
/// after; if there is room for that, without those of a broadcast of which not all would be there.
fn window(arrows: &[Arrow]) -> Range<usize> {
    let begins = |number: &usize| *number == 0 || arrows[*number].start != arrows[*number - 1].start;
    let is_end = |number: &usize| *number == arrows.len() || begins(number);
    let from = |start: usize| {
        let end = (start + MAX_FIGURE_ARROWS).min(arrows.len());
        start..(start + 1..=end).rev().find(is_end).unwrap_or(end)
    };
    let is_other = |arrow: &Arrow| ending(arrow).is_some() || !arrow.is_datagram();
    let first_other = arrows.iter().position(is_other).unwrap_or(0);
    let start = match first_other < MAX_FIGURE_ARROWS * 3 / 4 {
        true => 0,
        false => (0..=first_other - MAX_FIGURE_ARROWS / 2).rev().find(begins).unwrap_or(0),
    };
    if from(start).contains(&first_other) || arrows.is_empty() {
        return from(start);
    }
    let start =
        (0..=first_other).rev().find(begins).unwrap_or(0).max((first_other + 1).saturating_sub(MAX_FIGURE_ARROWS));
    start..from(start).end.max(first_other + 1)
}

/// What a diagram says of arrows that there was no room for.
fn not_shown(what: &str, name: &str, shown: usize, left_out: LeftOut) -> Markup {
    html! {
        @if let Some(from) = left_out.from {
            p.limit {
                "Shown are the first " (grouped(shown as u64)) " " (what) " (" (name) "), until " (moment(from)) "; "
                (grouped(left_out.number)) " come after that. --trace and --pcap have them all."
            }
        }
    }
}

/// What all hosts did, or all links.
fn table(counts: &Counts<'_>, room: Room) -> Markup {
    let most = room.of(MAX_ROWS);
    let id = format!("{}s", counts.of);
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { @if counts.of == "host" { "Hosts" } @else { "Links" } }
            div.scroll.counts tabindex="0" role="region" aria-labelledby=(id) {
                table {
                    thead { tr { th scope="col" { (counts.of) } @for column in counts.columns { th scope="col" { (column) } } } }
                    tbody {
                        @for (name, counts) in counts.rows.iter().take(most) {
                            tr { th scope="row" { (name) } @for count in counts { td { (grouped(*count)) } } }
                        }
                    }
                }
            }
            @if counts.rows.len() > most {
                p.limit { "The first " (grouped(most as u64)) " of " (grouped(counts.rows.len() as u64)) " are listed (MAX_ROWS)." }
            }
        }
    }
}

/// How much of its lists a page shows.
#[derive(Clone, Copy)]
struct Room {
    /// How often the limits are halved, so that the page has not too many bytes.
    halved: u32,
}

impl Room {
    fn of(self, most: usize) -> usize {
        most >> self.halved
    }
}

/// The most bytes of a page (a choice): what has more is slow to open.
const MAX_PAGE_BYTES: usize = 1_500_000;
/// How often limits are halved at most (a choice): what a page has whatever it shows is far below its limit.
const MAX_HALVED: u32 = 6;
const ASIDES: &str = "arrows of packets of the name service, and of broadcasts at hosts that are not addressed";
/// The most hosts or links that a page lists (a choice).
const MAX_ROWS: usize = 500;
/// The most phases that a page lists, those of all flows together (a choice).
const MAX_PHASE_ROWS: usize = 300;
/// The most arrows of a picture that is a file (a choice).
const MAX_FIGURE_ARROWS: usize = 150;
/// The most lines of such a picture that hosts have which no arrow comes to (a choice).
const MAX_FIGURE_LANES: usize = 16;
/// The most columns of a map that is a file (a choice).
const MAX_FIGURE_MESSAGES: usize = 300;

/// What the picture of the diagram is called.
const SPACE_TIME: &str = "space-time";

const SCRIPT: &str = script!("script.js");
