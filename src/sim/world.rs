//! One run: machines, links and programs, and the loop that lets things happen in order.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

use slab::Slab;

use super::delivery::{Fragment, Waiting};
use super::finder::Finder;
use super::queue::Queue;
use super::reader::ReaderProgram;
use super::sending::{Begun, Packed, Questions};
use super::traffic::Sender;
use super::transit::{Family, Flight};
use super::{ALIVE_BYTES, MAX_ALIVE_BYTES, Overload};
use crate::id::{FlowId, HostId, StreamId};
use crate::link::{self, Link};
use crate::mailslot::{ApiProfile, Config, Machine, ReassemblyKey, Receipt, WriteId};
use crate::rng::Root;
use crate::scenario::{Flow, Reader, Scenario, Target};
use crate::stats::{Bound, Event, Fate, Ledger, Observer, StreamLayout, Tally, TargetLayout};
use crate::time::Instant;
use crate::wire::{NetbiosName, Profile};

/// Everything that takes part in a run.
pub(super) struct World<'a, O> {
    pub(super) scenario: &'a Scenario,
    pub(super) root: Root,
    pub(super) now: Instant,
    pub(super) queue: Queue<Happening>,
    pub(super) machines: Vec<Machine>,
    pub(super) links: Vec<Link>,
    pub(super) streams: Vec<Stream>,
    pub(super) flights: Slab<Flight>,
    pub(super) families: Slab<Family>,
    pub(super) hosts_by_address: BTreeMap<Ipv4Addr, HostId>,
    /// For each host what its slots took and nobody has read, in the order of taking.
    pub(super) waiting: Vec<VecDeque<(Receipt, Waiting)>>,
    /// How many there are on all hosts, and how many bytes they have.
    pub(super) waiting_messages: usize,
    pub(super) waiting_bytes: usize,
    /// The fragments that wait on a host for the rest of their datagram.
    pub(super) held: BTreeMap<(HostId, ReassemblyKey), Vec<Fragment>>,
    pub(super) readers: Vec<ReaderProgram>,
    /// For each host its readers that wait for messages.
    pub(super) readers_of: Vec<Vec<u32>>,
    /// For each host its readers that look from time to time.
    pub(super) pollers_of: Vec<Vec<u32>>,
    /// For each host when it is called, if it asked for that.
    pub(super) timers: Vec<Option<Instant>>,
    ledger: Ledger,
    observer: &'a mut O,
    /// Writes that have not returned.
    pub(super) begun: BTreeMap<(HostId, WriteId), Begun>,
    /// What each machine has asked about each name.
    pub(super) questions: BTreeMap<(HostId, NetbiosName), Questions>,
    /// Packets of writes that have not been told yet, and room for the work on them.
    pub(super) outbox: Vec<Packed>,
    pub(super) bounds: Vec<Bound>,
    pub(super) packet: Vec<u8>,
}

/// What the queue holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    /// A sender writes.
    Write(StreamId),
    /// A flight comes to the end of the link that it is on.
    Arrive(u32),
    /// A reader looks, or is free again.
    Reader(u32),
    /// A machine has asked to be called.
    Timer(HostId),
}

/// One sender of one flow in a run.
pub(super) struct Stream {
    pub(super) sender: Sender,
    pub(super) key: u64,
    pub(super) targets: Vec<Audience>,
}

/// Whom the messages to one target address.
pub(super) struct Audience {
    /// The recipients, ascending, each with its position among the stream's recipients.
    recipients: Vec<(HostId, u32)>,
}

impl Audience {
    /// The position of a host among the stream's recipients, if it is in the audience.
    pub(super) fn position(&self, host: HostId) -> Option<u32> {
        let found = self.recipients.binary_search_by_key(&host, |(recipient, _)| *recipient).ok()?;
        Some(self.recipients[found].1)
    }
}

