//! The events of a run, as plain facts: what the ledger counts and the trace shows.

use crate::id::{HostId, LinkId, StreamId};
use crate::stats::Fate;
use crate::time::{Duration, Instant};

/// One instance of a datagram on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    /// Flow and sender of the message that it carries.
    pub stream: StreamId,
    /// Number of the message in the stream.
    pub message: u64,
    /// What tells its datagram from those with other contents: the first parts of [`DatagramId`](crate::id::DatagramId), which
    /// are not the message's own where it is an answer, a reply or of the name service.
    pub identity: [u64; 2],
    /// Which of the writes that carry the message made it.
    pub copy: u16,
    /// Which of the packets of that write it is: [`DatagramId::packet`](crate::id::DatagramId).
    pub packet: u16,
    /// The path of links that duplicated it; 0 for the original.
    pub duplicate: u32,
    /// Which of its IP fragments it is: [`DatagramId::fragment`](crate::id::DatagramId::fragment).
    pub fragment: u16,
    /// Which of its sender's interfaces it left by, and which of its receiver's it arrives at: 0 until that is known.
    pub interfaces: [u8; 2],
    /// Whom it can still reach.
    pub bound: Bound,
}

/// Whom an instance can still reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// A broadcast that has not reached its segment: the whole audience.
    Audience,
    /// A broadcast for those of the audience that hear it: the recipients at this position of the stream's parts.
    Part(u32),
    /// The recipient at this position of the stream's recipients.
    Recipient(u32),
    /// A host that hears the broadcast and is not in the audience.
    Bystander,
    /// The sender of the message: it is an answer of this machine.
    Answer(HostId),
    /// The sender of the message: a program on this machine, which is in the audience, replies to it.
    Reply(HostId),
    /// The same of a program on a machine that is not in the audience.
    StrayReply(HostId),
    /// Anybody, and nobody counts for whom it is: a program wrote it, or a flow to a name that programs bear at times.
    Uncounted,
    /// Nobody in the audience: a packet of the name service, sent by this machine because a message needs a name.
    NameService(HostId),
}

impl Bound {
    /// The machine whose program replies, if it is a reply.
    #[must_use]
    pub fn replier(self) -> Option<HostId> {
        match self {
            Bound::Reply(host) | Bound::StrayReply(host) => Some(host),
            _ => None,
        }
    }
}

/// What a successful write set off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent<'a> {
    /// Whom each of the packets that were sent is bound for.
    pub packets: &'a [Bound],
    /// The sender's own position among the recipients, if a copy goes straight into its own slot.
    pub own: Option<u32>,
    /// What it means for the sender as a recipient if none does: it claims the name still, or has just given it up.
    pub without_own: Fate,
}

/// One write of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Write<'a> {
    /// Flow and sender.
    pub stream: StreamId,
    /// Number of the message.
    pub message: u64,
    /// Which write of the message.
    pub copy: u16,
    /// How many writes of the message are still to come.
    pub copies_left: u16,
    /// What it names: the position among the sender's targets.
    pub to: u32,
    /// The position of its target among the stream's targets: it says who the audience is. A group whose members change is
    /// another target each time.
    pub target: u32,
    /// Bytes of the message.
    pub bytes: u32,
    /// When the program called; the event happens when the call returns.
    pub called: Instant,
    /// What the write set off, or its Win32 error code.
    pub result: Result<Sent<'a>, u32>,
}

/// Why a machine dropped what reached it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Nobody had the slot open.
    NoSuchMailslot,
    /// The checksum or the parser refused it.
    Malformed,
    /// The machine does not bear the name.
    NotForUs,
    /// Over the slot's maximum message size.
    TooLargeForSlot,
    /// The slot's queue limit.
    SlotFull,
    /// Another fragment of the datagram did not come, or not in order.
    MissingFragment,
}

