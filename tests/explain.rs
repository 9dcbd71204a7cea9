//! `run --explain`: the life of one message at one recipient.

use std::collections::BTreeMap;

use assert_cmd::Command;

/// Standard output, standard error and exit code of `run`.
fn run(arguments: &[&str]) -> (String, String, i32) {
    let output = Command::cargo_bin("mailslot-sim").unwrap().arg("run").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// What is said of a message in a shipped scenario.
fn explained(scenario: &str, question: &str) -> String {
    let (out, _, exit) = run(&[&format!("scenarios/{scenario}.toml"), "--quiet", "--explain", question]);
    assert_eq!(exit, 0, "{scenario} {question}");
    out
}

#[test]
fn a_loss_in_a_burst_names_the_draw_that_began_the_burst() {
    let expected = r"alarm:13 from CTRL at STATION06: lost_on_link

  1.300000000 s  CTRL                  writes 64 B to \\PLANT\mailslot\alarm\line1: the write
                                       succeeds
  1.300000000 s  floor/CTRL/up         is offered 266 B
  1.300000000 s  floor/STATION06/down  is offered 266 B
                                         loss    in the bad state, since alarm:11 of CTRL (draw
                                         0.012362 < 0.013158); probability 1: lost
  1.300000000 s  floor/STATION06/down  loses it: lost_on_link

what CTRL saw: 1 write, 1 succeeded, 0 acknowledgements
what happened, of 12 recipients: 11 delivered, 1 lost_on_link
";
    assert_eq!(explained("plant-alarm", "alarm:13@STATION06"), expected);
    assert!(
        std::fs::read_to_string("docs/figures.md").unwrap().contains(expected),
        "the guide shows what is really printed"
    );
}

/// Each ends with what the report counts it as, and says why in words.
#[test]
fn every_way_to_be_lost_has_its_words() {
    for (scenario, question, words) in [
        ("plant-alarm", "alarm:0@STATION01", "a program reads it, "),
        ("hello", "greeting:0@SERVER", "loss draw "),
        ("silent-failures", "slot-missing:3@RECEIVER", "nobody has the mailslot open: no_such_mailslot"),
        ("silent-failures", "too-large:3@RECEIVER", "it is over the mailslot's maximum: too_large_for_slot"),
        ("silent-failures", "nobody-reads:3@RECEIVER", "the run ends, and nobody has read it: unread"),
        ("silent-failures", "nobody-reads:73@RECEIVER", "the mailslot is full: slot_full"),
        ("one-way-cut", "orders:40@STATION07", "a partition cuts it off: lost_in_partition"),
        ("crash-and-return", "to-crashing:51@CONSOLE2", "CONSOLE2 (crash)"),
        ("crash-and-return", "to-crashing:51@CONSOLE2", "the host is down: host_down"),
        ("crash-and-return", "to-crashing:34@CONSOLE2", "in the mailslot, unread, when that closed: closed_unread"),
        ("small-mtu", "longest:1@LOGGER", "a fragment is missing"),
        ("congested-uplink", "bursts-short:6@CENTRE", "its queue is full, so it drops it: lost_in_queue"),
        ("app-level-ack", "ack:1@PUMP", "believes that PUMP has it"),
        ("duplicates", "orders:27@SERVER", "the mailslot takes it once more: a duplicate"),
    ] {
        let text = explained(scenario, question);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{scenario} {question}: {text}");
    }
}

#[test]
fn who_is_not_addressed_has_no_fate() {
    let text = explained("plant-alarm", "alarm:0@CTRL");
    assert!(text.starts_with("alarm:0 from CTRL at CTRL: it is not in the audience"), "{text}");
}

#[test]
fn turmoil_tells_the_same_life() {
    let question = ["scenarios/plant-alarm.toml", "--explain", "alarm:13@STATION06"];
    let set = ["--set", "traffic.alarm.count=20"];
    let (events, ..) = run(&[&question[..], &set[..]].concat());
    let (turmoil, ..) = run(&[&question[..], &set[..], &["--driver", "turmoil"]].concat());
    let draws = |text: &str| {
        text.lines()
            .filter(|line| line.contains("draw") || line.contains("lost"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(draws(&events), draws(&turmoil));
    assert!(!draws(&events).is_empty());
}

#[test]
fn what_cannot_be_answered_says_what_could() {
    for (question, exit, words) in [
        ("alarm", 2, "is not FLOW:MESSAGE@HOST, as in alarm:17@STATION03"),
        ("alarm:x@STATION01", 2, "is not FLOW:MESSAGE@HOST"),
        ("alarm:-1@STATION01", 2, "is not FLOW:MESSAGE@HOST"),
        ("alrm:1@STATION01", 4, "there is no flow `alrm`; did you mean `alarm`?"),
        ("alarm:1@STATION1", 4, "there is no host `STATION1`; did you mean `STATION01`?"),
        ("alarm/STATION01:1@STATION01", 4, "there is no sender of alarm `STATION01`: there is CTRL"),
        ("alarm:500@STATION01", 4, "CTRL writes 500 messages, numbered from 0 to 499, for alarm"),
    ] {
        let (out, error, code) = run(&["scenarios/plant-alarm.toml", "--explain", question]);
        assert_eq!((out.as_str(), code), ("", exit), "{question}: {error}");
        assert!(error.contains(words), "{question}: {error}");
    }
    let (_, error, code) = run(&["scenarios/plant-alarm.toml", "--explain", "alarm:1@STATION01", "--format", "json"]);
    assert_eq!((code, error.trim_end()), (2, "error: --explain is for people: it goes with --format text"));
    let (_, error, code) = run(&["scenarios/plant-alarm.toml", "--explain", "alarm:1@STATION01", "--trace", "-"]);
    let expected = "error: --explain writes to stdout, so trace and capture cannot go there";
    assert_eq!((code, error.trim_end()), (2, expected));
}

#[test]
fn of_several_senders_one_is_asked_about() {
    let (_, error, code) = run(&["scenarios/one-way-cut.toml", "--explain", "status:1@CTRL"]);
    assert_eq!(code, 4);
    assert!(error.contains("status has 12 senders: say whose message, as in status/STATION01:1@CTRL"), "{error}");
    assert!(explained("one-way-cut", "status/STATION07:1@CTRL").starts_with("status:1 from STATION07 at CTRL: "));
}

#[test]
fn a_write_that_fails_has_no_audience() {
    let text = explained("windows-11", "from-new:0@OLD1");
    assert!(text.starts_with("from-new:0 from NEW1 at OLD1: no write succeeded"), "{text}");
    assert!(text.contains("the write fails with error 3025"), "{text}");
}

/// A link with a memory that a fault sets anew, halfway; its messages are answered over another such link.
const STATES: &str = r#"
schema = 1
name = "states"
seed = "5"
duration = "4 s"
[link.wan]
loss = { mean = "30 %", burst = 4 }
[segment.s]
link = "wan"
[[host]]
name = "A"
segment = "s"
[[host]]
name = "B"
segment = "s"
[[mailslot]]
on = "B"
name = "t"
[[traffic]]
name = "f"
from = "A"
to = '\\B\mailslot\t'
every = "10 ms"
count = 300
ack = { slot = "r", timeout = "500 ms", tries = 1 }
[[event]]
at = "1.505 s"
set = { "link.wan.loss.mean" = "50 %", "link.wan.loss.burst" = 6 }
"#;

/// Of every link: the state that each message met there, and whose draw is said to have brought it there.
#[test]
fn a_state_is_said_to_begin_where_it_began() {
    let file = std::env::temp_dir().join(format!("mailslot-sim-states-{}.toml", std::process::id()));
    std::fs::write(&file, STATES).unwrap();
    let mut met: BTreeMap<String, BTreeMap<u32, (String, Option<u32>)>> = BTreeMap::new();
    for message in 0..300 {
        let question = format!("f:{message}@B");
        let (out, error, exit) = run(&[file.to_str().unwrap(), "--quiet", "--explain", &question]);
        assert_eq!(exit, 0, "{error}");
        let mut link = "";
        let text: Vec<&str> = out.lines().collect();
        for (line, next) in text.iter().zip(text.iter().skip(1)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [_, "s", at, "is", "offered", ..] = words[..] {
                link = at;
            } else if let ["loss", "in", "the", state, _, rest @ ..] = &words[..] {
                let said = [rest, &next.split_whitespace().collect::<Vec<_>>()].concat().join(" ");
                let since = said.strip_prefix("since ").and_then(|said| said.split_once("f:")?.1.split_once(' '));
                let since = since.map(|(number, _)| number.trim_end_matches(|c: char| !c.is_ascii_digit()));

                let met_there = ((*state).to_owned(), since.map(|number| number.parse().unwrap()));
                met.entry(link.to_owned()).or_default().insert(message, met_there);
            }
        }
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(met.keys().collect::<Vec<_>>(), ["s/A/down", "s/A/up", "s/B/down", "s/B/up"]);
    for (link, met) in met {
        let mut named = 0;
        for (message, (state, since)) in &met {
            // Messages from 151 on meet the link as it was set: its memory begins anew.
            let began = met.range(if *message < 151 { 0 } else { 151 }..*message).rev();
            let began = began.skip_while(|(_, (before, _))| before == state).map(|(before, _)| *before).next();
            assert_eq!(*since, began, "{link}: message {message} meets the {state} state");
            named += u32::from(since.is_some());
        }
        assert!(named >= 20, "{link}: {named}");
    }
}
