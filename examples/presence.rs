//! Who is there: each announces itself to the domain every second, and looks whom it has heard of in the last three. On one
//! machine, in two or more terminals:
//!
//!     cargo run --example presence -- ANNA 127.0.0.2
//!     cargo run --example presence -- BERT 127.0.0.3
//!
//! On a network, the address is one that the machine has there. A third argument is another UDP port than 11138, for all;
//! the name service has the one below.
//!
//! Announcements are not confirmed, so everything here is about what was heard. Somebody on the list sent something within
//! three seconds, and may be gone by now. Silence has three causes that look the same: gone, cut off, or unlucky; where one
//! datagram in ten is lost, one in a thousand runs of three is. Two lists need not agree, and being on another's list is
//! known only to that other.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use mailslot_sim::drive::{Host, Interface, Ports, Sockets};
use mailslot_sim::mailslot::{Config, Machine};
use mailslot_sim::names::Mode;
use mailslot_sim::wire::NetbiosName;
use tokio::time::{Instant, interval};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Err(error) = run(&arguments).await;
    eprintln!("presence: {error}");
    ExitCode::FAILURE
}

async fn run(arguments: &[String]) -> Result<Infallible, Failure> {
    let (name, address, port) = match arguments {
        [name, address] => (name, address, 11_138),
        [name, address, port] => (name, address, port.parse()?),
        _ => return Err("usage: presence NAME ADDRESS [PORT]".into()),
    };
    let interface = Interface::find(Some(address.parse::<Ipv4Addr>()?))?;
    let ports = Ports { datagram: port, name: port.checked_sub(1).ok_or("there is no port below 0")? };
    let machine = Machine::new(Config::new(name, "PRESENCE", interface.address)?, Mode::Broadcast);
    let host = Host::new(machine, Sockets::bind(interface, ports)?);
    let heard = host.listen(r"\\.\mailslot\presence")?;
    let all = host.open(r"\\*\mailslot\presence")?;
    host.claim_names().await?;
    eprintln!("{name} announces itself; end it with Ctrl-C");

    let mut last: BTreeMap<NetbiosName, Instant> = BTreeMap::new();
    let mut beat = interval(BEAT);
    loop {
        let before: Vec<NetbiosName> = last.keys().copied().collect();
        tokio::select! {
            message = heard.recv() => {
                let message = message?;
                // One's own announcement comes from no network, and proves nothing.
                if message.from.is_some() && last.insert(message.source, Instant::now()).is_none() {
                    println!("{} is heard", message.source);
                }
            }
            now = beat.tick() => {
                if let Err(error) = all.send(b"here").await {
                    eprintln!("not announced: {error}");
                }
                last.retain(|who, heard| {
                    let keeps = now.saturating_duration_since(*heard) <= PATIENCE;
                    if !keeps {
                        println!("{who} fell silent: gone, cut off or unlucky");
                    }
                    keeps
                });
            }
        }
        if !before.iter().eq(last.keys()) {
            let names: Vec<String> = last.keys().map(NetbiosName::to_string).collect();
            let list = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
            println!("in the last {PATIENCE:?}: {list}");
        }
    }
}

const BEAT: Duration = Duration::from_secs(1);
/// Three announcements in a row.
const PATIENCE: Duration = Duration::from_secs(3);
