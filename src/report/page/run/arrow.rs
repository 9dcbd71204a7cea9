//! One arrow of a space-time diagram: how it looks, and what there is to say of it.

use maud::{Markup, html};

use super::flights::{Arrow, Course, Kind};
use super::scale::{exact, moment};
use crate::report::page::bars::class;
use crate::report::page::picture::{Key, number};
use crate::stats::Fate;

/// Where an arrow is drawn, and the numbers that stand for names in what the script reads.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Of the flow or app among all, and of the hosts among those with lines.
    pub(super) source: Option<usize>,
    pub(super) lanes: (usize, Option<usize>),
    /// How it was lost, and the number of the link among those that something was lost on.
    pub(super) lost: Option<(Fate, usize)>,
    /// What became of its message there if that is something else.
    pub(super) other: Option<Fate>,
    /// From left to right: where it begins, and where it ends.
    pub(super) from: f64,
    pub(super) to: f64,
    /// From top to bottom.
    pub(super) start: f64,
    pub(super) end: f64,
    /// Down to where its message waits, if it does.
    pub(super) waits: Option<f64>,
    /// Where the middle of the word for how it ended is, if there is room for that.
    pub(super) label: Option<f64>,
}

/// How an arrow ended, if that is known: the fate of its message, or how the network ended what is none.
pub(super) fn outcome(arrow: &Arrow) -> Option<Fate> {
    let how = if let Course::Lost(_, how) = arrow.course { Some(how) } else { None };
    arrow.fate.or(how)
}

/// The same of one that is no delivery.
pub(super) fn ending(arrow: &Arrow) -> Option<Fate> {
    outcome(arrow).filter(|fate| *fate != Fate::Delivered)
}

/// An arrow. The script finds what there is to say of it in its attributes.
pub(super) fn draw(arrow: &Arrow, place: Place) -> Markup {
    let Arrow { message, kind, from, to, start, end, course, fate, waited, copy, .. } = arrow;
    let Place { source, lanes, lost, other, from: x, to: tip, start: top, end: bottom, waits, label } = place;
    let number_of = |number: Option<usize>| number.map_or(String::new(), |number| number.to_string());
    let flags = [arrow.is_read, arrow.is_part, arrow.is_for_all].map(|flag| if flag { '1' } else { '0' });
    let facts = [
        message.to_string(),
        lanes.0.to_string(),
        number_of(lanes.1),
        moment(*start),
        moment(*end),
        waited.map_or(String::new(), moment),
        format!("{}{}", *kind as u8, flags.iter().collect::<String>()),
        copy.to_string(),
    ];
    let lost = lost.map(|(how, link)| format!("{} {link}", how.name()));
    let is_asked = *kind == Kind::Message && to.is_some() && fate.is_some();
    let end = ending(arrow);
    let is_own = *to == Some(*from);
    let head = if *fate == Some(Fate::Delivered) { "url(#head)" } else { "url(#grey)" };
    let head = (*course == Course::Arrived && end.is_none() && !is_own).then_some(head);
    let (top, bottom) = (exact(top), exact(bottom));
    html! {
        g class=(look(arrow)) data-r="" data-f=(number_of(source)) data-k=[outcome(arrow).map(Fate::name)] data-i=(facts.join("\t")) data-l=[lost] data-m=[other.map(Fate::name)] data-q=[is_asked.then_some("")] {
            @if is_own { use.own href="#own" x=(number(x)) y=(top) {} }
            @else if *kind == Kind::Failed { use href="#stop" x=(number(x)) y=(top) {} }
            @else {
                line x1=(number(x)) y1=(top) x2=(number(tip)) y2=(bottom) marker-end=[head] {}
            }
            @if let Some(waits) = waits { line.wait x1=(number(tip)) y1=(bottom) x2=(number(tip)) y2=(exact(waits)) {} }
            @if let Some(end) = end {
                use href=(sign(end)) x=(number(tip)) y=(bottom) {}
                @if let Some(middle) = label { text x=(number(middle)) y=(bottom) dy="15" { (end.name()) } }
            }
        }
    }
}

