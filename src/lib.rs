//! What happens to datagrams that nobody acknowledges.
pub mod id;
pub mod mailslot;
pub mod rng;
pub mod time;
pub mod wire;
