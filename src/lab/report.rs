//! A finished run as one JSON object, and as text for a person.
//!
//! The report has the shape that all systems share; its figures and its units of work (requests, jobs, versions) are the
//! system's own. The units may be as many as one likes: [`JsonStream`] writes each when it has ended, and keeps none.

use super::check::Check;
use super::options::Options;
use super::run::{EVENTS_MAX, Run};
use super::scenario::Action;
use super::system::Entries;
use crate::kernel::Instant;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::rc::Rc;

/// What a run amounts to, but for its units of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scenario with every setting spelled out.
    pub scenario: Value,
    /// Its seed.
    pub seed: u64,
    /// How much virtual time was played.
    pub virtual_ms: f64,
    /// How many events there were.
    pub events: u64,
    /// The hash over them.
    pub trace_hash: String,
    /// The system's figures.
    pub summary: Value,
    /// The invariants.
    pub checks: Vec<Check>,
    /// What a person asked the simulated API, and what came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// The same figures for a person, after the newest unit of work that has something to read.
    #[serde(skip)]
    text: String,
}

/// A call of the simulated API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// When it was made.
    pub at_ms: f64,
    /// GET, POST, …
    pub method: String,
    /// Where it went.
    pub url: String,
    /// When its answer came; nothing if none has.
    pub answered_at_ms: Option<f64>,
    /// The answer's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its body: JSON as it is, or text.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Call {
    fn of(run: &Run, index: usize, action: &Action) -> Option<Self> {
        let Action::Call { at_ms, method, url, .. } = action else { return None };
        let at = Instant::from_millis(*at_ms).as_millis_f64();
        let mut call = Call {
            at_ms: at,
            method: method.clone(),
            url: url.clone(),
            answered_at_ms: None,
            status: None,
            body: Value::Null,
            error: None,
        };
        let (answered_at, answer) = run.answer(index).unzip();
        call.answered_at_ms = answered_at.map(Instant::as_millis_f64);
        match answer {
            Some(Ok(response)) => {
                let text = || Value::from(String::from_utf8_lossy(response.body.bytes()));
                call.status = Some(response.status);
                call.body = if response.body.is_empty() {
                    Value::Null
                } else {
                    response.parse().unwrap_or_else(|_| text())
                };
            }
            Some(Err(error)) => call.error = Some(error.to_string()),
            None => {}
        }
        Some(call)
    }

    fn to_text(&self) -> String {
        let Call { at_ms, method, url, .. } = self;
        let outcome = match (&self.status, &self.error) {
            (Some(status), _) => format!(
                "{status} {}",
                self.body.as_str().map_or_else(|| self.body.to_string(), str::to_owned)
            ),
            (None, Some(error)) => error.clone(),
            (None, None) => "not answered yet".to_owned(),
        };
        format!("at {} s: {method} {url}: {outcome}", at_ms / 1000.0)
    }
}

impl Report {
    /// The report of a run as it stands.
    pub fn of(run: &Run) -> Self {
        let figures = run.system().figures();
        let newest = Some(run.system().newest_text()).filter(|newest| !newest.is_empty());
        let mut checks = run.system().checks();
        let few = if run.is_exhausted() { Err(String::new()) } else { Ok(()) };
        checks.push(Check::new(&format!("the run has at most {EVENTS_MAX} events"), few));
        checks.push(Check::new("virtual time passes", run.stuck().map_or(Ok(()), Err)));
        Report {
            // Plain data cannot fail to be JSON.
            scenario: serde_json::to_value(run.spelled_out()).unwrap_or_default(),
            seed: run.scenario().seed,
            virtual_ms: run.now().as_millis_f64(),
            events: run.events(),
            trace_hash: run.trace_hash(),
            summary: figures.to_json(),
            text: newest.map_or_else(String::new, |newest| newest + "\n") + &figures.to_text(),
            checks,
            calls: {
                let actions = run.scenario().actions.iter().enumerate();
                actions.filter_map(|(index, action)| Call::of(run, index, action)).collect()
            },
        }
    }

    /// True when every invariant held.
    pub fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    /// The report for a person.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, f: &mut String) -> std::fmt::Result {
        let preset = self.scenario["preset"].as_str().unwrap_or_default();
        let seconds = self.virtual_ms / 1000.0;
        writeln!(f, "{preset}, seed {}: {seconds} s virtual, {} events", self.seed, self.events)?;
        if let Some(faults) = self.scenario["faults"].as_str().filter(|faults| !faults.is_empty()) {
            writeln!(f, "faults: {faults}")?;
        }
        writeln!(f)?;
        for call in &self.calls {
            writeln!(f, "{}", call.to_text())?;
        }
        f.push_str(&self.text);
        for check in self.checks.iter().filter(|check| !check.ok) {
            writeln!(f, "check failed: {}: {}", check.name, check.detail)?;
        }
        writeln!(f, "trace hash {}", self.trace_hash)
    }
}

/// Writes a run's report as one JSON object while the run is played: the units of work first, each when it has ended and
/// those that have not at the end, then the rest.
pub struct JsonStream<W> {
    state: Rc<RefCell<Stream<W>>>,
}

struct Stream<W> {
    out: W,
    written: u64,
    /// The report is complete: what a run tells while it is taken apart is no part of it.
    over: bool,
    /// The first error; nothing is written after it.
    error: Option<io::Error>,
}

impl<W: Write> Stream<W> {
    fn write(&mut self, text: &str) {
        if self.error.is_none() && !self.over {
            self.error = self.out.write_all(text.as_bytes()).err();
        }
    }

    fn entry(&mut self, entry: &Value) {
        let comma = if self.written == 0 { "" } else { "," };
        self.written += 1;
        self.write(&format!("{comma}{entry}"));
    }
}

impl<W: Write + 'static> JsonStream<W> {
    /// A stream to `out`.
    pub fn new(out: W) -> Self {
        JsonStream { state: Rc::new(RefCell::new(Stream { out, written: 0, over: false, error: None })) }
    }

    /// `options` with this stream as the one that gets the units of work.
    pub fn listen(&self, options: Options) -> Options {
        let state = Rc::clone(&self.state);
        let entries: Entries = Rc::new(RefCell::new(move |entry: Value| state.borrow_mut().entry(&entry)));
        Options { entries: Some(entries), ..options }
    }

    /// Begins the report of a run that has not been played yet.
    pub fn begin(&self, run: &Run) {
        self.state.borrow_mut().write(&format!("{{\"{}\":[", run.system().kind().unit));
    }

    /// Ends it. The error is the first that there was.
    pub fn end(self, run: &Run, report: &Report) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        run.system().open_entries().iter().for_each(|entry| state.entry(entry));
        // The object's own opening brace has been written.
        let rest = serde_json::to_string(report)?;
        state.write(&format!("],{}\n", rest.trim_start_matches('{')));
        state.over = true;
        state.error.take().map_or_else(|| state.out.flush(), Err)
    }
}
