//! `glasshive curl --preset config`, through the real binary: conditional reads, changes and their conflicts, history,
//! and what is refused.

use super::support::{Ran, glasshive, keys, scratch};
use serde_json::{Value, json};

const CONFIG: &str = "http://localhost:8080/config";

fn curl(arguments: &[&str]) -> Ran {
    glasshive(&[&["curl", "--preset", "config", "-i", "--"], arguments].concat())
}

/// The same against a cluster that lives on in a file.
fn in_session(file: &str, arguments: &[&str]) -> Ran {
    glasshive(&[&["curl", "--preset", "config", "--session", file, "-i", "--"], arguments].concat())
}

/// Status, headers in small letters, body.
fn parts(ran: &Ran) -> (u16, String, &str) {
    assert_eq!(ran.code, 0, "any HTTP answer is a success: {}", ran.err);
    let (head, body) = ran.out.split_once("\r\n\r\n").expect("headers, then a body");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body)
}

fn json_of(ran: &Ran) -> (u16, Value) {
    let (status, _, body) = parts(ran);
    (status, serde_json::from_str(body).unwrap())
}

fn is_error(ran: &Ran, status: u16, code: &str) -> Value {
    let (got, body) = json_of(ran);
    assert_eq!((got, body["error"]["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(keys(&body["error"]), ["code", "details", "message"]);
    body["error"]["details"].clone()
}

#[test]
fn a_read_without_a_tag_or_with_another_gets_the_document() {
    for headers in [&[][..], &["-H", "If-None-Match: \"v7\""], &["-H", "If-None-Match: \"v7\", W/\"v8\""]] {
        let ran = curl(&[&[CONFIG], headers].concat());
        let (status, head, body) = parts(&ran);
        assert_eq!(status, 200);
        assert!(head.contains("etag: \"v1\""), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(keys(&body), ["settings", "updated_at", "version"]);
        assert_eq!((&body["version"], &body["settings"]["query"]), (&json!(1), &json!("BTC/USD")));
    }
}

#[test]
fn a_read_with_the_matching_tag_gets_304_and_no_body() {
    for tag in ["\"v1\"", "W/\"v1\"", "*", "\"v0\", \"v1\""] {
        let ran = curl(&[CONFIG, "-H", &format!("If-None-Match: {tag}")]);
        let (status, head, body) = parts(&ran);
        assert_eq!((status, body), (304, ""), "{tag}");
        assert!(head.contains("etag: \"v1\""), "{head}");
    }
}

#[test]
fn a_put_makes_the_next_version_and_the_agents_get_it() {
    let file = scratch("config-put.json");
    let put = ["-X", "PUT", CONFIG, "-H", "If-Match: \"v1\"", "-d", "{\"rate\":2,\"query\":\"ETH/USD\"}"];
    let ran = in_session(&file, &put);
    let (status, head, body) = parts(&ran);
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("etag: \"v2\""), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["version"], &body["settings"]["rate"]), (&json!(2), &json!(2.0)));

    // The same once more names a version that is no longer the newest.
    let ran = in_session(&file, &put);
    assert!(parts(&ran).1.contains("etag: \"v2\""), "it says what it would have to name");
    let details = is_error(&ran, 412, "version_conflict");
    assert_eq!(details, json!({"current_version": 2, "etag": "\"v2\""}));

    let (status, body) = json_of(&in_session(&file, &[&format!("{CONFIG}/history")]));
    let versions = body["versions"].as_array().unwrap();
    let numbers: Vec<u64> = versions.iter().map(|version| version["version"].as_u64().unwrap()).collect();
    assert_eq!((status, numbers), (200, vec![2, 1]), "newest first, and the conflict made none");

    // An agent that is asked to polls at once; its worker hears of it within its interval.
    let (status, _) = json_of(&in_session(&file, &["-X", "POST", "http://localhost:9001/refresh"]));
    assert_eq!(status, 202);
    let mut running = Value::Null;
    for _ in 0..200 {
        running = json_of(&in_session(&file, &["http://localhost:9501/version"])).1;
        if running["version"] == 2 {
            break;
        }
    }
    assert_eq!((&running["version"], &running["settings"]["query"]), (&json!(2), &json!("ETH/USD")));
}

#[test]
fn keys_that_no_worker_uses_are_kept_all_the_way() {
    let file = scratch("config-keys.json");
    let other = json!({"a": [1, {"b": null}], "feature.x": true, "limit": 0.1});
    let body =
        json!({"rate": 2.0, "query": "ETH/USD", "a": [1, {"b": null}], "feature.x": true, "limit": 0.1});
    let put = in_session(&file, &["-X", "PUT", CONFIG, "-d", &body.to_string()]);
    let held = |answer: &Value| {
        let mut settings = answer["settings"].as_object().unwrap().clone();
        ["rate", "query", "note"].iter().for_each(|key| drop(settings.remove(*key)));
        Value::Object(settings)
    };
    assert_eq!(held(&json_of(&put).1), other);
    assert_eq!(held(&json_of(&in_session(&file, &[CONFIG])).1), other);
    glasshive(&["curl", "--session", &file, "--wait", "20s"]);
    for url in ["http://localhost:9001/config", "http://localhost:9501/version"] {
        assert_eq!(held(&json_of(&in_session(&file, &[url])).1), other, "{url}");
    }
}

#[test]
fn what_cannot_be_a_configuration_is_refused() {
    let put = |body: &str| curl(&["-X", "PUT", CONFIG, "-d", body]);
    is_error(&put("{\"rate\":"), 400, "invalid_json");
    is_error(&put("{\"rate\":\"fast\",\"query\":\"BTC/USD\"}"), 400, "invalid_field");
    is_error(&put("[1,\"BTC/USD\"]"), 400, "invalid_json");
    assert_eq!(is_error(&put("{\"rate\":1}"), 400, "missing_field"), json!({"field": "query"}));
    let details = is_error(&put("{\"rate\":0,\"query\":\"BTC/USD\"}"), 400, "invalid_field");
    assert_eq!(details, json!({"field": "rate"}));
    // A command line takes no argument of a whole megabyte; curl joins several.
    let part = "x".repeat(100_000);
    let parts = ["-d", part.as_str()].repeat(11);
    let details =
        is_error(&curl(&[&["-X", "PUT", CONFIG], parts.as_slice()].concat()), 413, "body_too_large");
    assert_eq!(details, json!({"max_bytes": 1_048_576}));
    is_error(&curl(&["-X", "DELETE", CONFIG]), 405, "method_not_allowed");
    is_error(&curl(&[&format!("{CONFIG}s")]), 404, "not_found");
}

#[test]
fn a_controller_that_is_down_refuses_and_its_agents_still_serve() {
    let file = scratch("config-down.json");
    let broken =
        ["curl", "--session", &file, "--preset", "config", "--faults", "crash:controller", "--", CONFIG];
    let ran = glasshive(&broken);
    assert_eq!(ran.code, 1, "nobody answers");
    assert!(ran.err.contains("refused"), "{}", ran.err);
    let (status, body) = json_of(&in_session(&file, &["http://localhost:9001/config"]));
    assert_eq!((status, &body["version"]), (200, &json!(1)));
}
