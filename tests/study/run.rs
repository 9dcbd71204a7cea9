//! What a study runs and prints.

use serde_json::Value;

use super::{Desk, GRID};

/// What every summary of the grid ends with: the shares of the table, one letter for each burst, both where they are one.
const CURVE: &str = "
alarm all_ratio against loss

         1 |*···
           |   ·········
           |        ······B···
       0.9 |             ·A   ····
           |                      ·····
           |                           ·····
           |                                ·····
       0.8 |                                     ·····
           |                                          ·····
           |                                               ·····
       0.7 |                                                    ····
           |                                                        ·····
           |                                                             ·····
           |                                                                  ·····
       0.6 |                                                                       B
           ++-------------+--------------------------------------------------------+
            0           0.02                                                      0.1
            A burst=2
            B burst=4
            * several
";

#[test]
fn a_grid_is_run_and_a_second_start_does_nothing() {
    let desk = Desk::new();
    let done = desk.study("r", &[]).exits(0).says(&["50 runs"]);
    assert!(done.out.starts_with("grid, 5 of 5 points\n"), "{}", done.out);
    assert!(done.out.contains("loss=0.1,burst=4"), "{}", done.out);
    assert!(done.out.contains("\n\nexpectations: 5 hold, 0 violated, 0 inconclusive\n\n"), "{}", done.out);
    assert!(done.out.ends_with(CURVE), "{}", done.out);
    let files = desk.files("r");
    let again = desk.study("r", &[]).exits(0).says(&["nothing was run"]);
    assert_eq!((again.out, desk.files("r")), (done.out, files));
}

#[test]
fn a_list_shows_points_and_seeds_and_runs_nothing() {
    let desk = Desk::new();
    let done = desk.run(&["study", "grid.toml", "--list", "--seed", "7", "--format", "json"]).exits(0);
    let list: Vec<Value> = serde_json::from_str(&done.out).unwrap();
    let points: Vec<&str> = list.iter().map(|entry| entry["point"].as_str().unwrap()).collect();
    let expected = ["loss=0,burst=2", "loss=0,burst=4", "loss=0.02,burst=2", "loss=0.02,burst=4", "loss=0.1,burst=4"];
    assert_eq!(points, expected, "in the order of the file, the last axis fastest, without what `where` leaves out");
    assert!(list.iter().all(|entry| entry["seed"] == "7" && entry["replications"] == 10), "{list:?}");
    assert!(list.iter().all(|entry| entry["deliveries_per_run"] == 400.0), "100 messages to 4 stations: {list:?}");
    let text = desk.run(&["study", "grid.toml", "--list"]).exits(0).out;
    assert!(text.contains("5 points, 50 runs at most"), "{text}");
    assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().count(), 1, "only the scenario is there");
}

/// Values without an order have columns of their own, and no line between them; a single point has no curve.
#[test]
fn a_curve_needs_an_axis() {
    let (head, _) = GRID.split_once("[[expect]]").unwrap();
    let axis = "[study]\nreplications = 2\n[study.axes]\nabout = { set = \"description\", values = [\"this\", \"a text that is long\"] }\n";
    let desk = Desk::with(&format!("{head}{axis}"));
    let text = desk.study("r", &[]).exits(0).out;
    let (_, curve) = text.split_once("alarm delivery_ratio against about\n").unwrap();
    assert!(!curve.contains('·') && curve.matches('A').count() == 2, "{curve}");
    assert!(curve.contains("this") && curve.contains("a%20text%20th~"), "{curve}");
    let one = desk.run(&["study", "grid.toml", "--out", "one", "--filter", "about == 'this'"]).exits(0).out;
    assert!(!one.contains("against"), "{one}");
}

#[test]
fn without_out_the_folder_has_the_name_and_the_hash() {
    let desk = Desk::new();
    desk.run(&["study", "grid.toml", "--filter", "loss == 0"]).exits(0);
    desk.run(&["study", "grid.toml", "--filter", "loss == 0", "--seed", "5"]).exits(0);
    let folders: Vec<String> = std::fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("grid-") && name.len() == "grid-".len() + 12)
        .collect();
    assert_eq!(folders.len(), 2, "another seed is another study: {folders:?}");
}

#[test]
fn a_filter_selects_points() {
    let desk = Desk::new();
    let done = desk.study("r", &["--filter", "loss > 1 % && burst == 4", "--format", "ndjson"]).exits(0);
    let points: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&Value> = points.iter().map(|point| &point["point"]).collect();
    assert_eq!(ids, ["loss=0.02,burst=4", "loss=0.1,burst=4"]);
    desk.study("r", &["--filter", "loss > 50 %"]).exits(4).says(&["the filter keeps none of 5 points"]);
    desk.study("r", &["--filter", "loss > 50 % && bust == 4"])
        .exits(2)
        .says(&["--filter:1:16", "did you mean `burst`?"]);
    let whole = desk.study("r", &[]).exits(0).says(&["30 runs"]);
    assert!(whole.out.contains("5 of 5 points"), "{}", whole.out);
}

