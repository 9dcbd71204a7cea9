//! `study --engine slurm`: the same study as an array of jobs on a cluster.
//!
//! The study is cut into shards, partitions of its points, each of which is a task that runs `study --partition I/N` into a
//! folder of its own. Which shards are done their folders say, and not Slurm: so what was killed, requeued or submitted by an
//! earlier start is all the same, and only what is missing is submitted again. In the end the shards are merged.
#![expect(clippy::disallowed_methods, reason = "it looks at the queue from time to time")]

mod array;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mailslot_sim::report::study::{self as results, Complete, PointSummary};
use mailslot_sim::report::suite::shell_word;
use mailslot_sim::study::{Folder, FolderError, Partition, Plan};

use self::array::Array;
use super::output::{message, print, write_file};
use super::study::{Arguments, processor_seconds, unusable};
use super::{Exit, Global};

/// Between two looks at the queue.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often squeue may fail in a row: a controller can be away for a while.
const PATIENCE: u32 = 60;
/// How often a shard is submitted.
const ATTEMPTS: u32 = 3;

/// A study that Slurm runs.
pub(super) struct Cluster<'a> {
    global: &'a Global,
    plan: &'a Plan<'a>,
    /// The selected points of each shard that has any.
    shards: BTreeMap<u32, Vec<usize>>,
    of: u32,
    /// The folder of the shards, of what their tasks print and of the job's number.
    folder: PathBuf,
    script: String,
}

/// What the folders of the shards have.
struct Found {
    folders: Vec<Folder>,
    /// Of each point who has it: the folder of results (0), or the folder of a shard.
    complete: Vec<Complete>,
    /// The shards with a selected point that nobody has.
    missing: Vec<u32>,
}

impl<'a> Cluster<'a> {
    /// Plans the shards of the points that `out` does not have.
    pub(super) fn new(
        arguments: &'a Arguments,
        global: &'a Global,
        plan: &'a Plan<'a>,
        points: &[usize],
        out: &Path,
    ) -> Result<Self, Exit> {
        let seconds = processor_seconds(plan, points);
        let of = arguments.jobs.unwrap_or_else(|| array::shards(points.len(), seconds));
        if of > array::MAX_SHARDS {
            message(&format!("error: --jobs {of} is more than {} shards (MAX_SHARDS)", array::MAX_SHARDS));
            return Err(Exit::BadCommandLine);
        }
        let mut shards: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for point in points {
            let id = &plan.manifest().points[*point].id;
            shards.entry(Partition::holding(id, of).number).or_default().push(*point);
        }
        let out = std::path::absolute(out).map_err(|error| no_path(out, &error))?;
        let folder = out.join(FOLDER).join(format!("of-{of}"));
        let text = folder.to_str().ok_or_else(|| no_path(&folder, &"it is no UTF-8"))?;
        let study = command(arguments)?;
        let script = Array { name: &plan.manifest().name, folder: text, study: &study, shards: of }.script();
        Ok(Cluster { global, plan, shards, of, folder, script })
    }

    /// Prints the batch script.
    pub(super) fn show(&self) -> Result<Exit, Exit> {
        let all: Vec<u32> = self.shards.keys().copied().collect();
        print(&format!("{}# sbatch --array={}\n", self.script, array::indices(&all))).map(|()| Exit::Success)
    }

    /// Runs what `out` does not have, and merges it into that.
    pub(super) fn run(&self, out: &mut Folder, stop: &AtomicBool) -> Result<Vec<PointSummary>, Exit> {
        let Found { folders, complete, .. } = self.execute(out, stop)?;
        let sources: Vec<&Folder> = [&*out].into_iter().chain(&folders).collect();
        let summaries = if folders.is_empty() && out.is_published() {
            results::summarize(out, &complete).map_err(|why| unusable(&why))?
        } else {
            results::publish(out, &sources, &complete).map_err(|why| unusable(&why))?
        };
        out.settle().map_err(|why| unusable(&why))?;
        drop(folders);
        self.clean_up();
        Ok(summaries)
    }

    /// Runs what is missing.
    fn execute(&self, out: &Folder, stop: &AtomicBool) -> Result<Found, Exit> {
        fs::create_dir_all(&self.folder).map_err(|error| super::output::failed(&path(&self.folder), &error))?;
        for attempt in 0..=ATTEMPTS {
            if let Some(job) = self.submitted() {
                self.wait(&job, stop)?;
            }
            let found = self.look(out)?;
            if found.missing.is_empty() {
                return Ok(found);
            }
            if attempt == ATTEMPTS {
                self.say_why(&found.missing);
                return Err(Exit::Incomplete);
            }
            drop(found.folders); // they are the tasks' again
            self.submit(&found.missing)?;
        }
        unreachable!("the last attempt returns")
    }

    /// The folders of the shards are of no use any more.
    fn clean_up(&self) {
        let parts = self.folder.parent().expect("it is inside of the folder of results");
        if parts.exists()
            && let Err(error) = fs::remove_dir_all(parts)
        {
            message(&format!("warning: failed to remove {}: {error}", parts.display()));
        }
    }

