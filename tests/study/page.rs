//! The page of a study: one file, whole, harmless and the same whenever it is drawn.

use std::collections::BTreeSet;
use std::fs;

use mailslot_sim::report::suite::shell_word;

use super::pages::{check_page, check_picture, texts};
use super::{Desk, GRID};

#[test]
fn a_page_is_whole_and_needs_nothing_else() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    let page = desk.read("r/report.html");
    let texts = check_page(&page);
    assert!(texts.iter().any(|text| text.contains("A small study: an alarm to four stations")));
}

#[test]
fn drawing_again_gives_the_same_bytes() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    let files = desk.files("r");
    fs::write(desk.path("r/report.html"), "gone").unwrap();
    fs::remove_file(desk.path("r/points.csv")).unwrap();
    let done = desk.run(&["report", "r"]).exits(0).says(&["drawn again: r/report.html"]);
    assert!(done.out.contains("5 of 5 points"), "{}", done.out);
    assert_eq!(desk.files("r"), files);
}

/// Results know the seed that the study was started with; what was set belongs to the file.
#[test]
fn the_command_repeats_a_run() {
    let desk = Desk::new();
    desk.study("r", &["--set", "traffic.alarm.every=50 ms", "--seed", "7"]).exits(101);
    let page = desk.read("r/report.html");
    assert!(page.contains("data-replay=\"mailslot-sim run grid.toml --seed 7\""));
    let set = ["--set", "traffic.alarm.every=50 ms", "--seed", "7", "--point", "loss=0.1,burst=4"];
    let run = desk.run(&[&["run", "grid.toml", "--format", "json"], &set[..]].concat()).out;
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    let runs = desk.read("r/runs.ndjson");
    let stored = runs.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let stored =
        stored.into_iter().find(|line| line["point"] == "loss=0.1,burst=4" && line["replication"] == 0).unwrap();
    assert_eq!(stored["totals"], run["totals"]);
}

/// How long loss periods are is stored of each run, adds up, and is drawn.
#[test]
fn lengths_of_loss_periods_are_counted_and_drawn() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    let mut periods = 0;
    for line in desk.read("r/runs.ndjson").lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let figures = &line["flows"][0]["loss_period"];
        let by_length: Vec<u64> = serde_json::from_value(figures["by_length"].clone()).unwrap_or_default();
        let count: u64 = by_length.iter().sum();
        let messages: u64 = (0..).zip(&by_length).map(|(length, count)| length * count).sum();
        assert_eq!(count, figures["count"].as_u64().unwrap());
        assert_eq!(by_length.len().saturating_sub(1) as u64, figures["max"].as_u64().unwrap());
        if count > 0 {
            assert_eq!(figures["mean"].as_f64().unwrap(), messages as f64 / count as f64);
        }
        periods += count;
    }
    assert!(periods > 100, "{periods}");
    assert!(desk.read("r/report.html").contains("of 1,000 loss periods"));
}

