//! The shipped scenarios, one file for each system.
//!
//! They are names and texts: a program that lacks a system still knows what there is.

mod config;
mod math_wizard;
mod oracle_http;
mod oracle_nats;

use super::SystemKind;

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

/// All shipped scenarios, system by system. The first is the one that the page opens with, and the first of each system is
/// the one that bears its name.
pub fn all() -> impl Iterator<Item = &'static Preset> + Clone {
    let oracles = oracle_http::PRESETS.iter().chain(&oracle_nats::PRESETS);
    oracles.chain(&math_wizard::PRESETS).chain(&config::PRESETS)
}

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    all().find(|preset| preset.name == name)
}
