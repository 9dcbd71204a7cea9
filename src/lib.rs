//! What happens to datagrams that nobody acknowledges: a deterministic simulator and test harness for Windows
//! mailslots.
//!
//! The parts, from the bottom up; each uses only what lies below it:
//!
//! | module | is |
//! |---|---|
//! | [`time`], [`id`], [`rng`], [`draw`] | integer virtual time; identities; randomness as a function of identities; what came of it |
//! | [`wire`] | bytes of NetBIOS datagrams, mailslot writes and name service packets, and nothing else |
//! | [`message`] | what well-known mailslots carry: browser, netlogon and messenger messages |
//! | [`app`] | programs of the NetBIOS age as state machines without IO: the browser service |
//! | [`names`] | the name service of one machine: finding, claiming and defending NetBIOS names, without IO |
//! | [`mailslot`] | the engine: one machine's slots, handles and names, without IO |
//! | [`link`], [`net`] | lossy links; segments, routers and the ways between hosts |
//! | [`stats`] | one fate for each message and recipient, and the figures made of them |
//! | [`scenario`] | the files that say what is simulated |
//! | [`sim`] | the event core that runs engines on a network in virtual time |
//! | [`study`] | many runs in parallel |
//! | [`report`] | results for people and programs; links in the words of `tc` |
//! | `drive` | the same engine on real sockets and under turmoil (features `tokio` and `turmoil`) |
//!
//! The engine stands alone: [`mailslot::Machine`] serves whoever gives it datagrams and the time. The simulator is
//! [`sim::run`]; scenarios come from [`scenario::parse`].
//!
//! Nothing but `drive` asks for the clock, nothing asks for random numbers, and nothing depends on the order of a hash
//! table: the same scenario and seed give the same bytes on every machine.

pub mod app;
pub mod draw;
#[cfg(feature = "tokio")]
pub mod drive;
pub mod id;
pub mod link;
pub mod mailslot;
pub mod message;
pub mod names;
pub mod net;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod sim;
pub mod stats;
pub mod study;
pub mod time;
pub mod wire;

/// The examples of the README are tested.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

/// So are those of the guide to turmoil.
#[doc = include_str!("../docs/turmoil.md")]
#[cfg(all(doctest, feature = "turmoil"))]
struct TurmoilGuide;
