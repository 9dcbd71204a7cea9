//! The timeline: what happens to hosts, mailslots and links while programs write, and to what is on its way then.

mod support;

use std::collections::BTreeMap;

use mailslot_sim::sim;
use proptest::prelude::*;
use serde_json::Value;
use support::{Fact, counts, fates, report, scenario, trace, try_scenario};

/// A and B in the domain DOM and C in OTHER, on one segment whose links take 10 ms each way. A writes to the domain and to
/// B every 100 ms for a second; everybody has the mailslot `t`.
fn network(more: &str) -> String {
    format!(
        r#"
schema = 1
name = "timeline"
duration = "1 s"
[link.l]
delay = "10 ms"
[segment.s]
link = "l"
[[host]]
name = "{{A..C}}"
domain = "DOM"
segment = "s"
[[mailslot]]
on = '\\DOM'
name = "t"
[[traffic]]
name = "all"
from = "A"
to = '\\*\mailslot\t'
every = "100 ms"
[[traffic]]
name = "one"
from = "A"
to = '\\B\mailslot\t'
every = "100 ms"
{more}
"#
    )
    .replace("name = \"{A..C}\"\ndomain = \"DOM\"\nsegment = \"s\"", HOSTS)
    .replace(r"on = '\\DOM'", "on = \"C\"\nname = \"t\"\n[[mailslot]]\non = '\\\\DOM'")
}

const HOSTS: &str = "name = \"A\"\ndomain = \"DOM\"\nsegment = \"s\"\n[[host]]\nname = \"B\"\ndomain = \"DOM\"\nsegment = \"s\"\n\
    [[host]]\nname = \"C\"\ndomain = \"OTHER\"\nsegment = \"s\"";

fn event(lines: &str) -> String {
    format!("[[event]]\n{lines}\n")
}

/// What becomes of the messages of both flows.
fn outcome(more: &str) -> [BTreeMap<String, u64>; 2] {
    let report = report(&scenario(&network(more)), 0);
    [0, 1].map(|flow| fates(&report, flow))
}

#[test]
fn without_events_all_is_delivered() {
    assert_eq!(outcome(""), [counts([("delivered", 20)]), counts([("delivered", 10)])]);
}

/// Down from 0.305 to 0.605 s: what was written at 0.3 s comes at 0.32 s. The audience is not asked who is up.
#[test]
fn what_comes_to_a_host_that_is_down_is_lost() {
    let down = event("at = \"305 ms\"\ncrash = \"B\"\nfor = \"300 ms\"");
    assert_eq!(
        outcome(&down),
        [counts([("delivered", 17), ("host_down", 3)]), counts([("delivered", 7), ("host_down", 3)])]
    );
    let in_two = event("at = \"305 ms\"\ncrash = \"B\"") + &event("at = \"605 ms\"\nrestart = \"B\"");
    assert_eq!(outcome(&in_two), outcome(&down));
    let report = report(&scenario(&network(&down)), 0);
    assert_eq!(report["hosts"][1]["discarded"]["host_down"], 6);
    assert_eq!(report["hosts"][1]["received"], 14);
}

/// A message that was in a slot when its host went down was never read; the datagrams that a host sent before go on.
#[test]
fn unread_messages_go_with_their_host() {
    let slow = network(&event("at = \"505 ms\"\nrestart = \"B\"")).replace(
        "[[mailslot]]\non = '\\\\DOM'\nname = \"t\"",
        "[[mailslot]]\non = \"A\"\nname = \"t\"\n[[mailslot]]\non = \"B\"\nname = \"t\"\nreader = \"never\"",
    );
    let report = report(&scenario(&slow), 0);
    assert_eq!(fates(&report, 1), counts([("closed_unread", 5), ("unread", 5)]));
    let of_sender = event("at = \"305 ms\"\ncrash = \"A\"");
    assert_eq!(outcome(&of_sender), [counts([("delivered", 8)]), counts([("delivered", 4)])]);
}

