//! The player, driven by frames of made-up budgets.

use super::*;
use crate::lab::fault::FaultKind;

const FAULTS: &str = "crash:w-04@8s..20s,lie:w-09@11s=0.18,drop:coordinator~w-02@3s=0.5";

fn player() -> Player {
    let scenario = Scenario { faults: Some(FAULTS.to_owned()), ..Scenario::preset("oracle-http", 7) };
    Player::new(&scenario, 100.0).unwrap()
}

fn arrive(player: &mut Player) {
    while player.state() == PlayerState::Replaying {
        player.frame(16.0, || true);
    }
}

/// Hash at 60 s when every frame may look at the clock `looks` times.
fn hash_at_60_with_budget(looks: u32) -> String {
    let mut player = player();
    while player.run().now() < Instant::from_millis(60_000) {
        let mut left = looks;
        player.frame(3.7, || {
            left = left.saturating_sub(1);
            left > 0
        });
    }
    player.seek(Instant::from_millis(60_000)).unwrap();
    arrive(&mut player);
    let mut exact = self::player();
    exact.seek(player.run().now()).unwrap();
    arrive(&mut exact);
    assert_eq!(player.run().trace_hash(), exact.run().trace_hash());
    player.pause();
    player.seek(Instant::from_millis(60_000)).unwrap();
    arrive(&mut player);
    assert_eq!(player.state(), PlayerState::Paused);
    player.run().trace_hash()
}

