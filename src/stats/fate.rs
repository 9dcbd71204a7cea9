//! The fates.

/// What became of one message at one recipient: exactly one of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// A reader got it.
    Delivered,
    /// It was waiting in the slot when the run ended.
    Unread,
    /// It was still on a link when the run ended.
    InFlight,
    /// There is no way by topology, or no router forwards the broadcast.
    Unreachable,
    /// It was cut off by an event.
    LostInPartition,
    /// A loss model took it.
    LostOnLink,
    /// A link's queue was full.
    LostInQueue,
    /// A fragment was missing.
    LostFragment,
    /// It was damaged and refused, or no longer addressed to this recipient.
    Corrupted,
    /// The recipient was down.
    HostDown,
    /// Nobody had the slot open.
    NoSuchMailslot,
    /// It was over the slot's maximum message size.
    TooLargeForSlot,
    /// The slot's queue limit refused it.
    SlotFull,
    /// It was queued, then the last server handle closed.
    ClosedUnread,
}

impl Fate {
    /// All fates, in the order of the reports.
    pub const ALL: [Fate; 14] = [
        Fate::Delivered,
        Fate::Unread,
        Fate::InFlight,
        Fate::Unreachable,
        Fate::LostInPartition,
        Fate::LostOnLink,
        Fate::LostInQueue,
        Fate::LostFragment,
        Fate::Corrupted,
        Fate::HostDown,
        Fate::NoSuchMailslot,
        Fate::TooLargeForSlot,
        Fate::SlotFull,
        Fate::ClosedUnread,
    ];

    /// Its name in reports and traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Fate::Delivered => "delivered",
            Fate::Unread => "unread",
            Fate::InFlight => "in_flight",
            Fate::Unreachable => "unreachable",
            Fate::LostInPartition => "lost_in_partition",
            Fate::LostOnLink => "lost_on_link",
            Fate::LostInQueue => "lost_in_queue",
            Fate::LostFragment => "lost_fragment",
            Fate::Corrupted => "corrupted",
            Fate::HostDown => "host_down",
            Fate::NoSuchMailslot => "no_such_mailslot",
            Fate::TooLargeForSlot => "too_large_for_slot",
            Fate::SlotFull => "slot_full",
            Fate::ClosedUnread => "closed_unread",
        }
    }

    /// Whether the network lost it on the way: what loss periods are made of.
    #[must_use]
    pub const fn is_network_loss(self) -> bool {
        matches!(
            self,
            Fate::LostOnLink | Fate::LostInQueue | Fate::LostFragment | Fate::LostInPartition | Fate::Corrupted
        )
    }
}
