//! The folder of results: the same bytes whatever happens on the way.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::{Desk, GRID};

/// A study whose runs take long enough to be interrupted.
fn slow() -> String {
    GRID.replace("duration = \"1 s\"", "duration = \"100 s\"").replace("replications = 10", "replications = 12")
}

#[test]
fn the_folder_has_the_files_of_the_contract() {
    let desk = Desk::with(&GRID.replace("name = \"grid\"", "name = \"plant\""));
    desk.study("r", &[]).exits(0);
    let mut names: Vec<String> = desk.files("r").into_keys().collect();
    names.retain(|name| !name.starts_with("hist/") && !name.starts_with("figures/"));
    assert_eq!(names, [".lock", "manifest.json", "points.csv", "report.html", "runs.ndjson"]);
    for name in ["timing.json", "hist/loss=0.1,burst=4/alarm.hdr", "figures/alarm-delivery_ratio-loss.svg"] {
        assert!(desk.path(&format!("r/{name}")).exists(), "{name}");
    }
    let header = "point,loss,burst,flow,metric,value,k,n,low,high,interval,replications,seed\n";
    assert!(desk.read("r/points.csv").starts_with(header));
    for (name, bytes) in desk.files("r") {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains("grid.toml") && !text.contains("/tmp"), "{name} has no path of the machine");
    }
}

#[test]
fn threads_do_not_matter() {
    for text in [
        GRID.to_owned(),
        GRID.replace(
            "replications = 10",
            "until = { metric = \"delay_ns.p99\", of = \"alarm\", half_width = 40_000.0, min = 3, max = 40 }",
        ),
    ] {
        let desk = Desk::with(&text);
        desk.study("one", &["--jobs", "1"]).exits(0);
        desk.study("five", &["--jobs", "5"]).exits(0);
        assert_eq!(desk.files("one"), desk.files("five"));
    }
}

#[test]
fn points_that_are_added_later_do_not_matter() {
    let desk = Desk::new();
    desk.study("whole", &[]).exits(0);
    desk.study("parts", &["--filter", "loss == 0.1"]).exits(0);
    desk.study("parts", &["--filter", "burst == 2"]).exits(0);
    desk.study("parts", &[]).exits(0).says(&["20 runs"]);
    assert_eq!(desk.files("whole"), desk.files("parts"));
}

/// A worker that is killed loses nothing that was done, and the next one goes on.
#[test]
fn a_killed_study_goes_on() {
    let desk = Desk::with(&slow());
    desk.study("whole", &[]).exits(0);
    let whole = desk.files("whole");
    for attempt in 1..=3 {
        let mut child = start(&desk, "killed");
        wait_for_runs(&desk, "killed", attempt * 4);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!desk.path("killed/points.csv").exists());
    }
    let kept = desk.read("killed/runs.log").lines().count();
    // Whatever is behind the last whole line was torn.
    let mut log = fs::read(desk.path("killed/runs.log")).unwrap();
    log.extend(b"{\"point\":\"loss=0,burst=2\",\"replica");
    fs::write(desk.path("killed/runs.log"), log).unwrap();
    desk.study("killed", &[]).exits(0).says(&[&format!("{} runs", 60 - kept)]);
    assert_eq!(desk.files("killed"), whole);
}

#[test]
#[cfg(unix)]
fn an_interrupted_study_is_saved_and_goes_on() {
    let desk = Desk::with(&slow());
    desk.study("whole", &[]).exits(0);
    for signal in ["-INT", "-TERM"] {
        let child = start(&desk, signal);
        wait_for_runs(&desk, signal, 3);
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("the same command goes on from there"));
        desk.run(&["study", "grid.toml", &format!("--out={signal}")]).exits(0);
        assert_eq!(desk.files(signal), desk.files("whole"));
    }
}

#[test]
fn two_at_once_are_refused() {
    let desk = Desk::with(&slow());
    let mut child = start(&desk, "r");
    wait_for_runs(&desk, "r", 1);
    desk.study("r", &[]).exits(110).says(&["r is in use by another process"]);
    desk.run(&["merge", "r", "--out", "m"]).exits(110).says(&["in use"]);
    child.kill().unwrap();
    child.wait().unwrap();
    desk.study("r", &["--filter", "loss == 0"]).exits(0);
}

