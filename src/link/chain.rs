//! One link: its models in their order, its memory and its counters.

use serde::Serialize;

use super::delay::{Delay, Distribution};
use super::loss::Loss;
use super::memory::Memory;
use super::probability::Probability;
use super::queue::{Bottleneck, Transmitter};
use super::reorder::Reorder;
use crate::id::DatagramId;
use crate::rng::{CommonDraws, LinkDraws, Purpose};
use crate::time::{Duration, Instant};

/// How a link impairs what it carries.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Config {
    /// Which datagrams it loses.
    pub loss: Loss,
    /// How long it takes.
    pub delay: Delay,
    /// Which datagrams take no time.
    #[serde(skip_serializing_if = "Reorder::is_none")]
    pub reorder: Reorder,
    /// How often it makes one extra copy.
    pub duplicate: Probability,
    /// How often it flips one bit of the UDP payload.
    pub corrupt: Probability,
    /// Whether the datagrams carry a UDP checksum that can find the flipped bit.
    pub udp_checksum: bool,
    /// How fast it sends, if that takes time; and what waits meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// The longest IP datagram that it takes, in bytes, if there is one: whoever offers something longer splits it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
}

/// The smallest MTU: every module of the internet must be able to forward a datagram of so many bytes without further
/// fragmentation (RFC 791 section 3.2).
pub const MIN_MTU: u16 = 68;

impl Config {
    /// Carries everything, unharmed and at once.
    pub const PERFECT: Config = Config {
        loss: Loss::NONE,
        delay: Delay::NONE,
        reorder: Reorder::NONE,
        duplicate: Probability::NEVER,
        corrupt: Probability::NEVER,
        udp_checksum: true,
        bottleneck: None,
        mtu: None,
    };
}

/// A datagram that is offered to a link.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// When.
    pub now: Instant,
    /// Which datagram.
    pub id: &'a DatagramId,
    /// The position of this link on the datagram's path, from 0.
    pub hop: u8,
    /// Length of the UDP payload in bytes.
    pub payload_bytes: u32,
    /// Length of the IP datagram in bytes.
    pub ip_bytes: u32,
    /// For a network duplicate: what its original met of the memory of this link, if it was here before it.
    pub met: Option<Memory>,
}

/// What a link does with a datagram.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Verdict {
    /// What the datagram met of the memory of the link, if it has any.
    pub met: Option<Memory>,
    /// How it is carried; `None`: it is lost, or the queue was full.
    pub carriage: Option<Carriage>,
    /// Whether the queue was full.
    pub is_refused: bool,
}

/// How a link carries a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carriage {
    /// When it arrives at the other end.
    pub arrival: Instant,
    /// The bit of the payload that is flipped, counted from the first byte's lowest bit.
    pub flip: Option<u32>,
    /// When an extra copy arrives, with the same bit flipped.
    pub duplicate: Option<Instant>,
}

/// What a link did so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Datagrams offered, duplicates from earlier links included.
    pub offered: u64,
    /// Taken by the loss model.
    pub lost: u64,
    /// Damaged by a flipped bit.
    pub corrupted: u64,
    /// Extra copies made.
    pub duplicated: u64,
    /// Dropped by the queue: datagrams, which are not doubled then, and extra copies.
    pub queue_dropped: u64,
    /// Handed on, extra copies included: `offered - lost + duplicated - queue_dropped`.
    pub carried: u64,
    /// IP bytes handed on.
    pub bytes: u64,
}

/// One link in one run.
#[derive(Clone, Debug)]
pub struct Link {
    pub(super) config: Config,
    perfect: bool,
    pub(super) draws: LinkDraws,
    /// Whether any model has memory.
    remembers: bool,
    pub(super) memory: Memory,
    transmitter: Option<Box<Transmitter>>,
    /// When the last datagram arrives at the other end, for links that keep order.
    last_arrival: Instant,
    counters: Counters,
}

impl Link {
    /// A link in its stationary state.
    ///
    /// # Panics
    ///
    /// If a uniform delay ends before it starts, or an MTU is below [`MIN_MTU`].
    #[must_use]
    pub fn new(config: Config, draws: LinkDraws) -> Self {
        if let Distribution::Uniform { min, max } = config.delay.distribution {
            assert!(min <= max, "a uniform delay ends before it starts");
        }
        assert!(config.mtu.is_none_or(|mtu| mtu >= MIN_MTU), "an MTU is at least {MIN_MTU}");
        Link {
            perfect: config == Config::PERFECT,
            remembers: Memory::is_kept(&config),
            memory: Memory::start(&config, &draws),
            transmitter: config.bottleneck.map(|bottleneck| Box::new(Transmitter::new(bottleneck))),
            config,
            draws,
            last_arrival: Instant::ZERO,
            counters: Counters::default(),
        }
    }

