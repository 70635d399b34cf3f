//! Connections that keep order, as TCP streams do: what brokers and stores are spoken to over.
//!
//! ```text
//! let streams: Streams<Command, Reply> = Streams::new(&net);      // one per protocol: Up to the server, Down from it
//! streams.assign("valkey:6379", valkey);                          // which node has the address
//! let mut listener = streams.listen("valkey:6379");               // in the server's role, until it is dropped
//! let mut conn = listener.accept().await;                         // Conn<Reply, Command>
//! let mut conn = streams.connect(client, "valkey:6379").await?;   // Conn<Command, Reply>, or a ConnectError
//! conn.send(message)?; conn.recv().await                          // None: the other end has closed or died
//! ```
//!
//! - A message is any type that is a [`Segment`]: it tells its size in bytes, and what a picture of it shows.
//! - Each direction keeps order; nothing is lost or duplicated while both ends live. A lost message is sent again after
//!   the retransmission time-out of RFC 6298 (round trip + 200 ms as in Linux, doubling to at most 120 s), and what
//!   was sent after it waits behind it. A cut link only delays.
//! - Dropping a [`Conn`] closes it, and so does a crash of its node: what it had sent still arrives, and the close
//!   behind it, one link delay later. What arrives at an end that is gone is lost.
//! - A connection never gives up by itself: keep-alives and time limits are the protocol's.
//! - Socket buffers hold [`SOCKET_BUFFER`] bytes that the other end has not read. What is sent beyond stays with the
//!   sender ([`Outlet::pending_bytes`]) and is lost when the sender closes. A program that cannot wait for room, and whose
//!   protocol has no limit of its own, or a greater one, loses its connection at [`PENDING_MAX`].
//! - The receiver's current span becomes the sender's, as with HTTP. Messages on their way are listed in
//!   [`Net::in_flight`].

mod pipe;

use crate::kernel::{Duration, Kind, Receiver, Sender, Span, channel};
use crate::net::{Fate, Flight, LookUp, Net, NodeId, Payload, Roll};
use pipe::Pipe;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A connection was opened; recorded at the caller, the peer is the server.
pub const STREAM_OPENED: Kind = Kind::new("stream_opened");
/// An end learned that the other one has closed or died; the peer is that one.
pub const STREAM_CLOSED: Kind = Kind::new("stream_closed");
/// A message left; the value is its size in bytes.
pub const SEGMENT_SENT: Kind = Kind::new("segment_sent");
/// A message arrived; the value is its size in bytes.
pub const SEGMENT_RECEIVED: Kind = Kind::new("segment_received");

/// How many unread bytes the sockets of both ends hold for one direction: about what Linux allows on one machine.
pub const SOCKET_BUFFER: usize = 2_500_000;
/// How many bytes may wait at a sender at most: twice what a NATS server lets wait for a client that does not read.
pub const PENDING_MAX: usize = 128 << 20;
/// The first retransmission of an opening message, and how many there are, as in Linux (`tcp_syn_retries`).
const SYN_TIMEOUT: Duration = Duration::from_secs(1);
const SYN_RETRIES: u32 = 6;
/// Connections that wait to be accepted: Linux's default `somaxconn`.
const ACCEPT_QUEUE_MAX: usize = 4096;

/// What travels on a connection.
pub trait Segment: 'static {
    /// Its size on the wire in bytes.
    fn size(&self) -> usize;
    /// What a picture of it shows.
    fn payload(&self) -> Payload;
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// The node is down, or nothing listens there.
    Refused,
    /// No answer to any of the opening messages, 127 s after the first.
    TimedOut,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConnectError::Refused => "connection refused",
            ConnectError::TimedOut => "connection timed out",
        })
    }
}

/// The other end is gone, and this end knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Addresses and listeners of one protocol: `Up` travels to the server, `Down` from it. Cheap to clone.
pub struct Streams<Up: Segment, Down: Segment> {
    net: Net,
    ports: Rc<RefCell<Ports<Up, Down>>>,
}

struct Ports<Up: Segment, Down: Segment> {
    /// Only looked up, never iterated.
    nodes: LookUp<String, NodeId>,
    listening: LookUp<String, Sender<Conn<Down, Up>>>,
    /// How many connections were asked for.
    opened: u64,
    /// The same by caller, server and address. Only looked up.
    calls: LookUp<(NodeId, NodeId, String), u64>,
}

