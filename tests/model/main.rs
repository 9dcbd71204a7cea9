//! The engine against a model: two machines and a bad network, any calls in any order.
//!
//! The model is written from the documents alone and predicts every result, every end of a read with its message and its
//! time, every packet, and what `GetMailslotInfo` says of every handle. So a message that reached a machine without the
//! name, or another mailslot than named, or only in part, would be one too many there and one too few elsewhere. Where the
//! documents leave a choice, it is the one that the engine's documentation states.

mod calls;
mod engines;
mod network;
mod operation;
mod world;

use std::collections::BTreeSet;

use engines::Engines;
use operation::{Act, Call, Operation};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use world::{Expected, Fate, HostSetup, Outcome, Setup, World};

struct Model;

impl ReferenceStateMachine for Model {
    type State = World;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<World> {
        let host = any::<[bool; 4]>().prop_map(|[fragments, strict, hole, datagram_errors]| HostSetup {
            fragments,
            api_424: strict,
            hole,
            datagram_errors,
        });
        (any::<bool>(), [host.clone(), host]).prop_map(|(xp, hosts)| World::new(Setup { xp, hosts })).boxed()
    }

    fn transitions(world: &World) -> BoxedStrategy<Operation> {
        operation::operation(world)
    }

    fn apply(mut world: World, operation: &Operation) -> World {
        world.apply(operation);
        world
    }

    /// Whether what the operation works on was made: shrinking may have taken that away.
    fn preconditions(world: &World, operation: &Operation) -> bool {
        let (machine, call) = match &operation.act {
            Act::Call(machine, call) => (*machine, call),
            Act::Deliver { packet, .. } | Act::Lose { packet } => return world.flying.contains_key(packet),
            Act::Advance(_) => return true,
        };
        let host = &world.hosts[machine];
        let handle = |handle| host.handles.contains_key(handle);
        let process = |process| host.processes.contains_key(process);
        match call {
            Call::Create { process: owner, .. } | Call::Open { process: owner, .. } => process(owner),
            Call::CreateProcess { parent, .. } => process(parent),
            Call::ExitProcess { process: ended } => process(ended),
            Call::DuplicateInto { handle: original, process: into, .. } => handle(original) && process(into),
            Call::CancelRead { read } => host.reads.contains(read),
            Call::Write { handle: used, .. }
            | Call::Read { handle: used, .. }
            | Call::Cancel { handle: used }
            | Call::Info { handle: used }
            | Call::SetReadTimeout { handle: used, .. }
            | Call::Duplicate { handle: used }
            | Call::SetInheritable { handle: used, .. }
            | Call::Close { handle: used } => handle(used),
            Call::SetTransports(_) | Call::SetRemoteDisabled(_) => true,
        }
    }
}

impl StateMachineTest for Model {
    type SystemUnderTest = Engines;
    type Reference = Model;

    fn init_test(world: &World) -> Engines {
        Engines::new(world)
    }

    fn apply(mut engines: Engines, world: &World, operation: Operation) -> Engines {
        engines.apply(world, &operation);
        engines
    }

    fn check_invariants(engines: &Engines, world: &World) {
        engines.check(world);
    }

    fn teardown(engines: Engines, world: World) {
        engines.drain(&world);
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: CASES.max(ProptestConfig::default().cases), ..ProptestConfig::default() })]
    #[test]
    fn the_engine_behaves_as_the_documents_say(sequential 1..100 => Model);
}

/// Two seconds; `PROPTEST_CASES` asks for more.
const CASES: u32 = 2_000;

/// The operations that are drawn bring about everything that the model speaks of, and not only refusals.
#[test]
fn everything_comes_up() {
    let mut seen = BTreeSet::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..400 {
        let (mut world, operations, _) = Model::sequential_strategy(100).new_tree(&mut runner).unwrap().current();
        for operation in operations {
            world.apply(&operation);
            let Expected { outcome, ended, assembled, .. } = &world.expected;
            seen.insert(match outcome {
                Outcome::Failed(code) => code.to_string(),
                Outcome::Wrote { own: Some(Fate::Lost(why)), .. } | Outcome::Received(Fate::Lost(why)) => (*why).into(),
                Outcome::Received(Fate::Taken(_)) => "received".into(),
                other => format!("{other:?}").split([' ', '(']).next().unwrap().into(),
            });
            for (_, result) in ended.iter().flatten() {
                seen.insert(format!("read ended: {:?}", result.as_ref().map(|_| ())));
            }
            seen.extend(assembled.iter().flatten().map(|(_, whole)| format!("whole: {whole}")));
        }
    }
    let outcomes = ["Child", "Done", "Info", "Message", "Pending", "Received", "Wrote", "received"];
    let losses = [
        "malformed",
        "no first fragment",
        "no such mailslot",
        "no user data",
        "not for us",
        "remote mailslots disabled",
        "slot full",
        "too large for the slot",
    ];
    let errors = ["2", "3", "5", "6", "32", "38", "53", "87", "121", "122", "123", "183", "3025"];
    let ends = ["Err(121)", "Err(122)", "Err(995)", "Ok(())"].map(|end| format!("read ended: {end}"));
    let wholes = ["whole: false".to_owned(), "whole: true".to_owned()];
    let all = [&outcomes[..], &losses[..], &errors[..]].concat().into_iter().map(str::to_owned);
    assert_eq!(seen, all.chain(ends).chain(wholes).collect());
}
