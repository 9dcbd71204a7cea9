//! `study`: every point of a scenario's study, several times each, in parallel.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use mailslot_sim::report::study::{self as results, Complete, PointSummary, Recorder};
use mailslot_sim::report::suite::shell_word;
use mailslot_sim::scenario::Study;
use mailslot_sim::study::{Ended, Execution, Folder, FolderError, Partition, Plan};

use super::check::{counted, files_of, read_scenario, refuse, warn};
use super::output::{message, print};
use super::progress::Display;
use super::run::read_seed;
use super::slurm::Cluster;
use super::{Exit, Global};

/// Runs every point of a study, several times each, in parallel. What the folder of results has is not run again.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The scenario file; without [study] in it, it is a study of one point.
    pub(super) file: PathBuf,
    /// Threads that run it; with --engine slurm tasks that it is cut into. Default: one for each processor; for Slurm as many
    /// as take about five minutes each.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_JOBS))]
    pub(super) jobs: Option<u32>,
    /// Show the points, their seeds and what they cost, and run nothing.
    #[arg(long)]
    list: bool,
    /// Only these points: comparisons of axes, as in 'loss > 0.1 && burst == 4'.
    #[arg(long, value_name = "EXPR")]
    pub(super) filter: Option<String>,
    /// Only one of N parts of the points, the same on every machine: 1/3, 2/3, 3/3. merge unites the results.
    #[arg(long, value_name = "I/N", value_parser = Partition::parse)]
    partition: Option<Partition>,
    /// What the runs are distributed with.
    #[arg(long, default_value = "local")]
    engine: Engine,
    /// With --engine slurm: print the batch script, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// The folder of results. Default: ./NAME-HASH12, of the scenario's name and the study's hash.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Set a value of the scenario; one that an axis sets is its only value then. Repeatable.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Seed of all randomness, instead of the scenario's.
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = read_seed)]
    pub(super) seed: Option<u64>,
    /// Run everything twice, and compare every event.
    #[arg(long)]
    pub(super) verify_determinism: bool,
    /// How to print the results.
    #[arg(long, default_value = "text")]
    format: Format,
}

/// How a summary is printed.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A table for people.
    Text,
    /// One JSON array, an object for each point.
    Json,
    /// A line of JSON for each point.
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Threads of this machine.
    Local,
    /// A cluster, as an array of jobs; program, scenario and results are in folders that all nodes see.
    Slurm,
}

/// The most threads.
const MAX_JOBS: i64 = 1_024;

const EXAMPLES: &str = "\
Examples:
  mailslot-sim study plant.toml --list
  mailslot-sim study plant.toml --jobs 2 --out results
  mailslot-sim study plant.toml --filter 'loss > 0.1 && burst == 4'
  mailslot-sim study plant.toml --partition 1/3 --out part1     and 2/3, 3/3 on other machines, then:
  mailslot-sim merge part1 part2 part3 --out results
  mailslot-sim study plant.toml --engine slurm --out /shared/results

Exit codes: 0 all expectations hold, 100 one is violated, 101 one is inconclusive, 102 two runs of one seed differ,
4 no such point, 96 bad scenario, 105 the folder has results of another study, 106 Slurm did not run all, 110 output not written,
130 interrupted: what is finished is saved, and the same command goes on, 2 bad command line";

/// Runs the study; the worst verdict decides the exit code.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    run(arguments, global).unwrap_or_else(|exit| exit)
}

fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Exit> {
    check_engine(arguments)?;
    let seed = arguments.seed.map(|seed| format!("seed={seed}"));
    let set: Vec<String> = arguments.set.iter().cloned().chain(seed).collect();
    let mut checked = read_scenario(&arguments.file, &set)?;
    for axis in checked.study.axes().iter().filter(|axis| axis.fixed && !global.quiet) {
        let value = axis.values().next().map(ToString::to_string).unwrap_or_default();
        message(&format!("note: the axis `{}` has no value but that of --set, {value}", axis.name));
    }
    let read_file = files_of(&arguments.file);
    let plan = Plan::new(&checked.study, &checked.scenario, &read_file)
        .map_err(|problems| refuse(&arguments.file.display().to_string(), &problems))?;
    plan.keep_common(&mut checked.warnings);
    warn(&checked, global);
    let points = selected(arguments, &plan, &checked.study)?;
    if arguments.list {
        print(&list(&plan, &points, arguments.format))?;
        return Ok(Exit::Success);
    }
    let manifest = plan.manifest();
    let default = || PathBuf::from(format!("{}-{}", manifest.name, &manifest.hash[..HASH_DIGITS]));
    let path = arguments.out.clone().unwrap_or_else(default);
    let cluster = match arguments.engine {
        Engine::Local => None,
        Engine::Slurm => Some(Cluster::new(arguments, global, &plan, &points, &path)?),
    };
    if let (Some(cluster), true) = (&cluster, arguments.dry_run) {
        return cluster.show();
    }
    let mut folder =
        Folder::open(&path, manifest, &manifest.to_json(&checked.scenario)).map_err(|why| unusable(&why))?;
    let stop = interruptible()?;
    let summaries = match cluster {
        Some(cluster) => cluster.run(&mut folder, stop)?,
        None => local(arguments, global, &plan, &points, &mut folder, stop)?,
    };
    let selected: BTreeSet<&str> = points.iter().map(|point| manifest.points[*point].id.as_str()).collect();
    let summaries: Vec<PointSummary> =
        summaries.into_iter().filter(|summary| selected.contains(summary.point.as_str())).collect();
    show(&folder, &summaries, arguments.format, &replay(arguments), global)?;
    Ok(results::verdict(&summaries).map_or(Exit::Success, Exit::of_verdict))
}

