//! HTTP over the simulated network: requests, responses, refused, reset, timed out.
//!
//! The life of a request, in order:
//! 1. [`Http::fetch`] sends it; a message task carries it across the link.
//! 2. On arrival a node that is down, or a port where nobody listens, refuses it. Otherwise it enters the accept
//!    queue of the [`Listener`] (`exchange.rs`), or is taken up at once ([`Besides`]).
//! 3. [`Listener::serve`] starts one task per request, which calls the handler and sends the response back.
//! 4. If the server dies before it answers, the connection is reset. If a link is cut or the message lost, nothing
//!    ever comes back, and the caller's time limit ends it.
//! 5. If the caller drops its future, the news travels to the server and the handler's task is dropped there, one
//!    link delay later.
//!
//! A duplicated request is handled twice; the first reply wins. There is no connection reuse, no streaming, no TLS.

pub mod conditional;
mod date;
mod exchange;
mod listener;
mod message;
mod replies;

pub use date::http_date;
pub use listener::{Besides, Listener};
pub use message::{Headers, Method, Request, Response, Url, UrlError};
pub use replies::{Route, Service, bad_json, no_route, too_large};

use crate::kernel::{Duration, Foresee, Kind};
use crate::net::{Net, NodeId};
use exchange::Exchange;
use futures::FutureExt;
use listener::Ports;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A request left; the peer is the server.
pub const REQUEST_SENT: Kind = Kind::new("request_sent");
/// A request arrived at its server; the peer is the caller.
pub const REQUEST_RECEIVED: Kind = Kind::new("request_received");
/// A response left; the value is its status.
pub const RESPONSE_SENT: Kind = Kind::new("response_sent");
/// A response arrived at the caller; the value is its status.
pub const RESPONSE_RECEIVED: Kind = Kind::new("response_received");
/// The caller learned that nobody listens.
pub const REFUSED: Kind = Kind::new("connection_refused");
/// The caller learned that the server died.
pub const RESET: Kind = Kind::new("connection_reset");
/// The caller gave up: it dropped the exchange.
pub const ABANDONED: Kind = Kind::new("request_abandoned");
/// The server learned that the caller gave up, and dropped the handler's task.
pub const CANCELLED: Kind = Kind::new("handler_cancelled");

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// The node is down, nothing listens on the port, or the accept queue is full.
    Refused,
    /// The server died while the request was in its hands.
    Reset,
    /// No answer within the caller's time limit.
    TimedOut(Duration),
}

impl HttpError {
    /// A word for it, as the `code` of a structured error.
    pub const fn code(&self) -> &'static str {
        match self {
            HttpError::Refused => "refused",
            HttpError::Reset => "reset",
            HttpError::TimedOut(_) => "timed_out",
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpError::Refused => f.write_str("connection refused"),
            HttpError::Reset => f.write_str("connection reset by peer"),
            HttpError::TimedOut(limit) => write!(f, "no answer within {limit}"),
        }
    }
}

/// A request that has left: ready with the response. Not an async block, which would hold more: one of them stands for each
/// task under way.
pub struct Fetch(Option<Exchange>);

impl Future for Fetch {
    type Output = Result<Response, HttpError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(exchange) => exchange.poll_unpin(cx),
            // No machine has this address: the caller's own network stack says so.
            None => Poll::Ready(Err(HttpError::Refused)),
        }
    }
}

impl Foresee for Fetch {
    fn foresee(&self, step: usize) -> bool {
        self.0.as_ref().is_some_and(|exchange| exchange.foresee(step))
    }
}

/// The HTTP side of a run's network: addresses, ports, exchanges. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    net: Net,
    ports: Rc<RefCell<Ports>>,
}

impl Http {
    /// HTTP over `net`, with no address assigned.
    pub fn new(net: &Net) -> Self {
        Http { net: net.clone(), ports: Rc::default() }
    }

    /// The network below.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Says which node answers at an authority such as `localhost:8081`.
    pub fn assign(&self, authority: &str, node: NodeId) {
        self.ports.borrow_mut().assign(authority, node);
    }

    /// Listens at an authority that is assigned to the calling node, until the listener is dropped.
    pub fn listen(&self, authority: &str) -> Listener {
        Listener::open(self.clone(), authority)
    }

    /// Sends a request now; the future waits for the response as long as it takes. Drop it to give up: the server's
    /// work on it is then dropped as well, one link delay later.
    pub fn fetch(&self, from: NodeId, request: Request) -> Fetch {
        let way = self.ports.borrow().find(&self.net, from, &request.url);
        Fetch(way.map(|way| Exchange::open(&self.net, way, request)))
    }

    /// Has the processor fetch what a request to a URL will touch: for who is about to send many.
    pub fn foresee(&self, url: &Url) {
        self.ports.borrow().foresee(&self.net, url);
    }

    /// [`fetch`](Self::fetch) within a time limit.
    pub fn fetch_within(
        &self,
        from: NodeId,
        request: Request,
        limit: Duration,
    ) -> impl Future<Output = Result<Response, HttpError>> + use<> {
        let exchange = self.fetch(from, request);
        let answer = self.net.ctx().timeout(limit, exchange);
        answer.map(move |answer| answer.unwrap_or(Err(HttpError::TimedOut(limit))))
    }
}
