//! Long runs against the closed forms of order statistics: the oracle draws what it says that it draws.
//!
//! With n workers, delays U(100 ms, 2 s), failures with probability q = 0.1 and noise U(±5 %), over all requests, also
//! those answered 503:
//! E[slowest of n] = 100 + 1900·n/(n+1) ms; P(all succeed) = 0.9ⁿ; P(most fail) is the binomial tail above n/2;
//! the standard deviation of the mean, given that all answered, is 5 %/√(3n) of the truth.

mod heavy {
    use crate::support::{Case, OnFailure};
    use glasshive::kernel::{Duration, Instant, Sink};
    use glasshive::lab::oracle::RequestEntry;
    use glasshive::lab::report::Report;
    use glasshive::lab::{Options, Run};
    use glasshive::systems::oracle::Params;

    const REQUESTS: u64 = 100_000;
    const SEED: u64 = 7;
    /// The probability that a task fails.
    const Q: f64 = 0.1;
    /// Long enough for the slowest: 2 s of work and 140 ms of links.
    const TIMEOUT: &str = "3s";
    /// Two a second, so that 100,000 fit into the longest horizon of 24 h.
    const PERIOD: Duration = Duration::from_millis(500);
    const Z_MAX: f64 = 4.0;

    /// What is summed over the requests.
    #[derive(Default)]
    struct Sums {
        requests: u64,
        unanswered: u64,
        slowest_ms: f64,
        all_succeed: u64,
        most_fail: u64,
        /// Of the relative error of the mean, given that all answered.
        error: f64,
        error_squared: f64,
    }

    impl Sums {
        fn add(&mut self, request: &RequestEntry, params: &Params, n: usize) {
            let responses = &request.worker_responses;
            assert_eq!(responses.len(), n, "req {}", request.number);
            let failed = responses.iter().filter(|response| response.err.is_some()).count();
            let slowest = responses.iter().map(|response| response.response_time).max().unwrap();
            self.requests += 1;
            self.unanswered += u64::from(request.error.is_some());
            self.slowest_ms += slowest.as_millis_f64();
            self.most_fail += u64::from(2 * failed > n);
            if failed == 0 {
                let error = request.analysis(params).unwrap().error;
                self.all_succeed += 1;
                self.error += error;
                self.error_squared += error * error;
            }
        }

        /// The four z values, each with the measured figure and the one expected.
        fn scores(&self, n: usize) -> [(&'static str, f64, f64, f64); 4] {
            let (requests, n) = (self.requests as f64, n as f64);
            // The largest of n uniform draws on a range r has the variance r²·n/((n+1)²(n+2)).
            let mean = self.slowest_ms / requests;
            let mean_expected = 100.0 + 1900.0 * n / (n + 1.0);
            let mean_sd = 1900.0 * (n / ((n + 1.0) * (n + 1.0) * (n + 2.0))).sqrt();
            let share = |count: u64, p: f64| {
                let measured = count as f64 / requests;
                (measured, p, (measured - p) / (p * (1.0 - p) / requests).sqrt())
            };
            let all = share(self.all_succeed, (1.0 - Q).powf(n));
            let most = share(self.most_fail, most_fail(n as u32));
            // The sample variance s² of N draws has the variance σ⁴(2 + κ)/N about σ², where κ = −1.2/n is the
            // excess kurtosis of a mean of n uniform draws.
            let answered = self.all_succeed as f64;
            let mean_error = self.error / answered;
            let variance = (self.error_squared - answered * mean_error * mean_error) / (answered - 1.0);
            let expected = 0.05 * 0.05 / (3.0 * n);
            let z = (variance / expected - 1.0) / ((2.0 - 1.2 / n) / answered).sqrt();
            [
                (
                    "mean slowest, ms",
                    mean,
                    mean_expected,
                    (mean - mean_expected) / (mean_sd / requests.sqrt()),
                ),
                ("P(all succeed)", all.0, all.1, all.2),
                ("P(most fail)", most.0, most.1, most.2),
                ("sd of the mean", variance.sqrt(), expected.sqrt(), z),
            ]
        }
    }

    /// The probability that more than half of n tasks fail.
    fn most_fail(n: u32) -> f64 {
        let choose = |k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        (n / 2 + 1..=n).map(|k| choose(k) * Q.powi(k as i32) * (1.0 - Q).powi((n - k) as i32)).sum()
    }

    fn check(n: usize) {
        // Half a period after the last request is too early for its answer: ten seconds more.
        let end = Duration::from_nanos(PERIOD.as_nanos() * REQUESTS) + Duration::from_secs(10);
        let case = Case::oracle(SEED)
            .set("workers", &n.to_string())
            .set("timeout", TIMEOUT)
            .set("period", &PERIOD.to_string())
            .seconds(end.as_nanos() / 1_000_000_000);
        let _on_failure = OnFailure::say(format!("replay: {}", case.command()));
        // The log keeps a window, and the window is read before it moves on: memory stays small.
        let options = Options { sink: Sink::None, keep: 10_000, observed: false, ..Options::default() };
        let mut run = Run::new(&case.scenario, options).unwrap();
        let mut sums = Sums::default();
        while sums.requests < REQUESTS {
            assert!(run.now() < run.horizon(), "{} requests were closed by the horizon", sums.requests);
            run.run_until(run.now() + Duration::from_secs(100));
            assert!(Report::of(&run).ok(), "an invariant broke before {:?}", run.now());
            let oracle = glasshive::lab::oracle::of(run.system()).unwrap();
            let (ledger, params) = (oracle.ledger(), oracle.params());
            let unread = ledger.requests().iter().skip_while(|r| r.number <= sums.requests);
            let closed: Vec<&RequestEntry> = unread.take_while(|r| r.answered_at.is_some()).collect();
            for request in closed.into_iter().take((REQUESTS - sums.requests) as usize) {
                assert_eq!(request.number, sums.requests + 1, "a request left the log unread");
                sums.add(request, params, n);
            }
        }
        assert!(run.now() > Instant::ZERO + Duration::from_secs(49_000));
        println!("{n} workers, {} requests, {} of them answered 503", sums.requests, sums.unanswered);
        let scores = sums.scores(n);
        for (name, measured, expected, z) in scores {
            println!("  {name:<18} {measured:>12.6}  expected {expected:>12.6}  z = {z:+.2}");
        }
        assert!(scores.iter().all(|(.., z)| z.abs() <= Z_MAX), "a |z| is above {Z_MAX}: {scores:?}");
        // 503 answers are exactly those of which nobody answered.
        let p = Q.powi(n as i32);
        let z = (sums.unanswered as f64 / REQUESTS as f64 - p) / (p * (1.0 - p) / REQUESTS as f64).sqrt();
        assert!(z.abs() <= Z_MAX, "{} unanswered: z = {z:.2}", sums.unanswered);
    }

    #[test]
    fn a_hundred_thousand_requests_to_three_workers_agree_with_the_closed_forms() {
        check(3);
    }

    #[test]
    fn a_hundred_thousand_requests_to_five_workers_agree_with_the_closed_forms() {
        check(5);
    }

    #[test]
    fn the_binomial_tail_is_that_of_the_definition() {
        assert!((most_fail(3) - 0.028).abs() < 1e-12);
        assert!((most_fail(5) - 0.00856).abs() < 1e-12);
    }
}