impl<Up: Segment, Down: Segment> Ports<Up, Down> {
    fn next(&mut self, from: NodeId, to: NodeId, address: &str) -> Ident {
        self.opened += 1;
        let call = self.calls.entry((from, to, address.to_owned())).or_default();
        *call += 1;
        Ident { number: self.opened, call: *call }
    }
}

/// Which connection it is.
#[derive(Clone, Copy)]
struct Ident {
    /// Among all of the protocol.
    number: u64,
    /// Among those that its caller opened to the same address. Draws go by it: who else connects when, and how often
    /// because of what trouble, changes none of them.
    call: u64,
}

impl<Up: Segment, Down: Segment> Clone for Streams<Up, Down> {
    fn clone(&self) -> Self {
        Streams { net: self.net.clone(), ports: Rc::clone(&self.ports) }
    }
}

impl<Up: Segment, Down: Segment> Streams<Up, Down> {
    /// Connections over `net`, with no address assigned.
    pub fn new(net: &Net) -> Self {
        let ports = Ports {
            nodes: LookUp::default(),
            listening: LookUp::default(),
            opened: 0,
            calls: LookUp::default(),
        };
        Streams { net: net.clone(), ports: Rc::new(RefCell::new(ports)) }
    }

    /// The network below.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Says which node answers at an address such as `localhost:4222`.
    pub fn assign(&self, address: &str, node: NodeId) {
        self.ports.borrow_mut().nodes.insert(address.to_owned(), node);
    }

    /// Listens at an address that is assigned to the calling node, until the listener is dropped.
    pub fn listen(&self, address: &str) -> Listener<Up, Down> {
        let (sender, queue) = channel(self.net.ctx(), ACCEPT_QUEUE_MAX);
        // A listener that has gone leaves a closed queue behind: the same as none.
        self.ports.borrow_mut().listening.insert(address.to_owned(), sender);
        Listener { queue }
    }

    /// Opens a connection: one round trip, more if opening messages are lost.
    pub async fn connect(&self, from: NodeId, address: &str) -> Result<Conn<Up, Down>, ConnectError> {
        let Some(to) = self.ports.borrow().nodes.get(address).copied() else {
            return Err(ConnectError::Refused);
        };
        let net = &self.net;
        let ident = self.ports.borrow_mut().next(from, to, address);
        let route = format!("{}>{} {address}", net.name(from), net.name(to));
        let mut rng = net.ctx().stream(&route, "open").at(ident.call);
        self.hop(from, to, || Roll::new(&mut rng)).await?;
        let queue = self.ports.borrow().listening.get(address).cloned();
        let queue = queue.filter(|queue| net.is_up(to) && !queue.is_closed());
        let Some(queue) = queue else {
            self.hop(to, from, || Roll::new(&mut rng)).await?;
            return Err(ConnectError::Refused);
        };
        let (near, far) = (Rc::default(), Rc::default());
        let draws = |direction| net.ctx().stream(&route, direction);
        let (up, up_inbox) = Pipe::open(net, from, to, draws("up"), ident, &near, &far);
        let (down, down_inbox) = Pipe::open(net, to, from, draws("down"), ident, &far, &near);
        up.pair_with(&down);
        down.pair_with(&up);
        let server = Conn { out: Rc::clone(&down), back: Rc::clone(&up), inbox: up_inbox };
        let caller = Conn { out: up, back: down, inbox: down_inbox };
        // Full: the server drops the opening message; its caller learns it from the close.
        let _ = queue.send(server);
        self.hop(to, from, || Roll::new(&mut rng)).await?;
        net.ctx().record(STREAM_OPENED, to.0, ident.number);
        Ok(caller)
    }

    /// Carries an opening message over a link, sending it again while it is lost.
    async fn hop(
        &self,
        from: NodeId,
        to: NodeId,
        mut roll: impl FnMut() -> Roll,
    ) -> Result<(), ConnectError> {
        let (net, mut wait) = (&self.net, SYN_TIMEOUT);
        for _ in 0..=SYN_RETRIES {
            let (began, fate) = (net.ctx().now(), net.send(from, to, roll()));
            observe(net, from, to, || Payload::Control, net.ctx().span(), fate);
            if !fate.lost {
                net.ctx().sleep(fate.delay).await;
                if !net.is_cut(from, to) {
                    return Ok(());
                }
            }
            net.record_lost(from, to, net.ctx().span());
            net.ctx().sleep_until(began + wait).await;
            wait = wait + wait;
        }
        Err(ConnectError::TimedOut)
    }
}

