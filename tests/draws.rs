//! The draw discipline: a draw belongs to a datagram on a link for a purpose, so switching an impairment on, adding a
//! host or moving a table moves no other outcome, on any hop.

mod support;

use std::collections::BTreeMap;

use support::{outcomes, scenario};

/// A domain of five behind a lossy switch, and a unicast over two routers; every link loses, jitters and remembers as
/// told.
#[derive(Clone, Copy)]
struct Network {
    switch: &'static str,
    wan: &'static str,
    first_hosts: &'static str,
    last_hosts: &'static str,
    more_traffic: &'static str,
}

const PLAIN: Network = Network {
    switch: r#"loss = "10 %"
               delay = { distribution = "uniform", min = "1 ms", max = "9 ms" }"#,
    wan: r#"loss = { mean = "20 %", burst = 5 }
            delay = { distribution = "normal", mean = "20 ms", deviation = "5 ms" }"#,
    first_hosts: "",
    last_hosts: "",
    more_traffic: "",
};

impl Network {
    fn outcomes(&self) -> BTreeMap<String, String> {
        let Network { switch, wan, first_hosts, last_hosts, more_traffic } = self;
        outcomes(&scenario(&format!(
            r#"
            schema = 1
            name = "draws"
            seed = "7"
            duration = "20 s"
            [link.switch]
            {switch}
            [link.wan]
            {wan}
            [segment.floor]
            link = "switch"
            [segment.middle]
            [segment.far]
            link = "switch"
            {first_hosts}
            [[host]]
            name = "CTRL"
            segment = "floor"
            [[host]]
            name = "PANEL{{1..4}}"
            segment = "floor"
            [[host]]
            name = "REMOTE"
            segment = "far"
            {last_hosts}
            [[router]]
            name = "R1"
            joins = ["floor", "middle"]
            link = "wan"
            [[router]]
            name = "R2"
            joins = ["middle", "far"]
            link = "wan"
            [[mailslot]]
            on = '\\WORKGROUP'
            name = "t"
            {more_traffic}
            [[traffic]]
            name = "all"
            from = "CTRL"
            to = '\\*\mailslot\t'
            every = "50 ms"
            [[traffic]]
            name = "one"
            from = "CTRL"
            to = '\\REMOTE\mailslot\t'
            poisson = "20 /s"
            "#
        )))
    }
}

/// Every outcome that `before` knows is the same in `after`, and enough of them are there to mean something.
fn assert_unmoved(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    assert!(before.len() > 1_500, "{} outcomes", before.len());
    for (what, outcome) in before {
        assert_eq!(after.get(what), Some(outcome), "{what}");
    }
}

#[test]
fn duplication_on_any_hop_moves_nothing() {
    let before = PLAIN.outcomes();
    let switch = Network { switch: concat_with(PLAIN.switch, "duplicate = \"50 %\""), ..PLAIN };
    assert_unmoved(&before, &switch.outcomes());
    let wan = Network { wan: concat_with(PLAIN.wan, "duplicate = \"50 %\""), ..PLAIN };
    assert_unmoved(&before, &wan.outcomes());
    let both = Network { switch: switch.switch, ..wan };
    assert_unmoved(&before, &both.outcomes());
}

#[test]
fn corruption_on_any_hop_moves_nothing() {
    let before = PLAIN.outcomes();
    let switch = Network { switch: concat_with(PLAIN.switch, "corrupt = \"50 %\""), ..PLAIN };
    assert_unmoved(&before, &switch.outcomes());
    let wan = Network { wan: concat_with(PLAIN.wan, "corrupt = \"50 %\""), ..PLAIN };
    assert_unmoved(&before, &wan.outcomes());
}

/// Loss decides which datagrams later links are offered, so on those only what both runs offer can be compared, and
/// only where the model has no memory; on the link itself and before it nothing moves.
#[test]
fn loss_on_a_later_hop_moves_nothing_before_it() {
    let lossless = Network { wan: "delay = \"1 ms\"", ..PLAIN };
    let (before, after) = (lossless.outcomes(), PLAIN.outcomes());
    let early = |(what, _): &(&String, &String)| what.contains("/up") || what.contains("floor/");
    let before: BTreeMap<_, _> =
        before.iter().filter(early).map(|(what, outcome)| (what.clone(), outcome.clone())).collect();
    assert_unmoved(&before, &after);
}

