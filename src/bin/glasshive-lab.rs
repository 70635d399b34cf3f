//! A program that the page's workers have, to play experiments: all systems, and nothing to be drawn. It does nothing by being
//! there: `web/lab-worker.js` calls what `lab_program` has.

#[cfg(target_arch = "wasm32")]
use glasshive as _;

fn main() {}
