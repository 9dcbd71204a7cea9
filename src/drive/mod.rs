//! The engine on a network: hosts, mailslots and clients as an async program uses them.
//!
//! [`Host`] runs the same [`Machine`](crate::mailslot::Machine) that the simulator runs, over two UDP sockets: that of the
//! datagram service and that of the name service. What it needs of a socket is the small trait [`DatagramSocket`], so the
//! same program runs
//!
//! * on a real network, with tokio's sockets ([`Sockets::bind`]): names are found and claimed by broadcast, as B nodes do;
//! * under turmoil, with turmoil's sockets or with impaired ones (`drive::turmoil`, feature `turmoil`).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mailslot_sim::drive::{Host, Interface, Ports, Sockets};
//! use mailslot_sim::mailslot::{Config, Machine};
//! use mailslot_sim::names::Mode;
//!
//! let ports = Ports { datagram: 11_138, name: 11_137 }; // 138 and 137 need privileges
//! let host = |name: &str, address: [u8; 4]| -> Result<_, Box<dyn std::error::Error>> {
//!     let interface = Interface { address: address.into(), broadcast: [127, 255, 255, 255].into() };
//!     let machine = Machine::new(Config::new(name, "PLANT", interface.address)?, Mode::Broadcast);
//!     Ok(Host::new(machine, Sockets::bind(interface, ports)?))
//! };
//! let press = host("PRESS", [127, 0, 0, 2])?;
//! let ctrl = host("CTRL", [127, 0, 0, 3])?;
//!
//! let alarms = press.listen(r"\\.\mailslot\alarm")?;
//! let alarm = ctrl.open(r"\\PRESS\mailslot\alarm")?;
//! alarm.send(b"stop").await?; // looked up, and handed to the network: no more is known
//! assert_eq!(alarms.recv().await?.data, b"stop");
//! # Ok(())
//! # }
//! ```
//!
//! This is the only part that knows tokio, turmoil and the clock.

mod bind;
mod client;
mod error;
mod host;
mod server;
mod shared;
mod socket;
#[cfg(feature = "turmoil")]
pub mod turmoil;
mod watch;

pub use bind::{BindError, Interface, InterfaceError};
pub use client::Client;
pub use error::{DUPLICATE_NAME, Error, UNEXPECTED_NETWORK_ERROR};
pub use host::Host;
pub use server::{Mailslot, Messages};
pub use shared::MAX_OUTBOX;
pub use socket::{DatagramSocket, Ports, Sockets};
pub use watch::Watch;
