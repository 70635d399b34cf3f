//! A consumer: what it has delivered, what waits for acknowledgement, and who waits for messages. Its stream tells it of
//! every message that comes or goes, so that it counts what is ahead of it instead of looking.

mod acks;

use super::config::{AckPolicy, ApiError, ConsumerConfig, DeliverPolicy};
use super::outbox::Outbox;
use super::stream::Messages;
use crate::kernel::{Duration, Instant, SortedMap};
use crate::substrate::body::Body;
use crate::substrate::merge;
use crate::substrate::nats::subject::Pattern;
use crate::substrate::nats::{Headers, REDELIVERED};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// A pull request that waits.
struct Pull {
    reply: Rc<str>,
    left: u64,
    delivered: u64,
    no_wait: bool,
    expires: Option<Instant>,
}

/// A message that was delivered and is not acknowledged.
struct Pending {
    /// The consumer's sequence number of its first delivery.
    dseq: u64,
    deadline: Instant,
}

pub(super) struct Consumer {
    pub(super) stream: Rc<str>,
    pub(super) name: Rc<str>,
    pub(super) config: ConsumerConfig,
    /// Which messages it wants; `None` for all.
    filter: Option<Pattern>,
    /// Where it pushes to; a pull consumer has none.
    pub(super) target: Option<Rc<str>>,
    /// The next sequence numbers: of a delivery, and of the stream.
    dseq: u64,
    sseq: u64,
    /// How many messages from there on it wants.
    ahead: u64,
    /// All deliveries and messages up to these are acknowledged.
    floor: (u64, u64),
    pending: SortedMap<u64, Pending>,
    deadlines: BTreeSet<(Instant, u64)>,
    /// How often a message was delivered again.
    redelivered: SortedMap<u64, u64>,
    /// To be delivered again.
    again: VecDeque<u64>,
    waiting: VecDeque<Pull>,
    /// The deadline that its stream knows of.
    pub(super) armed: Instant,
}

/// What a pull request asks for.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct PullRequest {
    batch: u64,
    expires: u64,
    no_wait: bool,
}

impl Consumer {
    pub(super) fn new(stream: &Rc<str>, name: &str, config: ConsumerConfig, messages: &Messages) -> Self {
        let (first, last) = (messages.first(), messages.last());
        let sseq = match config.deliver_policy {
            DeliverPolicy::All => first,
            DeliverPolicy::Last => last.max(1),
            DeliverPolicy::New => last + 1,
            DeliverPolicy::ByStartSequence => config.opt_start_seq,
        };
        let sseq = sseq.max(first).max(1);
        let mut consumer = Consumer {
            stream: Rc::clone(stream),
            name: name.into(),
            filter: None,
            target: None,
            dseq: 1,
            sseq,
            ahead: 0,
            floor: (0, 0),
            pending: SortedMap::default(),
            deadlines: BTreeSet::new(),
            redelivered: SortedMap::default(),
            again: VecDeque::new(),
            waiting: VecDeque::new(),
            armed: Instant::MAX,
            config: ConsumerConfig::default(),
        };
        consumer.configure(config, messages);
        consumer
    }

    fn configure(&mut self, config: ConsumerConfig, messages: &Messages) {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.filter = given(&config.filter_subject).map(|filter| Pattern::new(&filter));
        self.target = given(&config.deliver_subject).map(Rc::from);
        self.config = config;
        self.ahead = self.count_ahead(messages);
    }

    /// What a restart of the broker leaves of it: not the requests, and what was to be delivered again waits for its
    /// time once more.
    pub(super) fn restart(&mut self) {
        self.waiting.clear();
        self.again.clear();
    }

    /// Changes what may be changed of a consumer that there is.
    pub(super) fn reconfigure(
        &mut self,
        config: ConsumerConfig,
        messages: &Messages,
    ) -> Result<(), ApiError> {
        let fixed = |config: &ConsumerConfig| (config.deliver_policy, config.ack_policy, config.is_pull());
        if fixed(&self.config) != fixed(&config) {
            return Err(ApiError::new(400, 10012, "deliver policy, ack policy and mode can not be updated"));
        }
        self.configure(config, messages);
        Ok(())
    }

