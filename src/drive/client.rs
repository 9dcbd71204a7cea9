//! The client side: writing to mailslots.

use super::error::Error;
use super::host::Open;
use super::shared::Begun;
use super::socket::DatagramSocket;
use crate::mailslot::{WriteId, Written};

/// A handle for writing to a mailslot, or to all of a name. Dropping it closes it.
pub struct Client<S: DatagramSocket> {
    open: Open<S>,
}

impl<S: DatagramSocket> Client<S> {
    pub(super) fn new(open: Open<S>) -> Self {
        Client { open }
    }

    /// Writes one message. That it succeeded says that the message was put into a slot of this machine or handed to the
    /// network; nobody will ever say whether it arrived.
    ///
    /// It waits while the target's name is looked up, and while the socket takes no more. A future that is dropped while
    /// the name is looked up has sent nothing; once the name is found the message goes out, whether anybody waits for that
    /// or not.
    ///
    /// # Errors
    ///
    /// As [`Machine::write`](crate::mailslot::Machine::write), and [`Error::Network`] if the socket refused a packet.
    pub async fn send(&self, data: &[u8]) -> Result<Written, Error> {
        self.open.shared().room().await;
        match self.open.shared().write(self.open.handle, data)? {
            Begun::Done(written) => Ok(written),
            Begun::Pending(id, result) => {
                let _given_up = GivenUp { open: &self.open, id };
                result.await.expect("every write ends while its host is there")
            }
        }
    }
}

/// Cancels a pending write if it is not over.
struct GivenUp<'a, S: DatagramSocket> {
    open: &'a Open<S>,
    id: WriteId,
}

impl<S: DatagramSocket> Drop for GivenUp<'_, S> {
    fn drop(&mut self) {
        self.open.shared().act(|state, _| {
            if state.writes.remove(&self.id).is_some() {
                state.machine.cancel_write(self.id);
            }
        });
    }
}
