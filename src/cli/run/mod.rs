//! `run`: one scenario, one seed.

mod outputs;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[cfg(feature = "turmoil")]
use mailslot_sim::drive::turmoil;
use mailslot_sim::report::suite::shell_word;
use mailslot_sim::report::{
    Detail, Explain, InvalidQuestion, Pcapng, Question, RunPage, RunReport, Trace, Verdict, summary,
};
use mailslot_sim::scenario::{Scenario, Study};
use mailslot_sim::sim::{self, Outcome};
use mailslot_sim::stats::Observer;
use mailslot_sim::study::Pictures;
use mailslot_sim::time::Instant;

use super::check::{files_of, read_scenario, refuse, warn};
use super::output::{PendingFile, create_folder, message, print};
use super::study::unusable;
use super::{Exit, Global};
use outputs::{PAGE, REPORT, STDOUT, Target, check_folder, check_outputs};

/// Runs a scenario once and prints what happened.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The scenario file; - reads it from stdin.
    file: PathBuf,
    /// Seed of all randomness, instead of the scenario's.
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = read_seed)]
    seed: Option<u64>,
    /// Set a value of the scenario. The path goes by keys, in lists by the entries' names. Repeatable.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Run a point of the scenario's study: its name is that in the results, as in loss=0.05,burst=4.
    #[arg(long, value_name = "ID")]
    point: Option<String>,
    /// Which replication to run: each has draws of its own.
    #[arg(long, value_name = "N", default_value_t = 0)]
    replication: u32,
    /// What runs the engines.
    #[arg(long, default_value = "events")]
    driver: Driver,
    /// How to print the result.
    #[arg(long, default_value = "text")]
    format: Format,
    /// Write every event as a line of JSON; - writes them to stdout instead of the result.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write every packet that comes to a link as a capture (pcapng), for Wireshark; - writes it to stdout instead of the result.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Tell the life of one message at one recipient instead of the result: step by step, with the draws that decided it. Messages
    /// are numbered from 0; where a flow has several senders, FLOW is FLOW/SENDER.
    #[arg(long, value_name = "FLOW:MESSAGE@HOST")]
    explain: Option<String>,
    /// Write report.json, the page report.html and its pictures (figures/) to this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn read_seed(text: &str) -> Result<u64, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A summary for people.
    Text,
    /// The report as JSON.
    Json,
    /// The report as JSON on one line.
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Driver {
    /// The event core: exact times, fast.
    Events,
    /// turmoil: every host an async program on sockets. Slow, and programs act at whole milliseconds.
    #[cfg(feature = "turmoil")]
    Turmoil,
}

const EXAMPLES: &str = "\
Examples:
  mailslot-sim run scenarios/plant-alarm.toml
  mailslot-sim run scenarios/plant-alarm.toml --seed 7 --set 'link.switch.loss.mean=2 %'
  mailslot-sim run scenarios/plant-alarm.toml --format json | jq '.flows[].delivery_ratio'
  mailslot-sim run scenarios/plant-alarm.toml --pcap alarm.pcapng
  mailslot-sim run scenarios/plant-alarm.toml --explain alarm:17@STATION03
  mailslot-sim run scenarios/plant-alarm.toml --trace - | grep '\"side\":\"sender\"'

Exit codes: 0 all expectations hold, 100 one is violated, 96 bad scenario, 4 no such point or message,
105 the folder holds other results, 110 output not written, 2 bad command line";

/// Runs the scenario; the expectations decide the exit code.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    run(arguments, global).unwrap_or_else(|exit| exit)
}

fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Exit> {
    check_outputs(arguments)?;
    let checked = read_scenario(&arguments.file, &arguments.set)?;
    warn(&checked, global);
    let scenario = match &arguments.point {
        Some(point) => point_of(&arguments.file, &checked.study, point)?,
        None => checked.scenario,
    };
    let scenario = match arguments.seed {
        Some(seed) => scenario.with_seed(seed),
        None => scenario,
    };
    let question = arguments.explain.as_deref().map(|text| question(&scenario, text)).transpose()?;
    if let Some(folder) = &arguments.out {
        create_folder(folder)?;
        check_folder(folder, &scenario)?;
    }
    if !global.quiet {
        warn_of_waiting(&scenario, arguments.driver);
    }
    let to_stdout =
        [&arguments.trace, &arguments.pcap].into_iter().any(|path| path.as_deref() == Some(Path::new(STDOUT)));
    let (outcome, Watched { life, page }) = watched(&scenario, arguments, question)?;
    let report = RunReport::new(&scenario, arguments.replication, &outcome);
    if let (Some(folder), Some(page)) = (&arguments.out, page) {
        write_folder(folder, &scenario, &outcome, &report, (&page, &replay(&scenario, arguments)))?;
        if !global.quiet {
            message(&format!("drawn: {}", folder.join(PAGE).display()));
        }
    }
    let life = life.transpose().map_err(|why| {
        message(&format!("error: --explain: {why}"));
        Exit::NothingSelected
    })?;
    let detail = if global.verbose { Detail::HostsAndLinks } else { Detail::Flows };
    let text = match arguments.format {
        _ if to_stdout => String::new(),
        Format::Text if life.is_some() => life.unwrap_or_default(),
        Format::Text if global.quiet => String::new(),
        Format::Text => summary(&scenario, &outcome, &report, detail),
        Format::Json => report.to_json(),
        Format::Ndjson => report.to_ndjson(),
    };
    print(&text)?;
    for it in report.expectations().iter().filter(|it| it.result == Verdict::Violated) {
        let of = it.of.as_deref().unwrap_or("totals");
        let of = it.phase.as_ref().map_or(of.to_owned(), |phase| format!("{of} in {phase}"));
        let value = it.value.map_or("it has no value".into(), |value| format!("it is {}", (value * 1e6).round() / 1e6));
        message(&format!("violated: {of} {} {}: {value} (seed {})", it.metric, it.bound, scenario.seed()));
    }
    let worst = report.expectations().iter().map(|it| it.result).max();
    Ok(worst.map_or(Exit::Success, Exit::of_verdict))
}

/// The scenario of a point of a study.
fn point_of(file: &Path, study: &Study, point: &str) -> Result<Scenario, Exit> {
    let point = study.find(point).map_err(|why| {
        message(&format!("error: {why}"));
        Exit::NothingSelected
    })?;
    study.scenario(point, &files_of(file)).map_err(|problems| refuse(&file.display().to_string(), &problems))
}

/// Which message `--explain` is about.
fn question(scenario: &Scenario, text: &str) -> Result<Question, Exit> {
    Question::parse(scenario, text).map_err(|why| {
        message(&format!("error: --explain: {why}"));
        match why {
            InvalidQuestion::Malformed(_) => Exit::BadCommandLine,
            InvalidQuestion::Unknown(_) => Exit::NothingSelected,
        }
    })
}

/// What those who watched a run have to tell.
#[derive(Default)]
struct Watched {
    /// The life of a message, or why there is none.
    life: Option<Result<String, String>>,
    page: Option<RunPage>,
}

