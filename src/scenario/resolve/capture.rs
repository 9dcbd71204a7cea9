//! Captured traffic: the mailslot datagrams of a pcap or pcapng file, as writes of the hosts that sent them.

use std::collections::BTreeSet;

use super::Context;
use super::network::Network;
use crate::id::HostId;
use crate::scenario::capture::{self, Captured, MAX_CAPTURE_BYTES};
use crate::scenario::file;
use crate::scenario::model::{Flow, Recorded, Target, Traffic};
use crate::scenario::problem::{Path, Problem, at};
use crate::time::Duration;
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;

impl Context<'_> {
    pub(super) fn captured_flow(
        &mut self,
        index: usize,
        spec: &file::Traffic,
        network: &Network,
        duration: Option<Duration>,
    ) -> Option<Flow> {
        let at = at!["traffic", index, "capture"];
        let given = [
            ("from", spec.from.is_some()),
            ("to", spec.to.is_some()),
            ("every", spec.every.is_some()),
            ("poisson", spec.poisson.is_some()),
            ("burst", spec.burst.is_some()),
            ("at", spec.at.is_some()),
            ("start", spec.start.is_some()),
            ("stop", spec.stop.is_some()),
            ("count", spec.count.is_some()),
            ("size", spec.size.is_some()),
            ("ack", spec.ack.is_some()),
        ];
        for (key, _) in given.into_iter().filter(|(_, given)| *given) {
            let message = format!("`{key}` contradicts `capture`: the capture says it");
            self.problems.push(Problem::error(at!["traffic", index, key], message).at_key());
        }
        let name = spec.capture.as_ref()?;
        let bytes = match (self.read_file)(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.error(at, format!("cannot read the capture `{name}`: {error}"));
                return None;
            }
        };
        self.capture_bytes += bytes.len();
        if self.capture_bytes > MAX_CAPTURE_BYTES {
            let message = format!("the captures have more than {MAX_CAPTURE_BYTES} bytes together (MAX_CAPTURE_BYTES)");
            self.error(at, message);
            return None;
        }
        let capture = match capture::read(&bytes) {
            Ok(capture) => capture,
            Err(error) => {
                self.error(at, format!("cannot read the capture `{name}`: {error}"));
                return None;
            }
        };
        if let Some((frame, reason)) = &capture.skipped.first() {
            let number = capture.skipped.len();
            self.warning(
                at.clone(),
                format!("{number} datagrams on port 138 are not replayed; the first, frame {frame}: {reason}"),
            );
        }
        let records = self.records(&at, &capture.writes, network)?;
        let duration = duration?;
        let (records, late): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| record.at < duration);
        if !late.is_empty() {
            let message = format!(
                "{} of {} captured writes come after the scenario's duration, {duration}, and are left out",
                late.len(),
                capture.writes.len()
            );
            self.warning(at, message);
        }
        let senders: BTreeSet<HostId> = records.iter().map(|record| record.from).collect();
        let names: BTreeSet<String> = records.iter().map(|record| Target::to_text(&record.to)).collect();
        let to = Vec::from_iter(names).join(", ");
        let traffic = Traffic::Captured(records);
        Some(Flow { name: spec.name.clone()?, to, senders: senders.into_iter().collect(), traffic })
    }

    /// The captured writes as writes of declared hosts; `None` if hosts or names are missing.
    fn records(&mut self, at: &Path, writes: &[Captured], network: &Network) -> Option<Vec<Recorded>> {
        let mut unknown_hosts = BTreeSet::new();
        let mut unknown_names = BTreeSet::new();
        let mut records = Vec::new();
        for write in writes {
            let from = network.bearer(&write.source);
            if from.is_none() && unknown_hosts.insert(write.source) && network.complete {
                let message =
                    format!("frame {}: its sender {} is not a host of the scenario", write.frame, write.source);
                let name = String::from_utf8_lossy(write.source.characters()).into_owned();
                let help = match write.source.suffix() {
                    SUFFIX_WORKSTATION => format!("declare it: [[host]] with name = \"{name}\""),
                    _ => format!("let the host that sent it register it: names = [\"{}\"]", write.source),
                };
                self.problems.push(Problem::error(at.clone(), message).help(help));
            }
            let known = network.names.contains_key(&write.destination);
            if !known && unknown_names.insert(write.destination) && network.complete {
                let message =
                    format!("frame {}: no host bears the name {} that it is for", write.frame, write.destination);
                let problem = Problem::error(at.clone(), message);
                self.problems.push(
                    problem
                        .help(format!("let the hosts that heard it register it: names = [\"{}\"]", write.destination)),
                );
            }
            let slot = match super::wire_slot(&String::from_utf8_lossy(&write.slot)) {
                Ok(slot) => slot,
                Err(invalid) => {
                    self.error(at.clone(), format!("frame {}: {invalid}", write.frame));
                    continue;
                }
            };
            let to = Target::Named { name: write.destination, slot };
            if let Some(from) = from.filter(|_| known) {
                records.push(Recorded { at: write.at, from, to, data: write.data.clone() });
            }
        }
        (records.len() == writes.len()).then_some(records)
    }
}

impl Network {
    /// The one host that bears this name.
    fn bearer(&self, name: &NetbiosName) -> Option<HostId> {
        self.names.get(name).filter(|bearers| !bearers.group).map(|bearers| bearers.hosts[0])
    }
}
