//! Ordered connections over the simulated network: order under loss, cuts, closes, crashes, and a reader that does not read.

use super::http::ms;
use super::support::for_seeds;
use futures::FutureExt;
use glasshive::kernel::{Ctx, Duration, Instant, Sim, Sink};
use glasshive::net::{Effect, LinkModel, Net, NodeId, Payload, Rule, Target};
use glasshive::substrate::stream::{
    Conn, ConnectError, PENDING_MAX, SEGMENT_RECEIVED, SOCKET_BUFFER, Segment, Streams,
};
use std::cell::RefCell;
use std::rc::Rc;

const SERVER: &str = "localhost:7000";
const HOP: Duration = Duration::from_millis(50);

/// A number, and how many bytes it pretends to have.
#[derive(Debug, PartialEq)]
struct Note(u64, usize);

impl Segment for Note {
    fn size(&self) -> usize {
        self.1
    }
    fn payload(&self) -> Payload {
        Payload::Message
    }
}

type Notes = Rc<RefCell<Vec<String>>>;

struct Lab {
    sim: Sim,
    ctx: Ctx,
    net: Net,
    streams: Streams<Note, Note>,
    client: NodeId,
    server: NodeId,
    notes: Notes,
}

impl Lab {
    /// The server notes when each message arrives, and answers it with the same.
    fn new(seed: u64, link: LinkModel) -> Lab {
        let sim = Sim::new(seed, Sink::Full);
        let ctx = sim.ctx();
        let net = Net::new(&ctx, true);
        let (client, server) = (net.add_node("client"), net.add_node("server"));
        net.connect(client, server, link);
        let streams = Streams::new(&net);
        streams.assign(SERVER, server);
        let notes = Notes::default();
        let (there, ear) = (streams.clone(), Rc::clone(&notes));
        net.set_role(server, move |_| serve(there.clone(), Rc::clone(&ear)).boxed_local());
        net.set_role(client, |_| std::future::pending().boxed_local());
        net.start(server);
        net.start(client);
        Lab { sim, ctx, net, streams, client, server, notes }
    }

    fn plain() -> Lab {
        Lab::new(1, LinkModel::new(HOP, Duration::ZERO))
    }

    /// Runs `body` on the client with a connection.
    fn with_conn<F: Future<Output = ()> + 'static>(
        &self,
        body: impl FnOnce(Conn<Note, Note>, Ctx, Notes) -> F + 'static,
    ) {
        let (streams, ctx, notes, client) =
            (self.streams.clone(), self.ctx.clone(), Rc::clone(&self.notes), self.client);
        self.ctx.spawn_in(client.scope(), async move {
            let conn = streams.connect(client, SERVER).await.unwrap();
            body(conn, ctx, notes).await;
        });
    }

    fn run(&mut self, until: u64) -> Vec<String> {
        self.sim.run_until(Instant::from_millis(until));
        self.notes.borrow().clone()
    }
}

fn note(ctx: &Ctx, notes: &Notes, text: &str) {
    notes.borrow_mut().push(format!("{} {text}", ctx.now().as_millis_f64()));
}

async fn serve(streams: Streams<Note, Note>, notes: Notes) {
    let mut listener = streams.listen(SERVER);
    let ctx = streams.net().ctx().clone();
    loop {
        let mut conn = listener.accept().await;
        let (ctx, notes) = (ctx.clone(), Rc::clone(&notes));
        ctx.clone().spawn(async move {
            while let Some(Note(n, size)) = conn.recv().await {
                note(&ctx, &notes, &format!("server {n}"));
                if conn.send(Note(n, size)).is_err() {
                    break;
                }
            }
            note(&ctx, &notes, "server closed");
        });
    }
}

#[test]
fn a_connection_costs_a_round_trip_and_messages_travel_side_by_side() {
    let mut lab = Lab::plain();
    lab.with_conn(|mut conn, ctx, notes| async move {
        note(&ctx, &notes, "open");
        conn.send(Note(1, 10)).unwrap();
        ctx.sleep(ms(1)).await;
        conn.send(Note(2, 10)).unwrap();
        for _ in 0..2 {
            let Note(n, _) = conn.recv().await.unwrap();
            note(&ctx, &notes, &format!("client {n}"));
        }
        drop(conn);
        std::future::pending().await
    });
    lab.sim.run_until(Instant::from_millis(120));
    let flights = lab.net.in_flight();
    assert_eq!(flights.len(), 2);
    assert!(flights.iter().all(|flight| flight.payload == Payload::Message && !flight.lost));
    assert_eq!(
        lab.run(1000),
        ["100 open", "150 server 1", "151 server 2", "200 client 1", "201 client 2", "251 server closed"]
    );
}

