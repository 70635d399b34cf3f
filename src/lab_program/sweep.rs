//! A plan that is being played: its rows one after another.

use super::gather::{Gathered, settings_of};
use crate::lab::Invalid;
use crate::lab::experiment::rows::{self, Format};
use crate::lab::experiment::{Metric, Next, Outcome, Plan, Sweep, Task, Work};
use serde_json::Value;

struct Rows {
    sweep: Sweep,
    /// So many runs belong to rows that were there before.
    before: u64,
}

/// A plan of which so many rows are there already.
pub(super) fn new(plan: &str, rows: usize) -> Result<Box<dyn Gathered>, Invalid> {
    let plan = Plan::from_json(plan).and_then(Plan::check)?;
    let (points, before) = (plan.points, rows as u64 * plan.plan.seeds.count);
    let mut sweep = Sweep::new(plan);
    sweep.add(rows..points);
    Ok(Box::new(Rows { sweep, before }))
}

impl Gathered for Rows {
    fn metrics(&self) -> &[Metric] {
        &self.sweep.plan().metrics
    }

    fn settings(&self, task: &Task) -> Value {
        settings_of(self.sweep.plan(), task)
    }

    fn faults(&self) -> &[String] {
        self.sweep.faults()
    }

    fn head(&self) -> String {
        rows::head(self.sweep.plan(), Format::Csv, None)
    }

    fn methods(&self) -> Value {
        let methods: serde_json::Map<_, _> = self
            .sweep
            .plan()
            .methods()
            .map(|(metric, method)| (metric.name.clone(), method.name().into()))
            .collect();
        methods.into()
    }

    fn row(&mut self) -> Option<Vec<String>> {
        let row = self.sweep.pop()?;
        Some([Format::Csv, Format::Jsonl].map(|format| rows::line(self.sweep.plan(), &row, format)).into())
    }
}

impl Work for Rows {
    fn next(&mut self) -> Next {
        self.sweep.next()
    }

    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid> {
        self.sweep.take(task, outcome)
    }

    fn progress(&self) -> (u64, u64) {
        let (done, all) = self.sweep.progress();
        (self.before + done, self.before + all)
    }
}
