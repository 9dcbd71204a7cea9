//! The same scenario by both drivers: every message has the same fate at every recipient, and the same delay but for a
//! tick.
#![cfg(feature = "turmoil")]

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use mailslot_sim::drive::turmoil;
use mailslot_sim::scenario::{Scenario, Source, parse};
use mailslot_sim::sim::{self, Outcome};
use mailslot_sim::stats::{Event, Fate, Instance, Observer};
use mailslot_sim::time::Instant;
use support::{Pair, scenario};

/// What happened to every instance of every message, in an order that does not depend on time.
#[derive(Default)]
struct History {
    /// Of each write (flow and sender, number): its error, if it failed.
    writes: BTreeMap<(u32, u64), Option<u32>>,
    /// How each instance ended, with the links that it had passed.
    ends: Vec<String>,
    /// How each message that was read had been under way, in ns.
    delays: BTreeMap<String, u64>,
}

impl Observer for History {
    fn observe(&mut self, _: Instant, event: &Event<'_>) {
        let key = |instance: &Instance| format!("{instance:?}");
        match event {
            Event::Write(write) => {
                self.writes.insert((write.stream.0, write.message), write.result.err());
            }
            Event::Lost { instance, link, fate, links_passed } => {
                self.ends.push(format!("{} lost on {link:?} after {links_passed}: {fate:?}", key(instance)));
            }
            Event::Gone { instance, fate, .. } => self.ends.push(format!("{} {fate:?}", key(instance))),
            Event::Left { instance, fate, .. } => self.ends.push(format!("{} {fate:?}", key(instance))),
            Event::Discarded { instance, host, reason, fate } => {
                self.ends.push(format!("{} discarded by {host:?}: {reason:?}, {fate:?}", key(instance)));
            }
            Event::Read { instance, delay, damaged, .. } => {
                self.ends.push(format!("{} read, damaged: {damaged}", key(instance)));
                self.delays.insert(key(instance), delay.nanos());
            }
            _ => {}
        }
    }
}

fn by_events(scenario: &Scenario) -> (Outcome, History) {
    let mut history = History::default();
    let outcome = sim::run(scenario, 0, &mut history).unwrap();
    history.ends.sort();
    (outcome, history)
}

fn by_turmoil(scenario: &Scenario) -> (Outcome, History) {
    let history = Rc::new(RefCell::new(History::default()));
    let outcome = turmoil::run(scenario, 0, history.clone()).unwrap();
    let mut history = Rc::into_inner(history).expect("the run is over").into_inner();
    history.ends.sort();
    (outcome, history)
}

/// Nothing differs but delays, and they by `tolerance` at most.
fn assert_same(name: &str, scenario: &Scenario, tolerance: u64) {
    let (outcome, by_events) = by_events(scenario);
    let (other, by_turmoil) = by_turmoil(scenario);
    assert_eq!(by_events.writes, by_turmoil.writes, "{name}");
    for (one, other) in by_events.ends.iter().zip(&by_turmoil.ends) {
        assert_eq!(one, other, "{name}");
    }
    assert_eq!(by_events.ends.len(), by_turmoil.ends.len(), "{name}");
    for (key, delay) in &by_events.delays {
        let difference = delay.abs_diff(by_turmoil.delays[key]);
        assert!(difference <= tolerance, "{name}: {key} by {difference} ns of {delay}");
    }
    for (flow, other) in outcome.tally.flows.iter().zip(&other.tally.flows) {
        for fate in Fate::ALL {
            assert_eq!(flow.fate(fate), other.fate(fate), "{name}: {fate:?}");
        }
        assert_eq!((flow.addressed, flow.acknowledgements), (other.addressed, other.acknowledgements), "{name}");
        assert_eq!(flow.ack, other.ack, "{name}");
        for (phase, other) in flow.phases.iter().zip(&other.phases) {
            assert_eq!((phase.messages, phase.writes), (other.messages, other.writes), "{name}");
            assert_eq!(Fate::ALL.map(|fate| phase.fate(fate)), Fate::ALL.map(|fate| other.fate(fate)), "{name}");
            assert_eq!((&phase.by_count, &phase.loss_periods), (&other.by_count, &other.loss_periods), "{name}");
        }
    }
    assert_eq!(outcome.links, other.links, "{name}");
}

