//! The capture: every packet that comes to a link, for Wireshark and its kin.
//!
//! Each link is an interface of the capture, at its beginning; a broadcast so shows once on the link up and once on the link down
//! of each host that hears it. Packets that the link takes are there too, with a comment that names their fate. Ethernet
//! addresses are made of IPv4 ones, since a simulated LAN has none.
//!
//! Source of the form: PCAP Next Generation Capture File Format (draft-ietf-opsawg-pcapng), sections 4.1 to 4.3.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;

use etherparse::{EtherType, Ethernet2Header, IpFragOffset, IpNumber, Ipv4Header, UdpHeader};

use crate::id::LinkId;
use crate::net::{Topology, stable_hash};
use crate::scenario::Scenario;
use crate::stats::{Event, Fate, Frame, Observer};
use crate::time::Instant;

/// Writes the packets that it sees. The first failure is kept, and nothing is written after it.
pub struct Pcapng<W> {
    out: W,
    topology: Topology,
    /// The last packet: whether the link takes it is told next.
    last: Option<Packet>,
    identifications: Identifications,
    result: io::Result<()>,
}

/// IP identifications of datagrams that go in fragments. Readers put together what they see on all interfaces, so one datagram
/// has another number on each link.
#[derive(Default)]
struct Identifications(BTreeMap<(LinkId, u64), u16>);

impl Identifications {
    /// The number of a datagram, known by what was sent: among that is a number of its own, DGM_ID.
    fn of(&mut self, link: LinkId, sent: &[u8]) -> u16 {
        if self.0.len() > usize::from(u16::MAX) {
            self.0.clear(); // there are no more numbers
        }
        let next = self.0.len() as u16;
        *self.0.entry((link, stable_hash(sent))).or_insert(next)
    }
}

struct Packet {
    at: Instant,
    link: LinkId,
    bytes: Vec<u8>,
}

impl<W: Write> Pcapng<W> {
    /// A capture of a run of `scenario`.
    pub fn new(scenario: &Scenario, mut out: W) -> Self {
        let topology = scenario.topology().clone();
        let result = begin(&mut out, &topology);
        Pcapng { out, topology, last: None, identifications: Identifications::default(), result }
    }

    /// Ends the capture.
    ///
    /// # Errors
    ///
    /// The first failure to write.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush(None);
        self.result?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Writes the last packet, with its fate if the link took it.
    fn flush(&mut self, fate: Option<Fate>) {
        if let (Some(packet), Ok(())) = (self.last.take(), &self.result) {
            self.result = self.out.write_all(&packet.block(fate));
        }
    }

    fn address(&self, (host, interface): (crate::id::HostId, u8)) -> Ipv4Addr {
        self.topology.host(host).interface(interface).address
    }
}

impl<W: Write> Observer for Pcapng<W> {
    fn observe(&mut self, _: Instant, event: &Event<'_>) {
        match event {
            Event::Offered { .. } => {}
            Event::Lost { fate, .. } => self.flush(Some(*fate)),
            _ => self.flush(None),
        }
    }

    fn see(&mut self, at: Instant, link: LinkId, frame: &Frame<'_>) {
        self.flush(None);
        let source = self.address(frame.from);
        let segment = self.topology.host(frame.from.0).interface(frame.from.1).segment;
        let everybody = self.topology.segments()[segment.index()].broadcast;
        let destination = frame.to.map_or(everybody, |to| self.address(to));
        let identification = if frame.part.is_some() { self.identifications.of(link, frame.sent) } else { 0 };
        let bytes = ethernet(source, destination, identification, frame);
        self.last = Some(Packet { at, link, bytes });
    }
}

/// The packet with its headers.
fn ethernet(source: Ipv4Addr, destination: Ipv4Addr, identification: u16, frame: &Frame<'_>) -> Vec<u8> {
    let mut header = Ipv4Header::new(0, TTL, IpNumber::UDP, source.octets(), destination.octets())
        .expect("no data are not too many");
    let mut udp = UdpHeader::with_ipv4_checksum(frame.port, frame.port, &header, frame.sent)
        .expect("a UDP datagram is at most 65,507 bytes long")
        .to_bytes()
        .to_vec();
    udp.extend_from_slice(frame.payload);
    header.identification = identification;
    header.dont_fragment = false;
    let data = match &frame.part {
        Some(part) => {
            header.more_fragments = (part.end as usize) < udp.len();
            let offset = (part.start / 8) as u16;
            header.fragment_offset =
                IpFragOffset::try_new(offset).expect("an IP datagram is at most 65,535 bytes long");
            &udp[part.start as usize..part.end as usize]
        }
        None => &udp[..],
    };
    header.set_payload_len(data.len()).expect("it is part of a UDP datagram");
    header.header_checksum = header.calc_header_checksum();
    let mac = |address: Ipv4Addr| {
        let [a, b, c, d] = address.octets();
        [0x02, 0x00, a, b, c, d] // locally administered
    };
    let to = if frame.to.is_none() { [0xFF; 6] } else { mac(destination) };
    let ethernet = Ethernet2Header { source: mac(source), destination: to, ether_type: EtherType::IPV4 };
    [&ethernet.to_bytes()[..], &header.to_bytes(), data].concat()
}

impl Packet {
    /// The Enhanced Packet Block.
    fn block(&self, fate: Option<Fate>) -> Vec<u8> {
        let (length, nanos) = (self.bytes.len() as u32, self.at.nanos());
        let mut body = Vec::with_capacity(self.bytes.len() + 64);
        for word in [self.link.0, (nanos >> 32) as u32, nanos as u32, length, length] {
            body.extend(word.to_le_bytes());
        }
        body.extend(&self.bytes);
        pad(&mut body);
        if let Some(fate) = fate {
            option(&mut body, OPT_COMMENT, fate.name().as_bytes());
            end_of_options(&mut body);
        }
        block(ENHANCED_PACKET, &body)
    }
}

/// The Section Header Block, and an Interface Description Block for each link.
fn begin(out: &mut impl Write, topology: &Topology) -> io::Result<()> {
    let mut header = Vec::new();
    header.extend(BYTE_ORDER_MAGIC.to_le_bytes());
    header.extend([1_u16, 0].map(u16::to_le_bytes).concat());
    header.extend((-1_i64).to_le_bytes()); // its length is not known yet
    option(&mut header, SHB_USERAPPL, concat!("mailslot-sim ", env!("CARGO_PKG_VERSION")).as_bytes());
    end_of_options(&mut header);
    out.write_all(&block(SECTION_HEADER, &header))?;
    for link in topology.links() {
        let mut interface = Vec::new();
        interface.extend([LINKTYPE_ETHERNET, 0].map(u16::to_le_bytes).concat());
        interface.extend(0_u32.to_le_bytes()); // packets are whole
        option(&mut interface, IF_NAME, link.name.as_bytes());
        option(&mut interface, IF_TSRESOL, &[NANOSECONDS]);
        end_of_options(&mut interface);
        out.write_all(&block(INTERFACE_DESCRIPTION, &interface))?;
    }
    Ok(())
}

/// A block: type, length, body, length.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).expect("names are short");
    body.extend([code, length].map(u16::to_le_bytes).concat());
    body.extend(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Fills up to a multiple of 4 bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
const LINKTYPE_ETHERNET: u16 = 1;
const OPT_COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const SHB_USERAPPL: u16 = 4;
const IF_TSRESOL: u16 = 9;
/// 10 to the minus 9 of a second.
const NANOSECONDS: u8 = 9;
/// Time to live: what Windows sends (a choice).
const TTL: u8 = 128;
