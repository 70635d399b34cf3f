//! The oracle over HTTP: the registry, the API's JSON, request ids, reliability notes.

use super::support::{Case, call, keys, ms, node, records};
use glasshive::kernel::{Duration, Instant};
use glasshive::lab::Run;
use glasshive::lab::oracle::TaskEnd;
use glasshive::systems::oracle::{
    REQUEST_OPENED, TASK_FAILED, TASK_STARTED, WORKER_DEREGISTERED, WORKER_EVICTED, WORKER_REGISTERED,
};
use serde_json::{Value, json};

const COORDINATOR: &str = "http://localhost:8080";

/// An oracle without client load, at one second: everybody has registered.
pub fn quiet(case: Case) -> Run {
    let mut run = case.set("period", "1h").set("load", "closed").faults("crash:client@0s").start();
    run.run_until(Instant::from_millis(1_000));
    run
}

fn post(run: &mut Run, path: &str, body: &Value) -> (u16, Value) {
    call(run, "POST", &format!("{COORDINATOR}{path}"), &body.to_string())
}

fn workers(run: &mut Run) -> Vec<Value> {
    let (status, list) = call(run, "GET", "http://localhost:8080/workers", "");
    assert_eq!(status, 200);
    list.as_array().unwrap().clone()
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().map(|worker| worker["id"].as_str().unwrap()).collect()
}

// --- the registry -------------------------------------------------------------------------------------------------

#[test]
fn every_worker_registers_itself_when_it_starts() {
    let mut run = quiet(Case::oracle(1));
    let list = workers(&mut run);
    let mut seen = names(&list);
    let registered: Vec<u32> = records(&run, WORKER_REGISTERED).iter().map(|r| r.peer).collect();
    let listed: Vec<u32> = seen.iter().map(|name| node(&run, name)).collect();
    assert_eq!(listed, registered, "the registry is in the order of registration");
    seen.sort_unstable();
    let expected: Vec<String> = (1..=12).map(|i| format!("w-{i:02}")).collect();
    assert_eq!(seen, expected);
    for worker in &list {
        assert_eq!(keys(worker), ["endpoint", "id", "last_seen", "reliable", "score"]);
        let port = 8080 + worker["id"].as_str().unwrap()[2..].parse::<u32>().unwrap();
        assert_eq!(worker["endpoint"], format!("http://localhost:{port}"));
        assert!(worker["last_seen"].as_str().unwrap().starts_with("2025-01-01T00:00:00.0"), "{worker}");
        assert_eq!(worker["score"], 0.5, "nothing is known of it yet");
    }
}

#[test]
fn heartbeats_keep_idle_workers_registered() {
    Case::oracle(2).set("period", "1h").check(|run| {
        assert_eq!(glasshive::lab::oracle::of(run.system()).unwrap().oracle().registered().len(), 12);
        assert!(records(run, WORKER_EVICTED).is_empty());
        glasshive::lab::oracle::of(run.system()).unwrap().oracle().look_at_registry(|entry| {
            let age = run.now().since(entry.last_seen);
            assert!(age <= Duration::from_millis(5_200), "{}: {age}", entry.member.id);
        });
    });
    let mut run = Case::oracle(2).set("period", "1h").start();
    run.run_until(Instant::from_millis(28_000));
    let (_, metrics) = call(&mut run, "GET", "http://localhost:8080/metrics", "");
    assert_eq!(metrics["counters"]["heartbeats"], 12 * 5, "one of each in every 5 s");
}

#[test]
fn without_heartbeats_idle_healthy_workers_are_dropped_and_requests_find_nobody() {
    Case::preset("heartbeat-trap", 3).seconds(60).check(|run| {
        let evictions = records(run, WORKER_EVICTED);
        assert_eq!(evictions.len(), 12);
        for eviction in &evictions {
            // Silent for 15 s since the answer to the first request at the latest, and searched for every second.
            assert!((15_000.0..18_500.0).contains(&ms(eviction.at)), "{eviction:?}");
            assert_eq!(
                eviction.node,
                glasshive::lab::oracle::of(run.system()).unwrap().oracle().coordinator().0
            );
        }
        assert!(
            glasshive::lab::oracle::of(run.system())
                .unwrap()
                .oracle()
                .workers()
                .iter()
                .all(|&worker| run.net().is_up(worker)),
            "all are healthy"
        );
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let [first, rest @ ..] = &ledger.requests().iter().collect::<Vec<_>>()[..] else {
            panic!("no request")
        };
        assert!(first.result.is_some());
        assert!(!rest.is_empty());
        // Its answer was a sign of life of a worker; who was cancelled has given none since it registered.
        for eviction in &evictions {
            let task = first.tasks.iter().find(|task| task.node == eviction.peer).unwrap();
            let answered = task.ended_at.filter(|_| task.end != TaskEnd::Late).map_or(0.0, ms);
            let silent = ms(eviction.at) - answered.max(60.0);
            assert!((14_990.0..16_120.0).contains(&silent), "{task:?} was silent for {silent} ms");
        }
        for request in rest {
            let error = request.error.as_ref().unwrap();
            assert_eq!((error.status, error.code.as_str()), (503, "no_workers"), "req {}", request.number);
        }
    });
}