const TICK: u64 = 1_000_000;
/// Question, answer and message: each comes to its host less than a tick late.
const OF_A_LOOKUP: u64 = 3 * TICK;

fn shipped(file: &str) -> Scenario {
    let text = fs::read_to_string(format!("scenarios/{file}")).unwrap();
    let read_file = |name: &str| fs::read(format!("scenarios/{name}"));
    parse(&Source { name: file, text: &text, set: &[], read_file: &read_file }).unwrap().scenario
}

/// Every shipped scenario with at most 16 hosts.
#[test]
fn shipped_scenarios_have_the_same_fates() {
    let mut compared = 0;
    for entry in fs::read_dir("scenarios").unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if !file.ends_with(".toml") {
            continue;
        }
        let scenario = shipped(&file);
        let has_apps = fs::read_to_string(format!("scenarios/{file}")).unwrap().contains("[[app]]");
        if scenario.topology().hosts().len() > 16 || has_apps {
            continue;
        }
        assert_same(&file, &scenario, TICK);
        compared += 1;
    }
    assert!(compared >= 8, "{compared} compared");
}

/// Replies come in time or long after: less than a tick does not decide.
const ACKED: &str = "every = \"40 ms\"\ncount = 200\nack = { slot = 'acks', timeout = \"30 ms\", tries = 3 }";
/// The sender replies to its own copies too.
const OWN: &str = "every = \"40 ms\"\ncount = 200\nack = { slot = 'acks', timeout = \"30 ms\", tries = 3 }\n\
    [[mailslot]]\non = \"A\"\nname = \"t\"";
const LOOKED_UP: &str = "duration = \"10 s\"\nname_service = \"broadcast\"";

