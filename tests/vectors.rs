//! Every vector of `tests/data/vectors.json` against the wire layer and the engine.
//!
//! `MAILSLOT_SIM_VECTORS=FILE` reads another file of the same form. Valid vectors must decode to every listed field and
//! re-encode byte for byte; malformed ones must be refused; under the strict profile `strict_expect` holds where it is
//! given. Vectors of the name service (category `nbns`) have a decoder of their own.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::sync::Arc;

use mailslot_sim::mailslot::{
    Config, CreateOptions, Directory, Discard, Disposition, Machine, NO_MESSAGE, NameKind, OpenOptions, Owner, Read,
};
use mailslot_sim::time::Instant;
use mailslot_sim::wire::datagram::{self, Direct, MessageType, Packet};
use mailslot_sim::wire::fragment::{self, Reassembly};
use mailslot_sim::wire::{Malformed, NetbiosName, Profile, nbns, transaction};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Vector {
    name: String,
    category: String,
    expect: String,
    strict_expect: Option<String>,
    fields: Map<String, Value>,
    packets: Vec<String>,
    reassembled_data_section_hex: Option<String>,
}

impl Vector {
    fn packets(&self) -> Vec<Vec<u8>> {
        self.packets.iter().map(|text| unhex(text)).collect()
    }
}

fn vectors() -> Vec<Vector> {
    let file = std::env::var_os("MAILSLOT_SIM_VECTORS").unwrap_or_else(|| "tests/data/vectors.json".into());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("cannot read {file:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"))
}

#[test]
fn every_vector_holds() {
    let vectors = vectors();
    assert!(!vectors.is_empty(), "the file holds no vectors");
    let failures: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let check = if vector.category == "nbns" { check_name_service } else { check };
            check(vector).err().map(|problem| format!("{}: {problem}", vector.name))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} vectors fail:\n{}", failures.len(), vectors.len(), failures.join("\n"));
}

/// The reasons are part of the product: each malformed vector is refused for what is wrong with it, and says so.
#[test]
fn malformed_vectors_are_refused_for_their_own_reason() {
    let reason = |name: &str| -> String {
        let vectors: Vec<Vector> =
            serde_json::from_str(&std::fs::read_to_string("tests/data/vectors.json").unwrap()).unwrap();
        let vector = vectors.iter().find(|vector| vector.name == name).unwrap();
        decode(&vector.packets(), Profile::Windows).unwrap_err().to_string()
    };
    for (name, words) in [
        ("trunc_header_13", "13 bytes; its header takes 14"),
        ("trunc_no_user_data", "user data has 0 bytes"),
        ("trunc_data", "DataOffset 84 + DataCount 5 is beyond the 87 bytes"),
        ("dgm_length_too_long", "DGM_LENGTH is 900, but 157 bytes follow"),
        ("dgm_length_inside_names", "does not end inside the packet"),
        ("name_label_not_32", "source name is malformed: its first byte is 0x1e"),
        ("name_bad_nibble_char", "destination name is malformed: byte 0x51"),
        ("name_label_loop", "label pointer"),
        ("name_scope_over_255", "longer than 255 bytes"),
        ("name_label_reserved_bits", "label length 0x43 has reserved bits"),
        ("bad_smb_magic", "Protocol is 0xfe534d42"),
        ("wordcount_16", "WordCount is 0x10; a mailslot write has 0x11"),
        ("datacount_past_end", "beyond the"),
        ("dataoffset_in_name", "DataOffset is 72, inside the header or the mailslot name"),
        ("slot_not_mailslot", "does not start with \\MAILSLOT\\"),
        ("first_with_offset", "PACKET_OFFSET 40"),
        ("fragment_overlap", "starts at offset 514; the fragments before it end at 534"),
    ] {
        let reason = reason(name);
        assert!(reason.contains(words), "{name} is refused because {reason:?}, not {words:?}");
    }
}

