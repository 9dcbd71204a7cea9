//! One link in the words of netem.

use super::jitter::{Jitter, tc_time};
use crate::link::{Config, FourState, GilbertElliott, Loss, Probability, QueueLimit};
use crate::time::Duration;

/// The arguments of netem, and what they do not say.
#[derive(Default)]
pub(super) struct Netem {
    pub(super) arguments: Vec<String>,
    pub(super) remarks: Vec<String>,
}

/// What comes nearest to a link.
pub(super) fn nearest(config: &Config) -> Netem {
    let mut netem = Netem::default();
    let jitter = delay(config, &mut netem);
    loss(config, &mut netem);
    corrupt(config, &mut netem);
    duplicate(config, jitter, &mut netem);
    reorder(config, &mut netem);
    rate(config, jitter, &mut netem);
    if let Some(mtu) = config.mtu {
        netem.remark(format!("mtu: netem has none, the device has: ip link set dev DEV mtu {mtu}"));
    }
    netem
}

impl Netem {
    fn add(&mut self, argument: impl Into<String>) {
        self.arguments.push(argument.into());
    }

    pub(super) fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }

    /// A probability in percent: netem has 32 bits for it.
    fn percent(&mut self, probability: Probability) -> String {
        let value = probability.value();
        if value > 0.0 && units(value) == 0.0 {
            self.remark(format!("{} % is never: netem has 32 bits for a probability.", value * 100.0));
        }
        percent(value)
    }

    /// One of two ways out of a state, a little less likely if need be: the kernel adds both in 32 bits, and where both
    /// are rounded up, 100 % together become 0.
    fn less_than_all(&mut self, one: Probability, other: Probability, names: [&str; 2]) -> Probability {
        if units(one.value()) + units(other.value()) <= f64::from(u32::MAX) {
            return one;
        }
        let [name, other] = names;
        self.remark(format!(
            "loss: {name} and {other} are 100 % together, which the kernel would add to 0 in 32 bits: {name} is \
             0.000001 % less."
        ));
        Probability::new((one.value() - 1e-8).max(0.0)).expect("from 0 to 1")
    }
}

fn delay(config: &Config, netem: &mut Netem) -> Jitter {
    let mut jitter = Jitter::nearest(&config.delay.distribution, netem);
    let has_table = jitter.table.is_some();
    if (has_table || !config.reorder.is_none()) && (jitter.mean < LEAST || has_table && jitter.spread < LEAST) {
        netem.remark("delay: tc wants at least 1us beside a distribution or reorder.");
        jitter.mean = jitter.mean.max(LEAST);
        jitter.spread = if has_table { jitter.spread.max(LEAST) } else { jitter.spread };
    }
    let Jitter { mean, spread, table } = jitter;
    let is_varying = spread > Duration::ZERO;
    if mean == Duration::ZERO && !is_varying {
        return jitter;
    }
    netem.add(format!("delay {}", tc_time(mean)));
    if is_varying {
        netem.add(tc_time(spread));
        correlation(config, netem);
    }
    if let Some(table) = table {
        netem.add(format!("distribution {table}"));
    }
    if [mean, spread].iter().any(|time| time.nanos() % 1_000 != 0) {
        netem.remark("delay: older versions of tc count whole microseconds.");
    }
    if mean.max(spread) > LONGEST {
        netem.remark("delay: older versions of tc refuse more than 274 s.");
    }
    if spread > GREATEST_JITTER {
        netem.remark("delay: the kernel takes 2.147483647 s for every jitter above.");
    }
    jitter
}

fn correlation(config: &Config, netem: &mut Netem) {
    let correlation = config.delay.correlation;
    if correlation.is_none() {
        return;
    }
    let coefficient = netem.percent(correlation.coefficient());
    netem.add(coefficient);
    if correlation.coefficient() < Probability::ALWAYS {
        netem.remark(
            "delay: netem correlates numbers of 32 bits, but takes their remainder (by the 4096 values of a table, or \
             by twice the jitter in ns), which leaves nearly nothing of the correlation unless the jitter comes near \
             a second and has no table. Here delays are correlated as asked, and their distribution stays what it is.",
        );
    }
}

