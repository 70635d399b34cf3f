//! The oracle over HTTP.

use super::HTTP;
use crate::lab::system::Preset;

pub(in crate::lab) static PRESETS: [Preset; 3] = [
    Preset {
        name: "oracle-http",
        system: HTTP,
        title: "One crashes, one lies",
        promise: "Twelve race to the gate. w-04 dies at 8 s, w-09 lies from 11 s.",
        start_s: 0,
        axis_s: 30,
        point_s: 14,
        set: &[],
        faults: "crash:w-04@8s,lie:w-09@11s=0.18",
        horizon: None,
    },
    Preset {
        name: "heartbeat-trap",
        system: HTTP,
        title: "Idle means gone",
        promise: "No heartbeats, little load: healthy workers are dropped, nobody is left.",
        start_s: 0,
        axis_s: 120,
        point_s: 21,
        set: &[("heartbeat", "0"), ("period", "20s")],
        faults: "",
        horizon: None,
    },
    Preset {
        name: "all-well",
        system: HTTP,
        title: "All is well",
        promise: "Nobody fails, and there is time for all: twelve answers, one mean.",
        start_s: 0,
        axis_s: 30,
        point_s: 3,
        set: &[("fail", "0"), ("timeout", "3s"), ("period", "3s")],
        faults: "",
        horizon: None,
    },
];