proptest! {
    /// No bytes make the parser or the engine panic: cut, spliced and overwritten vectors.
    #[test]
    fn no_bytes_panic(
        which in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        splice in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let packets: Vec<Vec<u8>> = vectors().iter().flat_map(Vector::packets).collect();
        let (mut bytes, donor) = (packets[which.index(packets.len())].clone(), &packets[other.index(packets.len())]);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let at = splice.index(donor.len().min(bytes.len()));
        bytes[at..].iter_mut().zip(&donor[at..]).for_each(|(byte, other)| *byte = *other);
        bytes.truncate(cut.index(bytes.len() + 1));

        for profile in [Profile::Windows, Profile::Strict] {
            let whole = [bytes.clone()];
            let pair = [bytes.clone(), donor.clone()];
            for packets in [&whole[..], &pair[..]] {
                if let Ok(Decoded::Write { datagram, write, .. }) = decode(packets, profile) {
                    let _ = (datagram, write.to_string());
                }
            }
        }
        let mut receiver = receiver(&[("SERVER1<00>", "test")]);
        receiver.handle_datagram(Instant::ZERO, sender(), &bytes);
        for profile in [Profile::Windows, Profile::Strict] {
            let _ = nbns::Packet::new(&bytes).and_then(|packet| nbns::Repr::parse(&packet, profile));
        }
    }
}

/// What a packet, or a datagram in fragments, was found to be.
#[derive(Debug)]
enum Decoded {
    Write { datagram: Direct, write: String, details: Details },
    Other(datagram::Repr),
}

/// The fields of a mailslot write that vectors list.
#[derive(Debug)]
struct Details {
    data: Vec<u8>,
    priority: u16,
    class: u16,
    data_offset: u16,
    padding: usize,
    byte_count: u16,
}

fn decode(packets: &[Vec<u8>], profile: Profile) -> Result<Decoded, Malformed> {
    let first = Packet::new(&packets[0])?;
    let datagram = if let [_] = packets {
        let Some(view) = first.direct(profile)? else { return datagram::Repr::parse(&first).map(Decoded::Other) };
        Direct::new(first.head(), &view)
    } else {
        Direct::new(first.head(), &reassemble(packets)?.direct()?)
    };
    let packet = transaction::Packet::new(&datagram.user_data, profile)?;
    let write = String::from_utf8_lossy(packet.name()).into_owned();
    let details = Details {
        data: packet.data().to_vec(),
        priority: packet.priority(),
        class: packet.class(),
        data_offset: packet.data_offset(),
        padding: packet.padding().len(),
        byte_count: packet.byte_count(),
    };
    Ok(Decoded::Write { datagram, write, details })
}

fn reassemble(packets: &[Vec<u8>]) -> Result<Reassembly, Malformed> {
    let mut reassembly = Reassembly::start(&Packet::new(&packets[0])?)?;
    for (position, bytes) in packets.iter().enumerate().skip(1) {
        let complete = reassembly.add(&Packet::new(bytes)?)?;
        assert_eq!(complete, position == packets.len() - 1, "only the last fragment completes the datagram");
    }
    Ok(reassembly)
}

fn check(vector: &Vector) -> Result<(), String> {
    let packets = vector.packets();
    let strict_expect = vector.strict_expect.as_ref().unwrap_or(&vector.expect);
    for (profile, expect) in [(Profile::Windows, &vector.expect), (Profile::Strict, strict_expect)] {
        match (expect.as_str(), decode(&packets, profile)) {
            ("reject", Err(reason)) => check_reason(&vector.fields, reason)?,
            ("reject", Ok(decoded)) => return Err(format!("{profile:?} accepts it as {decoded:?}")),
            ("accept" | "discard", Err(reason)) => return Err(format!("{profile:?} refuses it: {reason}")),
            ("accept" | "discard", Ok(decoded)) => check_fields(vector, &packets, &decoded)?,
            (other, _) => return Err(format!("the runner does not know the expectation {other:?}")),
        }
    }
    if vector.category == "valid" {
        check_encoding(vector, &packets)?;
    }
    check_receiver(vector, &packets)
}

/// A packet of the name service: every field from the lenient view, the bytes again from the owned form. A vector that
/// is accepted must be one of the messages, and written as a careful sender writes it.
fn check_name_service(vector: &Vector) -> Result<(), String> {
    for bytes in vector.packets() {
        let parse = |profile| nbns::Packet::new(&bytes).and_then(|packet| nbns::Repr::parse(&packet, profile));
        let strict_expect = vector.strict_expect.as_ref().unwrap_or(&vector.expect);
        for (profile, expect) in [(Profile::Windows, &vector.expect), (Profile::Strict, strict_expect)] {
            match (expect.as_str(), parse(profile)) {
                ("reject", Err(_)) => {}
                ("reject", Ok(repr)) => return Err(format!("{profile:?} accepts it as {repr:?}")),
                ("accept" | "discard", Err(reason)) => return Err(format!("{profile:?} refuses it: {reason}")),
                ("accept" | "discard", Ok(repr)) if profile == Profile::Strict => {
                    same("encoding", &hex(&bytes).into(), hex(&emitted(|out| repr.emit(out))).into())?;
                }
                ("accept" | "discard", Ok(_)) => {}
                (other, _) => return Err(format!("the runner does not know the expectation {other:?}")),
            }
        }
        if vector.expect != "reject" {
            let packet = nbns::Packet::new(&bytes).map_err(|reason| reason.to_string())?;
            for (field, expected) in &vector.fields {
                let found = name_service_field(field, &packet).map_err(|reason| reason.to_string())?;
                same(field, expected, found.ok_or(format!("the runner does not know the field {field:?}"))?)?;
            }
        }
    }
    Ok(())
}

