//! Where the scripts run: a server, the model or the real one, and connections that speak its protocol.

use super::wire::{OpParser, event};
use futures::FutureExt;
use glasshive::kernel::{Duration, Instant, Sim, Sink};
use glasshive::net::{Net, NodeId};
use glasshive::substrate::http::Http;
use glasshive::substrate::nats::{Frame, Nats, NatsConfig, Op};
use glasshive::substrate::stream::Conn;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;

/// How a server is started.
#[derive(Clone, Default)]
pub struct Setup {
    pub jetstream: bool,
    pub token: Option<&'static str>,
    pub auth_timeout_ms: Option<u64>,
    pub ping_ms: Option<u64>,
    pub max_pending: Option<usize>,
    pub max_connections: Option<usize>,
}

/// What can be done to a server.
pub enum Blow {
    Term,
    Kill,
    LameDuck,
}

/// A server and connections to it. Times are milliseconds since its start.
pub trait Bed {
    /// Opens a connection; nothing is read of it yet.
    fn open(&mut self) -> usize;
    fn write(&mut self, conn: usize, bytes: &[u8]);
    /// What has arrived and was not read, in the notation of the rows, without waiting.
    fn read(&mut self, conn: usize) -> Vec<Value>;
    fn close(&mut self, conn: usize);
    fn wait(&mut self, ms: u64);
    fn now(&self) -> f64;
    fn blow(&mut self, blow: Blow);
    fn restart(&mut self);
}

/// A connection until it is closed here, its parser, and whether its end was seen.
type ModelConn = (Option<Conn<Op, Frame>>, OpParser, bool);

/// The model.
pub struct Model {
    sim: Sim,
    net: Net,
    nats: Nats,
    broker: NodeId,
    tester: NodeId,
    conns: Vec<ModelConn>,
}

impl Model {
    pub fn new(setup: &Setup) -> Self {
        let sim = Sim::new(7, Sink::None);
        let net = Net::new(&sim.ctx(), false);
        let (broker, tester) = (net.add_node("nats"), net.add_node("tester"));
        let plain = NatsConfig::default();
        let ms = Duration::from_millis;
        let config = NatsConfig {
            jetstream: setup.jetstream,
            auth_token: setup.token.map(str::to_owned),
            auth_timeout: setup.auth_timeout_ms.map_or(plain.auth_timeout, ms),
            ping_interval: setup.ping_ms.map_or(plain.ping_interval, ms),
            max_pending: setup.max_pending.unwrap_or(plain.max_pending),
            max_connections: setup.max_connections.unwrap_or(plain.max_connections),
            ..plain
        };
        let nats = Nats::new(&Http::new(&net), broker, config);
        nats.install();
        net.start(broker);
        Model { sim, net, nats, broker, tester, conns: Vec::new() }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.net.forget_roles();
    }
}

impl Bed for Model {
    fn open(&mut self) -> usize {
        let place = Rc::new(RefCell::new(None));
        let (streams, there, from) = (self.nats.streams().clone(), Rc::clone(&place), self.tester);
        self.sim.ctx().spawn(async move {
            let conn = streams.connect(from, "localhost:4222").await;
            *there.borrow_mut() = Some(conn.unwrap_or_else(|error| panic!("{error}")));
        });
        self.wait(1);
        let conn = place.borrow_mut().take();
        self.conns.push((conn, OpParser::default(), false));
        self.conns.len() - 1
    }

    fn write(&mut self, conn: usize, bytes: &[u8]) {
        let (conn, parser, _) = &mut self.conns[conn];
        for op in parser.feed(bytes) {
            // Closed: the test reads that.
            let _ = conn.as_ref().unwrap().send(op);
        }
        self.wait(0);
    }

    fn read(&mut self, conn: usize) -> Vec<Value> {
        let mut events = Vec::new();
        let (Some(conn), _, closed) = &mut self.conns[conn] else {
            return events;
        };
        while let Some(frame) = conn.recv().now_or_never() {
            match frame {
                Some(frame) => events.push(event(frame)),
                None if *closed => break,
                None => {
                    *closed = true;
                    events.push(json!(["CLOSED"]));
                }
            }
        }
        events
    }

    fn close(&mut self, conn: usize) {
        self.conns[conn].0 = None;
        self.wait(1);
    }

    fn wait(&mut self, ms: u64) {
        let until = self.sim.now() + Duration::from_millis(ms);
        self.sim.run_until(until);
    }

    fn now(&self) -> f64 {
        self.sim.now().since(Instant::ZERO).as_millis_f64()
    }

    fn blow(&mut self, blow: Blow) {
        match blow {
            Blow::Term => self.net.stop(self.broker),
            Blow::Kill => self.net.crash(self.broker),
            Blow::LameDuck => self.nats.lame_duck(),
        }
        self.wait(1);
    }

    fn restart(&mut self) {
        self.net.start(self.broker);
        self.wait(1);
    }
}
