//! The machine: its handles and slots, and the calls of the Win32 API on them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::WAIT_FOREVER;
use super::calls::{CreateOptions, Event, Handle, MailslotInfo, OpenOptions, Read, ReadId};
use super::error::Win32Error;
use super::names::{Directory, NameTable};
use super::path::{MailslotPath, Server, SlotName};
use super::slot::{Message, PendingRead, Slot};
use super::transmit::Transmit;
use crate::time::{Duration, Instant};
use crate::wire::name::{InvalidName, SUFFIX_WORKSTATION};
use crate::wire::{NetbiosName, Profile, Scope};

/// What a machine is called and how it behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The computer name, suffix 00: the source of everything that the machine writes.
    pub computer: NetbiosName,
    /// The name of its primary domain or workgroup, suffix 00: what `\\*` stands for.
    pub domain: NetbiosName,
    /// Further names that it bears.
    pub names: Vec<NetbiosName>,
    /// The NetBIOS scope that it is in.
    pub scope: Scope,
    /// Its address: SOURCE_IP of everything that it writes.
    pub address: Ipv4Addr,
    /// How much of a received mailslot write is checked.
    pub profile: Profile,
    /// Whether it answers a datagram to a unique name that it does not bear with DATAGRAM ERROR. Samba does not.
    pub datagram_errors: bool,
}

impl Config {
    /// A machine called `computer` in `domain`, as Windows behaves.
    ///
    /// # Errors
    ///
    /// If one of the names is not a NetBIOS name.
    pub fn new(computer: &str, domain: &str, address: Ipv4Addr) -> Result<Self, InvalidName> {
        Ok(Config {
            computer: NetbiosName::new(computer, SUFFIX_WORKSTATION)?,
            domain: NetbiosName::new(domain, SUFFIX_WORKSTATION)?,
            names: Vec::new(),
            scope: Scope::default(),
            address,
            profile: Profile::Windows,
            datagram_errors: false,
        })
    }
}

/// One machine with its mailslots: see the [module](super).
#[derive(Debug)]
pub struct Machine {
    pub(super) config: Config,
    pub(super) directory: Arc<Directory>,
    pub(super) names: NameTable,
    pub(super) slots: BTreeMap<u64, Slot>,
    slot_keys: BTreeMap<SlotName, u64>,
    handles: BTreeMap<Handle, Object>,
    /// Pending reads that do not wait forever, by deadline; the last number is the slot's key.
    deadlines: BTreeSet<(Instant, ReadId, u64)>,
    events: VecDeque<Event>,
    pub(super) transmits: VecDeque<(Transmit, Vec<u8>)>,
    pub(super) spare_packet: Option<Vec<u8>>,
    next_number: u64,
    pub(super) next_receipt: u64,
    pub(super) next_datagram_id: u16,
}

/// What a handle stands for.
#[derive(Clone, Debug)]
enum Object {
    /// A server handle of the slot with this key.
    Server(u64),
    Client {
        target: Target,
        options: OpenOptions,
    },
}

/// Where a client handle writes to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The local slot with this key.
    Slot(u64),
    /// Slots of this name, as on the wire, on whoever bears the NetBIOS name.
    Remote { name: NetbiosName, wire_slot: Arc<[u8]> },
}

