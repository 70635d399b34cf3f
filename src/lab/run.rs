//! A run: a scenario being played.
//!
//! A run is a pure function of its scenario: which instants it is stopped at on the way, how often and for how long,
//! makes no difference. What is to happen at an instant (a fault begins or ends, a person acts) is applied before
//! the simulation's own events of that instant.

mod acts;
mod edits;
mod faults;
mod receipts;
mod scaling;
mod spelled_out;

pub use acts::ActedAt;

use super::fault::Fault;
use super::invalid::Invalid;
use super::options::Options;
use super::params::Setting;
use super::scenario::{Checked, Scenario};
use super::system::System;
use crate::kernel::{Busy, Duration, Instant, Scope, Sim, SortedMap, Stuck};
use crate::net::{Net, NodeId, RuleId};
use crate::substrate::http::{HttpError, Request, Response};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
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
type Answers = Rc<RefCell<SortedMap<usize, (Instant, Result<Response, HttpError>)>>>;

/// A fault with its target found: which nodes, and what must be lifted at its end.
struct Running {
    fault: Fault,
    nodes: Vec<NodeId>,
    rules: Vec<RuleId>,
    /// Its end's place on the agenda, unless a person ends it before.
    planned_end: Option<Place>,
}

/// A place on the agenda: when, and which that was said for then.
type Place = (Instant, u64);

/// What stands on the agenda, with the earliest as the greatest.
struct Planned {
    place: Place,
    op: Op,
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        other.place.cmp(&self.place)
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Planned {}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

/// A scenario being played.
pub struct Run {
    scenario: Scenario,
    sim: Sim,
    net: Net,
    system: Box<dyn System>,
    settings: Rc<[Setting]>,
    faults: Vec<Running>,
    /// How many of them are the scenario's; a person's own come after them, those on schedule first.
    scheduled: usize,
    /// Faults of the shipped scenario that these settings have no room for, and why.
    left_out: Vec<(Fault, Invalid)>,
    /// The lies that hold, in the order in which they began; the last one about a worker counts.
    lies: Vec<usize>,
    /// Who lies for other reasons than a fault.
    born_liars: Vec<(NodeId, f64)>,
    /// How many instances there are to be.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    scaling: scaling::Scaling,
    /// What is still to happen, by instant and then by the order in which it was said.
    agenda: BinaryHeap<Planned>,
    said: u64,
    answers: Answers,
    horizon: Instant,
}

impl Run {
    /// Checks a scenario and builds its run at virtual zero.
    pub fn new(scenario: &Scenario, options: Options) -> Result<Self, Invalid> {
        let Checked { settings, faults, faults_are_own, own, horizon } = scenario.check()?;
        let mut settings = settings;
        #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
        let said = settings.all();
        settings.make_room(&mut faults.iter().chain(&own).chain(&scaling::acted(&scenario.actions)));
        let mut sim = Sim::new(scenario.seed, options.sink);
        let net = Net::new(&sim.ctx(), options.observed);
        let system = settings.start(&net, &options);
        sim.limit_polls(POLLS_MAX + POLLS_MAX_PER_NODE * net.nodes().count() as u64);
        let born_liars = system.knob(LIE).map_or_else(Vec::new, |lie| {
            lie.nodes().iter().filter_map(|&node| Some((node, lie.get(node)?))).collect()
        });
        let mut run = Run {
            scenario: scenario.clone(),
            sim,
            net,
            settings: system.settings().into(),
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            scaling: scaling::Scaling::new(&*system, &said),
            system,
            faults: Vec::new(),
            scheduled: 0,
            left_out: Vec::new(),
            lies: Vec::new(),
            born_liars,
            agenda: BinaryHeap::new(),
            said: 0,
            answers: Answers::default(),
            horizon: Instant::ZERO + horizon,
        };
        for fault in faults {
            match run.plan_fault(fault.clone()) {
                Err(invalid) if faults_are_own => return Err(invalid),
                Err(invalid) => run.left_out.push((fault, invalid)),
                Ok(_) => {}
            }
        }
        run.scheduled = run.faults.len();
        for fault in own {
            run.plan_fault(fault)?;
        }
        run.keep_out();
        for (index, action) in scenario.actions.iter().enumerate() {
            run.plan_action(index, action)?;
        }
        run.say_how_many();
        Ok(run)
    }

    // --- time -------------------------------------------------------------------------------------------------

    /// Plays everything up to and including `limit`, or the horizon if that is earlier.
    pub fn run_until(&mut self, limit: Instant) {
        let limit = limit.min(self.horizon);
        while !self.is_stopped() {
            let Some(at) = self.next_planned().filter(|at| *at <= limit) else {
                self.sim.run_until_records(limit, EVENTS_MAX);
                return;
            };
            if at > self.now() {
                self.sim.run_until_records(at - Duration::from_nanos(1), EVENTS_MAX);
            }
            if !self.is_stopped() {
                self.run_instant(at);
            }
        }
    }

    /// Plays the next instant at which anything happens, if it is not later than `limit` and the horizon.
    pub fn run_instant(&mut self, limit: Instant) -> bool {
        let limit = limit.min(self.horizon);
        if self.is_stopped() {
            return false;
        }
        let Some(at) = self.next_planned().filter(|at| *at <= limit) else {
            return self.sim.run_instant(limit);
        };
        if at > self.now() && self.sim.run_instant(at - Duration::from_nanos(1)) {
            return true;
        }
        if self.is_stopped() {
            return false;
        }
        self.sim.skip_to(at);
        while self.next_planned() == Some(at) {
            if let Some(Planned { op, .. }) = self.agenda.pop() {
                self.apply(op);
            }
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

    /// Whether a fault is still to begin or to end, or a call to be made.
    pub fn has_plans(&self) -> bool {
        !self.agenda.is_empty()
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

    // --- the agenda -------------------------------------------------------------------------------------------

    fn next_planned(&self) -> Option<Instant> {
        self.agenda.peek().map(|next| next.place.0)
    }

    fn plan(&mut self, at: Instant, op: Op) -> Place {
        self.said += 1;
        let place = (at, self.said);
        self.agenda.push(Planned { place, op });
        place
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

    /// All faults: the scenario's, then a person's own on schedule, then those by hand.
    pub fn faults(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.faults.iter().map(|running| &running.fault)
    }

    /// Whether a fault was brought by a person, by its place among all of them.
    pub fn is_by_hand(&self, index: usize) -> bool {
        index >= self.scheduled
    }

    /// The faults of the shipped scenario that these settings have no room for, such as one of a worker that is not there,
    /// and why.
    pub fn left_out(&self) -> &[(Fault, Invalid)] {
        &self.left_out
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
