//! A host: one machine on a network.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::client::Client;
use super::error::Error;
use super::server::Mailslot;
use super::shared::Shared;
use super::socket::{DatagramSocket, Sockets};
use super::watch::Watch;
use crate::mailslot::{
    CreateOptions, Handle, Machine, NameKind, OpenOptions, Owner, Service, SlotName, WAIT_FOREVER, Win32Error,
};
use crate::wire::NetbiosName;

/// One machine on a network: an engine, its sockets, and the tasks that carry packets between them. Clones are the same
/// host. It goes when it and all mailslots and clients of it are dropped.
pub struct Host<S: DatagramSocket> {
    running: Arc<Running<S>>,
}

impl<S: DatagramSocket> Host<S> {
    /// Puts a machine on a network.
    ///
    /// The machine bears the names of its configuration at once; nobody is asked.
    /// [`Host::claim_names`] asks.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time (and, for tokio's sockets, IO).
    #[must_use]
    pub fn new(machine: Machine, sockets: Sockets<S>) -> Self {
        Host::watched(machine, sockets, ())
    }

    /// As [`Host::new`], with somebody who is told all that the host does.
    ///
    /// # Panics
    ///
    /// As [`Host::new`].
    #[must_use]
    pub fn watched(mut machine: Machine, sockets: Sockets<S>, watch: impl Watch) -> Self {
        machine.set_name_port(sockets.own_ports.name);
        let shared = Arc::new(Shared::new(machine, sockets, Box::new(watch)));
        let mut tasks = vec![spawn(&shared, |shared| async move { shared.tend().await })];
        let services = [Some(Service::Datagram), shared.sockets().name.as_ref().map(|_| Service::Name)];
        for service in services.into_iter().flatten() {
            tasks.push(spawn(&shared, move |shared| async move {
                let socket = shared.sockets().of(service).expect("it has this socket");
                shared.listen(service, socket).await;
            }));
        }
        for listener in 0..shared.sockets().listeners.len() {
            tasks.push(spawn(&shared, move |shared| async move {
                let (service, socket) = &shared.sockets().listeners[listener];
                shared.listen(*service, socket).await;
            }));
        }
        Host { running: Arc::new(Running { shared, tasks }) }
    }

    /// Claims the computer's name, the domain's and the further names of the configuration on the network, as a machine
    /// does that starts: three broadcasts 250 ms apart, or a question to the name server.
    ///
    /// # Errors
    ///
    /// [`Error::NameRefused`] if one is another's; the others are claimed all the same. [`Error::Network`] if nobody could be
    /// asked.
    pub async fn claim_names(&self) -> Result<(), Error> {
        let claims = self.begin_claims();
        let mut result = Ok(());
        for claim in claims {
            result = result.and(claim.await.expect(ENDS));
        }
        result
    }

    /// Sends the first claims of [`Host::claim_names`]; what becomes of them can be waited for.
    pub(super) fn begin_claims(&self) -> Vec<oneshot::Receiver<Result<(), Error>>> {
        self.running.shared.act(|state, now| {
            let names = state.machine.claim_names(now);
            names.into_iter().map(|name| state.claim(name)).collect()
        })
    }

    /// Lets the engine's time stand still, or go on: what was due meanwhile happens then.
    #[cfg(feature = "turmoil")]
    pub(super) fn hold(&self, held: bool) {
        self.running.shared.hold(held);
    }

