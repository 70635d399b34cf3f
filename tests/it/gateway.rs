//! The gateway does as nginx 1.22.1 did: one test for each recorded row that it models, named after the row.

use super::gateway_lab::{GATE, Lab, ms, servers};
use glasshive::substrate::gateway::{Balance, Config, Gateway, Names, RateLimit, Server};
use glasshive::substrate::http::Request;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;

#[test]
fn conformance_rr_equal() {
    assert_eq!(Lab::plain().gets(9), "abcabcabc");
}

#[test]
fn conformance_rr_weights() {
    for (id, weights, turns) in
        [("rr-weights-5-1-1", [5, 1, 1], "aabacaaaabacaa"), ("rr-weights-3-2-1", [3, 2, 1], "abacbaabacba")]
    {
        let config = servers(|letter, server| server.weight = weights[letter as usize - 'a' as usize]);
        assert_eq!(Lab::new(Config::new("u", config)).gets(turns.len()), turns, "{id}");
    }
}

#[test]
fn conformance_rr_backup_and_rr_down() {
    let backup = servers(|letter, server| server.backup = letter == 'c');
    assert_eq!(Lab::new(Config::new("u", backup.clone())).gets(6), "ababab", "rr-backup");
    let down = servers(|letter, server| server.down = letter == 'b');
    assert_eq!(Lab::new(Config::new("u", down)).gets(6), "acacac", "rr-down");
    let mut lab = Lab::new(Config::new("u", backup));
    lab.crash('a');
    lab.crash('b');
    assert_eq!(lab.gets(4), "cccc", "backup-used-when-primaries-fail");
}

#[test]
fn conformance_least_conn() {
    let mut lab = Lab::with(|config| config.balance = Balance::LeastConnections);
    assert_eq!(lab.gets(6), "abcabc", "least-conn-idle");
    let mut lab = Lab::with(|config| config.balance = Balance::LeastConnections);
    lab.manner('a', 200, 600);
    let _busy = lab.begin("GET", 0);
    lab.run(1);
    assert_eq!(lab.gets(5), "bcbcb", "least-conn-busy");
}

/// Who refused by the time of each of so many requests.
fn with_b_refusing(max_fails: u32, requests: usize) -> String {
    let config = servers(|_, server| (server.max_fails, server.fail_timeout) = (max_fails, 10));
    let mut lab = Lab::new(Config::new("u", config));
    lab.crash('b');
    lab.gets(requests)
}

#[test]
fn conformance_refused_max_fails() {
    let config = servers(|_, server| server.fail_timeout = 2);
    let mut lab = Lab::new(Config::new("u", config));
    lab.crash('b');
    assert_eq!(lab.gets(9), "accacacac", "refused-max-fails-1");
    assert_eq!(with_b_refusing(3, 15), "accacacacacacac", "refused-max-fails-3");
    assert_eq!(with_b_refusing(0, 15), "accacacacacacac", "refused-max-fails-0");
}

#[test]
fn conformance_recovery_after_fail_timeout() {
    // Failures at these fractions of a second, and when the server came back.
    for (fraction, back) in [(50, 2950), (500, 2500), (950, 2050)] {
        let config = servers(|_, server| server.fail_timeout = 2);
        let mut lab = Lab::new(Config::new("u", config));
        lab.run(fraction);
        lab.crash('b');
        assert_eq!(lab.gets(3), "acc");
        lab.start('b');
        let mut after = 0;
        while !lab.gets(1).contains('b') {
            lab.run(20);
            after += 20;
        }
        assert!((back..=back + 80).contains(&after), "fraction {fraction}: {after}");
        let served = lab.gets(9);
        assert_eq!(served.matches('b').count(), 3, "{served}");
    }
}

