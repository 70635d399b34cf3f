//! A session that goes over to another program: what decides it, and what is being told. One goes as it is, for what only
//! the other program can show ([`Handed`]), or with something to be done there first, which leads to a scenario that only the
//! other one can play ([`Sent`]).
//!
//! The log goes along, but is not done anew: all acts are in the run's own scenario, so that one way from its start leads to
//! the same moment, however often a person went to and fro. Frames of the other program go that way in slices, while the
//! session that is handed over goes on; it is there when it has come to what that one says last.

use super::history::{History, LeftAt, Place};
use super::{Command, EDITS, Log, Session, Teller, opening_speed, player};
use crate::app::PlayerState;
use crate::kernel::Instant;
use crate::lab::{Invalid, Scenario, presets};
use serde::{Deserialize, Serialize};

/// All that a session is at a moment, as plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handed {
    log: Log,
    history: History,
    left: Option<LeftAt>,
    /// The run's, with all that was done.
    scenario: Scenario,
    at_ns: u64,
    /// Where playing stops.
    end_ns: u64,
    playing: bool,
    speed: f64,
    truth: bool,
    teller: Teller,
}

/// A session with something that another program is to do: what was done so far, so that it can be taken back there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sent {
    log: Log,
    history: History,
    /// The moment at which it was asked for.
    place: Place,
    command: Command,
    truth: bool,
    playing: bool,
    speed: f64,
}

impl Session {
    /// The scenario that a command leads to, if it is of a system that only another program has.
    pub fn leads_away<'a>(&'a self, command: &'a Command) -> Option<&'a str> {
        let preset = match command {
            // The system is here, what scales it is not, nor some of what can be set about it.
            _ if !EDITS && command.is_for_larger() => {
                let here = || &self.player.run().scenario().preset;
                return Some(if let Command::Open { preset, .. } = command { preset } else { here() });
            }
            Command::Open { preset, .. } => preset,
            Command::Undo | Command::Redo => &self.history.next(*command == Command::Redo)?.scenario.preset,
            _ => return None,
        };
        (!presets::is_here(preset)).then_some(preset)
    }

    /// What had waited for a replay, and leads to a scenario that only another program can play; told once.
    pub fn take_away(&mut self) -> Option<Command> {
        self.away.take()
    }

    /// The session as another program is to go on with it, by a command that only that one can follow.
    pub fn send_away(&self, command: Command) -> Sent {
        let at = self.player.landing().unwrap_or(self.player.run().now());
        Sent {
            log: self.log.clone(),
            history: self.history.clone(),
            place: self.place(at),
            command,
            truth: self.truth,
            playing: self.player.is_playing(),
            speed: self.player.speed(),
        }
    }

    /// A session that another program has sent: it begins with the command that it was sent with.
    pub fn arrive(sent: Sent) -> Result<Self, Invalid> {
        let Sent { log, history, place, command, truth, playing, speed } = sent;
        let opened = command.opens();
        let known = || history.next(command == Command::Redo).unwrap_or(&place).scenario.clone();
        let scenario = opened.clone().unwrap_or_else(known);
        let opening = opening_speed(&scenario.preset);
        let mut session = Session::open(scenario, opening)?;
        if opened.is_none() {
            let end = session.player.end();
            session.player.settle(playing, speed, end)?;
        }
        (session.log, session.history, session.truth) = (log, history, truth);
        session.carry_out(place, command)?;
        session.look(true);
        Ok(session)
    }

    /// What another program needs to go on from this moment; nothing while a replay is under way.
    pub fn hand_over(&self) -> Option<Handed> {
        let (player, run) = (&self.player, self.player.run());
        (player.state() != PlayerState::Replaying).then(|| Handed {
            log: self.log.clone(),
            history: self.history.clone(),
            left: player.left().map(player::Left::to_data),
            scenario: run.scenario().clone(),
            at_ns: run.now().as_nanos(),
            end_ns: player.end().as_nanos(),
            playing: player.is_playing(),
            speed: player.speed(),
            truth: self.truth,
            teller: self.teller.clone(),
        })
    }

    /// A session on its way to what another program hands over.
    pub fn follow(handed: &Handed) -> Result<Self, Invalid> {
        Session::open(handed.scenario.clone(), handed.speed)
    }

    /// Comes closer to what is handed over, as far as `has_time` allows; true when it is there, and is the same session.
    pub fn catch_up(&mut self, handed: &Handed, mut has_time: impl FnMut() -> bool) -> Result<bool, Invalid> {
        let is_there =
            self.player.follow(&handed.scenario, Instant::from_nanos(handed.at_ns), &mut has_time)?
                && self.player.follow_left(handed.left.as_ref(), &mut has_time)?;
        if is_there {
            let Handed { log, history, end_ns, playing, speed, truth, teller, .. } = handed.clone();
            self.player.settle(playing, speed, Instant::from_nanos(end_ns))?;
            (self.log, self.history, self.truth, self.teller) = (log, history, truth, teller);
            self.find_address();
            let show = self.showing();
            self.shown = self.player.look(show);
        }
        Ok(is_there)
    }
}
