//! B nodes: each row of the table in the head of `names`, with its times (RFC 1001 15, RFC 1002 5.1.1).

use std::net::SocketAddrV4;
use std::sync::Arc;

use mailslot_sim::names::{Config, Directory, Event, Lookup, Mode, NameKind, NameService, Owner};
use mailslot_sim::wire::datagram::NodeType;
use mailslot_sim::wire::nbns::{Entry, ErrorCode, Message, Packet, Repr};
use mailslot_sim::wire::{Name, NetbiosName, Profile};

use crate::lan::{Host, Lan, address, at, name};
use NameKind::{Group, Unique};

fn resolved(owner: Option<Owner>) -> Event {
    Event::Resolved { name: name("X<00>"), owner }
}

fn unique(host: Host) -> Owner {
    Owner::Unique(address(host))
}

fn refused(by: Host) -> Event {
    Event::Refused { name: name("X<00>"), by: Some(address(by)) }
}

fn registered() -> Event {
    Event::Registered { name: name("X<00>") }
}

#[test]
fn the_owner_answers_a_query_and_the_answer_is_remembered() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)], &[]]);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
    assert_eq!(lan.trace, ["0 A>* query", "0 B>A found"]);
    assert_eq!(lan.events, [(0, 0, resolved(Some(unique(1))))]);
    lan.run_until(5_000);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Found(unique(1)));
    assert_eq!((lan.trace.len(), lan.events.len()), (2, 1));
}

#[test]
fn a_lost_query_is_asked_again_after_250_ms() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)]]);
    lan.lose([0, 1]);
    lan.lookup(0, "X<00>");
    lan.run_until(5_000);
    assert_eq!(lan.trace, ["0 A>* query", "250 A>* query", "500 A>* query", "500 B>A found"]);
    assert_eq!(lan.events, [(500, 0, resolved(Some(unique(1))))]);
}

#[test]
fn a_lost_answer_is_given_again_to_the_next_query() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)]]);
    lan.lose([1]);
    lan.lookup(0, "X<00>");
    lan.run_until(5_000);
    assert_eq!(lan.trace, ["0 A>* query", "0 B>A found", "250 A>* query", "250 B>A found"]);
    assert_eq!(lan.events, [(250, 0, resolved(Some(unique(1))))]);
}

/// The row: a lost query means a failed write.
#[test]
fn a_name_is_missing_after_three_queries_without_answer_and_that_is_not_remembered() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)]]);
    lan.lose([0, 1, 2]);
    lan.lookup(0, "X<00>");
    lan.run_until(749);
    assert_eq!(lan.events, []);
    lan.run_until(750);
    assert_eq!(lan.trace, ["0 A>* query", "250 A>* query", "500 A>* query"]);
    assert_eq!(lan.events, [(750, 0, resolved(None))]);
    assert_eq!(lan.hosts[0].poll_timeout(), None);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
    assert_eq!(lan.events.last(), Some(&(750, 0, resolved(Some(unique(1))))));
}

#[test]
fn members_of_a_group_all_answer_and_none_is_in_conflict() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Group)], &[("X<00>", Group)]]);
    lan.lookup(0, "X<00>");
    assert_eq!(lan.trace, ["0 A>* query", "0 B>A found", "0 C>A found"]);
    assert_eq!(lan.events, [(0, 0, resolved(Some(Owner::Group)))]);
}

#[test]
fn the_second_owner_of_a_unique_name_is_told_of_the_conflict() {
    for kind in [Unique, Group] {
        let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)], &[("X<00>", kind)]]);
        lan.lookup(0, "X<00>");
        assert_eq!(lan.trace, ["0 A>* query", "0 B>A found", "0 C>A found", "0 A>C conflict"]);
        let conflict = Event::Conflict { name: name("X<00>") };
        assert_eq!(lan.events, [(0, 0, resolved(Some(unique(1)))), (0, 2, conflict)]);
        assert_eq!((lan.hosts[1].holds(&name("X<00>")), lan.hosts[2].holds(&name("X<00>"))), (true, false));

        // The name was forgotten; C neither answers nor objects any more, and can only release it, silently.
        assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
        assert_eq!(lan.trace[4..], ["0 A>* query", "0 B>A found"]);
        assert_eq!(lan.lookup(0, "X<00>"), Lookup::Found(unique(1)));
        lan.register(2, "X<00>", kind);
        assert_eq!(lan.events.last(), Some(&(0, 2, Event::Refused { name: name("X<00>"), by: None })));
        lan.release(2, "X<00>");
        assert_eq!(lan.trace.len(), 6);
        lan.register(2, "X<00>", kind);
        assert_eq!(lan.events.last(), Some(&(0, 2, refused(1))));
    }
}

