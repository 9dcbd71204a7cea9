//! Names with label pointers, which only the name service has (RFC 1002 4.1).

use crate::wire::name::{FIRST_LABEL, MAX_ENCODED_NAME, SCOPELESS_LENGTH};
use crate::wire::{Name, NameFault, NetbiosName, Scope};

use super::HEADER;

/// The most label pointers that one name may follow: a choice, which keeps the cost of a packet linear in its length.
/// A request needs one (RFC 1002 4.2.2).
pub const MAX_POINTERS: usize = 8;

/// Reads the name that starts at `start` of a packet; returns it and the offset of what follows it.
///
/// Each pointer must lead to before the labels that it ends, so that no chain of them comes back to itself.
pub(super) fn parse_name(packet: &[u8], start: usize) -> Result<(Name, usize), NameFault> {
    let byte = |at: usize| packet.get(at).copied().ok_or(NameFault::Truncated);
    let (mut at, mut run, mut after, mut pointers) = (start, start, None, 0);
    let mut netbios = None;
    let mut scope = Vec::new();
    loop {
        let length = byte(at)?;
        match (length, netbios) {
            (0xC0.., _) => {
                let target = usize::from(length & 0x3F) << 8 | usize::from(byte(at + 1)?);
                if !(HEADER..run).contains(&target) {
                    return Err(NameFault::PointerTarget(target));
                }
                pointers += 1;
                if pointers > MAX_POINTERS {
                    return Err(NameFault::PointerChain);
                }
                after = after.or(Some(at + 2));
                (at, run) = (target, target);
            }
            (FIRST_LABEL, None) => {
                let letters = packet.get(at + 1..).and_then(<[u8]>::first_chunk).ok_or(NameFault::Truncated)?;
                netbios = Some(NetbiosName::parse_letters(letters)?);
                at += 1 + letters.len();
            }
            (_, None) => return Err(NameFault::FirstLabel(length)),
            (0, Some(netbios)) => {
                return Ok((Name { netbios, scope: Scope::from_labels(&scope) }, after.unwrap_or(at + 1)));
            }
            (1..=0x3F, Some(_)) => {
                let next = at + 1 + usize::from(length);
                scope.extend_from_slice(packet.get(at..next).ok_or(NameFault::Truncated)?);
                if SCOPELESS_LENGTH + scope.len() > MAX_ENCODED_NAME {
                    return Err(NameFault::TooLong);
                }
                at = next;
            }
            _ => return Err(NameFault::ReservedLabel(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet whose first name is `A<00>` in the scope `B`, at offset 12: 36 bytes, so that it ends at 48.
    fn packet(then: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; HEADER];
        Name { netbios: NetbiosName::new("A", 0).unwrap(), scope: "B".parse().unwrap() }.emit(&mut packet);
        assert_eq!(packet.len(), 48);
        packet.extend_from_slice(then);
        packet
    }

    #[test]
    fn pointers_lead_back_to_whole_names_and_to_their_ends() {
        let (first, after) = parse_name(&packet(&[]), 12).unwrap();
        assert_eq!((first.netbios, &first.scope, after), ("A<00>".parse().unwrap(), &"B".parse().unwrap(), 48));
        assert_eq!(parse_name(&packet(b"\xC0\x0C!"), 48), Ok((first.clone(), 50)));
        // Its own first label and the scope of the first name, by way of a pointer to a pointer.
        let mut own = packet(b"\xC0\x2D");
        own.extend_from_slice(&packet(&[])[12..45]);
        own.extend_from_slice(b"\xC0\x30");
        assert_eq!(parse_name(&own, 50), Ok((first, 85)));
    }

    #[test]
    fn pointers_lead_back_inside_the_packet_and_not_for_ever() {
        for target in [0, 11, 48, 50, 0x3FFF] {
            let bytes = packet(&(0xC000u16 | target).to_be_bytes());
            assert_eq!(parse_name(&bytes, 48), Err(NameFault::PointerTarget(target.into())));
        }
        assert_eq!(parse_name(&packet(b"\xC0"), 48), Err(NameFault::Truncated));
        let around = packet(b"\xC0\x32\xC0\x30\xC0\x32");
        assert_eq!(parse_name(&around, 52), Err(NameFault::PointerTarget(50)), "back at first, then forwards again");
        let mut chain = packet(b"\xC0\x0C");
        for at in 0..8u8 {
            chain.extend_from_slice(&[0xC0, 48 + 2 * at]);
        }
        assert!(parse_name(&chain, 48 + 14).is_ok());
        assert_eq!(parse_name(&chain, 48 + 16), Err(NameFault::PointerChain));
    }

    #[test]
    fn other_rules_are_those_of_all_names() {
        let fault = |at: usize, byte: u8| {
            let mut bytes = packet(&[]);
            bytes[at] = byte;
            parse_name(&bytes, 12).unwrap_err()
        };
        assert_eq!(fault(12, 0x1F), NameFault::FirstLabel(0x1F));
        assert_eq!(fault(12, 0), NameFault::FirstLabel(0));
        assert_eq!(fault(13, b'Q'), NameFault::Letter(b'Q'));
        assert_eq!(fault(45, 0x40), NameFault::ReservedLabel(0x40));
        assert_eq!(fault(45, 0x3F), NameFault::Truncated);
        let mut long = packet(&[]);
        long.truncate(45);
        for _ in 0..4 {
            long.push(0x3F);
            long.extend_from_slice(&[b'X'; 0x3F]);
        }
        assert_eq!(parse_name(&long, 12), Err(NameFault::TooLong));
    }
}
