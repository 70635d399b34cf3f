//! A session: a person with a run. Whatever a person does comes in by [`Session::apply`], as a [`Command`].
//!
//! It owns the [`Player`], and keeps a [`Log`] of what was done at which virtual instant; done anew, the log leads to
//! the same run. While a replay is under way the moment that is shown stays the one that it set out from, and what is
//! done meanwhile is about the moment that was sought: it waits for it. But a session that is sent somewhere else, or is
//! given other parameters, does not first go where it was sent before; and `Pause` ends a replay where it is.

mod address;
mod command;
mod log;
mod player;

pub use address::Address;
pub use command::{Command, Outcome};
pub use log::{Entry, Log};
pub use player::{Player, PlayerState};

use crate::app::Snapshot;
use crate::kernel::Instant;
use crate::lab::params::Setting;
use crate::lab::{Invalid, Run, Scenario};
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
    /// The speed of the last frames; below the other one when the machine cannot keep up.
    pub reached: f64,
    /// How far a replay has come, 0 … 1.
    pub progress: Option<f64>,
    /// The run goes no further.
    pub ended: bool,
}

/// A run, and what a person does to it.
pub struct Session {
    player: Player,
    /// The moment that is shown.
    shown: Rc<Snapshot>,
    /// What waits until a replay has arrived.
    waiting: VecDeque<Command>,
    /// What came of a command later than it was given, for a person to read.
    notice: Option<String>,
    /// The speed of every scenario that is opened.
    opening_speed: f64,
    log: Log,
}

impl Session {
    /// A session at virtual zero, playing.
    pub fn open(scenario: Scenario, speed: f64) -> Result<Self, Invalid> {
        let mut player = Player::new(&scenario, speed)?;
        Ok(Session {
            shown: player.snapshot(),
            player,
            waiting: VecDeque::new(),
            notice: None,
            opening_speed: speed,
            log: Log::new(scenario, speed, true),
        })
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
            self.shown = self.player.snapshot();
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
        let outcome = self.interpret(command);
        self.look();
        outcome
    }

    fn must_wait(&self, command: &Command) -> bool {
        if self.player.state() != PlayerState::Replaying {
            return false;
        }
        let leads_elsewhere = match command {
            Command::Open { .. } | Command::Pause | Command::Speed { .. } => return false,
            Command::Seek { .. } | Command::Set { .. } | Command::Seed { .. } => true,
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
        }
        let outcome = self.perform(&command)?;
        self.log.note(at.as_nanos(), command);
        Ok(outcome)
    }

    fn perform(&mut self, command: &Command) -> Result<Outcome, Invalid> {
        let player = &mut self.player;
        match command {
            Command::Open { preset, seed, set, faults, horizon } => {
                let (set, faults, horizon) = (set.clone(), faults.clone(), horizon.clone());
                let scenario = Scenario { set, faults, horizon, ..Scenario::preset(preset, *seed) };
                self.player = Player::new(&scenario, self.opening_speed)?;
                self.waiting.clear();
            }
            Command::Play => player.play()?,
            Command::Pause => {
                player.pause();
                self.waiting.clear();
            }
            Command::Speed { speed } => player.set_speed(*speed)?,
            Command::Step => {
                if !player.step() {
                    return Ok(Outcome::Ended);
                }
            }
            Command::StepBack => player.step_back()?,
            Command::Seek { at_ms } if at_ms.is_finite() && *at_ms >= 0.0 => player.seek(instant(*at_ms))?,
            Command::Seek { at_ms } => {
                let allowed = "milliseconds from 0".to_owned();
                return Err(Invalid { field: "seek".to_owned(), value: at_ms.to_string(), allowed });
            }
            Command::NextRequest if player.has_ended() => return Ok(Outcome::Ended),
            Command::NextRequest => player.next_request()?,
            Command::Set { key, value } => player.set(key, value.clone())?,
            Command::Seed { seed } => player.set_seed(*seed)?,
            Command::Fault { fault } => return player.fault(fault).map(Outcome::Acted),
            Command::Toggle { fault, node } => return player.toggle(*fault, node).map(Outcome::Acted),
            Command::Lift { fault } => return player.lift(*fault).map(Outcome::Acted),
            Command::Call { method, url, headers, body } => {
                let url = url.parse().map_err(|_| Invalid {
                    field: "url".to_owned(),
                    value: url.clone(),
                    allowed: "an http URL such as http://localhost:8080/request".to_owned(),
                })?;
                let headers = headers.iter().map(|(name, value)| (name.into(), value.into())).collect();
                let method = Method::from(method.as_str());
                let request = Request { method, url, headers, body: body.clone().into() };
                return player.call(&request).map(Outcome::Acted);
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
        let is_new = self.player.frame(elapsed_ms, has_time);
        if awaited.is_some() && self.player.awaited().is_none() {
            self.note_a_missing_request(awaited);
        }
        while self.player.state() != PlayerState::Replaying {
            let Some(command) = self.waiting.pop_front() else { break };
            if let Err(invalid) = self.interpret(command) {
                self.notice = Some(invalid.to_string());
            }
        }
        if is_new {
            self.look();
        }
        is_new
    }

    fn note_a_missing_request(&mut self, awaited: Option<u64>) {
        let run = self.player.run();
        if Some(run.system().begun()) < awaited {
            self.notice = Some(format!("next request: none until {}", run.now().since(Instant::ZERO)));
        }
    }

    /// Shows the present moment; what a replay comes by is not shown.
    fn look(&mut self) {
        if self.player.state() != PlayerState::Replaying {
            self.shown = self.player.snapshot();
        }
    }

    // --- what can be seen -------------------------------------------------------------------------------------

    /// The moment that is shown.
    pub fn snapshot(&self) -> &Rc<Snapshot> {
        &self.shown
    }

    /// What the transport shows.
    pub fn status(&self) -> Status {
        Status {
            state: self.player.state(),
            speed: self.player.speed(),
            reached: self.player.reached(),
            progress: self.player.progress(),
            ended: self.player.state() == PlayerState::Paused && self.player.has_ended(),
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

    /// The address of the scenario that is open.
    pub fn address(&self) -> Address {
        let scenario = self.player.run().scenario();
        Address { preset: scenario.preset.clone(), seed: scenario.seed }
    }

    /// What was done so far.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

/// An instant in milliseconds, as scripts and the timeline have it: exact to the nanosecond for a hundred days.
fn instant(ms: f64) -> Instant {
    Instant::from_nanos((ms * 1e6).round() as u64)
}

#[cfg(test)]
mod tests;
