//! `test`: scenarios as a suite, from outside; and what the intervals over replications are worth.

mod support;

use std::fs;

use assert_cmd::Command;
use mailslot_sim::report::RunReport;
use mailslot_sim::stats::{Estimate, Proportion};
use mailslot_sim::study;
use serde_json::Value;
use support::{Pair, scenario};
use tempfile::TempDir;

/// A thousand messages on a link that loses a tenth of them; with these expectations.
fn lossy(expectations: &str) -> String {
    format!(
        r#"
schema = 1
name = "lossy"
seed = "4"
duration = "10 s"
[link.l]
loss = "10 %"
[segment.s]
link = {{ down = "l" }}
[[host]]
name = "{{A..B}}"
segment = "s"
[[mailslot]]
on = "B"
name = "t"
[[traffic]]
name = "f"
from = "A"
to = '\\B\mailslot\t'
every = "10 ms"
{expectations}
"#
    )
    .replace(
        "name = \"{A..B}\"\nsegment = \"s\"",
        "name = \"A\"\nsegment = \"s\"\n[[host]]\nname = \"B\"\nsegment = \"s\"",
    )
}

fn expect(lines: &str) -> String {
    format!("[[expect]]\nof = \"f\"\n{lines}\n")
}

/// Runs `test` over a folder with these files; exit code, stdout and stderr.
fn test(files: &[(&str, &str)], options: &[&str]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let output = Command::cargo_bin("mailslot-sim")
        .unwrap()
        .current_dir(folder.path())
        .args(["test", "."])
        .args(options)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What a scenario's only expectation comes to over so many replications.
fn verdict(expectation: &str, runs: u32) -> (i32, String) {
    let (exit, stdout, stderr) = test(&[("a.toml", &lossy(&expect(expectation)))], &["--runs", &runs.to_string()]);
    assert_eq!(stderr, "");
    (exit, stdout)
}

#[test]
fn one_run_is_compared_as_it_is() {
    let (exit, stdout) = verdict("metric = \"delivery_ratio\"\nat_least = 0.85", 1);
    assert_eq!(exit, 0, "{stdout}");
    assert!(stdout.contains("holds        f delivery_ratio at_least 0.85: it is 0.9"), "{stdout}");
    assert!(stdout.ends_with("1 scenario, 1 expectation: 1 hold, 0 violated, 0 inconclusive\n"), "{stdout}");
}

/// From two runs on the interval decides: within the bound, beyond it, or on both sides of it.
#[test]
fn the_interval_of_several_runs_decides() {
    let at_least = |bound: f64| verdict(&format!("metric = \"delivery_ratio\"\nat_least = {bound}"), 10);
    assert_eq!(at_least(0.88).0, 0);
    assert_eq!(at_least(0.92).0, 100);
    let (exit, stdout) = at_least(0.9);
    assert_eq!(exit, 101, "{stdout}");
    assert!(stdout.contains("inconclusive f delivery_ratio at_least 0.9: it is 0.9"), "{stdout}");
    let between =
        |low: f64, high: f64| verdict(&format!("metric = \"delivery_ratio\"\nbetween = [{low}, {high}]"), 10).0;
    assert_eq!([between(0.88, 0.92), between(0.95, 0.97), between(0.88, 0.9)], [0, 100, 101]);
    assert_eq!(verdict("metric = \"delay_ns.max\"\nat_most = 0.0", 5).0, 0, "figures that do not vary are points");
}

/// A count has to be met by every run; what is to happen sometimes, by one.
#[test]
fn counts_are_met_by_all_runs_and_sometimes_by_one() {
    assert_eq!(verdict("metric = \"sender.writes\"\nequals = 1000", 5).0, 0);
    assert_eq!(verdict("metric = \"fates.lost_on_link\"\nequals = 100", 5).0, 100);
    let sometimes =
        |bound: &str, runs| verdict(&format!("metric = \"loss_period.max\"\n{bound}\nsometimes = true"), runs).0;
    assert_eq!(sometimes("at_least = 4", 30), 0, "four in a row, in some of the runs");
    assert_eq!(verdict("metric = \"loss_period.max\"\nat_least = 4", 30).0, 100, "but not on average");
    assert_eq!(sometimes("at_least = 40", 30), 100);
    assert_eq!(sometimes("at_least = 40", 1), 101, "one run proves nothing");
}

/// The command that a failure gives shows the failure.
#[test]
fn a_failure_names_the_command_that_replays_it() {
    let file = lossy(&expect("metric = \"fates.lost_on_link\"\nat_most = 90"));
    let (exit, stdout, _) = test(&[("it's.toml", &file)], &["--runs", "8"]);
    assert_eq!(exit, 100, "{stdout}");
    let replay = stdout.lines().find(|line| line.contains("mailslot-sim run")).expect("a command").trim();
    assert!(replay.starts_with(r"mailslot-sim run './it'\''s.toml' --seed 4 --replication "), "{replay}");
    let replication = replay.rsplit(' ').next().unwrap();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("it's.toml"), file).unwrap();
    let mut command = Command::cargo_bin("mailslot-sim").unwrap();
    let output =
        command.current_dir(folder.path()).args(["run", "it's.toml", "--seed", "4", "--replication", replication]);
    assert_eq!(output.output().unwrap().status.code(), Some(100));
}

