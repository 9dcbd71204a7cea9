//! Writes a packet capture with every kind of packet that the engine sends, for Wireshark and its like:
//!
//!     cargo run --example packets -- FILE.pcap
//!
//! A few machines on one segment look for each other, claim names and give them up, quarrel over them, ask a name server
//! and write to mailslots. Nothing leaves the process: packets go from engine to engine, and each is written down on its
//! way.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use etherparse::PacketBuilder;
use mailslot_sim::mailslot::{self, Config, Destination, Machine, NameKind, OpenOptions, Owner, SlotName};
use mailslot_sim::message::browser::{
    Announcement, AnnouncementRequest, BackupList, Comment, Criteria, DomainAnnouncement, Election, Frame, HostName,
    ResetState, SIGNATURE, ServerType, Version,
};
use mailslot_sim::message::netlogon::{
    self, ComputerName, Directory, MailslotName, NtVersion, Outcome, PrimaryQuery, PrimaryResponse, SamLogonRequest,
    SamLogonResponse, SamLogonResponseEx, ServerName, WideComputerName, WideServerName, WideUserName,
};
use mailslot_sim::message::{DnsName, Message, PaddedName, messenger};
use mailslot_sim::names::Mode;
use mailslot_sim::time::{Duration, Instant};
use mailslot_sim::wire::NetbiosName;
use mailslot_sim::wire::transaction::Layout;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let file = std::env::args().nth(1).ok_or("which file is the capture to be written to?")?;
    let mut segment = Segment::new();
    segment.names_by_broadcast()?;
    segment.names_by_server()?;
    segment.writes()?;
    segment.messages()?;
    fs::write(&file, &segment.capture)?;
    Ok(())
}

// The last byte of each machine's address.
const ALPHA: u8 = 1;
const BRAVO: u8 = 2;
/// Bears TWIN like BRAVO, which nobody noticed when both came up.
const CHARLIE: u8 = 3;
/// Writes in the layout of Samba.
const SAMBA: u8 = 4;
/// Splits what does not fit 576 bytes.
const SPLITTER: u8 = 5;
/// Has a list of names that is out of date.
const STALE: u8 = 6;
/// The name server, and a machine that asks it.
const SERVER: u8 = 7;
const CLIENT: u8 = 8;

/// The machines on a segment without loss or delay, and what was on it.
struct Segment {
    now: Instant,
    machines: BTreeMap<u8, Machine>,
    capture: Vec<u8>,
}

impl Segment {
    fn new() -> Self {
        let mut segment = Segment { now: Instant::ZERO, machines: BTreeMap::new(), capture: pcap_header() };
        let twin = (name("TWIN<00>"), NameKind::Unique);
        let stale = mailslot::Directory::from_iter([(name("GONE<00>"), Owner::Unique(address(BRAVO)))]);
        segment.add(ALPHA, "ALPHA", Mode::Broadcast, |_| {});
        segment.add(BRAVO, "BRAVO", Mode::Broadcast, |config| {
            config.names.push(twin);
            config.datagram_errors = true;
        });
        segment.add(CHARLIE, "CHARLIE", Mode::Broadcast, |config| config.names.push(twin));
        segment.add(SAMBA, "SAMBA", Mode::Broadcast, |config| config.layout = Layout::Samba);
        segment.add(SPLITTER, "SPLITTER", Mode::Broadcast, |config| config.fragments = true);
        segment.add(STALE, "STALE", Mode::Static(Arc::new(stale)), |_| {});
        segment.add(SERVER, "SERVER", Mode::Server(address(SERVER)), |config| config.is_name_server = true);
        segment.add(CLIENT, "CLIENT", Mode::Server(address(SERVER)), |_| {});
        segment
    }

    fn add(&mut self, host: u8, computer: &str, mode: Mode, change: impl FnOnce(&mut Config)) {
        let mut config = Config::new(computer, "FARMDOM", address(host)).expect("a NetBIOS name");
        change(&mut config);
        self.machines.insert(host, Machine::new(config, mode));
    }

