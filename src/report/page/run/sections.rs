//! The parts of a page that say in numbers what a run came to.

use maud::{Markup, html};

use super::Room;
use super::map::{self, Map};
use crate::report::page::bars::{bar, class};
use crate::report::page::percent;
use crate::report::page::picture::clipped;
use crate::report::verdict::{ExpectationReport, Verdict};
use crate::report::wording::{app_figures, audience, figures, grouped, notes, phase_rows, plural, senders, six_digits};
use crate::scenario::{App, Flow, Scenario};
use crate::sim::{AppTheory, Theory};
use crate::stats::{BrowserTally, Fate, FlowTally, Proportion};

/// Belief and truth of all flows, side by side.
pub(super) fn headline(totals: &FlowTally, flows: &[FlowTally]) -> Markup {
    let written = Proportion { k: totals.succeeded, n: totals.writes };
    let delivered = totals.delivery_ratio();
    let of_several = flows.iter().filter(|flow| flow.audience_size > 1).map(FlowTally::all_ratio);
    let all = of_several.fold(Proportion::default(), |sum, flow| Proportion { k: sum.k + flow.k, n: sum.n + flow.n });
    let mut lost: Vec<(u64, Fate)> = Fate::ALL.map(|fate| (totals.fate(fate), fate)).to_vec();
    lost.retain(|(count, fate)| *count > 0 && *fate != Fate::Delivered);
    lost.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    html! {
        div.cards {
            section.card {
                h2 { "What the senders saw" }
                p.big { (share_of(written)) }
                p { (counts(written)) " writes succeeded" }
                @for (code, count) in &totals.failed { p { (grouped(*count)) " failed with error " (code) } }
                p { (grouped(totals.acknowledgements)) " acknowledgements" }
            }
            section.card.truth {
                h2 { "What happened" }
                p.big { (share_of(delivered)) }
                p { (counts(delivered)) " deliveries" }
                @if all.n > 0 { p { (share_of(all)) " of broadcasts reached everybody: " (counts(all)) } }
            }
            @if !lost.is_empty() {
                section.card {
                    h2 { "What became of the rest" }
                    @for (count, fate) in &lost { p { (grouped(*count)) " " code { (fate.name()) } } }
                }
            }
        }
    }
}

