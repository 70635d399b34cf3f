//! A run: a scenario being played.
//!
//! A run is a pure function of its scenario: which instants it is stopped at on the way, how often and for how long,
//! makes no difference. What is to happen at an instant (a fault begins or ends, a person acts) is applied before
//! the simulation's own events of that instant.

mod faults;

use super::fault::Fault;
use super::invalid::Invalid;
use super::options::Options;
use super::params::Setting;
use super::scenario::{ACTIONS_MAX, Action, Checked, Scenario};
use super::system::System;
use crate::kernel::{Busy, Duration, Instant, Scope, Sim, Stuck};
use crate::net::{Net, NodeId, RuleId};
use crate::substrate::http::{HttpError, Method, Request, Response, Url};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A run stops when it has this many events: far more than a day of any shipped scenario.
pub const EVENTS_MAX: u64 = 200_000_000;
/// One instant may have this many polls of tasks, and so many more for each node …
pub const POLLS_MAX: u64 = 2_000_000;
/// … which all may have a crowd to start or to answer at once.
const POLLS_MAX_PER_NODE: u64 = 200;
/// How long the console waits for an answer of the simulated API.
pub const CALL_LIMIT: Duration = Duration::from_secs(90);

/// The knob that a fault of the kind `lie` turns.
const LIE: &str = "lie";

/// What is to happen at an instant.
enum Op {
    Begin(usize),
    End(usize),
    Call(usize, Request),
}

/// The answers that the console got, by the action's place in the log.
type Answers = Rc<RefCell<BTreeMap<usize, (Instant, Result<Response, HttpError>)>>>;

/// A fault with its target found: which nodes, and what must be lifted at its end.
struct Running {
    fault: Fault,
    nodes: Vec<NodeId>,
    rules: Vec<RuleId>,
}

/// When an act takes effect, and its place in the action log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActedAt {
    /// The next whole millisecond.
    pub at: Instant,
    /// Its index in [`Scenario::actions`].
    pub index: usize,
}

/// A scenario being played.
pub struct Run {
    scenario: Scenario,
    options: Options,
    sim: Sim,
    net: Net,
    system: Box<dyn System>,
    settings: Rc<[Setting]>,
    faults: Vec<Running>,
    /// The lies that hold, in the order in which they began; the last one about a worker counts.
    lies: Vec<usize>,
    /// Who lies for other reasons than a fault.
    born_liars: BTreeMap<NodeId, f64>,
    /// What is still to happen, by instant and then by the order in which it was said.
    agenda: BTreeMap<(Instant, u64), Op>,
    said: u64,
    answers: Answers,
    horizon: Instant,
}

impl Run {
    /// Checks a scenario and builds its run at virtual zero.
    pub fn new(scenario: &Scenario, options: Options) -> Result<Self, Invalid> {
        let Checked { settings, faults, faults_are_own, horizon } = scenario.check()?;
        let mut sim = Sim::new(scenario.seed, options.sink);
        let net = Net::new(&sim.ctx(), options.observed);
        let system = settings.start(&net, &options);
        sim.limit_polls(POLLS_MAX + POLLS_MAX_PER_NODE * net.nodes().count() as u64);
        let born_liars = system.knob(LIE).map_or_else(BTreeMap::new, |lie| {
            lie.nodes().iter().filter_map(|&node| Some((node, lie.get(node)?))).collect()
        });
        let mut run = Run {
            scenario: scenario.clone(),
            options,
            sim,
            net,
            settings: system.settings().into(),
            system,
            faults: Vec::new(),
            lies: Vec::new(),
            born_liars,
            agenda: BTreeMap::new(),
            said: 0,
            answers: Answers::default(),
            horizon: Instant::ZERO + horizon,
        };
        for fault in faults {
            let planned = run.plan_fault(fault);
            if faults_are_own {
                planned?;
            }
        }
        for (index, action) in scenario.actions.iter().enumerate() {
            run.plan_action(index, action)?;
        }
        Ok(run)
    }

    // --- time -------------------------------------------------------------------------------------------------

    /// Plays everything up to and including `limit`, or the horizon if that is earlier.
    pub fn run_until(&mut self, limit: Instant) {
        let limit = limit.min(self.horizon);
        while self.run_instant(limit) {}
        if !self.is_stopped() && self.now() < limit {
            self.sim.run_until(limit);
        }
    }

