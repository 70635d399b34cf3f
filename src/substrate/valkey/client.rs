//! The client library: one connection for commands, opened when it is needed and again after it broke; one of its own for
//! every blocking call and every subscription, as pools of real clients have them.
//!
//! ```text
//! let client = Valkey::connect(&wire, api_node, "valkey:6379");
//! client.lpush("task_queue", "42").await?;
//! let job = client.brpop("task_queue", Duration::from_secs(5)).await?;      // None: nothing came
//! let mut news = client.subscribe("config").await?;
//! while let Some(message) = news.next().await { … }                        // None: the connection broke
//! ```
//!
//! A command whose connection breaks fails with [`Error::Lost`]: nobody knows whether the server ran it, so nothing is sent
//! again. The next command opens a new connection.

use super::reply::{Bytes, Reply};
use super::server::{Call, Wire};
use super::store::Words;
use crate::kernel::{Ctx, Duration, OneshotSender, Span, oneshot};
use crate::net::NodeId;
use crate::substrate::stream::{Conn, ConnectError, Outlet};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No connection could be opened.
    Connect(ConnectError),
    /// The connection broke before the reply came. The command may have been executed.
    Lost,
    /// No reply within the client's time limit. The command may have been executed.
    TimedOut(Duration),
    /// The server answered with this error, its code first.
    Server(String),
    /// The reply is of another kind than the command's.
    Unexpected,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Connect(error) => write!(f, "{error}"),
            Error::Lost => f.write_str("connection lost"),
            Error::TimedOut(limit) => write!(f, "no reply within {limit}"),
            Error::Server(text) => f.write_str(text),
            Error::Unexpected => f.write_str("unexpected reply"),
        }
    }
}

/// With the record that the reply follows from.
type Waiter = OneshotSender<(Result<Reply, Error>, Span)>;

/// The open connection and whoever waits on it, in the order in which they asked.
#[derive(Default)]
struct Link {
    outlet: Option<Outlet<Call>>,
    waiting: Rc<RefCell<VecDeque<Waiter>>>,
}

/// A client of one server. Cheap to clone: clones share the connection, and pipeline on it.
#[derive(Clone)]
pub struct Valkey {
    wire: Wire,
    node: NodeId,
    address: Rc<str>,
    limit: Duration,
    link: Rc<RefCell<Link>>,
    /// Whether a command opens a connection where there is none.
    opens: bool,
}

/// How long a client waits for a connection and for a reply, unless it is told otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

impl Valkey {
    /// A client on `node` of the server at `address`, such as `valkey:6379`. The connection is opened by the first command.
    pub fn connect(wire: &Wire, node: NodeId, address: &str) -> Self {
        Valkey {
            wire: wire.clone(),
            node,
            address: address.into(),
            limit: TIME_LIMIT,
            link: Rc::default(),
            opens: true,
        }
    }

    /// The same client with another time limit for connecting and for replies.
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The same client for as long as its connection lasts: what a server knows of a connection, such as a transaction that
    /// has begun, would be lost with it. A command that finds it broken fails with [`Error::Lost`].
    pub fn on_this_connection(&self) -> Self {
        Valkey { opens: false, ..self.clone() }
    }

    /// Sends a command and waits for its reply. Error replies are [`Error::Server`].
    pub async fn command<const N: usize>(&self, words: [&str; N]) -> Result<Reply, Error> {
        self.send(words.iter().map(|word| word.as_bytes().into()).collect()).await
    }

    /// [`command`](Self::command) for words that are no text, or whose number varies.
    pub async fn send(&self, words: Words) -> Result<Reply, Error> {
        let limit = self.limit;
        let exchange = self.exchange(words);
        self.wire.net().ctx().timeout(limit, exchange).await.unwrap_or(Err(Error::TimedOut(limit)))
    }

    /// Opens the connection if there is none: the next command leaves at once.
    pub async fn ready(&self) -> Result<(), Error> {
        let open = self.link.borrow().outlet.is_some();
        if open { Ok(()) } else { self.open().await.map(drop) }
    }

    async fn exchange(&self, words: Words) -> Result<Reply, Error> {
        let (reply, answered) = oneshot(self.wire.net().ctx());
        let open = self.link.borrow().outlet.clone();
        let outlet = match open {
            Some(outlet) => outlet,
            None if self.opens => self.open().await?,
            None => return Err(Error::Lost),
        };
        // Before the command leaves: its reply must find who waits.
        let waiting = Rc::clone(&self.link.borrow().waiting);
        waiting.borrow_mut().push_back(reply);
        if outlet.send(Call(words)).is_err() {
            waiting.borrow_mut().pop_back();
            self.link.borrow_mut().outlet = None;
            return Err(Error::Lost);
        }
        let (reply, span) = answered.await.map_err(|_| Error::Lost)?;
        let ctx = self.wire.net().ctx();
        // A connection that breaks is the cause of what follows, and not what the caller is busy with.
        let tag = if reply.is_ok() { span.tag } else { ctx.span().tag };
        ctx.set_span(Span { tag, ..span });
        check(reply?)
    }