/// Every loss model, switched on at the last crossing, leaves everything else where it was, and so does what else the
/// link does to what the model carries.
#[test]
fn each_loss_model_moves_nothing_before_it_and_is_moved_by_nothing() {
    for loss in [
        "{ gilbert_elliott = { p = 0.1, r = 0.3, loss_good = 0.02, loss_bad = 0.7 } }",
        "{ four_state = { p13 = 0.05, p31 = 0.3, p32 = 0.2, p23 = 0.5, p14 = 0.03 } }",
        "{ every = 7 }",
        "{ pattern = \"../tests/data/losses.txt\" }",
    ] {
        let lossy = concat_with("delay = \"1 ms\"", &format!("loss = {loss}"));
        let (before, after) = (Network { wan: "delay = \"1 ms\"", ..PLAIN }, Network { wan: lossy, ..PLAIN });
        let early = |(what, _): &(&String, &String)| what.contains("/up") || what.contains("floor/");
        let outcomes = before.outcomes();
        let early: BTreeMap<_, _> =
            outcomes.iter().filter(early).map(|(what, outcome)| (what.clone(), outcome.clone())).collect();
        assert_unmoved(&early, &after.outcomes());
        let more = "duplicate = \"50 %\"\ncorrupt = \"50 %\"";
        assert_unmoved(&after.outcomes(), &Network { wan: concat_with(lossy, more), ..PLAIN }.outcomes());
    }
}

#[test]
fn another_delay_moves_no_loss() {
    let slow = Network { switch: "loss = \"10 %\"\ndelay = \"100 ms\"", ..PLAIN };
    let (before, after) = (PLAIN.outcomes(), slow.outcomes());
    let on_links = |outcomes: BTreeMap<String, String>| -> BTreeMap<String, String> {
        outcomes.into_iter().filter(|(what, _)| what.contains(" on ") && !what.contains("\"one\"")).collect()
    };
    assert_unmoved(&on_links(before), &on_links(after));
}

/// Every distribution, correlated and not, leaves all losses where they were; and what it gives is moved by nothing else
/// that the link does.
#[test]
fn each_distribution_moves_no_loss_and_is_moved_by_nothing() {
    for delay in [
        "distribution = \"uniform\", min = \"1 ms\", max = \"9 ms\", correlation = \"60 %\"",
        "distribution = \"lognormal\", median = \"5 ms\", sigma = 0.8, correlation = \"60 %\"",
        "distribution = \"exponential\", mean = \"5 ms\"",
        "distribution = \"pareto\", min = \"1 ms\", alpha = 1.5, max = \"90 ms\"",
        "distribution = \"empirical\", file = \"../tests/data/delays.txt\", correlation = \"30 %\"",
    ] {
        let delay = format!("delay = {{ {delay} }}");
        let switch = concat_with("loss = \"10 %\"", &delay);
        let (before, after) = (PLAIN.outcomes(), Network { switch, ..PLAIN }.outcomes());
        let on_links = |outcomes: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let here = |(what, _): &(&String, &String)| what.contains(" on ") && !what.contains("\"one\"");
            outcomes.iter().filter(here).map(|(what, outcome)| (what.clone(), outcome.clone())).collect()
        };
        assert_unmoved(&on_links(&before), &on_links(&after));
        let more = concat_with(switch, "duplicate = \"50 %\"\ncorrupt = \"50 %\"");
        assert_unmoved(&after, &Network { switch: more, ..PLAIN }.outcomes());
        if delay.contains("correlation") {
            continue; // what is lost on the way up is not offered to the down links, and does not step theirs
        }
        let carrying = Network { switch: concat_with("", &delay), ..PLAIN }.outcomes();
        let arrived: BTreeMap<_, _> =
            after.into_iter().filter(|(what, _)| what.contains("\"all\"") && what.contains(" at ")).collect();
        assert!(arrived.len() > 1_000 && arrived.iter().all(|(what, when)| carrying.get(what) == Some(when)));
    }
}

