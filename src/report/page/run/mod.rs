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

use maud::{Markup, html};

use self::fates::Fates;
use self::flights::{Arrow, Flights, LeftOut, MAX_ARROWS, MAX_ASIDES, MAX_LANES};
use self::incidents::{Incidents, MAX_INCIDENTS, MAX_TIMELINE_ROWS};
use self::scale::moment;
use self::spacetime::{Diagram, HEADER};
use super::picture::number;
use super::{document, heading, script};
use crate::report::RunReport;
use crate::report::names::Names;
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

    fn settled(&mut self, _: Instant, settled: &Settled) {
        self.fates.settled(settled);
    }
}

impl RunPage {
    /// For a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let (fates, incidents) = (Fates::default(), Incidents::default());
        RunPage { names: Names::new(scenario), flights: Flights::default(), fates, incidents }
    }

    /// The page, once the run is over. `replay` is the command that repeats the run.
    #[must_use]
    pub fn draw(&self, scenario: &Scenario, outcome: &Outcome, report: &RunReport, replay: &str) -> String {
        let budget = self.map_budget();
        let theories = theory(scenario);
        let mut phases = MAX_PHASE_ROWS;
        let flows = scenario.flows.iter().zip(&outcome.tally.flows).zip(&theories).zip(&self.fates.flows);
        let flows: Vec<Markup> = flows
            .enumerate()
            .map(|(number, (((flow, tally), theory), fates))| {
                let map = map::draw(&flow.name, fates, &self.names, fates::MAX_MESSAGES, budget);
                sections::flow(number, scenario, (flow, tally, *theory), map.as_ref(), &mut phases)
            })
            .collect();
        let apps = scenario.apps.iter().zip(&outcome.apps).zip(theory_of_apps(scenario));
        let diagram = Diagram::new(&self.names, &self.flights.arrows, &self.flights.lanes, &self.incidents);
        let of_run = format!(
            "{}, {}, version {}",
            facts(scenario).join(", "),
            if outcome.driver == crate::sim::Driver::Turmoil { "under turmoil" } else { "in the event core" },
            env!("CARGO_PKG_VERSION")
        );
        let body = html! {
            (heading("run", scenario.name(), scenario.description()))
            main {
                p.runs { (of_run) "." }
                (sections::violated(report.expectations()))
                @if !scenario.flows.is_empty() { (sections::headline(&outcome.tally.totals())) }
                @for flow in flows { (flow) }
                @for (what, number) in [("flows", scenario.flows.len()), ("apps", scenario.apps.len())] {
                    @if number > fates::MAX_FLOWS {
                        p.limit {
                            "The first " (fates::MAX_FLOWS) " of " (number) " " (what) " are shown (MAX_FLOWS); report.json has all."
                        }
                    }
                }
                @for ((app, tally), theory) in apps.take(fates::MAX_FLOWS) { (sections::app(scenario, app, tally, theory)) }
                @if let Some(diagram) = &diagram { (self.course(scenario, diagram)) }
                @if !self.incidents.all.is_empty() { (self.faults(scenario)) }
                @for counts in hosts_and_links(scenario, outcome) { (table(&counts)) }
                (sections::expectations(report.expectations()))
            }
            footer {
                p { "This run again: " code { (replay) } }
                p { "One message: " code { (replay) " --explain " var { "FLOW:MESSAGE@HOST" } } }
                p { "Scenario " code { (scenario.hash()) } ". The figures, and many more, are in report.json beside this page." }
            }
        };
        document(scenario.name(), replay, SCRIPT, &body)
    }

    /// The pictures as files, each with its name.
    #[must_use]
    pub fn figures(&self, scenario: &Scenario) -> Vec<(String, String)> {
        let budget = self.map_budget();
        let mut figures = Vec::new();
        for (flow, fates) in scenario.flows.iter().zip(&self.fates.flows) {
            if let Some(map) = map::draw(&flow.name, fates, &self.names, MAX_FIGURE_MESSAGES, budget) {
                figures.push((format!("audience-{}", flow.name), map.picture.file()));
            }
        }
        let arrows = beginning(&self.flights.arrows);
        let used = arrows.iter().flat_map(|arrow| [Some(arrow.from), arrow.to]).flatten().collect();
        let lanes = if self.flights.lanes.len() <= MAX_FIGURE_LANES { &self.flights.lanes } else { &used };
        if let Some(diagram) = Diagram::new(&self.names, arrows, lanes, &self.incidents) {
            let is_all = arrows.len() == self.flights.arrows.len() && self.flights.left_out.from.is_none();
            let which = if is_all { "all" } else { "the first" };
            let title = format!("{}: {which} {} datagrams", scenario.name(), arrows.len());
            figures.push(("space-time".to_owned(), diagram.picture(title).file()));
        }
        figures
    }

    /// How many runs of equal cells each map may have.
    fn map_budget(&self) -> usize {
        map::MAX_RUNS / self.fates.flows.len().max(1)
    }

    /// The space-time diagram, with what it is filtered by.
    fn course(&self, scenario: &Scenario, diagram: &Diagram<'_>) -> Markup {
        let (width, height) = (number(diagram.width()), number(diagram.height()));
        let fates: Vec<Fate> = Fate::ALL
            .into_iter()
            .filter(|fate| self.flights.arrows.iter().any(|arrow| arrow.fate == Some(*fate)))
            .collect();
        let names = scenario.flows.iter().map(|flow| &flow.name).chain(scenario.apps.iter().map(|app| &app.name));
        let (legend, legend_height) = diagram.legend(0.0);
        html! {
            section aria-labelledby="course" {
                h2 id="course" { "From host to host" }
                p.reading {
                    "Hosts are lines, time goes down; time in which nothing happens is cut short. An arrow is a datagram, and one that is lost \
                     ends in a sign with its fate: just before its recipient's line if it was lost on the last link, else near its sender's."
                }
                div.controls {
                    label {
                        "flow or app "
                        select #by-flow { option value="" { "all" } @for name in names { option { (name) } } }
                    }
                    label {
                        "fate "
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
                    svg.header width=(width) height=(HEADER) aria-hidden="true" { text.now x="6" y="16" {} (diagram.header()) }
                    svg.spacetime width=(width) height=(height) role="group" aria-labelledby="course" aria-describedby="course-d" data-gaps=(diagram.gaps()) {
                        desc id="course-d" { (diagram.description()) }
                        (diagram.body())
                    }
                }
                svg.legend width=(width) height=(number(legend_height)) aria-hidden="true" { (legend) }
                (not_shown("datagrams", MAX_ARROWS, "MAX_ARROWS", self.flights.left_out))
                (not_shown("packets of the name service, and of broadcasts at hosts that are not addressed", MAX_ASIDES, "MAX_ASIDES", self.flights.asides_left_out))
                @if !self.flights.without_lane.is_empty() {
                    p.limit {
                        (plural(self.flights.without_lane.len() as u64, "host")) " without a line, and what they send and get without an \
                         arrow: a diagram has at most " (MAX_LANES) " lines (MAX_LANES)."
                    }
                }
            }
        }
    }

    fn faults(&self, scenario: &Scenario) -> Markup {
        let last = self.incidents.all.iter().map(|incident| incident.at.since(Instant::ZERO)).max().unwrap_or_default();
        let end = if self.incidents.left_out > 0 { last } else { scenario.duration().max(last) };
        let picture = self.incidents.picture(&self.names, &scenario.phases, end);
        html! {
            section aria-labelledby="faults" {
                h2 id="faults" { "Faults" }
                figure.wide { (picture.inline("faults")) }
                div.scroll tabindex="0" role="region" aria-labelledby="faults" { (self.incidents.table(&self.names)) }
                @if self.incidents.things(&self.names) > MAX_TIMELINE_ROWS {
                    p.limit { "The picture has the first " (MAX_TIMELINE_ROWS) " rows (MAX_TIMELINE_ROWS)." }
                }
                @if self.incidents.left_out > 0 {
                    p.limit {
                        "The first " (MAX_INCIDENTS) " are listed (MAX_INCIDENTS), and " (grouped(self.incidents.left_out)) " are not."
                    }
                }
            }
        }
    }
}

