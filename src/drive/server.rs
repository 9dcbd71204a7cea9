//! The server side: a mailslot, and waiting for its messages.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::sync::oneshot;

use super::error::Error;
use super::host::Open;
use super::socket::DatagramSocket;
use crate::mailslot::{MailslotInfo, Message, Read, ReadId};

/// A mailslot that this host created. Dropping it closes the handle: the slot goes, with all that nobody has read.
pub struct Mailslot<S: DatagramSocket> {
    open: Open<S>,
}

impl<S: DatagramSocket> Mailslot<S> {
    pub(super) fn new(open: Open<S>) -> Self {
        Mailslot { open }
    }

    /// Reads the next message, waiting for it as long as the mailslot's read time-out says.
    ///
    /// Those who wait are served in the order in which they came. It is cancel safe: a future that is dropped has taken
    /// no message.
    ///
    /// # Errors
    ///
    /// `SemTimeout` (121) if none came in time; [`Error::Network`] once the host's socket has failed.
    pub async fn recv(&self) -> Result<Message, Error> {
        match self.begin()? {
            Begun::Done(message) => Ok(message),
            Begun::Pending(mut pending) => std::future::poll_fn(|context| pending.poll(context)).await,
        }
    }

    /// Reads the next message if one is there.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] once the host's socket has failed and all that it heard is read.
    pub fn try_recv(&self) -> Result<Option<Message>, Error> {
        let state = &mut *self.open.shared().lock();
        let handle = self.open.handle;
        if state.machine.info(handle)?.message_count == 0 {
            return state.check().map(|()| None);
        }
        match state.machine.read(self.open.shared().now(), handle, usize::MAX)? {
            Read::Done(message) => Ok(Some(message)),
            Read::Pending(_) => unreachable!("a message is there"),
        }
    }

    /// Waits until a message is there, as long as it takes, and takes none: another reader may be quicker.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] once the host's socket has failed and all that it heard is read.
    pub async fn readable(&self) -> Result<(), Error> {
        self.open.shared().arrival(|state| Ok(state.machine.info(self.open.handle)?.message_count > 0)).await
    }

    /// All messages, one after another; an error is an item too, and does not end the stream unless the network failed.
    pub fn messages(&self) -> Messages<'_, S> {
        Messages { mailslot: self, pending: None, over: false }
    }

    /// How many messages wait, and what the mailslot was created with (`GetMailslotInfo`).
    #[must_use]
    pub fn info(&self) -> MailslotInfo {
        self.open.shared().lock().machine.info(self.open.handle).expect("the handle is open and a server's")
    }

    /// Sets how long later reads wait, in milliseconds; [`WAIT_FOREVER`](crate::mailslot::WAIT_FOREVER) for ever
    /// (`SetMailslotInfo`).
    pub fn set_read_timeout(&self, millis: u32) {
        let state = &mut *self.open.shared().lock();
        state.machine.set_read_timeout(self.open.handle, millis).expect("the handle is open and a server's");
    }

    fn begin(&self) -> Result<Begun<'_, S>, Error> {
        self.open.shared().act(|state, now| {
            if state.machine.info(self.open.handle)?.message_count == 0 {
                state.check()?;
            }
            Ok(match state.machine.read(now, self.open.handle, usize::MAX)? {
                Read::Done(message) => Begun::Done(message),
                Read::Pending(id) => {
                    let (sender, result) = oneshot::channel();
                    state.reads.insert(id, sender);
                    Begun::Pending(PendingRead { open: &self.open, id, result })
                }
            })
        })
    }
}

enum Begun<'a, S: DatagramSocket> {
    Done(Message),
    Pending(PendingRead<'a, S>),
}

/// A read that waits. Dropped before its end it is cancelled, and a message that completed it meanwhile goes back.
struct PendingRead<'a, S: DatagramSocket> {
    open: &'a Open<S>,
    id: ReadId,
    result: oneshot::Receiver<Result<Message, Error>>,
}

impl<S: DatagramSocket> PendingRead<'_, S> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        Pin::new(&mut self.result).poll(context).map(|result| result.expect("every read ends while its handle is open"))
    }
}

impl<S: DatagramSocket> Drop for PendingRead<'_, S> {
    fn drop(&mut self) {
        let PendingRead { open, id, result } = self;
        open.shared().act(|state, _| {
            if state.reads.remove(id).is_some() {
                state.machine.cancel_read(*id);
            } else if let Ok(Ok(message)) = result.try_recv() {
                state.machine.unread(open.handle, message);
            }
        });
    }
}

/// The messages of a mailslot: [`Mailslot::messages`].
pub struct Messages<'a, S: DatagramSocket> {
    mailslot: &'a Mailslot<S>,
    pending: Option<PendingRead<'a, S>>,
    over: bool,
}

impl<S: DatagramSocket> Stream for Messages<'_, S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        let item = match &mut this.pending {
            Some(pending) => ready!(pending.poll(context)),
            None => match this.mailslot.begin() {
                Ok(Begun::Done(message)) => Ok(message),
                Ok(Begun::Pending(pending)) => ready!(this.pending.insert(pending).poll(context)),
                Err(error) => Err(error),
            },
        };
        this.pending = None;
        this.over = matches!(item, Err(Error::Network(_)));
        Poll::Ready(Some(item))
    }
}
