//! The browser service of one computer (MS-BRWS): it announces the computer, and takes part in electing the one master
//! of its group and segment, which keeps the list of all.
//!
//! [`Browser`] knows no mailslot, socket, clock or generator. Whoever runs it, in the manner of quinn-proto, uses five
//! verbs:
//!
//! * [`Browser::handle_frame`]: a frame arrived in `\MAILSLOT\BROWSE` or `\MAILSLOT\LANMAN`, now;
//! * [`Browser::handle_timeout`]: the time that was asked for has come;
//! * [`Browser::poll_action`]: what to do: write a frame, or bear another NetBIOS name;
//! * [`Browser::poll_timeout`]: when to come back;
//! * [`Browser::poll_event`]: what has happened: who is on the list, who is master.
//!
//! Nothing is acknowledged. The service is soft state made for loss: what matters is said again and again, and what is
//! not heard for long enough is forgotten.
//!
//! | what | when |
//! |---|---|
//! | HostAnnouncement, to group<1D> | at the start and by [`HOST_ANNOUNCEMENT_PERIODS`]; up to [`MAX_ANSWER_DELAY`] after an AnnouncementRequest |
//! | GetBackupListRequest, to group<1D> | at the start, up to [`BACKUP_LIST_TRIES`] times; without an answer an election is demanded |
//! | AnnouncementRequest, to group<1D> | after [`MASTER_SILENCE`], up to [`FIND_MASTER_TRIES`] times; then an election is called |
//! | RequestElection, to group<1E> | [`SENDS_TO_WIN`] times by whoever is not beaten |
//! | AnnouncementRequest, to group<00> | by a new master |
//! | LocalMasterAnnouncement, to group<1E> | by a master: after each victory and by [`LOCAL_MASTER_ANNOUNCEMENT_PERIODS`], and at once when asked |
//! | GetBackupListResponse, to the asker | by a master |
//!
//! A server leaves the list when more than [`PERIODS_TO_EXPIRY`] of its periods passed without an announcement. While
//! periods grow, fewer than three announcements fit into that time: the one at 0 min, say, promises the next in 1 min, and
//! only those of 1 and 2 min come before the entry is removed. The list is most forgetful in the first half hour.
//!
//! Not modelled: backup browsers (they fetch the list over SMB sessions, which are no mailslot messages), domain masters
//! and machine groups. Their frames are ignored.
//!
//! ```
//! use mailslot_sim::app::browser::{Action, Browser, Event};
//! use mailslot_sim::message::browser::Frame;
//! use mailslot_sim::rng::Root;
//! use mailslot_sim::time::Instant;
//!
//! // A computer that is alone: nobody answers, so it demands an election, and wins it.
//! let rng = Root { seed: 1, replication: 0 }.workload("browser", "ALPHA", "waits");
//! let mut browser = Browser::start(Instant::ZERO, "ALPHA<00>".parse()?, "FARM<00>".parse()?, rng)?;
//! while !browser.is_master() {
//!     let now = browser.poll_timeout();
//!     browser.handle_timeout(now);
//! }
//! let actions: Vec<Action> = std::iter::from_fn(|| browser.poll_action()).collect();
//! assert!(actions.contains(&Action::Bear("FARM<1D>".parse()?)));
//! let elections = |action: &&Action| matches!(action, Action::Send { frame: Frame::RequestElection(_), .. });
//! assert_eq!(actions.iter().filter(elections).count(), 1 + 4);
//! let events: Vec<Event> = std::iter::from_fn(|| browser.poll_event()).collect();
//! assert!(events.contains(&Event::Won));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calls;
mod election;
mod list;
mod schedule;
mod search;
mod service;

pub use calls::{Action, Event, Removal};
pub use election::{
    LATER_ELECTION_DELAY, MASTER_ELECTION_DELAY, MAX_ELECTION_SENDS, POTENTIAL_ELECTION_DELAY, SENDS_TO_WIN,
};
pub use list::{LIST_GRAIN, MAX_SERVERS, PERIODS_TO_EXPIRY};
pub use schedule::{HOST_ANNOUNCEMENT_PERIODS, LOCAL_MASTER_ANNOUNCEMENT_PERIODS};
pub use search::{BACKUP_LIST_TIMEOUT, BACKUP_LIST_TRIES, FIND_MASTER_TIMEOUT, FIND_MASTER_TRIES, MASTER_SILENCE};
pub use service::{Browser, MAX_ANSWER_DELAY, OS_VERSION};
