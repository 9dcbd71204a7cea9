//! Runs as a whole: determinism, the sender's view, fates and figures.

mod support;

use mailslot_sim::report::RunReport;
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::stats::{Event, Observer};
use mailslot_sim::time::Instant;
use serde_json::Value;
use support::{Pair, report, scenario, shipped, trace};

/// Two hosts and a flow of 1000 messages between them; `link` is the way down to the receiver.
fn two_hosts(link: &str, mailslot: &str, traffic: &str) -> Scenario {
    let (top, receiver) = ("duration = \"100 s\"", "datagram_errors = true");
    let traffic = &format!("every = \"100 ms\"\n{traffic}");
    Pair { top, down: link, receiver, mailslot, traffic, ..Pair::default() }.scenario()
}

fn fate(report: &Value, fate: &str) -> u64 {
    report["flows"][0]["fates"].get(fate).map_or(0, |count| count.as_u64().unwrap())
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let run = |seed| {
        let scenario = shipped("plant-alarm", &[]).with_seed(seed);
        let outcome = sim::run(&scenario, 0, &mut ()).unwrap();
        (RunReport::new(&scenario, 0, &outcome).to_json(), trace(&scenario))
    };
    assert_eq!(run(42), run(42));
    assert_ne!(run(42).1, run(43).1);
}

#[test]
fn replications_of_a_seed_differ() {
    let scenario = shipped("plant-alarm", &[]);
    assert_ne!(report(&scenario, 0)["flows"], report(&scenario, 1)["flows"]);
}

/// The lesson of the whole: the lines that the sender could know are the same whether everything or nothing arrives.
#[test]
fn the_sender_sees_the_same_whether_everything_or_nothing_arrives() {
    let sender_lines = |loss: &str| -> Vec<String> {
        let scenario = shipped("plant-alarm", &[&format!("link.switch.loss.mean={loss}")]);
        let fates = report(&scenario, 0)["flows"][0]["fates"].clone();
        assert_eq!(fates["delivered"], if loss == "0 %" { 6000 } else { 0 });
        trace(&scenario).into_iter().filter(|line| line.contains("\"side\":\"sender\"")).collect()
    };
    let nothing_lost = sender_lines("0 %");
    assert_eq!(nothing_lost.len(), 500);
    assert_eq!(nothing_lost, sender_lines("100 %"));
}

#[test]
fn slots_that_cannot_take_a_message_drop_it_and_every_write_succeeds() {
    for (mailslot, traffic, expected) in [
        ("max_message_size = \"63 B\"", "", "too_large_for_slot"),
        ("reader = \"never\"", "", "unread"),
        ("", "size = \"0 B\"", "delivered"),
    ] {
        let report = report(&two_hosts("", mailslot, traffic), 0);
        assert_eq!(fate(&report, expected), 1000, "{mailslot} {traffic}");
        assert_eq!(report["flows"][0]["sender"]["succeeded"], 1000);
    }
    let report = report(&two_hosts("", "reader = \"never\"\nqueue_limit = 7", ""), 0);
    assert_eq!((fate(&report, "unread"), fate(&report, "slot_full")), (7, 993));
}

#[test]
fn a_write_that_fails_addresses_nobody() {
    let report = report(&two_hosts("", "", "size = \"425 B\""), 0);
    let flow = &report["flows"][0];
    assert_eq!((&flow["sender"]["succeeded"], &flow["sender"]["failed"]["53"]), (&0.into(), &1000.into()));
    assert_eq!((&flow["audience"]["addressed"], &flow["delivery_ratio"]["value"]), (&0.into(), &Value::Null));
}

#[test]
fn readers_keep_their_own_time() {
    let delay =
        |mailslot: &str| report(&two_hosts("delay = \"1 ms\"", mailslot, ""), 0)["flows"][0]["delay_ns"].clone();
    assert_eq!(delay("")["max"], 1_000_000);
    assert_eq!(delay("reader = { poll = \"70 ms\" }")["max"], 70_000_000, "written at a look, it waits for the next");
    let looks = two_hosts("", "reader = { poll = \"50 ms\" }", "");
    assert_eq!(report(&looks, 0)["flows"][0]["delay_ns"]["max"], 0, "arriving at a look, it is read at once");
    let busy = delay("reader = { service_time = \"150 ms\" }");
    assert_eq!(busy["min"], 1_000_000, "the first finds the program free");
    assert!(busy["max"].as_u64().unwrap() > 10_000_000_000, "a queue builds up: 150 ms for each, one every 100 ms");
}

