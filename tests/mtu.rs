//! IP fragmentation: what goes over links that take only so many bytes, and what comes of it at the other end.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::rc::Rc;

use mailslot_sim::id::{DatagramId, HostId, LinkId};
use mailslot_sim::link::{Config, Delay, Distribution, Loss, Periodic, Probability};
use mailslot_sim::net::{Builder, Carrier, Fabric, Flight, REASSEMBLY_TIMEOUT, Topology, Way};
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};
use proptest::prelude::*;
use serde_json::Value;
use support::{Pair, report, trace};

const A: HostId = HostId(0);
const B: HostId = HostId(1);

/// A and B with routers between: the up link of A, a crossing for each further link but the last, the down link of B. C is
/// on B's segment too, by perfect links.
fn line(links: &[Config]) -> Topology {
    let mut builder = Builder::default();
    let segments: Vec<_> = (0..links.len() - 1).map(|number| builder.segment(&format!("s{number}")).unwrap()).collect();
    builder.host("A", segments[0], links[0].clone(), Config::PERFECT).unwrap();
    builder.host("B", segments[segments.len() - 1], Config::PERFECT, links[links.len() - 1].clone()).unwrap();
    builder.host("C", segments[segments.len() - 1], Config::PERFECT, Config::PERFECT).unwrap();
    for (pair, link) in segments.windows(2).zip(&links[1..]) {
        builder.router(&format!("r{}", pair[0].0), pair, link.clone());
    }
    builder.build().unwrap()
}

fn takes(mtu: u16) -> Config {
    Config { mtu: Some(mtu), ..Config::PERFECT }
}

fn delayed(config: Config) -> Config {
    let delay = Delay::from_distribution(Distribution::Constant(Duration::from_nanos(1)));
    Config { delay, ..config }
}

/// Keeps what is on a link, and counts the flights that there are.
#[derive(Default)]
struct Log {
    on_links: Vec<(Instant, Flight<()>)>,
    /// On each link, what was offered: number of the duplicate, fragment and IP bytes.
    offered: BTreeMap<LinkId, Vec<(u32, u16, u32)>>,
    /// Number of the duplicate, and fragment.
    lost: Vec<(u32, u16)>,
    alive: i64,
    arrived: Vec<(HostId, Flight<()>)>,
}

impl Carrier<()> for Log {
    fn offered(&mut self, flight: &Flight<()>, link: LinkId) {
        let DatagramId { duplicate, fragment, .. } = *flight.id();
        self.offered.entry(link).or_default().push((duplicate, fragment, flight.ip_bytes()));
    }

    fn lost(&mut self, flight: &Flight<()>, _: LinkId) {
        self.lost.push((flight.id().duplicate, flight.id().fragment));
        self.alive -= 1;
    }

    fn split(&mut self, flight: &Flight<()>, fragments: u32) {
        assert!(fragments > 1 && flight.ip_bytes() > 68);
        self.alive += i64::from(fragments) - 1;
    }

    fn joined(&mut self, flight: &Flight<()>) {
        assert!(flight.is_fragment());
        self.alive -= 1;
    }

    fn duplicated(&mut self, _: &Flight<()>, _: LinkId) {
        self.alive += 1;
    }

    fn cargo_towards(&mut self, _: &Flight<()>, _: HostId) {}

    fn spread(&mut self, _: &Flight<()>, singles: &[(HostId, ())]) {
        self.alive += singles.len() as i64 - 1;
    }

    fn carry(&mut self, at: Instant, flight: Flight<()>) {
        self.on_links.push((at, flight));
    }

    fn arrive(&mut self, host: HostId, flight: Flight<()>) {
        self.alive -= 1;
        self.arrived.push((host, flight));
    }
}

/// Sends a payload of A over a line of links, and lets everything come to its end.
fn send(links: &[Config], to: Option<HostId>, payload: &[u8], seed: u64) -> (Log, Fabric<()>) {
    let (mut log, topology, mut fabric) = depart(links, to, payload, seed);
    while let Some(next) = (0..log.on_links.len()).min_by_key(|position| log.on_links[*position].0) {
        let (at, flight) = log.on_links.remove(next);
        log.alive -= std::iter::from_fn(|| fabric.pop_overdue(at)).count() as i64;
        fabric.proceed(&topology, at, flight, &mut log);
    }
    (log, fabric)
}

