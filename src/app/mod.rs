//! What stands between a run and the page: the session, which is the only way in for what a person does, and the
//! snapshot, which is what the page may see. Plain Rust, tested natively: no DOM, no wall clock of its own.

#[cfg(feature = "workbench")]
pub mod account;
pub mod canvas;
pub mod caption;
pub mod catalogue;
pub mod command;
pub mod config;
pub mod console;
pub mod experiment;
pub mod face;
pub mod gallery;
pub mod glossary;
#[cfg(all(target_arch = "wasm32", feature = "workbench"))]
pub mod keeper;
#[cfg(feature = "workbench")]
pub mod log;
mod observe;
pub mod oracle;
pub mod outcomes;
pub mod plot;
pub mod saved;
pub mod sentence;
pub mod session;
pub mod snapshot;
#[cfg(feature = "workbench")]
pub mod space;
#[cfg(any(not(target_arch = "wasm32"), feature = "study"))]
pub mod study;
pub mod wizard;

pub use session::{Player, PlayerState, Session};
pub use snapshot::Snapshot;
