//! Acknowledgements that programs build themselves: who waits for replies, where they go, and that somebody can give them.

use std::collections::BTreeMap;

use super::Context;
use super::mailslots::MAX_MAILSLOTS;
use super::network::Network;
use crate::id::HostId;
use crate::mailslot::SlotName;
use crate::scenario::file;
use crate::scenario::model::{Copies, Flow, Generated, MIN_ACKNOWLEDGED, Mailslot, Reader, Scenario, Traffic};
use crate::scenario::problem::{Path, Problem, at};
use crate::time::Duration;

/// The most tries of a message.
const MAX_TRIES: u16 = 1_000;
/// The most characters of the name of a mailslot for replies: a reply fits into a datagram to it.
const MAX_REPLY_SLOT: usize = 255;

impl Context<'_> {
    /// The mailslot for replies, and how often a message is written at most; `None` if nobody replies.
    pub(super) fn ack(&mut self, index: usize, spec: &file::Traffic) -> Option<(SlotName, Copies)> {
        let ack = spec.ack.as_ref()?;
        let at = |key: &str| at!["traffic", index, "ack", key];
        if spec.copies.is_some_and(|copies| copies > 1) {
            let message = "`copies` contradicts `ack`: the sender writes a message again where a reply is missing";
            self.problems.push(Problem::error(at!["traffic", index, "copies"], message).at_key());
        }
        if ack.timeout.is_some_and(|timeout| timeout.0 == Duration::ZERO) {
            self.error(at("timeout"), "a sender that waits 0 s for replies never gets one in time");
        }
        if ack.tries.is_some_and(|tries| !(1..=MAX_TRIES).contains(&tries)) {
            self.error(at("tries"), format!("a message is written 1 to {MAX_TRIES} times (MAX_TRIES)"));
        }
        let slot = ack.slot.as_ref().and_then(|slot| self.slot_name(&at("slot"), slot))?;
        if slot.characters() > MAX_REPLY_SLOT {
            let message = format!("a mailslot for replies has a name of at most {MAX_REPLY_SLOT} characters");
            self.error(at("slot"), format!("{message} (MAX_REPLY_SLOT)"));
        }
        let number = ack.tries?.clamp(1, MAX_TRIES);
        Some((slot, Copies { number, spacing: ack.timeout?.0 }))
    }

    /// Checks what replies ask of the messages.
    pub(super) fn check_ack(&mut self, index: usize, spec: &file::Traffic, generated: &Generated) {
        let Some(slot) = &generated.ack else { return };
        let (smallest, _) = generated.size.range();
        if smallest < MIN_ACKNOWLEDGED {
            let key = if spec.size.is_some() { "size" } else { "ack" };
            let message = format!("a message that is replied to has at least {MIN_ACKNOWLEDGED} B (MIN_ACKNOWLEDGED)");
            let problem = Problem::error(at!["traffic", index, key], message);
            self.problems.push(problem.help("it says which message it is, so that the reader can"));
        }
        if slot == generated.to.slot() {
            let message = format!("replies would go to a mailslot called `{slot}`, as the messages do");
            self.error(at!["traffic", index, "ack", "slot"], message);
        }
    }

    /// Adds the mailslots that senders open for replies.
    pub(super) fn reply_slots(&mut self, flows: &[Flow], network: &Network, mailslots: Vec<Mailslot>) -> Vec<Mailslot> {
        let mut all: BTreeMap<(HostId, SlotName), (Mailslot, bool)> = BTreeMap::new();
        all.extend(mailslots.into_iter().map(|slot| ((slot.host, slot.name.clone()), (slot, true))));
        for flow in flows {
            let Some(slot) = flow.ack() else { continue };
            for &host in &flow.senders {
                let (name, reader) = (slot.clone(), Reader::Wait);
                let own = Mailslot { host, name, max_message_size: 0, queue_limit: None, reader, starts_closed: false };
                let (_, is_declared) = all.entry((host, slot.clone())).or_insert((own, false));
                if *is_declared {
                    let host = &network.host_names()[host.index()];
                    let message = format!("`{host}` has a mailslot called `{slot}` already");
                    let problem = Problem::error(self.ack_path(flow), message);
                    self.problems.push(problem.help("the program that waits for replies opens one itself"));
                    break;
                }
            }
            if all.len() > MAX_MAILSLOTS {
                let message = format!("with those for replies there are more than {MAX_MAILSLOTS} mailslots");
                self.error(self.ack_path(flow), format!("{message} (MAX_MAILSLOTS)"));
                break;
            }
        }
        all.into_values().map(|(mailslot, _)| mailslot).collect()
    }

    /// Checks that somebody can reply to every sender.
    pub(super) fn check_repliers(&mut self, scenario: &Scenario) {
        for flow in &scenario.flows {
            let Traffic::Generated(Generated { to, ack: Some(_), .. }) = &flow.traffic else { continue };
            if flow.senders.iter().any(|sender| scenario.audience(*sender, to).is_empty()) {
                let message = format!("nobody can reply: no host there declares a mailslot called `{}`", to.slot());
                self.error(self.ack_path(flow), message);
            }
        }
    }

    fn ack_path(&self, flow: &Flow) -> Path {
        let index = self.file.traffic.iter().position(|spec| spec.name.as_ref() == Some(&flow.name));
        at!["traffic", index.expect("a flow is an entry of the file"), "ack"]
    }
}
