//! The store's recorded cases: read, played, and compared. `GLASSHIVE_CASES` names a folder with more of them; with
//! `GLASSHIVE_REAL=1` they are played on the real server (`valkey_real.rs`) instead of the model.

use super::valkey_real::RealServer;
use glasshive::kernel::{Duration, Instant};
use glasshive::substrate::valkey::{Config, ConnId, Disk, Effect, Reply, Store, Version, Words};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// How long the recorder listened after a command before it sent the next one.
pub const SETTLE_MS: u64 = 30;
/// An idle server notices the end of a blocking call up to 100 ms late, and the recorder's own steps take their time.
const LATE_MS: f64 = 135.0;

/// Something that cases can be played on. Connections are letters.
pub trait Server {
    /// Sends commands at once.
    fn send(&mut self, conn: char, batch: &[Vec<String>]);
    /// Closes a connection.
    fn close(&mut self, conn: char);
    /// The id that CLIENT ID answers on a connection.
    fn client_id(&mut self, conn: char) -> u64;
    /// Lets time pass, and hands over what arrived since the last call and after how many milliseconds.
    fn listen(&mut self, ms: u64) -> Vec<(char, Reply, f64)>;
    /// By how many milliseconds a time to live may differ from the recorded one.
    fn slack_ms(&self) -> i64;
    /// For how long replies that are missing are waited for beyond the recorder's time.
    fn patience_ms(&self) -> u64;
}

/// The model, on a clock of its own.
pub struct Model {
    store: Store,
    now: Instant,
    conns: BTreeMap<char, ConnId>,
    arrived: Vec<(char, Reply, f64)>,
    began: Instant,
}

impl Model {
    pub fn new(config: Config) -> Self {
        Model::on_disk(config, Disk::new())
    }

    pub fn on_disk(config: Config, disk: Disk) -> Self {
        let (now, conns) = (Instant::from_millis(5_000), BTreeMap::new());
        Model { store: Store::new(config, disk, now), now, conns, arrived: Vec::new(), began: now }
    }

    pub fn store(&mut self) -> (&mut Store, Instant) {
        (&mut self.store, self.now)
    }

    fn conn(&mut self, letter: char) -> ConnId {
        if let Some(&id) = self.conns.get(&letter) {
            return id;
        }
        let (id, effects) = self.store.connect(self.now);
        self.conns.insert(letter, id);
        self.note(effects);
        id
    }

    fn note(&mut self, effects: Vec<Effect>) {
        let after = self.now.since(self.began).as_millis_f64();
        for effect in effects {
            if let Effect::Send(id, reply) = effect {
                let letter = self.conns.iter().find(|&(_, &other)| other == id).map(|(&letter, _)| letter);
                self.arrived.push((letter.expect("the client is connected"), reply, after));
            }
        }
    }
}

impl Server for Model {
    fn send(&mut self, conn: char, batch: &[Vec<String>]) {
        let id = self.conn(conn);
        let words =
            |command: &Vec<String>| -> Words { command.iter().map(|w| w.as_bytes().into()).collect() };
        let effects = self.store.execute(id, batch.iter().map(words), self.now);
        self.note(effects);
    }

    fn close(&mut self, conn: char) {
        let id = self.conn(conn);
        let effects = self.store.disconnect(id, self.now);
        self.conns.remove(&conn);
        self.note(effects);
    }

    fn client_id(&mut self, conn: char) -> u64 {
        self.conn(conn).0
    }

    fn listen(&mut self, ms: u64) -> Vec<(char, Reply, f64)> {
        let end = self.now + Duration::from_millis(ms);
        while let Some(at) = self.store.next_tick(self.now).filter(|&at| at <= end) {
            assert!(at > self.now, "the clock goes on");
            self.now = at;
            let effects = self.store.tick(at);
            self.note(effects);
        }
        self.now = end;
        self.began = end;
        std::mem::take(&mut self.arrived)
    }

    fn slack_ms(&self) -> i64 {
        40
    }

