//! The queue: what each step of a job does to the store, as the commands that do it.
//!
//! | key | what it is |
//! |---|---|
//! | `task_queue` | jobs that wait: pushed at the left, taken at the right |
//! | `processing` | jobs that workers have in hand, with LMOVE |
//! | `dead_letter` | jobs that failed too often, the newest 1,000: who wants puts one back, and a result looks through all |
//! | `revived` | how many dead letters were put back of which nothing else was known any more |
//! | `task:<id>` | a hash of what is known of a job; it expires some time after the job is over. Those of lost jobs stay: as many as deaths have cost |
//!
//! No field of the hash says the status: it follows from which fields there are (`status`), so two workers that have the
//! same job in hand cannot take each other's word back. Steps that touch several keys are one script or one transaction.

use super::VALKEY;
use super::messages::{Payload, number};
use crate::kernel::Duration;
use crate::net::NodeId;
use crate::substrate::stream::Conn;
use crate::substrate::valkey::{Call, Error, Fields, Reply, TIME_LIMIT, Valkey, Wire, Words};
use std::rc::Rc;

/// Jobs that wait.
pub const QUEUE: &str = "task_queue";
/// Jobs in hand, with LMOVE.
pub const PROCESSING: &str = "processing";
/// The newest thousand of the jobs that failed too often.
pub const DEAD_LETTER: &str = "dead_letter";

/// How many dead letters that the store had forgotten were put back: none of their attempts is one that was made before.
const REVIVED: &str = "revived";

/// KEYS: the hash, and all lists: a reaper may have put it back, and others may have failed at it since.
/// ARGV: the job, the result, who, at which attempt, how many milliseconds the hash is kept.
/// Returns how many were in hand: none after a reaper took it away.
pub(super) const COMPLETE: &str = "redis.call('HSET', KEYS[1], 'result', ARGV[2], 'handled_by', ARGV[3], 'handled_attempt', ARGV[4]); \
     redis.call('PEXPIRE', KEYS[1], ARGV[5]); \
     redis.call('LREM', KEYS[3], 0, ARGV[1]); redis.call('LREM', KEYS[4], 0, ARGV[1]); return redis.call('LREM', KEYS[2], 0, ARGV[1])";
/// KEYS: the hash, and the dead letters, which get room for one more. ARGV: who, why, how many milliseconds the hash is kept.
const MARK_DEAD: &str = "redis.call('HSET', KEYS[1], 'handled_by', ARGV[1], 'error', ARGV[2]); \
     redis.call('LTRIM', KEYS[2], 0, 998); \
     return redis.call('PEXPIRE', KEYS[1], ARGV[3])";

/// Where the arguments begin among the words of an EVAL with so many keys.
pub(super) const fn first_argument(keys: usize) -> usize {
    3 + keys
}

/// The hash of a job.
pub fn task_key(id: &str) -> String {
    ["task:", id].concat()
}

/// The status that a job's hash amounts to.
pub(super) fn status(hash: &Fields) -> &'static str {
    match () {
        () if hash.has("result") => "COMPLETED",
        () if hash.has("error") => "FAILED",
        () if hash.has("claimed_by") => "PROCESSING",
        () => "PENDING",
    }
}

/// A job as text, the element of the lists.
pub(super) fn write(payload: &Payload) -> String {
    // A plain struct: it cannot fail.
    serde_json::to_string(payload).unwrap_or_default()
}

/// Stores a new job and queues it; its place in the queue, counted from 1.
pub(super) async fn push(valkey: &Valkey, payload: &Payload, initiated_by: &str) -> Result<u64, Error> {
    let (a, b) = (number(payload.a).to_string(), number(payload.b).to_string());
    let fields = [("a", a.as_str()), ("b", b.as_str()), ("initiated_by", initiated_by)];
    let (key, element) = (task_key(&payload.task_id), write(payload));
    // Both leave at once, and arrive in this order.
    let (stored, pushed) = futures::join!(valkey.hset(&key, &fields), valkey.lpush(QUEUE, &element));
    stored?;
    pushed.map(i64::unsigned_abs)
}

/// A job and the words that stand for it in the lists.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub(super) payload: Payload,
    pub(super) element: String,
}

/// A worker's own connection for taking jobs: it lasts as long as the worker does.
pub(super) struct Line {
    conn: Conn<Call, Reply>,
    /// The call for a job, always the same.
    call: Words,
}