/// Only sends it.
fn depart(links: &[Config], to: Option<HostId>, payload: &[u8], seed: u64) -> (Log, Topology, Fabric<()>) {
    let topology = line(links);
    let mut fabric = Fabric::new(&topology, Root { seed, replication: 0 });
    let mut log = Log { alive: 1, ..Log::default() };
    let way = to.map_or(Way::broadcast(0), |to| topology.route(A, to).unwrap());
    let flight = Flight::new(Rc::from(payload), DatagramId::new(1, 2), A, way, ());
    fabric.depart(&topology, Instant::ZERO, flight, &mut log);
    (log, topology, fabric)
}

/// Bytes that differ from their neighbours.
fn payload(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|position| (position % 251) as u8).collect()
}

/// What the links along the line were offered, without the number of the duplicate.
fn offered(log: &Log) -> Vec<Vec<(u16, u32)>> {
    let of = |offers: &Vec<(u32, u16, u32)>| offers.iter().map(|(_, fragment, bytes)| (*fragment, *bytes)).collect();
    log.offered.values().map(of).collect()
}

/// A message of 424 bytes is an IP datagram of 622: 602 bytes of data, of which 552 fit the first fragment. On a link that
/// takes 296 each is split again, with the header of each.
#[test]
fn fragments_are_split_again_and_put_together_at_the_end() {
    let bytes = payload(622 - 28);
    let (log, _) = send(&[takes(576), takes(296), takes(1_500)], Some(B), &bytes, 1);
    let smaller = vec![(0, 292), (34, 292), (68, 28), (69, 70)];
    let (up, crossing, down) = (LinkId(0), LinkId(6), LinkId(3));
    assert_eq!(log.offered.keys().copied().collect::<Vec<_>>(), [up, down, crossing]);
    assert_eq!(offered(&log), [vec![(0, 572), (69, 70)], smaller.clone(), smaller]);
    let (host, arrived) = &log.arrived[0];
    assert_eq!((*host, &arrived.payload()[..], arrived.hop()), (B, &bytes[..], 3));
    assert!(!arrived.is_fragment() && arrived.ip_bytes() == 622 && *arrived.id() == DatagramId::new(1, 2));
    assert_eq!((log.arrived.len(), log.alive), (1, 0));
}

/// A broadcast is split once, and each fragment goes down to everybody.
#[test]
fn a_broadcast_is_split_on_the_way_up() {
    let bytes = payload(1_000);
    let (log, _) = send(&[takes(576), Config::PERFECT], None, &bytes, 1);
    let both = vec![(0, 572), (69, 476)];
    assert_eq!(offered(&log), [both.clone(), both.clone(), both]);
    assert_eq!(log.arrived.iter().map(|(host, _)| host.0).collect::<Vec<_>>(), [1, 2]);
    assert!(log.arrived.iter().all(|(_, flight)| flight.payload()[..] == bytes));
}

/// Each fragment that a link damages has one flipped bit, in the part that it brings.
#[test]
fn damage_is_that_of_all_fragments() {
    let bytes = payload(1_000);
    let corrupting = |udp_checksum| Config { corrupt: Probability::ALWAYS, udp_checksum, ..takes(576) };
    for (second, is_checked) in [(takes(576), true), (corrupting(false), false)] {
        let (log, _) = send(&[corrupting(true), second.clone()], Some(B), &bytes, 1);
        let arrived = &log.arrived[0].1;
        let damage = arrived.damage().unwrap();
        assert_eq!((&damage.original[..], damage.is_checked), (&bytes[..], is_checked));
        let flips = |range: std::ops::Range<usize>| -> u32 {
            range.map(|byte| (arrived.payload()[byte] ^ bytes[byte]).count_ones()).sum()
        };
        let each = if is_checked { 1 } else { 2 };
        assert_eq!([flips(0..544), flips(544..1_000)], [each, each], "the first has 8 bytes of UDP header");
    }
}