#[test]
fn results_of_another_study_are_not_mixed_in() {
    let desk = Desk::new();
    desk.study("r", &["--filter", "loss == 0"]).exits(0);
    let files = desk.files("r");
    let other = ["r holds results of another study: grid "];
    desk.study("r", &["--seed", "9"]).exits(105).says(&other);
    desk.study("r", &["--set", "traffic.alarm.size=65 B"]).exits(105).says(&other);
    desk.study("r", &["--set", "study.replications=11"]).exits(105).says(&other);
    fs::write(desk.path("grid.toml"), GRID.replace("\"10 %\"", "\"11 %\"")).unwrap();
    desk.study("r", &[]).exits(105).says(&other);
    assert_eq!(desk.files("r"), files);
    fs::write(desk.path("grid.toml"), GRID.replace("\"10 %\"", "0.10")).unwrap();
    desk.study("r", &["--filter", "loss == 0"]).exits(0).says(&["nothing was run"]);
}

#[test]
fn a_folder_that_is_no_results_is_left_alone() {
    let desk = Desk::new();
    desk.study("grid.toml", &[]).exits(110).says(&["failed to make grid.toml"]);
    desk.study("grid.toml/below", &[]).exits(110).says(&["failed to make"]);
    fs::create_dir(desk.path("other")).unwrap();
    fs::write(desk.path("other/manifest.json"), "{}").unwrap();
    desk.study("other", &[]).exits(105).says(&["manifest.json that is not of a study"]);
    assert_eq!(desk.read("other/manifest.json"), "{}");
    desk.study("old", &[]).exits(0);
    let manifest = desk.read("old/manifest.json").replace("\"version\": \"", "\"version\": \"9");
    fs::write(desk.path("old/manifest.json"), manifest).unwrap();
    desk.study("old", &[]).exits(105).says(&["old holds results of version 9"]);
}

#[test]
fn results_that_somebody_changed_are_refused_with_the_line() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    let runs = desk.read("r/runs.ndjson");
    let lines: Vec<&str> = runs.lines().collect();
    fs::write(desk.path("r/runs.ndjson"), [&lines[..3], &lines[4..]].concat().join("\n")).unwrap();
    desk.study("r", &[]).exits(105).says(&["runs.ndjson, line 4, is not what"]);
}

/// A disk that is full in the middle of a line: what is whole before it stays, and the study goes on when there is room.
#[test]
#[cfg(unix)]
fn a_full_disk_loses_nothing() {
    let desk = Desk::new();
    desk.study("whole", &[]).exits(0);
    let program = assert_cmd::cargo::cargo_bin("mailslot-sim");
    let script = format!("trap '' XFSZ; ulimit -f 40; exec {} study grid.toml --out r --jobs 1", program.display());
    let output = Command::new("bash").args(["-c", &script]).current_dir(desk.folder.path()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(110), "{error}");
    assert!(error.contains("failed to write r/runs.log: File too large"), "{error}");
    let done = desk.study("r", &[]).exits(0);
    assert!(!done.err.contains("50 runs"), "some runs were there: {}", done.err);
    assert_eq!(desk.files("r"), desk.files("whole"));
}

#[test]
fn partitions_unite_to_the_whole() {
    let desk = Desk::new();
    desk.study("whole", &[]).exits(0);
    let parts = ["1/3", "2/3", "3/3"];
    for part in parts {
        desk.study(&part[..1], &["--partition", part]).exits(0);
    }
    let there = ["1", "2", "3"];
    let points = |part: &&&str| desk.read(&format!("{part}/runs.ndjson")).lines().count() / 10;
    assert!(there.iter().filter(|part| points(part) > 0).count() > 1, "the points are spread");
    desk.study("none", &["--partition", "1/9"]).exits(0).says(&["no point is in this partition"]);
    let merge = |folders: &[&str], out: &str| desk.run(&[&["merge"], folders, &["--out", out]].concat());
    let merged = merge(&there, "merged").exits(0);
    assert!(merged.out.contains("5 of 5 points"), "{}", merged.out);
    assert_eq!(desk.files("merged"), desk.files("whole"));
    let reversed: Vec<&str> = there.iter().rev().copied().collect();
    merge(&reversed, "reversed").exits(0);
    assert_eq!(desk.files("reversed"), desk.files("whole"), "the order does not matter");
    merge(&there[..1], "step").exits(106).says(&["points are missing", "loss="]);
    merge(&[&there[1..], &["step"]].concat(), "steps").exits(0);
    assert_eq!(desk.files("steps"), desk.files("whole"), "nor do steps");
    merge(&["1", "2", "3", "none"], "merged").exits(0);
    assert_eq!(desk.files("merged"), desk.files("whole"), "once more is the same");
}

