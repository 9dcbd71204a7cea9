//! Mailslot paths: `\\SERVER\mailslot\[path\]name` (Microsoft Learn, Mailslot Names).

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use crate::wire::transaction::NAME_PREFIX;

/// A parsed mailslot path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailslotPath {
    /// Whose mailslot it is.
    pub server: Server,
    /// Which mailslot.
    pub slot: SlotName,
}

/// The part of a path between `\\` and `\mailslot`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Server {
    /// `.`: this machine.
    Local,
    /// `*`: every machine of the writer's primary domain.
    PrimaryDomain,
    /// A computer or a domain: nothing in the path says which.
    Named(String),
}

impl MailslotPath {
    /// Parses a path. Its fixed parts are compared without case.
    ///
    /// # Errors
    ///
    /// If it is not of the form `\\SERVER\mailslot\NAME`.
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        let (server, rest) =
            path.strip_prefix(r"\\").and_then(|rest| rest.split_once('\\')).ok_or(InvalidPath::Form)?;
        let (keyword, slot) = rest.split_once('\\').ok_or(InvalidPath::Form)?;
        if !keyword.eq_ignore_ascii_case("mailslot") || server.is_empty() {
            return Err(InvalidPath::Form);
        }
        let server = match server {
            "." => Server::Local,
            "*" => Server::PrimaryDomain,
            name => Server::Named(name.to_owned()),
        };
        Ok(MailslotPath { server, slot: SlotName::new(slot)? })
    }
}

/// The name of a mailslot: what follows `\mailslot\`, path levels included. Compared without case, kept as it was
/// spelled.
///
/// Levels are only part of the name: `abc` and `abc\def` can both be mailslots.
#[derive(Clone)]
pub struct SlotName {
    spelled: Box<str>,
    lower: Box<[u8]>,
}

impl SlotName {
    /// The mailslot called `name`.
    ///
    /// # Errors
    ///
    /// If the name is empty or has a character that the wire form, NUL-terminated ASCII, cannot carry (MS-MAIL 2.2.1).
    pub fn new(name: &str) -> Result<Self, InvalidPath> {
        if name.is_empty() {
            return Err(InvalidPath::EmptyName);
        }
        match name.chars().find(|c| !(' '..='~').contains(c)) {
            Some(odd) => Err(InvalidPath::Character(odd)),
            None => Ok(SlotName { spelled: name.into(), lower: name.to_ascii_lowercase().into_bytes().into() }),
        }
    }

    /// The name on the wire: `\MAILSLOT\` and the name as it was spelled.
    #[must_use]
    pub fn to_wire(&self) -> Vec<u8> {
        [NAME_PREFIX, self.spelled.as_bytes()].concat()
    }

    /// Characters of the name.
    #[must_use]
    pub fn characters(&self) -> usize {
        self.spelled.len()
    }
}

impl PartialEq for SlotName {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Eq for SlotName {}

impl PartialOrd for SlotName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SlotName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.lower.cmp(&other.lower)
    }
}

/// Lets a table of slots be searched by the lower-cased bytes of a received name.
impl Borrow<[u8]> for SlotName {
    fn borrow(&self) -> &[u8] {
        &self.lower
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.spelled)
    }
}

impl fmt::Debug for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Why a text is not a mailslot path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum InvalidPath {
    /// Not of the form.
    #[error(r"a mailslot path has the form \\SERVER\mailslot\NAME, where SERVER is a computer, a domain, * or .")]
    Form,
    /// Nothing after `\mailslot\`.
    #[error(r"the name after \mailslot\ is empty")]
    EmptyName,
    /// A character that mailslot names cannot have.
    #[error("{0:?} cannot be part of a mailslot name, which is printable ASCII")]
    Character(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_documentation() {
        let parse = |path| MailslotPath::parse(path).map(|path| (path.server, path.slot.to_string()));
        assert_eq!(parse(r"\\.\mailslot\Taxes\Bob"), Ok((Server::Local, r"Taxes\Bob".into())));
        assert_eq!(parse(r"\\*\MAILSLOT\t"), Ok((Server::PrimaryDomain, "t".into())));
        assert_eq!(parse(r"\\CTRL\mailslot\t"), Ok((Server::Named("CTRL".into()), "t".into())));
        for bad in ["", "blah", r"\\.\pipe\x", r"\\.\mailslot", r"\\\mailslot\x", r"\.\mailslot\x", r"C:\mailslot\x"] {
            assert_eq!(parse(bad), Err(InvalidPath::Form), "{bad}");
        }
        assert_eq!(SlotName::new("Taxes"), SlotName::new("tAXES"));
        assert_eq!(parse(r"\\.\mailslot\"), Err(InvalidPath::EmptyName));
        assert_eq!(parse("\\\\.\\mailslot\\a\0b"), Err(InvalidPath::Character('\0')));
    }
}
