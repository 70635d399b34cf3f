//! What each value of a key would give: all that is known, told anew whenever a row is.

use super::gather::{Gathered, settings_of};
use crate::lab::Invalid;
use crate::lab::experiment::{Foresight, Metric, Next, Outcome, Question, Task, Work};
use serde_json::Value;

struct Values {
    foresight: Foresight,
    /// How many units of work the rows had together when they were told last.
    told: u64,
}

/// A question that is to be answered.
pub(super) fn new(question: &str) -> Result<Box<dyn Gathered>, Invalid> {
    let foresight = Foresight::new(Question::from_json(question)?)?;
    Ok(Box::new(Values { foresight, told: 0 }))
}

impl Gathered for Values {
    fn metrics(&self) -> &[Metric] {
        &self.foresight.plan().metrics
    }

    fn settings(&self, task: &Task) -> Value {
        settings_of(self.foresight.plan(), task)
    }

    fn faults(&self) -> &[String] {
        self.foresight.faults()
    }

    fn state(&mut self) -> Option<String> {
        let now = self.foresight.rows().flatten().map(|row| row.requests).sum();
        let is_new = std::mem::replace(&mut self.told, now) != now;
        is_new.then(|| self.foresight.told().to_string())
    }
}

impl Work for Values {
    fn next(&mut self) -> Next {
        self.foresight.next()
    }

    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid> {
        self.foresight.take(task, outcome)
    }

    fn progress(&self) -> (u64, u64) {
        self.foresight.progress()
    }
}
