//! The kernel's cancellation: aborting a task, a set, a scope, and oneself.

use super::support::{Notes, at, for_seeds, ms, play};
use glasshive_kernel::{Instant, JoinSet, Rng, Scope, Sim, Sink, TaskId};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[test]
fn dropping_a_join_set_drops_what_still_runs() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let mut set = JoinSet::new(&ctx2);
            for (delay, name) in [(10, "short"), (1_000, "long"), (2_000, "longer")] {
                let (ctx3, notes) = (ctx2.clone(), notes.clone());
                set.spawn(async move {
                    let _guard = notes.on_drop(name);
                    ctx3.sleep(ms(delay)).await;
                });
            }
            set.join_next().await;
            ctx2.sleep(ms(5)).await;
            drop(set);
            notes.note("gone");
        });
    });
    assert_eq!(lines, ["10 short", "15 long", "15 longer", "15 gone"]);
}

#[test]
fn an_aborted_task_is_dropped_at_once_and_a_second_abort_does_nothing() {
    let lines = play(|ctx, notes| {
        let (ctx2, n) = (ctx.clone(), notes.clone());
        let task = ctx.spawn(async move {
            let _guard = n.on_drop("dropped");
            ctx2.sleep(ms(100)).await;
            n.note("never");
        });
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            ctx2.sleep(ms(10)).await;
            assert!(!ctx2.is_finished(task));
            ctx2.abort(task);
            notes.note("aborted");
            assert!(ctx2.is_finished(task));
            ctx2.abort(task);
            // The slot is used again; the old name must not reach the new task.
            let n = notes.clone();
            let next = ctx2.spawn(async move { n.note("next") });
            ctx2.abort(task);
            ctx2.sleep(ms(1)).await;
            assert!(ctx2.is_finished(next));
            ctx2.abort(next);
        });
    });
    assert_eq!(lines, ["10 dropped", "10 aborted", "10 next"]);
}

#[test]
fn a_task_that_was_never_polled_can_be_aborted() {
    let lines = play(|ctx, notes| {
        let guard = notes.on_drop("dropped");
        let task = ctx.spawn(async move {
            let _guard = guard;
            panic!("it was polled");
        });
        ctx.abort(task);
        notes.note("aborted");
    });
    assert_eq!(lines, ["0 dropped", "0 aborted"]);
}

#[test]
fn a_task_that_aborts_itself_goes_on_to_its_next_wait() {
    let lines = play(|ctx, notes| {
        let me = Rc::new(Cell::new(None::<TaskId>));
        let (ctx2, me2) = (ctx.clone(), Rc::clone(&me));
        me.set(Some(ctx.spawn(async move {
            let _guard = notes.on_drop("dropped");
            ctx2.sleep(ms(10)).await;
            ctx2.abort(me2.get().unwrap());
            ctx2.abort(me2.get().unwrap());
            notes.note("still here");
            ctx2.sleep(ms(10)).await;
            notes.note("never");
        })));
    });
    assert_eq!(lines, ["10 still here", "10 dropped"]);
}

#[test]
fn aborting_a_scope_drops_all_that_was_spawned_in_it_and_nothing_else() {
    let mut sim = Sim::new(1, Sink::None);
    let (ctx, notes) = (sim.ctx(), Notes::new(&sim.ctx()));
    let ids: Rc<RefCell<Vec<TaskId>>> = Rc::default();
    for (scope, name) in [(1, "one"), (2, "two"), (1, "three")] {
        let (ctx2, notes, ids2) = (ctx.clone(), notes.clone(), Rc::clone(&ids));
        let task = ctx.spawn_in(Scope(scope), async move {
            let _guard = notes.on_drop(name);
            // A grandchild, whose scope is inherited.
            let (ctx3, notes) = (ctx2.clone(), notes.clone());
            let child = ctx2.spawn(async move {
                let _guard = notes.on_drop("child");
                ctx3.sleep(ms(1_000)).await;
            });
            ids2.borrow_mut().push(child);
            ctx2.sleep(ms(1_000)).await;
        });
        ids.borrow_mut().push(task);
    }
    sim.run_until(at(10));
    ctx.abort_scope(Scope(1));
    let mut lines = notes.lines();
    lines.sort_unstable();
    assert_eq!(lines, ["10 child", "10 child", "10 one", "10 three"]);
    assert_eq!(ids.borrow().iter().filter(|&&id| ctx.is_finished(id)).count(), 4);
    ctx.abort_scope(Scope(1));
    sim.run_until(at(2_000));
    assert_eq!(&notes.lines()[4..], ["1000 two", "1000 child"], "the other scope goes on to its end");
    assert!(!sim.run_instant(Instant::MAX), "a timer of the dropped scope was left");
}