/// Two fragments on their way, for the test to hand over when it likes.
fn two_fragments() -> (Log, Topology, Fabric<()>, [Flight<()>; 2]) {
    let (mut log, topology, mut fabric) = depart(&[takes(576), delayed(Config::PERFECT)], Some(B), &payload(1_000), 1);
    let fragments: Vec<Flight<()>> = log.on_links.drain(..).map(|(_, flight)| flight).collect();
    assert!(fabric.pop_overdue(Instant::from_nanos(u64::MAX)).is_none() && fabric.fragments_waiting() == 0);
    (log, topology, fabric, fragments.try_into().unwrap())
}

#[test]
fn fragments_complete_each_other_in_any_order_and_in_time() {
    let end = Instant::ZERO + REASSEMBLY_TIMEOUT;
    for in_time in [true, false] {
        let (mut log, topology, mut fabric, [first, second]) = two_fragments();
        fabric.proceed(&topology, Instant::ZERO, second, &mut log);
        assert_eq!((fabric.fragments_waiting(), log.arrived.len()), (1, 0));
        let at = if in_time { Instant::from_nanos(end.nanos() - 1) } else { end };
        let given_up = fabric.pop_overdue(at).map(|(at, flight)| (at, flight.id().fragment, flight.to()));
        assert_eq!(given_up, (!in_time).then_some((end, 69, Some(B))));
        fabric.proceed(&topology, at, first, &mut log);
        assert_eq!(log.arrived.len(), usize::from(in_time));
        assert_eq!(fabric.take_incomplete().len(), usize::from(!in_time), "the late one waits anew");
        assert_eq!(fabric.fragments_waiting(), 0);
    }
}

/// A fragment that is there already completes nothing; what comes after the datagram is complete begins another one.
#[test]
fn only_a_whole_second_set_makes_a_second_datagram() {
    let (mut log, topology, mut fabric, [first, second]) = two_fragments();
    for (fragment, waiting, arrived) in [
        (&first, 1, 0),
        (&first, 1, 0),
        (&second, 0, 1),
        (&second, 1, 1),
        (&second, 1, 1),
        (&first, 0, 2),
        (&first, 1, 2),
    ] {
        fabric.proceed(&topology, Instant::ZERO, fragment.clone(), &mut log);
        assert_eq!((fabric.fragments_waiting(), log.arrived.len()), (waiting, arrived));
    }
    let incomplete = fabric.take_incomplete();
    assert_eq!((incomplete.len(), incomplete[0].id().fragment), (1, 0));
}

/// A link whose MTU changes splits a duplicate otherwise than its original: together they are the datagram all the same,
/// and where they overlap the later one counts.
#[test]
fn fragments_that_overlap_fill_the_holes() {
    let bytes = payload(1_000);
    let fragments = |mtu: u16, corrupt: Probability| -> Vec<Flight<()>> {
        let links = [Config { corrupt, ..takes(mtu) }, delayed(Config::PERFECT)];
        let (mut log, ..) = depart(&links, Some(B), &bytes, 1);
        log.on_links.drain(..).map(|(_, flight)| flight).collect()
    };
    let large = fragments(576, Probability::ALWAYS); // 0 to 552 and 552 to 1008 of the data, each with a flipped bit
    let small = fragments(296, Probability::NEVER); // to 272, 544, 816 and 1008
    for set in [[&large[1], &small[0], &small[1], &small[2]], [&large[0], &small[1], &small[3], &small[2]]] {
        let (mut log, topology, mut fabric, _) = two_fragments();
        for (before, fragment) in set.into_iter().enumerate() {
            assert!(log.arrived.is_empty(), "with {before}");
            fabric.proceed(&topology, Instant::ZERO, fragment.clone(), &mut log);
        }
        assert_eq!((log.arrived.len(), fabric.fragments_waiting()), (1, 0));
        let whole = &log.arrived[0].1;
        let restored = small.iter().filter(|fragment| set[1..].iter().any(|taken| taken.id() == fragment.id()));
        assert_eq!(whole.damage().unwrap().original[..], bytes[..]);
        let is_flipped = |byte: &usize| whole.payload()[*byte] != bytes[*byte];
        let flipped: Vec<usize> = (0..1_000).filter(is_flipped).collect();
        let is_restored = |byte: &usize| {
            restored.clone().any(|fragment| {
                let start = usize::from(fragment.id().fragment) * 8;
                (start..start + fragment.ip_bytes() as usize - 20).contains(&(byte + 8))
            })
        };
        assert!(flipped.len() <= 1 && !flipped.iter().any(is_restored), "{flipped:?}");
    }
}

