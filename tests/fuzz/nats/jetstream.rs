//! JetStream's fuzzer: the same acts on the model and on nats-server, which must be seen to do the same. Instants are left
//! out, and fields that the model does not have. `GLASSHIVE_FUZZ_JS` says how many observations, `GLASSHIVE_FROM`
//! with which sequence to begin, `GLASSHIVE_SEED` which one alone, `NATS_SERVER` which server.

use super::both;
use super::input::{Act, sequence};
use super::session::{Session, delivery};
use crate::{amount, is_real, seeds, shrink};
use glasshive::kernel::Rng;
use serde_json::{Map, Value};

const MISMATCHES_MAX: usize = 30;
/// How long an answer may take, and how long one waits for what may never come.
const ANSWER_MS: u64 = 1500;
const SILENCE_MS: u64 = 40;

/// What is compared of the API's answers.
const FIELDS: [&str; 56] = [
    "type",
    "error",
    "code",
    "err_code",
    "description",
    "config",
    "state",
    "messages",
    "bytes",
    "first_seq",
    "last_seq",
    "num_deleted",
    "consumer_count",
    "stream_name",
    "name",
    "delivered",
    "ack_floor",
    "consumer_seq",
    "stream_seq",
    "num_ack_pending",
    "num_redelivered",
    "num_waiting",
    "num_pending",
    "success",
    "purged",
    "did_create",
    "streams",
    "consumers",
    "total",
    "limit",
    "offset",
    "message",
    "subject",
    "seq",
    "hdrs",
    "data",
    "stream",
    "duplicate",
    "subjects",
    "retention",
    "max_msgs",
    "max_bytes",
    "max_age",
    "max_msg_size",
    "storage",
    "discard",
    "num_replicas",
    "duplicate_window",
    "durable_name",
    "deliver_policy",
    "opt_start_seq",
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "backoff",
    "filter_subject",
];

/// Without what is not compared, and without what may be left out since it is nothing.
fn compared(value: &Value) -> Value {
    let is_nothing = |value: &Value| {
        matches!(value, Value::Null | Value::Bool(false))
            || *value == 0
            || *value == ""
            || *value == Value::Array(Vec::new())
    };
    match value {
        Value::Object(fields) => {
            let is_consumer = fields.contains_key("ack_policy");
            let kept = fields.iter().filter(|(name, _)| {
                // A consumer's name is told beside its configuration.
                FIELDS.contains(&name.as_str())
                    && !(is_consumer && (*name == "name" || *name == "num_replicas"))
            });
            let kept = kept.map(|(name, value)| (name.clone(), compared(value)));
            kept.filter(|(_, value)| !is_nothing(value)).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(compared).collect(),
        value => value.clone(),
    }
}

fn json(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_default();
    serde_json::from_str(text).map_or_else(|_| text.into(), |value| compared(&value))
}

/// One side, with the deliveries that it has seen.
pub struct Side<'a> {
    session: &'a mut Session,
    conn: usize,
    tokens: Vec<String>,
}

impl<'a> Side<'a> {
    /// Without streams.
    pub fn fresh(session: &'a mut Session, conn: usize) -> Self {
        let mut side = Side { session, conn, tokens: Vec::new() };
        for name in ["S", "T"] {
            side.call(&format!("STREAM.DELETE.{name}"), "");
        }
        side
    }

    fn call(&mut self, call: &str, request: &str) -> Value {
        // What acknowledgements and deliveries bring about is done beside the calls.
        self.session.bed.wait(3);
        let patience = if call == "INFO.NOTHING" { SILENCE_MS } else { ANSWER_MS };
        let events =
            self.session.ask(self.conn, &format!("$JS.API.{call}"), "", request, patience, &|events| {
                !events.is_empty()
            });
        events.iter().map(|event| if event[5] == "" { json(&event[4]) } else { event[5].clone() }).collect()
    }

