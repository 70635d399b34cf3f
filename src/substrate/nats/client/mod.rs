//! A client, as nats.go 1.42 behaves: it connects again by itself, keeps what is published meanwhile, and subscribes
//! again. Its texts of errors are that library's.

mod connection;
mod jetstream;
mod subscription;

pub use jetstream::{Consumer, JetStream, JsMessage, PubAck};
pub use subscription::{Message, Subscription};

use super::jetstream::ApiError;
use super::protocol::{Headers, Op, Published};
use super::{Nats, subject};
use crate::kernel::{Ctx, Duration, Receiver, Sender, SortedMap, TaskId, channel};
use crate::net::NodeId;
use crate::substrate::body::Body;
use crate::substrate::stream::Outlet;
use crate::substrate::text::push_number;
use connection::Driver;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use subscription::SubState;

/// What can be set of a client; the defaults are the library's.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// Connect again when the connection is gone.
    pub reconnect: bool,
    /// After so many failed attempts in a row the client closes; `None` never does.
    pub max_reconnects: Option<u32>,
    /// The time before each attempt, and what is added at most.
    pub reconnect_wait: Duration,
    /// See `reconnect_wait`.
    pub reconnect_jitter: Duration,
    /// Bytes that are kept while there is no connection; `None` keeps nothing.
    pub reconnect_buffer: Option<usize>,
    /// How often the client asks whether the server lives.
    pub ping_interval: Duration,
    /// How many pings may be unanswered.
    pub max_pings_out: u32,
    /// Messages that a subscription holds unread; what is above is dropped.
    pub pending_messages: usize,
    /// Bytes that a subscription holds unread.
    pub pending_bytes: usize,
    /// Own messages do not come back.
    pub no_echo: bool,
    /// The token, where the server asks for one.
    pub token: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            connect_timeout: Duration::from_secs(2),
            reconnect: true,
            max_reconnects: Some(60),
            reconnect_wait: Duration::from_secs(2),
            reconnect_jitter: Duration::from_millis(100),
            reconnect_buffer: Some(8 << 20),
            ping_interval: Duration::from_secs(120),
            max_pings_out: 2,
            pending_messages: 512 * 1024,
            pending_bytes: 64 << 20,
            no_echo: false,
            token: None,
        }
    }
}

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NatsError {
    /// Nobody answered at the address.
    NoServers,
    /// The server does not take the token.
    Authorization,
    /// The client is closed.
    ConnectionClosed,
    /// The time limit passed.
    Timeout,
    /// Nobody hears the subject of a request.
    NoResponders,
    /// No stream covers the subject of a JetStream publish.
    NoStreamResponse,
    /// The message is larger than the server takes.
    MaxPayload,
    /// The subject is empty, or no pattern.
    BadSubject,
    /// The buffer for the time without connection is full.
    ReconnectBufExceeded,
    /// A subscription's reader is too slow: messages were dropped.
    SlowConsumer,
    /// The message has been acknowledged, or did not come from JetStream.
    NotAckable,
    /// JetStream refused.
    Api(ApiError),
    /// JetStream's answer is not what was asked for.
    BadResponse,
}

impl fmt::Display for NatsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NatsError::NoServers => "nats: no servers available for connection",
            NatsError::Authorization => "nats: Authorization Violation",
            NatsError::ConnectionClosed => "nats: connection closed",
            NatsError::Timeout => "nats: timeout",
            NatsError::NoResponders => "nats: no responders available for request",
            NatsError::NoStreamResponse => "nats: no response from stream",
            NatsError::MaxPayload => "nats: maximum payload exceeded",
            NatsError::BadSubject => "nats: invalid subject",
            NatsError::ReconnectBufExceeded => "nats: outbound buffer limit exceeded",
            NatsError::SlowConsumer => "nats: slow consumer, messages dropped",
            NatsError::NotAckable => "nats: message was already acknowledged",
            NatsError::BadResponse => "nats: invalid JetStream response",
            NatsError::Api(error) => return write!(f, "nats: {}", error.description),
        })
    }
}

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has a connection.
    Connected,
    /// It has none, and tries to get one.
    Reconnecting,
    /// It has given up or was closed.
    Closed,
}

/// A client of a broker. Cheap to clone; it lives until [`close`](Self::close) or its node's end.
#[derive(Clone)]
pub struct NatsClient {
    inner: Rc<Inner>,
}

pub(super) struct Inner {
    ctx: Ctx,
    nats: Nats,
    node: NodeId,
    name: Rc<str>,
    options: ClientOptions,
    status: Cell<Status>,
    /// Hears that the status has changed.
    status_news: RefCell<Option<Sender<()>>>,
    outlet: RefCell<Option<Outlet<Op>>>,
    /// What was published while there was no connection.
    kept: RefCell<VecDeque<Op>>,
    kept_bytes: Cell<usize>,
    max_payload: Cell<usize>,
    /// What was published to last: most is published to the same subject.
    last_subject: RefCell<Rc<str>>,
    subs: RefCell<SortedMap<u64, SubState>>,
    next_sid: Cell<u64>,
    /// Who waits for the server's PONG, in order.
    pongs: RefCell<VecDeque<Sender<()>>>,
    pings_out: Cell<u32>,
    /// Which of the node's clients this is: for names of inboxes, and for draws.
    number: u64,
    next_inbox: Cell<u64>,
    reconnects: Cell<u64>,
    last_error: RefCell<Option<NatsError>>,
    driver: Cell<Option<TaskId>>,
}