    fn patience_ms(&self) -> u64 {
        0
    }
}

// --- notation -----------------------------------------------------------------------------------------------------

/// A reply as the recorded cases write it.
pub fn notation(reply: &Reply) -> String {
    match reply {
        Reply::Simple(text) => format!("+{text}"),
        Reply::Error(text) => format!("-{text}"),
        Reply::Int(n) => format!(":{n}"),
        Reply::Bulk(bytes) => quoted(bytes),
        Reply::NilBulk => "$nil".to_owned(),
        Reply::NilArray => "*nil".to_owned(),
        Reply::Array(items) => {
            let items: Vec<String> = items.iter().map(notation).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// Quoted as Python's `repr` does it.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            c if c == quote => quoted.extend(['\\', c]),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => quoted += &format!("\\x{:02x}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted.push(quote);
    quoted
}

/// The items of an array in the notation, sorted, also in the arrays inside; any other reply as it is.
fn as_set(text: &str) -> Vec<String> {
    let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return vec![text.to_owned()];
    };
    let (mut items, mut item, mut depth, mut quote) = (Vec::new(), String::new(), 0, None);
    for c in inner.chars() {
        match (quote, c) {
            (Some(open), c) if c == open && !item.ends_with('\\') => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                items.push(std::mem::take(&mut item));
                continue;
            }
            _ => {}
        }
        item.push(c);
    }
    items.push(item);
    let inside = |item: &String| match item.trim() {
        array if array.starts_with('[') => format!("[{}]", as_set(array).join(", ")),
        item => item.to_owned(),
    };
    let mut items: Vec<String> = items.iter().map(inside).collect();
    items.sort();
    items
}

// --- playing ------------------------------------------------------------------------------------------------------

/// Reads a file of cases; `None` when its rows are prose.
pub fn read(path: &str) -> Option<Vec<Value>> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    cases.iter().all(|case| case["steps"].is_array()).then_some(cases)
}

/// Plays all cases of a file and says what differed.
pub fn play(cases: &[Value], version: Version) -> Vec<String> {
    let Some(binary) = RealServer::wanted(version) else {
        let on_model = |case| play_case(case, &mut Model::new(Config::new(version)));
        return cases.iter().flat_map(on_model).collect();
    };
    let mut server = RealServer::start(&binary);
    let mut on_real = |case| {
        server.reset();
        play_case(case, &mut server)
    };
    // A real server's clock ticks when it likes, which may be between two steps: what differs has another try.
    let mut twice = |case| Some(on_real(case)).filter(|wrong| !wrong.is_empty()).map(|_| on_real(case));
    cases.iter().filter_map(&mut twice).flatten().collect()
}

fn play_case(case: &Value, server: &mut dyn Server) -> Vec<String> {
    let id = case["id"].as_str().expect("an id");
    let random = case["note"].as_str().is_some_and(|note| note.contains("random"));
    let mut last = String::new();
    let mut wrong = Vec::new();
    for step in case["steps"].as_array().expect("steps") {
        let mut text = step["do"].as_str().expect("a command").to_owned();
        if text == "same again" {
            text.clone_from(&last);
        }
        last.clone_from(&text);
        let mut arrived = act(server, &text);
        let expected = step["replies"].as_array().map_or(0, Vec::len);
        for _ in 0..server.patience_ms() {
            if arrived.len() < expected {
                arrived.extend(server.listen(1));
            }
        }
        if !random {
            wrong.extend(
                compare(&text, step, &arrived, server.slack_ms()).map(|why| format!("{id}: {text}: {why}")),
            );
        }
    }
    wrong
}

