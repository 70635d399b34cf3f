//! The configuration system. Changes come often here, and polls too, so that a story is told in half a minute.

use super::KIND;
use crate::lab::system::Preset;

/// What both herds have: 200 agents that start together, and few workers, which are not what it is about.
const HERD_FAULTS: &str = "crash:controller@20s..620s";
const HERD_HORIZON: Option<&str> = Some("720s");

pub(in crate::lab) static PRESETS: [Preset; 7] = [
    Preset {
        name: "config",
        system: KIND,
        title: "3 agents, 6 workers; the controller crashes at 9.2 s, when one agent has not fetched a change",
        set: &[("poll", "3s"), ("put-period", "8s"), ("backoff-cap", "8s")],
        faults: "crash:controller@9.2s..22s",
        horizon: None,
    },
    Preset {
        name: "controller-outage",
        system: KIND,
        title: "the controller is away for a minute: agents wait longer after each failure, up to 30 s",
        set: &[("poll", "5s"), ("put-period", "10s")],
        faults: "crash:controller@20.3s..80s",
        horizon: None,
    },
    Preset {
        name: "lost-trigger",
        system: KIND,
        title: "changes are announced, but a-03 is cut off from Valkey: what a lost trigger costs",
        set: &[("trigger", "on"), ("poll", "20s"), ("put-period", "8s")],
        faults: "cut:valkey~a-03@15s..39s",
        horizon: None,
    },
    Preset {
        name: "thundering-herd",
        system: KIND,
        title: "200 agents without jitter come back together after an outage of ten minutes",
        set: &[
            ("agents", "200"),
            ("poll", "30s"),
            ("poll-jitter", "0"),
            ("backoff-jitter", "off"),
            ("worker-interval", "10s"),
            ("put-period", "0"),
        ],
        faults: HERD_FAULTS,
        horizon: HERD_HORIZON,
    },
    Preset {
        name: "thundering-herd-cured",
        system: KIND,
        title: "the same 200 agents with full jitter: they come back spread out",
        set: &[("agents", "200"), ("poll", "30s"), ("worker-interval", "10s"), ("put-period", "0")],
        faults: HERD_FAULTS,
        horizon: HERD_HORIZON,
    },
    Preset {
        name: "poll-vs-push",
        system: KIND,
        title: "changes are pushed; Valkey crashes at 14 s, and there is only polling until 38 s",
        set: &[("trigger", "on"), ("poll", "15s"), ("put-period", "6s")],
        faults: "crash:valkey@14s..38s",
        horizon: None,
    },
    Preset {
        name: "bad-rollout",
        system: KIND,
        title: "the second change has a typing error; 6 s later it is rolled back",
        set: &[("bad-put", "2"), ("poll", "4s"), ("put-period", "8s"), ("rollback", "6s")],
        faults: "",
        horizon: None,
    },
];
