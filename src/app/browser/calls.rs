//! What a browser wants done, and what it tells.

use crate::message::browser::{Frame, HostName};
use crate::time::Duration;
use crate::wire::NetbiosName;

/// What whoever runs a browser is to do, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Write a frame to `\MAILSLOT\BROWSE` of whoever bears a NetBIOS name. Nothing depends on whether that works.
    Send {
        /// The name.
        to: NetbiosName,
        /// What to write.
        frame: Frame,
    },
    /// Bear a further NetBIOS name, group<1D>, from now on: what others send to it is for this browser.
    Bear(NetbiosName),
    /// Bear it no longer.
    Disown(NetbiosName),
}

/// What happened in a browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// As a master it heard a server announce itself. A master hears itself too, from its victory on.
    Heard {
        /// Who.
        server: HostName,
        /// Whether it was not on the list before.
        is_new: bool,
        /// When it wants to announce itself again.
        periodicity: Duration,
    },
    /// As a master it took a server off the list.
    Removed {
        /// Who.
        server: HostName,
        /// Why.
        why: Removal,
    },
    /// It won an election and is a new master; its list is empty but for itself.
    Won,
    /// It was a master, and is none any more: its list is gone.
    SteppedDown,
}

/// Why a server is not on the list any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// Nothing was heard of it for more than three of its periods.
    Expired,
    /// It said that it shuts down.
    Left,
}
