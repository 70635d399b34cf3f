//! The rows of JetStream as scripts: one long story of a stream and its consumers, and shorter ones.

use super::bed::{Blow, Setup};
use super::session::{Make, Session, delivery, figures, only};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MS: u64 = 1_000_000;
const ORACLE: &str = "ORACLE";

pub fn observe(make: Make) -> BTreeMap<String, Value> {
    let setup = Setup { jetstream: true, ..Setup::default() };
    let mut seen = BTreeMap::new();
    let mut s = make("oracle", &setup);
    let a = s.plain();
    streams(&mut s, a);
    pulling(&mut s, a);
    acknowledging(&mut s, a);
    limits_of_delivery(&mut s, a);
    waiting(&mut s, a);
    pushing(&mut s, a);
    seen.extend(s.seen);
    let mut s = make("others", &setup);
    let a = s.plain();
    publishing(&mut s, a);
    retention(&mut s, a);
    policies(&mut s, a);
    seen.extend(s.seen);
    let mut s = make("restart", &setup);
    restarting(&mut s);
    seen.extend(s.seen);
    seen
}

fn error_of(answer: &Value) -> Value {
    only(&answer["error"], &["code", "err_code", "description"])
}

fn streams(s: &mut Session, a: usize) {
    let config = json!({"name": ORACLE, "subjects": ["oracle.tasks"], "storage": "file"});
    let answer = s.stream(a, config.clone());
    s.note("stream-create", only(&answer, &["type", "did_create"]));
    let answer = s.stream(a, config);
    s.note("stream-create-again-same", only(&answer, &["did_create", "error"]));
    let answer = s.stream(a, json!({"name": "OTHER", "subjects": ["oracle.*"]}));
    s.note("stream-overlap", error_of(&answer));
    let answer = s.api(a, "STREAM.INFO.ORACLE", Value::Null);
    let names = ["duplicate_window", "max_msg_size", "discard", "retention", "num_replicas"];
    s.note("dup-window-default", only(&answer["config"], &names));
    let answer = s.json(a, "oracle.tasks", "", "t1");
    s.note("publish-ack", answer);
    s.publish(a, "oracle.tasks", "t2");
    s.take(a);
    let count = s.messages(a, ORACLE);
    s.note("core-publish-also-stored", count);
    let answer =
        s.ask(a, "$JS.API.CONSUMER.MSG.NEXT.ORACLE.nobody", "", "", 300, &|events| !events.is_empty());
    s.note("pull-missing-consumer", answer.into());
    let answer = s.api(a, "STREAM.INFO.NONE", Value::Null);
    s.note("stream-info-missing", error_of(&answer));
    let answer = s.api(a, "CONSUMER.INFO.ORACLE.nobody", Value::Null);
    s.note("consumer-info-missing", error_of(&answer));
}

