//! The shipped scenarios: each passes `check` without a warning it does not teach, and keeps its expectations.

use std::path::Path;

use mailslot_sim::report::{RunReport, Verdict};
use mailslot_sim::scenario::{Checked, Source, TEMPLATE, parse, schema};
use mailslot_sim::sim;
use serde_json::Value;

/// File name and text of every shipped scenario, and of the template.
fn shipped() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir("scenarios")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 8);
    files.push(("template".to_owned(), TEMPLATE.to_owned()));
    files
}

fn checked(name: &str, text: &str) -> Checked {
    let read_file = |name: &str| std::fs::read(Path::new("scenarios").join(name));
    parse(&Source { name, text, set: &[], read_file: &read_file }).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn every_scenario_is_sound_and_keeps_its_expectations() {
    for (name, text) in shipped() {
        let Checked { scenario, warnings } = checked(&name, &text);
        let expected_warnings = usize::from(name == "silent-failures.toml");
        assert_eq!(warnings.all().len(), expected_warnings, "{name}: {warnings}");
        let outcome = sim::run(&scenario, 0, &mut ());
        let report = RunReport::new(&scenario, 0, &outcome);
        assert!(!report.expectations().is_empty(), "{name} expects nothing");
        for expectation in report.expectations() {
            assert_eq!(expectation.result, Verdict::Holds, "{name}: {expectation:?}");
        }
    }
}

/// The bounds have room: they hold for nineteen of twenty other seeds too.
#[test]
fn expectations_do_not_hang_on_the_seed() {
    for (name, text) in shipped() {
        let scenario = checked(&name, &text).scenario;
        let violated = (1..=20).filter(|&replication| {
            let report = RunReport::new(&scenario, replication, &sim::run(&scenario, replication, &mut ()));
            report.expectations().iter().any(|expectation| expectation.result == Verdict::Violated)
        });
        let violated: Vec<u32> = violated.collect();
        assert!(violated.len() <= 1, "{name} fails for replications {violated:?}");
    }
}

#[test]
fn every_scenario_names_itself_and_its_schema() {
    for (name, text) in shipped() {
        if name != "template" {
            assert!(
                text.starts_with("#:schema ../schemas/scenario.schema.json\n#"),
                "{name} has no schema line and lesson"
            );
            assert_eq!(format!("{}.toml", checked(&name, &text).scenario.name()), name);
        }
    }
}

/// Other programs see what ours sees: an independent validator accepts every scenario under the published schema.
#[test]
fn scenarios_and_reports_satisfy_their_schemas() {
    let scenarios = jsonschema::validator_for(&schema()).unwrap();
    let reports = jsonschema::validator_for(&mailslot_sim::report::schema()).unwrap();
    for (name, text) in shipped() {
        let value: toml::Value = text.parse::<toml::Table>().unwrap().into();
        let value = serde_json::to_value(value).unwrap();
        let errors: Vec<String> = scenarios.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");

        let scenario = checked(&name, &text).scenario;
        let report = RunReport::new(&scenario, 0, &sim::run(&scenario, 0, &mut ()));
        let report: Value = serde_json::from_str(&report.to_json()).unwrap();
        let errors: Vec<String> = reports.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "report of {name}: {errors:?}");
    }
}

/// `mailslot-sim schema scenario > schemas/scenario.schema.json` renews them.
#[test]
fn the_committed_schemas_are_the_generated_ones() {
    for (file, generated) in
        [("schemas/scenario.schema.json", schema()), ("schemas/report.schema.json", mailslot_sim::report::schema())]
    {
        let committed: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(committed, generated, "{file} is out of date");
    }
}

/// Comments, layout and order of keys do not matter to the hash; a value does, and a default written out does not.
#[test]
fn the_hash_is_that_of_the_resolved_scenario() {
    let hash = |text: &str| checked("test", text).scenario.hash();
    let text = TEMPLATE.replace("duration = \"60 s\"", "duration = \"1 min\"").replace('#', "# again");
    assert_eq!(hash(&text), hash(TEMPLATE));
    assert_eq!(hash(&format!("drain = \"10 s\"\n{TEMPLATE}")), hash(TEMPLATE));
    assert_ne!(hash(&TEMPLATE.replace("burst = 4.0", "burst = 5.0")), hash(TEMPLATE));
    assert_ne!(hash(&TEMPLATE.replace("seed = \"0\"", "seed = \"1\"")), hash(TEMPLATE));
}

/// Every figure that an expectation can name stands in the report at that path, with that value.
#[test]
fn expectations_see_the_figures_of_the_report() {
    let scenario = checked("duplicates", &std::fs::read_to_string("scenarios/duplicates.toml").unwrap()).scenario;
    let outcome = sim::run(&scenario, 0, &mut ());
    let report: Value = serde_json::from_str(&RunReport::new(&scenario, 0, &outcome).to_json()).unwrap();
    let tally = &outcome.tally.flows[0];
    for path in mailslot_sim::stats::Metric::paths() {
        let metric = mailslot_sim::stats::Metric::parse(&path, false).unwrap();
        let mut value = path.split('.').fold(&report["flows"][0], |value, key| &value[key]);
        if let Some(inner) = value.get("value") {
            value = inner;
        }
        let left_out = path.starts_with("fates.") && value.is_null();
        assert_eq!(metric.value(tally), if left_out { Some(0.0) } else { value.as_f64() }, "{path}");
    }
}
