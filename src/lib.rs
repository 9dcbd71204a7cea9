//! What happens to datagrams that nobody acknowledges.
pub mod id;
pub mod link;
pub mod mailslot;
pub mod net;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod sim;
pub mod stats;
pub mod time;
pub mod wire;
