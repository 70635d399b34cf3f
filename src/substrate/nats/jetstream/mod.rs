//! JetStream: streams that keep what is published, consumers that deliver it until it is acknowledged, and their API.

mod api;
mod check;
mod config;
mod consumer;
mod messages;
#[cfg(not(target_arch = "wasm32"))]
mod more;
mod outbox;
mod stream;

pub(super) use config::PublishAnswer;
pub use config::{
    AckPolicy, ApiError, ConsumerConfig, DeliverPolicy, Discard, Retention, Storage, StreamConfig,
};
pub(super) use outbox::{Outbox, Outgoing};

use super::{Published, subject};
use crate::kernel::{Instant, SortedMap};
use crate::substrate::body::Body;
use std::collections::BTreeSet;
use std::rc::Rc;
use stream::Stream;

/// True if some subject is covered by both streams.
fn subject_overlap(a: &StreamConfig, b: &StreamConfig) -> bool {
    a.subjects.iter().any(|a| b.subjects.iter().any(|b| subject::overlap(a, b)))
}

/// All streams of a broker. It lives with whoever holds the broker; [`restart`](Self::restart) forgets what a
/// process that died forgets.
#[derive(Default)]
pub(super) struct Js {
    streams: SortedMap<String, Stream>,
    /// The consumers that push to a subject, each with its stream.
    targets: SortedMap<Rc<str>, BTreeSet<(String, String)>>,
    /// For the names of consumers that have none.
    unnamed: u64,
}

impl Js {
    /// A new process: memory streams are gone, and so is who waited for messages.
    pub(super) fn restart(&mut self) {
        self.streams.retain(|_, stream| stream.config.storage == Storage::File);
        self.streams.values_mut().for_each(Stream::restart);
        self.index_targets();
        #[cfg(not(target_arch = "wasm32"))]
        self.note_feeding();
    }

    fn index_targets(&mut self) {
        self.targets.clear();
        for (stream, Stream { consumers, .. }) in self.streams.iter() {
            for (name, consumer) in consumers.iter() {
                if let Some(target) = &consumer.target {
                    let place = (stream.clone(), name.to_string());
                    self.targets.entry(Rc::clone(target)).or_default().insert(place);
                }
            }
        }
    }

    /// A consumer pushes to another subject than before.
    fn retarget(&mut self, stream: &str, before: Option<&Rc<str>>, after: Option<&Rc<str>>, consumer: &str) {
        if before == after {
            return;
        }
        let place = (stream.to_owned(), consumer.to_owned());
        if let Some(before) = before
            && let Some(places) = self.targets.get_mut(before)
        {
            places.remove(&place);
            if places.is_empty() {
                self.targets.remove(before);
            }
        }
        if let Some(after) = after {
            self.targets.entry(Rc::clone(after)).or_default().insert(place);
        }
    }

    /// Sees every message that is published; true if it is JetStream's business.
    pub(super) fn receive(&mut self, message: &Published, outbox: &mut Outbox) -> bool {
        if let Some(call) = message.subject.strip_prefix("$JS.API.") {
            if let Some(reply) = &message.reply {
                self.call(call, reply, message.payload.bytes(), outbox);
            }
            return true;
        }
        if let Some(token) = message.subject.strip_prefix("$JS.ACK.") {
            return self.acknowledge(token, message, outbox);
        }
        // Subjects of streams do not overlap: there is at most one.
        let Some(stream) = self.streams.values_mut().find(|stream| stream.covers(&message.subject)) else {
            return false;
        };
        stream.store(message, outbox);
        true
    }

    /// `stream.consumer.deliveries.sseq.dseq.time.pending`
    fn acknowledge(&mut self, token: &str, message: &Published, outbox: &mut Outbox) -> bool {
        let mut parts = subject::tokens(token);
        let [Some(stream), Some(consumer), _, Some(sseq), Some(dseq)] = [(); 5].map(|()| parts.next()) else {
            return false;
        };
        let (Ok(sseq), Ok(dseq)) = (sseq.parse(), dseq.parse()) else {
            return false;
        };
        let Some(stream) = self.streams.get_mut(stream) else {
            return false;
        };
        stream.change(consumer, outbox, |target, outbox| {
            let (done, next) = target.acknowledge(sseq, dseq, message.payload.bytes(), outbox);
            if let Some(reply) = &message.reply {
                if next {
                    let request = message.payload.bytes().strip_prefix(b"+NXT").unwrap_or_default();
                    target.pull(reply, request, outbox);
                } else {
                    outbox.send(reply, reply, None, None, Body::default());
                }
            }
            done
        })
    }

    /// Somebody subscribed: push consumers may have waited for it.
    pub(super) fn interest_changed(&mut self, pattern: &str, outbox: &mut Outbox) {
        // A subscription with wildcards is not noticed.
        let waiting = self.targets.get(pattern).cloned().unwrap_or_default();
        for (stream, consumer) in waiting {
            if let Some(stream) = self.streams.get_mut(&stream) {
                stream.change(&consumer, outbox, |_, _| Vec::new());
            }
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Instant {
        self.streams.values().map(Stream::deadline).min().unwrap_or(Instant::MAX)
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, outbox: &mut Outbox) {
        for stream in self.streams.values_mut() {
            stream.tick(outbox);
        }
    }

    /// Streams, consumers, messages, bytes.
    pub(super) fn totals(&self) -> [u64; 4] {
        let streams = self.streams.values();
        streams.fold([self.streams.len() as u64, 0, 0, 0], |[count, consumers, messages, bytes], stream| {
            let more = stream.consumers.len() as u64;
            [count, consumers + more, messages + stream.messages.len(), bytes + stream.messages.bytes()]
        })
    }

    pub(super) fn stored(&self, stream: &str) -> Option<u64> {
        self.streams.get(stream).map(|stream| stream.messages.len())
    }
}
