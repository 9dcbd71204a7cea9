//! Runs as a whole: determinism, the sender's view, fates and figures.

mod support;

use mailslot_sim::report::RunReport;
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use proptest::prelude::*;
use serde_json::Value;
use support::{report, scenario, trace, try_scenario};

fn shipped(name: &str) -> String {
    std::fs::read_to_string(format!("scenarios/{name}.toml")).unwrap()
}

/// Two hosts and a flow of 1000 messages between them; `link` is the way down to the receiver.
fn two_hosts(link: &str, mailslot: &str, traffic: &str) -> Scenario {
    scenario(&format!(
        r#"
        schema = 1
        name = "two"
        duration = "100 s"
        [link.l]
        {link}
        [segment.s]
        link = {{ down = "l" }}
        [[host]]
        name = "A"
        segment = "s"
        [[host]]
        name = "B"
        segment = "s"
        datagram_errors = true
        [[mailslot]]
        on = "B"
        name = "t"
        {mailslot}
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\B\mailslot\t'
        every = "100 ms"
        {traffic}
        "#
    ))
}

fn fate(report: &Value, fate: &str) -> u64 {
    report["flows"][0]["fates"].get(fate).map_or(0, |count| count.as_u64().unwrap())
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let run = |seed| {
        let scenario = scenario(&shipped("plant-alarm")).with_seed(seed);
        let outcome = sim::run(&scenario, 0, &mut ()).unwrap();
        (RunReport::new(&scenario, 0, &outcome).to_json(), trace(&scenario))
    };
    assert_eq!(run(42), run(42));
    assert_ne!(run(42).1, run(43).1);
}

#[test]
fn replications_of_a_seed_differ() {
    let scenario = scenario(&shipped("plant-alarm"));
    assert_ne!(report(&scenario, 0)["flows"], report(&scenario, 1)["flows"]);
}

/// The lesson of the whole: the lines that the sender could know are the same whether everything or nothing arrives.
#[test]
fn the_sender_sees_the_same_whether_everything_or_nothing_arrives() {
    let sender_lines = |loss: &str| -> Vec<String> {
        let set = [format!("link.switch.loss.mean={loss}")];
        let scenario = try_scenario(&shipped("plant-alarm"), &set).unwrap();
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
    let scenario = try_scenario(&shipped("branch-office"), &["segment.hq.link=wan".into()]).unwrap();
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

/// A link, a reader and traffic as random as the scenario file allows.
fn any_scenario() -> impl Strategy<Value = (String, u64)> {
    let chance = || (0..=10u32).prop_map(|tenths| format!("\"{} %\"", tenths * 10));
    let loss = prop_oneof![
        chance(),
        (0..=9u32, 10..40u32).prop_map(|(mean, burst)| format!("{{ mean = \"{} %\", burst = {burst} }}", mean * 10)),
    ];
    let delay = prop_oneof![
        Just("\"0 s\"".to_owned()),
        (0..500u32).prop_map(|ms| format!("\"{ms} ms\"")),
        (0..100u32, 0..30u32, any::<bool>()).prop_map(|(min, more, keep)| format!(
            "{{ distribution = \"uniform\", min = \"{min} ms\", max = \"{} s\", keep_order = {keep} }}",
            more + 1
        )),
        (0..100u32, 0..100u32).prop_map(|(mean, deviation)| format!(
            "{{ distribution = \"normal\", mean = \"{mean} ms\", deviation = \"{deviation} ms\" }}"
        )),
    ];
    let link = (loss, delay, chance(), chance(), any::<bool>()).prop_map(|(loss, delay, duplicate, corrupt, checksum)| {
        format!("loss = {loss}\ndelay = {delay}\nduplicate = {duplicate}\ncorrupt = {corrupt}\nudp_checksum = {checksum}")
    });
    let reader = prop_oneof![
        Just("reader = \"wait\""),
        Just("reader = \"never\""),
        Just("reader = \"never\"\nqueue_limit = 2"),
        Just("reader = { poll = \"300 ms\" }"),
        Just("reader = { service_time = \"2 s\" }\nqueue_limit = 3"),
        Just("max_message_size = \"100 B\""),
    ];
    let arrivals = prop_oneof![
        Just("every = \"90 ms\""),
        Just("poisson = \"10 /s\""),
        Just("burst = { size = 7, every = \"1 s\" }"),
        Just("at = [\"1 s\", \"1 s\", \"9 s\"]"),
    ];
    let target = prop_oneof![
        Just(r"\\DOM\mailslot\t"),
        Just(r"\\*\mailslot\t"),
        Just(r"\\H2\mailslot\t"),
        Just(r"\\.\mailslot\t"),
        Just(r"\\FAR1\mailslot\t")
    ];
    let links = (link.clone(), link.clone(), link);
    (links, reader, arrivals, target, any::<u64>()).prop_map(|((up, down, wan), reader, arrivals, target, seed)| {
        let text = format!(
            r#"
            schema = 1
            name = "any"
            duration = "10 s"
            drain = "3 s"
            [link.up]
            {up}
            [link.down]
            {down}
            [link.wan]
            {wan}
            [segment.near]
            link = {{ up = "up", down = "down" }}
            [segment.far]
            link = {{ up = "up", down = "down" }}
            [[router]]
            name = "R"
            joins = ["near", "far"]
            link = "wan"
            [[host]]
            name = "H{{1..4}}"
            domain = "DOM"
            segment = "near"
            datagram_errors = true
            [[host]]
            name = "FAR{{1..2}}"
            domain = "DOM"
            segment = "far"
            [[mailslot]]
            on = '\\DOM'
            name = "t"
            {reader}
            [[traffic]]
            name = "f"
            from = "H{{1..2}}"
            to = '{target}'
            {arrivals}
            size = {{ uniform = ["0 B", "430 B"] }}
            "#
        );
        (text, seed)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Every message comes to exactly one fate at every recipient, whatever the network does: the run itself asserts that the
    /// books close, and this test that the report says so; and the same seed repeats it all.
    #[test]
    fn fates_are_conserved((text, seed) in any_scenario()) {
        let scenario = scenario(&text).with_seed(seed);
        let first = report(&scenario, 0);
        let flow = &first["flows"][0];
        let fates: u64 = flow["fates"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        prop_assert_eq!(&flow["audience"]["addressed"], fates);
        prop_assert_eq!(&flow["delivery_ratio"]["k"], &flow["fates"]["delivered"]);
        prop_assert_eq!(&flow["delay_ns"]["n"], &flow["fates"]["delivered"]);
        let by_count = flow["audience"]["by_count"].as_array().unwrap();
        let delivered: u64 = by_count.iter().zip(0..).map(|(messages, got)| messages.as_u64().unwrap() * got).sum();
        prop_assert_eq!(&flow["fates"]["delivered"], delivered);
        prop_assert_eq!(first, report(&scenario, 0));
    }
}
