//! Results of tasks: join handles, join sets whose members are aborted, one-shot values.

use super::support::{Notes, at, ms, play};
use glasshive_kernel::{Cancelled, JoinHandle, JoinSet, Scope, Sim, Sink, TaskId, oneshot};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[test]
fn a_handle_waits_for_its_task_and_takes_its_result() {
    let lines = play(|ctx, notes| {
        let task = ctx.clone();
        ctx.clone().spawn(async move {
            let worker = task.clone();
            let handle = task.spawn_joined(async move {
                worker.sleep(ms(7)).await;
                "result"
            });
            assert!(!handle.is_finished());
            notes.note(handle.await.unwrap());
            let worker = task.clone();
            let early = task.spawn_joined(async move { worker.now() });
            task.sleep(ms(3)).await;
            assert!(early.is_finished());
            assert_eq!(early.await, Ok(at(7)));
            notes.note("early");
        });
    });
    assert_eq!(lines, ["7 result", "10 early"]);
}

#[test]
fn a_handle_of_an_aborted_task_says_so_at_once_whoever_aborts() {
    let lines = play(|ctx, notes| {
        let nap = || {
            let task = ctx.clone();
            async move { task.sleep(ms(100)).await }
        };
        let by_handle = ctx.spawn_joined(nap());
        let by_id = ctx.spawn_joined(nap());
        let scoped: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
        let (task, put) = (ctx.clone(), Rc::clone(&scoped));
        ctx.spawn_in(Scope(5), async move {
            let inner = task.clone();
            *put.borrow_mut() = Some(task.spawn_joined(async move { inner.sleep(ms(100)).await }));
        });
        let own = ctx.clone();
        let by_itself = ctx.spawn_joined(async move {
            own.sleep(ms(3)).await;
            own.abort_scope(Scope::default());
            own.sleep(ms(100)).await;
        });
        let ids = (by_id.id(), by_handle.id());
        for (name, handle) in [("by id", by_id), ("by itself", by_itself)] {
            let notes = notes.clone();
            ctx.spawn_in(Scope(8), async move {
                assert_eq!(handle.await, Err(Cancelled));
                notes.note(name);
            });
        }
        let killer = ctx.clone();
        ctx.spawn_in(Scope(9), async move {
            killer.sleep(ms(1)).await;
            killer.abort(ids.0);
            by_handle.abort();
            assert!(killer.is_finished(ids.1) && by_handle.is_finished());
            assert_eq!(by_handle.await, Err(Cancelled));
            notes.note("by handle");
            killer.abort_scope(Scope(5));
            let handle = scoped.borrow_mut().take().unwrap();
            assert_eq!(handle.await, Err(Cancelled));
            notes.note("by scope");
        });
    });
    assert_eq!(lines, ["1 by handle", "1 by scope", "1 by id", "3 by itself"]);
}

#[test]
fn a_task_outlives_its_handle() {
    let lines = play(|ctx, notes| {
        let task = ctx.clone();
        drop(ctx.spawn_joined(async move {
            task.sleep(ms(4)).await;
            notes.note("done");
            notes.on_drop("dropped")
        }));
    });
    assert_eq!(lines, ["4 done", "4 dropped"], "a result that nobody wants is dropped");
}

#[test]
fn a_set_does_not_wait_for_members_that_were_aborted_from_outside() {
    let lines = play(|ctx, notes| {
        let task = ctx.clone();
        ctx.spawn(async move {
            let mut set = JoinSet::new(&task);
            let ids: Vec<TaskId> = [10, 20, 30]
                .map(|n| {
                    let ctx = task.clone();
                    set.spawn(async move {
                        ctx.sleep(ms(n)).await;
                        n
                    })
                })
                .into();
            let killer = task.clone();
            task.spawn(async move {
                killer.sleep(ms(15)).await;
                killer.abort(ids[2]);
                killer.abort(ids[0]);
                killer.sleep(ms(1)).await;
                killer.abort(ids[1]);
            });
            while let Some(n) = set.join_next().await {
                notes.note(n);
            }
            assert!(set.is_empty());
            notes.note("none");
            assert_eq!(set.join_next().await, None);
        });
    });
    assert_eq!(lines, ["10 10", "16 none"]);
}

#[test]
fn abort_all_drops_members_in_the_order_of_their_start_and_leaves_results() {
    let mut sim = Sim::new(1, Sink::None);
    let notes = Notes::new(&sim.ctx());
    let (ctx, seen) = (sim.ctx(), notes.clone());
    sim.ctx().spawn(async move {
        let mut set = JoinSet::new(&ctx);
        for (n, name) in [(5, "a"), (1, "b"), (5, "c"), (5, "d")] {
            let (ctx, on_drop) = (ctx.clone(), seen.on_drop(name));
            set.spawn(async move {
                ctx.sleep(ms(n)).await;
                drop(on_drop);
                n
            });
        }
        ctx.sleep(ms(2)).await;
        assert_eq!(set.len(), 4);
        set.abort_all();
        assert_eq!((set.len(), set.join_next().await), (1, Some(1)));
        assert_eq!((set.is_empty(), set.join_next().await), (true, None));
    });
    sim.run_until(at(10));
    assert_eq!(notes.lines(), ["1 b", "2 a", "2 c", "2 d"]);
}

#[test]
fn a_value_is_handed_over_once_or_comes_back() {
    let lines = play(|ctx, notes| {
        let (sender, receiver) = oneshot(ctx);
        let (late, gone) = oneshot(ctx);
        let (never, nothing) = oneshot::<u32>(ctx);
        drop(gone);
        assert!(late.is_closed() && !sender.is_closed() && !receiver.is_ready());
        assert_eq!(late.send(1), Err(1));
        let (task, waits) = (ctx.clone(), Rc::new(Cell::new(false)));
        ctx.spawn(async move {
            task.sleep(ms(2)).await;
            sender.send(2).unwrap();
            task.sleep(ms(2)).await;
            drop(never);
        });
        ctx.spawn(async move {
            waits.set(true);
            notes.note(receiver.await.unwrap());
            notes.note(nothing.await.unwrap_err());
        });
    });
    assert_eq!(lines, ["2 2", "4 cancelled: who was to give the value is gone"]);
}

#[test]
fn a_value_that_nobody_took_is_dropped_with_the_receiver() {
    let lines = play(|ctx, notes| {
        let (sender, receiver) = oneshot(ctx);
        assert!(sender.send(notes.on_drop("value")).is_ok());
        assert!(receiver.is_ready());
        let task = ctx.clone();
        ctx.spawn(async move {
            task.sleep(ms(3)).await;
            drop(receiver);
        });
    });
    assert_eq!(lines, ["3 value"]);
}
