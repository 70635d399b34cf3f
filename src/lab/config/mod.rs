//! The configuration system in the laboratory: `params.rs` and `presets.rs` say what can be set and what is shipped,
//! `measures.rs` what a run amounts to, `checks.rs` what must hold. Its units of work are the versions of the configuration.

pub mod checks;
pub mod measures;
pub mod params;
pub(in crate::lab) mod presets;

use super::check::Check;
use super::figures::Figures;
use super::invalid::Invalid;
use super::options::Options;
use super::params::{self as tables, Setting};
use super::system::{Done, Room, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::Request;
use crate::systems::config::{Config, Params, SERVICES};
use measures::Measures;
use params as table;
use serde_json::Value;

/// The configuration system.
pub const KIND: SystemKind = SystemKind { name: "config", title: "Config", over: "ETag", unit: "versions" };

/// The configuration system, for the list of systems.
pub(in crate::lab) static ROOM: Room = Room { kind: KIND, presets: &presets::PRESETS, services: &SERVICES };

/// The parameters, each at its default.
pub fn defaults() -> Box<dyn Settings> {
    Box::new(Params::default())
}

/// The configuration system behind a system, if it is one.
pub fn of(system: &dyn System) -> Option<&Config> {
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
        table::check(self)
    }

    fn start(self: Box<Self>, net: &Net, options: &Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..*self };
        Box::new(Config::start(net, params, options.keep))
    }
}

impl System for Config {
    fn kind(&self) -> SystemKind {
        KIND
    }

    fn instances(&self) -> &[NodeId] {
        self.workers()
    }

    fn describe_nodes(&self) -> String {
        let (agents, workers) = (self.agents().len(), self.workers().len());
        let valkey = if self.params().trigger { "valkey, " } else { "" };
        format!(
            "client, controller, console, {valkey}an agent from a-01 to a-{agents:02}, \
             or a worker from w-01 to w-{workers:02}"
        )
    }

    fn settings(&self) -> Vec<Setting> {
        tables::all(&table::TABLE, self.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        Config::call(self, request, limit, done);
    }

    fn begun(&self) -> u64 {
        self.changes()
    }

    /// When each version could first be served, but for the one that the controller is delivered with.
    fn begun_at(&self) -> Vec<Instant> {
        let log = self.log();
        log.versions().iter().filter(|entry| entry.number > 1).map(|entry| entry.stored_at).collect()
    }

    /// How many changes were intended, and how many were answered.
    fn progress(&self) -> (u64, u64) {
        (self.changes(), self.log().puts.answered)
    }

    fn figures(&self) -> Figures {
        figures(self)
    }

    fn open_entries(&self) -> Vec<Value> {
        Vec::new()
    }

    fn checks(&self) -> Vec<Check> {
        checks::check(self)
    }
}

fn figures(config: &Config) -> Figures {
    let measures = Measures::of(&config.log(), config.now());
    let Measures { requests, requests_per_s, herd_peak, herd_peak_since_restart, polls, .. } = measures;
    let log = config.log();
    let (puts, workers) = (log.puts, log.workers().len());
    let current = (0..workers).filter(|&i| log.stale_since(i).is_none()).count();
    let mut figures = Figures::default();
    let words = format!("{}: {current} of {workers} workers run it", log.newest());
    figures.tell("version", log.newest(), "version", words);
    let words = format!(
        "{}: {} answered, {} conflicts, {} refused, {} tries without an answer",
        config.changes(),
        puts.answered,
        puts.conflicts,
        puts.refused,
        puts.unanswered
    );
    figures.tell("changes", config.changes(), "changes", words);
    let words = measures.staleness_ms.map_or_else(String::new, |s| {
        let (p50, p95, max) = (s.p50 / 1000.0, s.p95 / 1000.0, s.max / 1000.0);
        format!("p50 {p50:.1} s, p95 {p95:.1} s, max {max:.1} s")
    });
    figures.tell("staleness_ms", measures.staleness_ms, "staleness", words);
    figures.add("stale_now_ms", &measures.stale_now_ms);
    // The shipped version was there before anybody asked.
    let times: Vec<f64> = measures.convergence.iter().skip(1).filter_map(|version| version.ms).collect();
    let slowest = times.iter().copied().max_by(f64::total_cmp);
    let words = slowest.map_or_else(String::new, |slowest| {
        let mean = times.iter().sum::<f64>() / times.len() as f64 / 1000.0;
        let (count, slowest) = (times.len(), slowest / 1000.0);
        format!("{count} versions everywhere, in {mean:.1} s on average, {slowest:.1} s at most")
    });
    figures.tell("convergence", &measures.convergence, "convergence", words);
    let share = measures.share_not_modified.unwrap_or_default() * 100.0;
    let words = format!("{polls}, {share:.1} % of the answered with 304; {} failed", log.polls.failed);
    figures.tell("polls", polls, "polls", words);
    figures.add("share_not_modified", measures.share_not_modified);
    let since =
        herd_peak_since_restart.map_or_else(String::new, |peak| format!(", {peak} since it restarted"));
    let words =
        format!("{requests} requests, {requests_per_s:.2} a second, at most {herd_peak} in one{since}");
    figures.tell("requests", requests, "controller", words);
    figures.add("requests_per_s", requests_per_s);
    figures.add("herd_peak", herd_peak);
    figures.add("herd_peak_since_restart", herd_peak_since_restart);
    let words = format!(
        "{} done, {} failed by what the configuration says",
        measures.ticks_done, measures.ticks_failed
    );
    figures.tell("ticks_done", measures.ticks_done, "work", words);
    figures.add("ticks_failed", measures.ticks_failed);
    figures
}
