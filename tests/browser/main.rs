//! The browser service alone: announcements, elections, the master's list and how it forgets (MS-BRWS 3).

mod lan;
mod laws;

use lan::{Lan, is_expiry};
use mailslot_sim::app::browser::{Event, FIND_MASTER_TIMEOUT, MASTER_SILENCE, Removal};
use mailslot_sim::message::PaddedName;
use mailslot_sim::message::browser::{
    Announcement, AnnouncementRequest, Criteria, Election, Frame, HostName, ServerType,
};
use mailslot_sim::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn at(time: Duration) -> Instant {
    Instant::ZERO + time
}

/// The times of what one host sent, in seconds.
fn times(lan: &Lan, host: usize, which: fn(&Frame) -> bool) -> Vec<u64> {
    let sent = lan.trace.iter().filter(|(_, from, _, frame)| *from == host && which(frame));
    sent.map(|(at, ..)| at.since(Instant::ZERO).nanos() / 1_000_000_000).collect()
}

fn is_election(frame: &Frame) -> bool {
    matches!(frame, Frame::RequestElection(_))
}

fn is_announcement(frame: &Frame) -> bool {
    matches!(frame, Frame::HostAnnouncement(_))
}

#[test]
fn a_browser_that_starts_asks_three_times_and_demands_an_election() {
    let mut lan = Lan::perfect(1);
    lan.run_until(SECOND * 3);
    let asked = times(&lan, 0, |frame| matches!(frame, Frame::GetBackupListRequest { count: 4, .. }));
    assert_eq!(asked, [0, 1, 2]);
    let (_, _, suffix, frame) = lan.trace.last().unwrap();
    let server_name = HostName::new("A").unwrap();
    let demand = Election { version: 0, criteria: Criteria(0), uptime: 3, unused: 0, server_name };
    assert_eq!((*suffix, frame), (0x1E, &Frame::RequestElection(demand)));
}

#[test]
fn of_equal_hosts_the_first_in_the_alphabet_becomes_master() {
    let mut lan = Lan::perfect(5);
    lan.run_until(MINUTE);
    assert_eq!(lan.list(), (0, "ABCDE".to_owned()));
    let won: Vec<_> = lan.events.iter().filter(|(_, _, event)| *event == Event::Won).map(|(_, host, _)| host).collect();
    assert_eq!(won, [&0]);
}

#[test]
fn the_host_that_runs_for_longer_becomes_master() {
    let mut lan = Lan::new(3, Duration::ZERO, Box::new(|_, _, _| false));
    for host in [2, 1, 0] {
        lan.start(host, 0);
        lan.run_until(lan.now.since(Instant::ZERO) + SECOND);
    }
    lan.run_until(MINUTE);
    assert_eq!(lan.masters(), [2]);
}

/// A client that does not reach the master demands an election; the sitting master wins it, whoever has the better name.
#[test]
fn a_master_stays_master() {
    let mut lan = Lan::new(3, Duration::ZERO, Box::new(|_, _, _| false));
    lan.start(2, 0);
    lan.run_until(MINUTE);
    lan.start(0, 0);
    lan.start(1, 0);
    let server_name = HostName::new("X").unwrap();
    let demand = Election { version: 0, criteria: Criteria(0), uptime: 0, unused: 0, server_name };
    for host in 0..3 {
        lan.hand(host, "X", &Frame::RequestElection(demand.clone()));
    }
    lan.run_until(MINUTE * 2);
    assert_eq!(lan.masters(), [2]);
    assert_eq!(lan.events.iter().filter(|(_, _, event)| *event == Event::Won).count(), 1);
    assert_eq!(times(&lan, 2, is_election).iter().filter(|time| **time == 60).count(), 4);
}

/// A host that restarts finds the master by its answer, and elects nobody.
#[test]
fn who_gets_a_list_is_content() {
    let mut lan = Lan::perfect(2);
    lan.run_until(MINUTE);
    lan.crash(1);
    lan.start(1, 0);
    let before = lan.trace.len();
    lan.run_until(MINUTE * 2);
    assert!(lan.trace[before..].iter().all(|(_, _, _, frame)| !is_election(frame)));
    let asked = times(&lan, 1, |frame| matches!(frame, Frame::GetBackupListRequest { .. }));
    assert_eq!(asked, [0, 1, 2, 60]);
}

