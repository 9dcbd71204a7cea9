//! The fate of each message at each recipient: what audience maps show.

use std::collections::BTreeMap;

use crate::id::{HostId, StreamId};
use crate::stats::{Event, Fate, Settled, StreamLayout, Write};

/// The fates of the first flows.
pub(super) struct Fates {
    pub(super) flows: Vec<FlowFates>,
    /// Of each stream its flow, and where in that its pairs begin.
    streams: BTreeMap<StreamId, (usize, usize)>,
    /// How many recipients each stream has.
    recipients: Vec<usize>,
    /// How many pairs there is room for in a flow.
    room: usize,
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
    pub(super) stream: StreamId,
    pub(super) sender: HostId,
    pub(super) recipient: HostId,
    /// By the numbers of messages; `None` for what did not address the recipient.
    pub(super) cells: Vec<Option<Cell>>,
}

/// What became of a message at a recipient.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Cell {
    Fate(Fate),
    /// Its write failed: it has no fate.
    Failed,
}

impl Fates {
    /// Of so many flows.
    pub(super) fn new(flows: usize) -> Self {
        let flows: Vec<FlowFates> = (0..flows.min(MAX_FLOWS)).map(|_| FlowFates::default()).collect();
        let room = MAX_PAIRS.min(MAX_MAP_ROWS / flows.len().max(1));
        Fates { flows, streams: BTreeMap::new(), recipients: Vec::new(), room }
    }

    pub(super) fn begin(&mut self, streams: &[StreamLayout]) {
        self.recipients = streams.iter().map(|stream| stream.recipients.len()).collect();
        for (id, stream) in (0..).map(StreamId).zip(streams) {
            let flow = stream.flow.index();
            let Some(FlowFates { pairs, of_pairs, .. }) = self.flows.get_mut(flow) else { continue };
            self.streams.insert(id, (flow, *of_pairs));
            *of_pairs += stream.recipients.len();
            let room = self.room - pairs.len();
            let pair = |recipient: &HostId| PairFates {
                stream: id,
                sender: stream.sender,
                recipient: *recipient,
                cells: Vec::new(),
            };
            pairs.extend(stream.recipients.iter().take(room).map(pair));
        }
    }

    /// A write that fails has no fate unless another one of the message succeeds.
    pub(super) fn observe(&mut self, event: &Event<'_>) {
        let Event::Write(Write { stream, message, result: Err(_), .. }) = event else { return };
        let Some((flow, first)) = self.streams.get(stream).copied() else { return };
        let of_stream = self.recipients[stream.index()];
        let pairs = self.flows[flow].pairs.len();
        for pair in first..(first + of_stream).min(pairs) {
            let cell = cell(&mut self.flows[flow], pair, *message);
            cell.into_iter().for_each(|cell| *cell = cell.or(Some(Cell::Failed)));
        }
    }

    pub(super) fn settled(&mut self, settled: &Settled) {
        let Some((flow, first)) = self.streams.get(&settled.stream).copied() else { return };
        let cell = cell(&mut self.flows[flow], first + settled.recipient as usize, settled.message);
        cell.into_iter().for_each(|cell| *cell = Some(Cell::Fate(settled.fate)));
    }
}

/// The cell of a message in the row of a pair, if there is room for it.
fn cell(flow: &mut FlowFates, pair: usize, message: u64) -> Option<&mut Option<Cell>> {
    flow.messages = flow.messages.max(message + 1);
    let cells = &mut flow.pairs.get_mut(pair)?.cells;
    let message = usize::try_from(message).ok().filter(|message| *message < MAX_MESSAGES)?;
    if cells.len() <= message {
        cells.resize(message + 1, None);
    }
    Some(&mut cells[message])
}

/// The most flows that a page tells of by themselves (a choice).
pub(super) const MAX_FLOWS: usize = 20;
/// The most rows of an audience map (a choice).
pub(super) const MAX_PAIRS: usize = 100;
/// The most rows of all audience maps of a page (a choice).
pub(super) const MAX_MAP_ROWS: usize = 1_000;
/// The most columns of an audience map (a choice).
pub(super) const MAX_MESSAGES: usize = 1_000;
