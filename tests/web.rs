//! Tests that run in a browser (headless Chromium): the same results on wasm32 as natively.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_browser_gives_a_window() {
    assert!(web_sys::window().is_some());
}
