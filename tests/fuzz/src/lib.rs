//! What `mailslot-sim` promises about any bytes that reach it, each promise a function that panics when it is broken.
//!
//! `tests/fuzz.rs` replays the inputs of `tests/fuzz/corpus` and changed ones with `cargo test`; `.ci/fuzz` lets libFuzzer look
//! for others. A target is a function here, three lines in `fuzz_targets` with an entry in `Cargo.toml`, a line in
//! `tests/fuzz.rs` and a folder in `tests/fuzz/corpus`.

mod reader;
mod receiver;

use std::collections::BTreeSet;
use std::sync::Arc;

use mailslot_sim::mailslot::{Disposition, MAX_REASSEMBLIES};
use mailslot_sim::message::{Message, browser, messenger, netlogon};
use mailslot_sim::names::{self, Mode, NameKind, NameService};
use mailslot_sim::scenario::{Severity, Source, parse};
use mailslot_sim::time::Instant;
use mailslot_sim::wire::name::NameView;
use mailslot_sim::wire::{NetbiosName, Profile, Scope, nbns};
use receiver::Receiver;

/// A packet: taken exactly when it is a mailslot write to a name and a mailslot of the machine, and then whole and there
/// only; what the strict profile takes, the other does too.
pub fn datagram(packet: &[u8]) {
    let whole = reader::whole(packet);
    for scope in ["", "NETBIOS.COM"] {
        let mut lenient = Receiver::new(Profile::Windows, scope);
        let section = whole.and_then(|(_, bytes)| reader::section(bytes));
        let expected = section.is_some_and(|section| lenient.expected(&section).is_some());
        let taken = |disposition| matches!(disposition, Disposition::Enqueued(_));
        assert_eq!(taken(lenient.receive(0, packet, whole)), expected);
        let reserved_flags = packet.get(1).is_some_and(|flags| flags & 0xF0 != 0);
        let strict = whole.filter(|_| !reserved_flags);
        assert!(!taken(Receiver::new(Profile::Strict, scope).receive(0, packet, strict)) || expected);
    }
}

