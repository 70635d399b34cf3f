//! Timers, time-outs, channels, join sets, instants, causes.

use super::support::{Notes, STEP, at, ms, play};
use glasshive_kernel::{
    Ctx, Elapsed, Instant, JoinSet, Kind, Record, Scope, SendError, Sim, Sink, Span, channel,
};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

// --- timers and time-outs -----------------------------------------------------------------------------------------

#[test]
fn timers_fire_by_deadline_and_ties_in_the_order_of_their_making() {
    // The long ones start far above the wheel's finest level and have to come down it in order.
    let lines = play(|ctx, notes| {
        for (name, delay) in
            [("a", 30), ("b", 10), ("c", 30), ("d", 0), ("e", 600_000), ("f", 10), ("g", 600_000), ("h", 30)]
        {
            let (ctx, notes) = (ctx.clone(), notes.clone());
            ctx.clone().spawn(async move {
                ctx.sleep(ms(delay)).await;
                notes.note(name);
            });
        }
    });
    assert_eq!(lines, ["0 d", "10 b", "10 f", "30 a", "30 c", "30 h", "600000 e", "600000 g"]);
}

#[test]
fn a_run_may_end_with_the_instant_in_which_it_has_so_many_records() {
    let mut sim = Sim::new(1, Sink::None);
    for _ in 0..2 {
        let ctx = sim.ctx();
        sim.ctx().spawn(async move {
            loop {
                ctx.sleep(ms(1)).await;
                ctx.record(Kind::new("tick"), 0, 0);
            }
        });
    }
    sim.run_until_records(at(100), 5);
    assert_eq!((sim.now(), sim.trace().count()), (at(3), 6), "the rest of the instant belongs to it");
    sim.run_until_records(at(100), 6);
    assert_eq!((sim.now(), sim.trace().count()), (at(3), 6), "it has so many");
    sim.run_until_records(at(100), 1_000);
    assert_eq!((sim.now(), sim.trace().count()), (at(100), 200));
}

#[test]
fn a_sleep_until_the_past_does_not_wait() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            ctx2.sleep(ms(5)).await;
            ctx2.sleep_until(at(2)).await;
            notes.note("on");
        });
    });
    assert_eq!(lines, ["5 on"]);
}

#[test]
fn a_dropped_sleep_leaves_no_timer_behind() {
    let mut sim = Sim::new(1, Sink::None);
    let ctx = sim.ctx();
    sim.ctx().spawn(async move {
        let elapsed = ctx.timeout(ms(10), ctx.sleep(ms(1_000))).await;
        assert_eq!(elapsed, Err(Elapsed));
        // Ready first, so the limit's timer is dropped.
        assert_eq!(ctx.timeout(ms(1_000), ctx.sleep(ms(1))).await, Ok(()));
    });
    sim.run_until(Instant::ZERO);
    assert!(sim.run_instant(Instant::MAX));
    assert!(sim.run_instant(Instant::MAX));
    assert_eq!(sim.now(), at(11));
    assert!(!sim.run_instant(Instant::MAX), "a cancelled timer fired");
    assert_eq!(sim.now(), at(11), "time moved although nothing happened");
}

#[test]
fn a_timeout_drops_its_future_at_the_limit() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let work = async {
                let _guard = notes.on_drop("dropped");
                ctx2.sleep(ms(500)).await;
                notes.note("never");
            };
            assert_eq!(ctx2.timeout(ms(40), work).await, Err(Elapsed));
            notes.note("gave up");
        });
    });
    assert_eq!(lines, ["40 dropped", "40 gave up"]);
}

#[test]
fn a_result_ready_at_the_very_instant_of_the_limit_wins() {
    let lines = play(|ctx, notes| {
        let (sender, mut receiver) = channel(ctx, 4);
        sender.send_at(at(20), "message").unwrap();
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let slept = async {
                ctx2.sleep(ms(10)).await;
                "slept"
            };
            notes.note(ctx2.timeout(ms(10), slept).await.unwrap_or("elapsed"));
            notes.note(ctx2.timeout(ms(10), receiver.recv()).await.unwrap_or(None).unwrap_or("elapsed"));
            notes.note(ctx2.timeout(ms(0), async { "at once" }).await.unwrap_or("elapsed"));
        });
        drop(sender);
    });
    assert_eq!(lines, ["10 slept", "20 message", "20 at once"]);
}

// --- channels -----------------------------------------------------------------------------------------------------