/// One machine by itself, and what it hears from others.
struct Alone(NameService);

impl Alone {
    fn new(names: &[(&str, NameKind)]) -> Self {
        let config =
            Config { address: address(0), scope: "LAB".parse().unwrap(), mode: Mode::Broadcast, is_server: false };
        Alone(NameService::new(config, names.iter().map(|(text, kind)| (name(text), *kind))))
    }

    /// The message in the next packet.
    fn sent(&mut self) -> Option<Repr> {
        let mut packet = Vec::new();
        self.0.poll_transmit(&mut packet)?;
        Some(Packet::new(&packet).and_then(|view| Repr::parse(&view, Profile::Strict)).unwrap())
    }

    fn hear(&mut self, millis: u64, from: Host, repr: &Repr) {
        let mut packet = Vec::new();
        repr.emit(&mut packet);
        self.0.handle_packet(at(millis), SocketAddrV4::new(address(from), 137), &packet);
    }

    /// A lookup of `X<00>`, and the answer of a host to it.
    fn ask(&mut self, millis: u64, ttl: u32) -> impl Fn(Host) -> Repr + use<> {
        assert_eq!(self.0.lookup(at(millis), &name("X<00>")), Lookup::Pending);
        let Repr { id, name, message } = self.sent().unwrap();
        assert_eq!(message, Message::Query { broadcast: true });
        move |host| {
            let owner = Entry { group: false, node: NodeType::B, address: address(host) };
            Repr { id, name: name.clone(), message: Message::Found { by_server: false, ttl, owners: vec![owner] } }
        }
    }
}

#[test]
fn conflicts_are_looked_for_during_one_second_after_the_first_answer() {
    for (millis, told) in [(1_249, true), (1_250, false)] {
        let mut alone = Alone::new(&[]);
        let answer = alone.ask(0, 10);
        alone.hear(250, 1, &answer(1));
        assert_eq!(alone.0.poll_timeout(), Some(at(1_250)));
        alone.hear(300, 1, &answer(1));
        alone.0.handle_timeout(at(millis));
        assert_eq!(alone.sent(), None, "a repeated answer is no conflict");
        alone.hear(millis, 2, &answer(2));
        let demand = alone.sent().map(|repr| repr.message);
        assert_eq!(matches!(demand, Some(Message::Refused { code: ErrorCode::Conflict, .. })), told, "at {millis} ms");
    }
}

#[test]
fn answers_that_nobody_waits_for_are_ignored() {
    let mut alone = Alone::new(&[]);
    let answer = alone.ask(0, 10);
    let good = answer(1);
    let netbios = |text: &str| Name { netbios: name(text), ..good.name.clone() };
    let scope = |text: &str| Name { scope: text.parse().unwrap(), ..good.name.clone() };
    for wrong in [
        Repr { id: good.id + 1, ..good.clone() },
        Repr { name: netbios("Y<00>"), ..good.clone() },
        Repr { name: netbios("X<20>"), ..good.clone() },
        Repr { name: scope(""), ..good.clone() },
        Repr { name: scope("LAB.EAST"), ..good.clone() },
        Repr { message: Message::Found { by_server: false, ttl: 9, owners: vec![] }, ..good.clone() },
        Repr { message: Message::NotFound { by_server: true, code: ErrorCode::Name }, ..good.clone() },
        Repr { message: Message::Wait { seconds: 9, request_flags: 0 }, ..good.clone() },
        Repr { message: Message::conflict_demand(), ..good.clone() },
    ] {
        alone.hear(10, 1, &wrong);
        assert_eq!((alone.0.poll_event(), alone.sent()), (None, None), "{wrong:?}");
    }
    alone.hear(10, 0, &good);
    assert_eq!(alone.0.poll_event(), None, "from its own address");
    alone.hear(10, 1, &Repr { name: scope("lab"), ..good.clone() });
    assert_eq!(alone.0.poll_event(), Some(resolved(Some(unique(1)))), "scopes compare without case");

    let mut late = Alone::new(&[]);
    let answer = late.ask(0, 10);
    for millis in [250, 500, 750] {
        late.0.handle_timeout(at(millis));
    }
    assert_eq!(late.0.poll_event(), Some(resolved(None)));
    late.hear(751, 1, &answer(1));
    assert_eq!(late.0.poll_event(), None);
}

/// Two programs on one computer: that with port 137 answers, and the other asks from a port of its own.
#[test]
fn another_program_of_the_same_computer_is_heard() {
    let mut program = Alone::new(&[]);
    program.0.set_port(50_000);
    let answer = program.ask(0, 10);
    program.hear(10, 0, &answer(0));
    assert_eq!(program.0.poll_event(), Some(resolved(Some(unique(0)))));
}

