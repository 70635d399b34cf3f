//! The fuzzer of core NATS: clients with random options subscribe, unsubscribe and publish, on the model and on nats-server.
//! `GLASSHIVE_FUZZ_CORE` says how many sequences. Messages to one connection are compared in order, except where a message
//! goes to several of its subscriptions, whose order is the server's own business; queue groups by how many were served.

use super::both;
use super::session::Session;
use crate::{amount, is_real, seeds, shrink};
use glasshive::kernel::Rng;
use serde_json::{Value, json};

const CLIENTS: usize = 3;
const MISMATCHES_MAX: usize = 20;

/// A line of the protocol from one of the clients.
#[derive(Clone, Debug)]
struct Line(usize, String);

#[derive(Clone, Debug)]
struct Sequence {
    options: Vec<Value>,
    lines: Vec<Line>,
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.below(from.len() as u64) as usize]
}

fn sequence(rng: &mut Rng) -> Sequence {
    let options = (0..CLIENTS).map(|_| {
        let headers = rng.chance(0.8);
        json!({
            "verbose": rng.chance(0.15), "pedantic": rng.chance(0.3), "echo": rng.chance(0.7),
            "headers": headers, "no_responders": headers && rng.chance(0.7),
        })
    });
    let options: Vec<Value> = options.collect();
    let subjects = [
        "a", "a.b", "a.b.c", "b", "in", "in.x", "a.*", "a..b", ".a", "a.", "*", ">", "a.>", "a.>.b", "fo*",
        "a.b.*",
    ];
    let mut lines = Vec::new();
    for _ in 0..5 + rng.below(20) {
        let client = rng.below(CLIENTS as u64) as usize;
        let (subject, sid) = (pick(rng, &subjects), 1 + rng.below(4));
        let line = match rng.below(10) {
            0..=3 => format!("SUB {subject} {sid}"),
            // Alone in its group, so that it is always the one.
            4 if client == 0 && rng.chance(0.5) => "SUB in.x group 9".to_owned(),
            4 => format!("UNSUB {sid}"),
            5 => format!("UNSUB {sid} {}", rng.below(4)),
            6 | 7 => format!(
                "PUB {subject} {} 2\r\nhi",
                pick(rng, &["in", "in.x", "a", "nowhere", "a.*", "in..x"])
            ),
            8 if options[client]["headers"] == true => {
                format!(
                    "HPUB {subject} {} 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi",
                    pick(rng, &["in", "in.x", ""])
                )
            }
            _ => format!("PUB {subject} 2\r\nhi"),
        };
        lines.push(Line(client, line));
    }
    Sequence { options, lines }
}

/// What each client has seen after each line: messages that came together are put in order.
fn play(session: &mut Session, sequence: &Sequence) -> Vec<Value> {
    let conns: Vec<usize> = sequence.options.iter().map(|options| session.client(options.clone())).collect();
    let mut seen = Vec::new();
    let mut open = [true; CLIENTS];
    for Line(client, line) in &sequence.lines {
        if open[*client] {
            session.line(conns[*client], line);
        }
        for (place, &conn) in conns.iter().enumerate() {
            let mut events = events(session, conn, open[place]);
            open[place] &= !events.contains(&json!(["CLOSED"]));
            events.sort_by_key(Value::to_string);
            seen.push(json!([place, events]));
        }
    }
    conns.into_iter().for_each(|conn| session.bed.close(conn));
    seen
}

/// All until the answer to a PING, so that nothing is still on its way.
fn events(session: &mut Session, conn: usize, open: bool) -> Vec<Value> {
    let pong = json!(["LINE", "PONG"]);
    if open {
        session.line(conn, "PING");
    }
    let mut events = Vec::new();
    for _ in 0..200 {
        events.extend(session.bed.read(conn));
        if !open || events.contains(&pong) || events.contains(&json!(["CLOSED"])) {
            break;
        }
        session.bed.wait(1);
    }
    events.retain(|event| *event != pong && event[0] != "INFO" && *event != json!(["LINE", "PING"]));
    events
}

#[test]
fn fuzz_nats_core_on_model_and_real_server() {
    if !is_real() {
        return;
    }
    let mut sides = both(false);
    let wanted = amount("GLASSHIVE_FUZZ_CORE", 500);
    let (from, only) = seeds();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for seed in from..from + if only { 1 } else { wanted } {
        tried += 1;
        let mut sequence = sequence(&mut Rng::new(seed));
        let mut differ = |sequence: &Sequence| {
            let [real, model] = &mut sides;
            let (seen, ours) = (play(real, sequence), play(model, sequence));
            let first = seen.iter().zip(&ours).find(|(a, b)| a != b);
            first.map(|(a, b)| format!("  real   {a}\n  model  {b}"))
        };
        // Where one client has two subscriptions to the same subject, chance says which is told of no responders.
        if (0..3).any(|_| differ(&sequence).is_none()) {
            continue;
        }
        let options = sequence.options.clone();
        shrink(&mut sequence.lines, |lines| {
            differ(&Sequence { options: options.clone(), lines: lines.to_vec() }).is_some()
        });
        if let Some(why) = differ(&sequence) {
            let lines: String =
                sequence.lines.iter().map(|Line(who, line)| format!("  {who}> {line:?}\n")).collect();
            wrong.push(format!("seed {seed} {}\n{lines}{why}", json!(sequence.options)));
        }
        if wrong.len() >= MISMATCHES_MAX {
            break;
        }
    }
    println!("core NATS: {tried} sequences from {from} on, {} mismatches", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
