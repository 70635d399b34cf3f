//! What clients say of deliveries, and up to where all is acknowledged.

use super::Consumer;
use crate::kernel::{Duration, Instant};
use crate::substrate::nats::jetstream::config::AckPolicy;
use crate::substrate::nats::jetstream::outbox::Outbox;

#[derive(serde::Deserialize)]
struct NakOptions {
    delay: u64,
}

impl Consumer {
    /// What a client says of a delivery. Returns the messages that are done with, and true if it asks for the next.
    pub(in crate::substrate::nats::jetstream) fn acknowledge(
        &mut self,
        seq: u64,
        dseq: u64,
        payload: &[u8],
        outbox: &Outbox,
    ) -> (Vec<u64>, bool) {
        let now = outbox.now();
        match payload {
            b"" | b"+ACK" | b"+OK" | b"+TERM" => return (self.ack(seq, dseq), false),
            b"+WPI" => {
                if self.pending.contains_key(&seq) {
                    self.set_deadline(seq, 0, now + self.patience(seq));
                }
            }
            _ if payload.starts_with(b"+NXT") => return (self.ack(seq, dseq), true),
            _ => {
                if let Some(delay) = payload.strip_prefix(b"-NAK") {
                    self.nak(seq, delay, now);
                }
            }
        }
        (Vec::new(), false)
    }

    fn nak(&mut self, seq: u64, delay: &[u8], now: Instant) {
        if !self.pending.contains_key(&seq) {
            return;
        }
        let text = std::str::from_utf8(delay).unwrap_or_default().trim();
        let delay = match serde_json::from_str::<NakOptions>(text) {
            Ok(options) => Some(Duration::from_nanos(options.delay)),
            Err(_) if text.is_empty() => None,
            Err(_) => text.parse().ok(),
        };
        match delay {
            Some(delay) => {
                self.again.retain(|&other| other != seq);
                self.set_deadline(seq, 0, now + delay);
            }
            None => {
                self.deliver_again(seq);
                self.is_woken = true;
            }
        }
    }

    pub(super) fn ack(&mut self, seq: u64, dseq: u64) -> Vec<u64> {
        self.is_woken |= self.is_stalled();
        match self.config.ack_policy {
            AckPolicy::None => Vec::new(),
            AckPolicy::Explicit => {
                let known = self.settle(seq);
                let dseq = known.as_ref().map_or(dseq, |pending| pending.dseq);
                self.raise_floor(seq, dseq);
                self.redelivered.remove(&seq);
                self.again.retain(|&other| other != seq);
                vec![seq]
            }
            AckPolicy::All => {
                if dseq <= self.floor.0 || seq <= self.floor.1 {
                    return Vec::new();
                }
                self.floor = (dseq, seq);
                let done: Vec<u64> = self.pending.keys().copied().take_while(|&other| other <= seq).collect();
                for &seq in &done {
                    self.settle(seq);
                    self.redelivered.remove(&seq);
                }
                self.again.retain(|&other| other > seq);
                done
            }
        }
    }

    /// The floor stands before the first message that waits for its acknowledgement.
    pub(super) fn raise_floor(&mut self, seq: u64, dseq: u64) {
        if self.pending.is_empty() {
            self.floor = (self.dseq - 1, self.sseq - 1);
        } else if dseq == self.floor.0 + 1 {
            self.floor = match self.pending.from(&(seq + 1)).next() {
                Some((&next, pending)) if pending.dseq > 0 => (pending.dseq - 1, next - 1),
                _ => (dseq, seq),
            };
        }
    }

    /// Up to where everything is acknowledged, as a number of the stream.
    pub(in crate::substrate::nats::jetstream) fn acknowledged(&self) -> u64 {
        self.floor.1
    }

    /// The stream was purged up to `first`: nothing is pending any more.
    pub(in crate::substrate::nats::jetstream) fn purge(&mut self, first: u64) {
        self.sseq = self.sseq.max(first);
        if self.floor.1 < first {
            self.floor = (self.dseq - 1, first - 1);
        }
        for seq in self.pending.keys().copied().collect::<Vec<_>>() {
            self.settle(seq);
        }
        self.again.retain(|&seq| seq >= self.sseq);
    }
}
