//! The machine: its handles and slots, and the calls of the Win32 API on them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::WAIT_FOREVER;
use super::calls::{
    Access, Account, ApiProfile, CreateOptions, Event, Handle, MailslotInfo, OpenOptions, ProcessId, Read, ReadId,
    WriteId,
};
use super::choices::{
    CLIENT_READ_ERROR, CLIENT_SET_ERROR, CLOSED_READ_ERROR, CLOSED_SLOT_ERROR, EMPTY_NAME_ERROR,
    REMOTE_DISABLED_AT_OPEN,
};
use super::config::Config;
use super::error::Win32Error;
use super::objects::{Client, Object, Objects, Target};
use super::path::{InvalidPath, MailslotPath, Server, SlotName};
use super::reassembly::Reassemblies;
use super::slot::{Message, PendingRead, Slot};
use super::transmit::{PendingWrite, Transmit};
use crate::names::{self, Mode, NameKind, NameService, Owner};
use crate::time::{Duration, Instant};
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;

/// One machine with its mailslots: see the [module](super).
#[derive(Debug)]
pub struct Machine {
    pub(super) config: Config,
    pub(super) names: NameService,
    /// Names of others whose datagrams it takes too.
    heard: BTreeSet<NetbiosName>,
    pub(super) slots: BTreeMap<u64, Slot>,
    slot_keys: BTreeMap<SlotName, u64>,
    pub(super) objects: Objects,
    /// Pending reads that do not wait forever, by deadline; the last number is the slot's key.
    deadlines: BTreeSet<(Instant, ReadId, u64)>,
    pub(super) reassemblies: Reassemblies,
    pub(super) events: VecDeque<Event>,
    /// Writes whose target is being looked up, in the order of the calls.
    pub(super) unresolved: Vec<PendingWrite>,
    pub(super) transmits: VecDeque<(Transmit, Vec<u8>)>,
    pub(super) spare_packet: Option<Vec<u8>>,
    next_number: u64,
    pub(super) next_receipt: u64,
    pub(super) next_datagram_id: u16,
}

impl Machine {
    /// A machine without mailslots. `mode` is how it finds the names of others; an `Arc` of a
    /// [`Directory`](crate::names::Directory) will do.
    #[must_use]
    pub fn new(config: Config, mode: impl Into<Mode>) -> Self {
        let own: Vec<_> = config.own_names().collect();
        let service = names::Config {
            address: config.address,
            scope: config.scope.clone(),
            mode: mode.into(),
            is_server: config.is_name_server,
        };
        Machine {
            names: NameService::new(service, own),
            config,
            heard: BTreeSet::new(),
            slots: BTreeMap::new(),
            slot_keys: BTreeMap::new(),
            objects: Objects::new(),
            deadlines: BTreeSet::new(),
            reassemblies: Reassemblies::default(),
            events: VecDeque::new(),
            unresolved: Vec::new(),
            transmits: VecDeque::new(),
            spare_packet: None,
            next_number: 1,
            next_receipt: 0,
            next_datagram_id: 1,
        }
    }

    /// Creates a mailslot and opens it for reading (`CreateMailslot`).
    ///
    /// # Errors
    ///
    /// `PathNotFound` for an empty name (a NULL pointer), one beyond [`MAX_PATH_CHARACTERS`](super::MAX_PATH_CHARACTERS)
    /// or one of a device that does not exist; [`EMPTY_NAME_ERROR`]; `InvalidName` for whatever else is not a local
    /// mailslot path; `AlreadyExists` when the name is in use.
    pub fn create_mailslot(&mut self, path: &str, options: CreateOptions) -> Result<Handle, Win32Error> {
        let path = parse(path)?;
        if path.server != Server::Local {
            return Err(Win32Error::InvalidName);
        }
        self.objects.account(options.process)?;
        if self.slot_keys.contains_key(&path.slot) {
            return Err(Win32Error::AlreadyExists);
        }
        let key = self.number();
        self.slot_keys.insert(path.slot.clone(), key);
        self.slots.insert(key, Slot::new(path.slot, options));
        Ok(self.objects.open(Object::Server(key), options.process, options.inheritable))
    }

