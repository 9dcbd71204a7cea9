//! What no document and no test on Windows settles. Each constant is a choice of ours, and where it is used nothing else
//! depends on it; `docs/conformance.md` lists them.

use super::Win32Error;

/// Creating or opening a mailslot whose name is empty: a choice. [MS-MAIL] 2.2.1 only asks for a name on the wire.
pub const EMPTY_NAME_ERROR: Win32Error = Win32Error::InvalidName;
/// A local write over the slot's maximum message size: a choice. The maximum is documented (CreateMailslot), the error
/// is not, and neither Wine nor ReactOS enforces it.
pub const OVER_MAXIMUM_ERROR: Win32Error = Win32Error::InvalidParameter;
/// A call on the client handle of a mailslot that was closed: a choice. That client handles are closed with their slot
/// is documented (Reading from a Mailslot); 38 is what STATUS_FILE_FORCED_CLOSED maps to.
pub const CLOSED_SLOT_ERROR: Win32Error = Win32Error::HandleEof;
/// A remote write that the mailslot's long name leaves no room for, or whose name the wire cannot carry: a choice, by
/// analogy with the documented error over 424 bytes. [MS-MAIL] note 2 says that the error is specific to the
/// implementation.
pub const NO_ROOM_ERROR: Win32Error = Win32Error::BadNetpath;
/// A write of 425 or 426 bytes where `hole_425_426` is on: a choice. The old page says only that they are not supported.
pub const HOLE_ERROR: Win32Error = Win32Error::BadNetpath;
/// A write whose target's name nobody bears, or whose name query was lost: a choice. Nothing is documented.
pub const UNRESOLVED_NAME_ERROR: Win32Error = Win32Error::BadNetpath;
/// What a policy against remote mailslots gives, and that the open gives it and not the write: a choice of the call. The
/// code is documented, which call reports it is not.
pub const REMOTE_DISABLED_AT_OPEN: Win32Error = Win32Error::RemoteMailslotsDeprecated;
/// A call in the name of a process that is not there, which on Windows nobody can make: a choice.
pub const NO_PROCESS_ERROR: Win32Error = Win32Error::InvalidParameter;
/// How a read that waits ends when the last server handle closes or its process ends: a choice between the codes of
/// cancelled and of forced-closed operations.
pub const CLOSED_READ_ERROR: Win32Error = Win32Error::OperationAborted;
/// Which of the two codes that the test on Windows accepts a read of a client handle gets that was opened for reading
/// too: a choice. The native status is STATUS_INVALID_PARAMETER.
pub const CLIENT_READ_ERROR: Win32Error = Win32Error::InvalidParameter;
/// Setting the time-out through a client handle: a choice. It is a server's call (Mailslot Operations); ReactOS answers
/// ERROR_ACCESS_DENIED.
pub const CLIENT_SET_ERROR: Win32Error = Win32Error::InvalidParameter;
