//! Scenarios in which work takes no time and has no end: the run ends with an error instead of never.

use super::support::glasshive;
use glasshive::kernel::Instant;
use glasshive::lab::{Options, Run, Scenario};

/// The error of a command that gets stuck at `at`.
fn error(command: &str, at: &str) -> String {
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let ran = glasshive(&arguments);
    assert_eq!(ran.code, 1, "{command}: {}", ran.err);
    let begin = format!("glasshive: virtual time stands still at {at}: ");
    assert!(ran.err.starts_with(&begin) && ran.err.lines().count() == 1, "{command}: {}", ran.err);
    assert!(ran.out.contains("virtual time stands still"), "the report says so too: {}", ran.out);
    ran.err
}

#[test]
fn users_who_never_think_over_links_without_latency_end_in_an_error() {
    let error = error("run --preset math-wizard --set latency=0s --set think=0s --set users=30", "200ms");
    assert!(error.contains("client (") && error.contains("src/systems/wizard/client.rs:"), "{error}");
}

#[test]
fn users_who_are_refused_and_try_again_at_once_end_in_an_error() {
    let error = error("run --preset math-wizard --set latency=0s --set think=0s --set rate=1 --json", "1.2s");
    assert!(error.contains("those of client ("), "who was polled most comes first: {error}");
}

#[test]
fn a_staircase_of_users_who_never_think_ends_in_an_error() {
    error("run --preset mmc --set think=0s --set load=staircase", "200ms");
}

#[test]
fn a_run_that_is_stuck_stays_so_and_refuses_to_be_acted_upon() {
    let mut scenario = Scenario::preset("math-wizard", 1);
    for (key, value) in [("latency", "0s"), ("think", "0s"), ("rate", "1")] {
        scenario.set.insert(key.to_owned(), value.into());
    }
    let mut run = Run::new(&scenario, Options::default()).unwrap();
    run.run_until(Instant::from_millis(1_000));
    assert_eq!((run.stuck(), run.stopped()), (None, None));
    run.run_until(Instant::MAX);
    let (why, now, hash) = (run.stuck(), run.now(), run.trace_hash());
    assert!(why.is_some() && run.stopped() == why);
    assert!(!run.run_instant(Instant::MAX) && !run.step());
    let refused = run.inject("crash:c-01").unwrap_err().to_string();
    assert!(refused.contains(&why.clone().unwrap()), "{refused}");
    assert_eq!((run.stuck(), run.now(), run.trace_hash()), (why, now, hash));
}
