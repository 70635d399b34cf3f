//! The cluster that `glasshive curl` talks to, and the file that keeps it from call to call.
//!
//! Each command replays what was done before and goes on, so a session is plain data: a scenario with its log of calls and
//! faults, and how far it was played. It has no client load.

use super::fault::{self, Fault, FaultKind, FaultTarget};
use super::invalid::Invalid;
use super::options::Options;
use super::presets;
use super::run::Run;
use super::scenario::{Action, HORIZON_MAX, Scenario};
use crate::kernel::{Duration, Instant};
use crate::substrate::http::{HttpError, Request, Response};
use serde_json::Value;
use std::collections::BTreeMap;

/// A fresh cluster is called when everything has registered.
const FRESH_AT: Instant = Instant::from_millis(1000);
/// The field that a session's file has besides a scenario's.
const PLAYED: &str = "played_ns";

/// What a session file holds: each call replays it and goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Preset, seed, settings, faults, and the calls so far.
    pub scenario: Scenario,
    /// How far the run was played, in nanoseconds.
    pub played_ns: u64,
}

impl Session {
    /// Whether a file is a session's, and no other scenario.
    pub fn is_one(text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|value: Value| value.get(PLAYED).is_some())
    }

    /// Reads a file.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let wrong = |value: &str| Invalid::new("session", value, "a file that --session wrote");
        let mut value: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        let played = value.as_object_mut().and_then(|fields| fields.remove(PLAYED));
        let played_ns = played.as_ref().and_then(Value::as_u64);
        let played_ns =
            played_ns.ok_or_else(|| wrong(&format!("{PLAYED} {}", played.unwrap_or_default())))?;
        Ok(Session { scenario: Scenario::from_json(&value.to_string())?, played_ns })
    }

    /// The file: a scenario, which `glasshive run --scenario` plays, and how far it was played.
    pub fn to_json(&self) -> String {
        // Plain data cannot fail to be JSON.
        let mut value = serde_json::to_value(&self.scenario).unwrap_or_default();
        value[PLAYED] = self.played_ns.into();
        serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
    }

    /// The scenario that plays what the session did, to the moment that it has come to.
    pub fn as_played(&self) -> Scenario {
        let played = Duration::from_nanos(self.played_ns);
        Scenario { horizon: Some(played.to_string()), ..self.scenario.clone() }
    }

    /// Refuses what contradicts what the session was begun with: the error says both.
    pub fn agree(
        &self,
        preset: Option<&str>,
        seed: Option<u64>,
        set: &BTreeMap<String, Value>,
    ) -> Result<(), Invalid> {
        let own = &self.scenario;
        let differs = |field: &str, wished: &str, own: &str| {
            Err(Invalid::new(field, wished, &format!("{own}, with which this session was begun, or nothing")))
        };
        match (preset, seed) {
            (Some(preset), _) if preset != own.preset => return differs("preset", preset, &own.preset),
            (_, Some(seed)) if seed != own.seed => {
                return differs("seed", &seed.to_string(), &own.seed.to_string());
            }
            _ => {}
        }
        let settings = |set: &BTreeMap<String, Value>| {
            let mut scenario = Scenario::preset(&own.preset, own.seed);
            scenario.set = own.set.clone();
            scenario.set.extend(set.clone());
            Run::new(&scenario, Options::default()).map(|run| run.settings().clone())
        };
        for (wished, own) in settings(set)?.iter().zip(&*settings(&BTreeMap::new())?) {
            if wished.value != own.value {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                return differs(wished.key, &text(&wished.value), &text(&own.value));
            }
        }
        Ok(())
    }
}

/// A cluster that a person calls: no client load, and no faults unless the scenario has its own.
pub struct Cluster {
    run: Run,
}

/// Without the system's own clients.
fn options() -> Options {
    Options { client: false, ..Options::default() }
}

impl Cluster {
    /// A fresh one, at one second of virtual time.
    pub fn fresh(mut scenario: Scenario) -> Result<Self, Invalid> {
        scenario.faults.get_or_insert_default();
        if presets::find(&scenario.preset).is_some_and(|preset| preset.horizon.is_none()) {
            // A person may wait.
            scenario.horizon.get_or_insert_with(|| HORIZON_MAX.to_string());
        }
        Self::played(&scenario, FRESH_AT)
    }

