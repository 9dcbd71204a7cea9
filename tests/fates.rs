//! Fates and figures of runs as random as scenario files allow, against a plain computation over the whole history of
//! events.

mod support;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use mailslot_sim::sim;
use mailslot_sim::stats::{Bound, Event, Fate, FlowTally, Instance, Observer, Reason};
use mailslot_sim::time::{Duration, Instant};
use proptest::prelude::*;
use support::{report, scenario};

/// A link, a reader and traffic as random as the scenario file allows.
fn any_scenario() -> impl Strategy<Value = (String, Audience, [u64; 5], u64)> {
    let chance = || (0..=10u32).prop_map(|tenths| format!("\"{} %\"", tenths * 10));
    let loss = prop_oneof![
        chance(),
        (0..=9u32, 10..40u32).prop_map(|(mean, burst)| format!("{{ mean = \"{} %\", burst = {burst} }}", mean * 10)),
        Just("{ gilbert_elliott = { p = 0.2, r = 0.3, loss_good = 0.1, loss_bad = 0.9 } }".to_owned()),
        Just("{ four_state = { p13 = 0.1, p31 = 0.3, p32 = 0.2, p23 = 0.5, p14 = 0.1 } }".to_owned()),
        (1..9u32).prop_map(|every| format!("{{ every = {every} }}")),
        Just("{ pattern = \"../tests/data/losses.txt\" }".to_owned()),
    ];
    let delay = prop_oneof![
        Just("\"0 s\"".to_owned()),
        (0..500u32).prop_map(|ms| format!("\"{ms} ms\"")),
        (0..100u32, 0..30u32, any::<bool>()).prop_map(|(min, more, keep)| format!(
            "{{ distribution = \"uniform\", min = \"{min} ms\", max = \"{} s\", keep_order = {keep} }}",
            more + 1
        )),
        (0..100u32, 0..100u32).prop_map(|(mean, deviation)| format!(
            "{{ distribution = \"normal\", mean = \"{mean} ms\", deviation = \"{deviation} ms\" }}"
        )),
        Just("{ distribution = \"lognormal\", median = \"50 ms\", sigma = 1.5, correlation = 0.5 }".to_owned()),
        Just("{ distribution = \"empirical\", file = \"../tests/data/delays.txt\" }\nreorder = { probability = 0.3, gap = 2 }".to_owned()),
    ];
    let bottleneck = prop_oneof![
        2 => Just(String::new()),
        1 => (5..100u32, 0..9u32).prop_map(|(rate, queue)| format!("rate = \"{rate} kbit/s\"\nqueue = \"{queue} datagrams\"")),
    ];
    let harm = (loss, chance(), chance(), any::<bool>()).prop_map(|(loss, duplicate, corrupt, checksum)| {
        format!("loss = {loss}\nduplicate = {duplicate}\ncorrupt = {corrupt}\nudp_checksum = {checksum}")
    });
    let mtu = prop_oneof![
        3 => Just(String::new()),
        1 => (68..600u32).prop_map(|mtu| format!("mtu = \"{mtu} B\"")),
    ];
    let link = (harm, delay, bottleneck, mtu)
        .prop_map(|(harm, delay, bottleneck, mtu)| format!("{harm}\ndelay = {delay}\n{bottleneck}\n{mtu}"));
    let reader = prop_oneof![
        Just("reader = \"wait\""),
        Just("reader = \"never\""),
        Just("reader = \"never\"\nqueue_limit = 2"),
        Just("reader = { poll = \"300 ms\" }"),
        Just("reader = { service_time = \"2 s\" }\nqueue_limit = 3"),
        Just("max_message_size = \"100 B\""),
    ];
    let arrivals = prop_oneof![
        Just("every = \"90 ms\""),
        Just("poisson = \"10 /s\""),
        Just("burst = { size = 7, every = \"1 s\" }"),
        Just("at = [\"1 s\", \"1 s\", \"9 s\"]"),
    ];
    let target = prop_oneof![
        Just(r"\\DOM\mailslot\t"),
        Just(r"\\*\mailslot\t"),
        Just(r"\\DOM<1C>\mailslot\t"),
        Just(r"\\H2\mailslot\t"),
        Just(r"\\.\mailslot\t"),
        Just(r"\\FAR1\mailslot\t")
    ];
    let links = (link.clone(), link.clone(), link);
    let switches = (1..3u8, 1..3u8, any::<bool>()).prop_map(|(near, far, split)| {
        (format!("transports = {near}\nfragments = {split}"), format!("transports = {far}"))
    });
    let copies = prop_oneof![
        3 => Just(""),
        1 => Just("copies = 3\nspacing = \"150 ms\""),
        1 => Just("copies = 2"),
        2 => Just("ack = { slot = 'acks', timeout = \"150 ms\", tries = 3 }")
    ];
    let names = prop_oneof![2 => Just("static"), 1 => Just("broadcast"), 1 => Just("wins")];
    // In half seconds: two phases that follow each other, and one by itself.
    let borders = prop::sample::subsequence((0..=20).collect::<Vec<u64>>(), 5);
    let borders = borders.prop_map(|borders| <[u64; 5]>::try_from(borders).unwrap().map(|border| border * 500));
    let all = (links, reader, (arrivals, copies), target, (switches, names), borders, any::<u64>());
    all.prop_map(|((up, down, wan), reader, (arrivals, copies), target, ((near, far), names), borders, seed)| {
        let [a, b, c, d, e] = borders;
        let shortest = if copies.starts_with("ack") { 20 } else { 0 };
        let text = format!(
            r#"
            schema = 1
            name = "any"
            duration = "10 s"
            drain = "3 s"
            name_service = "{names}"
            [link.up]
            {up}
            [link.down]
            {down}
            [link.wan]
            {wan}
            [segment.near]
            link = {{ up = "up", down = "down" }}
            [segment.far]
            link = {{ up = "up", down = "down" }}
            [[router]]
            name = "R"
            joins = ["near", "far"]
            link = "wan"
            [[host]]
            name = "H{{1..4}}"
            domain = "DOM"
            segment = "near"
            datagram_errors = true
            names = ["DOM<1C>"]
            {near}
            [[host]]
            name = "FAR{{1..2}}"
            domain = "DOM"
            segment = "far"
            names = ["DOM<1C>"]
            {far}
            wins = true
            [[mailslot]]
            on = '\\DOM'
            name = "t"
            {reader}
            [[traffic]]
            name = "f"
            from = "H{{1..2}}"
            to = '{target}'
            {arrivals}
            {copies}
            size = {{ uniform = ["{shortest} B", "430 B"] }}
            [[phase]]
            name = "late"
            from = "{d} ms"
            to = "{e} ms"
            [[phase]]
            name = "early"
            from = "{a} ms"
            to = "{b} ms"
            [[phase]]
            name = "then"
            from = "{b} ms"
            to = "{c} ms"
            "#
        );
        (text, Audience::of(target, names), borders, seed)
    })
}

