//! What is kept of each run of a study.

use std::sync::OnceLock;

use serde::Serialize;

use crate::report::json::RunFigures;
use crate::scenario::Scenario;
use crate::sim::{AppTheory, Outcome, Theory, theory, theory_of_apps};
use crate::study::{Manifest, Record};

/// Makes the lines of `runs.ndjson`, on any number of threads.
pub struct Recorder<'a> {
    manifest: &'a Manifest,
    /// The closed forms of each point, which are the same for all its runs.
    theories: Vec<OnceLock<(Vec<Theory>, Vec<AppTheory>)>>,
}

/// A line of `runs.ndjson`.
#[derive(Serialize)]
struct RunLine<'a> {
    point: &'a str,
    replication: u32,
    seed: &'a str,
    #[serde(flatten)]
    figures: RunFigures,
}

impl<'a> Recorder<'a> {
    /// For the points of a study.
    #[must_use]
    pub fn new(manifest: &'a Manifest) -> Self {
        Recorder { manifest, theories: manifest.points.iter().map(|_| OnceLock::new()).collect() }
    }

    /// What is kept of a run.
    #[must_use]
    pub fn record(&self, point: usize, scenario: &Scenario, replication: u32, outcome: &Outcome) -> Record {
        let (flows, apps) = self.theories[point].get_or_init(|| (theory(scenario), theory_of_apps(scenario)));
        let entry = &self.manifest.points[point];
        let figures = RunFigures::new(scenario, outcome, (flows, apps));
        let line = RunLine { point: &entry.id, replication, seed: &entry.seed, figures };
        let flows = scenario.flows.iter().zip(&outcome.tally.flows);
        Record {
            line: serde_json::to_string(&line).expect("a line has a JSON form"),
            histograms: flows.map(|(flow, tally)| (flow.name.clone(), tally.delays.to_v2())).collect(),
        }
    }
}
