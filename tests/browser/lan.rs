//! Computers with a browser each, on one network in virtual time. Every frame passes as bytes.

use std::collections::BTreeMap;

use mailslot_sim::app::browser::{Action, Browser, Event, Removal};
use mailslot_sim::message::browser::Frame;
use mailslot_sim::rng::Root;
use mailslot_sim::time::{Duration, Instant};
use mailslot_sim::wire::NetbiosName;

/// A computer's place in the network: `A` is 0.
pub(crate) type Host = usize;

/// Decides whether the copy from one host to another is lost that is sent now.
pub(crate) type Loss = Box<dyn FnMut(Instant, Host, Host) -> bool>;

pub(crate) struct Lan {
    pub(crate) hosts: Vec<Option<Browser>>,
    /// Who bears FARM<1D>.
    bearers: Vec<bool>,
    pub(crate) now: Instant,
    delay: Duration,
    loss: Loss,
    /// What is on its way, by arrival and order.
    flights: BTreeMap<(Instant, u64), Flight>,
    sent: u64,
    /// What was sent: when, by whom, to which suffix, what.
    pub(crate) trace: Vec<(Instant, Host, u8, Frame)>,
    /// What happened: when, where, what.
    pub(crate) events: Vec<(Instant, Host, Event)>,
    /// What each master heard last of each other: when, and for how long it is on the list.
    heard: BTreeMap<(Host, String), (Instant, Duration)>,
}

/// From whom, to which host under which name, what.
type Flight = (Host, Host, NetbiosName, Vec<u8>);

impl Lan {
    /// So many computers, none of them on.
    pub(crate) fn new(hosts: usize, delay: Duration, loss: Loss) -> Self {
        Lan {
            hosts: (0..hosts).map(|_| None).collect(),
            bearers: vec![false; hosts],
            now: Instant::ZERO,
            delay,
            loss,
            flights: BTreeMap::new(),
            sent: 0,
            trace: Vec::new(),
            events: Vec::new(),
            heard: BTreeMap::new(),
        }
    }

    /// All start at once, and nothing is lost or late.
    pub(crate) fn perfect(hosts: usize) -> Self {
        let mut lan = Lan::new(hosts, Duration::ZERO, Box::new(|_, _, _| false));
        (0..hosts).for_each(|host| lan.start(host, 0));
        lan
    }

    /// A computer starts now.
    pub(crate) fn start(&mut self, host: Host, seed: u64) {
        let rng = Root { seed, replication: 0 }.workload("browser", &name(host), "waits");
        let computer = NetbiosName::new(&name(host), 0).unwrap();
        self.hosts[host] = Some(Browser::start(self.now, computer, group(0), rng).unwrap());
        self.settle(host);
    }

    /// A computer crashes: nobody is told.
    pub(crate) fn crash(&mut self, host: Host) {
        self.hosts[host] = None;
        self.bearers[host] = false;
    }

    /// A computer shuts down.
    pub(crate) fn stop(&mut self, host: Host) {
        let now = self.now;
        self.browser(host).stop(now);
        self.settle(host);
        self.crash(host);
    }

    /// A frame of somebody else comes to a host, now.
    pub(crate) fn hand(&mut self, host: Host, from: &str, frame: &Frame) {
        let now = self.now;
        self.browser(host).handle_frame(now, NetbiosName::new(from, 0).unwrap(), frame);
        self.settle(host);
    }

    fn browser(&mut self, host: Host) -> &mut Browser {
        self.hosts[host].as_mut().expect("the host is on")
    }

    pub(crate) fn masters(&self) -> Vec<Host> {
        let is_master = |host: &Host| self.hosts[*host].as_ref().is_some_and(Browser::is_master);
        (0..self.hosts.len()).filter(is_master).collect()
    }

    /// The only master, and its list as letters.
    pub(crate) fn list(&self) -> (Host, String) {
        let [master] = self.masters()[..] else { panic!("at {:?} the masters are {:?}", self.now, self.masters()) };
        let servers = self.hosts[master].as_ref().unwrap().servers();
        (master, servers.map(ToString::to_string).collect())
    }

