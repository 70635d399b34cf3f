//! Whether messages are too fast to be seen one by one.

use crate::app::snapshot::Snapshot;
use crate::substrate::merge;

/// A flight that takes less wall time than this is no movement to an eye.
const TOO_FAST_MS: f64 = 25.0;
/// And one that takes more than this is one again. Between the two nothing changes, so that a board does not flicker.
const SLOW_ENOUGH_MS: f64 = 30.0;
/// What a flight takes while none has been seen.
const TYPICAL_MS: f64 = 60.0;

/// Keeps watch over the median flight.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    flight_ms: f64,
    flow: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { flight_ms: TYPICAL_MS, flow: false }
    }
}

impl Pace {
    /// Looks at a snapshot played at `speed` virtual milliseconds per millisecond, 0 for one at rest. True if single
    /// messages are not to be shown.
    pub fn update(&mut self, snapshot: &Snapshot, speed: f64) -> bool {
        // The newest flights are as good as all of them.
        let newest = snapshot.messages.iter().rev().take(63);
        let mut flights: Vec<f64> = newest.map(|message| message.arrives_ms - message.sent_ms).collect();
        if !flights.is_empty() {
            let middle = flights.len() / 2;
            merge::sort_numbers(&mut flights);
            self.flight_ms = flights[middle];
        }
        let wall_ms = if speed > 0.0 { self.flight_ms / speed } else { f64::MAX };
        if wall_ms < TOO_FAST_MS {
            self.flow = true;
        } else if wall_ms > SLOW_ENOUGH_MS {
            self.flow = false;
        }
        self.flow
    }
}
