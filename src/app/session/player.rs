//! The player: plays a run at a speed, within a time budget per animation frame.
//!
//! It owns the run, outside whatever draws it. How a frame's budget falls, and so at which instants frames stop, makes
//! no difference to the run. Going back replays: from the run parked some seconds back, or else from the seed, in slices
//! of a frame each.

mod moves;

use crate::app::Snapshot;
use crate::app::face::Show;
use crate::app::observe;
use crate::kernel::{Duration, Instant, Sink};
use crate::lab::{Invalid, Options, Run, Scenario};
use std::rc::Rc;

/// What the page keeps of the trace.
const RING: usize = 100_000;
/// How many tasks the requests, jobs or versions that the page keeps may have: tens of megabytes.
const KEEP: usize = 200_000;
/// How many facts the page keeps, for receipts and trace files: one for each record at most. None in the program that has
/// neither.
const FACTS: usize = if cfg!(feature = "workbench") { RING } else { 0 };
/// A frame that comes later than this was not asked for: the tab was hidden, or the machine slept.
pub(super) const FRAME_MS_MAX: f64 = 500.0;
/// What a frame could not play the next ones make up for, up to so much of wall time: drawing does not take equally long.
const OWED_MS: f64 = 50.0;
/// How many instants are played between two looks at the clock; fewer, if so much happens in them.
const INSTANTS_PER_LOOK: u32 = 16;
const EVENTS_PER_LOOK: u64 = 500;
/// How much the newest frame weighs in the speed that is shown as reached.
const REACHED_WEIGHT: f64 = 0.1;
/// How far back the parked run is: at least so much, and twice as much at most where frames leave it the time.
const PARKED: Duration = Duration::from_secs(3);

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
    /// The same run as it was some seconds ago: going back a little is going on from there.
    parked: Option<Run>,
    /// The same run as far as it was played before a person went back: what lies ahead is known up to there.
    ahead: Option<Run>,
    left: Option<Left>,
    /// Whether time is to pass; at the end of the run, and while it replays, it does not.
    playing: bool,
    speed: f64,
    reached: f64,
    /// Virtual time that frames have asked for and not yet got, when a frame's share is less than an instant.
    target: Instant,
    seek: Option<Seek>,
    /// Where playing stops, though the run may go on.
    end: Instant,
    /// The moment that was looked at last, of which the next may take what has not changed.
    seen: Option<Rc<Snapshot>>,
}

/// A future that an act in the past has left.
pub(in crate::app::session) struct Left {
    pub run: Run,
    /// When it was left.
    pub at: Instant,
    /// How far it was known.
    pub until: Instant,
}

#[derive(Clone, Copy)]
struct Seek {
    from: Instant,
    /// How long it has taken so far, in milliseconds of wall time.
    spent_ms: f64,
    /// Arrived when the goal is reached, and here at the latest.
    target: Instant,
    goal: Goal,
}

/// What a seek is for.
#[derive(Clone, Copy)]
enum Goal {
    /// Its target.
    Instant,
    /// So many requests.
    Requests(u64),
    /// The answers to the calls from one place in the log of actions to another.
    Answers(usize, usize),
}

impl Goal {
    fn is_reached(self, run: &Run) -> bool {
        match self {
            Goal::Instant => false,
            Goal::Requests(count) => run.system().begun() >= count,
            Goal::Answers(from, to) => (from..=to).all(|index| run.is_answered(index)),
        }
    }
}

fn options() -> Options {
    Options { sink: Sink::Ring(RING), keep: KEEP, facts: FACTS, observed: true, ..Options::default() }
}

impl Player {
    /// A player at virtual zero, running.
    pub fn new(scenario: &Scenario, speed: f64) -> Result<Self, Invalid> {
        let run = Run::new(scenario, options())?;
        Ok(Player {
            end: run.horizon(),
            run,
            parked: None,
            ahead: None,
            left: None,
            playing: true,
            speed,
            reached: speed,
            target: Instant::ZERO,
            seek: None,
            seen: None,
        })
    }

    // --- frames -----------------------------------------------------------------------------------------------

    /// Plays one animation frame: `elapsed_ms` of wall time at the speed that is set, as far as `has_time` allows.
    /// Returns true when something is new: the moment, or how far a replay has come.
    pub fn frame(&mut self, elapsed_ms: f64, has_time: impl FnMut() -> bool) -> bool {
        self.frame_at(1.0, elapsed_ms, has_time)
    }

