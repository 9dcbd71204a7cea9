//! How the model answers the calls of the API.

use crate::network::{SMB, round_up};
use crate::operation::{Call, FOREVER, Label, SPELLINGS, SlotOptions};
use crate::world::{
    ACCESS_DENIED, ALREADY_EXISTS, BAD_NETPATH, FILE_NOT_FOUND, HANDLE_EOF, Handle, HostSetup, INSUFFICIENT_BUFFER,
    INVALID_NAME, INVALID_PARAMETER, Info, OPERATION_ABORTED, Object, Outcome, Process, REMOTE_DEPRECATED, SEM_TIMEOUT,
    SHARING_VIOLATION, Slot, Target, Waiting, World, bears, is_unique, message, parts,
};

/// Position of writing in [`Bits`](crate::operation::Bits).
const WRITE: usize = 1;

impl World {
    pub(crate) fn call(&mut self, machine: usize, number: u32, call: &Call) -> Result<Outcome, u32> {
        let label = (number, 0);
        let host = &mut self.hosts[machine];
        match *call {
            Call::Create { path, slot, process, inheritable } => {
                let (server, spelling) = parts(path)?;
                if server.is_some() {
                    return Err(INVALID_NAME);
                }
                host.account(process)?;
                let name = SPELLINGS[spelling].1;
                if host.slot_called(name).is_some() {
                    return Err(ALREADY_EXISTS);
                }
                host.slots.insert(label, Slot { name, options: slot, queue: Vec::new(), waiting: Vec::new() });
                host.objects.insert(label, Object::Server(label));
                host.handles.insert(label, Handle { object: label, process, inheritable, open: true });
            }
            Call::Open { path, access, share, process, inheritable } => {
                let (server, spelling) = parts(path)?;
                let account = host.account(process)?;
                let target = match server {
                    None => {
                        let slot = host.slot_called(SPELLINGS[spelling].1).ok_or(FILE_NOT_FOUND)?;
                        let writers = host.slots[&slot].options.writers;
                        if access[WRITE] && writers.is_some_and(|writers| writers != account) {
                            return Err(ACCESS_DENIED);
                        }
                        if self.setup.xp && host.clashes(slot, access, share) {
                            return Err(SHARING_VIOLATION);
                        }
                        Target::Slot(slot)
                    }
                    Some(_) if host.remote_disabled => return Err(REMOTE_DEPRECATED),
                    Some(name) => Target::Remote { name, spelling },
                };
                host.objects.insert(label, Object::Client { target, access, share });
                host.handles.insert(label, Handle { object: label, process, inheritable, open: true });
            }
            Call::Write { handle, size } => return self.write(machine, number, handle, size),
            Call::Read { handle, buffer } => return self.read(machine, label, handle, buffer),
            Call::Cancel { handle } => {
                let handle = host.open_handle(handle)?;
                if let Object::Server(slot) = host.objects[&handle.object] {
                    self.abort(machine, slot, |read| read.process == handle.process);
                }
            }
            Call::CancelRead { read } => {
                for slot in host.slots.keys().copied().collect::<Vec<_>>() {
                    self.abort(machine, slot, |waiting| waiting.read == read);
                }
            }
            Call::Info { handle } => return self.info(machine, handle).map(Outcome::Info),
            Call::SetReadTimeout { handle, millis } => match host.object(handle)? {
                Object::Server(slot) => host.slots.get_mut(&slot).unwrap().options.timeout_ms = millis,
                Object::Client { .. } => return Err(INVALID_PARAMETER),
            },
            Call::Duplicate { handle } => {
                let original = host.open_handle(handle)?;
                host.handles.insert(label, Handle { inheritable: false, ..original });
            }
            Call::DuplicateInto { handle, process, inheritable } => {
                let original = host.open_handle(handle)?;
                host.account(process)?;
                host.handles.insert(label, Handle { process, inheritable, ..original });
            }
            Call::SetInheritable { handle, inheritable } => {
                host.open_handle(handle)?;
                host.handles.get_mut(&handle).unwrap().inheritable = inheritable;
            }
            Call::Close { handle } => {
                host.open_handle(handle)?;
                self.close(machine, handle);
            }
            Call::CreateProcess { parent, account, inherit } => {
                host.account(parent)?;
                host.processes.insert(label, Process { account, alive: true });
                let inherits =
                    |(_, it): &(&Label, &Handle)| inherit && it.open && it.process == parent && it.inheritable;
                let inherited: Vec<_> = host.handles.iter().filter(inherits).map(|(at, it)| (*at, *it)).collect();
                let mut pairs = Vec::new();
                for (position, (original, handle)) in (1..).zip(inherited) {
                    pairs.push((original, (number, position)));
                    host.handles.insert((number, position), Handle { process: label, ..handle });
                }
                return Ok(Outcome::Child(pairs));
            }
            Call::ExitProcess { process } => {
                host.account(process)?;
                host.processes.get_mut(&process).unwrap().alive = false;
                let own = |(_, handle): &(&Label, &Handle)| handle.open && handle.process == process;
                let handles: Vec<Label> = host.handles.iter().filter(own).map(|(label, _)| *label).collect();
                for slot in host.slots.keys().copied().collect::<Vec<_>>() {
                    self.abort(machine, slot, |read| read.process == process);
                }
                handles.into_iter().for_each(|handle| self.close(machine, handle));
            }
            Call::SetTransports(transports) => host.transports = transports,
            Call::SetRemoteDisabled(disabled) => host.remote_disabled = disabled,
        }
        Ok(Outcome::Done)
    }