/// A program that does not run does not write; its later messages are those that they would have been.
#[test]
fn hosts_that_are_not_there_do_not_write() {
    for fault in ["crash", "pause"] {
        let away = network(&event(&format!("at = \"250 ms\"\n{fault} = \"A\"\nfor = \"300 ms\"")));
        let lines = trace(&scenario(&away));
        let messages: Vec<u64> = lines
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["event"] == "write" && line["flow"] == "one")
            .map(|line| line["message"].as_u64().unwrap())
            .collect();
        assert_eq!(messages, [0, 1, 2, 6, 7, 8, 9], "{fault}");
        let report = report(&scenario(&away), 0);
        assert_eq!(report["flows"][1]["sender"]["writes"], 7);
        assert_eq!(fates(&report, 1), counts([("delivered", 7)]));
    }
}

/// Three copies 50 ms apart, a message every 200 ms. A program that was started anew has forgotten the messages that it was
/// about to repeat; one that stood still only left out what was due meanwhile.
#[test]
fn repetitions_are_forgotten_by_a_crash_and_left_out_in_a_pause() {
    for (fault, writes) in [("crash", 1 + 3 * 3), ("pause", 2 + 3 * 3)] {
        let repeating = network(&event(&format!("at = \"40 ms\"\n{fault} = \"A\"\nfor = \"20 ms\"")))
            .replace("every = \"100 ms\"", "every = \"200 ms\"\ncount = 4\ncopies = 3\nspacing = \"50 ms\"");
        let report = report(&scenario(&repeating), 0);
        assert_eq!(report["flows"][1]["sender"]["writes"], writes, "{fault}");
        assert_eq!(report["flows"][1]["sender"]["messages"], 4, "{fault}");
        assert_eq!(fates(&report, 1), counts([("delivered", 4)]), "{fault}");
    }
}

/// What has come for a host that stands still is read when it goes on; until the end, it is as if the host were down.
#[test]
fn datagrams_wait_for_a_host_that_stands_still() {
    let pause = network(&(event("at = \"305 ms\"\npause = \"B\"") + &event("at = \"605 ms\"\nresume = \"B\"")));
    let report_of = |text: &str| report(&scenario(text), 0);
    let paused = report_of(&pause);
    assert_eq!(fates(&paused, 1), counts([("delivered", 10)]));
    assert_eq!(paused["flows"][1]["delay_ns"]["max"], 305_000_000, "written at 0.3 s, read at 0.605 s");
    let for_ever = report_of(&network(&event("at = \"305 ms\"\npause = \"B\"")));
    assert_eq!(fates(&for_ever, 1), counts([("delivered", 3), ("host_down", 7)]));
    let crashed = report_of(&pause.replace("resume", "restart"));
    assert_eq!(
        fates(&crashed, 1),
        counts([("delivered", 7), ("host_down", 3)]),
        "what waits does not outlive a restart"
    );
}

/// What keeps a host down or still goes on until the last of it is undone; a restart ends it all.
#[test]
fn outages_that_overlap_last_as_long_as_the_longest() {
    let outage =
        |at: u32, what: &str, lasts: u32| event(&format!("at = \"{at} ms\"\n{what} = \"B\"\nfor = \"{lasts} ms\""));
    for what in ["crash", "pause"] {
        let long = outage(205, what, 600);
        let both = format!("{long}{}", outage(305, what, 100));
        assert_eq!(outcome(&both), outcome(&long), "{what}");
        let overlapping = outage(205, what, 300) + &outage(405, what, 400);
        assert_eq!(outcome(&overlapping), outcome(&long), "{what}");
    }
    let restarted = outage(205, "crash", 600) + &event("at = \"405 ms\"\nrestart = \"B\"") + &outage(605, "crash", 100);
    assert_eq!(outcome(&restarted)[1], counts([("delivered", 7), ("host_down", 3)]));
}

/// Writes that are not made are counted, as messages that nobody is in the audience of.
#[test]
fn what_is_not_written_or_addresses_nobody_is_counted() {
    let down = report(&scenario(&network(&event("at = \"250 ms\"\ncrash = \"A\"\nfor = \"300 ms\""))), 0);
    assert_eq!(down["flows"][1]["sender"]["not_made"], 3);
    assert_eq!(down["totals"]["sender"]["not_made"], 6);
    let leave = network(&event("at = \"250 ms\"\nleave = '\\\\DOM'")).replace(r"\\*", r"\\DOM");
    let left = report(&scenario(&leave), 0);
    assert_eq!(left["flows"][0]["audience"]["without_audience"], 7);
    assert_eq!(left["flows"][0]["audience"]["addressed"], 6);
}

