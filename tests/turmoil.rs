//! The lossy network under turmoil, for any program and for hosts with mailslots.
#![cfg(feature = "turmoil")]

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration as Std;

use mailslot_sim::drive::turmoil::{Network, UdpSocket, builder};
use mailslot_sim::drive::{Host, Sockets};
use mailslot_sim::id::DatagramId;
use mailslot_sim::link::{Config, Delay, Distribution, GilbertElliott, Link, Loss, Offer, Probability};
use mailslot_sim::mailslot::{self, Machine};
use mailslot_sim::names::Mode;
use mailslot_sim::net::Builder;
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const SEED: u64 = 7;

fn probability(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

fn constant(nanos: u64) -> Config {
    let distribution = Distribution::Constant(Duration::from_nanos(nanos));
    Config { delay: Delay::from_distribution(distribution), ..Config::PERFECT }
}

/// `client` and `server` on one segment; the way up from the client is as said, all else perfect.
fn pair(up: Config) -> Network {
    let mut plan = Builder::default();
    let lan = plan.segment("lan").unwrap();
    plan.host("client", lan, up, Config::PERFECT).unwrap();
    plan.host("server", lan, Config::PERFECT, Config::PERFECT).unwrap();
    Network::new(plan.build().unwrap(), SEED)
}

/// What the server heard: the number in each datagram, whole milliseconds from sending to hearing, and the bytes.
type Heard = Rc<RefCell<Vec<(u32, u128, Vec<u8>)>>>;

/// The server hears for a second of silence what it gets at port 9000.
async fn server(heard: Heard) -> turmoil::Result {
    let socket = UdpSocket::bind("0.0.0.0:9000").await?;
    let mut buffer = [0; 64];
    while let Ok(received) = timeout(Std::from_secs(1), socket.recv_from(&mut buffer)).await {
        let (len, _) = received?;
        let [number, sent] = [0, 4].map(|at| u32::from_be_bytes(buffer[at..at + 4].try_into().unwrap()));
        let now = turmoil::sim_elapsed().unwrap().as_millis();
        heard.borrow_mut().push((number, now.wrapping_sub(u128::from(sent)), buffer[..len].to_vec()));
    }
    Ok(())
}

/// The client sends numbered datagrams, one every `gap` milliseconds, and counts along in the bytes.
async fn client(count: u32, gap: u64) -> turmoil::Result {
    let socket = UdpSocket::bind("0.0.0.0:5000").await?;
    for number in 0..count {
        let sent = turmoil::sim_elapsed().unwrap().as_millis() as u32;
        let bytes = [number.to_be_bytes(), sent.to_be_bytes(), [0xA5; 4]].concat();
        assert_eq!(socket.send_to(&bytes, ("server", 9000)).await?, 12);
        sleep(Std::from_millis(gap)).await;
    }
    Ok(())
}

fn run(network: &Network, count: u32, gap: u64) -> Vec<(u32, u128, Vec<u8>)> {
    let heard = Heard::default();
    let mut sim = builder().simulation_duration(Std::from_secs(600)).build();
    sim.client("server", server(heard.clone()));
    sim.client("client", client(count, gap));
    network.install(&mut sim);
    sim.run().unwrap();
    drop(sim);
    Rc::into_inner(heard).unwrap().into_inner()
}

#[test]
fn a_datagram_arrives_at_the_first_tick_at_or_after_its_time() {
    for (nanos, millis) in [(0, 1), (1, 1), (1_000_000, 1), (1_000_001, 2), (2_300_000, 3), (20_000_000, 20)] {
        let heard = run(&pair(constant(nanos)), 3, 5);
        let delays: Vec<u128> = heard.iter().map(|(_, delay, _)| *delay).collect();
        assert_eq!(delays, [millis; 3], "a delay of {nanos} ns");
    }
}

/// Two links of 0.6 ms are 1.2 ms, not twice a tick.
#[test]
fn only_the_whole_way_is_rounded() {
    let mut plan = Builder::default();
    let segments = ["a", "b", "c"].map(|name| plan.segment(name).unwrap());
    plan.host("client", segments[0], constant(600_000), Config::PERFECT).unwrap();
    plan.host("server", segments[2], Config::PERFECT, constant(600_000)).unwrap();
    plan.router("R", &segments[..2], constant(400_000));
    plan.router("S", &segments[1..], constant(400_000));
    let heard = run(&Network::new(plan.build().unwrap(), SEED), 3, 5);
    assert_eq!(heard.iter().map(|(_, delay, _)| *delay).collect::<Vec<_>>(), [2; 3]);
}

/// 2,000 bytes are four IP fragments over 576: one that is lost loses all, and what comes has all its bytes. Of 1,000
/// datagrams 0.95^4 arrive, within 5 standard errors.
#[test]
fn a_long_datagram_arrives_whole_or_not_at_all() {
    let loss = Loss::Independent(probability(0.05));
    let network = pair(Config { loss, mtu: Some(576), ..constant(2_000_000) });
    let heard = Rc::new(RefCell::new(0));
    let mut sim = builder().simulation_duration(Std::from_secs(600)).build();
    let counter = heard.clone();
    sim.client("server", async move {
        let socket = UdpSocket::bind("0.0.0.0:9000").await?;
        let mut buffer = [0; 3_000];
        while let Ok(received) = timeout(Std::from_secs(1), socket.recv_from(&mut buffer)).await {
            let (len, _) = received?;
            assert!(len == 2_000 && (0..2_000).all(|position| buffer[position] == (position % 251) as u8));
            *counter.borrow_mut() += 1;
        }
        Ok(())
    });
    sim.client("client", async {
        let socket = UdpSocket::bind("0.0.0.0:5000").await?;
        let bytes: Vec<u8> = (0..2_000).map(|position| (position % 251) as u8).collect();
        for _ in 0..1_000 {
            socket.send_to(&bytes, ("server", 9000)).await?;
            sleep(Std::from_millis(5)).await;
        }
        Ok(())
    });
    network.install(&mut sim);
    sim.run().unwrap();
    let [up, down] = ["lan/client/up", "lan/server/down"].map(|link| network.counters(link));
    assert_eq!((up.offered, down.offered), (4_000, 4_000 - up.lost));
    let (heard, p) = (f64::from(*heard.borrow()), 0.95_f64.powi(4));
    assert!((heard - 1_000.0 * p).abs() < 5.0 * (1_000.0 * p * (1.0 - p)).sqrt(), "{heard}");
}

/// The very outcomes that the link's model gives for these datagrams, one by one: loss in bursts, delay, duplicates.
#[test]
fn the_draws_are_those_of_the_links() {
    let [min, max] = [2, 40].map(Duration::from_millis);
    let config = Config {
        loss: Loss::GilbertElliott(GilbertElliott::from_mean_and_burst(probability(0.2), 4.0).unwrap()),
        delay: Delay::from_distribution(Distribution::Uniform { min, max }),
        duplicate: probability(0.1),
        ..Config::PERFECT
    };
    let network = pair(config.clone());
    let heard = run(&network, 2_000, 3);

    let root = Root { seed: SEED, replication: 0 };
    let mut link = Link::new(config, root.link("lan/client/up"));
    let stream_key = root.stream_key("UDP 5000 > server:9000", "client");
    let mut expected = Vec::new();
    for message in 0..2_000 {
        let id = DatagramId::new(stream_key, message);
        let now = Instant::from_nanos((1 + 3 * message) * 1_000_000); // the first tick is the network's
        let offer = Offer { now, id: &id, hop: 0, payload_bytes: 12, ip_bytes: 40, met: None };
        if let Some(carriage) = link.offer(&offer).carriage {
            let delay = |at: Instant| u128::from(at.since(now).nanos().div_ceil(1_000_000));
            expected.push((message as u32, delay(carriage.arrival)));
            expected.extend(carriage.duplicate.map(|at| (message as u32, delay(at))));
        }
    }
    let mut came: Vec<(u32, u128)> = heard.iter().map(|(number, delay, _)| (*number, *delay)).collect();
    assert!(!came.is_sorted(), "some overtook others");
    came.sort_unstable();
    expected.sort_unstable();
    assert_eq!(came, expected);
    assert_eq!(network.counters("lan/client/up"), *link.counters());
}

#[test]
fn flipped_bits_are_found_by_the_checksum_or_delivered() {
    let corrupt = |udp_checksum| Config { corrupt: probability(0.5), udp_checksum, ..Config::PERFECT };
    let network = pair(corrupt(true));
    let heard = run(&network, 400, 1);
    let corrupted = network.counters("lan/client/up").corrupted as usize;
    assert!(corrupted > 100);
    assert_eq!(heard.len(), 400 - corrupted);
    assert!(heard.iter().all(|(_, _, bytes)| bytes[8..] == [0xA5; 4]));
    let network = pair(corrupt(false));
    let heard = run(&network, 400, 1);
    assert_eq!(heard.len(), 400);
    let damaged = heard.iter().filter(|(_, _, bytes)| bytes[8..] != [0xA5; 4]).count();
    assert!(damaged > 20, "{damaged}: about a third of the flips are in these bytes");
}

/// A broadcast stays in its segment; what goes to one host crosses the router.
#[test]
fn broadcasts_reach_the_segment() {
    let mut plan = Builder::default();
    let [here, there] = ["here", "there"].map(|name| plan.segment(name).unwrap());
    for (name, segment) in [("a", here), ("b", here), ("c", here), ("far", there)] {
        plan.host(name, segment, Config::PERFECT, Config::PERFECT).unwrap();
    }
    plan.router("R", &[here, there], Config::PERFECT);
    let network = Network::new(plan.build().unwrap(), SEED);
    let log = Rc::new(RefCell::new(Vec::new()));
    let mut sim = builder().build();
    for name in ["b", "c", "far"] {
        let log = log.clone();
        sim.client(name, async move {
            let socket = UdpSocket::bind("0.0.0.0:9000").await?;
            let mut buffer = [0; 16];
            while let Ok(received) = timeout(Std::from_millis(100), socket.recv_from(&mut buffer)).await {
                let (len, from) = received?;
                assert_eq!((from.ip(), from.port()), (turmoil::lookup("a"), 5000));
                log.borrow_mut().push(format!("{name}: {}", String::from_utf8_lossy(&buffer[..len])));
            }
            Ok(())
        });
    }
    sim.client("a", async {
        let socket = UdpSocket::bind("0.0.0.0:5000").await?;
        let refused = socket.send_to(b"all", (Ipv4Addr::BROADCAST, 9000)).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
        socket.set_broadcast(true)?;
        socket.send_to(b"all", (Ipv4Addr::BROADCAST, 9000)).await?;
        sleep(Std::from_millis(5)).await;
        socket.send_to(b"one", "far:9000").await?;
        socket.send_to(b"nobody", "10.9.9.9:9000").await?;
        Ok(())
    });
    network.install(&mut sim);
    sim.run().unwrap();
    assert_eq!(*log.borrow(), ["b: all", "c: all", "far: one"]);
}

/// The network can be cut and mended while the simulation runs, one-way too.
#[test]
fn partitions_cut_hosts_off() {
    let network = pair(constant(1_000_000));
    let heard = Heard::default();
    let mut sim = builder().build();
    sim.client("server", server(heard.clone()));
    sim.client("client", client(50, 10));
    network.install(&mut sim);
    while !sim.step().unwrap() {
        match sim.elapsed().as_millis() {
            105 => network.partition(&[&["client"], &["server"]]),
            205 => network.heal(),
            305 => network.partition_oneway(&["server"], &["client"]), // nothing goes that way
            405 => network.partition_oneway(&["client"], &["server"]),
            _ => {}
        }
    }
    let numbers: Vec<u32> = heard.borrow().iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (0..=10).chain(21..=40).collect::<Vec<_>>());
}

