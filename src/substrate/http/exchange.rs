//! One request and its response on their way.
//!
//! [`Connection`] is what both sides share, as the two ends of a TCP connection do: the caller waits for a [`Wire`]
//! message on it, the server's [`Responder`] sends one, and whoever is dropped tells the other.

use super::listener::{Entrance, Port, Way};
use super::message::{Request, Response};
use super::{
    ABANDONED, CANCELLED, HttpError, REFUSED, REQUEST_RECEIVED, REQUEST_SENT, RESET, RESPONSE_RECEIVED,
    RESPONSE_SENT,
};
use crate::kernel::{Duration, Foresee, Mailbox, Scope, SendError, Sleep, Span, TaskId, fetch};
use crate::net::{Flight, Net, NodeId, Payload, Roll, Trip};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What can come back to the caller, with the record that it follows from.
enum Wire {
    Response(Response, Span),
    Failed(HttpError, Span),
}

/// At most the reply and the reply to a duplicate.
const REPLIES_MAX: usize = 2;

/// What the two ends of an exchange share.
pub(super) struct Connection {
    net: Net,
    from: NodeId,
    to: NodeId,
    trip: Trip,
    /// Until a handler takes it up: it is not handed from place to place while it travels and waits.
    request: Cell<Option<Request>>,
    /// The request travels twice.
    duplicated: Cell<bool>,
    replies: Mailbox<Wire>,
    /// The tasks that work on it at the server: one, or two when the request was duplicated.
    handlers: Cell<[Option<TaskId>; REPLIES_MAX]>,
    /// The caller has given up, and the server knows.
    cancelled: Cell<bool>,
}

/// A request that has left, and its caller, who waits. Small: one of them stands for each task under way.
pub(super) struct Exchange(Caller);

impl Exchange {
    /// Sends the request.
    pub(super) fn open(net: &Net, way: Way, request: Request) -> Self {
        let Way { port, from, to, link, .. } = way;
        let (roll, trip) = net.trip(link, from, to);
        let connection = Rc::new(Connection {
            net: net.clone(),
            from,
            to,
            trip,
            request: Cell::new(Some(request)),
            duplicated: Cell::new(false),
            replies: Mailbox::new(REPLIES_MAX),
            handlers: Cell::default(),
            cancelled: Cell::new(false),
        });
        let ctx = net.ctx();
        ctx.record(REQUEST_SENT, to.0, 0);
        connection.send_request(&port, roll);
        Exchange(Caller { connection, span: ctx.span(), open: true })
    }
}

/// Ready with what comes back.
impl Future for Exchange {
    type Output = Result<Response, HttpError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let Connection { net, from, to, replies, .. } = &*self.0.connection;
            let wire = ready!(replies.poll_recv(net.ctx(), cx));
            if net.is_cut(*to, *from) {
                // Sent before the cut, and caught by it on the way.
                net.record_lost(*to, *from, net.ctx().span());
                continue;
            }
            return Poll::Ready(self.0.receive(wire));
        }
    }
}

/// Its reply comes.
impl Foresee for Exchange {
    fn foresee(&self, step: usize) -> bool {
        let connection = &*self.0.connection;
        if step == 0 {
            fetch(connection);
            return true;
        }
        connection.replies.peek(|wire| {
            if let Wire::Response(response, _) = wire {
                response.body.foresee();
            }
        });
        false
    }
}

/// The caller's end. Dropped before a reply came, it tells the server.
struct Caller {
    connection: Rc<Connection>,
    span: Span,
    open: bool,
}

impl Caller {
    fn receive(&mut self, wire: Wire) -> Result<Response, HttpError> {
        self.open = false;
        let Connection { net, to, .. } = &*self.connection;
        let ctx = net.ctx();
        match wire {
            Wire::Response(response, span) => {
                ctx.set_span(span);
                ctx.record(RESPONSE_RECEIVED, to.0, u64::from(response.status));
                Ok(response)
            }
            Wire::Failed(error, span) => {
                ctx.set_span(span);
                ctx.record(if error == HttpError::Refused { REFUSED } else { RESET }, to.0, 0);
                Err(error)
            }
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if self.open {
            self.connection.send_cancel(self.span);
        }
        let Connection { net, replies, .. } = &*self.connection;
        replies.close(net.ctx());
    }
}

impl Connection {
    fn send_request(self: &Rc<Self>, port: &Rc<Port>, roll: Roll) {
        let span = self.net.ctx().span();
        let fate = self.net.send_on(&self.trip, self.from, self.to, roll);
        self.observe(self.from, self.to, fate.delay, Payload::Request, span, fate.lost);
        if fate.lost {
            self.net.record_lost(self.from, self.to, span);
        } else {
            self.deliver_request(fate.delay, port);
        }
        if fate.duplicated {
            self.duplicated.set(true);
            let copy = self.net.send_on(&self.trip, self.from, self.to, self.trip.copy());
            if !copy.lost {
                self.observe(self.from, self.to, copy.delay, Payload::Request, span, false);
                self.deliver_request(copy.delay, port);
            }
        }
    }