    /// Drops this host, which must be the last handle of it, and waits until its sockets are closed.
    #[cfg(feature = "turmoil")]
    pub(super) async fn close(self) {
        let tasks = self.running.tasks.clone();
        drop(self);
        while !tasks.iter().all(AbortHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    }

    /// Leaves the domain for another: see [`Machine::join_domain`].
    #[cfg(feature = "turmoil")]
    pub(super) fn join_domain(&self, domain: NetbiosName) {
        self.running.shared.act(|state, now| state.machine.join_domain(now, domain));
    }

    /// Claims a further NetBIOS name, and bears it from then on.
    ///
    /// # Errors
    ///
    /// [`Error::NameRefused`] if it is another's, or is given up meanwhile; [`Error::Network`] if nobody could be asked.
    pub async fn register_name(&self, name: NetbiosName, kind: NameKind) -> Result<(), Error> {
        let claim = self.running.shared.act(|state, now| {
            state.machine.register_name(now, name, kind);
            state.claim(name)
        });
        claim.await.expect(ENDS)
    }

    /// Gives a NetBIOS name up.
    pub fn release_name(&self, name: NetbiosName) {
        self.running.shared.act(|state, now| state.machine.release_name(now, name));
    }

    /// Remembers for ten minutes who bears a name, as if it had been looked up. Whoever sent a message
    /// ([`Message::from`](crate::mailslot::Message::from)) may not answer queries.
    pub fn remember_name(&self, name: NetbiosName, owner: Owner) {
        self.running.shared.act(|state, now| state.machine.remember_name(now, name, owner));
    }

    /// Takes messages to a NetBIOS name of others too, as one who listens on the wire.
    pub fn hear(&self, name: NetbiosName) {
        self.running.shared.lock().machine.hear(name);
    }

    /// Creates a mailslot that waits for messages as long as it takes.
    ///
    /// # Errors
    ///
    /// As [`Machine::create_mailslot`].
    pub fn listen(&self, path: &str) -> Result<Mailslot<S>, Win32Error> {
        self.create_mailslot(path, CreateOptions { read_timeout_ms: WAIT_FOREVER, ..CreateOptions::default() })
    }

    /// Creates a mailslot (`CreateMailslot`).
    ///
    /// # Errors
    ///
    /// As [`Machine::create_mailslot`].
    pub fn create_mailslot(&self, path: &str, options: CreateOptions) -> Result<Mailslot<S>, Win32Error> {
        let handle = self.running.shared.lock().machine.create_mailslot(path, options)?;
        Ok(Mailslot::new(Open { running: self.running.clone(), handle }))
    }

    /// Opens a mailslot for writing (`CreateFile`): `\\.\mailslot\NAME`, `\\COMPUTER\...`, `\\DOMAIN\...`, `\\*\...`.
    ///
    /// # Errors
    ///
    /// As [`Machine::open`].
    pub fn open(&self, path: &str) -> Result<Client<S>, Win32Error> {
        let handle = self.running.shared.lock().machine.open(path, OpenOptions::default())?;
        Ok(Client::new(Open { running: self.running.clone(), handle }))
    }

    /// Opens the mailslots called `slot` of whoever bears a NetBIOS name with any suffix.
    ///
    /// # Errors
    ///
    /// As [`Machine::open_name`].
    pub fn open_name(&self, name: NetbiosName, slot: &SlotName) -> Result<Client<S>, Win32Error> {
        let handle = self.running.shared.lock().machine.open_name(name, slot, OpenOptions::default())?;
        Ok(Client::new(Open { running: self.running.clone(), handle }))
    }
}

impl<S: DatagramSocket> Clone for Host<S> {
    fn clone(&self) -> Self {
        Host { running: self.running.clone() }
    }
}

/// A host at work; its tasks end with it.
pub(super) struct Running<S> {
    pub(super) shared: Arc<Shared<S>>,
    tasks: Vec<AbortHandle>,
}

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// An open handle of a host; it is closed when it is dropped.
pub(super) struct Open<S: DatagramSocket> {
    running: Arc<Running<S>>,
    pub(super) handle: Handle,
}

impl<S: DatagramSocket> Open<S> {
    pub(super) fn shared(&self) -> &Shared<S> {
        &self.running.shared
    }
}

impl<S: DatagramSocket> Drop for Open<S> {
    fn drop(&mut self) {
        self.shared().act(|state, _| state.machine.close(self.handle)).expect("a handle is closed once");
    }
}

const ENDS: &str = "every claim ends while its host is there";

fn spawn<S, F>(shared: &Arc<Shared<S>>, task: impl FnOnce(Arc<Shared<S>>) -> F) -> AbortHandle
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(task(shared.clone())).abort_handle()
}
