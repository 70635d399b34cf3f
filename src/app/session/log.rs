//! The log of a session: which scenario it began with, and what was done since, each at its virtual instant.
//!
//! It is all that decides the session: done anew, it leads to the same run at the same moment. So it is what can be
//! shared, taken back, and played to somebody else.

use super::Command;
use crate::kernel::Instant;
use crate::lab::Scenario;
use serde::{Deserialize, Serialize};

/// A log with more entries begins anew, with what the run has in its own log of actions by then.
const ENTRIES_MAX: usize = 10_000;

/// A command, and when it was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The virtual instant that it was interpreted at, in nanoseconds.
    pub at_ns: u64,
    /// What was done.
    pub command: Command,
}

/// What was done in a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// What it began with.
    pub scenario: Scenario,
    /// The speed that it began with.
    pub speed: f64,
    /// Whether time passed from its beginning on.
    pub playing: bool,
    /// What was done, in order.
    pub entries: Vec<Entry>,
}

impl Log {
    /// The log of a session in which nothing was done yet.
    pub(super) fn new(scenario: Scenario, speed: f64, playing: bool) -> Self {
        Log { scenario, speed, playing, entries: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= ENTRIES_MAX
    }

    /// Notes what was done. What nothing can tell from not having been done is not kept: where a hand passed by.
    pub(super) fn note(&mut self, at_ns: u64, command: Command) {
        let mut at_ns = at_ns;
        while let Some(last) = self.entries.pop_if(|last| is_overtaken(last, at_ns, &command)) {
            if matches!(command, Command::Seek { .. }) {
                at_ns = last.at_ns;
            }
        }
        self.entries.push(Entry { at_ns, command });
    }
}

/// Whether an entry makes no difference once a command was done right after it.
fn is_overtaken(last: &Entry, at_ns: u64, command: &Command) -> bool {
    match (&last.command, command) {
        // The seek before led to exactly where this one set out from.
        (Command::Seek { at_ms }, Command::Seek { .. }) => instant(*at_ms).as_nanos() == at_ns,
        (Command::Set { key: before, .. }, Command::Set { key, .. }) => before == key && last.at_ns == at_ns,
        (Command::Seed { .. }, Command::Seed { .. }) => last.at_ns == at_ns,
        (Command::Speed { .. }, Command::Speed { .. }) => true,
        _ => false,
    }
}

/// An instant in milliseconds, as scripts and the timeline have it: exact to the nanosecond for a hundred days.
pub(super) fn instant(ms: f64) -> Instant {
    Instant::from_nanos((ms * 1e6).round() as u64)
}
