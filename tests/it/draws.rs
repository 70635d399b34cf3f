//! A fault changes what it touches: every draw elsewhere stays what it was.

use super::nats::client::{HOP, Lab, ms};
use super::support::{Case, for_seeds, random_faults, records};
use glasshive::kernel::{Instant, Rng};
use glasshive::lab::{Options, Run};
use glasshive::net::LinkModel;
use glasshive::substrate::nats::NatsConfig;
use glasshive::substrate::stream::SEGMENT_SENT;
use glasshive::systems::oracle::fact::TASK_RECEIVED;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

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

#[test]
fn a_client_is_pinged_and_connects_again_at_its_own_times() {
    let times = |seed: u64, before: u32| {
        let (mut sim, lab) = Lab::new(seed, NatsConfig::default());
        let link = LinkModel::new(HOP, ms(3));
        for other in 0..before {
            let (node, lab2) = (lab.node(&format!("b-{other}"), link), lab.clone());
            lab.ctx.spawn_in(node.scope(), async move { drop(lab2.client(node).await) });
        }
        let (node, lab2) = (lab.node("a", link), lab.clone());
        lab.ctx.spawn_in(node.scope(), async move {
            lab2.ctx.sleep(ms(100)).await;
            let _client = lab2.client(node).await;
            lab2.ctx.sleep(ms(5_000)).await;
            lab2.net.crash(lab2.broker);
            lab2.ctx.sleep(ms(1_000)).await;
            lab2.net.start(lab2.broker);
            lab2.ctx.sleep(ms(10_000)).await;
        });
        lab.run(&mut sim, 20_000);
        lab.net.forget_roles();
        let trace = sim.trace();
        let between = |record: &&glasshive::kernel::Record| {
            record.kind == SEGMENT_SENT && [record.node, record.peer].contains(&node.0)
        };
        trace.records().filter(between).map(|record| record.at).collect::<Vec<_>>()
    };
    for_seeds("a_client_is_pinged", 0..10, |seed| {
        let alone = times(seed, 0);
        assert!(alone.len() > 8, "{alone:?}");
        assert_eq!(times(seed, 3), alone);
    });
}

#[test]
fn a_queue_group_chooses_the_same_whatever_else_is_published() {
    let heard = |seed: u64, noise: bool| {
        let (mut sim, lab) = Lab::new(seed, NatsConfig::default());
        let heard: Rc<RefCell<Vec<(usize, u8)>>> = Rc::default();
        for (index, subject) in ["t", "t", "t", "u", "u"].into_iter().enumerate() {
            let heard = Rc::clone(&heard);
            lab.spawn(&format!("w-{index}"), |lab, me| async move {
                lab.ctx.sleep(ms(10 * index as u64)).await;
                let mut sub = lab.client(me).await.queue_subscribe(subject, "g").unwrap();
                while let Some(message) = sub.next().await {
                    if subject == "t" {
                        heard.borrow_mut().push((index, message.payload.bytes()[0]));
                    }
                }
            });
        }
        for subject in if noise { ["t", "u"].as_slice() } else { &["t"] } {
            lab.spawn(&format!("p-{subject}"), |lab, me| async move {
                let client = lab.client(me).await;
                for n in 0..100 {
                    lab.ctx.sleep(ms(20)).await;
                    client.publish(subject, &[n]).unwrap();
                }
            });
        }
        lab.run(&mut sim, 5_000);
        lab.net.forget_roles();
        heard.take()
    };
    for_seeds("a_queue_group_chooses", 0..10, |seed| {
        let alone = heard(seed, false);
        assert_eq!(alone.len(), 100);
        assert_eq!(heard(seed, true), alone);
    });
}

/// Random faults of an oracle, some about so many workers.
fn faults(seed: u64) -> Vec<String> {
    let drawn = random_faults(seed, 12, 50);
    let named = ["crash:3?@7s..9s", "slow:4?@11s..15s=3", "slow:4?@12s..16s=3"];
    drawn.split(',').filter(|fault| !fault.is_empty()).chain(named).map(str::to_owned).collect()
}

fn shuffle<T>(list: &mut [T], rng: &mut Rng) {
    for last in (1..list.len()).rev() {
        list.swap(last, rng.below(last as u64 + 1) as usize);
    }
}

#[test]
fn a_fault_has_its_nodes_wherever_it_stands_in_the_list() {
    let nodes = |seed: u64, faults: &[String]| -> BTreeMap<String, Vec<u32>> {
        let run =
            Run::new(&Case::oracle(seed).faults(&faults.join(",")).scenario, Options::default()).unwrap();
        let of = |index| run.fault_nodes(index).iter().map(|node| node.0).collect();
        faults.iter().cloned().zip((0..).map(of)).collect()
    };
    for_seeds("a_fault_has_its_nodes", 0..200, |seed| {
        let list = faults(seed);
        let expected = nodes(seed, &list);
        let mut more: Vec<String> = list.into_iter().chain(faults(seed + 1_000)).collect();
        more.sort_unstable();
        more.dedup();
        shuffle(&mut more, &mut Rng::new(seed));
        let found = nodes(seed, &more);
        assert!(expected.iter().all(|(fault, nodes)| found[fault] == *nodes), "{more:?}");
    });
}

#[test]
fn a_run_is_the_same_in_whatever_order_its_faults_are_said() {
    let mark = |seed: u64, faults: &[String]| {
        let scenario = Case::oracle(seed).faults(&faults.join(",")).scenario;
        let mut run = Run::new(&scenario, Options::default()).unwrap();
        run.run_until(Instant::MAX);
        (run.trace_hash(), run.events())
    };
    for_seeds("a_run_is_the_same_in_whatever", 0..15, |seed| {
        let mut list = faults(seed);
        let expected = mark(seed, &list);
        shuffle(&mut list, &mut Rng::new(seed));
        assert_eq!(mark(seed, &list), expected, "{list:?}");
    });
}
