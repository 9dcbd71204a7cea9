//! Acknowledgements that programs build themselves: when a sender writes again, what it believes, and what is so.
//!
//! The statistical tests compare means over independent seeds with the closed forms within 5 of their own standard errors: a
//! false alarm once in more than a million choices of the seeds for each comparison, fewer than 1 in 20,000 for this file.

mod support;

use std::collections::BTreeSet;

use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use serde_json::Value;
use support::{Fact, Pair, assert_mean, report, scenario, trace};

const TOP: &str = "duration = \"10 s\"";
const ACK: &str = "every = \"1 s\"\nack = { slot = 'acks', timeout = \"100 ms\", tries = 3 }";

/// A pair whose flow asks for replies.
fn acked<'a>() -> Pair<'a> {
    Pair { top: TOP, traffic: ACK, ..Pair::default() }
}

/// One sender, A, and three hosts of its domain, on a segment with these links and mailslots.
fn domain(links: &str, hosts: &str, traffic: &str) -> Scenario {
    scenario(&domain_text(links, hosts, traffic))
}

fn domain_text(links: &str, hosts: &str, traffic: &str) -> String {
    format!(
        r#"
        schema = 1
        name = "domain"
        duration = "10 s"
        {links}
        [[host]]
        name = "A"
        domain = "DOM"
        segment = "s"
        [[host]]
        name = "B{{1..3}}"
        domain = "DOM"
        segment = "s"
        {hosts}
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\DOM\mailslot\t'
        {traffic}
        "#
    )
}

fn flow(scenario: &Scenario) -> Value {
    report(scenario, 0)["flows"][0].clone()
}

/// Figures by their paths.
fn figures<const N: usize>(flow: &Value, paths: [&str; N]) -> [f64; N] {
    paths.map(|path| path.split('.').fold(flow, |value, key| &value[key]).as_f64().unwrap_or(0.0))
}

/// What the sender believes: messages confirmed and given up, messages at recipients believed and delivered.
fn belief(flow: &Value) -> [f64; 4] {
    figures(flow, ["ack.confirmed", "ack.given_up", "ack.belief_ratio.k", "fates.delivered"])
}

fn replies(flow: &Value) -> [f64; 3] {
    figures(flow, ["ack.replies_sent", "ack.replies_received", "sender.acknowledgements"])
}

#[test]
fn where_nothing_is_lost_every_message_is_written_once_and_confirmed() {
    let report = report(&acked().scenario(), 0);
    let flow = &report["flows"][0];
    assert_eq!(belief(flow), [10.0, 0.0, 10.0, 10.0]);
    assert_eq!(replies(flow), [10.0; 3]);
    assert_eq!(
        figures(flow, ["ack.tries.mean", "ack.tries.max", "ack.false_despair", "duplicates"]),
        [1.0, 1.0, 0.0, 0.0]
    );
    // Replies are datagrams like others: they leave B, pass its link up and A's down, and A's program reads them.
    let counts = |name: &str| [0, 1].map(|host| report["hosts"][host][name].as_u64().unwrap());
    assert_eq!((counts("sent"), counts("received"), counts("delivered")), ([10, 10], [10, 10], [10, 10]));
    assert_eq!([0, 1, 2, 3].map(|link| report["links"][link]["carried"].as_u64().unwrap()), [10; 4]);
}

/// A lost reply is a message written again: delivered more than once, and the sender knows less than is so.
#[test]
fn where_replies_are_lost_the_sender_despairs_of_what_was_delivered() {
    let half = scenario(&lossy_way_back("100 %"));
    let flow = flow(&half);
    assert_eq!(belief(&flow), [0.0, 10.0, 0.0, 10.0]);
    assert_eq!(figures(&flow, ["sender.writes", "duplicates", "ack.false_despair"]), [30.0, 20.0, 10.0]);
    assert_eq!(replies(&flow), [30.0, 0.0, 0.0]);
    assert_eq!(figures(&flow, ["ack.tries.mean", "ack.tries.max"]), [3.0, 3.0]);
}

