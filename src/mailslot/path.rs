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
    /// Parses a path as `CreateMailslotW` and `CreateFileW` do. Its fixed parts are compared without case.
    ///
    /// In a path of the form `\\.\`, slashes count as backslashes, `.` and `..` and empty parts are resolved, and dots
    /// and spaces at the end fall away, as in every Win32 path; after `\\?\` everything is taken as it stands.
    ///
    /// # Errors
    ///
    /// If it is not of the form `\\SERVER\mailslot\NAME`.
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        if path.chars().count() > MAX_PATH_CHARACTERS {
            return Err(InvalidPath::TooLong);
        }
        if let Some(device) = path.strip_prefix(r"\\?\") {
            return match strip_part(device, "UNC") {
                Some(share) => Self::of_share(share),
                None => Self::of_device(device),
            };
        }
        let path = path.replace('/', r"\");
        let path = path.strip_prefix(r"\\").ok_or(InvalidPath::Form)?;
        match path.strip_prefix(r".\") {
            Some(device) => Self::of_device(&resolved(device)),
            None => Self::of_share(path),
        }
    }

    /// What follows `\\.\`: `mailslot\NAME`, also by the device's own name.
    fn of_device(path: &str) -> Result<Self, InvalidPath> {
        let alias = strip_part(path, "GLOBALROOT").and_then(|path| strip_part(path, "Device")).unwrap_or(path);
        match strip_part(alias, "mailslot") {
            Some(slot) => Ok(MailslotPath { server: Server::Local, slot: SlotName::new(slot)? }),
            None if strip_part(path, "pipe").is_some() || !path.contains('\\') => Err(InvalidPath::Form),
            None => Err(InvalidPath::NoDevice),
        }
    }

    /// What follows `\\`: `SERVER\mailslot\NAME`.
    fn of_share(path: &str) -> Result<Self, InvalidPath> {
        let (server, rest) = path.split_once('\\').filter(|(server, _)| !server.is_empty()).ok_or(InvalidPath::Form)?;
        let slot = strip_part(rest, "mailslot").ok_or(InvalidPath::Form)?;
        let server = match server {
            "*" => Server::PrimaryDomain,
            name => Server::Named(name.to_owned()),
        };
        Ok(MailslotPath { server, slot: SlotName::new(slot)? })
    }
}

/// The most characters of a path (Microsoft Learn, CreateFileW: 32,767 with the NUL).
pub const MAX_PATH_CHARACTERS: usize = 32_766;

/// What follows `part\` at the start of a path, in any case.
fn strip_part<'a>(path: &'a str, part: &str) -> Option<&'a str> {
    let (first, rest) = path.split_once('\\')?;
    first.eq_ignore_ascii_case(part).then_some(rest)
}

/// A device path without `.`, `..` and empty parts, and without dots and spaces at its end.
fn resolved(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('\\') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let is_open = path.ends_with('\\');
    let mut path = parts.join(r"\");
    if is_open {
        path.push('\\');
    } else {
        path.truncate(path.trim_end_matches([' ', '.']).len());
    }
    path
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
    /// If the name is empty, has a NUL, or is longer than a local path can hold.
    pub fn new(name: &str) -> Result<Self, InvalidPath> {
        if name.is_empty() {
            return Err(InvalidPath::EmptyName);
        }
        if name.chars().count() > MAX_PATH_CHARACTERS - r"\\?\mailslot\".len() {
            return Err(InvalidPath::TooLong);
        }
        if name.contains('\0') {
            return Err(InvalidPath::Character('\0'));
        }
        Ok(SlotName { spelled: name.into(), lower: name.to_lowercase().into_bytes().into() })
    }

    /// The name on the wire: `\MAILSLOT\` and the name as it was spelled.
    ///
    /// # Errors
    ///
    /// If it has a character that the wire form, NUL-terminated ASCII, cannot carry (MS-MAIL 2.2.1); a local mailslot may
    /// have such a name.
    pub fn to_wire(&self) -> Result<Vec<u8>, InvalidPath> {
        match self.spelled.chars().find(|c| !(' '..='~').contains(c)) {
            Some(odd) => Err(InvalidPath::Character(odd)),
            None => Ok([NAME_PREFIX, self.spelled.as_bytes()].concat()),
        }
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
    /// Of the form of a device path, but of a device that does not exist.
    #[error(r"there is no such device: a local mailslot has the form \\.\mailslot\NAME")]
    NoDevice,
    /// More than [`MAX_PATH_CHARACTERS`].
    #[error("the path is longer than {MAX_PATH_CHARACTERS} characters (MAX_PATH_CHARACTERS)")]
    TooLong,
    /// Nothing after `\mailslot\`.
    #[error(r"the name after \mailslot\ is empty")]
    EmptyName,
    /// A character that the name cannot have, or cannot have on the wire.
    #[error("{0:?} cannot be part of a mailslot name, which is printable ASCII on the wire")]
    Character(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_documentation() {
        let parse = |path: &str| MailslotPath::parse(path).map(|path| (path.server, path.slot.to_string()));
        assert_eq!(parse(r"\\.\mailslot\Taxes\Bob"), Ok((Server::Local, r"Taxes\Bob".into())));
        assert_eq!(parse(r"\\*\MAILSLOT\t"), Ok((Server::PrimaryDomain, "t".into())));
        assert_eq!(parse(r"\\CTRL\mailslot\t"), Ok((Server::Named("CTRL".into()), "t".into())));
        for bad in ["", "blah", r"\\.\pipe\x", r"\\.\mailslot", r"\\\mailslot\x", r"\.\mailslot\x", r"C:\mailslot\x"] {
            assert_eq!(parse(bad), Err(InvalidPath::Form), "{bad}");
        }
        assert_eq!(parse(r"\\.\mailslots\x"), Err(InvalidPath::NoDevice));
        assert_eq!(parse(&format!(r"\\.\mailslot\{}", "n".repeat(32_766 - 13))).map(|_| ()), Ok(()));
        assert_eq!(parse(&format!(r"\\.\mailslot\{}", "n".repeat(32_767 - 13))), Err(InvalidPath::TooLong));
        assert_eq!(SlotName::new("Taxes"), SlotName::new("tAXES"));
        assert_eq!(parse(r"\\.\mailslot\"), Err(InvalidPath::EmptyName));
        assert_eq!(parse("\\\\.\\mailslot\\a\0b"), Err(InvalidPath::Character('\0')));
        assert_eq!(SlotName::new("café").unwrap().to_wire(), Err(InvalidPath::Character('é')));
    }

    /// One slot under many spellings, as Win32 resolves paths.
    #[test]
    fn spellings_of_a_local_path() {
        let name = |path| MailslotPath::parse(path).map(|path| path.slot.to_string());
        for path in [
            r"\\.\mailslot\a\b",
            "//./mailslot/a/b",
            r"\\.\mailslot\a\\b",
            r"\\.\mailslot\x\..\a\.\b. ",
            r"\\?\mailslot\a\b",
            r"\\.\GLOBALROOT\Device\Mailslot\a\b",
        ] {
            assert_eq!(name(path), Ok(r"a\b".to_owned()), "{path}");
        }
        assert_eq!(name(r"\\?\mailslot\..\b."), Ok(r"..\b.".to_owned()));
        assert_eq!(name(r"\\.\mailslot\..\x"), Err(InvalidPath::Form));
        assert_eq!(name(r"\\.\mailslot\tail\"), Ok(r"tail\".to_owned()));
        let unc = MailslotPath::parse(r"\\?\UNC\CTRL\mailslot\t").unwrap();
        assert_eq!(unc.server, Server::Named("CTRL".into()));
    }
}