/// The hosts of that network, in the order of the file: H1 to H4, then the two behind the router.
const HOSTS: u32 = 6;
const NEAR: u32 = 4;

/// Keeps everything, and looks only in the end.
#[derive(Default)]
struct History {
    /// Of each write: the message, and whether it succeeded.
    writes: Vec<(Message, bool)>,
    /// When each message was first written.
    begun: BTreeMap<Message, Instant>,
    ends: Vec<(Message, End)>,
    accepted: Vec<(Message, u32)>,
    read: Vec<(Message, u32)>,
}

/// Sender and number.
type Message = (u32, u64);

/// How an instance ended: for one recipient, or for all that it could have reached.
#[derive(Clone, Copy)]
struct End {
    recipient: Option<u32>,
    /// Links passed; or more than any, at the host, at the slot, in the slot.
    place: u8,
    copy: u16,
    packet: u16,
    fragment: u16,
    duplicate: u32,
    fate: Fate,
}

const AT_HOST: u8 = 100;
const AT_SLOT: u8 = 101;
const IN_SLOT: u8 = 102;

impl Observer for History {
    fn observe(&mut self, _: Instant, event: &Event<'_>) {
        let (instance, place, fate) = match event {
            Event::Write(write) => {
                let message = (write.stream.0, write.message);
                let begun = self.begun.entry(message).or_insert(write.called);
                *begun = write.called.min(*begun);
                return self.writes.push((message, write.result.is_ok()));
            }
            Event::Enqueued { instance, .. } | Event::Read { instance, .. } => {
                let Bound::Recipient(recipient) = instance.bound else { return };
                let list = if matches!(event, Event::Read { .. }) { &mut self.read } else { &mut self.accepted };
                return list.push(((instance.stream.0, instance.message), recipient));
            }
            Event::Believed { stream, message, recipient } => {
                let message = (stream.0, *message);
                return assert!(self.read.contains(&(message, *recipient)), "a sender believes what is so");
            }
            Event::Lost { instance, fate, links_passed, .. } => (instance, *links_passed, *fate),
            Event::Left { instance, fate: Fate::Unread, .. } => (instance, IN_SLOT, Fate::Unread),
            Event::Left { instance, fate, links_passed } => (instance, *links_passed, *fate),
            Event::Discarded { instance, reason: Reason::SlotFull | Reason::TooLargeForSlot, fate, .. } => {
                (instance, AT_SLOT, *fate)
            }
            Event::Discarded { instance, fate, .. } => (instance, AT_HOST, *fate),
            Event::Misdelivered { instance, .. } => (instance, AT_HOST, Fate::Corrupted),
            _ => return,
        };
        let recipient = match instance.bound {
            Bound::Audience => None,
            Bound::Recipient(recipient) => Some(recipient),
            _ => return,
        };
        let Instance { copy, packet, fragment, duplicate, .. } = *instance;
        let end = End { recipient, place, copy, packet, fragment, duplicate, fate };
        self.ends.push(((instance.stream.0, instance.message), end));
    }
}

