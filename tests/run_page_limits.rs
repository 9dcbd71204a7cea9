//! Pages of runs that have more than there is room for, or names that are none of a page's business.

#[path = "support/pages.rs"]
mod pages;
#[path = "support/run_pages.rs"]
mod run_pages;
mod support;

use std::collections::BTreeMap;

use mailslot_sim::scenario::Scenario;
use pages::{check_page, check_picture};
use run_pages::{Traced, arrows, drawn, pictured, traced};
use support::{scenario, shipped};

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

/// Everything at once that a page has limits for, with the longest names of the characters that need the most bytes: flows, phases,
/// expectations, faults with long words, hosts that each get other messages.
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
        name = "&&&&&&&&&&&{{0001..1100}}"
        segment = "{long}"
        [[mailslot]]
        on = "&&&&&&&&&&&{{0001..0100}}"
        name = "t"
        "#,
        "&<>\\\"".repeat(10_000)
    );
    for number in 0..20 {
        text += &format!(
            "[[traffic]]\nname = \"{long}{number:02}\"\nfrom = \"&&&&&&&&&&&{{{}..1019}}\"\nto = '\\\\WORKGROUP\\mailslot\\t'\nevery = \"1 s\"\n",
            1000 + number
        );
    }
    for number in 0..100 {
        let name = format!("{number:02}{long}");
        text += &format!("[[phase]]\nname = \"{name}\"\nfrom = \"{number} s\"\nto = \"{} s\"\n", number + 1);
        for tenth in [0, 4, 8] {
            text += &format!(
                "[[event]]\nat = \"{number}.{tenth} s\"\nfor = \"100 ms\"\npartition = [[\"&&&&&&&&&&&{{0001..0500}}\"], [\"&&&&&&&&&&&{{0501..1100}}\"]]\n"
            );
        }
        text += "[[expect]]\nmetric = \"delivery_ratio\"\nat_least = 0.9\n[[expect]]\nmetric = \"fates.delivered\"\nat_least = 9\n";
    }
    let scenario = scenario(&text);
    let (page, pictures) = drawn(&scenario);
    check_page(&page);
    for limit in [
        "(MAX_PHASE_ROWS)",
        "(MAX_ROWS)",
        "(MAX_ARROWS)",
        "(MAX_ASIDES)",
        "(MAX_RUNS)",
        "(MAX_MAP_ROWS)",
        "(MAX_LANES)",
        "(MAX_INCIDENTS)",
        "1,500,000 bytes (MAX_PAGE_BYTES): this one shows a part of what its other limits allow, 1 of 2.",
    ] {
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

/// What is beside the point has room of its own: copies for recipients are drawn, and nothing is counted twice.
#[test]
fn arrows_that_there_is_no_room_for_are_counted() {
    let copies = scenario(
        r#"
        schema = 1
        name = "copies"
        duration = "20 s"
        [link.double]
        duplicate = "50 %"
        delay = "1 ms"
        [segment.s]
        link = { down = "double" }
        [[host]]
        name = "A"
        segment = "s"
        [[host]]
        name = "B"
        segment = "s"
        [[host]]
        name = "Z{01..20}"
        segment = "s"
        [[mailslot]]
        on = "B"
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\WORKGROUP\mailslot\t'
        every = "100 ms"
        "#,
    );
    let left_out = |page: &str, limit: &str| -> u64 {
        let (_, text) = page.split_once(&format!("({limit}), until ")).unwrap();
        let (_, text) = text.split_once("; ").unwrap();
        text.split_once(" come after that").unwrap().0.replace(',', "").parse().unwrap()
    };
    let (page, _) = drawn(&copies);
    let (came, _) = traced(&copies);
    let to_b =
        |traced: &Traced| traced.0.iter().filter(|((_, to, _), _)| to == "B").map(|(_, count)| count).sum::<u64>();
    let shown = pictured(&arrows(&page));
    assert!(to_b(&shown) > 250);
    assert_eq!(to_b(&shown), to_b(&(came.clone(), BTreeMap::new())));
    let all: u64 = came.values().sum();
    assert_eq!(left_out(&page, "MAX_ASIDES"), all - shown.0.values().sum::<u64>());

    for lossy in [shipped("plant-alarm", &[]), shipped("wifi-bursts", &["duration=40 s"])] {
        let (page, _) = drawn(&lossy);
        let all = |(came, lost): &Traced| came.values().sum::<u64>() + lost.values().sum::<u64>();
        assert_eq!(
            left_out(&page, "MAX_ARROWS"),
            all(&traced(&lossy)) - all(&pictured(&arrows(&page))),
            "{}",
            lossy.name()
        );
    }
}
