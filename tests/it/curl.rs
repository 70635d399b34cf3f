//! `glasshive curl`, through the real binary: the source documents' commands word for word, structured errors, exit
//! codes, and sessions.

use super::support::{BINARY, Ran, glasshive, keys, scratch};
use serde_json::{Value, json};
use std::process::Command;

/// Runs a shell text in which `curl` is ours, with these options of ours before the `--`.
fn shell(options: &str, text: &str) -> Ran {
    let script = format!("curl() {{ \"$GLASSHIVE\" curl {options} -- \"$@\"; }}\n{text}\n");
    Command::new("sh").args(["-c", &script]).env("GLASSHIVE", BINARY).output().expect("a shell").into()
}

fn curl(options: &[&str], arguments: &[&str]) -> Ran {
    glasshive(&[&["curl"], options, &["--"], arguments].concat())
}

fn post(options: &[&str], path: &str, body: &str) -> Ran {
    curl(options, &["-X", "POST", &format!("http://localhost:8080{path}"), "-d", body])
}

/// The status of an answer printed with `-i`, and its JSON.
fn with_status(ran: &Ran) -> (u16, Value) {
    assert_eq!(ran.code, 0, "any HTTP answer is a success: {}", ran.err);
    let (head, body) = ran.out.split_once("\r\n\r\n").expect("headers, then a body");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

fn is_error(body: &Value, code: &str) {
    assert_eq!(keys(body), ["error"]);
    assert_eq!(keys(&body["error"]), ["code", "details", "message"]);
    assert_eq!(body["error"]["code"], code);
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
}

// --- the source documents' commands, word for word ----------------------------------------------------------------

#[test]
fn the_documented_registration_gets_the_documented_reply() {
    let ran = shell(
        "",
        r#"curl -X POST http://localhost:8080/register \
  -H 'Content-Type: application/json' \
  -d '{"id":"worker-1","endpoint":"http://localhost:8081"}'"#,
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        ran.out,
        "{\"status\":\"registered\",\"message\":\"Worker worker-1 successfully registered\"}\n"
    );
}

#[test]
fn the_documented_request_gets_an_oracle_result() {
    let ran = shell(
        "--set fail=0 --set timeout=3s",
        r#"curl -X POST http://localhost:8080/request \
  -H 'Content-Type: application/json' \
  -d '{"query":"BTC/USD"}'"#,
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let result = ran.json();
    assert_eq!(keys(&result), ["final_value", "reliability_note", "request_id", "worker_responses"]);
    assert_eq!(result["request_id"], "req-00001");
    assert_eq!(result["reliability_note"], "All workers responded successfully");
    let responses = result["worker_responses"].as_array().unwrap();
    assert_eq!(responses.len(), 12);
    for response in responses {
        assert_eq!(keys(response), ["reliable", "request_id", "response_time", "value", "worker_id"]);
        assert_eq!(response["request_id"], "req-00001");
    }
    let mean = responses.iter().map(|r| r["value"].as_f64().unwrap()).sum::<f64>() / 12.0;
    assert!((result["final_value"].as_f64().unwrap() / mean - 1.0).abs() < 1e-12);
    // The fields come in the documents' order.
    let order = [
        "request_id",
        "final_value",
        "worker_responses",
        "worker_id",
        "value",
        "response_time",
        "reliable",
        "reliability_note",
    ];
    let places: Vec<usize> = order.iter().map(|name| ran.out.find(&format!("\"{name}\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?} in {}", ran.out);
}

#[test]
fn the_documented_health_check_is_answered() {
    let ran = shell("", "curl http://localhost:8081/health");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!((&ran.json()["status"], &ran.json()["worker_id"]), (&json!("ok"), &json!("w-01")));
}

#[test]
fn the_default_settings_answer_too_with_a_note_on_who_is_missing() {
    let ran = post(&[], "/request", r#"{"query":"BTC/USD"}"#);
    let note = ran.json()["reliability_note"].as_str().unwrap().to_owned();
    assert!(note.contains("of 12 workers responded") || note.starts_with("All workers"), "{note}");
}

#[test]
fn a_task_sent_by_hand_gets_a_worker_result() {
    let ran = curl(
        &["--set", "fail=0"],
        &["-X", "POST", "http://localhost:8082/task", "-d", r#"{"id":"req-12345","query":"BTC/USD"}"#],
    );
    let result = ran.json();
    assert_eq!(keys(&result), ["reliable", "request_id", "response_time", "value", "worker_id"]);
    assert_eq!((&result["worker_id"], &result["request_id"]), (&json!("w-02"), &json!("req-12345")));
}

// --- structured errors --------------------------------------------------------------------------------------------

#[test]
fn a_malformed_body_is_400() {
    for body in [
        "",
        "{",
        "[]",
        r#"["", "BTC/USD"]"#,
        r#" ["x"]"#,
        r#"{"query":5}"#,
        "nonsense",
        "{\"query\":\"x\"} {",
    ] {
        let (status, answer) = with_status(&post(&["-i"], "/request", body));
        assert_eq!(status, 400, "{body:?}");
        is_error(&answer, "invalid_json");
    }
    for (path, body, field) in [
        ("/register", "{}", "id"),
        ("/register", r#"{"id":"x"}"#, "endpoint"),
        ("/heartbeat", r#"{"no":"id"}"#, "id"),
        ("/deregister", "{}", "id"),
        ("/request", "{}", "query"),
    ] {
        let (status, answer) = with_status(&post(&["-i"], path, body));
        assert_eq!(status, 400);
        is_error(&answer, "missing_field");
        assert_eq!(answer["error"]["details"], json!({"field": field}));
    }
    for url in ["http://localhost:8080/request", "http://localhost:8081/task"] {
        let (status, answer) = with_status(&curl(&["-i"], &[url, "-d", r#"{"id":"req-1","query":""}"#]));
        assert_eq!((status, &answer["error"]["details"]), (400, &json!({"field": "query"})));
        is_error(&answer, "invalid_field");
    }
    let task = curl(&["-i"], &["http://localhost:8081/task", "-d", "{"]);
    let (status, answer) = with_status(&task);
    assert_eq!(status, 400);
    is_error(&answer, "invalid_json");
}

#[test]
fn an_unknown_path_is_404_and_a_wrong_method_405_with_allow() {
    // `POST /result` stands in the diagrams only.
    for url in [
        "http://localhost:8080/nonsense",
        "http://localhost:8080/",
        "http://localhost:8081/request",
        "http://localhost:8080/result",
    ] {
        let (status, answer) = with_status(&curl(&["-i"], &["-X", "POST", url]));
        assert_eq!(status, 404, "{url}");
        is_error(&answer, "not_found");
    }
    for (method, url, allow) in [
        ("GET", "http://localhost:8080/request", "POST"),
        ("DELETE", "http://localhost:8080/register", "POST"),
        ("POST", "http://localhost:8080/workers", "GET"),
        ("PATCH", "http://localhost:8081/task", "POST"),
    ] {
        let ran = curl(&["-i"], &["-X", method, url]);
        let (status, answer) = with_status(&ran);
        assert_eq!(status, 405, "{method} {url}");
        assert!(ran.out.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{}", ran.out);
        assert!(ran.out.contains(&format!("\r\nAllow: {allow}\r\n")), "{}", ran.out);
        is_error(&answer, "method_not_allowed");
    }
}

#[test]
fn an_empty_registry_and_an_all_failed_request_are_503() {
    let (status, answer) =
        with_status(&post(&["-i", "--set", "register=off"], "/request", r#"{"query":"BTC/USD"}"#));
    assert_eq!(status, 503);
    is_error(&answer, "no_workers");
    let options = ["-i", "--set", "fail=1", "--set", "timeout=3s"];
    let (status, answer) = with_status(&post(&options, "/request", r#"{"query":"BTC/USD"}"#));
    assert_eq!(status, 503);
    is_error(&answer, "all_workers_failed");
    assert_eq!(
        answer["error"]["details"],
        json!({"request_id": "req-00001", "asked": 12, "failed": 12, "late": 0})
    );
}

#[test]
fn a_body_above_a_mebibyte_is_413() {
    // One argument may hold 128 KiB on Linux; curl joins several with `&`.
    let piece = "x".repeat(120_000);
    let mut arguments = vec!["http://localhost:8080/request"];
    for _ in 0..9 {
        arguments.extend(["-d", &piece]);
    }
    let (status, answer) = with_status(&curl(&["-i"], &arguments));
    assert_eq!(status, 413);
    is_error(&answer, "body_too_large");
    let (status, _) = with_status(&curl(&["-i"], &arguments[..arguments.len() - 4]));
    assert_eq!(status, 400, "at most a mebibyte is read, and is no JSON");
}

// --- exit codes and arguments -------------------------------------------------------------------------------------

#[test]
fn nobody_answering_is_exit_1() {
    let ran = curl(&[], &["http://localhost:9/"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("connection refused"), "{}", ran.err);
    // A port beyond the last worker.
    let ran = curl(&["--set", "workers=3"], &["http://localhost:8084/health"]);
    assert_eq!(ran.code, 1);
}

#[test]
fn bad_arguments_are_exit_2_and_named() {
    for (options, arguments, part) in [
        (&[][..], &["-u", "me:secret", "http://localhost:8080/"][..], "-u"),
        (&[], &["-w", "%{speed}", "localhost:8080"], "speed"),
        (&[], &["-m", "soon", "localhost:8080"], "-m: soon"),
        (&[], &["-d", "@/no/such/file", "localhost:8080"], "@/no/such/file"),
        (&[], &["-X"], "-X"),
        (&[], &["-X", "POST"], "exactly one URL"),
        (&[], &["http://localhost:8080/", "http://localhost:8081/"], "exactly one URL"),
        (&[], &["ftp://localhost/"], "ftp://localhost/"),
        (&[], &["-H", "nonsense", "localhost:8080"], "nonsense"),
        (&["--set", "workers=0"], &["localhost:8080"], "workers: 0"),
        (&["--preset", "nonsense"], &["localhost:8080"], "preset: nonsense"),
        (&["--seed", "9007199254740992"], &["localhost:8080"], "seed"),
    ] {
        let ran = curl(options, arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(part), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(glasshive(&["curl"]).code, 2);
}

#[test]
fn include_prints_the_status_line_and_the_headers_wherever_it_stands() {
    let ours = curl(&["-i"], &["localhost:8080/health"]);
    let curls = curl(&[], &["-i", "localhost:8080/health"]);
    assert_eq!(ours.out, curls.out);
    assert!(
        ours.out.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "),
        "{}",
        ours.out
    );
    let body = curl(&[], &["-s", "localhost:8080/health"]).out;
    assert!(ours.out.ends_with(&format!("Content-Length: {}\r\n\r\n{body}", body.len())));
}

#[test]
fn a_fresh_cluster_is_at_one_second_with_everybody_registered_and_nothing_asked() {
    let workers = curl(&[], &["localhost:8080/workers"]).json();
    assert_eq!(workers.as_array().unwrap().len(), 12);
    assert!(workers.as_array().unwrap().iter().all(|w| w["score"] == 0.5));
    let counters = curl(&[], &["localhost:8080/metrics"]).json()["counters"].clone();
    assert_eq!((&counters["requests"], &counters["registrations"]), (&json!(0), &json!(12)));
    let again = curl(&[], &["localhost:8080/workers"]);
    assert_eq!(again.json(), workers, "the same each time");
}

#[test]
fn the_cluster_over_nats_answers_and_its_broker_tells_its_figures() {
    let nats = ["--preset", "oracle-nats", "--set", "fail=0", "--set", "delay-max=500ms"];
    let answer = curl(&nats, &["-d", "{\"query\":\"BTC/USD\"}", "localhost:8080/request"]).json();
    assert_eq!(answer["worker_responses"].as_array().unwrap().len(), 12);
    assert_eq!(curl(&nats, &["localhost:8080/health"]).json()["status"], "ok");
    let varz = curl(&nats, &["localhost:8222/varz"]).json();
    assert_eq!((&varz["version"], &varz["connections"]), (&json!("2.9.10"), &json!(13)));
}

#[test]
fn what_curl_tells_a_terminal_is_told() {
    let (body, data) = (scratch("answer.json"), scratch("data.json"));
    std::fs::write(&data, "{\"query\":\n\"BTC/USD\"}\n").unwrap();
    let url = "http://localhost:8080/request";
    let format = "%{http_code} %{size_download} %{method} %{url_effective} %header{content-type}%%\\n";
    let ran = curl(
        &["--set", "timeout=3s"],
        &["-s", "-o", &body, "-w", format, "--json", &format!("@{data}"), url],
    );
    let size = std::fs::metadata(&body).unwrap().len();
    assert_eq!(ran.out, format!("200 {size} POST {url} application/json%\n"));
    // A status of an error fails with -f, and shows no body; -s is silent about it, -S is not.
    let missing = "http://localhost:8080/nonsense";
    let failed = curl(&[], &["-f", missing]);
    assert_eq!((failed.code, failed.out.as_str()), (22, ""));
    assert!(failed.err.contains("error: 404"), "{}", failed.err);
    assert_eq!(curl(&[], &["-sf", missing]).err, "");
    assert_ne!(curl(&[], &["-sSf", missing]).err, "");
    assert_eq!(curl(&[], &["-s", "http://localhost:9/"]).err, "");
    let verbose = curl(&[], &["-v", "-H", "X-A: b", "localhost:8080/health"]).err;
    assert!(
        verbose
            .starts_with("> GET /health HTTP/1.1\n> Host: localhost:8080\n> X-A: b\n>\n< HTTP/1.1 200 OK\n"),
        "{verbose}"
    );
    let head = curl(&["--preset", "config"], &["-I", "localhost:8080/config"]);
    assert!(head.out.starts_with("HTTP/1.1 200 OK\r\n") && head.out.ends_with("\r\n\r\n"), "{}", head.out);
    // Nobody waits longer than -m says.
    let file = scratch("patience.json");
    let late =
        curl(&["--session", &file], &["-m", "0.2", "-d", "{\"query\":\"x\"}", "-w", "%{http_code}", url]);
    assert_eq!((late.code, late.out.as_str()), (1, "000"));
    assert!(late.err.contains("no answer within 200ms"), "{}", late.err);
    let session: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(session["played_ns"], 1_201_000_000);
}

// --- sessions -----------------------------------------------------------------------------------------------------

#[test]
fn a_session_goes_on_from_call_to_call() {
    let file = scratch("session.json");
    let session = format!("--session '{file}' --seed 5 --set fail=0 --set timeout=3s");
    let ran = shell(
        &session,
        r#"curl -X POST http://localhost:8080/register -d '{"id":"worker-1","endpoint":"http://localhost:8081"}'
           curl http://localhost:8080/workers
           curl -X POST http://localhost:8080/request -d '{"query":"BTC/USD"}'
           curl -X POST http://localhost:8080/request -d '{"query":"ETH/USD"}'
           curl http://localhost:8080/workers"#,
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [registered, before, first, second, after] = &answers[..] else { panic!("{}", ran.out) };
    assert_eq!(registered["status"], "registered");
    assert_eq!((&first["request_id"], &second["request_id"]), (&json!("req-00001"), &json!("req-00002")));
    for workers in [before, after] {
        let workers = workers.as_array().unwrap();
        assert_eq!((workers.len(), &workers[12]["id"]), (13, &json!("worker-1")));
    }
    let asked = |result: &Value| result["worker_responses"].as_array().unwrap().len();
    // The one behind the address says its own name; by which other it is known is said besides.
    let by_hand = &first["worker_responses"][12];
    assert_eq!((&by_hand["worker_id"], &by_hand["registered_as"]), (&json!("w-01"), &json!("worker-1")));
    assert_eq!(first["worker_responses"][0].get("registered_as"), None);
    assert_eq!((asked(first), asked(second)), (13, 13));
    let seen = |workers: &Value| workers[0]["last_seen"].as_str().unwrap().to_owned();
    assert!(seen(after) > seen(before), "time goes on");
    assert!(after[0]["score"].as_f64() > before[0]["score"].as_f64());
    // Whatever the first call said of seed and settings stays.
    let again =
        |options: &[&str]| curl(&[&["--session", &file], options].concat(), &["localhost:8080/workers"]);
    assert_eq!(again(&[]).json().as_array().unwrap().len(), 13);
    assert_eq!(again(&["--seed", "5", "--set", "timeout=3000ms", "--preset", "oracle-http"]).code, 0);
    for (options, said, begun) in [
        (["--set", "workers=1"], "workers: 1 ", "12"),
        (["--set", "timeout=2s"], "timeout: 2s", "3s"),
        (["--seed", "6"], "seed: 6", "5"),
        (["--preset", "oracle-nats"], "preset: oracle-nats", "oracle-http"),
    ] {
        let ran = again(&options);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{options:?}");
        assert!(ran.err.contains(said) && ran.err.contains(&format!("allowed: {begun}")), "{}", ran.err);
    }
}

#[test]
fn a_session_is_broken_and_waited_in() {
    let file = scratch("broken.json");
    let session = format!("--session '{file}' --set fail=0 --set timeout=3s");
    let ask = r#"http://localhost:8080/request -d '{"query":"BTC/USD"}'"#;
    let broken = shell(&format!("{session} --faults crash:w-04"), &format!("curl {ask}"));
    let note = |ran: &Ran| ran.json()["reliability_note"].as_str().unwrap().to_owned();
    assert_eq!(note(&broken), "11 of 12 workers responded: 1 failed, 0 late");
    // Time alone, past the stale limit; then a fault with an instant of its own, and its end.
    let waited = glasshive(&["curl", "--session", &file, "--wait", "16s"]);
    assert_eq!((waited.code, waited.out.as_str(), waited.err.as_str()), (0, "", ""));
    assert_eq!(note(&shell(&session, &format!("curl {ask}"))), "All workers responded successfully");
    let planned =
        shell(&format!("{session} --faults crash:w-05@40s..60s --wait 22s"), &format!("curl {ask}"));
    assert_eq!(note(&planned), "10 of 11 workers responded: 1 failed, 0 late");
    assert_eq!(
        note(&shell(&format!("{session} --wait 20s"), &format!("curl {ask}"))),
        "All workers responded successfully"
    );
    for (option, value, part) in [
        ("--faults", "crash:w-06@2s", "a start after"),
        ("--faults", "crash:w-99", "w-01"),
        ("--wait", "25h", "at most 23h"),
        ("--wait", "soon", "wait: soon"),
    ] {
        let ran = glasshive(&["curl", "--session", &file, option, value]);
        assert!(ran.code == 2 && ran.err.contains(part), "{option} {value}: {}", ran.err);
    }
    // The file is a scenario: played, it is the same run, and tells what was answered.
    let report = glasshive(&["run", "--scenario", &file, "--json"]);
    assert_eq!((report.code, report.err.as_str()), (0, ""));
    let calls = report.json()["calls"].as_array().unwrap().clone();
    assert_eq!(calls.len(), 4);
    assert_eq!(calls[0]["body"], broken.json());
    assert_eq!((&calls[0]["at_ms"], &calls[0]["status"]), (&json!(1002.0), &json!(200)));
    let text = glasshive(&["run", "--scenario", &file]).out;
    assert!(text.contains("at 1.002 s: POST http://localhost:8080/request: 200 {"), "{text}");
    assert_eq!(report.json()["summary"]["requests"], 4, "the system's own client is silent");
}

#[test]
fn a_file_that_is_no_session_is_exit_2_and_stays() {
    let file = scratch("no-session.json");
    std::fs::write(&file, "nonsense").unwrap();
    let ran = curl(&["--session", &file], &["localhost:8080/health"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("session") && ran.err.contains("--session wrote"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "nonsense");
}
