//! The plan of a study: every point checked, and what its runs cost.

use std::collections::BTreeSet;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::manifest::{AxisEntry, Manifest, PointEntry, Rule};
use crate::scenario::{Arrivals, Flow, Problems, ReadFile, Scenario, Study, Traffic};

/// A study whose every point is sound.
pub struct Plan<'a> {
    study: &'a Study,
    read_file: ReadFile<'a>,
    manifest: Manifest,
    /// Of each point what a run of it is expected to deliver or lose.
    deliveries: Vec<f64>,
    /// And how long it takes, in nanoseconds.
    nanos: Vec<f64>,
    /// What is warned of at every point.
    warnings: BTreeSet<String>,
}

/// What is known of a point before it is run.
struct Point {
    entry: PointEntry,
    deliveries: f64,
    nanos: f64,
    warnings: BTreeSet<String>,
}

impl<'a> Plan<'a> {
    /// Checks every point, on all processors.
    ///
    /// # Errors
    ///
    /// What is wrong with the first point that is not sound.
    pub fn new(study: &'a Study, scenario: &Scenario, read_file: ReadFile<'a>) -> Result<Self, Problems> {
        let point = |point: usize| {
            let (scenario, warnings) = study.check(point, read_file).map_err(|_| point)?;
            let values = study
                .values(point)
                .into_iter()
                .map(|value| serde_json::to_value(value).expect("a value has a JSON form"));
            let entry = PointEntry {
                id: study.id(point),
                values: values.collect(),
                seed: scenario.seed().to_string(),
                hash: scenario.hash(),
            };
            let hosts = scenario.topology().hosts().len() as f64;
            let deliveries = deliveries(&scenario);
            let nanos = NANOS_PER_RUN + NANOS_PER_HOST * hosts + NANOS_PER_DELIVERY * deliveries;
            Ok(Point { entry, deliveries, nanos, warnings: warnings.warned().collect() })
        };
        let points: Vec<Result<Point, usize>> = (0..study.points()).into_par_iter().map(point).collect();
        let points: Result<Vec<Point>, usize> = points.into_iter().collect();
        // Problems are long: only those of the first point are made again.
        let points =
            points.map_err(|refused| study.scenario(refused, read_file).expect_err("it was refused before"))?;
        let common = |all: BTreeSet<String>, of_point: BTreeSet<String>| &all & &of_point;
        let warnings = points.iter().map(|point| point.warnings.clone()).reduce(common).unwrap_or_default();
        let deliveries = points.iter().map(|point| point.deliveries).collect();
        let nanos = points.iter().map(|point| point.nanos).collect();
        let points: Vec<PointEntry> = points.into_iter().map(|point| point.entry).collect();
        let replications = Rule::from(study.replications());
        let mut digest = Sha256::new();
        digest.update(format!("{}\n", scenario.hash())); // which the manifest shows
        for point in &points {
            digest.update(format!("{} {}\n", point.id, point.hash));
        }
        digest.update(serde_json::to_string(&replications).expect("a rule has a JSON form"));
        let hash = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let axes = study.axes().iter().map(|axis| AxisEntry { name: axis.name.clone(), set: axis.set.clone() });
        let manifest = Manifest {
            schema: Manifest::SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generator: Manifest::GENERATOR.to_owned(),
            name: scenario.name().to_owned(),
            hash,
            axes: axes.collect(),
            replications,
            points,
        };
        Ok(Plan { study, read_file, manifest, deliveries, nanos, warnings })
    }

    /// What results of it are about.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Leaves of the scenario's warnings those that hold at every point: an axis may set what others miss.
    pub fn keep_common(&self, warnings: &mut Problems) {
        warnings.retain_warnings(&self.warnings);
    }

    /// The scenario of a point.
    ///
    /// # Errors
    ///
    /// What is wrong with it now: a file that it names has changed.
    pub fn scenario(&self, point: usize) -> Result<Scenario, Problems> {
        self.study.scenario(point, self.read_file)
    }