#[test]
fn a_worker_that_stops_gracefully_deregisters_first_and_finishes_its_tasks() {
    // At 5 s it works on the request of 4.2 s, if its delay is long enough.
    Case::oracle(5)
        .set("delay-min", "1s")
        .set("fail", "0")
        .set("timeout", "3s")
        .faults("stop:w-03@5s")
        .check(|run| {
            let w03 = node(run, "w-03");
            let gone = records(run, WORKER_DEREGISTERED);
            assert_eq!(gone.iter().map(|r| r.peer).collect::<Vec<_>>(), [w03]);
            assert!((5_050.0..=5_070.0).contains(&ms(gone[0].at)), "one hop after 5 s: {:?}", gone[0]);
            assert!(!run.net().is_up(run.net().find("w-03").unwrap()));
            let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
            for request in ledger.requests().iter().filter(|r| r.answered_at.is_some()) {
                let asked = request.tasks.iter().any(|task| *task.worker == *"w-03");
                assert_eq!(asked, ms(request.requested_at) < 5_000.0, "req {}", request.number);
                assert_eq!(request.worker_responses.iter().filter(|r| r.err.is_some()).count(), 0);
            }
            let stopped = records(run, glasshive::net::NODE_STOPPED);
            assert_eq!(stopped.iter().map(|r| r.node).collect::<Vec<_>>(), [w03]);
            assert!(
                glasshive::lab::oracle::of(run.system())
                    .unwrap()
                    .oracle()
                    .registered()
                    .iter()
                    .all(|id| **id != *"w-03")
            );
        });
}

#[test]
fn workers_register_again_with_a_coordinator_that_restarted() {
    Case::oracle(6).faults("restart:coordinator@10s").check(|run| {
        let again: Vec<_> =
            records(run, WORKER_REGISTERED).into_iter().filter(|r| ms(r.at) > 10_000.0).collect();
        assert_eq!(again.len(), 12, "each once");
        // The next heartbeat is answered 404, at most 5 s later.
        assert!(again.iter().all(|r| ms(r.at) < 15_400.0), "{again:?}");
        assert_eq!(glasshive::lab::oracle::of(run.system()).unwrap().oracle().registered().len(), 12);
    });
}

#[test]
fn a_worker_that_was_cut_off_is_evicted_and_registers_again_after_404() {
    Case::oracle(7).faults("cut:w-05@10s..40s").check(|run| {
        let w05 = node(run, "w-05");
        let evicted = records(run, WORKER_EVICTED);
        assert_eq!(evicted.iter().map(|r| r.peer).collect::<Vec<_>>(), [w05]);
        assert!((20_000.0..27_000.0).contains(&ms(evicted[0].at)));
        let registered: Vec<f64> =
            records(run, WORKER_REGISTERED).iter().filter(|r| r.peer == w05).map(|r| ms(r.at)).collect();
        assert!(registered.len() == 2 && (40_000.0..48_000.0).contains(&registered[1]), "{registered:?}");
        assert_eq!(
            glasshive::lab::oracle::of(run.system()).unwrap().oracle().registered().last(),
            Some(&"w-05".into()),
            "it is the last in order now"
        );
    });
}

#[test]
fn an_unknown_id_gets_404_for_heartbeat_and_deregister() {
    let mut run = quiet(Case::oracle(8));
    for path in ["/heartbeat", "/deregister"] {
        let (status, body) = post(&mut run, path, &json!({"id": "w-77"}));
        assert_eq!((status, &body["error"]["code"]), (404, &json!("unknown_worker")));
    }
    let (status, body) = post(&mut run, "/heartbeat", &json!({"id": "w-01"}));
    assert_eq!((status, &body["status"]), (200, &json!("alive")));
    let (status, body) = post(&mut run, "/deregister", &json!({"id": "w-01"}));
    assert_eq!((status, &body["status"]), (200, &json!("deregistered")));
    assert!(!names(&workers(&mut run)).contains(&"w-01"));
    let (_, body) = post(&mut run, "/deregister", &json!({"id": "w-01"}));
    assert_eq!(body["error"]["message"], "worker w-01 is not registered, so it cannot be removed");
}

