//! Tests that run in a browser (headless Chromium): the same results on wasm32 as natively.
#![cfg(target_arch = "wasm32")]

#[path = "it/draw_bits.rs"]
mod draw_bits;
#[path = "it/session_random.rs"]
mod session_random;

use glasshive::app::{Player, PlayerState};
use glasshive::kernel::{Instant, Sink};
use glasshive::lab::{Options, Run, Scenario};
use serde::Deserialize;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Written by the native tests, see `tests/it/golden.rs`.
const GOLDEN: &str = include_str!("data/golden_hashes.json");

#[derive(Deserialize)]
struct Golden {
    scenario: Scenario,
    events: u64,
    trace_hash: String,
}

impl Golden {
    fn all() -> Vec<Golden> {
        let all: Vec<Golden> = serde_json::from_str(GOLDEN).expect("the golden file");
        assert!(all.len() >= 50, "{} scenarios, of every system", all.len());
        all
    }

    /// A run of its scenario as the page keeps one: with a ring of records, and watched.
    fn start(&self) -> Run {
        let options = Options { sink: Sink::Ring(1_000), keep: 100, observed: true, ..Options::default() };
        Run::new(&self.scenario, options).expect("a scenario that was checked before")
    }

    fn check(&self, run: &Run, how: &str) {
        let Scenario { preset, seed, faults, .. } = &self.scenario;
        assert_eq!(
            (run.events(), run.trace_hash()),
            (self.events, self.trace_hash.clone()),
            "{how}: --preset {preset} --seed {seed} --for 60s --faults {faults:?} differs from its native run"
        );
    }
}

/// The rows of experiments, written by the native tests, see `tests/it/experiments.rs`.
#[wasm_bindgen_test]
fn the_golden_rows_hold_in_the_browser() {
    use glasshive::lab::experiment::{Next, Plan, Sweep, Work, play, rows};
    let plans = include_str!("data/experiment_plans.json");
    let plans: Vec<serde_json::Value> = serde_json::from_str(plans).expect("plans");
    let mut text = String::new();
    for plan in plans {
        let plan =
            Plan::from_json(&plan.to_string()).expect("a plan").check().expect("a plan that can be played");
        let mut sweep = Sweep::new(plan);
        text += &rows::head(sweep.plan(), rows::Format::Csv, None);
        sweep.add(0..sweep.plan().points);
        let metrics = sweep.plan().metrics.clone();
        while let Next::Task(task) = sweep.next() {
            let outcome = play(&task.scenario, task.window, &metrics).expect("a run");
            sweep.take(&task, outcome).expect("its place");
        }
        while let Some(row) = sweep.pop() {
            text += &rows::line(sweep.plan(), &row, rows::Format::Csv);
        }
    }
    assert!(text == include_str!("data/experiment_rows.csv"), "{text}");
}

#[wasm_bindgen_test]
fn the_browser_gives_a_window() {
    assert!(web_sys::window().is_some());
}

#[wasm_bindgen_test]
fn draws_of_the_laws_of_delays_have_the_bits_of_a_native_run() {
    draw_bits::check();
}

#[wasm_bindgen_test]
fn the_golden_hashes_hold_in_the_browser() {
    for golden in Golden::all() {
        let mut run = golden.start();
        run.run_until(Instant::MAX);
        golden.check(&run, "in one go");
    }
}

#[wasm_bindgen_test]
fn a_log_of_commands_done_anew_comes_to_the_same_moment_in_the_browser() {
    (1..=4).for_each(session_random::check);
}

#[wasm_bindgen_test]
fn the_golden_hashes_hold_after_seeking_60_20_60() {
    for golden in Golden::all() {
        let mut run = golden.start();
        run.run_until(Instant::MAX);
        // Back is a replay from the start.
        let mut run = Run::new(run.scenario(), Options::default()).expect("its own scenario");
        run.run_until(Instant::from_millis(20_000));
        assert_ne!(run.trace_hash(), golden.trace_hash);
        // Forward in the pieces that frames make, and one step.
        let mut frame = 0;
        while run.now() < run.horizon() {
            frame += 1;
            run.run_until(Instant::from_nanos(run.now().as_nanos() + frame * 7_654_321));
            run.step();
        }
        golden.check(&run, "after seeking");
    }
}

#[wasm_bindgen_test]
fn the_golden_hashes_hold_at_any_frame_budget() {
    for (golden, looks) in Golden::all().into_iter().zip([1, 2, 7, 100].into_iter().cycle()) {
        let mut player = Player::new(&golden.scenario, 300.0).expect("a scenario that was checked before");
        let horizon = player.run().horizon();
        while player.run().now() < horizon {
            // A frame may look at the clock so many times before its budget is used up.
            let mut left = looks;
            player.frame(16.7, || {
                left -= 1;
                left > 0
            });
        }
        golden.check(player.run(), &format!("in frames of {looks} looks"));
        // And after the player's own seeking.
        for ms in [20_000, 60_000] {
            player.seek(Instant::from_millis(ms)).expect("an instant before the horizon");
            while player.state() == PlayerState::Replaying {
                player.frame(16.7, || false);
            }
        }
        golden.check(player.run(), "after the player's seeking");
    }
}
