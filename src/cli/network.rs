//! What `listen` and `send` have in common: this computer on a real network.

use std::net::Ipv4Addr;

use mailslot_sim::drive::{BindError, Host, Interface, Ports, Sockets, Watch};
use mailslot_sim::mailslot::{Config, Machine};
use mailslot_sim::names::Mode;
use mailslot_sim::scenario::parse_time;
use tokio::net::UdpSocket;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::Exit;
use super::output::message;

/// How this computer is on the network.
#[derive(clap::Args)]
pub(super) struct Network {
    /// The address of this computer whose network to use; by default the only one that it has.
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<Ipv4Addr>,
    /// UDP port of the datagram service, here and at the others; the name service is one below.
    #[arg(long, value_name = "PORT", default_value_t = Ports::WELL_KNOWN.datagram, value_parser = clap::value_parser!(u16).range(2..))]
    port: u16,
    /// The network's broadcast address, instead of the one that its mask gives.
    #[arg(long, value_name = "ADDRESS")]
    broadcast: Option<Ipv4Addr>,
    /// NetBIOS name of this computer; by default its host name.
    #[arg(long, value_name = "NAME", value_parser = read_name)]
    name: Option<String>,
    /// Domain or workgroup of this computer.
    #[arg(long, value_name = "NAME", value_parser = read_name, default_value = "WORKGROUP")]
    domain: String,
}

impl Network {
    /// This computer as a machine, and where it is attached.
    pub(super) fn machine(&self) -> Result<(Machine, Interface, Ports), Exit> {
        let mut interface = Interface::find(self.bind).map_err(|error| {
            let option = if self.bind.is_none() { " (--bind)" } else { "" };
            network_failed(&format!("{error}{option}"))
        })?;
        interface.broadcast = self.broadcast.unwrap_or(interface.broadcast);
        let ports = Ports { datagram: self.port, name: self.port - 1 };
        let name = match &self.name {
            Some(name) => name.clone(),
            None => host_name()?,
        };
        if name.eq_ignore_ascii_case(&self.domain) {
            message(&format!("error: a computer and its domain need different names, and both are `{name}`"));
            return Err(Exit::BadCommandLine);
        }
        let config = Config::new(&name, &self.domain, interface.address).expect("names are checked as they are read");
        Ok((Machine::new(config, Mode::Broadcast), interface, ports))
    }

    /// What tells people who is where.
    pub(super) fn describe(machine: &Machine, interface: Interface, ports: Ports) -> String {
        let Config { computer, domain, .. } = machine.config();
        let [computer, domain] = [computer, domain].map(|name| name.to_string());
        let bare = |name: &str| name.split('<').next().unwrap_or_default().to_owned();
        format!(
            "{} in {} at {}, broadcast {}, UDP {} and {}",
            bare(&computer),
            bare(&domain),
            interface.address,
            interface.broadcast,
            ports.datagram,
            ports.name
        )
    }
}

/// Puts a machine on the network.
pub(super) fn host(
    machine: Machine,
    sockets: Result<Sockets<UdpSocket>, BindError>,
    watch: impl Watch,
) -> Result<Host<UdpSocket>, Exit> {
    let sockets = sockets.map_err(|error| network_failed(&error.to_string()))?;
    Ok(Host::watched(machine, sockets, watch))
}

/// What runs the host.
pub(super) fn runtime() -> Result<Runtime, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| network_failed(&error.to_string()))
}

/// Sleeps until a moment, if there is one.
pub(super) async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Says what the network, or the engine on it, refused.
pub(super) fn network_failed(what: &str) -> Exit {
    message(&format!("error: {what}"));
    Exit::NetworkFailed
}

/// Reads a duration for the command line.
pub(super) fn read_duration(text: &str) -> Result<std::time::Duration, String> {
    parse_time(text).map(|time| std::time::Duration::from_nanos(time.nanos()))
}

fn read_name(text: &str) -> Result<String, String> {
    Config::new(text, "WORKGROUP", Ipv4Addr::LOCALHOST).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// The NetBIOS name that Windows makes of a host name: the first label, upper case, cut to 15 characters.
fn host_name() -> Result<String, Exit> {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let label: String = host.split('.').next().unwrap_or_default().chars().take(MAX_NAME).collect();
    read_name(&label.to_uppercase()).map_err(|error| {
        message(&format!("error: the host name `{host}` makes no NetBIOS name: {error}; give one with --name"));
        Exit::BadCommandLine
    })
}

/// Characters of a NetBIOS name, less the suffix.
const MAX_NAME: usize = 15;
