//! The network: segments (broadcast domains), the hosts on them, the routers between them, and the links that all this
//! is made of.
//!
//! A unicast datagram passes the sender's up link, one crossing for each router on the way, and the recipient's down
//! link. A broadcast passes the up link once and then the down link of every other host of the segment. The way is the
//! one with the fewest crossings, and among those the one whose crossings come first by name. What is longer than the MTU
//! of a link goes over it in IP fragments, and only its last host puts them together.
//!
//! [`Topology`] is the plan, built once and then only read; [`Fabric`] is what moves datagrams on it in one run, and a
//! [`Partition`] is what stands in their way for a while.

mod builder;
mod fabric;
mod ip;
mod partition;
mod topology;

pub(crate) use builder::stable_hash;
pub use builder::{Builder, Invalid, MAX_HOSTS_PER_SEGMENT, MAX_INTERFACES, MAX_SEGMENTS};
pub use fabric::{Carrier, Damage, Fabric, Flight};
pub use ip::{IP_HEADER, REASSEMBLY_TIMEOUT, UDP_HEADER, fragment_lengths};
pub use partition::Partition;
pub use topology::{Crossing, Host, Interface, LinkSpec, Segment, Topology, Way};
