//! The two engines, driven by the operations that the model has worked out, and asked for what it says of them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use mailslot_sim::mailslot::{
    Access, Account, ApiProfile, Config, CreateOptions, Destination, Directory, Discard, Disposition, Event, Handle,
    Limits, Machine, MailslotInfo, Message, OpenOptions, Owner, ProcessId, Read, ReadId, ReassemblyKey, Win32Error,
    Write,
};
use mailslot_sim::time::Instant;

use crate::operation::{Act, Bits, Call, Label, Operation};
use crate::world::{
    Expected, FIRST_PROCESS, Fate, INVALID_HANDLE, Info, Letter, Outcome, Sent, World, address, message,
};

pub(crate) struct Engines {
    now: Instant,
    hosts: [Host; 2],
    /// What the network carries, as the model names it.
    flying: BTreeMap<Label, Packet>,
    datagrams: BTreeMap<ReassemblyKey, Label>,
}

struct Host {
    machine: Machine,
    handles: BTreeMap<Label, Handle>,
    processes: BTreeMap<Label, ProcessId>,
    reads: BTreeMap<ReadId, Label>,
}

struct Packet {
    from: usize,
    bytes: Vec<u8>,
}

impl Engines {
    pub(crate) fn new(world: &World) -> Self {
        let owners = [
            ("A<00>", Owner::Unique(Ipv4Addr::from(ip(1)))),
            ("B<00>", Owner::Unique(ip(2).into())),
            ("C<00>", Owner::Unique(ip(3).into())),
            ("WORKGROUP<00>", Owner::Group),
            ("OTHER<00>", Owner::Group),
        ];
        let directory: Directory = owners.map(|(name, owner)| (name.parse().unwrap(), owner)).into_iter().collect();
        let directory = Arc::new(directory);
        let hosts = [("A", 0), ("B", 1)].map(|(name, machine)| {
            let setup = world.setup.hosts[machine];
            let mut config = Config::new(name, "WORKGROUP", ip(address(machine)).into()).unwrap();
            config.api = if world.setup.xp { ApiProfile::Xp } else { ApiProfile::Vista };
            config.fragments = setup.fragments;
            config.limits = Limits { api_424: setup.api_424, hole_425_426: setup.hole };
            config.datagram_errors = setup.datagram_errors;
            Host {
                machine: Machine::new(config, directory.clone()),
                handles: BTreeMap::new(),
                processes: BTreeMap::from([(FIRST_PROCESS, ProcessId::default())]),
                reads: BTreeMap::new(),
            }
        });
        Engines { now: Instant::ZERO, hosts, flying: BTreeMap::new(), datagrams: BTreeMap::new() }
    }

    /// Does an operation; `world` is the model after it.
    pub(crate) fn apply(&mut self, world: &World, operation: &Operation) {
        self.now = Instant::from_nanos(world.now);
        let outcome = match operation.act {
            Act::Call(machine, ref call) => self.hosts[machine]
                .call(self.now, operation.number, call)
                .unwrap_or_else(|error| Outcome::Failed(error.code())),
            Act::Advance(_) => {
                for host in &mut self.hosts {
                    host.machine.handle_timeout(self.now);
                    assert!(host.machine.poll_timeout().is_none_or(|next| next > self.now), "it was told the time");
                }
                Outcome::Done
            }
            Act::Lose { packet } => {
                self.flying.remove(&packet).expect("the model knows it too");
                Outcome::Done
            }
            Act::Deliver { packet, to, again } => {
                let Packet { from, bytes } = &self.flying[&packet];
                let from = SocketAddrV4::new(ip(address(*from)).into(), 138);
                let fate = fate(self.hosts[to].machine.handle_datagram(self.now, from, bytes));
                if !again {
                    self.flying.remove(&packet);
                }
                Outcome::Received(fate)
            }
        };
        let found = self.collect(outcome, &world.expected.sent);
        assert_eq!(found, world.expected, "engine and model after {operation:?}");
    }

