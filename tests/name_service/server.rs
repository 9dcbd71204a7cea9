//! A NetBIOS name server and its clients, in the manner of WINS (RFC 1001 15.2.2, RFC 1002 5.1.2, 5.1.4).

use std::net::{Ipv4Addr, SocketAddrV4};

use mailslot_sim::names::{Event, Lookup, Mode, NameKind, Owner};
use mailslot_sim::wire::Name;
use mailslot_sim::wire::datagram::NodeType;
use mailslot_sim::wire::nbns::{Entry, ErrorCode, Message, Repr};

use crate::lan::{Host, Lan, address, at, name};
use NameKind::{Group, Unique};

/// The server is `A`, on a segment of its own; clients are on their own segments too.
const SERVER: Host = 0;

fn network(clients: &[&[(&str, NameKind)]]) -> Lan {
    let mut lan = Lan::default();
    lan.add(0, Mode::Server(address(SERVER)), true, &[("WINS<00>", Unique)]);
    for (segment, names) in (1..).zip(clients) {
        lan.add(segment, Mode::Server(address(SERVER)), false, names);
    }
    lan
}

fn resolved(text: &str, owner: Option<Owner>) -> Event {
    Event::Resolved { name: name(text), owner }
}

fn registered(text: &str) -> Event {
    Event::Registered { name: name(text) }
}

fn refused(text: &str, by: Option<Ipv4Addr>) -> Event {
    Event::Refused { name: name(text), by }
}

fn members(hosts: &[Host]) -> Owner {
    Owner::Members(hosts.iter().map(|host| address(*host)).collect())
}

#[test]
fn the_server_resolves_across_routers() {
    let mut lan = network(&[&[], &[]]);
    lan.register(1, "X<00>", Unique);
    assert!(lan.hosts[1].holds(&name("X<00>")));
    assert_eq!(lan.lookup(2, "X<00>"), Lookup::Pending);
    assert_eq!(lan.trace, ["0 B>A register", "0 A>B registered", "0 C>A query", "0 A>C found"]);
    let owner = Owner::Unique(address(1));
    assert_eq!(lan.events, [(0, 1, registered("X<00>")), (0, 2, resolved("X<00>", Some(owner.clone())))]);
    assert_eq!(lan.lookup(2, "X<00>"), Lookup::Found(owner));
    assert!(lan.hosts.iter().all(|host| host.poll_timeout().is_none()), "one answer is all there is");
}

#[test]
fn a_server_that_is_silent_is_asked_three_times_five_seconds_apart() {
    let mut lan = network(&[&[("Y<00>", Unique)]]);
    lan.lose(0..9);
    lan.lookup(1, "X<00>");
    lan.run_until(20_000);
    lan.register(1, "X<00>", Unique);
    lan.run_until(40_000);
    lan.release(1, "Y<00>");
    lan.run_until(60_000);
    let times = |start: [u64; 3], what: &str| start.map(|millis| format!("{millis} B>A {what}"));
    let expected = [
        times([0, 5_000, 10_000], "query"),
        times([20_000, 25_000, 30_000], "register"),
        times([40_000, 45_000, 50_000], "release"),
    ];
    assert_eq!(lan.trace, expected.concat());
    assert_eq!(lan.events, [(15_000, 1, resolved("X<00>", None)), (35_000, 1, refused("X<00>", None))]);
    assert!(!lan.hosts[1].holds(&name("X<00>")), "without the server there is no name");
}

#[test]
fn a_lost_answer_is_given_again() {
    let mut lan = network(&[&[], &[]]);
    lan.lose([1, 5, 9]);
    lan.register(1, "X<00>", Unique);
    lan.run_until(5_000);
    lan.lookup(2, "X<00>");
    lan.run_until(10_000);
    lan.release(1, "X<00>");
    lan.run_until(60_000);
    let expected = [
        "0 B>A register",
        "0 A>B registered",
        "5000 B>A register",
        "5000 A>B registered",
        "5000 C>A query",
        "5000 A>C found",
        "10000 C>A query",
        "10000 A>C found",
        "10000 B>A release",
        "10000 A>B released",
        "15000 B>A release",
        "15000 A>B released",
    ];
    assert_eq!(lan.trace, expected);
    let owner = Some(Owner::Unique(address(1)));
    assert_eq!(lan.events, [(5_000, 1, registered("X<00>")), (10_000, 2, resolved("X<00>", owner))]);
}

