//! A program of the page, with every panel: the oracle over NATS. Like its small twin `main.rs` it starts by being there.

#[cfg(target_arch = "wasm32")]
use glasshive as _;

fn main() {}