/// A to B without loss, and B to A with so much.
fn lossy_way_back(loss: &str) -> String {
    format!(
        r#"
        schema = 1
        name = "back"
        duration = "10 s"
        [link.back]
        loss = "{loss}"
        [segment.s]
        [[host]]
        name = "A"
        segment = "s"
        [[host]]
        name = "B"
        segment = "s"
        link = {{ up = "back" }}
        [[mailslot]]
        on = "B"
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\B\mailslot\t'
        {ACK}
        "#
    )
}

#[test]
fn where_messages_are_lost_nobody_replies_and_the_sender_gives_up() {
    let flow = flow(&Pair { down: "loss = \"100 %\"", ..acked() }.scenario());
    assert_eq!(belief(&flow), [0.0, 10.0, 0.0, 0.0]);
    assert_eq!(figures(&flow, ["sender.writes", "fates.lost_on_link"]), [30.0, 10.0]);
    assert_eq!(replies(&flow), [0.0; 3]);
}

/// A slot that nobody has open, or whose reader never reads, replies as little as one that is not reached.
#[test]
fn only_what_is_read_is_replied_to() {
    for (pair, fate) in [
        (Pair { slot: "other", ..acked() }, "fates.no_such_mailslot"),
        (Pair { mailslot: "reader = \"never\"", ..acked() }, "fates.unread"),
        (Pair { mailslot: "max_message_size = \"20 B\"", ..acked() }, "fates.too_large_for_slot"),
    ] {
        let flow = flow(&pair.scenario());
        assert_eq!(figures(&flow, [fate, "ack.given_up", "ack.replies_sent"]), [10.0, 10.0, 0.0], "{fate}");
    }
    // One that looks too seldom has its reply come when the sender has given up.
    let seldom = flow(&Pair { mailslot: "reader = { poll = \"700 ms\" }", ..acked() }.scenario());
    let [delivered, received, despair] =
        figures(&seldom, ["fates.delivered", "ack.replies_received", "ack.false_despair"]);
    assert!(delivered == 10.0 && despair > 3.0 && received > 10.0 - despair, "{despair} of {delivered}, {received}");
}

/// A reply that comes at the moment of the next write, or of giving up, comes too late for that.
#[test]
fn a_reply_must_come_before_the_next_write() {
    let run = |delay: &str, tries: u32| {
        let link = format!("delay = \"{delay}\"");
        let traffic = format!("every = \"1 s\"\nack = {{ slot = 'acks', timeout = \"100 ms\", tries = {tries} }}");
        let flow = flow(&Pair { down: &link, traffic: &traffic, ..acked() }.scenario());
        figures(&flow, ["ack.tries.mean", "ack.confirmed", "ack.false_despair"])
    };
    // The way down leads to B, and back to A.
    assert_eq!(run("49999999 ns", 3), [1.0, 10.0, 0.0]);
    assert_eq!(run("50 ms", 3), [2.0, 10.0, 0.0]);
    assert_eq!(run("149999999 ns", 3), [3.0, 10.0, 0.0]);
    assert_eq!(run("150 ms", 3), [3.0, 0.0, 10.0]);
    assert_eq!(run("50 ms", 1), [1.0, 0.0, 10.0]);
    // However the moment came to be the same: here the reply was on its way before the next write was set down.
    let traffic = "every = \"60 ms\"\nack = { slot = 'acks', timeout = \"100 ms\", tries = 3 }";
    let flow = flow(&Pair { down: "delay = \"50 ms\"", traffic, ..acked() }.scenario());
    assert_eq!(figures(&flow, ["ack.tries.mean", "ack.given_up"]), [2.0, 0.0]);
}

/// To a domain, the sender has a list of those who should reply, and writes for all as long as one is missing.
#[test]
fn a_message_to_a_domain_is_written_until_everybody_has_replied() {
    let deaf =
        "[[mailslot]]\non = \"B{1..2}\"\nname = \"t\"\n[[mailslot]]\non = \"B3\"\nname = \"t\"\nreader = \"never\"";
    let flow = flow(&domain("[segment.s]", deaf, ACK));
    assert_eq!(belief(&flow), [0.0, 10.0, 20.0, 20.0], "two of three");
    assert_eq!(figures(&flow, ["sender.writes", "duplicates", "audience.addressed"]), [30.0, 40.0 + 20.0, 30.0]);
    let all = "[[mailslot]]\non = '\\\\DOM'\nname = \"t\"";
    let report = report(&domain("[segment.s]", all, ACK), 0);
    let flow = &report["flows"][0];
    assert_eq!(belief(flow), [10.0, 0.0, 40.0, 40.0]);
    // The sender's own copy is replied to on its own machine: forty replies, of which thirty are datagrams.
    assert_eq!(replies(flow), [40.0, 40.0, 30.0]);
    assert_eq!(report["hosts"][0]["sent"], 10);
}

