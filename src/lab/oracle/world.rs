//! What the laboratory knows of an oracle besides its facts: the truth, who listens to a broker, and who does not run.

use super::task::TaskEntry;
use crate::kernel::{Ctx, Instant};
use crate::net::Net;
use crate::systems::oracle::{Cast, Delivery, Params, truth};
use std::rc::Rc;

/// An oracle's surroundings.
pub(super) struct World {
    ctx: Ctx,
    cast: Cast,
    /// Where somebody looks.
    net: Option<Net>,
}

impl World {
    pub(super) fn new(net: &Net, cast: &Cast, observed: bool) -> Self {
        World { ctx: net.ctx().clone(), cast: cast.clone(), net: observed.then(|| net.clone()) }
    }

    /// The workers that do not run now, besides those that have one of these tasks.
    pub(super) fn down_besides(&self, tasks: &[TaskEntry]) -> Vec<u32> {
        let Some(net) = self.net.as_ref().filter(|_| tasks.len() < self.workers()) else { return Vec::new() };
        let mut is_asked = vec![false; self.workers()];
        tasks.iter().filter_map(|task| self.index_of(task.node)).for_each(|worker| is_asked[worker] = true);
        let others = self.cast.workers.iter().zip(is_asked).filter(|(_, is_asked)| !is_asked);
        others.filter(|&(&node, _)| !net.is_up(node)).map(|(node, _)| node.0).collect()
    }

    pub(super) fn params(&self) -> &Params {
        &self.cast.params
    }

    /// The true value of a query at an instant.
    pub(super) fn truth(&self, query: &str, at: Instant) -> f64 {
        truth::value_at(&self.ctx, self.params().drift, query, at)
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> usize {
        self.cast.workers.len()
    }

    /// The number of the worker at a node, counted from 0.
    pub(super) fn index_of(&self, node: u32) -> Option<usize> {
        let index = node.checked_sub(self.cast.workers.first()?.0)? as usize;
        (index < self.workers()).then_some(index)
    }

    /// The name of a worker.
    pub(super) fn name(&self, worker: usize) -> Rc<str> {
        Rc::clone(&self.cast.names[worker])
    }

    /// The workers that hear what is published now, in their order, with their nodes. Of a queue group nobody knows yet who
    /// will.
    pub(super) fn hearers(&self) -> impl Iterator<Item = (Rc<str>, u32)> {
        let all = if self.params().delivery == Delivery::Queue { 0 } else { self.workers() };
        (0..all).filter(|&i| self.cast.hears(i)).map(|i| (self.name(i), self.cast.workers[i].0))
    }
}
