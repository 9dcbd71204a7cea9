//! Hosts of the async API on real UDP sockets, on the loopback.
#![cfg(feature = "tokio")]

use std::net::SocketAddrV4;
use std::pin::pin;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, future};
use mailslot_sim::drive::{Client, Error, Host, Interface, Mailslot, Ports, Sockets, Watch};
use mailslot_sim::mailslot::{
    Config, CreateOptions, Discard, Disposition, Machine, NameKind, Owner, Service, Transmit, Win32Error,
};
use mailslot_sim::names::Mode;
use mailslot_sim::time::Instant;
use tokio::net::UdpSocket;
use tokio::time::timeout;

type Udp = UdpSocket;

/// A loopback network of its own: the ports of the two services.
struct Lan {
    ports: Ports,
}

impl Lan {
    fn new() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // From 20000, below the ports that the system gives out; another for each test and process.
        let pair = (std::process::id() as u16 % 500) * 20 + NEXT.fetch_add(2, Ordering::Relaxed);
        Lan { ports: Ports { datagram: 20_001 + pair, name: 20_000 + pair } }
    }

    /// A host called `name` in the domain PLANT, at 127.0.0.`last`.
    fn host(&self, name: &str, last: u8) -> Host<Udp> {
        self.watched(name, last, ())
    }

    fn watched(&self, name: &str, last: u8, watch: impl Watch) -> Host<Udp> {
        let interface = Interface { address: [127, 0, 0, last].into(), broadcast: [127, 255, 255, 255].into() };
        let config = Config::new(name, "PLANT", interface.address).unwrap();
        let sockets = Sockets::bind(interface, self.ports).unwrap();
        Host::watched(Machine::new(config, Mode::Broadcast), sockets, watch)
    }
}

async fn soon<T>(wait: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(5), wait).await.expect("it comes soon")
}

/// What is certain to have come by now has come: names were looked up and datagrams queued on the same machine.
async fn nothing_more(mailslot: &Mailslot<Udp>) {
    assert!(timeout(Duration::from_millis(50), mailslot.recv()).await.is_err());
}

#[tokio::test]
async fn a_message_goes_to_a_computer_whose_name_is_looked_up() {
    let lan = Lan::new();
    let (press, ctrl) = (lan.host("PRESS", 2), lan.host("CTRL", 3));
    let alarms = press.listen(r"\\.\mailslot\alarm").unwrap();
    let written = soon(ctrl.open(r"\\PRESS\mailslot\alarm").unwrap().send(b"stop")).await.unwrap();
    assert_eq!((written.bytes, written.own_copy), (4, None));
    let message = soon(alarms.recv()).await.unwrap();
    assert_eq!((message.data.as_slice(), message.source.to_string().as_str()), (&b"stop"[..], "CTRL<00>"));
    assert_eq!(message.from, Some(SocketAddrV4::new([127, 0, 0, 3].into(), lan.ports.datagram)));
    nothing_more(&alarms).await;
}

/// Every member gets a domain's message once, the sender too, who hears its own broadcast on the network as well.
#[tokio::test]
async fn a_message_to_the_domain_reaches_every_member_once() {
    let lan = Lan::new();
    let hosts = [lan.host("A", 2), lan.host("B", 3), lan.host("C", 4)];
    let slots: Vec<_> = hosts.iter().map(|host| host.listen(r"\\.\mailslot\news").unwrap()).collect();
    for path in [r"\\PLANT\mailslot\news", r"\\*\mailslot\news"] {
        let written = soon(hosts[0].open(path).unwrap().send(path.as_bytes())).await.unwrap();
        assert!(matches!(written.own_copy, Some(Disposition::Enqueued(_))));
        for slot in &slots {
            assert_eq!(soon(slot.recv()).await.unwrap().data, path.as_bytes());
        }
    }
    for slot in &slots {
        nothing_more(slot).await;
    }
}

#[tokio::test]
async fn a_name_that_nobody_bears_is_error_53() {
    let lan = Lan::new();
    let error = soon(lan.host("A", 2).open(r"\\NOBODY\mailslot\x").unwrap().send(b"?")).await.unwrap_err();
    assert!(matches!(error, Error::Win32(Win32Error::BadNetpath)) && error.code() == 53, "{error}");
}

