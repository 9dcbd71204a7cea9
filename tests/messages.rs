//! Messages of well-known mailslots: published vectors, the recorded datagrams of three Samba hosts, layouts written out
//! by hand, and what is refused.

mod support;

use std::collections::BTreeMap;

use mailslot_sim::message::browser::{
    self, Announcement, AnnouncementRequest, BackupList, Comment, Criteria, DomainAnnouncement, Election, Frame,
    HostName, ResponseName, SIGNATURE, ServerType, Version,
};
use mailslot_sim::message::netlogon::{
    self, ComputerName, Directory, MailslotName, NtVersion, Outcome, PrimaryQuery, PrimaryResponse, SamLogonRequest,
    SamLogonResponse, SamLogonResponseEx, ServerName, Sid, WideComputerName, WideServerName, WideUserName,
};
use mailslot_sim::message::{Message, PaddedName, messenger};
use mailslot_sim::wire::datagram::{self, Direct, Head, Kind, Packet};
use mailslot_sim::wire::transaction::{self, Layout};
use mailslot_sim::wire::{Name, NetbiosName, Profile};
use serde_json::Value;
use support::captured_datagrams;

const VECTORS: &str = include_str!("data/vectors.json");

/// Each vector to a well-known mailslot decodes to the fields that it lists, and encodes to its data.
#[test]
fn vectors_decode_to_their_fields_and_encode_again() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let mut seen = 0;
    for vector in &vectors {
        let fields = &vector["fields"];
        if fields.get("browser_opcode").is_none() && fields.get("netlogon_opcode").is_none() {
            continue;
        }
        seen += 1;
        let (slot, data) = (fields["mailslot"].as_str().unwrap(), unhex(fields["data_hex"].as_str().unwrap()));
        let message = Message::parse(slot.as_bytes(), &data).unwrap().expect("a well-known mailslot");
        assert_eq!(emitted(&message), data, "{}", vector["name"]);
        for (field, expected) in fields.as_object().unwrap() {
            if let Some(found) = field_of(&message, field) {
                assert_eq!(found, *expected, "{field} of {}", vector["name"]);
            } else {
                let outside = ["msg_type", "source", "destination", "mailslot", "data_len", "data_hex", "priority"];
                let outside = outside.iter().chain(&["class", "dgm_id", "data_offset"]);
                assert!(outside.into_iter().any(|known| known == field), "unknown field {field}");
            }
        }
    }
    assert_eq!(seen, 6);
}

fn field_of(message: &Message, field: &str) -> Option<Value> {
    Some(match (message, field) {
        (Message::Browser(frame), "browser_opcode") => frame.opcode().into(),
        (Message::Browser(Frame::GetBackupListRequest { count, .. }), "count") => (*count).into(),
        (Message::Browser(Frame::GetBackupListRequest { token, .. }), "token") => (*token).into(),
        (
            Message::Browser(Frame::HostAnnouncement(announcement) | Frame::LocalMasterAnnouncement(announcement)),
            field,
        ) => match field {
            "periodicity_ms" => announcement.periodicity_ms.into(),
            "server_type" => format!("{:#010x}", announcement.server_type.0).into(),
            "comment" => announcement.comment.to_string().into(),
            _ => return None,
        },
        (Message::Netlogon(message), "netlogon_opcode") => message.opcode().into(),
        (Message::Netlogon(netlogon::Message::SamLogonRequest(request)), "reply_mailslot") => {
            request.mailslot.to_string().into()
        }
        _ => return None,
    })
}

/// The data of the captured datagrams, from layer to layer, and the same bytes from nothing but the values: header,
/// names, Samba's layout, message.
#[test]
fn every_captured_datagram_is_rebuilt_from_its_values() {
    let mut opcodes = BTreeMap::new();
    for payload in captured_datagrams() {
        let packet = Packet::new(&payload).unwrap();
        let direct = packet.direct(Profile::Strict).unwrap().unwrap();
        let write = transaction::Packet::new(direct.user_data, Profile::Strict).unwrap();
        let message = Message::parse(write.name(), write.data()).unwrap().unwrap();
        let Message::Browser(frame) = &message else { panic!("{message:?} is no browser frame") };
        *opcodes.entry(frame.opcode()).or_insert(0) += 1;

        let head = Head { node_type: Layout::Samba.node_type(), ..packet.head() };
        let data = emitted(&message);
        let write = transaction::Repr::new(Layout::Samba, browser::SLOT, &data).unwrap();
        let mut user_data = Vec::new();
        write.emit(&mut user_data);
        let name = |netbios: NetbiosName| Name::from(netbios.to_string().parse::<NetbiosName>().unwrap());
        let (source, destination) = (name(direct.source.netbios), name(direct.destination.netbios));
        let mut rebuilt = Vec::new();
        let direct = Direct { head, kind: Kind::Group, source, destination, user_data };
        datagram::Repr::Direct(direct).emit(&mut rebuilt);
        assert_eq!(hex(&rebuilt), hex(&payload));
        let mut at_once = Vec::new();
        transaction::emit_write(Layout::Samba, browser::SLOT, &data, &mut at_once);
        assert_eq!(hex(&at_once), hex(&payload[14 + 2 * 34..]));
    }
    assert_eq!(opcodes, BTreeMap::from([(0x01, 19), (0x02, 3), (0x08, 16), (0x0C, 3), (0x0F, 4)]));
}

