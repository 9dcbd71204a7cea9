//! Messages in general: what is emitted parses back, what parses is emitted again, no bytes panic, and what is refused is
//! refused for its own reason.

use mailslot_sim::message::browser::{
    Announcement, AnnouncementRequest, BackupList, Comment, Criteria, DomainAnnouncement, Election, Frame, HostName,
    ResetState, ResponseName, ServerType, Version,
};
use mailslot_sim::message::netlogon::{
    self, Directory, NtVersion, Outcome, PrimaryQuery, PrimaryResponse, SamLogonRequest, SamLogonResponse,
    SamLogonResponseEx, Sid, SocketAddress,
};
use mailslot_sim::message::{DnsName, Message, OemText, PaddedName, WideText, messenger};
use proptest::option;
use proptest::prelude::*;

fn oem<const MAX: usize>() -> impl Strategy<Value = OemText<MAX>> {
    prop::collection::vec(1..=u8::MAX, 0..=MAX.min(60)).prop_map(|bytes| OemText::new(bytes).unwrap())
}

fn wide<const MAX: usize>() -> impl Strategy<Value = WideText<MAX>> {
    prop::collection::vec(any::<char>().prop_filter("no NUL", |c| *c != '\0'), 0..=MAX.min(40) / 2)
        .prop_map(|text| WideText::new(&text.into_iter().collect::<String>()).unwrap())
}

fn padded() -> impl Strategy<Value = PaddedName> {
    (any::<[u8; 16]>(), 0..16_usize).prop_map(|(mut bytes, nul)| {
        bytes[nul] = 0;
        PaddedName::from_bytes(bytes).unwrap()
    })
}

/// Names that share their ends often.
fn dns() -> impl Strategy<Value = DnsName> {
    let label = prop_oneof![Just("a"), Just("b"), Just("site"), Just("\u{E4}"), Just("EXAMPLE")];
    prop::collection::vec(label, 0..5).prop_map(|labels| labels.join(".").parse().unwrap())
}

fn version() -> impl Strategy<Value = Version> {
    any::<[u8; 2]>().prop_map(|[major, minor]| Version { major, minor })
}

fn announcement() -> impl Strategy<Value = Announcement> {
    let text = (padded(), oem());
    let flags = any::<(u8, u32, u32)>();
    (flags, text, version(), version()).prop_map(|(numbers, text, os_version, browser_version)| {
        let (update_count, periodicity_ms, server_type) = numbers;
        let ((server_name, comment), server_type) = (text, ServerType(server_type));
        Announcement { update_count, periodicity_ms, server_name, os_version, server_type, browser_version, comment }
    })
}

fn domain_announcement() -> impl Strategy<Value = DomainAnnouncement> {
    (announcement(), any::<u16>(), oem()).prop_map(|(same, signature, local_master)| DomainAnnouncement {
        update_count: same.update_count,
        periodicity_ms: same.periodicity_ms,
        machine_group: same.server_name,
        config_version: same.os_version,
        server_type: same.server_type,
        browser_version: same.browser_version,
        signature,
        local_master,
    })
}

fn request() -> impl Strategy<Value = AnnouncementRequest> {
    (any::<(u8, bool)>(), oem()).prop_map(|((reserved, shifted), name): (_, HostName)| {
        let response_name =
            if shifted { ResponseName::shifted(name.as_bytes()).unwrap() } else { ResponseName::from(name) };
        AnnouncementRequest { reserved, response_name }
    })
}

