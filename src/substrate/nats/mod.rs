//! NATS: a broker of subjects and queue groups, JetStream, and a client, as nats-server 2.9 and nats.go behave.
//!
//! ```text
//! let nats = Nats::new(&http, node, NatsConfig::default());       // its addresses are assigned to the node
//! nats.install();                                                 // the node's role; then net.start(node)
//!
//! let client = NatsClient::connect(&nats, me, ClientOptions::default()).await?;
//! let mut tasks = client.subscribe("oracle.tasks")?;              // or queue_subscribe(subject, group)
//! client.publish("oracle.tasks", b"...")?;
//! while let Some(message) = tasks.next().await { ... }
//! let answer = client.request("svc", b"...", limit).await?;
//!
//! let js = client.jetstream();
//! js.add_stream(&StreamConfig::new("ORACLE", &["oracle.tasks"])).await?;
//! js.publish("oracle.tasks", b"...").await?;                      // PubAck { seq, duplicate, .. }
//! let workers = js.consumer("ORACLE", &ConsumerConfig::durable("workers")).await?;
//! let message = workers.next().await?; message.ack()?;
//! ```
//!
//! The life of a message: an [`Op::Pub`] arrives at the broker (`broker.rs`), the [`router`](self) says which
//! subscriptions hear it, JetStream (`jetstream/`) keeps it if a stream covers its subject, and frames leave for the
//! subscribers. Core delivery is at most once: what nobody hears is gone. JetStream keeps what it has until the limits or
//! the acknowledgements of the stream's retention say otherwise.
//!
//! A crash or stop of the node ends all connections and forgets memory streams; file streams with their consumers
//! survive, as they live with whoever holds the [`Nats`]. Not modelled: clusters, accounts, TLS, ordered and mirrored
//! streams, flow control. Which recorded rows are left out is said in `doc/conformance.md`.

mod broker;
mod client;
mod jetstream;
mod monitor;
mod protocol;
mod router;
pub mod subject;

pub use client::{
    ClientOptions, Consumer, JetStream, JsMessage, Message, NatsClient, NatsError, PubAck, Status,
    Subscription,
};
pub use jetstream::{
    AckPolicy, ApiError, ConsumerConfig, DeliverPolicy, Discard, Retention, Storage, StreamConfig,
};
pub use monitor::{MONITORING, Varz};
pub use protocol::{ConnectOptions, Frame, Headers, Info, Op, Published};

use crate::kernel::{Duration, Kind, SortedMap};
use crate::net::{NodeId, Shutdown};
use crate::substrate::http::Http;
use crate::substrate::stream::Streams;
use broker::Broker;
use futures::FutureExt;
use jetstream::Js;
use std::cell::RefCell;
use std::rc::Rc;

/// A message reached the broker and nobody hears its subject: it is gone. The value is its size in bytes.
pub const UNHEARD: Kind = Kind::new("nats_unheard");
/// JetStream stored a message; the value is its sequence number.
pub const STORED: Kind = Kind::new("nats_stored");
/// JetStream delivered a message again; the value is its sequence number.
pub const REDELIVERED: Kind = Kind::new("nats_redelivered");
/// The broker cut a client off that does not read; the peer is that one.
pub const SLOW_CONSUMER: Kind = Kind::new("nats_slow_consumer");
/// A client's connection is ready, again or for the first time; the value is how often it was before.
pub const CONNECTED: Kind = Kind::new("nats_connected");
/// A client noticed that its connection is gone.
pub const DISCONNECTED: Kind = Kind::new("nats_disconnected");

/// The version that the broker says it is.
pub const VERSION: &str = "2.9.10";

/// What can be set of a broker; the defaults are the server's.
#[derive(Clone, Debug)]
pub struct NatsConfig {
    /// Where clients connect.
    pub address: String,
    /// Where `GET /varz` is answered.
    pub monitor: String,
    /// Bytes that a message may have, headers included.
    pub max_payload: usize,
    /// Bytes that a line of the protocol may have.
    pub max_control_line: usize,
    /// Clients at a time.
    pub max_connections: usize,
    /// Bytes that may wait for one client before it is cut off as a slow consumer.
    pub max_pending: usize,
    /// How long bytes may wait for one client before it is cut off as a slow consumer.
    pub write_deadline: Duration,
    /// How often a silent client is asked whether it lives.
    pub ping_interval: Duration,
    /// How many pings may be unanswered.
    pub ping_max: u32,
    /// The token that clients must name.
    pub auth_token: Option<String>,
    /// How long a client may take to name it.
    pub auth_timeout: Duration,
    /// JetStream is on.
    pub jetstream: bool,
    /// In lame duck mode: how long the broker waits before it closes clients, and over what time it closes them.
    pub lame_duck_grace: Duration,
    /// See `lame_duck_grace`.
    pub lame_duck_duration: Duration,
}

