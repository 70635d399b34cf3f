//! How a lying worker makes up its answer.

use super::{Params, truth};
use crate::kernel::{Ctx, Instant};
use serde::{Deserialize, Serialize};

/// The ways in which workers lie; one for the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LieMode {
    /// Its honest answer times 1 + bias: all liars are off to the same side, each with its own noise.
    #[default]
    Constant,
    /// The truth times 1 + U(−bias, bias): off to either side, right on average.
    Random,
    /// The answer that it had when it began to lie, again and again: a feed that is stuck. Harmless while the truth
    /// stands still, worse the longer a truth that drifts has moved; the bias plays no part.
    Stale,
    /// The base of the query times 1 + bias, to the last bit: the liars agreed on one value before the run.
    Colluding,
    /// The truth times 1 ± bias · U(½, 3⁄2), drawn anew for each request and each asker: two who compare what they
    /// were told by the same worker find that it lies.
    Equivocating,
}

impl LieMode {
    /// All of them.
    pub const ALL: [LieMode; 5] =
        [LieMode::Constant, LieMode::Random, LieMode::Stale, LieMode::Colluding, LieMode::Equivocating];
    /// Their names in parameters, in the same order.
    pub const NAMES: [&'static str; 5] = ["constant", "random", "stale", "colluding", "equivocating"];

    /// Its name in parameters.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The mode called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// That a worker lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lie {
    /// By how much, relative to the value.
    pub bias: f64,
    /// Since when.
    pub since: Instant,
}

/// A question to a worker: what, which request, and who wants to know (a node's number).
pub(super) struct Asked<'a> {
    pub query: &'a str,
    pub req: u64,
    pub asker: u32,
}

impl Lie {
    /// Whether what it says differs from what an honest worker would say.
    pub(super) fn tells(&self, mode: LieMode) -> bool {
        self.bias != 0.0 || mode == LieMode::Stale
    }

    /// What `worker` says in place of `honest`. Draws have addresses: the worker, the request, the asker.
    pub(super) fn answer(&self, ctx: &Ctx, params: &Params, worker: &str, asked: &Asked, honest: f64) -> f64 {
        let Lie { bias, since } = *self;
        let Params { lie_mode, drift, noise, .. } = *params;
        let truth = |at| truth::value_at(ctx, drift, asked.query, at);
        match lie_mode {
            LieMode::Constant => honest * (1.0 + bias),
            LieMode::Random => {
                let off = ctx.stream(worker, "lie").at(asked.req).uniform(-1.0, 1.0);
                truth(ctx.now()) * (1.0 + bias * off)
            }
            LieMode::Stale => {
                // Requests count from 1, so this is nobody else's draw: every repetition has the same noise.
                truth(since) * (1.0 + ctx.stream(worker, "noise").at(0).uniform(-noise, noise))
            }
            LieMode::Colluding => truth::base(asked.query) * (1.0 + bias),
            LieMode::Equivocating => {
                let mut draws = ctx.stream(worker, "lie").at(asked.req << 20 ^ u64::from(asked.asker));
                let sign = if draws.chance(0.5) { bias } else { -bias };
                truth(ctx.now()) * (1.0 + sign * draws.uniform(0.5, 1.5))
            }
        }
    }
}