fn name_service_field(field: &str, packet: &nbns::Packet<'_>) -> Result<Option<Value>, nbns::Malformed> {
    let sections = packet.sections()?;
    let record = sections.answers.first().or(sections.additional.first());
    let owners = record.map_or(Ok(Vec::new()), nbns::Record::owners)?;
    let name = sections.questions.first().map(|question| &question.name).or(record.map(|record| &record.name));
    Ok(match field {
        "trn_id" => Some(packet.id().into()),
        "opcode" => Some(packet.opcode().into()),
        "rcode" => Some(packet.code().into()),
        "name" => name.map(|name| name.netbios.to_string().into()),
        "group" => owners.first().map(|owner| owner.group.into()),
        "address" => owners.first().map(|owner| owner.address.to_string().into()),
        _ => None,
    })
}

fn check_reason(fields: &Map<String, Value>, reason: Malformed) -> Result<(), String> {
    match fields.get("error_code") {
        Some(code) => same("error_code", code, reason.datagram_error().map_or(Value::Null, Value::from)),
        None => Ok(()),
    }
}

fn check_fields(vector: &Vector, packets: &[Vec<u8>], decoded: &Decoded) -> Result<(), String> {
    let first = Packet::new(&packets[0]).map_err(|reason| reason.to_string())?;
    for (field, expected) in &vector.fields {
        if field == "rfc_reply" {
            continue; // what a receiver may answer: checked in check_receiver
        }
        let found = packet_field(field, packets, &first).or_else(|| match decoded {
            Decoded::Write { datagram, write, details } => write_field(field, datagram, write, details),
            Decoded::Other(repr) => other_field(field, repr),
        });
        same(field, expected, found.ok_or(format!("the runner does not know the field {field:?}"))?)?;
    }
    Ok(())
}

