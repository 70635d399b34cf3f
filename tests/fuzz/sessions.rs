//! Sessions of RQ 3.0.0 and of Celery 5.7.0 over Redis, as MONITOR showed them: the model answers every command as
//! redis-server 7.0.15 did. `tests/data/sessions` has the commands by connection, each with the replies that came before the
//! next one was sent; an empty command is the moment at which a client that waits has waited long enough.
//!
//! What the clock decides is left out: ids of entries, the time, and whatever INFO says.

use super::store::{Compared, compared, same};
use super::store_peer::Words;
use glasshive::kernel::{Duration, Instant};
use glasshive::substrate::valkey::{Config, ConnId, Disk, Effect, Reply, Store, Version};
use serde_json::Value;
use std::collections::BTreeMap;

/// A text of the file as bytes: one character stands for one byte.
fn bytes(text: &Value) -> Vec<u8> {
    text.as_str().expect("a text").chars().map(|c| c as u8).collect()
}

/// A recorded reply: `:1`, `+OK`, `-ERR …`, `$nil`, `*nil`, `["$", text]`, `["*", …]`.
fn reply(value: &Value) -> Reply {
    if let Some(items) = value.as_array() {
        return match items[0].as_str() {
            Some("$") => Reply::bulk(bytes(&items[1])),
            _ => Reply::Array(items[1..].iter().map(reply).collect()),
        };
    }
    let text = String::from_utf8(bytes(value)).expect("text");
    let rest = text[1..].to_owned();
    match (text.as_bytes()[0], text.as_str()) {
        (_, "$nil") => Reply::NilBulk,
        (_, "*nil") => Reply::NilArray,
        (b':', _) => Reply::Int(rest.parse().expect("a number")),
        (b'+', _) => Reply::Simple(rest.into()),
        _ => Reply::Error(rest.into()),
    }
}

/// Ids of entries are instants: one as good as another.
fn without_ids(reply: &Reply) -> Reply {
    match reply {
        Reply::Array(items) => Reply::Array(items.iter().map(without_ids).collect()),
        Reply::Bulk(text) => {
            let mut parts = text.split(|&byte| byte == b'-');
            let digits = |part: Option<&[u8]>| {
                part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
            };
            let is_id =
                text.len() > 14 && digits(parts.next()) && digits(parts.next()) && parts.next().is_none();
            if is_id { Reply::bulk("an id") } else { reply.clone() }
        }
        reply => reply.clone(),
    }
}

struct Session {
    store: Store,
    now: Instant,
    conns: BTreeMap<u64, ConnId>,
    arrived: Vec<(u64, Reply)>,
}

impl Session {
    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Send(id, reply) = effect {
                let conn = self.conns.iter().find(|(_, other)| **other == id).map(|(conn, _)| *conn);
                self.arrived.push((conn.expect("a connection"), reply));
            }
        }
    }

    fn send(&mut self, conn: u64, words: &Words) {
        if !self.conns.contains_key(&conn) {
            let (id, effects) = self.store.connect(self.now);
            self.conns.insert(conn, id);
            self.note(effects);
        }
        let words = words.iter().map(|word| word.as_slice().into()).collect();
        let effects = self.store.execute(self.conns[&conn], vec![words], self.now);
        self.note(effects);
    }

    /// Lets time pass until a connection has a reply.
    fn wait(&mut self, conn: u64) {
        for _ in 0..100 {
            if self.arrived.iter().any(|(other, _)| *other == conn) {
                return;
            }
            self.now += Duration::from_millis(100);
            let effects = self.store.tick(self.now);
            self.note(effects);
        }
    }
}

fn replay(name: &str, least: usize) {
    let path = format!("tests/data/sessions/{name}.json");
    let steps: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("a file")).expect("steps");
    assert!(steps.len() >= least, "{path} has only {} steps", steps.len());
    let now = Instant::from_millis(5_000);
    let store = Store::new(Config::new(Version::Redis7), Disk::new(), now);
    let mut session = Session { store, now, conns: BTreeMap::new(), arrived: Vec::new() };
    let mut queued: BTreeMap<u64, Vec<Words>> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        let conn = step["conn"].as_u64().expect("a connection");
        let words: Words = step["words"].as_array().expect("words").iter().map(bytes).collect();
        if words.is_empty() {
            session.wait(conn)
        } else {
            session.send(conn, &words)
        }
        let arrived = std::mem::take(&mut session.arrived);
        let expected = step["replies"].as_array().expect("replies");
        let at = format!("{path}, step {at}, {step}\n model {arrived:?}");
        for other in 0..64 {
            let ours: Vec<&Reply> =
                arrived.iter().filter(|(conn, _)| *conn == other).map(|(_, reply)| reply).collect();
            let real: Vec<Reply> =
                expected.iter().filter(|pair| pair[0] == other).map(|pair| reply(&pair[1])).collect();
            assert_eq!(ours.len(), real.len(), "{at}");
            for (ours, real) in ours.into_iter().zip(&real) {
                let queued = queued.entry(conn).or_default();
                assert!(is_same(&words, queued, real, ours) || other != conn && real == ours, "{at}");
            }
        }
        let is = |name: &[u8]| words.first().is_some_and(|word| word.eq_ignore_ascii_case(name));
        let queued = queued.entry(conn).or_default();
        match arrived.first() {
            Some((_, Reply::Simple(text))) if text == "QUEUED" => queued.push(words),
            _ if is(b"EXEC") || is(b"DISCARD") => queued.clear(),
            _ => {}
        }
    }
}

fn is_same(words: &Words, queued: &[Words], real: &Reply, ours: &Reply) -> bool {
    let (real, ours) = (without_ids(real), without_ids(ours));
    if let (Reply::Array(a), Reply::Array(b)) = (&real, &ours)
        && words.first().is_some_and(|word| word.eq_ignore_ascii_case(b"EXEC"))
    {
        return a.len() == b.len()
            && a.len() == queued.len()
            && a.iter().zip(b).zip(queued).all(|((a, b), words)| same(compared(words), a, b));
    }
    same(words.first().map_or(Compared::Exactly, |_| compared(words)), &real, &ours)
}

#[test]
fn a_session_of_rq_runs_on_the_model() {
    replay("rq", 400);
}

#[test]
fn a_session_of_celery_runs_on_the_model() {
    replay("celery", 150);
}
