//! The binary from outside: streams, exit codes, files, mistakes.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const ALARM: &str = "scenarios/plant-alarm.toml";

struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str]) -> Ran {
    ran(Command::cargo_bin("mailslot-sim").unwrap().args(arguments))
}

fn ran(command: &mut Command) -> Ran {
    let output = command.env_remove("NO_COLOR").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { exit: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs a scenario file with this content.
fn run_file(content: &str, command: &str) -> Ran {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bad.toml");
    fs::write(&file, content).unwrap();
    run(&[command, file.to_str().unwrap()])
}

/// What a stranger needs to mend a file: which file, which line, and words about what is wrong and what would be right.
fn assert_refused(content: &str, words: &[&str]) {
    for command in ["check", "run"] {
        let ran = run_file(content, command);
        assert_eq!((ran.exit, ran.stdout.as_str()), (96, ""), "{command}: {}", ran.stderr);
        for word in words.iter().chain(&["bad.toml:"]) {
            assert!(ran.stderr.contains(word), "{word:?} is not in:\n{}", ran.stderr);
        }
    }
}

fn alarm_with(from: &str, to: &str) -> String {
    let text = fs::read_to_string(ALARM).unwrap();
    assert!(text.contains(from));
    text.replace(from, to)
}

#[test]
fn the_main_job_prints_belief_beside_fact() {
    let ran = run(&["run", ALARM]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    for words in
        ["What the sender saw", "What happened", "acknowledgements", "lost_on_link", "6,000", "in theory", "holds"]
    {
        assert!(ran.stdout.contains(words), "{words}");
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "100 columns");
    assert_eq!(run(&["run", ALARM]).stdout, ran.stdout);
}

/// A bar for each share, as long as it is; green or red where a terminal is, or is said to be, and nobody forbids it.
#[test]
fn shares_have_bars_and_bars_have_colours_where_they_can() {
    let plain = run(&["run", ALARM]).stdout;
    let bar = |row: &str| {
        let row = plain.lines().find(|line| line.contains(row)).unwrap();
        row.chars().filter(|c| ('█'..='▏').contains(c)).collect::<String>()
    };
    assert_eq!(bar("  delivered "), "██████▋", "93.95 % of 7 columns");
    assert_eq!(bar("  lost_on_link "), "▍", "6.05 %");
    assert_eq!(bar("all got it"), "███▍", "47.40 %");
    assert!(!plain.contains('\u{1b}'), "a pipe is no terminal");
    let coloured = run(&["run", ALARM, "--color", "always"]).stdout;
    assert!(coloured.contains("\u{1b}[32m██████▋\u{1b}[0m [93.32, 94.53]"), "{coloured}");
    assert!(coloured.contains("6.05 % \u{1b}[31m▍\u{1b}[0m\n") && coloured.contains("\u{1b}[32mholds\u{1b}[0m "));
    let violated = run(&["run", ALARM, "--color", "always", "--set", "link.switch.loss.mean=50 %"]).stdout;
    assert!(violated.contains("\u{1b}[31mVIOLATED\u{1b}[0m "), "{violated}");
    assert_eq!(run(&["run", ALARM, "--color", "never"]).stdout, plain);
    let stripped = coloured.replace("\u{1b}[32m", "").replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
    assert_eq!(stripped, plain, "nothing but colour differs");
}

/// The README shows what is really printed.
#[test]
fn the_readme_shows_the_real_output() {
    let readme = fs::read_to_string("README.md").unwrap();
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(shown, run(&["run", ALARM]).stdout);
}

/// The longest names take nothing from what stands beside them.
#[test]
fn long_names_leave_the_figures_alone() {
    let [flow, segment, host] = ["f", "s", "h"].map(|letter| letter.repeat(if letter == "h" { 15 } else { 64 }));
    let text = alarm_with("\"alarm\"\nfrom", "\"FLOW\"\nfrom").replace("of = \"alarm\"", "of = \"FLOW\"");
    let text = text.replace("FLOW", &flow).replace("floor", &segment).replace("CTRL", &host);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("long.toml");
    fs::write(&file, text).unwrap();
    let ran = run(&["run", "-v", file.to_str().unwrap()]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    for words in ["at_least 0.92", "/up", "/down"] {
        assert!(ran.stdout.contains(words), "{words} is not in:\n{}", ran.stdout);
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
}

#[test]
fn phases_stand_beneath_their_flow() {
    let ran = run(&["run", "scenarios/one-way-cut.toml"]);
    for line in [
        "  phase   from, to      messages   delivered",
        "  cut     [20 s, 40 s)        40  240 of 480    50.00 %  [45.54, 54.46]   240 lost_in_partition",
        "  after   [40 s, 60 s)        40  480 of 480   100.00 %  [99.21, 100.00]",
        "  holds     orders in cut delivery_ratio equals 0.5: it is 0.5",
    ] {
        assert!(ran.stdout.lines().any(|it| it == line), "{line:?} is not in:\n{}", ran.stdout);
    }
    assert!(!run(&["run", ALARM]).stdout.contains("phase"));
}

/// What the sender believes stands above what is so, with the closed form of each.
#[test]
fn belief_stands_above_fact() {
    let ran = run(&["run", "scenarios/app-level-ack.toml"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("  the sender believes")).unwrap();
    for (line, words) in [
        (lines[at], ["574 of 598 delivered", "95.99 %", "in theory    95.93 %"]),
        (lines[at + 1], ["594 of 598 delivered", "99.33 %", "in theory    99.31 %"]),
        (lines[at + 3], ["  tries ", "mean 1.478 (in theory 1.462)", "most 3"]),
        (lines[at + 4], ["  replies ", "714 written, 574 received", "20 delivered that the sender takes for lost"]),
    ] {
        assert!(words.iter().all(|words| line.contains(words)), "{line}");
    }
    let believing = lines.iter().filter(|line| line.starts_with("  the sender believes"));
    assert_eq!(believing.count(), 1, "others believe nothing");
}

/// No summary is wider than a page, with all details and the longest names.
#[test]
fn summaries_fit_100_columns() {
    for entry in fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let ran = run(&["run", "-v", path.to_str().unwrap()]);
            let widest = ran.stdout.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= 100, "{path:?}: {widest}");
        }
    }
}

#[test]
fn formats_and_seeds() {
    let json: Value = serde_json::from_str(&run(&["run", ALARM, "--format", "json"]).stdout).unwrap();
    assert_eq!(json["schema"], "mailslot-sim/report/1");
    assert_eq!((&json["scenario"]["seed"], &json["scenario"]["driver"]), (&"42".into(), &"events".into()));
    let line = run(&["run", ALARM, "--format", "ndjson", "--seed", "7"]).stdout;
    assert_eq!(line.lines().count(), 1);
    let other: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(other["scenario"]["seed"], "7");
    assert_ne!(other["scenario"]["hash"], json["scenario"]["hash"], "the seed is part of the scenario");
    assert_ne!(other["flows"], json["flows"]);
}

#[test]
fn values_can_be_set() {
    let ran = run(&["run", ALARM, "--set", "link.switch.loss.mean=100 %", "--set", "expect=[]", "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.exit, &json["flows"][0]["fates"]["lost_on_link"]), (0, &6000.into()));
    let ran = run(&["run", ALARM, "--set", "host.CTRL.segment=flor"]);
    assert_eq!(ran.exit, 96);
    assert!(ran.stderr.contains("--set:1:19") && ran.stderr.contains("did you mean `floor`?"), "{}", ran.stderr);
}

#[test]
fn a_violated_expectation_has_its_own_exit_code() {
    let ran = run(&["run", ALARM, "--set", "link.switch.loss.mean=20 %"]);
    assert_eq!(ran.exit, 100);
    assert!(ran.stdout.contains("VIOLATED"));
    assert!(ran.stderr.contains("violated: alarm delivery_ratio at_least 0.92") && ran.stderr.contains("seed 42"));
}

#[test]
fn traces_and_reports_are_files_or_nothing() {
    let folder = TempDir::new().unwrap();
    let (trace, out) = (folder.path().join("trace.ndjson"), folder.path().join("deep/out"));
    let ran = run(&["run", ALARM, "-q", "--trace", trace.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!((ran.exit, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    let report = fs::read_to_string(out.join("report.json")).unwrap();
    assert_eq!(report, run(&["run", ALARM, "--format", "json"]).stdout);
    let trace = fs::read_to_string(trace).unwrap();
    assert_eq!(trace, run(&["run", ALARM, "--trace", "-"]).stdout);
    for line in trace.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for key in ["t_ns", "side", "event", "flow", "message", "copy", "host"] {
            assert!(line.get(key).is_some(), "{key} is not in {line}");
        }
    }
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "no temporary file is left: {files:?}");
}

/// No output may take the place of the scenario, or of another output.
#[test]
fn outputs_do_not_overwrite_the_scenario_or_each_other() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.json");
    fs::copy(ALARM, &file).unwrap();
    let (file, folder) = (file.to_str().unwrap(), folder.path().to_str().unwrap());
    let link = format!("{folder}/other-name");
    std::os::unix::fs::symlink(file, &link).unwrap();
    for arguments in [["run", file, "--trace", file], ["run", file, "--out", folder], ["run", &link, "--trace", file]] {
        let ran = run(&arguments);
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains(file), "{}", ran.stderr);
        assert_eq!(fs::read_to_string(file).unwrap(), fs::read_to_string(ALARM).unwrap());
    }
    for name in ["report.json", "figures/space-time.svg"] {
        let ran = run(&["run", ALARM, "--out", folder, "--trace", &format!("{folder}/{name}")]);
        assert_eq!(ran.exit, 2, "{}", ran.stderr);
    }
}

/// What a run has made is written even if the question about it has no answer; and pictures of others stay.
#[test]
fn a_folder_is_whole_or_as_it_was() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let run_to = |more: &[&str]| run(&[&["run", ALARM, "--out", out.to_str().unwrap()][..], more].concat());
    let ran = run_to(&["--explain", "alarm:500@STATION01"]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (4, ""), "{}", ran.stderr);
    let files = || {
        let names = ["report.json", "report.html", "figures/space-time.svg", "figures/audience-alarm.svg"];
        names.map(|name| fs::read_to_string(out.join(name)).unwrap())
    };
    let whole = files();
    assert!(ran.stderr.contains("drawn: ") && ran.stderr.contains("numbered from 0 to 499"), "{}", ran.stderr);

    fs::write(out.join("figures/audience-alarm.svg"), "<svg/>").unwrap();
    let ran = run_to(&["--seed", "7"]);
    assert_eq!(ran.exit, 105);
    assert!(ran.stderr.contains("audience-alarm.svg is not of mailslot-sim"), "{}", ran.stderr);
    let left = files();
    assert_eq!((&left[..3], left[3].as_str()), (&whole[..3], "<svg/>"));

    fs::remove_file(out.join("figures/audience-alarm.svg")).unwrap();
    fs::write(out.join("figures/notes.txt"), "mine").unwrap();
    assert_eq!(run_to(&["-q"]).exit, 0);
    assert_eq!(files(), whole);
    assert_eq!(fs::read_to_string(out.join("figures/notes.txt")).unwrap(), "mine");
}

/// A run that would need more memory than a machine can be asked for is given up, and says so.
#[test]
fn a_run_that_piles_up_too_much_is_given_up() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let mut arguments = vec!["run", "scenarios/hello.toml", "--out", out.to_str().unwrap()];
    for value in [
        "expect=[]",
        "mailslot.hello.reader=never",
        "traffic.greeting.every=1 ms",
        "traffic.greeting.from=SERVER",
        "traffic.greeting.size=1024 KiB",
        r"traffic.greeting.to=\\.\mailslot\hello",
    ] {
        arguments.extend(["--set", value]);
    }
    let ran = run(&arguments);
    assert_eq!((ran.exit, ran.stdout.as_str()), (96, ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("2147483648 bytes (MAX_ALIVE_BYTES)") && ran.stderr.contains("at 2.0"),
        "{}",
        ran.stderr
    );
    assert!(!out.join("report.json").exists());
}

#[test]
fn output_that_cannot_be_written_is_said() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below_a_file = file.join("x");
    for arguments in [
        ["--trace", "/nowhere/at/all/trace"],
        ["--trace", folder.path().to_str().unwrap()],
        ["--out", below_a_file.to_str().unwrap()],
    ] {
        let ran = run(&[&["run", ALARM], &arguments[..]].concat());
        assert_eq!(ran.exit, 110, "{arguments:?}");
        assert!(ran.stderr.contains("failed to write"), "{}", ran.stderr);
    }
}

/// A disk that is full is no success.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("mailslot-sim");
    for arguments in
        [&["run", ALARM][..], &["run", ALARM, "--trace", "-"], &["new"], &["schema", "report"], &["tc", ALARM]]
    {
        let output =
            std::process::Command::new(binary).args(arguments).stdout(full.try_clone().unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(110), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("failed to write stdout"));
    }
}

/// A device or a pipe is written, never replaced; a link to a file stays a link.
#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_not_replaced() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    assert_eq!(run(&["run", ALARM, "-q", "--trace", pipe.to_str().unwrap()]).exit, 0);
    assert_eq!(reader.join().unwrap(), run(&["run", ALARM, "--trace", "-"]).stdout);
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "old").unwrap();
    symlink(&file, &link).unwrap();
    assert_eq!(run(&["run", ALARM, "-q", "--trace", link.to_str().unwrap()]).exit, 0);
    assert!(link.is_symlink() && fs::read_to_string(&file).unwrap().len() > 1000);
}