fn pulling(s: &mut Session, a: usize) {
    let answer = s.durable(a, ORACLE, "w", json!({"ack_wait": 500 * MS}));
    s.note("consumer-create", only(&answer, &["type", "name", "num_pending", "error"]));
    let one = json!({"batch": 1, "expires": 2000 * MS});
    let began = s.bed.now();
    let (seen, first) = s.pull(a, ORACLE, "w", one.clone(), 500);
    s.note("pull-1", seen);
    let seen = s.figures(a, ORACLE, "w");
    s.note("info-after-pull", seen);
    let (seen, second) = s.pull(a, ORACLE, "w", one.clone(), 500);
    s.note("pull-2", seen);
    s.publish(a, &second[0], "+ACK");
    let seen = s.figures(a, ORACLE, "w");
    s.note("ack-out-of-order", seen);
    let (seen, again) = s.pull(a, ORACLE, "w", one, 2000);
    s.note("ack-wait-redelivery", json!([(s.bed.now() - began) / 1000.0, seen]));
    let seen = s.figures(a, ORACLE, "w");
    s.note("info-after-redelivery", seen);
    s.publish(a, &first[0], "+ACK");
    let seen = s.figures(a, ORACLE, "w");
    s.note("late-ack-with-old-token", seen);
    s.publish(a, &again[0], "+ACK");
    let seen = s.figures(a, ORACLE, "w");
    s.note("double-ack", seen);
    let count = s.messages(a, ORACLE);
    s.note("limits-retention-keeps", count);

    let next = "$JS.API.CONSUMER.MSG.NEXT.ORACLE.w";
    let seen = s.ask_one(a, next, "{\"batch\":1,\"no_wait\":true}");
    s.note("pull-no-wait-empty", seen.into());
    let began = s.bed.now();
    let (seen, _) = s.pull(a, ORACLE, "w", json!({"batch": 1, "expires": 300 * MS}), 1000);
    s.note("pull-expires-empty", json!([(s.bed.now() - began) / 1000.0, seen[0]]));
    let seen = s.ask(a, next, "", "1", 500, &|events| !events.is_empty());
    let waiting = s.figures(a, ORACLE, "w")["num_waiting"].clone();
    s.note("pull-no-expiry-waits", json!([seen, waiting]));
    s.publish(a, "oracle.tasks", "t3");
    s.take(a);
    let seen = s.figures(a, ORACLE, "w");
    s.note("pull-request-interest-gone", seen);
    let (seen, tokens) = s.pull(a, ORACLE, "w", json!({"batch": 5, "no_wait": true}), 500);
    s.note("pull-no-wait-partial", seen);
    s.publish(a, &tokens[0], "+ACK");
}

fn acknowledging(s: &mut Session, a: usize) {
    let one = json!({"batch": 1, "expires": 3000 * MS});
    s.publish(a, "oracle.tasks", "n1");
    let (_, tokens) = s.pull(a, ORACLE, "w", one.clone(), 500);
    let began = s.bed.now();
    s.publish(a, &tokens[0], "-NAK");
    let (seen, tokens) = s.pull(a, ORACLE, "w", one.clone(), 500);
    s.note("nak-immediate", json!([(s.bed.now() - began) / 1000.0, seen]));
    let began = s.bed.now();
    s.publish(a, &tokens[0], "-NAK {\"delay\": 1000000000}");
    let (seen, tokens) = s.pull(a, ORACLE, "w", one.clone(), 3000);
    let first = s.bed.now();
    s.note("nak-delay", json!([(first - began) / 1000.0, seen]));
    for _ in 0..4 {
        s.bed.wait(300);
        s.publish(a, &tokens[0], "+WPI");
    }
    let last = s.bed.now();
    let (seen, tokens) = s.pull(a, ORACLE, "w", one.clone(), 3000);
    let now = s.bed.now();
    s.note("in-progress-extends", json!([(now - first) / 1000.0, (now - last) / 1000.0, seen]));
    s.publish(a, &tokens[0], "+TERM");
    let (seen, _) = s.pull(a, ORACLE, "w", json!({"batch": 1, "expires": 800 * MS}), 2000);
    let after = s.figures(a, ORACLE, "w");
    s.note("term", json!([seen, after]));

    (1..=4).for_each(|n| s.publish(a, "oracle.tasks", &format!("s{n}")));
    let (_, tokens) = s.pull(a, ORACLE, "w", one.clone(), 500);
    let seen = s.ask_one(a, &tokens[0], "+ACK");
    s.note("ack-sync", seen.into());
    let seen = s.ask_one(a, &tokens[0], "+ACK");
    s.note("ack-sync-again", seen.into());
    let (_, tokens) = s.pull(a, ORACLE, "w", one.clone(), 500);
    s.publish(a, &tokens[0], "what?");
    let mut seen = s.figures(a, ORACLE, "w");
    // Two more of the story are stored already; when this row was recorded they were not.
    assert_eq!(seen["num_pending"].take(), 2);
    seen["num_pending"] = 0.into();
    s.note("ack-garbage-payload", seen);
    s.publish(a, &tokens[0], "");
    let mut seen = s.figures(a, ORACLE, "w");
    assert_eq!(seen["num_pending"].take(), 2);
    seen["num_pending"] = 0.into();
    s.note("ack-empty-payload", seen);
    let (_, tokens) = s.pull(a, ORACLE, "w", one, 500);
    let events = s.ask_one(a, &tokens[0], "+NXT");
    s.note("ack-next", events.iter().map(delivery).collect());
    s.publish(a, events[0][3].as_str().unwrap(), "+ACK");
    s.take(a);
}

