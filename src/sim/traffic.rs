//! What is written: when, to whom and how much.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::ack::{self, Awaited, News};
use crate::id::{HostId, StreamId};
use crate::rng::Root;
use crate::scenario::{Arrivals, Copies, Flow, Generated, Scenario, Size, Target, Traffic};
use crate::time::{Duration, Instant};

/// The senders of all flows; a [`StreamId`] is a position among them.
pub(crate) fn senders(scenario: &Scenario, root: Root) -> Vec<Sender> {
    let flows = scenario.flows.iter();
    let senders = flows.flat_map(|flow| flow.senders.iter().map(move |host| (flow, *host))).zip((0..).map(StreamId));
    senders.map(|((flow, host), stream)| Sender::new(scenario, flow, host, stream, root)).collect()
}

/// All streams in the order of flow and sender: writes of the same moment happen in the order of names, not of tables.
pub(crate) fn by_name(scenario: &Scenario) -> Vec<StreamId> {
    let topology = scenario.topology();
    let names = scenario
        .flows
        .iter()
        .flat_map(|flow| flow.senders.iter().map(|sender| (flow.name.as_str(), topology.host(*sender).name.as_str())));
    let mut streams: Vec<_> = names.zip((0..).map(StreamId)).collect();
    streams.sort();
    streams.into_iter().map(|(_, stream)| stream).collect()
}

/// One sender of one flow: its messages, one after another. Who writes them is the driver's business.
pub(crate) struct Sender {
    host: HostId,
    stream: StreamId,
    targets: Vec<Target>,
    messages: Messages,
    next_message: u64,
    /// When that is written, once it is known.
    upcoming: Option<Instant>,
    /// When messages are written again, in order; with the number of the copy and its size.
    repeats: BTreeMap<(Instant, u64), (u16, u32)>,
    /// The replies that it waits for, if it waits for any.
    awaited: Option<Awaited>,
    /// The message that is written.
    data: Vec<u8>,
}

/// A message to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    /// Its number in the stream.
    pub(crate) message: u64,
    /// Which of the writes of the message it is, from 0, and how many follow.
    pub(crate) copy: u16,
    pub(crate) copies_left: u16,
    /// Position of its target in [`Sender::targets`].
    pub(crate) target: u32,
    pub(crate) bytes: u32,
}

/// What a sender believes of a message since a reply came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Belief {
    pub(crate) stream: StreamId,
    pub(crate) message: u64,
    /// Who has replied, for the first time.
    pub(crate) from: HostId,
    /// What that spares, if all have replied whom it waits for.
    pub(crate) spared: Option<Spared>,
}

/// Writes of a message that are not made, since all have replied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spared {
    pub(crate) writes: u16,
    /// Whether one is made all the same, at this very moment.
    pub(crate) one_more: bool,
}

/// Where the messages come from.
enum Messages {
    Generated(Box<Program>),
    /// Recorded writes of this sender: (time, position of the target, bytes).
    Captured(std::vec::IntoIter<(Instant, u32, Arc<[u8]>)>),
}

impl Sender {
    fn new(scenario: &Scenario, flow: &Flow, host: HostId, stream: StreamId, root: Root) -> Self {
        let name = &scenario.topology().host(host).name;
        let mut awaited = None;
        let (targets, messages) = match &flow.traffic {
            Traffic::Generated(generated) => {
                let Copies { number, spacing } = generated.copies;
                let patience = spacing * u64::from(number);
                let audience = || scenario.audience(host, &generated.to);
                awaited = generated.ack.as_ref().map(|_| Awaited::new(audience(), patience));
                let schedule = Schedule::new(generated, root.workload(&flow.name, name, "gaps"));
                let sizes = Sizes { size: generated.size, rng: root.workload(&flow.name, name, "sizes") };
                let program = Program { schedule, sizes, copies: generated.copies };
                (vec![generated.to.clone()], Messages::Generated(Box::new(program)))
            }
            Traffic::Captured(records) => {
                let own = || records.iter().filter(|record| record.from == host);
                let mut targets: Vec<Target> = own().map(|record| record.to.clone()).collect();
                targets.sort();
                targets.dedup();
                let position = |to: &Target| targets.binary_search(to).expect("every target was collected") as u32;
                let writes: Vec<_> =
                    own().map(|it| (Instant::ZERO + it.at, position(&it.to), it.data.clone())).collect();
                (targets, Messages::Captured(writes.into_iter()))
            }
        };
        let (repeats, data) = (BTreeMap::new(), Vec::new());
        Sender { host, stream, targets, messages, next_message: 0, upcoming: None, repeats, awaited, data }
    }