#[test]
fn bad_files_are_refused_where_they_are_wrong() {
    assert_refused(
        &alarm_with("2 ms", "2 bananas"),
        &["bad.toml:12:43", "`2 bananas` is not a time", "ns, us, ms, s, min, h, d"],
    );
    assert_refused(&alarm_with("every =", "evry ="), &["unknown key `evry` in `[[traffic]]`", "did you mean `every`?"]);
    assert_refused(
        &alarm_with("from = \"CTRL\"", "from = \"CTL\""),
        &["no host is called `CTL`", "did you mean `CTRL`?"],
    );
    assert_refused(
        &alarm_with(r"\\PLANT\", r"\\PLNT\"),
        &["no host and no domain is called `PLNT`", "did you mean `PLANT`?"],
    );
    assert_refused(&alarm_with("\"100 ms\"", "100"), &["`100` is not a time"]);
    assert_refused(&alarm_with("burst = 4.0", "burst = 0.5"), &["at least 1 datagrams"]);
    assert_refused(&alarm_with("count = 500", "over = \"udp\""), &["`over` is not supported yet"]);
    assert_refused(
        &alarm_with("\"100 ms\"", "\"1 ns\"").replace("count = 500", ""),
        &["the limit is 100000000 (MAX_MESSAGES)"],
    );
    assert_refused(&alarm_with("{01..12}", "{1..99999}"), &["the limit is 10000"]);
    assert_refused("", &["has no `schema`", "has no host"]);
    assert_refused("schema = 1\nname = ", &["bad.toml:2:"]);
    assert_refused("schema = 2\nname = \"x\"\nduration = \"1 s\"\n", &["version 2 of the format is unknown"]);
}

#[test]
fn all_problems_of_a_file_are_reported_at_once() {
    let text =
        alarm_with("2 ms", "2 bananas").replace("every =", "evry =").replace("from = \"CTRL\"", "from = \"CTL\"");
    let ran = run_file(&text, "check");
    for word in ["2 bananas", "`evry`", "no host is called `CTL`", "3 errors"] {
        assert!(ran.stderr.contains(word), "{word} is not in:\n{}", ran.stderr);
    }
}

#[test]
fn what_is_no_scenario_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let noise = folder.path().join("noise");
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(&noise, &bytes).unwrap();
    let small = folder.path().join("small");
    fs::write(&small, &bytes[..5000]).unwrap();
    for (file, words) in [
        (noise.as_path(), "more than 1048576 bytes (MAX_FILE_BYTES)"),
        (small.as_path(), "not UTF-8"),
        (folder.path(), "a folder"),
        (Path::new("no/such/file.toml"), "No such file"),
    ] {
        for command in ["run", "check"] {
            let ran = run(&[command, file.to_str().unwrap()]);
            assert_eq!((ran.exit, ran.stdout.as_str()), (96, ""), "{file:?}");
            assert!(ran.stderr.contains(words) && ran.stderr.contains(file.to_str().unwrap()), "{}", ran.stderr);
        }
    }
}

