//! What happened, counted: one fate for each message and recipient, and the figures made of them.
//!
//! The [`Ledger`] consumes the plain [`Event`]s of a run and knows no simulator. Its memory is that of the messages
//! that are still open (in flight or waiting) and of the sender-recipient pairs that were active, however many messages
//! there were. The figures follow the IETF's IP performance metrics: one-way delay and loss (RFC 7679, 7680), loss
//! periods (RFC 3357), reordering (RFC 4737).

mod browser;
mod delay;
mod estimate;
mod event;
mod fate;
mod ledger;
mod metric;
mod observer;
mod pair;
mod phase;
mod proportion;
mod tally;
pub mod theory;

pub use browser::{BrowserTally, GroupTally};
pub use delay::{DelayFigures, DelayHistogram, HistogramSum};
pub use estimate::Estimate;
pub use event::{Bound, Event, Instance, Reason, Sent, Settled, Write};
pub use fate::Fate;
pub use ledger::{Ledger, StreamLayout, TargetLayout};
pub use metric::{Metric, Subject};
pub use observer::{Frame, Observer};
pub use proportion::Proportion;
pub use tally::{AckTally, FlowTally, HostTally, LossPeriods, Tally};