    /// The machine that it runs on.
    pub(crate) fn host(&self) -> HostId {
        self.host
    }

    /// What it writes to.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// When it writes next.
    pub(crate) fn next_time(&mut self) -> Option<Instant> {
        if self.upcoming.is_none() {
            self.upcoming = match &mut self.messages {
                Messages::Generated(program) => program.schedule.next(),
                Messages::Captured(records) => records.as_slice().first().map(|(at, ..)| *at),
            };
        }
        let again = self.repeats.first_key_value().map(|((at, _), _)| *at);
        again.into_iter().chain(self.upcoming).min()
    }

    /// What it writes then: an earlier message again, or the next one.
    ///
    /// # Panics
    ///
    /// If [`Sender::next_time`] did not say that there is something.
    pub(crate) fn next_message(&mut self) -> Outgoing {
        match self.repeats.first_key_value().map(|((at, message), (copy, size))| (*at, *message, *copy, *size)) {
            Some((at, message, copy, size)) if self.upcoming.is_none_or(|upcoming| at <= upcoming) => {
                self.repeats.pop_first();
                self.write_payload(message, size);
                let copies_left = self.repeat(at, message, copy, size);
                Outgoing { message, copy, copies_left, target: 0, bytes: size }
            }
            _ => self.fresh_message(),
        }
    }

    /// Lets the time pass at which it would write, because its program does not run: what is written later is what it would
    /// have been. Returns the message.
    ///
    /// # Panics
    ///
    /// As [`Sender::next_message`].
    pub(crate) fn skip(&mut self) -> u64 {
        let next = self.next_message();
        if next.copy == 0 {
            self.repeats.retain(|(_, message), _| *message != next.message);
        }
        next.message
    }

    /// Forgets what it has written, as a program does that is started anew: the messages that are not written again,
    /// each as often as it would have been.
    pub(crate) fn forget(&mut self) -> Vec<u64> {
        let Messages::Generated(program) = &self.messages else { return Vec::new() };
        self.awaited.iter_mut().for_each(Awaited::forget);
        let number = program.copies.number;
        let left = |((_, message), (copy, _))| std::iter::repeat_n(message, usize::from(number - copy));
        std::mem::take(&mut self.repeats).into_iter().flat_map(left).collect()
    }

    fn fresh_message(&mut self) -> Outgoing {
        let at = self.upcoming.take().expect("next_time said that there is one");
        let message = self.next_message;
        self.next_message += 1;
        match &mut self.messages {
            Messages::Generated(program) => {
                let size = program.sizes.next();
                self.awaited.iter_mut().for_each(|awaited| awaited.begin(at, message));
                self.write_payload(message, size);
                let copies_left = self.repeat(at, message, 0, size);
                Outgoing { message, copy: 0, copies_left, target: 0, bytes: size }
            }
            Messages::Captured(records) => {
                let (_, target, data) = records.next().expect("next_time said that there is one");
                self.data.clear();
                self.data.extend_from_slice(&data);
                Outgoing { message, copy: 0, copies_left: 0, target, bytes: data.len() as u32 }
            }
        }
    }

    /// Sets down when a message is written again after this copy; how many copies are left.
    fn repeat(&mut self, at: Instant, message: u64, copy: u16, size: u32) -> u16 {
        let Messages::Generated(program) = &self.messages else { return 0 };
        let Copies { number, spacing } = program.copies;
        let left = number - 1 - copy;
        let next = (left > 0).then(|| at + spacing);
        if let Some(awaited) = &mut self.awaited
            && !awaited.write_again(message, next)
        {
            return 0;
        }
        self.repeats.extend(next.map(|next| ((next, message), (copy + 1, size))));
        left
    }