/// Readers that are slow or look from time to time, small slots, fragments, transports and lookups.
#[test]
fn hosts_of_all_kinds_have_the_same_fates() {
    let down =
        "delay = { distribution = \"uniform\", min = \"0 s\", max = \"9 ms\" }\nloss = \"20 %\"\nduplicate = \"10 %\"";
    let top = "duration = \"10 s\"";
    let pair = Pair { top, down, traffic: "poisson = \"40 /s\"\ncount = 300", ..Pair::default() };
    let all = [
        ("wait", Pair { ..pair }),
        ("never", Pair { mailslot: "reader = \"never\"\nqueue_limit = 9", ..pair }),
        ("small", Pair { mailslot: "max_message_size = \"3 B\"", ..pair }),
        ("damaged", Pair { up: "corrupt = \"30 %\"\nudp_checksum = false", ..pair }),
        ("checked", Pair { up: "corrupt = \"30 %\"", receiver: "datagram_errors = true", ..pair }),
        (
            "fragments",
            Pair {
                sender: "fragments = true\napi_424 = false",
                traffic: "every = \"20 ms\"\nsize = \"430 B\"\ncount = 200",
                ..pair
            },
        ),
        (
            "mtu",
            Pair {
                up: "mtu = \"576 B\"\nloss = \"10 %\"\nduplicate = \"20 %\"\ncorrupt = \"5 %\"",
                traffic: "every = \"20 ms\"\nsize = { uniform = [\"0 B\", \"424 B\"] }\ncount = 300",
                ..pair
            },
        ),
        (
            "mtu for a domain",
            Pair {
                up: "mtu = \"68 B\"\nloss = \"1 %\"",
                to: r"\\*\mailslot\t",
                traffic: "every = \"30 ms\"\ncount = 100",
                ..pair
            },
        ),
        ("transports", Pair { sender: "transports = 3", receiver: "transports = 2", ..pair }),
        ("copies", Pair { traffic: "every = \"30 ms\"\ncount = 200\ncopies = 3\nspacing = \"1100 us\"", ..pair }),
        ("acknowledged", Pair { traffic: ACKED, ..pair }),
        ("acknowledged by all", Pair { traffic: ACKED, to: r"\\DOM\mailslot\t", ..pair }),
        ("acknowledged, damaged", Pair { up: "corrupt = \"30 %\"\nudp_checksum = false", traffic: ACKED, ..pair }),
        ("acknowledged, looked up", Pair { top: LOOKED_UP, traffic: ACKED, ..pair }),
        ("acknowledged to itself", Pair { traffic: OWN, to: r"\\DOM\mailslot\t", ..pair }),
        ("domain", Pair { to: r"\\*\mailslot\t", ..pair }),
        ("local", Pair { to: r"\\.\mailslot\t", ..pair }),
        ("looked up", Pair { top: LOOKED_UP, ..pair }),
        ("disabled", Pair { sender: "remote_mailslots_disabled = true", ..pair }),
        ("missing", Pair { slot: "other", ..pair }),
    ];
    for (name, pair) in all {
        let tolerance = if pair.top == LOOKED_UP { OF_A_LOOKUP } else { TICK };
        assert_same(name, &pair.scenario(), tolerance);
    }
    for (name, loss) in [
        ("gilbert_elliott", "{ gilbert_elliott = { p = 0.1, r = 0.3, loss_good = 0.02, loss_bad = 0.7 } }"),
        ("four_state", "{ four_state = { p13 = 0.05, p31 = 0.3, p32 = 0.2, p23 = 0.5, p14 = 0.03 } }"),
        ("every", "{ every = 7 }"),
        ("pattern", "{ pattern = \"../tests/data/losses.txt\" }"),
    ] {
        let up = &format!("loss = {loss}\nduplicate = \"20 %\"");
        assert_same(name, &Pair { up, down: "delay = \"5500 us\"", ..pair }.scenario(), TICK);
    }
    for (name, delay) in [
        ("lognormal", "distribution = \"lognormal\", median = \"9 ms\", sigma = 0.5"),
        ("exponential", "distribution = \"exponential\", min = \"1 ms\", mean = \"9 ms\""),
        ("pareto", "distribution = \"pareto\", min = \"3 ms\", alpha = 1.2, max = \"900 ms\""),
        ("empirical", "distribution = \"empirical\", file = \"../tests/data/delays.txt\""),
        ("correlated", "distribution = \"normal\", mean = \"20 ms\", deviation = \"5 ms\", correlation = \"80 %\""),
    ] {
        let up = &format!("delay = {{ {delay} }}\nloss = \"20 %\"\nduplicate = \"20 %\"");
        assert_same(name, &Pair { up, down: "", ..pair }.scenario(), TICK);
    }
    let reorder = "delay = \"20 ms\"\nreorder = { probability = \"30 %\", gap = 3, correlation = \"50 %\" }";
    let up = &format!("{reorder}\nloss = \"20 %\"\nduplicate = \"20 %\"");
    assert_same("reorder", &Pair { up, ..pair }.scenario(), TICK);
    // Sent at whole milliseconds under both, so the queue is as long when each comes.
    let up = "rate = \"64 kbit/s\"\nqueue = \"5 datagrams\"\nloss = \"20 %\"\nduplicate = \"20 %\"";
    let traffic = "every = \"20 ms\"\nsize = \"120 B\"\ncount = 300";
    assert_same("queue", &Pair { up, down: "delay = \"5500 us\"", traffic, ..pair }.scenario(), TICK);
    // The work on a backlog begins within a tick of when it would, and each read is at a tick.
    let down = "delay = \"5500 us\"\nloss = \"20 %\"";
    let slow = Pair { down, mailslot: "reader = { service_time = \"33300 us\" }", ..pair };
    assert_same("slow", &slow.scenario(), 3 * TICK);
    // What comes within a tick of a look may have to wait for the next one.
    let poll = Pair { mailslot: "reader = { poll = \"70 ms\" }", ..pair };
    assert_same("poll", &poll.scenario(), 70 * TICK);
}

