//! The configuration system over its API: what the controller, the agents and the workers answer.

use super::support::{keys, ms};
use glasshive::kernel::{Duration, Instant, Kind, Record, Sim, Sink};
use glasshive::lab::config::ConfigRun;
use glasshive::lab::config::ledger::Ledger;
use glasshive::lab::config::tally::Tally;
use glasshive::lab::{Options, Reported};
use glasshive::net::{LinkModel, Net, NodeId};
use glasshive::substrate::http::{CANCELLED, HttpError, Method, REQUEST_SENT, Request, Response};
use glasshive::systems::config::{Config, Params, TICK_DONE, VERSION_STORED, WORKER_APPLIED};
use serde_json::{Value, json};
use std::cell::{Ref, RefCell};
use std::rc::Rc;

/// A configuration system under way.
pub struct Lab {
    pub sim: Sim,
    pub net: Net,
    system: ConfigRun,
}

pub fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

impl Lab {
    pub fn new(seed: u64, params: Params) -> Self {
        Lab::keeping(seed, params, Sink::None)
    }

    /// One that keeps its trace.
    pub fn traced(seed: u64, params: Params) -> Self {
        Lab::keeping(seed, params, Sink::Full)
    }

    fn keeping(seed: u64, params: Params, sink: Sink) -> Self {
        let sim = Sim::new(seed, sink);
        let net = Net::new(&sim.ctx(), false);
        let system = ConfigRun::start(&net, params, &Options::default());
        Lab { sim, net, system }
    }

    /// Without an operator, so that only the test changes anything.
    pub fn quiet(seed: u64) -> Self {
        Lab::traced(seed, Params { client_on: false, ..Params::default() })
    }

    pub fn until(&mut self, at: Instant) {
        self.sim.run_until(at);
    }

    pub fn node(&self, name: &str) -> NodeId {
        self.net.find(name).unwrap_or_else(|| panic!("no node {name}"))
    }

    pub fn config(&self) -> &Config {
        self.system.config()
    }

    pub fn tally(&self) -> Ref<'_, Tally> {
        self.system.tally()
    }

    pub fn ledger(&self) -> Ref<'_, Ledger> {
        self.system.ledger()
    }

    /// Panics with the first invariant that does not hold.
    pub fn check(&self) {
        for check in self.system.checks() {
            assert!(check.ok, "{}: {}", check.name, check.detail);
        }
    }

    fn send(&mut self, request: Request, limit: Duration) -> Result<Response, HttpError> {
        let answer = Rc::new(RefCell::new(None));
        let here = Rc::clone(&answer);
        self.config().call(request, limit, move |answer| *here.borrow_mut() = Some(answer));
        while answer.borrow().is_none() {
            assert!(self.sim.run_instant(Instant::MAX));
        }
        answer.take().unwrap()
    }

    pub fn call(&mut self, method: &str, address: &str, headers: &[(&str, &str)], body: &str) -> Response {
        self.send(request(method, address, headers, body), seconds(10)).unwrap()
    }

    /// A put at the console whose answer nobody reads.
    pub fn put_without_waiting(&self) {
        let put = request("PUT", CONFIG, &[], "{\"rate\": 3, \"query\": \"ETH/USD\"}");
        self.config().call(put, seconds(10), |_| {});
    }

    fn put(&mut self, rate: f64, headers: &[(&str, &str)]) -> Response {
        let body = json!({"rate": rate, "query": "ETH/USD"}).to_string();
        self.call("PUT", CONFIG, headers, &body)
    }

    pub fn records(&self, kind: Kind) -> Vec<Record> {
        self.sim.trace().records().filter(|record| record.kind == kind).copied().collect()
    }
}

pub const CONFIG: &str = "localhost:8080/config";

fn request(method: &str, address: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned().into(), (*value).to_owned().into())).collect();
    Request {
        method: Method::from(method),
        url: address.parse().unwrap(),
        headers,
        body: body.as_bytes().into(),
    }
}

pub fn json_of(response: &Response) -> Value {
    response.parse().unwrap_or_else(|error| panic!("{error}: {response:?}"))
}

/// Status and code of a structured error; its three fields must be there.
fn error_of(response: &Response) -> (u16, String) {
    let body = json_of(response);
    assert_eq!(keys(&body["error"]), ["code", "details", "message"], "{body}");
    (response.status, body["error"]["code"].as_str().unwrap().to_owned())
}