fn election() -> impl Strategy<Value = Election> {
    (any::<(u8, u32, u32, u32)>(), oem()).prop_map(|((version, criteria, uptime, unused), server_name)| Election {
        version,
        criteria: Criteria(criteria),
        uptime,
        unused,
        server_name,
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    let list = (any::<u32>(), prop::collection::vec(oem(), 0..6));
    prop_oneof![
        announcement().prop_map(Frame::HostAnnouncement),
        announcement().prop_map(Frame::LocalMasterAnnouncement),
        request().prop_map(Frame::AnnouncementRequest),
        election().prop_map(Frame::RequestElection),
        any::<(u8, u32)>().prop_map(|(count, token)| Frame::GetBackupListRequest { count, token }),
        list.prop_map(|(token, names)| Frame::GetBackupListResponse(BackupList::new(token, names).unwrap())),
        oem().prop_map(Frame::BecomeBackup),
        oem().prop_map(Frame::MasterAnnouncement),
        domain_announcement().prop_map(Frame::DomainAnnouncement),
        any::<u8>().prop_map(|state| Frame::ResetStateRequest(ResetState(state))),
    ]
}

fn sid() -> impl Strategy<Value = Sid> {
    (0..1_u64 << 48, prop::collection::vec(any::<u32>(), 0..=15))
        .prop_map(|(authority, sub_authorities)| Sid::new(authority, &sub_authorities).unwrap())
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::LogOn), Just(Outcome::Paused), Just(Outcome::UserUnknown)]
}

fn primary_query() -> impl Strategy<Value = PrimaryQuery> {
    (oem(), oem(), wide(), any::<(bool, u32)>()).prop_map(
        |(computer, mailslot, unicode_computer, (version_padding, version))| {
            let nt_version = NtVersion(version);
            PrimaryQuery { computer, mailslot, unicode_computer, version_padding, nt_version }
        },
    )
}

fn primary_response() -> impl Strategy<Value = PrimaryResponse> {
    (oem(), wide(), wide(), any::<(bool, u32)>()).prop_map(
        |(server, unicode_server, domain, (version_padding, version))| {
            let nt_version = NtVersion(version);
            PrimaryResponse { server, unicode_server, domain, version_padding, nt_version }
        },
    )
}

fn sam_logon_request() -> impl Strategy<Value = SamLogonRequest> {
    (any::<(u16, u32, u32)>(), wide(), wide(), oem(), option::of(sid())).prop_map(
        |((request_count, account_control, version), computer, user, mailslot, domain_sid)| {
            let nt_version = NtVersion(version);
            SamLogonRequest { request_count, computer, user, mailslot, account_control, domain_sid, nt_version }
        },
    )
}

fn sam_logon_response() -> impl Strategy<Value = SamLogonResponse> {
    let numbers = any::<([u8; 16], u32, u32)>();
    let directory =
        (numbers, dns(), dns(), dns()).prop_map(|((domain_guid, address, flags), forest, dns_domain, dns_host)| {
            let address = address.into();
            Directory { domain_guid, forest, dns_domain, dns_host, address, flags }
        });
    (outcome(), wide(), wide(), wide(), option::of(directory), any::<u32>()).prop_map(
        |(outcome, logon_server, user, domain, directory, version)| {
            let nt_version = NtVersion(version).with(NtVersion::V5, directory.is_some());
            SamLogonResponse { outcome, logon_server, user, domain, directory, nt_version }
        },
    )
}

fn sam_logon_response_ex() -> impl Strategy<Value = SamLogonResponseEx> {
    let names = prop::collection::vec(dns(), 8);
    let numbers = any::<(u32, [u8; 16], u32)>();
    let optional = (option::of(any::<[u8; 16]>().prop_map(SocketAddress)), option::of(dns()));
    (outcome(), numbers, names, optional).prop_map(|(outcome, numbers, names, (address, next_closest_site))| {
        let (flags, domain_guid, version) = numbers;
        let mut names = names.into_iter();
        let mut name = || names.next().unwrap();
        SamLogonResponseEx {
            outcome,
            flags,
            domain_guid,
            forest: name(),
            dns_domain: name(),
            dns_host: name(),
            netbios_domain: name(),
            netbios_computer: name(),
            user: name(),
            dc_site: name(),
            client_site: name(),
            nt_version: NtVersion(version)
                .with(NtVersion::V5_EX_WITH_IP, address.is_some())
                .with(NtVersion::WITH_CLOSEST_SITE, next_closest_site.is_some()),
            address,
            next_closest_site,
        }
    })
}

