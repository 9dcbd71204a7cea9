//! The page of a run: whole, harmless, small, and true to what happened.

#[path = "support/pages.rs"]
mod pages;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use mailslot_sim::report::{RunPage, RunReport};
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::stats::Fate;
use pages::{check_page, check_picture};
use serde_json::Value;
use support::{report, scenario, trace};

/// The page of a run, and its pictures.
fn drawn(scenario: &Scenario) -> (String, Vec<(String, String)>) {
    let mut page = RunPage::new(scenario);
    let outcome = sim::run(scenario, 0, &mut page).unwrap();
    let report = RunReport::new(scenario, 0, &outcome);
    (page.draw(scenario, &outcome, &report, "mailslot-sim run it.toml"), page.figures(scenario))
}

fn shipped(name: &str) -> Scenario {
    scenario(&std::fs::read_to_string(format!("scenarios/{name}.toml")).unwrap())
}

/// An arrow of a diagram.
struct Arrow {
    flow: String,
    message: u64,
    from: String,
    to: String,
    /// In nanoseconds.
    end: u64,
    fate: Option<String>,
    link: Option<String>,
}

/// All arrows of a page.
fn arrows(page: &str) -> Vec<Arrow> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest[..rest.find('"')?].replace("&gt;", ">").replace("&amp;", "&"))
    };
    let tags = page.split("<g ").filter(|tag| tag.contains(" data-i=\""));
    tags.map(|tag| {
        let tag = &tag[..tag.find('>').unwrap()];
        let facts = attribute(tag, "data-i").unwrap();
        let facts: Vec<&str> = facts.split('\t').collect();
        let seconds = |text: &str| {
            let (whole, part) =
                text.strip_suffix(" s").unwrap().split_once('.').unwrap_or((&text[..text.len() - 2], ""));
            whole.parse::<u64>().unwrap() * 1_000_000_000 + format!("{part:0<9}").parse::<u64>().unwrap()
        };
        Arrow {
            flow: attribute(tag, "data-f").unwrap(),
            message: facts[0].parse().unwrap(),
            from: facts[1].to_owned(),
            to: facts[2].to_owned(),
            end: seconds(facts[4]),
            fate: attribute(tag, "data-k"),
            link: attribute(tag, "data-l"),
        }
    })
    .collect()
}

/// What the rows of the maps of a page say: of each fate how many cells have it.
fn cells(page: &str) -> BTreeMap<&'static str, u64> {
    let mut cells = BTreeMap::new();
    for row in page.split(" data-k=\"").skip(1).filter(|row| row.contains(" data-q=\"")) {
        let row = &row[..row.find('"').unwrap()];
        let mut count = String::new();
        for c in row.chars() {
            if c.is_ascii_digit() {
                count.push(c);
                continue;
            }
            let number: u64 = if count.is_empty() { 1 } else { count.parse().unwrap() };
            count.clear();
            if c != '.' {
                *cells.entry(Fate::ALL[(c as u8 - b'a') as usize].name()).or_default() += number;
            }
        }
    }
    cells
}

#[test]
fn every_shipped_scenario_has_a_sound_page_and_pictures() {
    let mut seen = 0;
    for entry in std::fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let scenario = scenario(&std::fs::read_to_string(&path).unwrap());
        let (page, pictures) = drawn(&scenario);
        let texts = check_page(&page);
        assert!(texts.iter().any(|text| text == "From host to host"), "{}", path.display());
        assert!(pictures.iter().any(|(name, _)| name == "space-time"));
        for (name, picture) in pictures {
            check_picture(&format!("{} {name}", path.display()), &picture);
        }
        seen += 1;
    }
    assert!(seen >= 19);
}

#[test]
fn the_same_run_has_the_same_page() {
    let scenario = shipped("crash-and-return");
    assert_eq!(drawn(&scenario), drawn(&scenario));
}

/// Where a map shows all, its cells add up to the report.
#[test]
fn maps_say_what_the_report_counts() {
    for name in [
        "plant-alarm",
        "silent-failures",
        "crash-and-return",
        "one-way-cut",
        "app-level-ack",
        "samba-election",
        "branch-office",
    ] {
        let scenario = shipped(name);
        let report = report(&scenario, 0);
        let counted = report["totals"]["fates"].as_object().unwrap();
        let counted: BTreeMap<_, _> =
            counted.iter().map(|(fate, count)| (fate.as_str(), count.as_u64().unwrap())).collect();
        let shown: BTreeMap<&str, u64> = cells(&drawn(&scenario).0).into_iter().collect();
        assert_eq!(shown, counted, "{name}");
    }
}