impl Line {
    /// Jobs are waited for at most for `wait` at a time.
    pub(super) async fn open(wire: &Wire, node: NodeId, lmove: bool, wait: Duration) -> Option<Line> {
        let dialled = wire.net().ctx().timeout(TIME_LIMIT, wire.connect(node, VALKEY)).await;
        let wait = wait.as_secs_f64().to_string();
        let words: &[&str] = if lmove {
            &["BLMOVE", QUEUE, PROCESSING, "RIGHT", "LEFT", &wait]
        } else {
            &["BRPOP", QUEUE, &wait]
        };
        let call = words.iter().map(|word| word.as_bytes().into()).collect();
        dialled.ok()?.ok().map(|conn| Line { conn, call })
    }

    /// Its number at the store, too.
    pub(super) fn number(&self) -> u64 {
        self.conn.number()
    }

    /// The oldest job, if one comes in time. `Err` when the connection broke.
    pub(super) async fn pop(&mut self) -> Result<Option<Claimed>, Error> {
        self.conn.send(Call(Rc::clone(&self.call))).map_err(|_| Error::Lost)?;
        match self.conn.recv().await.ok_or(Error::Lost)? {
            Reply::Error(text) => Err(Error::Server(text.into_owned())),
            reply => Ok(element_of(&reply).and_then(|element| {
                let payload = serde_json::from_str(element).ok()?;
                Some(Claimed { payload, element: element.to_owned() })
            })),
        }
    }
}

/// The element in the answer to a pop.
pub(super) fn element_of(reply: &Reply) -> Option<&str> {
    let bytes = match reply {
        Reply::Bulk(bytes) => bytes,
        Reply::Array(parts) => match parts.as_slice() {
            [Reply::Bulk(key), Reply::Bulk(bytes)] if **key == *QUEUE.as_bytes() => bytes,
            _ => return None,
        },
        _ => return None,
    };
    std::str::from_utf8(bytes).ok()
}

/// Notes that a worker has a job in hand; returns which attempt this is, counted from 1.
pub(super) async fn claim(valkey: &Valkey, id: &str, by: &str, at_ms: u64) -> Result<u64, Error> {
    let (key, at) = (task_key(id), at_ms.to_string());
    let fields = [("claimed_by", by), ("claimed_ms", at.as_str())];
    let (claimed, attempt) = futures::join!(valkey.hset(&key, &fields), valkey.hincrby(&key, "attempts", 1));
    claimed?;
    attempt.map(i64::unsigned_abs)
}

/// What is written about a job that is over, and how long it is kept.
#[derive(Clone, Copy)]
pub(super) struct Verdict<'a> {
    /// Whose.
    pub(super) by: &'a str,
    /// The result, or why there is none.
    pub(super) text: &'a str,
    /// For how long.
    pub(super) ttl: Duration,
}

impl Verdict<'_> {
    fn ttl_ms(&self) -> String {
        (self.ttl.as_nanos() / 1_000_000).to_string()
    }
}

/// Notes a result, and takes the job off all lists.
pub(super) async fn complete(
    valkey: &Valkey,
    job: &Claimed,
    result: Verdict<'_>,
    attempt: u64,
) -> Result<(), Error> {
    let (key, attempt, ttl) = (task_key(&job.payload.task_id), attempt.to_string(), result.ttl_ms());
    let Verdict { by, text, .. } = result;
    let [script, element] = [COMPLETE, &job.element];
    let words =
        ["EVAL", script, "4", &key, PROCESSING, QUEUE, DEAD_LETTER, element, text, by, &attempt, &ttl];
    valkey.command(words).await.map(drop)
}

/// Where a job goes that a worker has had in hand.
pub(super) enum Onward<'a> {
    /// To the end of the queue: its worker has failed.
    Retry,
    /// To the front of the queue: its worker has gone.
    Reap,
    /// To the dead letters.
    Bury(Verdict<'a>),
}

