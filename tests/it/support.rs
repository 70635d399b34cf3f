//! What the tests share: cases that know the command which replays them, random fault schedules, look-ups in a trace.

use glasshive::app::PlayerState;
use glasshive::app::canvas::{Strips, View};
use glasshive::app::session::{Command, Session};
use glasshive::kernel::{Instant, Kind, Record, Rng, Sink};
use glasshive::lab::oracle::entry::RequestReport;
use glasshive::lab::{Options, Run, Scenario};
use glasshive::substrate::http::{Method, Request};
use serde_json::Value;
use std::fmt::Write;
use std::ops::Range;

/// A board as a wide page has it.
pub fn wide_board(selected: &str) -> View<'_> {
    let (width, height, strips) = (1406.0, 474.0, Strips::Three);
    View { width, height, strips, selected, hovered: None, flow: false, reduced_motion: false }
}

/// Lets a session's replay come to its end.
pub fn arrive(session: &mut Session) {
    while session.status().state == PlayerState::Replaying {
        session.frame(16.0, || true);
    }
}

/// What a person does, to its end.
pub fn act(session: &mut Session, command: Command) {
    session.apply(command).unwrap();
    arrive(session);
}

/// Goes to an instant.
pub fn go(session: &mut Session, at_ms: f64) {
    act(session, Command::Seek { at_ms });
}

/// Says something on stderr if the test fails while it lives.
pub struct OnFailure(String);

impl OnFailure {
    pub fn say(text: String) -> Self {
        OnFailure(text)
    }
}

impl Drop for OnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

/// Calls `body` with every seed of `range`, or with the one in the environment variable GLASSHIVE_SEED alone.
/// A failure says which seed it was and how to try it again.
pub fn for_seeds(test: &str, range: Range<u64>, body: impl Fn(u64)) {
    let only =
        std::env::var("GLASSHIVE_SEED").ok().map(|text| text.parse().expect("GLASSHIVE_SEED: a number"));
    for seed in only.map_or(range, |seed: u64| seed..seed + 1) {
        let _on_failure = OnFailure::say(format!(
            "seed {seed}; again with: GLASSHIVE_SEED={seed} cargo test --test it {test} -- --nocapture"
        ));
        body(seed);
    }
}

/// A scenario to be played for a test.
#[derive(Clone)]
pub struct Case {
    pub scenario: Scenario,
}

impl Case {
    /// The opening oracle without its faults, for 60 s.
    pub fn oracle(seed: u64) -> Self {
        Case::preset("oracle-http", seed).faults("").seconds(60)
    }

    pub fn preset(name: &str, seed: u64) -> Self {
        Case { scenario: Scenario::preset(name, seed) }
    }

    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.scenario.set.insert(key.to_owned(), Value::from(value));
        self
    }

    pub fn faults(mut self, faults: &str) -> Self {
        self.scenario.faults = Some(faults.to_owned());
        self
    }

    pub fn seconds(mut self, seconds: u64) -> Self {
        self.scenario.horizon = Some(format!("{seconds}s"));
        self
    }

    /// The command that plays the same on a terminal.
    pub fn command(&self) -> String {
        let Scenario { preset, seed, set, faults, horizon, .. } = &self.scenario;
        let mut command = format!("cargo run --release -- run --preset {preset} --seed {seed}");
        for (key, value) in set {
            let _ = write!(command, " --set {key}={}", value.as_str().unwrap_or_default());
        }
        if let Some(horizon) = horizon {
            let _ = write!(command, " --for {horizon}");
        }
        if let Some(faults) = faults {
            let _ = write!(command, " --faults '{faults}'");
        }
        command
    }

    /// A run at its start that keeps its whole trace.
    pub fn start(&self) -> Run {
        let options = Options { sink: Sink::Full, ..Options::default() };
        Run::new(&self.scenario, options).unwrap_or_else(|error| panic!("{error}\n{}", self.command()))
    }

    /// Plays to the horizon and hands over the run; a failure prints the command that replays it.
    pub fn check(&self, body: impl FnOnce(&mut Run)) {
        let _on_failure = OnFailure::say(format!("replay: {}", self.command()));
        let mut run = self.start();
        run.run_until(Instant::MAX);
        body(&mut run);
    }
}

