//! The NetBIOS name service of one machine, without any IO (RFC 1001 15, RFC 1002 5.1, UDP port 137).
//!
//! [`NameService`] holds the names of one machine, finds out who bears the names of others, and defends its own. A
//! machine with [`Config::is_server`] also answers as a NetBIOS name server, which Windows calls WINS. It knows no
//! socket, clock or generator; whoever drives it uses five verbs, as with the mailslot engine:
//!
//! * [`NameService::handle_packet`]: a UDP payload arrived, now;
//! * [`NameService::handle_timeout`]: the time that was asked for has come;
//! * [`NameService::poll_transmit`]: the next packet to send, written into the caller's buffer;
//! * [`NameService::poll_timeout`]: when to come back;
//! * [`NameService::poll_event`]: what has become of lookups and claims.
//!
//! | a B node | sends | and it is over |
//! |---|---|---|
//! | looks a name up | up to 3 queries, 250 ms apart | at the first answer, else after 750 ms |
//! | claims a name | 3 registrations, 250 ms apart; an overwrite demand | at the first objection, else after 750 ms |
//! | releases a name | 3 demands, 250 ms apart | at once |
//!
//! With a name server each of them is up to 3 requests to it, 5 s apart, until it answers.
//!
//! ```
//! use mailslot_sim::names::{Config, Event, Lookup, Mode, NameKind, NameService, Owner};
//! use mailslot_sim::time::Instant;
//! use mailslot_sim::wire::{NetbiosName, Scope};
//!
//! let node = |last| Config {
//!     address: [10, 0, 0, last].into(),
//!     scope: Scope::default(),
//!     mode: Mode::Broadcast,
//!     is_server: false,
//! };
//! let press: NetbiosName = "PRESS<00>".parse()?;
//! let mut a = NameService::new(node(1), []);
//! let mut b = NameService::new(node(2), [(press, NameKind::Unique)]);
//!
//! let (now, mut packet) = (Instant::ZERO, Vec::new());
//! assert_eq!(a.lookup(now, &press), Lookup::Pending);
//! a.poll_transmit(&mut packet).expect("a query is broadcast");
//! b.handle_packet(now, "10.0.0.1:137".parse()?, &packet);
//! b.poll_transmit(&mut packet).expect("the owner answers");
//! a.handle_packet(now, "10.0.0.2:137".parse()?, &packet);
//! let owner = Owner::Unique([10, 0, 0, 2].into());
//! assert_eq!(a.poll_event(), Some(Event::Resolved { name: press, owner: Some(owner.clone()) }));
//! assert_eq!(a.lookup(now, &press), Lookup::Found(owner));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod calls;
mod claim;
mod database;
mod directory;
mod query;
mod receive;
mod service;
mod transaction;

pub use cache::{MAX_CACHE_SECONDS, MAX_CACHED};
pub use calls::{Config, Destination, Event, Lookup, Mode, NameKind};
pub use claim::MAX_OWN_NAMES;
pub use database::{MAX_DATABASE, SUFFIX_INTERNET_GROUP};
pub use directory::{Directory, MAX_MEMBERS, Owner};
pub use query::MAX_LOOKUPS;
pub use receive::ANSWER_TTL;
pub use service::{MAX_TRANSMITS, NameService};
pub use transaction::{
    BCAST_REQ_RETRY_COUNT, BCAST_REQ_RETRY_TIMEOUT, CONFLICT_TIMER, UCAST_REQ_RETRY_COUNT, UCAST_REQ_RETRY_TIMEOUT,
};
