//! A session that goes over to another program: what decides it, and what is being told.
//!
//! The log goes along, but is not done anew: all acts are in the run's own scenario, so that one way from its start leads to
//! the same moment, however often a person went to and fro. Frames of the other program go that way in slices, while the
//! session that is handed over goes on; it is there when it has come to what that one says last.

use super::history::{History, LeftAt};
use super::{Log, Session, Teller, player};
use crate::app::PlayerState;
use crate::kernel::Instant;
use crate::lab::{Invalid, Scenario};
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

impl Session {
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