    /// Claims, an objection, a release, lookups with one, two and no answers.
    fn names_by_broadcast(&mut self) -> Result<(), Failure> {
        self.register(ALPHA, "ALPHA<03>", NameKind::Unique);
        self.register(ALPHA, "BRAVO<00>", NameKind::Unique);
        self.register(ALPHA, "FARMDOM<1E>", NameKind::Group);
        self.release(ALPHA, "ALPHA<03>");
        self.write(ALPHA, r"\\BRAVO\mailslot\alarm\line1", b"stop")?;
        self.write(ALPHA, r"\\TWIN\mailslot\alarm\line1", b"stop")?;
        self.write(ALPHA, r"\\NOBODY\mailslot\alarm\line1", b"stop")
    }

    /// Claims that are granted and refused, lookups with and without an answer, a release.
    fn names_by_server(&mut self) -> Result<(), Failure> {
        let server = self.machine(SERVER);
        server.learn_name(name("ALPHA<00>"), Owner::Unique(address(ALPHA)));
        server.learn_name(name("OTHERS<00>"), Owner::Group);
        server.learn_name(name("FARMDOM<1C>"), Owner::Members([address(ALPHA), address(BRAVO)].into()));
        self.register(CLIENT, "CLIENT<03>", NameKind::Unique);
        self.register(CLIENT, "ALPHA<00>", NameKind::Unique);
        self.write(CLIENT, r"\\ALPHA\mailslot\alarm\line1", b"stop")?;
        self.write(CLIENT, r"\\OTHERS\mailslot\alarm\line1", b"stop")?;
        self.write(CLIENT, r"\\NOBODY\mailslot\alarm\line1", b"stop")?;
        let slot = SlotName::new(r"NET\NETLOGON")?;
        let handle = self.machine(CLIENT).open_name(name("FARMDOM<1C>"), &slot, OpenOptions::default())?;
        let now = self.now;
        self.machine(CLIENT).write(now, handle, &emitted(&Message::Netlogon(logon_request()?)))?;
        self.settle();
        self.release(CLIENT, "CLIENT<03>");
        Ok(())
    }

    /// Datagrams to one and to all, in both layouts, whole and in fragments, of every size from nothing to the most; and
    /// the error that a missing name draws.
    fn writes(&mut self) -> Result<(), Failure> {
        let frame = emitted(&Message::Browser(Frame::BecomeBackup(HostName::new("BRAVO")?)));
        for sender in [ALPHA, SAMBA, SPLITTER] {
            for (path, data) in [
                (r"\\BRAVO\mailslot\a", &[][..]),
                (r"\\BRAVO\mailslot\12345678", &[0x5A; 424]),
                (r"\\*\mailslot\12345678", &[0x5A; 424]),
                (r"\\FARMDOM\mailslot\alarm\line1", b"stop"),
                (r"\\FARMDOM\mailslot\BROWSE", &frame),
            ] {
                self.write(sender, path, data)?;
            }
        }
        self.write(STALE, r"\\GONE\mailslot\alarm\line1", b"stop")
    }

    /// Each kind of message that well-known mailslots carry.
    fn messages(&mut self) -> Result<(), Failure> {
        for frame in browser_frames()? {
            self.write(ALPHA, r"\\FARMDOM\mailslot\BROWSE", &emitted(&Message::Browser(frame)))?;
        }
        for request in [primary_query()?, logon_request()?] {
            self.write(ALPHA, r"\\FARMDOM\mailslot\NET\NETLOGON", &emitted(&Message::Netlogon(request)))?;
        }
        for response in responses()? {
            self.write(ALPHA, r"\\BRAVO\mailslot\NET\GETDC5", &emitted(&Message::Netlogon(response)))?;
        }
        let text = messenger::Text::new("ALPHA", "BRAVO", "lunch?")?;
        self.write(ALPHA, r"\\BRAVO\mailslot\MESSNGR", &emitted(&Message::Messenger(text)))
    }

    fn register(&mut self, host: u8, claimed: &str, kind: NameKind) {
        let now = self.now;
        self.machine(host).register_name(now, name(claimed), kind);
        self.settle();
    }

    fn release(&mut self, host: u8, given_up: &str) {
        let now = self.now;
        self.machine(host).release_name(now, name(given_up));
        self.settle();
    }

