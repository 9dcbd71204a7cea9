//! What holds whatever arrives and whatever is lost.

use std::net::{Ipv4Addr, SocketAddrV4};

use mailslot_sim::names::{Config, Event, Lookup, MAX_TRANSMITS, Mode, NameKind, NameService, Owner};
use mailslot_sim::wire::datagram::NodeType;
use mailslot_sim::wire::nbns::{Entry, ErrorCode, Message, Packet, Repr};
use mailslot_sim::wire::{Name, NetbiosName, Profile, Scope};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::lan::{Host, Lan, address, at, name};

/// Byte for byte but for NAME_TRN_ID, the service writes what the vectors of the category `nbns` say.
#[test]
fn the_service_writes_the_bytes_of_the_vectors() {
    let vectors = vectors();
    let node = |last, mode, names: &[(&str, NameKind)]| {
        let config = Config { address: [192, 168, 1, last].into(), scope: Scope::default(), mode, is_server: false };
        NameService::new(config, names.iter().map(|(text, kind)| (name(text), *kind)))
    };
    let mut client = node(10, Mode::Broadcast, &[]);
    let mut server = node(20, Mode::Broadcast, &[("SERVER1<00>", NameKind::Unique)]);
    let mut member =
        node(11, Mode::Broadcast, &[("WORKGROUP<00>", NameKind::Group), ("CLIENT1<00>", NameKind::Unique)]);
    let written = |service: &mut NameService, vector: &str| {
        let mut packet = Vec::new();
        service.poll_transmit(&mut packet).unwrap_or_else(|| panic!("nothing is sent for {vector}"));
        let expected = &vectors.iter().find(|(name, _)| name == vector).unwrap().1;
        assert_eq!(packet[2..], expected[2..], "{vector}");
        packet
    };
    let from = SocketAddrV4::new([192, 168, 1, 10].into(), 137);

    client.lookup(at(0), &name("SERVER1<00>"));
    let query = written(&mut client, "nbns_query_broadcast");
    server.handle_packet(at(0), from, &query);
    written(&mut server, "nbns_query_response_unique");

    let group = Name::from(name("WORKGROUP<00>"));
    let mut packet = Vec::new();
    Repr { id: 1, name: group, message: Message::Query { broadcast: true } }.emit(&mut packet);
    member.handle_packet(at(0), from, &packet);
    written(&mut member, "nbns_query_response_group");

    client.register(at(0), name("CLIENT1<00>"), NameKind::Unique);
    let claim = written(&mut client, "nbns_registration_broadcast");
    member.handle_packet(at(0), from, &claim);
    let objection = written(&mut member, "nbns_registration_negative");
    client.handle_packet(at(0), SocketAddrV4::new([192, 168, 1, 11].into(), 137), &objection);
    let by = Some([192, 168, 1, 11].into());
    assert_eq!(client.poll_event(), Some(Event::Refused { name: name("CLIENT1<00>"), by }));
}

/// What is wrong with a packet is said.
#[test]
fn malformed_packets_are_refused_for_their_own_reason() {
    let mut good = Vec::new();
    let owner = Entry { group: true, node: NodeType::M, address: [10, 0, 0, 1].into() };
    Repr { id: 7, name: Name::from(name("X<00>")), message: Message::Register { broadcast: true, ttl: 9, owner } }
        .emit(&mut good);
    assert_eq!(good.len(), 68);
    let reason = |profile, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Packet::new(&bytes).and_then(|packet| Repr::parse(&packet, profile)).unwrap_err().to_string()
    };
    let set = |at: usize, byte: u8| move |bytes: &mut Vec<u8>| bytes[at] = byte;
    for (change, words) in [
        (&(|bytes: &mut Vec<u8>| bytes.truncate(11)) as &dyn Fn(&mut Vec<u8>), "11 bytes; its header takes 12"),
        (&|bytes: &mut Vec<u8>| bytes.truncate(48), "ends at 48 bytes, inside a question or record"),
        (&|bytes: &mut Vec<u8>| bytes.truncate(51), "offset 50 is malformed: it does not end inside the packet"),
        (&|bytes: &mut Vec<u8>| bytes.truncate(67), "RDLENGTH is 6, but 5 bytes follow"),
        (&set(4, 0xFF), "the name at offset 56 is malformed: its first byte is 0x00"),
        (&set(11, 2), "ends at 68 bytes, inside a question or record"),
        (&set(11, 0), "no additional record"),
        (&set(5, 0), "no question"),
        (&set(12, 0x1F), "offset 12 is malformed: its first byte is 0x1f"),
        (&set(13, b'Z'), "byte 0x5a is not a letter"),
        (&set(51, 50), "leads to offset 50, which is not between the header and the labels before it"),
        (&set(47, 0x21), "type 0x0021 and class 0x0001 instead of NB"),
        (&set(55, 2), "type 0x0020 and class 0x0002 instead of NB"),
        (&set(61, 5), "5 bytes of data; each owner takes 6"),
        (&set(61, 0), "no owner"),
        (&set(2, 0x41), "no request with OPCODE 8"),
        (&set(2, 0xC1), "no answer"),
    ] {
        let found = reason(Profile::Windows, change);
        assert!(found.contains(words), "{found:?}, not {words:?}");
    }
    for (change, at) in
        [(&set(2, 0x2D) as &dyn Fn(&mut Vec<u8>), 2), (&set(63, 1), 63), (&|bytes: &mut Vec<u8>| bytes.push(0), 68)]
    {
        assert!(reason(Profile::Strict, change).starts_with(&format!("byte {at} of the packet")));
    }
}

