//! The responses of domain controllers.

use std::net::Ipv4Addr;

use super::super::dns::{Compression, DnsName, Names};
use super::super::error::InvalidMessage;
use super::super::reader::Reader;
use super::request::{emit_version_padding, parse_version_padding};
use super::{
    Guid, NtVersion, ServerName, SocketAddress, WideComputerName, WideServerName, WideUserName, align, emit_trailer,
    parse_trailer, peek_version,
};

/// What a LOGON_PRIMARY_RESPONSE holds after its opcode (MS-ADTS 6.3.1.5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrimaryResponse {
    /// PrimaryDCName: the primary domain controller.
    pub server: ServerName,
    /// UnicodePrimaryDCName: the same again, at an even offset.
    pub unicode_server: WideServerName,
    /// UnicodeDomainName: the domain's NetBIOS name.
    pub domain: WideComputerName,
    /// Whether two zero bytes stand before NtVersion: see [`PrimaryResponse::aligned`].
    pub version_padding: bool,
    /// NtVersion.
    pub nt_version: NtVersion,
}

impl PrimaryResponse {
    /// The response with NtVersion at a multiple of 4, where Samba's own test client looks for it. The document knows
    /// no such padding.
    #[must_use]
    pub fn aligned(mut self) -> Self {
        let strings = (2 + self.server.as_bytes().len() + 1).next_multiple_of(2);
        let wide = self.unicode_server.encoded_len() + self.domain.encoded_len();
        self.version_padding = !(strings + wide).is_multiple_of(4);
        self
    }

    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        let server = reader.oem("PrimaryDCName")?;
        reader.align(2, "padding of UnicodePrimaryDCName")?;
        Ok(PrimaryResponse {
            server,
            unicode_server: reader.wide("UnicodePrimaryDCName")?,
            domain: reader.wide("UnicodeDomainName")?,
            version_padding: parse_version_padding(reader)?,
            nt_version: parse_trailer(reader)?,
        })
    }

    pub(super) fn emit(&self, start: usize, out: &mut Vec<u8>) {
        self.server.emit(out);
        align(2, start, out);
        self.unicode_server.emit(out);
        self.domain.emit(out);
        emit_version_padding(self.version_padding, out);
        emit_trailer(self.nt_version, out);
    }
}

/// What a controller says about the user of a request: which of three opcodes in a row a response has (MS-ADTS
/// 6.3.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// 19 or 23: the user can log on here, or none was named.
    LogOn,
    /// 20 or 24: not now; the netlogon service is paused.
    Paused,
    /// 21 or 25: the user is not known here.
    UserUnknown,
}

impl Outcome {
    /// What `opcode` says if `first` is the first of its three.
    pub(super) fn of(opcode: u16, first: u16) -> Option<Self> {
        [Outcome::LogOn, Outcome::Paused, Outcome::UserUnknown].into_iter().find(|it| first + *it as u16 == opcode)
    }
}

/// What a response with opcode 19 to 21 holds: that of Windows NT 4.0 (MS-ADTS 6.3.1.7) or, with `directory`, that of
/// Windows 2000 (6.3.1.8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SamLogonResponse {
    /// Which opcode it has.
    pub outcome: Outcome,
    /// UnicodeLogonServer: the controller; Windows and Samba write `\\` before its name.
    pub logon_server: WideServerName,
    /// UnicodeUserName: the user of the request.
    pub user: WideUserName,
    /// UnicodeDomainName: the domain's NetBIOS name.
    pub domain: WideComputerName,
    /// What only the form of Windows 2000 has.
    pub directory: Option<Directory>,
    /// NtVersion. The bit [`NtVersion::V5`] tells both forms apart: it is written as `directory` has it, whatever is
    /// said here.
    pub nt_version: NtVersion,
}

impl SamLogonResponse {
    pub(super) fn parse(outcome: Outcome, reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        let has_directory = peek_version(reader)?.contains(NtVersion::V5);
        Ok(SamLogonResponse {
            outcome,
            logon_server: reader.wide("UnicodeLogonServer")?,
            user: reader.wide("UnicodeUserName")?,
            domain: reader.wide("UnicodeDomainName")?,
            directory: if has_directory { Some(Directory::parse(reader)?) } else { None },
            nt_version: parse_trailer(reader)?,
        })
    }

    pub(super) fn emit(&self, compression: Compression, start: usize, out: &mut Vec<u8>) {
        self.logon_server.emit(out);
        self.user.emit(out);
        self.domain.emit(out);
        if let Some(directory) = &self.directory {
            directory.emit(compression, start, out);
        }
        emit_trailer(self.nt_version.with(NtVersion::V5, self.directory.is_some()), out);
    }
}

/// Where a controller stands in the directory (MS-ADTS 6.3.1.8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directory {
    /// DomainGuid.
    pub domain_guid: Guid,
    /// DnsForestName.
    pub forest: DnsName,
    /// DnsDomainName.
    pub dns_domain: DnsName,
    /// DnsHostName: the controller.
    pub dns_host: DnsName,
    /// DcIpAddress: the controller. Little-endian like all numbers here, so its bytes are reversed on the wire.
    pub address: Ipv4Addr,
    /// Flags: what the controller is and offers (6.3.1.2).
    pub flags: u32,
}

