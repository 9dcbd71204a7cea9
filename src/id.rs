//! The identities that the parts of a run share: small numbers for hosts, links and flows, and the name of a datagram.

use serde::Serialize;

/// Defines the index of an entry in one of the tables of a run.
macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the table that this index belongs to.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// A machine of the simulated network.
    HostId
);
index!(
    /// A broadcast domain (a LAN).
    SegmentId
);
index!(
    /// One direction of one attachment, or one crossing of a router.
    LinkId
);
index!(
    /// One `[[traffic]]` entry of a scenario.
    FlowId
);
index!(
    /// One sender of one flow: its messages are numbered from 0, and reordering and loss periods are counted along
    /// them.
    StreamId
);

/// What tells one datagram of a run from every other, wherever it is and in whatever order things happen.
///
/// All randomness of the links is a function of this identity (and of seed, replication, link and purpose), never of
/// the order of events: the draw discipline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DatagramId {
    /// Number of the stream, made of the names of flow and sender (`rng::Root::stream_key`), not of their positions.
    pub stream_key: u64,
    /// Number of the message within its stream, from 0.
    pub message: u64,
    /// Which of the writes that carry the message this is, from 0.
    pub copy: u16,
    /// Which packet of the write this is ([`DatagramId::packet_number`]): transport and fragment, both from 0, so that
    /// neither moves the other's.
    pub packet: u16,
    /// The hops that duplicated the datagram, one bit each: the path of links that made this instance, 0 for the
    /// original.
    pub duplicate: u32,
    /// Where in its IP datagram this IP fragment begins, in units of 8 bytes, as its header says (RFC 791 section 3.1): 0
    /// for the first fragment, and for a datagram that goes whole.
    pub fragment: u16,
    /// Of a broadcast that a router forwarded, a number for the segment that it was sent on, made of its name: there it can
    /// meet what its sender sent by another interface. Else 0.
    pub origin: u32,
}

/// The most links that a datagram may pass: one bit each in [`DatagramId::duplicate`].
pub const MAX_HOPS: u32 = 32;

impl DatagramId {
    /// The only packet of the first write of a message, as it leaves its host.
    #[must_use]
    pub const fn new(stream_key: u64, message: u64) -> Self {
        DatagramId { stream_key, message, copy: 0, packet: 0, duplicate: 0, fragment: 0, origin: 0 }
    }

    /// The number of a packet in [`DatagramId::packet`].
    #[must_use]
    pub const fn packet_number(transport: u8, fragment: u8) -> u16 {
        (transport as u16) << 8 | fragment as u16
    }

    /// The number of the transport that the datagram goes out on.
    #[must_use]
    pub const fn transport(&self) -> u8 {
        (self.packet >> 8) as u8
    }

    /// The instance that the link at position `hop` of the path makes of this one.
    ///
    /// # Panics
    ///
    /// If `hop` is not below [`MAX_HOPS`].
    #[must_use]
    pub fn duplicated_at(self, hop: u8) -> DatagramId {
        assert!(u32::from(hop) < MAX_HOPS, "hop {hop} is over the limit of {MAX_HOPS}");
        DatagramId { duplicate: self.duplicate | 1 << hop, ..self }
    }
}
