//! The event queue: a heap ordered by (time, sequence number).

use std::cmp::Ordering;

use dary_heap::QuaternaryHeap;

use crate::time::Instant;

/// Things to happen, in the order of their times; those of the same time in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: QuaternaryHeap<Entry<T>>,
    next_sequence: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Instant,
    sequence: u64,
    what: T,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Queue { heap: QuaternaryHeap::new(), next_sequence: 0 }
    }

    pub(crate) fn push(&mut self, at: Instant, what: T) {
        self.heap.push(Entry { at, sequence: self.next_sequence, what });
        self.next_sequence += 1;
    }

    /// The time of the next.
    #[cfg(feature = "turmoil")]
    pub(crate) fn next_time(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// Takes out the next, unless it comes after `end`.
    pub(crate) fn pop_until(&mut self, end: Instant) -> Option<(Instant, T)> {
        if self.heap.peek()?.at > end {
            return None;
        }
        self.heap.pop().map(|entry| (entry.at, entry.what))
    }
}

/// The heap gives the greatest first: the earliest.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_keep_the_order_of_adding() {
        let mut queue = Queue::new();
        for (at, what) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b'), (9, 'z')] {
            queue.push(Instant::from_nanos(at), what);
        }
        let order: String =
            std::iter::from_fn(|| queue.pop_until(Instant::from_nanos(8))).map(|(_, what)| what).collect();
        assert_eq!(order, "abcd");
    }
}
