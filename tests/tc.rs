//! `tc`: the lines of netem, and what they do not say. That the real `tc` reads the lines is a check of tests/peers.

mod support;

use std::collections::BTreeSet;
use std::fs;

use assert_cmd::Command;
use mailslot_sim::report::netem;
use support::scenario;
use tempfile::TempDir;

/// Standard output, standard error and exit code of `tc`, for a scenario on standard input.
fn tc(text: &str) -> (String, String, i32) {
    let output = Command::cargo_bin("mailslot-sim").unwrap().args(["tc", "-"]).write_stdin(text).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// A scenario with one host, whose down link has this profile.
fn one_link(profile: &str) -> String {
    format!(
        r#"
        schema = 1
        name = "one-link"
        duration = "1 s"
        [link.l]
        {profile}
        [segment.s]
        [[host]]
        name = "H"
        segment = "s"
        link = {{ down = "l" }}
        "#
    )
}

/// What stands below the name of a link with this profile: the arguments of netem, and the remarks, unwrapped.
fn netem_of(profile: &str) -> (String, Vec<String>) {
    block(&netem(&scenario(&one_link(profile))), "# s/H/down")
}

fn block(text: &str, name: &str) -> (String, Vec<String>) {
    let mut lines = text.lines().skip_while(|line| *line != name).skip(1).take_while(|line| !line.is_empty());
    let line = lines.next().unwrap_or_else(|| panic!("nothing below {name} in:\n{text}"));
    let arguments =
        line.strip_prefix("tc qdisc add dev DEV root netem ").unwrap_or_else(|| panic!("{line}")).to_owned();
    let mut remarks: Vec<String> = Vec::new();
    for line in lines {
        match line.strip_prefix("#     ") {
            Some(more) => *remarks.last_mut().unwrap() += &format!(" {more}"),
            None => remarks.push(line.strip_prefix("#   ").unwrap().to_owned()),
        }
    }
    (arguments, remarks)
}

/// The line of a link that netem expresses, with remarks that start so.
fn assert_line(profile: &str, arguments: &str, remarks: &[&str]) {
    let (line, all) = netem_of(profile);
    assert_eq!(line, arguments, "{profile}");
    assert_eq!(all.len(), remarks.len(), "{profile}: {all:#?}");
    for (remark, start) in all.iter().zip(remarks) {
        assert!(remark.starts_with(start), "{profile}: {remark}");
    }
}

#[test]
fn what_netem_does_as_we_do_has_no_remark() {
    for (profile, arguments) in [
        (r#"loss = "5 %""#, "loss random 5%"),
        (r#"loss = "100 %""#, "loss random 100%"),
        (r#"delay = "20 ms""#, "limit 1000000 delay 20ms"),
        (r#"delay = "90 s""#, "limit 1000000 delay 90s"),
        (r#"delay = "1500 us""#, "limit 1000000 delay 1.5ms"),
        (r#"delay = { distribution = "uniform", min = "10 ms", max = "30 ms" }"#, "limit 1000000 delay 20ms 10ms"),
        (r#"delay = { distribution = "uniform", min = "7 ms", max = "7 ms" }"#, "limit 1000000 delay 7ms"),
        (r#"delay = { distribution = "normal", mean = "7 ms", deviation = "0 s" }"#, "limit 1000000 delay 7ms"),
        (
            r#"delay = { distribution = "uniform", min = "7 ms", max = "7 ms", keep_order = true }"#,
            "limit 1000000 delay 7ms",
        ),
        ("delay = \"1 ms\"\nduplicate = \"2.5 %\"", "limit 1000000 delay 1ms duplicate 2.5%"),
        ("delay = \"1 ms\"\nreorder = { probability = \"25 %\" }", "limit 1000000 delay 1ms reorder 25%"),
        ("delay = \"1 ms\"\nloss = \"0.1 %\"", "limit 1000000 delay 1ms loss random 0.1%"),
    ] {
        assert_line(profile, arguments, &[]);
    }
}

#[test]
fn chains_are_those_of_netem_but_for_their_start() {
    let start = "loss: netem starts in the good state; here a link starts as it is in the long run.";
    assert_line(r#"loss = { mean = "5 %", burst = 4 }"#, "loss gemodel 1.315789474% 25%", &[start]);
    let model = r#"loss = { gilbert_elliott = { p = "1 %", r = "25 %", loss_good = "0.1 %", loss_bad = "80 %" } }"#;
    assert_line(model, "loss gemodel 1% 25% 80% 0.1%", &[start]); // 1-h is the loss of the bad state, and comes first
    let model = r#"loss = { four_state = { p13 = "1 %", p31 = "30 %", p32 = "20 %", p23 = "60 %", p14 = "0.5 %" } }"#;
    assert_line(model, "loss state 1% 30% 20% 60% 0.5%", &["loss: netem starts in state 1; here"]);
    assert_line(r#"loss = { mean = "100 %", burst = 3 }"#, "loss random 100%", &[]);
}

/// What `q_netem.c` makes of percentages, the kernel adds in 32 bits.
#[test]
fn two_ways_out_of_a_state_never_add_up_to_0() {
    let units = |percent: &str| {
        (percent.strip_suffix('%').unwrap().parse::<f64>().unwrap() / 100.0 * f64::from(u32::MAX)).round_ties_even()
            as u64
    };
    let mut lessened = BTreeSet::new();
    for percent in 0..=100 {
        let four = format!(
            r#"p13 = "{percent} %", p31 = "{percent} %", p32 = "{0} %", p23 = "1 %", p14 = "{0} %""#,
            100 - percent
        );
        let (line, remarks) = netem_of(&format!("loss = {{ four_state = {{ {four} }} }}"));
        let Some(values) = line.strip_prefix("loss state ") else { continue }; // it loses all or nothing
        let p: Vec<u64> = values.split(' ').map(units).collect();
        for sum in [p[0] + p[4], p[1] + p[2]] {
            assert!((u64::from(u32::MAX) - 50..=u64::from(u32::MAX)).contains(&sum), "{line}: {sum}");
        }
        if remarks.len() > 1 {
            assert!(
                remarks[0]
                    .ends_with("100 % together, which the kernel would add to 0 in 32 bits: p13 is 0.000001 % less.")
            );
            assert!(line.contains("999999%"), "{line}");
            lessened.insert(percent);
        }
    }
    assert!(lessened.contains(&50) && lessened.contains(&10), "{lessened:?}");
}

#[test]
fn losses_without_a_form_come_as_chains() {
    let start = "loss: netem starts in the good state";
    let nothing_like_it = "loss: netem has no periods. This chain loses as much, and never two in a row, but what it \
                           carries between two losses varies. An nftables rule drops exactly one of 10: numgen inc \
                           mod 10 0 drop";
    assert_line("loss = { every = 10 }", "loss gemodel 11.111111111% 100%", &[nothing_like_it, start]);
    assert_line("loss = { every = 2 }", "loss gemodel 100% 100%", &[start]); // which is every second one
    assert_line("loss = { every = 1 }", "loss random 100%", &[]);

    let folder = TempDir::new().unwrap();
    let line = |pattern: &str| {
        fs::write(folder.path().join("pattern"), pattern).unwrap();
        let file = folder.path().join("scenario.toml");
        fs::write(&file, one_link("loss = { pattern = \"pattern\" }\ndelay = \"1 ms\"")).unwrap();
        let output = Command::cargo_bin("mailslot-sim").unwrap().arg("tc").arg(file).output().unwrap();
        block(&String::from_utf8(output.stdout).unwrap(), "# s/H/down")
    };
    // Three lost of ten, in two periods: one goes on at the beginning. Of the seven carried, two are before a period.
    let (arguments, remarks) = line("1000110000");
    assert_eq!(arguments, "limit 1000000 delay 1ms loss gemodel 28.571428571% 66.666666667%");
    assert!(remarks[0].starts_with("loss: netem has no patterns."), "{remarks:?}");
    assert_eq!(line("1000000011").0, "limit 1000000 delay 1ms loss gemodel 14.285714286% 33.333333333%");
    assert_eq!(line("000"), ("limit 1000000 delay 1ms".to_owned(), vec![]));
    assert_eq!(line("111"), ("limit 1000000 delay 1ms loss random 100%".to_owned(), vec![]));
}

#[test]
fn distributions_come_as_the_nearest_table() {
    let normal = r#"delay = { distribution = "normal", mean = "2 ms", deviation = "500 us" }"#;
    assert_line(normal, "limit 1000000 delay 2ms 500us distribution normal", &["delay: netem's normal table ends"]);
    // netem's pareto is least at the mean less 2/3 of the jitter: 15 ms and 7.5 ms if there were no end.
    let pareto = r#"delay = { distribution = "pareto", min = "10 ms", alpha = 3.0, max = "10 s" }"#;
    let own = "delay: no table that comes with tc has this alpha";
    assert_line(pareto, "limit 1000000 delay 14.99ms 7.485ms distribution pareto", &[own]);
    // The mean is 20 ms, the deviation 15 ms, that of the table 0.834.
    let exponential = r#"delay = { distribution = "exponential", min = "5 ms", mean = "20 ms" }"#;
    let own = "delay: no table that comes with tc is exponential. This one comes nearest: the delays of the same rank \
               differ by 1.061ms on average. For a table of your own, which ends 4 deviations from the mean, have \
               iproute2's maketable make NAME.dist of samples, put it beside normal.dist and write: delay 20ms \
               14.99ms distribution NAME";
    assert_line(exponential, "limit 1000000 delay 20ms 17.97ms distribution paretonormal", &[own]);
    let lognormal = |sigma| format!(r#"delay = {{ distribution = "lognormal", median = "10 ms", sigma = {sigma:?} }}"#);
    for (sigma, table) in [(0.1, "normal"), (0.7, "paretonormal"), (1.5, "pareto")] {
        let (line, remarks) = netem_of(&lognormal(sigma));
        assert!(line.ends_with(&format!(" distribution {table}")), "{sigma}: {line}");
        assert!(remarks[0].starts_with("delay: no table that comes with tc is lognormal."), "{remarks:?}");
    }
    assert_line(&lognormal(0.0), "limit 1000000 delay 10ms", &[]);
    let for_ever = r#"delay = { distribution = "lognormal", median = "3650 d", sigma = 10.0 }"#;
    assert!(netem_of(for_ever).0.starts_with("limit 1000000 delay "), "what saturates is no panic");
}

#[test]
fn measured_delays_come_as_what_is_like_them() {
    let folder = TempDir::new().unwrap();
    let line = |times: &[u32]| {
        let times: Vec<String> = times.iter().map(|time| format!("{time} ms")).collect();
        fs::write(folder.path().join("times"), times.join("\n")).unwrap();
        let file = folder.path().join("scenario.toml");
        fs::write(&file, one_link(r#"delay = { distribution = "empirical", file = "times" }"#)).unwrap();
        let output = Command::cargo_bin("mailslot-sim").unwrap().arg("tc").arg(file).output().unwrap();
        block(&String::from_utf8(output.stdout).unwrap(), "# s/H/down").0
    };
    assert_eq!(line(&[7, 7, 7]), "limit 1000000 delay 7ms");
    assert_eq!(line(&Vec::from_iter(10..=30)), "limit 1000000 delay 20ms 10.49ms"); // deviation 6.055 x root of 3
}

#[test]
fn the_kernels_and_old_versions_limits_are_said() {
    let uniform = |max: &str| format!(r#"delay = {{ distribution = "uniform", min = "0 s", max = "{max}" }}"#);
    let whole = "delay: older versions of tc count whole microseconds.";
    assert_line(r#"delay = "1500 ns""#, "limit 1000000 delay 1.5us", &[whole]);
    assert_line(
        r#"delay = "275 s""#,
        "limit 1000000 delay 275s",
        &["delay: older versions of tc refuse more than 274 s."],
    );
    let kernel = "delay: the kernel takes 2.147483647 s for every jitter above.";
    assert_line(&uniform("5 s"), "limit 1000000 delay 2.5s 2.5s", &[kernel]);
    let least = "delay: tc wants at least 1us beside a distribution or reorder.";
    let reorder = format!("{}\nreorder = {{ probability = \"25 %\" }}", uniform("1 us"));
    assert_line(&reorder, "limit 1000000 delay 1us 0.5us reorder 25%", &[least, whole]);
    let half_normal = r#"delay = { distribution = "normal", mean = "0 s", deviation = "10 ns" }"#;
    let line = "limit 1000000 delay 1us 1us distribution normal";
    assert_line(half_normal, line, &["delay: netem's normal table", least]);
    let never = "0.00000001 % is never: netem has 32 bits for a probability.";
    assert_line("delay = \"1 ms\"\nloss = 1e-10", "limit 1000000 delay 1ms loss random 0.00000001%", &[never]);
}

#[test]
fn correlation_is_said_to_be_lost() {
    let uniform = |correlation| {
        format!(
            r#"delay = {{ distribution = "uniform", min = "1 ms", max = "3 ms", correlation = "{correlation} %" }}"#
        )
    };
    let lost = "delay: netem correlates numbers of 32 bits, but takes their remainder";
    assert_line(&uniform(25), "limit 1000000 delay 2ms 1ms 25%", &[lost]);
    assert_line(&uniform(100), "limit 1000000 delay 2ms 1ms 100%", &[]);
    let reorder = "delay = \"1 ms\"\nreorder = { probability = \"25 %\", gap = 5, correlation = \"50 %\" }";
    let remarks = ["reorder: netem's correlation draws towards one half", "reorder: netem starts as behind one"];
    assert_line(reorder, "limit 1000000 delay 1ms reorder 25% 50% gap 5", &remarks);
}

#[test]
fn duplicates_and_damage_differ() {
    let start = "loss: netem starts in the good state";
    let twice =
        "duplicate: netem sends on once what is to be doubled and lost, so 4.9% are lost, not 5%; and a copy can be";
    let profile = "loss = { mean = \"5 %\", burst = 4 }\nduplicate = \"2 %\"";
    assert_line(profile, "loss gemodel 1.315789474% 25% duplicate 2%", &[start, twice]);
    let [flips, unseen] = ["corrupt: netem flips any bit of a frame", "udp_checksum: netem leaves checksums alone"];
    assert_line("corrupt = \"1 %\"", "corrupt 1%", &[flips]);
    let itself = "duplicate: netem damages copy and original each by itself";
    let profile = "corrupt = \"1 %\"\nudp_checksum = false\nduplicate = \"2 %\"";
    assert_line(profile, "corrupt 1% duplicate 2%", &[flips, unseen, itself]);
}

/// A link that only splits what is long is no business of netem.
#[test]
fn the_mtu_is_the_devices() {
    let remark = "mtu: netem has none, the device has: ip link set dev DEV mtu 576";
    assert_line("mtu = \"576 B\"\nloss = \"5 %\"", "loss random 5%", &[remark]);
    let text = netem(&scenario(&one_link("mtu = \"576 B\"")));
    assert!(text.ends_with(&format!("#   carries everything at once: nothing is needed\n#   {remark}\n")), "{text}");
}

#[test]
fn order_is_kept_by_a_rate() {
    let delay = r#"delay = { distribution = "uniform", min = "0 s", max = "20 ms", keep_order = true }"#;
    let order = "keep_order: netem has none, but lets nothing overtake where it has a rate.";
    assert_line(delay, "limit 1000000 delay 10ms 10ms rate 1000tbit", &[order]);
    let copy = "duplicate: in netem those behind a copy wait for it too";
    let profile = format!("{delay}\nduplicate = \"1 %\"");
    assert_line(&profile, "limit 1000000 delay 10ms 10ms duplicate 1% rate 1000tbit", &[copy, order]);
}

/// netem's limit counts the one that is sent too, and what is being delayed.
#[test]
fn rates_and_queues() {
    let header = "rate: -14 takes out the Ethernet header";
    let profile = |queue: &str, more: &str| format!("rate = \"2 Mbit/s\"\nqueue = \"{queue}\"\n{more}");
    assert_line(&profile("64 datagrams", ""), "limit 65 rate 2mbit -14", &[header]);
    assert_line(&profile("0 datagrams", ""), "limit 1 rate 2mbit -14", &[header]);
    assert_line("rate = \"56 kbit/s\"", "limit 1001 rate 56kbit -14", &[header]);
    assert_line("rate = \"1001 bit/s\"", "limit 1001 rate 1001bit -14", &[header, "rate: netem counts whole bytes"]);
    assert_line("rate = \"3 bit/s\"", "limit 1001 rate 8bit -14", &[header, "rate: netem counts whole bytes"]);
    let bytes =
        "limit: netem has no queue of bytes: 32768 are taken for 56 datagrams of 576 bytes. tbf has one: limit 32768.";
    assert_line(&profile("32 KiB", ""), "limit 57 rate 2mbit -14", &[header, bytes]);
    // 20 ms at 2 Mbit/s.
    let delayed =
        "limit: 64 that wait, the one that is sent, and 9 for what is being delayed (5000 bytes at this rate, in";
    let constant = profile("64 datagrams", "delay = \"20 ms\"");
    assert_line(&constant, "limit 74 delay 20ms rate 2mbit -14", &[header, delayed]);
    let jitter = "delay = { distribution = \"uniform\", min = \"10 ms\", max = \"30 ms\", keep_order = true }";
    let held = "rate: netem delays before it sends, and then nothing overtakes: what is delayed long holds up all \
                that is behind it. Here the delay comes after, and takes nothing from the rate.";
    let line = "limit 74 delay 20ms 10ms rate 2mbit -14";
    assert_line(&profile("64 datagrams", jitter), line, &[header, held, delayed]);
    let jitter = jitter.replace(", keep_order = true", "");
    let held = "rate: netem delays before it sends, and then nothing overtakes: what is delayed long holds up all \
                that is behind it. Here the delay comes after, and datagrams overtake.";
    assert_line(&profile("64 datagrams", &jitter), line, &[header, held, delayed]);
    let reorder = profile("64 datagrams", "delay = \"20 ms\"\nreorder = { probability = \"1 %\" }");
    let line = "limit 74 delay 20ms reorder 1% rate 2mbit -14";
    assert_line(&reorder, line, &["reorder: what netem does not delay takes no time at the rate", header, delayed]);
    let longest = "rate = \"1000 Gbit/s\"\ndelay = \"3650 d\"";
    assert!(netem_of(longest).0.starts_with("limit 4294967295 delay 315360000s rate 1000gbit -14"));
}

/// Twelve stations behind one switch are two groups, not 26 blocks; and all of them are named, each once.
#[test]
fn links_that_behave_alike_stand_together() {
    let (text, stderr, exit) = tc(&fs::read_to_string("scenarios/plant-alarm.toml").unwrap());
    assert_eq!((exit, stderr.as_str()), (0, ""));
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("tc ")).collect();
    let line = "limit 1000000 delay 2ms 500us distribution normal loss gemodel 1.315789474% 25%";
    assert_eq!(lines, [format!("tc qdisc add dev DEV root netem {line}")]);
    assert_eq!(text.matches("#   carries everything at once: nothing is needed\n").count(), 1);
    let words: Vec<&str> = text.split([' ', '\n', ',']).collect();
    let topology = scenario(&fs::read_to_string("scenarios/plant-alarm.toml").unwrap());
    for link in topology.topology().links() {
        assert_eq!(words.iter().filter(|word| **word == link.name).count(), 1, "{}", link.name);
    }
    let place = |name: &str| text.find(name).unwrap();
    assert!(place("CTRL/up") < place("nothing is needed") && place("nothing is needed") < place("CTRL/down"));
}

/// What is printed is a script: everything but the lines for tc is a comment, of at most 100 columns.
#[test]
fn the_output_is_a_script() {
    for file in ["tests/peers/links.toml", "scenarios/branch-office.toml", "scenarios/one-way-cut.toml"] {
        let text = netem(&scenario(&fs::read_to_string(file).unwrap()));
        for line in text.lines() {
            let is_comment = line.is_empty() || line.starts_with("# ");
            assert!(is_comment || line.starts_with("tc qdisc add dev DEV root netem "), "{file}: {line}");
            assert!(!is_comment || line.chars().count() <= 100, "{file}: {line}");
        }
        let events = "# What happens to the network while the scenario runs";
        assert_eq!(text.contains(events), file.contains("one-way-cut"), "{file}");
    }
}

#[test]
fn a_bad_scenario_has_the_diagnostics_of_check() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bad.toml");
    fs::write(&file, one_link(r#"delay = "2 bananas""#)).unwrap();
    let run = |command: &str| {
        let output = Command::cargo_bin("mailslot-sim").unwrap().arg(command).arg(&file).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap(), output.stdout)
    };
    assert_eq!(run("tc"), run("check"));
    let (exit, stderr, stdout) = run("tc");
    assert_eq!((exit, stdout.len()), (Some(96), 0));
    assert!(stderr.contains("`2 bananas` is not a time"), "{stderr}");
}