/// What is under way when the run ends, and a run that ends between two ticks.
#[test]
fn runs_end_the_same() {
    let on_its_way = Pair {
        top: "duration = \"1 s\"\ndrain = \"0 s\"",
        down: "delay = \"20300 us\"",
        traffic: "every = \"10 ms\"",
        ..Pair::default()
    };
    assert_same("in flight", &on_its_way.scenario(), TICK);
    let (outcome, _) = by_turmoil(&on_its_way.scenario());
    assert_eq!(outcome.tally.flows[0].fate(Fate::InFlight), 2);
    let between = Pair {
        top: "duration = \"10500 us\"\ndrain = \"0 s\"",
        traffic: "at = [\"1 ms\", \"10200 us\"]",
        ..Pair::default()
    };
    let [by_events, by_turmoil] = [by_events(&between.scenario()), by_turmoil(&between.scenario())];
    assert_eq!(by_events.0.tally.flows[0].addressed, 2);
    assert_eq!(by_turmoil.0.tally.flows[0].addressed, 2, "both were written in time");
    // Nothing is lost between a host and the network, however much there is at once.
    let much = Pair {
        top: "duration = \"1 s\"",
        down: "duplicate = \"100 %\"",
        traffic: "burst = { size = 70000, every = \"10 s\" }\nsize = \"8 B\"",
        ..Pair::default()
    };
    assert_same("much", &much.scenario(), TICK);
    // Local messages need no network, and end the run as early.
    assert_same("local", &Pair { to: r"\\.\mailslot\t", traffic: "every = \"10 ms\"", ..on_its_way }.scenario(), TICK);
}

/// A reader that looks reads all that is there, whether its looks are at ticks or between them.
#[test]
fn pollers_read_all_that_is_there() {
    let bursts = Pair {
        top: "duration = \"5 s\"",
        down: "delay = \"3 ms\"",
        mailslot: "reader = { poll = \"10300 us\" }\nqueue_limit = 60",
        traffic: "burst = { size = 50, every = \"100 ms\" }",
        ..Pair::default()
    };
    assert_same("bursts", &bursts.scenario(), 11 * TICK);
}

/// A partition cuts the same datagrams under turmoil: its moments are between those at which programs act.
#[test]
fn partitions_cut_the_same() {
    let events =
        "[[event]]\nat = \"2000500 us\"\npartition = [[\"A\"], [\"B\"]]\n[[event]]\nat = \"5000500 us\"\nheal = true\n";
    let pair = Pair {
        top: "duration = \"10 s\"",
        down: "delay = { distribution = \"uniform\", min = \"0 s\", max = \"9 ms\" }\nloss = \"20 %\"",
        traffic: &format!("every = \"20 ms\"\n{events}"),
        ..Pair::default()
    };
    assert_same("partition", &pair.scenario(), TICK);
    let (outcome, _) = by_events(&pair.scenario());
    assert_eq!(outcome.tally.flows[0].fate(Fate::LostInPartition), 150);
}

/// Hosts on several segments, and routers that forward broadcasts, are the same under turmoil, whichever way names are found.
#[test]
fn ways_are_the_same() {
    for name_service in ["static", "broadcast", "wins"] {
        let text = format!(
            r#"
            schema = 1
            name = "ways"
            duration = "4 s"
            name_service = "{name_service}"
            [link.l]
            delay = "1500 us"
            loss = "10 %"
            duplicate = "10 %"
            corrupt = "5 %"
            [segment.a]
            link = "l"
            [segment.b]
            link = "l"
            [segment.c]
            link = "l"
            [[router]]
            name = "R"
            joins = ["b", "c"]
            link = "l"
            forward_broadcast = true
            [[host]]
            name = "M{{1..2}}"
            segment = ["a", "b"]
            {wins}
            [[host]]
            name = "A"
            segment = "a"
            [[host]]
            name = "C{{1..2}}"
            segment = "c"
            [[mailslot]]
            on = '\\WORKGROUP'
            name = "t"
            [[traffic]]
            name = "all"
            from = "M{{1..2}}"
            to = '\\WORKGROUP\mailslot\t'
            every = "20 ms"
            [[traffic]]
            name = "back"
            from = "C{{1..2}}"
            to = '\\M1\mailslot\t'
            every = "20 ms"
            [[traffic]]
            name = "forwarded"
            from = "C1"
            to = '\\*\mailslot\t'
            every = "20 ms"
            "#,
            wins = if name_service == "wins" { "wins = true" } else { "" },
        );
        let tolerance = if name_service == "static" { TICK } else { OF_A_LOOKUP };
        assert_same(name_service, &scenario(&text), tolerance);
    }
}