#[test]
fn nobody_listening_refuses_and_a_cut_link_times_out() {
    let mut lab = Lab::plain();
    lab.net.crash(lab.server);
    let results = Rc::new(RefCell::new(Vec::new()));
    let (streams, ctx, client, ear) = (lab.streams.clone(), lab.ctx.clone(), lab.client, Rc::clone(&results));
    let (net, server) = (lab.net.clone(), lab.server);
    lab.ctx.spawn(async move {
        for address in [SERVER, "localhost:1"] {
            let error = streams.connect(client, address).await.err();
            ear.borrow_mut().push((ctx.now().as_millis_f64(), error));
        }
        net.add_rule(Rule { target: Target::Node(server), effect: Effect::Cut });
        let error = streams.connect(client, SERVER).await.err();
        ear.borrow_mut().push((ctx.now().as_millis_f64(), error));
    });
    lab.run(300_000);
    let (refused, late) = (Some(ConnectError::Refused), Some(ConnectError::TimedOut));
    assert_eq!(*results.borrow(), [(100.0, refused), (100.0, refused), (127_100.0, late)]);
}

#[test]
fn a_cut_only_delays_and_keeps_order() {
    let mut lab = Lab::plain();
    lab.with_conn(|conn, ctx, _| async move {
        for n in 1..=3 {
            conn.send(Note(n, 10)).unwrap();
            ctx.sleep(ms(30)).await;
        }
        std::future::pending().await
    });
    lab.sim.run_until(Instant::from_millis(140));
    let rule = lab.net.add_rule(Rule { target: Target::Both(lab.client, lab.server), effect: Effect::Cut });
    lab.sim.run_until(Instant::from_millis(2000));
    lab.net.remove_rule(rule);
    // Lost on arrival at 150; sent again 0.2, 0.6, 1.4, and 3 s later, with all that wait behind it.
    let seen = lab.run(5000);
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[0].ends_with("server 1") && seen[1].ends_with("server 2") && seen[2].ends_with("server 3"));
    let at: f64 = seen[2].split(' ').next().unwrap().parse().unwrap();
    assert!((2000.0..4000.0).contains(&at), "{seen:?}");
}

#[test]
fn a_crash_is_a_close_one_link_delay_later_behind_what_was_sent() {
    let mut lab = Lab::plain();
    lab.with_conn(|mut conn, ctx, notes| async move {
        conn.send(Note(1, 10)).unwrap();
        while conn.recv().await.is_some() {
            note(&ctx, &notes, "client 1");
        }
        note(&ctx, &notes, "client closed");
        assert!(conn.send(Note(2, 10)).is_err());
    });
    lab.sim.run_until(Instant::from_millis(160));
    lab.net.crash(lab.server);
    assert_eq!(lab.run(1000), ["150 server 1", "200 client 1", "210 client closed"]);
}

/// A message arrives when it does, whether its reader has waited all along, stopped before, or begins to wait while it travels.
#[test]
fn a_message_arrives_whoever_reads_and_when() {
    for (stops, begins) in [(None, 0), (Some(20), 500), (Some(20), 60), (Some(60), 300), (Some(99), 99)] {
        let mut lab = Lab::plain();
        lab.with_conn(move |mut conn, ctx, notes| async move {
            conn.send(Note(1, 10)).unwrap();
            conn.send(Note(2, 10)).unwrap();
            let began = ctx.now();
            if let Some(stops) = stops {
                assert!(ctx.timeout(ms(stops), conn.recv()).await.is_err(), "the answer takes 100 ms");
            }
            ctx.sleep_until(began + ms(begins)).await;
            for n in 1..=2 {
                let Note(answer, _) = conn.recv().await.unwrap();
                assert_eq!(answer, n);
                note(&ctx, &notes, &format!("read {n}"));
            }
        });
        let noted = lab.run(1000);
        let read = 200_u64.max(100 + begins);
        let (first, second) = (format!("{read} read 1"), format!("{read} read 2"));
        assert!(noted.contains(&first) && noted.contains(&second), "{noted:?}");
        let trace = lab.sim.trace();
        let arrivals = trace.records().filter(|record| record.kind == SEGMENT_RECEIVED);
        let arrivals: Vec<f64> = arrivals.map(|record| record.at.as_millis_f64()).collect();
        assert_eq!(arrivals, [150.0, 150.0, 200.0, 200.0]);
    }
}

