//! Phases: whose messages they count, and how that goes together with the whole. That each figure of a phase is the right
//! one is held against the whole history in `fates`.

mod support;

use mailslot_sim::report::RunReport;
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::stats::{Fate, FlowTally, Metric, Proportion, Subject};
use proptest::prelude::*;
use serde_json::Value;
use support::{Pair, report, scenario};

/// A pair whose flow is followed by phases from one border, in milliseconds, to the next: p0, p1 and so on.
fn pair(pair: &Pair<'_>, borders: &[u64]) -> Scenario {
    let phase = |(number, two): (usize, &[u64])| {
        format!("[[phase]]\nname = \"p{number}\"\nfrom = \"{} ms\"\nto = \"{} ms\"\n", two[0], two[1])
    };
    let phases: String = borders.windows(2).enumerate().map(phase).collect();
    Pair { traffic: &format!("{}\n{phases}", pair.traffic), ..*pair }.scenario()
}

fn figure(report: &Value, phase: &str, path: &str) -> u64 {
    let figures = &report["flows"][0]["phases"][phase];
    path.split('.').fold(figures, |value, key| &value[key]).as_u64().unwrap_or(0)
}

#[test]
fn a_phase_begins_at_its_first_moment_and_ends_before_its_last() {
    let flow = Pair { top: "duration = \"10 s\"", traffic: "every = \"1 s\"", ..Pair::default() };
    let report = report(&pair(&flow, &[2_000, 5_000, 5_001]), 0);
    assert_eq!(figure(&report, "p0", "sender.messages"), 3, "at 2, 3 and 4 s");
    assert_eq!(figure(&report, "p1", "sender.messages"), 1, "at 5 s");
}

/// A message belongs to the phase of its first write, whenever it is written again, arrives, or its write returns.
#[test]
fn what_comes_later_belongs_to_the_phase_of_the_first_write() {
    let copies = Pair {
        top: "duration = \"10 s\"",
        down: "delay = \"3 s\"",
        traffic: "at = [\"1900 ms\", \"2 s\"]\ncopies = 3\nspacing = \"2 s\"",
        ..Pair::default()
    };
    let report_of_copies = report(&pair(&copies, &[0, 2_000, 10_000]), 0);
    for phase in ["p0", "p1"] {
        for (path, expected) in
            [("sender.messages", 1), ("sender.writes", 3), ("fates.delivered", 1), ("duplicates", 2)]
        {
            assert_eq!(figure(&report_of_copies, phase, path), expected, "{path} in {phase}");
        }
    }
    // Nobody answers, so each write fails 750 ms after it was called for.
    let lookup = Pair {
        top: "duration = \"10 s\"\nname_service = \"broadcast\"",
        up: "loss = \"100 %\"",
        traffic: "at = [\"1900 ms\", \"2 s\"]",
        ..Pair::default()
    };
    let report = report(&pair(&lookup, &[0, 2_000, 10_000]), 0);
    assert_eq!(["p0", "p1"].map(|phase| figure(&report, phase, "sender.failed.53")), [1, 1]);
}

/// An answer belongs to the phase of what it answers.
#[test]
fn acknowledgements_are_those_of_the_messages_of_the_phase() {
    let damaged = Pair {
        top: "duration = \"100 s\"",
        down: "corrupt = \"100 %\"\nudp_checksum = false\ndelay = \"30 s\"",
        receiver: "datagram_errors = true",
        traffic: "every = \"100 ms\"\nstop = \"40 s\"",
        ..Pair::default()
    };
    let report = report(&pair(&damaged, &[0, 40_000, 100_000]), 0);
    let answered = report["flows"][0]["sender"]["acknowledgements"].as_u64().unwrap();
    assert!(answered > 10, "{answered}");
    assert_eq!(["p0", "p1"].map(|phase| figure(&report, phase, "sender.acknowledgements")), [answered, 0]);
}

/// A loss period that crosses a border is one of the whole, and one of each phase.
#[test]
fn loss_periods_of_a_phase_are_made_of_its_messages() {
    let flow =
        Pair { top: "duration = \"10 s\"", down: "loss = \"100 %\"", traffic: "every = \"1 s\"", ..Pair::default() };
    let report = report(&pair(&flow, &[1_000, 3_000, 8_000]), 0);
    assert_eq!(report["flows"][0]["loss_period"]["max"], 10);
    let period = |phase| ["count", "max"].map(|key| figure(&report, phase, &format!("loss_period.{key}")));
    assert_eq!([period("p0"), period("p1")], [[1, 2], [1, 5]]);
}

