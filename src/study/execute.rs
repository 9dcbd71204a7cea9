//! Runs what a folder does not hold yet, on several threads: over points and replications alike, a run never split.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};

use thiserror::Error;

use super::error::FolderError;
use super::folder::{Folder, Record};
use super::manifest::Rule;
use super::plan::Plan;
use super::rule::Sample;
use super::{Failure, run};
use crate::scenario::{Problems, Scenario};
use crate::sim::Outcome;

/// What is to be run, and how.
pub struct Execution<'a> {
    /// The study.
    pub plan: &'a Plan<'a>,
    /// The points that are wanted, in order.
    pub points: &'a [usize],
    /// How many threads run them.
    pub jobs: usize,
    /// Whether each run is done twice, and every event of both must be the same.
    pub verify: bool,
    /// Set from outside: no run begins any more.
    pub stop: &'a AtomicBool,
    /// What is kept of a run of a point.
    pub record: &'a (dyn Fn(usize, &Scenario, u32, &Outcome) -> Record + Sync),
    /// Is told of every run that is done.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// How far a study is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Runs that are in the folder.
    pub done: u64,
    /// Runs that there will be: at most, if points end when a figure is known well enough.
    pub runs: u64,
    /// Points that have all their runs.
    pub points_done: usize,
    /// All points that are wanted.
    pub points: usize,
}

/// How an execution ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// Runs that were done now.
    pub ran: u64,
    /// Whether all points have all their runs; else it was stopped.
    pub complete: bool,
}

/// Why a study could not go on. What was done before is in its folder.
#[derive(Debug, Error)]
pub enum StudyFailure {
    /// A run failed.
    #[error("point {point}: {failure}")]
    Run {
        /// The point's name.
        point: String,
        /// Why.
        failure: Failure,
    },
    /// A point is not sound any more.
    #[error("{0}")]
    Scenario(Box<Problems>),
    /// A point is not what it was when the study began.
    #[error("point {0}: a file that the scenario names changed while the study ran")]
    Changed(String),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl Execution<'_> {
    /// Runs what is missing.
    ///
    /// # Errors
    ///
    /// The first failure; what was done before it is in the folder.
    ///
    /// # Panics
    ///
    /// If a run does.
    pub fn execute(&self, folder: &mut Folder) -> Result<Ended, StudyFailure> {
        let most = u64::from(self.plan.manifest().replications.most());
        let progress =
            Progress { points: self.points.len(), runs: most * self.points.len() as u64, ..Progress::default() };
        let state = State {
            folder,
            waiting: self.points.iter().copied().collect(),
            open: Vec::new(),
            failure: None,
            ran: 0,
            halted: false,
            progress,
        };
        let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.jobs).build().expect("threads can be made");
        pool.broadcast(|_| self.work(&shared));
        let state = shared.state.into_inner().expect("no thread panicked");
        match state.failure {
            Some(failure) => Err(failure),
            None => Ok(Ended { ran: state.ran, complete: state.progress.points_done == self.points.len() }),
        }
    }

    /// What each thread does: one run after the other.
    fn work(&self, shared: &Shared<'_>) {
        let _guard = HaltOnPanic(shared);
        while let Some(task) = self.next(shared) {
            let result = self.run(&task);
            let mut state = shared.lock();
            match result.and_then(|record| self.enter(&mut state, &task, &record)) {
                Ok(()) => (self.progress)(state.progress),
                Err(failure) => {
                    state.failure.get_or_insert(failure);
                }
            }
            shared.changed.notify_all();
        }
    }

    /// The next run; `None` if there is none for this thread any more.
    fn next(&self, shared: &Shared<'_>) -> Option<Task> {
        let mut state = shared.lock();
        loop {
            if state.halted || state.failure.is_some() || self.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = state.open.iter_mut().find_map(Open::next) {
                return Some(task);
            }
            if let Some(point) = state.waiting.pop_front() {
                if let Err(failure) = self.begin(&mut state, point) {
                    state.failure.get_or_insert(failure);
                }
                (self.progress)(state.progress);
                shared.changed.notify_all();
            } else if state.open.is_empty() {
                return None;
            } else {
                // Others may come to the end of what a point needs before it is looked at, and then it may need more.
                state = shared.changed.wait(state).expect("no thread panicked");
            }
        }
    }

    /// Begins a point: what is there of it already is looked at, and the rest is to be run.
    fn begin(&self, state: &mut State<'_>, point: usize) -> Result<(), StudyFailure> {
        let rule = &self.plan.manifest().replications;
        if let Some(replications) = state.folder.complete(point)? {
            state.end(rule, replications);
            state.progress.done += u64::from(replications);
            return Ok(());
        }
        let mut open =
            Open { point, scenario: Arc::default(), todo: VecDeque::new(), running: 0, samples: Vec::new(), look: 0 };
        open.look_at(rule.first_look(), state)?;
        while open.is_over() {
            // Complete it is not, so there is a next look.
            let samples: Vec<Sample> = open.samples.iter().copied().flatten().collect();
            let Some(next) = rule.next_look(&samples) else { break };
            open.look_at(next, state)?;
        }
        state.open.push(open);
        Ok(())
    }

    fn run(&self, task: &Task) -> Result<Record, StudyFailure> {
        let id = || self.plan.manifest().points[task.point].id.clone();
        let scenario = match task.scenario.get() {
            Some(scenario) => scenario,
            None => {
                let scenario =
                    self.plan.scenario(task.point).map_err(|problems| StudyFailure::Scenario(problems.into()))?;
                if scenario.hash() != self.plan.manifest().points[task.point].hash {
                    return Err(StudyFailure::Changed(id()));
                }
                task.scenario.get_or_init(|| scenario)
            }
        };
        let outcome = run(scenario, task.replication, self.verify)
            .map_err(|failure| StudyFailure::Run { point: id(), failure })?;
        Ok((self.record)(task.point, scenario, task.replication, &outcome))
    }

    /// Enters a run into the folder, and looks whether its point has enough of them.
    fn enter(&self, state: &mut State<'_>, task: &Task, record: &Record) -> Result<(), StudyFailure> {
        let rule = &self.plan.manifest().replications;
        state.folder.append(task.point, task.replication, record)?;
        state.ran += 1;
        state.progress.done += 1;
        let position = state.open.iter().position(|open| open.point == task.point).expect("its point is open");
        let open = &mut state.open[position];
        open.running -= 1;
        open.samples[task.replication as usize] = Some(rule.sample(&record.line));
        if !open.is_over() {
            return Ok(());
        }
        let samples: Vec<Sample> = open.samples.iter().copied().flatten().collect();
        let mut open = state.open.swap_remove(position);
        match rule.next_look(&samples) {
            Some(next) => {
                open.look_at(next, state)?;
                state.open.push(open);
            }
            None => state.end(rule, open.look),
        }
        Ok(())
    }
}

