//! The test data, as far as the page speaks of it, and how far each entry counts as conformance.

use std::fmt;

use mailslot_sim::message::Message;
use mailslot_sim::message::browser::Frame;
use mailslot_sim::wire::datagram::Packet;
use mailslot_sim::wire::{Profile, transaction};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub(crate) struct Cases {
    /// What each confidence means.
    pub(crate) confidence: Map<String, Value>,
    pub(crate) cases: Vec<Case>,
}

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) confidence: Confidence,
    pub(crate) code_confidence: Option<Confidence>,
    pub(crate) profile: String,
    why: String,
    steps: Vec<Map<String, Value>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Confidence {
    Tested,
    Documented,
    Derived,
    Assumed,
}

impl Confidence {
    pub(crate) const ALL: [Self; 4] = [Self::Tested, Self::Documented, Self::Derived, Self::Assumed];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Tested => "tested",
            Self::Documented => "documented",
            Self::Derived => "derived",
            Self::Assumed => "assumed",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tested => "tested on Windows",
            Self::Documented => "documented",
            Self::Derived => "derived",
            Self::Assumed => "choices",
        })
    }
}

impl Case {
    /// Why it is so, in words; without them what is called and what comes of it.
    pub(crate) fn says(&self) -> String {
        match self.why.as_str() {
            "" => self.steps.iter().map(step).collect::<Vec<_>>().join("; "),
            why => why.to_owned(),
        }
    }
}

/// A call with the argument that matters most, and its outcome.
fn step(step: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let keys = ["name", "path", "data", "fill", "buffer", "timeout", "ms", "EnableMailslots", "process"];
    let argument = match keys.iter().find_map(|key| Some((*key, step.get(*key)?))) {
        None => String::new(),
        Some((_, Value::Null)) => "NULL".to_owned(),
        Some(("fill", fill)) => format!("{} bytes", fill["len"]),
        Some((_, value)) => text(value),
    };
    let host = step.get("host").map_or(String::new(), |host| format!(" on {}", text(host)));
    let error = |expect: &Map<String, Value>| match (expect.get("error"), expect.get("error_any")) {
        (Some(error), _) => Some(text(error)),
        (None, Some(any)) => Some(any.as_array()?.iter().map(text).collect::<Vec<_>>().join(" or ")),
        (None, None) => None,
    };
    let figures = |expect: &Map<String, Value>| {
        let told = ["ok", "error", "code", "error_any", "code_any"];
        let figures = expect.iter().filter(|(key, _)| !told.contains(&key.as_str()));
        let figures = figures.map(|(key, value)| match value {
            Value::Bool(true) => key.clone(),
            value => format!("{key} {}", text(value)),
        });
        figures.collect::<Vec<_>>().join(", ")
    };
    let outcome = match step.get("expect").and_then(Value::as_object) {
        None => String::new(),
        Some(expect) => match (error(expect), figures(expect)) {
            (Some(error), figures) if figures.is_empty() => format!(": {error}"),
            (Some(error), figures) => format!(": {error}, {figures}"),
            (None, figures) if figures.is_empty() => ": ok".to_owned(),
            (None, figures) => format!(": {figures}"),
        },
    };
    format!("`{}({argument})`{host}{outcome}", text(&step["op"]))
}

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) expect: String,
    pub(crate) strict_expect: Option<String>,
    basis: Option<String>,
    pub(crate) why: String,
    pub(crate) note: Option<String>,
    tshark_check: Option<String>,
    scapy_impacket_check: Option<String>,
}

/// What a vector's expectation rests on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Basis<'a> {
    /// A standard and its sections.
    Standard(&'a str),
    Choice(&'a str),
    /// No document is named, but Wireshark shows the same fields.
    Wireshark,
}

impl Vector {
    pub(crate) fn basis(&self) -> Basis<'_> {
        match self.basis.as_deref() {
            Some(basis) if basis.starts_with("choice") => Basis::Choice(basis),
            Some(basis) if basis.starts_with("RFC ") || basis.starts_with("[MS-MAIL] ") => Basis::Standard(basis),
            None if self.tshark_check.as_deref() == Some("ok") && self.expect != "reject" => Basis::Wireshark,
            basis => panic!("{}: what does it rest on? {basis:?} and Wireshark do not say", self.name),
        }
    }

    pub(crate) fn is_shown_by_scapy(&self) -> bool {
        self.scapy_impacket_check.as_deref() == Some("ok")
    }
}

/// A recorded call of Wine.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) n: u64,
    pub(crate) case: String,
    pub(crate) op: String,
}

/// How a reason says that the engine's error code has no source.
pub(crate) const CHOSEN_CODE: &str = "the code is a choice";

/// Why the engine does something else than Wine in some rows.
#[derive(Deserialize)]
pub(crate) struct Reason {
    pub(crate) rows: Vec<u64>,
    pub(crate) op: String,
    pub(crate) disagreement: Vec<String>,
    pub(crate) kind: String,
    pub(crate) why: String,
    pub(crate) source: String,
}

impl Reason {
    pub(crate) fn has_chosen_code(&self) -> bool {
        self.why.contains(CHOSEN_CODE)
    }
}

pub(crate) struct Data {
    pub(crate) cases: Cases,
    pub(crate) vectors: Vec<Vector>,
    pub(crate) rows: Vec<Row>,
    pub(crate) reasons: Vec<Reason>,
    /// The kind of message in each captured datagram.
    pub(crate) captured: Vec<String>,
}

impl Data {
    pub(crate) fn load() -> Self {
        let text = |name: &str| std::fs::read_to_string(format!("tests/data/{name}")).unwrap();
        Data {
            cases: parsed(&text("api-cases.json")),
            vectors: parsed(&text("vectors.json")),
            rows: text("wine10.jsonl").lines().map(parsed).collect(),
            reasons: parsed(&text("wine10-reasons.json")),
            captured: crate::support::captured_datagrams().iter().map(|payload| kind(payload)).collect(),
        }
    }

    /// The reason of a row that disagrees.
    pub(crate) fn reason(&self, row: &Row) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.rows.contains(&row.n))
    }
}

fn parsed<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:.200}"))
}

/// The name of a datagram's browser frame, read as strictly as can be.
fn kind(payload: &[u8]) -> String {
    let packet = Packet::new(payload).unwrap();
    let direct = packet.direct(Profile::Strict).unwrap().unwrap();
    let write = transaction::Packet::new(direct.user_data, Profile::Strict).unwrap();
    let Some(Message::Browser(frame)) = Message::parse(write.name(), write.data()).unwrap() else { panic!("no frame") };
    variant(&frame)
}

fn variant(frame: &Frame) -> String {
    format!("{frame:?}").chars().take_while(|letter| letter.is_ascii_alphanumeric()).collect()
}
