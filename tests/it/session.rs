//! The session: its log is all that decides it, and what a person does has its meaning at its instant.

use super::session_random;
use super::support::for_seeds;
use glasshive::app::session::Command;
use serde_json::json;

#[test]
fn the_log_of_a_long_session_done_anew_leads_to_the_same_run() {
    for_seeds("session", 0..24, session_random::check);
}

#[test]
fn a_command_is_json_that_names_itself() {
    for text in [
        json!({"kind": "open", "preset": "config", "seed": 7, "set": {"poll": "2s"}, "faults": ""}),
        json!({"kind": "next_request"}),
        json!({"kind": "seek", "at_ms": 15_000.5}),
        json!({"kind": "set", "key": "timeout", "value": "1.2s"}),
        json!({"kind": "toggle", "fault": "dup", "node": "w-04"}),
        json!({"kind": "lift", "fault": 2}),
        json!({"kind": "speed", "speed": 0.5}),
        json!({"kind": "call", "method": "GET", "url": "http://localhost:8080/workers", "headers": [["a", "b"]]}),
    ] {
        let command: Command = serde_json::from_value(text.clone()).expect("a command");
        assert_eq!(serde_json::to_value(&command).expect("JSON"), text);
    }
    for (text, part) in [
        (json!({"kind": "melt"}), "no command melt"),
        (json!({"kind": "toggle", "fault": "melt", "node": "w-04"}), "a kind of fault"),
        (json!({"kind": "seek"}), "at_ms is missing"),
        (json!({"kind": "seek", "at_ms": "soon"}), "a number"),
        (json!({"kind": "play", "speed": 2}), "speed is no field"),
        (json!(["play"]), "map"),
    ] {
        let error = serde_json::from_value::<Command>(text).expect_err("not a command").to_string();
        assert!(error.contains(part), "{error}");
    }
}