/// Moves a job on, from the processing list if it is `listed`, unless anybody has touched its hash since `watch` was sent:
/// then someone else has it, it is done, or this has happened already and its answer was lost. `valkey` must be a
/// connection that nobody else uses; when it breaks meanwhile, nothing of this happens.
pub(super) async fn move_on(
    valkey: &Valkey,
    job: &Claimed,
    listed: bool,
    onward: Onward<'_>,
) -> Result<bool, Error> {
    // Half a transaction on another connection would be carried out by itself.
    let valkey = &valkey.on_this_connection();
    let key = task_key(&job.payload.task_id);
    let element = job.element.as_str();
    let push = async {
        match onward {
            Onward::Retry => valkey.command(["LPUSH", QUEUE, element]).await,
            Onward::Reap => valkey.command(["RPUSH", QUEUE, element]).await,
            Onward::Bury(verdict) => {
                let (Verdict { by, text, .. }, ttl) = (verdict, verdict.ttl_ms());
                let mark = valkey.command(["EVAL", MARK_DEAD, "2", &key, DEAD_LETTER, by, text, &ttl]);
                let (marked, pushed) = futures::join!(mark, valkey.command(["LPUSH", DEAD_LETTER, element]));
                marked.and(pushed)
            }
        }
    };
    let take_off = async {
        if listed {
            // Its outcome is part of the transaction's.
            let _ = valkey.command(["LREM", PROCESSING, "1", element]).await;
        }
    };
    // Counted, so that the hash is touched in any case: a second reaper's transaction is then called off.
    let (_, _, _, _, pushed, done) = futures::join!(
        valkey.command(["MULTI"]),
        take_off,
        valkey.command(["HDEL", &key, "claimed_by"]),
        valkey.command(["HINCRBY", &key, "moves", "1"]),
        push,
        valkey.command(["EXEC"])
    );
    pushed?;
    Ok(matches!(done?, Reply::Array(_)))
}

/// The dead letters, the newest first.
pub(super) async fn dead(valkey: &Valkey) -> Result<Vec<Claimed>, Error> {
    let Reply::Array(elements) = valkey.command(["LRANGE", DEAD_LETTER, "0", "-1"]).await? else {
        return Ok(Vec::new());
    };
    let texts = elements.iter().filter_map(|element| match element {
        Reply::Bulk(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    });
    let read = |element: &str| {
        Some(Claimed { payload: serde_json::from_str(element).ok()?, element: element.to_owned() })
    };
    Ok(texts.filter_map(read).collect())
}

/// Puts a dead letter back into the queue, for one more attempt. False when it is none any more: somebody else was faster.
pub(super) async fn revive(valkey: &Valkey, job: &Claimed, by: &str, attempts: u32) -> Result<bool, Error> {
    valkey.ready().await?;
    let valkey = &valkey.on_this_connection();
    let (key, element) = (task_key(&job.payload.task_id), job.element.as_str());
    let (a, b) = (number(job.payload.a).to_string(), number(job.payload.b).to_string());
    let (_, place, hash) = futures::join!(
        valkey.command(["WATCH", DEAD_LETTER]),
        valkey.command(["LPOS", DEAD_LETTER, element]),
        valkey.hgetall(&key)
    );
    if !matches!(place?, Reply::Int(_)) {
        return unwatch(valkey).await.map(|()| false);
    }
    let hash = hash?;
    // The store may have forgotten the job meanwhile: then it is known again, and its attempts count on.
    let initiated_by = hash.get("initiated_by").unwrap_or(by.into());
    let attempts = match hash.get("attempts") {
        Some(known) => known.into_owned(),
        None => (i64::from(attempts) + valkey.hincrby(REVIVED, "count", 1).await?).to_string(),
    };
    let words = ["HSET", &key, "a", &a, "b", &b, "initiated_by", &initiated_by, "attempts", &attempts];
    let (_, _, _, _, _, _, done) = futures::join!(
        valkey.command(["MULTI"]),
        valkey.command(["LREM", DEAD_LETTER, "1", element]),
        valkey.command(["HDEL", &key, "error", "handled_by", "claimed_by"]),
        valkey.command(words),
        valkey.command(["PERSIST", &key]),
        valkey.command(["LPUSH", QUEUE, element]),
        valkey.command(["EXEC"])
    );
    Ok(matches!(done?, Reply::Array(_)))
}

/// Begins to watch a job's hash, and reads it; `None` when the job should be `listed` in the processing list and is not.
/// Whoever takes it off that list touches the hash, so what is read here still holds when [`move_on`] succeeds.
pub(super) async fn watch(valkey: &Valkey, job: &Claimed, listed: bool) -> Result<Option<Fields>, Error> {
    // All of it on one connection, and in this order.
    valkey.ready().await?;
    let key = task_key(&job.payload.task_id);
    let look = async {
        if !listed {
            return Ok(true);
        }
        let place = valkey.command(["LPOS", PROCESSING, &job.element]).await?;
        Ok(matches!(place, Reply::Int(_)))
    };
    let (watched, is_there, hash) =
        futures::join!(valkey.command(["WATCH", &key]), look, valkey.hgetall(&key));
    watched?;
    let hash = hash?;
    Ok(is_there?.then_some(hash))
}

/// Ends watching without doing anything.
pub(super) async fn unwatch(valkey: &Valkey) -> Result<(), Error> {
    valkey.command(["UNWATCH"]).await.map(drop)
}
