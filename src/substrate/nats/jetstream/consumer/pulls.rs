//! Requests for messages: how they wait, whom the next message goes to, and how they end.

use super::Consumer;
use crate::kernel::{Duration, Instant};
use crate::substrate::body::Body;
use crate::substrate::nats::Headers;
use crate::substrate::nats::jetstream::outbox::Outbox;
use std::rc::Rc;

/// A pull request that waits.
pub(super) struct Pull {
    reply: Rc<str>,
    left: i64,
    delivered: u64,
    no_wait: bool,
    pub(super) expires: Option<Instant>,
    /// How many bytes it takes yet; 0 for any number.
    bytes: u64,
    /// After how long without a message it wants to hear that the broker lives, and when that is next.
    pub(super) heartbeat: Option<(Duration, Instant)>,
}

/// What a pull request asks for.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct PullRequest {
    batch: i64,
    expires: u64,
    no_wait: bool,
    max_bytes: u64,
    idle_heartbeat: u64,
}

impl Consumer {
    /// A request for messages: empty, a number, or an object.
    pub(in crate::substrate::nats::jetstream) fn pull(
        &mut self,
        reply: &Rc<str>,
        payload: &[u8],
        outbox: &mut Outbox,
    ) {
        if !self.config.is_pull() {
            return outbox.status(reply, "409 Consumer is push based");
        }
        let text = std::str::from_utf8(payload).unwrap_or_default().trim();
        let request = if text.starts_with('{') {
            serde_json::from_str(text).ok()
        } else {
            // What is no number asks for one.
            Some(PullRequest { batch: text.parse().unwrap_or(1), ..PullRequest::default() })
        };
        let Some(request) = request else {
            return outbox.status(reply, "400 Bad Request");
        };
        if request.idle_heartbeat > 0 && request.idle_heartbeat.saturating_mul(2) > request.expires {
            return outbox.status(reply, "400 Bad Request - heartbeat value too large");
        }
        if self.waiting.len() as u64 >= self.config.max_waiting {
            self.expire_pulls(false, outbox);
        }
        if request.no_wait {
            let ready = self.ahead + self.again.len() as u64;
            if ready == 0 && request.expires == 0 {
                return outbox.status(reply, "404 No Messages");
            }
            if ready > 0 {
                self.expire_pulls(false, outbox);
            }
            let asked: i64 = self.waiting.iter().map(|pull| pull.left).sum();
            if ready > 0 && (ready as i64) < asked {
                return outbox.status(reply, "408 Requests Pending");
            }
        }
        if self.waiting.len() as u64 >= self.config.max_waiting {
            return outbox.status(reply, "409 Exceeded MaxWaiting");
        }
        let later = |nanos: u64| (nanos > 0).then(|| outbox.now() + Duration::from_nanos(nanos));
        let heartbeat =
            later(request.idle_heartbeat).map(|at| (Duration::from_nanos(request.idle_heartbeat), at));
        self.is_woken = true;
        self.waiting.push_back(Pull {
            reply: Rc::clone(reply),
            left: request.batch,
            delivered: 0,
            no_wait: request.no_wait,
            expires: later(request.expires),
            bytes: request.max_bytes,
            heartbeat,
        });
    }

    /// Ends requests whose time is over or whom nobody hears any more; with `drained`, also those that take what there
    /// is and have got it.
    pub(super) fn expire_pulls(&mut self, drained: bool, outbox: &mut Outbox) {
        let now = outbox.now();
        let seen = [self.dseq - 1, self.sseq - 1];
        self.waiting.retain_mut(|pull| {
            if drained && pull.no_wait && pull.delivered > 0 || pull.expires.is_some_and(|at| at <= now) {
                pull.end("408 Request Timeout", outbox);
                return false;
            }
            let hears = outbox.has_interest(&pull.reply);
            if let Some((every, at)) = &mut pull.heartbeat
                && hears
                && *at <= now
            {
                *at = now + *every;
                outbox.idle_heartbeat(&pull.reply, seen);
            }
            hears
        });
    }

    /// Whom the next message, of that size, goes to: the subject; pulls take turns, and those end that cannot take it.
    pub(super) fn next_target(&mut self, size: u64, outbox: &mut Outbox) -> Option<Rc<str>> {
        if let Some(target) = &self.target {
            // It is awaited: somebody hears it.
            return Some(Rc::clone(target));
        }
        let now = outbox.now();
        let mut pull = loop {
            let mut pull = self.waiting.pop_front()?;
            if pull.bytes > 0 && pull.bytes < size {
                pull.end("409 Message Size Exceeds MaxBytes", outbox);
                continue;
            }
            if pull.bytes > 0 {
                pull.bytes -= size;
                if pull.bytes == 0 {
                    pull.left = 1;
                }
            }
            if pull.expires.is_some_and(|at| at <= now) {
                pull.end("408 Request Timeout", outbox);
            } else if outbox.has_interest(&pull.reply) {
                break pull;
            }
        };
        pull.left -= 1;
        pull.delivered += 1;
        if let Some((every, at)) = &mut pull.heartbeat {
            *at = outbox.now() + *every;
        }
        let reply = Rc::clone(&pull.reply);
        if pull.left > 0 {
            self.waiting.push_back(pull);
        }
        Some(reply)
    }

    /// True while somebody waits, or did: whether a request still has its client is looked at when there is something for it.
    pub(super) fn is_awaited(&self, outbox: &Outbox) -> bool {
        if let Some(target) = &self.target {
            #[cfg(not(target_arch = "wasm32"))]
            if self.feeds {
                return true;
            }
            return outbox.has_subscriber(target);
        }
        !self.waiting.is_empty()
    }
}

impl Pull {
    /// Its last word: why it ends, and what it did not get.
    fn end(&self, why: &str, outbox: &mut Outbox) {
        let (left, bytes) = (self.left.to_string(), self.bytes.to_string());
        let mut text = "NATS/1.0 ".to_owned();
        text.extend([why, "\r\nNats-Pending-Messages: ", &left, "\r\nNats-Pending-Bytes: ", &bytes]);
        outbox.send(&self.reply, &self.reply, None, Some(Headers(text.into())), Body::default());
    }
}
