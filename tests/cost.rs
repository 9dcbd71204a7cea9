//! What input costs is proportional to its length, whatever it is: nobody can make a reader slow by asking cleverly.
//!
//! Time is measured, and therefore compared generously: one long input must not take [`SLACK`] times as long as
//! [`FACTOR`] inputs of that fraction of its length. Where the cost grows with the square, it takes [`FACTOR`] times as
//! long.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the time that the readers take is the subject"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mailslot_sim::mailslot::{Config, CreateOptions, Directory, Machine};
use mailslot_sim::scenario::{Source, parse};
use mailslot_sim::wire::datagram::{Direct, Head, Kind, NodeType, Repr};
use mailslot_sim::wire::transaction::{Layout, emit_write};
use mailslot_sim::wire::{Name, NetbiosName, name::NameView};

/// How much longer the long input is.
const FACTOR: usize = 64;
const SLACK: u32 = 8;
/// How often it is measured at most: other programs may disturb.
const ROUNDS: u32 = 6;

fn assert_linear<I>(what: &str, short: usize, input: impl Fn(usize) -> I, work: impl Fn(&I)) {
    let inputs = [input(short), input(short * FACTOR)];
    let time = |input: &I, times: usize| {
        let start = Instant::now();
        (0..times).for_each(|_| work(black_box(input)));
        start.elapsed()
    };
    let (mut pieces, mut whole) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        pieces = pieces.min(time(&inputs[0], FACTOR));
        whole = whole.min(time(&inputs[1], 1));
        if whole < pieces * SLACK {
            return;
        }
    }
    panic!("{what}: {whole:?} for one input, {pieces:?} for the same in {FACTOR} pieces");
}

/// A packet to B, whose user data is made by `emit`.
fn packet(id: u16, user_data: Vec<u8>) -> Vec<u8> {
    let name = |text: &str| Name::from(text.parse::<NetbiosName>().unwrap());
    let head = Head { node_type: NodeType::B, id, source_ip: [10, 0, 0, 1].into(), source_port: 138 };
    let (source, destination) = (name("A<00>"), name("B<00>"));
    let mut packet = Vec::new();
    Repr::Direct(Direct { head, kind: Kind::Unique, source, destination, user_data }).emit(&mut packet);
    packet
}

/// A mailslot write of some bytes, as user data.
fn write(slot: &str, size: usize) -> Vec<u8> {
    let mut user_data = Vec::new();
    emit_write(Layout::Windows, format!(r"\MAILSLOT\{slot}").as_bytes(), &vec![b'x'; size], &mut user_data);
    user_data
}

fn receive(packets: &[Vec<u8>]) {
    let config = Config::new("B", "D", [10, 0, 0, 2].into()).unwrap();
    let mut machine = Machine::new(config, Arc::new(Directory::default()));
    machine.create_mailslot(r"\\.\mailslot\t", CreateOptions::default()).unwrap();
    let from: SocketAddrV4 = "10.0.0.1:138".parse().unwrap();
    for packet in packets {
        machine.handle_datagram(mailslot_sim::time::Instant::ZERO, from, packet);
    }
}

/// As long as UDP carries them.
#[test]
fn long_datagrams() {
    assert_linear(
        "a tail behind the datagram",
        1_000,
        |len| [packet(1, write("t", 8)), vec![0; len]].concat(),
        |it| {
            receive(std::slice::from_ref(it));
        },
    );
    assert_linear("a long message", 1_000, |len| vec![packet(1, write("t", len))], |it| receive(it));
    let endless = |len: usize| {
        let mut user_data = write("t", 0);
        user_data.truncate(80);
        user_data.resize(80 + len, b't');
        vec![packet(1, user_data)]
    };
    assert_linear("a mailslot name without an end", 1_000, endless, |it| receive(it));
    let long = |len: usize| vec![packet(1, write(&"t".repeat(len), 0))];
    assert_linear("a mailslot name that is too long for any", 1_000, long, |it| receive(it));
}

/// The labels of a scope, of which no name has more than 255 bytes.
#[test]
fn scopes_without_end() {
    for label in [&b"\x01x"[..], &[&[63_u8][..], &[b'x'; 63]].concat()] {
        let names = |len: usize| {
            let mut bytes = Vec::new();
            Name::from(NetbiosName::ANY).emit(&mut bytes);
            bytes.pop();
            bytes.extend(label.iter().cycle().take(len));
            bytes
        };
        assert_linear("labels", 1_000, names, |bytes| {
            let _ = black_box(NameView::parse(bytes));
        });
    }
}

