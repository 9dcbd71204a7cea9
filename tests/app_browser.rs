//! Browsers of `[[app]]` on lossy networks, end to end: scenario files in, reports and traces out.

mod support;

use mailslot_sim::report::RunReport;
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::stats::{Metric, Subject};
use serde_json::{Value, json};
use support::{assert_mean, outcomes, report, scenario, trace, try_scenario};

/// So many hosts, PC01 and so on, of OFFICE on one segment, all of which run a browser.
fn office(hosts: u32, duration: &str, link: &str, more: &str) -> String {
    format!(
        r#"
        schema = 1
        name = "office"
        duration = "{duration}"
        [link.lan]
        delay = {{ distribution = "uniform", min = "100 us", max = "2 ms" }}
        {link}
        [segment.floor]
        link = {{ down = "lan" }}
        [[host]]
        name = "PC{{01..{hosts:02}}}"
        domain = "OFFICE"
        segment = "floor"
        [[app]]
        kind = "browser"
        on = '\\OFFICE'
        {more}
        "#
    )
}

fn app(scenario: &Scenario) -> Value {
    report(scenario, 0)["apps"][0].clone()
}

/// The lines of the trace about an app: those with these values.
fn lines(scenario: &Scenario, values: &[(&str, Value)]) -> Vec<Value> {
    let lines = trace(scenario).into_iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
    lines.filter(|line| values.iter().all(|(key, value)| line[key] == *value)).collect()
}

#[test]
fn without_loss_everybody_is_listed_and_stays() {
    let app = app(&scenario(&office(12, "6 h", "", "")));
    assert_eq!((&app["name"], &app["kind"], &app["hosts"]), (&json!("browser"), &json!("browser"), &json!(12)));
    assert_eq!((&app["time_to_be_listed_ns"]["n"], &app["never_listed"]), (&json!(12), &json!(0)));
    assert_eq!(app["removals"], json!({ "of_running": 0, "of_gone": 0 }));
    assert_eq!((&app["false_removals"]["k"], &app["false_removals"]["value"]), (&json!(0), &json!(0.0)));
    assert_eq!(app["theory"], json!({ "false_removals": 0.0, "early_removals": 0.0 }));
    assert_eq!(app["masters_at_end"], json!({ "min": 1, "max": 1 }));
    let group = json!({
        "segment": "floor", "domain": "OFFICE", "elections": 1, "masters_after_quiet": 1, "masters_at_end": ["PC01"]
    });
    assert_eq!(app["groups"], json!([group]));
    // 3 s of asking, then four sends of the best candidate, 0.8 to 3 s apart.
    let elected = app["time_to_master_ns"]["max"].as_f64().unwrap() / 1e9;
    assert!((3.0 + 4.0 * 0.8..3.0 + 4.0 * 3.0 + 0.1).contains(&elected), "{elected}");
    // The last one is listed when it answers the new master, half a minute later.
    let listed = app["time_to_be_listed_ns"]["max"].as_f64().unwrap() / 1e9;
    assert!((elected..elected + 30.1).contains(&listed), "{listed}");
}

/// Announcements at 0, 1, 2, 4, 8, 16 min and then every 12 min, and an answer to the new master, which asks itself
/// nothing. The master hears all of them but its own and those before it was elected.
#[test]
fn announcements_are_counted() {
    let app = app(&scenario(&office(5, "30 min", "", "")));
    assert_eq!(app["announcements"], json!({ "sent": 5 * 7 + 4, "heard": 4 * 6 + 4 }));
    // Of 0 (nobody hears it), the answer, 1, 2, 4 and 8 min: in time for three more periods before the run ends are
    // those of 1, 2, 4 min and the answer; of 16 and 28 min none.
    assert_eq!((&app["early_removals"]["n"], &app["false_removals"]["n"]), (&json!(4 * 4), &json!(0)));
}

/// The run lasts as long as the file says, since programs never come to an end.
#[test]
fn the_run_goes_on_until_its_end() {
    let text = office(2, "1 min", "", "").replace("duration = \"1 min\"", "duration = \"1 min\"\ndrain = \"2 min\"");
    let last = lines(&scenario(&text), &[("event", json!("write"))]).pop().unwrap();
    // The master's own announcement, two minutes after its victory.
    assert!((120_000_000_000..180_000_000_000).contains(&last["t_ns"].as_u64().unwrap()), "{last}");
}