#[test]
fn the_server_says_at_once_that_there_is_nobody() {
    let mut lan = network(&[&[("X<00>", Unique)]]);
    lan.lookup(1, "Y<00>");
    assert_eq!(lan.trace, ["0 B>A query", "0 A>B not found"]);
    assert_eq!(lan.events, [(0, 1, resolved("Y<00>", None))]);
    assert_eq!(lan.lookup(SERVER, "Y<00>"), Lookup::Missing, "it does not ask itself");
}

#[test]
fn the_server_refuses_names_that_others_hold() {
    for (held, claimed, by) in [
        (Unique, Unique, Some(address(1))),
        (Unique, Group, Some(address(1))),
        (Group, Unique, Some(Ipv4Addr::BROADCAST)),
        (Group, Group, None),
    ] {
        let mut lan = network(&[&[], &[]]);
        lan.register(1, "X<00>", held);
        lan.register(2, "X<00>", claimed);
        let expected = if by.is_some() { refused("X<00>", by) } else { registered("X<00>") };
        assert_eq!(lan.events, [(0, 1, registered("X<00>")), (0, 2, expected)], "{claimed:?} against {held:?}");
    }
}

#[test]
fn a_released_name_is_free_and_only_its_owner_can_release_it() {
    let mut lan = network(&[&[], &[("X<00>", Unique)]]);
    lan.register(1, "X<00>", Unique);
    lan.release(2, "X<00>"); // which it only believes to bear
    assert_eq!(lan.trace[2..], ["0 C>A release", "0 A>C not released"]);
    assert!(lan.hosts[2].poll_timeout().is_none());
    lan.register(2, "X<00>", Unique);
    assert_eq!(lan.events.last(), Some(&(0, 2, refused("X<00>", Some(address(1))))));
    lan.release(1, "X<00>");
    lan.register(2, "X<00>", Unique);
    assert_eq!(lan.events.last(), Some(&(0, 2, registered("X<00>"))));
}

#[test]
fn the_server_lists_the_members_of_internet_groups_only() {
    let mut lan = network(&[&[], &[], &[]]);
    for text in ["D<1C>", "D<00>"] {
        lan.register(1, text, Group);
        lan.register(2, text, Group);
        lan.lookup(3, text);
    }
    assert_eq!(lan.lookup(3, "D<1C>"), Lookup::Found(members(&[1, 2])));
    assert_eq!(lan.lookup(3, "D<00>"), Lookup::Found(Owner::Group));
    assert_eq!(lan.lookup(SERVER, "D<1C>"), Lookup::Found(members(&[1, 2])));

    // A member knows its own group, but not who else is in an internet group.
    assert_eq!(lan.lookup(1, "D<00>"), Lookup::Found(Owner::Group));
    assert_eq!(lan.lookup(1, "D<1C>"), Lookup::Pending);
    assert_eq!(lan.lookup(1, "D<1C>"), Lookup::Found(members(&[1, 2])));

    lan.release(1, "D<1C>");
    lan.release(1, "D<00>");
    assert_eq!(lan.lookup(SERVER, "D<1C>"), Lookup::Found(members(&[2])));
    assert_eq!(lan.lookup(SERVER, "D<00>"), Lookup::Found(Owner::Group), "others may be left");
    lan.release(2, "D<1C>");
    assert_eq!(lan.lookup(SERVER, "D<1C>"), Lookup::Missing);
}

