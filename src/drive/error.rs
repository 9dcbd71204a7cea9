//! What a call on a host can fail with.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use thiserror::Error;

use crate::mailslot::Win32Error;
use crate::wire::NetbiosName;

/// Why a call failed.
#[derive(Clone, Debug, Error)]
pub enum Error {
    /// The engine refused it, as the Win32 call would have been.
    #[error(transparent)]
    Win32(#[from] Win32Error),
    /// A socket refused it.
    #[error("the network failed: {0} (ERROR_UNEXP_NET_ERR, {UNEXPECTED_NETWORK_ERROR})")]
    Network(#[source] Arc<io::Error>),
    /// A NetBIOS name is another's.
    #[error(
        "the NetBIOS name {name} is not to be had{} (ERROR_DUP_NAME, {DUPLICATE_NAME})",
        by.map(|by| format!(": {by} bears it")).unwrap_or_default()
    )]
    NameRefused {
        /// The name.
        name: NetbiosName,
        /// The owner that the objection names, if it names one.
        by: Option<Ipv4Addr>,
    },
}

impl Error {
    /// The number that `GetLastError` would give.
    #[must_use]
    pub fn code(&self) -> u32 {
        match self {
            Error::Win32(error) => error.code(),
            Error::Network(_) => UNEXPECTED_NETWORK_ERROR,
            Error::NameRefused { .. } => DUPLICATE_NAME,
        }
    }
}

/// ERROR_UNEXP_NET_ERR, for whatever a socket refuses: a choice, the sources do not say which number a write gets when
/// the network below it fails.
pub const UNEXPECTED_NETWORK_ERROR: u32 = 59;
/// ERROR_DUP_NAME.
pub const DUPLICATE_NAME: u32 = 52;
