//! The browser of one computer: what it makes of frames and of time.

use std::collections::VecDeque;

use rand_chacha::ChaCha8Rng;

use super::calls::{Action, Event, Removal};
use super::election::{self, Campaign, Outcome};
use super::list::ServerList;
use super::schedule::{HOST_ANNOUNCEMENT_PERIODS, LOCAL_MASTER_ANNOUNCEMENT_PERIODS, Schedule};
use super::search::{Search, Step};
use crate::message::InvalidText;
use crate::message::PaddedName;
use crate::message::browser::{
    Announcement, AnnouncementRequest, BackupList, Comment, Criteria, Election, Frame, HostName, SUFFIX_BROWSERS,
    SUFFIX_LOCAL_MASTER, ServerType, Version,
};
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;

/// The longest wait before an AnnouncementRequest is answered: any time up to it, so that not all answer at once
/// (MS-BRWS 3.2.5.1).
pub const MAX_ANSWER_DELAY: Duration = Duration::from_secs(30);
/// The version of the operating system in announcements, that of Windows 7 (MS-BRWS note 4): a choice. Nobody looks at it.
pub const OS_VERSION: Version = Version { major: 6, minor: 1 };

/// The browser service of one computer: see the [module](super).
///
/// All computers are equal here: none is a domain controller or a preferred master, so elections between them are decided
/// by who is master already, then by who runs for longer, then by name.
///
/// Where MS-BRWS contradicts itself, and so by choice: a browser becomes master when it has won (3.3.6), not when it is
/// better than the first candidate (3.3.5.8); a master that hears another calls an election (3.3.5.8) and does not ignore
/// it (3.3.5.2); the request of a new master goes to group<00> (2.2.2), not to group<1E> (3.3.6). Where it is silent, also by
/// choice: a master that steps down forgets its list, so a new one begins with an empty list, but for itself; it
/// announces itself at each victory, and at once whenever announcements are requested, since a frame does not say to
/// which of its names it was sent.
#[derive(Debug)]
pub struct Browser {
    computer: NetbiosName,
    group: NetbiosName,
    name: HostName,
    padded_name: PaddedName,
    boot: Instant,
    rng: ChaCha8Rng,
    announcements: Schedule,
    /// When an AnnouncementRequest is answered.
    answer: Option<Instant>,
    role: Role,
    campaign: Option<Campaign>,
    /// The token of the latest request for a list.
    token: u32,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

#[derive(Debug)]
enum Role {
    Potential(Search),
    Master { list: ServerList, announcements: Schedule },
}

impl Browser {
    /// The service starts now on the computer with this name, in this domain or workgroup (suffixes do not matter).
    /// `rng` draws its waits.
    ///
    /// # Errors
    ///
    /// If there is a NUL in the computer's name.
    pub fn start(
        now: Instant,
        computer: NetbiosName,
        group: NetbiosName,
        rng: ChaCha8Rng,
    ) -> Result<Self, InvalidText> {
        let characters = computer.characters().to_ascii_uppercase();
        let mut browser = Browser {
            computer: computer.with_suffix(SUFFIX_WORKSTATION),
            group: group.with_suffix(SUFFIX_WORKSTATION),
            name: HostName::new(&characters)?,
            padded_name: PaddedName::new(&characters)?,
            boot: now,
            rng,
            announcements: Schedule::new(now, &HOST_ANNOUNCEMENT_PERIODS),
            answer: None,
            role: Role::Potential(Search::new(now)),
            campaign: None,
            token: 0,
            actions: VecDeque::new(),
            events: VecDeque::new(),
        };
        browser.announce(now);
        browser.ask_for_list();
        Ok(browser)
    }

    /// The service stops (MS-BRWS 3.2.7, 3.3.7): it says farewell, and a master demands that another is elected. After
    /// what [`Browser::poll_action`] gives then, the browser is to be dropped. A computer that crashes does not come to this.
    pub fn stop(&mut self, now: Instant) {
        let frame = Frame::HostAnnouncement(self.announcement(Duration::ZERO, ServerType::default()));
        self.send(SUFFIX_LOCAL_MASTER, frame);
        if self.is_master() {
            self.demand_election(now);
            self.step_down(now);
        }
    }