#[test]
fn the_frame_budget_makes_no_difference_to_the_run() {
    let hashes = [1, 2, 5, 1000].map(hash_at_60_with_budget);
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

#[test]
fn seeking_back_and_forth_comes_to_the_same_moment() {
    let mut player = player();
    player.pause();
    let mut at = |ms| {
        player.seek(Instant::from_millis(ms)).unwrap();
        arrive(&mut player);
        assert_eq!(player.run().now(), Instant::from_millis(ms));
        player.run().trace_hash()
    };
    let (first, back, again) = (at(60_000), at(20_000), at(60_000));
    assert_eq!(first, again);
    assert_ne!(first, back);
}

#[test]
fn a_step_makes_at_least_one_event_and_pauses() {
    let mut player = player();
    let before = player.run().events();
    assert!(player.step());
    assert!(player.run().events() > before);
    assert_eq!(player.state(), PlayerState::Paused);
    assert!(!player.frame(1000.0, || true), "a paused player does not move");
}

#[test]
fn a_run_pauses_at_its_horizon() {
    let scenario = Scenario { horizon: Some("3s".to_owned()), ..Scenario::preset("oracle-http", 1) };
    let mut player = Player::new(&scenario, 1000.0).unwrap();
    for _ in 0..10 {
        player.frame(100.0, || true);
    }
    assert_eq!((player.run().now(), player.state()), (Instant::from_millis(3000), PlayerState::Paused));
}

#[test]
fn a_speed_that_cannot_be_reached_is_told() {
    let mut player = player();
    player.set_speed(1000.0).unwrap();
    for _ in 0..60 {
        player.frame(16.0, || false);
    }
    assert!(player.reached() < 1000.0);
    assert!(player.set_speed(0.0).is_err());
}

#[test]
fn what_a_frame_could_not_play_the_next_one_does_and_no_more_of_it_than_is_owed() {
    let mut player = player();
    player.set_speed(100.0).unwrap();
    player.frame(10.0, || false);
    let behind = player.run().now();
    assert!(behind < Instant::from_millis(1_000), "{behind:?}");
    player.frame(10.0, || true);
    assert_eq!(player.run().now(), Instant::from_millis(2_000));
    (0..20).for_each(|_| assert!(player.frame(10.0, || false)));
    let behind = player.run().now();
    player.frame(10.0, || true);
    assert_eq!(player.run().now(), behind + Duration::from_millis(6_000));
    // It is owed at the speed of now.
    (0..20).for_each(|_| assert!(player.frame(10.0, || false)));
    let behind = player.run().now();
    player.set_speed(1.0).unwrap();
    player.frame(10.0, || true);
    assert_eq!(player.run().now(), behind + Duration::from_millis(60));
}

#[test]
fn a_fault_by_hand_takes_effect_at_the_next_millisecond() {
    let mut player = player();
    player.pause();
    let acted = player.fault("crash:w-01").unwrap();
    assert_eq!(acted.at, Instant::from_millis(1));
    assert_eq!(player.snapshot().nodes.iter().find(|n| n.name == "w-01").map(|n| n.up), Some(false));
    assert!(player.fault("crash:w-99").is_err());
}

#[test]
fn a_step_back_and_a_step_are_the_identity() {
    let mut player = player();
    player.seek(Instant::from_millis(9_000)).unwrap();
    arrive(&mut player);
    for _ in 0..20 {
        assert!(player.step());
        let (hash, now) = (player.run().trace_hash(), player.run().now());
        player.step_back().unwrap();
        arrive(&mut player);
        assert!(player.run().now() < now);
        assert!(player.step());
        assert_eq!((player.run().trace_hash(), player.run().now()), (hash, now));
    }
}

#[test]
fn the_next_request_is_the_next_one_that_a_client_wants() {
    let mut player = player();
    for expected_ms in [200, 2200, 4200] {
        player.next_request().unwrap();
        arrive(&mut player);
        assert_eq!(player.run().now(), Instant::from_millis(expected_ms));
    }
}

#[test]
fn a_parameter_starts_the_run_over_and_comes_back_to_this_moment() {
    let mut player = player();
    player.seek(Instant::from_millis(13_000)).unwrap();
    arrive(&mut player);
    player.set("strategy", "median".into()).unwrap();
    arrive(&mut player);
    assert_eq!(player.run().now(), Instant::from_millis(13_000));
    let strategy = |player: &mut Player| player.snapshot().setting("strategy").cloned();
    assert_eq!(strategy(&mut player), Some("median".into()));
    assert!(player.set("timeout", "5ms".into()).is_err());
    assert_eq!(strategy(&mut player), Some("median".into()), "nothing is lost");
}

#[test]
fn a_toggle_breaks_and_mends() {
    let mut player = player();
    player.pause();
    let view = |player: &mut Player| player.snapshot().node("w-02").cloned().unwrap();
    player.toggle(FaultKind::Slow, "w-02").unwrap();
    assert_eq!(view(&mut player).slow, 4.0);
    player.toggle(FaultKind::Slow, "w-02").unwrap();
    assert_eq!(view(&mut player).slow, 1.0);
    player.toggle(FaultKind::Crash, "w-02").unwrap();
    assert!(!view(&mut player).up);
    player.toggle(FaultKind::Crash, "w-02").unwrap();
    assert!(view(&mut player).up);
}

#[test]
fn acting_in_the_past_cuts_what_was_done_later() {
    let mut player = player();
    player.pause();
    let go = |player: &mut Player, ms| {
        player.seek(Instant::from_millis(ms)).unwrap();
        arrive(player);
    };
    go(&mut player, 9_000);
    player.fault("crash:w-01").unwrap();
    go(&mut player, 3_000);
    player.fault("crash:w-02").unwrap();
    go(&mut player, 12_000);
    let up = |player: &Player, name| player.run().net().is_up(player.run().net().find(name).unwrap());
    assert!(up(&player, "w-01") && !up(&player, "w-02"));
    let mut replay = Player::new(player.run().scenario(), 1.0).unwrap();
    go(&mut replay, 12_000);
    assert_eq!(replay.run().trace_hash(), player.run().trace_hash());
}

#[test]
fn a_run_whose_time_stands_still_pauses_and_one_can_go_back_from_there() {
    let mut scenario = Scenario::preset("math-wizard", 1);
    for (key, value) in [("latency", "0s"), ("think", "0s"), ("rate", "1")] {
        scenario.set.insert(key.to_owned(), value.into());
    }
    let mut player = Player::new(&scenario, 1000.0).unwrap();
    for _ in 0..2 {
        for _ in 0..100 {
            player.frame(16.0, || true);
        }
        let why = player.run().stopped();
        assert!(why.is_some_and(|why| why.contains("stands still at 1.2s")));
        assert_eq!(player.state(), PlayerState::Paused);
        player.play().unwrap();
    }
    player.pause();
    player.seek(Instant::from_millis(1_000)).unwrap();
    arrive(&mut player);
    assert_eq!((player.run().stopped(), player.run().now()), (None, Instant::from_millis(1_000)));
    player.seek(Instant::from_millis(2_000)).unwrap();
    arrive(&mut player);
    assert!(player.run().stopped().is_some());
}

#[test]
fn going_back_a_little_is_going_on_from_the_parked_run() {
    let mut player = player();
    player.set_speed(1000.0).unwrap();
    while player.run().now() < Instant::from_millis(60_000) {
        player.frame(16.0, || true);
    }
    player.pause();
    player.fault("crash:w-01").unwrap();
    for _ in 0..3 {
        player.frame(16.0, || true);
    }
    player.fault("crash:w-02@..290s").unwrap();
    let now = player.run().now();
    player.seek(now - Duration::from_millis(2)).unwrap();
    assert!(player.run().now() + PARKED + PARKED >= now, "from {:?} to {now:?}", player.run().now());
    arrive(&mut player);
    // What was done is to come again.
    player.seek(now).unwrap();
    arrive(&mut player);
    let mut anew = Player::new(player.run().scenario(), 1.0).unwrap();
    anew.seek(now).unwrap();
    arrive(&mut anew);
    assert_eq!(anew.run().trace_hash(), player.run().trace_hash());
    assert_eq!(anew.run().scenario().actions.len(), 2);
}

#[test]
fn the_parked_run_takes_no_time_that_the_run_needs() {
    let mut player = player();
    player.set_speed(1000.0).unwrap();
    for _ in 0..200 {
        player.frame(16.0, || false);
    }
    assert!(player.run().now() > Instant::from_millis(10_000));
    assert!(player.parked.is_none(), "its frames left it none");
}
