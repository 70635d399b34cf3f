//! The program of the page that has the panels on many runs, and no system. It does nothing by being there: `web/study.js` calls
//! what `study` has.

#[cfg(target_arch = "wasm32")]
use glasshive as _;

fn main() {}
