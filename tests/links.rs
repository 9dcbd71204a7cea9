//! Links by themselves: each model against its closed form.
//!
//! All seeds are fixed. Each comparison allows 5 standard errors, which a fair generator exceeds once in 1.7 million;
//! all together raise a false alarm for fewer than 1 in 100,000 choices of the seeds.

use mailslot_sim::id::DatagramId;
use mailslot_sim::link::{Config, Delay, Distribution, GilbertElliott, Link, Loss, Offer, Probability, Verdict};
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};

const N: u64 = 200_000;
const GAP: Duration = Duration::from_millis(1);

fn probability(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

fn link(config: Config) -> Link {
    Link::new(config, Root { seed: 11, replication: 0 }.link("test"))
}

fn datagram(message: u64) -> DatagramId {
    DatagramId::new(5, message)
}

fn offer(link: &mut Link, id: &DatagramId, now: Instant) -> Verdict {
    link.offer(&Offer { now, id, hop: 0, payload_bytes: 200, ip_bytes: 228, met: None })
}

/// What the link does with N datagrams, one every millisecond.
fn verdicts(config: Config) -> Vec<Verdict> {
    let mut link = link(config);
    (0..N).map(|message| offer(&mut link, &datagram(message), Instant::ZERO + GAP * message)).collect()
}

fn lengths_of_loss_periods(verdicts: &[Verdict]) -> Vec<f64> {
    let lost = verdicts.iter().map(|verdict| verdict.carriage.is_none());
    let mut lengths = Vec::new();
    let mut run = 0.0;
    for lost in lost.chain([false]) {
        if lost {
            run += 1.0;
        } else if run > 0.0 {
            lengths.push(run);
            run = 0.0;
        }
    }
    lengths
}

/// `found` is the mean of `n` values with this standard deviation and, if they depend on each other, this much more
/// variance.
fn assert_mean(what: &str, found: f64, expected: f64, deviation: f64, n: usize, inflation: f64) {
    let error = 5.0 * deviation * (inflation / n as f64).sqrt();
    assert!((found - expected).abs() <= error, "{what}: {found} is not within {error} of {expected}");
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn independent_loss_has_its_mean_and_geometric_periods() {
    let p = 0.2;
    let verdicts = verdicts(Config { loss: Loss::Independent(probability(p)), ..Config::PERFECT });
    let lost = verdicts.iter().filter(|verdict| verdict.carriage.is_none()).count() as f64 / N as f64;
    assert_mean("loss", lost, p, (p * (1.0 - p)).sqrt(), N as usize, 1.0);
    let lengths = lengths_of_loss_periods(&verdicts);
    assert_mean("period", mean(&lengths), 1.0 / (1.0 - p), p.sqrt() / (1.0 - p), lengths.len(), 1.0);
}

#[test]
fn burst_loss_has_its_mean_and_its_periods() {
    for (m, burst) in [(0.05, 4.0), (0.3, 2.0), (0.5, 20.0), (0.2, 1.0)] {
        let model = GilbertElliott::from_mean_and_burst(probability(m), burst).unwrap();
        let verdicts = verdicts(Config { loss: Loss::GilbertElliott(model), ..Config::PERFECT });
        let lost = verdicts.iter().filter(|verdict| verdict.carriage.is_none()).count() as f64 / N as f64;
        // A two-state chain with second eigenvalue e: the variance of the mean is (1 + e) / (1 - e) times that of
        // independence.
        let e = 1.0 - model.p.value() - model.r.value();
        assert_mean("loss", lost, m, (m * (1.0 - m)).sqrt(), N as usize, (1.0 + e) / (1.0 - e));
        // Periods are geometric with mean 1 / r.
        let (lengths, r) = (lengths_of_loss_periods(&verdicts), 1.0 / burst);
        assert_mean("period", mean(&lengths), burst, (1.0 - r).sqrt() / r, lengths.len(), 1.0);
        let single = lengths.iter().filter(|length| **length == 1.0).count() as f64 / lengths.len() as f64;
        assert_mean("periods of one", single, r, (r * (1.0 - r)).sqrt(), lengths.len(), 1.0);
    }
}

#[test]
fn a_burst_of_the_independent_length_is_independent_loss() {
    let m = 0.25;
    let model = GilbertElliott::from_mean_and_burst(probability(m), 1.0 / (1.0 - m)).unwrap();
    assert!((1.0 - model.p.value() - model.r.value()).abs() < 1e-12, "the next state does not depend on this one");
}

#[test]
fn links_start_in_their_stationary_state() {
    let model = GilbertElliott::from_mean_and_burst(probability(0.3), 50.0).unwrap();
    let config = Config { loss: Loss::GilbertElliott(model), ..Config::PERFECT };
    let first_lost = (0..20_000_u32).filter(|&replication| {
        let mut link = Link::new(config.clone(), Root { seed: 3, replication }.link("test"));
        offer(&mut link, &datagram(0), Instant::ZERO).carriage.is_none()
    });
    let share = first_lost.count() as f64 / 20_000.0;
    assert_mean("first datagram lost", share, 0.3, 0.21_f64.sqrt(), 20_000, 1.0);
}

#[test]
fn no_loss_and_total_loss_are_exact() {
    for (m, lost) in [(0.0, 0), (1.0, N)] {
        for loss in [
            Loss::Independent(probability(m)),
            Loss::GilbertElliott(GilbertElliott::from_mean_and_burst(probability(m), 3.0).unwrap()),
        ] {
            let verdicts = verdicts(Config { loss, ..Config::PERFECT });
            assert_eq!(verdicts.iter().filter(|verdict| verdict.carriage.is_none()).count() as u64, lost);
        }
    }
}

/// Delays in milliseconds.
fn delays(distribution: Distribution) -> Vec<f64> {
    let verdicts = verdicts(Config { delay: Delay::from_distribution(distribution), ..Config::PERFECT });
    let sent = |message: usize| Instant::ZERO + GAP * message as u64;
    let delay = |(message, verdict): (usize, &Verdict)| verdict.carriage.unwrap().arrival.since(sent(message));
    verdicts.iter().enumerate().map(delay).map(|delay| delay.nanos() as f64 / 1e6).collect()
}

#[test]
fn delays_have_the_mean_and_the_spread_of_their_distribution() {
    let ms = Duration::from_millis;
    assert!(delays(Distribution::Constant(ms(3))).iter().all(|delay| *delay == 3.0));
    for (distribution, expected, deviation, kurtosis) in [
        (Distribution::Uniform { min: ms(2), max: ms(8) }, 5.0, 6.0 / 12.0_f64.sqrt(), 1.8),
        (Distribution::Normal { mean: ms(20), deviation: ms(3) }, 20.0, 3.0, 3.0),
    ] {
        let delays = delays(distribution);
        assert_mean("mean", mean(&delays), expected, deviation, delays.len(), 1.0);
        let squares: Vec<f64> = delays.iter().map(|delay| (delay - expected).powi(2)).collect();
        let variance = deviation * deviation;
        assert_mean("variance", mean(&squares), variance, variance * (kurtosis - 1.0_f64).sqrt(), delays.len(), 1.0);
    }
}

#[test]
fn negative_normal_delays_are_0() {
    let ms = Duration::from_millis;
    let delays = delays(Distribution::Normal { mean: ms(0), deviation: ms(1) });
    let zero = delays.iter().filter(|delay| **delay == 0.0).count() as f64 / delays.len() as f64;
    assert_mean("delays of 0", zero, 0.5, 0.5, delays.len(), 1.0);
}

#[test]
fn nothing_overtakes_on_a_link_that_keeps_order() {
    let distribution = Distribution::Uniform { min: Duration::ZERO, max: Duration::from_millis(50) };
    let arrivals = |keep_order| -> Vec<Instant> {
        let duplicate = probability(0.3);
        let verdicts = verdicts(Config {
            delay: Delay { keep_order, ..Delay::from_distribution(distribution.clone()) },
            duplicate,
            ..Config::PERFECT
        });
        let carriages = verdicts.iter().filter_map(|verdict| verdict.carriage);
        carriages.flat_map(|carriage| [Some(carriage.arrival), carriage.duplicate]).flatten().collect()
    };
    assert!(arrivals(true).is_sorted());
    assert!(!arrivals(false).is_sorted());
}

#[test]
fn duplicates_and_flips_come_as_often_as_asked() {
    let config = Config { duplicate: probability(0.1), corrupt: probability(0.02), ..Config::PERFECT };
    let mut link = link(config);
    let mut bits = Vec::new();
    for message in 0..N {
        let carriage = offer(&mut link, &datagram(message), Instant::ZERO).carriage.unwrap();
        bits.extend(carriage.flip.map(f64::from));
    }
    let counters = link.counters();
    assert_mean("duplicated", counters.duplicated as f64 / N as f64, 0.1, 0.3, N as usize, 1.0);
    assert_mean("corrupted", counters.corrupted as f64 / N as f64, 0.02, 0.14, N as usize, 1.0);
    assert!(bits.iter().all(|bit| *bit < 1600.0));
    assert_mean("flipped bit", mean(&bits), 799.5, 1600.0 / 12.0_f64.sqrt(), bits.len(), 1.0);
    assert_eq!(counters.carried, N + counters.duplicated);
    assert_eq!(counters.bytes, counters.carried * 228);
}

/// Offers the messages 0 to 999 and, after every tenth, a duplicate that an earlier link made of it.
#[test]
fn a_network_duplicate_meets_the_state_of_its_original_and_does_not_step_the_chain() {
    let model = GilbertElliott::from_mean_and_burst(probability(0.4), 5.0).unwrap();
    let config = Config { loss: Loss::GilbertElliott(model), ..Config::PERFECT };
    let (mut alone, mut with_duplicates) = (link(config.clone()), link(config));
    let lost = |verdict: &Verdict| verdict.carriage.is_none();
    for message in 0..1000 {
        let verdict = offer(&mut with_duplicates, &datagram(message), Instant::ZERO);
        assert_eq!(verdict, offer(&mut alone, &datagram(message), Instant::ZERO));
        if message % 10 == 0 {
            let id = datagram(message).duplicated_at(0);
            let same_state =
                Offer { now: Instant::ZERO, id: &id, hop: 1, payload_bytes: 200, ip_bytes: 228, met: verdict.met };
            assert_eq!(lost(&with_duplicates.offer(&same_state)), lost(&verdict), "all or nothing in either state");
        }
    }
}
