//! The rows of core NATS as scripts, each on a server of its own.

use super::bed::{Blow, Setup};
use super::session::{Make, Session, only};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PATTERNS: [&str; 14] = [
    "foo",
    "foo.*",
    "*.bar",
    "*",
    "foo.>",
    ">",
    "foo.*.baz",
    "*.*",
    "foo.bar.>",
    "*.>",
    "fo*",
    "foo.b*",
    "FOO",
    "foo.*.>",
];
const MAX_PAYLOAD: usize = 1_048_576;

type Script = fn(Make) -> BTreeMap<String, Value>;

pub fn observe(make: Make) -> BTreeMap<String, Value> {
    let mut seen = BTreeMap::new();
    for script in [basics as Script, subjects, limits, queues, settings, ends] {
        seen.extend(script(make));
    }
    seen
}

fn basics(make: Make) -> BTreeMap<String, Value> {
    let mut s = make("basics", &Setup::default());
    let names = ["version", "proto", "max_payload", "headers", "jetstream", "auth_required", "tls_required"];
    let a = s.bed.open();
    s.bed.wait(20);
    let info = s.bed.read(a).remove(0);
    s.note("info", only(&info[1], &names));
    s.line(a, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING");
    let seen = s.take(a);
    s.note("ping", seen.into());
    let v = s.bed.open();
    s.line(v, "CONNECT {\"verbose\":true,\"pedantic\":false}\r\nSUB v 1\r\nPUB nobody 1\r\nx");
    let seen = s.take(v);
    s.note("verbose-ok", seen.into());

    let (a, b) = (s.plain(), s.plain());
    s.publish(b, "oracle.tasks", "t1");
    s.take(b);
    s.line(a, "SUB oracle.tasks 1");
    let seen = s.take(a);
    s.note("core-no-subscriber-lost", seen.into());
    s.publish(b, "oracle.tasks", "t2");
    let seen = s.take(a);
    s.note("core-delivers-after-sub", seen.into());
    s.line(a, "UNSUB 1");
    s.take(a);
    s.publish(b, "oracle.tasks", "t3");
    let seen = s.take(a);
    s.note("unsub-stops", seen.into());

    let three = [s.plain(), s.plain(), s.plain()];
    three.iter().for_each(|&c| s.line(c, "SUB all 1"));
    s.take(a);
    s.publish(a, "all", "x");
    let counts = three.map(|c| s.take(c).len());
    s.note("plain-subs-all-get-copy", json!(counts));

    s.line(a, "SUB dup 20\r\nSUB dup 21\r\nPUB dup 1\r\nx");
    let seen = s.take(a);
    s.note("two-sids-same-conn", Session::short(&seen));
    s.line(a, "SUB s1 30\r\nSUB s2 30\r\nPUB s1 1\r\n1\r\nPUB s2 1\r\n2");
    let seen: Vec<Value> = s.take(a).iter().map(|e| json!([e[1], e[2], e[4]])).collect();
    s.note("same-sid-twice", seen.into());
    s.line(a, "SUB ec 31\r\nPUB ec 1\r\nx");
    let count = s.take(a).len();
    s.note("echo-default", count.into());
    let e = s.client(json!({"echo": false}));
    s.line(e, "SUB ec2 1\r\nPUB ec2 1\r\nx");
    let count = s.take(e).len();
    s.note("echo-false", count.into());
    s.line(a, "SUB au 40\r\nUNSUB 40 2");
    (0..4).for_each(|n| s.publish(a, "au", &n.to_string()));
    let seen = Session::payloads(&s.take(a));
    s.note("auto-unsub-max", seen.into());

    let seen = s.ask_one(a, "nobody.here", "x");
    s.note("no-responders-503", seen.into());
    let n = s.client(json!({"no_responders": false}));
    let seen = s.ask(n, "nobody.here", "", "x", 300, &|events| !events.is_empty());
    s.note("no-responders-off", seen.into());
    let h = s.bed.open();
    s.line(h, "CONNECT {\"verbose\":false,\"headers\":false,\"no_responders\":true}");
    let seen = s.take(h);
    s.note("no-responders-without-headers", seen.into());
    s.line(a, "SUB in.box 77\r\nPUB nobody in.box 1\r\nx\r\nPUB nobody 1\r\nx");
    let seen = s.take(a);
    s.note("no-responders-only-with-reply", seen.into());
    s.line(b, "SUB svc 5");
    s.take(b);
    let silent = s.ask(a, "svc", "", "hi", 300, &|events| !events.is_empty());
    let heard: Vec<Value> = s.take(b).iter().map(|e| json!([e[1], e[4]])).collect();
    s.note("request-with-silent-responder", json!([silent, heard]));

    s.line(b, "SUB order 6");
    s.take(b);
    (0..5000).for_each(|n| s.publish(a, "order", &n.to_string()));
    let seen = Session::payloads(&s.take_count(b, 5000, 5000));
    let expected: Vec<String> = (0..5000).map(|n: u32| n.to_string()).collect();
    s.note("per-publisher-order", (seen == expected).into());
    s.seen
}

fn subjects(make: Make) -> BTreeMap<String, Value> {
    let mut s = make("subjects", &Setup::default());
    let (a, b) = (s.plain(), s.plain());
    for (pattern, sid) in PATTERNS.iter().zip(100..) {
        s.line(a, &format!("SUB {pattern} {sid}"));
    }
    let errors = s.take(a);
    s.note("wildcard-sub-errors", errors.into());
    let mut matrix = serde_json::Map::new();
    for subject in ["foo", "foo.bar", "foo.bar.baz", "foo.bar.baz.qux", "fo", "bar", "foo.x.baz"] {
        s.publish(b, subject, "x");
        let heard = s.take(a);
        let sids = heard.iter().map(|event| event[2].as_str().unwrap().parse::<usize>().unwrap());
        let mut patterns: Vec<&str> = sids.map(|sid| PATTERNS[sid - 100]).collect();
        patterns.sort_unstable();
        matrix.insert(subject.to_owned(), patterns.into());
    }
    s.note("wildcard-matrix", matrix.into());

    let c = s.plain();
    s.line(c, "SUB foo.* 1\r\nSUB foo.bar 2\r\nPUB foo.* 1\r\nx");
    let seen = s.take(c);
    let (lines, messages): (Vec<Value>, Vec<Value>) = seen.into_iter().partition(|event| event[0] == "LINE");
    s.note("publish-with-wildcard-nonpedantic", json!([lines, Session::short(&messages)]));
    let p = s.client(json!({"pedantic": true}));
    s.line(p, "PUB foo.* 1\r\nx");
    let seen = s.take(p);
    s.note("publish-with-wildcard-pedantic", seen.into());

    for subject in ["foo..bar", ".foo", "foo."] {
        let c = s.plain();
        s.line(c, &format!("SUB {subject} 1"));
        let seen = s.take(c);
        s.note(&format!("sub-invalid:'{subject}'"), seen.into());
        s.line(c, &format!("SUB > 2\r\nPUB {subject} 1\r\nx"));
        let seen = s.take(c);
        s.note(&format!("pub-invalid-nonpedantic:'{subject}'"), seen.into());
        let p = s.client(json!({"pedantic": true}));
        s.line(p, &format!("PUB {subject} 1\r\nx"));
        let seen = s.take(p);
        s.note(&format!("pub-invalid-pedantic:'{subject}'"), seen.into());
    }
    let c = s.plain();
    s.line(c, "SUB  30");
    let seen = closing(s.take(c));
    s.note("sub-invalid:''", seen);
    for (subject, concrete) in [("foo.>.bar", "foo.x.bar"), ("foo.>bar", "foo.xbar"), ("foo.b*r", "foo.bxr")]
    {
        let c = s.plain();
        s.line(c, &format!("SUB {subject} 1"));
        let answer = s.take(c);
        s.publish(c, concrete, "x");
        let replaced: Vec<Value> = s.take(c).iter().map(|event| event[1].clone()).collect();
        s.publish(c, subject, "x");
        let literal: Vec<Value> = s.take(c).iter().map(|event| event[1].clone()).collect();
        s.note(&format!("sub-odd:'{subject}'"), json!([answer, replaced, literal]));
    }
    s.seen
}

/// The rows of malformed lines note the close alone: the text before it is the parser's dump of its own state.
fn closing(events: Vec<Value>) -> Value {
    events.into_iter().filter(|event| event[0] == "CLOSED").collect()
}

fn limits(make: Make) -> BTreeMap<String, Value> {
    let mut s = make("limits", &Setup::default());
    let c = s.plain();
    s.line(c, "PUB foo bar baz qux 3\r\nabc");
    let seen = closing(s.take(c));
    s.note("pub-too-many-args", seen);
    let c = s.plain();
    s.line(c, "FLY me");
    let seen = s.take(c);
    s.note("unknown-op", seen.into());
    let c = s.plain();
    s.bed.write(c, b"PUB foo 5\r\nabc");
    let before = s.take(c);
    s.bed.write(c, b"de\r\nPING\r\n");
    let after = s.take(c);
    s.note("pub-size-mismatch", json!([before, after]));

    let (a, b) = (s.plain(), s.plain());
    s.line(a, "SUB big 1");
    s.take(a);
    s.publish(b, "big", &"x".repeat(MAX_PAYLOAD));
    let seen = s.take_count(a, 1, 3000);
    let seen: Vec<Value> = seen.iter().map(|e| json!([e[0], e[4].as_str().unwrap().len()])).collect();
    s.note("max-payload-exact", seen.into());
    s.publish(b, "big", &"x".repeat(MAX_PAYLOAD + 1));
    let seen = s.take_count(b, 2, 1000);
    s.note("max-payload-exceeded", seen.into());
    let c = s.plain();
    let head = "NATS/1.0\r\nA: b\r\n\r\n";
    let body = "x".repeat(MAX_PAYLOAD + 1 - head.len());
    s.line(c, &format!("HPUB big {} {}\r\n{head}{body}", head.len(), MAX_PAYLOAD + 1));
    let seen = s.take_count(c, 2, 1000);
    s.note("max-payload-headers-count", seen.into());
    let c = s.plain();
    s.line(c, &format!("PUB {} 1\r\nx", "s".repeat(5000)));
    let seen = s.take_count(c, 2, 1000);
    s.note("max-control-line", seen.into());
    s.seen
}

fn queues(make: Make) -> BTreeMap<String, Value> {
    let mut s = make("queues", &Setup::default());
    let p = s.plain();
    let members = [s.plain(), s.plain(), s.plain()];
    members.iter().for_each(|&m| s.line(m, "SUB work workers 1"));
    let (plain, other) = (s.plain(), s.plain());
    s.line(plain, "SUB work 1");
    s.line(other, "SUB work other 1");
    s.take(p);
    (0..3000).for_each(|n| s.publish(p, "work", &n.to_string()));
    s.bed.wait(s.settle * 20);
    let got: Vec<Vec<u32>> = members
        .iter()
        .map(|&m| Session::payloads(&s.take(m)).iter().map(|text| text.parse().unwrap()).collect())
        .collect();
    let mut all = got.concat();
    all.sort_unstable();
    let counts = [s.take(plain).len(), s.take(other).len()];
    s.note(
        "queue-group",
        json!({
            "per member": got.iter().map(Vec::len).collect::<Vec<_>>(),
            "exactly once in group": all == (0..3000).collect::<Vec<u32>>(),
            "plain": counts[0],
            "other group": counts[1],
            "each member's messages in publish order": got.iter().all(|got| got.is_sorted()),
        }),
    );
    let mut sequence = String::new();
    for _ in 0..60 {
        s.publish(p, "work", "x");
        s.bed.wait(s.settle);
        for (index, &member) in members.iter().enumerate() {
            if !s.take_for(member, 0).is_empty() {
                sequence.push_str(&index.to_string());
            }
        }
    }
    s.note("queue-group-sequence", sequence.into());
    s.bed.close(members[0]);
    (0..1000).for_each(|_| s.publish(p, "work", "x"));
    s.bed.wait(s.settle * 10);
    let counts = [members[1], members[2]].map(|m| s.take(m).len());
    s.note("queue-member-leaves", json!({"per member": counts, "sum": counts[0] + counts[1]}));

    let only = s.plain();
    s.line(only, "SUB solo g 1");
    s.take(only);
    (0..10).for_each(|_| s.publish(p, "solo", "x"));
    s.bed.wait(s.settle);
    s.bed.close(only);
    let next = s.plain();
    s.line(next, "SUB solo g 1");
    let count = s.take(next).len();
    s.note("queue-member-crash-inflight", count.into());
    let (x, y) = (s.plain(), s.plain());
    s.line(x, "SUB w.a G 1");
    s.line(y, "SUB w.* G 1");
    s.take(p);
    (0..200).for_each(|_| s.publish(p, "w.a", "x"));
    s.bed.wait(s.settle * 5);
    let counts = [s.take(x).len(), s.take(y).len()];
    s.note("queue-group-same-name-different-subject", json!(counts));
    s.seen
}

fn settings(make: Make) -> BTreeMap<String, Value> {
    let setup = Setup { token: Some("s3cret"), auth_timeout_ms: Some(500), ..Setup::default() };
    let mut s = make("token", &setup);
    let c = s.bed.open();
    s.line(c, "CONNECT {\"verbose\":false,\"auth_token\":\"wrong\"}");
    let seen = s.take(c);
    s.note("auth-bad", seen.into());
    let c = s.bed.open();
    let seen = s.take_for(c, 900);
    s.note("auth-timeout", seen.into());
    let mut all = s.seen;

    let mut s = make("ping", &Setup { ping_ms: Some(500), ..Setup::default() });
    let c = s.plain();
    s.mute = true;
    let (began, mut seen) = (s.bed.now(), Vec::new());
    while s.bed.now() < began + 2500.0 {
        let events = s.take_for(c, 5);
        let at = s.bed.now() - began;
        seen.extend(events.into_iter().map(|event| json!([at / 1000.0, event])));
    }
    s.note("stale-connection", seen.into());
    all.extend(s.seen);

    let mut s = make("slow", &Setup { max_pending: Some(2_000_000), ..Setup::default() });
    let (slow, p) = (s.plain(), s.plain());
    s.line(slow, "SUB flood 1");
    s.take(p);
    for _ in 0..200 {
        s.publish(p, "flood", &"x".repeat(100_000));
        s.bed.wait(if s.settle > 10 { 2 } else { 0 });
    }
    let publisher = s.take_for(p, 500);
    let mut events = Vec::new();
    for _ in 0..200 {
        events.extend(s.take_for(slow, 5));
    }
    let bytes: usize = Session::payloads(&events).iter().map(String::len).sum();
    let then = if events.last() == Some(&json!(["CLOSED"])) { "EOF" } else { "open" };
    s.note(
        "slow-consumer",
        json!({"publisher events": publisher, "subscriber then reads bytes": bytes, "then": then}),
    );
    all.extend(s.seen);

    let mut s = make("crowd", &Setup { max_connections: Some(3), ..Setup::default() });
    for _ in 0..3 {
        s.plain();
    }
    let fourth = s.bed.open();
    let seen = s.take(fourth);
    s.note("max-connections", seen.into());
    all.extend(s.seen);

    let mut s = make("stored", &Setup { jetstream: true, ..Setup::default() });
    let (a, b) = (s.plain(), s.plain());
    s.publish(b, "oracle.tasks", "x");
    s.take(b);
    s.line(a, "SUB oracle.tasks 1");
    let seen = s.take(a);
    s.note("jetstream-on-no-stream-still-at-most-once", seen.into());
    let seen = s.ask_one(b, "elsewhere", "x");
    s.note("js-publish-no-stream", seen.into());
    all.extend(s.seen);
    let mut s = make("off", &Setup::default());
    let a = s.plain();
    let seen = s.ask_one(a, "$JS.API.INFO", "");
    s.note("js-api-when-disabled", seen.into());
    all.extend(s.seen);
    all
}

fn ends(make: Make) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (id, blow) in [("server-SIGTERM", Blow::Term), ("server-SIGKILL", Blow::Kill)] {
        let mut s = make(id, &Setup::default());
        let c = s.plain();
        s.bed.blow(blow);
        let seen = s.take_for(c, 1000);
        s.note(id, seen.into());
        all.extend(s.seen);
    }
    let mut s = make("lame", &Setup::default());
    let c = s.plain();
    // The server tells only those whose first PING it has answered.
    s.line(c, "PING");
    s.take(c);
    s.bed.blow(Blow::LameDuck);
    s.bed.wait(3000);
    let mut seen = s.bed.read(c);
    seen.retain(|event| *event != json!(["LINE", "PING"]));
    let says = |event: &Value| event[0] == "INFO" && event[1]["ldm"] == true;
    let seen: Vec<Value> = seen
        .iter()
        .map(|event| if says(event) { json!(["LINE", "INFO {\"ser... ldm:true"]) } else { event.clone() })
        .collect();
    s.note("lame-duck-SIGUSR2", seen.into());
    all.extend(s.seen);
    all
}
