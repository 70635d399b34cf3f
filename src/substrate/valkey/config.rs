//! What a server is started with, and what CONFIG can change.

use super::Version;
use super::glob;
use super::number::parse_count;
use super::parse::is;
use super::reply::{Answer, Bytes, Reply};
use crate::kernel::Duration;

/// A snapshot is due when so many seconds have passed since the last one and so many changes were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last snapshot; they must be exceeded.
    pub seconds: u64,
    /// Changes since then, at least.
    pub changes: u64,
}

/// What of the data is left after the process has died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing, however it ended.
    None,
    /// A kill leaves the last snapshot; a graceful end makes one more.
    Snapshots(Vec<SavePoint>),
    /// The append-only file: every change is written before it is answered, so a kill of the process loses nothing.
    /// (It is synced once a second: what a machine that loses its power forgets is not modelled.)
    AppendOnly,
}

impl Persistence {
    /// The server's own default: snapshots after an hour, five minutes, one minute.
    pub fn default_save_points() -> Self {
        let points = [(3600, 1), (300, 100), (60, 10_000)];
        Persistence::Snapshots(points.map(|(seconds, changes)| SavePoint { seconds, changes }).to_vec())
    }
}

/// When a subscriber that does not read is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// At once beyond so many bytes; 0 for no limit.
    pub hard: usize,
    /// After `soft_seconds` beyond so many bytes; 0 for no limit.
    pub soft: usize,
    /// Seconds.
    pub soft_seconds: u64,
}

/// A server's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which server it behaves as.
    pub version: Version,
    /// What a restart finds.
    pub persistence: Persistence,
    /// Bytes of memory beyond which writes are refused; 0 for no limit.
    pub max_memory: u64,
    /// How many clients may be connected.
    pub max_clients: usize,
    /// For clients with subscriptions.
    pub pubsub_limit: OutputLimit,
    /// How long loading takes for each megabyte of data.
    pub load_time_per_mb: Duration,
}

impl Config {
    /// The defaults of the server itself.
    pub fn new(version: Version) -> Self {
        Config {
            version,
            persistence: Persistence::default_save_points(),
            max_memory: 0,
            max_clients: 10_000,
            pubsub_limit: OutputLimit { hard: 32 << 20, soft: 8 << 20, soft_seconds: 60 },
            load_time_per_mb: Duration::from_millis(10),
        }
    }

    /// Names and values as CONFIG GET shows them.
    fn rows(&self) -> [(&'static str, String); 15] {
        let text = str::to_owned;
        let OutputLimit { hard, soft, soft_seconds } = self.pubsub_limit;
        [
            ("appendfsync", text("everysec")),
            ("appendonly", text(if self.persistence == Persistence::AppendOnly { "yes" } else { "no" })),
            (
                "client-output-buffer-limit",
                format!("normal 0 0 0 slave 268435456 67108864 60 pubsub {hard} {soft} {soft_seconds}"),
            ),
            ("databases", text("16")),
            ("hash-max-listpack-entries", text("512")),
            ("hash-max-listpack-value", text("64")),
            ("hz", text("10")),
            ("list-max-listpack-size", text("-2")),
            ("maxclients", self.max_clients.to_string()),
            ("maxmemory", self.max_memory.to_string()),
            ("maxmemory-policy", text("noeviction")),
            ("port", text("6379")),
            ("proto-max-bulk-len", text("536870912")),
            ("save", self.save_text()),
            ("timeout", text("0")),
        ]
    }

    fn save_text(&self) -> String {
        let Persistence::Snapshots(points) = &self.persistence else { return String::new() };
        let words: Vec<String> =
            points.iter().map(|point| format!("{} {}", point.seconds, point.changes)).collect();
        words.join(" ")
    }

    /// CONFIG GET
    pub(super) fn get(&self, patterns: &[Bytes]) -> Reply {
        let mut found = Vec::new();
        for (name, value) in self.rows() {
            let asked = |pattern: &Bytes| glob::matches(&pattern.to_ascii_lowercase(), name.as_bytes());
            if patterns.iter().any(asked) {
                found.extend([Reply::bulk(name), Reply::bulk(value)]);
            }
        }
        Reply::Array(found)
    }

    /// CONFIG SET: all of it or nothing.
    pub(super) fn set(&mut self, pairs: &[(Bytes, Bytes)]) -> Answer {
        let mut changed = self.clone();
        for (name, value) in pairs {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if let Err(why) = changed.set_one(&name, value) {
                let error = match why {
                    None => {
                        format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
                    }
                    Some(why) => {
                        format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
                    }
                };
                return Err(error.into());
            }
        }
        *self = changed;
        Ok(Reply::OK)
    }

    /// Without a reason, there is no such setting.
    fn set_one(&mut self, name: &str, value: &Bytes) -> Result<(), Option<&'static str>> {
        match name {
            "maxmemory" => {
                self.max_memory = memory(value).ok_or(Some("argument must be a memory value"))?;
            }
            "maxclients" => {
                let clients =
                    parse_count(value).ok_or(Some("argument couldn't be parsed into an integer"))?;
                let allowed = Some(clients).filter(|&n| n > 0);
                self.max_clients =
                    allowed.ok_or(Some("argument must be between 1 and 4294967295 inclusive"))? as usize;
            }
            "maxmemory-policy" if is(value, "noeviction") => {}
            "maxmemory-policy" => return Err(Some("only noeviction is modelled")),
            "save" => {
                self.persistence = save_points(value).ok_or(Some("Invalid save parameters"))?;
            }
            "client-output-buffer-limit" => {
                self.pubsub_limit = output_limit(value).map_err(Some)?;
            }
            _ if self.rows().iter().any(|(known, _)| *known == name) => {
                return Err(Some("can't set immutable config"));
            }
            _ => return Err(None),
        }
        Ok(())
    }
}

/// `100`, `1k`, `1kb`, `1mb`, `1gb`: with a `b` the units are powers of 1024.
fn memory(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn save_points(text: &[u8]) -> Option<Persistence> {
    let words: Option<Vec<u64>> =
        std::str::from_utf8(text).ok()?.split_whitespace().map(|word| word.parse().ok()).collect();
    let words = words.filter(|words| words.len() % 2 == 0)?;
    if words.is_empty() {
        return Some(Persistence::None);
    }
    let points = words.chunks_exact(2).map(|pair| SavePoint { seconds: pair[0], changes: pair[1] });
    let points: Vec<SavePoint> = points.collect();
    points.iter().all(|point| point.seconds > 0).then_some(Persistence::Snapshots(points))
}

/// Of the classes of clients only one has limits here.
fn output_limit(text: &[u8]) -> Result<OutputLimit, &'static str> {
    let text = String::from_utf8_lossy(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let [class, hard, soft, seconds] = words[..] else {
        return Err("Wrong number of arguments in buffer limit configuration.");
    };
    match class {
        "pubsub" => {
            let size = |text: &str| memory(text.as_bytes()).map(|bytes| bytes as usize);
            let limit = size(hard).zip(size(soft)).zip(seconds.parse().ok());
            let limit = limit.map(|((hard, soft), soft_seconds)| OutputLimit { hard, soft, soft_seconds });
            limit.ok_or("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
        }
        "normal" | "slave" | "replica" => Err("only the limit of pubsub is modelled"),
        _ => Err("Invalid client class specified in buffer limit configuration."),
    }
}
