//! What travels inside turmoil between a host and the switch: a datagram, and what the other side must know of it.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::time::Instant;

/// A datagram between a host's socket and the switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packet<'a> {
    /// Counts what goes this way between one socket and the switch: a gap means that turmoil lost something.
    pub(super) number: u64,
    /// When it was sent.
    pub(super) sent: Instant,
    /// The other end: where it goes to, on its way to the switch; where it comes from, on its way from there.
    pub(super) peer: SocketAddrV4,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    pub(super) fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.sent.nanos().to_be_bytes());
        bytes.extend_from_slice(&self.peer.ip().octets());
        bytes.extend_from_slice(&self.peer.port().to_be_bytes());
        bytes.extend_from_slice(self.payload);
        bytes
    }

    /// Reads what [`Packet::emit`] wrote.
    pub(super) fn parse(bytes: &'a [u8]) -> Self {
        let (number, rest) = bytes.split_first_chunk().expect(WHOLE);
        let (sent, rest) = rest.split_first_chunk().expect(WHOLE);
        let (ip, rest) = rest.split_first_chunk::<4>().expect(WHOLE);
        let (port, payload) = rest.split_first_chunk().expect(WHOLE);
        Packet {
            number: u64::from_be_bytes(*number),
            sent: Instant::from_nanos(u64::from_be_bytes(*sent)),
            peer: SocketAddrV4::new(Ipv4Addr::from(*ip), u16::from_be_bytes(*port)),
            payload,
        }
    }
}

const WHOLE: &str = "only this module's packets go this way";
/// Bytes before the payload.
pub(super) const HEADER: usize = 8 + 8 + 4 + 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let peer = "10.1.2.3:138".parse().unwrap();
        let packet = Packet { number: 7, sent: Instant::from_nanos(1 << 40), peer, payload: b"data" };
        let bytes = packet.emit();
        assert_eq!(bytes.len(), HEADER + 4);
        assert_eq!(Packet::parse(&bytes), packet);
    }
}