/// The fragments of a network duplicate meet, on a link with memory, what those of its original met, each its own.
#[test]
fn fragments_of_a_duplicate_meet_what_those_of_the_original_met() {
    let doubling = Config { duplicate: Probability::ALWAYS, ..Config::PERFECT };
    let every_third = Config { loss: Loss::Every(Periodic::new(NonZeroU32::new(3).unwrap())), ..takes(296) };
    for seed in 0..20 {
        let (log, _) = send(&[doubling.clone(), every_third.clone()], Some(B), &payload(1_000), seed);
        let of = |number: u32| log.lost.iter().filter(|lost| lost.0 == number).map(|lost| lost.1).collect::<Vec<_>>();
        assert_eq!(of(0), of(1));
        assert!(!of(0).is_empty() && log.arrived.is_empty(), "one of the four at least");
    }
}

/// A line of links with MTUs, and a payload.
fn any_line() -> impl Strategy<Value = (Vec<u16>, usize)> {
    let mtu = prop_oneof![68..200_u16, 68..2_000_u16, Just(u16::MAX)];
    (prop::collection::vec(mtu, 2..6), prop_oneof![0..300_usize, 0..5_000_usize, 65_000..=65_507_usize])
}

proptest! {
    /// On each link: all of the datagram, in pieces that fit it and begin at multiples of 8, one behind the other. At the
    /// end: the same bytes.
    #[test]
    fn links_carry_all_of_it_in_pieces_that_fit((mtus, bytes) in any_line()) {
        let bytes = payload(bytes);
        let links: Vec<Config> = mtus.iter().map(|mtu| delayed(takes(*mtu))).collect();
        let (log, fabric) = send(&links, Some(B), &bytes, 1);
        prop_assert_eq!(log.arrived.len(), 1);
        prop_assert_eq!(&log.arrived[0].1.payload()[..], &bytes[..]);
        prop_assert_eq!((log.alive, fabric.fragments_waiting()), (0, 0));
        let topology = line(&links);
        let mut smallest = u16::MAX;
        for (link, mtu) in topology.path(A, B).unwrap().into_iter().zip(mtus) {
            smallest = smallest.min(mtu);
            let mut end = 0;
            for (_, fragment, ip_bytes) in &log.offered[&link] {
                prop_assert_eq!(u32::from(*fragment) * 8, end);
                prop_assert!(*ip_bytes > 20 && *ip_bytes <= u32::from(smallest));
                end += ip_bytes - 20;
            }
            prop_assert_eq!(end as usize, bytes.len() + 8);
            let counters = fabric.links()[link.index()].counters();
            let offered = &log.offered[&link];
            prop_assert_eq!(counters.bytes, offered.iter().map(|(_, _, bytes)| u64::from(*bytes)).sum::<u64>());
            prop_assert_eq!(counters.carried, offered.len() as u64);
        }
    }

    /// Whatever links do to fragments, each flight comes to one end, no two on a link have the same name, and what arrives
    /// has the bytes that were sent.
    #[test]
    fn every_flight_has_one_end((mtus, bytes) in any_line(), to_all: bool, chance in 0.0..0.6, seed: u64) {
        let chance = Probability::new(chance).unwrap();
        let far = Distribution::Uniform { min: Duration::ZERO, max: Duration::from_secs(100) };
        let link = |mtu: &u16| Config {
            loss: Loss::Independent(Probability::new(chance.value() / 4.0).unwrap()),
            delay: Delay::from_distribution(far.clone()),
            duplicate: chance,
            ..takes((*mtu).max(bytes as u16 / 4)) // a few fragments
        };
        let links: Vec<Config> = mtus.iter().take(4).map(link).collect();
        let bytes = payload(bytes);
        let to = (!to_all).then_some(B);
        let (log, mut fabric) = send(&links, to, &bytes, seed);
        prop_assert_eq!(log.alive, fabric.take_incomplete().len() as i64);
        for offered in log.offered.values() {
            let names: BTreeSet<_> = offered.iter().map(|(duplicate, fragment, _)| (duplicate, fragment)).collect();
            prop_assert_eq!(names.len(), offered.len());
        }
        let arrived: BTreeSet<_> = log.arrived.iter().map(|(host, flight)| (host, flight.id().duplicate)).collect();
        prop_assert_eq!(arrived.len(), log.arrived.len());
        for (_, flight) in &log.arrived {
            prop_assert_eq!((&flight.payload()[..], flight.id().fragment), (&bytes[..], 0));
        }
    }
}