impl<'a, O: Observer> World<'a, O> {
    pub(super) fn new(scenario: &'a Scenario, root: Root, observer: &'a mut O) -> Self {
        let topology = scenario.topology();
        let finder = Finder::new(scenario);
        let machine = |(host, spec): (&crate::net::Host, &crate::scenario::Host)| {
            let config = Config {
                computer: spec.computer,
                domain: spec.domain,
                names: spec.names.clone(),
                is_name_server: spec.wins,
                scope: Default::default(),
                address: host.address,
                api: ApiProfile::default(),
                transports: spec.transports,
                fragments: spec.fragments,
                layout: spec.layout,
                limits: spec.limits,
                profile: Profile::Windows,
                datagram_errors: spec.datagram_errors,
                remote_mailslots_disabled: spec.remote_mailslots_disabled,
            };
            let mut machine = Machine::new(config, finder.mode(host));
            finder.teach(&mut machine, spec);
            machine
        };
        let machines = topology.hosts().iter().zip(&scenario.hosts).map(machine).collect();
        let link = |spec: &crate::net::LinkSpec| Link::new(spec.config, root.link(&spec.name));
        let (streams, layouts) = streams(scenario, root);
        let hosts = topology.hosts().len();
        let mut world = World {
            scenario,
            root,
            now: Instant::ZERO,
            queue: Queue::new(),
            machines,
            links: topology.links().iter().map(link).collect(),
            streams,
            flights: Slab::new(),
            families: Slab::new(),
            hosts_by_address: (0..).zip(topology.hosts()).map(|(id, host)| (host.address, HostId(id))).collect(),
            waiting: vec![VecDeque::new(); hosts],
            waiting_messages: 0,
            waiting_bytes: 0,
            held: BTreeMap::new(),
            readers: Vec::new(),
            readers_of: vec![Vec::new(); hosts],
            pollers_of: vec![Vec::new(); hosts],
            timers: vec![None; hosts],
            ledger: Ledger::new(layouts, scenario.flows.len(), hosts),
            observer,
            begun: BTreeMap::new(),
            questions: BTreeMap::new(),
            outbox: Vec::new(),
            bounds: Vec::new(),
            packet: Vec::new(),
        };
        for (number, mailslot) in (0..).zip(&scenario.mailslots) {
            let reader = ReaderProgram::new(mailslot, &mut world.machines[mailslot.host.index()]);
            world.readers.push(reader);
            match mailslot.reader {
                Reader::Wait | Reader::ServiceTime(_) => world.readers_of[mailslot.host.index()].push(number),
                Reader::Poll(_) => world.pollers_of[mailslot.host.index()].push(number),
                Reader::Never => {}
            }
        }
        world
    }

    /// Lets everything happen; returns what was counted.
    pub(super) fn run(mut self) -> Result<(Tally, Vec<link::Counters>), Overload> {
        for stream in self.streams_by_name() {
            self.schedule_write(stream);
        }
        while let Some((at, happening)) = self.queue.pop_until(self.scenario.end()) {
            self.now = at;
            match happening {
                Happening::Write(stream) => self.write(stream),
                Happening::Arrive(flight) => self.arrive(flight),
                Happening::Timer(host) => self.handle_timeout(host),
                Happening::Reader(reader) => {
                    self.readers[reader as usize].wake();
                    self.let_read(reader, None);
                }
            }
            let alive = self.flights.len() + self.waiting_messages + self.begun.len();
            if alive * ALIVE_BYTES + self.waiting_bytes > MAX_ALIVE_BYTES {
                return Err(Overload { at });
            }
        }
        self.account_for_the_rest();
        Ok((self.ledger.finish(), self.links.iter().map(|link| *link.counters()).collect()))
    }

    /// Tells ledger and observer.
    pub(super) fn tell(&mut self, event: Event<'_>) {
        self.ledger.observe(self.now, &event);
        self.observer.observe(self.now, &event);
    }

    /// All streams in the order of flow and sender: writes of the same moment happen in the order of names, not of
    /// tables.
    fn streams_by_name(&self) -> Vec<StreamId> {
        let topology = self.scenario.topology();
        let names = self.scenario.flows.iter().flat_map(|flow| {
            flow.senders.iter().map(|sender| (flow.name.as_str(), topology.host(*sender).name.as_str()))
        });
        let mut streams: Vec<_> = names.zip((0..).map(StreamId)).collect();
        streams.sort();
        streams.into_iter().map(|(_, stream)| stream).collect()
    }