// --- the controller -----------------------------------------------------------------------------------------------

#[test]
fn a_put_makes_the_next_version_and_a_read_finds_it() {
    let mut lab = Lab::quiet(1);
    let shipped = lab.call("GET", CONFIG, &[], "");
    assert_eq!((shipped.status, shipped.header("etag")), (200, Some("\"v1\"")));
    let settings = json!({"rate": 1.0, "query": "BTC/USD", "note": "as shipped"});
    let at = "2025-01-01T00:00:00.000Z";
    assert_eq!(json_of(&shipped), json!({"version": 1, "updated_at": at, "settings": settings}));

    let began = lab.sim.now();
    let put = lab.put(2.5, &[]);
    // 5 ms each way and the write.
    assert_eq!(lab.sim.now().since(began), Duration::from_millis(15));
    assert_eq!((put.status, put.header("ETag")), (200, Some("\"v2\"")));
    assert_eq!(json_of(&put)["settings"], json!({"rate": 2.5, "query": "ETH/USD", "note": ""}));
    assert_eq!(json_of(&lab.call("GET", CONFIG, &[], "")), json_of(&put));
    assert_eq!(lab.call("GET", CONFIG, &[("If-None-Match", "\"v2\"")], "").status, 304);
    assert_eq!(lab.call("GET", CONFIG, &[("If-None-Match", "\"v1\"")], "").status, 200);

    let history = json_of(&lab.call("GET", "localhost:8080/config/history", &[], ""));
    assert_eq!(history["versions"], json!([json_of(&put), json_of(&shipped)]), "newest first");
    let health = lab.call("GET", "localhost:8080/health", &[], "");
    assert_eq!(json_of(&health), json!({"status": "ok", "version": 2}));
    lab.check();
}

#[test]
fn a_put_on_condition_conflicts_with_a_newer_version_and_names_it() {
    let mut lab = Lab::quiet(2);
    assert_eq!(lab.put(2.0, &[("If-Match", "\"v1\"")]).status, 200);
    let late = lab.put(3.0, &[("If-Match", "\"v1\"")]);
    assert_eq!(error_of(&late), (412, "version_conflict".to_owned()));
    assert_eq!(json_of(&late)["error"]["details"], json!({"current_version": 2, "etag": "\"v2\""}));
    assert_eq!(late.header("ETag"), Some("\"v2\""));
    assert_eq!(lab.put(3.0, &[("If-Match", "W/\"v2\"")]).status, 412, "strong comparison");
    assert_eq!(lab.put(3.0, &[("If-None-Match", "*")]).status, 412, "only if there is none");
    assert_eq!(lab.put(3.0, &[("If-Match", "\"v9\", \"v2\"")]).status, 200);
    assert_eq!(lab.put(4.0, &[("If-Match", "*")]).status, 200);
    assert_eq!(json_of(&lab.call("GET", "localhost:8080/health", &[], ""))["version"], 4);
}

#[test]
fn of_two_puts_at_once_on_the_same_condition_one_wins() {
    let mut lab = Lab::quiet(3);
    let answers = Rc::new(RefCell::new(Vec::new()));
    for rate in ["2", "3"] {
        let body = format!("{{\"rate\": {rate}, \"query\": \"ETH/USD\"}}");
        let here = Rc::clone(&answers);
        let note = move |answer: Result<Response, HttpError>| here.borrow_mut().push(answer.unwrap().status);
        lab.config().call(request("PUT", CONFIG, &[("If-Match", "\"v1\"")], &body), seconds(10), note);
    }
    lab.until(Instant::from_millis(100));
    assert_eq!(*answers.borrow(), [200, 412]);
}

