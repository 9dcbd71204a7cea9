//! Programs that run on hosts, over the engine: what a computer of the NetBIOS age does by itself.
//!
//! Each is a state machine without IO, in the manner of the engine itself: what arrives and the time are
//! handed in, what is to be done and when to come back is polled out. So the same program runs in virtual time and on
//! real sockets, and can be tested alone.

pub mod browser;
