//! The report of one run as JSON: the contract between this program and everything that reads its results.

use std::collections::BTreeMap;

use schemars::{JsonSchema, schema_for};
use serde::{Serialize, Serializer};

use super::apps::AppReport;
use super::verdict::ExpectationReport;
use crate::link;
use crate::scenario::{Phase, Scenario};
use crate::sim::{AppTheory, Outcome, Theory, theory, theory_of_apps};
use crate::stats::{DelayHistogram, Fate, FlowTally, HostTally, Proportion};

/// The report of one run of one scenario.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunReport {
    /// Name and version of this form.
    schema: &'static str,
    /// Version of the program.
    version: &'static str,
    scenario: ScenarioReport,
    /// The figures over all flows.
    totals: Figures,
    /// The figures of each flow.
    flows: Vec<FlowReport>,
    /// The figures of each app; left out if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apps: Vec<AppReport>,
    hosts: Vec<HostReport>,
    links: Vec<LinkReport>,
    expectations: Vec<ExpectationReport>,
}

/// What was run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ScenarioReport {
    name: String,
    /// SHA-256 of the resolved scenario.
    hash: String,
    /// A 64-bit number, as text because JSON readers round such numbers.
    seed: String,
    replication: u32,
    driver: &'static str,
    duration_ns: u64,
}

/// One flow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct FlowReport {
    name: String,
    to: String,
    #[serde(flatten)]
    figures: Figures,
}

/// The figures of a flow, or of all flows together.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Figures {
    sender: SenderReport,
    audience: AudienceReport,
    /// Messages at recipients by what became of them; fates that did not occur are left out.
    #[serde(serialize_with = "in_order")]
    #[schemars(with = "BTreeMap<String, u64>")]
    fates: Vec<(&'static str, u64)>,
    /// Acceptances by a slot after the first.
    duplicates: u64,
    /// Messages delivered with other bytes than were written.
    damaged: u64,
    /// Damaged datagrams taken by a slot that they had not been addressed to.
    misdelivered: u64,
    delivery_ratio: Ratio,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_ratio: Option<Ratio>,
    reordered_ratio: Ratio,
    reorder_extent: ReorderExtent,
    loss_period: LossPeriod,
    delay_ns: DelayReport,
    /// What programs did to acknowledge the messages; only of a flow whose readers do.
    #[serde(skip_serializing_if = "Option::is_none")]
    ack: Option<AckReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theory: Option<TheoryReport>,
    /// The same figures of the messages of each phase, in the order of time; none if the scenario has no phases.
    #[serde(serialize_with = "of_phases", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, Figures>>")]
    phases: Option<Vec<(String, Figures)>>,
}

/// What the sending programs could know.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct SenderReport {
    messages: u64,
    writes: u64,
    succeeded: u64,
    /// Failed writes by Win32 error code.
    failed: BTreeMap<String, u64>,
    /// Datagrams that reached a sender because of its own writes.
    acknowledgements: u64,
    /// Writes that were not made, because their program did not run; left out if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_made: Option<u64>,
}

/// Whom the messages addressed, and how many of them got each.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AudienceReport {
    /// The largest audience of a message.
    size: u32,
    /// How many (message, recipient) there are.
    addressed: u64,
    all: u64,
    some: u64,
    none: u64,
    /// Messages that were sent and addressed nobody; left out if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_audience: Option<u64>,
    /// Messages by the number of recipients that got them.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_count: Option<Vec<u64>>,
}

/// A share with its interval.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Ratio {
    /// `k / n`; null for n = 0.
    value: Option<f64>,
    k: u64,
    n: u64,
    low: Option<f64>,
    high: Option<f64>,
    interval: &'static str,
}

/// RFC 4737.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ReorderExtent {
    max: u64,
}

/// RFC 3357.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct LossPeriod {
    count: u64,
    mean: Option<f64>,
    max: u64,
    /// Loss periods by their length in messages, from 0 on; the 101st number, that of 100, counts longer ones too. Left out if there
    /// are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    by_length: Vec<u64>,
}

/// Times in nanoseconds, one-way delays say; null when there is none.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct DelayReport {
    n: u64,
    min: Option<u64>,
    mean: Option<f64>,
    p50: Option<u64>,
    p90: Option<u64>,
    p99: Option<u64>,
    p999: Option<u64>,
    max: Option<u64>,
}

/// Acknowledgements that programs build themselves: what the senders believe.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AckReport {
    /// Messages to which the whole audience replied before the sender gave up.
    confirmed: u64,
    /// Messages that the sender gave up, or was still waiting for when the run ended.
    given_up: u64,
    tries: TriesReport,
    /// Replies that readers wrote.
    replies_sent: u64,
    /// Replies that senders read, again and too late included.
    replies_received: u64,
    /// (message, recipient) that were delivered, and the sender has no reply.
    false_despair: u64,
    /// Of addressed (message, recipient) those that the sender believes delivered.
    belief_ratio: Ratio,
}