#[test]
fn a_program_that_is_busy_goes_on_after_a_pause() {
    for reader in ["{ poll = \"30 ms\" }", "{ service_time = \"30 ms\" }"] {
        let text = network(&event("at = \"305 ms\"\npause = \"B\"\nfor = \"300 ms\""))
            .replace("name = \"t\"\n[[traffic]]", &format!("name = \"t\"\nreader = {reader}\n[[traffic]]"));
        let report = report(&scenario(&text), 0);
        assert_eq!(fates(&report, 1), counts([("delivered", 10)]), "{reader}");
    }
}

/// Closed from 0.305 to 0.605 s: nobody has the slot open then. A slot that starts closed is opened by its event.
#[test]
fn slots_open_and_close() {
    let slot = "{ on = \"B\", mailslot = \"T\" }";
    let closed = event(&format!("at = \"305 ms\"\nclose = {slot}\nfor = \"300 ms\""));
    let without = counts([("delivered", 7), ("no_such_mailslot", 3)]);
    assert_eq!(outcome(&closed)[1], without);
    let in_two =
        event(&format!("at = \"305 ms\"\nclose = {slot}")) + &event(&format!("at = \"605 ms\"\nopen = {slot}"));
    assert_eq!(outcome(&in_two)[1], without);
    let late = network(&event(&format!("at = \"305 ms\"\nopen = {slot}")))
        .replace("name = \"t\"\n[[traffic]]", "name = \"t\"\nopen = false\n[[traffic]]");
    let late = report(&scenario(&late), 0);
    assert_eq!(fates(&late, 1), counts([("delivered", 7), ("no_such_mailslot", 3)]));
    assert_eq!(late["flows"][0]["audience"]["addressed"], 20, "the audience is not asked who has it open");
}

#[test]
fn what_is_in_a_slot_that_is_closed_is_never_read() {
    let text = network(&event("at = \"505 ms\"\nclose = { on = \"B\", mailslot = \"t\" }"))
        .replace("name = \"t\"\n[[traffic]]", "name = \"t\"\nreader = \"never\"\n[[traffic]]");
    assert_eq!(fates(&report(&scenario(&text), 0), 1), counts([("closed_unread", 5), ("no_such_mailslot", 5)]));
}

/// A domain has the members that it has when a message is written. What is on its way then to one who has left is dropped
/// there, since nobody has a slot open under that name.
#[test]
fn domains_have_the_members_of_the_moment() {
    let [left, _] = outcome(&event("at = \"305 ms\"\nleave = \"B\""));
    assert_eq!(left, counts([("delivered", 4 + 3 + 6), ("no_such_mailslot", 1)]));
    let [joined, to_b] = outcome(&event("at = \"305 ms\"\njoin = { host = \"C\", domain = \"DOM\" }"));
    assert_eq!((joined, to_b), (counts([("delivered", 20 + 6)]), counts([("delivered", 10)])));
    let [back, _] = outcome(&event("at = \"305 ms\"\nleave = \"B\"\nfor = \"300 ms\""));
    assert_eq!(back, counts([("delivered", 16), ("no_such_mailslot", 1)]));
    // A's own domain is what `\\*` stands for when it writes.
    let [moved, _] = outcome(&event("at = \"305 ms\"\njoin = { host = \"A\", domain = \"OTHER\" }"));
    assert_eq!(moved, counts([("delivered", 20)]), "to A and C instead of A and B");
    let by_count = report(&scenario(&network(&event("at = \"305 ms\"\njoin = { host = \"C\", domain = \"DOM\" }"))), 0);
    assert_eq!(by_count["flows"][0]["audience"]["by_count"], serde_json::json!([0, 0, 4, 6]));
}

