//! The shipped scenarios: each passes `check` without a warning it does not teach, and keeps its expectations.

use std::path::Path;

use mailslot_sim::report::{RunReport, Verdict};
use mailslot_sim::scenario::{Checked, Source, TEMPLATE, parse, schema};
use mailslot_sim::sim;
use mailslot_sim::stats::{Metric, Subject};
use proptest::prelude::*;
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
        let Checked { scenario, warnings, .. } = checked(&name, &text);
        let expected_warnings = match name.as_str() {
            "silent-failures.toml" => 2,
            "windows-11.toml" => 2,
            _ => 0,
        };
        assert_eq!(warnings.all().len(), expected_warnings, "{name}: {warnings}");
        let outcome = sim::run(&scenario, 0, &mut ()).unwrap();
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
            let report = RunReport::new(&scenario, replication, &sim::run(&scenario, replication, &mut ()).unwrap());
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

#[test]
fn the_readme_lists_every_scenario() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    for (name, _) in shipped().iter().filter(|(name, _)| name != "template") {
        assert!(readme.contains(&format!("(scenarios/{name})")), "{name} is not in the README");
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
        let report = RunReport::new(&scenario, 0, &sim::run(&scenario, 0, &mut ()).unwrap());
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
        assert!(committed == generated, "{file} is out of date");
    }
}

/// `mailslot-sim run -q scenarios/NAME.toml --out reports/NAME` renews them. A difference means that results changed
/// for users: on purpose, or because something is not the same on every machine.
#[test]
fn the_reference_results_are_those_of_this_version() {
    for (name, text) in shipped() {
        let Some(name) = name.strip_suffix(".toml") else { continue };
        let file = format!("reports/{name}/report.json");
        let committed = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let scenario = checked(name, &text).scenario;
        let report = RunReport::new(&scenario, 0, &sim::run(&scenario, 0, &mut ()).unwrap());
        assert!(committed == report.to_json(), "{file} is out of date");
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
    let outcome = sim::run(&scenario, 0, &mut ()).unwrap();
    let report: Value = serde_json::from_str(&RunReport::new(&scenario, 0, &outcome).to_json()).unwrap();
    let tally = &outcome.tally.flows[0];
    for path in Metric::paths(Subject::Flow) {
        let metric = Metric::parse(&path, Subject::Flow).unwrap();
        let mut value = path.split('.').fold(&report["flows"][0], |value, key| &value[key]);
        if let Some(inner) = value.get("value") {
            value = inner;
        }
        let left_out = path.starts_with("fates.") && value.is_null();
        assert_eq!(metric.value(tally), if left_out { Some(0.0) } else { value.as_f64() }, "{path}");
    }
}

/// Values of every kind, among them those that are nearly right.
fn odd_value() -> impl Strategy<Value = toml::Value> {
    let text = prop::sample::select(vec![
        "",
        "x",
        "0 s",
        "1 ns",
        "3650 d",
        "9999999 d",
        "-1 s",
        "100 %",
        "101 %",
        "0 B",
        "4 GB",
        "0 /s",
        "1e9 /s",
        "wait",
        "normal",
        "pareto",
        r"\\.\mailslot\x",
        r"\\*\mailslot\x",
        r"\\NOBODY\mailslot\x",
        r"\\PLANT",
        "CTRL",
        "PANEL{1..3}",
        "PANEL{3..1}",
        "{",
        "\u{202e}",
        "\u{0}",
        "FARMDOM<1E>",
        "<>",
        "switch",
        "delivery_ratio",
        "data/samba-election.pcap",
    ]);
    prop_oneof![
        text.prop_map(toml::Value::from),
        any::<String>().prop_map(toml::Value::from),
        any::<i64>().prop_map(toml::Value::from),
        prop::sample::select(vec![0.0, -1.0, 0.5, 1.5, f64::NAN, f64::INFINITY, 1e300]).prop_map(toml::Value::from),
        any::<bool>().prop_map(toml::Value::from),
        Just("1979-05-27".parse::<toml::value::Datetime>().unwrap().into()),
        Just(toml::Value::Array(Vec::new())),
        Just(toml::Value::Array(vec!["1 s".into(), 5.into()])),
        Just(toml::Value::Table(toml::Table::new())),
        Just("mean = '5 %'\nburst = 0".parse::<toml::Table>().unwrap().into()),
    ]
}

/// Replaces the value that `choices` leads to, or adds a key beside it.
fn alter(value: &mut toml::Value, choices: &[prop::sample::Index], odd: &toml::Value) {
    let below = match value {
        toml::Value::Table(table) if !table.is_empty() => {
            let at = choices[0].index(table.len());
            table.iter_mut().nth(at).map(|(_, value)| value)
        }
        toml::Value::Array(items) if !items.is_empty() => {
            let at = choices[0].index(items.len());
            items.get_mut(at)
        }
        _ => None,
    };
    match below {
        Some(below) if choices.len() > 1 => alter(below, &choices[1..], odd),
        Some(below) => *below = odd.clone(),
        None => *value = odd.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// No file makes the parser panic, and what it accepts has a hash: shipped scenarios with values replaced at
    /// random.
    #[test]
    fn no_scenario_panics(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 1..5), odd_value()), 1..4),
    ) {
        let files = shipped();
        let (name, text) = &files[which.index(files.len())];
        let mut value = toml::Value::Table(text.parse().unwrap());
        for (choices, odd) in &edits {
            alter(&mut value, choices, odd);
        }
        let text = toml::to_string(&value).unwrap();
        let read_file = |name: &str| std::fs::read(Path::new("scenarios").join(name));
        match parse(&Source { name, text: &text, set: &[], read_file: &read_file }) {
            Ok(checked) => prop_assert_eq!(checked.scenario.hash().len(), 64),
            Err(problems) => prop_assert!(problems.to_string().contains("error: ")),
        }
    }

    /// The same for texts that are no TOML any more.
    #[test]
    fn no_text_panics(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[ -~\\n\\PC]{0,3}", 0..4_usize), 1..6),
    ) {
        let files = shipped();
        let (name, text) = &files[which.index(files.len())];
        let mut chars: Vec<char> = text.chars().collect();
        for (at, insert, remove) in edits {
            let at = at.index(chars.len());
            let end = (at + remove).min(chars.len());
            chars.splice(at..end, insert.chars());
        }
        let text: String = chars.into_iter().collect();
        let read_file = |name: &str| std::fs::read(Path::new("scenarios").join(name));
        if let Err(problems) = parse(&Source { name, text: &text, set: &[], read_file: &read_file }) {
            prop_assert!(problems.to_string().contains("error: "));
        }
    }
}