/// What a report says that can be worked out from the history.
#[derive(PartialEq, Eq, Debug, Default)]
struct Figures {
    fates: BTreeMap<Fate, u64>,
    by_count: BTreeMap<u64, u64>,
    duplicates: u64,
    reordered: u64,
    greatest_extent: u64,
    loss_periods: Vec<u64>,
}

impl History {
    /// Those of the messages that were first written in a span of time.
    fn figures(&self, audience: &Audience, span: Range<Instant>) -> Figures {
        let counts = |message: &Message| span.contains(&self.begun[message]);
        let succeeded = self.writes.iter().filter(|(_, succeeded)| *succeeded).map(|(message, _)| *message);
        let sent: BTreeSet<Message> = succeeded.filter(counts).collect();
        let mut figures = Figures::default();
        let mut lost: BTreeMap<(u32, u32), Vec<Option<bool>>> = BTreeMap::new();
        for &message in &sent {
            let mut got = 0;
            for recipient in 0..audience.recipients {
                let fate = self.fate(message, recipient, audience);
                *figures.fates.entry(fate).or_default() += 1;
                got += u64::from(fate == Fate::Delivered);
                lost.entry((message.0, recipient)).or_default().push(match fate {
                    Fate::Delivered => Some(false),
                    Fate::LostOnLink | Fate::LostInQueue | Fate::LostFragment | Fate::Corrupted => Some(true),
                    _ => None,
                });
            }
            *figures.by_count.entry(got).or_default() += 1;
        }
        for outcomes in lost.values() {
            let counted: Vec<bool> = outcomes.iter().copied().flatten().collect();
            let periods = counted.split(|lost| !lost).map(|period| period.len() as u64);
            figures.loss_periods.extend(periods.filter(|length| *length > 0));
        }
        let accepted = || self.accepted.iter().filter(|(message, _)| counts(message));
        let firsts: BTreeSet<_> = accepted().collect();
        figures.duplicates = (accepted().count() - firsts.len()) as u64;
        for sender in sent.iter().map(|message| message.0).collect::<BTreeSet<_>>() {
            for recipient in 0..audience.recipients {
                let arrivals = self.first_arrivals(sender, recipient);
                for (at, message) in arrivals.iter().enumerate().filter(|(_, message)| counts(&(sender, **message))) {
                    if let Some(overtaker) = arrivals[..at].iter().position(|earlier| earlier > message) {
                        figures.reordered += 1;
                        figures.greatest_extent = figures.greatest_extent.max((at - overtaker) as u64);
                    }
                }
            }
        }
        figures
    }