    pub(super) fn wants(&self, subject: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(subject))
    }

    /// The stream has stored a message.
    pub(super) fn note_stored(&mut self, seq: u64, subject: &str) {
        self.ahead += u64::from(seq >= self.sseq && self.wants(subject));
    }

    /// The stream has let a message go.
    pub(super) fn note_removed(&mut self, seq: u64, subject: &str) {
        self.ahead -= u64::from(seq >= self.sseq && self.wants(subject));
    }

    /// True while a message is to be delivered or acknowledged yet.
    pub(super) fn needs(&self, seq: u64, subject: &str) -> bool {
        self.wants(subject) && (seq >= self.sseq || self.pending.contains_key(&seq))
    }

    pub(super) fn info(&mut self, outbox: &mut Outbox) -> Value {
        self.expire_pulls(false, outbox);
        json!({
            "stream_name": &*self.stream,
            "name": &*self.name,
            "config": &self.config,
            "delivered": {"consumer_seq": self.dseq - 1, "stream_seq": self.sseq - 1},
            "ack_floor": {"consumer_seq": self.floor.0, "stream_seq": self.floor.1},
            "num_ack_pending": self.pending.len(),
            "num_redelivered": self.redelivered.len(),
            "num_waiting": self.waiting.len(),
            "num_pending": self.ahead,
        })
    }

    pub(super) fn counts_right(&self, messages: &Messages) -> bool {
        self.ahead == self.count_ahead(messages)
    }

    /// How many messages it has not seen. Looks at all of them.
    fn count_ahead(&self, messages: &Messages) -> u64 {
        messages.from(self.sseq).filter(|(_, stored)| self.wants(&stored.subject)).count() as u64
    }

    // --- times ------------------------------------------------------------------------------------------------

    /// When it has something to do by itself.
    pub(super) fn deadline(&self) -> Instant {
        let pending = self.deadlines.first().map_or(Instant::MAX, |&(at, _)| at);
        let pulls = self.waiting.iter().filter_map(|pull| pull.expires).min().unwrap_or(Instant::MAX);
        pending.min(pulls)
    }

    fn set_deadline(&mut self, seq: u64, dseq: u64, deadline: Instant) {
        let entry = self.pending.entry(seq).or_insert_with(|| Pending { dseq, deadline });
        self.deadlines.remove(&(entry.deadline, seq));
        entry.deadline = deadline;
        self.deadlines.insert((deadline, seq));
        debug_assert_eq!(self.deadlines.len(), self.pending.len(), "who is pending has one deadline");
    }

    fn settle(&mut self, seq: u64) -> Option<Pending> {
        let pending = self.pending.remove(&seq)?;
        self.deadlines.remove(&(pending.deadline, seq));
        debug_assert_eq!(self.deadlines.len(), self.pending.len(), "who is pending has one deadline");
        Some(pending)
    }

    fn patience(&self, seq: u64) -> Duration {
        self.config.patience(self.redelivered.get(&seq).copied().unwrap_or(0))
    }

    /// Puts what was not acknowledged in time among what is delivered again.
    pub(super) fn expire(&mut self, now: Instant) {
        let mut due: Vec<u64> =
            self.deadlines.iter().take_while(|&&(at, _)| at <= now).map(|&(_, seq)| seq).collect();
        merge::sort(&mut due, |a, b| a < b);
        for seq in due {
            // The time runs anew, also while nobody asks for the message.
            let next = now + self.patience(seq);
            self.set_deadline(seq, 0, next);
            self.deliver_again(seq);
        }
    }

    fn deliver_again(&mut self, seq: u64) {
        if !self.again.contains(&seq) {
            self.again.push_back(seq);
        }
    }

    // --- pulling ----------------------------------------------------------------------------------------------

    /// A request for messages: empty, a number, or an object.
    pub(super) fn pull(&mut self, reply: &Rc<str>, payload: &[u8], outbox: &mut Outbox) {
        if !self.config.is_pull() {
            return outbox.status(reply, "409 Consumer is push based");
        }
        let text = std::str::from_utf8(payload).unwrap_or_default().trim();
        let request = match (text.is_empty(), text.parse::<u64>()) {
            (true, _) => Some(PullRequest::default()),
            (_, Ok(batch)) => Some(PullRequest { batch, ..PullRequest::default() }),
            _ => serde_json::from_str(text).ok(),
        };
        let Some(request) = request else {
            return outbox.status(reply, "400 Bad Request");
        };
        self.expire_pulls(false, outbox);
        if request.no_wait {
            let ready = self.ahead + self.again.len() as u64;
            if ready == 0 && request.expires == 0 {
                return outbox.status(reply, "404 No Messages");
            }
            let asked: u64 = self.waiting.iter().map(|pull| pull.left).sum();
            if ready > 0 && ready < asked {
                return outbox.status(reply, "408 Requests Pending");
            }
        }
        if self.waiting.len() as u64 >= self.config.max_waiting {
            return outbox.status(reply, "409 Exceeded MaxWaiting");
        }
        let expires = (request.expires > 0).then(|| outbox.now() + Duration::from_nanos(request.expires));
        self.waiting.push_back(Pull {
            reply: Rc::clone(reply),
            left: request.batch.max(1),
            delivered: 0,
            no_wait: request.no_wait,
            expires,
        });
    }

    /// Ends requests whose time is over or whom nobody hears any more; with `drained`, also those that take what there
    /// is and have got it.
    fn expire_pulls(&mut self, drained: bool, outbox: &mut Outbox) {
        let now = outbox.now();
        self.waiting.retain(|pull| {
            if drained && pull.no_wait && pull.delivered > 0 || pull.expires.is_some_and(|at| at <= now) {
                pull.time_out(outbox);
                return false;
            }
            outbox.has_interest(&pull.reply)
        });
    }

    /// Whom the next message goes to: the subject; pulls take turns.
    fn next_target(&mut self) -> Option<Rc<str>> {
        if let Some(target) = &self.target {
            // It is awaited: somebody hears it.
            return Some(Rc::clone(target));
        }
        let mut pull = self.waiting.pop_front()?;
        pull.left -= 1;
        pull.delivered += 1;
        let reply = Rc::clone(&pull.reply);
        if pull.left > 0 {
            self.waiting.push_back(pull);
        }
        Some(reply)
    }

    fn is_awaited(&mut self, outbox: &mut Outbox) -> bool {
        if let Some(target) = &self.target {
            return outbox.has_interest(target);
        }
        self.expire_pulls(false, outbox);
        !self.waiting.is_empty()
    }

    // --- delivering -------------------------------------------------------------------------------------------

    /// Delivers what can be delivered. Returns what it will never need again.
    pub(super) fn pump(&mut self, messages: &Messages, outbox: &mut Outbox) -> Vec<u64> {
        let mut done = Vec::new();
        let mut stalled = false;
        while self.is_awaited(outbox) {
            let next = match self.next_again(messages, outbox) {
                Some(again) => Some(again),
                None => {
                    stalled = self.config.max_ack_pending > 0
                        && self.pending.len() as i64 >= self.config.max_ack_pending;
                    if stalled { None } else { self.next_new(messages) }
                }
            };
            let Some((seq, count)) = next else { break };
            let Some(target) = self.next_target() else { break };
            self.deliver(seq, count, &target, messages, outbox);
            if self.config.ack_policy == AckPolicy::None {
                done.push(seq);
            }
        }
        self.expire_pulls(!stalled, outbox);
        done
    }

    /// The next message to be delivered again, and its how-manieth delivery that is.
    fn next_again(&mut self, messages: &Messages, outbox: &mut Outbox) -> Option<(u64, u64)> {
        while let Some(seq) = self.again.pop_front() {
            let again = self.redelivered.entry(seq).or_default();
            *again += 1;
            let count = *again + 1;
            let max = self.config.max_deliver;
            if max > 0 && count > max as u64 {
                self.settle(seq);
                if count == max as u64 + 1 {
                    outbox.max_deliver_advisory(&self.stream, &self.name, seq, max as u64);
                }
            } else if messages.get(seq).is_some() {
                outbox.record(REDELIVERED, seq);
                return Some((seq, count));
            } else {
                self.settle(seq);
                self.redelivered.remove(&seq);
            }
        }
        None
    }

    fn next_new(&mut self, messages: &Messages) -> Option<(u64, u64)> {
        let next =
            messages.from(self.sseq).find(|(_, stored)| self.wants(&stored.subject)).map(|(seq, _)| seq);
        self.sseq = next.map_or(messages.last() + 1, |seq| seq + 1).max(self.sseq);
        self.ahead -= u64::from(next.is_some());
        debug_assert!(next.is_some() || self.ahead == 0, "{} has miscounted", self.name);
        next.map(|seq| (seq, 1))
    }

    fn deliver(&mut self, seq: u64, count: u64, target: &Rc<str>, messages: &Messages, outbox: &mut Outbox) {
        let Some(stored) = messages.get(seq) else {
            return;
        };
        let dseq = self.dseq;
        self.dseq += 1;
        let (at, ahead) = (stored.at.as_nanos(), self.ahead);
        let ack = format!("$JS.ACK.{}.{}.{count}.{seq}.{dseq}.{at}.{ahead}", self.stream, self.name);
        outbox.send(
            target,
            &stored.subject,
            Some(ack.as_str().into()),
            stored.headers.clone(),
            stored.payload.clone(),
        );
        if self.config.ack_policy == AckPolicy::None {
            self.floor = (dseq, seq);
        } else {
            self.set_deadline(seq, dseq, outbox.now() + self.patience(seq));
        }
    }
}

