//! What the laboratory, which knows the truth, says of an aggregate.

use crate::kernel::SortedMap;
use crate::systems::oracle::Params;
use crate::systems::oracle::aggregator::{Answers, Spread, Strategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
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
    #[serde(serialize_with = "as_map", deserialize_with = "of_map")]
    pub counter_answers: SortedMap<String, f64>,
}

impl Analysis {
    /// What the laboratory says of the answers that `params` aggregates; `None` without an aggregate.
    pub fn of(answers: &Answers, truth: f64, params: &Params) -> Option<Self> {
        let knobs = params.knobs();
        let aggregate = params.strategy.of(answers, &knobs)?;
        let mut counter_answers = SortedMap::default();
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

/// As JSON it is an object.
pub fn as_map<S: Serializer>(map: &SortedMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter())
}

fn of_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SortedMap<String, f64>, D::Error> {
    let mut map = SortedMap::default();
    for (name, value) in BTreeMap::deserialize(deserializer)? {
        map.insert(name, value);
    }
    Ok(map)
}
