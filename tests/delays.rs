//! The delays of links against their closed forms: as distributions, and how they depend on each other.
//!
//! All seeds are fixed. A comparison of a distribution is that of Kolmogorov and Smirnov, whose bound independent delays
//! of the right distribution exceed once in 500,000; one of a mean allows 5 of its standard errors. All together raise a
//! false alarm for fewer than 1 in 20,000 choices of the seeds.

mod support;

use mailslot_sim::id::DatagramId;
use mailslot_sim::link::{
    Config, Correlation, Delay, Distribution, Empirical, Exponential, Link, Lognormal, Loss, Offer, Pareto, Probability,
};
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};
use support::assert_mean;

fn link(config: &Config, replication: u32) -> Link {
    Link::new(config.clone(), Root { seed: 11, replication }.link("test"))
}

fn id(message: u64, duplicate: u32) -> DatagramId {
    DatagramId { duplicate, ..DatagramId::new(5, message) }
}

/// The delays of n datagrams in nanoseconds; `None` for one that is lost.
fn all_delays(config: &Config, replication: u32, n: u64) -> Vec<Option<f64>> {
    let mut link = link(config, replication);
    let delay = |message: u64| {
        let now = Instant::ZERO + Duration::from_millis(1) * message;
        let id = id(message, 0);
        let verdict = link.offer(&Offer { now, id: &id, hop: 1, payload_bytes: 200, ip_bytes: 228, met: None });
        verdict.carriage.map(|carriage| carriage.arrival.since(now).nanos() as f64)
    };
    (0..n).map(delay).collect()
}

fn delays(delay: &Delay, replication: u32, n: u64) -> Vec<f64> {
    let config = Config { delay: delay.clone(), ..Config::PERFECT };
    all_delays(&config, replication, n).into_iter().map(|delay| delay.expect("nothing is lost")).collect()
}

fn correlated(distribution: Distribution, coefficient: f64) -> Delay {
    let correlation = Correlation::new(Probability::new(coefficient).unwrap());
    Delay { correlation, ..Delay::from_distribution(distribution) }
}

/// Independent delays against the probability that one is below a time. They are whole nanoseconds, so what is between
/// two of them decides.
fn assert_distribution(what: &str, mut delays: Vec<f64>, below: impl Fn(f64) -> f64) {
    delays.sort_by(f64::total_cmp);
    let n = delays.len() as f64;
    let mut found = 0.0;
    let mut greatest: f64 = 0.0;
    for alike in delays.chunk_by(|a, b| a == b) {
        greatest = greatest.max((found / n - below(alike[0] - 0.5)).abs());
        found += alike.len() as f64;
        greatest = greatest.max((found / n - below(alike[0] + 0.5)).abs());
    }
    let limit = 2.65 / n.sqrt(); // 2 exp(-2 x 2.65^2) = 1.6 in a million
    assert!(greatest <= limit, "{what}: the distributions differ by {greatest}, limit {limit}");
}