/// Every chart of the page is a file too: whole XML, which asks for nothing.
#[test]
fn charts_are_files_too() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    let files = desk.files("r");
    let figures: Vec<_> = files.iter().filter(|(name, _)| name.starts_with("figures/")).collect();
    assert_eq!(figures.len(), desk.read("r/report.html").matches("<figure").count());
    for (name, bytes) in figures {
        check_picture(name, std::str::from_utf8(bytes).unwrap());
    }
    desk.run(&["study", "grid.toml", "--out", "one", "--filter", "loss == 0.1 && burst == 4"]).exits(0);
    let names = ["figures/alarm-delay.svg", "figures/alarm-loss_period.by_length.svg"];
    assert_eq!(figures_of(&desk, "one"), names);
    // What was drawn before and is not there any more goes; what others put there stays.
    desk.run(&["run", "grid.toml", "--out", "run"]).exits(0);
    for folder in ["one", "run"] {
        let drawn = figures_of(&desk, folder);
        let picture = desk.read(&format!("one/{}", names[0]));
        fs::write(desk.path(&format!("{folder}/figures/stale.svg")), picture).unwrap();
        fs::write(desk.path(&format!("{folder}/figures/mine.svg")), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")
            .unwrap();
        fs::write(desk.path(&format!("{folder}/figures/mine.txt")), "").unwrap();
        let again: &[&str] = if folder == "one" { &["report", "one"] } else { &["run", "grid.toml", "--out", "run"] };
        desk.run(again).exits(0);
        let mine = ["figures/mine.svg", "figures/mine.txt"].map(str::to_owned);
        let expected: BTreeSet<String> = drawn.into_iter().chain(mine).collect();
        assert_eq!(figures_of(&desk, folder), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn what_holds_no_study_is_not_drawn() {
    let desk = Desk::new();
    desk.run(&["report", "nothing"]).exits(105).says(&["nothing holds no study: there is no such folder"]);
    desk.run(&["report", "grid.toml"]).exits(105).says(&["grid.toml holds no study: there is no such folder"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.run(&["report", "empty"]).exits(105);
    assert_eq!(fs::read_dir(desk.path("empty")).unwrap().count(), 0, "nothing was written");
    desk.run(&["run", "grid.toml", "--out", "one"]).exits(0);
    desk.run(&["report", "one"]).exits(105).says(&["the folder of one run", "one holds no study"]);
}

/// A folder whose runs were taken away has nothing to draw: tables and page that are left stay.
#[test]
fn results_without_runs_are_not_drawn_again() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    fs::remove_file(desk.path("r/runs.ndjson")).unwrap();
    let files = desk.files("r");
    desk.run(&["report", "r"]).exits(105).says(&["r has no runs.ndjson"]);
    assert_eq!(desk.files("r"), files);
}

/// A study replaces no picture of somebody else, makes nothing in the folder of a run, and says of a file that it is one.
#[test]
fn a_study_replaces_nothing_of_others() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("r/figures")).unwrap();
    desk.run(&["run", "grid.toml", "--out", "one"]).exits(0);
    let files = desk.files("one");
    desk.study("one", &[]).exits(105).says(&["one holds the results of a run: take another folder"]);
    assert_eq!(desk.files("one"), files);
    desk.study("grid.toml", &[]).exits(110).says(&["grid.toml: it is a file, not a folder"]);

    desk.study("two", &[]).exits(0);
    fs::write(desk.path("two/figures/alarm-delay.svg"), "<svg/>").unwrap();
    desk.run(&["report", "two"]).exits(105).says(&["alarm-delay.svg is not of mailslot-sim"]);
    assert_eq!(desk.read("two/figures/alarm-delay.svg"), "<svg/>");
}

#[test]
fn a_run_replaces_no_results_of_something_else() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    let files = desk.files("r");
    let run = ["run", "grid.toml", "--out"];
    desk.run(&[&run[..], &["r"]].concat()).exits(105).says(&["r holds the results of a study: take another folder"]);
    assert_eq!(desk.files("r"), files);
    for name in ["report.html", "report.json"] {
        fs::create_dir_all(desk.path("mine")).unwrap();
        fs::write(desk.path("mine").join(name), "mine").unwrap();
        let what = format!("mine has {name} of something else: take another folder");
        desk.run(&[&run[..], &["mine"]].concat()).exits(105).says(&[&what]);
        assert_eq!(desk.read(&format!("mine/{name}")), "mine");
        fs::remove_dir_all(desk.path("mine")).unwrap();
    }
}

/// The pictures in a folder of results.
fn figures_of(desk: &Desk, folder: &str) -> Vec<String> {
    desk.files(folder).into_keys().filter(|name| name.starts_with("figures/")).collect()
}

#[test]
fn every_number_of_the_summary_is_on_the_page() {
    let desk = Desk::new();
    let summary = desk.study("r", &[]).exits(0).out;
    let texts = texts(&desk.read("r/report.html"));
    let rows: Vec<&str> = summary.lines().filter(|line| line.contains("_ratio  ")).collect();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let (_, figures) = row.split_once("_ratio").unwrap();
        for number in figures.split("  ").map(str::trim).filter(|number| !number.is_empty()) {
            assert!(texts.iter().any(|text| text == number), "`{number}` of {row}");
        }
    }
}