    /// Looks who has which point.
    fn look(&self, out: &Folder) -> Result<Found, Exit> {
        let (mut folders, mut missing) = (Vec::new(), Vec::new());
        let mut complete: Vec<Complete> = vec![None; self.plan.manifest().points.len()];
        for (point, complete) in complete.iter_mut().enumerate() {
            *complete = out.complete(point).map_err(|why| unusable(&why))?.map(|replications| (0, replications));
        }
        for (shard, points) in &self.shards {
            if points.iter().all(|point| complete[*point].is_some()) {
                continue;
            }
            match Folder::read(&self.folder.join(shard.to_string())) {
                Ok(folder) if folder.manifest().hash == self.plan.manifest().hash => {
                    for point in points.iter().filter(|point| complete[**point].is_none()).collect::<Vec<_>>() {
                        let found = folder.complete(*point).map_err(|why| unusable(&why))?;
                        complete[*point] = found.map(|replications| (folders.len() + 1, replications));
                    }
                    folders.push(folder);
                }
                Ok(_) => return Err(self.stale(*shard)),
                // It was never begun, or is read and written to by a task that Slurm does not speak of any more.
                Err(FolderError::Foreign { .. } | FolderError::Busy(_) | FolderError::Io { .. }) => {}
                Err(error) => return Err(unusable(&error)),
            }
            if points.iter().any(|point| complete[*point].is_none()) {
                missing.push(*shard);
            }
        }
        Ok(Found { folders, complete, missing })
    }

    fn stale(&self, shard: u32) -> Exit {
        let folder = self.folder.join(shard.to_string());
        message(&format!("error: {} holds results of another study", folder.display()));
        Exit::Unrelated
    }

    /// The job that an earlier start has submitted, or this one.
    fn submitted(&self) -> Option<String> {
        let job = fs::read_to_string(self.folder.join(JOB)).ok()?;
        Some(job.trim().to_owned())
    }

    fn submit(&self, shards: &[u32]) -> Result<(), Exit> {
        let script = self.folder.join("job.sh");
        write_file(&script, &self.script)?;
        let array = format!("--array={}", array::indices(shards));
        let printed = slurm("sbatch", &["--parsable", &array, &path(&script)]).map_err(|why| {
            message(&format!("error: {why}"));
            Exit::Incomplete
        })?;
        let job = printed.trim().split(';').next().unwrap_or_default().to_owned();
        write_file(&self.folder.join(JOB), &format!("{job}\n"))?;
        self.say(&format!("job {job}: {} of {} shards submitted ({array})", shards.len(), self.shards.len()));
        Ok(())
    }

    /// Waits until no task of a job is in the queue.
    fn wait(&self, job: &str, stop: &AtomicBool) -> Result<(), Exit> {
        let (mut said, mut failures) = (String::new(), 0);
        loop {
            if stop.load(Ordering::Relaxed) {
                let cancelled = slurm("scancel", &[job]);
                let job = cancelled.map_or_else(|why| why, |_| format!("job {job} is cancelled"));
                let folder = self.folder.display();
                message(&format!("interrupted: {job}; what is finished is in {folder}, and the same command goes on"));
                return Err(Exit::Interrupted);
            }
            let name = format!("--name={}", array::job_name(&self.plan.manifest().name)); // numbers of jobs may come again
            match slurm("squeue", &["--noheader", "--array", "--format=%T", &name, "--jobs", job]) {
                Ok(printed) => {
                    failures = 0;
                    let states = array::states(&printed);
                    if states.is_empty() {
                        return Ok(());
                    }
                    let states: Vec<String> =
                        states.iter().map(|(state, number)| format!("{number} {state}")).collect();
                    let now = format!("job {job}: {}", states.join(", "));
                    if now != said {
                        self.say(&now);
                        said = now;
                    }
                }
                Err(why) if why.contains("Invalid job id") => return Ok(()), // it is over for long
                Err(why) => {
                    failures += 1;
                    if failures == PATIENCE {
                        message(&format!("error: {why}; the job goes on, and the same command waits for it"));
                        return Err(Exit::Incomplete);
                    }
                }
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// What the tasks of shards that never came to their end had to say last.
    fn say_why(&self, shards: &[u32]) {
        let number = shards.len();
        message(&format!("incomplete: {number} of {} shards have failed {ATTEMPTS} times:", self.shards.len()));
        for shard in shards {
            let log = self.folder.join(format!("task-{shard}.log"));
            let text = fs::read_to_string(&log).unwrap_or_default();
            let last = text.lines().rev().find(|line| !line.trim().is_empty());
            let last = last.map_or_else(|| "it printed nothing".to_owned(), str::to_owned);
            message(&format!("  {shard}/{}: {last} ({})", self.of, log.display()));
        }
    }

    fn say(&self, text: &str) {
        if !self.global.quiet && self.global.progress != super::progress::Mode::None {
            message(text);
        }
    }
}

/// The beginning of the command of a shard: paths are those of this machine, which nodes have to see.
fn command(arguments: &Arguments) -> Result<String, Exit> {
    let program = std::env::current_exe().map_err(|error| no_path(Path::new("the program"), &error))?;
    let file = std::path::absolute(&arguments.file).map_err(|error| no_path(&arguments.file, &error))?;
    let mut words = vec![path(&program), "study".to_owned(), path(&file)];
    for set in &arguments.set {
        words.extend(["--set".to_owned(), set.clone()]);
    }
    if let Some(seed) = arguments.seed {
        words.extend(["--seed".to_owned(), seed.to_string()]);
    }
    if let Some(filter) = &arguments.filter {
        words.extend(["--filter".to_owned(), filter.clone()]);
    }
    if arguments.verify_determinism {
        words.push("--verify-determinism".to_owned());
    }
    Ok(words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "))
}

/// What one of Slurm's commands prints.
fn slurm(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("failed to start {program}, a command of Slurm: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} failed: {}", why.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

fn no_path(path: &Path, why: &dyn std::fmt::Display) -> Exit {
    message(&format!("error: {} cannot be given to other machines: {why}", path.display()));
    Exit::BadCommandLine
}

/// Inside of the folder of results, as long as the study is not whole.
const FOLDER: &str = "slurm";
/// The number of the last job.
const JOB: &str = "job";
