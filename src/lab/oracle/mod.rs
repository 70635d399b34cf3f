//! The oracle in the laboratory, over HTTP and over NATS: `params.rs` and `presets.rs` say what can be set and what is
//! shipped, `metrics.rs` what a run amounts to, `entry.rs` what is reported of a request, `checks.rs` what must hold.

pub mod checks;
pub mod entry;
pub mod metrics;
pub mod params;
pub(in crate::lab) mod presets;
pub(in crate::lab) mod presets_nats;

use super::check::Check;
use super::figures::Figures;
use super::invalid::Invalid;
use super::options::Options;
use super::params as tables;
use super::params::Setting;
use super::system::{Done, Knob, Room, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::Request;
use crate::systems::oracle::{Oracle, Params, SERVICES};
use entry::RequestReport;
use params as table;
use serde_json::Value;

/// The oracle over HTTP.
pub const HTTP: SystemKind =
    SystemKind { name: "oracle-http", title: "Oracle", over: "HTTP", unit: "requests" };
/// The oracle over NATS.
pub const NATS: SystemKind =
    SystemKind { name: "oracle-nats", title: "Oracle", over: "NATS", unit: "requests" };

/// The oracle over HTTP, for the list of systems.
pub(in crate::lab) static OVER_HTTP: Room =
    Room { kind: HTTP, presets: &presets::PRESETS, services: &SERVICES };
/// The oracle over NATS, for the list of systems.
pub(in crate::lab) static OVER_NATS: Room =
    Room { kind: NATS, presets: &presets_nats::PRESETS, services: &SERVICES };

/// The parameters over HTTP, each at its default.
pub fn over_http() -> Box<dyn Settings> {
    Box::new(Params::default())
}

/// The parameters over NATS, each at its default.
pub fn over_nats() -> Box<dyn Settings> {
    Box::new(Params::over_nats())
}

/// The oracle behind a system, if it is one.
pub fn of(system: &dyn System) -> Option<&Oracle> {
    system.of_type()
}

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        tables::set(table::table(self), self, key, value)
    }

    fn all(&self) -> Vec<Setting> {
        tables::all(table::table(self), self)
    }

    fn check(&self) -> Result<(), Invalid> {
        table::check(self)
    }

    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..*self };
        Box::new(Oracle::start(net, params, options.keep))
    }
}

impl System for Oracle {
    fn kind(&self) -> SystemKind {
        if self.params().has_broker() { NATS } else { HTTP }
    }

    fn instances(&self) -> &[NodeId] {
        self.workers()
    }

    fn describe_nodes(&self) -> String {
        let broker = if self.params().has_broker() { "nats, " } else { "" };
        format!(
            "client, coordinator, {broker}console, or a worker from w-01 to w-{:02}",
            self.workers().len()
        )
    }

    fn settings(&self) -> Vec<Setting> {
        tables::all(table::table(self.params()), self.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        Oracle::call(self, request, limit, done);
    }

    fn begun(&self) -> u64 {
        Oracle::requests(self)
    }

    fn begun_at(&self) -> Vec<Instant> {
        self.log().requests().iter().map(|request| request.requested_at).collect()
    }

    /// The newest request's number, and how many of the newest wait.
    fn progress(&self) -> (u64, u64) {
        let log = self.log();
        let waiting = log.requests().iter().rev().take_while(|request| request.answered_at.is_none());
        (log.requests().back().map_or(0, |request| request.number), waiting.count() as u64)
    }

    fn figures(&self) -> Figures {
        metrics::summarise(&self.log()).figures()
    }

    fn open_entries(&self) -> Vec<Value> {
        let to_json = |report| serde_json::to_value(&report).unwrap_or_default();
        self.log().requests().iter().map(RequestReport::from).map(to_json).collect()
    }

    fn newest_text(&self) -> String {
        let log = self.log();
        let newest = log.requests().iter().rev().find(|request| request.answered_at.is_some());
        newest.map_or_else(String::new, |entry| RequestReport::from(entry).to_text())
    }

    fn checks(&self) -> Vec<Check> {
        checks::check(&self.log(), self.params())
    }

    fn knob(&self, name: &str) -> Option<&dyn Knob> {
        (name == "lie").then_some(self)
    }
}

/// By how much each worker lies.
impl Knob for Oracle {
    fn nodes(&self) -> &[NodeId] {
        self.workers()
    }

    fn get(&self, node: NodeId) -> Option<f64> {
        self.lie_of(node)
    }

    fn set(&self, node: NodeId, bias: Option<f64>) {
        self.set_lie(node, bias);
    }
}