    /// Opens a mailslot for writing (`CreateFile`). A remote path opens whether or not anything is there.
    ///
    /// # Errors
    ///
    /// `PathNotFound` and `InvalidName` as for [`Machine::create_mailslot`]. Local: `FileNotFound` when the slot does not
    /// exist; `AccessDenied` when its descriptor does not let the process write; `SharingViolation` under
    /// [`ApiProfile::Xp`] when the share modes of two opens do not agree. Remote: [`REMOTE_DISABLED_AT_OPEN`] when a
    /// policy says so.
    pub fn open(&mut self, path: &str, options: OpenOptions) -> Result<Handle, Win32Error> {
        let path = parse(path)?;
        let name = match path.server {
            Server::Local => return self.open_local(&path.slot, options),
            Server::PrimaryDomain => self.config.domain,
            Server::Named(name) => NetbiosName::new(&name, SUFFIX_WORKSTATION).map_err(|_| Win32Error::InvalidName)?,
        };
        self.open_name(name, &path.slot, options)
    }

    fn open_local(&mut self, slot: &SlotName, options: OpenOptions) -> Result<Handle, Win32Error> {
        let account = self.objects.account(options.process)?;
        let key = *self.slot_keys.get(slot).ok_or(Win32Error::FileNotFound)?;
        let OpenOptions { access, share, .. } = options;
        let writers = self.slots[&key].options.writers;
        if access.write && writers.is_some_and(|writers| writers != account) {
            return Err(Win32Error::AccessDenied);
        }
        if self.config.api == ApiProfile::Xp && !self.objects.shares(key, access, share) {
            return Err(Win32Error::SharingViolation);
        }
        let client = Client { target: Target::Slot(key), access, share };
        Ok(self.objects.open(Object::Client(client), options.process, options.inheritable))
    }

    /// Opens the mailslots called `slot` of whoever bears a NetBIOS name with any suffix, as the browser service does;
    /// the path of a file cannot say the suffix.
    ///
    /// # Errors
    ///
    /// [`REMOTE_DISABLED_AT_OPEN`], as for [`Machine::open`].
    pub fn open_name(
        &mut self,
        name: NetbiosName,
        slot: &SlotName,
        options: OpenOptions,
    ) -> Result<Handle, Win32Error> {
        let OpenOptions { access, share, process, inheritable } = options;
        self.objects.account(process)?;
        if self.config.remote_mailslots_disabled {
            return Err(REMOTE_DISABLED_AT_OPEN);
        }
        let wire_slot = slot.to_wire().ok().map(Into::into);
        let client = Client { target: Target::Remote { name, wire_slot }, access, share };
        Ok(self.objects.open(Object::Client(client), process, inheritable))
    }

    /// Reads the next message (`ReadFile` on a server handle), or waits for it as long as the slot's time-out says: the
    /// overlapped form, which a driver turns into a blocking one by waiting for the event.
    ///
    /// Reads that wait are served in the order in which they came; one message completes one read.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`; on a client handle `AccessDenied`, or [`CLIENT_READ_ERROR`] if it was opened for reading too;
    /// `InsufficientBuffer` when the next message is longer than `buffer` bytes (it stays); `SemTimeout` when there is
    /// none and the time-out is 0.
    pub fn read(&mut self, now: Instant, handle: Handle, buffer: usize) -> Result<Read, Win32Error> {
        let (key, process) = match self.objects.get_owned(handle)? {
            (Object::Server(key), process) => (*key, process),
            (Object::Client(Client { access: Access { read: true, .. }, .. }), _) => {
                return Err(CLIENT_READ_ERROR);
            }
            (Object::Client(_), _) => return Err(Win32Error::AccessDenied),
        };
        let slot = self.open_slot(key);
        if let Some(result) = slot.read(buffer) {
            return result.map(Read::Done);
        }
        let deadline = match slot.options.read_timeout_ms {
            0 => return Err(Win32Error::SemTimeout),
            WAIT_FOREVER => None,
            millis => Some(now + Duration::from_millis(millis.into())),
        };
        let id = ReadId(self.number());
        self.open_slot(key).wait(PendingRead { id, process, buffer, deadline });
        self.deadlines.extend(deadline.map(|deadline| (deadline, id, key)));
        Ok(Read::Pending(id))
    }

