//! Where a person sends the player, and what a person does to its run.

use super::{Goal, Left, Player, PlayerState, Seek, options, play};
#[cfg(feature = "workbench")]
use crate::app::command::Outcome;
use crate::app::session::history::{LeftAt, Place};
use crate::kernel::{Duration, Instant};
use crate::lab::fault::{Fault, FaultKind, FaultTarget};
use crate::lab::{ActedAt, Action, Axis, CALL_LIMIT, Invalid, Run, Scenario};
use crate::substrate::decimal::plain;
use crate::substrate::http::Request;
use serde_json::Value;

/// The speeds that can be asked for.
const SPEED_MIN: f64 = 0.1;
const SPEED_MAX: f64 = 1000.0;
/// No more calls are made at once.
const CALLS_MAX: u32 = 100;
/// How far the next request is looked for.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long a replay can tell how much longer it will take, in milliseconds.
const TELLING_MS: f64 = 500.0;
/// The node of every system that makes its load.
const CLIENT: &str = "client";

impl Player {
    // --- moving -----------------------------------------------------------------------------------------------

    /// Lets time pass. A run that has ended is played from its start.
    pub fn play(&mut self) -> Result<(), Invalid> {
        if self.seek.is_none() && self.has_ended() {
            self.seek(Axis::opening(&self.run).from)?;
        }
        self.set_playing(true);
        Ok(())
    }

    /// Stops time. A replay that is under way ends where it is: that is the present moment then.
    pub fn pause(&mut self) {
        self.arrive();
        self.set_playing(false);
    }

    fn set_playing(&mut self, playing: bool) {
        self.playing = playing;
        self.target = self.run.now();
        self.reached = self.speed;
    }

    pub(super) fn arrive(&mut self) {
        self.seek = None;
        self.target = self.run.now();
    }

    /// Pauses, and plays the next event and its instant to the end. False at the horizon.
    pub fn step(&mut self) -> bool {
        self.pause();
        self.run.step()
    }

    /// Goes to an instant, forward or back; frames bring it there. What was playing plays on afterwards.
    pub fn seek(&mut self, target: Instant) -> Result<(), Invalid> {
        let target = target.min(self.run.horizon());
        if target < self.run.now() {
            let parked = self.parked.take().filter(|parked| parked.now() <= target);
            let earlier = match parked {
                Some(parked) => parked,
                None => Run::new(self.run.scenario(), options())?,
            };
            let furthest = std::mem::replace(&mut self.run, earlier);
            if self.ahead.as_ref().is_none_or(|ahead| ahead.now() < furthest.now()) {
                self.ahead = Some(furthest);
            }
        } else if let Some(ahead) = self.ahead.take_if(|ahead| ahead.now() <= target) {
            self.run = ahead;
        }
        self.set_out(target, Goal::Instant);
        Ok(())
    }

    /// Goes to an instant at once, however long that takes.
    pub(in crate::app::session) fn be_at(&mut self, target: Instant) -> Result<(), Invalid> {
        self.seek(target)?;
        self.play_to(target, Goal::Instant, &mut || true);
        self.arrive();
        Ok(())
    }

    /// Goes on to the moment when a client wants the next request; not further than patience reaches.
    pub fn next_request(&mut self) -> Result<(), Invalid> {
        let net = self.run.net();
        if net.find(CLIENT).is_some_and(|client| !net.is_up(client)) && !self.run.has_plans() {
            return Err(Invalid {
                field: "next request".to_owned(),
                value: "waiting for a client that is down for good".to_owned(),
                allowed: "restarting it first".to_owned(),
            });
        }
        self.set_out(self.run.now() + PATIENCE, Goal::Requests(self.run.system().begun() + 1));
        Ok(())
    }

    /// Pauses, and goes back to the instant of the event before the last: a step from there comes back here.
    pub fn step_back(&mut self) -> Result<(), Invalid> {
        let before = {
            let trace = self.run.trace();
            let last = trace.records().next_back().map(|record| record.at);
            trace.records().rev().map(|record| record.at).find(|&at| Some(at) < last)
        };
        self.pause();
        self.seek(before.unwrap_or(Instant::ZERO))
    }

