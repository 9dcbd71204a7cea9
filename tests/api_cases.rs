//! Every case of `tests/data/api-cases.json` through the engine: the calls of the Win32 API, one named result a case.
//!
//! `MAILSLOT_SIM_API_CASES=FILE` reads another file of the same form. A case runs on the profile that it is for, or on
//! both. Machines A, B and C are in the domain WORKGROUP, and a case may add others; what they send reaches every
//! machine that shares the transport at the next step, unless a `Fault` takes it. Cases marked `assumed` are choices of
//! ours: they run too, and are counted apart.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use mailslot_sim::mailslot::{
    Access, Account, ApiProfile, Config, CreateOptions, Destination, Directory, Event, Handle, Machine, Message,
    OpenOptions, Owner, ProcessId, Read, ReadId, WAIT_FOREVER, Win32Error, Write,
};
use mailslot_sim::time::{Duration, Instant};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Cases {
    errors: BTreeMap<String, u32>,
    cases: Vec<Case>,
}

#[derive(Deserialize, Clone)]
struct Case {
    id: String,
    confidence: String,
    profile: String,
    steps: Vec<Map<String, Value>>,
}

fn cases() -> Cases {
    let file = std::env::var_os("MAILSLOT_SIM_API_CASES").unwrap_or_else(|| "tests/data/api-cases.json".into());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("cannot read {file:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"))
}

/// The profiles that a case is for; a range of Windows versions belongs to one of them.
fn profiles(case: &Case) -> Result<Vec<ApiProfile>, String> {
    Ok(match case.profile.as_str() {
        "any" => vec![ApiProfile::Xp, ApiProfile::Vista],
        "xp" | "xp..7" => vec![ApiProfile::Xp],
        "vista+" | "8+" | "11-24h2" => vec![ApiProfile::Vista],
        other => return Err(format!("the runner does not know the profile {other:?}")),
    })
}

fn run(case: &Case, errors: &BTreeMap<String, u32>) -> Result<(), String> {
    for profile in profiles(case)? {
        let mut bench = Bench::new(profile, errors);
        for (number, step) in (1..).zip(&case.steps) {
            bench.step(step).map_err(|problem| format!("profile {profile:?}, step {number}: {problem}"))?;
        }
    }
    Ok(())
}

