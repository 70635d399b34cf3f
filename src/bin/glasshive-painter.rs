//! The program of the worker that paints crowded boards. It does nothing by being there: `web/painter-worker.js` calls what
//! `painter_program` has. On other targets than wasm32 it does nothing.

#[cfg(target_arch = "wasm32")]
use glasshive as _;

fn main() {}
