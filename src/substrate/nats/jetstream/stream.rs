//! A stream: the messages that it holds, its limits, its memory of message ids, its consumers.

use super::config::{ApiError, Discard, Retention, StreamConfig};
use super::consumer::Consumer;
use super::outbox::Outbox;
use crate::kernel::{Duration, Instant};
use crate::substrate::nats::{Bytes, Headers, Published, STORED, subject};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// A message in a stream.
pub(super) struct Stored {
    pub(super) subject: Rc<str>,
    pub(super) headers: Option<Headers>,
    pub(super) payload: Bytes,
    pub(super) at: Instant,
}

impl Stored {
    fn size(&self) -> u64 {
        (self.subject.len() + self.payload.len() + self.headers.as_ref().map_or(0, Headers::size)) as u64
    }
}

/// The messages of a stream by sequence number.
#[derive(Default)]
pub(super) struct Messages {
    by_seq: BTreeMap<u64, Stored>,
    last: u64,
    bytes: u64,
}

impl Messages {
    pub(super) fn get(&self, seq: u64) -> Option<&Stored> {
        self.by_seq.get(&seq)
    }

    pub(super) fn from(&self, seq: u64) -> impl Iterator<Item = (u64, &Stored)> {
        self.by_seq.range(seq..).map(|(&seq, stored)| (seq, stored))
    }

    pub(super) fn count_from(&self, seq: u64) -> u64 {
        let first = self.first();
        if self.len() == self.last + 1 - first {
            return (self.last + 1).saturating_sub(seq.max(first));
        }
        self.by_seq.range(seq..).count() as u64
    }

