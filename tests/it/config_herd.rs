//! The herd after an outage: what jitter is worth.

use super::config::{Lab, seconds};
use super::support::for_seeds;
use glasshive::kernel::Instant;
use glasshive::systems::config::Params;

const AGENTS: u32 = 200;
/// The outage: ten minutes from the second minute on.
const DOWN: Instant = Instant::from_millis(60_000);
const UP: Instant = Instant::from_millis(660_000);
const END: Instant = Instant::from_millis(960_000);

/// The most requests within a second, from the controller's return on.
fn peak_after_outage(seed: u64, params: Params) -> u32 {
    let mut lab = Lab::new(seed, params);
    lab.until(DOWN);
    lab.net.crash(lab.config().controller());
    lab.until(UP);
    assert_eq!(herd_peak(&lab, DOWN + seconds(1)), 0, "nothing arrives at a controller that is down");
    lab.net.start(lab.config().controller());
    lab.until(END);
    lab.check();
    let tally = lab.tally();
    assert!(tally.agents().iter().all(|agent| agent.version == tally.newest()), "all are back");
    assert_eq!(tally.herd_peak_since_restart(), Some(herd_peak(&lab, UP)));
    herd_peak(&lab, UP)
}

/// The same from the second of an instant on.
fn herd_peak(lab: &Lab, from: Instant) -> u32 {
    let from = (from.as_nanos() / 1_000_000_000) as usize;
    lab.ledger().load().iter().skip(from).map(|second| second.herd).max().unwrap_or(0)
}

fn crowd() -> Params {
    // Few workers that work and read seldom: they are not what this is about.
    Params {
        agents: AGENTS,
        workers: 1,
        worker_interval: seconds(60),
        poll: seconds(30),
        client_on: false,
        ..Params::default()
    }
}

fn full_jitter_divides_the_peak_by_five(seed: u64) {
    let params = crowd();
    let in_step = Params { poll_jitter: 0.0, backoff_jitter: false, ..params.clone() };
    let (spread, together) = (peak_after_outage(seed, params), peak_after_outage(seed, in_step));
    assert!(5 * spread <= together, "{spread} with jitter, {together} without");
    assert!(together >= AGENTS * 9 / 10, "without jitter they come together: {together}");
}

#[test]
fn after_an_outage_full_jitter_spreads_the_herd() {
    for_seeds("after_an_outage", 0..5, full_jitter_divides_the_peak_by_five);
}

// Only worth their time when optimised, see script/test.
#[cfg(not(debug_assertions))]
mod heavy {
    use super::*;

    #[test]
    fn after_an_outage_full_jitter_spreads_the_herd() {
        for_seeds("--release heavy", 100..200, full_jitter_divides_the_peak_by_five);
    }
}