/// Runs the scenario, writes trace and capture if they are wanted, and watches for what else is.
fn watched(scenario: &Scenario, arguments: &Arguments, question: Option<Question>) -> Result<(Outcome, Watched), Exit> {
    let (trace, pcap) = (Target::open(arguments.trace.as_deref())?, Target::open(arguments.pcap.as_deref())?);
    if trace.is_none() && pcap.is_none() && question.is_none() && arguments.out.is_none() {
        return Ok((simulate(scenario, arguments, ())?, Watched::default())); // nobody watches: that is faster
    }
    let (trace, trace_out) = trace.map(Target::divide).unzip();
    let (pcap, pcap_out) = pcap.map(Target::divide).unzip();
    let written = (trace_out.map(|out| Trace::new(scenario, out)), pcap_out.map(|out| Pcapng::new(scenario, out)));
    let life = question.map(|question| Explain::new(scenario, question));
    let page = arguments.out.as_ref().map(|_| RunPage::new(scenario));
    let observers = Rc::new(RefCell::new((written, (life, page))));
    let outcome = simulate(scenario, arguments, observers.clone())?;
    let ((trace_written, pcap_written), (life, page)) =
        Rc::into_inner(observers).expect("the run is over").into_inner();
    if let (Some(target), Some(written)) = (trace, trace_written) {
        target.finish(written.finish())?;
    }
    if let (Some(target), Some(written)) = (pcap, pcap_written) {
        target.finish(written.finish())?;
    }
    Ok((outcome, Watched { life: life.map(Explain::finish), page }))
}

/// Writes report, page and pictures into a folder: first all of them, then all get their names.
fn write_folder(
    folder: &Path,
    scenario: &Scenario,
    outcome: &Outcome,
    report: &RunReport,
    (page, replay): (&RunPage, &str),
) -> Result<(), Exit> {
    let pictures = Pictures::write(folder, &page.figures(scenario)).map_err(|why| unusable(&why))?;
    let page = page.draw(scenario, outcome, report, replay);
    let page = PendingFile::written(&folder.join(PAGE), &page)?;
    let report = PendingFile::written(&folder.join(REPORT), &report.to_json())?;
    pictures.publish().map_err(|why| unusable(&why))?;
    for (file, writer) in [page, report] {
        file.finish(Ok(writer))?;
    }
    Ok(())
}

/// The command that repeats the run, without the folders that its file is in: results hold no path of a machine.
fn replay(scenario: &Scenario, arguments: &Arguments) -> String {
    let name = arguments.file.file_name().filter(|_| arguments.file != Path::new(STDOUT));
    let name = name.map_or_else(|| format!("{}.toml", scenario.name()), |name| name.to_string_lossy().into_owned());
    let mut command = format!("mailslot-sim run {}", shell_word(&name));
    arguments.set.iter().for_each(|set| command.push_str(&format!(" --set {}", shell_word(set))));
    arguments.seed.iter().for_each(|seed| command.push_str(&format!(" --seed {seed}")));
    arguments.point.iter().for_each(|point| command.push_str(&format!(" --point {}", shell_word(point))));
    if arguments.replication > 0 {
        command.push_str(&format!(" --replication {}", arguments.replication));
    }
    if arguments.driver != Driver::Events {
        command.push_str(" --driver turmoil");
    }
    command
}

fn simulate(
    scenario: &Scenario,
    arguments: &Arguments,
    mut observer: impl Observer + 'static,
) -> Result<Outcome, Exit> {
    let not_run = |error: &dyn std::error::Error| {
        message(&format!("error: failed to run the scenario: {error}"));
        Exit::BadScenario
    };
    match arguments.driver {
        Driver::Events => sim::run(scenario, arguments.replication, &mut observer).map_err(|error| not_run(&error)),
        #[cfg(feature = "turmoil")]
        Driver::Turmoil => turmoil::run(scenario, arguments.replication, observer).map_err(|error| not_run(&error)),
    }
}

/// Says so if a run will make people wonder: turmoil runs each host at each millisecond.
fn warn_of_waiting(scenario: &Scenario, driver: Driver) {
    let (hosts, end) = (scenario.topology().hosts().len(), scenario.end().since(Instant::ZERO));
    let ticks = end.nanos() / 1_000_000;
    if driver != Driver::Events && ticks.saturating_mul(hosts as u64) > 10_000_000 {
        let message_text = "this takes minutes, where the event core takes moments";
        message(&format!("{hosts} hosts for up to {end} under turmoil: {message_text}"));
    }
}
