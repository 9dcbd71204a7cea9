//! Pages of runs, and what they say, read as their script reads them.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;

use mailslot_sim::report::{RunPage, RunReport};
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use serde_json::Value;

use crate::support::trace;

/// The page of a run, and its pictures.
pub(crate) fn drawn(scenario: &Scenario) -> (String, Vec<(String, String)>) {
    let mut page = RunPage::new(scenario);
    let outcome = sim::run(scenario, 0, &mut page).unwrap();
    let report = RunReport::new(scenario, 0, &outcome);
    (page.draw(scenario, &outcome, &report, "mailslot-sim run it.toml"), page.figures(scenario))
}

/// An arrow of a diagram.
#[derive(Debug)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    /// In nanoseconds.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) is_part: bool,
    /// Whether it is none: a write failed, or nothing leads to the recipient.
    pub(crate) is_mark: bool,
    pub(crate) fate: Option<String>,
    /// What became of its message there, if that is something else.
    pub(crate) other: Option<String>,
    /// How it was lost, and on which link.
    pub(crate) lost: Option<(String, String)>,
    pub(crate) question: Option<String>,
}

/// All arrows of a page, read as its script reads them.
pub(crate) fn arrows(page: &str) -> Vec<Arrow> {
    let plain = |text: &str| text.replace("&gt;", ">").replace("&amp;", "&");
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(plain(&rest[..rest.find('"')?]))
    };
    let between = |from: &str, to: &str| page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap().0;
    let of = |part: &str, element: &str| -> Vec<String> {
        let texts = part.split(element).skip(1);
        texts.map(|text| plain(text.split_once('>').unwrap().1.split_once('<').unwrap().0)).collect()
    };
    let hosts = of(between("<svg class=\"header\"", "</svg>"), "<text class=\"host\"");
    let options = between("<select id=\"by-flow\">", "</select>");
    let (flows, several): (Vec<String>, Vec<bool>) = of(options, "<option")
        .into_iter()
        .zip(options.split("<option").skip(1).map(|option| option.contains("data-several")))
        .skip(1)
        .unzip();
    let links = between(" data-links=\"", "\"");
    let links: Vec<String> = links.split('\t').map(plain).collect();
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
        let host = |number: &str| number.parse().map_or(String::new(), |number: usize| hosts[number].clone());
        let (from, to) = (host(facts[1]), host(facts[2]));
        let source: usize = attribute(tag, "data-f").unwrap().parse().unwrap();
        let sender = if several[source] { format!("/{from}") } else { String::new() };
        let question = format!("{}{sender}:{}@{to}", flows[source], facts[0]);
        let fate = attribute(tag, "data-k");
        let is_mark = facts[6].starts_with('5') || fate.as_deref() == Some("unreachable");
        Arrow {
            is_mark,
            from,
            to,
            start: seconds(facts[3]),
            end: seconds(facts[4]),
            is_part: facts[6].as_bytes()[2] == b'1',
            fate,
            other: attribute(tag, "data-m"),
            lost: attribute(tag, "data-l").map(|lost| {
                let (how, link) = lost.split_once(' ').unwrap();
                (how.to_owned(), links[link.parse::<usize>().unwrap()].clone())
            }),
            question: attribute(tag, "data-q").map(|_| question),
        }
    })
    .collect()
}

/// What a trace says of datagrams between hosts: who they are from and to, when they left and when they came; and those that were lost,
/// how and where.
pub(crate) type Traced = (BTreeMap<(String, String, u64), u64>, BTreeMap<(String, String), u64>);

pub(crate) fn traced(scenario: &Scenario) -> Traced {
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
pub(crate) fn pictured(arrows: &[Arrow]) -> Traced {
    let (mut came, mut lost) = (BTreeMap::new(), BTreeMap::new());
    for arrow in arrows {
        match &arrow.lost {
            Some(lost_on) => *lost.entry(lost_on.clone()).or_default() += 1,
            None if arrow.from == arrow.to
                || arrow.is_part
                || arrow.is_mark
                || arrow.fate.as_deref() == Some("in_flight") => {}
            None => *came.entry((arrow.from.clone(), arrow.to.clone(), arrow.end)).or_default() += 1,
        }
    }
    (came, lost)
}