#[tokio::test]
async fn errors_are_those_of_the_engine() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let slot = host.create_mailslot(r"\\.\mailslot\a", CreateOptions { read_timeout_ms: 20, ..Default::default() });
    let slot = slot.unwrap();
    assert_eq!(host.listen(r"\\.\mailslot\A").err(), Some(Win32Error::AlreadyExists));
    assert_eq!(host.open(r"\\.\mailslot\b").err(), Some(Win32Error::FileNotFound));
    assert_eq!(soon(slot.recv()).await.unwrap_err().code(), 121);
    slot.set_read_timeout(0);
    assert_eq!(slot.recv().now_or_never().unwrap().unwrap_err().code(), 121);
    assert!(slot.try_recv().unwrap().is_none());
    let client = host.open(r"\\.\mailslot\a").unwrap();
    client.send(b"1").await.unwrap();
    assert_eq!(slot.info().message_count, 1);
    assert_eq!(slot.try_recv().unwrap().unwrap().data, b"1");
}

#[tokio::test]
async fn dropping_closes_handles() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let slot = host.listen(r"\\.\mailslot\a").unwrap();
    let client: Client<Udp> = host.open(r"\\.\mailslot\a").unwrap();
    drop(slot);
    assert_eq!(client.send(b"late").await.unwrap_err().code(), 38);
    host.listen(r"\\.\mailslot\a").expect("the name is free again");
}

/// Sockets, tasks and all go with the last handle: the ports are free again.
#[tokio::test]
async fn dropping_the_last_handle_ends_the_host() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let slot = host.listen(r"\\.\mailslot\a").unwrap();
    drop(host);
    assert!(slot.try_recv().unwrap().is_none(), "the host lives as long as its mailslots");
    drop(slot);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    lan.host("A", 2);
}

/// A read whose future is dropped has taken no message, before it completed or after.
#[tokio::test]
async fn dropped_reads_take_no_message() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let slot = host.listen(r"\\.\mailslot\a").unwrap();
    let client = host.open(r"\\.\mailslot\a").unwrap();
    {
        let mut waits = pin!(slot.recv());
        assert!((&mut waits).now_or_never().is_none());
    }
    client.send(b"1").await.unwrap();
    client.send(b"2").await.unwrap();
    assert_eq!(slot.recv().await.unwrap().data, b"1");
    assert_eq!(slot.recv().await.unwrap().data, b"2");
    {
        let mut waits = pin!(slot.recv());
        assert!((&mut waits).now_or_never().is_none());
        client.send(b"3").await.unwrap(); // completes the read, and nobody looks
        client.send(b"4").await.unwrap();
    }
    assert_eq!(slot.info().message_count, 2);
    assert_eq!(slot.recv().await.unwrap().data, b"3");
    assert_eq!(slot.recv().await.unwrap().data, b"4");
    {
        let (mut first, mut second) = (Box::pin(slot.recv()), Box::pin(slot.recv()));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        client.send(b"5").await.unwrap();
        drop(first); // its message goes to whoever waits next
        assert_eq!(second.now_or_never().unwrap().unwrap().data, b"5");
    }
}

/// Thousands of reads are given up at arbitrary moments while messages come by the network: each is read once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_that_race_with_time_outs_lose_nothing() {
    const MESSAGES: u32 = 2_000;
    let lan = Lan::new();
    let (press, ctrl) = (lan.host("PRESS", 2), lan.host("CTRL", 3));
    let slot = press.listen(r"\\.\mailslot\a").unwrap();
    let client = ctrl.open(r"\\PRESS\mailslot\a").unwrap();
    let writes = tokio::spawn(async move {
        for number in 0..MESSAGES {
            client.send(&number.to_be_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_micros(u64::from(number % 7) * 100)).await;
        }
    });
    let (mut got, mut given_up) = (0, 0);
    while got < MESSAGES {
        let patience = tokio::time::sleep(Duration::from_micros(150));
        tokio::select! {
            biased;
            () = patience => given_up += 1,
            message = soon(slot.recv()) => {
                assert_eq!(message.unwrap().data, got.to_be_bytes());
                got += 1;
            }
        }
    }
    writes.await.unwrap();
    assert!(given_up > 100, "{given_up} reads were given up");
}

/// Reads that completed and are given up, in whatever order, leave the messages in theirs.
#[tokio::test]
async fn given_up_reads_keep_the_order() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let slot = host.listen(r"\\.\mailslot\a").unwrap();
    let client = host.open(r"\\.\mailslot\a").unwrap();
    let (mut first, mut second) = (Box::pin(slot.recv()), Box::pin(slot.recv()));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    for text in ["1", "2", "3"] {
        client.send(text.as_bytes()).await.unwrap();
    }
    drop(first);
    drop(second);
    for text in ["1", "2", "3"] {
        assert_eq!(slot.recv().await.unwrap().data, text.as_bytes());
    }
}

