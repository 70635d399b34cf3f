//! The oracle as the laboratory drives it.

use super::{Done, Settings, System, SystemKind};
use crate::kernel::{Duration, Instant};
use crate::lab::metrics::{self, Summary};
use crate::lab::params::{self, Setting, oracle as table};
use crate::lab::{Invalid, Options};
use crate::net::{Net, NodeId};
use crate::substrate::http::Request;
use crate::systems::oracle::checks::{self, Check};
use crate::systems::oracle::{Oracle, Params};
use serde_json::Value;

impl Settings for Params {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid> {
        params::set(table::table(self), self, key, value)
    }

    fn check(&self) -> Result<(), Invalid> {
        table::check(self)
    }

    fn start(self: Box<Self>, net: &Net, options: Options) -> Box<dyn System> {
        let params = Params { client_on: options.client, ..*self };
        Box::new(Oracle::start(net, params, options.keep))
    }
}

impl System for Oracle {
    fn kind(&self) -> SystemKind {
        if self.params().has_broker() { SystemKind::OracleNats } else { SystemKind::OracleHttp }
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
        params::all(table::table(self.params()), self.params())
    }

    fn call(&self, request: Request, limit: Duration, done: Done) {
        Oracle::call(self, request, limit, done);
    }

    fn requests(&self) -> u64 {
        Oracle::requests(self)
    }

    fn request_instants(&self) -> Vec<Instant> {
        self.log().requests().iter().map(|request| request.requested_at).collect()
    }

    /// The newest request's number, and how many of the newest wait.
    fn progress(&self) -> (u64, u64) {
        let log = self.log();
        let waiting = log.requests().iter().rev().take_while(|request| request.answered_at.is_none());
        (log.requests().back().map_or(0, |request| request.number), waiting.count() as u64)
    }

    fn summary(&self) -> Summary {
        metrics::summarise(&self.log())
    }

    fn checks(&self) -> Vec<Check> {
        checks::check(&self.log(), self.params())
    }

    fn liars(&self) -> &[NodeId] {
        self.workers()
    }

    fn lie_of(&self, node: NodeId) -> Option<f64> {
        Oracle::lie_of(self, node)
    }

    fn set_lie(&self, node: NodeId, bias: Option<f64>) {
        Oracle::set_lie(self, node, bias);
    }
}
