//! Events and draws in words.

use crate::draw::{Answer, Decision, Judgement, ModelState};
use crate::id::{HostId, LinkId};
use crate::report::names::Names;
use crate::report::wording::six_digits;
use crate::rng::Purpose;
use crate::stats::{Bound, Fate, Instance, Reason};
use crate::time::Duration;

/// Where something happens.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Link(LinkId),
    Host(HostId),
}

impl Place {
    pub(super) fn name(self, names: &Names) -> &str {
        match self {
            Place::Link(link) => names.link(link),
            Place::Host(host) => names.host(host),
        }
    }
}

/// Which packet it is, in a few words, if a message or its receiver can have several.
pub(super) fn which(names: &Names, instance: &Instance, place: Place) -> String {
    let Instance { copy, packet, duplicate, fragment, bound, .. } = *instance;
    let mut parts = Vec::new();
    match bound {
        Bound::Answer(_) => parts.push("the answer".to_owned()),
        Bound::Reply(_) | Bound::StrayReply(_) => parts.push("the reply".to_owned()),
        _ => {}
    }
    if copy > 0 {
        parts.push(of_packet(copy));
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
    if let Place::Host(host) = place
        && let Some(segment) =
            names.segment(host, instance.interfaces[1]).filter(|_| names.sender(instance) != Some(host))
    {
        parts.push(format!("from {segment}"));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// Which write of a message, by the number of its copy.
pub(super) fn of_packet(copy: u16) -> String {
    let number = u32::from(copy) + 1;
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("the {number}{end} time")
}

/// Whose datagram an instance is.
pub(super) fn said(names: &Names, instance: &Instance) -> String {
    let sender = names.sender(instance).map_or("", |host| names.host(host));
    let Some((name, _)) = names.stream(instance.stream) else { return format!("a packet of {sender}") };
    let message = instance.message;
    match instance.bound {
        Bound::Answer(_) | Bound::Reply(_) | Bound::StrayReply(_) => format!("{sender}'s answer to {name}:{message}"),
        Bound::NameService(_) => format!("a packet of {sender} for a name"),
        _ => format!("{name}:{message} of {sender}"),
    }
}

/// A draw in words; `moved` says whose draw brought the link into the state that it is in, and which that is.
pub(super) fn describe(decision: &Decision, judgement: &Judgement, moved: Option<&(String, ModelState)>) -> String {
    let Decision { purpose, state, answer, .. } = decision;
    let (about, yes, no) = match purpose {
        Purpose::Loss => ("loss", "lost", "not lost"),
        Purpose::Corrupt | Purpose::CorruptBit => ("damage", "damaged", "not damaged"),
        Purpose::Duplicate => ("copy", "doubled", "not doubled"),
        Purpose::Reorder => ("order", "sent on without delay", "takes its time"),
        Purpose::LossState => ("state", "", ""),
        Purpose::Delay => ("delay", "", ""),
    };
    let state = state.map_or(String::new(), |state| {
        let since = moved.filter(|(_, to)| *to == state).map_or(String::new(), |(by, _)| format!(", since {by}"));
        format!("in {}{since}; ", named(state))
    });
    let answer = match answer {
        Answer::Yes if *purpose == Purpose::Duplicate => match judgement.copy_takes_nanos {
            Some(nanos) => format!("{yes}; the copy takes {}", Duration::from_nanos(nanos)),
            None => format!("{yes}, but there is no room for the copy"),
        },
        Answer::Yes => yes.to_owned(),
        Answer::No => no.to_owned(),
        Answer::Bit(bit) => format!("bit {} of byte {} of the payload flips", bit % 8, bit / 8),
        Answer::Nanos(nanos) => format!("takes {}", Duration::from_nanos(*nanos)),
        Answer::Next(state) => format!("the next datagram meets {}", named(*state)),
    };
    format!("{about:<8}{state}{}: {answer}", comparison(decision))
}

/// How long a link keeps a datagram beyond its delay.
pub(super) fn wait(judgement: &Judgement) -> Option<String> {
    let takes = Duration::from_nanos(judgement.takes_nanos.filter(|_| judgement.waits_nanos > 0)?);
    let waits = Duration::from_nanos(judgement.waits_nanos);
    Some(format!("{:<8}takes {takes} in all, {waits} of it for the rate of the link or so as not to overtake", "time"))
}

/// A draw beside what it was compared with.
pub(super) fn comparison(Decision { draw, rank, probability, .. }: &Decision) -> String {
    let share = |draw: u64| draw as f64 / 18_446_744_073_709_551_616.0;
    let own = rank.map_or(String::new(), |_| format!("draw {}, with the link's memory ", six_digits(share(*draw))));
    let (name, draw) = (if rank.is_some() { "rank" } else { "draw" }, share(rank.unwrap_or(*draw)));
    match *probability {
        Some(0.0) => "probability 0".to_owned(),
        Some(1.0) => "probability 1".to_owned(),
        Some(probability) => {
            let sign = if draw < probability { "<" } else { ">=" };
            let shown = [draw, probability].map(six_digits);
            let [draw, probability] = if shown[0] == shown[1] { [draw, probability] } else { shown };
            format!("{own}{name} {draw} {sign} {probability}")
        }
        None => format!("{own}{name} {}", six_digits(draw)),
    }
}

fn named(state: ModelState) -> String {
    match state {
        ModelState::Good => "the good state".to_owned(),
        ModelState::Bad => "the bad state".to_owned(),
        ModelState::Numbered(1) => "state 1, no burst".to_owned(),
        ModelState::Numbered(2) => "state 2, a gap in a burst".to_owned(),
        ModelState::Numbered(3) => "state 3, a burst".to_owned(),
        ModelState::Numbered(number) => format!("state {number}, a single loss"),
        ModelState::Place(place, of) => format!("place {place} of {of}"),
    }
}

/// How a link ends a datagram.
pub(super) fn lost(fate: Fate) -> String {
    let why = match fate {
        Fate::LostInPartition => "a partition cuts it off",
        Fate::LostInQueue => "its queue is full, so it drops it",
        _ => "loses it",
    };
    format!("{why}: {}", fate.name())
}

/// Why a machine dropped it, and what that means.
pub(super) fn dropped(reason: Reason, fate: Fate, is_disabled: bool) -> String {
    let why = match reason {
        Reason::NoSuchMailslot if is_disabled => "remote mailslots are disabled there",
        Reason::NoSuchMailslot => "nobody has the mailslot open",
        Reason::Malformed => "checksum or parser refuse it",
        Reason::NotForUs => "it does not bear the name",
        Reason::TooLargeForSlot => "it is over the mailslot's maximum",
        Reason::SlotFull => "the mailslot is full",
        Reason::MissingFragment => "a fragment is missing",
    };
    format!("drops it, without a word: {why}: {}", fate.name())
}
