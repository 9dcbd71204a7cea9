//! How far a study is, on stderr.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "people want to know how long it takes")]

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mailslot_sim::study::Progress;

use super::Global;
use super::output::message;

/// How it is shown.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    /// A bar on a terminal, lines elsewhere.
    Auto,
    /// A bar with rate and time left, on a terminal.
    Bar,
    /// A line now and then.
    Counter,
    /// Not at all.
    None,
}

/// Shows progress.
pub(super) struct Display {
    began: Instant,
    form: Form,
}

enum Form {
    Bar(ProgressBar),
    Counter(Mutex<Counter>),
    None,
}

/// When the last line was written, and how many runs were there at the beginning.
struct Counter {
    last: Instant,
    before: Option<u64>,
}

impl Display {
    pub(super) fn new(global: &Global) -> Self {
        let began = Instant::now();
        let form = match global.progress {
            _ if global.quiet => Form::None,
            Mode::None => Form::None,
            Mode::Counter => Form::Counter(Mutex::new(Counter { last: began, before: None })),
            Mode::Auto if !std::io::stderr().is_terminal() => {
                Form::Counter(Mutex::new(Counter { last: began, before: None }))
            }
            Mode::Auto | Mode::Bar => {
                let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
                bar.set_style(ProgressStyle::with_template(TEMPLATE).expect("the template is sound"));
                Form::Bar(bar)
            }
        };
        Display { began, form }
    }

    /// Shows how far it is.
    pub(super) fn update(&self, progress: Progress) {
        let Progress { done, runs, points_done, points } = progress;
        match &self.form {
            Form::None => {}
            Form::Bar(bar) => {
                bar.set_length(runs);
                if bar.position() == 0 && done > 0 {
                    bar.set_position(done);
                    bar.reset_eta(); // what was there before took no time
                }
                bar.set_position(done);
                bar.set_message(format!("{points_done} of {points} points"));
            }
            Form::Counter(counter) => {
                let mut counter = counter.lock().expect("no thread panicked");
                let before = *counter.before.get_or_insert(done);
                if counter.last.elapsed() < INTERVAL {
                    return;
                }
                counter.last = Instant::now();
                let rate = (done - before) as f64 / self.began.elapsed().as_secs_f64();
                let left = if rate > 0.0 { format!("{:.0} s", (runs - done) as f64 / rate) } else { "?".to_owned() };
                let of_runs = format!("{done} of {runs} runs, {points_done} of {points} points");
                message(&format!("{of_runs}, {rate:.1} runs/s, {left} left"));
            }
        }
    }

    /// Takes the bar away; how long it all took.
    pub(super) fn finish(&self) -> Duration {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
        self.began.elapsed()
    }
}

const TEMPLATE: &str = "{wide_bar} {pos}/{len} runs, {per_sec}, {eta} left, {msg}";
/// Between two lines.
const INTERVAL: Duration = Duration::from_secs(5);