/// Reordering moves no loss and no delay of those that it does not choose, and is moved by nothing else.
#[test]
fn reordering_moves_nothing_but_those_it_chooses() {
    for reorder in ["probability = \"30 %\"", "probability = \"50 %\", gap = 3, correlation = \"60 %\""] {
        let switch = concat_with(PLAIN.switch, &format!("reorder = {{ {reorder} }}"));
        let (before, after) = (PLAIN.outcomes(), Network { switch, ..PLAIN }.outcomes());
        let to_all = |outcomes: &BTreeMap<String, String>, what: &str| -> BTreeMap<String, String> {
            let here = outcomes.iter().filter(|(key, _)| key.contains(what) && !key.contains("\"one\""));
            here.map(|(key, outcome)| (key.clone(), outcome.clone())).collect()
        };
        assert_unmoved(&to_all(&before, " on "), &to_all(&after, " on "));
        let (before, after) = (to_all(&before, " at "), to_all(&after, " at "));
        let unmoved = before.iter().filter(|(what, when)| after.get(*what) == Some(when)).count();
        assert!((300..900).contains(&unmoved), "{unmoved} of {} are chosen on neither link", before.len());
        let with = |more| Network { switch: concat_with(switch, more), ..PLAIN }.outcomes();
        assert_unmoved(&Network { switch, ..PLAIN }.outcomes(), &with("duplicate = \"50 %\"\ncorrupt = \"50 %\""));
    }
}

/// A rate takes time, and a queue drops; what loss, damage and duplication decide stays as it is.
#[test]
fn a_rate_moves_no_loss() {
    let slow = Network { switch: concat_with(PLAIN.switch, "rate = \"100 kbit/s\""), ..PLAIN };
    let (before, after) = (PLAIN.outcomes(), slow.outcomes());
    let on_links = |outcomes: BTreeMap<String, String>| -> BTreeMap<String, String> {
        outcomes.into_iter().filter(|(what, _)| what.contains(" on ") && !what.contains("\"one\"")).collect()
    };
    let before = on_links(before);
    assert_unmoved(&before, &on_links(after));
    // Where the queue drops too, whatever else is lost is lost there as it was.
    let full = concat_with(PLAIN.switch, "rate = \"30 kbit/s\"\nqueue = \"3 datagrams\"");
    let after = on_links(Network { switch: full, ..PLAIN }.outcomes());
    let is_lost = |outcome: &String| outcome == "lost";
    let mut dropped = 0;
    for (what, outcome) in &after {
        assert!(!is_lost(&before[what]) || is_lost(outcome), "{what}");
        dropped += usize::from(is_lost(outcome) && !is_lost(&before[what]));
    }
    assert!(dropped > 100, "{dropped} dropped");
}

/// An MTU moves nothing that it does not split, not even the first fragment of what it does: that has the draws of the
/// whole. And what links do to fragments is moved by nothing else that they do.
#[test]
fn an_mtu_moves_nothing_that_fits() {
    let flow = |from: &str, to: &str| {
        format!("[[traffic]]\nname = \"big\"\nfrom = \"{from}\"\nto = '{to}'\nevery = \"50 ms\"\nsize = \"424 B\"\n")
    };
    let with = |flow: String| Network { more_traffic: Box::leak(flow.into_boxed_str()), ..PLAIN };
    let small = |network: Network| Network { switch: concat_with(network.switch, "mtu = \"300 B\""), ..network };
    let big = with(flow("PANEL1", r"\\PANEL2\mailslot\t"));
    let (before, after) = (big.outcomes(), small(big).outcomes());
    let unsplit = |(what, _): &(&String, &String)| !what.contains("big") || what.contains("/up");
    let before: BTreeMap<_, _> = before.iter().filter(unsplit).map(|(what, how)| (what.clone(), how.clone())).collect();
    assert_unmoved(&before, &after);
    assert!(after.keys().filter(|what| what.contains("from 35") && what.contains("/up")).count() == 400);

    // Across both routers, where losses come in bursts and every fragment meets the state that it met before.
    let across = small(with(flow("CTRL", r"\\REMOTE\mailslot\t")));
    let on_links = |outcomes: BTreeMap<String, String>| -> BTreeMap<String, String> {
        outcomes.into_iter().filter(|(what, _)| what.contains(" on ")).collect()
    };
    let more = "duplicate = \"50 %\"\ncorrupt = \"50 %\"";
    let before = on_links(across.outcomes());
    assert!(before.keys().filter(|what| what.contains("from") && what.contains("R2/")).count() > 200);
    assert_unmoved(&before, &on_links(Network { wan: concat_with(across.wan, more), ..across }.outcomes()));
    assert_unmoved(&before, &on_links(Network { switch: concat_with(across.switch, more), ..across }.outcomes()));
}