/// Pulls with a time limit, again and again: when each answer came, since the first, and what it was.
fn repeated(s: &mut Session, a: usize, name: &str, times: usize, expires: u64) -> Value {
    let began = s.bed.now();
    let mut seen = Vec::new();
    for _ in 0..times {
        let (events, _) =
            s.pull(a, ORACLE, name, json!({"batch": 1, "expires": expires * MS}), expires + 500);
        seen.push(json!([(s.bed.now() - began) / 1000.0, events]));
    }
    seen.into()
}

fn limits_of_delivery(s: &mut Session, a: usize) {
    let advisories = s.plain();
    s.line(advisories, "SUB $JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.> 1");
    s.durable(a, ORACLE, "md", json!({"ack_wait": 200 * MS, "max_deliver": 3, "deliver_policy": "new"}));
    s.publish(a, "oracle.tasks", "poison");
    let seen = repeated(s, a, "md", 5, 800);
    s.note("max-deliver-3", seen);
    let advisory = Session::payloads(&s.take(advisories));
    let names = ["type", "stream", "consumer", "stream_seq", "deliveries"];
    let advisory = advisory.iter().map(|text| only(&serde_json::from_str(text).unwrap(), &names));
    s.note("max-deliver-advisory", advisory.collect());
    let seen = s.figures(a, ORACLE, "md");
    s.note("max-deliver-state", seen);
    let backoff = json!([100 * MS, 300 * MS, 600 * MS]);
    s.durable(a, ORACLE, "bo", json!({"backoff": backoff, "max_deliver": 4, "deliver_policy": "new"}));
    s.publish(a, "oracle.tasks", "b");
    let seen = repeated(s, a, "bo", 5, 1200);
    s.note("backoff", seen);
    s.durable(a, ORACLE, "mp", json!({"max_ack_pending": 2, "deliver_policy": "new"}));
    (0..4).for_each(|n| s.publish(a, "oracle.tasks", &format!("p{n}")));
    let four = json!({"batch": 4, "expires": 300 * MS});
    let (seen, tokens) = s.pull(a, ORACLE, "mp", four.clone(), 1000);
    s.note("max-ack-pending", seen);
    s.publish(a, &tokens[0], "+ACK");
    let (seen, _) = s.pull(a, ORACLE, "mp", four, 1000);
    s.note("max-ack-pending-after-1-ack", seen);
}

fn waiting(s: &mut Session, a: usize) {
    s.durable(a, ORACLE, "rot", json!({"deliver_policy": "new"}));
    let workers = [s.plain(), s.plain(), s.plain()];
    let wait_for = |s: &mut Session, batch: u64| {
        for worker in workers {
            let (inbox, _) = s.inbox(worker);
            let request = format!("{{\"batch\":{batch},\"expires\":{}}}", 5000 * MS);
            s.line(
                worker,
                &format!("PUB $JS.API.CONSUMER.MSG.NEXT.ORACLE.rot {inbox} {}\r\n{request}", request.len()),
            );
            s.take(worker);
        }
    };
    wait_for(s, 2);
    (0..6).for_each(|n| s.publish(a, "oracle.tasks", &format!("r{n}")));
    let got = workers.map(|worker| Session::payloads(&s.take(worker)));
    s.note("pull-waiters-order", json!(got));
    wait_for(s, 1);
    s.bed.close(workers[0]);
    (6..8).for_each(|n| s.publish(a, "oracle.tasks", &format!("r{n}")));
    let got = [workers[1], workers[2]].map(|worker| Session::payloads(&s.take(worker)));
    s.note("pull-waiter-disconnected", json!(got));
}

