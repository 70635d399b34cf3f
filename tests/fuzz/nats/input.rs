//! What JetStream's fuzzer does: calls of the API, publishes, pulls, acknowledgements.

use glasshive::kernel::Rng;
use serde_json::{Value, json};

/// One step.
#[derive(Clone, Debug)]
pub enum Act {
    /// A call of the API with its request.
    Call(String, String),
    /// A message, with the lines of its header.
    Publish(String, String, String),
    /// A request for messages of a consumer.
    Pull(String, String, String),
    /// What is said of a delivery: of the how-manieth, counted from the last.
    Acknowledge(usize, String),
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.below(from.len() as u64) as usize]
}

fn number(rng: &mut Rng, from: &[i64]) -> i64 {
    from[rng.below(from.len() as u64) as usize]
}

const STREAMS: [&str; 2] = ["S", "T"];
const CONSUMERS: [&str; 3] = ["a", "b", "c"];
const MS: i64 = 1_000_000;

fn stream<'a>(rng: &mut Rng) -> &'a str {
    pick(rng, &["S", "S", "S", "S", "S", "S", "S", "T", "T", "none"])
}

/// A subject that one of the streams is likely to have.
fn subject<'a>(rng: &mut Rng) -> &'a str {
    pick(rng, &["s.a", "s.a", "s.a", "s.b", "s.b", "s.c.d", "t.x", "t.y", "S", "none"])
}

/// A stream's configuration: most make sense.
fn stream_config(rng: &mut Rng, name: &str) -> Value {
    let mut config = json!({"name": name});
    let own: [&[&str]; 7] =
        [&["s.>"], &["s.>"], &["s.a", "s.b"], &["s.*"], &["s.a", "s.a"], &["s.>", "s.a"], &["$JS.API.x"]];
    let other: [&[&str]; 5] = [&["t.*"], &["t.*"], &["t.x"], &["s.a"], &["t..x"]];
    config["subjects"] = match name {
        "T" => json!(other[rng.below(5) as usize]),
        _ if rng.chance(0.05) => json!([]),
        _ => json!(own[if rng.chance(0.85) { rng.below(4) } else { rng.below(7) } as usize]),
    };
    config["retention"] = pick(rng, &["limits", "limits", "interest", "interest", "workqueue"]).into();
    config["storage"] = pick(rng, &["file", "memory"]).into();
    let mut sometimes = |chance: f64, key: &str, values: &[i64]| {
        if rng.chance(chance) {
            config[key] = number(rng, values).into();
        }
    };
    sometimes(0.3, "max_msgs", &[0, -1, 1, 2, 3, 5]);
    sometimes(0.3, "max_bytes", &[0, -1, 50, 100, 150, 200, 500]);
    sometimes(0.1, "max_msg_size", &[0, -1, 3, 10]);
    sometimes(0.1, "num_replicas", &[0, 1, 1, 1, 3, 6]);
    sometimes(0.1, "max_age", &[0, 50 * MS, 3_600_000 * MS, 1000 * MS * 600]);
    sometimes(0.1, "duplicate_window", &[0, 50 * MS, 60_000 * MS, 4_000_000 * MS]);
    if rng.chance(0.4) {
        config["discard"] = pick(rng, &["old", "new"]).into();
    }
    config
}

