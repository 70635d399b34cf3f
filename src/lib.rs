//! Glasshive: a laboratory of distributed worker systems on virtual time.
//!
//! The modules below stand in reading order; each knows only those above it.
//!
//! - [`kernel`]: virtual time, tasks, randomness, trace. Knows no machine, no domain, no web: a crate of its own
//! - [`net`]: nodes and links: crash, restart, latency, loss, duplication, partition
//! - [`substrate`]: the parts systems are made of; each behaves as the real server does
//! - [`systems`]: the simulated systems, one folder each
//! - [`lab`]: scenarios, runs, measures, reports
//! - [`app`]: the player and its snapshots
//! - `painter` (wasm32 only): paints pictures on a canvas
//! - `ui` (wasm32 only): the page, in Leptos
//! - `js_api` (wasm32 only): `window.glasshive`
//! - `lab_program` (wasm32 only): what the page's workers play experiments with
//! - `painter_program` (wasm32 only): what a worker paints crowded pictures with
//! - `study` (wasm32 only): the page's panels on many runs, which those workers play

/// The crate `glasshive-kernel`, by the name of the layer that it is.
pub use glasshive_kernel as kernel;

pub mod net;

pub mod substrate;

pub mod systems;

pub mod lab;

pub mod app;

#[cfg(all(target_arch = "wasm32", any(feature = "page", feature = "painter")))]
pub mod painter;

#[cfg(all(target_arch = "wasm32", feature = "page"))]
pub mod ui;

#[cfg(all(target_arch = "wasm32", feature = "page"))]
pub mod js_api;

#[cfg(all(target_arch = "wasm32", feature = "lab"))]
pub mod lab_program;

#[cfg(all(target_arch = "wasm32", feature = "painter"))]
pub mod painter_program;

#[cfg(all(target_arch = "wasm32", feature = "study"))]
pub mod study;