#[test]
fn conformance_all_refused() {
    let config = servers(|_, server| server.fail_timeout = 2);
    let mut lab = Lab::new(Config::new("u", config));
    "abc".chars().for_each(|letter| lab.crash(letter));
    assert_eq!(lab.replies("GET", 3), ["502 page"; 3]);
    lab.start('a');
    assert_eq!(lab.replies("GET", 1), ["502 page"], "no live upstreams: nobody is tried");
    lab.run(3000);
    assert_eq!(lab.replies("GET", 1), ["200 a"]);
}

#[test]
fn conformance_single_refused_and_single_recovers_at_once() {
    let mut lab = Lab::new(Config::new("u", vec![Server::new("a:5000")]));
    lab.crash('a');
    assert_eq!(lab.replies("GET", 3), ["502 page"; 3]);
    lab.start('a');
    assert_eq!(lab.replies("GET", 1), ["200 a"]);
}

#[test]
fn conformance_map() {
    let alone = |config: &mut Config| {
        config.servers = vec![Server::new("a:5000")];
        config.read_timeout = ms(400);
    };
    for (id, manner, status, body, after) in [
        ("map-close, map-reset", (0, 0), 502, "page", 0.0),
        ("map-status500", (500, 0), 500, "a", 0.0),
        ("map-status503", (503, 0), 503, "a", 0.0),
        ("map-status404", (404, 0), 404, "a", 0.0),
        ("map-sleep1", (200, 1000), 504, "page", 400.0),
    ] {
        let mut lab = Lab::with(alone);
        lab.manner('a', manner.0, manner.1);
        assert_eq!(lab.send("GET"), (status, body.to_owned(), after), "{id}");
    }
}

/// Where a backend hangs, the record counts its closed connection as well: see doc/conformance.md.
/// A row of three requests: what the backends do, what is asked, what comes back, who saw how many.
fn next_row(
    id: &str,
    manners: [(u16, u64); 3],
    method: &str,
    change: impl FnOnce(&mut Config),
    replies: [&str; 3],
    saw: [usize; 3],
) {
    let mut lab = Lab::with(|config| {
        config.read_timeout = ms(400);
        change(config);
    });
    for (letter, (status, work)) in "abc".chars().zip(manners) {
        lab.manner(letter, status, work);
    }
    assert_eq!(lab.replies(method, 3), replies, "{id}");
    assert_eq!(lab.saw(), saw, "{id}: who saw how many");
}

#[test]
fn conformance_next() {
    let (ok, closes, hangs) = ((200, 0), (0, 0), (200, 5000));
    let default = |_: &mut Config| {};
    let status = |status: u16| move |config: &mut Config| config.next.statuses = vec![status];
    let bcb = ["200 b", "200 c", "200 b"];
    next_row("next-get-close", [closes, ok, ok], "GET", default, bcb, [1, 2, 1]);
    next_row("next-post-close", [closes, ok, ok], "POST", default, ["502 page", "200 b", "200 c"], [1, 1, 1]);
    let non_idempotent = |config: &mut Config| config.next.non_idempotent = true;
    next_row("next-post-close-nonidem", [closes, ok, ok], "POST", non_idempotent, bcb, [1, 2, 1]);
    next_row("next-get-timeout", [hangs, ok, ok], "GET", default, bcb, [1, 2, 1]);
    next_row(
        "next-post-timeout",
        [hangs, ok, ok],
        "POST",
        default,
        ["504 page", "200 b", "200 c"],
        [1, 1, 1],
    );
    next_row("next-500-default", [(500, 0), ok, ok], "GET", default, ["500 a", "200 b", "200 c"], [1, 1, 1]);
    next_row("next-500-on", [(500, 0), ok, ok], "GET", status(500), bcb, [1, 2, 1]);
    next_row("next-503-all", [(503, 0); 3], "GET", status(503), ["503 c", "502 page", "502 page"], [1, 1, 2]);
    let two = |config: &mut Config| config.tries = 2;
    next_row("next-tries-2", [closes, closes, ok], "GET", two, ["502 page", "200 c", "200 c"], [1, 1, 2]);
    let half = |config: &mut Config| config.next_timeout = ms(500);
    next_row("next-timeout-0.5", [hangs, hangs, ok], "GET", half, ["504 page", "200 c", "200 c"], [1, 1, 2]);
    let off = |config: &mut Config| (config.next.error, config.next.timeout) = (false, false);
    next_row("next-off", [closes, ok, ok], "GET", off, ["502 page", "200 b", "200 c"], [1, 1, 1]);
    next_row("next-all-timeout", [hangs; 3], "GET", default, ["504 page", "502 page", "502 page"], [1, 1, 1]);
}

