//! Periodic loss: one datagram of a fixed number.

use std::num::NonZeroU32;

use serde::Serialize;

use super::{LossState, any_of};

/// One datagram of every n that are offered is lost: a share of 1 / n, and n - 1 are carried between two losses. Where
/// in the period a link starts is drawn, each position alike (a choice), so that every datagram is lost with
/// probability 1 / n, and links do not lose in step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Periodic {
    every: NonZeroU32,
}

impl Periodic {
    /// The model that loses one datagram of `every`.
    #[must_use]
    pub const fn new(every: NonZeroU32) -> Self {
        Periodic { every }
    }

    /// One datagram of so many is lost.
    #[must_use]
    pub const fn every(&self) -> NonZeroU32 {
        self.every
    }

    /// The share of datagrams that are lost.
    #[must_use]
    pub fn mean(&self) -> f64 {
        1.0 / f64::from(self.every.get())
    }

    /// The probability that so many datagrams in a row are carried.
    pub(super) fn carries_in_a_row(&self, datagrams: usize) -> f64 {
        (1.0 - datagrams as f64 * self.mean()).max(0.0)
    }

    pub(super) fn initial(&self, draw: u64) -> LossState {
        any_of(self.every.get(), draw)
    }

    pub(super) fn takes(&self, state: LossState) -> bool {
        state.0 == self.every.get() - 1
    }

    pub(super) fn next(&self, LossState(position): LossState) -> LossState {
        LossState((position + 1) % self.every)
    }
}
