//! The token bucket against `golang.org/x/time/rate` 0.3.0, row by row, and the coordinator that limits its clients.

use super::support::{Case, call, for_seeds, ms, node, records};
use glasshive::kernel::{Duration, Instant, Rng};
use glasshive::lab::Run;
use glasshive::lab::oracle::tally::Summary;
use glasshive::substrate::http::{Method, Request};
use glasshive::substrate::rate_limit::{INFINITE, Limiter, every};
use glasshive::systems::oracle::{REQUEST_FAILED, REQUEST_INTENDED};
use serde_json::json;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn span(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Calls for one token at each instant: `+` allowed, `-` refused.
fn calls(limiter: &mut Limiter, times: &[u64]) -> String {
    times.iter().map(|&ms| if limiter.allow(at(ms)) { '+' } else { '-' }).collect()
}

fn drained(limit: f64, burst: u32, ms: u64) -> Limiter {
    let mut limiter = Limiter::new(limit, burst);
    assert!(limiter.allow_n(at(ms), burst));
    limiter
}

// --- the rows -----------------------------------------------------------------------------------------------------

#[test]
fn conformance_rate_10_burst_10_12_calls_at_0() {
    assert_eq!(calls(&mut Limiter::new(10.0, 10), &[0; 12]), "++++++++++--");
}

#[test]
fn conformance_drained_at_99_100_100_199_200_ms() {
    assert_eq!(calls(&mut drained(10.0, 10, 0), &[99, 100, 100, 199, 200]), "-+--+");
}

#[test]
fn conformance_rate_10_burst_1() {
    assert_eq!(calls(&mut Limiter::new(10.0, 1), &[0, 0, 50, 100, 150, 200, 1000, 1000]), "+--+-++-");
}

#[test]
fn conformance_refill_is_capped_at_the_burst() {
    assert_eq!(calls(&mut drained(10.0, 5, 0), &[10_000; 7]), "+++++--");
}

#[test]
fn conformance_more_than_the_burst_never_and_none_always() {
    let mut limiter = Limiter::new(10.0, 5);
    assert!(!limiter.allow_n(at(0), 6));
    assert!(limiter.allow_n(at(0), 5));
    assert!(limiter.allow_n(at(0), 0));
}

#[test]
fn conformance_a_refused_call_takes_nothing() {
    let mut limiter = Limiter::new(10.0, 5);
    let allowed = [3, 3, 2].map(|n| limiter.allow_n(at(0), n));
    assert_eq!(allowed, [true, false, true]);
}

#[test]
fn conformance_burst_0_refuses() {
    assert_eq!(calls(&mut Limiter::new(10.0, 0), &[0, 1000]), "--");
}

#[test]
fn conformance_rate_0_allows_the_burst_once() {
    assert_eq!(calls(&mut Limiter::new(0.0, 3), &[0, 0, 0, 0, 3_600_000]), "+++--");
}

#[test]
fn conformance_rate_infinite_allows_all() {
    assert_eq!(calls(&mut Limiter::new(INFINITE, 0), &[0, 0, 0]), "+++");
}

#[test]
fn conformance_a_refused_call_back_in_time_changes_nothing() {
    assert_eq!(calls(&mut drained(10.0, 10, 1000), &[500, 1100, 1100]), "-+-");
}

#[test]
fn conformance_an_allowed_call_back_in_time_credits_the_interval_twice() {
    let mut limiter = Limiter::new(10.0, 5);
    assert!(limiter.allow_n(at(1000), 2));
    assert_eq!(calls(&mut limiter, &[500]), "+");
    assert_eq!(calls(&mut limiter, &[1000; 6]), "+++++-");
}

#[test]
fn conformance_reservations_wait_for_their_turn() {
    let mut limiter = Limiter::new(10.0, 2);
    let delays = [0; 5].map(|_| limiter.reserve_n(at(0), 1).unwrap().delay_from(at(0)));
    assert_eq!(delays, [0, 0, 100, 200, 300].map(span));
}

#[test]
fn conformance_a_reservation_above_the_burst_is_not_given() {
    assert_eq!(Limiter::new(10.0, 2).reserve_n(at(0), 3), None);
}

#[test]
fn conformance_cancel_before_acting_restores() {
    let mut limiter = drained(10.0, 1, 0);
    let reservation = limiter.reserve_n(at(0), 1).unwrap();
    assert_eq!(reservation.delay_from(at(0)), span(100));
    limiter.cancel(reservation, at(10));
    assert_eq!(limiter.reserve_n(at(10), 1).unwrap().delay_from(at(10)), span(90));
}

#[test]
fn conformance_cancel_of_the_earlier_of_two_restores_nothing() {
    let mut limiter = drained(10.0, 1, 0);
    let earlier = limiter.reserve_n(at(0), 1).unwrap();
    assert_eq!(limiter.reserve_n(at(0), 1).unwrap().delay_from(at(0)), span(200));
    limiter.cancel(earlier, at(0));
    assert_eq!(limiter.reserve_n(at(0), 1).unwrap().delay_from(at(0)), span(300));
}

#[test]
fn conformance_set_burst_leaves_the_tokens() {
    let mut limiter = drained(10.0, 1, 0);
    limiter.set_burst(at(0), 5);
    assert_eq!(calls(&mut limiter, &[0, 100, 100]), "-+-");
}

#[test]
fn conformance_set_limit_counts_from_then_on() {
    let mut limiter = drained(10.0, 10, 0);
    limiter.set_limit(at(100), 100.0);
    assert_eq!(calls(&mut limiter, &[100, 100, 109, 110]), "+--+");
}

#[test]
fn conformance_tokens_at() {
    let limiter = drained(10.0, 10, 0);
    assert_eq!([0, 50, 150, 5_000].map(|ms| limiter.tokens_at(at(ms))), [0.0, 0.5, 1.5, 10.0]);
}

#[test]
fn conformance_every() {
    assert_eq!((every(span(100)), every(Duration::ZERO)), (10.0, INFINITE));
}

#[test]
fn conformance_rate_3_burst_1_at_thirds_of_a_second_truncated_to_nanoseconds() {
    let mut limiter = Limiter::new(3.0, 1);
    let thirds = (0..=10).map(|k| Instant::from_nanos(k * 1_000_000_000 / 3));
    let allowed: String = thirds.map(|at| if limiter.allow(at) { '+' } else { '-' }).collect();
    assert_eq!(allowed, "+++++++++++");
}

#[test]
fn conformance_wait_with_a_deadline_that_is_too_near_is_refused_at_once() {
    let mut limiter = drained(1.0, 1, 0);
    assert_eq!(limiter.reserve_within(at(0), 1, span(50)), None);
    assert_eq!(limiter.tokens_at(at(0)), 0.0, "and takes nothing");
    assert_eq!(limiter.reserve_within(at(0), 1, span(1000)).unwrap().act_at, at(1000));
}

#[test]
fn conformance_wait_for_more_than_the_burst_is_refused_at_once() {
    assert_eq!(Limiter::new(1.0, 1).wait_for(at(0), 2), None);
    assert_eq!(drained(1.0, 1, 0).wait_for(at(0), 1), Some(span(1000)));
}

#[test]
fn conformance_first_use_starts_full() {
    assert_eq!(calls(&mut Limiter::new(10.0, 3), &[3_600_000; 4]), "+++-");
}

// --- properties ---------------------------------------------------------------------------------------------------

#[test]
fn no_window_lets_more_pass_than_the_burst_and_its_refill() {
    for_seeds("rate_limit", 0..200, |seed| {
        let mut rng = Rng::new(seed);
        let (rate, burst) = ([0.5, 3.0, 10.0, 1000.0][rng.below(4) as usize], 1 + rng.below(20) as u32);
        let mut limiter = Limiter::new(rate, burst);
        let mut now = Instant::ZERO;
        let mut passed: Vec<(Instant, u32)> = Vec::new();
        for _ in 0..400 {
            let gap = rng.exponential(1.0 / rate);
            now += if rng.chance(0.4) { Duration::ZERO } else { Duration::from_secs_f64(gap) };
            let n = if rng.chance(0.8) { 1 } else { rng.below(u64::from(burst) + 2) as u32 };
            // What `wait_for` promises holds to the nanosecond, and not much sooner.
            let wait = limiter.wait_for(now, n);
            assert_eq!(wait, wait.filter(|_| n <= burst));
            let allowed = limiter.allow_n(now, n);
            assert_eq!(allowed, wait == Some(Duration::ZERO));
            if let Some(wait) = wait.filter(|_| !allowed) {
                let then = now + wait + Duration::from_nanos(1);
                assert!(limiter.clone().allow_n(then, n), "after {wait}");
                assert!(!limiter.clone().allow_n(now + wait - Duration::from_micros(1), n), "before {wait}");
            }
            if allowed {
                passed.push((now, n));
            }
        }
        assert!(passed.len() > 50, "{}", passed.len());
        for (i, (start, _)) in passed.iter().enumerate() {
            let mut count = 0;
            for (end, n) in &passed[i..] {
                count += n;
                // A nanosecond's refill may round up, at each end.
                let most = f64::from(burst) + rate * (end.since(*start).as_secs_f64() + 2e-9) + 1e-9;
                assert!(f64::from(count) <= most, "{count} from {start:?} to {end:?}, at most {most}");
            }
        }
    });
}

// --- the coordinator ----------------------------------------------------------------------------------------------

fn limited(run: &Run) -> Vec<f64> {
    let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
    let refused = ledger.requests().iter().filter(|r| r.error.as_ref().is_some_and(|e| e.status == 429));
    refused.map(|request| ms(request.requested_at)).collect()
}

#[test]
fn a_client_that_asks_too_often_gets_429_and_the_others_are_not_touched() {
    let case =
        Case::oracle(3).set("load", "burst").set("at-once", "15").set("period", "20s").set("rate", "1");
    case.clone().set("burst", "10").check(|run| {
        // Ten of each fifteen pass; in the twenty seconds between the bucket fills up again.
        assert_eq!(limited(run), [[200.0; 5], [20_200.0; 5], [40_200.0; 5]].concat());
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let refused = ledger.requests().iter().find_map(|request| request.error.clone()).unwrap();
        assert_eq!((refused.status, refused.code.as_str()), (429, "rate_limited"));
        assert!(refused.message.contains("1 requests a second") && refused.message.contains("10 at once"));
    });
    let mut run = case.set("burst", "10").start();
    run.run_until(at(300));
    assert_eq!(call(&mut run, "POST", "http://localhost:8080/request", "{\"query\":\"BTC/USD\"}").0, 200);
    let (_, metrics) = call(&mut run, "GET", "http://localhost:8080/metrics", "");
    assert_eq!(metrics["counters"]["requests_limited"], 5);
    Case::oracle(3).set("load", "burst").set("at-once", "15").check(|run| assert_eq!(limited(run), [0.0; 0]));
}

#[test]
fn retry_after_is_whole_seconds_at_least_one_and_enough() {
    for (rate, expected) in [("10", 1), ("0.4", 3), ("1", 1)] {
        let mut run = Case::oracle(5).set("rate", rate).set("burst", "1").set("period", "1h").start();
        run.run_until(at(1_000));
        let ask = |run: &mut Run| {
            let request = Request {
                method: Method::Post,
                url: "http://localhost:8080/request".parse().unwrap(),
                headers: Default::default(),
                body: b"{\"query\":\"BTC/USD\"}"[..].into(),
            };
            run.call(&request).unwrap().index
        };
        let answer = |run: &mut Run, index| {
            while run.answer(index).is_none() {
                assert!(run.run_instant(run.horizon()));
            }
            run.answer(index).unwrap().1.unwrap()
        };
        let (first, second) = (ask(&mut run), ask(&mut run));
        let refused = answer(&mut run, second);
        assert_eq!(refused.status, 429);
        let seconds = refused.headers.iter().find(|(name, _)| name == "Retry-After").unwrap().1.clone();
        assert_eq!(seconds.as_str(), expected.to_string(), "rate {rate}");
        let error: serde_json::Value = refused.parse().unwrap();
        assert_eq!(
            error["error"]["details"],
            json!({"rate": rate.parse::<f64>().unwrap(), "burst": 1, "retry_after_s": expected})
        );
        run.run_until(run.now() + Duration::from_secs(expected));
        let third = ask(&mut run);
        assert_eq!(answer(&mut run, third).status, 200, "rate {rate}: waited for {expected} s");
        assert_eq!(answer(&mut run, first).status, 200);
    }
}

/// Both systems, with a load of bursts every minute.
fn bursts(seed: u64) -> [Case; 2] {
    ["oracle-http", "oracle-nats"].map(|preset| {
        let case = Case::preset(preset, seed).faults("").set("fail", "0").set("timeout", "3s").seconds(55);
        case.set("load", "burst").set("period", "60s")
    })
}

fn summary(run: &Run) -> Summary {
    glasshive::lab::oracle::of(run.system()).unwrap().tally().summary()
}

#[test]
fn each_client_has_an_address_and_a_bucket_of_its_own() {
    for case in bursts(4) {
        let case = case.set("clients", "3").set("at-once", "5").set("rate", "0.1").set("burst", "2");
        case.check(|run| {
            let refused = records(run, REQUEST_FAILED);
            let of = |name| refused.iter().filter(|record| record.peer == node(run, name)).count();
            assert_eq!(["client", "client-02", "client-03"].map(of), [3; 3]);
            assert_eq!((summary(run).answered, summary(run).limited), (6, 9));
        });
    }
    let one =
        Case::oracle(4).set("load", "burst").set("period", "60s").set("at-once", "15").set("rate", "0.1");
    one.set("burst", "2").check(|run| assert_eq!(limited(run).len(), 13));
}

#[test]
fn clients_take_turns_where_a_load_has_one_request_at_a_time() {
    for load in ["constant", "poisson"] {
        let alone = Case::oracle(5).set("load", load).set("fail", "0").seconds(40);
        let (mut at, mut answers) = (Vec::new(), Vec::new());
        let values = |run: &Run| {
            let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
            ledger.requests().iter().map(|request| request.aggregate).collect::<Vec<_>>()
        };
        alone.clone().check(|run| {
            at = records(run, REQUEST_INTENDED).iter().map(|record| record.at).collect();
            answers = values(run);
        });
        // The load is the same, whoever makes it, and so is every draw; a client that is away misses its turns.
        alone.clone().set("clients", "3").check(|run| {
            let intended = records(run, REQUEST_INTENDED);
            assert_eq!(intended.iter().map(|record| record.at).collect::<Vec<_>>(), at);
            let turns = ["client", "client-02", "client-03"].map(|name| node(run, name));
            for (i, record) in intended.iter().enumerate() {
                assert_eq!(record.node, turns[i % 3], "{load}: request {i}");
            }
            assert_eq!(values(run), answers, "{load}");
        });
        alone.set("clients", "3").faults("stop:client-02@1s").check(|run| {
            let later =
                at.iter().enumerate().filter(|(i, at)| i % 3 != 1 || **at < Instant::from_millis(1_000));
            assert_eq!(records(run, REQUEST_INTENDED).len(), later.count(), "{load}");
        });
    }
}

#[test]
fn clients_that_back_off_come_back_when_retry_after_says() {
    for case in bursts(6) {
        let first = if case.scenario.preset == "oracle-http" { 200.0 } else { 1_000.0 };
        let case = case.set("at-once", "15").set("rate", "10").set("back-off", "retry-after");
        case.check(|run| {
            let Summary { answered, limited, retries, .. } = summary(run);
            assert_eq!((answered, limited, retries), (15, 0, 5));
            let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
            for (i, request) in ledger.requests().iter().enumerate() {
                // Taken up at once, or a second after the refusal: two hops of 5 ms each, and one more.
                let waits = if i < 10 { 5.0 } else { 10.0 + 1_000.0 + 5.0 };
                assert_eq!(ms(request.requested_at), first);
                assert_eq!(ms(request.opened_at.unwrap()), first + waits, "{i}");
                let latency = request.answered_at.unwrap().since(request.requested_at);
                assert!(latency.as_millis_f64() > waits, "latency counts from the intended send time");
            }
            // Counted once each, whatever was sent again.
            assert_eq!(run.system().begun(), 15);
        });
    }
}

#[test]
fn a_client_backs_off_five_times_at_most_and_is_followed_as_long() {
    for case in bursts(7) {
        // One token in ten seconds: of eight one is let in each time, five times after the first.
        let case =
            case.set("at-once", "8").set("rate", "0.1").set("burst", "1").set("back-off", "retry-after");
        case.seconds(59).check(|run| {
            let Summary { answered, limited, retries, pending, .. } = summary(run);
            assert_eq!((answered, limited, retries, pending), (6, 2, 7 + 6 + 5 + 4 + 3, 0));
            let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
            let refused = ledger.requests().iter().filter(|request| request.error.is_some());
            assert!(refused.clone().all(|request| ms(request.answered_at.unwrap()) > 50_000.0));
            assert_eq!(refused.count(), 2);
        });
    }
    // Off by default: nobody comes back.
    for case in bursts(7) {
        case.set("at-once", "8").set("rate", "0.1").set("burst", "1").check(|run| {
            assert_eq!((summary(run).answered, summary(run).limited, summary(run).retries), (1, 7, 0));
        });
    }
}