/// The first arrows, without those of a broadcast of which not all would be there.
fn beginning(arrows: &[Arrow]) -> &[Arrow] {
    let Some(next) = arrows.get(MAX_FIGURE_ARROWS) else { return arrows };
    let whole = arrows[..MAX_FIGURE_ARROWS].iter().rposition(|arrow| arrow.start != next.start);
    &arrows[..whole.map_or(MAX_FIGURE_ARROWS, |last| last + 1)]
}

/// What a diagram says of arrows that there was no room for.
fn not_shown(what: &str, most: usize, name: &str, left_out: LeftOut) -> Markup {
    html! {
        @if let Some(from) = left_out.from {
            p.limit {
                "Shown are the first " (grouped(most as u64)) " " (what) " (" (name) "), until " (moment(from)) "; "
                (grouped(left_out.number)) " come after that. --trace and --pcap have them all."
            }
        }
    }
}

/// What all hosts did, or all links.
fn table(counts: &Counts<'_>) -> Markup {
    let id = format!("{}s", counts.of);
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { @if counts.of == "host" { "Hosts" } @else { "Links" } }
            div.scroll.counts tabindex="0" role="region" aria-labelledby=(id) {
                table {
                    thead { tr { th scope="col" { (counts.of) } @for column in counts.columns { th scope="col" { (column) } } } }
                    tbody {
                        @for (name, counts) in counts.rows.iter().take(MAX_ROWS) {
                            tr { th scope="row" { (name) } @for count in counts { td { (grouped(*count)) } } }
                        }
                    }
                }
            }
            @if counts.rows.len() > MAX_ROWS {
                p.limit { "The first " (grouped(MAX_ROWS as u64)) " of " (grouped(counts.rows.len() as u64)) " are listed (MAX_ROWS)." }
            }
        }
    }
}

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

const SCRIPT: &str = script!("script.js");
