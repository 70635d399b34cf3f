//! What makes an oracle resemble a system of one's own: by which law its tasks take their time, which workers are slow, how
//! many tasks one does at once, how many workers are asked, and who sends a request again.
//!
//! Every draw has its address: the worker, what for, and the request's number with its attempt. The program that the page
//! opens with has `plain.rs` in place of this file: there all of it is as it is by default.

pub mod delay;
mod slots;

use super::client::{answer_of, retry_after};
use super::fact::Fact;
use super::messages::OracleRequest;
use super::registry::Member;
use super::{Params, Site};
use crate::kernel::{Ctx, Duration, Rng};
use crate::substrate::body::Json;
use crate::substrate::http::{HttpError, Response};
use delay::{Delay, DelayLaw, Delays};
use futures::future::LocalBoxFuture;
use slots::{Slot, Slots};
use std::rc::Rc;

/// From so many on those who are asked are marked in a row of bits, not kept in order one by one.
const MARKED_FROM: u64 = 256;

/// Its parameters. The key of each in the table of parameters is its name with hyphens, and with `delay-` before those of the
/// law of delays.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// By which law tasks take their time.
    pub law: DelayLaw,
    /// The constant and the exponential law's mean.
    pub mean: Duration,
    /// The lognormal law's median.
    pub p50: Duration,
    /// Its 99th percentile.
    pub p99: Duration,
    /// The Pareto law's shape.
    pub shape: f64,
    /// The empirical law's quantiles.
    pub delays: Delays,
    /// The share of workers that are slow all the time, rounded half up to whole workers.
    pub slow_share: f64,
    /// How many times as long everything takes them.
    pub slow_factor: f64,
    /// How many tasks a worker does at once; 0 is no limit.
    pub concurrency: u32,
    /// How many workers are asked; 0 is all.
    pub ask: u32,
    /// How often a client sends a request again after a failure.
    pub retries: u32,
    /// After so long.
    pub retry_pause: Duration,
}

impl Default for Model {
    fn default() -> Self {
        Model {
            law: DelayLaw::Uniform,
            mean: Duration::from_secs(1),
            p50: Duration::from_millis(400),
            p99: Duration::from_secs(2),
            shape: 2.0,
            delays: Delays::default(),
            slow_share: 0.0,
            slow_factor: 4.0,
            concurrency: 0,
            ask: 0,
            retries: 0,
            retry_pause: Duration::from_secs(1),
        }
    }
}

impl Params {
    /// Whether a worker does only so many tasks at once.
    pub fn has_queues(&self) -> bool {
        self.model.concurrency > 0
    }

    /// Where charts end that are to show nearly all delays.
    pub fn long_delay(&self) -> Duration {
        Delay::of(self).long()
    }
}

// --- workers ------------------------------------------------------------------------------------------------------

/// What all workers of a run have in common.
pub(super) struct OnSite {
    delay: Delay,
    /// Who is slow, counted from 0, in order.
    slow: Vec<u64>,
}

impl OnSite {
    /// The slow ones are chosen by the seed, whoever lies. Those that scaling adds are as fast as any.
    pub(super) fn of(ctx: &Ctx, params: &Params) -> Self {
        let workers = f64::from(params.at_first());
        let slow = libm::floor(params.model.slow_share * workers + 0.5) as u64;
        let slow = ctx.stream("lab", "slow").at(0).sample(workers as u64, slow);
        OnSite { delay: Delay::of(params), slow }
    }

    /// What the process of worker `index`, counted from 0, has of it: its queue is empty.
    pub(super) fn at_worker(&self, index: usize, params: &Params) -> AtWorker {
        let Params { model, .. } = params;
        let is_slow = self.slow.binary_search(&(index as u64)).is_ok();
        AtWorker {
            delay: self.delay.clone(),
            slow: is_slow.then_some(model.slow_factor),
            slots: (model.concurrency > 0).then(|| Slots::new(model.concurrency)),
        }
    }
}

