//! The laboratory: what a run is made of, how it is played, and what is measured.
//!
//! A [`Scenario`] (preset, settings, seed, faults, actions) is plain data that can be saved, shared and checked.
//! A [`Run`] plays it: the same scenario gives the same run, byte for byte, on every machine.

mod axis;
pub mod check;
#[cfg(not(target_arch = "wasm32"))]
pub mod cluster;
pub mod config;
pub mod curl;
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub mod experiment;
pub mod fault;
pub mod figures;
mod invalid;
mod kept;
pub mod measure;
mod message;
pub mod moments;
mod options;
pub mod oracle;
pub mod params;
pub mod presets;
pub mod quantiles;
pub mod receipt;
pub mod recorder;
pub mod reference;
#[cfg(not(target_arch = "wasm32"))]
pub mod report;
mod run;
mod samples;
mod scenario;
mod scenario_file;
pub mod stats;
mod system;
pub mod systems;
pub mod trace_file;
pub mod wizard;

pub use axis::Axis;
pub use invalid::Invalid;
pub use options::Options;
pub use run::{ActedAt, CALL_LIMIT, Run};
pub use scenario::{Action, SEED_MAX, Scenario};
pub use system::{Entries, Knob, Reported, Settings, System, SystemKind};