impl Machine {
    /// A machine without mailslots. `directory` is what it knows of the names of the network.
    #[must_use]
    pub fn new(config: Config, directory: Arc<Directory>) -> Self {
        let names = [config.computer, config.domain].into_iter().chain(config.names.iter().copied()).collect();
        Machine {
            config,
            directory,
            names,
            slots: BTreeMap::new(),
            slot_keys: BTreeMap::new(),
            handles: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            events: VecDeque::new(),
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
    /// `PathNotFound` for an empty name (a NULL pointer); `InvalidName` for what is not a local mailslot path, an empty
    /// last part included (a choice); `AlreadyExists` when the name is in use.
    pub fn create_mailslot(&mut self, path: &str, options: CreateOptions) -> Result<Handle, Win32Error> {
        let path = parse(path)?;
        if path.server != Server::Local {
            return Err(Win32Error::InvalidName);
        }
        if self.slot_keys.contains_key(&path.slot) {
            return Err(Win32Error::AlreadyExists);
        }
        let key = self.number();
        self.slot_keys.insert(path.slot.clone(), key);
        self.slots.insert(key, Slot::new(path.slot, options));
        Ok(self.insert(Object::Server(key)))
    }

    /// Opens a mailslot for writing (`CreateFile`). A remote path opens whether or not anything is there.
    ///
    /// # Errors
    ///
    /// `PathNotFound` for an empty name; `InvalidName` for what is not a mailslot path; `FileNotFound` when the local
    /// slot does not exist.
    pub fn open(&mut self, path: &str, options: OpenOptions) -> Result<Handle, Win32Error> {
        let path = parse(path)?;
        let name = match path.server {
            Server::Local => {
                let key = *self.slot_keys.get(&path.slot).ok_or(Win32Error::FileNotFound)?;
                return Ok(self.insert(Object::Client { target: Target::Slot(key), options }));
            }
            Server::PrimaryDomain => self.config.domain,
            Server::Named(name) => NetbiosName::new(&name, SUFFIX_WORKSTATION).map_err(|_| Win32Error::InvalidName)?,
        };
        Ok(self.open_name(name, &path.slot, options))
    }

    /// Opens the mailslots called `slot` of whoever bears a NetBIOS name with any suffix, as the browser service does;
    /// the path of a file cannot say the suffix.
    pub fn open_name(&mut self, name: NetbiosName, slot: &SlotName, options: OpenOptions) -> Handle {
        let target = Target::Remote { name, wire_slot: slot.to_wire().into() };
        self.insert(Object::Client { target, options })
    }

    /// Reads the next message (`ReadFile` on a server handle), or waits for it as long as the slot's time-out says.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`; on a client handle `AccessDenied`, or `InvalidParameter` if it was opened for reading too;
    /// `InsufficientBuffer` when the next message is longer than `buffer` bytes (it stays); `SemTimeout` when there is
    /// none and the time-out is 0.
    pub fn read(&mut self, now: Instant, handle: Handle, buffer: usize) -> Result<Read, Win32Error> {
        let key = match self.handles.get(&handle).ok_or(Win32Error::InvalidHandle)? {
            Object::Server(key) => *key,
            Object::Client { options: OpenOptions { read: true, .. }, .. } => return Err(Win32Error::InvalidParameter),
            Object::Client { .. } => return Err(Win32Error::AccessDenied),
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
        self.open_slot(key).wait(PendingRead { id, handle, buffer, deadline });
        self.deadlines.extend(deadline.map(|deadline| (deadline, id, key)));
        Ok(Read::Pending(id))
    }

    /// Tells about a mailslot (`GetMailslotInfo`). A client handle of a local slot is answered too, as by Windows 8 and
    /// later.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`; `InvalidParameter` on the handle of a remote mailslot; `HandleEof` when the slot is gone.
    pub fn info(&self, handle: Handle) -> Result<MailslotInfo, Win32Error> {
        let key = match self.handles.get(&handle).ok_or(Win32Error::InvalidHandle)? {
            Object::Server(key) | Object::Client { target: Target::Slot(key), .. } => key,
            Object::Client { .. } => return Err(Win32Error::InvalidParameter),
        };
        self.slots.get(key).map(Slot::info).ok_or(Win32Error::HandleEof)
    }

    /// Sets how long later reads of the slot wait (`SetMailslotInfo`); reads that wait already keep their deadline.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`; `InvalidParameter` on a client handle.
    pub fn set_read_timeout(&mut self, handle: Handle, millis: u32) -> Result<(), Win32Error> {
        match self.handles.get(&handle).ok_or(Win32Error::InvalidHandle)? {
            Object::Server(key) => {
                let key = *key;
                self.open_slot(key).options.read_timeout_ms = millis;
                Ok(())
            }
            Object::Client { .. } => Err(Win32Error::InvalidParameter),
        }
    }

    /// A second handle to the same thing (`DuplicateHandle`); a slot lives until the last server handle closes.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`.
    pub fn duplicate(&mut self, handle: Handle) -> Result<Handle, Win32Error> {
        let object = self.handles.get(&handle).ok_or(Win32Error::InvalidHandle)?.clone();
        if let Object::Server(key) = object {
            self.open_slot(key).server_handles += 1;
        }
        Ok(self.insert(object))
    }

    /// Closes a handle (`CloseHandle`). Reads that wait on it are aborted. With the last server handle the slot goes:
    /// unread messages are deleted, client handles are dead, the name is free.
    ///
    /// # Errors
    ///
    /// `InvalidHandle`.
    pub fn close(&mut self, handle: Handle) -> Result<(), Win32Error> {
        let Object::Server(key) = self.handles.remove(&handle).ok_or(Win32Error::InvalidHandle)? else {
            return Ok(());
        };
        let slot = self.open_slot(key);
        let aborted = slot.withdraw(|read| read.handle == handle);
        slot.server_handles -= 1;
        if slot.server_handles == 0 {
            let slot = self.slots.remove(&key).expect("the slot is there");
            self.slot_keys.remove(&slot.name);
        }
        for read in aborted {
            self.complete(key, &read, Err(Win32Error::OperationAborted));
        }
        Ok(())
    }

    /// When [`Machine::handle_timeout`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, ..)| *deadline)
    }

    /// Ends the reads whose time is over at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
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

    /// The key of the open slot with this name, in any case.
    pub(super) fn slot_named(&self, leaf: &[u8]) -> Option<u64> {
        let mut lower = [0; MAX_LEAF];
        let lower = lower.get_mut(..leaf.len())?;
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
        match self.handles.get(&handle).ok_or(Win32Error::InvalidHandle)? {
            Object::Client { target, options: OpenOptions { write: true, .. } } => Ok(target.clone()),
            Object::Server(_) | Object::Client { .. } => Err(Win32Error::AccessDenied),
        }
    }

    fn insert(&mut self, object: Object) -> Handle {
        let handle = Handle(self.number());
        self.handles.insert(handle, object);
        handle
    }

    fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }
}

fn parse(path: &str) -> Result<MailslotPath, Win32Error> {
    if path.is_empty() {
        return Err(Win32Error::PathNotFound);
    }
    MailslotPath::parse(path).map_err(|_| Win32Error::InvalidName)
}

/// A received name longer than this cannot be that of a slot: the request would not fit a datagram.
const MAX_LEAF: usize = crate::wire::datagram::MAX_USER_DATA;