    /// Sets a parameter, to the shipped scenario's if it is null. The run starts over with it, with the same draws wherever it does not matter, and is
    /// replayed to this moment.
    pub fn set(&mut self, key: &str, value: Value) -> Result<(), Invalid> {
        let mut scenario = self.run.scenario().clone();
        if value.is_null() {
            scenario.set.remove(key);
        } else {
            scenario.set.insert(key.to_owned(), value);
        }
        self.start_over(&scenario)
    }

    /// Plays the same scenario with another seed, to this moment.
    pub fn set_seed(&mut self, seed: u64) -> Result<(), Invalid> {
        let scenario = Scenario { seed, ..self.run.scenario().clone() };
        self.start_over(&scenario)
    }

    fn start_over(&mut self, scenario: &Scenario) -> Result<(), Invalid> {
        let now = self.landing().unwrap_or(self.run.now());
        self.run = Run::new(scenario, options())?;
        (self.parked, self.ahead, self.left) = (None, None, None);
        self.seen = None;
        self.set_out(now, Goal::Instant);
        Ok(())
    }

    /// Goes over to a scenario whose run differs from an instant on, and is replayed to this moment. What lies before what is
    /// known was the past: it is kept, as far as it was known. What is changed on and on keeps what was left first.
    pub(in crate::app::session) fn change(
        &mut self,
        (scenario, from): (Scenario, Instant),
        goes_on: bool,
    ) -> Result<(), Invalid> {
        let now = self.landing().unwrap_or(self.run.now());
        let old = std::mem::replace(&mut self.run, Run::new(&scenario, options())?);
        let ahead = self.ahead.take().filter(|ahead| ahead.now() > old.now());
        if !goes_on {
            let left = Left::new(ahead.unwrap_or(old), from);
            if left.is_known() || self.left().is_none() {
                self.left = Some(left);
            }
        } else if let Some(left) = &mut self.left {
            left.at = left.at.min(from);
        }
        (self.parked, self.seen) = (None, None);
        self.set_out(now, Goal::Instant);
        Ok(())
    }

    /// Goes to a moment of this scenario or another one. One that was left is on the way there, or is left again.
    pub(in crate::app::session) fn return_to(&mut self, place: &Place, again: bool) -> Result<(), Invalid> {
        self.run = Run::new(&place.scenario, options())?;
        let was_ahead = self.ahead.take();
        let left = self.left.take();
        if again {
            let act = || place.scenario.actions.last().map_or(place.at(), Action::at);
            let at = place.left_ns.map_or_else(act, Instant::from_nanos);
            self.left = was_ahead.filter(|run| run.now() > at).map(|run| Left::new(run, at));
        } else if let Some(left) = left.filter(|left| *left.run.scenario() == place.scenario) {
            self.ahead = Some(left.run);
        }
        self.parked = None;
        self.seen = None;
        self.end = Instant::from_nanos(place.end_ns);
        self.arrive();
        if self.run.events() != place.events {
            self.set_out(place.at(), Goal::Instant);
        }
        Ok(())
    }

    /// Forgets the future that an act in the past has left.
    pub(in crate::app::session) fn drop_left(&mut self) {
        self.left = None;
    }

    /// Plays towards a moment of a scenario, as far as `has_time` allows, and from its start if that moment does not lie ahead;
    /// true when it is there.
    pub(in crate::app::session) fn follow(
        &mut self,
        scenario: &Scenario,
        to: Instant,
        mut has_time: impl FnMut() -> bool,
    ) -> Result<bool, Invalid> {
        if self.run.scenario() != scenario || self.run.now() > to {
            self.run = Run::new(scenario, options())?;
            self.seen = None;
        }
        Ok(self.play_to(to, Goal::Instant, &mut has_time))
    }

