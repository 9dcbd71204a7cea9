//! Machines with a name service each, on a network without delay in virtual time. Every packet passes as bytes.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use mailslot_sim::names::{Config, Destination, Event, Lookup, Mode, NameKind, NameService};
use mailslot_sim::time::{Duration, Instant};
use mailslot_sim::wire::nbns::{self, ErrorCode, Message, Packet, Repr};
use mailslot_sim::wire::{NetbiosName, Profile, Scope};

/// A host's place in the network: `A` is 0.
pub(crate) type Host = usize;

/// Hosts on segments. A broadcast reaches all of its segment, the sender too; routers carry the rest.
#[derive(Debug)]
pub(crate) struct Lan {
    pub(crate) hosts: Vec<NameService>,
    segments: Vec<u8>,
    now: Instant,
    /// What was sent, one line each: when, from whom, to whom (`*` is a broadcast), what.
    pub(crate) trace: Vec<String>,
    /// What was sent and whom it reached.
    pub(crate) sent: Vec<(Host, Repr, Vec<Host>)>,
    /// When, in milliseconds, which host heard of what.
    pub(crate) events: Vec<(u64, Host, Event)>,
    /// Copies that are lost, by position in the trace and recipient.
    pub(crate) lost: BTreeSet<(usize, Host)>,
    /// What is not lost all the same.
    pub(crate) spared: fn(&Message) -> bool,
}

impl Default for Lan {
    fn default() -> Self {
        Lan {
            hosts: Vec::new(),
            segments: Vec::new(),
            now: Instant::ZERO,
            trace: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            lost: BTreeSet::new(),
            spared: |_| false,
        }
    }
}

impl Lan {
    /// Hosts of one segment that ask by broadcast; each bears the names in its list.
    pub(crate) fn broadcast(names: &[&[(&str, NameKind)]]) -> Self {
        let mut lan = Lan::default();
        for names in names {
            lan.add(0, Mode::Broadcast, false, names);
        }
        lan
    }

    pub(crate) fn add(&mut self, segment: u8, mode: Mode, is_server: bool, names: &[(&str, NameKind)]) {
        let config = Config { address: address(self.hosts.len()), scope: Scope::default(), mode, is_server };
        self.segments.push(segment);
        self.hosts.push(NameService::new(config, names.iter().map(|(text, kind)| (name(text), *kind))));
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now.since(Instant::ZERO).nanos() / 1_000_000
    }

    pub(crate) fn lookup(&mut self, host: Host, text: &str) -> Lookup {
        let lookup = self.hosts[host].lookup(self.now, &name(text));
        self.settle();
        lookup
    }

    pub(crate) fn register(&mut self, host: Host, text: &str, kind: NameKind) {
        self.hosts[host].register(self.now, name(text), kind);
        self.settle();
    }

    pub(crate) fn release(&mut self, host: Host, text: &str) {
        self.hosts[host].release(self.now, name(text));
        self.settle();
    }

    /// All copies of these packets, counted from the first ever sent, are lost.
    pub(crate) fn lose(&mut self, packets: impl IntoIterator<Item = usize>) {
        let hosts = self.hosts.len();
        self.lost.extend(packets.into_iter().flat_map(|packet| (0..hosts).map(move |host| (packet, host))));
    }

    /// Lets time pass until so many milliseconds after the start, and everything happen that is due by then.
    pub(crate) fn run_until(&mut self, millis: u64) {
        let end = at(millis);
        while let Some(next) = self.hosts.iter().filter_map(NameService::poll_timeout).min()
            && next <= end
        {
            self.now = next;
            for host in 0..self.hosts.len() {
                self.hosts[host].handle_timeout(next);
            }
            self.settle();
        }
        self.now = end;
    }

    /// Hands over every packet that waits, and collects the events.
    fn settle(&mut self) {
        let mut packet = Vec::new();
        while let Some((from, to)) =
            (0..self.hosts.len()).find_map(|host| Some((host, self.hosts[host].poll_transmit(&mut packet)?)))
        {
            let number = self.sent.len();
            let repr = Packet::new(&packet).and_then(|view| Repr::parse(&view, Profile::Strict)).unwrap();
            let reached: Vec<Host> = (0..self.hosts.len())
                .filter(|host| match to {
                    Destination::Broadcast => self.segments[*host] == self.segments[from],
                    Destination::Unicast(to) => address(*host) == *to.ip() && to.port() == nbns::PORT,
                })
                .filter(|host| (self.spared)(&repr.message) || !self.lost.contains(&(number, *host)))
                .collect();
            self.trace.push(line(self.now_ms(), from, to, &repr.message));
            let source = SocketAddrV4::new(address(from), nbns::PORT);
            for host in &reached {
                self.hosts[*host].handle_packet(self.now, source, &packet);
            }
            self.sent.push((from, repr, reached));
        }
        for host in 0..self.hosts.len() {
            while let Some(event) = self.hosts[host].poll_event() {
                self.events.push((self.now_ms(), host, event));
            }
        }
    }
}

fn line(millis: u64, from: Host, to: Destination, message: &Message) -> String {
    let letter = |host: Host| char::from(b'A' + u8::try_from(host).unwrap());
    let to = match to {
        Destination::Broadcast => '*',
        Destination::Unicast(to) => letter(usize::from(to.ip().octets()[3]) - 1),
    };
    let what = match message {
        Message::Query { .. } => "query",
        Message::Found { .. } => "found",
        Message::NotFound { .. } => "not found",
        Message::Register { .. } => "register",
        Message::Overwrite { .. } => "overwrite",
        Message::Registered { .. } => "registered",
        Message::Refused { code: ErrorCode::Conflict, .. } => "conflict",
        Message::Refused { .. } => "refused",
        Message::Release { .. } => "release",
        Message::Released { .. } => "released",
        Message::NotReleased { .. } => "not released",
        Message::Challenge { .. } | Message::Wait { .. } => panic!("no service here sends {message:?}"),
    };
    format!("{millis} {}>{to} {what}", letter(from))
}

pub(crate) fn address(host: Host) -> Ipv4Addr {
    [10, 0, 0, u8::try_from(host).unwrap() + 1].into()
}

pub(crate) fn name(text: &str) -> NetbiosName {
    text.parse().unwrap()
}

pub(crate) fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}
