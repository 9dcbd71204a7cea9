//! Lossy networks for programs under turmoil.
//!
//! turmoil runs async programs of many hosts in one thread, in virtual time. Its own faults are those of connections: its
//! `fail_rate` breaks a pair of hosts and throws away what is in flight, so a rate set there is not the rate of datagrams
//! lost. Here every datagram goes through a [`Network`] instead: segments, routers and links of this crate
//! ([`crate::net`], [`crate::link`]) with loss in bursts, delay distributions, reordering, duplicates and flipped bits,
//! and the same draws as in the simulator: switching one impairment on moves no other outcome.
//!
//! A program needs another [`UdpSocket`] and nothing else; its methods are tokio's.
//!
//! ```
//! use std::time::Duration;
//!
//! use mailslot_sim::drive::turmoil::{Network, UdpSocket, builder};
//! use mailslot_sim::link::{Config, Delay, Distribution, GilbertElliott, Loss, Probability};
//! use mailslot_sim::{net, time};
//!
//! // 20 % loss in bursts of 4, and from 2 to 30 ms of delay, on the way from the client to the server.
//! let loss = GilbertElliott::from_mean_and_burst(Probability::new(0.2).unwrap(), 4.0)?;
//! let [min, max] = [2, 30].map(time::Duration::from_millis);
//! let bad = Config {
//!     loss: Loss::GilbertElliott(loss),
//!     delay: Delay::from_distribution(Distribution::Uniform { min, max }),
//!     ..Config::PERFECT
//! };
//! let mut plan = net::Builder::default();
//! let lan = plan.segment("lan")?;
//! plan.host("client", lan, bad, Config::PERFECT)?;
//! plan.host("server", lan, Config::PERFECT, Config::PERFECT)?;
//! let network = Network::new(plan.build()?, 42);
//!
//! let mut sim = builder().build();
//! sim.client("server", async move {
//!     let socket = UdpSocket::bind("0.0.0.0:9000").await?;
//!     let mut got = 0;
//!     while let Ok(received) = tokio::time::timeout(Duration::from_secs(1), socket.recv_from(&mut [0; 64])).await {
//!         got += usize::from(received?.0 == 5);
//!     }
//!     assert!((700..900).contains(&got), "{got} of 1000");
//!     Ok(())
//! });
//! sim.client("client", async move {
//!     let socket = UdpSocket::bind("0.0.0.0:0").await?;
//!     for _ in 0..1000 {
//!         socket.send_to(b"hello", ("server", 9000)).await?;
//!         tokio::time::sleep(Duration::from_millis(1)).await;
//!     }
//!     Ok(())
//! });
//! network.install(&mut sim); // after all hosts
//! sim.run()?;
//! let up = network.counters("lan/client/up");
//! assert_eq!(up.offered, 1000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! * Time: programs act at whole milliseconds, turmoil's tick and tokio's timer. The network itself counts in nanoseconds;
//!   a datagram is handed to its host at the first tick at or after its arrival, and no sooner than one tick after it was
//!   sent. Ticks other than 1 ms are refused.
//! * Cost: turmoil runs every host at every tick, whether it does anything or not, and looks at all pairs of hosts: a
//!   simulated second of 2 idle hosts takes some milliseconds, of 64 hosts some hundred. For studies there is
//!   [`crate::sim`].
//! * turmoil's own latency and loss must not touch the datagrams, or results would be bent silently: [`builder`] sets them
//!   to zero, and a simulation where they are not fails at the first datagram that is late, or that comes after one that
//!   was lost. Its partitions are without effect: [`Network::partition`] cuts hosts off.
//! * A socket holds all that its program has not read, as far as memory goes, where turmoil's own holds 64 datagrams.
//! * IPv4 only, no multicast. A broadcast, to 255.255.255.255, reaches the hosts of the sender's segment.

mod account;
mod address;
mod journal;
mod network;
mod packet;
mod plan;
mod programs;
mod scenario;
mod socket;
mod switch;

pub use address::Address;
pub use network::{Network, builder};
pub use scenario::{MAX_HOSTS, RunError, run};
pub use socket::UdpSocket;

/// How many datagrams a socket of a simulation that [`builder`] makes can hold: more than memory can.
pub const UDP_CAPACITY: usize = 1 << 40;
/// The tick of turmoil that everything here is made for.
const TICK: crate::time::Duration = crate::time::Duration::from_millis(1);
