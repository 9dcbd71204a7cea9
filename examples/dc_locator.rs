//! Answers the question who is the domain controller, in the words of Windows NT 4.0:
//!
//!     cargo run --example dc_locator -- ADDRESS COMPUTER DOMAIN [PORT]
//!
//! ADDRESS is one of this computer's; it is called COMPUTER on the network and answers for DOMAIN. Ports 138 and 137 need
//! privileges; with PORT, that one and the one below it are used instead, here and at the others.
//!
//! Clients write a request to `\MAILSLOT\NET\NETLOGON` of DOMAIN<1C>, the name of all controllers, and say in it which
//! mailslot they read (MS-ADTS 6.3.5). Whatever is no such request is not answered. Whether an answer arrived is told to
//! nobody: clients that got none ask again.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use mailslot_sim::drive::{Host, Interface, Ports, Sockets};
use mailslot_sim::mailslot::{self, Config, Machine, MailslotPath, NameKind, Owner};
use mailslot_sim::message::netlogon::{
    Message, NtVersion, Outcome, PrimaryResponse, SamLogonResponse, ServerName, WideComputerName, WideServerName,
    WideUserName,
};
use mailslot_sim::names::Mode;
use mailslot_sim::wire::NetbiosName;
use tokio::net::UdpSocket;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Err(error) = run(&arguments).await;
    eprintln!("dc_locator: {error}");
    ExitCode::FAILURE
}

async fn run(arguments: &[String]) -> Result<Infallible, Failure> {
    let (address, computer, domain, port) = match arguments {
        [address, computer, domain] => (address, computer, domain, Ports::WELL_KNOWN.datagram),
        [address, computer, domain, port] => (address, computer, domain, port.parse()?),
        _ => return Err("usage: dc_locator ADDRESS COMPUTER DOMAIN [PORT]".into()),
    };
    let interface = Interface::find(Some(address.parse::<Ipv4Addr>()?))?;
    let ports = Ports { datagram: port, name: port.checked_sub(1).ok_or("there is no port below 0")? };
    let machine = Machine::new(Config::new(computer, domain, interface.address)?, Mode::Broadcast);
    let host = Host::new(machine, Sockets::bind(interface, ports)?);

    let requests = host.listen(r"\\.\mailslot\NET\NETLOGON")?;
    host.claim_names().await?;
    host.register_name(NetbiosName::new(domain, CONTROLLERS)?, NameKind::Group).await?;
    eprintln!("answering for {domain} as {computer} at {address}");
    loop {
        let request = requests.recv().await?;
        match answer(&host, computer, domain, &request).await {
            Ok(line) => println!("{}: {line}", request.source),
            Err(error) => eprintln!("{}: not answered: {error}", request.source),
        }
    }
}

/// Answers a request; says what was asked and what was answered.
async fn answer(
    host: &Host<UdpSocket>,
    computer: &str,
    domain: &str,
    request: &mailslot::Message,
) -> Result<String, Failure> {
    let question = Message::parse(&request.data)?;
    let (path, answer) = match &question {
        Message::PrimaryQuery(query) => {
            (format!(r"\\{}{}", query.computer, query.mailslot), primary_response(computer, domain)?)
        }
        Message::SamLogonRequest(request) => {
            (format!(r"\\{}{}", request.computer, request.mailslot), logon_response(computer, domain, &request.user)?)
        }
        _ => return Err(format!("it is no request: {question}").into()),
    };
    // Clients need not answer queries for their names, so the answer goes where the request came from. For ten minutes
    // all that is for this name goes there: whoever minds that others may claim to be its client, asks the network.
    if let Some(from) = request.from {
        host.remember_name(request.source, Owner::Unique(*from.ip()));
    }
    let mut data = Vec::new();
    answer.emit(&mut data);
    host.open_name(request.source, &MailslotPath::parse(&path)?.slot)?.send(&data).await?;
    Ok(format!("{question}; answered with {answer}"))
}

/// The answer to a query for the primary controller, laid out so that Samba's client reads it too.
fn primary_response(computer: &str, domain: &str) -> Result<Message, Failure> {
    let response = PrimaryResponse {
        server: ServerName::new(computer)?,
        unicode_server: WideServerName::new(computer)?,
        domain: WideComputerName::new(domain)?,
        version_padding: false,
        nt_version: NtVersion::V1,
    };
    Ok(Message::PrimaryResponse(response.aligned()))
}

/// The answer to a request for any controller that knows a user: this one knows none.
fn logon_response(computer: &str, domain: &str, user: &WideUserName) -> Result<Message, Failure> {
    Ok(Message::SamLogonResponse(SamLogonResponse {
        outcome: if user.as_str().is_empty() { Outcome::LogOn } else { Outcome::UserUnknown },
        logon_server: WideServerName::new(&format!(r"\\{computer}"))?,
        user: user.clone(),
        domain: WideComputerName::new(domain)?,
        directory: None,
        nt_version: NtVersion::V1,
    }))
}

/// The suffix of the name of all domain controllers (MS-ADTS 6.3.5).
const CONTROLLERS: u8 = 0x1C;
