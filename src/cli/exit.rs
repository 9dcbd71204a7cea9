//! Exit codes.

use std::process::ExitCode;

/// How a command ended. The numbers are part of the interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It ran; all expectations hold.
    Success = 0,
    /// A bug of ours.
    InternalError = 1,
    /// Bad command line.
    BadCommandLine = 2,
    /// The scenario is unreadable or invalid.
    BadScenario = 96,
    /// An expectation is violated.
    Violated = 100,
    /// Output could not be written.
    OutputFailed = 110,
    /// The real network: a socket could not be bound, or a write failed.
    #[cfg(feature = "tokio")]
    NetworkFailed = 120,
    /// `listen` waited long enough.
    #[cfg(feature = "tokio")]
    TimedOut = 124,
    /// Ctrl-C.
    #[cfg(feature = "tokio")]
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
