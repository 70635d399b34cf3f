//! What the laboratory, which knows the truth, says of an aggregate.

use crate::systems::oracle::Params;
use crate::systems::oracle::aggregator::{Answers, Spread, Strategy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An aggregate beside the truth, and beside what the other strategies would have made of the same answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The true value when the coordinator took the request up.
    pub truth: f64,
    /// (aggregate − truth) / truth.
    pub error: f64,
    /// How many answers stand behind the aggregate.
    pub support: usize,
    /// How far the answers used lie apart.
    pub spread: Spread,
    /// What each strategy makes of the same answers.
    pub counter_answers: BTreeMap<String, f64>,
}

impl Analysis {
    /// What the laboratory says of the answers that `params` aggregates; `None` without an aggregate.
    pub fn of(answers: &Answers, truth: f64, params: &Params) -> Option<Self> {
        let knobs = params.knobs();
        let aggregate = params.strategy.of(answers, &knobs)?;
        let mut counter_answers = BTreeMap::new();
        for strategy in Strategy::ALL {
            if let Some(counter) = strategy.of(answers, &knobs) {
                counter_answers.insert(strategy.name().to_owned(), counter.value);
            }
        }
        Some(Analysis {
            truth,
            error: (aggregate.value - truth) / truth,
            support: aggregate.support,
            spread: answers.spread()?,
            counter_answers,
        })
    }
}
