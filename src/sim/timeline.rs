//! The timeline of a run: every moment at which something happens to the network or to hosts, random ones too.

use std::collections::BTreeSet;

use rand::Rng;

use super::traffic::exponential;
use crate::id::HostId;
use crate::rng::Root;
use crate::scenario::{Event, Fault, Scenario, When};
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;

/// Something that happens, to one host or mailslot where it is about those.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Strike {
    /// The position of the event in the scenario.
    pub(crate) event: usize,
    pub(crate) change: Change,
    /// Whether it undoes what the event did.
    pub(crate) undoes: bool,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// The event's partition begins.
    Cut,
    /// It ends.
    Mend,
    /// All partitions end.
    Heal,
    /// A host that is not down goes down.
    Crash(HostId),
    /// A host that is down starts.
    Start(HostId),
    /// A host that is up stands still.
    Pause(HostId),
    /// A host that stands still goes on.
    Resume(HostId),
    /// It leaves its domain for another.
    Join(HostId, NetbiosName),
    /// A program opens this of the scenario's mailslots, which is closed, on a host that is up.
    Open(u32),
    /// It closes it, which is open.
    Close(u32),
    /// Links impair as the event says.
    Set,
    /// They impair as before it.
    Unset,
}

impl Change {
    /// Its name in traces.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Change::Cut => "partition",
            Change::Mend | Change::Heal => "heal",
            Change::Crash(_) => "crash",
            Change::Start(_) => "restart",
            Change::Pause(_) => "pause",
            Change::Resume(_) => "resume",
            Change::Join(..) => "join",
            Change::Open(_) => "open",
            Change::Close(_) => "close",
            Change::Set | Change::Unset => "set",
        }
    }
}

/// All that happens up to the end of a run, in order: by time, and at one moment in the order of the file. What would change
/// nothing, as the crash of a host that is down, is left out.
pub(crate) fn timeline(scenario: &Scenario, root: Root) -> Vec<(Instant, Strike)> {
    let mut strikes = Vec::new();
    for (event, spec) in scenario.events.iter().enumerate() {
        for part in parts(scenario, &spec.fault) {
            let Part { begins, undone } = &part;
            let mut happen = |at: Instant| {
                let end = spec.lasts.map(|lasts| at + lasts);
                strikes.extend(begins.iter().map(|change| (at, Strike { event, change: *change, undoes: false })));
                strikes.extend(end.zip(*undone).map(|(end, change)| (end, Strike { event, change, undoes: true })));
                end.unwrap_or(at)
            };
            match spec.when {
                When::At(at) => drop(happen(Instant::ZERO + at)),
                When::Every(mean) => {
                    let mut next = moments(scenario, root, event, &part, mean);
                    let mut free = Instant::ZERO;
                    while let Some(at) = next(free) {
                        free = happen(at);
                    }
                }
            }
        }
    }
    strikes.retain(|(at, _)| *at <= scenario.end());
    strikes.sort_by_key(|(at, strike)| (*at, strike.event)); // those of one event stay in the order of its hosts
    let mut state = State::new(scenario);
    strikes.retain(|(_, strike)| state.apply(strike));
    strikes
}

/// Whether a host is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Condition {
    Up,
    /// It stands still: what comes for it waits.
    Paused,
    Down,
}

/// Which hosts are there and which mailslots open, at one moment after another.
struct State<'a> {
    scenario: &'a Scenario,
    conditions: Vec<Condition>,
    /// For each host the events that keep it as it is, down or still: it is as before when the last of them is undone.
    holds: Vec<BTreeSet<usize>>,
    open: Vec<bool>,
}

impl<'a> State<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        State {
            scenario,
            conditions: vec![Condition::Up; scenario.hosts.len()],
            holds: vec![BTreeSet::new(); scenario.hosts.len()],
            open: scenario.mailslots.iter().map(|mailslot| !mailslot.starts_closed).collect(),
        }
    }

    /// Lets something happen; whether it changes anything.
    fn apply(&mut self, strike: &Strike) -> bool {
        let Strike { event, change, undoes } = *strike;
        let (host, from, to): (_, &[Condition], _) = match change {
            Change::Crash(host) => (host, &[Condition::Up, Condition::Paused], Condition::Down),
            Change::Start(host) => (host, &[Condition::Down], Condition::Up),
            Change::Pause(host) => (host, &[Condition::Up], Condition::Paused),
            Change::Resume(host) => (host, &[Condition::Paused], Condition::Up),
            Change::Open(slot) | Change::Close(slot) => return self.turn(slot, matches!(change, Change::Open(_))),
            Change::Cut | Change::Mend | Change::Heal | Change::Join(..) | Change::Set | Change::Unset => return true,
        };
        let condition = self.conditions[host.index()];
        let is_changed = from.contains(&condition);
        let holds = &mut self.holds[host.index()];
        match to {
            Condition::Up if undoes => {
                let held = holds.remove(&event);
                if !is_changed || !held || !holds.is_empty() {
                    return false;
                }
            }
            Condition::Up => {}
            // What stood still and goes down is held down by this event alone.
            Condition::Down | Condition::Paused if is_changed => *holds = BTreeSet::from([event]),
            Condition::Down | Condition::Paused if condition == to => drop(holds.insert(event)),
            Condition::Down | Condition::Paused => {}
        }
        if is_changed {
            self.conditions[host.index()] = to;
        }
        if let Change::Start(_) = change
            && is_changed
        {
            let own = self.open.iter_mut().zip(&self.scenario.mailslots).filter(|(_, mailslot)| mailslot.host == host);
            own.for_each(|(open, mailslot)| *open = !mailslot.starts_closed);
        }
        is_changed
    }

    /// Opens or closes a mailslot; whether that changes anything.
    fn turn(&mut self, slot: u32, open: bool) -> bool {
        let host = self.scenario.mailslots[slot as usize].host;
        let is_changed = self.conditions[host.index()] == Condition::Up && self.open[slot as usize] != open;
        self.open[slot as usize] ^= is_changed;
        is_changed
    }
}