/// A run of messages of one size, one in a second.
fn run(up: &str, down: &str, to: &str, size: u32) -> (Value, Vec<String>) {
    let traffic = &format!("every = \"1 s\"\nsize = \"{size} B\"");
    let pair = Pair { top: "duration = \"300 s\"", up, down, to, traffic, ..Pair::default() };
    (report(&pair.scenario(), 0), trace(&pair.scenario()))
}

const TO_B: &str = r"\\B\mailslot\t";

fn link<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["links"].as_array().unwrap().iter().find(|link| link["name"] == name).unwrap()
}

/// To a slot with a name of 1 to 4 characters 382 bytes go in 576 of IP: 20 + 8 + 14 + 68 + 84 + 382.
#[test]
fn the_border_is_where_the_headers_leave_it() {
    let lossy = "mtu = \"576 B\"\nloss = \"10 %\"";
    for (size, fragments, bytes, fate) in [(382, 1, 576, "lost_on_link"), (383, 2, 577 + 20, "lost_fragment")] {
        let (report, _) = run(lossy, "", TO_B, size);
        let link = link(&report, "s/A/up");
        assert_eq!(link["offered"], 300 * fragments);
        let fates = report["flows"][0]["fates"].as_object().unwrap();
        let lost = fates[fate].as_u64().unwrap();
        assert!(lost >= 10 && fates.len() == 2, "{fates:?}");
        assert_eq!(fates["delivered"], 300 - lost);
        let (report, _) = run("mtu = \"576 B\"", "", TO_B, size);
        assert_eq!(self::link(&report, "s/A/up")["bytes"], 300 * bytes);
        assert_eq!(self::link(&report, "s/B/down")["bytes"], 300 * bytes, "they stay split");
        assert_eq!((&report["hosts"][0]["sent"], &report["hosts"][1]["received"]), (&300.into(), &300.into()));
        assert_eq!(report["flows"][0]["fates"], serde_json::json!({ "delivered": 300 }));
    }
}

/// The trace tells fragments apart by where they begin, and the datagram arrives once, when the last of them does.
#[test]
fn the_trace_shows_fragments() {
    let (_, lines) = run("mtu = \"576 B\"", "delay = \"3 ms\"", TO_B, 400);
    let of_first = lines.iter().filter(|line| line.contains("\"message\":0,"));
    let parts: Vec<String> = of_first
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let link = line["link"].as_str().unwrap_or_default();
            format!("{} {} {link} {} {}", line["t_ns"], line["event"], line["fragment"], line["bytes"])
        })
        .collect();
    let expected = [
        "0 \"write\"  null 400",
        "0 \"offered\" s/A/up null 572",
        "0 \"offered\" s/B/down null 572",
        "0 \"offered\" s/A/up 69 42",
        "0 \"offered\" s/B/down 69 42",
        "3000000 \"arrived\"  null null",
        "3000000 \"enqueued\"  null null",
        "3000000 \"read\"  null null",
    ];
    let (mut found, mut expected) = (parts.clone(), expected.map(String::from).to_vec());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(
        parts[5..],
        ["3000000 \"arrived\"  null null", "3000000 \"enqueued\"  null null", "3000000 \"read\"  null null"]
    );
}

