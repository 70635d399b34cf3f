//! The player: plays a run at a speed, within a time budget per animation frame.
//!
//! It owns the run, outside whatever draws it. How a frame's budget falls, and so at which instants frames stop, makes
//! no difference to the run. Seeking back replays from the seed, in slices of a frame each.

use super::observe;
use super::snapshot::Snapshot;
use crate::kernel::{Duration, Instant, Sink};
use crate::lab::fault::{Fault, FaultKind, FaultTarget};
use crate::lab::oracle::tally::Summary;
use crate::lab::{ActedAt, Invalid, Options, Run, Scenario};
use serde_json::Value;

/// What the page keeps of the trace.
const RING: usize = 100_000;
/// Requests that the page keeps.
const KEEP: usize = 10_000;
/// A frame that comes later than this was not asked for: the tab was hidden, or the machine slept.
const FRAME_MS_MAX: f64 = 500.0;
/// How many instants are played between two looks at the clock.
const INSTANTS_PER_LOOK: u32 = 16;
/// How much the newest frame weighs in the speed that is shown as reached.
const REACHED_WEIGHT: f64 = 0.1;
/// The speeds that can be asked for.
const SPEED_MIN: f64 = 0.1;
const SPEED_MAX: f64 = 1000.0;

/// What the player is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayerState {
    /// Virtual time passes.
    Running,
    /// It stands still.
    Paused,
    /// It is on its way to an instant that was sought.
    Replaying,
}

impl PlayerState {
    /// Its name in the automation surface.
    pub const fn name(self) -> &'static str {
        match self {
            PlayerState::Running => "running",
            PlayerState::Paused => "paused",
            PlayerState::Replaying => "replaying",
        }
    }
}

/// Plays one scenario.
pub struct Player {
    run: Run,
    state: PlayerState,
    speed: f64,
    reached: f64,
    /// Virtual time that frames have asked for and not yet got, when a frame's share is less than an instant.
    target: Instant,
    seek: Option<Seek>,
    /// The figures and the number of requests they are of: they change only when a request does.
    summary: Summary,
    summarised_at: (u64, u64),
}

#[derive(Clone, Copy)]
struct Seek {
    target: Instant,
    /// Arrived, wherever that is, when the run has seen this many requests.
    requests: u64,
    then: PlayerState,
    from: Instant,
}

fn options() -> Options {
    Options { sink: Sink::Ring(RING), keep: KEEP, observed: true, ..Options::default() }
}

impl Player {
    /// A player at virtual zero, running.
    pub fn new(scenario: &Scenario, speed: f64) -> Result<Self, Invalid> {
        Ok(Player {
            run: Run::new(scenario, options())?,
            state: PlayerState::Running,
            speed,
            reached: speed,
            target: Instant::ZERO,
            seek: None,
            summary: Summary::default(),
            summarised_at: (0, 0),
        })
    }

    /// Plays one animation frame: `elapsed_ms` of wall time at the speed that is set, as far as `has_time` allows.
    /// Returns true when there is something new to draw.
    pub fn frame(&mut self, elapsed_ms: f64, mut has_time: impl FnMut() -> bool) -> bool {
        match (self.state, self.seek) {
            (PlayerState::Replaying, Some(seek)) => {
                if self.play_to(seek.target, seek.requests, &mut has_time) {
                    self.seek = None;
                    self.state = seek.then;
                    self.target = self.run.now();
                }
                true
            }
            (PlayerState::Running, _) => {
                let elapsed_ms = elapsed_ms.clamp(0.0, FRAME_MS_MAX);
                let before = self.run.now();
                self.target =
                    self.target.max(before) + Duration::from_secs_f64(elapsed_ms * self.speed / 1000.0);
                if !self.play_to(self.target, u64::MAX, &mut has_time) {
                    // The speed cannot be reached: what this frame did not get is not owed.
                    self.target = self.run.now();
                }
                self.note_speed(self.run.now().since(before), elapsed_ms);
                if self.run.now() >= self.run.horizon() || self.run.stopped().is_some() {
                    self.state = PlayerState::Paused;
                }
                true
            }
            (PlayerState::Paused | PlayerState::Replaying, _) => false,
        }
    }

    /// Plays towards an instant, or until there were so many requests; true when it arrived.
    fn play_to(&mut self, target: Instant, requests: u64, has_time: &mut impl FnMut() -> bool) -> bool {
        loop {
            for _ in 0..INSTANTS_PER_LOOK {
                if !self.run.run_instant(target) {
                    self.run.run_until(target);
                    return true;
                }
                if self.run.system().begun() >= requests {
                    return true;
                }
            }
            if !has_time() {
                return false;
            }
        }
    }

    fn note_speed(&mut self, played: Duration, elapsed_ms: f64) {
        if elapsed_ms > 0.0 {
            let reached = played.as_millis_f64() / elapsed_ms;
            self.reached += REACHED_WEIGHT * (reached - self.reached);
        }
    }

    /// Lets time pass, unless the run is at its horizon.
    pub fn play(&mut self) {
        self.settle(PlayerState::Running);
    }

    /// Stops time.
    pub fn pause(&mut self) {
        self.settle(PlayerState::Paused);
    }

