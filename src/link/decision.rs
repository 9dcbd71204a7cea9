//! Why a link did what it did with a datagram: the draws, and what they were compared with.

use super::chain::{Carriage, Config, Link, Verdict};
use super::delay::Distribution;
use super::loss::Loss;
use super::memory::Memory;
use super::probability::Probability;
use crate::draw::{Answer, Decision, Judgement};
use crate::id::DatagramId;
use crate::rng::Purpose;
use crate::time::Instant;

impl Link {
    /// How the link came to its verdict on a datagram that it was offered `now`. To be asked before it is offered anything
    /// else.
    #[must_use]
    pub fn judgement(&self, now: Instant, id: &DatagramId, verdict: &Verdict) -> Judgement {
        let met = verdict.met.unwrap_or(self.memory);
        let before = [self.loss(id, &met), self.step(id, &met)].into_iter().flatten();
        let Some(carriage) = verdict.carriage else {
            return Judgement { decisions: before.collect(), ..Judgement::default() };
        };
        let order = self.order(id, &met);
        let is_reordered = order.is_some_and(|order| order.answer == Answer::Yes);
        let delay = if is_reordered { 0 } else { self.config.delay.after(met.delay, self.delay_draw(id)).nanos() };
        let drawn =
            (!is_reordered && !matches!(self.config.delay.distribution, Distribution::Constant(_))).then(|| {
                let (purpose, draw, answer) = (Purpose::Delay, self.delay_draw(id), Answer::Nanos(delay));
                let rank =
                    Some(self.config.delay.rank(met.delay, draw)).filter(|_| !self.config.delay.correlation.is_none());
                Decision { purpose, draw, rank, probability: None, state: None, answer }
            });
        let carried = [self.corruption(id, &carriage), order, drawn, self.duplication(id)];
        let takes = |at: Instant| at.since(now).nanos();
        Judgement {
            decisions: before.chain(carried.into_iter().flatten()).collect(),
            takes_nanos: Some(takes(carriage.arrival)),
            waits_nanos: takes(carriage.arrival).saturating_sub(delay),
            copy_takes_nanos: carriage.duplicate.map(takes),
        }
    }

    fn loss(&self, id: &DatagramId, met: &Memory) -> Option<Decision> {
        let Config { loss, .. } = &self.config;
        let decision = self.answer(id, Purpose::Loss, loss.risk(met.loss));
        (*loss != Loss::NONE).then(|| Decision { state: loss.state(met.loss), ..decision })
    }

    /// The step of the loss model after a datagram; copies that a network made do not step it.
    fn step(&self, id: &DatagramId, met: &Memory) -> Option<Decision> {
        let Config { loss, .. } = &self.config;
        let probability = loss.is_drawn(met.loss).filter(|_| id.duplicate == 0)?;
        Some(Decision {
            purpose: Purpose::LossState,
            draw: self.draws.draw(id, Purpose::LossState),
            rank: None,
            probability: probability.map(Probability::value),
            state: loss.state(met.loss),
            answer: Answer::Next(loss.state(self.memory.loss)?),
        })
    }

    fn corruption(&self, id: &DatagramId, carriage: &Carriage) -> Option<Decision> {
        let decision = self.answer(id, Purpose::Corrupt, self.config.corrupt);
        let answer = carriage.flip.map_or(Answer::No, Answer::Bit);
        (self.config.corrupt != Probability::NEVER).then_some(Decision { answer, ..decision })
    }

    /// Whether it is sent on without delay. One that may not be, because of the gap, is not asked.
    fn order(&self, id: &DatagramId, met: &Memory) -> Option<Decision> {
        let reorder = self.config.reorder;
        if reorder.is_none() || !reorder.may_choose(met.reorder) {
            return None;
        }
        let decision = self.answer(id, Purpose::Reorder, reorder.probability);
        let is_chosen = reorder.chooses(met.reorder, decision.draw);
        let rank = Some(reorder.rank(met.reorder, decision.draw)).filter(|_| !reorder.correlation.is_none());
        Some(Decision { rank, answer: if is_chosen { Answer::Yes } else { Answer::No }, ..decision })
    }

    fn duplication(&self, id: &DatagramId) -> Option<Decision> {
        let decision = self.answer(id, Purpose::Duplicate, self.config.duplicate);
        (self.config.duplicate != Probability::NEVER).then_some(decision)
    }

    fn delay_draw(&self, id: &DatagramId) -> u64 {
        self.draws.draw(id, Purpose::Delay)
    }

    /// The answer that a draw gives to a question.
    fn answer(&self, id: &DatagramId, purpose: Purpose, probability: Probability) -> Decision {
        let draw = self.draws.draw(id, purpose);
        let answer = if probability.decides(draw) { Answer::Yes } else { Answer::No };
        Decision { purpose, draw, rank: None, probability: Some(probability.value()), state: None, answer }
    }
}
