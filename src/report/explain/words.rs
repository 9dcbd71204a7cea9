//! Events and draws in words.

use crate::report::wording::six_digits;
use crate::rng::{Decision, Purpose};
use crate::stats::{Bound, Fate, Instance, Reason};

/// The packet, if a message or its receiver can have several, in a few words.
pub(super) fn which(instance: &Instance) -> String {
    let Instance { copy, packet, duplicate, fragment, bound, .. } = *instance;
    let mut parts = Vec::new();
    let answer = match bound {
        Bound::Answer(_) => Some("the answer"),
        Bound::Reply(_) | Bound::StrayReply(_) => Some("the reply"),
        _ => None,
    };
    parts.extend(answer.map(str::to_owned));
    if copy > 0 {
        parts.push(format!("{} write", ordinal(copy + 1)));
    }
    if packet >> 8 > 0 {
        parts.push(format!("transport {}", packet >> 8));
    }
    if packet & 0xFF > 0 {
        parts.push(format!("fragment {}", packet & 0xFF));
    }
    if fragment > 0 {
        parts.push(format!("IP fragment from byte {}", u32::from(fragment) * 8));
    }
    if duplicate > 0 {
        parts.push("a copy that the network made".to_owned());
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// A draw in words; `moved` says whose draw brought the link into the state that it is in.
pub(super) fn describe(decision: &Decision, moved: Option<&str>) -> String {
    let Decision { purpose, draw, probability, state, outcome } = decision;
    let about = match purpose {
        Purpose::Loss => "loss",
        Purpose::LossState => "state",
        Purpose::Corrupt | Purpose::CorruptBit => "damage",
        Purpose::Duplicate => "copy",
        Purpose::Delay => "delay",
        Purpose::Reorder => "order",
    };
    let state = match (purpose, state.as_str()) {
        (_, "") => String::new(),
        (Purpose::Loss, state) => match moved {
            Some(by) => format!("in {state}, since {by}; "),
            None => format!("in {state}; "),
        },
        (_, state) => format!("{state}; "),
    };
    let draw = match probability {
        Some(0.0) => "probability 0".to_owned(),
        Some(1.0) => "probability 1".to_owned(),
        Some(probability) => comparison(*draw, *probability),
        None => format!("draw {}", six_digits(share(*draw))),
    };
    format!("{about:<8}{state}{draw}: {outcome}")
}

/// Why a machine dropped it, and what that means.
pub(super) fn dropped(reason: Reason, fate: Fate) -> String {
    let why = match reason {
        Reason::NoSuchMailslot => "nobody has the mailslot open",
        Reason::Malformed => "checksum or parser refuse it",
        Reason::NotForUs => "it does not bear the name",
        Reason::TooLargeForSlot => "it is over the mailslot's maximum",
        Reason::SlotFull => "the mailslot is full",
        Reason::MissingFragment => "a fragment is missing",
    };
    format!("{why}: {}", fate.name())
}

/// A draw beside what it was compared with.
pub(super) fn comparison(draw: u64, probability: f64) -> String {
    let sign = if share(draw) < probability { "<" } else { ">=" };
    let shown = [share(draw), probability].map(six_digits);
    let [draw, probability] = if shown[0] == shown[1] { [share(draw), probability] } else { shown };
    format!("draw {draw} {sign} {probability}")
}

/// Which part of all draws are below one.
pub(super) fn share(draw: u64) -> f64 {
    draw as f64 / 18_446_744_073_709_551_616.0
}

pub(super) fn ordinal(number: u16) -> String {
    match number {
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        number => format!("{number}th"),
    }
}
