//! The examples of the async API as a user runs them, on real sockets of the loopback.
#![cfg(feature = "tokio")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mailslot_sim::drive::{Host, Interface, Ports, Sockets};
use mailslot_sim::mailslot::{Config, Machine, SlotName};
use mailslot_sim::message::netlogon::{
    ComputerName, MailslotName, Message, NtVersion, PrimaryQuery, SamLogonRequest, WideComputerName, WideUserName,
};
use mailslot_sim::names::Mode;
use mailslot_sim::wire::NetbiosName;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// A loopback network of its own: the port of the datagram service.
struct Lan(u16);

impl Lan {
    /// Each test has a number of its own; processes that run at the same time mostly have other ports.
    fn new(number: u16) -> Self {
        Lan(30_101 + (std::process::id() as u16 % 40) * 20 + number * 2)
    }

    /// Starts an example with these arguments and the port.
    fn start(&self, example: &str, arguments: &[&str]) -> Program {
        let mut command = command(example);
        command.args(arguments).arg(self.0.to_string());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(BUILT);
        let (sender, lines) = channel();
        forward(child.stdout.take().unwrap(), sender.clone());
        forward(child.stderr.take().unwrap(), sender);
        Program { child, lines, said: Vec::new() }
    }

    /// A host of this process.
    fn host(&self, name: &str, domain: &str, last: u8) -> Host<UdpSocket> {
        let interface = Interface::find(Some([127, 0, 0, last].into())).unwrap();
        let ports = Ports { datagram: self.0, name: self.0 - 1 };
        let config = Config::new(name, domain, interface.address).unwrap();
        Host::new(Machine::new(config, Mode::Broadcast), Sockets::bind(interface, ports).unwrap())
    }
}

const BUILT: &str = "`cargo test` builds the examples; with --test, `cargo build --examples` does";

/// An example, which cargo puts beside the folder of the tests.
fn command(example: &str) -> Command {
    let folder = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples");
    Command::new(folder.join(example))
}

fn forward(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
}