#[test]
fn a_task_may_abort_its_own_scope() {
    let lines = play(|ctx, notes| {
        for name in ["a", "b"] {
            let (ctx2, notes) = (ctx.clone(), notes.clone());
            ctx.spawn_in(Scope(3), async move {
                let _guard = notes.on_drop(name);
                ctx2.sleep(ms(10)).await;
                ctx2.abort_scope(Scope(3));
                notes.note("done");
                ctx2.sleep(ms(10)).await;
                notes.note("never");
            });
        }
    });
    assert_eq!(lines, ["10 b", "10 done", "10 a"]);
}

#[test]
fn destructors_may_spawn_abort_and_wake_while_a_scope_dies() {
    struct Last(Box<dyn Fn()>);
    impl Drop for Last {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let lines = play(|ctx, notes| {
        let (sender, mut receiver) = glasshive_kernel::channel(ctx, 4);
        let victim = Rc::new(Cell::new(None::<TaskId>));
        let last = {
            let (ctx2, notes, victim) = (ctx.clone(), notes.clone(), Rc::clone(&victim));
            Last(Box::new(move || {
                sender.send("from the grave").unwrap();
                ctx2.abort(victim.get().unwrap());
                let notes = notes.clone();
                ctx2.spawn(async move { notes.note("spawned while dying") });
            }))
        };
        let ctx2 = ctx.clone();
        ctx.spawn_in(Scope(5), async move {
            let _last = last;
            ctx2.sleep(ms(1_000)).await;
        });
        let (ctx2, n) = (ctx.clone(), notes.clone());
        victim.set(Some(ctx.spawn_in(Scope(5), async move {
            let _guard = n.on_drop("victim");
            ctx2.sleep(ms(1_000)).await;
        })));
        let n = notes.clone();
        ctx.spawn(async move {
            while let Some(message) = receiver.recv().await {
                n.note(message);
            }
        });
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            ctx2.sleep(ms(10)).await;
            ctx2.abort_scope(Scope(5));
            notes.note("scope gone");
        });
    });
    assert_eq!(lines, ["10 victim", "10 scope gone", "10 from the grave", "10 spawned while dying"]);
}

/// A random program whose scopes have the numbers that `number` gives: who was dropped, in order.
fn drops_of(seed: u64, number: impl Fn(u64) -> Scope) -> Vec<String> {
    let mut sim = Sim::new(seed, Sink::None);
    let (ctx, notes, mut rng) = (sim.ctx(), Notes::new(&sim.ctx()), Rng::new(seed));
    // Of each task its id, its scope, and the millisecond at which it ends.
    let mut tasks: Vec<(TaskId, u64, u64)> = Vec::new();
    for now in 0..200 {
        sim.run_until(at(now));
        for _ in 0..rng.below(6) {
            let (scope, end) = (rng.below(4), now + 1 + rng.below(60));
            let (on_drop, task) = (notes.on_drop_of(tasks.len()), ctx.clone());
            let id = ctx.spawn_in(number(scope), async move {
                let _on_drop = on_drop;
                task.sleep_until(at(end)).await;
            });
            tasks.push((id, scope, end));
        }
        if rng.chance(0.3) && !tasks.is_empty() {
            ctx.abort(tasks[rng.below(tasks.len() as u64) as usize].0);
        }
        if rng.chance(0.1) {
            let scope = rng.below(4);
            let alive = |scope_alike: bool| {
                let ids = tasks.iter().filter(|task| (task.1 == scope) == scope_alike);
                ids.filter(|task| !ctx.is_finished(task.0)).count()
            };
            let others = alive(false);
            ctx.abort_scope(number(scope));
            assert_eq!((alive(true), alive(false)), (0, others), "seed {seed}");
        }
    }
    notes.lines()
}

#[test]
fn a_scope_with_a_list_of_its_tasks_dies_as_one_without() {
    for_seeds(0..40, |seed| {
        let listed = drops_of(seed, |scope| Scope(1 + scope as u32));
        let looked_for = drops_of(seed, |scope| Scope(u32::MAX - scope as u32));
        assert!(listed.len() > 200 && listed == looked_for);
        let at_the_edge = drops_of(seed, |scope| Scope([0, 1, 65_535, 65_536][scope as usize]));
        assert_eq!(at_the_edge, listed);
    });
}
