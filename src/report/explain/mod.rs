//! The life of one message at one recipient: every step that it took there, and the draws that decided it.

mod life;
mod text;
mod words;

pub use life::Explain;

use thiserror::Error;

use crate::id::{HostId, StreamId};
use crate::scenario::{Flow, Scenario, nearest};

/// Which message at which recipient is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    pub(super) flow: String,
    pub(super) stream: StreamId,
    pub(super) sender: HostId,
    pub(super) message: u64,
    pub(super) host: HostId,
}

/// A question that a scenario has no answer to.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidQuestion {
    /// It has another form.
    #[error(
        "`{0}` is not FLOW:MESSAGE@HOST, as in alarm:17@STATION03; messages are numbered from 0, and where a flow has \
         several senders, FLOW is FLOW/SENDER"
    )]
    Malformed(String),
    /// It names what the scenario has not.
    #[error("{0}")]
    Unknown(String),
}

impl Question {
    /// Reads `FLOW:MESSAGE@HOST` or, where a flow has several senders, `FLOW/SENDER:MESSAGE@HOST`.
    ///
    /// # Errors
    ///
    /// If it is something else, or the scenario does not have what it names.
    pub fn parse(scenario: &Scenario, text: &str) -> Result<Self, InvalidQuestion> {
        let malformed = || InvalidQuestion::Malformed(text.to_owned());
        let (stream, rest) = text.split_once(':').ok_or_else(malformed)?;
        let (message, host) = rest.split_once('@').ok_or_else(malformed)?;
        let digits = message.bytes().all(|byte| byte.is_ascii_digit());
        let message = message.parse().ok().filter(|_| digits).ok_or_else(malformed)?;
        let (name, sender) = match stream.split_once('/') {
            Some((flow, sender)) => (flow, Some(sender)),
            None => (stream, None),
        };
        let flow = scenario.flows.iter().position(|flow| flow.name == name).ok_or_else(|| {
            if scenario.apps.iter().any(|app| app.name == name) {
                return InvalidQuestion::Unknown(format!("{name} is an app: only messages of flows can be told of"));
            }
            let flows: Vec<&str> = scenario.flows.iter().map(|flow| flow.name.as_str()).collect();
            unknown("flow", name, &flows)
        })?;
        let before: usize = scenario.flows[..flow].iter().map(|flow| flow.senders.len()).sum();
        let flow = &scenario.flows[flow];
        let sender = sender_of(scenario, flow, sender, text)?;
        let hosts: Vec<&str> = scenario.topology().hosts().iter().map(|host| host.name.as_str()).collect();
        let host = hosts.iter().position(|known| known.eq_ignore_ascii_case(host));
        let host = HostId(host.ok_or_else(|| unknown("host", text.rsplit('@').next().unwrap_or(text), &hosts))? as u32);
        let stream = StreamId((before + sender) as u32);
        Ok(Question { flow: flow.name.clone(), stream, sender: flow.senders[sender], message, host })
    }
}

/// The position of a sender among those of its flow.
fn sender_of(scenario: &Scenario, flow: &Flow, sender: Option<&str>, text: &str) -> Result<usize, InvalidQuestion> {
    let names: Vec<&str> = flow.senders.iter().map(|host| scenario.topology().host(*host).name.as_str()).collect();
    match sender {
        Some(sender) => names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(sender))
            .ok_or_else(|| unknown(&format!("sender of {}", flow.name), sender, &names)),
        None if names.len() == 1 => Ok(0),
        None if names.is_empty() => {
            Err(InvalidQuestion::Unknown(format!("{} has no senders, so it writes no message", flow.name)))
        }
        None => {
            let rest = text.split_once(':').map_or("", |(_, rest)| rest);
            let (count, first) = (names.len(), names[0]);
            let text =
                format!("{} has {count} senders: say whose message, as in {}/{first}:{rest}", flow.name, flow.name);
            Err(InvalidQuestion::Unknown(text))
        }
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> InvalidQuestion {
    let hint = match nearest(name, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => ": the scenario has none".to_owned(),
        None => {
            let shown: Vec<&str> = known.iter().take(MAX_SHOWN).copied().collect();
            let more = if known.len() > MAX_SHOWN { " and others" } else { "" };
            format!(": there is {}{more}", shown.join(", "))
        }
    };
    InvalidQuestion::Unknown(format!("there is no {what} `{name}`{hint}"))
}

/// The most names that an error lists.
const MAX_SHOWN: usize = 5;