    /// Impairs otherwise from now on. A model that changes starts as it is in the long run, the others keep their memory (a
    /// choice). What has been taken in comes to the other end when it was to; what waits for a bottleneck whose rate
    /// changes is sent as it would have been, and the next begins after that; a rate that is taken away is forgotten.
    ///
    /// # Panics
    ///
    /// As [`Link::new`].
    pub fn set(&mut self, now: Instant, config: &Config) {
        let Link { draws, counters, memory, transmitter, last_arrival, config: old, .. } = self;
        let mut link = Link::new(config.clone(), *draws);
        link.counters = *counters;
        link.last_arrival = *last_arrival;
        link.memory = Memory {
            loss: if old.loss == config.loss { memory.loss } else { link.memory.loss },
            delay: if old.delay.correlation == config.delay.correlation { memory.delay } else { link.memory.delay },
            reorder: if old.reorder == config.reorder { memory.reorder } else { link.memory.reorder },
        };
        if let (Some(bottleneck), Some(before)) = (config.bottleneck, transmitter.take()) {
            link.transmitter = Some(Box::new(before.at_another(bottleneck, now)));
        }
        *self = link;
    }

    /// How the link impairs.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it did so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Offers a datagram to the link.
    pub fn offer(&mut self, offer: &Offer<'_>) -> Verdict {
        self.counters.offered += 1;
        if self.perfect {
            return self.carry(offer, None, Carriage { arrival: offer.now, flip: None, duplicate: None });
        }
        let draws = self.draws.common(offer.id);
        let met = if self.remembers { Some(self.meet(offer, &draws)) } else { None };
        let memory = met.as_ref().unwrap_or(&self.memory);
        if self.config.loss.risk(memory.loss).decides(draws.loss) {
            self.counters.lost += 1;
            return Verdict { met, carriage: None, is_refused: false };
        }
        let flip = (self.config.corrupt.decides(draws.corrupt) && offer.payload_bytes > 0).then(|| {
            let draw = self.draws.draw(offer.id, Purpose::CorruptBit);
            ((u128::from(offer.payload_bytes) * 8 * u128::from(draw)) >> 64) as u32
        });
        let delay = self.delay(memory, offer.id, draws.delay);
        let Some(departure) = self.departure(offer) else {
            self.counters.queue_dropped += 1;
            return Verdict { met, carriage: None, is_refused: true };
        };
        let arrival = self.arrival(offer, departure, delay);
        let is_doubled = self.config.duplicate.decides(draws.duplicate);
        let duplicate = if is_doubled { self.copy_arrival(offer, met, arrival) } else { None };
        self.carry(offer, met, Carriage { arrival, flip, duplicate })
    }

    /// What a datagram meets of the link's memory, which steps once for each datagram offered.
    ///
    /// A network duplicate does not step it: it meets what its original met, or, if it overtook its original, what is
    /// there (a choice), so that switching duplication on moves no other outcome.
    fn meet(&mut self, offer: &Offer<'_>, draws: &CommonDraws) -> Memory {
        let met = offer.met.unwrap_or(self.memory);
        if offer.id.duplicate == 0 {
            self.memory = self.memory.next(&self.config, offer.id, draws, &self.draws);
        }
        met
    }

    /// How long a datagram takes that met `memory`; `draw` is its own for [`Purpose::Delay`].
    fn delay(&self, memory: &Memory, id: &DatagramId, draw: u64) -> Duration {
        let Config { reorder, delay, .. } = &self.config;
        if !reorder.is_none() && reorder.chooses(memory.reorder, self.draws.draw(id, Purpose::Reorder)) {
            return Duration::ZERO;
        }
        delay.after(memory.delay, draw)
    }

    /// When a datagram is sent, which is now unless the link has a rate; `None` if its queue is full.
    fn departure(&mut self, offer: &Offer<'_>) -> Option<Instant> {
        match &mut self.transmitter {
            Some(transmitter) => transmitter.take(offer.now, offer.ip_bytes),
            None => Some(offer.now),
        }
    }

    /// When a datagram arrives. On a link that keeps order it waits for those before it; nobody waits for a network
    /// duplicate, so that switching duplication on delays nothing else.
    fn arrival(&mut self, offer: &Offer<'_>, departure: Instant, delay: Duration) -> Instant {
        let arrival = departure + delay;
        let in_order = arrival.max(self.last_arrival);
        if offer.id.duplicate == 0 {
            self.last_arrival = in_order;
        }
        if self.config.delay.keep_order { in_order } else { arrival }
    }

    /// When the extra copy of a datagram arrives. It needs room and time of its own at a bottleneck; where there is no
    /// room it is counted, and nobody ever sees it.
    fn copy_arrival(&mut self, offer: &Offer<'_>, met: Option<Memory>, arrival: Instant) -> Option<Instant> {
        let Some(departure) = self.departure(offer) else {
            self.counters.duplicated += 1;
            self.counters.queue_dropped += 1;
            return None;
        };
        if self.config.delay.keep_order {
            return Some(arrival.max(departure)); // as soon as it can, so that it delays nobody else
        }
        let copy = offer.id.duplicated_at(offer.hop);
        let memory = met.unwrap_or(self.memory);
        Some(departure + self.delay(&memory, &copy, self.draws.draw(&copy, Purpose::Delay)))
    }

    fn carry(&mut self, offer: &Offer<'_>, met: Option<Memory>, carriage: Carriage) -> Verdict {
        let copies = 1 + u64::from(carriage.duplicate.is_some());
        self.counters.corrupted += u64::from(carriage.flip.is_some());
        self.counters.duplicated += copies - 1;
        self.counters.carried += copies;
        self.counters.bytes += copies * u64::from(offer.ip_bytes);
        Verdict { met, carriage: Some(carriage), is_refused: false }
    }
}
