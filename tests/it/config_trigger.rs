//! The trigger over Pub/Sub: what it brings, and what it costs to lose one.

use super::config::{Lab, seconds};
use super::config_staleness::{random_params, staleness_max};
use super::support::for_seeds;
use glasshive::kernel::{Duration, Instant, Rng};
use glasshive::net::{Effect, Rule, Target};
use glasshive::systems::config::{
    AGENT_APPLIED, AGENT_ROUND_TRIP_MAX, Params, TRIGGER_RECEIVED, TRIGGER_SENT,
};
use std::cell::Cell;

fn with_trigger(params: Params) -> Params {
    Params { trigger: true, ..params }
}

/// Whoever hears a trigger has its version two round trips later; nobody is staler than by polling alone.
fn has_the_version_two_round_trips_after_its_trigger(seed: u64, triggers: &Cell<u64>) {
    let params = with_trigger(random_params(&mut Rng::new(seed ^ 0x7419)));
    let allowed = staleness_max(&params);
    let mut lab = Lab::traced(seed, params);
    let end = Instant::from_millis(60_000);
    lab.until(end + seconds(1));
    for trigger in lab.records(TRIGGER_RECEIVED).iter().filter(|trigger| trigger.at < end) {
        let limit = trigger.at + AGENT_ROUND_TRIP_MAX + AGENT_ROUND_TRIP_MAX;
        let has_it = lab
            .records(AGENT_APPLIED)
            .iter()
            .any(|r| r.node == trigger.node && r.value >= trigger.value && r.at <= limit);
        assert!(has_it, "node {} heard of version {} at {:?}", trigger.node, trigger.value, trigger.at);
        triggers.set(triggers.get() + 1);
    }
    for entry in lab.ledger().versions() {
        let from = entry.acknowledged_at.unwrap();
        assert!(entry.workers.iter().all(|at| at.unwrap_or(end).since(from) <= allowed));
    }
    lab.check();
}

#[test]
fn an_agent_that_hears_a_trigger_has_the_version_two_round_trips_later() {
    let triggers = Cell::new(0);
    for_seeds("an_agent_that_hears", 0..40, |seed| {
        has_the_version_two_round_trips_after_its_trigger(seed, &triggers)
    });
    assert!(triggers.get() > 500, "{} triggers", triggers.get());
}

fn slow_polls() -> Params {
    with_trigger(Params { poll: seconds(20), ..Params::default() })
}

/// When each agent had version 2, after its acknowledgement.
fn delays(lab: &Lab) -> Vec<Duration> {
    let ledger = lab.ledger();
    let entry = &ledger.versions()[1];
    let from = entry.acknowledged_at.unwrap();
    entry.agents.iter().map(|at| at.unwrap().since(from)).collect()
}

#[test]
fn with_triggers_a_version_is_everywhere_long_before_the_next_poll() {
    let mut lab = Lab::traced(1, slow_polls());
    lab.until(Instant::from_millis(61_000));
    assert_eq!(lab.records(TRIGGER_SENT).len(), 2);
    assert_eq!(lab.records(TRIGGER_RECEIVED).len(), 6);
    assert!(delays(&lab).iter().all(|delay| *delay < Duration::from_millis(300)), "{:?}", delays(&lab));
    let polling = Params { trigger: false, ..slow_polls() };
    let mut lab = Lab::traced(1, polling);
    lab.until(Instant::from_millis(60_000));
    assert!(lab.records(TRIGGER_SENT).is_empty());
    assert!(delays(&lab).iter().all(|delay| *delay > seconds(5)), "{:?}", delays(&lab));
}

#[test]
fn a_lost_trigger_costs_at_most_one_poll_interval() {
    for_seeds("a_lost_trigger", 0..20, |seed| {
        let mut lab = Lab::traced(seed, slow_polls());
        let (valkey, a03) = (lab.node("valkey"), lab.node("a-03"));
        lab.until(Instant::from_millis(29_000));
        lab.net.add_rule(Rule { target: Target::Both(valkey, a03), effect: Effect::Cut });
        lab.until(Instant::from_millis(60_000));
        let delays = delays(&lab);
        assert!(delays[..2].iter().all(|delay| *delay < Duration::from_millis(300)), "{delays:?}");
        let most = lab.config().params().poll_max() + AGENT_ROUND_TRIP_MAX;
        assert!(delays[2] > seconds(5) && delays[2] <= most, "{delays:?}");
    });
}

#[test]
fn agents_subscribe_again_after_the_store_was_down() {
    let mut lab = Lab::traced(5, slow_polls());
    lab.until(Instant::from_millis(29_000));
    let valkey = lab.node("valkey");
    lab.net.crash(valkey);
    // The version of 30 s is announced to nobody; agents poll for it.
    lab.until(Instant::from_millis(55_000));
    assert!(lab.records(TRIGGER_RECEIVED).is_empty());
    assert!(lab.tally().agents().iter().all(|agent| agent.version == 2));
    lab.net.start(valkey);
    lab.until(Instant::from_millis(61_000));
    assert_eq!(lab.records(TRIGGER_RECEIVED).len(), 3, "the one of 60 s");
    assert!(lab.tally().agents().iter().all(|agent| agent.version == 3));
    lab.check();
}

// Thousands of seeds: only worth their time when optimised, see script/test.
#[cfg(not(debug_assertions))]
mod heavy {
    use super::*;

    #[test]
    fn an_agent_that_hears_a_trigger_has_the_version_two_round_trips_later() {
        let triggers = Cell::new(0);
        for_seeds("--release heavy", 1_000..2_000, |seed| {
            has_the_version_two_round_trips_after_its_trigger(seed, &triggers)
        });
    }
}
