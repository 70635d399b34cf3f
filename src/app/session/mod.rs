//! A session: a person with a run. Whatever a person does comes in by [`Session::apply`], as a [`Command`].
//!
//! It owns the [`Player`], and keeps a [`Log`] of what was done at which virtual instant; done anew, the log leads to
//! the same run. While a replay is under way the moment that is shown stays the one that it set out from, and what is
//! done meanwhile is about the moment that was sought: it waits for it. But a session that is sent somewhere else, or is
//! given other parameters, does not first go where it was sent before; and `Pause` ends a replay where it is.

mod address;
#[cfg(feature = "workbench")]
mod changed;
mod handed;
mod history;
mod log;
mod player;
mod teller;

pub use crate::app::command::{Command, Outcome};
pub use address::{Address, asks_for_many};
pub use handed::{Handed, Sent};
use history::{History, Place};
use log::instant;
pub use log::{Entry, Log};
pub use player::{Player, PlayerState};
use teller::Teller;

use crate::app::Snapshot;
use crate::app::caption::Caption;
use crate::app::catalogue::face;
use crate::app::command::EDITS;
use crate::app::face::Show;
use crate::kernel::Instant;
use crate::lab::params::Setting;
use crate::lab::{Axis, Invalid, Run, Scenario, presets};
use crate::substrate::decimal::plain;
use crate::substrate::http::{Method, Request};
use std::collections::VecDeque;
use std::rc::Rc;

/// What the transport shows of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// Running, paused or replaying.
    pub state: PlayerState,
    /// The speed that was asked for.
    pub speed: f64,
    /// The speed that there is time to read at; below the other one while a story would come too early.
    pub readable: f64,
    /// The speed of the last frames; below the readable one when the machine cannot keep up.
    pub reached: f64,
    /// How far a replay has come, 0 … 1.
    pub progress: Option<f64>,
    /// How much longer it will take, in milliseconds of wall time, once that can be told.
    pub left_ms: Option<f64>,
    /// Playing goes no further.
    pub ended: bool,
    /// The run itself goes no further.
    pub over: bool,
    /// There is something to take back.
    pub can_undo: bool,
    /// There is something that was taken back.
    pub can_redo: bool,
    /// When an act in the past has left another future, which is still known.
    pub left_at_ms: Option<f64>,
}

/// A run, and what a person does to it.
pub struct Session {
    player: Player,
    /// The moment that is shown.
    shown: Rc<Snapshot>,
    /// What waits until a replay has arrived.
    waiting: VecDeque<Command>,
    /// What had waited, and is for another program.
    away: Option<Command>,
    /// What came of a command later than it was given, for a person to read.
    notice: Option<String>,
    log: Log,
    history: History,
    /// As it was when something was done last.
    address: Address,
    teller: Teller,
    /// Whether what only the laboratory knows is shown.
    truth: bool,
}

/// The speed that a scenario opens with: the one that makes its point soon, and not too fast to be followed.
pub fn opening_speed(preset: &str) -> f64 {
    presets::find(preset).map_or(1.0, presets::Preset::speed)
}

impl Session {
    /// A session at virtual zero, playing.
    pub fn open(scenario: Scenario, speed: f64) -> Result<Self, Invalid> {
        let mut player = begin(&scenario, speed)?;
        let mut session = Session {
            shown: player.snapshot(),
            player,
            waiting: VecDeque::new(),
            away: None,
            notice: None,
            log: Log::new(scenario, speed, true),
            history: History::default(),
            address: Address::opening(),
            teller: Teller::default(),
            truth: true,
        };
        session.find_address();
        session.look(true);
        Ok(session)
    }

    /// Does anew what a log tells, and goes to an instant, all at once.
    pub fn replay(log: &Log, to: Instant) -> Result<Self, Invalid> {
        let mut session = Session::open(log.scenario.clone(), log.speed)?;
        if !log.playing {
            session.player.pause();
            session.log.playing = false;
        }
        for Entry { at_ns, command } in &log.entries {
            if !command.is_timeless() {
                session.be_at(Instant::from_nanos(*at_ns))?;
            }
            session.apply(command.clone())?;
        }
        session.be_at(to)?;
        Ok(session)
    }

