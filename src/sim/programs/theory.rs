//! The closed forms of apps.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::browser::LIST_GRAIN;
use crate::id::LinkId;
use crate::link::Config;
use crate::scenario::{App, Event, Fault, Scenario, When};
use crate::sim::ways::{classes, hop};
use crate::stats::theory::repeated_delivery_ratio;
use crate::time::Duration;
use crate::wire::fragment::DEFAULT_MAX_PACKET;

/// What the closed forms say about an app; `None` where there is none.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct AppTheory {
    /// The probability that all three announcements are lost that a master awaits before it removes a server.
    pub false_removals: Option<f64>,
    /// The probability that both are lost that it awaits while periods grow: the third comes too late then.
    pub early_removals: Option<f64>,
}

/// The closed forms of each app of a scenario; they do not depend on seed or replication.
#[must_use]
pub fn theory_of_apps(scenario: &Scenario) -> Vec<AppTheory> {
    if !scenario.events.iter().all(keeps_the_beat) {
        return vec![AppTheory::default(); scenario.apps.len()];
    }
    let classes = classes(scenario.topology());
    let of_app = |app| {
        let loss = announcement_loss(scenario, &classes, app);
        let all_of = |announcements| loss.map(|loss: f64| loss.powi(announcements));
        AppTheory { false_removals: all_of(3), early_removals: all_of(2) }
    };
    scenario.apps.iter().map(of_app).collect()
}

/// Whether an event leaves announcements and the looks of masters whole seconds apart, and the links as they are.
fn keeps_the_beat(event: &Event) -> bool {
    let is_whole = |time: Duration| time.nanos().is_multiple_of(LIST_GRAIN.nanos());
    let is_of_hosts = matches!(event.fault, Fault::Crash(_) | Fault::Restart(_) | Fault::Pause(_) | Fault::Resume(_));
    is_of_hosts && matches!(event.when, When::At(at) if is_whole(at)) && event.lasts.is_none_or(is_whole)
}

/// The probability that an announcement is lost on the way to the master; `None` if that depends on who is master.
/// `classes` says of each link the first one that impairs like it. Where routers forward announcements the ways are longer:
/// for those there is no closed form.
fn announcement_loss(scenario: &Scenario, classes: &[LinkId], app: &App) -> Option<f64> {
    let mut places: BTreeMap<_, BTreeMap<(LinkId, LinkId, u8), u32>> = BTreeMap::new();
    for host in &app.hosts {
        if scenario.topology().forwards(*host) {
            return None;
        }
        let (place, spec) = (&scenario.topology().host(*host).first, &scenario.hosts[host.index()]);
        let [up, down] = [place.up, place.down].map(|link| classes[link.index()]);
        let alike = places.entry((place.segment, spec.domain)).or_default();
        *alike.entry((up, down, spec.transports)).or_default() += 1;
    }
    let mut ways = BTreeSet::new();
    for hosts in places.values() {
        for (from @ (up, _, sent), number) in hosts {
            let others = hosts.keys().filter(|to| *to != from || *number > 1);
            ways.extend(others.map(|(_, down, heard)| ([*up, *down], *sent.min(heard))));
        }
    }
    let config = |link: LinkId| &scenario.topology().links()[link.index()].config;
    let mut losses = ways.into_iter().map(|(way, transports)| loses_independently(way.map(config), transports));
    let loss = losses.next()??;
    losses.all(|other| other == Some(loss)).then_some(loss)
}

/// The probability that an announcement is lost, whatever became of the one before; `None` if that matters, or if one that
/// is due when the time is over can come too late.
fn loses_independently(way: [&Config; 2], transports: u8) -> Option<f64> {
    let is_plain = |link: &&Config| {
        let is_checked = link.udp_checksum || link.corrupt.value() == 0.0;
        let is_whole = link.mtu.is_none_or(|mtu| usize::from(mtu) >= DEFAULT_MAX_PACKET); // frames are much shorter
        !link.loss.has_memory() && link.bottleneck.is_none() && is_checked && is_whole
    };
    let longest = |link: &Config| link.delay.distribution.quantile(u64::MAX);
    let holds = way.iter().all(is_plain) && longest(way[0]) + longest(way[1]) < LIST_GRAIN;
    let passes = repeated_delivery_ratio(&way.map(hop), 1, transports.into());
    passes.filter(|_| holds).map(|passes| 1.0 - passes)
}
