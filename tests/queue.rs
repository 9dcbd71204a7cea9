//! Links with a rate: what is dropped, how long it waits, and where that shows in a run.
//!
//! All seeds are fixed. Each comparison of a mean allows 5 of its standard errors: together they raise a false alarm for
//! fewer than 1 in 100,000 choices of the seeds. The others are exact.

mod support;

use std::num::NonZeroU64;

use mailslot_sim::id::DatagramId;
use mailslot_sim::link::{Bottleneck, Config, Delay, Distribution, Link, Offer, Probability, QueueLimit, Verdict};
use mailslot_sim::rng::{Purpose, Root};
use mailslot_sim::time::{Duration, Instant};
use serde_json::Value;
use support::{Pair, assert_mean, report, trace};

/// Datagrams of 250 bytes take 1 ms.
fn config(queue: QueueLimit) -> Config {
    let rate = NonZeroU64::new(2_000_000).unwrap();
    Config { bottleneck: Some(Bottleneck { rate, queue }), ..Config::PERFECT }
}

const MS: u64 = 1_000_000;

fn link(config: &Config, replication: u32) -> Link {
    Link::new(config.clone(), Root { seed: 11, replication }.link("test"))
}

fn id(message: u64) -> DatagramId {
    DatagramId::new(5, message)
}

fn offer(link: &mut Link, message: u64, at_ns: u64) -> Verdict {
    let (now, id) = (Instant::from_nanos(at_ns), id(message));
    link.offer(&Offer { now, id: &id, hop: 0, payload_bytes: 222, ip_bytes: 250, met: None })
}

/// How long the datagrams that come at these times are on the link; `None` for those that are dropped.
fn times(link: &mut Link, arrivals: impl Iterator<Item = u64>) -> Vec<Option<u64>> {
    let time = |(message, at): (usize, u64)| {
        let verdict = offer(link, message as u64, at);
        assert_eq!(verdict.is_refused, verdict.carriage.is_none());
        verdict.carriage.map(|carriage| carriage.arrival.since(Instant::from_nanos(at)).nanos())
    };
    arrivals.enumerate().map(time).collect()
}

/// Poisson arrivals, so many a millisecond.
fn poisson(replication: u32, per_ms: f64) -> impl Iterator<Item = u64> {
    let draws = Root { seed: 12, replication }.link("arrivals");
    let gap = move |message| -(1.0 - (draws.draw(&id(message), Purpose::Delay) >> 11) as f64 / 2_f64.powi(53)).ln();
    (0..).map(gap).scan(0.0, move |at, gap| {
        *at += gap / per_ms * MS as f64;
        Some(*at as u64)
    })
}

/// A constant rate over what the link carries: it sends without a pause, and what it does not send is dropped.
#[test]
fn a_constant_overload_loses_what_is_over() {
    for (gap, limit) in [(700_000, 20), (990_000, 3), (250_000, 0), (130_000, 500)] {
        let mut link = link(&config(QueueLimit::Datagrams(limit)), 0);
        let n = 50_000;
        let times = times(&mut link, (0..n).map(|message| message * gap));
        let carried = times.iter().flatten().count() as u64;
        let sent = (n - 1) * gap / MS + 1; // begun when the last one comes
        assert!(carried.abs_diff(sent + u64::from(limit)) <= 1, "{carried} of {sent} and a queue of {limit}");
        assert_eq!(link.counters().queue_dropped, n - carried);
        assert_eq!(link.counters().carried, carried);
        let longest = *times.iter().flatten().max().unwrap();
        let full = (u64::from(limit) + 1) * MS;
        assert!(longest <= full && longest + gap.max(MS) > full, "{longest} in a queue of {limit}");
    }
}

#[test]
fn less_than_the_rate_never_waits() {
    let mut link = link(&config(QueueLimit::Datagrams(0)), 0);
    assert!(times(&mut link, (0..1_000).map(|message| message * MS)).iter().all(|time| *time == Some(MS)));
}

/// Erlang's loss formula with one server: for each one that is sent a others come meanwhile, and are lost.
#[test]
fn poisson_arrivals_without_a_queue_are_lost_as_erlang_says() {
    for a in [0.3, 1.0, 2.5] {
        let mut link = link(&config(QueueLimit::Datagrams(0)), 0);
        let times = times(&mut link, poisson(0, a).take(100_000));
        let cycles: Vec<f64> = times.split(Option::is_some).skip(1).map(|dropped| dropped.len() as f64).collect();
        assert_mean("dropped for each that is sent", &cycles[..cycles.len() - 1], a);
    }
}

