//! The oracle over HTTP.

use super::HTTP;
use crate::lab::system::Preset;

pub(in crate::lab) static PRESETS: [Preset; 2] = [
    Preset {
        name: "oracle-http",
        system: HTTP,
        title: "12 workers over HTTP, some late; w-04 crashes at 8 s, w-09 lies from 11 s",
        set: &[],
        faults: "crash:w-04@8s,lie:w-09@11s=0.18",
        horizon: None,
    },
    Preset {
        name: "heartbeat-trap",
        system: HTTP,
        title: "heartbeats off and little load: idle healthy workers are dropped, and requests find nobody",
        set: &[("heartbeat", "0"), ("period", "20s")],
        faults: "",
        horizon: None,
    },
];