    /// Of how many messages at recipients a run of a point has to find out what became of them: roughly, and what its time
    /// grows with.
    #[must_use]
    pub fn deliveries(&self, point: usize) -> f64 {
        self.deliveries[point]
    }

    /// How many seconds points take one processor, with all the replications that they can have: an order of magnitude.
    #[must_use]
    pub fn processor_seconds(&self, points: &[usize]) -> f64 {
        let most = f64::from(self.manifest.replications.most());
        points.iter().map(|point| self.nanos[*point] * most / 1e9).sum()
    }
}

/// What a run costs, and what each of its hosts and deliveries adds, in nanoseconds: orders of magnitude (a choice).
const NANOS_PER_RUN: f64 = 100_000.0;
const NANOS_PER_HOST: f64 = 20_000.0;
const NANOS_PER_DELIVERY: f64 = 1_000.0;

/// A part of a study, for one of several machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Which, from 1 on.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Partition {
    /// Reads `I/N`.
    ///
    /// # Errors
    ///
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let parts = text.split_once('/').and_then(|(i, n)| Some((number(i)?, number(n)?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Partition { number, of }),
            _ => Err(format!("`{text}` is not I/N, with I from 1 to N: 1/3, 2/3, 3/3")),
        }
    }

    /// The one of so many that a point belongs to: its name alone decides, by the first 8 bytes of its SHA-256.
    #[must_use]
    pub fn holding(id: &str, of: u32) -> Self {
        let digest = Sha256::digest(id);
        let first = u64::from_be_bytes(digest[..8].try_into().expect("a digest has more than 8 bytes"));
        Partition { number: (first % u64::from(of)) as u32 + 1, of }
    }

    /// Whether a point belongs to it.
    #[must_use]
    pub fn holds(self, id: &str) -> bool {
        Partition::holding(id, self.of) == self
    }
}

/// What a run of a scenario is expected to write, once for each recipient.
fn deliveries(scenario: &Scenario) -> f64 {
    let of_flow = |flow: &Flow| -> f64 {
        let generated = match &flow.traffic {
            Traffic::Captured(records) => {
                let audiences = records.iter().map(|record| scenario.audience(record.from, &record.to).len());
                return audiences.map(|audience| audience.max(1) as f64).sum();
            }
            Traffic::Generated(generated) => generated,
        };
        let lasts = generated.last_beginning().nanos().saturating_sub(generated.start.nanos()) as f64;
        let messages = match &generated.arrivals {
            Arrivals::Every(every) => lasts / every.nanos() as f64,
            Arrivals::Poisson { mean_gap } => lasts / mean_gap.nanos() as f64,
            Arrivals::Burst { size, every } => lasts / every.nanos() as f64 * f64::from(*size),
            Arrivals::At(times) => times.len() as f64,
        };
        let messages = generated.count.map_or(messages, |count| messages.min(count as f64)).ceil();
        let audience = |sender| scenario.audience(sender, &generated.to).len().max(1) as f64;
        let audiences: f64 = flow.senders.iter().map(|sender| audience(*sender)).sum();
        messages * audiences * f64::from(generated.copies.number)
    };
    scenario.flows.iter().map(of_flow).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partitions are the same on every machine and in every version: results of one are merged with those of others.
    #[test]
    fn partitions_stay_as_they_are() {
        let third = |id| Partition::holding(id, 3).number;
        assert_eq!(["base", "loss=0", "loss=0.05,burst=4"].map(third), [3, 3, 1]);
    }

    #[test]
    fn partitions_are_read() {
        assert_eq!(Partition::parse("2/3"), Ok(Partition { number: 2, of: 3 }));
        for bad in ["", "2", "0/3", "4/3", "1/0", "a/b", "+1/3", "1/3/3", "-1/3"] {
            assert!(Partition::parse(bad).is_err(), "{bad}");
        }
    }
}
