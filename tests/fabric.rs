//! The fabric as a part of its own: where datagrams go, what their duplicates are called, and that nothing but its
//! arguments matters.

use std::collections::BTreeMap;
use std::rc::Rc;

use mailslot_sim::id::{DatagramId, HostId, LinkId};
use mailslot_sim::link::{Config, Delay, Distribution, Loss, Probability};
use mailslot_sim::net::{Builder, Carrier, Fabric, Flight, Topology, Way};
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};

/// Three hosts on the segment `s` and one on `t`, which a router R joins; every link is like `link`.
fn network(link: Config) -> Topology {
    let mut builder = Builder::default();
    let [s, t] = ["s", "t"].map(|name| builder.segment(name).unwrap());
    for (name, segment) in [("A", s), ("B", s), ("C", s), ("D", t)] {
        builder.host(name, segment, link.clone(), link.clone()).unwrap();
    }
    builder.router("R", &[s, t], link);
    builder.build().unwrap()
}

const A: HostId = HostId(0);
const B: HostId = HostId(1);
const C: HostId = HostId(2);
const D: HostId = HostId(3);

/// Keeps the flights that are on a link, and writes down what happens. The cargo of a single flight of a broadcast says
/// whom it is for.
struct Diary<'a> {
    topology: &'a Topology,
    now: Instant,
    on_links: BTreeMap<(Instant, usize), Flight<String>>,
    carried: usize,
    entries: Vec<String>,
    arrived: Vec<Flight<String>>,
}

impl Diary<'_> {
    fn name(&self, host: HostId) -> &str {
        &self.topology.host(host).name
    }

    fn note(&mut self, flight: &Flight<String>, link: LinkId, what: &str) {
        let link = &self.topology.links()[link.index()].name;
        self.entries.push(format!("{} {link} {what} {}", self.now.nanos(), flight.id().duplicate));
    }
}

impl Carrier<String> for Diary<'_> {
    fn offered(&mut self, flight: &Flight<String>, link: LinkId) {
        self.note(flight, link, "offered");
    }

    fn lost(&mut self, flight: &Flight<String>, link: LinkId) {
        self.note(flight, link, "lost");
    }

    fn corrupted(&mut self, flight: &Flight<String>, link: LinkId) {
        self.note(flight, link, "corrupted");
    }

    fn duplicated(&mut self, flight: &Flight<String>, link: LinkId) {
        self.note(flight, link, "duplicated");
    }

    fn cargo_towards(&mut self, broadcast: &Flight<String>, host: HostId) -> String {
        format!("{} for {}", broadcast.cargo(), self.name(host))
    }

    fn spread(&mut self, broadcast: &Flight<String>, singles: &[(HostId, String)]) {
        let cargoes: Vec<&str> = singles.iter().map(|(_, cargo)| cargo.as_str()).collect();
        self.entries.push(format!("{} {}: {}", self.now.nanos(), broadcast.cargo(), cargoes.join(", ")));
    }

    fn carry(&mut self, at: Instant, flight: Flight<String>) {
        assert!(at > self.now);
        self.on_links.insert((at, self.carried), flight);
        self.carried += 1;
    }

    fn arrive(&mut self, host: HostId, flight: Flight<String>) {
        assert_eq!(flight.to(), Some(host));
        self.entries.push(format!("{} at {}", self.now.nanos(), self.name(host)));
        self.arrived.push(flight);
    }
}

