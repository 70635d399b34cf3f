//! JetStream through a client: streams, publishing with an answer, pull consumers, acknowledgements.

use super::super::jetstream::{ApiError, ConsumerConfig, PublishAnswer, StreamConfig};
use super::super::protocol::Published;
use super::{Message, NatsClient, NatsError, Subscription, subject};
use crate::kernel::Duration;
use crate::substrate::body::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;

/// How long the API and a publish may take, and how often a publish that no stream hears is tried, how far apart:
/// the library's defaults.
const API_TIMEOUT: Duration = Duration::from_secs(5);
const PUBLISH_TRIES: u32 = 3;
const PUBLISH_WAIT: Duration = Duration::from_millis(250);
/// How long a pull request waits at the server. A restart of the broker forgets it: this is how long it takes at most
/// until the consumer asks again.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// What an answer to a pull request may take beyond that.
const PULL_GRACE: Duration = Duration::from_secs(1);

/// The server's answer to a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PubAck {
    /// Which stream stored it.
    pub stream: Rc<str>,
    /// Its sequence number there.
    pub seq: u64,
    /// The stream had it already: its `Nats-Msg-Id` is known.
    pub duplicate: bool,
}

/// JetStream, as a client uses it.
#[derive(Clone)]
pub struct JetStream {
    client: NatsClient,
}

impl JetStream {
    pub(super) fn new(client: NatsClient) -> Self {
        JetStream { client }
    }

    /// Calls the API: `STREAM.INFO.ORACLE`, for example. The answer's error becomes [`NatsError::Api`].
    pub async fn call(&self, call: &str, request: &impl Serialize) -> Result<Value, NatsError> {
        let request = Body::json(request);
        let answer = self.client.request(&["$JS.API.", call].concat(), request, API_TIMEOUT).await?;
        checked(&answer)
    }

    /// Makes a stream; one that is there with the same settings stays as it is.
    pub async fn add_stream(&self, config: &StreamConfig) -> Result<(), NatsError> {
        self.call(&["STREAM.CREATE.", &config.name].concat(), config).await.map(drop)
    }

    /// Publishes, and waits until a stream has stored the message.
    pub async fn publish(&self, subject: &str, payload: impl Into<Body>) -> Result<PubAck, NatsError> {
        self.publish_message(Published::new(subject, payload)).await
    }

    /// Publishes a message with an id that keeps it from being stored twice.
    pub async fn publish_once(
        &self,
        subject: &str,
        id: &str,
        payload: impl Into<Body>,
    ) -> Result<PubAck, NatsError> {
        let message = Published::new(self.client.subject(subject), payload);
        self.publish_message(message.with_headers(&[("Nats-Msg-Id", id)])).await
    }

    async fn publish_message(&self, message: Published) -> Result<PubAck, NatsError> {
        for _ in 1..PUBLISH_TRIES {
            match self.client.request_message(message.clone(), API_TIMEOUT).await {
                Err(NatsError::NoResponders) => self.client.ctx().sleep(PUBLISH_WAIT).await,
                answer => return ack_of(&answer?),
            }
        }
        match self.client.request_message(message, API_TIMEOUT).await {
            Err(NatsError::NoResponders) => Err(NatsError::NoStreamResponse),
            answer => ack_of(&answer?),
        }
    }

    /// Makes a pull consumer, or finds the one that is there.
    pub async fn consumer(&self, stream: &str, config: &ConsumerConfig) -> Result<Consumer, NatsError> {
        let call = match config.durable_name.as_str() {
            "" => ["CONSUMER.CREATE.", stream].concat(),
            name => ["CONSUMER.DURABLE.CREATE.", stream, ".", name].concat(),
        };
        let answer = self.call(&call, &json!({"stream_name": stream, "config": config})).await?;
        let name = answer["name"].as_str().ok_or(NatsError::BadResponse)?.to_owned();
        let inbox = self.client.new_inbox();
        let messages = self.client.subscribe(&inbox)?;
        Ok(Consumer {
            client: self.client.clone(),
            next: ["$JS.API.CONSUMER.MSG.NEXT.", stream, ".", &name].concat(),
            info: ["CONSUMER.INFO.", stream, ".", &name].concat(),
            inbox,
            messages: RefCell::new(Some(messages)),
        })
    }
}

fn checked(answer: &Message) -> Result<Value, NatsError> {
    let value: Value = answer.payload.parse().map_err(|_| NatsError::BadResponse)?;
    match value.get("error") {
        Some(error) => Err(ApiError::deserialize(error).map_or(NatsError::BadResponse, NatsError::Api)),
        None => Ok(value),
    }
}

fn ack_of(answer: &Message) -> Result<PubAck, NatsError> {
    let answer = answer.payload.read::<PublishAnswer>().map_err(|_| NatsError::BadResponse)?;
    match &answer.error {
        Some(error) => Err(NatsError::Api(error.clone())),
        None => {
            Ok(PubAck { stream: Rc::clone(&answer.stream), seq: answer.seq, duplicate: answer.duplicate })
        }
    }
}