#[test]
fn who_does_not_read_fills_the_sockets_and_then_the_sender() {
    let mut lab = Lab::plain();
    lab.with_conn(|mut conn, ctx, notes| async move {
        for n in 0..50 {
            conn.send(Note(n, 100_000)).unwrap();
        }
        ctx.sleep(ms(1000)).await;
        note(&ctx, &notes, "awake");
        let mut read = 0;
        while conn.recv().await.is_some() {
            read += 100_000;
        }
        note(&ctx, &notes, &format!("read {read}"));
    });
    // The server has echoed all; half of it does not fit, and is lost with the server.
    lab.sim.run_until(Instant::from_millis(900));
    lab.net.crash(lab.server);
    let seen = lab.run(5000);
    let read = seen.last().unwrap();
    assert!(read.ends_with(&format!("read {SOCKET_BUFFER}")), "{read}");
}

#[test]
fn who_sends_without_end_to_one_who_does_not_read_loses_the_connection() {
    const SIZE: usize = 1 << 20;
    let mut lab = Lab::plain();
    lab.with_conn(|mut conn, ctx, notes| async move {
        // The server answers each, and nobody reads that.
        for n in 0..2 * (PENDING_MAX / SIZE) as u64 {
            if conn.send(Note(n, SIZE)).is_err() {
                break;
            }
            ctx.sleep(ms(1)).await;
        }
        ctx.sleep(ms(1000)).await;
        let mut read = 0;
        while conn.recv().await.is_some() {
            read += SIZE;
        }
        note(&ctx, &notes, &format!("read {read}"));
    });
    let seen = lab.run(5000);
    // At the latest when the sockets hold as much as they may and the program as much as it may.
    let most = (PENDING_MAX + SOCKET_BUFFER) / SIZE;
    let answered = seen.iter().filter(|line| line.contains("server ") && !line.ends_with("closed")).count();
    assert!((most - 1..=most + 1).contains(&answered), "{answered} of at most {most}");
    assert!(seen.iter().any(|line| line.ends_with("server closed")), "{:?}", seen.last());
    assert!(
        seen.last().is_some_and(|line| line.ends_with(&format!("read {}", 3 * SIZE))),
        "{:?}",
        seen.last()
    );
}

#[test]
fn who_sends_without_end_over_a_cut_link_learns_it_and_may_connect_again() {
    let mut lab = Lab::plain();
    let net = lab.net.clone();
    let rule = Rule { target: Target::Both(lab.client, lab.server), effect: Effect::Cut };
    let (streams, client) = (lab.streams.clone(), lab.client);
    lab.with_conn(move |mut conn, ctx, notes| async move {
        let cut = net.add_rule(rule);
        let sent = (0..1_000).take_while(|&n| conn.send(Note(n, 1 << 20)).is_ok()).count();
        assert!((128..=131).contains(&sent), "{sent}");
        assert!(conn.recv().await.is_none() && conn.send(Note(0, 1)).is_err());
        net.remove_rule(cut);
        let again = streams.connect(client, SERVER).await.unwrap();
        again.send(Note(7_777, 1)).unwrap();
        note(&ctx, &notes, "sent");
        std::future::pending().await
    });
    let seen = lab.run(5000);
    assert!(seen.iter().any(|line| line.ends_with("server 7777")), "{seen:?}");
}

#[test]
fn loss_neither_loses_nor_doubles_nor_reorders_under_many_seeds() {
    for_seeds("stream", 0..100, |seed| {
        let link = LinkModel { latency: ms(5), jitter: ms(20), loss: 0.2, duplication: 0.3 };
        let mut lab = Lab::new(seed, link);
        lab.with_conn(|mut conn, ctx, notes| async move {
            for n in 0..40 {
                conn.send(Note(n, 10)).unwrap();
                ctx.sleep(ms(n % 3)).await;
            }
            for expected in 0..40 {
                assert_eq!(conn.recv().await, Some(Note(expected, 10)));
            }
            notes.borrow_mut().push("all".to_owned());
        });
        let seen = lab.run(120_000);
        let server: Vec<u64> =
            seen.iter().filter_map(|line| line.split_once(" server ")?.1.parse().ok()).collect();
        assert_eq!(server, (0..40).collect::<Vec<u64>>());
        assert!(seen.iter().any(|line| line == "all"), "{seen:?}");
    });
}