    /// The same at a share of the speed.
    pub(super) fn frame_at(
        &mut self,
        pace: f64,
        elapsed_ms: f64,
        mut has_time: impl FnMut() -> bool,
    ) -> bool {
        if let Some(seek) = &mut self.seek {
            seek.spent_ms += elapsed_ms.max(0.0);
            let seek = *seek;
            if self.play_to(seek.target, seek.goal, &mut has_time) {
                self.arrive();
            }
            return true;
        }
        let plays = self.state() == PlayerState::Running;
        self.ahead.take_if(|ahead| ahead.now() <= self.run.now());
        if plays {
            let elapsed_ms = elapsed_ms.clamp(0.0, FRAME_MS_MAX);
            let before = self.run.now();
            let passes = |wall_ms: f64| Duration::from_secs_f64(wall_ms * self.speed * pace / 1000.0);
            // More is not owed: then the speed cannot be reached.
            let owed = self.target.clamp(before, before + passes(OWED_MS));
            self.target = (owed + passes(elapsed_ms)).min(self.end);
            self.play_to(self.target, Goal::Instant, &mut has_time);
            self.note_speed(self.run.now().since(before), elapsed_ms * pace);
        }
        self.park(&mut has_time);
        plays
    }

    /// Plays towards an instant, or until a goal is reached; true when it arrived.
    fn play_to(&mut self, target: Instant, goal: Goal, has_time: &mut impl FnMut() -> bool) -> bool {
        play(&mut self.run, target, has_time, |run| goal.is_reached(run))
    }

    fn note_speed(&mut self, played: Duration, elapsed_ms: f64) {
        if elapsed_ms > 0.0 {
            let reached = played.as_millis_f64() / elapsed_ms;
            self.reached += REACHED_WEIGHT * (reached - self.reached);
        }
    }

    /// Lets the parked run come after, in what time a frame has left over.
    fn park(&mut self, has_time: &mut impl FnMut() -> bool) {
        let behind = |run: Option<&Run>| self.run.now().since(run.map_or(Instant::ZERO, Run::now));
        if behind(self.parked.as_ref()) < PARKED + PARKED || !has_time() {
            return;
        }
        let run = match self.parked.take() {
            Some(run) => Ok(run),
            None => Run::new(self.run.scenario(), options()),
        };
        // A scenario that runs is allowed.
        let Ok(mut run) = run else { return };
        play(&mut run, self.run.now() - PARKED, has_time, |_| false);
        self.parked = Some(run);
    }

    // --- what can be seen -------------------------------------------------------------------------------------

    /// All that can be seen of this moment.
    pub fn snapshot(&mut self) -> Rc<Snapshot> {
        self.look(Show::ALL)
    }

    /// What is to be shown of this moment.
    pub(in crate::app) fn look(&mut self, show: Show) -> Rc<Snapshot> {
        let now = Rc::new(observe::observe(
            &self.run,
            self.left().map(|left| &left.run),
            self.seen.as_deref(),
            show,
        ));
        self.seen = Some(Rc::clone(&now));
        now
    }

    /// What the player is doing.
    pub fn state(&self) -> PlayerState {
        match self.seek {
            Some(_) => PlayerState::Replaying,
            None if self.playing && !self.has_ended() => PlayerState::Running,
            None => PlayerState::Paused,
        }
    }

    /// Whether time is to pass where it can.
    pub(super) fn is_playing(&self) -> bool {
        self.playing
    }

    /// Whether playing goes no further.
    pub fn has_ended(&self) -> bool {
        self.run.now() >= self.end || self.is_over()
    }

    /// Whether the run itself goes no further.
    pub(super) fn is_over(&self) -> bool {
        self.run.now() >= self.run.horizon() || self.run.stopped().is_some()
    }

    /// Where playing stops: at the end of the axis, or where a person has extended it to.
    pub(super) fn end(&self) -> Instant {
        self.end
    }

    /// Lets playing stop there, or where the run has come already.
    pub(super) fn set_end(&mut self, end: Instant) {
        self.end = end.max(self.run.now()).min(self.run.horizon());
    }

    /// How much virtual time there is until the next fault begins or ends, in milliseconds.
    pub(super) fn until_next_fault(&self) -> Option<f64> {
        let now = self.run.now();
        let edges = self.run.faults().flat_map(|fault| fault.start.into_iter().chain(fault.end));
        edges.filter(|&edge| edge > now).min().map(|edge| edge.since(now).as_millis_f64())
    }

    /// The future that an act in the past has left.
    pub(super) fn left(&self) -> Option<&Left> {
        self.left.as_ref().filter(|left| left.is_known())
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

/// Plays a run towards an instant, or until `is_there`; true when it arrived.
fn play(
    run: &mut Run,
    target: Instant,
    has_time: &mut impl FnMut() -> bool,
    is_there: impl Fn(&Run) -> bool,
) -> bool {
    loop {
        let enough = run.events() + EVENTS_PER_LOOK;
        for _ in 0..INSTANTS_PER_LOOK {
            if !run.run_instant(target) {
                run.run_until(target);
                return true;
            }
            if is_there(run) {
                return true;
            }
            if run.events() >= enough {
                break;
            }
        }
        if !has_time() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests;
