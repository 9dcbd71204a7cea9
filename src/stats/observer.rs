//! Those who are told what happens in a run.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use super::event::{Event, Instance, Settled};
use super::ledger::StreamLayout;
use crate::draw::Judgement;
use crate::id::{HostId, LinkId};
use crate::time::Instant;

/// Somebody who is told every event of a run, in order.
pub trait Observer {
    /// Learns who the streams of the run are, before anything happens.
    fn begin(&mut self, streams: &[StreamLayout]) {
        let _ = streams;
    }

    /// Takes note of `event`, which happens at `at`.
    fn observe(&mut self, at: Instant, event: &Event<'_>);

    /// Learns that a message came to its fate at a recipient, by the event before.
    fn settled(&mut self, at: Instant, settled: &Settled) {
        let _ = (at, settled);
    }

    /// Sees the packet that comes to a link, before what happens to it there.
    fn see(&mut self, at: Instant, link: LinkId, frame: &Frame<'_>) {
        let _ = (at, link, frame);
    }

    /// May ask how a link came to its verdict on an instance that it is offered, before the events that come of it.
    fn judged(&mut self, at: Instant, link: LinkId, instance: &Instance, judgement: &dyn Fn() -> Judgement) {
        let _ = (at, link, instance, judgement);
    }
}

/// Watches nothing.
impl Observer for () {
    fn observe(&mut self, _: Instant, _: &Event<'_>) {}
}

/// The functions of an [`Observer`] that tells others all that it is told.
macro_rules! tell {
    ($self:ident, $($others:expr),+) => {
        fn begin(&mut $self, streams: &[StreamLayout]) {
            $(for other in $others { other.begin(streams); })+
        }

        fn observe(&mut $self, at: Instant, event: &Event<'_>) {
            $(for other in $others { other.observe(at, event); })+
        }

        fn settled(&mut $self, at: Instant, settled: &Settled) {
            $(for other in $others { other.settled(at, settled); })+
        }

        fn see(&mut $self, at: Instant, link: LinkId, frame: &Frame<'_>) {
            $(for other in $others { other.see(at, link, frame); })+
        }

        fn judged(&mut $self, at: Instant, link: LinkId, instance: &Instance, judgement: &dyn Fn() -> Judgement) {
            $(for other in $others { other.judged(at, link, instance, judgement); })+
        }
    };
}

/// Watches if it is there.
impl<T: Observer> Observer for Option<T> {
    tell!(self, self.iter_mut());
}

/// Two watch.
impl<A: Observer, B: Observer> Observer for (A, B) {
    tell!(self, [&mut self.0], [&mut self.1]);
}

/// A borrowed observer sees what happened after the run has ended.
impl<T: Observer + ?Sized> Observer for &mut T {
    tell!(self, [&mut **self]);
}

/// A shared observer, for drivers that keep theirs until the end.
impl<T: Observer> Observer for Rc<RefCell<T>> {
    tell!(self, [&mut *self.borrow_mut()]);
}

/// An IP packet on a link: a UDP datagram, or a fragment of one.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// Who sent it, by which of its interfaces.
    pub from: (HostId, u8),
    /// Whose address it goes to, and that of which interface; `None` for the broadcast address of the segment that it was sent on.
    pub to: Option<(HostId, u8)>,
    /// The UDP port, which is the same at both ends.
    pub port: u16,
    /// The UDP payload of the whole datagram as it is.
    pub payload: &'a [u8],
    /// As it was sent: its checksum is that of these bytes.
    pub sent: &'a [u8],
    /// Of a fragment, which bytes behind the IP header of the whole datagram it has.
    pub part: Option<Range<u32>>,
}