/// A message that is written again keeps its audience, whoever joins meanwhile.
#[test]
fn copies_keep_the_audience_of_the_first() {
    let text = network(&event("at = \"105 ms\"\njoin = { host = \"C\", domain = \"DOM\" }"))
        .replace("every = \"100 ms\"", "every = \"200 ms\"\ncopies = 2\nspacing = \"100 ms\"");
    let report = report(&scenario(&text), 0);
    // 0, 0.2, ... 0.8 s; C has joined before the first copy of the second message.
    assert_eq!(report["flows"][0]["audience"]["addressed"], 2 + 4 * 3);
    assert_eq!(fates(&report, 0), counts([("delivered", 14)]));
}

/// A sender that is back in the domain gets the copies of messages that it wrote before, though it was not addressed.
#[test]
fn a_sender_hears_copies_of_what_it_wrote_outside_the_domain() {
    let text = network(&event("at = \"0 s\"\nleave = \"A\"\nfor = \"250 ms\""))
        .replace(r"\\*", r"\\DOM")
        .replace("every = \"100 ms\"", "at = [\"0 s\"]\ncopies = 2\nspacing = \"500 ms\"");
    let report = report(&scenario(&text), 0);
    assert_eq!(fates(&report, 0), counts([("delivered", 1)]), "B");
    assert_eq!(report["hosts"][0]["delivered"], 1);
}

/// A local slot that is closed and opened again: one write finds its handle dead, those after it no slot, and then all is
/// well.
#[test]
fn local_writers_open_their_slot_anew() {
    let text = network(&event("at = \"250 ms\"\nclose = { on = \"A\", mailslot = \"t\" }\nfor = \"200 ms\""))
        .replace(r"to = '\\B\", r"to = '\\.\");
    let sender = report(&scenario(&text), 0)["flows"][1]["sender"].clone();
    assert_eq!(sender["succeeded"], 8);
    assert_eq!((&sender["failed"]["38"], &sender["failed"]["2"]), (&1.into(), &1.into()));
}

/// With a name service that asks, a host that starts registers its names anew: three broadcasts 250 ms apart, and until
/// 750 ms have passed it is as if it were not there.
#[test]
fn a_host_that_starts_registers_its_names() {
    let text = network(&event("at = \"205 ms\"\nrestart = \"B\""))
        .replace("duration = \"1 s\"", "duration = \"2 s\"\nname_service = \"broadcast\"");
    let lines = trace(&scenario(&text));
    let claims = lines.iter().filter(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["event"] == "offered"
            && line["service"] == "name"
            && line["from"] == "B"
            && line["link"] == "s/B/up"
            && line["t_ns"].as_u64() >= Some(205_000_000)
    });
    assert_eq!(claims.count(), 2 * (3 + 1), "B and DOM: three claims each, and an announcement");
    let report = report(&scenario(&text), 0);
    // From 0.2 s on, which comes at 0.22 s, until 0.955 s: 8 messages.
    assert_eq!(fates(&report, 1), counts([("delivered", 12), ("host_down", 8)]));
}

/// Links are set one value after another, and what was set for a while is as before then.
#[test]
fn link_values_are_set_and_undone() {
    let lossy = event("at = \"305 ms\"\nset = { \"link.l.loss\" = \"100 %\" }\nfor = \"300 ms\"");
    let expected = counts([("delivered", 6), ("lost_on_link", 4)]); // at 0.31 s it goes down, at 0.6 up
    assert_eq!(outcome(&lossy)[1], expected);
    let in_two = event("at = \"305 ms\"\nset = { \"link.l.loss\" = \"100 %\" }")
        + &event("at = \"605 ms\"\nset = { \"link.l.loss\" = \"0 %\" }");
    assert_eq!(outcome(&in_two)[1], expected);
    // What is in force while another is: 60 ms up and 60 ms down, but for the third from 0.2 s on.
    let slower = event("at = \"0 s\"\nset = { \"link.l.delay\" = \"60 ms\" }")
        + &event(
            "at = \"250 ms\"\nset = { \"link.l.loss\" = \"100 %\", \"link.l.delay\" = \"5 ms\" }\nfor = \"40 ms\"",
        );
    let report = report(&scenario(&network(&slower)), 0);
    assert_eq!(report["flows"][1]["delay_ns"]["min"], 120_000_000);
    assert_eq!(fates(&report, 1), counts([("delivered", 9), ("lost_on_link", 1)]));
}