#[test]
fn check_goes_through_all_files_and_warns() {
    let ran = run(&["check", "scenarios/hello.toml", "no-such.toml", "scenarios/silent-failures.toml"]);
    assert_eq!(ran.exit, 96);
    assert!(ran.stdout.contains("scenarios/hello.toml: ok") && ran.stdout.contains("silent-failures.toml: ok"));
    assert!(ran.stderr.contains("no-such.toml") && ran.stderr.contains("mailslot called `inbax`"));
    assert_eq!(run(&["check", "-q", "scenarios/silent-failures.toml"]).stderr, "");
}

#[test]
fn scenarios_can_come_from_stdin() {
    let mut command = Command::cargo_bin("mailslot-sim").unwrap();
    let from_stdin = ran(command.args(["run", "-"]).write_stdin(fs::read_to_string(ALARM).unwrap()));
    assert_eq!(from_stdin.stdout, run(&["run", ALARM]).stdout);
    let mut command = Command::cargo_bin("mailslot-sim").unwrap();
    let bad = ran(command.args(["check", "-"]).write_stdin("x = "));
    assert!(bad.exit == 96 && bad.stderr.contains("<stdin>:1:"), "{}", bad.stderr);
}

#[test]
fn new_writes_a_scenario_that_runs_and_overwrites_nothing() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("first.toml");
    let file = file.to_str().unwrap();
    let ran = run(&["new", file]);
    assert!(ran.exit == 0 && ran.stderr.contains("mailslot-sim run"), "{}", ran.stderr);
    assert_eq!(run(&["run", file]).exit, 0);
    fs::write(file, "mine").unwrap();
    assert_eq!((run(&["new", file]).exit, fs::read_to_string(file).unwrap().as_str()), (110, "mine"));
    assert_eq!(run(&["new"]).stdout, run(&["new", "-"]).stdout);
}

