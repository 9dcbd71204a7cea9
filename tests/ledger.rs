//! The ledger by itself, fed with events by hand: precedence of fates, loss periods, reordering.

use mailslot_sim::id::{FlowId, HostId, LinkId, StreamId};
use mailslot_sim::stats::{
    Bound, Event, Fate, FlowTally, Instance, Ledger, Observer, Proportion, Reason, Sent, StreamLayout, TargetLayout,
    Write,
};
use mailslot_sim::time::{Duration, Instant};
use proptest::prelude::*;

const STREAM: StreamId = StreamId(0);
const LINK: LinkId = LinkId(0);
const HOST: HostId = HostId(1);

/// A ledger for one sender with an audience of `recipients`.
fn ledger(recipients: u32) -> Ledger {
    let targets = vec![TargetLayout { audience: (0..recipients).collect(), unreachable: Vec::new(), sender: None }];
    Ledger::new(
        vec![StreamLayout {
            flow: FlowId(0),
            sender: HostId(0),
            recipients: (1..=recipients).map(HostId).collect(),
            targets,
            parts: Vec::new(),
            is_acknowledged: false,
        }],
        1,
        2,
        Vec::new(),
    )
}

fn tell(ledger: &mut Ledger, event: Event<'_>) {
    ledger.observe(Instant::ZERO, &event);
}

fn instance(message: u64, copy: u16, bound: Bound) -> Instance {
    Instance {
        stream: STREAM,
        message,
        identity: [0, message],
        copy,
        packet: 0,
        duplicate: 0,
        fragment: 0,
        interfaces: [0; 2],
        bound,
    }
}

/// An instance for the only recipient.
fn single(message: u64, copy: u16) -> Instance {
    instance(message, copy, Bound::Recipient(0))
}

/// A successful write whose datagram is bound for `network`.
fn write(ledger: &mut Ledger, message: u64, copy: u16, copies_left: u16, network: Option<Bound>) {
    let packets: Vec<Bound> = network.into_iter().collect();
    let result = Ok(Sent { packets: &packets, own: None, without_own: Fate::NoSuchMailslot });
    tell(
        ledger,
        Event::Write(Write {
            stream: STREAM,
            message,
            copy,
            copies_left,
            to: 0,
            target: 0,
            bytes: 1,
            called: Instant::ZERO,
            result,
        }),
    );
}

fn write_one(ledger: &mut Ledger, message: u64) {
    write(ledger, message, 0, 0, Some(Bound::Recipient(0)));
}

fn lost(ledger: &mut Ledger, instance: Instance, links_passed: u8, fate: Fate) {
    tell(ledger, Event::Lost { instance, link: LINK, fate, links_passed });
}

fn discarded(ledger: &mut Ledger, instance: Instance, reason: Reason, fate: Fate) {
    tell(ledger, Event::Discarded { instance, host: HOST, reason, fate });
}

fn read(ledger: &mut Ledger, instance: Instance) {
    tell(ledger, Event::Enqueued { instance, host: HOST });
    tell(ledger, Event::Read { instance, host: HOST, delay: Duration::from_millis(1), damaged: false });
}

fn finish(ledger: Ledger) -> FlowTally {
    ledger.finish().flows.remove(0)
}

/// The only fate of the only message.
fn fate(ledger: Ledger) -> Fate {
    let tally = finish(ledger);
    assert_eq!(tally.addressed, 1);
    *Fate::ALL.iter().find(|fate| tally.fate(**fate) == 1).unwrap()
}

