//! Reads the mailslot writes out of a packet capture: pcap and pcapng, either byte order, any time resolution.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use etherparse::{LaxSlicedPacket, NetSlice, SlicedPacket, TransportSlice};
use pcap_parser::{Block, InterfaceDescriptionBlock, Linktype, PcapBlockOwned, PcapError, create_reader};

use crate::time::Duration;
use crate::wire::datagram::{self, Packet};
use crate::wire::{NetbiosName, Profile, transaction};

/// The most bytes of all captures of a scenario.
pub const MAX_CAPTURE_BYTES: usize = 256 << 20;

/// What a capture holds.
#[derive(Debug, Default)]
pub(super) struct Capture {
    /// Mailslot writes in the order of time.
    pub(super) writes: Vec<Captured>,
    /// Datagrams on port 138 that are no whole mailslot writes: frame and reason.
    pub(super) skipped: Vec<(u64, String)>,
}

/// A captured mailslot write.
#[derive(Debug)]
pub(super) struct Captured {
    /// Number of its frame, from 1, as Wireshark counts.
    pub(super) frame: u64,
    /// Since the first frame of the capture.
    pub(super) at: Duration,
    pub(super) source: NetbiosName,
    pub(super) destination: NetbiosName,
    /// The mailslot name after `\MAILSLOT\`.
    pub(super) slot: Vec<u8>,
    pub(super) data: Arc<[u8]>,
}

/// Reads a whole capture.
pub(super) fn read(bytes: &[u8]) -> Result<Capture, String> {
    let not_a_capture = "it is neither a pcap nor a pcapng file";
    let mut reader = create_reader(bytes.len() + 1, Cursor::new(bytes)).map_err(|_| not_a_capture.to_owned())?;
    let mut frames = Frames::default();
    loop {
        let consumed = match reader.next() {
            Ok((length, block)) => {
                frames.block(&block)?;
                Some(length)
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_) | PcapError::UnexpectedEof) => None,
            Err(_) => return Err(format!("it is damaged after frame {}", frames.number)),
        };
        match consumed {
            Some(length) => reader.consume(length),
            None if reader.reader_exhausted() => return Err(format!("it ends inside frame {}", frames.number + 1)),
            None => reader.refill().map_err(|_| format!("it is damaged after frame {}", frames.number))?,
        }
    }
    let mut capture = frames.capture;
    if capture.writes.is_empty() {
        return Err("it holds no mailslot datagram (UDP port 138)".into());
    }
    capture.writes.sort_by_key(|write| write.at);
    Ok(capture)
}

/// The frames of a capture as they are read.
#[derive(Default)]
struct Frames {
    /// How many there were.
    number: u64,
    /// Time of the first, in nanoseconds of the capture's clock.
    first: Option<i128>,
    /// How the frames of a pcap file look: link type, nanoseconds per unit of the fraction.
    legacy: Option<(Linktype, i128)>,
    /// How the frames of each interface of a pcapng section look.
    interfaces: BTreeMap<u32, Interface>,
    capture: Capture,
}

struct Interface {
    linktype: Linktype,
    /// Units of a second.
    resolution: u64,
    offset_s: i64,
}

