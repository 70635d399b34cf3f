//! What stands between a run and the page: the player, which decides how much virtual time passes per frame, and the
//! snapshot, which is what the page may see. Plain Rust, tested natively: no DOM, no wall clock of its own.

pub mod canvas;
pub mod caption;
pub mod catalogue;
pub mod config;
pub mod face;
mod observe;
pub mod oracle;
pub mod outcomes;
mod player;
pub mod plot;
pub mod sentence;
pub mod snapshot;
pub mod table;
pub mod wizard;

pub use player::{Player, PlayerState};
pub use snapshot::Snapshot;