#[test]
fn every_domain_on_every_segment_has_a_master() {
    let text = r#"
        schema = 1
        name = "groups"
        duration = "5 min"
        [segment.north]
        [segment.south]
        [[router]]
        name = "R"
        joins = ["north", "south"]
        [[host]]
        name = "N{1..3}"
        domain = "ONE"
        segment = "north"
        [[host]]
        name = "S{1..3}"
        domain = "ONE"
        segment = "south"
        [[host]]
        name = "T{1..2}"
        domain = "TWO"
        segment = "south"
        [[app]]
        kind = "browser"
        name = "one"
        on = '\\ONE'
        [[app]]
        kind = "browser"
        name = "two"
        on = '\\TWO'
        [[expect]]
        of = "one"
        metric = "masters_at_end.min"
        equals = 1
        [[expect]]
        of = "two"
        metric = "elections"
        equals = 1
    "#;
    let report = report(&scenario(text), 0);
    let groups = |app: usize| -> Vec<(String, String)> {
        let groups = report["apps"][app]["groups"].as_array().unwrap();
        groups.iter().map(|group| (group["segment"].to_string(), group["masters_at_end"].to_string())).collect()
    };
    let named = |segment: &str, master: &str| (format!("\"{segment}\""), format!("[\"{master}\"]"));
    assert_eq!(groups(0), [named("north", "N1"), named("south", "S1")]);
    assert_eq!(groups(1), [named("south", "T1")]);
    assert!(report["expectations"].as_array().unwrap().iter().all(|it| it["result"] == "holds"), "{report}");
}

/// Where routers forward broadcasts, segments elect one master together.
#[test]
fn segments_that_share_their_broadcasts_have_one_master() {
    let text = r#"
        schema = 1
        name = "forwarded"
        duration = "20 min"
        [segment.north]
        [segment.south]
        [[router]]
        name = "R"
        joins = ["north", "south"]
        forward_broadcast = true
        [[host]]
        name = "N{1..2}"
        domain = "ONE"
        segment = "north"
        [[host]]
        name = "S{1..2}"
        domain = "ONE"
        segment = "south"
        [[app]]
        kind = "browser"
        on = '\\ONE'
    "#;
    let report = report(&scenario(text), 0);
    let app = &report["apps"][0];
    let group = json!([{
        "segment": "north", "domain": "ONE", "elections": 1, "masters_after_quiet": 1, "masters_at_end": ["N1"]
    }]);
    assert_eq!((&app["groups"], &app["never_listed"]), (&group, &json!(0)));
    assert_eq!(app["theory"], json!({}), "the ways differ");
}

/// A program that is on only some hosts of a domain; two apps can share one group.
#[test]
fn apps_of_one_group_elect_one_master() {
    let more = "[[app]]\nkind = \"browser\"\nname = \"rest\"\non = \"PC{03..04}\"";
    let text = office(4, "5 min", "", more).replacen(r"on = '\\OFFICE'", "on = \"PC{01..02}\"", 1);
    let report = report(&scenario(&text), 0);
    for app in 0..2 {
        let app = &report["apps"][app];
        assert_eq!((&app["hosts"], &app["groups"][0]["masters_at_end"]), (&json!(2), &json!(["PC01"])));
        assert_eq!((&app["never_listed"], &app["time_to_be_listed_ns"]["n"]), (&json!(0), &json!(2)));
    }
}

