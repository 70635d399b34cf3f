//! The client: errors in the library's words, connecting again, what is kept meanwhile, JetStream through it.

use futures::FutureExt;
use glasshive::kernel::{Ctx, Duration, Instant, Sim, Sink};
use glasshive::net::{LinkModel, Net, NodeId, Payload};
use glasshive::substrate::http::{Http, Request};
use glasshive::substrate::nats::{
    ClientOptions, ConsumerConfig, Nats, NatsClient, NatsConfig, NatsError, Status, Storage, StreamConfig,
};
use std::cell::RefCell;
use std::rc::Rc;

pub const HOP: Duration = Duration::from_millis(5);

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A broker and some nodes around it.
#[derive(Clone)]
pub struct Lab {
    pub ctx: Ctx,
    pub net: Net,
    pub http: Http,
    pub nats: Nats,
    pub broker: NodeId,
    notes: Rc<RefCell<Vec<String>>>,
}

impl Lab {
    pub fn new(seed: u64, config: NatsConfig) -> (Sim, Lab) {
        let sim = Sim::new(seed, Sink::Full);
        let net = Net::new(&sim.ctx(), true);
        let broker = net.add_node("nats");
        let http = Http::new(&net);
        let nats = Nats::new(&http, broker, config);
        nats.install();
        net.start(broker);
        (sim, Lab { ctx: net.ctx().clone(), net, http, nats, broker, notes: Rc::default() })
    }

    /// A node that is up and one hop from the broker.
    pub fn node(&self, name: &str, link: LinkModel) -> NodeId {
        let node = self.net.add_node(name);
        self.net.connect(node, self.broker, link);
        self.net.set_role(node, |_| std::future::pending().boxed_local());
        self.net.start(node);
        node
    }

    /// Runs a task on a new node.
    pub fn spawn<F: Future<Output = ()> + 'static>(&self, name: &str, body: impl FnOnce(Lab, NodeId) -> F) {
        let node = self.node(name, LinkModel::new(HOP, Duration::ZERO));
        self.ctx.spawn_in(node.scope(), body(self.clone(), node));
    }

    pub async fn client(&self, node: NodeId) -> NatsClient {
        self.client_with(node, ClientOptions::default()).await
    }

    /// Tries until somebody answers: on a link that loses messages the first attempt may take too long.
    pub async fn client_with(&self, node: NodeId, options: ClientOptions) -> NatsClient {
        loop {
            if let Ok(client) = NatsClient::connect(&self.nats, node, options.clone()).await {
                return client;
            }
        }
    }

    pub fn note(&self, text: impl ToString) {
        self.notes.borrow_mut().push(text.to_string());
    }

    pub fn run(&self, sim: &mut Sim, until: u64) -> Vec<String> {
        sim.run_until(Instant::from_millis(until));
        self.notes.borrow().clone()
    }
}

fn text<T>(result: Result<T, NatsError>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "<nil>".to_owned())
}

#[test]
fn conformance_client_errors_have_the_librarys_words() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let client = lab.client(me).await;
        let limit = ms(200);
        lab.note(text(client.request("nobody", b"x", limit).await));
        let _silent = client.subscribe("silent").unwrap();
        lab.note(text(client.request("silent", b"x", limit).await));
        lab.note(text(client.publish("big", vec![0; (1 << 20) + 1])));
        lab.note(text(client.publish("", b"x")));
        lab.note(text(client.subscribe("a b")));
        lab.note(text(client.subscribe("a..b")));
        lab.note(text(client.jetstream().publish("nobody", b"x").await));
        lab.note(text(client.drain(limit).await));
        lab.note(text(client.publish("x", b"x")));
        lab.net.crash(lab.broker);
        lab.note(text(NatsClient::connect(&lab.nats, me, ClientOptions::default()).await));
    });
    let seen = lab.run(&mut sim, 10_000);
    assert_eq!(
        seen,
        [
            "nats: no responders available for request",
            "nats: timeout",
            "nats: maximum payload exceeded",
            "nats: invalid subject",
            "nats: invalid subject",
            "nats: invalid subject",
            "nats: no response from stream",
            "<nil>",
            "nats: connection closed",
            "nats: no servers available for connection",
        ]
    );
}

