//! The event loop with the full wire path: every message encoded at the sender and parsed at each receiver.
//!
//! `cargo bench` prints divan's table, then nanoseconds per delivery. 200-byte messages, 5 ms delay, 10 % loss.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a bench looks at the clock")]
#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::time::Instant;

use divan::counter::ItemsCount;
use mailslot_sim::scenario::{Scenario, Source, parse};
use mailslot_sim::sim;
use mailslot_sim::stats::Fate;

/// One sender and so many receivers, `messages` writes, a thousand deliveries in flight or fewer.
fn scenario(receivers: u32, messages: u32) -> Scenario {
    let target = if receivers == 1 { "R1" } else { "*" };
    let text = format!(
        r#"
        schema = 1
        name = "bench"
        duration = "10000 s"
        [link.l]
        delay = "5 ms"
        loss = "10 %"
        [segment.s]
        link = {{ down = "l" }}
        [[host]]
        name = "SENDER"
        segment = "s"
        [[host]]
        name = "R{{1..{receivers}}}"
        segment = "s"
        [[mailslot]]
        on = "R{{1..{receivers}}}"
        name = "t"
        [[traffic]]
        name = "f"
        from = "SENDER"
        to = '\\{target}\mailslot\t'
        every = "200 us"
        count = {messages}
        size = "200 B"
        "#
    );
    let read_file = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    parse(&Source { name: "bench", text: &text, set: &[], read_file: &read_file }).expect("a sound scenario").scenario
}

/// Receivers and messages: unicast between two hosts, and a broadcast to 31.
const CASES: [(u32, u32); 2] = [(1, 100_000), (31, 10_000)];

fn deliveries(scenario: &Scenario) -> u64 {
    sim::run(scenario, 0, &mut ()).expect("little is in flight").tally.totals().fate(Fate::Delivered)
}

#[divan::bench(args = CASES, sample_count = 20)]
fn receivers_and_messages(bencher: divan::Bencher<'_, '_>, (receivers, messages): (u32, u32)) {
    let scenario = scenario(receivers, messages);
    let items = ItemsCount::new(deliveries(&scenario));
    bencher.counter(items).bench(|| deliveries(&scenario));
}

fn main() {
    divan::main();
    for (receivers, messages) in CASES {
        let scenario = scenario(receivers, messages);
        let mut nanos: Vec<f64> = (0..9)
            .map(|_| {
                let start = Instant::now();
                let delivered = deliveries(&scenario);
                start.elapsed().as_nanos() as f64 / delivered as f64
            })
            .collect();
        nanos.sort_by(f64::total_cmp);
        let [least, median] = [nanos[0], nanos[nanos.len() / 2]];
        println!("1 sender to {receivers:>2}: {median:.0} ns per delivery (median of 9; least {least:.0})");
    }
}