    /// A reply to a message of it has been read. One that comes at the very moment of a write, or of giving up, is too late
    /// for it (a choice), so that it makes no difference which happens first.
    pub(crate) fn reply(&mut self, now: Instant, message: u64, from: HostId) -> Option<Belief> {
        let news = self.awaited.as_mut()?.reply(now, message, from)?;
        let spared = match news {
            News::Some => None,
            News::All { next } => Some(self.spare(now, message, next)),
        };
        Some(Belief { stream: self.stream, message, from, spared })
    }

    /// A message, which is due again at `next`, if ever, need not be written later than now.
    fn spare(&mut self, now: Instant, message: u64, next: Option<Instant>) -> Spared {
        let (Messages::Generated(program), Some(next)) = (&self.messages, next) else {
            return Spared { writes: 0, one_more: false };
        };
        let (copy, _) = self.repeats[&(next, message)];
        let one_more = next <= now;
        if !one_more {
            self.repeats.remove(&(next, message));
        }
        Spared { writes: program.copies.number - copy - u16::from(one_more), one_more }
    }

    /// Makes the bytes of a message; those of one that is replied to say which it is.
    fn write_payload(&mut self, message: u64, size: u32) {
        write_payload(&mut self.data, message, size);
        if self.awaited.is_some() {
            ack::seal(self.stream, message, &mut self.data);
        }
    }

    /// The bytes of the message that [`Sender::next_message`] gave last.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }
}

/// A program that makes up its messages.
struct Program {
    schedule: Schedule,
    sizes: Sizes,
    copies: Copies,
}

/// Bytes that tell messages apart in a capture: the number, as far as there is room, then a ramp, of which what is
/// there from the message before can stay.
fn write_payload(data: &mut Vec<u8>, number: u64, size: u32) {
    let size = size as usize;
    let old = data.len();
    data.resize(size, 0);
    (old.min(size)..size).for_each(|at| data[at] = at as u8);
    let head = number.to_be_bytes();
    let head = &head[..head.len().min(size)];
    data[..head.len()].copy_from_slice(head);
}

/// The times at which a generated flow writes.
struct Schedule {
    arrivals: Arrivals,
    /// When the next message is due, but for Poisson arrivals' first gap.
    next: Instant,
    stop: Instant,
    left: u64,
    /// Messages written of the burst that is going on, or of the list of times.
    position: usize,
    rng: ChaCha8Rng,
}

impl Schedule {
    fn new(generated: &Generated, rng: ChaCha8Rng) -> Self {
        Schedule {
            arrivals: generated.arrivals.clone(),
            next: Instant::ZERO + generated.start,
            stop: Instant::ZERO + generated.last_beginning(),
            left: generated.count.unwrap_or(u64::MAX),
            position: 0,
            rng,
        }
    }

    fn next(&mut self) -> Option<Instant> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let at = match &self.arrivals {
            Arrivals::Every(gap) => {
                let at = self.next;
                self.next = at + *gap;
                at
            }
            Arrivals::Poisson { mean_gap } => {
                self.next = self.next + exponential(*mean_gap, self.rng.next_u64());
                self.next
            }
            Arrivals::Burst { size, every } => {
                let at = self.next;
                self.position += 1;
                if self.position == *size as usize {
                    self.position = 0;
                    self.next = at + *every;
                }
                at
            }
            Arrivals::At(times) => {
                let at = Instant::ZERO + *times.get(self.position)?;
                self.position += 1;
                at
            }
        };
        (at < self.stop).then_some(at)
    }
}

/// An exponentially distributed time, by its quantile function; `libm` gives the same logarithm on every machine.
pub(super) fn exponential(mean: Duration, draw: u64) -> Duration {
    const TWO_POW_53: f64 = 9_007_199_254_740_992.0;
    let survival = 1.0 - (draw >> 11) as f64 / TWO_POW_53; // above 0, up to 1
    Duration::from_nanos((-libm::log(survival) * mean.nanos() as f64).round() as u64)
}