#[test]
fn what_is_on_a_link_when_the_run_ends_is_in_flight() {
    let report = report(&two_hosts("delay = \"30 s\"", "", ""), 0);
    assert_eq!(
        (fate(&report, "delivered"), fate(&report, "in_flight")),
        (801, 199),
        "written until 80 s; the end is 110 s"
    );
}

/// A program that finds very many messages at one look reads them all.
#[test]
fn a_reader_takes_in_any_number_of_messages_at_once() {
    let set = ["link.cable.loss=0 %", "mailslot.hello.reader.poll=12 s", "traffic.greeting.every=50 us"];
    let report = report(&shipped("hello", &set), 0);
    assert_eq!(
        (fate(&report, "delivered"), &report["flows"][0]["delay_ns"]["max"]),
        (200_000, &12_000_000_000_u64.into())
    );
}

/// A broadcast that is on its first link when the run ends is in flight for those whom it could have reached; others are
/// unreachable whatever becomes of it.
#[test]
fn what_topology_decides_stays_decided() {
    let set = ["link.wan.delay=200 s", "link.wan.loss=0 %", "segment.hq.link.up=wan"];
    let report = report(&shipped("branch-office", &set), 0);
    assert_eq!([fate(&report, "delivered"), fate(&report, "in_flight"), fate(&report, "unreachable")], [60, 240, 180]);
}

/// A flipped bit is found by the checksum, but for two flips that cancel; without checksum the engine sees the damage.
#[test]
fn corruption_is_found_by_the_checksum_or_seen_by_the_engine() {
    let checked = report(&two_hosts("corrupt = \"100 %\"", "", ""), 0);
    assert_eq!(fate(&checked, "corrupted"), 1000);
    assert_eq!(checked["hosts"][1]["discarded"]["malformed"], 1000);

    let unchecked = report(&two_hosts("corrupt = \"100 %\"\nudp_checksum = false", "", ""), 0);
    let flow = &unchecked["flows"][0];
    let [delivered, damaged] = [fate(&unchecked, "delivered"), flow["damaged"].as_u64().unwrap()];
    assert!(delivered > 500 && damaged > 200 && damaged < delivered, "{delivered} delivered, {damaged} damaged");
    assert_eq!(delivered + fate(&unchecked, "corrupted"), 1000);
}

/// Acknowledgements are measured, not assumed: a machine that answers a damaged name with DATAGRAM ERROR is heard.
#[test]
fn acknowledgements_are_counted_when_there_are_any() {
    let acknowledgements = |link: &str| {
        let report = report(&two_hosts(link, "", ""), 0);
        assert_eq!(report["hosts"][1]["sent"], report["hosts"][0]["received"], "what B sends, A receives");
        report["flows"][0]["sender"]["acknowledgements"].as_u64().unwrap()
    };
    assert_eq!(acknowledgements("loss = \"50 %\""), 0);
    assert!(acknowledgements("corrupt = \"100 %\"\nudp_checksum = false") > 50);
}

