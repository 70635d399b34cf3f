//! A run's scenario with nothing left to look up.

use super::Run;
use crate::kernel::Instant;
use crate::lab::fault::{self, Fault};
use crate::lab::presets;
use crate::lab::scenario::Scenario;

impl Run {
    /// The scenario with every setting, default or not, and the faults as they were resolved. Played, it is the same run.
    pub fn spelled_out(&self) -> Scenario {
        let mut scenario = self.scenario().clone();
        scenario.set = self.settings().iter().map(|set| (set.key.to_owned(), self.at_first(set))).collect();
        scenario.faults = Some(self.scheduled_faults());
        scenario.horizon = Some(self.horizon().since(Instant::ZERO).to_string());
        scenario
    }

    /// The scenario's own faults, or those of the preset's that found their nodes in this run.
    fn scheduled_faults(&self) -> String {
        let scenario = self.scenario();
        if let Some(faults) = &scenario.faults {
            return faults.clone();
        }
        let preset = presets::find(&scenario.preset).map_or("", |preset| preset.faults);
        let planned =
            |f: &&Fault| self.faults().any(|g| (f.kind, &f.target, f.start) == (g.kind, &g.target, g.start));
        let faults = fault::parse_list(preset).unwrap_or_default();
        fault::format_list(faults.iter().filter(planned))
    }
}