/// Lists a message as being on its way.
fn observe(net: &Net, from: NodeId, to: NodeId, payload: impl FnOnce() -> Payload, span: Span, fate: Fate) {
    net.observe(|now| {
        let Fate { delay, lost, .. } = fate;
        Flight { arrives_at: now + delay, sent_at: now, from, to, req: span.tag, payload: payload(), lost }
    });
}

/// A port that takes connections until it is dropped.
pub struct Listener<Up: Segment, Down: Segment> {
    queue: Receiver<Conn<Down, Up>>,
}

impl<Up: Segment, Down: Segment> Listener<Up, Down> {
    /// The next connection. It waits for ever where nobody calls.
    pub async fn accept(&mut self) -> Conn<Down, Up> {
        loop {
            match self.queue.recv().await {
                Some(conn) => return conn,
                // Another listener has taken the address over.
                None => std::future::pending().await,
            }
        }
    }
}

/// One end of a connection: it sends `S` and receives `R`. Dropping it closes the connection.
pub struct Conn<S: Segment, R: Segment> {
    out: Rc<Pipe<S>>,
    back: Rc<Pipe<R>>,
    inbox: Receiver<pipe::Come<R>>,
}

impl<S: Segment, R: Segment> Conn<S, R> {
    /// Sends a message; `Closed` when the other end is known to be gone, or when too much waits here already, which ends
    /// the connection.
    pub fn send(&self, message: S) -> Result<(), Closed> {
        self.out.send(message)
    }

    /// The next message; `None` when the other end has closed or died.
    pub fn recv(&mut self) -> Recv<'_, S, R> {
        Recv(self)
    }

    /// [`recv`](Self::recv) for hand-written futures, which go on polling it until it is ready, or drop the connection.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<R>> {
        if self.back.ended() {
            return Poll::Ready(None);
        }
        self.back.poll_next(&mut self.inbox, cx)
    }

    /// The sending half, for other tasks of the same node; it does not keep the connection open.
    pub fn outlet(&self) -> Outlet<S> {
        Outlet(Rc::clone(&self.out))
    }

    /// The node at the other end.
    pub fn peer(&self) -> NodeId {
        self.out.to
    }

    /// Its number among the connections of its protocol: the same at both ends.
    pub fn number(&self) -> u64 {
        self.out.ident.number
    }

    /// Which of its caller's connections to this address it is, from 1: for draws, which others' do not shift.
    pub fn call(&self) -> u64 {
        self.out.ident.call
    }
}

impl<S: Segment, R: Segment> Drop for Conn<S, R> {
    fn drop(&mut self) {
        self.back.abandon();
        self.out.finish();
    }
}

/// Ready with the next message of a connection.
pub struct Recv<'a, S: Segment, R: Segment>(&'a mut Conn<S, R>);

impl<S: Segment, R: Segment> Future for Recv<'_, S, R> {
    type Output = Option<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R>> {
        self.0.poll_recv(cx)
    }
}

impl<S: Segment, R: Segment> Drop for Recv<'_, S, R> {
    fn drop(&mut self) {
        self.0.back.stop_waiting();
    }
}

/// Sends on a connection that another task reads. Cheap to clone.
pub struct Outlet<S: Segment>(Rc<Pipe<S>>);

impl<S: Segment> Clone for Outlet<S> {
    fn clone(&self) -> Self {
        Outlet(Rc::clone(&self.0))
    }
}

impl<S: Segment> Outlet<S> {
    /// [`Conn::send`]; `Closed` also when this end was dropped.
    pub fn send(&self, message: S) -> Result<(), Closed> {
        self.0.send(message)
    }

    /// The connection's number, see [`Conn::number`].
    pub fn number(&self) -> u64 {
        self.0.ident.number
    }

    /// How many bytes wait at this end because the sockets hold no more.
    pub fn pending_bytes(&self) -> usize {
        self.0.pending_bytes()
    }
}

/// Set once an end knows that the connection is over.
type Over = Rc<Cell<bool>>;
