//! Measured times, or quantiles, that a person brings: as what the law `empirical` is set to.

use crate::lab::oracle::delays::condense;
use serde_json::json;
use wasm_bindgen::prelude::*;

/// The value of `delays` for the text of a file, as JSON. What is wrong with a line is said with its number.
#[wasm_bindgen]
pub fn delays(name: &str, text: &str) -> Result<String, JsValue> {
    condense(name, text.as_bytes()).map(|value| json!(value).to_string()).map_err(super::said)
}
