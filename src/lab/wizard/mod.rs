//! The Math Wizard in the laboratory: `params.rs` and `presets.rs` say what can be set and what is shipped, `measures.rs` what
//! a run amounts to, `theory.rs` what a queue should do, `checks.rs` what must hold.

pub mod checks;
pub mod measures;
pub mod params;
pub(in crate::lab) mod presets;
pub mod theory;

use super::check::Check;
use super::figures::Figures;
use super::invalid::Invalid;
use super::options::Options;
use super::params::{self as tables, Setting};
use super::system::{Done, Room, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::Request;
use crate::systems::wizard::{Params, SERVICES, Wizard};
use measures::Measures;
use params as table;
use serde_json::Value;

/// The Math Wizard.
pub const KIND: SystemKind =
    SystemKind { name: "math-wizard", title: "Math Wizard", over: "Valkey", unit: "jobs" };

/// The Math Wizard, for the list of systems.
pub(in crate::lab) static ROOM: Room = Room { kind: KIND, presets: &presets::PRESETS, services: &SERVICES };

/// The parameters, each at its default.
pub fn defaults() -> Box<dyn Settings> {
    Box::new(Params::default())
}

/// The Math Wizard behind a system, if it is one.
pub fn of(system: &dyn System) -> Option<&Wizard> {
    system.of_type()
}

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        tables::set(&table::TABLE, self, key, value)
    }

    fn all(&self) -> Vec<Setting> {
        tables::all(&table::TABLE, self)
    }

    fn check(&self) -> Result<(), Invalid> {
        // Any of them goes with any other.
        Ok(())
    }

    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..*self };
        Box::new(Wizard::start(net, params, options.keep))
    }
}

impl System for Wizard {
    fn kind(&self) -> SystemKind {
        KIND
    }

    fn instances(&self) -> &[NodeId] {
        self.nodes()
    }

    fn describe_nodes(&self) -> String {
        let count = self.nodes().len();
        format!(
            "client, gateway, valkey, console, a container from c-01 to c-{count:02}, or a process such as c-01-api or c-01-worker-1"
        )
    }

    fn settings(&self) -> Vec<Setting> {
        tables::all(&table::TABLE, self.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        Wizard::call(self, request, limit, done);
    }

    fn begun(&self) -> u64 {
        self.submissions()
    }

    fn begun_at(&self) -> Vec<Instant> {
        self.log().submissions().iter().map(|submission| submission.intended_at).collect()
    }

    /// The newest submission's number, and how much has become of jobs.
    fn progress(&self) -> (u64, u64) {
        let counts = self.log().counts;
        let ended = counts.done + counts.done_again + counts.lost + counts.dead + counts.gave_up;
        let answered = counts.refused_busy + counts.refused_rate + counts.refused_other;
        (self.submissions(), counts.acknowledged + ended + answered)
    }

    fn figures(&self) -> Figures {
        Measures::of(&self.log(), self.now()).figures()
    }

    fn open_entries(&self) -> Vec<Value> {
        Vec::new()
    }

    fn checks(&self) -> Vec<Check> {
        checks::check(&self.log())
    }
}
