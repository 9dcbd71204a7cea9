//! Being told what a host does.

use std::net::SocketAddrV4;

use crate::mailslot::{Disposition, Event, Service, Transmit, Win32Error, Write};
use crate::time::Instant;

/// Is told what a host does, in order, as it does it: for logs, captures and statistics. Times are those of the host's
/// engine, from 0 when the host was made.
///
/// It is called while the host is locked: it must not call the host.
pub trait Watch: Send + 'static {
    /// A packet came, and the engine has taken it; what became of it is known for the datagram service only.
    fn received(
        &mut self,
        now: Instant,
        service: Service,
        from: SocketAddrV4,
        payload: &[u8],
        disposition: Option<Disposition>,
    ) {
        let _ = (now, service, from, payload, disposition);
    }

    /// The time that the engine had asked for has come.
    fn timed_out(&mut self, now: Instant) {
        let _ = now;
    }

    /// The engine gave out a packet, because of the latest of the other calls or of a call of a program; it is handed to
    /// the socket next.
    fn sent(&mut self, now: Instant, transmit: &Transmit, payload: &[u8]) {
        let _ = (now, transmit, payload);
    }

    /// A program's write returned or is pending, and the packets of that have been given out.
    fn wrote(&mut self, now: Instant, result: &Result<Write, Win32Error>) {
        let _ = (now, result);
    }

    /// Something happened in the engine.
    fn event(&mut self, now: Instant, event: &Event) {
        let _ = (now, event);
    }
}

/// Nobody watches.
impl Watch for () {}