/// p = 0.3 and three hundred runs of 6 h: removed are p^3 of those whose announcements have come to their final period,
/// and p^2 before. Each opportunity is one by the moment of the announcement, whatever is lost later, so k - n p^3 has
/// the mean 0 in each run, and runs are independent. A false alarm once in more than a million.
#[test]
fn three_lost_announcements_remove_a_server_and_two_at_first() {
    let scenario = scenario(&office(12, "6 h", "loss = \"30 %\"", ""));
    let reports: Vec<Value> = (0..300).map(|replication| report(&scenario, replication)["apps"][0].clone()).collect();
    for (figure, p) in [("false_removals", 0.3_f64.powi(3)), ("early_removals", 0.3_f64.powi(2))] {
        let theory = reports[0]["theory"][figure].as_f64().unwrap();
        assert!((theory - p).abs() < 1e-12, "{figure}: {theory}");
        let count = |report: &Value, key: &str| report[figure][key].as_f64().unwrap();
        let excess: Vec<f64> = reports.iter().map(|report| count(report, "k") - count(report, "n") * p).collect();
        let removed: f64 = reports.iter().map(|report| count(report, "k")).sum();
        assert!(removed > 500.0, "{figure}: {removed}");
        assert_mean(figure, &excess, 0.0);
    }
    // However much is lost, there is one master at the end of nearly all of them.
    let single = reports.iter().filter(|report| report["masters_at_end"] == json!({ "min": 1, "max": 1 })).count();
    assert!(single > 290, "{single}");
}

#[test]
fn the_closed_form_is_left_out_where_it_does_not_hold() {
    let of = |text: String| app(&scenario(&text))["theory"].clone();
    let plain = office(3, "1 min", "loss = \"10 %\"", "");
    assert!((of(plain.clone())["false_removals"].as_f64().unwrap() - 1e-3).abs() < 1e-12);
    let both_ways = plain.replace("{ down = \"lan\" }", "\"lan\"");
    assert!((of(both_ways)["false_removals"].as_f64().unwrap() - 0.19_f64.powi(3)).abs() < 1e-12);
    let crash = "[[event]]\nat = \"10 s\"\ncrash = \"PC02\"\nfor = \"5 s\"";
    assert!(of(office(3, "1 min", "loss = \"10 %\"", crash))["early_removals"].is_number());
    for text in [
        office(3, "1 min", "loss = { mean = \"10 %\", burst = 3 }", ""),
        office(3, "1 min", "loss = \"10 %\"\nrate = \"1 Mbit/s\"", ""),
        plain.replace("max = \"2 ms\"", "max = \"2 s\""),
        plain.replace(
            "[[app]]",
            "[[host]]\nname = \"NEAR\"\ndomain = \"OFFICE\"\nsegment = \"floor\"\nlink = {}\n[[app]]",
        ),
        office(3, "1 min", "loss = \"10 %\"", "[[event]]\nat = \"10 s\"\nset = { \"link.lan.loss\" = \"20 %\" }"),
        office(3, "1 min", "loss = \"10 %\"", "[[event]]\nat = \"10100 ms\"\ncrash = \"PC02\""),
        office(1, "1 min", "loss = \"10 %\"", ""),
    ] {
        assert_eq!(of(text), json!({}));
    }
}