#[test]
fn wrong_requests_get_structured_errors() {
    let mut lab = Lab::quiet(4);
    let mut put = |body: &str| lab.call("PUT", CONFIG, &[], body);
    let broken = put("{\"rate\": 1,\n \"query\" }");
    assert_eq!(error_of(&broken), (400, "invalid_json".to_owned()));
    assert_eq!(json_of(&broken)["error"]["details"], json!({"line": 2, "column": 10}));
    for (body, word) in [
        ("{\"rate\": \"fast\", \"query\": \"ETH/USD\"}", "rate is \"fast\"; it must be a number"),
        ("{\"rate\": 1, \"query\": 5}", "query is 5; it must be a text"),
        ("{\"rate\": 1, \"query\": \"a\", \"note\": [1]}", "note is [1]; it must be a text"),
        ("{\"rate\": 0, \"query\": \"ETH/USD\"}", "rate is 0; it must lie between 0.1 and 100"),
        ("{\"rate\": 1, \"query\": \"\"}", "query has 0 characters"),
    ] {
        let response = put(body);
        assert_eq!(error_of(&response), (400, "invalid_field".to_owned()), "{body}");
        let message = json_of(&response)["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(word), "{body}: {message}");
    }
    for body in ["[]", "[1, \"ETH/USD\"]", "null", "5"] {
        assert_eq!(error_of(&put(body)), (400, "invalid_json".to_owned()), "{body}");
    }
    for (body, field) in [("{\"query\": \"ETH/USD\"}", "rate"), ("{\"rate\": 1}", "query"), ("{}", "rate")] {
        let response = put(body);
        assert_eq!(error_of(&response), (400, "missing_field".to_owned()), "{body}");
        assert_eq!(json_of(&response)["error"]["details"], json!({"field": field}));
    }
    for (method, address, allow) in [
        ("DELETE", CONFIG, "GET, HEAD, PUT"),
        ("PUT", "localhost:8080/config/history", "GET"),
        ("POST", "localhost:9001/config", "GET, HEAD"),
        ("GET", "localhost:9001/refresh", "POST"),
        ("PUT", "localhost:9501/version", "GET"),
    ] {
        let response = lab.call(method, address, &[], "");
        assert_eq!(error_of(&response), (405, "method_not_allowed".to_owned()), "{method} {address}");
        assert_eq!(response.header("Allow"), Some(allow), "{method} {address}");
    }
    assert_eq!(json_of(&lab.call("GET", "localhost:8080/health", &[], ""))["version"], 1, "nothing changed");
}

// --- agents and workers -------------------------------------------------------------------------------------------

#[test]
fn a_version_travels_from_the_controller_over_the_agents_into_the_work() {
    let mut lab = Lab::quiet(5);
    assert_eq!(error_of(&lab.call("GET", "localhost:9002/config", &[], "")), (503, "no_config".to_owned()));
    let first = json_of(&lab.call("GET", "localhost:9504/version", &[], ""));
    assert_eq!(first, json!({"worker_id": "w-04", "version": null, "settings": null}));
    lab.put(4.0, &[]);
    lab.until(Instant::from_millis(20_000));
    for i in 1..=3 {
        let agent = lab.call("GET", &format!("localhost:900{i}/config"), &[], "");
        assert_eq!((agent.status, agent.header("ETag")), (200, Some("\"v2\"")));
        assert_eq!(json_of(&agent)["settings"]["rate"], 4.0);
        let seen = lab.call("GET", &format!("localhost:900{i}/config"), &[("If-None-Match", "\"v2\"")], "");
        assert_eq!((seen.status, seen.body.len()), (304, 0));
    }
    let health = json_of(&lab.call("GET", "localhost:9003/health", &[], ""));
    assert_eq!(health, json!({"status": "ok", "agent_id": "a-03", "version": 2, "failures": 0}));
    for i in 1..=6 {
        let version = json_of(&lab.call("GET", &format!("localhost:950{i}/version"), &[], ""));
        assert_eq!((&version["version"], &version["settings"]["query"]), (&json!(2), &json!("ETH/USD")));
        let health = json_of(&lab.call("GET", &format!("localhost:950{i}/health"), &[], ""));
        assert_eq!(health, json!({"status": "ok", "worker_id": format!("w-0{i}"), "version": 2}));
    }
    // Four ticks a second of w-06, once it runs version 2.
    let (w06, end) = (lab.node("w-06").0, lab.sim.now());
    let ticks = lab.records(TICK_DONE);
    let of_w06: Vec<&Record> = ticks.iter().filter(|tick| tick.node == w06 && tick.value == 2).collect();
    assert!(of_w06.windows(2).all(|pair| pair[1].at.since(pair[0].at) == Duration::from_millis(250)));
    let first = of_w06.first().unwrap().at;
    assert!(ms(first) < 12_000.0 && of_w06.len() as f64 > (ms(end) - ms(first)) / 250.0 - 1.0);
    lab.check();
}

/// Where the way has no jitter, every answer of the agent comes at the very instant of a tick.
#[test]
fn a_version_that_comes_at_the_instant_of_a_tick_comes_before_it() {
    let mut lab = Lab::quiet(5);
    let way = LinkModel::new(Duration::from_millis(1), Duration::ZERO);
    lab.net.connect(lab.node("a-01"), lab.node("w-01"), way);
    lab.until(Instant::from_millis(5_500));
    lab.put(4.0, &[]);
    assert_eq!(lab.call("POST", "localhost:9001/refresh", &[], "").status, 202);
    lab.until(Instant::from_millis(9_500));
    let w01 = lab.node("w-01").0;
    let of_w01 = |kind| lab.records(kind).into_iter().filter(move |record| record.node == w01);
    let applied: Vec<(f64, u64)> =
        of_w01(WORKER_APPLIED).map(|record| (ms(record.at), record.value)).collect();
    assert_eq!(applied, [(1_002.0, 1), (6_002.0, 2)]);
    let ticks = of_w01(TICK_DONE).map(|tick| (ms(tick.at), tick.value));
    let around: Vec<(f64, u64)> = ticks.filter(|&(at, _)| (5_000.0..6_500.0).contains(&at)).collect();
    assert_eq!(around, [(5_002.0, 1), (6_002.0, 2), (6_252.0, 2)]);
    lab.check();
}

#[test]
fn an_agent_serves_its_last_configuration_through_an_outage_and_its_own_restart() {
    let mut lab = Lab::quiet(6);
    lab.put(4.0, &[]);
    lab.until(Instant::from_millis(15_000));
    lab.net.crash(lab.node("controller"));
    lab.until(Instant::from_millis(40_000));
    let a01 = lab.node("a-01");
    lab.net.crash(a01);
    lab.until(Instant::from_millis(50_000));
    lab.net.start(a01);
    lab.net.start(lab.node("w-01"));
    lab.until(Instant::from_millis(60_000));
    assert_eq!(lab.call("GET", "localhost:9001/config", &[], "").header("ETag"), Some("\"v2\""));
    assert_eq!(json_of(&lab.call("GET", "localhost:9501/version", &[], ""))["version"], 2);
    let failures = json_of(&lab.call("GET", "localhost:9001/health", &[], ""))["failures"].as_u64().unwrap();
    assert!(failures > 3, "{failures} in 10 s of full jitter from 500 ms on");
    lab.net.start(lab.node("controller"));
    lab.until(Instant::from_millis(120_000));
    assert_eq!(
        json_of(&lab.call("GET", "localhost:9001/health", &[], ""))["failures"],
        0,
        "reset on success"
    );
    lab.check();
}

#[test]
fn agents_and_workers_ask_at_their_intervals_whatever_the_answers_take() {
    let params = Params { client_on: false, poll: seconds(7), poll_jitter: 0.0, ..Params::default() };
    let mut lab = Lab::traced(7, params);
    lab.until(Instant::from_millis(70_500));
    for (name, interval, count) in [("a-02", 7_000.0, 11), ("w-05", 1_000.0, 71)] {
        let node = lab.node(name).0;
        let sent: Vec<f64> =
            lab.records(REQUEST_SENT).iter().filter(|r| r.node == node).map(|r| ms(r.at)).collect();
        assert_eq!(sent, (0..count).map(|n| f64::from(n) * interval).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_refresh_makes_an_agent_poll_at_once() {
    let mut lab = Lab::quiet(7);
    lab.until(Instant::from_millis(1_000));
    lab.put(4.0, &[]);
    assert_eq!(lab.call("POST", "localhost:9001/refresh", &[], "").status, 202);
    lab.until(lab.sim.now() + Duration::from_millis(150));
    let versions: Vec<u64> = lab.tally().agents().iter().map(|agent| agent.version).collect();
    assert_eq!(versions, [2, 1, 1]);
}

// --- rows of the real servers that need a server ------------------------------------------------------------------

#[test]
fn conformance_inm_post() {
    let mut lab = Lab::quiet(8);
    assert_eq!(lab.call("POST", CONFIG, &[("If-None-Match", "\"v1\"")], "").status, 405);
}

#[test]
fn conformance_inm_missing_file() {
    let mut lab = Lab::quiet(8);
    assert_eq!(lab.call("GET", "localhost:8080/confg", &[("If-None-Match", "*")], "").status, 404);
}

#[test]
fn conformance_go_unknown_path() {
    let mut lab = Lab::quiet(8);
    for port in [8080, 9001, 9501] {
        let answer = lab.call("GET", &format!("localhost:{port}/nothing"), &[], "");
        assert_eq!(error_of(&answer), (404, "not_found".to_owned()));
    }
}

#[test]
fn conformance_go_max_bytes() {
    let mut lab = Lab::quiet(8);
    let body = format!("{{\"rate\": 1, \"query\": \"{}\"}}", "x".repeat(1 << 20));
    assert_eq!(error_of(&lab.call("PUT", CONFIG, &[], &body)), (413, "body_too_large".to_owned()));
}

#[test]
fn conformance_go_json_unknown_field() {
    let mut lab = Lab::quiet(8);
    let answer = lab.call("PUT", CONFIG, &[], "{\"rate\": 1, \"query\": \"b\", \"colour\": 7}");
    assert_eq!((answer.status, &json_of(&answer)["settings"]["query"]), (200, &json!("b")));
}

#[test]
fn conformance_go_json_dup_keys() {
    let mut lab = Lab::quiet(8);
    let answer = lab.call("PUT", CONFIG, &[], "{\"rate\": 1, \"query\": \"a\", \"query\": \"b\"}");
    assert_eq!((answer.status, &json_of(&answer)["settings"]["query"]), (200, &json!("b")));
}

#[test]
fn conformance_go_refused() {
    let mut lab = Lab::quiet(8);
    lab.net.crash(lab.node("controller"));
    let error = lab.send(request("GET", CONFIG, &[], ""), seconds(1)).unwrap_err();
    assert_eq!(error.to_string(), "connection refused");
}

/// A put whose write takes a second.
fn slow_put(seed: u64) -> (Lab, Request) {
    let params = Params { client_on: false, store_latency: seconds(1), ..Params::default() };
    (Lab::traced(seed, params), request("PUT", CONFIG, &[], "{\"rate\": 1, \"query\": \"b\"}"))
}

#[test]
fn conformance_go_client_timeout() {
    let (mut lab, put) = slow_put(8);
    let limit = Duration::from_millis(200);
    assert_eq!(lab.send(put, limit), Err(HttpError::TimedOut(limit)));
    lab.until(Instant::from_millis(5_000));
    let cancelled = lab.records(CANCELLED);
    assert_eq!(cancelled.len(), 1, "the handler is told");
    assert_eq!((cancelled[0].node, ms(cancelled[0].at)), (lab.config().controller().0, 205.0));
    assert_eq!(lab.records(VERSION_STORED).len(), 0, "and nobody was told that it is durable");
}

#[test]
fn conformance_go_in_flight_during_shutdown() {
    let (mut lab, put) = slow_put(9);
    let answer = Rc::new(RefCell::new(None));
    let here = Rc::clone(&answer);
    lab.config().call(put, seconds(5), move |answer| *here.borrow_mut() = Some(answer));
    lab.until(Instant::from_millis(300));
    lab.net.stop(lab.config().controller());
    lab.until(Instant::from_millis(600));
    assert_eq!(
        lab.send(request("GET", CONFIG, &[], ""), seconds(1)),
        Err(HttpError::Refused),
        "the port is closed"
    );
    lab.until(Instant::from_millis(2_000));
    assert_eq!(answer.take().unwrap().unwrap().status, 200);
}

#[test]
fn conformance_go_shutdown_waits() {
    let (mut lab, put) = slow_put(9);
    lab.config().call(put, seconds(5), |_| {});
    lab.until(Instant::from_millis(300));
    let controller = lab.config().controller();
    lab.net.stop(controller);
    lab.until(Instant::from_millis(1_000));
    assert!(lab.net.is_up(controller), "a request is in flight until 1,005 ms");
    lab.until(Instant::from_millis(1_020));
    assert!(!lab.net.is_up(controller));
}
