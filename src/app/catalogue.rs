//! Which face a system has. This is the only list of them.
//!
//! The program that the page opens with has one system, so that it stays small: what is marked as `larger!` here is not in
//! it.

use super::face::Face;
use super::oracle;
#[cfg(feature = "all-systems")]
use super::{config, wizard};
use crate::lab::{self, SystemKind};

#[cfg(feature = "all-systems")]
macro_rules! larger {
    ($face:path) => {
        Some(&$face)
    };
}
#[cfg(not(feature = "all-systems"))]
macro_rules! larger {
    ($face:path) => {
        None
    };
}

/// All of them, in the order of the page's header.
static ALL: [(SystemKind, Option<&Face>); 4] = [
    (lab::oracle::HTTP, Some(&oracle::HTTP)),
    (lab::oracle::NATS, larger!(oracle::NATS)),
    (lab::wizard::KIND, larger!(wizard::FACE)),
    (lab::config::KIND, larger!(config::FACE)),
];

/// The face of a system. A program that lacks a system cannot construct it either, and has no need of its face.
pub fn face(system: SystemKind) -> &'static Face {
    let known = ALL.iter().find(|(kind, _)| *kind == system).and_then(|(_, face)| *face);
    known.unwrap_or(&oracle::HTTP)
}