impl Pull {
    fn time_out(&self, outbox: &mut Outbox) {
        let left = self.left.to_string();
        let mut text = "NATS/1.0 408 Request Timeout".to_owned();
        text.extend(["\r\nNats-Pending-Messages: ", &left, "\r\nNats-Pending-Bytes: 0"]);
        outbox.send(&self.reply, &self.reply, None, Some(Headers(text.into())), Body::default());
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    fn consumer() -> Consumer {
        Consumer::new(&"tasks".into(), "w-01", ConsumerConfig::default(), &Messages::default())
    }

    #[test]
    #[should_panic(expected = "who is pending has one deadline")]
    fn no_deadline_is_left_of_what_is_set_anew() {
        let mut consumer = consumer();
        consumer.deadlines.insert((Instant::ZERO, 7));
        consumer.set_deadline(1, 1, Instant::from_millis(5));
    }

    #[test]
    #[should_panic(expected = "who is pending has one deadline")]
    fn no_deadline_is_left_of_what_is_settled() {
        let mut consumer = consumer();
        consumer.set_deadline(1, 1, Instant::from_millis(5));
        consumer.deadlines.insert((Instant::ZERO, 7));
        consumer.settle(1);
    }

    #[test]
    #[should_panic(expected = "w-01 has miscounted")]
    fn what_is_counted_as_ahead_is_there() {
        let mut consumer = consumer();
        consumer.ahead = 1;
        consumer.next_new(&Messages::default());
    }
}
