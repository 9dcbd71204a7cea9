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
        ("branch-office", "to-the-domain:0@BRANCH1", "no router forwards the broadcast to its segment: unreachable"),
        ("plant-alarm", "alarm:11@STATION06", "the next datagram meets the bad state"),
    ] {
        let text = explained(scenario, question);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{scenario} {question}: {text}");
    }
}

/// What is said of a message in a scenario of the test's own.
fn explained_of(text: &str, question: &str) -> (String, String, i32) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("it.toml");
    std::fs::write(&file, text).unwrap();
    run(&[file.to_str().unwrap(), "--quiet", "--explain", question])
}

/// Two hosts, or three with the one that leaves.
const HOSTS: &str = r#"
schema = 1
name = "it"
duration = "5 s"
drain = "1 s"
[link.bad]
LINK
[segment.s]
link = "bad"
[[host]]
name = "H{1..2}"
domain = "D"
segment = "s"
[[mailslot]]
on = "H2"
name = "t"
"#;

const FLOW: &str = r#"
[[traffic]]
name = "f"
from = "H1"
to = 'TARGET'
every = "1 s"
"#;

#[test]
fn what_is_on_its_way_when_the_run_ends_is_said_to_be() {
    for target in [r"\\H2\mailslot\t", r"\\D\mailslot\t"] {
        let text = HOSTS.replace("LINK", "delay = \"100 s\"") + &FLOW.replace("TARGET", target);
        let (out, error, exit) = explained_of(&text, "f:0@H2");
        assert_eq!(exit, 0, "{error}");
        assert!(out.starts_with("f:0 from H1 at H2: in_flight\n"), "{out}");
        assert!(
            out.contains("6.000000000 s  H2") && out.contains("the run ends, and it is still on its way: in_flight"),
            "{out}"
        );
    }
}

/// Of a broadcast to two segments, what goes to the other one is no part of the life at a recipient.
#[test]
fn what_is_on_its_way_elsewhere_is_not_told() {
    let hosts = HOSTS
        .replace("LINK", "delay = \"100 s\"")
        .replace("{1..2}", "2")
        .replace("[[host]]", "[segment.t]\nlink = \"bad\"\n[[host]]");
    let more = "[[host]]\nname = \"H1\"\ndomain = \"D\"\nsegment = [\"t\", \"s\"]\n[[host]]\nname = \"H3\"\ndomain = \"D\"\nsegment = \"t\"\n[[mailslot]]\non = \"H3\"\nname = \"t\"\n";
    let (out, error, _) = explained_of(&(hosts + more + &FLOW.replace("TARGET", r"\\D\mailslot\t")), "f:0@H3");
    assert!(out.starts_with("f:0 from H1 at H3: in_flight\n"), "{out}{error}");
    assert_eq!(out.matches("still on its way").count(), 1, "{out}");
}

#[test]
fn damage_is_told() {
    let text = HOSTS.replace("LINK", "corrupt = \"100 %\"") + &FLOW.replace("TARGET", r"\\H2\mailslot\t");
    let (out, error, _) = explained_of(&text, "f:0@H2");
    assert!(out.contains("of the payload flips") && out.starts_with("f:0 from H1 at H2: corrupted\n"), "{out}{error}");
}

/// A draw that depends on those before is told with what counts instead of it.
#[test]
fn where_draws_are_correlated_their_rank_is_told() {
    let delay = r#"delay = { distribution = "normal", mean = "50 ms", deviation = "9 ms", correlation = "90 %" }"#;
    let text = HOSTS.replace("LINK", delay) + &FLOW.replace("TARGET", r"\\H2\mailslot\t");
    let (out, error, _) = explained_of(&text, "f:3@H2");
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains(", with the link's memory rank 0.") && out.contains(": takes "), "{out}{error}");
}

/// A capture whose records all come too late has no sender.
#[test]
fn a_flow_without_senders_writes_nothing() {
    let late = ["scenarios/samba-election.toml", "--set", "duration=1 ns", "--explain", "election:0@ALPHA"];
    let (_, error, exit) = run(&late);
    assert_eq!(exit, 4, "{error}");
    assert!(error.contains("election has no senders, so it writes no message"), "{error}");
}

/// A captured flow writes to a computer and to a domain in turn, and goes on to do so when the domain has lost a member.
#[test]
fn what_a_message_was_written_to_is_told_when_members_have_left() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let hosts =
        HOSTS.replace("LINK", "").replace("duration = \"5 s\"", "duration = \"20 s\"").replace("{1..2}", "{1..3}");
    let [computer, domain] =
        [r"\\H2\mailslot\t", r"\\D\mailslot\t"].map(|target| FLOW.replace("TARGET", target).replace("1 s", "2 s"));
    let domain = domain.replace("\"f\"", "\"g\"") + "start = \"1 s\"\n";
    std::fs::write(path("sent.toml"), hosts.clone() + &computer + &domain).unwrap();
    let (_, error, exit) = run(&[&path("sent.toml"), "--quiet", "--pcap", &path("sent.pcapng")]);
    assert_eq!(exit, 0, "{error}");
    let captured = "[[traffic]]\nname = \"f\"\ncapture = \"sent.pcapng\"\n[[event]]\nat = \"8.5 s\"\nleave = \"H3\"\n";
    std::fs::write(path("captured.toml"), hosts + captured).unwrap();
    let mut told = BTreeMap::new();
    for message in 0.. {
        let question = format!("f:{message}@H2");
        let (out, error, exit) = run(&[&path("captured.toml"), "--quiet", "--explain", &question]);
        if exit == 4 {
            assert!(error.contains("messages, numbered from 0"), "{error}");
            break;
        }
        let write = out.lines().find(|line| line.contains(" writes ")).unwrap();
        let seconds: u64 = write.split('.').next().unwrap().trim().parse().unwrap();
        let target = if seconds.is_multiple_of(2) { r"to \\H2<00>\mailslot\t" } else { r"to \\D<00>\mailslot\t" };
        assert!(write.contains(target), "{write}");
        *told.entry((seconds % 2, seconds > 8)).or_insert(0) += 1;
    }
    assert_eq!(told.len(), 4, "both, before and after");
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
    let (_, error, code) = run(&["scenarios/browser-list.toml", "--explain", "browser:1@PC01"]);
    assert_eq!(
        (code, error.trim_end()),
        (4, "error: --explain: browser is an app: only messages of flows can be told of")
    );
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
