//! What can happen to the two machines, and how it is drawn.

use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{Handle, Object, Target, World};

/// What an operation makes is called after it: the number of the operation, and which of the things it made. Such names
/// stay the same when shrinking takes other operations away.
pub(crate) type Label = (u32, u32);

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) number: u32,
    pub(crate) act: Act,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A call on one of the machines.
    Call(usize, Call),
    /// Time passes, and both machines are told.
    Advance(Advance),
    /// A packet reaches a machine, which need not be the one that it was sent to, and may come again.
    Deliver {
        packet: Label,
        to: usize,
        again: bool,
    },
    Lose {
        packet: Label,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Advance {
    By(u64),
    /// To so many nanoseconds after, or one before, the next moment at which something ends.
    Next(i64),
}

#[derive(Clone, Debug)]
pub(crate) enum Call {
    Create { path: Path, slot: SlotOptions, process: Label, inheritable: bool },
    Open { path: Path, access: Bits, share: Bits, process: Label, inheritable: bool },
    Write { handle: Label, size: usize },
    Read { handle: Label, buffer: usize },
    Cancel { handle: Label },
    CancelRead { read: Label },
    Info { handle: Label },
    SetReadTimeout { handle: Label, millis: u32 },
    Duplicate { handle: Label },
    DuplicateInto { handle: Label, process: Label, inheritable: bool },
    SetInheritable { handle: Label, inheritable: bool },
    Close { handle: Label },
    CreateProcess { parent: Label, account: u32, inherit: bool },
    ExitProcess { process: Label },
    SetTransports(u8),
    SetRemoteDisabled(bool),
}

/// Reading and writing.
pub(crate) type Bits = [bool; 2];

#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotOptions {
    pub(crate) max: u32,
    pub(crate) timeout_ms: u32,
    pub(crate) limit: Option<u32>,
    pub(crate) writers: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    /// `\\SERVER\mailslot\NAME`: positions in [`SERVERS`] and [`SPELLINGS`].
    Slot { server: usize, spelling: usize },
    /// Position in [`BAD_PATHS`].
    Bad(usize),
}

impl Path {
    pub(crate) fn text(self) -> String {
        match self {
            Path::Slot { server, spelling } => {
                format!(r"\\{}\mailslot\{}", SERVERS[server].0, SPELLINGS[spelling].0)
            }
            Path::Bad(bad) => BAD_PATHS[bad].0.to_owned(),
        }
    }
}

/// Servers of paths, and the NetBIOS names that they stand for; `None` is the machine itself.
pub(crate) const SERVERS: [(&str, Option<&str>); 9] = [
    (".", None),
    ("B", Some("B<00>")),
    ("A", Some("A<00>")),
    ("WORKGROUP", Some("WORKGROUP<00>")),
    ("*", Some("WORKGROUP<00>")),
    ("b", Some("B<00>")),
    ("C", Some("C<00>")),
    ("OTHER", Some("OTHER<00>")),
    ("NOBODY", Some("NOBODY<00>")),
];

/// Names of mailslots, some the same but for case, and which name that is. The last ones cannot go on the wire: one is too
/// long, one is not ASCII.
pub(crate) const SPELLINGS: [(&str, u32); 9] = [
    ("t", 0),
    ("T", 0),
    ("slotnam8", 1),
    ("SlotNam8", 1),
    (r"t\nine", 2),
    ("thirteenchars", 3),
    ("caf\u{e9}", 4),
    ("CAF\u{c9}", 4),
    (TOO_LONG, 5),
];

/// 440 characters: more than a datagram holds, even without a message.
const TOO_LONG: &str = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\
    1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345\
    6789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\
    1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345\
    6789";

