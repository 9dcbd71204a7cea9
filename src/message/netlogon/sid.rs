//! Security identifiers, in which a request names its domain (MS-DTYP 2.4.2).

use std::fmt;

use thiserror::Error;

use super::super::error::InvalidMessage;
use super::super::reader::Reader;

/// The most sub-authorities of a SID (MS-DTYP 2.4.2).
pub const MAX_SUB_AUTHORITIES: usize = 15;

/// A security identifier, shown as `S-1-5-21-1-2-3`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// IdentifierAuthority: 48 bits, big-endian.
    authority: [u8; 6],
    sub_authorities: Vec<u32>,
}

impl Sid {
    /// The SID of revision 1 with these parts; of `authority` only 48 bits may be used.
    ///
    /// # Errors
    ///
    /// If `authority` is greater, or there are more than [`MAX_SUB_AUTHORITIES`] sub-authorities.
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Result<Self, InvalidSid> {
        let [0, 0, authority @ ..] = authority.to_be_bytes() else { return Err(InvalidSid::Authority(authority)) };
        if sub_authorities.len() > MAX_SUB_AUTHORITIES {
            return Err(InvalidSid::SubAuthorities(sub_authorities.len()));
        }
        Ok(Sid { authority, sub_authorities: sub_authorities.to_vec() })
    }

    /// Bytes on the wire: 8 to 68.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        HEADER + 4 * self.sub_authorities.len()
    }

    /// Reads a SID of `size` bytes.
    pub(super) fn parse(reader: &mut Reader<'_>, size: u32) -> Result<Self, InvalidMessage> {
        let value = |field, found, expected| Err(InvalidMessage::Value { field, found, expected });
        let [revision, count] = reader.array("DomainSid")?;
        if revision != REVISION {
            return value("revision of DomainSid", revision.into(), "1");
        }
        if usize::from(count) > MAX_SUB_AUTHORITIES {
            return value("SubAuthorityCount of DomainSid", count.into(), "at most 15");
        }
        if size != HEADER as u32 + 4 * u32::from(count) {
            return value("DomainSidSize", size, "the length of DomainSid");
        }
        let authority = reader.array("DomainSid")?;
        let sub_authorities: Result<_, _> = (0..count).map(|_| reader.u32("DomainSid")).collect();
        Ok(Sid { authority, sub_authorities: sub_authorities? })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[REVISION, self.sub_authorities.len() as u8]);
        out.extend_from_slice(&self.authority);
        for sub_authority in &self.sub_authorities {
            out.extend_from_slice(&sub_authority.to_le_bytes());
        }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.authority;
        let mut text = format!("S-{REVISION}-{}", u64::from_be_bytes([0, 0, a, b, c, d, e, g]));
        for sub_authority in &self.sub_authorities {
            text.push_str(&format!("-{sub_authority}"));
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why numbers are not those of a SID.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum InvalidSid {
    /// The authority takes more than 48 bits.
    #[error("the authority of a SID has 48 bits; {0:#x} has more")]
    Authority(u64),
    /// More than 15 sub-authorities.
    #[error("a SID has at most 15 sub-authorities; these are {0}")]
    SubAuthorities(usize),
}

const REVISION: u8 = 1;
/// Revision, count and authority.
const HEADER: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_bounded() {
        let sid = Sid::new(5, &[21, 1, 2, 3]).unwrap();
        assert_eq!((sid.to_string().as_str(), sid.encoded_len()), ("S-1-5-21-1-2-3", 24));
        assert_eq!(Sid::new(1 << 48, &[]), Err(InvalidSid::Authority(1 << 48)));
        assert_eq!(Sid::new(5, &[0; 16]), Err(InvalidSid::SubAuthorities(16)));
        assert_eq!(Sid::new((1 << 48) - 1, &[0; 15]).unwrap().encoded_len(), 68);
    }
}
