//! Shipped scenarios: names and texts, so that a program which lacks a system still knows what there is.

pub use super::system::Preset;

use super::systems;

/// All of them, system by system, see `systems.rs`.
pub fn all() -> impl Iterator<Item = &'static Preset> + Clone {
    systems::presets()
}

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    all().find(|preset| preset.name == name)
}
