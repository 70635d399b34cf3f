//! Which stretch of time a run is shown on: from where one begins to watch to a while after the last thing that is
//! scheduled to happen.

use super::{Run, presets};
use crate::kernel::{Duration, Instant};

/// Where an axis may end, in seconds.
const ENDS_S: [u64; 17] =
    [30, 45, 60, 75, 90, 120, 300, 720, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 172_800, 345_600];

/// A stretch of a run's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Where one begins to watch.
    pub from: Instant,
    /// Where one stops.
    pub to: Instant,
}

impl Axis {
    /// The axis of a run that nobody has moved yet: its scenario's, or a longer one if a fault begins or ends later.
    pub fn opening(run: &Run) -> Self {
        let preset = presets::find(&run.scenario().preset);
        let (start_s, axis_s) = preset.map_or((0, 30), |preset| (preset.start_s, preset.axis_s));
        let edges = run.faults().flat_map(|fault| fault.start.into_iter().chain(fault.end));
        let last = edges.filter(|&edge| edge < run.horizon()).max().unwrap_or(Instant::ZERO);
        let planned = Instant::from_millis(u64::from(axis_s) * 1000);
        let to = if last < planned {
            planned
        } else {
            let needed = Instant::ZERO + last.since(Instant::ZERO).scale(1.2);
            let ends = ENDS_S.iter().map(|s| Instant::from_millis(s * 1000));
            ends.into_iter().find(|&end| end >= needed).unwrap_or(run.horizon())
        };
        let to = to.min(run.horizon());
        let from = Instant::from_millis(u64::from(start_s) * 1000);
        Axis { from: if from < to { from } else { Instant::ZERO }, to }
    }

    /// The axis of a run now: one that has come further than its axis has a longer one, and one that has gone back to before
    /// its beginning has all of it.
    pub fn of(run: &Run) -> Self {
        Axis::opening(run).holding(run.now(), run.horizon())
    }

    /// The axis twice as long as often as it takes until an instant is on it.
    pub fn holding(mut self, at: Instant, horizon: Instant) -> Self {
        if at < self.from {
            self.from = Instant::ZERO;
        }
        while self.to < at && self.to < horizon {
            self.to = self.longer(horizon).to;
        }
        self
    }

    /// The axis twice as long, within a horizon.
    pub fn longer(self, horizon: Instant) -> Self {
        // One of no length would never grow.
        let span = self.to.since(self.from).max(Duration::from_millis(1));
        Axis { from: self.from, to: (self.to + span).min(horizon) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Options, Scenario};

    fn axis(preset: &str, faults: Option<&str>, horizon: Option<&str>) -> (u64, u64) {
        let (faults, horizon) = (faults.map(str::to_owned), horizon.map(str::to_owned));
        let scenario = Scenario { faults, horizon, ..Scenario::preset(preset, 7) };
        let Axis { from, to } = Axis::of(&Run::new(&scenario, Options::default()).unwrap());
        (from.as_nanos() / 1_000_000_000, to.as_nanos() / 1_000_000_000)
    }

    #[test]
    fn an_axis_reaches_to_the_last_scheduled_consequence() {
        assert_eq!(axis("oracle-http", None, None), (0, 30));
        assert_eq!(axis("oracle-http", Some("crash:w-01@8s..50s"), None), (0, 60));
        assert_eq!(axis("oracle-http", Some("crash:w-01@50s..80s"), None), (0, 120));
        assert_eq!(axis("oracle-http", Some("crash:w-01@8s..50s"), Some("20s")), (0, 20));
        assert_eq!(axis("thundering-herd", Some(""), None), (0, 720), "at 0 s all of it is shown");
    }

    #[test]
    fn an_axis_that_is_too_short_doubles() {
        let ms = Instant::from_millis;
        let (axis, horizon) = (Axis { from: ms(10_000), to: ms(40_000) }, ms(150_000));
        assert_eq!(axis.holding(ms(40_000), horizon), axis);
        assert_eq!(axis.holding(ms(40_001), horizon).to, ms(70_000));
        assert_eq!(axis.holding(ms(149_000), horizon).to, ms(130_000).max(ms(150_000)));
        assert_eq!(axis.holding(ms(9_000), horizon), Axis { from: ms(0), to: ms(40_000) });
    }
}