/// Pollaczek and Khinchine: with room for all, the mean wait is a / (2 (1 - a)) times to send.
#[test]
fn poisson_arrivals_wait_as_pollaczek_and_khinchine_say() {
    for a in [0.3, 0.6] {
        let wait = |replication| {
            let mut link = link(&config(QueueLimit::Bytes(u32::MAX)), replication);
            let times = times(&mut link, poisson(replication, a).take(300));
            let late = &times[200..]; // the link is in its long run by then
            late.iter().map(|time| (time.unwrap() - MS) as f64 / MS as f64).sum::<f64>() / late.len() as f64
        };
        let waits: Vec<f64> = (0..2_000).map(wait).collect();
        assert_mean("wait", &waits, a / (2.0 * (1.0 - a)));
    }
}

/// What waits in the queue is delayed after it: the delay comes on top, and one that is reordered still waits its turn.
#[test]
fn delay_comes_after_the_queue() {
    let delay = Delay::from_distribution(Distribution::Constant(Duration::from_millis(5)));
    let mut link = link(&Config { delay, ..config(QueueLimit::Datagrams(9)) }, 0);
    assert_eq!(times(&mut link, [0, 0, 0].into_iter()), [Some(6 * MS), Some(7 * MS), Some(8 * MS)]);
}

/// An extra copy takes its time and its room, and keeps to the law of the counters where it finds none.
#[test]
fn copies_need_room_too() {
    let duplicate = Probability::ALWAYS;
    let mut link = link(&Config { duplicate, ..config(QueueLimit::Datagrams(2)) }, 0);
    let ms = |millis: u64| Instant::from_nanos(millis * MS);
    let arrivals: Vec<_> = (0..3).map(|message| offer(&mut link, message, 0).carriage).collect();
    let arrivals: Vec<_> = arrivals.iter().flatten().map(|it| (it.arrival, it.duplicate)).collect();
    assert_eq!(arrivals, [(ms(1), Some(ms(2))), (ms(3), None)]);
    let counters = link.counters();
    assert_eq!((counters.offered, counters.duplicated, counters.queue_dropped, counters.carried), (3, 2, 2, 3));
    assert_eq!(counters.carried, counters.offered - counters.lost + counters.duplicated - counters.queue_dropped);
}

/// The fate, the counter of the link and the trace say the same; the sender is told nothing, and there is no theory.
#[test]
fn a_run_shows_what_the_queue_dropped() {
    let up = "rate = \"64 kbit/s\"\nqueue = \"4 datagrams\"";
    let (top, traffic) = ("duration = \"10 s\"", "every = \"10 ms\"\nsize = \"200 B\"");
    let pair = Pair { top, up, traffic, ..Pair::default() };
    let found: Value = report(&pair.scenario(), 0);
    let flow = &found["flows"][0];
    let dropped = flow["fates"]["lost_in_queue"].as_u64().unwrap();
    let link = found["links"].as_array().unwrap().iter().find(|link| link["name"] == "s/A/up").unwrap();
    assert!(dropped > 500, "{dropped}");
    assert_eq!(link["queue_dropped"], dropped);
    assert_eq!(link["carried"].as_u64().unwrap(), link["offered"].as_u64().unwrap() - dropped);
    assert_eq!(flow["sender"]["succeeded"], 1_000);
    assert!(flow["theory"].get("delivery_ratio").is_none());
    assert!(flow["loss_period"]["count"].as_u64().unwrap() > 100, "they count as lost");
    let lines = trace(&pair.scenario());
    let lost =
        lines.iter().filter(|line| line.contains("\"event\":\"lost\"") && line.contains("\"fate\":\"lost_in_queue\""));
    assert_eq!(lost.count() as u64, dropped);
    // Of a message in two packets one is missing then.
    let (sender, traffic) = ("fragments = true", "every = \"10 ms\"\nsize = \"420 B\"");
    let found = report(&Pair { sender, traffic, ..pair }.scenario(), 0);
    let fates = &found["flows"][0]["fates"];
    assert!(fates["lost_fragment"].as_u64().unwrap() > 500 && fates.get("lost_in_queue").is_none(), "{fates}");
}

/// A link with a rate and no queue has netem's default.
#[test]
fn the_default_queue_has_a_thousand_places() {
    let up = "rate = \"1 kbit/s\"";
    let (top, traffic) = ("duration = \"10 s\"", "burst = { size = 1500, every = \"1 min\" }\nsize = \"10 B\"");
    let found = report(&Pair { top, up, traffic, ..Pair::default() }.scenario(), 0);
    assert_eq!(found["flows"][0]["fates"]["lost_in_queue"], 499);
}