    /// The one that a session left.
    pub fn resume(session: &Session) -> Result<Self, Invalid> {
        Self::played(&session.scenario, Instant::from_nanos(session.played_ns))
    }

    fn played(scenario: &Scenario, until: Instant) -> Result<Self, Invalid> {
        let mut run = Run::new(scenario, options())?;
        run.run_until(until);
        Ok(Cluster { run })
    }

    /// Adds faults: those without a start at once, the others at their instants.
    pub fn add_faults(&mut self, spec: &str) -> Result<(), Invalid> {
        let mut faults = fault::parse_list(spec)?;
        let now = self.run.now();
        let next = Instant::from_millis(now.as_nanos() / 1_000_000 + 1);
        for fault in faults.iter_mut().filter(|fault| fault.kind == FaultKind::Start) {
            let is_there =
                matches!(&fault.target, FaultTarget::Node(name) if self.run.net().find(name).is_some());
            match is_there {
                // Who joins has to be planned for.
                false => fault.start = fault.start.or(Some(next)),
                true if fault.start.is_some() => {
                    let allowed = "a node that is not there yet; restart starts one that was";
                    return Err(Invalid::new("faults", &fault.to_string(), allowed));
                }
                true => {}
            }
        }
        let early = |fault: &&Fault| fault.start.is_some_and(|start| start <= now);
        if let Some(fault) = faults.iter().find(early) {
            let allowed =
                format!("a start after {}, which this cluster has come to", now.since(Instant::ZERO));
            return Err(Invalid::new("faults", &fault.to_string(), &allowed));
        }
        let (planned, at_once): (Vec<Fault>, Vec<Fault>) =
            faults.into_iter().partition(|fault| fault.start.is_some());
        if !planned.is_empty() {
            let mut scenario = self.run.scenario().clone();
            let own = fault::parse_list(scenario.own.as_deref().unwrap_or_default())?;
            scenario.own = Some(fault::format_list(own.iter().chain(&planned)));
            *self = Self::played(&scenario, now)?;
        }
        for fault in at_once {
            let act = Action::Fault { at_ms: self.run.next_ms(), fault: fault.to_string() };
            match self.run.with_room(&act)? {
                // More than there are nodes for: the same cluster, with room for them.
                Some(scenario) => *self = Self::played(&scenario, act.at())?,
                None => drop(self.run.act(act)?),
            }
        }
        Ok(())
    }

    /// Lets virtual time pass.
    pub fn wait(&mut self, span: Duration) -> Result<(), Invalid> {
        let until = self.run.now() + span;
        if until > self.run.horizon() {
            let left = self.run.horizon().since(self.run.now());
            return Err(Invalid::new(
                "wait",
                &span.to_string(),
                &format!("at most {left}, which are left to this session"),
            ));
        }
        self.run.run_until(until);
        self.run.check_passing()
    }

    /// Sends a request from the console and plays on until it is answered, or nobody waits any more; with how long that took.
    pub fn call(
        &mut self,
        request: &Request,
        patience: Option<Duration>,
    ) -> Result<(Result<Response, HttpError>, Duration), Invalid> {
        let act = self.run.call(request)?;
        let give_up = patience.map_or(self.run.horizon(), |patience| act.at + patience);
        loop {
            if let Some((at, answer)) = self.run.answer(act.index) {
                return Ok((answer, at.since(act.at)));
            }
            if !self.run.run_instant(give_up) {
                self.run.check_passing()?;
                if let Some(patience) = patience.filter(|_| give_up <= self.run.horizon()) {
                    self.run.run_until(give_up);
                    return Ok((Err(HttpError::TimedOut(patience)), patience));
                }
                let horizon = format!("{}", self.run.horizon().since(Instant::ZERO));
                return Err(Invalid::new("horizon", &horizon, "enough virtual time left to get an answer"));
            }
        }
    }

    /// What to save for the next call.
    pub fn session(&self) -> Session {
        Session { scenario: self.run.scenario().clone(), played_ns: self.run.now().as_nanos() }
    }
}
