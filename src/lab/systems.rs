//! The list of systems, and of their shipped scenarios.
//!
//! The program that the page opens with has one system, so that it stays small: it lacks what is marked as `larger!`
//! here, and knows of the others what they are called and which scenarios they have.

use super::invalid::Invalid;
use super::receipt::{Receipt, Seen};
use super::system::{Preset, Room, Settings, SystemKind};
use super::{config, oracle, wizard};

/// A system's parameters, each at its default; a program that lacks the system has none.
pub(super) type Defaults = Option<fn() -> Box<dyn Settings>>;

#[cfg(feature = "all-systems")]
macro_rules! larger {
    ($room:path, $defaults:path) => {
        (&$room, Some($defaults))
    };
}
#[cfg(not(feature = "all-systems"))]
macro_rules! larger {
    ($room:path, $defaults:path) => {{
        static TITLES: [Preset; $room.presets.len()] = titles($room.presets);
        static ROOM: Room = Room { kind: $room.kind, presets: &TITLES };
        (&ROOM, None)
    }};
}

/// All of them, in the order of the page's header.
static ALL: &[(&Room, Defaults)] = &[
    (&oracle::OVER_HTTP, Some(oracle::over_http)),
    larger!(oracle::OVER_NATS, oracle::over_nats),
    larger!(wizard::ROOM, wizard::defaults),
    larger!(config::ROOM, config::defaults),
];

/// Shipped scenarios without what they set: enough to tell of them.
#[cfg(not(feature = "all-systems"))]
const fn titles<const N: usize>(presets: &[Preset]) -> [Preset; N] {
    let mut all = [presets[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = Preset { set: &[], faults: "", horizon: None, ..presets[i] };
        i += 1;
    }
    all
}

/// What is known of each system.
pub(super) fn rooms() -> impl Iterator<Item = &'static Room> + Clone {
    ALL.iter().map(|(room, _)| *room)
}

/// What systems there are.
pub fn all() -> impl Iterator<Item = SystemKind> + Clone {
    rooms().map(|room| room.kind)
}

/// All shipped scenarios, system by system. The first is the one that the page opens with, and the first of each system is
/// the one that bears its name.
pub(super) fn presets() -> impl Iterator<Item = &'static Preset> + Clone {
    rooms().flat_map(|room| room.presets)
}

/// A system's parameters, each at its default; `None` in a program that lacks it.
pub fn defaults(kind: SystemKind) -> Option<Box<dyn Settings>> {
    let (_, defaults) = ALL.iter().find(|(room, _)| room.kind == kind)?;
    defaults.map(|make| make())
}

/// Writes the receipt of an id; `None` where the run is of another system.
pub(super) type Explain = fn(&Seen<'_>, &str) -> Option<Result<Receipt, Invalid>>;

/// Who writes receipts. Only who asks for one leads to their code.
pub(super) fn explains() -> impl Iterator<Item = Explain> {
    let all: [Explain; 3] = [oracle::explain, wizard::explain, config::explain];
    all.into_iter()
}
