//! The programs of `[[app]]`: each runs on a machine and does by its handles what its state machine wants done.
//!
//! What they write are no messages of flows and comes to no fate in the ledger: nobody is the audience of a frame whose
//! receivers are elected while it is on its way. What is counted is what the programs know.

mod account;
mod theory;

use std::collections::BTreeMap;

pub use account::ELECTION_QUIET;
pub use theory::{AppTheory, theory_of_apps};

use account::Account;

use super::books::Cause;
use super::timeline::Condition;
use super::world::World;
use crate::app::browser::{Action, Browser};
use crate::id::{HostId, StreamId};
use crate::mailslot::{Handle, Machine, Message, OpenOptions, SlotName, Win32Error, Write, Written};
use crate::message::browser::{Frame, SLOT};
use crate::names::NameKind;
use crate::rng::Root;
use crate::scenario::{App, AppKind, Scenario};
use crate::stats::{BrowserTally, Observer};
use crate::time::Instant;
use crate::wire::NetbiosName;
use crate::wire::transaction::NAME_PREFIX;

/// All programs of a run; their numbers are positions in [`Scenario::programs`].
pub(super) struct Programs {
    programs: Vec<Program>,
    /// The programs of each host that has any, in the order of the names of their apps.
    of_host: BTreeMap<HostId, Vec<u32>>,
    account: Account,
}

/// A write of a program, as it returned.
struct Wrote {
    stream: StreamId,
    message: u64,
    bytes: u32,
    result: Result<Written, Win32Error>,
}

/// A program, whether it runs or not.
struct Program {
    kind: AppKind,
    host: HostId,
    host_name: String,
    computer: NetbiosName,
    group: NetbiosName,
    stream: StreamId,
    root: Root,
    /// How often it was started, and how many messages it has written since the run began.
    starts: u32,
    written: u64,
    running: Option<Running>,
    /// When it is called, if that is set.
    timer: Option<Instant>,
}

/// What a program has in memory.
struct Running {
    browser: Browser,
    /// What it has opened to write to.
    handles: BTreeMap<NetbiosName, Handle>,
}

impl<O: Observer> World<O> {
    /// A program starts, unless it runs already or its host is not there: then it starts with the host.
    pub(super) fn start_program(&mut self, program: u32) {
        let (now, host) = (self.books.now(), self.programs.host(program));
        if self.books.condition(host) == Condition::Up && self.programs.start(now, program) {
            self.let_act(program);
            self.deliver_all();
        }
    }

    /// The programs of a host start whose mailslots are open.
    pub(super) fn start_programs(&mut self, host: HostId) {
        self.programs.of_host(host).into_iter().for_each(|program| self.start_program(program));
    }

    /// A host goes down: its programs are gone.
    pub(super) fn end_programs(&mut self, host: HostId) {
        let now = self.books.now();
        self.programs.of_host(host).into_iter().for_each(|program| self.programs.end(now, program));
    }

    /// A host stands still.
    pub(super) fn pause_programs(&mut self, host: HostId) {
        let now = self.books.now();
        self.programs.of_host(host).into_iter().for_each(|program| self.programs.pause(now, program));
    }

    /// A host goes on: its programs first make up for the calls that they missed.
    pub(super) fn resume_programs(&mut self, host: HostId) {
        let now = self.books.now();
        for program in self.programs.of_host(host) {
            self.start_program(program); // if it was to start meanwhile
            self.programs.resume(now, program);
            self.let_act(program);
        }
        self.deliver_all();
    }

    /// The time has come that was set for a program.
    pub(super) fn wake_program(&mut self, program: u32) {
        let (now, host) = (self.books.now(), self.programs.host(program));
        if self.programs.is_due(now, program) && self.books.condition(host) == Condition::Up {
            self.programs.handle_timeout(now, program);
            self.let_act(program);
            self.deliver_all();
        }
    }

    /// A program has read a message.
    pub(super) fn let_hear(&mut self, program: u32, message: &Message) {
        self.programs.hear(self.books.now(), program, message);
        self.let_act(program);
    }

    /// A program does what it wants done.
    fn let_act(&mut self, program: u32) {
        let (now, host) = (self.books.now(), self.programs.host(program));
        let machine = &mut self.machines[host.index()];
        while let Some(Wrote { stream, message, bytes, result }) = self.programs.act(now, program, machine) {
            while let Some(transmit) = machine.poll_transmit(&mut self.packet) {
                self.books.send(host, transmit, &self.packet, Cause::Program(stream, message));
            }
            self.books.program_wrote(stream, message, bytes, result);
        }
        self.take_events(host);
        self.depart_all();
        if let Some(at) = self.programs.next_timer(program) {
            self.call_program(at, program);
        }
    }
}

impl Programs {
    /// The programs of a scenario, none of which runs.
    pub(super) fn new(scenario: &Scenario, root: Root) -> Self {
        let flows: usize = scenario.flows.iter().map(|flow| flow.senders.len()).sum();
        let program = |(position, (app, host)): (u32, (&App, HostId))| {
            let spec = &scenario.hosts[host.index()];
            Program {
                kind: app.kind,
                host,
                host_name: scenario.topology().host(host).name.clone(),
                computer: spec.computer,
                group: spec.domain,
                stream: StreamId(flows as u32 + position),
                root,
                starts: 0,
                written: 0,
                running: None,
                timer: None,
            }
        };
        let programs: Vec<Program> = (0..).zip(scenario.programs()).map(program).collect();
        let mut of_host: BTreeMap<HostId, Vec<u32>> = BTreeMap::new();
        for number in by_name(scenario) {
            of_host.entry(programs[number as usize].host).or_default().push(number);
        }
        Programs { programs, of_host, account: Account::new(scenario) }
    }