    fn write(&mut self, machine: usize, number: u32, handle: Label, size: usize) -> Result<Outcome, u32> {
        let Object::Client { target, access: [_, true], .. } = self.hosts[machine].object(handle)? else {
            return Err(ACCESS_DENIED);
        };
        let data = message(number, size);
        let own = match target {
            Target::Slot(slot) => {
                let max = self.hosts[machine].slots.get(&slot).ok_or(HANDLE_EOF)?.options.max;
                if max != 0 && size > max as usize {
                    return Err(INVALID_PARAMETER);
                }
                Some(self.append(machine, slot, &data, machine))
            }
            Target::Remote { name, spelling } => {
                let (text, slot) = SPELLINGS[spelling];
                self.check_remote(machine, name, text, size)?;
                if !(is_unique(name) && bears(machine, name)) {
                    self.send(machine, number, name, (text.len(), slot), &data);
                }
                bears(machine, name).then(|| self.deliver(machine, slot, &data, machine))
            }
        };
        Ok(Outcome::Wrote { bytes: size, own })
    }

    fn check_remote(&self, machine: usize, name: &str, slot: &str, size: usize) -> Result<(), u32> {
        let HostSetup { api_424, hole, .. } = self.setup.hosts[machine];
        let fits = slot.is_ascii() && SMB + round_up(slot.len()) + size <= 512;
        let allowed = (!api_424 || size <= 424) && !(hole && (size == 425 || size == 426));
        if fits && allowed && name != "NOBODY<00>" { Ok(()) } else { Err(BAD_NETPATH) }
    }

    fn read(&mut self, machine: usize, label: Label, handle: Label, buffer: usize) -> Result<Outcome, u32> {
        let host = &mut self.hosts[machine];
        let Handle { process, .. } = host.open_handle(handle)?;
        let slot = match host.object(handle)? {
            Object::Server(slot) => host.slots.get_mut(&slot).unwrap(),
            Object::Client { access: [true, _], .. } => return Err(INVALID_PARAMETER),
            Object::Client { .. } => return Err(ACCESS_DENIED),
        };
        match slot.queue.first() {
            Some(letter) if letter.data.len() > buffer => return Err(INSUFFICIENT_BUFFER),
            Some(_) => return Ok(Outcome::Message(slot.queue.remove(0))),
            None => {}
        }
        let until = match slot.options.timeout_ms {
            0 => return Err(SEM_TIMEOUT),
            FOREVER => None,
            millis => Some(self.now + u64::from(millis) * 1_000_000),
        };
        slot.waiting.push(Waiting { read: label, process, buffer, until });
        host.reads.insert(label);
        Ok(Outcome::Pending)
    }

    /// What `GetMailslotInfo` says of a handle.
    pub(crate) fn info(&self, machine: usize, handle: Label) -> Result<Info, u32> {
        let host = &self.hosts[machine];
        let slot = match host.object(handle)? {
            Object::Server(slot) => &host.slots[&slot],
            Object::Client { target: Target::Slot(slot), .. } if !self.setup.xp => {
                host.slots.get(&slot).ok_or(HANDLE_EOF)?
            }
            Object::Client { .. } => return Err(INVALID_PARAMETER),
        };
        let SlotOptions { max, timeout_ms, .. } = slot.options;
        let next = slot.queue.first().map_or(u32::MAX, |letter| letter.data.len() as u32);
        Ok(Info { max, next, count: slot.queue.len() as u32, timeout_ms })
    }

    fn abort(&mut self, machine: usize, slot: Label, which: impl Fn(&Waiting) -> bool) {
        let waiting = &mut self.hosts[machine].slots.get_mut(&slot).unwrap().waiting;
        let aborted = waiting.extract_if(.., |read| which(read));
        self.expected.ended[machine].extend(aborted.map(|read| (read.read, Err(OPERATION_ABORTED))));
    }

    /// Closes a handle that is open, and the slot with its last server handle.
    fn close(&mut self, machine: usize, handle: Label) {
        let host = &mut self.hosts[machine];
        let Handle { object, open, .. } = host.handles.get_mut(&handle).unwrap();
        *open = false;
        let object = *object;
        if let Object::Server(slot) = host.objects[&object]
            && !host.handles.values().any(|other| other.open && other.object == object)
        {
            self.abort(machine, slot, |_| true);
            let slot = self.hosts[machine].slots.remove(&slot).expect("it was open");
            self.expected.deleted[machine] += slot.queue.len();
        }
    }
}