fn pushing(s: &mut Session, a: usize) {
    let config = json!({"deliver_subject": "push.here", "deliver_group": "g", "ack_wait": 500 * MS, "deliver_policy": "new"});
    let answer = s.durable(a, ORACLE, "pg", config);
    s.note("push-create", only(&answer, &["type", "push_bound", "error"]));
    s.publish(a, "oracle.tasks", "u0");
    s.take(a);
    let (x, y) = (s.plain(), s.plain());
    s.line(x, "SUB push.here g 1");
    let mut all = Session::payloads(&s.take(x));
    s.line(y, "SUB push.here g 1");
    s.bed.wait(1);
    (1..6).for_each(|n| s.publish(a, "oracle.tasks", &format!("u{n}")));
    let (of_x, of_y) = (Session::payloads(&s.take(x)), Session::payloads(&s.take_for(y, 1)));
    let split = [of_x.len(), of_y.len()];
    all.extend(of_x.into_iter().chain(of_y));
    all.sort_unstable();
    s.note("push-queue", json!([all, split]));
    s.bed.close(x);
    let events = s.take_for(y, 1200);
    let mut again: Vec<[String; 2]> = events
        .iter()
        .map(|event| {
            [
                event[4].as_str().unwrap().to_owned(),
                event[3].as_str().unwrap().split('.').nth(4).unwrap().to_owned(),
            ]
        })
        .collect();
    again.sort_unstable();
    s.note("push-redelivers-to-survivor", json!(again));
}

fn publishing(s: &mut Session, a: usize) {
    s.stream(a, json!({"name": "DD", "subjects": ["dd"], "duplicate_window": 1000 * MS}));
    let mut acks = Vec::new();
    for _ in 0..2 {
        acks.push(s.json(a, "dd", "Nats-Msg-Id: A", "x"));
    }
    s.bed.wait(1500);
    acks.push(s.json(a, "dd", "Nats-Msg-Id: A", "x"));
    let count = s.messages(a, "DD");
    s.note("dedup", json!([acks[0], acks[1], acks[2], count]));
    let answer = s.json(a, "dd", "Nats-Expected-Last-Sequence: 9", "x");
    s.note("expected-last-seq", answer);
    s.stream(a, json!({"name": "OLD", "subjects": ["old"], "max_msgs": 2}));
    (0..4).for_each(|_| drop(s.json(a, "old", "", "x")));
    let info = s.api(a, "STREAM.INFO.OLD", Value::Null);
    s.note("discard-old", only(&info["state"], &["messages", "first_seq", "last_seq"]));
    s.stream(a, json!({"name": "LIN", "subjects": ["lin"], "max_msgs": 2, "discard": "new"}));
    let acks: Vec<Value> = (0..3).map(|_| s.json(a, "lin", "", "x")).collect();
    s.note("discard-new", acks.into());
    s.stream(a, json!({"name": "SZ", "subjects": ["sz"], "max_msg_size": 10}));
    let answer = s.json(a, "sz", "", "elevenbytes");
    s.note("max-msg-size", answer);
    s.stream(
        a,
        json!({"name": "AGE", "subjects": ["age"], "max_age": 500 * MS, "duplicate_window": 500 * MS}),
    );
    s.publish(a, "age", "x");
    s.bed.wait(300);
    let young = s.messages(a, "AGE");
    s.bed.wait(1000);
    let old = s.messages(a, "AGE");
    s.note("max-age", json!([young, old]));
    let purged = s.api(a, "STREAM.PURGE.LIN", Value::Null)["purged"].clone();
    let deleted = s.api(a, "STREAM.DELETE.LIN", Value::Null)["success"].clone();
    let answer = s.api(a, "STREAM.INFO.LIN", Value::Null);
    s.note("purge-delete", json!([purged, deleted, error_of(&answer)]));
}