/// What the threads share.
struct Shared<'a> {
    state: Mutex<State<'a>>,
    /// A run is over.
    changed: Condvar,
}

impl<'a> Shared<'a> {
    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().expect("no thread panicked")
    }
}

struct State<'a> {
    folder: &'a mut Folder,
    /// Points that were not begun.
    waiting: VecDeque<usize>,
    /// Points that were begun and are not over: about as many as threads.
    open: Vec<Open>,
    failure: Option<StudyFailure>,
    ran: u64,
    /// A thread panicked.
    halted: bool,
    progress: Progress,
}

impl State<'_> {
    /// A point is over, after so many replications.
    fn end(&mut self, rule: &Rule, replications: u32) {
        self.progress.points_done += 1;
        self.progress.runs -= u64::from(rule.most() - replications);
    }
}

/// A point that is being run.
struct Open {
    point: usize,
    /// Made by whoever runs it first.
    scenario: Arc<OnceLock<Scenario>>,
    todo: VecDeque<u32>,
    running: u32,
    /// What the rule looks at, of each replication before the next look.
    samples: Vec<Option<Sample>>,
    /// After how many replications the rule looks next.
    look: u32,
}

/// A run.
struct Task {
    point: usize,
    scenario: Arc<OnceLock<Scenario>>,
    replication: u32,
}

impl Open {
    fn next(&mut self) -> Option<Task> {
        let replication = self.todo.pop_front()?;
        self.running += 1;
        Some(Task { point: self.point, scenario: self.scenario.clone(), replication })
    }

    /// Whether all replications before the next look are there.
    fn is_over(&self) -> bool {
        self.todo.is_empty() && self.running == 0
    }

    /// Sets the next look: what the folder has not is to be run.
    fn look_at(&mut self, look: u32, state: &mut State<'_>) -> Result<(), FolderError> {
        let rule = state.folder.manifest().replications.clone();
        let news = self.look..look;
        let mut samples = Vec::new();
        state.folder.lines(self.point, news.clone(), |line| samples.push(rule.sample(line)))?;
        let mut samples = samples.into_iter();
        for replication in news {
            let is_there = state.folder.has(self.point, replication);
            self.samples.push(if is_there { samples.next() } else { None });
            state.progress.done += u64::from(is_there);
            if !is_there {
                self.todo.push_back(replication);
            }
        }
        self.look = look;
        Ok(())
    }
}

/// If a thread panics, the others do not wait for what it was to do.
struct HaltOnPanic<'a, 'b>(&'a Shared<'b>);

impl Drop for HaltOnPanic<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if let Ok(mut state) = self.0.state.lock() {
                state.halted = true;
            }
            self.0.changed.notify_all();
        }
    }
}