/// 100 datagrams a second of 40 ms each on a link of one 500 byte datagram for each 40 ms; the queue that has built up is
/// sent at its times when the link becomes fast.
#[test]
fn a_queue_outlives_a_change_of_the_rate() {
    let text = |events: &str| {
        network(events)
            .replace("delay = \"10 ms\"", "rate = \"100 kbit/s\"\nqueue = \"1000 datagrams\"")
            .replace("every = \"100 ms\"", "every = \"10 ms\"\nstop = \"200 ms\"\nsize = \"300 B\"")
    };
    let slow = report(&scenario(&text("")), 0);
    let fast = report(&scenario(&text(&event("at = \"200 ms\"\nset = { \"link.l.rate\" = \"1 Gbit/s\" }"))), 0);
    let max = |report: &Value| report["flows"][1]["delay_ns"]["max"].as_u64().unwrap();
    assert_eq!(fates(&fast, 1), counts([("delivered", 20)]));
    assert!(max(&fast) < max(&slow), "down links are fast at once");
    assert!(max(&fast) > 1_000_000_000, "what had its turn on the up link keeps it: {}", max(&fast));
}

fn random(lines: &str) -> String {
    event(&format!("every = {{ exponential = \"200 ms\" }}\n{lines}"))
}

/// When a crash strikes each host, by its own times: another event or another host moves none of them.
#[test]
fn random_faults_depend_on_what_and_whom_alone() {
    let moments = |more: &str, of: &str| -> Vec<String> {
        let lines = trace(&scenario(&network(more)));
        lines.into_iter().filter(|line| line.contains("\"fault\"") && line.contains(of)).collect()
    };
    let crash = random("crash = \"B\"\nfor = \"50 ms\"");
    let alone = moments(&crash, "\"host\":\"B\"");
    assert!(alone.len() > 10, "{alone:?}");
    let both = random("pause = \"A\"\nfor = \"30 ms\"") + &random("crash = '\\\\DOM'\nfor = \"50 ms\"");
    assert_eq!(moments(&both, "\"host\":\"B\""), alone);
    let parted = random("partition = [[\"A\"], [\"B\"]]\nfor = \"50 ms\"");
    let before = random("partition = [[\"A\"], [\"C\"]]\nfor = \"50 ms\"") + &parted;
    assert!(moments(&before, "A | B") == moments(&parted, "A | B") && !moments(&before, "A | C").is_empty());
    let joins = ["RED", "BLUE"].map(|domain| {
        let join = format!("join = {{ host = \"C\", domain = \"{domain}\" }}\nfor = \"10 ms\"");
        moments(&random(&join), domain)[0].split(',').next().unwrap().to_owned()
    });
    assert_ne!(joins[0], joins[1]);
    let a: Vec<String> = moments(&both, "\"host\":\"A\"").into_iter().filter(|line| line.contains("crash")).collect();
    assert!(!a.is_empty() && a.iter().all(|line| !alone.contains(&line.replace("\"A\"", "\"B\""))), "times of its own");
}

/// Up for 200 ms on average, then down for 50 ms: a host is up for 80 % of a long time, and what comes to it meanwhile is
/// delivered. Independent runs; a false alarm once in more than a million.
#[test]
fn random_faults_take_their_share() {
    let text = network(&random("crash = \"B\"\nfor = \"50 ms\"")).replace("duration = \"1 s\"", "duration = \"40 s\"");
    let checked = scenario(&text);
    let share = |replication| {
        let report = report(&checked, replication);
        report["flows"][1]["delivery_ratio"]["value"].as_f64().unwrap()
    };
    // In the first moments it is up for sure, which a long run forgets: e^(-t/40 ms) of 20 %.
    let expected = 0.8 + 0.2 * 0.02 / 40.0;
    support::assert_mean("share", &(0..200).map(share).collect::<Vec<_>>(), expected);
}

