//! The page of a run: whole, harmless, small, and true to what happened.

#[path = "support/pages.rs"]
mod pages;
mod support;

use std::collections::BTreeMap;

use mailslot_sim::report::{Explain, Question, RunPage, RunReport};
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::stats::Fate;
use pages::{check_page, check_picture};
use serde_json::Value;
use support::{report, scenario, shipped, trace};

/// The page of a run, and its pictures.
fn drawn(scenario: &Scenario) -> (String, Vec<(String, String)>) {
    let mut page = RunPage::new(scenario);
    let outcome = sim::run(scenario, 0, &mut page).unwrap();
    let report = RunReport::new(scenario, 0, &outcome);
    (page.draw(scenario, &outcome, &report, "mailslot-sim run it.toml"), page.figures(scenario))
}

/// An arrow of a diagram.
#[derive(Debug)]
struct Arrow {
    from: String,
    to: String,
    /// In nanoseconds.
    start: u64,
    end: u64,
    is_part: bool,
    fate: Option<String>,
    /// How it was lost, and on which link.
    lost: Option<(String, String)>,
    question: Option<String>,
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
            from: facts[1].to_owned(),
            to: facts[2].to_owned(),
            start: seconds(facts[3]),
            end: seconds(facts[4]),
            is_part: facts[6].ends_with('1'),
            fate: attribute(tag, "data-k"),
            lost: attribute(tag, "data-l").map(|lost| {
                let (how, link) = lost.split_once(" on ").unwrap();
                (how.to_owned(), link.to_owned())
            }),
            question: attribute(tag, "data-q"),
        }
    })
    .collect()
}

/// What the rows of the maps of a page say: of each fate how many cells have it.
fn cells(page: &str) -> BTreeMap<&'static str, u64> {
    let mut cells = BTreeMap::new();
    for row in page.split("<g data-k=\"").skip(1) {
        let row = &row[..row.find('"').unwrap()];
        let mut count = String::new();
        for c in row.chars() {
            if c.is_ascii_digit() {
                count.push(c);
                continue;
            }
            let number: u64 = if count.is_empty() { 1 } else { count.parse().unwrap() };
            count.clear();
            if c != '.' && c != 'x' {
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
    let scenario = shipped("crash-and-return", &[]);
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
        let scenario = shipped(name, &[]);
        let report = report(&scenario, 0);
        let counted = report["totals"]["fates"].as_object().unwrap();
        let counted: BTreeMap<_, _> =
            counted.iter().map(|(fate, count)| (fate.as_str(), count.as_u64().unwrap())).collect();
        let shown: BTreeMap<&str, u64> = cells(&drawn(&scenario).0).into_iter().collect();
        assert_eq!(shown, counted, "{name}");
    }
}

/// What a trace says of datagrams between hosts: who they are from and to, when they left and when they came; and those that were lost,
/// how and where.
type Traced = (BTreeMap<(String, String, u64), u64>, BTreeMap<(String, String), u64>);

fn traced(scenario: &Scenario) -> Traced {
    let (mut came, mut lost) = (BTreeMap::new(), BTreeMap::new());
    for line in trace(scenario) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        match line["event"].as_str().unwrap() {
            "lost" => *lost.entry((text("fate"), text("link"))).or_default() += 1,
            "arrived" => *came.entry((text("from"), text("host"), line["t_ns"].as_u64().unwrap())).or_default() += 1,
            _ => {}
        }
    }
    (came, lost)
}

/// The same of a diagram. Fragments that another one speaks for are no arrivals of their own.
fn pictured(arrows: &[Arrow]) -> Traced {
    let (mut came, mut lost) = (BTreeMap::new(), BTreeMap::new());
    for arrow in arrows {
        match &arrow.lost {
            Some(lost_on) => *lost.entry(lost_on.clone()).or_default() += 1,
            None if arrow.from == arrow.to || arrow.is_part => {}
            None => *came.entry((arrow.from.clone(), arrow.to.clone(), arrow.end)).or_default() += 1,
        }
    }
    (came, lost)
}

