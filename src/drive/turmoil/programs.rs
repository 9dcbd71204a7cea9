//! What runs on one host of a scenario under turmoil: programs that write and read, and the one that lets the timeline
//! happen to them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::account::scenario_time;
use super::journal::{Journal, Record};
use super::plan::Plan;
use super::{UdpSocket, switch};
use crate::drive::{Client, Host, Mailslot, Sockets};
use crate::id::{HostId, StreamId};
use crate::mailslot::{WAIT_FOREVER, Win32Error};
use crate::scenario::{Reader, Scenario, Target};
use crate::sim::install::Installer;
use crate::sim::timeline::{Change, Condition};
use crate::sim::traffic::Sender;
use crate::time::{Duration, Instant};

/// What runs on one host, from the beginning to the end of a run.
pub(super) struct Programs {
    pub(super) scenario: Rc<Scenario>,
    pub(super) installer: Rc<Installer>,
    pub(super) host: HostId,
    pub(super) plan: Rc<Plan>,
    pub(super) journal: Journal,
    /// What is written outlives a crash: a program that starts anew goes on where it would be.
    pub(super) senders: Vec<(StreamId, Rc<RefCell<Sender>>)>,
    /// How many programs on all hosts have not written everything.
    pub(super) writers: Arc<AtomicUsize>,
}

/// What runs from a start of the host to its crash.
struct Life {
    host: Host<UdpSocket>,
    journal: Journal,
    tasks: JoinSet<()>,
    /// The programs that have a mailslot open, by its position in the scenario.
    readers: BTreeMap<u32, AbortHandle>,
}

impl Programs {
    /// Lets the host live as its plan says.
    pub(super) async fn run(self) -> ::turmoil::Result {
        let (done, progress) = watch::channel(0);
        let mut life = Some(self.start(&progress).await?);
        for (number, (at, change)) in self.plan.changes().enumerate() {
            until(at, &mut life).await?;
            match (change, &mut life) {
                (Change::Crash(_), life) => {
                    let ended = life.take().expect("a host that crashes was up");
                    self.end(ended).await;
                }
                (Change::Start(_), life) => *life = Some(self.start(&progress).await?),
                (Change::Join(_, domain), Some(life)) => {
                    life.journal.write(Record::Naming);
                    life.host.join_domain(domain);
                }
                (Change::Open(slot), Some(life)) => self.open(slot, life)?,
                (Change::Close(slot), Some(life)) => {
                    let reader = life.readers.remove(&slot).expect("a slot that is closed was open");
                    reader.abort();
                    while !reader.is_finished() {
                        tokio::task::yield_now().await;
                    }
                }
                _ => {}
            }
            done.send_replace(number + 1);
        }
        if life.is_none() {
            self.give_up();
        }
        until(Instant::from_nanos(u64::MAX), &mut life).await
    }

    /// The host starts: its machine claims its names if there is somebody to ask, and its programs open their mailslots
    /// and begin to write.
    async fn start(&self, progress: &watch::Receiver<usize>) -> Result<Life, Box<dyn std::error::Error>> {
        let now = now();
        let stage = self.plan.at(now);
        let journal = self.journal.of_life(stage.life);
        let machine = self.installer.machine_in(self.host, stage.domain);
        let address = machine.config().address;
        let host = Host::watched(machine, Sockets::bind_simulated(address).await?, journal.clone());
        if stage.life > 0 && !self.installer.claims(self.host, stage.domain).is_empty() {
            journal.write(Record::Naming);
            drop(host.begin_claims()); // the journal has what becomes of them
        }
        let mut life = Life { host, journal, tasks: JoinSet::new(), readers: BTreeMap::new() };
        for (slot, mailslot) in (0..).zip(&self.scenario.mailslots) {
            if mailslot.host == self.host && !mailslot.starts_closed {
                self.open(slot, &mut life)?;
            }
        }
        for (stream, sender) in &self.senders {
            let writer = Writer {
                host: life.host.clone(),
                plan: self.plan.clone(),
                journal: life.journal.clone(),
                stream: *stream,
                sender: sender.clone(),
                progress: progress.clone(),
            };
            let writers = self.writers.clone();
            life.tasks.spawn_local(async move {
                writer.write_all(now).await;
                writers.fetch_sub(1, Ordering::Relaxed);
            });
        }
        Ok(life)
    }

    /// The host crashes: what runs on it ends, and what was to be written again is forgotten.
    async fn end(&self, mut life: Life) {
        life.tasks.shutdown().await;
        life.host.close().await;
        let journal = self.journal.of_life(self.plan.at(now()).life);
        for (stream, sender) in &self.senders {
            for message in sender.borrow_mut().forget() {
                journal.write(Record::Unwritten(*stream, message));
            }
        }
    }

