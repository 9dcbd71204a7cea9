//! The trace: every event of a run as a line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::names::Names;
use crate::id::{HostId, LinkId, StreamId};
use crate::scenario::Scenario;
use crate::stats::{Bound, Event, Fate, Instance, Observer};
use crate::time::Instant;

/// Writes the events that it observes. The first failure is kept, and nothing is written after it.
///
/// `host` is the machine at which an event happens: the sender for a write, on its up link and at router crossings; the
/// recipient on its down link and after. `from` is the machine that sent the datagram, for events on the network and at
/// receivers: the sender, or for an answer to the message the machine that answers.
pub struct Trace<W> {
    out: W,
    names: Names,
    result: io::Result<()>,
}

/// A line.
#[derive(Serialize, Default)]
struct Line<'a> {
    t_ns: u64,
    side: &'a str,
    event: &'a str,
    flow: &'a str,
    message: u64,
    copy: u16,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    called_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fragment: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_on: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heard_on: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
}

impl<W: Write> Trace<W> {
    /// A trace of a run of `scenario`.
    pub fn new(scenario: &Scenario, out: W) -> Self {
        Trace { out, names: Names::new(scenario), result: Ok(()) }
    }

    /// Ends the trace.
    ///
    /// # Errors
    ///
    /// The first failure to write.
    pub fn finish(mut self) -> io::Result<W> {
        self.result?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The line of an event of the scenario, which is about no message.
#[derive(Serialize)]
struct FaultLine<'a> {
    t_ns: u64,
    side: &'a str,
    event: &'a str,
    fault: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    what: &'a str,
}

impl<W: Write> Observer for Trace<W> {
    fn observe(&mut self, at: Instant, event: &Event<'_>) {
        if self.result.is_err() {
            return;
        }
        let written = match (event, self.names.describe(at, event)) {
            (Event::Fault { name, host, what }, _) => {
                let host = host.map(|host| self.names.host(host));
                let line = FaultLine { t_ns: at.nanos(), side: "network", event: "fault", fault: name, host, what };
                serde_json::to_writer(&mut self.out, &line)
            }
            (_, Some(line)) => serde_json::to_writer(&mut self.out, &line),
            (_, None) => return,
        };
        self.result = written.map_err(io::Error::from);
        self.result = std::mem::replace(&mut self.result, Ok(())).and_then(|()| self.out.write_all(b"\n"));
    }
}

impl Names {
    /// The line of an event; `None` if the trace does not show it.
    fn describe(&self, at: Instant, event: &Event<'_>) -> Option<Line<'_>> {
        Some(match event {
            Event::Write(write) => {
                let line = self.line(at, "sender", "write", write.stream, write.message, write.copy);
                let called_ns = Some(write.called.nanos()).filter(|_| write.called != at);
                Line { called_ns, bytes: Some(write.bytes), code: Some(write.result.err().unwrap_or(0)), ..line }
            }
            Event::ProgramWrite { stream, message, bytes, result } => {
                let line = self.line(at, "sender", "write", *stream, *message, 0);
                Line { bytes: Some(*bytes), code: Some(result.err().unwrap_or(0)), ..line }
            }
            Event::Offered { instance, link, bytes } => {
                Line { bytes: Some(*bytes), ..self.on_link(at, "offered", instance, *link) }
            }
            Event::Lost { instance, link, fate, .. } => {
                Line { fate: Some(fate.name()), ..self.on_link(at, "lost", instance, *link) }
            }
            Event::Corrupted { instance, link } => self.on_link(at, "corrupted", instance, *link),
            Event::Duplicated { instance, link, .. } => self.on_link(at, "duplicated", instance, *link),
            Event::Arrived { instance, host } => self.at_host(at, "arrived", instance, *host),
            Event::Discarded { instance, host, fate, .. } => {
                let fate = Some(fate.name()).filter(|_| matches!(instance.bound, Bound::Recipient(_)));
                Line { fate, ..self.at_host(at, "discarded", instance, *host) }
            }
            Event::Gone { instance, host, fate } => {
                let fate = Some(fate.name()).filter(|_| matches!(instance.bound, Bound::Recipient(_)));
                Line { fate, ..self.at_host(at, "discarded", instance, *host) }
            }
            Event::Enqueued { instance, host } => self.taken(at, "enqueued", instance, *host),
            Event::Read { instance, host, .. } => self.taken(at, "read", instance, *host),
            Event::WriteBegun { .. }
            | Event::Unwritten { .. }
            | Event::Fault { .. }
            | Event::Split { .. }
            | Event::Forwarded { .. }
            | Event::Spread { .. }
            | Event::Collected { .. }
            | Event::Stalled { .. }
            | Event::Joined { .. }
            | Event::SentAside { .. }
            | Event::Acknowledged { .. }
            | Event::Replied { .. }
            | Event::Believed { .. }
            | Event::Confirmed { .. }
            | Event::Misdelivered { .. }
            | Event::Left { .. } => return None,
        })
    }

    fn line<'a>(
        &'a self,
        at: Instant,
        side: &'a str,
        event: &'a str,
        stream: StreamId,
        message: u64,
        copy: u16,
    ) -> Line<'a> {
        // What belongs to no flow is that of its machine, which is added.
        let (flow, host) = self.stream(stream).map_or(("", ""), |(flow, sender)| (flow, self.host(sender)));
        Line { t_ns: at.nanos(), side, event, flow, message, copy, host, ..Line::default() }
    }

    fn instance<'a>(&'a self, at: Instant, side: &'a str, event: &'a str, instance: &Instance) -> Line<'a> {
        let line = self.line(at, side, event, instance.stream, instance.message, instance.copy);
        let duplicate = Some(instance.duplicate).filter(|duplicate| *duplicate != 0);
        let packet = Some(instance.packet).filter(|packet| *packet != 0);
        let fragment = Some(instance.fragment).filter(|fragment| *fragment != 0);
        let sender = self.sender(instance);
        let host = sender.map_or(line.host, |sender| self.host(sender));
        let sent_on = sender.and_then(|sender| self.segment(sender, instance.interfaces[0]));
        let service = match instance.bound {
            Bound::NameService(_) => Some("name"),
            Bound::Reply(_) | Bound::StrayReply(_) => Some("ack"),
            _ => None,
        };
        Line { host, service, from: Some(host), duplicate, packet, fragment, sent_on, ..line }
    }

    fn on_link<'a>(&'a self, at: Instant, event: &'a str, instance: &Instance, link: LinkId) -> Line<'a> {
        let line = self.instance(at, "network", event, instance);
        let host = self.host_at(link).map_or(line.host, |host| self.host(host));
        Line { host, link: Some(self.link(link)), ..line }
    }

    /// A message that a slot took; if it had been addressed to another, with the fate that this means there.
    fn taken<'a>(&'a self, at: Instant, event: &'a str, instance: &Instance, host: HostId) -> Line<'a> {
        let fate = Some(Fate::Corrupted.name()).filter(|_| instance.bound == Bound::Bystander);
        Line { fate, ..self.at_host(at, event, instance, host) }
    }

    fn at_host<'a>(&'a self, at: Instant, event: &'a str, instance: &Instance, host: HostId) -> Line<'a> {
        let line = self.instance(at, "receiver", event, instance);
        let is_own = line.from == Some(self.host(host)); // no network has brought it
        let heard_on = self.segment(host, instance.interfaces[1]).filter(|_| !is_own);
        Line { host: self.host(host), sent_on: line.sent_on.filter(|_| !is_own), heard_on, ..line }
    }
}
