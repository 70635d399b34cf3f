//! A fault changes what it touches: every draw elsewhere stays what it was.

use super::support::{Case, for_seeds, records};
use glasshive::kernel::Instant;
use glasshive::systems::oracle::fact::TASK_RECEIVED;
use std::collections::BTreeMap;

/// When each task came to each worker over NATS, but to w-05.
fn arrivals(seed: u64, faults: &str) -> BTreeMap<(u64, String), Vec<Instant>> {
    let mut arrivals: BTreeMap<_, Vec<Instant>> = BTreeMap::new();
    Case::preset("oracle-nats", seed).faults(faults).seconds(60).check(|run| {
        for record in records(run, TASK_RECEIVED) {
            let worker = run.net().name(glasshive::net::NodeId(record.node)).to_string();
            if worker != "w-05" {
                arrivals.entry((record.tag, worker)).or_default().push(record.at);
            }
        }
    });
    arrivals
}

#[test]
fn a_crashed_worker_shifts_nothing_on_the_others_connections() {
    for_seeds("a_crashed_worker", 0..10, |seed| {
        let later = "crash:nats@20s..22s,crash:w-03@35s..37s";
        let quiet = arrivals(seed, later);
        assert!(quiet.len() > 200, "{}", quiet.len());
        assert_eq!(arrivals(seed, &format!("crash:w-05@8s..10s,{later}")), quiet);
    });
}