    async fn open(&self) -> Result<Outlet<Call>, Error> {
        let conn = self.dial().await?;
        // Another task may have been quicker.
        if let Some(outlet) = self.link.borrow().outlet.clone() {
            return Ok(outlet);
        }
        let outlet = conn.outlet();
        let waiting = Rc::default();
        *self.link.borrow_mut() = Link { outlet: Some(outlet.clone()), waiting: Rc::clone(&waiting) };
        let link = Rc::downgrade(&self.link);
        let ctx = self.wire.net().ctx().clone();
        self.wire.net().ctx().spawn(async move {
            read(conn, &waiting, &ctx).await;
            if let Some(link) = link.upgrade() {
                // A newer connection has a queue of its own.
                if Rc::ptr_eq(&link.borrow().waiting, &waiting) {
                    link.borrow_mut().outlet = None;
                }
            }
            for waiter in waiting.take() {
                // Who has given up does not hear it.
                let _ = waiter.send((Err(Error::Lost), ctx.span()));
            }
        });
        Ok(outlet)
    }

    async fn dial(&self) -> Result<Conn<Call, Reply>, Error> {
        let dialled = self.wire.connect(self.node, &self.address);
        match self.wire.net().ctx().timeout(self.limit, dialled).await {
            Ok(conn) => conn.map_err(Error::Connect),
            Err(_) => Err(Error::Connect(ConnectError::TimedOut)),
        }
    }

    /// Sends a blocking command on a connection of its own, which is closed when the future is dropped: the server then
    /// gives its element to somebody else. No time limit but the command's own.
    pub async fn blocking(&self, words: Words) -> Result<Reply, Error> {
        let mut conn = self.dial().await?;
        conn.send(Call(words)).map_err(|_| Error::Lost)?;
        check(conn.recv().await.ok_or(Error::Lost)?)
    }

    // --- typed helpers ----------------------------------------------------------------------------------------

    /// PING
    pub async fn ping(&self) -> Result<(), Error> {
        self.command(["PING"]).await.map(drop)
    }

    /// LPUSH: the length of the list.
    pub async fn lpush(&self, key: &str, item: &str) -> Result<i64, Error> {
        int(self.command(["LPUSH", key, item]).await?)
    }

    /// RPUSH: the length of the list.
    pub async fn rpush(&self, key: &str, item: &str) -> Result<i64, Error> {
        int(self.command(["RPUSH", key, item]).await?)
    }

    /// LLEN
    pub async fn llen(&self, key: &str) -> Result<i64, Error> {
        int(self.command(["LLEN", key]).await?)
    }

    /// LRANGE
    pub async fn lrange(&self, key: &str, start: i64, stop: i64) -> Result<Vec<String>, Error> {
        texts(self.command(["LRANGE", key, &start.to_string(), &stop.to_string()]).await?)
    }

    /// LREM: how many were removed.
    pub async fn lrem(&self, key: &str, count: i64, item: &str) -> Result<i64, Error> {
        int(self.command(["LREM", key, &count.to_string(), item]).await?)
    }

    /// LMOVE `source` `target` RIGHT LEFT: the oldest job of a queue that is pushed at its head.
    pub async fn lmove(&self, source: &str, target: &str) -> Result<Option<String>, Error> {
        text(self.command(["LMOVE", source, target, "RIGHT", "LEFT"]).await?)
    }

    /// BRPOP: the element, or `None` after `wait`; zero waits for ever.
    pub async fn brpop(&self, key: &str, wait: Duration) -> Result<Option<String>, Error> {
        let wait = seconds(wait);
        let reply = self.blocking(words(["BRPOP", key, &wait])).await?;
        match reply {
            Reply::NilArray => Ok(None),
            reply => Ok(texts(reply)?.pop()),
        }
    }

    /// BLMOVE `source` `target` RIGHT LEFT: the element, or `None` after `wait`; zero waits for ever.
    pub async fn blmove(&self, source: &str, target: &str, wait: Duration) -> Result<Option<String>, Error> {
        let wait = seconds(wait);
        text(self.blocking(words(["BLMOVE", source, target, "RIGHT", "LEFT", &wait])).await?)
    }

    /// HSET: how many of the fields are new.
    pub async fn hset(&self, key: &str, fields: &[(&str, &str)]) -> Result<i64, Error> {
        let fields = fields.iter().flat_map(|(field, value)| [*field, *value]);
        let all = ["HSET", key].into_iter().chain(fields);
        int(self.send(all.map(|word| word.as_bytes().into()).collect()).await?)
    }

    /// HGET
    pub async fn hget(&self, key: &str, field: &str) -> Result<Option<String>, Error> {
        text(self.command(["HGET", key, field]).await?)
    }