#[test]
fn several_senders_and_flows_do_not_take_each_others_replies() {
    let text = r#"
        schema = 1
        name = "several"
        duration = "10 s"
        [link.l]
        loss = "30 %"
        delay = "3 ms"
        [segment.s]
        link = "l"
        [[host]]
        name = "A{1..3}"
        segment = "s"
        [[host]]
        name = "B"
        segment = "s"
        [[mailslot]]
        on = "B"
        name = "t"
        [[mailslot]]
        on = "B"
        name = "u"
        [[traffic]]
        name = "f"
        from = "A{1..3}"
        to = '\\B\mailslot\t'
        every = "20 ms"
        ack = { slot = 'acks', timeout = "50 ms", tries = 4 }
        [[traffic]]
        name = "g"
        from = "A1"
        to = '\\B\mailslot\u'
        every = "30 ms"
        ack = { slot = 'acks', timeout = "70 ms", tries = 2 }
    "#;
    let together = report(&scenario(text), 0);
    let alone = |flow: &str| {
        let start = text.find(&format!("[[traffic]]\n        name = \"{flow}\"")).unwrap();
        let end = text[start + 1..].find("[[traffic]]").map_or(text.len(), |length| start + 1 + length);
        report(&scenario(&format!("{}{}", &text[..text.find("[[traffic]]").unwrap()], &text[start..end])), 0)
    };
    // Each flow comes to the same end as if the other were not there: draws belong to datagrams, replies too.
    assert_eq!(together["flows"][0], alone("f")["flows"][0]);
    assert_eq!(together["flows"][1], alone("g")["flows"][0]);
}

/// What is damaged is not replied to, and what a damaged reply says is not believed.
#[test]
fn damage_is_never_taken_for_confirmation() {
    let link = "corrupt = \"60 %\"\nudp_checksum = false\nloss = \"10 %\"";
    let often = "every = \"10 ms\"\nack = { slot = 'acks', timeout = \"5 ms\", tries = 2 }";
    let flow = flow(&Pair { up: link, down: link, traffic: often, ..acked() }.scenario());
    let [damaged, sent, received] = figures(&flow, ["damaged", "ack.replies_sent", "ack.replies_received"]);
    let [confirmed, _, believed, delivered] = belief(&flow);
    assert!(
        damaged > 10.0 && received < sent / 2.0,
        "{damaged} messages are damaged, {received} of {sent} replies whole"
    );
    assert!(confirmed > 10.0 && believed < delivered, "{confirmed} confirmed, {believed} believed of {delivered}");
    let whole = figures(&flow, ["fates.delivered"])[0] + figures(&flow, ["duplicates"])[0] - damaged;
    assert!(sent <= whole, "{sent} replies to at most {whole} whole copies");
}

/// A flipped bit of its address can lead a message to another mailslot of the same host, whose program has agreed on other
/// messages.
#[test]
fn what_is_read_from_another_mailslot_is_not_replied_to() {
    let other = "[[mailslot]]\non = \"B\"\nname = \"u\"";
    let traffic = format!("every = \"1 ms\"\nack = {{ slot = 'acks', timeout = \"1 ms\", tries = 1 }}\n{other}");
    let scenario = Pair { up: "corrupt = \"100 %\"\nudp_checksum = false", traffic: &traffic, ..acked() }.scenario();
    let mut fact = Fact::default();
    let outcome = sim::run(&scenario, 0, &mut fact).unwrap();
    let flow = &outcome.tally.flows[0];
    assert!(flow.ack.unwrap().confirmed > 100);
    assert!(flow.misdelivered > 0, "10,000 flips of one of some 1,900 bits hit the one that matters");
}

