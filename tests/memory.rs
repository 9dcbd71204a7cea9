//! Memory is that of hosts, active pairs, and what is in flight or waiting; the number of messages does not matter.

mod support;

use std::sync::{Arc, Mutex, PoisonError};

use mailslot_sim::mailslot::{Config, Directory, MAX_REASSEMBLIES, Machine};
use mailslot_sim::report::{RunPage, RunReport};
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::time::Instant;
use peak_alloc::PeakAlloc;
use support::scenario;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The most bytes that a run needs at once beyond what there was before.
fn peak(seconds: u32, link: &str, mailslot: &str, traffic: &str) -> usize {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let scenario = network(seconds, link, mailslot, traffic);
    peak_of(|| drop(sim::run(&scenario, 0, &mut ()).unwrap()))
}

fn network(seconds: u32, link: &str, mailslot: &str, traffic: &str) -> Scenario {
    scenario(&format!(
        r#"
        schema = 1
        name = "memory"
        duration = "{seconds} s"
        [link.l]
        {link}
        [segment.s]
        link = "l"
        [[host]]
        name = "H{{1..8}}"
        segment = "s"
        [[mailslot]]
        on = "H{{2..8}}"
        name = "t"
        {mailslot}
        [[traffic]]
        name = "f"
        from = "H1"
        to = '\\*\mailslot\t'
        every = "1 ms"
        {traffic}
        "#
    ))
}

fn peak_of(work: impl FnOnce()) -> usize {
    PEAK.reset_peak_usage();
    let before = PEAK.current_usage();
    work();
    PEAK.peak_usage() - before
}

/// Ten times as many messages need less than twice as much: a table may have had to double once more.
fn assert_flat(link: &str, mailslot: &str, traffic: &str) {
    let (short, long) = (peak(3, link, mailslot, traffic), peak(30, link, mailslot, traffic));
    assert!(long < 2 * short, "{short} bytes for 3,000 messages, {long} for 30,000 ({link}; {mailslot}; {traffic})");
}

#[test]
fn memory_does_not_grow_with_the_number_of_messages() {
    assert_flat("loss = \"10 %\"\ndelay = \"20 ms\"\nduplicate = \"10 %\"", "", "");
    assert_flat("delay = { distribution = \"uniform\", min = \"0 s\", max = \"100 ms\" }", "", "");
}

/// One message waits for ever; the thousands after it are refused or lost, and leave nothing behind.
#[test]
fn a_message_that_waits_for_ever_does_not_make_the_others_pile_up() {
    assert_flat("loss = \"50 %\"", "reader = \"never\"\nqueue_limit = 1", "");
    let jitter = "delay = { distribution = \"uniform\", min = \"0 s\", max = \"100 ms\" }";
    assert_flat(&format!("loss = \"50 %\"\n{jitter}"), "reader = \"never\"\nqueue_limit = 1", "");
}

/// Messages that wait for replies are forgotten when all have come, and when the sender gives up.
#[test]
fn messages_that_wait_for_replies_do_not_pile_up() {
    let ack = "ack = { slot = 'acks', timeout = \"20 ms\", tries = 3 }";
    assert_flat("delay = \"5 ms\"\nloss = \"20 %\"", "", ack);
}

/// The page of a run keeps what it shows, which has limits, and what is under way.
#[test]
fn the_page_of_a_run_does_not_grow_with_it() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let link = "loss = \"20 %\"\ndelay = { distribution = \"uniform\", min = \"0 s\", max = \"100 ms\" }\nduplicate = \"10 %\"";
    let page = |seconds| {
        let scenario = network(seconds, link, "", "");
        peak_of(|| {
            let mut page = RunPage::new(&scenario);
            let outcome = sim::run(&scenario, 0, &mut page).unwrap();
            let report = RunReport::new(&scenario, 0, &outcome);
            drop(page.draw(&scenario, &outcome, &report, ""));
        })
    };
    let (short, long) = (page(20), page(100));
    assert!(long < short + short / 4, "{short} bytes for 20,000 messages, {long} for 100,000");
}

/// The measurement would see growth if there were any.
#[test]
fn what_waits_is_what_is_kept() {
    let (short, long) = (peak(3, "", "reader = \"never\"", ""), peak(30, "", "reader = \"never\"", ""));
    assert!(long > 5 * short, "21,000 messages wait instead of 2,100 for each: {short} and {long} bytes");
}

/// First fragments without end, as long as UDP carries them, cost the memory of [`MAX_REASSEMBLIES`] of them.
#[test]
fn fragments_that_nobody_completes_need_little() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let config = Config::new("B", "D", [10, 0, 0, 2].into()).unwrap();
    let mut machine = Machine::new(config, Arc::new(Directory::default()));
    // Direct unique; first, and more follow; DGM_LENGTH 65,535.
    let mut fragment = vec![0; 65_507];
    fragment[..2].copy_from_slice(&[0x10, 3]);
    fragment[10..12].copy_from_slice(&u16::MAX.to_be_bytes());
    let peak = peak_of(|| {
        for id in 0..10_000_u16 {
            fragment[2..4].copy_from_slice(&id.to_be_bytes());
            machine.handle_datagram(Instant::ZERO, "10.0.0.1:138".parse().unwrap(), &fragment);
            while machine.poll_event().is_some() {}
        }
    });
    let all = MAX_REASSEMBLIES * fragment.len();
    assert!((all..all + all / 8).contains(&peak), "{peak} bytes; {MAX_REASSEMBLIES} fragments are {all}");
}