#[test]
fn the_server_knows_its_own_names_and_what_it_was_taught() {
    let mut lan = network(&[&[]]);
    lan.hosts[SERVER].learn(name("OLD<20>"), Owner::Unique(address(7)));
    lan.hosts[SERVER].learn(name("D<1C>"), members(&[8, 9]));
    lan.register(SERVER, "WINS<20>", Unique);
    for (text, owner) in [
        ("WINS<00>", Owner::Unique(address(SERVER))),
        ("WINS<20>", Owner::Unique(address(SERVER))),
        ("OLD<20>", Owner::Unique(address(7))),
        ("D<1C>", members(&[8, 9])),
    ] {
        lan.lookup(1, text);
        assert_eq!(lan.events.last(), Some(&(0, 1, resolved(text, Some(owner)))));
    }
    lan.register(1, "WINS<00>", Unique);
    assert_eq!(lan.events.last(), Some(&(0, 1, refused("WINS<00>", Some(address(SERVER))))));
    lan.register(SERVER, "OLD<20>", Unique);
    assert_eq!(lan.events.last(), Some(&(0, SERVER, refused("OLD<20>", Some(address(7))))));
    lan.release(SERVER, "WINS<20>");
    assert_eq!(lan.lookup(SERVER, "WINS<20>"), Lookup::Missing);
    lan.hosts[1].learn(name("OLD<20>"), Owner::Group);
    assert_eq!(lan.lookup(1, "NEW<20>"), Lookup::Pending, "no server learns nothing");
}

#[test]
fn what_is_broadcast_asks_owners_and_no_server() {
    let mut lan = Lan::broadcast(&[&[]]);
    lan.add(0, Mode::Broadcast, true, &[("WINS<00>", Unique)]);
    lan.hosts[1].learn(name("X<00>"), Owner::Unique(address(7)));
    lan.lookup(0, "X<00>");
    lan.run_until(1_000);
    lan.lookup(0, "WINS<00>");
    lan.register(0, "X<00>", Unique);
    lan.run_until(2_000);
    assert_eq!(lan.trace[..5].concat(), "0 A>* query250 A>* query500 A>* query1000 A>* query1000 B>A found");
    assert_eq!(lan.events.last(), Some(&(1_750, 0, registered("X<00>"))));
    assert_eq!(lan.lookup(1, "X<00>"), Lookup::Found(Owner::Unique(address(7))), "the server itself knows");
}

/// RFC 1002 5.1.4: the server ignores what is broadcast, and takes what is sent to it.
#[test]
fn a_broadcast_release_or_overwrite_changes_nothing_that_the_server_holds() {
    let mut lan = network(&[]);
    lan.hosts[SERVER].learn(name("X<00>"), Owner::Unique(address(1)));
    let owner = |host| Entry { group: false, node: NodeType::P, address: address(host) };
    let mut hear = |host, message: Message| {
        let mut packet = Vec::new();
        Repr { id: 1, name: Name::from(name("X<00>")), message }.emit(&mut packet);
        lan.hosts[SERVER].handle_packet(at(0), SocketAddrV4::new(address(host), 137), &packet);
        let answered = lan.hosts[SERVER].poll_transmit(&mut packet).is_some();
        (answered, lan.lookup(SERVER, "X<00>"))
    };
    let held = |host| Lookup::Found(Owner::Unique(address(host)));
    assert_eq!(hear(1, Message::Release { broadcast: true, owner: owner(1) }), (false, held(1)));
    assert_eq!(hear(2, Message::Overwrite { broadcast: true, ttl: 9, owner: owner(2) }), (false, held(1)));
    assert_eq!(hear(2, Message::Overwrite { broadcast: false, ttl: 9, owner: owner(2) }), (true, held(1)));
    assert_eq!(hear(1, Message::Release { broadcast: false, owner: owner(1) }), (true, Lookup::Missing));
    assert_eq!(hear(2, Message::Overwrite { broadcast: false, ttl: 9, owner: owner(2) }), (true, held(2)));
}

#[test]
fn the_server_gives_up_its_own_name_in_conflict() {
    let mut lan = network(&[&[]]);
    let mut demand = Vec::new();
    Repr { id: 1, name: Name::from(name("WINS<00>")), message: Message::conflict_demand() }.emit(&mut demand);
    lan.hosts[SERVER].handle_packet(at(0), SocketAddrV4::new(address(1), 137), &demand);
    lan.lookup(1, "WINS<00>");
    let conflict = Event::Conflict { name: name("WINS<00>") };
    assert_eq!(lan.events, [(0, SERVER, conflict), (0, 1, resolved("WINS<00>", None))]);
}

