//! `listen` and `send` as a user runs them, on real sockets of the loopback.
#![cfg(feature = "tokio")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

/// A loopback network of its own: a port.
struct Lan(u16);

impl Lan {
    /// Each test has a number of its own; processes that run at the same time mostly have other ports.
    fn new(number: u16) -> Self {
        Lan(31_001 + (std::process::id() as u16 % 40) * 20 + number * 2)
    }

    fn command(&self, what: &str, last: u8, name: &str) -> Command {
        let mut command = Command::new(cargo_bin("mailslot-sim"));
        command.args([what, "--bind", &format!("127.0.0.{last}"), "--port", &self.0.to_string(), "--name", name]);
        command.args(["--domain", "PLANT", "--timeout", "20 s"]);
        command
    }

    /// A program that listens, once it does.
    fn listen(&self, last: u8, name: &str, arguments: &[&str]) -> Child {
        let mut listen = self.command("listen", last, name);
        let mut child = listen.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening to "), "{line}");
        child
    }

    fn send(&self, last: u8, name: &str, arguments: &[&str]) -> (i32, String) {
        let output = self.command("send", last, name).args(arguments).stdin(Stdio::null()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

/// What a program printed, and its exit code.
fn end(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

const SLOT: &str = r"\\.\mailslot\alarm";

#[test]
fn a_message_goes_from_one_program_to_another() {
    let lan = Lan::new(0);
    let listen = lan.listen(2, "PRESS", &[SLOT, "--count", "2"]);
    let (code, said) = lan.send(3, "CTRL", &[r"\\PRESS\mailslot\alarm", "stop line 1"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 write of 11 bytes handed to the network; whether anybody got them"), "{said}");
    // From the same computer, by its own name, as one tries it first.
    assert_eq!(lan.send(2, "PRESS", &[r"\\PRESS\mailslot\alarm", "two\nlines"]).0, 0);
    assert_eq!(end(listen), (0, "CTRL<00>: stop line 1\nPRESS<00>: two\\nlines\n".to_owned()));
}

#[test]
fn a_message_to_the_domain_reaches_all_who_listen() {
    let lan = Lan::new(1);
    let all = [(2, "A"), (3, "B")].map(|(last, name)| lan.listen(last, name, &[SLOT, "--count", "3"]));
    for path in [r"\\PLANT\mailslot\alarm", r"\\*\mailslot\alarm"] {
        assert_eq!(lan.send(4, "CTRL", &[path, "to all"]).0, 0);
    }
    assert_eq!(lan.send(2, "A", &[r"\\PLANT\mailslot\alarm", "to all"]).0, 0);
    for listen in all {
        assert_eq!(end(listen), (0, "CTRL<00>: to all\nCTRL<00>: to all\nA<00>: to all\n".to_owned()));
    }
}

#[test]
fn ndjson_has_all_that_is_known() {
    let lan = Lan::new(2);
    let browse = r"\\.\mailslot\BROWSE";
    let listen = lan.listen(2, "PRESS", &[browse, "--count", "3", "--format", "ndjson"]);
    let to = r"\\PLANT\mailslot\browse";
    assert_eq!(lan.send(3, "CTRL", &[to, "text", "--count", "2", "--every", "1 ms"]).0, 0);
    // RequestElection, as it stands in MS-BRWS 2.2.3: from a file, byte for byte.
    let mut send = lan.command("send", 3, "CTRL").args([to, "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let frame = b"\x08\x01\x00\x0f\x01\x14\x10\x27\x00\x00\x00\x00\x00\x00CTRL\0";
    std::io::Write::write_all(send.stdin.as_mut().unwrap(), frame).unwrap();
    drop(send.stdin.take());
    assert!(send.wait().unwrap().success());
    let (code, out) = end(listen);
    assert_eq!(code, 0);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys = |line: &Value| line.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    assert_eq!(
        lines.iter().map(keys).collect::<Vec<_>>()[1..],
        ["address length source text time", "address hex length message source time"]
    );
    assert_eq!(
        (&lines[0]["source"], &lines[0]["length"], &lines[0]["text"]),
        (&"CTRL<00>".into(), &4.into(), &"text".into())
    );
    assert!(lines[2]["message"].as_str().unwrap().starts_with("election request"), "{}", lines[2]);
    assert!(lines[2]["hex"].as_str().unwrap().starts_with("0801000f0114"), "{}", lines[2]);
    assert!(lines[0]["address"].as_str().unwrap().starts_with("127.0.0.3:"), "{}", lines[0]);
    let time: &str = lines[0]["time"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
}

/// Nobody reads any more (`| head -1`): it ends. Text is shown as it is, but for control characters.
#[test]
#[cfg(unix)]
fn a_listener_ends_when_nobody_reads() {
    let lan = Lan::new(7);
    let mut listen = lan.listen(2, "PRESS", &[SLOT]);
    let mut out = BufReader::new(listen.stdout.take().unwrap());
    let to = r"\\PRESS\mailslot\alarm";
    assert_eq!(lan.send(3, "CTRL", &[to, "it's \"1\" in C:\\x\t."]).0, 0);
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "CTRL<00>: it's \"1\" in C:\\x\\t.\n");
    drop(out);
    assert_eq!(lan.send(3, "CTRL", &[to, "nobody sees this"]).0, 0);
    assert_eq!(listen.wait().unwrap().code(), Some(0));
}

/// However fast it writes, Ctrl-C and the time-out get their turn.
#[test]
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a real program has to be at work for a while")]
fn a_sender_can_be_stopped() {
    let lan = Lan::new(8);
    let listen = lan.listen(2, "PRESS", &[SLOT]);
    let mut send = lan.command("send", 3, "CTRL");
    send.args([r"\\PRESS\mailslot\alarm", "x", "--count", "1000000000", "--every", "0 s"]).stderr(Stdio::null());
    let mut send = send.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    for program in [send.id(), listen.id()] {
        assert!(Command::new("kill").args(["-INT", &program.to_string()]).status().unwrap().success());
    }
    assert_eq!(send.wait().unwrap().code(), Some(130));
    assert_eq!(end(listen).0, 130);
}

#[test]
fn a_listener_ends_in_time() {
    let lan = Lan::new(3);
    let mut listen = Command::new(cargo_bin("mailslot-sim"));
    listen.args(["listen", SLOT, "--bind", "127.0.0.2", "--name", "PRESS", "--port", &lan.0.to_string()]);
    let code = |more: &[&str], listen: &mut Command| listen.args(more).output().unwrap().status.code();
    assert_eq!(code(&["--timeout", "900 ms"], &mut listen), Some(0));
    assert_eq!(code(&["--count", "1"], &mut listen), Some(124));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_cleanly() {
    let listen = Lan::new(4).listen(2, "PRESS", &[SLOT]);
    assert!(Command::new("kill").args(["-INT", &listen.id().to_string()]).status().unwrap().success());
    assert_eq!(end(listen), (130, String::new()));
}

#[test]
fn what_the_network_refuses_is_120_with_its_reason() {
    let lan = Lan::new(5);
    let listen = lan.listen(2, "PRESS", &[SLOT, "--count", "1"]);
    let (code, said) = lan.send(3, "CTRL", &[r"\\NOBODY\mailslot\alarm", "?"]);
    assert_eq!(code, 120);
    assert!(said.contains("ERROR_BAD_NETPATH, 53") && said.contains("nobody answered for the name"), "{said}");
    let (code, said) = lan.send(3, "CTRL", &[r"\\PRESS\mailslot\alarm", &"x".repeat(425)]);
    assert_eq!(code, 120);
    assert!(said.contains("at most 424 bytes, and this one has 425"), "{said}");
    let output = lan.command("listen", 2, "OTHER").arg(SLOT).output().unwrap();
    assert_eq!(output.status.code(), Some(120));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another program is there"));
    let output = lan.command("listen", 3, "PRESS").arg(SLOT).output().unwrap();
    assert_eq!(output.status.code(), Some(120));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the NetBIOS name PRESS<00> is not to be had: 127.0.0.2 bears it"), "{said}");
    let (code, said) = lan.send(3, "CTRL", &[r"\\NOBODY\mailslot\alarm", "?", "--bind", "203.0.113.1"]);
    assert_eq!(code, 2, "--bind twice: {said}");
    lan.send(3, "CTRL", &[r"\\PRESS\mailslot\alarm", "end"]);
    assert_eq!(end(listen), (0, "CTRL<00>: end\n".to_owned()));
}

#[test]
fn v_tells_what_was_discarded() {
    let lan = Lan::new(6);
    let listen = lan.listen(2, "PRESS", &[SLOT, "-v", "--count", "1"]);
    for slot in ["other", "alarm"] {
        assert_eq!(lan.send(3, "CTRL", &[&format!(r"\\PRESS\mailslot\{slot}"), "x"]).0, 0);
    }
    let output = listen.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(" from 127.0.0.3:") && said.contains("nobody has a mailslot of that name open"), "{said}");
}

#[test]
fn bad_command_lines_are_2_and_say_what_would_be_right() {
    for (arguments, needed) in [
        (vec!["listen", "alarm"], r"write it as '\\.\mailslot\NAME'"),
        (vec!["listen", r"\\PRESS\mailslot\alarm"], "on its own computer"),
        (vec!["listen", SLOT, "--timeout", "5"], "number and one of ns, us, ms"),
        (vec!["listen", SLOT, "--port", "1"], "2..=65535"),
        (vec!["listen", SLOT, "--name", "SIXTEENCHARACTER"], "name"),
        (vec!["send", SLOT, "x"], "belongs to the program that created it"),
        (vec!["send", r"\\10.0.0.1\mailslot\alarm", "x"], "not by addresses"),
        (vec!["send", r"\\PRESS\alarm", "x"], "mailslot path has the form"),
    ] {
        let output = Command::new(cargo_bin("mailslot-sim")).args(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(needed), "{arguments:?}: {said}");
    }
}