    /// The sequence number of the first message; of the next one, if there is none.
    pub(super) fn first(&self) -> u64 {
        self.by_seq.keys().next().copied().unwrap_or(self.last + 1)
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn len(&self) -> u64 {
        self.by_seq.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn push(&mut self, stored: Stored) {
        self.last += 1;
        self.bytes += stored.size();
        self.by_seq.insert(self.last, stored);
    }

    fn remove(&mut self, seq: u64) {
        if let Some(stored) = self.by_seq.remove(&seq) {
            self.bytes -= stored.size();
        }
    }
}

pub(super) struct Stream {
    pub(super) config: StreamConfig,
    pub(super) name: Rc<str>,
    pub(super) messages: Messages,
    pub(super) consumers: BTreeMap<String, Consumer>,
    /// The sequence numbers of message ids, and when each is to be forgotten.
    ids: BTreeMap<String, u64>,
    ids_by_age: VecDeque<(Instant, String)>,
}

impl Stream {
    pub(super) fn new(config: StreamConfig) -> Self {
        Stream {
            name: config.name.as_str().into(),
            config,
            messages: Messages::default(),
            consumers: BTreeMap::new(),
            ids: BTreeMap::new(),
            ids_by_age: VecDeque::new(),
        }
    }

    pub(super) fn covers(&self, subject: &str) -> bool {
        self.config.subjects.iter().any(|pattern| subject::matches(pattern, subject))
    }

    pub(super) fn info(&self) -> Value {
        json!({
            "config": &self.config,
            "state": {
                "messages": self.messages.len(),
                "bytes": self.messages.bytes(),
                "first_seq": self.messages.first(),
                "last_seq": self.messages.last(),
                "consumer_count": self.consumers.len(),
            },
        })
    }

    // --- storing ----------------------------------------------------------------------------------------------

    /// Stores a message, and says so to whom it asks for.
    pub(super) fn store(&mut self, message: &Published, outbox: &mut Outbox) {
        let answer = match self.try_store(message, outbox) {
            Ok((seq, false)) => json!({"stream": &*self.name, "seq": seq}),
            Ok((seq, true)) => json!({"stream": &*self.name, "seq": seq, "duplicate": true}),
            Err(error) => json!({"error": error, "stream": &*self.name, "seq": 0}),
        };
        if let Some(reply) = &message.reply {
            outbox.json(reply, &answer);
        }
        self.pump(outbox);
    }

    /// The message's sequence number, and whether it was there before.
    fn try_store(&mut self, message: &Published, outbox: &mut Outbox) -> Result<(u64, bool), ApiError> {
        let now = outbox.now();
        let header = |name: &str| message.headers.as_ref().and_then(|headers| headers.get(name));
        if self.config.max_msg_size >= 0 && message.size() as i64 > self.config.max_msg_size {
            return Err(ApiError::new(400, 10054, "message size exceeds maximum allowed"));
        }
        if header("Nats-Expected-Stream").is_some_and(|stream| stream != &*self.name) {
            return Err(ApiError::new(400, 10060, "expected stream does not match"));
        }
        self.forget_ids(now);
        let id = header("Nats-Msg-Id").map(str::to_owned);
        if let Some(&seq) = id.as_ref().and_then(|id| self.ids.get(id)) {
            return Ok((seq, true));
        }
        let last = self.messages.last();
        if header("Nats-Expected-Last-Sequence").is_some_and(|text| text.parse() != Ok(last)) {
            return Err(ApiError::new(400, 10071, &format!("wrong last sequence: {last}")));
        }
        let stored = Stored {
            subject: Rc::clone(&message.subject),
            headers: message.headers.clone(),
            payload: Rc::clone(&message.payload),
            at: now,
        };
        if self.config.discard == Discard::New {
            if self.config.max_msgs >= 0 && self.messages.len() as i64 >= self.config.max_msgs {
                return Err(ApiError::new(503, 10077, "maximum messages exceeded"));
            }
            if self.config.max_bytes >= 0
                && (self.messages.bytes() + stored.size()) as i64 > self.config.max_bytes
            {
                return Err(ApiError::new(503, 10077, "maximum bytes exceeded"));
            }
        }
        let unwanted = self.config.retention == Retention::Interest
            && !self.consumers.values().any(|consumer| consumer.wants(&message.subject));
        self.messages.push(stored);
        let seq = self.messages.last();
        outbox.record(STORED, seq);
        if let Some(id) = id {
            self.ids.insert(id.clone(), seq);
            self.ids_by_age.push_back((now + Duration::from_nanos(self.config.duplicate_window), id));
        }
        if unwanted {
            self.messages.remove(seq);
        }
        self.enforce_limits(now);
        Ok((seq, false))
    }

    fn forget_ids(&mut self, now: Instant) {
        while self.ids_by_age.front().is_some_and(|&(until, _)| until <= now) {
            if let Some((_, id)) = self.ids_by_age.pop_front() {
                self.ids.remove(&id);
            }
        }
    }

    /// Drops the oldest messages until all limits are kept.
    pub(super) fn enforce_limits(&mut self, now: Instant) {
        let StreamConfig { max_msgs, max_bytes, .. } = self.config;
        let before = self.messages.first();
        loop {
            let first = self.messages.first();
            let too_many = max_msgs >= 0 && self.messages.len() as i64 > max_msgs;
            let too_much = max_bytes >= 0 && self.messages.bytes() as i64 > max_bytes;
            let too_old = self.oldest_ends().is_some_and(|end| end <= now);
            if self.messages.len() == 0 || !(too_many || too_much || too_old) {
                break;
            }
            self.messages.remove(first);
        }
        if self.messages.first() > before {
            self.forget_removed();
        }
    }

    /// When the oldest message reaches the greatest age.
    fn oldest_ends(&self) -> Option<Instant> {
        let (_, oldest) = self.messages.from(0).next()?;
        (self.config.max_age > 0).then(|| oldest.at + Duration::from_nanos(self.config.max_age))
    }

    fn forget_removed(&mut self) {
        let first = self.messages.first();
        for consumer in self.consumers.values_mut() {
            consumer.forget_below(first);
        }
    }

    /// Removes all messages; says how many there were.
    pub(super) fn purge(&mut self) -> u64 {
        let count = self.messages.len();
        self.messages = Messages { last: self.messages.last(), ..Messages::default() };
        self.forget_removed();
        count
    }

    // --- consumers --------------------------------------------------------------------------------------------

    /// Lets every consumer deliver what it can.
    pub(super) fn pump(&mut self, outbox: &mut Outbox) {
        let mut done = Vec::new();
        for consumer in self.consumers.values_mut() {
            done.extend(consumer.pump(&self.messages, outbox));
        }
        self.release(&done);
    }

    /// Lets one consumer deliver what it can.
    pub(super) fn pump_one(&mut self, consumer: &str, outbox: &mut Outbox) {
        let Some(consumer) = self.consumers.get_mut(consumer) else {
            return;
        };
        let done = consumer.pump(&self.messages, outbox);
        self.release(&done);
    }

    /// Consumers are done with these messages: what the retention says happens to them.
    pub(super) fn release(&mut self, done: &[u64]) {
        if self.config.retention == Retention::Limits {
            return;
        }
        for &seq in done {
            let needed = self.messages.get(seq).is_some_and(|stored| {
                self.consumers.values().any(|consumer| consumer.needs(seq, &stored.subject))
            });
            if !needed {
                self.messages.remove(seq);
            }
        }
    }

    /// What is due now: ages, acknowledgements, requests.
    pub(super) fn tick(&mut self, outbox: &mut Outbox) {
        let now = outbox.now();
        if self.deadline() > now {
            return;
        }
        self.enforce_limits(now);
        for consumer in self.consumers.values_mut() {
            consumer.expire(now);
        }
        self.pump(outbox);
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Instant {
        let age = self.oldest_ends().unwrap_or(Instant::MAX);
        self.consumers.values().map(Consumer::deadline).fold(age, Instant::min)
    }
}
