//! The JSON that the oracle's services exchange, with the source documents' names.

use crate::kernel::Duration;
use crate::substrate::body::{Json, Message, text_bound};
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
use crate::substrate::body::{text_length, value_length};
use crate::substrate::http::{Request, Response, bad_json};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use std::fmt;
use std::rc::Rc;

/// More than the names of a message's fields and what stands between them.
const FRAME_MAX: usize = 128;
/// Requests are never so many that their numbers reach this bit; above it an asker has room (`lie.rs`).
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
const ATTEMPT_FROM_BIT: u32 = 40;

/// `POST /request` and `POST /task`. The coordinator gives the id; one that a client sends is ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OracleRequest {
    /// The request's id, `req-00001` and so on.
    #[serde(default)]
    pub id: Rc<str>,
    /// What is asked for, such as `BTC/USD`.
    pub query: Rc<str>,
    /// How often its client has sent it before; not in the JSON of the first time.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    #[serde(default, skip_serializing_if = "is_first")]
    pub attempt: u8,
}

#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
fn is_first(attempt: &u8) -> bool {
    *attempt == 0
}

impl OracleRequest {
    /// What a client sends first.
    pub fn asking(query: Rc<str>) -> Self {
        OracleRequest {
            id: "".into(),
            query,
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            attempt: 0,
        }
    }

    /// What tells the messages of its later attempts from those of the first, to whoever drops repetitions.
    pub(super) fn again(&self) -> String {
        #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
        if self.attempt > 0 {
            return format!("+{}", self.attempt);
        }
        String::new()
    }

    /// The index of what is drawn for it: the request's number, which leaves room for the attempt.
    pub(super) fn address(&self, req: u64) -> u64 {
        #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
        let req = req ^ u64::from(self.attempt) << ATTEMPT_FROM_BIT;
        req
    }

    /// The request in a body; otherwise the 400 to answer with.
    pub fn of(request: &Request) -> Result<Json<Self>, Response> {
        let asked: Json<Self> = request.read().map_err(|error| bad_json(&error))?;
        match asked.query.is_empty() {
            true => Err(empty("query", "it says what is asked for")),
            false => Ok(asked),
        }
    }
}

/// The 400 for a field that must not be empty.
pub fn empty(field: &str, why: &str) -> Response {
    Response::error(400, "invalid_field", &[field, " is empty; ", why].concat(), json!({"field": field}))
}

/// What one worker answered, or why it did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerResult {
    /// The worker, by its own name.
    pub worker_id: Rc<str>,
    /// The name that the coordinator knows it by, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_as: Option<Rc<str>>,
    /// The request that it answers.
    pub request_id: Rc<str>,
    /// The value; 0 when there is an error.
    pub value: f64,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub err: Option<Rc<str>>,
    /// The worker's own processing time; for one that did not answer, how long the coordinator waited.
    #[serde(with = "go_duration")]
    pub response_time: Duration,
    /// False for a failed or late answer.
    pub reliable: bool,
}

/// The coordinator's answer to `POST /request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OracleResult {
    /// The request's id.
    pub request_id: Rc<str>,
    /// The aggregate of the answers used.
    pub final_value: f64,
    /// One entry per worker asked, in registration order.
    pub worker_responses: Rc<[WorkerResult]>,
    /// How far the result can be relied upon, in words.
    pub reliability_note: Rc<str>,
}

/// `POST /register`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The worker's id.
    pub id: Rc<str>,
    /// Where its tasks go, such as `http://localhost:8081`.
    pub endpoint: Rc<str>,
}

/// `POST /heartbeat` and `POST /deregister`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerName {
    /// The worker's id.
    pub id: Rc<str>,
}

/// What the coordinator answers to the three of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// What was noted.
    pub status: Noted,
    /// The same in words.
    pub message: Words,
}

/// What the coordinator notes of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Noted {
    /// It registers.
    Registered,
    /// It lives.
    Alive,
    /// It goes.
    Deregistered,
}

/// Words about a worker, put together when somebody looks: nobody reads what heartbeats are answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    before: &'static str,
    worker: Rc<str>,
    after: &'static str,
}

/// A row of the registry, as `GET /workers` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// The worker's id.
    pub id: Rc<str>,
    /// Where its tasks go.
    pub endpoint: Rc<str>,
    /// The last registration, heartbeat or answer, in RFC 3339.
    pub last_seen: String,
    /// True when its score is at least one half.
    pub reliable: bool,
    /// Its reliability score, 0 … 1.
    pub score: f64,
}

