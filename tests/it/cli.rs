//! `glasshive presets` and `glasshive run`, through the real binary.

use super::support::{BINARY, glasshive, keys, scratch};
use glasshive::lab::presets;
use glasshive::systems::oracle::aggregator::Strategy;
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Stdio};

#[test]
fn presets_are_listed_with_their_titles() {
    let ran = glasshive(&["presets"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), presets::all().count());
    for (line, preset) in lines.iter().zip(presets::all()) {
        assert!(
            line.starts_with(preset.name) && line.ends_with(preset.promise) && line.contains(preset.title),
            "{line}"
        );
    }
}

// --- the report ---------------------------------------------------------------------------------------------------

#[test]
fn the_same_command_prints_the_same_bytes() {
    for preset in presets::all() {
        let command = ["run", "--preset", preset.name, "--seed", "7", "--for", "60s", "--json"];
        let (first, second) = (glasshive(&command), glasshive(&command));
        assert_eq!((first.code, first.err.as_str()), (0, ""), "{}", preset.name);
        assert!(first.out == second.out, "{}: two runs, two outputs", preset.name);
        let other = glasshive(&["run", "--preset", preset.name, "--seed", "8", "--for", "60s", "--json"]);
        assert_ne!(other.json()["trace_hash"], first.json()["trace_hash"]);
    }
}