fn netlogon() -> impl Strategy<Value = netlogon::Message> {
    prop_oneof![
        primary_query().prop_map(netlogon::Message::PrimaryQuery),
        primary_response().prop_map(netlogon::Message::PrimaryResponse),
        sam_logon_request().prop_map(netlogon::Message::SamLogonRequest),
        sam_logon_response().prop_map(netlogon::Message::SamLogonResponse),
        sam_logon_response_ex().prop_map(netlogon::Message::SamLogonResponseEx),
    ]
}

fn emitted(emit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = b"?".to_vec(); // an odd offset: alignment and pointers count from the message
    emit(&mut out);
    out.split_off(1)
}

/// A good message with bytes overwritten and its end cut off or prolonged.
fn damaged(emit: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let length =
        prop_oneof![Just(None), Just(Some(None)), any::<prop::sample::Index>().prop_map(|cut| Some(Some(cut)))];
    (emit, edits, length).prop_map(|(mut bytes, edits, length)| {
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        match length {
            None => {}
            Some(None) => bytes.push(0),
            Some(Some(cut)) => bytes.truncate(cut.index(bytes.len())),
        }
        bytes
    })
}

proptest! {
    #[test]
    fn frames_parse_back(frame in frame()) {
        prop_assert_eq!(Frame::parse(&emitted(|out| frame.emit(out))), Ok(frame));
    }

    #[test]
    fn netlogon_messages_parse_back(message in netlogon()) {
        prop_assert_eq!(netlogon::Message::parse(&emitted(|out| message.emit(out))), Ok(message.clone()));
        prop_assert_eq!(netlogon::Message::parse(&emitted(|out| message.emit_uncompressed(out))), Ok(message));
    }

    #[test]
    fn texts_parse_back(from in oem::<15>(), to in oem::<15>(), text in oem::<652>()) {
        prop_assume!(!to.as_bytes().starts_with(b"*"));
        let text = messenger::Text::new(from.as_bytes(), to.as_bytes(), text.as_bytes()).unwrap();
        prop_assert_eq!(messenger::Text::parse(&emitted(|out| text.emit(out))), Ok(text));
    }

    /// One line of printable characters, whatever the fields hold.
    #[test]
    fn words_are_one_printable_line(
        message in prop_oneof![frame().prop_map(Message::Browser), netlogon().prop_map(Message::Netlogon)],
    ) {
        let words = message.to_string();
        let odd = words.chars().find(|c| c.is_control() || ('\u{2028}'..='\u{202E}').contains(c));
        prop_assert!(!words.is_empty() && odd.is_none(), "{words:?}: {odd:?}");
    }

    /// NtVersion of a query or response that asked for it stands at a multiple of 4.
    #[test]
    fn aligned_versions_are_aligned(query in primary_query(), response in primary_response()) {
        for message in [
            netlogon::Message::PrimaryQuery(query.aligned()),
            netlogon::Message::PrimaryResponse(response.aligned()),
        ] {
            prop_assert_eq!(emitted(|out| message.emit(out)).len() % 4, 0);
        }
    }

    /// Whatever parses as a frame or a text is emitted byte for byte.
    #[test]
    fn damaged_frames_are_refused_or_kept(bytes in damaged(frame().prop_map(|it| emitted(|out| it.emit(out))))) {
        if let Ok(frame) = Frame::parse(&bytes) {
            prop_assert_eq!(emitted(|out| frame.emit(out)), &bytes[..]);
        }
        if let Ok(text) = messenger::Text::parse(&bytes) {
            prop_assert_eq!(emitted(|out| text.emit(out)), &bytes[..]);
        }
    }

    /// Whatever parses as a netlogon message keeps its meaning, and its bytes where they have but one form.
    #[test]
    fn damaged_netlogon_messages_are_refused_or_kept(
        bytes in damaged(netlogon().prop_map(|it| emitted(|out| it.emit(out)))),
    ) {
        if let Ok(message) = netlogon::Message::parse(&bytes) {
            let again = emitted(|out| message.emit(out));
            prop_assert_eq!(netlogon::Message::parse(&again), Ok(message.clone()));
            let has_names = match &message {
                netlogon::Message::SamLogonResponse(response) => response.directory.is_some(),
                netlogon::Message::SamLogonResponseEx(_) => true,
                _ => false,
            };
            prop_assert!(has_names || again == bytes);
        }
    }
}