#[test]
fn conformance_next_post_refused() {
    let mut lab = Lab::plain();
    lab.crash('a');
    assert_eq!(lab.replies("POST", 3), ["200 b", "200 c", "200 b"]);
    assert_eq!(lab.saw(), [0, 2, 1]);
}

#[test]
fn conformance_next_method_close() {
    for (method, status) in [("PUT", 200), ("DELETE", 200), ("PATCH", 502), ("HEAD", 200), ("OPTIONS", 200)] {
        let mut lab = Lab::plain();
        lab.manner('a', 0, 0);
        assert_eq!(lab.send(method).0, status, "next-{}-close", method.to_lowercase());
    }
}

#[test]
fn conformance_500_not_counted_and_500_counted() {
    let mut lab = Lab::plain();
    lab.manner('a', 500, 0);
    let statuses: Vec<u16> = (0..9).map(|_| lab.send("GET").0).collect();
    assert_eq!(statuses, [500, 200, 200, 500, 200, 200, 500, 200, 200]);
    let mut lab = Lab::with(|config| config.next.statuses = vec![500]);
    lab.manner('a', 500, 0);
    assert!((0..9).all(|_| lab.send("GET").0 == 200));
    assert_eq!(lab.saw()[0], 1);
}

#[test]
fn conformance_client_abort_and_client_abort_ignored() {
    for (ignored, finished) in [(false, ""), (true, "a")] {
        let mut lab = Lab::with(|config| config.ignore_client_abort = ignored);
        lab.manner('a', 200, 1000);
        let (http, from) = (lab.http.clone(), lab.client);
        lab.sim.ctx().spawn_in(lab.client.scope(), async move {
            let request = Request::get(format!("http://{GATE}/t").parse().unwrap());
            let _ = http.fetch_within(from, request, ms(200)).await;
        });
        lab.run(2000);
        assert_eq!(*lab.finished.borrow(), finished);
        assert_eq!(lab.gets(2), "bc", "nothing is held against a server whose client went away");
    }
}

#[test]
fn conformance_body_uri_and_header_too_large() {
    let mut lab = Lab::plain();
    let outcome = lab.begin("POST", 1_500_000);
    lab.run(10);
    assert_eq!(outcome.take().map(|(status, ..)| status), Some(413), "body-too-large");
    let ask = |lab: &mut Lab, path: &str, header: &str| {
        let (http, from, status) = (lab.http.clone(), lab.client, Rc::new(RefCell::new(0)));
        let mut request = Request::get(format!("http://{GATE}/{path}").parse().unwrap());
        request.headers.to_mut().push(("X".into(), header.to_owned().into()));
        let noted = Rc::clone(&status);
        lab.sim.ctx().spawn_in(lab.client.scope(), async move {
            *noted.borrow_mut() = http.fetch(from, request).await.expect("an answer").status;
        });
        lab.run(10);
        status.take()
    };
    let long = "x".repeat(40_000);
    assert_eq!(ask(&mut lab, &long, ""), 414, "uri-too-large");
    assert_eq!(ask(&mut lab, "", &long), 400, "header-too-large");
    assert_eq!(lab.saw(), [0, 0, 0], "no server hears of them");
    for (size, status) in [(1 << 20, 200), ((1 << 20) + 1, 413)] {
        let outcome = lab.begin("POST", size);
        lab.run(10);
        assert_eq!(outcome.take().map(|(status, ..)| status), Some(status), "{size} bytes");
    }
}

