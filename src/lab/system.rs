//! What the laboratory asks of a system, whichever it is.
//!
//! A new system implements [`Settings`] and [`System`] in a file of its own beside `system/oracle.rs`, and gets a
//! [`SystemKind`]; everything else in the laboratory stays as it is.

#[cfg(feature = "all-systems")]
mod config;
mod oracle;
#[cfg(feature = "all-systems")]
mod wizard;

use super::metrics::Summary;
use super::params::Setting;
use super::{Invalid, Options};
use crate::kernel::{Duration, Instant};
use crate::net::{Net, NodeId};
use crate::substrate::http::{HttpError, Request, Response};
use crate::systems::oracle::checks::Check;
use serde::Serialize;
use serde_json::Value;
use std::any::Any;

/// Which system a scenario is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemKind {
    /// The oracle over HTTP.
    OracleHttp,
    /// The oracle over NATS.
    OracleNats,
    /// The configuration system.
    Config,
    /// The Math Wizard: a queue between those who take jobs and those who do them.
    MathWizard,
}

impl SystemKind {
    /// All of them, in the order of the page's header.
    pub const ALL: [SystemKind; 4] =
        [SystemKind::OracleHttp, SystemKind::OracleNats, SystemKind::MathWizard, SystemKind::Config];

    /// What it is called, and what it runs over.
    pub const fn title(self) -> (&'static str, &'static str) {
        match self {
            SystemKind::OracleHttp => ("Oracle", "HTTP"),
            SystemKind::OracleNats => ("Oracle", "NATS"),
            SystemKind::Config => ("Config", "ETag"),
            SystemKind::MathWizard => ("Math Wizard", "Valkey"),
        }
    }

    /// Its name in the automation surface and on the page.
    pub const fn name(self) -> &'static str {
        match self {
            SystemKind::OracleHttp => "oracle-http",
            SystemKind::OracleNats => "oracle-nats",
            SystemKind::Config => "config",
            SystemKind::MathWizard => "math-wizard",
        }
    }

    /// Its parameters, each at its default; none in a program that lacks the system.
    pub(super) fn defaults(self) -> Option<Box<dyn Settings>> {
        match self {
            SystemKind::OracleHttp => Some(Box::new(crate::systems::oracle::Params::default())),
            #[cfg(feature = "all-systems")]
            SystemKind::OracleNats => Some(Box::new(crate::systems::oracle::Params::over_nats())),
            #[cfg(feature = "all-systems")]
            SystemKind::MathWizard => Some(Box::new(crate::systems::wizard::Params::default())),
            #[cfg(feature = "all-systems")]
            SystemKind::Config => Some(Box::new(crate::systems::config::Params::default())),
            #[cfg(not(feature = "all-systems"))]
            SystemKind::OracleNats | SystemKind::MathWizard | SystemKind::Config => None,
        }
    }
}

/// A system's parameters.
pub trait Settings {
    /// Sets one from JSON or from text.
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Invalid>;
    /// What only holds between parameters.
    fn check(&self) -> Result<(), Invalid>;
    /// Builds a system with them, and starts its nodes.
    fn start(self: Box<Self>, net: &Net, options: Options) -> Box<dyn System>;
}

/// Who hears of the answer to a call.
pub type Done = Box<dyn FnOnce(Result<Response, HttpError>)>;

/// A running system.
pub trait System: Any {
    /// Which it is.
    fn kind(&self) -> SystemKind;

    /// The nodes of which there are as many as one likes: those that a fault about "some" chooses among.
    fn instances(&self) -> &[NodeId];

    /// The names that a fault may be about, in words.
    fn describe_nodes(&self) -> String;

    /// The parameters, in the order in which they are shown.
    fn settings(&self) -> Vec<Setting>;

    /// Calls the simulated API from the console; `done` gets the response.
    fn call(&self, request: Request, limit: Duration, done: Done);

    /// How many requests were intended so far.
    fn requests(&self) -> u64;

    /// When each request that the log kept was intended.
    fn request_instants(&self) -> Vec<Instant>;

    /// Changes whenever a request begins or ends.
    fn progress(&self) -> (u64, u64);

    /// The figures over what the log kept.
    fn summary(&self) -> Summary;

    /// Figures of its own, which the summary has no place for.
    fn measures(&self) -> Option<Value> {
        None
    }

    /// The same for a person, a figure a line, where they tell more than the summary; empty where there are none.
    fn measures_text(&self) -> String {
        String::new()
    }

    /// The invariants of its kind, over what its log kept.
    fn checks(&self) -> Vec<Check>;

    /// Who can lie.
    fn liars(&self) -> &[NodeId] {
        &[]
    }

    /// By how much a node lies.
    fn lie_of(&self, _: NodeId) -> Option<f64> {
        None
    }

    /// Makes a node lie, or makes it honest again.
    fn set_lie(&self, _: NodeId, _: Option<f64>) {}
}

impl dyn System {
    /// The system itself, if it is of that type.
    pub fn of_type<T: System>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }

    /// The Math Wizard, if it is one.
    #[cfg(feature = "all-systems")]
    pub fn wizard(&self) -> Option<&crate::systems::wizard::Wizard> {
        self.of_type()
    }

    /// The oracle, if it is one.
    pub fn oracle(&self) -> Option<&crate::systems::oracle::Oracle> {
        self.of_type()
    }
}
