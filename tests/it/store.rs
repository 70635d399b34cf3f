//! The durable store: what is written, what a crash leaves of a write under way, and one transaction at a time.

use super::support::for_seeds;
use glasshive::kernel::{Ctx, Duration, Instant, Sim, Sink};
use glasshive::net::{Net, NodeId};
use glasshive::substrate::store::Store;
use std::cell::RefCell;
use std::rc::Rc;

const WRITE: Duration = Duration::from_millis(100);

type Done = Rc<RefCell<Vec<(u64, Instant)>>>;

/// Writes 1, 2, 3, … one after the other, each after the newest one there; notes what was acknowledged when.
async fn write_for_ever(ctx: Ctx, store: Store<u64>, done: Done) {
    loop {
        let next = |newest: Option<&u64>| Ok::<_, ()>(newest.copied().unwrap_or(0) + 1);
        let written = store.transact(WRITE, next).await.unwrap();
        done.borrow_mut().push((written, ctx.now()));
    }
}

/// A node that writes all the time, on a disk of its own.
fn writer(seed: u64) -> (Sim, Net, NodeId, Store<u64>, Done) {
    let sim = Sim::new(seed, Sink::None);
    let (ctx, net) = (sim.ctx(), Net::new(&sim.ctx(), false));
    let (store, done) = (Store::new(&ctx, "disk", usize::MAX), Done::default());
    let node = net.add_node("writer");
    let (disk, notes) = (store.clone(), Rc::clone(&done));
    net.set_role(node, move |_| Box::pin(write_for_ever(ctx.clone(), disk.clone(), Rc::clone(&notes))));
    net.start(node);
    (sim, net, node, store, done)
}

#[test]
fn a_write_takes_its_time_and_is_seen_when_it_is_done() {
    let (mut sim, net, _, store, done) = writer(1);
    sim.run_until(Instant::from_millis(99));
    assert!(store.is_empty() && done.borrow().is_empty());
    sim.run_until(Instant::from_millis(350));
    assert_eq!(
        (store.len(), store.newest(), store.get(2), store.get(4), store.get(0)),
        (3, Some(3), Some(2), None, None)
    );
    let at: Vec<f64> = done.borrow().iter().map(|(_, at)| at.as_millis_f64()).collect();
    assert_eq!(at, [100.0, 200.0, 300.0]);
    net.forget_roles();
}

#[test]
fn what_was_acknowledged_survives_a_crash_and_what_was_not_may() {
    let survived = RefCell::new([0; 2]);
    for_seeds("what_was_acknowledged", 0..200, |seed| {
        let (mut sim, net, node, store, done) = writer(seed);
        sim.run_until(Instant::from_millis(250));
        net.crash(node);
        let kept = store.len();
        assert_eq!(done.borrow().last().map(|&(version, _)| version), Some(2));
        assert!(kept == 2 || kept == 3, "{kept}");
        survived.borrow_mut()[kept as usize - 2] += 1;
        net.start(node);
        sim.run_until(Instant::from_millis(360));
        assert_eq!(store.len(), kept + 1, "the next process goes on from what is there");
        assert_eq!(
            (1..=kept + 1).map(|n| store.get(n).unwrap()).collect::<Vec<_>>(),
            (1..=kept + 1).collect::<Vec<_>>()
        );
        net.forget_roles();
    });
    // Half of the write was over: each happens in about half of the seeds.
    assert!(survived.borrow().iter().all(|&count| count > 60), "lost, kept: {survived:?}");
}

#[test]
fn only_the_newest_versions_are_kept_and_their_numbers_go_on() {
    let mut sim = Sim::new(1, Sink::None);
    let (ctx, store) = (sim.ctx(), Store::new(&sim.ctx(), "disk", 3));
    let (disk, here) = (store.clone(), ctx.clone());
    ctx.spawn(async move { write_for_ever(here, disk, Done::default()).await });
    for written in 0..6 {
        sim.run_until(Instant::from_millis(written * 100));
        let kept: Vec<u64> = (0..9).filter_map(|n| store.get(n)).collect();
        assert_eq!(kept, (1..=written).skip((written as usize).saturating_sub(3)).collect::<Vec<_>>());
        assert_eq!((store.len(), store.newest()), (written, (written > 0).then_some(written)));
    }
}