#[test]
fn sockets_behave_as_those_of_tokio() {
    let mut sim = builder().build();
    let network = pair(Config::PERFECT);
    sim.client("server", async {
        let socket = UdpSocket::bind("0.0.0.0:9000").await?;
        let mut buffer = [0; 4];
        let (len, from) = socket.recv_from(&mut buffer).await?;
        assert_eq!((len, &buffer), (4, b"cut ")); // what does not fit is cut off
        let other = UdpSocket::bind("0.0.0.0:9001").await?;
        other.send_to(b"not from the peer", from).await?;
        socket.send_to(b"pong", from).await?;
        Ok(())
    });
    sim.client("client", async {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        assert_eq!(socket.send(b"?").await.unwrap_err().kind(), std::io::ErrorKind::NotConnected);
        socket.connect("server:9000").await?;
        assert_eq!(socket.try_recv_from(&mut [0; 9]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        socket.send(b"cut off").await?;
        let mut buffer = [0; 32];
        let len = socket.recv(&mut buffer).await?;
        assert_eq!(&buffer[..len], b"pong");
        // To itself, and by the loopback: no link.
        let own = UdpSocket::bind("0.0.0.0:7000").await?;
        for address in ["127.0.0.1:7000", "client:7000"] {
            own.send_to(address.as_bytes(), address).await?;
            let (len, _) = own.recv_from(&mut buffer).await?;
            assert_eq!(&buffer[..len], address.as_bytes());
        }
        let error = own.send_to(&[0; 65_508], "server:1").await.unwrap_err();
        assert!(error.to_string().contains("65507"), "{error}");
        assert!(own.send_to(b"", "server").await.unwrap_err().to_string().contains("HOST:PORT"));
        Ok(())
    });
    network.install(&mut sim);
    sim.run().unwrap();
    assert_eq!(network.counters("lan/client/up").offered, 1);
}

/// What would bend results silently is an error that says what to set.
#[test]
fn settings_that_bend_results_are_refused() {
    fn refusal(settings: impl FnOnce(&mut turmoil::Builder), network_last: bool, burst: u32) -> String {
        let network = pair(Config::PERFECT);
        let mut settings_of = builder();
        settings(&mut settings_of);
        let mut sim = settings_of.build();
        if !network_last {
            network.install(&mut sim);
        }
        sim.client("server", server(Heard::default()));
        sim.client("client", async move {
            let socket = UdpSocket::bind("0.0.0.0:5000").await?;
            for _ in 0..200 {
                for _ in 0..burst {
                    socket.send_to(&[0; 12], ("server", 9000)).await?;
                }
                sleep(Std::from_millis(1)).await;
            }
            Ok(())
        });
        if network_last {
            network.install(&mut sim);
        }
        sim.run().map(|()| "accepted".to_owned()).unwrap_or_else(|error| error.to_string())
    }
    assert_eq!(refusal(|_| {}, true, 1), "accepted");
    let latency = Std::from_millis(3);
    for (what, said) in [
        (
            "latency",
            refusal(
                |b| {
                    let _ = b.max_message_latency(latency).min_message_latency(latency);
                },
                true,
                1,
            ),
        ),
        (
            "tick",
            refusal(
                |b| {
                    let _ = b.tick_duration(Std::from_millis(2));
                },
                true,
                1,
            ),
        ),
        (
            "order",
            refusal(
                |b| {
                    let _ = b.enable_random_order();
                },
                true,
                1,
            ),
        ),
        ("installed first", refusal(|_| {}, false, 1)),
    ] {
        let needed = ["latency and fail_rate must be 0", "tick 1 ms", "installed after all hosts"];
        assert!(needed.iter().all(|needed| said.contains(needed)), "{what}: {said}");
    }
    let said = refusal(
        |b| {
            let _ = b.tick_duration(Std::from_micros(250));
        },
        true,
        1,
    );
    assert!(said.contains("sooner than a tick") && said.contains("tick must be 1 ms"), "{said}");
    let said = refusal(
        |b| {
            let _ = b.fail_rate(0.5);
        },
        true,
        1,
    );
    assert!(said.contains("turmoil lost") && said.contains("between `client` and the network"), "{said}");
    let said = refusal(
        |b| {
            let _ = b.udp_capacity(4);
        },
        true,
        10,
    );
    assert!(said.contains("udp_capacity"), "{said}");
    let silent_reader = {
        let network = pair(Config::PERFECT);
        let mut sim = builder().udp_capacity(4).build();
        sim.client("server", async {
            let socket = UdpSocket::bind("0.0.0.0:9000").await?;
            sleep(Std::from_millis(50)).await;
            loop {
                socket.recv_from(&mut [0; 64]).await?;
            }
        });
        sim.client("client", client(100, 1));
        network.install(&mut sim);
        sim.run().unwrap_err().to_string()
    };
    assert!(silent_reader.contains("queue was full (udp_capacity)"), "{silent_reader}");
    let stranger = {
        let network = pair(Config::PERFECT);
        let mut sim = builder().build();
        sim.client("stranger", client(1, 1));
        network.install(&mut sim);
        sim.run().unwrap_err().to_string()
    };
    assert!(stranger.contains("not one of its hosts"), "{stranger}");
}

/// Why there is a network at all: turmoil's `fail_rate` of 20 % with nothing in flight is p / (1 + p), a sixth, and never
/// two in a row; of 5 % with 50 datagrams in flight it is nearly everything. The bounds are over 5 standard errors of
/// independent losses wide (20,000 datagrams, fixed seed).
#[test]
fn turmoils_own_fail_rate_is_no_loss_rate() {
    let lost = |rate, latency| {
        const COUNT: u32 = 20_000;
        let heard = Rc::new(RefCell::new(Vec::new()));
        let mut sim = turmoil::Builder::new()
            .fail_rate(rate)
            .min_message_latency(latency)
            .max_message_latency(latency)
            .udp_capacity(COUNT as usize)
            .simulation_duration(Std::from_secs(60))
            .rng_seed(SEED)
            .build();
        let hears = heard.clone();
        sim.client("server", async move {
            let socket = turmoil::net::UdpSocket::bind("0.0.0.0:9000").await?;
            let mut number = [0; 4];
            while let Ok(received) = timeout(Std::from_secs(1), socket.recv_from(&mut number)).await {
                received?;
                hears.borrow_mut().push(u32::from_be_bytes(number));
            }
            Ok(())
        });
        sim.client("client", async {
            let socket = turmoil::net::UdpSocket::bind("0.0.0.0:0").await?;
            for number in 0..COUNT {
                socket.send_to(&number.to_be_bytes(), ("server", 9000)).await?;
                sleep(Std::from_millis(1)).await;
            }
            Ok(())
        });
        sim.run().unwrap();
        let heard = heard.borrow();
        let longest = heard.windows(2).map(|pair| pair[1] - pair[0] - 1).max().unwrap_or(COUNT);
        (1.0 - heard.len() as f64 / f64::from(COUNT), longest)
    };
    let (share, longest) = lost(0.2, Std::ZERO);
    assert!((share - 1.0 / 6.0).abs() < 0.02 && longest == 1, "{share}, {longest} in a row");
    let (share, _) = lost(0.05, Std::from_millis(50));
    assert!(share > 0.9, "{share}");
}

/// A host that crashes and comes back binds its sockets anew; what came meanwhile is gone.
#[test]
fn hosts_crash_and_come_back() {
    let network = pair(constant(2_000_000));
    let heard = Heard::default();
    let mut sim = builder().build();
    let inside = heard.clone();
    sim.host("server", move || server(inside.clone()));
    sim.client("client", client(30, 10));
    network.install(&mut sim);
    while !sim.step().unwrap() {
        match sim.elapsed().as_millis() {
            100 => sim.crash("server"),
            200 => sim.bounce("server"),
            _ => {}
        }
    }
    let numbers: Vec<u32> = heard.borrow().iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (0..10).chain(20..30).collect::<Vec<_>>());
}

/// A domain of mailslot hosts under turmoil: names are looked up, a write to the domain reaches all, and the same seed
/// gives the same transcript.
#[test]
fn mailslots_work_over_the_network() {
    fn transcript(seed: u64) -> Vec<String> {
        let mut plan = Builder::default();
        let lan = plan.segment("lan").unwrap();
        let lossy = Config { loss: Loss::Independent(probability(0.3)), ..constant(1_500_000) };
        plan.host("ctrl", lan, Config::PERFECT, Config::PERFECT).unwrap();
        for name in ["press", "belt"] {
            plan.host(name, lan, Config::PERFECT, lossy.clone()).unwrap();
        }
        let network = Network::new(plan.build().unwrap(), seed);
        let log = Rc::new(RefCell::new(Vec::new()));
        let mut sim = builder().build();
        for name in ["press", "belt"] {
            let log = log.clone();
            sim.client(name, async move {
                let slot = host(name).await?.listen(r"\\.\mailslot\alarm")?;
                while let Ok(message) = timeout(Std::from_secs(2), slot.recv()).await {
                    let message = message?;
                    let text = String::from_utf8(message.data)?;
                    log.borrow_mut().push(format!("{name} {} {text}", message.source));
                }
                Ok(())
            });
        }
        sim.client("ctrl", async {
            let host = host("ctrl").await?;
            let all = host.open(r"\\PLANT\mailslot\alarm")?;
            let one = host.open(r"\\PRESS\mailslot\alarm")?;
            for number in 0..20 {
                all.send(format!("all {number}").as_bytes()).await?;
                one.send(format!("one {number}").as_bytes()).await?;
            }
            Ok(())
        });
        network.install(&mut sim);
        sim.run().unwrap();
        drop(sim);
        Rc::into_inner(log).unwrap().into_inner()
    }
    let first = transcript(1);
    assert!(first.len() > 25 && first.len() < 60, "{} of 60 arrived", first.len());
    assert!(
        first.iter().any(|line| line.starts_with("belt CTRL<00> all"))
            && !first.iter().any(|line| line.starts_with("belt CTRL<00> one"))
    );
    assert_eq!(first, transcript(1));
    assert_ne!(first, transcript(2));
}

/// The same on turmoil's own network.
#[test]
fn mailslots_work_over_turmoils_own_sockets() {
    let mut sim = turmoil::Builder::new().build();
    sim.client("press", async {
        let address = own_address("press");
        let machine = Machine::new(mailslot::Config::new("PRESS", "PLANT", address)?, Mode::Broadcast);
        let slot = Host::new(machine, Sockets::bind_plain(address).await?).listen(r"\\.\mailslot\alarm")?;
        assert_eq!(slot.recv().await?.data, b"to press");
        assert_eq!(slot.recv().await?.data, b"to all");
        Ok(())
    });
    sim.client("ctrl", async {
        let address = own_address("ctrl");
        let machine = Machine::new(mailslot::Config::new("CTRL", "PLANT", address)?, Mode::Broadcast);
        let host = Host::new(machine, Sockets::bind_plain(address).await?);
        host.open(r"\\PRESS\mailslot\alarm")?.send(b"to press").await?;
        sleep(Std::from_millis(500)).await;
        host.open(r"\\*\mailslot\alarm")?.send(b"to all").await?;
        sleep(Std::from_millis(500)).await;
        Ok(())
    });
    sim.run().unwrap();
}

fn own_address(name: &str) -> Ipv4Addr {
    let std::net::IpAddr::V4(address) = turmoil::lookup(name) else { panic!("turmoil uses IPv4") };
    address
}

async fn host(name: &str) -> Result<Host<UdpSocket>, Box<dyn std::error::Error>> {
    let address = own_address(name);
    let config = mailslot::Config::new(&name.to_uppercase(), "PLANT", address)?;
    Ok(Host::new(Machine::new(config, Mode::Broadcast), Sockets::bind_simulated(address).await?))
}