impl Default for NatsConfig {
    fn default() -> Self {
        NatsConfig {
            address: "localhost:4222".to_owned(),
            monitor: "localhost:8222".to_owned(),
            max_payload: 1 << 20,
            max_control_line: 4096,
            max_connections: 65_536,
            max_pending: 64 << 20,
            write_deadline: Duration::from_secs(10),
            ping_interval: Duration::from_secs(120),
            ping_max: 2,
            auth_token: None,
            auth_timeout: Duration::from_secs(2),
            jetstream: true,
            lame_duck_grace: Duration::from_secs(10),
            lame_duck_duration: Duration::from_secs(120),
        }
    }
}

/// A broker on a node, and what outlives its process: the disk. Cheap to clone.
#[derive(Clone)]
pub struct Nats {
    http: Http,
    streams: Streams<Op, Frame>,
    node: NodeId,
    config: Rc<NatsConfig>,
    /// What JetStream has; only file streams are found again after a restart.
    disk: Rc<RefCell<Js>>,
    running: Rc<RefCell<Option<Rc<Broker>>>>,
    /// How many clients each node has had.
    clients: Rc<RefCell<SortedMap<NodeId, u64>>>,
}

impl Nats {
    /// A broker for `node`, whose addresses are assigned to it.
    pub fn new(http: &Http, node: NodeId, config: NatsConfig) -> Self {
        let streams = Streams::new(http.net());
        streams.assign(&config.address, node);
        http.assign(&config.monitor, node);
        Nats {
            http: http.clone(),
            streams,
            node,
            config: Rc::new(config),
            disk: Rc::default(),
            running: Rc::default(),
            clients: Rc::default(),
        }
    }

    /// Makes it the role of its node.
    pub fn install(&self) {
        let nats = self.clone();
        self.http.net().set_role(self.node, move |shutdown| nats.clone().run(shutdown).boxed_local());
    }

    /// The broker's process, for a role that does more besides: until it is asked to end.
    pub async fn run(self, shutdown: Shutdown) {
        self.disk.borrow_mut().restart();
        let broker = Broker::new(&self);
        *self.running.borrow_mut() = Some(Rc::clone(&broker));
        let monitor = monitor::serve(self.http.clone(), Rc::clone(&broker));
        let serving =
            futures::future::join3(Rc::clone(&broker).accept(), Rc::clone(&broker).watch(), monitor);
        let ended = futures::future::select(Box::pin(shutdown.requested()), Box::pin(serving)).await;
        drop(ended);
        *self.running.borrow_mut() = None;
    }

    /// Lame duck mode, as SIGUSR2 asks for: the broker takes no new clients, tells those that it has, and closes
    /// them one by one. Does nothing while it is down.
    pub fn lame_duck(&self) {
        let running = self.running.borrow().clone();
        if let Some(broker) = running.filter(|_| self.http.net().is_up(self.node)) {
            broker.begin_lame_duck();
        }
    }

    /// What `GET /varz` says; `None` while the broker is down.
    pub fn varz(&self) -> Option<Varz> {
        let running = self.running.borrow();
        running.as_ref().filter(|_| self.http.net().is_up(self.node)).map(|broker| broker.varz())
    }

    /// How many messages a stream holds; `None` if there is no such stream.
    pub fn stored(&self, stream: &str) -> Option<u64> {
        self.disk.borrow().stored(stream)
    }

    /// The protocol below, for whoever speaks it without a [`NatsClient`].
    pub fn streams(&self) -> &Streams<Op, Frame> {
        &self.streams
    }

    /// A number of its own for each client of a node.
    fn next_client_number(&self, node: NodeId) -> u64 {
        let mut clients = self.clients.borrow_mut();
        let number = clients.entry(node).or_default();
        *number += 1;
        *number
    }

    /// Its settings.
    pub fn config(&self) -> &NatsConfig {
        &self.config
    }
}