    /// The message travels by itself: neither the caller's end nor its crash calls it back.
    fn deliver_request(self: &Rc<Self>, delay: Duration, port: &Rc<Port>) {
        let (arrival, news) = (self.net.ctx().sleep(delay), News::Request(Rc::clone(port)));
        let delivery = Delivery { arrival, has_waited: false, connection: Rc::clone(self), news };
        self.net.ctx().spawn_foreseeing(Scope::default(), delivery);
    }

    /// `is_alone` says that nothing else is under way at this instant.
    fn arrive(self: &Rc<Self>, port: &Port, is_alone: bool) {
        let net = &self.net;
        let sent = net.ctx().span();
        if net.is_cut(self.from, self.to) {
            net.record_lost(self.from, self.to, sent);
            return;
        }
        if self.cancelled.get() {
            return;
        }
        let entrance = port.entrance(is_alone, net.ctx().now());
        let Some(entrance) = entrance.filter(|_| net.is_up(self.to)) else {
            self.send_back(Wire::Failed(HttpError::Refused, sent), Payload::Refusal);
            return;
        };
        let n = net.ctx().record_in(self.to.scope(), sent, REQUEST_RECEIVED, self.from.0, 0);
        let span = Span { cause: n, ..sent };
        let incoming =
            Incoming { responder: Responder { connection: Rc::clone(self), span, answered: false } };
        match entrance {
            Entrance::AtOnce(scope, take_up) => {
                // It goes on as the handler's task, in its place.
                net.ctx().end();
                take_up(scope, incoming);
            }
            Entrance::Queue(queue) => {
                if let Err(SendError::Full(incoming) | SendError::Closed(incoming)) = queue.send(incoming) {
                    incoming.refuse();
                }
            }
        }
    }

    /// Sends the first thing that goes back to the caller.
    fn send_back(&self, wire: Wire, payload: Payload) {
        let (Wire::Response(_, span) | Wire::Failed(_, span)) = &wire;
        let span = *span;
        let fate = self.net.send_on(&self.trip, self.to, self.from, self.trip.response());
        if !self.cancelled.get() {
            self.observe(self.to, self.from, fate.delay, payload, span, fate.lost);
        }
        if fate.lost {
            self.net.record_lost(self.to, self.from, span);
            return;
        }
        // A caller that has gone does not hear it.
        let ctx = self.net.ctx();
        let sent = self.replies.send_at(ctx, ctx.now() + fate.delay, wire);
        debug_assert!(!matches!(sent, Err(SendError::Full(_))), "each arrival is answered once");
    }

    /// The caller has given up: the news travels, and ends the handlers' tasks when it arrives.
    fn send_cancel(self: &Rc<Self>, span: Span) {
        let ctx = self.net.ctx();
        let n = ctx.record_in(self.from.scope(), span, ABANDONED, self.to.0, 0);
        let span = Span { cause: n, ..span };
        let fate = self.net.send_on(&self.trip, self.from, self.to, self.trip.cancel());
        self.observe(self.from, self.to, fate.delay, Payload::Cancel, span, fate.lost);
        if fate.lost {
            self.net.record_lost(self.from, self.to, span);
            return;
        }
        let (arrival, news) = (ctx.sleep(fate.delay), News::Cancelled(span));
        let delivery = Delivery { arrival, has_waited: false, connection: Rc::clone(self), news };
        ctx.spawn_foreseeing(Scope::default(), delivery);
    }

    fn cancel(&self, span: Span) {
        let ctx = self.net.ctx();
        if self.net.is_cut(self.from, self.to) {
            self.net.record_lost(self.from, self.to, span);
            return;
        }
        self.cancelled.set(true);
        for task in self.handlers.take().into_iter().flatten() {
            if !ctx.is_finished(task) {
                ctx.record_in(self.to.scope(), span, CANCELLED, self.from.0, 0);
                ctx.abort(task);
            }
        }
    }

    /// Who asks.
    pub(super) fn peer(&self) -> NodeId {
        self.from
    }

    /// Notes which task works on the request.
    pub(super) fn handled_by(&self, task: TaskId) {
        debug_assert!(self.handlers.get()[REPLIES_MAX - 1].is_none(), "a request arrives twice at most");
        self.handlers.set(match self.handlers.get() {
            [None, _] => [Some(task), None],
            [first, _] => [first, Some(task)],
        });
    }

