//! What holds for all studies.

use std::collections::BTreeSet;

use mailslot_sim::scenario::{Source, Study, parse};
use mailslot_sim::sim;
use mailslot_sim::stats::{Event, Observer};
use mailslot_sim::time::Instant;
use proptest::prelude::*;

use super::GRID;

/// The study of a scenario.
fn study(text: &str) -> Study {
    parse(&Source { name: "grid.toml", text, set: &[], read_file: &no_files })
        .unwrap_or_else(|why| panic!("{why}"))
        .study
}

fn no_files(_: &str) -> std::io::Result<Vec<u8>> {
    Err(std::io::ErrorKind::NotFound.into())
}

/// What links lost: which message, on its way to whom.
#[derive(Default)]
struct Losses(BTreeSet<String>);

impl Observer for Losses {
    fn observe(&mut self, _: Instant, event: &Event<'_>) {
        if let Event::Lost { .. } = event {
            self.0.insert(format!("{event:?}"));
        }
    }
}

fn losses(study: &Study, point: usize, replication: u32) -> BTreeSet<String> {
    let mut losses = Losses::default();
    sim::run(&study.scenario(point, &no_files).unwrap(), replication, &mut losses).unwrap();
    losses.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Points share their draws: what is lost at one loss is lost at every greater one too.
    #[test]
    fn more_loss_loses_what_less_did_and_more(first in 1..500_u32, more in 1..500_u32, seed: u64, replication in 0..1_000_u32) {
        let [low, high] = [first, first + more].map(|permille| f64::from(permille) / 1_000.0);
        let text = GRID.replace("loss = { mean = \"5 %\", burst = 4.0 }", "loss = \"5 %\"");
        let text = text.replace("seed = \"42\"", &format!("seed = \"{seed}\""));
        let axes = format!("[study.axes]\nloss = {{ set = \"link.switch.loss\", values = [{low:?}, {high:?}] }}\n");
        let study = study(&format!("{}{axes}", &text[..text.find("[study]").unwrap()]));
        let [few, many] = [0, 1].map(|point| losses(&study, point, replication));
        prop_assert!(few.is_subset(&many), "{:?}", few.difference(&many).next());
    }

    /// An axis that has nothing to do with loss moves no loss.
    #[test]
    fn other_axes_move_no_loss(delay in 1..1_000_u32, replication in 0..1_000_u32) {
        let axes = format!("[study.axes]\ndelay = {{ set = \"link.switch.delay.mean\", values = [\"1 us\", \"{delay} ms\"] }}\n");
        let study = study(&format!("{}{axes}", &GRID[..GRID.find("[study]").unwrap()]));
        prop_assert_eq!(losses(&study, 0, replication), losses(&study, 1, replication));
    }

    /// The points of a grid are all combinations that `where` keeps, each once, and each is found by its name.
    #[test]
    fn names_of_points_are_unique_and_found(losses in prop::collection::btree_set(0..100_u32, 1..6), bursts in prop::collection::btree_set(1..50_u32, 1..6), bound in 0..100_u32) {
        let list = |values: &BTreeSet<u32>, unit: &str| values.iter().map(|value| format!("\"{value}{unit}\"")).collect::<Vec<_>>().join(", ");
        let axes = format!(
            "[study]\nwhere = \"loss <= {bound} % || burst == 1ms\"\n[study.axes]\nloss = {{ set = \"link.switch.loss.mean\", values = [{}] }}\nburst = {{ set = \"drain\", values = [{}] }}\n",
            list(&losses, " %"), list(&bursts, " ms"),
        );
        let text = format!("{}{axes}", &GRID[..GRID.find("[study]").unwrap()]);
        let kept = losses.iter().flat_map(|loss| bursts.iter().map(move |burst| (*loss, *burst))).filter(|(loss, burst)| *loss <= bound || *burst == 1).count();
        match parse(&Source { name: "grid.toml", text: &text, set: &[], read_file: &no_files }) {
            Err(problems) => prop_assert!(kept == 0, "{}", problems),
            Ok(checked) => {
                let study = checked.study;
                prop_assert_eq!(study.points(), kept);
                for point in 0..kept {
                    prop_assert_eq!(study.find(&study.id(point)), Ok(point));
                }
            }
        }
    }
}