#[test]
fn added_hosts_and_flows_move_nothing() {
    let before = PLAIN.outcomes();
    let host = "[[host]]\nname = \"NEW\"\nsegment = \"floor\"\n";
    assert_unmoved(&before, &Network { first_hosts: host, ..PLAIN }.outcomes());
    assert_unmoved(&before, &Network { last_hosts: host, ..PLAIN }.outcomes());
    let flow = "[[traffic]]\nname = \"new\"\nfrom = \"CTRL\"\nto = '\\\\PANEL1\\mailslot\\t'\nevery = \"500 ms\"\n";
    let with_flow = Network { more_traffic: flow, ..PLAIN };
    assert_unmoved(&before, &with_flow.outcomes());
}

/// The order of tables means nothing, not even for writes of the same moment that share a link with memory.
#[test]
fn moved_tables_move_nothing() {
    let outcomes_of = |hosts: [&str; 3], flows: [&str; 3]| {
        let host = |name: &str| format!("[[host]]\nname = \"{name}\"\nsegment = \"s\"\n");
        let flow = |name: &str| {
            let from = if name == "g" { "C" } else { "A" };
            format!(
                "[[traffic]]\nname = \"{name}\"\nfrom = \"{from}\"\nto = '\\\\B\\mailslot\\t'\nevery = \"100 ms\"\n"
            )
        };
        outcomes(&scenario(&format!(
            r#"
            schema = 1
            name = "moved"
            seed = "7"
            duration = "200 s"
            [link.l]
            loss = {{ mean = "30 %", burst = 5 }}
            duplicate = "20 %"
            delay = {{ distribution = "uniform", min = "0 s", max = "1 s" }}
            [segment.s]
            link = "l"
            {}
            [[mailslot]]
            on = "B"
            name = "t"
            {}
            "#,
            hosts.map(host).concat(),
            flows.map(flow).concat()
        )))
    };
    let before = outcomes_of(["A", "B", "C"], ["f", "g", "h"]);
    assert_unmoved(&before, &outcomes_of(["C", "B", "A"], ["f", "g", "h"]));
    assert_unmoved(&before, &outcomes_of(["A", "B", "C"], ["h", "g", "f"]));
}

/// Datagrams wait for those before them, not for network duplicates of those before them.
#[test]
fn duplicates_do_not_delay_the_others_on_a_link_that_keeps_order() {
    let wan = r#"delay = { distribution = "uniform", min = "0 s", max = "200 ms", keep_order = true }"#;
    let before = Network { wan, ..PLAIN };
    assert_unmoved(&before.outcomes(), &Network { wan: concat_with(wan, "duplicate = \"50 %\""), ..PLAIN }.outcomes());
    let earlier = Network { switch: concat_with(PLAIN.switch, "duplicate = \"50 %\""), ..before };
    assert_unmoved(&before.outcomes(), &earlier.outcomes());
}

fn concat_with(a: &str, b: &str) -> &'static str {
    Box::leak(format!("{a}\n{b}").into_boxed_str())
}