    #[inline]
    fn observe(&self, from: NodeId, to: NodeId, delay: Duration, payload: Payload, span: Span, lost: bool) {
        self.net.observe(|now| Flight {
            arrives_at: now + delay,
            sent_at: now,
            from,
            to,
            req: span.tag,
            payload,
            lost,
        });
    }
}

/// A message to the server on its way.
struct Delivery {
    arrival: Sleep,
    /// What ends the waiting is its timer, and timers fire when every task has run that can.
    has_waited: bool,
    connection: Rc<Connection>,
    news: News,
}

enum News {
    Request(Rc<Port>),
    /// The caller has given up.
    Cancelled(Span),
}

impl Future for Delivery {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Pin::new(&mut self.arrival).poll(cx).is_pending() {
            self.has_waited = true;
            return Poll::Pending;
        }
        match &self.news {
            News::Request(port) => self.connection.arrive(port, self.has_waited),
            News::Cancelled(span) => self.connection.cancel(*span),
        }
        Poll::Ready(())
    }
}

/// An arrival visits what its node has, where nobody has been for long.
impl Foresee for Delivery {
    fn foresee(&self, step: usize) -> bool {
        let Connection { net, to, request, handlers, .. } = &*self.connection;
        if step == 0 {
            fetch(&*self.connection);
        }
        match (&self.news, step) {
            (News::Request(port), 0) => fetch(&**port),
            (News::Request(port), step) => {
                let waiting = request.take();
                match &waiting {
                    Some(request) if step == 1 => {
                        fetch(&*request.url);
                        request.body.foresee();
                    }
                    Some(request) if step == 2 => fetch(request.url.path.as_str()),
                    _ => {}
                }
                request.set(waiting);
                if step == 1 {
                    net.foresee_arrival(*to);
                }
                return port.foresee(step - 1);
            }
            (News::Cancelled(_), 0) => {}
            (News::Cancelled(_), step) => {
                let [handler, _] = handlers.get();
                return handler.is_some_and(|task| net.ctx().foresee(task, step - 1));
            }
        }
        true
    }
}

/// A request in a server's accept queue.
pub(super) struct Incoming {
    responder: Responder,
}

impl Incoming {
    /// Turns it away: the accept queue is full.
    fn refuse(mut self) {
        self.responder.answered = true;
        let Responder { connection, span, .. } = &self.responder;
        connection.send_back(Wire::Failed(HttpError::Refused, *span), Payload::Refusal);
    }

    /// Takes it up, unless its caller has given up meanwhile; the current task is then busy with it.
    #[inline]
    pub(super) fn begin(self) -> Option<(Request, Responder)> {
        let connection = &self.responder.connection;
        if connection.cancelled.get() {
            return None;
        }
        let request = connection.request.take();
        if connection.duplicated.get() {
            connection.request.set(request.clone());
        }
        connection.net.ctx().set_span(self.responder.span);
        Some((request?, self.responder))
    }
}

/// The server's end. Dropped without an answer, it resets the connection.
pub(super) struct Responder {
    connection: Rc<Connection>,
    span: Span,
    answered: bool,
}

impl Responder {
    pub(super) fn connection(&self) -> Rc<Connection> {
        Rc::clone(&self.connection)
    }

    pub(super) fn respond(mut self, response: Response) {
        self.answered = true;
        let ctx = self.connection.net.ctx();
        ctx.record(RESPONSE_SENT, self.connection.from.0, u64::from(response.status));
        let payload = Payload::Response(response.status);
        self.connection.send_back(Wire::Response(response, ctx.span()), payload);
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if !self.answered && !self.connection.cancelled.get() {
            self.connection.send_back(Wire::Failed(HttpError::Reset, self.span), Payload::Refusal);
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use crate::kernel::{Sim, Sink};

    fn connection() -> Rc<Connection> {
        let net = Net::new(&Sim::new(1, Sink::None).ctx(), false);
        let [from, to] = ["client", "coordinator"].map(|name| net.add_node(name));
        Rc::new(Connection {
            trip: net.trip(net.link(from, to), from, to).1,
            net,
            from,
            to,
            request: Cell::default(),
            duplicated: Cell::default(),
            replies: Mailbox::new(REPLIES_MAX),
            handlers: Cell::default(),
            cancelled: Cell::default(),
        })
    }

    #[test]
    #[should_panic(expected = "each arrival is answered once")]
    fn no_more_answers_than_arrivals() {
        let connection = connection();
        for _ in 0..=REPLIES_MAX {
            connection.send_back(Wire::Failed(HttpError::Refused, Span::default()), Payload::Refusal);
        }
    }

    #[test]
    #[should_panic(expected = "a request arrives twice at most")]
    fn no_more_handlers_than_arrivals() {
        let connection = connection();
        let task = connection.net.ctx().spawn(std::future::pending());
        for _ in 0..=REPLIES_MAX {
            connection.handled_by(task);
        }
    }
}