impl NatsClient {
    /// Connects from `node`. The client's work is done by a task in the scope of the calling one.
    pub async fn connect(nats: &Nats, node: NodeId, options: ClientOptions) -> Result<Self, NatsError> {
        let net = nats.streams().net();
        let inner = Rc::new(Inner {
            ctx: net.ctx().clone(),
            nats: nats.clone(),
            node,
            name: net.name(node),
            options,
            status: Cell::new(Status::Reconnecting),
            status_news: RefCell::default(),
            outlet: RefCell::default(),
            kept: RefCell::default(),
            kept_bytes: Cell::default(),
            max_payload: Cell::new(usize::MAX),
            last_subject: RefCell::new("".into()),
            subs: RefCell::default(),
            next_sid: Cell::new(1),
            pongs: RefCell::default(),
            pings_out: Cell::default(),
            number: nats.next_client_number(node),
            next_inbox: Cell::new(1),
            reconnects: Cell::default(),
            last_error: RefCell::default(),
            driver: Cell::default(),
        });
        let driver = Driver::connect(&inner).await?;
        let task = inner.ctx.spawn(driver.run());
        inner.driver.set(Some(task));
        Ok(NatsClient { inner })
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        self.inner.status.get()
    }

    /// Ready whenever the status has changed.
    pub fn status_news(&self) -> Receiver<()> {
        let (news, heard) = channel(&self.inner.ctx, 1);
        *self.inner.status_news.borrow_mut() = Some(news);
        heard
    }

    /// How often it has connected again.
    pub fn reconnects(&self) -> u64 {
        self.inner.reconnects.get()
    }

    /// The last thing that went wrong besides a caller's call: a slow reader, a lost server.
    pub fn last_error(&self) -> Option<NatsError> {
        self.inner.last_error.borrow().clone()
    }

    // --- publishing -------------------------------------------------------------------------------------------

    /// Publishes; without a connection the message is kept, as long as there is room.
    pub fn publish(&self, subject: &str, payload: impl Into<Body>) -> Result<(), NatsError> {
        self.publish_message(Published::new(self.subject(subject), payload))
    }

    /// A subject as messages share it.
    pub(super) fn subject(&self, subject: &str) -> Rc<str> {
        let mut last = self.inner.last_subject.borrow_mut();
        if **last != *subject {
            *last = subject.into();
        }
        Rc::clone(&last)
    }

    /// Publishes a message that names where answers go.
    pub fn publish_with_reply(
        &self,
        subject: &str,
        reply: &str,
        payload: impl Into<Body>,
    ) -> Result<(), NatsError> {
        let message = Published { reply: Some(reply.into()), ..Published::new(subject, payload) };
        self.publish_message(message)
    }

    /// Publishes a message with all that it may have.
    pub fn publish_message(&self, message: Published) -> Result<(), NatsError> {
        if message.subject.is_empty() {
            return Err(NatsError::BadSubject);
        }
        if message.size() > self.inner.max_payload.get() {
            return Err(NatsError::MaxPayload);
        }
        self.inner.send(Op::Pub(message))
    }

    /// Publishes and waits for one answer, at most for `limit`.
    pub async fn request(
        &self,
        subject: &str,
        payload: impl Into<Body>,
        limit: Duration,
    ) -> Result<Message, NatsError> {
        self.request_message(Published::new(subject, payload), limit).await
    }

    /// [`request`](Self::request) with headers.
    pub async fn request_message(
        &self,
        mut message: Published,
        limit: Duration,
    ) -> Result<Message, NatsError> {
        let inbox = self.inner.inbox();
        let mut answers = self.inner.subscribe(Rc::clone(&inbox), None)?;
        message.reply = Some(inbox);
        self.publish_message(message)?;
        match self.inner.ctx.timeout(limit, answers.next()).await {
            Ok(Some(answer)) if answer.status() == Some(503) => Err(NatsError::NoResponders),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(NatsError::ConnectionClosed),
            Err(_) => Err(NatsError::Timeout),
        }
    }

    /// Waits until the server has seen all that was published, at most for `limit`.
    pub async fn flush(&self, limit: Duration) -> Result<(), NatsError> {
        if self.status() == Status::Closed {
            return Err(NatsError::ConnectionClosed);
        }
        let (pong, mut answered) = channel(&self.inner.ctx, 1);
        if self.status() == Status::Connected {
            self.inner.pongs.borrow_mut().push_back(pong.clone());
            self.inner.send(Op::Ping)?;
        }
        match self.inner.ctx.timeout(limit, answered.recv()).await {
            Ok(Some(())) => Ok(()),
            _ => Err(NatsError::Timeout),
        }
    }

