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
use super::study::{Arguments, completed, publish, unusable};
use super::{Exit, Global};

/// Between two looks at the queue.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many looks in a row may fail, or find a shard in use that no job is for: a controller can be away for a while, and a task on
/// a node that is given up can live on.
const PATIENCE: u32 = 60;
/// How often a shard is submitted.
const ATTEMPTS: u32 = 3;

/// A study that Slurm runs.
pub(super) struct Cluster<'a> {
    global: &'a Global,
    plan: &'a Plan<'a>,
    /// The selected points of each shard that has any.
    shards: BTreeMap<u32, Vec<usize>>,
    /// What the job is called: nothing but a start of this study into this folder calls one so, so it is found again.
    job: String,
    /// The folder of these shards, and of what their tasks print.
    folder: PathBuf,
    script: String,
}

/// What the folders of shards have.
struct Found {
    folders: Vec<Folder>,
    /// Of each point who has it: the folder of results (0), or the folder of a shard.
    complete: Vec<Complete>,
    /// The shards with a selected point that nobody has.
    missing: Vec<u32>,
    /// A folder that a process writes to.
    busy: Option<PathBuf>,
}

impl<'a> Cluster<'a> {
    /// Plans the shards of some points.
    pub(super) fn new(
        arguments: &'a Arguments,
        global: &'a Global,
        plan: &'a Plan<'a>,
        points: &[usize],
        out: &Path,
    ) -> Result<Self, Exit> {
        let of = arguments.jobs.unwrap_or_else(|| array::shards(points.len(), plan.processor_seconds(points)));
        if of > array::MAX_SHARDS {
            message(&format!("error: --jobs {of} is more than {} shards (MAX_SHARDS)", array::MAX_SHARDS));
            return Err(Exit::BadCommandLine);
        }
        let mut shards: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for point in points {
            let id = &plan.manifest().points[*point].id;
            shards.entry(Partition::holding(id, of).number).or_default().push(*point);
        }
        let out = std::path::absolute(out).map_err(|error| unfit(out, &error))?;
        let folder = out.join(FOLDER).join(format!("of-{of}"));
        let text = text_of(&folder)?;
        let manifest = plan.manifest();
        let job = array::job_name(&manifest.name, &format!("{} {}", manifest.hash, out.display()));
        let study = command(arguments)?;
        let script = Array { job: &job, folder: &text, study: &study, shards: of }.script();
        Ok(Cluster { global, plan, shards, job, folder, script })
    }

    /// Prints the batch script.
    pub(super) fn show(&self) -> Result<Exit, Exit> {
        let all: Vec<u32> = self.shards.keys().copied().collect();
        print(&format!("{}# sbatch --array={}\n", self.script, array::indices(&all))).map(|()| Exit::Success)
    }

    /// Runs what `out` does not have, and merges into it what shards have, those of earlier starts included.
    pub(super) fn run(&self, out: &mut Folder, stop: &AtomicBool) -> Result<Vec<PointSummary>, Exit> {
        let Found { folders, complete, .. } = self.execute(out, stop)?;
        let is_whole = out.is_published() && complete.iter().flatten().all(|(source, _)| *source == 0);
        let summaries = if is_whole {
            results::summarize(out, &complete).map_err(|why| unusable(&why))?
        } else {
            publish(out, &folders, &complete)?
        };
        self.clean_up(out.path(), folders, &complete);
        Ok(summaries)
    }

    /// Runs what is missing.
    fn execute(&self, out: &Folder, stop: &AtomicBool) -> Result<Found, Exit> {
        fs::create_dir_all(&self.folder).map_err(|error| super::output::failed(&path(&self.folder), &error))?;
        let (mut attempts, mut waited) = (0, 0);
        loop {
            self.wait(stop)?; // for the job of an earlier start too
            let found = self.look(out)?;
            if found.missing.is_empty() {
                return Ok(found);
            }
            if let Some(busy) = &found.busy {
                waited += 1;
                if waited == PATIENCE {
                    message(&format!("error: {} is in use, though no job is in the queue", busy.display()));
                    return Err(Exit::Incomplete);
                }
                std::thread::sleep(INTERVAL);
                continue;
            }
            if attempts == ATTEMPTS {
                self.say_why(&found.missing);
                return Err(Exit::Incomplete);
            }
            attempts += 1;
            drop(found.folders); // they are the tasks' again
            self.submit(&found.missing, stop)?;
        }
    }