#[test]
fn messages_come_out_by_arrival_then_by_sending() {
    let lines = play(|ctx, notes| {
        let (sender, mut receiver) = channel(ctx, 16);
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            for (delay, name) in [(30, "a"), (10, "b"), (30, "c"), (0, "d"), (10, "e")] {
                sender.send_at(ctx2.now() + ms(delay), name).unwrap();
            }
            ctx2.sleep(ms(15)).await;
            // Overtakes what is on its way, and is there before the receiver's timer for it.
            sender.send_at(at(20), "f").unwrap();
            sender.send_at(at(30), "g").unwrap();
            sender.send("h").unwrap();
        });
        ctx.spawn(async move {
            while let Some(name) = receiver.recv().await {
                notes.note(name);
            }
            notes.note("end");
        });
    });
    assert_eq!(lines, ["0 d", "10 b", "10 e", "15 h", "20 f", "30 a", "30 c", "30 g", "30 end"]);
}

#[test]
fn a_full_channel_hands_the_message_back() {
    let lines = play(|ctx, notes| {
        let (sender, mut receiver) = channel(ctx, 2);
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            assert_eq!(sender.send_at(at(50), 1), Ok(()));
            assert_eq!(sender.send(2), Ok(()));
            // One is still on its way, and counts.
            assert_eq!(sender.send(3), Err(SendError::Full(3)));
            ctx2.sleep(ms(1)).await;
            assert_eq!(sender.send(4), Ok(()));
            assert!(!sender.is_closed());
        });
        ctx.spawn(async move {
            assert_eq!(receiver.len(), 2);
            while let Some(message) = receiver.recv().await {
                notes.note(message);
            }
            assert!(receiver.is_empty());
        });
    });
    assert_eq!(lines, ["0 2", "1 4", "50 1"]);
}

#[test]
fn a_channel_without_its_receiver_is_closed_and_drops_what_it_held() {
    let lines = play(|ctx, notes| {
        let (sender, receiver) = channel(ctx, 4);
        assert!(sender.send_at(at(10), notes.on_drop("queued")).is_ok());
        drop(receiver);
        assert!(sender.is_closed());
        let Err(SendError::Closed(message)) = sender.send(notes.on_drop("handed back")) else {
            panic!("a closed channel took a message");
        };
        notes.note("refused");
        drop(message);
    });
    assert_eq!(lines, ["0 queued", "0 refused", "0 handed back"]);
}

#[test]
fn a_receiver_ends_when_the_last_sender_is_gone_and_nothing_is_on_its_way() {
    let lines = play(|ctx, notes| {
        let (sender, mut receiver) = channel(ctx, 4);
        let other = sender.clone();
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            sender.send_at(at(30), "late").unwrap();
            drop(sender);
            ctx2.sleep(ms(40)).await;
            drop(other);
        });
        ctx.spawn(async move {
            while let Some(name) = receiver.recv().await {
                notes.note(name);
            }
            notes.note("end");
        });
    });
    assert_eq!(lines, ["30 late", "40 end"]);
}

// --- join sets ----------------------------------------------------------------------------------------------------

#[test]
fn a_join_set_returns_its_results_in_the_order_in_which_they_end() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let mut set = JoinSet::new(&ctx2);
            for delay in [30, 10, 20, 10, 0] {
                let ctx3 = ctx2.clone();
                set.spawn(async move {
                    ctx3.sleep(ms(delay)).await;
                    delay
                });
            }
            while let Some(delay) = set.join_next().await {
                notes.note(delay);
            }
            assert_eq!(set.join_next().await, None);
            notes.note("all");
        });
    });
    assert_eq!(lines, ["0 0", "10 10", "10 10", "20 20", "30 30", "30 all"]);
}

#[test]
fn a_wait_on_a_join_set_that_is_given_up_loses_no_result() {
    let lines = play(|ctx, notes| {
        let ctx2 = ctx.clone();
        ctx.spawn(async move {
            let mut set = JoinSet::new(&ctx2);
            let ctx3 = ctx2.clone();
            set.spawn(async move { ctx3.sleep(ms(25)).await });
            while ctx2.timeout(ms(10), set.join_next()).await.is_err() {
                notes.note("again");
            }
            notes.note("joined");
        });
    });
    assert_eq!(lines, ["10 again", "20 again", "25 joined"]);
}

// --- instants -----------------------------------------------------------------------------------------------------

