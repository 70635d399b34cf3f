//! The oracle's messages over NATS: `oracle.tasks` from the coordinator to the workers, `oracle.results` back. By
//! `oracle.presence` workers say that they are there, and goodbye (`presence.rs`).
//!
//! Core NATS forgets what nobody hears, and what it holds when it goes down. With JetStream each subject has a stream on
//! disk: a publisher repeats a message until the stream has it, under an id that keeps it from being stored twice, and a
//! durable consumer delivers it until it is acknowledged. Fan-out needs one consumer for each worker; a queue group
//! shares one. What is acknowledged by all that have a consumer leaves the stream.

mod coordinator;
mod presence;
mod worker;

use super::broker::{self, Broker, Plug, Stage};
use super::fact::Fact;
use super::worker::Worker;
use super::{NEAR, Params, Site, TO_BROKER};
use crate::kernel::{Ctx, Duration, Span};
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Body;
use crate::substrate::nats::{
    AckPolicy, ClientOptions, ConsumerConfig, DeliverPolicy, Nats, NatsClient, NatsConfig, NatsError,
    Retention, Status, StreamConfig, Subscription,
};
use crate::systems::oracle::{Delivery, Transport};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Where the coordinator publishes and the workers listen.
const TASKS: &str = "oracle.tasks";
/// The reverse.
const RESULTS: &str = "oracle.results";
/// The streams of the two.
const TASK_STREAM: &str = "ORACLE_TASKS";
const RESULT_STREAM: &str = "ORACLE_RESULTS";
/// The queue group of the workers, and the consumer that it shares.
const GROUP: &str = "workers";
/// The pause after a connection, a call or a publish that failed.
const RETRY: Duration = Duration::from_millis(500);
/// A publish that no stream has confirmed for so long is made again.
const CONFIRM_WITHIN: Duration = Duration::from_secs(1);
/// How many bytes a client keeps while it has no connection.
const PENDING_MAX: usize = 256 * 1024;
/// So long after a broker went down its clients may not know it yet; what they send meanwhile is lost.
const NEWS_TRAVEL: Duration = Duration::from_millis(150);

/// NATS between an oracle's nodes.
pub const BY_NATS: Plug = Plug(Bus::connect);

/// The broker, and who is connected to it.
#[derive(Clone)]
struct Bus {
    nats: Nats,
    node: NodeId,
    console: NodeId,
    /// The coordinator's client, since it began to listen.
    asking: Rc<RefCell<Option<NatsClient>>>,
    /// The workers' clients, w-01 first, since each began to listen.
    listening: Rc<[RefCell<Option<NatsClient>>]>,
}

impl Bus {
    fn connect(stage: &Stage<'_>) -> Rc<dyn Broker> {
        let Stage { http, params, console, coordinator } = *stage;
        let net = http.net();
        let node = net.add_node("nats");
        net.connect(node, coordinator, TO_BROKER);
        net.connect(console, node, NEAR);
        Rc::new(Bus {
            nats: Nats::new(http, node, NatsConfig::default()),
            node,
            console,
            asking: Rc::default(),
            listening: (0..params.workers).map(|_| RefCell::default()).collect(),
        })
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.nats.streams().net().is_up(node)
    }
}

impl Broker for Bus {
    fn node(&self) -> NodeId {
        self.node
    }

    /// In core mode what it carries is lost when it goes down.
    fn start(&self, site: &Rc<Site>) {
        let net = site.net();
        if site.params.transport == Transport::JetStream {
            self.nats.install();
        } else {
            let (bus, site) = (self.clone(), Rc::clone(site));
            net.set_role(self.node, move |shutdown| {
                let loss = Loss { site: site.clone(), console: bus.console, broker: bus.node };
                let nats = bus.nats.clone();
                Box::pin(async move {
                    let _loss = loss;
                    nats.run(shutdown).await;
                })
            });
        }
        net.start(self.node);
    }

    fn link(&self) -> Rc<dyn broker::Link> {
        Rc::new(coordinator::Link::new(self.clone()))
    }

    fn serve<'a>(&'a self, worker: &'a Rc<Worker>, shutdown: &'a Shutdown) -> LocalBoxFuture<'a, ()> {
        worker::run(worker, self, shutdown).boxed_local()
    }

    fn hears(&self, i: usize, worker: NodeId) -> bool {
        self.is_up(worker) && self.listening.get(i).is_some_and(is_connected)
    }

    fn is_asked(&self, coordinator: NodeId) -> bool {
        self.is_up(coordinator) && is_connected(&self.asking)
    }

    fn stored(&self) -> [u64; 2] {
        [TASK_STREAM, RESULT_STREAM].map(|stream| self.nats.stored(stream).unwrap_or(0))
    }
}