/// Phases stand in the report in the order of time, with the figures of a flow or of the totals, and nothing below.
#[test]
fn the_report_has_the_figures_of_each_phase() {
    let text = r#"
        schema = 1
        name = "report"
        duration = "9 s"
        [segment.s]
        [[host]]
        name = "A"
        segment = "s"
        [[mailslot]]
        on = "A"
        name = "t"
        [[traffic]]
        name = "one"
        from = "A"
        to = '\\.\mailslot\t'
        every = "1 s"
        [[traffic]]
        name = "two"
        from = "A"
        to = '\\.\mailslot\t'
        every = "2 s"
        [[phase]]
        name = "z"
        from = "3 s"
        to = "6 s"
        [[phase]]
        name = "y"
        from = "6 s"
        to = "9 s"
        [[phase]]
        name = "x"
        from = "0 s"
        to = "3 s"
        [[expect]]
        metric = "sender.messages"
        phase = "z"
        equals = 4
        [[expect]]
        of = "two"
        metric = "audience.addressed"
        phase = "x"
        equals = 2
    "#;
    let scenario = scenario(text);
    let outcome = sim::run(&scenario, 0, &mut ()).unwrap();
    let json = RunReport::new(&scenario, 0, &outcome).to_json();
    let places = ["x", "z", "y"].map(|name| json.find(&format!("\"{name}\": {{")).unwrap());
    assert!(places.is_sorted(), "in the order of time");
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["totals"]["phases"]["z"]["sender"]["messages"], 4, "at 3, 4 and 5 s, and at 4 s");
    let names = |figures: &Value| figures.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let without = |figures: &Value, left_out: &[&str]| {
        names(figures).into_iter().filter(|name| !left_out.contains(&name.as_str())).collect::<Vec<_>>()
    };
    let flow = &report["flows"][0];
    assert_eq!(names(&flow["phases"]["x"]), without(flow, &["name", "to", "theory", "phases"]));
    assert_eq!(names(&report["totals"]["phases"]["x"]), without(&report["totals"], &["phases"]));
    for expectation in report["expectations"].as_array().unwrap() {
        assert_eq!(expectation["result"], "holds", "{expectation}");
        assert!(expectation["phase"].is_string());
    }
    // What an expectation sees of a phase is what stands there.
    for path in Metric::paths(Subject::Flow) {
        let metric = Metric::parse(&path, Subject::Flow).unwrap();
        let mut value = path.split('.').fold(&flow["phases"]["z"], |value, key| &value[key]);
        value = value.get("value").unwrap_or(value);
        let left_out = path.starts_with("fates.") && value.is_null();
        let expected = if left_out { Some(0.0) } else { value.as_f64() };
        assert_eq!(metric.value(&outcome.tally.flows[0].phases[1]), expected, "{path}");
    }
}

/// What can be added up.
fn counters(tally: &FlowTally) -> Vec<u64> {
    let mut counters: Vec<u64> = Fate::ALL.iter().map(|fate| tally.fate(*fate)).collect();
    let Proportion { k, n } = tally.all_ratio();
    counters.extend([
        tally.messages,
        tally.writes,
        tally.succeeded,
        tally.failed.values().sum(),
        tally.addressed,
        k,
        n,
    ]);
    counters.extend([tally.duplicates, tally.damaged, tally.misdelivered, tally.acknowledgements, tally.reordered]);
    counters.extend([tally.some, tally.none, tally.loss_periods.messages, tally.delays.n()]);
    counters
}

fn sum<'a>(tallies: impl IntoIterator<Item = &'a FlowTally>) -> Vec<u64> {
    let add = |sum: Vec<u64>, more: Vec<u64>| sum.iter().zip(more).map(|(sum, more)| sum + more).collect();
    tallies.into_iter().map(counters).reduce(add).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Phases that fill the whole time add up to the whole, greatest values are the greatest of the phases, and phases change
    /// nothing else.
    #[test]
    fn phases_add_up_to_the_whole(
        borders in prop::collection::btree_set(1..9_999_u64, 1..6),
        seed in any::<u64>(),
    ) {
        let flow = Pair {
            top: "duration = \"10 s\"\ndrain = \"1 s\"",
            up: "loss = { mean = \"30 %\", burst = 3 }\nduplicate = \"10 %\"\ncorrupt = \"5 %\"\nudp_checksum = false",
            down: "delay = { distribution = \"uniform\", min = \"0 s\", max = \"2 s\" }",
            receiver: "datagram_errors = true",
            traffic: "poisson = \"20 /s\"\ncopies = 2\nspacing = \"1300 ms\"\nsize = { uniform = [\"20 B\", \"430 B\"] }",
            ..Pair::default()
        };
        let borders: Vec<u64> = [0].into_iter().chain(borders).chain([10_000]).collect();
        let run = |scenario: Scenario| sim::run(&scenario.with_seed(seed), 0, &mut ()).unwrap();
        let whole = &run(pair(&flow, &borders)).tally.flows[0];
        prop_assert_eq!(sum(&whole.phases), counters(whole));
        prop_assert_eq!(whole.phases.iter().map(|phase| phase.reorder_extent).max(), Some(whole.reorder_extent));
        prop_assert_eq!(whole.phases.iter().map(|phase| phase.audience_size).max(), Some(whole.audience_size));
        prop_assert!(whole.phases.iter().all(|phase| phase.loss_periods.max <= whole.loss_periods.max));
        prop_assert_eq!(counters(&run(flow.scenario()).tally.flows[0]), counters(whole));
    }
}
