//! The UDP checksum over an IPv4 pseudo header (RFC 768, RFC 1071).

use std::net::Ipv4Addr;

/// Where a UDP datagram goes from and to: what its checksum covers beside the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoints {
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
}

/// The checksum of a UDP datagram, as it stands in the header: never 0, which would mean "none".
#[must_use]
pub fn checksum(endpoints: &Endpoints, payload: &[u8]) -> u16 {
    let length = (payload.len() + 8) as u16;
    let mut sum = Sum::default();
    sum.add(&endpoints.source.octets());
    sum.add(&endpoints.destination.octets());
    sum.add(&[0, PROTOCOL_UDP]);
    sum.add(&length.to_be_bytes());
    sum.add(&endpoints.source_port.to_be_bytes());
    sum.add(&endpoints.destination_port.to_be_bytes());
    sum.add(&length.to_be_bytes());
    sum.add(payload);
    match !sum.folded() {
        0 => 0xFFFF,
        checksum => checksum,
    }
}

const PROTOCOL_UDP: u8 = 17;

/// One's complement sum of 16-bit words. Every part but the last has an even length.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let words = bytes.chunks_exact(2);
        if let [odd] = words.remainder() {
            self.0 += u64::from(*odd) << 8;
        }
        self.0 += words.map(|word| u64::from(u16::from_be_bytes([word[0], word[1]]))).sum::<u64>();
    }

    fn folded(mut self) -> u16 {
        while self.0 > 0xFFFF {
            self.0 = (self.0 & 0xFFFF) + (self.0 >> 16);
        }
        self.0 as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Endpoints {
        Endpoints {
            source: Ipv4Addr::new(10, 0, 0, 1),
            destination: Ipv4Addr::new(10, 0, 0, 2),
            source_port: 138,
            destination_port: 138,
        }
    }

    #[test]
    fn every_single_flipped_bit_changes_the_checksum() {
        let mut payload: Vec<u8> = (0..171).collect();
        let original = checksum(&endpoints(), &payload);
        for bit in 0..payload.len() * 8 {
            payload[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(checksum(&endpoints(), &payload), original, "bit {bit}");
            payload[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn opposite_flips_in_the_same_column_cancel() {
        let (original, flipped) = ([0x80, 0x00, 0x00, 0x00], [0x00, 0x00, 0x80, 0x00]);
        assert_eq!(checksum(&endpoints(), &original), checksum(&endpoints(), &flipped));
    }
}