#[test]
fn set_gives_an_axis_its_only_value() {
    let desk = Desk::new();
    let set = ["--set", "link.switch.loss.mean=3 %"];
    let done = desk.study("r", &set).exits(0).says(&["the axis `loss` has no value but that of --set, 0.03"]);
    assert!(done.out.contains("loss=0.03,burst=2") && !done.out.contains("loss=0.1"), "{}", done.out);
    desk.study("s", &["--set", "link.switch.loss=3 %"]).exits(96).says(&["sets a part of what --set", "grid.toml:46:"]);
    desk.study("s", &["--set", "study.replications=3"]).exits(0).says(&["15 runs"]);
}

/// A run of a study is a run like any other.
#[test]
fn run_replays_a_run_of_a_study() {
    let desk = Desk::new();
    desk.study("r", &["--filter", "burst == 4"]).exits(0);
    let runs = desk.read("r/runs.ndjson");
    assert_eq!(runs.lines().count(), 30);
    for line in runs.lines().step_by(7) {
        let line: Value = serde_json::from_str(line).unwrap();
        let (point, replication) = (line["point"].as_str().unwrap(), line["replication"].to_string());
        let arguments = ["run", "grid.toml", "--point", point, "--replication", &replication, "--format", "json"];
        let report: Value = serde_json::from_str(&desk.run(&arguments).exits(0).out).unwrap();
        for part in ["totals", "flows", "expectations"] {
            assert_eq!(report[part], line[part], "{part} of {point}, {replication}");
        }
        assert_eq!(
            (&report["scenario"]["seed"], &report["scenario"]["replication"]),
            (&line["seed"], &line["replication"])
        );
    }
    desk.run(&["run", "grid.toml", "--point", "loss=10 %,burst=4.0", "-q"]).exits(0);
    desk.run(&["run", "grid.toml", "--point", "loss=0.2,burst=4"])
        .exits(4)
        .says(&["did you mean `loss=0.02,burst=4`?"]);
}

/// Whoever runs the scenario alone does not run its study, and gets the same report as without one.
#[test]
fn run_ignores_the_study() {
    let report = |text: &str| Desk::with(text).run(&["run", "grid.toml", "--format", "json"]).exits(0).out;
    assert_eq!(report(GRID), report(&GRID[..GRID.find("[study]").unwrap()]));
}

#[test]
fn expectations_that_do_not_hold_name_the_command_that_shows_it() {
    let desk = Desk::with(&GRID.replace("at_least = 0.85", "at_least = 0.95"));
    let done = desk.study("r", &["--seed", "3"]).exits(100);
    assert!(done.out.contains("VIOLATED     loss=0.1,burst=4: alarm delivery_ratio at_least 0.95"), "{}", done.out);
    let replay = done.out.lines().find(|line| line.contains("mailslot-sim run")).expect("a command").trim();
    let arguments: Vec<&str> = replay.split(' ').skip(1).collect();
    assert_eq!(arguments[..6], ["run", "grid.toml", "--seed", "3", "--point", "loss=0.1,burst=4"], "{replay}");
    desk.run(&arguments).exits(100);
}

#[test]
fn a_study_goes_on_until_a_figure_is_known_well_enough() {
    let until = r#"until = { of = "alarm", metric = "delivery_ratio", half_width = 0.02, min = 4, max = 60 }"#;
    let desk = Desk::with(&GRID.replace("replications = 10", until));
    let done = desk.study("r", &["--format", "json", "--jobs", "3"]);
    let points: Vec<Value> = serde_json::from_str(&done.out).unwrap();
    let ends: Vec<u64> = points.iter().map(|point| point["replications"].as_u64().unwrap()).collect();
    assert_eq!(ends[..2], [4, 4], "without loss all runs are alike");
    assert!(ends[4] > ends[3] && ends[4] < 60 && (ends[4] - 4).is_multiple_of(10), "{ends:?}");
    for point in &points {
        let figure = &point["figures"][0];
        let half = (figure["high"].as_f64().unwrap() - figure["low"].as_f64().unwrap()) / 2.0;
        assert!(half <= 0.02 + 1e-9, "{point}");
    }
    let wider = Desk::with(&GRID.replace("replications = 10", &until.replace("max = 60", "max = 5")));
    let done = wider.study("r", &["--format", "json"]);
    let points: Vec<Value> = serde_json::from_str(&done.out).unwrap();
    assert_eq!(points[4]["replications"], 5, "`max` ends it in any case");
}

