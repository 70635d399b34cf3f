//! A stream: the messages that it holds, its limits, its memory of message ids, its consumers.
//!
//! What a message costs does not grow with what is stored, nor with consumers that it does not concern: they have their
//! deadlines in an index, and count what is ahead of them as messages come and go.

use super::config::{ApiError, ConsumerConfig, Discard, PublishAnswer, Retention, StreamConfig};
use super::consumer::Consumer;
use super::messages::{Messages, Stored};
use super::outbox::Outbox;
use crate::kernel::{Duration, Instant, SortedMap};
use crate::net::LookUp;
use crate::substrate::body::Json;
use crate::substrate::nats::subject::Pattern;
use crate::substrate::nats::{Published, STORED};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

pub(super) struct Stream {
    pub(super) config: StreamConfig,
    patterns: Vec<Pattern>,
    pub(super) name: Rc<str>,
    pub(super) messages: Messages,
    pub(super) consumers: SortedMap<Rc<str>, Consumer>,
    /// Consumers that have something to do by themselves, soonest first; some of them later than it says here.
    due: BTreeSet<(Instant, Rc<str>)>,
    /// How often a consumer was set up, anew or otherwise than before.
    set_up: u64,
    /// The sequence numbers of message ids, only looked up; and when each is to be forgotten.
    ids: LookUp<Rc<str>, u64>,
    ids_by_age: VecDeque<(Instant, Rc<str>)>,
}

impl Stream {
    pub(super) fn new(config: StreamConfig) -> Self {
        Stream {
            name: config.name.as_str().into(),
            patterns: config.subjects.iter().map(|subject| Pattern::new(subject)).collect(),
            messages: Messages::of(config.storage),
            config,
            consumers: SortedMap::default(),
            due: BTreeSet::new(),
            set_up: 0,
            ids: LookUp::default(),
            ids_by_age: VecDeque::new(),
        }
    }