/// One named result for each case; choices are marked, and count nothing for conformance.
fn main() -> ExitCode {
    let Cases { errors, cases } = cases();
    assert!(!cases.is_empty(), "the file holds no cases");
    let errors = Arc::new(errors);
    let trial = |case: Case| {
        let errors = errors.clone();
        let kind = if case.confidence == "assumed" { "choice".to_owned() } else { case.confidence.clone() };
        Trial::test(case.id.clone(), move || Ok(run(&case, &errors)?)).with_kind(kind)
    };
    let control = {
        let (cases, errors) = (cases.clone(), errors.clone());
        Trial::test("a_changed_expectation_fails", move || Ok(every_expectation_is_looked_at(&cases, &errors)?))
    };
    let trials = cases.into_iter().map(trial).chain([control]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// With any one expectation changed, a case fails: the runner looks at all of them.
fn every_expectation_is_looked_at(cases: &[Case], errors: &BTreeMap<String, u32>) -> Result<(), String> {
    for case in cases {
        for (position, step) in case.steps.iter().enumerate() {
            let Some(Value::Object(expect)) = step.get("expect") else { continue };
            for (key, value) in expect {
                let changed = match value {
                    Value::Bool(flag) => Value::Bool(!flag),
                    Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
                    Value::String(text) => format!("{text}x").into(),
                    _ => continue,
                };
                let mut steps = case.steps.clone();
                steps[position]["expect"][key] = changed;
                if run(&Case { steps, ..case.clone() }, errors).is_ok() {
                    return Err(format!("{}: {key} of step {} is not looked at", case.id, position + 1));
                }
            }
        }
    }
    Ok(())
}

/// Machines on one network, and what the steps of a case call by name.
struct Bench<'a> {
    errors: &'a BTreeMap<String, u32>,
    profile: ApiProfile,
    now: Instant,
    machines: BTreeMap<String, Host>,
    /// The machine and the engine's handle of each name.
    handles: BTreeMap<String, (String, Handle)>,
    /// What became of each read that a step gave a name, on which machine.
    reads: BTreeMap<String, (String, String, Progress)>,
    /// Datagrams that the network will lose, by sender and receiver.
    faults: BTreeMap<(String, String), u64>,
}

struct Host {
    machine: Machine,
    transports: Vec<String>,
    processes: BTreeMap<String, ProcessId>,
}

enum Progress {
    Pending(ReadId),
    Done(Result<Message, Win32Error>),
}

impl<'a> Bench<'a> {
    fn new(profile: ApiProfile, errors: &'a BTreeMap<String, u32>) -> Self {
        let mut bench = Bench {
            errors,
            profile,
            now: Instant::ZERO,
            machines: BTreeMap::new(),
            handles: BTreeMap::new(),
            reads: BTreeMap::new(),
            faults: BTreeMap::new(),
        };
        for name in ["A", "B", "C"] {
            bench.add_host(name, "WORKGROUP");
        }
        bench
    }

    fn add_host(&mut self, name: &str, domain: &str) {
        self.machines.insert(
            name.to_owned(),
            Host {
                machine: self.machine(name, domain),
                transports: vec!["default".to_owned()],
                processes: BTreeMap::new(),
            },
        );
    }

    fn machine(&self, name: &str, domain: &str) -> Machine {
        let names: BTreeSet<&str> = self.machines.keys().map(String::as_str).chain(["A", "B", "C", name]).collect();
        let computers = names.iter().map(|name| (format!("{name}<00>"), Owner::Unique(address(name))));
        let domains = ["WORKGROUP<00>", "OTHER<00>"].map(|domain| (domain.to_owned(), Owner::Group));
        let directory: Directory =
            computers.chain(domains).map(|(name, owner)| (name.parse().unwrap(), owner)).collect();
        let mut config = Config::new(name, domain, address(name)).unwrap();
        config.api = self.profile;
        Machine::new(config, Arc::new(directory))
    }

    fn step(&mut self, step: &Map<String, Value>) -> Result<(), String> {
        let text = |key: &str| step.get(key).and_then(Value::as_str);
        let number = |key: &str| step.get(key).and_then(Value::as_u64);
        let name = |key: &str| text(key).ok_or(format!("no {key:?} is given"));
        let host = text("host").or_else(|| self.handles.get(text("handle")?).map(|(host, _)| host.as_str()));
        let host = host.unwrap_or("A").to_owned();
        let expect = step.get("expect").and_then(Value::as_object).cloned().unwrap_or_default();
        let op = name("op")?;
        let found = match op {
            "CreateMailslot" => {
                let forever = text("mode") == Some("nt-zero-options"); // no time-out was given
                let options = CreateOptions {
                    max_message_size: number("max").unwrap_or(0) as u32,
                    read_timeout_ms: if forever { WAIT_FOREVER } else { number("timeout").unwrap_or(0) as u32 },
                    process: self.process(&host, text("process")),
                    ..CreateOptions::default()
                };
                let machine = &mut self.machines.get_mut(&host).unwrap().machine;
                let result = machine.create_mailslot(text("name").unwrap_or(""), options);
                self.opened(&host, name("handle")?, result)
            }
            "CreateFile" => {
                let has = |list: &str, word: &str| {
                    step.get(list).and_then(Value::as_array).is_some_and(|words| words.contains(&word.into()))
                };
                let options = OpenOptions {
                    access: Access { read: has("access", "GENERIC_READ"), write: has("access", "GENERIC_WRITE") },
                    share: Access { read: has("share", "FILE_SHARE_READ"), write: has("share", "FILE_SHARE_WRITE") },
                    process: self.process(&host, text("process")),
                    inheritable: false,
                };
                let machine = &mut self.machines.get_mut(&host).unwrap().machine;
                let result = machine.open(name("path")?, options);
                self.opened(&host, name("handle")?, result)
            }
            "WriteFile" => {
                let data = match step.get("fill") {
                    Some(fill) => vec![fill["byte"].as_u64().unwrap() as u8; fill["len"].as_u64().unwrap() as usize],
                    None => name("data")?.as_bytes().to_vec(),
                };
                match self.handles.get(name("handle")?).cloned() {
                    None => failed(Win32Error::InvalidHandle),
                    Some((host, handle)) => {
                        let machine = &mut self.machines.get_mut(&host).unwrap().machine;
                        match machine.write(self.now, handle, &data) {
                            Err(error) => failed(error),
                            Ok(Write::Pending(_)) => return Err("names are known, so a write returns at once".into()),
                            Ok(Write::Done(written)) => {
                                Map::from_iter([("ok".into(), true.into()), ("written".into(), written.bytes.into())])
                            }
                        }
                    }
                }
            }
            "ReadFile" | "NtReadFile" => self.read(step, name("handle")?, text("id"))?,
            "GetMailslotInfo" => match self.handle(name("handle")?) {
                Err(error) => failed(error),
                Ok((host, handle)) => self.machines[&host].machine.info(handle).map_or_else(failed, |info| {
                    let all = [
                        ("ok", Value::Bool(true)),
                        ("max", info.max_message_size.into()),
                        ("next", info.next_size.into()),
                        ("count", info.message_count.into()),
                        ("timeout", info.read_timeout_ms.into()),
                    ];
                    let asked = if text("outputs") == Some("none") { 1 } else { all.len() };
                    all.into_iter().take(asked).map(|(key, value)| (key.to_owned(), value)).collect()
                }),
            },
            "SetMailslotInfo" => self.done(name("handle")?, |machine, handle| {
                machine.set_read_timeout(handle, number("timeout").unwrap() as u32)
            }),
            "CloseHandle" => self.done(name("handle")?, Machine::close),
            "CancelIo" => self.done(name("handle")?, Machine::cancel),
            "DuplicateHandle" => match self.handle(name("handle")?) {
                Err(error) => failed(error),
                Ok((host, handle)) => {
                    let result = self.machines.get_mut(&host).unwrap().machine.duplicate(handle);
                    self.opened(&host, name("as_")?, result)
                }
            },
            "ExitProcess" => {
                let process = self.process(&host, text("process"));
                let machine = &mut self.machines.get_mut(&host).unwrap().machine;
                machine.exit_process(process).map_or_else(failed, |()| ok())
            }
            "WaitForSingleObject" => self.wait(name("handle")?, number("ms").unwrap_or(0)),
            "Poll" => self.poll(name("id")?)?,
            "Advance" => {
                self.advance(number("ms").ok_or("no \"ms\" is given")?);
                ok()
            }
            "Fault" => {
                let (from, to) = name("link")?.split_once("->").ok_or("a link is FROM->TO")?;
                *self.faults.entry((from.to_owned(), to.to_owned())).or_default() += number("drop_next").unwrap_or(0);
                ok()
            }
            "Transports" => {
                let list: Vec<String> = serde_json::from_value(step["list"].clone()).map_err(|it| it.to_string())?;
                let host = self.machines.get_mut(&host).unwrap();
                host.machine.set_transports(list.len() as u8);
                host.transports = list;
                ok()
            }
            "Policy" => {
                let value = number("EnableMailslots").ok_or("the runner knows the policy EnableMailslots only")?;
                self.machines.get_mut(&host).unwrap().machine.set_remote_mailslots_disabled(value == 0);
                ok()
            }
            "Host" => {
                self.add_host(name("name")?, text("domain").unwrap_or("WORKGROUP"));
                ok()
            }
            other => return Err(format!("the runner does not know the call {other:?}")),
        };
        self.carry();
        self.compare(&expect, &found).map_err(|problem| format!("{op}: {problem}"))
    }

    /// `ReadFile`: with a name it may stay pending, without one it runs to its end on the virtual clock.
    fn read(&mut self, step: &Map<String, Value>, name: &str, id: Option<&str>) -> Result<Map<String, Value>, String> {
        let (host, handle) = match self.handle(name) {
            Ok(found) => found,
            Err(error) => return Ok(failed_read(error)),
        };
        let buffer = step.get("buffer").and_then(Value::as_u64).ok_or("no \"buffer\" is given")? as usize;
        let start = self.now;
        let machine = &mut self.machines.get_mut(&host).unwrap().machine;
        let progress = match machine.read(self.now, handle, buffer) {
            Ok(Read::Pending(id)) => Progress::Pending(id),
            Ok(Read::Done(message)) => Progress::Done(Ok(message)),
            Err(error) => Progress::Done(Err(error)),
        };
        let label = id.map_or_else(|| format!("{name} at {}", self.reads.len()), str::to_owned);
        self.reads.insert(label.clone(), (host.clone(), name.to_owned(), progress));
        if id.is_none() {
            while let Progress::Pending(_) = self.reads[&label].2 {
                let at = self.machines[&host].machine.poll_timeout().ok_or("the read would never end")?;
                self.advance_to(at);
            }
        }
        let mut found = self.poll(&label)?;
        found.insert("elapsed_ms".into(), (self.now.since(start).nanos() / 1_000_000).into());
        Ok(found)
    }

    fn poll(&mut self, id: &str) -> Result<Map<String, Value>, String> {
        let (_, _, progress) = self.reads.get(id).ok_or(format!("no read is called {id:?}"))?;
        Ok(match progress {
            Progress::Pending(_) => Map::from_iter([("pending".to_owned(), true.into())]),
            Progress::Done(Err(error)) => failed_read(*error),
            Progress::Done(Ok(message)) => Map::from_iter([
                ("ok".to_owned(), true.into()),
                ("read".to_owned(), message.data.len().into()),
                ("data".to_owned(), String::from_utf8_lossy(&message.data).into()),
            ]),
        })
    }

    /// A handle is signalled when no read on it waits.
    fn wait(&mut self, name: &str, ms: u64) -> Map<String, Value> {
        let waits = |bench: &Self| {
            bench.reads.values().any(|(_, on, progress)| on == name && matches!(progress, Progress::Pending(_)))
        };
        if waits(self) {
            self.advance(ms);
        }
        let outcome = if waits(self) { "WAIT_TIMEOUT" } else { "WAIT_OBJECT_0" };
        Map::from_iter([("wait".to_owned(), outcome.into())])
    }

    fn advance(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        let next = |bench: &Self| bench.machines.values().filter_map(|host| host.machine.poll_timeout()).min();
        while let Some(at) = next(self).filter(|at| *at <= end) {
            self.advance_to(at);
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, at: Instant) {
        self.now = at;
        self.machines.values_mut().for_each(|host| host.machine.handle_timeout(at));
        self.carry();
    }

    /// Carries every packet to the machines that it is for, at once, and takes note of completed reads.
    fn carry(&mut self) {
        let mut packet = Vec::new();
        let names: Vec<String> = self.machines.keys().cloned().collect();
        for from in &names {
            while let Some(transmit) = self.machines.get_mut(from).unwrap().machine.poll_transmit(&mut packet) {
                let transport = self.machines[from].transports[usize::from(transmit.transport)].clone();
                for to in &names {
                    let addressed = match transmit.destination {
                        Destination::Unicast(it) => *it.ip() == address(to),
                        Destination::Broadcast => to != from,
                    };
                    if !addressed || !self.machines[to].transports.contains(&transport) {
                        continue;
                    }
                    if let Some(left @ 1..) = self.faults.get_mut(&(from.clone(), to.clone())) {
                        *left -= 1;
                        continue;
                    }
                    let machine = &mut self.machines.get_mut(to).unwrap().machine;
                    machine.handle_datagram(self.now, SocketAddrV4::new(address(from), 138), &packet);
                }
            }
        }
        for (name, host) in &mut self.machines {
            while let Some(event) = host.machine.poll_event() {
                let Event::ReadDone { id, result } = event else { continue };
                let read = self.reads.values_mut().find(|(on, _, progress)| {
                    on == name && matches!(progress, Progress::Pending(pending) if *pending == id)
                });
                read.expect("every waiting read has a name").2 = Progress::Done(result);
            }
        }
    }

    fn compare(&self, expect: &Map<String, Value>, found: &Map<String, Value>) -> Result<(), String> {
        for (key, expected) in expect {
            let holds = match key.as_str() {
                "error" => Some(self.code_of(expected)?) == found.get("code").and_then(Value::as_u64),
                "error_any" => {
                    let codes: Result<Vec<u64>, _> =
                        expected.as_array().ok_or("error_any is a list")?.iter().map(|it| self.code_of(it)).collect();
                    found
                        .get("code")
                        .and_then(Value::as_u64)
                        .is_some_and(|code| codes.is_ok_and(|it| it.contains(&code)))
                }
                "code_any" => expected.as_array().is_some_and(|codes| codes.contains(&found["code"])),
                _ => found.get(key) == Some(expected),
            };
            if !holds {
                return Err(format!("{key} should be {expected}; found {}", Value::Object(found.clone())));
            }
        }
        Ok(())
    }

    fn code_of(&self, name: &Value) -> Result<u64, String> {
        let code = name.as_str().and_then(|name| self.errors.get(name));
        code.map(|code| u64::from(*code)).ok_or(format!("the file does not list the error {name}"))
    }

    fn process(&mut self, host: &str, name: Option<&str>) -> ProcessId {
        let Some(name) = name else { return ProcessId::default() };
        let host = self.machines.get_mut(host).unwrap();
        *host
            .processes
            .entry(name.to_owned())
            .or_insert_with(|| host.machine.create_process(ProcessId::default(), Account::default(), false).unwrap().0)
    }

    fn handle(&self, name: &str) -> Result<(String, Handle), Win32Error> {
        self.handles.get(name).cloned().ok_or(Win32Error::InvalidHandle)
    }

    fn opened(&mut self, host: &str, name: &str, result: Result<Handle, Win32Error>) -> Map<String, Value> {
        result.map_or_else(failed, |handle| {
            self.handles.insert(name.to_owned(), (host.to_owned(), handle));
            ok()
        })
    }

    fn done(
        &mut self,
        name: &str,
        call: impl FnOnce(&mut Machine, Handle) -> Result<(), Win32Error>,
    ) -> Map<String, Value> {
        let result = self
            .handle(name)
            .and_then(|(host, handle)| call(&mut self.machines.get_mut(&host).unwrap().machine, handle));
        result.map_or_else(failed, |()| ok())
    }
}

fn ok() -> Map<String, Value> {
    Map::from_iter([("ok".to_owned(), true.into())])
}

fn failed(error: Win32Error) -> Map<String, Value> {
    Map::from_iter([("ok".to_owned(), false.into()), ("code".to_owned(), error.code().into())])
}

fn failed_read(error: Win32Error) -> Map<String, Value> {
    let mut found = failed(error);
    found.insert("read".to_owned(), 0.into());
    found
}

fn address(name: &str) -> std::net::Ipv4Addr {
    [10, 0, 0, name.as_bytes()[0]].into()
}
