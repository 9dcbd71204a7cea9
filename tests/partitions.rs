//! Partitions on the timeline: what is cut, what is not, and what happens to what is on its way.

mod support;

use serde_json::Value;
use support::{report, scenario, trace, try_scenario};

/// H1 to H3 on `s`, and H4 behind a router on `t`; every link takes 10 ms. H1 writes to the domain and to H4 every 100 ms,
/// H4 writes to H1.
fn network(events: &str) -> String {
    format!(
        r#"
schema = 1
name = "partitions"
duration = "1 s"
[link.l]
delay = "10 ms"
[segment.s]
link = "l"
[segment.t]
link = "l"
[[router]]
name = "R"
joins = ["s", "t"]
link = "l"
[[host]]
name = "H{{1..3}}"
domain = "DOM"
segment = "s"
[[host]]
name = "H4"
domain = "OTHER"
segment = "t"
[[mailslot]]
on = "H{{1..4}}"
name = "t"
[[traffic]]
name = "all"
from = "H1"
to = '\\DOM\mailslot\t'
every = "100 ms"
[[traffic]]
name = "there"
from = "H1"
to = '\\H4\mailslot\t'
every = "100 ms"
[[traffic]]
name = "back"
from = "H4"
to = '\\H1\mailslot\t'
every = "100 ms"
{events}
"#
    )
}

/// How many messages of each flow were delivered, and how many a partition took.
fn outcome(events: &str) -> [(u64, u64); 3] {
    let report = report(&scenario(&network(events)), 0);
    [0, 1, 2].map(|flow| {
        let fates = &report["flows"][flow]["fates"];
        let count = |fate: &str| fates.get(fate).and_then(Value::as_u64).unwrap_or(0);
        let (delivered, cut) = (count("delivered"), count("lost_in_partition"));
        assert_eq!(delivered + cut, report["flows"][flow]["audience"]["addressed"], "nothing else happens");
        (delivered, cut)
    })
}

fn partition(from: &str, to: &str, groups: &str) -> String {
    format!("[[event]]\nat = \"{from}\"\npartition = {groups}\n[[event]]\nat = \"{to}\"\nheal = true\n")
}

