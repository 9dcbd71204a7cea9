//! Netlogon messages in words, one line each.

use std::fmt;

use super::super::text::{name, quoted};
use super::{
    Directory, Message, Outcome, PrimaryQuery, PrimaryResponse, SamLogonRequest, SamLogonResponse, SamLogonResponseEx,
};

/// One line for people: which message it is, and its fields.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::PrimaryQuery(query) => write!(f, "primary query: {query}"),
            Message::PrimaryResponse(response) => write!(f, "primary response: {response}"),
            Message::SamLogonRequest(request) => write!(f, "logon request: {request}"),
            Message::SamLogonResponse(response) => write!(f, "logon response: {response}"),
            Message::SamLogonResponseEx(response) => write!(f, "logon response with sites: {response}"),
        }
    }
}

/// `from WS7, reply to \MAILSLOT\NET\GETDC5, version 0x00000001`
impl fmt::Display for PrimaryQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PrimaryQuery { computer, mailslot, nt_version, .. } = self;
        write!(f, "from {}, reply to {}, version {nt_version}", name(computer), name(mailslot))
    }
}

/// `DC1 of CORPS, version 0x00000001`
impl fmt::Display for PrimaryResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, version {}", name(&self.server), name(&self.domain), self.nt_version)
    }
}

/// `from WS7, user "ANNA", repeat 0, reply to \MAILSLOT\NET\GETDC5, account bits 0x00000080, domain S-1-5-21-1, version
/// 0x00000001`
impl fmt::Display for SamLogonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}, user {}, repeat {}", name(&self.computer), quoted(&self.user), self.request_count)?;
        write!(f, ", reply to {}, account bits {:#010x}", name(&self.mailslot), self.account_control)?;
        if let Some(sid) = &self.domain_sid {
            write!(f, ", domain {sid}")?;
        }
        write!(f, ", version {}", self.nt_version)
    }
}

/// `\\DC1 of CORPS: user "ANNA" can log on, version 0x00000001`
impl fmt::Display for SamLogonResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {}: user {} {}",
            name(&self.logon_server),
            name(&self.domain),
            quoted(&self.user),
            self.outcome
        )?;
        if let Some(directory) = &self.directory {
            write!(f, ", {directory}")?;
        }
        write!(f, ", version {}", self.nt_version)
    }
}

/// `dc1.corps.example of corps.example in forest example, address 10.0.0.1, flags 0x000001fd`
impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Directory { dns_host, dns_domain, forest, address, flags, .. } = self;
        write!(f, "{} of {} in forest {}", name(dns_host), name(dns_domain), name(forest))?;
        write!(f, ", address {address}, flags {flags:#010x}")
    }
}

/// `DC1 of CORPS: user "ANNA" can log on, dc1.corps.example of corps.example in forest example, site A, client site B,
/// next site C, address 10.0.0.1, flags 0x000001fd, version 0x00000005`
impl fmt::Display for SamLogonResponseEx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (computer, domain) = (name(&self.netbios_computer), name(&self.netbios_domain));
        write!(f, "{computer} of {domain}: user {} {}", quoted(&self.user), self.outcome)?;
        write!(f, ", {} of {} in forest {}", name(&self.dns_host), name(&self.dns_domain), name(&self.forest))?;
        write!(f, ", site {}, client site {}", name(&self.dc_site), name(&self.client_site))?;
        if let Some(site) = &self.next_closest_site {
            write!(f, ", next site {}", name(site))?;
        }
        if let Some(address) = self.address.and_then(|address| address.ipv4()) {
            write!(f, ", address {address}")?;
        }
        write!(f, ", flags {:#010x}, version {}", self.flags, self.nt_version)
    }
}

/// What is said of the user.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::LogOn => "can log on",
            Outcome::Paused => "has to wait: the service is paused",
            Outcome::UserUnknown => "is not known",
        })
    }
}