    /// Takes away the shards of which everything is in the results; what others have is not lost.
    fn clean_up(&self, out: &Path, folders: Vec<Folder>, complete: &[Complete]) {
        for folder in folders {
            let is_merged = (0..complete.len()).all(|point| complete[point].is_some() || !folder.has_some(point));
            let path = folder.path().to_owned();
            drop(folder);
            if is_merged && let Err(error) = fs::remove_dir_all(&path) {
                message(&format!("warning: failed to remove {}: {error}", path.display()));
            }
        }
        // Logs and scripts go when there are no shards beside them.
        for of in read_folders(&out.join(FOLDER)) {
            if read_folders(&of).is_empty() {
                let _ = fs::remove_dir_all(&of);
            }
        }
        let _ = fs::remove_dir(out.join(FOLDER)); // unless something is left
    }

    /// Looks who has which point.
    fn look(&self, out: &Folder) -> Result<Found, Exit> {
        let (mut folders, mut busy) = (Vec::new(), None);
        let mut complete = completed(out)?;
        for path in read_folders(&out.path().join(FOLDER)).iter().flat_map(|of| read_folders(of)) {
            match Folder::read(&path) {
                Ok(folder) if folder.manifest().hash == self.plan.manifest().hash => {
                    for (point, complete) in complete.iter_mut().enumerate().filter(|(_, complete)| complete.is_none())
                    {
                        let found = folder.complete(point).map_err(|why| unusable(&why))?;
                        *complete = found.map(|replications| (folders.len() + 1, replications));
                    }
                    folders.push(folder);
                }
                Ok(_) => {
                    let why =
                        "was the scenario changed while the job waited? Delete the folder to run its points again";
                    message(&format!("error: {} holds results of another study: {why}", path.display()));
                    return Err(Exit::Unrelated);
                }
                Err(FolderError::Busy(path)) => busy = Some(path),
                Err(FolderError::Foreign { .. } | FolderError::Io { .. }) => {} // it was never begun
                Err(error) => return Err(unusable(&error)),
            }
        }
        let is_missing = |points: &Vec<usize>| points.iter().any(|point| complete[*point].is_none());
        let missing = self.shards.iter().filter(|(_, points)| is_missing(points)).map(|(shard, _)| *shard).collect();
        Ok(Found { folders, complete, missing, busy })
    }

    fn submit(&self, shards: &[u32], stop: &AtomicBool) -> Result<(), Exit> {
        let script = self.folder.join("job.sh");
        write_file(&script, &self.script)?;
        let (array, name) = (format!("--array={}", array::indices(shards)), format!("--job-name={}", self.job));
        // What the script says is said again: here it is stronger than variables of the site.
        let (folder, script) = (format!("--chdir={}", path(&self.folder)), path(&script));
        let options =
            [&*array, &*name, &*folder, array::OUTPUT, "--open-mode=append", "--requeue", "--cpus-per-task=1"];
        let printed = slurm("sbatch", &[&["--parsable"], &options[..], &[&script]].concat());
        if stop.load(Ordering::Relaxed) {
            return Err(self.cancel());
        }
        let printed = printed.map_err(|why| {
            message(&format!("error: {why}"));
            Exit::Incomplete
        })?;
        let job = printed.trim().split(';').next().unwrap_or_default();
        self.say(&format!("job {job}: {} of {} shards submitted ({array})", shards.len(), self.shards.len()));
        Ok(())
    }

