//! The command line: one file per command. Results go to stdout, everything else to stderr.

mod check;
mod exit;
#[cfg(feature = "tokio")]
mod listen;
mod merge;
#[cfg(feature = "tokio")]
mod network;
mod new;
mod output;
mod progress;
mod report;
mod run;
mod schema;
#[cfg(feature = "tokio")]
mod send;
mod slurm;
mod study;
mod tc;
mod test;

use clap::{Parser, Subcommand};

pub(crate) use exit::Exit;

/// Simulates Windows mailslots on lossy networks, and shows what became of every message that nobody acknowledged.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// What every command takes.
#[derive(clap::Args)]
struct Global {
    /// When to use colours; NO_COLOR is honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// How commands that take long show how far they are: by itself a bar on a terminal, lines elsewhere.
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    progress: progress::Mode,
    /// No warnings, and no summary.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// More detail: hosts and links too; for listen, what was discarded.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario once and print what happened.
    Run(run::Arguments),
    /// Check scenario files and show every problem.
    Check(check::Arguments),
    /// Write a commented scenario to start from.
    New(new::Arguments),
    /// Print a JSON Schema.
    Schema(schema::Arguments),
    /// Run every scenario that has expectations as a test suite.
    Test(test::Arguments),
    /// Run every point of a study, several times each, in parallel.
    Study(study::Arguments),
    /// Unite folders that hold parts of one study.
    Merge(merge::Arguments),
    /// Draw page and tables of a study again.
    Report(report::Arguments),
    /// Print the nearest tc netem line for every link.
    Tc(tc::Arguments),
    /// Print what comes to a mailslot, on a real network.
    #[cfg(feature = "tokio")]
    Listen(listen::Arguments),
    /// Write to a mailslot, on a real network.
    #[cfg(feature = "tokio")]
    Send(send::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  mailslot-sim new first.toml              a scenario to start from
  mailslot-sim check first.toml            is it sound?
  mailslot-sim run first.toml              what the sender saw, and what happened
  mailslot-sim test scenarios --runs 20    do all expectations hold?
  mailslot-sim study first.toml            every point of its [study], in parallel

Exit codes:
  0 ran, all expectations hold       102 two runs of the same seed differ
  1 internal error                   105 results do not belong together
  2 bad command line                 106 study incomplete
  4 nothing selected                 110 output could not be written
 96 scenario unreadable or invalid   120 real network: cannot bind, or the write failed
100 an expectation is violated       124 listen: timed out
101 inconclusive: the interval       130 interrupted; finished work is saved
    straddles the bound";

/// Does what the command line says.
pub(crate) fn main() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::BadCommandLine } else { Exit::Success };
            return error.print().map_or(Exit::OutputFailed, |()| exit);
        }
    };
    match arguments.global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let command = || match &arguments.command {
        Command::Run(run) => run::main(run, &arguments.global),
        Command::Check(check) => check::main(check, &arguments.global),
        Command::New(new) => new::main(new, &arguments.global),
        Command::Schema(schema) => schema::main(schema),
        Command::Test(test) => test::main(test, &arguments.global),
        Command::Study(study) => study::main(study, &arguments.global),
        Command::Merge(merge) => merge::main(merge, &arguments.global),
        Command::Report(report) => report::main(report, &arguments.global),
        Command::Tc(tc) => tc::main(tc, &arguments.global),
        #[cfg(feature = "tokio")]
        Command::Listen(listen) => listen::main(listen, &arguments.global),
        #[cfg(feature = "tokio")]
        Command::Send(send) => send::main(send, &arguments.global),
    };
    // A panic is a bug of ours, and has an exit code of its own: Rust's 101 means something else here.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(command)).unwrap_or(Exit::InternalError)
}
