//! A consumer: what it has delivered, what waits for acknowledgement, and who waits for messages. Its stream tells it of
//! every message that comes or goes, so that it counts what is ahead of it instead of looking; like the server's, it looks when
//! it is asked for news, and does not count anew for messages it has seen then and that are gone since.

mod acks;
mod deadlines;
mod pulls;

use super::config::{AckPolicy, ApiError, ConsumerConfig, DeliverPolicy};
use super::messages::Messages;
use super::outbox::Outbox;
use crate::kernel::{Duration, Instant, SortedMap};
use crate::substrate::merge;
use crate::substrate::nats::subject::Pattern;
use crate::substrate::nats::{Headers, REDELIVERED};
use crate::substrate::text::push_number;
use deadlines::Deadlines;
use pulls::Pull;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::rc::Rc;

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
    /// How many messages from there on it wants, as it counts; and which was the last when it looked, 0 if there was none.
    ahead: u64,
    looked_to: u64,
    /// A stream hears what it pushes.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) feeds: bool,
    /// With [`DeliverPolicy::LastPerSubject`]: what it is to begin with, and behind which message it goes on.
    skipping: VecDeque<u64>,
    resume: u64,
    /// All deliveries and messages up to these are acknowledged.
    floor: (u64, u64),
    pending: SortedMap<u64, Pending>,
    deadlines: Deadlines,
    /// How often a message was delivered again.
    redelivered: SortedMap<u64, u64>,
    /// To be delivered again.
    again: VecDeque<u64>,
    waiting: VecDeque<Pull>,
    /// There may be something to deliver. Otherwise the requests are only looked through for those that have ended.
    is_woken: bool,
    /// Where an acknowledgement's subject is put together.
    subject: String,
    /// When its stream looks at it: at its deadline, or before.
    pub(super) armed: Instant,
}

impl Consumer {
    pub(super) fn new(stream: &Rc<str>, name: &str, config: ConsumerConfig, messages: &Messages) -> Self {
        let (first, last) = (messages.first(), messages.last());
        let filter = (!config.filter_subject.is_empty()).then(|| Pattern::new(&config.filter_subject));
        let wanted = |subject: &str| filter.as_ref().is_none_or(|filter| filter.matches(subject));
        let mut skipping = VecDeque::new();
        let sseq = match config.deliver_policy {
            DeliverPolicy::All => first,
            DeliverPolicy::Last if filter.is_some() => messages.last_of_each(wanted).pop().unwrap_or(0),
            DeliverPolicy::Last => last,
            DeliverPolicy::New => last + 1,
            DeliverPolicy::ByStartSequence => config.opt_start_seq,
            DeliverPolicy::LastPerSubject => {
                skipping = messages.last_of_each(wanted).into();
                skipping.front().copied().unwrap_or(last)
            }
        };
        let sseq = if messages.first_told() == 0 { 1 } else { sseq.clamp(first, first.max(last + 1)) };
        let mut consumer = Consumer {
            stream: Rc::clone(stream),
            name: name.into(),
            filter: None,
            target: None,
            dseq: 1,
            sseq,
            ahead: 0,
            looked_to: 0,
            #[cfg(not(target_arch = "wasm32"))]
            feeds: false,
            skipping,
            resume: last,
            floor: (0, 0),
            pending: SortedMap::default(),
            deadlines: Deadlines::default(),
            redelivered: SortedMap::default(),
            again: VecDeque::new(),
            waiting: VecDeque::new(),
            is_woken: false,
            subject: String::new(),
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
        self.look_ahead(messages);
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
        let old = &self.config;
        let changed = [
            (old.deliver_policy != config.deliver_policy, "deliver policy can not be updated"),
            (old.opt_start_seq != config.opt_start_seq, "start sequence can not be updated"),
            (old.ack_policy != config.ack_policy, "ack policy can not be updated"),
            (old.max_waiting != config.max_waiting, "max waiting can not be updated"),
            (old.is_pull() && !config.is_pull(), "can not update pull consumer to push based"),
            (!old.is_pull() && config.is_pull(), "can not update push consumer to pull based"),
        ];
        if let Some((_, why)) = changed.into_iter().find(|(changed, _)| *changed) {
            return Err(ApiError::new(500, 10012, why));
        }
        self.configure(config, messages);
        Ok(())
    }

    pub(super) fn wants(&self, subject: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(subject))
    }