impl Acknowledgement {
    /// What is said to a worker.
    pub fn of(status: Noted, worker: &Rc<str>) -> Self {
        let after = match status {
            Noted::Registered => " successfully registered",
            Noted::Alive => " is registered",
            Noted::Deregistered => " successfully deregistered",
        };
        Acknowledgement { status, message: Words { before: "Worker ", worker: Rc::clone(worker), after } }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.before, self.worker, self.after)
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which of them name the worker, their reader does not know.
impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Words { before: "", worker: Rc::deserialize(deserializer)?, after: "" })
    }
}

impl Message for OracleRequest {
    fn length_bound(&self) -> Option<usize> {
        Some(FRAME_MAX + text_bound(&self.id) + text_bound(&self.query))
    }

    // A broker asks; the program that the page opens with has none.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn length(&self) -> Option<usize> {
        let attempt = match self.attempt {
            0 => 0,
            attempt => {
                r#","attempt":"#.len() + attempt.checked_ilog10().map_or(1, |digits| digits as usize + 1)
            }
        };
        Some(r#"{"id":,"query":}"#.len() + text_length(&self.id) + text_length(&self.query) + attempt)
    }
}

impl WorkerResult {
    /// The name that the coordinator knows the worker by.
    pub fn known_as(&self) -> &Rc<str> {
        self.registered_as.as_ref().unwrap_or(&self.worker_id)
    }
}

impl Message for WorkerResult {
    fn is_exact(&self) -> bool {
        self.value.is_finite()
    }

    // A broker asks; the program that the page opens with has none.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    fn length(&self) -> Option<usize> {
        let frame = r#"{"worker_id":,"request_id":,"value":,"response_time":,"reliable":}"#.len();
        let optional = |name: &str, text: &Option<Rc<str>>| {
            text.as_ref().map_or(0, |text| name.len() + text_length(text))
        };
        Some(
            frame
                + text_length(&self.worker_id)
                + optional(r#""registered_as":,"#, &self.registered_as)
                + text_length(&self.request_id)
                + value_length(&self.value)
                + optional(r#""err":,"#, &self.err)
                + go_duration::length(self.response_time)
                + 2
                + if self.reliable { 4 } else { 5 },
        )
    }
}

impl Message for OracleResult {
    fn is_exact(&self) -> bool {
        self.final_value.is_finite() && self.worker_responses.iter().all(Message::is_exact)
    }
}

impl Message for Registration {
    fn length_bound(&self) -> Option<usize> {
        Some(FRAME_MAX + text_bound(&self.id) + text_bound(&self.endpoint))
    }
}

impl Message for WorkerName {
    fn length_bound(&self) -> Option<usize> {
        Some(FRAME_MAX + text_bound(&self.id))
    }
}

impl Message for Acknowledgement {}

/// Durations on the wire are strings in Go's notation.
pub mod go_duration {
    use super::*;

    /// How many bytes its text has, without writing it: the length of every answer depends on it.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    pub fn length(duration: Duration) -> usize {
        let digits = |number: u64| number.checked_ilog10().map_or(1, |log| log as usize + 1);
        // Of as many units as `ns` are: without zeros at the end.
        let decimal = |ns: u64, unit: u64| {
            let (mut fraction, mut places) = (ns % unit, digits(unit));
            if fraction == 0 {
                return digits(ns / unit);
            }
            while fraction % 10 == 0 {
                (fraction, places) = (fraction / 10, places - 1);
            }
            digits(ns / unit) + places
        };
        match duration.as_nanos() {
            0 => "0s".len(),
            ns @ ..1_000 => digits(ns) + "ns".len(),
            ns @ ..1_000_000 => decimal(ns, 1_000) + "µs".len(),
            ns @ ..1_000_000_000 => decimal(ns, 1_000_000) + "ms".len(),
            ns @ ..60_000_000_000 => decimal(ns, 1_000_000_000) + "s".len(),
            _ => duration.text_length(),
        }
    }

    /// Writes `"120ms"`.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(duration)
    }

    /// Reads `"120ms"`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;

    #[test]
    fn a_durations_text_is_as_long_as_it_is_said_to_be() {
        let mut rng = Rng::new(5);
        let known =
            [0, 1, 10, 999, 1_000, 1_050, 999_999, 1_000_000, 120_000_000, 1_000_000_000, 59_999_999_999];
        let random = (0..2_000).map(|i| (rng.next_u64() >> (i % 64)) / [1, 10, 1_000, 1_000_000][i % 4]);
        for duration in
            known.into_iter().chain([60_000_000_000, u64::MAX]).chain(random).map(Duration::from_nanos)
        {
            assert_eq!(go_duration::length(duration), format!("{duration}").len(), "{duration}");
        }
    }
}