    /// Lets time pass until so long after the start, and everything happen that is due by then.
    pub(crate) fn run_until(&mut self, end: Duration) {
        let end = Instant::ZERO + end;
        loop {
            let timers = self.hosts.iter().flatten().map(Browser::poll_timeout).min();
            let arrival = self.flights.keys().next().map(|(at, _)| *at);
            let Some(next) = timers.into_iter().chain(arrival).min().filter(|next| *next <= end) else { break };
            assert!(next >= self.now, "time goes back");
            self.now = next;
            if arrival == Some(next) {
                self.deliver();
                continue;
            }
            for host in 0..self.hosts.len() {
                if let Some(browser) = self.hosts[host].as_mut().filter(|browser| browser.poll_timeout() <= next) {
                    browser.handle_timeout(next);
                    assert!(browser.poll_timeout() > next, "a timer that has expired is set again");
                    self.settle(host);
                }
            }
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        let (_, (from, host, to, data)) = self.flights.pop_first().unwrap();
        let frame = Frame::parse(&data).unwrap();
        let bears = to.suffix() != 0x1D || self.bearers[host];
        let Some(browser) = self.hosts[host].as_mut().filter(|_| bears) else { return };
        if let Frame::HostAnnouncement(announcement) = &frame
            && browser.is_master()
        {
            let period = Duration::from_millis(announcement.periodicity_ms.into());
            self.heard.insert((host, name(from)), (self.now, period));
        }
        browser.handle_frame(self.now, NetbiosName::new(&name(from), 0).unwrap(), &frame);
        self.settle(host);
    }

    /// Does what a browser wants done, and takes note of what happened.
    fn settle(&mut self, host: Host) {
        while let Some(action) = self.browser(host).poll_action() {
            match action {
                Action::Bear(name) => {
                    assert_eq!((name, self.bearers[host]), (group(0x1D), false));
                    self.bearers[host] = true;
                }
                Action::Disown(name) => {
                    assert_eq!((name, self.bearers[host]), (group(0x1D), true));
                    self.bearers[host] = false;
                }
                Action::Send { to, frame } => self.send(host, to, frame),
            }
        }
        let is_master = self.browser(host).is_master();
        assert_eq!(self.bearers[host], is_master);
        while let Some(event) = self.browser(host).poll_event() {
            self.check(host, &event);
            self.events.push((self.now, host, event));
        }
    }

    fn send(&mut self, from: Host, to: NetbiosName, frame: Frame) {
        let mut data = Vec::new();
        frame.emit(&mut data);
        for host in 0..self.hosts.len() {
            let is_member = to.characters() == group(0).characters();
            if !is_member && to.characters() != name(host).as_bytes() {
                continue;
            }
            let (lost, delay) = match host == from {
                true => (false, Duration::ZERO),
                false => ((self.loss)(self.now, from, host), self.delay),
            };
            if !lost {
                self.flights.insert((self.now + delay, self.sent), (from, host, to, data.clone()));
            }
            self.sent += 1;
        }
        self.trace.push((self.now, from, to.suffix(), frame));
    }

    /// A server is removed at the first whole second of the master's uptime after more than three periods without a word,
    /// never before, never later; and a new list is empty.
    fn check(&mut self, master: Host, event: &Event) {
        match event {
            Event::Removed { server, why: Removal::Expired } => {
                let (heard, period) = self.heard.remove(&(master, server.to_string())).expect("it was on the list");
                let silence = self.now.since(heard);
                let limit = period * 3;
                assert!(silence > limit && silence <= limit + Duration::from_secs(1), "{server}: {silence} of {limit}");
            }
            Event::Won => self.heard.retain(|(of, _), _| *of != master),
            Event::Heard { .. } | Event::Removed { .. } | Event::SteppedDown => {}
        }
    }
}

/// Whether the event is that a server's time on a list was over.
pub(crate) fn is_expiry(event: &Event) -> bool {
    matches!(event, Event::Removed { why: Removal::Expired, .. })
}

pub(crate) fn name(host: Host) -> String {
    char::from(b'A' + u8::try_from(host).unwrap()).to_string()
}

fn group(suffix: u8) -> NetbiosName {
    NetbiosName::new("FARM", suffix).unwrap()
}