    /// Delivered if it was read; else unreachable if there is no way; else as the instance that got furthest ended.
    fn fate(&self, message: Message, recipient: u32, audience: &Audience) -> Fate {
        if self.read.contains(&(message, recipient)) {
            return Fate::Delivered;
        }
        if audience.unreachable.contains(&recipient) {
            return Fate::Unreachable;
        }
        let concerns = |end: &&(Message, End)| end.0 == message && end.1.recipient.is_none_or(|it| it == recipient);
        let ends = self.ends.iter().filter(concerns).map(|(_, end)| *end);
        let furthest = ends.max_by_key(|end| {
            let missed = end.fate == Fate::LostFragment;
            (end.place, Reverse((end.copy, missed, end.packet, end.fragment, end.duplicate)))
        });
        // Where no instance ended, a damaged answer about the name led the message elsewhere.
        furthest.map_or(Fate::Corrupted, |end| end.fate)
    }

    fn first_arrivals(&self, sender: u32, recipient: u32) -> Vec<u64> {
        let mut arrivals = Vec::new();
        for ((from, message), to) in &self.read {
            if (*from, *to) == (sender, recipient) && !arrivals.contains(message) {
                arrivals.push(*message);
            }
        }
        arrivals
    }
}

/// Whom a target addresses, worked out by hand; recipients have the positions of their hosts in the file.
#[derive(Clone, Debug)]
struct Audience {
    recipients: u32,
    unreachable: Vec<u32>,
}

impl Audience {
    fn of(target: &str, name_service: &str) -> Self {
        match target {
            // The name server has a list of them, and routers forward what is sent to each.
            r"\\DOM<1C>\mailslot\t" if name_service == "wins" => {
                Audience { recipients: HOSTS, unreachable: Vec::new() }
            }
            r"\\DOM<1C>\mailslot\t" => Audience { recipients: HOSTS, unreachable: (NEAR..HOSTS).collect() },
            r"\\DOM\mailslot\t" | r"\\*\mailslot\t" => {
                Audience { recipients: HOSTS, unreachable: (NEAR..HOSTS).collect() }
            }
            _ => Audience { recipients: 1, unreachable: Vec::new() },
        }
    }
}

fn assert_same(history: &Figures, counted: &FlowTally) {
    let fates = Fate::ALL.into_iter().map(|fate| (fate, counted.fate(fate))).filter(|(_, count)| *count > 0);
    assert_eq!(history.fates, fates.collect());
    let by_count = (0..).zip(counted.by_count.iter().copied()).filter(|(_, messages)| *messages > 0);
    assert_eq!(history.by_count, by_count.collect());
    assert_eq!(history.duplicates, counted.duplicates);
    assert_eq!((history.reordered, history.greatest_extent), (counted.reordered, counted.reorder_extent));
    let periods = &history.loss_periods;
    let expected = (periods.len() as u64, periods.iter().sum(), periods.iter().max().copied().unwrap_or(0));
    assert_eq!(expected, (counted.loss_periods.count, counted.loss_periods.messages, counted.loss_periods.max));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Every message comes to exactly one fate at every recipient, whatever the network does, and it is the right one;
    /// the report says the same; and the same seed repeats it all.
    #[test]
    fn fates_and_figures_are_those_of_the_whole_history((text, audience, borders, seed) in any_scenario()) {
        let scenario = scenario(&text).with_seed(seed);
        let mut history = History::default();
        let outcome = sim::run(&scenario, 0, &mut history).unwrap();
        let counted = &outcome.tally.flows[0];
        assert_same(&history.figures(&audience, Instant::ZERO..Instant::from_nanos(u64::MAX)), counted);
        let [a, b, c, d, e] = borders.map(|border| Instant::ZERO + Duration::from_millis(border));
        for (phase, counted) in [a..b, b..c, d..e].into_iter().zip(&counted.phases) {
            assert_same(&history.figures(&audience, phase), counted);
        }

        let first = report(&scenario, 0);
        let flow = &first["flows"][0];
        for fate in Fate::ALL {
            prop_assert_eq!(flow["fates"].get(fate.name()).map_or(0, |it| it.as_u64().unwrap()), counted.fate(fate));
        }
        prop_assert_eq!(&flow["audience"]["addressed"], counted.addressed);
        prop_assert_eq!(&flow["delivery_ratio"]["k"], counted.fate(Fate::Delivered));
        prop_assert_eq!(&flow["delay_ns"]["n"], counted.fate(Fate::Delivered));
        prop_assert_eq!(first, report(&scenario, 0));
    }
}