fn retention(s: &mut Session, a: usize) {
    s.stream(a, json!({"name": "WQ", "subjects": ["wq"], "retention": "workqueue"}));
    s.durable(a, "WQ", "one", json!({}));
    let answer = s.durable(a, "WQ", "two", json!({}));
    s.note("workqueue-second-consumer", error_of(&answer));
    s.json(a, "wq", "", "x");
    let before = s.messages(a, "WQ");
    let one = json!({"batch": 1, "expires": 500 * MS});
    let (_, tokens) = s.pull(a, "WQ", "one", one.clone(), 500);
    s.ask_one(a, &tokens[0], "+ACK");
    let after = s.messages(a, "WQ");
    s.note("workqueue-ack-removes", json!([before, after]));
    s.json(a, "wq", "", "x");
    let (_, tokens) = s.pull(a, "WQ", "one", one, 500);
    s.ask_one(a, &tokens[0], "+TERM");
    let after = s.messages(a, "WQ");
    s.note("workqueue-term-removes", after);
    s.api(a, "CONSUMER.DELETE.WQ.one", Value::Null);
    let answer = s.durable(a, "WQ", "lax", json!({"ack_policy": "none"}));
    s.note("workqueue-ack-none", error_of(&answer));
    s.stream(a, json!({"name": "INT", "subjects": ["int"], "retention": "interest"}));
    let answer = s.json(a, "int", "", "x");
    let count = s.messages(a, "INT");
    s.note("interest-no-consumer", json!([answer, count]));
}

fn policies(s: &mut Session, a: usize) {
    s.stream(a, json!({"name": "POL", "subjects": ["pol"]}));
    (0..3).for_each(|n| drop(s.json(a, "pol", "", &n.to_string())));
    let mut seen = serde_json::Map::new();
    for policy in ["all", "last", "new"] {
        s.durable(a, "POL", policy, json!({"deliver_policy": policy}));
        let request = match policy {
            "new" => json!({"batch": 3, "no_wait": true}),
            _ => json!({"batch": 3, "expires": 300 * MS}),
        };
        seen.insert(policy.to_owned(), s.pull(a, "POL", policy, request, 1000).0);
    }
    s.note("deliver-policies", seen.into());
    let three = json!({"batch": 3, "expires": 300 * MS});
    s.durable(a, "POL", "none", json!({"ack_policy": "none"}));
    let (seen, _) = s.pull(a, "POL", "none", three.clone(), 1000);
    let after = s.figures(a, "POL", "none");
    s.note("ack-none", json!([seen, after]));
    s.durable(a, "POL", "every", json!({"ack_policy": "all"}));
    let (_, tokens) = s.pull(a, "POL", "every", three, 1000);
    s.publish(a, &tokens[1], "+ACK");
    let seen = s.figures(a, "POL", "every");
    s.note("ack-all", seen);
    let answer = s.durable(a, "POL", "plain", json!({}));
    let names =
        ["ack_wait", "max_deliver", "max_waiting", "max_ack_pending", "deliver_policy", "replay_policy"];
    s.note("consumer-defaults", only(&answer["config"], &names));
}

fn restarting(s: &mut Session) {
    let a = s.plain();
    s.stream(a, json!({"name": "MEM", "subjects": ["mem"], "storage": "memory"}));
    s.stream(a, json!({"name": "FIL", "subjects": ["fil"], "storage": "file"}));
    (0..3).for_each(|n| drop(s.json(a, "fil", "", &n.to_string())));
    s.json(a, "mem", "", "x");
    s.durable(a, "FIL", "c", json!({"ack_wait": 1200 * MS}));
    let two = json!({"batch": 2, "expires": 500 * MS});
    let (_, tokens) = s.pull(a, "FIL", "c", two, 500);
    s.ask_one(a, &tokens[0], "+ACK");
    // The server writes what consumers have done to disk a moment later.
    s.bed.wait(s.settle * 5);
    s.bed.blow(Blow::Kill);
    s.bed.restart();
    let began = s.bed.now();
    let a = s.plain();
    let answer = s.api(a, "STREAM.INFO.MEM", Value::Null);
    s.note("restart-memory-stream", error_of(&answer));
    let count = s.messages(a, "FIL");
    let info = s.api(a, "CONSUMER.INFO.FIL.c", Value::Null);
    s.note("restart-file-stream", json!([count, figures(&info)]));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (events, _) = s.pull(a, "FIL", "c", json!({"batch": 1, "expires": 3000 * MS}), 3000);
        seen.push(json!([(s.bed.now() - began) / 1000.0, events[0]]));
    }
    s.note("restart-redelivery", seen.into());
}