#[test]
fn conformance_client_while_disconnected_keeps_what_it_publishes_and_times_out_on_the_rest() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let client = lab.client(me).await;
        let mut mine = client.subscribe("mine").unwrap();
        client.flush(ms(1000)).await.unwrap();
        lab.net.crash(lab.broker);
        lab.ctx.sleep(ms(100)).await;
        assert_eq!(client.status(), Status::Reconnecting);
        lab.note(text(client.publish("mine", b"while-down")));
        lab.note(text(client.request("svc", b"x", ms(200)).await));
        lab.note(text(client.flush(ms(200)).await));
        lab.net.start(lab.broker);
        let message = mine.next().await.unwrap();
        // Two seconds and some jitter after the break, and three round trips.
        let at = lab.ctx.now().as_millis_f64();
        assert!((2000.0..2250.0).contains(&at), "{at}");
        lab.note(String::from_utf8_lossy(message.payload.bytes()));
        assert_eq!((client.status(), client.reconnects()), (Status::Connected, 1));
    });
    let seen = lab.run(&mut sim, 10_000);
    assert_eq!(seen, ["<nil>", "nats: timeout", "nats: timeout", "while-down"]);
}

#[test]
fn conformance_client_reconnect_buffer_is_bounded() {
    for (buffer, failing) in [(Some(1000), 10), (None, 1)] {
        let (mut sim, lab) = Lab::new(1, NatsConfig::default());
        lab.spawn("a", move |lab, me| async move {
            let options = ClientOptions { reconnect_buffer: buffer, ..ClientOptions::default() };
            let client = lab.client_with(me, options).await;
            lab.net.crash(lab.broker);
            lab.ctx.sleep(ms(100)).await;
            let failed = (1..100).find(|_| client.publish("foo", &[b'x'; 100]).is_err());
            assert_eq!(failed, Some(failing));
            lab.note(text(client.publish("foo", &[b'x'; 100])));
        });
        assert_eq!(lab.run(&mut sim, 1000), ["nats: outbound buffer limit exceeded"]);
    }
}

#[test]
fn conformance_client_closes_without_reconnect_and_after_the_last_attempt() {
    for (reconnect, max) in [(false, None), (true, Some(2))] {
        let (mut sim, lab) = Lab::new(1, NatsConfig::default());
        lab.spawn("a", move |lab, me| async move {
            let options = ClientOptions {
                reconnect,
                max_reconnects: max,
                reconnect_wait: ms(100),
                ..ClientOptions::default()
            };
            let client = lab.client_with(me, options).await;
            let mut sub = client.subscribe("x").unwrap();
            lab.net.crash(lab.broker);
            lab.note(sub.next().await.is_none());
            assert_eq!(client.status(), Status::Closed);
            lab.note(text(client.publish("x", b"x")));
        });
        assert_eq!(lab.run(&mut sim, 600), ["true", "nats: connection closed"]);
    }
}

#[test]
fn conformance_client_slow_reader_drops_and_says_so() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let options = ClientOptions { pending_messages: 10, ..ClientOptions::default() };
        let client = lab.client_with(me, options).await;
        let mut sub = client.subscribe("x").unwrap();
        (0..200).for_each(|_| client.publish("x", b"x").unwrap());
        client.flush(ms(1000)).await.unwrap();
        let mut got = 0;
        while sub.next().now_or_never().is_some() {
            got += 1;
        }
        assert_eq!((got, got + sub.dropped()), (10, 200));
        lab.note(client.last_error().unwrap());
    });
    assert_eq!(lab.run(&mut sim, 5000), ["nats: slow consumer, messages dropped"]);
}