#[test]
fn groups_do_not_reach_each_other() {
    assert_eq!(outcome(""), [(30, 0), (10, 0), (10, 0)]);
    // What is written at 0.3, 0.4 and 0.5 s, in both directions; H1's own copy and H3 are not concerned.
    let cut = partition("300 ms", "600 ms", r#"[["H1"], ["H2", "H4"]]"#);
    assert_eq!(outcome(&cut), [(27, 3), (7, 3), (7, 3)]);
    assert_eq!(outcome(&cut.replace("partition =", "oneway = true\npartition =")), [(27, 3), (7, 3), (10, 0)]);
    let other_way = cut.replace(r#"[["H1"], ["H2", "H4"]]"#, r#"[["H2", "H4"], ["H1"]]"#);
    assert_eq!(outcome(&other_way.replace("partition =", "oneway = true\npartition =")), [(30, 0), (10, 0), (7, 3)]);
    assert_eq!(outcome(&partition("300 ms", "600 ms", r#"[["s"], ["t"]]"#)), [(30, 0), (7, 3), (7, 3)]);
    assert_eq!(outcome(&partition("300 ms", "600 ms", r#"[['\\DOM'], ["H4"]]"#)), [(30, 0), (7, 3), (7, 3)]);
}

/// A datagram that is on a link gets to its end, and is cut off there. A broadcast that is on its way up is cut off where
/// it would go down.
#[test]
fn what_is_on_a_link_gets_to_its_end() {
    // Written at 0.2 s: on its first link at 0.205 s, on the router at 0.215 s, on the last one at 0.225 s.
    for (at, there) in [("205 ms", (9, 1)), ("215 ms", (9, 1)), ("225 ms", (10, 0)), ("230 ms", (10, 0))] {
        assert_eq!(outcome(&partition(at, "290 ms", r#"[["H1"], ["H4"]]"#))[1], there, "cut at {at}");
    }
    for (at, all) in [("205 ms", (29, 1)), ("215 ms", (30, 0))] {
        assert_eq!(outcome(&partition(at, "290 ms", r#"[["H1"], ["H3"]]"#))[0], all, "cut at {at}");
    }
}

/// An event comes before whatever else happens at its moment, wherever it stands in the file.
#[test]
fn events_come_first_at_their_moment() {
    assert_eq!(outcome(&partition("300 ms", "400 ms", r#"[["H1"], ["H4"]]"#))[1], (9, 1));
    let heals_first =
        "[[event]]\nat = \"400 ms\"\nheal = true\n[[event]]\nat = \"300 ms\"\npartition = [[\"H1\"], [\"H4\"]]\n";
    assert_eq!(outcome(heals_first)[1], (9, 1));
}

#[test]
fn several_partitions_add_up_until_all_are_healed() {
    let two = "[[event]]\nat = \"300 ms\"\npartition = [[\"H1\"], [\"H4\"]]\n[[event]]\nat = \"400 ms\"\npartition = [[\"H1\"], [\"H2\"]]\n[[event]]\nat = \"500 ms\"\nheal = true\n";
    assert_eq!(outcome(two), [(29, 1), (8, 2), (8, 2)]);
}

/// Sender and trace: the sender sees nothing, the trace everything.
#[test]
fn the_sender_sees_nothing_of_it() {
    let sender = |events: &str| -> Vec<String> {
        let lines = trace(&scenario(&network(events)));
        lines.into_iter().filter(|line| line.contains("\"side\":\"sender\"")).collect()
    };
    let cut = partition("0 s", "1 s", r#"[["H1"], ["H2", "H3", "H4"]]"#);
    assert_eq!(sender(&cut), sender(""));
    let faults: Vec<String> =
        trace(&scenario(&network(&cut))).into_iter().filter(|line| line.contains("\"fault\"")).collect();
    assert_eq!(
        faults,
        [
            r#"{"t_ns":0,"side":"network","event":"fault","fault":"partition","what":"H1 | H2 H3 H4"}"#,
            r#"{"t_ns":1000000000,"side":"network","event":"fault","fault":"heal"}"#
        ]
    );
}

/// A partition takes nothing away from the draws of the others: what is not cut has the outcome that it had.
#[test]
fn partitions_move_no_other_outcome() {
    let lossy = network("").replace("delay = \"10 ms\"", "delay = \"10 ms\"\nloss = \"30 %\"");
    let cut = format!("{lossy}{}", partition("300 ms", "600 ms", r#"[["H1"], ["H2"]]"#));
    let [whole, parted] = [lossy, cut].map(|text| support::outcomes(&scenario(&text)));
    let differ: Vec<&String> = whole.keys().filter(|key| whole.get(*key) != parted.get(*key)).collect();
    assert!(!differ.is_empty() && differ.iter().all(|key| key.contains("all") && key.contains("H2")), "{differ:?}");
}

#[test]
fn mistakes_are_named() {
    let event = |lines: &str| network(&format!("[[event]]\n{lines}\n"));
    for (lines, words) in [
        ("at = \"1 s\"", "nothing says what happens"),
        ("heal = true", "nothing says when it happens"),
        ("at = \"12 s\"\nheal = true", "after the end of the run, 11 s"),
        ("at = \"1 s\"\nheal = false", "write heal = true"),
        ("at = \"1 s\"\nheal = true\npartition = [[\"H1\"], [\"H2\"]]", "contradict each other"),
        ("at = \"1 s\"\nheal = true\noneway = true", "`oneway` belongs to a `partition`"),
        ("at = \"1 s\"\npartition = [[\"H1\"]]", "two groups or more"),
        ("at = \"1 s\"\npartition = [[\"H1\"], []]", "at least one host or segment"),
        ("at = \"1 s\"\npartition = [[\"H1\"], [\"H9\"]]", "no host is called `H9`"),
        ("at = \"1 s\"\npartition = [[\"H1\"], [\"s\"]]", "`H1` is in two groups"),
        ("at = \"1 s\"\npartition = [\"H1\", \"H2\"]", "a list is expected"),
    ] {
        let message = try_scenario(&event(lines), &[]).err().unwrap_or_else(|| panic!("accepted: {lines}")).to_string();
        assert!(message.contains(words), "{lines}: {message}");
    }
}