/// A running example; it ends with its test.
struct Program {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Program {
    /// Waits until it says a line with this text, on stdout or stderr.
    fn says(&mut self, text: &str) {
        loop {
            let Ok(line) = self.lines.recv_timeout(Duration::from_secs(10)) else {
                panic!("nothing with `{text}` after: {:#?}", self.said)
            };
            let found = line.contains(text);
            self.said.push(line);
            if found {
                return;
            }
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// How many lines with this text it has said so far.
    fn count(&self, text: &str) -> usize {
        self.said.iter().filter(|line| line.contains(text)).count()
    }

    /// Whether it ended well.
    fn ends(&mut self) -> bool {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn chat_shows_everybodys_lines_to_everybody() {
    let lan = Lan::new(0);
    let mut all = [("ANNA", "127.0.0.2"), ("BERT", "127.0.0.3"), ("CARL", "127.0.0.4")]
        .map(|(name, address)| lan.start("chat", &[name, address]));
    all.iter_mut().for_each(|program| program.says("is in the chat"));
    all[0].types("hello");
    all.iter_mut().for_each(|program| program.says("ANNA: hello"));
    all[1].types("gr\u{fc}\u{df} dich \u{1b}[2J");
    all.iter_mut().for_each(|program| program.says("BERT: gr\u{fc}\u{df} dich ?[2J"));
    all[2].types(&"x".repeat(425));
    all[2].says("not sent: 425 bytes, and a message to a domain has at most 424");
    all[2].types("last");
    all.iter_mut().for_each(|program| program.says("CARL: last"));
    for program in &mut all {
        assert!(program.ends());
        assert_eq!(program.count(": "), 3 + program.count("not sent"), "each line once: {:?}", program.said);
    }
}

#[test]
fn presence_notices_who_comes_and_who_falls_silent() {
    let lan = Lan::new(1);
    let mut anna = lan.start("presence", &["ANNA", "127.0.0.2"]);
    anna.says("announces itself");
    let mut bert = lan.start("presence", &["BERT", "127.0.0.3"]);
    anna.says("BERT<00> is heard");
    anna.says("in the last 3s: BERT<00>");
    bert.says("ANNA<00> is heard");
    bert.says("in the last 3s: ANNA<00>");
    let carl = lan.start("presence", &["CARL", "127.0.0.4"]);
    anna.says("in the last 3s: BERT<00>, CARL<00>");
    drop(carl);
    anna.says("CARL<00> fell silent");
    anna.says("in the last 3s: BERT<00>");
    drop(bert);
    anna.says("BERT<00> fell silent");
    anna.says("in the last 3s: nobody");
}

#[test]
fn a_request_is_replied_to() {
    let lan = Lan::new(2);
    let mut press = lan.start("request_reply", &["serve", "PRESS", "127.0.0.2"]);
    press.says("waits for requests");
    for job in 1..=2 {
        let mut ctrl = lan.start("request_reply", &["ask", "CTRL", "127.0.0.3", "PRESS", "stamp 3 lids"]);
        ctrl.says(&format!("PRESS: job {job} is done"));
        assert!(ctrl.ends());
        press.says(&format!("job {job} for CTRL<00>: stamp 3 lids"));
    }
}

/// The network may double a request, and its sender repeats it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_is_worked_on_once() {
    let lan = Lan::new(3);
    let mut press = lan.start("request_reply", &["serve", "PRESS", "127.0.0.2"]);
    press.says("waits for requests");
    let ctrl = lan.host("CTRL", "WORKS", 3);
    let replies = ctrl.listen(r"\\.\mailslot\replies").unwrap();
    let requests = ctrl.open(r"\\PRESS\mailslot\requests").unwrap();
    requests.send(b"nonsense").await.unwrap();
    for request in ["1 stamp", "1 stamp", "2 stamp", "1 stamp"] {
        requests.send(request.as_bytes()).await.unwrap();
    }
    for reply in ["1 job 1 is done", "1 job 1 is done", "2 job 2 is done", "1 job 1 is done"] {
        let message = timeout(Duration::from_secs(5), replies.recv()).await.unwrap().unwrap();
        assert_eq!(str::from_utf8(&message.data), Ok(reply));
    }
    press.says("asked again");
    press.says("job 2 for");
    press.says("asked again");
    assert_eq!(press.count("job "), 2, "{:?}", press.said);
}

/// The first reply is lost, and an old one comes instead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_a_reply_is_repeated() {
    let lan = Lan::new(4);
    let press = lan.host("PRESS", "WORKS", 2);
    let requests = press.listen(r"\\.\mailslot\requests").unwrap();
    let mut ctrl = lan.start("request_reply", &["ask", "CTRL", "127.0.0.3", "PRESS", "stamp"]);
    let first = timeout(Duration::from_secs(5), requests.recv()).await.unwrap().unwrap();
    let client = press.open(r"\\CTRL\mailslot\replies").unwrap();
    client.send(b"0000000000000000 yesterday's reply").await.unwrap();
    ctrl.says("try 1: no reply within 1s");
    let second = timeout(Duration::from_secs(5), requests.recv()).await.unwrap().unwrap();
    assert_eq!(first.data, second.data);
    let number = str::from_utf8(&second.data).unwrap().split(' ').next().unwrap();
    client.send(format!("{number} done").as_bytes()).await.unwrap();
    ctrl.says("PRESS: done");
    assert!(ctrl.ends());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reply_says_what_is_not_known() {
    let lan = Lan::new(5);
    let _press = lan.host("PRESS", "WORKS", 2);
    let mut ctrl = lan.start("request_reply", &["ask", "CTRL", "127.0.0.3", "PRESS", "stamp"]);
    let mut nobody = lan.start("request_reply", &["ask", "CARL", "127.0.0.4", "NOBODY", "stamp"]);
    ctrl.says("no reply to 4 requests: whether the work was done is not known");
    nobody.says("try 1: not sent");
    nobody.says("the request was never sent");
    assert!(!ctrl.ends() && !nobody.ends());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dc_locator_answers_requests_and_nothing_else() {
    let lan = Lan::new(6);
    let mut locator = lan.start("dc_locator", &["127.0.0.2", "LOCATOR", "FARMDOM"]);
    locator.says("answering for FARMDOM as LOCATOR");
    let client = lan.host("WS7", "FARMDOM", 3);
    let answers = client.listen(r"\\.\mailslot\NET\GETDC5").unwrap();
    let controllers: NetbiosName = "FARMDOM<1C>".parse().unwrap();
    let requests = client.open_name(controllers, &SlotName::new(r"NET\NETLOGON").unwrap()).unwrap();
    requests.send(b"who?").await.unwrap();
    locator.says("WS7<00>: not answered");
    let mailslot = MailslotName::new(r"\MAILSLOT\NET\GETDC5").unwrap();
    let primary = PrimaryQuery {
        computer: ComputerName::new("WS7").unwrap(),
        mailslot: mailslot.clone(),
        unicode_computer: WideComputerName::new("WS7").unwrap(),
        version_padding: false,
        nt_version: NtVersion::V1,
    };
    let logon = |user: &str| SamLogonRequest {
        request_count: 0,
        computer: WideComputerName::new("WS7").unwrap(),
        user: WideUserName::new(user).unwrap(),
        mailslot: mailslot.clone(),
        account_control: 0x80,
        domain_sid: None,
        nt_version: NtVersion::V1,
    };
    for (request, answer) in [
        (Message::PrimaryQuery(primary), "primary response: LOCATOR of FARMDOM, version 0x00000001"),
        (
            Message::SamLogonRequest(logon("")),
            r#"logon response: \\LOCATOR of FARMDOM: user "" can log on, version 0x00000001"#,
        ),
        (
            Message::SamLogonRequest(logon("ANNA")),
            r#"logon response: \\LOCATOR of FARMDOM: user "ANNA" is not known, version 0x00000001"#,
        ),
    ] {
        let mut data = Vec::new();
        request.emit(&mut data);
        requests.send(&data).await.unwrap();
        let message = timeout(Duration::from_secs(5), answers.recv()).await.unwrap().unwrap();
        assert_eq!(message.source.to_string(), "LOCATOR<00>");
        assert_eq!(Message::parse(&message.data).unwrap().to_string(), answer);
        locator.says(&format!("WS7<00>: {request}; answered with {answer}"));
    }
}

#[test]
fn bad_arguments_are_said() {
    for (example, arguments, needed) in [
        ("chat", vec![], "usage: chat NAME ADDRESS [PORT]"),
        ("chat", vec!["SIXTEENCHARACTER", "127.0.0.2"], "name"),
        ("presence", vec!["ANNA", "203.0.113.9", "30001"], "203.0.113.9 is no address of this machine"),
        ("request_reply", vec!["serve", "PRESS"], "usage: request_reply serve"),
        ("request_reply", vec!["serve", "PRESS", "127.0.0.2", "0"], "no port below 0"),
        ("dc_locator", vec!["127.0.0.2", "LOCATOR"], "usage: dc_locator ADDRESS COMPUTER DOMAIN [PORT]"),
        ("dc_locator", vec!["here", "LOCATOR", "FARMDOM"], "IP"),
    ] {
        let output = command(example).args(&arguments).stdin(Stdio::null()).output().expect(BUILT);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{example} {arguments:?}: {said}");
        assert!(said.starts_with(&format!("{example}: ")) && said.contains(needed), "{example} {arguments:?}: {said}");
    }
}