#[test]
fn a_name_is_remembered_as_long_as_the_answer_says_but_ten_minutes_at_most() {
    for (ttl, seconds) in [(5, 5), (599, 599), (300_000, 600), (0, 600)] {
        let mut alone = Alone::new(&[]);
        let answer = alone.ask(0, ttl);
        alone.hear(0, 1, &answer(1));
        assert_eq!(alone.0.lookup(at(seconds * 1000 - 1), &name("X<00>")), Lookup::Found(unique(1)));
        assert_eq!(alone.0.lookup(at(seconds * 1000), &name("X<00>")), Lookup::Pending, "TTL {ttl}");
    }
}

#[test]
fn who_waits_for_the_same_name_asks_once() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)]]);
    lan.lose([0]);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
    lan.run_until(100);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
    lan.run_until(5_000);
    assert_eq!(lan.trace, ["0 A>* query", "250 A>* query", "250 B>A found"]);
    assert_eq!(lan.events, [(250, 0, resolved(Some(unique(1))))]);
}

#[test]
fn own_names_and_the_name_of_all_need_no_packet() {
    let mut lan = Lan::broadcast(&[&[("X<00>", Unique), ("G<1C>", Group)]]);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Found(unique(0)));
    assert_eq!(lan.lookup(0, "G<1C>"), Lookup::Found(Owner::Group));
    assert_eq!(lan.lookup(0, "*<00>"), Lookup::Found(Owner::Group));
    assert!(lan.hosts[0].holds(&NetbiosName::ANY) && !lan.hosts[0].holds(&name("Y<00>")));
    assert_eq!((lan.hosts[0].kind(&name("X<00>")), lan.hosts[0].kind(&name("G<1C>"))), (Some(Unique), Some(Group)));
    assert!(lan.trace.is_empty());
}

#[test]
fn a_name_is_owned_after_three_claims_without_objection() {
    let mut lan = Lan::broadcast(&[&[], &[]]);
    lan.register(0, "X<00>", Unique);
    lan.register(0, "X<00>", Unique);
    lan.run_until(749);
    assert!(!lan.hosts[0].holds(&name("X<00>")) && lan.events.is_empty());
    lan.run_until(5_000);
    assert_eq!(lan.trace, ["0 A>* register", "250 A>* register", "500 A>* register", "750 A>* overwrite"]);
    assert_eq!(lan.events, [(750, 0, registered())]);
    lan.lookup(1, "X<00>");
    assert_eq!(lan.events.last(), Some(&(5_000, 1, resolved(Some(unique(0))))));
}

#[test]
fn the_owner_objects_at_once_and_again_if_that_was_lost() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)]]);
    lan.lose([1, 2]);
    lan.register(0, "X<00>", Unique);
    lan.run_until(5_000);
    let expected = ["0 A>* register", "0 B>A refused", "250 A>* register", "500 A>* register", "500 B>A refused"];
    assert_eq!(lan.trace, expected);
    assert_eq!(lan.events, [(500, 0, refused(1))]);
    assert!(!lan.hosts[0].holds(&name("X<00>")));
}

#[test]
fn only_group_against_group_draws_no_objection() {
    for (held, claimed, granted) in
        [(Unique, Unique, false), (Unique, Group, false), (Group, Unique, false), (Group, Group, true)]
    {
        let mut lan = Lan::broadcast(&[&[], &[("X<00>", held)]]);
        lan.register(0, "X<00>", claimed);
        lan.run_until(750);
        let expected = if granted { (750, 0, registered()) } else { (0, 0, refused(1)) };
        assert_eq!(lan.events, [expected], "{claimed:?} against {held:?}");
        assert_eq!(lan.hosts[0].kind(&name("X<00>")), granted.then_some(claimed));
    }
}

/// Nobody holds the name while both claim it; the next lookup shows the conflict.
#[test]
fn two_claims_at_once_both_succeed() {
    let mut lan = Lan::broadcast(&[&[], &[], &[]]);
    lan.register(0, "X<00>", Unique);
    lan.register(1, "X<00>", Unique);
    lan.run_until(5_000);
    assert_eq!(lan.events, [(750, 0, registered()), (750, 1, registered())]);
    lan.lookup(2, "X<00>");
    assert!(lan.events.contains(&(5_000, 1, Event::Conflict { name: name("X<00>") })));
}

