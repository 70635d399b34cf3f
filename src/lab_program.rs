//! What the page's workers play experiments with. One worker has a [`Gatherer`]: it says which run is next, and gathers what came
//! of them: as a sweep (`sweep.rs`), a search for the least point (`size.rs`), or what one key's values
//! would give (`foresight.rs`). The others play what it hands out. All that goes between them is text, so a run can be handed out
//! again when the worker that had it is gone. What needs few runs, or none, a worker of its own answers: `describe.rs`, `delays.rs`,
//! `twin.rs`. `web/lab.js` starts them, `web/lab-worker.js` is what each does.

mod delays;
mod describe;
mod foresight;
mod gather;
mod size;
mod sweep;
mod twin;

pub use delays::delays;
pub use describe::describe;
pub use gather::Gatherer;
pub use twin::{pair, twin};

use crate::lab::experiment::Metric;
use crate::lab::recorder::Window;
use crate::lab::{Invalid, Scenario, experiment};
use js_sys::{JSON, Reflect};
use serde_json::json;
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

/// An error whose fields say what is wrong.
fn said(invalid: Invalid) -> JsValue {
    let error = js_sys::Error::new(&invalid.to_string());
    let fields = JSON::parse(&json!(invalid).to_string()).unwrap_or_default();
    // An object takes any property.
    let _ = Reflect::set(&error, &"invalid".into(), &fields);
    error.into()
}
