//! What several test files need.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::{BTreeMap, BTreeSet};

use etherparse::{SlicedPacket, TransportSlice};
use mailslot_sim::report::{RunReport, Trace};
use mailslot_sim::scenario::{Problems, Scenario, Source, parse};
use mailslot_sim::sim;
use mailslot_sim::stats::{Bound, Event, Instance, Observer};
use mailslot_sim::time::Instant;
use mailslot_sim::wire::datagram;
use serde_json::Value;

/// Parses a scenario that names no files.
pub(crate) fn try_scenario(text: &str, set: &[String]) -> Result<Scenario, Problems> {
    let read_file = |name: &str| std::fs::read(format!("scenarios/{name}"));
    parse(&Source { name: "test.toml", text, set, read_file: &read_file }).map(|checked| checked.scenario)
}

/// Parses a sound scenario.
pub(crate) fn scenario(text: &str) -> Scenario {
    try_scenario(text, &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A scenario that ships with the program, with these values.
pub(crate) fn shipped(name: &str, set: &[&str]) -> Scenario {
    let set: Vec<String> = set.iter().map(|set| (*set).to_owned()).collect();
    try_scenario(&std::fs::read_to_string(format!("scenarios/{name}.toml")).unwrap(), &set).unwrap()
}

/// Two hosts of the domain DOM on a segment, A and B, and a flow from A; each field is lines of its table, but for the
/// slot that B has and the target of the flow.
pub(crate) struct Pair<'a> {
    pub(crate) top: &'a str,
    pub(crate) up: &'a str,
    pub(crate) down: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) receiver: &'a str,
    pub(crate) slot: &'a str,
    pub(crate) mailslot: &'a str,
    pub(crate) to: &'a str,
    pub(crate) traffic: &'a str,
}

impl Default for Pair<'_> {
    fn default() -> Self {
        let to = r"\\B\mailslot\t";
        Pair { top: "", up: "", down: "", sender: "", receiver: "", slot: "t", mailslot: "", to, traffic: "" }
    }
}

impl Pair<'_> {
    pub(crate) fn scenario(&self) -> Scenario {
        let Pair { top, up, down, sender, receiver, slot, mailslot, to, traffic } = self;
        scenario(&format!(
            r#"
            schema = 1
            name = "pair"
            {top}
            [link.up]
            {up}
            [link.down]
            {down}
            [segment.s]
            link = {{ up = "up", down = "down" }}
            [[host]]
            name = "A"
            domain = "DOM"
            segment = "s"
            {sender}
            [[host]]
            name = "B"
            domain = "DOM"
            segment = "s"
            {receiver}
            [[mailslot]]
            on = "B"
            name = "{slot}"
            {mailslot}
            [[traffic]]
            name = "f"
            from = "A"
            to = '{to}'
            {traffic}
            "#
        ))
    }
}

/// The report of a run, as JSON.
pub(crate) fn report(scenario: &Scenario, replication: u32) -> Value {
    let outcome = sim::run(scenario, replication, &mut ()).unwrap();
    serde_json::from_str(&RunReport::new(scenario, replication, &outcome).to_json()).unwrap()
}

/// How many of a flow's messages, at recipients, had which fate, of those that occurred.
pub(crate) fn fates(report: &Value, flow: usize) -> BTreeMap<String, u64> {
    let fates = report["flows"][flow]["fates"].as_object().unwrap();
    fates.iter().map(|(fate, count)| (fate.clone(), count.as_u64().unwrap())).filter(|(_, count)| *count > 0).collect()
}

/// The same as it is expected.
pub(crate) fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.map(|(fate, count)| (fate.to_owned(), count)).into()
}

/// The trace of a run, line by line.
pub(crate) fn trace(scenario: &Scenario) -> Vec<String> {
    let mut trace = Trace::new(scenario, Vec::new());
    sim::run(scenario, 0, &mut trace).unwrap();
    let bytes = trace.finish().unwrap();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// What happened to the original instance of each datagram, or of each IP fragment of it, on each link: lost there or not;
/// and when it reached each host.
pub(crate) fn outcomes(scenario: &Scenario) -> BTreeMap<String, String> {
    let mut outcomes = BTreeMap::new();
    for line in trace(scenario) {
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["side"] == "sender" || line.get("duplicate").is_some() {
            continue;
        }
        let mut what = format!("{} {} {}", line["flow"], line["from"], line["message"]);
        if let Some(fragment) = line.get("fragment") {
            what += &format!(" from {fragment}");
        }
        let event = line["event"].as_str().unwrap();
        match event {
            "offered" => outcomes.insert(format!("{what} on {}", line["link"]), "carried".into()),
            "lost" => outcomes.insert(format!("{what} on {}", line["link"]), "lost".into()),
            "arrived" => outcomes.insert(format!("{what} at {}", line["host"]), line["t_ns"].to_string()),
            _ => None,
        };
    }
    outcomes
}

/// Asserts that what senders believe is what recipients read.
#[derive(Default)]
pub(crate) struct Fact {
    read: BTreeSet<(u32, u64, u32)>,
}

impl Observer for Fact {
    fn observe(&mut self, _: Instant, event: &Event<'_>) {
        match event {
            Event::Read { instance: Instance { stream, message, bound: Bound::Recipient(recipient), .. }, .. } => {
                self.read.insert((stream.0, *message, *recipient));
            }
            Event::Believed { stream, message, recipient } => {
                assert!(self.read.contains(&(stream.0, *message, *recipient)), "message {message} was not read");
            }
            _ => {}
        }
    }
}

/// Independent values against the mean that they should have: within 5 of their own standard errors, a false alarm once in
/// more than a million.
pub(crate) fn assert_mean(what: &str, values: &[f64], expected: f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = 5.0 * (variance / n).sqrt();
    assert!((mean - expected).abs() <= error, "{what}: {mean} is not within {error} of {expected}");
}

/// The UDP payloads to port 138 in the shipped capture, the election of three Samba hosts.
pub(crate) fn captured_datagrams() -> Vec<Vec<u8>> {
    const CAPTURE: &[u8] = include_bytes!("../../scenarios/data/samba-election.pcap");
    let mut rest = &CAPTURE[24..];
    let mut payloads = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (frame, after) = rest[16..].split_at(length);
        rest = after;
        if let Some(TransportSlice::Udp(udp)) = SlicedPacket::from_ethernet(frame).unwrap().transport
            && udp.destination_port() == datagram::PORT
        {
            payloads.push(udp.payload().to_vec());
        }
    }
    assert_eq!(payloads.len(), 45);
    payloads
}