/// An encoded name, or the notation of one: read as another reader does, and written back as it was.
pub fn name(bytes: &[u8]) {
    let parsed = NameView::parse(bytes).ok();
    let other = reader::name(bytes);
    assert_eq!(parsed.map(|(name, rest)| (*name.netbios.as_bytes(), name.scope, rest)), {
        other.as_ref().map(|(name, rest)| (name.bytes, &name.scope[..], *rest))
    });
    if let Some((name, rest)) = parsed {
        let mut emitted = Vec::new();
        name.to_name().emit(&mut emitted);
        assert_eq!([&emitted[..], rest].concat(), bytes);
        assert_eq!(name.to_name().encoded_len(), emitted.len());
        let _ = (name.netbios.to_string(), name.to_name().scope.to_string());
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(name) = text.parse::<NetbiosName>() {
        assert_eq!(name.to_string().parse(), Ok(name), "{name} is read back");
    }
    if let Ok(scope) = text.parse::<Scope>() {
        assert_eq!(scope.to_string().parse(), Ok(scope));
    }
}

/// A message to a well-known mailslot, which the first byte chooses: what is read is written back, a browser frame or a
/// text of the messenger byte for byte, and means the same again; in words it is one line.
pub fn message(bytes: &[u8]) {
    let Some((slot, data)) = bytes.split_first() else { return };
    let slots = [browser::SLOT, browser::LANMAN_SLOT, netlogon::SLOT, messenger::SLOT];
    let slot = slots[usize::from(*slot) % slots.len()];
    let Ok(Some(message)) = Message::parse(slot, data) else { return };
    assert!(!message.to_string().contains(char::is_control));
    let mut emitted = Vec::new();
    match &message {
        Message::Browser(frame) => frame.emit(&mut emitted),
        Message::Netlogon(netlogon) => netlogon.emit(&mut emitted),
        Message::Messenger(text) => text.emit(&mut emitted),
    }
    if !matches!(message, Message::Netlogon(_)) {
        assert_eq!(emitted, data);
    }
    assert_eq!(Message::parse(slot, &emitted), Ok(Some(message)));
}

/// A packet of the name service: what is read is written in one way only, and read back as the same; and a machine of
/// any kind takes it, with no more to say than one answer.
pub fn name_service(packet: &[u8]) {
    if let Ok(repr) = nbns::Packet::new(packet).and_then(|view| nbns::Repr::parse(&view, Profile::Windows)) {
        let mut emitted = Vec::new();
        repr.emit(&mut emitted);
        let again = nbns::Packet::new(&emitted).and_then(|view| nbns::Repr::parse(&view, Profile::Strict));
        assert_eq!(again, Ok(repr));
    }
    for (mode, is_server) in [
        (Mode::Static(Arc::default()), false),
        (Mode::Broadcast, false),
        (Mode::Server([192, 168, 1, 10].into()), false),
        (Mode::Broadcast, true),
    ] {
        let config = names::Config { address: [192, 168, 1, 20].into(), scope: Scope::default(), mode, is_server };
        let own = [("SERVER1<00>", NameKind::Unique), ("WORKGROUP<00>", NameKind::Group)];
        let own = own.map(|(name, kind)| (name.parse().expect("a name"), kind));
        let mut service = NameService::new(config, own);
        service.handle_packet(Instant::ZERO, "192.168.1.10:137".parse().expect("an address"), packet);
        let mut answer = Vec::new();
        let answers = std::iter::from_fn(|| service.poll_transmit(&mut answer)).count();
        assert!(answers <= 1);
    }
}

/// Packets one after another, each with two bytes before it that say how long it is, or with the first bit set how many
/// milliseconds pass: only whole datagrams are taken, of bytes that came in their fragments, and few of them wait.
pub fn fragments(mut bytes: &[u8]) {
    let mut receiver = Receiver::new(Profile::Windows, "");
    let mut assembler = reader::Assembler::default();
    let mut waiting = BTreeSet::new();
    let mut now_ms = 0;
    while let Some((head, rest)) = bytes.split_first_chunk() {
        let number = u16::from_be_bytes(*head);
        if number & 0x8000 != 0 {
            bytes = rest;
            now_ms += u64::from(number & 0x7FFF);
            receiver.tell(now_ms);
            assembler.expire(now_ms);
        } else {
            let (packet, rest) = rest.split_at(rest.len().min(number.into()));
            bytes = rest;
            let whole = reader::whole(packet).map(|(kind, section)| (kind, section.to_vec()));
            let is_fragment = reader::packet(packet).is_some_and(|(_, flags, ..)| flags != 2);
            let complete = if is_fragment { assembler.add(now_ms, packet) } else { whole };
            let complete = complete.as_ref().map(|(kind, section)| (*kind, &section[..]));
            if let Disposition::Held(key) = receiver.receive(now_ms, packet, complete) {
                waiting.insert(key);
            }
        }
        for key in receiver.ended() {
            assert!(waiting.remove(&key));
        }
        assert_eq!(waiting.len(), assembler.waiting());
        assert!(waiting.len() <= MAX_REASSEMBLIES);
    }
}

/// A scenario file: ends with a scenario, or with problems of which one is an error; all can be shown.
pub fn scenario(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let read_file = |_: &str| Ok(CAPTURE.to_vec());
    let source = Source { name: "fuzz.toml", text: &text, set: &[], read_file: &read_file };
    match parse(&source) {
        Ok(checked) => {
            assert_eq!(checked.warnings.count(Severity::Error), 0);
            let _ = (checked.warnings.render(false), checked.scenario.hash());
        }
        Err(problems) => {
            assert!(problems.count(Severity::Error) > 0 && !problems.render(true).is_empty());
        }
    }
}

/// What a scenario finds that names a capture.
const CAPTURE: &[u8] = include_bytes!("../../../scenarios/data/samba-election.pcap");
