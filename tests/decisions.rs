//! Why links do what they do: the draws that an observer can ask for are those that decide, and nothing else happens.

mod support;

use std::collections::BTreeMap;

use mailslot_sim::draw::{Answer, Judgement, ModelState};
use mailslot_sim::id::{DatagramId, LinkId, StreamId};
use mailslot_sim::link::Probability;
use mailslot_sim::net::LinkSpec;
use mailslot_sim::rng::{Purpose, Root};
use mailslot_sim::scenario::Scenario;
use mailslot_sim::sim;
use mailslot_sim::stats::{Bound, Event, Fate, Instance, Observer};
use mailslot_sim::time::Instant;
use support::{scenario, shipped};

/// A broadcast to three over links with these models; B's link down has others than those of its neighbours.
fn network(model: &str) -> Scenario {
    scenario(&format!(
        r#"
        schema = 1
        name = "decisions"
        seed = "11"
        duration = "20 s"
        [link.model]
        {model}
        [segment.s]
        link = "model"
        [[host]]
        name = "A"
        segment = "s"
        [[host]]
        name = "B{{1..3}}"
        segment = "s"
        [[mailslot]]
        on = "B{{1..3}}"
        name = "t"
        [[traffic]]
        name = "f"
        from = "A"
        to = '\\WORKGROUP\mailslot\t'
        every = "20 ms"
        copies = 2
        spacing = "5 ms"
        "#
    ))
}

/// Every kind of model, with the purposes of draws that it must have been seen to use.
const MODELS: [(&str, &[Purpose]); 5] = [
    ("loss = \"20 %\"", &[Purpose::Loss]),
    (
        "loss = { mean = \"20 %\", burst = 5 }\nduplicate = \"10 %\"",
        &[Purpose::Loss, Purpose::LossState, Purpose::Duplicate],
    ),
    (
        "loss = { four_state = { p13 = 0.1, p31 = 0.4, p32 = 0.2, p23 = 0.3, p14 = 0.05 } }\ncorrupt = \"5 %\"",
        &[Purpose::Loss, Purpose::LossState, Purpose::Corrupt],
    ),
    (
        "loss = { every = 7 }\ndelay = { distribution = \"uniform\", min = \"1 ms\", max = \"9 ms\" }\n\
         reorder = { probability = \"20 %\", gap = 3 }",
        &[Purpose::Loss, Purpose::Delay, Purpose::Reorder],
    ),
    (
        "delay = { distribution = \"normal\", mean = \"9 ms\", deviation = \"2 ms\", correlation = \"50 %\" }\n\
         reorder = { probability = \"20 %\", correlation = \"40 %\" }",
        &[Purpose::Delay, Purpose::Reorder],
    ),
];

/// Checks what it is told about decisions against the draws themselves, and against what happens next.
struct Judge {
    root: Root,
    links: Vec<LinkSpec>,
    key: u64,
    /// What is due to happen because of the decisions on an instance at a link.
    due: BTreeMap<&'static str, (Instance, LinkId)>,
    /// The state that the next datagram meets, by link.
    next: BTreeMap<LinkId, ModelState>,
    used: BTreeMap<u8, u64>,
}

impl Judge {
    fn id(&self, instance: &Instance) -> DatagramId {
        let Instance { message, copy, packet, duplicate, fragment, .. } = *instance;
        DatagramId { copy, packet, duplicate, fragment, ..DatagramId::new(self.key, message) }
    }

    fn happens(&mut self, what: &'static str, instance: &Instance, link: LinkId) {
        assert_eq!(self.due.remove(what), Some((*instance, link)), "{what} was decided");
    }
}

impl Observer for Judge {
    fn observe(&mut self, _: Instant, event: &Event<'_>) {
        match event {
            Event::Lost { instance, link, fate: Fate::LostOnLink, .. } => self.happens("lost", instance, *link),
            Event::Corrupted { instance, link } => self.happens("damaged", instance, *link),
            Event::Duplicated { instance, link, .. } => self.happens("doubled", instance, *link),
            _ => assert!(self.due.is_empty(), "{:?} was decided and does not happen", self.due),
        }
    }