/// A fragment waits for a minute for one that was lost, and is dropped then, whoever else has something to do.
#[test]
fn fragments_wait_a_minute() {
    let (report, lines) = run("mtu = \"576 B\"", "loss = { every = 3 }", TO_B, 400);
    let fates = &report["flows"][0]["fates"];
    let lost = fates["lost_fragment"].as_u64().unwrap();
    assert_eq!((lost, fates["delivered"].as_u64().unwrap()), (200, 100), "two of three messages lose one of two");
    assert_eq!(report["hosts"][1]["discarded"]["missing_fragment"], 200);
    let line = |line: &String| serde_json::from_str::<Value>(line).unwrap();
    let dropped: Vec<Value> = lines.iter().map(line).filter(|line| line["event"] == "discarded").collect();
    assert_eq!(dropped.len(), 200);
    assert!(dropped.iter().all(|line| line["fate"] == "lost_fragment"));
    let after = |line: &Value| line["t_ns"].as_u64().unwrap() - 1_000_000_000 * line["message"].as_u64().unwrap();
    let in_time = dropped.iter().filter(|line| line["t_ns"].as_u64().unwrap() < 300_000_000_000);
    assert!(in_time.clone().count() > 150 && in_time.clone().all(|line| after(line) == 60_000_000_000));
    let times: Vec<u64> = lines.iter().map(|text| line(text)["t_ns"].as_u64().unwrap()).collect();
    assert!(times.is_sorted());
}

/// A datagram of which a part waits and a part is on a link when the run ends is under way; if that part found no room in
/// the queue, it is lost.
#[test]
fn what_waits_for_a_fragment_on_a_link_is_in_flight() {
    for (queue, fate) in [("1 datagrams", "in_flight"), ("0 datagrams", "lost_fragment")] {
        let down = &format!("mtu = \"576 B\"\nrate = \"1 kbit/s\"\nqueue = \"{queue}\""); // 572 bytes take 4.576 s
        let (top, traffic) = ("duration = \"100 s\"\ndrain = \"0 s\"", "at = [\"95 s\"]\nsize = \"424 B\"");
        for to in [TO_B, r"\\*\mailslot\t"] {
            let report = report(&Pair { top, down, to, traffic, ..Pair::default() }.scenario(), 0);
            assert_eq!(report["flows"][0]["fates"], serde_json::json!({ "delivered": 0, fate: 1 }), "{queue} {to}");
        }
    }
}

/// Fragments that wait at a host which goes down are gone with it, and those that come while it is down do not wait.
#[test]
fn a_crash_loses_the_fragments_that_are_there() {
    // 572 bytes take 4.576 s, and the second fragment comes 0.56 s later.
    let down = "mtu = \"576 B\"\nrate = \"1 kbit/s\"";
    for (at, is_up, fate) in
        [("4 s", "4.4 s", "delivered"), ("5 s", "5.1 s", "host_down"), ("5 s", "20 s", "host_down")]
    {
        let crash = format!("[[event]]\nat = \"{at}\"\ncrash = \"B\"\n[[event]]\nat = \"{is_up}\"\nrestart = \"B\"");
        let traffic = &format!("at = [\"0 s\"]\nsize = \"424 B\"\n{crash}");
        let pair = Pair { top: "duration = \"30 s\"\ndrain = \"90 s\"", down, traffic, ..Pair::default() };
        let report = report(&pair.scenario(), 0);
        assert_eq!(report["flows"][0]["fates"][fate], 1, "{at} {is_up}: {}", report["flows"][0]["fates"]);
    }
}

/// Questions about names and their answers are datagrams like others.
#[test]
fn names_are_found_over_links_that_split_every_datagram() {
    let small = "mtu = \"68 B\"";
    let (top, traffic) = ("name_service = \"broadcast\"\nduration = \"10 s\"", "every = \"1 s\"");
    let report = report(&Pair { top, up: small, down: small, traffic, ..Pair::default() }.scenario(), 0);
    assert_eq!(report["flows"][0]["fates"]["delivered"], 10);
    assert!(link(&report, "s/B/up")["offered"].as_u64().unwrap() >= 2, "an answer in fragments");
}