    /// Plays towards the future that was left, likewise.
    pub(in crate::app::session) fn follow_left(
        &mut self,
        to: Option<&LeftAt>,
        mut has_time: impl FnMut() -> bool,
    ) -> Result<bool, Invalid> {
        if self.left.as_ref().map(Left::to_data).as_ref() != to {
            self.left = to.map(LeftAt::begin).transpose()?;
        }
        Ok(self.left.as_mut().is_none_or(|left| play(&mut left.run, left.until, &mut has_time, |_| false)))
    }

    /// Takes what was sought for the present moment, to go on from it as another player did.
    pub(in crate::app::session) fn settle(
        &mut self,
        playing: bool,
        speed: f64,
        end: Instant,
    ) -> Result<(), Invalid> {
        self.arrive();
        self.set_speed(speed)?;
        self.set_playing(playing);
        self.set_end(end);
        Ok(())
    }

    fn set_out(&mut self, target: Instant, goal: Goal) {
        let target = target.min(self.run.horizon());
        self.seek = Some(Seek { from: self.run.now(), spent_ms: 0.0, target, goal });
    }

    /// Where a replay that is under way arrives, if that is known.
    pub(in crate::app::session) fn landing(&self) -> Option<Instant> {
        self.seek.filter(|seek| matches!(seek.goal, Goal::Instant)).map(|seek| seek.target)
    }

    /// How many requests there are to be when a replay for the next one arrives.
    pub(in crate::app::session) fn awaited(&self) -> Option<u64> {
        match self.seek?.goal {
            Goal::Requests(count) => Some(count),
            Goal::Instant | Goal::Answers(..) => None,
        }
    }

    /// How far a seek has come, 0 … 1; `None` when there is none.
    pub fn progress(&self) -> Option<f64> {
        let seek = self.seek?;
        let (done, all) = (self.run.now().since(seek.from), seek.target.since(seek.from));
        Some(if all == Duration::ZERO { 1.0 } else { done.as_secs_f64() / all.as_secs_f64() })
    }

    /// How much longer a replay will take, in milliseconds of wall time, once it has gone on for long enough to tell.
    pub fn left_ms(&self) -> Option<f64> {
        let (Seek { spent_ms, .. }, done) = (self.seek?, self.progress()?);
        (spent_ms >= TELLING_MS && done > 0.0).then(|| spent_ms * (1.0 - done) / done)
    }

    /// Sets how many virtual milliseconds pass per millisecond of wall time, within ×0.1 … ×1000.
    pub fn set_speed(&mut self, speed: f64) -> Result<(), Invalid> {
        if !(SPEED_MIN..=SPEED_MAX).contains(&speed) {
            return Err(Invalid {
                field: "speed".to_owned(),
                value: plain(speed),
                allowed: format!("a number from {} to {}", plain(SPEED_MIN), plain(SPEED_MAX)),
            });
        }
        self.speed = speed;
        self.reached = speed;
        Ok(())
    }

    // --- acting -----------------------------------------------------------------------------------------------

    /// A fault from the next whole millisecond on, such as `crash:w-04`; time moves there.
    pub fn fault(&mut self, spec: &str) -> Result<ActedAt, Invalid> {
        self.act(|run| run.inject(spec))
    }

    /// A scaling from the next whole millisecond on; time moves there. Where there are not nodes for as many, the run has room for
    /// them from its start and is replayed to that moment.
    #[cfg(feature = "workbench")]
    pub fn scale(&mut self, scaling: Action) -> Result<Outcome, Invalid> {
        let Some(scenario) = self.run.with_room(&scaling)? else {
            return self.act(|run| run.act(scaling)).map(Outcome::Acted);
        };
        let at = scaling.at();
        self.change((scenario, at), false)?;
        self.set_out(at, Goal::Instant);
        Ok(Outcome::SetOut)
    }

    /// Breaks a node in one way, or mends it if it is broken in that way; time moves to the next millisecond.
    pub fn toggle(&mut self, kind: FaultKind, node: &str) -> Result<ActedAt, Invalid> {
        let spec = format!("{}:{node}", kind.name());
        let holds = holding(&self.run, kind, node);
        let is_down = self.run.net().find(node).is_some_and(|id| !self.run.net().is_up(id));
        self.act(|run| match holds {
            _ if kind == FaultKind::Crash && is_down => run.inject(&format!("restart:{node}")),
            Some(fault) if kind != FaultKind::Crash => run.lift(fault),
            _ => run.inject(&spec),
        })
    }