    /// HGETALL: fields and values in order; none when there is no such key.
    pub async fn hgetall(&self, key: &str) -> Result<Fields, Error> {
        match self.command(["HGETALL", key]).await? {
            Reply::Array(words) if words.iter().all(|word| matches!(word, Reply::Bulk(_))) => {
                Ok(Fields(words))
            }
            _ => Err(Error::Unexpected),
        }
    }

    /// HINCRBY: the new value.
    pub async fn hincrby(&self, key: &str, field: &str, delta: i64) -> Result<i64, Error> {
        int(self.command(["HINCRBY", key, field, &delta.to_string()]).await?)
    }

    /// PEXPIRE: false when there is no such key.
    pub async fn expire(&self, key: &str, after: Duration) -> Result<bool, Error> {
        let millis = (after.as_nanos() / 1_000_000).to_string();
        Ok(int(self.command(["PEXPIRE", key, &millis]).await?)? == 1)
    }

    /// DEL: false when there was no such key.
    pub async fn del(&self, key: &str) -> Result<bool, Error> {
        Ok(int(self.command(["DEL", key]).await?)? == 1)
    }

    /// PUBLISH: how many subscribers it was sent to.
    pub async fn publish(&self, channel: &str, message: &str) -> Result<i64, Error> {
        int(self.command(["PUBLISH", channel, message]).await?)
    }

    /// SUBSCRIBE, on a connection of its own. Ready when the server has confirmed it.
    pub async fn subscribe(&self, channel: &str) -> Result<Subscription, Error> {
        let mut conn = self.dial().await?;
        conn.send(Call(words(["SUBSCRIBE", channel]))).map_err(|_| Error::Lost)?;
        let confirmed = self.wire.net().ctx().timeout(self.limit, conn.recv()).await;
        check(confirmed.map_err(|_| Error::TimedOut(self.limit))?.ok_or(Error::Lost)?)?;
        Ok(Subscription { conn })
    }
}

/// The fields of a hash and their values, in order. They are texts where somebody looks at them.
pub struct Fields(Vec<Reply>);

impl Fields {
    /// True for a hash that is not there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<Cow<'_, str>> {
        self.pairs().find(|(name, _)| ***name == *field.as_bytes()).map(|(_, value)| lossy(value))
    }

    /// Whether there is such a field.
    pub fn has(&self, field: &str) -> bool {
        self.pairs().any(|(name, _)| **name == *field.as_bytes())
    }

    fn pairs(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.0.chunks_exact(2).filter_map(|pair| match pair {
            [Reply::Bulk(name), Reply::Bulk(value)] => Some((name, value)),
            _ => None,
        })
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs().map(|(name, value)| (lossy(name), lossy(value)))).finish()
    }
}

/// Hands each reply to whoever asked first, until the connection breaks.
async fn read(mut conn: Conn<Call, Reply>, waiting: &RefCell<VecDeque<Waiter>>, ctx: &Ctx) {
    while let Some(reply) = conn.recv().await {
        let waiter = waiting.borrow_mut().pop_front();
        // Who has given up does not hear it.
        let _ = waiter.map(|waiter| waiter.send((Ok(reply), ctx.span())));
    }
}

/// Messages of a channel, in order, as long as the connection lasts.
pub struct Subscription {
    conn: Conn<Call, Reply>,
}

impl Subscription {
    /// The next message; `None` when the connection broke. What is published until the client has subscribed again is
    /// lost.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            let Reply::Array(parts) = self.conn.recv().await? else { continue };
            if let [Reply::Bulk(kind), _, Reply::Bulk(message)] = &parts[..]
                && **kind == *b"message"
            {
                return Some(owned(message));
            }
        }
    }
}

fn words<const N: usize>(words: [&str; N]) -> Words {
    words.iter().map(|word| word.as_bytes().into()).collect()
}

fn seconds(wait: Duration) -> String {
    format!("{}", wait.as_secs_f64())
}

/// Nearly everything is a text, which the plain check sees faster.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn owned(bytes: &Bytes) -> String {
    lossy(bytes).into_owned()
}

fn check(reply: Reply) -> Result<Reply, Error> {
    match reply {
        Reply::Error(text) => Err(Error::Server(text.into_owned())),
        reply => Ok(reply),
    }
}

fn int(reply: Reply) -> Result<i64, Error> {
    match reply {
        Reply::Int(n) => Ok(n),
        _ => Err(Error::Unexpected),
    }
}

fn text(reply: Reply) -> Result<Option<String>, Error> {
    match reply {
        Reply::Bulk(bytes) => Ok(Some(owned(&bytes))),
        Reply::NilBulk | Reply::NilArray => Ok(None),
        _ => Err(Error::Unexpected),
    }
}

fn texts(reply: Reply) -> Result<Vec<String>, Error> {
    match reply {
        Reply::Array(items) => items.into_iter().map(|item| text(item)?.ok_or(Error::Unexpected)).collect(),
        _ => Err(Error::Unexpected),
    }
}