/// Paths that neither call takes, and the error of both.
pub(crate) const BAD_PATHS: [(&str, u32); 5] =
    [("", 3), ("blah", 123), (r"\\.\mailslot\", 123), (r"\\.\nowhere\t", 3), (r"\\SIXTEENLETTERSXX\mailslot\t", 123)];

pub(crate) const FOREVER: u32 = u32::MAX;
const MILLI: u64 = 1_000_000;
const SIZES: [usize; 17] = [0, 1, 2, 10, 11, 378, 379, 382, 383, 416, 417, 424, 425, 426, 428, 429, 20_000];

/// The next operation: any, but mostly one that has something to work on.
pub(crate) fn operation(world: &World) -> BoxedStrategy<Operation> {
    let number = world.next_number;
    let mut acts = vec![(16, calls(world, 0)), (16, calls(world, 1)), (4, advance())];
    if !world.flying.is_empty() {
        let labels: Vec<Label> = world.flying.keys().copied().collect();
        let oldest = labels[0];
        let packet = prop_oneof![Just(oldest), select(labels)];
        acts.push((1, packet.clone().prop_map(|packet| Act::Lose { packet }).boxed()));
        let from: Vec<usize> = world.flying.values().map(|packet| packet.from).collect();
        let deliver = (packet, prop_oneof![8 => Just(1 - from[0]), 1 => Just(from[0])], prop::bool::weighted(0.2));
        acts.push((14, deliver.prop_map(|(packet, to, again)| Act::Deliver { packet, to, again }).boxed()));
    }
    prop::strategy::Union::new_weighted(acts).prop_map(move |act| Operation { number, act }).boxed()
}

fn advance() -> BoxedStrategy<Act> {
    let by = select(vec![0, 1, MILLI, 10 * MILLI, 999 * MILLI, 1_000 * MILLI, 2_000 * MILLI, 5_000 * MILLI]);
    let next = select(vec![-1, 0, 0, 1, MILLI as i64]);
    prop_oneof![by.prop_map(Advance::By), next.prop_map(Advance::Next)].prop_map(Act::Advance).boxed()
}

fn calls(world: &World, machine: usize) -> BoxedStrategy<Act> {
    let host = &world.hosts[machine];
    let processes: Vec<Label> = host.processes.keys().copied().collect();
    let alive: Vec<Label> = host.processes.iter().filter(|(_, it)| it.alive).map(|(label, _)| *label).collect();
    let process = || prop_oneof![12 => any_of(&alive, &processes), 1 => select(processes.clone())];
    let mut calls = vec![
        (3, (local_path(), slot_options(), process(), any::<bool>()).prop_map(create).boxed()),
        (5, (used_path(world), access(), share(), process(), any::<bool>()).prop_map(open).boxed()),
        (1, (process(), select(vec![0, 7]), any::<bool>()).prop_map(create_process).boxed()),
        (1, select(processes.clone()).prop_map(|process| Call::ExitProcess { process }).boxed()),
        (1, (1..=3_u8).prop_map(Call::SetTransports).boxed()),
        (1, prop::bool::weighted(0.2).prop_map(Call::SetRemoteDisabled).boxed()),
    ];
    let all: Vec<Label> = host.handles.keys().copied().collect();
    if !all.is_empty() {
        let of = |suits: fn(&Object) -> bool| {
            let suits = |(_, handle): &(_, &Handle)| handle.open && suits(&host.objects[&handle.object]);
            let labels: Vec<Label> = host.handles.iter().filter(suits).map(|(label, _)| *label).collect();
            prop_oneof![14 => any_of(&labels, &all), 1 => select(all.clone())].boxed()
        };
        let server = || of(|object| matches!(object, Object::Server(_)));
        let client = || of(|object| matches!(object, Object::Client { access: [_, true], .. }));
        let local = || of(|object| matches!(object, Object::Client { target: Target::Slot(_), .. }));
        let handle = || of(|_| true);
        let buffer = prop_oneof![3 => Just(65_536), 1 => select(SIZES.to_vec())];
        calls.extend([
            (12, (client(), select(SIZES.to_vec())).prop_map(|(handle, size)| Call::Write { handle, size }).boxed()),
            (8, (server(), buffer).prop_map(|(handle, buffer)| Call::Read { handle, buffer }).boxed()),
            (1, server().prop_map(|handle| Call::Cancel { handle }).boxed()),
            (1, local().prop_map(|handle| Call::Info { handle }).boxed()),
            (1, (server(), timeout()).prop_map(|(handle, millis)| Call::SetReadTimeout { handle, millis }).boxed()),
            (1, handle().prop_map(|handle| Call::Duplicate { handle }).boxed()),
            (1, (handle(), process(), any::<bool>()).prop_map(duplicate_into).boxed()),
            (1, (handle(), any::<bool>()).prop_map(set_inheritable).boxed()),
            (2, handle().prop_map(|handle| Call::Close { handle }).boxed()),
        ]);
    }
    if !host.reads.is_empty() {
        let reads = select(host.reads.iter().copied().collect::<Vec<_>>());
        calls.push((1, reads.prop_map(|read| Call::CancelRead { read }).boxed()));
    }
    prop::strategy::Union::new_weighted(calls).prop_map(move |call| Act::Call(machine, call)).boxed()
}

/// One of those that suit, if any does.
fn any_of(suitable: &[Label], all: &[Label]) -> impl Strategy<Value = Label> + use<> {
    select(if suitable.is_empty() { all.to_vec() } else { suitable.to_vec() })
}

fn path() -> BoxedStrategy<Path> {
    path_to((0..SPELLINGS.len()).boxed())
}

/// Mostly to a mailslot that is somewhere.
fn used_path(world: &World) -> BoxedStrategy<Path> {
    let slots = world.hosts.iter().flat_map(|host| host.slots.values());
    let names: Vec<u32> = slots.map(|slot| slot.name).collect();
    let used: Vec<usize> = (0..SPELLINGS.len()).filter(|it| names.contains(&SPELLINGS[*it].1)).collect();
    if used.is_empty() { path() } else { prop_oneof![6 => path_to(select(used).boxed()), 1 => path()].boxed() }
}

fn path_to(spelling: BoxedStrategy<usize>) -> BoxedStrategy<Path> {
    let server = prop_oneof![10 => Just(0), 10 => 0..5_usize, 2 => 0..SERVERS.len()];
    let slot = (server, spelling).prop_map(|(server, spelling)| Path::Slot { server, spelling });
    prop_oneof![20 => slot, 1 => (0..BAD_PATHS.len()).prop_map(Path::Bad)].boxed()
}

/// Mailslots are made on the machine itself.
fn local_path() -> impl Strategy<Value = Path> {
    let local = (0..SPELLINGS.len()).prop_map(|spelling| Path::Slot { server: 0, spelling });
    let common = (0..4_usize).prop_map(|spelling| Path::Slot { server: 0, spelling });
    prop_oneof![10 => common, 3 => local, 1 => path()]
}

fn timeout() -> impl Strategy<Value = u32> + Clone {
    select(vec![FOREVER, 1_000, 0, 1, 2_000, FOREVER - 1])
}

fn slot_options() -> impl Strategy<Value = SlotOptions> {
    let max = prop_oneof![3 => Just(0), 1 => select(vec![1, 10, 424])];
    let limit = prop_oneof![2 => Just(None), 1 => (0..4_u32).prop_map(Some)];
    let writers = prop_oneof![4 => Just(None), 1 => select(vec![Some(0), Some(7)])];
    let options = (max, timeout(), limit, writers);
    options.prop_map(|(max, timeout_ms, limit, writers)| SlotOptions { max, timeout_ms, limit, writers })
}

fn access() -> impl Strategy<Value = Bits> {
    prop_oneof![3 => Just([false, true]), 1 => any::<Bits>()]
}

fn share() -> impl Strategy<Value = Bits> {
    prop_oneof![2 => Just([true, true]), 1 => any::<Bits>()]
}

fn create((path, slot, process, inheritable): (Path, SlotOptions, Label, bool)) -> Call {
    Call::Create { path, slot, process, inheritable }
}

fn open((path, access, share, process, inheritable): (Path, Bits, Bits, Label, bool)) -> Call {
    Call::Open { path, access, share, process, inheritable }
}

fn create_process((parent, account, inherit): (Label, u32, bool)) -> Call {
    Call::CreateProcess { parent, account, inherit }
}

fn duplicate_into((handle, process, inheritable): (Label, Label, bool)) -> Call {
    Call::DuplicateInto { handle, process, inheritable }
}

fn set_inheritable((handle, inheritable): (Label, bool)) -> Call {
    Call::SetInheritable { handle, inheritable }
}