#[test]
fn schemas_are_printed() {
    for of in ["scenario", "report"] {
        let committed = fs::read_to_string(format!("schemas/{of}.schema.json")).unwrap();
        assert!(run(&["schema", of]).stdout == committed, "{of}");
    }
}

#[test]
fn a_bad_command_line_has_its_own_exit_code() {
    for arguments in [
        &["run"][..],
        &["ruin", ALARM],
        &["run", ALARM, "--seed", "-1"],
        &["run", ALARM, "--seed", "18446744073709551616"],
        &["run", ALARM, "--format", "xml"],
        &["schema", "nothing"],
        &[],
    ] {
        let ran = run(arguments);
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!ran.stderr.is_empty());
    }
    let help = run(&["--help"]);
    assert!(help.exit == 0 && help.stdout.contains("Examples:") && help.stdout.contains("100"), "{}", help.stdout);
    assert!(run(&["run", "--help"]).stdout.contains("--set 'link.switch.loss.mean=2 %'"));
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    assert!(!run(&["check", "no-such.toml"]).stderr.contains('\u{1b}'));
    let coloured = run_file("x = ", "check");
    assert!(!coloured.stderr.contains('\u{1b}'));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bad.toml");
    fs::write(&file, "x = ").unwrap();
    assert!(run(&["check", "--color", "always", file.to_str().unwrap()]).stderr.contains('\u{1b}'));
}
