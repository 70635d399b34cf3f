//! The Math Wizard as a textbook queue: Poisson arrivals, exponential work, c workers, no latency. The mean wait is Erlang's,
//! and what is inside is what comes in times how long it stays (Little).

mod heavy {
    use crate::support::Case;
    use glasshive::kernel::{Instant, Sink};
    use glasshive::lab::stats::{self, Estimate};
    use glasshive::lab::wizard::theory::mmc_mean_wait;
    use glasshive::lab::wizard::wait_of;
    use glasshive::lab::{Options, Run};

    const REPLICATIONS: u64 = 30;
    const Z_MAX: f64 = 4.0;
    /// Half the width of the 95 % interval, relative to the theory's mean.
    const HALF_WIDTH_MAX: f64 = 0.03;
    /// An empty system at the start waits less: jobs before this instant are left out.
    const WARM_UP: Instant = Instant::from_millis(500_000);

    /// One replication: the mean wait in units of the mean work, and L / λW − 1.
    fn replicate(servers: u32, utilisation: f64, seconds: u64, seed: u64) -> (f64, f64) {
        let period = format!("{}ns", (1e9 / (utilisation * f64::from(servers))).round());
        let case = Case::preset("mmc", seed).set("containers", &servers.to_string()).set("period", &period);
        let options = Options { sink: Sink::None, ..Options::default() };
        let mut run = Run::new(&case.seconds(seconds).scenario, options).unwrap();
        run.run_until(Instant::MAX);
        let wizard = glasshive::lab::wizard::of(run.system()).unwrap();
        let ledger = wizard.ledger();
        let jobs = || ledger.jobs().filter(|job| job.queued_at.is_some_and(|at| at >= WARM_UP));
        let waits: Vec<f64> = jobs().filter_map(wait_of).map(|wait| wait.as_secs_f64()).collect();
        let stays = ledger.jobs().filter_map(|job| Some(job.done_at?.since(job.queued_at?).as_secs_f64()));
        // λ W, over the jobs done, is the time that they spent inside in each second of the run.
        let inside = stays.sum::<f64>() / run.now().since(Instant::ZERO).as_secs_f64();
        (stats::mean(&waits).unwrap(), wizard.tally().mean_in_system(run.now()) / inside - 1.0)
    }

    fn check(servers: u32, utilisation: f64, seconds: u64) {
        let seeds = 1..=REPLICATIONS;
        let runs: Vec<(f64, f64)> =
            seeds.map(|seed| replicate(servers, utilisation, seconds, seed)).collect();
        let waits: Vec<f64> = runs.iter().map(|run| run.0).collect();
        let expected = mmc_mean_wait(servers, utilisation * f64::from(servers));
        let Estimate { mean, half_width, .. } = stats::estimate(&waits).unwrap();
        let z = (mean - expected) / (stats::sd(&waits).unwrap() / (waits.len() as f64).sqrt());
        let little = runs.iter().map(|run| run.1.abs()).fold(0.0, f64::max);
        println!(
            "c = {servers}, utilisation {utilisation}: wait {mean:.4} ±{half_width:.4}, Erlang {expected:.4}, z {z:+.2}; L/λW off by at most {little:.4}"
        );
        assert!(z.abs() <= Z_MAX, "z = {z}");
        assert!(half_width <= HALF_WIDTH_MAX * expected, "±{half_width} of {expected}");
        assert!(little <= 0.01, "L is λW but for {little}");
    }

    #[test]
    fn one_worker_waits_as_erlang_says() {
        check(1, 0.5, 10_000);
        check(1, 0.8, 40_000);
    }

    #[test]
    fn two_workers_wait_as_erlang_says() {
        check(2, 0.5, 10_000);
        check(2, 0.8, 25_000);
    }

    #[test]
    fn five_workers_wait_as_erlang_says() {
        check(5, 0.5, 15_000);
        check(5, 0.8, 15_000);
    }
}
