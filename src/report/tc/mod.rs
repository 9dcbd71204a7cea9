//! The links of a scenario as commands of Linux's `tc`: for each the line of netem that comes nearest, and what netem
//! cannot express or does in another way.
//!
//! Sources: tc-netem(8), and the code behind it: `tc/q_netem.c` of iproute2 6.1, for what a line means;
//! `net/sched/sch_netem.c` of Linux 6.18, for what it does.

mod jitter;
mod netem;

use crate::link::Config;
use crate::net::Topology;
use crate::scenario::Scenario;
use netem::Netem;

/// For each link of a scenario the nearest `tc` command, as a shell script in which everything else is a comment. Links
/// that behave alike stand together.
#[must_use]
pub fn netem(scenario: &Scenario) -> String {
    let mut text = String::new();
    comment(&mut text, "", &format!("{}: the nearest line of tc netem for each link.", scenario.name()));
    for note in GENERAL {
        comment(&mut text, "", note);
    }
    if !scenario.events.is_empty() {
        comment(&mut text, "", "What happens to the network while the scenario runs ([[event]]) is no part of a link.");
    }
    for (config, links) in groups(scenario.topology()) {
        text.push('\n');
        comment(&mut text, "", &links.join(", "));
        let Netem { arguments, remarks } = netem::nearest(config);
        match arguments[..] {
            [] => comment(&mut text, "  ", "carries everything at once: nothing is needed"),
            _ => text.push_str(&format!("tc qdisc add dev DEV root netem {}\n", arguments.join(" "))),
        }
        remarks.iter().for_each(|remark| comment(&mut text, "  ", remark));
    }
    text
}

/// What is so with every link.
const GENERAL: [&str; 3] = [
    "DEV is the device by which the packets of the link leave: of an up link the host's own; of a down link the \
     switch's port to the host, or an ifb through which the host lets in what comes; of a crossing (ROUTER/FROM>TO) \
     the router's in TO, by which those from other segments leave too.",
    "netem takes all packets that leave there, and draws anew in each run. It decides in the order duplicate, loss, \
     corrupt, delay or reorder, rate; links here in the order loss, corrupt, duplicate, rate and queue, delay, \
     reorder.",
    "Its limit counts all that it holds, delayed or waiting. Without a rate nothing is dropped here for want of room, \
     so the limit is out of the way then.",
];

/// The behaviours of links, in the order of the first link with each, and the names of all with it.
fn groups(topology: &Topology) -> Vec<(&Config, Vec<&str>)> {
    let mut groups: Vec<(&Config, Vec<&str>)> = Vec::new();
    for link in topology.links() {
        match groups.iter_mut().find(|(config, _)| *config == &link.config) {
            Some((_, names)) => names.push(&link.name),
            None => groups.push((&link.config, vec![&link.name])),
        }
    }
    groups
}

/// A comment in lines of at most [`WIDTH`] columns.
fn comment(text: &mut String, indent: &str, content: &str) {
    let mut row = format!("# {indent}");
    let mut is_fresh = true;
    for word in content.split(' ') {
        if !is_fresh && row.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&row);
            text.push('\n');
            row = format!("# {indent}  ");
            is_fresh = true;
        }
        if !is_fresh {
            row.push(' ');
        }
        row.push_str(word);
        is_fresh = false;
    }
    text.push_str(&row);
    text.push('\n');
}

/// Columns of comments.
const WIDTH: usize = 100;
