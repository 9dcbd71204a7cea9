//! Datagrams that are sent on without delay: how many, how far apart, and how they depend on each other.
//!
//! All seeds are fixed. Each comparison of a mean allows 5 of its standard errors; the one of a distribution is chi-squared
//! with a bound of 5 standard deviations (Wilson and Hilferty). All together raise a false alarm for fewer than 1 in
//! 50,000 choices of the seeds.

mod support;

use std::num::NonZeroU32;

use mailslot_sim::id::DatagramId;
use mailslot_sim::link::{Config, Correlation, Delay, Distribution, Link, Offer, Probability, Reorder};
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};
use support::assert_mean;

fn probability(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

fn reorder(p: f64, gap: u32, correlation: f64) -> Reorder {
    let correlation = Correlation::new(probability(correlation));
    Reorder { probability: probability(p), gap: NonZeroU32::new(gap).unwrap(), correlation }
}

fn link(reorder: Reorder, replication: u32) -> Link {
    let delay = Delay::from_distribution(Distribution::Constant(Duration::from_millis(10)));
    Link::new(Config { delay, reorder, ..Config::PERFECT }, Root { seed: 11, replication }.link("test"))
}

/// Which of n datagrams take no time.
fn chosen(reorder: Reorder, replication: u32, n: u64) -> Vec<bool> {
    let mut link = link(reorder, replication);
    let is_chosen = |message| {
        let id = DatagramId::new(5, message);
        let offer = Offer { now: Instant::ZERO, id: &id, hop: 0, payload_bytes: 200, ip_bytes: 228, met: None };
        link.offer(&offer).carriage.unwrap().arrival == Instant::ZERO
    };
    (0..n).map(is_chosen).collect()
}

fn shares(reorder: Reorder, n: u64, figure: impl Fn(&[bool]) -> f64) -> Vec<f64> {
    (0..2_000).map(|replication| figure(&chosen(reorder, replication, n))).collect()
}

fn share(chosen: &[bool]) -> f64 {
    chosen.iter().filter(|chosen| **chosen).count() as f64 / chosen.len() as f64
}

/// From the first datagram on, since links start as they are in the long run.
#[test]
fn so_many_take_no_time_as_the_closed_form_says() {
    for (p, gap) in [(0.25, 1), (0.25, 5), (1.0, 4), (0.02, 30)] {
        let expected = p / (1.0 + p * f64::from(gap - 1));
        for n in [1, 100] {
            let found = shares(reorder(p, gap, 0.0), n, share);
            assert_mean(&format!("{p}, gap {gap}, {n}"), &found, expected);
        }
    }
    assert!(!chosen(Reorder::NONE, 0, 1_000).contains(&true));
    assert!(!chosen(reorder(1.0, 1, 0.5), 0, 1_000).contains(&false));
}

#[test]
fn they_are_a_gap_and_a_geometric_number_apart() {
    let (p, gap) = (0.3, 5);
    let places: Vec<usize> = chosen(reorder(p, gap, 0.0), 0, 200_000)
        .iter()
        .enumerate()
        .filter(|(_, chosen)| **chosen)
        .map(|it| it.0)
        .collect();
    let distances: Vec<usize> = places.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(distances.iter().all(|distance| *distance >= gap as usize));
    let n = distances.len() as f64;
    let mut chi_squared = 0.0;
    const BINS: usize = 12;
    for bin in 0..BINS {
        let is_last = bin == BINS - 1;
        let longer = f64::powi(1.0 - p, bin as i32);
        let expected = n * if is_last { longer } else { longer * p };
        let is_in = |distance: &&usize| if is_last { **distance - 5 >= bin } else { **distance - 5 == bin };
        chi_squared += (distances.iter().filter(is_in).count() as f64 - expected).powi(2) / expected;
    }
    let spread = 2.0 / (9.0 * (BINS - 1) as f64);
    let limit = (BINS - 1) as f64 * (1.0 - spread + 5.0 * spread.sqrt()).powi(3);
    assert!(chi_squared <= limit, "chi-squared {chi_squared}, limit {limit}");
}

/// The share stays, and neighbours are alike as two correlated normal variables are.
#[test]
fn correlated_choices_come_together() {
    for c in [0.3, 0.9] {
        let both = |chosen: &[bool]| {
            chosen.windows(2).filter(|two| two[0] && two[1]).count() as f64 / (chosen.len() - 1) as f64
        };
        let correlated = reorder(0.5, 1, c);
        assert_mean("share", &shares(correlated, 100, share), 0.5);
        let expected = 0.25 + f64::asin(c) / (2.0 * std::f64::consts::PI);
        assert_mean("neighbours", &shares(correlated, 100, both), expected);
    }
    let far = chosen(reorder(0.5, 7, 0.9), 0, 5_000);
    let places: Vec<usize> = (0..far.len()).filter(|place| far[*place]).collect();
    assert!(places.windows(2).all(|two| two[1] - two[0] >= 7), "a gap is kept all the same");
}

/// A network duplicate meets what its original met: where the next that may be chosen is far, it is not chosen either;
/// and it moves nothing.
#[test]
fn network_duplicates_step_nothing() {
    let always = reorder(1.0, 3, 0.0);
    let (mut alone, mut with_duplicates) = (link(always, 0), link(always, 0));
    for message in 0..1_000 {
        let id = |duplicate| DatagramId { duplicate, ..DatagramId::new(5, message) };
        let (original, copy) = (id(0), id(1));
        let offer = |id, met| Offer { now: Instant::ZERO, id, hop: 1, payload_bytes: 200, ip_bytes: 228, met };
        let verdict = with_duplicates.offer(&offer(&original, None));
        assert_eq!(verdict, alone.offer(&offer(&original, None)));
        let duplicate = with_duplicates.offer(&offer(&copy, verdict.met));
        assert_eq!(duplicate.carriage.unwrap().arrival, verdict.carriage.unwrap().arrival);
    }
}