/// The sizes of a generated flow's messages.
struct Sizes {
    size: Size,
    rng: ChaCha8Rng,
}

impl Sizes {
    fn next(&mut self) -> u32 {
        match self.size {
            Size::Fixed(size) => size,
            Size::Uniform { min, max } => {
                let values = u128::from(max - min) + 1;
                min + ((values * u128::from(self.rng.next_u64())) >> 64) as u32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: Arrivals, start: u64, stop: u64, count: Option<u64>) -> Vec<u64> {
        let to = Target::Local(crate::mailslot::SlotName::new("t").unwrap());
        let [start, stop] = [start, stop].map(Duration::from_nanos);
        let copies = Copies { number: 1, spacing: Duration::ZERO };
        let generated = Generated { to, arrivals, start, stop, count, size: Size::Fixed(1), copies, ack: None };
        let mut schedule = Schedule::new(&generated, Root { seed: 1, replication: 0 }.workload("f", "s", "gaps"));
        std::iter::from_fn(|| schedule.next()).map(Instant::nanos).collect()
    }

    #[test]
    fn writes_happen_from_start_to_before_stop() {
        let ns = Duration::from_nanos;
        assert_eq!(times(Arrivals::Every(ns(10)), 5, 35, None), [5, 15, 25]);
        assert_eq!(times(Arrivals::Every(ns(10)), 5, 36, Some(2)), [5, 15]);
        assert_eq!(times(Arrivals::Burst { size: 2, every: ns(10) }, 0, 15, None), [0, 0, 10, 10]);
        assert_eq!(times(Arrivals::Burst { size: 2, every: ns(10) }, 0, 15, Some(3)), [0, 0, 10]);
        assert_eq!(times(Arrivals::At(vec![ns(1), ns(4), ns(9)]), 0, 9, None), [1, 4]);
    }

    /// Copies come at their times between other messages, with the bytes of the first; none is left out at the end.
    #[test]
    fn messages_are_written_again() {
        let [every, spacing, stop] = [10, 25, 61].map(Duration::from_nanos);
        let generated = Generated {
            to: Target::Local(crate::mailslot::SlotName::new("t").unwrap()),
            arrivals: Arrivals::Every(every),
            start: Duration::ZERO,
            stop,
            count: Some(3),
            size: Size::Uniform { min: 0, max: 40 },
            copies: Copies { number: 3, spacing },
            ack: None,
        };
        let root = Root { seed: 1, replication: 0 };
        let program = Program {
            schedule: Schedule::new(&generated, root.workload("f", "s", "gaps")),
            sizes: Sizes { size: generated.size, rng: root.workload("f", "s", "sizes") },
            copies: generated.copies,
        };
        let mut sender = Sender {
            host: HostId(0),
            stream: StreamId(0),
            targets: vec![generated.to],
            messages: Messages::Generated(Box::new(program)),
            next_message: 0,
            upcoming: None,
            repeats: BTreeMap::new(),
            awaited: None,
            data: Vec::new(),
        };
        let mut writes = Vec::new();
        let mut bytes: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        while let Some(at) = sender.next_time() {
            let Outgoing { message, copy, copies_left, .. } = sender.next_message();
            assert_eq!(copy + copies_left, 2);
            assert_eq!(bytes.entry(message).or_insert_with(|| sender.data().to_vec()), sender.data());
            writes.push((at.nanos(), message, copy));
        }
        assert_eq!(writes, [(0, 0, 0), (10, 1, 0), (25, 0, 1), (35, 1, 1), (50, 0, 2), (60, 1, 2)]);
    }

    /// 100,000 gaps: the mean is within 5 standard errors (1 % / sqrt 10) but once in 1.7 million seeds.
    #[test]
    fn poisson_gaps_have_their_mean() {
        let mean_gap = Duration::from_nanos(1_000_000);
        let times = times(Arrivals::Poisson { mean_gap }, 0, u64::MAX, Some(100_000));
        let mean = *times.last().unwrap() as f64 / times.len() as f64;
        assert!((mean / 1e6 - 1.0).abs() < 5.0 / (100_000_f64).sqrt(), "{mean}");
        assert!(times.is_sorted());
    }
}