#[test]
fn the_json_report_has_the_promised_keys() {
    let ran = glasshive(&["run", "--seed", "7", "--for", "7s", "--json", "--faults", ""]);
    let report = ran.json();
    assert_eq!(
        keys(&report),
        ["checks", "events", "requests", "scenario", "seed", "summary", "trace_hash", "virtual_ms"]
    );
    assert_eq!((&report["seed"], &report["virtual_ms"]), (&json!(7), &json!(7000.0)));
    let hash = report["trace_hash"].as_str().unwrap();
    assert!(
        hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "{hash}"
    );
    let requests = report["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 4);
    for (request, i) in requests.iter().zip(0..) {
        assert_eq!(
            keys(request),
            [
                "analysis",
                "answered_at_ms",
                "error",
                "final_value",
                "query",
                "reliability_note",
                "request_id",
                "requested_at_ms",
                "worker_responses"
            ]
        );
        assert_eq!(request["request_id"], format!("req-{:05}", i + 1));
        assert_eq!(request["requested_at_ms"], json!(200.0 + 2000.0 * f64::from(i)));
    }
    assert!(requests[0]["answered_at_ms"].as_f64().unwrap() > 300.0);
    assert_eq!(keys(&requests[0]["analysis"]), ["counter_answers", "error", "spread", "support", "truth"]);
    let mut strategies = Strategy::NAMES;
    strategies.sort_unstable();
    assert_eq!(keys(&requests[0]["analysis"]["counter_answers"]), strategies);
    // The last one was sent at 6.2 s and is under way at 7 s.
    let last = &requests[3];
    assert_eq!(
        (&last["answered_at_ms"], &last["final_value"], &last["error"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let summary = &report["summary"];
    assert_eq!(
        (&summary["requests"], &summary["answered"], &summary["pending"]),
        (&json!(4), &json!(3), &json!(1))
    );
    assert!(
        report["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true),
        "{}",
        report["checks"]
    );
}

#[test]
fn a_failed_request_keeps_its_worker_responses_and_has_an_error() {
    let ran = glasshive(&[
        "run",
        "--set",
        "fail=1",
        "--set",
        "timeout=3s",
        "--for",
        "4s",
        "--json",
        "--faults",
        "",
    ]);
    assert_eq!(ran.code, 0, "a 503 is a result, not a broken check");
    let request = &ran.json()["requests"][0];
    assert_eq!(keys(&request["error"]), ["code", "message", "status"]);
    assert_eq!(
        (&request["error"]["status"], &request["error"]["code"]),
        (&json!(503), &json!("all_workers_failed"))
    );
    assert_eq!((&request["final_value"], &request["analysis"]), (&Value::Null, &Value::Null));
    let responses = request["worker_responses"].as_array().unwrap();
    assert!(responses.len() == 12 && responses.iter().all(|r| r["err"].is_string() && r["value"] == 0.0));
    assert!(request["answered_at_ms"].is_f64());
}

#[test]
fn the_readable_report_breaks_the_last_answer_down_by_worker() {
    let ran = glasshive(&["run", "--seed", "7", "--for", "10s", "--faults", "crash:w-04@1s"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("oracle-http, seed 7: 10 s virtual, "), "{}", ran.out);
    assert!(ran.out.contains("\nfaults: crash:w-04@1s\n"), "{}", ran.out);
    for worker in (1..=12).map(|i| format!("\n  w-{i:02} ")) {
        assert_eq!(ran.out.matches(&worker).count(), 1, "{worker} in {}", ran.out);
    }
    assert!(ran.out.contains("connection refused") && ran.out.contains("\n  result "), "{}", ran.out);
    let hash =
        glasshive(&["run", "--seed", "7", "--for", "10s", "--faults", "crash:w-04@1s", "--json"]).json();
    assert!(ran.out.ends_with(&format!("trace hash {}\n", hash["trace_hash"].as_str().unwrap())));
}

#[test]
fn settings_faults_and_duration_reach_the_run() {
    let ran = glasshive(&[
        "run",
        "--set",
        "workers=5",
        "--set",
        "lie=0.4",
        "--set",
        "timeout=700ms",
        "--for",
        "9s",
        "--json",
        "--faults",
        "lie:w-2@3s=+18%,crash:w4@5s..7s",
    ]);
    let scenario = &ran.json()["scenario"];
    assert_eq!((&scenario["set"]["workers"], &scenario["set"]["timeout"]), (&json!(5), &json!("700ms")));
    assert_eq!((&scenario["set"]["lie"], &scenario["horizon"]), (&json!(0.4), &json!("9s")));
    assert_eq!(ran.json()["requests"][0]["worker_responses"].as_array().unwrap().len(), 5);
    let hash = |faults: &str| {
        glasshive(&["run", "--for", "20s", "--json", "--faults", faults]).json()["trace_hash"].clone()
    };
    let preset = glasshive(&["run", "--for", "20s", "--json"]).json();
    assert_eq!(preset["scenario"]["faults"], "crash:w-04@8s,lie:w-09@11s=0.18");
    assert_eq!(hash("crash:w-04@8s,lie:w-09@11s=0.18"), preset["trace_hash"], "the preset's own faults");
    assert_eq!(hash("crash:w4@8s, lie:w9@11s=+18%"), preset["trace_hash"], "the same, written otherwise");
    assert_ne!(hash(""), preset["trace_hash"], "none");
}

#[test]
fn the_scenario_of_a_report_gives_the_same_run_again() {
    let file = scratch("scenario.json");
    for args in [
        &["--seed", "7", "--for", "30s"][..],
        &["--preset", "heartbeat-trap", "--for", "50s"],
        // Of the preset's faults one is about a worker that is not there.
        &["--set", "workers=5", "--for", "20s"],
        &[
            "--seed",
            "3",
            "--set",
            "load=poisson",
            "--set",
            "heartbeat=0",
            "--faults",
            "crash:3?@5s..9s",
            "--for",
            "20s",
        ],
    ] {
        let first = glasshive(&[&["run", "--json"], args].concat());
        fs::write(&file, first.json()["scenario"].to_string()).unwrap();
        let second = glasshive(&["run", "--json", "--scenario", &file]);
        assert_eq!(second.code, 0, "{}", second.err);
        assert!(second.out == first.out, "{args:?}");
    }
}

#[test]
fn a_scenario_file_may_hold_actions() {
    let file = scratch("actions.json");
    let scenario = json!({"version": 1, "preset": "oracle-http", "seed": 7, "faults": "", "horizon": "20s", "actions": [
        {"kind": "fault", "at_ms": 5000, "fault": "crash:w-04"},
        {"kind": "call", "at_ms": 6000, "method": "POST", "url": "http://localhost:8080/request", "body": "{\"query\":\"ETH/USD\"}"},
    ]});
    fs::write(&file, scenario.to_string()).unwrap();
    let report = glasshive(&["run", "--json", "--scenario", &file]).json();
    let mine: Vec<&Value> =
        report["requests"].as_array().unwrap().iter().filter(|r| r["query"] == "ETH/USD").collect();
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0]["requested_at_ms"], 6000.0);
    assert!(mine[0]["worker_responses"].to_string().contains("connection refused"));
    assert_eq!(report["scenario"]["actions"], scenario["actions"]);
}

// --- the trace ----------------------------------------------------------------------------------------------------

/// The lines of a trace that a run has written, and what the run printed.
fn traced(name: &str, args: &[&str]) -> (Vec<Value>, Value) {
    let file = scratch(name);
    let ran = glasshive(&[args, &["--json", "--trace", &file]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = fs::read_to_string(&file).unwrap();
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), ran.json())
}

#[test]
fn every_line_of_a_trace_but_the_first_is_one_event_whose_causes_came_before() {
    let args = ["run", "--seed", "7", "--for", "20s"];
    let (lines, report) = traced("trace.ndjson", &args);
    let again = glasshive(&[&args[..], &["--json"]].concat()).json();
    assert_eq!(report["trace_hash"], again["trace_hash"], "what is written changes nothing");
    let scenario = scratch("trace-scenario.json");
    fs::write(&scenario, lines[0].to_string()).unwrap();
    let replayed = glasshive(&["run", "--json", "--scenario", &scenario]).json();
    assert_eq!((&replayed["trace_hash"], &replayed["events"]), (&report["trace_hash"], &report["events"]));
    let mut last_ns = 0;
    let mut with_cause = 0;
    for (line, i) in lines[1..].iter().zip(1_u64..) {
        let mut promised = vec!["causes", "fact", "kind", "lab", "n", "node", "peer", "req", "t_ns", "value"];
        // What only the laboratory knows: the truth, of each request.
        promised.retain(|key| *key != "lab" || line["kind"] == "request_opened");
        assert_eq!(keys(line), promised, "{line}");
        assert_eq!(line["n"], i);
        let t_ns = line["t_ns"].as_u64().unwrap();
        assert!(t_ns >= last_ns && t_ns <= 20_000_000_000, "{line}");
        last_ns = t_ns;
        assert!(line["node"].is_string() && line["kind"].is_string() && line["value"].is_u64(), "{line}");
        assert!(line["peer"].is_null() || line["peer"].is_string(), "{line}");
        assert!(line["req"].is_null() || line["req"].as_str().unwrap().starts_with("req-"), "{line}");
        let causes = line["causes"].as_array().unwrap();
        assert!(causes.iter().all(|cause| (1..i).contains(&cause.as_u64().unwrap())), "{line}");
        with_cause += usize::from(!causes.is_empty());
    }
    assert_eq!(report["events"], lines.len() - 1);
    assert!(with_cause * 2 > lines.len(), "{with_cause} of {} have a cause", lines.len());
}

#[test]
fn a_trace_has_every_fact_with_its_own_fields_to_the_last_digit() {
    let (lines, report) = traced("facts.ndjson", &["run", "--seed", "7", "--for", "30s"]);
    let told = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    let requests = report["requests"].as_array().unwrap();
    let mut used = 0;
    for aggregated in told("request_aggregated") {
        let request = requests.iter().find(|request| request["request_id"] == aggregated["req"]).unwrap();
        assert_eq!(aggregated["fact"]["value"], request["final_value"], "{aggregated}");
        for cause in aggregated["causes"].as_array().unwrap() {
            let answer = &lines[cause.as_u64().unwrap() as usize];
            assert_eq!((&answer["kind"], &answer["req"]), (&json!("answer_taken"), &aggregated["req"]));
            let worker = &answer["fact"]["result"]["worker_id"];
            let responses = request["worker_responses"].as_array().unwrap();
            let response = responses.iter().find(|response| response["worker_id"] == *worker).unwrap();
            assert_eq!(answer["fact"]["result"]["value"], response["value"], "{answer}");
            used += 1;
        }
    }
    assert!(used > 60, "{used}");
    assert!(told("request_sent").iter().all(|line| line["fact"].is_null()), "HTTP tells no facts");
    for (preset, kind, field) in [
        ("math-wizard", "job_claimed", "container"),
        ("config", "worker_applied", "version"),
        ("oracle-nats", "task_received", "delivery"),
    ] {
        let (lines, _) =
            traced(&format!("facts-{preset}.ndjson"), &["run", "--preset", preset, "--for", "20s"]);
        let line = lines.iter().find(|line| line["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
        assert!(!line["fact"][field].is_null(), "{line}");
    }
}

// --- bad input ----------------------------------------------------------------------------------------------------

#[test]
fn bad_input_exits_2_and_names_field_value_and_range() {
    let scenario = |name: &str, text: &str| {
        let file = scratch(name);
        fs::write(&file, text).unwrap();
        file
    };
    let with = |field: &str, value: Value| {
        let mut json = json!({"version": 1, "preset": "oracle-http", "seed": 1});
        json[field] = value;
        scenario(&format!("bad-{field}.json"), &json.to_string())
    };
    let action = |at_ms: u64| json!([{"kind": "fault", "at_ms": at_ms, "fault": "crash:w-01"}]);
    let version = with("version", json!(2));
    let unknown = with("nonsense", json!(1));
    let set = with("set", json!({"timeout": 5}));
    let late = with("actions", action(300_001));
    let never = scenario(
        "never.json",
        &json!({"version": 1, "preset": "oracle-http", "seed": 1, "actions": action(u64::MAX)}).to_string(),
    );
    let broken = scenario("broken.json", "{\"version\": 1,");
    for (args, parts) in [
        (&["--set", "timeout=5ms"][..], &["timeout: 5ms", "from 10ms to 1m0s"][..]),
        (&["--set", "workers=0"], &["workers: 0", "from 1 to 10000"]),
        (&["--set", "fail=1.1"], &["fail: 1.1", "from 0 to 1"]),
        (&["--set", "strategy=mean"], &["strategy: mean", "average, median, majority"]),
        (&["--set", "delay-min=3s"], &["delay-min: 3s", "delay-max"]),
        (&["--set", "nonsense=1"], &["nonsense", "workers, timeout"]),
        (&["--set", "workers"], &["set: workers", "key=value"]),
        (&["--seed", "9007199254740992"], &["seed: 9007199254740992", "from 0 to 9007199254740991"]),
        (&["--seed=-1"], &["seed: -1", "from 0 to 9007199254740991"]),
        (&["--for", "60"], &["for: 60", "number with a unit"]),
        (&["--for", "25h"], &["for: 25h0m0s", "from 1ms to 24h0m0s"]),
        (&["--for", "0s"], &["for: 0s", "from 1ms"]),
        (&["--preset", "nonsense"], &["preset: nonsense", "oracle-http, heartbeat-trap"]),
        (&["--faults", "crash:w-99@1s"], &["faults: w-99", "w-01 to w-12"]),
        (&["--faults", "melt:w-01"], &["faults: melt", "crash, restart"]),
        (&["--faults", "slow:w-01@1s=0"], &["faults: 0", "from 0.1 to 1000"]),
        (&["--faults", "crash:13?@1s"], &["faults: 13?", "12"]),
        (&["--faults", "lie:coordinator@1s"], &["faults: coordinator", "a worker"]),
        (&["--faults", "cut:w-01@5s..4s"], &["5s..4s", "after the start"]),
        (&["--faults", "cut:w-01@5s..5s"], &["5s..5s", "after the start"]),
        (&["--scenario", &version], &["version: 2", "allowed: 1"]),
        (&["--scenario", &unknown], &["scenario", "nonsense"]),
        (&["--scenario", &set], &["timeout: 5", "from 10ms"]),
        (&["--scenario", &late], &["actions: 5m0.001s", "horizon of 5m0s"]),
        (&["--scenario", &never], &["actions", "horizon of 5m0s"]),
        (&["--scenario", &broken], &["scenario", "line 1"]),
        (&["--scenario", "/no/such/file"], &["/no/such/file"]),
        (&["--scenario", &version, "--preset", "oracle-http"], &["--scenario", "--preset"]),
        (&["--trace", "/no/such/directory/trace", "--for", "1s"], &["/no/such/directory/trace"]),
        (&["--nonsense"], &["--nonsense"]),
    ] {
        let ran = glasshive(&[&["run"], args].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        for part in parts {
            assert!(ran.err.contains(part), "{args:?}: {part:?} is not in {}", ran.err);
        }
    }
    assert_eq!(glasshive(&[]).code, 2);
    assert_eq!(glasshive(&["nonsense"]).code, 2);
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let mut child = Command::new(BINARY)
        .args(["run", "--for", "300s", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