/// What happens to one datagram of A, and what arrives.
fn send(link: Config, to: Option<HostId>, seed: u64) -> (Vec<String>, Vec<Flight<String>>) {
    let topology = network(link);
    let mut fabric = Fabric::new(&topology, Root { seed, replication: 0 });
    let mut diary = Diary {
        topology: &topology,
        now: Instant::ZERO,
        on_links: BTreeMap::new(),
        carried: 0,
        entries: Vec::new(),
        arrived: Vec::new(),
    };
    let id = DatagramId::new(1, 2);
    let way = to.map_or(Way::broadcast(0), |to| topology.route(A, to).unwrap());
    let flight = Flight::new(Rc::from([7; 100]), id, A, way, "a letter".to_owned());
    fabric.depart(&topology, Instant::ZERO, flight, &mut diary);
    while let Some(((at, _), flight)) = diary.on_links.pop_first() {
        diary.now = at;
        fabric.proceed(&topology, at, flight, &mut diary);
    }
    let carried: u64 = fabric.links().iter().map(|link| link.counters().offered).sum();
    assert_eq!(carried, diary.entries.iter().filter(|entry| entry.contains("offered")).count() as u64);
    (diary.entries, diary.arrived)
}

fn delayed() -> Config {
    let distribution = Distribution::Constant(Duration::from_nanos(5));
    Config { delay: Delay { distribution, ..Delay::NONE }, ..Config::PERFECT }
}

#[test]
fn a_unicast_goes_up_across_and_down() {
    let (entries, arrived) = send(delayed(), Some(D), 1);
    assert_eq!(entries, ["0 s/A/up offered 0", "5 R/s>t offered 0", "10 t/D/down offered 0", "15 at D"]);
    assert_eq!(arrived[0].hop(), 3);
    assert_eq!(arrived[0].cargo(), "a letter");
    let (at_once, _) = send(Config::PERFECT, Some(D), 1);
    assert_eq!(at_once, ["0 s/A/up offered 0", "0 R/s>t offered 0", "0 t/D/down offered 0", "0 at D"]);
}

#[test]
fn a_broadcast_reaches_all_others_of_its_segment() {
    let (entries, arrived) = send(delayed(), None, 1);
    let spread = "5 a letter: a letter for B, a letter for C";
    let down = ["5 s/B/down offered 0", "5 s/C/down offered 0", "10 at B", "10 at C"];
    assert_eq!(entries, [&["0 s/A/up offered 0", spread][..], &down].concat());
    let cargoes: Vec<_> = arrived.iter().map(|flight| (flight.to(), flight.cargo().as_str())).collect();
    assert_eq!(cargoes, [(Some(B), "a letter for B"), (Some(C), "a letter for C")]);
    assert!(arrived.iter().all(Flight::is_broadcast));
}

/// The path of links that made it: one bit for each hop.
#[test]
fn a_duplicate_is_named_by_the_hops_that_made_it() {
    let twice = Config { duplicate: Probability::ALWAYS, ..Config::PERFECT };
    let (_, arrived) = send(twice, Some(B), 1);
    let duplicates: Vec<u32> = arrived.iter().map(|flight| flight.id().duplicate).collect();
    assert_eq!(duplicates, [0b00, 0b10, 0b01, 0b11]);
    assert!(arrived.iter().all(|flight| flight.id().message == 2));
}

#[test]
fn damage_keeps_the_bytes_that_were_sent() {
    let corrupting = Config { corrupt: Probability::ALWAYS, udp_checksum: false, ..Config::PERFECT };
    let (_, arrived) = send(corrupting, Some(B), 1);
    let damage = arrived[0].damage().unwrap();
    assert_eq!(*damage.original, [7; 100]);
    assert_ne!(damage.original, *arrived[0].payload());
    assert!(!damage.is_checked);
}

#[test]
fn the_same_seed_gives_the_same() {
    let half = Probability::new(0.5).unwrap();
    let distribution = Distribution::Uniform { min: Duration::ZERO, max: Duration::from_nanos(1_000) };
    let delay = Delay { distribution, ..Delay::NONE };
    let bad = Config { loss: Loss::Independent(half), delay, duplicate: half, corrupt: half, ..Config::PERFECT };
    let runs: Vec<_> = (0..50).map(|seed| send(bad.clone(), None, seed).0).collect();
    assert_eq!(runs, (0..50).map(|seed| send(bad.clone(), None, seed).0).collect::<Vec<_>>());
    assert!(runs.iter().any(|run| *run != runs[0]));
}
