//! The recorded rows of nats-server 2.9.10 against the model; with GLASSHIVE_REAL=1 against the server itself.

use super::bed::{Model, Setup};
use super::real::Real;
use super::session::Session;
use super::{core, js};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Rows by id, as they were recorded.
fn recorded(part: &str) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(format!("tests/data/nats-2.9.10-{part}.json")).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["observed"].clone())).collect()
}

fn make(name: &str, setup: &Setup) -> Session {
    if std::env::var("GLASSHIVE_REAL").is_ok_and(|value| value == "1") {
        Session::new(Box::new(Real::new(name, setup)), 60)
    } else {
        Session::new(Box::new(Model::new(setup)), 5)
    }
}

/// What the scripts saw. They run once for all tests.
fn observed(part: &str) -> &'static BTreeMap<String, Value> {
    static CORE: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    static JS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    match part {
        "core" => CORE.get_or_init(|| core::observe(&make)),
        _ => JS.get_or_init(|| js::observe(&make)),
    }
}

/// Names of inboxes and their numbers are each run's own.
fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.first() == Some(&json!("MSG")) && items.len() == 6 => {
            let mut items = items.clone();
            if items[1].as_str().is_some_and(|subject| subject.starts_with("_INBOX.")) {
                (items[1], items[2]) = (json!("<inbox>"), json!("<sid>"));
            }
            Value::Array(items)
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), normal(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// How far the times of a row, in seconds, may be off. A real server's timers have a spread of their own: its
/// first ping was seen 0.155 s before the recorded one.
fn slack() -> f64 {
    if std::env::var_os("GLASSHIVE_REAL").is_some() { 0.3 } else { 0.15 }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Compares times by range, everything else exactly.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() <= slack()
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
        }
        _ => a == b,
    }
}

/// Each of `counts` within four standard deviations of an equal share of their sum.
fn fair(counts: &Value, sum: f64) {
    let counts = numbers(counts);
    let share = 1.0 / counts.len() as f64;
    let spread = 4.0 * (sum * share * (1.0 - share)).sqrt();
    assert_eq!(counts.iter().sum::<f64>(), sum);
    assert!(counts.iter().all(|count| (count - sum * share).abs() <= spread), "{counts:?}");
}

fn check(part: &str, id: &str) {
    let expected = normal(&recorded(part)[id]);
    let seen = observed(part).get(id).unwrap_or_else(|| panic!("no script notes {id}"));
    let seen = normal(seen);
    match id {
        "queue-group" => {
            fair(&seen["per member"], 3000.0);
            for name in
                ["exactly once in group", "plain", "other group", "each member's messages in publish order"]
            {
                assert_eq!(seen[name], expected[name], "{name}");
            }
        }
        "queue-group-sequence" => {
            let members: Vec<char> = seen.as_str().unwrap().chars().collect();
            assert_eq!(members.len(), expected.as_str().unwrap().len());
            let count = |member: char| members.iter().filter(|&&other| other == member).count();
            fair(&json!(['0', '1', '2'].map(count)), 60.0);
            assert!(members.iter().zip(&members[3..]).any(|(a, b)| a != b), "a rotation: {seen}");
        }
        "queue-member-leaves" => {
            fair(&seen["per member"], 1000.0);
            assert_eq!(seen["sum"], expected["sum"]);
        }
        "queue-group-same-name-different-subject" => fair(&seen, 200.0),
        "slow-consumer" => {
            // How much the sockets hold is the machine's business.
            let bytes = seen["subscriber then reads bytes"].as_f64().unwrap();
            assert!((500_000.0..15_000_000.0).contains(&bytes), "{bytes}");
            for name in ["publisher events", "then"] {
                assert_eq!(seen[name], expected[name], "{name}");
            }
        }
        "restart-redelivery" => {
            // How long the server was away is the machine's business: the time is the rest of the ack wait.
            for (seen, expected) in [0, 1].map(|index| (&seen[index], &expected[index])) {
                assert_eq!(seen[1], expected[1]);
                assert!((seen[0].as_f64().unwrap() - expected[0].as_f64().unwrap()).abs() < 0.7, "{seen}");
            }
        }
        "push-queue" => {
            let count = |index: usize| seen[1][index].as_u64().unwrap();
            assert_eq!(seen[0], expected[0]);
            assert!(count(0) + count(1) == 5, "the first went to the first member: {seen}");
        }
        _ => assert!(alike(&seen, &expected), "{id}\n    seen {seen}\nexpected {expected}"),
    }
}

