//! What runs on one host of a scenario under turmoil: programs that write and read, and the one that lets the timeline
//! happen to them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use super::account::scenario_time;
use super::journal::{Journal, Record};
use super::plan::{Plan, Stage};
use super::{UdpSocket, switch};
use crate::drive::{Client, Error, Host, Mailslot, Sockets};
use crate::id::{HostId, StreamId};
use crate::mailslot::choices::CLOSED_SLOT_ERROR;
use crate::mailslot::{Message, SlotName, WAIT_FOREVER, Win32Error};
use crate::scenario::{Reader, Scenario, Target};
use crate::sim::ack::{Agreement, Heard};
use crate::sim::install::Installer;
use crate::sim::timeline::{Change, Condition};
use crate::sim::traffic::Sender;
use crate::time::{Duration, Instant};

/// What runs on one host, from the beginning to the end of a run.
pub(super) struct Programs {
    pub(super) scenario: Rc<Scenario>,
    pub(super) installer: Rc<Installer>,
    pub(super) agreement: Rc<Agreement>,
    pub(super) host: HostId,
    pub(super) plan: Rc<Plan>,
    pub(super) journal: Journal,
    /// What is written outlives a crash: a program that starts anew goes on where it would be.
    pub(super) senders: Vec<(StreamId, Rc<RefCell<Sender>>)>,
    /// How many senders on all hosts have not written everything.
    pub(super) unfinished: Arc<AtomicUsize>,
}

/// How many changes of the plan have been made. Those who wait for a change go on in the order in which they began to.
#[derive(Default)]
struct Progress {
    made: Cell<usize>,
    changed: Notify,
}

impl Progress {
    fn advance(&self) {
        self.made.set(self.made.get() + 1);
        self.changed.notify_waiters();
    }

    /// Waits until so many changes have been made.
    async fn reach(&self, changes: usize) {
        while self.made.get() < changes {
            self.changed.notified().await;
        }
    }
}

/// What runs from a start of the host to its crash.
struct Life {
    host: Host<UdpSocket>,
    journal: Journal,
    tasks: JoinSet<()>,
    /// The programs that have a mailslot open, by its position in the scenario.
    readers: BTreeMap<u32, AbortHandle>,
    /// Replies that wait for a name, maybe; they end with the host, and not with the program.
    replies: Rc<RefCell<JoinSet<()>>>,
}

impl Programs {
    /// Lets the host live as its plan says.
    pub(super) async fn run(self) -> ::turmoil::Result {
        let progress = Rc::new(Progress::default());
        let mut life = Some(self.start(self.plan.first(), &progress).await?);
        for (at, change, stage) in self.plan.changes() {
            until(at, &mut life).await?;
            match (change, &mut life) {
                (Change::Crash(_), life) => {
                    let ended = life.take().expect("a host that crashes was up");
                    self.end(ended, stage).await;
                }
                (Change::Start(_), life) => *life = Some(self.start(stage, &progress).await?),
                (Change::Pause(_), Some(life)) => life.host.hold(true),
                (Change::Resume(_), Some(life)) => {
                    let (host, plan) = (life.host.clone(), self.plan.clone());
                    life.tasks.spawn_local(async move {
                        sleep_until(now() + super::TICK).await; // what has waited comes first
                        host.hold(plan.at(now()).condition == Condition::Paused);
                    });
                }
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
            progress.advance();
        }
        if life.is_none() {
            self.give_up();
        }
        until(Instant::from_nanos(u64::MAX), &mut life).await
    }

    /// The host starts: its machine claims its names if there is somebody to ask, and its programs open their mailslots
    /// and begin to write.
    async fn start(&self, stage: Stage, progress: &Rc<Progress>) -> Result<Life, Box<dyn std::error::Error>> {
        let journal = self.journal.of_life(stage.life);
        let machine = self.installer.machine_in(self.host, stage.domain);
        let address = machine.config().address;
        let host = Host::watched(machine, Sockets::bind_simulated(address).await?, journal.clone());
        if stage.life > 0 && !self.installer.claims(self.host, stage.domain).is_empty() {
            journal.write(Record::Naming);
            drop(host.begin_claims()); // the journal has what becomes of them
        }
        let (readers, replies) = (BTreeMap::new(), Rc::default());
        let mut life = Life { host, journal, tasks: JoinSet::new(), readers, replies };
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
            life.tasks.spawn_local(writer.write_all(stage.moves, self.unfinished.clone()));
        }
        Ok(life)
    }

