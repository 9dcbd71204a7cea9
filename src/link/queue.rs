//! Rate and queue: datagrams leave a link one after another.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use serde::Serialize;

use crate::time::Instant;

/// A link that sends one datagram after another at a rate, and a queue for those that wait; what does not fit is dropped
/// (drop-tail, RFC 2309 section 2).
///
/// The one that is being sent does not wait, so it is not in the queue (a choice). With datagrams of one length at equal
/// gaps that are offered faster than they leave, a share 1 - gap / time to send is dropped in the long run, and each that
/// is not waits for the whole queue; with Poisson arrivals and no queue, a share a / (1 + a) is dropped, where a is time
/// to send / mean gap (Erlang's loss formula), and with endless room the mean wait is a / (2 (1 - a)) times to send
/// (Pollaczek and Khinchine). Of messages that share a link with others there is no closed form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Bottleneck {
    /// In bits per second, of IP datagrams.
    pub rate: NonZeroU64,
    /// What may wait.
    pub queue: QueueLimit,
}

/// How much may wait in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueLimit {
    /// So many datagrams.
    Datagrams(u32),
    /// So many bytes of IP datagrams.
    Bytes(u32),
}

/// A bottleneck at work. Time is counted in units of 1 ns / rate, in which every datagram takes a whole number, so
/// nothing is rounded but what is told.
#[derive(Clone, Debug)]
pub(super) struct Transmitter {
    config: Bottleneck,
    /// When everything is sent.
    free: u128,
    /// What waits: when it is its turn, and its bytes.
    waiting: VecDeque<(u128, u32)>,
    waiting_bytes: u64,
}

impl Transmitter {
    /// One that has nothing to send.
    pub(super) fn new(config: Bottleneck) -> Self {
        Transmitter { config, free: 0, waiting: VecDeque::new(), waiting_bytes: 0 }
    }

    /// When a datagram of so many bytes, which comes now, is sent; `None` if the queue has no room for it.
    pub(super) fn take(&mut self, now: Instant, bytes: u32) -> Option<Instant> {
        let rate = u128::from(self.config.rate.get());
        let now = u128::from(now.nanos()) * rate;
        while let Some((_, gone)) = self.waiting.pop_front_if(|(turn, _)| *turn <= now) {
            self.waiting_bytes -= u64::from(gone);
        }
        let turn = self.free.max(now);
        if turn > now {
            if !self.has_room(bytes) {
                return None;
            }
            self.waiting.push_back((turn, bytes));
            self.waiting_bytes += u64::from(bytes);
        }
        self.free = turn + u128::from(bytes) * 8 * NANOS_PER_SECOND;
        let sent = self.free.div_ceil(rate);
        Some(Instant::from_nanos(u64::try_from(sent).unwrap_or(u64::MAX)))
    }

    /// One with another rate or queue, for which what it has is sent at the same times.
    pub(super) fn at_another(self, config: Bottleneck, now: Instant) -> Self {
        let rates = [self.config.rate, config.rate].map(|rate| u128::from(rate.get()));
        let at_new = |moment: u128| (moment.div_ceil(rates[0])) * rates[1];
        let now = u128::from(now.nanos()) * rates[1];
        let waiting: VecDeque<_> =
            self.waiting.iter().map(|(turn, bytes)| (at_new(*turn), *bytes)).filter(|(turn, _)| *turn > now).collect();
        let waiting_bytes = waiting.iter().map(|(_, bytes)| u64::from(*bytes)).sum();
        Transmitter { config, free: at_new(self.free), waiting, waiting_bytes }
    }

    fn has_room(&self, bytes: u32) -> bool {
        match self.config.queue {
            QueueLimit::Datagrams(limit) => self.waiting.len() < limit as usize,
            QueueLimit::Bytes(limit) => self.waiting_bytes + u64::from(bytes) <= u64::from(limit),
        }
    }
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn transmitter(rate: u64, queue: QueueLimit) -> Transmitter {
        Transmitter::new(Bottleneck { rate: NonZeroU64::new(rate).unwrap(), queue })
    }

    /// 100 bytes take a third of a nanosecond more than a whole number: after three there is nothing left over.
    #[test]
    fn no_time_is_lost_to_rounding() {
        let mut transmitter = transmitter(3, QueueLimit::Datagrams(u32::MAX));
        for number in 1..=3_000_u128 {
            let sent = transmitter.take(Instant::ZERO, 100).unwrap();
            assert_eq!(u128::from(sent.nanos()), (number * 800_000_000_000).div_ceil(3));
        }
    }

    /// 100 bytes take 1 ms here.
    #[test]
    fn a_queue_has_room_for_so_many_beside_the_one_that_is_sent() {
        let ms = |millis: u64| Instant::from_nanos(millis * 1_000_000);
        let mut by_number = transmitter(800_000, QueueLimit::Datagrams(2));
        let sent: Vec<_> = (0..4).map(|_| by_number.take(ms(0), 100)).collect();
        assert_eq!(sent, [Some(ms(1)), Some(ms(2)), Some(ms(3)), None]);
        assert_eq!(by_number.take(ms(1), 100), Some(ms(4)), "the second one is being sent now");
        assert_eq!(by_number.take(ms(9), 100), Some(ms(10)));
        let mut by_bytes = transmitter(800_000, QueueLimit::Bytes(250));
        let sent: Vec<_> = [100, 200, 100, 50, 1].map(|bytes| by_bytes.take(ms(0), bytes)).to_vec();
        assert_eq!(sent, [Some(ms(1)), Some(ms(3)), None, Some(Instant::from_nanos(3_500_000)), None]);
        let mut none = transmitter(800_000, QueueLimit::Datagrams(0));
        assert_eq!([0, 0, 1].map(|at| none.take(ms(at), 100)), [Some(ms(1)), None, Some(ms(2))]);
    }

    #[test]
    fn for_ever_is_a_time() {
        let mut slowest = transmitter(1, QueueLimit::Datagrams(u32::MAX));
        let last = (0..1_000).map(|_| slowest.take(Instant::ZERO, u32::MAX)).last().unwrap();
        assert_eq!(last, Some(Instant::from_nanos(u64::MAX)));
    }
}
