//! The page's program with every system; its twin `main.rs` is the small one that the page opens with.

#[cfg(target_arch = "wasm32")]
use glasshive as _;

fn main() {}