/// Each thing that can be wrong with a message has its own reason.
#[test]
fn malformed_messages_are_refused_for_their_own_reason() {
    let head = b"\0\0\0\0\0HOST\0\0\0\0\0\0\0\0\0\0\0\0\x06\x01\x03\0\0\0\x0F\x01";
    let announcement = |rest: &[u8]| [b"\x01", &head[..], rest].concat();
    let mut nameless = announcement(b"\x55\xAA\0");
    nameless[6..22].fill(b'x');
    for (data, words) in [
        (vec![], "ends inside opcode"),
        (vec![3, 0], "opcode 0x03 is none of the browser protocol's"),
        (announcement(b"\x55"), "ends inside Signature: 1 of its 2 bytes"),
        (announcement(b"\xAA\x55\0"), "Signature is 0x55aa; it must be 0xaa55"),
        (announcement(b"\x55\xAA"), "Comment: it has no terminating NUL"),
        (announcement(b"\x55\xAAabc"), "Comment: it has no terminating NUL"),
        (announcement(&[b"\x55\xAA", &[b'c'; 43][..], b"\0"].concat()), "Comment: it has 43 characters"),
        (announcement(b"\x55\xAA\0\0\0"), "longer than its fields, by 2"),
        (nameless, "ServerName: it has no terminating NUL"),
        (b"\x02\0SIXTEEN_LETTERS_\0".to_vec(), "ResponseName: it has 16 characters"),
        (b"\x02\0\0SIXTEEN_LETTERS_".to_vec(), "ResponseName: it has 16 characters"),
        (b"\x02\x01\0BRAVO\0".to_vec(), "ResponseName: it has a NUL inside"),
        (b"\x08\x01\0\0\0\0\0\0\0\0\0\0".to_vec(), "ends inside Unused: 2 of its 4 bytes"),
        (b"\x09\x04\x01\0\0".to_vec(), "ends inside Token: 3 of its 4 bytes"),
        (b"\x0A\x03\0\0\0\0A\0B\0".to_vec(), "BackupServerList: it has no terminating NUL"),
        (b"\x0A\x01\0\0\0\0A\0B\0".to_vec(), "longer than its fields, by 2"),
        (b"\x0BSIXTEEN_LETTERS_\0".to_vec(), "BrowserToPromote: it has 16 characters"),
        (b"\x0DA".to_vec(), "MasterBrowserServerName: it has no terminating NUL"),
        (b"\x0E".to_vec(), "ends inside Type"),
    ] {
        assert_refused(Frame::parse(&data), words);
    }
    assert!(Frame::parse(&announcement(&[b"\x55\xAA", &[b'c'; 42][..], b"\0"].concat())).is_ok());
    assert!(BackupList::new(0, vec![HostName::default(); 255]).is_ok());
    assert_refused(
        BackupList::new(0, vec![HostName::default(); 256]),
        "BackupServerCount is 0x100; it must be at most",
    );
    assert_refused(Comment::new([b'c'; 43]), "it has 43 characters without its NUL; at most 42");

    for (data, words) in [
        (&b"A\0B\0text"[..], "Text: it has no terminating NUL"),
        (b"A\0B\0text\0\0", "longer than its fields, by 1"),
        (b"SIXTEEN_LETTERS_\0B\0text\0", "From: it has 16 characters"),
        (b"A\0*\0text\0", "To: it starts with `*`"),
    ] {
        assert_refused(messenger::Text::parse(data), words);
    }
}