/// A diagram that has room for all has an arrow for each datagram that was lost, and one for each that arrived, when it did: in
/// networks of every kind.
#[test]
fn arrows_are_what_the_trace_says() {
    let queries = r#"
        schema = 1
        name = "queries"
        duration = "3 s"
        name_service = "broadcast"
        [link.bad]
        loss = "40 %"
        delay = "3 ms"
        [segment.s]
        link = "bad"
        [[host]]
        name = "H{1..4}"
        segment = "s"
        [[mailslot]]
        on = "H4"
        name = "t"
        [[traffic]]
        name = "f"
        from = "H{1..3}"
        to = '\\H4\mailslot\t'
        every = "1 s"
        "#;
    let homes = r#"
        schema = 1
        name = "homes"
        duration = "2 s"
        [link.bad]
        loss = "20 %"
        delay = { distribution = "uniform", min = "1 ms", max = "9 ms" }
        duplicate = "20 %"
        [segment.a]
        link = "bad"
        [segment.b]
        link = "bad"
        [segment.c]
        link = "bad"
        [[host]]
        name = "A"
        segment = ["a", "b"]
        [[host]]
        name = "B"
        segment = ["b", "c"]
        [[host]]
        name = "C"
        segment = "c"
        [[router]]
        name = "R"
        joins = ["a", "b", "c"]
        link = "bad"
        forward_broadcast = true
        [[mailslot]]
        on = "{A,B,C}"
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\WORKGROUP\mailslot\t'
        every = "200 ms"
        "#;
    let slots = r#"[[mailslot]]
        on = "A"
        name = "t"
        [[mailslot]]
        on = "B"
        name = "t"
        [[mailslot]]
        on = "C"
        name = "t""#;
    let homes = homes.replace("[[mailslot]]\n        on = \"{A,B,C}\"\n        name = \"t\"", slots);
    for (name, scenario) in [
        ("hello", shipped("hello", &[])),
        ("silent-failures", shipped("silent-failures", &[])),
        ("samba-election", shipped("samba-election", &[])),
        ("acknowledged and doubled", shipped("app-level-ack", &["duration=2 s", "link.radio.duplicate=50 %"])),
        ("queries", scenario(queries)),
        ("several segments", scenario(&homes)),
    ] {
        let (page, _) = drawn(&scenario);
        assert!(!page.contains("(MAX_ARROWS)") && !page.contains("(MAX_ASIDES)"), "{name}: all are drawn");
        let arrows = arrows(&page);
        assert_eq!(pictured(&arrows), traced(&scenario), "{name}");
        assert!(arrows.iter().all(|arrow| arrow.start <= arrow.end), "{name}");
        assert!(arrows.len() > 20, "{name}");
    }
}

/// IP fragments are arrows of their own, which end when they come, and not when the rest is given up.
#[test]
fn fragments_end_when_they_come() {
    let (page, _) = drawn(&shipped("small-mtu", &["duration=10 s"]));
    let arrows = arrows(&page);
    assert!(arrows.iter().any(|arrow| arrow.is_part) && arrows.iter().any(|arrow| arrow.lost.is_some()));
    for arrow in &arrows {
        assert!(arrow.end - arrow.start < 1_000_000_000, "{arrow:?}");
    }
}

/// Every command that a page copies can be run, and tells of the fate that the page shows.
#[test]
fn questions_of_a_page_have_answers() {
    for (name, flow_with_several) in [("one-way-cut", true), ("plant-alarm", false)] {
        let scenario = shipped(name, &[]);
        let (page, _) = drawn(&scenario);
        let arrows = arrows(&page);
        let asked: Vec<&Arrow> = arrows.iter().filter(|arrow| arrow.question.is_some()).step_by(150).collect();
        assert!(asked.len() > 5);
        for arrow in asked {
            let text = arrow.question.as_deref().unwrap();
            assert!(!flow_with_several || text.starts_with("orders:") || text.starts_with("status/STATION"), "{text}");
            let question = Question::parse(&scenario, text).unwrap();
            let mut life = Explain::new(&scenario, question);
            sim::run(&scenario, 0, &mut life).unwrap();
            let life = life.finish().unwrap();
            assert!(life.lines().next().unwrap().contains(arrow.fate.as_deref().unwrap()), "{text}: {life}");
        }
    }
}

/// A write that fails has a cell of its own: it is neither a fate nor nothing.
#[test]
fn writes_that_fail_are_on_the_map() {
    let (page, _) = drawn(&shipped("windows-11", &[]));
    assert!(page.contains("class=\"failed\"") && page.contains("write failed"));
    assert!(page.contains("<g data-k=\"60x\" data-q=\"from-new:#@OLD1\">"), "a row of failures");
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

/// Everything at once that a page has limits for: flows, phases, expectations, faults with long words, hosts with the longest names.
#[test]
fn a_page_with_everything_is_small() {
    let long = "x".repeat(40);
    let mut text = format!(
        r#"
        schema = 1
        name = "{long}"
        description = "{}"
        duration = "100 s"
        [link.coin]
        loss = "50 %"
        [segment.{long}]
        link = "coin"
        [[host]]
        name = "THE-LONGEST{{0001..1100}}"
        segment = "{long}"
        [[mailslot]]
        on = "THE-LONGEST{{0001..0040}}"
        name = "t"
        "#,
        "&<>\\\"".repeat(10_000)
    );
    for number in 0..20 {
        text += &format!(
            "[[traffic]]\nname = \"{long}{number:02}\"\nfrom = \"THE-LONGEST1000\"\nto = '\\\\WORKGROUP\\mailslot\\t'\nevery = \"1 s\"\n"
        );
    }
    for number in 0..100 {
        let name = format!("{number:02}{long}");
        text += &format!("[[phase]]\nname = \"{name}\"\nfrom = \"{number} s\"\nto = \"{} s\"\n", number + 1);
        text += &format!(
            "[[event]]\nat = \"{number} s\"\nfor = \"500 ms\"\npartition = [[\"THE-LONGEST{{0001..0500}}\"], [\"THE-LONGEST{{0501..1100}}\"]]\n"
        );
        text += "[[expect]]\nmetric = \"delivery_ratio\"\nat_least = 0.9\n[[expect]]\nmetric = \"all_ratio\"\nat_least = 0.9\n".replace("all_ratio", "fates.delivered").as_str();
    }
    let scenario = scenario(&text);
    let (page, pictures) = drawn(&scenario);
    check_page(&page);
    for limit in ["(MAX_PHASE_ROWS)", "(MAX_ROWS)"] {
        assert!(page.contains(limit), "{limit}");
    }
    pictures.iter().for_each(|(name, picture)| check_picture(name, picture));
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
