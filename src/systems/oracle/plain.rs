//! Stands in the place of `model.rs` in a program without it: delays are uniform, no worker is slow or has a queue, all are
//! asked, and nobody asks again.

use super::messages::OracleRequest;
use super::registry::Member;
use super::{Params, Site};
use crate::kernel::{Ctx, Duration, Rng};
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Response};
use std::future::Ready;
use std::rc::Rc;

/// It has no parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model(());

impl Params {
    /// Whether a worker does only so many tasks at once.
    pub fn has_queues(&self) -> bool {
        false
    }

    /// Where charts end that are to show all delays.
    pub fn long_delay(&self) -> Duration {
        self.delay_max
    }
}

/// What all workers of a run have in common: nothing.
pub(super) struct OnSite;

impl OnSite {
    pub(super) fn of(_: &Ctx, _: &Params) -> Self {
        OnSite
    }

    pub(super) fn at_worker(&self, _: usize, _: &Params) -> AtWorker {
        AtWorker
    }
}

/// What each has of it.
pub(super) struct AtWorker;

impl AtWorker {
    /// How long a task takes it, before faults.
    pub(super) fn delay(&self, params: &Params, mut rng: Rng) -> Duration {
        rng.duration(params.delay_min, params.delay_max)
    }

    /// Nothing waits.
    pub(super) fn turn(&self, _: &Ctx) -> Option<Ready<Option<()>>> {
        None
    }
}

/// All are asked.
pub(super) fn choose(_: &Site, _: &OracleRequest, members: Rc<[Member]>) -> Rc<[Member]> {
    members
}

/// How often a client may send its request again after a failure.
pub(super) struct Tries;

impl Tries {
    pub(super) fn of(_: &Params) -> Self {
        Tries
    }

    /// Never.
    pub(super) async fn again(
        &mut self,
        _: &Site,
        _: &Result<Response, HttpError>,
        _: &mut Json<OracleRequest>,
    ) -> bool {
        false
    }
}
