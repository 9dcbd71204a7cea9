//! What is refused, warned of or accepted in a scenario file, and where the message points.

mod support;

use std::fmt::Write;
use std::time::Duration;

use assert_cmd::Command;
use mailslot_sim::scenario::{Source, parse};
use support::{report, scenario, try_scenario};

/// Two hosts, A and B, in DOM; `more` is appended, and can replace nothing.
fn network(hosts: &str, traffic: &str) -> String {
    format!(
        r#"
schema = 1
name = "problems"
duration = "10 s"
[link.l]
delay = "1 ms"
[segment.s]
link = "l"
[[host]]
name = "A"
domain = "DOM"
segment = "s"
[[host]]
name = "B"
domain = "DOM"
segment = "s"
{hosts}
[[mailslot]]
on = "B"
name = "t"
[[traffic]]
name = "f"
from = "A"
to = '\\B\mailslot\t'
every = "1 s"
{traffic}
"#
    )
}

fn problems(text: &str) -> String {
    match try_scenario(text, &[]) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(problems) => problems.to_string(),
    }
}

fn warnings(text: &str) -> String {
    let read_file = |name: &str| std::fs::read(format!("scenarios/{name}"));
    parse(&Source { name: "test.toml", text, set: &[], read_file: &read_file }).unwrap().warnings.to_string()
}

/// The line that `marked` stands on, as messages name it.
fn place(text: &str, marked: &str) -> String {
    let line = text.lines().position(|line| line.contains(marked)).unwrap() + 1;
    format!("test.toml:{line}:")
}

/// What later versions are going to know is refused by name, wherever it can stand.
#[test]
fn what_is_planned_is_refused_by_name() {
    let cases = [("over", network("", "over = \"nbt\""))];
    for (word, text) in cases {
        let message = problems(&text);
        let named = message.contains(&format!("`{word}` is not supported yet"))
            || message.contains(&format!("{word} is not supported yet"));
        assert!(named, "{word}: {message}");
    }
}

/// A loss model is one of its forms, whole.
#[test]
fn a_loss_model_is_one_whole_model() {
    let long = "0".repeat(1_000_001);
    for (loss, words) in [
        ("{}", "the loss model has no `mean`"),
        ("{ mean = \"5 %\" }", "the loss model has no `burst`"),
        ("{ burst = 3 }", "the loss model has no `mean`"),
        ("{ mean = \"5 %\", burst = 3, every = 4 }", "`every` contradicts `mean`: a link has one loss model"),
        ("{ every = 4, pattern = \"x\" }", "`pattern` contradicts `every`"),
        ("{ mean = \"5 %\", burst = nan }", "at most 1000000 datagrams"),
        ("{ gilbert_elliott = { p = \"5 %\", r = \"30 %\" } }", "has no `loss_good`"),
        ("{ gilbert_elliott = \"5 %\" }", "a table is expected"),
        ("{ gilbert_elliott = { p = \"5 %\", r = 3, loss_good = 0, loss_bad = 1.0 } }", "3 could be 3 %"),
        (
            "{ four_state = { p13 = 0.5, p31 = 0.7, p32 = 0.5, p23 = 0.5, p14 = 0 } }",
            "`p31` and `p32` are ways out of one state and can be 100 % together, not 120 %",
        ),
        ("{ four_state = { p13 = 0.5 } }", "has no `p14`"),
        ("{ every = 0 }", "one datagram of 0 cannot be lost: write 1 to 1000000 (MAX_PERIOD)"),
        ("{ every = 1000001 }", "(MAX_PERIOD)"),
        ("{ every = -1 }", "-1 is not a whole number"),
        ("{ pattern = \"missing\" }", "cannot read `missing`"),
        ("{ pattern = \"empty\" }", "`empty` must have 1 to 1000000 digits (MAX_PATTERN)"),
        ("{ pattern = \"long\" }", "`long` must have 1 to 1000000 digits (MAX_PATTERN)"),
        ("{ pattern = \"wrong\" }", "`wrong`, line 2, column 4: `2` is neither 0 nor 1"),
        ("{ pattern = \"bytes\" }", "`bytes` is not text (UTF-8)"),
        ("{ pattern = \"huge\" }", "files of values have more than 67108864 bytes together (MAX_VALUE_BYTES)"),
    ] {
        let text = network("", "").replace("delay = \"1 ms\"", &format!("loss = {loss}"));
        let read_file = |name: &str| {
            Ok(match name {
                "empty" => b"# nothing\n".to_vec(),
                "wrong" => b"01 # 3 is fine here\n0 121\n".to_vec(),
                "bytes" => vec![0xFF],
                "long" => long.clone().into_bytes(),
                "huge" => vec![b' '; (64 << 20) + 1],
                _ => return Err(std::io::ErrorKind::NotFound.into()),
            })
        };
        let refused = parse(&Source { name: "test.toml", text: &text, set: &[], read_file: &read_file });
        let message = refused.expect_err(loss).to_string();
        assert!(message.contains(words) && message.contains(&place(&text, "loss = ")), "{loss}: {message}");
        let complaints = if loss.contains("r = \"30 %\"") {
            2
        } else if loss.contains("{ p13 = 0.5 }") {
            4
        } else {
            1
        };
        assert_eq!(message.matches("error: ").count(), complaints, "{message}");
    }
}