    /// Waits until no task of the study is in the queue.
    fn wait(&self, stop: &AtomicBool) -> Result<(), Exit> {
        let (mut said, mut failures) = (String::new(), 0);
        let name = format!("--name={}", self.job);
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(self.cancel());
            }
            match slurm("squeue", &["--noheader", "--array", "--format=%T %r", &name]) {
                Ok(printed) => {
                    failures = 0;
                    let states = array::states(&printed);
                    if states.is_empty() {
                        return Ok(());
                    }
                    let states: Vec<String> =
                        states.iter().map(|(state, number)| format!("{number} {state}")).collect();
                    let now = format!("in the queue: {}", states.join(", "));
                    if now != said {
                        self.say(&now);
                        said = now;
                    }
                }
                Err(why) => {
                    failures += 1;
                    if failures == PATIENCE || why.starts_with(NOT_STARTED) {
                        message(&format!(
                            "error: {why}; if there is a job it goes on, and the same command waits for it"
                        ));
                        return Err(Exit::Incomplete);
                    }
                }
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// Cancels the job, if there is one.
    fn cancel(&self) -> Exit {
        let cancelled = slurm("scancel", &[&format!("--name={}", self.job)]);
        let job = cancelled.map_or_else(
            |why| format!("{why}: `scancel --name={}` cancels the job", self.job),
            |_| "the job is cancelled".to_owned(),
        );
        let folder = self.folder.display();
        message(&format!("interrupted: {job}; what is finished is in {folder}, and the same command goes on"));
        Exit::Interrupted
    }

    /// What the tasks of shards that never came to their end had to say last.
    fn say_why(&self, shards: &[u32]) {
        let number = shards.len();
        message(&format!("incomplete: {number} of {} shards are not whole after {ATTEMPTS} tries:", self.shards.len()));
        for shard in shards {
            let log = self.folder.join(format!("task-{shard}.log"));
            let text = fs::read_to_string(&log).unwrap_or_default();
            let last = text.lines().rev().find(|line| !line.trim().is_empty());
            let last = last.map_or_else(|| "nothing was printed".to_owned(), str::to_owned);
            message(&format!("  {shard}: {last} ({})", log.display()));
        }
    }

    fn say(&self, text: &str) {
        if !self.global.quiet && self.global.progress != super::progress::Mode::None {
            message(text);
        }
    }
}

/// The folders in a folder, in order.
fn read_folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The beginning of the command of a shard: paths are those of this machine, which nodes have to see.
fn command(arguments: &Arguments) -> Result<String, Exit> {
    if arguments.file == Path::new("-") {
        message("error: the nodes cannot read stdin: name a file");
        return Err(Exit::BadCommandLine);
    }
    let program = std::env::current_exe().map_err(|error| unfit(Path::new("the program"), &error))?;
    let file = std::path::absolute(&arguments.file).map_err(|error| unfit(&arguments.file, &error))?;
    let mut words = vec![text_of(&program)?, "study".to_owned(), text_of(&file)?];
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

/// What one of Slurm's commands prints. It is left alone by Ctrl-C, and by what a profile wants squeue to show.
fn slurm(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SQUEUE_")).for_each(|(name, _)| {
        command.env_remove(name);
    });
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let output = command.output().map_err(|error| format!("{NOT_STARTED} {program}, a command of Slurm: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} failed: {}", why.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// A path that can be written into a script.
fn text_of(path: &Path) -> Result<String, Exit> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    text.map(str::to_owned).ok_or_else(|| unfit(path, &"it has characters that a script cannot hold"))
}

fn unfit(path: &Path, why: &dyn std::fmt::Display) -> Exit {
    message(&format!("error: {} cannot be given to other machines: {why}", path.display()));
    Exit::BadCommandLine
}

/// Inside of the folder of results, as long as the study is not whole.
const FOLDER: &str = "slurm";
/// How an error begins if a command is not there.
const NOT_STARTED: &str = "failed to start";
