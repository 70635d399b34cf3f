//! The shipped scenarios.

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
}

/// All shipped scenarios; the first is the one that the page opens with.
pub const PRESETS: [Preset; 2] = [
    Preset {
        name: "oracle-http",
        system: SystemKind::OracleHttp,
        title: "12 workers over HTTP, some late; w-04 crashes at 8 s, w-09 lies from 11 s",
        set: &[],
        faults: "crash:w-04@8s,lie:w-09@11s=0.18",
    },
    Preset {
        name: "heartbeat-trap",
        system: SystemKind::OracleHttp,
        title: "heartbeats off and little load: idle healthy workers are dropped, and requests find nobody",
        set: &[("heartbeat", "0"), ("period", "20s")],
        faults: "",
    },
];

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
