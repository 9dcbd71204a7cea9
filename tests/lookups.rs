//! Names that are looked up over the network: what it costs, and the only bad news that a sender ever gets.

mod support;

use mailslot_sim::scenario::Scenario;
use serde_json::Value;
use support::{report, scenario, trace, try_scenario};

/// A, B and a router between two segments; far away F, and N, which can be a name server.
fn network(name_service: &str, near: &str, far: &str, traffic: &str) -> Scenario {
    scenario(&format!(
        r#"
        schema = 1
        name = "lookups"
        duration = "10 s"
        drain = "20 s"
        name_service = "{name_service}"
        [link.near]
        {near}
        [link.far]
        {far}
        [segment.near]
        link = {{ down = "near" }}
        [segment.far]
        link = {{ down = "far" }}
        [[router]]
        name = "R"
        joins = ["near", "far"]
        [[host]]
        name = "A"
        domain = "DOM"
        segment = "near"
        [[host]]
        name = "B"
        domain = "DOM"
        segment = "near"
        names = ["DOM<1C>"]
        [[host]]
        name = "F"
        domain = "DOM"
        segment = "far"
        names = ["DOM<1C>"]
        [[host]]
        name = "N"
        domain = "DOM"
        segment = "far"
        {wins}
        [[mailslot]]
        on = '\\DOM'
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        {traffic}
        "#,
        wins = if name_service == "wins" { "wins = true" } else { "" },
    ))
}

fn flow(report: &Value) -> &Value {
    &report["flows"][0]
}

/// Packets that a link was offered.
fn offered(report: &Value, link: &str) -> u64 {
    let links = report["links"].as_array().unwrap();
    links.iter().find(|it| it["name"] == link).unwrap()["offered"].as_u64().unwrap()
}

const TO_B: &str = "to = '\\\\B\\mailslot\\t'\nevery = \"1 s\"";
const MS_20: &str = "delay = \"20 ms\"";
const LOST: &str = "loss = \"100 %\"";

#[test]
fn the_first_write_waits_for_the_answer_and_the_others_know_it() {
    let report = report(&network("broadcast", MS_20, "", TO_B), 0);
    let flow = flow(&report);
    assert_eq!((&flow["sender"]["succeeded"], &flow["fates"]["delivered"]), (&10.into(), &10.into()));
    // The query goes down to B and the answer down to A, 20 ms each, then the message.
    assert_eq!((&flow["delay_ns"]["max"], &flow["delay_ns"]["min"]), (&60_000_000.into(), &20_000_000.into()));
    assert_eq!((offered(&report, "near/B/down"), offered(&report, "near/A/down")), (11, 1));
    assert_eq!(offered(&report, "R/near>far"), 0, "a broadcast query stays on its segment");
    assert_eq!(flow["sender"]["acknowledgements"], 0, "an answer about a name acknowledges nothing");
}

#[test]
fn a_lost_query_fails_the_write_after_three_tries() {
    let burst = "to = '\\\\B\\mailslot\\t'\nburst = { size = 5, every = \"2 s\" }";
    let scenario = network("broadcast", LOST, "", burst);
    let report = report(&scenario, 0);
    let flow = flow(&report);
    assert_eq!((&flow["sender"]["failed"]["53"], &flow["audience"]["addressed"]), (&25.into(), &0.into()));
    assert_eq!(offered(&report, "near/B/down"), 15, "messages of one moment wait for one lookup, of three queries");
    let writes: Vec<Value> = trace(&scenario).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let write = writes.iter().find(|line: &&Value| line["event"] == "write").unwrap();
    assert_eq!((&write["t_ns"], &write["called_ns"], &write["code"]), (&750_000_000.into(), &0.into(), &53.into()));
    let asked: std::collections::BTreeSet<u64> =
        writes.iter().filter(|line| line["service"] == "name").map(|line| line["message"].as_u64().unwrap()).collect();
    assert_eq!(asked, [0, 5, 10, 15, 20].into(), "the message that asks is the first of each burst");
    let lost = writes.iter().find(|line: &&Value| line["event"] == "lost").unwrap();
    assert_eq!((&lost["service"], &lost["link"]), (&"name".into(), &"near/B/down".into()));
}

#[test]
fn broadcasts_find_nobody_behind_a_router_and_a_name_server_does() {
    let to_far = "to = '\\\\F\\mailslot\\t'\nevery = \"1 s\"";
    let failed = report(&network("broadcast", "", "", to_far), 0);
    assert_eq!(flow(&failed)["sender"]["failed"]["53"], 10);
    let found = report(&network("wins", MS_20, "", to_far), 0);
    assert_eq!(flow(&found)["fates"]["delivered"], 10);
    assert_eq!(flow(&found)["delay_ns"]["max"], 20_000_000, "the answer comes down to A");
    assert_eq!((offered(&found, "far/N/down"), offered(&found, "near/B/down")), (1, 0), "only the server is asked");
}