/// A pull consumer.
pub struct Consumer {
    client: NatsClient,
    next: String,
    info: String,
    inbox: Rc<str>,
    messages: RefCell<Option<Subscription>>,
}

impl Consumer {
    /// The next message, however long it takes; asks anew when a request has run out or a broker has forgotten it.
    /// One task at a time may wait: a second one gets [`NatsError::Timeout`].
    pub async fn next(&self) -> Result<JsMessage, NatsError> {
        let mut messages = Borrowed { place: &self.messages, taken: self.messages.take() };
        let messages = messages.taken.as_mut().ok_or(NatsError::Timeout)?;
        let request = json!({"batch": 1, "expires": PULL_EXPIRES.as_nanos()}).to_string();
        loop {
            self.client.publish_with_reply(&self.next, &self.inbox, request.as_bytes())?;
            let waiting = messages.next();
            match self.client.ctx().timeout(PULL_EXPIRES + PULL_GRACE, waiting).await {
                Ok(None) => return Err(NatsError::ConnectionClosed),
                Ok(Some(message)) if message.status().is_none() => {
                    return Ok(JsMessage { client: self.client.clone(), message, settled: Cell::new(false) });
                }
                // Run out, or nobody there: asked anew.
                Ok(Some(message)) if message.status() == Some(503) => {
                    self.client.ctx().sleep(PUBLISH_WAIT).await;
                }
                Ok(Some(_)) | Err(_) => {}
            }
        }
    }

    /// The consumer's figures, as the API tells them.
    pub async fn info(&self) -> Result<Value, NatsError> {
        self.client.jetstream().call(&self.info, &json!({})).await
    }
}

/// Puts the subscription back when the wait for a message ends, in whatever way.
struct Borrowed<'a> {
    place: &'a RefCell<Option<Subscription>>,
    taken: Option<Subscription>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(taken) = self.taken.take() {
            *self.place.borrow_mut() = Some(taken);
        }
    }
}

/// A message that JetStream delivered, to be acknowledged.
pub struct JsMessage {
    client: NatsClient,
    message: Message,
    settled: Cell<bool>,
}

impl Deref for JsMessage {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

impl JsMessage {
    /// What a push consumer's subscription has received.
    pub fn of(client: &NatsClient, message: Message) -> Self {
        JsMessage { client: client.clone(), message, settled: Cell::new(false) }
    }

    /// A part of the token in the reply subject: 4 deliveries, 5 and 6 the sequence numbers of stream and consumer.
    fn token(&self, place: usize) -> u64 {
        let reply = self.message.reply.as_deref().unwrap_or_default();
        subject::tokens(reply).nth(place).and_then(|part| part.parse().ok()).unwrap_or(0)
    }

    /// The how-manieth delivery this is; 1 for the first.
    pub fn delivered(&self) -> u64 {
        self.token(4)
    }

    /// Its sequence number in the stream.
    pub fn stream_seq(&self) -> u64 {
        self.token(5)
    }

    /// The sequence number of this delivery.
    pub fn consumer_seq(&self) -> u64 {
        self.token(6)
    }

    /// Done: it is not delivered again.
    pub fn ack(&self) -> Result<(), NatsError> {
        self.settle(b"+ACK")
    }

    /// Not done: it is delivered again, at once or after `delay`.
    pub fn nak(&self, delay: Option<Duration>) -> Result<(), NatsError> {
        match delay {
            None => self.settle(b"-NAK"),
            Some(delay) => self.settle(format!("-NAK {{\"delay\": {}}}", delay.as_nanos())),
        }
    }

    /// Never to be delivered again.
    pub fn term(&self) -> Result<(), NatsError> {
        self.settle(b"+TERM")
    }

    /// Still at it: the time for the acknowledgement begins anew.
    pub fn in_progress(&self) -> Result<(), NatsError> {
        if self.settled.get() {
            return Err(NatsError::NotAckable);
        }
        self.say(b"+WPI")
    }

    /// Done, and the server has heard it, or not within `limit`.
    pub async fn ack_sync(&self, limit: Duration) -> Result<(), NatsError> {
        if self.settled.replace(true) {
            return Err(NatsError::NotAckable);
        }
        let reply = self.message.reply.as_deref().ok_or(NatsError::NotAckable)?;
        self.client.request(reply, b"+ACK", limit).await.map(drop)
    }

    fn settle(&self, word: impl Into<Body>) -> Result<(), NatsError> {
        if self.settled.replace(true) {
            return Err(NatsError::NotAckable);
        }
        self.say(word)
    }

    fn say(&self, word: impl Into<Body>) -> Result<(), NatsError> {
        let reply = self.message.reply.as_ref().ok_or(NatsError::NotAckable)?;
        self.client.publish_message(Published::new(Rc::clone(reply), word))
    }
}
