//! Addresses, ports, and the serving side.

use super::Http;
use super::exchange::Incoming;
use super::message::{Parts, Request, Response};
use crate::kernel::{Receiver, Sender, channel, fetch};
use crate::net::LookUp;
use crate::net::{LinkId, Net, NodeId};
use futures::FutureExt;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, ready};

/// How many requests wait to be accepted before further ones are refused: Linux's default `somaxconn`.
const ACCEPT_QUEUE_MAX: usize = 4096;

/// An address: which node has it, and who listens there now. It is looked up once for an exchange.
#[derive(Default)]
pub(super) struct Port {
    node: Cell<Option<NodeId>>,
    /// The accept queue of the listener with this number.
    listening: RefCell<Option<(u64, Sender<Incoming>)>>,
}

impl Port {
    /// The accept queue of whoever listens.
    pub(super) fn queue(&self) -> Option<Sender<Incoming>> {
        self.listening.borrow().as_ref().map(|(_, queue)| queue.clone())
    }

    /// Whether the listener of this number is the one that listens.
    fn is_of(&self, number: u64) -> bool {
        self.listening.borrow().as_ref().is_some_and(|&(listening, _)| listening == number)
    }

    /// Fetches what an arrival will touch.
    pub(super) fn foresee(&self, step: usize) -> bool {
        self.listening.borrow().as_ref().is_some_and(|(_, queue)| queue.foresee(step))
    }
}

/// All addresses. Only looked up, never iterated.
#[derive(Default)]
pub(super) struct Ports {
    ports: LookUp<String, Rc<Port>>,
    opened: u64,
    /// Whose ports they are.
    home: Home,
}

/// Where a URL leads to from the node that uses it: it is used time and again, and each look-up of a name visits distant
/// memory. A copy of a URL may be changed, and has not found it yet.
#[derive(Default)]
pub(super) struct Found(RefCell<Option<(Home, Way)>>);

/// In which network a way is.
type Home = Rc<()>;

/// The way to a port.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) port: Rc<Port>,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) link: LinkId,
}

impl Clone for Found {
    fn clone(&self) -> Self {
        Found::default()
    }
}

/// What was found is no part of a URL.
impl PartialEq for Found {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Found {}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Found")
    }
}

impl Ports {
    pub(super) fn assign(&mut self, authority: &str, node: NodeId) {
        self.at(authority).node.set(Some(node));
    }

    /// The way to an address that some node has.
    pub(super) fn find(&self, net: &Net, from: NodeId, url: &Parts) -> Option<Way> {
        let mut found = url.found.0.borrow_mut();
        if let Some((home, way)) = &*found
            && Rc::ptr_eq(home, &self.home)
            && way.from == from
            && way.port.node.get() == Some(way.to)
        {
            return Some(way.clone());
        }
        let port = self.ports.get(url.authority.as_str())?;
        let to = port.node.get()?;
        let way = Way { port: Rc::clone(port), from, to, link: net.link(from, to) };
        found.replace((Rc::clone(&self.home), way.clone()));
        Some(way)
    }

    /// Fetches what an exchange with an address will touch, if it was used before.
    pub(super) fn foresee(&self, net: &Net, url: &Parts) {
        if let Some((_, way)) = &*url.found.0.borrow() {
            fetch(&*way.port);
            net.foresee_trip(way.link);
        }
    }

    fn at(&mut self, authority: &str) -> Rc<Port> {
        Rc::clone(self.ports.entry(authority.to_owned()).or_default())
    }
}

/// A port that accepts requests until it is dropped.
pub struct Listener {
    http: Http,
    port: Rc<Port>,
    number: u64,
    queue: Receiver<Incoming>,
}

impl Listener {
    pub(super) fn open(http: Http, authority: &str) -> Self {
        let (sender, queue) = channel(http.net.ctx(), ACCEPT_QUEUE_MAX);
        let mut ports = http.ports.borrow_mut();
        ports.opened += 1;
        let number = ports.opened;
        let port = ports.at(authority);
        drop(ports);
        *port.listening.borrow_mut() = Some((number, sender));
        Listener { http, port, number, queue }
    }

    /// Answers every request with a task of its own, for ever. A handler's task is dropped when its caller gives up.
    pub fn serve<F, Fut>(self, handler: F) -> impl Future<Output = ()>
    where
        F: Fn(Request) -> Fut,
        Fut: Future<Output = Response> + 'static,
    {
        self.serve_peers(move |request, _| handler(request))
    }

    /// [`serve`](Self::serve) for a handler that wants to know who asks, as a server knows its peer's address.
    ///
    /// Not an async block: that would hold listener and handler twice, as captured and as moved, and each node has one.
    pub fn serve_peers<F, Fut>(mut self, handler: F) -> impl Future<Output = ()>
    where
        F: Fn(Request, NodeId) -> Fut,
        Fut: Future<Output = Response> + 'static,
    {
        let mut waits = false;
        poll_fn(move |cx| {
            // Most polls of many roles are about something else.
            if waits && self.queue.is_empty() && self.port.is_of(self.number) {
                return Poll::Pending;
            }
            waits = true;
            while let Some(incoming) = ready!(self.queue.poll_recv(cx)) {
                self.take_up(incoming, &handler);
            }
            Poll::Ready(())
        })
    }

    fn take_up<F, Fut>(&self, incoming: Incoming, handler: &F)
    where
        F: Fn(Request, NodeId) -> Fut,
        Fut: Future<Output = Response> + 'static,
    {
        let ctx = self.http.net.ctx();
        let before = ctx.span();
        let Some((request, responder)) = incoming.begin() else {
            return;
        };
        let connection = responder.connection();
        let answer = handler(request, connection.peer());
        // Not an async block: that would hold the answer twice, as captured and as awaited.
        let near = Rc::clone(&connection);
        let foresee = move |_| {
            fetch(&*near);
            false
        };
        let task =
            ctx.spawn_foretold(ctx.scope(), foresee, answer.map(move |response| responder.respond(response)));
        connection.handled_by(task);
        // Busy with the request is the handler's task, not this one, in which a role may do other things as well.
        ctx.set_span(before);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listening = self.port.listening.borrow_mut();
        // Whoever listens there by now is left alone.
        listening.take_if(|(number, _)| *number == self.number);
    }
}
