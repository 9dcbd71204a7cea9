//! The sockets that a host stands on: what it needs of one, and which ones it has.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use crate::mailslot::{Destination, Service};

/// A UDP socket, as much of it as a host needs.
///
/// Implemented for tokio's, and with the feature `turmoil` for turmoil's and for the impaired one of
/// [`drive::turmoil`](super::turmoil).
pub trait DatagramSocket: Send + Sync + 'static {
    /// Sends a datagram now.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if the socket cannot take it now, and whatever else the network says.
    fn try_send_to(&self, packet: &[u8], to: SocketAddrV4) -> io::Result<()>;

    /// Waits until [`DatagramSocket::try_send_to`] is worth trying.
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Waits for a datagram; says its length and where it is from. No datagram is lost if the future is dropped.
    fn recv_from(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<(usize, SocketAddrV4)>> + Send;
}

impl DatagramSocket for tokio::net::UdpSocket {
    fn try_send_to(&self, packet: &[u8], to: SocketAddrV4) -> io::Result<()> {
        self.try_send_to(packet, to.into()).map(drop)
    }

    async fn writable(&self) -> io::Result<()> {
        self.writable().await
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddrV4)> {
        let (len, from) = self.recv_from(buffer).await?;
        Ok((len, ipv4(from)?))
    }
}

/// The longest payload of a UDP datagram.
pub(super) const MAX_UDP_PAYLOAD: usize = 65_507;

/// NetBIOS over UDP knows IPv4 only.
pub(super) fn ipv4(address: SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "an IPv6 address where IPv4 is needed")),
    }
}

/// The sockets of one host.
#[derive(Debug)]
pub struct Sockets<S> {
    /// The socket of the datagram service: it sends, and hears what comes to its address.
    pub datagram: S,
    /// The socket of the name service. Without it the host neither finds names nor answers for its own: its engine
    /// should know all names beforehand ([`Directory`](crate::mailslot::Directory)).
    pub name: Option<S>,
    /// Further sockets that only hear: those bound to the broadcast address, where the others do not hear broadcasts.
    pub listeners: Vec<(Service, S)>,
    /// The broadcast address of the host's network.
    pub broadcast: Ipv4Addr,
    /// The ports at which the other hosts of the network have their services.
    pub ports: Ports,
    /// The host's address.
    pub address: Ipv4Addr,
    /// The ports that the host itself sends from. What is heard from there is its own broadcast, and ignored.
    pub own_ports: Ports,
}

impl<S: DatagramSocket> Sockets<S> {
    /// The socket that a service sends by.
    pub(super) fn of(&self, service: Service) -> Option<&S> {
        match service {
            Service::Datagram => Some(&self.datagram),
            Service::Name => self.name.as_ref(),
        }
    }

    /// Whether a datagram is one of the host's own broadcasts.
    pub(super) fn is_own(&self, from: SocketAddrV4) -> bool {
        from == SocketAddrV4::new(self.address, self.own_ports.datagram)
    }

    /// Where a packet of a service really goes: the engine knows the well-known ports only.
    pub(super) fn resolve(&self, service: Service, destination: Destination) -> SocketAddrV4 {
        let port = self.ports.of(service);
        match destination {
            Destination::Broadcast => SocketAddrV4::new(self.broadcast, port),
            Destination::Unicast(to) if to.port() == service.port() => SocketAddrV4::new(*to.ip(), port),
            Destination::Unicast(to) => to,
        }
    }
}

/// The ports of the two services.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ports {
    /// Of the datagram service.
    pub datagram: u16,
    /// Of the name service.
    pub name: u16,
}

impl Ports {
    /// 138 and 137.
    pub const WELL_KNOWN: Ports = Ports { datagram: Service::Datagram.port(), name: Service::Name.port() };

    /// The port of a service.
    #[must_use]
    pub const fn of(self, service: Service) -> u16 {
        match service {
            Service::Datagram => self.datagram,
            Service::Name => self.name,
        }
    }
}
