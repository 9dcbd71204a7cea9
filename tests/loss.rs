//! The loss models by themselves: how much is lost, and in runs of which length, as a distribution.
//!
//! All seeds are fixed. A comparison of a mean allows 5 standard errors; one of a distribution allows what chi-squared
//! exceeds once in 3 million (by the approximation of Wilson and Hilferty). All together raise a false alarm for fewer
//! than 1 in 50,000 choices of the seeds.

mod support;

use std::num::NonZeroU32;

use mailslot_sim::id::DatagramId;
use mailslot_sim::link::{
    Config, FourState, GilbertElliott, Link, Loss, Memory, Offer, Pattern, Periodic, Probability, Verdict,
};
use mailslot_sim::rng::Root;
use mailslot_sim::time::Instant;
use support::assert_mean;

const N: u64 = 200_000;

fn probability(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

fn link(loss: &Loss, replication: u32) -> Link {
    let config = Config { loss: loss.clone(), ..Config::PERFECT };
    Link::new(config, Root { seed: 11, replication }.link("test"))
}

fn offer(link: &mut Link, message: u64, duplicate: u32, met: Option<Memory>) -> Verdict {
    let id = DatagramId { duplicate, ..DatagramId::new(5, message) };
    link.offer(&Offer { now: Instant::ZERO, id: &id, hop: 1, payload_bytes: 200, ip_bytes: 228, met })
}

/// What a link does with n datagrams: whether it loses each.
fn losses(loss: &Loss, replication: u32, n: u64) -> Vec<bool> {
    let mut link = link(loss, replication);
    (0..n).map(|message| offer(&mut link, message, 0, None).carriage.is_none()).collect()
}

fn gilbert_elliott(p: f64, r: f64, loss_good: f64, loss_bad: f64) -> Loss {
    let [p, r, loss_good, loss_bad] = [p, r, loss_good, loss_bad].map(probability);
    Loss::GilbertElliott(GilbertElliott { p, r, loss_good, loss_bad })
}

fn four_state(p13: f64, p31: f64, p32: f64, p23: f64, p14: f64) -> Loss {
    let [p13, p31, p32, p23, p14] = [p13, p31, p32, p23, p14].map(probability);
    Loss::FourState(FourState::new(p13, p31, p32, p23, p14).unwrap())
}

/// A chain as its source draws it: where it goes from each state, and how often a datagram that meets a state is lost.
struct Chain {
    steps: Vec<Vec<f64>>,
    loss: Vec<f64>,
}

impl Chain {
    fn gilbert_elliott(p: f64, r: f64, loss_good: f64, loss_bad: f64) -> Self {
        Chain { steps: vec![vec![1.0 - p, p], vec![r, 1.0 - r]], loss: vec![loss_good, loss_bad] }
    }

    fn four_state(p13: f64, p31: f64, p32: f64, p23: f64, p14: f64) -> Self {
        let steps = vec![
            vec![1.0 - p13 - p14, 0.0, p13, p14],
            vec![0.0, 1.0 - p23, p23, 0.0],
            vec![p31, p32, 1.0 - p31 - p32, 0.0],
            vec![1.0, 0.0, 0.0, 0.0],
        ];
        Chain { steps, loss: vec![0.0, 0.0, 1.0, 1.0] }
    }

    /// How likely the next states are after `states`.
    fn step(&self, states: &[f64]) -> Vec<f64> {
        let states = || states.iter().zip(&self.steps);
        (0..self.loss.len()).map(|to| states().map(|(share, from)| share * from[to]).sum()).collect()
    }

    /// The long run, by taking many steps from the first state.
    fn stationary(&self) -> Vec<f64> {
        let mut first = vec![0.0; self.loss.len()];
        first[0] = 1.0;
        (0..20_000).fold(first, |states, _| self.step(&states))
    }

    fn mean(&self) -> f64 {
        self.stationary().iter().zip(&self.loss).map(|(share, loss)| share * loss).sum()
    }

    /// How likely runs of losses (or, of datagrams that are carried) of 1, 2, ... are; the last is all that are longer.
    fn runs(&self, lost: bool, longest: usize) -> Vec<f64> {
        let within: Vec<f64> = self.loss.iter().map(|loss| if lost { *loss } else { 1.0 - loss }).collect();
        let only = |states: &[f64], inside: bool| -> Vec<f64> {
            let share = |inside_share: &f64| if inside { *inside_share } else { 1.0 - inside_share };
            states.iter().zip(&within).map(|(state, inside)| state * share(inside)).collect()
        };
        let mut running = only(&self.step(&only(&self.stationary(), false)), true);
        let starts: f64 = running.iter().sum();
        let mut lengths = Vec::new();
        for _ in 0..longest {
            let next = self.step(&running);
            lengths.push(only(&next, false).iter().sum::<f64>() / starts);
            running = only(&next, true);
        }
        lengths.push(1.0 - lengths.iter().sum::<f64>());
        lengths
    }
}

/// The lengths of the runs of `which`, without the first and the last, which may be cut off.
fn lengths(outcomes: &[bool], which: bool) -> Vec<usize> {
    let runs: Vec<&[bool]> = outcomes.chunk_by(|a, b| a == b).collect();
    let whole = &runs[1..runs.len() - 1];
    whole.iter().filter(|run| run[0] == which).map(|run| run.len()).collect()
}

/// Chi-squared over the lengths that are expected at least 20 times, the others together.
fn assert_lengths(what: &str, lengths: &[usize], expected: &[f64]) {
    let n = lengths.len() as f64;
    let mut found = vec![0.0; expected.len()];
    lengths.iter().for_each(|length| found[(length - 1).min(expected.len() - 1)] += 1.0);
    let (mut rest, mut bins) = ((0.0, 0.0), Vec::new());
    for (found, share) in found.into_iter().zip(expected) {
        if share * n >= 20.0 {
            bins.push((found, share * n));
        } else {
            rest = (rest.0 + found, rest.1 + share * n);
        }
    }
    if rest.1 >= 5.0 {
        bins.push(rest);
    } else {
        assert!(rest.0 <= 30.0, "{what}: {} runs of lengths that are nearly impossible", rest.0);
    }
    let chi_squared: f64 = bins.iter().map(|(found, expected)| (found - expected).powi(2) / expected).sum();
    let freedom = (bins.len() - 1) as f64;
    let spread = 2.0 / (9.0 * freedom);
    let limit = freedom * (1.0 - spread + 5.0 * spread.sqrt()).powi(3);
    assert!(bins.len() >= 3, "{what}: only {} lengths", bins.len());
    assert!(chi_squared <= limit, "{what}: chi-squared {chi_squared} of {freedom} degrees, limit {limit}");
}

/// The mean over replications, each of which starts anew, so that they are independent of each other.
fn assert_loss(what: &str, loss: &Loss, expected: f64) {
    const REPLICATIONS: u32 = 400;
    let share = |replication| {
        let lost = losses(loss, replication, 500);
        lost.iter().filter(|lost| **lost).count() as f64 / 500.0
    };
    let shares: Vec<f64> = (0..REPLICATIONS).map(share).collect();
    assert_mean(what, &shares, expected);
    let stationary: f64 = loss.stationary().iter().map(|(share, loss)| share * loss).sum();
    assert!((stationary - expected).abs() < 1e-9, "{what}: the long run is said to lose {stationary}, not {expected}");
}

fn assert_chain(what: &str, loss: &Loss, chain: &Chain) {
    assert_loss(what, loss, chain.mean());
    let outcomes = losses(loss, 0, N);
    for which in [true, false] {
        let runs = chain.runs(which, 200);
        assert_lengths(&format!("{what}, runs of {which}"), &lengths(&outcomes, which), &runs);
    }
}

#[test]
fn gilbert_elliott_has_the_runs_of_its_chain() {
    for [p, r, loss_good, loss_bad] in [[0.05, 0.3, 0.01, 0.8], [0.2, 0.5, 0.0, 1.0], [0.02, 0.1, 0.1, 0.4]] {
        let loss = gilbert_elliott(p, r, loss_good, loss_bad);
        let chain = Chain::gilbert_elliott(p, r, loss_good, loss_bad);
        assert_chain(&format!("p {p}, r {r}, {loss_good} and {loss_bad}"), &loss, &chain);
    }
}

#[test]
fn four_states_have_the_runs_of_their_chain() {
    for [p13, p31, p32, p23, p14] in
        [[0.05, 0.2, 0.3, 0.6, 0.02], [0.1, 0.4, 0.0, 0.0, 0.1], [0.03, 0.1, 0.4, 0.2, 0.0], [0.0, 0.5, 0.1, 0.1, 0.3]]
    {
        let (loss, chain) = (four_state(p13, p31, p32, p23, p14), Chain::four_state(p13, p31, p32, p23, p14));
        if p13 > 0.0 {
            assert_chain(&format!("{p13} {p31} {p32} {p23} {p14}"), &loss, &chain);
        } else {
            assert_loss("without bursts", &loss, chain.mean());
            let alone = lengths(&losses(&loss, 0, N), true);
            assert!(alone.iter().all(|length| *length == 1), "state 1 follows every loss");
        }
    }
}

#[test]
fn every_tenth_is_every_tenth_from_anywhere() {
    let loss = Loss::Every(Periodic::new(NonZeroU32::new(10).unwrap()));
    let mut first = Vec::new();
    for replication in 0..2_000 {
        let lost = losses(&loss, replication, 40);
        let phase = lost.iter().position(|lost| *lost).unwrap();
        assert!(lost.iter().enumerate().all(|(position, lost)| *lost == (position % 10 == phase)));
        first.push(phase + 1);
    }
    assert_lengths("the first loss", &first, &[0.1; 10]);
    assert!(losses(&Loss::Every(Periodic::new(NonZeroU32::MIN)), 0, 100).iter().all(|lost| *lost), "every one");
}

#[test]
fn a_pattern_is_met_from_anywhere_in_its_order() {
    let pattern = [true, true, false, false, false, true, false];
    let loss = Loss::Pattern(Pattern::new(pattern.to_vec()).unwrap());
    let mut starts = Vec::new();
    for replication in 0..2_000 {
        let lost = losses(&loss, replication, 30);
        let is_from =
            |start: &usize| lost.iter().zip(pattern.iter().cycle().skip(*start)).all(|(lost, said)| lost == said);
        starts.push((0..pattern.len()).find(is_from).expect("the pattern from somewhere") + 1);
    }
    assert_lengths("the start", &starts, &[1.0 / 7.0; 7]);
    assert!((loss.stationary()[1].0 - 3.0 / 7.0).abs() < 1e-12);
}

/// From a stationary start, so many in a row: over replications against what the model says, which for chains and
/// patterns is worked out by going through all that can happen.
#[test]
fn datagrams_in_a_row_are_carried_as_often_as_said() {
    let pattern = [true, true, false, false, false, true, false, false];
    for loss in [
        Loss::Independent(probability(0.2)),
        gilbert_elliott(0.1, 0.3, 0.05, 0.9),
        four_state(0.1, 0.3, 0.2, 0.4, 0.1),
        Loss::Every(Periodic::new(NonZeroU32::new(5).unwrap())),
        Loss::Pattern(Pattern::new(pattern.to_vec()).unwrap()),
    ] {
        let mean: f64 = loss.stationary().iter().map(|(share, loss)| share * loss).sum();
        assert!((loss.carries_in_a_row(1) - (1.0 - mean)).abs() < 1e-12, "{loss:?}");
        for n in [2, 3, 4] {
            let carried = |replication| f64::from(u8::from(!losses(&loss, replication, n).contains(&true)));
            let carried: Vec<f64> = (0..20_000).map(carried).collect();
            let said = loss.carries_in_a_row(n as usize);
            match said {
                0.0 => assert!(carried.iter().all(|carried| *carried == 0.0), "{loss:?}: {n} in a row"),
                _ => assert_mean(&format!("{n} in a row: {loss:?}"), &carried, said),
            }
        }
    }
    let every_fifth = Loss::Every(Periodic::new(NonZeroU32::new(5).unwrap()));
    assert_eq!([3, 5, 6].map(|n| (every_fifth.carries_in_a_row(n) * 5.0).round()), [2.0, 0.0, 0.0]);
    let pattern = |lost: &[bool]| Loss::Pattern(Pattern::new(lost.to_vec()).unwrap());
    assert_eq!(pattern(&pattern_from("00101000")).carries_in_a_row(4), 2.0 / 8.0, "around the end");
    assert_eq!(pattern(&[false, false]).carries_in_a_row(9), 1.0);
    assert_eq!(pattern(&[true]).carries_in_a_row(1), 0.0);
}

fn pattern_from(digits: &str) -> Vec<bool> {
    digits.chars().map(|digit| digit == '1').collect()
}

/// Each model that loses all or nothing in a state: the duplicate is lost where its original was, and moves nothing.
#[test]
fn network_duplicates_meet_the_state_of_their_originals() {
    let pattern = Pattern::new(vec![true, false, false]).unwrap();
    for loss in [
        gilbert_elliott(0.3, 0.4, 0.0, 1.0),
        four_state(0.1, 0.3, 0.2, 0.4, 0.1),
        Loss::Every(Periodic::new(NonZeroU32::new(4).unwrap())),
        Loss::Pattern(pattern),
    ] {
        let (mut alone, mut with_duplicates) = (link(&loss, 0), link(&loss, 0));
        for message in 0..1_000 {
            let verdict = offer(&mut with_duplicates, message, 0, None);
            assert_eq!(verdict, offer(&mut alone, message, 0, None), "{loss:?}");
            let duplicate = offer(&mut with_duplicates, message, 1, verdict.met);
            assert_eq!(duplicate.carriage.is_none(), verdict.carriage.is_none(), "{loss:?}");
        }
    }
}
