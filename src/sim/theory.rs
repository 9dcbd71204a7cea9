//! The closed forms of a flow: its links and slots, as `stats::theory` sees them.

use crate::id::{HostId, LinkId};
use crate::link::{Config, Distribution};
use crate::scenario::{Flow, Reader, Scenario, Target};
use crate::stats::theory::{self, Hop};
use crate::time::Duration;

/// What the closed forms say about a flow; `None` where there is none.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Theory {
    /// The expected share of addressed messages that are delivered.
    pub delivery_ratio: Option<f64>,
    /// The expected share of messages that their whole audience gets.
    pub all_ratio: Option<f64>,
}

/// The closed forms of one flow: the mean over its senders and targets, each by how many messages it stands for.
pub(super) fn of_flow(scenario: &Scenario, flow: &Flow) -> Theory {
    let (smallest, largest) = flow.sizes();
    let forms: Vec<(f64, Form)> = flow
        .messages()
        .into_iter()
        .map(|((sender, to), messages)| (messages as f64, Form::new(scenario, sender, to, smallest, largest)))
        .filter(|(_, form)| form.audience > 0)
        .collect();
    let addressed: f64 = forms.iter().map(|(messages, form)| messages * form.audience as f64).sum();
    let all: f64 = forms.iter().map(|(messages, _)| messages).sum();
    let mean = |of: fn(&Form) -> Option<f64>, total: f64| -> Option<f64> {
        let sum = forms.iter().map(|(messages, form)| of(form).map(|value| value * messages)).sum::<Option<f64>>()?;
        (total > 0.0).then(|| sum / total)
    };
    Theory { delivery_ratio: mean(|form| form.delivered, addressed), all_ratio: mean(|form| form.all, all) }
}

/// The closed forms for the messages of one sender to one target.
struct Form {
    audience: usize,
    /// How many of the audience are expected to get a message.
    delivered: Option<f64>,
    /// The probability that all of it do.
    all: Option<f64>,
}

impl Form {
    fn new(scenario: &Scenario, sender: HostId, to: &Target, smallest: u32, largest: u32) -> Self {
        let audience = scenario.audience(sender, to);
        let group = scenario.is_group(sender, to);
        let up = [scenario.topology().host(sender).up];
        let mut delivered = Some(0.0);
        let mut refused = false;
        let mut ways = Some(Vec::new());
        for &recipient in &audience {
            let accepted = accepts(scenario, recipient, to, smallest, largest);
            let path = scenario.path(sender, to, recipient);
            let hops = path.as_ref().map(|path| hops(scenario, path));
            refused |= accepted == Some(false) || path.is_none();
            let probability = match (accepted, hops) {
                (Some(false), _) | (_, None) => Some(0.0),
                (None, _) | (_, Some(None)) => None,
                (Some(true), Some(Some(hops))) => {
                    let own_way = if group { hops.get(1..).unwrap_or(&[]).to_vec() } else { hops.clone() };
                    if let Some(ways) = ways.as_mut().filter(|_| recipient != sender) {
                        ways.push(own_way);
                    }
                    theory::delivery_ratio(&hops)
                }
            };
            if probability.is_none() {
                ways = None;
            }
            delivered = delivered.zip(probability).map(|(sum, probability)| sum + probability);
        }
        let shared = if group { hops(scenario, &up) } else { Some(Vec::new()) };
        let all = match (refused, ways.zip(shared)) {
            (true, _) => Some(0.0),
            (false, Some((ways, shared))) => theory::all_ratio(&shared, &ways),
            (false, None) => None,
        };
        Form { audience: audience.len(), delivered, all }
    }
}

/// Whether a slot takes all messages that reach it and a program reads them, or none; `None` if that depends on the run.
fn accepts(scenario: &Scenario, recipient: HostId, to: &Target, smallest: u32, largest: u32) -> Option<bool> {
    let Some(position) = scenario.mailslot(recipient, to.slot()) else { return Some(false) };
    let mailslot = &scenario.mailslots[position];
    let max = if mailslot.max_message_size == 0 { u32::MAX } else { mailslot.max_message_size };
    match mailslot.reader {
        Reader::Never => Some(false),
        _ if smallest > max => Some(false),
        _ if largest > max || mailslot.queue_limit.is_some() => None,
        Reader::Wait => Some(true),
        Reader::Poll(interval) => (interval <= scenario.drain).then_some(true),
        Reader::ServiceTime(_) => None,
    }
}

/// The links of a path; `None` if a datagram may still be on them when the run ends, or arrive with damage that no checksum
/// finds.
fn hops(scenario: &Scenario, path: &[LinkId]) -> Option<Vec<Hop>> {
    let configs = || path.iter().map(|link| &scenario.topology().links()[link.index()].config);
    let slowest = configs().fold(Duration::ZERO, |sum, link| sum + link.delay.distribution.quantile(u64::MAX));
    let found = configs().all(|link| link.udp_checksum || link.corrupt.value() == 0.0);
    (slowest <= scenario.drain && found).then(|| configs().map(hop).collect())
}

fn hop(link: &Config) -> Hop {
    Hop {
        states: link.loss.stationary(),
        corrupt: link.corrupt.value(),
        duplicate: link.duplicate.value(),
        reorders: !link.delay.keep_order && !matches!(link.delay.distribution, Distribution::Constant(_)),
    }
}