    fn write(&mut self, host: u8, path: &str, data: &[u8]) -> Result<(), Failure> {
        let now = self.now;
        let machine = self.machine(host);
        let handle = machine.open(path, OpenOptions::default())?;
        machine.write(now, handle, data)?;
        self.settle();
        Ok(())
    }

    /// Lets packets travel and time pass until nobody waits for anything.
    fn settle(&mut self) {
        loop {
            self.carry();
            let Some(next) = self.machines.values().filter_map(Machine::poll_timeout).min() else { break };
            self.now = next;
            self.machines.values_mut().for_each(|machine| machine.handle_timeout(next));
        }
        self.now = self.now + Duration::from_secs(1);
    }

    fn carry(&mut self) {
        let mut on_the_way = VecDeque::new();
        loop {
            for (host, machine) in &mut self.machines {
                let mut packet = Vec::new();
                while let Some(transmit) = machine.poll_transmit(&mut packet) {
                    on_the_way.push_back((*host, transmit, packet.clone()));
                }
            }
            let Some((from, transmit, packet)) = on_the_way.pop_front() else { return };
            let port = transmit.service.port();
            let source = SocketAddrV4::new(address(from), port);
            let destination = match transmit.destination {
                Destination::Unicast(destination) => destination,
                Destination::Broadcast => SocketAddrV4::new(BROADCAST, port),
            };
            self.record(source, destination, &packet);
            for (host, machine) in &mut self.machines {
                let hears = *host != from && [BROADCAST, address(*host)].contains(destination.ip());
                if hears && destination.port() == mailslot_sim::wire::nbns::PORT {
                    machine.handle_name_packet(self.now, source, &packet);
                } else if hears {
                    machine.handle_datagram(self.now, source, &packet);
                }
            }
        }
    }

    fn record(&mut self, source: SocketAddrV4, destination: SocketAddrV4, payload: &[u8]) {
        let builder = PacketBuilder::ipv4(source.ip().octets(), destination.ip().octets(), TTL);
        let builder = builder.udp(source.port(), destination.port());
        let mut packet = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut packet, payload).expect("a payload of the engine fits a packet");
        let (seconds, rest) = (self.now.nanos() / 1_000_000_000, self.now.nanos() % 1_000_000_000);
        let length = packet.len() as u32;
        for word in [seconds as u32, (rest / 1000) as u32, length, length] {
            self.capture.extend_from_slice(&word.to_le_bytes());
        }
        self.capture.extend_from_slice(&packet);
    }

    fn machine(&mut self, host: u8) -> &mut Machine {
        self.machines.get_mut(&host).expect("the machine was added")
    }
}

fn browser_frames() -> Result<Vec<Frame>, Failure> {
    let announcement = |browser_version| {
        Ok::<_, Failure>(Announcement {
            update_count: 0,
            periodicity_ms: 720_000,
            server_name: PaddedName::new("ALPHA")?,
            os_version: Version { major: 10, minor: 0 },
            server_type: ServerType::WORKSTATION | ServerType::SERVER | ServerType::NT,
            browser_version,
            comment: Comment::new("the first")?,
        })
    };
    let domain = DomainAnnouncement {
        update_count: 0,
        periodicity_ms: 900_000,
        machine_group: PaddedName::new("FARMDOM")?,
        config_version: Version::DOMAIN,
        server_type: ServerType::NT | ServerType::DOMAIN_ENUM,
        browser_version: Version::BROWSER,
        signature: SIGNATURE,
        local_master: HostName::new("ALPHA")?,
    };
    let election = Election {
        version: 1,
        criteria: Criteria::new(Criteria::OS_CLIENT, Criteria::VERSION, Criteria::ROLE_BACKUP),
        uptime: 12,
        unused: 0,
        server_name: HostName::new("ALPHA")?,
    };
    let response_name = HostName::new("ALPHA")?.into();
    Ok(vec![
        Frame::HostAnnouncement(announcement(Version::BROWSER)?),
        Frame::AnnouncementRequest(AnnouncementRequest { reserved: 0, response_name }),
        Frame::RequestElection(election),
        Frame::GetBackupListRequest { count: 4, token: 7 },
        Frame::GetBackupListResponse(BackupList::new(7, vec![HostName::new("ALPHA")?, HostName::new("BRAVO")?])?),
        Frame::BecomeBackup(HostName::new("BRAVO")?),
        Frame::DomainAnnouncement(domain),
        Frame::MasterAnnouncement(HostName::new("ALPHA")?),
        Frame::ResetStateRequest(ResetState::STOP_MASTER),
        Frame::LocalMasterAnnouncement(announcement(Version::LOCAL_MASTER)?),
    ])
}