#[test]
fn hosts_announce_themselves_at_times_that_grow_apart() {
    let mut lan = Lan::perfect(2);
    lan.run_until(MINUTE * 60);
    let [announced, of_master] = [1, 0].map(|host| times(&lan, host, is_announcement));
    let regular: Vec<u64> = announced.iter().copied().filter(|time| time % 60 == 0).collect();
    assert_eq!(regular, [0, 1, 2, 4, 8, 16, 28, 40, 52].map(|minute| minute * 60));
    // One answer to the new master, within 30 s; the master does not need to ask itself.
    assert_eq!((announced.len(), of_master.len()), (10, 9));
    let periods = lan.trace.iter().filter_map(|(_, from, _, frame)| match frame {
        Frame::HostAnnouncement(announcement) if *from == 1 => Some(announcement.periodicity_ms / 60_000),
        _ => None,
    });
    assert_eq!(Vec::from_iter(periods), [1, 1, 1, 2, 4, 8, 12, 12, 12, 12]);
}

#[test]
fn a_master_announces_itself_at_times_that_grow_apart() {
    let mut lan = Lan::perfect(2);
    lan.run_until(MINUTE * 60);
    let times = times(&lan, 0, |frame| matches!(frame, Frame::LocalMasterAnnouncement(_)));
    let won = lan.events.iter().find(|(_, _, event)| *event == Event::Won).unwrap().0;
    let won = won.since(Instant::ZERO).nanos() / 1_000_000_000;
    let minutes: Vec<u64> = times.iter().map(|time| (time - won) / 60).collect();
    assert_eq!(minutes, [0, 2, 4, 8, 16, 28, 40, 52]);
}

/// The answers to a new master are spread over half a minute.
#[test]
fn the_list_is_complete_half_a_minute_after_the_victory() {
    let mut lan = Lan::perfect(20);
    while lan.masters().is_empty() {
        lan.run_until(lan.now.since(Instant::ZERO) + Duration::from_millis(1));
    }
    let won = lan.now;
    lan.run_until(won.since(Instant::ZERO) + SECOND * 30);
    assert_eq!(lan.list(), (0, "ABCDEFGHIJKLMNOPQRST".to_owned()));
    let heard = lan.events.iter().filter(|(_, _, event)| matches!(event, Event::Heard { is_new: true, .. }));
    let waits: Vec<u64> = heard.map(|(at, ..)| at.since(won).nanos() / 10_000_000_000).collect();
    assert!((0..3).all(|third| waits.contains(&third)), "{waits:?}");
}

#[test]
fn a_host_that_goes_silent_is_removed_after_three_periods() {
    // After the announcement of 28 min, which promises one every 12 min; and after that of 1 min.
    for (crash, heard, period) in [(30, 28, 12), (1, 1, 1)] {
        let mut lan = Lan::perfect(3);
        lan.run_until(MINUTE * crash);
        lan.crash(1);
        lan.run_until(MINUTE * 120);
        assert_eq!(lan.list(), (0, "AC".to_owned()));
        let removed: Vec<_> = lan.events.iter().filter(|(_, _, event)| is_expiry(event)).collect();
        let expected = Event::Removed { server: HostName::new("B").unwrap(), why: Removal::Expired };
        assert_eq!(removed, [&(at(MINUTE * (heard + 3 * period) + SECOND), 0, expected)]);
    }
}

#[test]
fn nobody_is_removed_where_nothing_is_lost() {
    let mut lan = Lan::new(6, Duration::from_millis(3), Box::new(|_, _, _| false));
    (0..6).for_each(|host| lan.start(host, 1));
    lan.run_until(MINUTE * 60 * 24);
    assert_eq!(lan.list(), (0, "ABCDEF".to_owned()));
    assert!(!lan.events.iter().any(|(_, _, event)| matches!(event, Event::Removed { .. })));
}