    /// The stream has stored a message.
    pub(super) fn note_stored(&mut self, seq: u64, subject: &str) {
        let wanted = self.wants(subject);
        self.ahead += u64::from(seq > self.looked_to && wanted);
        self.is_woken |= wanted;
    }

    /// The stream has let a message go: whoever had it need not acknowledge it any more.
    pub(super) fn note_removed(&mut self, seq: u64, subject: &str) {
        self.note_gone(seq, subject);
        if let Some(dseq) = self.pending.get(&seq).map(|pending| pending.dseq) {
            self.ack(seq, dseq);
        }
    }

    /// A message is no longer ahead.
    fn note_gone(&mut self, seq: u64, subject: &str) {
        let counted = seq >= self.sseq && seq > self.looked_to && self.wants(subject);
        self.ahead = self.ahead.saturating_sub(u64::from(counted));
    }

    /// True while a message is to be delivered or acknowledged yet.
    pub(super) fn needs(&self, seq: u64, subject: &str) -> bool {
        let open = self.config.ack_policy != AckPolicy::Explicit
            || seq >= self.sseq
            || self.pending.contains_key(&seq);
        seq > self.floor.1 && open && self.wants(subject)
    }

    pub(super) fn info(&mut self, messages: &Messages, outbox: &mut Outbox) -> Value {
        self.expire_pulls(false, outbox);
        self.look_ahead(messages);
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

    /// How many messages it says that are pending.
    pub(super) fn told_ahead(&mut self, messages: &Messages) -> u64 {
        if self.looked_to == 0 {
            self.look_ahead(messages);
        }
        self.ahead
    }

    /// Counts what it has not seen: messages, or subjects with [`DeliverPolicy::LastPerSubject`].
    fn look_ahead(&mut self, messages: &Messages) {
        let count = |(count, _): (u64, u64), seq: u64| (count + 1, seq);
        let ahead = if self.config.deliver_policy == DeliverPolicy::LastPerSubject {
            let last = messages.last_of_each(|subject| self.wants(subject));
            last.into_iter().filter(|seq| *seq >= self.sseq).fold((0, 0), count)
        } else {
            let ahead = messages.from(self.sseq).filter(|(_, stored)| self.wants(&stored.subject));
            ahead.map(|(seq, _)| seq).fold((0, 0), count)
        };
        (self.ahead, self.looked_to) = ahead;
    }

    // --- times ------------------------------------------------------------------------------------------------

    /// When it has something to do by itself.
    pub(super) fn deadline(&self) -> Instant {
        let pending = self.deadlines.first().unwrap_or(Instant::MAX);
        let news = |pull: &Pull| {
            let heartbeat = pull.heartbeat.map_or(Instant::MAX, |(_, at)| at);
            pull.expires.unwrap_or(Instant::MAX).min(heartbeat)
        };
        pending.min(self.waiting.iter().map(news).min().unwrap_or(Instant::MAX))
    }

    fn set_deadline(&mut self, seq: u64, dseq: u64, deadline: Instant) {
        let entry = self.pending.entry(seq).or_insert_with(|| Pending { dseq, deadline });
        self.deadlines.remove(entry.deadline, seq);
        entry.deadline = deadline;
        self.deadlines.insert(deadline, seq);
        debug_assert_eq!(self.deadlines.len(), self.pending.len(), "who is pending has one deadline");
    }

    fn settle(&mut self, seq: u64) -> Option<Pending> {
        let pending = self.pending.remove(&seq)?;
        self.deadlines.remove(pending.deadline, seq);
        debug_assert_eq!(self.deadlines.len(), self.pending.len(), "who is pending has one deadline");
        Some(pending)
    }

    fn patience(&self, seq: u64) -> Duration {
        self.config.patience(self.redelivered.get(&seq).copied().unwrap_or(0))
    }

    /// Puts what was not acknowledged in time among what is delivered again.
    pub(super) fn expire(&mut self, now: Instant) {
        let mut due: Vec<u64> = self.deadlines.due(now).collect();
        merge::sort(&mut due, |a, b| a < b);
        self.is_woken |= !due.is_empty();
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

    // --- delivering -------------------------------------------------------------------------------------------

    /// Delivers what can be delivered. Returns what it will never need again.
    pub(super) fn pump(&mut self, messages: &Messages, outbox: &mut Outbox) -> Vec<u64> {
        let mut done = Vec::new();
        let mut stalled = false;
        if !std::mem::take(&mut self.is_woken) {
            self.expire_pulls(false, outbox);
        }
        while !self.has_nothing_to_push(messages) && self.is_awaited(outbox) {
            let next = match self.next_again(messages, outbox) {
                Some(again) => Some(again),
                None => {
                    stalled = self.is_stalled();
                    if stalled { None } else { self.next_new(messages) }
                }
            };
            let Some((seq, count)) = next else { break };
            let ack = self.ack_subject(seq, count, messages);
            let Some(target) = self.next_target(self.size_of(seq, &ack, messages), outbox) else {
                // Nobody can take it: it is looked at again. What was to be delivered again waits for its time once more; the
                // server goes back by one message nevertheless.
                self.sseq = (self.sseq - 1).max(1);
                self.ahead += u64::from(count == 1);
                break;
            };
            if count > 1 {
                outbox.record(REDELIVERED, seq);
            }
            self.deliver(seq, ack, &target, messages, outbox);
            if self.config.ack_policy == AckPolicy::None {
                done.push(seq);
            }
        }
        self.expire_pulls(!stalled, outbox);
        done
    }

    /// Whether somebody hears it need not be asked then.
    fn has_nothing_to_push(&self, messages: &Messages) -> bool {
        let has_nothing = self.again.is_empty() && self.skipping.is_empty() && self.sseq > messages.last();
        self.target.is_some() && has_nothing
    }

    /// As many messages wait for their acknowledgement as may.
    fn is_stalled(&self) -> bool {
        self.config.max_ack_pending > 0 && self.pending.len() as i64 >= self.config.max_ack_pending
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
                return Some((seq, count));
            } else {
                self.settle(seq);
                self.redelivered.remove(&seq);
            }
        }
        None
    }

