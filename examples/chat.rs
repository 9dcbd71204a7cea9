//! A chat: what anybody types, everybody reads. On one machine, in two terminals:
//!
//!     cargo run --example chat -- ANNA 127.0.0.2
//!     cargo run --example chat -- BERT 127.0.0.3
//!
//! On a network, the address is one that the machine has there. A third argument is another UDP port than 11138, for all;
//! the name service has the one below.
//!
//! Every line goes to `\\*\mailslot\chat`: to each computer of the domain, in one datagram. That it was sent says no more
//! than that. Who reads it is told to nobody: a lost line is missing at one reader and not at the next, and neither of them
//! learns of it. One's own lines are shown because they were put into the own mailslot: they have not been on the network.
//! The name before a line is what its sender claims to be.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::net::Ipv4Addr;
use std::process::ExitCode;

use mailslot_sim::drive::{Host, Interface, Ports, Sockets};
use mailslot_sim::mailslot::{API_MAX_REMOTE, Config, Machine};
use mailslot_sim::names::Mode;
use tokio::sync::mpsc;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Err(error) = run(&arguments).await else { return ExitCode::SUCCESS };
    eprintln!("chat: {error}");
    ExitCode::FAILURE
}

async fn run(arguments: &[String]) -> Result<(), Failure> {
    let (name, address, port) = match arguments {
        [name, address] => (name, address, 11_138),
        [name, address, port] => (name, address, port.parse()?),
        _ => return Err("usage: chat NAME ADDRESS [PORT]".into()),
    };
    let interface = Interface::find(Some(address.parse::<Ipv4Addr>()?))?;
    let ports = Ports { datagram: port, name: port.checked_sub(1).ok_or("there is no port below 0")? };
    let machine = Machine::new(Config::new(name, "CHAT", interface.address)?, Mode::Broadcast);
    let host = Host::new(machine, Sockets::bind(interface, ports)?);
    let heard = host.listen(r"\\.\mailslot\chat")?;
    let all = host.open(r"\\*\mailslot\chat")?;
    host.claim_names().await?;
    eprintln!("{name} is in the chat; end it with Ctrl-D");

    let mut typed = lines();
    loop {
        tokio::select! {
            message = heard.recv() => {
                let message = message?;
                let (who, text) = (message.source.characters(), &message.data);
                // Strangers must not control the terminal.
                let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(char::is_control, "?");
                println!("{}: {}", shown(who), shown(text));
            }
            line = typed.recv() => match line {
                None => return Ok(()),
                Some(line) if line.len() > API_MAX_REMOTE => {
                    let bytes = line.len();
                    eprintln!("not sent: {bytes} bytes, and a message to a domain has at most {API_MAX_REMOTE}");
                }
                Some(line) => match all.send(line.as_bytes()).await {
                    Ok(_) => {} // handed to the network: that is all there will be
                    Err(error) => eprintln!("not sent: {error}"),
                }
            }
        }
    }
}

/// The lines of stdin, read by a thread: a terminal cannot be waited for otherwise.
fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
