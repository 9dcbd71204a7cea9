//! The calls of the mailslot engine, one behaviour per test. Expectations are those of the Windows tests and documents.

use std::sync::Arc;

use mailslot_sim::mailslot::{
    Access, Config, CreateOptions, Destination, Directory, Discard, Disposition, Event, Handle, Machine, MailslotInfo,
    NO_MESSAGE, NameKind, OpenOptions, Owner, Read, SlotName, WAIT_FOREVER, Win32Error, Write, Written,
};
use mailslot_sim::time::{Duration, Instant};

const NOW: Instant = Instant::ZERO;

fn after_ms(millis: u64) -> Instant {
    NOW + Duration::from_millis(millis)
}

fn machine(computer: &str) -> Machine {
    let owners = [
        ("A<00>", Owner::Unique([10, 0, 0, 1].into())),
        ("B<00>", Owner::Unique([10, 0, 0, 2].into())),
        ("WORKGROUP<00>", Owner::Group),
        ("OTHER<00>", Owner::Group),
    ];
    let directory: Directory = owners.map(|(name, owner)| (name.parse().unwrap(), owner)).into_iter().collect();
    Machine::new(Config::new(computer, "WORKGROUP", [10, 0, 0, 1].into()).unwrap(), Arc::new(directory))
}

/// A machine with a slot `t` and a client handle to it.
fn local(options: CreateOptions) -> (Machine, Handle, Handle) {
    let mut machine = machine("A");
    let server = machine.create_mailslot(r"\\.\mailslot\t", options).unwrap();
    let client = machine.open(r"\\.\mailslot\t", OpenOptions::default()).unwrap();
    (machine, server, client)
}

fn waiting(millis: u32) -> CreateOptions {
    CreateOptions { read_timeout_ms: millis, ..Default::default() }
}

fn read(machine: &mut Machine, handle: Handle, buffer: usize) -> Result<Vec<u8>, Win32Error> {
    match machine.read(NOW, handle, buffer)? {
        Read::Done(message) => Ok(message.data),
        Read::Pending(_) => Err(Win32Error::IoPending),
    }
}

/// A write that returns at once.
fn written(machine: &mut Machine, handle: Handle, data: &[u8]) -> Written {
    match machine.write(NOW, handle, data) {
        Ok(Write::Done(written)) => written,
        other => panic!("the write should succeed at once: {other:?}"),
    }
}

/// The end of the next pending read.
fn completed(machine: &mut Machine) -> Option<Result<Vec<u8>, Win32Error>> {
    machine.poll_event().map(|event| match event {
        Event::ReadDone { result, .. } => result.map(|message| message.data),
        other => panic!("{other:?} is not the end of a read"),
    })
}

#[test]
fn a_read_returns_one_whole_message_in_the_order_of_writing() {
    let (mut machine, server, client) = local(CreateOptions::default());
    for message in [&b"a"[..], b"bc", b""] {
        assert_eq!(written(&mut machine, client, message).bytes as usize, message.len());
    }
    let info = MailslotInfo { max_message_size: 0, next_size: 1, message_count: 3, read_timeout_ms: 0 };
    assert_eq!(machine.info(server), Ok(info));
    assert_eq!(read(&mut machine, server, 16), Ok(b"a".to_vec()));
    assert_eq!(read(&mut machine, server, 16), Ok(b"bc".to_vec()));
    assert_eq!(machine.info(server).unwrap().next_size, 0, "an empty message is a message");
    assert_eq!(read(&mut machine, server, 0), Ok(Vec::new()));
    assert_eq!(read(&mut machine, server, 16), Err(Win32Error::SemTimeout));
    assert_eq!(machine.info(server).unwrap().next_size, NO_MESSAGE);
}

#[test]
fn a_message_longer_than_the_buffer_stays_whole_at_the_head() {
    let (mut machine, server, client) = local(CreateOptions::default());
    machine.write(NOW, client, b"bc").unwrap();
    assert_eq!(read(&mut machine, server, 1), Err(Win32Error::InsufficientBuffer));
    assert_eq!(machine.info(server).unwrap().message_count, 1);
    assert_eq!(read(&mut machine, server, 2), Ok(b"bc".to_vec()));
}

