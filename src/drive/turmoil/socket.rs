//! A UDP socket whose datagrams go through the network.

use std::io::{self, Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::turmoil::ToSocketAddrs;
use ::turmoil::net::UdpSocket as Inner;

use super::TICK;
use super::address::Address;
use super::packet::{HEADER, Packet};
use super::switch::{self, SWITCH};
use crate::drive::socket::{DatagramSocket, MAX_UDP_PAYLOAD, Ports, Sockets, ipv4};
use crate::mailslot::Service;

/// A UDP socket as tokio's, under turmoil, whose datagrams go through the [`Network`](super::Network) of the simulation.
///
/// Both ends of a conversation need one. What is sent to the loopback or to the host itself passes no link.
#[derive(Debug)]
pub struct UdpSocket {
    inner: Inner,
    may_broadcast: AtomicBool,
    peer: Mutex<Option<SocketAddrV4>>,
    /// How many datagrams went to the switch.
    sent: AtomicU64,
    /// The number of the next datagram from the switch, once one has come.
    awaited: Mutex<Option<u64>>,
}

impl UdpSocket {
    /// Binds a socket; port 0 stands for a free one. At the very start of a simulation it waits for one tick, in which
    /// the network starts.
    ///
    /// # Errors
    ///
    /// As turmoil's: the port is taken, or the address is neither 0.0.0.0, the loopback nor the host's own.
    ///
    /// # Panics
    ///
    /// Anywhere but on a host of a simulation; so do all other methods.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        if switch::now() < switch::READY {
            tokio::time::sleep(std::time::Duration::from_nanos(TICK.nanos())).await;
        }
        Ok(UdpSocket {
            inner: Inner::bind(address).await?,
            may_broadcast: AtomicBool::new(false),
            peer: Mutex::new(None),
            sent: AtomicU64::new(0),
            awaited: Mutex::new(None),
        })
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// None: the signature is tokio's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Says whether it may send broadcasts (`SO_BROADCAST`).
    ///
    /// # Errors
    ///
    /// None: the signature is tokio's.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.may_broadcast.store(on, Ordering::Relaxed);
        Ok(())
    }

    /// From now on it sends to this address, and hears nothing from others.
    ///
    /// # Errors
    ///
    /// If it is no IPv4 address.
    pub async fn connect(&self, to: impl Address) -> io::Result<()> {
        *self.peer.lock().expect(NO_PANIC) = Some(ipv4(to.resolve()?)?);
        Ok(())
    }

    /// Sends a datagram. It is always taken at once.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` for a broadcast that [`UdpSocket::set_broadcast`] has not allowed; `Unsupported` for IPv6;
    /// `InvalidInput` for more than fits a UDP datagram.
    pub async fn send_to(&self, payload: &[u8], to: impl Address) -> io::Result<usize> {
        self.try_send_to(payload, to)
    }

    /// As [`UdpSocket::send_to`].
    ///
    /// # Errors
    ///
    /// As [`UdpSocket::send_to`].
    pub fn try_send_to(&self, payload: &[u8], to: impl Address) -> io::Result<usize> {
        let to = ipv4(to.resolve()?)?;
        if payload.len() > MAX_UDP_PAYLOAD {
            let reason =
                format!("a UDP datagram holds at most {MAX_UDP_PAYLOAD} bytes, and here are {}", payload.len());
            return Err(Error::new(ErrorKind::InvalidInput, reason));
        }
        if to.ip().is_loopback() {
            return self.inner.try_send_to(payload, to);
        }
        if to.ip().is_broadcast() && !self.may_broadcast.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::PermissionDenied, "broadcast is not enabled: set_broadcast(true)"));
        }
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let packet = Packet { number, sent: switch::now(), peer: to, payload };
        self.inner.try_send_to(&packet.emit(), SWITCH)?;
        Ok(payload.len())
    }

    /// Sends a datagram to the address of [`UdpSocket::connect`].
    ///
    /// # Errors
    ///
    /// `NotConnected`, and as [`UdpSocket::send_to`].
    pub async fn send(&self, payload: &[u8]) -> io::Result<usize> {
        let peer = *self.peer.lock().expect(NO_PANIC);
        self.try_send_to(payload, peer.ok_or(ErrorKind::NotConnected)?)
    }

    /// Waits for a datagram; what does not fit the buffer is cut off. No datagram is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// If turmoil has dropped datagrams that were for this socket before this one: more than
    /// [`UDP_CAPACITY`](super::UDP_CAPACITY) waited here, or the simulation has a smaller `udp_capacity`.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let mut bytes = vec![0; HEADER + buffer.len()];
        loop {
            let (len, from) = self.inner.recv_from(&mut bytes).await?;
            if let Some(received) = self.open(&bytes[..len], from, buffer)? {
                return Ok(received);
            }
        }
    }

    /// Takes a datagram if one is there.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if none is, and as [`UdpSocket::recv_from`].
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let mut bytes = vec![0; HEADER + buffer.len()];
        loop {
            let (len, from) = self.inner.try_recv_from(&mut bytes)?;
            if let Some(received) = self.open(&bytes[..len], from, buffer)? {
                return Ok(received);
            }
        }
    }

    /// As [`UdpSocket::recv_from`], without saying where the datagram is from.
    ///
    /// # Errors
    ///
    /// As [`UdpSocket::recv_from`].
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buffer).await.map(|(len, _)| len)
    }

    /// What came out of turmoil, as the program sees it; nothing if the socket is connected to another.
    fn open(&self, bytes: &[u8], from: SocketAddr, buffer: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
        let (from, payload) = if from == SocketAddr::from(SWITCH) {
            let packet = Packet::parse(bytes);
            if switch::now() < packet.sent + TICK {
                return Err(Error::other(
                    "a datagram came sooner than a tick after it was sent: turmoil's tick must be 1 ms",
                ));
            }
            let mut awaited = self.awaited.lock().expect(NO_PANIC);
            let lost = awaited.map_or(0, |awaited| packet.number - awaited);
            *awaited = Some(packet.number + 1);
            if lost > 0 {
                let reason = "turmoil dropped them: the socket's queue was full (udp_capacity)";
                return Err(Error::other(format!("{lost} datagrams that had reached this socket are lost: {reason}")));
            }
            (SocketAddr::V4(packet.peer), packet.payload)
        } else {
            (from, bytes)
        };
        let peer = *self.peer.lock().expect(NO_PANIC);
        if peer.is_some_and(|peer| SocketAddr::V4(peer) != from) {
            return Ok(None);
        }
        let len = payload.len().min(buffer.len());
        buffer[..len].copy_from_slice(&payload[..len]);
        Ok(Some((len, from)))
    }
}