    fn settle(&mut self, state: PlayerState) {
        match &mut self.seek {
            Some(seek) => seek.then = state,
            None => {
                self.state = state;
                self.target = self.run.now();
                self.reached = self.speed;
            }
        }
    }

    /// Pauses, and plays the next event and its instant to the end. False at the horizon.
    pub fn step(&mut self) -> bool {
        if self.seek.is_some() {
            return false;
        }
        self.pause();
        self.run.step()
    }

    /// Goes to an instant, forward or back; frames bring it there. What was playing plays on afterwards.
    pub fn seek(&mut self, target: Instant) -> Result<(), Invalid> {
        let target = target.min(self.run.horizon());
        if target < self.run.now() {
            self.run = Run::new(self.run.scenario(), options())?;
        }
        self.set_out(target, u64::MAX);
        Ok(())
    }

    /// Goes on to the moment when a client wants the next request.
    pub fn next_request(&mut self) -> Result<(), Invalid> {
        self.set_out(self.run.horizon(), self.run.system().begun() + 1);
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

    /// Sets a parameter. The run starts over with it, with the same draws wherever it does not matter, and is
    /// replayed to this moment.
    pub fn set(&mut self, key: &str, value: Value) -> Result<(), Invalid> {
        let mut scenario = self.run.scenario().clone();
        scenario.set.insert(key.to_owned(), value);
        self.start_over(&scenario)
    }

    /// Plays the same scenario with another seed, to this moment.
    pub fn set_seed(&mut self, seed: u64) -> Result<(), Invalid> {
        let scenario = Scenario { seed, ..self.run.scenario().clone() };
        self.start_over(&scenario)
    }

    fn start_over(&mut self, scenario: &Scenario) -> Result<(), Invalid> {
        let now = self.seek.map_or(self.run.now(), |seek| seek.target);
        self.run = Run::new(scenario, options())?;
        self.summarised_at = (0, 0);
        self.set_out(now.min(self.run.horizon()), u64::MAX);
        Ok(())
    }

    fn set_out(&mut self, target: Instant, requests: u64) {
        let then = self.seek.map_or(self.state, |seek| seek.then);
        self.seek = Some(Seek { target, requests, then, from: self.run.now() });
        self.state = PlayerState::Replaying;
    }

    /// How far a seek has come, 0 … 1; `None` when there is none.
    pub fn progress(&self) -> Option<f64> {
        let seek = self.seek?;
        let (done, all) = (self.run.now().since(seek.from), seek.target.since(seek.from));
        Some(if all == Duration::ZERO { 1.0 } else { done.as_secs_f64() / all.as_secs_f64() })
    }

    /// Sets how many virtual milliseconds pass per millisecond of wall time, within ×0.1 … ×1000.
    pub fn set_speed(&mut self, speed: f64) -> Result<(), Invalid> {
        if !(SPEED_MIN..=SPEED_MAX).contains(&speed) {
            return Err(Invalid {
                field: "speed".to_owned(),
                value: speed.to_string(),
                allowed: format!("a number from {SPEED_MIN} to {SPEED_MAX}"),
            });
        }
        self.speed = speed;
        self.reached = speed;
        Ok(())
    }

    /// A fault from the next whole millisecond on, such as `crash:w-04`; time moves there.
    pub fn fault(&mut self, spec: &str) -> Result<ActedAt, Invalid> {
        self.act(spec, |run| run.inject(spec))
    }

    /// Breaks a node in one way, or mends it if it is broken in that way; time moves to the next millisecond.
    pub fn toggle(&mut self, kind: FaultKind, node: &str) -> Result<ActedAt, Invalid> {
        let spec = format!("{}:{node}", kind.name());
        let holds = holding(&self.run, kind, node);
        let is_down = self.run.net().find(node).is_some_and(|id| !self.run.net().is_up(id));
        self.act(&spec, |run| match holds {
            _ if kind == FaultKind::Crash && is_down => run.inject(&format!("restart:{node}")),
            Some(fault) if kind != FaultKind::Crash => run.lift(fault),
            _ => run.inject(&spec),
        })
    }

    fn act(
        &mut self,
        what: &str,
        act: impl FnOnce(&mut Run) -> Result<ActedAt, Invalid>,
    ) -> Result<ActedAt, Invalid> {
        if self.seek.is_some() {
            return Err(Invalid {
                field: "fault".to_owned(),
                value: what.to_owned(),
                allowed: "nothing while a replay is under way".to_owned(),
            });
        }
        let acted = act(&mut self.run)?;
        self.target = self.run.now();
        Ok(acted)
    }

    /// What the page may see of this moment.
    pub fn snapshot(&mut self) -> Snapshot {
        let now = self.run.system().progress();
        if now != self.summarised_at {
            self.summarised_at = now;
            self.summary = observe::summary(self.run.system());
        }
        observe::observe(&self.run, self.summary.clone())
    }

    /// What the player is doing.
    pub fn state(&self) -> PlayerState {
        self.state
    }

    /// The speed that was asked for.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// The speed of the last frames; below [`speed`](Self::speed) when the machine cannot keep up.
    pub fn reached(&self) -> f64 {
        self.reached
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
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

#[cfg(test)]
mod tests;