fn consumer_config(rng: &mut Rng, stream: &str, name: &str) -> Value {
    let mut config = json!({"durable_name": name});
    // An update may not change everything: what is fixed goes by the name.
    config["ack_policy"] = pick(rng, &["explicit", "explicit", "explicit", "all", "none"]).into();
    let policies = ["all", "all", "all", "last", "new", "by_start_sequence", "last_per_subject"];
    let policy = pick(rng, &policies);
    config["deliver_policy"] = policy.into();
    if policy == "by_start_sequence" && rng.chance(0.9) || rng.chance(0.03) {
        config["opt_start_seq"] = number(rng, &[1, 2, 3, 5, 100]).into();
    }
    let filter = match name {
        "a" => "",
        "b" => pick(rng, &["s.a", "s.a", "s.a", "s.*"]),
        _ => pick(rng, &["s.b", "s.b", "s.b", "s.>", ">", "x.y", "s..a"]),
    };
    if !filter.is_empty() || rng.chance(0.02) {
        config["filter_subject"] = filter.into();
    }
    if rng.chance(0.2) {
        config["max_ack_pending"] = number(rng, &[1, 2, -1, 5]).into();
    }
    if rng.chance(0.2) {
        config["max_deliver"] = number(rng, &[-1, 1, 2, 3]).into();
    }
    if rng.chance(0.1) {
        config["backoff"] = json!([30_000 * MS, 60_000 * MS]);
    }
    if rng.chance(0.05) {
        config["max_waiting"] = number(rng, &[1, 2, 512]).into();
    }
    if rng.chance(0.03) {
        config["num_replicas"] = number(rng, &[0, 1, 3]).into();
    }
    if rng.chance(0.1) {
        // Two streams that push to each other would never end.
        let to = pick(rng, &["push.*", "s.a", "t.x"]);
        config["deliver_subject"] = if stream == "T" && to == "s.a" { "push.a" } else { to }.into();
    }
    config
}

fn create_consumer(rng: &mut Rng) -> Act {
    let (stream, name) = (stream(rng), pick(rng, &CONSUMERS));
    let mut config = consumer_config(rng, stream, name);
    let mut named = stream;
    let call = match rng.below(20) {
        0 => format!("CONSUMER.CREATE.{stream}.{name}"),
        1 => format!("CONSUMER.CREATE.{stream}"),
        2 => format!("CONSUMER.DURABLE.CREATE.{stream}.other"),
        3 => {
            named = "elsewhere";
            format!("CONSUMER.DURABLE.CREATE.{stream}.{name}")
        }
        4 => {
            config["durable_name"] = "".into();
            format!("CONSUMER.DURABLE.CREATE.{stream}.{name}")
        }
        _ => format!("CONSUMER.DURABLE.CREATE.{stream}.{name}"),
    };
    Act::Call(call, json!({"stream_name": named, "config": config}).to_string())
}

fn publish(rng: &mut Rng) -> Act {
    let payload = pick(rng, &["", "x", "xyz", "0123456789", "0123456789012345678901234567890123456789"]);
    let headers = if rng.chance(0.3) {
        pick(
            rng,
            &[
                "Nats-Msg-Id: one",
                "Nats-Msg-Id: one ",
                "Nats-Msg-Id:  one",
                "Nats-Msg-Id:one",
                "Nats-Msg-Id: two",
                "Nats-Msg-Id: ",
                "Nats-Expected-Stream: S",
                "Nats-Expected-Stream: T",
                "Nats-Expected-Last-Sequence: 2",
                "Nats-Expected-Last-Sequence: 0",
                "Nats-Expected-Last-Sequence: x",
                "Other: y",
                "Nats-Msg-Id: two\r\nNats-Expected-Stream: S",
            ],
        )
    } else {
        ""
    };
    Act::Publish(subject(rng).to_owned(), headers.to_owned(), payload.to_owned())
}

fn pull(rng: &mut Rng) -> Act {
    let mut request = json!({"batch": number(rng, &[1, 1, 2, 3, 10, 0]), "no_wait": true});
    if rng.chance(0.15) {
        request = json!({"batch": number(rng, &[1, 2, 3]), "expires": 25 * MS});
        if rng.chance(0.3) {
            request["idle_heartbeat"] = number(rng, &[10 * MS, 10 * MS, 20 * MS]).into();
        }
    }
    if rng.chance(0.2) {
        request["max_bytes"] = number(rng, &[1, 60, 75, 100, 200, 1000]).into();
    }
    let text =
        if rng.chance(0.05) { pick(rng, &["", "1", "x", "2"]).to_owned() } else { request.to_string() };
    Act::Pull(stream(rng).to_owned(), pick(rng, &CONSUMERS).to_owned(), text)
}