/// A bit of a group's name flips it into that of another group: a host outside the audience takes the message.
#[test]
fn damaged_addresses_can_lead_to_others() {
    let scenario = scenario(
        r#"
        schema = 1
        name = "astray"
        duration = "2000 s"
        [link.l]
        corrupt = "100 %"
        udp_checksum = false
        [segment.s]
        link = { down = "l" }
        [[host]]
        name = "CALLER"
        domain = "DOM1"
        segment = "s"
        [[host]]
        name = "MEMBER"
        domain = "DOM1"
        segment = "s"
        [[host]]
        name = "STRANGER"
        domain = "DOM2"
        segment = "s"
        [[mailslot]]
        on = "MEMBER"
        name = "t"
        [[mailslot]]
        on = "STRANGER"
        name = "t"
        [[traffic]]
        name = "f"
        from = "CALLER"
        to = '\\DOM1\mailslot\t'
        every = "100 ms"
        size = "1 B"
        "#,
    );
    let report = report(&scenario, 0);
    let misdelivered = report["flows"][0]["misdelivered"].as_u64().unwrap();
    assert!(misdelivered > 2, "{misdelivered} of 20000 flips of one of 1352 bits hit the one that matters");
    assert_eq!(report["hosts"][2]["delivered"], misdelivered, "its program reads them");
    assert_eq!(report["flows"][0]["audience"]["size"], 1, "and is not in the audience");
}

#[test]
fn a_domain_writes_own_copy_is_certain_and_takes_no_time() {
    let scenario = shipped("branch-office", &["segment.hq.link=wan"]);
    let report = report(&scenario, 0);
    assert_eq!(report["hosts"][0]["delivered"], 60, "BOSS reads its own");
    assert_eq!(report["flows"][0]["delay_ns"]["min"], 0);
    assert_eq!(fate(&report, "unreachable"), 180);
}

#[test]
fn link_counters_close() {
    let link = "loss = \"20 %\"\nduplicate = \"30 %\"\ncorrupt = \"10 %\"";
    let report = report(&two_hosts(link, "", ""), 0);
    for link in report["links"].as_array().unwrap() {
        let count = |name: &str| link[name].as_u64().unwrap();
        assert_eq!(count("carried") + count("lost"), count("offered") + count("duplicated"));
        assert_eq!(count("bytes"), count("carried") * (28 + 14 + 68 + 84 + 64), "IP datagrams");
    }
}

/// Every duplicate is named by the links that made it, and every loss says how many links were passed before.
#[test]
fn an_instance_knows_the_links_that_it_passed() {
    #[derive(Default)]
    struct Seen {
        arrived: Vec<u32>,
        passed: Vec<u8>,
    }
    impl Observer for Seen {
        fn observe(&mut self, _: Instant, event: &Event<'_>) {
            match event {
                Event::Arrived { instance, .. } => self.arrived.push(instance.duplicate),
                Event::Lost { links_passed, .. } => self.passed.push(*links_passed),
                _ => {}
            }
        }
    }
    let seen = |up: &str, down: &str| {
        let mut seen = Seen::default();
        let (top, traffic) = ("duration = \"1 s\"", "every = \"1 s\"");
        let pair = Pair { top, up, down, traffic, ..Pair::default() };
        sim::run(&pair.scenario(), 0, &mut seen).unwrap();
        seen.arrived.sort_unstable();
        (seen.arrived, seen.passed)
    };
    let (twice, lost) = ("duplicate = \"100 %\"", "loss = \"100 %\"");
    assert_eq!(seen(twice, twice), (vec![0b00, 0b01, 0b10, 0b11], vec![]));
    assert_eq!(seen(lost, ""), (vec![], vec![0]));
    assert_eq!(seen("", lost), (vec![], vec![1]));
}

/// One sender with these switches, and a receiver with those, on links that lose nothing unless they say so.
fn switched(sender: &str, receiver: &str, link: &str, size: u32, to: &str) -> Value {
    let (top, slot) = ("duration = \"100 s\"", "slotnam8");
    let traffic = &format!("every = \"1 s\"\nsize = \"{size} B\"");
    let pair = Pair { top, down: link, sender, receiver, slot, to, traffic, ..Pair::default() };
    report(&pair.scenario(), 0)
}

const TO_HOST: &str = r"\\B\mailslot\slotnam8";
const TO_DOMAIN: &str = r"\\DOM\mailslot\slotnam8";

