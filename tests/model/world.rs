//! The state of the model: what the documents speak of, in plain maps and vectors. The model shares no code with the
//! engine, not even its error type, and computes what the engine keeps count of.

use std::collections::{BTreeMap, BTreeSet};

use crate::operation::{BAD_PATHS, Bits, Label, Path, SERVERS, SlotOptions};

/// How a run is set up; the rest of a machine's settings are operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) xp: bool,
    pub(crate) hosts: [HostSetup; 2],
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct HostSetup {
    pub(crate) fragments: bool,
    pub(crate) api_424: bool,
    pub(crate) hole: bool,
    pub(crate) datagram_errors: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) now: u64,
    pub(crate) hosts: [Host; 2],
    pub(crate) flying: BTreeMap<Label, Packet>,
    pub(crate) next_number: u32,
    /// What the last operation must have shown.
    pub(crate) expected: Expected,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expected {
    pub(crate) outcome: Outcome,
    /// Ends of reads, for each machine in their order.
    pub(crate) ended: [Vec<(Label, Result<Letter, u32>)>; 2],
    /// Datagrams whose fragments wait no longer, and whether they became whole.
    pub(crate) assembled: [Vec<(Label, bool)>; 2],
    /// How many messages were deleted unread with their slots, on each machine.
    pub(crate) deleted: [usize; 2],
    pub(crate) sent: Vec<Sent>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Outcome {
    #[default]
    Done,
    Failed(u32),
    /// The handles that a process got: the parent's and its own.
    Child(Vec<(Label, Label)>),
    Message(Letter),
    Pending,
    Wrote {
        bytes: usize,
        own: Option<Fate>,
    },
    Info(Info),
    Received(Fate),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Info {
    pub(crate) max: u32,
    pub(crate) next: u32,
    pub(crate) count: u32,
    pub(crate) timeout_ms: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    /// With the number that the machine gave it.
    Taken(u64),
    Held,
    Lost(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Letter {
    pub(crate) data: Vec<u8>,
    pub(crate) from: usize,
    pub(crate) arrived: u64,
    pub(crate) receipt: u64,
}

/// A packet that a machine gives to the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) packet: Label,
    /// The last byte of the address; `None` for all machines.
    pub(crate) to: Option<u8>,
    pub(crate) transport: u8,
    pub(crate) part: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) from: usize,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// One part of a message to a mailslot with this name, of whoever bears this name.
    Part { datagram: Label, part: usize, parts: usize, to: &'static str, slot: u32, data: Vec<u8> },
    /// DATAGRAM ERROR.
    Error,
}

#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) transports: u8,
    pub(crate) remote_disabled: bool,
    pub(crate) slots: BTreeMap<Label, Slot>,
    /// Every one that there ever was, as with objects and processes.
    pub(crate) handles: BTreeMap<Label, Handle>,
    pub(crate) objects: BTreeMap<Label, Object>,
    pub(crate) processes: BTreeMap<Label, Process>,
    /// Every read that had to wait.
    pub(crate) reads: BTreeSet<Label>,
    /// Datagrams of which the first part is here, and until when.
    pub(crate) held: Vec<(Label, u64)>,
    pub(crate) receipts: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) name: u32,
    pub(crate) options: SlotOptions,
    pub(crate) queue: Vec<Letter>,
    pub(crate) waiting: Vec<Waiting>,
}

#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) read: Label,
    pub(crate) process: Label,
    pub(crate) buffer: usize,
    pub(crate) until: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    pub(crate) object: Label,
    pub(crate) process: Label,
    pub(crate) inheritable: bool,
    pub(crate) open: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Object {
    Server(Label),
    Client { target: Target, access: Bits, share: Bits },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Slot(Label),
    Remote { name: &'static str, spelling: usize },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) account: u32,
    pub(crate) alive: bool,
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let hosts = [Host::new(), Host::new()];
        World { setup, now: 0, hosts, flying: BTreeMap::new(), next_number: 1, expected: Expected::default() }
    }
}

impl Host {
    fn new() -> Self {
        Host {
            transports: 1,
            remote_disabled: false,
            slots: BTreeMap::new(),
            handles: BTreeMap::new(),
            objects: BTreeMap::new(),
            processes: BTreeMap::from([(FIRST_PROCESS, Process { account: 0, alive: true })]),
            reads: BTreeSet::new(),
            held: Vec::new(),
            receipts: 0,
        }
    }

    pub(crate) fn slot_called(&self, name: u32) -> Option<Label> {
        self.slots.iter().find_map(|(label, slot)| (slot.name == name).then_some(*label))
    }

    /// What a process runs as, if it has not ended.
    pub(crate) fn account(&self, process: Label) -> Result<u32, u32> {
        let Process { account, alive } = self.processes[&process];
        if alive { Ok(account) } else { Err(INVALID_PARAMETER) }
    }

    pub(crate) fn open_handle(&self, handle: Label) -> Result<Handle, u32> {
        Some(self.handles[&handle]).filter(|handle| handle.open).ok_or(INVALID_HANDLE)
    }

    pub(crate) fn object(&self, handle: Label) -> Result<Object, u32> {
        self.open_handle(handle).map(|handle| self.objects[&handle.object])
    }

    /// Whether another open of the slot forbids what this one asks for, or has what this one forbids. The server reads
    /// and forbids nothing; an open that neither reads nor writes minds nobody.
    pub(crate) fn clashes(&self, slot: Label, access: Bits, share: Bits) -> bool {
        let mut opens = vec![([true, false], [true, true])];
        for (label, object) in &self.objects {
            let is_open = self.handles.values().any(|handle| handle.open && handle.object == *label);
            if let Object::Client { target: Target::Slot(other), access, share } = *object
                && (other == slot && is_open && access != [false, false])
            {
                opens.push((access, share));
            }
        }
        let forbids = |share: Bits, access: Bits| (0..2).any(|bit| access[bit] && !share[bit]);
        access != [false, false] && opens.iter().any(|open| forbids(open.1, access) || forbids(share, open.0))
    }
}

/// The NetBIOS name of a path's server, `None` for the machine itself, and which spelling of a mailslot's name.
pub(crate) fn parts(path: Path) -> Result<(Option<&'static str>, usize), u32> {
    match path {
        Path::Slot { server, spelling } => Ok((SERVERS[server].1, spelling)),
        Path::Bad(bad) => Err(BAD_PATHS[bad].1),
    }
}

/// What a write of this number carries: each its own bytes, as far as there is room.
pub(crate) fn message(number: u32, size: usize) -> Vec<u8> {
    let filling = (0..size).map(|at| (at as u8).wrapping_mul(7).wrapping_add(number as u8));
    number.to_be_bytes().into_iter().chain(filling).take(size).collect()
}

pub(crate) fn bears(machine: usize, name: &str) -> bool {
    NAMES_OF[machine].contains(&name)
}

pub(crate) fn is_unique(name: &str) -> bool {
    !name.starts_with("WORKGROUP") && !name.starts_with("OTHER")
}

/// The last byte of a machine's address.
pub(crate) fn address(machine: usize) -> u8 {
    machine as u8 + 1
}

const NAMES_OF: [[&str; 2]; 2] = [["A<00>", "WORKGROUP<00>"], ["B<00>", "WORKGROUP<00>"]];
pub(crate) const FIRST_PROCESS: Label = (0, 0);
pub(crate) const FILE_NOT_FOUND: u32 = 2;
pub(crate) const ACCESS_DENIED: u32 = 5;
pub(crate) const INVALID_HANDLE: u32 = 6;
pub(crate) const SHARING_VIOLATION: u32 = 32;
pub(crate) const HANDLE_EOF: u32 = 38;
pub(crate) const BAD_NETPATH: u32 = 53;
pub(crate) const INVALID_PARAMETER: u32 = 87;
pub(crate) const SEM_TIMEOUT: u32 = 121;
pub(crate) const INSUFFICIENT_BUFFER: u32 = 122;
pub(crate) const INVALID_NAME: u32 = 123;
pub(crate) const ALREADY_EXISTS: u32 = 183;
pub(crate) const OPERATION_ABORTED: u32 = 995;
pub(crate) const REMOTE_DEPRECATED: u32 = 3025;
