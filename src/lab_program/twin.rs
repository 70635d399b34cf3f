//! What twin boards ask: which two scenarios, and what they amount to side by side.

use super::said;
use crate::app::session::Address;
use crate::kernel::Duration;
use crate::lab::experiment;
use crate::lab::{Invalid, Scenario};
use serde::Deserialize;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

/// Which twin is asked for: of the run of an address, by a key and two values, or as the laboratory would choose them.
#[derive(Deserialize)]
struct Which {
    search: String,
    key: Option<String>,
    values: Option<[Value; 2]>,
    /// The address of the run that an act in the past has left.
    left: Option<String>,
}

/// Two runs, each by its address.
#[derive(Deserialize)]
struct Both {
    searches: [String; 2],
    until_ms: Option<f64>,
    metrics: Vec<String>,
}

/// Two scenarios that differ in one thing, as JSON: what differs, both as what opens them, and a plan that asks whether the difference
/// holds for other seeds, if what differs is a setting.
#[wasm_bindgen]
pub fn twin(asked: &str) -> Result<String, JsValue> {
    let Which { search, key, values, left } = serde_json::from_str(asked).map_err(wrong)?;
    let base = scenario(&search).map_err(said)?;
    let twin = match left {
        Some(left) => experiment::fork(&base, scenario(&left).map_err(said)?),
        None => experiment::twin(&base, key.as_deref(), values),
    };
    let twin = twin.map_err(said)?;
    let side = |side: &Scenario| {
        let address = Address::of_scenario(side);
        // What a scenario opens with stands in no address.
        let search = format!("?preset={}&seed={}", address.preset, address.seed);
        let search = Some(address.search()).filter(|said| !said.is_empty()).unwrap_or(search);
        Ok::<_, Invalid>(json!({"search": search, "system": side.system()?, "open": address.open()}))
    };
    let [a, b] = [side(&twin.sides[0]).map_err(said)?, side(&twin.sides[1]).map_err(said)?];
    let is_setting = ![experiment::PRESET, experiment::ACTS].contains(&twin.key.as_str());
    let plan = is_setting.then(|| {
        json!({
            "version": 1,
            "base": {
                "preset": base.preset,
                "set": base.set,
                "faults": experiment::faults(&twin.sides[0]).unwrap_or_default(),
            },
            "axes": [{"key": twin.key, "values": twin.values}],
            "requests": 1,
            "seeds": {"first": base.seed, "count": 20},
            "metrics": [twin.metric],
        })
    });
    let answer = json!({
        "key": twin.key,
        "values": twin.values,
        "said": twin.said,
        "metric": twin.metric,
        "base": Address::of_scenario(&base).open(),
        "sides": [a, b],
        "offers": experiment::offers(&base).map_err(said)?,
        "seed": base.seed,
        "plan": plan,
    });
    Ok(answer.to_string())
}

/// What two runs amount to side by side, as JSON: see `lab::experiment::Pair`.
#[wasm_bindgen]
pub fn pair(asked: &str) -> Result<String, JsValue> {
    let Both { searches, until_ms, metrics } = serde_json::from_str(asked).map_err(wrong)?;
    let sides = [scenario(&searches[0]).map_err(said)?, scenario(&searches[1]).map_err(said)?];
    let until = until_ms.map(|ms| Duration::from_secs_f64(ms / 1000.0));
    let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
    let pair = experiment::pair(&sides, until, &metrics).map_err(said)?;
    serde_json::to_string(&pair).map_err(wrong)
}

fn scenario(search: &str) -> Result<Scenario, Invalid> {
    Address::parse(search).map(|(address, _)| address.scenario())
}

fn wrong(error: serde_json::Error) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}