#[test]
fn merge_refuses_what_does_not_belong_together() {
    let desk = Desk::new();
    desk.study("a", &["--filter", "loss == 0"]).exits(0);
    desk.study("b", &["--filter", "burst == 2"]).exits(0);
    desk.study("c", &["--seed", "1", "--filter", "loss == 0.1"]).exits(0);
    let merge = |folders: &[&str], out: &str| desk.run(&[&["merge"], folders, &["--out", out]].concat());
    merge(&["a", "b"], "m").exits(105).says(&["b has the point loss=0,burst=2, and so has a"]);
    merge(&["a", "c"], "m").exits(105).says(&["c holds results of another study"]);
    merge(&["a", "nothing"], "m").exits(105).says(&["nothing holds no study"]);
    merge(&["a"], "b").exits(105).says(&["b has the point loss=0.02,burst=2, which none of the folders has"]);
    merge(&["a"], "a").exits(2).says(&["--out a is one of the folders"]);
    merge(&["a", "./a"], "m").exits(2).says(&["named twice"]);
    assert!(!desk.path("m").exists(), "nothing was written");
}

/// Of a partition that was interrupted the points that are whole are united; the others are named.
#[test]
fn merge_lists_what_is_missing() {
    let desk = Desk::with(&slow());
    let mut child = start(&desk, "r");
    wait_for_runs(&desk, "r", 14);
    child.kill().unwrap();
    child.wait().unwrap();
    let done =
        desk.run(&["merge", "r", "--out", "m"]).exits(106).says(&["of 5 points are missing:", "\n  loss=0.1,burst=4"]);
    assert!(done.out.contains("loss=0,burst=2"), "{}", done.out);
    desk.run(&["merge", "r", "--out", "m"]).exits(106);
    desk.study("m", &[]).exits(0);
    desk.study("r", &[]).exits(0);
    assert_eq!(desk.files("m"), desk.files("r"), "the result of a merge can be gone on with");
}

fn start(desk: &Desk, out: &str) -> std::process::Child {
    Command::new(assert_cmd::cargo::cargo_bin("mailslot-sim"))
        .args(["study", "grid.toml", "--jobs", "2", &format!("--out={out}")])
        .current_dir(desk.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until so many runs are saved.
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn wait_for_runs(desk: &Desk, out: &str, runs: usize) {
    for _ in 0..3_000 {
        let saved = fs::read(desk.path(out).join("runs.log")).unwrap_or_default();
        if saved.iter().filter(|byte| **byte == b'\n').count() >= runs {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("the study does not come to {runs} runs");
}

/// Files of somebody else are not replaced.
#[test]
fn a_folder_with_other_files_is_refused() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("mine")).unwrap();
    std::fs::write(desk.path("mine/points.csv"), "x,y").unwrap();
    desk.study("mine", &[]).exits(105).says(&["has points.csv of something else"]);
    assert_eq!(desk.read("mine/points.csv"), "x,y");
}

/// A copy that broke off is not taken for whole.
#[test]
fn results_that_were_cut_off_are_refused() {
    let desk = Desk::new();
    desk.study("whole", &["-q"]).exits(0);
    let runs = desk.read("whole/runs.ndjson");
    let lines: String = runs.lines().take(47).map(|line| format!("{line}\n")).collect();
    for (cut, words) in
        [(lines.as_str(), "without all runs of loss="), (&runs[..40_000], "is not what mailslot-sim wrote there")]
    {
        std::fs::write(desk.path("whole/runs.ndjson"), cut).unwrap();
        desk.study("whole", &[]).exits(105).says(&[words]);
        desk.run(&["merge", "whole", "--out", "merged"]).exits(105).says(&[words]);
    }
}

/// The manifest shows the scenario as it is outside of the study: another one is another study, even if axes set all that differs.
#[test]
fn another_scenario_around_the_same_points_is_another_study() {
    let desk = Desk::new();
    desk.study("part", &["-q", "--partition", "1/2"]).exits(0);
    let other = GRID.replace("mean = \"5 %\"", "mean = \"7 %\"");
    std::fs::write(desk.path("grid.toml"), other).unwrap();
    desk.study("part", &["--partition", "1/2"]).exits(105).says(&["part"]);
}
