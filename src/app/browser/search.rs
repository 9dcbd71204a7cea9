//! How a browser that is no master finds out whether there is one.

use crate::time::{Duration, Instant};

/// How long a client waits for a GetBackupListResponse (MS-BRWS 3.1.6).
pub const BACKUP_LIST_TIMEOUT: Duration = Duration::from_secs(1);
/// How often a client asks before it forces an election (MS-BRWS 3.1.6 and note 30).
pub const BACKUP_LIST_TRIES: u32 = 3;
/// How long a browser waits for the LocalMasterAnnouncement that it asked for (MS-BRWS 3.3.2, FindMaster Timer).
pub const FIND_MASTER_TIMEOUT: Duration = Duration::from_millis(1500);
/// How often it asks before it forces an election (MS-BRWS note 49).
pub const FIND_MASTER_TRIES: u32 = 3;
/// A browser that has heard neither of the master nor of an election for so long looks for the master: a choice. By the
/// document backup browsers find out, every 12 minutes when they fetch the list over an SMB session, and clients when
/// somebody browses; neither is a mailslot message. The time is longer than that between two LocalMasterAnnouncements, and
/// what Windows NT took to notice (Resource Kit: within 15 minutes).
pub const MASTER_SILENCE: Duration = Duration::from_secs(15 * 60);

/// What it is waiting for, and until when.
#[derive(Debug)]
pub(super) struct Search {
    state: State,
    next: Instant,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// As a client it has asked the master for a list so many times.
    AskedForList(u32),
    /// As a browser it has asked the master to announce itself so many times.
    AskedForMaster(u32),
    /// There is a master, or will be one soon.
    Content,
}

/// What to do when the time is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    AskForList,
    AskForMaster,
    /// As a client: whoever is there shall elect a master.
    DemandElection,
    /// As a browser, which is a candidate itself.
    CallElection,
}

impl Search {
    /// A program that starts asks for a list (MS-BRWS 3.1.3), and has done so now.
    pub(super) fn new(now: Instant) -> Self {
        Search { state: State::AskedForList(1), next: now + BACKUP_LIST_TIMEOUT }
    }

    /// There was a sign of a master, or of an election, now.
    pub(super) fn content(now: Instant) -> Self {
        Search { state: State::Content, next: now + MASTER_SILENCE }
    }

    /// Whether an answer to the request for a list is awaited.
    pub(super) fn awaits_list(&self) -> bool {
        matches!(self.state, State::AskedForList(_))
    }

    /// When it goes on.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Goes on, if it is time.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Step> {
        if self.next > now {
            return None;
        }
        let (step, next) = match self.state {
            State::AskedForList(tries) if tries < BACKUP_LIST_TRIES => {
                self.state = State::AskedForList(tries + 1);
                (Step::AskForList, BACKUP_LIST_TIMEOUT)
            }
            State::Content => {
                self.state = State::AskedForMaster(1);
                (Step::AskForMaster, FIND_MASTER_TIMEOUT)
            }
            State::AskedForMaster(tries) if tries < FIND_MASTER_TRIES => {
                self.state = State::AskedForMaster(tries + 1);
                (Step::AskForMaster, FIND_MASTER_TIMEOUT)
            }
            State::AskedForList(_) => {
                self.state = State::Content;
                (Step::DemandElection, MASTER_SILENCE)
            }
            State::AskedForMaster(_) => {
                self.state = State::Content;
                (Step::CallElection, MASTER_SILENCE)
            }
        };
        self.next = now + next;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_answers() {
        let mut search = Search::new(Instant::ZERO);
        let mut steps = Vec::new();
        while steps.len() < 7 {
            let now = search.next();
            assert_eq!(search.expire(now - Duration::from_nanos(1)), None);
            steps.push((now.since(Instant::ZERO).nanos() / 1_000_000, search.expire(now).unwrap()));
        }
        let silence = 3000 + MASTER_SILENCE.nanos() / 1_000_000;
        assert_eq!(
            steps,
            [
                (1000, Step::AskForList),
                (2000, Step::AskForList),
                (3000, Step::DemandElection),
                (silence, Step::AskForMaster),
                (silence + 1500, Step::AskForMaster),
                (silence + 3000, Step::AskForMaster),
                (silence + 4500, Step::CallElection),
            ]
        );
    }
}
