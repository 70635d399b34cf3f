//! The Math Wizard.

use super::KIND;
use crate::lab::system::Preset;

pub(in crate::lab) static PRESETS: [Preset; 7] = [
    Preset {
        name: "math-wizard",
        system: KIND,
        title: "9 users, 3 containers, one queue; c-02 dies at 8 s with a job in hand: who finishes it?",
        set: &[("users", "9")],
        faults: "crash:c-02@8s..16s",
        horizon: None,
    },
    Preset {
        name: "lost-job",
        system: KIND,
        title: "BRPOP takes a job out of the queue; the worker process dies, and nobody has it any more",
        set: &[
            ("containers", "2"),
            ("users", "3"),
            ("think", "500ms"),
            ("work", "3s"),
            ("work-law", "constant"),
        ],
        faults: "crash:c-01-worker-1@9s..14s",
        horizon: None,
    },
    Preset {
        name: "lmove-cure",
        system: KIND,
        title: "the same death with BLMOVE and a reaper: the job stands in the processing list, and is put back",
        set: &[
            ("containers", "2"),
            ("users", "3"),
            ("think", "500ms"),
            ("work", "3s"),
            ("work-law", "constant"),
            ("mode", "lmove"),
        ],
        faults: "crash:c-01-worker-1@9s..14s",
        horizon: None,
    },
    Preset {
        name: "scale-unseen",
        system: KIND,
        title: "two containers become four at 10 s: their workers help at once, the gateway sees them after its reload at 25 s",
        set: &[
            ("containers", "2"),
            ("users", "10"),
            ("scale-to", "4"),
            ("scale-at", "10s"),
            ("reload-at", "25s"),
        ],
        faults: "",
        horizon: None,
    },
    Preset {
        name: "backpressure-staircase",
        system: KIND,
        title: "3, 6, 12 users in steps of 20 s: the queue grows to its limit, and the API turns jobs away",
        set: &[
            ("containers", "2"),
            ("load", "staircase"),
            ("users", "3"),
            ("queue-limit", "4"),
            ("think", "500ms"),
        ],
        faults: "",
        horizon: None,
    },
    Preset {
        name: "duplicate-by-retry",
        system: KIND,
        title: "answers get lost on their way to users who try again: one wish becomes two jobs",
        set: &[("repeat", "on"), ("timeout", "1s"), ("users", "4")],
        faults: "drop:gateway>client@4s..20s=0.5",
        horizon: None,
    },
    Preset {
        name: "mmc",
        system: KIND,
        title: "a textbook queue, M/M/2 at 80 %: no latency, no limit, no polling, exponential gaps and work",
        set: &[
            ("containers", "2"),
            ("load", "poisson"),
            ("period", "625ms"),
            ("work", "1s"),
            ("work-law", "exponential"),
            ("latency", "0s"),
            ("queue-limit", "off"),
            ("polls", "off"),
        ],
        faults: "",
        horizon: None,
    },
];
