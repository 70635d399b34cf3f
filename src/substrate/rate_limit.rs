//! A token bucket with the semantics of Go's `golang.org/x/time/rate`.
//!
//! The bucket starts full, fills continuously at `limit` tokens a second up to `burst`, and a call for n of them either
//! takes all n or none. Times are the caller's, as in the package's functions that end in `At` or `N`. What it does to
//! the last detail, also with times that go back, is in `doc/conformance.md`.

use crate::kernel::{Duration, Instant};

/// So many tokens a second; [`INFINITE`] lets everything pass, 0 lets the burst pass once.
pub type Limit = f64;

/// No limit: every call passes, whatever the burst. A number, as there, so that no time at all brings no token.
pub const INFINITE: Limit = f64::MAX;

/// The limit of one token every `interval`; infinite for none.
pub fn every(interval: Duration) -> Limit {
    if interval == Duration::ZERO { INFINITE } else { 1.0 / interval.as_secs_f64() }
}

/// A token bucket.
#[derive(Clone, Debug)]
pub struct Limiter {
    limit: Limit,
    burst: u32,
    tokens: f64,
    /// When `tokens` was right.
    last: Instant,
    /// When the latest reservation may act.
    last_event: Instant,
}

/// Tokens that are taken already, for an event that may have to wait for its time.
#[derive(Debug, PartialEq)]
pub struct Reservation {
    tokens: u32,
    limit: Limit,
    /// When its owner may act.
    pub act_at: Instant,
}

impl Reservation {
    /// How long its owner has to wait, seen from `now`.
    pub fn delay_from(&self, now: Instant) -> Duration {
        self.act_at.since(now)
    }
}

impl Limiter {
    /// A full bucket.
    pub fn new(limit: Limit, burst: u32) -> Self {
        // The original fills up from the year 1 on when it is first used, which without a rate gives nothing.
        let tokens = if limit > 0.0 { f64::from(burst) } else { 0.0 };
        Limiter { limit, burst, tokens, last: Instant::ZERO, last_event: Instant::ZERO }
    }

    /// Whether an event may happen now; takes a token if so.
    pub fn allow(&mut self, now: Instant) -> bool {
        self.allow_n(now, 1)
    }

    /// Whether `n` events may happen at once now; takes `n` tokens if so, else none.
    pub fn allow_n(&mut self, now: Instant, n: u32) -> bool {
        self.reserve_within(now, n, Duration::ZERO).is_some()
    }

    /// Takes `n` tokens, also of the future. `None` when the bucket can never hold so many.
    pub fn reserve_n(&mut self, now: Instant, n: u32) -> Option<Reservation> {
        self.reserve_within(now, n, Duration::from_nanos(u64::MAX))
    }

    /// Gives a reservation back, unless its time has passed: as many tokens as no later reservation counts upon.
    pub fn cancel(&mut self, reservation: Reservation, now: Instant) {
        let Reservation { tokens: reserved, limit, act_at } = reservation;
        if self.limit == INFINITE || reserved == 0 || act_at < now {
            return;
        }
        let later =
            tokens_in(limit, self.last_event.since(act_at)) - tokens_in(limit, act_at.since(self.last_event));
        let restored = f64::from(reserved) - later;
        if restored <= 0.0 {
            return;
        }
        self.tokens = (self.tokens_at(now) + restored).min(f64::from(self.burst));
        self.last = now;
        if act_at == self.last_event {
            let before = act_at.as_nanos().checked_sub(nanos_for(limit, f64::from(reserved)));
            if let Some(before) = before.map(Instant::from_nanos).filter(|before| *before >= now) {
                self.last_event = before;
            }
        }
    }

    /// How many tokens there are; below 0 when some of the future are reserved.
    pub fn tokens_at(&self, now: Instant) -> f64 {
        // A time before the last one adds nothing.
        let filled = self.tokens + tokens_in(self.limit, now.since(self.last));
        filled.min(f64::from(self.burst))
    }

    /// How long until `n` tokens are there if nobody else takes any, to a nanosecond; `None` for never.
    pub fn wait_for(&self, now: Instant, n: u32) -> Option<Duration> {
        self.clone().reserve_n(now, n).map(|reservation| reservation.delay_from(now))
    }

    /// Another limit from now on; the tokens so far stay.
    pub fn set_limit(&mut self, now: Instant, limit: Limit) {
        self.tokens = self.tokens_at(now);
        (self.last, self.limit) = (now, limit);
    }

    /// Another burst from now on; the tokens so far stay, and what is too much spills over when time passes.
    pub fn set_burst(&mut self, now: Instant, burst: u32) {
        self.tokens = self.tokens_at(now);
        (self.last, self.burst) = (now, burst);
    }

    /// Takes `n` tokens if they are there within `longest`; a refused call changes nothing.
    pub fn reserve_within(&mut self, now: Instant, n: u32, longest: Duration) -> Option<Reservation> {
        let at = |act_at| Reservation { tokens: n, limit: self.limit, act_at };
        if self.limit == INFINITE {
            return Some(at(now));
        }
        if self.limit <= 0.0 {
            // Nothing ever comes in: the burst itself is used up.
            let granted = (n <= self.burst).then(|| at(now));
            self.burst -= if granted.is_some() { n } else { 0 };
            return granted;
        }
        let tokens = self.tokens_at(now) - f64::from(n);
        // Whole nanoseconds: what is missing by a rounding costs no waiting.
        let wait = if tokens < 0.0 { nanos_for(self.limit, -tokens) } else { 0 };
        if n > self.burst || wait > longest.as_nanos() {
            return None;
        }
        let act_at = now + Duration::from_nanos(wait);
        let reservation = at(act_at);
        (self.tokens, self.last, self.last_event) = (tokens, now, act_at);
        Some(reservation)
    }
}

fn tokens_in(limit: Limit, span: Duration) -> f64 {
    if limit <= 0.0 {
        return 0.0;
    }
    // Whole seconds and the rest apart, as Go's `Duration.Seconds` rounds.
    let (whole, rest) = (span.as_nanos() / 1_000_000_000, span.as_nanos() % 1_000_000_000);
    (whole as f64 + rest as f64 / 1e9) * limit
}

fn nanos_for(limit: Limit, tokens: f64) -> u64 {
    // Saturates.
    if limit <= 0.0 { u64::MAX } else { (1e9 * (tokens / limit)) as u64 }
}
