//! `limit_req`: a leaky bucket that counts in thousandths of a request and whole milliseconds.

use crate::kernel::{Duration, Instant};

/// How many requests the gateway lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second.
    pub rate: u64,
    /// So many more may come early.
    pub burst: u64,
    /// Those are not held back until their turn.
    pub nodelay: bool,
    /// The status of a refusal.
    pub status: u16,
}

/// The bucket of one zone: all clients of the gateway share it.
#[derive(Default)]
pub(super) struct Bucket {
    /// Thousandths of a request.
    excess: u64,
    last_ms: Option<u64>,
}

impl Bucket {
    /// How long a request has to wait; `None` refuses it.
    pub(super) fn admit(&mut self, limit: RateLimit, now: Instant) -> Option<Duration> {
        let now_ms = now.as_nanos() / 1_000_000;
        let excess = match self.last_ms {
            None => 0,
            Some(last) => (self.excess + 1000).saturating_sub(limit.rate * (now_ms - last)),
        };
        if excess > limit.burst * 1000 {
            return None;
        }
        (self.excess, self.last_ms) = (excess, Some(now_ms));
        let wait = if limit.nodelay || limit.rate == 0 { 0 } else { excess / limit.rate };
        Some(Duration::from_millis(wait))
    }
}
