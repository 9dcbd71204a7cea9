//! A primary domain controller on the engine, against a recorded exchange: what Samba's `smbtorture nbt.dgram.netlogon`
//! sent, and the answer that it was content with.

use std::sync::Arc;

use mailslot_sim::mailslot::{
    Config, CreateOptions, Destination, Directory, Machine, NameKind, OpenOptions, Owner, Read, Service, WAIT_FOREVER,
    Write,
};
use mailslot_sim::message::netlogon::{self, NtVersion, PrimaryResponse, ServerName, WideComputerName, WideServerName};
use mailslot_sim::message::{Message, names_heard};
use mailslot_sim::time::Instant;
use mailslot_sim::wire::datagram::Packet;
use mailslot_sim::wire::nbns::{self, Repr};
use mailslot_sim::wire::{Profile, transaction};

/// Who has FARMDOM<1C>? Broadcast, without the bit RD that RFC 1002 4.2.12 draws.
const NAME_QUERY: &str =
    "cd720010000100000000000020454745424643454e45454550454e43414341434143414341434143414341424d0000200001";
/// From TORTURE_TEST<00> to FARMDOM<1C>, DIRECT_UNIQUE although the name is a group's.
const PRIMARY_QUERY: &str = "100ed1540a4d0007008a00e800002046454550464346454646464345464650454545464644464543414341434141410020\
    454745424643454e45454550454e43414341434143414341434143414341424d00ff534d42250000000000000000000000000000000000000000\
    0000000000000011000048000000000000000000e803000000000000000048005c0003000100010002005f005c4d41494c534c4f545c4e45545c\
    4e45544c4f474f4e000700544f52545552455f54455354005c4d41494c534c4f545c4e45545c47455444433133380054004f0052005400550052\
    0045005f005400450053005400000001000000ffffffff";
/// The message in the answer: without the two zeros before NtVersion, smbtorture fails to parse it.
const PRIMARY_RESPONSE: &str = "0c004c4f4341544f52004c004f004300410054004f00520000004600410052004d0044004f004d0000000000\
    01000000ffffffff";

#[test]
fn the_recorded_exchange_is_answered() {
    // Nobody answers queries for the asker's name: the controller has to know it.
    let asker = ("TORTURE_TEST<00>".parse().unwrap(), Owner::Unique([10, 77, 0, 7].into()));
    let mut config = Config::new("LOCATOR", "FARMDOM", [10, 77, 0, 6].into()).unwrap();
    config.names.push(("FARMDOM<1C>".parse().unwrap(), NameKind::Group));
    assert!(names_heard(netlogon::SLOT, config.computer, config.domain).contains(&config.names[0].0));
    let mut machine = Machine::new(config, Arc::new(Directory::from_iter([asker])));
    let options = CreateOptions { read_timeout_ms: WAIT_FOREVER, ..Default::default() };
    let slot = machine.create_mailslot(r"\\.\mailslot\NET\NETLOGON", options).unwrap();
    let (now, mut packet) = (Instant::ZERO, Vec::new());

    machine.handle_name_packet(now, "10.77.0.7:38284".parse().unwrap(), &unhex(NAME_QUERY));
    let answer = machine.poll_transmit(&mut packet).expect("the name is ours");
    assert_eq!(answer.service, Service::Name);
    assert_eq!(answer.destination, Destination::Unicast("10.77.0.7:38284".parse().unwrap()));
    let answer = Repr::parse(&nbns::Packet::new(&packet).unwrap(), Profile::Strict).unwrap();
    assert_eq!(answer.id, 0xCD72);

    machine.handle_datagram(now, "10.77.0.7:138".parse().unwrap(), &unhex(PRIMARY_QUERY));
    let Read::Done(question) = machine.read(now, slot, 512).unwrap() else { panic!("a question waits") };
    let Ok(Some(Message::Netlogon(netlogon::Message::PrimaryQuery(query)))) =
        Message::parse(netlogon::SLOT, &question.data)
    else {
        panic!("{question:?} is no primary query")
    };
    assert_eq!(query, query.clone().aligned());
    assert_eq!(query.mailslot.to_string(), r"\MAILSLOT\NET\GETDC138");

    let response = PrimaryResponse {
        server: ServerName::new("LOCATOR").unwrap(),
        unicode_server: WideServerName::new("LOCATOR").unwrap(),
        domain: WideComputerName::new("FARMDOM").unwrap(),
        version_padding: false,
        nt_version: NtVersion::V1,
    };
    let mut data = Vec::new();
    netlogon::Message::PrimaryResponse(response.aligned()).emit(&mut data);
    let path = format!(r"\\{}{}", query.computer, query.mailslot);
    let client = machine.open(&path, OpenOptions::default()).unwrap();
    assert!(matches!(machine.write(now, client, &data), Ok(Write::Done(_))));
    let sent = machine.poll_transmit(&mut packet).unwrap();
    assert_eq!(sent.destination, Destination::Unicast("10.77.0.7:138".parse().unwrap()));
    let direct = Packet::new(&packet).unwrap().direct(Profile::Strict).unwrap().unwrap();
    let write = transaction::Packet::new(direct.user_data, Profile::Strict).unwrap();
    assert_eq!(write.name(), br"\MAILSLOT\NET\GETDC138");
    assert_eq!(write.data(), unhex(PRIMARY_RESPONSE));
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