#[test]
fn the_instance_that_got_furthest_gives_the_fate() {
    type End = fn(&mut Ledger, Instance);
    let ends: [(End, Fate); 7] = [
        (|ledger, it| lost(ledger, it, 0, Fate::LostInPartition), Fate::LostInPartition),
        (|ledger, it| lost(ledger, it, 1, Fate::LostOnLink), Fate::LostOnLink),
        (
            |ledger, it| tell(ledger, Event::Left { instance: it, fate: Fate::InFlight, links_passed: 2 }),
            Fate::InFlight,
        ),
        (|ledger, it| discarded(ledger, it, Reason::Malformed, Fate::Corrupted), Fate::Corrupted),
        (|ledger, it| discarded(ledger, it, Reason::SlotFull, Fate::SlotFull), Fate::SlotFull),
        (|ledger, it| tell(ledger, Event::Left { instance: it, fate: Fate::Unread, links_passed: 0 }), Fate::Unread),
        (read, Fate::Delivered),
    ];
    for (a, (end_a, fate_a)) in ends.iter().enumerate() {
        for (b, (end_b, fate_b)) in ends.iter().enumerate() {
            let mut ledger = ledger(1);
            write(&mut ledger, 0, 0, 1, Some(Bound::Recipient(0)));
            write(&mut ledger, 0, 1, 0, Some(Bound::Recipient(0)));
            end_a(&mut ledger, single(0, 0));
            end_b(&mut ledger, single(0, 1));
            assert_eq!(fate(ledger), if a >= b { *fate_a } else { *fate_b }, "{fate_a:?} and {fate_b:?}");
        }
    }
}

#[test]
fn of_instances_that_got_equally_far_the_earlier_write_counts() {
    for first_to_end in [0, 1] {
        let mut ledger = ledger(1);
        write(&mut ledger, 0, 0, 1, Some(Bound::Recipient(0)));
        write(&mut ledger, 0, 1, 0, Some(Bound::Recipient(0)));
        for copy in [first_to_end, 1 - first_to_end] {
            let fate = if copy == 0 { Fate::LostInQueue } else { Fate::LostOnLink };
            lost(&mut ledger, single(0, copy), 1, fate);
        }
        assert_eq!(fate(ledger), Fate::LostInQueue);
    }
}

#[test]
fn a_message_is_open_until_its_last_write_is_done() {
    let mut ledger = ledger(1);
    write(&mut ledger, 0, 0, 2, Some(Bound::Recipient(0)));
    lost(&mut ledger, single(0, 0), 0, Fate::LostOnLink);
    let failed = Write {
        stream: STREAM,
        message: 0,
        copy: 1,
        copies_left: 1,
        to: 0,
        target: 0,
        bytes: 1,
        called: Instant::ZERO,
        result: Err(53),
    };
    tell(&mut ledger, Event::Write(failed));
    write(&mut ledger, 0, 2, 0, Some(Bound::Recipient(0)));
    read(&mut ledger, single(0, 2));
    let tally = finish(ledger);
    assert_eq!((tally.messages, tally.writes, tally.succeeded, tally.failed[&53]), (1, 3, 2, 1));
    assert_eq!((tally.addressed, tally.fate(Fate::Delivered)), (1, 1));
}

#[test]
fn a_broadcast_is_lost_for_all_or_spreads_to_each() {
    let mut ledger = ledger(3);
    for message in 0..2 {
        write(&mut ledger, message, 0, 0, Some(Bound::Audience));
    }
    lost(&mut ledger, instance(0, 0, Bound::Audience), 0, Fate::LostOnLink);
    tell(&mut ledger, Event::Spread { instance: instance(1, 0, Bound::Audience), recipients: &[0, 1, 2] });
    read(&mut ledger, instance(1, 0, Bound::Recipient(0)));
    lost(&mut ledger, instance(1, 0, Bound::Recipient(1)), 1, Fate::LostOnLink);
    read(&mut ledger, instance(1, 0, Bound::Recipient(2)));
    let tally = finish(ledger);
    assert_eq!((tally.all, tally.some, tally.none), (0, 1, 1));
    assert_eq!((tally.by_count, tally.audience_size), (vec![1, 0, 1, 0], 3));
}

#[test]
fn later_acceptances_are_duplicates_and_count_nothing_else() {
    let mut ledger = ledger(1);
    write_one(&mut ledger, 0);
    tell(&mut ledger, Event::Duplicated { instance: single(0, 0), duplicate: 1, link: LINK });
    read(&mut ledger, single(0, 0));
    read(&mut ledger, Instance { duplicate: 1, ..single(0, 0) });
    let tally = finish(ledger);
    assert_eq!((tally.duplicates, tally.fate(Fate::Delivered), tally.delays.n()), (1, 1, 1));
}

