//! The Win32 error codes that mailslot calls report.

use thiserror::Error;

/// A Win32 error; its number is [`Win32Error::code`]. Which call gives which one, and on whose word, stands at the
/// calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Error)]
#[repr(u32)]
pub enum Win32Error {
    /// ERROR_FILE_NOT_FOUND: no such local mailslot.
    #[error("the mailslot does not exist (ERROR_FILE_NOT_FOUND, 2)")]
    FileNotFound = 2,
    /// ERROR_PATH_NOT_FOUND: no name was given, or one of a device that does not exist.
    #[error("there is no such path (ERROR_PATH_NOT_FOUND, 3)")]
    PathNotFound = 3,
    /// ERROR_ACCESS_DENIED: the handle, or the mailslot's descriptor, does not allow the call.
    #[error("access is denied (ERROR_ACCESS_DENIED, 5)")]
    AccessDenied = 5,
    /// ERROR_INVALID_HANDLE: no such handle.
    #[error("the handle is invalid (ERROR_INVALID_HANDLE, 6)")]
    InvalidHandle = 6,
    /// ERROR_SHARING_VIOLATION: the share modes of two opens do not agree.
    #[error("the mailslot is opened by another with other share modes (ERROR_SHARING_VIOLATION, 32)")]
    SharingViolation = 32,
    /// ERROR_HANDLE_EOF: the slot of a client handle is gone.
    #[error("the mailslot of the handle is closed (ERROR_HANDLE_EOF, 38)")]
    HandleEof = 38,
    /// ERROR_BAD_NETPATH: nobody bears the name, or the message is too long for a datagram.
    #[error("the network path was not found (ERROR_BAD_NETPATH, 53)")]
    BadNetpath = 53,
    /// ERROR_INVALID_PARAMETER.
    #[error("a parameter is invalid (ERROR_INVALID_PARAMETER, 87)")]
    InvalidParameter = 87,
    /// ERROR_SEM_TIMEOUT: no message came in time.
    #[error("no message came in time (ERROR_SEM_TIMEOUT, 121)")]
    SemTimeout = 121,
    /// ERROR_INSUFFICIENT_BUFFER: the next message is longer than the buffer.
    #[error("the next message is longer than the buffer (ERROR_INSUFFICIENT_BUFFER, 122)")]
    InsufficientBuffer = 122,
    /// ERROR_INVALID_NAME: not a mailslot name, or not one of this machine.
    #[error("the name is not that of a mailslot (ERROR_INVALID_NAME, 123)")]
    InvalidName = 123,
    /// ERROR_ALREADY_EXISTS: the name is in use.
    #[error("a mailslot of that name exists (ERROR_ALREADY_EXISTS, 183)")]
    AlreadyExists = 183,
    /// ERROR_OPERATION_ABORTED: a pending read was cancelled.
    #[error("the read was cancelled (ERROR_OPERATION_ABORTED, 995)")]
    OperationAborted = 995,
    /// ERROR_IO_PENDING: an overlapped read has not completed.
    #[error("the read is pending (ERROR_IO_PENDING, 997)")]
    IoPending = 997,
    /// ERROR_REMOTE_MAILSLOTS_DEPRECATED: a policy of Windows 11 24H2 and later forbids remote mailslots.
    #[error("remote mailslots are disabled by policy (ERROR_REMOTE_MAILSLOTS_DEPRECATED, 3025)")]
    RemoteMailslotsDeprecated = 3025,
}

impl Win32Error {
    /// The number that `GetLastError` gives.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }
}