    fn be_at(&mut self, instant: Instant) -> Result<(), Invalid> {
        if self.player.state() == PlayerState::Replaying || self.player.run().now() != instant {
            self.player.be_at(instant)?;
            self.look(true);
        }
        Ok(())
    }

    // --- doing ------------------------------------------------------------------------------------------------

    /// Does what a person asks for, now or when the replay that is under way has arrived. What is not allowed changes
    /// nothing.
    pub fn apply(&mut self, command: Command) -> Result<Outcome, Invalid> {
        if self.must_wait(&command) {
            self.waiting.push_back(command);
            return Ok(Outcome::Waits);
        }
        use Command::{Call, Fault, Lift, Scale, Toggle};
        let is_act =
            matches!(command, Fault { .. } | Toggle { .. } | Scale { .. } | Lift { .. } | Call { .. });
        let stays =
            matches!(command, Command::Play | Command::Pause | Command::Speed { .. } | Command::Extend);
        // What is done to a run that plays is told as it plays on.
        let moves = !(stays || is_act && self.player.state() == PlayerState::Running);
        let outcome = self.interpret(command);
        self.look(moves);
        outcome
    }

    fn must_wait(&self, command: &Command) -> bool {
        if self.player.state() != PlayerState::Replaying {
            return false;
        }
        let leads_elsewhere = match command {
            Command::Open { .. } | Command::Pause | Command::Speed { .. } => return false,
            Command::Seek { .. } | Command::Set { .. } | Command::Seed { .. } => true,
            // What is moved on and on is one act.
            Command::Edit { .. } => self.goes_on(command),
            _ => false,
        };
        !(leads_elsewhere && self.waiting.is_empty() && self.player.landing().is_some())
    }

    /// Does it at this moment; where another replay takes the place of one that is under way, at the one that it leads to.
    fn interpret(&mut self, command: Command) -> Result<Outcome, Invalid> {
        let landing = self.player.landing().filter(|_| !matches!(command, Command::Pause));
        let at = landing.unwrap_or(self.player.run().now());
        if self.log.is_full() && self.player.state() != PlayerState::Replaying {
            let scenario = self.player.run().scenario().clone();
            self.log = Log::new(scenario, self.player.speed(), self.player.is_playing());
            self.history = History::default();
        }
        let place = self.place(at);
        self.carry_out(place, command)
    }

    /// Does it, from a place that can be come back to.
    fn carry_out(&mut self, place: Place, command: Command) -> Result<Outcome, Invalid> {
        let at_ns = place.at_ns;
        let outcome = match command {
            Command::Undo | Command::Redo => self.come_back(place, command == Command::Redo)?,
            _ => {
                let outcome = self.perform(&command)?;
                if command.is_act() {
                    self.history.note(place, &command);
                }
                outcome
            }
        };
        self.log.note(at_ns, command);
        self.find_address();
        Ok(outcome)
    }