/// What happens to one host or mailslot, or to the network, at one moment, and what undoes it.
struct Part {
    begins: Vec<Change>,
    undone: Option<Change>,
}

impl Part {
    fn new(begins: Change, undone: Option<Change>) -> Self {
        Part { begins: vec![begins], undone }
    }
}

/// The parts of a fault: where it is about hosts or mailslots, one for each.
fn parts(scenario: &Scenario, fault: &Fault) -> Vec<Part> {
    match fault {
        Fault::Partition { .. } => vec![Part::new(Change::Cut, Some(Change::Mend))],
        Fault::Heal => vec![Part::new(Change::Heal, None)],
        Fault::Crash(hosts) => {
            hosts.iter().map(|host| Part::new(Change::Crash(*host), Some(Change::Start(*host)))).collect()
        }
        Fault::Restart(hosts) => {
            let part = |host| Part { begins: vec![Change::Crash(host), Change::Start(host)], undone: None };
            hosts.iter().copied().map(part).collect()
        }
        Fault::Pause(hosts) => {
            hosts.iter().map(|host| Part::new(Change::Pause(*host), Some(Change::Resume(*host)))).collect()
        }
        Fault::Resume(hosts) => hosts.iter().map(|host| Part::new(Change::Resume(*host), None)).collect(),
        Fault::Leave(_) | Fault::Join { .. } => {
            let domain = fault.domain().expect("hosts move to a domain");
            let back = |host: HostId| Change::Join(host, scenario.hosts[host.index()].domain);
            fault.movers().iter().map(|host| Part::new(Change::Join(*host, domain), Some(back(*host)))).collect()
        }
        Fault::Open(slots) => {
            slots.iter().map(|slot| Part::new(Change::Open(*slot), Some(Change::Close(*slot)))).collect()
        }
        Fault::Close(slots) => {
            slots.iter().map(|slot| Part::new(Change::Close(*slot), Some(Change::Open(*slot)))).collect()
        }
        Fault::Set { .. } => vec![Part::new(Change::Set, Some(Change::Unset))],
    }
}

/// The random moments of one part of an event: given from when on, the next; `None` after the end of the run. They
/// depend on what happens and to whom, not on other events, but for those that do the same to the same.
fn moments(
    scenario: &Scenario,
    root: Root,
    event: usize,
    part: &Part,
    mean: Duration,
) -> impl FnMut(Instant) -> Option<Instant> {
    let label = label(scenario, &scenario.events[event].fault, part);
    let alike = |earlier: &&Event| {
        let same = |other: &Part| self::label(scenario, &earlier.fault, other) == label;
        matches!(earlier.when, When::Every(_)) && parts(scenario, &earlier.fault).iter().any(same)
    };
    let number = scenario.events[..event].iter().filter(alike).count() as u32;
    let mut rng = root.fault(label.0, &label.1, number);
    let end = scenario.end();
    move |from| Some(from + exponential(mean, rng.next_u64())).filter(|at| *at <= end)
}

/// What a part does, and to whom.
fn label(scenario: &Scenario, fault: &Fault, part: &Part) -> (&'static str, String) {
    let change = *part.begins.last().expect("something happens");
    let name = |host: &HostId| scenario.topology().host(*host).name.clone();
    let whom = match (change, fault) {
        (Change::Crash(host) | Change::Start(host) | Change::Pause(host), _) => name(&host),
        (Change::Join(host, domain), _) => format!("{} {domain}", name(&host)),
        (Change::Open(slot) | Change::Close(slot), _) => {
            let mailslot = &scenario.mailslots[slot as usize];
            format!("{}\\{}", name(&mailslot.host), mailslot.name)
        }
        (_, Fault::Partition { groups, one_way }) => {
            let groups: Vec<Vec<String>> = groups.iter().map(|group| group.iter().map(name).collect()).collect();
            format!("{groups:?} {one_way}")
        }
        (_, Fault::Set { values, .. }) => values.clone(),
        _ => String::new(),
    };
    (change.name(), whom)
}
