//! The Math Wizard: its API through the real binary, and what each shipped scenario shows.

use super::support::{Case, Ran, call, glasshive, keys, ms, records, scratch};
use glasshive::kernel::{Duration, Instant};
use glasshive::lab::Run;
use glasshive::lab::wizard::{Job, Loss, Outcome, Place, Submission, WizardRun};
use glasshive::systems::wizard::fact::{CONTAINERS_ADDED, JOB_QUEUED, JOB_REAPED, USER_GAVE_UP};
use serde_json::{Value, json};

/// Calls a cluster that lives on in `file`: the status and the body.
fn curl(file: &str, arguments: &[&str]) -> (u16, String) {
    let options = ["curl", "--preset", "math-wizard", "--session", file, "-i", "--"];
    let Ran { code, out, err } = glasshive(&[&options, arguments].concat());
    assert_eq!(code, 0, "any HTTP answer is a success: {err}");
    let (head, body) = out.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn curl_json(file: &str, arguments: &[&str]) -> (u16, Value) {
    let (status, body) = curl(file, arguments);
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

fn is_error(answer: &(u16, Value), status: u16, code: &str) {
    assert_eq!((answer.0, keys(&answer.1)), (status, vec!["error"]));
    assert_eq!(keys(&answer.1["error"]), ["code", "details", "message"]);
    assert_eq!(answer.1["error"]["code"], code);
    assert!(!answer.1["error"]["message"].as_str().unwrap().is_empty());
}

// --- the API, through the binary ------------------------------------------------------------------------------------

#[test]
fn the_documented_endpoints_answer_through_the_binary() {
    let file = scratch("wizard.json");
    let (status, page) = curl(&file, &["http://localhost/"]);
    assert_eq!(status, 200);
    assert!(page.starts_with("<!doctype html>") && page.contains("Distributed Math Wizard"), "{page}");
    let who = || curl_json(&file, &["http://localhost/whoami"]).1["container_id"].clone();
    assert_eq!(
        [who(), who(), who(), who()],
        ["c-02", "c-03", "c-01", "c-02"],
        "it changes from call to call"
    );
    let (status, sum) = curl_json(&file, &["http://localhost/add?a=2&b=3"]);
    assert_eq!((status, sum), (200, json!({"result": 5, "handled_by": "c-03"})));
    let (status, test) = curl_json(&file, &["http://localhost/valkey_test"]);
    assert_eq!((status, &test["status"], &test["reply"]), (200, &json!("ok"), &json!("PONG")));
}

#[test]
fn a_task_is_accepted_at_once_and_completed_with_three_identities() {
    let file = scratch("wizard_task.json");
    let (status, accepted) =
        curl_json(&file, &["-X", "POST", "http://localhost/task", "-d", r#"{"a":19.5,"b":23}"#]);
    assert_eq!((status, keys(&accepted)), (202, vec!["initiated_by", "status", "task_id"]));
    assert_eq!((&accepted["status"], &accepted["initiated_by"]), (&json!("PENDING"), &json!("c-01")));
    let url = format!("http://localhost/tasks/{}/status", accepted["task_id"].as_str().unwrap());
    let mut seen = Vec::new();
    for _ in 0..60 {
        let (status, answer) = curl_json(&file, &[&url]);
        assert_eq!((status, &answer["initiated_by"]), (200, &json!("c-01")));
        seen.push(answer);
        if seen.last().unwrap()["status"] == "COMPLETED" {
            break;
        }
    }
    let statuses: Vec<&str> = seen.iter().map(|answer| answer["status"].as_str().unwrap()).collect();
    assert!(statuses.contains(&"PROCESSING"), "{statuses:?}");
    assert_eq!(seen[0]["handled_by"], Value::Null);
    let last = seen.last().unwrap();
    assert_eq!((&last["status"], &last["result"]), (&json!("COMPLETED"), &json!(42.5)));
    assert!(last["handled_by"].as_str().unwrap().starts_with("c-0"));
    let checked: Vec<&Value> = seen.iter().take(3).map(|answer| &answer["checked_by"]).collect();
    assert_eq!(checked, ["c-02", "c-03", "c-01"], "any container answers");
}

#[test]
fn bad_numbers_unknown_ids_and_wrong_methods_get_structured_errors() {
    let file = scratch("wizard_errors.json");
    for (query, field) in [("b=3", "a"), ("a=1", "b"), ("", "a")] {
        let error = curl_json(&file, &[&format!("http://localhost/add?{query}")]);
        assert_eq!(error.1["error"]["details"], json!({"field": field}));
        is_error(&error, 400, "missing_field");
    }
    for query in ["a=x&b=3", "a=inf&b=1", "a=NaN&b=1", "a=1e999&b=1", "a=&b=1"] {
        is_error(&curl_json(&file, &[&format!("http://localhost/add?{query}")]), 400, "invalid_number");
    }
    let post = |body: &str| curl_json(&file, &["-X", "POST", "http://localhost/task", "-d", body]);
    is_error(&post(r#"{"a":1}"#), 400, "missing_field");
    for body in [r#"{"a":"x","b":3}"#, r#"{"a":null,"b":1}"#, r#"{"a":[1],"b":1}"#] {
        is_error(&post(body), 400, "invalid_number");
    }
    let error = post(r#"{"a":1,"b":"two"}"#).1;
    assert_eq!(
        error["error"]["details"],
        json!({"field": "b", "value": "two", "allowed": "a finite number"})
    );
    for body in ["", "{", "nonsense", "[]", "[1,2]", "5", r#"{"a":1,"b":2} x"#] {
        is_error(&post(body), 400, "invalid_json");
    }
    is_error(&curl_json(&file, &["http://localhost/tasks/no-such/status"]), 404, "task_not_found");
    is_error(&curl_json(&file, &["http://localhost/tasks//status"]), 404, "task_not_found");
    is_error(&curl_json(&file, &["http://localhost/nothing"]), 404, "not_found");
    for (method, path) in [
        ("GET", "/task"),
        ("POST", "/"),
        ("DELETE", "/whoami"),
        ("POST", "/add"),
        ("PUT", "/tasks/x/status"),
        ("POST", "/valkey_test"),
    ] {
        let answer = curl_json(&file, &["-X", method, &format!("http://localhost{path}")]);
        is_error(&answer, 405, "method_not_allowed");
    }
}

#[test]
fn the_store_down_is_told_as_such_and_a_container_can_be_called_by_itself() {
    let mut run = Case::preset("math-wizard", 1).faults("crash:valkey@0s").seconds(60).start();
    for (method, path, body) in
        [("GET", "/valkey_test", ""), ("GET", "/tasks/x/status", ""), ("POST", "/task", r#"{"a":1,"b":2}"#)]
    {
        is_error(
            &call(&mut run, method, &format!("http://localhost{path}"), body),
            503,
            "valkey_unavailable",
        );
    }
    let ran = glasshive(&["curl", "--preset", "math-wizard", "--", "http://c-02:5000/whoami"]);
    assert_eq!(ran.json(), json!({"container_id": "c-02"}));
}

// --- the shipped scenarios ------------------------------------------------------------------------------------------

fn wizard(run: &Run) -> &WizardRun {
    glasshive::lab::wizard::of(run.system()).unwrap()
}

#[test]
fn brpop_loses_the_job_of_a_dying_worker_and_its_user_gives_up() {
    Case::preset("lost-job", 31).seconds(60).check(|run| {
        let (ledger, counts) = (wizard(run).ledger(), wizard(run).tally().counts());
        let lost: Vec<_> = ledger.jobs().filter(|job| job.place == Some(Place::Lost)).collect();
        assert_eq!(lost.len(), 1);
        assert_eq!(lost[0].lost.map(|(at, why)| (ms(at), why)), Some((9_500.0, Loss::WorkerDied)));
        assert_eq!(lost[0].claims.len(), 1);
        assert_eq!(records(run, USER_GAVE_UP).len(), 1);
        assert_eq!(counts.done + 1, ledger.jobs().filter(|job| job.is_over()).count() as u64);
    });
}

#[test]
fn lmove_and_a_reaper_finish_what_a_dying_worker_had() {
    Case::preset("lmove-cure", 31).seconds(60).check(|run| {
        let (ledger, counts) = (wizard(run).ledger(), wizard(run).tally().counts());
        assert_eq!((counts.lost, counts.reaped), (0, 1));
        let saved = ledger.jobs().find(|job| job.reaped == 1).unwrap();
        assert_eq!((saved.place, saved.completions, saved.claims.len()), (Some(Place::Done), 1, 2));
        let reaped = ms(records(run, JOB_REAPED)[0].at);
        assert!((9_000.0..16_000.0).contains(&reaped), "{reaped}");
    });
}

#[test]
fn new_containers_work_at_once_and_serve_after_the_reload() {
    Case::preset("scale-unseen", 31).seconds(60).check(|run| {
        assert_eq!(ms(records(run, CONTAINERS_ADDED)[0].at), 10_000.0);
        let ledger = wizard(run).ledger();
        let initiated = |from: f64, to: f64| {
            let within = |job: &&Job| job.queued_at.is_some_and(|at| (from..to).contains(&ms(at)));
            ledger.jobs().filter(within).filter(|job| job.initiated_by >= 2).count()
        };
        assert_eq!(initiated(0.0, 25_000.0), 0, "the gateway does not know them");
        assert!(initiated(25_000.0, 60_000.0) > 10);
        let worked = ledger
            .jobs()
            .flat_map(|job| &job.claims)
            .filter(|claim| claim.container >= 2)
            .map(|c| ms(c.from));
        let first = worked.fold(f64::INFINITY, f64::min);
        assert!((10_000.0..13_000.0).contains(&first), "{first}");
    });
}

#[test]
fn a_staircase_of_users_meets_the_limit() {
    Case::preset("backpressure-staircase", 31).seconds(60).check(|run| {
        let (ledger, counts) = (wizard(run).ledger(), wizard(run).tally().counts());
        let refused = |from: f64, to: f64| {
            let within = |s: &&Submission| {
                s.outcome == Outcome::Refused(503) && (from..to).contains(&ms(s.intended_at))
            };
            ledger.submissions().filter(within).count()
        };
        let steps = [refused(0.0, 20_000.0), refused(20_000.0, 40_000.0), refused(40_000.0, 60_000.0)];
        assert!(steps[0] == 0 && steps[1] < steps[2] && steps[2] > 20, "{steps:?}");
        assert_eq!(counts.refused_busy, steps.iter().sum::<usize>() as u64);
    });
}

#[test]
fn a_queue_never_has_more_jobs_than_its_limit() {
    // One API process, which takes one submission at a time.
    let case = Case::preset("backpressure-staircase", 31).set("containers", "1").seconds(60);
    case.check(|run| {
        let waiting: Vec<u64> = records(run, JOB_QUEUED).iter().map(|record| record.value).collect();
        assert_eq!(waiting.iter().max(), Some(&4), "{waiting:?}");
        assert!(wizard(run).tally().counts().refused_busy > 20);
    });
}

#[test]
fn a_user_who_tries_again_makes_two_jobs_of_one_wish() {
    Case::preset("duplicate-by-retry", 31).seconds(60).check(|run| {
        let (ledger, counts) = (wizard(run).ledger(), wizard(run).tally().counts());
        assert!(counts.duplicates > 3, "{:?}", counts);
        assert_eq!(counts.done_again, 0, "each of them is done once");
        let mut submissions: Vec<u64> = ledger.jobs().map(|job| job.submission).collect();
        submissions.sort_unstable();
        submissions.dedup();
        assert_eq!(submissions.len() as u64 + counts.duplicates, ledger.jobs().count() as u64);
    });
}

#[test]
fn failing_jobs_are_tried_again_and_end_among_the_dead_letters() {
    for mode in ["brpop", "lmove"] {
        let case = Case::preset("math-wizard", 5).faults("").set("fail", "0.5").set("mode", mode);
        case.set("load", "constant").set("work", "500ms").set("attempts", "2").seconds(100).check(|run| {
            let ledger = wizard(run).ledger();
            let over: Vec<_> = ledger.jobs().filter(|job| job.is_over()).collect();
            let dead = over.iter().filter(|job| job.place == Some(Place::DeadLetter)).count();
            // A quarter of about a hundred: four standard deviations of a binomial about it.
            assert!((8..=42).contains(&dead), "{mode}: {dead} of {}", over.len());
            assert_eq!(wizard(run).wizard().probe().list("dead_letter").len(), dead);
            assert!(over.iter().all(|job| job.claims.len() <= 2));
            // What is inside on average is how long each was inside: a dead one until its last failure.
            let until = |job: &Job| job.claims.last().and_then(|claim| claim.until).unwrap_or(run.now());
            let inside = |job: &Job| Some(until(job).since(job.queued_at?).as_secs_f64());
            let inside: f64 = ledger.jobs().filter_map(inside).sum();
            let mean = wizard(run).tally().mean_in_system(run.now());
            assert!((mean * 100.0 / inside - 1.0).abs() < 0.1, "{mean} of {inside} s in 100 s");
        });
    }
}

#[test]
fn the_newest_thousand_dead_letters_are_kept() {
    let case = Case::preset("math-wizard", 6).set("users", "100").set("think", "100ms").set("polls", "0");
    let case = case.set("work", "1ms").set("workers", "8").set("fail", "1").set("attempts", "1");
    case.faults("").seconds(100).check(|run| {
        let wizard = wizard(run);
        let mut dead: Vec<_> =
            wizard.ledger().jobs().filter(|job| job.place == Some(Place::DeadLetter)).cloned().collect();
        assert!(dead.len() > 1_500 && dead.len() as u64 == wizard.tally().counts().dead, "{}", dead.len());
        let kept = wizard.wizard().probe().list("dead_letter");
        assert_eq!((kept.len(), wizard.wizard().probe().list_len("dead_letter")), (1_000, 1_000));
        // They died one after the other, and the last is at the head.
        dead.retain(|job| kept.iter().any(|element| element.contains(&*job.id)));
        assert_eq!(dead.len(), 1_000);
        let first = dead.iter().map(|job| job.queued_at).min().unwrap();
        assert!(first > Some(Instant::from_millis(30_000)), "{first:?}");
    });
}

#[test]
fn a_container_that_is_asked_to_end_finishes_the_job_in_hand() {
    for mode in ["brpop", "lmove"] {
        let case = Case::preset("math-wizard", 9).set("mode", mode).faults("stop:c-01@7s,stop:c-02@9s..15s");
        case.seconds(60).check(|run| {
            let counts = wizard(run).tally().counts();
            assert_eq!((counts.lost, counts.reaped, counts.refused_other), (0, 0, 0), "{mode}");
            assert!(!run.net().is_up(run.net().find("c-01-worker-1").unwrap()));
            assert!(run.net().is_up(run.net().find("c-02-worker-1").unwrap()));
        });
    }
}

#[test]
fn add_holds_its_api_process_and_the_gateway_limits_the_rate() {
    // While c-01 computes, it answers nobody; the others do.
    let case = Case::preset("math-wizard", 1).faults("").set("load", "constant").set("period", "1h");
    let mut run = case.set("work", "2s").set("work-law", "constant").seconds(60).start();
    let get = |url: &str| glasshive::substrate::http::Request::get(url.parse().unwrap());
    let add = run.call(&get("http://c-01:5000/add?a=1&b=1")).unwrap();
    run.run_until(Instant::from_millis(100));
    let behind = run.call(&get("http://c-01:5000/whoami")).unwrap();
    let beside = run.call(&get("http://c-02:5000/whoami")).unwrap();
    run.run_until(Instant::from_millis(10_000));
    let [add, behind, beside] = [add, behind, beside].map(|act| ms(run.answer(act.index).unwrap().0));
    assert!(add > 2_000.0 && behind >= add - 25.0 && beside < 200.0, "{add} {behind} {beside}");
    Case::preset("math-wizard", 1).faults("").set("rate", "2").set("burst", "1").seconds(30).check(|run| {
        let counts = wizard(run).tally().counts();
        assert!(counts.refused_rate > 5 && counts.acknowledged > 5, "{counts:?}");
    });
}

#[test]
fn a_store_that_starts_again_without_its_jobs_has_lost_them() {
    let case = |persist: &str| {
        let case = Case::preset("math-wizard", 3).set("persist", persist).set("load", "constant");
        case.set("period", "300ms").faults("crash:valkey@10s..11s").seconds(60)
    };
    case("snapshot").check(|run| {
        let (ledger, counts) = (wizard(run).ledger(), wizard(run).tally().counts());
        let forgot =
            |job: &&Job| job.lost.is_some_and(|(at, why)| why == Loss::StoreForgot && ms(at) == 11_000.0);
        assert!(ledger.jobs().filter(forgot).count() > 3, "{:?}", counts);
        assert!(run.system().checks().iter().all(|check| check.ok), "{:?}", run.system().checks());
    });
    case("aof").check(|run| assert_eq!(wizard(run).tally().counts().lost, 0));
}

/// What a poll says of the first job, so many seconds after it began.
fn polled(ttl: &str, fail: &str, seconds: [u64; 2]) -> [(u16, Value); 2] {
    let case = Case::preset("math-wizard", 6).set("task-ttl", ttl).set("fail", fail).set("attempts", "1");
    let case = case.set("load", "constant").set("period", "1h").faults("").seconds(60);
    let mut run = case.start();
    let (status, accepted) = call(&mut run, "POST", "http://localhost/task", r#"{"a": 2, "b": 3}"#);
    assert_eq!(status, 202, "{accepted}");
    let url = format!("http://localhost/tasks/{}/status", accepted["task_id"].as_str().unwrap());
    seconds.map(|seconds| {
        run.run_until(Instant::ZERO + Duration::from_secs(seconds));
        call(&mut run, "GET", &url, "")
    })
}

#[test]
fn what_is_over_is_forgotten_after_its_time() {
    for (fail, end) in [("0", "COMPLETED"), ("1", "FAILED")] {
        let [(200, known), (404, forgotten)] = polled("10s", fail, [8, 20]) else { panic!("{fail}") };
        assert_eq!(known["status"], end);
        assert_eq!(forgotten["error"]["code"], "task_not_found");
        let [_, (200, kept)] = polled("30s", fail, [8, 20]) else { panic!("{fail}") };
        assert_eq!(kept["status"], end);
    }
}

#[test]
fn a_job_in_hand_is_not_forgotten_however_long_it_takes() {
    let case = Case::preset("math-wizard", 6).set("task-ttl", "1s").set("work", "20s").faults("").seconds(60);
    case.check(|run| assert!(wizard(run).tally().counts().done > 3));
    let mut run = case.set("load", "constant").set("period", "1h").start();
    let (_, accepted) = call(&mut run, "POST", "http://localhost/task", r#"{"a": 2, "b": 3}"#);
    run.run_until(Instant::ZERO + Duration::from_secs(9));
    let url = format!("http://localhost/tasks/{}/status", accepted["task_id"].as_str().unwrap());
    let (status, body) = call(&mut run, "GET", &url, "");
    assert_eq!((status, body["status"].as_str()), (200, Some("PROCESSING")));
}