/// The replies of several readers pass the sender's link together, and each has its own luck there.
#[test]
fn each_reply_draws_for_itself() {
    let links = "[link.l]\nloss = \"50 %\"\n[segment.s]";
    let slots = "[[mailslot]]\non = \"B{1..3}\"\nname = \"t\"";
    let once = "every = \"50 ms\"\nack = { slot = 'acks', timeout = \"40 ms\", tries = 1 }";
    let text = domain_text(links, slots, once).replace("name = \"A\"", "name = \"A\"\nlink = { down = \"l\" }");
    let flow = flow(&scenario(&text));
    let [delivered, received, confirmed] = figures(&flow, ["fates.delivered", "ack.replies_received", "ack.confirmed"]);
    assert_eq!(delivered, 600.0);
    assert!((250.0..350.0).contains(&received), "{received} of 600");
    assert!(confirmed < 60.0, "{confirmed} of 200, and not a hundred: the three replies are not lost together");
}

/// Where names are looked up, a reply waits for the sender's name as any write does.
#[test]
fn replies_look_up_the_name_of_the_sender() {
    let top = "duration = \"10 s\"\nname_service = \"broadcast\"";
    let slow = "delay = \"20 ms\"";
    let traffic = "every = \"1 s\"\nack = { slot = 'acks', timeout = \"900 ms\", tries = 1 }";
    let flow = flow(&Pair { top, down: slow, traffic, ..acked() }.scenario());
    assert_eq!(belief(&flow), [10.0, 0.0, 10.0, 10.0]);
    assert_eq!(replies(&flow), [10.0; 3], "questions and answers are no replies");
}

/// The lines about datagrams on links that `is_meant` chooses, in any order.
fn on_links(scenario: &Scenario, is_meant: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let lines = trace(scenario).into_iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
    lines.filter(|line| line["side"] == "network" && is_meant(line)).map(|line| line.to_string()).collect()
}

/// A damaged answer about the sender's name leads replies to another host, or to all: nobody else hears of them.
#[test]
fn replies_that_go_astray_are_nobodys() {
    let pair = Pair {
        top: "duration = \"3 s\"\nname_service = \"broadcast\"",
        up: "corrupt = \"50 %\"\nudp_checksum = false\nduplicate = \"50 %\"",
        down: "corrupt = \"50 %\"\nudp_checksum = false",
        traffic: "every = \"500 ms\"\nack = { slot = 'acks', timeout = \"100 ms\", tries = 3 }",
        ..Pair::default()
    };
    let scenario = pair.scenario();
    let mut astray = 0;
    for seed in 0..3_000 {
        let flow = &sim::run(&scenario, seed, &mut Fact::default()).unwrap().tally.flows[0];
        let ack = flow.ack.unwrap();
        assert!(ack.replies_received <= flow.acknowledgements, "what A reads had come to it");
        astray += u64::from(ack.replies_sent > 0 && flow.acknowledgements == 0);
    }
    assert!(astray > 10, "{astray} runs in which no reply found A");
}

/// Replies draw for themselves: the first writes of messages come to the same end with replies and without.
#[test]
fn replies_move_no_outcome_of_messages() {
    let link =
        "loss = \"30 %\"\nduplicate = \"10 %\"\ndelay = { distribution = \"uniform\", min = \"1 ms\", max = \"9 ms\" }";
    let plain = Pair { top: TOP, up: link, down: link, traffic: "every = \"50 ms\"\ncount = 150", ..Pair::default() };
    let asking = format!("{}\nack = {{ slot = 'acks', timeout = \"40 ms\", tries = 3 }}", plain.traffic);
    let first_writes =
        |scenario: &Scenario| on_links(scenario, |line| line["copy"] == 0 && line.get("service").is_none());
    let lines = first_writes(&plain.scenario());
    assert!(lines.len() > 300 && lines == first_writes(&Pair { traffic: &asking, ..plain }.scenario()));
}