fn packet_field(field: &str, packets: &[Vec<u8>], first: &Packet<'_>) -> Option<Value> {
    let each = |of: fn(&Packet<'_>) -> Value| packets.iter().map(|bytes| of(&Packet::new(bytes).unwrap())).collect();
    Some(match field {
        "msg_type" => first.message_type().byte().into(),
        "dgm_id" => first.id().into(),
        "dgm_length" => first.length().into(),
        "packet_offsets" => each(|packet| packet.offset().into()),
        "flags" => each(|packet| format!("{:#04x}", packet.flags()).into()),
        _ => return None,
    })
}

fn write_field(field: &str, datagram: &Direct, write: &str, details: &Details) -> Option<Value> {
    let data = &details.data;
    let number = |at: usize, len: usize| {
        let bytes = data.get(at..at + len)?;
        Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    Some(match field {
        "source" => datagram.source.netbios.to_string().into(),
        "destination" => datagram.destination.netbios.to_string().into(),
        "scope" => datagram.source.scope.to_string().into(),
        "mailslot" => write.into(),
        "data_len" => data.len().into(),
        "data_hex" => hex(data).into(),
        "priority" => details.priority.into(),
        "class" => details.class.into(),
        "data_offset" => details.data_offset.into(),
        "padding" => details.padding.into(),
        "byte_count" => details.byte_count.into(),
        "smb_len" => datagram.user_data.len().into(),
        // Inside the message: offsets of MS-BRWS 2.2 and MS-ADTS 6.3.1.3.
        "browser_opcode" => number(0, 1)?.into(),
        "count" => number(1, 1)?.into(),
        "token" | "periodicity_ms" => number(2, 4)?.into(),
        "server_type" => format!("{:#010x}", number(24, 4)?).into(),
        "comment" => String::from_utf8_lossy(&data[32..data.len() - 1]).into(),
        "netlogon_opcode" => number(0, 2)?.into(),
        "reply_mailslot" => {
            let text = String::from_utf8_lossy(data);
            let start = text.find("\\MAILSLOT\\")?;
            text[start..].split('\0').next()?.into()
        }
        _ => return None,
    })
}

fn other_field(field: &str, repr: &datagram::Repr) -> Option<Value> {
    match (field, repr) {
        ("error_code", datagram::Repr::Error { code, .. }) => Some((*code).into()),
        ("destination", datagram::Repr::Query { destination, .. }) => Some(destination.netbios.to_string().into()),
        _ => None,
    }
}

/// Valid vectors re-encode byte for byte, each layer from its owned form.
fn check_encoding(vector: &Vector, packets: &[Vec<u8>]) -> Result<(), String> {
    let encoded = match decode(packets, Profile::Windows).map_err(|reason| reason.to_string())? {
        Decoded::Other(repr) => vec![emitted(|out| repr.emit(out))],
        Decoded::Write { mut datagram, .. } => {
            let packet = transaction::Packet::new(&datagram.user_data, Profile::Windows).unwrap();
            let write = transaction::Repr::parse(&packet).map_err(|reason| reason.to_string())?;
            datagram.user_data = emitted(|out| write.emit(out));
            if let Some(section) = &vector.reassembled_data_section_hex {
                same(
                    "reassembled_data_section_hex",
                    &Value::from(&section[..]),
                    hex(reassemble(packets).unwrap().section()).into(),
                )?;
                let whole = emitted(|out| datagram::Repr::Direct(datagram).emit(out));
                fragment::split(&whole, fragment::DEFAULT_MAX_PACKET)
            } else {
                vec![emitted(|out| datagram::Repr::Direct(datagram).emit(out))]
            }
        }
    };
    same(
        "encoding",
        &packets.iter().map(|bytes| hex(bytes)).collect(),
        encoded.iter().map(|bytes| hex(bytes)).collect(),
    )
}

/// The engine of the machine that the vector addresses takes the message, or discards it for the listed reason.
fn check_receiver(vector: &Vector, packets: &[Vec<u8>]) -> Result<(), String> {
    let [packet] = packets else { return Ok(()) }; // fragments are put together before they reach a slot
    if matches!(Packet::new(packet).map(|packet| packet.message_type()), Ok(MessageType::Error | MessageType::Query(_)))
    {
        return Ok(());
    }
    let text = |field: &str| vector.fields.get(field).and_then(Value::as_str);
    let direct = Packet::new(packet).and_then(|packet| packet.direct(Profile::Windows)).ok().flatten();
    let kind = direct.as_ref().map(|direct| direct.kind);
    let addressed = direct.map_or_else(|| "NOBODY<00>".to_owned(), |it| it.destination.netbios.to_string());
    let slot = text("mailslot").map_or("other", |name| &name["\\MAILSLOT\\".len()..]);
    let receive = |name: &str, slot: &str| {
        let mut receiver = receiver_in(text("scope").unwrap_or(""), &[(name, slot)]);
        let disposition = receiver.handle_datagram(Instant::ZERO, sender(), packet);
        let mut reply = Vec::new();
        let reply = receiver.poll_transmit(&mut reply).map(|_| reply);
        (disposition, reply)
    };
    let bearer = receive(&addressed, if vector.expect == "discard" { "other" } else { slot });
    let stranger = match (vector.expect.as_str(), &bearer) {
        ("accept", (Disposition::Enqueued(_), None))
        | ("reject", (Disposition::Discarded(Discard::Malformed(_)), None)) => return Ok(()),
        ("discard", (Disposition::Discarded(Discard::NoSuchMailslot), None)) => receive("NOBODY<00>", slot),
        _ => return Err(format!("the bearer of the name says {bearer:?}")),
    };
    let (disposition, reply) = stranger;
    if !matches!(disposition, Disposition::Discarded(Discard::NotForUs)) {
        return Err(format!("a machine without the name says {disposition:?}"));
    }
    let answered = match reply.as_deref().map(decode_reply) {
        None => Value::Null,
        Some(code) => format!("datagram_error_{code:02x}").into(),
    };
    let expected = if kind == Some(datagram::Kind::Unique) { "datagram_error_82".into() } else { Value::Null };
    same("the answer of a machine without the name", &expected, answered)?;
    match vector.fields.get("rfc_reply") {
        Some(listed) => same("rfc_reply", listed, expected),
        None => Ok(()),
    }
}

/// The code of a DATAGRAM ERROR packet.
fn decode_reply(packet: &[u8]) -> u8 {
    match decode(&[packet.to_vec()], Profile::Strict) {
        Ok(Decoded::Other(datagram::Repr::Error { code, .. })) => code,
        other => panic!("a DATAGRAM ERROR is expected, not {other:?}"),
    }
}

/// A machine that bears each name and has each slot, and answers with DATAGRAM ERROR.
fn receiver(entries: &[(&str, &str)]) -> Machine {
    receiver_in("", entries)
}

fn receiver_in(scope: &str, entries: &[(&str, &str)]) -> Machine {
    let names: BTreeSet<NetbiosName> = entries.iter().map(|(name, _)| name.parse().unwrap()).collect();
    let mut config = Config::new("RECEIVER", "NOWHERE", [192, 168, 1, 20].into()).unwrap();
    config.names = names.into_iter().map(|name| (name, NameKind::Unique)).collect();
    config.scope = scope.parse().unwrap();
    config.datagram_errors = true;
    let mut machine = Machine::new(config, Arc::new(Directory::default()));
    for (_, slot) in entries {
        machine.create_mailslot(&format!(r"\\.\mailslot\{slot}"), CreateOptions::default()).unwrap();
    }
    machine
}

fn sender() -> SocketAddrV4 {
    "192.168.1.10:138".parse().unwrap()
}

fn emitted(emit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    emit(&mut out);
    out
}

fn same(what: &str, expected: &Value, found: Value) -> Result<(), String> {
    if *expected == found { Ok(()) } else { Err(format!("{what} is {found}, not {expected}")) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits"))
        .collect()
}

/// What the engine writes is, byte for byte but for DGM_ID, what the vectors say: header, names, padding and all.
#[test]
fn the_engine_writes_the_bytes_of_the_vectors() {
    for (name, path) in [
        ("direct_unique_small", r"\\SERVER1\mailslot\TEST"),
        ("direct_group_domain00", r"\\WORKGROUP\mailslot\ALERT"),
        ("max_424_slot8", r"\\SERVER1\mailslot\SLOTNAM8"),
        ("scope_id", r"\\SERVER1\mailslot\TEST"),
    ] {
        let text = std::fs::read_to_string("tests/data/vectors.json").unwrap();
        let vectors: Vec<Vector> = serde_json::from_str(&text).unwrap();
        let vector = vectors.iter().find(|vector| vector.name == name).unwrap();
        let owners = [("SERVER1<00>", Owner::Unique([192, 168, 1, 20].into())), ("WORKGROUP<00>", Owner::Group)];
        let directory: Directory = owners.map(|(name, owner)| (name.parse().unwrap(), owner)).into_iter().collect();
        let mut config = Config::new("CLIENT1", "WORKGROUP", [192, 168, 1, 10].into()).unwrap();
        config.scope = vector.fields.get("scope").map_or("", |scope| scope.as_str().unwrap()).parse().unwrap();
        let mut machine = Machine::new(config, Arc::new(directory));
        let client = machine.open(path, OpenOptions::default()).unwrap();
        machine.write(Instant::ZERO, client, &unhex(vector.fields["data_hex"].as_str().unwrap())).unwrap();
        let mut packet = Vec::new();
        machine.poll_transmit(&mut packet).unwrap();
        let expected = &vector.packets()[0];
        packet[2..4].copy_from_slice(&expected[2..4]);
        assert_eq!(hex(&packet), hex(expected), "{name}");
    }
}

/// What one machine writes, another reads: through every byte.
#[test]
fn a_write_of_the_engine_reaches_the_engine() {
    let directory: Directory = [("B<00>".parse().unwrap(), Owner::Unique([10, 0, 0, 2].into()))].into_iter().collect();
    let config = |name, last| Config::new(name, "D", [10, 0, 0, last].into()).unwrap();
    let mut a = Machine::new(config("A", 1), Arc::new(directory));
    let mut b = Machine::new(config("B", 2), Arc::new(Directory::default()));
    let slot = b.create_mailslot(r"\\.\mailslot\Some\Where", CreateOptions::default()).unwrap();
    let client = a.open(r"\\b\MAILSLOT\sOME\wHERE", OpenOptions::default()).unwrap();
    a.write(Instant::ZERO, client, b"hello").unwrap();
    let mut packet = Vec::new();
    a.poll_transmit(&mut packet).unwrap();
    assert!(matches!(b.handle_datagram(Instant::ZERO, sender(), &packet), Disposition::Enqueued(_)));
    let Ok(Read::Done(message)) = b.read(Instant::ZERO, slot, 16) else { panic!("a message waits") };
    assert_eq!((message.data.as_slice(), message.source), (&b"hello"[..], "A<00>".parse().unwrap()));
    assert_eq!(b.info(slot).unwrap().next_size, NO_MESSAGE);
}
