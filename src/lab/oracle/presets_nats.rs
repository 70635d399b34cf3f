//! The oracle over NATS.

use super::NATS;
use crate::lab::system::Preset;
use crate::lab::system::SystemKind;

const SYSTEM: SystemKind = NATS;

pub(in crate::lab) static PRESETS: [Preset; 7] = [
    Preset {
        name: "oracle-nats",
        system: SYSTEM,
        title: "12 workers over core NATS; the broker goes down at 9.02 s: what happens to messages in flight?",
        set: &[],
        faults: "crash:nats@9020ms..12500ms,lie:w-09@21s=0.18",
        horizon: None,
    },
    Preset {
        name: "oracle-jetstream",
        system: SYSTEM,
        title: "the same with JetStream and more patience: what the broker held is delivered again",
        set: &[("transport", "jetstream"), ("timeout", "6s"), ("period", "7s")],
        faults: "crash:nats@8300ms..9500ms",
        horizon: None,
    },
    Preset {
        name: "queue-group-trap",
        system: SYSTEM,
        title: "a queue group sends each task to one worker only: nothing is left to aggregate",
        set: &[("delivery", "queue"), ("strategy", "median")],
        faults: "",
        horizon: None,
    },
    Preset {
        name: "broker-restart",
        system: SYSTEM,
        title: "core NATS restarts three times: open requests lose tasks or answers, and the clients connect again",
        set: &[("fail", "0"), ("period", "3s")],
        faults: "restart:nats@4020ms,restart:nats@13500ms,restart:nats@22080ms",
        horizon: None,
    },
    Preset {
        name: "colluding-third",
        system: SYSTEM,
        title: "a third of the workers agree on one false value: the average moves, the median stands",
        set: &[("lie", "0.33"), ("lie-mode", "colluding"), ("lie-bias", "0.18"), ("fail", "0")],
        faults: "",
        horizon: None,
    },
    Preset {
        name: "rate-limit-burst",
        system: SYSTEM,
        title: "30 requests at one instant, 10 allowed: 20 get 429 with Retry-After",
        set: &[("load", "burst"), ("clients", "30"), ("period", "10s")],
        faults: "",
        horizon: None,
    },
    Preset {
        name: "stale-report",
        system: SYSTEM,
        title: "the truth drifts while a third repeat an old answer: the report lags behind, then goes stale",
        set: &[
            ("drift", "0.01"),
            ("lie", "0.33"),
            ("lie-mode", "stale"),
            ("strategy", "median"),
            ("deviation", "0.02"),
            ("report-heartbeat", "20s"),
        ],
        faults: "crash:nats@30s..55s",
        horizon: None,
    },
];