/// The others hear nothing of the master for 15 min, ask for it three times and elect another; when it comes back, it has
/// been up for no time, and is no master.
#[test]
fn a_master_that_crashes_is_replaced() {
    let events = "[[event]]\nat = \"20 min\"\ncrash = \"PC01\"\nfor = \"1 h\"";
    let scenario = scenario(&office(4, "3 h", "", events));
    let app = app(&scenario);
    assert_eq!(app["groups"][0]["masters_at_end"], json!(["PC02"]));
    assert_eq!((&app["elections"], &app["masters_after_quiet"]), (&json!(2), &json!(1)));
    // Its last announcement as a master was 16 min after its victory, about 10 s after the start: it is missed at 31 min,
    // which is 11 min after the crash, and 4.5 s and an election later there is another.
    assert_eq!(app["time_to_master_ns"]["n"], json!(2));
    let waited = app["time_to_master_ns"]["max"].as_f64().unwrap() / 1e9;
    assert!((11.0 * 60.0..11.0 * 60.0 + 40.0).contains(&waited), "{waited}");
    // Five starts: it is listed again, this time at once.
    assert_eq!((&app["time_to_be_listed_ns"]["n"], &app["never_listed"]), (&json!(5), &json!(0)));
    let listed = app["time_to_be_listed_ns"]["min"].as_f64().unwrap();
    assert!(listed < 5e6, "{listed}");
    // Nobody had it on a list while it was away, since the list went down with it.
    assert_eq!(app["removals"], json!({ "of_running": 0, "of_gone": 0 }));
    let writes = lines(&scenario, &[("event", json!("write")), ("host", json!("PC01"))]);
    let away = 1_200_000_000_000..4_800_000_000_000_u64;
    assert!(writes.iter().all(|line| !away.contains(&line["t_ns"].as_u64().unwrap())));
    // Numbers go on, so its frames are told from those before the crash.
    let numbers: Vec<u64> = writes.iter().map(|line| line["message"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..writes.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_host_that_is_gone_or_stands_still_is_removed() {
    // After the announcement of 28 min; three periods later it is gone from the list.
    for event in ["crash", "pause"] {
        let events = format!("[[event]]\nat = \"30 min\"\n{event} = \"PC02\"\nfor = \"40 min\"");
        let app = app(&scenario(&office(3, "3 h", "", &events)));
        assert_eq!(app["removals"], json!({ "of_running": 0, "of_gone": 1 }), "{event}");
        assert_eq!(app["false_removals"]["k"], json!(0), "{event}");
        let starts = if event == "crash" { 4 } else { 3 };
        assert_eq!((&app["time_to_be_listed_ns"]["n"], &app["never_listed"]), (&json!(starts), &json!(0)), "{event}");
    }
}

/// A master that stood still believes that it is one still, until it hears the other.
#[test]
fn a_master_that_stood_still_steps_down() {
    let events = "[[event]]\nat = \"20 min\"\npause = \"PC01\"\nfor = \"1 h\"";
    let app = app(&scenario(&office(3, "3 h", "", events)));
    assert_eq!(app["masters_at_end"], json!({ "min": 1, "max": 1 }));
    assert_eq!(app["time_to_master_ns"]["n"], json!(2));
}

/// Neither moves anything of the other, while no link has memory; and the order of tables moves nothing at all.
#[test]
fn apps_and_flows_do_not_touch_each_other() {
    let flow = "[[mailslot]]\non = '\\\\OFFICE'\nname = \"t\"\n[[traffic]]\nname = \"f\"\nfrom = \"PC02\"\n\
        to = '\\\\OFFICE\\mailslot\\t'\nevery = \"1 s\"";
    let of = |text: &str, what: &str| {
        let mut outcomes = outcomes(&scenario(text));
        outcomes.retain(|key, _| key.contains(what));
        outcomes
    };
    let both = office(4, "10 min", "loss = \"20 %\"", flow);
    let without_flow = office(4, "10 min", "loss = \"20 %\"", "");
    let without_app = both.replace("[[app]]\n        kind = \"browser\"\n        on = '\\\\OFFICE'", "");
    assert!(of(&both, "\"f\"").len() > 3_000);
    assert_eq!(of(&both, "\"f\""), of(&without_app, "\"f\""));
    assert!(of(&both, "\"browser\"").len() > 100);
    assert_eq!(of(&both, "\"browser\""), of(&without_flow, "\"browser\""));
    let host = |number: u32| format!("[[host]]\nname = \"PC{number:02}\"\ndomain = \"OFFICE\"\nsegment = \"floor\"\n");
    let hosts = |numbers: [u32; 4]| {
        let hosts: String = numbers.map(host).concat();
        without_flow.replace(
            "[[host]]\n        name = \"PC{01..04}\"\n        domain = \"OFFICE\"\n        segment = \"floor\"",
            &hosts,
        )
    };
    assert_eq!(of(&hosts([1, 2, 3, 4]), "browser"), of(&without_flow, "browser"));
    assert_eq!(of(&hosts([3, 1, 4, 2]), "browser"), of(&without_flow, "browser"));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let scenario = scenario(&office(5, "2 h", "loss = \"20 %\"", ""));
    let run = |replication| {
        RunReport::new(&scenario, replication, &sim::run(&scenario, replication, &mut ()).unwrap()).to_json()
    };
    assert_eq!(run(0), run(0));
    assert_ne!(run(0), run(1));
}

/// Frames of programs pass links and hosts like all datagrams, and are counted there.
#[test]
fn frames_are_counted_on_links_and_hosts() {
    let report = report(&scenario(&office(4, "1 h", "loss = \"10 %\"", "")), 0);
    let total = |table: &str, key: &str, part: &str| -> u64 {
        let rows = report[table].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["name"].as_str().unwrap().ends_with(part));
        rows.map(|row| row[key].as_u64().unwrap()).sum()
    };
    assert!(total("hosts", "sent", "") > 50);
    assert_eq!(total("links", "offered", "up"), total("hosts", "sent", ""));
    assert_eq!(total("links", "carried", "down"), total("hosts", "received", ""));
    let lost = total("links", "lost", "down") as f64 / total("links", "offered", "down") as f64;
    assert!((0.05..0.15).contains(&lost), "{lost}");
    assert_eq!(report["totals"]["sender"]["writes"], json!(0));
}

#[test]
fn the_trace_shows_frames_like_messages() {
    let scenario = scenario(&office(2, "1 min", "", ""));
    let first = lines(&scenario, &[("flow", json!("browser")), ("message", json!(0)), ("from", json!("PC01"))]);
    let steps: Vec<String> = first.iter().map(|line| format!("{} {}", line["event"], line["host"])).collect();
    let expected = ["\"offered\" \"PC01\"", "\"offered\" \"PC02\"", "\"arrived\" \"PC02\"", "\"discarded\" \"PC02\""];
    assert_eq!(steps, expected, "nobody bears OFFICE<1D> yet");
    let write = &lines(&scenario, &[("event", json!("write")), ("host", json!("PC01"))])[0];
    assert_eq!((&write["bytes"], &write["code"], &write["flow"]), (&json!(33), &json!(0), &json!("browser")));
    let fates = lines(&scenario, &[("flow", json!("browser"))]);
    assert!(fates.iter().all(|line| line.get("fate").is_none()), "frames have no fates");
}

/// Flows can write to the mailslots of programs, to any of their names. Who bears OFFICE<1D> nobody knows beforehand, so
/// such messages have no audience.
#[test]
fn flows_can_write_to_programs() {
    let flow = |name: &str, to: &str| {
        format!(
            "[[traffic]]\nname = \"{name}\"\nfrom = \"SPY\"\nto = '\\\\{to}\\mailslot\\BROWSE'\nat = [\"2 min\"]\nsize = \"20 B\"\n"
        )
    };
    let spy = "[[host]]\nname = \"SPY\"\nsegment = \"floor\"\n";
    let flows = [flow("all", "OFFICE<1E>"), flow("master", "OFFICE<1D>"), flow("one", "PC02")].concat();
    let scenario = scenario(&office(3, "3 min", "", &format!("{spy}{flows}")));
    let report = report(&scenario, 0);
    let delivered =
        |flow: usize| (&report["flows"][flow]["audience"]["addressed"], &report["flows"][flow]["fates"]["delivered"]);
    assert_eq!(delivered(0), (&json!(3), &json!(3)));
    assert_eq!(delivered(1), (&json!(0), &json!(0)));
    assert_eq!(delivered(2), (&json!(1), &json!(1)));
    let read = lines(&scenario, &[("flow", json!("master")), ("event", json!("read"))]);
    assert_eq!(read.len(), 1);
    assert_eq!((&read[0]["host"], read[0].get("fate")), (&json!("PC01"), None));
}

/// Where remote mailslots are turned off, a browser is alone: it elects itself, and nobody ever lists it.
#[test]
fn a_policy_leaves_a_browser_alone() {
    let deaf = "[[host]]\nname = \"DEAF\"\ndomain = \"OFFICE\"\nsegment = \"floor\"\nremote_mailslots_disabled = true";
    let scenario = scenario(&office(3, "1 h", "", deaf));
    let app = app(&scenario);
    assert_eq!(app["groups"][0]["masters_at_end"], json!(["DEAF", "PC01"]));
    assert_eq!((&app["masters_after_quiet"], &app["never_listed"]), (&json!(2), &json!(0)));
    let failed = lines(&scenario, &[("event", json!("write")), ("host", json!("DEAF"))]);
    assert!(failed.len() > 5 && failed.iter().all(|line| line["code"] == json!(3025)));
}

/// Every figure that an expectation can name stands in the report at that path, with that value.
#[test]
fn expectations_see_the_figures_of_apps() {
    let scenario = scenario(&office(12, "3 h", "loss = \"40 %\"", ""));
    let outcome = sim::run(&scenario, 0, &mut ()).unwrap();
    let report: Value = serde_json::from_str(&RunReport::new(&scenario, 0, &outcome).to_json()).unwrap();
    assert!(report["apps"][0]["removals"]["of_running"].as_u64().unwrap() > 0);
    for path in Metric::paths(Subject::App) {
        let metric = Metric::parse(&path, Subject::App).unwrap();
        let mut value = path.split('.').fold(&report["apps"][0], |value, key| &value[key]);
        if let Some(inner) = value.get("value") {
            value = inner;
        }
        assert_eq!(metric.value_of_app(&outcome.apps[0]), value.as_f64(), "{path}");
        assert!(value.is_number(), "{path} stands in the report");
    }
}

#[test]
fn what_is_wrong_with_an_app_is_said() {
    let plain = office(3, "1 min", "", "");
    let with = |more: &str| office(3, "1 min", "", more);
    let expect =
        |of: &str, metric: &str| with(&format!("[[expect]]\nof = \"{of}\"\nmetric = \"{metric}\"\nat_most = 1"));
    for (text, words) in [
        (
            plain.replace("\"browser\"", "\"brwser\""),
            vec!["`brwser` is not one of `browser`", "did you mean `browser`?"],
        ),
        (plain.replace("kind = \"browser\"", ""), vec!["`[[app]]` has no `kind`"]),
        (plain.replace(r"on = '\\OFFICE'", "on = \"PC07\""), vec!["no host is called `PC07`"]),
        (plain.replace(r"on = '\\OFFICE'", "on = 'OFFICE'"), vec![r"in single quotes: '\\OFFICE'"]),
        (
            with("[[app]]\nkind = \"browser\"\nname = \"b\"\non = \"PC02\""),
            vec!["`PC02` runs a program of the kind `browser` already", "that of the app `browser`"],
        ),
        (
            with("[[host]]\nname = \"X\"\nsegment = \"floor\"\n[[app]]\nkind = \"browser\"\non = \"X\""),
            vec!["an app called `browser` exists already", "give this app a `name` of its own"],
        ),
        (
            with("[[traffic]]\nname = \"browser\"\nfrom = \"PC01\"\nto = '\\\\PC02\\mailslot\\x'\nevery = \"1 s\""),
            vec!["a flow called `browser` exists already"],
        ),
        (
            with("[[mailslot]]\non = \"PC03\"\nname = 'browse'"),
            vec!["the app `browser` has the mailslot `browse` on `PC03` open already"],
        ),
        (
            plain.replace("schema = 1", "schema = 1\nname_service = \"broadcast\""),
            vec!["find names with \"static\" only"],
        ),
        (
            with("[[event]]\nat = \"5 s\"\nleave = \"PC02\""),
            vec!["`PC02` runs a program of the app `browser`, which stays in its domain"],
        ),
        (
            with("[[event]]\nat = \"5 s\"\njoin = { host = \"PC02\", domain = \"OTHER\" }"),
            vec!["which stays in its domain"],
        ),
        (expect("brwser", "elections"), vec!["no flow and no app is called `brwser`", "did you mean `browser`?"]),
        (expect("browser", "election"), vec!["an app has no figure `election`", "did you mean `elections`?"]),
        (expect("browser", "delivery_ratio"), vec!["an app has no figure `delivery_ratio`"]),
        (
            expect("browser", "elections") + "phase = \"x\"\n[[phase]]\nname = \"x\"\nfrom = \"1 s\"\nto = \"2 s\"",
            vec!["the figures of an app are those of the whole run"],
        ),
        (
            expect("browser", "false_removals").replace("at_most = 1", "at_most = 3.0"),
            vec!["`false_removals` is from 0 to 1"],
        ),
    ] {
        let problems = try_scenario(&text, &[]).expect_err(words[0]).to_string();
        assert!(words.iter().all(|words| problems.contains(words)), "{problems}");
        assert!(problems.contains("test.toml:"), "{problems}");
    }
}

#[cfg(feature = "turmoil")]
#[test]
fn turmoil_refuses_apps() {
    let error = mailslot_sim::drive::turmoil::run(&scenario(&office(2, "1 min", "", "")), 0, ()).unwrap_err();
    assert!(error.to_string().contains("`[[app]]`") && error.to_string().contains("driver `events`"), "{error}");
}
