//! A machine with several names and mailslots, and what it must do with a datagram.

use std::sync::Arc;

use mailslot_sim::mailslot::{
    Config, CreateOptions, Directory, Disposition, Event, Handle, Machine, NameKind, Read, ReassemblyKey,
};
use mailslot_sim::time::{Duration, Instant};
use mailslot_sim::wire::{NetbiosName, Profile};

use super::reader::{self, Section};

/// A machine that answers datagrams to names that it does not bear.
pub(crate) struct Receiver {
    machine: Machine,
    slots: Vec<(&'static str, Handle)>,
    scope: Vec<u8>,
}

impl Receiver {
    /// A machine in this scope that bears [`NAMES`] and has [`SLOTS`].
    pub(crate) fn new(profile: Profile, scope: &str) -> Self {
        let mut config = Config::new("RECEIVER", "NOWHERE", [192, 168, 1, 20].into()).unwrap();
        config.names = NAMES[2..].iter().map(|name| (name.parse().unwrap(), NameKind::Unique)).collect();
        config.scope = scope.parse().unwrap();
        config.profile = profile;
        config.datagram_errors = true;
        let scope = config.scope.as_labels().to_vec();
        let mut machine = Machine::new(config, Arc::new(Directory::default()));
        let slots = SLOTS.map(|slot| {
            let path = format!(r"\\.\mailslot\{slot}");
            (slot, machine.create_mailslot(&path, CreateOptions::default()).unwrap())
        });
        Receiver { machine, slots: slots.to_vec(), scope }
    }

    /// Gives a packet to the machine and checks what it leads to: the message of `datagram`, the type and data section of
    /// what the packet completes, is in the mailslot that it names, and nothing else is anywhere.
    ///
    /// # Panics
    ///
    /// If it is not so. A machine of the strict profile may refuse more.
    pub(crate) fn receive(&mut self, now_ms: u64, packet: &[u8], datagram: Option<(u8, &[u8])>) -> Disposition {
        let disposition = self.machine.handle_datagram(instant(now_ms), "192.168.1.10:138".parse().unwrap(), packet);
        let section = datagram.and_then(|(kind, bytes)| Some((kind, reader::section(bytes)?)));
        let expected = section.as_ref().and_then(|(_, section)| self.expected(section));
        let taken = matches!(disposition, Disposition::Enqueued(_));
        for (slot, handle) in &self.slots {
            let waiting = self.machine.info(*handle).unwrap().message_count;
            let due = expected.filter(|(name, _)| taken && name.eq_ignore_ascii_case(slot.as_bytes()));
            assert_eq!(waiting, u32::from(due.is_some()), "messages in {slot}: {disposition:?}");
            if let (Some((_, data)), Some((_, section))) = (due, &section) {
                let read = self.machine.read(instant(now_ms), *handle, usize::MAX);
                let Ok(Read::Done(message)) = read else { panic!("the message cannot be read: {read:?}") };
                assert_eq!((&message.data[..], message.source.as_bytes()), (data, &section.source.bytes));
            }
        }
        assert!(!taken || expected.is_some(), "nothing was for this machine");
        let refused = section.as_ref().is_some_and(|(kind, section)| *kind == UNIQUE && !self.bears(section));
        let mut reply = Vec::new();
        assert_eq!(self.machine.poll_transmit(&mut reply).is_some(), refused, "the answer is {reply:?}");
        assert_eq!((reply.len(), self.machine.poll_transmit(&mut Vec::new())), (if refused { 11 } else { 0 }, None));
        disposition
    }

    /// The mailslot and message that a data section has for this machine.
    pub(crate) fn expected<'a>(&self, section: &Section<'a>) -> Option<(&'a [u8], &'a [u8])> {
        let (slot, data) = reader::write(section.user_data)?;
        let is_here = self.slots.iter().any(|(name, _)| name.as_bytes().eq_ignore_ascii_case(slot));
        (is_here && self.bears(section)).then_some((slot, data))
    }

    /// Tells the machine the time.
    pub(crate) fn tell(&mut self, now_ms: u64) {
        self.machine.handle_timeout(instant(now_ms));
    }

    /// The datagrams whose fragments wait no longer.
    pub(crate) fn ended(&mut self) -> Vec<ReassemblyKey> {
        let ended = |event| match event {
            Event::ReassemblyDone { key, .. } => key,
            other => panic!("nothing else waits: {other:?}"),
        };
        std::iter::from_fn(|| self.machine.poll_event()).map(ended).collect()
    }

    fn bears(&self, section: &Section<'_>) -> bool {
        let destination = NetbiosName::from_bytes(section.destination.bytes);
        let bears = NAMES.iter().any(|name| name.parse() == Ok(destination)) || destination == NetbiosName::ANY;
        bears && section.destination.scope.eq_ignore_ascii_case(&self.scope)
    }
}

fn instant(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// The names of the machine.
const NAMES: [&str; 8] = [
    "RECEIVER<00>",
    "NOWHERE<00>",
    "SERVER1<00>",
    "WORKGROUP<00>",
    "WORKGROUP<1D>",
    "WORKGROUP<1E>",
    "CORP<1C>",
    "<01><02>__MSBROWSE__<02><01>",
];
/// Its mailslots.
const SLOTS: [&str; 8] =
    ["TEST", "SLOTNAM8", "ABCD", "BROWSE", "LANMAN", r"NET\NETLOGON", r"Taxes\Bobs_Comments", r"test1\sample_mailslot"];
/// DIRECT_UNIQUE: what such a datagram says about a missing name is answered.
const UNIQUE: u8 = 0x10;