/// A host more is one that replies too, and moves no reply of the others.
#[test]
fn replies_move_no_outcome_of_each_other() {
    let links = "[link.l]\nloss = \"30 %\"\n[segment.s]\nlink = \"l\"";
    let slots = "[[mailslot]]\non = \"B{1..3}\"\nname = \"t\"";
    let more = "[[host]]\nname = \"B0\"\ndomain = \"DOM\"\nsegment = \"s\"\n[[mailslot]]\non = \"B0\"\nname = \"t\"";
    let once = "every = \"50 ms\"\nack = { slot = 'acks', timeout = \"40 ms\", tries = 1 }";
    let replies =
        |hosts: &str| on_links(&domain(links, hosts, once), |line| line["service"] == "ack" && line["from"] != "B0");
    let lines = replies(slots);
    assert!(lines.len() > 300 && lines == replies(&format!("{slots}\n{more}")));
}

/// The mean over many seeds of what the report measures against its closed form.
fn check(pair: &Pair<'_>) {
    let scenario = pair.scenario();
    let reports: Vec<Value> = (0..200).map(|seed| report(&scenario, seed)["flows"][0].clone()).collect();
    let measured = [
        ("delivery_ratio", "delivery_ratio.value"),
        ("belief_ratio", "ack.belief_ratio.value"),
        ("tries", "ack.tries.mean"),
    ];
    for (form, path) in measured {
        let theory = reports[0]["theory"][form].as_f64().unwrap_or_else(|| panic!("no theory of {form}"));
        let values: Vec<f64> = reports.iter().map(|flow| figures(flow, [path])[0]).collect();
        assert!(values.iter().any(|value| *value != values[0]), "{form} never varies");
        assert_mean(&format!("{form} ({}; {})", pair.up, pair.down), &values, theory);
    }
}

#[test]
fn belief_tries_and_delivery_are_those_of_the_closed_forms() {
    let traffic = "every = \"250 ms\"\nack = { slot = 'acks', timeout = \"100 ms\", tries = 3 }";
    let pair = Pair { top: "duration = \"50 s\"", traffic, ..Pair::default() };
    check(&Pair { down: "loss = \"30 %\"\ndelay = \"10 ms\"", ..pair });
    check(&Pair { up: "loss = \"10 %\"", down: "loss = \"20 %\"", ..pair });
    let jitter = "delay = { distribution = \"uniform\", min = \"0 s\", max = \"20 ms\" }";
    check(&Pair { up: &format!("loss = \"20 %\"\nduplicate = \"30 %\"\n{jitter}"), down: "loss = \"30 %\"", ..pair });
    check(&Pair { down: "loss = \"30 %\"", mailslot: "reader = { poll = \"30 ms\" }", ..pair });
    let once = "every = \"250 ms\"\nack = { slot = 'acks', timeout = \"100 ms\", tries = 1 }";
    let burst = "loss = { mean = \"20 %\", burst = 4 }";
    let scenario = Pair { traffic: once, up: burst, down: "loss = \"10 %\"", ..pair }.scenario();
    let reports: Vec<f64> =
        (0..200).map(|seed| figures(&report(&scenario, seed)["flows"][0], ["ack.belief_ratio.value"])[0]).collect();
    assert_mean("belief under bursts", &reports, (0.8_f64 * 0.9).powi(2));
    assert_eq!(flow(&scenario)["theory"]["belief_ratio"].as_f64().map(|it| (it * 1e9).round()), Some(0.5184e9));
}

/// 1 - (1 - q)^n and its like, worked out by hand.
#[test]
fn closed_forms_by_hand() {
    let link = "loss = \"50 %\"";
    let theory =
        |pair: &Pair<'_>| figures(&flow(&pair.scenario())["theory"], ["delivery_ratio", "belief_ratio", "tries"]);
    let close = |found: [f64; 3], expected: [f64; 3]| {
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    };
    // Half of the tries arrive, and a quarter leads to a reply.
    close(theory(&Pair { down: link, ..acked() }), [1.0 - 0.125, 1.0 - 0.75 * 0.75 * 0.75, 1.0 + 0.75 + 0.5625]);
    close(theory(&acked()), [1.0, 1.0, 1.0]);
    close(
        theory(&Pair {
            to: r"\\.\mailslot\u",
            traffic: &format!("{ACK}\n[[mailslot]]\non = \"A\"\nname = \"u\""),
            ..acked()
        }),
        [1.0; 3],
    );
}

