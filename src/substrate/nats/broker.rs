//! The broker's process: connections, operations, pings, slow consumers, lame duck mode.

use super::jetstream::{Js, Outbox, Outgoing};
use super::protocol::{ConnectOptions, Frame, Headers, Info, Op, Published};
use super::router::Router;
use super::{Nats, NatsConfig, SLOW_CONSUMER, UNHEARD, Varz, subject};
use crate::kernel::{Ctx, Duration, Instant, Receiver, Sender, SortedMap, TaskId, channel};
use crate::net::NodeId;
use crate::substrate::body::Body;
use crate::substrate::stream::{Conn, Outlet, Streams};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// A client is pinged for the first time this long after it came, to learn the round trip, plus up to a fifth.
const FIRST_PING: Duration = Duration::from_secs(2);

pub(super) struct Broker {
    ctx: Ctx,
    node: NodeId,
    streams: Streams<Op, Frame>,
    config: Rc<NatsConfig>,
    started: Instant,
    js: Rc<RefCell<Js>>,
    router: RefCell<Router>,
    clients: RefCell<SortedMap<u64, Client>>,
    next_client: Cell<u64>,
    counts: RefCell<Varz>,
    /// Whom a message goes to, and what JetStream sends: one list each for all of them.
    chosen: Cell<Vec<(u64, u64)>>,
    outgoing: Cell<VecDeque<Outgoing>>,
    /// Tells the watch that JetStream has something to do earlier than it thought.
    alarm: Sender<()>,
    alarms: RefCell<Option<Receiver<()>>>,
    armed: Cell<Instant>,
    lame: Cell<bool>,
}

struct Client {
    outlet: Outlet<Frame>,
    node: NodeId,
    options: Rc<ConnectOptions>,
    connected: bool,
    task: Option<TaskId>,
    /// Since when bytes have waited for it.
    waiting_since: Option<Instant>,
    heard_at: Instant,
    pings_out: u32,
}

/// Forgets a client when its task ends, in whatever way.
struct Presence(Rc<Broker>, u64);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.forget(self.1);
    }
}

impl Broker {
    pub(super) fn new(nats: &Nats) -> Rc<Self> {
        let ctx = nats.http.net().ctx().clone();
        let (alarm, alarms) = channel(&ctx, 1);
        Rc::new(Broker {
            started: ctx.now(),
            node: nats.node,
            streams: nats.streams.clone(),
            config: Rc::clone(&nats.config),
            js: Rc::clone(&nats.disk),
            router: RefCell::new(Router::new(&ctx, nats.http.net().name(nats.node))),
            clients: RefCell::default(),
            next_client: Cell::new(1),
            counts: RefCell::default(),
            chosen: Cell::default(),
            outgoing: Cell::default(),
            alarm,
            alarms: RefCell::new(Some(alarms)),
            armed: Cell::new(Instant::MAX),
            lame: Cell::new(false),
            ctx,
        })
    }

    // --- connections ------------------------------------------------------------------------------------------

    /// Takes clients, for ever.
    pub(super) async fn accept(self: Rc<Self>) {
        let mut listener = self.streams.listen(&self.config.address);
        loop {
            let conn = listener.accept().await;
            if self.lame.get() {
                continue;
            }
            let before = self.ctx.span();
            let id = self.next_client.replace(self.next_client.get() + 1);
            // The server greets first, also those that it turns away.
            let _ = conn.send(Frame::Info(self.info()));
            if self.clients.borrow().len() >= self.config.max_connections {
                let _ = conn.send(Frame::Err("maximum connections exceeded"));
                continue;
            }
            let client = Client {
                outlet: conn.outlet(),
                node: conn.peer(),
                options: Rc::default(),
                connected: false,
                task: None,
                waiting_since: None,
                heard_at: self.ctx.now(),
                pings_out: 0,
            };
            self.clients.borrow_mut().insert(id, client);
            self.counts.borrow_mut().total_connections += 1;
            let task = self.ctx.spawn(Rc::clone(&self).attend(id, conn));
            if let Some(client) = self.clients.borrow_mut().get_mut(&id) {
                client.task = Some(task);
            }
            self.ctx.set_span(before);
        }
    }