    // --- subscribing ------------------------------------------------------------------------------------------

    /// Subscribes to a subject or pattern; dropping the subscription ends it.
    pub fn subscribe(&self, subject: &str) -> Result<Subscription, NatsError> {
        self.inner.subscribe(subject.into(), None)
    }

    /// Subscribes as a member of a queue group: each message goes to one of its members.
    pub fn queue_subscribe(&self, subject: &str, group: &str) -> Result<Subscription, NatsError> {
        self.inner.subscribe(subject.into(), Some(group))
    }

    /// JetStream through this client.
    pub fn jetstream(&self) -> JetStream {
        JetStream::new(self.clone())
    }

    // --- the end ----------------------------------------------------------------------------------------------

    /// Ends all subscriptions, sees to it that what was published has arrived, and closes.
    pub async fn drain(&self, limit: Duration) -> Result<(), NatsError> {
        let sids: Vec<u64> = self.inner.subs.borrow().keys().copied().collect();
        for sid in sids {
            self.inner.send(Op::Unsub { sid, max: None })?;
        }
        let flushed = self.flush(limit).await;
        self.close();
        flushed
    }

    /// Closes the connection and all subscriptions.
    pub fn close(&self) {
        self.inner.close();
        if let Some(driver) = self.inner.driver.take() {
            self.inner.ctx.abort(driver);
        }
    }

    pub(super) fn ctx(&self) -> &Ctx {
        &self.inner.ctx
    }

    pub(super) fn new_inbox(&self) -> Rc<str> {
        self.inner.inbox()
    }
}

impl Inner {
    fn turn(&self, status: Status) {
        self.status.set(status);
        if let Some(news) = &*self.status_news.borrow() {
            let _ = news.send(());
        }
    }

    /// A subject that nobody else uses.
    fn inbox(&self) -> Rc<str> {
        let n = self.next_inbox.replace(self.next_inbox.get() + 1);
        let mut inbox = String::with_capacity(50 + self.name.len());
        inbox.extend(["_INBOX.", &self.name, "."]);
        push_number(&mut inbox, self.number);
        inbox.push('.');
        push_number(&mut inbox, n);
        inbox.into()
    }

    /// Sends an operation, or keeps it while there is no connection.
    fn send(&self, op: Op) -> Result<(), NatsError> {
        match self.status.get() {
            Status::Closed => Err(NatsError::ConnectionClosed),
            Status::Connected => {
                let outlet = self.outlet.borrow();
                // Closed: the driver is about to learn it; what is written now is lost with the connection.
                let _ = outlet.as_ref().map(|outlet| outlet.send(op));
                Ok(())
            }
            Status::Reconnecting => self.keep(op),
        }
    }

    fn keep(&self, op: Op) -> Result<(), NatsError> {
        let Op::Pub(message) = &op else {
            // Subscriptions are made anew with the connection.
            return Ok(());
        };
        // Full is what holds the limit or more; the message that crosses it is still taken.
        if self.options.reconnect_buffer.is_none_or(|limit| self.kept_bytes.get() >= limit) {
            return Err(NatsError::ReconnectBufExceeded);
        }
        self.kept_bytes.set(self.kept_bytes.get() + wire_size(message));
        self.kept.borrow_mut().push_back(op);
        Ok(())
    }

    fn subscribe(self: &Rc<Self>, pattern: Rc<str>, queue: Option<&str>) -> Result<Subscription, NatsError> {
        if self.status.get() == Status::Closed {
            return Err(NatsError::ConnectionClosed);
        }
        if !subject::is_valid_pattern(&pattern) || queue.is_some_and(|q| q.contains(char::is_whitespace)) {
            return Err(NatsError::BadSubject);
        }
        let sid = self.next_sid.replace(self.next_sid.get() + 1);
        let (state, subscription) = subscription::open(self, sid, pattern, queue);
        let op = state.op(sid);
        self.subs.borrow_mut().insert(sid, state);
        self.send(op)?;
        Ok(subscription)
    }

    fn close(&self) {
        self.turn(Status::Closed);
        *self.outlet.borrow_mut() = None;
        // Their readers see the end behind what they have not read.
        let subs = std::mem::take(&mut *self.subs.borrow_mut());
        drop(subs);
        self.pongs.borrow_mut().clear();
        self.kept.borrow_mut().clear();
    }
}

/// The bytes of PUB or HPUB: what the buffer of the library counts.
fn wire_size(message: &Published) -> usize {
    let digits = |n: usize| n.checked_ilog10().map_or(1, |log| log as usize + 1);
    let reply = message.reply.as_ref().map_or(0, |reply| reply.len() + 1);
    let headers = message.headers.as_ref().map_or(0, |headers| digits(headers.size()) + 2);
    "PUB ".len()
        + message.subject.len()
        + 1
        + reply
        + headers
        + digits(message.size())
        + 2
        + message.size()
        + 2
}

impl Published {
    /// The same with headers.
    pub fn with_headers(mut self, fields: &[(&str, &str)]) -> Self {
        self.headers = Some(Headers::of(fields));
        self
    }
}
