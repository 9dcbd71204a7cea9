//! The timeline of a run: every moment at which something happens to the network or to hosts, random ones too.

use rand::Rng;

use super::traffic::exponential;
use crate::id::HostId;
use crate::rng::Root;
use crate::scenario::{Fault, Scenario, When};
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;

/// Something that happens, to one host or mailslot where it is about those.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Strike {
    /// The position of the event in the scenario.
    pub(crate) event: usize,
    pub(crate) change: Change,
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
    /// A host goes down.
    Crash(HostId),
    /// It starts, or starts anew.
    Restart(HostId),
    /// It starts if it is down.
    Revive(HostId),
    /// It stands still.
    Pause(HostId),
    /// It goes on.
    Resume(HostId),
    /// It leaves its domain for another.
    Join(HostId, NetbiosName),
    /// A program opens this of the scenario's mailslots.
    Open(u32),
    /// It closes it.
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
            Change::Restart(_) | Change::Revive(_) => "restart",
            Change::Pause(_) => "pause",
            Change::Resume(_) => "resume",
            Change::Join(..) => "join",
            Change::Open(_) => "open",
            Change::Close(_) => "close",
            Change::Set | Change::Unset => "set",
        }
    }
}

/// All that happens up to the end of a run, in order: by time, and at one moment in the order of the file.
pub(crate) fn timeline(scenario: &Scenario, root: Root) -> Vec<(Instant, Strike)> {
    let mut strikes = Vec::new();
    for (event, spec) in scenario.events.iter().enumerate() {
        for (begins, undone) in parts(scenario, &spec.fault) {
            let mut happen = |at: Instant| {
                strikes.push((at, Strike { event, change: begins }));
                let end = spec.lasts.map(|lasts| at + lasts);
                strikes.extend(end.zip(undone).map(|(end, change)| (end, Strike { event, change })));
                end.unwrap_or(at)
            };
            match spec.when {
                When::At(at) => drop(happen(Instant::ZERO + at)),
                When::Every(mean) => {
                    let mut moments = moments(scenario, root, event, begins, mean);
                    let mut free = Instant::ZERO;
                    while let Some(at) = moments(free) {
                        free = happen(at);
                    }
                }
            }
        }
    }
    strikes.retain(|(at, _)| *at <= scenario.end());
    strikes.sort_by_key(|(at, strike)| (*at, strike.event)); // those of one event stay in the order of its hosts
    strikes
}

/// The parts of a fault, each with what undoes it: where it is about hosts or mailslots, one for each.
fn parts(scenario: &Scenario, fault: &Fault) -> Vec<(Change, Option<Change>)> {
    let each = |hosts: &[HostId], begins: fn(HostId) -> Change, undone: Option<fn(HostId) -> Change>| {
        hosts.iter().map(|host| (begins(*host), undone.map(|undone| undone(*host)))).collect()
    };
    match fault {
        Fault::Partition { .. } => vec![(Change::Cut, Some(Change::Mend))],
        Fault::Heal => vec![(Change::Heal, None)],
        Fault::Crash(hosts) => each(hosts, Change::Crash, Some(Change::Revive)),
        Fault::Restart(hosts) => each(hosts, Change::Restart, None),
        Fault::Pause(hosts) => each(hosts, Change::Pause, Some(Change::Resume)),
        Fault::Resume(hosts) => each(hosts, Change::Resume, None),
        Fault::Leave(_) | Fault::Join { .. } => {
            let domain = fault.domain().expect("hosts move to a domain");
            let back = |host: HostId| Change::Join(host, scenario.hosts[host.index()].domain);
            fault.movers().iter().map(|host| (Change::Join(*host, domain), Some(back(*host)))).collect()
        }
        Fault::Open(slots) => slots.iter().map(|slot| (Change::Open(*slot), Some(Change::Close(*slot)))).collect(),
        Fault::Close(slots) => slots.iter().map(|slot| (Change::Close(*slot), Some(Change::Open(*slot)))).collect(),
        Fault::Set { .. } => vec![(Change::Set, Some(Change::Unset))],
    }
}

/// The random moments of one part of an event: given from when on, the next; `None` after the end of the run. They
/// depend on what happens and to whom, not on other events, but for those that do the same to the same.
fn moments(
    scenario: &Scenario,
    root: Root,
    event: usize,
    change: Change,
    mean: Duration,
) -> impl FnMut(Instant) -> Option<Instant> {
    let topology = scenario.topology();
    let whom = match change {
        Change::Crash(host) | Change::Restart(host) | Change::Pause(host) | Change::Join(host, _) => {
            topology.host(host).name.clone()
        }
        Change::Open(slot) | Change::Close(slot) => {
            let mailslot = &scenario.mailslots[slot as usize];
            format!("{}\\{}", topology.host(mailslot.host).name, mailslot.name)
        }
        _ => String::new(),
    };
    let alike = |earlier: &&crate::scenario::Event| {
        matches!(earlier.when, When::Every(_))
            && parts(scenario, &earlier.fault).iter().any(|(other, _)| *other == change)
    };
    let number = scenario.events[..event].iter().filter(alike).count() as u32;
    let mut rng = root.fault(change.name(), &whom, number);
    let end = scenario.end();
    move |from| Some(from + exponential(mean, rng.next_u64())).filter(|at| *at <= end)
}