/// A server as RFC 1002 4.2.14 draws it says ANCOUNT 0 and sends the record all the same.
#[test]
fn a_negative_answer_may_count_no_record() {
    let message = Message::NotFound { by_server: true, code: ErrorCode::Name };
    let repr = Repr { id: 7, name: Name::from(name("X<00>")), message };
    let mut bytes = Vec::new();
    repr.emit(&mut bytes);
    bytes[7] = 0;
    assert_eq!(Packet::new(&bytes).and_then(|packet| Repr::parse(&packet, Profile::Windows)), Ok(repr));
}

proptest! {
    #[test]
    fn every_message_parses_back(repr in repr()) {
        let mut bytes = Vec::new();
        repr.emit(&mut bytes);
        let packet = Packet::new(&bytes).unwrap();
        prop_assert_eq!(Repr::parse(&packet, Profile::Strict), Ok(repr.clone()));
        prop_assert_eq!(Repr::parse(&packet, Profile::Windows), Ok(repr));
    }

    /// No bytes make a parser or a service panic, whatever it waits for, nor send more than it was sent.
    #[test]
    fn no_bytes_panic(
        reprs in prop::collection::vec(repr(), 1..4),
        which in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
        cut in any::<Index>(),
        id in 0..4u16,
    ) {
        let mut packets: Vec<Vec<u8>> = vectors().into_iter().map(|(_, bytes)| bytes).collect();
        packets.extend(reprs.into_iter().map(|repr| {
            let mut bytes = Vec::new();
            Repr { id, name: Name::from(name("X<00>")), ..repr }.emit(&mut bytes);
            bytes
        }));
        let mut bytes = packets[which.index(packets.len())].clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        packets.push(bytes[..cut.index(bytes.len() + 1)].to_vec());
        for (mode, is_server) in [
            (Mode::Broadcast, false),
            (Mode::Server(address(1)), false),
            (Mode::Server(address(0)), true),
            (Mode::Static(Default::default()), true),
        ] {
            let config = Config { address: address(0), scope: Scope::default(), mode, is_server };
            let mut service = NameService::new(config, [(name("SERVER1<00>"), NameKind::Unique)]);
            service.lookup(at(0), &name("X<00>"));
            service.register(at(0), name("CLIENT1<00>"), NameKind::Unique);
            service.release(at(0), name("SERVER1<00>"));
            let mut packet = Vec::new();
            let own = std::iter::from_fn(|| service.poll_transmit(&mut packet)).count();
            prop_assert!(own <= 3);
            for bytes in &packets {
                service.handle_packet(at(1), SocketAddrV4::new(address(1), 137), bytes);
            }
            let answers = std::iter::from_fn(|| service.poll_transmit(&mut packet)).count();
            prop_assert!(answers <= packets.len().min(MAX_TRANSMITS));
            while let Some(next) = service.poll_timeout() {
                service.handle_timeout(next);
            }
        }
    }

    /// Machines claim a unique name one after the other, and any packet may be lost but objections. Then those get the
    /// name of whose claims no copy reached an owner, and nobody else: one, if every claimant is heard by the owners.
    #[test]
    fn a_name_has_one_owner_if_claims_are_heard_and_objections_arrive(
        order in Just((0..4).collect::<Vec<Host>>()).prop_shuffle(),
        lost in prop::collection::vec(prop::bool::weighted(0.7), 4 * 40),
        gaps in prop::collection::vec(751..2_000u64, 4),
    ) {
        let mut lan = Lan::broadcast(&[&[], &[], &[], &[]]);
        lan.spared = |message| matches!(message, Message::Refused { .. });
        lan.lost = (0..lost.len()).filter(|copy| lost[*copy]).map(|copy| (copy / 4, copy % 4)).collect();
        let mut start = 0;
        for (host, gap) in order.iter().zip(gaps) {
            lan.register(*host, "X<00>", NameKind::Unique);
            start += gap;
            lan.run_until(start);
        }
        let (mut expected, mut all_heard) = (Vec::new(), true);
        for host in order {
            let claims = lan.sent.iter().filter(|(from, repr, _)| {
                *from == host && matches!(repr.message, Message::Register { .. })
            });
            let reached: Vec<Host> = claims.flat_map(|(.., reached)| reached).copied().collect();
            all_heard &= expected.iter().all(|owner| reached.contains(owner));
            if !expected.iter().any(|owner| reached.contains(owner)) {
                expected.push(host);
            }
        }
        expected.sort_unstable();
        let owners: Vec<Host> = (0..4).filter(|host| lan.hosts[*host].holds(&name("X<00>"))).collect();
        prop_assert_eq!(&owners, &expected);
        prop_assert!(!all_heard || owners.len() == 1);
    }

    /// With a name server a unique name has one owner at most, whatever is lost and whoever claims it when.
    #[test]
    fn a_name_has_one_owner_by_its_server(
        starts in prop::collection::vec(0..20_000u64, 4),
        lost in prop::collection::vec(prop::bool::weighted(0.4), 40),
    ) {
        let mut lan = Lan::default();
        lan.add(0, Mode::Server(address(0)), true, &[]);
        for segment in 1..=4 {
            lan.add(segment, Mode::Server(address(0)), false, &[]);
        }
        lan.lose((0..lost.len()).filter(|packet| lost[*packet]));
        let mut claims: Vec<(u64, Host)> = starts.into_iter().zip(1..).collect();
        claims.sort_unstable();
        for (start, host) in claims {
            lan.run_until(start);
            lan.register(host, "X<00>", NameKind::Unique);
        }
        lan.run_until(60_000);
        prop_assert_eq!(lan.events.len(), 4, "each claim ends once");
        let granted: Vec<Host> = (1..=4).filter(|host| lan.hosts[*host].holds(&name("X<00>"))).collect();
        prop_assert!(granted.len() <= 1);
        // What a client believes, the server says.
        if let [owner] = granted[..] {
            prop_assert_eq!(lan.lookup(0, "X<00>"), Lookup::Found(Owner::Unique(address(owner))));
        }
    }

    /// A lookup ends once: when the first answer arrives, or after three waits.
    #[test]
    fn every_lookup_ends_once_and_in_time(lost in prop::collection::vec(any::<bool>(), 6), server in any::<bool>()) {
        let mut lan = Lan::default();
        let (mode, wait) =
            if server { (Mode::Server(address(1)), 5_000) } else { (Mode::Broadcast, 250) };
        lan.add(0, mode, false, &[]);
        lan.add(0, Mode::Broadcast, server, &[("X<00>", NameKind::Unique)]);
        lan.lose((0..lost.len()).filter(|packet| lost[*packet]));
        prop_assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
        lan.run_until(60_000);
        // Packets in order: a query, and an answer to each that arrived.
        let mut packets = lost.iter();
        let answered = (0..3u64).find(|_| !packets.next().unwrap() && !packets.next().unwrap());
        let owner = answered.map(|_| Owner::Unique(address(1)));
        let event = Event::Resolved { name: name("X<00>"), owner };
        prop_assert_eq!(&lan.events, &[(answered.unwrap_or(3) * wait, 0, event)]);
    }
}

