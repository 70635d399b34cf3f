//! Glasshive: a laboratory of distributed worker systems on virtual time.
//!
//! The modules below stand in reading order; each knows only those above it.
//!
//! - [`kernel`]: virtual time, tasks, randomness, trace
//! - [`app`]: the player

pub mod app;
pub mod kernel;
#[cfg(target_arch = "wasm32")]
pub mod ui;
