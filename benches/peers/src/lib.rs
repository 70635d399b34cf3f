//! Glasshive's kernel beside other simulators of asynchronous programs, on three workloads.
//!
//! A package of its own, so that the peers never become dependencies of Glasshive. The same file of workloads is built
//! natively and into a WebAssembly module without any bindings.

#[cfg(not(target_arch = "wasm32"))]
pub mod asim;
pub mod hive;
#[cfg(not(target_arch = "wasm32"))]
pub mod odem;
#[cfg(not(target_arch = "wasm32"))]
pub mod tokio;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub mod workloads;