    /// Ends a fault that holds, by its place among all of them.
    pub fn lift(&mut self, fault: usize) -> Result<ActedAt, Invalid> {
        self.act(|run| run.lift(fault))
    }

    /// Calls the simulated API so many times, a millisecond apart; while time stands still, it passes until all are answered,
    /// and stands again. Tells of the first call.
    pub fn call(&mut self, request: &Request, times: u32) -> Result<ActedAt, Invalid> {
        let stands = self.state() != PlayerState::Running;
        let acted = self.act(|run| {
            let first = run.call(request)?;
            // Where there is no room for another one it is as many as there were.
            let _ = (1..times.min(CALLS_MAX)).try_for_each(|_| run.call(request).map(drop));
            Ok(first)
        })?;
        if stands {
            self.set_playing(false);
            let last = self.run.scenario().actions.len() - 1;
            self.set_out(self.run.now() + CALL_LIMIT, Goal::Answers(acted.index, last));
        }
        Ok(acted)
    }

    /// In the past of a scaling the run has nodes of which nothing is known yet, and which an act is to do without. Returns the run
    /// as it was.
    #[cfg(feature = "workbench")]
    fn forget_room(&mut self) -> Result<Option<Run>, Invalid> {
        let Some(scenario) = self.run.without_room() else { return Ok(None) };
        let mut run = Run::new(&scenario, options())?;
        if self.run.events() > 0 {
            run.run_until(self.run.now());
        }
        self.seen = None;
        Ok(Some(std::mem::replace(&mut self.run, run)))
    }

    fn act(&mut self, act: impl FnOnce(&mut Run) -> Result<ActedAt, Invalid>) -> Result<ActedAt, Invalid> {
        #[cfg(feature = "workbench")]
        let later = self.forget_room()?;
        let acted = act(&mut self.run);
        #[cfg(feature = "workbench")]
        match (&acted, later) {
            (Err(_), Some(later)) => self.run = later,
            // It has those nodes, too.
            (Ok(_), Some(_)) => self.parked = None,
            (_, None) => {}
        }
        let acted = acted?;
        self.arrive();
        // Both futures are kept: the one that was known before stays as it was.
        if let Some(run) = self.ahead.take().filter(|ahead| ahead.now() > acted.at) {
            self.left = Some(Left::new(run, acted.at));
        }
        // What was done is done in the parked run's future, too.
        let actions = &self.run.scenario().actions;
        self.parked.take_if(|parked| !parked.adopt(actions));
        Ok(acted)
    }
}

impl Left {
    fn new(run: Run, at: Instant) -> Self {
        Left { until: run.now(), run, at }
    }

    /// Whether it was known beyond where it was left.
    pub(super) fn is_known(&self) -> bool {
        self.at < self.until
    }

    /// The same as plain data.
    pub(in crate::app::session) fn to_data(&self) -> LeftAt {
        let (at_ns, until_ns) = (self.at.as_nanos(), self.until.as_nanos());
        LeftAt { scenario: self.run.scenario().clone(), at_ns, until_ns }
    }
}

impl LeftAt {
    /// The run from its start.
    fn begin(&self) -> Result<Left, Invalid> {
        let run = Run::new(&self.scenario, options())?;
        Ok(Left { run, at: Instant::from_nanos(self.at_ns), until: Instant::from_nanos(self.until_ns) })
    }
}

/// The newest fault of a kind that holds at a node now.
fn holding(run: &Run, kind: FaultKind, node: &str) -> Option<usize> {
    let now = run.now();
    let holds = |fault: &Fault| {
        fault.kind == kind
            && fault.target == FaultTarget::Node(node.to_owned())
            && fault.start.is_none_or(|start| start <= now)
            && fault.end.is_none_or(|end| end > now)
    };
    run.faults().enumerate().filter(|(_, fault)| holds(fault)).map(|(index, _)| index).last()
}