#[test]
fn conformance_client_what_others_publish_meanwhile_is_lost() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("slow", |lab, me| async move {
        let client = lab.client(me).await;
        let mut sub = client.subscribe("x").unwrap();
        while let Some(message) = sub.next().await {
            lab.note(String::from_utf8_lossy(message.payload.bytes()));
        }
    });
    lab.spawn("fast", |lab, me| async move {
        let options = ClientOptions { reconnect_wait: ms(10), ..ClientOptions::default() };
        let client = lab.client_with(me, options).await;
        lab.ctx.sleep(ms(100)).await;
        client.publish("x", b"before").unwrap();
        lab.ctx.sleep(ms(100)).await;
        lab.net.start(lab.broker);
        lab.ctx.sleep(ms(500)).await;
        assert_eq!(client.status(), Status::Connected);
        client.publish("x", b"meanwhile").unwrap();
        lab.ctx.sleep(ms(3000)).await;
        client.publish("x", b"later").unwrap();
    });
    assert_eq!(lab.run(&mut sim, 10_000), ["before", "later"]);
}

#[test]
fn jetstream_work_survives_the_broker_and_is_acknowledged_once() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("coordinator", |lab, me| async move {
        let client = lab.client(me).await;
        let js = client.jetstream();
        js.add_stream(&StreamConfig::new("ORACLE", &["oracle.tasks"])).await.unwrap();
        let memory = StreamConfig { storage: Storage::Memory, ..StreamConfig::new("MEM", &["mem"]) };
        js.add_stream(&memory).await.unwrap();
        js.publish("mem", b"x").await.unwrap();
        assert_eq!(js.publish_once("oracle.tasks", "t1", b"t1").await.unwrap().seq, 1);
        assert!(js.publish_once("oracle.tasks", "t1", b"t1").await.unwrap().duplicate);
        lab.net.crash(lab.broker);
        lab.ctx.sleep(ms(500)).await;
        lab.net.start(lab.broker);
    });
    lab.spawn("w-01", |lab, me| async move {
        lab.ctx.sleep(ms(1500)).await;
        let client = lab.client(me).await;
        let config = ConsumerConfig { ack_wait: 1_000_000_000, ..ConsumerConfig::durable("workers") };
        let work = client.jetstream().consumer("ORACLE", &config).await.unwrap();
        let first = work.next().await.unwrap();
        first.nak(Some(ms(300))).unwrap();
        let again = work.next().await.unwrap();
        assert_eq!((again.delivered(), again.stream_seq(), again.consumer_seq()), (2, 1, 2));
        again.in_progress().unwrap();
        again.ack_sync(ms(1000)).await.unwrap();
        assert_eq!(again.ack(), Err(NatsError::NotAckable));
        let info = work.info().await.unwrap();
        lab.note(format!("{} {}", info["num_ack_pending"], info["ack_floor"]["stream_seq"]));
    });
    assert_eq!(lab.run(&mut sim, 20_000), ["0 1"]);
    assert_eq!((lab.nats.stored("ORACLE"), lab.nats.stored("MEM")), (Some(1), None));
}

#[test]
fn varz_counts_and_messages_in_flight_are_seen() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let client = lab.client(me).await;
        let _sub = client.subscribe("x").unwrap();
        client.publish("x", b"12345").unwrap();
        let seen = lab.net.in_flight();
        assert!(seen.iter().any(|flight| flight.payload == Payload::Message && flight.from == me));
        client.flush(ms(100)).await.unwrap();
        let url = "http://localhost:8222/varz".parse().unwrap();
        let answer = lab.http.fetch(me, Request::get(url)).await.unwrap();
        let varz: serde_json::Value = answer.parse().unwrap();
        let names =
            ["connections", "in_msgs", "out_msgs", "in_bytes", "out_bytes", "subscriptions", "max_payload"];
        lab.note(names.map(|name| varz[name].to_string()).join(" "));
    });
    assert_eq!(lab.run(&mut sim, 1000), ["1 1 1 5 5 1 1048576"]);
}