#[test]
#[should_panic(expected = "every message has a fate")]
fn a_message_without_fate_is_found() {
    let mut ledger = ledger(1);
    write_one(&mut ledger, 0);
    let _ = ledger.finish();
}

/// Messages of which these copies arrive in this order, the others lost: (reordered, received, greatest extent).
fn reordering(arrivals: &[u64]) -> (u64, u64, u64) {
    let mut ledger = ledger(1);
    let last = *arrivals.iter().max().unwrap();
    (0..=last).for_each(|message| write_one(&mut ledger, message));
    let copy = |position: usize| arrivals[..position].iter().filter(|earlier| **earlier == arrivals[position]).count();
    for (position, &message) in arrivals.iter().enumerate().filter(|(position, _)| copy(*position) > 0) {
        let duplicate = copy(position) as u32 - 1;
        tell(
            &mut ledger,
            Event::Duplicated {
                instance: Instance { duplicate, ..single(message, 0) },
                duplicate: duplicate | 1 << 4,
                link: LINK,
            },
        );
    }
    for message in (0..=last).filter(|message| !arrivals.contains(message)) {
        lost(&mut ledger, single(message, 0), 0, Fate::LostOnLink);
    }
    for (position, &message) in arrivals.iter().enumerate() {
        read(&mut ledger, Instance { duplicate: copy(position) as u32, ..single(message, 0) });
    }
    let tally = finish(ledger);
    let Proportion { k, n } = tally.reordered_ratio();
    (k, n, tally.reorder_extent)
}

/// The definitions of RFC 4737 (sections 3.3 and 4.2.3) on arrival orders worked out by hand.
#[test]
fn reordering_is_that_of_rfc_4737() {
    assert_eq!(reordering(&[1, 2, 3, 4, 5]), (0, 5, 0));
    assert_eq!(reordering(&[1, 2, 3, 7, 4, 5, 6, 8]), (3, 8, 3), "7 is early: 4, 5 and 6 are late by 1, 2 and 3");
    assert_eq!(reordering(&[1, 2, 4, 5, 6, 3, 7]), (1, 7, 3), "3 is late by the three that overtook it");
    assert_eq!(reordering(&[1, 3, 5, 7]), (0, 4, 0), "gaps are loss, not reordering");
}

/// Every arrival order that RFC 4737 gives as an example, with the reordered packets in it and the extents that the RFC
/// says they have: after each arrival, as many are counted as came, and the greatest of their extents is there.
#[test]
fn the_examples_of_rfc_4737() {
    type Example<'a> = (&'a str, &'a [u64], &'a [(u64, u64)]);
    let examples: [Example<'_>; 7] = [
        ("7.1, table 1", &[1, 2, 3, 5, 6, 7, 8, 4, 9, 10], &[(4, 4)]),
        ("7.2, table 2", &[1, 2, 3, 4, 7, 5, 6, 8, 9, 10], &[(5, 1), (6, 2)]),
        ("7.3, table 3", &[1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11], &[(4, 4), (5, 5), (6, 6)]),
        ("7.4, table 4", &[1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 12, 13, 11, 14, 15, 16], &[(4, 2), (5, 3), (11, 2)]),
        // The extent of 11 alone: the packets may be a subset of a larger stream (4.2.4), here those behind 7.
        ("7.4, table 4, its second half", &[8, 9, 10, 12, 13, 11, 14, 15, 16], &[(11, 2)]),
        // By 4.2.3; the text names those that are reordered.
        ("5.3", &[1, 2, 3, 7, 8, 9, 4, 5, 6], &[(4, 3), (5, 4), (6, 5)]),
        ("4.3.4, the others lost", &[1, 10, 5], &[(5, 1)]),
    ];
    for (section, arrivals, reordered) in examples {
        for end in 1..=arrivals.len() {
            let came = || reordered.iter().filter(|(packet, _)| arrivals[..end].contains(packet));
            let greatest = came().map(|(_, extent)| *extent).max().unwrap_or(0);
            let expected = (came().count() as u64, end as u64, greatest);
            assert_eq!(reordering(&arrivals[..end]), expected, "section {section}, {end} arrivals");
        }
    }
}