/// All about a flow.
pub(super) fn flow(
    number: usize,
    scenario: &Scenario,
    (flow, tally, theory): (&Flow, &FlowTally, Theory),
    (map, room): (Option<&Map>, Room),
    most_phases: &mut usize,
) -> Markup {
    let id = format!("f{number}");
    let fates: Vec<(Fate, u64)> =
        Fate::ALL.map(|fate| (fate, tally.fate(fate))).into_iter().filter(|(_, count)| *count > 0).collect();
    let reached = [tally.all, tally.some, tally.none];
    let mut phases = phase_rows(&scenario.phases, tally);
    let of_phases = phases.len();
    phases.truncate(*most_phases);
    *most_phases -= phases.len();
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { bdi { (flow.name) } }
            p.way { bdi { (senders(scenario, flow)) } " → " bdi { code { (clipped(&flow.to, MAX_TEXT)) } } }
            div.columns {
                div {
                    h3 { "What the sender saw" }
                    dl {
                        (pair("messages", &grouped(tally.messages)))
                        (pair("writes", &grouped(tally.writes)))
                        (pair("succeeded", &grouped(tally.succeeded)))
                        (pair("failed", &grouped(tally.failed.values().sum())))
                        @for (code, count) in &tally.failed { (pair(&format!("with error {code}"), &grouped(*count))) }
                        (pair("acknowledgements", &grouped(tally.acknowledgements)))
                        @if tally.not_made > 0 { (pair("not made", &grouped(tally.not_made))) }
                        @if let Some((ack, given_up)) = tally.ack.zip(tally.given_up()) {
                            (pair("confirmed", &grouped(ack.confirmed)))
                            (pair("given up", &grouped(given_up)))
                        }
                        @if let Some(belief) = tally.belief_ratio() {
                            (pair("believed delivered", &measured(belief, theory.belief_ratio)))
                        }
                    }
                }
                div.happened {
                    h3 { "What happened" }
                    @if tally.addressed > 0 {
                        (bar(fates.iter().map(|(fate, count)| (class(*fate), fate.name(), *count)).collect()))
                        @if tally.audience_size > 1 {
                            (bar((0..3).map(|part| (format!("a{part}"), REACHED[part], reached[part])).collect()))
                        }
                    }
                    dl {
                        (pair("addressed", &format!("{}, {}", grouped(tally.addressed), audience(tally))))
                        (pair("delivered", &measured(tally.delivery_ratio(), theory.delivery_ratio)))
                        @for (fate, count) in fates.iter().filter(|(fate, _)| *fate != Fate::Delivered) {
                            (pair(fate.name(), &of(Proportion { k: *count, n: tally.addressed })))
                        }
                        @if tally.audience_size > 1 { (pair("all got it", &measured(tally.all_ratio(), theory.all_ratio))) }
                        @for (label, figures) in figures(tally, theory) { (pair(label, &figures)) }
                    }
                }
            }
            @for note in notes(scenario, flow, tally) { p.reading { (note) "." } }
            @if let Some(map) = map {
                figure.wide {
                    figcaption id=(format!("{id}-map")) { "What became of each message at each recipient" }
                    div.scroll.maps style=(format!("--wide:{}px", map.picture.width)) { (map.picture.inline(&format!("{id}-map"))) }
                }
                @if let Some(limit) = map::limits(map, room) { p.limit { (limit) } }
            }
            @if phases.len() < of_phases {
                p.limit { (phases.len()) " of " (of_phases) " phases are listed: a page has at most " (room.of(super::MAX_PHASE_ROWS)) " (MAX_PHASE_ROWS)." }
            }
            @if !phases.is_empty() {
                h3 id=(format!("{id}-phases")) { "By phase" }
                div.scroll tabindex="0" role="region" aria-labelledby=(format!("{id}-phases")) {
                    table {
                        thead { tr { @for title in ["phase", "from, to", "messages", "delivered", "share", "others"] { th scope="col" { (title) } } } }
                        tbody {
                            @for [name, span, messages, delivered, share, others] in &phases {
                                tr {
                                    th scope="row" { bdi { (name) } }
                                    @for cell in [span, messages, delivered, share] { td { (cell.trim()) } }
                                    td.words { (others) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// All about an app.
pub(super) fn app(scenario: &Scenario, app: &App, tally: &BrowserTally, theory: AppTheory) -> Markup {
    let id = format!("app-{}", app.name);
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { bdi { (app.name) } }
            p.way { (app.kind.name()) " on " (plural(app.hosts.len() as u64, "host")) }
            dl { @for (label, figures) in app_figures(scenario, tally, theory) { (pair(label.trim(), &figures)) } }
        }
    }
}

/// What was expected, and whether it is so.
pub(super) fn expectations(expectations: &[ExpectationReport]) -> Markup {
    html! {
        @if !expectations.is_empty() {
            section aria-labelledby="expected" {
                h2 id="expected" { "Expectations" }
                ul.expected {
                    @for expectation in expectations.iter().take(MAX_EXPECTATIONS) {
                        @let [of, metric, bound] = expectation.words();
                        li class=(if expectation.result == Verdict::Holds { "holds" } else { "violated" }) {
                            strong { (expectation.result.name()) } " "
                            bdi { (of) } " " (metric) " " (bound) ": "
                            @match expectation.value { Some(value) => { "it is " (six_digits(value)) } None => { "it has no value" } }
                        }
                    }
                }
                @if expectations.len() > MAX_EXPECTATIONS {
                    p.limit { "The first " (MAX_EXPECTATIONS) " of " (expectations.len()) " are listed (MAX_EXPECTATIONS)." }
                }
            }
        }
    }
}

fn pair(label: &str, value: &str) -> Markup {
    html! { div { dt { (label) } dd { bdi { (clipped(value, MAX_TEXT)) } } } }
}

/// A share with its interval, and what the closed form says.
fn measured(ratio: Proportion, theory: Option<f64>) -> String {
    let interval = ratio.wilson95().map(|(low, high)| format!(" [{:.2}, {:.2}]", low * 100.0, high * 100.0));
    let theory = theory.filter(|_| ratio.n > 0).map(|theory| format!(", in theory {}", percent(theory)));
    format!("{}{}{}", of(ratio), interval.unwrap_or_default(), theory.unwrap_or_default())
}

fn of(ratio: Proportion) -> String {
    let share = ratio.value().map_or(String::new(), |share| format!(", {}", percent(share)));
    counts(ratio) + &share
}

fn counts(ratio: Proportion) -> String {
    format!("{} of {}", grouped(ratio.k), grouped(ratio.n))
}

fn share_of(ratio: Proportion) -> String {
    ratio.value().map_or("–".to_owned(), percent)
}

const REACHED: [&str; 3] = ["reached all", "reached some", "reached nobody"];
/// The most expectations that a page lists (a choice).
const MAX_EXPECTATIONS: usize = 200;
/// The longest text that is shown: of what a flow writes to, or of masters.
const MAX_TEXT: usize = 1_000;
