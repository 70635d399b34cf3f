//! The oracle's client: when it sends under each load, and that its latency counts from the intended instant.

use super::support::{Case, ms, records};
use glasshive::lab::Run;
use glasshive::systems::oracle::REQUEST_INTENDED;

/// When requests were intended, in milliseconds.
fn intended(run: &Run) -> Vec<f64> {
    records(run, REQUEST_INTENDED).iter().map(|r| ms(r.at)).collect()
}

#[test]
fn a_constant_load_sends_every_period_from_200_ms_on() {
    Case::oracle(1).check(|run| {
        let expected: Vec<f64> = (0..30).map(|i| 200.0 + 2_000.0 * f64::from(i)).collect();
        assert_eq!(intended(run), expected);
    });
}

#[test]
fn a_burst_sends_all_clients_at_one_instant() {
    Case::oracle(2).set("load", "burst").set("clients", "5").set("period", "10s").check(|run| {
        let expected: Vec<f64> = (0..30).map(|i| 200.0 + 10_000.0 * f64::from(i / 5)).collect();
        assert_eq!(intended(run), expected);
    });
}

#[test]
fn a_poisson_load_has_its_mean_and_the_spread_of_exponential_gaps() {
    for seed in 1..=3 {
        let case =
            Case::oracle(seed).set("workers", "1").set("load", "poisson").set("period", "1s").seconds(2_000);
        case.check(|run| {
            let at = intended(run);
            let gaps: Vec<f64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
            // The count of a Poisson process has its mean as its variance.
            let z = (at.len() as f64 - 2_000.0) / 2_000_f64.sqrt();
            assert!(z.abs() <= 4.0, "{} requests in 2,000 s: z = {z:.2}", at.len());
            // Of exponential gaps 1 − 1/e are shorter than the mean.
            let (n, p) = (gaps.len() as f64, 1.0 - (-1_f64).exp());
            let short = gaps.iter().filter(|&&gap| gap < 1_000.0).count() as f64;
            let z = (short - n * p) / (n * p * (1.0 - p)).sqrt();
            assert!(z.abs() <= 4.0, "{short} of {n} gaps are below their mean: z = {z:.2}");
        });
    }
}

#[test]
fn a_closed_load_keeps_exactly_its_clients_requests_open() {
    Case::oracle(4).set("load", "closed").set("clients", "3").check(|run| {
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        let mut answers = 0;
        for request in ledger.requests() {
            let at = request.requested_at;
            let open = ledger.requests().iter().filter(|other| {
                other.requested_at <= at && other.answered_at.is_none_or(|answered| answered > at)
            });
            assert!(open.count() <= 3, "req {}", request.number);
            if ms(at) > 200.0 {
                let follows = ledger.requests().iter().any(|other| other.answered_at == Some(at));
                assert!(follows, "req {} was sent although no answer came", request.number);
            }
            answers += usize::from(request.answered_at.is_some());
        }
        assert_eq!(intended(run)[..3], [200.0; 3]);
        assert_eq!(ledger.requests().len(), answers + 3, "each answer is followed by a request");
        assert!(answers > 90, "{answers}");
    });
}

#[test]
fn an_open_load_does_not_wait_for_answers_and_latency_counts_from_the_intended_instant() {
    Case::oracle(5).set("period", "100ms").set("timeout", "3s").set("fail", "0").check(|run| {
        assert_eq!(intended(run).len(), 599);
        let ledger = glasshive::lab::oracle::of(run.system()).unwrap().ledger();
        assert!(ledger.requests().iter().filter(|r| r.answered_at.is_some()).count() > 500);
        for request in ledger.requests().iter().filter(|r| r.answered_at.is_some()) {
            let slowest = request.worker_responses.iter().map(|r| r.response_time).max().unwrap();
            let latency = request.answered_at.unwrap().since(request.requested_at).as_millis_f64();
            let hops = latency - slowest.as_millis_f64();
            // The slowest answer by its own time need not arrive last: its hops take 100 to 140 ms, and 10 ms to
            // the client and back.
            assert!((110.0..=150.0).contains(&hops), "req {}: {hops}", request.number);
        }
    });
}

#[test]
fn a_client_that_restarts_goes_on_with_its_schedule() {
    Case::oracle(6).faults("crash:client@7s..13s").check(|run| {
        let at = intended(run);
        let expected: Vec<f64> = (0..30).map(|i| 200.0 + 2_000.0 * f64::from(i)).collect();
        let expected: Vec<f64> = expected.into_iter().filter(|t| !(7_000.0..13_000.0).contains(t)).collect();
        assert_eq!(at, expected);
    });
}
