//! The studies in scenarios/studies, and their results in reports/studies.

use std::collections::BTreeMap;
use std::fs;

use mailslot_sim::scenario::{Source, parse};
use mailslot_sim::study::Plan;

/// Name and text of every study.
fn shipped() -> Vec<(String, String)> {
    let files = fs::read_dir("scenarios/studies").unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    let mut studies: Vec<(String, String)> = files.map(read).collect();
    studies.sort();
    assert!(studies.len() >= 5);
    studies
}

#[test]
fn every_study_is_sound_and_listed() {
    let readme = fs::read_to_string("README.md").unwrap();
    for (name, text) in shipped() {
        let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        let source = Source { name: &name, text: &text, set: &[], read_file: &no_files };
        let checked = parse(&source).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(checked.warnings.to_string(), "", "{name}");
        assert_eq!(checked.scenario.name(), name);
        assert!(
            text.starts_with("#:schema ../../schemas/scenario.schema.json\n#"),
            "{name} has no schema line and lesson"
        );
        assert!(readme.contains(&format!("(scenarios/studies/{name}.toml)")), "{name} is not in the README");
        let plan =
            Plan::new(&checked.study, &checked.scenario, &no_files).unwrap_or_else(|problems| panic!("{problems}"));
        let manifest = fs::read_to_string(format!("reports/studies/{name}/manifest.json")).unwrap();
        let whole = plan.manifest().to_json(&checked.scenario);
        assert!(manifest == whole, "reports/studies/{name} is of another version: reports/renew");
    }
}

/// Wherever there is a closed form of a main figure, the measurement is near it: within four times the half width of its
/// interval, about eight standard errors. With some hundred points, a false alarm is less likely than 1 in 10,000 however the
/// seeds are chosen.
#[test]
fn the_results_are_those_of_the_closed_forms() {
    for (name, _) in shipped() {
        let mut reader = csv::Reader::from_path(format!("reports/studies/{name}/points.csv")).unwrap();
        let mut rows: BTreeMap<(String, String, String), [Option<f64>; 3]> = BTreeMap::new();
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|it| it == name).unwrap();
        let texts = ["point", "flow", "metric"].map(column);
        let numbers = ["value", "low", "high"].map(column);
        for row in reader.records() {
            let row = row.unwrap();
            let [point, flow, metric] = texts.map(|at| row[at].to_owned());
            rows.insert((point, flow, metric), numbers.map(|at| row[at].parse().ok()));
        }
        let mut compared = 0;
        for ((point, flow, metric), [theory, ..]) in &rows {
            let Some(metric) = metric.strip_prefix("theory.") else { continue };
            let found = rows[&(point.clone(), flow.clone(), metric.to_owned())];
            let (Some(theory), [Some(value), Some(low), Some(high)]) = (theory, found) else { continue };
            let half = (high - low) / 2.0;
            assert!((value - theory).abs() <= 4.0 * half, "{name}, {point}: {metric} is {value}, in theory {theory}");
            compared += 1;
        }
        assert!(compared >= 13, "{name}: {compared} figures have closed forms");
    }
}