const MS: f64 = 1e6;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn normal_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// A distribution, and the probability that a delay is below so many nanoseconds, as its source gives it.
type Known = (&'static str, Distribution, Box<dyn Fn(f64) -> f64>);

fn distributions() -> Vec<Known> {
    let lognormal = |t: f64| if t > 2.0 * MS { normal_below(((t / MS - 2.0) / 8.0).ln() / 0.6) } else { 0.0 };
    let pareto = |t: f64| match t / MS {
        t if t <= 5.0 => 0.0,
        t if t >= 400.0 => 1.0,
        t => (1.0 - (5.0 / t).powf(1.3)) / (1.0 - (5.0_f64 / 400.0).powf(1.3)),
    };
    let measured = [3, 4, 4, 9, 9, 9, 20, 21];
    let empirical = move |t: f64| measured.iter().filter(|time| (**time as f64) * MS < t).count() as f64 / 8.0;
    vec![
        (
            "uniform",
            Distribution::Uniform { min: ms(2), max: ms(8) },
            Box::new(|t| ((t / MS - 2.0) / 6.0).clamp(0.0, 1.0)),
        ),
        (
            "normal",
            Distribution::Normal { mean: ms(4), deviation: ms(3) },
            Box::new(|t| if t < 0.0 { 0.0 } else { normal_below((t / MS - 4.0) / 3.0) }),
        ),
        ("lognormal", Distribution::Lognormal(Lognormal::new(ms(10), 0.6, ms(2)).unwrap()), Box::new(lognormal)),
        (
            "exponential",
            Distribution::Exponential(Exponential::new(ms(2), ms(10)).unwrap()),
            Box::new(|t| if t < 2.0 * MS { 0.0 } else { 1.0 - (-(t / MS - 2.0) / 8.0).exp() }),
        ),
        ("pareto", Distribution::Pareto(Pareto::new(ms(5), 1.3, ms(400)).unwrap()), Box::new(pareto)),
        ("empirical", Distribution::Empirical(Empirical::new(measured.map(ms).to_vec()).unwrap()), Box::new(empirical)),
    ]
}

#[test]
fn delays_have_their_distribution() {
    for (name, distribution, below) in distributions() {
        assert_distribution(name, delays(&Delay::from_distribution(distribution), 0, 200_000), below);
    }
}

/// Whatever the correlation, and wherever in the sequence: that is what the copula is for.
#[test]
fn correlation_leaves_the_distribution_as_it_is() {
    for (name, distribution, below) in distributions() {
        let delay = correlated(distribution, 0.8);
        for position in [0, 6] {
            let one = |replication| delays(&delay, replication, position + 1)[position as usize];
            assert_distribution(&format!("{name}, {position}"), (0..20_000).map(one).collect(), &below);
        }
    }
}

/// The correlation of delays that are `lag` datagrams apart: a value for each of many independent sequences, with the
/// mean and the variance that the distribution has.
fn autocorrelations(delay: &Delay, mean: f64, variance: f64, lag: usize) -> Vec<f64> {
    let of_one = |replication| {
        let delays = delays(delay, replication, 400);
        let products = delays.iter().zip(&delays[lag..]).map(|(a, b)| (a - mean) * (b - mean));
        products.sum::<f64>() / (delays.len() - lag) as f64 / variance
    };
    (0..1_000).map(of_one).collect()
}

#[test]
fn correlation_has_its_closed_form_at_every_distance() {
    let uniform = Distribution::Uniform { min: ms(0), max: ms(12) };
    let normal = Distribution::Normal { mean: ms(100), deviation: ms(5) };
    let s: f64 = 0.5;
    let lognormal = Distribution::Lognormal(Lognormal::new(ms(10), s, ms(0)).unwrap());
    let spread = (s * s).exp();
    for c in [0.25, 0.9] {
        for lag in [1, 3] {
            let rho = f64::powi(c, lag as i32);
            let what = |name| format!("{name}, {c}, {lag}");
            let found = autocorrelations(&correlated(uniform.clone(), c), 6.0 * MS, 12.0 * MS * MS, lag);
            assert_mean(&what("uniform"), &found, 6.0 / std::f64::consts::PI * (rho / 2.0).asin());
            let found = autocorrelations(&correlated(normal.clone(), c), 100.0 * MS, 25.0 * MS * MS, lag);
            assert_mean(&what("normal"), &found, rho);
            let (mean, variance) = (10.0 * MS * spread.sqrt(), 100.0 * MS * MS * spread * (spread - 1.0));
            let found = autocorrelations(&correlated(lognormal.clone(), c), mean, variance, lag);
            assert_mean(&what("lognormal"), &found, ((s * s * rho).exp() - 1.0) / (spread - 1.0));
        }
    }
    let found = autocorrelations(&Delay::from_distribution(normal), 100.0 * MS, 25.0 * MS * MS, 1);
    assert_mean("no correlation", &found, 0.0);
}

/// A datagram that is lost has stepped the correlation all the same: the delays of the others are those that they have
/// without loss.
#[test]
fn what_is_lost_steps_the_correlation_too() {
    let delay = correlated(Distribution::Uniform { min: ms(0), max: ms(9) }, 0.7);
    let carrying = Config { delay, ..Config::PERFECT };
    let losing = Config { loss: Loss::Independent(Probability::new(0.5).unwrap()), ..carrying.clone() };
    let (before, after) = (all_delays(&carrying, 0, 2_000), all_delays(&losing, 0, 2_000));
    let lost = after.iter().filter(|delay| delay.is_none()).count();
    assert!((800..1_200).contains(&lost));
    assert!(before.iter().zip(&after).all(|(before, after)| after.is_none() || after == before));
}

/// A network duplicate is as late as its original would lead one to expect, and steps nothing.
#[test]
fn network_duplicates_meet_the_correlation_of_their_originals() {
    let delay = correlated(Distribution::Normal { mean: ms(100), deviation: ms(5) }, 0.9);
    let config = Config { delay, ..Config::PERFECT };
    let (mut alone, mut with_duplicates) = (link(&config, 0), link(&config, 0));
    let mut products = Vec::new();
    for message in 0..20_000 {
        let (original, copy) = (id(message, 0), id(message, 1));
        let offer = |id, met| Offer { now: Instant::ZERO, id, hop: 1, payload_bytes: 200, ip_bytes: 228, met };
        let verdict = with_duplicates.offer(&offer(&original, None));
        assert_eq!(verdict, alone.offer(&offer(&original, None)));
        let duplicate = with_duplicates.offer(&offer(&copy, verdict.met));
        let score = |arrival: Instant| (arrival.since(Instant::ZERO).nanos() as f64 - 100.0 * MS) / (5.0 * MS);
        let [a, b] = [verdict, duplicate].map(|verdict| score(verdict.carriage.unwrap().arrival));
        if message % 100 == 0 {
            products.push(a * b); // 100 apart they are nearly independent
        }
    }
    assert_mean("original and duplicate", &products, 0.81); // both 0.9 of what came before
}