/// Hosts, mailslots and links change the same under turmoil. Nothing comes within a tick of a change: written at whole 20 ms,
/// on its way for 5.5 ms.
#[test]
fn the_timeline_is_the_same() {
    let at = |lines: &str| format!("[[event]]\nat = \"2003 ms\"\n{lines}\n");
    let random = |lines: &str| format!("[[event]]\nevery = {{ exponential = \"900 ms\" }}\n{lines}\n");
    let slot = "{ on = \"B\", mailslot = \"t\" }";
    for (name, events) in [
        ("crash", at("crash = \"B\"\nfor = \"1 s\"")),
        ("crash between ticks", at("crash = \"B\"\nfor = \"1000300 us\"").replace("2003 ms", "2003400 us")),
        ("crash for ever", at("crash = \"B\"")),
        ("crash of the sender", at("crash = \"A\"\nfor = \"1 s\"")),
        ("end of the sender", at("crash = \"A\"")),
        ("restart", at("restart = '\\\\DOM'")),
        ("pause", at("pause = \"B\"\nfor = \"1 s\"")),
        ("pause for ever", at("pause = \"B\"")),
        ("pause of the sender", at("pause = \"A\"\nfor = \"1 s\"")),
        ("crash in a pause", at("pause = \"B\"\nfor = \"1 s\"") + &at("crash = \"B\"").replace("2003", "2503")),
        ("close", at(&format!("close = {slot}\nfor = \"1 s\""))),
        ("close and open", at(&format!("close = {slot}")) + &at(&format!("open = {slot}"))),
        ("leave", at("leave = \"B\"\nfor = \"1 s\"")),
        ("move", at("join = { host = \"A\", domain = \"ELSEWHERE\" }\nfor = \"1 s\"")),
        ("set", at("set = { \"link.up.loss\" = \"60 %\", \"link.down.delay\" = \"4500 us\" }\nfor = \"1 s\"")),
        ("random", random("crash = \"B\"\nfor = \"200 ms\"") + &random("pause = \"A\"\nfor = \"70 ms\"")),
    ] {
        let traffic = &format!(
            "every = \"20 ms\"\ncopies = 3\nspacing = \"20 ms\"\nsize = {{ uniform = [\"8 B\", \"99 B\"] }}\n{events}"
        );
        let pair = Pair {
            up: "loss = \"20 %\"",
            down: "delay = \"5500 us\"",
            to: r"\\*\mailslot\t",
            traffic,
            ..Pair::default()
        };
        let [known, asked] =
            ["static", "broadcast"].map(|names| format!("duration = \"4 s\"\nname_service = \"{names}\""));
        assert_same(name, &Pair { top: &known, ..pair }.scenario(), TICK);
        let unread = Pair { top: &known, mailslot: "reader = \"never\"", ..pair };
        assert_same(&format!("{name}, unread"), &unread.scenario(), TICK);
        // A question and its answer are rounded too; what comes in the tick in which a random claim ends may find it ended.
        if name != "random" {
            assert_same(&format!("{name}, asked"), &Pair { top: &asked, ..pair }.scenario(), 3 * TICK);
        }
        let slow = Pair { top: &known, mailslot: "reader = { service_time = \"7 ms\" }", ..pair };
        assert_same(&format!("{name}, slow"), &slow.scenario(), 3 * TICK);
        // Replies are there after twelve milliseconds, in the middle between a write and the next.
        let traffic =
            &format!("every = \"40 ms\"\nack = {{ slot = 'acks', timeout = \"20 ms\", tries = 3 }}\n{events}");
        let acknowledged = Pair { top: &known, traffic, ..pair };
        assert_same(&format!("{name}, acknowledged"), &acknowledged.scenario(), TICK);
    }
}

