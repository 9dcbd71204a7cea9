//! The switch: a host of the simulation through which all datagrams go.
//!
//! It is added to the simulation last, so that it runs after all others in every step of turmoil. When it runs at tick
//! *t* it has everything that was sent up to *t*, and nothing can be sent before *t* + 1: all that happens on links up to
//! then happens now, in the exact order of its times, and what reaches a host by *t* + 1 is sent off to be there at that
//! tick. So turmoil's ticks round the moments at which programs act, and nothing else.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::Rc;

use ::turmoil::Sim;
use ::turmoil::net::UdpSocket;

use super::TICK;
use super::packet::{HEADER, Packet};
use crate::drive::socket::MAX_UDP_PAYLOAD;
use crate::id::HostId;
use crate::time::{Duration, Instant};

/// Where the switch is: an address for documentation (RFC 5737), which no host has.
pub(super) const SWITCH: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 1);

/// What must be so that results are not bent.
const SETTINGS: &str = "results would be bent. turmoil's latency and fail_rate must be 0, its tick 1 ms, its hosts in order, \
    its udp_capacity greater than what is sent at one tick (drive::turmoil::builder does all that); the network must be \
    installed after all hosts; and nothing may hold or partition a host";

/// From when on the switch takes datagrams: the hosts before it run once before it does.
pub(super) const READY: Instant = Instant::from_nanos(TICK.nanos());

/// What the switch moves datagrams through.
pub(super) trait Medium: 'static {
    /// A host hands a datagram to the network.
    fn depart(&mut self, now: Instant, from: HostId, source_port: u16, packet: &Packet<'_>);

    /// All that is due up to `until` happens.
    fn advance(&mut self, until: Instant);

    /// The next of the datagrams that have reached their hosts.
    fn next_delivery(&mut self) -> Option<Delivery>;

    /// When something happens next.
    fn next_time(&self) -> Option<Instant>;
}

/// A datagram for a host's socket.
pub(super) struct Delivery {
    pub(super) to: HostId,
    pub(super) port: u16,
    pub(super) source: SocketAddrV4,
    pub(super) payload: Rc<[u8]>,
}

/// Adds the switch to a simulation. `hosts` are the names and addresses of the medium's hosts.
pub(super) fn install<M: Medium>(sim: &mut Sim<'_>, hosts: Vec<(String, Ipv4Addr)>, medium: Rc<RefCell<M>>) {
    let hosts = Rc::new(hosts);
    sim.host(*SWITCH.ip(), move || Switch::new(hosts.clone()).run(medium.clone()));
}

struct Switch {
    hosts: Rc<Vec<(String, Ipv4Addr)>>,
    by_address: BTreeMap<Ipv4Addr, HostId>,
    /// For each socket of a host the number of the next datagram from it.
    awaited: BTreeMap<SocketAddrV4, u64>,
    /// For each socket of a host the number of the next datagram to it.
    numbers: BTreeMap<(HostId, u16), u64>,
}

impl Switch {
    fn new(hosts: Rc<Vec<(String, Ipv4Addr)>>) -> Self {
        let by_address = (0..).zip(hosts.iter()).map(|(id, (_, address))| (*address, HostId(id))).collect();
        Switch { hosts, by_address, awaited: BTreeMap::new(), numbers: BTreeMap::new() }
    }

    async fn run<M: Medium>(mut self, medium: Rc<RefCell<M>>) -> ::turmoil::Result {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, SWITCH.port())).await?;
        let mut buffer = vec![0; HEADER + MAX_UDP_PAYLOAD];
        loop {
            let alarm = medium.borrow().next_time();
            tokio::select! {
                biased;
                received = socket.recv_from(&mut buffer) => {
                    let (len, from) = received?;
                    self.take(&mut *medium.borrow_mut(), from, &buffer[..len])?;
                }
                () = sleep_until(alarm) => {}
            }
            while let Ok((len, from)) = socket.try_recv_from(&mut buffer) {
                self.take(&mut *medium.borrow_mut(), from, &buffer[..len])?;
            }
            medium.borrow_mut().advance(now() + TICK);
            while let Some(delivery) = { medium.borrow_mut().next_delivery() } {
                self.hand_out(&socket, &delivery)?;
            }
        }
    }

    /// A host's socket handed over a datagram.
    fn take<M: Medium>(&mut self, medium: &mut M, from: SocketAddr, bytes: &[u8]) -> ::turmoil::Result {
        let SocketAddr::V4(from) = from else { Err("an IPv6 host is not on the network")? };
        let Some(&host) = self.by_address.get(from.ip()) else {
            Err(format!("the host at {} sends on the network, but is not one of its hosts", from.ip()))?
        };
        let name = &self.hosts[host.index()].0;
        let (packet, now) = (Packet::parse(bytes), now());
        if packet.sent != now {
            let late = now.since(packet.sent);
            Err(format!("a datagram from `{name}` took {late} to the network instead of none: {SETTINGS}"))?;
        }
        let awaited = self.awaited.entry(from).or_default();
        if packet.number > *awaited {
            let lost = packet.number - *awaited;
            Err(format!("turmoil lost {lost} datagrams between `{name}` and the network: {SETTINGS}"))?;
        }
        *awaited = packet.number + 1;
        medium.depart(now, host, from.port(), &packet);
        Ok(())
    }

    fn hand_out(&mut self, socket: &UdpSocket, delivery: &Delivery) -> ::turmoil::Result {
        let (name, address) = &self.hosts[delivery.to.index()];
        let number = self.numbers.entry((delivery.to, delivery.port)).or_default();
        let packet = Packet { number: *number, sent: now(), peer: delivery.source, payload: &delivery.payload };
        *number += 1;
        let sent = socket.try_send_to(&packet.emit(), (*address, delivery.port));
        sent.map_err(|error| format!("`{name}` is a host of the network, but not of the simulation: {error}"))?;
        Ok(())
    }
}

/// Sleeps until the last tick before something happens, or at which it happens.
async fn sleep_until(alarm: Option<Instant>) {
    match alarm {
        Some(alarm) => {
            let tick = alarm.nanos().div_ceil(TICK.nanos()) * TICK.nanos() - TICK.nanos();
            let span = Instant::from_nanos(tick).since(now());
            tokio::time::sleep(std::time::Duration::from_nanos(span.nanos())).await;
        }
        None => std::future::pending().await,
    }
}

/// The time of the simulation, on a host of it.
pub(super) fn now() -> Instant {
    try_now().expect("it is called on a host of a simulation")
}

/// The time of the simulation; `None` anywhere but on a host of it.
pub(super) fn try_now() -> Option<Instant> {
    ::turmoil::sim_elapsed().map(|elapsed| Instant::ZERO + Duration::from_nanos(elapsed.as_nanos() as u64))
}