#[test]
fn a_read_waits_for_its_time_out_and_no_longer() {
    let (mut machine, server, client) = local(waiting(1000));
    assert_eq!(read(&mut machine, server, 16), Err(Win32Error::IoPending));
    assert_eq!(machine.poll_timeout(), Some(after_ms(1000)));
    machine.handle_timeout(after_ms(999));
    assert_eq!(completed(&mut machine), None);
    machine.handle_timeout(after_ms(1000));
    assert_eq!(completed(&mut machine), Some(Err(Win32Error::SemTimeout)));
    assert_eq!(machine.poll_timeout(), None);

    assert_eq!(read(&mut machine, server, 16), Err(Win32Error::IoPending));
    machine.write(after_ms(1999), client, b"ok").unwrap();
    assert_eq!(completed(&mut machine), Some(Ok(b"ok".to_vec())));
    assert_eq!(machine.poll_timeout(), None, "a completed read leaves no timer");
}

#[test]
fn a_read_that_waits_forever_has_no_timer() {
    let (mut machine, server, client) = local(waiting(WAIT_FOREVER));
    assert_eq!(read(&mut machine, server, 16), Err(Win32Error::IoPending));
    assert_eq!(machine.poll_timeout(), None);
    machine.write(NOW, client, b"data").unwrap();
    assert_eq!(completed(&mut machine), Some(Ok(b"data".to_vec())));
}

#[test]
fn waiting_reads_are_served_in_order_and_small_buffers_fail_on_the_way() {
    let (mut machine, server, client) = local(waiting(WAIT_FOREVER));
    for buffer in [1, 8, 8] {
        assert_eq!(read(&mut machine, server, buffer), Err(Win32Error::IoPending));
    }
    machine.write(NOW, client, b"abc").unwrap();
    assert_eq!(completed(&mut machine), Some(Err(Win32Error::InsufficientBuffer)));
    assert_eq!(completed(&mut machine), Some(Ok(b"abc".to_vec())));
    assert_eq!(completed(&mut machine), None, "one message completes one read");
}

#[test]
fn a_new_time_out_holds_for_later_reads_and_for_every_handle() {
    let (mut machine, server, _) = local(waiting(1000));
    let second = machine.duplicate(server).unwrap();
    read(&mut machine, server, 16).unwrap_err();
    machine.set_read_timeout(second, 5).unwrap();
    assert_eq!(machine.info(server).unwrap().read_timeout_ms, 5);
    assert_eq!(machine.poll_timeout(), Some(after_ms(1000)), "a read that waits keeps its deadline");
    read(&mut machine, server, 16).unwrap_err();
    assert_eq!(machine.poll_timeout(), Some(after_ms(5)));
}

#[test]
fn the_slot_lives_until_its_last_server_handle_closes() {
    let (mut machine, server, client) = local(CreateOptions::default());
    let second = machine.duplicate(server).unwrap();
    machine.write(NOW, client, b"x").unwrap();
    assert_eq!(machine.close(server), Ok(()));
    assert_eq!(read(&mut machine, second, 4), Ok(b"x".to_vec()));
    assert_eq!(machine.close(second), Ok(()));
    assert_eq!(machine.close(second), Err(Win32Error::InvalidHandle));
    assert_eq!(machine.write(NOW, client, b"x"), Err(Win32Error::HandleEof));
    assert_eq!(machine.open(r"\\.\mailslot\t", OpenOptions::default()), Err(Win32Error::FileNotFound));
    machine.create_mailslot(r"\\.\mailslot\T", CreateOptions::default()).expect("the name is free again");
    assert_eq!(machine.write(NOW, client, b"x"), Err(Win32Error::HandleEof), "an old handle is not of the new slot");
}

#[test]
fn the_last_server_handle_aborts_the_reads_that_wait() {
    let (mut machine, server, client) = local(waiting(1000));
    let second = machine.duplicate(server).unwrap();
    read(&mut machine, server, 16).unwrap_err();
    machine.close(server).unwrap();
    assert_eq!(completed(&mut machine), None, "the read waits on the slot, not on the handle");
    machine.write(NOW, client, b"x").unwrap();
    assert_eq!(completed(&mut machine), Some(Ok(b"x".to_vec())));
    read(&mut machine, second, 16).unwrap_err();
    machine.close(second).unwrap();
    assert_eq!(completed(&mut machine), Some(Err(Win32Error::OperationAborted)));
    assert_eq!(machine.poll_timeout(), None);
}

