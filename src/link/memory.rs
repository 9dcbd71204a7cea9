//! What a link remembers of the datagrams before.

use super::chain::Config;
use super::delay::Score;
use super::loss::LossState;
use super::reorder::ReorderState;
use crate::id::DatagramId;
use crate::rng::{CommonDraws, LinkDraws, Purpose};

/// The states of the models of a link that have memory. A datagram meets them; then each model steps, once for each
/// datagram that is offered, whatever becomes of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Memory {
    pub(super) loss: LossState,
    /// The score of the delay before.
    pub(super) delay: Score,
    pub(super) reorder: ReorderState,
}

impl Memory {
    /// The memory of a link that carried nothing yet: as it is in the long run.
    pub(super) fn start(config: &Config, draws: &LinkDraws) -> Self {
        let [loss, delay, score, delayed] = draws.initial();
        let reorder = config.reorder.initial(score, delayed);
        Memory { loss: config.loss.initial(loss), delay: Score::of(delay), reorder }
    }

    /// Whether a link with these models has any memory.
    pub(super) fn is_kept(config: &Config) -> bool {
        config.loss.has_memory() || !config.delay.correlation.is_none() || !config.reorder.is_none()
    }

    /// What the next datagram meets.
    pub(super) fn next(&self, config: &Config, id: &DatagramId, common: &CommonDraws, draws: &LinkDraws) -> Self {
        let mut next = *self;
        if config.loss.has_memory() {
            next.loss = config.loss.next(self.loss, draws.draw(id, Purpose::LossState));
        }
        if !config.delay.correlation.is_none() {
            next.delay = config.delay.correlation.after(self.delay, common.delay);
        }
        if !config.reorder.is_none() {
            next.reorder = config.reorder.next(self.reorder, draws.draw(id, Purpose::Reorder));
        }
        next
    }
}