#[test]
fn a_copy_comes_on_every_transport_that_both_are_on() {
    for to in [TO_HOST, TO_DOMAIN] {
        for (sender, receiver, sent, copies) in [(1, 1, 100, 1), (3, 2, 300, 2), (2, 3, 200, 2), (8, 1, 800, 1)] {
            let report = switched(&format!("transports = {sender}"), &format!("transports = {receiver}"), "", 64, to);
            assert_eq!(fate(&report, "delivered"), 100);
            assert_eq!(report["flows"][0]["duplicates"], 100 * (copies - 1), "{sender} and {receiver}, {to}");
            let sent = if to == TO_HOST { 100 * copies } else { sent };
            assert_eq!(report["hosts"][0]["sent"], sent, "to one host nothing goes where its name is not known");
            assert_eq!(report["hosts"][1]["discarded"]["not_for_us"], sent - 100 * copies);
        }
    }
}

/// A copy on a transport that the recipient is not on was never for it: it tells nothing about the message's fate.
#[test]
fn copies_on_other_transports_have_no_fate() {
    for to in [TO_HOST, TO_DOMAIN] {
        let report = switched("transports = 2", "", "loss = \"50 %\"", 64, to);
        assert_eq!(fate(&report, "delivered") + fate(&report, "lost_on_link"), 100, "{to}");
    }
}

#[test]
fn a_lost_fragment_loses_the_message() {
    let whole = switched("", "", "loss = \"20 %\"", 424, TO_HOST);
    let split = switched("fragments = true", "", "loss = \"20 %\"", 424, TO_HOST);
    assert_eq!(fate(&whole, "lost_fragment"), 0);
    assert_eq!((fate(&split, "lost_on_link"), split["links"][3]["offered"].as_u64()), (0, Some(200)));
    assert_eq!(fate(&split, "lost_fragment") + fate(&split, "delivered"), 100);
    assert!(fate(&split, "lost_fragment") > fate(&whole, "lost_on_link"), "its first fragment draws as the whole does");
    // Half the firsts wait in vain, or half the lasts find none: the host says so.
    assert!(split["hosts"][1]["discarded"]["missing_fragment"].as_u64().unwrap() > 0);
    // A last fragment that overtakes the first is of no use.
    let jitter = "delay = { distribution = \"uniform\", min = \"0 s\", max = \"10 ms\" }";
    let overtaken = fate(&switched("fragments = true", "", jitter, 424, TO_HOST), "lost_fragment");
    assert!((30..70).contains(&overtaken), "{overtaken} of 100 last fragments came first");
}

#[test]
fn the_policy_on_remote_mailslots_fails_writes_and_silences_receivers() {
    let off = "remote_mailslots_disabled = true";
    let sender = switched(off, "", "", 64, TO_HOST);
    assert_eq!((&sender["flows"][0]["sender"]["failed"]["3025"], fate(&sender, "delivered")), (&100.into(), 0));
    let receiver = switched("", off, "", 64, TO_HOST);
    assert_eq!((&receiver["flows"][0]["sender"]["succeeded"], fate(&receiver, "no_such_mailslot")), (&100.into(), 100));
}

#[test]
fn limits_of_the_api_can_be_switched() {
    let succeeded = |switches: &str, size| {
        let text = TO_HOST.replace("slotnam8", "four");
        switched(switches, "", "", size, &text)["flows"][0]["sender"]["succeeded"].as_u64().unwrap() > 0
    };
    assert_eq!([424, 425, 428].map(|size| succeeded("", size)), [true, false, false]);
    assert_eq!([425, 428, 429].map(|size| succeeded("api_424 = false", size)), [true, true, false]);
    let hole = "api_424 = false\nhole_425_426 = true";
    assert_eq!([424, 425, 426, 427].map(|size| succeeded(hole, size)), [true, false, false, true]);
}

/// Samba writes no padding: to a slot with a name of one letter that is three bytes less.
#[test]
fn layouts_differ_in_the_bytes_on_the_links_and_in_nothing_else() {
    let run = |layout| {
        let report = switched(&format!("layout = \"{layout}\""), "", "", 64, &TO_HOST.replace("slotnam8", "t"));
        let fates = report["flows"][0]["fates"].clone();
        (report["links"][3]["bytes"].as_u64().unwrap(), fates)
    };
    let ((windows, fates), (samba, same)) = (run("windows"), run("samba"));
    assert_eq!((windows - samba, fates), (100 * 3, same));
}