#[test]
fn transactions_come_one_after_the_other_and_each_sees_the_one_before() {
    let mut sim = Sim::new(3, Sink::None);
    let (ctx, store, done) = (sim.ctx(), Store::new(&sim.ctx(), "disk", usize::MAX), Done::default());
    for _ in 0..5 {
        let (ctx, store, done) = (ctx.clone(), store.clone(), Rc::clone(&done));
        sim.ctx().spawn(async move {
            let next = |newest: Option<&u64>| Ok::<_, ()>(newest.copied().unwrap_or(0) + 1);
            let written = store.transact(WRITE, next).await.unwrap();
            done.borrow_mut().push((written, ctx.now()));
        });
    }
    let refused = Rc::new(RefCell::new(None));
    let (here, answer) = (store.clone(), Rc::clone(&refused));
    ctx.spawn(async move {
        let refuse = |newest: Option<&u64>| Err(newest.copied());
        *answer.borrow_mut() = Some(here.transact(WRITE, refuse).await);
    });
    sim.run_until(Instant::from_millis(1000));
    let done: Vec<(u64, f64)> = done.borrow().iter().map(|(n, at)| (*n, at.as_millis_f64())).collect();
    assert_eq!(done, [(1, 100.0), (2, 200.0), (3, 300.0), (4, 400.0), (5, 500.0)]);
    assert_eq!(*refused.borrow(), Some(Err(Some(5))), "nothing is written for one that is refused");
    assert_eq!(store.len(), 5);
}

#[test]
fn each_write_of_a_run_has_a_fate_of_its_own() {
    let (mut sim, net, node, store, _) = writer(7);
    let mut survived = [0; 2];
    for round in 0..100 {
        let before = store.len();
        sim.run_until(Instant::from_millis(1_000 * round + 250));
        let done = store.len();
        assert!(done >= before);
        net.crash(node);
        survived[(store.len() - done) as usize] += 1;
        sim.run_until(Instant::from_millis(1_000 * (round + 1)));
        net.start(node);
    }
    // Half of each write was over.
    assert!(survived.iter().all(|&count| count > 25), "lost, kept: {survived:?}");
    net.forget_roles();
}

/// What the second write, from 100 ms on, leaves of itself when its node crashes at an instant.
fn left_at(seed: u64, crash_ms: u64) -> u64 {
    let (mut sim, net, node, store, _) = writer(seed);
    sim.run_until(Instant::from_millis(crash_ms));
    assert_eq!(store.len(), crash_ms / 100, "readers see what was there before until the writer knows");
    net.crash(node);
    let left = store.len();
    // Whoever opens it next finds the same, however often it dies before it writes.
    for wait in [0, 3] {
        net.start(node);
        sim.run_until(Instant::from_millis(crash_ms + wait));
        assert_eq!(store.len(), left);
    }
    net.forget_roles();
    left
}

#[test]
fn a_crash_before_the_commit_rolls_back_and_one_after_it_does_not() {
    let mut commits = Vec::new();
    for seed in 0..20 {
        let left: Vec<u64> = (101..200).map(|crash_ms| left_at(seed, crash_ms)).collect();
        // There is one moment from which on the version is there; it does not depend on when the crash comes.
        let rolled_back = left.iter().take_while(|&&left| left == 1).count();
        assert!(left[rolled_back..].iter().all(|&left| left == 2), "seed {seed}: {left:?}");
        commits.push(rolled_back);
    }
    assert!(commits.iter().any(|&ms| ms < 30) && commits.iter().any(|&ms| ms > 70), "{commits:?}");
}

#[test]
fn a_crash_takes_those_that_wait_for_their_turn_along_and_frees_the_lock() {
    let sim = Sim::new(5, Sink::None);
    let (ctx, net) = (sim.ctx(), Net::new(&sim.ctx(), false));
    let (store, done) = (Store::new(&ctx, "disk", usize::MAX), Done::default());
    let node = net.add_node("writer");
    let (disk, notes, here) = (store.clone(), Rc::clone(&done), ctx.clone());
    net.set_role(node, move |_| {
        let (ctx, disk, notes) = (here.clone(), disk.clone(), Rc::clone(&notes));
        Box::pin(async move {
            for _ in 0..3 {
                ctx.spawn(write_for_ever(ctx.clone(), disk.clone(), Rc::clone(&notes)));
            }
            futures::future::pending().await
        })
    });
    net.start(node);
    let mut sim = sim;
    sim.run_until(Instant::from_millis(150));
    net.crash(node);
    let left = store.len();
    assert!(left == 1 || left == 2, "one writes, two wait: {left}");
    sim.run_until(Instant::from_millis(900));
    assert_eq!(store.len(), left, "who waited has written nothing");
    net.start(node);
    sim.run_until(Instant::from_millis(1_000));
    assert_eq!(
        (store.len(), done.borrow().last().copied()),
        (left + 1, Some((left + 1, Instant::from_millis(1_000))))
    );
    net.forget_roles();
}

#[test]
fn a_write_that_takes_no_time_is_durable_at_once() {
    let mut sim = Sim::new(1, Sink::None);
    let store = Store::new(&sim.ctx(), "disk", 9);
    let disk = store.clone();
    sim.ctx().spawn(async move { assert!(disk.transact(Duration::ZERO, |_| Ok::<_, ()>(1)).await.is_ok()) });
    sim.run_until(Instant::ZERO);
    assert_eq!((store.len(), store.newest()), (1, Some(1)));
}
