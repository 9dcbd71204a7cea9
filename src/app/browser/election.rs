//! Elections: who is better, and how often and when a candidate says so (MS-BRWS 3.3.5.8, 3.3.6).

use std::cmp::Reverse;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::message::browser::{Criteria, Election};
use crate::time::{Duration, Instant};

/// How long a master waits before it answers a RequestElection that it beats, and between its own in the first round
/// (MS-BRWS 3.3.5.8, 3.3.6).
pub const MASTER_ELECTION_DELAY: Duration = Duration::from_millis(100);
/// The same for a potential browser: any time between these two, drawn anew for each wait (MS-BRWS 3.3.5.8, 3.3.6).
pub const POTENTIAL_ELECTION_DELAY: [Duration; 2] = [Duration::from_millis(800), Duration::from_millis(3000)];
/// How long anybody waits between its own RequestElections in later rounds (MS-BRWS 3.3.6). A round ends when a worse
/// candidate is heard, from which on sends are counted anew: a choice, since the document both sets the count to 0 then
/// and bounds it by [`MAX_ELECTION_SENDS`].
pub const LATER_ELECTION_DELAY: Duration = Duration::from_millis(1000);
/// Who has sent so many RequestElections without hearing of another candidate has won (MS-BRWS 3.3.6).
pub const SENDS_TO_WIN: u32 = 4;
/// Who has sent more than so many in one election has lost it (MS-BRWS 3.3.6).
pub const MAX_ELECTION_SENDS: u32 = 30;

/// Whether the candidate of the frame `own` is better than that of `other`: greater criteria, else longer uptime, else
/// the name that comes first in the alphabet.
pub(super) fn beats(own: &Election, other: &Election) -> bool {
    let rank = |it: &Election| (it.criteria, it.uptime, Reverse(it.server_name.as_bytes().to_ascii_uppercase()));
    rank(own) > rank(other)
}

/// The criteria of a Windows client (MS-BRWS 2.2.3 and note 14), master or not.
pub(super) fn criteria(is_master: bool) -> Criteria {
    Criteria::new(Criteria::OS_CLIENT, Criteria::VERSION, if is_master { Criteria::ROLE_MASTER } else { 0 })
}

/// Somebody's part in one election.
#[derive(Debug)]
pub(super) struct Campaign {
    is_master: bool,
    is_first_round: bool,
    /// RequestElections of this round, and of this election.
    sent_unbeaten: u32,
    sent: u32,
    next: Instant,
}

/// What a candidate's frame leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Open,
    Won,
    Lost,
}

impl Campaign {
    /// An election begins for somebody.
    pub(super) fn new(now: Instant, is_master: bool, rng: &mut ChaCha8Rng) -> Self {
        let next = now + delay(is_master, rng);
        Campaign { is_master, is_first_round: true, sent_unbeaten: 0, sent: 0, next }
    }

    /// When the next RequestElection is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A worse candidate is heard.
    pub(super) fn rivalled(&mut self) {
        if self.sent > 0 {
            self.is_first_round = false;
            self.sent_unbeaten = 0;
        }
    }

    /// A RequestElection is sent.
    pub(super) fn sent(&mut self, now: Instant, rng: &mut ChaCha8Rng) -> Outcome {
        self.sent += 1;
        self.sent_unbeaten += 1;
        let delay = if self.is_first_round { delay(self.is_master, rng) } else { LATER_ELECTION_DELAY };
        self.next = now + delay;
        match () {
            () if self.sent_unbeaten == SENDS_TO_WIN => Outcome::Won,
            () if self.sent > MAX_ELECTION_SENDS => Outcome::Lost,
            () => Outcome::Open,
        }
    }
}

fn delay(is_master: bool, rng: &mut ChaCha8Rng) -> Duration {
    if is_master { MASTER_ELECTION_DELAY } else { between(POTENTIAL_ELECTION_DELAY, rng) }
}

/// Any time between two, both included.
pub(super) fn between([min, max]: [Duration; 2], rng: &mut ChaCha8Rng) -> Duration {
    let values = u128::from(max.nanos() - min.nanos()) + 1;
    Duration::from_nanos(min.nanos() + ((values * u128::from(rng.next_u64())) >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::message::browser::HostName;

    fn candidate(criteria: u32, uptime: u32, name: &str) -> Election {
        let server_name = HostName::new(name).unwrap();
        Election { version: 1, criteria: Criteria(criteria), uptime, unused: 0, server_name }
    }

    #[test]
    fn criteria_weigh_more_than_uptime_and_uptime_more_than_the_name() {
        for (better, worse) in [
            (candidate(0x2000_0000, 0, "Z"), candidate(0x1FFF_FFFF, 9, "A")),
            (candidate(1, 0x8000_0000, "Z"), candidate(1, 0x7FFF_FFFF, "A")),
            (candidate(1, 1, "A"), candidate(1, 1, "B")),
            (candidate(1, 1, "a"), candidate(1, 1, "B")),
            (candidate(1, 1, "A"), candidate(1, 1, "AB")),
        ] {
            assert!(beats(&better, &worse) && !beats(&worse, &better), "{better:?} {worse:?}");
        }
        assert!(!beats(&candidate(1, 1, "A"), &candidate(1, 1, "a")));
    }

    #[test]
    fn a_master_has_greater_criteria() {
        assert_eq!((criteria(false).0, criteria(true).0), (0x1001_0F00, 0x1001_0F04));
    }

    /// The waits of one campaign, and its outcome; `rivals` says after which sends a worse candidate is heard.
    fn waits(is_master: bool, rivals: impl Fn(u32) -> bool) -> (Vec<u64>, Outcome) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut now = Instant::ZERO;
        let mut campaign = Campaign::new(now, is_master, &mut rng);
        let mut waits = Vec::new();
        loop {
            waits.push(campaign.next().since(now).nanos() / 1_000_000);
            now = campaign.next();
            match campaign.sent(now, &mut rng) {
                Outcome::Open => {}
                outcome => return (waits, outcome),
            }
            if rivals(campaign.sent) {
                campaign.rivalled();
            }
        }
    }

    #[test]
    fn four_sends_without_a_rival_win() {
        assert_eq!(waits(true, |_| false), (vec![100; 4], Outcome::Won));
        let (waits, outcome) = waits(false, |_| false);
        assert_eq!((waits.len(), outcome), (4, Outcome::Won));
        assert!(waits.iter().all(|wait| (800..=3000).contains(wait)), "{waits:?}");
        assert!(waits.windows(2).all(|pair| pair[0] != pair[1]), "{waits:?}");
    }

    #[test]
    fn a_rival_begins_a_later_round() {
        assert_eq!(waits(true, |sent| sent == 2), (vec![100, 100, 100, 1000, 1000, 1000], Outcome::Won));
    }

    #[test]
    fn who_never_gets_rid_of_a_rival_loses_after_thirty_sends() {
        let (waits, outcome) = waits(true, |_| true);
        assert_eq!((waits.len(), outcome), (31, Outcome::Lost));
    }

    #[test]
    fn times_between_two_are_all_drawn() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let range = [3, 5].map(Duration::from_nanos);
        let drawn: std::collections::BTreeSet<u64> = (0..100).map(|_| between(range, &mut rng).nanos()).collect();
        assert_eq!(Vec::from_iter(drawn), [3, 4, 5]);
    }
}