    fn info(&self) -> Info {
        Info {
            max_payload: self.config.max_payload,
            jetstream: self.config.jetstream,
            auth_required: self.config.auth_token.is_some(),
            ldm: self.lame.get(),
        }
    }

    /// One client's connection, from its first operation to its end.
    async fn attend(self: Rc<Self>, id: u64, mut conn: Conn<Frame, Op>) {
        let _presence = Presence(Rc::clone(&self), id);
        let first = self.config.ping_interval.min(FIRST_PING);
        let jitter = first.scale(0.2 * self.ping_draw(&conn));
        let mut ping_at = self.ctx.now() + first + jitter;
        let named_by = match self.config.auth_token {
            Some(_) => self.ctx.now() + self.config.auth_timeout,
            None => Instant::MAX,
        };
        let mut first = true;
        // One timer from ping to ping, however many operations come meanwhile.
        let mut bell = self.ctx.sleep_until(ping_at.min(named_by));
        let mut bell_is_for = ping_at.min(named_by);
        loop {
            let named = named_by == Instant::MAX || self.with(id, |client| client.connected).unwrap_or(true);
            let wake = if named { ping_at } else { ping_at.min(named_by) };
            if wake != bell_is_for {
                (bell, bell_is_for) = (self.ctx.sleep_until(wake), wake);
            }
            match bell.limit(conn.recv()).await {
                Ok(None) => return,
                Ok(Some(op)) => {
                    if let Err(text) = self.handle(id, op) {
                        self.fail(id, text);
                        return;
                    }
                }
                Err(_) if !named && self.ctx.now() >= named_by => {
                    return self.fail(id, "Authentication Timeout");
                }
                Err(_) => {
                    if self.ping_is_overdue(id, first) {
                        return self.fail(id, "Stale Connection");
                    }
                    first = false;
                    ping_at = self.ctx.now() + self.config.ping_interval;
                }
            }
        }
    }

    /// How late the first ping comes, of 1. A client's draws are its own, whatever befell others before it came.
    fn ping_draw(&self, conn: &Conn<Frame, Op>) -> f64 {
        let net = self.streams.net();
        let route = format!("{}>{}", net.name(self.node), net.name(conn.peer()));
        self.ctx.stream(&route, "ping").at(conn.call()).unit()
    }

    fn with<R>(&self, id: u64, change: impl FnOnce(&mut Client) -> R) -> Option<R> {
        self.clients.borrow_mut().get_mut(&id).map(change)
    }

    /// Sends the last words to a client; an empty text is none.
    fn fail(&self, id: u64, text: &'static str) {
        if !text.is_empty() {
            self.send(id, Frame::Err(text));
        }
    }

    fn forget(&self, id: u64) {
        self.clients.borrow_mut().remove(&id);
        self.router.borrow_mut().forget(id);
    }

    /// Pings a client that was silent for an interval; true if too many pings are unanswered.
    fn ping_is_overdue(&self, id: u64, first: bool) -> bool {
        let now = self.ctx.now();
        let overdue = self.with(id, |client| {
            if !first && now.since(client.heard_at) < self.config.ping_interval {
                return Some(false);
            }
            client.pings_out += 1;
            (client.pings_out > self.config.ping_max).then_some(true)
        });
        match overdue {
            Some(Some(overdue)) => overdue,
            Some(None) => {
                self.send(id, Frame::Ping);
                false
            }
            None => false,
        }
    }

    /// Sends to a client; one that does not read is cut off.
    fn send(&self, id: u64, mut frame: Frame) {
        let now = self.ctx.now();
        let slow = self.with(id, |client| {
            if let Frame::Msg { message, .. } = &mut frame
                && !client.options.headers
            {
                // A client that does not know headers gets the payload alone.
                message.headers = None;
            }
            // The close of a client that has gone is on its way to its task.
            let _ = client.outlet.send(frame);
            let pending = client.outlet.pending_bytes();
            client.waiting_since = (pending > 0).then(|| client.waiting_since.unwrap_or(now));
            let late =
                client.waiting_since.is_some_and(|since| now.since(since) > self.config.write_deadline);
            (pending > self.config.max_pending || late).then_some((client.node, client.task))
        });
        if let Some(Some((node, task))) = slow {
            self.counts.borrow_mut().slow_consumers += 1;
            self.ctx.record_in(self.node.scope(), self.ctx.span(), SLOW_CONSUMER, node.0, id);
            self.forget(id);
            if let Some(task) = task {
                self.ctx.abort(task);
            }
        }
    }