/// How many times a message was written.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct TriesReport {
    mean: Option<f64>,
    max: u64,
}

/// What the closed forms say; without those that do not hold.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct TheoryReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    belief_ratio: Option<f64>,
    /// How many times a message is written on average, where readers acknowledge.
    #[serde(skip_serializing_if = "Option::is_none")]
    tries: Option<f64>,
}

/// One host.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct HostReport {
    name: String,
    sent: u64,
    received: u64,
    delivered: u64,
    discarded: DiscardedReport,
}

/// Why a host dropped datagrams.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct DiscardedReport {
    no_such_mailslot: u64,
    malformed: u64,
    not_for_us: u64,
    /// Left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    too_large_for_slot: Option<u64>,
    /// Left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot_full: Option<u64>,
    /// Left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_fragment: Option<u64>,
    /// What came for it while it was down, or stood still until the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_down: Option<u64>,
}

/// One link.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct LinkReport {
    name: String,
    offered: u64,
    lost: u64,
    corrupted: u64,
    duplicated: u64,
    queue_dropped: u64,
    /// offered - lost + duplicated - queue_dropped
    carried: u64,
    /// IP bytes carried.
    bytes: u64,
}

/// What a report and a line of a study both have of a run.
#[derive(Serialize)]
pub(super) struct RunFigures {
    totals: Figures,
    flows: Vec<FlowReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apps: Vec<AppReport>,
    expectations: Vec<ExpectationReport>,
}

impl RunFigures {
    /// The figures of a run, with the closed forms of the scenario's flows and apps.
    pub(super) fn new(scenario: &Scenario, outcome: &Outcome, theory: (&[Theory], &[AppTheory])) -> Self {
        let totals = outcome.tally.totals();
        let flows = scenario.flows.iter().zip(&outcome.tally.flows).zip(theory.0);
        let flows = flows.map(|((flow, tally), theory)| FlowReport {
            name: flow.name.clone(),
            to: flow.to.clone(),
            figures: Figures::of_flow(tally, *theory, &scenario.phases),
        });
        let apps = scenario.apps.iter().zip(&outcome.apps).zip(theory.1);
        let expectations = scenario.expectations.iter();
        RunFigures {
            totals: Figures { phases: by_phase(&scenario.phases, &totals, Figures::new), ..Figures::new(&totals) },
            flows: flows.collect(),
            apps: apps.map(|((app, tally), theory)| AppReport::new(scenario, app, tally, *theory)).collect(),
            expectations: expectations.map(|it| ExpectationReport::new(scenario, it, &totals, outcome)).collect(),
        }
    }
}

impl RunReport {
    /// The report of a run.
    #[must_use]
    pub fn new(scenario: &Scenario, replication: u32, outcome: &Outcome) -> Self {
        let topology = scenario.topology();
        let RunFigures { totals, flows, apps, expectations } =
            RunFigures::new(scenario, outcome, (&theory(scenario), &theory_of_apps(scenario)));
        let hosts = topology.hosts().iter().zip(&outcome.tally.hosts);
        let links = topology.links().iter().zip(&outcome.links);
        RunReport {
            schema: "mailslot-sim/report/1",
            version: env!("CARGO_PKG_VERSION"),
            scenario: ScenarioReport {
                name: scenario.name().to_owned(),
                hash: scenario.hash(),
                seed: scenario.seed().to_string(),
                replication,
                driver: outcome.driver.name(),
                duration_ns: scenario.duration().nanos(),
            },
            totals,
            flows,
            apps,
            hosts: hosts.map(|(host, tally)| HostReport::new(&host.name, tally)).collect(),
            links: links.map(|(link, counters)| LinkReport::new(&link.name, counters)).collect(),
            expectations,
        }
    }

    /// Every expectation of the scenario.
    #[must_use]
    pub fn expectations(&self) -> &[ExpectationReport] {
        &self.expectations
    }

    /// As JSON on several lines, with a line feed at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has a JSON form") + "\n"
    }

    /// As JSON on one line, with a line feed at the end.
    #[must_use]
    pub fn to_ndjson(&self) -> String {
        serde_json::to_string(self).expect("a report has a JSON form") + "\n"
    }
}

/// The JSON Schema of reports (draft 2020-12).
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_for!(RunReport).to_value()
}

impl Figures {
    fn of_flow(tally: &FlowTally, theory: Theory, phases: &[Phase]) -> Self {
        Figures {
            theory: Some(TheoryReport {
                delivery_ratio: theory.delivery_ratio,
                all_ratio: theory.all_ratio,
                belief_ratio: theory.belief_ratio,
                tries: theory.tries,
            }),
            phases: by_phase(phases, tally, Figures::of_messages),
            ..Figures::of_messages(tally)
        }
    }

    /// The figures of messages of one flow: all, or those of a phase.
    fn of_messages(tally: &FlowTally) -> Self {
        let figures = Figures::new(tally);
        let by_count = Some(tally.by_count.clone()).filter(|counts| !counts.is_empty()).or(Some(vec![0]));
        Figures {
            all_ratio: Some(Ratio::new(tally.all_ratio())),
            audience: AudienceReport { by_count, ..figures.audience },
            ..figures
        }
    }