/// What there is among these arrows, each with its sign.
pub(super) fn keys(arrows: &[Arrow]) -> Vec<Key> {
    let has = |is_it: &dyn Fn(&Arrow) -> bool| arrows.iter().any(is_it);
    let line = |class: &str, head: Option<&str>, end: Option<&str>| {
        html! {
            g class=(format!("a {class}")) {
                line x1="0" x2="24" y1="7" y2="7" marker-end=[head] {}
                @if let Some(end) = end { use href=(end) x="24" y="7" {} }
            }
        }
    };
    let mut keys = Vec::new();
    for fate in Fate::ALL.into_iter().filter(|fate| has(&|arrow| outcome(arrow) == Some(*fate))) {
        let class = class(fate);
        let sign = match fate {
            Fate::Delivered => line(&class, Some("url(#head)"), None),
            _ => line(&class, None, Some(sign(fate))),
        };
        keys.push(Key { sign, label: fate.name().to_owned() });
    }
    let is_whole = |arrow: &Arrow| ending(arrow).is_none() && arrow.fate.is_none() && !arrow.is_part;
    let own = html! { g.a.f0 { use.own href="#own" x="12" y="7" {} } };
    let failed = html! { g.a.failed { use href="#stop" x="12" y="7" {} } };
    let waits = html! { g.a.f0 { line.wait x1="4" x2="24" y1="7" y2="7" {} } };
    let grey = Some("url(#grey)");
    let others = [
        (has(&|arrow| arrow.to == Some(arrow.from)), own, "own copy, by no network"),
        (has(&|arrow| arrow.kind == Kind::Failed), failed, "write that failed"),
        (has(&|arrow| arrow.waited.is_some_and(|waited| waited > arrow.end)), waits, "waits in its mailslot"),
        (has(&|arrow| arrow.is_copy), line("copy", grey, None), "the network's copy"),
        (has(&|arrow| arrow.is_part), line("part", grey, None), "further fragment"),
        (has(&|arrow| arrow.kind == Kind::Reply && is_whole(arrow)), line("said", grey, None), "answer or reply"),
        (
            has(&|arrow| arrow.kind == Kind::Program && is_whole(arrow)),
            line("said", grey, None),
            "message of a program",
        ),
        (has(&|arrow| arrow.kind == Kind::Name && is_whole(arrow)), line("ns", grey, None), "name service"),
        (
            has(&|arrow| arrow.kind == Kind::Overheard && is_whole(arrow)),
            line("heard", grey, None),
            "not addressed there",
        ),
    ];
    keys.extend(
        others
            .into_iter()
            .filter(|(is_there, ..)| *is_there)
            .map(|(_, sign, label)| Key { sign, label: label.to_owned() }),
    );
    keys
}

/// The classes of an arrow.
fn look(arrow: &Arrow) -> String {
    let colour = match (outcome(arrow), arrow.kind) {
        (Some(fate), _) => class(fate),
        (None, _) if arrow.is_part => "part".to_owned(),
        (None, Kind::Message | Kind::Overheard) => "heard".to_owned(),
        (None, Kind::Reply | Kind::Program) => "said".to_owned(),
        (None, Kind::Name) => String::new(),
        (None, Kind::Failed) => "failed".to_owned(),
    };
    let more = [
        (arrow.kind == Kind::Name, " ns"),
        (arrow.is_copy, " copy"),
        (matches!(arrow.course, Course::Lost(..)), " lost"),
    ];
    more.into_iter().filter(|(is_so, _)| *is_so).fold(format!("a {colour}"), |classes, (_, class)| classes + class)
}

/// How a fate that is no delivery ends an arrow: what was lost is crossed out, what was dropped stopped, what waits is open.
fn sign(fate: Fate) -> &'static str {
    match fate {
        Fate::Delivered | Fate::Unread | Fate::InFlight => "#open",
        Fate::LostOnLink | Fate::LostInQueue | Fate::LostFragment | Fate::Corrupted => "#cross",
        Fate::Unreachable | Fate::LostInPartition => "#cut",
        Fate::HostDown | Fate::NoSuchMailslot | Fate::TooLargeForSlot | Fate::SlotFull | Fate::ClosedUnread => "#stop",
    }
}
