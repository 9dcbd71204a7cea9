//! Links: one direction of one attachment, or one crossing of a router. A link carries datagrams and impairs them.
//!
//! A link is offered one datagram after another and says of each whether it is lost, or when it arrives, with which bit
//! flipped, and whether a second copy arrives too. It knows lengths and times, not bytes, hosts or programs. Its
//! randomness comes from [`LinkDraws`](crate::rng::LinkDraws): a pure function of link name, purpose and the datagram's
//! identity. Only models with memory depend on the order of what is offered.
//!
//! Order within a link: loss, corrupt, duplicate, rate and queue, delay, reorder.

mod chain;
mod decision;
mod delay;
mod loss;
mod memory;
mod normal;
mod probability;
mod queue;
mod reorder;

pub use chain::{Carriage, Config, Counters, Link, MIN_MTU, Offer, Verdict};
pub use delay::{
    Correlation, Delay, Distribution, Empirical, Exponential, InvalidDelay, Lognormal, MAX_ALPHA, MAX_MEASURED,
    MAX_SIGMA, MIN_ALPHA, Pareto,
};
pub use loss::{BurstTooShort, FourState, GilbertElliott, Loss, MAX_PATTERN, OverCertain, Pattern, Periodic};
pub use memory::Memory;
pub(crate) use normal::quantile as normal_quantile;
pub use probability::Probability;
pub use queue::{Bottleneck, QueueLimit};
pub use reorder::Reorder;