    fn new(tally: &FlowTally) -> Self {
        let fates = Fate::ALL.iter().map(|fate| (fate.name(), tally.fate(*fate)));
        let mut failed = BTreeMap::from([(BAD_NETPATH, 0)]);
        failed.extend(tally.failed.iter().map(|(code, count)| (*code, *count)));
        Figures {
            sender: SenderReport {
                messages: tally.messages,
                writes: tally.writes,
                succeeded: tally.succeeded,
                failed: failed.into_iter().map(|(code, count)| (code.to_string(), count)).collect(),
                acknowledgements: tally.acknowledgements,
                not_made: some_of(tally.not_made),
            },
            audience: AudienceReport {
                size: tally.audience_size,
                addressed: tally.addressed,
                all: tally.all,
                some: tally.some,
                none: tally.none,
                without_audience: some_of(tally.without_audience),
                by_count: None,
            },
            fates: fates.filter(|(name, count)| *count > 0 || *name == Fate::Delivered.name()).collect(),
            duplicates: tally.duplicates,
            damaged: tally.damaged,
            misdelivered: tally.misdelivered,
            delivery_ratio: Ratio::new(tally.delivery_ratio()),
            all_ratio: None,
            reordered_ratio: Ratio::new(tally.reordered_ratio()),
            reorder_extent: ReorderExtent { max: tally.reorder_extent },
            loss_period: LossPeriod {
                count: tally.loss_periods.count,
                mean: tally.loss_periods.mean(),
                max: tally.loss_periods.max,
                by_length: tally.loss_periods.by_length.clone(),
            },
            delay_ns: DelayReport::new(&tally.delays),
            ack: AckReport::new(tally),
            theory: None,
            phases: None,
        }
    }
}

impl AckReport {
    fn new(tally: &FlowTally) -> Option<Self> {
        let ack = tally.ack?;
        Some(AckReport {
            confirmed: ack.confirmed,
            given_up: tally.given_up()?,
            tries: TriesReport { mean: tally.mean_tries(), max: ack.most_tries },
            replies_sent: ack.replies_sent,
            replies_received: ack.replies_received,
            false_despair: tally.false_despair()?,
            belief_ratio: Ratio::new(tally.belief_ratio()?),
        })
    }
}

impl Ratio {
    pub(super) fn new(proportion: Proportion) -> Self {
        let interval = proportion.wilson95();
        Ratio {
            value: proportion.value(),
            k: proportion.k,
            n: proportion.n,
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            interval: "wilson-95",
        }
    }
}

impl DelayReport {
    pub(super) fn new(delays: &DelayHistogram) -> Self {
        let figures = delays.figures();
        let percentile = |position: usize| figures.map(|figures| figures.percentiles[position]);
        DelayReport {
            n: delays.n(),
            min: figures.map(|figures| figures.min),
            mean: figures.map(|figures| figures.mean),
            p50: percentile(0),
            p90: percentile(1),
            p99: percentile(2),
            p999: percentile(3),
            max: figures.map(|figures| figures.max),
        }
    }
}

impl HostReport {
    fn new(name: &str, tally: &HostTally) -> Self {
        HostReport {
            name: name.to_owned(),
            sent: tally.sent,
            received: tally.received,
            delivered: tally.delivered,
            discarded: DiscardedReport {
                no_such_mailslot: tally.no_such_mailslot,
                malformed: tally.malformed,
                not_for_us: tally.not_for_us,
                too_large_for_slot: some_of(tally.too_large_for_slot),
                slot_full: some_of(tally.slot_full),
                missing_fragment: some_of(tally.missing_fragment),
                host_down: some_of(tally.host_down),
            },
        }
    }
}

impl LinkReport {
    fn new(name: &str, counters: &link::Counters) -> Self {
        LinkReport {
            name: name.to_owned(),
            offered: counters.offered,
            lost: counters.lost,
            corrupted: counters.corrupted,
            duplicated: counters.duplicated,
            queue_dropped: counters.queue_dropped,
            carried: counters.carried,
            bytes: counters.bytes,
        }
    }
}

/// The figures of each phase.
fn by_phase(phases: &[Phase], of: &FlowTally, figures: fn(&FlowTally) -> Figures) -> Option<Vec<(String, Figures)>> {
    Some(phases.iter().zip(&of.phases).map(|(phase, tally)| (phase.name.clone(), figures(tally))).collect())
}

fn of_phases<S: Serializer>(phases: &Option<Vec<(String, Figures)>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(phases.iter().flatten().map(|(name, figures)| (name, figures)))
}

fn in_order<S: Serializer>(entries: &[(&'static str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().copied())
}

fn some_of(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

/// The error code of a write that could not be sent: listed even when there is none.
const BAD_NETPATH: u32 = crate::mailslot::Win32Error::BadNetpath.code();
