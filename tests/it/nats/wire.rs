//! The NATS client protocol as text: lines to operations, frames to what a test notes.

use glasshive::substrate::nats::{ConnectOptions, Frame, Headers, Op, Published};
use serde_json::{Value, json};

/// Cuts what a client writes into operations, as the server's parser does.
#[derive(Default)]
pub struct OpParser(Vec<u8>);

impl OpParser {
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Op> {
        self.0.extend_from_slice(bytes);
        std::iter::from_fn(|| self.next()).collect()
    }

    fn next(&mut self) -> Option<Op> {
        let end = self.0.windows(2).position(|two| two == b"\r\n")?;
        let line = String::from_utf8(self.0[..end].to_vec()).unwrap();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        let verb = verb.to_ascii_uppercase();
        if let "PUB" | "HPUB" = verb.as_str() {
            let Some((subject, reply, header, total)) = publish_arguments(verb == "HPUB", &words) else {
                self.0.clear();
                return Some(Op::Malformed);
            };
            let body = end + 2;
            if self.0.len() < body + total + 2 {
                return None;
            }
            let content = &self.0[body..body + total];
            let text = std::str::from_utf8(&content[..header]).unwrap().trim_end_matches("\r\n");
            let message = Published {
                subject: subject.into(),
                reply: reply.map(Into::into),
                headers: (header > 0).then(|| Headers(text.into())),
                payload: content[header..].into(),
            };
            self.0.drain(..body + total + 2);
            return Some(Op::Pub(message));
        }
        self.0.drain(..end + 2);
        Some(match (verb.as_str(), &words[..]) {
            ("CONNECT", _) => connect(rest),
            ("PING", _) => Op::Ping,
            ("PONG", _) => Op::Pong,
            ("SUB", [subject, sid]) => {
                Op::Sub { subject: (*subject).into(), queue: None, sid: sid.parse().unwrap() }
            }
            ("SUB", [subject, queue, sid]) => {
                let queue = Some((*queue).into());
                Op::Sub { subject: (*subject).into(), queue, sid: sid.parse().unwrap() }
            }
            ("UNSUB", [sid]) => Op::Unsub { sid: sid.parse().unwrap(), max: None },
            ("UNSUB", [sid, max]) => Op::Unsub { sid: sid.parse().unwrap(), max: max.parse().ok() },
            ("SUB" | "UNSUB", _) => Op::Malformed,
            _ => Op::Unknown,
        })
    }
}

type PublishArguments<'a> = (&'a str, Option<&'a str>, usize, usize);

fn publish_arguments<'a>(with_headers: bool, words: &[&'a str]) -> Option<PublishArguments<'a>> {
    let (names, sizes) = words.split_at(words.len().checked_sub(1 + usize::from(with_headers))?);
    let sizes: Vec<usize> = sizes.iter().map(|size| size.parse().ok()).collect::<Option<_>>()?;
    let header = if with_headers { sizes[0] } else { 0 };
    match names {
        [subject] => Some((subject, None, header, *sizes.last()?)),
        [subject, reply] => Some((subject, Some(reply), header, *sizes.last()?)),
        _ => None,
    }
}

fn connect(rest: &str) -> Op {
    let Ok(given) = serde_json::from_str::<Value>(rest) else {
        return Op::Malformed;
    };
    let plain = ConnectOptions::default();
    let flag = |name: &str, default: bool| given[name].as_bool().unwrap_or(default);
    Op::Connect(Box::new(ConnectOptions {
        verbose: flag("verbose", plain.verbose),
        pedantic: flag("pedantic", plain.pedantic),
        echo: flag("echo", plain.echo),
        headers: flag("headers", plain.headers),
        no_responders: flag("no_responders", plain.no_responders),
        auth_token: given["auth_token"].as_str().map(str::to_owned),
    }))
}

/// A message in the notation of the recorded rows.
fn message(subject: &str, sid: &str, reply: &str, payload: &[u8], headers: &str) -> Value {
    let headers = headers.trim_end_matches("\r\n").replace("\r\n", " | ");
    json!(["MSG", subject, sid, reply, String::from_utf8_lossy(payload), headers])
}

/// What the model sends, in the notation of the recorded rows.
pub fn event(frame: Frame) -> Value {
    match frame {
        Frame::Info(info) => {
            // The server leaves out what is false.
            let set = |on: bool| if on { Value::Bool(true) } else { Value::Null };
            json!(["INFO", {
                "version": glasshive::substrate::nats::VERSION,
                "proto": 1,
                "max_payload": info.max_payload,
                "headers": true,
                "jetstream": set(info.jetstream),
                "auth_required": set(info.auth_required),
                "tls_required": null,
                "ldm": set(info.ldm),
            }])
        }
        Frame::Msg { sid, message: m } => {
            let headers = m.headers.as_ref().map_or("", |headers| &headers.0);
            message(
                &m.subject,
                &sid.to_string(),
                m.reply.as_deref().unwrap_or(""),
                m.payload.bytes(),
                headers,
            )
        }
        Frame::Ping => json!(["LINE", "PING"]),
        Frame::Pong => json!(["LINE", "PONG"]),
        Frame::Ok => json!(["LINE", "+OK"]),
        Frame::Err(text) => json!(["LINE", format!("-ERR '{text}'")]),
    }
}

/// Cuts what a real server writes into the same.
#[derive(Default)]
pub struct EventParser(pub Vec<u8>);

impl EventParser {
    pub fn next(&mut self) -> Option<Value> {
        let end = self.0.windows(2).position(|two| two == b"\r\n")?;
        let line = String::from_utf8_lossy(&self.0[..end]).trim().to_owned();
        let words: Vec<&str> = line.split(' ').collect();
        let (event, used) = match words[0] {
            "INFO" => (json!(["INFO", serde_json::from_str::<Value>(&line[5..]).unwrap()]), end + 2),
            "MSG" | "HMSG" => {
                let hmsg = words[0] == "HMSG";
                let sizes = words.len() - 1 - usize::from(hmsg);
                let total: usize = words.last().unwrap().parse().unwrap();
                let header: usize = if hmsg { words[sizes].parse().unwrap() } else { 0 };
                let body = self.0.get(end + 2..end + 2 + total)?;
                let reply = if sizes == 4 { words[3] } else { "" };
                let headers = String::from_utf8_lossy(&body[..header]).into_owned();
                (message(words[1], words[2], reply, &body[header..], &headers), end + 4 + total)
            }
            _ => (json!(["LINE", line]), end + 2),
        };
        if self.0.len() < used {
            return None;
        }
        self.0.drain(..used);
        Some(event)
    }
}