fn act(server: &mut dyn Server, text: &str) -> Vec<(char, Reply, f64)> {
    if let Some(ms) = text.strip_prefix("wait ") {
        return server.listen(ms.trim().parse().expect("milliseconds"));
    }
    let (conn, command) = text.split_once('>').unwrap_or_else(|| panic!("what is {text:?}?"));
    let conn = conn.trim().chars().next().expect("a connection");
    let command = command.trim();
    if command == "close" {
        server.close(conn);
    } else if let Some(commands) = command.strip_prefix("pipeline ") {
        let batch: Vec<Vec<String>> = commands.split('|').map(|command| words(server, command)).collect();
        server.send(conn, &batch);
    } else {
        let words = words(server, command);
        server.send(conn, &[words]);
    }
    server.listen(SETTLE_MS)
}

/// Words are separated by blanks; quotes keep blanks together; `<id A>` is the client id of connection A.
fn words(server: &mut dyn Server, command: &str) -> Vec<String> {
    let mut command = command.trim().to_owned();
    while let Some(from) = command.find("<id ") {
        let conn = command[from + 4..].chars().next().expect("a connection");
        let id = server.client_id(conn).to_string();
        command.replace_range(from..from + 6, &id);
    }
    if command.to_ascii_uppercase().starts_with("EVAL ") && !command.contains(['"']) {
        // The script has blanks of its own: it ends before the number of keys.
        let script = command[5..].trim();
        let end = script.rfind(')').map_or(script.len(), |end| end + 1);
        let rest = script[end..].split_whitespace().map(str::to_owned);
        return ["EVAL".to_owned(), script[..end].to_owned()].into_iter().chain(rest).collect();
    }
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in command.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What is wrong with the replies to a step.
fn compare(text: &str, step: &Value, arrived: &[(char, Reply, f64)], slack: i64) -> Option<String> {
    let expected: Vec<(char, &str)> = step["replies"]
        .as_array()
        .expect("replies")
        .iter()
        .map(|pair| {
            let conn = pair[0].as_str().expect("a connection").chars().next().expect("a letter");
            (conn, pair[1].as_str().expect("a reply"))
        })
        .collect();
    let shown: Vec<(char, String)> =
        arrived.iter().map(|(conn, reply, _)| (*conn, notation(reply))).collect();
    let differs = |why: &str| Some(format!("{why}\n  recorded {expected:?}\n  got      {shown:?}"));
    // The order means something within one connection only.
    let (mut left, mut right) = (expected.clone(), shown.clone());
    left.sort_by_key(|&(conn, _)| conn);
    right.sort_by_key(|&(conn, _)| conn);
    if left.len() != right.len() {
        return differs("another number of replies");
    }
    let upper = text.to_ascii_uppercase();
    let unordered = ["> KEYS", "> SCAN", "> PUBSUB CHANNELS", "> HSCAN"].iter().any(|c| upper.contains(c));
    let bare_unsubscribe = upper.ends_with("UNSUBSCRIBE");
    if bare_unsubscribe {
        let parts = |list: Vec<String>| {
            let mut parts: Vec<String> = list.iter().flat_map(|text| as_set(text)).collect();
            parts.sort();
            parts
        };
        let left = parts(left.into_iter().map(|(_, text)| text.to_owned()).collect());
        return if left == parts(right.into_iter().map(|(_, text)| text).collect()) {
            None
        } else {
            differs("other channels")
        };
    }
    for ((conn, recorded), (other, got)) in left.iter().zip(&right) {
        let same = recorded == got
            || (unordered && as_set(recorded) == as_set(got))
            || (upper.contains("PTTL ") && close(recorded, got, slack));
        if conn != other || !same {
            return differs("another reply");
        }
    }
    let times: Vec<f64> = step["ms"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    for (recorded, &(.., got)) in times.iter().zip(arrived) {
        if (recorded - got).abs() > LATE_MS {
            return differs(&format!("after {got} ms instead of {recorded} ms"));
        }
    }
    None
}

/// Two times to live that differ by no more than `slack` milliseconds.
fn close(recorded: &str, got: &str, slack: i64) -> bool {
    let number = |text: &str| text.strip_prefix(':').and_then(|text| text.parse::<i64>().ok());
    number(recorded).zip(number(got)).is_some_and(|(a, b)| a > 0 && b > 0 && (a - b).abs() <= slack)
}
