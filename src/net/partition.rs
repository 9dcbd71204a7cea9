//! Partitions: hosts that do not reach each other for a while.

use crate::id::HostId;

/// Groups of hosts that are cut off from each other. Hosts in no group reach all, and all reach them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// For each host its group.
    groups: Vec<Option<u32>>,
    one_way: bool,
}

impl Partition {
    /// Cuts `groups` of a network of `hosts` hosts off from each other; `one_way`: only what goes from the first group to
    /// the others is cut.
    ///
    /// # Panics
    ///
    /// If a host is in two groups, or is none of the network.
    #[must_use]
    pub fn new(hosts: usize, groups: &[Vec<HostId>], one_way: bool) -> Self {
        let mut group_of = vec![None; hosts];
        for (number, group) in (0..).zip(groups) {
            for host in group {
                let earlier = group_of[host.index()].replace(number);
                assert!(earlier.is_none(), "a host is in one group");
            }
        }
        Partition { groups: group_of, one_way }
    }

    /// Whether what goes from one host to another is cut.
    #[must_use]
    pub fn cuts(&self, from: HostId, to: HostId) -> bool {
        match (self.groups[from.index()], self.groups[to.index()]) {
            (Some(from), Some(to)) => from != to && (!self.one_way || from == 0),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_cut_off_from_each_other() {
        let [a, b, c, d] = [0, 1, 2, 3].map(HostId);
        let both = Partition::new(4, &[vec![a], vec![b, c]], false);
        let one_way = Partition::new(4, &[vec![a], vec![b, c]], true);
        let cut = |partition: &Partition| {
            let pairs = [(a, b), (b, a), (a, c), (b, c), (a, d), (d, b), (a, a)];
            pairs.map(|(from, to)| u8::from(partition.cuts(from, to)))
        };
        assert_eq!(cut(&both), [1, 1, 1, 0, 0, 0, 0]);
        assert_eq!(cut(&one_way), [1, 0, 1, 0, 0, 0, 0]);
    }
}
