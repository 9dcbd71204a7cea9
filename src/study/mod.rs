//! Studies: many runs of a scenario, in parallel. A run is never split; what is made of each is up to whoever asks, so that a
//! million runs need no more memory than what is kept of them.
//!
//! The [`Plan`] of a study says which points it has, [`Execution`] runs what a [`Folder`] does not hold yet, and [`merge`]
//! unites folders. All of it is free of clocks and of printing.

mod error;
mod execute;
mod figures;
mod folder;
mod line;
mod manifest;
mod merge;
mod pending;
mod plan;
mod rule;

pub use error::FolderError;
pub use execute::{Ended, Execution, Progress, StudyFailure};
pub(crate) use figures::OWN as OWN_FIGURE;
pub use figures::{FIGURES, Pictures, check_pictures};
pub use folder::{Folder, Record};
pub use line::{Figure, Line};
pub use manifest::{AxisEntry, Manifest, PointEntry, Rule};
pub use merge::merge;
pub use pending::Pending;
pub use plan::{Partition, Plan};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::scenario::Scenario;
use crate::sim::{self, Outcome, Overload};
use crate::stats::{Event, Observer};
use crate::time::Instant;

/// Why replications could not be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Failure {
    /// A run needed too much memory.
    #[error("failed to run replication {replication}: {overload}")]
    Overload {
        /// Which.
        replication: u32,
        /// How.
        overload: Overload,
    },
    /// Two runs of one replication were not the same.
    #[error("two runs of replication {replication} differ: this is a bug of mailslot-sim")]
    Differs {
        /// Which.
        replication: u32,
    },
}

/// Runs the first replications of a scenario, on all processors; what `keep` makes of each, in their order. With `verify`
/// each is run twice, and every event of both must be the same.
///
/// # Errors
///
/// The [`Failure`] of the first replication that has one.
pub fn replicate<T: Send>(
    scenario: &Scenario,
    replications: u32,
    verify: bool,
    keep: impl Fn(u32, &Outcome) -> T + Sync,
) -> Result<Vec<T>, Failure> {
    let run = |replication: u32| Ok(keep(replication, &run(scenario, replication, verify)?));
    let all: Vec<Result<T, Failure>> = (0..replications).into_par_iter().map(run).collect();
    all.into_iter().collect()
}

/// One replication; with `verify` twice, and every event of both must be the same.
fn run(scenario: &Scenario, replication: u32, verify: bool) -> Result<Outcome, Failure> {
    let overloaded = |overload| Failure::Overload { replication, overload };
    if !verify {
        return sim::run(scenario, replication, &mut ()).map_err(overloaded);
    }
    let (outcome, first) = digested(scenario, replication).map_err(overloaded)?;
    let (_, second) = digested(scenario, replication).map_err(overloaded)?;
    if first == second { Ok(outcome) } else { Err(Failure::Differs { replication }) }
}

/// A run, and the digest of all its events.
fn digested(scenario: &Scenario, replication: u32) -> Result<(Outcome, [u8; 32]), Overload> {
    let mut events = Events(Sha256::new());
    let outcome = sim::run(scenario, replication, &mut events)?;
    Ok((outcome, events.0.finalize().into()))
}

/// Hashes every event.
struct Events(Sha256);

impl Observer for Events {
    fn observe(&mut self, at: Instant, event: &Event<'_>) {
        self.0.update(format!("{at:?} {event:?}\n"));
    }
}