#[test]
fn run_instant_finishes_the_instant_and_stops_before_the_next() {
    let mut sim = Sim::new(1, Sink::None);
    let notes = Notes::new(&sim.ctx());
    let (sender, mut receiver) = channel(&sim.ctx(), 8);
    let (ctx, n) = (sim.ctx(), notes.clone());
    ctx.clone().spawn(async move {
        ctx.sleep(ms(10)).await;
        n.note("first");
        // Wakes another task, which starts a third: all of it is this instant.
        sender.send(()).unwrap();
        ctx.sleep(ms(10)).await;
        n.note("next");
    });
    let (ctx, n) = (sim.ctx(), notes.clone());
    ctx.clone().spawn(async move {
        receiver.recv().await;
        n.note("woken");
        let n = n.clone();
        ctx.spawn(async move { n.note("started") });
    });
    assert!(sim.run_instant(at(9)), "what is ready is the present instant");
    assert!(!sim.run_instant(at(9)));
    assert_eq!(sim.now(), Instant::ZERO);
    assert!(sim.run_instant(at(10)));
    assert_eq!(notes.lines(), ["10 first", "10 woken", "10 started"]);
    assert!(sim.run_instant(Instant::MAX));
    assert_eq!((sim.now(), notes.lines().len()), (at(20), 4));
    sim.run_until(at(50));
    assert_eq!(sim.now(), at(50), "run_until moves time to its limit");
}

// --- causes -------------------------------------------------------------------------------------------------------

#[test]
fn records_follow_from_the_last_record_of_their_task_and_tasks_inherit_it() {
    let mut sim = Sim::new(1, Sink::Full);
    let ctx = sim.ctx();
    sim.ctx().spawn_in(Scope(7), async move {
        assert_eq!(ctx.span(), Span::default());
        ctx.set_span(Span { tag: 42, cause: 0 });
        let first = ctx.record(STEP, 3, 100);
        let child = ctx.clone();
        ctx.spawn(async move {
            child.sleep(ms(1)).await;
            child.record(STEP, 0, 200);
        });
        ctx.record(STEP, 0, 101);
        // Another scope and cause; this task's own span stays.
        ctx.record_in(Scope(9), Span { tag: 1, cause: first }, STEP, 0, 300);
        ctx.sleep(ms(2)).await;
        ctx.record(STEP, 0, 102);
    });
    let ctx = sim.ctx();
    sim.ctx().spawn(async move {
        ctx.sleep(ms(1)).await;
        ctx.record(STEP, 0, 400);
    });
    sim.run_until(at(10));
    let seen = |value| -> Record { *sim.trace().records().find(|r| r.value == value).unwrap() };
    let fields = |value| (seen(value).n, seen(value).node, seen(value).tag, seen(value).cause);
    assert_eq!(fields(100), (1, 7, 42, 0));
    assert_eq!(fields(101), (2, 7, 42, 1));
    assert_eq!(fields(300), (3, 9, 1, 1));
    assert_eq!(fields(400), (4, 0, 0, 0), "another task knows nothing of it");
    assert_eq!(fields(200), (5, 7, 42, 1), "a child follows from what was recorded before it was spawned");
    assert_eq!(fields(102), (6, 7, 42, 2));
    assert_eq!((seen(100).peer, seen(102).at), (3, at(2)));
}

#[test]
fn dropping_a_simulation_drops_all_its_tasks_and_what_they_spawn_while_dying() {
    struct Spawner(Ctx, Rc<Cell<u32>>);
    impl Drop for Spawner {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
            if self.1.get() < 5 {
                let next = Spawner(self.0.clone(), Rc::clone(&self.1));
                self.0.spawn(async move {
                    let _next = next;
                    std::future::pending::<()>().await;
                });
            }
        }
    }
    let dropped = Rc::new(Cell::new(0));
    let mut sim = Sim::new(1, Sink::None);
    let ctx = sim.ctx();
    let first = Spawner(ctx.clone(), Rc::clone(&dropped));
    ctx.clone().spawn(async move {
        let _first = first;
        ctx.sleep(ms(1_000_000)).await;
    });
    sim.run_until(at(1));
    assert_eq!(dropped.get(), 0);
    drop(sim);
    assert_eq!(dropped.get(), 5);
}

#[test]
fn who_has_ended_is_busy_with_nothing_not_even_with_what_the_one_before_said_in_the_end() {
    struct Busy(Ctx);

    impl Drop for Busy {
        fn drop(&mut self) {
            assert_eq!((self.0.scope(), self.0.span()), (Scope(0), Span::default()));
            self.0.set_span(Span { tag: 7, cause: 3 });
        }
    }

    let mut sim = Sim::new(1, Sink::None);
    for ends_early in [false, false, true] {
        // Not an async block, which would drop it within its last poll.
        let busy = Busy(sim.ctx());
        let end = poll_fn(move |_| {
            let ctx = &busy.0;
            assert_eq!(ctx.scope(), Scope(3));
            if ends_early {
                ctx.end();
                assert_eq!((ctx.scope(), ctx.span()), (Scope(0), Span::default()));
            }
            Poll::Ready(())
        });
        sim.ctx().spawn_in(Scope(3), end);
    }
    sim.run_until(at(1));
    assert_eq!(sim.ctx().span(), Span::default());
}
