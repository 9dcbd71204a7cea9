//! What a call on a host can fail with.

use std::io;
use std::sync::Arc;

use thiserror::Error;

use crate::mailslot::Win32Error;

/// Why a call failed.
#[derive(Clone, Debug, Error)]
pub enum Error {
    /// The engine refused it, as the Win32 call would have been.
    #[error(transparent)]
    Win32(#[from] Win32Error),
    /// A socket refused it.
    #[error("the network failed: {0} (ERROR_UNEXP_NET_ERR, {UNEXPECTED_NETWORK_ERROR})")]
    Network(Arc<io::Error>),
}

impl Error {
    /// The number that `GetLastError` would give.
    #[must_use]
    pub fn code(&self) -> u32 {
        match self {
            Error::Win32(error) => error.code(),
            Error::Network(_) => UNEXPECTED_NETWORK_ERROR,
        }
    }
}

/// ERROR_UNEXP_NET_ERR, for whatever a socket refuses: a choice, the sources do not say which number a write gets when
/// the network below it fails.
pub const UNEXPECTED_NETWORK_ERROR: u32 = 59;
