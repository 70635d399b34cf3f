//! What streams and consumers are asked to be, with the names, units (nanoseconds) and defaults of JetStream's API.

use crate::kernel::Duration;
use crate::substrate::body::{Message, text_length, value_length};
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// The API's errors: HTTP-like code, JetStream's own code, and a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// As in HTTP: 400, 404, 503.
    pub code: u16,
    /// JetStream's own.
    pub err_code: u16,
    /// For people.
    pub description: String,
}

impl ApiError {
    pub(super) fn new(code: u16, err_code: u16, description: &str) -> Self {
        ApiError { code, err_code, description: description.to_owned() }
    }
}

/// What a publisher hears of its message.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::substrate::nats) struct PublishAnswer {
    /// Why it is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::substrate::nats) error: Option<ApiError>,
    /// The stream that it is for.
    pub(in crate::substrate::nats) stream: Rc<str>,
    /// Its number there; 0 with an error.
    pub(in crate::substrate::nats) seq: u64,
    /// The stream had it already.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(in crate::substrate::nats) duplicate: bool,
}

impl Message for PublishAnswer {
    fn length(&self) -> Option<usize> {
        let stored = self.error.is_none() && !self.duplicate;
        stored.then(|| r#"{"stream":,"seq":}"#.len() + text_length(&self.stream) + value_length(&self.seq))
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Where a stream keeps its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// On disk: they survive the broker.
    #[default]
    File,
    /// In memory: they do not.
    Memory,
}

/// When a stream lets a message go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    /// At its limits only.
    #[default]
    Limits,
    /// When all consumers have acknowledged it.
    Interest,
    /// When the consumer has acknowledged it.
    Workqueue,
}

/// What happens at a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discard {
    /// The oldest message goes.
    #[default]
    Old,
    /// The new message is refused.
    New,
}

/// Which messages need an acknowledgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AckPolicy {
    /// None.
    #[default]
    None,
    /// One acknowledgement covers all before it.
    All,
    /// Each.
    Explicit,
}

/// Where a new consumer begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliverPolicy {
    /// At the first message that the stream holds.
    #[default]
    All,
    /// At the last.
    Last,
    /// Behind the last.
    New,
    /// At `opt_start_seq`.
    ByStartSequence,
    /// At the last message of each subject.
    LastPerSubject,
}

/// A stream. Limits of −1 are none; durations are nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamConfig {
    /// Its name: no dots, no blanks.
    pub name: String,
    /// What it stores; its name, if empty.
    pub subjects: Vec<String>,
    /// When messages go.
    pub retention: Retention,
    /// How many messages it holds.
    pub max_msgs: i64,
    /// How many bytes it holds.
    pub max_bytes: i64,
    /// How old a message becomes; 0 is no limit.
    pub max_age: u64,
    /// How large a message may be.
    pub max_msg_size: i64,
    /// Where messages are kept.
    pub storage: Storage,
    /// What happens at a limit.
    pub discard: Discard,
    /// Always 1: there is one broker.
    pub num_replicas: u32,
    /// How long a `Nats-Msg-Id` is remembered.
    pub duplicate_window: u64,
}

impl Default for StreamConfig {
    fn default() -> Self {
        StreamConfig {
            name: String::new(),
            subjects: Vec::new(),
            retention: Retention::default(),
            max_msgs: -1,
            max_bytes: -1,
            max_age: 0,
            max_msg_size: -1,
            storage: Storage::default(),
            discard: Discard::default(),
            num_replicas: 1,
            duplicate_window: 0,
        }
    }
}

impl StreamConfig {
    /// A stream on disk without limits.
    pub fn new(name: &str, subjects: &[&str]) -> Self {
        let subjects = subjects.iter().map(|&subject| subject.to_owned()).collect();
        StreamConfig { name: name.to_owned(), subjects, ..StreamConfig::default() }
    }
}

/// A consumer. Durations are nanoseconds; zeros and empty texts stand for the defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsumerConfig {
    /// Its name, if it outlives its users.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub durable_name: String,
    /// Its name otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it begins.
    pub deliver_policy: DeliverPolicy,
    /// With [`DeliverPolicy::ByStartSequence`].
    #[serde(skip_serializing_if = "is_zero")]
    pub opt_start_seq: u64,
    /// What is to be acknowledged.
    pub ack_policy: AckPolicy,
    /// After how long a message that was not acknowledged is delivered again: 30 s.
    #[serde(skip_serializing_if = "is_zero")]
    pub ack_wait: u64,
    /// How often a message is delivered at most; −1, the default, is without limit.
    pub max_deliver: i64,
    /// In place of `ack_wait`, for each delivery in turn; the last for all that follow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub backoff: Vec<u64>,
    /// Which of the stream's subjects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter_subject: String,
    /// Always instant.
    pub replay_policy: Replay,
    /// How many pull requests may wait: 512.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_waiting: u64,
    /// How many messages may be unacknowledged: 1000; −1 is without limit.
    pub max_ack_pending: i64,
    /// Where messages are pushed to; a consumer without is pulled from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub deliver_subject: String,
    /// The queue group there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub deliver_group: String,
    /// At most 1: there is one broker.
    #[serde(skip_serializing_if = "is_zero")]
    pub num_replicas: u64,
}

/// How fast stored messages are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Replay {
    /// At once.
    #[default]
    Instant,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl ConsumerConfig {
    /// A durable pull consumer whose messages are acknowledged one by one.
    pub fn durable(name: &str) -> Self {
        ConsumerConfig {
            durable_name: name.to_owned(),
            ack_policy: AckPolicy::Explicit,
            ..ConsumerConfig::default()
        }
    }

    pub(super) fn with_defaults(mut self) -> Self {
        if let Some(&first) = self.backoff.first() {
            self.ack_wait = first;
        } else if self.ack_wait == 0 && self.ack_policy != AckPolicy::None {
            self.ack_wait = 30_000_000_000;
        }
        if self.max_deliver == 0 {
            self.max_deliver = -1;
        }
        if self.is_pull() && self.max_waiting == 0 {
            self.max_waiting = 512;
        }
        if self.ack_policy != AckPolicy::None && self.max_ack_pending == 0 {
            self.max_ack_pending = 1000;
        }
        self
    }

    pub(super) fn is_pull(&self) -> bool {
        self.deliver_subject.is_empty()
    }

    /// How long to wait for the acknowledgement of a message that was delivered again so many times.
    pub(super) fn patience(&self, redelivered: u64) -> Duration {
        let last = self.backoff.len().saturating_sub(1);
        let nanos = self.backoff.get((redelivered as usize).min(last)).unwrap_or(&self.ack_wait);
        Duration::from_nanos(*nanos)
    }
}