/// A diagram that has room for all has an arrow for each datagram that a link lost, and one for each that arrived, when it did.
#[test]
fn arrows_are_what_the_trace_says() {
    for name in ["hello", "silent-failures", "samba-election", "crash-and-return"] {
        let scenario = shipped(name);
        let (page, _) = drawn(&scenario);
        let arrows = arrows(&page);
        let mut lost: BTreeMap<String, u64> = BTreeMap::new();
        let mut arrived: BTreeSet<(String, u64, String, u64)> = BTreeSet::new();
        for line in trace(&scenario) {
            let line: Value = serde_json::from_str(&line).unwrap();
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            match line["event"].as_str().unwrap() {
                "lost" => *lost.entry(text("link")).or_default() += 1,
                "arrived" if line.get("service").is_none() => {
                    let (message, at) = (line["message"].as_u64().unwrap(), line["t_ns"].as_u64().unwrap());
                    arrived.insert((text("flow"), message, text("host"), at));
                }
                _ => {}
            }
        }
        let mut drawn: BTreeMap<String, u64> = BTreeMap::new();
        for arrow in &arrows {
            if let Some(link) = &arrow.link {
                *drawn.entry(link.clone()).or_default() += 1;
            }
        }
        assert_eq!(drawn, lost, "{name}");
        let is_paused = name == "crash-and-return"; // what comes for a host that stands still arrives later
        let ends: BTreeSet<_> = arrows
            .iter()
            .filter(|arrow| arrow.link.is_none() && arrow.from != arrow.to)
            .map(|arrow| (arrow.flow.clone(), arrow.message, arrow.to.clone(), arrow.end))
            .collect();
        let missing: Vec<_> = arrived.difference(&ends).collect();
        assert!(missing.is_empty() || is_paused && missing.iter().all(|it| it.2 == "CONSOLE3"), "{name}: {missing:?}");
        assert!(arrows.iter().filter(|arrow| arrow.fate.as_deref() == Some("delivered")).count() > 0);
    }
}

/// A hundred recipients of a thousand messages, each lost or not by the toss of a coin, in a domain of more, all with the longest
/// names; and everything that happens to hosts.
fn crowded() -> Scenario {
    scenario(
        r#"
        schema = 1
        name = "crowded"
        duration = "100 s"
        [link.coin]
        loss = "50 %"
        duplicate = "50 %"
        delay = { distribution = "exponential", mean = "20 ms" }
        [segment.a-segment-with-a-long-name]
        link = "coin"
        [[host]]
        name = "THE-LONGEST{0001..1200}"
        segment = "a-segment-with-a-long-name"
        [[mailslot]]
        on = "THE-LONGEST{0001..0150}"
        name = "t"
        [[traffic]]
        name = "a-flow-with-a-long-name"
        from = "THE-LONGEST1200"
        to = '\\WORKGROUP\mailslot\t'
        every = "100 ms"
        [[traffic]]
        name = "another-flow-with-a-long-name"
        from = "THE-LONGEST0001"
        to = '\\WORKGROUP\mailslot\t'
        every = "100 ms"
        [[event]]
        every = { exponential = "5 s" }
        for = "1 s"
        crash = "THE-LONGEST{0001..0100}"
        "#,
    )
}

#[test]
fn a_crowded_page_is_small_and_says_what_it_leaves_out() {
    let scenario = crowded();
    let (page, pictures) = drawn(&scenario);
    check_page(&page);
    for limit in ["(MAX_ARROWS)", "(MAX_LANES)", "(MAX_RUNS)", "(MAX_ROWS)", "(MAX_INCIDENTS)"] {
        assert!(page.contains(limit), "{limit}");
    }
    for (name, picture) in pictures {
        check_picture(&name, &picture);
        assert!(picture.len() < 700_000, "{name}: {}", picture.len());
    }
}

/// Descriptions are free text; hosts may have quotes and ampersands in their names, mailslots anything that is printable.
#[test]
fn nothing_of_a_scenario_becomes_part_of_the_page() {
    let evil = "</title><script>alert(1)</script>' onload=x \u{202e}&amp;<b>\u{1}";
    let text = format!(
        r#"
        schema = 1
        name = "evil"
        description = """{}{}"""
        duration = "2 s"
        [segment.s]
        [[host]]
        name = "A'&B"
        segment = "s"
        [[host]]
        name = "C&D"
        segment = "s"
        [[mailslot]]
        on = "C&D"
        name = '<b>"&'
        [[traffic]]
        name = "f"
        from = "A'&B"
        to = '\\C&D\mailslot\<b>"&'
        every = "1 s"
        "#,
        evil.replace('\u{1}', "\\u0001"),
        "x".repeat(10_000)
    );
    let scenario = scenario(&text);
    let (page, pictures) = drawn(&scenario);
    assert!(page.contains("&lt;script&gt;alert(1)"));
    let texts = check_page(&page);
    assert!(
        texts.iter().any(|text| text.starts_with("</title><script>alert(1)</script>")),
        "it is there as it was written"
    );
    pictures.iter().for_each(|(name, picture)| check_picture(name, picture));
}