/// Three announcements in a row are lost, two are not enough: those of 28, 40 and 52 min after the one of 16 min.
#[test]
fn three_lost_announcements_remove_a_server() {
    for (lost_until, removed_at) in [(51, None), (53, Some(MINUTE * 52 + SECOND))] {
        let loss = move |now: Instant, from, _| from == 1 && now > at(MINUTE * 20) && now < at(MINUTE * lost_until);
        let mut lan = Lan::new(3, Duration::from_millis(1), Box::new(loss));
        (0..3).for_each(|host| lan.start(host, 0));
        lan.run_until(MINUTE * 60);
        let removed = lan.events.iter().find(|(_, _, event)| is_expiry(event)).map(|(at, ..)| *at);
        assert_eq!(removed, removed_at.map(at));
    }
}

#[test]
fn a_host_that_shuts_down_is_removed_at_once() {
    let mut lan = Lan::perfect(3);
    lan.run_until(MINUTE * 5);
    lan.stop(2);
    lan.run_until(MINUTE * 5);
    assert_eq!(lan.list(), (0, "AB".to_owned()));
    let left = Event::Removed { server: HostName::new("C").unwrap(), why: Removal::Left };
    assert_eq!(lan.events.last(), Some(&(at(MINUTE * 5), 0, left)));
}

#[test]
fn a_master_that_shuts_down_has_another_elected() {
    let mut lan = Lan::perfect(3);
    lan.run_until(MINUTE * 5);
    lan.stop(0);
    assert!(lan.masters().is_empty());
    lan.run_until(MINUTE * 6);
    assert_eq!(lan.list(), (1, "BC".to_owned()));
}

/// Nobody is told of a crash: the others notice that they hear no master any more, and ask for it first.
#[test]
fn a_master_that_crashes_is_missed() {
    let mut lan = Lan::perfect(3);
    lan.run_until(MINUTE * 17);
    let is_master = |frame: &Frame| matches!(frame, Frame::LocalMasterAnnouncement(_));
    let last = lan.trace.iter().rfind(|(_, _, _, frame)| is_master(frame)).unwrap().0;
    lan.crash(0);
    let before = lan.trace.len();
    lan.run_until(MINUTE * 60);
    assert_eq!(lan.list(), (1, "BC".to_owned()));
    let after = || lan.trace[before..].iter();
    let asked: Vec<Instant> = after()
        .filter(|(_, from, suffix, frame)| {
            (*from, *suffix) == (1, 0x1D) && matches!(frame, Frame::AnnouncementRequest(_))
        })
        .map(|(at, ..)| *at)
        .collect();
    let first = last + MASTER_SILENCE;
    assert_eq!(asked, [first, first + FIND_MASTER_TIMEOUT, first + FIND_MASTER_TIMEOUT * 2]);
    let called = after().find(|(_, _, _, frame)| is_election(frame)).unwrap().0;
    assert_eq!(called, first + FIND_MASTER_TIMEOUT * 3);
}

/// A master answers who looks for it at once, though its next announcement is far away.
#[test]
fn a_master_that_is_looked_for_announces_itself() {
    let mut lan = Lan::perfect(2);
    lan.run_until(MINUTE * 5);
    let response_name = HostName::new("X").unwrap().into();
    lan.hand(0, "X", &Frame::AnnouncementRequest(AnnouncementRequest { reserved: 0, response_name }));
    let (when, from, suffix, frame) = lan.trace.last().unwrap();
    assert_eq!((*when, *from, *suffix), (at(MINUTE * 5), 0, 0x1E));
    assert!(matches!(frame, Frame::LocalMasterAnnouncement(_)), "{frame:?}");
}

/// Nobody can have a master forget itself.
#[test]
fn a_master_is_always_on_its_own_list() {
    let mut lan = Lan::perfect(2);
    lan.run_until(MINUTE);
    let announced = lan.trace.iter().find_map(|(_, from, _, frame)| match frame {
        Frame::HostAnnouncement(announcement) if *from == 0 => Some(announcement.clone()),
        _ => None,
    });
    let announced = announced.unwrap();
    lan.hand(0, "X", &Frame::HostAnnouncement(Announcement { periodicity_ms: 1, ..announced.clone() }));
    lan.hand(0, "X", &Frame::HostAnnouncement(Announcement { server_type: ServerType(0), ..announced }));
    lan.run_until(MINUTE * 100);
    assert_eq!(lan.list(), (0, "AB".to_owned()));
}

