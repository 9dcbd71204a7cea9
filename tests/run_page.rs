//! The page of a run: whole, harmless, small, and true to what happened.

#[path = "support/pages.rs"]
mod pages;
#[path = "support/run_pages.rs"]
mod run_pages;
mod support;

use std::collections::BTreeMap;

use mailslot_sim::report::{Explain, Question};
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::stats::Fate;
use pages::{check_page, check_picture};
use run_pages::{Arrow, arrows, drawn, pictured, traced};
use support::{report, scenario, shipped};

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
        on = "A"
        name = "t"
        [[mailslot]]
        on = "B"
        name = "t"
        [[mailslot]]
        on = "C"
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\WORKGROUP\mailslot\t'
        every = "200 ms"
        "#;
    for (name, scenario) in [
        ("hello", shipped("hello", &[])),
        ("silent-failures", shipped("silent-failures", &[])),
        ("samba-election", shipped("samba-election", &[])),
        ("acknowledged and doubled", shipped("app-level-ack", &["duration=2 s", "link.radio.duplicate=50 %"])),
        ("queries", scenario(queries)),
        ("several segments", scenario(homes)),
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
    let copies = ["traffic.eight.copies=3", "traffic.eight.spacing=5 ms", "duration=20 s"];
    for (name, set, flow_with_several) in
        [("one-way-cut", &[][..], true), ("plant-alarm", &[], false), ("whole-audience", &copies, false)]
    {
        let scenario = shipped(name, set);
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
            let fate = arrow.other.as_deref().or(arrow.fate.as_deref()).unwrap();
            assert!(life.lines().next().unwrap().contains(fate), "{text}: {life}");
        }
    }
}

/// A write that fails has a cell of its own: it is neither a fate nor nothing.
#[test]
fn writes_that_fail_are_on_the_map() {
    let (page, _) = drawn(&shipped("windows-11", &[]));
    assert!(page.contains("class=\"failed\"") && page.contains("write failed"));
    assert!(page.contains("<g data-k=\"60x\" data-q=\":#@OLD1\">"), "a row of failures");
}

/// Hosts A and B, on segments of their own with a router between if `routed`, and a flow from one to the other.
fn pair(link: &str, routed: bool, more: &str) -> Scenario {
    let (to, router) = match routed {
        true => ("b", "[segment.b]\n[[router]]\nname = \"R\"\njoins = [\"a\", \"b\"]\nlink = \"slow\"\n"),
        false => ("a", ""),
    };
    scenario(&format!(
        r#"
        schema = 1
        name = "pair"
        duration = "5 s"
        drain = "1 s"
        [link.slow]
        delay = "100 s"
        [segment.a]
        {link}
        {router}
        [[host]]
        name = "A"
        segment = "a"
        [[host]]
        name = "B"
        segment = "{to}"
        [[mailslot]]
        on = "B"
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        every = "1 s"
        {more}
        "#
    ))
}

/// Datagrams that are still on a link when the run ends have arrows, wherever that is; broadcasts to all have one.
#[test]
fn what_is_on_its_way_has_an_arrow() {
    let [computer, domain] = [r"to = '\\B\mailslot\t'", r"to = '\\WORKGROUP\mailslot\t'"];
    for (target, slow, routed) in [
        (computer, "link = { up = \"slow\" }", false),
        (computer, "link = { down = \"slow\" }", false),
        (domain, "link = { up = \"slow\" }", false),
        (computer, "", true),
    ] {
        let (page, pictures) = drawn(&pair(slow, routed, target));
        let on_their_way = arrows(&page)
            .iter()
            .filter(|arrow| arrow.fate.as_deref() == Some("in_flight") && arrow.end == 6_000_000_000)
            .count();
        assert_eq!(on_their_way, 5, "{target} {slow} {routed}");
        assert!(pictures.iter().any(|(name, picture)| name == "space-time" && picture.contains("in_flight")));
    }
}

/// What never became a datagram has a mark at its sender: a write that fails, and a recipient that nothing leads to.
#[test]
fn what_never_left_has_a_mark() {
    let report = report(&shipped("windows-11", &[]), 0);
    let failed: u64 =
        report["totals"]["sender"]["failed"].as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
    let (page, _) = drawn(&shipped("windows-11", &[]));
    assert_eq!(arrows(&page).iter().filter(|arrow| arrow.is_mark).count() as u64, failed);
    assert!(failed > 0 && page.contains("write that failed"));
    let (page, _) = drawn(&shipped("branch-office", &[]));
    let marks = arrows(&page).into_iter().filter(|arrow| arrow.is_mark);
    let asked = marks.filter(|arrow| arrow.question.as_deref().is_some_and(|it| it.contains("@BRANCH"))).count();
    assert_eq!(asked, cells(&page)["unreachable"] as usize);
}