    /// Takes a frame that the machine called `source` wrote. Frames that are not well formed are to be ignored.
    pub fn handle_frame(&mut self, now: Instant, source: NetbiosName, frame: &Frame) {
        if source.with_suffix(SUFFIX_WORKSTATION) == self.computer {
            return; // what a machine writes to a group comes back to it
        }
        match frame {
            Frame::HostAnnouncement(announcement) => self.hear_server(now, announcement),
            Frame::AnnouncementRequest(_) => {
                self.answer = Some(now + election::between([Duration::ZERO, MAX_ANSWER_DELAY], &mut self.rng));
                self.announce_master(); // for the frame does not say which name it was sent to
            }
            Frame::RequestElection(candidate) => self.hear_candidate(now, candidate),
            Frame::GetBackupListRequest { token, .. } if self.is_master() => {
                let list = BackupList::new(*token, vec![self.name.clone()]).expect("one name is not too many");
                let to = source.with_suffix(SUFFIX_WORKSTATION);
                self.actions.push_back(Action::Send { to, frame: Frame::GetBackupListResponse(list) });
            }
            Frame::GetBackupListResponse(list) => {
                if let Role::Potential(search) = &mut self.role
                    && search.awaits_list()
                    && list.token() == self.token
                {
                    *search = Search::content(now);
                }
            }
            Frame::LocalMasterAnnouncement(announcement) => match &mut self.role {
                Role::Potential(search) => *search = Search::content(now),
                Role::Master { .. } => self.defend(now, announcement),
            },
            Frame::GetBackupListRequest { .. }
            | Frame::BecomeBackup(_)
            | Frame::DomainAnnouncement(_)
            | Frame::MasterAnnouncement(_)
            | Frame::ResetStateRequest(_) => {}
        }
    }

    /// When [`Browser::handle_timeout`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let campaign = self.campaign.as_ref().map(Campaign::next);
        let (role, expiry) = match &self.role {
            Role::Potential(search) => (search.next(), None),
            Role::Master { list, announcements } => (announcements.next(), list.next_expiry()),
        };
        let times = [self.answer, campaign, Some(role), expiry];
        times.into_iter().flatten().fold(self.announcements.next(), Instant::min)
    }