    pub fn act(&mut self, act: &Act) -> Value {
        match act {
            Act::Call(call, request) => self.call(call, request),
            Act::Publish(subject, headers, payload) => {
                let events = self
                    .session
                    .ask(self.conn, subject, headers, payload, ANSWER_MS, &|events| !events.is_empty());
                events
                    .iter()
                    .map(|event| if event[5] == "" { json(&event[4]) } else { event[5].clone() })
                    .collect()
            }
            Act::Pull(stream, consumer, request) => {
                self.session.bed.wait(3);
                let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
                let value: Value = serde_json::from_str(request).unwrap_or(Value::Null);
                let batch = value["batch"].as_u64().or(value.as_u64()).unwrap_or(1).max(1) as usize;
                let enough =
                    |events: &[Value]| events.len() >= batch || events.iter().any(|event| event[3] == "");
                let patient = value["no_wait"] == true || value["expires"].is_number();
                let ms = if patient { 300 } else { SILENCE_MS };
                let events = self.session.ask(self.conn, &subject, "", request, ms, &enough);
                self.tokens.extend(
                    events
                        .iter()
                        .filter_map(|event| event[3].as_str())
                        .filter(|t| !t.is_empty())
                        .map(str::to_owned),
                );
                events.iter().map(delivery).collect()
            }
            Act::Acknowledge(which, what) => {
                let place = self.tokens.len().checked_sub(1 + which);
                let Some(token) = place.and_then(|place| self.tokens.get(place).cloned()) else {
                    return Value::Null;
                };
                let events = self.session.ask(self.conn, &token, "", what, 100, &|events| !events.is_empty());
                self.tokens.extend(
                    events
                        .iter()
                        .filter_map(|event| event[3].as_str())
                        .filter(|t| !t.is_empty())
                        .map(str::to_owned),
                );
                events
                    .iter()
                    .map(|event| if event[3] == "" { event[5].clone() } else { delivery(event) })
                    .collect()
            }
        }
    }
}

/// Plays a sequence on both sides: what differed, and after how many acts; and how many observations that were.
fn play(sides: &mut [Session; 2], conns: [usize; 2], acts: &[Act]) -> (Option<(usize, String)>, u64) {
    let [real, model] = sides;
    let (mut real, mut model) = (Side::fresh(real, conns[0]), Side::fresh(model, conns[1]));
    for (at, act) in acts.iter().enumerate() {
        let (seen, ours) = (real.act(act), model.act(act));
        if seen != ours {
            return (Some((at, format!("  {act:?}\n  real   {seen}\n  model  {ours}"))), at as u64 + 1);
        }
    }
    (None, acts.len() as u64)
}

#[test]
fn fuzz_nats_jetstream_on_model_and_real_server() {
    if !is_real() {
        return;
    }
    let mut sides = both(true);
    let conns = [0, 1].map(|side: usize| sides[side].plain());
    let wanted = amount("GLASSHIVE_FUZZ_JS", 10_000);
    let (from, only) = seeds();
    let (mut observed, mut passing, mut wrong, mut seed) = (0, 0, Vec::new(), from);
    while observed < wanted && wrong.len() < MISMATCHES_MAX {
        let mut acts = sequence(&mut Rng::new(seed));
        let (mismatch, count) = play(&mut sides, conns, &acts);
        observed += count;
        if let Some((at, _)) = mismatch {
            acts.truncate(at + 1);
            if play(&mut sides, conns, &acts).0.is_some() {
                shrink(&mut acts, |fewer| play(&mut sides, conns, fewer).0.is_some());
                if let (Some((at, why)), _) = play(&mut sides, conns, &acts) {
                    let before: String = acts[..at].iter().map(|act| format!("  {act:?}\n")).collect();
                    wrong.push(format!("seed {seed}\n{before}{why}"));
                }
            } else {
                passing += 1;
            }
        }
        seed += 1;
        if only {
            break;
        }
    }
    println!(
        "JetStream: {observed} observations in {} sequences from {from} on, {} mismatches, {passing} that did not come again",
        seed - from,
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
