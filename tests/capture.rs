//! Captured traffic: the recorded browser election of three Samba hosts, in each form that captures come in.

mod support;

use std::io::{Error, ErrorKind};

use mailslot_sim::scenario::{Checked, Problems, Source, parse};
use serde_json::Value;
use support::trace;

const SCENARIO: &str = include_str!("../scenarios/samba-election.toml");
const CAPTURE: &[u8] = include_bytes!("../scenarios/data/samba-election.pcap");

/// The shipped scenario with another capture in the place of its own.
fn replay(capture: &[u8], text: &str) -> Result<Checked, Problems> {
    let read_file = |name: &str| match name {
        "data/samba-election.pcap" => Ok(capture.to_vec()),
        _ => Err(Error::from(ErrorKind::NotFound)),
    };
    parse(&Source { name: "samba-election.toml", text, set: &[], read_file: &read_file })
}

/// The writes of the replay: time, host, message bytes.
fn writes(checked: &Checked) -> Vec<(u64, String, u64)> {
    let lines = trace(&checked.scenario).into_iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let writes = lines.filter(|line| line["event"] == "write");
    writes
        .map(|line| {
            let host = line["host"].as_str().unwrap().to_owned();
            (line["t_ns"].as_u64().unwrap(), host, line["bytes"].as_u64().unwrap())
        })
        .collect()
}

/// The packets of the shipped capture: time in microseconds, bytes.
fn packets() -> Vec<(u64, &'static [u8])> {
    let mut rest = &CAPTURE[24..];
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let length = word(rest, 8) as usize;
        packets.push((u64::from(word(rest, 0)) * 1_000_000 + u64::from(word(rest, 4)), &rest[16..16 + length]));
        rest = &rest[16 + length..];
    }
    packets
}

/// A pcap file with the other byte order and nanoseconds.
fn as_big_endian_nanoseconds() -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xA1B2_3C4D_u32, 0x0002_0004, 0, 0, 65535, 1] {
        file.extend(word.to_be_bytes());
    }
    for (micros, bytes) in packets() {
        let length = bytes.len() as u32;
        for word in [(micros / 1_000_000) as u32, (micros % 1_000_000 * 1000) as u32, length, length] {
            file.extend(word.to_be_bytes());
        }
        file.extend(bytes);
    }
    file
}

/// A pcapng file, little-endian, with the default resolution of microseconds.
fn as_pcapng() -> Vec<u8> {
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let length = (padded + 12) as u32;
        file.extend(kind.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(body);
        file.extend(vec![0; padded - body.len()]);
        file.extend(length.to_le_bytes());
    };
    let mut section = Vec::from(0x1A2B_3C4D_u32.to_le_bytes());
    section.extend([1, 0, 0, 0]);
    section.extend([0xFF; 8]);
    block(0x0A0D_0D0A, &section);
    block(1, &[1, 0, 0, 0, 0, 0, 4, 0]);
    for (micros, bytes) in packets() {
        let length = bytes.len() as u32;
        let words = [0, (micros >> 32) as u32, micros as u32, length, length];
        block(6, &[&words.map(u32::to_le_bytes).concat()[..], bytes].concat());
    }
    file
}

fn error(capture: &[u8], text: &str) -> String {
    replay(capture, text).expect_err("refused").to_string()
}

#[test]
fn the_recorded_datagrams_are_written_by_their_hosts_at_their_times() {
    let checked = replay(CAPTURE, SCENARIO).unwrap();
    let writes = writes(&checked);
    assert_eq!(writes.len(), 45);
    // As Wireshark shows them: frames 6, 51 and 206, time since the first frame, length of the browser frame.
    assert_eq!(writes[0], (4_847_000, "CHARLIE".into(), 45));
    assert_eq!(writes[2], (7_048_318_000, "BRAVO".into(), 20));
    assert_eq!(writes[44], (106_263_667_000, "ALPHA".into(), 43));
}

#[test]
fn every_form_of_capture_gives_the_same_writes() {
    let reference = writes(&replay(CAPTURE, SCENARIO).unwrap());
    for form in [as_big_endian_nanoseconds(), as_pcapng()] {
        assert_eq!(writes(&replay(&form, SCENARIO).unwrap()), reference);
    }
}

#[test]
fn the_capture_is_part_of_the_scenarios_hash() {
    let mut other = CAPTURE.to_vec();
    let last_udp_138 = other.windows(4).rposition(|bytes| bytes == [0, 138, 0, 138]).unwrap();
    other[last_udp_138 + 200] ^= 1;
    let hash = |capture| replay(capture, SCENARIO).unwrap().scenario.hash();
    assert_ne!(hash(&other), hash(CAPTURE));
}

#[test]
fn hosts_and_names_that_are_not_declared_are_named_with_their_frame() {
    let without_bravo = SCENARIO.replace("name = \"BRAVO\"", "name = \"DELTA\"");
    let message = error(CAPTURE, &without_bravo);
    assert!(message.contains("frame 13: its sender BRAVO<00> is not a host"), "{message}");
    assert!(message.contains("[[host]] with name = \"BRAVO\"") && message.contains("samba-election.toml:44:11"));
    assert_eq!(message.matches("is not a host").count(), 1, "said once, not for each of its frames");

    let without_name = SCENARIO.replace("\"FARMDOM<1E>\", ", "");
    let message = error(CAPTURE, &without_name);
    assert!(message.contains("frame 51: no host bears the name FARMDOM<1E>"), "{message}");
    assert!(message.contains("names = [\"FARMDOM<1E>\"]"));
}

#[test]
fn what_is_no_capture_is_refused() {
    let missing = SCENARIO.replace("data/samba-election.pcap", "data/none.pcap");
    for (capture, text, words) in [
        (CAPTURE, missing.as_str(), "cannot read the capture `data/none.pcap`"),
        (&b""[..], SCENARIO, "neither a pcap nor a pcapng"),
        (b"hello, world, this is no capture at all", SCENARIO, "neither a pcap nor a pcapng"),
        (&CAPTURE[..CAPTURE.len() - 5], SCENARIO, "it ends inside frame 230"),
        (&CAPTURE[..24], SCENARIO, "no mailslot datagram"),
    ] {
        let message = error(capture, text);
        assert!(message.contains(words), "{words:?} is not in {message}");
    }
}

#[test]
fn what_contradicts_a_capture_is_refused() {
    let text = SCENARIO.replace("capture =", "every = \"1 s\"\ncapture =");
    assert!(error(CAPTURE, &text).contains("`every` contradicts `capture`"));
}

#[test]
fn writes_after_the_end_are_left_out_with_a_warning() {
    let checked = replay(CAPTURE, &SCENARIO.replace("2 min", "20 s").replace("equals = 45", "equals = 7")).unwrap();
    assert!(checked.warnings.to_string().contains("38 of 45 captured writes come after the scenario's duration, 20 s"));
    assert_eq!(writes(&checked).len(), 7);
}

/// No bytes make the reader panic: the capture cut and overwritten anywhere.
#[test]
fn damaged_captures_do_not_panic() {
    for at in (0..CAPTURE.len()).step_by(97) {
        let mut damaged = CAPTURE.to_vec();
        damaged[at] ^= 0x55;
        let _ = replay(&damaged, SCENARIO);
        let _ = replay(&CAPTURE[..at], SCENARIO);
    }
    let pcapng = as_pcapng();
    for at in (0..pcapng.len()).step_by(97) {
        let mut damaged = pcapng.clone();
        damaged[at] ^= 0x55;
        let _ = replay(&damaged, SCENARIO);
    }
}
