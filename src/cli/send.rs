//! `send`: one message, or the same again and again, to a mailslot on a real network.

use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::time::Duration;

use mailslot_sim::drive::{Client, Error, Sockets};
use mailslot_sim::mailslot::{Machine, MailslotPath, Server, Win32Error};
use mailslot_sim::wire::NetbiosName;
use mailslot_sim::wire::name::SUFFIX_WORKSTATION;
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::network::{Network, host, network_failed, read_duration, runtime, sleep_until};
use super::output::message;
use super::{Exit, Global};

/// Writes a message to a mailslot of another computer, of all computers of a domain, or of this computer's domain.
///
/// That it succeeds says only that the message was handed to the network. Nobody ever says whether it arrived.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Where to: \\COMPUTER\mailslot\NAME, \\DOMAIN\mailslot\NAME, or \\*\mailslot\NAME for this computer's domain.
    #[arg(value_name = "PATH")]
    path: String,
    /// The message; without it, or with -, all of stdin is the message, byte for byte. Text that starts with - follows --.
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    #[command(flatten)]
    network: Network,
    /// Write it so many times.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Time between the writes.
    #[arg(long, value_name = "TIME", value_parser = read_duration, default_value = "1 s")]
    every: Duration,
    /// Give up when so much time has passed since the message was known.
    #[arg(long, value_name = "TIME", value_parser = read_duration)]
    timeout: Option<Duration>,
}

const EXAMPLES: &str = r"Examples:
  mailslot-sim send '\\PRESS\mailslot\alarm' 'stop line 1'
  mailslot-sim send '\\PLANT\mailslot\alarm' stop --domain PLANT --count 3 --every '500 ms'
  printf '\x01\x02' | mailslot-sim send '\\PRESS\mailslot\bytes' -
Without privileges, on this computer alone:
  mailslot-sim send '\\PRESS\mailslot\alarm' stop --bind 127.0.0.3 --port 11138 --name CTRL

Exit codes: 0 handed to the network; 120 cannot bind, or the write failed (its Win32 code is
printed); 130 interrupted; 2 bad command line";

/// Writes.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    let send = || {
        check(&arguments.path)?;
        let data = match arguments.text.as_deref() {
            Some(text) if text != "-" => text.as_bytes().to_vec(),
            Some(_) | None => read_stdin()?,
        };
        runtime()?.block_on(send(arguments, &data, global))
    };
    send().unwrap_or_else(|exit| exit)
}

/// Refuses paths that can lead nowhere.
fn check(path: &str) -> Result<(), Exit> {
    let why = match MailslotPath::parse(path) {
        Ok(MailslotPath { server: Server::Local, .. }) => {
            "a mailslot of this computer belongs to the program that created it; write to this computer's name"
                .to_owned()
        }
        Ok(MailslotPath { server: Server::Named(name), .. }) if name.parse::<Ipv4Addr>().is_ok() => {
            "mailslots are reached by NetBIOS names, not by addresses".to_owned()
        }
        Ok(MailslotPath { server: Server::Named(name), .. }) => match NetbiosName::new(&name, SUFFIX_WORKSTATION) {
            Ok(_) => return Ok(()),
            Err(error) => format!("`{name}` is no NetBIOS name: {error}"),
        },
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    message(&format!(
        r"error: `{path}`: {why}; write it as '\\COMPUTER\mailslot\NAME', '\\DOMAIN\...' or '\\*\...', in quotes"
    ));
    Err(Exit::BadCommandLine)
}

fn read_stdin() -> Result<Vec<u8>, Exit> {
    let mut data = Vec::new();
    match io::stdin().lock().take(MAX_STDIN + 1).read_to_end(&mut data) {
        Ok(read) if read as u64 > MAX_STDIN => {
            message(&format!("error: stdin has more than {MAX_STDIN} bytes, which no datagram holds"));
            Err(Exit::BadCommandLine)
        }
        Ok(_) => Ok(data),
        Err(error) => {
            message(&format!("error: failed to read stdin: {error}"));
            Err(Exit::BadCommandLine)
        }
    }
}

async fn send(arguments: &Arguments, data: &[u8], global: &Global) -> Result<Exit, Exit> {
    let (mut machine, interface, ports) = arguments.network.machine()?;
    // Another program of this computer may listen under its name: it is found like any other.
    let computer = machine.config().computer;
    machine.disown_name(&computer);
    let longest = longest(&machine, &arguments.path);
    let host = host(machine, Sockets::bind_sender(interface, ports), ())?;
    let client = host.open(&arguments.path).map_err(|error| network_failed(&error.to_string()))?;
    let deadline = arguments.timeout.map(|timeout| Instant::now() + timeout);
    let mut handed = 0;
    let ended = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Err(Exit::Interrupted),
        () = sleep_until(deadline) => Err(network_failed("gave up: the time of --timeout is over")),
        result = write(&client, data, arguments, &mut handed) => {
            result.map_err(|error| network_failed(&refused(&error, &arguments.path, data.len(), longest)))
        }
    };
    if let Err(Exit::NetworkFailed) = ended
        && handed < arguments.count
    {
        message(&format!("{handed} of {} were written", plural(arguments.count, "message")));
    }
    if !global.quiet && handed > 0 {
        let (writes, bytes) = (plural(handed, "write"), plural(data.len() as u64, "byte"));
        message(&format!("{writes} of {bytes} handed to the network; whether anybody got them, nobody will say"));
    }
    ended.map(|()| Exit::Success)
}

async fn write(client: &Client<UdpSocket>, data: &[u8], arguments: &Arguments, handed: &mut u64) -> Result<(), Error> {
    // A period of zero is as fast as it goes.
    let mut ticks = (!arguments.every.is_zero()).then(|| {
        let mut ticks = interval_at(Instant::now(), arguments.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    });
    while *handed < arguments.count {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        client.send(data).await?;
        *handed += 1;
        tokio::task::yield_now().await; // Ctrl-C and --timeout get their turn
    }
    Ok(())
}

/// The longest message to a path.
fn longest(machine: &Machine, path: &str) -> Option<usize> {
    let slot = MailslotPath::parse(path).ok()?.slot;
    machine.config().limits.longest(machine.config().layout, slot.characters())
}

/// What a failed write means here.
fn refused(error: &Error, path: &str, len: usize, longest: Option<usize>) -> String {
    let why = match (error, longest) {
        (Error::Win32(Win32Error::BadNetpath), Some(longest)) if len > longest => {
            format!(": a message to this mailslot has at most {longest} bytes, and this one has {len}")
        }
        (Error::Win32(Win32Error::BadNetpath), None) => ": the mailslot's name is too long for a datagram".to_owned(),
        (Error::Win32(Win32Error::BadNetpath), Some(_)) => {
            format!(": nobody answered for the name in `{path}`; if it is your own domain, say so with --domain")
        }
        _ => String::new(),
    };
    format!("the write failed: {error}{why}")
}

fn plural(number: u64, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// More than any datagram holds.
const MAX_STDIN: u64 = 64 << 10;
