//! A broker between the coordinator and the workers, in place of HTTP: what the roles ask of one.
//!
//! Which broker there is, whoever starts an oracle says ([`Plug`]). So a program that plugs in none has no code of any.

use super::Site;
use super::coordinator::{Answers, Coordinator};
use super::messages::OracleRequest;
use super::worker::Worker;
use crate::net::{NodeId, Shutdown};
use crate::substrate::body::Json;
use futures::future::LocalBoxFuture;
use std::rc::Rc;

/// How to connect an oracle's nodes by a broker.
#[derive(Clone, Copy)]
pub struct Plug(pub(super) fn(&Stage<'_>) -> Rc<dyn Broker>);

/// The nodes that a broker finds, on which nothing runs yet.
pub(super) struct Stage<'a> {
    pub(super) http: &'a crate::substrate::http::Http,
    pub(super) params: &'a super::Params,
    pub(super) console: NodeId,
    pub(super) coordinator: NodeId,
}

/// A broker, and what roles do over it.
pub(super) trait Broker {
    /// Its node.
    fn node(&self) -> NodeId;

    /// Says what its node runs, and starts it.
    fn start(&self, site: &Rc<Site>);

    /// The end of it that a new coordinator process has.
    fn link(&self) -> Rc<dyn Link>;

    /// What a worker does from its start to its end.
    fn serve<'a>(&'a self, worker: &'a Rc<Worker>, shutdown: &'a Shutdown) -> LocalBoxFuture<'a, ()>;

    /// Whether a worker, counted from 0, has a connection now.
    fn hears(&self, i: usize, worker: NodeId) -> bool;

    /// Whether the coordinator has a connection now.
    fn is_asked(&self, coordinator: NodeId) -> bool;

    /// How many messages it has stored: tasks, results.
    fn stored(&self) -> [u64; 2];
}

/// A coordinator's end of a broker.
pub(super) trait Link {
    /// Takes results, for ever.
    fn tend<'a>(&'a self, coordinator: &'a Coordinator) -> LocalBoxFuture<'a, ()>;

    /// Whether a task can be published now; the error says why not.
    fn check(&self) -> Result<(), String>;

    /// What `GET /health` says of a coordinator that knows so many workers.
    fn health(&self, workers: usize) -> serde_json::Value;

    /// Publishes a task and gathers what the workers make of it, as long as the coordinator waits: first those that came, in that
    /// order, then the others of whom it knows. `handling` is the number of the fact that opened its request.
    fn ask<'a>(
        &'a self,
        coordinator: &'a Coordinator,
        task: &'a Json<OracleRequest>,
        handling: u64,
    ) -> LocalBoxFuture<'a, Answers>;
}