/// What is random comes to its own end only: other partitions stay.
#[test]
fn a_random_partition_ends_alone() {
    let both = event("at = \"0 s\"\npartition = [[\"A\"], [\"C\"]]")
        + &random("partition = [[\"A\"], [\"B\"]]\nfor = \"50 ms\"");
    let report = report(
        &scenario(
            &network(&both)
                .replace("duration = \"1 s\"", "duration = \"4 s\"")
                .replace("to = '\\\\B\\", "to = '\\\\C\\"),
        ),
        0,
    );
    assert_eq!(fates(&report, 1), counts([("lost_in_partition", 40)]));
    let cut = fates(&report, 0);
    assert!(cut["delivered"] > 40 && cut["lost_in_partition"] > 0, "{cut:?}");
}

/// Faults of one host move nothing of what happens to the datagrams of the others.
#[test]
fn faults_move_no_other_outcome() {
    let lossy = network("").replace("delay = \"10 ms\"", "delay = \"10 ms\"\nloss = { mean = \"30 %\", burst = 3 }");
    let faulty = format!("{lossy}{}", event("at = \"305 ms\"\ncrash = \"B\"\nfor = \"200 ms\""));
    let [whole, struck] = [lossy, faulty].map(|text| support::outcomes(&scenario(&text)));
    let differ: Vec<&String> = whole.keys().filter(|key| whole.get(*key) != struck.get(*key)).collect();
    assert!(!differ.is_empty() && differ.iter().all(|key| key.ends_with("at \"B\"")), "{differ:?}");
}

const IMPAIRED: &str = "delay = { distribution = \"uniform\", min = \"0 s\", max = \"80 ms\" }\n\
    loss = { mean = \"20 %\", burst = 2 }\nduplicate = \"20 %\"";