    fn perform(&mut self, command: &Command) -> Result<Outcome, Invalid> {
        let goes_on = self.goes_on(command);
        let player = &mut self.player;
        #[cfg(feature = "workbench")]
        if let Some(scaling) = command.scaling(player.run().next_ms()) {
            return player.scale(scaling);
        }
        match command {
            Command::Open { preset, .. } => {
                if let Some(scenario) = command.opens() {
                    self.player = begin(&scenario, opening_speed(preset))?;
                    self.waiting.clear();
                }
            }
            Command::Play => player.play()?,
            Command::Pause => {
                player.pause();
                self.waiting.clear();
            }
            Command::Speed { speed } => {
                player.set_speed(*speed)?;
                self.teller.hurry();
            }
            Command::Extend => {
                let (axis, horizon) = (Axis::of(player.run()), player.run().horizon());
                let end = player.end();
                player.set_end(axis.holding(end, horizon).longer(horizon).to);
                player.play()?;
            }
            // A person's way through what was done is not the run's.
            Command::Undo | Command::Redo => {}
            Command::DropOld => player.drop_left(),
            Command::Step => {
                if !player.step() {
                    return Ok(Outcome::Ended);
                }
            }
            Command::StepBack => player.step_back()?,
            Command::Seek { at_ms } if at_ms.is_finite() && *at_ms >= 0.0 => player.seek(instant(*at_ms))?,
            Command::Seek { at_ms } => {
                let allowed = "milliseconds from 0".to_owned();
                return Err(Invalid { field: "seek".to_owned(), value: plain(*at_ms), allowed });
            }
            Command::NextRequest if player.is_over() => return Ok(Outcome::Ended),
            Command::NextRequest => player.next_request()?,
            Command::Set { key, value } => player.set(key, value.clone())?,
            Command::Seed { seed } => player.set_seed(*seed)?,
            Command::Fault { fault } => return player.fault(fault).map(Outcome::Acted),
            Command::Toggle { fault, node } => return player.toggle(*fault, node).map(Outcome::Acted),
            Command::Lift { fault } => return player.lift(*fault).map(Outcome::Acted),
            Command::Edit { fault, to } if EDITS => {
                let changed = player.run().edited(fault, to.as_deref())?;
                player.change(changed, goes_on)?;
            }
            Command::Switch { fault } if EDITS => {
                let changed = player.run().switched(fault)?;
                player.change(changed, false)?;
            }
            // Nobody says so to a program that cannot.
            Command::Edit { .. } | Command::Switch { .. } | Command::Scale { .. } => {}
            Command::Call { method, url, headers, body, times } => {
                let url = url.parse().map_err(|_| Invalid {
                    field: "url".to_owned(),
                    value: url.clone(),
                    allowed: "an http URL such as http://localhost:8080/request".to_owned(),
                })?;
                let headers = headers.iter().map(|(name, value)| (name.into(), value.into())).collect();
                let method = Method::from(method.as_str());
                let request = Request { method, url, headers, body: body.clone().into() };
                return player.call(&request, *times).map(Outcome::Acted);
            }
        }
        let sets_out = self.player.state() == PlayerState::Replaying;
        Ok(if sets_out { Outcome::SetOut } else { Outcome::Done })
    }

    // --- frames -----------------------------------------------------------------------------------------------

    /// Plays one animation frame: `elapsed_ms` of wall time, as far as `has_time` allows. Returns true when something is
    /// new: the moment that is shown, or how far a replay has come.
    pub fn frame(&mut self, elapsed_ms: f64, has_time: impl FnMut() -> bool) -> bool {
        let awaited = self.player.awaited();
        let was_replaying = self.player.state() == PlayerState::Replaying;
        let pace = self.choose_pace(elapsed_ms);
        let is_new = self.player.frame_at(pace, elapsed_ms, has_time);
        if awaited.is_some() && self.player.awaited().is_none() {
            self.note_a_missing_request(awaited);
        }
        while self.player.state() != PlayerState::Replaying {
            let Some(command) = self.waiting.pop_front() else { break };
            if self.leads_away(&command).is_some() {
                self.waiting.clear();
                self.away = Some(command);
                break;
            }
            if let Err(invalid) = self.interpret(command) {
                self.notice = Some(invalid.to_string());
            }
        }
        if is_new {
            // At the end the last result is what is looked at.
            let ends = self.player.is_playing() && self.player.has_ended();
            self.look(was_replaying || ends);
        }
        is_new
    }

    /// Lets the reader read, and says at which share of its speed the run may play meanwhile.
    fn choose_pace(&mut self, elapsed_ms: f64) -> f64 {
        if self.player.state() != PlayerState::Running {
            return 1.0;
        }
        let elapsed_ms = elapsed_ms.clamp(0.0, player::FRAME_MS_MAX);
        // Who does not see the truth does not know the schedule either.
        let ahead_ms = if self.truth { self.player.until_next_fault() } else { None };
        self.teller.pass(elapsed_ms);
        self.teller.choose_pace(elapsed_ms, self.player.speed(), ahead_ms);
        self.teller.pace()
    }