#[test]
fn who_was_deregistered_by_hand_stays_out_until_it_starts_again() {
    let mut run = quiet(Case::oracle(8));
    let is_in = |run: &mut Run| names(&workers(run)).contains(&"w-03");
    assert_eq!(post(&mut run, "/deregister", &json!({"id": "w-03"})).0, 200);
    // Three heartbeats later.
    run.run_until(run.now() + Duration::from_secs(16));
    assert!(!is_in(&mut run));
    let (status, body) = post(&mut run, "/heartbeat", &json!({"id": "w-03"}));
    assert_eq!((status, &body["error"]["code"]), (410, &json!("deregistered")));
    run.inject("restart:w-03").unwrap();
    run.run_until(run.now() + Duration::from_secs(1));
    assert!(is_in(&mut run));
    assert_eq!(post(&mut run, "/heartbeat", &json!({"id": "w-03"})).0, 200);
}

#[test]
fn an_endpoint_that_tasks_cannot_be_sent_to_is_turned_away() {
    let mut run = quiet(Case::oracle(9));
    // The last two would make the coordinator its own worker, asking itself for ever in no time.
    for endpoint in [
        "",
        "https://localhost:8081",
        "http://:1/",
        "http://localhost:8080/request?",
        "localhost:8080/request#",
    ] {
        let (status, body) = post(&mut run, "/register", &json!({"id": "worker-1", "endpoint": endpoint}));
        assert_eq!(
            (status, &body["error"]["details"]["field"]),
            (400, &json!("endpoint")),
            "{endpoint:?}: {body}"
        );
    }
    let (status, body) = post(&mut run, "/register", &json!({"id": "", "endpoint": "http://localhost:8081"}));
    assert_eq!((status, &body["error"]["details"]["field"]), (400, &json!("id")));
    assert_eq!(workers(&mut run).len(), 12);
}

#[test]
fn workers_that_do_not_register_are_not_asked() {
    Case::oracle(9).set("register", "off").seconds(10).check(|run| {
        assert!(glasshive::lab::oracle::of(run.system()).unwrap().oracle().registered().is_empty());
        assert!(records(run, REQUEST_OPENED).iter().all(|r| r.value == 0));
        assert_eq!(records(run, REQUEST_OPENED).len(), 5);
    });
}

// --- the API's JSON -----------------------------------------------------------------------------------------------

#[test]
fn register_request_and_task_have_the_documented_names_and_no_others() {
    let mut run = quiet(Case::oracle(10).set("fail", "0").set("timeout", "3s"));
    let worker = json!({"id": "worker-1", "endpoint": "http://localhost:8081"});
    let (status, body) = post(&mut run, "/register", &worker);
    assert_eq!(status, 200);
    assert_eq!(body, json!({"status": "registered", "message": "Worker worker-1 successfully registered"}));

    // A client's own id is ignored.
    let (status, result) = post(&mut run, "/request", &json!({"id": "mine", "query": "BTC/USD"}));
    assert_eq!(status, 200);
    assert_eq!(keys(&result), ["final_value", "reliability_note", "request_id", "worker_responses"]);
    assert_eq!(result["request_id"], "req-00001");
    assert_eq!(result["reliability_note"], "All workers responded successfully");
    let responses = result["worker_responses"].as_array().unwrap();
    assert_eq!(responses.len(), 13);
    let names = [&responses[12]["worker_id"], &responses[12]["registered_as"]];
    assert_eq!(
        names,
        ["w-01", "worker-1"],
        "in registration order, by its own name and the one in the registry"
    );
    for (response, i) in responses.iter().zip(0..) {
        if i == 12 {
            continue;
        }
        assert_eq!(keys(response), ["reliable", "request_id", "response_time", "value", "worker_id"]);
        assert_eq!((&response["request_id"], &response["reliable"]), (&json!("req-00001"), &json!(true)));
        let value = response["value"].as_f64().unwrap();
        assert!((0.95..=1.05).contains(&(value / 42_135.5)), "{response}");
        assert_response_time(response);
    }
    let mean = responses.iter().map(|r| r["value"].as_f64().unwrap()).sum::<f64>() / 13.0;
    assert!((result["final_value"].as_f64().unwrap() / mean - 1.0).abs() < 1e-12);

    let task = json!({"id": "req-12345", "query": "ETH/USD"}).to_string();
    let (status, answer) = call(&mut run, "POST", "http://localhost:8081/task", &task);
    assert_eq!(status, 200);
    assert_eq!(keys(&answer), ["reliable", "request_id", "response_time", "value", "worker_id"]);
    assert_eq!((&answer["request_id"], &answer["worker_id"]), (&json!("req-12345"), &json!("w-01")));
    assert!((0.95..=1.05).contains(&(answer["value"].as_f64().unwrap() / 2_250.75)));
    assert_response_time(&answer);
}

fn assert_response_time(response: &Value) {
    let text = response["response_time"].as_str().expect("a string in Go's notation");
    let time: Duration = text.parse().unwrap();
    assert!((100.0..=2_000.0).contains(&time.as_millis_f64()), "{text}");
    assert_eq!(time.to_string(), text);
}

