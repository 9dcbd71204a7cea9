//! How the model behaves when time passes and packets come, and how messages reach queues and reads.

use crate::operation::{Act, Advance, Label, Operation};
use crate::world::{
    Content, Expected, Fate, INSUFFICIENT_BUFFER, Letter, Outcome, Packet, SEM_TIMEOUT, Sent, World, address, bears,
    is_unique,
};

impl World {
    pub(crate) fn apply(&mut self, operation: &Operation) {
        self.next_number = operation.number + 1;
        self.expected = Expected::default();
        self.expected.outcome = match operation.act {
            Act::Call(machine, ref call) => self.call(machine, operation.number, call).unwrap_or_else(Outcome::Failed),
            Act::Advance(advance) => self.advance(advance),
            Act::Lose { packet } => {
                self.flying.remove(&packet);
                Outcome::Done
            }
            Act::Deliver { packet, to, again } => {
                let arrived = self.flying[&packet].clone();
                if !again {
                    self.flying.remove(&packet);
                }
                Outcome::Received(self.receive(operation.number, to, &arrived))
            }
        };
    }

    /// When a machine wants to be told the time next.
    pub(crate) fn timeout(&self, machine: usize) -> Option<u64> {
        let host = &self.hosts[machine];
        let reads = host.slots.values().flat_map(|slot| slot.waiting.iter().filter_map(|read| read.until));
        reads.chain(host.held.iter().map(|(_, until)| *until)).min()
    }

    fn advance(&mut self, advance: Advance) -> Outcome {
        let next = [0, 1].into_iter().filter_map(|machine| self.timeout(machine)).min();
        self.now = match (advance, next) {
            (Advance::By(nanos), _) => self.now + nanos,
            // Reads that wait for weeks stay: a run has the length of some minutes.
            (Advance::Next(after), Some(next)) if next - self.now < 60_000_000_000 => {
                next.saturating_add_signed(after).max(self.now)
            }
            (Advance::Next(_), _) => self.now,
        };
        let now = self.now;
        for (host, (assembled, ended)) in
            self.hosts.iter_mut().zip(self.expected.assembled.iter_mut().zip(&mut self.expected.ended))
        {
            let (over, held) = host.held.iter().partition(|(_, until)| *until <= now);
            host.held = held;
            assembled.extend(Vec::<(Label, u64)>::into_iter(over).map(|(datagram, _)| (datagram, false)));
            let mut over = Vec::new();
            for slot in host.slots.values_mut() {
                over.extend(slot.waiting.extract_if(.., |read| read.until.is_some_and(|until| until <= now)));
            }
            over.sort_by_key(|read| (read.until, read.read));
            ended.extend(over.into_iter().map(|read| (read.read, Err(SEM_TIMEOUT))));
        }
        Outcome::Done
    }

    fn receive(&mut self, number: u32, machine: usize, packet: &Packet) -> Fate {
        let Content::Part { datagram, part, parts, to, slot, ref data } = packet.content else {
            return Fate::Lost("no user data");
        };
        let host = &mut self.hosts[machine];
        if parts > 1 {
            let held = host.held.iter().position(|(held, _)| *held == datagram);
            match (part, held) {
                (0, None) => {
                    if host.held.len() == MAX_HELD {
                        self.expected.assembled[machine].push((host.held.remove(0).0, false));
                    }
                    host.held.push((datagram, self.now + FRAGMENT_NANOS));
                    return Fate::Held;
                }
                (0, Some(_)) => return Fate::Lost("malformed"),
                (_, None) => return Fate::Lost("no first fragment"),
                (_, Some(position)) => {
                    host.held.remove(position);
                    self.expected.assembled[machine].push((datagram, true));
                }
            }
        }
        if !bears(machine, to) {
            if self.setup.hosts[machine].datagram_errors && is_unique(to) {
                let label = (number, 0);
                self.flying.insert(label, Packet { from: machine, content: Content::Error });
                self.expected.sent.push(Sent { packet: label, to: Some(address(packet.from)), transport: 0, part: 0 });
            }
            return Fate::Lost("not for us");
        }
        if host.remote_disabled {
            return Fate::Lost("remote mailslots disabled");
        }
        self.deliver(machine, slot, data, packet.from)
    }

    /// A message for the mailslot of this name on this machine.
    pub(crate) fn deliver(&mut self, machine: usize, name: u32, data: &[u8], from: usize) -> Fate {
        match self.hosts[machine].slot_called(name) {
            Some(slot) => self.append(machine, slot, data, from),
            None => Fate::Lost("no such mailslot"),
        }
    }

    /// A message for an open slot. What it does not take, it does not notice.
    pub(crate) fn append(&mut self, machine: usize, slot: Label, data: &[u8], from: usize) -> Fate {
        let host = &mut self.hosts[machine];
        let slot = host.slots.get_mut(&slot).unwrap();
        if slot.options.max != 0 && data.len() > slot.options.max as usize {
            return Fate::Lost("too large for the slot");
        }
        let taker = slot.waiting.iter().position(|read| data.len() <= read.buffer);
        if taker.is_none() && slot.options.limit.is_some_and(|limit| slot.queue.len() >= limit as usize) {
            return Fate::Lost("slot full");
        }
        let receipt = host.receipts;
        host.receipts += 1;
        let letter = Letter { data: data.to_vec(), from, arrived: self.now, receipt };
        let ended = &mut self.expected.ended[machine];
        let passed = slot.waiting.drain(..taker.unwrap_or(slot.waiting.len()));
        ended.extend(passed.map(|read| (read.read, Err(INSUFFICIENT_BUFFER))));
        match taker {
            Some(_) => ended.push((slot.waiting.remove(0).read, Ok(letter))),
            None => slot.queue.push(letter),
        }
        Fate::Taken(receipt)
    }

    /// Gives a message to the network, once for each transport.
    pub(crate) fn send(&mut self, from: usize, number: u32, to: &'static str, slot: (usize, u32), data: &[u8]) {
        let section = NAMES + SMB + round_up(slot.0) + data.len();
        let splits = self.setup.hosts[from].fragments && HEADER + section > 548;
        let parts = if splits { section.div_ceil(548 - HEADER) } else { 1 };
        for transport in 0..self.hosts[from].transports {
            let datagram = (number, u32::from(transport) * 10);
            for part in 0..parts {
                let packet = (number, datagram.1 + part as u32);
                let content = Content::Part { datagram, part, parts, to, slot: slot.1, data: data.to_vec() };
                self.flying.insert(packet, Packet { from, content });
                let to = is_unique(to).then(|| if to.starts_with('C') { 3 } else { address(1 - from) });
                self.expected.sent.push(Sent { packet, to, transport, part: part as u8 });
            }
        }
    }
}

/// The request before name and message: SMB header, words, counts (69) and `\MAILSLOT\` and its NUL (11); the name is
/// filled up to a multiple of 4.
pub(crate) const SMB: usize = 80;
/// Header of a datagram, and two encoded names without scope.
const HEADER: usize = 14;
const NAMES: usize = 68;
/// How long the first part of a datagram waits for the rest, and how many wait at most.
const FRAGMENT_NANOS: u64 = 2_000_000_000;
const MAX_HELD: usize = 64;

pub(crate) fn round_up(name: usize) -> usize {
    name.div_ceil(4) * 4
}