    fn next_new(&mut self, messages: &Messages) -> Option<(u64, u64)> {
        let skipped = self.skipping.pop_front();
        if skipped.is_some() && self.skipping.is_empty() {
            self.sseq = self.resume;
        }
        let from = skipped.unwrap_or(self.sseq);
        let next = messages.from(from).find(|(_, stored)| self.wants(&stored.subject)).map(|(seq, _)| seq);
        self.sseq = next.map_or(messages.last() + 1, |seq| seq + 1).max(self.sseq);
        self.ahead = self.ahead.saturating_sub(u64::from(next.is_some()));
        next.map(|seq| (seq, 1))
    }

    /// Where a delivery is acknowledged.
    fn ack_subject(&mut self, seq: u64, count: u64, messages: &Messages) -> Rc<str> {
        let at = messages.get(seq).map_or(0, |stored| stored.at.as_nanos());
        let (dseq, ahead, subject) = (self.dseq, self.told_ahead(messages), &mut self.subject);
        subject.clear();
        subject.extend(["$JS.ACK.", &self.stream, ".", &self.name]);
        for number in [count, seq, dseq, at, ahead] {
            subject.push('.');
            push_number(subject, number);
        }
        subject.as_str().into()
    }

    /// How much of a request's bytes a delivery takes. Its instant has 19 digits on a server's clock.
    fn size_of(&self, seq: u64, ack: &str, messages: &Messages) -> u64 {
        let Some(stored) = messages.get(seq) else { return 0 };
        let instant = stored.at.as_nanos().checked_ilog10().map_or(1, |log| log as usize + 1);
        let headers = stored.headers.as_ref().map_or(0, Headers::size);
        (stored.subject.len() + ack.len() - instant + 19 + headers + stored.payload.len()) as u64
    }

    fn deliver(
        &mut self,
        seq: u64,
        ack: Rc<str>,
        target: &Rc<str>,
        messages: &Messages,
        outbox: &mut Outbox,
    ) {
        let Some(stored) = messages.get(seq) else {
            return;
        };
        let dseq = self.dseq;
        self.dseq += 1;
        outbox.send(target, &stored.subject, Some(ack), stored.headers.clone(), stored.payload.clone());
        if self.config.ack_policy == AckPolicy::None {
            self.floor = (dseq, seq);
        } else {
            self.set_deadline(seq, dseq, outbox.now() + self.patience(seq));
        }
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
        consumer.deadlines.insert(Instant::ZERO, 7);
        consumer.set_deadline(1, 1, Instant::from_millis(5));
    }

    #[test]
    #[should_panic(expected = "who is pending has one deadline")]
    fn no_deadline_is_left_of_what_is_settled() {
        let mut consumer = consumer();
        consumer.set_deadline(1, 1, Instant::from_millis(5));
        consumer.deadlines.insert(Instant::ZERO, 7);
        consumer.settle(1);
    }
}