/// RFC 4737 3.6: of copies, only the first to arrive is considered. Table 1 with copies before, behind and far behind
/// the packet that is reordered.
#[test]
fn copies_are_not_reordered() {
    assert_eq!(reordering(&[1, 2, 2, 3, 5, 6, 5, 7, 8, 5, 4, 9, 4, 10, 1]), (1, 10, 4));
}

proptest! {
    /// Any messages lost or delivered, in any order: loss periods run in the order of writing, reordering in that of
    /// arrival, as a plain computation over the whole history says.
    #[test]
    fn periods_and_reordering_are_those_of_the_whole_history(
        order in prop::sample::subsequence((0..40_u64).collect::<Vec<_>>(), 40).prop_shuffle(),
        is_lost in prop::collection::vec(any::<bool>(), 40),
        write_ahead in 1..40_usize,
    ) {
        let mut ledger = ledger(1);
        let mut written = 0;
        for (position, &message) in order.iter().enumerate() {
            while written <= message || (written as usize) < position + write_ahead && written < 40 {
                write_one(&mut ledger, written);
                written += 1;
            }
            if is_lost[message as usize] {
                lost(&mut ledger, single(message, 0), 0, Fate::LostOnLink);
            } else {
                read(&mut ledger, single(message, 0));
            }
        }
        let tally = finish(ledger);

        let periods: Vec<usize> = is_lost.split(|lost| !lost).map(<[bool]>::len).filter(|length| *length > 0).collect();
        prop_assert_eq!(tally.loss_periods.count, periods.len() as u64);
        prop_assert_eq!(tally.loss_periods.messages, periods.iter().sum::<usize>() as u64);
        prop_assert_eq!(tally.loss_periods.max, periods.iter().max().copied().unwrap_or(0) as u64);

        let arrivals: Vec<u64> = order.into_iter().filter(|message| !is_lost[*message as usize]).collect();
        let extents = (0..arrivals.len()).filter_map(|at| {
            let first_greater = arrivals[..at].iter().position(|earlier| *earlier > arrivals[at])?;
            Some((at - first_greater) as u64)
        });
        let extents: Vec<u64> = extents.collect();
        prop_assert_eq!(tally.reordered, extents.len() as u64);
        prop_assert_eq!(tally.reorder_extent, extents.into_iter().max().unwrap_or(0));
    }
}

fn begin(ledger: &mut Ledger, message: u64) {
    tell(ledger, Event::WriteBegun { stream: STREAM, message, to: 0, target: 0, copies_left: 0 });
}

/// Writes that wait for a name return in any order: loss periods follow the order in which they were begun, and what
/// failed was never addressed to anybody.
#[test]
fn writes_that_return_late_keep_their_place() {
    let mut ledger = ledger(1);
    (0..4).for_each(|message| begin(&mut ledger, message));
    write_one(&mut ledger, 3);
    read(&mut ledger, single(3, 0));
    write_one(&mut ledger, 2);
    lost(&mut ledger, single(2, 0), 0, Fate::LostOnLink);
    let failed = Write {
        stream: STREAM,
        message: 1,
        copy: 0,
        copies_left: 0,
        to: 0,
        target: 0,
        bytes: 1,
        called: Instant::ZERO,
        result: Err(53),
    };
    tell(&mut ledger, Event::Write(failed));
    write_one(&mut ledger, 0);
    lost(&mut ledger, single(0, 0), 0, Fate::LostOnLink);
    let tally = finish(ledger);
    assert_eq!((tally.addressed, tally.writes, tally.failed[&53]), (3, 4, 1));
    assert_eq!((tally.fate(Fate::LostOnLink), tally.none, tally.all), (2, 2, 1));
    assert_eq!((tally.loss_periods.count, tally.loss_periods.max), (1, 2), "0 and 2, with nothing delivered between");
}
