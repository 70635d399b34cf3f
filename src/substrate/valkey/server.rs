//! The server as a role on a node: a [`Store`] behind a port, its clock, and its disk.

use super::config::Config;
use super::disk::Disk;
use super::probe::{Probe, Seen, Unanswered};
use super::reply::Reply;
use super::store::{ConnId, Effect, Store, Words};
use crate::kernel::{Ctx, Instant, Receiver, Sender, SortedMap, channel};
use crate::net::{Payload, Shutdown};
use crate::substrate::stream::{Conn, Outlet, Segment, Streams};
use futures::FutureExt;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// A command on its way to the server. Several may be, one behind the other.
#[derive(Clone, Debug)]
pub struct Call(pub Words);

impl Segment for Call {
    fn size(&self) -> usize {
        // As an array of bulk strings.
        5 + self.0.iter().map(|word| word.len() + 7).sum::<usize>()
    }

    fn payload(&self) -> Payload {
        Payload::Message
    }
}

impl Segment for Reply {
    fn size(&self) -> usize {
        self.wire_size()
    }

    fn payload(&self) -> Payload {
        Payload::Message
    }
}

/// Connections that speak RESP2 over a run's network.
pub type Wire = Streams<Call, Reply>;

/// What the role's tasks share. They all belong to the node, and end with it.
struct Server {
    ctx: Ctx,
    store: Rc<RefCell<Store>>,
    connections: RefCell<SortedMap<ConnId, Connection>>,
    /// The clock is to look when it is due next.
    rewind: Sender<()>,
    /// When it believes that it is.
    armed: Cell<Option<Instant>>,
    stop: Sender<()>,
    probe: Probe,
}

/// An open connection.
struct Connection {
    outlet: Outlet<Reply>,
    /// Ends its task when the server closes it.
    closer: Option<Sender<()>>,
    /// What the probe has yet to see the outcome of.
    unanswered: Unanswered,
}

/// Serves at `address` until the node is asked to end, which it does as on SIGTERM: with a snapshot if it makes any, and
/// without a word to its clients.
pub async fn serve(wire: Wire, address: String, config: Config, disk: Disk, shutdown: Shutdown) {
    serve_probed(wire, address, config, disk, shutdown, Probe::default()).await;
}

/// [`serve`], and `probe` sees what it does.
pub async fn serve_probed(
    wire: Wire,
    address: String,
    config: Config,
    disk: Disk,
    shutdown: Shutdown,
    probe: Probe,
) {
    let ctx = wire.net().ctx().clone();
    let (rewind, rewound) = channel(&ctx, 1);
    let (stop, mut stopped) = channel(&ctx, 1);
    let store = Rc::new(RefCell::new(Store::new(config, disk, ctx.now())));
    probe.watch(&store);
    probe.tell(Seen::Started);
    let server = Rc::new(Server {
        store,
        ctx: ctx.clone(),
        connections: RefCell::default(),
        rewind,
        armed: Cell::default(),
        stop,
        probe,
    });
    let accepting = {
        let (server, ctx) = (Rc::clone(&server), ctx.clone());
        let mut listener = wire.listen(&address);
        async move {
            loop {
                let conn = listener.accept().await;
                ctx.spawn(Rc::clone(&server).attend(conn));
            }
        }
    };
    let accepting = ctx.spawn(accepting);
    let clock = ctx.spawn(Rc::clone(&server).keep_time(rewound));
    let graceful = futures::future::select(shutdown.requested().boxed_local(), stopped.recv().boxed_local());
    if let futures::future::Either::Left(_) = graceful.await {
        let effects = server.store.borrow_mut().shut_down(ctx.now());
        server.carry_out(effects);
    }
    ctx.abort(accepting);
    ctx.abort(clock);
}

impl Server {
    /// One connection, until either side closes it.
    async fn attend(self: Rc<Self>, mut conn: Conn<Reply, Call>) {
        let (closer, mut closed) = channel(&self.ctx, 1);
        let (id, effects) = {
            let mut store = self.store.borrow_mut();
            store.connect(self.ctx.now())
        };
        let unanswered = Unanswered::default();
        let connection = Connection { outlet: conn.outlet(), closer: Some(closer), unanswered };
        self.connections.borrow_mut().insert(id, connection);
        self.carry_out(effects);
        loop {
            let next = poll_fn(|cx| match closed.poll_recv(cx) {
                Poll::Ready(_) => Poll::Ready(None),
                Poll::Pending => conn.poll_recv(cx),
            });
            let Some(Call(words)) = next.await else { break };
            if self.probe.is_heard() {
                let mut connections = self.connections.borrow_mut();
                connections.get_mut(&id).into_iter().for_each(|conn| conn.unanswered.received(&words));
            }
            let effects = self.store.borrow_mut().execute(id, [words], self.ctx.now());
            self.carry_out(effects);
        }
        self.connections.borrow_mut().remove(&id);
        let effects = self.store.borrow_mut().disconnect(id, self.ctx.now());
        self.carry_out(effects);
    }

    fn carry_out(&self, mut effects: Vec<Effect>) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(id, reply) => self.send(id, reply),
                Effect::Close(id) => self.close(id),
                Effect::Saved => self.probe.tell(Seen::Saved),
                // One request to end is enough.
                Effect::Shutdown => drop(self.stop.send(())),
            }
        }
        let mut store = self.store.borrow_mut();
        store.reuse(effects);
        if store.next_tick(self.ctx.now()) != self.armed.get() {
            // The clock is awake already when there is no room.
            let _ = self.rewind.send(());
        }
    }

    fn send(&self, id: ConnId, reply: Reply) {
        let pending = {
            let mut connections = self.connections.borrow_mut();
            let Some(Connection { outlet, unanswered, .. }) = connections.get_mut(&id) else { return };
            let connection = outlet.number();
            unanswered.executed(&reply, |words, reply| {
                self.probe.tell(Seen::Executed { connection, words, reply });
            });
            // Who has gone does not hear it; its task is about to notice.
            let _ = outlet.send(reply);
            outlet.pending_bytes()
        };
        if self.store.borrow_mut().exceeds_output_limit(id, pending, self.ctx.now()) {
            self.close(id);
        }
    }

    fn close(&self, id: ConnId) {
        let closer = self.connections.borrow_mut().get_mut(&id).and_then(|conn| conn.closer.take());
        if let Some(closer) = closer {
            // There is room: nobody else sends.
            let _ = closer.send(());
        }
    }

    /// Ticks when there is anything to do at a tick.
    async fn keep_time(self: Rc<Self>, mut rewound: Receiver<()>) {
        loop {
            let next = self.store.borrow().next_tick(self.ctx.now());
            self.armed.set(next);
            let Some(at) = next else {
                rewound.recv().await;
                continue;
            };
            let mut sleep = self.ctx.sleep_until(at);
            let due = poll_fn(|cx| match pin!(&mut sleep).poll(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => rewound.poll_recv(cx).map(|_| false),
            });
            if due.await {
                let effects = self.store.borrow_mut().tick(self.ctx.now());
                self.carry_out(effects);
            }
        }
    }
}