    /// Changes its configuration; stricter limits hold at once.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn reconfigure(&mut self, config: StreamConfig, now: Instant) {
        self.patterns = config.subjects.iter().map(|subject| Pattern::new(subject)).collect();
        self.config = config;
        self.enforce_limits(now);
    }

    pub(super) fn covers(&self, subject: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(subject))
    }

    pub(super) fn info(&self) -> Value {
        let mut info = json!({
            "config": &self.config,
            "state": {
                "messages": self.messages.len(),
                "bytes": self.messages.bytes(),
                "first_seq": self.messages.first_told(),
                "last_seq": self.messages.last(),
                "consumer_count": self.consumers.len(),
            },
        });
        if self.messages.deleted() > 0 {
            info["state"]["num_deleted"] = self.messages.deleted().into();
        }
        info
    }

    // --- storing ----------------------------------------------------------------------------------------------

    /// Stores a message, and says so to whom it asks for.
    pub(super) fn store(&mut self, message: &Published, outbox: &mut Outbox) {
        let stored = self.try_store(message, outbox);
        if let Some(reply) = &message.reply {
            let stream = Rc::clone(&self.name);
            let answer = match stored {
                Ok((seq, duplicate)) => PublishAnswer { error: None, stream, seq, duplicate },
                Err(error) => PublishAnswer { error: Some(error), stream, seq: 0, duplicate: false },
            };
            outbox.send(reply, reply, None, None, Json::new(answer).into());
        }
        self.pump(outbox);
    }

    /// The message's sequence number, and whether it was there before.
    fn try_store(&mut self, message: &Published, outbox: &mut Outbox) -> Result<(u64, bool), ApiError> {
        let now = outbox.now();
        let names = ["Nats-Expected-Stream", "Nats-Msg-Id", "Nats-Expected-Last-Sequence"];
        let [expected, id, expected_last] =
            message.headers.as_ref().map(|all| all.given(names)).unwrap_or_default();
        if expected.is_some_and(|stream| stream != &*self.name) {
            return Err(ApiError::new(400, 10060, "expected stream does not match"));
        }
        self.forget_ids(now);
        if let Some(&seq) = id.and_then(|id| self.ids.get(id)) {
            return Ok((seq, true));
        }
        let last = self.messages.last();
        if expected_last.is_some_and(|text| text.parse() != Ok(last)) {
            return Err(ApiError::new(400, 10071, &format!("wrong last sequence: {last}")));
        }
        if self.config.max_msg_size >= 0 && message.size() as i64 > self.config.max_msg_size {
            return Err(ApiError::new(400, 10054, "message size exceeds maximum allowed"));
        }
        let stored = Stored {
            subject: Rc::clone(&message.subject),
            headers: message.headers.clone(),
            payload: message.payload.clone(),
            at: now,
            needed_by: RefCell::default(),
        };
        let unwanted = self.config.retention == Retention::Interest
            && !self.consumers.values().any(|consumer| consumer.wants(&message.subject));
        if self.config.discard == Discard::New && !unwanted {
            if self.config.max_msgs >= 0 && self.messages.len() as i64 >= self.config.max_msgs {
                return Err(ApiError::new(503, 10077, "maximum messages exceeded"));
            }
            // The limit is looked at without what a record has besides its content.
            if self.config.max_bytes >= 0
                && (self.messages.bytes() + message.size() as u64) as i64 >= self.config.max_bytes
            {
                return Err(ApiError::new(503, 10077, "maximum bytes exceeded"));
            }
        }
        self.messages.push(stored);
        let seq = self.messages.last();
        self.consumers.values_mut().for_each(|consumer| consumer.note_stored(seq, &message.subject));
        outbox.record(STORED, seq);
        if let Some(id) = id {
            // What nobody wants is remembered without its number.
            let id: Rc<str> = id.into();
            self.ids.insert(Rc::clone(&id), if unwanted { 0 } else { seq });
            self.ids_by_age.push_back((now + Duration::from_nanos(self.config.duplicate_window), id));
        }
        if unwanted {
            self.remove(seq);
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
        loop {
            let first = self.messages.first();
            let too_many = max_msgs >= 0 && self.messages.len() as i64 > max_msgs;
            let too_much = max_bytes >= 0 && self.messages.bytes() as i64 > max_bytes;
            let too_old = self.oldest_ends().is_some_and(|end| end <= now);
            if self.messages.len() == 0 || !(too_many || too_much || too_old) {
                break;
            }
            self.remove(first);
        }
        for consumer in self.consumers.values_mut() {
            arm(&mut self.due, consumer);
        }
    }

    /// When the oldest message reaches the greatest age.
    fn oldest_ends(&self) -> Option<Instant> {
        if self.config.max_age == 0 {
            return None;
        }
        self.messages.from(0).next().map(|(_, oldest)| oldest.at + Duration::from_nanos(self.config.max_age))
    }

    /// Removes a message; false if there is none.
    pub(super) fn remove(&mut self, seq: u64) -> bool {
        let stored = self.messages.remove(seq);
        if let Some(stored) = &stored {
            self.consumers.values_mut().for_each(|consumer| consumer.note_removed(seq, &stored.subject));
        }
        stored.is_some()
    }

    /// Removes all messages; says how many there were.
    pub(super) fn purge(&mut self) -> u64 {
        let count = self.remove_all();
        self.purge_consumers(self.messages.first(), |_| true);
        count
    }

    /// The same, but consumers are not told.
    pub(super) fn remove_all(&mut self) -> u64 {
        let count = self.messages.len();
        while self.messages.len() > 0 {
            self.messages.remove(self.messages.first());
        }
        self.messages.purged = true;
        count
    }

    /// The stream was purged: what the consumers concerned have pending is forgotten, and they go on at `first`.
    pub(super) fn purge_consumers(&mut self, first: u64, concerned: impl Fn(&Consumer) -> bool) {
        for consumer in self.consumers.values_mut() {
            if concerned(consumer) {
                consumer.purge(first);
            }
            arm(&mut self.due, consumer);
        }
    }

    // --- consumers --------------------------------------------------------------------------------------------

    /// Sets a consumer up: a new one, or one that is there otherwise than before.
    pub(super) fn set_up(&mut self, name: &str, config: ConsumerConfig) -> Result<(), ApiError> {
        match self.consumers.get_mut(name) {
            Some(known) if known.config == config => return Ok(()),
            Some(known) => known.reconfigure(config, &self.messages)?,
            None => {
                let consumer = Consumer::new(&self.name, name, config, &self.messages);
                self.consumers.insert(Rc::clone(&consumer.name), consumer);
            }
        }
        self.set_up += 1;
        Ok(())
    }

    /// What a consumer says of itself.
    pub(super) fn info_of(&mut self, name: &str, outbox: &mut Outbox) -> Option<Value> {
        let consumer = self.consumers.get_mut(name)?;
        let info = consumer.info(&self.messages, outbox);
        arm(&mut self.due, consumer);
        Some(info)
    }

    /// What a new process of the broker finds on disk.
    pub(super) fn restart(&mut self) {
        self.consumers.retain(|_, consumer| !consumer.config.durable_name.is_empty());
        self.due.clear();
        for consumer in self.consumers.values_mut() {
            consumer.restart();
            consumer.armed = Instant::MAX;
            arm(&mut self.due, consumer);
        }
    }

    /// What becomes of a consumer that is done with.
    pub(super) fn forget(&mut self, name: &str) -> Option<Consumer> {
        let consumer = self.consumers.remove(name)?;
        self.due.remove(&(consumer.armed, Rc::clone(&consumer.name)));
        if self.config.retention == Retention::Interest {
            // What it alone was interested in goes with it.
            self.set_up += 1;
            let seqs: Vec<u64> = self.messages.from(consumer.acknowledged()).map(|(seq, _)| seq).collect();
            for seq in seqs {
                if !self.is_needed(seq) {
                    self.remove(seq);
                }
            }
        }
        Some(consumer)
    }

    /// Changes a consumer, and lets it deliver what it then can. False if there is none of that name. What it is done with goes
    /// from the stream, but no consumer does.
    pub(super) fn change(
        &mut self,
        name: &str,
        outbox: &mut Outbox,
        change: impl FnOnce(&mut Consumer, &mut Outbox) -> Vec<u64>,
    ) -> bool {
        let Some(place) = self.consumers.place(name) else {
            return false;
        };
        let consumer = self.consumers.at_mut(place);
        consumer.told_ahead(&self.messages);
        let done = change(consumer, outbox);
        self.release(&done);
        let consumer = self.consumers.at_mut(place);
        let done = consumer.pump(&self.messages, outbox);
        arm(&mut self.due, consumer);
        self.release(&done);
        true
    }

    /// Lets every consumer deliver what it can.
    pub(super) fn pump(&mut self, outbox: &mut Outbox) {
        let mut done = Vec::new();
        for consumer in self.consumers.values_mut() {
            done.extend(consumer.pump(&self.messages, outbox));
            arm(&mut self.due, consumer);
        }
        self.release(&done);
    }

    /// Consumers are done with these messages: what the retention says happens to them.
    fn release(&mut self, done: &[u64]) {
        if self.config.retention == Retention::Limits {
            return;
        }
        for &seq in done {
            if !self.is_needed(seq) {
                self.remove(seq);
            }
        }
    }

    /// True while a consumer is to deliver a message or to hear its acknowledgement. Who is done with it stays so:
    /// the next look begins where this one ends.
    fn is_needed(&self, seq: u64) -> bool {
        let Some(stored) = self.messages.get(seq) else {
            return false;
        };
        let mut looked_at = stored.needed_by.borrow_mut();
        if looked_at.0 != self.set_up {
            *looked_at = (self.set_up, None);
        }
        let needs = |consumer: &&Consumer| consumer.needs(seq, &stored.subject);
        let next = self
            .consumers
            .from(looked_at.1.as_deref().unwrap_or_default())
            .map(|(_, consumer)| consumer)
            .find(needs);
        next.map(|consumer| looked_at.1 = Some(Rc::clone(&consumer.name))).is_some()
    }

    /// What is due now: ages, acknowledgements, requests.
    pub(super) fn tick(&mut self, outbox: &mut Outbox) {
        let now = outbox.now();
        if self.oldest_ends().is_some_and(|end| end <= now) {
            self.enforce_limits(now);
        }
        let due = self.due.iter().take_while(|&&(at, _)| at <= now).map(|(_, name)| Rc::clone(name));
        // In the order of their names.
        for name in due.collect::<BTreeSet<_>>() {
            let Some(consumer) = self.consumers.get_mut(&name) else { continue };
            disarm(&mut self.due, consumer);
            if consumer.deadline() > now {
                arm(&mut self.due, consumer);
                continue;
            }
            self.change(&name, outbox, |consumer, _| {
                consumer.expire(now);
                Vec::new()
            });
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Instant {
        let age = self.oldest_ends().unwrap_or(Instant::MAX);
        self.due.first().map_or(age, |&(at, _)| at.min(age))
    }
}

/// Sees to it that a consumer is looked at no later than at its deadline. What is later than it was, as with nearly every
/// acknowledgement, is found out when it is looked at.
fn arm(due: &mut BTreeSet<(Instant, Rc<str>)>, consumer: &mut Consumer) {
    let deadline = consumer.deadline();
    if deadline < consumer.armed {
        disarm(due, consumer);
        due.insert((deadline, Rc::clone(&consumer.name)));
        consumer.armed = deadline;
    }
}

fn disarm(due: &mut BTreeSet<(Instant, Rc<str>)>, consumer: &mut Consumer) {
    if consumer.armed < Instant::MAX {
        due.remove(&(consumer.armed, Rc::clone(&consumer.name)));
        consumer.armed = Instant::MAX;
    }
}