/// A flow of which nothing was written has its section all the same.
#[test]
fn a_flow_without_senders_is_on_the_page() {
    let (page, _) = drawn(&shipped("samba-election", &["duration=1 ns"]));
    assert!(check_page(&page).iter().any(|text| text == "election"));
}

/// The faults of a run: bars for what lasts, dots for the rest, names where there is room; hosts that are down or stand still in the
/// diagram and its legend.
#[test]
fn faults_are_drawn() {
    let (page, _) = drawn(&shipped("crash-and-return", &[]));
    let (diagram, faults) = page.split_once("<h2 id=\"faults\">").unwrap();
    for (class, label) in [("down", "the host is down"), ("still", "the host stands still")] {
        assert_eq!(
            diagram.matches(&format!("<line class=\"{class}\"")).count(),
            2,
            "one of the host, one of the legend"
        );
        assert!(diagram.contains(&format!(">{label}</text>")));
    }
    for name in ["crash", "pause"] {
        assert!(faults.contains(&format!("<rect class=\"bar {name}\"")) && faults.contains(&format!(">{name}</text>")));
    }

    let often = "event=[{ at = \"1 ms\", heal = true }, { every = { exponential = \"100 ms\" }, for = \"50 ms\", crash = \"CONSOLE2\" }]";
    let (page, _) = drawn(&shipped("crash-and-return", &[often, "duration=300 s", "seed=\"4\""]));
    assert!(page.contains("Shown are the first 500 faults (MAX_INCIDENTS), until "));
    let longest = page.split("<line class=\"down\"").skip(1).map(|line| {
        let of = |name: &str| -> f64 {
            line.split_once(&format!("{name}=\"")).unwrap().1.split_once('"').unwrap().0.parse().unwrap()
        };
        of("y2") - of("y1")
    });
    assert!(longest.fold(0.0, f64::max) < 600.0, "no host is down until the end of the diagram");
}

/// What began before the first arrow goes on at the top.
#[test]
fn what_began_before_the_diagram_is_in_it() {
    let to = "to = '\\\\B\\mailslot\\t'\nstart = \"2 s\"\n[[event]]\nat = \"1 s\"\n";
    for (event, shown) in [
        ("crash = \"B\"", "<line class=\"down\""),
        ("pause = \"B\"", "<line class=\"still\""),
        ("partition = [[\"A\"], [\"B\"]]", "since before: partition A | B"),
        ("set = { \"link.slow.loss\" = \"50 %\" }", "since before: set link.slow.loss"),
    ] {
        let (page, pictures) = drawn(&pair("", event.starts_with("set"), &format!("{to}{event}")));
        let picture = &pictures.iter().find(|(name, _)| name == "space-time").unwrap().1;
        let diagram = page.split("<h2 id=\"faults\">").next().unwrap();
        assert!(diagram.contains(shown) && picture.contains(shown), "{event}");
    }
    let healed = format!("{to}partition = [[\"A\"], [\"B\"]]\n[[event]]\nat = \"1500 ms\"\nheal = true");
    assert!(!drawn(&pair("", false, &healed)).0.contains("since before"));
}

/// A picture by itself begins where something happens that is no delivery, and says which datagrams it has.
#[test]
fn a_picture_shows_what_went_wrong() {
    let picture =
        |name: &str| drawn(&shipped(name, &[])).1.into_iter().find(|(name, _)| name == "space-time").unwrap().1;
    let alarm = picture("plant-alarm");
    assert!(alarm.contains("lost_on_link") && alarm.contains(" datagrams, after the first "), "{}", &alarm[..600]);
    assert!(picture("hello").contains(": all "));

    let large = shipped(
        "plant-alarm",
        &[
            "host.STATION{01..12}.name=STATION{01..56}",
            "mailslot.alarm\\line1.on=STATION{01..56}",
            "link.switch.loss=0 %",
            "expect=[]",
            "event=[{ at = \"150 ms\", crash = \"STATION03\" }]",
        ],
    );
    let picture = drawn(&large).1.into_iter().find(|(name, _)| name == "space-time").unwrap().1;
    assert!(picture.contains("host_down"), "audiences that do not fit are cut rather than what went wrong");
}
