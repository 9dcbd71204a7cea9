//! Handles and the processes that own them; who may open a mailslot, and with whom.

use std::sync::Arc;

use mailslot_sim::mailslot::{
    Access, Account, ApiProfile, Config, CreateOptions, Directory, Event, Handle, MAX_PENDING_WRITES, Machine,
    OpenOptions, ProcessId, Read, ReadId, WAIT_FOREVER, Win32Error, Write,
};
use mailslot_sim::names::Mode;
use mailslot_sim::time::{Duration, Instant};

const NOW: Instant = Instant::ZERO;
const PATH: &str = r"\\.\mailslot\t";

fn machine(api: ApiProfile) -> Machine {
    let mut config = Config::new("A", "WORKGROUP", [10, 0, 0, 1].into()).unwrap();
    config.api = api;
    Machine::new(config, Arc::new(Directory::default()))
}

/// A mailslot whose reads wait for ever.
fn waiting() -> CreateOptions {
    CreateOptions { read_timeout_ms: WAIT_FOREVER, ..CreateOptions::default() }
}

fn pending(machine: &mut Machine, handle: Handle, buffer: usize) -> ReadId {
    match machine.read(NOW, handle, buffer) {
        Ok(Read::Pending(id)) => id,
        other => panic!("the read should wait: {other:?}"),
    }
}

