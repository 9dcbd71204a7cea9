//! The capture, read back by a parser that others wrote: as many packets on each link as the report counts, with right checksums,
//! times and fates. tests/peers/run has tshark read it.

mod support;

use std::collections::BTreeMap;

use etherparse::{SlicedPacket, TransportSlice};
use mailslot_sim::report::Pcapng;
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Block, OptionCode, PcapNGReader};
use serde_json::Value;
use support::{Pair, report, shipped};

struct Captured {
    link: String,
    nanos: u64,
    bytes: Vec<u8>,
    comment: Option<String>,
}

/// What a capture of a run holds.
fn capture(scenario: &Scenario) -> Vec<Captured> {
    let mut pcap = Pcapng::new(scenario, Vec::new());
    sim::run(scenario, 0, &mut pcap).unwrap();
    let bytes = pcap.finish().unwrap();
    let mut reader = PcapNGReader::new(1 << 20, &bytes[..]).unwrap();
    let (mut links, mut captured) = (Vec::new(), Vec::new());
    loop {
        match reader.next() {
            Ok((length, block)) => {
                if let pcap_parser::PcapBlockOwned::NG(block) = block {
                    match block {
                        Block::SectionHeader(_) => {}
                        Block::InterfaceDescription(interface) => {
                            assert_eq!(interface.if_tsresol, 9);
                            links.push(interface.if_name().unwrap().unwrap().to_owned());
                        }
                        Block::EnhancedPacket(packet) => captured.push(Captured {
                            link: links[packet.if_id as usize].clone(),
                            nanos: u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low),
                            bytes: packet.data[..packet.caplen as usize].to_vec(),
                            comment: packet
                                .options
                                .iter()
                                .find(|option| option.code == OptionCode::Comment)
                                .map(|option| option.as_str().unwrap().to_owned()),
                        }),
                        other => panic!("{other:?}"),
                    }
                }
                reader.consume(length);
            }
            Err(pcap_parser::PcapError::Eof) => return captured,
            Err(pcap_parser::PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn number(link: &Value, figure: &str) -> usize {
    link[figure].as_u64().unwrap() as usize
}

/// What the capture counts equals the report, link by link.
fn assert_counts(scenario: &Scenario) -> Vec<Captured> {
    let (captured, report) = (capture(scenario), report(scenario, 0));
    for link in report["links"].as_array().unwrap() {
        let on_link = || captured.iter().filter(|packet| packet.link == link["name"].as_str().unwrap());
        let cut = on_link().filter(|packet| packet.comment.as_deref() == Some("lost_in_partition")).count();
        let taken = on_link().filter(|packet| packet.comment.is_some()).count() - cut;
        assert_eq!(on_link().count() - cut, number(link, "offered"), "{}", link["name"]);
        assert_eq!(taken, number(link, "lost") + number(link, "queue_dropped"), "{}", link["name"]);
    }
    assert!(captured.iter().map(|packet| packet.nanos).is_sorted());
    captured
}

#[test]
fn shipped_scenarios_count_the_same() {
    for file in
        ["plant-alarm", "one-way-cut", "duplicates", "congested-uplink", "small-mtu", "lost-queries", "branch-office"]
    {
        let captured = assert_counts(&shipped(file, &[]));
        assert!(!captured.is_empty(), "{file}");
    }
}

#[test]
fn headers_are_right() {
    let top = "duration = \"5 s\"";
    let pair = Pair {
        top,
        up: "loss = \"20 %\"",
        to: r"\\DOM\mailslot\t",
        traffic: "every = \"10 ms\"\nsize = \"40 B\"",
        ..Pair::default()
    };
    let captured = assert_counts(&pair.scenario());
    let mut fates: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for packet in &captured {
        *fates.entry(packet.comment.as_deref()).or_default() += 1;
        let sliced = SlicedPacket::from_ethernet(&packet.bytes).unwrap();
        let ip = match sliced.net.unwrap() {
            etherparse::NetSlice::Ipv4(ip) => ip,
            other => panic!("{other:?}"),
        };
        assert_eq!(ip.header().header_checksum(), ip.header().to_header().calc_header_checksum());
        assert_eq!(ip.header().destination(), [10, 0, 255, 255], "a broadcast");
        assert_eq!(packet.bytes[..6], [0xFF; 6]);
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { panic!("it is UDP") };
        assert_eq!((udp.source_port(), udp.destination_port()), (138, 138));
        let checksum = udp.to_header().calc_checksum_ipv4(&ip.header().to_header(), udp.payload()).unwrap();
        assert_eq!(udp.checksum(), checksum);
    }
    assert_eq!(fates.keys().copied().collect::<Vec<_>>(), [None, Some("lost_on_link")]);
}

/// A flipped bit is in the bytes from the next link on, and the checksum is still that of what was sent.
#[test]
fn damage_shows() {
    let pair =
        Pair { top: "duration = \"1 s\"", up: "corrupt = \"100 %\"", traffic: "every = \"100 ms\"", ..Pair::default() };
    let captured = assert_counts(&pair.scenario());
    for packet in captured.iter() {
        let sliced = SlicedPacket::from_ethernet(&packet.bytes).unwrap();
        let Some(etherparse::NetSlice::Ipv4(ip)) = sliced.net else { panic!("it is IPv4") };
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { panic!("it is UDP") };
        let checksum = udp.to_header().calc_checksum_ipv4(&ip.header().to_header(), udp.payload()).unwrap();
        assert_eq!(udp.checksum() == checksum, packet.link == "s/A/up", "{}", packet.link);
    }
}

/// Who watches changes nothing, and two can.
#[test]
fn trace_and_capture_go_together() {
    let scenario = Pair { top: "duration = \"1 s\"", traffic: "every = \"10 ms\"", ..Pair::default() }.scenario();
    let mut both =
        (Some(mailslot_sim::report::Trace::new(&scenario, Vec::new())), Some(Pcapng::new(&scenario, Vec::new())));
    sim::run(&scenario, 0, &mut both).unwrap();
    let trace = String::from_utf8(both.0.unwrap().finish().unwrap()).unwrap();
    assert_eq!(trace.lines().collect::<Vec<_>>(), support::trace(&scenario));
    assert!(!both.1.unwrap().finish().unwrap().is_empty());
}