    /// Ends with `OperationAborted` the waiting reads that the handle's process began on its mailslot, or its
    /// pending writes through what a client handle stands for (`CancelIo`).
    ///
    /// # Errors
    ///
    /// `InvalidHandle`.
    pub fn cancel(&mut self, handle: Handle) -> Result<(), Win32Error> {
        let (object, process) = self.objects.place(handle)?;
        match *self.objects.get(handle)? {
            Object::Server(key) => self.abort(key, Win32Error::OperationAborted, |read| read.process == process),
            Object::Client(_) => self.abort_writes(|write| (write.object, write.process) == (object, process)),
        }
        Ok(())
    }

    /// Ends one waiting read with `OperationAborted` (`CancelIoEx`); nothing happens if it has completed already.
    pub fn cancel_read(&mut self, id: ReadId) {
        let waits = |(key, slot): (&u64, &Slot)| slot.awaits(id).then_some(*key);
        if let Some(key) = self.slots.iter().find_map(waits) {
            self.abort(key, Win32Error::OperationAborted, |read| read.id == id);
        }
    }

    /// Puts a message back that completed a waiting read whose caller has gone meanwhile: the next waiting read gets it, or
    /// it comes to its old place in the queue. It is lost if the slot has been closed.
    ///
    /// A driver needs it to make waiting for a message cancellable; no program could do it.
    pub fn unread(&mut self, handle: Handle, message: Message) {
        let Ok(Object::Server(key)) = self.objects.get(handle) else { return };
        self.put(*key, message, Slot::put_back);
    }

    /// Ends one pending write with `OperationAborted` (`CancelIoEx`); nothing happens if it has completed already.
    pub fn cancel_write(&mut self, id: WriteId) {
        self.abort_writes(|write| write.id == id);
    }

    /// Tells about a mailslot (`GetMailslotInfo`). A client handle of a local slot is answered too under
    /// [`ApiProfile::Vista`] (Windows 8 and later do so).
    ///
    /// # Errors
    ///
    /// `InvalidHandle`; `InvalidParameter` on any other client handle; [`CLOSED_SLOT_ERROR`].
    pub fn info(&self, handle: Handle) -> Result<MailslotInfo, Win32Error> {
        let key = match self.objects.get(handle)? {
            Object::Server(key) => key,
            Object::Client(Client { target: Target::Slot(key), .. }) if self.config.api == ApiProfile::Vista => key,
            Object::Client(_) => return Err(Win32Error::InvalidParameter),
        };
        self.slots.get(key).map(Slot::info).ok_or(CLOSED_SLOT_ERROR)
    }

    /// Sets how long later reads of the slot wait (`SetMailslotInfo`); reads that wait already keep their deadline.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`; [`CLIENT_SET_ERROR`] on a client handle.
    pub fn set_read_timeout(&mut self, handle: Handle, millis: u32) -> Result<(), Win32Error> {
        let Object::Server(key) = *self.objects.get(handle)? else { return Err(CLIENT_SET_ERROR) };
        self.open_slot(key).options.read_timeout_ms = millis;
        Ok(())
    }

    /// A second handle to the same thing, in the same process and not inheritable (`DuplicateHandle`); a slot lives
    /// until the last server handle closes.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`.
    pub fn duplicate(&mut self, handle: Handle) -> Result<Handle, Win32Error> {
        let (_, process) = self.objects.place(handle)?;
        self.duplicate_into(handle, process, false)
    }

    /// A second handle to the same thing in any process (`DuplicateHandle`).
    ///
    /// # Errors
    ///
    /// `InvalidHandle`; [`NO_PROCESS_ERROR`](super::choices::NO_PROCESS_ERROR).
    pub fn duplicate_into(
        &mut self,
        handle: Handle,
        process: ProcessId,
        inheritable: bool,
    ) -> Result<Handle, Win32Error> {
        self.objects.duplicate(handle, process, inheritable)
    }

    /// Says whether child processes inherit a handle (`SetHandleInformation`).
    ///
    /// # Errors
    ///
    /// `InvalidHandle`.
    pub fn set_inheritable(&mut self, handle: Handle, inheritable: bool) -> Result<(), Win32Error> {
        self.objects.set_inheritable(handle, inheritable)
    }