fn ended(machine: &mut Machine) -> Vec<(ReadId, Result<Vec<u8>, Win32Error>)> {
    std::iter::from_fn(|| machine.poll_event())
        .map(|event| match event {
            Event::ReadDone { id, result } => (id, result.map(|message| message.data)),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn several_reads_are_served_in_their_order_and_small_buffers_fail_on_the_way() {
    let mut machine = machine(ApiProfile::Vista);
    let server = machine.create_mailslot(PATH, waiting()).unwrap();
    let client = machine.open(PATH, OpenOptions::default()).unwrap();
    let reads = [8, 2, 2, 8].map(|buffer| pending(&mut machine, server, buffer));
    machine.write(NOW, client, b"one").unwrap();
    machine.write(NOW, client, b"three").unwrap();
    assert_eq!(
        ended(&mut machine),
        [
            (reads[0], Ok(b"one".to_vec())),
            (reads[1], Err(Win32Error::InsufficientBuffer)),
            (reads[2], Err(Win32Error::InsufficientBuffer)),
            (reads[3], Ok(b"three".to_vec())),
        ]
    );
}

#[test]
fn reads_are_cancelled_one_by_one_or_for_a_process() {
    let mut machine = machine(ApiProfile::Vista);
    let server =
        machine.create_mailslot(PATH, CreateOptions { read_timeout_ms: 50, ..CreateOptions::default() }).unwrap();
    let (child, _) = machine.create_process(ProcessId::default(), Account::default(), false).unwrap();
    let childs = machine.duplicate_into(server, child, false).unwrap();
    let reads = [server, childs, server, childs].map(|handle| pending(&mut machine, handle, 8));
    machine.cancel_read(reads[2]);
    assert_eq!(ended(&mut machine), [(reads[2], Err(Win32Error::OperationAborted))]);
    machine.cancel(childs).unwrap();
    let aborted = [1, 3].map(|read| (reads[read], Err(Win32Error::OperationAborted)));
    assert_eq!(ended(&mut machine), aborted);
    machine.cancel_read(reads[2]);
    let closed = closed_handle(&mut machine);
    assert_eq!(machine.cancel(closed), Err(Win32Error::InvalidHandle));
    machine.handle_timeout(NOW + Duration::from_millis(50));
    assert_eq!(ended(&mut machine), [(reads[0], Err(Win32Error::SemTimeout))]);
    assert_eq!(machine.poll_timeout(), None);
}

/// A handle that was closed.
fn closed_handle(machine: &mut Machine) -> Handle {
    let handle = machine.open(PATH, OpenOptions::default()).unwrap();
    machine.close(handle).unwrap();
    handle
}

#[test]
fn inheritable_handles_are_inherited_and_keep_the_slot() {
    let mut machine = machine(ApiProfile::Vista);
    let server = machine
        .create_mailslot(PATH, CreateOptions { inheritable: true, read_timeout_ms: 9, ..CreateOptions::default() })
        .unwrap();
    let client = machine.open(PATH, OpenOptions::default()).unwrap();
    let (_, none) = machine.create_process(ProcessId::default(), Account::default(), false).unwrap();
    assert_eq!(none, []);
    let (child, inherited) = machine.create_process(ProcessId::default(), Account::default(), true).unwrap();
    let [(from, to)] = inherited[..] else { panic!("{inherited:?}") };
    assert_eq!(from, server);
    machine.set_inheritable(client, true).unwrap();
    let (grandchild, inherited) = machine.create_process(child, Account::default(), true).unwrap();
    assert_eq!(inherited.len(), 1, "only its own parent's handles");

    machine.set_read_timeout(to, 70).unwrap();
    assert_eq!(machine.info(server).unwrap().read_timeout_ms, 70, "it is the slot's, not the handle's");
    machine.write(NOW, client, b"x").unwrap();
    machine.close(server).unwrap();
    machine.exit_process(child).unwrap();
    assert_eq!(machine.info(to), Err(Win32Error::InvalidHandle));
    assert_eq!(machine.info(inherited[0].1).unwrap().message_count, 1, "the grandchild's handle keeps it");
    machine.exit_process(grandchild).unwrap();
    assert_eq!(machine.write(NOW, client, b"x"), Err(Win32Error::HandleEof));
    assert_eq!(machine.exit_process(child), Err(Win32Error::InvalidParameter));
    assert_eq!(machine.create_process(child, Account::default(), true), Err(Win32Error::InvalidParameter));
    assert_eq!(
        machine.create_mailslot(PATH, CreateOptions { process: child, ..CreateOptions::default() }),
        Err(Win32Error::InvalidParameter)
    );
    assert_eq!(
        machine.open(PATH, OpenOptions { process: child, ..OpenOptions::default() }),
        Err(Win32Error::InvalidParameter)
    );
}

#[test]
fn a_process_that_ends_takes_its_reads_and_slots_along() {
    let mut machine = machine(ApiProfile::Vista);
    let (process, _) = machine.create_process(ProcessId::default(), Account::default(), false).unwrap();
    let kept = machine.create_mailslot(PATH, waiting()).unwrap();
    let shared = machine.duplicate_into(kept, process, false).unwrap();
    let own = machine.create_mailslot(r"\\.\mailslot\own", CreateOptions { process, ..waiting() }).unwrap();
    let reads = [kept, shared, own].map(|handle| pending(&mut machine, handle, 8));
    machine.exit_process(process).unwrap();
    let aborted = [1, 2].map(|read| (reads[read], Err(Win32Error::OperationAborted)));
    assert_eq!(ended(&mut machine), aborted);
    assert_eq!(machine.open(r"\\.\mailslot\own", OpenOptions::default()), Err(Win32Error::FileNotFound));
    let client = machine.open(PATH, OpenOptions::default()).unwrap();
    machine.write(NOW, client, b"x").unwrap();
    assert_eq!(ended(&mut machine), [(reads[0], Ok(b"x".to_vec()))]);
}

#[test]
fn a_descriptor_lets_one_account_write_and_is_not_asked_about_the_network() {
    let mut machine = machine(ApiProfile::Vista);
    let guarded = CreateOptions { writers: Some(Account(7)), ..CreateOptions::default() };
    let server = machine.create_mailslot(PATH, guarded).unwrap();
    let (allowed, _) = machine.create_process(ProcessId::default(), Account(7), false).unwrap();
    let open = |machine: &mut Machine, process, access| {
        machine.open(PATH, OpenOptions { process, access, ..OpenOptions::default() })
    };
    assert_eq!(open(&mut machine, ProcessId::default(), Access::WRITE), Err(Win32Error::AccessDenied));
    open(&mut machine, ProcessId::default(), Access::READ).expect("it is about writing");
    let client = open(&mut machine, allowed, Access::WRITE).unwrap();
    machine.write(NOW, client, b"in").unwrap();

    // The same message by the network, from a machine that only claims to be somebody.
    let owners = [("A<00>".parse().unwrap(), mailslot_sim::mailslot::Owner::Unique([10, 0, 0, 1].into()))];
    let config = Config::new("B", "WORKGROUP", [10, 0, 0, 2].into()).unwrap();
    let mut stranger = Machine::new(config, Arc::new(owners.into_iter().collect()));
    let remote = stranger.open(r"\\A\mailslot\t", OpenOptions::default()).unwrap();
    stranger.write(NOW, remote, b"out").unwrap();
    let mut packet = Vec::new();
    stranger.poll_transmit(&mut packet).unwrap();
    machine.handle_datagram(NOW, "10.0.0.2:138".parse().unwrap(), &packet);
    assert_eq!(machine.info(server).unwrap().message_count, 2);
}

#[test]
fn share_modes_count_for_opens_not_for_handles() {
    let open = |machine: &mut Machine, access, share| {
        machine.open(PATH, OpenOptions { access, share, ..OpenOptions::default() })
    };
    let mut xp = machine(ApiProfile::Xp);
    xp.create_mailslot(PATH, CreateOptions::default()).unwrap();
    let first = open(&mut xp, Access::WRITE, Access::READ).unwrap();
    let second = xp.duplicate(first).unwrap();
    xp.close(first).unwrap();
    assert_eq!(open(&mut xp, Access::WRITE, Access::BOTH), Err(Win32Error::SharingViolation), "a duplicate is left");
    open(&mut xp, Access::NONE, Access::NONE).expect("asks for nothing");
    xp.close(second).unwrap();
    open(&mut xp, Access::WRITE, Access::BOTH).expect("the other open is gone");
    let mut vista = machine(ApiProfile::Vista);
    vista.create_mailslot(PATH, CreateOptions::default()).unwrap();
    open(&mut vista, Access::WRITE, Access::NONE).unwrap();
    open(&mut vista, Access::WRITE, Access::NONE).expect("Vista and later do not look");
}

/// A write whose name is being looked up is pending; `CancelIo` ends those that the process made through the same open,
/// by whichever handle, and no others.
#[test]
fn pending_writes_are_cancelled_for_a_process_and_an_open() {
    let config = Config::new("A", "WORKGROUP", [10, 0, 0, 1].into()).unwrap();
    let mut machine = Machine::new(config, Mode::Broadcast);
    let (child, _) = machine.create_process(ProcessId::default(), Account::default(), false).unwrap();
    let first = machine.open(r"\\B\mailslot\t", OpenOptions::default()).unwrap();
    let twin = machine.duplicate(first).unwrap();
    let childs = machine.duplicate_into(first, child, false).unwrap();
    let other = machine.open(r"\\B\mailslot\t", OpenOptions::default()).unwrap();
    let writes = [first, childs, other, twin].map(|handle| match machine.write(NOW, handle, b"x") {
        Ok(Write::Pending(id)) => id,
        result => panic!("the name is not known: {result:?}"),
    });
    let ended = |machine: &mut Machine| -> Vec<Event> { std::iter::from_fn(|| machine.poll_event()).collect() };
    let aborted = |id| Event::WriteDone { id, result: Err(Win32Error::OperationAborted) };
    machine.cancel(twin).unwrap();
    assert_eq!(ended(&mut machine), [writes[0], writes[3]].map(aborted));
    machine.exit_process(child).unwrap();
    assert_eq!(ended(&mut machine), [aborted(writes[1])]);
    machine.close(other).unwrap();
    while let Some(at) = machine.poll_timeout() {
        machine.handle_timeout(at);
    }
    let failed = Event::WriteDone { id: writes[2], result: Err(Win32Error::BadNetpath) };
    assert_eq!(ended(&mut machine), [failed], "closing a handle does not end what was written through it");
}

/// A program that writes to unknown names without end fails at once beyond the limit.
#[test]
fn pending_writes_are_limited() {
    let config = Config::new("A", "WORKGROUP", [10, 0, 0, 1].into()).unwrap();
    let mut machine = Machine::new(config, Mode::Broadcast);
    let client = machine.open(r"\\B\mailslot\t", OpenOptions::default()).unwrap();
    for _ in 0..MAX_PENDING_WRITES {
        assert!(matches!(machine.write(NOW, client, b""), Ok(Write::Pending(_))));
    }
    assert_eq!(machine.write(NOW, client, b""), Err(Win32Error::BadNetpath));
}
