//! `check`: every problem of scenario files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mailslot_sim::scenario::{self, Checked, Problems, Severity, Source};
use mailslot_sim::study::Plan;

use super::output::{message, print};
use super::{Exit, Global};

/// Checks scenario files and shows every problem with file, line, column and suggestion.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Scenario files; - reads one from stdin.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Checks all files.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    let mut exit = Exit::Success;
    for file in &arguments.files {
        let checked = read_scenario(file, &[]).and_then(|mut checked| {
            let read_file = files_of(file);
            let plan = Plan::new(&checked.study, &checked.scenario, &read_file);
            let plan = plan.map_err(|problems| refuse(&file.display().to_string(), &problems))?;
            plan.keep_common(&mut checked.warnings);
            Ok(checked)
        });
        let verdict = match checked {
            Ok(checked) => {
                warn(&checked, global);
                let warnings = checked.warnings.count(Severity::Warning);
                let scenario = &checked.scenario;
                let hosts = scenario.topology().hosts().len();
                let links = scenario.topology().links().len();
                let (hosts, links) = (counted(hosts, "host"), counted(links, "link"));
                let note = if warnings > 0 { format!(", {}", counted(warnings, "warning")) } else { String::new() };
                let points = match checked.study.points() {
                    1 => String::new(),
                    points => format!(", {points} points"),
                };
                format!("{}: ok ({hosts}, {links}{points}{note})\n", file.display())
            }
            Err(bad) => {
                exit = bad;
                continue;
            }
        };
        if !global.quiet
            && let Err(failed) = print(&verdict)
        {
            return failed;
        }
    }
    exit
}

/// Shows the warnings of a scenario, if they are wanted.
pub(super) fn warn(checked: &Checked, global: &Global) {
    if !global.quiet && checked.warnings.count(Severity::Warning) > 0 {
        message(checked.warnings.render(true).trim_end());
    }
}

/// Reads a scenario file; its problems go to stderr.
pub(super) fn read_scenario(file: &Path, set: &[String]) -> Result<Checked, Exit> {
    let name = if file == Path::new("-") { "<stdin>".into() } else { file.display().to_string() };
    let text = read_text(file).map_err(|why| {
        message(&format!("error: failed to read {name}: {why}"));
        Exit::BadScenario
    })?;
    let read_file = files_of(file);
    scenario::parse(&Source { name: &name, text: &text, set, read_file: &read_file })
        .map_err(|problems| refuse(&name, &problems))
}

/// Reads the files that a scenario names.
pub(super) fn files_of(scenario: &Path) -> impl Fn(&str) -> io::Result<Vec<u8>> + Sync {
    let folder = scenario.parent().unwrap_or(Path::new("")).to_owned();
    move |relative| read_limited(&folder.join(relative), scenario::MAX_CAPTURE_BYTES)
}

/// Shows why a scenario cannot be run.
pub(super) fn refuse(name: &str, problems: &Problems) -> Exit {
    message(problems.render(true).trim_end());
    let errors = counted(problems.count(Severity::Error), "error");
    let warnings = problems.count(Severity::Warning);
    let warnings = if warnings > 0 { format!(", {}", counted(warnings, "warning")) } else { String::new() };
    message(&format!("\n{name}: {errors}{warnings}"));
    Exit::BadScenario
}

/// How many there are of something.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn read_text(file: &Path) -> Result<String, String> {
    let limit = scenario::MAX_FILE_BYTES;
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        bytes
    } else {
        read_limited(file, limit).map_err(|error| error.to_string())?
    };
    if bytes.len() > limit {
        return Err(format!("it has more than {limit} bytes (MAX_FILE_BYTES)"));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err("it is UTF-16 text; save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        format!("it is not UTF-8 text: byte {} (line {line}) is wrong", good + 1)
    })?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

/// Reads a file, but no more than one byte over the limit.
fn read_limited(file: &Path, limit: usize) -> io::Result<Vec<u8>> {
    if file.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
