//! What the scripts are written in: commands, what comes of them, requests, calls of JetStream's API.

use super::bed::{Bed, Setup};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One script on one server, with what it observed.
pub struct Session {
    pub bed: Box<dyn Bed>,
    pub seen: BTreeMap<String, Value>,
    /// Longer on the real server, which answers in its own time.
    pub settle: u64,
    /// Pings are not answered, but noted.
    pub mute: bool,
    requests: u64,
}

pub type Make<'a> = &'a dyn Fn(&str, &Setup) -> Session;

impl Session {
    pub fn new(bed: Box<dyn Bed>, settle: u64) -> Self {
        Session { bed, seen: BTreeMap::new(), settle, mute: false, requests: 0 }
    }

    pub fn note(&mut self, id: &str, observed: Value) {
        assert!(self.seen.insert(id.to_owned(), observed).is_none(), "{id} twice");
    }

    /// A connection with these options besides the quiet ones; its INFO and PONG are read.
    pub fn client(&mut self, options: Value) -> usize {
        let conn = self.bed.open();
        let mut all = json!({"verbose": false, "pedantic": false, "protocol": 1, "headers": true, "no_responders": true});
        for (key, value) in options.as_object().into_iter().flatten() {
            all[key] = value.clone();
        }
        self.line(conn, &format!("CONNECT {all}"));
        self.take(conn);
        conn
    }

    pub fn plain(&mut self) -> usize {
        self.client(json!({}))
    }

    pub fn line(&mut self, conn: usize, line: &str) {
        self.bed.write(conn, format!("{line}\r\n").as_bytes());
    }

    pub fn publish(&mut self, conn: usize, subject: &str, payload: &str) {
        self.line(conn, &format!("PUB {subject} {}\r\n{payload}", payload.len()));
    }

    /// What has come after everything has settled, INFO left out, pings answered.
    pub fn take(&mut self, conn: usize) -> Vec<Value> {
        self.take_for(conn, self.settle)
    }

    pub fn take_for(&mut self, conn: usize, ms: u64) -> Vec<Value> {
        self.bed.wait(ms);
        let mut events = self.bed.read(conn);
        let before = events.len();
        events.retain(|event| event[0] != "INFO" && (self.mute || *event != json!(["LINE", "PING"])));
        if !self.mute && before > events.len() {
            self.line(conn, "PONG");
        }
        events
    }

    /// Reads until `count` events are there, or `ms` have passed.
    pub fn take_count(&mut self, conn: usize, count: usize, ms: u64) -> Vec<Value> {
        let end = self.bed.now() + ms as f64;
        let mut events = Vec::new();
        while events.len() < count && self.bed.now() < end {
            events.extend(self.take_for(conn, 2));
        }
        events
    }

    /// The subjects and numbers of messages.
    pub fn short(events: &[Value]) -> Value {
        events.iter().map(|event| json!([event[1], event[2]])).collect()
    }

    pub fn payloads(events: &[Value]) -> Vec<String> {
        let messages = events.iter().filter(|event| event[0] == "MSG");
        messages.map(|event| event[4].as_str().unwrap().to_owned()).collect()
    }

    // --- requests ---------------------------------------------------------------------------------------------

    /// Subscribes to a new inbox: its name and number.
    pub fn inbox(&mut self, conn: usize) -> (String, u64) {
        self.requests += 1;
        let (name, sid) = (format!("_INBOX.test.{}", self.requests), 1000 + self.requests);
        self.line(conn, &format!("SUB {name} {sid}"));
        (name, sid)
    }

    /// Asks, and collects answers until `enough` says so or `ms` have passed; then the inbox is given up.
    pub fn ask(
        &mut self,
        conn: usize,
        subject: &str,
        headers: &str,
        payload: &str,
        ms: u64,
        enough: &dyn Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let (inbox, sid) = self.inbox(conn);
        if headers.is_empty() {
            self.line(conn, &format!("PUB {subject} {inbox} {}\r\n{payload}", payload.len()));
        } else {
            let head = format!("NATS/1.0\r\n{headers}\r\n\r\n");
            let total = head.len() + payload.len();
            self.line(conn, &format!("HPUB {subject} {inbox} {} {total}\r\n{head}{payload}", head.len()));
        }
        let (end, mut events) = (self.bed.now() + ms as f64, Vec::new());
        while !enough(&events) && self.bed.now() < end {
            events.extend(self.take_for(conn, 2));
        }
        self.line(conn, &format!("UNSUB {sid}"));
        events
    }

