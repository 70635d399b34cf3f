//! What is on the disks of a configuration system: the newest versions, and no more than is read.

use super::config::{Lab, json_of, seconds};
use glasshive::kernel::Instant;
use glasshive::systems::config::Params;

#[test]
fn the_controller_keeps_a_thousand_versions_and_an_agent_what_it_reads() {
    let params = Params { put_period: seconds(1), poll: seconds(60), workers: 1, ..Params::default() };
    let mut lab = Lab::new(4, params);
    lab.until(Instant::from_millis(1_100_500));
    let newest = lab.tally().newest();
    assert_eq!(newest, 1_101);
    let stored = |n: u64| lab.config().stored(n).map(|version| version.number);
    assert_eq!((stored(101), stored(102), stored(newest)), (None, Some(102), Some(newest)));
    lab.check();
    let history = json_of(&lab.call("GET", "localhost:8080/config/history", &[], ""));
    let numbers: Vec<u64> = history["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["version"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (newest - 99..=newest).rev().collect::<Vec<_>>());
    // After a restart both go on from what they have.
    for name in ["controller", "a-01"] {
        lab.net.crash(lab.node(name));
        lab.net.start(lab.node(name));
    }
    lab.until(Instant::from_millis(1_110_000));
    assert!(lab.tally().newest() >= newest + 8 && lab.tally().agents()[0].version > 0);
    lab.check();
}
