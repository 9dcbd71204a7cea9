//! Handles and what they stand for: file objects, and the processes that own the handles.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calls::{Access, Account, Handle, ProcessId};
use super::choices::NO_PROCESS_ERROR;
use super::error::Win32Error;
use crate::wire::NetbiosName;

/// What `CreateMailslot` or `CreateFile` made: all handles duplicated or inherited from the same one share it.
#[derive(Clone, Debug)]
pub(super) enum Object {
    /// The server side of the slot with this key.
    Server(u64),
    Client(Client),
}

/// The client side of a mailslot.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) target: Target,
    pub(super) access: Access,
    pub(super) share: Access,
}

/// Where a client handle writes to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The local slot with this key.
    Slot(u64),
    /// Slots of this name, as on the wire, on whoever bears the NetBIOS name; `None` if the wire cannot carry it.
    Remote { name: NetbiosName, wire_slot: Option<Arc<[u8]>> },
}

/// The handles of one machine.
#[derive(Debug)]
pub(super) struct Objects {
    objects: BTreeMap<u64, (Object, u32)>,
    handles: BTreeMap<Handle, Entry>,
    processes: BTreeMap<ProcessId, Account>,
    next_object: u64,
    next_handle: u64,
    next_process: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    object: u64,
    process: ProcessId,
    inheritable: bool,
}

impl Objects {
    /// No handles, and the first process.
    pub(super) fn new() -> Self {
        Objects {
            objects: BTreeMap::new(),
            handles: BTreeMap::new(),
            processes: BTreeMap::from([(ProcessId::default(), Account::default())]),
            next_object: 0,
            next_handle: 1,
            next_process: 1,
        }
    }

    /// What a process runs as.
    pub(super) fn account(&self, process: ProcessId) -> Result<Account, Win32Error> {
        self.processes.get(&process).copied().ok_or(NO_PROCESS_ERROR)
    }

    /// The first handle to a new object, in a process that is there.
    pub(super) fn open(&mut self, object: Object, process: ProcessId, inheritable: bool) -> Handle {
        let key = self.next_object;
        self.next_object += 1;
        self.objects.insert(key, (object, 0));
        self.insert(Entry { object: key, process, inheritable })
    }

    /// What a handle stands for.
    pub(super) fn get(&self, handle: Handle) -> Result<&Object, Win32Error> {
        self.get_owned(handle).map(|(object, _)| object)
    }

    /// What a handle stands for, and the process that it belongs to.
    pub(super) fn get_owned(&self, handle: Handle) -> Result<(&Object, ProcessId), Win32Error> {
        let (object, process) = self.place(handle)?;
        Ok((&self.objects[&object].0, process))
    }

    /// The number of the object that a handle stands for, which duplicated and inherited handles share, and the process
    /// that the handle belongs to.
    pub(super) fn place(&self, handle: Handle) -> Result<(u64, ProcessId), Win32Error> {
        self.handles.get(&handle).map(|entry| (entry.object, entry.process)).ok_or(Win32Error::InvalidHandle)
    }

    /// A second handle to the same object.
    pub(super) fn duplicate(
        &mut self,
        handle: Handle,
        process: ProcessId,
        inheritable: bool,
    ) -> Result<Handle, Win32Error> {
        let (object, _) = self.place(handle)?;
        self.account(process)?;
        Ok(self.insert(Entry { object, process, inheritable }))
    }

    pub(super) fn set_inheritable(&mut self, handle: Handle, inheritable: bool) -> Result<(), Win32Error> {
        self.handles.get_mut(&handle).ok_or(Win32Error::InvalidHandle)?.inheritable = inheritable;
        Ok(())
    }

    /// Closes a handle; gives the object if that was its last one.
    pub(super) fn close(&mut self, handle: Handle) -> Result<Option<Object>, Win32Error> {
        let Entry { object: key, .. } = self.handles.remove(&handle).ok_or(Win32Error::InvalidHandle)?;
        let (_, handles) = self.objects.get_mut(&key).expect("a handle keeps its object");
        *handles -= 1;
        Ok(if *handles == 0 { self.objects.remove(&key).map(|(object, _)| object) } else { None })
    }

    /// Starts a process; with `inherit` it gets a handle for each inheritable one of its parent: (parent's, child's).
    pub(super) fn create_process(
        &mut self,
        parent: ProcessId,
        account: Account,
        inherit: bool,
    ) -> Result<(ProcessId, Vec<(Handle, Handle)>), Win32Error> {
        self.account(parent)?;
        let process = ProcessId(self.next_process);
        self.next_process += 1;
        self.processes.insert(process, account);
        let inheritable = |(handle, entry): (&Handle, &Entry)| {
            (inherit && entry.process == parent && entry.inheritable).then_some((*handle, *entry))
        };
        let inherited: Vec<_> = self.handles.iter().filter_map(inheritable).collect();
        let handles = inherited.into_iter().map(|(handle, entry)| (handle, self.insert(Entry { process, ..entry })));
        let handles = handles.collect();
        Ok((process, handles))
    }

    /// Ends a process; gives its handles, which are still to be closed.
    pub(super) fn exit_process(&mut self, process: ProcessId) -> Result<Vec<Handle>, Win32Error> {
        self.processes.remove(&process).ok_or(NO_PROCESS_ERROR)?;
        let own = self.handles.iter().filter(|(_, entry)| entry.process == process);
        Ok(own.map(|(handle, _)| *handle).collect())
    }

    /// Whether an open of the slot with this key for `access`, which lets others have `share`, goes together with those
    /// that there are, the server's included: it reads, and shares both. An open that neither reads nor writes does not
    /// count.
    pub(super) fn shares(&self, slot: u64, access: Access, share: Access) -> bool {
        let clients = self.objects.values().filter_map(|(object, _)| match object {
            Object::Client(client) if matches!(client.target, Target::Slot(key) if key == slot) => {
                Some((client.access, client.share)).filter(|(access, _)| *access != Access::NONE)
            }
            _ => None,
        });
        let mut opens = std::iter::once((Access::READ, Access::BOTH)).chain(clients);
        access == Access::NONE || opens.all(|open| access.is_within(open.1) && open.0.is_within(share))
    }

    fn insert(&mut self, entry: Entry) -> Handle {
        let handle = Handle(self.next_handle);
        self.next_handle += 1;
        self.objects.get_mut(&entry.object).expect("a handle is made for an object that is there").1 += 1;
        self.handles.insert(handle, entry);
        handle
    }
}
