//! The head of a page: what the senders saw beside what happened; and its end, what was expected.

use maud::{Markup, html};

use super::data::{Point, Totals};
use crate::report::page::{percent, violated};
use crate::report::study::PointSummary;
use crate::report::suite::shell_word;
use crate::report::verdict::Verdict;
use crate::report::wording::grouped;
use crate::stats::Proportion;

/// Sums over points.
#[derive(Default)]
pub(super) struct Sums {
    points: usize,
    runs: u64,
    totals: Totals,
    /// Messages that reached all of several recipients, of those that had them.
    all: Proportion,
    /// The worst and the best point, by the share that was delivered.
    ends: Option<[(f64, String); 2]>,
    /// What apps are about: its name and the events of it.
    of_apps: Option<(&'static str, Proportion)>,
}

impl Sums {
    pub(super) fn add(&mut self, id: &str, point: &Point) {
        self.points += 1;
        self.runs += u64::from(point.replications);
        let (all, one) = (&mut self.totals, point.totals);
        all.writes += one.writes;
        all.succeeded += one.succeeded;
        all.acknowledgements += one.acknowledgements;
        add(&mut all.delivered, one.delivered);
        for entry in &point.entries {
            if let Some(whole) = entry.all.and_then(|figure| figure.whole) {
                add(&mut self.all, whole);
            }
            if let Some(whole) = entry.main.whole.filter(|_| entry.main.metric != DELIVERED) {
                add(&mut self.of_apps.get_or_insert((entry.main.metric, Proportion::default())).1, whole);
            }
        }
        if let Some(share) = one.delivered.value() {
            let [worst, best] = self.ends.get_or_insert_with(|| [(share, id.to_owned()), (share, id.to_owned())]);
            if share < worst.0 {
                *worst = (share, id.to_owned());
            }
            if share > best.0 {
                *best = (share, id.to_owned());
            }
        }
    }

    /// Belief and truth, side by side.
    pub(super) fn draw(&self, of: usize) -> Markup {
        let Totals { writes, succeeded, acknowledgements, delivered } = self.totals;
        let counts = |it: Proportion| format!("{} of {}", grouped(it.k), grouped(it.n));
        let written = Proportion { k: succeeded, n: writes };
        html! {
            p.runs { (grouped(self.runs)) " runs of " (self.points) " points" @if self.points < of { ", of " (of) " that the study has" } "." }
            div.cards {
                @if let (Some(saw), Some(was)) = (written.value(), delivered.value()) {
                    section.card {
                        h2 { "What the senders saw" }
                        p.big { (percent(saw)) }
                        p { (counts(written)) " writes succeeded" }
                        p { (grouped(acknowledgements)) " acknowledgements" }
                    }
                    section.card.truth {
                        h2 { "What happened, over all points" }
                        p.big { (percent(was)) }
                        p { (counts(delivered)) " deliveries" }
                        @if let Some(all) = self.all.value() {
                            p { (percent(all)) " of broadcasts reached everybody: " (counts(self.all)) }
                        }
                    }
                    @if let Some([worst, best]) = &self.ends {
                        section.card {
                            h2 { "From point to point" }
                            p { "worst " strong { (percent(worst.0)) } " delivered: " bdi { code { (worst.1) } } }
                            p { "best " strong { (percent(best.0)) } " delivered: " bdi { code { (best.1) } } }
                        }
                    }
                }
                @if let Some((metric, whole)) = self.of_apps {
                    section.card {
                        h2 { (metric) }
                        @if let Some(share) = whole.value() { p.big { (percent(share)) } }
                        p { (counts(whole)) ", over all points" }
                    }
                }
            }
        }
    }
}

/// How many expectations are violated, where some are.
pub(super) fn violations(points: &[PointSummary]) -> Markup {
    let all = || points.iter().flat_map(|point| &point.expectations);
    violated(all().filter(|judgement| judgement.result == Verdict::Violated).count(), all().count())
}

/// The expectations that do not hold, each with the command that shows the replication farthest beyond the bound.
pub(super) fn expectations(points: &[PointSummary], replay: &str) -> Markup {
    let all = || points.iter().flat_map(|point| point.expectations.iter().map(move |judgement| (point, judgement)));
    let [hold, violated, open] = [Verdict::Holds, Verdict::Violated, Verdict::Inconclusive]
        .map(|verdict| all().filter(|(_, judgement)| judgement.result == verdict).count());
    html! {
        @if hold + violated + open > 0 {
            section aria-labelledby="expected" {
                h2 id="expected" { "Expectations" }
                p { (hold) " hold, " (violated) " violated, " (open) " inconclusive" }
                ul {
                    @for (point, judgement) in all().filter(|(_, it)| it.result != Verdict::Holds).take(MAX_EXPECTATIONS) {
                        li {
                            strong { (judgement.result.name()) } " "
                            bdi { code { (point.point) } } ": " bdi { (judgement.what) } ": " (judgement.found())
                            @if let Some(worst) = judgement.worst {
                                br;
                                code { (replay) " --point " (shell_word(&point.point)) " --replication " (worst) }
                            }
                        }
                    }
                }
                @if violated + open > MAX_EXPECTATIONS {
                    p.limit { "The first " (MAX_EXPECTATIONS) " of these are listed (MAX_EXPECTATIONS)." }
                }
            }
        }
    }
}

fn add(sum: &mut Proportion, one: Proportion) {
    sum.k += one.k;
    sum.n += one.n;
}

const DELIVERED: &str = "delivery_ratio";
/// The most expectations that a page lists (a choice).
const MAX_EXPECTATIONS: usize = 50;