    /// Closes a handle (`CloseHandle`). With the last server handle the slot goes: reads that wait are aborted, unread
    /// messages are deleted, client handles are dead, the name is free.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`.
    pub fn close(&mut self, handle: Handle) -> Result<(), Win32Error> {
        if let Some(Object::Server(key)) = self.objects.close(handle)? {
            self.abort(key, CLOSED_READ_ERROR, |_| true);
            let slot = self.slots.remove(&key).expect("the last server handle kept the slot open");
            self.slot_keys.remove(&slot.name);
            let unread: Vec<_> = slot.unread().collect();
            if !unread.is_empty() {
                self.events.push_back(Event::SlotClosed { unread });
            }
        }
        Ok(())
    }

    /// Starts a process (`CreateProcess`). With `inherit` it gets a handle of its own for every inheritable one of its
    /// parent; the pairs are (parent's, child's).
    ///
    /// # Errors
    ///
    /// [`NO_PROCESS_ERROR`](super::choices::NO_PROCESS_ERROR) if the parent is not there.
    pub fn create_process(
        &mut self,
        parent: ProcessId,
        account: Account,
        inherit: bool,
    ) -> Result<(ProcessId, Vec<(Handle, Handle)>), Win32Error> {
        self.objects.create_process(parent, account, inherit)
    }

    /// Ends a process (`ExitProcess`): its waiting reads are aborted and its handles closed.
    ///
    /// # Errors
    ///
    /// [`NO_PROCESS_ERROR`](super::choices::NO_PROCESS_ERROR).
    pub fn exit_process(&mut self, process: ProcessId) -> Result<(), Win32Error> {
        let handles = self.objects.exit_process(process)?;
        let keys: Vec<u64> = self.slots.keys().copied().collect();
        keys.into_iter().for_each(|key| self.abort(key, CLOSED_READ_ERROR, |read| read.process == process));
        self.abort_writes(|write| write.process == process);
        handles.into_iter().try_for_each(|handle| self.close(handle))
    }

    /// Changes how many transports the machine is on (from 1): network adapters come and go.
    pub fn set_transports(&mut self, transports: u8) {
        self.config.transports = transports;
    }

    /// Lets the policy on remote mailslots change: [`Config::remote_mailslots_disabled`].
    pub fn set_remote_mailslots_disabled(&mut self, disabled: bool) {
        self.config.remote_mailslots_disabled = disabled;
    }

    /// Takes datagrams to a NetBIOS name of others too, as one who listens on the wire: the machine does not bear it,
    /// and says nothing about it to anybody.
    pub fn hear(&mut self, name: NetbiosName) {
        self.heard.insert(name);
    }

    /// Whether it takes datagrams to a NetBIOS name.
    pub(super) fn hears(&self, name: &NetbiosName) -> bool {
        self.names.holds(name) || self.heard.contains(name)
    }

    /// Stops bearing a NetBIOS name, without a word to anybody: another program of the same computer bears it.
    pub fn disown_name(&mut self, name: &NetbiosName) {
        self.names.disown(name);
    }

    /// Says from which port the driver sends the packets of the name service, where it is not 137: what comes from 137
    /// of this machine's address is then another program's, and not an own broadcast that is heard again.
    pub fn set_name_port(&mut self, port: u16) {
        self.names.set_port(port);
    }

    /// What the machine is called and how it behaves.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Asks for a further NetBIOS name: [`Event::NameRegistered`] or [`Event::NameRefused`] follows.
    pub fn register_name(&mut self, now: Instant, name: NetbiosName, kind: NameKind) {
        self.names.register(now, name, kind);
        self.handle_name_events(now);
    }

    /// Claims the names of the configuration, as a machine does that starts: until nobody has objected it does not bear
    /// them. For each of the names that are returned [`Event::NameRegistered`] or [`Event::NameRefused`] follows.
    pub fn claim_names(&mut self, now: Instant) -> Vec<NetbiosName> {
        let own: BTreeMap<_, _> = self.config.own_names().collect();
        for (name, kind) in &own {
            self.names.disown(name);
            self.names.register(now, *name, *kind);
        }
        self.handle_name_events(now);
        own.into_keys().collect()
    }

