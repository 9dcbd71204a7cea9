//! The discrete-event simulator: hosts that run the mailslot engine, on a network of lossy links, in virtual time.
//!
//! Every message is encoded at the sender and parsed at each receiver; nothing is passed around the engine. Events
//! happen in the order of (time, sequence number), so ties keep the order in which they were made, and time in which
//! nothing happens costs nothing. The run ends when nothing can change a fate any more, at the latest at the scenario's
//! end.
//!
//! `world` is the loop, with the machines and the programs that write and read; `programs` are those of `[[app]]`; `books` is what any driver of a scenario needs: whom packets
//! are for, and the account of what became of them.

pub(crate) mod ack;
pub(crate) mod books;
mod faults;
pub(crate) mod install;
mod programs;
mod queue;
mod reader;
mod theory;
pub(crate) mod timeline;
pub(crate) mod traffic;
mod ways;
mod world;
mod writer;

pub use programs::{AppTheory, ELECTION_QUIET, theory_of_apps};
#[cfg(feature = "turmoil")]
pub(crate) use queue::Queue;
pub use theory::{Theory, theory};

use std::rc::Rc;

use thiserror::Error;

use crate::link;
use crate::rng::Root;
use crate::scenario::Scenario;
use crate::stats::{BrowserTally, Observer, Tally};
use crate::time::Instant;

/// What runs the engines of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Driver {
    /// The event core: [`run`].
    Events,
    /// turmoil: `drive::turmoil::run`.
    Turmoil,
}

impl Driver {
    /// Its name in reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Driver::Events => "events",
            Driver::Turmoil => "turmoil",
        }
    }
}

/// What a run led to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What ran it.
    pub driver: Driver,
    /// What was counted of messages and hosts.
    pub tally: Tally,
    /// What the links did, in the order of the topology's links.
    pub links: Vec<link::Counters>,
    /// What was counted of each app.
    pub apps: Vec<BrowserTally>,
}

/// The most memory that datagrams in flight and waiting messages may need at once.
pub const MAX_ALIVE_BYTES: usize = 2 << 30;
/// What each of them needs beside its message: an estimate.
const ALIVE_BYTES: usize = 512;

/// A run was given up because it would need too much memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "at {} the datagrams in flight and the messages in mailslots need more than {MAX_ALIVE_BYTES} bytes \
     (MAX_ALIVE_BYTES): bursts, slow links or programs that do not read pile them up",
    at.since(Instant::ZERO)
)]
pub struct Overload {
    /// When.
    pub at: Instant,
}

/// Runs one replication of a scenario; `observer` is told every event. The same arguments give the same events.
///
/// # Errors
///
/// If what is in flight and waiting needs more than [`MAX_ALIVE_BYTES`].
///
/// # Panics
///
/// If the conservation law is broken, which is a bug of this crate.
pub fn run(scenario: &Scenario, replication: u32, observer: &mut impl Observer) -> Result<Outcome, Overload> {
    let root = Root { seed: scenario.seed(), replication };
    world::World::new(Rc::new(scenario.clone()), root, observer).run()
}
