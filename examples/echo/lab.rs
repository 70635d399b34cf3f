//! The echo in the laboratory: what can be set, what is shipped, what a run amounts to, and what must hold.

use super::check::{Check, Verdicts, Violation};
use super::figures::Figures;
use super::params::{self, Allowed, Param, Parsed, Setting, ms, param, span};
use super::system::Preset;
use super::quantiles::Quantiles;
use super::system::{Done, Entries, Room, Settings, System, SystemKind, give};
use super::invalid::Invalid;
use super::options::Options;
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::{Request, Service};
use crate::systems::echo::{Echo, Fact, Params, SERVICES};
use crate::systems::facts::{Hear, Told};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The echo.
pub const KIND: SystemKind = SystemKind { name: "echo", title: "Echo", over: "HTTP", unit: "words", question: "Does anybody answer?", slow_motion: false };

/// What stands in the list of systems.
pub(super) static ROOM: Room = Room { kind: KIND, presets: &PRESETS };

static FIGURES: [(&str, &str); 3] = [
    ("heard", "words that came back"),
    ("missed", "words that did not"),
    ("p99_ms", "the 99th percentile of their way there and back, in milliseconds"),
];

static PRESETS: [Preset; 1] = [Preset {
    name: "echo",
    system: KIND,
    title: "Nobody answers",
    promise: "A client and a server; the server is away from 8 s to 14 s.",
    start_s: 0,
    axis_s: 30,
    point_s: 9,
    set: &[],
    faults: "crash:server@8s..14s",
    horizon: None,
}];

const TABLE: [Param<Params>; 3] = [
    param!("period", Allowed::Span(ms(10), ms(3_600_000)), "the time between two words",
        |p| span(p.period), Span => |p, v| p.period = v),
    param!("work", Allowed::Span(ms(0), ms(60_000)), "the longest that the server takes",
        |p| span(p.work), Span => |p, v| p.work = v),
    param!("timeout", Allowed::Span(ms(10), ms(60_000)), "how long the client waits",
        |p| span(p.timeout), Span => |p, v| p.timeout = v),
];

/// The parameters, each at its default.
pub fn defaults() -> Box<dyn Settings> {
    Box::new(Params::default())
}

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        params::set(&TABLE, self, key, value)
    }

    fn all(&self) -> Vec<Setting> {
        params::all(&TABLE, self)
    }

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn services(&self) -> &'static [Service] {
        &SERVICES
    }

    fn figures(&self) -> &'static [(&'static str, &'static str)] {
        &FIGURES
    }

    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System> {
        let folds = Rc::new(RefCell::new(Folds::new(options.entries.clone())));
        let params = Params { client_on: options.client, ..*self };
        Box::new(EchoRun { echo: Echo::start(net, params, folds.clone()), folds })
    }
}

const INVARIANTS: [&str; 2] = ["what is heard is what was said", "a word is heard or missed once"];

/// What the laboratory makes of the facts: figures over the whole run, the invariants, and the words that are open.
struct Folds {
    heard: u64,
    missed: u64,
    round_trip_ms: Quantiles,
    verdicts: Verdicts,
    /// When each word was said that nobody has heard or missed yet, and which it was.
    open: BTreeMap<u64, (Instant, String)>,
    entries: Option<Entries>,
}

impl Folds {
    fn new(entries: Option<Entries>) -> Self {
        Folds {
            heard: 0,
            missed: 0,
            round_trip_ms: Quantiles::default(),
            verdicts: Verdicts::new(&INVARIANTS),
            open: BTreeMap::new(),
            entries,
        }
    }
}

impl Hear<Fact> for Folds {
    fn hear(&mut self, told: &Told<'_, Fact>) {
        let (said, heard) = match told.fact {
            Fact::Said { word } => {
                self.open.insert(told.req, (told.at, word.clone()));
                return;
            }
            Fact::Taken { .. } => return,
            Fact::Heard { word } => (self.open.remove(&told.req), Some(word)),
            Fact::Missed { .. } => (self.open.remove(&told.req), None),
        };
        let once = if said.is_some() { Ok(()) } else { Err(format!("word {} has ended twice", told.req)) };
        self.verdicts.judge(1, told.n, told.at, once);
        let Some((at, said)) = said else { return };
        let took_ms = told.at.since(at).as_millis_f64();
        match heard {
            Some(word) => {
                self.heard += 1;
                self.round_trip_ms.add(took_ms);
                let same =
                    if *word == said { Ok(()) } else { Err(format!("{said:?} came back as {word:?}")) };
                self.verdicts.judge(0, told.n, told.at, same);
            }
            None => self.missed += 1,
        }
        give(&self.entries, || {
            json!({"word": said, "said_at_ms": at.as_millis_f64(), "took_ms": took_ms, "heard": heard.is_some()})
        });
    }
}

/// A running echo, and what the laboratory makes of it.
pub struct EchoRun {
    echo: Echo,
    folds: Rc<RefCell<Folds>>,
}

impl EchoRun {
    /// How many words were heard, and how many were missed.
    pub fn heard_and_missed(&self) -> (u64, u64) {
        let folds = self.folds.borrow();
        (folds.heard, folds.missed)
    }
}

impl System for EchoRun {
    fn kind(&self) -> SystemKind {
        KIND
    }

    fn instances(&self) -> &[NodeId] {
        self.echo.nodes()
    }

    fn describe_nodes(&self) -> String {
        "client, server or console".to_owned()
    }

    fn settings(&self) -> Vec<Setting> {
        params::all(&TABLE, self.echo.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        self.echo.call(request, limit, done);
    }

    fn begun(&self) -> u64 {
        self.echo.words()
    }

    fn begun_at(&self) -> Vec<Instant> {
        self.folds.borrow().open.values().map(|(at, _)| *at).collect()
    }

    fn progress(&self) -> (u64, u64) {
        let (heard, missed) = self.heard_and_missed();
        (self.echo.words(), heard + missed)
    }

    fn violation(&self) -> Option<Violation> {
        self.folds.borrow().verdicts.first().cloned()
    }
}

/// What the command line reports of it.
#[cfg(not(target_arch = "wasm32"))]
impl super::system::Reported for EchoRun {
    fn figures(&self) -> Figures {
        let folds = self.folds.borrow();
        let (heard, missed, open) = (folds.heard, folds.missed, folds.open.len());
        let mut figures = Figures::default();
        figures.tell("heard", heard, "words", format!("{heard} heard, {missed} missed, {open} on their way"));
        figures.add("missed", missed);
        let p99 = folds.round_trip_ms.percentile(99.0);
        figures.tell("p99_ms", p99, "round trip", p99.map_or_else(String::new, |p99| format!("p99 {p99:.0} ms")));
        figures
    }

    fn open_entries(&self) -> Vec<Value> {
        let folds = self.folds.borrow();
        let entry = |(at, word): &(Instant, String)| {
            json!({"word": word, "said_at_ms": at.as_millis_f64(), "took_ms": null, "heard": false})
        };
        folds.open.values().map(entry).collect()
    }

    fn checks(&self) -> Vec<Check> {
        self.folds.borrow().verdicts.checks()
    }
}