fn check_engine(arguments: &Arguments) -> Result<(), Exit> {
    let wrong = match arguments.engine {
        Engine::Local if arguments.dry_run => "--dry-run is for --engine slurm; --list shows what would be run",
        Engine::Slurm if arguments.partition.is_some() => {
            "--engine slurm makes partitions itself: leave --partition away"
        }
        _ => return Ok(()),
    };
    message(&format!("error: {wrong}"));
    Err(Exit::BadCommandLine)
}

/// Runs what is missing on this machine, and publishes what there is.
fn local(
    arguments: &Arguments,
    global: &Global,
    plan: &Plan<'_>,
    points: &[usize],
    folder: &mut Folder,
    stop: &AtomicBool,
) -> Result<Vec<PointSummary>, Exit> {
    let is_published = folder.is_published();
    let ended = execute(arguments, global, plan, points, folder, stop)?;
    let complete = completed(folder)?;
    if is_published && ended.ran == 0 {
        return results::summarize(folder, &complete).map_err(|why| unusable(&why));
    }
    publish(folder, &[], &complete)
}

/// Writes the files of a study into `out`, of what it holds itself (0) and what others do (from 1 on); its log is not needed then.
pub(super) fn publish(out: &mut Folder, others: &[Folder], complete: &[Complete]) -> Result<Vec<PointSummary>, Exit> {
    let sources: Vec<&Folder> = [&*out].into_iter().chain(others).collect();
    let summaries = results::publish(out, &sources, complete).map_err(|why| unusable(&why))?;
    out.settle().map_err(|why| unusable(&why))?;
    Ok(summaries)
}

/// What Ctrl-C sets. The first one lets runs end, the second one does not wait for them: folders are sound all the same.
fn interruptible() -> Result<&'static AtomicBool, Exit> {
    let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let handler = move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    };
    ctrlc::set_handler(handler).map_err(|error| {
        message(&format!("error: cannot wait for Ctrl-C: {error}"));
        Exit::InternalError
    })?;
    Ok(stop)
}

/// The points that filter and partition leave: a partition may have none, a filter has to keep some.
fn selected(arguments: &Arguments, plan: &Plan<'_>, study: &Study) -> Result<Vec<usize>, Exit> {
    let mut points = match &arguments.filter {
        Some(filter) => study.filter(filter).map_err(|problems| {
            message(problems.render(true).trim_end());
            Exit::BadCommandLine
        })?,
        None => (0..study.points()).collect(),
    };
    let ids = &plan.manifest().points;
    if points.is_empty() {
        message(&format!("error: the filter keeps none of {}", counted(ids.len(), "point")));
        return Err(Exit::NothingSelected);
    }
    points.retain(|point| arguments.partition.is_none_or(|partition| partition.holds(&ids[*point].id)));
    Ok(points)
}

