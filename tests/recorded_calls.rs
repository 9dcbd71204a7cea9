//! The calls that a C program made under Wine 10.0, one row a call, through the engine.
//!
//! Every row agrees, or stands in `tests/data/wine10-reasons.json` with what the engine does instead and why: Windows
//! differs, and on whose word; or the call is outside mailslots. `MAILSLOT_SIM_RECORDED_CALLS=FILE` reads other rows of
//! the form, and `MAILSLOT_SIM_RECORDED_CALLS_REASONS=FILE` other reasons. A reason holds for a row only as long as the
//! row says what it said when the reason was given.
//!
//! The record names handles by roles ("server", "client") and leaves out calls that the program made between the rows:
//! `Session` says how they are put back. Wine enforces share modes, as Windows XP did, so the profile is `xp`.

use std::collections::{BTreeMap, VecDeque};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use mailslot_sim::mailslot::{
    Access, ApiProfile, Config, CreateOptions, Directory, Event, Handle, Machine, Message, OpenOptions, Read,
    Win32Error, Write,
};
use mailslot_sim::time::{Duration, Instant};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize, Clone)]
struct Row {
    n: u64,
    case: String,
    op: String,
    args: Map<String, Value>,
    ok: bool,
    err: u64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Why the engine does something else than the record in some rows.
#[derive(Deserialize, Clone)]
struct Reason {
    rows: Vec<u64>,
    op: String,
    /// What record and engine say there.
    disagreement: Vec<String>,
    /// "windows" differs from the record, or the call is "outside" mailslots.
    kind: String,
    why: String,
    source: String,
}

fn main() -> ExitCode {
    let file = |variable: &str, default: &str| {
        let file = std::env::var_os(variable).unwrap_or_else(|| default.into());
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("cannot read {file:?}: {error}"))
    };
    let rows: Vec<Row> = file("MAILSLOT_SIM_RECORDED_CALLS", "tests/data/wine10.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let reasons = file("MAILSLOT_SIM_RECORDED_CALLS_REASONS", "tests/data/wine10-reasons.json");
    let reasons: Vec<Reason> = serde_json::from_str(&reasons).unwrap();
    assert!(!rows.is_empty(), "the file holds no rows");

    let mut cases: BTreeMap<(usize, String), Vec<Failed>> = BTreeMap::new();
    let mut session = Session::new(&rows);
    let mut excused = Vec::new();
    let mut order = 0;
    for (position, row) in rows.iter().enumerate() {
        order += usize::from(position == 0 || rows[position - 1].case != row.case);
        let problems = cases.entry((order, row.case.clone())).or_default();
        let disagreement = session.call(position).err();
        let mut given = reasons.iter().filter(|reason| reason.rows.contains(&row.n) && reason.op == row.op);
        let reason = given.find(|reason| disagreement.as_ref().is_none_or(|it| reason.disagreement.contains(it)));
        match (disagreement, reason) {
            (None, None) => {}
            (Some(_), Some(_)) => excused.push(row.n),
            (Some(problem), None) => problems.push(format!("row {}: {}: {problem}", row.n, row.op).into()),
            (None, Some(reason)) => {
                problems.push(format!("row {} agrees, but a reason is given: {}", row.n, reason.why).into());
            }
        }
    }
    let trial = |((_, case), problems): ((usize, String), Vec<Failed>)| {
        let problem = problems.iter().filter_map(Failed::message).collect::<Vec<_>>().join("\n");
        Trial::test(case, move || if problem.is_empty() { Ok(()) } else { Err(problem.into()) })
    };
    let mut trials: Vec<Trial> = cases.into_iter().map(trial).collect();
    trials.push(Trial::test("every_reason_is_that_of_a_row", move || {
        let kinds = ["windows", "outside"];
        let bare = |it: &&Reason| it.why.is_empty() || it.source.is_empty() || !kinds.contains(&it.kind.as_str());
        let is_ours = std::env::var_os("MAILSLOT_SIM_RECORDED_CALLS").is_none();
        let rows = || reasons.iter().flat_map(|it| &it.rows).copied();
        let unused: Vec<u64> = rows().filter(|n| is_ours && !excused.contains(n)).collect();
        match reasons.iter().find(bare) {
            Some(reason) => Err(format!("rows {:?}: a reason says why and on whose word", reason.rows).into()),
            None if unused.is_empty() => Ok(()),
            None => Err(format!("reasons are given for rows that agree or are not there: {unused:?}").into()),
        }
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The program's machine, and the handles by their roles.
struct Session<'a> {
    rows: &'a [Row],
    machine: Machine,
    now: Instant,
    handles: Vec<Named>,
}

struct Named {
    role: String,
    handle: Handle,
    case: String,
    /// The local name of a client's slot, or of the server's.
    slot: String,
    is_open: bool,
}

/// What a call gave.
#[derive(Debug, Default)]
struct Outcome {
    code: u64,
    figures: Map<String, Value>,
}

impl<'a> Session<'a> {
    fn new(rows: &'a [Row]) -> Self {
        let mut config = Config::new("VM", "WORKGROUP", [10, 0, 0, 1].into()).unwrap();
        config.api = ApiProfile::Xp;
        let machine = Machine::new(config, Arc::new(Directory::default()));
        Session { rows, machine, now: Instant::ZERO, handles: Vec::new() }
    }

    fn call(&mut self, position: usize) -> Result<(), String> {
        let row = &self.rows[position];
        self.put_back_closes(position);
        let outcome = match row.op.as_str() {
            "CreateMailslotA" => self.create(position),
            "CreateFileA" => self.open(position),
            "WriteFile" | "WriteFile(overlapped)" => self.write(position),
            "ReadFile" | "ReadFile(overlapped)" => self.read(position),
            "GetMailslotInfo" => self.info(position),
            "SetMailslotInfo" => {
                let timeout = row.args["timeout"].as_u64().unwrap() as u32;
                self.handle(position).and_then(|handle| self.machine.set_read_timeout(handle, timeout)).map(|()| none())
            }
            "CloseHandle" => self.close(position),
            "WaitForSingleObject" => {
                self.write_of_another(row, b"ovl");
                Ok(none())
            }
            other => return Err(format!("{other} is not a call of mailslots")),
        };
        let outcome = outcome.unwrap_or_else(|error| Outcome { code: error.code().into(), figures: Map::new() });
        compare(row, &outcome)
    }

    /// The program closed handles without a row: between the names that it tried, and between the share modes.
    fn put_back_closes(&mut self, position: usize) {
        let row = &self.rows[position];
        let nth = self.rows[..position].iter().filter(|it| it.case == row.case && it.op == row.op).count();
        let closes = match (row.case.as_str(), row.op.as_str()) {
            ("names" | "name_length", "CreateMailslotA") => true,
            ("client_share", "CreateFileA") => true,
            ("client_share_pairs", "CreateFileA") => nth % 2 == 0 && nth <= 32,
            _ => false,
        };
        let keeps_server = row.case.starts_with("client_share");
        for named in self.handles.iter_mut().filter(|named| closes && named.is_open) {
            if (named.case == row.case || keeps_server) && !(keeps_server && named.role == "server") {
                self.machine.close(named.handle).expect("it is open");
                named.is_open = false;
            }
        }
    }

    fn create(&mut self, position: usize) -> Result<Outcome, Win32Error> {
        let row = &self.rows[position];
        let number = |key: &str| row.args[key].as_u64().unwrap() as u32;
        let options = CreateOptions {
            max_message_size: number("max"),
            read_timeout_ms: number("timeout"),
            ..CreateOptions::default()
        };
        let handle = self.machine.create_mailslot(&path(row), options)?;
        self.keep("server", handle, position, path(row));
        Ok(none())
    }

    fn open(&mut self, position: usize) -> Result<Outcome, Win32Error> {
        let row = &self.rows[position];
        let share = row.args["share"].as_str().unwrap();
        let access = match row.args["access"].as_str().unwrap() {
            "+other" => self.mask_after(position),
            letters => Access { read: letters.contains('R'), write: letters.contains('W') },
        };
        let share = Access { read: share.contains('r'), write: share.contains('w') };
        let handle = self.machine.open(&path(row), OpenOptions { access, share, ..OpenOptions::default() })?;
        self.keep("client", handle, position, path(row));
        // A duplicate that a later row of the case uses was made as soon as its original was there.
        let duplicated = self.rows[position..].iter().any(|it| it.case == row.case && role(it) == Some("dup client"));
        if duplicated {
            let handle = self.machine.duplicate(handle)?;
            self.keep("dup client", handle, position, path(row));
        }
        Ok(none())
    }

    /// The access mask of an open is in the name that the next row gives its handle; FILE_WRITE_DATA is 2.
    fn mask_after(&self, position: usize) -> Access {
        let next = role(&self.rows[position + 1]).unwrap();
        let mask = u32::from_str_radix(next.rsplit("0x").next().unwrap(), 16).unwrap();
        Access { read: mask & 1 != 0, write: mask & 2 != 0 }
    }

    fn write(&mut self, position: usize) -> Result<Outcome, Win32Error> {
        let data = self.data_of(position);
        let handle = self.handle(position)?;
        match self.machine.write(self.now, handle, &data)? {
            Write::Done(written) => Ok(figures([("written", written.bytes.into())])),
            Write::Pending(_) => panic!("no name is looked up here"),
        }
    }

    /// The record has the bytes where they are read: the next read of as many.
    fn data_of(&self, position: usize) -> Vec<u8> {
        let row = &self.rows[position];
        let length = row.args.get("len").or(row.rest.get("written")).and_then(Value::as_u64).unwrap() as usize;
        let read = self.rows[position..].iter().find(|it| {
            it.case == row.case && it.op == "ReadFile" && it.ok && it.rest["read"].as_u64() == Some(length as u64)
        });
        let mut data = read.map_or_else(Vec::new, |read| read.rest["data"].as_str().unwrap().as_bytes().to_vec());
        data.resize(length, b'x');
        data
    }

    fn read(&mut self, position: usize) -> Result<Outcome, Win32Error> {
        let row = &self.rows[position];
        let buffer = row.args.get("buflen").map_or(64, |buffer| buffer.as_u64().unwrap()) as usize;
        let handle = self.handle(position)?;
        let start = self.now;
        let message = match self.machine.read(self.now, handle, buffer)? {
            Read::Done(message) => message,
            Read::Pending(_) => {
                self.write_of_another(row, b"ovl");
                self.completed()?
            }
        };
        let waited = self.now.since(start).nanos() / 1_000_000;
        let text: String = String::from_utf8_lossy(&message.data).chars().take(24).collect();
        Ok(figures([("read", message.data.len().into()), ("data", text.into()), ("waited_ms", waited.into())]))
    }

    /// The end of the read that waits: what completed it, or its time-out.
    fn completed(&mut self) -> Result<Message, Win32Error> {
        loop {
            match self.machine.poll_event() {
                Some(Event::ReadDone { result, .. }) => return result,
                Some(Event::SlotClosed { .. }) => {} // nobody could see it
                Some(other) => panic!("{other:?}"),
                None => {
                    self.now = self.machine.poll_timeout().expect("the read ends");
                    self.machine.handle_timeout(self.now);
                }
            }
        }
    }

    /// "writer at 150": another thread wrote three bytes so many milliseconds later.
    fn write_of_another(&mut self, row: &Row, data: &[u8]) {
        let Some((_, after)) = role(row).and_then(|role| role.split_once("writer at ")) else { return };
        let after: u64 = after.split(',').next().unwrap().parse().unwrap();
        let slot = self.handles.iter().rev().find(|named| named.role == "server" && named.is_open).unwrap();
        let options = OpenOptions { share: Access::BOTH, ..OpenOptions::default() };
        let writer = self.machine.open(&slot.slot, options).unwrap();
        self.now = self.now + Duration::from_millis(after);
        self.machine.write(self.now, writer, data).unwrap();
        self.machine.close(writer).unwrap();
    }

    fn info(&mut self, position: usize) -> Result<Outcome, Win32Error> {
        let handle = self.handle(position)?;
        let info = self.machine.info(handle)?;
        if self.rows[position].args.contains_key("outs") {
            return Ok(none());
        }
        Ok(figures([
            ("max", info.max_message_size.into()),
            ("next", i64::from(info.next_size as i32).into()),
            ("count", info.message_count.into()),
            ("timeout", info.read_timeout_ms.into()),
        ]))
    }

    fn close(&mut self, position: usize) -> Result<Outcome, Win32Error> {
        let handle = self.handle(position)?;
        self.machine.close(handle)?;
        self.handles.iter_mut().filter(|named| named.handle == handle).for_each(|named| named.is_open = false);
        Ok(none())
    }

    fn keep(&mut self, role: &str, handle: Handle, position: usize, slot: String) {
        let case = self.rows[position].case.clone();
        self.handles.push(Named { role: role.to_owned(), handle, case, slot, is_open: true });
    }

    /// The handle of a role: the oldest open one of the case, else the youngest of the cases before.
    fn handle(&mut self, position: usize) -> Result<Handle, Win32Error> {
        let row = &self.rows[position];
        let label = role(row).ok_or(Win32Error::InvalidHandle)?;
        let kind = match label {
            "NULL" | "INVALID" => return Err(Win32Error::InvalidHandle),
            "closed" | "server again" => {
                let closed = self.handles.iter().rev().find(|named| named.role == "server");
                return Ok(closed.expect("a server was there").handle);
            }
            "dup client" => "dup client",
            _ if label.contains("client") => "client",
            _ => "server",
        };
        let fits = |named: &&Named| named.role == kind && named.is_open;
        // One client after the other was tried without a row for its end: the role means the youngest.
        let is_tried = row.case == "client_access" || row.case == "client_disposition";
        let mut own: VecDeque<&Named> = self.handles.iter().filter(fits).filter(|it| it.case == row.case).collect();
        let own = if is_tried { own.pop_back() } else { own.pop_front() };
        if let Some(found) =
            own.or_else(|| self.handles.iter().rev().find(fits)).filter(|_| !self.begins_unseen(position))
        {
            return Ok(found.handle);
        }
        // The case began without rows: the program had made a slot and a client for it.
        let slot = format!(r"\\.\mailslot\unseen-{}", row.case);
        if let Ok(server) = self.machine.create_mailslot(&slot, CreateOptions::default()) {
            self.keep("server", server, position, slot.clone());
            let client = self.machine.open(&slot, OpenOptions { share: Access::BOTH, ..OpenOptions::default() })?;
            self.keep("client", client, position, slot);
        }
        let made = self.handles.iter().rev().find(|named| named.role == kind && named.is_open);
        Ok(made.expect("it was just made").handle)
    }

    /// Whether the rows of this case use a server that no row of it, nor of the case before, created.
    fn begins_unseen(&self, position: usize) -> bool {
        let row = &self.rows[position];
        row.case == "read_len0_with_msgs" && !self.handles.iter().any(|named| named.case == row.case)
    }
}

fn compare(row: &Row, found: &Outcome) -> Result<(), String> {
    if found.code != row.err || row.ok != (found.code == 0) {
        return Err(format!("the record says {}, the engine {}", row.err, found.code));
    }
    for (key, value) in &found.figures {
        let same = match key.as_str() {
            "waited_ms" => row.rest.get("ms").is_none_or(|ms| value.as_u64() <= ms.as_u64()),
            _ => row.rest.get(key).is_none_or(|recorded| recorded == value),
        };
        if !same {
            let recorded = row.rest.get(key).unwrap_or(&Value::Null);
            return Err(format!("{key}: the record says {recorded}, the engine {value}"));
        }
    }
    Ok(())
}

/// The name that a row gives; the longest ones are recorded by their length only.
fn path(row: &Row) -> String {
    let length = row.args.get("len").and_then(Value::as_i64).unwrap_or(0).max(0) as usize;
    match row.args["name"].as_str() {
        Some("(long)") => format!(r"\\.\mailslot\{}", "n".repeat(length - r"\\.\mailslot\".len())),
        Some(name) => name.to_owned(),
        None => String::new(),
    }
}

fn role(row: &Row) -> Option<&str> {
    row.args.get("h").and_then(Value::as_str)
}

fn none() -> Outcome {
    Outcome::default()
}

fn figures<const N: usize>(figures: [(&str, Value); N]) -> Outcome {
    let figures = figures.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Outcome { code: 0, figures }
}
