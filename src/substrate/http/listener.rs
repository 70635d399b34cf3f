//! Addresses, ports, and the serving side.

use super::Http;
use super::exchange::Incoming;
use super::message::{Parts, Request, Response};
use crate::kernel::{Instant, Receiver, Scope, Sender, channel, fetch};
use crate::net::LookUp;
use crate::net::{LinkId, Net, NodeId};
use futures::FutureExt;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll};

/// How many requests wait to be accepted before further ones are refused: Linux's default `somaxconn`.
const ACCEPT_QUEUE_MAX: usize = 4096;

/// An address: which node has it, and who listens there now. It is looked up once for an exchange.
#[derive(Default)]
pub(super) struct Port {
    node: Cell<Option<NodeId>>,
    listening: RefCell<Option<Listening>>,
}

/// Who listens at a port.
struct Listening {
    number: u64,
    queue: Sender<Incoming>,
    /// For requests that need not queue: there once a listener that takes them has emptied its queue. Not for those that
    /// come at this instant, at which its task has something else to do.
    at_once: Option<AtOnce>,
}

/// Takes up a request: starts its handler's task in a scope.
type TakeUp = Rc<dyn Fn(Scope, Incoming)>;

/// How a request is taken up that need not queue.
struct AtOnce {
    /// When it has to.
    due: Rc<Cell<Instant>>,
    scope: Scope,
    take_up: TakeUp,
}

/// What the task does that serves, besides that.
pub enum Besides {
    /// Nothing, or what happens at instants at which no message comes.
    Nothing,
    /// Something at this instant, which may be moved on then.
    At(Rc<Cell<Instant>>),
    /// Whatever it may be.
    Anything,
}

impl Besides {
    /// When a request has to wait for its turn; `None` if always.
    fn due(&self) -> Option<Rc<Cell<Instant>>> {
        match self {
            Besides::Nothing => Some(Rc::default()),
            Besides::At(due) => Some(Rc::clone(due)),
            Besides::Anything => None,
        }
    }
}

/// The way in at a port.
pub(super) enum Entrance {
    Queue(Sender<Incoming>),
    AtOnce(Scope, TakeUp),
}

impl Port {
    /// The way in to whoever listens. `is_alone` says that nothing else is under way now.
    pub(super) fn entrance(&self, is_alone: bool, now: Instant) -> Option<Entrance> {
        self.listening.borrow().as_ref().map(|listening| match &listening.at_once {
            Some(AtOnce { due, scope, take_up }) if is_alone && due.get() != now => {
                Entrance::AtOnce(*scope, Rc::clone(take_up))
            }
            _ => Entrance::Queue(listening.queue.clone()),
        })
    }

    /// Whether the listener of this number is the one that listens.
    fn is_of(&self, number: u64) -> bool {
        self.listening.borrow().as_ref().is_some_and(|listening| listening.number == number)
    }

    /// Fetches what an arrival will touch.
    pub(super) fn foresee(&self, step: usize) -> bool {
        match &*self.listening.borrow() {
            Some(Listening { at_once: Some(at_once), .. }) => {
                fetch(&*at_once.take_up);
                false
            }
            Some(Listening { queue, .. }) => queue.foresee(step),
            None => false,
        }
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
    /// It has emptied its queue, and is woken by what comes next.
    waits: bool,
}

impl Listener {
    pub(super) fn open(http: Http, authority: &str) -> Self {
        let (sender, queue) = channel(http.net.ctx(), ACCEPT_QUEUE_MAX);
        let mut ports = http.ports.borrow_mut();
        ports.opened += 1;
        let number = ports.opened;
        let port = ports.at(authority);
        drop(ports);
        *port.listening.borrow_mut() = Some(Listening { number, queue: sender, at_once: None });
        Listener { http, port, number, queue, waits: false }
    }

    /// Answers every request with a task of its own, for ever. A handler's task is dropped when its caller gives up.
    pub fn serve<F, Fut>(self, handler: F) -> impl Future<Output = ()>
    where
        F: Fn(Request) -> Fut + 'static,
        Fut: Future<Output = Response> + 'static,
    {
        self.serve_peers(Besides::Anything, move |request, _| handler(request))
    }

    /// [`serve`](Self::serve) for a handler that wants to know who asks, as a server knows its peer's address, in a task that
    /// does nothing else, or little.
    ///
    /// There a message that comes by its timer finds nothing else under way: the listener would be the next task to run, and
    /// the handler's the one after it. So the handler's is started right away, and the listener is not woken. The handler is
    /// then called outside of the node: what it does there is done in its future.
    ///
    /// Not an async block: that would hold listener and handler twice, as captured and as moved, and each node has one.
    pub fn serve_peers<F, Fut>(mut self, besides: Besides, handler: F) -> impl Future<Output = ()>
    where
        F: Fn(Request, NodeId) -> Fut + 'static,
        Fut: Future<Output = Response> + 'static,
    {
        let net = self.http.net.clone();
        let take_up: TakeUp = Rc::new(move |scope, incoming| take_up(&net, scope, incoming, &handler));
        poll_fn(move |cx| self.poll_serve(cx, &besides, &take_up))
    }

    fn poll_serve(&mut self, cx: &mut Context<'_>, besides: &Besides, take_up: &TakeUp) -> Poll<()> {
        // Most polls of many roles are about something else.
        if self.waits && self.queue.is_empty() && self.port.is_of(self.number) {
            return Poll::Pending;
        }
        self.waits = true;
        // Not that in which this future was made: whoever polls it is the node.
        let scope = self.http.net.ctx().scope();
        while let Poll::Ready(incoming) = self.queue.poll_recv(cx) {
            match incoming {
                Some(incoming) => take_up(scope, incoming),
                None => return Poll::Ready(()),
            }
        }
        let mut listening = self.port.listening.borrow_mut();
        if let Some(listening) =
            listening.as_mut().filter(|it| it.number == self.number && it.at_once.is_none())
        {
            listening.at_once = besides.due().map(|due| AtOnce { due, scope, take_up: Rc::clone(take_up) });
        }
        Poll::Pending
    }
}

/// Starts a handler's task in `scope`.
fn take_up<F, Fut>(net: &Net, scope: Scope, incoming: Incoming, handler: &F)
where
    F: Fn(Request, NodeId) -> Fut,
    Fut: Future<Output = Response> + 'static,
{
    let ctx = net.ctx();
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
    let task = ctx.spawn_foretold(scope, foresee, answer.map(move |response| responder.respond(response)));
    connection.handled_by(task);
    // Busy with the request is the handler's task, not this one, in which a role may do other things as well.
    ctx.set_span(before);
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listening = self.port.listening.borrow_mut();
        // Whoever listens there by now is left alone.
        let left = listening.take_if(|listening| listening.number == self.number);
        // What a handler holds may listen itself.
        drop(listening);
        drop(left);
    }
}
