//! The configuration system as the laboratory drives it. Its requests are the changes of the configuration.

use super::{Done, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::lab::metrics::Summary;
use crate::lab::params::{self, Setting, config as table};
use crate::lab::{Invalid, Options};
use crate::net::{Net, NodeId};
use crate::substrate::http::Request;
use crate::systems::config::measures::Measures;
use crate::systems::config::{Config, Params, checks};
use crate::systems::oracle::checks::Check;
use serde_json::Value;
use std::fmt::Write;

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        params::set(&table::TABLE, self, key, value)
    }

    fn check(&self) -> Result<(), Invalid> {
        table::check(self)
    }

    fn start(self: Box<Self>, net: &Net, options: Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..*self };
        Box::new(Config::start(net, params, options.keep))
    }
}

impl System for Config {
    fn kind(&self) -> SystemKind {
        SystemKind::Config
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
        params::all(&table::TABLE, self.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        Config::call(self, request, limit, done);
    }

    fn requests(&self) -> u64 {
        self.changes()
    }

    /// When each version could first be served, but for the one that the controller is delivered with.
    fn request_instants(&self) -> Vec<Instant> {
        let log = self.log();
        log.versions().iter().filter(|entry| entry.number > 1).map(|entry| entry.stored_at).collect()
    }

    /// How many changes were intended, and how many were answered.
    fn progress(&self) -> (u64, u64) {
        (self.changes(), self.log().puts.answered)
    }

    /// Of the changes; the figures that an oracle's requests have do not exist for them.
    fn summary(&self) -> Summary {
        let (changes, puts) = (self.changes() as usize, self.log().puts);
        let (answered, unanswered) = (puts.answered as usize, puts.refused as usize);
        let pending = changes.saturating_sub(answered + unanswered);
        Summary { requests: changes, answered, unanswered, pending, ..Summary::default() }
    }

    fn measures(&self) -> Option<Value> {
        serde_json::to_value(Config::measures(self)).ok()
    }

    fn measures_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write_measures(&mut text, self);
        text
    }

    fn checks(&self) -> Vec<Check> {
        checks::check(self)
    }
}

fn write_measures(f: &mut String, config: &Config) -> std::fmt::Result {
    let Measures {
        requests,
        requests_per_s,
        herd_peak,
        herd_peak_since_restart,
        polls,
        share_not_modified,
        staleness_ms,
        convergence,
        ticks_done,
        ticks_failed,
        ..
    } = config.measures();
    let log = config.log();
    let puts = log.puts;
    let current = (0..log.workers().len()).filter(|&i| log.stale_since(i).is_none()).count();
    writeln!(f, "version     {}: {current} of {} workers run it", log.newest(), log.workers().len())?;
    writeln!(
        f,
        "changes     {}: {} answered, {} conflicts, {} refused, {} tries without an answer",
        config.changes(),
        puts.answered,
        puts.conflicts,
        puts.refused,
        puts.unanswered
    )?;
    if let Some(s) = staleness_ms {
        let (p50, p95, max) = (s.p50 / 1000.0, s.p95 / 1000.0, s.max / 1000.0);
        writeln!(f, "staleness   p50 {p50:.1} s, p95 {p95:.1} s, max {max:.1} s")?;
    }
    // The shipped version was there before anybody asked.
    let times: Vec<f64> = convergence.iter().skip(1).filter_map(|version| version.ms).collect();
    if let Some(slowest) = times.iter().copied().max_by(f64::total_cmp) {
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        writeln!(
            f,
            "convergence {} versions everywhere, in {:.1} s on average, {:.1} s at most",
            times.len(),
            mean / 1000.0,
            slowest / 1000.0
        )?;
    }
    let share = share_not_modified.unwrap_or_default() * 100.0;
    writeln!(f, "polls       {polls}, {share:.1} % of the answered with 304; {} failed", log.polls.failed)?;
    write!(f, "controller  {requests} requests, {requests_per_s:.2} a second, at most {herd_peak} in one")?;
    match herd_peak_since_restart {
        Some(peak) => writeln!(f, ", {peak} since it restarted")?,
        None => writeln!(f)?,
    }
    writeln!(f, "work        {ticks_done} done, {ticks_failed} failed by what the configuration says")
}
