//! What links say of their draws: plain facts, for whoever asks why something happened.

use crate::rng::Purpose;

/// How a link came to its verdict on a datagram.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Judgement {
    /// Its draws, in the order in which they count. Those that a model does not look at are left out, and of a lost datagram
    /// those that it did not come to.
    pub decisions: Vec<Decision>,
    /// How long the link keeps it, in nanoseconds; `None` if it does not hand it on.
    pub takes_nanos: Option<u64>,
    /// How much of that is not the delay: its own time on the wire, where the link has a rate, and its wait behind others.
    pub waits_nanos: u64,
    /// How long the link keeps the extra copy, if it makes one that it hands on.
    pub copy_takes_nanos: Option<u64>,
}

/// A draw, and what came of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Decision {
    /// What it was about.
    pub purpose: Purpose,
    /// The draw: 64 bits, each value alike.
    pub draw: u64,
    /// What counts instead of the draw where that is correlated with the draws of datagrams before.
    pub rank: Option<u64>,
    /// If it is the answer to one question, how probable a yes was: it is one if draw or rank is below so much of 2^64.
    pub probability: Option<f64>,
    /// The state of a model with memory that the answer rests on.
    pub state: Option<ModelState>,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It happens.
    Yes,
    /// It does not.
    No,
    /// It happens: this bit of the payload flips, counted from the first byte's lowest bit.
    Bit(u32),
    /// A delay, in nanoseconds.
    Nanos(u64),
    /// What the next datagram meets.
    Next(ModelState),
}

/// The state of a loss model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModelState {
    /// Of two, the one with few losses.
    Good,
    /// The one with many.
    Bad,
    /// One of netem's four, by its number.
    Numbered(u8),
    /// A place in a period or a pattern, from 1, and how many there are.
    Place(u32, u32),
}