    fn judged(&mut self, _: Instant, link: LinkId, instance: &Instance, judgement: &dyn Fn() -> Judgement) {
        assert_eq!(instance.stream, StreamId(0));
        assert!(matches!(instance.bound, Bound::Audience | Bound::Recipient(_)));
        let judgement = judgement();
        let happens = |due: &mut BTreeMap<_, _>, what, answer| {
            if !matches!(answer, Answer::No) {
                due.insert(what, (*instance, link));
            }
        };
        let mut drawn = 0;
        for decision in &judgement.decisions {
            let (purpose, draw) = (decision.purpose, decision.draw);
            let own = self.root.link(&self.links[link.index()].name).draw(&self.id(instance), purpose);
            assert_eq!(draw, own, "{purpose:?}");
            *self.used.entry(purpose as u8).or_default() += 1;
            let yes =
                decision.probability.map(|it| Probability::new(it).unwrap().decides(decision.rank.unwrap_or(draw)));
            match (purpose, decision.answer) {
                (Purpose::Loss, answer @ (Answer::Yes | Answer::No)) => {
                    assert_eq!(yes, Some(answer == Answer::Yes));
                    if let Some(next) = self.next.get(&link).filter(|_| instance.duplicate == 0) {
                        assert_eq!(decision.state, Some(*next), "the state that the datagram before left");
                    }
                    assert_eq!(judgement.takes_nanos.is_none(), answer == Answer::Yes);
                    happens(&mut self.due, "lost", answer);
                }
                (Purpose::LossState, Answer::Next(next)) => {
                    assert!(yes.is_none_or(|changes| changes == (decision.state != Some(next))));
                    self.next.insert(link, next);
                }
                (Purpose::Corrupt, answer @ (Answer::Bit(_) | Answer::No)) => {
                    assert_eq!(yes, Some(answer != Answer::No));
                    happens(&mut self.due, "damaged", answer);
                }
                (Purpose::Duplicate, answer @ (Answer::Yes | Answer::No)) => {
                    assert_eq!(yes, Some(answer == Answer::Yes));
                    assert_eq!(judgement.copy_takes_nanos.is_some(), answer == Answer::Yes);
                    happens(&mut self.due, "doubled", answer);
                }
                (Purpose::Delay, Answer::Nanos(nanos)) => {
                    let delay = &self.links[link.index()].config.delay;
                    assert_eq!(decision.rank.is_none(), delay.correlation.is_none());
                    assert_eq!(delay.distribution.quantile(decision.rank.unwrap_or(draw)).nanos(), nanos);
                    drawn = nanos;
                }
                (Purpose::Reorder, answer @ (Answer::Yes | Answer::No)) => assert_eq!(yes, Some(answer == Answer::Yes)),
                unexpected => panic!("{unexpected:?}"),
            }
        }
        if let Some(takes) = judgement.takes_nanos {
            assert_eq!(takes, drawn + judgement.waits_nanos);
        }
    }
}

#[test]
fn what_links_do_is_what_their_draws_decide() {
    for (model, purposes) in MODELS {
        let scenario = network(model);
        let root = Root { seed: 11, replication: 3 };
        let links = scenario.topology().links().to_vec();
        let key = root.stream_key("f", "A");
        let mut judge = Judge { root, links, key, due: BTreeMap::new(), next: BTreeMap::new(), used: BTreeMap::new() };
        sim::run(&scenario, 3, &mut judge).unwrap();
        for purpose in purposes {
            assert!(judge.used.get(&(*purpose as u8)).is_some_and(|uses| *uses > 100), "{model}: {purpose:?}");
        }
    }
}

/// What every recipient's messages came to, one by one, adds up to the report, in every shipped scenario that is quick.
#[derive(Default)]
struct Sum(BTreeMap<&'static str, u64>);

impl Observer for Sum {
    fn observe(&mut self, _: Instant, _: &Event<'_>) {}

    fn settled(&mut self, _: Instant, settled: &mailslot_sim::stats::Settled) {
        *self.0.entry(settled.fate.name()).or_default() += 1;
    }
}

#[test]
fn every_fate_is_told_once() {
    for name in [
        "plant-alarm",
        "silent-failures",
        "crash-and-return",
        "one-way-cut",
        "app-level-ack",
        "small-mtu",
        "duplicates",
        "samba-election",
    ] {
        let scenario = shipped(name, &[]);
        let mut sum = Sum::default();
        let outcome = sim::run(&scenario, 0, &mut sum).unwrap();
        let totals = outcome.tally.totals();
        let counted = Fate::ALL.map(|fate| (fate.name(), totals.fate(fate)));
        let counted: BTreeMap<_, _> = counted.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(sum.0, counted, "{name}");
    }
}