#[test]
fn no_closed_form_of_belief_where_replies_can_be_late_or_depend_on_others() {
    let belief = |scenario: &Scenario| flow(scenario)["theory"].get("belief_ratio").is_some();
    assert!(belief(&Pair { down: "delay = \"49 ms\"", ..acked() }.scenario()));
    for pair in [
        Pair { down: "delay = \"50 ms\"", ..acked() },
        Pair { top: "duration = \"10 s\"\ndrain = \"97 ms\"", down: "delay = \"49 ms\"", ..acked() },
        Pair { down: "rate = \"1 Mbit/s\"", ..acked() },
        Pair { up: "loss = { mean = \"20 %\", burst = 4 }", ..acked() },
        Pair { top: "duration = \"10 s\"\nname_service = \"broadcast\"", ..acked() },
        Pair { sender: "transports = 2", receiver: "transports = 2", ..acked() },
        Pair { mailslot: "reader = { poll = \"100 ms\" }", ..acked() },
    ] {
        let scenario = pair.scenario();
        assert!(!belief(&scenario), "{} {} {}", pair.up, pair.down, pair.mailslot);
    }
    let all = "[[mailslot]]\non = \"B{1..3}\"\nname = \"t\"";
    assert!(!belief(&domain("[segment.s]", all, ACK)));
    // What is delivered has one all the same: tries end when everybody has it.
    let theory =
        flow(&domain("[link.l]\nloss = \"50 %\"\n[segment.s]\nlink = { down = \"l\" }", all, ACK))["theory"].clone();
    let [each, all] = figures(&theory, ["delivery_ratio", "all_ratio"]);
    assert!((each - 0.875).abs() < 1e-12 && (all - 0.875_f64.powi(3)).abs() < 1e-12, "{each} {all}");
}

/// Phases count belief where its message is counted.
#[test]
fn phases_have_acknowledgements_of_their_own() {
    let cut = "[[event]]\nat = \"3500 ms\"\npartition = [[\"B\"], [\"A\"]]\noneway = true\n[[event]]\nat = \"6500 ms\"\nheal = true";
    let phases = "[[phase]]\nname = \"cut\"\nfrom = \"3500 ms\"\nto = \"6500 ms\"";
    let scenario = Pair { traffic: &format!("{ACK}\n{cut}\n{phases}"), ..acked() }.scenario();
    let flow = flow(&scenario);
    assert_eq!(belief(&flow), [7.0, 3.0, 7.0, 10.0]);
    let cut = &flow["phases"]["cut"];
    assert_eq!(belief(cut), [0.0, 3.0, 0.0, 3.0]);
    assert_eq!(figures(cut, ["ack.tries.mean", "ack.replies_sent", "ack.false_despair"]), [3.0, 9.0, 3.0]);
}

fn event(lines: &str) -> String {
    format!("[[event]]\n{lines}\n")
}

/// A program that starts anew knows of no message that it has written: it neither writes it again nor takes replies to it.
#[test]
fn a_sender_that_crashes_forgets_what_it_waits_for() {
    let traffic = "at = [\"1 s\", \"5 s\"]\nack = { slot = 'acks', timeout = \"100 ms\", tries = 3 }";
    let crash = event("at = \"1050 ms\"\ncrash = \"A\"\nfor = \"1 ms\"");
    let pair = Pair { down: "delay = \"40 ms\"", traffic: &format!("{traffic}\n{crash}"), ..acked() };
    let flow = flow(&pair.scenario());
    assert_eq!(belief(&flow), [1.0, 1.0, 1.0, 2.0]);
    assert_eq!(figures(&flow, ["sender.writes", "ack.replies_received", "ack.false_despair"]), [2.0, 2.0, 1.0]);
}

/// A program that stands still leaves tries out, and hears of replies when it goes on: too late, if it would have given up.
#[test]
fn a_sender_that_stands_still_leaves_tries_out() {
    let run = |lasts: &str| {
        let traffic = "at = [\"1 s\"]\nack = { slot = 'acks', timeout = \"100 ms\", tries = 4 }";
        let pause = event(&format!("at = \"1050 ms\"\npause = \"A\"\nfor = \"{lasts}\""));
        let pair = Pair { down: "delay = \"40 ms\"", traffic: &format!("{traffic}\n{pause}"), ..acked() };
        let flow = flow(&pair.scenario());
        figures(&flow, ["sender.writes", "ack.confirmed", "ack.replies_received"])
    };
    assert_eq!(run("200 ms"), [1.0, 1.0, 1.0], "it would have written at 1.1 and 1.2 s, and need not at 1.3 s");
    assert_eq!(run("400 ms"), [1.0, 0.0, 1.0]);
}