/// Runs what is missing.
fn execute(
    arguments: &Arguments,
    global: &Global,
    plan: &Plan<'_>,
    points: &[usize],
    folder: &mut Folder,
    stop: &AtomicBool,
) -> Result<Ended, Exit> {
    let recorder = Recorder::new(plan.manifest());
    let processors = || std::thread::available_parallelism().map_or(1, |number| number.get());
    let jobs = arguments.jobs.map_or_else(processors, |jobs| jobs as usize);
    let display = Display::new(global);
    let execution = Execution {
        plan,
        points,
        jobs,
        verify: arguments.verify_determinism,
        stop,
        record: &|point, scenario, replication, outcome| recorder.record(point, scenario, replication, outcome),
        progress: &|progress| display.update(progress),
    };
    let result = execution.execute(folder);
    let took = display.finish();
    let path = folder.path().display().to_string();
    let ended = result.map_err(|failure| {
        message(&format!("error: {failure}"));
        Exit::of_study(&failure)
    })?;
    let ran = counted(usize::try_from(ended.ran).unwrap_or(usize::MAX), "run");
    if !ended.complete {
        message(&format!("interrupted: {ran} saved in {path}; the same command goes on from there"));
        return Err(Exit::Interrupted);
    }
    if !global.quiet {
        message(&match ended.ran {
            _ if points.is_empty() => "no point is in this partition".to_owned(),
            0 => format!("{path} has all runs already: nothing was run"),
            _ => format!("{ran} in {:.1} s, results in {path}", took.as_secs_f64()),
        });
    }
    if ended.ran > 0 {
        let timing = format!(
            "{{\"runs\": {}, \"jobs\": {jobs}, \"seconds\": {:.3}, \"runs_per_second\": {:.1}}}\n",
            ended.ran,
            took.as_secs_f64(),
            ended.ran as f64 / took.as_secs_f64()
        );
        write_timing(folder, &timing).map_err(|why| unusable(&why))?;
    }
    Ok(ended)
}

fn write_timing(folder: &Folder, text: &str) -> Result<(), FolderError> {
    let mut file = folder.create("timing.json")?;
    file.write(text.as_bytes())?;
    file.finish()
}

/// Of each point whether the folder has all its runs.
pub(super) fn completed(folder: &Folder) -> Result<Vec<Complete>, Exit> {
    let of_point = |point| Ok(folder.complete(point)?.map(|replications| (0, replications)));
    (0..folder.manifest().points.len()).map(of_point).collect::<Result<_, _>>().map_err(|why| unusable(&why))
}

/// Says why a folder cannot be used.
pub(super) fn unusable(error: &FolderError) -> Exit {
    message(&format!("error: {error}"));
    Exit::of_folder(error)
}

/// Prints a summary.
pub(super) fn show(
    folder: &Folder,
    summaries: &[PointSummary],
    format: Format,
    replay: &str,
    global: &Global,
) -> Result<(), Exit> {
    match format {
        Format::Text if global.quiet => Ok(()),
        Format::Text => print(&results::to_text(folder.manifest(), summaries, replay)),
        Format::Json => print(&results::to_json(summaries)),
        Format::Ndjson => print(&results::to_ndjson(summaries)),
    }
}

/// The beginning of the command that shows one run.
fn replay(arguments: &Arguments) -> String {
    let mut command = format!("mailslot-sim run {}", shell_word(&arguments.file.display().to_string()));
    for set in &arguments.set {
        command.push_str(&format!(" --set {}", shell_word(set)));
    }
    if let Some(seed) = arguments.seed {
        command.push_str(&format!(" --seed {seed}"));
    }
    command
}

/// What would be run.
fn list(plan: &Plan<'_>, points: &[usize], format: Format) -> String {
    let manifest = plan.manifest();
    let most = manifest.replications.most();
    let entry = |point: &usize| {
        let entry = &manifest.points[*point];
        let deliveries = plan.deliveries(*point);
        serde_json::json!({
            "point": entry.id, "seed": entry.seed, "replications": most, "deliveries_per_run": deliveries,
        })
    };
    match format {
        Format::Json => {
            let entries: Vec<_> = points.iter().map(entry).collect();
            serde_json::to_string_pretty(&entries).expect("a list has a JSON form") + "\n"
        }
        Format::Ndjson => points.iter().map(|point| format!("{}\n", entry(point))).collect(),
        Format::Text => {
            let width = points.iter().map(|point| manifest.points[*point].id.chars().count()).max().unwrap_or(0).max(5);
            let mut text =
                format!("{:<width$}  {:>20}  {:>7}  {:>18}\n", "point", "seed", "runs", "deliveries per run");
            for point in points {
                let entry = &manifest.points[*point];
                let deliveries = plan.deliveries(*point);
                text += &format!("{:<width$}  {:>20}  {most:>7}  {deliveries:>18.0}\n", entry.id, entry.seed);
            }
            let runs = points.len() as u64 * u64::from(most);
            let seconds = plan.processor_seconds(points);
            let points = counted(points.len(), "point");
            text + &format!(
                "\n{points}, {runs} runs at most, in the order of {:.0} s of one processor\n",
                seconds.ceil()
            )
        }
    }
}

/// Digits of the hash in the name of the folder.
const HASH_DIGITS: usize = 12;

/// Whether two paths lead to one folder.
pub(super) fn is_same(one: &Path, another: &Path) -> bool {
    matches!((one.canonicalize(), another.canonicalize()), (Ok(one), Ok(another)) if one == another)
}