#[test]
fn floods_of_fragments() {
    // MORE and FIRST, or MORE alone.
    let fragment = |id: u16, flags: u8, offset: usize, body: &[u8]| {
        let mut fragment = packet(id, Vec::new())[..14].to_vec();
        fragment[1] = flags;
        fragment[10..12].copy_from_slice(&u16::MAX.to_be_bytes());
        fragment[12..14].copy_from_slice(&(offset as u16).to_be_bytes());
        [&fragment[..], body].concat()
    };
    let firsts = |count: usize| (0..count).map(|id| fragment(id as u16, 3, 0, &[0; 40])).collect::<Vec<_>>();
    assert_linear("first fragments", 500, firsts, |packets| receive(packets));
    let strays = |count: usize| (0..count).map(|id| fragment(id as u16, 1, 40, &[0; 40])).collect::<Vec<_>>();
    assert_linear("later fragments", 500, strays, |packets| receive(packets));
    let crumbs = |count: usize| {
        let first = fragment(1, 3, 0, b"x");
        std::iter::once(first).chain((1..count).map(|offset| fragment(1, 1, offset, b"x"))).collect::<Vec<_>>()
    };
    assert_linear("one datagram in fragments of one byte", 1_000, crumbs, |packets| receive(packets));
}

fn check(text: &String) {
    let read_file = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    match parse(&Source { name: "cost.toml", text, set: &[], read_file: &read_file }) {
        Ok(checked) => drop(black_box(checked.warnings.render(false))),
        Err(problems) => drop(black_box(problems.render(false))),
    }
}

fn repeated(count: usize, mut entry: impl FnMut(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        write!(text, "{}", entry(number)).unwrap();
        text
    })
}

/// Up to the greatest number of hosts.
#[test]
fn scenarios_with_many_hosts() {
    let network = "schema = 1\nname = \"n\"\nduration = \"1 s\"\n[link.l]\n[segment.s]\nlink = \"l\"\n";
    let rest = "[[mailslot]]\non = \"H0\"\nname = \"t\"\n\
        [[traffic]]\nname = \"f\"\nfrom = \"H1\"\nto = '\\\\H0\\mailslot\\t'\nevery = \"1 s\"\n";
    let hosts = |count| {
        let hosts = repeated(count, |host| format!("[[host]]\nname = \"H{host}\"\nsegment = \"s\"\n"));
        format!("{network}{hosts}{rest}")
    };
    assert_linear("hosts", 156, hosts, check);
    let strays = |count| format!("{network}{}", repeated(count, |host| format!("[[host]]\nname = \"H{host}\"\n")));
    assert_linear("hosts without a segment", 156, strays, check);
}

/// Files of a mebibyte: bytes, printable characters, and what TOML is made of.
#[test]
fn noise() {
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let bytes: Vec<u8> = (0..1 << 20).map(|_| byte()).collect();
    let printable: Vec<u8> = bytes.iter().map(|byte| b' ' + byte % 95).collect();
    let tokens: Vec<u8> = bytes.iter().map(|byte| b"a=\"[]\n.1{,"[usize::from(*byte) % 10]).collect();
    for (what, bytes) in [("bytes", bytes), ("characters", printable), ("tokens", tokens)] {
        assert_linear(what, 1 << 14, |len| String::from_utf8_lossy(&bytes[..len]).into_owned(), check);
    }
}

#[test]
fn the_same_again_and_again() {
    for unit in ["[", "{", "a={", "a.", "x\n", "\"", "\n", "[[host]]\n", "\\", "a=1\n"] {
        let text = |len: usize| unit.repeat(len / unit.len());
        assert_linear(&format!("{unit:?} again and again"), 1 << 14, text, check);
    }
}

/// Up to the most values of an axis, and beyond the most axes and comparisons.
#[test]
fn studies_of_any_size() {
    let network =
        "schema = 1\nname = \"n\"\nduration = \"1 s\"\n[segment.s]\n[[host]]\nname = \"A\"\nsegment = \"s\"\n";
    let values = |count| {
        let values = repeated(count, |value| format!("{value}, "));
        format!("{network}[study.axes]\na = {{ set = \"seed\", values = [{values}] }}\n")
    };
    assert_linear("values", 156, values, check);
    let axes = |count| {
        let axes = repeated(count, |axis| format!("a{axis} = {{ set = \"seed\", values = [1] }}\n"));
        format!("{network}[study.axes]\n{axes}")
    };
    assert_linear("axes", 300, axes, check);
    let comparisons = |count| {
        let only = repeated(count, |number| format!("a != {number} && "));
        let values = repeated(1_000, |value| format!("{value}, "));
        let axes = format!("a = {{ set = \"traffic.f.count\", values = [{values}] }}\n");
        format!("{network}[study]\nwhere = \"{only}a != 0\"\n[study.axes]\n{axes}")
    };
    assert_linear("comparisons", 300, comparisons, check);
}
