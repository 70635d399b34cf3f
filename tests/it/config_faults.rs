//! Crashes and partitions at random: what was acknowledged survives, no version goes back, and all converge in the end.

use super::config::Lab;
use super::config_staleness::random_params;
use super::support::for_seeds;
use glasshive::kernel::{Duration, Instant, Rng};
use glasshive::net::{Effect, NodeId, Rule, RuleId, Target};
use glasshive::systems::config::{AGENT_ROUND_TRIP_MAX, Params, WORKER_ROUND_TRIP_MAX};
use std::cell::Cell;
use std::collections::BTreeSet;

/// Faults begin before this and end no later.
const FAULTS_END_MS: u64 = 60_000;

/// One thing that happens to the system.
enum Act {
    Crash(NodeId),
    Stop(NodeId),
    Start(NodeId),
    Begin(usize, Rule),
    End(usize),
}

/// Faults on schedule: each ends.
fn random_faults(lab: &Lab, rng: &mut Rng) -> Vec<(u64, Act)> {
    let config = lab.config();
    let nodes = [&[config.controller(), config.client()], config.agents(), config.workers()].concat();
    let mut acts = Vec::new();
    for n in 0..2 + rng.below(10) as usize {
        let start = rng.below(FAULTS_END_MS - 1);
        let end = (start + 1 + rng.below(20_000)).min(FAULTS_END_MS);
        // The controller is in half of them.
        let node = if rng.chance(0.5) { nodes[0] } else { nodes[rng.below(nodes.len() as u64) as usize] };
        let agent = config.agents()[rng.below(config.agents().len() as u64) as usize];
        let target = match rng.below(3) {
            0 => Target::Node(node),
            1 => Target::Both(config.controller(), agent),
            _ => Target::OneWay(config.controller(), agent),
        };
        let effect = match rng.below(4) {
            0 => Effect::Drop(0.5),
            1 => Effect::Duplicate(0.5),
            _ => Effect::Cut,
        };
        match rng.below(5) {
            0 | 1 => acts.extend([(start, Act::Crash(node)), (end, Act::Start(node))]),
            2 => acts.extend([(start, Act::Stop(node)), (end, Act::Start(node))]),
            _ => acts.extend([(start, Act::Begin(n, Rule { target, effect })), (end, Act::End(n))]),
        }
    }
    acts.sort_by_key(|&(at, _)| at);
    acts
}

fn play(lab: &mut Lab, acts: Vec<(u64, Act)>) {
    let mut rules: Vec<(usize, RuleId)> = Vec::new();
    for (at, act) in acts {
        lab.until(Instant::from_millis(at));
        match act {
            Act::Crash(node) => lab.net.crash(node),
            Act::Stop(node) => lab.net.stop(node),
            Act::Start(node) => lab.net.start(node),
            Act::Begin(n, rule) => rules.push((n, lab.net.add_rule(rule))),
            Act::End(n) => {
                let lifted = rules.iter().find(|(other, _)| *other == n).unwrap().1;
                lab.net.remove_rule(lifted);
            }
        }
        lab.check();
    }
}

/// Back-off cap, poll interval, client timeout, worker interval and the round trips.
fn convergence_max(params: &Params) -> Duration {
    let trips = AGENT_ROUND_TRIP_MAX + WORKER_ROUND_TRIP_MAX;
    params.backoff_cap + params.poll_max() + params.client_timeout + params.worker_interval + trips
}

/// What was seen over all seeds, so that the tests can tell that they tested something.
#[derive(Default)]
struct Seen {
    acknowledged: Cell<u64>,
    never_acknowledged: Cell<u64>,
    failed_polls: Cell<u64>,
    conflicts_and_silence: Cell<u64>,
}

fn add(cell: &Cell<u64>, count: u64) {
    cell.set(cell.get() + count);
}

/// The operator's last change comes before the faults end, so that the newest version at that time is the last.
fn survives_and_converges(seed: u64, seen: &Seen) {
    let mut rng = Rng::new(seed ^ 0xc0_4f16);
    let mut params = random_params(&mut rng);
    params.put_period = Duration::from_millis(1_000 + rng.below(10_000));
    // Long writes, so that some of the crashes come into one.
    params.store_latency = Duration::from_millis(5 + rng.below(100));
    params.client_timeout = Duration::from_millis(500 + rng.below(2_000));
    let most = convergence_max(&params) + params.store_latency;
    let mut lab = Lab::new(seed, params);
    let acts = random_faults(&lab, &mut rng);
    play(&mut lab, acts);
    // The operator goes home.
    lab.until(Instant::from_millis(FAULTS_END_MS));
    lab.net.crash(lab.config().client());
    lab.until(Instant::from_millis(FAULTS_END_MS) + most);
    lab.check();
    let (tally, ledger) = (lab.tally(), lab.ledger());
    let newest = tally.newest();
    for (i, worker) in tally.workers().iter().enumerate() {
        assert_eq!(worker.version, newest, "w-{:02}, {most} after the last fault", i + 1);
    }
    // However often the operator had to try, and however often a message arrived.
    let notes: BTreeSet<&str> = ledger.versions().iter().map(|entry| entry.settings.note.as_str()).collect();
    assert_eq!(notes.len(), ledger.versions().len(), "every change was made once");
    let acknowledged =
        ledger.versions().iter().filter(|entry| entry.acknowledged_at.is_some()).count() as u64;
    add(&seen.acknowledged, acknowledged);
    add(&seen.never_acknowledged, ledger.versions().len() as u64 - acknowledged);
    add(&seen.failed_polls, tally.polls.failed);
    add(&seen.conflicts_and_silence, tally.tries.conflicts + tally.tries.unanswered);
}

#[test]
fn versions_survive_never_go_back_and_arrive_everywhere() {
    let seen = Seen::default();
    for_seeds("versions_survive", 0..100, |seed| survives_and_converges(seed, &seen));
    assert!(seen.acknowledged.get() > 500, "{}", seen.acknowledged.get());
    assert!(seen.failed_polls.get() > 500, "{}", seen.failed_polls.get());
    assert!(seen.conflicts_and_silence.get() > 5, "{}", seen.conflicts_and_silence.get());
}

#[test]
fn a_run_is_the_same_whole_or_in_pieces_and_another_seed_gives_another() {
    let play = |seed: u64, piece: u64| {
        let params = Params { put_period: Duration::from_secs(3), ..Params::default() };
        let mut lab = Lab::new(seed, params);
        let acts = random_faults(&lab, &mut Rng::new(11));
        play(&mut lab, acts);
        let mut at = FAULTS_END_MS;
        while at < 90_000 {
            at = (at + piece).min(90_000);
            lab.until(Instant::from_millis(at));
        }
        lab.sim.trace().hash()
    };
    assert_eq!(play(5, 30_000), play(5, 7));
    assert_ne!(play(5, 30_000), play(6, 30_000));
}

// Thousands of seeds: only worth their time when optimised, see script/test.
#[cfg(not(debug_assertions))]
mod heavy {
    use super::*;

    #[test]
    fn versions_survive_never_go_back_and_arrive_everywhere() {
        let seen = Seen::default();
        for_seeds("--release heavy", 1_000..2_000, |seed| survives_and_converges(seed, &seen));
        assert!(seen.never_acknowledged.get() > 5, "crashes came into writes that reached the disk");
    }
}