impl Frames {
    fn block(&mut self, block: &PcapBlockOwned<'_>) -> Result<(), String> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let unit = if header.is_nanosecond_precision() { 1 } else { 1_000 };
                self.legacy = Some((header.network, unit));
            }
            PcapBlockOwned::Legacy(frame) => {
                let (linktype, unit) = self.legacy.ok_or("it has frames before its header")?;
                let at = i128::from(frame.ts_sec) * 1_000_000_000 + i128::from(frame.ts_usec) * unit;
                self.frame(at, linktype, frame.data)?;
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => self.interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => self.interface(interface)?,
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let unknown = || format!("frame {} is of an interface that is not described", self.number + 1);
                let interface = self.interfaces.get(&packet.if_id).ok_or_else(unknown)?;
                let ticks = i128::from(u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low));
                let fraction = ticks * 1_000_000_000 / i128::from(interface.resolution);
                let at = fraction + i128::from(interface.offset_s) * 1_000_000_000;
                let linktype = interface.linktype;
                let data = packet.data.get(..packet.caplen as usize).unwrap_or(packet.data);
                self.frame(at, linktype, data)?;
            }
            PcapBlockOwned::NG(Block::SimplePacket(_)) => {
                return Err(format!("frame {} has no time (a Simple Packet Block)", self.number + 1));
            }
            PcapBlockOwned::NG(_) => {}
        }
        Ok(())
    }

    fn interface(&mut self, interface: &InterfaceDescriptionBlock<'_>) -> Result<(), String> {
        let number = self.interfaces.len() as u32;
        let resolution = interface.ts_resolution().filter(|resolution| *resolution > 0);
        let resolution = resolution.ok_or_else(|| format!("interface {number} has an unusable time resolution"))?;
        let described = Interface { linktype: interface.linktype, resolution, offset_s: interface.ts_offset() };
        self.interfaces.insert(number, described);
        Ok(())
    }

    fn frame(&mut self, at: i128, linktype: Linktype, data: &[u8]) -> Result<(), String> {
        self.number += 1;
        let first = *self.first.get_or_insert(at);
        let at = Duration::from_nanos(u64::try_from(at - first).unwrap_or(0));
        let (packet, lax) = match linktype {
            Linktype::ETHERNET => (SlicedPacket::from_ethernet(data), LaxSlicedPacket::from_ethernet(data).ok()),
            Linktype::LINUX_SLL => (SlicedPacket::from_linux_sll(data), None),
            Linktype::RAW | Linktype::IPV4 => (SlicedPacket::from_ip(data), LaxSlicedPacket::from_ip(data).ok()),
            Linktype::NULL | Linktype::LOOP => {
                let ip = data.get(4..).unwrap_or_default();
                (SlicedPacket::from_ip(ip), LaxSlicedPacket::from_ip(ip).ok())
            }
            Linktype(other) => {
                let known = "Ethernet, Linux cooked, raw IP and loopback are";
                return Err(format!("frame {} has link type {other}, which is not supported; {known}", self.number));
            }
        };
        let lax = lax.and_then(|packet| packet.transport);
        match packet.map(|packet| (packet.net, packet.transport)) {
            Ok((Some(NetSlice::Ipv4(ip)), transport)) if ip.is_payload_fragmented() => {
                if is_datagram_service(transport.as_ref().or(lax.as_ref())) {
                    self.skip("it is a fragment of an IP datagram");
                }
            }
            Ok((_, Some(TransportSlice::Udp(udp)))) if udp.destination_port() == datagram::PORT => {
                match mailslot_write(udp.payload()) {
                    Ok((source, destination, slot, message)) => {
                        let write = Captured { frame: self.number, at, source, destination, slot, data: message };
                        self.capture.writes.push(write);
                    }
                    Err(reason) => self.skip(&reason),
                }
            }
            Err(_) if is_datagram_service(lax.as_ref()) => self.skip("the capture cut it off"),
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }

    fn skip(&mut self, reason: &str) {
        self.capture.skipped.push((self.number, reason.to_owned()));
    }
}

fn is_datagram_service(transport: Option<&TransportSlice<'_>>) -> bool {
    matches!(transport, Some(TransportSlice::Udp(udp)) if udp.destination_port() == datagram::PORT)
}

/// The parts of a mailslot write: source, destination, slot, message.
type Parts = (NetbiosName, NetbiosName, Vec<u8>, Arc<[u8]>);

fn mailslot_write(payload: &[u8]) -> Result<Parts, String> {
    let packet = Packet::new(payload).map_err(|reason| reason.to_string())?;
    let direct = packet.direct(Profile::Windows).map_err(|reason| reason.to_string())?;
    let direct = direct.ok_or("it is an error or a query, not a message")?;
    let write = transaction::Packet::new(direct.user_data, Profile::Windows).map_err(|reason| reason.to_string())?;
    Ok((direct.source.netbios, direct.destination.netbios, write.leaf().to_vec(), write.data().into()))
}