#[test]
fn a_suite_goes_on_after_a_bad_file() {
    let good = lossy(&expect("metric = \"sender.writes\"\nequals = 1000"));
    let silent = lossy("");
    let (exit, stdout, stderr) =
        test(&[("a.toml", "schema = 2"), ("b.toml", &good), ("c.toml", &silent), ("notes.txt", "no scenario")], &[]);
    assert_eq!(exit, 96);
    assert!(stderr.contains("a.toml:1"), "{stderr}");
    assert!(stdout.contains("b.toml") && !stdout.contains("c.toml"), "{stdout}");
    let (exit, _, stderr) = test(&[("c.toml", &silent)], &[]);
    assert_eq!(exit, 4);
    assert!(stderr.contains("no scenario there has expectations"), "{stderr}");
}

#[test]
fn results_for_programs() {
    let file = lossy(
        &(expect("metric = \"sender.writes\"\nequals = 1000")
            + &expect("metric = \"delivery_ratio\"\nat_least = 0.92")),
    );
    let (exit, stdout, _) =
        test(&[("a.toml", &file)], &["--runs", "10", "--format", "json", "--junit", "j.xml", "--verify-determinism"]);
    assert_eq!(exit, 100);
    let results: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(results[0]["expectations"][0]["result"], "holds");
    assert_eq!(results[0]["expectations"][1]["result"], "violated");
    assert!(results[0]["expectations"][1]["high"].as_f64() < Some(0.92));
    let (_, markdown, _) = test(&[("a.toml", &file)], &["--format", "markdown"]);
    assert!(
        markdown.starts_with("| scenario | expectation | found | |\n|---|---|---|---|\n| ./a.toml | f sender.writes"),
        "{markdown}"
    );
}

#[test]
fn junit_names_each_expectation() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("a.toml"),
        lossy(
            &(expect("metric = \"sender.writes\"\nequals = 1000")
                + &expect("metric = \"delivery_ratio\"\nat_least = 0.99")),
        ),
    )
    .unwrap();
    let mut command = Command::cargo_bin("mailslot-sim").unwrap();
    let output =
        command.current_dir(folder.path()).args(["test", "a.toml", "--junit", "j.xml", "-q"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(100), 0));
    let xml = fs::read_to_string(folder.path().join("j.xml")).unwrap();
    for part in [
        "<testsuites name=\"mailslot-sim\" tests=\"2\" skipped=\"0\" failures=\"1\" errors=\"0\">",
        "f sender.writes equals 1000",
        "VIOLATED: it is 0.9",
        "mailslot-sim run a.toml --seed 4",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
}

/// Losses in bursts: what interval holds the true ratio how often, of 300 studies of 12 runs. Taking messages as independent
/// it is far from 95 of 100; over replications, with five standard errors of room (a false alarm once in a million), not.
#[test]
fn intervals_over_replications_cover_what_those_over_messages_do_not() {
    let pair = Pair {
        top: "duration = \"4 s\"",
        down: "loss = { mean = \"20 %\", burst = 10 }",
        traffic: "every = \"20 ms\"",
        ..Pair::default()
    };
    let checked = pair.scenario();
    let (studies, runs) = (300, 12);
    let ratio = |replication, outcome: &_| {
        let report: Value = serde_json::from_str(&RunReport::new(&checked, replication, outcome).to_json()).unwrap();
        let part = |part: &str| report["flows"][0]["delivery_ratio"][part].as_u64().unwrap();
        Proportion { k: part("k"), n: part("n") }
    };
    let all = study::replicate(&checked, studies * runs, false, ratio).unwrap();
    let covers = |low: f64, high: f64| u32::from((low..=high).contains(&0.8));
    let [mut over_replications, mut over_messages] = [0, 0];
    for study in all.chunks(runs as usize) {
        let estimate = Estimate::of_shares(study).unwrap();
        over_replications += covers(estimate.low, estimate.high);
        let whole = Proportion { k: study.iter().map(|run| run.k).sum(), n: study.iter().map(|run| run.n).sum() };
        let (low, high) = whole.wilson95().unwrap();
        over_messages += covers(low, high);
    }
    let error = 5.0 * (0.95_f64 * 0.05 / f64::from(studies)).sqrt();
    let [over_replications, over_messages] =
        [over_replications, over_messages].map(|covered| f64::from(covered) / f64::from(studies));
    assert!((over_replications - 0.95).abs() < error, "{over_replications}");
    assert!(over_messages < 0.65, "{over_messages}");
}

/// Replications come in their order, whatever thread ran them, and are those of single runs.
#[test]
fn replications_are_single_runs_in_order() {
    let checked = scenario(&lossy(""));
    let lost = |_, outcome: &mailslot_sim::sim::Outcome| outcome.links.iter().map(|link| link.lost).sum::<u64>();
    let together = study::replicate(&checked, 6, true, lost).unwrap();
    let single =
        (0..6).map(|replication| lost(replication, &mailslot_sim::sim::run(&checked, replication, &mut ()).unwrap()));
    assert_eq!(together, single.collect::<Vec<_>>());
}
