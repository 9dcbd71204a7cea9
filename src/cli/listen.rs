//! `listen`: what comes to a mailslot, on a real network.

use std::net::SocketAddrV4;
use std::time::Duration;

use mailslot_sim::drive::{Error, Host, Mailslot, Sockets, Watch};
use mailslot_sim::mailslot::{self, Disposition, Event, MailslotPath, Service, SlotName};
use mailslot_sim::message::{Message, names_heard};
use mailslot_sim::time::Instant;
use mailslot_sim::wire::NetbiosName;
use serde::Serialize;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

use super::network::{Network, host, network_failed, read_duration, runtime, sleep_until};
use super::output::{message, print_while_read};
use super::{Exit, Global};

/// Creates a mailslot on this computer and prints what comes to it, from programs on any computer of the network.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The mailslot: \\.\mailslot\NAME.
    #[arg(value_name = "SLOT")]
    path: String,
    #[command(flatten)]
    network: Network,
    /// End after so many messages.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End when so much time has passed since it began to listen.
    #[arg(long, value_name = "TIME", value_parser = read_duration)]
    timeout: Option<Duration>,
    /// How to print messages.
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One message per line: who claims to have sent it, and its text.
    Text,
    /// One JSON object per line: time, source, address, length, text or hex, and what it says if the mailslot is a
    /// well-known one.
    Ndjson,
}

const EXAMPLES: &str = r"Examples:
  mailslot-sim listen '\\.\mailslot\alarm'
  mailslot-sim listen '\\.\mailslot\alarm' -v          (what was discarded, too)
  mailslot-sim listen '\\.\mailslot\BROWSE' --domain PLANT --format ndjson
Without privileges, on this computer alone:
  mailslot-sim listen '\\.\mailslot\alarm' --bind 127.0.0.2 --port 11138 --name PRESS

Exit codes: 0 got --count messages, or --timeout passed and no --count was given; 124 timed out
before --count; 120 cannot bind, or the name is another's; 130 interrupted; 2 bad command line";

/// Listens.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    let listen = || {
        let slot = local_slot(&arguments.path)?;
        runtime()?.block_on(listen(arguments, &slot, global))
    };
    listen().unwrap_or_else(|exit| exit)
}

/// The name in a path that a mailslot can be created at.
fn local_slot(path: &str) -> Result<SlotName, Exit> {
    match MailslotPath::parse(path) {
        Ok(MailslotPath { server: mailslot::Server::Local, slot }) => Ok(slot),
        Ok(_) => Err(bad_path(path, "a mailslot is created on its own computer")),
        Err(error) => Err(bad_path(path, &error.to_string())),
    }
}

fn bad_path(path: &str, why: &str) -> Exit {
    message(&format!(r"error: `{path}`: {why}; write it as '\\.\mailslot\NAME', in quotes"));
    Exit::BadCommandLine
}

async fn listen(arguments: &Arguments, slot: &SlotName, global: &Global) -> Result<Exit, Exit> {
    let (mut machine, interface, ports) = arguments.network.machine()?;
    let config = machine.config();
    let slot = slot.to_wire().unwrap_or_default(); // a name that no datagram carries is none of the well-known ones
    for name in names_heard(&slot, config.computer, config.domain) {
        machine.hear(name);
    }
    let who = Network::describe(&machine, interface, ports);
    let (conflict, in_conflict) = oneshot::channel();
    let warden = Warden { tells_discards: global.verbose, conflict: Some(conflict) };
    let host = host(machine, Sockets::bind(interface, ports), warden)?;
    let mailslot = host.listen(&arguments.path).map_err(|error| network_failed(&error.to_string()))?;
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Err(Exit::Interrupted),
        Ok(name) = in_conflict => {
            Err(network_failed(&format!("another computer says that it bears {name}: what is sent there is not heard any more")))
        }
        result = receive(&host, &mailslot, arguments, &slot, (global, &who)) => result,
    }
}

/// Tells of packets that become no message, if that is wanted, and of names that the computer loses.
struct Warden {
    tells_discards: bool,
    conflict: Option<oneshot::Sender<NetbiosName>>,
}

impl Watch for Warden {
    fn event(&mut self, _: Instant, event: &Event) {
        if let Event::NameConflict { name } = event
            && let Some(conflict) = self.conflict.take()
        {
            let _ = conflict.send(*name);
        }
    }

    fn received(
        &mut self,
        _: Instant,
        _: Service,
        from: SocketAddrV4,
        payload: &[u8],
        disposition: Option<Disposition>,
    ) {
        if let (true, Some(Disposition::Discarded(why))) = (self.tells_discards, disposition) {
            message(&format!("discarded {} bytes from {from}: {why}", payload.len()));
        }
    }
}

/// Claims the computer's names, then prints messages until there are enough.
async fn receive(
    host: &Host<UdpSocket>,
    mailslot: &Mailslot<UdpSocket>,
    arguments: &Arguments,
    slot: &[u8],
    (global, who): (&Global, &str),
) -> Result<Exit, Exit> {
    host.claim_names()
        .await
        .map_err(|refused| network_failed(&format!("{refused}; take another with --name or --domain")))?;
    if !global.quiet {
        message(&format!("listening to {} as {who}", arguments.path));
    }
    let deadline = arguments.timeout.map(|timeout| tokio::time::Instant::now() + timeout);
    let mut left = arguments.count;
    while left != Some(0) {
        let received = tokio::select! {
            biased;
            () = sleep_until(deadline) => return Ok(timed_out(arguments.count, left)),
            received = mailslot.recv() => received.map_err(|error: Error| network_failed(&error.to_string()))?,
        };
        if !print_while_read(&line(&received, slot, arguments.format))? {
            return Ok(Exit::Success);
        }
        left = left.map(|left| left - 1);
    }
    Ok(Exit::Success)
}

/// The time is over.
fn timed_out(count: Option<u64>, left: Option<u64>) -> Exit {
    match count.zip(left) {
        Some((count, left)) => {
            message(&format!("timed out: {} of {count} messages came", count - left));
            Exit::TimedOut
        }
        None => Exit::Success,
    }
}

#[derive(Serialize)]
struct Line {
    time: String,
    source: String,
    /// Where the datagram came from; a message of this computer came in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

fn line(received: &mailslot::Message, slot: &[u8], format: Format) -> String {
    let mailslot::Message { data, source, from, .. } = received;
    let text = plain_text(data);
    let hex = || data.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let meaning = Message::parse(slot, data).ok().flatten().map(|message| message.to_string());
    match format {
        Format::Text => {
            let shown = meaning.or(text).unwrap_or_else(|| format!("{} bytes {}", data.len(), hex()));
            let control = |character: char| match character.is_control() {
                true => character.escape_default().to_string(),
                false => character.to_string(),
            };
            format!("{source}: {}\n", shown.chars().map(control).collect::<String>())
        }
        Format::Ndjson => {
            let line = Line {
                time: jiff::Timestamp::now().to_string(),
                source: source.to_string(),
                address: from.map(|from| from.to_string()),
                length: data.len(),
                hex: text.is_none().then(hex),
                text,
                message: meaning,
            };
            serde_json::to_string(&line).expect("strings and numbers are JSON") + "\n"
        }
    }
}

/// The bytes as text, if that is what they are; a trailing NUL, which programs in C send, is left out.
fn plain_text(data: &[u8]) -> Option<String> {
    let text = str::from_utf8(data.strip_suffix(b"\0").unwrap_or(data)).ok()?;
    let plain = text.chars().all(|character| !character.is_control() || character.is_ascii_whitespace());
    plain.then(|| text.to_owned())
}