    /// Does what is due at `now`. A timer that is long over, since the machine slept, say, expires once.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.forget_servers(now);
        let answers = self.answer.take_if(|answer| *answer <= now).is_some();
        if self.announcements.expire(now) || answers {
            self.announce(now);
        }
        if self.campaign.as_ref().is_some_and(|campaign| campaign.next() <= now) {
            self.campaign(now);
        }
        match &mut self.role {
            Role::Potential(search) => match search.expire(now) {
                Some(Step::AskForList) => self.ask_for_list(),
                Some(Step::AskForMaster) => self.request_announcements(SUFFIX_LOCAL_MASTER),
                Some(Step::DemandElection) => {
                    self.demand_election(now);
                    self.stand(now);
                }
                Some(Step::CallElection) => self.call_election(now),
                None => {}
            },
            Role::Master { announcements, .. } => {
                if announcements.expire(now) {
                    self.announce_master();
                }
            }
        }
    }

    /// What to do next; `None` when there is nothing.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next event, in the order in which they happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether it is the master of its group, in its own eyes.
    #[must_use]
    pub fn is_master(&self) -> bool {
        matches!(self.role, Role::Master { .. })
    }

    /// The list that it keeps as a master, itself included, by name; empty if it is none.
    pub fn servers(&self) -> impl Iterator<Item = &HostName> {
        let list = match &self.role {
            Role::Master { list, .. } => Some(list.names()),
            Role::Potential(_) => None,
        };
        list.into_iter().flatten()
    }

    /// Announces this computer.
    fn announce(&mut self, now: Instant) {
        let period = self.announcements.period();
        let frame = Frame::HostAnnouncement(self.announcement(period, self.server_type()));
        self.send(SUFFIX_LOCAL_MASTER, frame);
        self.list(now, &self.name.clone(), period);
    }

    /// A master announces itself to the browsers; others do not.
    fn announce_master(&mut self) {
        if let Role::Master { announcements, .. } = &self.role {
            let mut announcement = self.announcement(announcements.period(), self.server_type());
            announcement.browser_version = Version::LOCAL_MASTER;
            self.send(SUFFIX_BROWSERS, Frame::LocalMasterAnnouncement(announcement));
        }
    }

    fn announcement(&self, periodicity: Duration, server_type: ServerType) -> Announcement {
        Announcement {
            update_count: 0,
            periodicity_ms: (periodicity.nanos() / 1_000_000) as u32, // of minutes
            server_name: self.padded_name,
            os_version: OS_VERSION,
            server_type,
            browser_version: Version::BROWSER,
            comment: Comment::default(),
        }
    }

    fn server_type(&self) -> ServerType {
        let server = ServerType::WORKSTATION | ServerType::SERVER | ServerType::NT | ServerType::POTENTIAL_BROWSER;
        if self.is_master() { server | ServerType::MASTER_BROWSER } else { server }
    }

    fn ask_for_list(&mut self) {
        self.token = self.token.wrapping_add(1);
        let frame = Frame::GetBackupListRequest { count: BACKUP_LIST_COUNT, token: self.token };
        self.send(SUFFIX_LOCAL_MASTER, frame);
    }

    fn request_announcements(&mut self, of: u8) {
        let request = AnnouncementRequest { reserved: 0, response_name: self.name.clone().into() };
        self.send(of, Frame::AnnouncementRequest(request));
    }

    /// A server announces itself to masters.
    fn hear_server(&mut self, now: Instant, announcement: &Announcement) {
        let Role::Master { list, .. } = &mut self.role else { return };
        let Ok(server) = HostName::new(announcement.server_name.characters().to_ascii_uppercase()) else { return };
        if server == self.name {
            return; // it knows better
        }
        if announcement.server_type == ServerType::default() {
            if list.remove(&server) {
                self.events.push_back(Event::Removed { server, why: Removal::Left });
            }
            return;
        }
        self.list(now, &server, Duration::from_millis(announcement.periodicity_ms.into()));
        self.defend(now, announcement);
    }

    /// Puts a server on the list, or renews its entry, if there is a list.
    fn list(&mut self, now: Instant, server: &HostName, periodicity: Duration) {
        let Role::Master { list, .. } = &mut self.role else { return };
        if let Some(is_new) = list.hear(now, server, periodicity) {
            self.events.push_back(Event::Heard { server: server.clone(), is_new, periodicity });
        }
    }

    fn forget_servers(&mut self, now: Instant) {
        let Role::Master { list, .. } = &mut self.role else { return };
        while let Some(server) = list.expire(now) {
            self.events.push_back(Event::Removed { server, why: Removal::Expired });
        }
    }

    /// Another machine may say that it is the master: a master calls an election then (MS-BRWS 3.3.5.8).
    fn defend(&mut self, now: Instant, announcement: &Announcement) {
        if announcement.server_type.contains(ServerType::MASTER_BROWSER) {
            self.call_election(now);
        }
    }

    /// A candidate is heard: it is better, and this browser is out, or it is worse, and this one stands against it.
    fn hear_candidate(&mut self, now: Instant, candidate: &Election) {
        if !election::beats(&self.candidate(now), candidate) {
            return self.lose(now);
        }
        match &mut self.campaign {
            Some(campaign) => campaign.rivalled(),
            None => self.stand(now),
        }
    }

    /// How this browser presents itself in an election.
    fn candidate(&self, now: Instant) -> Election {
        let uptime = now.since(self.boot).nanos() / Duration::from_secs(1).nanos();
        Election {
            version: ELECTION_VERSION,
            criteria: election::criteria(self.is_master()),
            uptime: u32::try_from(uptime).unwrap_or(u32::MAX),
            unused: 0,
            server_name: self.name.clone(),
        }
    }

    /// As a client that finds no master, or a master that goes: anybody is better (MS-BRWS note 30 and 3.3.7).
    fn demand_election(&mut self, now: Instant) {
        let frame = Election { version: 0, criteria: Criteria::default(), ..self.candidate(now) };
        self.send(SUFFIX_BROWSERS, Frame::RequestElection(frame));
    }

    /// As a candidate.
    fn call_election(&mut self, now: Instant) {
        self.send(SUFFIX_BROWSERS, Frame::RequestElection(self.candidate(now)));
        self.stand(now);
    }

    /// Takes part in the election that goes on.
    fn stand(&mut self, now: Instant) {
        let is_master = self.is_master();
        if let Role::Potential(search) = &mut self.role {
            *search = Search::content(now);
        }
        if self.campaign.is_none() {
            self.campaign = Some(Campaign::new(now, is_master, &mut self.rng));
        }
    }

    /// Sends as a candidate.
    fn campaign(&mut self, now: Instant) {
        self.send(SUFFIX_BROWSERS, Frame::RequestElection(self.candidate(now)));
        match self.campaign.as_mut().map(|campaign| campaign.sent(now, &mut self.rng)) {
            Some(Outcome::Won) => self.win(now),
            Some(Outcome::Lost) => self.lose(now),
            Some(Outcome::Open) | None => {}
        }
    }

    fn win(&mut self, now: Instant) {
        self.campaign = None;
        let schedule = Schedule::new(now, &LOCAL_MASTER_ANNOUNCEMENT_PERIODS);
        match &mut self.role {
            Role::Master { announcements, .. } => *announcements = schedule,
            Role::Potential(_) => {
                self.role = Role::Master { list: ServerList::new(self.boot), announcements: schedule };
                self.actions.push_back(Action::Bear(self.group.with_suffix(SUFFIX_LOCAL_MASTER)));
                self.events.push_back(Event::Won);
                self.list(now, &self.name.clone(), self.announcements.period());
                self.request_announcements(SUFFIX_WORKSTATION);
            }
        }
        self.announce_master();
    }

    fn lose(&mut self, now: Instant) {
        self.campaign = None;
        match &mut self.role {
            Role::Potential(search) => *search = Search::content(now),
            Role::Master { .. } => self.step_down(now),
        }
    }

    fn step_down(&mut self, now: Instant) {
        self.role = Role::Potential(Search::content(now));
        self.actions.push_back(Action::Disown(self.group.with_suffix(SUFFIX_LOCAL_MASTER)));
        self.events.push_back(Event::SteppedDown);
    }

    /// Writes a frame to the group, under the name with this suffix.
    fn send(&mut self, suffix: u8, frame: Frame) {
        self.actions.push_back(Action::Send { to: self.group.with_suffix(suffix), frame });
    }
}

/// How many backup browsers a client asks for (MS-BRWS note 15).
const BACKUP_LIST_COUNT: u8 = 4;
/// The version in RequestElections of candidates (MS-BRWS 2.2.3).
const ELECTION_VERSION: u8 = 1;
