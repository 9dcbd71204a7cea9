//! NetBIOS fragments between engines (RFC 1001 17.1.2, RFC 1002 5.3): split when asked, put together always.

use std::sync::Arc;

use mailslot_sim::mailslot::{
    Config, CreateOptions, Directory, Discard, Disposition, Event, FRAGMENT_TIMEOUT, Handle, MAX_REASSEMBLIES, Machine,
    OpenOptions, Owner, Read, ReassemblyKey,
};
use mailslot_sim::time::{Duration, Instant};
use mailslot_sim::wire::Malformed;
use proptest::prelude::*;

const NOW: Instant = Instant::ZERO;

/// A machine that splits, and one that bears the name B and has the slot `slotnam8`.
fn pair() -> (Machine, Machine) {
    let (sender, receiver, _) = pair_and_slot();
    (sender, receiver)
}

/// The same, and the handle of the slot.
fn pair_and_slot() -> (Machine, Machine, Handle) {
    let owners: Directory = [("B<00>".parse().unwrap(), Owner::Unique([10, 0, 0, 2].into()))].into_iter().collect();
    let mut sender = Config::new("A", "D", [10, 0, 0, 1].into()).unwrap();
    sender.fragments = true;
    let receiver = Config::new("B", "D", [10, 0, 0, 2].into()).unwrap();
    let mut receiver = Machine::new(receiver, Arc::new(Directory::default()));
    let slot = receiver.create_mailslot(r"\\.\mailslot\slotnam8", CreateOptions::default()).unwrap();
    (Machine::new(sender, Arc::new(owners)), receiver, slot)
}

/// The packets of one write of `size` bytes.
fn packets(sender: &mut Machine, size: usize) -> Vec<Vec<u8>> {
    let client = sender.open(r"\\B\mailslot\slotnam8", OpenOptions::default()).unwrap();
    let data: Vec<u8> = (0..size).map(|at| at as u8).collect();
    sender.write(NOW, client, &data).unwrap();
    let mut packet = Vec::new();
    std::iter::from_fn(|| sender.poll_transmit(&mut packet).map(|_| packet.clone())).collect()
}

fn receive(receiver: &mut Machine, at: Instant, packet: &[u8]) -> Disposition {
    receiver.handle_datagram(at, "10.0.0.1:138".parse().unwrap(), packet)
}

/// 378 bytes are the most that fit 576 bytes of IP, with an 8-character name (548 - 14 - 68 - 88).
#[test]
fn a_message_is_split_where_it_does_not_fit_and_comes_out_whole() {
    let (mut sender, mut receiver) = pair();
    for (size, count) in [(0, 1), (378, 1), (379, 2), (424, 2)] {
        let packets = packets(&mut sender, size);
        assert_eq!(packets.len(), count, "{size} bytes");
        assert!(packets.iter().all(|packet| packet.len() <= 548));
        let (last, first) = packets.split_last().unwrap();
        for packet in first {
            assert!(matches!(receive(&mut receiver, NOW, packet), Disposition::Held(_)));
        }
        assert!(matches!(receive(&mut receiver, NOW, last), Disposition::Enqueued(_)));
    }
    assert_eq!(receiver.poll_timeout(), None, "nothing waits any more");
}

#[test]
fn the_first_fragment_waits_two_seconds_for_the_rest() {
    let (mut sender, mut receiver) = pair();
    let packets = packets(&mut sender, 424);
    receive(&mut receiver, NOW, &packets[0]);
    let end = NOW + FRAGMENT_TIMEOUT;
    assert_eq!(receiver.poll_timeout(), Some(end));
    receiver.handle_timeout(NOW + Duration::from_nanos(FRAGMENT_TIMEOUT.nanos() - 1));
    assert_eq!(receiver.poll_event(), None);
    receiver.handle_timeout(end);
    let key = ReassemblyKey { source_ip: [10, 0, 0, 1].into(), id: 1 };
    assert_eq!(receiver.poll_event(), Some(Event::ReassemblyDone { key, complete: false }));
    assert_eq!(receive(&mut receiver, end, &packets[1]), Disposition::Discarded(Discard::NoFirstFragment));
}

