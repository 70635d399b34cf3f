//! The worker that gathers: it hands out runs as text, and takes what came of them.

use super::said;
use crate::lab::experiment::{Metric, Next, Task, Work};
use crate::lab::measure::Of;
use crate::lab::recorder::Window;
use crate::lab::{Invalid, experiment::Checked};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// Something that runs are gathered for.
pub(super) trait Gathered: Work {
    /// What is measured.
    fn metrics(&self) -> &[Metric];

    /// What is set in a run.
    fn settings(&self, task: &Task) -> Value;

    /// What went wrong with runs themselves.
    fn faults(&self) -> &[String];

    /// What stands before the rows in a file of CSV.
    fn head(&self) -> String {
        String::new()
    }

    /// By metric, how its interval is found.
    fn methods(&self) -> Value {
        json!({})
    }

    /// The next row, where rows come one after another: its line of CSV, and the same as a line of JSON.
    fn row(&mut self) -> Option<Vec<String>> {
        None
    }

    /// All that is known, as JSON, where that is told as a whole; nothing while it is what was told before.
    fn state(&mut self) -> Option<String> {
        None
    }
}

/// What is set at a point of a plan.
pub(super) fn settings_of(plan: &Checked, task: &Task) -> Value {
    let settings: serde_json::Map<_, _> =
        plan.values(task.point).map(|(key, value)| (key.to_owned(), value.clone())).collect();
    settings.into()
}

/// Runs that are played for something.
#[wasm_bindgen]
pub struct Gatherer {
    work: Box<dyn Gathered>,
    /// Those that were handed out and have not come back.
    away: BTreeMap<u32, Task>,
    handed: u32,
}

#[wasm_bindgen]
impl Gatherer {
    /// Checks what is asked: a plan for `sweep`, of which so many rows are there already; a question for `size` or `foresight`.
    #[wasm_bindgen(constructor)]
    pub fn new(kind: &str, question: &str, rows: usize) -> Result<Gatherer, JsValue> {
        let work: Result<Box<dyn Gathered>, Invalid> = match kind {
            "sweep" => super::sweep::new(question, rows),
            "size" => super::size::new(question),
            "foresight" => super::foresight::new(question),
            _ => Err(Invalid {
                field: "kind".into(),
                value: kind.into(),
                allowed: "sweep, size or foresight".into(),
            }),
        };
        Ok(Gatherer { work: work.map_err(said)?, away: BTreeMap::new(), handed: 0 })
    }

    /// What stands before the rows in a file of CSV.
    pub fn head(&self) -> String {
        self.work.head()
    }

    /// By metric, how its interval is found, as JSON.
    pub fn methods(&self) -> String {
        self.work.methods().to_string()
    }

    /// The next run as JSON; nothing while there is none, or none before another one has come back.
    #[wasm_bindgen(js_name = handOut)]
    pub fn hand_out(&mut self) -> Option<String> {
        let Next::Task(task) = self.work.next() else { return None };
        self.handed += 1;
        let Window { warmup, requests } = task.window;
        let of_reports = self.work.metrics().iter().filter(|metric| matches!(metric.of, Of::Figure(_)));
        let metrics: Vec<&str> = of_reports.map(|metric| metric.name.as_str()).collect();
        // The scenario is text of its own: who plays it reads it, and nobody in between.
        let scenario = serde_json::to_string(&task.scenario).unwrap_or_default();
        let text = json!({
            "id": self.handed,
            "scenario": scenario,
            "warmup": warmup,
            "requests": requests,
            "metrics": metrics,
            "seed": task.scenario.seed,
            "settings": self.work.settings(&task),
        });
        self.away.insert(self.handed, *task);
        Some(text.to_string())
    }

    /// A run has come back. One that came back before, from a worker that was taken for dead, counts once.
    pub fn take(&mut self, id: u32, outcome: &str) -> Result<(), JsValue> {
        let Some(task) = self.away.remove(&id) else { return Ok(()) };
        let outcome = serde_json::from_str(outcome).map_err(|error| JsValue::from(error.to_string()))?;
        self.work.take(&task, outcome).map_err(said)
    }

    /// The next row, where rows come one after another: its line of CSV, and the same as a line of JSON.
    pub fn row(&mut self) -> Option<Vec<String>> {
        self.work.row()
    }

    /// All that is known, as JSON, where that is told as a whole; nothing while it is what was told before.
    pub fn state(&mut self) -> Option<String> {
        self.work.state()
    }

    /// How many runs have come back, and how many there will be as far as one can say.
    pub fn progress(&self) -> Vec<f64> {
        let (done, all) = self.work.progress();
        [done, all].map(|runs| runs as f64).into()
    }

    /// What went wrong with runs themselves, the first few.
    pub fn faults(&self) -> Vec<String> {
        self.work.faults().to_vec()
    }
}