#[test]
fn a_new_owner_is_remembered_where_the_old_one_was() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)], &[], &[]]);
    lan.lookup(0, "X<00>");
    lan.lose([2, 3, 4]); // the release
    lan.release(1, "X<00>");
    lan.run_until(1_000);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Found(unique(1)), "nobody said otherwise");
    lan.register(2, "X<00>", Unique);
    lan.run_until(2_000);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Found(unique(2)));
    assert_eq!(lan.lookup(3, "X<00>"), Lookup::Pending, "what was not known is not learned");

    // Whoever becomes the owner forgets who was it before.
    lan.lose(lan.sent.len()..lan.sent.len() + 3);
    lan.release(2, "X<00>");
    lan.run_until(3_000);
    lan.register(0, "X<00>", Unique);
    lan.run_until(4_000);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Found(unique(0)));
    lan.release(0, "X<00>");
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
}

#[test]
fn a_new_group_is_remembered_where_the_old_owner_was() {
    let mut alone = Alone::new(&[]);
    let answer = alone.ask(0, 10);
    alone.hear(0, 1, &answer(1));
    for (group, expected) in [(true, Owner::Group), (false, unique(2))] {
        let owner = Entry { group, node: NodeType::B, address: address(2) };
        alone.hear(1, 2, &Repr { message: Message::Overwrite { broadcast: true, ttl: 10, owner }, ..answer(1) });
        assert_eq!(alone.0.lookup(at(1), &name("X<00>")), Lookup::Found(expected));
    }
}

#[test]
fn a_released_name_is_gone_at_once_and_forgotten_by_who_hears_of_it() {
    let mut lan = Lan::broadcast(&[&[], &[("X<00>", Unique)], &[]]);
    lan.lookup(0, "X<00>");
    lan.lookup(2, "X<00>");
    lan.lost.insert((4, 2));
    lan.release(1, "X<00>");
    assert!(!lan.hosts[1].holds(&name("X<00>")));
    assert_eq!(lan.lookup(2, "X<00>"), Lookup::Found(unique(1)), "the first demand did not reach C");
    lan.run_until(5_000);
    assert_eq!(lan.trace[4..], ["0 B>* release", "250 B>* release", "500 B>* release"]);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
    assert_eq!(lan.lookup(2, "X<00>"), Lookup::Pending);
    assert_eq!(lan.hosts[1].poll_timeout(), None);
}

#[test]
fn a_claim_ends_the_demands_for_the_same_name_and_a_release_the_claim() {
    let mut lan = Lan::broadcast(&[&[("X<00>", Unique)]]);
    lan.release(0, "X<00>");
    lan.run_until(100);
    lan.register(0, "X<00>", Unique);
    lan.run_until(400);
    lan.release(0, "X<00>");
    lan.run_until(5_000);
    assert_eq!(lan.trace, ["0 A>* release", "100 A>* register", "350 A>* register"]);
    assert_eq!(lan.events, [(400, 0, Event::Refused { name: name("X<00>"), by: None })]);
    assert_eq!(lan.hosts[0].poll_timeout(), None);
}

#[test]
fn a_name_that_is_borne_already_is_registered_or_refused_at_once() {
    let mut lan = Lan::broadcast(&[&[("X<00>", Unique)]]);
    lan.register(0, "X<00>", Unique);
    lan.register(0, "X<00>", Group);
    assert_eq!(lan.events, [(0, 0, registered()), (0, 0, Event::Refused { name: name("X<00>"), by: None })]);
    assert!(lan.trace.is_empty());
}

#[test]
fn in_static_mode_the_directory_says_it_all_but_others_are_answered() {
    let directory: Directory = [(name("Y<00>"), unique(9)), (name("D<1C>"), Owner::Group)].into_iter().collect();
    let mut lan = Lan::broadcast(&[&[], &[]]);
    lan.add(0, Mode::Static(Arc::new(directory)), false, &[("X<00>", Unique)]);
    assert_eq!(lan.lookup(2, "Y<00>"), Lookup::Found(unique(9)));
    assert_eq!(lan.lookup(2, "X<00>"), Lookup::Found(unique(2)));
    assert_eq!(lan.lookup(2, "Z<00>"), Lookup::Missing);
    lan.register(2, "Z<00>", Group);
    assert_eq!(lan.events, [(0, 2, Event::Registered { name: name("Z<00>") })]);
    lan.release(2, "Z<00>");
    assert!(!lan.hosts[2].holds(&name("Z<00>")) && lan.trace.is_empty());
    lan.lookup(0, "X<00>");
    lan.register(1, "X<00>", Unique);
    assert_eq!(lan.trace, ["0 A>* query", "0 C>A found", "0 B>* register", "0 C>B refused"]);
}