fn loss(config: &Config, netem: &mut Netem) {
    let states = config.loss.stationary();
    let all_lose = |loss: f64| states.iter().all(|(met, lost)| *met == 0.0 || *lost == loss);
    if all_lose(0.0) {
        return;
    }
    if all_lose(1.0) {
        return netem.add("loss random 100%");
    }
    match &config.loss {
        Loss::Independent(probability) => {
            let probability = netem.percent(*probability);
            netem.add(format!("loss random {probability}"));
        }
        Loss::GilbertElliott(model) => two_states(model, netem),
        Loss::FourState(model) => four_states(model, netem),
        Loss::Every(periodic) => {
            let every = periodic.every();
            if every.get() > 2 {
                netem.remark(format!(
                    "loss: netem has no periods. This chain loses as much, and never two in a row, but what it \
                     carries between two losses varies. An nftables rule drops exactly one of {every}: numgen inc mod \
                     {every} 0 drop"
                ));
            }
            two_states(&chain(periodic.mean(), 1.0), netem);
        }
        Loss::Pattern(pattern) => {
            netem.remark(
                "loss: netem has no patterns. This chain loses as much, in loss periods of the same mean length.",
            );
            let burst = pattern.mean_burst().expect("it loses some and carries some");
            two_states(&chain(pattern.mean(), burst), netem);
        }
    }
}

/// The chain of two states with this mean and this length of loss periods, which those of a list of losses can be.
fn chain(mean: f64, burst: f64) -> GilbertElliott {
    let mean = Probability::new(mean).expect("a share");
    GilbertElliott::from_mean_and_burst(mean, burst).expect("between two loss periods something is carried")
}

fn two_states(model: &GilbertElliott, netem: &mut Netem) {
    let GilbertElliott { p, r, loss_good, loss_bad } = *model;
    let [p, r] = [p, r].map(|probability| netem.percent(probability));
    netem.add(format!("loss gemodel {p} {r}"));
    if (loss_good, loss_bad) != (Probability::NEVER, Probability::ALWAYS) {
        let [loss_bad, loss_good] = [loss_bad, loss_good].map(|probability| netem.percent(probability));
        netem.add(format!("{loss_bad} {loss_good}"));
    }
    netem.remark("loss: netem starts in the good state; here a link starts as it is in the long run.");
}

fn four_states(model: &FourState, netem: &mut Netem) {
    let [p13, p31, p32, p23, p14] = model.probabilities();
    let p13 = netem.less_than_all(p13, p14, ["p13", "p14"]);
    let p31 = netem.less_than_all(p31, p32, ["p31", "p32"]);
    let values = [p13, p31, p32, p23, p14].map(|probability| netem.percent(probability));
    netem.add(format!("loss state {}", values.join(" ")));
    netem.remark("loss: netem starts in state 1; here a link starts as it is in the long run.");
}

fn corrupt(config: &Config, netem: &mut Netem) {
    if config.corrupt == Probability::NEVER {
        return;
    }
    let corrupt = netem.percent(config.corrupt);
    netem.add(format!("corrupt {corrupt}"));
    netem.remark(
        "corrupt: netem flips any bit of a frame, those of its headers too; here it is one of the UDP payload.",
    );
    if !config.udp_checksum {
        netem.remark(
            "udp_checksum: netem leaves checksums alone, so the damage is found. Datagrams without one (UDP over \
             IPv4) are up to the program that sends them: socket option SO_NO_CHECK.",
        );
    }
}

fn duplicate(config: &Config, jitter: Jitter, netem: &mut Netem) {
    if config.duplicate == Probability::NEVER {
        return;
    }
    let duplicate = netem.percent(config.duplicate);
    netem.add(format!("duplicate {duplicate}"));
    let lost: f64 = config.loss.stationary().iter().map(|(met, lost)| met * lost).sum();
    if lost > 0.0 {
        netem.remark(format!(
            "duplicate: netem sends on once what is to be doubled and lost, so {} are lost, not {}; and a copy can be \
             lost too, and counts as a packet for the loss model.",
            percent(lost * (1.0 - config.duplicate.value())),
            percent(lost)
        ));
    }
    if config.corrupt != Probability::NEVER {
        netem.remark("duplicate: netem damages copy and original each by itself; here both have the same bit flipped.");
    }
    if config.delay.keep_order && jitter.spread > Duration::ZERO {
        netem.remark("duplicate: in netem those behind a copy wait for it too; here it follows its original at once.");
    }
}

fn reorder(config: &Config, netem: &mut Netem) {
    let reorder = config.reorder;
    if reorder.is_none() {
        return;
    }
    let probability = netem.percent(reorder.probability);
    netem.add(format!("reorder {probability}"));
    if !reorder.correlation.is_none() {
        let correlation = netem.percent(reorder.correlation.coefficient());
        netem.add(correlation);
        netem.remark(
            "reorder: netem's correlation draws towards one half what the probability is compared with, so of \
             probabilities below 50% it makes smaller shares, and greater ones of those above; here the share stays.",
        );
    }
    if reorder.gap.get() > 1 {
        netem.add(format!("gap {}", reorder.gap));
        netem.remark(
            "reorder: netem starts as behind one that was not delayed, and counts towards the gap what is not lost; \
             here a link starts anywhere, and each that is offered counts.",
        );
    }
    if config.bottleneck.is_some() {
        netem.remark("reorder: what netem does not delay takes no time at the rate either; here it takes its turn.");
    }
}