#[test]
fn malformed_netlogon_messages_are_refused_for_their_own_reason() {
    let request = |rest: &[u8]| [b"\x12\0\0\0W\0\0\0\0\0M\0\0\0\0\0", rest].concat(); // up to the SID's size, at 16
    let end = b"\x02\0\0\0\xFF\xFF\xFF\xFF";
    let sid = |bytes: &[u8]| request(&[bytes, &end[..]].concat());
    let with_address =
        [b"\x17\0\0\0", &[7; 20][..], &[0; 8], b"\x0F", &[0; 15], b"\x08\0\0\0\xFF\xFF\xFF\xFF"].concat();
    let ex = |names: &[u8]| [b"\x17\0\0\0", &[7; 20][..], names, b"\x05\0\0\0\xFF\xFF\xFF\xFF"].concat();
    for (data, words) in [
        (vec![7], "ends inside Opcode: 1 of its 2 bytes"),
        (vec![22, 0], "opcode 0x16 is none of the netlogon protocol's"),
        (vec![26, 0], "opcode 0x1a is none"),
        (b"\x07\0A\0M\0\x01\0".to_vec(), "UnicodeComputerName: it has no terminating NUL"),
        (b"\x07\0A\0MM\0\x01A\0\0\0".to_vec(), "padding of UnicodeComputerName is 0x1; it must be 0"),
        (b"\x07\0A\0M\0A\0\0\0\0\x01\x02\0\0\0\xFF\xFF\xFF\xFF".to_vec(), "padding of NtVersion is 0x1"),
        (b"\x0C\0A\0\0\xD8\0\0".to_vec(), "UnicodePrimaryDCName: it is not UTF-16"),
        (request(b"\0\0\0\0\x02\0\0\0\xFF\xFF\xFF"), "ends inside Lm20Token: 1 of its 2 bytes"),
        (request(b"\0\0\0\0\x02\0\0\0\xFE\xFF\xFF\xFF"), "LmNtToken is 0xfffe; it must be 0xffff"),
        (request(b"\0\0\0\0\x02\0\0\0\xFF\xFF\xFF\xFF\xFF"), "longer than its fields, by 1"),
        (sid(b"\x08\0\0\0\x02\0\0\0\0\0\0\x05"), "revision of DomainSid is 0x2"),
        (sid(b"\x08\0\0\0\x01\x10\0\0\0\0\0\x05"), "SubAuthorityCount of DomainSid is 0x10"),
        (sid(b"\x09\0\0\0\x01\0\0\0\0\0\0\x05\0"), "DomainSidSize is 0x9; it must be the length"),
        (sid(b"\x07\0\0\0\x01\0\0\0\0\0\0\x05"), "DomainSidSize is 0x7"),
        (sid(b"\xFF\xFF\xFF\xFF\x01\0\0\0\0\0\0\x05"), "DomainSidSize is 0xffffffff"),
        (b"\x13\0\x01".to_vec(), "ends inside NtVersion: 1 of its 4 bytes"),
        (b"\x17\0\x01\0\0\0\0\0\0\0\0\0".to_vec(), "Sbz is 0x1; it must be 0"),
        (with_address, "DcSockAddrSize is 0xf; it must be 16"),
        (ex(b"\x01a\xC0\x18"), "DnsForestName: the pointer at 26 leads to 24"),
        (ex(b"\0\xC0\x17"), "DnsDomainName: the pointer at 25 leads to 23"),
        (ex(b"\0\0\x3Fabc"), "DnsHostName: it does not end inside the message"),
        (ex(b"\0\0\0\0\0\0\0\0\0"), "longer than its fields, by 1"),
    ] {
        assert_refused(netlogon::Message::parse(&data), words);
    }
    assert!(netlogon::Message::parse(&sid(b"\x08\0\0\0\x01\0\0\0\0\0\0\x05")).is_ok());
    assert!(netlogon::Message::parse(&ex(b"\0\0\0\0\0\0\0\0")).is_ok());
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, impl std::fmt::Display>, words: &str) {
    let reason = result.expect_err("refused").to_string();
    assert!(reason.contains(words), "{words:?} is not in {reason:?}");
}
