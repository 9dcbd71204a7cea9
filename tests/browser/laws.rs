//! What holds for any hosts and any losses.

use mailslot_sim::app::browser::{Browser, Event};
use mailslot_sim::message::browser::Frame;
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};
use proptest::prelude::*;
use rand::Rng;

use crate::lan::{Lan, is_expiry};
use crate::{MINUTE, SECOND, at};

/// Three tries of a second each, then an election: the best candidate sends at the latest after 3 s, which silences the
/// others, and then three times more at most 3 s apart.
const TO_ELECT: Duration = Duration::from_secs(3 + 4 * 3);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Nothing is lost or late: however hosts start, [`TO_ELECT`] after the last one has started there is exactly one
    /// master, it stays, its list is complete half a minute later, and stays so.
    #[test]
    fn without_loss_there_is_one_master_soon(starts in prop::collection::vec(0_u64..40, 1..10), seed: u64) {
        let mut lan = Lan::new(starts.len(), Duration::ZERO, Box::new(|_, _, _| false));
        let mut order: Vec<_> = starts.iter().copied().zip(0..).collect();
        order.sort();
        for (start, host) in order {
            lan.run_until(SECOND * start);
            lan.start(host, seed);
        }
        lan.run_until(lan.now.since(Instant::ZERO) + TO_ELECT);
        let (master, _) = lan.list();
        lan.run_until(lan.now.since(Instant::ZERO) + SECOND * 30);
        let all: String = (0..starts.len()).map(crate::lan::name).collect();
        prop_assert_eq!(lan.list(), (master, all.clone()));
        let before = lan.events.len();
        lan.run_until(MINUTE * 60 * 3);
        prop_assert_eq!(lan.list(), (master, all));
        let quiet = |(_, _, event): &(_, _, Event)| matches!(event, Event::Heard { is_new: false, .. });
        prop_assert!(lan.events[before..].iter().all(quiet));
    }

    /// Whatever is lost up to some time, by chance or between some hosts: once nothing is lost any more there is exactly one
    /// master, and everybody is on its list, within an hour. Whoever is removed was silent for just so long
    /// (`Lan::check`).
    #[test]
    fn after_any_losses_there_is_one_master(
        hosts in 1_usize..7,
        rate in 0_u64..=100,
        cuts in prop::collection::vec((0_usize..7, 0_usize..7), 0..20),
        lossy_minutes in 0_u64..60,
        seed: u64,
    ) {
        let mut draws = Root { seed, replication: 1 }.workload("lan", "", "loss");
        let end = at(MINUTE * lossy_minutes);
        let loss = move |now, from, to| now < end && (cuts.contains(&(from, to)) || draws.next_u64() % 100 < rate);
        let mut lan = Lan::new(hosts, Duration::from_millis(1), Box::new(loss));
        (0..hosts).for_each(|host| lan.start(host, seed));
        lan.run_until(MINUTE * (lossy_minutes + 60));
        let (master, list) = lan.list();
        prop_assert_eq!(list, (0..hosts).map(crate::lan::name).collect::<String>());
        let before = lan.events.len();
        lan.run_until(MINUTE * (lossy_minutes + 120));
        prop_assert_eq!(lan.list().0, master);
        prop_assert!(!lan.events[before..].iter().any(|(_, _, event)| is_expiry(event)));
    }

    /// Hosts crash and come back at any time, the master too: half an hour after the last of it there is one master.
    #[test]
    fn crashes_are_survived(
        hosts in 2_usize..6,
        faults in prop::collection::vec((0_u64..600, 0_usize..6, any::<bool>()), 0..12),
        seed: u64,
    ) {
        let mut lan = Lan::new(hosts, Duration::from_millis(1), Box::new(|_, _, _| false));
        (0..hosts).for_each(|host| lan.start(host, seed));
        let mut now = Duration::ZERO;
        for (gap, host, gently) in faults {
            now += SECOND * gap;
            lan.run_until(now);
            let host = host % hosts;
            match (lan.hosts[host].is_some(), gently) {
                (false, _) => lan.start(host, seed),
                (true, true) => lan.stop(host),
                (true, false) => lan.crash(host),
            }
        }
        if lan.hosts.iter().all(Option::is_none) {
            lan.start(0, seed);
        }
        lan.run_until(now + MINUTE * 60);
        let alive = (0..hosts).filter(|host| lan.hosts[*host].is_some());
        prop_assert_eq!(lan.list().1, alive.map(crate::lan::name).collect::<String>());
    }

    /// Any frames from anybody, at any times: nothing panics, and no timer stands still.
    #[test]
    fn any_frames_are_taken(frames in prop::collection::vec((0_u64..100, any::<Vec<u8>>(), 0_u8..16), 0..200)) {
        let rng = Root { seed: 0, replication: 0 }.workload("browser", "A", "waits");
        let mut browser = Browser::start(Instant::ZERO, "A<00>".parse().unwrap(), "FARM<00>".parse().unwrap(), rng)?;
        let mut now = Instant::ZERO;
        for (seconds, mut data, opcode) in frames {
            let then = now + SECOND * seconds;
            while browser.poll_timeout() <= then {
                now = browser.poll_timeout();
                browser.handle_timeout(now);
                prop_assert!(browser.poll_timeout() > now);
            }
            now = then;
            // A frame of each kind with rubbish in it: fields of announcements are filled up.
            data.insert(0, opcode);
            data.resize(32, 0);
            data[24..].fill(0);
            data[28] = 0x55;
            data[29] = 0xAA;
            for end in 1..=data.len() {
                if let Ok(frame) = Frame::parse(&data[..end]) {
                    browser.handle_frame(now, "X<00>".parse().unwrap(), &frame);
                }
            }
            while browser.poll_action().is_some() {}
            while browser.poll_event().is_some() {}
        }
    }
}
