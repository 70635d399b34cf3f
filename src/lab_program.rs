//! What the page's workers play experiments with. One worker has a [`Gatherer`]: it says which run is next, and makes rows of what came
//! of them. The others play what it hands out. All that goes between them is text, so a run can be handed out again when the
//! worker that had it is gone. `web/lab.js` starts them, `web/lab-worker.js` is what each does.

use crate::lab::experiment::rows::{self, Format};
use crate::lab::experiment::{Metric, Next, Plan, Sweep, Task, Work};
use crate::lab::measure::Of;
use crate::lab::recorder::Window;
use crate::lab::{Invalid, Scenario, experiment};
use js_sys::{JSON, Reflect};
use serde_json::json;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// Plays one run: a scenario, which of its units of work count, and the plan's metrics of reports by name. Returns its outcome
/// as JSON.
#[wasm_bindgen]
pub fn play(scenario: &str, warmup: f64, requests: f64, metrics: Vec<String>) -> Result<String, JsValue> {
    let scenario = Scenario::from_json(scenario).map_err(said)?;
    let window = Window { warmup: warmup as u64, requests: requests as u64 };
    let settings = scenario.settings().map_err(said)?;
    let metrics: Result<Vec<Metric>, _> =
        metrics.iter().map(|name| Metric::parse(name, &*settings)).collect();
    let outcome = experiment::play(&scenario, window, &metrics.map_err(said)?).map_err(said)?;
    Ok(serde_json::to_string(&outcome).unwrap_or_default())
}

/// A plan that is being played: which run is next, and the rows of those that came back.
#[wasm_bindgen]
pub struct Gatherer {
    sweep: Sweep,
    /// Those that were handed out and have not come back.
    away: BTreeMap<u32, Task>,
    handed: u32,
    /// So many runs belong to rows that were there before.
    before: u64,
}

#[wasm_bindgen]
impl Gatherer {
    /// Checks a plan, of which so many rows are there already.
    #[wasm_bindgen(constructor)]
    pub fn new(plan: &str, rows: usize) -> Result<Gatherer, JsValue> {
        let plan = Plan::from_json(plan).and_then(Plan::check).map_err(said)?;
        let (points, before) = (plan.points, rows as u64 * plan.plan.seeds.count);
        let mut sweep = Sweep::new(plan);
        sweep.add(rows..points);
        Ok(Gatherer { sweep, away: BTreeMap::new(), handed: 0, before })
    }

    /// What stands before the rows in a file of CSV.
    pub fn head(&self) -> String {
        rows::head(self.sweep.plan(), Format::Csv, None)
    }

    /// The next run as JSON; nothing while there is none, or none before another one has come back.
    #[wasm_bindgen(js_name = handOut)]
    pub fn hand_out(&mut self) -> Option<String> {
        let Next::Task(task) = self.sweep.next() else { return None };
        self.handed += 1;
        let Window { warmup, requests } = task.window;
        let of_reports = self.sweep.plan().metrics.iter().filter(|metric| matches!(metric.of, Of::Figure(_)));
        let metrics: Vec<&str> = of_reports.map(|metric| metric.name.as_str()).collect();
        // The scenario is text of its own: who plays it reads it, and nobody in between.
        let scenario = serde_json::to_string(&task.scenario).unwrap_or_default();
        let settings: serde_json::Map<_, _> = self
            .sweep
            .plan()
            .values(task.point)
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        let text = json!({
            "id": self.handed,
            "scenario": scenario,
            "warmup": warmup,
            "requests": requests,
            "metrics": metrics,
            "seed": task.scenario.seed,
            "settings": settings,
        });
        self.away.insert(self.handed, *task);
        Some(text.to_string())
    }

    /// A run has come back. One that came back before, from a worker that was taken for dead, counts once.
    pub fn take(&mut self, id: u32, outcome: &str) -> Result<(), JsValue> {
        let Some(task) = self.away.remove(&id) else { return Ok(()) };
        let outcome = serde_json::from_str(outcome).map_err(|error| JsValue::from(error.to_string()))?;
        self.sweep.take(&task, outcome).map_err(said)
    }

    /// The next row in the plan's order: its line of CSV, and the same as a line of JSON.
    pub fn row(&mut self) -> Option<Vec<String>> {
        let row = self.sweep.pop()?;
        Some([Format::Csv, Format::Jsonl].map(|format| rows::line(self.sweep.plan(), &row, format)).into())
    }

    /// How many runs have come back, and how many there will be as far as one can say.
    pub fn progress(&self) -> Vec<f64> {
        let (done, all) = self.sweep.progress();
        [done, all].map(|runs| (self.before + runs) as f64).into()
    }

    /// What went wrong with runs themselves, the first few.
    pub fn faults(&self) -> Vec<String> {
        self.sweep.faults().to_vec()
    }
}

/// An error whose fields say what is wrong.
fn said(invalid: Invalid) -> JsValue {
    let error = js_sys::Error::new(&invalid.to_string());
    let fields = JSON::parse(&json!(invalid).to_string()).unwrap_or_default();
    // An object takes any property.
    let _ = Reflect::set(&error, &"invalid".into(), &fields);
    error.into()
}