/// Something that happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event<'a> {
    /// A program began a write that did not return at once: its target's name is being looked up. An
    /// [`Event::Write`] follows.
    WriteBegun {
        /// Flow and sender.
        stream: StreamId,
        /// Number of the message.
        message: u64,
        /// What the write names: the position among the sender's targets.
        to: u32,
        /// The position of the write's target among the stream's targets.
        target: u32,
        /// How many writes of the message are still to come.
        copies_left: u16,
    },
    /// A write returned. This is all that the sender ever learns.
    Write(Write<'a>),
    /// A write of a program that is no flow returned.
    ProgramWrite {
        /// The program: its stream comes after those of the flows.
        stream: StreamId,
        /// Number of the message.
        message: u64,
        /// Bytes of the message.
        bytes: u32,
        /// Its Win32 error code if it failed.
        result: Result<(), u32>,
    },
    /// A write was not made: its program does not run, or has forgotten the message.
    Unwritten {
        /// Flow and sender.
        stream: StreamId,
        /// Number of the message; there may have been a write of it before.
        message: u64,
    },
    /// Something happened to the network or to a host.
    Fault {
        /// What.
        name: &'static str,
        /// To which host, if it is about one.
        host: Option<HostId>,
        /// What else there is to say: a domain, a mailslot, values, groups.
        what: &'a str,
    },
    /// A link was offered an instance.
    Offered {
        /// Which instance.
        instance: Instance,
        /// Which link.
        link: LinkId,
        /// Bytes of the IP datagram.
        bytes: u32,
    },
    /// A link did not hand it on, or a partition kept it from the link.
    Lost {
        /// Which instance.
        instance: Instance,
        /// Which link.
        link: LinkId,
        /// How.
        fate: Fate,
        /// Links that it had passed before.
        links_passed: u8,
    },
    /// A link flipped a bit.
    Corrupted {
        /// Which instance.
        instance: Instance,
        /// Which link.
        link: LinkId,
    },
    /// A link does not take it whole: it goes on as so many IP fragments, each an instance.
    Split {
        /// The instance that ends here.
        instance: Instance,
        /// How many.
        fragments: u32,
    },
    /// A link made an extra copy.
    Duplicated {
        /// The instance that was copied.
        instance: Instance,
        /// What tells the copy from it: the copy's [`Instance::duplicate`].
        duplicate: u32,
        /// Which link.
        link: LinkId,
    },
    /// A broadcast reached a segment from which a router forwards it: this instance goes on beside the one that spreads.
    Forwarded {
        /// The instance that goes on.
        instance: Instance,
    },
    /// A broadcast reached a segment: from here on each of these recipients has an instance of its own.
    Spread {
        /// The instance that ends here.
        instance: Instance,
        /// The recipients on the segment.
        recipients: &'a [u32],
    },
    /// It reached a machine.
    Arrived {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
    },
    /// It is an IP fragment, and came to its host: it waits there for the others.
    Collected {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
    },
    /// It came to a machine that stands still: it arrives when that goes on.
    Stalled {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
    },
    /// The machine dropped it.
    Discarded {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
        /// Why.
        reason: Reason,
        /// What that means for the recipient.
        fate: Fate,
    },
    /// It was a fragment, and another instance of its datagram speaks for it from now on: what completed the datagram, or of
    /// IP fragments what waits for the rest.
    Joined {
        /// Which instance.
        instance: Instance,
    },
    /// A slot took it.
    Enqueued {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
    },
    /// A machine sent a packet that carries no message of a flow: an answer, a reply, one of the name service or of a program.
    SentAside {
        /// The packet.
        instance: Instance,
        /// Which machine.
        host: HostId,
    },
    /// An answer or a reply reached the sender whose datagram it is about.
    Acknowledged {
        /// The answer, or the reply.
        instance: Instance,
    },
    /// A program wrote a reply to a message that it had read.
    Replied {
        /// What it had read.
        instance: Instance,
    },
    /// The first reply of a recipient came before the program that wrote the message gave up: it believes that the message
    /// was delivered there.
    Believed {
        /// Flow and sender.
        stream: StreamId,
        /// Number of the message.
        message: u64,
        /// The recipient, by its position among the stream's.
        recipient: u32,
    },
    /// All whose replies the program waits for have replied.
    Confirmed {
        /// Flow and sender.
        stream: StreamId,
        /// Number of the message.
        message: u64,
        /// How many writes of the message need not be made.
        spared: u16,
    },
    /// A slot took what was damaged on the way and addressed to another.
    Misdelivered {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
    },
    /// A program read it.
    Read {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
        /// From the write to this moment.
        delay: Duration,
        /// Whether the bytes are not those that were written.
        damaged: bool,
    },
    /// It came to a machine that is down, or what held it there has gone.
    Gone {
        /// Which instance.
        instance: Instance,
        /// Which machine.
        host: HostId,
        /// How.
        fate: Fate,
    },
    /// The run ended and it was still there.
    Left {
        /// Which instance.
        instance: Instance,
        /// On a link or in a slot.
        fate: Fate,
        /// Links that it had passed.
        links_passed: u8,
    },
}

/// A message came to its fate at a recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settled {
    /// Flow and sender.
    pub stream: StreamId,
    /// Number of the message.
    pub message: u64,
    /// The recipient, by its position among the stream's.
    pub recipient: u32,
    /// What became of it.
    pub fate: Fate,
}