/// What Samba says, in values: the first frame of each kind.
#[test]
fn captured_frames_mean_what_samba_documents() {
    let mut first = BTreeMap::new();
    for payload in captured_datagrams() {
        let frame = Frame::parse(&payload[14 + 2 * 34 + 86..]).unwrap();
        first.entry(frame.opcode()).or_insert(frame);
    }
    let samba = Version { major: 6, minor: 1 };
    let announcement = |name: &str, update_count, periodicity_ms, server_type| Announcement {
        update_count,
        periodicity_ms,
        server_name: PaddedName::new(name).unwrap(),
        os_version: samba,
        server_type,
        browser_version: Version::BROWSER,
        comment: Comment::new(format!("peer {name}")).unwrap(),
    };
    let server = ServerType::WORKSTATION
        | ServerType::SERVER
        | ServerType::PRINT_QUEUE
        | ServerType::XENIX
        | ServerType::NT
        | ServerType::NT_SERVER
        | ServerType::DFS;
    let potential = server | ServerType::POTENTIAL_BROWSER;
    let master = server | ServerType::MASTER_BROWSER;
    let expected = [
        Frame::HostAnnouncement(announcement("CHARLIE", 0, 60_000, potential)),
        Frame::AnnouncementRequest(AnnouncementRequest {
            reserved: 1,
            response_name: ResponseName::shifted("BRAVO").unwrap(),
        }),
        Frame::RequestElection(Election {
            version: 1,
            criteria: Criteria::new(20, Criteria::VERSION, Criteria::ROLE_DOMAIN_CONTROLLER),
            uptime: 6000,
            unused: 0,
            server_name: HostName::new("BRAVO").unwrap(),
        }),
        Frame::DomainAnnouncement(DomainAnnouncement {
            update_count: 2,
            periodicity_ms: 120_000,
            machine_group: PaddedName::new("FARMDOM").unwrap(),
            config_version: samba,
            server_type: ServerType::NT | ServerType::DOMAIN_ENUM,
            browser_version: Version::BROWSER,
            signature: SIGNATURE,
            local_master: HostName::new("BRAVO").unwrap(),
        }),
        Frame::LocalMasterAnnouncement(announcement("BRAVO", 2, 120_000, master)),
    ];
    assert_eq!(first.into_values().collect::<Vec<_>>(), expected);
}