/// Two halves elect a master each; once they hear each other again, the next announcement of either decides.
#[test]
fn of_two_masters_one_steps_down() {
    let loss = |now: Instant, from, to| now < at(MINUTE * 3) && (from < 2) != (to < 2);
    let mut lan = Lan::new(4, Duration::from_millis(1), Box::new(loss));
    (0..4).for_each(|host| lan.start(host, 0));
    lan.run_until(MINUTE * 3);
    assert_eq!(lan.masters(), [0, 2]);
    lan.run_until(MINUTE * 5);
    assert_eq!(lan.masters(), [0]);
    assert!(lan.events.iter().any(|(_, host, event)| (*host, event) == (2, &Event::SteppedDown)));
    // Who changed sides is on the list after its next announcement.
    lan.run_until(MINUTE * 20);
    assert_eq!(lan.list(), (0, "ABCD".to_owned()));
}

/// Either frame of another master will do, but none of a mere server.
#[test]
fn a_master_that_hears_another_calls_an_election() {
    let mut lan = Lan::perfect(1);
    lan.run_until(MINUTE);
    let announced = lan.trace.iter().rev().find_map(|(_, _, _, frame)| match frame {
        Frame::LocalMasterAnnouncement(announcement) => Some(announcement.clone()),
        _ => None,
    });
    let master = Announcement { server_name: PaddedName::new("X").unwrap(), ..announced.unwrap() };
    let server = Announcement { server_type: ServerType::SERVER, ..master.clone() };
    for (frame, answers) in [
        (Frame::LocalMasterAnnouncement(master.clone()), true),
        (Frame::HostAnnouncement(master), true),
        (Frame::LocalMasterAnnouncement(server.clone()), false),
        (Frame::HostAnnouncement(server), false),
    ] {
        let before = lan.trace.len();
        lan.hand(0, "X", &frame);
        let sent: Vec<&Frame> = lan.trace[before..].iter().map(|(_, _, _, frame)| frame).collect();
        assert_eq!(
            (sent.len(), sent.iter().all(|frame| is_election(frame))),
            (usize::from(answers), true),
            "{frame:?}"
        );
        lan.run_until(lan.now.since(Instant::ZERO) + SECOND);
    }
}

/// Somebody who does not hear: the sends so far do not count, and now they are a second apart.
#[test]
fn a_worse_candidate_delays_the_victory() {
    let mut lan = Lan::perfect(1);
    lan.run_until(MINUTE);
    let server_name = HostName::new("X").unwrap();
    let worse = Election { version: 1, criteria: Criteria(1), uptime: 0, unused: 0, server_name };
    lan.hand(0, "X", &Frame::RequestElection(worse.clone()));
    let before = lan.trace.len();
    lan.run_until(MINUTE + Duration::from_millis(250));
    lan.hand(0, "X", &Frame::RequestElection(worse));
    lan.run_until(MINUTE * 2);
    let sent = lan.trace[before..].iter().filter(|(_, _, _, frame)| is_election(frame));
    let millis: Vec<u64> = sent.map(|(when, ..)| when.since(at(MINUTE)).nanos() / 1_000_000).collect();
    assert_eq!(millis, [100, 200, 300, 1300, 2300, 3300]);
}

/// What a master says of itself.
#[test]
fn masters_are_marked_in_announcements() {
    let mut lan = Lan::perfect(2);
    lan.run_until(MINUTE * 3);
    let is_marked = |frame: &Frame| match frame {
        Frame::HostAnnouncement(announcement) | Frame::LocalMasterAnnouncement(announcement) => {
            Some(announcement.server_type.contains(ServerType::MASTER_BROWSER))
        }
        _ => None,
    };
    let marks = |host, from| {
        let late = lan.trace.iter().filter(move |(when, of, ..)| *of == host && *when >= at(MINUTE * from));
        late.filter_map(|(_, _, _, frame)| is_marked(frame)).collect::<Vec<_>>()
    };
    assert!(marks(0, 1).iter().all(|marked| *marked) && marks(0, 1).len() > 2);
    assert!(marks(1, 0).iter().all(|marked| !marked) && !marks(1, 0).is_empty());
}