fn primary_query() -> Result<netlogon::Message, Failure> {
    Ok(netlogon::Message::PrimaryQuery(PrimaryQuery {
        computer: ComputerName::new("ALPHA")?,
        mailslot: MailslotName::new(r"\MAILSLOT\NET\GETDC5")?,
        unicode_computer: WideComputerName::new("ALPHA")?,
        version_padding: false,
        nt_version: NtVersion::V1,
    }))
}

fn logon_request() -> Result<netlogon::Message, Failure> {
    Ok(netlogon::Message::SamLogonRequest(SamLogonRequest {
        request_count: 0,
        computer: WideComputerName::new("ALPHA")?,
        user: WideUserName::new("ANNA")?,
        mailslot: MailslotName::new(r"\MAILSLOT\NET\GETDC5")?,
        account_control: 0x10,
        domain_sid: None,
        nt_version: NtVersion::V1 | NtVersion::V5 | NtVersion::V5_EX_WITH_IP,
    }))
}

fn responses() -> Result<[netlogon::Message; 4], Failure> {
    let primary = PrimaryResponse {
        server: ServerName::new("BRAVO")?,
        unicode_server: WideServerName::new("BRAVO")?,
        domain: WideComputerName::new("FARMDOM")?,
        version_padding: false,
        nt_version: NtVersion::V1,
    };
    let (forest, dns_host): (DnsName, DnsName) = ("farm.example".parse()?, "bravo.farm.example".parse()?);
    let directory = Directory {
        domain_guid: [7; 16],
        forest: forest.clone(),
        dns_domain: forest.clone(),
        dns_host: dns_host.clone(),
        address: address(BRAVO),
        flags: 0x1FD,
    };
    let nt4 = SamLogonResponse {
        outcome: Outcome::LogOn,
        logon_server: WideServerName::new(r"\\BRAVO")?,
        user: WideUserName::new("ANNA")?,
        domain: WideComputerName::new("FARMDOM")?,
        directory: None,
        nt_version: NtVersion::V1,
    };
    let nt5 = SamLogonResponse { directory: Some(directory), nt_version: NtVersion::V1 | NtVersion::V5, ..nt4.clone() };
    let sites = SamLogonResponseEx {
        outcome: Outcome::UserUnknown,
        flags: 0x1FD,
        domain_guid: [7; 16],
        forest: forest.clone(),
        dns_domain: forest,
        dns_host,
        netbios_domain: "FARMDOM".parse()?,
        netbios_computer: "BRAVO".parse()?,
        user: "ANNA".parse()?,
        dc_site: "Barn".parse()?,
        client_site: "Barn".parse()?,
        address: Some(address(BRAVO).into()),
        next_closest_site: None,
        nt_version: NtVersion::V1 | NtVersion::V5_EX | NtVersion::V5_EX_WITH_IP,
    };
    Ok([
        netlogon::Message::PrimaryResponse(primary),
        netlogon::Message::SamLogonResponse(nt4),
        netlogon::Message::SamLogonResponse(nt5),
        netlogon::Message::SamLogonResponseEx(sites),
    ])
}

fn emitted(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.emit(&mut bytes);
    bytes
}

/// The header of a capture in the classic format: microseconds, packets that start with their IP header.
fn pcap_header() -> Vec<u8> {
    const LINKTYPE_RAW: u32 = 101;
    let words = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, LINKTYPE_RAW];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

fn name(text: &str) -> NetbiosName {
    text.parse().expect("a NetBIOS name")
}

fn address(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, host)
}

const BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 255);
const TTL: u8 = 64;
