//! Exit codes.

use std::process::ExitCode;

use mailslot_sim::report::Verdict;
use mailslot_sim::study::{Failure, FolderError, StudyFailure};

/// How a command ended. The numbers are part of the interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It ran; all expectations hold.
    Success = 0,
    /// A bug of ours.
    InternalError = 1,
    /// Bad command line.
    BadCommandLine = 2,
    /// There was nothing to do.
    NothingSelected = 4,
    /// The scenario is unreadable or invalid.
    BadScenario = 96,
    /// An expectation is violated.
    Violated = 100,
    /// Whether an expectation holds cannot be told.
    Inconclusive = 101,
    /// Two runs of the same seed differ.
    Differs = 102,
    /// Results do not belong together.
    Unrelated = 105,
    /// Some points of a study are missing.
    Incomplete = 106,
    /// Output could not be written.
    OutputFailed = 110,
    /// The real network: a socket could not be bound, or a write failed.
    #[cfg(feature = "tokio")]
    NetworkFailed = 120,
    /// `listen` waited long enough.
    #[cfg(feature = "tokio")]
    TimedOut = 124,
    /// Ctrl-C; what was finished is saved.
    Interrupted = 130,
}

impl Exit {
    /// What the verdict on an expectation makes of a command.
    pub(crate) fn of_verdict(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Holds => Exit::Success,
            Verdict::Inconclusive => Exit::Inconclusive,
            Verdict::Violated => Exit::Violated,
        }
    }

    /// What a folder of results that cannot be used makes of one.
    pub(crate) fn of_folder(error: &FolderError) -> Exit {
        match error {
            FolderError::Io { .. } | FolderError::Busy(_) => Exit::OutputFailed,
            FolderError::Foreign { .. } | FolderError::Damaged { .. } => Exit::Unrelated,
        }
    }

    /// What a run that failed makes of one.
    pub(crate) fn of_failure(failure: &Failure) -> Exit {
        match failure {
            Failure::Overload { .. } => Exit::BadScenario,
            Failure::Differs { .. } => Exit::Differs,
        }
    }

    /// What a study that could not go on makes of one.
    pub(crate) fn of_study(failure: &StudyFailure) -> Exit {
        match failure {
            StudyFailure::Run { failure, .. } => Exit::of_failure(failure),
            StudyFailure::Scenario(_) | StudyFailure::Changed(_) => Exit::BadScenario,
            StudyFailure::Folder(error) => Exit::of_folder(error),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