/// A distribution has the values that it needs, and no others.
#[test]
fn a_delay_is_one_whole_distribution() {
    for (delay, words) in [
        ("{ distribution = \"lognormal\", median = \"5 ms\" }", "a lognormal delay needs `sigma`"),
        ("{ distribution = \"lognormal\", median = \"5 ms\", sigma = -1 }", "`sigma` is from 0 to 10, not -1"),
        (
            "{ distribution = \"lognormal\", median = \"5 ms\", sigma = 1, min = \"6 ms\" }",
            "`min` (6 ms) is greater than `median` (5 ms)",
        ),
        ("{ distribution = \"exponential\", min = \"5 ms\" }", "an exponential delay needs `mean`"),
        (
            "{ distribution = \"exponential\", mean = \"5 ms\", deviation = \"1 ms\" }",
            "an exponential delay has no `deviation`",
        ),
        ("{ distribution = \"exponential\", min = \"5 ms\", mean = \"4 ms\" }", "is greater than `mean` (4 ms)"),
        (
            "{ distribution = \"pareto\", min = \"0 s\", alpha = 1, max = \"1 s\" }",
            "`min` is 0: a Pareto distribution starts above",
        ),
        ("{ distribution = \"pareto\", min = \"1 s\", alpha = 1, max = \"9 ms\" }", "is greater than `max` (9 ms)"),
        ("{ distribution = \"pareto\", min = \"1 s\", alpha = 0, max = \"2 s\" }", "`alpha` is from 0.01 to 100"),
        ("{ distribution = \"pareto\", min = \"1 s\", alpha = 1.5 }", "a pareto delay needs `max`"),
        ("{ distribution = \"empirical\" }", "an empirical delay needs `file`"),
        ("{ distribution = \"empirical\", file = \"missing\" }", "cannot read `missing`"),
        ("{ distribution = \"empirical\", file = \"empty\" }", "`empty` must have 1 to 1000000 times (MAX_MEASURED)"),
        ("{ distribution = \"empirical\", file = \"wrong\" }", "`wrong`, line 3, column 3: `5 bananas` is not a time"),
        (
            "{ distribution = \"uniform\", min = \"1 ms\", max = \"2 ms\", correlation = 2.0 }",
            "2.0 is not a probability",
        ),
        ("{ distribution = \"weibull\", min = \"1 ms\" }", "`weibull` is not one of `uniform`, `normal`, `lognormal`"),
    ] {
        let text = network("", "").replace("delay = \"1 ms\"", &format!("delay = {delay}"));
        let read_file = |name: &str| {
            Ok(match name {
                "empty" => b"# nothing\n\n".to_vec(),
                "wrong" => b"# ping\n 3 ms\n  5 bananas\n".to_vec(),
                _ => return Err(std::io::ErrorKind::NotFound.into()),
            })
        };
        let refused = parse(&Source { name: "test.toml", text: &text, set: &[], read_file: &read_file });
        let message = refused.expect_err(delay).to_string();
        assert!(message.contains(words) && message.contains(&place(&text, "delay = ")), "{delay}: {message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
}

#[test]
fn copies_have_limits() {
    for (traffic, words) in [
        ("copies = 0", "1 to 1000 times (MAX_COPIES)"),
        ("copies = 1001", "(MAX_COPIES)"),
        ("copies = 70000", "70000 is not a whole number from 0 to 65535"),
        ("copies = 3\nspacing = 5", "is not a time"),
    ] {
        let text = network("", traffic);
        let message = problems(&text);
        assert!(
            message.contains(words) && message.contains(&place(&text, traffic.lines().last().unwrap())),
            "{message}"
        );
    }
    let transports = network("transports = 300", "");
    assert!(problems(&transports).contains("300 is not a whole number from 0 to 255"));
    let long = network("", "copies = 2\nspacing = \"1 d\"").replace("duration = \"10 s\"", "duration = \"10 d\"");
    let often = problems(&long.replace("every = \"1 s\"", "every = \"20 ms\""));
    assert!(often.contains("4320000 messages of each sender") && often.contains("(MAX_REPEATING)"), "{often}");
    assert!(warnings(&network("", "spacing = \"1 ms\"")).contains("only one copy"));
    assert!(warnings(&network("", "copies = 2\nspacing = \"20 s\"")).contains("the flow writes nothing"));
}

#[test]
fn acknowledgements_need_somebody_who_can_give_them() {
    let good = "ack = { slot = 'acks', timeout = \"1 s\", tries = 2 }";
    assert_eq!(warnings(&network("", good)), "");
    for (traffic, words, marked) in [
        ("ack = true", "a table is expected", "ack ="),
        ("ack = { slot = 'acks', tries = 2 }", "`ack` of `[[traffic]]` has no `timeout`", "ack ="),
        ("ack = { slot = 'acks', timeout = \"0 s\", tries = 2 }", "a sender that waits 0 s", "ack ="),
        ("ack = { slot = 'acks', timeout = \"1 s\", tries = 0 }", "1 to 1000 times (MAX_TRIES)", "ack ="),
        ("ack = { slot = 'acks', timeout = \"1 ms\", tries = 1001 }", "(MAX_TRIES)", "ack ="),
        ("ack = { slot = '', timeout = \"1 s\", tries = 2 }", "the name after \\mailslot\\ is empty", "ack ="),
        ("ack = { slot = 'T', timeout = \"1 s\", tries = 2 }", "replies would go to a mailslot called `T`", "ack ="),
        (&format!("{good}\ncopies = 2"), "`copies` contradicts `ack`", "copies = 2"),
        (&format!("{good}\nsize = \"19 B\""), "has at least 20 B (MIN_ACKNOWLEDGED)", "size ="),
        (&format!("{good}\nsize = {{ uniform = [\"8 B\", \"80 B\"] }}"), "(MIN_ACKNOWLEDGED)", "size ="),
        (
            &format!("{good}\n[[mailslot]]\non = \"A\"\nname = \"ACKS\""),
            "`A` has a mailslot called `acks` already",
            "ack =",
        ),
        (
            &format!("{good}\n[[expect]]\nof = \"f\"\nmetric = \"ack.confirm\"\nequals = 1"),
            "did you mean `ack.confirmed`?",
            "ack.confirm\"",
        ),
        (
            &format!("{good}\n[[expect]]\nmetric = \"ack.confirmed\"\nequals = 1"),
            "the totals have no figure `ack.confirmed`",
            "ack.confirmed\"",
        ),
    ] {
        let text = network("", traffic);
        let message = problems(&text);
        assert!(message.contains(words) && message.contains(&place(&text, marked)), "{words}: {message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
    let long = format!("ack = {{ slot = '{}', timeout = \"1 s\", tries = 2 }}", "n".repeat(256));
    assert!(problems(&network("", &long)).contains("(MAX_REPLY_SLOT)"));
    let without = network("", "[[expect]]\nof = \"f\"\nmetric = \"ack.confirmed\"\nequals = 1");
    assert!(problems(&without).contains("a flow without `ack` has no figure `ack.confirmed`"));
    let to_nobody = network("", good).replace(r"to = '\\B\mailslot\t'", r"to = '\\DOM\mailslot\tt'");
    assert!(problems(&to_nobody).contains("nobody can reply: no host there declares a mailslot called `tt`"));
    let captured = "capture = \"data/samba-election.pcap\"\nack = { slot = 'a', timeout = \"1 s\", tries = 2 }";
    let captured = network("", captured).replace("from = \"A\"\nto = '\\\\B\\mailslot\\t'\nevery = \"1 s\"\n", "");
    assert!(problems(&captured).contains("`ack` contradicts `capture`"));
    // Two flows of one sender can share a mailslot for replies, and a copy is no contradiction by itself.
    let two = format!(
        "copies = 1\n{good}\n[[traffic]]\nname = \"g\"\nfrom = \"A\"\nto = '\\\\B\\mailslot\\t'\nevery = \"1 s\"\n{good}"
    );
    assert_eq!(warnings(&network("", &two)), "");
}

/// Messages that wait for replies are remembered, and so is who has replied.
#[test]
fn what_waits_for_replies_has_limits() {
    let long = |every: &str, to: &str, hosts: &str| {
        let text = network(hosts, "ack = { slot = 'acks', timeout = \"1 d\", tries = 2 }");
        let text = text.replace("duration = \"10 s\"", "duration = \"10 d\"").replace("every = \"1 s\"", every);
        text.replace(r"\\B\mailslot\t", to)
    };
    let message = problems(&long("every = \"20 ms\"", r"\\B\mailslot\t", ""));
    assert!(
        message.contains("messages of each sender would wait for replies at once")
            && message.contains("(MAX_REPEATING)")
    );
    let many = "[[host]]\nname = \"C{1..100}\"\ndomain = \"DOM\"\nsegment = \"s\"\n[[mailslot]]\non = \"C{1..100}\"\nname = \"t\"";
    let message = problems(&long("every = \"1 s\"", r"\\DOM\mailslot\t", many));
    assert!(message.contains("replies at once; the limit is 10000000 (MAX_AWAITED)"), "{message}");
}

/// A phase, as a table.
fn phase(name: &str, from: &str, to: &str) -> String {
    format!("[[phase]]\nname = \"{name}\"\nfrom = \"{from}\"\nto = \"{to}\"\n")
}

#[test]
fn phases_do_not_overlap_and_end_in_time() {
    let one = phase("one", "2 s", "4 s");
    for (more, words, marked) in [
        (
            phase("two", "3 s", "5 s"),
            "`two` begins at 3 s, and `one` ends at 4 s: phases do not overlap",
            "from = \"3 s\"",
        ),
        (phase("two", "1 s", "2001 ms"), "`one` begins at 2 s, and `two` ends at 2.001 s", "from = \"2 s\""),
        (phase("two", "6 s", "6 s"), "the phase is empty: it begins at 6 s and ends before 6 s", "to = \"6 s\""),
        (phase("two", "6 s", "10001 ms"), "10.001 s is after the scenario's duration, 10 s", "10001 ms"),
        (
            phase("one", "6 s", "7 s").replace("name = \"one\"", "name = 'one'"),
            "a phase called `one` exists already",
            "name = 'one'",
        ),
        (phase("a b", "6 s", "7 s"), "`a b` is not a name", "\"a b\""),
        ("[[phase]] # it\nname = \"x\"\nfrom = \"1 s\"".into(), "`[[phase]]` has no `to`", "# it"),
        (
            "[[expect]]\nmetric = \"duplicates\"\nequals = 0\nphase = \"ome\"".into(),
            "no phase is called `ome`",
            "phase = \"ome\"",
        ),
    ] {
        let text = network("", &format!("{one}{more}"));
        let message = problems(&text);
        assert!(message.contains(words) && message.contains(&place(&text, marked)), "{message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
    let unknown = network("", "[[expect]]\nmetric = \"duplicates\"\nequals = 0\nphase = \"cut\"");
    assert!(problems(&unknown).contains("no phase is called `cut`"));
    assert_eq!(warnings(&network("", &format!("{one}{}", phase("two", "4 s", "10 s")))), "", "one after the other");
}

#[test]
fn phases_have_limits() {
    let phases = |number: u64| {
        (0..number).fold(String::new(), |text, at| {
            text + &phase(&format!("p{at}"), &format!("{at} ms"), &format!("{} ms", at + 1))
        })
    };
    assert!(problems(&network("", &phases(101))).contains("more than 100 phases (MAX_PHASES)"));
    let flows = (0..20).fold(String::new(), |text, flow| {
        format!("{text}[[traffic]]\nname = \"f{flow}\"\nfrom = \"A\"\nto = '\\\\B\\mailslot\\t'\nevery = \"1 s\"\n")
    });
    let message = problems(&network("", &format!("{flows}{}", phases(100))));
    assert!(
        message.contains("100 phases of 21 flows are 2100, and the limit is 2000 (MAX_PHASE_FIGURES)"),
        "{message}"
    );
}

/// What the flow can write says whether a phase has messages, not only when it starts and stops.
#[test]
fn a_phase_without_messages_is_warned_of() {
    for (traffic, from, to, is_silent) in [
        ("every = \"3 s\"", "1 s", "3 s", true),
        ("every = \"3 s\"", "1 s", "3001 ms", false),
        ("every = \"3 s\"\ncount = 2", "4 s", "10 s", true),
        ("every = \"3 s\"\nstart = \"500 ms\"", "0 s", "500 ms", true),
        ("every = \"3 s\"\nstop = \"3 s\"", "2 s", "10 s", true),
        ("every = \"3 s\"\ncopies = 3\nspacing = \"2 s\"", "6 s", "10 s", true),
        ("burst = { size = 3, every = \"3 s\" }\ncount = 4", "3 s", "6 s", false),
        ("burst = { size = 3, every = \"3 s\" }\ncount = 3", "3 s", "6 s", true),
        ("poisson = \"1 /s\"\nstart = \"5 s\"", "4 s", "5 s", true),
        ("poisson = \"1 /s\"\nstart = \"5 s\"", "4 s", "6 s", false),
        ("at = [\"1 s\", \"5 s\"]", "2 s", "5 s", true),
        ("at = [\"1 s\", \"5 s\"]", "5 s", "6 s", false),
    ] {
        let text = network("", &phase("p", from, to)).replace("every = \"1 s\"", traffic);
        let warnings = warnings(&text);
        assert_eq!(
            warnings.contains(&format!("no flow begins a message in [{from}, ")),
            is_silent,
            "{traffic}: {warnings}"
        );
        assert_eq!(warnings.is_empty(), !is_silent, "{warnings}");
    }
}

#[test]
fn reordering_needs_something_to_overtake() {
    let jitter = "delay = { distribution = \"uniform\", min = \"1 ms\", max = \"2 ms\", keep_order = true }";
    for (link, words) in [
        ("reorder = { probability = \"5 %\" }", "without a delay there is nothing to overtake"),
        ("delay = \"1 ms\"\nreorder = { gap = 3 }", "has no `probability`"),
        ("delay = \"1 ms\"\nreorder = { probability = \"5 %\", gap = 0 }", "a gap is 1 to 1000000 datagrams (MAX_GAP)"),
        ("delay = \"1 ms\"\nreorder = { probability = \"5 %\", gap = 1000001 }", "(MAX_GAP), not 1000001"),
        ("delay = \"1 ms\"\nreorder = \"5 %\"", "a table is expected"),
        (
            &format!("{jitter}\nreorder = {{ probability = \"5 %\" }}"),
            "`reorder` contradicts `keep_order`: nobody overtakes on a link that keeps order",
        ),
    ] {
        let text = network("", "").replace("delay = \"1 ms\"", link);
        let message = problems(&text);
        assert!(message.contains(words) && message.contains(&place(&text, "reorder = ")), "{link}: {message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
}

#[test]
fn rates_and_queues_are_quantities() {
    for (link, words) in [
        ("queue = \"64 datagrams\"", "without a rate nothing waits in a queue"),
        ("rate = \"2 Mbit\"", "`2 Mbit` is not a rate"),
        ("rate = 2000", "is not a rate"),
        ("rate = \"2 Mbit/s\"\nqueue = \"64 packets\"", "`64 packets` is not the length of a queue"),
        ("rate = \"0 bit/s\"\nqueue = \"64 datagrams\"", "is not from 1 bit/s to 1000 Gbit/s (MAX_RATE)"),
    ] {
        let text = network("", "").replace("delay = \"1 ms\"", link);
        let message = problems(&text);
        assert!(message.contains(words), "{link}: {message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
}

#[test]
fn an_mtu_is_one_that_ip_allows() {
    for (mtu, words) in [
        ("\"67 B\"", "an MTU is 68 to 65535 B, not 67 B"),
        ("\"65536 B\"", "an MTU is 68 to 65535 B, not 65536 B"),
        ("\"0 B\"", "an MTU is 68 to 65535 B, not 0 B"),
        ("1500", "is not a size"),
    ] {
        let text = network("", "").replace("delay = \"1 ms\"", &format!("mtu = {mtu}"));
        let message = problems(&text);
        assert!(message.contains(words) && message.contains(&place(&text, "mtu = ")), "{mtu}: {message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
    for mtu in ["68 B", "65535 B", "1.5 kB"] {
        assert!(try_scenario(&network("", "").replace("delay = \"1 ms\"", &format!("mtu = \"{mtu}\"")), &[]).is_ok());
    }
}

#[test]
fn names_that_collide_are_reported_where_the_second_stands() {
    for (hosts, words, marked) in [
        ("[[host]]\nname = \"b\"\nsegment = \"s\"", "a host called `b` exists already", "name = \"b\""),
        ("[[host]]\nname = \"dom\"\nsegment = \"s\"", "`dom` is the name of a domain", "name = \"dom\""),
        ("[[host]]\nname = \"C\"\nsegment = \"s\"\nnames = [\"B<00>\"]", "`B` bears it already", "names = [\"B<00>\"]"),
        (
            "[[host]]\nname = \"C\"\nsegment = \"s\"\nnames = [\"D<00>\"]\n[[host]]\nname = \"D\"\nsegment = \"s\"",
            "`C` bears the name D<00> already",
            "name = \"D\"",
        ),
        (
            "[[host]]\nname = \"C\"\nsegment = \"s\"\nnames = [\"X<03>\", \"X<03>\"]",
            "`X<03>` is listed twice",
            "names = [\"X<03>\"",
        ),
    ] {
        let text = network(hosts, "");
        let message = problems(&text);
        assert!(message.contains(words) && message.contains(&place(&text, marked)), "{message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
}

/// A name with a suffix, as the browser service addresses groups.
#[test]
fn messages_can_go_to_a_name_with_a_suffix() {
    let text = network("names = [\"DOM<1E>\"]", "").replace(r"\\B\mailslot", r"\\DOM<1E>\mailslot");
    assert_eq!(report(&scenario(&text), 0)["flows"][0]["fates"]["delivered"], 10);
    assert!(problems(&text.replace(r"DOM<1E>\", r"DOM<1D>\")).contains("no host and no domain is called `DOM<1D>`"));
}

/// Long names of mailslots: what no datagram can hold fails like a message that is too long.
#[test]
fn mailslot_names_of_any_length_are_handled() {
    for (length, fails) in [(367, false), (369, true), (423, true), (433, true), (600, true), (32_700, true)] {
        let text = network("", "").replace(r"mailslot\t", &format!(r"mailslot\{}", "n".repeat(length)));
        let sender = &report(&scenario(&text), 0)["flows"][0]["sender"];
        let (succeeded, failed) = if fails { (0, 10) } else { (10, 0) };
        assert_eq!((&sender["succeeded"], &sender["failed"]["53"]), (&succeeded.into(), &failed.into()), "{length}");
    }
    let long = "n".repeat(70_000);
    for (from, to) in [(r"mailslot\t", format!(r"mailslot\{long}")), ("name = \"t\"", format!("name = \"{long}\""))] {
        let problems = try_scenario(&network("", "").replace(from, &to), &[]).unwrap_err().to_string();
        assert!(problems.contains("(MAX_PATH_CHARACTERS)"), "{problems}");
    }
}

#[test]
fn what_can_be_foreseen_is_warned_of() {
    let cut_off = network("[segment.far]\n[[host]]\nname = \"FAR\"\nsegment = \"far\"", "");
    let cut_off = cut_off.replace(r"to = '\\B\", r"to = '\\FAR\").replace("on = \"B\"", "on = \"FAR\"");
    let sender = |switches: &str, traffic| {
        network("", traffic).replacen("name = \"A\"", &format!("name = \"A\"\n{switches}"), 1)
    };
    let disabled = sender("remote_mailslots_disabled = true", "");
    let hole = sender("api_424 = false\nhole_425_426 = true", "size = { uniform = [\"1 B\", \"428 B\"] }");
    let long_name = network("", "size = \"424 B\"").replace(r"mailslot\t", r"mailslot\thirteen_char");
    let long_name = long_name.replace("name = \"t\"", "name = \"thirteen_char\"");
    for (text, words) in [
        (network("", "").replace(r"mailslot\t", r"mailslot\tt"), "no host there has a mailslot called `tt`"),
        (network("", "size = \"425 B\""), "the API sends at most 424 B (api_424): every write will fail"),
        (network("", "at = [\"1 s\"]\nstart = \"2 s\"").replace("every = \"1 s\"", ""), "1 of 1 times are not in [2 s"),
        (cut_off, "no router leads from segment `s` to `far`"),
        (
            network("remote_mailslots_disabled = true", ""),
            "remote mailslots are disabled on `B`: what others send is dropped there",
        ),
        (disabled, "remote mailslots are disabled on `A`: writes to other machines and domains fail there with 3025"),
        (hole, "writes of 425 and 426 B will fail with ERROR_BAD_NETPATH (53): hole_425_426"),
        (long_name, "a datagram to this mailslot holds at most 416 B"),
        (sender("hole_425_426 = true", ""), "it matters with api_424 = false"),
        (network("[link.spare]", ""), "nothing uses the link profile `spare`"),
    ] {
        let warnings = warnings(&text);
        assert!(warnings.contains(words), "{words:?} is not in: {warnings}");
    }
    assert_eq!(warnings(&network("", "")), "");
}

/// Files full of mistakes are refused as fast as sound ones are read: nothing is searched for problems that nobody sees.
#[test]
fn files_full_of_mistakes_are_refused_quickly() {
    let many = |count: usize, entry: &dyn Fn(usize) -> String| -> String {
        (0..count).fold(String::new(), |mut text, number| {
            write!(text, "{}", entry(number)).unwrap();
            text
        })
    };
    let traffic = |number: usize| format!("[[traffic]]\nname=\"x\"\nfrom=\"N{number}\"\n");
    let hosts = |number: usize| format!("[[host]]\nname=\"H{number}\"\nsegment=\"t{number}\"\n");
    let expects = |number: usize| format!("[[expect]]\nof=\"g{number}\"\nmetric=\"m{number}\"\n");
    let keys = |number: usize| format!("key{number} = 1\n");
    let names = |number: usize| format!("\"N{number}<03>\", ");
    for text in [
        network("", &many(20_000, &traffic)),
        network(&many(20_000, &hosts), ""),
        network("[[host]]\nname = \"C\"\nsegment = \"s\"", &many(20_000, &expects)),
        format!("{}{}", many(40_000, &keys), network("", "")),
        network(&format!("[[host]]\nname = \"H{{1..5000}}\"\nsegment = \"s\"\nnames = [{}]", many(64, &names)), ""),
    ] {
        assert!(text.len() < 1 << 20);
        let mut check = Command::cargo_bin("mailslot-sim").unwrap();
        let output = check.args(["check", "-"]).write_stdin(text).timeout(Duration::from_secs(5)).output().unwrap();
        assert_eq!(output.status.code(), Some(96), "killed after 5 s, where a fraction of one is usual");
        assert!(output.stderr.len() < 100_000, "{} bytes", output.stderr.len());
    }
}

/// A key in the wrong table is sent to the right one.
#[test]
fn misplaced_keys_are_sent_to_their_table() {
    let top = |line: &str| network("", "").replacen("duration", &format!("{line}\nduration"), 1);
    for (text, words) in [
        (top("wins = true"), "`wins` is a key of [[host]]"),
        (top("transports = 2"), "`transports` is a key of [[host]]"),
        (network("name_service = \"wins\"", ""), "`name_service` is a key of the top of the file"),
        (network("reader = \"never\"", ""), "`reader` is a key of [[mailslot]]"),
        (network("nmae = \"x\"", ""), "did you mean `name`?"),
    ] {
        let problems = problems(&text);
        assert!(problems.contains(words), "{words:?} is not in: {problems}");
    }
}

/// One mistake, one complaint: what a refused value would have decided is not guessed.
#[test]
fn a_refused_name_service_draws_no_second_complaint() {
    for (top, host) in [("name_service = \"wins\"", "wins = \"yes\""), ("name_service = \"WINS\"", "wins = true")] {
        let text = network(host, "").replacen("duration", &format!("{top}\nduration"), 1);
        let problems = problems(&text);
        assert_eq!(problems.matches("error: ").count() + problems.matches("warning: ").count(), 1, "{problems}");
    }
}