    pub(super) fn schedule_write(&mut self, stream: StreamId) {
        if let Some(at) = self.streams[stream.index()].sender.next_time() {
            self.queue.push(at, Happening::Write(stream));
        }
    }

    /// Whether a host is on a transport.
    pub(super) fn is_on(&self, host: HostId, transport: u8) -> bool {
        transport < self.scenario.hosts[host.index()].transports
    }

    /// A reader goes on: it takes in the message that its waiting read got, if it did, and reads as long as there is
    /// something and it is not busy.
    pub(super) fn let_read(&mut self, reader: u32, mut got: Option<Receipt>) {
        let host = self.readers[reader as usize].host();
        loop {
            let program = &mut self.readers[reader as usize];
            let receipt = match got.take() {
                Some(receipt) => receipt,
                None => match program.read(self.now, &mut self.machines[host.index()]) {
                    Some(message) => message.receipt,
                    None => return,
                },
            };
            let busy_until = program.busy_until(self.now);
            self.account_for_read(host, receipt);
            if let Some(at) = busy_until {
                return self.queue.push(at, Happening::Reader(reader));
            }
        }
    }

    /// A program got the message with this receipt.
    fn account_for_read(&mut self, host: HostId, receipt: Receipt) {
        let waiting = &mut self.waiting[host.index()];
        let position = waiting.binary_search_by_key(&receipt, |(receipt, _)| *receipt).expect("it was waiting");
        let (_, Waiting { instance, written, damaged, bytes }) = waiting.remove(position).expect("it was found");
        self.waiting_messages -= 1;
        self.waiting_bytes -= bytes as usize;
        self.tell(Event::Read { instance, host, delay: self.now.since(written), damaged });
    }

    /// The run is over: what is on a link or in a slot stays there.
    fn account_for_the_rest(&mut self) {
        self.abort_writes();
        for Flight { cargo, hop, .. } in std::mem::take(&mut self.flights).drain() {
            self.tell(Event::Left { instance: cargo.instance, fate: Fate::InFlight, links_passed: hop });
        }
        for ((host, _), fragments) in std::mem::take(&mut self.held) {
            fragments.iter().for_each(|fragment| self.give_up(host, fragment));
        }
        for (_, waiting) in std::mem::take(&mut self.waiting).into_iter().flatten() {
            self.tell(Event::Left { instance: waiting.instance, fate: Fate::Unread, links_passed: 0 });
        }
    }
}

/// The senders of all flows, and their layout for the ledger.
fn streams(scenario: &Scenario, root: Root) -> (Vec<Stream>, Vec<StreamLayout>) {
    let each = |(flow, spec): (u32, &Flow)| -> Vec<(Stream, StreamLayout)> {
        spec.senders.iter().map(|&host| stream(scenario, root, FlowId(flow), spec, host)).collect()
    };
    (0..).zip(&scenario.flows).flat_map(each).unzip()
}

fn stream(scenario: &Scenario, root: Root, flow: FlowId, spec: &Flow, host: HostId) -> (Stream, StreamLayout) {
    let topology = scenario.topology();
    let sender = Sender::new(scenario, spec, host, root);
    let audiences: Vec<Vec<HostId>> = sender.targets().iter().map(|target| scenario.audience(host, target)).collect();
    let mut recipients: Vec<HostId> = audiences.iter().flatten().copied().collect();
    recipients.sort();
    recipients.dedup();
    let position = |host: &HostId| recipients.binary_search(host).expect("every recipient was collected") as u32;
    let unreachable = |target: &Target, recipient: &HostId| scenario.path(host, target, *recipient).is_none();
    let targets = sender.targets().iter().zip(&audiences).map(|(target, audience)| TargetLayout {
        audience: audience.iter().map(position).collect(),
        unreachable: audience.iter().filter(|recipient| unreachable(target, recipient)).map(position).collect(),
    });
    let layout = StreamLayout { flow, sender: host, recipients: recipients.len() as u32, targets: targets.collect() };
    let audience = |audience: &Vec<HostId>| Audience {
        recipients: audience.iter().map(|recipient| (*recipient, position(recipient))).collect(),
    };
    let key = root.stream_key(&spec.name, &topology.host(host).name);
    (Stream { targets: audiences.iter().map(audience).collect(), sender, key }, layout)
}