#[test]
fn a_list_of_members_is_not_given_up_for_one_that_announces_itself() {
    let mut lan = network(&[&[]]);
    lan.hosts[SERVER].learn(name("D<1C>"), members(&[8, 9]));
    lan.lookup(1, "D<1C>");
    let owner = Entry { group: true, node: NodeType::B, address: address(7) };
    let mut packet = Vec::new();
    Repr { id: 1, name: Name::from(name("D<1C>")), message: Message::Overwrite { broadcast: true, ttl: 9, owner } }
        .emit(&mut packet);
    lan.hosts[1].handle_packet(at(0), SocketAddrV4::new(address(7), 137), &packet);
    assert_eq!(lan.lookup(1, "D<1C>"), Lookup::Found(members(&[8, 9])));
}

#[test]
fn answers_of_others_than_the_server_do_not_count() {
    let mut lan = network(&[&[]]);
    lan.lose(0..2);
    lan.lookup(1, "X<00>");
    lan.register(1, "Y<00>", Unique);
    let (query, claim) = (lan.sent[0].1.clone(), lan.sent[1].1.clone());
    let owner = Entry { group: false, node: NodeType::P, address: address(7) };
    let answers = [
        Repr { message: Message::Found { by_server: true, ttl: 9, owners: vec![owner] }, ..query.clone() },
        Repr { message: Message::NotFound { by_server: true, code: ErrorCode::Name }, ..query },
        Repr { message: Message::Registered { ttl: 9, owner }, ..claim.clone() },
        Repr { message: Message::Refused { code: ErrorCode::Active, ttl: 0, owner }, ..claim.clone() },
        Repr { message: Message::Challenge { ttl: 9, owner }, ..claim },
    ];
    let hear = |lan: &mut Lan, from: Host, repr: &Repr| {
        let mut packet = Vec::new();
        repr.emit(&mut packet);
        lan.hosts[1].handle_packet(at(10), SocketAddrV4::new(address(from), 137), &packet);
        lan.hosts[1].poll_event()
    };
    for answer in &answers {
        assert_eq!(hear(&mut lan, 7, answer), None, "{answer:?}");
    }
    assert_eq!(hear(&mut lan, SERVER, &answers[4]), None, "a challenge is not taken up");
    let found = resolved("X<00>", Some(Owner::Unique(address(7))));
    assert_eq!(hear(&mut lan, SERVER, &answers[0]), Some(found));
    assert_eq!(hear(&mut lan, SERVER, &answers[3]), Some(refused("Y<00>", Some(address(7)))));
}

#[test]
fn the_server_is_told_that_a_claim_was_abandoned() {
    let mut lan = network(&[&[], &[]]);
    lan.lose([1]);
    lan.register(1, "X<00>", Unique);
    lan.release(1, "X<00>");
    assert_eq!(lan.trace, ["0 B>A register", "0 A>B registered", "0 B>A release", "0 A>B released"]);
    lan.register(2, "X<00>", Unique);
    let refused = Event::Refused { name: name("X<00>"), by: None };
    assert_eq!(lan.events, [(0, 1, refused), (0, 2, registered("X<00>"))]);
}

/// WINS keeps 25 and lets the oldest go (Microsoft KB Q140064).
#[test]
fn an_internet_group_has_25_members_in_an_answer() {
    let mut lan = network(&[&[]]);
    let all: Vec<Host> = (2..=31).collect();
    lan.hosts[SERVER].learn(name("D<1C>"), members(&all));
    lan.lookup(1, "D<1C>");
    assert_eq!(lan.events, [(0, 1, resolved("D<1C>", Some(members(&all[..25]))))]);
    lan.register(1, "D<1C>", Group);
    let kept: Vec<Host> = all[1..25].iter().copied().chain([1]).collect();
    assert_eq!(lan.lookup(SERVER, "D<1C>"), Lookup::Found(members(&kept)));
}