    /// The host crashes: what runs on it ends, and what was to be written again is forgotten.
    async fn end(&self, mut life: Life, stage: Stage) {
        life.tasks.shutdown().await;
        life.replies.take().shutdown().await;
        life.host.close().await;
        let journal = self.journal.of_life(stage.life);
        for (stream, sender) in &self.senders {
            for message in sender.borrow_mut().forget() {
                journal.write(Record::Unwritten(*stream, message));
            }
        }
    }

    /// The host does not start again: what it has not written it never will.
    fn give_up(&self) {
        let unfinished = self.senders.iter().filter(|(_, sender)| sender.borrow_mut().next_time().is_some()).count();
        self.unfinished.fetch_sub(unfinished, Ordering::Relaxed);
    }

    fn open(&self, slot: u32, life: &mut Life) -> Result<(), Win32Error> {
        let mailslot = &self.scenario.mailslots[slot as usize];
        let opened = life.host.create_mailslot(&mailslot.path(), mailslot.options(WAIT_FOREVER))?;
        let listener = Listener {
            this: self.host,
            host: life.host.clone(),
            slot: mailslot.name.clone(),
            agreement: self.agreement.clone(),
            senders: self.senders.clone(),
            replies: life.replies.clone(),
            journal: life.journal.clone(),
            unfinished: self.unfinished.clone(),
        };
        let program = read(opened, mailslot.reader, self.plan.clone(), listener);
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

/// What a writer has open, for each of its targets; writes that have not returned may find it closed.
type Clients = Rc<RefCell<Vec<Option<Rc<Client<UdpSocket>>>>>>;

/// A program that writes the messages of a sender.
struct Writer {
    host: Host<UdpSocket>,
    plan: Rc<Plan>,
    journal: Journal,
    stream: StreamId,
    sender: Rc<RefCell<Sender>>,
    progress: Rc<Progress>,
}

impl Writer {
    /// Writes all that is due, as long as the host lives; `moves` is how often it has changed its domain. Who writes the
    /// last message counts itself out.
    async fn write_all(self, mut moves: u32, unfinished: Arc<AtomicUsize>) {
        let targets = self.sender.borrow().targets().len();
        let clients: Clients = Rc::new(RefCell::new(vec![None; targets]));
        let mut begun = JoinSet::new(); // writes that wait for a name end with the program
        loop {
            let Some(at) = self.sender.borrow_mut().next_time() else { break };
            sleep_until(at).await;
            self.progress.reach(self.plan.changes_by(now())).await; // changes come first at their moment
            if self.sender.borrow_mut().next_time() != Some(at) {
                continue; // replies have come meanwhile, and it need not be written
            }
            let stage = self.plan.at(at);
            if stage.condition != Condition::Up {
                let message = self.sender.borrow_mut().skip();
                self.journal.write(Record::Unwritten(self.stream, message));
                self.count_out(&unfinished);
                continue;
            }
            if stage.moves != moves {
                moves = stage.moves;
                clients.borrow_mut().fill(None); // what stands for the domain is opened anew
            }
            let outgoing = self.sender.borrow_mut().next_message();
            self.count_out(&unfinished);
            let target = outgoing.target as usize;
            let known = clients.borrow()[target].clone();
            let client = match known {
                Some(client) => client,
                None => match open(&self.host, &self.sender.borrow().targets()[target]) {
                    Ok(opened) => clients.borrow_mut()[target].insert(Rc::new(opened)).clone(),
                    Err(error) => {
                        self.journal.write(Record::Calls(self.stream, outgoing));
                        self.journal.write(Record::Wrote(Err(error)));
                        continue;
                    }
                },
            };
            let (journal, clients) = (self.journal.clone(), clients.clone());
            let (data, stream) = (self.sender.borrow().data().to_vec(), self.stream);
            // A write may wait for a name, and the next is not held up by that.
            begun.spawn_local(async move {
                journal.write(Record::Calls(stream, outgoing));
                if let Err(Error::Win32(CLOSED_SLOT_ERROR)) = client.send(&data).await {
                    clients.borrow_mut()[target] = None; // it is opened anew
                }
            });
        }
        while begun.join_next().await.is_some() {}
    }

    /// Takes note if nothing more is to be written.
    fn count_out(&self, unfinished: &AtomicUsize) {
        if self.sender.borrow_mut().next_time().is_none() {
            unfinished.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn open(host: &Host<UdpSocket>, target: &Target) -> Result<Client<UdpSocket>, Win32Error> {
    match target {
        Target::Local(slot) => host.open(&format!(r"\\?\mailslot\{slot}")),
        Target::PrimaryDomain(slot) => host.open(&format!(r"\\*\mailslot\{slot}")),
        Target::Named { name, slot } => host.open_name(*name, slot),
    }
}

/// What a program does with the messages that it reads.
struct Listener {
    this: HostId,
    host: Host<UdpSocket>,
    /// The mailslot that it reads.
    slot: SlotName,
    agreement: Rc<Agreement>,
    senders: Vec<(StreamId, Rc<RefCell<Sender>>)>,
    replies: Rc<RefCell<JoinSet<()>>>,
    journal: Journal,
    unfinished: Arc<AtomicUsize>,
}

impl Listener {
    /// It has read a message. If it is what programs have agreed on, it replies, or it is a reply.
    fn take(&self, message: &Message) {
        let receipt = message.receipt;
        let read = |more| self.journal.write(Record::Read { receipt, more });
        match self.agreement.hear(self.this, &self.slot, &message.data) {
            None => read(false),
            Some(Heard::Message { to, reply }) => {
                read(true);
                let (host, journal) = (self.host.clone(), self.journal.clone());
                let mut replies = self.replies.borrow_mut();
                while replies.try_join_next().is_some() {}
                // A reply may wait for a name, and the next message is not held up by that.
                replies.spawn_local(async move {
                    journal.write(Record::Replies(receipt));
                    match open(&host, &to) {
                        Ok(client) => drop(client.send(&reply).await), // the journal has it
                        Err(error) => journal.write(Record::Wrote(Err(error))),
                    }
                });
            }
            Some(Heard::Reply { stream, message, from }) => {
                let (_, sender) = self.senders.iter().find(|(own, _)| *own == stream).expect("it is to this host");
                let mut sender = sender.borrow_mut();
                let was_finished = sender.next_time().is_none();
                let belief = sender.reply(now(), message, from);
                if !was_finished && sender.next_time().is_none() {
                    self.unfinished.fetch_sub(1, Ordering::Relaxed); // its last writes are needless
                }
                read(belief.is_some());
                belief.into_iter().for_each(|belief| self.journal.write(Record::Believes(receipt, belief)));
            }
        }
    }
}

/// A program that reads a mailslot in its manner, and keeps it open.
async fn read(slot: Mailslot<UdpSocket>, habit: Reader, plan: Rc<Plan>, listener: Listener) {
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
                    listener.take(&message);
                }
                continue;
            }
            Reader::Never => std::future::pending().await,
        }
        let message = slot.recv().await.expect(OPEN);
        listener.take(&message);
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