/// Phases have the same messages under turmoil; their borders are between the moments at which programs act.
#[test]
fn phases_count_the_same() {
    let phases = "[[phase]]\nname = \"one\"\nfrom = \"2000500 us\"\nto = \"5000500 us\"\n\
        [[phase]]\nname = \"two\"\nfrom = \"5000500 us\"\nto = \"9 s\"\n";
    let pair = Pair {
        top: "duration = \"10 s\"",
        up: "loss = \"20 %\"",
        traffic: &format!("every = \"20 ms\"\ncopies = 2\nspacing = \"30 ms\"\n{phases}"),
        ..Pair::default()
    };
    assert_same("phases", &pair.scenario(), TICK);
    let (outcome, _) = by_events(&pair.scenario());
    assert_eq!(outcome.tally.flows[0].phases.iter().map(|phase| phase.messages).collect::<Vec<_>>(), [150, 199]);
}

/// Two flows on a host, one of which ends early; changes at the moment of writes; fragments held and names asked for by a host
/// that stands still; and claims of names from the very beginning.
#[test]
fn hosts_with_several_programs_live_the_same() {
    let event = |at: &str, lines: &str| format!("[[event]]\nat = \"{at}\"\n{lines}\n");
    let more = "[[traffic]]\nname = \"g\"\nfrom = \"B\"\nto = '\\\\A\\mailslot\\t'\nat = [\"0 s\"]\n";
    let static_names = "duration = \"2 s\"";
    let asked = "duration = \"2 s\"\nname_service = \"broadcast\"";
    for (name, top, events) in [
        ("restart", static_names, event("250 ms", "restart = \"B\"") + &event("1250 ms", "restart = \"B\"")),
        ("copies", static_names, event("250 ms", "crash = '\\\\DOM'\nfor = \"100 ms\"")),
        ("at once", static_names, event("400 ms", "leave = \"A\"\nfor = \"200 ms\"")),
        ("join at 0 s", asked, event("0 s", "join = { host = \"A\", domain = \"NEW\" }")),
        ("restart at 0 s", asked, event("0 s", "restart = \"A\"")),
        ("lookup in a pause", asked, event("103 ms", "pause = \"A\"\nfor = \"1 s\"")),
        ("late restart", asked, event("3 s", "restart = \"B\"")),
    ] {
        let traffic = &format!("every = \"100 ms\"\ncopies = 2\nspacing = \"200 ms\"\n{more}{events}");
        let pair = Pair { top, up: "delay = \"2500 us\"", down: "delay = \"5500 us\"", traffic, ..Pair::default() };
        assert_same(name, &pair.scenario(), 3 * TICK);
        let runs: Vec<_> = (0..3).map(|_| by_turmoil(&pair.scenario()).1).collect();
        assert!(runs.iter().all(|run| run.ends == runs[0].ends && run.delays == runs[0].delays), "{name} repeats");
    }
    // The second fragment of a message waits before a host that stands still, longer than the first would wait for it.
    let events = event("1007 ms", "pause = \"B\"\nfor = \"5 s\"");
    let fragments = Pair {
        top: "duration = \"2 s\"",
        sender: "fragments = true\napi_424 = false",
        up: "rate = \"400 kbit/s\"",
        traffic: &format!("at = [\"1 s\"]\nsize = \"430 B\"\n{events}"),
        ..Pair::default()
    };
    assert_same("fragments in a pause", &fragments.scenario(), 3 * TICK);
}

/// Another seed is another run, under turmoil too; the same seed is the same to the last delay.
#[test]
fn runs_repeat() {
    let run = |seed| {
        let (_, history) = by_turmoil(&shipped("plant-alarm.toml").with_seed(seed));
        (history.ends, history.delays)
    };
    assert!(run(1) == run(1));
    assert!(run(1) != run(2));
}
