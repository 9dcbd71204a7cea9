//! Why a link did what it did with a datagram: the draws, and what they were compared with.

use super::chain::{Carriage, Config, Link, Verdict};
use super::delay::Distribution;
use super::loss::Loss;
use super::memory::Memory;
use super::probability::Probability;
use crate::id::DatagramId;
use crate::rng::{Decision, Purpose};

impl Link {
    /// By which draws the link came to its verdict on a datagram, in the order in which they count. Draws that a model does
    /// not look at are left out, and of a lost datagram those that it did not come to. To be asked before the link is
    /// offered anything else.
    #[must_use]
    pub fn decisions(&self, id: &DatagramId, verdict: &Verdict) -> Vec<Decision> {
        let met = verdict.met.unwrap_or(self.memory);
        let on_the_way = || [self.corruption(id, verdict), self.delay_of(id, &met), self.duplication(id, verdict)];
        let of_carried = verdict.carriage.map(|_| on_the_way()).into_iter().flatten();
        [self.loss(id, &met), self.step(id, &met)].into_iter().chain(of_carried).flatten().collect()
    }

    fn loss(&self, id: &DatagramId, met: &Memory) -> Option<Decision> {
        let Config { loss, .. } = &self.config;
        let risk = loss.risk(met.loss);
        (*loss != Loss::NONE).then(|| Decision {
            state: loss.describe(met.loss),
            ..self.answer(id, Purpose::Loss, risk, ["lost", "not lost"])
        })
    }

    /// The step of the loss model after a datagram; copies that a network made do not step it.
    fn step(&self, id: &DatagramId, met: &Memory) -> Option<Decision> {
        let Config { loss, .. } = &self.config;
        let probability = loss.is_drawn(met.loss).filter(|_| id.duplicate == 0)?;
        Some(Decision {
            purpose: Purpose::LossState,
            draw: self.draws.draw(id, Purpose::LossState),
            probability: probability.map(Probability::value),
            state: loss.describe(met.loss),
            outcome: loss.describe(self.memory.loss),
        })
    }

    fn corruption(&self, id: &DatagramId, verdict: &Verdict) -> Option<Decision> {
        let decision = self.answer(id, Purpose::Corrupt, self.config.corrupt, ["damaged", "not damaged"]);
        let outcome = match verdict.carriage? {
            Carriage { flip: Some(bit), .. } => format!("bit {} of byte {} of the payload flips", bit % 8, bit / 8),
            _ => decision.outcome,
        };
        (self.config.corrupt != Probability::NEVER).then_some(Decision { outcome, ..decision })
    }

    /// How long it takes; if it may be sent on without delay, whether it is.
    fn delay_of(&self, id: &DatagramId, met: &Memory) -> Option<Decision> {
        let Config { delay, reorder, .. } = &self.config;
        let draw = self.draws.draw(id, Purpose::Reorder);
        if !reorder.is_none() && reorder.chooses(met.reorder, draw) {
            let answer = self.answer(id, Purpose::Reorder, reorder.probability, ["sent on without delay"; 2]);
            let probability = answer.probability.filter(|_| reorder.correlation.is_none()); // else a score is compared
            return Some(Decision { probability, ..answer });
        }
        if matches!(delay.distribution, Distribution::Constant(_)) {
            return None;
        }
        let draw = self.draws.draw(id, Purpose::Delay);
        let outcome = format!("takes {}", delay.after(met.delay, draw));
        let state = if delay.correlation.is_none() { "" } else { "a delay like the one before" };
        Some(Decision { purpose: Purpose::Delay, draw, probability: None, state: state.to_owned(), outcome })
    }

    fn duplication(&self, id: &DatagramId, verdict: &Verdict) -> Option<Decision> {
        let answers = match verdict.carriage? {
            Carriage { duplicate: None, .. } => ["doubled, but there is no room for the copy", "not doubled"],
            _ => ["doubled", "not doubled"],
        };
        let decision = self.answer(id, Purpose::Duplicate, self.config.duplicate, answers);
        (self.config.duplicate != Probability::NEVER).then_some(decision)
    }

    /// The answer that a draw gives to a question, the first if it is yes.
    fn answer(&self, id: &DatagramId, purpose: Purpose, probability: Probability, [yes, no]: [&str; 2]) -> Decision {
        let draw = self.draws.draw(id, purpose);
        let outcome = if probability.decides(draw) { yes } else { no }.to_owned();
        Decision { purpose, draw, probability: Some(probability.value()), state: String::new(), outcome }
    }
}