/// The sender's list of its domain is that of the beginning: it waits for one who has left, and not for one who has come.
#[test]
fn a_sender_waits_for_the_members_of_the_beginning() {
    let all = "[[host]]\nname = \"C\"\ndomain = \"OTHER\"\nsegment = \"s\"\n\
        [[mailslot]]\non = \"B{1..3}\"\nname = \"t\"\n[[mailslot]]\non = \"C\"\nname = \"t\"";
    let run = |lines: &str| {
        let flow = flow(&domain("[segment.s]", &format!("{all}\n{}", event(lines)), ACK));
        figures(
            &flow,
            ["ack.confirmed", "sender.writes", "audience.addressed", "ack.belief_ratio.k", "fates.delivered"],
        )
    };
    assert_eq!(run("at = \"5 s\"\nleave = \"B3\""), [5.0, 5.0 + 15.0, 15.0 + 10.0, 25.0, 25.0]);
    let join = "at = \"5 s\"\njoin = { host = \"C\", domain = \"DOM\" }";
    assert_eq!(run(join), [10.0, 10.0, 15.0 + 20.0, 30.0, 35.0], "it does not know that C has the last five");
    // One who comes back between two tries replies to what was not meant for it, and that counts nowhere.
    let back = "at = \"4950 ms\"\nleave = \"B3\"\nfor = \"100 ms\"";
    assert_eq!(run(back), [10.0, 11.0, 29.0, 29.0, 29.0]);
}

/// All have replied when the message is being written once more: it keeps its audience.
#[test]
fn a_try_that_is_not_spared_keeps_its_audience() {
    let links = "[link.l]\ndelay = \"50 ms\"\n[segment.s]\nlink = { down = \"l\" }";
    let hosts = "[[host]]\nname = \"C\"\ndomain = \"OTHER\"\nsegment = \"s\"\n\
        [[mailslot]]\non = \"B{1..3}\"\nname = \"t\"\n[[mailslot]]\non = \"C\"\nname = \"t\"";
    let join = event("at = \"500 ms\"\njoin = { host = \"C\", domain = \"DOM\" }");
    let traffic = "at = [\"1 s\", \"1060 ms\"]\nack = { slot = 'acks', timeout = \"100 ms\", tries = 3 }";
    let flow = flow(&domain(links, &format!("{hosts}\n{join}"), traffic));
    assert_eq!(
        figures(&flow, ["ack.confirmed", "sender.writes", "fates.delivered", "duplicates"]),
        [2.0, 4.0, 8.0, 8.0]
    );
}

/// An event can close the mailslot that replies go to, as any other.
#[test]
fn replies_find_their_mailslot_closed() {
    let close = event("at = \"4500 ms\"\nclose = { on = \"A\", mailslot = \"acks\" }\nfor = \"2 s\"");
    let report = report(&Pair { traffic: &format!("{ACK}\n{close}"), ..acked() }.scenario(), 0);
    assert_eq!(belief(&report["flows"][0]), [8.0, 2.0, 8.0, 10.0]);
    assert_eq!(report["hosts"][0]["discarded"]["no_such_mailslot"], 6, "two messages, three tries of each");
}

/// The bytes of a reply are small enough for any machine, and the trace says which datagrams are replies.
#[test]
fn the_trace_tells_replies_from_messages() {
    let lines: Vec<Value> = trace(&acked().scenario()).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let replies: Vec<&Value> = lines.iter().filter(|line| line["service"] == "ack").collect();
    assert!(replies.iter().all(|line| line["from"] == "B"));
    let count = |event: &str| replies.iter().filter(|line| line["event"] == event).count();
    assert_eq!(["offered", "arrived", "enqueued", "read"].map(count), [20, 10, 10, 10]);
    let sender: Vec<&Value> = lines.iter().filter(|line| line["side"] == "sender").collect();
    assert!(sender.len() == 10 && sender.iter().all(|line| line["event"] == "write"));
}