/// The frames that the capture lacks, and the netlogon messages, byte by byte as the documents draw them.
#[test]
fn layouts_are_those_of_the_documents() {
    let host = |name: &str| HostName::new(name).unwrap();
    let list = BackupList::new(7, vec![host("A"), host("BB")]).unwrap();
    for (frame, bytes) in [
        (Frame::GetBackupListResponse(list), &b"\x0A\x02\x07\0\0\0A\0BB\0"[..]),
        (Frame::BecomeBackup(host("BB")), b"\x0BBB\0"),
        (Frame::MasterAnnouncement(host("A")), b"\x0DA\0"),
        (Frame::ResetStateRequest(browser::ResetState::CLEAR_ALL), b"\x0E\x02"),
        (
            Frame::AnnouncementRequest(AnnouncementRequest { reserved: 0, response_name: host("A").into() }),
            b"\x02\0A\0",
        ),
    ] {
        assert_eq!(emitted(&Message::Browser(frame.clone())), bytes);
        assert_eq!(Frame::parse(bytes), Ok(frame));
    }

    let wide = |text: &str| WideComputerName::new(text).unwrap();
    let tokens = [0xFF; 4];
    let query = PrimaryQuery {
        computer: ComputerName::new("WS7").unwrap(),
        mailslot: MailslotName::new(r"\MAILSLOT\NET\GETDC5").unwrap(),
        unicode_computer: wide("WS7"),
        version_padding: false,
        nt_version: NtVersion::V1 | NtVersion::V5 | NtVersion::V5_EX_WITH_IP,
    };
    let strings = b"\x07\0WS7\0\\MAILSLOT\\NET\\GETDC5\0\0W\0S\x007\0\0\0"; // the NUL ends at 27: one byte of padding
    let packed = [&strings[..], &[0x0B, 0, 0, 0], &tokens].concat();
    assert_netlogon(netlogon::Message::PrimaryQuery(query.clone()), &packed);
    assert!(!query.clone().aligned().version_padding, "36 is a multiple of 4");

    let response = PrimaryResponse {
        server: ServerName::new("DC1").unwrap(),
        unicode_server: WideServerName::new("DC1").unwrap(),
        domain: wide("CORPS"),
        version_padding: false,
        nt_version: NtVersion::V1,
    };
    let strings = b"\x0C\0DC1\0D\0C\x001\0\0\0C\0O\0R\0P\0S\0\0\0";
    let packed = [&strings[..], &[1, 0, 0, 0], &tokens].concat();
    assert_netlogon(netlogon::Message::PrimaryResponse(response.clone()), &packed);
    let aligned = [&strings[..], &[0, 0, 1, 0, 0, 0][..], &tokens].concat();
    assert_eq!(aligned.len() % 4, 0);
    assert!(response.clone().aligned().version_padding, "26 is not a multiple of 4");
    assert_netlogon(
        netlogon::Message::PrimaryResponse(PrimaryResponse { version_padding: true, ..response }),
        &aligned,
    );

    let request = SamLogonRequest {
        request_count: 2,
        computer: wide("W"),
        user: WideUserName::new("W$").unwrap(),
        mailslot: MailslotName::new(r"\MAILSLOT\NET\GETDC5").unwrap(),
        account_control: 0x80,
        domain_sid: Some(Sid::new(5, &[21, 1]).unwrap()),
        nt_version: NtVersion::V5,
    };
    let strings = b"\x12\0\x02\0W\0\0\0W\0$\0\0\0\\MAILSLOT\\NET\\GETDC5\0\x80\0\0\0\x10\0\0\0"; // 43 bytes
    let sid = b"\0\x01\x02\0\0\0\0\0\x05\x15\0\0\0\x01\0\0\0";
    let packed = [&strings[..], sid, &[2, 0, 0, 0], &tokens].concat();
    assert_netlogon(netlogon::Message::SamLogonRequest(request), &packed);
}

