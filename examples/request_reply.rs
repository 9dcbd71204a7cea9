//! Request and reply, over two mailslots. On one machine, in two terminals:
//!
//!     cargo run --example request_reply -- serve PRESS 127.0.0.2
//!     cargo run --example request_reply -- ask CTRL 127.0.0.3 PRESS 'stamp 3 lids'
//!
//! On a network, the addresses are those that the machines have there. A last argument is another UDP port than 11138, for
//! all; the name service has the one below.
//!
//! Mailslots go one way and nobody confirms anything, so all that makes a conversation is made here: a number for each
//! request, a mailslot for replies, a time to wait for one, and a few tries. No reply may mean that the request was lost, or
//! the reply, or that the work takes long: **after the last try it is not known whether the work was done.** To ask again is
//! safe, because the server works once for each number and repeats its reply to a request that it has seen; it forgets all
//! but the last thousand, and all of them when it ends.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use mailslot_sim::drive::{Host, Interface, Mailslot, Ports, Sockets};
use mailslot_sim::mailslot::{Config, Machine, SlotName};
use mailslot_sim::names::Mode;
use mailslot_sim::wire::NetbiosName;
use tokio::net::UdpSocket;
use tokio::time::timeout;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["serve", name, address] => serve(name, address, PORT).await,
        ["serve", name, address, port] => serve(name, address, port).await,
        ["ask", name, address, server, text] => ask(name, address, server, text, PORT).await,
        ["ask", name, address, server, text, port] => ask(name, address, server, text, port).await,
        _ => Err("usage: request_reply serve NAME ADDRESS [PORT], or ask NAME ADDRESS SERVER TEXT [PORT]".into()),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("request_reply: {error}");
    ExitCode::FAILURE
}

/// Works once for each request, and replies to each of its copies.
async fn serve(name: &str, address: &str, port: &str) -> Result<(), Failure> {
    let host = join(name, address, port).await?;
    let requests = host.listen(r"\\.\mailslot\requests")?;
    eprintln!("{name} waits for requests");
    let mut jobs = 0;
    let mut done = VecDeque::new();
    loop {
        let message = requests.recv().await?;
        let Some((number, text)) = split(&message.data) else { continue };
        let request = (message.source, number.to_owned());
        let reply = match done.iter().find(|(known, _)| *known == request) {
            Some((_, reply)) => {
                println!("{} asked again", message.source);
                String::clone(reply)
            }
            None => {
                jobs += 1;
                println!("job {jobs} for {}: {}", message.source, text.escape_debug());
                let reply = format!("{number} job {jobs} is done");
                done.truncate(REMEMBERED - 1);
                done.push_front((request, reply.clone()));
                reply
            }
        };
        // If the reply is lost on its way, the request will come again.
        if let Err(error) = write(&host, message.source, "replies", &reply).await {
            eprintln!("no reply to {}: {error}", message.source);
        }
    }
}

async fn write(host: &Host<UdpSocket>, to: NetbiosName, slot: &str, text: &str) -> Result<(), Failure> {
    host.open_name(to, &SlotName::new(slot)?)?.send(text.as_bytes()).await?;
    Ok(())
}

/// Asks until a reply comes, or patience ends.
async fn ask(name: &str, address: &str, server: &str, text: &str, port: &str) -> Result<(), Failure> {
    let host = join(name, address, port).await?;
    let replies = host.listen(r"\\.\mailslot\replies")?;
    let requests = host.open(&format!(r"\\{server}\mailslot\requests"))?;
    // Another number in every run: the server must not take this request for one of yesterday.
    let number = format!("{:016x}", std::hash::RandomState::new().hash_one(std::process::id()));
    let request = format!("{number} {text}");
    let mut sent = 0;
    for attempt in 1..=TRIES {
        match requests.send(request.as_bytes()).await {
            Ok(_) => sent += 1,
            Err(error) => eprintln!("try {attempt}: not sent: {error}"),
        }
        match timeout(PATIENCE, reply_to(&number, &replies)).await {
            Ok(reply) => {
                println!("{server}: {}", reply?.escape_debug());
                return Ok(());
            }
            Err(_) => eprintln!("try {attempt}: no reply within {PATIENCE:?}"),
        }
    }
    Err(match sent {
        0 => "the request was never sent: nobody can have done the work".into(),
        _ => format!("no reply to {sent} requests: whether the work was done is not known").into(),
    })
}

/// The reply to this request; replies to others, which came too late, are passed over.
async fn reply_to(number: &str, replies: &Mailslot<UdpSocket>) -> Result<String, Failure> {
    loop {
        let message = replies.recv().await?;
        if let Some((found, text)) = split(&message.data)
            && found == number
        {
            return Ok(text.to_owned());
        }
    }
}

/// The number and the text of a request or reply.
fn split(data: &[u8]) -> Option<(&str, &str)> {
    str::from_utf8(data).ok()?.split_once(' ')
}

/// Puts this program on the network as the computer `name`.
async fn join(name: &str, address: &str, port: &str) -> Result<Host<UdpSocket>, Failure> {
    let interface = Interface::find(Some(address.parse::<Ipv4Addr>()?))?;
    let port: u16 = port.parse()?;
    let ports = Ports { datagram: port, name: port.checked_sub(1).ok_or("there is no port below 0")? };
    let machine = Machine::new(Config::new(name, "WORKS", interface.address)?, Mode::Broadcast);
    let host = Host::new(machine, Sockets::bind(interface, ports)?);
    host.claim_names().await?;
    Ok(host)
}

const PORT: &str = "11138";
const TRIES: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(1);
const REMEMBERED: usize = 1000;
