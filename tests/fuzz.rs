//! What the crate promises about any bytes (`tests/fuzz/src/lib.rs`): the inputs that are kept, and changed ones. `.ci/fuzz`
//! looks for more with libFuzzer.

#[path = "fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library for libFuzzer")]
mod targets;

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

#[test]
fn datagrams() {
    hold("datagram", targets::datagram, 4_000);
}

#[test]
fn names() {
    hold("name", targets::name, 4_000);
}

#[test]
fn messages() {
    hold("message", targets::message, 4_000);
}

#[test]
fn packets_of_the_name_service() {
    hold("name_service", targets::name_service, 4_000);
}

#[test]
fn fragments() {
    hold("fragments", targets::fragments, 2_000);
}

#[test]
fn scenario_files() {
    hold("scenario", targets::scenario, 300);
}

/// Every kept input, and as many with parts of others in them, bytes overwritten, or an end that is missing.
fn hold(target: &str, promise: fn(&[u8]), cases: u32) {
    let folder = format!("{}/tests/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let inputs: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!inputs.is_empty(), "{folder} has no files");
    inputs.iter().for_each(|input| promise(input));

    let splice = (any::<Index>(), any::<Index>(), any::<Index>(), any::<Index>());
    let overwrite = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    let changes = (any::<Index>(), prop::option::of(splice), overwrite, prop::option::weighted(0.2, any::<Index>()));
    let config = ProptestConfig { cases: cases.max(ProptestConfig::default().cases), ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&changes, |(input, splice, overwrite, cut)| {
        let mut bytes = inputs[input.index(inputs.len())].clone();
        if let Some((other, from, to, at)) = splice {
            let other = &inputs[other.index(inputs.len())];
            let (from, to) = (from.index(other.len() + 1), to.index(other.len() + 1));
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, other[from.min(to)..from.max(to)].iter().copied());
        }
        for (at, byte) in overwrite {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len() + 1)));
        promise(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
