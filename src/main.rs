//! The program that the page opens with. It starts by being there: `web/boot.js` calls the library's `mount`. On other
//! targets than wasm32 it does nothing.

#[cfg(target_arch = "wasm32")]
use glasshive as _;

fn main() {}