    /// Plays the next instant at which anything happens, if it is not later than `limit` and the horizon.
    pub fn run_instant(&mut self, limit: Instant) -> bool {
        let limit = limit.min(self.horizon);
        if self.is_stopped() {
            return false;
        }
        let Some((&(at, _), _)) = self.agenda.first_key_value().filter(|((at, _), _)| *at <= limit) else {
            return self.sim.run_instant(limit);
        };
        if at > self.now() && self.sim.run_instant(at - Duration::from_nanos(1)) {
            return true;
        }
        if self.is_stopped() {
            return false;
        }
        self.sim.skip_to(at);
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 == at) {
            let op = entry.remove();
            self.apply(op);
        }
        self.sim.run_until(at);
        !self.is_stopped()
    }

    /// Plays until at least one more event has happened, and that instant to its end. False at the horizon.
    pub fn step(&mut self) -> bool {
        let before = self.events();
        while self.events() == before {
            if !self.run_instant(self.horizon) {
                self.run_until(self.horizon);
                return false;
            }
        }
        true
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.sim.now()
    }

    /// Where the run pauses for good.
    pub fn horizon(&self) -> Instant {
        self.horizon
    }

    /// True when the run has as many events as a run may have; it then stands still.
    pub fn is_exhausted(&self) -> bool {
        self.events() >= EVENTS_MAX
    }

    /// Why virtual time does not pass any more: one instant had more polls than an instant may have, since what takes no
    /// time follows from itself.
    pub fn stuck(&self) -> Option<String> {
        let Stuck { at, polls, busiest } = self.sim.stuck()?;
        let who = |busy: &Busy| {
            let node = match busy.scope {
                Scope(0) => "the network".into(),
                Scope(node) => self.net.name(NodeId(node)),
            };
            let Busy { polls, spawned_at, .. } = busy;
            format!("{node} ({polls}, {}:{})", spawned_at.file(), spawned_at.line())
        };
        let (at, busiest) = (at.since(Instant::ZERO), busiest.iter().map(who).collect::<Vec<_>>().join(", "));
        Some(format!(
            "virtual time stands still at {at}: work that takes no time has no end. \
             Tasks were polled {polls} times in this instant, most of all those of {busiest}"
        ))
    }

    /// Why the run stands still before its horizon, if it does.
    pub fn stopped(&self) -> Option<String> {
        let exhausted = || format!("the run has {EVENTS_MAX} events, as many as a run may have");
        self.stuck().or_else(|| self.is_exhausted().then(exhausted))
    }

    /// Refuses what would need virtual time that does not pass.
    pub(super) fn check_passing(&self) -> Result<(), Invalid> {
        let refuse = |why: String| Err(Invalid::new("time", "an instant that never comes", &why));
        self.stopped().map_or(Ok(()), refuse)
    }

    fn is_stopped(&self) -> bool {
        self.sim.stuck().is_some() || self.is_exhausted()
    }

    // --- what a person does -----------------------------------------------------------------------------------

    /// A fault from the next whole millisecond on. The run is played to that instant.
    pub fn inject(&mut self, spec: &str) -> Result<ActedAt, Invalid> {
        let at_ms = self.next_ms();
        self.act(Action::Fault { at_ms, fault: spec.to_owned() })
    }

    /// Ends a fault that holds, by its place in [`faults`](Self::faults), at the next whole millisecond.
    pub fn lift(&mut self, fault: usize) -> Result<ActedAt, Invalid> {
        let at_ms = self.next_ms();
        self.act(Action::Lift { at_ms, fault })
    }

    /// Calls the simulated API at the next whole millisecond. The run is played to that instant.
    pub fn call(&mut self, request: &Request) -> Result<ActedAt, Invalid> {
        let url = &request.url;
        let query = if url.query.is_empty() { String::new() } else { format!("?{}", url.query) };
        self.act(Action::Call {
            at_ms: self.next_ms(),
            method: request.method.as_str().to_owned(),
            url: format!("http://{}{}{query}", url.authority, url.path),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            body: String::from_utf8_lossy(request.body.bytes()).into_owned(),
        })
    }

    /// The answer to a call, once there is one, and when it came.
    pub fn answer(&self, index: usize) -> Option<(Instant, Result<Response, HttpError>)> {
        self.answers.borrow().get(&index).cloned()
    }

    fn act(&mut self, action: Action) -> Result<ActedAt, Invalid> {
        let (at, now) = (action.at(), self.now());
        self.check_passing()?;
        if at > self.horizon {
            let allowed = format!("an instant before the horizon of {}", self.horizon.since(Instant::ZERO));
            return Err(Invalid::new("at_ms", &format!("{}", at.as_millis_f64()), &allowed));
        }
        let index = self.scenario.actions.partition_point(|other| other.at() <= now);
        if index >= ACTIONS_MAX {
            return Err(Invalid::new(
                "actions",
                &(index + 1).to_string(),
                &format!("at most {ACTIONS_MAX} of them"),
            ));
        }
        if index < self.scenario.actions.len() {
            // What was done later in this run's old future is not part of the one that begins here.
            let mut scenario = self.scenario.clone();
            scenario.actions.truncate(index);
            let mut run = Run::new(&scenario, self.options.clone())?;
            run.run_until(now);
            run.plan_action(index, &action)?;
            // Only now, so that an act that is not allowed changes nothing.
            *self = run;
        } else {
            self.plan_action(index, &action)?;
        }
        self.scenario.actions.push(action);
        self.run_until(at);
        Ok(ActedAt { at, index })
    }

    /// Strictly after now: the events of this instant may have happened.
    fn next_ms(&self) -> u64 {
        self.now().as_nanos() / 1_000_000 + 1
    }

    fn plan_action(&mut self, index: usize, action: &Action) -> Result<(), Invalid> {
        match action {
            Action::Fault { fault, .. } => {
                let mut fault: Fault = fault.parse()?;
                fault.start = Some(action.at());
                if fault.end.is_some_and(|end| end <= action.at()) {
                    return Err(Invalid::new("faults", &fault.to_string(), "an end after the start"));
                }
                self.plan_fault(fault)
            }
            Action::Lift { fault, .. } => {
                let (at, faults) = (action.at(), self.faults.len());
                // Told by the instants alone: in a replay nothing has begun or ended yet.
                let holds = |fault: &Fault| {
                    fault.start.unwrap_or(Instant::ZERO) <= at && fault.end.is_none_or(|end| end > at)
                };
                let running = self.faults.get_mut(*fault).filter(|running| holds(&running.fault));
                let running = running.ok_or_else(|| {
                    let allowed = format!("the number of one of the run's {faults} faults, one that holds");
                    Invalid::new("fault", &fault.to_string(), &allowed)
                })?;
                running.fault.end = Some(at);
                self.agenda.retain(|_, op| !matches!(op, Op::End(index) if index == fault));
                self.plan(action.at(), Op::End(*fault));
                Ok(())
            }
            Action::Call { method, url, headers, body, .. } => {
                let url: Url = url.parse().map_err(|_| {
                    Invalid::new("url", url, "an http URL such as http://localhost:8080/request")
                })?;
                let request = Request {
                    method: Method::from(method.as_str()),
                    url,
                    headers: headers.iter().map(|(name, value)| (name.into(), value.into())).collect(),
                    body: body.clone().into(),
                };
                self.plan(action.at(), Op::Call(index, request));
                Ok(())
            }
        }
    }

    fn plan(&mut self, at: Instant, op: Op) {
        self.said += 1;
        self.agenda.insert((at, self.said), op);
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Begin(index) => self.begin(index),
            Op::End(index) => self.end(index),
            Op::Call(index, request) => {
                let (answers, ctx) = (Rc::clone(&self.answers), self.sim.ctx());
                let done = move |answer| {
                    answers.borrow_mut().insert(index, (ctx.now(), answer));
                };
                self.system.call(request, CALL_LIMIT, Box::new(done));
            }
        }
    }

    // --- what can be seen -------------------------------------------------------------------------------------

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.sim.trace().count()
    }

    /// The hash over all events, as 16 hexadecimal digits.
    pub fn trace_hash(&self) -> String {
        format!("{:016x}", self.sim.trace().hash())
    }

    /// The records kept.
    pub fn trace(&self) -> std::cell::Ref<'_, crate::kernel::Trace> {
        self.sim.trace()
    }

    /// The scenario, with what was done so far in its action log.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// All faults, scheduled ones first, then those by hand.
    pub fn faults(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.faults.iter().map(|running| &running.fault)
    }

    /// The nodes that a fault is about; for a link, its two ends.
    pub fn fault_nodes(&self, index: usize) -> &[NodeId] {
        self.faults.get(index).map_or(&[], |running| &running.nodes)
    }

    /// The network.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Every parameter as it is set.
    pub fn settings(&self) -> &Rc<[Setting]> {
        &self.settings
    }

    /// The system.
    pub fn system(&self) -> &dyn System {
        &*self.system
    }
}