/// The packets of the category `nbns`, by name.
fn vectors() -> Vec<(String, Vec<u8>)> {
    let text = std::fs::read_to_string("tests/data/vectors.json").unwrap();
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let nbns = vectors.into_iter().filter(|vector| vector["category"] == "nbns");
    nbns.map(|vector| {
        let hex = vector["packets"][0].as_str().unwrap();
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
        (vector["name"].as_str().unwrap().to_owned(), bytes.collect())
    })
    .collect()
}

fn repr() -> impl Strategy<Value = Repr> {
    let scope = prop::collection::vec("[a-zA-Z0-9]{1,63}", 0..4)
        .prop_filter_map("a scope is short", |labels| labels.join(".").parse::<Scope>().ok());
    (any::<u16>(), any::<[u8; 16]>(), scope, message()).prop_map(|(id, bytes, scope, message)| Repr {
        id,
        name: Name { netbios: NetbiosName::from_bytes(bytes), scope },
        message,
    })
}

fn message() -> impl Strategy<Value = Message> {
    let flags = (any::<bool>(), any::<u32>(), code());
    (0..12usize, flags, entry(), prop::collection::vec(entry(), 0..30), any::<u16>()).prop_map(
        |(kind, (flag, ttl, code), owner, owners, request_flags)| match kind {
            0 => Message::Query { broadcast: flag },
            1 => Message::Found { by_server: flag, ttl, owners },
            2 => Message::NotFound { by_server: flag, code },
            3 => Message::Register { broadcast: flag, ttl, owner },
            4 => Message::Overwrite { broadcast: flag, ttl, owner },
            5 => Message::Registered { ttl, owner },
            6 => Message::Challenge { ttl, owner },
            7 => Message::Refused { code, ttl, owner },
            8 => Message::Release { broadcast: flag, owner },
            9 => Message::Released { ttl, owner },
            10 => Message::NotReleased { code, ttl, owner },
            _ => Message::Wait { seconds: ttl, request_flags },
        },
    )
}

fn entry() -> impl Strategy<Value = Entry> {
    let node = prop::sample::select(vec![NodeType::B, NodeType::P, NodeType::M, NodeType::NbddOrHybrid]);
    (any::<bool>(), node, any::<Ipv4Addr>()).prop_map(|(group, node, address)| Entry { group, node, address })
}

fn code() -> impl Strategy<Value = ErrorCode> {
    prop::sample::select(vec![
        ErrorCode::Format,
        ErrorCode::Server,
        ErrorCode::Name,
        ErrorCode::Unsupported,
        ErrorCode::Refused,
        ErrorCode::Active,
        ErrorCode::Conflict,
    ])
}
