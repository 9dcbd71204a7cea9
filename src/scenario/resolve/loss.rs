//! The loss model of a link profile.

use std::num::NonZeroU32;

use super::Context;
use super::values::below;
use crate::link::{self, Loss, Pattern, Periodic};
use crate::scenario::file::{self, FourState, GilbertElliott, LossModel};
use crate::scenario::problem::{Path, Problem};
use crate::scenario::quantity::Chance;

/// The longest mean loss period, in datagrams.
const MAX_BURST: f64 = 1_000_000.0;
/// The longest period of periodic loss, in datagrams.
const MAX_PERIOD: u32 = 1_000_000;

impl Context<'_> {
    pub(super) fn loss(&mut self, at: &Path, given: Option<&file::Loss>) -> Loss {
        let model = match given {
            None => return Loss::NONE,
            Some(file::Loss::Independent(chance)) => return Loss::Independent(chance.0),
            Some(file::Loss::Model(model)) => model,
        };
        let forms = [
            ("mean", model.mean.is_some()),
            ("burst", model.burst.is_some()),
            ("gilbert_elliott", model.gilbert_elliott.is_some()),
            ("four_state", model.four_state.is_some()),
            ("every", model.every.is_some()),
            ("pattern", model.pattern.is_some()),
        ];
        let given: Vec<&str> = forms.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
        let loss = match given[..] {
            _ if self.is_damaged(at) => None, // which is known already
            ["mean", "burst"] => self.two_numbers(at, model),
            ["gilbert_elliott"] => model.gilbert_elliott.as_ref().and_then(gilbert_elliott),
            ["four_state"] => model.four_state.as_ref().and_then(|numbers| self.four_state(at, numbers)),
            ["every"] => model.every.and_then(|every| self.every(at, every)),
            ["pattern"] => model.pattern.as_ref().and_then(|file| self.pattern(at, file)),
            [] | ["mean"] | ["burst"] => {
                let missing = if given == ["mean"] { "`burst`" } else { "`mean`" };
                let problem = Problem::error(at.clone(), format!("the loss model has no {missing}")).at_key();
                let others = "or one of `gilbert_elliott`, `four_state`, `every`, `pattern`";
                self.problems.push(problem.help(format!("a loss model is `mean` and `burst`, {others}")));
                None
            }
            [first, .., last] => {
                let message = format!("`{last}` contradicts `{first}`: a link has one loss model");
                self.problems.push(Problem::error(below(at, last), message).at_key());
                None
            }
            [_] => unreachable!("every key by itself is above"),
        };
        loss.unwrap_or(Loss::NONE)
    }

    fn two_numbers(&mut self, at: &Path, model: &LossModel) -> Option<Loss> {
        let (mean, burst) = (model.mean?, model.burst?);
        let refusal = if burst.is_nan() || burst > MAX_BURST {
            format!("a burst is at most {MAX_BURST} datagrams (MAX_BURST)")
        } else {
            match link::GilbertElliott::from_mean_and_burst(mean.0, burst) {
                Ok(model) => return Some(Loss::GilbertElliott(model)),
                Err(error) => error.to_string(),
            }
        };
        self.error(below(at, "burst"), refusal);
        None
    }

    fn four_state(&mut self, at: &Path, numbers: &FourState) -> Option<Loss> {
        let [p13, p31, p32, p23, p14] =
            [numbers.p13?, numbers.p31?, numbers.p32?, numbers.p23?, numbers.p14?].map(|Chance(chance)| chance);
        match link::FourState::new(p13, p31, p32, p23, p14) {
            Ok(model) => Some(Loss::FourState(model)),
            Err(error) => {
                self.error(below(at, "four_state"), error.to_string());
                None
            }
        }
    }

    fn every(&mut self, at: &Path, every: u32) -> Option<Loss> {
        let period = NonZeroU32::new(every).filter(|_| every <= MAX_PERIOD);
        if period.is_none() {
            let message = format!("one datagram of {every} cannot be lost: write 1 to {MAX_PERIOD} (MAX_PERIOD)");
            self.error(below(at, "every"), message);
        }
        period.map(|every| Loss::Every(Periodic::new(every)))
    }

    fn pattern(&mut self, at: &Path, file: &str) -> Option<Loss> {
        let lost = self.read_values(&below(at, "pattern"), file, digits)?;
        let pattern = Pattern::new(lost);
        if pattern.is_none() {
            let message = format!("`{file}` must have 1 to {} digits (MAX_PATTERN)", link::MAX_PATTERN);
            self.error(below(at, "pattern"), message);
        }
        pattern.map(Loss::Pattern)
    }
}

fn gilbert_elliott(numbers: &GilbertElliott) -> Option<Loss> {
    let [p, r, loss_good, loss_bad] =
        [numbers.p?, numbers.r?, numbers.loss_good?, numbers.loss_bad?].map(|Chance(chance)| chance);
    Some(Loss::GilbertElliott(link::GilbertElliott { p, r, loss_good, loss_bad }))
}

/// The digits of a line of a pattern: 1 is lost.
fn digits(line: &str) -> Result<Vec<bool>, (usize, String)> {
    let digits = line.chars().enumerate().filter(|(_, c)| !c.is_whitespace());
    let read = digits.map(|(column, c)| match c {
        '0' => Ok(false),
        '1' => Ok(true),
        other => Err((column, format!("`{}` is neither 0 nor 1", other.escape_default()))),
    });
    read.collect()
}
