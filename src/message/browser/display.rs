//! Browser frames in words, one line each.

use std::fmt;

use super::super::text::{name, quoted};
use super::{Announcement, Criteria, DomainAnnouncement, Election, Frame, ResetState, ServerType, Version};

/// One line for people: which frame it is, and its fields.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame::HostAnnouncement(announcement) => write!(f, "host announcement: {announcement}"),
            Frame::AnnouncementRequest(request) => {
                write!(f, "announcement request: from {}", name(request.response_name.name()))
            }
            Frame::RequestElection(election) => write!(f, "election request: {election}"),
            Frame::GetBackupListRequest { count, token } => {
                write!(f, "get backup list: {count} wanted, token {token:#010x}")
            }
            Frame::GetBackupListResponse(list) => {
                let names: Vec<_> = list.names().iter().map(name).collect();
                let names = if names.is_empty() { "nobody".into() } else { names.join(", ") };
                write!(f, "backup list: {names}, token {:#010x}", list.token())
            }
            Frame::BecomeBackup(host) => write!(f, "become backup: {}", name(host)),
            Frame::DomainAnnouncement(announcement) => write!(f, "domain announcement: {announcement}"),
            Frame::MasterAnnouncement(host) => write!(f, "master announcement: {}", name(host)),
            Frame::ResetStateRequest(state) => write!(f, "reset state: {state}"),
            Frame::LocalMasterAnnouncement(announcement) => write!(f, "local master announcement: {announcement}"),
        }
    }
}

/// `BRAVO, "peer BRAVO", OS 6.1, browser 15.1, every 2 min, types 0x00001003 (workstation, server, NT)`
impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", name(self.server_name), quoted(&self.comment))?;
        write!(f, ", OS {}, browser {}", self.os_version, self.browser_version)?;
        write!(f, ", every {}, types {}", Milliseconds(self.periodicity_ms), self.server_type)
    }
}

/// `FARMDOM, master BRAVO, every 12 min, types 0x80001000 (NT, machine group)`
impl fmt::Display for DomainAnnouncement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, master {}", name(self.machine_group), name(&self.local_master))?;
        write!(f, ", every {}, types {}", Milliseconds(self.periodicity_ms), self.server_type)
    }
}

/// `BRAVO, criteria 0x14010f02 (OS 0x14, domain controller), uptime 6000, version 1`
impl fmt::Display for Election {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Election { version, criteria, uptime, server_name, .. } = self;
        write!(f, "{}, criteria {criteria}, uptime {uptime}, version {version}", name(server_name))
    }
}

/// `6.1`
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The number, and the names of its bits.
impl fmt::Display for ServerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = SERVER_TYPES.iter().filter(|(bit, _)| self.contains(*bit)).collect();
        let rest = named.iter().fold(self.0, |rest, (bit, _)| rest & !bit.0);
        fmt_bits(f, self.0, named.into_iter().map(|(_, name)| name.to_string()), rest)
    }
}

/// The number, and what its parts mean; the version is left out where it is the usual one.
impl fmt::Display for Criteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = (self.version() != Criteria::VERSION).then(|| format!("protocol {:#06x}", self.version()));
        let roles: Vec<_> = ROLES.iter().filter(|(bit, _)| self.role() & bit != 0).collect();
        let rest = roles.iter().fold(self.role(), |rest, (bit, _)| rest & !bit);
        let roles = roles.into_iter().map(|(_, name)| name.to_string());
        let parts = [format!("OS {:#04x}", self.os())].into_iter().chain(version).chain(roles);
        fmt_bits(f, self.0, parts, rest.into())
    }
}

/// The number, and what it means if it has one meaning.
impl fmt::Display for ResetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match *self {
            ResetState::STOP_MASTER => " (be no master)",
            ResetState::CLEAR_ALL => " (give up all browser activities)",
            ResetState::STOP => " (stop the service)",
            _ => "",
        };
        write!(f, "{:#04x}{meaning}", self.0)
    }
}

/// A number and in brackets its parts, the bits without a name last.
fn fmt_bits(f: &mut fmt::Formatter<'_>, all: u32, parts: impl Iterator<Item = String>, rest: u32) -> fmt::Result {
    let parts: Vec<_> = parts.chain((rest != 0).then(|| format!("{rest:#x}"))).collect();
    write!(f, "{all:#010x} ({})", if parts.is_empty() { "none".into() } else { parts.join(", ") })
}

/// A span in the largest unit that shows it whole.
struct Milliseconds(u32);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(60_000, "min"), (1000, "s")];
        let fits = |(unit, _): &(u32, &str)| self.0 != 0 && self.0.is_multiple_of(*unit);
        let (unit, name) = units.into_iter().find(fits).unwrap_or((1, "ms"));
        write!(f, "{} {name}", self.0 / unit)
    }
}

const SERVER_TYPES: [(ServerType, &str); 14] = [
    (ServerType::WORKSTATION, "workstation"),
    (ServerType::SERVER, "server"),
    (ServerType::DOMAIN_CONTROLLER, "domain controller"),
    (ServerType::BACKUP_DOMAIN_CONTROLLER, "backup domain controller"),
    (ServerType::PRINT_QUEUE, "print queue"),
    (ServerType::XENIX, "Unix"),
    (ServerType::NT, "NT"),
    (ServerType::NT_SERVER, "NT server"),
    (ServerType::POTENTIAL_BROWSER, "potential browser"),
    (ServerType::BACKUP_BROWSER, "backup browser"),
    (ServerType::MASTER_BROWSER, "master browser"),
    (ServerType::DOMAIN_MASTER, "domain master"),
    (ServerType::DFS, "DFS"),
    (ServerType::DOMAIN_ENUM, "machine group"),
];

const ROLES: [(u8, &str); 6] = [
    (Criteria::ROLE_PDC, "PDC"),
    (Criteria::ROLE_WINS, "WINS"),
    (Criteria::ROLE_PREFERRED_MASTER, "preferred master"),
    (Criteria::ROLE_MASTER, "master"),
    (Criteria::ROLE_DOMAIN_CONTROLLER, "domain controller"),
    (Criteria::ROLE_BACKUP, "backup"),
];