    fn note_a_missing_request(&mut self, awaited: Option<u64>) {
        let run = self.player.run();
        if Some(run.system().begun()) < awaited {
            self.notice = Some(format!("next request: none until {}", run.now().since(Instant::ZERO)));
        }
    }

    /// Shows the present moment; what a replay comes by is not shown. One that a person has gone to has its own story at
    /// once.
    fn look(&mut self, is_sought: bool) {
        if self.player.state() == PlayerState::Replaying {
            return;
        }
        self.player.set_end(self.player.end().max(Axis::of(self.player.run()).to));
        let show = self.show(is_sought);
        self.shown = self.player.look(show);
        let caption = face(self.shown.system).caption(&self.shown);
        if is_sought {
            self.teller.tell_now(caption);
        } else if self.player.state() == PlayerState::Running {
            self.teller.hear(caption);
        }
        let told = self.show(false);
        if told != show {
            self.shown = self.player.look(told);
        }
    }

    /// What is to be seen: the result that is told, unless a moment tells its own.
    fn show(&self, is_sought: bool) -> Show {
        Show { truth: self.truth, result: self.teller.result().filter(|_| !is_sought) }
    }

    /// What is to be seen of the moment that is shown.
    pub fn showing(&self) -> Show {
        self.show(false)
    }

    /// Shows what only the laboratory knows, or hides it.
    pub fn show_truth(&mut self, truth: bool) {
        self.truth = truth;
        self.find_address();
        self.look(true);
    }

    /// Whether the player slows down where there would be too little time to read.
    pub fn slows(&self) -> bool {
        self.teller.slows
    }

    /// Lets the player slow down there, or not.
    pub fn set_slows(&mut self, slows: bool) {
        self.teller.slows = slows;
    }

    // --- what can be seen -------------------------------------------------------------------------------------

    /// The moment that is shown.
    pub fn snapshot(&self) -> &Rc<Snapshot> {
        &self.shown
    }

    /// All that can be seen of the present moment, whatever is told of it.
    pub fn moment(&mut self) -> Rc<Snapshot> {
        self.player.snapshot()
    }

    /// What is to be seen of the present moment by one who is to see the truth, or not.
    pub fn moment_as(&mut self, truth: bool) -> Rc<Snapshot> {
        self.player.look(Show { truth, ..self.showing() })
    }

    /// The story that is told now.
    pub fn caption(&self) -> &Caption {
        self.teller.shown()
    }

    /// What the transport shows.
    pub fn status(&self) -> Status {
        Status {
            state: self.player.state(),
            speed: self.player.speed(),
            readable: self.player.speed() * self.teller.pace(),
            reached: self.player.reached(),
            progress: self.player.progress(),
            left_ms: self.player.left_ms(),
            ended: self.player.state() == PlayerState::Paused && self.player.has_ended(),
            over: self.player.is_over(),
            can_undo: self.history.can().0,
            can_redo: self.history.can().1,
            left_at_ms: self.player.left().map(|left| left.at.as_millis_f64()),
        }
    }

    /// What came of a command that had waited, if a person should know; told once.
    pub fn take_notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    /// The run; while a replay is under way, as far as that has come.
    pub fn run(&self) -> &Run {
        self.player.run()
    }

    /// The parameters as they are set, also those that a replay under way is to show.
    pub fn settings(&self) -> &Rc<[Setting]> {
        self.player.run().settings()
    }

    /// What was done so far.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

/// A player at a scenario's start, playing to the end of its axis.
fn begin(scenario: &Scenario, speed: f64) -> Result<Player, Invalid> {
    let mut player = Player::new(scenario, speed)?;
    let Axis { from, to } = Axis::opening(player.run());
    player.set_end(to);
    if from > Instant::ZERO {
        player.seek(from)?;
    }
    Ok(player)
}

#[cfg(test)]
mod tests;