#[test]
fn the_command_on_the_page_shows_a_run() {
    let desk = Desk::new();
    desk.study("r", &[]).exits(0);
    let page = desk.read("r/report.html");
    assert!(page.contains("data-replay=\"mailslot-sim run grid.toml --seed 42\""));
    let id = "loss=0.1,burst=4";
    assert!(page.contains(&format!("<button>{id}</button>")) && shell_word(id) == id);
    desk.run(&["run", "grid.toml", "--seed", "42", "--point", id, "--replication", "0"]).exits(0);
}

/// 1,156 points, of which the page draws as many as it says, each with three figures and charts along two axes.
#[test]
fn a_page_of_a_thousand_points_is_small_and_says_what_it_leaves_out() {
    let (head, _) = GRID.split_once("[[expect]]").unwrap();
    let desk = Desk::with(&format!(
        "{head}[study]\nreplications = 2\n[study.axes]\n\
         loss = {{ set = \"link.switch.loss.mean\", range = [\"0.5 %\", \"17 %\"], step = \"0.5 %\" }}\n\
         burst = {{ set = \"link.switch.loss.burst\", range = [1.5, 34.5], step = 1.0 }}\n"
    ));
    desk.study("r", &["--set", "traffic.alarm.every=100 ms"]).exits(0);
    let page = desk.read("r/report.html");
    let texts = check_page(&page);
    assert!(texts.iter().any(|text| text.contains("Drawn are 1,000 of 1,156 points")));
    assert!(page.contains("(MAX_DRAWN)") && page.matches("<tr id=").count() == 1_000);
}

/// Axes over texts: what is in a description or the name of a point stays text, whatever it is.
#[test]
fn nothing_of_a_scenario_becomes_part_of_the_page() {
    let hostile = "</title><script>alert(1)</script>\"' onload=x \u{202e}&amp;<b>";
    let desk =
        Desk::with(&GRID.replace("A small study", &format!("{}{}", hostile.replace('"', "\\\""), "x".repeat(10_000))));
    desk.study("r", &[]).exits(0);
    let plain = check_page(&desk.read("r/report.html"));
    assert!(plain.iter().any(|text| text.starts_with(hostile) && text.len() > 10_000), "it is there as it was written");
    // A folder that somebody else made may have any name in it.
    let name = serde_json::to_string(hostile).unwrap();
    let manifest = desk.read("r/manifest.json").replace("\"grid\"", &name);
    fs::write(desk.path("r/manifest.json"), manifest).unwrap();
    desk.run(&["report", "r"]).exits(0);
    let page = desk.read("r/report.html");
    assert!(check_page(&page).iter().any(|text| text == hostile));
}

#[test]
fn points_whose_values_are_texts_have_names_that_a_shell_takes() {
    let (head, _) = GRID.split_once("[[expect]]").unwrap();
    let axis = "[study]\nreplications = 2\n[study.axes]\nabout = { set = \"description\", values = [\"it's <b>\", \"plain\"] }\n";
    let desk = Desk::with(&format!("{head}{axis}"));
    desk.study("r", &[]).exits(0);
    let page = desk.read("r/report.html");
    check_page(&page);
    let id = "about=it%27s%20<b>";
    assert!(page.contains("<button data-w=\"'about=it%27s%20&lt;b&gt;'\">about=it%27s%20&lt;b&gt;</button>"));
    desk.run(&["run", "grid.toml", "--seed", "42", "--point", id, "--replication", "0"]).exits(0);
}

/// Shipped results, also those of programs, which have no flows: what is stored is all that is needed.
#[test]
fn shipped_results_are_drawn_again_to_the_same_bytes() {
    let desk = Desk::new();
    for entry in fs::read_dir("reports/studies").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        std::process::Command::new("cp").arg("-r").arg(&path).arg(desk.path(name)).status().unwrap();
        let before = desk.files(name);
        assert!(before.contains_key("report.html"), "{name} has no page: reports/renew");
        desk.run(&["report", "-q", name]).exits(0);
        let mut after = desk.files(name);
        after.remove(".lock");
        assert!(after == before, "{name} is drawn in another way now: reports/renew");
        check_page(&desk.read(&format!("{name}/report.html")));
    }
}
