//! What the panels need to know of the scenario that is on the page.

use crate::app::session::Address;
use crate::lab::experiment;
use wasm_bindgen::prelude::*;

/// Describes the scenario of an address, as JSON: what a plan of it starts from.
#[wasm_bindgen]
pub fn describe(search: &str) -> Result<String, JsValue> {
    let (address, _) = Address::parse(search).map_err(super::said)?;
    experiment::describe(&address.scenario()).map(|said| said.to_string()).map_err(super::said)
}
