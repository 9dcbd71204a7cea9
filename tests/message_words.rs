//! Messages in words, one line each: the recorded datagrams of three Samba hosts, the published vectors, and what
//! neither has.

mod support;

use mailslot_sim::message::browser::{self, BackupList, Frame, HostName, ResetState, ServerType};
use mailslot_sim::message::netlogon::{
    self, Directory, NtVersion, Outcome, PrimaryQuery, PrimaryResponse, SamLogonResponse, SamLogonResponseEx,
};
use mailslot_sim::message::{Message, OemText, WideText, messenger};
use mailslot_sim::wire::Profile;
use mailslot_sim::wire::datagram::Packet;
use mailslot_sim::wire::transaction;
use serde_json::Value;
use support::captured_datagrams;

const VECTORS: &str = include_str!("data/vectors.json");

/// The first frame of each kind, as in the capture.
#[test]
fn captured_frames_in_words() {
    let mut kinds = Vec::new();
    let mut lines = Vec::new();
    for payload in captured_datagrams() {
        let direct = Packet::new(&payload).unwrap().direct(Profile::Windows).unwrap().unwrap();
        let write = transaction::Packet::new(direct.user_data, Profile::Windows).unwrap();
        let line = Message::parse(write.name(), write.data()).unwrap().unwrap().to_string();
        let kind = line.split(':').next().unwrap().to_owned();
        if !kinds.contains(&kind) {
            kinds.push(kind);
            lines.push(line);
        }
    }
    let server = "workstation, server, print queue, Unix, NT, NT server";
    let expected = [
        format!(
            "host announcement: CHARLIE, \"peer CHARLIE\", OS 6.1, browser 15.1, every 1 min, \
             types 0x00819a03 ({server}, potential browser, DFS)"
        ),
        "election request: BRAVO, criteria 0x14010f02 (OS 0x14, domain controller), uptime 6000, version 1".into(),
        "announcement request: from BRAVO".into(),
        format!(
            "local master announcement: BRAVO, \"peer BRAVO\", OS 6.1, browser 15.1, every 2 min, \
             types 0x00849a03 ({server}, master browser, DFS)"
        ),
        "domain announcement: FARMDOM, master BRAVO, every 2 min, types 0x80001000 (NT, machine group)".into(),
    ];
    lines.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn vectors_in_words() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let line = |name: &str| {
        let fields = &vectors.iter().find(|vector| vector["name"] == name).unwrap()["fields"];
        let (slot, data) = (fields["mailslot"].as_str().unwrap(), unhex(fields["data_hex"].as_str().unwrap()));
        Message::parse(slot.as_bytes(), &data).unwrap().expect("a well-known mailslot").to_string()
    };
    let types = "types 0x00011003 (workstation, server, NT, potential browser)";
    for (name, words) in [
        (
            "browse_host_announcement",
            format!(r#"host announcement: HOST2, "file server", OS 6.1, browser 15.1, every 1 min, {types}"#),
        ),
        (
            "lanman_host_announcement_12min",
            format!(r#"host announcement: HOST2, "", OS 6.1, browser 15.1, every 12 min, {types}"#),
        ),
        ("browse_get_backup_list_request", "get backup list: 4 wanted, token 0x00000001".into()),
        (
            "browse_domain_announcement",
            "domain announcement: WORKGROUP, master MASTER, every 1 min, types 0x80001000 (NT, machine group)".into(),
        ),
        (
            "netlogon_sam_logon_request",
            "logon request: from WS7, user \"WS7$\", repeat 0, reply to \\MAILSLOT\\NET\\GETDC512, \
             account bits 0x00000080, version 0x0000000b"
                .into(),
        ),
    ] {
        assert_eq!(line(name), words, "{name}");
    }
}

#[test]
fn other_messages_in_words() {
    let host = |name: &str| HostName::new(name).unwrap();
    let list = |names| Frame::GetBackupListResponse(BackupList::new(7, names).unwrap());
    for (frame, words) in [
        (list(vec![host("A"), host("BB")]), "backup list: A, BB, token 0x00000007"),
        (list(Vec::new()), "backup list: nobody, token 0x00000007"),
        (Frame::BecomeBackup(host("BB")), "become backup: BB"),
        (Frame::MasterAnnouncement(host("")), "master announcement: (no name)"),
        (Frame::ResetStateRequest(ResetState::STOP_MASTER), "reset state: 0x01 (be no master)"),
        (Frame::ResetStateRequest(ResetState(9)), "reset state: 0x09"),
    ] {
        assert_eq!(Message::Browser(frame).to_string(), words);
    }
    assert_eq!(ServerType(0).to_string(), "0x00000000 (none)");
    assert_eq!(ServerType(0x4000_0001).to_string(), "0x40000001 (workstation, 0x40000000)");
    assert_eq!(
        browser::Criteria::new(1, 2, 0x48).to_string(),
        "0x01000248 (OS 0x01, protocol 0x0002, preferred master, 0x40)"
    );

    let nt_version = NtVersion::V1;
    let query = PrimaryQuery {
        computer: OemText::new("WS7").unwrap(),
        mailslot: OemText::new(r"\MAILSLOT\NET\GETDC5").unwrap(),
        unicode_computer: WideText::new("WS7").unwrap(),
        version_padding: false,
        nt_version,
    };
    let response = PrimaryResponse {
        server: OemText::new("DC1").unwrap(),
        unicode_server: WideText::new("DC1").unwrap(),
        domain: WideText::new("CORPS").unwrap(),
        version_padding: false,
        nt_version,
    };
    let dns = |text: &str| text.parse().unwrap();
    let address = [10, 0, 0, 1].into();
    let sam = SamLogonResponse {
        outcome: Outcome::UserUnknown,
        logon_server: WideText::new(r"\\DC1").unwrap(),
        user: WideText::new("W$").unwrap(),
        domain: WideText::new("CORPS").unwrap(),
        directory: Some(Directory {
            domain_guid: [0; 16],
            forest: dns("c.e"),
            dns_domain: dns("c.e"),
            dns_host: dns("d.c.e"),
            address,
            flags: 0x1FD,
        }),
        nt_version: NtVersion::V5,
    };
    let ex = SamLogonResponseEx {
        outcome: Outcome::LogOn,
        flags: 0x33FD,
        domain_guid: [0; 16],
        forest: dns("c.e"),
        dns_domain: dns("c.e"),
        dns_host: dns("d.c.e"),
        netbios_domain: dns("C"),
        netbios_computer: dns("D"),
        user: dns(""),
        dc_site: dns("Here"),
        client_site: dns(""),
        address: Some(address.into()),
        next_closest_site: Some(dns("There")),
        nt_version: NtVersion(0x1D),
    };
    for (message, words) in [
        (
            netlogon::Message::PrimaryQuery(query),
            r"primary query: from WS7, reply to \MAILSLOT\NET\GETDC5, version 0x00000001",
        ),
        (netlogon::Message::PrimaryResponse(response), "primary response: DC1 of CORPS, version 0x00000001"),
        (
            netlogon::Message::SamLogonResponse(sam),
            "logon response: \\\\DC1 of CORPS: user \"W$\" is not known, d.c.e of c.e in forest c.e, \
             address 10.0.0.1, flags 0x000001fd, version 0x00000002",
        ),
        (
            netlogon::Message::SamLogonResponseEx(ex),
            "logon response with sites: D of C: user \"\" can log on, d.c.e of c.e in forest c.e, site Here, \
             client site (no name), next site There, address 10.0.0.1, flags 0x000033fd, version 0x0000001d",
        ),
    ] {
        assert_eq!(Message::Netlogon(message).to_string(), words);
    }
}

/// Whatever a stranger sends, a terminal is shown printable characters only.
#[test]
fn nothing_unprintable_comes_out() {
    let text = messenger::Text::new("ANNA\x07", "BERT", b"one\r\ntwo\x1b[2J\x94").unwrap();
    let words = r#"text from ANNA\x07 to BERT: "one\ntwo\x1b[2J\x94""#;
    assert_eq!(Message::Messenger(text).to_string(), words);

    let response = PrimaryResponse {
        server: OemText::new("DC1").unwrap(),
        unicode_server: WideText::new("DC1").unwrap(),
        domain: WideText::new("a\u{202E}b\u{2028}c\u{9B}\n").unwrap(),
        version_padding: false,
        nt_version: NtVersion::V1,
    };
    let words = r"primary response: DC1 of a\u{202e}b\u{2028}c\u{9b}\n, version 0x00000001";
    assert_eq!(Message::Netlogon(netlogon::Message::PrimaryResponse(response)).to_string(), words);
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect()
}