#[test]
fn calls_on_the_wrong_handle() {
    let (mut machine, server, client) = local(CreateOptions::default());
    let both = machine.open(r"\\.\mailslot\t", OpenOptions { access: Access::BOTH, ..Default::default() }).unwrap();
    let remote = machine.open(r"\\B\mailslot\t", OpenOptions::default()).unwrap();
    let reading = machine.open(r"\\.\mailslot\t", OpenOptions { access: Access::READ, ..Default::default() }).unwrap();
    assert_eq!(machine.write(NOW, server, b"x"), Err(Win32Error::AccessDenied));
    assert_eq!(machine.write(NOW, reading, b"x"), Err(Win32Error::AccessDenied));
    assert_eq!(read(&mut machine, client, 8), Err(Win32Error::AccessDenied));
    assert_eq!(read(&mut machine, both, 8), Err(Win32Error::InvalidParameter));
    assert_eq!(machine.set_read_timeout(client, 5), Err(Win32Error::InvalidParameter));
    assert_eq!(machine.info(client).map(|info| info.message_count), Ok(0), "as Windows 8 and later");
    assert_eq!(machine.info(remote), Err(Win32Error::InvalidParameter));
}

#[test]
fn names_that_cannot_be_created_or_opened() {
    let (mut machine, ..) = local(CreateOptions::default());
    let mut create = |path| machine.create_mailslot(path, CreateOptions::default()).map(|_| ());
    assert_eq!(create("blah"), Err(Win32Error::InvalidName));
    assert_eq!(create(""), Err(Win32Error::PathNotFound));
    assert_eq!(create(r"\\OTHER\mailslot\t"), Err(Win32Error::InvalidName));
    assert_eq!(create(r"\\.\mailslot\"), Err(Win32Error::InvalidName));
    assert_eq!(create(r"\\.\mailslot\T"), Err(Win32Error::AlreadyExists));
    assert_eq!(create(r"\\.\mailslot\t\below"), Ok(()), "levels are only part of the name");
    assert_eq!(machine.open(r"\\.\mailslot\none", OpenOptions::default()), Err(Win32Error::FileNotFound));
    assert_eq!(machine.open(r"\\AMUCHTOOLONGNAME\mailslot\t", OpenOptions::default()), Err(Win32Error::InvalidName));
}

#[test]
fn a_local_slot_takes_messages_up_to_its_maximum() {
    let (mut machine, server, client) = local(CreateOptions { max_message_size: 8, ..Default::default() });
    assert_eq!(machine.write(NOW, client, b"123456789"), Err(Win32Error::InvalidParameter));
    machine.write(NOW, client, b"12345678").unwrap();
    assert_eq!(machine.info(server).unwrap().next_size, 8);
    let (mut machine, server, client) = local(CreateOptions::default());
    machine.write(NOW, client, &[b'a'; 65536]).unwrap();
    assert_eq!(machine.info(server).unwrap().next_size, 65536);
}

#[test]
fn a_remote_write_is_limited_by_the_api_and_by_the_length_of_the_name() {
    let mut machine = machine("A");
    for (path, greatest) in [
        (r"\\B\mailslot\slotnam8", 424),
        (r"\\WORKGROUP\mailslot\slotnam8", 424),
        (r"\\*\mailslot\four", 424), // 428 fit the wire, the API stops at 424
        (r"\\B\mailslot\test1\sample_mailslot", 408),
    ] {
        let client = machine.open(path, OpenOptions::default()).unwrap();
        assert!(machine.write(NOW, client, &vec![b'a'; greatest]).is_ok(), "{greatest} bytes to {path}");
        let refused = machine.write(NOW, client, &vec![b'a'; greatest + 1]);
        assert_eq!(refused, Err(Win32Error::BadNetpath), "{} bytes to {path}", greatest + 1);
    }
}

#[test]
fn a_remote_write_says_only_that_it_was_sent() {
    let mut machine = machine("A");
    let client = machine.open(r"\\B\mailslot\nosuch", OpenOptions::default()).unwrap();
    let written = written(&mut machine, client, b"x");
    assert_eq!((written.bytes, written.own_copy), (1, None));
    let transmit = machine.poll_transmit(&mut Vec::new()).unwrap();
    assert_eq!(transmit.destination, Destination::Unicast("10.0.0.2:138".parse().unwrap()));
    let nobody = machine.open(r"\\NOBODY\mailslot\x", OpenOptions::default()).expect("opening makes no traffic");
    assert_eq!(machine.write(NOW, nobody, b"x"), Err(Win32Error::BadNetpath));
}

#[test]
fn a_domain_write_is_one_broadcast_and_the_writers_own_copy_passes_no_network() {
    let (mut machine, server, _) = local(CreateOptions::default());
    for path in [r"\\WORKGROUP\mailslot\t", r"\\*\mailslot\t"] {
        let client = machine.open(path, OpenOptions::default()).unwrap();
        let own = written(&mut machine, client, b"all").own_copy;
        assert!(matches!(own, Some(Disposition::Enqueued(_))));
        assert_eq!(machine.poll_transmit(&mut Vec::new()).unwrap().destination, Destination::Broadcast);
        assert_eq!(machine.poll_transmit(&mut Vec::new()), None);
        assert_eq!(read(&mut machine, server, 8), Ok(b"all".to_vec()));
    }
    let other = machine.open(r"\\OTHER\mailslot\t", OpenOptions::default()).unwrap();
    assert_eq!(written(&mut machine, other, b"all").own_copy, None, "not a member of that domain");
    let own_name = machine.open(r"\\A\mailslot\none", OpenOptions::default()).unwrap();
    let own = written(&mut machine, own_name, b"x").own_copy;
    assert_eq!(own, Some(Disposition::Discarded(Discard::NoSuchMailslot)), "succeeds all the same");
}

#[test]
fn a_write_to_a_list_of_members_goes_to_each_of_them_but_the_writer() {
    let members = Owner::Members([[10, 0, 0, 1].into(), [10, 0, 0, 2].into(), [10, 0, 9, 3].into()].into());
    let directory: Directory = [("DOM<1C>".parse().unwrap(), members)].into_iter().collect();
    let mut config = Config::new("A", "WORKGROUP", [10, 0, 0, 1].into()).unwrap();
    config.names = vec![("DOM<1C>".parse().unwrap(), NameKind::Group)];
    let mut machine = Machine::new(config, Arc::new(directory));
    machine.create_mailslot(r"\\.\mailslot\t", CreateOptions::default()).unwrap();
    let slot = SlotName::new("t").unwrap();
    let client = machine.open_name("DOM<1C>".parse().unwrap(), &slot, OpenOptions::default()).unwrap();
    assert!(matches!(written(&mut machine, client, b"x").own_copy, Some(Disposition::Enqueued(_))));
    for member in ["10.0.0.2:138", "10.0.9.3:138"] {
        let mut packet = Vec::new();
        let destination = machine.poll_transmit(&mut packet).unwrap().destination;
        assert_eq!(destination, Destination::Unicast(member.parse().unwrap()));
        assert_eq!(packet[0], 0x11, "DIRECT_GROUP");
    }
    assert_eq!(machine.poll_transmit(&mut Vec::new()), None);
}

#[test]
fn a_receiver_drops_silently_what_it_cannot_take() {
    let mut a = machine("A");
    let mut b = machine("B");
    let options = CreateOptions { max_message_size: 4, queue_limit: Some(1), ..Default::default() };
    b.create_mailslot(r"\\.\mailslot\t", options).unwrap();
    let mut send = |path, data: &[u8]| {
        let client = a.open(path, OpenOptions::default()).unwrap();
        a.write(NOW, client, data).unwrap();
        let mut packet = Vec::new();
        a.poll_transmit(&mut packet).unwrap();
        b.handle_datagram(NOW, "10.0.0.1:138".parse().unwrap(), &packet)
    };
    assert_eq!(send(r"\\B\mailslot\none", b"x"), Disposition::Discarded(Discard::NoSuchMailslot));
    assert_eq!(send(r"\\B\mailslot\t", b"12345"), Disposition::Discarded(Discard::TooLargeForSlot));
    assert_eq!(send(r"\\OTHER\mailslot\t", b"x"), Disposition::Discarded(Discard::NotForUs));
    assert!(matches!(send(r"\\B\mailslot\t", b"1234"), Disposition::Enqueued(_)));
    assert_eq!(send(r"\\B\mailslot\t", b"x"), Disposition::Discarded(Discard::SlotFull));
    assert_eq!(b.poll_transmit(&mut Vec::new()), None, "nobody tells the sender");
}

/// A limit of 0 takes what a waiting read takes at once, and nothing else; what is refused ends no read.
#[test]
fn a_queue_limit_holds_when_the_reads_that_wait_are_too_small() {
    let options = CreateOptions { queue_limit: Some(0), ..waiting(WAIT_FOREVER) };
    let (mut machine, server, client) = local(options);
    read(&mut machine, server, 2).unwrap_err();
    let full = Some(Disposition::Discarded(Discard::SlotFull));
    assert_eq!(written(&mut machine, client, b"abc").own_copy, full);
    assert_eq!((completed(&mut machine), machine.info(server).unwrap().message_count), (None, 0));
    machine.write(NOW, client, b"ab").unwrap();
    assert_eq!(completed(&mut machine), Some(Ok(b"ab".to_vec())));
}
