//! The command line. On wasm32 it does nothing.

fn main() {}