#[test]
fn a_scenario_without_a_study_is_a_study_of_one_point() {
    let desk = Desk::with(&GRID[..GRID.find("[study]").unwrap()]);
    let done = desk.study("r", &[]).exits(0).says(&["20 runs"]);
    assert!(done.out.contains("1 of 1 points") && done.out.contains("base "), "{}", done.out);
    desk.run(&["run", "grid.toml", "--point", "base", "-q"]).exits(0);
}

#[test]
fn every_event_of_two_runs_is_compared() {
    Desk::new().study("r", &["--verify-determinism", "--filter", "loss == 2%"]).exits(0);
}

#[test]
fn progress_is_lines_where_there_is_no_terminal() {
    let desk = Desk::new();
    assert!(!desk.study("r", &["--progress", "none"]).exits(0).err.contains("of 5 points"));
    assert_eq!(desk.study("s", &["-q"]).exits(0).err, "");
}

/// A number of hosts is a part of a pattern.
#[test]
fn a_value_can_be_a_part_of_what_is_set() {
    let study = "[study]\nreplications = 1\n[study.axes]\nhosts = { set = \"host.PC{1..2}.name\", values = [1, 20], as = \"PC{1..$}\" }\n";
    let desk = Desk::with(&format!(
        r#"
        schema = 1
        name = "grid"
        duration = "1 s"
        [segment.s]
        [[host]]
        name = "A"
        domain = "OTHER"
        segment = "s"
        [[host]]
        name = "PC{{1..2}}"
        domain = "DOM"
        segment = "s"
        [[mailslot]]
        on = '\\DOM'
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\DOM\mailslot\t'
        every = "100 ms"
        {study}"#
    ));
    desk.study("out", &["-q"]).exits(0);
    let points = desk.read("out/points.csv");
    for row in ["hosts=1,1,f,audience.size,1.0,", "hosts=20,20,f,audience.size,20.0,"] {
        assert!(points.lines().any(|line| line.starts_with(row)), "{row} is not in:\n{points}");
    }
}

/// What is wrong with the file as it is, and at no point, is not warned of.
#[test]
fn warnings_are_those_of_all_points() {
    let text = GRID.replace("every = \"10 ms\"\n", "every = \"10 ms\"\nspacing = \"1 ms\"\n");
    let copies = "copies = { set = \"traffic.alarm.copies\", values = [2, 3] }\n";
    let study = &text[text.find("[study]").unwrap()..];
    let both = text.replace(study, &format!("[study]\nreplications = 1\n[study.axes]\n{copies}"));
    let warned = Desk::with(&text).study("out", &["--list"]).exits(0).err;
    assert!(warned.contains("there is only one copy"), "{warned}");
    let warned = Desk::with(&both).study("out", &["--list"]).exits(0).err;
    assert_eq!(warned, "");
}

/// The axes of a point may be named in any order, and all must be.
#[test]
fn points_are_found_by_their_values() {
    let desk = Desk::new();
    let list = desk.study("out", &["--list", "--format", "ndjson"]).exits(0).out;
    let first: serde_json::Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
    let id = first["point"].as_str().unwrap();
    let mut parts: Vec<&str> = id.split(',').collect();
    parts.reverse();
    let run = |point: &str| desk.run(&["run", "grid.toml", "--format", "json", "--point", point]);
    assert_eq!(run(&parts.join(",")).exits(0).out, run(id).exits(0).out);
    run(parts[0]).exits(4).says(&["says no value of"]);
}

/// A name is found as it is printed, whatever had to be escaped in it.
#[test]
fn points_are_found_by_the_names_that_are_printed() {
    let study =
        "[study]\nreplications = 1\n[study.axes]\nd = { set = \"description\", values = [\"a b\", \"x,y=1 %\"] }\n";
    let desk = Desk::with(&format!("{}{study}", &GRID[..GRID.find("[study]").unwrap()]));
    let list = desk.study("out", &["--list", "--format", "ndjson"]).exits(0).out;
    for line in list.lines() {
        let point: Value = serde_json::from_str(line).unwrap();
        desk.run(&["run", "grid.toml", "--point", point["point"].as_str().unwrap()]).exits(0);
    }
}

/// Runs in which something rare never happened do not tell how rare it is.
#[test]
fn runs_that_are_alike_are_not_enough() {
    let until = "until = { metric = \"fates.slot_full\", of = \"alarm\", half_width = 0.5, min = 3, max = 13 }\n";
    let desk = Desk::with(&format!("{}[study]\n{until}", &GRID[..GRID.find("[study]").unwrap()]));
    let done = desk.study("out", &[]).exits(0).says(&["13 runs"]);
    assert!(done.out.contains("1 of 1 points came to `max`, 13 runs"), "{}", done.out);
}
