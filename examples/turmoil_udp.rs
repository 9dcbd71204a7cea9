//! Testing an ordinary UDP program under burst loss, duplication and reordering.
//!
//!     cargo run --example turmoil_udp
//!
//! The program below is as it would be with `tokio::net::UdpSocket`: a meter sends readings, a collector confirms each,
//! and the meter repeats what was not confirmed. Its socket comes from the module `net`, the one line that a test
//! changes. The network loses 20 % in bursts, duplicates 10 % and lets datagrams overtake one another; the collector must
//! end up with every reading exactly once. It does, because it looks at the numbers; a collector that does not is fooled
//! by the network, and the same run shows by how much.

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use mailslot_sim::drive::turmoil::{Network, builder};
use mailslot_sim::link::{Config, Counters, Delay, Distribution, GilbertElliott, Loss, Probability};
use mailslot_sim::{net as plan, time};
use tokio::time::timeout;

/// What the program takes its socket from: `pub use tokio::net::UdpSocket;` when it is not under test.
mod net {
    pub(crate) use mailslot_sim::drive::turmoil::UdpSocket;
}

const READINGS: u32 = 500;
const COLLECTOR: &str = "collector:9000";

/// The program of the meter: sends each reading until it is confirmed. How many datagrams that took.
async fn meter() -> Result<u32, Box<dyn Error>> {
    let socket = net::UdpSocket::bind("0.0.0.0:0").await?;
    let (mut sent, mut answer) = (0, [0; 4]);
    for number in 0..READINGS {
        loop {
            socket.send_to(&number.to_be_bytes(), COLLECTOR).await?;
            sent += 1;
            // An answer to an earlier repetition may come now: it confirms nothing new.
            let confirmed = async {
                while socket.recv_from(&mut answer).await?.0 != 4 || answer != number.to_be_bytes() {}
                Ok::<(), std::io::Error>(())
            };
            match timeout(Duration::from_millis(100), confirmed).await {
                Ok(confirmed) => break confirmed?,
                Err(_) => continue,
            }
        }
    }
    Ok(sent)
}

/// The program of the collector: confirms all that it hears, and keeps what is new.
async fn collector(collected: Rc<RefCell<Collected>>) -> Result<(), Box<dyn Error>> {
    let socket = net::UdpSocket::bind("0.0.0.0:9000").await?;
    let mut reading = [0; 4];
    while let Ok(heard) = timeout(Duration::from_secs(10), socket.recv_from(&mut reading)).await {
        let (_, meter) = heard?;
        socket.send_to(&reading, meter).await?;
        let mut collected = collected.borrow_mut();
        collected.heard += 1;
        collected.kept.insert(u32::from_be_bytes(reading));
    }
    Ok(())
}

#[derive(Default)]
struct Collected {
    /// What a collector that does not look at the numbers would count.
    heard: u32,
    kept: BTreeSet<u32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let probability = |value| Probability::new(value).expect("it is from 0 to 1");
    let [min, max] = [1, 30].map(time::Duration::from_millis);
    let bad = Config {
        loss: Loss::GilbertElliott(GilbertElliott::from_mean_and_burst(probability(0.2), 3.0)?),
        duplicate: probability(0.1),
        delay: Delay::from_distribution(Distribution::Uniform { min, max }),
        ..Config::PERFECT
    };
    let mut lan = plan::Builder::default();
    let segment = lan.segment("lan")?;
    lan.host("meter", segment, bad.clone(), bad)?;
    lan.host("collector", segment, Config::PERFECT, Config::PERFECT)?;
    let network = Network::new(lan.build()?, 42);

    let (collected, sent) = (Rc::new(RefCell::new(Collected::default())), Rc::new(RefCell::new(0)));
    let mut sim = builder().simulation_duration(Duration::from_secs(600)).build();
    let keeps = collected.clone();
    sim.client("collector", async move { collector(keeps).await });
    let counts = sent.clone();
    sim.client("meter", async move {
        *counts.borrow_mut() = meter().await?;
        Ok(())
    });
    network.install(&mut sim); // after the hosts
    sim.run().map_err(|error| error.to_string())?;

    let (Collected { heard, kept }, sent) = (&*collected.borrow(), sent.borrow());
    for link in ["lan/meter/up", "lan/meter/down"] {
        let Counters { offered, lost, duplicated, .. } = network.counters(link);
        println!("{link}: {offered} datagrams offered, {lost} lost, {duplicated} duplicated");
    }
    println!("the meter sent {sent} datagrams for {READINGS} readings");
    println!(
        "a collector that counts what it hears counts {heard}; the one that looks at the numbers kept {}",
        kept.len()
    );
    assert_eq!(kept.len(), READINGS as usize, "every reading exactly once");
    Ok(())
}