impl DatagramSocket for UdpSocket {
    fn try_send_to(&self, packet: &[u8], to: SocketAddrV4) -> io::Result<()> {
        self.try_send_to(packet, to).map(drop)
    }

    async fn writable(&self) -> io::Result<()> {
        Ok(())
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddrV4)> {
        let (len, from) = self.recv_from(buffer).await?;
        Ok((len, ipv4(from)?))
    }
}

impl DatagramSocket for Inner {
    fn try_send_to(&self, packet: &[u8], to: SocketAddrV4) -> io::Result<()> {
        self.try_send_to(packet, to).map(drop)
    }

    async fn writable(&self) -> io::Result<()> {
        self.writable().await
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddrV4)> {
        let (len, from) = self.recv_from(buffer).await?;
        Ok((len, ipv4(from)?))
    }
}

impl Sockets<UdpSocket> {
    /// The sockets of a host under turmoil, at ports 138 and 137 of this host of the simulation, through the network.
    /// `address` is the host's: `turmoil::lookup` of its name.
    ///
    /// # Errors
    ///
    /// If one of the ports is taken.
    pub async fn bind_simulated(address: Ipv4Addr) -> io::Result<Self> {
        let bind = async |service: Service| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, service.port())).await?;
            socket.set_broadcast(true).map(|()| socket)
        };
        // The network gives nobody its own broadcasts.
        let own_ports = Ports { datagram: 0, ..Ports::WELL_KNOWN };
        Ok(simulated(address, own_ports, bind(Service::Datagram).await?, bind(Service::Name).await?))
    }
}

impl Sockets<Inner> {
    /// The sockets of a host under turmoil, at ports 138 and 137 of this host of the simulation, on turmoil's own network:
    /// all hosts are on one segment. `address` is the host's.
    ///
    /// # Errors
    ///
    /// If one of the ports is taken.
    pub async fn bind_plain(address: Ipv4Addr) -> io::Result<Self> {
        let bind = async |service: Service| {
            let socket = Inner::bind((Ipv4Addr::UNSPECIFIED, service.port())).await?;
            socket.set_broadcast(true).map(|()| socket)
        };
        Ok(simulated(address, Ports::WELL_KNOWN, bind(Service::Datagram).await?, bind(Service::Name).await?))
    }
}

fn simulated<S>(address: Ipv4Addr, own_ports: Ports, datagram: S, name: S) -> Sockets<S> {
    Sockets {
        datagram,
        name: Some(name),
        listeners: Vec::new(),
        broadcast: Ipv4Addr::BROADCAST,
        ports: Ports::WELL_KNOWN,
        address,
        own_ports,
    }
}

const NO_PANIC: &str = "nothing panics while it is held";
