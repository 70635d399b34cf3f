//! The list of systems, and of their shipped scenarios.
//!
//! A program of the page has the systems whose features it is built with, so that it stays small. Of the others it knows
//! what they are called, and which scenarios they have.

use super::invalid::Invalid;
use super::receipt::{Receipt, Seen};
use super::system::{Preset, Room, Settings, SystemKind};
use super::{config, oracle, wizard};

/// A system's parameters, each at its default; a program that lacks the system has none.
pub(super) type Defaults = Option<fn() -> Box<dyn Settings>>;

/// What a program has of a system: all of it, or its name and its scenarios' titles. What is not chosen here is not in it.
macro_rules! room {
    ($feature:literal, $room:path, $defaults:path) => {{
        static TITLES: [Preset; $room.presets.len()] = titles($room.presets);
        static TITLED: Room = Room { kind: $room.kind, presets: &TITLES };
        if cfg!(feature = $feature) { ($feature, &$room, Some($defaults)) } else { ($feature, &TITLED, None) }
    }};
}

/// All of them, in the order of the page's header, each with the feature that a program has it with.
static ALL: &[(&str, &Room, Defaults)] = &[
    room!("oracle-http", oracle::OVER_HTTP, oracle::over_http),
    room!("oracle-nats", oracle::OVER_NATS, oracle::over_nats),
    room!("math-wizard", wizard::ROOM, wizard::defaults),
    room!("config", config::ROOM, config::defaults),
];

/// Shipped scenarios without what they set: enough to tell of them.
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
    ALL.iter().map(|(_, room, _)| *room)
}

/// What systems there are.
pub fn all() -> impl Iterator<Item = SystemKind> + Clone {
    rooms().map(|room| room.kind)
}

/// The feature that a program of the page has a system with.
pub fn feature(kind: SystemKind) -> &'static str {
    ALL.iter().find(|(_, room, _)| room.kind == kind).map_or("", |(feature, ..)| feature)
}

/// All shipped scenarios, system by system. The first is the one that the page opens with, and the first of each system is
/// the one that bears its name.
pub(super) fn presets() -> impl Iterator<Item = &'static Preset> + Clone {
    rooms().flat_map(|room| room.presets)
}

/// A system's parameters, each at its default; `None` in a program that lacks it.
pub fn defaults(kind: SystemKind) -> Option<Box<dyn Settings>> {
    let (_, _, defaults) = ALL.iter().find(|(_, room, _)| room.kind == kind)?;
    defaults.map(|make| make())
}

/// Writes the receipt of an id; `None` where the run is of another system.
pub(super) type Explain = fn(&Seen<'_>, &str) -> Option<Result<Receipt, Invalid>>;

/// Who writes receipts. Only who asks for one leads to their code.
pub(super) fn explains() -> impl Iterator<Item = Explain> {
    const ALL: [Option<Explain>; 3] = [
        if cfg!(any(feature = "oracle-http", feature = "oracle-nats")) {
            Some(oracle::explain)
        } else {
            None
        },
        if cfg!(feature = "math-wizard") { Some(wizard::explain) } else { None },
        if cfg!(feature = "config") { Some(config::explain) } else { None },
    ];
    ALL.into_iter().flatten()
}
