//! What is bounded, whoever sends how much.

use std::net::SocketAddrV4;

use mailslot_sim::names::{Event, Lookup, MAX_LOOKUPS, MAX_OWN_NAMES, MAX_TRANSMITS, NameKind};
use mailslot_sim::wire::datagram::NodeType;
use mailslot_sim::wire::nbns::{Entry, Message, Repr};
use mailslot_sim::wire::{Name, NetbiosName};

use crate::lan::{Lan, address, at, name};
use NameKind::{Group, Unique};

fn numbered(number: usize) -> NetbiosName {
    NetbiosName::new(&format!("N{number}"), 0).unwrap()
}

#[test]
fn lookups_beyond_the_limit_find_nothing_until_others_end() {
    let mut lan = Lan::broadcast(&[&[]]);
    for number in 0..MAX_LOOKUPS {
        assert_eq!(lan.hosts[0].lookup(at(0), &numbered(number)), Lookup::Pending);
    }
    assert_eq!(lan.hosts[0].lookup(at(0), &name("X<00>")), Lookup::Missing);
    assert_eq!(lan.hosts[0].lookup(at(0), &numbered(0)), Lookup::Pending, "it joins the one that is open");
    lan.run_until(750);
    assert_eq!(lan.events.len(), MAX_LOOKUPS);
    assert_eq!(lan.lookup(0, "X<00>"), Lookup::Pending);
}

#[test]
fn answered_lookups_make_place_for_new_ones() {
    let names: Vec<String> = (0..=MAX_LOOKUPS).map(|number| format!("N{number}<00>")).collect();
    let owned: Vec<(&str, NameKind)> = names.iter().map(|text| (text.as_str(), Unique)).collect();
    let mut lan = Lan::broadcast(&[&[], &owned]);
    for text in &names {
        assert_eq!(lan.lookup(0, text), Lookup::Pending);
        assert!(matches!(lan.lookup(0, text), Lookup::Found(_)));
    }
    assert_eq!(lan.events.len(), MAX_LOOKUPS + 1);
}

#[test]
fn packets_that_nobody_fetches_are_lost() {
    let mut lan = Lan::broadcast(&[&[("X<00>", Unique)]]);
    let mut query = Vec::new();
    Repr { id: 9, name: Name::from(name("X<00>")), message: Message::Query { broadcast: true } }.emit(&mut query);
    for _ in 0..2 * MAX_TRANSMITS {
        lan.hosts[0].handle_packet(at(0), SocketAddrV4::new(address(1), 137), &query);
    }
    let mut packet = Vec::new();
    let fetched = std::iter::from_fn(|| lan.hosts[0].poll_transmit(&mut packet)).count();
    assert_eq!(fetched, MAX_TRANSMITS);
}

#[test]
fn names_beyond_the_limit_and_the_name_of_all_are_refused() {
    let mut lan = Lan::broadcast(&[&[("X<00>", Unique)]]);
    for number in 1..MAX_OWN_NAMES {
        lan.hosts[0].register(at(0), numbered(number), Group);
    }
    lan.register(0, "Y<00>", Unique);
    lan.register(0, "*<00>", Group);
    let refused = |text| (0, 0, Event::Refused { name: name(text), by: None });
    assert_eq!(lan.events, [refused("Y<00>"), refused("*<00>")]);
    lan.run_until(750);
    assert_eq!(lan.events.len(), 2 + MAX_OWN_NAMES - 1);
}

#[test]
fn nobody_owns_or_defends_the_name_of_all() {
    let mut lan = Lan::broadcast(&[&[("*<00>", Unique)]]);
    let all = Name::from(NetbiosName::ANY);
    let owner = Entry { group: false, node: NodeType::B, address: address(1) };
    for message in [Message::Query { broadcast: true }, Message::Register { broadcast: true, ttl: 0, owner }] {
        let mut packet = Vec::new();
        Repr { id: 1, name: all.clone(), message }.emit(&mut packet);
        lan.hosts[0].handle_packet(at(0), SocketAddrV4::new(address(1), 137), &packet);
        assert_eq!(lan.hosts[0].poll_transmit(&mut packet), None);
    }
}
