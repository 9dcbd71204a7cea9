//! Phases: parts of a run whose messages are counted by themselves too.

use std::collections::BTreeSet;

use super::Context;
use crate::scenario::model::{Flow, Phase};
use crate::scenario::problem::{Problem, at};
use crate::time::Duration;

/// The most `[[phase]]` entries.
const MAX_PHASES: usize = 100;
/// The most phases of all flows together: each flow is counted once more for each.
const MAX_PHASE_FIGURES: usize = 2_000;

impl Context<'_> {
    /// All phases, in the order of time; `duration` is that of the scenario, if it could be read.
    pub(super) fn phases(&mut self, flows: &[Flow], duration: Option<Duration>) -> Vec<Phase> {
        let file = self.file;
        let (number, counted) = (file.phase.len(), file.phase.len() * file.traffic.len());
        if number > MAX_PHASES || counted > MAX_PHASE_FIGURES {
            let message = match number > MAX_PHASES {
                true => format!("there are more than {MAX_PHASES} phases (MAX_PHASES)"),
                false => format!(
                    "{number} phases of {} flows are {counted}, and the limit is {MAX_PHASE_FIGURES} (MAX_PHASE_FIGURES)",
                    file.traffic.len()
                ),
            };
            self.problems.push(Problem::error(at!["phase"], message).at_key());
            return Vec::new();
        }
        let mut names = BTreeSet::new();
        let mut phases: Vec<(usize, Phase)> = Vec::new();
        for (index, spec) in file.phase.iter().enumerate() {
            if let Some(name) = &spec.name
                && self.check_label(&at!["phase", index, "name"], name)
                && !names.insert(name)
            {
                self.error(at!["phase", index, "name"], format!("a phase called `{name}` exists already"));
            }
            let (Some(from), Some(to)) = (spec.from, spec.to) else { continue };
            let (from, to) = (from.0, to.0);
            if to <= from {
                let message = match to == from {
                    true => format!("the phase is empty: it begins at {from} and ends before {to}"),
                    false => format!("the phase would begin at {from} and end before {to}"),
                };
                self.error(at!["phase", index, "to"], message);
            } else if let Some(duration) = duration.filter(|duration| to > *duration) {
                let message = format!("{to} is after the scenario's duration, {duration}");
                self.error(at!["phase", index, "to"], message);
            } else if let Some(name) = spec.name.clone() {
                phases.push((index, Phase { name, from, to }));
            }
        }
        phases.sort_by_key(|(_, phase)| phase.from);
        let mut longest: Option<&Phase> = None;
        for (index, phase) in &phases {
            if let Some(earlier) = longest.filter(|earlier| phase.from < earlier.to) {
                let message = format!(
                    "`{}` begins at {}, and `{}` ends at {}: phases do not overlap",
                    phase.name, phase.from, earlier.name, earlier.to
                );
                self.error(at!["phase", *index, "from"], message);
            }
            longest = longest.filter(|earlier| earlier.to >= phase.to).or(Some(phase));
        }
        self.warn_of_silent_phases(&phases, flows);
        phases.into_iter().map(|(_, phase)| phase).collect()
    }

    /// A phase in which no flow can write has no messages.
    fn warn_of_silent_phases(&mut self, phases: &[(usize, Phase)], flows: &[Flow]) {
        if flows.is_empty() || !self.is_sound() {
            return;
        }
        for (index, phase) in phases {
            if !flows.iter().any(|flow| flow.writes_in(phase.from, phase.to)) {
                let message = format!("no flow begins a message in [{}, {})", phase.from, phase.to);
                self.warning(at!["phase", *index], message);
            }
        }
    }
}