    // --- operations -------------------------------------------------------------------------------------------

    /// Does what a client asks. The error is the last thing that it is told; an empty one closes without a word.
    fn handle(&self, id: u64, op: Op) -> Result<(), &'static str> {
        if op.control_line() > self.config.max_control_line {
            return Err("maximum control line exceeded");
        }
        let now = self.ctx.now();
        let Some((connected, options)) = self.with(id, |client| {
            client.heard_at = now;
            (client.connected, Rc::clone(&client.options))
        }) else {
            return Ok(());
        };
        if !connected && self.config.auth_token.is_some() && !matches!(op, Op::Connect(_)) {
            return Err("Authorization Violation");
        }
        let verbose = match op {
            Op::Connect(options) => {
                if self.config.auth_token.is_some() && options.auth_token != self.config.auth_token {
                    return Err("Authorization Violation");
                }
                if options.no_responders && !options.headers {
                    return Err("no responders requires headers support");
                }
                let verbose = options.verbose;
                self.with(id, |client| (client.connected, client.options) = (true, options.into()));
                verbose
            }
            Op::Ping => {
                self.send(id, Frame::Pong);
                false
            }
            Op::Pong => {
                self.with(id, |client| client.pings_out = 0);
                false
            }
            Op::Sub { subject, queue, sid } => {
                // A number that is in use keeps its meaning, whatever comes with it.
                if !subject::is_valid_pattern(&subject) && !self.router.borrow().knows(id, sid) {
                    self.send(id, Frame::Err("Invalid Subject"));
                    return Ok(());
                }
                self.router.borrow_mut().subscribe(id, sid, &subject, queue);
                self.with_js(|js, outbox| js.interest_changed(&subject, outbox));
                options.verbose
            }
            Op::Unsub { sid, max } => {
                self.router.borrow_mut().unsubscribe(id, sid, max);
                options.verbose
            }
            Op::Pub(message) => {
                let size = message.size();
                if size > self.config.max_payload {
                    return Err("Maximum Payload Violation");
                }
                if options.pedantic && !subject::is_valid_literal(&message.subject) {
                    // It is published nevertheless.
                    self.send(id, Frame::Err("Invalid Publish Subject"));
                }
                if options.verbose {
                    self.send(id, Frame::Ok);
                }
                self.publish(id, &options, message, size as u64);
                false
            }
            Op::Unknown => return Err("Unknown Protocol Operation"),
            Op::Malformed => return Err(""),
        };
        if verbose {
            self.send(id, Frame::Ok);
        }
        Ok(())
    }

    fn publish(&self, id: u64, options: &ConnectOptions, message: Published, size: u64) {
        self.counts.borrow_mut().count_in(size);
        let skip = (!options.echo).then_some(id);
        let heard = self.deliver(&message.subject, &message, size, skip);
        let taken = self.with_js(|js, outbox| js.receive(&message, outbox)).unwrap_or(false);
        if heard || taken {
            return;
        }
        let span = self.ctx.span();
        self.ctx.record_in(self.node.scope(), span, UNHEARD, 0, size);
        let Some(reply) = message.reply.filter(|_| options.no_responders) else {
            return;
        };
        let sid = self.router.borrow().sid_of(id, &reply);
        if let Some(sid) = sid {
            let headers = Some(Headers("NATS/1.0 503".into()));
            let message = Published { subject: reply, reply: None, headers, payload: Body::default() };
            self.send(id, Frame::Msg { sid, message });
        }
    }

    /// Sends a message of that size to those who hear the subject `to`; false if nobody does.
    fn deliver(&self, to: &str, message: &Published, size: u64, skip: Option<u64>) -> bool {
        let mut chosen = self.chosen.take();
        self.router.borrow_mut().route(to, skip, &mut chosen);
        let heard_by = chosen.len() as u64;
        self.counts.borrow_mut().count_out(heard_by, size);
        for (client, sid) in chosen.drain(..) {
            self.send(client, Frame::Msg { sid, message: message.clone() });
        }
        self.chosen.set(chosen);
        heard_by > 0
    }

    // --- JetStream --------------------------------------------------------------------------------------------

    /// Lets JetStream act, and delivers what it sends; that may again concern JetStream. `None` when it is off.
    fn with_js<R>(&self, act: impl FnOnce(&mut Js, &mut Outbox) -> R) -> Option<R> {
        if !self.config.jetstream {
            return None;
        }
        let mut queue = self.outgoing.take();
        let result = {
            let router = self.router.borrow();
            act(&mut self.js.borrow_mut(), &mut Outbox::new(&self.ctx, self.node, &router, &mut queue))
        };
        while let Some(Outgoing { to, message }) = queue.pop_front() {
            self.deliver(&to, &message, message.size() as u64, None);
            let router = self.router.borrow();
            let mut outbox = Outbox::new(&self.ctx, self.node, &router, &mut queue);
            // Answers and advisories may be what a stream stores.
            if to == message.subject {
                self.js.borrow_mut().receive(&message, &mut outbox);
                continue;
            }
            #[cfg(not(target_arch = "wasm32"))]
            self.js.borrow_mut().receive_delivery(&to, &message, &mut outbox);
        }
        self.outgoing.set(queue);
        if self.js.borrow().deadline() < self.armed.get() {
            // Full means that the watch is about to look anyway.
            let _ = self.alarm.send(());
        }
        Some(result)
    }

    /// Wakes JetStream when one of its times has come, for ever.
    pub(super) async fn watch(self: Rc<Self>) {
        let Some(mut alarms) = self.alarms.take() else {
            return;
        };
        loop {
            let deadline = self.js.borrow().deadline();
            self.armed.set(deadline);
            if deadline == Instant::MAX {
                alarms.recv().await;
            } else if self.ctx.timeout(deadline.since(self.ctx.now()), alarms.recv()).await.is_err() {
                self.with_js(|js, outbox| js.tick(outbox));
            }
        }
    }

    // --- lame duck and monitoring -----------------------------------------------------------------------------

    pub(super) fn begin_lame_duck(self: &Rc<Self>) {
        if self.lame.replace(true) {
            return;
        }
        let ids: Vec<u64> = self.clients.borrow().keys().copied().collect();
        for &id in &ids {
            self.send(id, Frame::Info(self.info()));
        }
        let broker = Rc::clone(self);
        let pause = self.config.lame_duck_duration.scale(1.0 / ids.len().max(1) as f64);
        self.ctx.spawn_in(self.node.scope(), async move {
            broker.ctx.sleep(broker.config.lame_duck_grace).await;
            for id in ids {
                let task = broker.with(id, |client| client.task).flatten();
                if let Some(task) = task {
                    broker.ctx.abort(task);
                }
                broker.ctx.sleep(pause).await;
            }
            broker.streams.net().stop(broker.node);
        });
    }

    pub(super) fn monitor_address(&self) -> String {
        self.config.monitor.clone()
    }

    /// Each client's number, its node's name, and how many subscriptions it has.
    pub(super) fn connections(&self) -> Vec<(u64, Rc<str>, usize)> {
        let (net, router) = (self.streams.net(), self.router.borrow());
        let clients = self.clients.borrow();
        clients.iter().map(|(&cid, client)| (cid, net.name(client.node), router.count_of(cid))).collect()
    }

    pub(super) fn varz(&self) -> Varz {
        let config = &self.config;
        Varz {
            address: config.address.clone(),
            max_connections: config.max_connections,
            max_payload: config.max_payload,
            connections: self.clients.borrow().len(),
            subscriptions: self.router.borrow().len(),
            uptime: self.ctx.now().since(self.started),
            jetstream: config.jetstream.then(|| self.js.borrow().totals()),
            ..self.counts.borrow().clone()
        }
    }
}