fn is_connected(client: &RefCell<Option<NatsClient>>) -> bool {
    client.borrow().as_ref().is_some_and(|client| client.status() == Status::Connected)
}

/// Tells of the loss when the broker's process has ended, in whatever way, and its clients know.
struct Loss {
    site: Rc<Site>,
    console: NodeId,
    broker: NodeId,
}

impl Drop for Loss {
    fn drop(&mut self) {
        let (site, broker) = (self.site.clone(), self.broker.scope());
        self.site.ctx().spawn_in(self.console.scope(), async move {
            site.ctx().sleep(NEWS_TRAVEL).await;
            site.facts.tell_in(broker, Span::default(), Fact::MessagesLost);
        });
    }
}

/// A connection; tries until there is a broker, and tells if there is none at first.
async fn connect(bus: &Bus, site: &Site, node: NodeId, is_missing: &Cell<bool>) -> NatsClient {
    loop {
        let options = ClientOptions {
            max_reconnects: None,
            reconnect_buffer: Some(PENDING_MAX),
            ..ClientOptions::default()
        };
        match NatsClient::connect(&bus.nats, node, options).await {
            Ok(client) => return client,
            Err(_) => {
                if !is_missing.replace(true) {
                    site.tell(Fact::BrokerMissing);
                }
                site.ctx().sleep(RETRY).await;
            }
        }
    }
}

/// What to listen to.
struct Inbox<'a> {
    subject: &'a str,
    stream: &'a str,
    /// The consumer's name.
    durable: &'a str,
    group: Option<&'a str>,
}

/// Listens: in core mode to the subject itself, with JetStream to what a durable consumer delivers.
async fn listen(params: &Params, client: &NatsClient, inbox: &Inbox<'_>) -> Result<Subscription, NatsError> {
    let subscribe = |subject: &str| match inbox.group {
        Some(group) => client.queue_subscribe(subject, group),
        None => client.subscribe(subject),
    };
    if params.transport != Transport::JetStream {
        return subscribe(inbox.subject);
    }
    let js = client.jetstream();
    for (name, subject) in [(TASK_STREAM, TASKS), (RESULT_STREAM, RESULTS)] {
        let stream = StreamConfig { retention: Retention::Interest, ..StreamConfig::new(name, &[subject]) };
        js.add_stream(&stream).await?;
    }
    let deliver_subject = ["oracle.deliver.", inbox.durable].concat();
    let messages = subscribe(&deliver_subject)?;
    let config = ConsumerConfig {
        ack_policy: AckPolicy::Explicit,
        ack_wait: params.ack_wait.as_nanos(),
        max_deliver: i64::from(params.max_deliver),
        deliver_policy: DeliverPolicy::New,
        deliver_group: inbox.group.unwrap_or_default().to_owned(),
        deliver_subject,
        ..ConsumerConfig::durable(inbox.durable)
    };
    let call = ["CONSUMER.DURABLE.CREATE.", inbox.stream, ".", inbox.durable].concat();
    js.call(&call, &json!({"stream_name": inbox.stream, "config": config})).await?;
    Ok(messages)
}

/// Publishes: in core mode once; with JetStream until a stream has it, under an id by which it knows repetitions.
async fn publish(site: &Site, client: &NatsClient, subject: &str, id: &[&str], payload: &Body) {
    if site.params.transport != Transport::JetStream {
        // A buffer that is full loses it, as a broker would.
        let _ = client.publish(subject, payload.clone());
        return;
    }
    let (ctx, js, id) = (site.ctx(), client.jetstream(), id.concat());
    loop {
        if client.status() == Status::Connected {
            let confirmed = ctx.timeout(CONFIRM_WITHIN, js.publish_once(subject, &id, payload.clone())).await;
            if matches!(confirmed, Ok(Ok(_))) {
                return;
            }
        }
        ctx.sleep(RETRY).await;
    }
}

/// Makes a request what the current task is busy with: a message that was stored, or is delivered again, comes without.
fn follow(ctx: &Ctx, request_id: &str) {
    let tag = request_id.strip_prefix("req-").and_then(|digits| digits.parse().ok()).unwrap_or(0);
    ctx.set_span(Span { tag, ..ctx.span() });
}

/// The workers' queue group, if they are one.
fn group(params: &Params) -> Option<&'static str> {
    (params.delivery == Delivery::Queue).then_some(GROUP)
}
