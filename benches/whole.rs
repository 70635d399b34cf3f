//! Whole runs in WebAssembly, for `benches/model.mjs`: what the command line's `run` plays, without a page. Elsewhere it is empty.
#![cfg(target_arch = "wasm32")]

use glasshive::kernel::Instant;
use glasshive::lab::{Options, Run, Scenario};
use wasm_bindgen::prelude::wasm_bindgen;

/// Plays a scenario, given as its file's JSON, to its horizon; nothing is kept. Returns its trace hash, or what is wrong with it.
#[wasm_bindgen]
pub fn play(scenario: &str) -> Result<String, String> {
    let said = |invalid: glasshive::lab::Invalid| invalid.to_string();
    let scenario = Scenario::from_json(scenario).map_err(said)?;
    let mut run = Run::new(&scenario, Options { keep: 0, ..Options::default() }).map_err(said)?;
    run.run_until(Instant::MAX);
    Ok(run.trace_hash())
}