#[test]
fn conformance_upstream_headers() {
    let mut lab = Lab::plain();
    lab.send("GET");
    let seen = lab.seen.borrow();
    let headers: Vec<String> =
        seen[0].1.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, ["Host: u", "Connection: close", "X-A: 1"]);
}

/// So many requests at once: `+` for each that was let through, and the times of those.
fn burst(lab: &mut Lab, count: usize) -> (String, Vec<f64>) {
    let outcomes: Vec<_> = (0..count).map(|_| lab.begin("GET", 0)).collect();
    lab.run(1);
    // Those that are held back are answered later.
    let refused: Vec<bool> = outcomes.iter().map(|o| matches!(*o.borrow(), Some((503 | 429, ..)))).collect();
    let mut ahead = 0;
    while outcomes.iter().any(|outcome| outcome.borrow().is_none()) && ahead < 2000 {
        lab.run(10);
        ahead += 10;
    }
    let signs = refused.iter().map(|&refused| if refused { '-' } else { '+' }).collect();
    let times = outcomes.iter().zip(&refused).filter(|(_, refused)| !**refused);
    (signs, times.filter_map(|(outcome, _)| outcome.borrow().as_ref().map(|(_, _, ms)| *ms)).collect())
}

fn limited(burst: u64, nodelay: bool, status: u16) -> Lab {
    Lab::with(|config| config.rate = Some(RateLimit { rate: 10, burst, nodelay, status }))
}

#[test]
fn conformance_limit_req() {
    assert_eq!(burst(&mut limited(0, false, 503), 10).0, "+---------", "limit-req-no-burst");
    assert_eq!(burst(&mut limited(5, true, 503), 12).0, "++++++------", "limit-req-burst5-nodelay");
    let (signs, times) = burst(&mut limited(5, false, 503), 12);
    assert_eq!(signs, "++++++------", "limit-req-burst5");
    assert_eq!(times, [0.0, 100.0, 200.0, 300.0, 400.0, 500.0], "limit-req-burst5");
    let mut lab = limited(5, true, 503);
    assert_eq!(burst(&mut lab, 8).0, "++++++--");
    lab.run(350);
    assert_eq!(burst(&mut lab, 8).0, "+++-----", "limit-req-refill");
    let mut lab = limited(0, false, 429);
    assert_eq!([lab.send("GET").0, lab.send("GET").0], [200, 429], "limit-req-status");
}

#[test]
fn conformance_limit_conn_2_and_max_conns_1() {
    let statuses = |mut lab: Lab| {
        "abc".chars().for_each(|letter| lab.manner(letter, 200, 500));
        let outcomes: Vec<_> = (0..4).map(|_| lab.begin("GET", 0)).collect();
        lab.run(1000);
        let mut statuses: Vec<u16> =
            outcomes.iter().map(|o| o.borrow().as_ref().expect("an answer").0).collect();
        statuses.sort_unstable();
        statuses
    };
    assert_eq!(statuses(Lab::with(|config| config.max_requests = 2)), [200, 200, 503, 503], "limit-conn-2");
    let one = servers(|_, server| server.max_conns = 1);
    assert_eq!(statuses(Lab::new(Config::new("u", one))), [200, 200, 200, 502], "max-conns-1");
}