/// Waiting for a message to be there takes none, and ends for all who wait.
#[tokio::test]
async fn readable_takes_no_message() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let slot = host.listen(r"\\.\mailslot\a").unwrap();
    let client = host.open(r"\\.\mailslot\a").unwrap();
    let (mut first, mut second) = (Box::pin(slot.readable()), Box::pin(slot.readable()));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    client.send(b"1").await.unwrap();
    assert_eq!(slot.info().message_count, 1);
    first.now_or_never().unwrap().unwrap();
    second.now_or_never().unwrap().unwrap();
    assert_eq!(slot.try_recv().unwrap().unwrap().data, b"1");
    assert!(slot.readable().now_or_never().is_none());
}

/// A write that is dropped while its name is looked up sends nothing.
#[tokio::test]
async fn dropped_writes_send_nothing() {
    let lan = Lan::new();
    let ctrl = lan.host("CTRL", 3);
    let client = ctrl.open(r"\\PRESS\mailslot\a").unwrap();
    assert!(timeout(Duration::from_millis(20), client.send(b"given up")).await.is_err());
    let press = lan.host("PRESS", 2);
    let slot = press.listen(r"\\.\mailslot\a").unwrap();
    soon(client.send(b"kept")).await.unwrap();
    assert_eq!(soon(slot.recv()).await.unwrap().data, b"kept");
    nothing_more(&slot).await;
}

#[tokio::test]
async fn messages_are_a_stream() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let slot = host.listen(r"\\.\mailslot\a").unwrap();
    let client = host.open(r"\\.\mailslot\a").unwrap();
    let texts = slot.messages().map(|message| message.unwrap().data).take(3).collect::<Vec<_>>();
    let writes = async {
        for text in ["a", "b", "c"] {
            client.send(text.as_bytes()).await.unwrap();
        }
    };
    let (texts, ()) = soon(future::join(texts, writes)).await;
    assert_eq!(texts, [b"a", b"b", b"c"]);
    slot.set_read_timeout(1);
    let item = soon(slot.messages().next()).await.expect("a time-out is an item");
    assert_eq!(item.unwrap_err().code(), 121);
}

/// Whoever does not answer queries can be answered all the same: its messages say where they are from.
#[tokio::test]
async fn a_name_can_be_remembered() {
    let lan = Lan::new();
    let (press, ctrl) = (lan.host("PRESS", 2), lan.host("CTRL", 3));
    let slot = press.listen(r"\\.\mailslot\a").unwrap();
    let name = "SILENT<00>".parse().unwrap();
    press.hear(name);
    ctrl.remember_name(name, Owner::Unique([127, 0, 0, 2].into()));
    soon(ctrl.open(r"\\SILENT\mailslot\a").unwrap().send(b"!")).await.unwrap();
    assert_eq!(soon(slot.recv()).await.unwrap().data, b"!");
}

/// Two computers of one name: the second is told who has it, and does without it.
#[tokio::test]
async fn names_are_claimed_and_defended() {
    let lan = Lan::new();
    let first = lan.host("TWIN", 2);
    soon(first.claim_names()).await.unwrap();
    let second = lan.host("TWIN", 3);
    let refused = soon(second.claim_names()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the NetBIOS name TWIN<00> is not to be had: 127.0.0.2 bears it (ERROR_DUP_NAME, 52)"
    );
    assert_eq!(refused.code(), 52);
    let name = "LINE1<20>".parse().unwrap();
    soon(first.register_name(name, NameKind::Unique)).await.unwrap();
    assert!(soon(second.register_name(name, NameKind::Unique)).await.is_err());
    first.release_name(name);
    soon(second.register_name(name, NameKind::Unique)).await.expect("it was released");
}

/// A claim that is given up ends.
#[tokio::test]
async fn a_name_that_is_released_while_it_is_claimed_is_refused() {
    let lan = Lan::new();
    let host = lan.host("A", 2);
    let name = "LINE1<20>".parse().unwrap();
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        host.release_name(name);
    };
    let (claim, ()) = soon(future::join(host.register_name(name, NameKind::Unique), release)).await;
    assert_eq!(claim.unwrap_err().code(), 52);
}

