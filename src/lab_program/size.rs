//! A search for the least point: what was found so far, told anew with every point.

use super::gather::{Gathered, settings_of};
use crate::lab::Invalid;
use crate::lab::experiment::{Metric, Next, Outcome, Sizing, Sought, Task, Work};
use serde_json::Value;

struct Search {
    sizing: Sizing,
    /// How many rows there were, and whether there was an answer, when it was told last.
    told: (usize, bool),
}

/// A search among the points of a question.
pub(super) fn new(question: &str) -> Result<Box<dyn Gathered>, Invalid> {
    let plan = Sought::from_json(question)?.plan()?.check()?;
    Ok(Box::new(Search { sizing: Sizing::new(plan)?, told: (0, false) }))
}

impl Gathered for Search {
    fn metrics(&self) -> &[Metric] {
        &self.sizing.plan().metrics
    }

    fn settings(&self, task: &Task) -> Value {
        settings_of(self.sizing.plan(), task)
    }

    fn faults(&self) -> &[String] {
        self.sizing.faults()
    }

    fn state(&mut self) -> Option<String> {
        let now = (self.sizing.rows().count(), self.sizing.answer().is_some());
        let is_new = std::mem::replace(&mut self.told, now) != now;
        is_new.then(|| self.sizing.to_json())
    }
}

impl Work for Search {
    fn next(&mut self) -> Next {
        self.sizing.next()
    }

    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid> {
        self.sizing.take(task, outcome)
    }

    fn progress(&self) -> (u64, u64) {
        self.sizing.progress()
    }
}
