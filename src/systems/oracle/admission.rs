//! How many requests a client may send: a token bucket for each, as a service keeps one per client address.
//!
//! Only `POST /request` costs a token: workers that register and send heartbeats are no clients. The buckets live in the
//! coordinator's memory and are full again after its crash.

use super::Params;
use crate::kernel::{Duration, Instant, SortedMap};
use crate::net::NodeId;
use crate::substrate::decimal::plain;
use crate::substrate::http::Response;
use crate::substrate::rate_limit::Limiter;
use serde_json::json;

/// The buckets of the clients seen so far.
#[derive(Debug, Default)]
pub(super) struct Admission(SortedMap<NodeId, Limiter>);

impl Admission {
    /// Takes a token of `client`'s; without one left, the 429 to answer with. Its `Retry-After` is in whole seconds
    /// and long enough: a client that alone waits for it is let in.
    pub(super) fn refuse(&mut self, client: NodeId, params: &Params, now: Instant) -> Option<Response> {
        let rate = params.rate?;
        let bucket = self.0.entry(client).or_insert_with(|| Limiter::new(rate, params.burst));
        if bucket.allow(now) {
            return None;
        }
        let wait = bucket.wait_for(now, 1).unwrap_or(Duration::ZERO);
        let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
        let message = format!(
            "rate limit exceeded: {} requests a second are allowed, {} at once",
            plain(rate),
            params.burst
        );
        let details = json!({"rate": rate, "burst": params.burst, "retry_after_s": seconds});
        let response = Response::error(429, "rate_limited", &message, details);
        Some(response.with_header("Retry-After", seconds.to_string()))
    }
}