fn rate(config: &Config, jitter: Jitter, netem: &mut Netem) {
    let is_varying = jitter.spread > Duration::ZERO;
    let Some(bottleneck) = config.bottleneck else {
        if is_varying && config.delay.keep_order {
            netem.add("rate 1000tbit");
            netem.remark(
                "keep_order: netem has none, but lets nothing overtake where it has a rate. At this one a packet \
                 takes no time. (A fifo as its child keeps no order: packets come to it when their delays are over.)",
            );
        }
        if is_varying || jitter.mean > Duration::ZERO {
            netem.arguments.insert(0, format!("limit {NO_LIMIT}"));
        }
        return;
    };
    let rate = bottleneck.rate.get();
    netem.add(format!("rate {} {ETHERNET_HEADER}", tc_rate(rate.max(8))));
    netem.remark(format!(
        "rate: {ETHERNET_HEADER} takes out the Ethernet header, so that the bytes are those of IP, as here; leave it \
         out where frames have none."
    ));
    if !rate.is_multiple_of(8) {
        netem.remark("rate: netem counts whole bytes per second, at least one.");
    }
    if is_varying {
        netem.remark(format!(
            "rate: netem delays before it sends, and then nothing overtakes: what is delayed long holds up all that \
             is behind it. Here the delay comes after{}.",
            if config.delay.keep_order { ", and takes nothing from the rate" } else { ", and datagrams overtake" }
        ));
    }
    let waiting = match bottleneck.queue {
        QueueLimit::Datagrams(datagrams) => u64::from(datagrams),
        QueueLimit::Bytes(bytes) => {
            netem.remark(format!(
                "limit: netem has no queue of bytes: {bytes} are taken for {} datagrams of {DATAGRAM} bytes. tbf has \
                 one: limit {bytes}.",
                bytes / DATAGRAM
            ));
            u64::from(bytes / DATAGRAM)
        }
    };
    let delayed_bytes = u128::from(rate) * u128::from(jitter.mean.nanos()) / 8_000_000_000;
    let delayed = u64::try_from(delayed_bytes.div_ceil(DATAGRAM.into())).unwrap_or(u64::MAX);
    if delayed > 0 {
        netem.remark(format!(
            "limit: {waiting} that wait, the one that is sent, and {delayed} for what is being delayed \
             ({delayed_bytes} bytes at this rate, in datagrams of {DATAGRAM})."
        ));
    }
    let limit = delayed.saturating_add(waiting + 1).min(u32::MAX.into());
    netem.arguments.insert(0, format!("limit {limit}"));
}

/// A probability in the units that netem has, as tc rounds it.
fn units(probability: f64) -> f64 {
    (probability * f64::from(u32::MAX)).round_ties_even()
}

/// In percent, with more digits than 32 bits can tell apart.
fn percent(value: f64) -> String {
    format!("{}%", (value * 1e11).round() / 1e9)
}

/// A rate in the largest unit in which it is a whole number.
fn tc_rate(bits_per_second: u64) -> String {
    let units = [(1_000_000_000, "gbit"), (1_000_000, "mbit"), (1_000, "kbit"), (1, "bit")];
    let (unit, name) = units.into_iter().find(|(unit, _)| bits_per_second.is_multiple_of(*unit)).expect("1 fits");
    format!("{}{name}", bits_per_second / unit)
}

/// The least time that is not nothing to every version of tc.
const LEAST: Duration = Duration::from_nanos(1_000);
/// The longest delay that tc can count in its ticks of 64 ns, of which it has 2^32.
const LONGEST: Duration = Duration::from_nanos(64 << 32);
/// What the kernel cuts a jitter to.
const GREATEST_JITTER: Duration = Duration::from_nanos(i32::MAX as u64);
/// What netem may hold where nothing waits: more than anybody sends in a delay (a choice; by itself it would be 1000).
const NO_LIMIT: u32 = 1_000_000;
/// Length in bytes of the datagrams for which a limit of bytes, or what is delayed at a rate, stands: the longest that
/// RFC 1002 sends whole (a choice).
const DATAGRAM: u32 = 576;
/// What netem adds to the length of each packet.
const ETHERNET_HEADER: i32 = -14;