/// A worker process's part of it.
pub(super) struct AtWorker {
    delay: Delay,
    slow: Option<f64>,
    slots: Option<Rc<Slots>>,
}

impl AtWorker {
    /// How long a task takes it, before faults.
    #[inline]
    pub(super) fn delay(&self, _: &Params, rng: Rng) -> Duration {
        let delay = self.delay.draw(rng);
        self.slow.map_or(delay, |factor| delay.scale(factor))
    }

    /// What a task waits for before it begins, and keeps until it is done; `None` where nothing waits. Apart, so that what
    /// stands for a task is small.
    pub(super) fn turn(&self, ctx: &Ctx) -> Option<LocalBoxFuture<'static, Option<Slot>>> {
        let (slots, ctx) = (Rc::clone(self.slots.as_ref()?), ctx.clone());
        Some(Box::pin(async move { slots.take(&ctx).await }))
    }
}

// --- who is asked -------------------------------------------------------------------------------------------------

/// Who is asked of those who are registered, in the order of registration: drawn anew for each request, and each time that it
/// is sent. However many there are, it takes the time of those who are asked.
pub(super) fn choose(site: &Site, task: &OracleRequest, members: Rc<[Member]>) -> Rc<[Member]> {
    let (ask, all) = (u64::from(site.params.model.ask), members.len() as u64);
    if ask == 0 || ask >= all {
        return members;
    }
    let rng = site.ctx().stream("coordinator", "ask").at(task.address(site.ctx().span().tag));
    sample(rng, all, ask).into_iter().map(|place| members[place as usize].clone()).collect()
}

/// `ask` of `all` places, in order: what `Rng::sample` gives, which inserts each in order. Of many that would take long.
fn sample(mut rng: Rng, all: u64, ask: u64) -> Vec<u64> {
    if ask < MARKED_FROM {
        return rng.sample(all, ask);
    }
    let mut marked = vec![0_u64; all.div_ceil(64) as usize];
    for last in all - ask..all {
        let drawn = rng.below(last + 1);
        let is_marked = marked[(drawn / 64) as usize] >> (drawn % 64) & 1 == 1;
        let place = if is_marked { last } else { drawn };
        marked[(place / 64) as usize] |= 1 << (place % 64);
    }
    let mut chosen = Vec::with_capacity(ask as usize);
    for (mut bits, first) in marked.into_iter().zip((0..).step_by(64)) {
        while bits != 0 {
            chosen.push(first + u64::from(bits.trailing_zeros()));
            bits &= bits - 1;
        }
    }
    chosen
}

// --- who asks again -----------------------------------------------------------------------------------------------

/// How often a client may still send its request again after a failure.
pub(super) struct Tries(u32);

impl Tries {
    pub(super) fn of(params: &Params) -> Self {
        Tries(params.model.retries)
    }

    /// Waits until it is time to send the request again; false if this answer is the last one. A 429 is none of its business.
    pub(super) async fn again(
        &mut self,
        site: &Site,
        answer: &Result<Response, HttpError>,
        message: &mut Json<OracleRequest>,
    ) -> bool {
        let has_failed = answer.as_ref().map_or(true, |response| response.status >= 500);
        let Some(left) = self.0.checked_sub(1).filter(|_| has_failed) else { return false };
        let (Err(failure), None) = (answer_of(answer), retry_after(answer)) else { return false };
        self.0 = left;
        let after = site.params.model.retry_pause;
        site.tell(Fact::RequestRetried { failure, after });
        *message = Json::new(OracleRequest {
            attempt: message.attempt.saturating_add(1),
            ..OracleRequest::clone(message)
        });
        site.ctx().sleep(after).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_whether_it_is_marked_or_sorted_in() {
        for (all, ask) in [(257, 256), (300, 299), (10_000, 256), (10_000, 9_999), (64_000, 640)] {
            for seed in 0..5 {
                assert_eq!(
                    sample(Rng::new(seed), all, ask),
                    Rng::new(seed).sample(all, ask),
                    "{ask} of {all}"
                );
            }
        }
    }
}