impl Directory {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        let domain_guid = reader.array("DomainGuid")?;
        reader.zeros(size_of::<Guid>(), "NullGuid")?;
        let floor = reader.at();
        Ok(Directory {
            domain_guid,
            forest: DnsName::parse(reader, floor, "DnsForestName")?,
            dns_domain: DnsName::parse(reader, floor, "DnsDomainName")?,
            dns_host: DnsName::parse(reader, floor, "DnsHostName")?,
            address: reader.u32("DcIpAddress")?.into(),
            flags: reader.u32("Flags")?,
        })
    }

    fn emit(&self, compression: Compression, start: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.domain_guid);
        out.extend_from_slice(&Guid::default());
        let mut names = Names::new(compression, start);
        for name in [&self.forest, &self.dns_domain, &self.dns_host] {
            names.emit(name, out);
        }
        out.extend_from_slice(&u32::from(self.address).to_le_bytes());
        out.extend_from_slice(&self.flags.to_le_bytes());
    }
}

/// What a response with opcode 23 to 25 holds (MS-ADTS 6.3.1.9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SamLogonResponseEx {
    /// Which opcode it has.
    pub outcome: Outcome,
    /// Flags: what the controller is and offers (6.3.1.2).
    pub flags: u32,
    /// DomainGuid.
    pub domain_guid: Guid,
    /// DnsForestName.
    pub forest: DnsName,
    /// DnsDomainName.
    pub dns_domain: DnsName,
    /// DnsHostName: the controller.
    pub dns_host: DnsName,
    /// NetbiosDomainName.
    pub netbios_domain: DnsName,
    /// NetbiosComputerName: the controller, without `\\`.
    pub netbios_computer: DnsName,
    /// UserName: the user of the request.
    pub user: DnsName,
    /// DcSiteName: the controller's site.
    pub dc_site: DnsName,
    /// ClientSiteName: the client's site, if the controller knows it.
    pub client_site: DnsName,
    /// DcSockAddr.
    pub address: Option<SocketAddress>,
    /// NextClosestSiteName.
    pub next_closest_site: Option<DnsName>,
    /// NtVersion. The bits [`NtVersion::V5_EX_WITH_IP`] and [`NtVersion::WITH_CLOSEST_SITE`] tell whether `address` and
    /// `next_closest_site` are there: they are written as those have it, whatever is said here.
    pub nt_version: NtVersion,
}

impl SamLogonResponseEx {
    pub(super) fn parse(outcome: Outcome, reader: &mut Reader<'_>) -> Result<Self, InvalidMessage> {
        let version = peek_version(reader)?;
        reader.zeros(2, "Sbz")?;
        let (flags, domain_guid) = (reader.u32("Flags")?, reader.array("DomainGuid")?);
        let floor = reader.at();
        let mut name = |field| DnsName::parse(reader, floor, field);
        Ok(SamLogonResponseEx {
            outcome,
            flags,
            domain_guid,
            forest: name("DnsForestName")?,
            dns_domain: name("DnsDomainName")?,
            dns_host: name("DnsHostName")?,
            netbios_domain: name("NetbiosDomainName")?,
            netbios_computer: name("NetbiosComputerName")?,
            user: name("UserName")?,
            dc_site: name("DcSiteName")?,
            client_site: name("ClientSiteName")?,
            address: version.contains(NtVersion::V5_EX_WITH_IP).then(|| parse_address(reader)).transpose()?,
            next_closest_site: if version.contains(NtVersion::WITH_CLOSEST_SITE) {
                Some(DnsName::parse(reader, floor, "NextClosestSiteName")?)
            } else {
                None
            },
            nt_version: parse_trailer(reader)?,
        })
    }

    pub(super) fn emit(&self, compression: Compression, start: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&self.domain_guid);
        let mut names = Names::new(compression, start);
        for name in [
            &self.forest,
            &self.dns_domain,
            &self.dns_host,
            &self.netbios_domain,
            &self.netbios_computer,
            &self.user,
            &self.dc_site,
            &self.client_site,
        ] {
            names.emit(name, out);
        }
        if let Some(address) = &self.address {
            out.push(SocketAddress::LENGTH as u8);
            out.extend_from_slice(&address.0);
        }
        if let Some(site) = &self.next_closest_site {
            names.emit(site, out);
        }
        let version = self.nt_version.with(NtVersion::V5_EX_WITH_IP, self.address.is_some());
        emit_trailer(version.with(NtVersion::WITH_CLOSEST_SITE, self.next_closest_site.is_some()), out);
    }
}

fn parse_address(reader: &mut Reader<'_>) -> Result<SocketAddress, InvalidMessage> {
    let (field, size) = ("DcSockAddrSize", reader.u8("DcSockAddrSize")?);
    if usize::from(size) != SocketAddress::LENGTH {
        return Err(InvalidMessage::Value { field, found: size.into(), expected: "16" });
    }
    reader.array("DcSockAddr").map(SocketAddress)
}