    /// The host does not start again: what it has not written it never will.
    fn give_up(&self) {
        let unfinished = self.senders.iter().filter(|(_, sender)| sender.borrow_mut().next_time().is_some()).count();
        self.writers.fetch_sub(unfinished, Ordering::Relaxed);
    }

    fn open(&self, slot: u32, life: &mut Life) -> Result<(), Win32Error> {
        let mailslot = &self.scenario.mailslots[slot as usize];
        let opened = life.host.create_mailslot(&mailslot.path(), mailslot.options(WAIT_FOREVER))?;
        let program = read(opened, mailslot.reader, self.plan.clone(), life.journal.clone());
        life.readers.insert(slot, life.tasks.spawn_local(program));
        Ok(())
    }
}

/// Waits for a moment; a program that fails meanwhile ends the run.
async fn until(at: Instant, life: &mut Option<Life>) -> ::turmoil::Result {
    loop {
        let tasks = life.as_mut().map(|life| &mut life.tasks).filter(|tasks| !tasks.is_empty());
        let ended = async {
            match tasks {
                Some(tasks) => tasks.join_next().await.expect("there are some"),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = sleep_until(at) => return Ok(()),
            ended = ended => match ended {
                Err(failed) if failed.is_panic() => return Err(failed.into()),
                Ok(()) | Err(_) => {} // one that was closed
            },
        }
    }
}

/// A program that writes the messages of a sender.
struct Writer {
    host: Host<UdpSocket>,
    plan: Rc<Plan>,
    journal: Journal,
    stream: StreamId,
    sender: Rc<RefCell<Sender>>,
    /// How many changes of the plan have been made.
    progress: watch::Receiver<usize>,
}

impl Writer {
    /// Writes all that is due from `start` on, as long as the host lives.
    async fn write_all(mut self, start: Instant) {
        let mut clients: Vec<Option<Rc<Client<UdpSocket>>>> = vec![None; self.sender.borrow().targets().len()];
        let mut moves = self.plan.at(start).moves;
        let mut begun = JoinSet::new(); // writes that wait for a name end with the program
        loop {
            let Some(at) = self.sender.borrow_mut().next_time() else { break };
            sleep_until(at).await;
            let changes = self.plan.changes_by(now());
            let _ = self.progress.wait_for(|done| *done >= changes).await; // changes come first at their moment
            let stage = self.plan.at(at);
            if stage.condition != Condition::Up {
                let message = self.sender.borrow_mut().skip();
                self.journal.write(Record::Unwritten(self.stream, message));
                continue;
            }
            if stage.moves != moves {
                moves = stage.moves;
                clients.fill(None); // what stands for the domain is opened anew
            }
            let mut sender = self.sender.borrow_mut();
            let outgoing = sender.next_message();
            let client = &mut clients[outgoing.target as usize];
            if client.is_none() {
                match open(&self.host, &sender.targets()[outgoing.target as usize]) {
                    Ok(opened) => *client = Some(Rc::new(opened)),
                    Err(error) => {
                        self.journal.write(Record::Calls(self.stream, outgoing));
                        self.journal.write(Record::Wrote(Err(error)));
                        continue;
                    }
                }
            }
            let (client, journal) = (client.clone().expect("it was opened"), self.journal.clone());
            let (data, stream) = (sender.data().to_vec(), self.stream);
            // A write may wait for a name, and the next is not held up by that.
            begun.spawn_local(async move {
                journal.write(Record::Calls(stream, outgoing));
                let _ = client.send(&data).await; // the journal has it
            });
        }
        while begun.join_next().await.is_some() {}
    }
}

fn open(host: &Host<UdpSocket>, target: &Target) -> Result<Client<UdpSocket>, Win32Error> {
    match target {
        Target::Local(slot) => host.open(&format!(r"\\?\mailslot\{slot}")),
        Target::PrimaryDomain(slot) => host.open(&format!(r"\\*\mailslot\{slot}")),
        Target::Named { name, slot } => host.open_name(*name, slot),
    }
}

/// A program that reads a mailslot in its manner, and keeps it open.
async fn read(slot: Mailslot<UdpSocket>, habit: Reader, plan: Rc<Plan>, journal: Journal) {
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
                free_at = go_on(&plan, free_at).await + time;
            }
            Reader::Poll(interval) => {
                slot.readable().await.expect(OPEN);
                sleep_until(Instant::ZERO + interval * now().nanos().div_ceil(interval.nanos())).await;
                go_on(&plan, now()).await;
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

/// Waits, if the host stands still at a moment, until it goes on; when that is.
async fn go_on(plan: &Plan, at: Instant) -> Instant {
    if plan.at(at).condition != Condition::Paused {
        return at;
    }
    let Some(resumes) = plan.resumes_after(at) else { return std::future::pending().await };
    sleep_until(resumes).await;
    resumes
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
