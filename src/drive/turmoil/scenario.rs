//! Scenario files under turmoil: every host is an async program, over the same engine, links and books.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use thiserror::Error;
use tokio::task::{JoinSet, spawn_local};

use super::account::{Account, scenario_time, simulation_time};
use super::journal::{Journal, Record, Records};
use super::{UdpSocket, builder, switch};
use crate::drive::{Client, Host, Mailslot, Sockets};
use crate::id::{HostId, StreamId};
use crate::mailslot::{Machine, WAIT_FOREVER, Win32Error};
use crate::rng::Root;
use crate::scenario::{self, Reader, Scenario, Target};
use crate::sim::books::Books;
use crate::sim::install::Installer;
use crate::sim::timeline::{Change, timeline};
use crate::sim::traffic::{self, Sender};
use crate::sim::{Outcome, Overload};
use crate::stats::Observer;
use crate::time::{Duration, Instant};

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
    /// Hosts crash, stand still or change their domains, or mailslots open and close.
    #[error(
        "an event is about hosts or mailslots (`{0}`), and with turmoil only `partition`, `heal` and `set` work: use the \
         driver `events`"
    )]
    Fault(&'static str),
    /// It needs too much memory.
    #[error(transparent)]
    Overload(#[from] Overload),
}

/// Runs one replication of a scenario under turmoil; `observer` is told every event. The same arguments give the same
/// events.
///
/// Every host is an async program on a host of turmoil: it writes by [`Client`]s, reads from [`Mailslot`]s, and all
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
    let root = Root { seed: scenario.seed(), replication };
    let senders = traffic::senders(&scenario, root);
    let records = Records::default();
    let timeline = timeline(&scenario, root);
    let of_network =
        |change: Change| matches!(change, Change::Cut | Change::Mend | Change::Heal | Change::Set | Change::Unset);
    if let Some((_, strike)) = timeline.iter().find(|(_, strike)| !of_network(strike.change)) {
        return Err(RunError::Fault(strike.change.name()));
    }
    let books = Books::new(scenario.clone(), root, &senders, observer);
    let account = Rc::new(RefCell::new(Account::new(books, records.clone(), &scenario, timeline)));
    let writers = Arc::new(AtomicUsize::new(senders.len()));

    let mut sim = builder().simulation_duration(std::time::Duration::MAX).build();
    let installer = Installer::new(scenario.clone());
    let mut streams: Vec<Option<Sender>> = senders.into_iter().map(Some).collect();
    let order = traffic::by_name(&scenario);
    for (id, host) in (0..).map(HostId).zip(topology.hosts()) {
        let is_own = |stream: &&StreamId| streams[stream.index()].as_ref().is_some_and(|sender| sender.host() == id);
        let own: Vec<StreamId> = order.iter().filter(is_own).copied().collect();
        let programs = Programs {
            machine: installer.machine(id),
            journal: Journal::new(&records, id),
            mailslots: scenario.mailslots.iter().filter(|mailslot| mailslot.host == id).cloned().collect(),
            senders: own.into_iter().filter_map(|stream| Some((stream, streams[stream.index()].take()?))).collect(),
            writers: writers.clone(),
        };
        sim.client(host.address, programs.run());
    }
    let addresses = topology.hosts().iter().map(|host| (host.name.clone(), host.address)).collect();
    switch::install(&mut sim, addresses, account.clone());

    let is_over = || account.borrow().is_over(writers.load(Ordering::Relaxed) == 0);
    let end = simulation_time(scenario.end()) + super::TICK * 2; // the last tick, and one that it is over in
    while sim.elapsed().as_nanos() <= u128::from(end.nanos()) && !is_over() {
        sim.step().unwrap_or_else(|error| panic!("a simulation that is set up right does not fail: {error}"));
        account.borrow_mut().catch_up();
    }
    drop(sim);
    let account = Rc::into_inner(account).expect("the switch is gone with the simulation").into_inner();
    Ok(account.finish()?)
}