    pub fn ask_one(&mut self, conn: usize, subject: &str, payload: &str) -> Vec<Value> {
        self.ask(conn, subject, "", payload, 600, &|events| !events.is_empty())
    }

    /// The JSON of the one answer to a call of the API, or to a publish.
    pub fn json(&mut self, conn: usize, subject: &str, headers: &str, payload: &str) -> Value {
        let events = self.ask(conn, subject, headers, payload, 2000, &|events| !events.is_empty());
        let text = events.first().unwrap_or_else(|| panic!("{subject}: no answer"))[4].as_str().unwrap();
        serde_json::from_str(text).unwrap_or_else(|_| panic!("{subject}: {events:?}"))
    }

    pub fn api(&mut self, conn: usize, call: &str, request: Value) -> Value {
        let request = if request.is_null() { String::new() } else { request.to_string() };
        self.json(conn, &format!("$JS.API.{call}"), "", &request)
    }

    pub fn stream(&mut self, conn: usize, config: Value) -> Value {
        let name = config["name"].as_str().unwrap().to_owned();
        self.api(conn, &format!("STREAM.CREATE.{name}"), config)
    }

    pub fn messages(&mut self, conn: usize, stream: &str) -> Value {
        self.api(conn, &format!("STREAM.INFO.{stream}"), Value::Null)["state"]["messages"].clone()
    }

    /// A durable consumer, `explicit` unless it says otherwise.
    pub fn durable(&mut self, conn: usize, stream: &str, name: &str, config: Value) -> Value {
        let mut all = json!({"durable_name": name, "ack_policy": "explicit"});
        for (key, value) in config.as_object().unwrap() {
            all[key] = value.clone();
        }
        let request = json!({"stream_name": stream, "config": all});
        self.api(conn, &format!("CONSUMER.DURABLE.CREATE.{stream}.{name}"), request)
    }

    /// A consumer's figures, as the rows have them.
    pub fn figures(&mut self, conn: usize, stream: &str, name: &str) -> Value {
        // Acknowledgements are worked off beside calls of the API.
        self.bed.wait(self.settle);
        let info = self.api(conn, &format!("CONSUMER.INFO.{stream}.{name}"), Value::Null);
        figures(&info)
    }

    /// Pulls until the batch is complete, a status comes, or `ms` have passed: what came, with its reply subjects.
    pub fn pull(
        &mut self,
        conn: usize,
        stream: &str,
        name: &str,
        request: Value,
        ms: u64,
    ) -> (Value, Vec<String>) {
        let batch = request["batch"].as_u64().unwrap_or(1) as usize;
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}");
        let enough =
            move |events: &[Value]| events.len() >= batch || events.iter().any(|event| event[5] != "");
        let events = self.ask(conn, &subject, "", &request.to_string(), ms, &enough);
        let tokens = events.iter().map(|event| event[3].as_str().unwrap().to_owned()).collect();
        (events.iter().map(delivery).collect(), tokens)
    }
}

pub fn figures(info: &Value) -> Value {
    let pair = |pair: &Value| json!([pair["consumer_seq"], pair["stream_seq"]]);
    json!({
        "num_ack_pending": info["num_ack_pending"],
        "num_redelivered": info["num_redelivered"],
        "num_waiting": info["num_waiting"],
        "num_pending": info["num_pending"],
        "delivered": pair(&info["delivered"]),
        "ack_floor": pair(&info["ack_floor"]),
    })
}

/// `[payload, "delivered=… sseq=… cseq=… pending=…"]`, or the text of a status.
pub fn delivery(event: &Value) -> Value {
    if event[5] != "" && event[3] == "" {
        return event[5].clone();
    }
    let token: Vec<&str> = event[3].as_str().unwrap().split('.').collect();
    let text = format!("delivered={} sseq={} cseq={} pending={}", token[4], token[5], token[6], token[8]);
    json!([event[4], text])
}

/// The fields of an object that a row names.
pub fn only(value: &Value, names: &[&str]) -> Value {
    names.iter().map(|&name| (name.to_owned(), value[name].clone())).collect::<serde_json::Map<_, _>>().into()
}