#[test]
fn fragments_out_of_order_are_lost_and_repetitions_refused() {
    let (mut sender, mut receiver) = pair();
    let packets = packets(&mut sender, 424);
    assert_eq!(receive(&mut receiver, NOW, &packets[1]), Disposition::Discarded(Discard::NoFirstFragment));
    receive(&mut receiver, NOW, &packets[0]);
    assert!(matches!(
        receive(&mut receiver, NOW, &packets[0]),
        Disposition::Discarded(Discard::Malformed(Malformed::FragmentOffset { .. }))
    ));
    assert!(matches!(receive(&mut receiver, NOW, &packets[1]), Disposition::Enqueued(_)));
}

/// A last fragment that ends too early is refused and forgotten: the right one still makes the datagram whole.
#[test]
fn a_refused_fragment_changes_nothing() {
    let (mut sender, mut receiver) = pair();
    let packets = packets(&mut sender, 424);
    receive(&mut receiver, NOW, &packets[0]);
    let (short, long) = (&packets[1][..packets[1].len() - 1], [&packets[1][..], b"x"].concat());
    for wrong in [short, &long] {
        assert!(matches!(
            receive(&mut receiver, NOW, wrong),
            Disposition::Discarded(Discard::Malformed(Malformed::FragmentLength { .. }))
        ));
    }
    assert!(matches!(receive(&mut receiver, NOW, &packets[1]), Disposition::Enqueued(_)));
}

/// A sender of first fragments without end costs the memory of MAX_REASSEMBLIES datagrams, and pushes out the oldest.
#[test]
fn first_fragments_without_end_push_out_the_oldest() {
    let (mut sender, mut receiver) = pair();
    let firsts: Vec<_> = (0..=MAX_REASSEMBLIES).map(|_| packets(&mut sender, 424)).collect();
    for packets in &firsts {
        receive(&mut receiver, NOW, &packets[0]);
    }
    let evicted = ReassemblyKey { source_ip: [10, 0, 0, 1].into(), id: 1 };
    assert_eq!(receiver.poll_event(), Some(Event::ReassemblyDone { key: evicted, complete: false }));
    assert_eq!(receiver.poll_event(), None);
    assert_eq!(receive(&mut receiver, NOW, &firsts[0][1]), Disposition::Discarded(Discard::NoFirstFragment));
    for packets in &firsts[1..] {
        assert!(matches!(receive(&mut receiver, NOW, &packets[1]), Disposition::Enqueued(_)));
    }
}

#[test]
fn every_transport_has_a_datagram_of_its_own() {
    let (mut sender, mut receiver) = pair();
    sender.set_transports(3);
    let packets = packets(&mut sender, 424);
    assert_eq!(packets.len(), 6);
    let taken = |disposition: &Disposition| matches!(disposition, Disposition::Enqueued(_));
    // All first fragments before all last ones: they are not confused.
    let order = [0, 2, 4, 1, 3, 5].map(|at| receive(&mut receiver, NOW, &packets[at]));
    assert_eq!(order.iter().filter(|it| taken(it)).count(), 3, "{order:?}");
}

proptest! {
    /// Whatever order the fragments of several messages come in, and whatever is missing or repeated: what is delivered
    /// is what was written, and only what had its first fragment before its last.
    #[test]
    fn only_whole_messages_are_delivered(
        sizes in prop::collection::vec(379_usize..=424, 1..6),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let (mut sender, mut receiver, slot) = pair_and_slot();
        let messages: Vec<Vec<Vec<u8>>> = sizes.iter().map(|size| packets(&mut sender, *size)).collect();
        let all: Vec<(usize, usize)> = (0..sizes.len()).flat_map(|message| [(message, 0), (message, 1)]).collect();
        let mut begun = vec![false; sizes.len()];
        let mut expected = Vec::new();
        for index in order {
            let (message, fragment) = all[index.index(all.len())];
            receive(&mut receiver, NOW, &messages[message][fragment]);
            if fragment == 0 {
                begun[message] = true;
            } else if std::mem::take(&mut begun[message]) {
                expected.push(sizes[message]);
            }
        }
        for size in expected {
            let Ok(Read::Done(message)) = receiver.read(NOW, slot, 424) else { panic!("a message is missing") };
            prop_assert_eq!(message.data, (0..size).map(|at| at as u8).collect::<Vec<u8>>());
        }
        prop_assert_eq!(receiver.info(slot).unwrap().message_count, 0);
    }
}
