//! What Slurm is asked to do, and what it says.

use std::collections::BTreeMap;

use mailslot_sim::report::suite::shell_word;
use sha2::{Digest, Sha256};

/// The most shards of a study: Slurm takes no more tasks of an array if `MaxArraySize` is as it comes (slurm.conf).
pub(super) const MAX_SHARDS: u32 = 1_000;

/// How long a shard is to run, in seconds: long enough for a start of about one second to be nothing, short enough to be
/// repeated (a choice).
const SHARD_SECONDS: f64 = 300.0;

/// Into how many shards to cut a study of so many points, which takes one processor so many seconds.
pub(super) fn shards(points: usize, seconds: f64) -> u32 {
    let sensible = (seconds / SHARD_SECONDS).ceil().clamp(1.0, MAX_SHARDS.into()) as u32;
    sensible.min(u32::try_from(points).unwrap_or(u32::MAX)).max(1)
}

/// A job array: a task for each shard.
#[derive(Clone, Debug)]
pub(super) struct Array<'a> {
    /// What the job is called.
    pub(super) job: &'a str,
    /// The folder of the shards and of what their tasks print, which all nodes see.
    pub(super) folder: &'a str,
    /// The beginning of the command that runs a shard, in words for a shell.
    pub(super) study: &'a str,
    /// Of how many shards.
    pub(super) shards: u32,
}

/// Where tasks print, in the folder of the shards. (In the name of a folder, sbatch would read marks of its own.)
pub(super) const OUTPUT: &str = "--output=task-%a.log";

impl Array<'_> {
    /// The batch script.
    ///
    /// Expectations that do not hold are no failure of a task. Slurm repeats a task whose node went down, and none that failed.
    pub(super) fn script(&self) -> String {
        let Array { job, folder, study, shards } = self;
        format!(
            "#!/bin/sh\n\
             #SBATCH --job-name={job}\n\
             #SBATCH --chdir={}\n\
             #SBATCH {OUTPUT}\n\
             #SBATCH --open-mode=append\n\
             #SBATCH --requeue\n\
             #SBATCH --cpus-per-task=1\n\
             {study} --partition \"$SLURM_ARRAY_TASK_ID/{shards}\" --out {}/\"$SLURM_ARRAY_TASK_ID\" \\\n  \
             --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\" --progress none --quiet\n\
             exit=$?\n\
             case $exit in 100|101) exit 0;; *) exit $exit;; esac\n",
            directive(folder),
            shell_word(folder),
        )
    }
}

/// What the job of a study is called: its scenario's name, which is a plain word, and a digest of which study it is, and where.
pub(super) fn job_name(scenario: &str, study: &str) -> String {
    let digest = Sha256::digest(study);
    let digits: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("study-{scenario}-{digits}")
}

/// The `--array` of some shards.
pub(super) fn indices(shards: &[u32]) -> String {
    let runs = shards.chunk_by(|one, next| one + 1 == *next);
    let run = |run: &[u32]| match run {
        [one] => one.to_string(),
        run => format!("{}-{}", run[0], run[run.len() - 1]),
    };
    runs.map(run).collect::<Vec<_>>().join(",")
}

/// How many tasks are in which state, of what `squeue --noheader --array --format="%T %r"` prints: those that are not over, with
/// the reason why they wait.
pub(super) fn states(printed: &str) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for (state, reason) in printed.lines().filter_map(|line| line.trim().split_once(' ')) {
        let reason = Some(reason.trim()).filter(|reason| state == "PENDING" && *reason != "None");
        let state = state.to_lowercase();
        *states.entry(reason.map_or(state.clone(), |reason| format!("{state} ({reason})"))).or_default() += 1;
    }
    states
}

/// A value in a line that begins with `#SBATCH`: sbatch takes quotes there.
fn directive(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_neither_short_nor_many() {
        assert_eq!(shards(100, 10.0), 1);
        assert_eq!(shards(100, 3_000.0), 10);
        assert_eq!(shards(4, 1e6), 4);
        assert_eq!(shards(100_000, 1e9), MAX_SHARDS);
        assert_eq!(shards(0, 0.0), 1);
    }

    #[test]
    fn arrays_name_runs_of_shards() {
        assert_eq!(indices(&[1, 2, 3, 5, 8, 9]), "1-3,5,8-9");
        assert_eq!(indices(&[7]), "7");
    }

    #[test]
    fn states_are_counted() {
        let counted = states("PENDING Resources\nRUNNING None\n\nPENDING Resources\nPENDING None\n");
        let expected = [("pending (Resources)", 2), ("pending", 1), ("running", 1)];
        assert_eq!(counted, expected.map(|(state, number)| (state.to_owned(), number)).into());
    }
}
