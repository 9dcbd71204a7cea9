//! Programs that run on hosts, as a checked scenario has them.

use serde::Serialize;

use super::model::{Scenario, Target};
use super::names::Names;
use crate::id::HostId;
use crate::message::browser::{SUFFIX_BROWSERS, SUFFIX_LOCAL_MASTER};
use crate::wire::NetbiosName;
use crate::wire::name::SUFFIX_WORKSTATION;

/// One `[[app]]` entry: a program that runs on hosts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) kind: AppKind,
    /// In ascending order. Each runs at most one program of a kind.
    pub(crate) hosts: Vec<HostId>,
}

/// What a program does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AppKind {
    /// The browser service: `app::browser`.
    Browser,
}

impl AppKind {
    /// Its name in files and reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            AppKind::Browser => "browser",
        }
    }

    /// The mailslots that a program of this kind has open.
    pub(crate) fn mailslots(self) -> &'static [&'static str] {
        match self {
            AppKind::Browser => &["BROWSE", "LANMAN"],
        }
    }

    /// Suffixes of the names of its group that each of its machines bears, and of those that some bear at times.
    pub(crate) fn suffixes(self) -> (&'static [u8], &'static [u8]) {
        match self {
            AppKind::Browser => (&[SUFFIX_BROWSERS], &[SUFFIX_LOCAL_MASTER]),
        }
    }
}

impl Scenario {
    /// Every program of every app: a position here is that of its stream after those of the flows.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&App, HostId)> {
        self.apps.iter().flat_map(|app| app.hosts.iter().map(move |host| (app, *host)))
    }

    /// Whether a target stands for a group whose members are known only while programs run: nobody is in the audience of
    /// a message to it.
    pub(crate) fn is_open_group(&self, sender: HostId, target: &Target) -> bool {
        self.target_name(sender, target).is_some_and(|name| is_borne_at_times(&self.names, &name))
    }
}

/// Whether a name is one that nobody bears but programs, at times. (A domain that nobody has joined yet is not.)
pub(crate) fn is_borne_at_times(names: &Names, name: &NetbiosName) -> bool {
    name.suffix() != SUFFIX_WORKSTATION && names.get(name).is_some_and(|bearers| bearers.hosts.is_empty())
}
