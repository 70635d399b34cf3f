//! What can be taken back: for each act the moment before it, and for each act taken back the moment that was left.
//!
//! A moment is a scenario, with all that was done in it, and an instant: to come back there is to replay, and leads to the
//! same hash. So nothing that a person does is lost, not even by acting in the past.

use super::Session;
use crate::app::command::{Command, EDITS, Outcome};
use crate::kernel::Instant;
use crate::lab::fault::Fault;
use crate::lab::{Invalid, Run, Scenario};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many acts can be taken back.
const DEPTH: usize = 100;

/// A moment to come back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub scenario: Scenario,
    pub at_ns: u64,
    /// How many events there had been: at the start a run may have played its first instant, or not yet.
    pub events: u64,
    /// Where playing stops.
    pub end_ns: u64,
    /// When another future had been left, if one was known.
    pub left_ns: Option<u64>,
}

/// A future that was left: of which run, when, and how far it was known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LeftAt {
    pub scenario: Scenario,
    pub at_ns: u64,
    pub until_ns: u64,
}

/// A moment, and the act that was done there.
type Step = (Place, Command);

/// What was done, and what was taken back of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    done: VecDeque<Step>,
    undone: Vec<Step>,
}

impl Place {
    pub fn at(&self) -> Instant {
        Instant::from_nanos(self.at_ns)
    }
}

impl History {
    /// Whether a command goes on with the last act: what is drawn or moved along at one moment is one act.
    pub fn goes_on(&self, at_ns: u64, command: &Command) -> bool {
        self.done.back().is_some_and(|(before, last)| {
            let is_same = match (last, command) {
                (Command::Set { key: before, .. }, Command::Set { key, .. }) => before == key,
                (Command::Seed { .. }, Command::Seed { .. }) => true,
                (Command::Edit { to: Some(before), .. }, Command::Edit { fault, to: Some(_) }) if EDITS => {
                    before == fault && is_move(last) && is_move(command)
                }
                _ => false,
            };
            is_same && before.at_ns == at_ns
        })
    }

    /// Notes that something was done at a place.
    pub fn note(&mut self, place: Place, command: &Command) {
        self.undone.clear();
        let goes_on = self.goes_on(place.at_ns, command);
        match self.done.back_mut() {
            // The moment before it stays that before the first.
            Some((_, last)) if goes_on => *last = command.clone(),
            _ => self.done.push_back((place, command.clone())),
        }
        if self.done.len() > DEPTH {
            self.done.pop_front();
        }
    }

    /// Takes the last act back, from the present place: the moment before it.
    pub fn undo(&mut self, from: Place) -> Option<Place> {
        let (place, command) = self.done.pop_back()?;
        self.undone.push((from, command));
        Some(place)
    }

    /// Does again what was taken back last: the moment that was left then.
    pub fn redo(&mut self, from: Place) -> Option<Place> {
        let (place, command) = self.undone.pop()?;
        self.done.push_back((from, command));
        Some(place)
    }

    /// The moment that undo leads to, or redo.
    pub fn next(&self, again: bool) -> Option<&Place> {
        let step = if again { self.undone.last() } else { self.done.back() };
        step.map(|(place, _)| place)
    }

    /// Whether there is something to take back, and something to do again.
    pub fn can(&self) -> (bool, bool) {
        (!self.done.is_empty(), !self.undone.is_empty())
    }
}

/// Whether a fault is to be the same at other times.
fn is_move(command: &Command) -> bool {
    let Command::Edit { fault, to: Some(to) } = command else { return false };
    let what = |text: &str| {
        text.parse::<Fault>().ok().map(|Fault { kind, target, value, .. }| (kind, target, value))
    };
    what(fault) == what(to)
}

impl Session {
    /// The moment `at` of the present run, to come back to.
    pub(super) fn place(&self, at: Instant) -> Place {
        let player = &self.player;
        Place {
            scenario: player.run().scenario().clone(),
            at_ns: at.as_nanos(),
            events: player.run().events(),
            end_ns: player.end().as_nanos(),
            left_ns: player.left().map(|left| left.at.as_nanos()),
        }
    }

    /// Whether a command goes on with the last act, at the moment that a replay leads to.
    pub(super) fn goes_on(&self, command: &Command) -> bool {
        let at = self.player.landing().unwrap_or(self.player.run().now());
        self.history.goes_on(at.as_nanos(), command)
    }

    /// Takes the last act back, or does it again.
    pub(super) fn come_back(&mut self, from: Place, again: bool) -> Result<Outcome, Invalid> {
        let found = if again { self.history.redo(from) } else { self.history.undo(from) };
        let place = found.ok_or_else(|| Invalid {
            field: if again { "redo" } else { "undo" }.to_owned(),
            value: "nothing".to_owned(),
            allowed: if again { "after something was taken back" } else { "after something was done" }
                .to_owned(),
        })?;
        self.player.return_to(&place, again)?;
        Ok(Outcome::SetOut)
    }

    /// The run whose future an act in the past has left, as far as it was known.
    pub fn left_run(&self) -> Option<&Run> {
        self.player.left().map(|left| &left.run)
    }

    /// How many futures are known: of this run, and of the one that an act in the past has left.
    pub fn branches(&self) -> usize {
        1 + usize::from(self.player.left().is_some())
    }
}
