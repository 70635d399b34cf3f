//! Shipped scenarios: names and texts, so that a program which lacks a system still knows what there is.

use super::{SystemKind, systems};

/// A shipped scenario: what it sets, what goes wrong in it, and why one would look at it.
pub struct Preset {
    /// Its name in URLs and on the command line.
    pub name: &'static str,
    /// The system that it is about.
    pub system: SystemKind,
    /// One line for a list.
    pub title: &'static str,
    /// Settings that differ from the defaults.
    pub set: &'static [(&'static str, &'static str)],
    /// Faults on schedule.
    pub faults: &'static str,
    /// Where its run pauses for good, unless a scenario says otherwise; `None` is the usual horizon.
    pub horizon: Option<&'static str>,
}

/// All of them, system by system, see `systems.rs`.
pub fn all() -> impl Iterator<Item = &'static Preset> + Clone {
    systems::presets()
}

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    all().find(|preset| preset.name == name)
}