fn payload(message: &glasshive::substrate::nats::Message) -> String {
    String::from_utf8_lossy(message.payload.bytes()).into_owned()
}

#[test]
fn a_subscription_ends_after_as_many_messages_as_it_was_told() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let client = lab.client(me).await;
        let publish = |subject: &str, n: u32| client.publish(subject, n.to_string().as_bytes()).unwrap();
        let mut three = client.subscribe("x").unwrap();
        three.unsubscribe_after(3).unwrap();
        (1..=5).for_each(|n| publish("x", n));
        while let Some(message) = three.next().await {
            lab.note(payload(&message));
        }
        // Told when it has had as many already.
        let mut late = client.subscribe("x").unwrap();
        (6..=7).for_each(|n| publish("x", n));
        client.flush(ms(1000)).await.unwrap();
        late.unsubscribe_after(2).unwrap();
        publish("x", 8);
        while let Some(message) = late.next().await {
            lab.note(payload(&message));
        }
        // And what is left of it holds after the broker has started again.
        let mut over = client.subscribe("y").unwrap();
        over.unsubscribe_after(3).unwrap();
        publish("y", 9);
        lab.note(payload(&over.next().await.unwrap()));
        lab.net.start(lab.broker);
        lab.ctx.sleep(ms(5000)).await;
        (10..=14).for_each(|n| publish("y", n));
        while let Some(message) = over.next().await {
            lab.note(payload(&message));
        }
        lab.note("ended");
    });
    assert_eq!(lab.run(&mut sim, 20_000), ["1", "2", "3", "6", "7", "9", "10", "11", "ended"]);
}

#[test]
fn what_was_read_makes_room_for_more() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let options = ClientOptions { pending_bytes: 100, ..ClientOptions::default() };
        let client = lab.client_with(me, options).await;
        let mut sub = client.subscribe("x").unwrap();
        for _ in 0..20 {
            (0..2).for_each(|_| client.publish("x", &[b'x'; 40]).unwrap());
            for _ in 0..2 {
                sub.next().await.unwrap();
            }
        }
        assert_eq!(sub.dropped(), 0);
        (0..3).for_each(|_| client.publish("x", &[b'x'; 40]).unwrap());
        client.flush(ms(1000)).await.unwrap();
        lab.note(format!("{} dropped", sub.dropped()));
    });
    assert_eq!(lab.run(&mut sim, 5_000), ["1 dropped"]);
}

#[test]
fn a_flush_that_the_broker_did_not_survive_takes_no_later_ones_answer() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let client = lab.client(me).await;
        let crash = async {
            lab.ctx.sleep(ms(2)).await;
            lab.net.crash(lab.broker);
        };
        let (flushed, ()) = futures::join!(client.flush(ms(200)), crash);
        lab.note(text(flushed));
        lab.net.start(lab.broker);
        lab.ctx.sleep(ms(5000)).await;
        lab.note(text(client.flush(ms(200)).await));
    });
    assert_eq!(lab.run(&mut sim, 20_000), ["nats: timeout", "<nil>"]);
}

#[test]
fn a_stream_without_subjects_listens_to_its_own_name() {
    let (mut sim, lab) = Lab::new(1, NatsConfig::default());
    lab.spawn("a", |lab, me| async move {
        let js = lab.client(me).await.jetstream();
        js.add_stream(&StreamConfig::new("PLAIN", &[])).await.unwrap();
        js.add_stream(&StreamConfig::new("NAMED", &["other"])).await.unwrap();
        for subject in ["PLAIN", "other", "NAMED"] {
            lab.note(text(js.publish(subject, b"x").await));
        }
    });
    assert_eq!(lab.run(&mut sim, 20_000), ["<nil>", "<nil>", "nats: no response from stream"]);
}