/// What is reported of each request of an oracle that its ledger has.
pub fn reports(run: &Run) -> Vec<RequestReport> {
    let oracle = glasshive::lab::oracle::of(run.system()).unwrap();
    let ledger = oracle.ledger();
    ledger.requests().iter().map(|entry| RequestReport::of(entry, oracle.params())).collect()
}

/// The records of one kind, oldest first.
pub fn records(run: &Run, kind: Kind) -> Vec<Record> {
    run.trace().records().filter(|record| record.kind == kind).copied().collect()
}

/// A node's number in the trace.
pub fn node(run: &Run, name: &str) -> u32 {
    run.net().find(name).unwrap_or_else(|| panic!("no node {name}")).0
}

/// Milliseconds, for comparisons that a person reads.
pub fn ms(at: Instant) -> f64 {
    at.as_millis_f64()
}

/// Calls the simulated API from the console and plays on to the answer: its status and its JSON.
pub fn call(run: &mut Run, method: &str, url: &str, body: &str) -> (u16, Value) {
    let request = Request {
        method: Method::from(method),
        url: url.parse().expect("a URL"),
        headers: Default::default(),
        body: body.as_bytes().into(),
    };
    let act = run.call(&request).expect("the call is allowed");
    while run.answer(act.index).is_none() {
        assert!(run.run_instant(run.horizon()), "{method} {url}: no answer by the horizon");
    }
    let (_, answer) = run.answer(act.index).expect("there is one");
    let response = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    (response.status, response.parse().expect("a JSON body"))
}

/// The keys of a JSON object, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A random schedule of faults of every kind in the first `seconds` of an oracle with `workers` workers.
pub fn random_faults(seed: u64, workers: u64, seconds: u64) -> String {
    let mut rng = Rng::new(seed ^ 0x5eed_fa17);
    let count = rng.below(9);
    let faults: Vec<String> = (0..count).map(|_| random_fault(&mut rng, workers, seconds)).collect();
    faults.join(",")
}

fn random_fault(rng: &mut Rng, workers: u64, seconds: u64) -> String {
    let worker = |rng: &mut Rng| format!("w-{:02}", 1 + rng.below(workers));
    let node = |rng: &mut Rng| match rng.below(6) {
        0 => "coordinator".to_owned(),
        1 => "client".to_owned(),
        2 => format!("{}?", 1 + rng.below(workers)),
        _ => worker(rng),
    };
    let kind = ["crash", "restart", "stop", "slow", "lie", "cut", "drop", "dup"][rng.below(8) as usize];
    let wired = matches!(kind, "slow" | "cut" | "drop" | "dup");
    let target = match rng.below(3) {
        _ if kind == "lie" => worker(rng),
        0 if wired => {
            let separator = ["~", ">"][rng.below(2) as usize];
            let far = if rng.chance(0.2) { "client".to_owned() } else { worker(rng) };
            if rng.chance(0.5) {
                format!("coordinator{separator}{far}")
            } else {
                format!("{far}{separator}coordinator")
            }
        }
        _ => node(rng),
    };
    let start = rng.below(seconds * 1000);
    let mut fault = format!("{kind}:{target}@{start}ms");
    if rng.chance(0.7) {
        let _ = write!(fault, "..{}ms", start + 1 + rng.below(10_000));
    }
    match kind {
        "slow" => drop(write!(fault, "={}", [0.5, 2.0, 4.0, 20.0][rng.below(4) as usize])),
        "lie" => drop(write!(fault, "={}", [-0.5, 0.18, 1.0][rng.below(3) as usize])),
        "drop" | "dup" => drop(write!(fault, "={}", [0.1, 0.5, 1.0][rng.below(3) as usize])),
        _ => {}
    }
    fault
}

/// What the binary did.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran {
            code: output.status.code().expect("an exit code"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// The path of the command line's binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_glasshive");

/// Runs the binary.
pub fn glasshive(args: &[&str]) -> Ran {
    std::process::Command::new(BINARY).args(args).output().expect("the binary starts").into()
}

/// A path for a test's own file, where no other test writes.
pub fn scratch(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path.to_str().expect("UTF-8").to_owned()
}