#[test]
fn a_name_server_lists_the_domain_controllers_wherever_they_are() {
    let to_dcs = "to = '\\\\DOM<1C>\\mailslot\\t'\nevery = \"1 s\"";
    let listed = report(&network("wins", "", "", to_dcs), 0);
    assert_eq!((&flow(&listed)["fates"]["delivered"], &flow(&listed)["audience"]["size"]), (&20.into(), &2.into()));
    let asked = report(&network("static", "", "", to_dcs), 0);
    assert_eq!((&flow(&asked)["fates"]["delivered"], &flow(&asked)["fates"]["unreachable"]), (&10.into(), &10.into()));
    // To each member its own datagram, which draws for itself.
    let lossy = network("wins", "loss = \"50 %\"", "loss = \"50 %\"", to_dcs);
    let some = (0..20).map(|replication| flow(&report(&lossy, replication))["audience"]["some"].as_u64().unwrap());
    assert!(some.sum::<u64>() > 0, "not all lost together");
}

#[test]
fn a_silent_name_server_fails_the_write_after_fifteen_seconds() {
    let once = "to = '\\\\F\\mailslot\\t'\nat = [\"1 s\"]";
    let scenario = network("wins", "", LOST, once);
    assert_eq!(flow(&report(&scenario, 0))["sender"]["failed"]["53"], 1);
    let write = trace(&scenario).into_iter().find(|line| line.contains("\"write\"")).unwrap();
    assert!(write.contains("\"t_ns\":16000000000"), "{write}");
    // What has not returned when the run ends is aborted.
    let short = try_scenario(
        &std::fs::read_to_string("scenarios/hello.toml")
            .unwrap()
            .replace("schema = 1", "schema = 1\nname_service = \"broadcast\""),
        &["duration=100 ms".into(), "drain=0 s".into()],
    );
    let report = report(&short.unwrap(), 0);
    assert_eq!(report["flows"][0]["sender"]["writes"], report["flows"][0]["sender"]["messages"]);
}

/// Each of 400 clients needs the name once, over four lossy links there and back: a write fails if three tries do,
/// (1 - q)^3. The mean of 400 is within 5 standard errors but once in 1.7 million seeds.
#[test]
fn writes_fail_as_often_as_three_lookups_do() {
    let loss = 0.3;
    let scenario = scenario(&format!(
        r#"
        schema = 1
        name = "clients"
        duration = "1 s"
        name_service = "broadcast"
        [link.l]
        loss = {loss}
        [segment.s]
        link = "l"
        [[host]]
        name = "SERVER"
        segment = "s"
        [[host]]
        name = "C{{001..400}}"
        segment = "s"
        [[mailslot]]
        on = "SERVER"
        name = "t"
        [[traffic]]
        name = "f"
        from = "C{{001..400}}"
        to = '\\SERVER\mailslot\t'
        at = ["0 s"]
        "#
    ));
    let report = report(&scenario, 0);
    let failed = flow(&report)["sender"]["failed"]["53"].as_u64().unwrap() as f64 / 400.0;
    let expected = (1.0 - (1.0_f64 - loss).powi(4)).powi(3);
    let error = (expected * (1.0 - expected) / 400.0).sqrt();
    assert!((failed - expected).abs() < 5.0 * error, "{failed} of the writes fail, not {expected}");
    let theory = flow(&report)["theory"]["delivery_ratio"].as_f64().expect("of what was sent, there is a closed form");
    assert!((theory - (1.0 - loss) * (1.0 - loss)).abs() < 1e-9, "{theory}");
}

/// How a name is found changes nothing for the messages themselves: they draw what they drew.
#[test]
fn lookups_move_no_other_outcome() {
    let outcomes = |name_service| {
        let lines = trace(&network(name_service, "loss = \"40 %\"", "", TO_B));
        let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let messages = lines.filter(|line| line.get("service").is_none() && line["side"] == "network");
        let of = |line: Value| (line["event"].to_string(), line["message"].as_u64().unwrap());
        messages.map(of).collect::<Vec<_>>()
    };
    let (known, asked) = (outcomes("static"), outcomes("broadcast"));
    let written: std::collections::BTreeSet<u64> = asked.iter().map(|(_, message)| *message).collect();
    assert!(!written.is_empty());
    let known: Vec<_> = known.into_iter().filter(|(_, message)| written.contains(message)).collect();
    assert_eq!(known, asked);
}

#[test]
fn a_name_service_that_cannot_work_is_said() {
    let text = |top: &str, host: &str| {
        format!(
            "schema = 1\nname = \"n\"\nduration = \"1 s\"\n{top}\n[segment.s]\n[[host]]\nname = \"A\"\nsegment = \"s\"\n{host}\n"
        )
    };
    let problems = |text: &str| try_scenario(text, &[]).unwrap_err().to_string();
    assert!(problems(&text("name_service = \"wins\"", "")).contains("there is no name server to ask"));
    assert!(problems(&text("name_service = \"dns\"", "")).contains("is not one of `static`, `broadcast`, `wins`"));
    let crowd = text(
        "name_service = \"wins\"",
        "wins = true\n[[host]]\nname = \"H{01..26}\"\nsegment = \"s\"\nnames = [\"D<1C>\"]",
    );
    assert!(problems(&crowd).contains("26 hosts bear D<1C>; a name server lists at most 25 (MAX_MEMBERS)"));
}