macro_rules! rows {
    ($part:literal $table:ident: $($name:ident $id:literal,)*) => {
        const $table: &[&str] = &[$($id),*];
        $(#[test] fn $name() { check($part, $id); })*
    };
}

rows! { "core" CORE_ROWS:
    conformance_core_info "info",
    conformance_core_ping "ping",
    conformance_core_verbose_ok "verbose-ok",
    conformance_core_core_no_subscriber_lost "core-no-subscriber-lost",
    conformance_core_core_delivers_after_sub "core-delivers-after-sub",
    conformance_core_unsub_stops "unsub-stops",
    conformance_core_plain_subs_all_get_copy "plain-subs-all-get-copy",
    conformance_core_two_sids_same_conn "two-sids-same-conn",
    conformance_core_same_sid_twice "same-sid-twice",
    conformance_core_echo_default "echo-default",
    conformance_core_echo_false "echo-false",
    conformance_core_auto_unsub_max "auto-unsub-max",
    conformance_core_no_responders_503 "no-responders-503",
    conformance_core_no_responders_off "no-responders-off",
    conformance_core_no_responders_without_headers "no-responders-without-headers",
    conformance_core_no_responders_only_with_reply "no-responders-only-with-reply",
    conformance_core_request_with_silent_responder "request-with-silent-responder",
    conformance_core_per_publisher_order "per-publisher-order",
    conformance_core_wildcard_sub_errors "wildcard-sub-errors",
    conformance_core_wildcard_matrix "wildcard-matrix",
    conformance_core_publish_with_wildcard_nonpedantic "publish-with-wildcard-nonpedantic",
    conformance_core_publish_with_wildcard_pedantic "publish-with-wildcard-pedantic",
    conformance_core_sub_invalid_two_dots "sub-invalid:'foo..bar'",
    conformance_core_sub_invalid_leading_dot "sub-invalid:'.foo'",
    conformance_core_sub_invalid_trailing_dot "sub-invalid:'foo.'",
    conformance_core_sub_invalid_empty "sub-invalid:''",
    conformance_core_sub_odd_greater_inside "sub-odd:'foo.>.bar'",
    conformance_core_sub_odd_greater_literal "sub-odd:'foo.>bar'",
    conformance_core_sub_odd_star_literal "sub-odd:'foo.b*r'",
    conformance_core_pub_invalid_nonpedantic_two_dots "pub-invalid-nonpedantic:'foo..bar'",
    conformance_core_pub_invalid_pedantic_two_dots "pub-invalid-pedantic:'foo..bar'",
    conformance_core_pub_invalid_nonpedantic_leading_dot "pub-invalid-nonpedantic:'.foo'",
    conformance_core_pub_invalid_pedantic_leading_dot "pub-invalid-pedantic:'.foo'",
    conformance_core_pub_invalid_nonpedantic_trailing_dot "pub-invalid-nonpedantic:'foo.'",
    conformance_core_pub_invalid_pedantic_trailing_dot "pub-invalid-pedantic:'foo.'",
    conformance_core_pub_too_many_args "pub-too-many-args",
    conformance_core_unknown_op "unknown-op",
    conformance_core_pub_size_mismatch "pub-size-mismatch",
    conformance_core_max_payload_exact "max-payload-exact",
    conformance_core_max_payload_exceeded "max-payload-exceeded",
    conformance_core_max_payload_headers_count "max-payload-headers-count",
    conformance_core_max_control_line "max-control-line",
    conformance_core_queue_group "queue-group",
    conformance_core_queue_group_sequence "queue-group-sequence",
    conformance_core_queue_member_leaves "queue-member-leaves",
    conformance_core_queue_member_crash_inflight "queue-member-crash-inflight",
    conformance_core_queue_group_same_name_different_subject "queue-group-same-name-different-subject",
    conformance_core_auth_bad "auth-bad",
    conformance_core_auth_timeout "auth-timeout",
    conformance_core_stale_connection "stale-connection",
    conformance_core_slow_consumer "slow-consumer",
    conformance_core_max_connections "max-connections",
    conformance_core_server_sigterm "server-SIGTERM",
    conformance_core_server_sigkill "server-SIGKILL",
    conformance_core_lame_duck_sigusr2 "lame-duck-SIGUSR2",
    conformance_core_jetstream_on_no_stream_still_at_most_once "jetstream-on-no-stream-still-at-most-once",
    conformance_core_js_publish_no_stream "js-publish-no-stream",
    conformance_core_js_api_when_disabled "js-api-when-disabled",
}

rows! { "js" JS_ROWS:
    conformance_js_stream_create "stream-create",
    conformance_js_stream_create_again_same "stream-create-again-same",
    conformance_js_stream_overlap "stream-overlap",
    conformance_js_publish_ack "publish-ack",
    conformance_js_core_publish_also_stored "core-publish-also-stored",
    conformance_js_pull_missing_consumer "pull-missing-consumer",
    conformance_js_stream_info_missing "stream-info-missing",
    conformance_js_consumer_info_missing "consumer-info-missing",
    conformance_js_consumer_create "consumer-create",
    conformance_js_pull_1 "pull-1",
    conformance_js_info_after_pull "info-after-pull",
    conformance_js_pull_2 "pull-2",
    conformance_js_ack_out_of_order "ack-out-of-order",
    conformance_js_ack_wait_redelivery "ack-wait-redelivery",
    conformance_js_info_after_redelivery "info-after-redelivery",
    conformance_js_late_ack_with_old_token "late-ack-with-old-token",
    conformance_js_double_ack "double-ack",
    conformance_js_limits_retention_keeps "limits-retention-keeps",
    conformance_js_pull_no_wait_empty "pull-no-wait-empty",
    conformance_js_pull_expires_empty "pull-expires-empty",
    conformance_js_pull_no_expiry_waits "pull-no-expiry-waits",
    conformance_js_pull_request_interest_gone "pull-request-interest-gone",
    conformance_js_pull_no_wait_partial "pull-no-wait-partial",
    conformance_js_nak_immediate "nak-immediate",
    conformance_js_nak_delay "nak-delay",
    conformance_js_in_progress_extends "in-progress-extends",
    conformance_js_term "term",
    conformance_js_ack_sync "ack-sync",
    conformance_js_ack_sync_again "ack-sync-again",
    conformance_js_ack_garbage_payload "ack-garbage-payload",
    conformance_js_ack_empty_payload "ack-empty-payload",
    conformance_js_ack_next "ack-next",
    conformance_js_max_deliver_3 "max-deliver-3",
    conformance_js_max_deliver_advisory "max-deliver-advisory",
    conformance_js_max_deliver_state "max-deliver-state",
    conformance_js_backoff "backoff",
    conformance_js_max_ack_pending "max-ack-pending",
    conformance_js_max_ack_pending_after_1_ack "max-ack-pending-after-1-ack",
    conformance_js_pull_waiters_order "pull-waiters-order",
    conformance_js_pull_waiter_disconnected "pull-waiter-disconnected",
    conformance_js_push_create "push-create",
    conformance_js_push_queue "push-queue",
    conformance_js_push_redelivers_to_survivor "push-redelivers-to-survivor",
    conformance_js_dedup "dedup",
    conformance_js_expected_last_seq "expected-last-seq",
    conformance_js_workqueue_second_consumer "workqueue-second-consumer",
    conformance_js_workqueue_ack_removes "workqueue-ack-removes",
    conformance_js_workqueue_term_removes "workqueue-term-removes",
    conformance_js_workqueue_ack_none "workqueue-ack-none",
    conformance_js_interest_no_consumer "interest-no-consumer",
    conformance_js_discard_old "discard-old",
    conformance_js_discard_new "discard-new",
    conformance_js_max_msg_size "max-msg-size",
    conformance_js_max_age "max-age",
    conformance_js_purge_delete "purge-delete",
    conformance_js_deliver_policies "deliver-policies",
    conformance_js_ack_none "ack-none",
    conformance_js_ack_all "ack-all",
    conformance_js_restart_memory_stream "restart-memory-stream",
    conformance_js_restart_file_stream "restart-file-stream",
    conformance_js_restart_redelivery "restart-redelivery",
    conformance_js_dup_window_default "dup-window-default",
    conformance_js_consumer_defaults "consumer-defaults",
}

/// What `doc/conformance.md` says is not modelled: the ids in its table.
fn left_out() -> Vec<String> {
    let text = std::fs::read_to_string("doc/conformance.md").unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`')).map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn conformance_nats_no_row_is_skipped_silently() {
    let left_out = left_out();
    for (part, table) in [("core", CORE_ROWS), ("js", JS_ROWS)] {
        for id in recorded(part).keys() {
            let tested = table.contains(&id.as_str());
            let excused = left_out.contains(id);
            assert!(tested != excused, "{id}: tested {tested}, in doc/conformance.md {excused}");
        }
        assert_eq!(table.len(), table.iter().filter(|&&id| recorded(part).contains_key(id)).count());
    }
}