#[test]
fn a_failing_worker_answers_500_after_its_delay() {
    let mut run = quiet(Case::oracle(11).set("fail", "1"));
    let before = run.now();
    let (status, body) =
        call(&mut run, "POST", "http://localhost:8082/task", r#"{"id":"req-9","query":"BTC/USD"}"#);
    assert_eq!(status, 500);
    assert_eq!(keys(&body), ["err", "reliable", "request_id", "response_time", "value", "worker_id"]);
    assert_eq!((&body["value"], &body["reliable"]), (&json!(0.0), &json!(false)));
    assert!(!body["err"].as_str().unwrap().is_empty());
    let (started, failed) = (records(&run, TASK_STARTED), records(&run, TASK_FAILED));
    assert_eq!((started.len(), failed.len()), (1, 1));
    assert_eq!(failed[0].at.since(started[0].at).as_nanos(), started[0].value, "after the drawn delay");
    assert!(failed[0].at.since(before) >= Duration::from_millis(100));
}

#[test]
fn health_metrics_and_queries_without_a_known_base_are_answered() {
    let mut run = quiet(Case::oracle(12).set("fail", "0").set("noise", "0").set("timeout", "3s"));
    let (status, health) = call(&mut run, "GET", "http://localhost:8080/health", "");
    assert_eq!((status, &health["status"], &health["workers"]), (200, &json!("ok"), &json!(12)));
    let (status, health) = call(&mut run, "GET", "http://localhost:8083/health", "");
    assert_eq!((status, &health["status"], &health["worker_id"]), (200, &json!("ok"), &json!("w-03")));
    let ask =
        |run: &mut Run, query: &str| post(run, "/request", &json!({"query": query})).1["final_value"].clone();
    let first = ask(&mut run, "no such thing");
    assert_eq!(ask(&mut run, "no such thing"), first, "an unknown query has a stable base");
    assert_ne!(ask(&mut run, "nor this"), first);
    let (status, metrics) = call(&mut run, "GET", "http://localhost:8080/metrics", "");
    let counters = &metrics["counters"];
    assert_eq!(status, 200);
    assert_eq!((&counters["requests"], &counters["requests_answered"]), (&json!(3), &json!(3)));
    assert_eq!((&counters["tasks_in_time"], &counters["tasks_late"]), (&json!(36), &json!(0)));
    assert_eq!(keys(&metrics), ["counters", "workers"], "the truth is nothing that a coordinator knows");
    let scores: Vec<f64> = workers(&mut run).iter().map(|w| w["score"].as_f64().unwrap()).collect();
    assert!(scores.iter().all(|&score| score == 0.8), "three of three, one success and one failure assumed");
}

// --- ids and notes ------------------------------------------------------------------------------------------------

#[test]
fn request_ids_go_on_over_restarts_of_the_coordinator() {
    Case::oracle(13).faults("restart:coordinator@7s,crash:coordinator@20s..26s").check(|run| {
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let numbers: Vec<u64> = ledger.requests().iter().map(|r| r.number).collect();
        assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
        for request in ledger.requests().iter() {
            if let Some(result) = &request.result {
                assert_eq!(*result.request_id, format!("req-{:05}", request.number));
            }
        }
        assert!(ledger.requests().back().unwrap().result.is_some());
    });
}

#[test]
fn the_note_tells_all_some_and_most_missing_apart() {
    let (mut seen, mut half) = ([0; 3], 0);
    // With an even number half of them may be missing, which is not most.
    for (seed, workers) in (1..=20).flat_map(|seed| [(seed, 5), (seed, 4)]) {
        Case::oracle(seed).set("fail", "0.2").set("workers", &workers.to_string()).check(|run| {
            let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
            for request in ledger.requests().iter().filter(|r| r.result.is_some()) {
                let result = request.result.as_ref().unwrap();
                let missing = result.worker_responses.iter().filter(|r| r.err.is_some()).count();
                let late = result
                    .worker_responses
                    .iter()
                    .filter(|r| r.err.as_deref() == Some("no answer within 1.5s"));
                let (late, answered) = (late.count(), workers - missing);
                let counts = format!(
                    "{answered} of {workers} workers responded: {} failed, {late} late",
                    missing - late
                );
                let expected = match missing {
                    0 => "All workers responded successfully".to_owned(),
                    // More than half of five, and of four.
                    3.. => format!("Warning: partial result, only {counts}"),
                    _ => counts,
                };
                assert_eq!(*result.reliability_note, expected, "req {}", request.number);
                half += usize::from(2 * missing == workers);
                seen[usize::from(missing > 0) + usize::from(missing > 2)] += 1;
            }
        });
    }
    assert!(half >= 20 && seen.iter().all(|&count| count >= 20), "all, some, most missing: {seen:?}, {half}");
}