    fn of_host(&self, host: HostId) -> Vec<u32> {
        self.of_host.get(&host).cloned().unwrap_or_default()
    }

    fn host(&self, program: u32) -> HostId {
        self.programs[program as usize].host
    }

    /// Whether a program starts: not if it runs.
    fn start(&mut self, now: Instant, program: u32) -> bool {
        let number = program;
        let program = &mut self.programs[program as usize];
        if program.running.is_some() {
            return false;
        }
        let rng = program.root.program(program.kind.name(), &program.host_name, program.starts);
        program.starts += 1;
        let browser = Browser::start(now, program.computer, program.group, rng);
        let browser = browser.expect("names of hosts have no NUL");
        program.running = Some(Running { browser, handles: BTreeMap::new() });
        self.account.started(now, number);
        true
    }

    fn end(&mut self, now: Instant, program: u32) {
        let Program { running, timer, .. } = &mut self.programs[program as usize];
        *timer = None;
        if running.take().is_some() {
            self.account.ended(now, program);
        }
    }

    fn pause(&mut self, now: Instant, program: u32) {
        if self.programs[program as usize].running.is_some() {
            self.account.paused(now, program);
        }
    }

    fn resume(&mut self, now: Instant, program: u32) {
        let Program { running: Some(running), timer, .. } = &mut self.programs[program as usize] else { return };
        *timer = None;
        self.account.resumed(now, program, running.browser.is_master());
        running.browser.handle_timeout(now);
    }

    fn hear(&mut self, now: Instant, program: u32, message: &Message) {
        let Some(running) = &mut self.programs[program as usize].running else { return };
        if let Ok(frame) = Frame::parse(&message.data) {
            running.browser.handle_frame(now, message.source, &frame);
        }
    }

    /// Whether a call was set for now: not one that was set for what ran before.
    fn is_due(&self, now: Instant, program: u32) -> bool {
        self.programs[program as usize].timer == Some(now)
    }

    fn handle_timeout(&mut self, now: Instant, program: u32) {
        let Program { running, timer, .. } = &mut self.programs[program as usize];
        *timer = None;
        if let Some(running) = running {
            running.browser.handle_timeout(now);
        }
    }

    /// When a program is to be called, if that is to be set now.
    fn next_timer(&mut self, program: u32) -> Option<Instant> {
        let Program { running, timer, .. } = &mut self.programs[program as usize];
        let at = running.as_ref()?.browser.poll_timeout();
        if timer.is_some_and(|timer| timer <= at) {
            return None;
        }
        *timer = Some(at);
        *timer
    }

    /// Lets a program do what it wants done, up to its next write.
    fn act(&mut self, now: Instant, program: u32, machine: &mut Machine) -> Option<Wrote> {
        let Programs { programs, account, .. } = self;
        let Program { running, stream, written, .. } = &mut programs[program as usize];
        let Running { browser, handles } = running.as_mut()?;
        while let Some(event) = browser.poll_event() {
            account.happened(now, program, &event);
        }
        loop {
            match browser.poll_action()? {
                Action::Bear(name) => machine.register_name(now, name, NameKind::Group),
                Action::Disown(name) => machine.release_name(now, name),
                Action::Send { to, frame } => {
                    account.sent(now, program, &frame);
                    let mut data = Vec::new();
                    frame.emit(&mut data);
                    let result = write(now, machine, handles, to, &data);
                    let message = *written;
                    *written += 1;
                    return Some(Wrote { stream: *stream, message, bytes: data.len() as u32, result });
                }
            }
        }
    }

    /// The run is over: what was counted, by app.
    pub(super) fn finish(self, end: Instant) -> Vec<BrowserTally> {
        self.account.finish(end)
    }
}

/// For each mailslot of a scenario the program that it is read for.
pub(super) fn reads_for(scenario: &Scenario) -> Vec<Option<u32>> {
    let mut reads_for = vec![None; scenario.mailslots.len()];
    for (program, (app, host)) in (0..).zip(scenario.programs()) {
        for name in app.kind.mailslots() {
            let name = SlotName::new(name).expect("an app's mailslots have well-formed names");
            reads_for[scenario.mailslot(host, &name).expect("an app's mailslots are declared")] = Some(program);
        }
    }
    reads_for
}

/// All programs in the order of app and host: what happens at the same moment happens in the order of names.
pub(super) fn by_name(scenario: &Scenario) -> Vec<u32> {
    let name = |(app, host): (&App, HostId)| (app.name.clone(), scenario.topology().host(host).name.clone());
    let mut programs: Vec<_> = scenario.programs().map(name).zip(0..).collect();
    programs.sort();
    programs.into_iter().map(|(_, program)| program).collect()
}

/// Writes to the mailslot of a program, opening its target first if need be.
fn write(
    now: Instant,
    machine: &mut Machine,
    handles: &mut BTreeMap<NetbiosName, Handle>,
    to: NetbiosName,
    data: &[u8],
) -> Result<Written, Win32Error> {
    let handle = match handles.get(&to) {
        Some(handle) => *handle,
        None => {
            let handle = machine.open_name(to, &slot(), OpenOptions::default())?;
            handles.insert(to, handle);
            handle
        }
    };
    match machine.write(now, handle, data)? {
        Write::Done(written) => Ok(written),
        Write::Pending(_) => unreachable!("programs know all names"),
    }
}

/// The mailslot that frames go to.
fn slot() -> SlotName {
    let leaf = std::str::from_utf8(&SLOT[NAME_PREFIX.len()..]).expect("its name is ASCII");
    SlotName::new(leaf).expect("its name is well-formed")
}