    /// Leaves the domain for another: gives its name up, and asks for the other's as [`Machine::register_name`] does. Handles
    /// to `\\\\*` that are open stand for the old domain still.
    pub fn join_domain(&mut self, now: Instant, domain: NetbiosName) {
        let old = std::mem::replace(&mut self.config.domain, domain);
        if self.config.own_names().all(|(name, _)| name != old) {
            self.release_name(now, old);
        }
        self.register_name(now, domain, NameKind::Group);
    }

    /// Gives a NetBIOS name up at once, and says so to the network.
    pub fn release_name(&mut self, now: Instant, name: NetbiosName) {
        self.names.release(now, name);
        self.handle_name_events(now);
    }

    /// Fills the database of a name server, as if `owner` had registered `name` before; other machines have none.
    pub fn learn_name(&mut self, name: NetbiosName, owner: Owner) {
        self.names.learn(name, owner);
    }

    /// Remembers for ten minutes who bears a name, as if it had been looked up: whoever sent a message may not answer
    /// queries.
    pub fn remember_name(&mut self, now: Instant, name: NetbiosName, owner: Owner) {
        self.names.remember(now, name, owner);
    }

    /// When [`Machine::handle_timeout`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let read = self.deadlines.first().map(|(deadline, ..)| *deadline);
        read.into_iter().chain(self.reassemblies.deadline()).chain(self.names.poll_timeout()).min()
    }

    /// Ends the reads whose time is over at `now`, gives up fragments that waited too long for the rest, and repeats or
    /// gives up what the name service asked.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.names.handle_timeout(now);
        self.handle_name_events(now);
        while let Some(key) = self.reassemblies.expire(now) {
            self.events.push_back(Event::ReassemblyDone { key, complete: false });
        }
        while let Some(&(deadline, id, key)) = self.deadlines.first()
            && deadline <= now
        {
            for read in self.open_slot(key).withdraw(|read| read.id == id) {
                self.complete(key, &read, Err(Win32Error::SemTimeout));
            }
        }
    }

    /// The next event, in the order in which they happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Ends a pending read of the slot with this key.
    pub(super) fn complete(&mut self, key: u64, read: &PendingRead, result: Result<Message, Win32Error>) {
        if let Some(deadline) = read.deadline {
            self.deadlines.remove(&(deadline, read.id, key));
        }
        self.events.push_back(Event::ReadDone { id: read.id, result });
    }

    /// The key of the open slot with this name, in any case. Names on the wire are ASCII (MS-MAIL 2.2.1).
    pub(super) fn slot_named(&self, leaf: &[u8]) -> Option<u64> {
        let mut lower = [0; MAX_LEAF];
        let lower = lower.get_mut(..leaf.len()).filter(|_| leaf.is_ascii())?;
        lower.copy_from_slice(leaf);
        lower.make_ascii_lowercase();
        self.slot_keys.get::<[u8]>(lower).copied()
    }

    /// The slot with the key that a server handle, a waiting read or the name table gave.
    pub(super) fn open_slot(&mut self, key: u64) -> &mut Slot {
        self.slots.get_mut(&key).expect("handles, waiting reads and names keep their slot open")
    }

    /// Where a handle writes to, if it may.
    pub(super) fn write_target(&self, handle: Handle) -> Result<Target, Win32Error> {
        match self.objects.get(handle)? {
            Object::Client(client) if client.access.write => Ok(client.target.clone()),
            Object::Server(_) | Object::Client(_) => Err(Win32Error::AccessDenied),
        }
    }

    /// Ends those waiting reads of a slot that `which` names with an error.
    fn abort(&mut self, key: u64, error: Win32Error, which: impl FnMut(&PendingRead) -> bool) {
        for read in self.open_slot(key).withdraw(which) {
            self.complete(key, &read, Err(error));
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }
}

fn parse(path: &str) -> Result<MailslotPath, Win32Error> {
    if path.is_empty() {
        return Err(Win32Error::PathNotFound);
    }
    MailslotPath::parse(path).map_err(|invalid| match invalid {
        InvalidPath::NoDevice | InvalidPath::TooLong => Win32Error::PathNotFound,
        InvalidPath::EmptyName => EMPTY_NAME_ERROR,
        InvalidPath::Form | InvalidPath::Character(_) => Win32Error::InvalidName,
    })
}

/// A received name longer than this cannot be that of a slot: the request would not fit a datagram.
const MAX_LEAF: usize = crate::wire::datagram::MAX_USER_DATA;