fn look(rng: &mut Rng) -> Act {
    let (stream, name) = (stream(rng), pick(rng, &CONSUMERS));
    let nothing = String::new;
    match rng.below(22) {
        0..=5 => Act::Call(format!("STREAM.INFO.{stream}"), nothing()),
        6..=11 => Act::Call(format!("CONSUMER.INFO.{stream}.{name}"), nothing()),
        12 => Act::Call(
            "STREAM.NAMES".to_owned(),
            pick(rng, &["", "{}", "{\"subject\":\"s.a\"}", "{\"offset\":1}", "x"]).to_owned(),
        ),
        13 => Act::Call(
            "STREAM.LIST".to_owned(),
            pick(rng, &["", "{\"subject\":\"t.*\"}", "{\"offset\":9}"]).to_owned(),
        ),
        14 => Act::Call(format!("CONSUMER.NAMES.{stream}"), pick(rng, &["", "{\"offset\":1}"]).to_owned()),
        15 => Act::Call(format!("CONSUMER.LIST.{stream}"), nothing()),
        16..=20 => {
            let request = match rng.below(8) {
                0 => json!({"last_by_subj": subject(rng)}),
                1 => json!({"next_by_subj": subject(rng), "seq": rng.below(5)}),
                2 => json!({"next_by_subj": "s.*"}),
                3 => json!({"seq": 1, "last_by_subj": "s.a"}),
                4 => json!({}),
                _ => json!({"seq": rng.below(8)}),
            };
            Act::Call(format!("STREAM.MSG.GET.{stream}"), request.to_string())
        }
        _ => Act::Call("INFO.NOTHING".to_owned(), nothing()),
    }
}

fn change(rng: &mut Rng) -> Act {
    let (stream, name) = (stream(rng), pick(rng, &CONSUMERS));
    let nothing = String::new;
    match rng.below(12) {
        0 => Act::Call(format!("STREAM.DELETE.{stream}"), nothing()),
        1 | 2 => Act::Call(format!("CONSUMER.DELETE.{stream}.{name}"), nothing()),
        3 => Act::Call(format!("STREAM.PURGE.{stream}"), nothing()),
        4 | 5 => {
            let requests = [
                json!({"filter": "s.a"}),
                json!({"seq": 3}),
                json!({"keep": 1}),
                json!({"keep": 2, "filter": "s.a"}),
                json!({"seq": 2, "keep": 1}),
                json!({"seq": 3, "filter": "s.*"}),
                json!({}),
            ];
            Act::Call(format!("STREAM.PURGE.{stream}"), requests[rng.below(7) as usize].to_string())
        }
        6 | 7 => Act::Call(format!("STREAM.UPDATE.{stream}"), stream_config(rng, stream).to_string()),
        _ => Act::Call(format!("STREAM.MSG.DELETE.{stream}"), json!({"seq": 1 + rng.below(6)}).to_string()),
    }
}

/// A sequence: a stream or two with consumers, then a bit of everything.
pub fn sequence(rng: &mut Rng) -> Vec<Act> {
    let mut acts = Vec::new();
    for name in STREAMS {
        acts.push(Act::Call(format!("STREAM.CREATE.{name}"), stream_config(rng, name).to_string()));
    }
    let early = rng.below(4);
    (0..early).for_each(|_| acts.push(publish(rng)));
    for _ in 0..10 + rng.below(30) {
        let act = match rng.below(100) {
            0..=29 => publish(rng),
            30..=49 => pull(rng),
            50..=64 => {
                let what = ["+ACK", "", "-NAK", "+TERM", "+WPI", "+NXT", "-NAK {\"delay\": 1}", "+ACK"];
                let known = if rng.chance(0.9) { 5 } else { 8 };
                Act::Acknowledge(rng.below(4) as usize, pick(rng, &what[..known]).to_owned())
            }
            65..=74 => create_consumer(rng),
            75..=92 => look(rng),
            93..=95 => {
                let name = pick(rng, &STREAMS);
                Act::Call(format!("STREAM.CREATE.{name}"), stream_config(rng, name).to_string())
            }
            _ => change(rng),
        };
        acts.push(act);
    }
    for name in STREAMS {
        acts.push(Act::Call(format!("STREAM.INFO.{name}"), String::new()));
        acts.push(Act::Call(format!("CONSUMER.LIST.{name}"), String::new()));
    }
    acts
}
