//! The mailslot engine: what one machine does with mailslots, without any IO.
//!
//! [`Machine`] holds the slots, handles and NetBIOS names of one machine and offers the calls of the Win32 API. It
//! knows no socket, clock, generator or simulator. Whoever drives it, in the manner of quinn-proto, uses five verbs:
//!
//! * [`Machine::handle_datagram`], [`Machine::handle_name_packet`]: a UDP payload arrived on port 138 or 137, now;
//! * [`Machine::handle_timeout`]: the time that was asked for has come;
//! * [`Machine::poll_transmit`]: the next packet to send, written into the caller's buffer;
//! * [`Machine::poll_timeout`]: when to come back;
//! * [`Machine::poll_event`]: what has happened meanwhile: which pending reads have completed, say.
//!
//! A successful write says that the message was queued (local slot) or handed to the network (remote). Nothing ever
//! tells the writer more: that is the point of the whole crate.
//!
//! ```
//! use std::sync::Arc;
//! use mailslot_sim::mailslot::{Config, CreateOptions, Directory, Machine, OpenOptions, Owner, Read, Write};
//! use mailslot_sim::time::Instant;
//!
//! let owners = [
//!     ("CTRL<00>".parse()?, Owner::Unique([10, 0, 0, 1].into())),
//!     ("PRESS<00>".parse()?, Owner::Unique([10, 0, 0, 2].into())),
//! ];
//! let directory: Arc<Directory> = Arc::new(owners.into_iter().collect());
//! let mut ctrl = Machine::new(Config::new("CTRL", "PLANT", [10, 0, 0, 1].into())?, directory.clone());
//! let mut press = Machine::new(Config::new("PRESS", "PLANT", [10, 0, 0, 2].into())?, directory);
//!
//! let now = Instant::ZERO;
//! let slot = press.create_mailslot(r"\\.\mailslot\alarm", CreateOptions::default())?;
//! let client = ctrl.open(r"\\PRESS\mailslot\alarm", OpenOptions::default())?;
//! let Write::Done(written) = ctrl.write(now, client, b"stop")? else { panic!("the name is known") };
//! assert_eq!(written.bytes, 4);
//!
//! let mut packet = Vec::new();
//! while ctrl.poll_transmit(&mut packet).is_some() {
//!     press.handle_datagram(now, "10.0.0.1:138".parse()?, &packet);
//! }
//! let Read::Done(message) = press.read(now, slot, 64)? else { panic!("a message waits") };
//! assert_eq!(message.data, b"stop");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calls;
pub mod choices;
mod config;
mod error;
mod machine;
mod objects;
mod path;
mod reassembly;
mod receive;
mod slot;
mod transmit;

pub use calls::{
    Access, Account, ApiProfile, CreateOptions, Event, Handle, MailslotInfo, OpenOptions, ProcessId, Read, ReadId,
    WriteId,
};
pub use config::{API_MAX_REMOTE, Config, Limits};
pub use error::Win32Error;
pub use machine::Machine;
pub use path::{InvalidPath, MAX_PATH_CHARACTERS, MailslotPath, Server, SlotName};
pub use reassembly::{FRAGMENT_TIMEOUT, MAX_REASSEMBLIES, ReassemblyKey};
pub use receive::{Discard, Disposition, MAX_ANSWERS};
pub use slot::{Message, Receipt};
pub use transmit::{MAX_PENDING_WRITES, Service, Transmit, Write, Written};

pub use crate::names::{Destination, Directory, NameKind, Owner};

/// Read time-out of a slot whose reads wait without end (MAILSLOT_WAIT_FOREVER).
pub const WAIT_FOREVER: u32 = 0xFFFF_FFFF;
/// Size of the next message when there is none (MAILSLOT_NO_MESSAGE).
pub const NO_MESSAGE: u32 = 0xFFFF_FFFF;