/// What runs on one host.
struct Programs {
    machine: Machine,
    journal: Journal,
    mailslots: Vec<scenario::Mailslot>,
    senders: Vec<(StreamId, Sender)>,
    /// How many programs on all hosts have not written everything.
    writers: Arc<AtomicUsize>,
}

impl Programs {
    async fn run(self) -> ::turmoil::Result {
        let Programs { machine, journal, mailslots, senders, writers } = self;
        let address = machine.config().address;
        let host = Host::watched(machine, Sockets::bind_simulated(address).await?, journal.clone());
        let mut tasks = JoinSet::new();
        for mailslot in mailslots {
            let slot = host.create_mailslot(&mailslot.path(), mailslot.options(WAIT_FOREVER))?;
            tasks.spawn_local(read(slot, mailslot.reader, journal.clone()));
        }
        for (stream, sender) in senders {
            tasks.spawn_local(write_all(host.clone(), stream, sender, journal.clone(), writers.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            ended?; // a program that fails ends the run
        }
        std::future::pending().await
    }
}

/// A program that writes the messages of a sender.
async fn write_all(
    host: Host<UdpSocket>,
    stream: StreamId,
    mut sender: Sender,
    journal: Journal,
    writers: Arc<AtomicUsize>,
) {
    let mut clients: Vec<Option<Rc<Client<UdpSocket>>>> = vec![None; sender.targets().len()];
    while let Some(at) = sender.next_time() {
        sleep_until(at).await;
        let outgoing = sender.next_message();
        let client = &mut clients[outgoing.target as usize];
        if client.is_none() {
            match open(&host, &sender.targets()[outgoing.target as usize]) {
                Ok(opened) => *client = Some(Rc::new(opened)),
                Err(error) => {
                    journal.write(Record::Calls(stream, outgoing));
                    journal.write(Record::Wrote(Err(error)));
                    continue;
                }
            }
        }
        let (client, journal) = (client.clone().expect("it was opened"), journal.clone());
        let data = sender.data().to_vec();
        // A write may wait for a name, and the next is not held up by that.
        spawn_local(async move {
            journal.write(Record::Calls(stream, outgoing));
            let _ = client.send(&data).await; // the journal has it
        });
    }
    writers.fetch_sub(1, Ordering::Relaxed);
}

fn open(host: &Host<UdpSocket>, target: &Target) -> Result<Client<UdpSocket>, Win32Error> {
    match target {
        Target::Local(slot) => host.open(&format!(r"\\?\mailslot\{slot}")),
        Target::PrimaryDomain(slot) => host.open(&format!(r"\\*\mailslot\{slot}")),
        Target::Named { name, slot } => host.open_name(*name, slot),
    }
}

/// A program that reads a mailslot in its manner, and keeps it open.
async fn read(slot: Mailslot<UdpSocket>, habit: Reader, journal: Journal) {
    const OPEN: &str = "the slot is open and the network works";
    let mut free_at = Instant::ZERO;
    loop {
        match habit {
            Reader::Wait => {}
            // Its work is counted exactly, not from tick to tick: a backlog is worked off at the rate that it says.
            Reader::ServiceTime(time) => {
                sleep_until(free_at).await;
                if slot.info().message_count == 0 {
                    slot.readable().await.expect(OPEN);
                    free_at = now();
                }
                free_at = free_at + time;
            }
            Reader::Poll(interval) => {
                slot.readable().await.expect(OPEN);
                sleep_until(Instant::ZERO + interval * now().nanos().div_ceil(interval.nanos())).await;
                while let Some(message) = slot.try_recv().expect(OPEN) {
                    journal.write(Record::Read(message.receipt));
                }
                continue;
            }
            Reader::Never => std::future::pending().await,
        }
        let message = slot.recv().await.expect(OPEN);
        journal.write(Record::Read(message.receipt));
    }
}

fn now() -> Instant {
    scenario_time(switch::now())
}

/// Sleeps until the first tick at or after a moment of the scenario.
async fn sleep_until(at: Instant) {
    let span: Duration = at.since(now());
    if span > Duration::ZERO {
        tokio::time::sleep(std::time::Duration::from_nanos(span.nanos())).await;
    }
}