    /// The outcome of an operation with everything that followed from it. Packets get the names that the model gave them.
    fn collect(&mut self, outcome: Outcome, expected: &[Sent]) -> Expected {
        let mut found = Expected { outcome, ..Expected::default() };
        let mut labels = expected.iter();
        for (machine, host) in self.hosts.iter_mut().enumerate() {
            let mut bytes = Vec::new();
            while let Some(transmit) = host.machine.poll_transmit(&mut bytes) {
                let packet = labels.next().expect("a packet more than expected").packet;
                let to = match transmit.destination {
                    Destination::Broadcast => None,
                    Destination::Unicast(to) => {
                        assert_eq!((to.port(), &to.ip().octets()[..3]), (138, &ip(0)[..3]));
                        Some(to.ip().octets()[3])
                    }
                };
                found.sent.push(Sent { packet, to, transport: transmit.transport, part: transmit.fragment });
                if matches!(bytes[0], 0x10 | 0x11) {
                    let id = u16::from_be_bytes([bytes[2], bytes[3]]);
                    let key = ReassemblyKey { source_ip: ip(address(machine)).into(), id };
                    self.datagrams.insert(key, (packet.0, packet.1 - u32::from(transmit.fragment)));
                }
                self.flying.insert(packet, Packet { from: machine, bytes: std::mem::take(&mut bytes) });
            }
            while let Some(event) = host.machine.poll_event() {
                match event {
                    Event::ReadDone { id, result } => {
                        found.ended[machine].push((host.reads[&id], result.map(letter).map_err(Win32Error::code)));
                    }
                    Event::SlotClosed { unread } => found.deleted[machine] += unread.len(),
                    Event::ReassemblyDone { key, complete } => {
                        found.assembled[machine].push((self.datagrams[&key], complete));
                    }
                    other => panic!("names are known, and nobody asks for more: {other:?}"),
                }
            }
        }
        found
    }

    /// What must hold at any time.
    pub(crate) fn check(&self, world: &World) {
        for (number, host) in self.hosts.iter().enumerate() {
            assert_eq!(host.machine.poll_timeout().map(Instant::nanos), world.timeout(number), "the next timeout");
            for (label, model) in &world.hosts[number].handles {
                let found = host.machine.info(host.handles[label]).map(info).map_err(Win32Error::code);
                assert_eq!(found, world.info(number, *label), "handle {label:?} of machine {number}");
                assert!(model.open || found == Err(INVALID_HANDLE));
            }
            for slot in world.hosts[number].slots.values() {
                assert!(slot.options.limit.is_none_or(|limit| slot.queue.len() <= limit as usize));
            }
        }
    }

    /// Reads what still waits in the queues: whole messages, in their order, and nothing else.
    pub(crate) fn drain(mut self, world: &World) {
        for (host, model) in self.hosts.iter_mut().zip(&world.hosts) {
            for (label, slot) in &model.slots {
                let open = |(_, handle): &(&Label, &crate::world::Handle)| handle.open && handle.object == *label;
                let (server, _) = model.handles.iter().find(open).expect("a slot has a server handle");
                for expected in &slot.queue {
                    let read = host.machine.read(self.now, host.handles[server], usize::MAX);
                    let Ok(Read::Done(found)) = read else { panic!("a message is missing: {read:?}") };
                    assert_eq!(letter(found), *expected);
                }
                assert_eq!(host.machine.info(host.handles[server]).unwrap().message_count, 0);
            }
        }
    }
}

impl Host {
    fn call(&mut self, now: Instant, number: u32, call: &Call) -> Result<Outcome, Win32Error> {
        let label = (number, 0);
        let machine = &mut self.machine;
        let made = match *call {
            Call::Create { path, slot, process, inheritable } => machine.create_mailslot(
                &path.text(),
                CreateOptions {
                    max_message_size: slot.max,
                    read_timeout_ms: slot.timeout_ms,
                    queue_limit: slot.limit,
                    writers: slot.writers.map(Account),
                    process: self.processes[&process],
                    inheritable,
                },
            )?,
            Call::Open { path, access: wanted, share, process, inheritable } => {
                let process = self.processes[&process];
                let options = OpenOptions { access: access(wanted), share: access(share), process, inheritable };
                machine.open(&path.text(), options)?
            }
            Call::Duplicate { handle } => machine.duplicate(self.handles[&handle])?,
            Call::DuplicateInto { handle, process, inheritable } => {
                machine.duplicate_into(self.handles[&handle], self.processes[&process], inheritable)?
            }
            _ => return self.use_handle(now, number, call),
        };
        self.handles.insert(label, made);
        Ok(Outcome::Done)
    }