/// What cannot even be asked is no answer: the network's error and not the silence after it.
#[tokio::test]
async fn a_network_that_cannot_be_reached_is_said() {
    let lan = Lan::new();
    let interface = Interface { address: [127, 0, 0, 2].into(), broadcast: [10, 255, 255, 255].into() };
    let machine = Machine::new(Config::new("A", "PLANT", interface.address).unwrap(), Mode::Broadcast);
    let host = Host::new(machine, Sockets::bind_sender(interface, lan.ports).unwrap());
    let error = soon(host.open(r"\\NOBODY\mailslot\x").unwrap().send(b"?")).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)) && error.code() == 59, "{error}");
    assert_eq!(soon(host.claim_names()).await.unwrap_err().code(), 59);
}

/// One who listens on the wire takes datagrams to a name of others and says nothing of it.
#[tokio::test]
async fn a_host_can_hear_what_is_for_others() {
    let lan = Lan::new();
    let (press, ctrl) = (lan.host("PRESS", 2), lan.host("CTRL", 3));
    let name = "OTHER<1e>".parse().unwrap();
    press.hear(name);
    let slot = press.listen(r"\\.\mailslot\a").unwrap();
    let client = ctrl.open_name(name, &mailslot_sim::mailslot::SlotName::new("a").unwrap()).unwrap();
    assert_eq!(soon(client.send(b"?")).await.unwrap_err().code(), 53, "hearing is not bearing");
    soon(ctrl.register_name(name, NameKind::Group)).await.unwrap();
    soon(client.send(b"to the group")).await.unwrap();
    assert_eq!(soon(slot.recv()).await.unwrap().data, b"to the group");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Watch for Log {
    fn received(
        &mut self,
        _: Instant,
        service: Service,
        from: SocketAddrV4,
        payload: &[u8],
        disposition: Option<Disposition>,
    ) {
        let line = format!("{service:?} {} {} {disposition:?}", from.ip(), !payload.is_empty());
        self.0.lock().unwrap().push(line);
    }

    fn sent(&mut self, _: Instant, transmit: &Transmit, _: &[u8]) {
        self.0.lock().unwrap().push(format!("sent {:?}", transmit.service));
    }
}

#[tokio::test]
async fn a_watch_is_told_what_no_program_sees() {
    let lan = Lan::new();
    let log = Log::default();
    let (_press, ctrl) = (lan.watched("PRESS", 2, log.clone()), lan.host("CTRL", 3));
    soon(ctrl.open(r"\\PRESS\mailslot\none").unwrap().send(b"?")).await.unwrap();
    let discarded = format!("Datagram 127.0.0.3 true {:?}", Some(Disposition::Discarded(Discard::NoSuchMailslot)));
    soon(async {
        while log.0.lock().unwrap().len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert_eq!(*log.0.lock().unwrap(), ["Name 127.0.0.3 true None", "sent Name", discarded.as_str()]);
}

/// A program that has the well-known ports is found by one that has not, though both have the same address.
#[tokio::test]
async fn a_sender_finds_who_listens_at_its_own_address() {
    let interface = Interface { address: [127, 0, 0, 77].into(), broadcast: [127, 255, 255, 255].into() };
    let lan = Lan::new();
    for ports in [lan.ports, Ports::WELL_KNOWN] {
        let machine = |name| Machine::new(Config::new(name, "PLANT", interface.address).unwrap(), Mode::Broadcast);
        let sockets = match Sockets::bind(interface, ports) {
            Err(_) if ports == Ports::WELL_KNOWN => return, // that needs privileges
            sockets => sockets.unwrap(),
        };
        let press = Host::new(machine("PRESS"), sockets);
        let ctrl = Host::new(machine("CTRL"), Sockets::bind_sender(interface, ports).unwrap());
        let slot = press.listen(r"\\.\mailslot\a").unwrap();
        soon(ctrl.open(r"\\PRESS\mailslot\a").unwrap().send(b"!")).await.unwrap();
        assert_eq!(soon(slot.recv()).await.unwrap().data, b"!", "{ports:?}");
    }
}

#[tokio::test]
async fn sockets_that_are_not_to_be_had_say_why() {
    let lan = Lan::new();
    let _first = lan.host("A", 2);
    let interface = Interface { address: [127, 0, 0, 2].into(), broadcast: [127, 255, 255, 255].into() };
    let error = Sockets::bind(interface, lan.ports).unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.2:{}", lan.ports.datagram)) && error.contains("another"), "{error}");
    let error = Interface::find(Some([203, 0, 113, 9].into())).unwrap_err().to_string();
    assert!(error.contains("203.0.113.9 is no address of this machine") && error.contains("127.0.0.1"), "{error}");
    let found = Interface::find(Some([127, 0, 0, 9].into())).unwrap();
    assert_eq!(found, Interface { address: [127, 0, 0, 9].into(), broadcast: [127, 255, 255, 255].into() });
}
