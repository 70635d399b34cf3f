//! What travels between client and server: the operations and frames of the NATS client protocol, as typed values.

use crate::net::Payload;
use crate::substrate::body::Body;
use crate::substrate::stream::Segment;
use std::rc::Rc;

/// A header block without its final blank line: a version and status line, then `Name: value` lines, apart by CRLF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers(pub Rc<str>);

impl Headers {
    /// A block of these fields.
    pub fn of(fields: &[(&str, &str)]) -> Self {
        let room = |(name, value): &(&str, &str)| name.len() + value.len() + 4;
        let mut text = String::with_capacity(8 + fields.iter().map(room).sum::<usize>());
        text.push_str("NATS/1.0");
        for (name, value) in fields {
            text.extend(["\r\n", name, ": ", value]);
        }
        Headers(text.into())
    }

    /// A field's value; names are compared as they are.
    pub fn get(&self, name: &str) -> Option<&str> {
        let [value] = self.values([name]);
        value.map(str::trim)
    }

    /// What stands behind fields' names and colons, of each where it is first. Line ends are looked for byte by byte: a search
    /// for a text, made for long ones, costs more before it begins.
    fn values<const N: usize>(&self, names: [&str; N]) -> [Option<&str>; N] {
        let mut values = [None; N];
        let mut lines = lines_of(&self.0);
        // The first line has the version and the status.
        lines.next();
        for line in lines {
            for (name, value) in names.into_iter().zip(&mut values) {
                if value.is_none() {
                    *value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
                }
            }
        }
        values
    }

    /// Fields' values as the server itself reads them: only blanks before them do not count. `None` for those that are empty.
    pub(super) fn given<const N: usize>(&self, names: [&str; N]) -> [Option<&str>; N] {
        let values = self.values(names).map(|value| value.map(|value| value.trim_start_matches(' ')));
        values.map(|value| value.filter(|value| !value.is_empty()))
    }

    /// The status code, such as 503.
    pub fn status(&self) -> Option<u16> {
        self.0.strip_prefix("NATS/1.0 ")?.get(..3)?.parse().ok()
    }

    /// Bytes on the wire, the blank line included.
    pub fn size(&self) -> usize {
        self.0.len() + 4
    }
}

/// The lines of a block.
fn lines_of(block: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(block);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.as_bytes().windows(2).position(|two| two == b"\r\n");
        rest = end.map(|end| &text[end + 2..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// A message as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Where it goes.
    pub subject: Rc<str>,
    /// Where an answer goes.
    pub reply: Option<Rc<str>>,
    /// Its header block.
    pub headers: Option<Headers>,
    /// Its content.
    pub payload: Body,
}

impl Published {
    /// A message without reply and headers.
    pub fn new(subject: impl Into<Rc<str>>, payload: impl Into<Body>) -> Self {
        Published { subject: subject.into(), reply: None, headers: None, payload: payload.into() }
    }

    /// Headers and payload, as the limit on payloads counts them.
    pub fn size(&self) -> usize {
        self.payload.len() + self.headers.as_ref().map_or(0, Headers::size)
    }

    /// The bytes of the line that announces it.
    fn line(&self) -> usize {
        self.subject.len() + self.reply.as_ref().map_or(0, |reply| reply.len() + 1) + 16
    }
}

/// What a client says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Answer every operation with `+OK`.
    pub verbose: bool,
    /// Check the subjects of what is published.
    pub pedantic: bool,
    /// Deliver what this connection publishes to its own subscriptions.
    pub echo: bool,
    /// The client understands headers.
    pub headers: bool,
    /// Answer a request that nobody hears with status 503.
    pub no_responders: bool,
    /// The token, where the server asks for one.
    pub auth_token: Option<String>,
}

impl Default for ConnectOptions {
    /// The server's defaults for what a client leaves out.
    fn default() -> Self {
        ConnectOptions {
            verbose: true,
            pedantic: true,
            echo: true,
            headers: false,
            no_responders: false,
            auth_token: None,
        }
    }
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// CONNECT
    Connect(Box<ConnectOptions>),
    /// PUB and HPUB
    Pub(Published),
    /// SUB
    Sub {
        /// The pattern.
        subject: Rc<str>,
        /// The queue group.
        queue: Option<Rc<str>>,
        /// The client's number for it.
        sid: u64,
    },
    /// UNSUB
    Unsub {
        /// The client's number of the subscription.
        sid: u64,
        /// After so many messages, counted from the subscription's start.
        max: Option<u64>,
    },
    /// PING
    Ping,
    /// PONG
    Pong,
    /// A verb that the protocol does not have.
    Unknown,
    /// A known verb with arguments that make no sense.
    Malformed,
}

impl Op {
    /// The length of its control line in bytes.
    pub fn control_line(&self) -> usize {
        match self {
            Op::Pub(message) => message.line(),
            Op::Sub { subject, queue, .. } => subject.len() + queue.as_ref().map_or(0, |q| q.len()) + 12,
            _ => 16,
        }
    }
}

impl Segment for Op {
    fn size(&self) -> usize {
        match self {
            Op::Pub(message) => message.line() + message.size(),
            Op::Connect(_) => 160,
            other => other.control_line(),
        }
    }

    fn payload(&self) -> Payload {
        match self {
            // Acknowledgements and calls of the API keep things going; the rest is what people send.
            Op::Pub(message) if !message.subject.starts_with("$JS.") => Payload::Message,
            _ => Payload::Control,
        }
    }
}

/// What a server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Bytes that a message may have, headers included.
    pub max_payload: usize,
    /// JetStream is on.
    pub jetstream: bool,
    /// A token is asked for.
    pub auth_required: bool,
    /// The server is about to end: lame duck mode.
    pub ldm: bool,
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// INFO
    Info(Info),
    /// MSG and HMSG
    Msg {
        /// The client's number of the subscription.
        sid: u64,
        /// The message.
        message: Published,
    },
    /// PING
    Ping,
    /// PONG
    Pong,
    /// +OK
    Ok,
    /// -ERR
    Err(&'static str),
}

impl Segment for Frame {
    fn size(&self) -> usize {
        match self {
            Frame::Info(_) => 300,
            Frame::Msg { message, .. } => message.line() + 8 + message.size(),
            Frame::Err(text) => text.len() + 9,
            Frame::Ping | Frame::Pong | Frame::Ok => 6,
        }
    }

    fn payload(&self) -> Payload {
        match self {
            // A status without content, and an answer of the API, keep things going.
            Frame::Msg { message, .. } => {
                if message.payload.is_empty()
                    || message.subject.starts_with("_INBOX.") && message.reply.is_none()
                {
                    Payload::Control
                } else {
                    Payload::Message
                }
            }
            _ => Payload::Control,
        }
    }
}
