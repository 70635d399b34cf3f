//! The list of systems, and of their shipped scenarios.
//!
//! The program that the page opens with has one system, so that it stays small: it lacks what is marked as `larger!`
//! here, and knows of the others what they are called and which scenarios they have.

use super::presets::Preset;
use super::system::{Settings, SystemKind};
use super::{config, oracle, wizard};

/// A system's parameters, each at its default; a program that lacks the system has none.
pub(super) type Defaults = Option<fn() -> Box<dyn Settings>>;

#[cfg(feature = "all-systems")]
macro_rules! larger {
    ($defaults:path) => {
        Some($defaults)
    };
}
#[cfg(not(feature = "all-systems"))]
macro_rules! larger {
    ($defaults:path) => {
        None
    };
}

/// All of them, in the order of the page's header.
static ALL: [(SystemKind, &[Preset], Defaults); 4] = [
    (oracle::HTTP, &oracle::presets::PRESETS, Some(oracle::over_http)),
    (oracle::NATS, &oracle::presets_nats::PRESETS, larger!(oracle::over_nats)),
    (wizard::KIND, &wizard::presets::PRESETS, larger!(wizard::defaults)),
    (config::KIND, &config::presets::PRESETS, larger!(config::defaults)),
];

/// What systems there are.
pub fn all() -> impl Iterator<Item = SystemKind> + Clone {
    ALL.iter().map(|(kind, ..)| *kind)
}

/// All shipped scenarios, system by system. The first is the one that the page opens with, and the first of each system is
/// the one that bears its name.
pub(super) fn presets() -> impl Iterator<Item = &'static Preset> + Clone {
    ALL.iter().flat_map(|(_, presets, _)| presets.iter())
}

/// A system's parameters, each at its default; `None` in a program that lacks it.
pub(super) fn defaults(kind: SystemKind) -> Option<Box<dyn Settings>> {
    ALL.iter().find(|(other, ..)| *other == kind).and_then(|(.., defaults)| defaults.map(|make| make()))
}
