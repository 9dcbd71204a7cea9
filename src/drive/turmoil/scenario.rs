//! Scenario files under turmoil: every host is an async program, over the same engine, links and books.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use thiserror::Error;

use super::account::{Account, simulation_time};
use super::journal::{Journal, Records};
use super::plan::Plan;
use super::programs::Programs;
use super::{builder, switch};
use crate::id::{HostId, StreamId};
use crate::rng::Root;
use crate::scenario::Scenario;
use crate::sim::ack::Agreement;
use crate::sim::books::Books;
use crate::sim::install::Installer;
use crate::sim::timeline::timeline;
use crate::sim::traffic::{self, Sender};
use crate::sim::{Outcome, Overload};
use crate::stats::Observer;

/// The most hosts of a scenario that is run under turmoil: it runs each of them at every tick and looks at all pairs.
pub const MAX_HOSTS: usize = 128;

/// A scenario could not be run under turmoil.
#[derive(Debug, Error)]
pub enum RunError {
    /// It has too many hosts.
    #[error(
        "the scenario has {0} hosts, and turmoil, which runs every host at every millisecond, at most {MAX_HOSTS} \
         (MAX_HOSTS): use the driver `events`"
    )]
    TooManyHosts(usize),
    /// It has programs that are no flows.
    #[error(
        "the scenario has programs of its own (`[[app]]`), which do not run under turmoil: use the driver `events`"
    )]
    Apps,
    /// It needs too much memory.
    #[error(transparent)]
    Overload(#[from] Overload),
}

/// Runs one replication of a scenario under turmoil; `observer` is told every event. The same arguments give the same
/// events.
///
/// Every host is an async program on a host of turmoil: it writes by [`Client`](crate::drive::Client)s, reads from [`Mailslot`](crate::drive::Mailslot)s, and all
/// packets go through its sockets as bytes. Links, draws and books are those of the event core, so every message has the
/// same fate there, except where less than a tick decides: programs act at whole milliseconds, and a datagram takes at
/// least one.
///
/// # Errors
///
/// See [`RunError`].
///
/// # Panics
///
/// If the conservation law is broken, or a datagram is lost that no link has lost: bugs of this crate.
pub fn run<O: Observer + 'static>(scenario: &Scenario, replication: u32, observer: O) -> Result<Outcome, RunError> {
    let scenario = Rc::new(scenario.clone());
    let topology = scenario.topology();
    let hosts = topology.hosts().len();
    if hosts > MAX_HOSTS {
        return Err(RunError::TooManyHosts(hosts));
    }
    if !scenario.apps.is_empty() {
        return Err(RunError::Apps);
    }
    let root = Root { seed: scenario.seed(), replication };
    let mut senders = traffic::senders(&scenario, root);
    let records = Records::default();
    let timeline = timeline(&scenario, root);
    let plans: Vec<Plan> = (0..hosts as u32).map(|host| Plan::new(&scenario, &timeline, HostId(host))).collect();
    let installer = Rc::new(Installer::new(scenario.clone()));
    let books = Books::new(scenario.clone(), root, &senders, observer);
    let account = Account::new(books, records.clone(), &scenario, installer.clone(), timeline);
    let account = Rc::new(RefCell::new(account));
    let with_messages = senders.iter_mut().filter_map(|sender| sender.next_time()).count();
    let unfinished = Arc::new(AtomicUsize::new(with_messages));
    let agreement = Rc::new(Agreement::new(&scenario));

    let mut sim = builder().simulation_duration(std::time::Duration::MAX).build();
    let mut streams: Vec<Option<Sender>> = senders.into_iter().map(Some).collect();
    let order = traffic::by_name(&scenario);
    for ((id, host), plan) in (0..).map(HostId).zip(topology.hosts()).zip(plans) {
        let is_own = |stream: &&StreamId| streams[stream.index()].as_ref().is_some_and(|sender| sender.host() == id);
        let own: Vec<StreamId> = order.iter().filter(is_own).copied().collect();
        let senders = own.into_iter().filter_map(|stream| Some((stream, streams[stream.index()].take()?)));
        let programs = Programs {
            scenario: scenario.clone(),
            installer: installer.clone(),
            agreement: agreement.clone(),
            host: id,
            plan: Rc::new(plan),
            journal: Journal::new(&records, id),
            senders: senders.map(|(stream, sender)| (stream, Rc::new(RefCell::new(sender)))).collect(),
            unfinished: unfinished.clone(),
        };
        sim.client(host.first.address, programs.run());
    }
    let addresses = topology.hosts().iter().map(|host| (host.name.clone(), host.first.address)).collect();
    switch::install(&mut sim, addresses, account.clone());

    let is_over = || account.borrow().is_over(unfinished.load(Ordering::Relaxed) == 0);
    let end = simulation_time(scenario.end()) + super::TICK * 2; // the last tick, and one that it is over in
    while sim.elapsed().as_nanos() <= u128::from(end.nanos()) && !is_over() {
        sim.step().unwrap_or_else(|error| panic!("a simulation that is set up right does not fail: {error}"));
        account.borrow_mut().catch_up();
    }
    drop(sim);
    let account = Rc::into_inner(account).expect("the switch is gone with the simulation").into_inner();
    Ok(account.finish()?)
}