    /// The calls that do not make one handle.
    fn use_handle(&mut self, now: Instant, number: u32, call: &Call) -> Result<Outcome, Win32Error> {
        let machine = &mut self.machine;
        match *call {
            Call::Write { handle, size } => {
                let Write::Done(written) = machine.write(now, self.handles[&handle], &message(number, size))? else {
                    panic!("names are known, so a write returns at once");
                };
                return Ok(Outcome::Wrote { bytes: written.bytes as usize, own: written.own_copy.map(fate) });
            }
            Call::Read { handle, buffer } => match machine.read(now, self.handles[&handle], buffer)? {
                Read::Done(message) => return Ok(Outcome::Message(letter(message))),
                Read::Pending(id) => {
                    self.reads.insert(id, (number, 0));
                    return Ok(Outcome::Pending);
                }
            },
            Call::Cancel { handle } => machine.cancel(self.handles[&handle])?,
            Call::CancelRead { read } => {
                let (id, _) = self.reads.iter().find(|(_, label)| **label == read).expect("the model knows it too");
                machine.cancel_read(*id);
            }
            Call::Info { handle } => return machine.info(self.handles[&handle]).map(info).map(Outcome::Info),
            Call::SetReadTimeout { handle, millis } => machine.set_read_timeout(self.handles[&handle], millis)?,
            Call::SetInheritable { handle, inheritable } => {
                machine.set_inheritable(self.handles[&handle], inheritable)?;
            }
            Call::Close { handle } => machine.close(self.handles[&handle])?,
            Call::CreateProcess { parent, account, inherit } => {
                let parent = self.processes[&parent];
                let (process, inherited) = machine.create_process(parent, Account(account), inherit)?;
                self.processes.insert((number, 0), process);
                let mut pairs = Vec::new();
                for (position, (parents, childs)) in (1..).zip(inherited) {
                    let of = |(_, handle): &(&Label, &Handle)| **handle == parents;
                    let (original, _) = self.handles.iter().find(of).expect("the parent's handle is known");
                    pairs.push((*original, (number, position)));
                    self.handles.insert((number, position), childs);
                }
                return Ok(Outcome::Child(pairs));
            }
            Call::ExitProcess { process } => machine.exit_process(self.processes[&process])?,
            Call::SetTransports(transports) => machine.set_transports(transports),
            Call::SetRemoteDisabled(disabled) => machine.set_remote_mailslots_disabled(disabled),
            Call::Create { .. } | Call::Open { .. } | Call::Duplicate { .. } | Call::DuplicateInto { .. } => {
                unreachable!("it makes a handle")
            }
        }
        Ok(Outcome::Done)
    }
}

fn ip(last: u8) -> [u8; 4] {
    [10, 0, 0, last]
}

fn access([read, write]: Bits) -> Access {
    Access { read, write }
}

fn letter(message: Message) -> Letter {
    let from = ["A<00>", "B<00>"].iter().position(|name| message.source.to_string() == *name);
    let from = from.expect("it is from one of the two");
    Letter { data: message.data, from, arrived: message.arrived.nanos(), receipt: message.receipt.0 }
}

fn info(info: MailslotInfo) -> Info {
    let MailslotInfo { max_message_size, next_size, message_count, read_timeout_ms } = info;
    Info { max: max_message_size, next: next_size, count: message_count, timeout_ms: read_timeout_ms }
}

fn fate(disposition: Disposition) -> Fate {
    match disposition {
        Disposition::Enqueued(receipt) => Fate::Taken(receipt.0),
        Disposition::Held(_) => Fate::Held,
        Disposition::Discarded(discard) => Fate::Lost(match discard {
            Discard::Malformed(_) => "malformed",
            Discard::NotForUs => "not for us",
            Discard::NoUserData => "no user data",
            Discard::NoFirstFragment => "no first fragment",
            Discard::NoSuchMailslot => "no such mailslot",
            Discard::TooLargeForSlot => "too large for the slot",
            Discard::SlotFull => "slot full",
            Discard::RemoteMailslotsDisabled => "remote mailslots disabled",
        }),
    }
}
