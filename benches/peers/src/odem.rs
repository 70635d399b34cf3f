//! The workloads on odem-rs, without its tracing. A tick is one unit of its integer model time.
//!
//! Processes are jobs in pools, its way of reusing their memory. In W2 the receiver sleeps until a message's arrival,
//! as with tokio. In W3 the answers go to the coordinator through a channel, one by one, as with all the others.

use crate::workloads::{Job as Task, LIMIT, Lcg, PROCESSES, Size, Tally, WORKERS, Workload, base};
use odem_rs::prelude::*;
use odem_rs::sync::channel::shared::{Receiver, Sender};
use std::collections::VecDeque;
use std::pin::pin;

#[derive(Config, Default)]
#[time(u64)]
struct Ticks;

type World = Sim<Ticks>;

/// Runs a workload and returns its checksum.
pub fn run(workload: Workload, size: Size) -> Option<u64> {
    let repeats = workload.repeats(size);
    let simulator = Simulator::new(Ticks);
    match workload {
        Workload::W1 => simulator.run(async |sim: &World| timers(sim, repeats).await).ok(),
        Workload::W2 => simulator.run(async |sim: &World| ping_pong(sim, repeats).await).ok(),
        Workload::W3 => simulator.run(async |sim: &World| oracle(sim, repeats).await).ok(),
        Workload::W1Traced => None,
    }
}

async fn timers(sim: &World, repeats: u64) -> u64 {
    let pool = pin!(Pool::with_capacity(PROCESSES as usize).with(Job::new));
    let mut processes = Vec::new();
    for i in 0..PROCESSES {
        processes.push(pool.activate(sim, napper(sim, i, repeats)));
    }
    let mut total = 0;
    for process in processes {
        total += process.await;
    }
    total
}

async fn napper(sim: &World, i: u32, repeats: u64) -> u64 {
    let mut random = Lcg::of(i);
    for _ in 0..repeats {
        sim.advance(random.nap()).await;
    }
    sim.now()
}

type Message = (u64, u64);

async fn ping_pong(sim: &World, repeats: u64) -> u64 {
    let firsts = pin!(Pool::with_capacity(PROCESSES as usize).with(Job::new));
    let seconds = pin!(Pool::with_capacity(PROCESSES as usize).with(Job::new));
    let mut processes = Vec::new();
    for j in 0..PROCESSES {
        let (to_a, at_a) = channel(VecDeque::new());
        let (to_b, at_b) = channel(VecDeque::new());
        processes.push(firsts.activate(sim, first(sim, j, repeats, to_b, at_a)));
        seconds.activate(sim, second(sim, j, repeats, to_a, at_b));
    }
    let mut total = 0;
    for process in processes {
        total += process.await;
    }
    total
}

async fn first(sim: &World, j: u32, repeats: u64, to_b: Sender<Message>, at_a: Receiver<Message>) -> u64 {
    let mut random = Lcg::of(2 * j);
    let mut p = u64::from(j);
    for _ in 0..repeats {
        to_b.try_send((sim.now() + random.hop(), p)).expect("B lives as long as A");
        let (arrival, answer) = at_a.recv().await.expect("B answers");
        sim.advance_to(arrival).await;
        p = answer;
    }
    p + sim.now()
}

async fn second(sim: &World, j: u32, repeats: u64, to_a: Sender<Message>, at_b: Receiver<Message>) {
    let mut random = Lcg::of(2 * j + 1);
    for _ in 0..repeats {
        let (arrival, p) = at_b.recv().await.expect("A sends");
        sim.advance_to(arrival).await;
        to_a.try_send((sim.now() + random.hop(), p + 1)).expect("A lives until its last answer");
    }
}

async fn oracle(sim: &World, repeats: u64) -> u64 {
    let mut workers: Vec<Lcg> = (0..WORKERS).map(Lcg::of).collect();
    let mut tally = Tally::default();
    let pool = pin!(Pool::with_capacity(WORKERS as usize).with(Job::new));
    let mut pucks = Vec::with_capacity(WORKERS as usize);
    for r in 0..repeats {
        let (answers, inbox) = channel(VecDeque::new());
        for worker in &mut workers {
            pucks.push(pool.activate(sim, work(sim, answers.clone(), worker.job(base(r)))));
        }
        let mut heard = 0;
        let collect = async {
            while heard < WORKERS {
                tally.add(inbox.recv().await.expect("the coordinator could send, too"));
                heard += 1;
            }
        };
        sim.fork(collect).or(sim.advance(LIMIT)).await;
        for puck in pucks.drain(..) {
            puck.abort();
        }
        tally.close(heard);
    }
    tally.checksum()
}

async fn work(sim: &World, answers: Sender<Option<u64>>, task: Task) {
    sim.advance(task.delay).await;
    answers.try_send(task.answer).expect("the coordinator receives until it aborts its workers");
}