#[test]
fn responses_are_those_of_the_documents() {
    let tokens = [0xFF; 4];
    let guid = *b"0123456789abcdef";
    let nt4 = SamLogonResponse {
        outcome: Outcome::UserUnknown,
        logon_server: WideServerName::new(r"\\D").unwrap(),
        user: WideUserName::default(),
        domain: WideComputerName::new("C").unwrap(),
        directory: None,
        nt_version: NtVersion::V1,
    };
    let names = b"\\\0\\\0D\0\0\0\0\0C\0\0\0";
    let bytes = [&b"\x15\0"[..], names, &[1, 0, 0, 0], &tokens].concat();
    assert_netlogon(netlogon::Message::SamLogonResponse(nt4.clone()), &bytes);

    let nt5 = SamLogonResponse {
        outcome: Outcome::LogOn,
        directory: Some(Directory {
            domain_guid: guid,
            forest: "c.e".parse().unwrap(),
            dns_domain: "c.e".parse().unwrap(),
            dns_host: "d.c.e".parse().unwrap(),
            address: [10, 0, 0, 1].into(),
            flags: 0x1FD,
        }),
        nt_version: NtVersion::V1 | NtVersion::V5,
        ..nt4
    };
    // The first DNS name is at 2 + 14 + 32.
    let dns = b"\x01c\x01e\0\xC0\x30\x01d\xC0\x30";
    let rest = [&[1, 0, 0, 10, 0xFD, 1, 0, 0, 3, 0, 0, 0][..], &tokens].concat();
    let bytes = [&b"\x13\0"[..], names, &guid, &[0; 16], dns, &rest].concat();
    assert_netlogon(netlogon::Message::SamLogonResponse(nt5.clone()), &bytes);
    let mut uncompressed = Vec::new();
    netlogon::Message::SamLogonResponse(nt5).emit_uncompressed(&mut uncompressed);
    let dns = b"\x01c\x01e\0\x01c\x01e\0\x01d\x01c\x01e\0";
    assert_eq!(hex(&uncompressed), hex(&[&b"\x13\0"[..], names, &guid, &[0; 16], dns, &rest].concat()));

    let name = |text: &str| text.parse().unwrap();
    let ex = SamLogonResponseEx {
        outcome: Outcome::Paused,
        flags: 0x33FD,
        domain_guid: guid,
        forest: name("c.e"),
        dns_domain: name("c.e"),
        dns_host: name("d.c.e"),
        netbios_domain: name("C"),
        netbios_computer: name("D"),
        user: name(""),
        dc_site: name("Site"),
        client_site: name("Site"),
        address: Some(std::net::Ipv4Addr::new(10, 0, 0, 1).into()),
        next_closest_site: Some(name("Next")),
        nt_version: NtVersion(0x1D),
    };
    // The first name is at 2 + 2 + 4 + 16, the site at 24 + 5 + 2 + 4 + 3 + 3 + 1.
    let names = b"\x01c\x01e\0\xC0\x18\x01d\xC0\x18\x01C\0\x01D\0\0\x04Site\0\xC0\x2A";
    let address = b"\x10\x02\0\0\0\x0A\0\0\x01\0\0\0\0\0\0\0\0";
    let start = [&b"\x18\0\0\0\xFD\x33\0\0"[..], &guid, names].concat();
    let bytes = [&start[..], address, b"\x04Next\0", &[0x1D, 0, 0, 0], &tokens].concat();
    assert_netlogon(netlogon::Message::SamLogonResponseEx(ex.clone()), &bytes);
    assert_eq!(ex.address.and_then(|address| address.ipv4()), Some([10, 0, 0, 1].into()));
    // Without address and next site, NtVersion says so, whatever the value had.
    let bare = SamLogonResponseEx { address: None, next_closest_site: None, ..ex };
    let written = emitted(&Message::Netlogon(netlogon::Message::SamLogonResponseEx(bare)));
    assert_eq!(hex(&written), hex(&[&start[..], &[5, 0, 0, 0], &tokens].concat()));
}

fn assert_netlogon(message: netlogon::Message, bytes: &[u8]) {
    assert_eq!(hex(&emitted(&Message::Netlogon(message.clone()))), hex(bytes));
    assert_eq!(netlogon::Message::parse(bytes), Ok(message));
}

/// The mailslot's name alone says which protocol its messages belong to, in any case.
#[test]
fn mailslots_are_known_by_their_names() {
    let frame = b"\x09\x04\x01\0\0\0";
    let query = b"\x07\0A\0\\MAILSLOT\\X\0A\0\0\0\x01\0\0\0\xFF\xFF\xFF\xFF";
    let text = b"ANNA\0BERT\0lunch?\0";
    for (name, data, kind) in [
        (r"\MAILSLOT\BROWSE", &frame[..], "browser"),
        (r"\mailslot\browse", frame, "browser"),
        (r"\MAILSLOT\LANMAN", frame, "browser"),
        (r"\MAILSLOT\NET\NETLOGON", query, "netlogon"),
        (r"\MAILSLOT\NET\GETDC512", query, "netlogon"),
        (r"\Mailslot\Net\GetDC", query, "netlogon"),
        (r"\MAILSLOT\MESSNGR", text, "messenger"),
        (r"\MAILSLOT\NET\GETD", query, "none"),
        (r"\MAILSLOT\BROWSER", frame, "none"),
        ("BROWSE", frame, "none"),
        ("", b"", "none"),
    ] {
        let found = match Message::parse(name.as_bytes(), data).unwrap() {
            Some(message) => {
                assert_eq!(emitted(&message), data);
                match message {
                    Message::Browser(_) => "browser",
                    Message::Netlogon(_) => "netlogon",
                    Message::Messenger(_) => "messenger",
                }
            }
            None => "none",
        };
        assert_eq!(found, kind, "{name}");
    }
    assert!(Message::parse(browser::SLOT, text).is_err());
    assert!(Message::parse(messenger::SLOT, query).is_err());
}

fn emitted(message: &Message) -> Vec<u8> {
    let mut out = b"before".to_vec(); // offsets count from the message, not from the buffer
    message.emit(&mut out);
    out.split_off(b"before".len())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect()
}
