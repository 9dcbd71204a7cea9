//! Real UDP sockets for a host.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::UdpSocket;

use super::socket::{Ports, Sockets};
use crate::mailslot::Service;

/// An attachment to an IPv4 network: an address of this machine, and how all of that network are addressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interface {
    /// The address.
    pub address: Ipv4Addr,
    /// The broadcast address.
    pub broadcast: Ipv4Addr,
}

impl Interface {
    /// The attachment with this address, or the only one that is not the loopback.
    ///
    /// # Errors
    ///
    /// If no network of this machine has the address; without an address, if there is no network or more than one.
    pub fn find(address: Option<Ipv4Addr>) -> Result<Self, InterfaceError> {
        let all: Vec<_> =
            if_addrs::get_if_addrs().map_err(InterfaceError::Unknown)?.iter().filter_map(network).collect();
        let known = |all: &[Network]| Known(all.iter().map(|network| network.address).collect());
        match address {
            Some(address) => {
                let on = all.iter().find(|network| network.address == address).or_else(|| {
                    // every address of 127.0.0.0/8 is this machine's
                    all.iter().find(|network| network.address.is_loopback() && network.contains(address))
                });
                let on = on.ok_or_else(|| InterfaceError::NotHere { address, known: known(&all) })?;
                Ok(Interface { address, broadcast: on.broadcast })
            }
            None => {
                let real: Vec<_> = all.into_iter().filter(|network| !network.address.is_loopback()).collect();
                match real[..] {
                    [] => Err(InterfaceError::None),
                    [network] => Ok(Interface { address: network.address, broadcast: network.broadcast }),
                    _ => Err(InterfaceError::Several { known: known(&real) }),
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Network {
    address: Ipv4Addr,
    mask: Ipv4Addr,
    broadcast: Ipv4Addr,
}

impl Network {
    fn contains(&self, address: Ipv4Addr) -> bool {
        (self.address & self.mask) == (address & self.mask)
    }
}

fn network(interface: &if_addrs::Interface) -> Option<Network> {
    let if_addrs::IfAddr::V4(v4) = &interface.addr else { return None };
    Some(Network { address: v4.ip, mask: v4.netmask, broadcast: v4.broadcast.unwrap_or(v4.ip | !v4.netmask) })
}

/// Why there is no such attachment.
#[derive(Debug, Error)]
pub enum InterfaceError {
    /// The machine has no such address.
    #[error("{address} is no address of this machine: it has {known}")]
    NotHere {
        /// The address.
        address: Ipv4Addr,
        /// Those that it has.
        known: Known,
    },
    /// The machine is on several networks.
    #[error("this machine is on several networks: choose one of its addresses, {known}")]
    Several {
        /// Its addresses.
        known: Known,
    },
    /// The machine is on no IPv4 network.
    #[error("this machine is on no IPv4 network but the loopback: choose an address like 127.0.0.1 to use that")]
    None,
    /// The system does not tell.
    #[error("the networks of this machine are not to be found out: {0}")]
    Unknown(#[source] io::Error),
}

/// The addresses of a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known(Vec<Ipv4Addr>);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(Ipv4Addr::to_string).collect();
        f.write_str(&words.join(", "))
    }
}

/// A socket could not be had.
#[derive(Debug, Error)]
#[error("failed to bind UDP {address}: {error}{}", hint(error))]
pub struct BindError {
    /// Where it was to be bound.
    pub address: SocketAddrV4,
    /// What the system said.
    #[source]
    pub error: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need privileges: run as root, give the program the capability CAP_NET_BIND_SERVICE, or use \
             another port"
        }
        io::ErrorKind::AddrInUse => {
            "; another program is there (Samba's nmbd?): stop it, or use another port or address"
        }
        io::ErrorKind::AddrNotAvailable => "; it is no address of this machine",
        _ => "",
    }
}

impl Sockets<UdpSocket> {
    /// The sockets of a host that hears all that is for it: two at its own address, and two at the broadcast address,
    /// which hosts of the same machine share.
    ///
    /// # Errors
    ///
    /// If one of them is not to be had.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with IO.
    pub fn bind(on: Interface, ports: Ports) -> Result<Self, BindError> {
        let mut sockets = Sockets::bind_from(on, ports, ports)?;
        for service in [Service::Datagram, Service::Name] {
            // Windows gives broadcasts to the sockets of the address, and lets nobody bind to the broadcast address.
            if !cfg!(windows) && on.broadcast != on.address {
                let listener = udp(SocketAddrV4::new(on.broadcast, ports.of(service)), Share::Yes)?;
                sockets.listeners.push((service, listener));
            }
        }
        Ok(sockets)
    }

    /// The sockets of a host that only sends and looks names up, from ports that the system chooses: it needs no
    /// privileges, and others may have the well-known ports.
    ///
    /// # Errors
    ///
    /// As [`Sockets::bind`].
    ///
    /// # Panics
    ///
    /// As [`Sockets::bind`].
    pub fn bind_sender(on: Interface, ports: Ports) -> Result<Self, BindError> {
        Sockets::bind_from(on, Ports { datagram: 0, name: 0 }, ports)
    }

    fn bind_from(on: Interface, own: Ports, ports: Ports) -> Result<Self, BindError> {
        let bind = |port| {
            let address = SocketAddrV4::new(on.address, port);
            let socket = udp(address, Share::No)?;
            let port = socket.local_addr().map_err(|error| BindError { address, error })?.port();
            Ok((socket, port))
        };
        let (datagram, datagram_port) = bind(own.datagram)?;
        let (name, name_port) = bind(own.name)?;
        Ok(Sockets {
            datagram,
            name: Some(name),
            listeners: Vec::new(),
            broadcast: on.broadcast,
            ports,
            address: on.address,
            own_ports: Ports { datagram: datagram_port, name: name_port },
        })
    }
}

/// Whether several sockets may be bound to the same address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    Yes,
    No,
}

fn udp(address: SocketAddrV4, share: Share) -> Result<UdpSocket, BindError> {
    let bind = || {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_broadcast(true)?;
        socket.set_reuse_address(share == Share::Yes)?;
        // The more fits the queue, the less is lost on this machine; the system may allow less.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        socket.bind(&address.into())?;
        UdpSocket::from_std(socket.into())
    };
    bind().map_err(|error| BindError { address, error })
}

/// Bytes that a socket's queue of received datagrams is asked to hold.
const RECEIVE_BUFFER: usize = 4 << 20;