#[test]
fn conformance_dns() {
    let mut lab = Lab::new(Config::new("u", vec![Server::new("mathwiz:5000")]));
    assert_eq!(lab.gets(6), "ababab", "dns-multi-a");
    lab.names.set("mathwiz:5000", &["a:5000", "b:5000", "c:5000"]);
    assert_eq!(lab.gets(6), "ababab", "dns-scale-up-unseen");
    lab.gateway.reload().expect("every name resolves");
    assert_eq!(lab.gets(6), "abcabc", "dns-after-reload");
    lab.crash('b');
    assert_eq!(lab.gets(6), "accaca", "dns-one-dead");
    lab.names.set("mathwiz:5000", &[]);
    assert_eq!(lab.gets(3), "cac", "dns-name-gone");
    assert!(lab.gateway.reload().is_err(), "and it goes on as it was");
    assert_eq!(lab.gets(2), "ac");
    let (node, config) = (lab.client, Config::new("u", vec![Server::new("nobody:80")]));
    let started = Gateway::start(&lab.http, node, Names::default(), config);
    assert_eq!(
        started.err().as_deref(),
        Some("host not found in upstream \"nobody\""),
        "dns-missing-at-start"
    );
}

#[test]
fn a_request_in_hand_keeps_the_servers_that_it_began_with_when_a_reload_takes_some_away() {
    let mut lab = Lab::new(Config::new("u", vec![Server::new("mathwiz:5000")]));
    lab.names.set("mathwiz:5000", &["a:5000", "b:5000", "c:5000"]);
    lab.gateway.reload().expect("every name resolves");
    "abc".chars().for_each(|letter| lab.manner(letter, 200, 200));
    let outcomes: Vec<_> = (0..3).map(|_| lab.begin("GET", 0)).collect();
    lab.run(100);
    lab.names.set("mathwiz:5000", &["a:5000"]);
    lab.gateway.reload().expect("every name resolves");
    lab.run(200);
    let answers: Vec<_> =
        outcomes.iter().map(|o| o.borrow().as_ref().map(|answer| answer.1.clone())).collect();
    assert_eq!(answers, ["a", "b", "c"].map(|letter| Some(letter.to_owned())));
    "abc".chars().for_each(|letter| lab.manner(letter, 200, 0));
    assert_eq!(lab.gets(3), "aaa");
}

#[test]
fn a_failure_is_charged_to_the_server_that_failed_although_a_reload_put_another_in_its_place() {
    let mut lab = Lab::new(Config::new("u", vec![Server::new("mathwiz:5000")]));
    lab.manner('a', 0, 200);
    let outcome = lab.begin("GET", 0);
    lab.run(100);
    lab.names.set("mathwiz:5000", &["b:5000", "c:5000", "a:5000"]);
    lab.gateway.reload().expect("every name resolves");
    lab.run(200);
    assert_eq!(
        outcome.borrow().as_ref().map(|answer| answer.1.clone()).as_deref(),
        Some("b"),
        "the next of its own"
    );
    lab.manner('a', 200, 0);
    assert_eq!(lab.gets(6), "bcabca");
}

/// The rows that the tests above name, against the recorded ones: each is covered or listed with its reason.
#[test]
fn conformance_every_nginx_row_is_covered_or_listed() {
    let tests = include_str!("gateway.rs").replace('_', "-");
    let listed = std::fs::read_to_string("doc/conformance.md").unwrap();
    let mut rows = 0;
    for file in ["nginx-1.22.1.json", "nginx-1.22.1-dns.json"] {
        let text = std::fs::read_to_string(format!("tests/data/conformance/{file}")).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
        for id in cases.iter().map(|case| case["id"].as_str().expect("an id")) {
            rows += 1;
            // Five rows share a test that makes its names of the methods.
            let by_method =
                ["put", "delete", "patch", "head", "options"].iter().any(|m| id == format!("next-{m}-close"));
            let named = tests.contains(&format!("conformance-{id}()"))
                || tests.contains(&format!("and-{id}()"))
                || tests.contains(&format!("-{id}-and-"))
                || tests.contains(&format!("\"{id}"))
                || tests.contains(&format!(", {id}\""));
            let reason = listed.contains(&format!("| `{id}` |"));
            assert!(named || by_method || reason, "{id} is neither tested nor listed in doc/conformance.md");
            assert!(!(named && reason), "{id} is listed as left out, and tested");
        }
    }
    assert!(rows > 60, "only {rows} rows");
}
