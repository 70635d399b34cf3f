//! Dead letters by hand: listed, put back, done in the end; and the dashboard.

use super::support::{Ran, glasshive, scratch};
use serde_json::{Value, json};

fn curl(file: &str, arguments: &[&str]) -> Ran {
    glasshive(&[&["curl", "--session", file, "--"], arguments].concat())
}

fn wait(file: &str, span: &str) {
    assert_eq!(glasshive(&["curl", "--session", file, "--wait", span]).code, 0);
}

fn dead(file: &str) -> Vec<Value> {
    let answer = curl(file, &["http://localhost/dead"]).json();
    let dead = answer["dead"].as_array().unwrap().clone();
    assert_eq!(answer["count"], dead.len());
    dead
}

#[test]
fn a_dead_letter_is_listed_put_back_and_done_in_the_end() {
    let file = scratch("dead.json");
    let begin = [
        "curl",
        "--session",
        &file,
        "--preset",
        "math-wizard",
        "--set",
        "fail=0.6",
        "--set",
        "task-ttl=10s",
        "--wait",
        "1s",
    ];
    assert_eq!(glasshive(&begin).code, 0);
    let mut tasks = Vec::new();
    for i in 0..8 {
        let task =
            curl(&file, &["http://localhost/task", "--json", &json!({"a": i, "b": 0.5}).to_string()]).json();
        tasks.push(task["task_id"].as_str().unwrap().to_owned());
    }
    wait(&file, "60s");
    let letters = dead(&file);
    assert!((1..8).contains(&letters.len()), "some have failed three times, some not: {letters:?}");
    let first = letters[0].clone();
    assert!(tasks.contains(&first["task_id"].as_str().unwrap().to_owned()), "{first}");
    assert!(first["a"].is_number() && first["b"] == 0.5, "{first}");
    let missing = curl(&file, &["-i", "-X", "POST", "http://localhost/dead/no-such/retry"]);
    assert!(
        missing.out.starts_with("HTTP/1.1 404 Not Found") && missing.out.contains("not_dead"),
        "{}",
        missing.out
    );
    let mut rounds = 0;
    loop {
        let letters = dead(&file);
        if letters.is_empty() {
            break;
        }
        rounds += 1;
        assert!(rounds < 30, "a further attempt is drawn anew: {letters:?}");
        for letter in &letters {
            let id = letter["task_id"].as_str().unwrap();
            let answer = curl(&file, &["-X", "POST", &format!("http://localhost/dead/{id}/retry")]).json();
            assert_eq!((&answer["task_id"], &answer["status"]), (&json!(id), &json!("PENDING")));
            let status = curl(&file, &[&format!("http://localhost/tasks/{id}/status")]).json();
            assert!(status["status"] == "PENDING" || status["status"] == "PROCESSING", "{status}");
        }
        wait(&file, "8s");
        let status = curl(
            &file,
            &[&format!("http://localhost/tasks/{}/status", letters[0]["task_id"].as_str().unwrap())],
        );
        assert!(matches!(status.json()["status"].as_str(), Some("COMPLETED" | "FAILED")), "{}", status.out);
        wait(&file, "12s");
    }
    // The laboratory agrees: all are done, none is dead, and no invariant is broken.
    let report = glasshive(&["run", "--scenario", &file, "--json"]);
    assert_eq!(report.code, 0, "{}", report.err);
    let counts = report.json()["summary"]["counts"].clone();
    assert_eq!(
        (&counts["done"], &counts["dead"], &counts["lost"]),
        (&json!(8), &json!(0), &json!(0)),
        "{counts}"
    );
}

#[test]
fn the_dashboard_is_a_page_with_a_form_that_polls_and_needs_nothing_from_elsewhere() {
    let page = glasshive(&["curl", "--preset", "math-wizard", "--", "-i", "http://localhost/"]);
    let (head, body) = page.out.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("200 OK") && head.contains("text/html"), "{head}");
    for part in [
        "<form>",
        "/task",
        "/tasks/",
        "/status",
        "setTimeout",
        "/add?",
        "initiated_by",
        "handled_by",
        "checked_by",
    ] {
        assert!(body.contains(part), "{part}");
    }
    assert!(body.contains("Served by <b>c-0"), "it names its container");
    assert!(!body.contains("http"), "nothing is fetched from elsewhere");
    assert!(body.len() < 4_000, "{}", body.len());
}
