//! The fate of each message at each recipient: what audience maps show.

use std::collections::BTreeMap;

use crate::id::{HostId, StreamId};
use crate::stats::{Fate, Settled, StreamLayout};

/// The fates of the first flows.
#[derive(Default)]
pub(super) struct Fates {
    pub(super) flows: Vec<FlowFates>,
    /// Of each stream its flow, and where in that its pairs begin.
    streams: BTreeMap<StreamId, (usize, usize)>,
}

/// The fates of a flow: of each sender and recipient those of the first messages.
#[derive(Default)]
pub(super) struct FlowFates {
    pub(super) pairs: Vec<PairFates>,
    /// How many pairs there are in all.
    pub(super) of_pairs: usize,
    /// How many messages a sender wrote, the most of all.
    pub(super) messages: u64,
}

/// The fates of the messages from one host to another.
pub(super) struct PairFates {
    pub(super) sender: HostId,
    pub(super) recipient: HostId,
    /// By the numbers of messages; `None` for what did not address the recipient.
    pub(super) fates: Vec<Option<Fate>>,
}

impl Fates {
    pub(super) fn begin(&mut self, streams: &[StreamLayout]) {
        for (id, stream) in (0..).map(StreamId).zip(streams) {
            let flow = stream.flow.index();
            if flow >= MAX_FLOWS {
                continue;
            }
            if self.flows.len() <= flow {
                self.flows.resize_with(flow + 1, FlowFates::default);
            }
            let FlowFates { pairs, of_pairs, .. } = &mut self.flows[flow];
            self.streams.insert(id, (flow, *of_pairs));
            *of_pairs += stream.recipients.len();
            let room = MAX_PAIRS - pairs.len();
            let pair =
                |recipient: &HostId| PairFates { sender: stream.sender, recipient: *recipient, fates: Vec::new() };
            pairs.extend(stream.recipients.iter().take(room).map(pair));
        }
    }

    pub(super) fn settled(&mut self, settled: &Settled) {
        let Some((flow, first)) = self.streams.get(&settled.stream) else { return };
        let flow = &mut self.flows[*flow];
        flow.messages = flow.messages.max(settled.message + 1);
        let Some(pair) = flow.pairs.get_mut(first + settled.recipient as usize) else { return };
        let Some(message) = usize::try_from(settled.message).ok().filter(|message| *message < MAX_MESSAGES) else {
            return;
        };
        if pair.fates.len() <= message {
            pair.fates.resize(message + 1, None);
        }
        pair.fates[message] = Some(settled.fate);
    }
}

/// The most flows that a page tells of by themselves (a choice).
pub(super) const MAX_FLOWS: usize = 20;
/// The most rows of an audience map (a choice).
pub(super) const MAX_PAIRS: usize = 100;
/// The most columns of an audience map (a choice).
pub(super) const MAX_MESSAGES: usize = 1_000;