fn any_event() -> impl Strategy<Value = String> {
    let host = prop::sample::select(vec!["A", "B", "C", r"\\\\DOM"]);
    let action = (0..10, host).prop_map(|(action, host)| match action {
        0 => format!("crash = \"{host}\""),
        1 => format!("restart = \"{host}\""),
        2 => format!("pause = \"{host}\""),
        3 => format!("resume = \"{host}\""),
        4 => format!("leave = \"{host}\""),
        5 => format!("join = {{ host = \"{host}\", domain = \"OTHER\" }}"),
        6 => format!("open = {{ on = \"{host}\", mailslot = \"t\" }}"),
        7 => format!("close = {{ on = \"{host}\", mailslot = \"t\" }}"),
        8 => "set = { \"link.l.loss.mean\" = \"60 %\", \"link.l.mtu\" = \"100 B\" }".to_owned(),
        _ => "partition = [[\"A\"], [\"B\"]]".to_owned(),
    });
    (action, 0..1_200_u32, 1..400_u32, 0..3).prop_map(|(action, at, lasts, form)| {
        let is_over = action.starts_with("restart") || action.starts_with("resume");
        match (form, is_over) {
            (0, false) => event(&format!("at = \"{at} ms\"\n{action}\nfor = \"{lasts} ms\"")),
            (1, false) if !action.starts_with("set") => random(&format!("{action}\nfor = \"{lasts} ms\"")),
            _ => event(&format!("at = \"{at} ms\"\n{action}")),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever happens, every message has one fate at every recipient (a run asserts it), a sender that waits for replies
    /// believes what is so, and the same run is the same.
    #[test]
    fn every_message_has_its_fate_whatever_happens(
        events in prop::collection::vec(any_event(), 1..12),
        names in prop::sample::select(vec!["static", "broadcast"]),
        reader in prop::sample::select(vec!["\"wait\"", "\"never\"", "{ poll = \"70 ms\" }", "{ service_time = \"40 ms\" }"]),
        repeated in prop::sample::select(vec![
            "",
            "copies = 2\nspacing = \"30 ms\"",
            "copies = 3\nspacing = \"30 ms\"",
            "ack = { slot = 'acks', timeout = \"60 ms\", tries = 3 }",
            "ack = { slot = 'acks', timeout = \"200 ms\", tries = 2 }",
        ]),
        mtu in prop::sample::select(vec!["76 B", "576 B"]),
    ) {
        let text = network(&events.concat())
            .replace("duration = \"1 s\"", &format!("duration = \"1 s\"\nname_service = \"{names}\""))
            .replace("delay = \"10 ms\"", &format!("{IMPAIRED}\nmtu = \"{mtu}\""))
            .replace("every = \"100 ms\"", &format!("every = \"50 ms\"\n{repeated}"))
            .replace("name = \"t\"\n", &format!("name = \"t\"\nreader = {reader}\n"));
        let checked = scenario(&text);
        prop_assert_eq!(report(&checked, 1), report(&checked, 1));
        sim::run(&checked, 1, &mut Fact::default()).unwrap();
    }
}

#[test]
fn mistakes_are_named() {
    for (lines, words) in [
        ("crash = \"B\"", "nothing says when it happens"),
        ("at = \"1 s\"", "nothing says what happens"),
        (
            "at = \"1 s\"\nevery = { exponential = \"1 s\" }\ncrash = \"B\"\nfor = \"1 s\"",
            "`at` and `every` contradict",
        ),
        ("every = { exponential = \"0 s\" }\ncrash = \"B\"\nfor = \"1 s\"", "a mean above 0 s"),
        ("every = { exponential = \"1 s\" }\ncrash = \"B\"", "has to end before it comes again"),
        ("every = { exponential = \"1 s\" }\nresume = \"B\"", "needs something to end"),
        ("every = { exponential = \"1 us\" }\ncrash = \"B\"\nfor = \"1 us\"", "MAX_RANDOM_FAULTS"),
        ("at = \"1 s\"\nrestart = \"B\"\nfor = \"1 s\"", "is over at once"),
        ("at = \"1 s\"\ncrash = \"B\"\nfor = \"0 s\"", "lasts 0 s"),
        ("at = \"1 s\"\ncrash = \"B\"\npause = \"B\"", "`crash` and `pause` contradict"),
        ("at = \"1 s\"\ncrash = \"D\"", "no host is called `D`"),
        ("at = \"1 s\"\njoin = { host = \"B\" }", "`domain`"),
        ("at = \"1 s\"\njoin = { host = \"B\", domain = \"C\" }", "`C` is the name of a host"),
        ("at = \"1 s\"\njoin = { host = \"B\", domain = '\\\\OTHER' }", "write \"OTHER\""),
        ("at = \"1 s\"\ncrash = [\"A\", \"B\"]", "others need an event of their own"),
        ("at = \"1 s\"\nset = { \"link.l\" = {} }", "name one of its values"),
        ("at = \"1 s\"\nset = { \"link.l.delay.mean\" = \"1 s\" }", "set `link.l.delay` as a whole"),
        ("at = \"1 s\"\njoin = { host = \"B\", domain = \"a/b\" }", "is not a NetBIOS name"),
        ("at = \"1 s\"\nclose = { on = \"B\", mailslot = \"tt\" }", "did you mean `t`?"),
        ("at = \"1 s\"\nset = { \"link.l.los\" = \"1 %\" }", "did you mean `loss`?"),
        ("at = \"1 s\"\nset = { \"link.m.loss\" = \"1 %\" }", "did you mean `l`?"),
        ("at = \"1 s\"\nset = { \"link.l.loss\" = 5 }", "could be 5 %"),
        ("at = \"1 s\"\nset = { \"host.A.domain\" = \"X\" }", "is no value of a link profile"),
        ("at = \"1 s\"\nset = { \"link.l.queue\" = \"5 datagrams\" }", "without a rate nothing waits"),
        ("at = \"1 s\"\nset = {}", "it sets no value"),
    ] {
        let text = network(&event(lines));
        let message = try_scenario(&text, &[]).err().unwrap_or_else(|| panic!("accepted: {lines}")).to_string();
        assert!(message.contains(words), "{lines}: {message}");
        assert!(message.contains("test.toml:"), "{message}");
    }
    let two = random("set = { \"link.l.loss\" = \"50 %\" }\nfor = \"1 s\"")
        + &event("at = \"1 s\"\nset = { \"link.l.delay\" = \"1 s\" }");
    let message = try_scenario(&network(&two), &[]).unwrap_err().to_string();
    assert!(message.contains("a random one has to be the only one"), "{message}");
}
