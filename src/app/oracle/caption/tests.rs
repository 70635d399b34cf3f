//! What captions say at moments of the shipped scenarios.

use super::*;
use crate::app::{Player, PlayerState};
use crate::kernel::Instant;
use crate::lab::Scenario;

fn caption_at(ms: u64, set: &[(&str, &str)]) -> Caption {
    let mut scenario = Scenario::preset("oracle-http", 31);
    scenario.set = set.iter().map(|&(key, value)| (key.to_owned(), value.into())).collect();
    let mut player = Player::new(&scenario, 1.0).unwrap();
    player.seek(Instant::from_millis(ms)).unwrap();
    while player.state() == PlayerState::Replaying {
        player.frame(16.0, || true);
    }
    caption(Now::of(&player.snapshot()).unwrap())
}

#[test]
fn the_opening_story_is_told_in_order() {
    assert!(caption_at(10, &[]).headline.contains("12 workers race to the gate"));
    assert!(caption_at(8_600, &[]).headline.contains("w-04 crashed at 8 s"));
    assert!(caption_at(12_000, &[]).headline.contains("w-09 lies by +18 %"));
    let lie = caption_at(13_900, &[]);
    assert_eq!(lie.headline, "w-09 lies by +18 %.");
    assert!(lie.detail.starts_with("The average is off by +") && lie.detail.contains("median"), "{lie:?}");
    assert_eq!(lie.question, "What if three more lie?");
}

#[test]
fn every_moment_has_a_headline_and_a_question() {
    for ms in (0..40_000).step_by(731) {
        for set in
            [&[][..], &[("fail", "1")], &[("register", "off")], &[("lie", "0.5")], &[("strategy", "median")]]
        {
            let caption = caption_at(ms, set);
            assert!(
                caption.headline.ends_with('.') && caption.question.ends_with('?'),
                "{ms} {set:?} {caption:?}"
            );
        }
    }
}

fn caption_of(preset: &str, ms: u64) -> Caption {
    let mut player = Player::new(&Scenario::preset(preset, 31), 1.0).unwrap();
    player.seek(Instant::from_millis(ms)).unwrap();
    while player.state() == PlayerState::Replaying {
        player.frame(16.0, || true);
    }
    caption(Now::of(&player.snapshot()).unwrap())
}

#[test]
fn every_shipped_scenario_says_what_happens_in_it() {
    for (preset, ms, expected) in [
        ("heartbeat-trap", 21_000, "all workers were dropped from the registry"),
        ("oracle-nats", 9_100, "The broker went down at 9 s."),
        ("oracle-nats", 10_900, "12 tasks or answers were lost with the broker."),
        ("oracle-nats", 11_900, "nats: no servers available for connection"),
        ("oracle-jetstream", 14_500, "JetStream delivered"),
        ("broker-restart", 4_100, "The broker restarts at 4 s."),
        ("queue-group-trap", 2_900, "to one of 12 workers"),
        ("rate-limit-burst", 2_900, "20 of 30 requests got 429: too many at once."),
        ("colluding-third", 2_900, "answers are lies."),
        ("stale-report", 2_900, "answers are lies."),
    ] {
        let caption = caption_of(preset, ms);
        assert!(caption.text().contains(expected), "{preset} at {ms}: {caption:?}");
    }
}

#[test]
fn percentages_have_a_sign_and_two_digits() {
    assert_eq!(percent(0.18), "+18 %");
    assert_eq!(percent(-0.00934), "−0.93 %");
}