/// A domain controller writes to all of them, itself included, while the list is being fetched: its own copies come when
/// the writes return, whoever reads them.
#[test]
fn a_member_of_a_list_writes_to_itself_too() {
    for (reader, fate) in [("wait", "delivered"), ("never", "unread")] {
        let scenario = scenario(&format!(
            r#"
            schema = 1
            name = "own"
            duration = "1 s"
            name_service = "wins"
            [link.l]
            delay = "20 ms"
            [segment.s]
            link = "l"
            [[host]]
            name = "A"
            domain = "D"
            segment = "s"
            names = ["D<1C>"]
            [[host]]
            name = "B"
            domain = "D"
            segment = "s"
            names = ["D<1C>"]
            [[host]]
            name = "N"
            segment = "s"
            wins = true
            [[mailslot]]
            on = '\\D'
            name = "t"
            reader = "{reader}"
            [[traffic]]
            name = "f"
            from = "A"
            to = '\\D<1C>\mailslot\t'
            every = "10 ms"
            "#
        ));
        assert_eq!(flow(&report(&scenario, 0))["fates"][fate], 200, "{reader}");
    }
}

/// A damaged answer that no checksum finds can name a machine that is not the right one, or none: the messages then go
/// astray, and nothing else breaks.
#[test]
fn damaged_answers_lead_messages_astray() {
    for name_service in ["broadcast", "wins"] {
        let scenario = scenario(&format!(
            r#"
            schema = 1
            name = "astray"
            duration = "10 s"
            drain = "20 s"
            name_service = "{name_service}"
            [link.noise]
            corrupt = "100 %"
            udp_checksum = false
            [segment.s]
            link = {{ down = "noise" }}
            [[host]]
            name = "B"
            segment = "s"
            link = {{}}
            [[host]]
            name = "N"
            segment = "s"
            wins = {wins}
            link = {{}}
            [[host]]
            name = "C{{01..40}}"
            segment = "s"
            [[mailslot]]
            on = "B"
            name = "t"
            [[traffic]]
            name = "f"
            from = "C{{01..40}}"
            to = '\\B\mailslot\t'
            every = "1 s"
            "#,
            wins = name_service == "wins",
        ));
        let report = report(&scenario, 0);
        let fates = &flow(&report)["fates"];
        assert!(fates["corrupted"].as_u64().unwrap() > 0 && fates["delivered"].as_u64().unwrap() > 0, "{fates}");
        assert_eq!(flow(&report)["theory"], serde_json::json!({}), "where a name may lead is not in the closed form");
    }
}

/// In which order hosts stand in the file makes no difference to whom a list is sent first.
#[test]
fn lists_are_in_the_order_of_names() {
    let run = |hosts: [&str; 2]| {
        let hosts: String = hosts
            .iter()
            .map(|name| format!("[[host]]\nname = \"{name}\"\ndomain = \"D\"\nsegment = \"s\"\nnames = [\"D<1C>\"]\n"))
            .collect();
        let scenario = scenario(&format!(
            r#"
            schema = 1
            name = "order"
            duration = "100 s"
            name_service = "wins"
            [link.bursts]
            loss = {{ mean = "30 %", burst = 3 }}
            [segment.s]
            link = {{ up = "bursts" }}
            [[host]]
            name = "A"
            segment = "s"
            [[host]]
            name = "N"
            segment = "s"
            wins = true
            link = {{}}
            {hosts}
            [[mailslot]]
            on = '\\D'
            name = "t"
            [[traffic]]
            name = "f"
            from = "A"
            to = '\\D<1C>\mailslot\t'
            every = "100 ms"
            "#
        ));
        flow(&report(&scenario, 0)).clone()
    };
    assert_eq!(run(["B", "C"]), run(["C", "B"]));
}

/// A host asks a name server on its own segment, although another comes first by name; without one, the first by name.
#[test]
fn a_host_asks_the_name_server_of_its_segment() {
    let servers = |near: &str| {
        let scenario = scenario(&format!(
            r#"
            schema = 1
            name = "servers"
            duration = "1 s"
            name_service = "wins"
            [segment.near]
            [segment.far]
            [[router]]
            name = "R"
            joins = ["near", "far"]
            [[host]]
            name = "CLIENT"
            segment = "near"
            [[host]]
            name = "N3"
            segment = "near"
            wins = {near}
            [[host]]
            name = "N2"
            segment = "far"
            wins = true
            [[host]]
            name = "N1"
            segment = "far"
            wins = true
            [[mailslot]]
            on = "N2"
            name = "t"
            [[traffic]]
            name = "f"
            from = "CLIENT"
            to = '\\N2\mailslot\t'
            at = ["0 s"]
            "#
        ));
        let report = report(&scenario, 0);
        ["near/N3/down", "far/N2/down", "far/N1/down"].map(|link| offered(&report, link))
    };
    assert_eq!(servers("true"), [1, 1, 0], "the query, and the message");
    assert_eq!(servers("false"), [0, 1, 1]);
}
